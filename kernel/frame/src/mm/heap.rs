//! The kernel's heap.
//!
//! Objects of up to 2 KiB come from slabs: single frames cut into objects of one size class. Each CPU keeps some free objects of each class, so that most calls touch no
//! shared data. Behind that, a class has a list of slabs with free objects; a slab that is all free goes back to the frame allocator. The slab's bookkeeping is in
//! its frame's metadata: `refcount` holds the number of objects in use and the offset of the first free one, the links hang it in the class's list.
//! Larger blocks are runs of frames from the buddy lists.

use core::alloc::{GlobalAlloc, Layout};
use core::sync::atomic::Ordering::Relaxed;

use super::cache::{self, CLASSES, MAGAZINE, Magazines};
use super::{COUNTERS, DIRECT_MAP, PAGE_SIZE};
use crate::cpu::local;
use crate::sync::SpinLock;

struct Heap;

#[global_allocator]
static HEAP: Heap = Heap;

/// Sizes of the classes in bytes. Those that are a power of two are aligned to their size, the others to 16 (32, 64).
const SIZES: [usize; CLASSES] = [16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 1024, 2048];

/// Class for each size, in steps of 16 bytes.
static CLASS_OF: [u8; 2048 / 16 + 1] = {
    let mut table = [0; 2048 / 16 + 1];
    let (mut step, mut class) = (0, 0);
    while step < table.len() {
        if step * 16 > SIZES[class] {
            class += 1;
        }
        table[step] = class as u8;
        step += 1;
    }
    table
};

const NONE: u32 = 0;
/// Offset of the next free object where there is none.
const END: u32 = 0xffff;

/// Slabs of one class that have free objects.
struct Class {
    /// Frame number of the first, linked by `next` and `prev`.
    partial: u32,
}

static CLASS_LISTS: [SpinLock<Class>; CLASSES] = [const { SpinLock::new(Class { partial: NONE }) }; CLASSES];

/// The class for a layout, or None: it takes whole frames.
#[inline]
fn class_of(layout: Layout) -> Option<usize> {
    let (size, align) = (layout.size(), layout.align());
    // Powers of two are aligned to themselves.
    let size = if align > 16 { size.max(align).next_power_of_two() } else { size };
    CLASS_OF.get(size.div_ceil(16)).filter(|_| size <= 2048).map(|&class| class as usize)
}

fn order_of(layout: Layout) -> usize {
    layout.size().max(layout.align()).div_ceil(PAGE_SIZE).next_power_of_two().trailing_zeros() as usize
}

fn pfn_of(pointer: *mut u8) -> u32 {
    ((pointer as u64 - DIRECT_MAP) >> 12) as u32
}

fn address_of(pfn: u32) -> *mut u8 {
    (DIRECT_MAP + ((pfn as u64) << 12)) as *mut u8
}

impl Class {
    fn push(&mut self, pfn: u32) {
        let meta = cache::meta(pfn);
        meta.next.store(self.partial, Relaxed);
        meta.prev.store(NONE, Relaxed);
        if self.partial != NONE {
            cache::meta(self.partial).prev.store(pfn, Relaxed);
        }
        self.partial = pfn;
    }

    fn unlink(&mut self, pfn: u32) {
        let meta = cache::meta(pfn);
        let (next, prev) = (meta.next.load(Relaxed), meta.prev.load(Relaxed));
        if next != NONE {
            cache::meta(next).prev.store(prev, Relaxed);
        }
        if prev != NONE {
            cache::meta(prev).next.store(next, Relaxed);
        } else {
            self.partial = next;
        }
    }

    /// Takes an object out of the first slab.
    fn take(&mut self) -> Option<*mut u8> {
        let pfn = self.partial;
        if pfn == NONE {
            return None;
        }
        let meta = cache::meta(pfn);
        let state = meta.refcount.load(Relaxed);
        let (used, free) = (state >> 16, state & 0xffff);
        // SAFETY: `free` is the offset of a free object in this slab; its first two bytes are the offset of the next. The class's lock is held.
        let (object, next) = unsafe {
            let object = address_of(pfn).add(free as usize);
            (object, *(object as *const u16) as u32)
        };
        meta.refcount.store((used + 1) << 16 | next, Relaxed);
        if next == END {
            self.unlink(pfn);
        }
        Some(object)
    }

    /// Puts an object back into its slab; gives the slab's frame number when it is all free (and no longer in the list).
    ///
    /// # Safety
    /// The object is of this class and not used any more.
    unsafe fn put(&mut self, object: *mut u8) -> Option<u32> {
        let pfn = pfn_of(object);
        let meta = cache::meta(pfn);
        let state = meta.refcount.load(Relaxed);
        let (used, free) = (state >> 16, state & 0xffff);
        // SAFETY: the object is free, so its bytes are the allocator's.
        unsafe { *(object as *mut u16) = free as u16 };
        let offset = object as u32 & (PAGE_SIZE as u32 - 1);
        meta.refcount.store((used - 1) << 16 | offset, Relaxed);
        if used == 1 {
            if free != END {
                self.unlink(pfn);
            }
            return Some(pfn);
        }
        if free == END {
            self.push(pfn);
        }
        None
    }
}

/// Makes a slab; gives its frame number.
fn new_slab(class: usize) -> Option<u32> {
    let pfn = cache::alloc_frame()?;
    COUNTERS.slab.fetch_add(1, Relaxed);
    let size = SIZES[class];
    let count = PAGE_SIZE / size;
    for i in 0..count {
        let next = if i + 1 < count { ((i + 1) * size) as u16 } else { END as u16 };
        // SAFETY: the frame is ours; objects are at least 16 bytes.
        unsafe { *(address_of(pfn).add(i * size) as *mut u16) = next };
    }
    cache::meta(pfn).refcount.store(0, Relaxed);
    Some(pfn)
}

/// Takes an object, and some more for the empty magazine, out of slabs that are there.
#[cold]
fn refill(class: usize, magazines: &mut Magazines) -> Option<*mut u8> {
    let mut list = CLASS_LISTS[class].lock();
    let object = list.take();
    while (magazines.counts[class] as usize) < MAGAZINE / 2 {
        let Some(extra) = list.take() else { break };
        magazines.objects[class][magazines.counts[class] as usize] = extra;
        magazines.counts[class] += 1;
    }
    object
}

/// Takes an object out of a slab, made if there is none.
#[cold]
fn take_shared(class: usize) -> *mut u8 {
    loop {
        if let Some(object) = CLASS_LISTS[class].lock().take() {
            return object;
        }
        // Not under the lock: this may call the reclaim hook, which may free objects.
        let Some(slab) = new_slab(class) else { return core::ptr::null_mut() };
        CLASS_LISTS[class].lock().push(slab);
    }
}

/// Empties half of the full magazine.
#[cold]
fn drain(class: usize, magazines: &mut Magazines) {
    let mut empty = [NONE; MAGAZINE / 2];
    {
        let mut list = CLASS_LISTS[class].lock();
        for (i, slab) in empty.iter_mut().enumerate() {
            // SAFETY: objects in the magazine are of this class and free.
            *slab = unsafe { list.put(magazines.objects[class][i]) }.unwrap_or(NONE);
        }
    }
    magazines.objects[class].copy_within(MAGAZINE / 2.., 0);
    magazines.counts[class] = (MAGAZINE / 2) as u32;
    empty.into_iter().filter(|&slab| slab != NONE).for_each(free_slab);
}

/// Gives an all free slab back.
fn free_slab(slab: u32) {
    COUNTERS.slab.fetch_sub(1, Relaxed);
    cache::free_frame(slab);
}

// SAFETY: blocks are disjoint, large enough and aligned: objects of a slab by construction, runs of frames by the buddy allocator. An object is in one magazine or list
// only while free. Magazines are used by one user at a time, slabs under a lock.
unsafe impl GlobalAlloc for Heap {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(class) = class_of(layout) else {
            let order = order_of(layout);
            return match (order < frame_logic::buddy::ORDERS).then(|| cache::alloc_order(order)).flatten() {
                Some(pfn) => {
                    COUNTERS.heap_large.fetch_add(1 << order, Relaxed);
                    address_of(pfn)
                }
                None => core::ptr::null_mut(),
            };
        };
        // SAFETY: nothing in there switches threads, and the magazines are this CPU's.
        let object = unsafe {
            local::get().magazines.with(|magazines| match magazines.counts[class] {
                0 => refill(class, magazines),
                count => {
                    magazines.counts[class] = count - 1;
                    Some(magazines.objects[class][count as usize - 1])
                }
            })
        };
        object.flatten().unwrap_or_else(|| take_shared(class))
    }

    #[inline]
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        let Some(class) = class_of(layout) else {
            let order = order_of(layout);
            COUNTERS.heap_large.fetch_sub(1 << order, Relaxed);
            return cache::free_order(pfn_of(pointer), order);
        };
        // SAFETY: as in `alloc`.
        let kept = unsafe {
            local::get().magazines.with(|magazines| {
                if magazines.counts[class] as usize == MAGAZINE {
                    drain(class, magazines);
                }
                let count = magazines.counts[class];
                magazines.objects[class][count as usize] = pointer;
                magazines.counts[class] = count + 1;
            })
        };
        if kept.is_none() {
            // SAFETY: the object is of this class, and the caller gives it up.
            if let Some(slab) = unsafe { CLASS_LISTS[class].lock().put(pointer) } {
                free_slab(slab);
            }
        }
    }
}
