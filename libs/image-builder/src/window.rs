//! A part of a file as a disk of its own: a partition of an image.

use std::fs::File;
use std::os::unix::fs::FileExt;

use redoxfs::{BLOCK_SIZE, Disk};
use syscall::error::{EINVAL, EIO, Error as SyscallError, Result as SyscallResult};

/// `len` bytes of `file` from `start`.
#[derive(Debug)]
pub struct Window {
    file: File,
    start: u64,
    len: u64,
}

impl Window {
    /// A window of `len` bytes from byte `start`.
    pub fn new(file: File, start: u64, len: u64) -> Self {
        Self { file, start, len }
    }

    /// Where a block is in the file, if `count` bytes from it lie within the window.
    fn offset(&self, block: u64, count: usize) -> SyscallResult<u64> {
        let offset = block
            .checked_mul(BLOCK_SIZE)
            .ok_or(SyscallError::new(EINVAL))?;
        match offset.checked_add(count as u64) {
            Some(end) if end <= self.len => Ok(self.start + offset),
            _ => Err(SyscallError::new(EINVAL)),
        }
    }
}

#[allow(unsafe_code)] // The trait declares its methods unsafe; nothing in them is.
impl Disk for Window {
    unsafe fn read_at(&mut self, block: u64, buffer: &mut [u8]) -> SyscallResult<usize> {
        let offset = self.offset(block, buffer.len())?;
        self.file
            .read_exact_at(buffer, offset)
            .map_err(|_| SyscallError::new(EIO))?;
        Ok(buffer.len())
    }

    unsafe fn write_at(&mut self, block: u64, buffer: &[u8]) -> SyscallResult<usize> {
        let offset = self.offset(block, buffer.len())?;
        self.file
            .write_all_at(buffer, offset)
            .map_err(|_| SyscallError::new(EIO))?;
        Ok(buffer.len())
    }

    fn size(&mut self) -> SyscallResult<u64> {
        Ok(self.len)
    }
}
