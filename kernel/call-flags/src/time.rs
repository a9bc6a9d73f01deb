//! Clocks and timers.

use crate::errno::Errno::EINVAL;
use crate::set::{Flags, Unknown, Values, on};
use crate::sets;

sets! {
    /// `clock_gettime(2)` and its relatives; negative ones name the CPU clocks of processes and threads.
    CLOCK: Values = Values::new(&["clock_gettime", "clock_settime", "clock_getres", "clock_nanosleep", "clock_adjtime", "timer_create"], "clock", EINVAL, &[
        on("CLOCK_REALTIME", 0),
        on("CLOCK_MONOTONIC", 1),
        on("CLOCK_PROCESS_CPUTIME_ID", 2),
        on("CLOCK_THREAD_CPUTIME_ID", 3),
        on("CLOCK_MONOTONIC_RAW", 4),
        on("CLOCK_REALTIME_COARSE", 5),
        on("CLOCK_MONOTONIC_COARSE", 6),
        on("CLOCK_BOOTTIME", 7),
        on("CLOCK_REALTIME_ALARM", 8),
        on("CLOCK_BOOTTIME_ALARM", 9),
        on("CLOCK_TAI", 11),
    ]);
    /// `clock_nanosleep(2)`
    CLOCK_NANOSLEEP: Flags = Flags::new(&["clock_nanosleep"], "flags", Unknown::Ignored, &[on("TIMER_ABSTIME", 1)]);
    /// `timer_settime(2)`
    TIMER_SETTIME: Flags = Flags::new(&["timer_settime"], "flags", Unknown::Ignored, &[on("TIMER_ABSTIME", 1)]);
    /// `timer_create(2)`
    TIMER_NOTIFY: Values = Values::new(&["timer_create"], "sigev_notify", EINVAL, &[on("SIGEV_SIGNAL", 0), on("SIGEV_NONE", 1), on("SIGEV_THREAD", 2), on("SIGEV_THREAD_ID", 4)]);
    /// `getitimer(2)`, `setitimer(2)`
    ITIMER: Values = Values::new(&["getitimer", "setitimer"], "which", EINVAL, &[on("ITIMER_REAL", 0), on("ITIMER_VIRTUAL", 1), on("ITIMER_PROF", 2)]);
    /// `adjtimex(2)`: of the realtime clock.
    ADJTIMEX: Flags = Flags::new(&["adjtimex", "clock_adjtime"], "modes", Unknown::Refused(EINVAL), &[
        on("ADJ_OFFSET", 1),
        on("ADJ_FREQUENCY", 2),
        on("ADJ_MAXERROR", 4),
        on("ADJ_ESTERROR", 8),
        on("ADJ_STATUS", 0x10),
        on("ADJ_TIMECONST", 0x20),
        on("ADJ_TAI", 0x80),
        on("ADJ_SETOFFSET", 0x100),
        on("ADJ_MICRO", 0x1000),
        on("ADJ_NANO", 0x2000),
        on("ADJ_TICK", 0x4000),
        on("ADJ_OFFSET_SINGLESHOT", 0x8001),
    ]);
}
