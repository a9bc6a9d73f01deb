//! The frame's data of each CPU, found through the GS base.

use alloc::sync::Arc;
use core::arch::asm;
use core::cell::{Cell, UnsafeCell};
use core::mem::offset_of;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst, compiler_fence};

use super::MAX_CPUS;
use crate::arch;
use crate::mm::cache::{FrameCache, Magazines};
use crate::paging::Inner as PageTableInner;
use crate::user::fpu::FpuArea;

/// Data of one CPU. Cells are only touched by their own CPU, and, where interrupt handlers use them too, with interrupts off.
#[repr(C, align(64))]
pub struct CpuLocal {
    /// Address of this structure.
    this: Cell<u64>,
    /// Scratch of the trap entries.
    pub scratch: Cell<u64>,
    /// Stack pointer to come back to from user mode.
    pub kernel_rsp: Cell<u64>,
    /// Registers of the user thread that runs.
    pub user_regs: Cell<u64>,
    pub tss: UnsafeCell<Tss>,
    id: Cell<u32>,
    pub irq_depth: Cell<u32>,
    pub irq_was_on: Cell<bool>,
    /// Nesting of interrupt handlers.
    pub in_irq: Cell<u32>,
    pub apic_id: AtomicU32,
    /// The thread that runs: an `Arc` as a raw pointer, or null.
    pub current: Cell<*const ()>,
    /// Context of the thread that runs.
    pub context: Cell<*const crate::task::Core>,
    /// An exited thread to drop: its raw `Arc` and how to drop it.
    pub dead: Cell<Option<DeadTask>>,
    /// Stack for the moment between two threads.
    pub switch_stack: Cell<u64>,
    pub page_table: UnsafeCell<Option<Arc<PageTableInner>>>,
    pub fpu_owner: UnsafeCell<Option<Arc<FpuArea>>>,
    /// Segment bases in the CPU now.
    pub loaded_fs: Cell<u64>,
    pub loaded_gs: Cell<u64>,
    pub frames: Guarded<FrameCache>,
    pub magazines: Guarded<Magazines>,
    pub gdt: UnsafeCell<[u64; 10]>,
    pub interrupts: [AtomicU64; 256],
}

/// A value of one CPU that its threads and its interrupt handlers share without disabling interrupts: who finds it in use (a handler that interrupted the user) has to do without.
/// Kernel threads are not preempted and `f` never switches, so nobody else can come in between.
pub struct Guarded<T> {
    busy: AtomicBool,
    value: UnsafeCell<T>,
}

impl<T> Guarded<T> {
    const fn new(value: T) -> Self {
        Guarded { busy: AtomicBool::new(false), value: UnsafeCell::new(value) }
    }

    /// Calls `f` with the value; None if it is in use. Only for this CPU's own data.
    ///
    /// # Safety
    /// `f` must not switch to another thread, and `self` belongs to the CPU that runs this.
    #[inline]
    pub unsafe fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> Option<R> {
        if self.busy.load(Relaxed) {
            return None;
        }
        self.busy.store(true, Relaxed);
        // Orders the flag and the value for interrupt handlers, which see this CPU's accesses in program order.
        compiler_fence(SeqCst);
        // SAFETY: `busy` keeps interrupt handlers away, other CPUs do not touch it, and this thread is not preempted.
        let result = f(unsafe { &mut *self.value.get() });
        compiler_fence(SeqCst);
        self.busy.store(false, Relaxed);
        Some(result)
    }

    /// For reading atomics of another CPU's value.
    pub fn as_ptr(&self) -> *const T {
        self.value.get()
    }
}

/// A raw `Arc` and the function that drops it.
pub type DeadTask = (*const (), unsafe fn(*const ()));

/// The task state segment: only stack pointers matter.
#[repr(C, packed(4))]
pub struct Tss {
    _reserved: u32,
    rsp0: u64,
    _rsp12: [u64; 2],
    _reserved2: u64,
    pub ist: [u64; 7],
    _reserved3: u64,
    _reserved4: u16,
    /// No port bitmap: beyond the segment's end.
    iomap: u16,
}

pub const OFFSET_SCRATCH: usize = offset_of!(CpuLocal, scratch);
pub const OFFSET_KERNEL_RSP: usize = offset_of!(CpuLocal, kernel_rsp);
pub const OFFSET_USER_REGS: usize = offset_of!(CpuLocal, user_regs);
pub const OFFSET_RSP0: usize = offset_of!(CpuLocal, tss) + offset_of!(Tss, rsp0);
const OFFSET_ID: usize = offset_of!(CpuLocal, id);
const OFFSET_DEPTH: usize = offset_of!(CpuLocal, irq_depth);

// SAFETY: cells are touched by their own CPU only; the rest are atomics.
unsafe impl Sync for CpuLocal {}

impl CpuLocal {
    const fn new() -> Self {
        CpuLocal {
            this: Cell::new(0),
            scratch: Cell::new(0),
            kernel_rsp: Cell::new(0),
            user_regs: Cell::new(0),
            tss: UnsafeCell::new(Tss {
                _reserved: 0,
                rsp0: 0,
                _rsp12: [0; 2],
                _reserved2: 0,
                ist: [0; 7],
                _reserved3: 0,
                _reserved4: 0,
                iomap: size_of::<Tss>() as u16,
            }),
            id: Cell::new(0),
            irq_depth: Cell::new(0),
            irq_was_on: Cell::new(false),
            in_irq: Cell::new(0),
            apic_id: AtomicU32::new(0),
            current: Cell::new(core::ptr::null()),
            context: Cell::new(core::ptr::null()),
            dead: Cell::new(None),
            switch_stack: Cell::new(0),
            page_table: UnsafeCell::new(None),
            fpu_owner: UnsafeCell::new(None),
            loaded_fs: Cell::new(0),
            loaded_gs: Cell::new(0),
            frames: Guarded::new(FrameCache::new()),
            magazines: Guarded::new(Magazines::new()),
            gdt: UnsafeCell::new([0; 10]),
            interrupts: [const { AtomicU64::new(0) }; 256],
        }
    }
}

static CPUS: [CpuLocal; MAX_CPUS] = [const { CpuLocal::new() }; MAX_CPUS];

/// Number of CPUs that run.
pub static COUNT: AtomicUsize = AtomicUsize::new(1);

/// Sets up this CPU's data as number `id`; the first thing a CPU does.
///
/// # Safety
/// Once a CPU, with interrupts off, and no two CPUs with the same number.
pub unsafe fn init(id: usize) {
    let local = &CPUS[id];
    local.this.set(local as *const CpuLocal as u64);
    local.id.set(id as u32);
    // SAFETY: the GS base is the frame's own; no memory is reached through it except this structure.
    unsafe {
        arch::wrmsr(arch::MSR_GS_BASE, local.this.get());
        arch::wrmsr(arch::MSR_KERNEL_GS_BASE, 0);
    }
}

/// This CPU's data.
#[inline]
pub fn get() -> &'static CpuLocal {
    let this: *const CpuLocal;
    // SAFETY: `init` made the GS base point to a CpuLocal, whose first field is its address. Not `pure`: it changes when the thread moves to another CPU.
    unsafe {
        asm!("mov {}, gs:[0]", out(reg) this, options(nostack, readonly, preserves_flags));
        &*this
    }
}

/// The data of any CPU: only its atomics may be used.
#[inline]
pub fn of(cpu: usize) -> &'static CpuLocal {
    &CPUS[cpu]
}

/// This CPU's number.
#[inline]
pub fn id() -> usize {
    let id: u32;
    // SAFETY: as in `get`.
    unsafe { asm!("mov {:e}, gs:[{}]", out(reg) id, const OFFSET_ID, options(nostack, readonly, preserves_flags)) };
    id as usize
}

/// How many guards keep interrupts off.
#[inline]
pub fn irq_depth() -> u32 {
    let depth: u32;
    // SAFETY: as in `get`.
    unsafe { asm!("mov {:e}, gs:[{}]", out(reg) depth, const OFFSET_DEPTH, options(nostack, readonly, preserves_flags)) };
    depth
}

/// Disables interrupts and counts. With a count above 0 they are off already, and interrupt handlers leave the count as it was: reading it first is no race.
#[inline]
pub fn irq_push() {
    if irq_depth() == 0 {
        let on = arch::interrupts_enabled();
        if on {
            arch::cli();
        }
        get().irq_was_on.set(on);
    }
    // SAFETY: interrupts are off, the field is this CPU's.
    unsafe { asm!("inc dword ptr gs:[{}]", const OFFSET_DEPTH, options(nostack)) };
}

/// Undoes one [`irq_push`].
#[inline]
pub fn irq_pop() {
    let local = get();
    let depth = local.irq_depth.get() - 1;
    local.irq_depth.set(depth);
    if depth == 0 && local.irq_was_on.get() {
        // SAFETY: the last guard is gone, and interrupts were enabled before the first.
        unsafe { arch::sti() };
    }
}

/// Counts an interrupt.
pub fn count_interrupt(vector: u8) {
    get().interrupts[vector as usize].fetch_add(1, Relaxed);
}
