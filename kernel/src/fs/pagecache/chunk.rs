//! 64 consecutive pages of a file and their states, one bit each.

use alloc::boxed::Box;
use alloc::vec::Vec;

use frame::mm::Frame;

use super::Lookup;

/// Pages `64 * key ..`.
pub(super) struct Chunk {
    frames: Box<[Option<Frame>; 64]>,
    present: u64,
    filling: u64,
    pub(super) dirty: u64,
    pub(super) writeback: u64,
    /// Looked at since the clock's hand came by.
    pub(super) referenced: u64,
}

impl Default for Chunk {
    fn default() -> Self {
        Self { frames: Box::new([const { None }; 64]), present: 0, filling: 0, dirty: 0, writeback: 0, referenced: 0 }
    }
}

impl Chunk {
    pub(super) fn get(&mut self, bit: usize) -> Lookup {
        let mask = 1 << bit;
        if self.filling & mask != 0 {
            return Lookup::Filling;
        }
        match &self.frames[bit] {
            Some(frame) => {
                self.referenced |= mask;
                Lookup::Present(frame.clone())
            }
            None => Lookup::Absent,
        }
    }

    pub(super) fn peek(&self, bit: usize) -> Option<&Frame> {
        self.frames[bit].as_ref()
    }

    pub(super) fn put(&mut self, bit: usize, frame: Frame) {
        self.frames[bit] = Some(frame);
        self.present |= 1 << bit;
        self.referenced |= 1 << bit;
    }

    pub(super) fn put_filling(&mut self, bit: usize, frame: Frame) {
        self.put(bit, frame);
        self.filling |= 1 << bit;
    }

    /// The content is there, or (not `good`) will not come: then gives the frame back.
    pub(super) fn filled(&mut self, bit: usize, good: bool) -> Option<Frame> {
        self.filling &= !(1 << bit);
        if good { None } else { self.take(bit) }
    }

    pub(super) fn take(&mut self, bit: usize) -> Option<Frame> {
        let mask = !(1 << bit);
        self.present &= mask;
        self.dirty &= mask;
        self.referenced &= mask;
        self.frames[bit].take()
    }

    /// Pages with content.
    pub(super) fn present(&self) -> u64 {
        self.present & !self.filling
    }

    /// Pages somebody does I/O on.
    pub(super) fn busy(&self) -> u64 {
        self.filling | self.writeback
    }

    pub(super) fn is_empty(&self) -> bool {
        self.present == 0
    }

    /// Takes out the pages of `mask` that are not busy; returns how many of them were dirty. Busy ones become clean.
    pub(super) fn take_clean_of_busy(&mut self, mask: u64, gone: &mut Vec<Frame>) -> usize {
        let dirty = (self.dirty & mask).count_ones() as usize;
        self.dirty &= !mask;
        let mut left = self.present & mask & !self.busy();
        while left != 0 {
            let bit = left.trailing_zeros() as usize;
            left &= left - 1;
            gone.extend(self.take(bit));
        }
        dirty
    }
}
