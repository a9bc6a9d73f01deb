//! The frame allocator: the buddy lists behind one lock, and before them a cache of single frames for each CPU.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use frame_logic::buddy::{Buddy, FrameMeta};
use frame_logic::regions::Region;

use super::{PAGE_SIZE, reclaim};
use crate::cpu::{self, local};
use crate::sync::{IrqGuard, Once, SpinLock};

/// Most frames a CPU keeps.
const CAPACITY: usize = 64;
/// Frames that go to and from the buddy lists at once.
const BATCH: usize = 32;
/// Number of objects a CPU keeps of each size class.
pub const MAGAZINE: usize = 32;
/// Number of the heap's size classes.
pub const CLASSES: usize = 12;

static META: Once<&'static [FrameMeta]> = Once::new();
static BUDDY: SpinLock<Buddy> = SpinLock::new(Buddy::new());

/// A CPU's free frames.
pub struct FrameCache {
    /// Written by the owner only; read by others for statistics.
    count: AtomicU32,
    frames: [u32; CAPACITY],
}

impl FrameCache {
    pub const fn new() -> Self {
        FrameCache { count: AtomicU32::new(0), frames: [0; CAPACITY] }
    }
}

/// A CPU's free objects of the heap, by class.
pub struct Magazines {
    pub counts: [u32; CLASSES],
    pub objects: [[*mut u8; MAGAZINE]; CLASSES],
}

impl Magazines {
    pub const fn new() -> Self {
        Magazines { counts: [0; CLASSES], objects: [[core::ptr::null_mut(); MAGAZINE]; CLASSES] }
    }
}

/// Hands the free regions (page-aligned) to the allocator.
pub fn init(meta: &'static [FrameMeta], free: &[Region]) {
    META.get_or_init(|| meta);
    let mut buddy = BUDDY.lock();
    for region in free {
        buddy.add(meta, (region.start / PAGE_SIZE as u64) as u32, (region.end / PAGE_SIZE as u64) as u32);
    }
}

/// The metadata of a frame.
#[inline]
pub fn meta(pfn: u32) -> &'static FrameMeta {
    &all_meta()[pfn as usize]
}

#[inline]
fn all_meta() -> &'static [FrameMeta] {
    META.get().copied().unwrap_or(&[])
}

/// Runs `f` with this CPU's cache, interrupts off.
#[inline]
fn with_cache<R>(f: impl FnOnce(&mut FrameCache) -> R) -> R {
    let _irq = IrqGuard::new();
    // SAFETY: interrupts are off and `f` (private to this file) does not come here again, so this is the only reference to this CPU's cache.
    f(unsafe { &mut *local::get().frames.get() })
}

/// Takes one frame, its reference count 0 and its content whatever it was.
#[inline]
pub fn alloc_frame() -> Option<u32> {
    loop {
        let got = with_cache(|cache| {
            let count = cache.count.load(Relaxed) as usize;
            let count = if count > 0 { count } else { refill(cache)? };
            cache.count.store(count as u32 - 1, Relaxed);
            Some(cache.frames[count - 1])
        });
        if got.is_some() || !reclaim(BATCH) {
            return got;
        }
    }
}

#[cold]
fn refill(cache: &mut FrameCache) -> Option<usize> {
    let meta = all_meta();
    let mut buddy = BUDDY.lock();
    let mut count = 0;
    while count < BATCH {
        let Some(pfn) = buddy.alloc(meta, 0) else { break };
        cache.frames[count] = pfn;
        count += 1;
    }
    (count > 0).then_some(count)
}

/// Gives one frame back.
#[inline]
pub fn free_frame(pfn: u32) {
    with_cache(|cache| {
        let mut count = cache.count.load(Relaxed) as usize;
        if count == CAPACITY {
            let meta = all_meta();
            let mut buddy = BUDDY.lock();
            // The oldest go; those freed last are in the CPU's caches.
            for &pfn in &cache.frames[..BATCH] {
                buddy.free(meta, pfn, 0);
            }
            cache.frames.copy_within(BATCH.., 0);
            count -= BATCH;
        }
        cache.frames[count] = pfn;
        cache.count.store(count as u32 + 1, Relaxed);
    });
}

/// Takes 2^order frames.
pub fn alloc_order(order: usize) -> Option<u32> {
    if order == 0 {
        return alloc_frame();
    }
    loop {
        let got = BUDDY.lock().alloc(all_meta(), order);
        if got.is_some() {
            return got;
        }
        flush_cache();
        let got = BUDDY.lock().alloc(all_meta(), order);
        if got.is_some() || !reclaim(1 << order) {
            return got;
        }
    }
}

/// Gives 2^order frames back.
pub fn free_order(pfn: u32, order: usize) {
    if order == 0 {
        free_frame(pfn);
    } else {
        BUDDY.lock().free(all_meta(), pfn, order);
    }
}

/// Gives this CPU's cached frames to the buddy lists, so that they can merge.
fn flush_cache() {
    with_cache(|cache| {
        let count = cache.count.load(Relaxed) as usize;
        let mut buddy = BUDDY.lock();
        for &pfn in &cache.frames[..count] {
            buddy.free(all_meta(), pfn, 0);
        }
        cache.count.store(0, Relaxed);
    });
}

/// Number of free frames, those in caches included.
pub fn free_frames() -> usize {
    let cached: usize = (0..cpu::count())
        .map(|cpu| {
            let cache = local::of(cpu).frames.get();
            // SAFETY: only the atomic count of another CPU's cache is touched.
            unsafe { (*cache).count.load(Relaxed) as usize }
        })
        .sum();
    BUDDY.lock().free_frames() + cached
}
