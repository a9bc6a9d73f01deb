//! What the schemes `/scheme/disk.<name>` share: the whole disk is handle 0, partition n is handle n; attributes and ioctls are those of Linux's
//! block devices (`linux/fs.h`).

#![deny(unsafe_code)]
#![warn(missing_docs)]

use partitions::Partition;
use scheme::{Context, Errno, Result, Stat};

mod ioctl {
    pub const BLKROGET: u64 = 0x125e;
    pub const BLKGETSIZE: u64 = 0x1260;
    pub const BLKSSZGET: u64 = 0x1268;
    pub const BLKPBSZGET: u64 = 0x127b;
    pub const BLKGETSIZE64: u64 = 0x8008_1272;
}

const S_IFBLK: u16 = 0o060_000;

/// A range of the disk, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Where it begins.
    pub start: u64,
    /// How long it is.
    pub len: u64,
}

/// The disk and its partitions.
#[derive(Clone, Debug)]
pub struct Volumes {
    /// By handle.
    extents: Vec<Option<Extent>>,
    block_bytes: u32,
    is_read_only: bool,
}

impl Volumes {
    /// A disk of so many bytes, with these partitions, that is written in blocks of `block_bytes`.
    pub fn new(bytes: u64, partitions: &[Partition], block_bytes: u32, is_read_only: bool) -> Self {
        let mut extents = vec![Some(Extent { start: 0, len: bytes })];
        for part in partitions {
            let index = part.number as usize;
            extents.resize(extents.len().max(index + 1), None);
            extents[index] = Some(Extent { start: part.start, len: part.len });
        }
        Volumes { extents, block_bytes, is_read_only }
    }

    /// What a handle stands for.
    ///
    /// # Errors
    /// EBADF where there is no such handle.
    pub fn extent(&self, handle: u64) -> Result<Extent, Errno> {
        usize::try_from(handle).ok().and_then(|index| *self.extents.get(index)?).ok_or(Errno::BADF)
    }

    /// The part of a request for `len` bytes that lies within the handle's extent: where on the disk it starts, and its length; 0 at and past the end.
    ///
    /// # Errors
    /// EBADF, and ESPIPE for a request without an offset.
    pub fn clip(&self, handle: u64, offset: u64, len: usize) -> Result<(u64, usize), Errno> {
        let extent = self.extent(handle)?;
        if offset == scheme::abi::STREAM_OFFSET {
            return Err(Errno::SPIPE);
        }
        let left = extent.len.saturating_sub(offset);
        // The sum lies on the disk wherever the length is not 0.
        Ok((extent.start.saturating_add(offset), left.min(len as u64) as usize))
    }

    /// The handle of a name in the scheme's root: none for the disk, a number for a partition.
    ///
    /// # Errors
    /// ENOTDIR, ENOENT; EACCES where somebody else than root opens more than attributes; EROFS where it is opened for writing and cannot be written.
    pub fn open(&self, cx: &Context<'_>, dir: u64, path: &str, flags: u64) -> Result<u64, Errno> {
        if dir != scheme::abi::ROOT_HANDLE {
            return Err(Errno::NOTDIR);
        }
        // Everyone may look, root may open.
        if cx.ids.uid != 0 && flags & scheme::abi::O_STAT as u64 == 0 {
            return Err(Errno::ACCESS);
        }
        let number: u64 = if path.is_empty() { 0 } else { path.parse().map_err(|_| Errno::NOENT)? };
        // "01" would be a second name of "1".
        if !path.is_empty() && (number == 0 || path != number.to_string()) {
            return Err(Errno::NOENT);
        }
        self.extent(number).map_err(|_| Errno::NOENT)?;
        let is_for_writing = flags as usize & scheme::abi::O_ACCMODE & scheme::abi::O_WRONLY != 0;
        if is_for_writing && self.is_read_only {
            return Err(Errno::ROFS);
        }
        Ok(number)
    }

    /// Attributes.
    ///
    /// # Errors
    /// EBADF.
    pub fn stat(&self, handle: u64) -> Result<Stat, Errno> {
        let extent = self.extent(handle)?;
        let permissions = if self.is_read_only { 0o440 } else { 0o660 };
        Ok(Stat {
            st_ino: handle + 1,
            st_mode: S_IFBLK | permissions,
            st_nlink: 1,
            st_size: extent.len,
            st_blksize: 4096,
            st_blocks: extent.len / 512,
            ..Stat::default()
        })
    }

    /// Answers an ioctl into `buffer`.
    ///
    /// # Errors
    /// EBADF, and ENOTTY for one that is not known.
    pub fn ioctl(&self, handle: u64, request: u64, buffer: &mut [u8]) -> Result<u64, Errno> {
        let extent = self.extent(handle)?;
        let value = match request {
            ioctl::BLKROGET => u64::from(self.is_read_only),
            ioctl::BLKGETSIZE => extent.len / 512,
            ioctl::BLKGETSIZE64 => extent.len,
            ioctl::BLKSSZGET | ioctl::BLKPBSZGET => u64::from(self.block_bytes),
            _ => return Err(Errno::NOTTY),
        };
        let len = buffer.len().min(8);
        buffer[..len].copy_from_slice(&value.to_le_bytes()[..len]);
        Ok(0)
    }
}
