//! Register windows: memory whose reads and writes are commands to a device.

use crate::mapping::Mapping;
use std::sync::Arc;

/// A window of device registers. Every access is volatile, of exactly its width, and checked against the window.
#[derive(Clone)]
pub struct Mmio {
    memory: Arc<Backing>,
    offset: usize,
    len: usize,
}

enum Backing {
    Mapped(Mapping),
    /// Ordinary memory for tests; `u64` for the alignment. Raw, since accesses go through pointers.
    Heap(*mut [u64]),
}

// SAFETY: accesses are volatile and through raw pointers; the owner of the registers decides who drives them.
unsafe impl Send for Backing {}
// SAFETY: as above.
unsafe impl Sync for Backing {}

impl Drop for Backing {
    fn drop(&mut self) {
        if let Backing::Heap(memory) = *self {
            // SAFETY: made by `Box::into_raw` in `Mmio::heap` and freed only here.
            drop(unsafe { Box::from_raw(memory) });
        }
    }
}

impl Mmio {
    /// The whole of a mapping.
    pub fn new(mapping: Mapping) -> Self {
        let len = mapping.len();
        Mmio {
            memory: Arc::new(Backing::Mapped(mapping)),
            offset: 0,
            len,
        }
    }

    /// Registers in ordinary memory, all zero, for tests.
    pub fn heap(len: usize) -> Self {
        let memory = Box::into_raw(vec![0u64; len.div_ceil(8)].into_boxed_slice());
        Mmio {
            memory: Arc::new(Backing::Heap(memory)),
            offset: 0,
            len,
        }
    }

    /// A part of the window; `None` where it would not lie within.
    pub fn window(&self, offset: usize, len: usize) -> Option<Mmio> {
        if offset.checked_add(len)? > self.len {
            return None;
        }
        Some(Mmio {
            memory: self.memory.clone(),
            offset: self.offset + offset,
            len,
        })
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the window has no registers.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The register's address.
    ///
    /// Panics where the register lies outside the window or is misaligned: an error in the driver, never in the device.
    fn register<T>(&self, offset: usize) -> *mut T {
        let end = offset.checked_add(size_of::<T>());
        assert!(
            end.is_some_and(|end| end <= self.len),
            "register {offset:#x} outside a window of {:#x}",
            self.len
        );
        let base = match &*self.memory {
            Backing::Mapped(mapping) => mapping.as_ptr(),
            Backing::Heap(memory) => memory.cast(),
        };
        // SAFETY: `offset` was checked above, and `self.offset..+self.len` lies within the memory by construction.
        let pointer = unsafe { base.add(self.offset + offset) }.cast::<T>();
        assert!(
            pointer.is_aligned(),
            "register {offset:#x} is not aligned for its width"
        );
        pointer
    }

    /// Reads a register.
    pub fn read<T: Register>(&self, offset: usize) -> T {
        // SAFETY: `register` returns an aligned pointer within live memory; any bits are a valid integer.
        unsafe { self.register::<T>(offset).read_volatile() }
    }

    /// Writes a register.
    pub fn write<T: Register>(&self, offset: usize, value: T) {
        // SAFETY: as for `read`; the memory is mapped writable.
        unsafe { self.register::<T>(offset).write_volatile(value) }
    }
}

/// Integers a register can be.
pub trait Register: Copy + private::Sealed {}
impl Register for u8 {}
impl Register for u16 {}
impl Register for u32 {}
impl Register for u64 {}

mod private {
    pub trait Sealed {}
    impl Sealed for u8 {}
    impl Sealed for u16 {}
    impl Sealed for u32 {}
    impl Sealed for u64 {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_relative_and_checked() {
        let registers = Mmio::heap(64);
        let part = registers.window(16, 8).unwrap();
        part.write::<u32>(4, 0x1234_5678);
        assert_eq!(registers.read::<u16>(20), 0x5678);
        assert!(registers.window(60, 8).is_none());
        assert!(registers.window(usize::MAX, 2).is_none());
        assert!(std::panic::catch_unwind(|| part.read::<u32>(6)).is_err());
    }
}
