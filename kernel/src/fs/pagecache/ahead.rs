//! Reading what is not wanted yet: whole units of the backend, and batches that nobody waits for.

use alloc::sync::Arc;
use alloc::vec::Vec;

use frame::mm::Frame;

use super::{Lookup, MAX_BATCH, PAGE, PageCache, ReadAhead};

/// Pages that are being read without anybody waiting. Where it is dropped without [`Fill::done`] they are absent again.
pub struct Fill {
    cache: Arc<PageCache>,
    first: u64,
    frames: Vec<Frame>,
    is_done: bool,
}

impl Fill {
    /// The first of the pages.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// Their memory, to be filled.
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// This many bytes were read into them; fewer than asked only at the end of the file.
    pub fn done(mut self, bytes: usize) {
        self.is_done = true;
        self.cache.filled(self.first, &self.frames, Some(bytes));
    }
}

impl Drop for Fill {
    fn drop(&mut self) {
        if !self.is_done {
            self.cache.filled(self.first, &self.frames, None);
        }
    }
}

impl PageCache {
    /// Begins to read what a reader in order will want next, who is about to look at the pages before `end`.
    pub(super) fn run_ahead(&self, ahead: &ReadAhead, end: u64) {
        let pages = self.size().div_ceil(PAGE);
        while let Some((first, count)) = ahead.next_batch(end, pages) {
            if !self.begin_ahead(first, count) {
                ahead.stop();
            }
        }
    }

    /// Begins to read absent pages; false where they are not all absent, or there is no memory to spare.
    fn begin_ahead(&self, first: u64, count: usize) -> bool {
        let (Some(backend), Some(cache)) = (&self.backend, self.me.upgrade()) else { return false };
        let frames: Vec<Frame> = (0..count).map_while(|_| Frame::alloc()).collect();
        if frames.len() < count {
            return false;
        }
        let taken = self.begin_fill(first, &frames);
        if taken == 0 {
            return false;
        }
        let mut fill = Fill { cache, first, frames, is_done: false };
        fill.frames.truncate(taken);
        backend.read_ahead(fill);
        taken == count
    }

    /// The absent pages around `index` in its unit of `unit` pages, for `count` from `index` on: first and number, at most [`MAX_BATCH`]. Where a page costs its whole unit the others
    /// need not be asked for again.
    pub(super) fn whole_units(&self, unit: u64, index: u64, count: usize) -> (u64, usize) {
        let unit = unit.min(MAX_BATCH as u64);
        if unit <= 1 {
            return (index, count);
        }
        let end = (index + count as u64).next_multiple_of(unit);
        let mut first = index;
        let mut inner = self.inner.lock();
        while first % unit != 0 {
            let before = first - 1;
            let is_absent = inner.chunks.get_mut(&(before / 64)).is_none_or(|chunk| matches!(chunk.get((before % 64) as usize), Lookup::Absent));
            if !is_absent {
                break;
            }
            first = before;
        }
        if end - first > MAX_BATCH as u64 {
            // As much as one request takes, and what is wanted in any case.
            return (index, ((end - index) as usize).min(MAX_BATCH));
        }
        (first, (end - first) as usize)
    }
}
