//! `timerfd_create(2)`: a timer as a file.

use alloc::string::String;
use alloc::sync::Arc;
use core::any::Any;

use crate::error::*;
use crate::fs::{Attr, Events, FileOps, IoSink, OpenFile};
use crate::sync::{PollTable, SpinLock, WaitQueue};
use crate::time::Clock;
use crate::time::timer::{Expire, Timer};

#[derive(Default)]
struct State {
    /// Next expiry on the monotonic clock, 0: disarmed.
    deadline_ns: u64,
    interval_ns: u64,
    expirations: u64,
    armed: Option<Timer>,
}

struct Core {
    state: SpinLock<State>,
    event: WaitQueue,
}

impl Core {
    /// Counts the expiries up to now; returns the next deadline.
    fn catch_up(&self) -> u64 {
        Self::count(&mut self.state.lock())
    }

    /// Counts the expirations up to now; returns the next deadline.
    fn count(state: &mut State) -> u64 {
        let now = frame::time::now_ns();
        if state.deadline_ns != 0 && state.deadline_ns <= now {
            if state.interval_ns == 0 {
                state.expirations += 1;
                state.deadline_ns = 0;
            } else {
                let n = (now - state.deadline_ns) / state.interval_ns + 1;
                state.expirations += n;
                state.deadline_ns += n * state.interval_ns;
            }
        }
        state.deadline_ns
    }
}

impl Expire for Core {
    fn expire(self: Arc<Self>) {
        let old = {
            let mut state = self.state.lock();
            // Under the lock: it must not replace the timer of somebody who sets another time now.
            let next = Self::count(&mut state);
            let armed = (next != 0).then(|| Timer::new(next, self.clone()));
            core::mem::replace(&mut state.armed, armed)
        };
        drop(old);
        self.event.wake_events(Events::IN | Events::RDNORM);
    }
}

/// A timer file.
pub struct TimerFd {
    core: Arc<Core>,
    clock: Clock,
}

impl Drop for TimerFd {
    fn drop(&mut self) {
        let armed = {
            let mut state = self.core.state.lock();
            // An expiry at this moment must not arm it again.
            state.deadline_ns = 0;
            state.armed.take()
        };
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
        self.core.catch_up();
        let state = self.core.state.lock();
        let left = if state.deadline_ns == 0 { 0 } else { state.deadline_ns.saturating_sub(frame::time::now_ns()).max(1) };
        (left, state.interval_ns)
    }

    /// Arms (or with 0 disarms) the timer; returns what was left and the interval before.
    ///
    /// # Errors
    /// `EOPNOTSUPP` for CPU clocks.
    pub fn set(&self, absolute: bool, value_ns: u64, interval_ns: u64) -> Result<(u64, u64)> {
        let before = self.get();
        let deadline = match (value_ns, absolute) {
            (0, _) => 0,
            (at, true) => self.clock.to_monotonic(at)?.max(1),
            (after, false) => frame::time::now_ns().saturating_add(after),
        };
        let old = {
            let mut state = self.core.state.lock();
            state.deadline_ns = deadline;
            state.interval_ns = interval_ns;
            state.expirations = 0;
            let armed = (deadline != 0).then(|| Timer::new(deadline, self.core.clone()));
            core::mem::replace(&mut state.armed, armed)
        };
        drop(old);
        Ok(before)
    }

    fn take(&self) -> Option<u64> {
        let mut state = self.core.state.lock();
        (state.expirations > 0).then(|| core::mem::take(&mut state.expirations))
    }
}

impl FileOps for TimerFd {
    fn read(&self, file: &OpenFile, _pos: u64, dst: &mut IoSink<'_>) -> Result<usize> {
        if dst.remaining() < 8 {
            return Err(EINVAL);
        }
        self.core.catch_up();
        let count = match self.take() {
            Some(count) => count,
            None if file.nonblocking() => return Err(EAGAIN),
            None => self.core.event.wait_until(|| self.take())?,
        };
        dst.write(&count.to_le_bytes())
    }

    fn poll(&self, _file: &OpenFile, table: &mut PollTable<'_>) -> Events {
        table.register(&self.core.event);
        self.core.catch_up();
        if self.core.state.lock().expirations > 0 { Events::IN | Events::RDNORM } else { Events::empty() }
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
