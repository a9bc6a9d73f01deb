//! What administrators change: `ip link set`, `ip address add`, `ip route add`.

use net_abi::{Change, Route};

use crate::ipc::netlink::message::Request;
use super::{IFINFOMSG, RT_TABLE_MAIN, RTA_DST, RTMSG, destination, ip_in};
use crate::error::*;
use crate::ipc::inet::{address as internet, outside};
use crate::ipc::network::NetNamespace;
use crate::ipc::netdev::{INDEX, Interface, OUTSIDE_INDEX};

const NLM_F_EXCL: u16 = 0x200;
const IFF_UP: u32 = 1;
const IFLA_MTU: u16 = 4;
/// Attributes of a link that are not changed but say which one it is, or ask for nothing.
const HARMLESS: [u16; 3] = [super::IFLA_IFNAME, IFLA_MTU, 29];
const RTN_UNICAST: u8 = 1;

/// Changes an interface's flags or packet size.
pub fn link(net: &NetNamespace, request: &Request<'_>, interface: &Interface) -> Result {
    if (1..64).any(|kind| !HARMLESS.contains(&kind) && request.attribute(IFINFOMSG, kind).is_some()) {
        return Err(EOPNOTSUPP);
    }
    let (flags, mask) = (request.word(8), request.word(12));
    if interface.index == INDEX && !net.is_first() {
        if request.attribute(IFINFOMSG, IFLA_MTU).is_some() || mask & !IFF_UP != 0 {
            return Err(EOPNOTSUPP);
        }
        return if mask & IFF_UP != 0 || flags & IFF_UP != 0 { net.set_up(flags & IFF_UP != 0) } else { Ok(()) };
    }
    if interface.index == INDEX {
        // It is always up: setting the flags it has is no change.
        let is_change = mask & IFF_UP != 0 && flags & IFF_UP == 0 || request.attribute(IFINFOMSG, IFLA_MTU).is_some();
        return if is_change { Err(EOPNOTSUPP) } else { Ok(()) };
    }
    if mask & !IFF_UP != 0 {
        return Err(EOPNOTSUPP);
    }
    if let Some(mtu) = request.attribute(IFINFOMSG, IFLA_MTU) {
        let mtu = u32::from_le_bytes(*mtu.first_chunk().ok_or(EINVAL)?);
        outside::change(&Change::Mtu(mtu))?;
    }
    if mask & IFF_UP != 0 {
        outside::change(&Change::Up(flags & IFF_UP != 0))?;
    }
    Ok(())
}

/// Adds an address, or takes one away.
pub fn address(net: &NetNamespace, request: &Request<'_>, add: bool) -> Result {
    const IFADDRMSG: usize = 8;
    const IFA_ADDRESS: u16 = 1;
    const IFA_LOCAL: u16 = 2;
    if request.body().len() < IFADDRMSG {
        return Err(EINVAL);
    }
    match request.word(4) {
        OUTSIDE_INDEX if net.is_first() => {}
        INDEX => {}
        _ => return Err(ENODEV),
    }
    let bytes = request.attribute(IFADDRMSG, IFA_LOCAL).or_else(|| request.attribute(IFADDRMSG, IFA_ADDRESS)).ok_or(EINVAL)?;
    let (ip, prefix) = (ip_in(bytes)?, request.octet(1));
    if request.word(4) == INDEX {
        return match net.change_address(ip, prefix, add) {
            Err(EEXIST) if request.flags & NLM_F_EXCL == 0 => Ok(()),
            outcome => outcome,
        };
    }
    if usize::from(prefix) > 8 * bytes.len() || ip.is_unspecified() || ip.is_multicast() || ip.is_loopback() {
        return Err(EINVAL);
    }
    match (outside::is_own(ip), add) {
        (true, true) if request.flags & NLM_F_EXCL != 0 => Err(EEXIST),
        (true, true) => Ok(()),
        (false, false) => Err(EADDRNOTAVAIL),
        _ => outside::change(&Change::Address { add, ip, prefix }),
    }
}

/// Adds a route, or takes one away.
pub fn route(net: &NetNamespace, request: &Request<'_>, add: bool) -> Result {
    const RTA_OIF: u16 = 4;
    const RTA_GATEWAY: u16 = 5;
    const RTA_PRIORITY: u16 = 6;
    const RTA_MULTIPATH: u16 = 9;
    if request.body().len() < RTMSG {
        return Err(EINVAL);
    }
    let (prefix, table, origin, kind) = (request.octet(1), request.octet(4), request.octet(5), request.octet(7));
    let priority = request.attribute(RTMSG, RTA_PRIORITY).is_some_and(|bytes| bytes.iter().any(|byte| *byte != 0));
    if !matches!(table, 0 | RT_TABLE_MAIN) || kind > RTN_UNICAST || priority || request.attribute(RTMSG, RTA_MULTIPATH).is_some() {
        return Err(EOPNOTSUPP);
    }
    if let Some(index) = request.attribute(RTMSG, RTA_OIF).and_then(|bytes| bytes.first_chunk().copied()).map(u32::from_le_bytes)
        && index != OUTSIDE_INDEX
    {
        return Err(if index == INDEX { EOPNOTSUPP } else { ENODEV });
    }
    let to = destination(request)?;
    if request.attribute(RTMSG, RTA_DST).is_none() && prefix != 0 || prefix > if to.is_ipv4() { 32 } else { 128 } {
        return Err(EINVAL);
    }
    let gateway = request.attribute(RTMSG, RTA_GATEWAY).map(ip_in).transpose()?;
    let current = net.outside().ok_or(if net.is_first() { ENETDOWN } else { ENETUNREACH })?;
    let same = |it: &&Route| it.to == to && it.prefix == prefix && (add || gateway.is_none() || it.gateway == gateway);
    let existing = current.routes.iter().find(same).copied();
    if add {
        if existing.is_some() && request.flags & NLM_F_EXCL != 0 {
            return Err(EEXIST);
        }
        // A router must be on the link.
        if let Some(gateway) = gateway {
            let is_near = current.addresses.iter().any(|it| it.is_neighbour(gateway)) && !internet::is_local(net, gateway);
            if !is_near {
                return Err(ENETUNREACH);
            }
        }
        return outside::change(&Change::Route { add, route: Route { to, prefix, gateway, origin } });
    }
    outside::change(&Change::Route { add, route: existing.ok_or(ESRCH)? })
}
