//! The real-time clock's registers as a time.

/// What the clock's registers hold, as read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtcRegisters {
    /// Register 0.
    pub second: u8,
    /// Register 2.
    pub minute: u8,
    /// Register 4.
    pub hour: u8,
    /// Register 7.
    pub day: u8,
    /// Register 8.
    pub month: u8,
    /// Register 9.
    pub year: u8,
    /// The century register, where there is one.
    pub century: Option<u8>,
    /// Register 0x0b: formats.
    pub status_b: u8,
}

/// Seconds since 1970-01-01; None where the registers hold no date.
pub fn unix_seconds(rtc: &RtcRegisters) -> Option<u64> {
    const HOURS_24: u8 = 2;
    const BINARY: u8 = 4;
    const PM: u8 = 0x80;
    let number = |raw: u8| if rtc.status_b & BINARY != 0 { raw as u64 } else { (raw >> 4) as u64 * 10 + (raw & 15) as u64 };
    let mut hour = number(rtc.hour & !PM);
    if rtc.status_b & HOURS_24 == 0 {
        hour = hour % 12 + if rtc.hour & PM != 0 { 12 } else { 0 };
    }
    let century = rtc.century.map(number).filter(|c| (19..=29).contains(c)).unwrap_or(20);
    let (year, month, day) = (century * 100 + number(rtc.year), number(rtc.month), number(rtc.day));
    let (minute, second) = (number(rtc.minute), number(rtc.second));
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Days since the epoch, years counted from March so that the leap day is the last.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719_468;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_become_seconds() {
        let bcd = RtcRegisters { second: 0x56, minute: 0x34, hour: 0x12, day: 0x29, month: 0x02, year: 0x24, century: None, status_b: 2 };
        assert_eq!(unix_seconds(&bcd), Some(1_709_210_096));
        let pm = RtcRegisters { second: 0, minute: 0, hour: 0x80 | 12, day: 1, month: 1, year: 70, century: Some(19), status_b: 4 };
        assert_eq!(unix_seconds(&pm), Some(12 * 3600));
        let midnight = RtcRegisters { hour: 12, ..pm };
        assert_eq!(unix_seconds(&midnight), Some(0));
        assert_eq!(unix_seconds(&RtcRegisters { month: 0x13, ..bcd }), None);
    }
}
