//! The transfer area seen from the daemon: the one place where addresses become slices.
#![allow(unsafe_code)]

use crate::error::Errno;
use scheme_abi::TransferArea;
use scheme_abi::area::in_one_slot;

/// The daemon's transfer area.
#[derive(Debug)]
pub(crate) struct Area {
    start: u64,
    /// The buffer that a method works on just now: no other slice may overlap it.
    lent: Range,
    /// What keeps the memory mapped, where it is not the kernel (tests).
    _owner: Option<std::sync::Arc<crate::testing::TestArea>>,
}

/// A request's buffer: an address range inside one slot of the area.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Range {
    ptr: u64,
    len: usize,
}

impl Range {
    /// Address and length.
    pub(crate) const fn parts(self) -> (u64, usize) {
        (self.ptr, self.len)
    }

    const fn overlaps(self, other: Self) -> bool {
        let ends = (self.ptr + self.len as u64, other.ptr + other.len as u64);
        self.len != 0 && other.len != 0 && self.ptr < ends.1 && other.ptr < ends.0
    }

    /// The bytes.
    ///
    /// # Safety
    ///
    /// The range was made by [`Area::range`] of an area that is still mapped, and no other slice overlaps it for
    /// `'a`.
    unsafe fn slice<'a>(self) -> &'a mut [u8] {
        if self.len == 0 {
            return &mut [];
        }
        // SAFETY: `Area::range` checked that the range lies inside the area, which `Area::new` demands to be mapped,
        // readable and writable; exclusiveness is the caller's promise. Any bytes are valid `u8`s.
        unsafe { core::slice::from_raw_parts_mut(self.ptr as *mut u8, self.len) }
    }
}

impl Area {
    /// The area that the kernel described.
    ///
    /// # Safety
    ///
    /// `area.len` bytes at `area.addr` must stay mapped, readable and writable, and be used by nobody else
    /// in this process, as long as the value lives.
    pub(crate) unsafe fn new(
        area: TransferArea,
        owner: Option<std::sync::Arc<crate::testing::TestArea>>,
    ) -> std::io::Result<Self> {
        if area.addr == 0 || area.len < scheme_abi::area::AREA_BYTES as u64 {
            let text = format!("transfer area of {} bytes at {:#x}", area.len, area.addr);
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, text));
        }
        Ok(Self {
            start: area.addr,
            lent: Range::default(),
            _owner: owner,
        })
    }

    /// Checks that a request's buffer lies inside one slot. EFAULT where it does not. Empty ones are always good.
    pub(crate) fn range(&self, ptr: u64, len: u64) -> Result<Range, Errno> {
        if len == 0 {
            return Ok(Range::default());
        }
        if !in_one_slot(ptr.wrapping_sub(self.start), len) {
            return Err(Errno::FAULT);
        }
        let len = len as usize; // at most a slot
        Ok(Range { ptr, len })
    }

    /// The bytes of a checked range. EFAULT where they overlap the lent ones, which an honest kernel never asks for.
    pub(crate) fn bytes(&mut self, range: Range) -> Result<&mut [u8], Errno> {
        if range.overlaps(self.lent) {
            return Err(Errno::FAULT);
        }
        // SAFETY: the result borrows `self` exclusively and does not overlap the lent bytes.
        Ok(unsafe { range.slice() })
    }

    /// Lends a checked range's bytes, while the area itself stays usable for other ranges. One loan at a time: the
    /// crate lends only to the method it calls, and a method that panics drops its loan.
    pub(crate) fn lend(&mut self, range: Range) -> Lent {
        self.lent = range;
        Lent(range)
    }

    /// Ends a loan.
    pub(crate) fn take_back(&mut self, lent: Lent) {
        debug_assert_eq!(lent.0, self.lent);
        self.lent = Range::default();
    }
}

/// Bytes lent by [`Area::lend`]; to be given back before the area goes away.
#[derive(Debug)]
pub(crate) struct Lent(Range);

impl Lent {
    /// The bytes.
    pub(crate) fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: `Area` hands out one `Lent` at a time and no slice that overlaps it; the result borrows the loan.
        unsafe { self.0.slice() }
    }
}
