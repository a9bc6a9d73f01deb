//! NETLINK_SOCK_DIAG (`sock_diag(7)`): the internet sockets there are, for `ss`.

use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use super::message::{Answer, HEADER, Request, attribute};
use super::{Address, Message, Socket};
use crate::error::*;
use crate::ipc::network::NetNamespace;
use crate::ipc::inet::{self, Family, Kind, address, options};

const NLMSG_DONE: u16 = 3;
const NLM_F_REQUEST: u16 = 1;
const NLM_F_MULTI: u16 = 2;
const NLM_F_DUMP: u16 = 0x300;
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
/// Bytes of `struct inet_diag_req_v2`.
const REQUEST: usize = 56;
const INET_DIAG_SHUTDOWN: u16 = 8;
const INET_DIAG_SKV6ONLY: u16 = 11;

/// Answers the requests in a datagram.
pub fn take(socket: &Socket, datagram: &[u8]) {
    let mut rest = datagram;
    while let Some((request, after)) = Request::first(rest) {
        if request.flags & NLM_F_REQUEST != 0 {
            let mut answer = Answer { bytes: Vec::new(), sequence: request.sequence, port: socket.address().port };
            match list(&socket.net, &request, &mut answer) {
                Ok(()) => answer.message(NLMSG_DONE, NLM_F_MULTI, |out| out.extend_from_slice(&[0; 4])),
                Err(error) => answer.error(&request, Some(error)),
            }
            let len = answer.bytes.len();
            socket.deliver(Message { bytes: answer.bytes.into(), from: Address::default(), credentials: (0, 0, 0), len });
        }
        rest = after;
    }
}

fn list(net: &NetNamespace, request: &Request<'_>, answer: &mut Answer) -> Result {
    if request.kind != SOCK_DIAG_BY_FAMILY || request.body().len() < HEADER {
        return Err(EINVAL);
    }
    let family = match request.family() {
        AF_INET => Family::V4,
        AF_INET6 => Family::V6,
        // Other families are told in /proc only.
        _ => return Err(ENOENT),
    };
    // One socket by its addresses, or ending one.
    if request.flags & NLM_F_DUMP != NLM_F_DUMP {
        return Err(EOPNOTSUPP);
    }
    if request.body().len() < REQUEST {
        return Err(EINVAL);
    }
    let (protocol, states) = (request.octet(1), request.word(4));
    for socket in inet::all().into_iter().filter(|it| it.net.ino == net.ino) {
        let status = socket.status();
        // Those that have no address yet are nobody's business.
        let is_shown = socket.family == family && socket.protocol == protocol && socket.kind != Kind::Raw && socket.local().is_some();
        if is_shown && states & 1 << status != 0 {
            answer.message(SOCK_DIAG_BY_FAMILY, NLM_F_MULTI, |out| show(out, &socket, status));
        }
    }
    Ok(())
}

/// The 16 bytes of an address: IPv4's in the first four.
fn put_ip(out: &mut Vec<u8>, family: Family, ip: IpAddr) {
    let start = out.len();
    match (family, ip) {
        (Family::V4, IpAddr::V4(ip)) => out.extend_from_slice(&ip.octets()),
        (_, ip) => out.extend_from_slice(&address::in_v6(ip).octets()),
    }
    out.resize(start + 16, 0);
}

/// `struct inet_diag_msg` and its attributes.
fn show(out: &mut Vec<u8>, socket: &inet::Socket, status: u8) {
    const LISTEN: u8 = 10;
    let family = socket.family;
    let nowhere = SocketAddr::new(address::unspecified(family), 0);
    let (local, remote) = (socket.local().unwrap_or(nowhere), socket.remote().unwrap_or(nowhere));
    out.extend_from_slice(&[if family == Family::V4 { AF_INET } else { AF_INET6 }, status, 0, 0]);
    // struct inet_diag_sockid: ports, addresses, interface, cookie
    out.extend_from_slice(&local.port().to_be_bytes());
    out.extend_from_slice(&remote.port().to_be_bytes());
    put_ip(out, family, local.ip());
    put_ip(out, family, remote.ip());
    out.extend_from_slice(&0u32.to_le_bytes());
    out.extend_from_slice(&socket.id.to_le_bytes());
    let sends = if status == LISTEN { socket.backlog() } else { socket.unread() };
    // expires, rqueue, wqueue, uid, inode
    for word in [0, socket.receive_queue() as u32, sends as u32, socket.uid, socket.id as u32] {
        out.extend_from_slice(&word.to_le_bytes());
    }
    attribute(out, INET_DIAG_SHUTDOWN, &[socket.shut()]);
    if family == Family::V6 {
        let only = socket.word(options::ONLY_V6).unwrap_or(0);
        attribute(out, INET_DIAG_SKV6ONLY, &[u8::from(only != 0)]);
    }
}
