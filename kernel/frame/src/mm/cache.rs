//! The frame allocator: the buddy lists behind one lock, and before them a cache of single frames for each CPU.

use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering::Relaxed, Ordering::Release};

use frame_logic::buddy::{Buddy, FrameMeta};
use frame_logic::regions::Region;

use super::{PAGE_SIZE, reclaim};
use crate::cpu::{self, local};
use crate::sync::SpinLock;

/// Most frames a CPU keeps.
const CAPACITY: usize = 64;
/// Frames that go to and from the buddy lists at once.
const BATCH: usize = 32;
/// Number of objects a CPU keeps of each size class.
pub const MAGAZINE: usize = 32;
/// Number of the heap's size classes.
pub const CLASSES: usize = 12;

/// The metadata of all frames: address and length; empty before [`init`].
static META: AtomicPtr<FrameMeta> = AtomicPtr::new(core::ptr::dangling_mut());
static META_LEN: AtomicUsize = AtomicUsize::new(0);
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
    META.store(meta.as_ptr().cast_mut(), Release);
    META_LEN.store(meta.len(), Release);
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
    // SAFETY: stored by `init` from such a slice, once, before other CPUs run; the length after the address.
    unsafe { core::slice::from_raw_parts(META.load(Relaxed), META_LEN.load(Relaxed)) }
}

/// Runs `f` with this CPU's cache; None in an interrupt handler that interrupted its use.
#[inline]
fn with_cache<R>(f: impl FnOnce(&mut FrameCache) -> R) -> Option<R> {
    // SAFETY: the functions in this file do not switch threads, and it is this CPU's.
    unsafe { local::get().frames.with(f) }
}

/// Frames that only the kernel's own structures may use: some are made with locks held, where the reclaim hook can do little.
fn reserve() -> usize {
    (super::COUNTERS.total.load(Relaxed) / 64).max(256)
}

/// The kernel's own structures have used up half of the reserve.
static LOW: AtomicBool = AtomicBool::new(false);

/// Whether the reserve has been drawn upon so much, since this was asked last, that somebody has to give memory up. Cheap.
#[inline]
pub fn take_low() -> bool {
    LOW.load(Relaxed) && LOW.swap(false, Relaxed)
}

/// Whether there is memory beyond the reserve.
pub fn has_room() -> bool {
    BUDDY.lock().free_frames() > reserve()
}

/// Takes one frame, its reference count 0 and its content whatever it was, down to the last one.
#[inline]
pub fn alloc_frame() -> Option<u32> {
    alloc_above(|| 0)
}

/// As [`alloc_frame`], but leaves a reserve: for what can be reclaimed or given up, such as the memory of programs and of the page cache.
#[inline]
pub fn alloc_frame_above_reserve() -> Option<u32> {
    alloc_above(reserve)
}

#[inline]
fn alloc_above(reserve: fn() -> usize) -> Option<u32> {
    loop {
        let got = with_cache(|cache| {
            let count = cache.count.load(Relaxed) as usize;
            let count = if count > 0 { count } else { refill(cache, reserve())? };
            cache.count.store(count as u32 - 1, Relaxed);
            Some(cache.frames[count - 1])
        });
        let got = got.unwrap_or_else(|| BUDDY.lock().alloc(all_meta(), 0));
        if got.is_some() || !reclaim(BATCH) {
            return got;
        }
    }
}

#[cold]
fn refill(cache: &mut FrameCache, reserve: usize) -> Option<usize> {
    let meta = all_meta();
    let mut buddy = BUDDY.lock();
    if reserve == 0 && buddy.free_frames() < self::reserve() / 2 {
        LOW.store(true, Relaxed);
    }
    let mut count = 0;
    while count < BATCH && buddy.free_frames() > reserve {
        let Some(pfn) = buddy.alloc(meta, 0) else { break };
        cache.frames[count] = pfn;
        count += 1;
    }
    (count > 0).then_some(count)
}

/// Gives one frame back.
#[inline]
pub fn free_frame(pfn: u32) {
    let cached = with_cache(|cache| {
        let count = cache.count.load(Relaxed) as usize;
        let count = if count < CAPACITY { count } else { drain(cache) };
        cache.frames[count] = pfn;
        cache.count.store(count as u32 + 1, Relaxed);
    });
    if cached.is_none() {
        BUDDY.lock().free(all_meta(), pfn, 0);
    }
}

#[cold]
fn drain(cache: &mut FrameCache) -> usize {
    let meta = all_meta();
    let mut buddy = BUDDY.lock();
    // The oldest go; those freed last are in the CPU's caches.
    for &pfn in &cache.frames[..BATCH] {
        buddy.free(meta, pfn, 0);
    }
    cache.frames.copy_within(BATCH.., 0);
    CAPACITY - BATCH
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
            let cache = local::of(cpu).frames.as_ptr();
            // SAFETY: only the atomic count of another CPU's cache is touched.
            unsafe { (*cache).count.load(Relaxed) as usize }
        })
        .sum();
    BUDDY.lock().free_frames() + cached
}
