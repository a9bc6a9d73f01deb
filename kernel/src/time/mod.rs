//! Clocks and the timers of processes.

mod cpu_timer;
pub mod interval;
pub mod ntp;
pub mod stops;
pub mod timer;

use alloc::collections::BTreeMap;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};

use cpu_timer::CpuDeadline;
use interval::Interval;
use timer::Expire;

use crate::error::*;
use crate::sync::{Once, SpinLock, WaitQueue};
use crate::task::process::thread_usage;
use crate::task::signal::{self, SI_KERNEL, SI_TIMER, SIGALRM, SIGPROF, SIGVTALRM, SigInfo};
use crate::task::{Process, Thread, pid_ns, process};

/// Real time minus monotonic time, ns.
static REALTIME_OFFSET: AtomicI64 = AtomicI64::new(0);

/// Takes the time of day from the machine's clock.
pub fn init() {
    set_realtime(frame::time::rtc_unix_seconds() * 1_000_000_000);
}

/// Nanoseconds since the epoch.
pub fn realtime_ns() -> u64 {
    (frame::time::now_ns() as i64 + REALTIME_OFFSET.load(Ordering::Relaxed)) as u64
}

/// Sets the time of day.
pub fn set_realtime(ns: u64) {
    let offset = ns as i64 - frame::time::now_ns() as i64;
    let by_ns = offset.wrapping_sub(REALTIME_OFFSET.swap(offset, Ordering::Relaxed));
    crate::mm::vdso::set_real_time(offset);
    ntp::clear();
    // What waits for a time of day has that much less to wait (`clock_settime(2)`).
    crate::ipc::timerfd::clock_was_set(by_ns);
    for process in process::all() {
        process.timers.clock_moved(by_ns);
    }
    CLOCK_SETS.fetch_add(1, Ordering::Release);
    clock_set_event().wake_all();
}

/// How often the time of day has been set.
static CLOCK_SETS: AtomicU64 = AtomicU64::new(0);

fn clock_set_event() -> &'static WaitQueue {
    static QUEUE: Once<WaitQueue> = Once::new();
    QUEUE.get_or_init(WaitQueue::new)
}

/// Sleeps until a time of day, however that is set meanwhile.
///
/// # Errors
/// `ERESTARTSYS` on a signal.
pub fn sleep_until_real(at_ns: u64, clock: Clock) -> Result {
    loop {
        let sets = CLOCK_SETS.load(Ordering::Acquire);
        let deadline = clock.to_monotonic(at_ns)?;
        match clock_set_event().wait_deadline(Some(deadline), || (CLOCK_SETS.load(Ordering::Acquire) != sets).then_some(())) {
            Ok(()) => {}
            Err(ETIMEDOUT) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

/// Moves the time of day a little: no timer is told.
fn shift_realtime(by_ns: i64) {
    let offset = REALTIME_OFFSET.fetch_add(by_ns, Ordering::Relaxed) + by_ns;
    crate::mm::vdso::set_real_time(offset);
}

/// A clock of `clock_gettime(2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// `CLOCK_REALTIME` and its relatives.
    Realtime,
    /// `CLOCK_TAI`
    Tai,
    /// Its coarse form.
    RealtimeCoarse,
    /// `CLOCK_MONOTONIC`, `_RAW`, `BOOTTIME`.
    Monotonic,
    /// Its coarse form.
    MonotonicCoarse,
    /// CPU time of the process.
    ProcessCpu,
    /// CPU time of the thread.
    ThreadCpu,
    /// CPU time of another process.
    OtherProcessCpu(u32),
    /// CPU time of another thread.
    OtherThreadCpu(u32),
}

impl Clock {
    /// From a `clockid_t`; negative ones name the CPU clock of a process or thread (`clock_getcpuclockid(3)`).
    ///
    /// # Errors
    /// `EINVAL` for a clock that is not there.
    pub fn parse(id: i32) -> Result<Self> {
        if id >= 0 {
            call_flags::time::CLOCK.check(id as u32)?;
        }
        Ok(match id {
            0 | 8 => Clock::Realtime,
            11 => Clock::Tai,
            1 | 4 | 7 | 9 => Clock::Monotonic,
            2 => Clock::ProcessCpu,
            3 => Clock::ThreadCpu,
            5 => Clock::RealtimeCoarse,
            6 => Clock::MonotonicCoarse,
            i32::MIN..0 if id & 3 != 3 => {
                let pid = !(id >> 3) as u32;
                match (id & 4 != 0, pid) {
                    (true, 0) => Clock::ThreadCpu,
                    (false, 0) => Clock::ProcessCpu,
                    (true, tid) => Clock::OtherThreadCpu(tid),
                    (false, pid) => Clock::OtherProcessCpu(pid),
                }
            }
            _ => return Err(EINVAL),
        })
    }

    /// Whether it only moves with the tick.
    pub fn is_coarse(self) -> bool {
        matches!(self, Clock::RealtimeCoarse | Clock::MonotonicCoarse)
    }

    /// The time on it.
    ///
    /// # Errors
    /// `EINVAL` where the other process or thread is not there.
    pub fn now_ns(self, thread: &Thread) -> Result<u64> {
        let total = |usage: process::Usage| usage.utime_ns + usage.stime_ns;
        Ok(match self {
            Clock::Realtime | Clock::RealtimeCoarse => realtime_ns(),
            Clock::Tai => realtime_ns().saturating_add_signed(ntp::tai_s() * 1_000_000_000),
            Clock::Monotonic | Clock::MonotonicCoarse => frame::time::now_ns(),
            Clock::ProcessCpu => {
                crate::task::sched::charge_current();
                total(thread.process.usage())
            }
            Clock::ThreadCpu => {
                crate::task::sched::charge_current();
                total(thread_usage(thread))
            }
            Clock::OtherProcessCpu(pid) => total(pid_ns::find(pid).ok_or(EINVAL)?.usage()),
            Clock::OtherThreadCpu(tid) => total(thread_usage(&*pid_ns::find_thread(tid).ok_or(EINVAL)?)),
        })
    }

    /// A time on it as a time on the monotonic clock.
    ///
    /// # Errors
    /// `EOPNOTSUPP` for CPU clocks.
    pub fn to_monotonic(self, at_ns: u64) -> Result<u64> {
        match self {
            Clock::Realtime | Clock::RealtimeCoarse => {
                let mono = at_ns as i128 - i128::from(REALTIME_OFFSET.load(Ordering::Relaxed));
                Ok(mono.clamp(0, i128::from(u64::MAX)) as u64)
            }
            Clock::Tai => Clock::Realtime.to_monotonic(at_ns.saturating_add_signed(-ntp::tai_s() * 1_000_000_000)),
            Clock::Monotonic | Clock::MonotonicCoarse => Ok(at_ns),
            _ => Err(EOPNOTSUPP),
        }
    }
}

/// Whom a timer tells.
#[derive(Clone, Copy, Debug)]
pub struct Notify {
    /// The signal, 0 for none.
    pub signal: u32,
    /// `si_value`.
    pub value: u64,
    /// One thread, or the process.
    pub tid: Option<u32>,
}

/// An interval timer that sends a signal.
struct SignalTimer {
    process: Weak<Process>,
    clock: Clock,
    notify: Notify,
    code: i32,
    id: i32,
    interval: SpinLock<Interval>,
    /// Set to a time of day, which may be set itself.
    follows_clock: AtomicBool,
    /// Of a timer on a CPU clock, instead of `interval`.
    cpu: Option<CpuDeadline>,
    /// Overruns of the signal that was delivered last, and of the one after it.
    overrun: AtomicU32,
    next_overrun: AtomicU32,
}

impl SignalTimer {
    fn new(process: &Arc<Process>, clock: Clock, notify: Notify, code: i32, id: i32) -> Arc<Self> {
        Arc::new(Self {
            process: Arc::downgrade(process),
            clock,
            notify,
            code,
            id,
            interval: SpinLock::new(Interval::default()),
            follows_clock: AtomicBool::new(false),
            cpu: None,
            overrun: AtomicU32::new(0),
            next_overrun: AtomicU32::new(0),
        })
    }

    fn get(&self) -> (u64, u64) {
        match (&self.cpu, self.process.upgrade()) {
            (Some(cpu), Some(process)) => cpu.left(&process),
            _ => self.interval.lock().left(),
        }
    }

    /// `first`: monotonic deadline, 0 disarms. Returns what was left and the interval before.
    fn set(self: &Arc<Self>, first: u64, interval_ns: u64) -> (u64, u64) {
        let before = self.get();
        let old = self.interval.lock().set(first, interval_ns, self.clone());
        drop(old);
        before
    }
}

impl Expire for SignalTimer {
    fn expire(self: Arc<Self>) {
        let (old, count, repeats) = {
            let mut interval = self.interval.lock();
            let count = interval.elapse();
            if count == 0 {
                // Another time has been set meanwhile.
                return;
            }
            (interval.arm(self.clone()), count, interval.repeats())
        };
        drop(old);
        if !repeats || !self.add_overrun(count) {
            self.send();
        }
    }
}

impl SignalTimer {
    /// Whether a timer on a CPU clock is due; it is set to its next expiry then.
    fn elapse_cpu(&self, process: &Process) -> bool {
        let count = self.cpu.as_ref().map_or(0, |cpu| cpu.elapse(process));
        count > 0 && !self.add_overrun(count)
    }

    /// It has expired `count` times. Where its last signal still waits they are added to that one's overruns, and no other is to be sent: true then.
    fn add_overrun(&self, count: u64) -> bool {
        let most = i32::MAX as u64;
        let waiting = self.add_to_waiting(count.min(most) as i32);
        let before = self.next_overrun.swap(waiting.unwrap_or(count.saturating_sub(1).min(most) as i32) as u32, Ordering::Relaxed);
        if waiting.is_none() {
            // The one before has been delivered.
            self.overrun.store(before, Ordering::Relaxed);
        }
        waiting.is_some()
    }

    /// Adds overruns to its signal that waits: how many that has then; `None` where none waits.
    fn add_to_waiting(&self, count: i32) -> Option<i32> {
        let process = self.process.upgrade()?;
        let thread = self.notify.tid.and_then(process::find_thread);
        signal::add_overrun(&process, thread.as_deref(), (self.notify.signal, self.code, self.id), count)
    }

    /// Tells whom it tells.
    fn send(&self) {
        let Some(process) = self.process.upgrade() else { return };
        if self.notify.signal == 0 {
            return;
        }
        let info = SigInfo {
            signal: self.notify.signal,
            code: self.code,
            value: self.notify.value,
            timer_id: self.id,
            status: self.next_overrun.load(Ordering::Relaxed) as i32,
            ..SigInfo::default()
        };
        // A full queue loses the expiry, as on Linux it becomes an overrun.
        let _ = match self.notify.tid.and_then(process::find_thread) {
            Some(thread) => signal::send_thread(&thread, info),
            None if self.cpu.is_some() => signal::send_for_cpu_time(&process, info),
            None => signal::send_process(&process, info),
        };
    }
}

/// The interval timers of a process. `ITIMER_VIRTUAL` and `ITIMER_PROF` run on CPU time, checked by the tick.
#[derive(Default)]
pub struct ProcessTimers {
    real: SpinLock<Option<Arc<SignalTimer>>>,
    /// (next expiry in CPU time ns, interval ns) of VIRTUAL and PROF; 0: disarmed.
    cpu: SpinLock<[(u64, u64); 2]>,
    posix: SpinLock<(i32, BTreeMap<i32, Arc<SignalTimer>>)>,
    /// Those of `posix` that are on a CPU clock.
    posix_cpu: SpinLock<Vec<Arc<SignalTimer>>>,
}

impl ProcessTimers {
    fn cpu_time(process: &Process, which: usize) -> u64 {
        let usage = process.usage();
        if which == 0 { usage.utime_ns } else { usage.utime_ns + usage.stime_ns }
    }

    /// What is left and the interval of an `ITIMER_*`, ns.
    ///
    /// # Errors
    /// `EINVAL` for an unknown timer.
    pub fn itimer(&self, which: i32) -> Result<(u64, u64)> {
        match which {
            0 => Ok(self.real.lock().as_ref().map_or((0, 0), |t| t.get())),
            1 | 2 => {
                let (at, interval) = self.cpu.lock()[which as usize - 1];
                let now = crate::task::with_current(|t| Self::cpu_time(&t.process, which as usize - 1));
                Ok((if at == 0 { 0 } else { at.saturating_sub(now).max(1) }, interval))
            }
            _ => Err(EINVAL),
        }
    }

    /// Sets an `ITIMER_*`; returns what was left and the interval before.
    ///
    /// # Errors
    /// `EINVAL` for an unknown timer.
    pub fn set_itimer(&self, process: &Arc<Process>, which: i32, value_ns: u64, interval_ns: u64) -> Result<(u64, u64)> {
        let before = self.itimer(which)?;
        if which == 0 {
            let timer = {
                let mut real = self.real.lock();
                real.get_or_insert_with(|| {
                    SignalTimer::new(process, Clock::Monotonic, Notify { signal: SIGALRM, value: 0, tid: None }, SI_KERNEL, 0)
                })
                .clone()
            };
            let first = if value_ns == 0 { 0 } else { frame::time::now_ns().saturating_add(value_ns) };
            timer.set(first, interval_ns);
        } else {
            let at = if value_ns == 0 { 0 } else { Self::cpu_time(process, which as usize - 1).saturating_add(value_ns) };
            self.cpu.lock()[which as usize - 1] = (at, interval_ns);
        }
        Ok(before)
    }

    /// The tick's look at the timers that run on CPU time. In interrupt context.
    pub fn tick(&self, process: &Arc<Process>) {
        for (which, signal_number) in [(0, SIGVTALRM), (1, SIGPROF)] {
            let (at, interval) = self.cpu.lock()[which];
            if at == 0 || Self::cpu_time(process, which) < at {
                continue;
            }
            self.cpu.lock()[which].0 = if interval == 0 { 0 } else { at + interval };
            let _ = signal::send_for_cpu_time(process, SigInfo::kernel(signal_number));
        }
        cpu_timer::check_limit(process);
        let due: Vec<_> = self.posix_cpu.lock().iter().filter(|timer| timer.elapse_cpu(process)).cloned().collect();
        due.iter().for_each(|timer| timer.send());
    }

    /// Makes a POSIX timer; `by_id`: its value is its id (the default of `timer_create(2)`).
    ///
    /// # Errors
    /// `EOPNOTSUPP` for the CPU clocks of other processes, `EAGAIN` for too many.
    pub fn create(&self, process: &Arc<Process>, clock: Clock, mut notify: Notify, by_id: bool) -> Result<i32> {
        let cpu = match clock.to_monotonic(0) {
            Ok(_) => None,
            Err(_) => Some(CpuDeadline::new(clock, process)?),
        };
        let mut posix = self.posix.lock();
        if posix.1.len() >= 4096 {
            return Err(EAGAIN);
        }
        let id = posix.0;
        posix.0 = posix.0.wrapping_add(1).max(0);
        if by_id {
            notify.value = id as u64;
        }
        let mut timer = SignalTimer::new(process, clock, notify, SI_TIMER, id);
        if let Some(cpu) = cpu {
            // Nobody else has it yet.
            if let Some(new) = Arc::get_mut(&mut timer) {
                new.cpu = Some(cpu);
            }
            self.posix_cpu.lock().push(timer.clone());
        }
        posix.1.insert(id, timer);
        Ok(id)
    }

    fn find(&self, id: i32) -> Result<Arc<SignalTimer>> {
        self.posix.lock().1.get(&id).cloned().ok_or(EINVAL)
    }

    /// Arms or disarms a POSIX timer; returns what was left and the interval before.
    ///
    /// # Errors
    /// `EINVAL` for an unknown timer.
    pub fn set(&self, id: i32, absolute: bool, value_ns: u64, interval_ns: u64) -> Result<(u64, u64)> {
        let timer = self.find(id)?;
        if let (Some(cpu), Some(process)) = (&timer.cpu, timer.process.upgrade()) {
            return Ok(cpu.set(&process, absolute, value_ns, interval_ns));
        }
        timer.follows_clock.store(absolute && matches!(timer.clock, Clock::Realtime | Clock::Tai), Ordering::Relaxed);
        let first = match (value_ns, absolute) {
            (0, _) => 0,
            (at, true) => timer.clock.to_monotonic(at)?.max(1),
            (after, false) => frame::time::now_ns().saturating_add(after),
        };
        Ok(timer.set(first, interval_ns))
    }

    /// The time of day was set, that much ahead.
    pub fn clock_moved(&self, by_ns: i64) {
        let timers: Vec<Arc<SignalTimer>> = self.posix.lock().1.values().cloned().collect();
        for timer in timers.into_iter().filter(|timer| timer.follows_clock.load(Ordering::Relaxed)) {
            let old = timer.interval.lock().clock_moved(by_ns, timer.clone());
            drop(old);
        }
    }

    /// What is left and the interval of a POSIX timer.
    ///
    /// # Errors
    /// `EINVAL` for an unknown timer.
    pub fn get(&self, id: i32) -> Result<(u64, u64)> {
        Ok(self.find(id)?.get())
    }

    /// Expiries missed before the last signal.
    ///
    /// # Errors
    /// `EINVAL` for an unknown timer.
    pub fn overrun(&self, id: i32) -> Result<u32> {
        let timer = self.find(id)?;
        let which = if timer.add_to_waiting(0).is_some() { &timer.overrun } else { &timer.next_overrun };
        Ok(which.load(Ordering::Relaxed))
    }

    /// Removes a POSIX timer.
    ///
    /// # Errors
    /// `EINVAL` for an unknown timer.
    pub fn delete(&self, id: i32) -> Result {
        let timer = self.posix.lock().1.remove(&id).ok_or(EINVAL)?;
        self.posix_cpu.lock().retain(|it| it.id != id);
        timer.set(0, 0);
        Ok(())
    }

    /// Removes the POSIX timers (exec).
    pub fn clear_posix(&self) {
        let timers = core::mem::take(&mut self.posix.lock().1);
        drop(core::mem::take(&mut *self.posix_cpu.lock()));
        for timer in timers.values() {
            timer.set(0, 0);
        }
    }

    /// Stops everything (exit).
    pub fn clear(&self) {
        self.clear_posix();
        let real = self.real.lock().take();
        if let Some(timer) = real {
            timer.set(0, 0);
        }
        *self.cpu.lock() = [(0, 0); 2];
    }
}
