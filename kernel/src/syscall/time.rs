//! Time system calls (`time(7)`).

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::Cx;
use crate::error::*;
use crate::sync::WaitQueue;
use crate::task::signal::{NSIG, SIGALRM};
use crate::time::{self, Clock, Notify};
use crate::task::Capability;
use crate::user;

const NSEC: u64 = 1_000_000_000;

/// `struct timespec`.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct TimeSpec {
    /// Seconds.
    pub sec: i64,
    /// Nanoseconds, 0..1e9.
    pub nsec: i64,
}

impl TimeSpec {
    /// From nanoseconds.
    pub fn from_ns(ns: u64) -> Self {
        Self { sec: (ns / NSEC) as i64, nsec: (ns % NSEC) as i64 }
    }

    /// In nanoseconds, saturating.
    ///
    /// # Errors
    /// `EINVAL` for negative seconds or nanoseconds out of range.
    pub fn to_ns(self) -> Result<u64> {
        if self.sec < 0 || !(0..NSEC as i64).contains(&self.nsec) {
            return Err(EINVAL);
        }
        Ok((self.sec as u64).saturating_mul(NSEC).saturating_add(self.nsec as u64))
    }
}

/// `struct timeval`.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct TimeVal {
    sec: i64,
    usec: i64,
}

impl TimeVal {
    fn from_ns(ns: u64) -> Self {
        Self { sec: (ns / NSEC) as i64, usec: (ns % NSEC / 1000) as i64 }
    }

    fn to_ns(self) -> Result<u64> {
        if self.sec < 0 || !(0..1_000_000).contains(&self.usec) {
            return Err(EINVAL);
        }
        Ok((self.sec as u64).saturating_mul(NSEC).saturating_add(self.usec as u64 * 1000))
    }
}

/// clock_gettime(2)
pub fn sys_clock_gettime(cx: &Cx<'_>, clock: i32, at: usize) -> Result<usize> {
    let ns = Clock::parse(clock)?.now_ns(cx.thread)?;
    user::write(at, &TimeSpec::from_ns(ns))?;
    Ok(0)
}

/// clock_settime(2)
pub fn sys_clock_settime(cx: &Cx<'_>, clock: i32, at: usize) -> Result<usize> {
    let to = user::read::<TimeSpec>(at)?.to_ns()?;
    if Clock::parse(clock)? != Clock::Realtime {
        return Err(EINVAL);
    }
    if !cx.thread.has(Capability::SYS_TIME) {
        return Err(EPERM);
    }
    time::set_realtime(to);
    Ok(0)
}

/// clock_getres(2)
pub fn sys_clock_getres(_cx: &Cx<'_>, clock: i32, at: usize) -> Result<usize> {
    let ns = if Clock::parse(clock)?.is_coarse() { 4_000_000 } else { 1 };
    user::write_opt(at, &TimeSpec::from_ns(ns))?;
    Ok(0)
}

/// gettimeofday(2)
pub fn sys_gettimeofday(_cx: &Cx<'_>, at: usize, zone: usize) -> Result<usize> {
    user::write_opt(at, &TimeVal::from_ns(time::realtime_ns()))?;
    user::write_opt(zone, &[0u32; 2])?;
    Ok(0)
}

/// settimeofday(2)
pub fn sys_settimeofday(cx: &Cx<'_>, at: usize, _zone: usize) -> Result<usize> {
    if !cx.thread.has(Capability::SYS_TIME) {
        return Err(EPERM);
    }
    if at != 0 {
        time::set_realtime(user::read::<TimeVal>(at)?.to_ns()?);
    }
    Ok(0)
}

/// time(2)
pub fn sys_time(_cx: &Cx<'_>, at: usize) -> Result<usize> {
    let now = time::realtime_ns() / NSEC;
    user::write_opt(at, &now)?;
    Ok(now as usize)
}

/// times(2): in clock ticks of 10 ms.
pub fn sys_times(cx: &Cx<'_>, at: usize) -> Result<usize> {
    const TICK: u64 = 10_000_000;
    let own = cx.process.usage();
    let children = *cx.process.children_usage.lock();
    let values = [own.utime_ns / TICK, own.stime_ns / TICK, children.utime_ns / TICK, children.stime_ns / TICK];
    user::write_opt(at, &values)?;
    Ok((frame::time::now_ns() / TICK) as usize)
}

/// Sleeps until a time on the monotonic clock.
fn sleep_until(deadline_ns: u64) -> Result {
    match WaitQueue::new().wait_deadline(Some(deadline_ns), || None::<()>) {
        Err(ETIMEDOUT) | Ok(()) => Ok(()),
        Err(error) => Err(error),
    }
}

/// A relative sleep; on a signal the rest is stored, and the sleep can be resumed.
fn sleep_for(cx: &Cx<'_>, ns: u64, rest: usize) -> Result<usize> {
    let deadline = frame::time::now_ns().saturating_add(ns);
    finish_sleep(cx, deadline, rest)
}

fn finish_sleep(cx: &Cx<'_>, deadline: u64, rest: usize) -> Result<usize> {
    match sleep_until(deadline) {
        Ok(()) => Ok(0),
        Err(ERESTARTSYS) => {
            let left = deadline.saturating_sub(frame::time::now_ns());
            user::write_opt(rest, &TimeSpec::from_ns(left))?;
            *cx.thread.restart_sleep.lock() = Some((deadline, rest));
            Err(ERESTARTBLOCK)
        }
        Err(error) => Err(error),
    }
}

/// Goes on with a sleep that a stop signal or an ignored signal interrupted.
///
/// # Errors
/// `EINTR` where there is none.
pub fn resume_sleep(cx: &Cx<'_>) -> Result<usize> {
    let saved = cx.thread.restart_sleep.lock().take();
    match saved {
        Some((deadline, rest)) => finish_sleep(cx, deadline, rest),
        None => Err(EINTR),
    }
}

/// nanosleep(2)
pub fn sys_nanosleep(cx: &Cx<'_>, want: usize, rest: usize) -> Result<usize> {
    sleep_for(cx, user::read::<TimeSpec>(want)?.to_ns()?, rest)
}

/// clock_nanosleep(2): TIMER_ABSTIME is 1.
pub fn sys_clock_nanosleep(cx: &Cx<'_>, clock: i32, flags: u32, want: usize, rest: usize) -> Result<usize> {
    // CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW and the two coarse ones are not slept by.
    if matches!(clock, 3..=6) {
        return Err(EOPNOTSUPP);
    }
    let clock = Clock::parse(clock)?;
    let want = user::read::<TimeSpec>(want)?.to_ns()?;
    if flags & 1 == 0 {
        return sleep_for(cx, want, rest);
    }
    let slept = match clock {
        Clock::Realtime | Clock::Tai => time::sleep_until_real(want, clock),
        _ => sleep_until(clock.to_monotonic(want)?),
    };
    match slept {
        Ok(()) => Ok(0),
        Err(ERESTARTSYS) => Err(ERESTARTNOHAND),
        Err(error) => Err(error),
    }
}

#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct ITimerVal {
    interval: TimeVal,
    value: TimeVal,
}

/// getitimer(2)
pub fn sys_getitimer(cx: &Cx<'_>, which: i32, at: usize) -> Result<usize> {
    call_flags::time::ITIMER.check(which as u32)?;
    let (value, interval) = cx.process.timers.itimer(which)?;
    user::write(at, &ITimerVal { interval: TimeVal::from_ns(interval), value: TimeVal::from_ns(value) })?;
    Ok(0)
}

/// setitimer(2)
pub fn sys_setitimer(cx: &Cx<'_>, which: i32, new: usize, old: usize) -> Result<usize> {
    call_flags::time::ITIMER.check(which as u32)?;
    let wanted = if new == 0 { None } else { Some(user::read::<ITimerVal>(new)?) };
    let (value, interval) = match wanted {
        Some(w) => (w.value.to_ns()?, w.interval.to_ns()?),
        None => (0, 0),
    };
    let (before, before_interval) = cx.process.timers.set_itimer(cx.process, which, value, interval)?;
    user::write_opt(old, &ITimerVal { interval: TimeVal::from_ns(before_interval), value: TimeVal::from_ns(before) })?;
    Ok(0)
}

/// alarm(2)
pub fn sys_alarm(cx: &Cx<'_>, seconds: u32) -> Result<usize> {
    let (before, _) = cx.process.timers.set_itimer(cx.process, 0, u64::from(seconds) * NSEC, 0)?;
    Ok(before.div_ceil(NSEC) as usize)
}

#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct ITimerSpec {
    interval: TimeSpec,
    value: TimeSpec,
}

/// timer_create(2)
pub fn sys_timer_create(cx: &Cx<'_>, clock: i32, event: usize, id: usize) -> Result<usize> {
    const SIGEV_SIGNAL: u32 = 0;
    const SIGEV_NONE: u32 = 1;
    /// For the C library: a signal to the kernel.
    const SIGEV_THREAD: u32 = 2;
    const SIGEV_THREAD_ID: u32 = 4;
    let clock = Clock::parse(clock)?;
    let mut notify = Notify { signal: SIGALRM, value: 0, tid: None };
    let mut by_id = true;
    if event != 0 {
        let [value_low, value_high, signal, kind, tid]: [u32; 5] = user::read(event)?;
        notify.value = u64::from(value_low) | u64::from(value_high) << 32;
        notify.signal = signal;
        by_id = false;
        call_flags::time::TIMER_NOTIFY.check(kind)?;
        match kind {
            SIGEV_SIGNAL | SIGEV_THREAD => {}
            SIGEV_NONE => notify.signal = 0,
            SIGEV_THREAD_ID => notify.tid = Some(tid),
            _ => return Err(EINVAL),
        }
        if kind != SIGEV_NONE && !(1..=NSIG).contains(&signal) {
            return Err(EINVAL);
        }
    }
    let number = cx.process.timers.create(cx.process, clock, notify, by_id)?;
    user::write(id, &number)?;
    Ok(0)
}

/// timer_settime(2)
pub fn sys_timer_settime(cx: &Cx<'_>, id: i32, flags: i32, new: usize, old: usize) -> Result<usize> {
    if new == 0 {
        return Err(EINVAL);
    }
    let wanted: ITimerSpec = user::read(new)?;
    let (value, interval) = (wanted.value.to_ns()?, wanted.interval.to_ns()?);
    let (before, before_interval) = cx.process.timers.set(id, flags & 1 != 0, value, interval)?;
    user::write_opt(old, &ITimerSpec { interval: TimeSpec::from_ns(before_interval), value: TimeSpec::from_ns(before) })?;
    Ok(0)
}

/// timer_gettime(2)
pub fn sys_timer_gettime(cx: &Cx<'_>, id: i32, at: usize) -> Result<usize> {
    let (value, interval) = cx.process.timers.get(id)?;
    user::write(at, &ITimerSpec { interval: TimeSpec::from_ns(interval), value: TimeSpec::from_ns(value) })?;
    Ok(0)
}

/// timer_getoverrun(2)
pub fn sys_timer_getoverrun(cx: &Cx<'_>, id: i32) -> Result<usize> {
    cx.process.timers.overrun(id).map(|n| n as usize)
}

/// timer_delete(2)
pub fn sys_timer_delete(cx: &Cx<'_>, id: i32) -> Result<usize> {
    cx.process.timers.delete(id)?;
    Ok(0)
}
