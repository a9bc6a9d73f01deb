//! Connections that have ended and whose last segments may still come (RFC 9293, TIME-WAIT).
//!
//! The protocol's own sockets are too large to be kept for that, and each costs time whenever anything is sent. What is left to do for such a connection is to
//! acknowledge again what the peer sends again, for which its segment says enough.

use smoltcp::phy::ChecksumCapabilities;
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::{
    EthernetFrame, EthernetProtocol, EthernetRepr, IpAddress, IpProtocol, Ipv4Packet, Ipv4Repr, Ipv6Packet, Ipv6Repr, TcpControl, TcpPacket, TcpRepr,
    TcpSeqNumber,
};
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;

/// How long one is remembered (as Linux).
const TIME: Duration = Duration::from_secs(60);
/// How many are, at most.
const MOST: usize = 4096;
/// Bytes of an Ethernet header.
const ETHERNET: usize = 14;

/// Our address, and the peer's.
type Pair = (SocketAddr, SocketAddr);

/// The ended connections.
#[derive(Default)]
pub struct Ended {
    until: HashMap<Pair, Instant>,
    order: VecDeque<(Pair, Instant)>,
}

impl Ended {
    /// Remembers one.
    pub fn add(&mut self, pair: Pair, now: Instant) {
        while let Some((oldest, until)) = self.order.front().copied()
            && (until <= now || self.order.len() >= MOST)
        {
            self.order.pop_front();
            // It may have been remembered again since.
            if self.until.get(&oldest) == Some(&until) {
                self.until.remove(&oldest);
            }
        }
        self.until.insert(pair, now + TIME);
        self.order.push_back((pair, now + TIME));
    }

    /// Whether it has ended a short time ago.
    pub fn holds(&self, pair: Pair, now: Instant) -> bool {
        self.until.get(&pair).is_some_and(|until| *until > now)
    }

    /// A new connection takes its place, or the peer knows nothing of it.
    pub fn forget(&mut self, pair: Pair) {
        self.until.remove(&pair);
    }
}

/// The acknowledgement of a segment in a frame, as a frame. `None` where it asks for none.
pub fn acknowledge(frame: &[u8]) -> Option<Vec<u8>> {
    let frame = EthernetFrame::new_checked(frame).ok()?;
    let ethernet = EthernetRepr { src_addr: frame.dst_addr(), dst_addr: frame.src_addr(), ethertype: frame.ethertype() };
    let checks = ChecksumCapabilities::default();
    let (src_addr, dst_addr, bytes): (IpAddress, IpAddress, &[u8]) = match frame.ethertype() {
        EthernetProtocol::Ipv4 => {
            let packet = Ipv4Packet::new_checked(frame.payload()).ok()?;
            (packet.dst_addr().into(), packet.src_addr().into(), packet.payload())
        }
        EthernetProtocol::Ipv6 => {
            let packet = Ipv6Packet::new_checked(frame.payload()).ok()?;
            (packet.dst_addr().into(), packet.src_addr().into(), packet.payload())
        }
        _ => return None,
    };
    let segment = TcpPacket::new_checked(bytes).ok()?;
    let segment = TcpRepr::parse(&segment, &dst_addr, &src_addr, &checks).ok()?;
    // A mere acknowledgement is not acknowledged.
    if segment.segment_len() == 0 || segment.control == TcpControl::Rst {
        return None;
    }
    let answer = TcpRepr {
        src_port: segment.dst_port,
        dst_port: segment.src_port,
        control: TcpControl::None,
        seq_number: segment.ack_number.unwrap_or(TcpSeqNumber(0)),
        ack_number: Some(segment.seq_number + segment.segment_len()),
        window_len: u16::MAX,
        window_scale: None,
        max_seg_size: None,
        sack_permitted: false,
        sack_ranges: [None, None, None],
        timestamp: None,
        payload: &[],
    };
    let payload_len = answer.buffer_len();
    let header_len = if matches!(src_addr, IpAddress::Ipv4(_)) { 20 } else { 40 };
    let mut out = vec![0; ETHERNET + header_len + payload_len];
    ethernet.emit(&mut EthernetFrame::new_unchecked(&mut out));
    let ip = &mut out[ETHERNET..];
    match (src_addr, dst_addr) {
        (IpAddress::Ipv4(src_addr), IpAddress::Ipv4(dst_addr)) => {
            let header = Ipv4Repr { src_addr, dst_addr, next_header: IpProtocol::Tcp, payload_len, hop_limit: 64 };
            header.emit(&mut Ipv4Packet::new_unchecked(&mut *ip), &checks);
        }
        (IpAddress::Ipv6(src_addr), IpAddress::Ipv6(dst_addr)) => {
            let header = Ipv6Repr { src_addr, dst_addr, next_header: IpProtocol::Tcp, payload_len, hop_limit: 64 };
            header.emit(&mut Ipv6Packet::new_unchecked(&mut *ip));
        }
        _ => return None,
    }
    answer.emit(&mut TcpPacket::new_unchecked(&mut ip[header_len..]), &src_addr, &dst_addr, &checks);
    Some(out)
}
