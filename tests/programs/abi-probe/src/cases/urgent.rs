//! Urgent data (MSG_OOB) on streams: TCP within the machine, and AF_UNIX.

use super::util::*;
use crate::{cases, sys};

const SIOCATMARK: u32 = 0x8905;

/// Both ends of a TCP connection.
fn tcp() -> [i32; 2] {
    let listener = sys!(SYS_socket, AF_INET, SOCK_STREAM, 0) as i32;
    sys!(SYS_listen, listener, 1);
    let mut address = [0u8; 16];
    let mut len = 16u32;
    sys!(SYS_getsockname, listener, address.as_mut_ptr(), &raw mut len);
    address[4..8].copy_from_slice(&[127, 0, 0, 1]);
    let client = sys!(SYS_socket, AF_INET, SOCK_STREAM, 0) as i32;
    assert_eq!(sys!(SYS_connect, client, address.as_ptr(), 16), 0, "to connect");
    [client, sys!(SYS_accept, listener, 0, 0) as i32]
}

fn unix() -> [i32; 2] {
    let mut s = [0; 2];
    assert_eq!(sys!(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, s.as_mut_ptr()), 0);
    s
}

fn send(fd: i32, data: &[u8], flags: i32) -> i64 {
    sys!(SYS_sendto, fd, data.as_ptr(), data.len(), flags, 0, 0)
}

fn receive(fd: i32, len: usize, flags: i32) -> String {
    let mut buf = [0u8; 64];
    match sys!(SYS_recvfrom, fd, buf.as_mut_ptr(), len, flags | MSG_DONTWAIT, 0, 0) {
        -1 => error(),
        n => format!("{:?}", String::from_utf8_lossy(&buf[..n as usize])),
    }
}

/// Through recvmsg: what came, and its flags.
fn message(fd: i32, len: usize, flags: i32) -> String {
    let mut buf = [0u8; 64];
    let mut iov = iovec { iov_base: buf.as_mut_ptr().cast(), iov_len: len };
    // SAFETY: a plain structure.
    let mut header: msghdr = unsafe { std::mem::zeroed() };
    header.msg_iov = &raw mut iov;
    header.msg_iovlen = 1;
    match sys!(SYS_recvmsg, fd, &raw mut header, flags | MSG_DONTWAIT) {
        -1 => error(),
        n => format!("{:?} {:#x}", String::from_utf8_lossy(&buf[..n as usize]), header.msg_flags & (MSG_OOB | MSG_TRUNC)),
    }
}

fn at_mark(fd: i32) -> String {
    let mut at = -1i32;
    match sys!(SYS_ioctl, fd, SIOCATMARK, &raw mut at) {
        -1 => error(),
        _ => at.to_string(),
    }
}

fn waiting(fd: i32) -> i32 {
    let mut n = -1i32;
    sys!(SYS_ioctl, fd, FIONREAD, &raw mut n);
    n
}

fn ready(fd: i32) -> String {
    let mut p = pollfd { fd, events: POLLIN | POLLPRI, revents: 0 };
    sys!(SYS_poll, &raw mut p, 1, 100);
    format!("{:#x}", p.revents)
}

fn inline(fd: i32, on: i32) -> i64 {
    sys!(SYS_setsockopt, fd, SOL_SOCKET, SO_OOBINLINE, &raw const on, 4)
}

/// Whether SIGURG comes within so long.
fn signalled(within_ms: i64) -> String {
    let (set, span) = (1u64 << (SIGURG - 1), ms(within_ms));
    match sys!(SYS_rt_sigtimedwait, &raw const set, 0, &raw const span, 8) {
        -1 => error(),
        signal => signal.to_string(),
    }
}

cases! { "urgent";
    "tcp-in-between" => |o| { let [a, b] = tcp(); o.s(ready(b)); o.s(receive(b, 1, MSG_OOB)); o.v(send(a, b"ab", 0)); o.v(send(a, b"cd!", MSG_OOB)); o.v(send(a, b"ef", 0)); o.s(ready(b)); o.s(waiting(b)); o.s(at_mark(b)); o.s(receive(b, 64, 0)); o.s(at_mark(b)); o.s(waiting(b)); o.s(ready(b)); o.s(receive(b, 1, MSG_OOB | MSG_PEEK)); o.s(receive(b, 1, MSG_OOB)); o.s(receive(b, 1, MSG_OOB)); o.s(ready(b)); o.s(receive(b, 64, 0)); o.s(at_mark(b)); o.s(receive(b, 64, 0)); o.s(receive(b, 1, MSG_OOB)); }
    "tcp-inline" => |o| { let [a, b] = tcp(); o.v(inline(b, 1)); send(a, b"ab!", MSG_OOB); send(a, b"cd", 0); o.s(ready(b)); o.s(waiting(b)); o.s(receive(b, 1, MSG_OOB)); o.s(receive(b, 64, 0)); o.s(at_mark(b)); o.s(receive(b, 64, 0)); o.s(at_mark(b)); o.s(ready(b)); }
    "tcp-passed-by" => |o| { let [a, b] = tcp(); send(a, b"a!", MSG_OOB); send(a, b"bc", 0); o.s(receive(b, 64, MSG_PEEK)); o.s(receive(b, 64, 0)); o.s(receive(b, 64, 0)); o.s(receive(b, 1, MSG_OOB)); send(a, b"!", MSG_OOB); o.s(ready(b)); o.s(at_mark(b)); o.s(receive(b, 64, 0)); o.s(at_mark(b)); o.s(receive(b, 1, MSG_OOB)); }
    "tcp-twice" => |o| { let [a, b] = tcp(); send(a, b"a1", MSG_OOB); send(a, b"b2", MSG_OOB); send(a, b"c", 0); o.s(receive(b, 64, 0)); o.s(receive(b, 1, MSG_OOB)); o.s(receive(b, 64, 0)); }
    "tcp-messages" => |o| { let [a, b] = tcp(); send(a, b"a!", MSG_OOB); o.s(message(b, 0, MSG_OOB | MSG_PEEK)); o.s(message(b, 4, MSG_OOB)); o.s(message(b, 4, 0)); o.v(send(a, b"", MSG_OOB)); o.s(ready(b)); }
    "tcp-signal" => |o| { let [a, b] = tcp(); block(&[SIGURG]); o.v(send(a, b"!", MSG_OOB)); o.s(signalled(100)); o.v(sys!(SYS_fcntl, b, F_SETOWN, sys!(SYS_getpid))); send(a, b"!", MSG_OOB); o.s(signalled(5000)); }
    "tcp-waits-for-more" => |o| { let [a, b] = tcp(); send(a, b"!", MSG_OOB); let pid = spawn(|| { std::thread::sleep(std::time::Duration::from_millis(200)); send(a, b"later", 0); 0 }); o.s(read(b)); reap(pid); o.s(receive(b, 1, MSG_OOB)); }
    "tcp-on-no-connection" => |o| { let s = sys!(SYS_socket, AF_INET, SOCK_STREAM, 0) as i32; o.s(receive(s, 1, MSG_OOB)); block(&[SIGPIPE]); o.v(send(s, b"!", MSG_OOB)); o.s(at_mark(s)); let u = sys!(SYS_socket, AF_INET, SOCK_DGRAM, 0) as i32; o.s(at_mark(u)); let [a, b] = tcp(); send(a, b"a!", MSG_OOB); close(a); o.s(receive(b, 64, 0)); o.s(receive(b, 1, MSG_OOB)); o.s(receive(b, 64, 0)); }
    "unix-in-between" => |o| { let [a, b] = unix(); o.s(ready(b)); o.s(receive(b, 1, MSG_OOB)); o.v(send(a, b"ab", 0)); o.v(send(a, b"cd!", MSG_OOB)); o.v(send(a, b"ef", 0)); o.s(ready(b)); o.s(at_mark(b)); o.s(receive(b, 64, 0)); o.s(at_mark(b)); o.s(receive(b, 1, MSG_OOB | MSG_PEEK)); o.s(receive(b, 1, MSG_OOB)); o.s(receive(b, 1, MSG_OOB)); o.s(ready(b)); o.s(receive(b, 64, 0)); }
    "unix-inline" => |o| { let [a, b] = unix(); o.v(inline(b, 1)); send(a, b"ab!", MSG_OOB); send(a, b"cd", 0); o.s(ready(b)); o.s(receive(b, 1, MSG_OOB)); o.s(receive(b, 64, 0)); o.s(at_mark(b)); o.s(receive(b, 64, 0)); o.s(at_mark(b)); }
    "unix-passed-by" => |o| { let [a, b] = unix(); send(a, b"a!", MSG_OOB); send(a, b"bc", 0); o.s(receive(b, 64, 0)); o.s(receive(b, 64, 0)); o.s(receive(b, 1, MSG_OOB)); }
    "unix-refused" => |o| { let [a, b] = unix(); o.v(send(a, b"", MSG_OOB)); o.s(receive(b, 1, MSG_OOB)); let mut s = [0; 2]; for kind in [SOCK_DGRAM, SOCK_SEQPACKET] { sys!(SYS_socketpair, AF_UNIX, kind, 0, s.as_mut_ptr()); o.v(send(s[0], b"!", MSG_OOB)); o.s(receive(s[1], 1, MSG_OOB)); } close(b); block(&[SIGPIPE]); o.v(send(a, b"!", MSG_OOB)); }
    "unix-signal" => |o| { let [a, b] = unix(); block(&[SIGURG]); o.v(sys!(SYS_fcntl, b, F_SETOWN, sys!(SYS_getpid))); send(a, b"!", MSG_OOB); o.s(signalled(5000)); o.s(message(b, 4, MSG_OOB)); }
}
