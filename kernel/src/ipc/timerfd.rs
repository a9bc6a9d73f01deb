//! `timerfd_create(2)`: a timer as a file.

use alloc::string::String;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::any::Any;

use crate::error::*;
use crate::fs::{Attr, Events, FileOps, IoSink, OpenFile};
use crate::sync::{PollTable, SpinLock, SpinLockGuard, WaitQueue};
use crate::time::Clock;
use crate::time::interval::Interval;
use crate::time::timer::Expire;

#[derive(Default)]
struct State {
    interval: Interval,
    expirations: u64,
    /// Set absolutely on the realtime clock.
    follows_clock: bool,
    /// As that, and to be told when the clock is set (`TFD_TIMER_CANCEL_ON_SET`).
    watches_clock: bool,
    /// The clock has been set since.
    cancelled: bool,
}

struct Core {
    state: SpinLock<State>,
    event: WaitQueue,
}

impl Core {
    /// The state with the expirations up to now.
    fn up_to_now(&self) -> SpinLockGuard<'_, State> {
        let mut state = self.state.lock();
        state.expirations += state.interval.elapse();
        state
    }
}

impl Expire for Core {
    fn expire(self: Arc<Self>) {
        let old = self.up_to_now().interval.arm(self.clone());
        drop(old);
        self.event.wake_events(Events::IN | Events::RDNORM);
    }
}

/// The timers that follow the realtime clock.
static WATCHING: SpinLock<Vec<Weak<Core>>> = SpinLock::new(Vec::new());

/// The realtime clock was set, that much ahead: timers that follow it expire as much earlier, and a read of those that watch it gives `ECANCELED`.
pub fn clock_was_set(by_ns: i64) {
    let watching: Vec<Arc<Core>> = WATCHING.lock().iter().filter_map(Weak::upgrade).collect();
    for core in watching {
        let (told, old) = {
            let mut state = core.state.lock();
            state.cancelled |= state.watches_clock;
            let old = if state.follows_clock { state.interval.clock_moved(by_ns, core.clone()) } else { None };
            (state.cancelled, old)
        };
        drop(old);
        if told {
            core.event.wake_events(Events::IN | Events::RDNORM);
        }
    }
}

/// A timer file.
pub struct TimerFd {
    core: Arc<Core>,
    clock: Clock,
}

impl Drop for TimerFd {
    fn drop(&mut self) {
        let armed = self.core.state.lock().interval.disarm();
        drop(armed);
    }
}

impl TimerFd {
    /// A disarmed timer on a clock.
    pub fn new(clock: Clock) -> Arc<Self> {
        Arc::new(Self { core: Arc::new(Core { state: SpinLock::new(State::default()), event: WaitQueue::new() }), clock })
    }

    /// Time left and interval, ns.
    pub fn get(&self) -> (u64, u64) {
        self.core.up_to_now().interval.left()
    }

    /// Arms (or with 0 disarms) the timer; returns what was left and the interval before. `watch`: `TFD_TIMER_CANCEL_ON_SET`.
    ///
    /// # Errors
    /// `EOPNOTSUPP` for CPU clocks.
    pub fn set(&self, absolute: bool, watch: bool, value_ns: u64, interval_ns: u64) -> Result<(u64, u64)> {
        let before = self.get();
        let deadline = match (value_ns, absolute) {
            (0, _) => 0,
            (at, true) => self.clock.to_monotonic(at)?.max(1),
            (after, false) => frame::time::now_ns().saturating_add(after),
        };
        let follows_clock = absolute && matches!(self.clock, Clock::Realtime | Clock::Tai);
        let watches_clock = watch && follows_clock;
        if follows_clock {
            let mut watching = WATCHING.lock();
            watching.retain(|other| other.strong_count() > 0);
            if !watching.iter().any(|other| core::ptr::eq(other.as_ptr(), Arc::as_ptr(&self.core))) {
                watching.push(Arc::downgrade(&self.core));
            }
        }
        let old = {
            let mut state = self.core.state.lock();
            state.expirations = 0;
            (state.follows_clock, state.watches_clock) = (follows_clock, watches_clock);
            state.cancelled = false;
            state.interval.set(deadline, interval_ns, self.core.clone())
        };
        drop(old);
        Ok(before)
    }

    fn take(&self) -> Option<Result<u64>> {
        let mut state = self.core.up_to_now();
        if core::mem::take(&mut state.cancelled) {
            state.expirations = 0;
            return Some(Err(ECANCELED));
        }
        (state.expirations > 0).then(|| Ok(core::mem::take(&mut state.expirations)))
    }
}

impl FileOps for TimerFd {
    fn read(&self, file: &OpenFile, _pos: u64, dst: &mut IoSink<'_>) -> Result<usize> {
        if dst.remaining() < 8 {
            return Err(EINVAL);
        }
        let count = match self.take() {
            Some(count) => count?,
            None if file.nonblocking() => return Err(EAGAIN),
            None => self.core.event.wait_until(|| self.take())??,
        };
        dst.write(&count.to_le_bytes())
    }

    fn poll(&self, _file: &OpenFile, table: &mut PollTable<'_>) -> Events {
        table.register(&self.core.event);
        let state = self.core.up_to_now();
        if state.expirations > 0 || state.cancelled { Events::IN | Events::RDNORM } else { Events::empty() }
    }

    fn has_no_positions(&self) -> bool {
        true
    }

    fn attr(&self) -> Result<Attr> {
        Ok(Attr { mode: 0o600, nlink: 1, blksize: 4096, ..Attr::default() })
    }

    fn describe(&self) -> String {
        "anon_inode:[timerfd]".into()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
