//! The time of frames and animations. Tests set it by hand.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use smithay::utils::{Clock as SystemClock, Monotonic};

/// A clock.
#[derive(Debug)]
pub enum Clock {
    /// `CLOCK_MONOTONIC`.
    System(SystemClock<Monotonic>),
    /// A time that stands still until it is changed.
    Manual(Rc<Cell<Duration>>),
}

impl Clock {
    /// The system's.
    pub fn system() -> Self {
        Clock::System(SystemClock::new())
    }

    /// A time that is set by hand.
    pub fn manual(start: Duration) -> (Self, Rc<Cell<Duration>>) {
        let time = Rc::new(Cell::new(start));
        (Clock::Manual(time.clone()), time)
    }

    /// The time since some beginning.
    pub fn now(&self) -> Duration {
        match self {
            Clock::System(clock) => clock.now().into(),
            Clock::Manual(time) => time.get(),
        }
    }

    /// In milliseconds, as events carry it.
    pub fn now_ms(&self) -> u32 {
        self.now().as_millis() as u32
    }
}
