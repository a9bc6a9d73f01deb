//! Device memory and firmware tables.

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

impl MmioRegion {
    /// Maps `len` bytes at physical address `paddr` (any alignment). None where the range touches RAM, is too high, or memory is short.
    pub fn map(paddr: u64, len: usize, mode: CacheMode) -> Option<MmioRegion> {
        let _ = (paddr, len, mode);
        todo!()
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Copies `data` to `offset`.
    ///
    /// # Panics
    /// If the range is outside of the region; so do all of these.
    pub fn write_bytes(&self, offset: usize, data: &[u8]) {
        let _ = (self.base, offset, data);
        todo!()
    }

    /// Fills `count` 32-bit words from `offset` on (a framebuffer's line).
    pub fn fill_u32(&self, offset: usize, value: u32, count: usize) {
        let _ = (offset, value, count);
        todo!()
    }

    /// Moves `len` bytes within the region (scrolling); the ranges may overlap.
    pub fn copy_within(&self, from: usize, to: usize, len: usize) {
        let _ = (from, to, len);
        todo!()
    }
}

/// The ACPI table with a signature (`FACP`, `APIC`, `MCFG`, `DSDT`, ...), header included; the first of that name. Its checksum was verified.
pub fn acpi_table(signature: &str) -> Option<&'static [u8]> {
    acpi_tables().iter().find(|(name, _)| name.as_bytes() == signature.as_bytes()).map(|(_, table)| *table)
}

/// All ACPI tables by signature.
pub fn acpi_tables() -> &'static [(alloc::string::String, &'static [u8])] {
    todo!()
}

/// Whether any byte of the physical range is RAM that the kernel manages (or itself occupies).
pub fn is_ram(paddr: u64, len: u64) -> bool {
    let _ = (paddr, len);
    todo!()
}
