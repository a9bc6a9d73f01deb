//! What must be known of a frame before the protocols see it: they tell neither for whom a new connection is, nor that one was reset.

use smoltcp::wire::{EthernetFrame, EthernetProtocol, IpProtocol, Ipv4Packet, Ipv6Packet, TcpPacket};
use std::net::{IpAddr, SocketAddr};

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inspected {
    /// A request for a connection from one address to another.
    Syn(SocketAddr, SocketAddr),
    /// A reset of the connection from one address to another.
    Reset(SocketAddr, SocketAddr),
    /// Another segment of one.
    Segment(SocketAddr, SocketAddr),
    /// Anything else.
    Other,
}

/// Looks at a frame.
pub fn frame(frame: &[u8]) -> Inspected {
    look(frame).unwrap_or(Inspected::Other)
}

fn look(frame: &[u8]) -> Option<Inspected> {
    let frame = EthernetFrame::new_checked(frame).ok()?;
    match frame.ethertype() {
        EthernetProtocol::Ipv4 => {
            let packet = Ipv4Packet::new_checked(frame.payload()).ok()?;
            if packet.next_header() != IpProtocol::Tcp || packet.frag_offset() != 0 {
                return None;
            }
            segment(packet.src_addr().into(), packet.dst_addr().into(), packet.payload())
        }
        EthernetProtocol::Ipv6 => {
            let packet = Ipv6Packet::new_checked(frame.payload()).ok()?;
            if packet.next_header() != IpProtocol::Tcp {
                return None;
            }
            segment(packet.src_addr().into(), packet.dst_addr().into(), packet.payload())
        }
        _ => None,
    }
}

fn segment(from: IpAddr, to: IpAddr, bytes: &[u8]) -> Option<Inspected> {
    let segment = TcpPacket::new_checked(bytes).ok()?;
    let (from, to) = (SocketAddr::new(from, segment.src_port()), SocketAddr::new(to, segment.dst_port()));
    Some(match (segment.syn(), segment.ack(), segment.rst()) {
        (true, false, false) => Inspected::Syn(from, to),
        (_, _, true) => Inspected::Reset(from, to),
        _ => Inspected::Segment(from, to),
    })
}
