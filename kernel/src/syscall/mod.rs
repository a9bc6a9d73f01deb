//! System calls: the x86-64 Linux ABI (`syscall(2)`), and Redox's numbers beside it.
//!
//! `table.rs` lists every call; the functions parse and validate their arguments here and work in the layers below.

pub mod admin;
pub mod aio;
pub mod attr;
pub mod capability;
pub mod creds;
pub mod event;
pub mod fanotify;
pub mod fcntl;
pub mod handle;
pub mod inet;
pub mod inotify;
pub mod keys;
pub mod landlock;
pub mod misc;
pub mod mm;
pub mod mount;
pub mod mqueue;
pub mod namespaces;
pub mod netlink;
mod packet;
pub mod open;
pub mod path;
pub mod policy;
pub mod process;
pub mod ptrace;
pub mod redox;
pub mod remote;
pub mod rw;
pub mod sched;
pub mod seccomp;
pub mod signal;
pub mod splice;
pub mod stat;
pub mod socket;
pub mod sysv;
mod table;
pub mod time;
pub mod uring;
pub mod xattr;

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU64, Ordering};

use frame::user::UserContext;

use crate::error::*;
use crate::fs::OpenFile;
use crate::task::seccomp::{self as seccomp_rules, Verdict};
use crate::task::trace::{self, Entry};
use crate::task::{Process, Thread};

/// What the sets of `call-flags` accept, the types that carry it further must have.
const _: () = {
    use crate::fs::{MountFlags, OpenFlags, RenameFlags};
    use crate::task::lifecycle::{CloneFlags, WaitOptions};
    use call_flags::{files, names, processes};
    /// The flags of `mount(2)` that say what it does, or have no effect.
    const MOUNT_ACTIONS: u64 = 0x10 | 0x20 | 0x40 | 0x80 | 0x1000 | 0x2000 | 0x4000 | 0x8000 | 0x1_0000 | 0x2_0000 | 0x4_0000 | 0x8_0000 | 0x10_0000 | 0x80_0000 | 0x100_0000 | 0x200_0000;
    assert!(OpenFlags::all().bits() as u64 == files::OPEN.accepted());
    assert!(OpenFlags::SETTABLE.bits() as u64 == files::FCNTL_SETFL.accepted());
    assert!(RenameFlags::all().bits() as u64 == names::RENAMEAT2.accepted());
    assert!(MountFlags::all().bits() as u64 | MOUNT_ACTIONS == names::MOUNT.accepted());
    assert!(processes::CLONE.accepted() | processes::CLONE3.accepted() == CloneFlags::all().bits());
    assert!(WaitOptions::all().bits() as u64 == processes::WAITID.accepted());
    assert!(crate::task::trace::Options::all().bits() == processes::PTRACE_OPTIONS.accepted());
};

/// Number of `restart_syscall(2)`.
pub const SYS_RESTART_SYSCALL: u64 = 219;

/// The caller of a system call.
pub struct Cx<'a> {
    /// The calling thread.
    pub thread: &'a Arc<Thread>,
    /// Its process.
    pub process: &'a Arc<Process>,
    /// The file that the descriptor [`GIVEN`] means, where one was looked up before the call.
    pub given: Option<&'a Arc<OpenFile>>,
}

/// No descriptor, but the file that is in [`Cx::given`].
const GIVEN: i32 = i32::MIN;

impl Cx<'_> {
    /// The open file description behind a descriptor.
    ///
    /// # Errors
    /// `EBADF`.
    fn file(&self, fd: i32) -> Result<Arc<OpenFile>> {
        match self.given {
            Some(file) if fd == GIVEN => Ok(file.clone()),
            _ => self.process.files().get(fd),
        }
    }

    /// As [`Cx::file`], but not for `O_PATH` descriptors.
    ///
    /// # Errors
    /// `EBADF`.
    fn real_file(&self, fd: i32) -> Result<Arc<OpenFile>> {
        match self.given {
            Some(file) if fd == GIVEN => Ok(file.clone()),
            _ => self.process.files().get_real(fd),
        }
    }
}

/// How a system call ends.
pub enum Outcome {
    /// A value for `rax`.
    Value(u64),
    /// An error, perhaps to be restarted.
    Error(Errno),
    /// The registers have been set (exec, sigreturn).
    Registers,
}

impl From<Result<usize>> for Outcome {
    fn from(result: Result<usize>) -> Self {
        match result {
            Ok(value) => Outcome::Value(value as u64),
            Err(error) => Outcome::Error(error),
        }
    }
}

/// An argument register as the type a call declares.
pub trait Arg {
    /// Truncates as C's calling convention does.
    fn from_reg(value: u64) -> Self;
}

macro_rules! arg {
    ($($t:ty),*) => { $(impl Arg for $t { fn from_reg(value: u64) -> Self { value as $t } })* };
}
arg!(i32, u32, usize, u64, i64);

/// Runs the system call `number` for a thread. A tracer whom a filter asks may change it.
pub fn dispatch(thread: &Arc<Thread>, context: &mut UserContext, number: &mut u64) -> Outcome {
    let cx = Cx { thread, process: &thread.process, given: None };
    let mut asked = false;
    while thread.seccomp.mode() != seccomp_rules::MODE_DISABLED {
        match seccomp_rules::judge(thread, *number, &context.regs) {
            Verdict::Allow => break,
            Verdict::Return(value) => return Outcome::Value(value),
            Verdict::Trapped | Verdict::Ended => return Outcome::Registers,
            // What the tracer has made of the call is judged once more.
            Verdict::Trace(_) if asked => break,
            Verdict::Trace(value) => {
                asked = true;
                let result = core::mem::replace(&mut context.regs.rax, ENOSYS.to_ret());
                match trace::seccomp_stop(thread, trace::Cpu { context, call: number }, value) {
                    None => return Outcome::Error(ENOSYS),
                    Some(Entry::Skip) => return Outcome::Registers,
                    Some(Entry::Make) => context.regs.rax = result,
                }
            }
        }
    }
    let number = *number;
    if number >= redox::FIRST {
        if let Some(result) = redox::call(&cx, number, &context.regs) {
            return result.into();
        }
    }
    table::call(&cx, context, number)
}

/// Calls that do not exist are logged once each.
fn unknown(thread: &Thread, number: u64) -> Outcome {
    static SEEN: [AtomicU64; 16] = [const { AtomicU64::new(0) }; 16];
    let word = &SEEN[(number as usize / 64) % SEEN.len()];
    let bit = 1 << (number % 64);
    if word.fetch_or(bit, Ordering::Relaxed) & bit == 0 {
        crate::log::info!("system call {number} ({number:#x}) is not there (first called by {})", thread.comm());
    }
    Outcome::Error(ENOSYS)
}
