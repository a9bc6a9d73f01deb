//! What is there, as messages.

use alloc::vec::Vec;
use core::net::IpAddr;

use net_abi::{Address, Configuration, Neighbour, Route};

use crate::ipc::netlink::message::attribute;
use super::{AF_INET, AF_INET6, IFLA_IFNAME, RT_TABLE_MAIN, RTA_DST};
use crate::ipc::inet::address;
use crate::ipc::netdev::{self, Interface};
use crate::ipc::network::NetNamespace;

const IFA_F_PERMANENT: u8 = 0x80;
const RT_SCOPE_UNIVERSE: u8 = 0;
const RT_SCOPE_LINK: u8 = 253;
const RT_SCOPE_HOST: u8 = 254;
const RTN_UNICAST: u8 = 1;
const RTN_LOCAL: u8 = 2;
const RTM_F_CLONED: u32 = 0x200;
const RTCF_LOCAL: u32 = 0x8000_0000;
const RTA_CACHEINFO: u16 = 12;
const RTA_UID: u16 = 25;
const RTA_TABLE: u16 = 15;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_PREFSRC: u16 = 7;
const NUD_INCOMPLETE: u16 = 1;
const NUD_REACHABLE: u16 = 2;

fn octets(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

fn family_of(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { AF_INET } else { AF_INET6 }
}

/// An interface: `struct ifinfomsg` and its attributes.
pub fn link(out: &mut Vec<u8>, interface: &Interface) {
    let is_loopback = interface.index == netdev::INDEX;
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(&interface.hardware.to_le_bytes());
    out.extend_from_slice(&interface.index.to_le_bytes());
    out.extend_from_slice(&interface.flags.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    let mut name = interface.name.clone();
    name.push(0);
    attribute(out, IFLA_IFNAME, &name);
    // TXQLEN, OPERSTATE (unknown, down, up), LINKMODE, MTU, GROUP, PROMISCUITY, NUM_TX_QUEUES, NUM_RX_QUEUES, CARRIER
    let state = match (is_loopback, interface.is_running()) {
        (true, true) => 0,
        (_, false) => 2,
        (false, true) => 6,
    };
    attribute(out, 13, &1000u32.to_le_bytes());
    attribute(out, 16, &[state]);
    attribute(out, 17, &[0]);
    attribute(out, 4, &interface.mtu.to_le_bytes());
    attribute(out, 27, &[0; 4]);
    attribute(out, 30, &[0; 4]);
    attribute(out, 31, &1u32.to_le_bytes());
    attribute(out, 32, &1u32.to_le_bytes());
    attribute(out, 33, &[u8::from(interface.is_running())]);
    // QDISC, ADDRESS, BROADCAST
    attribute(out, 6, if is_loopback && !interface.is_running() { b"noop\0" } else if is_loopback { b"noqueue\0" } else { b"pfifo_fast\0" });
    attribute(out, 1, &interface.mac);
    attribute(out, 2, &if is_loopback { [0; 6] } else { [0xff; 6] });
    // STATS64: packets and bytes received and sent, errors, drops; then counters of what never happens.
    let it = &interface.counters;
    let words = [it.received_packets, it.sent_packets, it.received_bytes, it.sent_bytes, 0, it.sent_errors, it.received_dropped, 0];
    let mut stats = words.map(u64::to_le_bytes).concat();
    stats.resize(24 * 8, 0);
    attribute(out, 23, &stats);
}

/// An address: `struct ifaddrmsg` and its attributes.
pub fn address(out: &mut Vec<u8>, interface: &Interface, own: &Address) {
    let ip = own.ip;
    let is_permanent = own.lifetime_s == u32::MAX;
    let scope = match ip {
        _ if ip.is_loopback() => RT_SCOPE_HOST,
        IpAddr::V6(ip) if ip.is_unicast_link_local() => RT_SCOPE_LINK,
        _ => RT_SCOPE_UNIVERSE,
    };
    let flags = if is_permanent { IFA_F_PERMANENT } else { 0 };
    out.extend_from_slice(&[family_of(ip), own.prefix, flags, scope]);
    out.extend_from_slice(&interface.index.to_le_bytes());
    attribute(out, 1, &octets(ip));
    if let IpAddr::V4(v4) = ip {
        // LOCAL, BROADCAST, LABEL
        attribute(out, 2, &octets(ip));
        if !ip.is_loopback() && own.prefix < 31 {
            let hosts = u32::MAX.checked_shr(own.prefix.into()).unwrap_or(0);
            attribute(out, 4, &(v4.to_bits() | hosts).to_be_bytes());
        }
        let mut label = interface.name.clone();
        label.push(0);
        attribute(out, 3, &label);
    }
    // CACHEINFO: how long it stays; FLAGS
    let mut lifetime = [own.lifetime_s, own.lifetime_s].map(u32::to_le_bytes).concat();
    lifetime.resize(16, 0);
    attribute(out, 6, &lifetime);
    attribute(out, 8, &u32::from(flags).to_le_bytes());
}

/// A route of the main table: `struct rtmsg` and its attributes.
pub fn route(out: &mut Vec<u8>, configuration: &Configuration, route: &Route) {
    let scope = if route.gateway.is_some() || route.to.is_ipv6() { RT_SCOPE_UNIVERSE } else { RT_SCOPE_LINK };
    out.extend_from_slice(&[family_of(route.to), route.prefix, 0, 0, RT_TABLE_MAIN, route.origin, scope, RTN_UNICAST]);
    out.extend_from_slice(&[0; 4]);
    attribute(out, RTA_TABLE, &u32::from(RT_TABLE_MAIN).to_le_bytes());
    if route.prefix > 0 {
        attribute(out, RTA_DST, &octets(route.to));
    }
    if let Some(gateway) = route.gateway {
        attribute(out, RTA_GATEWAY, &octets(gateway));
    }
    attribute(out, RTA_OIF, &netdev::OUTSIDE_INDEX.to_le_bytes());
    if let Some(source) = configuration.source(route.gateway.unwrap_or(route.to)).filter(|it| it.is_ipv4()) {
        attribute(out, RTA_PREFSRC, &octets(source));
    }
}

/// The route that packets to one address take.
pub fn found_route(out: &mut Vec<u8>, net: &NetNamespace, to: IpAddr, gateway: Option<IpAddr>, is_local: bool, table: u8) {
    let bytes = octets(to);
    let kind = if is_local { RTN_LOCAL } else { RTN_UNICAST };
    // struct rtmsg: family, lengths of destination and source, TOS, table, protocol, scope, type, flags
    out.extend_from_slice(&[family_of(to), bytes.len() as u8 * 8, 0, 0, table, 0, 0, kind]);
    let flags = RTM_F_CLONED | if is_local { RTCF_LOCAL } else { 0 };
    out.extend_from_slice(&flags.to_le_bytes());
    attribute(out, RTA_TABLE, &u32::from(table).to_le_bytes());
    attribute(out, RTA_DST, &bytes);
    if let Some(gateway) = gateway {
        attribute(out, RTA_GATEWAY, &octets(gateway));
    }
    let index = if is_local { netdev::INDEX } else { netdev::OUTSIDE_INDEX };
    attribute(out, RTA_OIF, &index.to_le_bytes());
    attribute(out, RTA_PREFSRC, &octets(address::source_for(net, to)));
    if to.is_ipv4() {
        let creds = crate::task::current().creds();
        attribute(out, RTA_UID, &creds.user.uid_out(creds.uid).to_le_bytes());
    }
    // struct rta_cacheinfo: nothing is cached. There are programs that never look at the last attribute.
    attribute(out, RTA_CACHEINFO, &[0; 32]);
}

/// A neighbour: `struct ndmsg` and its attributes.
pub fn neighbour(out: &mut Vec<u8>, neighbour: &Neighbour) {
    let state = if neighbour.mac.is_some() { NUD_REACHABLE } else { NUD_INCOMPLETE };
    out.extend_from_slice(&[family_of(neighbour.ip), 0, 0, 0]);
    out.extend_from_slice(&netdev::OUTSIDE_INDEX.to_le_bytes());
    out.extend_from_slice(&state.to_le_bytes());
    out.extend_from_slice(&[0, RTN_UNICAST]);
    // DST, LLADDR
    attribute(out, 1, &octets(neighbour.ip));
    if let Some(mac) = neighbour.mac {
        attribute(out, 2, &mac);
    }
}
