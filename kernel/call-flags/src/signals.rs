//! Signals and futexes.

use crate::errno::Errno::{EINVAL, ENOSYS};
use crate::set::{Flags, Unknown, Values, idle, no, on};
use crate::sets;

sets! {
    /// `sigaction(2)`: bits without a name are cleared, so that a program can see by reading the action back what there is.
    SIGACTION: Flags = Flags::new(&["rt_sigaction"], "sa_flags (other bits are cleared)", Unknown::Ignored, &[
        on("SA_NOCLDSTOP", 1),
        on("SA_NOCLDWAIT", 2),
        on("SA_SIGINFO", 4),
        idle("SA_EXPOSE_TAGBITS", 0x800, "addresses have no tags on this architecture"),
        on("SA_RESTORER", 0x400_0000),
        on("SA_ONSTACK", 0x800_0000),
        on("SA_RESTART", 0x1000_0000),
        on("SA_NODEFER", 0x4000_0000),
        on("SA_RESETHAND", 0x8000_0000),
    ]);
    /// `sigprocmask(2)`
    SIGPROCMASK: Values = Values::new(&["rt_sigprocmask"], "how", EINVAL, &[on("SIG_BLOCK", 0), on("SIG_UNBLOCK", 1), on("SIG_SETMASK", 2)]);
    /// `sigaltstack(2)`: not the first two together.
    SIGALTSTACK: Flags = Flags::new(&["sigaltstack"], "ss_flags", Unknown::Refused(EINVAL), &[
        idle("SS_ONSTACK", 1, "as on Linux: means that there is a stack"),
        on("SS_DISABLE", 2),
        on("SS_AUTODISARM", 0x8000_0000),
    ]);
    /// `signalfd4(2)`
    SIGNALFD4: Flags = Flags::new(&["signalfd4"], "flags", Unknown::Refused(EINVAL), &[on("SFD_CLOEXEC", crate::files::CLOEXEC), on("SFD_NONBLOCK", crate::files::NONBLOCK)]);
    /// `pidfd_send_signal(2)`
    PIDFD_SEND_SIGNAL: Flags = Flags::none(&["pidfd_send_signal"], "flags");
    /// `futex(2)`, without FUTEX_PRIVATE_FLAG (128) and FUTEX_CLOCK_REALTIME (256), of which the latter is for operations with an absolute time.
    FUTEX: Values = Values::new(&["futex"], "operation without FUTEX_PRIVATE_FLAG and FUTEX_CLOCK_REALTIME", ENOSYS, &[
        on("FUTEX_WAIT", 0),
        on("FUTEX_WAKE", 1),
        no("FUTEX_FD", 2, ENOSYS, "as Linux since 2.6.26"),
        on("FUTEX_REQUEUE", 3),
        on("FUTEX_CMP_REQUEUE", 4),
        on("FUTEX_WAKE_OP", 5),
        on("FUTEX_LOCK_PI", 6),
        on("FUTEX_UNLOCK_PI", 7),
        on("FUTEX_TRYLOCK_PI", 8),
        on("FUTEX_WAIT_BITSET", 9),
        on("FUTEX_WAKE_BITSET", 10),
        on("FUTEX_WAIT_REQUEUE_PI", 11),
        on("FUTEX_CMP_REQUEUE_PI", 12),
        on("FUTEX_LOCK_PI2", 13),
    ]);
    /// `futex(2)` with FUTEX_CLOCK_REALTIME
    FUTEX_REALTIME: Values = Values::new(&["futex"], "operation with FUTEX_CLOCK_REALTIME", ENOSYS, &[
        no("FUTEX_WAIT", 0, ENOSYS, "as Linux since 5.13: its time is relative"),
        on("FUTEX_WAIT_BITSET", 9),
        on("FUTEX_WAIT_REQUEUE_PI", 11),
        on("FUTEX_LOCK_PI2", 13),
    ]);
    /// `futex_waitv(2)`
    FUTEX_WAITV: Flags = Flags::none(&["futex_waitv"], "flags");
    /// `futex_waitv(2)`: the first must be given.
    FUTEX_WAITER: Flags = Flags::new(&["futex_waitv"], "flags of a waiter", Unknown::Refused(EINVAL), &[on("FUTEX_32", 2), on("FUTEX_PRIVATE_FLAG", 128)]);
}
