//! Physical memory.
//!
//! All RAM is mapped at [`DIRECT_MAP`]. A [`Frame`] is a counted reference to one 4 KiB frame, from a buddy allocator behind per-CPU caches. The heap (`alloc`)
//! takes from the same allocator, by size classes.

/// Size of a page and of a frame in bytes.
pub const PAGE_SIZE: usize = 4096;
/// Virtual address of physical address 0.
pub const DIRECT_MAP: u64 = 0xffff_8000_0000_0000;
/// First address above the user half.
pub const USER_END: u64 = 0x0000_7fff_ffff_f000;

use core::num::NonZeroU32;
use core::sync::atomic::AtomicU32;

use alloc::vec::Vec;

/// A counted reference to a frame of RAM: clone and drop count. The last one frees the frame.
///
/// The bytes may change under the reader (a user program may have the frame mapped), so they are only copied.
#[derive(Debug)]
pub struct Frame {
    pfn: NonZeroU32,
}

impl Frame {
    /// A frame with unspecified (but initialised) content. None: out of memory, also after the reclaim hook ran.
    pub fn alloc() -> Option<Frame> {
        todo!()
    }

    /// A frame of zeros.
    pub fn alloc_zeroed() -> Option<Frame> {
        todo!()
    }

    /// Physical address.
    #[inline]
    pub fn paddr(&self) -> u64 {
        (self.pfn.get() as u64) << 12
    }

    /// Number of references, page table entries included.
    pub fn refcount(&self) -> u32 {
        todo!()
    }

    /// Copies bytes out, from byte `offset` on.
    ///
    /// # Panics
    /// If the range is not within the frame; so do all of these.
    pub fn read(&self, offset: usize, out: &mut [u8]) {
        let _ = (offset, out);
        todo!()
    }

    /// Copies bytes in.
    pub fn write(&self, offset: usize, data: &[u8]) {
        let _ = (offset, data);
        todo!()
    }

    /// Fills it with zeros.
    pub fn zero(&self) {
        todo!()
    }

    /// Fills a part with zeros.
    pub fn zero_range(&self, offset: usize, len: usize) {
        let _ = (offset, len);
        todo!()
    }

    /// Copies all of `other`.
    pub fn copy_from(&self, other: &Frame) {
        let _ = other;
        todo!()
    }

    /// Copies `len` bytes of `other` from `other_offset` to `offset`.
    pub fn copy_range_from(&self, offset: usize, other: &Frame, other_offset: usize, len: usize) {
        let _ = (offset, other, other_offset, len);
        todo!()
    }

    /// Reads the little-endian value at the aligned `offset`.
    pub fn read_u32(&self, offset: usize) -> u32 {
        let _ = offset;
        todo!()
    }

    /// Writes the value at the aligned `offset`.
    pub fn write_u32(&self, offset: usize, value: u32) {
        let _ = (offset, value);
        todo!()
    }

    /// Reads the little-endian value at the aligned `offset`.
    pub fn read_u64(&self, offset: usize) -> u64 {
        let _ = offset;
        todo!()
    }

    /// Writes the value at the aligned `offset`.
    pub fn write_u64(&self, offset: usize, value: u64) {
        let _ = (offset, value);
        todo!()
    }

    /// The word at the aligned `offset`, for atomic access.
    pub fn atomic_u32(&self, offset: usize) -> &AtomicU32 {
        let _ = offset;
        todo!()
    }

    /// Copies `len` bytes from `offset` to the user address `uaddr`; see [`crate::user`].
    pub fn copy_to_user(&self, offset: usize, uaddr: u64, len: usize) -> Result<(), crate::user::UserFault> {
        let _ = (offset, uaddr, len);
        todo!()
    }

    /// Copies `len` bytes from the user address `uaddr` to `offset`; see [`crate::user`].
    pub fn copy_from_user(&self, offset: usize, uaddr: u64, len: usize) -> Result<(), crate::user::UserFault> {
        let _ = (offset, uaddr, len);
        todo!()
    }
}

impl Clone for Frame {
    fn clone(&self) -> Frame {
        todo!()
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        todo!()
    }
}

impl PartialEq for Frame {
    fn eq(&self, other: &Frame) -> bool {
        self.pfn == other.pfn
    }
}

impl Eq for Frame {}

/// Frames that follow each other in physical memory.
#[derive(Debug, Clone)]
pub struct FrameRange {
    frames: Vec<Frame>,
}

impl FrameRange {
    /// `count` consecutive frames, zeroed, the first aligned to `count` rounded up to a power of two. None: no such run is free.
    pub fn alloc_contiguous(count: usize) -> Option<FrameRange> {
        let _ = count;
        todo!()
    }

    /// Physical address of the first.
    pub fn paddr(&self) -> u64 {
        self.frames[0].paddr()
    }

    /// The frames in order.
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// The frames in order.
    pub fn into_frames(self) -> Vec<Frame> {
        self.frames
    }
}

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

/// The use of memory now.
pub fn stats() -> MemStats {
    todo!()
}

/// Sets what is called when an allocation finds no memory: `hook(frames)` should free at least so many frames and returns how many it freed (0: no
/// hope, the allocation fails). It is called in any context an allocation may be made in, also with locks held: it must use `try_lock`, and must not sleep.
pub fn set_reclaim_hook(hook: fn(frames: usize) -> usize) {
    let _ = hook;
    todo!()
}
