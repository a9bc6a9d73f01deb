//! The protocols of one interface, between its card and the kernel.

use crate::addresses::Addresses;
use crate::card::{Captured, Card, Frames};
use crate::datagrams::{self, Datagrams, Outgoing};
use crate::inspect::Inspected;
use crate::tcp::Connections;
use net_abi::{ACCEPTED, Change, Configuration, Counters, Malformed, Report, ToKernel, ToStack, protocol, split};
use network_device::MOST_FRAME;
use smoltcp::iface::{Config, Interface, PollResult, SocketSet};
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::{EthernetAddress, HardwareAddress, IpAddress};
use std::net::{Ipv4Addr, SocketAddr};

/// Frames taken in before anything else is looked after: what acknowledges them should be on its way while the next ones are taken in.
const BATCH: usize = 16;
/// How often counters are told, at most.
const TELL_COUNTERS: Duration = Duration::from_secs(1);
/// Bytes of an Ethernet header.
const ETHERNET: usize = 14;
/// Number of what the stack itself sends.
const OWN: u64 = ACCEPTED;

/// What a driver says of its card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hardware {
    /// Its address.
    pub mac: [u8; 6],
    /// Greatest packet.
    pub mtu: u32,
    /// A cable is plugged in.
    pub has_carrier: bool,
}

/// The stack of one interface.
pub struct Stack<F> {
    card: Card<F>,
    hardware: Hardware,
    interface: Interface,
    sockets: SocketSet<'static>,
    connections: Connections,
    datagrams: Datagrams,
    addresses: Addresses,
    name: Vec<u8>,
    counters: Counters,
    told: Counters,
    told_at: Instant,
    slaac_at: Instant,
    has_changed: bool,
    out: Vec<u8>,
}

impl<F: Frames> Stack<F> {
    /// A stack whose card is still away. `seed`: random.
    pub fn new(name: &str, hardware: Hardware, seed: u64, now: Instant) -> Self {
        let mut card = Card::new(hardware.mtu as usize);
        let mut config = Config::new(HardwareAddress::Ethernet(EthernetAddress(hardware.mac)));
        config.random_seed = seed;
        config.slaac = true;
        let mut interface = Interface::new(config, &mut card, now);
        let mut sockets = SocketSet::new(Vec::new());
        let datagrams = Datagrams::new(&mut sockets);
        let addresses = Addresses::new(&mut interface, &mut sockets);
        Self {
            card,
            hardware,
            interface,
            sockets,
            connections: Connections::default(),
            datagrams,
            addresses,
            name: name.as_bytes().to_vec(),
            counters: Counters::default(),
            told: Counters::default(),
            told_at: now,
            slaac_at: now,
            has_changed: true,
            out: Vec::new(),
        }
    }

    /// The card is there, or there again.
    pub fn attach(&mut self, frames: F, has_carrier: bool) {
        self.card.frames = Some(frames);
        self.set_carrier(has_carrier);
        self.has_changed = true;
    }

    /// The card is away: its driver has died.
    pub fn detach(&mut self) -> Option<F> {
        self.card.frames.take()
    }

    /// The card.
    pub fn frames(&mut self) -> Option<&mut F> {
        self.card.frames.as_mut()
    }

    /// Frames could not be sent for want of buffers since the last look.
    pub fn take_crowded(&mut self) -> bool {
        core::mem::take(&mut self.card.is_crowded)
    }

    /// The link's state.
    pub fn set_carrier(&mut self, has_carrier: bool) {
        if has_carrier != self.hardware.has_carrier {
            self.hardware.has_carrier = has_carrier;
            self.has_changed = true;
            if has_carrier {
                self.addresses.ask_again(&mut self.sockets);
            }
        }
    }

    /// The card's counters.
    pub fn set_counters(&mut self, counters: Counters) {
        self.counters = counters;
    }

    /// The name servers that DHCP has told.
    pub fn servers(&self) -> &[Ipv4Addr] {
        self.addresses.servers()
    }

    /// Whether there are connections with other machines.
    pub fn has_connections(&self) -> bool {
        self.connections.len() > 0
    }

    /// Messages to the kernel.
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Does what the kernel says.
    ///
    /// # Errors
    /// Where it does not speak the same language.
    pub fn obey(&mut self, messages: &[u8]) -> Result<(), Malformed> {
        let mut rest = messages;
        while let Some((header, body, after)) = split(rest)? {
            self.obey_one(header.id, &ToStack::decode(&header, body)?);
            rest = after;
        }
        Ok(())
    }

    fn obey_one(&mut self, id: u64, message: &ToStack<'_>) {
        let sockets = &mut self.sockets;
        match *message {
            ToStack::Connect { local, remote, options } => {
                let outcome = self.connections.connect(id, (local, remote), options, self.interface.context(), sockets);
                if let Err(errno) = outcome {
                    ToKernel::Failed(errno as u32).encode(id, &mut self.out);
                }
            }
            ToStack::Listen { local, only_v6 } => self.connections.listen(id, local, only_v6),
            ToStack::Unlisten => self.connections.unlisten(id),
            ToStack::Data(bytes) => self.connections.send(id, bytes, sockets),
            ToStack::Finish => self.connections.finish(id, sockets),
            ToStack::Close => self.connections.leave(id, sockets),
            ToStack::Abort => self.connections.abort(id, sockets),
            ToStack::Consumed(bytes) => self.connections.add_kernel_room(id, bytes),
            ToStack::Options(options) => self.connections.set_options(id, options, sockets),
            ToStack::Datagram { protocol, hop_limit, from, to, bytes } => {
                self.datagrams.send(id, &Outgoing { protocol, hop_limit, from, to, bytes }, sockets);
            }
            ToStack::Forget => self.datagrams.forget(id, sockets),
            ToStack::Unreachable { from, to, len } => {
                if let Some((protocol, bytes)) = datagrams::unreachable(from, to, len) {
                    let (source, target) = (SocketAddr::new(to.ip(), 0), SocketAddr::new(from.ip(), 0));
                    let family = u64::from(target.is_ipv6());
                    self.datagrams.send(OWN | family, &Outgoing { protocol, hop_limit: 64, from: source, to: target, bytes: &bytes }, sockets);
                }
            }
            ToStack::Group { join, ip } => {
                let ip = IpAddress::from(ip);
                let outcome = if join { self.interface.join_multicast_group(ip) } else { self.interface.leave_multicast_group(ip) };
                if let Err(error) = outcome {
                    tracing::warn!("the group {ip}: {error}");
                }
            }
            ToStack::Configure(change) => {
                let outcome = self.change(&change);
                let errno = outcome.err().unwrap_or(0);
                self.tell_configuration();
                ToKernel::Done(errno as u32).encode(id, &mut self.out);
            }
            ToStack::Capture(on) => self.card.captured = on.then(Captured::default),
            ToStack::Frame(bytes) => self.card.send(id, bytes),
        }
    }

    fn change(&mut self, change: &Change) -> Result<(), i32> {
        match *change {
            Change::Up(up) => {
                if up && !self.card.is_up {
                    self.addresses.ask_again(&mut self.sockets);
                }
                self.card.is_up = up;
                Ok(())
            }
            // The protocols take the card's size when they start, so a smaller one is for a later version.
            Change::Mtu(mtu) if mtu == self.hardware.mtu => Ok(()),
            Change::Mtu(mtu) if mtu < 68 || mtu as usize > MOST_FRAME - ETHERNET => Err(libc::EINVAL),
            Change::Mtu(_) => Err(libc::EOPNOTSUPP),
            _ => self.addresses.change(change, &mut self.interface),
        }
    }

    /// Does what there is to do; whether there was anything.
    pub fn work(&mut self, now: Instant) -> bool {
        let mut is_busy = self.take_frames(now);
        self.interface.poll_maintenance(now);
        self.addresses.pump(&mut self.interface, &mut self.sockets);
        let mut heard = Vec::new();
        self.datagrams.pump(&self.interface, &mut self.sockets, &mut self.out, &mut heard);
        for report in heard {
            self.hear_of_connection(&report);
        }
        self.hear_silence(now);
        is_busy |= self.send_frames(now);
        if self.connections.pump(now, &mut self.sockets, &mut self.out) {
            // What was read opens windows.
            is_busy |= self.send_frames(now);
        }
        if let Some(captured) = &mut self.card.captured {
            captured.take(&mut self.out);
        }
        self.look_for_changes(now);
        is_busy
    }

    fn take_frames(&mut self, now: Instant) -> bool {
        for taken in 0..BATCH {
            let Some(inspected) = self.card.take(now) else { return taken > 0 };
            let expected = match inspected {
                Inspected::Syn(from, to) => self.connections.expect(from, to, &mut self.sockets),
                Inspected::Reset(from, to) => {
                    self.connections.hear_reset(from, to);
                    None
                }
                Inspected::Segment(from, to) if self.connections.has_ended(from, to, now) => {
                    self.card.acknowledge();
                    continue;
                }
                Inspected::Segment(..) | Inspected::Other => None,
            };
            self.interface.poll_ingress_single(now, &mut self.card, &mut self.sockets);
            if let Some(id) = expected {
                self.connections.settle(id, &mut self.sockets);
            }
        }
        true
    }

    fn send_frames(&mut self, now: Instant) -> bool {
        let mut is_busy = false;
        while self.interface.poll_egress(now, &mut self.card, &mut self.sockets) != PollResult::None {
            is_busy = true;
        }
        is_busy
    }

    /// A message of ICMP about a connection: only those that are being made are given up for it (RFC 5461).
    fn hear_of_connection(&mut self, report: &Report) {
        if report.protocol == protocol::TCP && report.errno as i32 != libc::EMSGSIZE {
            let (local, remote) = (report.local, report.remote);
            let is_it = |ours, theirs| (ours, theirs) == (local, remote);
            self.connections.fail_connecting(is_it, report.errno as i32, &mut self.sockets, &mut self.out);
        }
    }

    /// Neighbours that do not answer: what goes through them fails.
    fn hear_silence(&mut self, now: Instant) {
        for ip in self.card.neighbours.take_silent(now) {
            let routes = self.addresses.routes(&mut self.interface);
            let goes_through = |to: std::net::IpAddr| {
                let best = routes.iter().filter(|it| it.leads_to(to)).max_by_key(|it| it.prefix);
                best.and_then(|it| it.gateway).unwrap_or(to) == ip
            };
            self.connections.fail_connecting(|_, remote| goes_through(remote.ip()), libc::EHOSTUNREACH, &mut self.sockets, &mut self.out);
            self.datagrams.fail(goes_through, &mut self.sockets, &mut self.out);
        }
    }

    fn look_for_changes(&mut self, now: Instant) {
        let slaac_at = self.interface.slaac_updated_at();
        let mut has_changed = core::mem::take(&mut self.has_changed);
        has_changed |= core::mem::replace(&mut self.slaac_at, slaac_at) != slaac_at;
        has_changed |= self.addresses.take_change();
        has_changed |= self.card.neighbours.take_change();
        has_changed |= self.counters != self.told && now - self.told_at >= TELL_COUNTERS;
        if has_changed {
            self.told_at = now;
            self.tell_configuration();
        }
    }

    fn tell_configuration(&mut self) {
        self.told = self.counters;
        let configuration = Configuration {
            name: self.name.clone(),
            mac: self.hardware.mac,
            mtu: self.hardware.mtu,
            is_up: self.card.is_up,
            has_carrier: self.hardware.has_carrier,
            counters: self.counters,
            addresses: self.addresses.list(&self.interface),
            routes: self.addresses.routes(&mut self.interface),
            neighbours: self.card.neighbours.list(),
        };
        ToKernel::Configuration(configuration).encode(0, &mut self.out);
    }

    /// When there is something to do without anything coming in; none where never.
    pub fn delay(&mut self, now: Instant) -> Option<Duration> {
        let protocols = self.interface.poll_at(now, &self.sockets);
        let neighbours = self.card.neighbours.deadline();
        let counters = (self.counters != self.told).then_some(self.told_at + TELL_COUNTERS);
        let next = [protocols, neighbours, counters].into_iter().flatten().min()?;
        Some(if next > now { next - now } else { Duration::ZERO })
    }
}
