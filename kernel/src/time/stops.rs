//! When the machine stood still: a virtual machine that was paused, or went back to a saved state, goes on with a clock that has jumped. Nobody ran meanwhile, so nobody
//! may be blamed for it: what judges others by how long they take counts from the end of the last such stop on.
//!
//! It is noticed by a timer that was armed for a time long past: while a CPU runs its timer fires when it is due.

use core::sync::atomic::{AtomicU64, Ordering};

/// A timer later than this was held up by more than other work.
const LATE_NS: u64 = 1_000_000_000;

/// The end of the last stop, on the monotonic clock.
static RESUMED_NS: AtomicU64 = AtomicU64::new(0);

/// A timer that was armed for `due_ns` is looked at, or fires, at `now_ns`.
pub fn looked_at_timer(due_ns: u64, now_ns: u64) {
    if now_ns.saturating_sub(due_ns) > LATE_NS {
        RESUMED_NS.fetch_max(now_ns, Ordering::Relaxed);
    }
}

/// `since_ns`, or the end of the last stop, if that was later.
pub fn running_since(since_ns: u64) -> u64 {
    crate::task::sched::look_at_timers(frame::time::now_ns());
    since_ns.max(RESUMED_NS.load(Ordering::Relaxed))
}
