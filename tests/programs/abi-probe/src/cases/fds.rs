//! Descriptors: duplicates, flags, limits, `close_range`, ownership, leases.

use super::util::*;
use crate::{cases, sys};

fn fcntl(fd: i32, cmd: i32, arg: i64) -> i64 {
    sys!(SYS_fcntl, fd, cmd, arg)
}

cases! { "fds";
    "lowest" => |o| { let a = open(c".", O_RDONLY); let b = open(c".", O_RDONLY); close(a); o.s(open(c".", O_RDONLY) == a); o.s(b == a + 1); }
    "close" => |o| { let a = open(c".", O_RDONLY); o.v(close(a)); o.v(close(a)); o.v(close(-1)); o.v(close(1 << 30)); }
    "dup" => |o| { let fd = file(c"f", b"abcdef"); let d = sys!(SYS_dup, fd) as i32; sys!(SYS_lseek, fd, 2, SEEK_SET); o.s(read(d)); o.v(sys!(SYS_dup, 999)); }
    "dup2" => |o| { let fd = file(c"f", b""); o.v(sys!(SYS_dup2, fd, 50)); o.v(sys!(SYS_dup2, fd, fd) - i64::from(fd)); o.v(sys!(SYS_dup2, 999, 999)); o.v(sys!(SYS_dup2, fd, -1)); o.v(sys!(SYS_dup2, fd, 1 << 30)); o.v(sys!(SYS_dup2, 999, 50)); o.ok(sys!(SYS_fcntl, 50, F_GETFD)); }
    "dup3" => |o| { let fd = file(c"f", b""); o.v(sys!(SYS_dup3, fd, 51, O_CLOEXEC)); o.v(fcntl(51, F_GETFD, 0)); o.v(sys!(SYS_dup3, fd, fd, 0)); o.v(sys!(SYS_dup3, fd, 52, O_APPEND)); o.v(sys!(SYS_dup3, fd, -1, 0)); }
    "dupfd" => |o| { let fd = file(c"f", b""); o.v(fcntl(fd, F_DUPFD, 100)); o.v(fcntl(fd, F_DUPFD, 100)); o.v(fcntl(fd, F_DUPFD, -1)); o.v(fcntl(fd, F_DUPFD, 1 << 30)); o.v(fcntl(fd, F_DUPFD_CLOEXEC, 100)); o.v(fcntl(102, F_GETFD, 0)); }
    "getfd-setfd" => |o| { let fd = open(c".", O_RDONLY | O_CLOEXEC); o.v(fcntl(fd, F_GETFD, 0)); o.v(fcntl(fd, F_SETFD, 0)); o.v(fcntl(fd, F_GETFD, 0)); o.v(fcntl(fd, F_SETFD, 0xff)); o.v(fcntl(fd, F_GETFD, 0)); }
    "getfl" => |o| { let fd = open(c"f", O_CREAT | O_RDWR | O_APPEND | O_NONBLOCK | O_CLOEXEC | O_SYNC); o.s(format_args!("{:o}", fcntl(fd, F_GETFL, 0))); o.v(fcntl(fd, F_SETFL, 0)); o.s(format_args!("{:o}", fcntl(fd, F_GETFL, 0))); let p = open(c".", O_PATH | O_CLOEXEC); o.s(format_args!("{:o}", fcntl(p, F_GETFL, 0))); let d = open(c".", O_DIRECTORY); o.s(format_args!("{:o}", fcntl(d, F_GETFL, 0))); }
    "setfl-access-mode" => |o| { let fd = open(c"f", O_CREAT | O_RDONLY); o.v(fcntl(fd, F_SETFL, O_RDWR.into())); o.v(write(fd, b"x")); }
    "unknown-command" => |o| { let fd = file(c"f", b""); o.v(fcntl(fd, 999, 0)); o.v(fcntl(999, F_GETFD, 0)); let p = open(c"f", O_PATH); o.v(fcntl(p, F_SETFL, 0)); o.v(fcntl(p, F_GETLK, 0)); }
    "limit" => |o| { let l = [20u64, 20]; sys!(SYS_setrlimit, RLIMIT_NOFILE, l.as_ptr()); let mut n = 0; while open(c".", O_RDONLY) >= 0 { n += 1; } o.s(n > 0); o.v(open(c".", O_RDONLY).into()); let mut p = [0i32; 2]; o.v(sys!(SYS_pipe, p.as_mut_ptr())); o.v(sys!(SYS_dup, 0)); o.v(fcntl(0, F_DUPFD, 20)); o.v(sys!(SYS_dup2, 0, 20)); o.v(sys!(SYS_dup2, 0, 19)); o.v(sys!(SYS_eventfd2, 0, 0)); }
    "limit-values" => |o| { let l = [30u64, 20]; o.v(sys!(SYS_setrlimit, RLIMIT_NOFILE, l.as_ptr())); let l = [1u64 << 40, 1 << 40]; o.v(sys!(SYS_setrlimit, RLIMIT_NOFILE, l.as_ptr())); o.v(sys!(SYS_setrlimit, 99, l.as_ptr())); o.v(sys!(SYS_getrlimit, 99, l.as_ptr())); o.v(sys!(SYS_getrlimit, 7, BAD)); }
    "close-range" => |o| { for n in 100..110 { sys!(SYS_dup2, 0, n); } o.v(sys!(SYS_close_range, 102, 104, 0)); for n in [101, 102, 104, 105] { o.s(fcntl(n, F_GETFD, 0)); } o.v(sys!(SYS_close_range, 105, 106, 4)); o.s(fcntl(105, F_GETFD, 0)); o.v(sys!(SYS_close_range, 106, 600, 2)); o.s(fcntl(107, F_GETFD, 0)); o.v(sys!(SYS_close_range, 5, 4, 0)); o.v(sys!(SYS_close_range, 500, 501, 8)); o.v(sys!(SYS_close_range, 500, -1i64 as u32, 4)); }
    "setown" => |o| { let p = pipe(0); o.v(fcntl(p[0], F_GETOWN, 0)); o.v(fcntl(p[0], F_SETOWN, sys!(SYS_getpid))); o.s(fcntl(p[0], F_GETOWN, 0) == sys!(SYS_getpid)); o.v(fcntl(p[0], F_SETOWN, 3_999_999)); o.v(fcntl(p[0], F_SETOWN, 0)); o.v(fcntl(p[0], F_GETOWN, 0)); }
    "setown-ex" => |o| { let p = pipe(0); let mut x = [1i32, sys!(SYS_getpid) as i32]; o.v(fcntl(p[0], 15, x.as_mut_ptr() as i64)); let mut y = [9i32; 2]; o.v(fcntl(p[0], 16, y.as_mut_ptr() as i64)); o.s(y[0]); o.s(y[1] == x[1]); x[0] = 7; o.v(fcntl(p[0], 15, x.as_mut_ptr() as i64)); x = [0, 3_999_999]; o.v(fcntl(p[0], 15, x.as_mut_ptr() as i64)); o.v(fcntl(p[0], 16, BAD as i64)); }
    "setsig" => |o| { let p = pipe(0); o.v(fcntl(p[0], 10, SIGUSR1.into())); o.v(fcntl(p[0], 11, 0)); o.v(fcntl(p[0], 10, 100)); o.v(fcntl(p[0], 10, 0)); o.v(fcntl(p[0], 11, 0)); }
    "sigio-pipe" => |o| {
        block(&[SIGIO]); let p = pipe(0);
        fcntl(p[0], F_SETOWN, sys!(SYS_getpid)); o.v(fcntl(p[0], F_SETFL, O_ASYNC.into())); o.s(fcntl(p[0], F_GETFL, 0) & i64::from(O_ASYNC) != 0);
        write(p[1], b"x"); let set = 1u64 << (SIGIO - 1); let mut info = [0i32; 32]; let t = ms(5000);
        o.v(sys!(SYS_rt_sigtimedwait, &raw const set, info.as_mut_ptr(), &raw const t, 8)); o.s(info[0]);
        o.v(fcntl(p[0], F_SETFL, 0)); write(p[1], b"x"); let t = ms(0); o.v(sys!(SYS_rt_sigtimedwait, &raw const set, 0, &raw const t, 8));
    }
    "sigio-signal" => |o| {
        block(&[SIGUSR1]); let p = pipe(0);
        fcntl(p[0], F_SETOWN, sys!(SYS_getpid)); fcntl(p[0], 10, SIGUSR1.into()); fcntl(p[0], F_SETFL, O_ASYNC.into());
        write(p[1], b"x"); let set = 1u64 << (SIGUSR1 - 1); let mut info = [0i32; 32]; let t = ms(5000);
        o.v(sys!(SYS_rt_sigtimedwait, &raw const set, info.as_mut_ptr(), &raw const t, 8)); o.s(info[2]); o.s(info[4]); o.s(info[6] == p[0]);
    }
    "lease" => |o| {
        file(c"f", b""); let r = open(c"f", O_RDONLY); o.v(fcntl(r, F_GETLEASE, 0)); 
        let p = pipe(0); o.v(fcntl(p[0], F_SETLEASE, F_RDLCK.into())); o.v(fcntl(r, F_SETLEASE, 77)); let d = open(c".", O_RDONLY); o.v(fcntl(d, F_SETLEASE, F_RDLCK.into())); o.v(fcntl(r, F_SETLEASE, F_UNLCK.into()));
        o.s(as_user(|| fcntl(r, F_SETLEASE, F_RDLCK.into())));
    }
    "dnotify" => |o| { let d = open(c".", O_RDONLY); o.v(fcntl(d, F_NOTIFY, 0)); let f = file(c"f", b""); o.v(fcntl(f, F_NOTIFY, 1)); }
    "pipe-size" => |o| { let p = pipe(0); o.v(fcntl(p[0], F_GETPIPE_SZ, 0)); o.v(fcntl(p[0], F_SETPIPE_SZ, 5000)); o.v(fcntl(p[1], F_GETPIPE_SZ, 0)); o.v(fcntl(p[0], F_SETPIPE_SZ, 0)); let f = file(c"f", b""); o.v(fcntl(f, F_GETPIPE_SZ, 0)); o.s(as_user(|| fcntl(p[0], F_SETPIPE_SZ, 1 << 24))); }
    "cloexec" => |o| { let a = open(c"/dev/null", O_RDONLY | O_CLOEXEC); let b = open(c"/dev/null", O_RDONLY); let script = format!("for i in {a} {b}; do [ -e /proc/self/fd/$i ] && echo $i; done | wc -l"); let out = std::process::Command::new("/bin/sh").args(["-c", &script]).output(); o.s(out.map(|x| String::from_utf8_lossy(&x.stdout).trim().to_owned()).unwrap_or_default()); }
    "memfd" => |o| { let fd = sys!(SYS_memfd_create, c"name", 0) as i32; o.ok(fd.into()); o.v(write(fd, b"abc")); o.s(pread(fd, 0)); o.s(fstat(fd).st_nlink); o.v(sys!(SYS_memfd_create, c"x", 0x4000_0000)); let long = std::ffi::CString::new("n".repeat(250)).unwrap(); o.v(sys!(SYS_memfd_create, long.as_c_str(), 0)); o.v(sys!(SYS_memfd_create, BAD, 0)); o.s(std::fs::read_link(format!("/proc/self/fd/{fd}")).unwrap().display()); }
    "memfd-seals" => |o| {
        let fd = sys!(SYS_memfd_create, c"x", 2) as i32; write(fd, b"abcd");
        o.v(fcntl(fd, F_GET_SEALS, 0)); o.v(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK.into())); o.v(sys!(SYS_ftruncate, fd, 2)); o.v(sys!(SYS_ftruncate, fd, 8)); o.v(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW.into())); o.v(sys!(SYS_ftruncate, fd, 9)); o.v(sys!(SYS_pwrite64, fd, c"xyz", 3, 7)); o.v(sys!(SYS_pwrite64, fd, c"xyz", 3, 8));
        o.v(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE.into())); o.v(sys!(SYS_pwrite64, fd, c"xyz", 3, 0)); o.v(sys!(SYS_fallocate, fd, 3, 0, 1)); o.v(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL.into())); o.v(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW.into())); o.v(fcntl(fd, F_GET_SEALS, 0));
    }
    "memfd-seal-mapped" => |o| {
        let fd = sys!(SYS_memfd_create, c"x", 2) as i32; sys!(SYS_ftruncate, fd, 4096); let m = sys!(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        o.v(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE.into())); sys!(SYS_munmap, m, 4096); o.v(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE.into())); o.v(sys!(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)); let m = sys!(SYS_mmap, 0, 4096, PROT_READ, MAP_SHARED, fd, 0); o.ok(m); o.v(sys!(SYS_mprotect, m, 4096, PROT_READ | PROT_WRITE));
    }
    "memfd-unsealable" => |o| { let fd = sys!(SYS_memfd_create, c"x", 0) as i32; o.v(fcntl(fd, F_GET_SEALS, 0)); o.v(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW.into())); let f = file(c"f", b""); o.v(fcntl(f, F_GET_SEALS, 0)); o.v(fcntl(f, F_ADD_SEALS, 4)); let p = pipe(0); o.v(fcntl(p[1], F_ADD_SEALS, 4)); let fd = sys!(SYS_memfd_create, c"x", 2) as i32; o.v(fcntl(fd, F_ADD_SEALS, 0x100)); }
    "kcmp" => |o| { let me = sys!(SYS_getpid); let fd = file(c"f", b""); let d = sys!(SYS_dup, fd); let e = open(c"f", O_RDONLY); o.v(sys!(SYS_kcmp, me, me, 0, fd, d)); o.s(sys!(SYS_kcmp, me, me, 0, fd, e) > 0); o.v(sys!(SYS_kcmp, me, me, 0, fd, 999)); for t in 1..7 { o.v(sys!(SYS_kcmp, me, me, t, 0, 0)); } o.v(sys!(SYS_kcmp, me, me, 99, 0, 0)); o.v(sys!(SYS_kcmp, me, 3_999_999, 1, 0, 0)); o.s(sys!(SYS_kcmp, me, sys!(SYS_getppid), 1, 0, 0) > 0); }
    "pidfd-getfd" => |o| { let fd = file(c"f", b"abc"); let me = sys!(SYS_pidfd_open, sys!(SYS_getpid), 0) as i32; o.ok(me.into()); let got = sys!(SYS_pidfd_getfd, me, fd, 0) as i32; o.s(pread(got, 0)); o.v(fcntl(got, F_GETFD, 0)); o.v(sys!(SYS_pidfd_getfd, me, 999, 0)); o.v(sys!(SYS_pidfd_getfd, me, fd, 1)); o.v(sys!(SYS_pidfd_getfd, fd, fd, 0)); o.v(sys!(SYS_pidfd_open, 3_999_999, 0)); o.v(sys!(SYS_pidfd_open, -1, 0)); o.v(sys!(SYS_pidfd_open, 1, 7)); }
}
