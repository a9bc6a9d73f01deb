//! What packet sockets see of traffic within this machine (`packet(7)`).
//!
//! No protocol runs there, so packets are made for those who look, as they would be over Linux's loop-back device: the handshakes, data and ends of
//! connections with consistent numbers, datagrams, echoes, and what says that nobody is there. Acknowledgements of data alone are left out.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use net_abi::protocol;

use super::icmp::{PORT_UNREACHABLE, PORT_UNREACHABLE_V6, checksum};
use crate::ipc::netdev;
use crate::ipc::network::NetNamespace;
use crate::ipc::packet::{self, Direction};

/// Most bytes of a segment, as on Linux for IPv4 over a device with packets of 64 KiB.
const SEGMENT: usize = 65_483;
const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const PSH: u8 = 8;
const ACK: u8 = 0x10;

/// A connection as its packets would tell of it.
pub struct Conversation {
    /// Where it is.
    net: Arc<NetNamespace>,
    ends: [SocketAddr; 2],
    /// The sequence number of what each sends next.
    next: [AtomicU32; 2],
    has_finished: [AtomicBool; 2],
}

/// One end of it, that sends.
pub struct End {
    conversation: Arc<Conversation>,
    own: usize,
}

/// Both ends of a connection: the first is `from`'s.
pub fn conversation(net: &Arc<NetNamespace>, from: SocketAddr, to: SocketAddr) -> (End, End) {
    let random = crate::random::u64();
    let next = [random as u32, (random >> 32) as u32].map(AtomicU32::new);
    let conversation = Arc::new(Conversation { net: net.clone(), ends: [from, to], next, has_finished: [false, false].map(AtomicBool::new) });
    (End { conversation: conversation.clone(), own: 0 }, End { conversation, own: 1 })
}

impl End {
    fn segment(&self, own: usize, flags: u8, data: &[u8]) {
        let it = &*self.conversation;
        let takes = data.len() as u32 + u32::from(flags & (SYN | FIN) != 0);
        let sequence = it.next[own].fetch_add(takes, Ordering::Relaxed);
        if packet::is_watched() {
            let acknowledged = if flags & ACK == 0 { 0 } else { it.next[1 - own].load(Ordering::Relaxed) };
            show_tcp(&it.net, (it.ends[own], it.ends[1 - own]), sequence, acknowledged, flags, data);
        }
    }

    /// The connection is made.
    pub fn establish(&self) {
        self.segment(self.own, SYN, &[]);
        self.segment(1 - self.own, SYN | ACK, &[]);
        self.segment(self.own, ACK, &[]);
    }

    /// Bytes are sent.
    pub fn send(&self, data: &[u8]) {
        for piece in data.chunks(SEGMENT) {
            self.segment(self.own, PSH | ACK, piece);
        }
    }

    /// Nothing more is sent.
    pub fn finish(&self) {
        if !self.conversation.has_finished[self.own].swap(true, Ordering::Relaxed) {
            self.segment(self.own, FIN | ACK, &[]);
            self.segment(1 - self.own, ACK, &[]);
        }
    }

    /// The connection is broken off.
    pub fn reset(&self) {
        if !self.conversation.has_finished.iter().fold(true, |all, it| all & it.swap(true, Ordering::Relaxed)) {
            self.segment(self.own, RST | ACK, &[]);
        }
    }
}

/// A connection was asked for where nobody listens.
pub fn refused(net: &NetNamespace, from: SocketAddr, to: SocketAddr) {
    if packet::is_watched() {
        let sequence = crate::random::u64() as u32;
        show_tcp(net, (from, to), sequence, 0, SYN, &[]);
        show_tcp(net, (to, from), 0, sequence.wrapping_add(1), RST | ACK, &[]);
    }
}

/// A segment that a program has made itself, and what TCP would answer.
pub fn segment(net: &NetNamespace, hop_limit: u8, from: SocketAddr, to: SocketAddr, bytes: &[u8], is_open: bool) {
    if !packet::is_watched() {
        return;
    }
    show(net, protocol::TCP, hop_limit, from.ip(), to.ip(), bytes);
    let Some(header) = bytes.first_chunk::<20>() else { return };
    let word = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let (sequence, acknowledged, flags) = (word(4), word(8), header[13]);
    let data = bytes.len().saturating_sub(usize::from(header[12] >> 4) * 4) as u32;
    let next = sequence.wrapping_add(data + u32::from(flags & SYN != 0) + u32::from(flags & FIN != 0));
    if flags & RST != 0 {
        return;
    }
    // RFC 9293, 3.10.7: a listener takes up what begins a connection; what is for no connection is reset.
    if flags & ACK != 0 {
        show_tcp(net, (to, from), acknowledged, 0, RST, &[]);
    } else if !is_open {
        show_tcp(net, (to, from), 0, next, RST | ACK, &[]);
    } else if flags & SYN != 0 {
        show_tcp(net, (to, from), crate::random::u64() as u32, next, SYN | ACK, &[]);
    }
}

/// A datagram is sent; `bytes` has no header of UDP's, but those of other protocols.
pub fn datagram(net: &NetNamespace, number: u8, hop_limit: u8, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
    if packet::is_watched() {
        show(net, number, hop_limit, from.ip(), to.ip(), &with_header(number, from, to, bytes));
    }
}

/// Nobody is there to take a datagram.
pub fn unreachable(net: &NetNamespace, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
    if !packet::is_watched() {
        return;
    }
    let (number, (kind, code, most)) = if to.is_ipv4() { (protocol::ICMP, PORT_UNREACHABLE) } else { (protocol::ICMP_V6, PORT_UNREACHABLE_V6) };
    let quoted = packet_of(protocol::UDP, 64, from.ip(), to.ip(), &with_header(protocol::UDP, from, to, bytes));
    let mut message = alloc::vec![kind, code, 0, 0, 0, 0, 0, 0];
    message.extend_from_slice(&quoted[..quoted.len().min(most + 28)]);
    let sum = if to.is_ipv4() { checksum(&message) } else { checksum_with(number, to.ip(), from.ip(), &message) };
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    show(net, number, 64, to.ip(), from.ip(), &message);
}

fn with_header(number: u8, from: SocketAddr, to: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    if number != protocol::UDP {
        return bytes.to_vec();
    }
    let len = (8 + bytes.len()) as u16;
    let mut packet = [from.port(), to.port(), len, 0].map(u16::to_be_bytes).concat();
    packet.extend_from_slice(bytes);
    let sum = match checksum_with(number, from.ip(), to.ip(), &packet) {
        0 => u16::MAX,
        sum => sum,
    };
    packet[6..8].copy_from_slice(&sum.to_be_bytes());
    packet
}

fn show_tcp(net: &NetNamespace, (from, to): (SocketAddr, SocketAddr), sequence: u32, acknowledged: u32, flags: u8, data: &[u8]) {
    /// Most bytes of a segment, told with the first ones.
    const OPTION: [u8; 4] = [2, 4, (SEGMENT >> 8) as u8, SEGMENT as u8];
    let options: &[u8] = if flags & SYN != 0 { &OPTION } else { &[] };
    let mut packet = [from.port(), to.port()].map(u16::to_be_bytes).concat();
    packet.extend_from_slice(&[sequence, acknowledged].map(u32::to_be_bytes).concat());
    packet.extend_from_slice(&[((20 + options.len()) as u8 / 4) << 4, flags, 0xff, 0xff, 0, 0, 0, 0]);
    packet.extend_from_slice(options);
    packet.extend_from_slice(data);
    let sum = checksum_with(protocol::TCP, from.ip(), to.ip(), &packet);
    packet[16..18].copy_from_slice(&sum.to_be_bytes());
    show(net, protocol::TCP, 64, from.ip(), to.ip(), &packet);
}

/// The checksum of a packet with the addresses and so on that are counted with it.
fn checksum_with(number: u8, from: IpAddr, to: IpAddr, packet: &[u8]) -> u16 {
    let mut counted = Vec::with_capacity(40 + packet.len());
    for ip in [from, to] {
        match ip {
            IpAddr::V4(ip) => counted.extend_from_slice(&ip.octets()),
            IpAddr::V6(ip) => counted.extend_from_slice(&ip.octets()),
        }
    }
    counted.extend_from_slice(&(packet.len() as u32).to_be_bytes());
    counted.extend_from_slice(&[0, 0, 0, number]);
    counted.extend_from_slice(packet);
    checksum(&counted)
}

/// A packet with the internet's header.
fn packet_of(number: u8, hop_limit: u8, from: IpAddr, to: IpAddr, bytes: &[u8]) -> Vec<u8> {
    let (IpAddr::V6(from), IpAddr::V6(to)) = (from, to) else {
        return super::icmp::as_raw(number, hop_limit, from, to, bytes);
    };
    let mut packet = alloc::vec![0x60, 0, 0, 0];
    packet.extend_from_slice(&(bytes.len() as u16).to_be_bytes());
    packet.extend_from_slice(&[number, hop_limit]);
    packet.extend_from_slice(&from.octets());
    packet.extend_from_slice(&to.octets());
    packet.extend_from_slice(bytes);
    packet
}

fn show(net: &NetNamespace, number: u8, hop_limit: u8, from: IpAddr, to: IpAddr, bytes: &[u8]) {
    /// EtherTypes.
    const IPV4: [u8; 2] = [8, 0];
    const IPV6: [u8; 2] = [0x86, 0xdd];
    // The device's own address is zero, and so are all others on it.
    let mut frame = alloc::vec![0; 12];
    frame.extend_from_slice(if from.is_ipv4() { &IPV4 } else { &IPV6 });
    frame.extend_from_slice(&packet_of(number, hop_limit, from, to, bytes));
    packet::deliver(net, netdev::INDEX, 0, Direction::Sent, &frame);
    packet::deliver(net, netdev::INDEX, 0, Direction::Received, &frame);
}
