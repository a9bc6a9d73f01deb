//! Physical memory.
//!
//! All RAM is mapped at [`DIRECT_MAP`]. A [`Frame`] is a counted reference to one 4 KiB frame, from a buddy allocator behind per-CPU caches. The heap (`alloc`)
//! takes from the same allocator, by size classes.

pub(crate) mod cache;
pub(crate) mod copy;
mod frame;
mod heap;
mod init;
pub(crate) mod kernel_map;

use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering::Relaxed};

pub(crate) use frame::add_reference as frame_add_reference;
pub use frame::{Frame, FrameRange};
pub(crate) use init::{init, ram_overlaps};
pub(crate) use kernel_map::kernel_address_readable;

/// Size of a page and of a frame in bytes.
pub const PAGE_SIZE: usize = 4096;
/// Virtual address of physical address 0.
pub const DIRECT_MAP: u64 = 0xffff_8000_0000_0000;
/// First address above the user half.
pub const USER_END: u64 = 0x0000_7fff_ffff_f000;

/// Use of memory, in frames of 4 KiB.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemStats {
    /// RAM that the allocator manages.
    pub total: usize,
    /// Free frames, those in per-CPU caches included.
    pub free: usize,
    /// Used by the kernel's heap: small objects.
    pub slab: usize,
    /// Used by the kernel's heap: blocks of a page and more.
    pub heap_large: usize,
    /// Used by page tables.
    pub page_tables: usize,
    /// Used by kernel stacks.
    pub kernel_stacks: usize,
}

/// Counters behind [`stats`].
#[derive(Default)]
pub(crate) struct Counters {
    pub total: AtomicUsize,
    pub slab: AtomicUsize,
    pub heap_large: AtomicUsize,
    pub page_tables: AtomicUsize,
    pub kernel_stacks: AtomicUsize,
}

pub(crate) static COUNTERS: Counters = Counters {
    total: AtomicUsize::new(0),
    slab: AtomicUsize::new(0),
    heap_large: AtomicUsize::new(0),
    page_tables: AtomicUsize::new(0),
    kernel_stacks: AtomicUsize::new(0),
};

/// The use of memory now. Takes the allocator's lock for a moment.
pub fn stats() -> MemStats {
    MemStats {
        total: COUNTERS.total.load(Relaxed),
        free: cache::free_frames(),
        slab: COUNTERS.slab.load(Relaxed),
        heap_large: COUNTERS.heap_large.load(Relaxed),
        page_tables: COUNTERS.page_tables.load(Relaxed),
        kernel_stacks: COUNTERS.kernel_stacks.load(Relaxed),
    }
}

/// Whether structures of the kernel have drawn upon the reserve that only they may use, so that some program has to end. Asked where that can be done; once
/// true, false until they draw upon it further.
#[inline]
pub fn needs_relief() -> bool {
    cache::take_low()
}

/// Whether there is memory beyond that reserve: for what makes many structures of the kernel, such as another process.
pub fn has_room() -> bool {
    cache::has_room()
}

static RECLAIM: AtomicPtr<()> = AtomicPtr::new(core::ptr::null_mut());

/// Sets what is called when an allocation finds no memory: `hook(frames)` should free at least so many frames and returns how many it freed (0: no
/// hope, the allocation fails). It is called in any context an allocation may be made in, also with locks held: it must use `try_lock`, and must not sleep.
pub fn set_reclaim_hook(hook: fn(frames: usize) -> usize) {
    RECLAIM.store(hook as *mut (), Relaxed);
}

/// Asks the hook for memory; false: there is none.
#[cold]
pub(crate) fn reclaim(frames: usize) -> bool {
    let raw = RECLAIM.load(Relaxed);
    if raw.is_null() {
        return false;
    }
    // SAFETY: only `set_reclaim_hook` stores here, such functions.
    let hook = unsafe { core::mem::transmute::<*mut (), fn(usize) -> usize>(raw) };
    hook(frames) > 0
}
