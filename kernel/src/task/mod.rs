//! Threads, processes, the scheduler, signals.

pub mod accounting;
pub mod coredump;
mod creds;
pub mod exec;
pub mod keys;
mod elf;
pub mod lifecycle;
pub mod namespaces;
pub mod ns_count;
pub mod pid_ns;
pub mod process;
pub mod rseq;
pub mod sched;
pub mod seccomp;
pub mod sigframe;
pub mod signal;
mod thread;
pub mod trace;
pub mod user_loop;
pub mod user_ns;
pub mod uts;

use alloc::boxed::Box;
use alloc::sync::Arc;

pub use creds::{Capability, Credentials, capable};
pub use process::Process;
pub use thread::{Thread, comm_from};

use crate::fs::{FileTable, FsContext};
use crate::sync::Once;

impl frame::task::Task for Thread {
    fn context(&self) -> &frame::task::TaskContext {
        &self.context
    }
}

/// The thread that is executing.
pub fn current() -> Arc<Thread> {
    frame::task::current()
}

/// Calls `f` with the executing thread, without touching its reference count.
pub fn with_current<R>(f: impl FnOnce(&Arc<Thread>) -> R) -> R {
    frame::task::with_current(f)
}

static KERNEL: Once<Arc<Process>> = Once::new();

/// The process that kernel threads belong to.
pub fn kernel_process() -> &'static Arc<Process> {
    KERNEL.get_or_init(|| Process::first(0, FileTable::new(), FsContext::detached(), None))
}

/// Makes what runs on this CPU its idle thread.
pub fn adopt_idle() {
    let thread = Thread::for_running(kernel_process().clone(), comm_from(b"idle"));
    frame::task::adopt(thread.clone());
    sched::adopt_idle(thread);
}

/// Starts a kernel thread.
///
/// # Panics
/// Only at boot, where memory for its stack is missing.
pub fn spawn_kernel(name: &str, body: impl FnOnce() + Send + 'static) -> Arc<Thread> {
    let entry = Box::new(move || {
        body();
        sched::exit_current as fn() -> !
    });
    let tid = process::allocate_id();
    let Some(thread) = Thread::new(tid, kernel_process().clone(), comm_from(name.as_bytes()), entry) else {
        panic!("no memory for the kernel thread {name}")
    };
    sched::wake(&thread);
    thread
}

/// Switches from the current thread, which is `dead` or will run again, to `next`. Called by the scheduler with interrupts off.
fn switch(next: Arc<Thread>, dead: bool) {
    if let Ok(mm) = next.process.mm() {
        mm.activate();
    }
    if dead {
        frame::task::exit_to(next);
    }
    frame::task::switch_to(next);
}
