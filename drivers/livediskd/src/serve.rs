//! The scheme: the whole disk is handle 0, partition n is handle n, as with other disks.

use crate::overlay::Overlay;
use partitions::Partition;
use scheme::{Context, Errno, EventFlags, Opened, Result, Scheme, Stat};
use std::io::{Read, Seek};

/// ioctls of block devices (Linux's `linux/fs.h`).
mod ioctl {
    pub const BLKROGET: u64 = 0x125e;
    pub const BLKGETSIZE: u64 = 0x1260;
    pub const BLKSSZGET: u64 = 0x1268;
    pub const BLKPBSZGET: u64 = 0x127b;
    pub const BLKGETSIZE64: u64 = 0x8008_1272;
}

const BLOCK_BYTES: u64 = 512;
const S_IFBLK: u16 = 0o060_000;

/// The disk as a scheme.
pub struct Live<F> {
    disk: Overlay<F>,
    /// Start and length of the disk and of each partition, by handle.
    extents: Vec<Option<(u64, u64)>>,
}

impl<F: Read + Seek> Live<F> {
    pub fn new(disk: Overlay<F>, partitions: &[Partition]) -> Self {
        let mut extents = vec![Some((0, disk.bytes()))];
        for part in partitions {
            let index = part.number as usize;
            extents.resize(extents.len().max(index + 1), None);
            extents[index] = Some((part.start, part.len));
        }
        Self { disk, extents }
    }

    fn extent(&self, handle: u64) -> Result<(u64, u64), Errno> {
        usize::try_from(handle).ok().and_then(|index| *self.extents.get(index)?).ok_or(Errno::BADF)
    }

    /// Where on the disk a request begins, and how much of it lies within the extent: 0 at and past the end.
    fn clip(&self, handle: u64, offset: u64, len: usize) -> Result<(u64, usize), Errno> {
        let (start, extent) = self.extent(handle)?;
        if offset == scheme::abi::STREAM_OFFSET {
            return Err(Errno::SPIPE);
        }
        let left = extent.saturating_sub(offset);
        Ok((start.saturating_add(offset), left.min(len as u64) as usize))
    }
}

fn io_error(error: std::io::Error) -> Errno {
    tracing::error!("{error}");
    Errno::IO
}

impl<F: Read + Seek> Scheme for Live<F> {
    fn openat(&mut self, cx: &mut Context<'_>, dir: u64, path: &str, flags: u64) -> Result<Opened> {
        if dir != scheme::abi::ROOT_HANDLE {
            return Err(Errno::NOTDIR.into());
        }
        if cx.ids.uid != 0 && flags & scheme::abi::O_STAT as u64 == 0 {
            return Err(Errno::ACCESS.into());
        }
        let number: u64 = if path.is_empty() { 0 } else { path.parse().map_err(|_| Errno::NOENT)? };
        // "01" would be a second name of "1".
        if !path.is_empty() && (number == 0 || path != number.to_string()) {
            return Err(Errno::NOENT.into());
        }
        self.extent(number).map_err(|_| Errno::NOENT)?;
        Ok(Opened::Handle(number))
    }

    fn read(&mut self, _: &mut Context<'_>, handle: u64, buffer: &mut [u8], offset: u64) -> Result<usize> {
        let (at, len) = self.clip(handle, offset, buffer.len())?;
        self.disk.read(at, &mut buffer[..len]).map_err(io_error)?;
        Ok(len)
    }

    fn write(&mut self, _: &mut Context<'_>, handle: u64, data: &[u8], offset: u64) -> Result<usize> {
        let (at, len) = self.clip(handle, offset, data.len())?;
        if len == 0 && !data.is_empty() {
            return Err(Errno::NOSPC.into());
        }
        self.disk.write(at, &data[..len]).map_err(io_error)?;
        Ok(len)
    }

    fn fsync(&mut self, _: &mut Context<'_>, handle: u64) -> Result<()> {
        // Nothing is more stable than memory here.
        self.extent(handle)?;
        Ok(())
    }

    fn fevent(&mut self, handle: u64, events: EventFlags) -> Result<EventFlags> {
        self.extent(handle)?;
        Ok(events)
    }

    fn fstat(&mut self, handle: u64) -> Result<Stat> {
        let (_, len) = self.extent(handle)?;
        Ok(Stat { st_ino: handle + 1, st_mode: S_IFBLK | 0o660, st_nlink: 1, st_size: len, st_blksize: 4096, st_blocks: len / 512, ..Stat::default() })
    }

    fn call(&mut self, _: &mut Context<'_>, handle: u64, buffer: &mut [u8], metadata: [u64; 3]) -> Result<u64> {
        let (_, len) = self.extent(handle)?;
        let value = match metadata[0] {
            ioctl::BLKROGET => 0,
            ioctl::BLKGETSIZE => len / 512,
            ioctl::BLKGETSIZE64 => len,
            ioctl::BLKSSZGET | ioctl::BLKPBSZGET => BLOCK_BYTES,
            _ => return Err(Errno::NOTTY.into()),
        };
        let count = buffer.len().min(8);
        buffer[..count].copy_from_slice(&value.to_le_bytes()[..count]);
        Ok(0)
    }
}
