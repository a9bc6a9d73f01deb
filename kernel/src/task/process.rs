//! Processes (thread groups): identity, what their threads share, the tree.

use alloc::collections::BTreeMap;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use super::creds::Credentials;
use super::signal::ProcessSignals;
use super::thread::Thread;
use crate::error::*;
use crate::fs::{FileTable, FsContext};
use crate::mm::AddressSpace;
use super::namespaces::Namespaces;
use super::pid_ns::PidNamespace;
use crate::sync::{RwSpinLock, SpinLock, WaitQueue};
use crate::task::Capability;

/// Resource limits by `RLIMIT_*` number: (soft, hard).
pub type Limits = [(u64, u64); 16];

/// No limit.
pub const RLIM_INFINITY: u64 = u64::MAX;
pub const RLIMIT_CPU: usize = 0;
pub const RLIMIT_FSIZE: usize = 1;
pub const RLIMIT_DATA: usize = 2;
pub const RLIMIT_STACK: usize = 3;
pub const RLIMIT_CORE: usize = 4;
pub const RLIMIT_NPROC: usize = 6;
pub const RLIMIT_NOFILE: usize = 7;
pub const RLIMIT_MEMLOCK: usize = 8;
pub const RLIMIT_AS: usize = 9;
pub const RLIMIT_SIGPENDING: usize = 11;
pub const RLIMIT_MSGQUEUE: usize = 12;
pub const RLIMIT_NICE: usize = 13;
pub const RLIMIT_RTPRIO: usize = 14;

fn default_limits() -> Limits {
    let mut limits = [(RLIM_INFINITY, RLIM_INFINITY); 16];
    limits[RLIMIT_STACK] = (8 << 20, RLIM_INFINITY);
    limits[RLIMIT_CORE] = (0, RLIM_INFINITY);
    limits[RLIMIT_NPROC] = (31_000, 31_000);
    limits[RLIMIT_NOFILE] = (1024, 524_288);
    limits[RLIMIT_MEMLOCK] = (8 << 20, 8 << 20);
    limits[RLIMIT_SIGPENDING] = (31_000, 31_000);
    limits[RLIMIT_MSGQUEUE] = (819_200, 819_200);
    limits[RLIMIT_NICE] = (0, 0);
    limits[RLIMIT_RTPRIO] = (0, 0);
    limits
}

/// A session (`setsid(2)`) and its controlling terminal.
pub struct Session {
    /// Its id: the process id of the leader.
    pub sid: u32,
    /// The controlling terminal.
    pub tty: SpinLock<Option<Arc<dyn crate::ipc::Tty>>>,
}

/// Times of waited-for children, ns, and the like (`getrusage(2)`).
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    #[allow(missing_docs)]
    pub utime_ns: u64,
    #[allow(missing_docs)]
    pub stime_ns: u64,
    #[allow(missing_docs)]
    pub min_flt: u64,
    #[allow(missing_docs)]
    pub maj_flt: u64,
    #[allow(missing_docs)]
    pub nvcsw: u64,
    #[allow(missing_docs)]
    pub nivcsw: u64,
    /// KiB.
    pub max_rss_kib: u64,
}

impl Usage {
    /// Adds another's.
    pub fn add(&mut self, other: &Usage) {
        self.utime_ns += other.utime_ns;
        self.stime_ns += other.stime_ns;
        self.min_flt += other.min_flt;
        self.maj_flt += other.maj_flt;
        self.nvcsw += other.nvcsw;
        self.nivcsw += other.nivcsw;
        self.max_rss_kib = self.max_rss_kib.max(other.max_rss_kib);
    }
}

/// A stop or continuation that `wait4(2)` has not reported yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobEvent {
    /// Nothing to report.
    None,
    /// Stopped by this signal.
    Stopped(u32),
    /// Continued by SIGCONT.
    Continued,
}

/// A process.
pub struct Process {
    /// The process id (thread group id) in the first PID namespace.
    pub pid: u32,
    /// In which it is.
    pub pid_ns: Arc<PidNamespace>,
    parent: SpinLock<Weak<Process>>,
    /// Children, zombies among them.
    pub children: SpinLock<Vec<Arc<Process>>>,
    threads: SpinLock<Vec<Arc<Thread>>>,
    pgid: AtomicU32,
    session: SpinLock<Arc<Session>>,
    mm: SpinLock<Option<Arc<AddressSpace>>>,
    files: SpinLock<Arc<FileTable>>,
    fs: SpinLock<Arc<FsContext>>,
    creds: SpinLock<Arc<Credentials>>,
    /// Shared signal state.
    pub signals: SpinLock<ProcessSignals>,
    /// Woken when a signal is generated (signalfd, sigtimedwait).
    pub signal_event: WaitQueue,
    /// Woken when a child changes state.
    pub child_event: WaitQueue,
    /// Woken when a thread ends (exec waits for it) and when the process becomes a zombie (pidfd).
    pub exit_event: WaitQueue,
    /// Wait status once a zombie (`wait4(2)` encoding), with [`Process::zombie`] set.
    pub exit_status: AtomicI32,
    zombie: AtomicBool,
    /// All threads are to end; `exit_status` is final.
    pub exiting: AtomicBool,
    /// Stopped by job control.
    pub stopped: AtomicBool,
    /// The signal that stopped it last.
    pub stop_signal: AtomicU32,
    /// What it traces.
    pub tracees: super::trace::Tracees,
    /// Who traced the first thread when that ended.
    pub leader_tracer: SpinLock<Weak<Process>>,
    /// `personality(2)`.
    pub personality: AtomicU32,
    /// What `wait4` has to report about stops.
    pub job_event: SpinLock<JobEvent>,
    /// The signal the parent gets at exit (SIGCHLD; 0 for none).
    pub exit_signal: AtomicU32,
    /// The signal this process gets when its parent dies (`PR_SET_PDEATHSIG`).
    pub parent_death_signal: AtomicU32,
    /// Adopts orphaned descendants (`PR_SET_CHILD_SUBREAPER`).
    pub subreaper: AtomicBool,
    /// `PR_SET_DUMPABLE`.
    pub dumpable: AtomicBool,
    /// What a core dump has of its memory (`/proc/<pid>/coredump_filter`).
    pub core_filter: AtomicU32,
    /// While it is dumping: its other threads as they ended.
    pub core: SpinLock<Option<Vec<super::coredump::ThreadState>>>,
    /// `PR_SET_NO_NEW_PRIVS`.
    pub no_new_privs: AtomicBool,
    /// `prctl(PR_SET_THP_DISABLE)`. There are no transparent huge pages.
    pub no_huge_pages: AtomicBool,
    /// What it wants to happen when a page of its memory fails (`PR_MCE_KILL`): late 0, early 1, as the system does 2.
    pub memory_errors: AtomicU8,
    /// The thread of the parent that made it.
    pub creator: AtomicU32,
    /// Has called execve since fork (`setpgid` of a child is refused then).
    pub execed: AtomicBool,
    namespaces: SpinLock<Arc<Namespaces>>,
    /// Resource limits.
    pub limits: SpinLock<Limits>,
    /// The executable, for `/proc/<pid>/exe`.
    pub exe: SpinLock<Option<crate::fs::Path>>,
    /// Usage of threads that have ended.
    pub dead_usage: SpinLock<Usage>,
    /// Usage of waited-for children.
    pub children_usage: SpinLock<Usage>,
    /// Signalled when the vfork child has released the parent's memory.
    pub vfork_done: SpinLock<Option<WaitQueue>>,
    /// Interval timers `ITIMER_REAL`, `VIRTUAL`, `PROF` and POSIX timers.
    pub timers: crate::time::ProcessTimers,
    /// Start time on the monotonic clock, ns.
    pub start_ns: u64,
    /// OOM score adjustment, -1000..=1000.
    pub oom_score_adj: AtomicI32,
    /// Who logged in, and the number of that session, as pam_loginuid(8) tells; `u32::MAX` where nobody did. Inherited over fork.
    pub login: SpinLock<(u32, u32)>,
    /// Consciousness level in thousandths (DESIGN section 5), inherited over fork.
    pub level: AtomicU32,
    /// Name of the last thread, once it has ended.
    pub final_name: SpinLock<[u8; 16]>,
    /// Bytes read and written by system calls, for `/proc/<pid>/io`.
    pub io_read: AtomicU64,
    /// Calls that read and that wrote something.
    pub io_calls: [AtomicU64; 2],
    #[allow(missing_docs)]
    pub io_written: AtomicU64,
}

static PROCESSES: RwSpinLock<BTreeMap<u32, Arc<Process>>> = RwSpinLock::new(BTreeMap::new());
static THREADS: RwSpinLock<BTreeMap<u32, Weak<Thread>>> = RwSpinLock::new(BTreeMap::new());
static NEXT_ID: SpinLock<u32> = SpinLock::new(2);
/// Largest process id + 1 (`/proc/sys/kernel/pid_max`).
pub static PID_MAX: AtomicUsize = AtomicUsize::new(PID_MAX_LIMIT);
/// That is the most that it can be.
pub const PID_MAX_LIMIT: usize = 4_194_304;
/// Most threads of all users together (`/proc/sys/kernel/threads-max`).
pub const MAX_THREADS: usize = 31_000;
/// Processes and threads created since boot.
pub static FORKS: AtomicU64 = AtomicU64::new(0);

/// A free process or thread id.
pub fn allocate_id() -> u32 {
    let mut next = NEXT_ID.lock();
    loop {
        let id = *next;
        *next = if id as usize + 1 >= PID_MAX.load(Ordering::Relaxed) { 300 } else { id + 1 };
        let used = THREADS.read().contains_key(&id) || PROCESSES.read().contains_key(&id);
        // Ids are handed out in order: only after a wrap can a group outlive its leader's id.
        if !used && !(id >= 300 && group_exists(id)) {
            return id;
        }
    }
}

/// Whether a group or a session is named by this id.
pub fn group_exists(id: u32) -> bool {
    PROCESSES.read().values().any(|p| p.pgid() == id || p.sid() == id)
}

/// All processes, zombies among them, by rising id.
pub fn all() -> Vec<Arc<Process>> {
    PROCESSES.read().values().cloned().collect()
}

/// The process with this id.
pub fn find(pid: u32) -> Option<Arc<Process>> {
    PROCESSES.read().get(&pid).cloned()
}

/// The thread with this id.
pub fn find_thread(tid: u32) -> Option<Arc<Thread>> {
    THREADS.read().get(&tid).and_then(Weak::upgrade)
}

/// Number of threads.
pub fn thread_count() -> usize {
    THREADS.read().len()
}

/// Makes a thread known by its id and as a member of its process.
pub fn add_thread(thread: &Arc<Thread>) {
    THREADS.write().insert(thread.tid(), Arc::downgrade(thread));
    thread.process.threads.lock().push(thread.clone());
    FORKS.fetch_add(1, Ordering::Relaxed);
}

/// Removes a thread; returns whether it was the last of its process.
pub fn remove_thread(thread: &Arc<Thread>) -> bool {
    THREADS.write().remove(&thread.tid());
    let mut threads = thread.process.threads.lock();
    threads.retain(|t| !Arc::ptr_eq(t, thread));
    threads.is_empty()
}

/// Gives the only thread of a process the process's id (exec by a thread other than the first).
pub fn take_leader_id(thread: &Arc<Thread>) {
    let mut threads = THREADS.write();
    let former = thread.tid();
    threads.remove(&former);
    thread.set_tid(thread.process.pid);
    threads.insert(thread.process.pid, Arc::downgrade(thread));
    drop(threads);
    if former != thread.process.pid {
        thread.process.pid_ns.dismiss(former);
    }
}

/// Makes a process known by its id.
pub fn register(process: &Arc<Process>) {
    PROCESSES.write().insert(process.pid, process.clone());
}

/// Forgets a reaped process.
pub fn unregister(pid: u32) {
    let gone = PROCESSES.write().remove(&pid);
    if let Some(process) = gone {
        process.pid_ns.dismiss(pid);
    }
}

impl Process {
    /// The kernel's own process (pid 0), or the first user process: nothing is inherited.
    pub fn first(pid: u32, files: Arc<FileTable>, fs: Arc<FsContext>, mm: Option<Arc<AddressSpace>>) -> Arc<Self> {
        let session = Arc::new(Session { sid: 0, tty: SpinLock::new(None) });
        Self::build(pid, Weak::new(), 0, session, mm, files, fs, Arc::new(Credentials::default()), PidNamespace::first(), default_limits(), 800)
    }

    #[allow(clippy::too_many_arguments)]
    fn build(
        pid: u32,
        parent: Weak<Process>,
        pgid: u32,
        session: Arc<Session>,
        mm: Option<Arc<AddressSpace>>,
        files: Arc<FileTable>,
        fs: Arc<FsContext>,
        creds: Arc<Credentials>,
        pid_ns: Arc<PidNamespace>,
        limits: Limits,
        level: u32,
    ) -> Arc<Self> {
        Arc::new(Self {
            pid,
            pid_ns,
            parent: SpinLock::new(parent),
            children: SpinLock::new(Vec::new()),
            threads: SpinLock::new(Vec::new()),
            pgid: AtomicU32::new(pgid),
            session: SpinLock::new(session),
            mm: SpinLock::new(mm),
            files: SpinLock::new(files),
            fs: SpinLock::new(fs),
            creds: SpinLock::new(creds),
            signals: SpinLock::new(ProcessSignals::default()),
            signal_event: WaitQueue::new(),
            child_event: WaitQueue::new(),
            exit_event: WaitQueue::new(),
            exit_status: AtomicI32::new(0),
            zombie: AtomicBool::new(false),
            exiting: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
            stop_signal: AtomicU32::new(0),
            tracees: super::trace::Tracees::default(),
            leader_tracer: SpinLock::new(Weak::new()),
            personality: AtomicU32::new(0),
            job_event: SpinLock::new(JobEvent::None),
            exit_signal: AtomicU32::new(super::signal::SIGCHLD),
            parent_death_signal: AtomicU32::new(0),
            subreaper: AtomicBool::new(false),
            dumpable: AtomicBool::new(true),
            core_filter: AtomicU32::new(super::coredump::DEFAULT_FILTER),
            core: SpinLock::new(None),
            namespaces: SpinLock::new(Namespaces::first()),
            no_new_privs: AtomicBool::new(false),
            no_huge_pages: AtomicBool::new(false),
            memory_errors: AtomicU8::new(2),
            creator: AtomicU32::new(0),
            execed: AtomicBool::new(false),
            limits: SpinLock::new(limits),
            exe: SpinLock::new(None),
            dead_usage: SpinLock::new(Usage::default()),
            children_usage: SpinLock::new(Usage::default()),
            vfork_done: SpinLock::new(None),
            timers: crate::time::ProcessTimers::default(),
            start_ns: frame::time::now_ns(),
            oom_score_adj: AtomicI32::new(0),
            login: SpinLock::new((u32::MAX, u32::MAX)),
            level: AtomicU32::new(level),
            final_name: SpinLock::new([0; 16]),
            io_read: AtomicU64::new(0),
            io_calls: Default::default(),
            io_written: AtomicU64::new(0),
        })
    }

    /// A child of `parent` (or a sibling of it, with `as_sibling`) with these credentials, in these namespaces, with its limits; not registered yet.
    pub fn child_of(
        parent: &Arc<Process>,
        (creds, namespaces): (Arc<Credentials>, Arc<Namespaces>),
        as_sibling: bool,
        pid: u32,
        mm: Arc<AddressSpace>,
        files: Arc<FileTable>,
        fs: Arc<FsContext>,
        pid_ns: Arc<PidNamespace>,
    ) -> Arc<Self> {
        let real_parent = if as_sibling { parent.parent().unwrap_or_else(|| parent.clone()) } else { parent.clone() };
        let child = Self::build(
            pid,
            Arc::downgrade(&real_parent),
            parent.pgid(),
            parent.session(),
            Some(mm),
            files,
            fs,
            creds,
            pid_ns,
            *parent.limits.lock(),
            parent.level.load(Ordering::Relaxed),
        );
        *child.namespaces.lock() = namespaces;
        child.signals.lock().actions = parent.signals.lock().actions;
        *child.exe.lock() = parent.exe.lock().clone();
        child.oom_score_adj.store(parent.oom_score_adj.load(Ordering::Relaxed), Ordering::Relaxed);
        *child.login.lock() = *parent.login.lock();
        child.personality.store(parent.personality.load(Ordering::Relaxed), Ordering::Relaxed);
        child.core_filter.store(parent.core_filter.load(Ordering::Relaxed), Ordering::Relaxed);
        child.dumpable.store(parent.dumpable.load(Ordering::Relaxed), Ordering::Relaxed);
        child.no_new_privs.store(parent.no_new_privs.load(Ordering::Relaxed), Ordering::Relaxed);
        child.memory_errors.store(parent.memory_errors.load(Ordering::Relaxed), Ordering::Relaxed);
        child.no_huge_pages.store(parent.no_huge_pages.load(Ordering::Relaxed), Ordering::Relaxed);
        real_parent.children.lock().push(child.clone());
        child
    }

    /// The parent; `None` for the first process and the kernel.
    pub fn parent(&self) -> Option<Arc<Process>> {
        self.parent.lock().upgrade()
    }

    /// Which namespaces it is in, to others: its first thread's.
    pub fn namespaces(&self) -> Arc<Namespaces> {
        self.namespaces.lock().clone()
    }

    /// Changes what others see.
    pub(super) fn show_namespaces(&self, namespaces: Arc<Namespaces>) {
        let old = core::mem::replace(&mut *self.namespaces.lock(), namespaces);
        drop(old);
    }

    /// The parent's id, 0 where there is none.
    pub fn parent_pid(&self) -> u32 {
        self.parent().map_or(0, |p| p.pid)
    }

    /// Gives the process to another parent.
    pub fn set_parent(&self, parent: &Arc<Process>) {
        *self.parent.lock() = Arc::downgrade(parent);
    }

    /// The name of the last thread that ended, for zombies.
    pub fn last_name(&self) -> alloc::string::String {
        let name = *self.final_name.lock();
        let len = name.iter().position(|b| *b == 0).unwrap_or(16);
        alloc::string::String::from_utf8_lossy(&name[..len]).into_owned()
    }

    /// Its threads.
    pub fn threads(&self) -> Vec<Arc<Thread>> {
        self.threads.lock().clone()
    }

    /// Whether these are its threads, in this order.
    pub fn has_just(&self, list: &[Arc<Thread>]) -> bool {
        let threads = self.threads.lock();
        threads.len() == list.len() && threads.iter().zip(list).all(|(a, b)| Arc::ptr_eq(a, b))
    }

    /// The first thread, if any is left.
    pub fn main_thread(&self) -> Option<Arc<Thread>> {
        self.threads.lock().first().cloned()
    }

    /// The process group.
    pub fn pgid(&self) -> u32 {
        self.pgid.load(Ordering::SeqCst)
    }

    /// Moves it to a process group of its session.
    pub fn set_pgid(&self, pgid: u32) {
        self.pgid.store(pgid, Ordering::SeqCst);
    }

    /// The session.
    pub fn session(&self) -> Arc<Session> {
        self.session.lock().clone()
    }

    /// The session's id.
    pub fn sid(&self) -> u32 {
        self.session.lock().sid
    }

    /// Starts a session with this process as leader, without a terminal.
    pub fn start_session(&self) {
        let session = Arc::new(Session { sid: self.pid, tty: SpinLock::new(None) });
        let old = core::mem::replace(&mut *self.session.lock(), session);
        self.set_pgid(self.pid);
        drop(old);
    }

    /// The address space.
    ///
    /// # Errors
    /// `ESRCH` for the kernel and for processes that have ended.
    pub fn mm(&self) -> Result<Arc<AddressSpace>> {
        self.mm.lock().clone().ok_or(ESRCH)
    }

    /// Replaces the address space (exec), or takes it away (exit).
    pub fn set_mm(&self, mm: Option<Arc<AddressSpace>>) -> Option<Arc<AddressSpace>> {
        core::mem::replace(&mut *self.mm.lock(), mm)
    }

    /// The descriptors.
    pub fn files(&self) -> Arc<FileTable> {
        self.files.lock().clone()
    }

    /// Replaces the descriptor table (unshare, exec, exit).
    pub fn set_files(&self, files: Arc<FileTable>) {
        let old = core::mem::replace(&mut *self.files.lock(), files);
        drop(old);
    }

    /// Root, working directory and umask.
    pub fn fs(&self) -> Arc<FsContext> {
        self.fs.lock().clone()
    }

    /// Replaces root, working directory and umask (unshare).
    pub fn set_fs(&self, fs: Arc<FsContext>) {
        let old = core::mem::replace(&mut *self.fs.lock(), fs);
        drop(old);
    }

    /// Who it is to others: its first thread's credentials, also after that has ended.
    pub fn creds(&self) -> Arc<Credentials> {
        self.creds.lock().clone()
    }

    /// Changes what others see.
    pub(super) fn show_creds(&self, creds: Arc<Credentials>) {
        let old = core::mem::replace(&mut *self.creds.lock(), creds);
        drop(old);
    }

    /// A resource limit: (soft, hard).
    pub fn rlimit(&self, kind: usize) -> (u64, u64) {
        self.limits.lock().get(kind).copied().unwrap_or((RLIM_INFINITY, RLIM_INFINITY))
    }

    /// Whether it has ended and waits to be reaped.
    pub fn is_zombie(&self) -> bool {
        self.zombie.load(Ordering::SeqCst)
    }

    /// Marks it as ended.
    pub fn become_zombie(&self) {
        self.zombie.store(true, Ordering::SeqCst);
    }

    /// Usage of all its threads, living and dead.
    pub fn usage(&self) -> Usage {
        let mut usage = *self.dead_usage.lock();
        for thread in self.threads() {
            usage.add(&thread_usage(&thread));
        }
        if let Ok(mm) = self.mm() {
            usage.max_rss_kib = usage.max_rss_kib.max(mm.peak_rss_pages() * 4);
        }
        usage
    }

    /// Whether the executing thread, which is this process's, may send signals to `target` (`kill(2)`).
    pub fn may_signal(&self, target: &Process, signal: u32) -> bool {
        let (mine, other) = (super::with_current(|thread| thread.creds()), target.creds());
        mine.has_in(Capability::KILL, &other.user)
            || [mine.uid, mine.euid].iter().any(|id| *id == other.uid || *id == other.suid)
            || (signal == super::signal::SIGCONT && self.sid() == target.sid())
    }
}

/// Usage of one thread.
pub fn thread_usage(thread: &Thread) -> Usage {
    let user = thread.utime_ns.load(Ordering::Relaxed);
    let system = thread.stime_ns.load(Ordering::Relaxed);
    let total = thread.sched.runtime_ns.load(Ordering::Relaxed);
    // The tick only samples: scale the exact total by its proportion.
    let (utime_ns, stime_ns) = match user + system {
        0 => (total, 0),
        sampled => {
            let u = (u128::from(total) * u128::from(user) / u128::from(sampled)) as u64;
            (u, total - u)
        }
    };
    Usage {
        utime_ns,
        stime_ns,
        min_flt: thread.min_flt.load(Ordering::Relaxed).into(),
        maj_flt: thread.maj_flt.load(Ordering::Relaxed).into(),
        nvcsw: thread.nvcsw.load(Ordering::Relaxed).into(),
        nivcsw: thread.nivcsw.load(Ordering::Relaxed).into(),
        max_rss_kib: 0,
    }
}
