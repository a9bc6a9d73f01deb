//! What an interface is, and has.

use crate::Malformed;
use crate::wire::{Reader, get_ip, get_u8, put_ip};
use alloc::vec::Vec;
use core::net::IpAddr;

/// Most entries of a list.
const MOST: usize = 1024;

/// An address of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// The address.
    pub ip: IpAddr,
    /// Bits of its network.
    pub prefix: u8,
    /// Seconds for which it is leased; `u32::MAX` for ever.
    pub lifetime_s: u32,
}

/// A route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// Where it leads.
    pub to: IpAddr,
    /// Bits of that which count.
    pub prefix: u8,
    /// The router; none where the network is on the link.
    pub gateway: Option<IpAddr>,
    /// Who made it (`RTPROT_*`: 2 the kernel, 3 boot, 4 an administrator, 9 a router's advertisement, 16 DHCP).
    pub origin: u8,
}

/// A neighbour on the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// Its address.
    pub ip: IpAddr,
    /// Its hardware address, where it is known.
    pub mac: Option<[u8; 6]>,
}

/// Counters of frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames received.
    pub received_packets: u64,
    /// Their bytes.
    pub received_bytes: u64,
    /// Frames that nobody took.
    pub received_dropped: u64,
    /// Frames sent.
    pub sent_packets: u64,
    /// Their bytes.
    pub sent_bytes: u64,
    /// Frames that could not be sent.
    pub sent_errors: u64,
}

/// An interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    /// Its name, of at most 15 bytes.
    pub name: Vec<u8>,
    /// Its hardware address.
    pub mac: [u8; 6],
    /// Greatest packet.
    pub mtu: u32,
    /// Switched on.
    pub is_up: bool,
    /// A cable is plugged in.
    pub has_carrier: bool,
    /// Its counters.
    pub counters: Counters,
    /// Its addresses.
    pub addresses: Vec<Address>,
    /// The routes through it.
    pub routes: Vec<Route>,
    /// Whom it knows on its link.
    pub neighbours: Vec<Neighbour>,
}

impl Route {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        put_ip(out, self.to);
        out.extend_from_slice(&[self.prefix, self.origin, u8::from(self.gateway.is_some())]);
        put_ip(out, self.gateway.unwrap_or(self.to));
    }

    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let to = get_ip(reader)?;
        let (prefix, origin, has_gateway) = (get_u8(reader)?, get_u8(reader)?, get_u8(reader)?);
        let gateway = get_ip(reader)?;
        Ok(Self { to, prefix, origin, gateway: (has_gateway != 0).then_some(gateway) })
    }

    /// Whether it leads to an address.
    pub fn leads_to(&self, ip: IpAddr) -> bool {
        is_within(ip, self.to, self.prefix)
    }
}

impl Address {
    /// Whether an address is on the same link by this one's prefix.
    pub fn is_neighbour(&self, ip: IpAddr) -> bool {
        is_within(ip, self.ip, self.prefix)
    }
}

/// Whether the first `prefix` bits of two addresses of one family are the same.
fn is_within(ip: IpAddr, network: IpAddr, prefix: u8) -> bool {
    let shift = |bits: u32| bits.checked_sub(u32::from(prefix));
    match (ip, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => shift(32).is_some_and(|n| u64::from(a.to_bits() ^ b.to_bits()) >> n == 0),
        (IpAddr::V6(a), IpAddr::V6(b)) => shift(128).is_some_and(|n| (a.to_bits() ^ b.to_bits()).checked_shr(n).unwrap_or(0) == 0),
        _ => false,
    }
}

fn put_list<T>(out: &mut Vec<u8>, list: &[T], one: impl Fn(&T, &mut Vec<u8>)) {
    let list = &list[..list.len().min(MOST)];
    out.extend_from_slice(&(list.len() as u32).to_le_bytes());
    list.iter().for_each(|it| one(it, out));
}

fn get_list<'a, T>(reader: &mut Reader<'a>, one: impl Fn(&mut Reader<'a>) -> Result<T, Malformed>) -> Result<Vec<T>, Malformed> {
    let len = reader.u32()? as usize;
    if len > MOST {
        return Err(Malformed);
    }
    (0..len).map(|_| one(reader)).collect()
}

impl Configuration {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let name = &self.name[..self.name.len().min(15)];
        out.push(name.len() as u8);
        out.extend_from_slice(name);
        out.extend_from_slice(&self.mac);
        out.extend_from_slice(&self.mtu.to_le_bytes());
        out.extend_from_slice(&[u8::from(self.is_up), u8::from(self.has_carrier)]);
        let it = &self.counters;
        for word in [it.received_packets, it.received_bytes, it.received_dropped, it.sent_packets, it.sent_bytes, it.sent_errors] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        put_list(out, &self.addresses, |it, out| {
            put_ip(out, it.ip);
            out.push(it.prefix);
            out.extend_from_slice(&it.lifetime_s.to_le_bytes());
        });
        put_list(out, &self.routes, Route::encode);
        put_list(out, &self.neighbours, |it, out| {
            put_ip(out, it.ip);
            out.push(u8::from(it.mac.is_some()));
            out.extend_from_slice(&it.mac.unwrap_or_default());
        });
    }

    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let len = get_u8(reader)?;
        if len > 15 {
            return Err(Malformed);
        }
        let name = reader.bytes(len.into())?.to_vec();
        let (mac, mtu) = (reader.array()?, reader.u32()?);
        let (is_up, has_carrier) = (get_u8(reader)? != 0, get_u8(reader)? != 0);
        let counters = Counters {
            received_packets: reader.u64()?,
            received_bytes: reader.u64()?,
            received_dropped: reader.u64()?,
            sent_packets: reader.u64()?,
            sent_bytes: reader.u64()?,
            sent_errors: reader.u64()?,
        };
        let addresses = get_list(reader, |reader| Ok(Address { ip: get_ip(reader)?, prefix: get_u8(reader)?, lifetime_s: reader.u32()? }))?;
        let routes = get_list(reader, Route::decode)?;
        let neighbours = get_list(reader, |reader| {
            let (ip, is_known, mac) = (get_ip(reader)?, get_u8(reader)? != 0, reader.array()?);
            Ok(Neighbour { ip, mac: is_known.then_some(mac) })
        })?;
        Ok(Self { name, mac, mtu, is_up, has_carrier, counters, addresses, routes, neighbours })
    }

    /// Whether an address is the interface's own.
    pub fn has(&self, ip: IpAddr) -> bool {
        self.addresses.iter().any(|it| it.ip == ip)
    }

    /// The route to an address: the one that names it most exactly.
    pub fn route(&self, to: IpAddr) -> Option<&Route> {
        if !self.is_up {
            return None;
        }
        self.routes.iter().filter(|it| it.leads_to(to)).max_by_key(|it| it.prefix)
    }

    /// The own address that packets to another one come from: one of the network of the next hop, else one that is good beyond the link.
    pub fn source(&self, to: IpAddr) -> Option<IpAddr> {
        let next = self.route(to).and_then(|route| route.gateway).unwrap_or(to);
        let of_family = || self.addresses.iter().filter(|it| it.ip.is_ipv4() == to.is_ipv4());
        let is_local = |ip: IpAddr| matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
        let same_reach = || of_family().filter(|it| is_local(it.ip) == is_local(to));
        let near = same_reach().filter(|it| it.is_neighbour(next)).max_by_key(|it| it.prefix);
        near.or_else(|| same_reach().next()).or_else(|| of_family().next()).map(|it| it.ip)
    }

    /// Whether an address stands for all machines on the link.
    pub fn is_broadcast(&self, ip: IpAddr) -> bool {
        let IpAddr::V4(ip) = ip else { return false };
        ip.is_broadcast()
            || self.addresses.iter().any(|own| match own.ip {
                IpAddr::V4(mine) if own.prefix < 31 => {
                    let hosts = u32::MAX.checked_shr(own.prefix.into()).unwrap_or(0);
                    ip.to_bits() == mine.to_bits() | hosts
                }
                _ => false,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn example() -> Configuration {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let address = |text, prefix| Address { ip: ip(text), prefix, lifetime_s: u32::MAX };
        let route = |text, prefix, gateway: Option<&str>| Route { to: ip(text), prefix, gateway: gateway.map(ip), origin: 4 };
        Configuration {
            name: b"eth0".to_vec(),
            mtu: 1500,
            is_up: true,
            has_carrier: true,
            addresses: vec![address("10.0.2.15", 24), address("fe80::1", 64), address("fec0::5", 64)],
            routes: vec![route("10.0.2.0", 24, None), route("0.0.0.0", 0, Some("10.0.2.2")), route("fec0::", 64, None), route("::", 0, Some("fe80::2"))],
            neighbours: vec![Neighbour { ip: ip("10.0.2.2"), mac: Some([2; 6]) }, Neighbour { ip: ip("10.0.2.9"), mac: None }],
            ..Configuration::default()
        }
    }

    #[test]
    fn a_configuration_survives_the_wire() {
        let mut bytes = Vec::new();
        example().encode(&mut bytes);
        assert_eq!(Configuration::decode(&mut Reader::new(&bytes)), Ok(example()));
        for len in 0..bytes.len() {
            assert_eq!(Configuration::decode(&mut Reader::new(&bytes[..len])), Err(Malformed));
        }
    }

    #[test]
    fn routes_and_sources() {
        let it = example();
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(it.route(ip("10.0.2.9")).unwrap().gateway, None);
        assert_eq!(it.route(ip("1.1.1.1")).unwrap().gateway, Some(ip("10.0.2.2")));
        assert_eq!(it.source(ip("1.1.1.1")), Some(ip("10.0.2.15")));
        assert_eq!(it.source(ip("2001:db8::1")), Some(ip("fec0::5")), "not the one that is good on the link only");
        assert_eq!(it.source(ip("fe80::2")), Some(ip("fe80::1")));
        assert!(it.is_broadcast(ip("10.0.2.255")) && it.is_broadcast(ip("255.255.255.255")) && !it.is_broadcast(ip("10.0.2.254")));
        assert!(it.has(ip("10.0.2.15")) && !it.has(ip("10.0.2.16")));
        assert!(Configuration { is_up: false, ..it }.route(ip("1.1.1.1")).is_none());
    }
}
