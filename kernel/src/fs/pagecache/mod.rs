//! The page cache: the pages of a file in memory. `read`, `write` and `mmap` of the file all see these pages.
//!
//! * A page is absent, *filling* (its content is being read), or present. Who meets a filling page sleeps until it is filled; other pages are not held up.
//! * A present page may be *dirty*, and *in write-back*. Both can be true: it was written again meanwhile.
//! * A cache with a [`PageBackend`] reads and writes through it; without one (tmpfs) absent pages are zeros and nothing is ever evicted.
//!
//! A clean page is evicted only while nobody else holds its frame, so a copy to or from a frame needs no lock. Nothing is copied to
//! user memory, read or written back under the spin lock. Size changes happen under [`PageCache::lock_writes`].

mod ahead;
mod chunk;
mod dirty;
mod object;
mod reclaim;
mod rw;

pub use ahead::Fill;
pub use dirty::{dirty_pages, flusher, sync_all, writeback_pages};
pub use page_logic::{MAX_BATCH, ReadAhead};
pub use reclaim::{cached_pages, reclaim};

use alloc::collections::BTreeMap;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, AtomicUsize, Ordering};

use frame::mm::{Frame, PAGE_SIZE};

use crate::error::*;
use crate::mm::MappingList;
use crate::sync::{Mutex, MutexGuard, SpinLock, WaitQueue};
use chunk::Chunk;

const PAGE: u64 = PAGE_SIZE as u64;

/// Where the pages of a file come from and go to. Must not hold the inode strongly if the inode holds the cache: dirty pages outlive it, and
/// the cache keeps its backend.
pub trait PageBackend: Send + Sync {
    /// Fills `pages`, which are consecutive in the file from page `first` on; at most [`MAX_BATCH`]. Returns the number of bytes read: fewer than asked
    /// only at the end of the file. The rest is zeroed by the cache.
    ///
    /// # Errors
    /// Any: the read or fault fails with it.
    fn read_pages(&self, first: u64, pages: &[Frame]) -> Result<usize>;

    /// As [`PageBackend::read_pages`] without waiting: `fill` gets the outcome, or is dropped where there is none. By default nothing is read.
    fn read_ahead(&self, _fill: Fill) {}

    /// Pages that are read together, at multiples of it, where one is wanted; a power of two.
    fn read_unit(&self) -> u64 {
        1
    }

    /// Writes `len` bytes from `pages`, from page `first` of the file on; at most [`MAX_BATCH`] pages. `len` is short of the whole only for the last page of
    /// the file. Grows the file where it is shorter.
    ///
    /// # Errors
    /// Any. `EINTR`, `EAGAIN` and `ENOMEM`: the pages stay dirty and are tried again; all others are reported by the next `fsync`.
    fn write_pages(&self, first: u64, pages: &[Frame], len: usize) -> Result;
}

struct Inner {
    /// Keyed by page index / 64.
    chunks: BTreeMap<u64, Chunk>,
    /// Present pages.
    pages: usize,
    dirty: usize,
    /// Whether it is in the list of dirty caches.
    listed: bool,
}

/// The cached pages of one file.
pub struct PageCache {
    me: Weak<PageCache>,
    backend: Option<Arc<dyn PageBackend>>,
    inner: SpinLock<Inner>,
    size: AtomicU64,
    /// Where the clock's hand stands: a page index.
    hand: AtomicU64,
    /// Signalled when pages stop filling or being written back.
    changed: WaitQueue,
    write_lock: Mutex<()>,
    mappings: MappingList,
    /// Read-ahead of page faults.
    fault_ahead: ReadAhead,
    /// The error number of a failed write-back that no `fsync` has reported yet.
    error: AtomicI32,
    /// The file is deleted: dirty pages need not be written.
    discarded: AtomicBool,
    /// A shared mapping made a page dirty since this was asked last.
    mapped_write: AtomicBool,
    /// Pages a tmpfs may still use, shared by its files; `None` without a limit.
    quota: Option<Arc<Quota>>,
}

/// A limit for the pages of a filesystem without backend.
pub struct Quota {
    limit: AtomicU64,
    used: AtomicUsize,
}

impl Quota {
    /// At most `limit` pages.
    pub fn new(limit: u64) -> Arc<Self> {
        Arc::new(Self { limit: AtomicU64::new(limit), used: AtomicUsize::new(0) })
    }

    /// Pages in use.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed) as u64
    }

    /// Pages that may be used.
    pub fn limit(&self) -> u64 {
        self.limit.load(Ordering::Relaxed)
    }

    fn take(&self) -> Result {
        if self.used.fetch_add(1, Ordering::Relaxed) as u64 >= self.limit() {
            self.used.fetch_sub(1, Ordering::Relaxed);
            return Err(ENOSPC);
        }
        Ok(())
    }

    fn give(&self, pages: usize) {
        self.used.fetch_sub(pages, Ordering::Relaxed);
    }
}

/// A frame for the cache, waiting a little for write-back to make pages reclaimable where there is none.
fn new_frame() -> Result<Frame> {
    const ATTEMPTS: usize = 100;
    for _ in 0..ATTEMPTS {
        if let Some(frame) = Frame::alloc() {
            return Ok(frame);
        }
        // The last resort ends the process that uses most memory.
        if crate::fs::reclaim(MAX_BATCH) == 0 && !dirty::wait_for_progress() && !crate::mm::oom::relieve() {
            break;
        }
    }
    Err(ENOMEM)
}

/// What is known of a page.
enum Lookup {
    Present(Frame),
    Filling,
    Absent,
}

impl PageCache {
    /// The cache of a file of `size` bytes whose pages come from `backend`.
    pub fn new(backend: Arc<dyn PageBackend>, size: u64) -> Arc<Self> {
        let cache = Self::build(Some(backend), size, None);
        reclaim::register(&cache);
        cache
    }

    /// The pages of a file that exists only in memory; an absent page reads as zeros.
    pub fn in_memory(quota: Option<Arc<Quota>>) -> Arc<Self> {
        Self::build(None, 0, quota)
    }

    fn build(backend: Option<Arc<dyn PageBackend>>, size: u64, quota: Option<Arc<Quota>>) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            me: me.clone(),
            backend,
            inner: SpinLock::new(Inner { chunks: BTreeMap::new(), pages: 0, dirty: 0, listed: false }),
            size: AtomicU64::new(size),
            hand: AtomicU64::new(0),
            changed: WaitQueue::new(),
            write_lock: Mutex::new(()),
            mappings: MappingList::new(),
            fault_ahead: ReadAhead::new(),
            error: AtomicI32::new(0),
            discarded: AtomicBool::new(false),
            mapped_write: AtomicBool::new(false),
            quota,
        })
    }

    /// The file's size in bytes.
    pub fn size(&self) -> u64 {
        self.size.load(Ordering::Acquire)
    }

    /// Bytes of memory in use, in pages.
    pub fn resident_pages(&self) -> usize {
        self.inner.lock().pages
    }

    /// Keeps out other writers and truncation. Readers go on.
    pub fn lock_writes(&self) -> MutexGuard<'_, ()> {
        self.write_lock.lock()
    }

    /// Whether a shared mapping has written since the last call: the file's mtime and ctime are due for a change.
    pub fn take_mapped_write(&self) -> bool {
        self.mapped_write.load(Ordering::Relaxed) && self.mapped_write.swap(false, Ordering::Relaxed)
    }

    /// The file is deleted and closed: what is dirty need not be written.
    pub fn discard(&self) {
        self.discarded.store(true, Ordering::Release);
        self.drop_pages(0, u64::MAX);
        self.unlist();
    }

    fn get(&self, index: u64) -> Lookup {
        let mut inner = self.inner.lock();
        match inner.chunks.get_mut(&(index / 64)) {
            Some(chunk) => chunk.get((index % 64) as usize),
            None => Lookup::Absent,
        }
    }

    /// Puts `frame` at `index` unless a page is there already; then gives that one.
    fn insert(&self, index: u64, frame: &Frame, dirty: bool) -> Lookup {
        let mut inner = self.inner.lock();
        let chunk = inner.chunks.entry(index / 64).or_default();
        let bit = (index % 64) as usize;
        let found = chunk.get(bit);
        if matches!(found, Lookup::Absent) {
            chunk.put(bit, frame.clone());
            inner.pages += 1;
            reclaim::count(self.backend.is_some(), 1);
            if dirty {
                self.mark(&mut inner, index);
            }
        }
        found
    }

    /// Sleeps until `index` is no longer filling.
    fn wait_filled(&self, index: u64) {
        self.changed.wait_uninterruptible(|| (!matches!(self.get(index), Lookup::Filling)).then_some(()));
    }

    /// The page, read from the backend if need be (with `ahead` pages in all, where they are absent too).
    fn load(&self, index: u64, ahead: usize) -> Result<Frame> {
        loop {
            match self.get(index) {
                Lookup::Present(frame) => return Ok(frame),
                Lookup::Filling => self.wait_filled(index),
                Lookup::Absent => {
                    if let Some(frame) = self.fill(index, ahead)? {
                        return Ok(frame);
                    }
                }
            }
        }
    }

    /// Reads the absent page `index` and up to `count - 1` absent ones after it. `None`: somebody else was quicker, look again.
    fn fill(&self, index: u64, count: usize) -> Result<Option<Frame>> {
        let Some(backend) = &self.backend else {
            if let Some(quota) = &self.quota {
                quota.take()?;
            }
            let result = self.fill_zero(index);
            if let (Some(quota), Err(_) | Ok(None)) = (&self.quota, &result) {
                quota.give(1);
            }
            return result;
        };
        let last = self.size().div_ceil(PAGE).max(index + 1);
        let (wanted, (index, count)) = (index, self.whole_units(backend.read_unit(), index, count));
        let count = count.clamp(1, MAX_BATCH).min((last - index) as usize);
        let mut frames = Vec::with_capacity(count);
        for i in 0..count {
            match Frame::alloc() {
                Some(frame) => frames.push(frame),
                None if i as u64 <= wanted - index => frames.push(new_frame()?),
                None => break,
            }
        }
        let taken = self.begin_fill(index, &frames);
        if taken == 0 {
            return Ok(None);
        }
        frames.truncate(taken);
        let outcome = backend.read_pages(index, &frames);
        self.filled(index, &frames, outcome.ok());
        outcome?;
        Ok(frames.into_iter().nth((wanted - index) as usize))
    }

    /// Pages that were filling are there, of which `bytes` were read, or will not come.
    fn filled(&self, index: u64, frames: &[Frame], bytes: Option<usize>) {
        if let Some(bytes) = bytes {
            for (i, frame) in frames.iter().enumerate() {
                let valid = bytes.saturating_sub(i * PAGE_SIZE).min(PAGE_SIZE);
                if valid < PAGE_SIZE {
                    frame.zero_range(valid, PAGE_SIZE - valid);
                }
            }
        }
        self.end_fill(index, frames.len(), bytes.is_some());
        self.changed.wake_all();
    }

    fn fill_zero(&self, index: u64) -> Result<Option<Frame>> {
        let frame = new_frame()?;
        frame.zero();
        Ok(matches!(self.insert(index, &frame, false), Lookup::Absent).then_some(frame))
    }

    /// Enters frames as filling, as far as pages are absent without a gap; returns how many.
    fn begin_fill(&self, index: u64, frames: &[Frame]) -> usize {
        let mut inner = self.inner.lock();
        let mut taken = 0;
        for (at, frame) in (index..).zip(frames) {
            let chunk = inner.chunks.entry(at / 64).or_default();
            let bit = (at % 64) as usize;
            if !matches!(chunk.get(bit), Lookup::Absent) {
                break;
            }
            chunk.put_filling(bit, frame.clone());
            taken += 1;
        }
        inner.pages += taken;
        reclaim::count(true, taken as isize);
        taken
    }

    fn end_fill(&self, index: u64, count: usize, good: bool) {
        let mut gone = Vec::new();
        let mut inner = self.inner.lock();
        for at in index..index + count as u64 {
            if let Some(chunk) = inner.chunks.get_mut(&(at / 64)) {
                let frame = chunk.filled((at % 64) as usize, good);
                gone.extend(frame);
            }
        }
        inner.pages -= gone.len();
        reclaim::count(true, -(gone.len() as isize));
        drop(inner);
        drop(gone);
    }

    /// Reads pages that are absent into the cache (`readahead(2)`, `POSIX_FADV_WILLNEED`).
    ///
    /// # Errors
    /// The backend's.
    pub fn prefetch(&self, first: u64, pages: u64) -> Result {
        if self.backend.is_none() {
            return Ok(());
        }
        let end = first.saturating_add(pages).min(self.size().div_ceil(PAGE));
        let mut at = first;
        while at < end {
            match self.get(at) {
                Lookup::Absent => {
                    self.fill(at, (end - at).min(MAX_BATCH as u64) as usize)?;
                    at += 1;
                }
                _ => at += 1,
            }
        }
        Ok(())
    }

    /// Forgets clean pages of a range that nobody uses (`POSIX_FADV_DONTNEED`).
    pub fn forget_clean(&self, first: u64, pages: u64) {
        if self.backend.is_some() {
            self.evict(first, first.saturating_add(pages));
        }
    }

    /// Whether absent pages can be read from somewhere; where not, they are holes.
    pub fn has_backend(&self) -> bool {
        self.backend.is_some()
    }

    /// The first page at or after `index` that is present (`data`) or absent; for `SEEK_DATA` and `SEEK_HOLE` of files in memory.
    pub fn next_page(&self, index: u64, data: bool) -> Option<u64> {
        let inner = self.inner.lock();
        if data {
            for (key, chunk) in inner.chunks.range(index / 64..) {
                let from = if *key == index / 64 { index % 64 } else { 0 };
                let mask = chunk.present() & (u64::MAX << from);
                if mask != 0 {
                    return Some(key * 64 + u64::from(mask.trailing_zeros()));
                }
            }
            return None;
        }
        let mut at = index;
        loop {
            let Some(chunk) = inner.chunks.get(&(at / 64)) else { return Some(at) };
            let mask = !chunk.present() & (u64::MAX << (at % 64));
            if mask != 0 {
                return Some(at / 64 * 64 + u64::from(mask.trailing_zeros()));
            }
            at = (at / 64 + 1) * 64;
        }
    }

    /// Changes the size. The caller holds [`PageCache::lock_writes`] and tells the backend.
    pub fn truncate(&self, size: u64) {
        let old = self.size();
        if size > old {
            // What lies behind the old end in its page may have been written by a mapping: it must read as zeros now.
            self.zero_tail(old);
            self.size.store(size, Ordering::Release);
            return;
        }
        self.size.store(size, Ordering::Release);
        self.drop_pages(size.div_ceil(PAGE), u64::MAX);
        self.zero_tail(size);
    }

    /// Zeros the page that holds byte `end` from there on, if it is in memory.
    fn zero_tail(&self, end: u64) {
        let offset = (end % PAGE) as usize;
        if offset == 0 {
            return;
        }
        let index = end / PAGE;
        loop {
            match self.get(index) {
                Lookup::Present(frame) => return frame.zero_range(offset, PAGE_SIZE - offset),
                Lookup::Filling => self.wait_filled(index),
                Lookup::Absent => return,
            }
        }
    }

    /// Makes the bytes `start..end` zeros; whole pages are freed where there is no backend. The caller holds [`PageCache::lock_writes`].
    ///
    /// # Errors
    /// `EOPNOTSUPP` where there is a backend.
    pub fn punch_hole(&self, start: u64, end: u64) -> Result {
        if self.backend.is_some() {
            return Err(EOPNOTSUPP);
        }
        let end = end.min(self.size().next_multiple_of(PAGE));
        let (first, last) = (start.div_ceil(PAGE), end / PAGE);
        let zero = |index: u64, from: u64, to: u64| {
            if let Lookup::Present(frame) = self.get(index) {
                frame.zero_range(from as usize, (to - from) as usize);
            }
        };
        if first > last {
            // Within one page.
            if start < end {
                zero(last, start % PAGE, end % PAGE);
            }
            return Ok(());
        }
        if start % PAGE != 0 {
            zero(first - 1, start % PAGE, PAGE);
        }
        if end % PAGE != 0 {
            zero(last, 0, end % PAGE);
        }
        if first < last {
            self.drop_pages(first, last);
        }
        Ok(())
    }

    /// Makes sure that every page of the range is in memory (`fallocate` without backend).
    ///
    /// # Errors
    /// `ENOSPC`, `ENOMEM`, `EINTR`.
    pub fn allocate(&self, first: u64, end: u64) -> Result {
        // What cannot succeed must not first use up all memory.
        let pages = end.saturating_sub(first);
        if self.quota.as_ref().is_some_and(|q| pages > q.limit()) {
            return Err(ENOSPC);
        }
        if pages > frame::mm::stats().total as u64 {
            return Err(ENOMEM);
        }
        for index in first..end {
            self.load(index, 1)?;
            if index % 256 == 0 && crate::task::current().has_pending_signal() {
                return Err(EINTR);
            }
        }
        Ok(())
    }

    /// Removes the pages `first..end`, dirty ones too, from the cache and from all mappings.
    fn drop_pages(&self, first: u64, end: u64) {
        self.mappings.unmap_pages(self, first, end - first);
        loop {
            let mut gone = Vec::new();
            let mut busy = None;
            {
                let mut inner = self.inner.lock();
                let mut dirty = 0;
                for (key, chunk) in inner.chunks.range_mut(first / 64..) {
                    if *key * 64 >= end {
                        break;
                    }
                    let mask = page_logic::mask_within(*key, first, end);
                    if chunk.busy() & mask != 0 {
                        busy = Some(*key * 64 + u64::from((chunk.busy() & mask).trailing_zeros()));
                    }
                    dirty += chunk.take_clean_of_busy(mask, &mut gone);
                }
                inner.chunks.retain(|_, chunk| !chunk.is_empty());
                inner.pages -= gone.len();
                inner.dirty -= dirty;
                dirty::count(-(dirty as isize));
                reclaim::count(self.backend.is_some(), -(gone.len() as isize));
            }
            if let Some(quota) = &self.quota {
                quota.give(gone.len());
            }
            drop(gone);
            let Some(index) = busy else { return };
            self.changed.wait_uninterruptible(|| (!self.is_busy(index)).then_some(()));
        }
    }

    fn is_busy(&self, index: u64) -> bool {
        self.inner.lock().chunks.get(&(index / 64)).is_some_and(|c| c.busy() & (1 << (index % 64)) != 0)
    }
}

impl Drop for PageCache {
    fn drop(&mut self) {
        let inner = self.inner.get_mut();
        reclaim::count(self.backend.is_some(), -(inner.pages as isize));
        dirty::count(-(inner.dirty as isize));
        if let Some(quota) = &self.quota {
            quota.give(inner.pages);
        }
    }
}
