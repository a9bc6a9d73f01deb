//! Raw sockets of other protocols than ICMP's (`raw(7)`): what is sent with a header of the program's, or is for protocols that are not the socket's.
//!
//! Such a socket sees the packets of its protocol in the frames that go by, as packet sockets do; so frames are looked at while there is one.

use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use net_abi::protocol;

use super::{Extras, Family, Kind, Socket, address, options, outside, ports, shown};
use crate::error::*;
use crate::ipc::network::NetNamespace;

/// `IPPROTO_RAW`: a socket that only sends, with headers of the program's.
pub const RAW: u8 = 255;
/// Bytes of the headers of IPv4, IPv6, UDP and Ethernet.
const V4: usize = 20;
const V6: usize = 40;
const UDP: usize = 8;
const ETHERNET: usize = 14;

/// Whether a protocol is one of those whose raw sockets ping and traceroute use.
pub fn is_icmp(number: u8) -> bool {
    matches!(number, protocol::ICMP | protocol::ICMP_V6)
}

/// Whether a socket receives by what is seen of frames.
pub fn sees_frames(socket: &Socket) -> bool {
    socket.kind == Kind::Raw && !is_icmp(socket.protocol) && socket.protocol != RAW
}

/// A packet as a program made it: protocol, hop limit, sender where it names one, and what is behind the header.
fn taken_apart(packet: &[u8]) -> Result<(u8, u8, Option<IpAddr>, &[u8])> {
    let header = packet.first_chunk::<V4>().ok_or(EINVAL)?;
    let len = usize::from(header[0] & 0xf) * 4;
    let rest = if len < V4 { None } else { packet.get(len..) };
    let from = IpAddr::from([header[12], header[13], header[14], header[15]]);
    Ok((header[9], header[8], Some(from).filter(|it| !it.is_unspecified()), rest.ok_or(EINVAL)?))
}

impl Socket {
    /// Sends a packet. Of a header that the program made the addresses, the protocol and the hop limit count.
    pub(super) fn send_raw(&self, data: &[u8], from: SocketAddr, to: SocketAddr, extras: &Extras) -> Result<usize> {
        let has_header = self.family == Family::V4 && self.word(options::HEADER_INCLUDED).is_ok_and(|on| on != 0);
        let usual = extras.hop_limit.unwrap_or_else(|| self.hop_limit());
        let (number, hop_limit, sender, bytes) = if has_header { taken_apart(data)? } else { (self.protocol, usual, None, data) };
        let (mut from, mut to) = (SocketAddr::new(sender.unwrap_or(from.ip()), 0), SocketAddr::new(to.ip(), 0));
        let mut payload = bytes;
        if let (protocol::UDP | protocol::TCP, Some([a, b, c, d])) = (number, bytes.first_chunk()) {
            from.set_port(u16::from_be_bytes([*a, *b]));
            to.set_port(u16::from_be_bytes([*c, *d]));
        }
        if number == protocol::UDP {
            // Without a whole header it is for nobody.
            let Some(behind) = bytes.get(UDP..) else { return Ok(data.len()) };
            payload = behind;
        }
        if address::is_local(&self.net, to.ip()) {
            match number {
                protocol::TCP => {
                    let is_open = ports::find(self.net.ino, Kind::Stream, from, to).is_some_and(|it| it.is_listening());
                    shown::segment(&self.net, hop_limit, from, to, bytes, is_open);
                }
                _ => {
                    shown::datagram(&self.net, number, hop_limit, from, to, payload);
                    if number == protocol::UDP && ports::find(self.net.ino, Kind::Datagram, from, to).is_none() {
                        shown::unreachable(&self.net, from, to, payload);
                    } else if number == protocol::UDP || is_icmp(number) {
                        outside::deliver_datagram(self.net.ino, number, hop_limit, from, to, payload);
                    }
                    if let Some(answer) = super::icmp::answer(number, payload).filter(|_| is_icmp(number)) {
                        shown::datagram(&self.net, number, 64, to, from, &answer);
                        outside::deliver_datagram(self.net.ino, number, 64, to, from, &answer);
                    }
                }
            }
        } else if self.net.is_first() {
            // The stack has a queue for each protocol, and each port of UDP.
            let queue = u64::from(number) << 16 | if number == protocol::UDP { u64::from(from.port()) } else { 0 };
            outside::send_packet(self.id | queue << 38, number, hop_limit, from, to, payload);
        }
        Ok(data.len())
    }
}

/// A frame has come: what is in it is for the raw sockets of its protocol.
pub fn take_frame(net: &NetNamespace, frame: &[u8]) {
    let Some((header, packet)) = frame.split_first_chunk::<ETHERNET>() else { return };
    let parsed = match [header[12], header[13]] {
        [8, 0] => v4(packet),
        [0x86, 0xdd] => v6(packet),
        _ => None,
    };
    let Some((number, hop_limit, from, to, bytes)) = parsed else { return };
    if is_icmp(number) || !(address::is_local(net, to) || to.is_multicast()) {
        return;
    }
    let receivers: Vec<_> = super::all().into_iter().filter(|it| it.net.ino == net.ino && it.kind == Kind::Raw && (it.family == Family::V4) == from.is_ipv4() && it.wants_raw(number, from, to)).collect();
    for receiver in &receivers {
        outside::push_datagram(receiver, SocketAddr::new(from, 0), SocketAddr::new(to, 0), hop_limit, bytes.to_vec());
    }
}

type Parsed<'a> = (u8, u8, IpAddr, IpAddr, &'a [u8]);

/// With its header, as raw sockets of IPv4 read it.
fn v4(packet: &[u8]) -> Option<Parsed<'_>> {
    let it = packet.first_chunk::<V4>()?;
    let len = usize::from(u16::from_be_bytes([it[2], it[3]]));
    let ip = |at: usize| IpAddr::from([it[at], it[at + 1], it[at + 2], it[at + 3]]);
    Some((it[9], it[8], ip(12), ip(16), packet.get(..len)?))
}

fn v6(packet: &[u8]) -> Option<Parsed<'_>> {
    let it = packet.first_chunk::<V6>()?;
    let len = usize::from(u16::from_be_bytes([it[4], it[5]]));
    let ip = |bytes: &[u8]| bytes.first_chunk::<16>().map(|bytes| IpAddr::from(*bytes));
    Some((it[6], it[7], ip(&it[8..])?, ip(&it[24..])?, packet.get(V6..V6 + len)?))
}
