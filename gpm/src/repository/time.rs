//! Points in time as TUF writes them: `2026-01-31T23:59:59Z`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Seconds since 1970, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Time(pub i64);

const DAY: i64 = 86_400;

impl Time {
    /// The machine's clock.
    pub fn now() -> Time {
        Time(crate::transaction::now())
    }

    /// This many days later.
    #[must_use]
    pub fn after_days(self, days: u32) -> Time {
        Time(self.0 + i64::from(days) * DAY)
    }
}

/// Days since 1970 of a date of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // The year begins in March, so that the leap day is its last.
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

fn date(days: i64) -> (i64, i64, i64) {
    let mut year = 1970 + days.div_euclid(366);
    while self::days(year + 1, 1, 1) <= days {
        year += 1;
    }
    let month = (2..=12).rev().find(|month| self::days(year, *month, 1) <= days).unwrap_or(1);
    (year, month, days - self::days(year, month, 1) + 1)
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = date(self.0.div_euclid(DAY));
        let second = self.0.rem_euclid(DAY);
        write!(f, "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
    }
}

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = || format!("{text:?} is no time such as 2026-01-31T23:59:59Z");
        let shape: String = text.chars().map(|it| if it.is_ascii_digit() { '0' } else { it }).collect();
        if shape != "0000-00-00T00:00:00Z" {
            return Err(fail());
        }
        let number = |from: usize, to: usize| text[from..to].parse::<i64>().map_err(|_| fail());
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 59 {
            return Err(fail());
        }
        Ok(Time(days(year, month, day) * DAY + hour * 3600 + minute * 60 + second))
    }
}

impl TryFrom<String> for Time {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Time> for String {
    fn from(time: Time) -> String {
        time.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_times() {
        for (seconds, text) in [(0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"), (1_800_000_000, "2027-01-15T08:00:00Z")] {
            assert_eq!(Time(seconds).to_string(), text);
            assert_eq!(text.parse(), Ok(Time(seconds)));
        }
        for text in ["", "2026-13-01T00:00:00Z", "2026-01-01 00:00:00Z", "2026-01-01T00:00:00+01:00", "2026-01-01T24:00:00Z"] {
            assert!(text.parse::<Time>().is_err());
        }
    }

    proptest! {
        #[test]
        fn round_trip(seconds in 0..200_000_000_000i64) {
            prop_assert_eq!(Time(seconds).to_string().parse(), Ok(Time(seconds)));
        }
    }
}
