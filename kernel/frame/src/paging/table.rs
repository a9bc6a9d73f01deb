//! Page tables of four levels. All changes to entries of the user half are made under the table's lock; the CPU itself only sets accessed and dirty bits.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::tlb;
use super::{CopyMode, Entry, EntryInfo, MapError, MapTarget, PteFlags, TlbGather, entry};
use crate::mm::kernel_map::{ADDRESS, PRESENT, Table, USER, WRITABLE, copy_kernel_half, table_at};
use crate::mm::{COUNTERS, Frame, PAGE_SIZE, USER_END, frame_add_reference, ram_overlaps};
use crate::sync::SpinLock;
use frame_logic::regions::Region;

const PAGE: u64 = PAGE_SIZE as u64;
/// Bytes a leaf table maps.
const LEAF: u64 = PAGE << 9;
/// Entries of the root table that belong to the user half.
const USER_SLOTS: usize = 256;

/// A page table; [`PageTable`] is a handle to it, and so is every CPU on which it is active.
pub struct Inner {
    root: u64,
    lock: SpinLock<()>,
    /// CPUs on which it is active, one bit each.
    pub(super) active: AtomicU64,
    tables: AtomicUsize,
}

/// A frame for a table, zeroed, as its physical address (the reference count stays 1 until [`free_table`]).
fn new_table() -> Option<u64> {
    let frame = Frame::alloc_zeroed()?;
    COUNTERS.page_tables.fetch_add(1, Ordering::Relaxed);
    Some(frame.into_paddr())
}

/// # Safety
/// The table came from [`new_table`], and no CPU can reach it.
unsafe fn free_table(paddr: u64) -> Frame {
    COUNTERS.page_tables.fetch_sub(1, Ordering::Relaxed);
    // SAFETY: by the caller.
    unsafe { Frame::from_paddr(paddr) }
}

fn index(va: u64, level: u32) -> usize {
    (va >> (12 + 9 * level)) as usize & 511
}

impl Inner {
    /// Physical address of the root.
    pub fn root(&self) -> u64 {
        self.root
    }

    fn root_table(&self) -> &Table {
        // SAFETY: the root lives as long as `self`.
        unsafe { table_at(self.root) }
    }

    /// The leaf table for `va`, if there. The lock is held, and the reference not used after it is released.
    fn leaf(&self, va: u64) -> Option<&Table> {
        let mut table = self.root_table();
        for level in (1..4).rev() {
            let value = table.0[index(va, level)].load(Ordering::Relaxed);
            if value & PRESENT == 0 {
                return None;
            }
            // SAFETY: tables are freed only by `take_range` under the lock, and on drop.
            table = unsafe { table_at(value & ADDRESS) };
        }
        Some(table)
    }

    /// The leaf table for `va`, made if missing. The lock is held.
    fn leaf_or_new(&self, va: u64) -> Result<&Table, MapError> {
        let mut table = self.root_table();
        for level in (1..4).rev() {
            let slot = &table.0[index(va, level)];
            let mut value = slot.load(Ordering::Relaxed);
            if value & PRESENT == 0 {
                value = new_table().ok_or(MapError::OutOfMemory)? | PRESENT | WRITABLE | USER;
                self.tables.fetch_add(1, Ordering::Relaxed);
                slot.store(value, Ordering::Release);
            }
            // SAFETY: as in `leaf`.
            table = unsafe { table_at(value & ADDRESS) };
        }
        Ok(table)
    }

    /// The first leaf table that maps something at or after `va` and before `end`: its first address and itself. The lock is held.
    fn next_leaf(&self, va: u64, end: u64) -> Option<(u64, &Table)> {
        let mut va = va;
        'restart: while va < end {
            let mut table = self.root_table();
            for level in (1..4).rev() {
                let value = table.0[index(va, level)].load(Ordering::Relaxed);
                if value & PRESENT == 0 {
                    // Nothing in all that this entry would map.
                    let size = PAGE << (9 * level);
                    va = (va & !(size - 1)).checked_add(size)?;
                    continue 'restart;
                }
                // SAFETY: as in `leaf`.
                table = unsafe { table_at(value & ADDRESS) };
            }
            return Some((va & !(LEAF - 1), table));
        }
        None
    }

    /// Unlinks the empty leaf table at `base`. The lock is held.
    fn unlink_leaf(&self, base: u64, tlb: &mut TlbGather) {
        let mut table = self.root_table();
        for level in (2..4).rev() {
            let value = table.0[index(base, level)].load(Ordering::Relaxed);
            if value & PRESENT == 0 {
                return;
            }
            // SAFETY: as in `leaf`.
            table = unsafe { table_at(value & ADDRESS) };
        }
        let value = table.0[index(base, 1)].swap(0, Ordering::AcqRel);
        if value & PRESENT != 0 {
            self.tables.fetch_sub(1, Ordering::Relaxed);
            // CPUs may have cached the way through it: it is kept like a frame until a full flush.
            tlb.everything();
            // SAFETY: it was just unlinked, and is released after the flush.
            tlb.keep(unsafe { free_table(value & ADDRESS) });
        }
    }

    /// Calls `f` for all entries in use in [start, end), leaf by leaf, with the lock held for one leaf at a time. With `free_empty`, `f` empties all entries, and leaf
    /// tables that are all within the range are freed.
    fn visit(&self, start: u64, end: u64, tlb: Option<&mut TlbGather>, mut f: impl FnMut(u64, &AtomicU64, u64, &mut Option<&mut TlbGather>), free_empty: bool) {
        let mut tlb = tlb;
        let end = end.min(USER_END);
        let mut va = start & !(PAGE - 1);
        while va < end {
            {
                let _lock = self.lock.lock();
                let Some((base, table)) = self.next_leaf(va, end) else { return };
                let first = va.max(base);
                let last = end.min(base + LEAF);
                for i in index(first, 0)..=index(last - 1, 0) {
                    let slot = &table.0[i];
                    let value = slot.load(Ordering::Relaxed);
                    if value != 0 {
                        f(base + i as u64 * PAGE, slot, value, &mut tlb);
                    }
                }
                if free_empty && first == base && last == base + LEAF
                    && let Some(tlb) = &mut tlb
                {
                    self.unlink_leaf(base, tlb);
                }
                va = base + LEAF;
            }
            if let Some(tlb) = &mut tlb {
                tlb.limit();
            }
        }
    }
}

/// Takes the entry out: what CPUs may know of it goes to `tlb`, with its frame.
fn remove(va: u64, slot: &AtomicU64, tlb: &mut TlbGather) -> u64 {
    let old = slot.swap(0, Ordering::AcqRel);
    release(va, old, tlb);
    old
}

/// Gives the reference an entry owned to `tlb`.
fn release(va: u64, old: u64, tlb: &mut TlbGather) {
    // On no CPU (an exiting process): nobody can know of it, since activating a table forgets all before. The entry was changed before this load, by a locked instruction,
    // and a CPU sets its bit before it uses the table.
    if entry::is_present(old) && tlb.table.active.load(Ordering::SeqCst) != 0 {
        tlb.page(va);
    }
    if let Some(paddr) = entry::ram(old) {
        // SAFETY: the entry owned the reference and is gone.
        tlb.keep(unsafe { Frame::from_paddr(paddr) });
    }
}

/// Changes an entry's flags, keeping what the CPU sets meanwhile.
fn change(va: u64, slot: &AtomicU64, flags: PteFlags, tlb: &mut TlbGather) {
    let mut old = slot.load(Ordering::Relaxed);
    loop {
        let new = entry::with_flags(old, flags);
        match slot.compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Relaxed) {
            Ok(_) if entry::needs_flush(old, new) => return tlb.page(va),
            Ok(_) => return,
            Err(now) => old = now,
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // No CPU has it active: each would hold a reference. So nothing needs to be flushed.
        for i in 0..USER_SLOTS {
            let value = self.root_table().0[i].load(Ordering::Relaxed);
            if value != 0 {
                // SAFETY: the table is unreachable now.
                unsafe { drop_tables(value, 2) };
            }
        }
        // SAFETY: likewise.
        drop(unsafe { free_table(self.root) });
    }
}

/// Frees a table of `level` and all below.
///
/// # Safety
/// No CPU can reach it.
unsafe fn drop_tables(value: u64, level: u32) {
    // SAFETY: it is a table until freed below.
    let table = unsafe { table_at(value & ADDRESS) };
    for slot in &table.0 {
        let below = slot.load(Ordering::Relaxed);
        if level > 0 {
            if below != 0 {
                // SAFETY: by the caller; entries of upper levels are 0 or tables.
                unsafe { drop_tables(below, level - 1) };
            }
        } else if let Some(paddr) = entry::ram(below) {
            // SAFETY: the entry owned the reference.
            drop(unsafe { Frame::from_paddr(paddr) });
        }
    }
    // SAFETY: by the caller.
    drop(unsafe { free_table(value & ADDRESS) });
}

/// A page table for one address space. Dropping it releases all frames it maps; while it is active on some CPU the CPU keeps it alive.
pub struct PageTable {
    inner: Arc<Inner>,
}

fn check(va: u64, target: &MapTarget) -> Result<(), MapError> {
    let bad_target = match target {
        MapTarget::Ram(_) => false,
        MapTarget::Phys(paddr, _) => !paddr.is_multiple_of(PAGE) || *paddr & !ADDRESS != 0 || ram_overlaps(Region::new(*paddr, PAGE)),
    };
    if va >= USER_END || !va.is_multiple_of(PAGE) || bad_target { Err(MapError::BadAddress) } else { Ok(()) }
}

impl PageTable {
    /// An empty one. None: out of memory.
    pub fn new() -> Option<PageTable> {
        let root = new_table()?;
        // SAFETY: a fresh table.
        copy_kernel_half(unsafe { table_at(root) });
        let inner = Inner { root, lock: SpinLock::new(()), active: AtomicU64::new(0), tables: AtomicUsize::new(1) };
        Some(PageTable { inner: Arc::new(inner) })
    }

    fn own(&self, tlb: &TlbGather) {
        assert!(Arc::ptr_eq(&self.inner, &tlb.table), "a TlbGather of another page table");
    }

    /// Maps a page, whatever was there before (that goes to `tlb`). `va` is page-aligned.
    pub fn map(&self, va: u64, target: MapTarget, flags: PteFlags, tlb: &mut TlbGather) -> Result<Option<Entry>, MapError> {
        self.own(tlb);
        check(va, &target)?;
        let _lock = self.inner.lock.lock();
        let slot = &self.inner.leaf_or_new(va)?.0[index(va, 0)];
        let old = slot.swap(entry::make(target, flags), Ordering::AcqRel);
        if old == 0 {
            return Ok(None);
        }
        // SAFETY: the entry was just taken out and still owns its reference.
        let before = unsafe { entry::cloned(old) };
        release(va, old, tlb);
        Ok(Some(before))
    }

    /// Maps a page only where no entry is (no TLB work needed). `Ok(false)`: there was one already, and nothing was done.
    pub fn map_if_empty(&self, va: u64, target: MapTarget, flags: PteFlags) -> Result<bool, MapError> {
        check(va, &target)?;
        let _lock = self.inner.lock.lock();
        let slot = &self.inner.leaf_or_new(va)?.0[index(va, 0)];
        if slot.load(Ordering::Relaxed) != 0 {
            return Ok(false);
        }
        slot.store(entry::make(target, flags), Ordering::Release);
        Ok(true)
    }

    /// Calls `f` with the entry of `va`, if in use, under the lock.
    fn with_slot<R>(&self, va: u64, f: impl FnOnce(&AtomicU64, u64) -> R) -> Option<R> {
        if va >= USER_END {
            return None;
        }
        let _lock = self.inner.lock.lock();
        let slot = &self.inner.leaf(va)?.0[index(va, 0)];
        let value = slot.load(Ordering::Relaxed);
        (value != 0).then(|| f(slot, value))
    }

    /// Removes a page.
    pub fn unmap(&self, va: u64, tlb: &mut TlbGather) -> Option<Entry> {
        self.own(tlb);
        self.with_slot(va, |slot, value| {
            // SAFETY: the lock is held.
            let before = unsafe { entry::cloned(value) };
            remove(va & !(PAGE - 1), slot, tlb);
            before
        })
    }

    /// Makes all CPUs on which it is active pass through an interrupt, which is a memory barrier.
    pub fn barrier(&self) {
        let mut tlb = self.gather();
        tlb.page(0);
        tlb.flush();
        core::sync::atomic::fence(Ordering::SeqCst);
    }

    /// Looks up a page.
    pub fn query(&self, va: u64) -> Option<Entry> {
        // SAFETY: the lock is held.
        self.with_slot(va, |_, value| unsafe { entry::cloned(value) })
    }

    /// Looks up a page without taking a reference to its frame.
    pub fn info(&self, va: u64) -> Option<EntryInfo> {
        self.with_slot(va, |_, value| entry::info(value))
    }

    /// Changes access and soft bits of a page; false where there is none.
    pub fn protect(&self, va: u64, flags: PteFlags, tlb: &mut TlbGather) -> bool {
        self.own(tlb);
        self.with_slot(va, |slot, _| change(va & !(PAGE - 1), slot, flags, tlb)).is_some()
    }

    /// Changes the entries in [start, end): `f(va, info)` gives the new flags.
    pub fn protect_range(&self, start: u64, end: u64, tlb: &mut TlbGather, mut f: impl FnMut(u64, &EntryInfo) -> PteFlags) {
        self.own(tlb);
        let visit = |va, slot: &AtomicU64, value, tlb: &mut Option<&mut TlbGather>| {
            if let Some(tlb) = tlb {
                change(va, slot, f(va, &entry::info(value)), tlb);
            }
        };
        self.inner.visit(start, end, Some(tlb), visit, false);
    }

    /// Removes all entries in [start, end); `f` sees each (under the table's lock), `tlb` keeps its frame until the flush. Frees empty tables.
    pub fn take_range(&self, start: u64, end: u64, tlb: &mut TlbGather, mut f: impl FnMut(u64, &EntryInfo)) {
        self.own(tlb);
        let visit = |va, slot: &AtomicU64, value, tlb: &mut Option<&mut TlbGather>| {
            if let Some(tlb) = tlb {
                f(va, &entry::info(value));
                remove(va, slot, tlb);
            }
        };
        self.inner.visit(start, end, Some(tlb), visit, true);
    }

    /// Removes all entries in [start, end).
    pub fn unmap_range(&self, start: u64, end: u64, tlb: &mut TlbGather) {
        self.own(tlb);
        let visit = |va, slot: &AtomicU64, _, tlb: &mut Option<&mut TlbGather>| {
            if let Some(tlb) = tlb {
                remove(va, slot, tlb);
            }
        };
        self.inner.visit(start, end, Some(tlb), visit, true);
    }

    /// Calls `f` for all entries in [start, end) in order (under the table's lock), those without READ included.
    pub fn for_each_present(&self, start: u64, end: u64, mut f: impl FnMut(u64, &EntryInfo)) {
        self.inner.visit(start, end, None, |va, _, value, _| f(va, &entry::info(value)), false);
    }

    /// Moves all entries in [start, end) to `to` in the same table (`mremap`); entries there are replaced. On OutOfMemory a part has moved. The ranges must not overlap.
    pub fn move_range(&self, start: u64, end: u64, to: u64, tlb: &mut TlbGather) -> Result<(), MapError> {
        self.own(tlb);
        let len = end.saturating_sub(start);
        let overlap = Region::new(start, len).overlaps(&Region::new(to, len));
        if end > USER_END || to > USER_END - len || overlap || [start, end, to].iter().any(|va| !va.is_multiple_of(PAGE)) {
            return Err(MapError::BadAddress);
        }
        let mut va = start;
        while va < end {
            let _lock = self.inner.lock.lock();
            let Some((base, table)) = self.inner.next_leaf(va, end) else { break };
            let last = end.min(base + LEAF);
            for from in (va.max(base)..last).step_by(PAGE_SIZE) {
                let slot = &table.0[index(from, 0)];
                if slot.load(Ordering::Relaxed) == 0 {
                    continue;
                }
                let dest = to + (from - start);
                let dest_slot = &self.inner.leaf_or_new(dest)?.0[index(dest, 0)];
                let value = slot.swap(0, Ordering::AcqRel);
                if entry::is_present(value) {
                    tlb.page(from);
                }
                let replaced = dest_slot.swap(value, Ordering::AcqRel);
                release(dest, replaced, tlb);
            }
            va = base + LEAF;
        }
        Ok(())
    }

    /// Gives `into` the entries in [start, end), which must be empty there (`fork`). `tlb` is of `self`. On OutOfMemory a part was copied.
    pub fn copy_range(&self, start: u64, end: u64, into: &PageTable, mode: CopyMode, tlb: &mut TlbGather) -> Result<(), MapError> {
        self.own(tlb);
        assert!(!self.same(into), "a page table is copied into itself");
        let end = end.min(USER_END);
        let mut va = start & !(PAGE - 1);
        while va < end {
            let _lock = self.inner.lock.lock();
            let Some((base, table)) = self.inner.next_leaf(va, end) else { break };
            let _into_lock = into.inner.lock.lock();
            let into_table = into.inner.leaf_or_new(base)?;
            let last = end.min(base + LEAF);
            for i in index(va.max(base), 0)..=index(last - 1, 0) {
                let slot = &table.0[i];
                let mut value = slot.load(Ordering::Relaxed);
                if value == 0 {
                    continue;
                }
                if let Some(paddr) = entry::ram(value) {
                    frame_add_reference(paddr);
                    if mode == CopyMode::CopyOnWrite && entry::is_writable(value) {
                        // A dirty bit set between the load and this is the parent's alone.
                        slot.fetch_and(!WRITABLE, Ordering::AcqRel);
                        value &= !WRITABLE;
                        if entry::is_present(value) {
                            tlb.page(base + i as u64 * PAGE);
                        }
                    }
                }
                // The CPU does not touch empty entries, so load and store need not be one step.
                assert!(into_table.0[i].load(Ordering::Relaxed) == 0, "copy_range into a range that is not empty");
                into_table.0[i].store(value, Ordering::Release);
            }
            va = base + LEAF;
        }
        Ok(())
    }

    /// Reads and clears the accessed bit; false where there is no entry. Without a TLB flush: a hint for reclaim.
    pub fn test_clear_accessed(&self, va: u64) -> bool {
        use crate::mm::kernel_map::ACCESSED;
        self.with_slot(va, |slot, _| slot.fetch_and(!ACCESSED, Ordering::AcqRel) & ACCESSED != 0).unwrap_or(false)
    }

    /// Reads and clears the dirty bit. Writes after `tlb` is flushed set it again.
    pub fn test_clear_dirty(&self, va: u64, tlb: &mut TlbGather) -> bool {
        use crate::mm::kernel_map::DIRTY;
        self.own(tlb);
        let dirty = self.with_slot(va, |slot, _| slot.fetch_and(!DIRTY, Ordering::AcqRel) & DIRTY != 0).unwrap_or(false);
        if dirty {
            tlb.page(va & !(PAGE - 1));
        }
        dirty
    }

    /// Makes it this CPU's user half. It stays so, also in kernel threads, until another one is activated.
    pub fn activate(&self) {
        tlb::activate(Some(&self.inner));
    }

    /// Whether it is this CPU's user half.
    pub fn is_active_here(&self) -> bool {
        tlb::is_active(&self.inner)
    }

    /// Whether both are the same table.
    pub fn same(&self, other: &PageTable) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// Collects pages to flush for this table.
    pub fn gather(&self) -> TlbGather {
        TlbGather::new(self.inner.clone())
    }

    /// Number of frames the table itself takes.
    pub fn table_frames(&self) -> usize {
        self.inner.tables.load(Ordering::Relaxed)
    }
}

/// Makes the empty user half active on this CPU (an exiting process's last thread; kernel threads need not call this).
pub fn activate_none() {
    tlb::activate(None);
}
