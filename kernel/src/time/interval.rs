//! What timers that repeat have in common: a deadline, an interval, and the one-shot timer that is armed for them.
//!
//! It lies under its owner's lock, and all changes are made under it: a timer that is due at once finds its deadline, and an expiry cannot replace the timer of
//! somebody who sets another time meanwhile. Timers that are replaced are handed out, to be dropped without the lock.

use alloc::sync::Arc;

use super::timer::{Expire, Timer};

/// A CPU has other things to do than to expire one timer: a repeating one interrupts it this often at most.
const SHORTEST_NS: u64 = 50_000;

/// When a timer expires next, and how often then.
#[derive(Default)]
pub struct Interval {
    /// On the monotonic clock, ns; 0: disarmed.
    deadline_ns: u64,
    interval_ns: u64,
    armed: Option<Timer>,
}

impl Interval {
    /// What is left until the next expiry (0: disarmed) and the interval, ns.
    pub fn left(&self) -> (u64, u64) {
        let left = if self.deadline_ns == 0 { 0 } else { self.deadline_ns.saturating_sub(frame::time::now_ns()).max(1) };
        (left, self.interval_ns)
    }

    /// Sets a deadline (0: none) and an interval (0: once).
    #[must_use = "to be dropped without the lock"]
    pub fn set(&mut self, deadline_ns: u64, interval_ns: u64, target: Arc<dyn Expire>) -> Option<Timer> {
        self.deadline_ns = deadline_ns;
        self.interval_ns = interval_ns;
        self.arm(target)
    }

    /// Arms a timer for the deadline as it is now.
    #[must_use = "to be dropped without the lock"]
    pub fn arm(&mut self, target: Arc<dyn Expire>) -> Option<Timer> {
        // What expires more often than this is looked at less often: the expiries between are counted when it is (`elapse`).
        let earliest = if (1..SHORTEST_NS).contains(&self.interval_ns) { frame::time::now_ns() + SHORTEST_NS } else { 0 };
        let armed = (self.deadline_ns != 0).then(|| Timer::new(self.deadline_ns.max(earliest), target));
        core::mem::replace(&mut self.armed, armed)
    }

    /// The clock that the deadline is on was moved ahead by so much, ns: it comes that much earlier.
    #[must_use = "to be dropped without the lock"]
    pub fn clock_moved(&mut self, by_ns: i64, target: Arc<dyn Expire>) -> Option<Timer> {
        if self.deadline_ns == 0 {
            return None;
        }
        self.deadline_ns = self.deadline_ns.saturating_add_signed(by_ns.saturating_neg()).max(1);
        self.arm(target)
    }

    /// No expiry will come.
    #[must_use = "to be dropped without the lock"]
    pub fn disarm(&mut self) -> Option<Timer> {
        self.deadline_ns = 0;
        self.armed.take()
    }

    /// Whether it repeats.
    pub fn repeats(&self) -> bool {
        self.interval_ns != 0
    }

    /// How often it has expired since this was asked last; the deadline is the next one then.
    pub fn elapse(&mut self) -> u64 {
        let now = frame::time::now_ns();
        if self.deadline_ns == 0 || self.deadline_ns > now {
            return 0;
        }
        if self.interval_ns == 0 {
            self.deadline_ns = 0;
            return 1;
        }
        let count = (now - self.deadline_ns) / self.interval_ns + 1;
        self.deadline_ns += count * self.interval_ns;
        count
    }
}
