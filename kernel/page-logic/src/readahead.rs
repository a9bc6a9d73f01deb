//! Reading more than was asked for, where a file is read in order.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::MAX_BATCH;

/// First window of a sequential reader, in pages.
const INITIAL: usize = 16;

/// What one reader of a file did last. Races between threads that share it only cost a worse guess.
pub struct ReadAhead {
    /// The page after the last one looked at.
    next: AtomicU64,
    /// Pages read ahead last time.
    window: AtomicU32,
    /// The first page that nobody has asked for yet, while reading goes on in order; 0 before.
    asked: AtomicU64,
}

impl Default for ReadAhead {
    fn default() -> Self {
        Self::new()
    }
}

impl ReadAhead {
    /// A reader that has not read yet. Reading from the start counts as in order.
    pub const fn new() -> Self {
        Self { next: AtomicU64::new(0), window: AtomicU32::new(0), asked: AtomicU64::new(0) }
    }

    /// Notes that the pages `first..end` were read.
    pub fn note(&self, first: u64, end: u64) {
        let next = self.next.load(Ordering::Relaxed);
        if first != next && first + 1 != next {
            self.window.store(0, Ordering::Relaxed);
            self.asked.store(0, Ordering::Relaxed);
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
        self.asked.store(if in_order && window == MAX_BATCH { index + window as u64 } else { 0 }, Ordering::Relaxed);
        self.next.store(index + 1, Ordering::Relaxed);
        window
    }

    /// The pages to ask for now, without waiting for them, by a reader that is about to look at those before page `end`: a whole batch, as long as no more than one lies
    /// between; `pages` are in the file. To be called until it says `None`.
    pub fn next_batch(&self, end: u64, pages: u64) -> Option<(u64, usize)> {
        let asked = self.asked.load(Ordering::Relaxed);
        if asked == 0 || asked >= pages || asked < end || asked - end > MAX_BATCH as u64 {
            return None;
        }
        let count = (pages - asked).min(MAX_BATCH as u64);
        self.asked.store(asked + count, Ordering::Relaxed);
        Some((asked, count as usize))
    }

    /// No more batches until pages are missing again: they are there already, or cannot be had.
    pub fn stop(&self) {
        self.asked.store(0, Ordering::Relaxed);
    }

    /// Whether a reader that begins at page `first` goes on in order.
    pub fn is_next(&self, first: u64) -> bool {
        let next = self.next.load(Ordering::Relaxed);
        first == next || first + 1 == next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_in_order_and_stays_small_at_random() {
        let ahead = ReadAhead::new();
        assert_eq!(ahead.window(0, 1), 16);
        for page in 0..16 {
            ahead.note(page, page + 1);
        }
        assert_eq!(ahead.window(16, 1), 32);
        ahead.note(16, 17);
        assert_eq!(ahead.window(48, 1), MAX_BATCH);
        ahead.note(5000, 5001);
        assert_eq!(ahead.window(9000, 3), 3);
    }

    #[test]
    fn a_sequential_reader_needs_few_requests() {
        let ahead = ReadAhead::new();
        let (mut cached, mut requests) = (0, 0);
        for page in 0..10_000 {
            if page >= cached {
                cached = page + ahead.window(page, 1) as u64;
                requests += 1;
            }
            ahead.note(page, page + 1);
        }
        assert!(requests <= 10_000 / MAX_BATCH + 3, "{requests} requests");
    }

    #[test]
    fn a_reader_in_order_has_one_or_two_batches_before_it() {
        let (ahead, batch, pages) = (ReadAhead::new(), MAX_BATCH as u64, 10 * MAX_BATCH as u64 + 5);
        assert_eq!(ahead.next_batch(batch, pages), None, "nothing was read yet");
        assert_eq!(ahead.window(0, MAX_BATCH), MAX_BATCH);
        let mut asked = batch;
        for read in 1..=10 {
            let end = read * batch;
            while let Some((first, count)) = ahead.next_batch(end, pages) {
                assert_eq!(first, asked);
                asked += count as u64;
                assert!(asked <= pages);
            }
            assert!(asked >= (end + batch).min(pages) && asked <= end + 2 * batch);
            ahead.note(end - batch, end);
            assert!(ahead.is_next(end));
        }
        assert_eq!(asked, pages);
    }

    #[test]
    fn batches_end_with_the_order() {
        let ahead = ReadAhead::new();
        ahead.window(0, MAX_BATCH);
        ahead.note(5000, 5001);
        assert_eq!(ahead.next_batch(5001, 100_000), None);
        ahead.window(5001, MAX_BATCH);
        assert!(ahead.next_batch(5001 + MAX_BATCH as u64, 100_000).is_some());
        ahead.stop();
        assert_eq!(ahead.next_batch(5001 + MAX_BATCH as u64, 100_000), None);
    }

    #[test]
    fn small_reads_begin_batches_when_the_window_has_grown() {
        let ahead = ReadAhead::new();
        assert_eq!(ahead.window(0, 1), 16);
        assert_eq!(ahead.next_batch(1, 10_000), None);
    }

    #[test]
    fn a_random_reader_reads_only_what_it_needs() {
        let ahead = ReadAhead::new();
        let mut page = 1u64;
        for _ in 0..1000 {
            page = page.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = 100 + (page >> 44);
            assert_eq!(ahead.window(at, 1), 1);
            ahead.note(at, at + 1);
        }
    }

    #[test]
    fn never_less_than_wanted_nor_more_than_a_request() {
        let ahead = ReadAhead::new();
        for (page, wanted) in [(0, 200), (64, 1), (7, 64), (8, 65), (u64::MAX - 1, 2)] {
            let window = ahead.window(page, wanted);
            assert!(window >= wanted.min(MAX_BATCH) && window <= MAX_BATCH);
        }
    }
}
