//! A part of a device: as a device of its own, and as a stream for readers of filesystems.

use redoxfsd::device::Device;
use std::io::{self, Read, Seek, SeekFrom, Write};

/// `len` bytes of a device from `start` on.
pub(crate) struct Window<'d, D> {
    pub device: &'d mut D,
    pub start: u64,
    pub len: u64,
}

impl<D: Device> Window<'_, D> {
    fn at(&self, offset: u64, count: usize) -> io::Result<u64> {
        match offset.checked_add(count as u64) {
            Some(end) if end <= self.len => Ok(self.start + offset),
            _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "beyond the end of the partition")),
        }
    }
}

impl<D: Device> Device for Window<'_, D> {
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let at = self.at(offset, buffer.len())?;
        self.device.read_at(at, buffer)
    }

    fn write_at(&mut self, offset: u64, data: &[u8]) -> io::Result<()> {
        let at = self.at(offset, data.len())?;
        self.device.write_at(at, data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.device.flush()
    }

    fn size(&mut self) -> io::Result<u64> {
        Ok(self.len)
    }
}

/// Bytes read at once.
const CHUNK: u64 = 128 << 10;

/// A device as a stream that can only be read.
pub(crate) struct Reader<D> {
    device: D,
    len: u64,
    at: u64,
    buffer: Vec<u8>,
    buffer_at: u64,
}

impl<D: Device> Reader<D> {
    pub fn new(mut device: D) -> io::Result<Self> {
        let len = device.size()?;
        Ok(Self { device, len, at: 0, buffer: Vec::new(), buffer_at: 0 })
    }
}

impl<D: Device> Read for Reader<D> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.len || buffer.is_empty() {
            return Ok(0);
        }
        if !(self.buffer_at..self.buffer_at + self.buffer.len() as u64).contains(&self.at) {
            let start = self.at - self.at % CHUNK;
            let mut chunk = std::mem::take(&mut self.buffer);
            chunk.resize(CHUNK.min(self.len - start) as usize, 0);
            self.device.read_at(start, &mut chunk)?;
            (self.buffer, self.buffer_at) = (chunk, start);
        }
        let rest = &self.buffer[(self.at - self.buffer_at) as usize..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.at += count as u64;
        Ok(count)
    }
}

impl<D> Seek for Reader<D> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = image_builder::seek::target(to, self.at, self.len)?;
        Ok(self.at)
    }
}

/// For the crate that reads FAT, which never does it here.
impl<D> Write for Reader<D> {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::PermissionDenied.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
