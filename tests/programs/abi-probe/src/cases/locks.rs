//! Locks: `flock`, record locks of processes and of descriptions.

use super::util::*;
use crate::harness::errno_name;
use crate::{cases, sys};

fn lock(fd: i32, cmd: i32, kind: i32, start: i64, len: i64) -> i64 {
    // SAFETY: a plain structure.
    let mut l: flock = unsafe { std::mem::zeroed() };
    (l.l_type, l.l_start, l.l_len) = (kind as i16, start, len);
    sys!(SYS_fcntl, fd, cmd, &raw mut l)
}

/// Who is in the way: type, start, length, whether the owner is `pid`.
fn probe(fd: i32, cmd: i32, kind: i32, start: i64, len: i64, pid: i32) -> String {
    // SAFETY: a plain structure.
    let mut l: flock = unsafe { std::mem::zeroed() };
    (l.l_type, l.l_start, l.l_len) = (kind as i16, start, len);
    if sys!(SYS_fcntl, fd, cmd, &raw mut l) == -1 { return error(); }
    if l.l_type == F_UNLCK as i16 { "free".into() } else { format!("{}:{}+{}:{}", l.l_type, l.l_start, l.l_len, l.l_pid == pid) }
}

cases! { "locks";
    "flock" => |o| { file(c"f", b""); let a = open(c"f", O_RDONLY); let b = open(c"f", O_RDONLY); o.v(sys!(SYS_flock, a, LOCK_EX)); o.v(sys!(SYS_flock, b, LOCK_SH | LOCK_NB)); o.v(sys!(SYS_flock, a, LOCK_SH)); o.v(sys!(SYS_flock, b, LOCK_SH | LOCK_NB)); o.v(sys!(SYS_flock, b, LOCK_EX | LOCK_NB)); close(a); o.v(sys!(SYS_flock, b, LOCK_EX | LOCK_NB)); }
    "flock-errors" => |o| { let a = file(c"f", b""); o.v(sys!(SYS_flock, a, 0)); o.v(sys!(SYS_flock, a, LOCK_SH | LOCK_EX)); o.v(sys!(SYS_flock, 999, LOCK_SH)); let p = open(c"f", O_PATH); o.v(sys!(SYS_flock, p, LOCK_SH)); o.v(sys!(SYS_flock, a, LOCK_UN)); }
    "flock-shared-description" => |o| { let a = file(c"f", b""); let d = sys!(SYS_dup, a) as i32; sys!(SYS_flock, a, LOCK_EX); o.v(sys!(SYS_flock, d, LOCK_UN)); let b = open(c"f", O_RDONLY); o.v(sys!(SYS_flock, b, LOCK_EX | LOCK_NB)); }
    "flock-waits" => |o| { let a = file(c"f", b""); sys!(SYS_flock, a, LOCK_EX); let pid = spawn(|| { let b = open(c"f", O_RDONLY); code(sys!(SYS_flock, b, LOCK_EX)) }); std::thread::sleep(std::time::Duration::from_millis(50)); sys!(SYS_flock, a, LOCK_UN); o.s(reap(pid)); }
    "flock-of-child" => |o| { let a = file(c"f", b""); sys!(SYS_flock, a, LOCK_EX); o.s(child(|| { close(a); 0 })); let b = open(c"f", O_RDONLY); o.v(sys!(SYS_flock, b, LOCK_EX | LOCK_NB)); }
    "record-own" => |o| { let a = file(c"f", b"0123456789"); o.v(lock(a, F_SETLK, F_WRLCK, 0, 5)); o.v(lock(a, F_SETLK, F_RDLCK, 2, 1)); o.s(probe(a, F_GETLK, F_WRLCK, 0, 0, 0)); o.v(lock(a, F_SETLK, F_UNLCK, 0, 0)); }
    "record-conflict" => |o| { let a = file(c"f", b"0123456789"); lock(a, F_SETLK, F_WRLCK, 2, 3); let me = sys!(SYS_getpid) as i32; o.s(errno_name(child(|| code(lock(a, F_SETLK, F_RDLCK, 0, 0))))); o.s(child(|| code(lock(a, F_SETLK, F_WRLCK, 5, 1)))); o.s(child(|| i32::from(probe(a, F_GETLK, F_RDLCK, 0, 0, me) == "1:2+3:true"))); }
    "record-split" => |o| { let a = file(c"f", b""); lock(a, F_SETLK, F_WRLCK, 0, 100); lock(a, F_SETLK, F_UNLCK, 40, 20); o.s(child(|| i32::from(probe(a, F_GETLK, F_WRLCK, 50, 0, 0).starts_with("1:60+40")))); o.s(child(|| code(lock(a, F_SETLK, F_WRLCK, 40, 20)))); o.s(child(|| code(lock(a, F_SETLK, F_WRLCK, 39, 1))) != 0); }
    "record-close-drops" => |o| { let a = file(c"f", b""); lock(a, F_SETLK, F_WRLCK, 0, 0); close(open(c"f", O_RDONLY)); o.s(child(|| code(lock(a, F_SETLK, F_WRLCK, 0, 0)))); }
    "record-errors" => |o| { let a = file(c"f", b""); let r = open(c"f", O_RDONLY); o.v(lock(r, F_SETLK, F_WRLCK, 0, 0)); let w = open(c"f", O_WRONLY); o.v(lock(w, F_SETLK, F_RDLCK, 0, 0)); o.v(lock(a, F_SETLK, 9, 0, 0)); o.v(lock(a, F_SETLK, F_WRLCK, -1, 1)); o.v(lock(a, F_SETLK, F_WRLCK, i64::MAX, 2)); o.v(lock(a, F_SETLK, F_WRLCK, 5, -3)); o.v(lock(a, F_SETLK, F_WRLCK, 1, -3)); o.v(sys!(SYS_fcntl, a, F_SETLK, BAD)); o.s(probe(a, F_GETLK, F_UNLCK, 0, 0, 0)); }
    "record-deadlock" => |o| {
        let a = file(c"f", b""); let p = pipe(0); let q = pipe(0);
        let pid = spawn(|| { lock(a, F_SETLK, F_WRLCK, 1, 1); write(p[1], b"x"); read(q[0]); code(lock(a, F_SETLKW, F_WRLCK, 0, 1)) });
        lock(a, F_SETLK, F_WRLCK, 0, 1); read(p[0]); write(q[1], b"x"); std::thread::sleep(std::time::Duration::from_millis(300));
        o.v(lock(a, F_SETLKW, F_WRLCK, 1, 1)); lock(a, F_SETLK, F_UNLCK, 0, 1); o.s(reap(pid));
    }
    "record-wait-signal" => |o| { let a = file(c"f", b""); lock(a, F_SETLK, F_WRLCK, 0, 0); o.s(child(|| { alarm_soon(); code(lock(a, F_SETLKW, F_WRLCK, 0, 0)) }) == EINTR); }
    "ofd" => |o| { file(c"f", b""); let a = open(c"f", O_RDWR); let b = open(c"f", O_RDWR); o.v(lock(a, F_OFD_SETLK, F_WRLCK, 0, 0)); o.v(lock(b, F_OFD_SETLK, F_RDLCK, 0, 0)); o.s(probe(b, F_OFD_GETLK, F_RDLCK, 0, 0, -1)); o.v(lock(b, F_SETLK, F_RDLCK, 0, 0)); close(a); o.v(lock(b, F_OFD_SETLK, F_RDLCK, 0, 0)); }
    "ofd-pid" => |o| { let a = file(c"f", b""); let mut l = [0u64; 4]; l[3] = 7; o.v(sys!(SYS_fcntl, a, F_OFD_SETLK, l.as_mut_ptr())); o.v(sys!(SYS_fcntl, a, F_OFD_GETLK, l.as_mut_ptr())); }
    "ofd-inherited" => |o| { let a = file(c"f", b""); lock(a, F_OFD_SETLK, F_WRLCK, 0, 0); o.s(child(|| code(lock(a, F_OFD_SETLK, F_WRLCK, 0, 0)))); o.s(child(|| code(lock(open(c"f", O_RDWR), F_OFD_SETLK, F_WRLCK, 0, 0))) != 0); }
    "flock-and-record" => |o| { let a = file(c"f", b""); sys!(SYS_flock, a, LOCK_EX); o.s(child(|| code(lock(a, F_SETLK, F_WRLCK, 0, 0)))); }
}

extern "C" fn nothing(_: i32) {}

/// SIGALRM soon, with a handler and without restart.
fn alarm_soon() {
    // SAFETY: plain calls; the handler does nothing.
    unsafe {
        let mut action: sigaction = std::mem::zeroed();
        action.sa_sigaction = nothing as *const () as usize;
        sigaction(SIGALRM, &raw const action, std::ptr::null_mut());
        let every = itimerval { it_interval: timeval { tv_sec: 0, tv_usec: 100_000 }, it_value: timeval { tv_sec: 0, tv_usec: 100_000 } };
        setitimer(ITIMER_REAL, &raw const every, std::ptr::null_mut());
    }
}
