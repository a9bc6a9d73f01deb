//! Stops: the traced thread's side.

use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use frame::user::UserContext;

use super::{EVENT_STOP, Registers, Resume, State, Stop, Watch};
use crate::error::*;
use crate::task::process::Process;
use crate::task::signal::{self, SA_NOCLDSTOP, SIGCHLD, SIGTRAP, SigInfo};
use crate::task::{Thread, lifecycle, sched};

const TRAP_FLAG: u64 = 1 << 8;

/// The registers of a thread on its way between user mode and the kernel.
pub struct Cpu<'a> {
    #[allow(missing_docs)]
    pub context: &'a mut UserContext,
    /// The number of the call it is in, all ones for none.
    pub call: &'a mut u64,
}

impl Cpu<'_> {
    /// Another view of the same.
    pub fn again(&mut self) -> Cpu<'_> {
        Cpu { context: self.context, call: self.call }
    }
}

/// How the tracer let the thread go on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Resumed {
    /// The signal to deliver, 0 for none.
    pub signal: u32,
    /// The information of the stop, which the tracer may have changed.
    pub info: Option<SigInfo>,
}

/// Lets the tracer know of a stop.
fn tell(tracer: &Arc<Process>, thread: &Thread, code: u32) {
    let action = tracer.signals.lock().actions[SIGCHLD as usize - 1];
    if action.flags & SA_NOCLDSTOP == 0 {
        let info = SigInfo {
            signal: SIGCHLD,
            code: lifecycle::CLD_TRAPPED,
            pid: thread.tid(),
            uid: thread.process.creds().uid,
            status: (code & 0x7f) as i32,
            ..SigInfo::default()
        };
        let _ = signal::send_process(tracer, info);
    }
    tracer.child_event.wake_all();
}

/// A note of the registers, for stops within calls.
pub(super) fn note(thread: &Thread, cpu: &mut Cpu<'_>) {
    let fpu = cpu.context.fpu_to_bytes();
    if let Some(state) = thread.tracing.state.lock().as_mut() {
        state.registers = Registers { user: cpu.context.regs, call: *cpu.call, debug: cpu.context.debug_registers() };
        state.fpu = fpu;
        (state.registers_changed, state.fpu_changed) = (false, false);
    }
}

/// Takes over what the tracer has changed.
pub(super) fn take_changes(thread: &Thread, cpu: &mut Cpu<'_>) {
    let (registers, fpu) = {
        let mut slot = thread.tracing.state.lock();
        let Some(state) = slot.as_mut() else { return };
        let registers = core::mem::take(&mut state.registers_changed).then_some(state.registers);
        let fpu = core::mem::take(&mut state.fpu_changed).then(|| state.fpu.clone());
        (registers, fpu)
    };
    if let Some(registers) = registers {
        cpu.context.regs = registers.user;
        *cpu.call = registers.call;
        // Others were refused when the tracer set them.
        let _ = cpu.context.set_debug_registers(&registers.debug);
    }
    if let Some(fpu) = fpu {
        // Reserved bits were refused when the tracer set them.
        let _ = cpu.context.fpu_from_bytes(&fpu);
    }
}

/// Stops until the tracer resumes the thread. Returns at once where nobody traces it any more, or it is to end.
pub(super) fn stop(thread: &Arc<Thread>, mut cpu: Option<Cpu<'_>>, stop: Stop) -> Resumed {
    let tracing = &thread.tracing;
    if let Some(cpu) = &mut cpu {
        if tracing.watch().contains(Watch::STEP) {
            cpu.context.regs.rflags &= !TRAP_FLAG;
        }
        note(thread, cpu);
    }
    let undecided = Resumed { signal: stop.undelivered, info: stop.info };
    let exiting = stop.code >> 8 == super::EVENT_EXIT;
    // A thread that must end stops once more, on its way out, unless it was SIGKILL.
    let may_hold = || !tracing.watch().contains(Watch::KILLED) && (exiting || !thread.is_killed());
    let tracer = {
        let mut slot = tracing.state.lock();
        let Some(state) = slot.as_mut() else { return undecided };
        if state.detached || !may_hold() {
            return undecided;
        }
        state.stop = Some(stop);
        (state.listening, state.continued) = (false, false);
        (state.resume_signal, state.last_info) = (0, None);
        state.tracer.upgrade()
    };
    tracing.clear(Watch::STEP);
    match tracer {
        Some(tracer) => tell(&tracer, thread, stop.code),
        None => super::attach::forget(thread),
    }
    let holds = || tracing.is_stopped() && may_hold();
    while holds() {
        sched::stop_current(thread, holds);
    }
    let resumed = {
        let mut slot = tracing.state.lock();
        let Some(state) = slot.as_mut() else { return undecided };
        // Still there where the thread is killed in it.
        state.stop = None;
        Resumed { signal: state.resume_signal, info: state.last_info.take().or(stop.info) }
    };
    if let Some(mut cpu) = cpu {
        take_changes(thread, &mut cpu);
        if tracing.watch().contains(Watch::STEP) {
            cpu.context.regs.rflags |= TRAP_FLAG;
        }
    }
    let mut slot = tracing.state.lock();
    if slot.as_ref().is_some_and(|state| state.detached) {
        let gone = slot.take();
        drop(slot);
        drop(gone);
    }
    resumed
}

/// Lets a stopped thread go on. False where it is not in a stop of this tracer.
pub fn resume(tracer: &Process, thread: &Arc<Thread>, how: Resume, signal_number: u32) -> bool {
    {
        let mut slot = thread.tracing.state.lock();
        let Some(state) = slot.as_mut().filter(|state| state.is_stopped_for(tracer)) else { return false };
        thread.tracing.clear(Watch::CALLS | Watch::EMULATED | Watch::STEP);
        thread.tracing.set(match how {
            Resume::Continue => Watch::empty(),
            Resume::Calls => Watch::CALLS,
            Resume::Emulate => Watch::CALLS | Watch::EMULATED,
            Resume::Step => Watch::STEP,
            Resume::EmulateStep => Watch::CALLS | Watch::EMULATED | Watch::STEP,
        });
        let stop = state.stop.take();
        state.last_info = stop.and_then(|stop| stop.info);
        state.resume_signal = signal_number;
    }
    sched::wake_stopped(thread);
    true
}

/// Before a signal is delivered: the tracer may change or drop it. Returns what to deliver.
pub fn signal_stop(thread: &Arc<Thread>, cpu: Cpu<'_>, info: SigInfo) -> Option<SigInfo> {
    let resumed = stop(thread, Some(cpu), Stop { undelivered: info.signal, ..Stop::new(info.signal, Some(info)) });
    match resumed.signal {
        0 => None,
        same if same == info.signal => Some(SigInfo { signal: same, ..resumed.info.unwrap_or(info) }),
        other => {
            let from = thread.tracing.tracer();
            Some(from.map_or(SigInfo { signal: other, ..SigInfo::default() }, |tracer| SigInfo::user(other, &tracer)))
        }
    }
}

/// A stop of the process by job control, in which the tracer sees this thread. Returns once the thread may go on.
pub fn group_stop(thread: &Arc<Thread>, cpu: Cpu<'_>) {
    let seized = {
        let mut slot = thread.tracing.state.lock();
        let Some(state) = slot.as_mut() else { return };
        if core::mem::replace(&mut state.group_stop_seen, true) {
            return;
        }
        state.seized
    };
    let number = thread.process.stop_signal.load(Ordering::SeqCst);
    let told = if seized { Stop::trap(thread, number | EVENT_STOP << 8) } else { Stop::new(number, None) };
    stop(thread, Some(cpu), Stop { can_listen: true, ..told });
}

/// The trap that `PTRACE_INTERRUPT` asked for, or with which a followed thread begins.
pub fn trap_stop(thread: &Arc<Thread>, cpu: Cpu<'_>) {
    thread.tracing.clear(Watch::TRAP);
    let signal_number = if thread.process.stopped.load(Ordering::SeqCst) { thread.process.stop_signal.load(Ordering::SeqCst) } else { SIGTRAP };
    let code = signal_number | EVENT_STOP << 8;
    stop(thread, Some(cpu), Stop { can_listen: true, ..Stop::trap(thread, code) });
}

/// A step has led into a signal handler.
pub fn handler_entered(thread: &Arc<Thread>, cpu: Cpu<'_>) {
    stop(thread, Some(cpu), Stop::trap(thread, SIGTRAP));
}

/// A stop within a call, where the registers are those that [`note`] took.
pub fn in_call(thread: &Arc<Thread>, event: u32, message: u64) {
    if let Some(state) = thread.tracing.state.lock().as_mut() {
        state.message = message;
    }
    stop(thread, None, Stop::trap(thread, SIGTRAP | event << 8));
}

/// SIGCONT has come: who listens is told, and the next stop of the process is seen again.
pub fn continued(thread: &Arc<Thread>) {
    let told = {
        let mut slot = thread.tracing.state.lock();
        let Some(state) = slot.as_mut() else { return };
        state.group_stop_seen = false;
        state.continued = true;
        retrap(thread, state).then(|| state.tracer.upgrade()).flatten()
    };
    if let Some(tracer) = told {
        tell(&tracer, thread, SIGTRAP);
    }
}

/// `PTRACE_LISTEN`: the thread stays in its stop, and its tracer is told when job control ends that.
///
/// # Errors
/// `ESRCH` where it is not in a stop of this tracer, `EIO` where the stop is of another kind, or the thread was not seized.
pub fn listen(tracer: &Arc<Process>, thread: &Arc<Thread>) -> Result {
    let over = {
        let mut slot = thread.tracing.state.lock();
        let state = slot.as_mut().filter(|state| state.is_stopped_for(tracer)).ok_or(ESRCH)?;
        if !state.seized || !state.stop.is_some_and(|stop| stop.can_listen) {
            return Err(EIO);
        }
        state.listening = true;
        state.continued && retrap(thread, state)
    };
    if over {
        tell(tracer, thread, SIGTRAP);
    }
    Ok(())
}

/// Turns the stop of a listening thread into a new one. Whether it listened.
fn retrap(thread: &Thread, state: &mut State) -> bool {
    if !core::mem::take(&mut state.listening) {
        return false;
    }
    state.continued = false;
    state.stop = Some(Stop { can_listen: true, ..Stop::trap(thread, SIGTRAP | EVENT_STOP << 8) });
    true
}

/// `PTRACE_INTERRUPT`. False where the thread is not seized by this tracer.
pub fn interrupt(tracer: &Arc<Process>, thread: &Arc<Thread>) -> bool {
    let listened = {
        let mut slot = thread.tracing.state.lock();
        let Some(state) = slot.as_mut().filter(|state| state.seized && state.is_of(tracer)) else { return false };
        retrap(thread, state)
    };
    if listened {
        tell(tracer, thread, SIGTRAP);
    } else {
        thread.tracing.set(Watch::TRAP);
        signal::notify(thread);
    }
    true
}

