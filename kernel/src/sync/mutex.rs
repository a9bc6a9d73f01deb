//! A sleeping mutual-exclusion lock.

use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicU32, Ordering};

use super::{SpinLock, WaitQueue};

const FREE: u32 = 0;
const HELD: u32 = 1;
const CONTENDED: u32 = 2;

/// A lock whose waiters sleep. It may be held across user copies and scheme requests; not from interrupt handlers.
///
/// The data sit in a [`SpinLock`] that only the holder ever touches, so that this file needs no unsafe code.
pub struct Mutex<T> {
    state: AtomicU32,
    waiters: WaitQueue,
    data: SpinLock<Option<alloc::boxed::Box<T>>>,
}

/// Access to the data of a locked [`Mutex`].
pub struct MutexGuard<'a, T> {
    lock: &'a Mutex<T>,
    data: Option<alloc::boxed::Box<T>>,
}

impl<T> Mutex<T> {
    /// A free lock around `value`.
    pub fn new(value: T) -> Self {
        Self { state: AtomicU32::new(FREE), waiters: WaitQueue::new(), data: SpinLock::new(Some(alloc::boxed::Box::new(value))) }
    }

    /// Takes the lock, sleeping until it is free. Not interruptible.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        if self.state.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_err() {
            self.waiters.wait_uninterruptible(|| {
                (self.state.swap(CONTENDED, Ordering::Acquire) == FREE).then_some(())
            });
        }
        self.guard()
    }

    fn guard(&self) -> MutexGuard<'_, T> {
        let data = self.data.lock().take();
        MutexGuard { lock: self, data }
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        match &self.data {
            Some(data) => data,
            None => unreachable!("a guard holds its data until it is dropped"),
        }
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        match &mut self.data {
            Some(data) => data,
            None => unreachable!("a guard holds its data until it is dropped"),
        }
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        *self.lock.data.lock() = self.data.take();
        if self.lock.state.swap(FREE, Ordering::Release) == CONTENDED {
            self.lock.waiters.wake_one();
        }
    }
}
