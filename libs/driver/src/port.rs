//! I/O ports.

use scheme_abi::{PORT_SEQUENCE, PortAccess, PortSequence};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
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
    /// Does these accesses, at most [`PortSequence::MOST`], one right after the other while no other CPU reaches a device. What was read is in them afterwards.
    ///
    /// # Errors
    /// [`io::ErrorKind::Unsupported`] where that is not possible: nothing was done.
    fn sequence(&mut self, _accesses: &mut [PortAccess]) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
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
    fn sequence(&mut self, accesses: &mut [PortAccess]) -> io::Result<()> {
        let sequence = PortSequence {
            accesses: accesses.as_mut_ptr() as u64,
            count: u32::try_from(accesses.len()).map_err(|_| io::ErrorKind::InvalidInput)?,
            reserved: 0,
        };
        // SAFETY: PORT_SEQUENCE reads one `PortSequence`, and reads and writes `count` times `PortAccess` (any bytes are valid ones) at its address, for
        // which there is a mutable slice.
        match unsafe { libc::ioctl(self.0.as_raw_fd(), PORT_SEQUENCE.into(), &raw const sequence) } {
            0 => Ok(()),
            _ => Err(match io::Error::last_os_error() {
                error if error.raw_os_error() == Some(libc::ENOTTY) => io::ErrorKind::Unsupported.into(),
                error => error,
            }),
        }
    }
}
