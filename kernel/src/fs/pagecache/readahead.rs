//! Reading more than was asked for, where a file is read in order.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::MAX_BATCH;

/// First window of a sequential reader, in pages.
const INITIAL: usize = 16;

/// What one reader of a file did last. Races between threads that share it only cost a worse guess.
pub struct ReadAhead {
    /// The page after the last one looked at.
    next: AtomicU64,
    /// Pages read ahead last time.
    window: AtomicU32,
}

impl Default for ReadAhead {
    fn default() -> Self {
        Self::new()
    }
}

impl ReadAhead {
    /// A reader that has not read yet. Reading from the start counts as in order.
    pub const fn new() -> Self {
        Self { next: AtomicU64::new(0), window: AtomicU32::new(0) }
    }

    /// Notes that the pages `first..end` were read.
    pub fn note(&self, first: u64, end: u64) {
        let next = self.next.load(Ordering::Relaxed);
        if first != next && first + 1 != next {
            self.window.store(0, Ordering::Relaxed);
        }
        self.next.store(end, Ordering::Relaxed);
    }

    /// How many pages to read from the absent page `index` on, where `wanted` are needed.
    pub fn window(&self, index: u64, wanted: usize) -> usize {
        let next = self.next.load(Ordering::Relaxed);
        let last = self.window.load(Ordering::Relaxed) as usize;
        // In order: at the expected page, or on the page looked at before. After a batch the next absent page lies behind it.
        let in_order = index == next || index + 1 == next || (last > 0 && index > next && index - next <= last as u64);
        let window = if in_order { (last * 2).clamp(INITIAL, MAX_BATCH) } else { 1 };
        let window = window.max(wanted.min(MAX_BATCH));
        self.window.store(if in_order { window as u32 } else { 0 }, Ordering::Relaxed);
        self.next.store(index + 1, Ordering::Relaxed);
        window
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_in_order_and_stays_small_at_random() {
        let ra = ReadAhead::new();
        assert_eq!(ra.window(0, 1), 16);
        for page in 0..16 {
            ra.note(page, page + 1);
        }
        assert_eq!(ra.window(16, 1), 32);
        ra.note(16, 17);
        assert_eq!(ra.window(48, 1), 64);
        ra.note(5000, 5001);
        assert_eq!(ra.window(9000, 3), 3);
    }
}
