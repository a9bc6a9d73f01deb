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

/// Frees up to `wanted` clean pages; returns how many it freed. May be called with any lock held, in any context: it only tries locks.
pub fn reclaim(wanted: usize) -> usize {
    let mut freed = 0;
    let Some(rounds) = CACHES.try_lock().map(|c| c.len()) else { return 0 };
    // Two turns: the first takes the marks of pages used lately.
    for _ in 0..rounds * 2 {
        if freed >= wanted {
            break;
        }
        let Some(next) = CACHES.try_lock().and_then(|mut c| c.pop_front()) else { break };
        let Some(cache) = next.upgrade() else { continue };
        freed += cache.evict(0, u64::MAX, wanted - freed, true);
        if let Some(mut caches) = CACHES.try_lock() {
            caches.push_back(next);
        } else {
            // Somebody registers a cache right now; wait for that very short section.
            CACHES.lock().push_back(next);
        }
    }
    freed
}

impl PageCache {
    /// Evicts clean pages of a range whose frames nobody else holds. `clock`: only those not looked at since the last time.
    pub(super) fn evict(&self, first: u64, end: u64, wanted: usize, clock: bool) -> usize {
        // On the stack: there may be no memory for a list.
        let mut gone: [Option<frame::mm::Frame>; 64] = [const { None }; 64];
        let mut total = 0;
        let mut from = first;
        loop {
            let mut count = 0;
            let Some(mut inner) = self.inner.try_lock() else { return total };
            let mut next = None;
            for (key, chunk) in inner.chunks.range_mut(from / 64..) {
                if *key * 64 >= end {
                    break;
                }
                if count > 0 {
                    next = Some(*key * 64);
                    break;
                }
                let mask = page_logic::mask_within(*key, first, end);
                let mut candidates = chunk.present() & mask & !chunk.dirty & !chunk.busy();
                if clock {
                    candidates &= !chunk.referenced;
                    chunk.referenced &= !mask;
                }
                while candidates != 0 && total + count < wanted {
                    let bit = candidates.trailing_zeros() as usize;
                    candidates &= candidates - 1;
                    if chunk.peek(bit).is_some_and(|f| f.refcount() == 1) {
                        gone[count] = chunk.take(bit);
                        count += 1;
                    }
                }
            }
            inner.pages -= count;
            drop(inner);
            count_out(self, count);
            gone.iter_mut().take(count).for_each(|f| *f = None);
            total += count;
            match next {
                Some(at) if total < wanted => from = at,
                _ => break,
            }
        }
        self.drop_empty_chunks();
        total
    }

    /// Without allocating: there may be no memory.
    fn drop_empty_chunks(&self) {
        for _ in 0..64 {
            let Some(mut inner) = self.inner.try_lock() else { return };
            let Some(key) = inner.chunks.iter().find(|(_, c)| c.is_empty()).map(|(k, _)| *k) else { return };
            let gone = inner.chunks.remove(&key);
            drop(inner);
            drop(gone);
        }
    }
}

fn count_out(cache: &PageCache, pages: usize) {
    count(cache.backend.is_some(), -(pages as isize));
}
