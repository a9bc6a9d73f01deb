//! Address spaces: what a process's addresses mean, and page faults.
//!
//! * [`AddressSpace`]: areas (`Vma`) over a page table; mmap and friends, faults, fork.
//! * [`MemoryObject`]: what an area can show besides anonymous private memory.
//! * [`anon::SharedAnon`]: shared anonymous memory.
//! * [`oom`]: choosing a victim when memory is exhausted.

pub mod anon;
mod area;
pub mod commit;
pub mod pages;
mod fault;
mod free;
mod object;
pub mod oom;
mod remote;
mod space;
mod usage;
pub mod vdso;

pub use area::{Area, Backing, Prot};
pub use fault::FaultError;
pub use object::{MappingList, MemoryObject, ObjectPage};
pub use space::{AddressSpace, Layout, MAX_AREAS, MapRequest, Placement, Remap};
pub use usage::AreaUsage;

/// Bytes of a page.
pub const PAGE: usize = frame::mm::PAGE_SIZE;
/// First address programs may map (`/proc/sys/vm/mmap_min_addr`).
pub const MIN_ADDRESS: usize = 0x1_0000;
/// One past the last user address.
pub const MAX_ADDRESS: usize = 0x7fff_ffff_f000;

/// Rounds up to whole pages; `None` on overflow.
pub fn page_up(value: usize) -> Option<usize> {
    value.checked_add(PAGE - 1).map(|v| v & !(PAGE - 1))
}

/// Rounds down to a page boundary.
pub const fn page_down(value: usize) -> usize {
    value & !(PAGE - 1)
}
