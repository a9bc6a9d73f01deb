//! Socket system calls on netlink sockets (`netlink(7)`). Each gives `None` where the descriptor is another's.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use super::Cx;
use crate::error::*;
use crate::fs::{IoSink, IoSource, OpenFile};
use crate::ipc::netlink::{Address, Message, Socket};
use crate::user;

const AF_NETLINK: u16 = 16;
/// Bytes of `struct sockaddr_nl`.
const ADDRESS: usize = 12;
const MSG_PEEK: u32 = 2;
const MSG_TRUNC: u32 = 0x20;
const MSG_CTRUNC: u32 = 8;
const MSG_DONTWAIT: u32 = 0x40;
const MSG_OOB: u32 = 1;
const SOL_SOCKET: i32 = 1;
const SOL_NETLINK: i32 = 270;
const SCM_CREDENTIALS: u32 = 2;

/// The family's number.
pub const FAMILY: i32 = AF_NETLINK as i32;

fn socket(cx: &Cx<'_>, fd: i32) -> Option<(Arc<OpenFile>, Arc<Socket>)> {
    let file = cx.process.files().get(fd).ok()?;
    let socket = file.downcast::<Socket>().and_then(Socket::shared)?;
    Some((file, socket))
}

/// Whether a descriptor is a netlink socket's.
pub fn is_netlink(cx: &Cx<'_>, fd: i32) -> bool {
    socket(cx, fd).is_some()
}

fn read_address(at: usize, len: u32) -> Result<Address> {
    if (len as usize) < ADDRESS {
        return Err(EINVAL);
    }
    let bytes = user::read_bytes(at, ADDRESS)?;
    let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    if u16::from_le_bytes([bytes[0], bytes[1]]) != AF_NETLINK {
        return Err(EINVAL);
    }
    Ok(Address { port: word(4), groups: word(8) })
}

fn address_bytes(address: Address) -> Vec<u8> {
    [&AF_NETLINK.to_le_bytes()[..], &[0, 0], &address.port.to_le_bytes(), &address.groups.to_le_bytes()].concat()
}

/// Writes what fits of an address, and its whole length.
fn write_address(address: Address, at: usize, len_at: usize) -> Result {
    if at == 0 {
        return Ok(());
    }
    let room: i32 = user::read(len_at)?;
    let room = usize::try_from(room).map_err(|_| EINVAL)?;
    frame::user::copy_to_user(at as u64, &address_bytes(address)[..ADDRESS.min(room)])?;
    user::write(len_at, &(ADDRESS as u32))
}

/// bind(2)
pub fn bind(cx: &Cx<'_>, fd: i32, at: usize, len: u32) -> Option<Result<usize>> {
    let (_, socket) = socket(cx, fd)?;
    Some(read_address(at, len).and_then(|address| socket.bind(address)).map(|()| 0))
}

/// connect(2)
pub fn connect(cx: &Cx<'_>, fd: i32, at: usize, len: u32) -> Option<Result<usize>> {
    let (_, socket) = socket(cx, fd)?;
    Some(read_address(at, len).and_then(|address| socket.connect(address)).map(|()| 0))
}

/// getsockname(2)
pub fn getsockname(cx: &Cx<'_>, fd: i32, at: usize, len_at: usize) -> Option<Result<usize>> {
    let (_, socket) = socket(cx, fd)?;
    Some(write_address(socket.address(), at, len_at).map(|()| 0))
}

/// getpeername(2)
pub fn getpeername(cx: &Cx<'_>, fd: i32, at: usize, len_at: usize) -> Option<Result<usize>> {
    let (_, socket) = socket(cx, fd)?;
    Some(write_address(socket.destination(), at, len_at).map(|()| 0))
}

/// listen(2), accept(2), shutdown(2): none of them is for datagrams.
pub fn unsupported(cx: &Cx<'_>, fd: i32) -> Option<Result<usize>> {
    socket(cx, fd).map(|_| Err(EOPNOTSUPP))
}

/// sendto(2)
pub fn sendto(cx: &Cx<'_>, fd: i32, (buf, len): (usize, usize), flags: u32, (to, to_len): (usize, u32)) -> Option<Result<usize>> {
    let (_, socket) = socket(cx, fd)?;
    if flags & MSG_OOB != 0 {
        return Some(Err(EOPNOTSUPP));
    }
    let to = if to == 0 { Ok(None) } else { read_address(to, to_len).map(Some) };
    Some(to.and_then(|to| socket.send(&mut IoSource::user(buf, len), to)))
}

/// recvfrom(2)
pub fn recvfrom(cx: &Cx<'_>, fd: i32, (buf, len): (usize, usize), flags: u32, from: (usize, usize)) -> Option<Result<usize>> {
    let (file, socket) = socket(cx, fd)?;
    if flags & MSG_OOB != 0 {
        return Some(Err(EOPNOTSUPP));
    }
    let nonblocking = file.nonblocking() || flags & MSG_DONTWAIT != 0;
    let receive = || {
        let (copied, whole, message) = socket.receive(&mut IoSink::user(buf, len), nonblocking, flags & MSG_PEEK != 0)?;
        write_address(message.from, from.0, from.1)?;
        Ok(if flags & MSG_TRUNC != 0 { whole } else { copied })
    };
    Some(receive())
}

/// sendmsg(2): buffers, and the name's address and length.
pub fn sendmsg(cx: &Cx<'_>, fd: i32, iovs: &dyn Fn() -> Result<Vec<(usize, usize)>>, name: (usize, u32), flags: u32) -> Option<Result<usize>> {
    let (_, socket) = socket(cx, fd)?;
    if flags & MSG_OOB != 0 {
        return Some(Err(EOPNOTSUPP));
    }
    let send = || {
        let to = if name.0 == 0 || name.1 == 0 { None } else { Some(read_address(name.0, name.1)?) };
        socket.send(&mut IoSource::user_vec(iovs()?), to)
    };
    Some(send())
}

/// What recvmsg(2) puts into the header.
pub struct Received {
    /// The result.
    pub value: usize,
    /// `msg_namelen`.
    pub name_len: u32,
    /// `msg_controllen`.
    pub control_len: usize,
    /// `msg_flags`.
    pub flags: u32,
}

/// recvmsg(2): buffers, name and control area with their lengths.
pub fn recvmsg(
    cx: &Cx<'_>,
    fd: i32,
    iovs: &dyn Fn() -> Result<Vec<(usize, usize)>>,
    name: (usize, u32),
    control: (usize, usize),
    flags: u32,
) -> Option<Result<Received>> {
    let (file, socket) = socket(cx, fd)?;
    if flags & MSG_OOB != 0 {
        return Some(Err(EOPNOTSUPP));
    }
    let nonblocking = file.nonblocking() || flags & MSG_DONTWAIT != 0;
    let receive = || {
        let (copied, whole, message) = socket.receive(&mut IoSink::user_vec(iovs()?), nonblocking, flags & MSG_PEEK != 0)?;
        let mut out = Received { value: if flags & MSG_TRUNC != 0 { whole } else { copied }, name_len: 0, control_len: 0, flags: 0 };
        if copied < whole {
            out.flags |= MSG_TRUNC;
        }
        if name.0 != 0 {
            frame::user::copy_to_user(name.0 as u64, &address_bytes(message.from)[..ADDRESS.min(name.1 as usize)])?;
            out.name_len = ADDRESS as u32;
        }
        if socket.pass_credentials.load(Ordering::Relaxed) {
            let bytes = credentials(&message);
            if control.0 == 0 || control.1 < bytes.len() {
                out.flags |= MSG_CTRUNC;
            } else {
                frame::user::copy_to_user(control.0 as u64, &bytes)?;
                out.control_len = bytes.len().next_multiple_of(8).min(control.1);
            }
        }
        Ok(out)
    };
    Some(receive())
}

/// A control message with the sender's credentials.
fn credentials(message: &Message) -> Vec<u8> {
    let (pid, uid, gid) = message.credentials;
    let mut bytes = 28u64.to_le_bytes().to_vec();
    for word in [SOL_SOCKET as u32, SCM_CREDENTIALS, pid, uid, gid] {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    bytes
}

const SO_TYPE: i32 = 3;
const SO_ERROR: i32 = 4;
const SO_SNDBUF: i32 = 7;
const SO_RCVBUF: i32 = 8;
const SO_PASSCRED: i32 = 16;
const SO_RCVTIMEO: i32 = 20;
const SO_ATTACH_FILTER: i32 = 26;
const SO_DETACH_FILTER: i32 = 27;
const SO_SNDBUFFORCE: i32 = 32;
const SO_RCVBUFFORCE: i32 = 33;
const SO_PROTOCOL: i32 = 38;
const SO_DOMAIN: i32 = 39;
const NETLINK_ADD_MEMBERSHIP: i32 = 1;
const NETLINK_DROP_MEMBERSHIP: i32 = 2;
/// Limits of a receive buffer without privilege, and the least, in bytes; what is asked for is doubled (`socket(7)`).
const BUFFER_MAX: usize = 2 * 212_992;
const BUFFER_MIN: usize = 2304;

/// getsockopt(2)
pub fn getsockopt(cx: &Cx<'_>, fd: i32, (level, option): (i32, i32), at: usize, len_at: usize) -> Option<Result<usize>> {
    let (_, socket) = socket(cx, fd)?;
    let get = || {
        let value = match (level, option) {
            (SOL_SOCKET, SO_TYPE) => socket.kind,
            (SOL_SOCKET, SO_ERROR) => 0,
            (SOL_SOCKET, SO_SNDBUF | SO_RCVBUF) => socket.buffer.load(Ordering::Relaxed) as u32,
            (SOL_SOCKET, SO_PASSCRED) => socket.pass_credentials.load(Ordering::Relaxed).into(),
            (SOL_SOCKET, SO_PROTOCOL) => socket.protocol as u32,
            (SOL_SOCKET, SO_DOMAIN) => AF_NETLINK.into(),
            _ => return Err(ENOPROTOOPT),
        };
        let room: i32 = user::read(len_at)?;
        let shown = usize::try_from(room).map_err(|_| EINVAL)?.min(4);
        frame::user::copy_to_user(at as u64, &value.to_le_bytes()[..shown])?;
        user::write(len_at, &(shown as u32))?;
        Ok(0)
    };
    Some(get())
}

/// setsockopt(2)
pub fn setsockopt(cx: &Cx<'_>, fd: i32, (level, option): (i32, i32), at: usize, len: u32) -> Option<Result<usize>> {
    let (_, socket) = socket(cx, fd)?;
    Some(set(cx, &socket, (level, option), at, len).map(|()| 0))
}

fn set(cx: &Cx<'_>, socket: &Socket, option: (i32, i32), at: usize, len: u32) -> Result {
    let word = || -> Result<u32> { if len < 4 { Err(EINVAL) } else { user::read(at) } };
    match option {
        (SOL_SOCKET, SO_PASSCRED) => socket.pass_credentials.store(word()? != 0, Ordering::Relaxed),
        (SOL_SOCKET, SO_RCVBUF) => {
            let asked = (word()? as usize).saturating_mul(2).clamp(BUFFER_MIN, BUFFER_MAX);
            socket.buffer.store(asked, Ordering::Relaxed);
        }
        (SOL_SOCKET, SO_RCVBUFFORCE) => {
            if !cx.process.creds().privileged() {
                return Err(EPERM);
            }
            let asked = (word()? as usize).min(i32::MAX as usize / 2) * 2;
            socket.buffer.store(asked.max(BUFFER_MIN), Ordering::Relaxed);
        }
        // Nothing waits on the sending side: there is no buffer to limit.
        (SOL_SOCKET, SO_SNDBUF | SO_SNDBUFFORCE) => drop(word()?),
        (SOL_SOCKET, SO_RCVTIMEO) => {
            if len < 16 {
                return Err(EINVAL);
            }
            let [seconds, micros]: [i64; 2] = user::read(at)?;
            if !(0..1_000_000).contains(&micros) {
                return Err(EDOM);
            }
            let ns = (seconds.max(0) as u64).saturating_mul(1_000_000_000).saturating_add(micros as u64 * 1000);
            socket.receive_timeout_ns.store(ns, Ordering::Relaxed);
        }
        (SOL_SOCKET, SO_ATTACH_FILTER) => {
            socket.set_filter(Some(read_filter(at, len)?));
        }
        (SOL_SOCKET, SO_DETACH_FILTER) => {
            if !socket.set_filter(None) {
                return Err(ENOENT);
            }
        }
        (SOL_NETLINK, NETLINK_ADD_MEMBERSHIP) => socket.set_membership(word()?, true)?,
        (SOL_NETLINK, NETLINK_DROP_MEMBERSHIP) => socket.set_membership(word()?, false)?,
        _ => return Err(ENOPROTOOPT),
    }
    Ok(())
}

/// A program from `struct sock_fprog`.
fn read_filter(at: usize, len: u32) -> Result<bpf::Program> {
    if len != 16 {
        return Err(EINVAL);
    }
    let [count, instructions]: [u64; 2] = user::read(at)?;
    let count = (count & 0xffff) as usize;
    if count == 0 || count > bpf::MAX_INSTRUCTIONS {
        return Err(EINVAL);
    }
    let words = user::read_vec::<u64>(instructions as usize, count)?;
    let instruction = |word: u64| bpf::Instruction { code: word as u16, jump_true: (word >> 16) as u8, jump_false: (word >> 24) as u8, k: (word >> 32) as u32 };
    bpf::Program::new(words.into_iter().map(instruction).collect()).map_err(|bpf::Invalid| EINVAL)
}
