//! Page tables of the user half, and flushing TLBs.
//!
//! A [`PageTable`] maps pages of 4 KiB. The kernel's half is shared by all tables. Entries own a reference to their [`Frame`].
//! What removes or tightens an entry records the page, and holds the frame, in a [`TlbGather`]; when that is flushed (or dropped), all CPUs that use the table
//! have forgotten the pages, and only then the frames are released. So no CPU can reach a freed frame through an old translation.
//!
//! All methods take `&self`: the table has its own spin lock, held for at most one leaf table (2 MiB) at a time. Callbacks run with it held.

use crate::mm::Frame;
use crate::phys::CacheMode;

bitflags::bitflags! {
    /// What may be done with a page, and two bits for the kernel's own use.
    ///
    /// Without `READ` the entry keeps its frame but any access faults (`PROT_NONE`). On x86 `WRITE` and `EXEC` imply `READ`. Without NX support `READ` implies `EXEC`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
    pub struct PteFlags: u16 {
        /// May be read (the page is present).
        const READ = 1;
        /// May be written.
        const WRITE = 2;
        /// May be executed.
        const EXEC = 4;
        /// For the kernel's use.
        const SOFT_A = 8;
        /// For the kernel's use.
        const SOFT_B = 16;
    }
}

/// What an entry points to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MapTarget {
    /// A frame of RAM.
    Ram(Frame),
    /// A page of device memory; never RAM.
    Phys(u64, CacheMode),
}

/// A page table entry.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What it points to.
    pub target: MapTarget,
    /// Access and soft bits.
    pub flags: PteFlags,
    /// The CPU has used it since the bit was cleared.
    pub accessed: bool,
    /// The CPU has written to it since the bit was cleared.
    pub dirty: bool,
}

/// An entry as seen without taking a reference to its frame.
#[derive(Clone, Copy, Debug)]
pub struct EntryInfo {
    /// Physical address.
    pub paddr: u64,
    /// Whether it is a frame of RAM.
    pub ram: bool,
    /// Number of references to the frame (0 for device memory).
    pub refcount: u32,
    /// Access and soft bits.
    pub flags: PteFlags,
    /// The CPU has used it since the bit was cleared.
    pub accessed: bool,
    /// The CPU has written to it since the bit was cleared.
    pub dirty: bool,
}

/// Why a page could not be mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapError {
    /// No memory for a page table.
    OutOfMemory,
    /// Not a page-aligned address of the user half, or `MapTarget::Phys` of RAM.
    BadAddress,
}

/// How [`PageTable::copy_range`] treats RAM pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyMode {
    /// Both sides lose WRITE.
    CopyOnWrite,
    /// Both sides keep their flags (shared mappings).
    Share,
}

/// A page table for one address space. Dropping it releases all frames it maps; while it is active on some CPU the CPU keeps it alive.
pub struct PageTable {
    inner: alloc::sync::Arc<()>,
}

impl PageTable {
    /// An empty one. None: out of memory.
    pub fn new() -> Option<PageTable> {
        todo!()
    }

    /// Maps a page, whatever was there before (that goes to `tlb`). `va` is page-aligned.
    pub fn map(&self, va: u64, target: MapTarget, flags: PteFlags, tlb: &mut TlbGather) -> Result<Option<Entry>, MapError> {
        let _ = (va, target, flags, tlb, &self.inner);
        todo!()
    }

    /// Maps a page only where no entry is (no TLB work needed). `Ok(false)`: there was one already, and nothing was done.
    pub fn map_if_empty(&self, va: u64, target: MapTarget, flags: PteFlags) -> Result<bool, MapError> {
        let _ = (va, target, flags);
        todo!()
    }

    /// Removes a page.
    pub fn unmap(&self, va: u64, tlb: &mut TlbGather) -> Option<Entry> {
        let _ = (va, tlb);
        todo!()
    }

    /// Looks up a page.
    pub fn query(&self, va: u64) -> Option<Entry> {
        let _ = va;
        todo!()
    }

    /// Looks up a page without taking a reference to its frame.
    pub fn info(&self, va: u64) -> Option<EntryInfo> {
        let _ = va;
        todo!()
    }

    /// Changes access and soft bits of a page; false where there is none.
    pub fn protect(&self, va: u64, flags: PteFlags, tlb: &mut TlbGather) -> bool {
        let _ = (va, flags, tlb);
        todo!()
    }

    /// Changes the entries in [start, end): `f(va, info)` gives the new flags.
    pub fn protect_range(&self, start: u64, end: u64, tlb: &mut TlbGather, f: impl FnMut(u64, &EntryInfo) -> PteFlags) {
        let _ = (start, end, tlb, f);
        todo!()
    }

    /// Removes all entries in [start, end); `f` sees each (under the table's lock), `tlb` keeps its frame until the flush. Frees empty tables.
    pub fn take_range(&self, start: u64, end: u64, tlb: &mut TlbGather, f: impl FnMut(u64, &EntryInfo)) {
        let _ = (start, end, tlb, f);
        todo!()
    }

    /// Removes all entries in [start, end).
    pub fn unmap_range(&self, start: u64, end: u64, tlb: &mut TlbGather) {
        self.take_range(start, end, tlb, |_, _| ());
    }

    /// Calls `f` for all entries in [start, end) in order (under the table's lock).
    pub fn for_each_present(&self, start: u64, end: u64, f: impl FnMut(u64, &EntryInfo)) {
        let _ = (start, end, f);
        todo!()
    }

    /// Moves all entries in [start, end) to `to` in the same table (`mremap`); entries there are replaced. On OutOfMemory a part has moved.
    pub fn move_range(&self, start: u64, end: u64, to: u64, tlb: &mut TlbGather) -> Result<(), MapError> {
        let _ = (start, end, to, tlb);
        todo!()
    }

    /// Gives `into` the entries in [start, end), which must be empty there (`fork`). `tlb` is of `self`.
    pub fn copy_range(&self, start: u64, end: u64, into: &PageTable, mode: CopyMode, tlb: &mut TlbGather) -> Result<(), MapError> {
        let _ = (start, end, into, mode, tlb);
        todo!()
    }

    /// Reads and clears the accessed bit; false where there is no entry. Without a TLB flush: a hint for reclaim.
    pub fn test_clear_accessed(&self, va: u64) -> bool {
        let _ = va;
        todo!()
    }

    /// Reads and clears the dirty bit. Writes after `tlb` is flushed set it again.
    pub fn test_clear_dirty(&self, va: u64, tlb: &mut TlbGather) -> bool {
        let _ = (va, tlb);
        todo!()
    }

    /// Makes it this CPU's user half. It stays so, also in kernel threads, until another one is activated.
    pub fn activate(&self) {
        todo!()
    }

    /// Whether it is this CPU's user half.
    pub fn is_active_here(&self) -> bool {
        todo!()
    }

    /// Whether both are the same table.
    pub fn same(&self, other: &PageTable) -> bool {
        let _ = other;
        todo!()
    }

    /// Collects pages to flush for this table.
    pub fn gather(&self) -> TlbGather {
        todo!()
    }

    /// Number of frames the table itself takes.
    pub fn table_frames(&self) -> usize {
        todo!()
    }
}

/// Makes the empty user half active on this CPU (an exiting process's last thread; kernel threads need not call this).
pub fn activate_none() {
    todo!()
}

/// Pages to flush from TLBs, with the frames to release afterwards. Flushed when dropped. Do not hold a spin lock of yours for long while flushing: it waits for other CPUs.
pub struct TlbGather {
    _table: alloc::sync::Arc<()>,
}

impl TlbGather {
    /// Makes all CPUs forget the recorded pages, then releases the frames.
    pub fn flush(&mut self) {
        todo!()
    }
}

impl Drop for TlbGather {
    fn drop(&mut self) {
        self.flush();
    }
}
