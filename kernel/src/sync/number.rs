//! The lock of a file position.

use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::WaitQueue;

const FREE: u32 = 0;
const HELD: u32 = 1;
const CONTENDED: u32 = 2;

/// A sleeping lock around a number, as [`super::Mutex`], but without another lock around the data: every `read` and `write` takes one.
pub struct NumberLock {
    state: AtomicU32,
    value: AtomicU64,
    waiters: WaitQueue,
}

/// Access to the number of a locked [`NumberLock`]; it is stored when this is dropped.
pub struct NumberGuard<'a> {
    lock: &'a NumberLock,
    value: u64,
}

impl NumberLock {
    /// A free lock around `value`.
    pub fn new(value: u64) -> Self {
        Self { state: AtomicU32::new(FREE), value: AtomicU64::new(value), waiters: WaitQueue::new() }
    }

    /// Takes the lock, sleeping until it is free. Not interruptible.
    pub fn lock(&self) -> NumberGuard<'_> {
        if self.state.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_err() {
            self.waiters.wait_uninterruptible(|| (self.state.swap(CONTENDED, Ordering::Acquire) == FREE).then_some(()));
        }
        NumberGuard { lock: self, value: self.value.load(Ordering::Relaxed) }
    }
}

impl Deref for NumberGuard<'_> {
    type Target = u64;
    fn deref(&self) -> &u64 {
        &self.value
    }
}

impl DerefMut for NumberGuard<'_> {
    fn deref_mut(&mut self) -> &mut u64 {
        &mut self.value
    }
}

impl Drop for NumberGuard<'_> {
    fn drop(&mut self) {
        self.lock.value.store(self.value, Ordering::Relaxed);
        if self.lock.state.swap(FREE, Ordering::Release) == CONTENDED {
            self.lock.waiters.wake_one();
        }
    }
}
