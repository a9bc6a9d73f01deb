//! How processes and threads begin and end: clone, exit, wait, stop.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use bitflags::bitflags;
use frame::user::UserContext;

use super::process::{self, JobEvent, Process, Usage, thread_usage};
use super::signal::{self, SA_NOCLDSTOP, SA_NOCLDWAIT, SIG_IGN, SIGCHLD, SIGCONT, SIGHUP, SigInfo};
use super::namespaces::Namespaces;
use super::thread::Thread;
use super::user_ns::UserNamespace;
use super::{Credentials, current, sched, seccomp, trace, user_loop};
use crate::error::*;
use crate::fs::{FileTable, FsContext};
use crate::sync::{SpinLock, WaitQueue};
use crate::task::Capability;

bitflags! {
    /// `CLONE_*` of `clone(2)`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct CloneFlags: u64 {
        #[allow(missing_docs)] const VM = 0x100;
        #[allow(missing_docs)] const FS = 0x200;
        #[allow(missing_docs)] const FILES = 0x400;
        #[allow(missing_docs)] const SIGHAND = 0x800;
        #[allow(missing_docs)] const PIDFD = 0x1000;
        #[allow(missing_docs)] const PTRACE = 0x2000;
        #[allow(missing_docs)] const VFORK = 0x4000;
        #[allow(missing_docs)] const PARENT = 0x8000;
        #[allow(missing_docs)] const THREAD = 0x1_0000;
        #[allow(missing_docs)] const NEWNS = 0x2_0000;
        #[allow(missing_docs)] const SYSVSEM = 0x4_0000;
        #[allow(missing_docs)] const SETTLS = 0x8_0000;
        #[allow(missing_docs)] const PARENT_SETTID = 0x10_0000;
        #[allow(missing_docs)] const CHILD_CLEARTID = 0x20_0000;
        #[allow(missing_docs)] const DETACHED = 0x40_0000;
        #[allow(missing_docs)] const UNTRACED = 0x80_0000;
        #[allow(missing_docs)] const CHILD_SETTID = 0x100_0000;
        #[allow(missing_docs)] const NEWCGROUP = 0x200_0000;
        #[allow(missing_docs)] const NEWUTS = 0x400_0000;
        #[allow(missing_docs)] const NEWIPC = 0x800_0000;
        #[allow(missing_docs)] const NEWUSER = 0x1000_0000;
        #[allow(missing_docs)] const NEWPID = 0x2000_0000;
        #[allow(missing_docs)] const NEWNET = 0x4000_0000;
        #[allow(missing_docs)] const IO = 0x8000_0000;
        #[allow(missing_docs)] const CLEAR_SIGHAND = 0x1_0000_0000;
        /// Those namespaces that only an administrator makes.
        const NAMESPACES = Self::NEWNS.bits() | Self::NEWCGROUP.bits() | Self::NEWUTS.bits() | Self::NEWPID.bits() | Self::NEWIPC.bits() | Self::NEWNET.bits();
    }
}

/// What `clone(2)` and `clone3(2)` ask for.
pub struct CloneArgs {
    #[allow(missing_docs)]
    pub flags: CloneFlags,
    /// Signal to the parent at exit.
    pub exit_signal: u32,
    /// The child's stack pointer; 0 keeps the parent's.
    pub stack: u64,
    #[allow(missing_docs)]
    pub tls: u64,
    #[allow(missing_docs)]
    pub parent_tid: u64,
    #[allow(missing_docs)]
    pub child_tid: u64,
    /// Where the pidfd goes.
    pub pidfd: u64,
}

/// How often a fork has somebody else give memory up before it gives up itself.
const RELIEFS: u32 = 100;

/// `clone(2)`: a new process or thread. Returns its id.
///
/// # Errors
/// `EINVAL` for combinations Linux refuses or flags that are unknown, `EAGAIN` at a limit, `ENOMEM`.
pub fn clone(parent: &Arc<Thread>, context: &UserContext, args: &CloneArgs) -> Result<u32> {
    let flags = args.flags;
    let is_thread = flags.contains(CloneFlags::THREAD);
    if (is_thread && !flags.contains(CloneFlags::SIGHAND))
        || (flags.contains(CloneFlags::SIGHAND) && !flags.contains(CloneFlags::VM))
        || (flags.contains(CloneFlags::SIGHAND) && flags.contains(CloneFlags::CLEAR_SIGHAND))
        || (is_thread && flags.intersects(CloneFlags::PIDFD) )
        || flags.contains(CloneFlags::NEWNS | CloneFlags::FS)
        || flags.contains(CloneFlags::NEWUSER | CloneFlags::FS)
        || flags.contains(CloneFlags::NEWIPC | CloneFlags::SYSVSEM)
        || (is_thread && (flags.intersects(CloneFlags::NEWUSER | CloneFlags::NEWPID) || !Arc::ptr_eq(&parent.namespaces().pid_for_children, &parent.process.pid_ns)))
        || args.exit_signal > signal::NSIG
    {
        return Err(EINVAL);
    }
    if flags.contains(CloneFlags::PARENT) && parent.process.is_init() {
        return Err(EINVAL);
    }
    if process::thread_count() >= process::MAX_THREADS {
        return Err(EAGAIN);
    }
    // What a process is made of comes partly out of the reserve, where nothing can be refused.
    let mut tries = 0;
    while !frame::mm::has_room() {
        tries += 1;
        if tries > RELIEFS || !crate::mm::oom::relieve() {
            return Err(ENOMEM);
        }
    }
    let place = take_place(&parent.process)?;
    let (creds, namespaces) = new_place(parent, flags)?;
    let mut child_context = context.try_clone().ok_or(ENOMEM)?;
    child_context.regs.rax = 0;
    if args.stack != 0 {
        child_context.regs.rsp = args.stack;
    }
    if flags.contains(CloneFlags::SETTLS) {
        child_context.regs.fs_base = args.tls;
    }
    let pid_ns = namespaces.pid_for_children.clone();
    let id = process::allocate_id();
    let set_child_tid = if flags.contains(CloneFlags::CHILD_SETTID) { args.child_tid } else { 0 };
    let process = if is_thread { parent.process.clone() } else { new_process(parent, id, flags, creds, namespaces)? };
    if let Err(error) = pid_ns.admit(id) {
        if !is_thread {
            abandon(&process);
        }
        return Err(error);
    }
    let own_id = pid_ns.number(id);
    let entry = Box::new(move || {
        if set_child_tid != 0 {
            // A bad address is the caller's mistake; Linux ignores it too.
            let _ = frame::user::write_u32(set_child_tid, own_id);
        }
        user_loop::run(child_context);
        end_thread as fn() -> !
    });
    let name = *parent.name.lock();
    let Some(thread) = Thread::new(id, process.clone(), name, entry) else {
        pid_ns.dismiss(id);
        if !is_thread {
            abandon(&process);
        }
        return Err(ENOMEM);
    };
    inherit(parent, &thread, flags, is_thread);
    if flags.contains(CloneFlags::CHILD_CLEARTID) {
        thread.clear_child_tid.store(args.child_tid as usize, Ordering::Relaxed);
    }
    if flags.contains(CloneFlags::PIDFD) {
        let fd = crate::ipc::pidfd::open(&process, false).and_then(|fd| Ok(frame::user::write_u32(args.pidfd, fd)?));
        if let Err(error) = fd {
            pid_ns.dismiss(id);
            abandon(&process);
            return Err(error);
        }
    }
    if flags.contains(CloneFlags::PARENT_SETTID) {
        let _ = frame::user::write_u32(args.parent_tid, super::pid_ns::seen(id));
    }
    let vfork = flags.contains(CloneFlags::VFORK).then(WaitQueue::new);
    if !is_thread {
        // A sibling's end is told to the parent as the caller's own.
        let sibling = flags.contains(CloneFlags::PARENT).then(|| parent.process.exit_signal.load(Ordering::Relaxed));
        process.exit_signal.store(sibling.unwrap_or(args.exit_signal), Ordering::Relaxed);
        let creator = if sibling.is_some() { parent.process.creator.load(Ordering::Relaxed) } else { parent.tid() };
        process.creator.store(creator, Ordering::Relaxed);
        *process.vfork_done.lock() = vfork.clone();
        process::register(&process);
        pid_ns.begin(&process);
    }
    process::add_thread(&thread);
    seccomp::inherit(parent, &thread);
    let event = parent.tracing.is_traced().then(|| trace::follow(parent, &thread, flags, args.exit_signal)).flatten();
    drop(place);
    if !is_thread && pid_ns.is_over() {
        // Its namespace began to end meanwhile.
        kill_threads(&process, signal::SIGKILL as i32);
    }
    if is_thread && process.exiting.load(Ordering::SeqCst) {
        // The group began to exit meanwhile: the newcomer must not outlive it.
        thread.must_exit.store(true, Ordering::SeqCst);
        thread.signal_check.store(true, Ordering::SeqCst);
    }
    sched::wake(&thread);
    if let Some(event) = event {
        let number = parent.tracing.tracer().map_or(id, |tracer| tracer.pid_ns.number(id));
        trace::in_call(parent, event, number.into());
    }
    if let Some(done) = vfork {
        let child = process.clone();
        // Killable only: the parent may not touch the memory that the child uses.
        let _ = done.wait_killable(|| child.vfork_done.lock().is_none().then_some(()));
        if parent.tracing.is_traced() {
            trace::vfork_done(parent, id);
        }
    }
    Ok(id)
}

/// Threads being made by users that RLIMIT_NPROC limits: not in any list yet, but counted, so that two at once do not both take the last place.
static BEING_MADE: SpinLock<BTreeMap<u32, usize>> = SpinLock::new(BTreeMap::new());

/// A place among a user's threads, held until the new one is in the lists itself.
struct Place(u32);

impl Drop for Place {
    fn drop(&mut self) {
        let mut being_made = BEING_MADE.lock();
        if let Some(count) = being_made.get_mut(&self.0) {
            *count -= 1;
            if *count == 0 {
                being_made.remove(&self.0);
            }
        }
    }
}

/// Takes a place for another thread of the caller's user. Root is not limited.
///
/// # Errors
/// `EAGAIN` where the user has as many as RLIMIT_NPROC allows.
fn take_place(process: &Process) -> Result<Option<Place>> {
    let creds = super::with_current(|thread| thread.creds());
    let limit = process.rlimit(process::RLIMIT_NPROC).0;
    let exempt = creds.uid == 0 || creds.has(Capability::SYS_RESOURCE) || creds.has(Capability::SYS_ADMIN);
    if exempt || limit == process::RLIM_INFINITY {
        return Ok(None);
    }
    let mut being_made = BEING_MADE.lock();
    let there: usize = process::all().iter().filter(|p| p.creds().uid == creds.uid).map(|p| p.threads().len().max(1)).sum();
    let making = being_made.entry(creds.uid).or_insert(0);
    *making += 1;
    let place = Place(creds.uid);
    let over = (there + *making) as u64 > limit;
    drop(being_made);
    if over { Err(EAGAIN) } else { Ok(Some(place)) }
}

/// Who the child is, and in which namespaces: the new ones belong to a new user namespace where that is asked for as well.
fn new_place(parent: &Arc<Thread>, flags: CloneFlags) -> Result<(Arc<Credentials>, Arc<Namespaces>)> {
    let creds = if flags.contains(CloneFlags::NEWUSER) {
        if parent.process.fs().is_chrooted() {
            return Err(EPERM);
        }
        Arc::new(UserNamespace::entered_new(&parent.creds())?)
    } else {
        parent.creds()
    };
    let namespaces = parent.namespaces().with_new(flags, &creds, &parent.process.pid_ns)?;
    Ok((creds, namespaces))
}

fn new_process(parent: &Arc<Thread>, id: u32, flags: CloneFlags, creds: Arc<Credentials>, namespaces: Arc<Namespaces>) -> Result<Arc<Process>> {
    let from = &parent.process;
    let mm = from.mm()?;
    let mm = if flags.contains(CloneFlags::VM) { mm } else { mm.fork()? };
    let files = if flags.contains(CloneFlags::FILES) { from.files() } else { from.files().fork() };
    let fs = if flags.contains(CloneFlags::FS) { from.fs() } else { from.fs().fork() };
    if flags.contains(CloneFlags::NEWNS) {
        fs.unshare_mounts(&creds)?;
    }
    let pid_ns = namespaces.pid_for_children.clone();
    let child = Process::child_of(from, (creds, namespaces), flags.contains(CloneFlags::PARENT), id, mm, files, fs, pid_ns);
    if flags.contains(CloneFlags::CLEAR_SIGHAND) {
        for action in &mut child.signals.lock().actions {
            if action.handler != SIG_IGN {
                *action = signal::SigAction::default();
            }
        }
    }
    Ok(child)
}

/// Takes back a process that has no thread yet.
fn abandon(process: &Arc<Process>) {
    if let Some(parent) = process.parent() {
        parent.children.lock().retain(|c| !Arc::ptr_eq(c, process));
    }
}

fn inherit(parent: &Arc<Thread>, child: &Arc<Thread>, flags: CloneFlags, is_thread: bool) {
    let (blocked, altstack) = {
        let signals = parent.signals.lock();
        (signals.blocked, signals.altstack)
    };
    {
        let mut signals = child.signals.lock();
        signals.blocked = blocked;
        // A thread that shares memory must not share the alternate stack (vfork children may).
        if !flags.contains(CloneFlags::VM) || flags.contains(CloneFlags::VFORK) {
            signals.altstack = altstack;
        }
    }
    if is_thread {
        *child.creds.lock() = parent.creds();
        *child.namespaces.lock() = parent.namespaces();
    }
    *child.rings.lock() = parent.rings_for(is_thread);
    child.ioprio.store(parent.ioprio.load(Ordering::Relaxed), Ordering::Relaxed);
    for slack in [&child.timer_slack_ns, &child.default_timer_slack_ns] {
        slack.store(parent.timer_slack_ns.load(Ordering::Relaxed), Ordering::Relaxed);
    }
    child.mempolicy.store(parent.mempolicy.load(Ordering::Relaxed), Ordering::Relaxed);
    let (from, to) = (&parent.sched, &child.sched);
    to.nice.store(from.nice.load(Ordering::Relaxed), Ordering::Relaxed);
    to.affinity.store(from.affinity.load(Ordering::Relaxed), Ordering::Relaxed);
    to.policy.store(from.policy.load(Ordering::Relaxed), Ordering::Relaxed);
    to.rt_priority.store(from.rt_priority.load(Ordering::Relaxed), Ordering::Relaxed);
    if from.reset_on_fork.load(Ordering::Relaxed) {
        if matches!(from.policy.load(Ordering::Relaxed), 1 | 2) {
            to.policy.store(0, Ordering::Relaxed);
            to.rt_priority.store(0, Ordering::Relaxed);
            to.nice.store(0, Ordering::Relaxed);
        }
        to.nice.fetch_max(0, Ordering::Relaxed);
    }
    to.inherit_vruntime(from);
    if !is_thread && !flags.contains(CloneFlags::VM) {
        child.rseq.inherit(&parent.rseq);
    }
}

/// Makes all threads of a process end with this wait status (a signal number, or exit code << 8). The first status wins.
pub fn kill_threads(process: &Arc<Process>, status: i32) {
    if !process.exiting.swap(true, Ordering::SeqCst) {
        process.exit_status.store(status, Ordering::SeqCst);
    }
    for thread in process.threads() {
        if status == signal::SIGKILL as i32 {
            thread.tracing.killed();
        }
        thread.must_exit.store(true, Ordering::SeqCst);
        thread.signal_check.store(true, Ordering::SeqCst);
        sched::wake_stopped(&thread);
        signal::notify(&thread);
    }
}

/// `exit_group(2)`: the thread itself ends when it is back in its loop.
pub fn exit_group(thread: &Thread, code: i32) {
    kill_threads(&thread.process, (code & 0xff) << 8);
    thread.leave((code & 0xff) << 8);
}

/// Ends the current thread, as [`Thread::leave`] has said. What a thread's entry gives, so that nothing is left on its stack.
pub fn end_thread() -> ! {
    exit_thread(super::with_current(|thread| thread.leaving().unwrap_or(0)))
}

/// Ends the current thread; the last one ends the process. `status`: used if the process is not ending already.
fn exit_thread(status: i32) -> ! {
    {
        let thread = current();
        let ends_with = || if thread.process.exiting.load(Ordering::SeqCst) { thread.process.exit_status.load(Ordering::SeqCst) } else { status };
        if thread.tracing.is_traced() {
            trace::thread_exit(&thread, ends_with());
        }
        crate::ipc::futex::thread_exit(&thread);
        crate::ipc::futex_pi::thread_exit(thread.tid());
        thread.ring_work.leave(&thread);
        let tid_address = thread.clear_child_tid.swap(0, Ordering::Relaxed);
        if tid_address != 0 && thread.process.mm().is_ok() {
            let _ = frame::user::write_u32(tid_address as u64, 0);
            crate::ipc::futex::wake_address(tid_address, 1);
        }
        let process = thread.process.clone();
        sched::charge_current();
        process.dead_usage.lock().add(&thread_usage(&thread));
        let name = *thread.name.lock();
        *process.final_name.lock() = name;
        let last = process::remove_thread(&thread);
        trace::thread_gone(&thread, ends_with());
        // The first one's id is the process's, which goes when that is reaped.
        if thread.tid() != process.pid {
            process.pid_ns.dismiss(thread.tid());
        }
        process.exit_event.wake_all();
        if last {
            if !process.exiting.swap(true, Ordering::SeqCst) {
                process.exit_status.store(status, Ordering::SeqCst);
            }
            exit_process(&process);
        }
        // The scheduler no longer finds an address space to activate for this thread.
        frame::paging::activate_none();
    }
    sched::exit_current()
}

fn exit_process(process: &Arc<Process>) {
    if process.pid == 1 {
        let status = process.exit_status.load(Ordering::SeqCst);
        panic!("the first process has ended (wait status {status:#x}): nothing is left to run");
    }
    if process.is_init() {
        process.signals.lock().actions[SIGCHLD as usize - 1].handler = SIG_IGN;
        process.pid_ns.end(process);
    }
    process.timers.clear();
    trace::tracer_exit(process);
    crate::ipc::sysv::sem::process_exit(process.pid);
    let peak = process.mm().map_or(0, |mm| mm.peak_rss_pages() * 4);
    {
        let mut usage = process.dead_usage.lock();
        usage.max_rss_kib = usage.max_rss_kib.max(peak);
    }
    super::accounting::process_exit(process, peak);
    frame::paging::activate_none();
    drop(process.set_mm(None));
    finish_vfork(process);
    process.set_files(FileTable::new());
    process.set_fs(FsContext::detached());
    *process.exe.lock() = None;
    leave_session(process);
    let orphaned_groups = reparent_children(process);
    process.become_zombie();
    process.pid_ns.tell();
    for pgid in orphaned_groups {
        hang_up_orphaned_group(pgid);
    }
    process.exit_event.wake_all();
    trace::process_exit(process);
    notify_parent_of_exit(process);
}

/// Lets a parent that waits in vfork go on.
pub fn finish_vfork(process: &Process) {
    let done = process.vfork_done.lock().take();
    if let Some(done) = done {
        done.wake_all();
    }
}

fn leave_session(process: &Arc<Process>) {
    let session = process.session();
    if session.sid != process.pid {
        return;
    }
    let tty = session.tty.lock().take();
    if let Some(tty) = tty {
        let foreground = tty.foreground_group();
        tty.session_ended();
        if foreground != 0 {
            signal::send_group(foreground, SigInfo::kernel(SIGHUP));
            signal::send_group(foreground, SigInfo::kernel(SIGCONT));
        }
    }
}

/// Gives the children to the nearest subreaper, or the first process. Returns the groups that may have become orphaned.
fn reparent_children(process: &Arc<Process>) -> Vec<u32> {
    let children = core::mem::take(&mut *process.children.lock());
    let mut groups = Vec::new();
    if children.is_empty() && process.parent().is_none() {
        return groups;
    }
    let heir = find_heir(process);
    for child in children {
        let Some(heir) = &heir else { continue };
        if child.pgid() != process.pgid() {
            groups.push(child.pgid());
        }
        child.set_parent(heir);
        child.creator.store(heir.pid, Ordering::Relaxed);
        // What the old parent chose must not reach the heir: a SIGTERM would make the first process shut down.
        child.exit_signal.store(SIGCHLD, Ordering::Relaxed);
        heir.children.lock().push(child.clone());
        let death_signal = child.parent_death_signal.load(Ordering::Relaxed);
        if death_signal != 0 && !child.is_zombie() {
            let _ = signal::send_process(&child, SigInfo::user(death_signal, process));
        }
        if child.is_zombie() {
            notify_parent_of_exit(&child);
        }
    }
    groups.push(process.pgid());
    groups.dedup();
    groups
}

fn find_heir(process: &Arc<Process>) -> Option<Arc<Process>> {
    let mut ancestor = process.parent();
    while let Some(candidate) = ancestor {
        // Those above the namespace have nothing to do with it.
        if !Arc::ptr_eq(&candidate.pid_ns, &process.pid_ns) {
            break;
        }
        if candidate.subreaper.load(Ordering::Relaxed) && !candidate.is_zombie() {
            return Some(candidate);
        }
        ancestor = candidate.parent();
    }
    process.pid_ns.init().filter(|init| init.pid != process.pid && !init.is_zombie()).or_else(|| process::find(1))
}

/// POSIX: a group without a member whose parent is in the same session but another group is orphaned.
fn is_orphaned(pgid: u32) -> bool {
    !process::all().iter().any(|p| {
        p.pgid() == pgid && !p.is_zombie() && p.parent().is_some_and(|parent| parent.pgid() != pgid && parent.sid() == p.sid() && parent.pid != 1)
    })
}

/// Whether the process's group is orphaned, so that terminal signals do not stop it.
pub fn group_is_orphaned(process: &Process) -> bool {
    is_orphaned(process.pgid())
}

fn hang_up_orphaned_group(pgid: u32) {
    let has_stopped = process::all().iter().any(|p| p.pgid() == pgid && p.stopped.load(Ordering::SeqCst));
    if has_stopped && is_orphaned(pgid) {
        signal::send_group(pgid, SigInfo::kernel(SIGHUP));
        signal::send_group(pgid, SigInfo::kernel(SIGCONT));
    }
}

/// `si_code` of SIGCHLD.
const CLD_EXITED: i32 = 1;
const CLD_KILLED: i32 = 2;
const CLD_DUMPED: i32 = 3;
/// Stopped for its tracer.
pub const CLD_TRAPPED: i32 = 4;
const CLD_STOPPED: i32 = 5;
const CLD_CONTINUED: i32 = 6;

/// `si_code` and `si_status` for a wait status.
pub fn child_code(status: i32) -> (i32, i32) {
    match status & 0x7f {
        0 => (CLD_EXITED, status >> 8 & 0xff),
        0x7f if status == 0xffff => (CLD_CONTINUED, SIGCONT as i32),
        0x7f => (CLD_STOPPED, status >> 8 & 0xff),
        signal if status & 0x80 != 0 => (CLD_DUMPED, signal),
        signal => (CLD_KILLED, signal),
    }
}

fn child_info(signal_number: u32, child: &Process, status: i32) -> SigInfo {
    let (code, si_status) = child_code(status);
    let usage = child.usage();
    SigInfo {
        signal: signal_number,
        code,
        pid: child.pid,
        uid: child.creds().uid,
        status: si_status,
        utime: (usage.utime_ns / 10_000_000) as i64,
        stime: (usage.stime_ns / 10_000_000) as i64,
        ..SigInfo::default()
    }
}

fn notify_parent_of_exit(process: &Arc<Process>) {
    let Some(parent) = process.parent() else { return };
    let exit_signal = process.exit_signal.load(Ordering::Relaxed);
    let action = parent.signals.lock().actions[SIGCHLD as usize - 1];
    let no_zombie = exit_signal == SIGCHLD && (action.handler == SIG_IGN || action.flags & SA_NOCLDWAIT != 0);
    if exit_signal != 0 {
        let _ = signal::send_process(&parent, child_info(exit_signal, process, process.exit_status.load(Ordering::SeqCst)));
    }
    if no_zombie {
        reap(&parent, process);
    }
    parent.child_event.wake_all();
}

fn reap(parent: &Arc<Process>, child: &Arc<Process>) -> bool {
    let mut children = parent.children.lock();
    let Some(at) = children.iter().position(|c| Arc::ptr_eq(c, child)) else { return false };
    children.swap_remove(at);
    drop(children);
    process::unregister(child.pid);
    true
}

/// Stops all threads of the current process (default action of SIGTSTP and the like): each stops on its way to user mode.
pub fn stop_process(thread: &Arc<Thread>, signal_number: u32) {
    let process = &thread.process;
    process.stop_signal.store(signal_number, Ordering::SeqCst);
    if !process.stopped.swap(true, Ordering::SeqCst) {
        *process.job_event.lock() = JobEvent::Stopped(signal_number);
        for other in process.threads() {
            if !Arc::ptr_eq(&other, thread) {
                signal::notify(&other);
                other.signal_check.store(true, Ordering::SeqCst);
                sched::kick(&other);
            }
        }
        if let Some(parent) = process.parent() {
            let action = parent.signals.lock().actions[SIGCHLD as usize - 1];
            if action.flags & SA_NOCLDSTOP == 0 {
                let _ = signal::send_process(&parent, child_info(SIGCHLD, process, (signal_number as i32) << 8 | 0x7f));
            }
            parent.child_event.wake_all();
        }
    }
}

/// Sleeps while the process is stopped.
pub fn wait_while_stopped(thread: &Arc<Thread>) {
    let process = thread.process.clone();
    // A tracer that comes meanwhile wants it in a stop of its own.
    let holds = || process.stopped.load(Ordering::SeqCst) && !thread.is_killed() && !thread.tracing.is_traced();
    while holds() {
        sched::stop_current(thread, holds);
    }
}

/// Tells the parent that SIGCONT let the process go on.
pub fn notify_continued(process: &Arc<Process>) {
    *process.job_event.lock() = JobEvent::Continued;
    if let Some(parent) = process.parent() {
        let action = parent.signals.lock().actions[SIGCHLD as usize - 1];
        if action.flags & SA_NOCLDSTOP == 0 {
            let _ = signal::send_process(&parent, child_info(SIGCHLD, process, 0xffff));
        }
        parent.child_event.wake_all();
    }
}

/// Which children `wait4(2)` or `waitid(2)` looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitTarget {
    /// Any child.
    Any,
    /// One child.
    Pid(u32),
    /// Children of a process group.
    Group(u32),
}

bitflags! {
    /// Options of `wait4(2)` and `waitid(2)`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct WaitOptions: u32 {
        #[allow(missing_docs)] const NOHANG = 1;
        #[allow(missing_docs)] const STOPPED = 2;
        #[allow(missing_docs)] const EXITED = 4;
        #[allow(missing_docs)] const CONTINUED = 8;
        #[allow(missing_docs)] const NOWAIT = 0x0100_0000;
        #[allow(missing_docs)] const NOTHREAD = 0x2000_0000;
        #[allow(missing_docs)] const ALL = 0x4000_0000;
        #[allow(missing_docs)] const CLONE = 0x8000_0000;
    }
}

/// A child that changed state.
pub struct Waited {
    /// As who waits knows it.
    pub pid: u32,
    #[allow(missing_docs)]
    pub uid: u32,
    /// Wait status in `wait4(2)`'s encoding.
    pub status: i32,
    /// Stopped for its tracer, which is the caller.
    pub is_trap: bool,
    #[allow(missing_docs)]
    pub usage: Usage,
}

impl Waited {
    /// `si_code` and `si_status` for `waitid(2)`.
    pub fn code(&self) -> (i32, i32) {
        if self.is_trap { (CLD_TRAPPED, self.status >> 8) } else { child_code(self.status) }
    }
}

/// Waits for a child to change state. `None` with `NOHANG` where none has.
///
/// # Errors
/// `ECHILD` where there is no such child, `ERESTARTSYS` on a signal.
pub fn wait(process: &Arc<Process>, target: WaitTarget, options: WaitOptions) -> Result<Option<Waited>> {
    let look = || -> Option<Result<Waited>> {
        let (mut any, traced) = trace::look(process, target, options);
        if let Some(found) = traced {
            return Some(Ok(found));
        }
        let children = process.children.lock().clone();
        for child in children {
            let matches = match target {
                WaitTarget::Any => true,
                WaitTarget::Pid(pid) => child.pid == pid,
                WaitTarget::Group(pgid) => child.pgid() == pgid,
            };
            let is_clone_child = child.exit_signal.load(Ordering::Relaxed) != SIGCHLD;
            if !matches || (is_clone_child != options.contains(WaitOptions::CLONE) && !options.contains(WaitOptions::ALL)) {
                continue;
            }
            if options.contains(WaitOptions::NOTHREAD) && !is_own(process, &child) {
                continue;
            }
            any = true;
            if let Some(found) = state_change(process, &child, options) {
                return Some(Ok(found));
            }
        }
        (!any).then_some(Err(ECHILD))
    };
    if options.contains(WaitOptions::NOHANG) {
        return look().transpose();
    }
    process.child_event.wait_until(look)?.map(Some)
}

/// Whether a child is the calling thread's own (`__WNOTHREAD`). Those of a thread that is gone are the main thread's.
fn is_own(parent: &Process, child: &Process) -> bool {
    let me = current().tid();
    let creator = child.creator.load(Ordering::Relaxed);
    creator == me || (me == parent.pid && !parent.threads().iter().any(|thread| thread.tid() == creator))
}

fn state_change(parent: &Arc<Process>, child: &Arc<Process>, options: WaitOptions) -> Option<Waited> {
    let peek = options.contains(WaitOptions::NOWAIT);
    // Its number goes with it.
    let pid = parent.pid_ns.number(child.pid);
    let found = |status| Waited { pid, uid: child.creds().uid, status, is_trap: false, usage: child.usage() };
    if child.is_zombie() {
        if !options.contains(WaitOptions::EXITED) {
            return None;
        }
        let result = found(child.exit_status.load(Ordering::SeqCst));
        if peek {
            return Some(result);
        }
        if !reap(parent, child) {
            return None;
        }
        let mut total = parent.children_usage.lock();
        total.add(&result.usage);
        total.add(&child.children_usage.lock());
        return Some(result);
    }
    // Its stops are its tracer's business.
    if child.main_thread().is_some_and(|thread| thread.tracing.is_traced()) {
        return None;
    }
    let mut event = child.job_event.lock();
    let status = match *event {
        JobEvent::Stopped(signal_number) if options.contains(WaitOptions::STOPPED) => (signal_number as i32) << 8 | 0x7f,
        JobEvent::Continued if options.contains(WaitOptions::CONTINUED) => 0xffff,
        _ => return None,
    };
    if !peek {
        *event = JobEvent::None;
    }
    drop(event);
    Some(found(status))
}
