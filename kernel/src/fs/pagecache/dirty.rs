//! Dirty pages: accounting, write-back, the flusher thread.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicIsize, AtomicUsize, Ordering};

use frame::mm::{Frame, PAGE_SIZE};

use super::{Inner, MAX_BATCH, PAGE, PageCache};
use crate::error::*;
use crate::sync::{Once, SpinLock, WaitQueue};

/// How often the flusher looks, and after how long it writes a file's pages in any case.
const PERIOD_NS: u64 = 1_000_000_000;
const MAX_AGE_NS: u64 = 5_000_000_000;

static DIRTY: AtomicIsize = AtomicIsize::new(0);
/// Memory is short: everything is to be written, whatever its age.
static URGENT: AtomicBool = AtomicBool::new(false);
static WRITEBACK: AtomicUsize = AtomicUsize::new(0);
/// Caches with dirty pages (kept alive by this) and when they were first made dirty, by their addresses.
static LIST: SpinLock<BTreeMap<usize, (Arc<PageCache>, u64)>> = SpinLock::new(BTreeMap::new());

fn flush_queue() -> &'static WaitQueue {
    static QUEUE: Once<WaitQueue> = Once::new();
    QUEUE.get_or_init(WaitQueue::new)
}

/// Dirty pages in all caches.
pub fn dirty_pages() -> usize {
    DIRTY.load(Ordering::Relaxed).max(0) as usize
}

/// Pages being written back.
pub fn writeback_pages() -> usize {
    WRITEBACK.load(Ordering::Relaxed)
}

pub(super) fn count(pages: isize) {
    DIRTY.fetch_add(pages, Ordering::Relaxed);
}

/// (From here on the flusher writes whatever its age, from here on writers must write themselves), in pages.
fn limits() -> (usize, usize) {
    static LIMITS: Once<(usize, usize)> = Once::new();
    *LIMITS.get_or_init(|| {
        let total = frame::mm::stats().total.max(1024);
        (total / 10, total / 5)
    })
}

/// Asks the flusher to write everything and gives it a moment. Returns whether there is hope: something is dirty or on its way to the disk, and
/// no signal asks the caller to stop. The caller must not write itself: it may be the daemon that serves the disk.
pub(super) fn wait_for_progress() -> bool {
    const PAUSE_NS: u64 = 5_000_000;
    if dirty_pages() == 0 && writeback_pages() == 0 {
        return false;
    }
    URGENT.store(true, Ordering::Relaxed);
    kick_flusher();
    let until = frame::time::now_ns() + PAUSE_NS;
    let slept = pause_queue().wait_deadline(Some(until), || None::<()>);
    slept == Err(ETIMEDOUT)
}

/// Where nobody is woken: for pauses.
fn pause_queue() -> &'static WaitQueue {
    static QUEUE: Once<WaitQueue> = Once::new();
    QUEUE.get_or_init(WaitQueue::new)
}

/// Makes the flusher look now.
fn kick_flusher() {
    flush_queue().wake_all();
}

/// The flusher thread: never returns.
pub fn flusher() {
    loop {
        let deadline = frame::time::now_ns() + PERIOD_NS;
        let background = limits().0;
        // Time-out and kick mean the same here.
        let _ = flush_queue().wait_deadline(Some(deadline), || (dirty_pages() > background || URGENT.load(Ordering::Relaxed)).then_some(()));
        let everything = URGENT.swap(false, Ordering::Relaxed) || dirty_pages() > background;
        let listed: Vec<usize> = LIST.lock().keys().copied().collect();
        let mut progress = false;
        for address in listed {
            let Some((cache, since)) = LIST.lock().remove(&address) else { continue };
            let old = frame::time::now_ns().saturating_sub(since) >= MAX_AGE_NS;
            // The list's reference is the last one: nobody will write to it again.
            let orphan = Arc::strong_count(&cache) == 1;
            if everything || old || orphan {
                progress |= cache.write_back(0, u64::MAX, false).is_ok();
                cache.relist(frame::time::now_ns());
            } else {
                cache.relist(since);
            }
        }
        if everything && !progress {
            // The disk does not take anything now: do not spin on it.
            let until = frame::time::now_ns() + PERIOD_NS / 10;
            let _ = pause_queue().wait_deadline(Some(until), || None::<()>);
        }
    }
}

/// Writes all dirty pages of all files (`sync(2)`), and waits for that. Errors are reported by the files' next `fsync`.
pub fn sync_all() {
    let caches: Vec<Arc<PageCache>> = LIST.lock().values().map(|entry| entry.0.clone()).collect();
    for cache in caches {
        if let Err(error) = cache.write_back(0, u64::MAX, true) {
            cache.error.store(error.0, Ordering::Relaxed);
        }
    }
}

impl PageCache {
    /// Sets a page's dirty mark. The lock is held.
    pub(super) fn mark(&self, inner: &mut Inner, index: u64) {
        if self.backend.is_none() || self.discarded.load(Ordering::Relaxed) {
            return;
        }
        let Some(chunk) = inner.chunks.get_mut(&(index / 64)) else { return };
        let bit = 1 << (index % 64);
        if chunk.dirty & bit != 0 {
            return;
        }
        chunk.dirty |= bit;
        inner.dirty += 1;
        count(1);
        if !inner.listed {
            if let Some(me) = self.me.upgrade() {
                inner.listed = true;
                LIST.lock().insert(self.address(), (me, frame::time::now_ns()));
            }
        }
    }

    /// Marks the page dirty if it still is this frame.
    pub(super) fn set_dirty(&self, index: u64, frame: &Frame) {
        if self.backend.is_none() {
            return;
        }
        let mut inner = self.inner.lock();
        if inner.chunks.get(&(index / 64)).and_then(|c| c.peek((index % 64) as usize)) == Some(frame) {
            self.mark(&mut inner, index);
        }
    }

    /// Its key in the list.
    fn address(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }

    /// It has no dirty pages and will never have any: the list need not keep it, nor what it keeps, until the flusher comes by. (The daemon may free a deleted file only when
    /// nothing of it is left here.)
    pub(super) fn unlist(&self) {
        let gone = LIST.lock().remove(&self.address());
        if gone.is_some() {
            self.inner.lock().listed = false;
        }
        drop(gone);
    }

    /// Back into the list, as dirty since `now`, unless it is clean.
    fn relist(self: Arc<Self>, now: u64) {
        let mut inner = self.inner.lock();
        if inner.dirty == 0 {
            inner.listed = false;
            drop(inner);
        } else {
            drop(inner);
            LIST.lock().insert(self.address(), (self, now));
        }
    }

    /// A writer has made pages dirty: it helps to write where there are too many.
    pub(super) fn balance(&self) {
        if self.backend.is_none() {
            return;
        }
        let (background, hard) = limits();
        let all = dirty_pages();
        if all <= background {
            return;
        }
        kick_flusher();
        if all > hard || self.inner.lock().dirty > hard / 2 {
            // An error is kept for fsync.
            let _ = self.write_back(0, u64::MAX, false);
        }
    }

    /// Writes the dirty pages of `first..end`. `wait`: also waits for those that somebody else is writing, and reports errors;
    /// without it an error is kept for the next `fsync`.
    pub(super) fn write_back(&self, first: u64, end: u64, wait: bool) -> Result {
        let Some(backend) = &self.backend else { return Ok(()) };
        let mut failure = Ok(());
        let mut at = first;
        while let Some((start, frames)) = self.begin_write(at, end) {
            let count = frames.len();
            at = start + count as u64;
            self.mappings.write_protect_pages(self, start, count as u64);
            let bytes = self.size().saturating_sub(start * PAGE).min((count * PAGE_SIZE) as u64) as usize;
            let outcome = if bytes == 0 || self.discarded.load(Ordering::Relaxed) {
                Ok(())
            } else {
                backend.write_pages(start, &frames[..bytes.div_ceil(PAGE_SIZE)], bytes)
            };
            let again = matches!(outcome, Err(EINTR | EAGAIN | ENOMEM)) || outcome.is_err_and(Errno::is_restart);
            self.end_write(start, count, again);
            if let Err(error) = outcome {
                failure = Err(error);
                if again {
                    break;
                }
            }
        }
        if let (Err(error), false) = (failure, wait) {
            if !matches!(error, EINTR | EAGAIN | ENOMEM) && !error.is_restart() {
                self.error.store(error.0, Ordering::Relaxed);
            }
        }
        if wait {
            self.changed.wait_uninterruptible(|| (!self.writing(first, end)).then_some(()));
        }
        failure
    }

    /// Takes the next run of dirty pages.
    fn begin_write(&self, from: u64, end: u64) -> Option<(u64, Vec<Frame>)> {
        let mut frames = Vec::with_capacity(MAX_BATCH);
        let mut inner = self.inner.lock();
        if inner.dirty == 0 {
            return None;
        }
        let mut start = 0;
        for (key, chunk) in inner.chunks.range_mut(from / 64..) {
            if *key * 64 >= end {
                break;
            }
            if !frames.is_empty() && *key * 64 != start + frames.len() as u64 {
                break;
            }
            let mut ready = chunk.dirty & !chunk.busy() & page_logic::mask_within(*key, from, end);
            if !frames.is_empty() && ready & 1 == 0 {
                break;
            }
            while ready != 0 && frames.len() < MAX_BATCH {
                let bit = ready.trailing_zeros() as usize;
                let index = *key * 64 + bit as u64;
                if frames.is_empty() {
                    start = index;
                } else if index != start + frames.len() as u64 {
                    break;
                }
                let Some(frame) = chunk.peek(bit) else { break };
                frames.push(frame.clone());
                ready &= ready - 1;
                chunk.dirty &= !(1 << bit);
                chunk.writeback |= 1 << bit;
            }
            if !frames.is_empty() && start + (frames.len() as u64) < (*key + 1) * 64 {
                break;
            }
        }
        inner.dirty -= frames.len();
        drop(inner);
        count(-(frames.len() as isize));
        WRITEBACK.fetch_add(frames.len(), Ordering::Relaxed);
        (!frames.is_empty()).then_some((start, frames))
    }

    fn end_write(&self, start: u64, count: usize, again: bool) {
        let mut inner = self.inner.lock();
        for index in start..start + count as u64 {
            if let Some(chunk) = inner.chunks.get_mut(&(index / 64)) {
                chunk.writeback &= !(1 << (index % 64));
            }
            if again {
                self.mark(&mut inner, index);
            }
        }
        drop(inner);
        WRITEBACK.fetch_sub(count, Ordering::Relaxed);
        self.changed.wake_all();
    }

    fn writing(&self, first: u64, end: u64) -> bool {
        let inner = self.inner.lock();
        inner.chunks.range(first / 64..).take_while(|(key, _)| *key * 64 < end).any(|(key, c)| c.writeback & page_logic::mask_within(*key, first, end) != 0)
    }

    /// Writes everything out (`fsync`): what was dirty, and reports a write-back error that nobody has heard of yet.
    ///
    /// # Errors
    /// The backend's.
    pub fn flush(&self) -> Result {
        self.flush_range(0, u64::MAX)
    }

    /// Writes the pages `first..end` out.
    ///
    /// # Errors
    /// As [`PageCache::flush`].
    pub fn flush_range(&self, first: u64, end: u64) -> Result {
        let now = self.write_back(first, end, true);
        let before = self.error.swap(0, Ordering::Relaxed);
        now?;
        if before == 0 { Ok(()) } else { Err(Errno(before)) }
    }
}
