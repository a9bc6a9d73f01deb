//! Waiting: poll, select, epoll, eventfd, timerfd, signalfd.

use super::util::*;
use crate::{cases, sys};

fn poll1(fd: i32, events: i16, timeout: i32) -> String {
    let mut p = pollfd { fd, events, revents: 0 };
    let n = sys!(SYS_poll, &raw mut p, 1, timeout);
    if n < 0 { error() } else { format!("{n}:{:x}", p.revents) }
}
fn epoll() -> i32 {
    sys!(SYS_epoll_create1, 0) as i32
}
fn ctl(ep: i32, op: i32, fd: i32, events: u32) -> i64 {
    let mut e = epoll_event { events, u64: 7 };
    sys!(SYS_epoll_ctl, ep, op, fd, &raw mut e)
}
fn wait(ep: i32, timeout: i32) -> String {
    let mut e = [epoll_event { events: 0, u64: 0 }; 4];
    let n = sys!(SYS_epoll_wait, ep, e.as_mut_ptr(), 4, timeout);
    if n < 0 { return error(); }
    let (events, data) = (e[0].events, e[0].u64);
    format!("{n}:{events:x}:{data}")
}
const ALL: i16 = POLLIN | POLLOUT | POLLPRI | POLLRDHUP | POLLRDNORM | POLLWRNORM;

cases! { "events";
    "poll-pipe" => |o| { let p = pipe(0); o.s(poll1(p[0], ALL, 0)); o.s(poll1(p[1], ALL, 0)); write(p[1], b"x"); o.s(poll1(p[0], ALL, 0)); close(p[1]); o.s(poll1(p[0], ALL, 0)); read(p[0]); o.s(poll1(p[0], ALL, 0)); let q = pipe(0); close(q[0]); o.s(poll1(q[1], ALL, 0)); }
    "poll-others" => |o| { let f = file(c"f", b""); o.s(poll1(f, ALL, 0)); o.s(poll1(open(c".", O_RDONLY), ALL, 0)); o.s(poll1(999, ALL, 0)); o.s(poll1(-1, ALL, 0)); o.s(poll1(open(c"/dev/null", O_RDWR), ALL, 0)); o.s(poll1(open(c"f", O_PATH), ALL, 0)); }
    "poll-errors" => |o| { o.v(sys!(SYS_poll, BAD, 1, 0)); o.v(sys!(SYS_poll, 0, 0, 0)); o.v(sys!(SYS_poll, 0, 1 << 30, 0)); }
    "ppoll" => |o| { let t = timespec { tv_sec: 0, tv_nsec: 1_000_000_000 }; o.v(sys!(SYS_ppoll, 0, 0, &raw const t, 0, 8)); let t = ms(1); o.v(sys!(SYS_ppoll, 0, 0, &raw const t, 0, 8)); let set = 0u64; o.v(sys!(SYS_ppoll, 0, 0, &raw const t, &raw const set, 4)); }
    "select" => |o| { let p = pipe(0); let mut r = [0u64; 16]; r[p[0] as usize / 64] |= 1 << (p[0] % 64); let mut t = [0i64, 0]; o.v(sys!(SYS_select, p[0] + 1, r.as_mut_ptr(), 0, 0, t.as_mut_ptr())); write(p[1], b"x"); r[0] = 1 << p[0]; o.v(sys!(SYS_select, p[0] + 1, r.as_mut_ptr(), 0, 0, t.as_mut_ptr())); o.s(r[0] == 1 << p[0]); r[0] = 1 << 60; o.v(sys!(SYS_select, 61, r.as_mut_ptr(), 0, 0, t.as_mut_ptr())); o.v(sys!(SYS_select, -1, 0, 0, 0, t.as_mut_ptr())); t = [-1, 0]; o.v(sys!(SYS_select, 0, 0, 0, 0, t.as_mut_ptr())); o.v(sys!(SYS_select, 1, BAD, 0, 0, 0)); }
    "epoll-ctl" => |o| { let e = epoll(); let p = pipe(0); o.v(ctl(e, EPOLL_CTL_ADD, p[0], 1)); o.v(ctl(e, EPOLL_CTL_ADD, p[0], 1)); o.v(ctl(e, EPOLL_CTL_MOD, p[1], 1)); o.v(ctl(e, EPOLL_CTL_DEL, p[1], 1)); o.v(ctl(e, EPOLL_CTL_ADD, e, 1)); o.v(ctl(p[0], EPOLL_CTL_ADD, p[1], 1)); o.v(ctl(e, EPOLL_CTL_ADD, 999, 1)); o.v(ctl(999, EPOLL_CTL_ADD, p[0], 1)); o.v(ctl(e, 9, p[0], 1)); o.v(ctl(e, EPOLL_CTL_DEL, p[0], 0)); let f = file(c"f", b""); o.v(ctl(e, EPOLL_CTL_ADD, f, 1)); o.v(ctl(e, EPOLL_CTL_ADD, open(c".", O_RDONLY), 1)); o.v(sys!(SYS_epoll_ctl, e, EPOLL_CTL_ADD, p[0], BAD)); }
    "epoll-create" => |o| { o.v(sys!(SYS_epoll_create, 0)); o.ok(sys!(SYS_epoll_create, 1)); o.v(sys!(SYS_epoll_create1, 1)); let e = sys!(SYS_epoll_create1, EPOLL_CLOEXEC) as i32; o.v(sys!(SYS_fcntl, e, F_GETFD)); o.s(read(e)); }
    "epoll-level-edge" => |o| { let e = epoll(); let p = pipe(0); ctl(e, EPOLL_CTL_ADD, p[0], EPOLLIN as u32); write(p[1], b"x"); o.s(wait(e, 0)); o.s(wait(e, 0)); ctl(e, EPOLL_CTL_MOD, p[0], (EPOLLIN | EPOLLET) as u32); o.s(wait(e, 0)); o.s(wait(e, 0)); write(p[1], b"y"); o.s(wait(e, 0)); o.s(wait(e, 0)); }
    "epoll-oneshot" => |o| { let e = epoll(); let p = pipe(0); ctl(e, EPOLL_CTL_ADD, p[0], (EPOLLIN | EPOLLONESHOT) as u32); write(p[1], b"x"); o.s(wait(e, 0)); write(p[1], b"x"); o.s(wait(e, 0)); ctl(e, EPOLL_CTL_MOD, p[0], EPOLLIN as u32); o.s(wait(e, 0)); }
    "epoll-hup" => |o| { let e = epoll(); let p = pipe(0); ctl(e, EPOLL_CTL_ADD, p[0], 0); close(p[1]); o.s(wait(e, 0)); let q = pipe(0); let e = epoll(); ctl(e, EPOLL_CTL_ADD, q[1], 0); o.s(wait(e, 0)); close(q[0]); o.s(wait(e, 0)); }
    "epoll-closed" => |o| { let e = epoll(); let p = pipe(0); ctl(e, EPOLL_CTL_ADD, p[0], 1); let d = sys!(SYS_dup, p[0]) as i32; write(p[1], b"x"); close(p[0]); o.s(wait(e, 0)); close(d); o.s(wait(e, 0)); }
    "epoll-nested" => |o| { let a = epoll(); let b = epoll(); let p = pipe(0); ctl(b, EPOLL_CTL_ADD, p[0], 1); o.v(ctl(a, EPOLL_CTL_ADD, b, 1)); o.v(ctl(b, EPOLL_CTL_ADD, a, 1)); o.s(wait(a, 0)); write(p[1], b"x"); o.s(wait(a, 0)); o.s(poll1(b, POLLIN, 0)); }
    "epoll-exclusive" => |o| { let e = epoll(); let p = pipe(0); const EXCL: u32 = 1 << 28; o.v(ctl(e, EPOLL_CTL_ADD, p[0], EXCL | 1)); o.v(ctl(e, EPOLL_CTL_MOD, p[0], 1)); o.v(ctl(e, EPOLL_CTL_ADD, p[1], EXCL | EPOLLONESHOT as u32)); let b = epoll(); o.v(ctl(e, EPOLL_CTL_ADD, b, EXCL | 1)); }
    "epoll-wait-errors" => |o| { let e = epoll(); let mut ev = [epoll_event { events: 0, u64: 0 }; 2]; o.v(sys!(SYS_epoll_wait, e, ev.as_mut_ptr(), 0, 0)); o.v(sys!(SYS_epoll_wait, e, ev.as_mut_ptr(), -1, 0)); o.v(sys!(SYS_epoll_wait, 999, ev.as_mut_ptr(), 1, 0)); o.v(sys!(SYS_epoll_wait, 0, ev.as_mut_ptr(), 1, 0)); let t = timespec { tv_sec: 0, tv_nsec: -1 }; o.v(sys!(SYS_epoll_pwait2, e, ev.as_mut_ptr(), 1, &raw const t, 0, 8)); let set = 0u64; o.v(sys!(SYS_epoll_pwait, e, ev.as_mut_ptr(), 1, 0, &raw const set, 4)); }
    "eventfd" => |o| { let e = sys!(SYS_eventfd2, 3, EFD_NONBLOCK) as i32; let mut v = 0u64; o.v(sys!(SYS_read, e, &raw mut v, 8)); o.s(v); o.v(sys!(SYS_read, e, &raw mut v, 8)); v = 5; o.v(sys!(SYS_write, e, &raw const v, 8)); o.v(sys!(SYS_write, e, &raw const v, 4)); o.v(sys!(SYS_read, e, &raw mut v, 4)); v = u64::MAX; o.v(sys!(SYS_write, e, &raw const v, 8)); v = u64::MAX - 5; o.v(sys!(SYS_write, e, &raw const v, 8)); o.s(poll1(e, ALL, 0)); v = u64::MAX - 6; o.v(sys!(SYS_write, e, &raw const v, 8)); o.s(poll1(e, ALL, 0)); }
    "eventfd-semaphore" => |o| { let e = sys!(SYS_eventfd2, 2, EFD_NONBLOCK | EFD_SEMAPHORE) as i32; let mut v = 0u64; sys!(SYS_read, e, &raw mut v, 8); o.s(v); sys!(SYS_read, e, &raw mut v, 8); o.v(sys!(SYS_read, e, &raw mut v, 8)); o.v(sys!(SYS_eventfd2, 0, 4)); o.v(sys!(SYS_lseek, e, 0, 0)); o.v(sys!(SYS_pread64, e, &raw mut v, 8, 0)); }
    "timerfd" => |o| {
        let t = sys!(SYS_timerfd_create, CLOCK_MONOTONIC, TFD_NONBLOCK) as i32; let mut v = 0u64; o.v(sys!(SYS_read, t, &raw mut v, 8)); let spec = [0i64, 0, 0, 1_000_000]; let mut old = [9i64; 4];
        o.v(sys!(SYS_timerfd_settime, t, 0, spec.as_ptr(), old.as_mut_ptr())); o.s(format_args!("{old:?}")); o.s(poll1(t, POLLIN, 5000)); o.v(sys!(SYS_read, t, &raw mut v, 8)); o.s(v); o.v(sys!(SYS_timerfd_gettime, t, old.as_mut_ptr())); o.s(format_args!("{old:?}"));
        o.v(sys!(SYS_read, t, &raw mut v, 4));
    }
    "timerfd-errors" => |o| { o.v(sys!(SYS_timerfd_create, 99, 0)); o.v(sys!(SYS_timerfd_create, CLOCK_PROCESS_CPUTIME_ID, 0)); o.v(sys!(SYS_timerfd_create, CLOCK_REALTIME, 3)); let t = sys!(SYS_timerfd_create, CLOCK_BOOTTIME, 0) as i32; o.ok(t.into()); let bad = [0i64, 0, 0, 1_000_000_000]; o.v(sys!(SYS_timerfd_settime, t, 0, bad.as_ptr(), 0)); o.v(sys!(SYS_timerfd_settime, t, 8, bad.as_ptr(), 0)); o.v(sys!(SYS_timerfd_settime, 0, 0, bad.as_ptr(), 0)); o.v(sys!(SYS_timerfd_settime, 999, 0, [0i64; 4].as_ptr(), 0)); o.v(sys!(SYS_timerfd_settime, t, 0, BAD, 0)); o.ok(sys!(SYS_timerfd_create, CLOCK_REALTIME_ALARM, 0)); }
    "timerfd-absolute-past" => |o| { let t = sys!(SYS_timerfd_create, CLOCK_REALTIME, 0) as i32; let spec = [0i64, 0, 1, 0]; o.v(sys!(SYS_timerfd_settime, t, TFD_TIMER_ABSTIME, spec.as_ptr(), 0)); let mut v = 0u64; o.v(sys!(SYS_read, t, &raw mut v, 8)); o.s(v); }
    "signalfd" => |o| { let set = block(&[SIGUSR1, SIGUSR2]); let s = sys!(SYS_signalfd4, -1, &raw const set, 8, SFD_NONBLOCK) as i32; let mut b = [0u32; 64]; o.v(sys!(SYS_read, s, b.as_mut_ptr(), 128)); sys!(SYS_kill, sys!(SYS_getpid), SIGUSR1); o.s(poll1(s, ALL, 0)); o.v(sys!(SYS_read, s, b.as_mut_ptr(), 64)); o.v(sys!(SYS_read, s, b.as_mut_ptr(), 256)); o.s(b[0]); o.s(b[2] as i32); o.s(i64::from(b[3]) == sys!(SYS_getpid)); }
    "signalfd-errors" => |o| { let set = 1u64; o.v(sys!(SYS_signalfd4, -1, &raw const set, 4, 0)); o.v(sys!(SYS_signalfd4, -1, &raw const set, 8, 1)); o.v(sys!(SYS_signalfd4, 0, &raw const set, 8, 0)); o.v(sys!(SYS_signalfd4, 999, &raw const set, 8, 0)); o.v(sys!(SYS_signalfd4, -1, BAD, 8, 0)); let s = sys!(SYS_signalfd4, -1, &raw const set, 8, 0) as i32; o.s(sys!(SYS_signalfd4, s, &raw const set, 8, 0) == i64::from(s)); }
    "poll-wakes" => |o| { let p = pipe(0); let pid = spawn(|| { std::thread::sleep(std::time::Duration::from_millis(50)); write(p[1], b"x"); 0 }); o.s(poll1(p[0], POLLIN, 10_000)); reap(pid); }
    "epoll-fdinfo" => |o| { let e = epoll(); ctl(e, EPOLL_CTL_ADD, 0, 1); o.s(std::fs::read_link(format!("/proc/self/fd/{e}")).unwrap().display()); let t = sys!(SYS_eventfd2, 0, 0); o.s(std::fs::read_link(format!("/proc/self/fd/{t}")).unwrap().display()); let t = sys!(SYS_timerfd_create, 1, 0); o.s(std::fs::read_link(format!("/proc/self/fd/{t}")).unwrap().display()); }
}
