//! AF_UNIX sockets.

use super::util::*;
use crate::{cases, sys};

fn pair(kind: i32) -> [i32; 2] {
    let mut s = [0; 2];
    assert_eq!(sys!(SYS_socketpair, AF_UNIX, kind, 0, s.as_mut_ptr()), 0);
    s
}
fn address(name: &str) -> (sockaddr_un, u32) {
    // SAFETY: a plain structure.
    let mut a: sockaddr_un = unsafe { std::mem::zeroed() };
    a.sun_family = AF_UNIX as u16;
    for (to, from) in a.sun_path.iter_mut().zip(name.bytes()) { *to = from as i8; }
    (a, 2 + name.len() as u32 + 1)
}
fn bind(fd: i32, name: &str) -> i64 {
    let (a, len) = address(name);
    sys!(SYS_bind, fd, &raw const a, len)
}
fn connect(fd: i32, name: &str) -> i64 {
    let (a, len) = address(name);
    sys!(SYS_connect, fd, &raw const a, len)
}
fn socket(kind: i32) -> i32 {
    sys!(SYS_socket, AF_UNIX, kind, 0) as i32
}

cases! { "sockets";
    "create-errors" => |o| { o.v(sys!(SYS_socket, 99, SOCK_STREAM, 0)); o.v(sys!(SYS_socket, AF_UNIX, 9, 0)); o.v(sys!(SYS_socket, AF_UNIX, SOCK_STREAM, 5)); o.v(sys!(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, BAD)); o.ok(sys!(SYS_socket, AF_UNIX, SOCK_RAW, 0)); }
    "stream-pair" => |o| { let s = pair(SOCK_STREAM); o.v(write(s[0], b"ab")); o.v(write(s[0], b"cd")); o.s(read(s[1])); close(s[0]); o.s(read(s[1])); block(&[SIGPIPE]); o.v(write(s[1], b"x")); }
    "dgram-pair" => |o| { let s = pair(SOCK_DGRAM); write(s[0], b"ab"); write(s[0], b"cd"); o.s(read(s[1])); o.s(read(s[1])); o.v(sys!(SYS_recvfrom, s[1], 0, 0, MSG_DONTWAIT, 0, 0)); let mut b = [0u8; 1]; write(s[0], b"xyz"); o.v(sys!(SYS_recvfrom, s[1], b.as_mut_ptr(), 1, MSG_TRUNC, 0, 0)); }
    "seqpacket" => |o| { let s = pair(SOCK_SEQPACKET); write(s[0], b"ab"); write(s[0], b"cd"); o.s(read(s[1])); close(s[0]); o.s(read(s[1])); o.s(read(s[1])); }
    "bind-errors" => |o| { let s = socket(SOCK_STREAM); o.v(bind(s, "sock")); o.v(bind(s, "other")); o.v(bind(socket(SOCK_STREAM), "sock")); o.v(bind(socket(SOCK_STREAM), "none/x")); let (a, _) = address("x"); o.v(sys!(SYS_bind, socket(SOCK_STREAM), &raw const a, 200)); o.v(sys!(SYS_bind, socket(SOCK_STREAM), &raw const a, 1)); o.s(format_args!("{:o}", stat(c"sock").st_mode)); let f = file(c"f", b""); o.v(bind(f, "y")); }
    "connect-errors" => |o| { o.v(connect(socket(SOCK_STREAM), "none")); file(c"f", b""); o.v(connect(socket(SOCK_STREAM), "f")); let s = socket(SOCK_STREAM); bind(s, "sock"); o.v(connect(socket(SOCK_STREAM), "sock")); o.v(connect(socket(SOCK_DGRAM), "sock")); sys!(SYS_listen, s, 1); o.v(connect(socket(SOCK_STREAM), "sock")); o.v(write(socket(SOCK_STREAM), b"x")); o.s(read(socket(SOCK_STREAM))); }
    "accept" => |o| { let s = socket(SOCK_STREAM); o.v(sys!(SYS_accept, s, 0, 0)); bind(s, "sock"); o.v(sys!(SYS_listen, s, 5)); let c = socket(SOCK_STREAM); connect(c, "sock"); let a = sys!(SYS_accept4, s, 0, 0, SOCK_CLOEXEC) as i32; o.ok(a.into()); o.v(sys!(SYS_fcntl, a, F_GETFD)); write(c, b"hi"); o.s(read(a)); o.v(connect(c, "sock")); o.v(sys!(SYS_accept4, s, 0, 0, 1)); o.v(sys!(SYS_fcntl, s, F_SETFL, O_NONBLOCK)); o.v(sys!(SYS_accept, s, 0, 0)); o.v(sys!(SYS_listen, c, 1)); o.v(sys!(SYS_accept, c, 0, 0)); }
    "names" => |o| { let s = socket(SOCK_STREAM); bind(s, "sock"); let mut a = [0u8; 110]; let mut len = 110u32; o.v(sys!(SYS_getsockname, s, a.as_mut_ptr(), &raw mut len)); o.s(len); o.s(String::from_utf8_lossy(&a[2..6])); o.v(sys!(SYS_getpeername, s, a.as_mut_ptr(), &raw mut len)); let p = pair(SOCK_STREAM); len = 110; sys!(SYS_getsockname, p[0], a.as_mut_ptr(), &raw mut len); o.s(len); let u = 2u32; let d = socket(SOCK_DGRAM); o.v(sys!(SYS_bind, d, c"\x01".as_ptr(), u)); len = 110; sys!(SYS_getsockname, d, a.as_mut_ptr(), &raw mut len); o.s(len); }
    "shutdown" => |o| { let s = pair(SOCK_STREAM); o.v(sys!(SYS_shutdown, s[0], SHUT_WR)); o.s(read(s[1])); block(&[SIGPIPE]); o.v(write(s[0], b"x")); o.v(write(s[1], b"y")); o.s(read(s[0])); o.v(sys!(SYS_shutdown, s[0], 9)); o.v(sys!(SYS_shutdown, socket(SOCK_STREAM), SHUT_RD)); o.v(sys!(SYS_shutdown, 0, SHUT_RD)); }
    "options" => |o| { let s = pair(SOCK_STREAM); let mut v = 0i32; let mut len = 4u32; for n in [SO_TYPE, SO_DOMAIN, SO_PROTOCOL, SO_ERROR, SO_ACCEPTCONN, SO_PASSCRED, SO_REUSEADDR, SO_KEEPALIVE] { o.v(sys!(SYS_getsockopt, s[0], SOL_SOCKET, n, &raw mut v, &raw mut len)); o.s(v); } o.v(sys!(SYS_getsockopt, s[0], SOL_SOCKET, 9999, &raw mut v, &raw mut len)); o.v(sys!(SYS_setsockopt, s[0], SOL_SOCKET, 9999, &raw mut v, 4)); o.v(sys!(SYS_setsockopt, s[0], IPPROTO_TCP, 1, &raw mut v, 4)); o.v(sys!(SYS_setsockopt, s[0], SOL_SOCKET, SO_PASSCRED, &raw mut v, 2)); }
    "peercred" => |o| { let s = pair(SOCK_STREAM); let mut c = [0i32; 3]; let mut len = 12u32; o.v(sys!(SYS_getsockopt, s[0], SOL_SOCKET, SO_PEERCRED, c.as_mut_ptr(), &raw mut len)); o.s(i64::from(c[0]) == sys!(SYS_getpid)); o.s(c[1]); }
    "peek-waitall" => |o| { let s = pair(SOCK_STREAM); write(s[0], b"abc"); let mut b = [0u8; 8]; o.v(sys!(SYS_recvfrom, s[1], b.as_mut_ptr(), 2, MSG_PEEK, 0, 0)); o.s(read(s[1])); o.v(sys!(SYS_recvfrom, s[1], b.as_mut_ptr(), 2, MSG_DONTWAIT | MSG_WAITALL, 0, 0)); o.v(sys!(SYS_sendto, s[0], c"x", 1, MSG_OOB, 0, 0)); o.v(sys!(SYS_recvfrom, 0, b.as_mut_ptr(), 2, 0, 0, 0)); }
    "dgram-named" => |o| { let a = socket(SOCK_DGRAM); bind(a, "a"); let b = socket(SOCK_DGRAM); let (to, len) = address("a"); o.v(sys!(SYS_sendto, b, c"hi", 2, 0, &raw const to, len)); o.s(read(a)); o.v(write(b, b"x")); o.v(connect(b, "a")); o.v(write(b, b"x")); close(a); o.v(write(b, b"x")); sys!(SYS_unlink, c"a"); o.v(sys!(SYS_sendto, socket(SOCK_DGRAM), c"hi", 2, 0, &raw const to, len)); }
}
