//! When to draw: often enough to look immediate, seldom enough to leave the machine to the programs that write.

use std::time::{Duration, Instant};

/// At most 60 frames a second.
const FRAME: Duration = Duration::from_micros(16_667);

/// Decides when the next drawing is due.
pub struct Pacing {
    earliest: Instant,
    is_dirty: bool,
}

impl Pacing {
    /// The first drawing may come at once.
    pub fn new(now: Instant) -> Self {
        Pacing {
            earliest: now,
            is_dirty: true,
        }
    }

    /// Something has changed.
    pub fn mark(&mut self) {
        self.is_dirty = true;
    }

    /// When to draw; `None` where nothing has changed.
    pub fn due(&self) -> Option<Instant> {
        self.is_dirty.then_some(self.earliest)
    }

    /// Drawing took from `start` to `end`. On a slow machine drawing gets a third of the time at most.
    pub fn drawn(&mut self, start: Instant, end: Instant) {
        self.is_dirty = false;
        self.earliest = (start + FRAME).max(end + 2 * (end - start));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_limited_and_slow_drawing_is_rarer() {
        let start = Instant::now();
        let mut pacing = Pacing::new(start);
        assert_eq!(pacing.due(), Some(start));
        pacing.drawn(start, start + Duration::from_millis(1));
        assert_eq!(pacing.due(), None);
        pacing.mark();
        assert_eq!(pacing.due(), Some(start + FRAME));
        pacing.drawn(start, start + Duration::from_millis(20));
        pacing.mark();
        assert_eq!(pacing.due(), Some(start + Duration::from_millis(60)));
    }
}
