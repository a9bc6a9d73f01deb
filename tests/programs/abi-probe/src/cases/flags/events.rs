//! Flags of calls on events and time.

use super::super::util::*;
use super::{bits, made, values};
use crate::{cases, sys};

cases! { "flags-events";
    "epoll-create1" => |o| { bits(o, 0, |f| made(sys!(SYS_epoll_create1, f))); }
    "epoll-ctl" => |o| { let p = pipe(0); let e = sys!(SYS_epoll_create1, 0); let event = epoll_event { events: 1, u64: 0 }; values(o, &[2], |operation| sys!(SYS_epoll_ctl, e, operation, p[0], &raw const event)); }
    "epoll-events" => |o| { let p = pipe(0); for always in [0, 1 << 28] { bits(o, 0, |f| { let e = sys!(SYS_epoll_create1, 0) as i32; let event = epoll_event { events: f | always, u64: 0 }; let r = sys!(SYS_epoll_ctl, e, EPOLL_CTL_ADD, p[0], &raw const event); if r == 0 { close(e); } r }); } }
    "eventfd2" => |o| { bits(o, 0, |f| made(sys!(SYS_eventfd2, 0, f))); }
    "signalfd4" => |o| { let set = 0u64; bits(o, 0, |f| made(sys!(SYS_signalfd4, -1, &raw const set, 8, f))); }
    "timerfd-create" => |o| { bits(o, 0, |f| made(sys!(SYS_timerfd_create, 1, f))); values(o, &[], |clock| made(sys!(SYS_timerfd_create, clock, 0))); }
    "timerfd-settime" => |o| { let t = sys!(SYS_timerfd_create, 0, 0) as i32; let spec = [0i64, 0, 1 << 40, 0]; bits(o, 0, |f| sys!(SYS_timerfd_settime, t, f, spec.as_ptr(), 0)); o.v(sys!(SYS_timerfd_settime, t, 3, spec.as_ptr(), 0)); }
    "clocks" => |o| { let mut t = [0i64; 2]; values(o, &[8, 9, 10], |clock| sys!(SYS_clock_gettime, clock, t.as_mut_ptr())); values(o, &[8, 9, 10], |clock| sys!(SYS_clock_getres, clock, t.as_mut_ptr())); }
    "clock-nanosleep" => |o| { let zero = [0i64; 2]; bits(o, 0, |f| sys!(SYS_clock_nanosleep, CLOCK_MONOTONIC, f, zero.as_ptr(), 0)); }
    "timer-settime" => |o| { let mut id = 0i32; sys!(SYS_timer_create, CLOCK_MONOTONIC, 0, &raw mut id); let off = [0i64; 4]; bits(o, 0, |f| sys!(SYS_timer_settime, id, f, off.as_ptr(), 0)); }
    "timer-notify" => |o| { bits(o, 0, |kind| { let event = [0u32, 0, SIGALRM as u32, kind, sys!(SYS_gettid) as u32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]; let mut id = 0i32; let r = sys!(SYS_timer_create, CLOCK_MONOTONIC, event.as_ptr(), &raw mut id); if r == 0 { sys!(SYS_timer_delete, id); } r }); }
    "itimers" => |o| { let mut t = [0i64; 4]; values(o, &[], |which| sys!(SYS_getitimer, which, t.as_mut_ptr())); }
}
