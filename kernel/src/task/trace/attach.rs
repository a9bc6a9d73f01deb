//! The beginnings and ends of tracing.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use super::wait::Dead;
use super::{
    EVENT_CLONE, EVENT_EXEC, EVENT_EXIT, EVENT_FORK, EVENT_VFORK, EVENT_VFORK_DONE, Options, Registers, State, Watch, stop,
};
use crate::error::*;
use crate::task::lifecycle::CloneFlags;
use crate::task::process::Process;
use crate::task::signal::{self, SIGCHLD, SIGSTOP, SIGTRAP, SigInfo};
use crate::task::{Thread, lifecycle, sched};

/// How tracing begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attach {
    /// `PTRACE_ATTACH`: with a SIGSTOP.
    Stopping,
    /// `PTRACE_SEIZE`: without a stop, with these options.
    Seizing(Options),
}

fn new_state(tracer: &Arc<Process>, seized: bool, options: Options) -> Box<State> {
    Box::new(State {
        tracer: Arc::downgrade(tracer),
        seized,
        options,
        stop: None,
        listening: false,
        continued: false,
        detached: false,
        group_stop_seen: false,
        message: 0,
        resume_signal: 0,
        last_info: None,
        registers: Registers::default(),
        registers_changed: false,
        fpu: Vec::new(),
        fpu_changed: false,
    })
}

/// Puts a thread under a tracer.
///
/// # Errors
/// `EPERM` where it has one.
fn link(tracer: &Arc<Process>, thread: &Arc<Thread>, seized: bool, options: Options) -> Result {
    let state = new_state(tracer, seized, options);
    {
        let mut slot = thread.tracing.state.lock();
        if slot.is_some() {
            return Err(EPERM);
        }
        *slot = Some(state);
    }
    thread.tracing.set(Watch::TRACED);
    tracer.tracees.add(thread);
    Ok(())
}

/// `PTRACE_TRACEME`: the parent traces the caller.
///
/// # Errors
/// `EPERM` where somebody does already, or there is no parent.
pub fn trace_me(thread: &Arc<Thread>) -> Result {
    let parent = thread.process.parent().ok_or(EPERM)?;
    link(&parent, thread, false, Options::empty())
}

/// `PTRACE_ATTACH`, `PTRACE_SEIZE`. That the tracer may is for the caller to see to.
///
/// # Errors
/// `EPERM` for threads of the tracer itself and of the kernel, threads that end, and where somebody traces already.
pub fn attach(tracer: &Arc<Process>, thread: &Arc<Thread>, how: Attach) -> Result {
    let process = &thread.process;
    if process.pid == tracer.pid || process.pid == 0 || process.is_zombie() || thread.is_killed() {
        return Err(EPERM);
    }
    match how {
        Attach::Stopping => {
            link(tracer, thread, false, Options::empty())?;
            signal::send_thread(thread, SigInfo::user(SIGSTOP, tracer))
        }
        Attach::Seizing(options) => link(tracer, thread, true, options),
    }?;
    if process.stopped.load(Ordering::SeqCst) {
        // It leaves the stop by job control and enters the tracer's.
        thread.signal_check.store(true, Ordering::Release);
        sched::wake_stopped(thread);
        // The tracer may make requests at once, as on Linux (JOBCTL_TRAPPING).
        let has_arrived = || {
            let in_stop = thread.tracing.state.lock().as_ref().is_none_or(|state| state.stop.is_some());
            (in_stop || thread.is_killed() || !process.stopped.load(Ordering::SeqCst)).then_some(())
        };
        // A signal only keeps it from waiting.
        let _ = tracer.child_event.wait_until(has_arrived);
    }
    Ok(())
}

/// `PTRACE_DETACH`. False where the thread is not in a stop of this tracer.
pub fn detach(tracer: &Process, thread: &Arc<Thread>, signal_number: u32) -> bool {
    {
        let mut slot = thread.tracing.state.lock();
        let Some(state) = slot.as_mut().filter(|state| state.stop.is_some() && state.is_of(tracer)) else { return false };
        release(thread, state, signal_number);
    }
    tracer.tracees.remove(thread);
    sched::wake_stopped(thread);
    true
}

/// Lets a stopped thread go on without its tracer; it takes its registers and drops the state itself.
fn release(thread: &Thread, state: &mut State, signal_number: u32) {
    state.detached = true;
    state.resume_signal = signal_number;
    state.last_info = state.stop.take().and_then(|stop| stop.info);
    clear_watch(thread);
    // A process that is stopped stays so.
    thread.signal_check.store(true, Ordering::Release);
}

fn clear_watch(thread: &Thread) {
    thread.tracing.clear(Watch::TRACED | Watch::CALLS | Watch::EMULATED | Watch::STEP | Watch::TRAP | Watch::EXECED);
}

/// The tracer is gone: the thread belongs to itself again.
pub(super) fn forget(thread: &Arc<Thread>) {
    let gone = {
        let mut slot = thread.tracing.state.lock();
        match slot.as_mut() {
            Some(state) if state.stop.is_some() => {
                let undelivered = state.stop.map_or(0, |stop| stop.undelivered);
                release(thread, state, undelivered);
                None
            }
            Some(_) => slot.take(),
            None => None,
        }
    };
    drop(gone);
    clear_watch(thread);
    sched::wake_stopped(thread);
}

/// A process that traces ends: its tracees go on, or end with it under `PTRACE_O_EXITKILL`.
pub fn tracer_exit(tracer: &Arc<Process>) {
    for thread in tracer.tracees.take_all() {
        let kill = thread.tracing.state.lock().as_ref().is_some_and(|state| state.options.contains(Options::EXITKILL));
        if kill {
            lifecycle::kill_threads(&thread.process, signal::SIGKILL as i32);
        }
        forget(&thread);
    }
}

/// A thread has made another (not running yet): it is traced too where the tracer wants that. Returns the event to stop for.
pub fn follow(thread: &Arc<Thread>, child: &Arc<Thread>, flags: CloneFlags, exit_signal: u32) -> Option<u32> {
    let (event, wanted) = if flags.contains(CloneFlags::VFORK) {
        (EVENT_VFORK, Options::VFORK)
    } else if exit_signal == SIGCHLD {
        (EVENT_FORK, Options::FORK)
    } else {
        (EVENT_CLONE, Options::CLONE)
    };
    let (tracer, seized, options, tell) = {
        let slot = thread.tracing.state.lock();
        let state = slot.as_ref().filter(|state| !state.detached)?;
        let tell = state.options.contains(wanted) && !flags.contains(CloneFlags::UNTRACED);
        (state.tracer.upgrade()?, state.seized, state.options, tell)
    };
    if tell || flags.contains(CloneFlags::PTRACE) {
        link(&tracer, child, seized, options).ok()?;
        if seized {
            child.tracing.set(Watch::TRAP);
        } else {
            let _ = child.signals.lock().pending.add(SigInfo { signal: SIGSTOP, ..SigInfo::default() }, u64::MAX);
        }
        child.signal_check.store(true, Ordering::Release);
    }
    tell.then_some(event)
}

/// The child of a vfork has let go of the memory.
pub fn vfork_done(thread: &Arc<Thread>, child: u32) {
    if has(thread, Options::VFORK_DONE) {
        stop::in_call(thread, EVENT_VFORK_DONE, child.into());
    }
}

fn has(thread: &Thread, option: Options) -> bool {
    thread.tracing.state.lock().as_ref().is_some_and(|state| !state.detached && state.options.contains(option))
}

/// A thread has become another program; `former` is its id before. It stops once the call is over.
pub fn exec_done(thread: &Thread, former: u32) {
    if !thread.tracing.is_traced() {
        return;
    }
    if let Some(state) = thread.tracing.state.lock().as_mut() {
        state.message = former.into();
    }
    thread.tracing.set(Watch::EXECED);
}

/// The stop of a thread that has become another program.
pub(super) fn exec_stop(thread: &Arc<Thread>, cpu: stop::Cpu<'_>) {
    thread.tracing.clear(Watch::EXECED);
    if has(thread, Options::EXEC) {
        stop::stop(thread, Some(cpu), super::Stop::trap(thread, SIGTRAP | EVENT_EXEC << 8));
        return;
    }
    let seized = thread.tracing.state.lock().as_ref().is_none_or(|state| state.seized);
    if !seized {
        let process = thread.process.clone();
        let _ = signal::send_thread(thread, SigInfo::user(SIGTRAP, &process));
    }
}

/// A thread is about to end with this wait status: the tracer may look at it once more.
pub fn thread_exit(thread: &Arc<Thread>, status: i32) {
    if has(thread, Options::EXIT) {
        stop::in_call(thread, EVENT_EXIT, status as u32 as u64);
    }
}

/// A thread has ended and is in no list any more. The tracer is told, but for the first thread: that is told when its process ends.
pub fn thread_gone(thread: &Arc<Thread>, status: i32) {
    let state = thread.tracing.state.lock().take();
    let Some(state) = state.filter(|state| !state.detached) else { return };
    clear_watch(thread);
    let Some(tracer) = state.tracer.upgrade() else { return };
    tracer.tracees.remove(thread);
    if thread.tid() == thread.process.pid {
        *thread.process.leader_tracer.lock() = Arc::downgrade(&tracer);
        return;
    }
    tell_of_death(&tracer, Dead { id: thread.tid(), number: tracer.pid_ns.number(thread.tid()), pgid: thread.process.pgid(), uid: thread.process.creds().uid, status });
}

/// A process has ended whose first thread was traced by another than its parent.
pub fn process_exit(process: &Arc<Process>) {
    let tracer = core::mem::take(&mut *process.leader_tracer.lock()).upgrade();
    let Some(tracer) = tracer else { return };
    if process.parent().is_some_and(|parent| Arc::ptr_eq(&parent, &tracer)) {
        return;
    }
    let status = process.exit_status.load(Ordering::SeqCst);
    tell_of_death(&tracer, Dead { id: process.pid, number: tracer.pid_ns.number(process.pid), pgid: process.pgid(), uid: process.creds().uid, status });
}

fn tell_of_death(tracer: &Arc<Process>, dead: Dead) {
    let (code, si_status) = lifecycle::child_code(dead.status);
    tracer.tracees.add_dead(dead);
    let info = SigInfo { signal: SIGCHLD, code, pid: dead.id, uid: dead.uid, status: si_status, ..SigInfo::default() };
    let _ = signal::send_process(tracer, info);
    tracer.child_event.wake_all();
}
