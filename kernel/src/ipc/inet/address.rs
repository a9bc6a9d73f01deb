//! Socket addresses of the internet families (`ip(7)`, `ipv6(7)`), and which of them are this machine's.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Family, outside};
use crate::error::*;
use crate::ipc::network::NetNamespace;

const AF_UNSPEC: u16 = 0;
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;
/// Bytes of a `sockaddr_in` without its padding, and of a `sockaddr_in6` without its scope (RFC 2133), which Linux takes too.
const MIN_V4: usize = 8;
const SIZE_V4: usize = 16;
const MIN_V6: usize = 24;

/// Reads an address for a socket of this family. `None` is `AF_UNSPEC`, which dissolves an association. IPv4 addresses in IPv6's form become IPv4's.
///
/// # Errors
/// `EINVAL` for a bad length, `EAFNOSUPPORT` for another family.
pub fn parse(family: Family, bytes: &[u8]) -> Result<Option<SocketAddr>> {
    let Some((head, _)) = bytes.split_first_chunk::<4>() else { return Err(EINVAL) };
    let port = u16::from_be_bytes([head[2], head[3]]);
    let octets = |at: usize| -> [u8; 4] { core::array::from_fn(|i| bytes.get(at + i).copied().unwrap_or(0)) };
    match u16::from_le_bytes([head[0], head[1]]) {
        AF_UNSPEC => Ok(None),
        AF_INET if family == Family::V4 => {
            if bytes.len() < SIZE_V4.min(MIN_V4 * 2) {
                return Err(EINVAL);
            }
            Ok(Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::from(octets(4))), port)))
        }
        AF_INET6 if family == Family::V6 => {
            if bytes.len() < MIN_V6 {
                return Err(EINVAL);
            }
            let octets: [u8; 16] = core::array::from_fn(|i| bytes[8 + i]);
            Ok(Some(SocketAddr::new(Ipv6Addr::from(octets).to_canonical(), port)))
        }
        _ => Err(EAFNOSUPPORT),
    }
}

/// As a `struct sockaddr_in` or `struct sockaddr_in6`, whichever the socket's family has.
pub fn to_bytes(family: Family, address: SocketAddr) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(28);
    match family {
        Family::V4 => {
            bytes.extend_from_slice(&AF_INET.to_le_bytes());
            bytes.extend_from_slice(&address.port().to_be_bytes());
            let ip = match address.ip() {
                IpAddr::V4(ip) => ip,
                IpAddr::V6(_) => Ipv4Addr::UNSPECIFIED,
            };
            bytes.extend_from_slice(&ip.octets());
            bytes.resize(SIZE_V4, 0);
        }
        Family::V6 => {
            bytes.extend_from_slice(&AF_INET6.to_le_bytes());
            bytes.extend_from_slice(&address.port().to_be_bytes());
            bytes.extend_from_slice(&[0; 4]);
            bytes.extend_from_slice(&in_v6(address.ip()).octets());
            bytes.extend_from_slice(&[0; 4]);
        }
    }
    bytes
}

/// An address in IPv6's form.
pub fn in_v6(ip: IpAddr) -> Ipv6Addr {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    }
}

/// Whether packets to it come back to this machine.
pub fn is_local(net: &NetNamespace, ip: IpAddr) -> bool {
    net.has_loopback(ip) || net.is_first() && outside::is_own(ip)
}

fn is_broadcast(net: &NetNamespace, ip: IpAddr) -> bool {
    net.outside().is_some_and(|it| it.is_broadcast(ip))
}

/// The own address that packets to another machine come from; none where no route leads there.
fn source_outside(net: &NetNamespace, to: IpAddr) -> Option<IpAddr> {
    if net.is_first() { outside::source_for(to) } else { None }
}

/// Whether a socket can be bound to it.
pub fn is_bindable(net: &NetNamespace, ip: IpAddr) -> bool {
    // As on Linux: where there has been no address yet any will do.
    let is_bare = ip.is_ipv4() && !net.is_first() && !net.has_loopback(Ipv4Addr::LOCALHOST.into());
    ip.is_unspecified() || is_bare || is_local(net, ip) || ip.is_multicast() || is_broadcast(net, ip)
}

/// The any-address of a family.
pub fn unspecified(family: Family) -> IpAddr {
    match family {
        Family::V4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        Family::V6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    }
}

/// Where a packet to `ip` really goes, and from which address: the any-address means this machine (RFC 1122, as Linux does).
///
/// # Errors
/// `ENETUNREACH` where no interface leads there, `EACCES` for a broadcast without permission.
pub fn route(net: &NetNamespace, ip: IpAddr, may_broadcast: bool) -> Result<IpAddr> {
    match ip {
        ip if !net.is_up() && (ip.is_unspecified() || ip.is_loopback()) => Err(ENETUNREACH),
        IpAddr::V4(v4) if v4.is_unspecified() => Ok(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        IpAddr::V6(v6) if v6.is_unspecified() => Ok(IpAddr::V6(Ipv6Addr::LOCALHOST)),
        IpAddr::V4(v4) if v4.octets() == [127, 255, 255, 255] && !may_broadcast => Err(EACCES),
        ip if is_local(net, ip) => Ok(ip),
        ip if !may_broadcast && is_broadcast(net, ip) => Err(EACCES),
        ip if source_outside(net, ip).is_some() => Ok(ip),
        _ => Err(ENETUNREACH),
    }
}

/// The address that a socket without one has when it talks to `to`.
pub fn source_for(net: &NetNamespace, to: IpAddr) -> IpAddr {
    if !to.is_loopback() {
        // What this machine sends to itself has one address at both ends.
        let own = if is_local(net, to) { Some(to) } else { source_outside(net, to) };
        if let Some(own) = own {
            return own;
        }
    }
    match to {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
    }
}
