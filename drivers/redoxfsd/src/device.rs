//! What lies under the filesystem: anything that reads, writes and flushes at offsets.

use crate::prefetch::Reader;
use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// A disk, or a file that stands for one.
pub trait Device {
    /// Fills `buffer` from `offset` on.
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;
    /// Writes all of `data` at `offset`.
    fn write_at(&mut self, offset: u64, data: &[u8]) -> io::Result<()>;
    /// Returns when everything written is on stable storage.
    fn flush(&mut self) -> io::Result<()>;
    /// Size in bytes.
    fn size(&mut self) -> io::Result<u64>;
    /// Reads from another thread; `None` where that cannot be.
    fn reader(&self) -> Option<Reader> {
        None
    }
}

impl Device for File {
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        FileExt::read_exact_at(self, buffer, offset)
    }

    fn write_at(&mut self, offset: u64, data: &[u8]) -> io::Result<()> {
        FileExt::write_all_at(self, data, offset)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn size(&mut self) -> io::Result<u64> {
        self.seek(SeekFrom::End(0))
    }

    fn reader(&self) -> Option<Reader> {
        let file = self.try_clone().ok()?;
        Some(Box::new(move |offset, buffer| {
            FileExt::read_exact_at(&file, buffer, offset)
        }))
    }
}

/// A part of a file: a partition in a disk image, or all of it. Clones are of the same file.
#[derive(Clone, Debug)]
pub struct Window {
    file: Arc<File>,
    start: u64,
    len: u64,
}

impl Window {
    /// `len` bytes (all that follow without it) from `start` on.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the file is too short, and what `lseek(2)` returns.
    pub fn new(mut file: File, start: u64, len: Option<u64>) -> io::Result<Self> {
        let rest = file.size()?.checked_sub(start);
        let len = rest.and_then(|rest| len.map_or(Some(rest), |len| (len <= rest).then_some(len)));
        let len = len.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(Self { file: Arc::new(file), start, len })
    }
}

impl Device for Window {
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        FileExt::read_exact_at(&*self.file, buffer, self.start + offset)
    }

    fn write_at(&mut self, offset: u64, data: &[u8]) -> io::Result<()> {
        FileExt::write_all_at(&*self.file, data, self.start + offset)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn size(&mut self) -> io::Result<u64> {
        Ok(self.len)
    }

    fn reader(&self) -> Option<Reader> {
        let (file, start) = (self.file.try_clone().ok()?, self.start);
        Some(Box::new(move |offset, buffer| {
            FileExt::read_exact_at(&file, buffer, start + offset)
        }))
    }
}
