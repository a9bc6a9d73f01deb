//! Values: switches, durations, sizes.

use std::time::Duration;

/// `yes`, `no` and their like.
pub fn switch(text: &str) -> Option<bool> {
    match text {
        "yes" | "on" | "true" | "1" => Some(true),
        "no" | "off" | "false" | "0" => Some(false),
        _ => None,
    }
}

/// What [`switch`] takes.
pub const SWITCH: &str = "write yes or no";

/// The longest duration: a year. More is `infinity`.
const MAX_SECONDS: f64 = 366.0 * 86400.0;

/// `5`, `1.5s`, `200ms`, `2min 30s`, `1h`; `infinity` is [`Duration::MAX`]. Seconds where there is no unit.
pub fn duration(text: &str) -> Option<Duration> {
    if text == "infinity" {
        return Some(Duration::MAX);
    }
    let mut seconds = 0.0;
    let mut words = 0;
    for word in text.split_ascii_whitespace() {
        let digits = word.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(word.len());
        let (number, unit) = word.split_at(digits);
        let number: f64 = number.parse().ok()?;
        let scale = match unit {
            "ms" => 0.001,
            "" | "s" | "sec" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            "d" => 86400.0,
            _ => return None,
        };
        seconds += number * scale;
        words += 1;
    }
    (words > 0 && seconds <= MAX_SECONDS).then(|| Duration::from_micros((seconds * 1e6).round() as u64))
}

/// What [`duration`] takes.
pub const DURATION: &str = "write a time such as 500ms, 5s, 2min or infinity";

/// `4096`, `64K`, `16M`, `2G`; `infinity` is `u64::MAX`.
pub fn size(text: &str) -> Option<u64> {
    if text == "infinity" {
        return Some(u64::MAX);
    }
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let shift = match unit {
        "" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift)
}

/// What [`size`] takes.
pub const SIZE: &str = "write a number, with K, M, G or T where it is large, or infinity";

/// A consciousness level in thousandths: `0.1` to `1.0`.
pub fn level(text: &str) -> Option<u16> {
    let number: f64 = text.parse().ok().filter(|_| text.bytes().all(|it| it.is_ascii_digit() || it == b'.'))?;
    (0.1..=1.0).contains(&number).then(|| (number * 1000.0).round() as u16)
}

/// What [`level`] takes.
pub const LEVEL: &str = "write a level from 0.1 to 1.0";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_their_limits() {
        assert_eq!(duration("5"), Some(Duration::from_secs(5)));
        assert_eq!(duration("2min 30s"), Some(Duration::from_secs(150)));
        assert_eq!(duration("200ms"), Some(Duration::from_millis(200)));
        assert_eq!(duration("1.5s"), Some(Duration::from_millis(1500)));
        assert_eq!(duration("infinity"), Some(Duration::MAX));
        for bad in ["", " ", "s", "-1", "1y", "1e9", "99999999999999999999h", "1..2", "nan", "inf"] {
            assert_eq!(duration(bad), None, "{bad}");
        }
        assert_eq!(size("64K"), Some(65536));
        assert_eq!(size("99999999999999999999"), None);
        assert_eq!(size("99999999T"), None);
        assert_eq!(size("K"), None);
        assert_eq!(level("0.8"), Some(800));
        for bad in ["0", "1.1", "-0.5", "1e-1", "", ".", "nan"] {
            assert_eq!(level(bad), None, "{bad}");
        }
    }
}
