//! The clock of a display. Virtual devices have none: vertical blanks are counted from the time of the mode's setting, at the mode's rate.

/// When vertical blanks are. Times are nanoseconds of CLOCK_MONOTONIC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VblankClock {
    /// Time of the blank number `base`.
    start_ns: u64,
    base: u64,
    /// 0 while the display is off.
    frame_ns: u64,
}

impl VblankClock {
    /// Starts at `now` with this time between two blanks; the count goes on.
    pub fn start(&mut self, now_ns: u64, frame_ns: u64) {
        *self = Self { base: self.count(now_ns), start_ns: now_ns, frame_ns };
    }

    /// Stops it; the count stays.
    pub fn stop(&mut self, now_ns: u64) {
        *self = Self { base: self.count(now_ns), start_ns: now_ns, frame_ns: 0 };
    }

    /// Whether it runs.
    pub fn is_running(&self) -> bool {
        self.frame_ns != 0
    }

    /// Number of the last blank at a time.
    pub fn count(&self, now_ns: u64) -> u64 {
        self.base + now_ns.saturating_sub(self.start_ns).checked_div(self.frame_ns).unwrap_or(0)
    }

    /// When a blank is (or was, since the start).
    pub fn time_of(&self, count: u64) -> u64 {
        self.start_ns + count.saturating_sub(self.base).saturating_mul(self.frame_ns)
    }

    /// Number and time of the first blank after `now`.
    pub fn next(&self, now_ns: u64) -> (u64, u64) {
        let count = self.count(now_ns) + 1;
        (count, self.time_of(count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_are_counted_across_modes() {
        let mut clock = VblankClock::default();
        assert!(!clock.is_running());
        clock.start(1000, 100);
        assert_eq!((clock.count(1000), clock.count(1099), clock.count(1100)), (0, 0, 1));
        assert_eq!(clock.next(1250), (3, 1300));
        assert_eq!(clock.next(1300), (4, 1400));
        clock.start(1350, 10);
        assert_eq!(clock.count(1350), 3);
        assert_eq!(clock.next(1355), (4, 1360));
        clock.stop(1400);
        assert_eq!(clock.count(9999), 8);
    }
}
