//! What runs out with the processor's time: POSIX timers on CPU clocks (`timer_create(2)`) and `RLIMIT_CPU` (`getrlimit(2)`). The tick looks at them.

use alloc::sync::Arc;

use super::Clock;
use crate::error::*;
use crate::sync::SpinLock;
use crate::task::Process;
use crate::task::process::{RLIM_INFINITY, RLIMIT_CPU, Usage, find_thread, thread_usage};
use crate::task::signal::{self, SIGKILL, SIGXCPU, SigInfo};

const NS_PER_S: u64 = 1_000_000_000;

fn total(usage: Usage) -> u64 {
    usage.utime_ns + usage.stime_ns
}

/// When a timer on a CPU clock expires.
pub struct CpuDeadline {
    /// The thread whose time counts; `None`: the whole process's.
    tid: Option<u32>,
    /// Next expiry on that clock (0: disarmed), and the interval, ns.
    next: SpinLock<(u64, u64)>,
}

impl CpuDeadline {
    /// On a clock of `process` or of one of its threads.
    ///
    /// # Errors
    /// `EOPNOTSUPP` for other processes' clocks, `EINVAL` for those of threads that are not there.
    pub fn new(clock: Clock, process: &Process) -> Result<Self> {
        let tid = match clock {
            Clock::ProcessCpu => None,
            Clock::OtherProcessCpu(pid) if pid == process.own_pid() => None,
            Clock::ThreadCpu => Some(crate::task::with_current(|thread| thread.tid())),
            Clock::OtherThreadCpu(tid) => {
                let thread = crate::task::pid_ns::find_thread(tid).ok_or(EINVAL)?;
                if thread.process.pid != process.pid {
                    return Err(EINVAL);
                }
                Some(tid)
            }
            _ => return Err(EOPNOTSUPP),
        };
        Ok(Self { tid, next: SpinLock::new((0, 0)) })
    }

    /// What the clock shows; that of a thread that has ended stands still at `None`.
    fn now(&self, process: &Process) -> Option<u64> {
        match self.tid {
            None => Some(total(process.usage())),
            Some(tid) => find_thread(tid).map(|thread| total(thread_usage(&thread))),
        }
    }

    /// What is left (0: disarmed) and the interval, ns.
    pub fn left(&self, process: &Process) -> (u64, u64) {
        let (at, interval) = *self.next.lock();
        let now = self.now(process).unwrap_or(u64::MAX);
        (if at == 0 { 0 } else { at.saturating_sub(now).max(1) }, interval)
    }

    /// Sets it (0: disarms); returns what [`left`](Self::left) was.
    pub fn set(&self, process: &Process, is_absolute: bool, value_ns: u64, interval_ns: u64) -> (u64, u64) {
        let before = self.left(process);
        let base = if is_absolute { 0 } else { self.now(process).unwrap_or(0) };
        let at = if value_ns == 0 { 0 } else { base.saturating_add(value_ns) };
        *self.next.lock() = (at, interval_ns);
        before
    }

    /// How often it has expired since this was asked last.
    pub fn elapse(&self, process: &Process) -> u64 {
        // Most timers are not armed at most ticks.
        if self.next.lock().0 == 0 {
            return 0;
        }
        let Some(now) = self.now(process) else { return 0 };
        let mut next = self.next.lock();
        let (at, interval) = *next;
        if at == 0 || now < at {
            return 0;
        }
        if interval == 0 {
            next.0 = 0;
            return 1;
        }
        let count = (now - at) / interval + 1;
        next.0 = at.saturating_add(count * interval);
        count
    }
}

/// Ends a process that has used more time than its hard limit, and warns it each second beyond the soft one.
pub fn check_limit(process: &Arc<Process>) {
    let (soft, hard) = process.rlimit(RLIMIT_CPU);
    if soft == RLIM_INFINITY && hard == RLIM_INFINITY {
        return;
    }
    let used = total(process.usage()) / NS_PER_S;
    if hard != RLIM_INFINITY && used >= hard {
        let _ = signal::send_process(process, SigInfo::kernel(SIGKILL));
    } else if soft != RLIM_INFINITY && used >= soft {
        // As Linux does it: the next warning is due when the limit, which moves, is reached again.
        if let Some(limit) = process.limits.lock().get_mut(RLIMIT_CPU) {
            limit.0 = used + 1;
        }
        let _ = signal::send_for_cpu_time(process, SigInfo::kernel(SIGXCPU));
    }
}
