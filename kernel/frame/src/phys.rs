//! Device memory and firmware tables.

use frame_logic::regions::Region;

use crate::mm::{copy, kernel_map, ram_overlaps};

pub use crate::acpi::{acpi_table, acpi_tables};

/// How a physical page is cached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum CacheMode {
    /// Uncached: device registers.
    #[default]
    Uncached,
    /// Write-combining: framebuffers.
    WriteCombining,
    /// Ordinary memory.
    WriteBack,
}

/// Device memory mapped into the kernel; unmapped never (regions of devices live as long as the system). Accesses are volatile. Privileged like [`crate::io::Port`].
#[derive(Debug)]
pub struct MmioRegion {
    base: u64,
    len: usize,
}

macro_rules! mmio_access {
    ($read:ident, $write:ident, $type:ty) => {
        #[doc = concat!("Reads a `", stringify!($type), "` at the aligned `offset`.")]
        #[inline]
        pub fn $read(&self, offset: usize) -> $type {
            let pointer = self.at(offset, size_of::<$type>()) as *const $type;
            assert!(pointer.is_aligned(), "{offset:#x} is not aligned");
            // SAFETY: within the mapped region, aligned; device memory has no invalid values.
            unsafe { pointer.read_volatile() }
        }
        #[doc = concat!("Writes a `", stringify!($type), "` at the aligned `offset`.")]
        #[inline]
        pub fn $write(&self, offset: usize, value: $type) {
            let pointer = self.at(offset, size_of::<$type>()) as *mut $type;
            assert!(pointer.is_aligned(), "{offset:#x} is not aligned");
            // SAFETY: within the mapped region, aligned, and no Rust object.
            unsafe { pointer.write_volatile(value) }
        }
    };
}

impl MmioRegion {
    /// Maps `len` bytes at physical address `paddr` (any alignment). None where the range touches RAM, is empty or too high, or memory is short.
    pub fn map(paddr: u64, len: usize, mode: CacheMode) -> Option<MmioRegion> {
        if len == 0 || is_ram(paddr, len as u64) {
            return None;
        }
        Some(MmioRegion { base: kernel_map::map_device(paddr, len, mode)?, len })
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline]
    fn at(&self, offset: usize, len: usize) -> *mut u8 {
        assert!(offset <= self.len && len <= self.len - offset, "{len} bytes at {offset:#x} are beyond the region");
        (self.base + offset as u64) as *mut u8
    }

    mmio_access!(read_u8, write_u8, u8);
    mmio_access!(read_u16, write_u16, u16);
    mmio_access!(read_u32, write_u32, u32);
    mmio_access!(read_u64, write_u64, u64);

    /// Copies `data` to `offset`.
    ///
    /// # Panics
    /// If the range is outside of the region; so do all of these.
    pub fn write_bytes(&self, offset: usize, data: &[u8]) {
        // SAFETY: within the mapped region, which is no Rust object.
        unsafe { copy::copy(self.at(offset, data.len()), data.as_ptr(), data.len()) };
    }

    /// Fills `count` 32-bit words from the aligned `offset` on (a framebuffer's line).
    pub fn fill_u32(&self, offset: usize, value: u32, count: usize) {
        let first = self.at(offset, count.saturating_mul(4)) as *mut u32;
        assert!(first.is_aligned(), "{offset:#x} is not aligned");
        for i in 0..count {
            // SAFETY: within the mapped region, aligned, and no Rust object.
            unsafe { first.add(i).write_volatile(value) };
        }
    }

    /// Moves `len` bytes within the region (scrolling); the ranges may overlap.
    pub fn copy_within(&self, from: usize, to: usize, len: usize) {
        // SAFETY: both within the mapped region, which is no Rust object.
        unsafe { core::ptr::copy(self.at(from, len), self.at(to, len), len) };
    }
}

/// Whether any byte of the physical range is RAM (as the loader's memory map says, the kernel's own included).
pub fn is_ram(paddr: u64, len: u64) -> bool {
    ram_overlaps(Region::new(paddr, len))
}
