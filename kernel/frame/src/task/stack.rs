//! Kernel stacks. Some of those that are freed are kept mapped, for the next threads: unmapping needs a TLB flush on all CPUs.

use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use super::KERNEL_STACK_SIZE;
use crate::mm::kernel_map::{self, UNMAPPED_AT_ONCE};
use crate::mm::{COUNTERS, PAGE_SIZE};
use crate::sync::SpinLock;

/// A mapped kernel stack.
pub struct KernelStack {
    base: u64,
}

static FREE: SpinLock<Vec<u64>> = SpinLock::new(Vec::new());

/// Stacks that are kept, at least: a 64th of the memory, so that many threads that end leave little behind.
fn kept() -> usize {
    const PAGES: usize = KERNEL_STACK_SIZE / PAGE_SIZE;
    (COUNTERS.total.load(Ordering::Relaxed) / PAGES / 64).max(64)
}

impl KernelStack {
    /// None: out of memory.
    pub fn new() -> Option<KernelStack> {
        let kept = FREE.lock().pop();
        let base = kept.or_else(|| kernel_map::map_stack(KERNEL_STACK_SIZE))?;
        Some(KernelStack { base })
    }

    /// The address above its highest byte.
    pub fn top(&self) -> u64 {
        self.base + KERNEL_STACK_SIZE as u64
    }
}

impl Drop for KernelStack {
    fn drop(&mut self) {
        let mut gone = [self.base; UNMAPPED_AT_ONCE];
        let count = {
            let mut free = FREE.lock();
            // Without memory for the list it goes alone.
            if free.try_reserve(1).is_err() {
                1
            } else {
                free.push(self.base);
                if free.len() < kept() + UNMAPPED_AT_ONCE {
                    return;
                }
                let first = free.len() - UNMAPPED_AT_ONCE;
                gone.copy_from_slice(&free[first..]);
                free.truncate(first);
                UNMAPPED_AT_ONCE
            }
        };
        kernel_map::unmap_stacks(&gone[..count]);
    }
}
