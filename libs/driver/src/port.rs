//! I/O ports.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Access to I/O ports.
pub trait Ports {
    /// Reads one byte from a port.
    fn read8(&mut self, port: u16) -> io::Result<u8>;
    /// Writes one byte to a port.
    fn write8(&mut self, port: u16, value: u8) -> io::Result<()>;
    /// Reads four bytes from a port in one access.
    fn read32(&mut self, port: u16) -> io::Result<u32>;
    /// Writes four bytes to a port in one access.
    fn write32(&mut self, port: u16, value: u32) -> io::Result<()>;
}

/// The machine's ports, through `/dev/port`.
pub struct DevPort(File);

impl DevPort {
    /// Opens `/dev/port` (uid 0 only).
    pub fn open() -> io::Result<Self> {
        Ok(DevPort(
            File::options().read(true).write(true).open("/dev/port")?,
        ))
    }
}

impl Ports for DevPort {
    fn read8(&mut self, port: u16) -> io::Result<u8> {
        let mut bytes = [0; 1];
        self.0.read_exact_at(&mut bytes, u64::from(port))?;
        Ok(bytes[0])
    }
    fn write8(&mut self, port: u16, value: u8) -> io::Result<()> {
        self.0.write_all_at(&[value], u64::from(port))
    }
    fn read32(&mut self, port: u16) -> io::Result<u32> {
        let mut bytes = [0; 4];
        self.0.read_exact_at(&mut bytes, u64::from(port))?;
        Ok(u32::from_le_bytes(bytes))
    }
    fn write32(&mut self, port: u16, value: u32) -> io::Result<()> {
        self.0.write_all_at(&value.to_le_bytes(), u64::from(port))
    }
}
