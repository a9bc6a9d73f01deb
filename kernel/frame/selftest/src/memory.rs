//! Frames and the heap.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use frame::mm::{self, Frame, FrameRange, PAGE_SIZE};

/// A small generator of test numbers (a linear congruence; the high half is good enough).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize
    }
}

/// Random sizes, each block filled and checked before it is freed.
pub fn heap_round(seed: u64, steps: usize) {
    let mut random = Random(seed);
    let mut held: VecDeque<Vec<u8>> = VecDeque::new();
    for step in 0..steps {
        let size = match random.next() % 10 {
            0 => random.next() % 100_000,
            1..4 => random.next() % 5_000,
            _ => random.next() % 300,
        };
        held.push_back(alloc::vec![step as u8; size]);
        if held.len() > 200 {
            let block = held.swap_remove_front(random.next() % 200).unwrap_or_default();
            assert!(block.iter().all(|&byte| byte == block[0]), "a block was overwritten");
        }
    }
}

pub fn heap() {
    heap_round(1, 5_000);
    let before = mm::stats();
    heap_round(2, 5_000);
    let after = mm::stats();
    assert!(after.free + 200 > before.free, "the heap loses memory: {before:?} {after:?}");
    #[repr(align(4096))]
    struct Aligned([u8; 10]);
    let aligned = Box::new(Aligned([7; 10]));
    assert!((&raw const *aligned as usize).is_multiple_of(4096) && aligned.0[9] == 7);
    // More than there is: an error, no panic.
    assert!(Vec::<u8>::new().try_reserve(1 << 40).is_err());
    let large = (mm::stats().free * PAGE_SIZE / 8).min(60 << 20);
    assert!(Vec::<u8>::new().try_reserve(large).is_ok());
}

pub fn frames() {
    let before = mm::stats().free;
    let frame = Frame::alloc_zeroed().expect("a frame");
    let mut bytes = [1; 16];
    frame.read(PAGE_SIZE - 16, &mut bytes);
    assert_eq!(bytes, [0; 16]);
    frame.write(5, b"hello");
    let other = Frame::alloc().expect("a frame");
    other.copy_from(&frame);
    other.copy_range_from(100, &frame, 5, 5);
    other.read(98, &mut bytes[..8]);
    assert_eq!(&bytes[..8], b"\0\0hello\0");
    let clone = frame.clone();
    assert_eq!((frame.refcount(), clone == frame), (2, true));
    drop(frame);
    assert_eq!(clone.refcount(), 1);
    clone.write_u32(8, 0x1234_5678);
    assert_eq!(clone.read_u64(8) as u32, 0x1234_5678);
    drop((clone, other));

    let range = FrameRange::alloc_contiguous(5).expect("five frames");
    assert!(range.frames().windows(2).all(|w| w[1].paddr() == w[0].paddr() + PAGE_SIZE as u64));
    assert!(range.paddr().is_multiple_of(8 * PAGE_SIZE as u64));
    drop(range);

    // All there is, twice: nothing is lost, and an empty allocator says so.
    for _ in 0..2 {
        let mut all: Vec<Frame> = Vec::with_capacity(before);
        while let Some(frame) = Frame::alloc() {
            all.push(frame);
        }
        // The list itself takes some.
        let list = (before * size_of::<Frame>()).next_power_of_two() / PAGE_SIZE;
        // So does the reserve for the kernel's own structures: a 64th of memory, at least 1 MiB.
        let reserve = (mm::stats().total / 64).max(256);
        assert!(all.len() + list + reserve + 100 > before, "{} of {before} frames", all.len());
        assert!(all.len() < before, "nothing is left for the kernel itself");
    }
    let after = mm::stats().free;
    assert!(after + 64 >= before, "{before} frames were free, now {after}");
}
