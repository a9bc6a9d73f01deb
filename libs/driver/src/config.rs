//! PCI configuration space: access, the registers drivers name, and the capability list.
//!
//! Source: PCI Local Bus Specification 3.0, chapter 6; PCI Express Base Specification, chapter 7.

use std::io;

/// Vendor ID register (16 bits); `0xffff` where there is no function.
pub const VENDOR_ID: u16 = 0x00;
/// Device ID register (16 bits).
pub const DEVICE_ID: u16 = 0x02;
/// Command register (16 bits), see the `COMMAND_*` bits.
pub const COMMAND: u16 = 0x04;
/// Status register (16 bits).
pub const STATUS: u16 = 0x06;
/// Revision (8 bits); the class code's three bytes follow.
pub const REVISION: u16 = 0x08;
/// Header type (8 bits): bit 7 = several functions, low bits 0 = device, 1 = bridge.
pub const HEADER_TYPE: u16 = 0x0e;
/// First base address register (32 bits each).
pub const BAR0: u16 = 0x10;
/// Bridges: the bus behind the bridge (8 bits).
pub const SECONDARY_BUS: u16 = 0x19;
/// Subsystem device ID (16 bits).
pub const SUBSYSTEM_ID: u16 = 0x2e;
/// Offset of the first capability (8 bits).
pub const CAPABILITIES: u16 = 0x34;
/// Legacy interrupt line (8 bits).
pub const INTERRUPT_LINE: u16 = 0x3c;
/// Legacy interrupt pin (8 bits): 0 = none, 1 = INTA#.
pub const INTERRUPT_PIN: u16 = 0x3d;

/// Answer to I/O accesses.
pub const COMMAND_IO: u16 = 1 << 0;
/// Answer to memory accesses.
pub const COMMAND_MEMORY: u16 = 1 << 1;
/// May read and write memory (DMA, MSI).
pub const COMMAND_BUS_MASTER: u16 = 1 << 2;
/// Legacy interrupts are off.
pub const COMMAND_INTX_DISABLE: u16 = 1 << 10;
/// The function has a capability list.
pub const STATUS_CAPABILITIES: u16 = 1 << 4;

/// Capability ID: vendor specific (virtio describes its register windows with these).
pub const CAP_VENDOR: u8 = 0x09;
/// Capability ID: MSI-X.
pub const CAP_MSIX: u8 = 0x11;

/// Access to one function's configuration space. Offsets are in bytes.
pub trait ConfigSpace {
    /// Reads `buffer.len()` bytes at `offset`; 1, 2 and 4 aligned bytes are one access.
    fn read(&self, offset: u16, buffer: &mut [u8]) -> io::Result<()>;
    /// Writes all of `data` at `offset`; 1, 2 and 4 aligned bytes are one access.
    fn write(&self, offset: u16, data: &[u8]) -> io::Result<()>;

    /// Reads 8 bits.
    fn read8(&self, offset: u16) -> io::Result<u8> {
        let mut bytes = [0; 1];
        self.read(offset, &mut bytes)?;
        Ok(bytes[0])
    }
    /// Reads 16 bits, little-endian.
    fn read16(&self, offset: u16) -> io::Result<u16> {
        let mut bytes = [0; 2];
        self.read(offset, &mut bytes)?;
        Ok(u16::from_le_bytes(bytes))
    }
    /// Reads 32 bits, little-endian.
    fn read32(&self, offset: u16) -> io::Result<u32> {
        let mut bytes = [0; 4];
        self.read(offset, &mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }
    /// Writes 8 bits.
    fn write8(&self, offset: u16, value: u8) -> io::Result<()> {
        self.write(offset, &[value])
    }
    /// Writes 16 bits.
    fn write16(&self, offset: u16, value: u16) -> io::Result<()> {
        self.write(offset, &value.to_le_bytes())
    }
    /// Writes 32 bits.
    fn write32(&self, offset: u16, value: u32) -> io::Result<()> {
        self.write(offset, &value.to_le_bytes())
    }
}

/// The capabilities of a function as pairs of ID and offset, in the order of the list.
///
/// A broken list (a loop, a pointer into the header) ends where it breaks: a device cannot make us spin.
pub fn capabilities(config: &dyn ConfigSpace) -> io::Result<Vec<(u8, u16)>> {
    let mut found = Vec::new();
    if config.read16(STATUS)? & STATUS_CAPABILITIES == 0 {
        return Ok(found);
    }
    let mut offset = u16::from(config.read8(CAPABILITIES)?) & !3;
    // 48 four-byte structures fit between the header and the end of the first 256 bytes.
    while offset >= 0x40 && found.len() < 48 {
        let header = config.read16(offset)?;
        found.push((header as u8, offset));
        offset = (header >> 8) & 0xfc;
    }
    Ok(found)
}

/// Offset of the first capability with this ID.
pub fn find_capability(config: &dyn ConfigSpace, id: u8) -> io::Result<Option<u16>> {
    Ok(capabilities(config)?
        .into_iter()
        .find(|(found, _)| *found == id)
        .map(|(_, offset)| offset))
}

/// A configuration space in a file: `/scheme/pci/<address>/config`.
pub struct ConfigFile(pub std::fs::File);

impl ConfigSpace for ConfigFile {
    fn read(&self, offset: u16, buffer: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.0, buffer, u64::from(offset))
    }
    fn write(&self, offset: u16, data: &[u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(&self.0, data, u64::from(offset))
    }
}

/// A configuration space in ordinary memory, for tests. Base address registers answer sizing writes as hardware does.
pub struct ConfigImage {
    bytes: std::sync::Mutex<Vec<u8>>,
    bar_sizes: [u64; 6],
}

impl ConfigImage {
    /// An image of 4 KiB of zeros, with the vendor and device ID given.
    pub fn new(vendor: u16, device: u16) -> Self {
        let image = ConfigImage {
            bytes: std::sync::Mutex::new(vec![0; 4096]),
            bar_sizes: [0; 6],
        };
        image.put(VENDOR_ID, &vendor.to_le_bytes());
        image.put(DEVICE_ID, &device.to_le_bytes());
        image
    }

    /// Sets bytes as the hardware would have them, read-only registers included.
    pub fn put(&self, offset: u16, data: &[u8]) {
        let offset = usize::from(offset);
        self.bytes.lock().unwrap()[offset..offset + data.len()].copy_from_slice(data);
    }

    /// Gives base address register `index` a size (a power of two) and its read-only low bits with an address.
    pub fn set_bar(&mut self, index: usize, size: u64, value: u64) {
        self.bar_sizes[index] = size;
        self.put(BAR0 + 4 * index as u16, &(value as u32).to_le_bytes());
        if value & 0b111 == 0b100 {
            self.put(
                BAR0 + 4 * index as u16 + 4,
                &((value >> 32) as u32).to_le_bytes(),
            );
        }
    }

    /// Adds a capability: its bytes with the ID first; the link is filled in here.
    pub fn add_capability(&self, offset: u16, bytes: &[u8]) {
        let mut bytes = bytes.to_vec();
        bytes[1] = self.read8(CAPABILITIES).unwrap_or(0);
        self.put(offset, &bytes);
        self.put(CAPABILITIES, &[offset as u8]);
        self.put(STATUS, &STATUS_CAPABILITIES.to_le_bytes());
    }
}

impl ConfigSpace for ConfigImage {
    fn read(&self, offset: u16, buffer: &mut [u8]) -> io::Result<()> {
        let bytes = self.bytes.lock().unwrap();
        let offset = usize::from(offset);
        let source = bytes
            .get(offset..offset + buffer.len())
            .ok_or(io::ErrorKind::InvalidInput)?;
        buffer.copy_from_slice(source);
        Ok(())
    }

    fn write(&self, offset: u16, data: &[u8]) -> io::Result<()> {
        let mut bytes = self.bytes.lock().unwrap();
        let start = usize::from(offset);
        let low_is_wide =
            start >= 4 && bytes.get(start - 4).is_some_and(|low| low & 0b111 == 0b100);
        let target = bytes
            .get_mut(start..start + data.len())
            .ok_or(io::ErrorKind::InvalidInput)?;
        let index = usize::from(offset.wrapping_sub(BAR0) / 4);
        if index >= 6 || data.len() != 4 {
            target.copy_from_slice(data);
            return Ok(());
        }
        let written = u32::from_le_bytes([data[0], data[1], data[2], data[3]]);
        let old = u32::from_le_bytes([target[0], target[1], target[2], target[3]]);
        let upper_half = index > 0
            && self.bar_sizes[index] == 0
            && self.bar_sizes[index - 1] != 0
            && low_is_wide;
        let value = if upper_half {
            written & (!(self.bar_sizes[index - 1] - 1) >> 32) as u32
        } else if self.bar_sizes[index] == 0 {
            0
        } else {
            let fixed = if old & 1 == 1 { 0b11 } else { 0b1111 };
            (written & !(self.bar_sizes[index] - 1) as u32 & !fixed) | (old & fixed)
        };
        target.copy_from_slice(&value.to_le_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_listed_in_order() {
        let image = ConfigImage::new(0x1af4, 0x1042);
        image.add_capability(0x40, &[CAP_VENDOR, 0, 16, 1]);
        image.add_capability(0x60, &[CAP_MSIX, 0, 3, 0]);
        assert_eq!(
            capabilities(&image).unwrap(),
            vec![(CAP_MSIX, 0x60), (CAP_VENDOR, 0x40)]
        );
        assert_eq!(find_capability(&image, CAP_VENDOR).unwrap(), Some(0x40));
        assert_eq!(find_capability(&image, 5).unwrap(), None);
    }

    #[test]
    fn a_looping_list_ends() {
        let image = ConfigImage::new(0x1af4, 0x1042);
        image.add_capability(0x40, &[CAP_VENDOR, 0]);
        image.put(0x41, &[0x40]);
        assert_eq!(capabilities(&image).unwrap().len(), 48);
    }
}
