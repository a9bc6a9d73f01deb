//! Socket system calls: those of AF_UNIX here, those of the internet families in [`super::inet`], those of AF_NETLINK in [`super::netlink`],
//! those of AF_PACKET in [`super::packet`].

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use call_flags::sockets;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::Cx;
use super::inet::{self, Internet};
use super::netlink::{self, Netlink};
use super::packet::{self, Packets};
use crate::error::*;
use crate::fs::{FdFlags, IoSink, IoSource, OpenFile, OpenFlags};
use crate::ipc::inet::{self as internet, Family};
use crate::ipc::{netlink as kernel_messages, packet as link_packets};
use crate::ipc::unix::{Address, Ancillary, Kind, Socket};
use crate::task::Capability;
use crate::user;

const AF_UNIX: i32 = 1;
const AF_INET: i32 = 2;
const AF_INET6: i32 = 10;
const SOCK_TYPE: u32 = 0xf;
pub(super) const SOCK_NONBLOCK: u32 = OpenFlags::NONBLOCK.bits();
pub(super) const SOCK_CLOEXEC: u32 = OpenFlags::CLOEXEC.bits();

pub(super) const MSG_OOB: u32 = 1;
pub(super) const MSG_PEEK: u32 = 2;
pub(super) const MSG_CTRUNC: u32 = 8;
pub(super) const MSG_TRUNC: u32 = 0x20;
pub(super) const MSG_DONTWAIT: u32 = 0x40;
pub(super) const MSG_WAITALL: u32 = 0x100;
pub(super) const MSG_NOSIGNAL: u32 = 0x4000;
const MSG_CMSG_CLOEXEC: u32 = 0x4000_0000;

pub(super) const SOL_SOCKET: i32 = 1;
const SCM_RIGHTS: i32 = 1;
pub(super) const SCM_CREDENTIALS: i32 = 2;
/// Most descriptors in a message (SCM_MAX_FD).
const MAX_FDS: usize = 253;
/// Most buffers (UIO_MAXIOV).
const MAX_IOV: usize = 1024;

/// What is checked for every family: the flags, that there can be such a family and such a type, and that the family is there.
fn check_kind(domain: i32, kind: u32) -> Result {
    const FAMILIES: i32 = 46;
    const TYPES: u32 = 11;
    sockets::SOCKET.check(kind & !SOCK_TYPE)?;
    if (0..FAMILIES).contains(&domain) && kind & SOCK_TYPE >= TYPES {
        return Err(EINVAL);
    }
    Ok(sockets::SOCKET_FAMILY.check(domain as u32)?)
}

fn parse_kind(domain: i32, kind: u32, protocol: i32) -> Result<(Kind, u32)> {
    if domain != AF_UNIX {
        return Err(EAFNOSUPPORT);
    }
    let flags = kind & !SOCK_TYPE;
    if protocol != 0 && protocol != AF_UNIX {
        return Err(EPROTONOSUPPORT);
    }
    sockets::UNIX_TYPE.check(kind & SOCK_TYPE)?;
    let kind = match kind & SOCK_TYPE {
        1 => Kind::Stream,
        2 | 3 => Kind::Datagram,
        5 => Kind::SeqPacket,
        _ => return Err(ESOCKTNOSUPPORT),
    };
    Ok((kind, flags))
}

/// A netlink socket, raw or datagram, which is the same.
fn netlink_socket(cx: &Cx<'_>, kind: u32, protocol: i32) -> Result<usize> {
    let flags = kind & !SOCK_TYPE;
    sockets::NETLINK_TYPE.check(kind & SOCK_TYPE)?;
    Ok(install(cx, kernel_messages::Socket::new(protocol, kind & SOCK_TYPE)?, flags)? as usize)
}

/// Gives a new socket a descriptor. `flags`: SOCK_NONBLOCK, SOCK_CLOEXEC.
pub(super) fn install(cx: &Cx<'_>, socket: Arc<impl crate::fs::FileOps>, flags: u32) -> Result<i32> {
    let status = OpenFlags::RDWR | OpenFlags::from_bits_retain(flags & SOCK_NONBLOCK);
    let fd_flags = if flags & SOCK_CLOEXEC != 0 { FdFlags::CLOEXEC } else { FdFlags::empty() };
    cx.process.files().insert(OpenFile::new(socket, status), fd_flags)
}

/// socket(2)
pub fn sys_socket(cx: &Cx<'_>, domain: i32, kind: u32, protocol: i32) -> Result<usize> {
    check_kind(domain, kind)?;
    match domain {
        netlink::FAMILY => return netlink_socket(cx, kind, protocol),
        packet::FAMILY => return packet::create(cx, kind, protocol),
        AF_INET => return inet::create(cx, Family::V4, kind, protocol),
        AF_INET6 => return inet::create(cx, Family::V6, kind, protocol),
        _ => {}
    }
    let (kind, flags) = parse_kind(domain, kind, protocol)?;
    Ok(install(cx, Socket::new(kind), flags)? as usize)
}

/// socketpair(2)
pub fn sys_socketpair(cx: &Cx<'_>, domain: i32, kind: u32, protocol: i32, at: usize) -> Result<usize> {
    check_kind(domain, kind)?;
    if domain != AF_UNIX {
        const TCP: i32 = 6;
        const UDP: i32 = 17;
        // Which protocol it would be comes first.
        let is_known = match (domain, kind & SOCK_TYPE) {
            (AF_INET | AF_INET6, 1) => [0, TCP].contains(&protocol),
            (AF_INET | AF_INET6, 2) => [0, UDP].contains(&protocol),
            (AF_INET | AF_INET6, 3) => protocol != 0,
            _ => true,
        };
        return Err(if is_known { EOPNOTSUPP } else { EPROTONOSUPPORT });
    }
    let (kind, flags) = parse_kind(domain, kind, protocol)?;
    let (a, b) = Socket::pair(kind);
    let files = cx.process.files();
    let first = install(cx, a, flags)?;
    let second = match install(cx, b, flags) {
        Ok(fd) => fd,
        Err(error) => {
            let _ = files.close(first);
            return Err(error);
        }
    };
    if let Err(error) = user::write(at, &[first, second]) {
        let _ = files.close(first);
        let _ = files.close(second);
        return Err(error);
    }
    Ok(0)
}

/// A descriptor's file and socket, by the socket's family.
enum Endpoint {
    Unix(Arc<OpenFile>, Arc<Socket>),
    Internet(Internet),
    Netlink(Netlink),
    Packets(Packets),
}

fn endpoint(cx: &Cx<'_>, fd: i32) -> Result<Endpoint> {
    let file = cx.file(fd)?;
    if let Some(socket) = file.downcast::<Socket>().and_then(Socket::shared) {
        return Ok(Endpoint::Unix(file, socket));
    }
    if let Some(socket) = file.downcast::<internet::Socket>().and_then(internet::Socket::shared) {
        return Ok(Endpoint::Internet(Internet { file, socket }));
    }
    if let Some(socket) = file.downcast::<kernel_messages::Socket>().and_then(kernel_messages::Socket::shared) {
        return Ok(Endpoint::Netlink(Netlink { file, socket }));
    }
    if let Some(socket) = file.downcast::<link_packets::Socket>().and_then(link_packets::Socket::shared) {
        return Ok(Endpoint::Packets(Packets { file, socket }));
    }
    Err(ENOTSOCK)
}

fn read_address(at: usize, len: u32) -> Result<Address> {
    if len as usize > 128 {
        return Err(EINVAL);
    }
    Address::parse(&user::read_bytes(at, len as usize)?)
}

/// Writes what fits of a `struct sockaddr`, and its whole length; nothing where no room is offered.
pub(super) fn write_name(bytes: &[u8], at: usize, len_at: usize) -> Result {
    if at == 0 {
        return Ok(());
    }
    let room: i32 = user::read(len_at)?;
    let room = usize::try_from(room).map_err(|_| EINVAL)?;
    if !bytes.is_empty() {
        frame::user::copy_to_user(at as u64, &bytes[..bytes.len().min(room)])?;
    }
    user::write(len_at, &(bytes.len() as u32))
}

/// Reads a time-out (SO_RCVTIMEO, SO_SNDTIMEO): ns, 0 for none.
pub(super) fn read_timeout(at: usize, len: u32) -> Result<u64> {
    if len < 16 {
        return Err(EINVAL);
    }
    let [seconds, micros]: [i64; 2] = user::read(at)?;
    if !(0..1_000_000).contains(&micros) {
        return Err(EDOM);
    }
    Ok((seconds.max(0) as u64).saturating_mul(1_000_000_000).saturating_add(micros as u64 * 1000))
}

/// A time-out as `struct timeval`.
pub(super) fn timeout_bytes(ns: u64) -> Vec<u8> {
    [ns / 1_000_000_000, ns % 1_000_000_000 / 1000].map(u64::to_le_bytes).concat()
}

/// bind(2)
pub fn sys_bind(cx: &Cx<'_>, fd: i32, at: usize, len: u32) -> Result<usize> {
    match endpoint(cx, fd)? {
        Endpoint::Unix(_, socket) => socket.bind(read_address(at, len)?).map(|()| 0),
        Endpoint::Internet(internet) => internet.bind(at, len),
        Endpoint::Netlink(netlink) => netlink.bind(at, len),
        Endpoint::Packets(packets) => packets.bind(at, len),
    }
}

/// listen(2)
pub fn sys_listen(cx: &Cx<'_>, fd: i32, backlog: i32) -> Result<usize> {
    match endpoint(cx, fd)? {
        Endpoint::Unix(_, socket) => socket.listen(backlog).map(|()| 0),
        Endpoint::Internet(internet) => internet.listen(backlog),
        Endpoint::Netlink(_) | Endpoint::Packets(_) => Err(EOPNOTSUPP),
    }
}

/// connect(2)
pub fn sys_connect(cx: &Cx<'_>, fd: i32, at: usize, len: u32) -> Result<usize> {
    match endpoint(cx, fd)? {
        Endpoint::Unix(file, socket) => socket.connect(&read_address(at, len)?, file.nonblocking()).map(|()| 0),
        Endpoint::Internet(internet) => internet.connect(at, len),
        Endpoint::Netlink(netlink) => netlink.connect(at, len),
        Endpoint::Packets(_) => Err(EOPNOTSUPP),
    }
}

/// accept(2)
pub fn sys_accept(cx: &Cx<'_>, fd: i32, at: usize, len_at: usize) -> Result<usize> {
    sys_accept4(cx, fd, at, len_at, 0)
}

/// accept4(2)
pub fn sys_accept4(cx: &Cx<'_>, fd: i32, at: usize, len_at: usize, flags: u32) -> Result<usize> {
    cx.real_file(fd)?;
    sockets::SOCKET.check(flags)?;
    let (file, listener) = match endpoint(cx, fd)? {
        Endpoint::Unix(file, listener) => (file, listener),
        Endpoint::Internet(internet) => return internet.accept(cx, at, len_at, flags),
        Endpoint::Netlink(_) | Endpoint::Packets(_) => return Err(EOPNOTSUPP),
    };
    if listener.kind == Kind::Datagram {
        return Err(EOPNOTSUPP);
    }
    let accepted = listener.accept(file.nonblocking())?;
    let peer = accepted.peer()?;
    let new = install(cx, accepted, flags)?;
    if let Err(error) = write_name(&Address::to_bytes(peer.name.as_ref()), at, len_at) {
        let _ = cx.process.files().close(new);
        return Err(error);
    }
    Ok(new as usize)
}

/// getsockname(2)
pub fn sys_getsockname(cx: &Cx<'_>, fd: i32, at: usize, len_at: usize) -> Result<usize> {
    let name = match endpoint(cx, fd)? {
        Endpoint::Unix(_, socket) => Address::to_bytes(socket.name().as_ref()),
        Endpoint::Internet(internet) => internet.name(),
        Endpoint::Netlink(netlink) => netlink.name(),
        Endpoint::Packets(packets) => packets.name(),
    };
    if at == 0 {
        return Err(EFAULT);
    }
    write_name(&name, at, len_at)?;
    Ok(0)
}

/// getpeername(2)
pub fn sys_getpeername(cx: &Cx<'_>, fd: i32, at: usize, len_at: usize) -> Result<usize> {
    let name = match endpoint(cx, fd)? {
        Endpoint::Unix(_, socket) => Address::to_bytes(socket.peer()?.name.as_ref()),
        Endpoint::Internet(internet) => internet.peer()?,
        Endpoint::Netlink(netlink) => netlink.peer(),
        Endpoint::Packets(_) => return Err(EOPNOTSUPP),
    };
    if at == 0 {
        return Err(EFAULT);
    }
    write_name(&name, at, len_at)?;
    Ok(0)
}

/// shutdown(2)
pub fn sys_shutdown(cx: &Cx<'_>, fd: i32, how: i32) -> Result<usize> {
    let endpoint = endpoint(cx, fd)?;
    sockets::SHUTDOWN.check(how as u32)?;
    match endpoint {
        Endpoint::Unix(_, socket) => socket.shutdown(how).map(|()| 0),
        Endpoint::Internet(internet) => internet.shutdown(how),
        Endpoint::Netlink(_) | Endpoint::Packets(_) => Err(EOPNOTSUPP),
    }
}

/// sendto(2)
pub fn sys_sendto(cx: &Cx<'_>, fd: i32, buf: usize, len: usize, flags: u32, to: usize, to_len: u32) -> Result<usize> {
    let mut source = IoSource::user(buf, len);
    let (file, socket) = match endpoint(cx, fd)? {
        Endpoint::Unix(file, socket) => (file, socket),
        Endpoint::Internet(internet) => return internet.send(&mut source, flags, to, to_len),
        Endpoint::Netlink(netlink) => return netlink.send(&mut source, flags, to, to_len),
        Endpoint::Packets(packets) => return packets.send(&mut source, flags, to, to_len),
    };
    sockets::UNIX_SEND.check(flags)?;
    let to = if to == 0 { None } else { Some(read_address(to, to_len)?) };
    let nonblocking = file.nonblocking() || flags & MSG_DONTWAIT != 0;
    socket.send(&mut source, Ancillary::default(), to.as_ref(), nonblocking, flags & MSG_NOSIGNAL != 0, flags & MSG_OOB != 0)
}

/// recvfrom(2)
pub fn sys_recvfrom(cx: &Cx<'_>, fd: i32, buf: usize, len: usize, flags: u32, from: usize, from_len: usize) -> Result<usize> {
    let mut sink = IoSink::user(buf, len);
    let (file, socket) = match endpoint(cx, fd)? {
        Endpoint::Unix(file, socket) => (file, socket),
        Endpoint::Internet(internet) => return internet.receive(&mut sink, flags, from, from_len),
        Endpoint::Netlink(netlink) => return netlink.receive(&mut sink, flags, from, from_len),
        Endpoint::Packets(packets) => return packets.receive(&mut sink, flags, from, from_len),
    };
    sockets::UNIX_RECEIVE.check(flags)?;
    if flags & MSG_OOB != 0 {
        let copied = socket.receive_urgent(&mut sink, flags & MSG_PEEK != 0)?;
        if from != 0 {
            write_name(&[], from, from_len)?;
        }
        return Ok(copied.unwrap_or(0));
    }
    let nonblocking = file.nonblocking() || flags & MSG_DONTWAIT != 0;
    let (copied, whole, ancillary) = socket.receive(&mut sink, nonblocking, flags & MSG_PEEK != 0, flags & MSG_WAITALL != 0)?;
    if from != 0 {
        if socket.kind == Kind::Datagram {
            write_name(&Address::to_bytes(ancillary.from.as_ref()), from, from_len)?;
        } else {
            write_name(&[], from, from_len)?;
        }
    }
    Ok(if flags & MSG_TRUNC != 0 && socket.kind != Kind::Stream { whole } else { copied })
}

/// `struct msghdr`.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct MsgHdr {
    pub(super) name: usize,
    pub(super) name_len: u32,
    pub(super) pad: u32,
    pub(super) iov: usize,
    pub(super) iov_len: usize,
    pub(super) control: usize,
    pub(super) control_len: usize,
    pub(super) flags: u32,
    pub(super) pad2: u32,
}

pub(super) fn read_iovs(at: usize, count: usize) -> Result<Vec<(usize, usize)>> {
    if count > MAX_IOV {
        return Err(EMSGSIZE);
    }
    let raw = user::read_vec::<[usize; 2]>(at, count)?;
    let mut total = 0usize;
    for [_, len] in &raw {
        total = total.checked_add(*len).filter(|t| *t <= isize::MAX as usize).ok_or(EINVAL)?;
    }
    Ok(raw.into_iter().map(|[base, len]| (base, len)).collect())
}

/// The control messages of a `struct msghdr` (`cmsg(3)`): level, type and data.
///
/// # Errors
/// `ENOBUFS` for too many, `EINVAL` for a length that is none, `EFAULT`.
pub(super) fn read_controls(at: usize, len: usize) -> Result<Vec<(i32, i32, Vec<u8>)>> {
    /// `struct cmsghdr`
    const HEADER: usize = 16;
    if len > 64 << 10 {
        return Err(ENOBUFS);
    }
    let bytes = user::read_bytes(at, len)?;
    let word = |i: usize| bytes.get(i..i + 4).map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    let mut controls = Vec::new();
    let mut i = 0;
    while i + HEADER <= bytes.len() {
        let cmsg_len = word(i) as usize | (word(i + 4) as usize) << 32;
        if cmsg_len < HEADER || cmsg_len > bytes.len() - i {
            return Err(EINVAL);
        }
        controls.push((word(i + 8) as i32, word(i + 12) as i32, bytes[i + HEADER..i + cmsg_len].to_vec()));
        i += cmsg_len.next_multiple_of(8);
    }
    Ok(controls)
}

fn read_control(cx: &Cx<'_>, at: usize, len: usize) -> Result<Ancillary> {
    let mut ancillary = Ancillary::default();
    for (level, kind, data) in read_controls(at, len)? {
        let word = |i: usize| data.get(i..i + 4).map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        if level == SOL_SOCKET {
            match kind {
                SCM_RIGHTS => {
                    let count = data.len() / 4;
                    if ancillary.files.len() + count > MAX_FDS {
                        return Err(EINVAL);
                    }
                    for n in 0..count {
                        ancillary.files.push(cx.process.files().get(word(n * 4) as i32)?);
                    }
                }
                SCM_CREDENTIALS => {
                    if data.len() < 12 {
                        return Err(EINVAL);
                    }
                    let (pid, uid, gid) = (word(0), word(4), word(8));
                    let creds = cx.thread.creds();
                    let uid = creds.user.uid_in(uid).ok_or(EINVAL)?;
                    let gid = creds.user.gid_in(gid).ok_or(EINVAL)?;
                    let is_own = pid == cx.process.own_pid();
                    let pid = crate::task::pid_ns::meant(pid)?;
                    let honest = (is_own || creds.has_in(Capability::SYS_ADMIN, &cx.process.pid_ns.user))
                        && ([creds.uid, creds.euid, creds.suid].contains(&uid) || creds.has_own(Capability::SETUID))
                        && ([creds.gid, creds.egid, creds.sgid].contains(&gid) || creds.has_own(Capability::SETGID));
                    if !honest {
                        return Err(EPERM);
                    }
                    ancillary.credentials = Some((pid, uid, gid));
                }
                _ => return Err(EINVAL),
            }
        }
    }
    Ok(ancillary)
}

/// sendmsg(2)
pub fn sys_sendmsg(cx: &Cx<'_>, fd: i32, at: usize, flags: u32) -> Result<usize> {
    sockets::MESSAGE.check(flags)?;
    match endpoint(cx, fd)? {
        Endpoint::Unix(file, socket) => send_message(cx, &file, &socket, &user::read(at)?, flags),
        Endpoint::Internet(internet) => internet.send_message(&user::read(at)?, flags),
        Endpoint::Netlink(netlink) => netlink.send_message(&user::read(at)?, flags),
        Endpoint::Packets(packets) => packets.send_message(&user::read(at)?, flags),
    }
}

fn send_message(cx: &Cx<'_>, file: &OpenFile, socket: &Socket, header: &MsgHdr, flags: u32) -> Result<usize> {
    sockets::UNIX_SEND.check(flags)?;
    let iovs = read_iovs(header.iov, header.iov_len)?;
    let ancillary = if header.control_len > 0 { read_control(cx, header.control, header.control_len)? } else { Ancillary::default() };
    let to = if header.name == 0 || header.name_len == 0 { None } else { Some(read_address(header.name, header.name_len)?) };
    let nonblocking = file.nonblocking() || flags & MSG_DONTWAIT != 0;
    socket.send(&mut IoSource::user_vec(iovs), ancillary, to.as_ref(), nonblocking, flags & MSG_NOSIGNAL != 0, flags & MSG_OOB != 0)
}

/// `struct mmsghdr`: a header and the length sent or received.
const MMSGHDR: usize = size_of::<MsgHdr>() + 8;

/// sendmmsg(2)
pub fn sys_sendmmsg(cx: &Cx<'_>, fd: i32, at: usize, count: u32, flags: u32) -> Result<usize> {
    sockets::MESSAGE.check(flags)?;
    let mut done = 0;
    for i in 0..(count as usize).min(MAX_IOV) {
        let here = at.wrapping_add(i * MMSGHDR);
        let sent = sys_sendmsg(cx, fd, here, flags);
        match sent {
            Ok(len) => user::write(here + size_of::<MsgHdr>(), &(len as u32))?,
            Err(error) if done == 0 => return Err(error),
            Err(_) => break,
        }
        done += 1;
    }
    Ok(done)
}

/// Builds the control message area; returns bytes and whether something was cut off.
fn build_control(cx: &Cx<'_>, socket: &Socket, ancillary: &Ancillary, room: usize, cloexec: bool) -> (Vec<u8>, bool) {
    let mut out: Vec<u8> = Vec::new();
    let mut cut = false;
    let put = |out: &mut Vec<u8>, kind: i32, data: &[u8]| {
        let len = 16 + data.len();
        out.extend_from_slice(&(len as u64).to_le_bytes());
        out.extend_from_slice(&SOL_SOCKET.to_le_bytes());
        out.extend_from_slice(&kind.to_le_bytes());
        out.extend_from_slice(data);
        while out.len() % 8 != 0 && out.len() < room {
            out.push(0);
        }
    };
    if let (true, Some((pid, uid, gid))) = (socket.pass_credentials.load(Ordering::Relaxed), ancillary.credentials) {
        if room >= 28 {
            let mut data = Vec::new();
            let user = crate::task::user_ns::current();
            for word in [crate::task::pid_ns::seen(pid), user.uid_out(uid), user.gid_out(gid)] {
                data.extend_from_slice(&word.to_le_bytes());
            }
            put(&mut out, SCM_CREDENTIALS, &data);
        } else {
            cut = true;
        }
    }
    if !ancillary.files.is_empty() {
        let fits = room.saturating_sub(out.len() + 16) / 4;
        let mut data = Vec::new();
        let fd_flags = if cloexec { FdFlags::CLOEXEC } else { FdFlags::empty() };
        for file in ancillary.files.iter().take(fits) {
            match cx.process.files().insert(file.clone(), fd_flags) {
                Ok(fd) => data.extend_from_slice(&fd.to_le_bytes()),
                Err(_) => {
                    cut = true;
                    break;
                }
            }
        }
        cut |= fits < ancillary.files.len();
        if !data.is_empty() {
            put(&mut out, SCM_RIGHTS, &data);
        }
    }
    (out, cut)
}

/// recvmsg(2)
pub fn sys_recvmsg(cx: &Cx<'_>, fd: i32, at: usize, flags: u32) -> Result<usize> {
    sockets::MESSAGE.check(flags)?;
    match endpoint(cx, fd)? {
        Endpoint::Unix(file, socket) => receive_message(cx, &file, &socket, at, flags),
        Endpoint::Internet(internet) => internet.receive_message(at, flags),
        Endpoint::Netlink(netlink) => netlink.receive_message(at, flags),
        Endpoint::Packets(packets) => packets.receive_message(at, flags),
    }
}

fn receive_message(cx: &Cx<'_>, file: &OpenFile, socket: &Socket, at: usize, flags: u32) -> Result<usize> {
    sockets::UNIX_RECEIVE.check(flags)?;
    let mut header: MsgHdr = user::read(at)?;
    let iovs = read_iovs(header.iov, header.iov_len)?;
    let nonblocking = file.nonblocking() || flags & MSG_DONTWAIT != 0;
    let mut sink = IoSink::user_vec(iovs);
    if flags & MSG_OOB != 0 {
        let copied = socket.receive_urgent(&mut sink, flags & MSG_PEEK != 0)?;
        header.control_len = 0;
        header.name_len = 0;
        header.flags = flags & MSG_CMSG_CLOEXEC | MSG_OOB | if copied.is_some() { 0 } else { MSG_TRUNC };
        user::write(at, &header)?;
        return Ok(copied.unwrap_or(0));
    }
    let (copied, whole, ancillary) = socket.receive(&mut sink, nonblocking, flags & MSG_PEEK != 0, flags & MSG_WAITALL != 0)?;
    let room = if header.control == 0 { 0 } else { header.control_len };
    let (control, cut) = build_control(cx, socket, &ancillary, room, flags & MSG_CMSG_CLOEXEC != 0);
    if !control.is_empty() {
        frame::user::copy_to_user(header.control as u64, &control)?;
    }
    header.control_len = control.len();
    header.flags = flags & MSG_CMSG_CLOEXEC;
    if cut {
        header.flags |= MSG_CTRUNC;
    }
    if ancillary.truncated {
        header.flags |= MSG_TRUNC;
    }
    if header.name != 0 {
        if socket.kind == Kind::Datagram {
            let bytes = Address::to_bytes(ancillary.from.as_ref());
            let shown = bytes.len().min(header.name_len as usize);
            frame::user::copy_to_user(header.name as u64, &bytes[..shown])?;
            header.name_len = bytes.len() as u32;
        } else {
            header.name_len = 0;
        }
    }
    user::write(at, &header)?;
    Ok(if flags & MSG_TRUNC != 0 && socket.kind != Kind::Stream { whole } else { copied })
}

/// recvmmsg(2)
pub fn sys_recvmmsg(cx: &Cx<'_>, fd: i32, at: usize, count: u32, flags: u32, timeout: usize) -> Result<usize> {
    const MSG_WAITFORONE: u32 = 0x1_0000;
    sockets::MESSAGE.check(flags)?;
    let deadline = if timeout == 0 { None } else { Some(frame::time::now_ns().saturating_add(user::read::<super::time::TimeSpec>(timeout)?.to_ns()?)) };
    let mut done = 0;
    let mut flags = flags;
    for i in 0..(count as usize).min(MAX_IOV) {
        let here = at.wrapping_add(i * MMSGHDR);
        match sys_recvmsg(cx, fd, here, flags & !MSG_WAITFORONE) {
            Ok(len) => user::write(here + size_of::<MsgHdr>(), &(len as u32))?,
            Err(error) if done == 0 => return Err(error),
            Err(_) => break,
        }
        done += 1;
        if flags & MSG_WAITFORONE != 0 {
            flags |= MSG_DONTWAIT;
        }
        if deadline.is_some_and(|d| frame::time::now_ns() >= d) {
            break;
        }
    }
    Ok(done)
}

const SO_TYPE: i32 = 3;
const SO_ERROR: i32 = 4;
const SO_SNDBUF: i32 = 7;
const SO_RCVBUF: i32 = 8;
const SO_SNDBUFFORCE: i32 = 32;
const SO_RCVBUFFORCE: i32 = 33;
const SO_OOBINLINE: i32 = 10;
const SO_PASSCRED: i32 = 16;
const SO_PEERCRED: i32 = 17;
const SO_RCVTIMEO: i32 = 20;
const SO_SNDTIMEO: i32 = 21;
const SO_ACCEPTCONN: i32 = 30;
const SO_PROTOCOL: i32 = 38;
const SO_DOMAIN: i32 = 39;

/// How many bytes of an option the caller takes.
fn room(len_at: usize) -> Result<usize> {
    let room: i32 = user::read(len_at)?;
    usize::try_from(room).map_err(|_| EINVAL)
}

/// getsockopt(2)
pub fn sys_getsockopt(cx: &Cx<'_>, fd: i32, level: i32, option: i32, at: usize, len_at: usize) -> Result<usize> {
    let bytes = match endpoint(cx, fd)? {
        Endpoint::Unix(_, socket) => unix_option(&socket, level, option)?,
        Endpoint::Internet(internet) => internet.option(level, option)?,
        Endpoint::Netlink(netlink) => netlink.option(level, option)?,
        Endpoint::Packets(packets) => packets.option(level, option, at, room(len_at)?)?,
    };
    let room = room(len_at)?;
    let shown = bytes.len().min(room);
    frame::user::copy_to_user(at as u64, &bytes[..shown])?;
    user::write(len_at, &(shown as u32))?;
    Ok(0)
}

fn unix_option(socket: &Socket, level: i32, option: i32) -> Result<Vec<u8>> {
    if level != SOL_SOCKET {
        return Err(EOPNOTSUPP);
    }
    let word = |value: u32| value.to_le_bytes().to_vec();
    Ok(match option {
        SO_TYPE => word(match socket.kind {
            Kind::Stream => 1,
            Kind::Datagram => 2,
            Kind::SeqPacket => 5,
        }),
        // Nothing is ever pending: errors are returned by the call that meets them.
        SO_ERROR | SO_PROTOCOL => word(0),
        SO_SNDBUF | SO_RCVBUF => word(socket.send_buffer.load(Ordering::Relaxed)),
        SO_PASSCRED => word(socket.pass_credentials.load(Ordering::Relaxed).into()),
        SO_PEERCRED => {
            let peer = socket.peer().unwrap_or(crate::ipc::unix::Peer { pid: 0, uid: u32::MAX, gid: u32::MAX, name: None });
            let user = crate::task::user_ns::current();
            let [uid, gid] = if peer.pid == 0 { [peer.uid, peer.gid] } else { [user.uid_out(peer.uid), user.gid_out(peer.gid)] };
            [crate::task::pid_ns::seen(peer.pid), uid, gid].iter().flat_map(|v| v.to_le_bytes()).collect()
        }
        SO_RCVTIMEO => timeout_bytes(socket.receive_timeout_ns.load(Ordering::Relaxed)),
        SO_SNDTIMEO => timeout_bytes(socket.send_timeout_ns.load(Ordering::Relaxed)),
        SO_ACCEPTCONN => word(socket.is_listening().into()),
        SO_DOMAIN => word(AF_UNIX as u32),
        SO_OOBINLINE => word(socket.is_inline().into()),
        // REUSEADDR, DONTROUTE, BROADCAST, KEEPALIVE, PRIORITY, LINGER, REUSEPORT: off
        2 | 5 | 6 | 9 | 12 | 15 => word(0),
        13 => alloc::vec![0; 8],
        _ => return Err(ENOPROTOOPT),
    })
}

/// setsockopt(2)
pub fn sys_setsockopt(cx: &Cx<'_>, fd: i32, level: i32, option: i32, at: usize, len: u32) -> Result<usize> {
    match endpoint(cx, fd)? {
        Endpoint::Unix(_, socket) => set_unix_option(&socket, level, option, at, len),
        Endpoint::Internet(internet) => internet.set_option(level, option, at, len),
        Endpoint::Netlink(netlink) => netlink.set_option(cx, level, option, at, len),
        Endpoint::Packets(packets) => packets.set_option(cx, level, option, at, len),
    }
}

fn set_unix_option(socket: &Socket, level: i32, option: i32, at: usize, len: u32) -> Result<usize> {
    if level != SOL_SOCKET {
        return Err(EOPNOTSUPP);
    }
    let word = || -> Result<u32> { if len < 4 { Err(EINVAL) } else { user::read(at) } };
    match option {
        SO_PASSCRED => socket.pass_credentials.store(word()? != 0, Ordering::Relaxed),
        SO_SNDBUF | SO_RCVBUF => {
            // Linux doubles what is asked, within limits; the real limit here is fixed.
            let asked = word()?.saturating_mul(2).clamp(4608, 425_984);
            socket.send_buffer.store(asked, Ordering::Relaxed);
        }
        SO_SNDBUFFORCE | SO_RCVBUFFORCE => {
            if !socket.net.capable(crate::task::Capability::NET_ADMIN) {
                return Err(EPERM);
            }
            socket.send_buffer.store(word()?.clamp(0, i32::MAX as u32 / 2) * 2, Ordering::Relaxed);
        }
        SO_RCVTIMEO | SO_SNDTIMEO => {
            let ns = read_timeout(at, len)?;
            let slot = if option == SO_RCVTIMEO { &socket.receive_timeout_ns } else { &socket.send_timeout_ns };
            slot.store(ns, Ordering::Relaxed);
        }
        SO_OOBINLINE => socket.set_inline(word()? != 0),
        // REUSEADDR, DONTROUTE, BROADCAST, KEEPALIVE, PRIORITY, LINGER, REUSEPORT: no effect on AF_UNIX, as on Linux
        2 | 5 | 6 | 9 | 12 | 13 | 15 => {
            word()?;
        }
        SO_TYPE | SO_ERROR | SO_ACCEPTCONN | SO_PROTOCOL | SO_DOMAIN | SO_PEERCRED => return Err(ENOPROTOOPT),
        _ => return Err(ENOPROTOOPT),
    }
    Ok(0)
}
