//! NETLINK_ROUTE (`rtnetlink(7)`): interfaces, addresses, routes and neighbours.
//!
//! * [`show`]: what is there. [`change`]: what administrators change.
//!
//! The loop-back device is the kernel's, and nothing of it can be changed; the interface that leads to others is the network stack's, which
//! describes it and carries changes out.

mod change;
mod show;

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use net_abi::Configuration;

use super::message::{Answer, Request};
use super::{Address, Message, NETLINK_ROUTE, Socket, multicast};
use crate::error::*;
use crate::ipc::inet::address;
use crate::ipc::netdev::{self, Interface};
use crate::ipc::network::NetNamespace;
use crate::task::Capability;

const NLMSG_DONE: u16 = 3;
/// Types below are for the protocol itself.
const FIRST_TYPE: u16 = 16;

const NLM_F_REQUEST: u16 = 1;
const NLM_F_MULTI: u16 = 2;
const NLM_F_ACK: u16 = 4;
const NLM_F_DUMP: u16 = 0x300;

const RTM_NEWLINK: u16 = 16;
const RTM_GETLINK: u16 = 18;
const RTM_SETLINK: u16 = 19;
const RTM_NEWADDR: u16 = 20;
const RTM_DELADDR: u16 = 21;
const RTM_GETADDR: u16 = 22;
const RTM_NEWROUTE: u16 = 24;
const RTM_DELROUTE: u16 = 25;
const RTM_GETROUTE: u16 = 26;
const RTM_NEWNEIGH: u16 = 28;
const RTM_GETNEIGH: u16 = 30;
const RTM_GETRULE: u16 = 34;
/// Greatest type that Linux 6.1 knows.
const RTM_MAX: u16 = 123;

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const IFLA_IFNAME: u16 = 3;
const RTA_DST: u16 = 1;
/// Bytes of `struct ifinfomsg` and `struct rtmsg`.
const IFINFOMSG: usize = 16;
const RTMSG: usize = 12;
const RT_TABLE_MAIN: u8 = 254;
const RT_TABLE_LOCAL: u8 = 255;
/// The answer shall name the table that the route was found in, not just the main one.
const RTM_F_LOOKUP_TABLE: u32 = 0x1000;

/// Answers the requests in a datagram that a socket has sent to the kernel.
pub fn take(socket: &Socket, datagram: &[u8]) {
    let mut rest = datagram;
    while let Some((request, after)) = Request::first(rest) {
        if request.flags & NLM_F_REQUEST != 0 {
            answer(socket, &request);
        }
        rest = after;
    }
}

fn answer(socket: &Socket, request: &Request<'_>) {
    let mut answer = Answer { bytes: Vec::new(), sequence: request.sequence, port: socket.address().port };
    let outcome = if request.kind < FIRST_TYPE { Ok(()) } else { obey(&socket.net, request, &mut answer) };
    let is_dump = is_dump(request);
    match outcome {
        Err(error) => answer.error(request, Some(error)),
        Ok(()) if is_dump => answer.message(NLMSG_DONE, NLM_F_MULTI, |out| out.extend_from_slice(&[0; 4])),
        Ok(()) if request.flags & NLM_F_ACK != 0 => answer.error(request, None),
        Ok(()) => {}
    }
    if !answer.bytes.is_empty() {
        let len = answer.bytes.len();
        socket.deliver(Message { bytes: answer.bytes.into(), from: Address::default(), credentials: (0, 0, 0), len });
    }
}

/// The third of each four types reads; with these flags all of a table.
fn is_dump(request: &Request<'_>) -> bool {
    request.kind >= FIRST_TYPE && request.kind & 3 == 2 && request.flags & NLM_F_DUMP != 0
}

fn obey(net: &NetNamespace, request: &Request<'_>, answer: &mut Answer) -> Result {
    if request.kind > RTM_MAX {
        return Err(EOPNOTSUPP);
    }
    if request.kind & 3 != 2 && !net.capable(Capability::NET_ADMIN) {
        return Err(EPERM);
    }
    let flags = if is_dump(request) { NLM_F_MULTI } else { 0 };
    let is_asked_for = |ip: &IpAddr| matches!((request.family(), ip), (0, _) | (AF_INET, IpAddr::V4(_)) | (AF_INET6, IpAddr::V6(_)));
    match request.kind {
        RTM_GETLINK if is_dump(request) => {
            for interface in netdev::interfaces(net) {
                answer.message(RTM_NEWLINK, flags, |out| show::link(out, &interface));
            }
        }
        RTM_GETLINK => {
            let interface = find_link(net, request)?;
            answer.message(RTM_NEWLINK, flags, |out| show::link(out, &interface));
        }
        RTM_GETADDR if is_dump(request) => {
            for interface in netdev::interfaces(net) {
                for address in interface.addresses.iter().filter(|it| is_asked_for(&it.ip)) {
                    answer.message(RTM_NEWADDR, flags, |out| show::address(out, &interface, address));
                }
            }
        }
        RTM_GETROUTE if is_dump(request) => {
            if let Some(configuration) = net.outside() {
                for route in configuration.routes.iter().filter(|it| is_asked_for(&it.to)) {
                    answer.message(RTM_NEWROUTE, flags, |out| show::route(out, &configuration, route));
                }
            }
        }
        RTM_GETNEIGH if is_dump(request) => {
            if let Some(configuration) = net.outside() {
                for neighbour in configuration.neighbours.iter().filter(|it| is_asked_for(&it.ip)) {
                    answer.message(RTM_NEWNEIGH, flags, |out| show::neighbour(out, neighbour));
                }
            }
        }
        // There are no rules to choose tables by.
        RTM_GETRULE if is_dump(request) => {}
        RTM_GETROUTE => {
            let to = destination(request)?;
            let to = address::route(net, to, true)?;
            let is_local = address::is_local(net, to);
            let table = if is_local && request.word(8) & RTM_F_LOOKUP_TABLE != 0 { RT_TABLE_LOCAL } else { RT_TABLE_MAIN };
            let gateway = net.outside().and_then(|it| it.route(to).and_then(|route| route.gateway)).filter(|_| !is_local);
            answer.message(RTM_NEWROUTE, flags, |out| show::found_route(out, net, to, gateway, is_local, table));
        }
        RTM_NEWLINK | RTM_SETLINK => change::link(net, request, &find_link(net, request)?)?,
        RTM_NEWADDR | RTM_DELADDR => change::address(net, request, request.kind == RTM_NEWADDR)?,
        RTM_NEWROUTE | RTM_DELROUTE => change::route(net, request, request.kind == RTM_NEWROUTE)?,
        _ => return Err(EOPNOTSUPP),
    }
    Ok(())
}

/// The interface that a request is about.
fn find_link(net: &NetNamespace, request: &Request<'_>) -> Result<Interface> {
    if request.body().len() < IFINFOMSG {
        return Err(EINVAL);
    }
    let index = request.word(4);
    let name = request.attribute(IFINFOMSG, IFLA_IFNAME).map(|name| name.split(|byte| *byte == 0).next().unwrap_or_default());
    if index == 0 && name.is_none() {
        return Err(EINVAL);
    }
    let is_it = |it: &Interface| if index != 0 { it.index == index } else { Some(&*it.name) == name };
    netdev::interfaces(net).into_iter().find(is_it).ok_or(ENODEV)
}

/// An address in an attribute.
fn ip_in(bytes: &[u8]) -> Result<IpAddr> {
    match bytes.len() {
        4 => bytes.first_chunk::<4>().map(|octets| IpAddr::from(*octets)).ok_or(EINVAL),
        16 => bytes.first_chunk::<16>().map(|octets| IpAddr::from(*octets)).ok_or(EINVAL),
        _ => Err(EINVAL),
    }
}

fn destination(request: &Request<'_>) -> Result<IpAddr> {
    match (request.attribute(RTMSG, RTA_DST), request.family()) {
        (Some(to), AF_INET | AF_INET6) => ip_in(to),
        (None, AF_INET) => Ok(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        (None, AF_INET6) => Ok(IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
        _ => Err(EOPNOTSUPP),
    }
}

/// Tells those who listen what has changed of the interface that leads to others.
pub fn interface_changed(old: Option<&Configuration>, new: &Configuration) {
    // RTMGRP_LINK, _IPV4_IFADDR, _IPV6_IFADDR, _IPV4_ROUTE, _IPV6_ROUTE
    const LINK: u32 = 1;
    let address_group = |ip: &IpAddr| if ip.is_ipv4() { 0x10 } else { 0x100 };
    let route_group = |ip: &IpAddr| if ip.is_ipv4() { 0x40 } else { 0x400 };
    let tell = |group: u32, kind: u16, build: &dyn Fn(&mut Vec<u8>)| {
        let mut answer = Answer { bytes: Vec::new(), sequence: 0, port: 0 };
        answer.message(kind, 0, build);
        let len = answer.bytes.len();
        let from = Address { port: 0, groups: group };
        multicast(NETLINK_ROUTE, &NetNamespace::first(), None, Message { bytes: answer.bytes.into(), from, credentials: (0, 0, 0), len });
    };
    let interface = netdev::outside(new);
    let state = |it: &Configuration| (it.is_up, it.has_carrier, it.mtu, it.mac);
    if old.map(state) != Some(state(new)) {
        tell(LINK, RTM_NEWLINK, &|out| show::link(out, &interface));
    }
    let empty = Configuration::default();
    let old = old.unwrap_or(&empty);
    for gone in old.addresses.iter().filter(|it| !new.has(it.ip)) {
        tell(address_group(&gone.ip), RTM_DELADDR, &|out| show::address(out, &interface, gone));
    }
    for come in new.addresses.iter().filter(|it| !old.addresses.contains(it)) {
        tell(address_group(&come.ip), RTM_NEWADDR, &|out| show::address(out, &interface, come));
    }
    for gone in old.routes.iter().filter(|it| !new.routes.contains(it)) {
        tell(route_group(&gone.to), RTM_DELROUTE, &|out| show::route(out, old, gone));
    }
    for come in new.routes.iter().filter(|it| !old.routes.contains(it)) {
        tell(route_group(&come.to), RTM_NEWROUTE, &|out| show::route(out, new, come));
    }
}
