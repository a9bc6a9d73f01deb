//! Giving clean pages back when memory runs short: a clock over the caches of files with a backend.

use alloc::collections::VecDeque;
use alloc::sync::{Arc, Weak};
use core::sync::atomic::{AtomicIsize, Ordering};

use super::PageCache;
use crate::sync::SpinLock;

/// Caches with a backend, in the order in which the clock's hand will come to them.
static CACHES: SpinLock<VecDeque<Weak<PageCache>>> = SpinLock::new(VecDeque::new());
static FILE_PAGES: AtomicIsize = AtomicIsize::new(0);
static MEMORY_PAGES: AtomicIsize = AtomicIsize::new(0);

pub(super) fn register(cache: &Arc<PageCache>) {
    let mut caches = CACHES.lock();
    caches.push_back(Arc::downgrade(cache));
    // Sweep out the dead, two for each new one.
    for _ in 0..2 {
        match caches.pop_front() {
            Some(cache) if cache.strong_count() > 0 => caches.push_back(cache),
            _ => {}
        }
    }
}

pub(super) fn count(with_backend: bool, pages: isize) {
    let counter = if with_backend { &FILE_PAGES } else { &MEMORY_PAGES };
    counter.fetch_add(pages, Ordering::Relaxed);
}

/// Cached pages: (of files on filesystems, of files in memory).
pub fn cached_pages() -> (usize, usize) {
    (FILE_PAGES.load(Ordering::Relaxed).max(0) as usize, MEMORY_PAGES.load(Ordering::Relaxed).max(0) as usize)
}

/// Pages freed at one go, so that the next allocations need not come here.
const BATCH: usize = 128;

/// Frees at least `wanted` clean pages, if there are so many; returns how many it freed. May be called with any lock held, in any context: it only tries locks.
pub fn reclaim(wanted: usize) -> usize {
    let wanted = wanted.max(BATCH);
    let mut freed = 0;
    let Some(rounds) = CACHES.try_lock().map(|c| c.len()) else { return 0 };
    // Two turns: the first takes the marks of pages used lately.
    for _ in 0..rounds * 2 {
        if freed >= wanted {
            break;
        }
        let Some(next) = CACHES.try_lock().and_then(|mut c| c.pop_front()) else { break };
        let Some(cache) = next.upgrade() else { continue };
        freed += cache.evict_by_clock(wanted - freed);
        if let Some(mut caches) = CACHES.try_lock() {
            caches.push_back(next);
        } else {
            // Somebody registers a cache right now; wait for that very short section.
            CACHES.lock().push_back(next);
        }
    }
    freed
}

/// Chunks looked at under one lock.
const SCAN: usize = 128;

impl PageCache {
    /// Evicts clean pages of a range whose frames nobody else holds.
    pub(super) fn evict(&self, first: u64, end: u64) {
        let mut from = first;
        while let Some((_, next)) = self.scan(from, end, usize::MAX, false) {
            match next {
                Some(next) => from = next,
                None => break,
            }
        }
    }

    /// Evicts up to `wanted` clean pages not looked at since the hand came by last; goes around the file once at most.
    fn evict_by_clock(&self, wanted: usize) -> usize {
        let mut total = 0;
        let start = self.hand.load(Ordering::Relaxed);
        let mut from = start;
        let mut wrapped = start == 0;
        while total < wanted {
            let Some((count, next)) = self.scan(from, u64::MAX, wanted - total, true) else { break };
            total += count;
            from = next.unwrap_or(0);
            self.hand.store(from, Ordering::Relaxed);
            if next.is_none() {
                if wrapped {
                    break;
                }
                wrapped = true;
            } else if wrapped && from >= start && start != 0 {
                break;
            }
        }
        total
    }

    /// One stretch of evicting, under one lock: the number of pages evicted and where to go on, if not at the end. `None`: the lock is taken.
    fn scan(&self, from: u64, end: u64, wanted: usize, clock: bool) -> Option<(usize, Option<u64>)> {
        // On the stack: there may be no memory for a list.
        let mut gone: [Option<frame::mm::Frame>; 64] = [const { None }; 64];
        let mut count = 0;
        let mut next = None;
        let mut empty = None;
        let mut inner = self.inner.try_lock()?;
        for (scanned, (key, chunk)) in inner.chunks.range_mut(from / 64..).enumerate() {
            if *key * 64 >= end {
                break;
            }
            if count > 0 || scanned == SCAN {
                next = Some(*key * 64);
                break;
            }
            let mask = page_logic::mask_within(*key, from, end);
            let mut candidates = chunk.present() & mask & !chunk.dirty & !chunk.busy();
            if clock {
                candidates &= !chunk.referenced;
                chunk.referenced &= !mask;
            }
            while candidates != 0 && count < wanted {
                let bit = candidates.trailing_zeros() as usize;
                candidates &= candidates - 1;
                if chunk.peek(bit).is_some_and(|f| f.refcount() == 1) {
                    gone[count] = chunk.take(bit);
                    count += 1;
                }
            }
            if chunk.is_empty() {
                empty = Some(*key);
            }
        }
        let chunk = empty.and_then(|key| inner.chunks.remove(&key));
        inner.pages -= count;
        drop(inner);
        drop(chunk);
        count_out(self, count);
        drop(gone);
        Some((count, next))
    }
}

fn count_out(cache: &PageCache, pages: usize) {
    count(cache.backend.is_some(), -(pages as isize));
}
