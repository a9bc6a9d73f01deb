//! Days and months of the Gregorian calendar.

use std::time::{SystemTime, UNIX_EPOCH};

/// From Sunday, as `tm_wday` counts.
pub const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
/// From January.
pub const MONTHS: [&str; 12] = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
/// Rows of a month's picture: no month needs more.
pub const ROWS: usize = 6;

/// Territories whose weeks begin on Sunday, and on Saturday, by the data of Unicode's CLDR; all others begin on Monday.
const SUNDAY: [&str; 14] = ["US", "CA", "MX", "BR", "CO", "PE", "JP", "KR", "TW", "HK", "IL", "IN", "PH", "TH"];
const SATURDAY: [&str; 7] = ["EG", "DZ", "IQ", "JO", "KW", "QA", "SD"];

/// A day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// Of our era.
    pub year: i32,
    /// From 0.
    pub month: i32,
    /// From 1.
    pub day: i32,
}

/// A month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Month {
    /// Of our era.
    pub year: i32,
    /// From 0.
    pub month: i32,
}

/// The local time of this moment.
pub fn now() -> libc::tm {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() as i64;
    let mut parts = std::mem::MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both pointers are to values of ours; a zeroed tm is valid.
    unsafe {
        libc::localtime_r(&seconds, parts.as_mut_ptr());
        parts.assume_init()
    }
}

/// This day, here.
pub fn today() -> Day {
    let now = now();
    Day { year: now.tm_year + 1900, month: now.tm_mon, day: now.tm_mday }
}

impl Day {
    /// Its month.
    pub fn month_of(self) -> Month {
        Month { year: self.year, month: self.month }
    }

    /// Days since Sunday, 0 to 6.
    pub fn weekday(self) -> i32 {
        // Days since 1 March of the year 0, counted by years that begin in March (the leap day is then the last one).
        let year = self.year - i32::from(self.month < 2);
        let month = (self.month + 10) % 12;
        let days = year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (month * 306 + 5) / 10 + self.day - 1;
        // That was a Wednesday.
        (days + 3).rem_euclid(7)
    }
}

impl Month {
    /// So many months later.
    pub fn later(self, by: i32) -> Month {
        let all = self.year * 12 + self.month + by;
        Month { year: all.div_euclid(12), month: all.rem_euclid(12) }
    }

    /// How many days it has.
    pub fn days(self) -> i32 {
        let is_leap = self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0);
        match self.month {
            1 if is_leap => 29,
            1 => 28,
            3 | 5 | 8 | 10 => 30,
            _ => 31,
        }
    }

    /// Its weeks with the days of its neighbours that complete them; `first` is the weekday that they begin with, from Sunday.
    pub fn weeks(self, first: i32) -> [[Day; 7]; ROWS] {
        let before = (Day { year: self.year, month: self.month, day: 1 }.weekday() - first).rem_euclid(7);
        std::array::from_fn(|row| std::array::from_fn(|column| self.day_at((row * 7 + column) as i32 - before)))
    }

    /// The day so many days after its first one; a month to either side at most.
    fn day_at(self, index: i32) -> Day {
        let (month, day) = match index {
            ..0 => (self.later(-1), self.later(-1).days() + index + 1),
            _ if index >= self.days() => (self.later(1), index - self.days() + 1),
            _ => (self, index + 1),
        };
        Day { year: month.year, month: month.month, day }
    }
}

/// The day that weeks begin with, from Sunday, by a locale's name (`en_US.UTF-8`).
pub fn first_weekday(locale: &str) -> i32 {
    let territory = locale.split(['.', '@']).next().and_then(|it| it.split_once('_')).map_or("", |it| it.1);
    if SUNDAY.contains(&territory) {
        0
    } else if SATURDAY.contains(&territory) {
        6
    } else {
        1
    }
}

/// The locale for times, by the variables that locale(7) names.
pub fn locale() -> String {
    ["LC_ALL", "LC_TIME", "LANG"].into_iter().find_map(|name| std::env::var(name).ok().filter(|it| !it.is_empty())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_c_library() {
        for day in (-20_000..40_000).step_by(7) {
            let seconds = i64::from(day) * 86_400;
            let mut parts = std::mem::MaybeUninit::<libc::tm>::zeroed();
            // SAFETY: both pointers are to values of ours; a zeroed tm is valid.
            let tm = unsafe {
                libc::gmtime_r(&seconds, parts.as_mut_ptr());
                parts.assume_init()
            };
            let it = Day { year: tm.tm_year + 1900, month: tm.tm_mon, day: tm.tm_mday };
            assert_eq!(it.weekday(), tm.tm_wday, "{it:?}");
            assert!(it.day <= it.month_of().days(), "{it:?}");
        }
    }

    #[test]
    fn weeks_hold_all_days_in_order() {
        for later in 0..600 {
            let month = Month { year: 1995, month: 0 }.later(later);
            for first in [0, 1, 6] {
                let days = month.weeks(first).concat();
                assert!(days.iter().enumerate().all(|(index, it)| it.weekday() == (first + index as i32) % 7), "{month:?}: {days:?}");
                let own: Vec<i32> = days.iter().filter(|it| it.month_of() == month).map(|it| it.day).collect();
                assert_eq!(own, (1..=month.days()).collect::<Vec<i32>>());
                assert!(days.iter().all(|it| (1..=it.month_of().days()).contains(&it.day)));
            }
        }
    }

    #[test]
    fn weeks_begin_as_people_have_it() {
        for (locale, first) in [("C.UTF-8", 1), ("", 1), ("de_DE.UTF-8", 1), ("en_US.UTF-8", 0), ("ar_EG", 6), ("en_GB@euro", 1), ("sr_US@latin", 0)] {
            assert_eq!(first_weekday(locale), first, "{locale}");
        }
    }
}
