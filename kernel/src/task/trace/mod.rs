//! Tracing of threads (`ptrace(2)`): who traces whom, and the stops in which a tracer looks at a thread.
//!
//! - **State** of a traced thread: its tracer, the options, and while it is in a stop the registers, copied out so that the tracer can
//!   read and change them; the thread takes them back when it goes on.
//! - **Stops** (`stop.rs`): a thread stops itself, in `user_loop` where its registers are at hand, or within a call (clone, exit), and sleeps
//!   until [`resume`].
//! - **Waiting** (`wait.rs`): what `wait4(2)` finds of traced threads.
//!
//! Unlike on Linux the tracer is a process: any thread of it may make requests.

mod attach;
mod calls;
mod stop;
mod wait;

use alloc::boxed::Box;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, Ordering};

use bitflags::bitflags;
use frame::user::{DebugRegisters, UserRegs};

pub use attach::{Attach, attach, detach, exec_done, follow, process_exit, thread_exit, thread_gone, trace_me, tracer_exit, vfork_done};
pub use calls::{Entry, call_done, call_entry, seccomp_stop};
pub use stop::{Cpu, continued, group_stop, handler_entered, in_call, interrupt, listen, resume, signal_stop, trap_stop};
pub use wait::{Tracees, look};

use super::process::Process;
use super::signal::{SIGTRAP, SigInfo};
use super::thread::Thread;
use crate::sync::SpinLock;

/// `PTRACE_EVENT_*`.
pub const EVENT_FORK: u32 = 1;
#[allow(missing_docs)]
pub const EVENT_VFORK: u32 = 2;
#[allow(missing_docs)]
pub const EVENT_CLONE: u32 = 3;
#[allow(missing_docs)]
pub const EVENT_EXEC: u32 = 4;
#[allow(missing_docs)]
pub const EVENT_VFORK_DONE: u32 = 5;
#[allow(missing_docs)]
pub const EVENT_EXIT: u32 = 6;
#[allow(missing_docs)]
pub const EVENT_SECCOMP: u32 = 7;
#[allow(missing_docs)]
pub const EVENT_STOP: u32 = 128;

bitflags! {
    /// `PTRACE_O_*`.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Options: u64 {
        #[allow(missing_docs)] const SYSGOOD = 1;
        #[allow(missing_docs)] const FORK = 1 << EVENT_FORK;
        #[allow(missing_docs)] const VFORK = 1 << EVENT_VFORK;
        #[allow(missing_docs)] const CLONE = 1 << EVENT_CLONE;
        #[allow(missing_docs)] const EXEC = 1 << EVENT_EXEC;
        #[allow(missing_docs)] const VFORK_DONE = 1 << EVENT_VFORK_DONE;
        #[allow(missing_docs)] const EXIT = 1 << EVENT_EXIT;
        #[allow(missing_docs)] const SECCOMP = 1 << EVENT_SECCOMP;
        #[allow(missing_docs)] const EXITKILL = 1 << 20;
    }
}

bitflags! {
    /// What a traced thread looks at on its way, without a lock.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Watch: u32 {
        /// It is traced.
        const TRACED = 1;
        /// Stops at system calls.
        const CALLS = 2;
        /// System calls are shown and not made (`PTRACE_SYSEMU`).
        const EMULATED = 4;
        /// Runs one instruction.
        const STEP = 8;
        /// A trap is wanted (`PTRACE_INTERRUPT`, the start of a thread that is followed).
        const TRAP = 16;
        /// A call that has just ended has replaced the program: to be told.
        const EXECED = 32;
        /// SIGKILL ended it: no stop holds it any more.
        const KILLED = 64;
    }
}

/// How a traced thread goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resume {
    /// Freely.
    Continue,
    /// To the next system call.
    Calls,
    /// To the next system call, which is not made.
    Emulate,
    /// For an instruction.
    Step,
    /// For an instruction, system calls not made.
    EmulateStep,
}

/// The registers of a stopped thread, and the number of the call it is in (`orig_rax`; all ones for none).
#[derive(Clone, Copy, Debug, Default)]
pub struct Registers {
    #[allow(missing_docs)]
    pub user: UserRegs,
    #[allow(missing_docs)]
    pub call: u64,
    #[allow(missing_docs)]
    pub debug: DebugRegisters,
}

/// Where in a system call a stop is (`PTRACE_GET_SYSCALL_INFO`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallPhase {
    /// In none.
    None,
    #[allow(missing_docs)]
    Entry,
    #[allow(missing_docs)]
    Exit,
    /// At the wish of a filter, which gave this value.
    Seccomp(u32),
}

/// A stop.
#[derive(Clone, Copy, Debug)]
pub struct Stop {
    /// Signal and event as in a wait status: `signal | event << 8`, `signal` with 0x80 for a call under `PTRACE_O_TRACESYSGOOD`.
    pub code: u32,
    /// `siginfo_t` of the stop; a group stop of a thread that was not seized has none.
    pub info: Option<SigInfo>,
    /// The signal to deliver where no tracer decides about it, 0 for none.
    pub undelivered: u32,
    /// Where in a call.
    pub phase: CallPhase,
    /// `PTRACE_LISTEN` is possible: a stop by job control or by a trap.
    pub can_listen: bool,
    /// `wait4` has told of it.
    pub reported: bool,
}

impl Stop {
    /// A stop that is no signal's: its information says so.
    fn trap(thread: &Thread, code: u32) -> Self {
        let info = SigInfo { signal: SIGTRAP, code: code as i32, pid: thread.tid(), uid: thread.process.creds().uid, ..SigInfo::default() };
        Self::new(code, Some(info))
    }

    /// A stop of this code, which `wait4` has yet to tell of.
    fn new(code: u32, info: Option<SigInfo>) -> Self {
        Self { code, info, undelivered: 0, phase: CallPhase::None, can_listen: false, reported: false }
    }
}

/// What a traced thread and its tracer share.
struct State {
    tracer: Weak<Process>,
    seized: bool,
    options: Options,
    /// Present while stopped.
    stop: Option<Stop>,
    listening: bool,
    /// SIGCONT has come in this stop: who begins to listen is told at once.
    continued: bool,
    /// Given up by the tracer while stopped: the thread takes its registers and forgets this.
    detached: bool,
    /// The stop of the process that this thread has taken part in: it goes on afterwards though the process is stopped.
    group_stop_seen: bool,
    /// `PTRACE_GETEVENTMSG`.
    message: u64,
    resume_signal: u32,
    /// Information of the stop that has just ended.
    last_info: Option<SigInfo>,
    registers: Registers,
    registers_changed: bool,
    /// As in a signal frame.
    fpu: Vec<u8>,
    fpu_changed: bool,
}

impl State {
    /// Whether it is this process that traces.
    fn is_of(&self, tracer: &Process) -> bool {
        !self.detached && self.tracer.upgrade().is_some_and(|t| t.pid == tracer.pid)
    }

    /// Whether it is in a stop that this process may work with.
    fn is_stopped_for(&self, tracer: &Process) -> bool {
        self.stop.is_some() && !self.listening && self.is_of(tracer)
    }
}

/// The tracing of one thread.
#[derive(Default)]
pub struct Tracing {
    watch: AtomicU32,
    state: SpinLock<Option<Box<State>>>,
}

impl Tracing {
    /// What to look at.
    pub fn watch(&self) -> Watch {
        Watch::from_bits_retain(self.watch.load(Ordering::Acquire))
    }

    /// SIGKILL ends it: it leaves whatever stop it is in.
    pub fn killed(&self) {
        self.set(Watch::KILLED);
    }

    /// Whether somebody traces the thread.
    pub fn is_traced(&self) -> bool {
        self.watch().contains(Watch::TRACED)
    }

    fn set(&self, flags: Watch) {
        self.watch.fetch_or(flags.bits(), Ordering::AcqRel);
    }

    fn clear(&self, flags: Watch) {
        self.watch.fetch_and(!flags.bits(), Ordering::AcqRel);
    }

    /// The tracer.
    pub fn tracer(&self) -> Option<Arc<Process>> {
        self.state.lock().as_ref().filter(|state| !state.detached).and_then(|state| state.tracer.upgrade())
    }

    /// Whether this process is the tracer.
    pub fn is_traced_by(&self, tracer: &Process) -> bool {
        self.state.lock().as_ref().is_some_and(|state| state.is_of(tracer))
    }

    /// Whether it is in a stop.
    pub fn is_stopped(&self) -> bool {
        self.state.lock().as_ref().is_some_and(|state| state.stop.is_some())
    }

    /// Works on the thread while it is in a stop of this tracer. None: it is not.
    pub fn with_stopped<R>(&self, tracer: &Process, work: impl FnOnce(&mut Stopped<'_>) -> R) -> Option<R> {
        let mut slot = self.state.lock();
        let state = slot.as_mut().filter(|state| state.is_stopped_for(tracer))?;
        Some(work(&mut Stopped { state }))
    }
}

/// A traced thread in a stop, as its tracer sees it.
pub struct Stopped<'a> {
    state: &'a mut State,
}

impl Stopped<'_> {
    /// The registers.
    pub fn registers(&self) -> Registers {
        self.state.registers
    }

    /// Changes the registers.
    pub fn set_registers(&mut self, registers: Registers) {
        self.state.registers = registers;
        self.state.registers_changed = true;
    }

    /// The floating-point state as in a signal frame.
    pub fn fpu(&self) -> &[u8] {
        &self.state.fpu
    }

    /// Changes the floating-point state: bytes of the same layout, of which there may be fewer.
    pub fn set_fpu(&mut self, bytes: &[u8]) {
        let len = bytes.len().min(self.state.fpu.len());
        self.state.fpu[..len].copy_from_slice(&bytes[..len]);
        self.state.fpu_changed = true;
    }

    /// The stop's signal information.
    pub fn info(&self) -> Option<SigInfo> {
        self.state.stop.and_then(|stop| stop.info)
    }

    /// Changes the stop's signal information, where it has one.
    pub fn set_info(&mut self, info: SigInfo) -> bool {
        match self.state.stop.as_mut() {
            Some(stop) if stop.info.is_some() => {
                stop.info = Some(info);
                true
            }
            _ => false,
        }
    }

    /// `PTRACE_GETEVENTMSG`.
    pub fn message(&self) -> u64 {
        self.state.message
    }

    /// Where in a call.
    pub fn phase(&self) -> CallPhase {
        self.state.stop.map_or(CallPhase::None, |stop| stop.phase)
    }

    /// `PTRACE_SETOPTIONS`.
    pub fn set_options(&mut self, options: Options) {
        self.state.options = options;
    }
}
