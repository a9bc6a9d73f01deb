//! Threads: what the scheduler runs.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use frame::task::TaskContext;

use super::process::Process;
use super::sched::SchedEntity;
use super::signal::ThreadSignals;
use crate::sync::SpinLock;

/// A thread of a process, or a kernel thread (whose process is the kernel's, pid 0).
pub struct Thread {
    tid: AtomicU32,
    /// The process (thread group).
    pub process: Arc<Process>,
    /// Kernel stack, saved registers, floating-point state.
    pub context: TaskContext,
    /// The scheduler's data.
    pub sched: SchedEntity,
    /// Pending and blocked signals of this thread.
    pub signals: SpinLock<ThreadSignals>,
    /// Set whenever a look at the signals is needed before returning to user space.
    pub signal_check: AtomicBool,
    /// Set once the thread has to end (exit of the group, SIGKILL, exec of another thread).
    pub must_exit: AtomicBool,
    /// The wait status with which it is about to end.
    leaving: AtomicU32,
    /// Address to clear and wake when the thread ends (`set_tid_address(2)`), or 0.
    pub clear_child_tid: AtomicUsize,
    /// Head of the robust futex list, or 0.
    pub robust_list: AtomicUsize,
    /// `ioprio_set(2)`: class and level.
    pub ioprio: AtomicU32,
    /// `set_mempolicy(2)`: mode and flags, and in the highest bit whether node 0 was named.
    pub mempolicy: AtomicU32,
    /// `prctl(PR_SET_TIMERSLACK)`: how late timers may be, ns. They are not.
    pub timer_slack_ns: AtomicU64,
    /// What 0 sets it to: the creating thread's.
    pub default_timer_slack_ns: AtomicU64,
    /// Its restartable sequences.
    pub rseq: super::rseq::Rseq,
    /// Nanoseconds spent in user mode and in the kernel, sampled by the tick.
    pub utime_ns: AtomicU64,
    #[allow(missing_docs)]
    pub stime_ns: AtomicU64,
    /// Voluntary and involuntary context switches.
    pub nvcsw: AtomicU32,
    #[allow(missing_docs)]
    pub nivcsw: AtomicU32,
    /// Page faults without and with I/O.
    pub min_flt: AtomicU32,
    #[allow(missing_docs)]
    pub maj_flt: AtomicU32,
    /// Name (`PR_SET_NAME`), NUL padded.
    pub name: SpinLock<[u8; 16]>,
    /// Start time on the monotonic clock, ns.
    pub start_ns: u64,
    /// A sleep to go on with by `restart_syscall(2)`: monotonic deadline, address for the rest.
    pub restart_sleep: SpinLock<Option<(u64, usize)>>,
    /// Which system calls it may make.
    pub seccomp: super::seccomp::Seccomp,
    pub(super) creds: SpinLock<Arc<super::Credentials>>,
    pub(super) namespaces: SpinLock<Arc<super::namespaces::Namespaces>>,
    pub(super) rings: SpinLock<super::keys::Rings>,
    /// Who traces it.
    pub tracing: super::trace::Tracing,
    /// What it has to do for requests of rings on its way to user mode.
    pub ring_work: crate::ipc::uring::ThreadWork,
    /// In user mode now, for the tick's accounting.
    pub in_user: AtomicBool,
}

/// The first process's timer slack, ns (Linux's).
const TIMER_SLACK_NS: u64 = 50_000;

/// In [`Thread::leaving`]: it stays.
const NOT_LEAVING: u32 = u32::MAX;

impl Thread {
    /// Lets it end, with this wait status, as soon as it has gone back to its loop.
    pub fn leave(&self, status: i32) {
        self.leaving.store(status as u32, Ordering::Relaxed);
    }

    /// The status with which it is to end.
    pub fn leaving(&self) -> Option<i32> {
        match self.leaving.load(Ordering::Relaxed) {
            NOT_LEAVING => None,
            status => Some(status as i32),
        }
    }

    /// A thread that will run `entry` on a new kernel stack when it is first scheduled; not yet in any list.
    pub fn new(tid: u32, process: Arc<Process>, name: [u8; 16], entry: frame::task::Entry) -> Option<Arc<Self>> {
        Some(Self::build(tid, process, name, TaskContext::new(entry)?))
    }

    /// The flow of control that runs already (a CPU's idle thread).
    pub fn for_running(process: Arc<Process>, name: [u8; 16]) -> Arc<Self> {
        Self::build(0, process, name, TaskContext::for_running())
    }

    fn build(tid: u32, process: Arc<Process>, name: [u8; 16], context: TaskContext) -> Arc<Self> {
        let creds = SpinLock::new(process.creds());
        let namespaces = SpinLock::new(process.namespaces());
        Arc::new(Self {
            tid: AtomicU32::new(tid),
            creds,
            namespaces,
            process,
            context,
            sched: SchedEntity::new(),
            signals: SpinLock::new(ThreadSignals::default()),
            signal_check: AtomicBool::new(false),
            must_exit: AtomicBool::new(false),
            leaving: AtomicU32::new(NOT_LEAVING),
            clear_child_tid: AtomicUsize::new(0),
            robust_list: AtomicUsize::new(0),
            ioprio: AtomicU32::new(0),
            mempolicy: AtomicU32::new(0),
            timer_slack_ns: AtomicU64::new(TIMER_SLACK_NS),
            default_timer_slack_ns: AtomicU64::new(TIMER_SLACK_NS),
            rseq: super::rseq::Rseq::default(),
            utime_ns: AtomicU64::new(0),
            stime_ns: AtomicU64::new(0),
            nvcsw: AtomicU32::new(0),
            nivcsw: AtomicU32::new(0),
            min_flt: AtomicU32::new(0),
            maj_flt: AtomicU32::new(0),
            name: SpinLock::new(name),
            start_ns: frame::time::now_ns(),
            restart_sleep: SpinLock::new(None),
            seccomp: super::seccomp::Seccomp::default(),
            rings: SpinLock::default(),
            tracing: super::trace::Tracing::default(),
            ring_work: crate::ipc::uring::ThreadWork::default(),
            in_user: AtomicBool::new(false),
        })
    }

    /// Thread id, unique among all threads; the first thread's is the process id.
    pub fn tid(&self) -> u32 {
        self.tid.load(Ordering::Relaxed)
    }

    /// Takes over the process's id: a thread that execs becomes the first thread.
    pub fn set_tid(&self, tid: u32) {
        self.tid.store(tid, Ordering::Relaxed);
    }

    /// Whether an interruptible sleep must end: a signal that is not blocked is pending, or the thread has to stop or to end.
    pub fn has_pending_signal(&self) -> bool {
        self.signal_check.load(Ordering::Acquire)
            && (self.must_exit.load(Ordering::Acquire)
                || self.process.stopped.load(Ordering::Acquire)
                || self.ring_work.is_due()
                || self.tracing.watch().contains(super::trace::Watch::TRAP)
                || super::signal::deliverable(self))
    }

    /// Whether the thread has to end, so that even "killable" sleeps give up.
    pub fn is_killed(&self) -> bool {
        self.must_exit.load(Ordering::Acquire)
    }

    /// The name without padding.
    pub fn comm(&self) -> alloc::string::String {
        let name = *self.name.lock();
        let len = name.iter().position(|b| *b == 0).unwrap_or(16);
        alloc::string::String::from_utf8_lossy(&name[..len]).into_owned()
    }
}

/// A thread name from bytes: at most 15 of them, NUL padded.
pub fn comm_from(bytes: &[u8]) -> [u8; 16] {
    let mut name = [0; 16];
    let len = bytes.len().min(15);
    name[..len].copy_from_slice(&bytes[..len]);
    name
}
