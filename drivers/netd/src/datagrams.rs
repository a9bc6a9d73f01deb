//! Packets without connections: UDP and ICMP.
//!
//! What comes is caught for all sockets at once, after fragments were put together, and the kernel finds the receivers. What goes has a queue for each
//! of the kernel's sockets, so that one that waits for an absent neighbour holds up no other.

use net_abi::{Report, ToKernel, protocol};
use smoltcp::iface::{Interface, SocketHandle, SocketSet};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::socket::{raw, udp};
use smoltcp::wire::{
    IpAddress, IpProtocol, IpVersion, Icmpv6Packet, Ipv4Packet, Ipv4Repr, Ipv6Packet, Ipv6Repr, UdpPacket,
};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

/// The port that DHCP's answers come to.
const DHCP_CLIENT: u16 = 68;
/// Packets, and bytes of them, that wait to be read.
const CAUGHT: (usize, usize) = (512, 1 << 20);
/// Packets, and bytes of them, that a socket's queue holds.
const QUEUED: (usize, usize) = (64, 256 << 10);
/// Queues, at most; the one used longest ago goes.
const MOST_QUEUES: usize = 256;

enum Queue {
    Udp(SocketHandle),
    Raw(SocketHandle),
}

impl Queue {
    const fn handle(&self) -> SocketHandle {
        match self {
            Self::Udp(handle) | Self::Raw(handle) => *handle,
        }
    }
}

struct Sender {
    queue: Queue,
    used: u64,
    local: SocketAddr,
    remote: SocketAddr,
    protocol: u8,
}

/// Senders and receivers.
pub struct Datagrams {
    caught: [SocketHandle; 4],
    senders: HashMap<u64, Sender>,
    clock: u64,
}

fn raw_buffer((packets, bytes): (usize, usize)) -> raw::PacketBuffer<'static> {
    raw::PacketBuffer::new(vec![raw::PacketMetadata::EMPTY; packets], vec![0; bytes])
}

fn udp_buffer((packets, bytes): (usize, usize)) -> udp::PacketBuffer<'static> {
    udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; packets], vec![0; bytes])
}

/// A packet to be sent.
pub struct Outgoing<'a> {
    /// Its protocol.
    pub protocol: u8,
    /// Its hop limit.
    pub hop_limit: u8,
    /// Its sender.
    pub from: SocketAddr,
    /// Its receiver.
    pub to: SocketAddr,
    /// Its bytes.
    pub bytes: &'a [u8],
}

impl Datagrams {
    /// Catches packets from now on.
    pub fn new(sockets: &mut SocketSet<'_>) -> Self {
        let kinds = [
            (IpVersion::Ipv4, IpProtocol::Udp),
            (IpVersion::Ipv6, IpProtocol::Udp),
            (IpVersion::Ipv4, IpProtocol::Icmp),
            (IpVersion::Ipv6, IpProtocol::Icmpv6),
        ];
        let caught = kinds.map(|(version, protocol)| {
            sockets.add(raw::Socket::new(Some(version), Some(protocol), raw_buffer(CAUGHT), raw_buffer((0, 0))))
        });
        Self { caught, senders: HashMap::new(), clock: 0 }
    }

    /// Sends a packet of one of the kernel's sockets. One that there is no room for is lost.
    pub fn send(&mut self, id: u64, packet: &Outgoing<'_>, sockets: &mut SocketSet<'_>) {
        self.clock += 1;
        if !self.senders.contains_key(&id) {
            if self.senders.len() >= MOST_QUEUES
                && let Some(oldest) = self.senders.iter().min_by_key(|(_, it)| it.used).map(|(id, _)| *id)
            {
                self.forget(oldest, sockets);
            }
            let Some(queue) = new_queue(packet, sockets) else { return };
            let sender = Sender { queue, used: 0, local: packet.from, remote: packet.to, protocol: packet.protocol };
            self.senders.insert(id, sender);
        }
        let Some(sender) = self.senders.get_mut(&id) else { return };
        sender.used = self.clock;
        (sender.local, sender.remote) = (packet.from, packet.to);
        match sender.queue {
            Queue::Udp(handle) => {
                let socket = sockets.get_mut::<udp::Socket<'_>>(handle);
                socket.set_hop_limit(Some(packet.hop_limit.max(1)));
                let mut metadata = udp::UdpMetadata::from(smoltcp::wire::IpEndpoint::from(packet.to));
                metadata.local_address = Some(packet.from.ip().into());
                if let Err(error) = socket.send_slice(packet.bytes, metadata) {
                    tracing::debug!("a datagram to {} is lost: {error}", packet.to);
                }
            }
            Queue::Raw(handle) => {
                let bytes = with_header(packet);
                if let Err(error) = sockets.get_mut::<raw::Socket<'_>>(handle).send_slice(&bytes) {
                    tracing::debug!("a packet to {} is lost: {error}", packet.to);
                }
            }
        }
    }

    /// A socket sends no more: what it has queued is lost, as Linux does where the neighbour is not known yet.
    pub fn forget(&mut self, id: u64, sockets: &mut SocketSet<'_>) {
        if let Some(sender) = self.senders.remove(&id) {
            sockets.remove(sender.queue.handle());
        }
    }

    /// A neighbour is not there: whoever sends through it hears of that.
    pub fn fail(&mut self, goes_through: impl Fn(IpAddr) -> bool, sockets: &mut SocketSet<'_>, out: &mut Vec<u8>) {
        let is_stuck = |sender: &Sender| match sender.queue {
            Queue::Udp(handle) => sockets.get::<udp::Socket<'_>>(handle).send_queue() > 0,
            Queue::Raw(handle) => sockets.get::<raw::Socket<'_>>(handle).send_queue() > 0,
        };
        let stuck: Vec<u64> = self.senders.iter().filter(|(_, it)| goes_through(it.remote.ip()) && is_stuck(it)).map(|(id, _)| *id).collect();
        for id in stuck {
            if let Some(sender) = self.senders.get(&id) {
                let report = Report {
                    protocol: sender.protocol,
                    local: sender.local,
                    remote: sender.remote,
                    offender: sender.local.ip(),
                    errno: libc::EHOSTUNREACH as u32,
                    kind: 0,
                    code: 0,
                    info: 0,
                };
                ToKernel::Report(report).encode(0, out);
            }
            self.forget(id, sockets);
        }
    }

    /// Gives the kernel what has come; what was said of connections goes to `heard`.
    pub fn pump(&mut self, interface: &Interface, sockets: &mut SocketSet<'_>, out: &mut Vec<u8>, heard: &mut Vec<Report>) {
        for handle in self.caught {
            while let Ok(packet) = sockets.get_mut::<raw::Socket<'_>>(handle).recv() {
                if let Some(packet) = parse(packet).filter(|it| is_for_us(interface, it.to)) {
                    take(&packet, out, heard);
                }
            }
        }
    }
}

fn new_queue(packet: &Outgoing<'_>, sockets: &mut SocketSet<'_>) -> Option<Queue> {
    if packet.protocol == protocol::UDP {
        let mut socket = udp::Socket::new(udp_buffer((0, 0)), udp_buffer(QUEUED));
        socket.bind(packet.from.port()).ok()?;
        return Some(Queue::Udp(sockets.add(socket)));
    }
    let version = if packet.to.is_ipv4() { IpVersion::Ipv4 } else { IpVersion::Ipv6 };
    let socket = raw::Socket::new(Some(version), Some(IpProtocol::from(packet.protocol)), raw_buffer((0, 0)), raw_buffer(QUEUED));
    Some(Queue::Raw(sockets.add(socket)))
}

/// A packet with its IP header, and ICMPv6's checksum, which covers addresses that programs do not know.
fn with_header(packet: &Outgoing<'_>) -> Vec<u8> {
    let next_header = IpProtocol::from(packet.protocol);
    let (payload_len, hop_limit) = (packet.bytes.len(), packet.hop_limit.max(1));
    match (packet.from.ip(), packet.to.ip()) {
        (IpAddr::V4(src_addr), IpAddr::V4(dst_addr)) => {
            let header = Ipv4Repr { src_addr, dst_addr, next_header, payload_len, hop_limit };
            let mut bytes = vec![0; header.buffer_len() + payload_len];
            header.emit(&mut Ipv4Packet::new_unchecked(&mut bytes), &ChecksumCapabilities::default());
            bytes[header.buffer_len()..].copy_from_slice(packet.bytes);
            bytes
        }
        (IpAddr::V6(src_addr), IpAddr::V6(dst_addr)) => {
            let header = Ipv6Repr { src_addr, dst_addr, next_header, payload_len, hop_limit };
            let mut bytes = vec![0; header.buffer_len() + payload_len];
            header.emit(&mut Ipv6Packet::new_unchecked(&mut bytes));
            bytes[header.buffer_len()..].copy_from_slice(packet.bytes);
            if packet.protocol == protocol::ICMP_V6 && payload_len >= 4 {
                Icmpv6Packet::new_unchecked(&mut bytes[header.buffer_len()..]).fill_checksum(&src_addr, &dst_addr);
            }
            bytes
        }
        _ => Vec::new(),
    }
}

struct Packet<'a> {
    protocol: u8,
    hop_limit: u8,
    from: IpAddr,
    to: IpAddr,
    bytes: &'a [u8],
}

fn parse(packet: &[u8]) -> Option<Packet<'_>> {
    match IpVersion::of_packet(packet).ok()? {
        IpVersion::Ipv4 => {
            let it = Ipv4Packet::new_checked(packet).ok()?;
            let (from, to, protocol, hop_limit) = (it.src_addr().into(), it.dst_addr().into(), it.next_header().into(), it.hop_limit());
            Some(Packet { protocol, hop_limit, from, to, bytes: it.payload() })
        }
        IpVersion::Ipv6 => {
            let it = Ipv6Packet::new_checked(packet).ok()?;
            let (from, to, protocol, hop_limit) = (it.src_addr().into(), it.dst_addr().into(), it.next_header().into(), it.hop_limit());
            Some(Packet { protocol, hop_limit, from, to, bytes: it.payload() })
        }
    }
}

fn is_for_us(interface: &Interface, to: IpAddr) -> bool {
    let is_broadcast = |to| interface.ip_addrs().iter().any(|own| matches!(own, smoltcp::wire::IpCidr::Ipv4(own) if own.broadcast() == Some(to)));
    match to {
        IpAddr::V4(ip) if ip.is_broadcast() || is_broadcast(ip) => true,
        ip if ip.is_multicast() => interface.has_multicast_group(IpAddress::from(ip)),
        ip => interface.has_ip_addr(IpAddress::from(ip)),
    }
}

fn take(packet: &Packet<'_>, out: &mut Vec<u8>, heard: &mut Vec<Report>) {
    let Packet { protocol, hop_limit, from, to, bytes } = *packet;
    if protocol == protocol::UDP {
        let Ok(datagram) = UdpPacket::new_checked(bytes) else { return };
        let is_good = datagram.verify_checksum(&from.into(), &to.into());
        if !is_good || datagram.dst_port() == DHCP_CLIENT {
            return;
        }
        let (from, to) = (SocketAddr::new(from, datagram.src_port()), SocketAddr::new(to, datagram.dst_port()));
        ToKernel::Datagram { protocol, hop_limit, from, to, bytes: datagram.payload() }.encode(0, out);
        return;
    }
    if let Some(report) = reported(packet) {
        if report.protocol == protocol::TCP {
            heard.push(report);
        } else {
            ToKernel::Report(report).encode(0, out);
        }
    }
    // Neighbour discovery is the stack's own affair.
    let is_discovery = protocol == protocol::ICMP_V6 && bytes.first().is_some_and(|kind| (133..=137).contains(kind));
    if !is_discovery {
        ToKernel::Datagram { protocol, hop_limit, from: SocketAddr::new(from, 0), to: SocketAddr::new(to, 0), bytes }.encode(0, out);
    }
}

/// What an ICMP message says of a packet of ours (RFC 792, RFC 4443), with Linux's error numbers.
fn reported(message: &Packet<'_>) -> Option<Report> {
    const HEADER: usize = 8;
    let (header, quoted) = message.bytes.split_at_checked(HEADER)?;
    let (kind, code) = (header[0], header[1]);
    let errno = match (message.protocol, kind, code) {
        (protocol::ICMP, 3, 0 | 6 | 9) => libc::ENETUNREACH,
        (protocol::ICMP, 3, 2) => libc::ENOPROTOOPT,
        (protocol::ICMP, 3, 3) => libc::ECONNREFUSED,
        (protocol::ICMP, 3, 4) => libc::EMSGSIZE,
        (protocol::ICMP, 3, 5) => libc::EOPNOTSUPP,
        (protocol::ICMP, 3 | 11, _) => libc::EHOSTUNREACH,
        (protocol::ICMP, 12, _) => libc::EPROTO,
        (protocol::ICMP_V6, 1, 0) => libc::ENETUNREACH,
        (protocol::ICMP_V6, 1, 1 | 5 | 6) => libc::EACCES,
        (protocol::ICMP_V6, 1, 4) => libc::ECONNREFUSED,
        (protocol::ICMP_V6, 1 | 3, _) => libc::EHOSTUNREACH,
        (protocol::ICMP_V6, 2, _) => libc::EMSGSIZE,
        (protocol::ICMP_V6, 4, _) => libc::EPROTO,
        _ => return None,
    };
    // The quoted packet is cut off, so its lengths are not those of what is there.
    let (protocol, from, to, rest): (u8, IpAddr, IpAddr, &[u8]) = if message.protocol == protocol::ICMP {
        let it = Ipv4Packet::new_unchecked(quoted);
        let len = usize::from(quoted.first()? & 0xf) * 4;
        if len < 20 || quoted.len() < len + 8 {
            return None;
        }
        (it.next_header().into(), it.src_addr().into(), it.dst_addr().into(), &quoted[len..])
    } else {
        if quoted.len() < 48 {
            return None;
        }
        let it = Ipv6Packet::new_unchecked(quoted);
        (it.next_header().into(), it.src_addr().into(), it.dst_addr().into(), &quoted[40..])
    };
    let word = |at: usize| u16::from_be_bytes([rest[at], rest[at + 1]]);
    let (local, remote) = match protocol {
        protocol::UDP | protocol::TCP => (word(0), word(2)),
        protocol::ICMP | protocol::ICMP_V6 => (word(4), 0),
        _ => return None,
    };
    let info = if errno == libc::EMSGSIZE { u32::from_be_bytes([header[4], header[5], header[6], header[7]]) } else { 0 };
    Some(Report {
        protocol,
        local: SocketAddr::new(from, local),
        remote: SocketAddr::new(to, remote),
        offender: message.from,
        errno: errno as u32,
        kind,
        code,
        info,
    })
}

/// The message that a datagram came to a port where nobody is (RFC 792, RFC 4443). The datagram's bytes are not there any more; its header says enough.
pub fn unreachable(from: SocketAddr, to: SocketAddr, len: u16) -> Option<(u8, Vec<u8>)> {
    if to.ip().is_multicast() || from.ip().is_unspecified() || from.ip().is_multicast() {
        return None;
    }
    let mut quoted = vec![0; 8];
    quoted[..2].copy_from_slice(&from.port().to_be_bytes());
    quoted[2..4].copy_from_slice(&to.port().to_be_bytes());
    quoted[4..6].copy_from_slice(&len.saturating_add(8).to_be_bytes());
    let inner = Outgoing { protocol: protocol::UDP, hop_limit: 64, from, to, bytes: &quoted };
    let (kind, code, number) = if from.is_ipv4() { (3, 3, protocol::ICMP) } else { (1, 4, protocol::ICMP_V6) };
    let mut message = vec![kind, code, 0, 0, 0, 0, 0, 0];
    message.extend_from_slice(&with_header(&inner));
    if number == protocol::ICMP {
        smoltcp::wire::Icmpv4Packet::new_unchecked(&mut message).fill_checksum();
    }
    Some((number, message))
}
