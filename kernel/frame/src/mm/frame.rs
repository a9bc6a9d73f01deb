//! Counted references to frames.

use alloc::vec::Vec;
use core::num::NonZeroU32;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

use super::{DIRECT_MAP, PAGE_SIZE, cache, copy};
use crate::user::{self, UserFault};

/// A counted reference to a frame of RAM: clone and drop count. The last one frees the frame.
///
/// The bytes may change under the reader (a user program may have the frame mapped), so they are only copied.
#[derive(Debug)]
pub struct Frame {
    pfn: NonZeroU32,
}

/// More references than this are a leak that would overflow the count.
const MAX_REFCOUNT: u32 = u32::MAX / 2;

impl Frame {
    /// A frame with unspecified (but initialised) content. None: out of memory, also after the reclaim hook ran; a reserve is left then for the kernel's
    /// own structures.
    ///
    /// The content may be an earlier owner's: overwrite all of it before a user program can see it.
    #[inline]
    pub fn alloc() -> Option<Frame> {
        let pfn = cache::alloc_frame_above_reserve()?;
        cache::meta(pfn).refcount.store(1, Ordering::Relaxed);
        Some(Frame { pfn: NonZeroU32::new(pfn)? })
    }

    /// A frame of zeros.
    #[inline]
    pub fn alloc_zeroed() -> Option<Frame> {
        let frame = Self::alloc()?;
        frame.zero();
        Some(frame)
    }

    /// Physical address.
    #[inline]
    pub fn paddr(&self) -> u64 {
        (self.pfn.get() as u64) << 12
    }

    /// Number of references, page table entries included.
    #[inline]
    pub fn refcount(&self) -> u32 {
        cache::meta(self.pfn.get()).refcount.load(Ordering::Acquire)
    }

    /// Gives up the handle but keeps its reference; [`Self::from_paddr`] takes it up again.
    #[inline]
    pub(crate) fn into_paddr(self) -> u64 {
        let paddr = self.paddr();
        core::mem::forget(self);
        paddr
    }

    /// # Safety
    /// `paddr` came from [`Self::into_paddr`], and each call of that answers at most one of this.
    #[inline]
    pub(crate) unsafe fn from_paddr(paddr: u64) -> Frame {
        // SAFETY: frame numbers of frames are never 0 (low memory is not handed out).
        Frame { pfn: unsafe { NonZeroU32::new_unchecked((paddr >> 12) as u32) } }
    }

    /// Address in the direct map of the byte at `offset`, where `len` bytes are within the frame.
    #[inline]
    fn at(&self, offset: usize, len: usize) -> *mut u8 {
        assert!(offset <= PAGE_SIZE && len <= PAGE_SIZE - offset, "{len} bytes at {offset} are not within a frame");
        (DIRECT_MAP + self.paddr() + offset as u64) as *mut u8
    }

    /// Copies bytes out, from byte `offset` on.
    ///
    /// # Panics
    /// If the range is not within the frame; so do all of these.
    #[inline]
    pub fn read(&self, offset: usize, out: &mut [u8]) {
        // SAFETY: the source is a mapped frame that holds no kernel object, the destination a Rust slice.
        unsafe { copy::copy(out.as_mut_ptr(), self.at(offset, out.len()), out.len()) };
    }

    /// Copies bytes in.
    #[inline]
    pub fn write(&self, offset: usize, data: &[u8]) {
        // SAFETY: as in `read`, the other way.
        unsafe { copy::copy(self.at(offset, data.len()), data.as_ptr(), data.len()) };
    }

    /// Fills it with zeros.
    #[inline]
    pub fn zero(&self) {
        // SAFETY: a whole mapped frame that holds no kernel object.
        unsafe { copy::zero_page(self.at(0, PAGE_SIZE)) };
    }

    /// Fills a part with zeros.
    pub fn zero_range(&self, offset: usize, len: usize) {
        // SAFETY: within a mapped frame that holds no kernel object.
        unsafe { copy::zero(self.at(offset, len), len) };
    }

    /// Copies all of `other`.
    #[inline]
    pub fn copy_from(&self, other: &Frame) {
        // SAFETY: two mapped frames that hold no kernel objects.
        unsafe { copy::copy_page(self.at(0, PAGE_SIZE), other.at(0, PAGE_SIZE)) };
    }

    /// Copies `len` bytes of `other` from `other_offset` to `offset`. In the same frame the ranges must not overlap.
    pub fn copy_range_from(&self, offset: usize, other: &Frame, other_offset: usize, len: usize) {
        // SAFETY: as in `copy_from`; overlap gives wrong bytes, no more.
        unsafe { copy::copy(self.at(offset, len), other.at(other_offset, len), len) };
    }

    #[inline]
    fn atomic<T>(&self, offset: usize) -> &T {
        let pointer = self.at(offset, size_of::<T>());
        assert!(offset.is_multiple_of(size_of::<T>()), "{offset} is not aligned");
        // SAFETY: used with atomics only, which any content and concurrent change suits; the frame lives as long as `self`.
        unsafe { &*(pointer as *const T) }
    }

    /// Reads the little-endian value at the aligned `offset`.
    #[inline]
    pub fn read_u32(&self, offset: usize) -> u32 {
        self.atomic::<AtomicU32>(offset).load(Ordering::Relaxed)
    }

    /// Writes the value at the aligned `offset`.
    #[inline]
    pub fn write_u32(&self, offset: usize, value: u32) {
        self.atomic::<AtomicU32>(offset).store(value, Ordering::Relaxed);
    }

    /// Reads the little-endian value at the aligned `offset`.
    #[inline]
    pub fn read_u64(&self, offset: usize) -> u64 {
        self.atomic::<AtomicU64>(offset).load(Ordering::Relaxed)
    }

    /// Writes the value at the aligned `offset`.
    #[inline]
    pub fn write_u64(&self, offset: usize, value: u64) {
        self.atomic::<AtomicU64>(offset).store(value, Ordering::Relaxed);
    }

    /// The word at the aligned `offset`, for atomic access.
    #[inline]
    pub fn atomic_u32(&self, offset: usize) -> &AtomicU32 {
        self.atomic(offset)
    }

    /// The word at the aligned `offset`, for atomic access.
    #[inline]
    pub fn atomic_u64(&self, offset: usize) -> &AtomicU64 {
        self.atomic(offset)
    }

    /// Copies `len` bytes from `offset` to the user address `uaddr`; see [`crate::user`].
    pub fn copy_to_user(&self, offset: usize, uaddr: u64, len: usize) -> Result<(), UserFault> {
        // SAFETY: the source is within a mapped frame.
        unsafe { user::copy_raw_to_user(uaddr, self.at(offset, len), len) }
    }

    /// Copies `len` bytes from the user address `uaddr` to `offset`; see [`crate::user`].
    pub fn copy_from_user(&self, offset: usize, uaddr: u64, len: usize) -> Result<(), UserFault> {
        // SAFETY: the destination is within a mapped frame that holds no kernel object.
        unsafe { user::copy_raw_from_user(self.at(offset, len), uaddr, len) }
    }
}

/// Adds a reference to the frame at `paddr`, for a page table entry that is copied.
#[inline]
pub(crate) fn add_reference(paddr: u64) {
    let before = cache::meta((paddr >> 12) as u32).refcount.fetch_add(1, Ordering::Relaxed);
    assert!(before < MAX_REFCOUNT, "too many references to a frame");
}

impl Clone for Frame {
    #[inline]
    fn clone(&self) -> Frame {
        add_reference(self.paddr());
        Frame { pfn: self.pfn }
    }
}

impl Drop for Frame {
    #[inline]
    fn drop(&mut self) {
        if cache::meta(self.pfn.get()).refcount.fetch_sub(1, Ordering::Release) == 1 {
            // All uses of the frame through other references come before it is used anew.
            fence(Ordering::Acquire);
            cache::free_frame(self.pfn.get());
        }
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
    /// `count` consecutive frames, zeroed, the first aligned to `count` rounded up to a power of two (of frames). None: no such run is free, or `count` is 0.
    pub fn alloc_contiguous(count: usize) -> Option<FrameRange> {
        if count == 0 || count > 1 << (frame_logic::buddy::ORDERS - 1) {
            return None;
        }
        let mut frames = Vec::new();
        frames.try_reserve_exact(count).ok()?;
        let order = count.next_power_of_two().trailing_zeros() as usize;
        let first = cache::alloc_order(order)?;
        for i in 0..1 << order {
            let pfn = first + i as u32;
            if i >= count {
                cache::free_frame(pfn);
                continue;
            }
            cache::meta(pfn).refcount.store(1, Ordering::Relaxed);
            // SAFETY: the frame was just allocated, and this is its one reference.
            let frame = unsafe { Frame::from_paddr((pfn as u64) << 12) };
            frame.zero();
            frames.push(frame);
        }
        Some(FrameRange { frames })
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
