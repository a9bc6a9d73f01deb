//! The life of a user thread: run user code, do what it asks for, deliver signals, go back.

use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use frame::user::{TrapReason, UserContext};

use super::signal::{self, Delivery, SA_RESTART, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP, SigInfo};
use super::trace::{self, Cpu, Entry, Watch};
use super::{Thread, coredump, current, lifecycle, rseq, sched, sigframe};
use crate::error::*;
use crate::mm::FaultError;
use crate::syscall;

/// How a system call ended, for restarting it after a signal.
#[derive(Clone, Copy)]
struct Interrupted {
    number: u64,
    error: Errno,
}

/// Runs user code with this context until the thread is to end ([`Thread::leaving`]).
pub fn run(mut context: UserContext) {
    let thread = current();
    let mut interrupted: Option<Interrupted> = None;
    // The call that the thread is in, for its tracer; all ones: none.
    let mut call = u64::MAX;
    loop {
        if thread.rseq.is_due() {
            rseq::before_user_mode(&thread, &mut context);
        }
        if thread.signal_check.load(Ordering::Acquire) || interrupted.is_some() {
            prepare_return(&thread, Cpu { context: &mut context, call: &mut call }, interrupted.take());
            if thread.leaving().is_some() {
                return;
            }
        }
        if sched::need_resched() {
            sched::schedule();
            continue;
        }
        thread.in_user.store(true, Ordering::Relaxed);
        let reason = context.run_unless(|| sched::need_resched() || thread.signal_check.load(Ordering::Acquire) || thread.rseq.is_due());
        thread.in_user.store(false, Ordering::Relaxed);
        call = u64::MAX;
        match reason {
            TrapReason::Syscall => {
                if frame::mm::needs_relief() {
                    // Here nothing is locked. Whoever is to end may be this one.
                    crate::mm::oom::relieve();
                }
                call = context.regs.rax;
                let traced = thread.tracing.is_traced();
                let entry = if traced { trace::call_entry(&thread, Cpu { context: &mut context, call: &mut call }) } else { Entry::Make };
                if entry == Entry::Make {
                    match syscall::dispatch(&thread, &mut context, &mut call) {
                        syscall::Outcome::Value(value) => context.regs.rax = value,
                        syscall::Outcome::Registers => {}
                        syscall::Outcome::Error(error) => {
                            // Of a call that may be restarted a tracer sees this number; nobody else does.
                            context.regs.rax = error.to_ret();
                            interrupted = error.is_restart().then_some(Interrupted { number: call, error });
                        }
                    }
                }
                if thread.leaving().is_some() {
                    return;
                }
                if traced || thread.tracing.is_traced() {
                    trace::call_done(&thread, Cpu { context: &mut context, call: &mut call }, entry);
                }
            }
            TrapReason::PageFault { addr, write, exec, .. } => page_fault(&thread, addr, write, exec),
            TrapReason::Exception { vector, error } => exception(&thread, &context, vector, error),
            TrapReason::Interrupt => {}
        }
    }
}

fn page_fault(thread: &Arc<Thread>, addr: u64, write: bool, exec: bool) {
    thread.min_flt.fetch_add(1, Ordering::Relaxed);
    let result = match thread.process.mm() {
        Ok(mm) => mm.fault(addr as usize, write, exec),
        Err(_) => Err(FaultError::NotMapped),
    };
    let info = match result {
        Ok(()) => return,
        Err(FaultError::NotMapped) => SigInfo::fault(SIGSEGV, 1, addr),
        Err(FaultError::Protected) => SigInfo::fault(SIGSEGV, 2, addr),
        Err(FaultError::Bus) => SigInfo::fault(SIGBUS, 2, addr),
        Err(FaultError::OutOfMemory) => {
            // The OOM killer chose this process, or nobody can be killed: the page cannot be had.
            if !thread.is_killed() {
                lifecycle::kill_threads(&thread.process, 9);
            }
            return;
        }
    };
    signal::force(thread, info);
}

/// Resolves a fault of the kernel on a user address. Called by the frame crate; returns whether to retry.
pub fn kernel_page_fault(addr: u64, write: bool, exec: bool) -> bool {
    super::with_current(|thread| {
        thread.min_flt.fetch_add(1, Ordering::Relaxed);
        thread.process.mm().is_ok_and(|mm| mm.fault(addr as usize, write, exec).is_ok())
    })
}

fn exception(thread: &Arc<Thread>, context: &UserContext, vector: u8, error: u64) {
    let rip = context.regs.rip;
    let info = match vector {
        0 => SigInfo::fault(SIGFPE, 1, rip),
        // A breakpoint of the debug registers, or a step.
        1 => SigInfo::fault(SIGTRAP, if error & 0xf != 0 { 4 } else { 2 }, rip),
        3 => SigInfo::kernel(SIGTRAP),
        4 | 5 => SigInfo::kernel(SIGSEGV),
        6 => SigInfo::fault(SIGILL, 2, rip),
        16 | 19 => SigInfo::fault(SIGFPE, 3, rip),
        17 => SigInfo::fault(SIGBUS, 1, 0),
        12 | 11 => SigInfo::kernel(SIGBUS),
        _ => SigInfo::kernel(SIGSEGV),
    };
    signal::force(thread, info);
}

/// Before user mode: end, stop, deliver a signal, restart an interrupted call.
fn prepare_return(thread: &Arc<Thread>, mut cpu: Cpu<'_>, interrupted: Option<Interrupted>) {
    if thread.is_killed() {
        coredump::leave_registers(thread, &mut cpu);
        return thread.leave(thread.process.exit_status.load(Ordering::SeqCst));
    }
    if thread.ring_work.is_due() {
        syscall::uring::run_due(thread);
    }
    if thread.process.stopped.load(Ordering::SeqCst) {
        signal::stop_here(thread, cpu.again());
    }
    if thread.tracing.watch().contains(Watch::TRAP) {
        trace::trap_stop(thread, cpu.again());
    }
    let delivery = if thread.signal_check.load(Ordering::Acquire) { signal::next_delivery(thread, cpu.again()) } else { Delivery::Nothing };
    if thread.ring_work.is_due() {
        // It came while the look was being taken.
        thread.signal_check.store(true, Ordering::Release);
    }
    // A tracer that changed the result, or the number of the call, has decided that it is not restarted.
    let interrupted = interrupted.filter(|call| cpu.context.regs.rax == call.error.to_ret() && *cpu.call == call.number);
    let context = &mut *cpu.context;
    match delivery {
        Delivery::Handler(info, action) => {
            if let Some(call) = interrupted {
                let restart = match call.error {
                    ERESTARTNOINTR => true,
                    ERESTARTSYS => action.flags & SA_RESTART != 0,
                    _ => false,
                };
                if restart {
                    rewind(context, call.number);
                } else {
                    context.regs.rax = EINTR.to_ret();
                }
            }
            rseq::before_user_mode(thread, context);
            sigframe::push(thread, context, info, action);
            if thread.tracing.watch().contains(Watch::STEP) {
                trace::handler_entered(thread, cpu.again());
            }
            // Further signals nest on top, as on Linux.
            thread.signal_check.store(true, Ordering::Release);
        }
        Delivery::Nothing => {
            if thread.is_killed() {
                return thread.leave(thread.process.exit_status.load(Ordering::SeqCst));
            }
            if let Some(call) = interrupted {
                let number = if call.error == ERESTARTBLOCK { syscall::SYS_RESTART_SYSCALL } else { call.number };
                rewind(context, number);
            }
            let mut signals = thread.signals.lock();
            if let Some(mask) = signals.saved_mask.take() {
                drop(signals);
                signal::set_blocked(thread, mask);
            }
        }
    }
}

/// Makes the context execute its `syscall` instruction (two bytes) again.
fn rewind(context: &mut UserContext, number: u64) {
    context.regs.rip = context.regs.rip.wrapping_sub(2);
    context.regs.rax = number;
}
