//! Spin locks that keep interrupts off.

use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicU32, Ordering};

use crate::cpu;

/// Keeps interrupts off on this CPU while it lives. Nests in any order.
pub struct IrqGuard {
    // Interrupts are off on this CPU only: the guard must not go to another thread.
    _not_send: PhantomData<*mut ()>,
}

impl IrqGuard {
    /// Disables interrupts.
    #[inline]
    pub fn new() -> Self {
        cpu::local::irq_push();
        IrqGuard { _not_send: PhantomData }
    }
}

impl Default for IrqGuard {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for IrqGuard {
    #[inline]
    fn drop(&mut self) {
        cpu::local::irq_pop();
    }
}

const FREE: u32 = 0;

/// A lock that spins with interrupts off.
pub struct SpinLock<T: ?Sized> {
    /// FREE, or the holder's CPU number + 1.
    holder: AtomicU32,
    value: UnsafeCell<T>,
}

// SAFETY: the lock gives access to one holder at a time.
unsafe impl<T: ?Sized + Send> Sync for SpinLock<T> {}
// SAFETY: owning the lock is owning the value.
unsafe impl<T: ?Sized + Send> Send for SpinLock<T> {}

/// Access to the value of a [`SpinLock`].
pub struct SpinLockGuard<'a, T: ?Sized> {
    lock: &'a SpinLock<T>,
    _irq: IrqGuard,
}

impl<T> SpinLock<T> {
    /// An unlocked lock.
    pub const fn new(value: T) -> Self {
        SpinLock { holder: AtomicU32::new(FREE), value: UnsafeCell::new(value) }
    }

    /// The value.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> SpinLock<T> {
    /// Takes the lock, spinning until it is free.
    ///
    /// # Panics
    /// If this CPU holds it already.
    #[inline]
    pub fn lock(&self) -> SpinLockGuard<'_, T> {
        let irq = IrqGuard::new();
        let me = cpu::id() as u32 + 1;
        if self.holder.compare_exchange(FREE, me, Ordering::Acquire, Ordering::Relaxed).is_err() {
            self.lock_slow(me);
        }
        SpinLockGuard { lock: self, _irq: irq }
    }

    #[cold]
    fn lock_slow(&self, me: u32) {
        loop {
            let holder = self.holder.load(Ordering::Relaxed);
            assert!(holder != me, "this CPU takes a spin lock it holds already");
            if holder == FREE && self.holder.compare_exchange_weak(FREE, me, Ordering::Acquire, Ordering::Relaxed).is_ok() {
                return;
            }
            cpu::relax();
        }
    }

    /// Takes the lock if it is free.
    #[inline]
    pub fn try_lock(&self) -> Option<SpinLockGuard<'_, T>> {
        let irq = IrqGuard::new();
        let me = cpu::id() as u32 + 1;
        match self.holder.compare_exchange(FREE, me, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => Some(SpinLockGuard { lock: self, _irq: irq }),
            Err(_) => None,
        }
    }

    /// The value, without locking: nobody else can hold the lock.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// Whether somebody holds it now.
    pub fn is_locked(&self) -> bool {
        self.holder.load(Ordering::Relaxed) != FREE
    }
}

impl<T: Default> Default for SpinLock<T> {
    fn default() -> Self {
        SpinLock::new(T::default())
    }
}

impl<T: ?Sized> Deref for SpinLockGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard holds the lock.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T: ?Sized> DerefMut for SpinLockGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard holds the lock.
        unsafe { &mut *self.lock.value.get() }
    }
}

// SAFETY: a shared guard gives shared access to the value only.
unsafe impl<T: ?Sized + Sync> Sync for SpinLockGuard<'_, T> {}

impl<T: ?Sized> Drop for SpinLockGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // Before the interrupt guard, a field, is dropped.
        self.lock.holder.store(FREE, Ordering::Release);
    }
}

const WRITER: u32 = 1 << 31;

/// A lock with many readers or one writer; spins with interrupts off. Writers wait for readers; readers are never held up by waiting writers (a reader may take it again).
pub struct RwSpinLock<T: ?Sized> {
    /// Number of readers, or WRITER.
    state: AtomicU32,
    value: UnsafeCell<T>,
}

// SAFETY: readers share the value, a writer has it alone.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwSpinLock<T> {}
// SAFETY: owning the lock is owning the value.
unsafe impl<T: ?Sized + Send> Send for RwSpinLock<T> {}

/// Shared access to the value of a [`RwSpinLock`].
pub struct RwSpinReadGuard<'a, T: ?Sized> {
    lock: &'a RwSpinLock<T>,
    _irq: IrqGuard,
}

/// Access to the value of a [`RwSpinLock`].
pub struct RwSpinWriteGuard<'a, T: ?Sized> {
    lock: &'a RwSpinLock<T>,
    _irq: IrqGuard,
}

impl<T> RwSpinLock<T> {
    /// An unlocked lock.
    pub const fn new(value: T) -> Self {
        RwSpinLock { state: AtomicU32::new(0), value: UnsafeCell::new(value) }
    }
}

impl<T: ?Sized> RwSpinLock<T> {
    /// Takes the lock to read.
    #[inline]
    pub fn read(&self) -> RwSpinReadGuard<'_, T> {
        let irq = IrqGuard::new();
        loop {
            let state = self.state.load(Ordering::Relaxed);
            if state & WRITER == 0
                && self.state.compare_exchange_weak(state, state + 1, Ordering::Acquire, Ordering::Relaxed).is_ok()
            {
                return RwSpinReadGuard { lock: self, _irq: irq };
            }
            cpu::relax();
        }
    }

    /// Takes the lock to write.
    #[inline]
    pub fn write(&self) -> RwSpinWriteGuard<'_, T> {
        let irq = IrqGuard::new();
        while self.state.compare_exchange_weak(0, WRITER, Ordering::Acquire, Ordering::Relaxed).is_err() {
            cpu::relax();
        }
        RwSpinWriteGuard { lock: self, _irq: irq }
    }
}

impl<T: ?Sized> Deref for RwSpinReadGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: there is a reader (this), so no writer.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T: ?Sized> Drop for RwSpinReadGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.lock.state.fetch_sub(1, Ordering::Release);
    }
}

impl<T: ?Sized> Deref for RwSpinWriteGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: this is the only writer.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T: ?Sized> DerefMut for RwSpinWriteGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this is the only writer.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T: ?Sized> Drop for RwSpinWriteGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.lock.state.store(0, Ordering::Release);
    }
}
