//! Time.

/// Nanoseconds since the kernel started, by the TSC; never goes back.
#[inline]
pub fn now_ns() -> u64 {
    todo!()
}

/// Frequency of the TSC in kHz.
pub fn tsc_khz() -> u64 {
    todo!()
}

/// Lets this CPU's timer fire at `deadline_ns` of [`now_ns`] (in the past: at once); replaces the deadline before. `u64::MAX`: never. Calls [`crate::trap::Hooks::timer`].
pub fn arm_timer(deadline_ns: u64) {
    let _ = deadline_ns;
    todo!()
}

/// The real-time clock, in seconds since 1970-01-01 UTC (it is taken to run in UTC). Slow: read once at start.
pub fn rtc_unix_seconds() -> u64 {
    todo!()
}
