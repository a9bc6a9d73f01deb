//! Kernel stacks. Freed ones are kept mapped, for the next thread: unmapping would need a TLB flush on all CPUs.

use alloc::vec::Vec;

use super::KERNEL_STACK_SIZE;
use crate::mm::kernel_map;
use crate::sync::SpinLock;

/// A mapped kernel stack.
pub struct KernelStack {
    base: u64,
}

static FREE: SpinLock<Vec<u64>> = SpinLock::new(Vec::new());

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
        let mut free = FREE.lock();
        // Without memory for the list the stack is lost, which is better than a panic.
        if free.try_reserve(1).is_ok() {
            free.push(self.base);
        }
    }
}
