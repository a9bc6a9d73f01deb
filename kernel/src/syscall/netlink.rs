//! Socket system calls on netlink sockets (`netlink(7)`).

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use call_flags::sockets;

use super::Cx;
use super::socket::{
    MSG_CTRUNC, MSG_DONTWAIT, MSG_PEEK, MSG_TRUNC, MsgHdr, SCM_CREDENTIALS, SOL_SOCKET, read_iovs, read_timeout, write_name,
};
use crate::error::*;
use crate::fs::{IoSink, IoSource, OpenFile};
use crate::ipc::netlink::{Address, Message, Socket};
use crate::task::Capability;
use crate::user;

const AF_NETLINK: u16 = 16;
/// Bytes of `struct sockaddr_nl`.
const ADDRESS: usize = 12;
const SOL_NETLINK: i32 = 270;

/// The family's number.
pub const FAMILY: i32 = AF_NETLINK as i32;

/// A netlink socket and its file.
pub struct Netlink {
    pub file: Arc<OpenFile>,
    pub socket: Arc<Socket>,
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

impl Netlink {
    /// bind(2)
    pub fn bind(&self, at: usize, len: u32) -> Result<usize> {
        self.socket.bind(read_address(at, len)?)?;
        Ok(0)
    }

    /// connect(2)
    pub fn connect(&self, at: usize, len: u32) -> Result<usize> {
        self.socket.connect(read_address(at, len)?)?;
        Ok(0)
    }

    /// getsockname(2): the `struct sockaddr`.
    pub fn name(&self) -> Vec<u8> {
        address_bytes(self.socket.address())
    }

    /// getpeername(2): the `struct sockaddr`.
    pub fn peer(&self) -> Vec<u8> {
        address_bytes(self.socket.destination())
    }

    fn nonblocking(&self, flags: u32) -> bool {
        self.file.nonblocking() || flags & MSG_DONTWAIT != 0
    }

    /// sendto(2)
    pub fn send(&self, src: &mut IoSource<'_>, flags: u32, to: usize, to_len: u32) -> Result<usize> {
        sockets::NETLINK_SEND.check(flags)?;
        let to = if to == 0 { None } else { Some(read_address(to, to_len)?) };
        self.socket.send(src, to)
    }

    /// recvfrom(2)
    pub fn receive(&self, dst: &mut IoSink<'_>, flags: u32, from: usize, from_len: usize) -> Result<usize> {
        sockets::NETLINK_RECEIVE.check(flags)?;
        let (copied, whole, message) = self.socket.receive(dst, self.nonblocking(flags), flags & MSG_PEEK != 0)?;
        write_name(&address_bytes(message.from), from, from_len)?;
        Ok(if flags & MSG_TRUNC != 0 { whole } else { copied })
    }

    /// sendmsg(2)
    pub fn send_message(&self, header: &MsgHdr, flags: u32) -> Result<usize> {
        sockets::NETLINK_SEND.check(flags)?;
        let to = if header.name == 0 || header.name_len == 0 { None } else { Some(read_address(header.name, header.name_len)?) };
        self.socket.send(&mut IoSource::user_vec(read_iovs(header.iov, header.iov_len)?), to)
    }

    /// recvmsg(2)
    pub fn receive_message(&self, at: usize, flags: u32) -> Result<usize> {
        let mut header: MsgHdr = user::read(at)?;
        sockets::NETLINK_RECEIVE.check(flags)?;
        let mut sink = IoSink::user_vec(read_iovs(header.iov, header.iov_len)?);
        let (copied, whole, message) = self.socket.receive(&mut sink, self.nonblocking(flags), flags & MSG_PEEK != 0)?;
        header.flags = if copied < whole { MSG_TRUNC } else { 0 };
        let room = header.name_len as usize;
        header.name_len = 0;
        if header.name != 0 {
            frame::user::copy_to_user(header.name as u64, &address_bytes(message.from)[..ADDRESS.min(room)])?;
            header.name_len = ADDRESS as u32;
        }
        let room = header.control_len;
        header.control_len = 0;
        if self.socket.pass_credentials.load(Ordering::Relaxed) {
            let bytes = credentials(&message);
            if header.control == 0 || room < bytes.len() {
                header.flags |= MSG_CTRUNC;
            } else {
                frame::user::copy_to_user(header.control as u64, &bytes)?;
                header.control_len = bytes.len().next_multiple_of(8).min(room);
            }
        }
        user::write(at, &header)?;
        Ok(if flags & MSG_TRUNC != 0 { whole } else { copied })
    }

    /// getsockopt(2): the option's bytes.
    pub fn option(&self, level: i32, option: i32) -> Result<Vec<u8>> {
        let socket = &self.socket;
        let value: u32 = match (level, option) {
            (SOL_SOCKET, SO_TYPE) => socket.kind,
            (SOL_SOCKET, SO_ERROR) => 0,
            (SOL_SOCKET, SO_SNDBUF | SO_RCVBUF) => socket.buffer.load(Ordering::Relaxed) as u32,
            (SOL_SOCKET, SO_PASSCRED) => socket.pass_credentials.load(Ordering::Relaxed).into(),
            (SOL_SOCKET, SO_PROTOCOL) => socket.protocol as u32,
            (SOL_SOCKET, SO_DOMAIN) => AF_NETLINK.into(),
            _ => return Err(ENOPROTOOPT),
        };
        Ok(value.to_le_bytes().to_vec())
    }

    /// setsockopt(2)
    pub fn set_option(&self, cx: &Cx<'_>, level: i32, option: i32, at: usize, len: u32) -> Result<usize> {
        set(cx, &self.socket, (level, option), at, len)?;
        Ok(0)
    }
}

/// A control message with the sender's credentials.
fn credentials(message: &Message) -> Vec<u8> {
    let (pid, uid, gid) = message.credentials;
    let user = crate::task::user_ns::current();
    let (pid, uid, gid) = (crate::task::pid_ns::seen(pid), user.uid_out(uid), user.gid_out(gid));
    let mut bytes = 28u64.to_le_bytes().to_vec();
    for word in [SOL_SOCKET as u32, SCM_CREDENTIALS as u32, pid, uid, gid] {
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

fn set(cx: &Cx<'_>, socket: &Socket, option: (i32, i32), at: usize, len: u32) -> Result {
    let word = || -> Result<u32> { if len < 4 { Err(EINVAL) } else { user::read(at) } };
    match option {
        (SOL_SOCKET, SO_PASSCRED) => socket.pass_credentials.store(word()? != 0, Ordering::Relaxed),
        (SOL_SOCKET, SO_RCVBUF) => {
            let asked = (word()? as usize).saturating_mul(2).clamp(BUFFER_MIN, BUFFER_MAX);
            socket.buffer.store(asked, Ordering::Relaxed);
        }
        (SOL_SOCKET, SO_RCVBUFFORCE) => {
            if !cx.thread.has_in(Capability::NET_ADMIN, &crate::ipc::network::here().user) {
                return Err(EPERM);
            }
            let asked = (word()? as usize).min(i32::MAX as usize / 2) * 2;
            socket.buffer.store(asked.max(BUFFER_MIN), Ordering::Relaxed);
        }
        // Nothing waits on the sending side: there is no buffer to limit.
        (SOL_SOCKET, SO_SNDBUF | SO_SNDBUFFORCE) => drop(word()?),
        (SOL_SOCKET, SO_RCVTIMEO) => socket.receive_timeout_ns.store(read_timeout(at, len)?, Ordering::Relaxed),
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
pub(super) fn read_filter(at: usize, len: u32) -> Result<bpf::Program> {
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
