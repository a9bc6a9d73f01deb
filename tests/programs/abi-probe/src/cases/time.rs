//! Clocks, sleeps, timers.

use super::util::*;
use crate::{cases, sys};

/// Set by the handler of SIGPROF.
static RANG: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

extern "C" fn ring(_: i32) {
    RANG.store(true, std::sync::atomic::Ordering::SeqCst);
}

/// Lets the calling thread go before all with less priority.
fn first_in(priority: i32) -> i64 {
    sys!(SYS_sched_setscheduler, 0, SCHED_FIFO, &raw const priority)
}

cases! { "time";
    "cpu-time-is-told-to-who-uses-it" => |o| { let one = 1u64; sys!(SYS_sched_setaffinity, 0, 8, &raw const one); o.v(first_in(1)); let handler: extern "C" fn(i32) = ring; unsafe { libc::signal(SIGPROF, handler as usize); } let soon = [0i64, 0, 0, 50_000]; let busy = std::thread::spawn(move || { first_in(2); sys!(SYS_setitimer, ITIMER_PROF, soon.as_ptr(), 0); let begin = std::time::Instant::now(); while !RANG.load(std::sync::atomic::Ordering::SeqCst) && begin.elapsed().as_secs() < 5 {} begin.elapsed().as_secs() < 5 }); o.s(busy.join().unwrap()); }
    "clock-gettime" => |o| { let mut t = [0i64; 2]; for c in 0..13 { o.v(sys!(SYS_clock_gettime, c, t.as_mut_ptr())); } o.v(sys!(SYS_clock_gettime, -1i32 << 3 | 2, t.as_mut_ptr())); o.v(sys!(SYS_clock_gettime, 0, BAD)); }
    "clock-getres" => |o| { let mut t = [0i64; 2]; for c in [0, 1, 2, 3, 4, 7] { o.v(sys!(SYS_clock_getres, c, t.as_mut_ptr())); o.s(t[1]); } o.v(sys!(SYS_clock_getres, 0, 0)); o.v(sys!(SYS_clock_getres, 99, 0)); }
    "monotonic" => |o| { let mut a = [0i64; 2]; let mut b = [0i64; 2]; let mut good = true; for _ in 0..2000 { unsafe { clock_gettime(1, (&raw mut a).cast()) }; sys!(SYS_clock_gettime, 1, b.as_mut_ptr()); good &= b >= a; unsafe { clock_gettime(1, (&raw mut a).cast()) }; good &= a >= b; } o.s(good); }
    "clock-settime-errors" => |o| { let t = [0i64, 1_000_000_000]; o.v(sys!(SYS_clock_settime, 0, t.as_ptr())); o.v(sys!(SYS_clock_settime, 1, [5i64, 0].as_ptr())); o.s(as_user(|| sys!(SYS_clock_settime, 0, [5i64, 0].as_ptr()))); o.v(sys!(SYS_clock_settime, 0, [-1i64, 0].as_ptr())); }
    "nanosleep" => |o| { let t = ms(1); o.v(sys!(SYS_nanosleep, &raw const t, 0)); let t = timespec { tv_sec: -1, tv_nsec: 0 }; o.v(sys!(SYS_nanosleep, &raw const t, 0)); o.v(sys!(SYS_nanosleep, BAD, 0)); }
    "clock-nanosleep" => |o| { let t = ms(1); o.v(sys!(SYS_clock_nanosleep, 1, 1, &raw const t, 0)); o.v(sys!(SYS_clock_nanosleep, 3, 0, &raw const t, 0)); o.v(sys!(SYS_clock_nanosleep, 99, 0, &raw const t, 0)); o.v(sys!(SYS_clock_nanosleep, 4, 0, &raw const t, 0)); }
    "itimers" => |o| { let mut v = [0i64; 4]; o.v(sys!(SYS_getitimer, 0, v.as_mut_ptr())); o.v(sys!(SYS_getitimer, 9, v.as_mut_ptr())); o.v(sys!(SYS_setitimer, 0, [0i64, 0, 0, 1_000_000].as_ptr(), 0)); o.v(sys!(SYS_setitimer, 0, [0i64, 0, 100, 0].as_ptr(), v.as_mut_ptr())); o.v(sys!(SYS_alarm, 0)); }
    "posix-timers" => |o| { let mut id = 0i32; o.v(sys!(SYS_timer_create, 99, 0, &raw mut id)); let ev = [0u64, 34 | 9 << 32]; o.v(sys!(SYS_timer_create, 1, ev.as_ptr(), &raw mut id)); block(&[SIGALRM]); o.v(sys!(SYS_timer_create, 1, 0, &raw mut id)); let mut old = [9i64; 4]; o.v(sys!(SYS_timer_settime, id, 0, [0i64, 0, 0, 1_000_000].as_ptr(), old.as_mut_ptr())); let s = 1u64 << 13; let mut i = [0i32; 32]; let t = ms(5000); o.v(sys!(SYS_rt_sigtimedwait, &raw const s, i.as_mut_ptr(), &raw const t, 8)); o.s(i[2]); o.v(sys!(SYS_timer_getoverrun, id)); o.v(sys!(SYS_timer_settime, id, 0, [0i64, 0, 0, -1].as_ptr(), 0)); o.v(sys!(SYS_timer_delete, id)); o.v(sys!(SYS_timer_delete, id)); o.v(sys!(SYS_timer_gettime, 999, old.as_mut_ptr())); }
    "times" => |o| { let mut b = [0i64; 4]; o.s(sys!(SYS_times, b.as_mut_ptr()) > 0); o.v(sys!(SYS_times, BAD)); o.s(sys!(SYS_time, 0) > 1_600_000_000); o.v(sys!(SYS_gettimeofday, 0, 0)); o.v(sys!(SYS_gettimeofday, BAD, 0)); }
}
