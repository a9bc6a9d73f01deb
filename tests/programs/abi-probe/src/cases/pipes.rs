//! Pipes and FIFOs, splice, tee, vmsplice.

use super::util::*;
use crate::{cases, sys};

cases! { "pipes";
    "basic" => |o| { let p = pipe(0); o.v(write(p[1], b"abc")); o.s(read(p[0])); close(p[1]); o.s(read(p[0])); }
    "flags" => |o| { let mut p = [0i32; 2]; o.v(sys!(SYS_pipe2, p.as_mut_ptr(), O_NONBLOCK)); o.s(read(p[0])); o.v(sys!(SYS_pipe2, p.as_mut_ptr(), O_APPEND)); o.v(sys!(SYS_pipe, BAD)); o.v(sys!(SYS_lseek, p[0], 0, 0)); o.v(sys!(SYS_pread64, p[0], p.as_mut_ptr(), 1, 0)); o.v(sys!(SYS_write, p[0], c"x", 1)); o.s(read(p[1])); }
    "sigpipe" => |o| { o.s(child(|| { let p = pipe(0); close(p[0]); write(p[1], b"x"); 0 })); block(&[SIGPIPE]); let p = pipe(0); close(p[0]); o.v(write(p[1], b"x")); }
    "full" => |o| { let p = pipe(O_NONBLOCK); let block = vec![7u8; 100_000]; o.v(write(p[1], &block)); o.v(write(p[1], b"x")); let mut n = 0i32; sys!(SYS_ioctl, p[0], FIONREAD, &raw mut n); o.s(n); let mut b = [0u8; 100]; sys!(SYS_read, p[0], b.as_mut_ptr(), 100); o.v(write(p[1], b"x")); }
    "atomic" => |o| { let p = pipe(O_NONBLOCK); let block = vec![7u8; 65536 - 4095]; o.v(write(p[1], &block)); o.v(write(p[1], &block[..4096])); o.v(write(p[1], &block[..4095])); }
    "packets" => |o| { let p = pipe(O_DIRECT); write(p[1], b"abc"); write(p[1], b"de"); o.s(read(p[0])); let mut b = [0u8; 1]; write(p[1], b"xyz"); o.v(sys!(SYS_read, p[0], b.as_mut_ptr(), 1)); o.s(read(p[0])); }
    "fifo-open" => |o| { sys!(SYS_mknod, c"p", S_IFIFO | 0o600, 0); o.v(open(c"p", O_WRONLY | O_NONBLOCK).into()); let r = open(c"p", O_RDONLY | O_NONBLOCK); o.ok(r.into()); o.s(read(r)); let w = open(c"p", O_WRONLY); o.ok(w.into()); o.s(read(r)); write(w, b"hi"); o.s(read(r)); close(w); o.s(read(r)); o.ok(open(c"p", O_RDWR).into()); }
    "fifo-meets" => |o| { sys!(SYS_mknod, c"p", S_IFIFO | 0o600, 0); let pid = spawn(|| { let w = open(c"p", O_WRONLY); write(w, b"x"); 0 }); let r = open(c"p", O_RDONLY); o.s(read(r)); o.s(reap(pid)); }
    "splice-file-to-pipe" => |o| { let f = file(c"f", b"hello world"); let p = pipe(0); let mut at = 6i64; o.v(sys!(SYS_splice, f, &raw mut at, p[1], 0, 100, 0)); o.s(at); o.s(read(p[0])); sys!(SYS_lseek, f, 0, 0); o.v(sys!(SYS_splice, f, 0, p[1], 0, 5, 0)); o.v(sys!(SYS_lseek, f, 0, 1)); o.s(read(p[0])); }
    "splice-pipe-to-file" => |o| { let f = file(c"f", b""); let p = pipe(0); write(p[1], b"hello"); let mut at = 2i64; o.v(sys!(SYS_splice, p[0], 0, f, &raw mut at, 3, 0)); o.s(at); o.s(pread(f, 0)); o.s(read(p[0])); }
    "splice-pipe-to-pipe" => |o| { let p = pipe(0); let q = pipe(0); write(p[1], b"hello"); o.v(sys!(SYS_splice, p[0], 0, q[1], 0, 3, 0)); o.s(read(q[0])); o.s(read(p[0])); o.v(sys!(SYS_splice, p[0], 0, p[1], 0, 3, 0)); }
    "splice-errors" => |o| {
        let f = file(c"f", b"x"); let g = file(c"g", b""); let p = pipe(0); let mut at = 0i64;
        o.v(sys!(SYS_splice, f, 0, g, 0, 1, 0)); o.v(sys!(SYS_splice, p[0], &raw mut at, g, 0, 1, 0)); o.v(sys!(SYS_splice, f, 0, p[1], &raw mut at, 1, 0)); o.v(sys!(SYS_splice, 999, 0, p[1], 0, 1, 0)); o.v(sys!(SYS_splice, f, 0, p[0], 0, 1, 0)); o.v(sys!(SYS_splice, f, 0, p[1], 0, 1, 0x100)); o.v(sys!(SYS_splice, f, 0, p[1], 0, 0, 0));
        o.v(sys!(SYS_splice, p[0], 0, g, 0, 1, 2)); close(p[1]); o.v(sys!(SYS_splice, p[0], 0, g, 0, 1, 0));
    }
    "splice-append" => |o| { file(c"f", b""); let f = open(c"f", O_WRONLY | O_APPEND); let p = pipe(0); write(p[1], b"x"); o.v(sys!(SYS_splice, p[0], 0, f, 0, 1, 0)); }
    "splice-directory" => |o| { let d = open(c".", O_RDONLY); let p = pipe(0); o.v(sys!(SYS_splice, d, 0, p[1], 0, 1, 0)); }
    "splice-socket" => |o| { let mut s = [0i32; 2]; sys!(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, s.as_mut_ptr()); let p = pipe(0); write(p[1], b"hello"); o.v(sys!(SYS_splice, p[0], 0, s[0], 0, 5, 0)); o.s(read(s[1])); write(s[1], b"back"); o.v(sys!(SYS_splice, s[0], 0, p[1], 0, 10, 0)); o.s(read(p[0])); }
    "splice-nonblock-full" => |o| { let f = file(c"f", b"x"); let p = pipe(O_NONBLOCK); write(p[1], &vec![0u8; 65536]); o.v(sys!(SYS_splice, f, 0, p[1], 0, 1, 2)); }
    "tee" => |o| { let p = pipe(0); let q = pipe(0); write(p[1], b"hello"); o.v(sys!(SYS_tee, p[0], q[1], 4, 0)); o.s(read(q[0])); o.s(read(p[0])); o.v(sys!(SYS_tee, p[0], q[1], 4, 2)); let f = file(c"f", b""); o.v(sys!(SYS_tee, f, q[1], 4, 0)); o.v(sys!(SYS_tee, p[0], p[1], 4, 0)); o.v(sys!(SYS_tee, p[0], q[1], 4, 0x80)); close(p[1]); o.v(sys!(SYS_tee, p[0], q[1], 4, 0)); }
    "vmsplice" => |o| { let p = pipe(0); let iov = [iovec { iov_base: c"hello".as_ptr() as *mut _, iov_len: 5 }]; o.v(sys!(SYS_vmsplice, p[1], iov.as_ptr(), 1, 0)); o.s(read(p[0])); write(p[1], b"back"); let mut b = [0u8; 8]; let into = [iovec { iov_base: b.as_mut_ptr().cast(), iov_len: 8 }]; o.v(sys!(SYS_vmsplice, p[0], into.as_ptr(), 1, 0)); o.s(b[0]); let f = file(c"f", b""); o.v(sys!(SYS_vmsplice, f, iov.as_ptr(), 1, 0)); o.v(sys!(SYS_vmsplice, p[1], iov.as_ptr(), 1, 0x80)); o.v(sys!(SYS_vmsplice, p[1], BAD, 1, 0)); o.v(sys!(SYS_vmsplice, p[1], iov.as_ptr(), 2000, 0)); }
    "stat" => |o| { let p = pipe(0); let s = fstat(p[0]); o.s(format_args!("{:o} {} {}", s.st_mode, s.st_nlink, s.st_size)); }
    "reopen" => |o| { let p = pipe(0); let path = std::ffi::CString::new(format!("/proc/self/fd/{}", p[0])).unwrap(); let w = open(&path, O_WRONLY); o.ok(w.into()); write(w, b"again"); o.s(read(p[0])); }
    "read-bad-keeps-data" => |o| { let p = pipe(0); write(p[1], b"abc"); o.v(sys!(SYS_read, p[0], BAD, 3)); o.s(read(p[0])); }
}
