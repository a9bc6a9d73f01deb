//! NETLINK_ROUTE (`rtnetlink(7)`): interfaces, addresses and routes. There is one interface, the loop-back device, and nothing of it can be changed.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Address, Message, Socket};
use crate::error::*;
use crate::ipc::inet::address;
use crate::ipc::netdev;
use crate::task;

const HEADER: usize = 16;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
/// Types below are for the protocol itself.
const FIRST_TYPE: u16 = 16;

const NLM_F_REQUEST: u16 = 1;
const NLM_F_MULTI: u16 = 2;
const NLM_F_ACK: u16 = 4;
const NLM_F_DUMP: u16 = 0x300;

const RTM_NEWLINK: u16 = 16;
const RTM_GETLINK: u16 = 18;
const RTM_NEWADDR: u16 = 20;
const RTM_GETADDR: u16 = 22;
const RTM_NEWROUTE: u16 = 24;
const RTM_GETROUTE: u16 = 26;
const RTM_GETNEIGH: u16 = 30;
const RTM_GETRULE: u16 = 34;
/// Greatest type that Linux 6.1 knows.
const RTM_MAX: u16 = 123;

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const IFLA_IFNAME: u16 = 3;
const RTA_DST: u16 = 1;
/// IFF_UP | IFF_LOOPBACK | IFF_RUNNING | IFF_LOWER_UP
const FLAGS: u32 = 0x1_0049;
const IFA_F_PERMANENT: u8 = 0x80;
const RT_SCOPE_HOST: u8 = 254;
const RT_TABLE_MAIN: u8 = 254;
const RT_TABLE_LOCAL: u8 = 255;
/// The answer shall name the table that the route was found in, not just the main one.
const RTM_F_LOOKUP_TABLE: u32 = 0x1000;
const RTN_LOCAL: u8 = 2;
const RTM_F_CLONED: u32 = 0x200;

/// A request's header and body.
struct Request<'a> {
    kind: u16,
    flags: u16,
    sequence: u32,
    whole: &'a [u8],
}

impl Request<'_> {
    fn body(&self) -> &[u8] {
        &self.whole[HEADER..]
    }

    /// The family asked for, 0 for all.
    fn family(&self) -> u8 {
        self.body().first().copied().unwrap_or(0)
    }

    /// An attribute behind a fixed part of so many bytes.
    fn attribute(&self, fixed: usize, wanted: u16) -> Option<&[u8]> {
        let mut rest = self.body().get(fixed..)?;
        while let Some((head, _)) = rest.split_first_chunk::<4>() {
            let len = usize::from(u16::from_le_bytes([head[0], head[1]]));
            let data = rest.get(4..len)?;
            if u16::from_le_bytes([head[2], head[3]]) & 0x3fff == wanted {
                return Some(data);
            }
            rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
        }
        None
    }
}

/// Answers under construction: one datagram.
struct Answer {
    bytes: Vec<u8>,
    sequence: u32,
    port: u32,
}

impl Answer {
    fn message(&mut self, kind: u16, flags: u16, build: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]);
        self.bytes.extend_from_slice(&kind.to_le_bytes());
        self.bytes.extend_from_slice(&flags.to_le_bytes());
        self.bytes.extend_from_slice(&self.sequence.to_le_bytes());
        self.bytes.extend_from_slice(&self.port.to_le_bytes());
        build(&mut self.bytes);
        let len = (self.bytes.len() - start) as u32;
        self.bytes[start..start + 4].copy_from_slice(&len.to_le_bytes());
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    fn error(&mut self, request: &Request<'_>, error: Option<Errno>) {
        let number = error.map_or(0, |error| -error.0);
        self.message(NLMSG_ERROR, 0, |out| {
            out.extend_from_slice(&number.to_le_bytes());
            // Of a request that succeeded the header is enough.
            out.extend_from_slice(if error.is_some() { request.whole } else { &request.whole[..HEADER] });
        });
    }
}

fn attribute(out: &mut Vec<u8>, kind: u16, data: &[u8]) {
    out.extend_from_slice(&(4 + data.len() as u16).to_le_bytes());
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(data);
    out.resize(out.len().next_multiple_of(4), 0);
}

/// Answers the requests in a datagram that a socket has sent to the kernel.
pub fn take(socket: &Socket, datagram: &[u8]) {
    let mut rest = datagram;
    while let Some((head, _)) = rest.split_first_chunk::<HEADER>() {
        let len = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let Some(whole) = rest.get(..len).filter(|_| len >= HEADER) else { return };
        let request = Request {
            kind: u16::from_le_bytes([head[4], head[5]]),
            flags: u16::from_le_bytes([head[6], head[7]]),
            sequence: u32::from_le_bytes([head[8], head[9], head[10], head[11]]),
            whole,
        };
        if request.flags & NLM_F_REQUEST != 0 {
            answer(socket, &request);
        }
        rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
    }
}

fn answer(socket: &Socket, request: &Request<'_>) {
    let mut answer = Answer { bytes: Vec::new(), sequence: request.sequence, port: socket.address().port };
    let outcome = if request.kind < FIRST_TYPE { Ok(()) } else { obey(request, &mut answer) };
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

fn obey(request: &Request<'_>, answer: &mut Answer) -> Result {
    if request.kind > RTM_MAX {
        return Err(EOPNOTSUPP);
    }
    if request.kind & 3 != 2 && !task::with_current(|t| t.process.creds().privileged()) {
        return Err(EPERM);
    }
    let flags = if is_dump(request) { NLM_F_MULTI } else { 0 };
    let family = request.family();
    match request.kind {
        RTM_GETLINK => {
            if !is_dump(request) {
                find_link(request)?;
            }
            answer.message(RTM_NEWLINK, flags, link);
        }
        RTM_GETADDR if is_dump(request) => {
            if family == 0 || family == AF_INET {
                answer.message(RTM_NEWADDR, flags, |out| own_address(out, IpAddr::V4(Ipv4Addr::LOCALHOST), 8));
            }
            if family == 0 || family == AF_INET6 {
                answer.message(RTM_NEWADDR, flags, |out| own_address(out, IpAddr::V6(Ipv6Addr::LOCALHOST), 128));
            }
        }
        // The main table has no routes, nor are there neighbours or rules to choose tables by.
        RTM_GETROUTE | RTM_GETNEIGH | RTM_GETRULE if is_dump(request) => {}
        RTM_GETROUTE => {
            let to = destination(request)?;
            let to = address::route(to, true)?;
            let asked = request.body().get(8..12).and_then(|flags| flags.first_chunk().copied()).map_or(0, u32::from_le_bytes);
            let table = if asked & RTM_F_LOOKUP_TABLE != 0 { RT_TABLE_LOCAL } else { RT_TABLE_MAIN };
            answer.message(RTM_NEWROUTE, flags, |out| route(out, to, table));
        }
        _ => return Err(EOPNOTSUPP),
    }
    Ok(())
}

/// Whether a request for one interface means the one there is.
fn find_link(request: &Request<'_>) -> Result {
    const IFINFOMSG: usize = 16;
    let body = request.body();
    if body.len() < IFINFOMSG {
        return Err(EINVAL);
    }
    let index = u32::from_le_bytes([body[4], body[5], body[6], body[7]]);
    let name = request.attribute(IFINFOMSG, IFLA_IFNAME).map(|name| name.split(|byte| *byte == 0).next().unwrap_or_default());
    match (index, name) {
        (netdev::INDEX, _) => Ok(()),
        (0, Some(name)) if name == netdev::NAME => Ok(()),
        (0, None) => Err(EINVAL),
        _ => Err(ENODEV),
    }
}

fn link(out: &mut Vec<u8>) {
    // struct ifinfomsg
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(&netdev::HARDWARE.to_le_bytes());
    out.extend_from_slice(&netdev::INDEX.to_le_bytes());
    out.extend_from_slice(&FLAGS.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    attribute(out, IFLA_IFNAME, b"lo\0");
    // TXQLEN, OPERSTATE (unknown), LINKMODE, MTU, GROUP, PROMISCUITY, NUM_TX_QUEUES, NUM_RX_QUEUES, CARRIER
    attribute(out, 13, &1000u32.to_le_bytes());
    attribute(out, 16, &[0]);
    attribute(out, 17, &[0]);
    attribute(out, 4, &netdev::MTU.to_le_bytes());
    attribute(out, 27, &[0; 4]);
    attribute(out, 30, &[0; 4]);
    attribute(out, 31, &1u32.to_le_bytes());
    attribute(out, 32, &1u32.to_le_bytes());
    attribute(out, 33, &[1]);
    // QDISC, ADDRESS, BROADCAST
    attribute(out, 6, b"noqueue\0");
    attribute(out, 1, &[0; 6]);
    attribute(out, 2, &[0; 6]);
    // STATS64: packets and bytes received and sent, then 20 counters of what never happens.
    let (bytes, packets) = netdev::traffic();
    let mut stats = [packets, packets, bytes, bytes].map(u64::to_le_bytes).concat();
    stats.resize(24 * 8, 0);
    attribute(out, 23, &stats);
}

fn octets(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

fn family_of(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { AF_INET } else { AF_INET6 }
}

fn own_address(out: &mut Vec<u8>, ip: IpAddr, prefix: u8) {
    // struct ifaddrmsg
    out.extend_from_slice(&[family_of(ip), prefix, IFA_F_PERMANENT, RT_SCOPE_HOST]);
    out.extend_from_slice(&netdev::INDEX.to_le_bytes());
    attribute(out, 1, &octets(ip));
    if ip.is_ipv4() {
        // LOCAL, LABEL
        attribute(out, 2, &octets(ip));
        attribute(out, 3, b"lo\0");
    }
    // CACHEINFO: it stays for ever; FLAGS
    let mut lifetime = [u32::MAX, u32::MAX].map(u32::to_le_bytes).concat();
    lifetime.resize(16, 0);
    attribute(out, 6, &lifetime);
    attribute(out, 8, &u32::from(IFA_F_PERMANENT).to_le_bytes());
}

fn destination(request: &Request<'_>) -> Result<IpAddr> {
    const RTMSG: usize = 12;
    let to = request.attribute(RTMSG, RTA_DST).unwrap_or_default();
    match request.family() {
        AF_INET => Ok(IpAddr::V4(to.first_chunk::<4>().copied().unwrap_or_default().into())),
        AF_INET6 => Ok(IpAddr::V6(to.first_chunk::<16>().copied().unwrap_or_default().into())),
        _ => Err(EOPNOTSUPP),
    }
}

fn route(out: &mut Vec<u8>, to: IpAddr, table: u8) {
    let bytes = octets(to);
    // struct rtmsg: family, lengths of destination and source, TOS, table, protocol, scope, type, flags
    out.extend_from_slice(&[family_of(to), bytes.len() as u8 * 8, 0, 0, table, 0, 0, RTN_LOCAL]);
    out.extend_from_slice(&RTM_F_CLONED.to_le_bytes());
    // TABLE, DST, OIF, PREFSRC
    attribute(out, 15, &u32::from(table).to_le_bytes());
    attribute(out, RTA_DST, &bytes);
    attribute(out, 4, &netdev::INDEX.to_le_bytes());
    attribute(out, 7, &octets(address::source_for(to)));
}
