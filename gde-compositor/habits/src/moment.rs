//! The time here, as clocks on the wall show it.

use serde::{Deserialize, Serialize};

const DAY: i64 = 86_400;

/// Seconds since the beginning of 1970 by the clock on the wall.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Moment(pub i64);

impl Moment {
    /// The day of the week, from Sunday, 0.
    pub fn weekday(self) -> usize {
        // The first of January 1970 was a Thursday.
        (self.0.div_euclid(DAY) + 4).rem_euclid(7) as usize
    }

    /// Seconds since midnight.
    pub fn of_day(self) -> i64 {
        self.0.rem_euclid(DAY)
    }

    /// Whether it is about the same time of day as another moment: two hours sooner or later.
    pub fn is_same_time(self, other: Moment) -> bool {
        let apart = (self.of_day() - other.of_day()).abs();
        apart.min(DAY - apart) <= 2 * 3600
    }

    /// Days since another moment; none where that is to come.
    pub fn days_since(self, other: Moment) -> f64 {
        (self.0.saturating_sub(other.0)).max(0) as f64 / DAY as f64
    }
}

/// How much something counts that happened so many days ago: half of it after thirty.
pub fn decayed(days: f64) -> f64 {
    0.5f64.powf(days / 30.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_hours() {
        assert_eq!(Moment(0).weekday(), 4);
        assert_eq!(Moment(-1).weekday(), 3);
        // Friday, 27 November 2026, 23:30.
        let late = Moment(1_795_822_200);
        assert_eq!((late.weekday(), late.of_day()), (5, 23 * 3600 + 30 * 60));
        assert!(late.is_same_time(Moment(late.0 + 3600)), "midnight is no border");
        assert!(!late.is_same_time(Moment(late.0 + 3 * 3600)));
        assert_eq!(late.days_since(Moment(late.0 + 5)), 0.0);
    }
}
