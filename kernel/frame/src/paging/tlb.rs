//! Flushing translations on all CPUs that use a table.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::table::Inner;
use crate::arch;
use crate::cpu::{self, ipi, local};
use crate::mm::kernel_map::root_paddr;
use crate::mm::Frame;
use crate::sync::{IrqGuard, SpinLock};

/// With more pages than this all of the user half is flushed.
const MAX_PAGES: usize = 32;
/// Frames held before a flush is forced, between two leaf tables.
const MANY_FRAMES: usize = 4096;

/// Pages to flush from TLBs, with the frames to release afterwards. Flushed when dropped. Do not hold a spin lock of yours for long while flushing: it waits for other CPUs.
pub struct TlbGather {
    pub(super) table: Arc<Inner>,
    pages: [u64; MAX_PAGES],
    /// Number of pages; MAX_PAGES + 1: all.
    count: usize,
    frames: Vec<Frame>,
}

impl TlbGather {
    pub(super) fn new(table: Arc<Inner>) -> Self {
        TlbGather { table, pages: [0; MAX_PAGES], count: 0, frames: Vec::new() }
    }

    /// Records a page.
    pub(super) fn page(&mut self, va: u64) {
        if self.count < MAX_PAGES {
            self.pages[self.count] = va;
        }
        self.count = (self.count + 1).min(MAX_PAGES + 1);
    }

    /// Records that a page table was unlinked.
    pub(super) fn everything(&mut self) {
        self.count = MAX_PAGES + 1;
    }

    /// Keeps a frame until the flush.
    pub(super) fn keep(&mut self, frame: Frame) {
        if self.count == 0 {
            // No CPU can have a translation to it.
            return drop(frame);
        }
        if self.frames.len() == self.frames.capacity() && self.frames.try_reserve(64.max(self.frames.len())).is_err() {
            // No memory to remember it in: flush now, so that it need not be remembered. Other CPUs answer even with interrupts off.
            self.flush();
            return drop(frame);
        }
        self.frames.push(frame);
    }

    /// Flushes if much was gathered; between two leaf tables, without a lock.
    pub(super) fn limit(&mut self) {
        if self.frames.len() >= MANY_FRAMES {
            self.flush();
        }
    }

    /// Makes all CPUs forget the recorded pages, then releases the frames.
    pub fn flush(&mut self) {
        if self.count > 0 {
            let pages = (self.count <= MAX_PAGES).then_some(&self.pages[..self.count.min(MAX_PAGES)]);
            flush(&self.table, pages);
            self.count = 0;
        }
        self.frames.clear();
    }
}

impl Drop for TlbGather {
    fn drop(&mut self) {
        self.flush();
    }
}

/// Flushes on this CPU, whatever table is active: forgetting too much is harmless.
fn flush_local(pages: Option<&[u64]>) {
    match pages {
        Some(pages) => pages.iter().for_each(|&va| arch::invlpg(va)),
        // SAFETY: reloads the same table.
        None => unsafe { arch::write_cr3(arch::read_cr3()) },
    }
}

/// The shootdown in progress: one at a time.
struct Request {
    serial: SpinLock<()>,
    /// CPUs that have not answered yet.
    pending: AtomicU64,
    /// Number of pages, `usize::MAX` for all of the user half, or [`KERNEL`].
    count: AtomicUsize,
    pages: [AtomicU64; MAX_PAGES],
}

static REQUEST: Request = Request {
    serial: SpinLock::new(()),
    pending: AtomicU64::new(0),
    count: AtomicUsize::new(0),
    pages: [const { AtomicU64::new(0) }; MAX_PAGES],
};

/// Makes all CPUs on which `table` is active forget the pages (None: all).
fn flush(table: &Inner, pages: Option<&[u64]>) {
    let _irq = IrqGuard::new();
    let me = 1u64 << cpu::id();
    // Entries were changed before; a CPU that activates the table after this load sees the new ones.
    core::sync::atomic::fence(Ordering::SeqCst);
    let active = table.active.load(Ordering::SeqCst);
    if active & me != 0 {
        flush_local(pages);
    }
    let others = active & !me;
    if others == 0 {
        return;
    }
    let _serial = REQUEST.serial.lock();
    for (slot, va) in REQUEST.pages.iter().zip(pages.unwrap_or(&[])) {
        slot.store(*va, Ordering::Relaxed);
    }
    ask(others, pages.map_or(usize::MAX, <[u64]>::len));
}

/// In [`Request::count`]: everything, what all tables share included.
const KERNEL: usize = usize::MAX - 1;

/// Forgets all translations, those of the kernel's half too.
fn flush_global() {
    let cr4 = arch::read_cr4();
    // SAFETY: the bit is set again at once; meanwhile translations are only forgotten at each change of tables.
    unsafe {
        arch::write_cr4(cr4 & !arch::CR4_PGE);
        arch::write_cr4(cr4);
    }
}

/// Makes all CPUs forget pages of the kernel's half that were taken out.
pub fn flush_kernel() {
    let _irq = IrqGuard::new();
    core::sync::atomic::fence(Ordering::SeqCst);
    flush_global();
    let me = cpu::id();
    let others = (0..cpu::count()).filter(|cpu| *cpu != me).fold(0, |set, cpu| set | 1 << cpu);
    if others != 0 {
        let _serial = REQUEST.serial.lock();
        ask(others, KERNEL);
    }
}

/// Has these CPUs do what is in the request; `count` of pages.
fn ask(others: u64, count: usize) {
    REQUEST.count.store(count, Ordering::Relaxed);
    REQUEST.pending.store(others, Ordering::SeqCst);
    (0..cpu::MAX_CPUS).filter(|cpu| others & 1 << cpu != 0).for_each(ipi::send_shootdown);
    while REQUEST.pending.load(Ordering::Acquire) != 0 {
        cpu::relax();
    }
}

/// Answers the shootdown in progress if it concerns this CPU. Called by its interrupt, and by loops that wait with interrupts off.
#[inline]
pub fn answer_shootdown() {
    let me = 1u64 << local::id();
    if REQUEST.pending.load(Ordering::Acquire) & me != 0 {
        answer(me);
    }
}

#[cold]
fn answer(me: u64) {
    let _irq = IrqGuard::new();
    if REQUEST.pending.load(Ordering::Acquire) & me == 0 {
        return;
    }
    let count = REQUEST.count.load(Ordering::Relaxed);
    match count {
        usize::MAX => flush_local(None),
        KERNEL => flush_global(),
        _ => REQUEST.pages[..count].iter().for_each(|va| arch::invlpg(va.load(Ordering::Relaxed))),
    }
    REQUEST.pending.fetch_and(!me, Ordering::AcqRel);
}

/// Makes `table` (None: the empty user half) this CPU's; gives the one before.
pub fn activate(table: Option<&Arc<Inner>>) {
    let previous = {
        let _irq = IrqGuard::new();
        let local = local::get();
        // SAFETY: interrupts are off, and no other reference to this CPU's slot is alive: those in this file end before anything else runs.
        let slot = unsafe { &mut *local.page_table.get() };
        if slot.as_ref().map(Arc::as_ptr) == table.map(Arc::as_ptr) {
            return;
        }
        let me = 1u64 << local::id();
        let root = match table {
            Some(table) => {
                // Before the load of CR3: from then on shootdowns include this CPU.
                table.active.fetch_or(me, Ordering::SeqCst);
                table.root()
            }
            None => root_paddr(),
        };
        // SAFETY: every root table has the kernel's half; the table stays alive while it is in the slot.
        unsafe { arch::write_cr3(root) };
        let previous = core::mem::replace(slot, table.cloned());
        if let Some(previous) = &previous {
            previous.active.fetch_and(!me, Ordering::SeqCst);
        }
        previous
    };
    // Perhaps the last reference: freeing a whole table takes a while, so with interrupts as they were.
    drop(previous);
}

/// Whether `table` is this CPU's.
pub fn is_active(table: &Arc<Inner>) -> bool {
    let _irq = IrqGuard::new();
    // SAFETY: interrupts are off; see `activate`.
    let slot = unsafe { &*local::get().page_table.get() };
    slot.as_ref().is_some_and(|active| Arc::ptr_eq(active, table))
}
