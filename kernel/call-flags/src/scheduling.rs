//! Scheduling, priorities, limits.

use crate::errno::Errno::{EINVAL, EOPNOTSUPP};
use crate::set::{Flags, Unknown, Values, idle, no, on};
use crate::sets;

sets! {
    /// `sched_setscheduler(2)`, without SCHED_RESET_ON_FORK.
    SCHED_POLICY: Values = Values::new(&["sched_setscheduler", "sched_setattr"], "policy without SCHED_RESET_ON_FORK (0x40000000)", EINVAL, &[
        on("SCHED_NORMAL", 0),
        on("SCHED_FIFO", 1),
        on("SCHED_RR", 2),
        on("SCHED_BATCH", 3),
        on("SCHED_IDLE", 5),
        no("SCHED_DEADLINE", 6, EINVAL, "there are no deadlines"),
    ]);
    /// `sched_get_priority_max(2)`, `sched_get_priority_min(2)`
    SCHED_PRIORITIES: Values = Values::new(&["sched_get_priority_max", "sched_get_priority_min"], "policy", EINVAL, &[
        on("SCHED_NORMAL", 0),
        on("SCHED_FIFO", 1),
        on("SCHED_RR", 2),
        on("SCHED_BATCH", 3),
        on("SCHED_IDLE", 5),
        on("SCHED_DEADLINE", 6),
    ]);
    /// `sched_setattr(2)`
    SCHED_ATTR: Flags = Flags::new(&["sched_setattr"], "flags of the attributes", Unknown::Refused(EINVAL), &[
        on("SCHED_FLAG_RESET_ON_FORK", 1),
        idle("SCHED_FLAG_RECLAIM", 2, "means SCHED_DEADLINE, which is refused"),
        idle("SCHED_FLAG_DL_OVERRUN", 4, "means SCHED_DEADLINE, which is refused"),
        on("SCHED_FLAG_KEEP_POLICY", 8),
        on("SCHED_FLAG_KEEP_PARAMS", 16),
        no("SCHED_FLAG_UTIL_CLAMP_MIN", 32, EOPNOTSUPP, "the error of a Linux without them"),
        no("SCHED_FLAG_UTIL_CLAMP_MAX", 64, EOPNOTSUPP, "the error of a Linux without them"),
    ]);
    /// `sched_setattr(2)`, `sched_getattr(2)`
    SCHED_ATTR_CALL: Flags = Flags::none(&["sched_setattr", "sched_getattr"], "flags of the call");
    /// `getpriority(2)`, `setpriority(2)`
    PRIORITY: Values = Values::new(&["getpriority", "setpriority"], "which", EINVAL, &[on("PRIO_PROCESS", 0), on("PRIO_PGRP", 1), on("PRIO_USER", 2)]);
    /// `ioprio_set(2)`, `ioprio_get(2)`
    IOPRIO: Values = Values::new(&["ioprio_set", "ioprio_get"], "which", EINVAL, &[on("IOPRIO_WHO_PROCESS", 1), on("IOPRIO_WHO_PGRP", 2), on("IOPRIO_WHO_USER", 3)]);
    /// `rseq(2)`: exactly one of these.
    RSEQ: Values = Values::new(&["rseq"], "flags", EINVAL, &[on("0", 0), on("RSEQ_FLAG_UNREGISTER", 1)]);
    /// `getrusage(2)`
    RUSAGE: Values = Values::new(&["getrusage"], "who", EINVAL, &[on("RUSAGE_SELF", 0), on("RUSAGE_CHILDREN", 0xffff_ffff), on("RUSAGE_THREAD", 1)]);
}
