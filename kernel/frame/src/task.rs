//! Kernel stacks and the context switch.
//!
//! The kernel has one type for its threads; it implements [`Task`], which gives the frame the thread's [`TaskContext`]. The frame keeps an `Arc` of the thread that runs on each CPU, and
//! another on the stack of each thread that was switched away from, so [`with_current`] costs a load.

use alloc::boxed::Box;
use alloc::sync::Arc;

/// Size of a kernel stack in bytes; below it lies an unmapped guard page.
pub const KERNEL_STACK_SIZE: usize = 32 * 1024;

/// The kernel's thread type. Only one type may be used with the functions here (checked).
pub trait Task: Send + Sync + Sized + 'static {
    /// The thread's context: always the same one.
    fn context(&self) -> &TaskContext;
}

/// A kernel stack and the registers saved on it.
pub struct TaskContext {
    _p: (),
}

impl TaskContext {
    /// A context that will call `entry` on a new kernel stack when first switched to, with interrupts enabled. `entry` must not return: it ends with [`exit_to`]. None: out of memory.
    pub fn new(entry: Box<dyn FnOnce() + Send>) -> Option<TaskContext> {
        let _ = entry;
        todo!()
    }

    /// A context for the flow of control that runs already on a CPU (its idle thread), for [`adopt`].
    pub fn for_running() -> TaskContext {
        todo!()
    }

    /// Whether some CPU is executing on it (or still leaving it).
    pub fn is_running(&self) -> bool {
        todo!()
    }
}

/// Makes what runs on this CPU the thread `task`, whose context is from [`TaskContext::for_running`]. Once a CPU.
///
/// # Panics
/// If this CPU has a current thread already, or the context is another kind.
pub fn adopt<T: Task>(task: Arc<T>) {
    let _ = task;
    todo!()
}

/// Switches to `next`; returns when somebody switches back. If another CPU is still about to leave `next`, waits for that (this thread may be taken over by
/// other CPUs meanwhile). Switching to the current thread does nothing. Does not touch page tables: call [`crate::paging::PageTable::activate`] before.
///
/// # Panics
/// With a spin lock held (an [`crate::sync::IrqGuard`] alone counts as one, except a single one directly around this call), or if `next` has exited.
pub fn switch_to<T: Task>(next: Arc<T>) {
    let _ = next;
    todo!()
}

/// Leaves the current thread for good. Its `Arc` is dropped on the next thread's stack; its kernel stack is freed with its context.
pub fn exit_to<T: Task>(next: Arc<T>) -> ! {
    let _ = next;
    todo!()
}

/// The current thread; None before [`adopt`].
pub fn try_current<T: Task>() -> Option<Arc<T>> {
    todo!()
}

/// The current thread.
///
/// # Panics
/// Before [`adopt`]; so does [`with_current`].
pub fn current<T: Task>() -> Arc<T> {
    todo!()
}

/// Calls `f` with the current thread, without counting references. `f` may sleep.
pub fn with_current<T: Task, R>(f: impl FnOnce(&Arc<T>) -> R) -> R {
    let _ = f;
    todo!()
}
