//! Page tables of the user half, and flushing TLBs.
//!
//! A [`PageTable`] maps pages of 4 KiB. The kernel's half is shared by all tables. Entries own a reference to their [`Frame`].
//! What removes or tightens an entry records the page, and holds the frame, in a [`TlbGather`]; when that is flushed (or dropped), all CPUs that use the table
//! have forgotten the pages, and only then the frames are released. So no CPU can reach a freed frame through an old translation.
//!
//! All methods take `&self`: the table has its own spin lock, held for at most one leaf table (2 MiB) at a time. Callbacks run with it held.

mod entry;
mod table;
mod tlb;

pub(crate) use table::Inner;
pub use table::{PageTable, activate_none};
pub use tlb::TlbGather;
pub(crate) use tlb::{answer_shootdown, flush_kernel};

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
