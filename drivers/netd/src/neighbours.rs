//! Who is on the link, as ARP and neighbour discovery say: the protocols keep that to themselves.

use smoltcp::time::{Duration, Instant};
use smoltcp::wire::{
    ArpOperation, ArpPacket, ArpRepr, EthernetFrame, EthernetProtocol, Icmpv6Message, Icmpv6Packet, IpProtocol, Ipv6Packet, NdiscNeighborFlags,
};
use std::collections::HashMap;
use std::net::IpAddr;

/// A neighbour that has not answered for so long is not there (as Linux: three questions, a second each).
pub const LIMIT: Duration = Duration::from_secs(3);
/// Entries, at most.
const MOST: usize = 256;

#[derive(Clone, Copy, Debug)]
struct Entry {
    mac: Option<[u8; 6]>,
    /// When it was heard of, or first asked for.
    at: Instant,
}

/// The neighbours.
#[derive(Default)]
pub struct Neighbours {
    entries: HashMap<IpAddr, Entry>,
    has_changed: bool,
}

impl Neighbours {
    /// All of them.
    pub fn list(&self) -> Vec<net_abi::Neighbour> {
        let mut list: Vec<_> = self.entries.iter().map(|(ip, entry)| net_abi::Neighbour { ip: *ip, mac: entry.mac }).collect();
        list.sort_by_key(|it| it.ip);
        list
    }

    /// Whether something has changed since the last time.
    pub fn take_change(&mut self) -> bool {
        core::mem::take(&mut self.has_changed)
    }

    /// Those that have not answered in time. They are forgotten.
    pub fn take_silent(&mut self, now: Instant) -> Vec<IpAddr> {
        let is_silent = |entry: &Entry| entry.mac.is_none() && now - entry.at >= LIMIT;
        let silent: Vec<IpAddr> = self.entries.iter().filter(|(_, entry)| is_silent(entry)).map(|(ip, _)| *ip).collect();
        for ip in &silent {
            self.entries.remove(ip);
            self.has_changed = true;
        }
        silent
    }

    /// When the next one will have been silent for too long.
    pub fn deadline(&self) -> Option<Instant> {
        self.entries.values().filter(|entry| entry.mac.is_none()).map(|entry| entry.at + LIMIT).min()
    }

    fn learn(&mut self, ip: IpAddr, mac: [u8; 6], now: Instant) {
        if ip.is_unspecified() || ip.is_multicast() || self.entries.len() >= MOST && !self.entries.contains_key(&ip) {
            return;
        }
        let old = self.entries.insert(ip, Entry { mac: Some(mac), at: now });
        self.has_changed |= old.is_none_or(|old| old.mac != Some(mac));
    }

    /// Looks at a frame that has come.
    pub fn hear(&mut self, frame: &[u8], now: Instant) {
        let Ok(frame) = EthernetFrame::new_checked(frame) else { return };
        match frame.ethertype() {
            EthernetProtocol::Arp => {
                let Ok(packet) = ArpPacket::new_checked(frame.payload()) else { return };
                if let Ok(ArpRepr::EthernetIpv4 { source_hardware_addr, source_protocol_addr, operation, .. }) = ArpRepr::parse(&packet) {
                    // Only who was asked for, or asks for somebody while known, is worth an entry.
                    let ip = IpAddr::V4(source_protocol_addr);
                    if operation == ArpOperation::Reply || self.entries.contains_key(&ip) {
                        self.learn(ip, source_hardware_addr.0, now);
                    }
                }
            }
            EthernetProtocol::Ipv6 => {
                let Ok(packet) = Ipv6Packet::new_checked(frame.payload()) else { return };
                if packet.next_header() != IpProtocol::Icmpv6 {
                    return;
                }
                let Ok(message) = Icmpv6Packet::new_checked(packet.payload()) else { return };
                if message.msg_type() == Icmpv6Message::NeighborAdvert && message.neighbor_flags().contains(NdiscNeighborFlags::SOLICITED) {
                    let target = message.target_addr();
                    self.learn(IpAddr::V6(target), frame.src_addr().0, now);
                }
            }
            _ => {}
        }
    }

    /// Looks at a frame that is sent.
    pub fn ask(&mut self, frame: &[u8], now: Instant) {
        let Ok(frame) = EthernetFrame::new_checked(frame) else { return };
        let asked = match frame.ethertype() {
            EthernetProtocol::Arp => match ArpPacket::new_checked(frame.payload()).map(|packet| ArpRepr::parse(&packet)) {
                Ok(Ok(ArpRepr::EthernetIpv4 { operation: ArpOperation::Request, target_protocol_addr, .. })) => IpAddr::V4(target_protocol_addr),
                _ => return,
            },
            EthernetProtocol::Ipv6 => {
                let Ok(packet) = Ipv6Packet::new_checked(frame.payload()) else { return };
                if packet.next_header() != IpProtocol::Icmpv6 {
                    return;
                }
                match Icmpv6Packet::new_checked(packet.payload()) {
                    Ok(message) if message.msg_type() == Icmpv6Message::NeighborSolicit => IpAddr::V6(message.target_addr()),
                    _ => return,
                }
            }
            _ => return,
        };
        if self.entries.len() < MOST && !self.entries.contains_key(&asked) {
            self.entries.insert(asked, Entry { mac: None, at: now });
            self.has_changed = true;
        }
    }
}
