//! The buddy allocator's bookkeeping.
//!
//! Free blocks of 2^order frames, aligned to their size, hang in one list an order, linked through the frames' metadata. The caller serialises access (all
//! methods take `&mut self`); the metadata are atomics only so that they can be shared with the reference counts.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Number of orders: blocks of up to 2^14 frames (64 MiB).
pub const ORDERS: usize = 15;

const NONE: u32 = u32::MAX;
/// `state` of the first frame of a free block of order n is FREE + n; of all other frames 0.
const FREE: u32 = 0x100;

/// What is known about a frame.
#[derive(Debug, Default)]
pub struct FrameMeta {
    /// References to the frame; 0 when free. For slab frames the allocator's own.
    pub refcount: AtomicU32,
    state: AtomicU32,
    /// List links, free for use by the owner of an allocated frame.
    pub next: AtomicU32,
    /// As `next`.
    pub prev: AtomicU32,
}

/// The free blocks.
#[derive(Debug)]
pub struct Buddy {
    heads: [u32; ORDERS],
    free_frames: usize,
}

impl Default for Buddy {
    fn default() -> Self {
        Self::new()
    }
}

impl Buddy {
    /// No free frames.
    pub const fn new() -> Self {
        Buddy { heads: [NONE; ORDERS], free_frames: 0 }
    }

    /// Number of free frames.
    pub fn free_frames(&self) -> usize {
        self.free_frames
    }

    fn push(&mut self, meta: &[FrameMeta], pfn: u32, order: usize) {
        let head = self.heads[order];
        let frame = &meta[pfn as usize];
        frame.state.store(FREE + order as u32, Relaxed);
        frame.next.store(head, Relaxed);
        frame.prev.store(NONE, Relaxed);
        if head != NONE {
            meta[head as usize].prev.store(pfn, Relaxed);
        }
        self.heads[order] = pfn;
    }

    fn unlink(&mut self, meta: &[FrameMeta], pfn: u32, order: usize) {
        let frame = &meta[pfn as usize];
        let (next, prev) = (frame.next.load(Relaxed), frame.prev.load(Relaxed));
        frame.state.store(0, Relaxed);
        if next != NONE {
            meta[next as usize].prev.store(prev, Relaxed);
        }
        if prev != NONE {
            meta[prev as usize].next.store(next, Relaxed);
        } else {
            self.heads[order] = next;
        }
    }

    /// Takes a block of 2^order frames; gives the first.
    pub fn alloc(&mut self, meta: &[FrameMeta], order: usize) -> Option<u32> {
        let mut have = (order..ORDERS).find(|&o| self.heads[o] != NONE)?;
        let pfn = self.heads[have];
        self.unlink(meta, pfn, have);
        while have > order {
            have -= 1;
            self.push(meta, pfn + (1 << have), have);
        }
        self.free_frames -= 1 << order;
        Some(pfn)
    }

    /// Gives back a block that [`Self::alloc`] gave, or any aligned part of one.
    pub fn free(&mut self, meta: &[FrameMeta], mut pfn: u32, mut order: usize) {
        debug_assert!(pfn.is_multiple_of(1 << order), "a block is aligned to its size");
        self.free_frames += 1 << order;
        while order + 1 < ORDERS {
            let buddy = pfn ^ (1 << order);
            if meta.get(buddy as usize).is_none_or(|m| m.state.load(Relaxed) != FREE + order as u32) {
                break;
            }
            self.unlink(meta, buddy, order);
            pfn &= !(1 << order);
            order += 1;
        }
        self.push(meta, pfn, order);
    }

    /// Gives the allocator the frames from `start` up to, not including, `end`.
    pub fn add(&mut self, meta: &[FrameMeta], mut start: u32, end: u32) {
        while start < end {
            let fits = (end - start).ilog2();
            let aligned = if start == 0 { fits } else { start.trailing_zeros() };
            let order = fits.min(aligned).min(ORDERS as u32 - 1);
            self.free(meta, start, order as usize);
            start += 1 << order;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta(frames: usize) -> Vec<FrameMeta> {
        (0..frames).map(|_| FrameMeta::default()).collect()
    }

    /// All lists hold disjoint, aligned blocks, and as many frames as counted.
    fn check(buddy: &Buddy, meta: &[FrameMeta]) {
        let mut seen = vec![false; meta.len()];
        let mut count = 0;
        for order in 0..ORDERS {
            let (mut pfn, mut prev) = (buddy.heads[order], NONE);
            while pfn != NONE {
                assert!(pfn.is_multiple_of(1 << order));
                assert_eq!(meta[pfn as usize].state.load(Relaxed), FREE + order as u32);
                assert_eq!(meta[pfn as usize].prev.load(Relaxed), prev);
                for frame in &mut seen[pfn as usize..pfn as usize + (1 << order)] {
                    assert!(!*frame, "in two blocks");
                    *frame = true;
                    count += 1;
                }
                (prev, pfn) = (pfn, meta[pfn as usize].next.load(Relaxed));
            }
        }
        assert_eq!(count, buddy.free_frames());
    }

    #[test]
    fn all_frames_can_be_had_and_merge_again() {
        let meta = meta(1000);
        let mut buddy = Buddy::new();
        buddy.add(&meta, 3, 997);
        check(&buddy, &meta);
        let mut got: Vec<u32> = std::iter::from_fn(|| buddy.alloc(&meta, 0)).collect();
        got.sort_unstable();
        assert_eq!(got, (3..997).collect::<Vec<_>>());
        for pfn in got {
            buddy.free(&meta, pfn, 0);
        }
        check(&buddy, &meta);
        assert!(buddy.alloc(&meta, 8).is_some_and(|pfn| pfn == 256 || pfn == 512), "256 frames merged");
    }

    #[test]
    fn random_use_keeps_the_lists_sound() {
        let meta = meta(4096);
        let mut buddy = Buddy::new();
        buddy.add(&meta, 1, 4000);
        let total = buddy.free_frames();
        let mut held: Vec<(u32, usize)> = Vec::new();
        let mut seed = 12345u64;
        for step in 0..20_000 {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let r = (seed >> 33) as usize;
            if r % 5 < 3 {
                let order = r / 5 % 7;
                if let Some(pfn) = buddy.alloc(&meta, order) {
                    assert!(held.iter().all(|&(p, o)| p + (1 << o) <= pfn || pfn + (1 << order) <= p));
                    held.push((pfn, order));
                }
            } else if !held.is_empty() {
                let (pfn, order) = held.swap_remove(r / 5 % held.len());
                buddy.free(&meta, pfn, order);
            }
            if step % 1000 == 0 {
                check(&buddy, &meta);
            }
        }
        for (pfn, order) in held {
            buddy.free(&meta, pfn, order);
        }
        check(&buddy, &meta);
        assert_eq!(buddy.free_frames(), total);
    }

    #[test]
    fn parts_of_a_block_can_be_freed_singly() {
        let meta = meta(64);
        let mut buddy = Buddy::new();
        buddy.add(&meta, 0, 64);
        let pfn = buddy.alloc(&meta, 4).unwrap();
        for i in 0..16 {
            buddy.free(&meta, pfn + i, 0);
        }
        check(&buddy, &meta);
        assert_eq!(buddy.alloc(&meta, 6), Some(0));
        assert_eq!(buddy.alloc(&meta, 0), None);
    }
}
