//! Secure computing (`seccomp(2)`): which system calls a thread may make, as programs in classic BPF decide.
//!
//! A thread's filters form a list that only grows; all run on each call, the newest first, and the most severe answer counts. There are no
//! listeners (`SECCOMP_FILTER_FLAG_NEW_LISTENER` is refused as an unknown flag), so that a call which asks for one fails with `ENOSYS`, as on
//! Linux where nobody listens.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, Ordering};

use bpf::{Instruction, Packet, Program};
use frame::user::UserRegs;

use super::signal::{self, SIGKILL, SIGSYS, SigInfo};
use super::{Process, Thread, lifecycle};
use crate::error::*;
use crate::sync::SpinLock;

/// `SECCOMP_MODE_*`.
pub const MODE_DISABLED: u32 = 0;
#[allow(missing_docs)]
pub const MODE_STRICT: u32 = 1;
#[allow(missing_docs)]
pub const MODE_FILTER: u32 = 2;

/// `SECCOMP_RET_*`: the upper half of a filter's answer; compared as signed numbers the least is the most severe.
pub const RET_KILL_PROCESS: u32 = 0x8000_0000;
#[allow(missing_docs)]
pub const RET_KILL_THREAD: u32 = 0;
#[allow(missing_docs)]
pub const RET_TRAP: u32 = 0x0003_0000;
#[allow(missing_docs)]
pub const RET_ERRNO: u32 = 0x0005_0000;
#[allow(missing_docs)]
pub const RET_USER_NOTIF: u32 = 0x7fc0_0000;
#[allow(missing_docs)]
pub const RET_TRACE: u32 = 0x7ff0_0000;
#[allow(missing_docs)]
pub const RET_LOG: u32 = 0x7ffc_0000;
#[allow(missing_docs)]
pub const RET_ALLOW: u32 = 0x7fff_0000;
const RET_ACTION: u32 = 0xffff_0000;
const RET_DATA: u32 = 0xffff;

/// `AUDIT_ARCH_X86_64`.
pub const ARCH: u32 = 0xc000_003e;
/// `si_code` of SIGSYS.
const SYS_SECCOMP: i32 = 1;
/// Bytes of `struct seccomp_data`.
const DATA_SIZE: u32 = 64;
/// Most instructions that a thread's filters have together, each filter counted with four more.
const MAX_INSTRUCTIONS: usize = 32_768;
/// Largest error number a filter can give.
const MAX_ERRNO: u32 = 4095;

/// One filter.
pub struct Filter {
    program: Program,
    /// `SECCOMP_FILTER_FLAG_LOG`: what is not allowed is logged.
    log: bool,
}

/// The state of one thread.
pub struct Seccomp {
    mode: AtomicU32,
    filters: SpinLock<Arc<Vec<Arc<Filter>>>>,
}

/// Held where filters are added and passed on, so that no new thread escapes `SECCOMP_FILTER_FLAG_TSYNC`.
static CHANGE: SpinLock<()> = SpinLock::new(());

impl Default for Seccomp {
    fn default() -> Self {
        Self { mode: AtomicU32::new(MODE_DISABLED), filters: SpinLock::new(Arc::new(Vec::new())) }
    }
}

impl Seccomp {
    /// `MODE_*`.
    pub fn mode(&self) -> u32 {
        self.mode.load(Ordering::Acquire)
    }

    /// How many filters there are.
    pub fn filter_count(&self) -> usize {
        self.list().len()
    }

    fn list(&self) -> Arc<Vec<Arc<Filter>>> {
        self.filters.lock().clone()
    }

    fn set_list(&self, list: &Arc<Vec<Arc<Filter>>>) {
        let old = core::mem::replace(&mut *self.filters.lock(), list.clone());
        self.mode.store(MODE_FILTER, Ordering::Release);
        drop(old);
    }

    /// Only read, write, exit and rt_sigreturn from now on.
    ///
    /// # Errors
    /// `EINVAL` where filters are in use.
    pub fn set_strict(&self) -> Result {
        match self.mode() {
            MODE_FILTER => Err(EINVAL),
            _ => {
                self.mode.store(MODE_STRICT, Ordering::Release);
                Ok(())
            }
        }
    }
}

/// What a filter sees: `struct seccomp_data`.
struct CallData {
    words: [u32; 16],
}

impl CallData {
    fn new(number: u64, regs: &UserRegs) -> Self {
        let mut words = [0; 16];
        words[0] = number as u32;
        words[1] = ARCH;
        let wide = [regs.rip, regs.rdi, regs.rsi, regs.rdx, regs.r10, regs.r8, regs.r9];
        for (pair, value) in words[2..].chunks_exact_mut(2).zip(wide) {
            pair[0] = value as u32;
            pair[1] = (value >> 32) as u32;
        }
        Self { words }
    }
}

impl Packet for CallData {
    fn len(&self) -> u32 {
        DATA_SIZE
    }

    fn load(&self, offset: u32, size: u32) -> Option<u32> {
        // Unlike in packets the words are in the machine's order; `check` has allowed whole words only.
        if size == 4 && offset % 4 == 0 { self.words.get(offset as usize / 4).copied() } else { None }
    }
}

/// Checks a filter's program: what `bpf` checks, and that it looks only at whole words of the call's data.
///
/// # Errors
/// `EINVAL`.
pub fn check(instructions: Vec<Instruction>) -> Result<Program> {
    for Instruction { code, k, .. } in &instructions {
        let known = match code {
            // Loads of a word of the data; it has to be in there, and aligned.
            0x20 => *k < DATA_SIZE && k % 4 == 0,
            // Immediate, scratch memory and length into A or X, and stores.
            0x00 | 0x01 | 0x60 | 0x61 | 0x80 | 0x81 | 0x02 | 0x03 => true,
            // Arithmetic but remainders, with a constant or X; negation.
            0x04 | 0x0c | 0x14 | 0x1c | 0x24 | 0x2c | 0x34 | 0x3c | 0x44 | 0x4c | 0x54 | 0x5c | 0x64 | 0x6c | 0x74 | 0x7c | 0xa4 | 0xac | 0x84 => true,
            // Jumps, returns, and copies between A and X.
            0x05 | 0x15 | 0x1d | 0x25 | 0x2d | 0x35 | 0x3d | 0x45 | 0x4d | 0x06 | 0x16 | 0x07 | 0x87 => true,
            _ => false,
        };
        if !known {
            return Err(EINVAL);
        }
    }
    Program::new(instructions).map_err(|bpf::Invalid| EINVAL)
}

/// What `SECCOMP_FILTER_FLAG_TSYNC` found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attached {
    /// The filter is in force.
    Yes,
    /// This thread has filters that the caller has not: nothing was changed.
    Refused {
        /// Its id.
        tid: u32,
    },
}

/// Adds a filter to the thread, with `all_threads` to its whole process.
///
/// # Errors
/// `EINVAL` in strict mode, `ENOMEM` where the filters together are too long.
pub fn attach(thread: &Arc<Thread>, program: Program, log: bool, all_threads: bool) -> Result<Attached> {
    let own = &thread.seccomp;
    if own.mode() == MODE_STRICT {
        return Err(EINVAL);
    }
    // Taken, and dropped, without the lock: the last reference of a thread that has ended frees its stack. Threads that are being made copy the
    // list of their maker under the lock; where the process's list has changed since this look, another is taken.
    loop {
        let others = if all_threads { thread.process.threads() } else { Vec::new() };
        let change = CHANGE.lock();
        if all_threads && !thread.process.has_just(&others) {
            drop(change);
            continue;
        }
        let before = own.list();
        let length = |filter: &Arc<Filter>| filter.program.instructions().len() + 4;
        if before.iter().map(length).sum::<usize>() + program.instructions().len() > MAX_INSTRUCTIONS {
            return Err(ENOMEM);
        }
        for other in others.iter().filter(|other| !Arc::ptr_eq(other, thread)) {
            let list = other.seccomp.list();
            let is_ancestor = list.len() <= before.len() && list.iter().zip(before.iter()).all(|(a, b)| Arc::ptr_eq(a, b));
            if other.seccomp.mode() == MODE_STRICT || !is_ancestor {
                return Ok(Attached::Refused { tid: other.own_tid() });
            }
        }
        let mut list = (*before).clone();
        list.push(Arc::new(Filter { program, log }));
        let list = Arc::new(list);
        own.set_list(&list);
        for other in &others {
            other.seccomp.set_list(&list);
        }
        return Ok(Attached::Yes);
    }
}

/// Gives a new thread, which is in its process's list but has not run, what its maker has.
pub fn inherit(from: &Thread, to: &Thread) {
    if from.seccomp.mode() == MODE_DISABLED {
        return;
    }
    let _change = CHANGE.lock();
    let mode = from.seccomp.mode();
    if mode == MODE_FILTER {
        to.seccomp.set_list(&from.seccomp.list());
    } else {
        to.seccomp.mode.store(mode, Ordering::Release);
    }
}

/// What becomes of a system call.
pub enum Verdict {
    /// It is made.
    Allow,
    /// It is not made; this is in `rax` instead.
    Return(u64),
    /// The tracer is asked, and told this value.
    Trace(u32),
    /// It is not made, and a signal is pending; the registers stay.
    Trapped,
    /// It is not made: the thread ends.
    Ended,
}

/// Decides about a system call of a thread that is not in [`MODE_DISABLED`].
pub fn judge(thread: &Arc<Thread>, number: u64, regs: &UserRegs) -> Verdict {
    if thread.seccomp.mode() == MODE_STRICT {
        // read, write, rt_sigreturn, exit
        if matches!(number, 0 | 1 | 15 | 60) {
            return Verdict::Allow;
        }
        thread.leave(SIGKILL as i32);
        return Verdict::Ended;
    }
    let data = CallData::new(number, regs);
    let filters = thread.seccomp.list();
    let mut answer = RET_ALLOW;
    let mut log = false;
    for filter in filters.iter().rev() {
        let new = filter.program.run(&data);
        if ((new & RET_ACTION) as i32) < (answer & RET_ACTION) as i32 {
            answer = new;
            log = filter.log;
        }
    }
    drop(filters);
    let (action, value) = (answer & RET_ACTION, answer & RET_DATA);
    if action == RET_LOG || (log && action != RET_ALLOW) {
        crate::log::info!("seccomp: {} ({}): system call {number}: {action:#x}", thread.comm(), thread.tid());
    }
    match action {
        RET_ALLOW | RET_LOG => Verdict::Allow,
        RET_ERRNO => Verdict::Return((-i64::from(value.min(MAX_ERRNO))) as u64),
        RET_TRACE => Verdict::Trace(value),
        // Nobody listens.
        RET_USER_NOTIF => Verdict::Return(ENOSYS.to_ret()),
        RET_TRAP => {
            signal::force(thread, trap_info(number, regs, value));
            Verdict::Trapped
        }
        RET_KILL_THREAD if thread.process.threads().len() > 1 => end(thread),
        _ => {
            // The most severe, and what is unknown.
            lifecycle::kill_threads(&thread.process, SIGSYS as i32);
            end(thread)
        }
    }
}

fn end(thread: &Thread) -> Verdict {
    thread.leave(SIGSYS as i32);
    Verdict::Ended
}

fn trap_info(number: u64, regs: &UserRegs, value: u32) -> SigInfo {
    SigInfo { signal: SIGSYS, code: SYS_SECCOMP, value: regs.rip, status: value as i32, timer_id: number as i32, ..SigInfo::default() }
}

/// The state of a process's first thread, for `/proc`: mode and number of filters.
pub fn shown(process: &Process, thread: Option<&Thread>) -> (u32, usize) {
    let main = process.main_thread();
    thread.or(main.as_deref()).map_or((MODE_DISABLED, 0), |t| (t.seccomp.mode(), t.seccomp.filter_count()))
}
