//! Kernel stacks and the context switch.
//!
//! The kernel has one type for its threads; it implements [`Task`], which gives the frame the thread's [`TaskContext`]. The frame keeps an `Arc` of the thread that runs on each CPU, and
//! another on the stack of each thread that was switched away from, so [`with_current`] costs a load.

mod stack;

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::any::TypeId;
use core::arch::global_asm;
use core::cell::{Cell, UnsafeCell};
use core::mem::{ManuallyDrop, offset_of};
use core::sync::atomic::{AtomicU32, Ordering};

use crate::cpu::{self, local};
use crate::sync::{IrqGuard, Once};
use stack::KernelStack;

/// Size of a kernel stack in bytes; below it lies an unmapped guard page (and more).
pub const KERNEL_STACK_SIZE: usize = 32 * 1024;

/// The kernel's thread type. Only one type may be used with the functions here (checked).
pub trait Task: Send + Sync + Sized + 'static {
    /// The thread's context: always the same one.
    fn context(&self) -> &TaskContext;
}

/// Not on a CPU, may be switched to.
const READY: u32 = 0;
/// On a CPU, or still leaving one.
const RUNNING: u32 = 1;
/// Left for good.
const DEAD: u32 = 2;

/// What a thread does, and gives when it has done it: the function that ends it. That is called when nothing else is left on the thread's stack, of which nothing is
/// dropped any more: whatever is alive when a thread ends is never freed.
pub type Entry = Box<dyn FnOnce() -> fn() -> ! + Send>;

/// What the switch itself works on; it does not move.
#[repr(C)]
pub(crate) struct Core {
    /// Stack pointer while not running.
    stack_pointer: Cell<u64>,
    /// READY, RUNNING or DEAD. Whoever changes READY to RUNNING owns the stack.
    state: AtomicU32,
    entry: UnsafeCell<Option<Entry>>,
}

/// A kernel stack and the registers saved on it.
pub struct TaskContext {
    core: Box<Core>,
    /// None for [`TaskContext::for_running`].
    _stack: Option<KernelStack>,
}

// SAFETY: the cells are touched only by the CPU that made the state RUNNING, until it sets it READY (release) again.
unsafe impl Sync for TaskContext {}
// SAFETY: likewise; the entry function is Send.
unsafe impl Send for TaskContext {}

impl TaskContext {
    /// A context that will call `entry` on a new kernel stack when first switched to, with interrupts enabled, and then what that gives, which ends with [`exit_to`]. None: out of memory.
    pub fn new(entry: Entry) -> Option<TaskContext> {
        let stack = KernelStack::new()?;
        // What `frame_switch` pops: r15, r14, r13, r12, rbx, rbp, then the return address; above it two words that end backtraces and align the stack.
        let frame = [0, 0, 0, 0, 0, 0, first_entry as *const () as u64, 0, 0];
        let stack_pointer = stack.top() - size_of_val(&frame) as u64 - 8;
        // SAFETY: the stack is mapped and nobody uses it yet. At `first_entry` the stack pointer is 8 below a multiple of 16, as after a call.
        unsafe { (stack_pointer as *mut [u64; 9]).write(frame) };
        let core = Core { stack_pointer: Cell::new(stack_pointer), state: AtomicU32::new(READY), entry: UnsafeCell::new(Some(entry)) };
        Some(TaskContext { core: Box::new(core), _stack: Some(stack) })
    }

    /// A context for the flow of control that runs already on a CPU (its idle thread), for [`adopt`].
    pub fn for_running() -> TaskContext {
        let core = Core { stack_pointer: Cell::new(0), state: AtomicU32::new(RUNNING), entry: UnsafeCell::new(None) };
        TaskContext { core: Box::new(core), _stack: None }
    }

    /// Whether some CPU is executing on it (or still leaving it).
    pub fn is_running(&self) -> bool {
        self.core.state.load(Ordering::Acquire) == RUNNING
    }
}

impl Drop for TaskContext {
    fn drop(&mut self) {
        // A running thread's `Arc` is held by its CPU, so this can only be a context that was never part of one, and idle threads' when the machine stops.
        assert!(self._stack.is_none() || !self.is_running(), "the context of a running thread is dropped");
    }
}

/// The type used with this module.
static TYPE: Once<TypeId> = Once::new();

#[inline]
fn check_type<T: Task>() {
    if TYPE.get() != Some(&TypeId::of::<T>()) {
        wrong_type();
    }
}

#[cold]
fn wrong_type() -> ! {
    panic!("no current thread yet, or two types of threads");
}

/// Makes what runs on this CPU the thread `task`, whose context is from [`TaskContext::for_running`]. Once a CPU.
///
/// # Panics
/// If this CPU has a current thread already, or the context is another kind.
pub fn adopt<T: Task>(task: Arc<T>) {
    TYPE.get_or_init(TypeId::of::<T>);
    check_type::<T>();
    let _irq = IrqGuard::new();
    let local = local::get();
    let context = task.context();
    assert!(local.current.get().is_null(), "this CPU has a current thread");
    assert!(context._stack.is_none() && context.core.stack_pointer.replace(1) == 0, "the context is not one of a running flow, or used already");
    local.context.set(&raw const *context.core);
    local.current.set(Arc::into_raw(task) as *const ());
}

unsafe extern "C" {
    /// Saves the registers on the stack and its pointer in `prev`, leaves it in `state`, waits on `switch_stack` until `next` is READY, and goes on there.
    fn frame_switch(prev: *const u8, next: *const u8, switch_stack: u64, state: u32);
}

global_asm!(
    ".section .text.switch, \"ax\", @progbits",
    ".balign 16",
    ".global frame_switch",
    "frame_switch:",
    "push rbp",
    "push rbx",
    "push r12",
    "push r13",
    "push r14",
    "push r15",
    "mov [rdi + {SP}], rsp",
    "mov rsp, rdx",
    "mov [rdi + {STATE}], ecx",
    // From here on another CPU may run on the old stack, or free it.
    "mov rbx, rsi",
    "xor eax, eax",
    "mov ecx, {RUNNING}",
    "lock cmpxchg [rbx + {STATE}], ecx",
    "je 2f",
    "mov rdi, rbx",
    "xor ebp, ebp",
    "call {claim}",
    "2:",
    "mov rsp, [rbx + {SP}]",
    "pop r15",
    "pop r14",
    "pop r13",
    "pop r12",
    "pop rbx",
    "pop rbp",
    "ret",
    SP = const offset_of!(Core, stack_pointer),
    STATE = const offset_of!(Core, state),
    RUNNING = const RUNNING,
    claim = sym claim,
);

/// Waits until another CPU has left `next`. Runs on the CPU's switch stack: this CPU belongs to no thread now, so two CPUs that exchange threads do not wait for each other.
extern "C" fn claim(next: &Core) {
    while let Err(state) = next.state.compare_exchange_weak(READY, RUNNING, Ordering::Acquire, Ordering::Relaxed) {
        assert!(state != DEAD, "a thread that has exited is switched to");
        cpu::relax();
    }
}

/// Where a new context starts, interrupts off.
extern "C" fn first_entry() -> ! {
    let local = local::get();
    // SAFETY: this context is running, here; nobody else touches its entry.
    let entry = unsafe { (*(*local.context.get()).entry.get()).take() };
    // The count that `switch_away` had on this CPU is given up, and interrupts were enabled there.
    local.irq_was_on.set(true);
    local.irq_depth.set(1);
    local::irq_pop();
    drop_dead();
    match entry {
        Some(entry) => entry()(),
        None => panic!("a thread without an entry function starts"),
    }
}

/// Drops a thread that has exited on this CPU just before.
fn drop_dead() {
    if let Some((task, drop)) = local::get().dead.take() {
        // SAFETY: put there by `exit_to`, with the function for its type; its stack was left.
        unsafe { drop(task) };
    }
}

/// # Safety
/// `task` is from `Arc::<T>::into_raw`, and this reference is given up.
unsafe fn drop_task<T>(task: *const ()) {
    // SAFETY: by the caller.
    drop(unsafe { Arc::from_raw(task as *const T) });
}

/// Leaves the current thread, whose context becomes `state`, for `next`. Interrupts are off, held by one guard of the caller.
///
/// # Safety
/// The current thread's `Arc` has been taken out of the CPU's slot and is kept until the switch is over.
unsafe fn switch_away<T: Task>(next: Arc<T>, state: u32) {
    let local = local::get();
    assert!(local.irq_depth.get() == 1, "a spin lock or interrupt guard is held across a context switch");
    assert!(local.in_irq.get() == 0, "a context switch in an interrupt handler");
    crate::user::fpu::save_live();
    let prev = local.context.get();
    let next_core: *const Core = &raw const *next.context().core;
    local.context.set(next_core);
    local.current.set(Arc::into_raw(next) as *const ());
    let was_on = local.irq_was_on.get();
    // SAFETY: `prev` is this CPU's running context; `next` stays alive in the CPU's slot; the switch stack is used by nobody else while interrupts are off.
    unsafe { frame_switch(prev.cast(), next_core.cast(), local.switch_stack.get(), state) };
    // Perhaps on another CPU.
    let local = local::get();
    local.irq_depth.set(1);
    local.irq_was_on.set(was_on);
}

/// Switches to `next`; returns when somebody switches back. If another CPU is still about to leave `next`, waits for that (this thread may be taken over by
/// other CPUs meanwhile). Switching to the current thread does nothing. Does not touch page tables: call [`crate::paging::PageTable::activate`] before.
///
/// # Panics
/// With a spin lock or an [`IrqGuard`] held, in an interrupt handler, or if `next` has exited.
pub fn switch_to<T: Task>(next: Arc<T>) {
    check_type::<T>();
    let irq = IrqGuard::new();
    let local = local::get();
    if core::ptr::eq(local.context.get(), &raw const *next.context().core) {
        return;
    }
    // This thread's reference stays here, on its stack, while it is not running.
    // SAFETY: the slot held this reference, and gets another one.
    let this = unsafe { Arc::from_raw(local.current.get() as *const T) };
    // SAFETY: `this` lives until after the switch.
    unsafe { switch_away(next, READY) };
    drop(irq);
    drop(this);
    drop_dead();
}

/// Leaves the current thread for good. Its `Arc` is dropped on the next thread's stack; its kernel stack is freed with its context. Everything else on the stack is leaked.
///
/// # Panics
/// As [`switch_to`]; or if `next` is the current thread, or the current one is an adopted one.
pub fn exit_to<T: Task>(next: Arc<T>) -> ! {
    check_type::<T>();
    let _irq = IrqGuard::new();
    let local = local::get();
    assert!(!core::ptr::eq(local.context.get(), &raw const *next.context().core), "a thread exits to itself");
    // SAFETY: the reference stays with the slot; this is only a look.
    let this = ManuallyDrop::new(unsafe { Arc::from_raw(local.current.get() as *const T) });
    assert!(this.context()._stack.is_some(), "an idle thread exits");
    local.dead.set(Some((local.current.get(), drop_task::<T>)));
    // SAFETY: `dead` keeps the reference until the next thread drops it.
    unsafe { switch_away(next, DEAD) };
    unreachable!("a thread that has exited runs");
}

/// The current thread; None before [`adopt`].
pub fn try_current<T: Task>() -> Option<Arc<T>> {
    let _irq = IrqGuard::new();
    (TYPE.get() == Some(&TypeId::of::<T>()) && !local::get().current.get().is_null()).then(current::<T>)
}

/// The current thread.
///
/// # Panics
/// Before [`adopt`]; so does [`with_current`].
#[inline]
pub fn current<T: Task>() -> Arc<T> {
    with_current(Arc::clone)
}

/// Calls `f` with the current thread, without counting references. `f` may sleep.
#[inline]
pub fn with_current<T: Task, R>(f: impl FnOnce(&Arc<T>) -> R) -> R {
    check_type::<T>();
    let raw = local::get().current.get();
    if raw.is_null() {
        wrong_type();
    }
    // SAFETY: the slot's type was checked. The thread that runs here has a reference in the slot or, while it is switched away from in `f`, on its stack: it stays
    // alive until this returns. Only one load reads the slot, and it is this thread's on whichever CPU.
    let task = ManuallyDrop::new(unsafe { Arc::from_raw(raw as *const T) });
    f(&task)
}
