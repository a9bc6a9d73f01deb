//! The time of frames and animations. Tests set it by hand.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use gde_habits::Moment;
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

    /// What the clock on the wall shows. Where the time is set by hand it begins on Friday, 27 November 2026, at ten.
    pub fn wall(&self) -> Moment {
        match self {
            Clock::System(_) => Moment(crate::sys::local_seconds()),
            Clock::Manual(time) => Moment(1_795_773_600 + time.get().as_secs() as i64),
        }
    }

    /// In milliseconds, as events carry it.
    pub fn now_ms(&self) -> u32 {
        self.now().as_millis() as u32
    }
}
