//! Stops at system calls.

use alloc::sync::Arc;

use super::stop::{self, Cpu, Resumed};
use super::{CallPhase, EVENT_SECCOMP, Options, Stop, Watch, attach};
use crate::error::*;
use crate::task::Thread;
use crate::task::signal::{self, SIGTRAP, SigInfo};

/// What becomes of a call after the stop at its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// It is made.
    Make,
    /// It is not; the registers are as the tracer left them.
    Skip,
}

fn options(thread: &Thread) -> Options {
    thread.tracing.state.lock().as_ref().filter(|state| !state.detached).map_or(Options::empty(), |state| state.options)
}

fn call_stop(thread: &Arc<Thread>, cpu: Cpu<'_>, phase: CallPhase) {
    let good = if options(thread).contains(Options::SYSGOOD) { 0x80 } else { 0 };
    let resumed = stop::stop(thread, Some(cpu), Stop { phase, ..Stop::trap(thread, SIGTRAP | good) });
    send(thread, resumed);
}

/// The signal with which the tracer let the thread go on from a stop that was none.
fn send(thread: &Arc<Thread>, resumed: Resumed) {
    if resumed.signal != 0 {
        let from = thread.tracing.tracer();
        let info = from.map_or(SigInfo::kernel(resumed.signal), |tracer| SigInfo::user(resumed.signal, &tracer));
        let _ = signal::send_thread(thread, info);
    }
}

/// A traced thread is about to make the call `cpu.call`.
pub fn call_entry(thread: &Arc<Thread>, mut cpu: Cpu<'_>) -> Entry {
    let watch = thread.tracing.watch();
    if !watch.contains(Watch::CALLS) {
        // For stops within the call.
        stop::note(thread, &mut cpu);
        return Entry::Make;
    }
    let result = core::mem::replace(&mut cpu.context.regs.rax, ENOSYS.to_ret());
    call_stop(thread, cpu.again(), CallPhase::Entry);
    if watch.contains(Watch::EMULATED) || *cpu.call == u64::MAX {
        return Entry::Skip;
    }
    // The calls themselves do not look at rax, but a restart does.
    cpu.context.regs.rax = result;
    stop::note(thread, &mut cpu);
    Entry::Make
}

/// A call of a traced thread is over (or was skipped).
pub fn call_done(thread: &Arc<Thread>, mut cpu: Cpu<'_>, entry: Entry) {
    if thread.tracing.watch().contains(Watch::EXECED) {
        attach::exec_stop(thread, cpu.again());
    } else if entry == Entry::Make {
        // Changed in a stop within the call.
        let result = cpu.context.regs;
        let changed = thread.tracing.state.lock().as_ref().is_some_and(|state| state.registers_changed);
        if changed {
            stop::take_changes(thread, &mut cpu);
            cpu.context.regs.rax = result.rax;
        }
    }
    let watch = thread.tracing.watch();
    if watch.contains(Watch::CALLS) && !watch.contains(Watch::EMULATED) {
        call_stop(thread, cpu.again(), CallPhase::Exit);
    } else if watch.contains(Watch::STEP) {
        // TRAP_BRKPT
        signal::force(thread, SigInfo::fault(SIGTRAP, 1, cpu.context.regs.rip));
    }
}

/// A filter asks the tracer about a call (`SECCOMP_RET_TRACE`). None: nobody is there to ask.
pub fn seccomp_stop(thread: &Arc<Thread>, mut cpu: Cpu<'_>, value: u32) -> Option<Entry> {
    if !options(thread).contains(Options::SECCOMP) {
        return None;
    }
    if let Some(state) = thread.tracing.state.lock().as_mut() {
        state.message = value.into();
    }
    let stop = Stop { phase: CallPhase::Seccomp(value), ..Stop::trap(thread, SIGTRAP | EVENT_SECCOMP << 8) };
    let resumed = stop::stop(thread, Some(cpu.again()), stop);
    send(thread, resumed);
    Some(if *cpu.call == u64::MAX { Entry::Skip } else { Entry::Make })
}
