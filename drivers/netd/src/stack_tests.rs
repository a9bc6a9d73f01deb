//! Two stacks on one cable, with the tests in the place of their kernels.

use crate::card::Frames;
use crate::stack::{Hardware, Stack};
use net_abi::{ACCEPTED, Change, Configuration, ToKernel, ToStack, TcpOptions, protocol, split};
use network_device::MOST_FRAME;
use smoltcp::time::{Duration, Instant};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

type Queue = Rc<RefCell<VecDeque<Vec<u8>>>>;

/// An end of a cable that loses every n-th frame.
struct Cable {
    incoming: Queue,
    outgoing: Queue,
    sent: usize,
    loses: usize,
}

impl Frames for Cable {
    fn receive(&mut self, frame: &mut [u8; MOST_FRAME]) -> Option<usize> {
        let bytes = self.incoming.borrow_mut().pop_front()?;
        frame[..bytes.len()].copy_from_slice(&bytes);
        Some(bytes.len())
    }

    fn can_send(&mut self) -> bool {
        self.outgoing.borrow().len() < 64
    }

    fn send(&mut self, frame: &[u8]) {
        self.sent += 1;
        if self.loses == 0 || self.sent % self.loses != 0 {
            self.outgoing.borrow_mut().push_back(frame.to_vec());
        }
    }
}

struct Pair {
    stacks: [Stack<Cable>; 2],
    heard: [Vec<(u64, Message)>; 2],
    now: Instant,
    configuration: [Configuration; 2],
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Message {
    Connected,
    Accepted(SocketAddr, SocketAddr),
    Data(Vec<u8>),
    Finished,
    Failed(i32),
    Room(u32),
    Datagram(u8, SocketAddr, SocketAddr, Vec<u8>),
    Report(u8, SocketAddr, SocketAddr, i32),
    Done(u32),
    Frame(bool, Vec<u8>),
}

const MACS: [[u8; 6]; 2] = [[2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]];

fn ip(side: usize) -> IpAddr {
    IpAddr::from([192, 168, 7, side as u8 + 1])
}

fn at(side: usize, port: u16) -> SocketAddr {
    SocketAddr::new(ip(side), port)
}

impl Pair {
    fn new(loses: usize) -> Self {
        let (a, b) = (Queue::default(), Queue::default());
        let ends = [(a.clone(), b.clone()), (b, a)];
        let now = Instant::from_secs(1);
        let mut side = 0;
        let stacks = ends.map(|(incoming, outgoing)| {
            let hardware = Hardware { mac: MACS[side], mtu: 1500, has_carrier: true };
            let mut stack = Stack::new("eth0", hardware, side as u64 + 7, now);
            side += 1;
            stack.attach(Cable { incoming, outgoing, sent: 0, loses }, true);
            stack
        });
        let mut pair = Self { stacks, heard: Default::default(), now, configuration: Default::default() };
        for side in 0..2 {
            pair.tell(side, 1, &ToStack::Configure(Change::Address { add: true, ip: ip(side), prefix: 24 }));
        }
        pair.run(Duration::from_millis(10));
        assert!(pair.take(0).contains(&(1, Message::Done(0))) && pair.take(1).contains(&(1, Message::Done(0))));
        assert!(pair.configuration[0].has(ip(0)));
        pair
    }

    fn tell(&mut self, side: usize, id: u64, message: &ToStack<'_>) {
        let mut bytes = Vec::new();
        message.encode(id, &mut bytes);
        self.stacks[side].obey(&bytes).unwrap();
    }

    /// Lets both work for a time, which is over when nothing is left to do.
    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            let mut is_busy = false;
            for side in 0..2 {
                is_busy |= self.stacks[side].work(self.now);
                self.listen(side);
            }
            if !is_busy {
                self.now += Duration::from_millis(1);
            }
        }
    }

    fn listen(&mut self, side: usize) {
        let bytes = core::mem::take(self.stacks[side].output());
        let mut rest = bytes.as_slice();
        while let Some((header, body, after)) = split(rest).unwrap() {
            let message = match ToKernel::decode(&header, body).unwrap() {
                ToKernel::Connected => Message::Connected,
                ToKernel::Accepted { local, remote } => Message::Accepted(local, remote),
                ToKernel::Data(bytes) => Message::Data(bytes.to_vec()),
                ToKernel::Finished => Message::Finished,
                ToKernel::Failed(errno) => Message::Failed(errno as i32),
                ToKernel::Room(bytes) => Message::Room(bytes),
                // The other one asks for an address.
                ToKernel::Datagram { to, .. } if to.port() == 67 => {
                    rest = after;
                    continue;
                }
                ToKernel::Datagram { protocol, from, to, bytes, .. } => Message::Datagram(protocol, from, to, bytes.to_vec()),
                ToKernel::Report(it) => Message::Report(it.protocol, it.local, it.remote, it.errno as i32),
                ToKernel::Done(errno) => Message::Done(errno),
                ToKernel::Frame { is_sent, bytes } => Message::Frame(is_sent, bytes.to_vec()),
                ToKernel::Configuration(it) => {
                    self.configuration[side] = it;
                    rest = after;
                    continue;
                }
            };
            self.heard[side].push((header.id, message));
            rest = after;
        }
    }

    fn take(&mut self, side: usize) -> Vec<(u64, Message)> {
        core::mem::take(&mut self.heard[side])
    }

    fn connect(&mut self) -> u64 {
        self.tell(1, 5, &ToStack::Listen { local: SocketAddr::new(IpAddr::from([0; 4]), 80), only_v6: false });
        self.tell(0, 100, &ToStack::Connect { local: at(0, 40000), remote: at(1, 80), options: TcpOptions { hop_limit: 64, ..TcpOptions::default() } });
        self.run(Duration::from_secs(8));
        let (kept, other): (Vec<_>, Vec<_>) = self.take(0).into_iter().partition(|(_, message)| matches!(message, Message::Frame(..)));
        self.heard[0] = kept;
        assert!(other.contains(&(100, Message::Connected)));
        // Frames may have been copied meanwhile: these stay.
        let (kept, other): (Vec<_>, Vec<_>) = self.take(1).into_iter().partition(|(_, message)| matches!(message, Message::Frame(..)));
        self.heard[1] = kept;
        let (id, accepted) = other.into_iter().next().unwrap();
        assert_eq!(accepted, Message::Accepted(at(1, 80), at(0, 40000)));
        assert_ne!(id & ACCEPTED, 0);
        id
    }
}

#[test]
fn frames_are_copied_while_that_is_wanted_and_sent_as_they_are() {
    let mut pair = Pair::new(0);
    let frames = |messages: Vec<(u64, Message)>| {
        messages.into_iter().filter_map(|(id, message)| if let Message::Frame(is_sent, bytes) = message { Some((id, is_sent, bytes)) } else { None }).collect::<Vec<_>>()
    };
    let frame = [&MACS[1][..], &MACS[0], &[0x88, 0xb5], b"as it is"].concat();
    pair.tell(0, 9, &ToStack::Frame(&frame));
    pair.run(Duration::from_millis(10));
    assert!(frames(pair.take(0)).is_empty() && frames(pair.take(1)).is_empty());
    for side in 0..2 {
        pair.tell(side, 0, &ToStack::Capture(true));
    }
    pair.tell(0, 9, &ToStack::Frame(&frame));
    pair.run(Duration::from_millis(10));
    assert_eq!(frames(pair.take(0)), [(9, true, frame.clone())]);
    assert_eq!(frames(pair.take(1)), [(0, false, frame.clone())]);
    // What the protocols send is seen at both ends, too.
    pair.connect();
    let (sent, received) = (frames(pair.take(0)), frames(pair.take(1)));
    let is_syn = |frame: &[u8]| frame.len() > 47 && frame[12..14] == [8, 0] && frame[23] == protocol::TCP && frame[47] == 2;
    assert!(sent.iter().any(|(id, is_sent, bytes)| *id == 0 && *is_sent && is_syn(bytes)), "{sent:?}");
    assert!(received.iter().any(|(_, is_sent, bytes)| !is_sent && is_syn(bytes)), "{received:?}");
    pair.tell(1, 0, &ToStack::Capture(false));
    pair.tell(0, 9, &ToStack::Frame(&frame));
    // Too long, and too short to be anything: lost, without harm.
    pair.tell(0, 9, &ToStack::Frame(&[7; MOST_FRAME + 1]));
    pair.tell(0, 9, &ToStack::Frame(&[1]));
    pair.run(Duration::from_millis(10));
    assert!(frames(pair.take(1)).is_empty());
}

fn transfer(loses: usize, total: usize) {
    let mut pair = Pair::new(loses);
    let server = pair.connect();
    let data: Vec<u8> = (0..total).map(|at| (at as u32).wrapping_mul(2_654_435_761) as u8).collect();
    let (mut sent, mut room, mut received, mut rounds) = (0, net_abi::ROOM as usize, Vec::new(), 0);
    while received.len() < total {
        rounds += 1;
        assert!(rounds < 20_000, "{} of {total} bytes came", received.len());
        let len = room.min(total - sent);
        if len > 0 {
            pair.tell(0, 100, &ToStack::Data(&data[sent..sent + len]));
            (sent, room) = (sent + len, room - len);
        }
        pair.run(Duration::from_millis(20));
        for (id, message) in pair.take(1) {
            assert_eq!(id, server);
            match message {
                Message::Data(bytes) => {
                    received.extend_from_slice(&bytes);
                    pair.tell(1, server, &ToStack::Consumed(bytes.len() as u32));
                }
                other => assert!(matches!(other, Message::Room(_)), "{other:?}"),
            }
        }
        for (id, message) in pair.take(0) {
            match message {
                Message::Room(bytes) => room += bytes as usize,
                other => panic!("{id} {other:?}"),
            }
        }
    }
    assert!(received == data, "the bytes are those that were sent");
    pair.tell(0, 100, &ToStack::Finish);
    pair.run(Duration::from_secs(5));
    assert!(pair.take(1).contains(&(server, Message::Finished)));
    pair.tell(1, server, &ToStack::Finish);
    pair.tell(1, server, &ToStack::Close);
    pair.run(Duration::from_secs(5));
    assert!(pair.take(0).contains(&(100, Message::Finished)));
    pair.tell(0, 100, &ToStack::Close);
    pair.run(Duration::from_secs(20));
    let rest = pair.take(0).into_iter().chain(pair.take(1)).find(|(_, it)| matches!(it, Message::Failed(_)));
    assert_eq!(rest, None);
}

#[test]
fn bytes_arrive() {
    transfer(0, 3 << 20);
}

#[test]
fn bytes_arrive_where_frames_get_lost() {
    transfer(23, 300 << 10);
}

#[test]
fn who_does_not_read_stops_the_sender() {
    let mut pair = Pair::new(0);
    let server = pair.connect();
    let mut sent = 0;
    let piece = vec![7; net_abi::ROOM as usize];
    pair.tell(0, 100, &ToStack::Data(&piece));
    sent += piece.len();
    for _ in 0..50 {
        pair.run(Duration::from_millis(50));
        for (_, message) in pair.take(0) {
            let Message::Room(room) = message else { panic!("{message:?}") };
            pair.tell(0, 100, &ToStack::Data(&piece[..room as usize]));
            sent += room as usize;
        }
    }
    let received: usize = pair.take(1).iter().map(|(_, it)| if let Message::Data(bytes) = it { bytes.len() } else { 0 }).sum();
    assert_eq!(received, net_abi::ROOM as usize, "no more than the kernel takes");
    assert!(sent <= 4 * net_abi::ROOM as usize);
    pair.tell(1, server, &ToStack::Consumed(1000));
    pair.run(Duration::from_millis(50));
    let more: usize = pair.take(1).iter().map(|(_, it)| if let Message::Data(bytes) = it { bytes.len() } else { 0 }).sum();
    assert_eq!(more, 1000);
}

#[test]
fn refusals_and_absent_machines() {
    let mut pair = Pair::new(0);
    let options = TcpOptions { hop_limit: 64, ..TcpOptions::default() };
    pair.tell(0, 100, &ToStack::Connect { local: at(0, 40000), remote: at(1, 81), options });
    pair.tell(0, 101, &ToStack::Connect { local: at(0, 40001), remote: at(8, 81), options });
    pair.run(Duration::from_secs(1));
    assert_eq!(pair.take(0), [(100, Message::Failed(libc::ECONNREFUSED))]);
    pair.tell(0, 102, &ToStack::Datagram { protocol: protocol::UDP, hop_limit: 64, from: at(0, 50), to: at(8, 60), bytes: b"lost" });
    pair.run(Duration::from_secs(4));
    let heard = pair.take(0);
    assert!(heard.contains(&(101, Message::Failed(libc::EHOSTUNREACH))), "{heard:?}");
    pair.run(Duration::from_secs(4));
    let heard = [heard, pair.take(0)].concat();
    assert!(heard.contains(&(0, Message::Report(protocol::UDP, at(0, 50), at(8, 60), libc::EHOSTUNREACH))), "{heard:?}");
}

#[test]
fn a_reset_breaks_the_other_end() {
    let mut pair = Pair::new(0);
    let server = pair.connect();
    pair.tell(1, server, &ToStack::Abort);
    pair.run(Duration::from_millis(100));
    assert_eq!(pair.take(0), [(100, Message::Failed(libc::ECONNRESET))]);
    // What comes for a connection that no program has any more is answered by a reset, too.
    let mut pair = Pair::new(0);
    let server = pair.connect();
    pair.tell(1, server, &ToStack::Finish);
    pair.tell(1, server, &ToStack::Close);
    pair.run(Duration::from_millis(100));
    assert_eq!(pair.take(0), [(100, Message::Finished)]);
    pair.tell(0, 100, &ToStack::Data(b"too late"));
    pair.run(Duration::from_millis(100));
    assert_eq!(pair.take(0), [(100, Message::Failed(libc::ECONNRESET))]);
}

#[test]
fn the_end_is_acknowledged_when_it_comes_again() {
    let mut pair = Pair::new(0);
    let server = pair.connect();
    pair.tell(0, 100, &ToStack::Finish);
    pair.tell(0, 100, &ToStack::Close);
    pair.run(Duration::from_millis(100));
    pair.tell(1, server, &ToStack::Finish);
    // The client's last acknowledgement gets lost.
    let cable = pair.stacks[1].frames().unwrap();
    let (sent, received) = (cable.outgoing.clone(), cable.incoming.clone());
    while sent.borrow().is_empty() {
        pair.stacks[1].work(pair.now);
        pair.now += Duration::from_millis(1);
    }
    while received.borrow().is_empty() {
        pair.stacks[0].work(pair.now);
        pair.now += Duration::from_millis(1);
    }
    received.borrow_mut().clear();
    pair.tell(1, server, &ToStack::Close);
    pair.run(Duration::from_secs(5));
    // It sends its end again, and is satisfied: nothing is left that would have to be sent.
    assert!(!pair.take(0).iter().chain(&pair.take(1)).any(|(_, it)| matches!(it, Message::Failed(_))));
    assert!(!pair.stacks[1].has_connections() && !pair.stacks[0].has_connections());
}

#[test]
fn datagrams_and_echoes() {
    let mut pair = Pair::new(0);
    // Longer than a frame: in fragments.
    let bytes: Vec<u8> = (0..5000u32).map(|at| at as u8).collect();
    pair.tell(0, 9, &ToStack::Datagram { protocol: protocol::UDP, hop_limit: 64, from: at(0, 50), to: at(1, 60), bytes: &bytes });
    pair.run(Duration::from_millis(100));
    assert_eq!(pair.take(1), [(0, Message::Datagram(protocol::UDP, at(0, 50), at(1, 60), bytes))]);
    pair.tell(1, 0, &ToStack::Unreachable { from: at(0, 50), to: at(1, 60), len: 5000 });
    pair.run(Duration::from_millis(100));
    let heard = pair.take(0);
    assert!(heard.contains(&(0, Message::Report(protocol::UDP, at(0, 50), at(1, 60), libc::ECONNREFUSED))), "{heard:?}");
    // The other stack answers by itself.
    let mut echo = vec![8, 0, 0, 0, 0x12, 0x34, 0, 1, 1, 2, 3, 4];
    smoltcp::wire::Icmpv4Packet::new_unchecked(&mut echo).fill_checksum();
    pair.tell(0, 10, &ToStack::Datagram { protocol: protocol::ICMP, hop_limit: 64, from: at(0, 0), to: at(1, 0), bytes: &echo });
    pair.run(Duration::from_millis(100));
    let heard = pair.take(0);
    let is_reply = |it: &(u64, Message)| matches!(&it.1, Message::Datagram(protocol::ICMP, from, _, bytes) if *from == at(1, 0) && bytes[0] == 0 && bytes[4..] == echo[4..]);
    assert!(heard.iter().any(is_reply), "{heard:?}");
}

#[test]
fn connections_outlive_the_driver() {
    let mut pair = Pair::new(0);
    let server = pair.connect();
    let cable = pair.stacks[0].detach().unwrap();
    pair.tell(0, 100, &ToStack::Data(b"sent while the driver was away"));
    pair.run(Duration::from_millis(300));
    assert_eq!(pair.take(1), []);
    pair.stacks[0].attach(cable, true);
    pair.run(Duration::from_secs(5));
    assert!(pair.take(1).contains(&(server, Message::Data(b"sent while the driver was away".to_vec()))));
}

#[test]
fn anything_may_come_over_the_cable() {
    let mut pair = Pair::new(0);
    let server = pair.connect();
    let mut state = 1u64;
    for round in 0..3000 {
        let mut frame: Vec<u8> = MACS[0].into_iter().chain(MACS[1]).chain([8, if round % 3 == 0 { 6 } else { 0 }]).collect();
        let len = 20 + round % 80;
        frame.extend((0..len).map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        }));
        if round % 3 != 0 {
            frame[14] = 0x45;
            frame[23] = [1, 6, 17][round % 3];
            frame[30..34].copy_from_slice(&[192, 168, 7, 1]);
        }
        pair.stacks[0].frames().unwrap().incoming.borrow_mut().push_back(frame);
        pair.run(Duration::from_millis(1));
    }
    pair.tell(0, 100, &ToStack::Data(b"still there"));
    pair.run(Duration::from_secs(2));
    assert!(pair.take(1).contains(&(server, Message::Data(b"still there".to_vec()))));
}
