//! Signals: generation, blocking, choosing which to deliver (`signal(7)`). Building the handler's frame is in `sigframe.rs`.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use super::process::{Process, RLIMIT_SIGPENDING};
use super::thread::Thread;
use super::user_ns::OVERFLOW_ID;
use super::{lifecycle, sched, trace};
use crate::error::*;

pub const SIGHUP: u32 = 1;
pub const SIGINT: u32 = 2;
pub const SIGQUIT: u32 = 3;
pub const SIGILL: u32 = 4;
pub const SIGTRAP: u32 = 5;
pub const SIGABRT: u32 = 6;
pub const SIGBUS: u32 = 7;
pub const SIGFPE: u32 = 8;
pub const SIGKILL: u32 = 9;
pub const SIGSEGV: u32 = 11;
pub const SIGPIPE: u32 = 13;
pub const SIGALRM: u32 = 14;
pub const SIGCHLD: u32 = 17;
pub const SIGCONT: u32 = 18;
pub const SIGSTOP: u32 = 19;
pub const SIGTSTP: u32 = 20;
pub const SIGTTIN: u32 = 21;
pub const SIGTTOU: u32 = 22;
pub const SIGURG: u32 = 23;
pub const SIGXCPU: u32 = 24;
pub const SIGXFSZ: u32 = 25;
pub const SIGVTALRM: u32 = 26;
pub const SIGPROF: u32 = 27;
pub const SIGWINCH: u32 = 28;
pub const SIGIO: u32 = 29;
pub const SIGSYS: u32 = 31;
/// First real-time signal.
pub const SIGRTMIN: u32 = 32;
/// Number of signals.
pub const NSIG: u32 = 64;

pub const SA_NOCLDSTOP: u64 = 1;
pub const SA_NOCLDWAIT: u64 = 2;
pub const SA_ONSTACK: u64 = 0x0800_0000;
pub const SA_RESTART: u64 = 0x1000_0000;
pub const SA_NODEFER: u64 = 0x4000_0000;
pub const SA_RESETHAND: u64 = 0x8000_0000;

pub const SIG_DFL: u64 = 0;
pub const SIG_IGN: u64 = 1;

pub const SI_USER: i32 = 0;
pub const SI_KERNEL: i32 = 0x80;
pub const SI_TIMER: i32 = -2;
pub const SI_TKILL: i32 = -6;

/// Most queued real-time signals of a process, however high its RLIMIT_SIGPENDING is.
const MAX_QUEUED: usize = 4096;

/// In a wait status: there is a core dump.
const WCOREFLAG: i32 = 0x80;

/// A set of signals: bit n-1 is signal n.
pub type SigSet = u64;

/// The set with one signal.
pub const fn bit(signal: u32) -> SigSet {
    1 << (signal - 1)
}

const UNBLOCKABLE: SigSet = bit(SIGKILL) | bit(SIGSTOP);
const STOP_SIGNALS: SigSet = bit(SIGSTOP) | bit(SIGTSTP) | bit(SIGTTIN) | bit(SIGTTOU);
const IGNORED_BY_DEFAULT: SigSet = bit(SIGCHLD) | bit(SIGURG) | bit(SIGWINCH) | bit(SIGCONT);
const CORE_DUMPING: SigSet = bit(SIGQUIT) | bit(SIGILL) | bit(SIGTRAP) | bit(SIGABRT) | bit(SIGBUS) | bit(SIGFPE) | bit(SIGSEGV)
    | bit(SIGXCPU) | bit(SIGXFSZ) | bit(SIGSYS);
/// Signals of the instruction being executed, delivered before others.
const SYNCHRONOUS: SigSet = bit(SIGSEGV) | bit(SIGBUS) | bit(SIGILL) | bit(SIGTRAP) | bit(SIGFPE) | bit(SIGSYS);

/// What the kernel knows about one generated signal; becomes a `siginfo_t`.
#[derive(Clone, Copy, Debug, Default)]
pub struct SigInfo {
    #[allow(missing_docs)]
    pub signal: u32,
    /// `si_code`.
    pub code: i32,
    /// Sender (or child) and its user.
    pub pid: u32,
    #[allow(missing_docs)]
    pub uid: u32,
    /// `si_status` of SIGCHLD, `si_overrun` of a timer, `si_errno` of SYS_SECCOMP.
    pub status: i32,
    /// `si_addr` of a fault, `si_value` of a queued signal, `si_band`.
    pub value: u64,
    /// Timer id for SI_TIMER; `si_fd`; the system call of SYS_SECCOMP.
    pub timer_id: i32,
    /// `si_utime`/`si_stime` of SIGCHLD in clock ticks.
    pub utime: i64,
    #[allow(missing_docs)]
    pub stime: i64,
}

impl SigInfo {
    /// Sent by the kernel itself.
    pub fn kernel(signal: u32) -> Self {
        Self { signal, code: SI_KERNEL, ..Self::default() }
    }

    /// Sent by `kill(2)`.
    pub fn user(signal: u32, from: &Process) -> Self {
        let creds = from.creds();
        // What the sender does not know itself, it does not tell either.
        let uid = if creds.user.uid_known(creds.uid).is_some() { creds.uid } else { OVERFLOW_ID };
        Self { signal, code: SI_USER, pid: from.pid, uid, ..Self::default() }
    }

    /// With the sender's ids as a process knows them. Those of faults, timers and the like have no sender.
    fn known_to(self, process: &Process) -> Self {
        const SI_ASYNC_IO: i32 = -4;
        let has_sender = match self.code {
            SI_TIMER | SI_ASYNC_IO | SI_KERNEL => false,
            code => code <= 0 || self.signal == SIGCHLD,
        };
        let user = &process.creds().user;
        if has_sender && (user.parent.is_some() || !process.pid_ns.is_first()) {
            Self { uid: user.uid_out(self.uid), pid: process.pid_ns.number(self.pid), ..self }
        } else {
            self
        }
    }

    /// A fault at `addr`.
    pub fn fault(signal: u32, code: i32, addr: u64) -> Self {
        Self { signal, code, value: addr, ..Self::default() }
    }

    /// The 128 bytes of a `siginfo_t` (x86-64 layout, `sigaction(2)`).
    pub fn to_bytes(self) -> [u8; 128] {
        let mut b = [0u8; 128];
        b[0..4].copy_from_slice(&self.signal.to_le_bytes());
        b[8..12].copy_from_slice(&self.code.to_le_bytes());
        let synchronous = bit(self.signal.max(1)) & SYNCHRONOUS != 0;
        if self.signal == SIGSYS && self.code > 0 && self.code != SI_KERNEL {
            // SYS_SECCOMP: the call's address, number and architecture; the filter's value is the error number.
            b[4..8].copy_from_slice(&self.status.to_le_bytes());
            b[16..24].copy_from_slice(&self.value.to_le_bytes());
            b[24..28].copy_from_slice(&self.timer_id.to_le_bytes());
            b[28..32].copy_from_slice(&super::seccomp::ARCH.to_le_bytes());
        } else if self.code > 0 && synchronous && self.code != SI_KERNEL && !self.is_trace_trap() {
            b[16..24].copy_from_slice(&self.value.to_le_bytes());
        } else if self.signal == SIGCHLD && self.code > 0 {
            b[16..20].copy_from_slice(&self.pid.to_le_bytes());
            b[20..24].copy_from_slice(&self.uid.to_le_bytes());
            b[24..28].copy_from_slice(&self.status.to_le_bytes());
            b[32..40].copy_from_slice(&self.utime.to_le_bytes());
            b[40..48].copy_from_slice(&self.stime.to_le_bytes());
        } else if self.is_ready_file() {
            b[16..24].copy_from_slice(&self.value.to_le_bytes());
            b[24..28].copy_from_slice(&self.timer_id.to_le_bytes());
        } else if self.code == SI_TIMER {
            b[16..20].copy_from_slice(&self.timer_id.to_le_bytes());
            b[20..24].copy_from_slice(&self.status.to_le_bytes());
            b[24..32].copy_from_slice(&self.value.to_le_bytes());
        } else {
            b[16..20].copy_from_slice(&self.pid.to_le_bytes());
            b[20..24].copy_from_slice(&self.uid.to_le_bytes());
            b[24..32].copy_from_slice(&self.value.to_le_bytes());
        }
        b
    }
}

impl SigInfo {
    /// Whether it is of a tracer's stop (`si_code` is the stop's code), not of an instruction.
    fn is_trace_trap(&self) -> bool {
        self.signal == SIGTRAP && self.code >= SIGTRAP as i32
    }

    /// Whether it says that a file is ready (`si_band` and `si_fd`): sent by a file itself.
    fn is_ready_file(&self) -> bool {
        (1..=6).contains(&self.code) && self.signal != SIGCHLD && bit(self.signal.max(1)) & SYNCHRONOUS == 0
    }

    /// From a `siginfo_t`: the reverse of [`Self::to_bytes`].
    pub fn from_bytes(bytes: &[u8; 128]) -> Self {
        let word = |i: usize| u32::from_le_bytes([bytes[i], bytes[i + 1], bytes[i + 2], bytes[i + 3]]);
        let long = |i: usize| u64::from(word(i)) | u64::from(word(i + 4)) << 32;
        let (signal, code) = (word(0).clamp(1, NSIG), word(8) as i32);
        let info = Self { signal, code, ..Self::default() };
        if code > 0 && signal <= NSIG && bit(signal) & (bit(SIGSEGV) | bit(SIGBUS) | bit(SIGILL) | bit(SIGFPE) | bit(SIGTRAP)) != 0 && !info.is_trace_trap() {
            Self { value: long(16), ..info }
        } else if signal == SIGCHLD && code > 0 {
            Self { pid: word(16), uid: word(20), status: word(24) as i32, utime: long(32) as i64, stime: long(40) as i64, ..info }
        } else if info.is_ready_file() {
            Self { value: long(16), timer_id: word(24) as i32, ..info }
        } else if code == SI_TIMER {
            Self { timer_id: word(16) as i32, status: word(20) as i32, value: long(24), ..info }
        } else {
            Self { pid: word(16), uid: word(20), value: long(24), ..info }
        }
    }
}

/// Signals that wait for delivery.
#[derive(Default)]
pub struct Pending {
    /// Which are pending.
    pub set: SigSet,
    queue: VecDeque<SigInfo>,
}

impl Pending {
    /// Adds a signal. A standard signal that is pending already is not queued twice.
    ///
    /// # Errors
    /// `EAGAIN` where `limit` (RLIMIT_SIGPENDING) or more real-time signals are queued. What `kill(2)` sends is only not queued then.
    pub fn add(&mut self, info: SigInfo, limit: u64) -> Result {
        if info.signal < SIGRTMIN && self.set & bit(info.signal) != 0 {
            return Ok(());
        }
        if self.queue.len() as u64 >= limit.min(MAX_QUEUED as u64) && info.signal >= SIGRTMIN && info.code != SI_KERNEL {
            let is_there = self.set & bit(info.signal) != 0;
            if info.code != SI_USER {
                return Err(EAGAIN);
            }
            if is_there {
                return Ok(());
            }
        }
        self.set |= bit(info.signal);
        self.queue.push_back(info);
        Ok(())
    }

    /// Adds overruns to a timer's signal that waits: how many it has then.
    fn add_overrun(&mut self, (signal, code, timer_id): (u32, i32, i32), count: i32) -> Option<i32> {
        let info = self.queue.iter_mut().find(|it| (it.signal, it.code, it.timer_id) == (signal, code, timer_id))?;
        info.status = info.status.saturating_add(count);
        Some(info.status)
    }

    /// Takes the pending signal of `allowed` that comes first: synchronous ones, then by number.
    pub fn take(&mut self, allowed: SigSet) -> Option<SigInfo> {
        let ready = self.set & allowed;
        if ready == 0 {
            return None;
        }
        let first = if ready & SYNCHRONOUS != 0 { ready & SYNCHRONOUS } else { ready };
        let signal = first.trailing_zeros() + 1;
        let at = self.queue.iter().position(|i| i.signal == signal)?;
        let info = self.queue.remove(at);
        if !self.queue.iter().any(|i| i.signal == signal) {
            self.set &= !bit(signal);
        }
        info
    }

    /// Forgets the signals of `set`.
    pub fn discard(&mut self, set: SigSet) {
        if self.set & set != 0 {
            self.set &= !set;
            self.queue.retain(|i| bit(i.signal) & set == 0);
        }
    }
}

/// Where handlers with `SA_ONSTACK` run (`sigaltstack(2)`).
#[derive(Clone, Copy, Debug, Default)]
pub struct AltStack {
    #[allow(missing_docs)]
    pub sp: u64,
    #[allow(missing_docs)]
    pub size: u64,
    /// `SS_DISABLE` 2, `SS_AUTODISARM` 1<<31.
    pub flags: u32,
}

/// The signal state of one thread.
pub struct ThreadSignals {
    /// Sent to this thread alone.
    pub pending: Pending,
    /// The signal mask.
    pub blocked: SigSet,
    /// The mask to restore after the handler, set by `sigsuspend`, `ppoll`, `pselect`, `epoll_pwait`.
    pub saved_mask: Option<SigSet>,
    #[allow(missing_docs)]
    pub altstack: AltStack,
}

impl Default for ThreadSignals {
    fn default() -> Self {
        Self { pending: Pending::default(), blocked: 0, saved_mask: None, altstack: AltStack { flags: 2, ..AltStack::default() } }
    }
}

/// What to do on a signal, as `sigaction(2)` set it.
#[derive(Clone, Copy, Debug, Default)]
pub struct SigAction {
    /// Address, [`SIG_DFL`] or [`SIG_IGN`].
    pub handler: u64,
    /// `SA_*`.
    pub flags: u64,
    #[allow(missing_docs)]
    pub restorer: u64,
    /// Blocked while the handler runs.
    pub mask: SigSet,
}

/// The signal state that the threads of a process share.
pub struct ProcessSignals {
    /// Sent to the process.
    pub pending: Pending,
    /// Indexed by signal - 1.
    pub actions: [SigAction; NSIG as usize],
}

impl Default for ProcessSignals {
    fn default() -> Self {
        Self { pending: Pending::default(), actions: [SigAction::default(); NSIG as usize] }
    }
}

impl ProcessSignals {
    /// Whether the process does nothing about the signal.
    pub fn ignores(&self, signal: u32) -> bool {
        let handler = self.actions[signal as usize - 1].handler;
        bit(signal) & UNBLOCKABLE == 0 && (handler == SIG_IGN || (handler == SIG_DFL && bit(signal) & IGNORED_BY_DEFAULT != 0))
    }
}

/// What delivery decided.
pub enum Delivery {
    /// Run a handler.
    Handler(SigInfo, SigAction),
    /// Nothing is to be delivered.
    Nothing,
}

/// Whether a signal is pending that the thread would act on.
pub fn deliverable(thread: &Thread) -> bool {
    let (own, blocked) = {
        let signals = thread.signals.lock();
        (signals.pending.set, signals.blocked)
    };
    let shared = thread.process.signals.lock();
    let mut set = (own | shared.pending.set) & !blocked;
    if set != 0 && thread.tracing.is_traced() {
        return true;
    }
    while set != 0 {
        let signal = set.trailing_zeros() + 1;
        if !shared.ignores(signal) {
            return true;
        }
        set &= set - 1;
    }
    false
}

/// Makes the thread look at its signals soon, wherever it is.
pub fn notify(thread: &Arc<Thread>) {
    thread.signal_check.store(true, Ordering::Release);
    if !sched::wake_interruptible(thread) {
        sched::kick(thread);
    }
}

/// What happens at generation, before anything is queued: SIGCONT and stop signals cancel each other, SIGCONT and SIGKILL wake the stopped.
fn generate(process: &Arc<Process>, signal: u32) {
    let threads = process.threads();
    if bit(signal) & STOP_SIGNALS != 0 {
        process.signals.lock().pending.discard(bit(SIGCONT));
        for thread in &threads {
            thread.signals.lock().pending.discard(bit(SIGCONT));
        }
    }
    if signal == SIGCONT || signal == SIGKILL {
        if signal == SIGCONT {
            process.signals.lock().pending.discard(STOP_SIGNALS);
            for thread in &threads {
                thread.signals.lock().pending.discard(STOP_SIGNALS);
            }
        }
        if process.stopped.swap(false, Ordering::SeqCst) && signal == SIGCONT {
            lifecycle::notify_continued(process);
        }
        for thread in &threads {
            if signal == SIGCONT {
                trace::continued(thread);
            }
            sched::wake_stopped(thread);
        }
    }
}

/// Whether a process is the first of its PID namespace and does nothing about a signal because of that: those that it has no handler for do not reach it. Who
/// is above the namespace can end and stop it all the same.
fn is_shielded(process: &Process, info: &SigInfo) -> bool {
    if !process.is_init() || info.code == SI_KERNEL {
        return false;
    }
    let is_from_above = process.pid != 1 && process.pid_ns.number(info.pid) == 0;
    let is_default = process.signals.lock().actions[info.signal as usize - 1].handler == SIG_DFL;
    is_default && !(is_from_above && bit(info.signal) & UNBLOCKABLE != 0)
}

/// Sends a signal to a process: some thread of it that does not block it takes it.
///
/// # Errors
/// `EAGAIN` where its queue is full.
pub fn send_process(process: &Arc<Process>, info: SigInfo) -> Result {
    send_process_by_way_of(process, info, None)
}

/// As [`send_process`], of what the running thread's use of the CPU has brought about. That thread gets it where it does not block it: another might
/// not come to run as long as this one does.
///
/// # Errors
/// As [`send_process`].
pub fn send_for_cpu_time(process: &Arc<Process>, info: SigInfo) -> Result {
    send_process_by_way_of(process, info, Some(super::current()))
}

fn send_process_by_way_of(process: &Arc<Process>, info: SigInfo, first: Option<Arc<Thread>>) -> Result {
    if process.is_zombie() {
        return Ok(());
    }
    let is_shielded = is_shielded(process, &info);
    if is_shielded && bit(info.signal) & UNBLOCKABLE != 0 {
        return Ok(());
    }
    let info = info.known_to(process);
    generate(process, info.signal);
    if info.signal == SIGKILL {
        lifecycle::kill_threads(process, 9);
        return Ok(());
    }
    let threads = process.threads();
    let mask = bit(info.signal);
    let limit = process.rlimit(RLIMIT_SIGPENDING).0;
    {
        let mut signals = process.signals.lock();
        let blocked_somewhere = threads.iter().any(|t| t.signals.lock().blocked & mask != 0);
        if (is_shielded && !blocked_somewhere) || (signals.ignores(info.signal) && !blocked_somewhere && !threads.iter().any(|t| t.tracing.is_traced())) {
            return Ok(());
        }
        signals.pending.add(info, limit)?;
    }
    let first = first.iter().filter(|first| Arc::ptr_eq(&first.process, process));
    if let Some(thread) = first.chain(&threads).find(|t| t.signals.lock().blocked & mask == 0) {
        notify(thread);
    } else {
        // All block it: those in sigtimedwait or reading a signalfd look at it themselves.
        for thread in &threads {
            thread.signal_check.store(true, Ordering::Release);
        }
    }
    process.signal_event.wake_all();
    Ok(())
}

/// Adds overruns to a timer's signal (number, code, timer) that waits, sent to a thread or to the process: how many it has then. `None` where none waits.
pub fn add_overrun(process: &Process, thread: Option<&Thread>, timer: (u32, i32, i32), count: i32) -> Option<i32> {
    match thread {
        Some(thread) => thread.signals.lock().pending.add_overrun(timer, count),
        None => process.signals.lock().pending.add_overrun(timer, count),
    }
}

/// Sends a signal to one thread.
///
/// # Errors
/// `EAGAIN` where its queue is full.
pub fn send_thread(thread: &Arc<Thread>, info: SigInfo) -> Result {
    let process = &thread.process;
    let is_shielded = is_shielded(process, &info);
    if is_shielded && bit(info.signal) & UNBLOCKABLE != 0 {
        return Ok(());
    }
    let info = info.known_to(process);
    generate(process, info.signal);
    if info.signal == SIGKILL {
        lifecycle::kill_threads(process, 9);
        return Ok(());
    }
    let limit = process.rlimit(RLIMIT_SIGPENDING).0;
    {
        let shared = process.signals.lock();
        let mut signals = thread.signals.lock();
        let is_blocked = signals.blocked & bit(info.signal) != 0;
        if (is_shielded || shared.ignores(info.signal) && !thread.tracing.is_traced()) && !is_blocked {
            return Ok(());
        }
        signals.pending.add(info, limit)?;
    }
    notify(thread);
    process.signal_event.wake_all();
    Ok(())
}

/// A signal that the current instruction caused: delivered even if blocked or ignored (then the process dies, as on Linux).
pub fn force(thread: &Arc<Thread>, info: SigInfo) {
    {
        let mut shared = thread.process.signals.lock();
        let mut signals = thread.signals.lock();
        let action = &mut shared.actions[info.signal as usize - 1];
        if signals.blocked & bit(info.signal) != 0 || action.handler == SIG_IGN {
            action.handler = SIG_DFL;
            signals.blocked &= !bit(info.signal);
        }
        // Room is made for it: it cannot be lost.
        signals.pending.discard(bit(info.signal));
        let _ = signals.pending.add(info, u64::MAX);
    }
    thread.signal_check.store(true, Ordering::Release);
}

/// Sends a signal to all processes of a process group. Returns whether there was one.
pub fn send_group(pgid: u32, info: SigInfo) -> bool {
    let mut any = false;
    for process in super::process::all() {
        if process.pgid() == pgid && !process.is_zombie() {
            any = true;
            let _ = send_process(&process, info);
        }
    }
    any
}

/// Sets the signal mask. SIGKILL and SIGSTOP cannot be blocked.
pub fn set_blocked(thread: &Thread, mask: SigSet) {
    thread.signals.lock().blocked = mask & !UNBLOCKABLE;
    thread.signal_check.store(true, Ordering::Release);
}

/// Takes the next signal for delivery, carrying out default actions on the way (which may stop or end the process).
pub fn next_delivery(thread: &Arc<Thread>, mut cpu: trace::Cpu<'_>) -> Delivery {
    let process = &thread.process;
    loop {
        if thread.is_killed() {
            return Delivery::Nothing;
        }
        let info = {
            let mut shared = process.signals.lock();
            let mut signals = thread.signals.lock();
            let allowed = !signals.blocked;
            let own_sync = signals.pending.set & allowed & SYNCHRONOUS != 0;
            let info = if own_sync { signals.pending.take(allowed) } else { None };
            let info = info.or_else(|| signals.pending.take(allowed)).or_else(|| shared.pending.take(allowed));
            let Some(info) = info else {
                thread.signal_check.store(false, Ordering::Release);
                return Delivery::Nothing;
            };
            info
        };
        let info = if thread.tracing.is_traced() {
            let Some(info) = trace::signal_stop(thread, cpu.again(), info) else { continue };
            let mut signals = thread.signals.lock();
            // Another signal than the one that stopped it may be blocked.
            if signals.blocked & bit(info.signal) != 0 {
                let _ = signals.pending.add(info, u64::MAX);
                continue;
            }
            info
        } else {
            info
        };
        let action = {
            let mut shared = process.signals.lock();
            let slot = &mut shared.actions[info.signal as usize - 1];
            let action = *slot;
            if action.handler > SIG_IGN && action.flags & SA_RESETHAND != 0 {
                slot.handler = SIG_DFL;
            }
            action
        };
        match action.handler {
            SIG_IGN => continue,
            SIG_DFL => {
                default_action(thread, cpu.again(), info);
                if process.stopped.load(Ordering::SeqCst) {
                    stop_here(thread, cpu.again());
                }
            }
            _ => return Delivery::Handler(info, action),
        }
    }
}

/// Takes part in the stop of the process; returns once this thread may go on.
pub fn stop_here(thread: &Arc<Thread>, cpu: trace::Cpu<'_>) {
    if !thread.tracing.is_traced() {
        lifecycle::wait_while_stopped(thread);
    }
    // A tracer may have come meanwhile.
    if thread.tracing.is_traced() && thread.process.stopped.load(Ordering::SeqCst) {
        trace::group_stop(thread, cpu);
    }
}

fn default_action(thread: &Arc<Thread>, mut cpu: trace::Cpu<'_>, info: SigInfo) {
    let process = &thread.process;
    let mask = bit(info.signal);
    if mask & IGNORED_BY_DEFAULT != 0 {
        return;
    }
    if process.is_init() && info.code != SI_KERNEL && mask & (SYNCHRONOUS | UNBLOCKABLE) == 0 {
        return;
    }
    if mask & STOP_SIGNALS != 0 {
        // Orphaned process groups are not stopped by terminal signals (POSIX, section 11.1.4).
        if info.signal != SIGSTOP && lifecycle::group_is_orphaned(process) {
            return;
        }
        lifecycle::stop_process(thread, info.signal);
        return;
    }
    let core = mask & CORE_DUMPING != 0;
    if core {
        crate::log::debug!("{} ({}) killed by signal {} code {} addr {:#x}", thread.comm(), thread.tid(), info.signal, info.code, info.value);
    }
    let has_dump = core && super::coredump::dump(thread, &mut cpu, &info);
    lifecycle::kill_threads(process, info.signal as i32 | if has_dump { WCOREFLAG } else { 0 });
}
