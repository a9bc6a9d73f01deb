//! The discipline of the time of day: what `adjtimex(2)`, `clock_adjtime(2)` and `adjtime(3)` set, by the rules of Linux's `kernel/time/ntp.c` and of RFC 5905's
//! kernel model. Only the real-time clock follows it; the monotonic clock runs at the counter's own rate.
//!
//! While anything disciplines the clock a timer moves it ten times a second; without that nothing runs.

use alloc::sync::Arc;

use super::timer::{Expire, Timer};
use crate::error::*;
use crate::sync::SpinLock;

/// Structure `timex` (`adjtimex(2)`), as words of eight bytes.
pub type Timex = [u64; 26];

/// Places of the fields in [`Timex`].
const MODES: usize = 0;
const OFFSET: usize = 1;
const FREQUENCY: usize = 2;
const MAXERROR: usize = 3;
const ESTERROR: usize = 4;
const STATUS: usize = 5;
const CONSTANT: usize = 6;
const PRECISION: usize = 7;
const TOLERANCE: usize = 8;
const SECONDS: usize = 9;
const FRACTION: usize = 10;
const TICK: usize = 11;
const TAI: usize = 20;

/// `ADJ_*`: which fields are meant.
pub const ADJ_OFFSET: u64 = 0x1;
const ADJ_FREQUENCY: u64 = 0x2;
const ADJ_MAXERROR: u64 = 0x4;
const ADJ_ESTERROR: u64 = 0x8;
const ADJ_STATUS: u64 = 0x10;
const ADJ_TIMECONST: u64 = 0x20;
const ADJ_TAI: u64 = 0x80;
const ADJ_SETOFFSET: u64 = 0x100;
const ADJ_MICRO: u64 = 0x1000;
/// With [`ADJ_ADJTIME`] it means that the old change is only read.
pub const ADJ_NANO: u64 = 0x2000;
const ADJ_TICK: u64 = 0x4000;
/// One slow change, as `adjtime(3)` asks for it.
pub const ADJ_ADJTIME: u64 = 0x8000;

const STA_PLL: u32 = 0x1;
const STA_FLL: u32 = 0x8;
const STA_INS: u32 = 0x10;
const STA_DEL: u32 = 0x20;
const STA_UNSYNC: u32 = 0x40;
const STA_FREQHOLD: u32 = 0x80;
const STA_CLOCKERR: u32 = 0x1000;
const STA_NANO: u32 = 0x2000;
const STA_MODE: u32 = 0x4000;
/// Bits that only the kernel sets.
const STA_RONLY: u32 = 0xff00;

const TIME_OK: usize = 0;
const TIME_INS: usize = 1;
const TIME_DEL: usize = 2;
const TIME_OOP: usize = 3;
const TIME_WAIT: usize = 4;
const TIME_ERROR: usize = 5;

const NS_PER_S: i64 = 1_000_000_000;
/// How often a part of the changes is made, ns, and how many parts there are in a second.
const PERIOD_NS: i64 = 100_000_000;
const PERIODS: i64 = NS_PER_S / PERIOD_NS;
/// Part of a change by `adjtime(3)`, ns: 500 parts in a million, as on Linux (MAX_TICKADJ).
const SLEW_NS: i64 = 50_000;
/// Largest offset, ns.
const MAXPHASE: i64 = 500_000_000;
/// Errors are unbounded from here, microseconds; so much they grow in a second.
const PHASE_LIMIT: i64 = 16_000_000;
const ERROR_PER_S: i64 = 500;
/// A frequency in `timex` is parts in a million with 16 bits behind the point; here it is nanoseconds in a second with 32.
const PPM_SCALE: i64 = (1000 << 32) >> 16;
/// Largest frequency: 500 parts in a million.
const MAXFREQ: i64 = 500_000 << 32;
/// Length of a tick in microseconds, and how far from it one may be set.
const USUAL_TICK: i64 = 10_000;
const TICKS: core::ops::RangeInclusive<i64> = 9_000..=11_000;
const MAX_CONSTANT: i64 = 10;
const MAX_TAI: i64 = 100_000;
/// The loop of phase (PLL) halves its gain by so much; between these intervals, in seconds, the loop of frequency (FLL) may and must take over.
const SHIFT_PLL: i64 = 2;
const SHIFT_FLL: i64 = 2;
const MIN_FLL_S: i64 = 256;
const MAX_PLL_S: i64 = 2048;
const DAY_S: i64 = 86_400;

struct Ntp {
    status: u32,
    state: usize,
    /// What is left of an offset that is to vanish by and by, ns.
    offset_ns: i64,
    /// ns in a second, 32 bits behind the point.
    frequency: i64,
    constant: i64,
    /// Microseconds, at `errors_at_ns` of the monotonic clock.
    max_error: i64,
    est_error: i64,
    errors_at_ns: i64,
    tick_us: i64,
    tai_s: i64,
    /// When the offset was set last, s of the time of day.
    reference_s: i64,
    /// What is left of a change by `adjtime(3)`, ns.
    slew_ns: i64,
    /// What the frequency has not moved yet, 32 bits behind the point.
    rest: i64,
    timer: Option<Timer>,
}

static NTP: SpinLock<Ntp> = SpinLock::new(Ntp {
    status: STA_UNSYNC,
    state: TIME_OK,
    offset_ns: 0,
    frequency: 0,
    constant: 2,
    max_error: PHASE_LIMIT,
    est_error: PHASE_LIMIT,
    errors_at_ns: 0,
    tick_us: USUAL_TICK,
    tai_s: 0,
    reference_s: 0,
    slew_ns: 0,
    rest: 0,
    timer: None,
});

struct Step;

impl Expire for Step {
    fn expire(self: Arc<Self>) {
        let mut ntp = NTP.lock();
        let by_ns = ntp.step(super::realtime_ns() as i64);
        let old = ntp.arm();
        drop(ntp);
        drop(old);
        super::shift_realtime(by_ns);
    }
}

impl Ntp {
    /// A period's part of all changes, ns.
    fn step(&mut self, now_ns: i64) -> i64 {
        let slew = self.slew_ns.clamp(-SLEW_NS, SLEW_NS);
        self.slew_ns -= slew;
        // Each second takes this share of what is left; what is too small to be divided goes at once.
        let share = self.offset_ns / (PERIODS << (SHIFT_PLL + self.constant));
        let part = if share == 0 { self.offset_ns } else { share };
        self.offset_ns -= part;
        let rate = self.rate() / PERIODS + self.rest;
        self.rest = rate & 0xffff_ffff;
        slew + part + (rate >> 32) + self.leap(now_ns)
    }

    /// How much faster than the counter the clock runs, ns in a second, 32 bits behind the point.
    fn rate(&self) -> i64 {
        self.frequency + (((self.tick_us - USUAL_TICK) * 100 * 1000) << 32)
    }

    /// The states of a leap second, and what it moves the clock by, ns.
    fn leap(&mut self, now_ns: i64) -> i64 {
        let second = now_ns.div_euclid(NS_PER_S);
        let is_first = second.rem_euclid(DAY_S) == 0;
        let (state, move_s) = match self.state {
            TIME_OK if self.status & STA_INS != 0 => (TIME_INS, 0),
            TIME_OK if self.status & STA_DEL != 0 => (TIME_DEL, 0),
            TIME_INS if self.status & STA_INS == 0 => (TIME_OK, 0),
            TIME_DEL if self.status & STA_DEL == 0 => (TIME_OK, 0),
            TIME_INS if is_first => (TIME_OOP, -1),
            TIME_DEL if second.rem_euclid(DAY_S) == DAY_S - 1 => (TIME_WAIT, 1),
            TIME_OOP if is_first => (TIME_WAIT, 0),
            TIME_WAIT if self.status & (STA_INS | STA_DEL) == 0 => (TIME_OK, 0),
            other => (other, 0),
        };
        self.state = state;
        self.tai_s -= move_s;
        move_s * NS_PER_S
    }

    fn is_idle(&self) -> bool {
        self.slew_ns == 0 && self.offset_ns == 0 && self.rate() == 0 && self.status & (STA_INS | STA_DEL) == 0 && self.state == TIME_OK
    }

    /// Arms the timer for the next part, where there will be one. Gives the old timer, to be dropped without the lock.
    #[must_use = "to be dropped without the lock"]
    fn arm(&mut self) -> Option<Timer> {
        let next = (!self.is_idle()).then(|| {
            let mut wait = PERIOD_NS;
            if self.state != TIME_OK {
                // A leap second comes at a second's begin.
                wait = wait.min(NS_PER_S - super::realtime_ns() as i64 % NS_PER_S);
            }
            Timer::new(frame::time::now_ns() + wait as u64, Arc::new(Step))
        });
        core::mem::replace(&mut self.timer, next)
    }

    /// Lets the errors grow by the time that has passed.
    fn age(&mut self) {
        let now = frame::time::now_ns() as i64;
        let seconds = (now - self.errors_at_ns) / NS_PER_S;
        if seconds == 0 {
            return;
        }
        self.errors_at_ns += seconds * NS_PER_S;
        self.max_error = self.max_error.saturating_add(seconds.saturating_mul(ERROR_PER_S));
        if self.max_error > PHASE_LIMIT {
            self.max_error = PHASE_LIMIT;
            self.status |= STA_UNSYNC;
        }
    }

    fn set_offset(&mut self, offset: i64, now_s: i64) {
        if self.status & STA_PLL == 0 {
            return;
        }
        let ns = if self.status & STA_NANO != 0 { offset } else { offset.clamp(-1_000_000, 1_000_000) * 1000 };
        let ns = ns.clamp(-MAXPHASE, MAXPHASE);
        let mut seconds = if self.status & STA_FREQHOLD != 0 { 0 } else { (now_s - self.reference_s).max(0) };
        self.reference_s = now_s;
        self.status &= !STA_MODE;
        let mut change = 0;
        if seconds >= MIN_FLL_S && (self.status & STA_FLL != 0 || seconds > MAX_PLL_S) {
            self.status |= STA_MODE;
            change = ((i128::from(ns) << (32 - SHIFT_FLL)) / i128::from(seconds)) as i64;
        }
        seconds = seconds.min(1 << (SHIFT_PLL + 1 + self.constant));
        change += ((i128::from(ns * seconds) << 32) >> (2 * (SHIFT_PLL + 2 + self.constant))) as i64;
        self.frequency = self.frequency.saturating_add(change).clamp(-MAXFREQ, MAXFREQ);
        self.offset_ns = ns;
    }

    fn set(&mut self, timex: &Timex, now_s: i64) {
        let modes = timex[MODES];
        let signed = |field: usize| timex[field] as i64;
        if modes & ADJ_STATUS != 0 {
            let status = timex[STATUS] as u32;
            if self.status & STA_PLL != 0 && status & STA_PLL == 0 {
                self.state = TIME_OK;
                self.status = STA_UNSYNC;
            }
            if self.status & STA_PLL == 0 && status & STA_PLL != 0 {
                self.reference_s = now_s;
            }
            self.status = self.status & STA_RONLY | status & !STA_RONLY;
        }
        if modes & ADJ_NANO != 0 {
            self.status |= STA_NANO;
        }
        if modes & ADJ_MICRO != 0 {
            self.status &= !STA_NANO;
        }
        if modes & ADJ_FREQUENCY != 0 {
            self.frequency = signed(FREQUENCY).saturating_mul(PPM_SCALE).clamp(-MAXFREQ, MAXFREQ);
        }
        if modes & ADJ_MAXERROR != 0 {
            self.max_error = signed(MAXERROR);
        }
        if modes & ADJ_ESTERROR != 0 {
            self.est_error = signed(ESTERROR);
        }
        if modes & ADJ_TIMECONST != 0 {
            let more = if self.status & STA_NANO != 0 { 0 } else { 4 };
            self.constant = signed(CONSTANT).clamp(0, MAX_CONSTANT).saturating_add(more).min(MAX_CONSTANT);
        }
        if modes & ADJ_TAI != 0 && (0..=MAX_TAI).contains(&signed(CONSTANT)) {
            self.tai_s = signed(CONSTANT);
        }
        if modes & ADJ_OFFSET != 0 {
            self.set_offset(signed(OFFSET), now_s);
        }
        if modes & ADJ_TICK != 0 {
            self.tick_us = signed(TICK);
        }
    }

    fn result(&self) -> usize {
        if self.status & (STA_UNSYNC | STA_CLOCKERR) != 0 { TIME_ERROR } else { self.state }
    }
}

/// The time by which the clock is to be moved at once (`ADJ_SETOFFSET`), ns.
fn offset_at_once(timex: &Timex) -> Result<i64> {
    let unit = if timex[MODES] & ADJ_NANO != 0 { 1 } else { 1000 };
    let part = timex[FRACTION] as i64;
    if !(0..NS_PER_S / unit).contains(&part) {
        return Err(EINVAL);
    }
    (timex[SECONDS] as i64).checked_mul(NS_PER_S).and_then(|ns| ns.checked_add(part * unit)).ok_or(EINVAL)
}

/// Sets what `modes` names and fills in the state; gives the state of the clock (`TIME_OK`, ...). Whether the caller may is its matter.
///
/// # Errors
/// `EINVAL` for values out of range.
pub fn adjust(timex: &mut Timex) -> Result<usize> {
    let modes = timex[MODES];
    let is_adjtime = modes & ADJ_ADJTIME != 0;
    if is_adjtime && modes & ADJ_OFFSET == 0 {
        return Err(EINVAL);
    }
    if !is_adjtime {
        if modes & ADJ_TICK != 0 && !TICKS.contains(&(timex[TICK] as i64)) {
            return Err(EINVAL);
        }
        if modes & ADJ_SETOFFSET != 0 {
            let now = super::realtime_ns().checked_add_signed(offset_at_once(timex)?).ok_or(EINVAL)?;
            super::set_realtime(now);
        }
    }
    let slew_ns = (timex[OFFSET] as i64).saturating_mul(1000);
    let now_s = super::realtime_ns() as i64 / NS_PER_S;
    let mut ntp = NTP.lock();
    ntp.age();
    let before_us = ntp.slew_ns / 1000;
    let is_change = match (is_adjtime, modes & ADJ_NANO != 0) {
        (true, true) => false,
        (true, false) => {
            ntp.slew_ns = slew_ns;
            true
        }
        (false, _) => {
            ntp.set(timex, now_s);
            modes != 0
        }
    };
    let is_nano = ntp.status & STA_NANO != 0;
    let old = if is_change { ntp.arm() } else { None };
    *timex = [0; 26];
    timex[MODES] = modes;
    timex[OFFSET] = match (is_adjtime, is_nano) {
        (true, _) => before_us,
        (false, true) => ntp.offset_ns,
        (false, false) => ntp.offset_ns / 1000,
    } as u64;
    timex[FREQUENCY] = (ntp.frequency / PPM_SCALE) as u64;
    timex[MAXERROR] = ntp.max_error as u64;
    timex[ESTERROR] = ntp.est_error as u64;
    timex[STATUS] = u64::from(ntp.status);
    timex[CONSTANT] = ntp.constant as u64;
    timex[PRECISION] = 1;
    timex[TOLERANCE] = (MAXFREQ / PPM_SCALE) as u64;
    timex[TICK] = ntp.tick_us as u64;
    // An `int`, where the words before are longs.
    timex[TAI] = ntp.tai_s as u32 as u64;
    let result = ntp.result();
    drop(ntp);
    drop(old);
    let now = super::realtime_ns() as i64;
    timex[SECONDS] = (now / NS_PER_S) as u64;
    timex[FRACTION] = (now % NS_PER_S / if is_nano { 1 } else { 1000 }) as u64;
    Ok(result)
}

/// Seconds by which international atomic time (`CLOCK_TAI`) is ahead of the time of day.
pub fn tai_s() -> i64 {
    NTP.lock().tai_s
}

/// The clock was set: what was known of it is void, as on Linux (`ntp_clear`).
pub fn clear() {
    let mut ntp = NTP.lock();
    ntp.slew_ns = 0;
    ntp.offset_ns = 0;
    ntp.status |= STA_UNSYNC;
    ntp.max_error = PHASE_LIMIT;
    ntp.est_error = PHASE_LIMIT;
    ntp.state = if ntp.state == TIME_OOP { TIME_WAIT } else { ntp.state };
    let old = ntp.arm();
    drop(ntp);
    drop(old);
}
