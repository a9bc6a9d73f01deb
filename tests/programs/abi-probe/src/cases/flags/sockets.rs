//! Flags of calls on sockets.

use super::super::util::*;
use super::{bits, made, values};
use crate::{cases, sys};

/// `MSG_OOB`, which AF_UNIX does not have.
const OOB: u32 = 1;
/// The flags of messages that only 32-bit programs send, and those that later kernels keep for themselves.
const INTERNAL: u32 = 0x0818_0000 | 0x8000_0000;

fn pair(kind: i32) -> [i32; 2] {
    let mut fds = [0; 2];
    sys!(SYS_socketpair, AF_UNIX, kind, 0, fds.as_mut_ptr());
    fds
}
fn receive(o: &mut crate::harness::Out, without: u32, fd: i64) {
    let mut b = [0u8; 4];
    bits(o, without | INTERNAL, |f| sys!(SYS_recvfrom, fd, b.as_mut_ptr(), 4, f | MSG_DONTWAIT as u32, 0, 0));
}

cases! { "flags-sockets";
    "socket" => |o| { for family in [AF_UNIX, AF_INET, AF_NETLINK, 77] { bits(o, 0xf, |f| made(sys!(SYS_socket, family, f | SOCK_DGRAM as u32, 0))); } values(o, &[], |kind| made(sys!(SYS_socket, AF_UNIX, kind, 0))); }
    "socketpair" => |o| { let mut fds = [0i32; 2]; for family in [AF_UNIX, AF_INET, AF_NETLINK, 77] { bits(o, 0xf, |f| { let r = sys!(SYS_socketpair, family, f | SOCK_DGRAM as u32, 0, fds.as_mut_ptr()); if r == 0 { close(fds[0]); close(fds[1]); } r }); } }
    "accept4" => |o| { let s = sys!(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0); bits(o, 0, |f| sys!(SYS_accept4, s, 0, 0, f)); bits(o, 0, |f| sys!(SYS_accept4, -1, 0, 0, f)); bits(o, 0, |f| sys!(SYS_accept4, pipe(0)[0], 0, 0, f)); }
    "shutdown" => |o| { let p = pair(SOCK_STREAM); values(o, &[], |how| sys!(SYS_shutdown, p[0], how)); }
    "send-unix" => |o| { for kind in [SOCK_DGRAM, SOCK_SEQPACKET] { let p = pair(kind); bits(o, INTERNAL, |f| { let r = sys!(SYS_sendto, p[0], b"x".as_ptr(), 1, f | MSG_DONTWAIT as u32, 0, 0); if r > 0 { read(p[1]); } r }); } }
    "send-unix-stream" => |o| { let p = pair(SOCK_STREAM); bits(o, OOB | INTERNAL, |f| sys!(SYS_sendto, p[0], b"x".as_ptr(), 1, f | MSG_DONTWAIT as u32, 0, 0)); o.s(read(p[1])); }
    "receive-unix" => |o| { let p = pair(SOCK_DGRAM); receive(o, 0, p[0].into()); let p = pair(SOCK_STREAM); receive(o, OOB, p[0].into()); }
    "receive-udp" => |o| { let s = sys!(SYS_socket, AF_INET, SOCK_DGRAM, 0); receive(o, 0, s); }
    "receive-netlink" => |o| { let s = sys!(SYS_socket, AF_NETLINK, SOCK_RAW, 0); receive(o, 0, s); }
    "messages" => |o| {
        let p = pair(SOCK_DGRAM); let mut b = [0u8; 4]; let iov = [b.as_mut_ptr() as usize, 4]; let header = [0usize, 0, iov.as_ptr() as usize, 1, 0, 0, 0]; let mut many = [0usize; 8]; many[..7].copy_from_slice(&header); const COMPAT: u32 = 0x8000_0000;
        o.v(sys!(SYS_sendmsg, p[0], header.as_ptr(), COMPAT)); o.v(sys!(SYS_recvmsg, p[0], header.as_ptr(), COMPAT | MSG_DONTWAIT as u32)); o.v(sys!(SYS_sendmmsg, p[0], many.as_ptr(), 1, COMPAT)); o.v(sys!(SYS_recvmmsg, p[0], many.as_ptr(), 1, COMPAT | MSG_DONTWAIT as u32, 0));
        o.v(sys!(SYS_sendto, p[0], b.as_ptr(), 4, COMPAT, 0, 0));
    }
}
