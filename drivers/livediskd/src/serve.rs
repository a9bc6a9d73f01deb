//! The scheme, as that of other disks.

use crate::overlay::Overlay;
use block_scheme::Volumes;
use partitions::Partition;
use scheme::{Context, Errno, EventFlags, Opened, Result, Scheme, Stat};
use std::io::{Read, Seek};

/// What disks are asked for in.
const BLOCK_BYTES: u32 = 512;

/// The disk as a scheme.
pub struct Live<F> {
    disk: Overlay<F>,
    volumes: Volumes,
}

impl<F: Read + Seek> Live<F> {
    pub fn new(disk: Overlay<F>, partitions: &[Partition]) -> Self {
        Self { volumes: Volumes::new(disk.bytes(), partitions, BLOCK_BYTES, false), disk }
    }
}

fn io_error(error: std::io::Error) -> Errno {
    tracing::error!("{error}");
    Errno::IO
}

impl<F: Read + Seek> Scheme for Live<F> {
    fn openat(&mut self, cx: &mut Context<'_>, dir: u64, path: &str, flags: u64) -> Result<Opened> {
        Ok(Opened::Handle(self.volumes.open(cx, dir, path, flags)?))
    }

    fn read(&mut self, _: &mut Context<'_>, handle: u64, buffer: &mut [u8], offset: u64) -> Result<usize> {
        let (at, len) = self.volumes.clip(handle, offset, buffer.len())?;
        self.disk.read(at, &mut buffer[..len]).map_err(io_error)?;
        Ok(len)
    }

    fn write(&mut self, _: &mut Context<'_>, handle: u64, data: &[u8], offset: u64) -> Result<usize> {
        let (at, len) = self.volumes.clip(handle, offset, data.len())?;
        if len == 0 && !data.is_empty() {
            return Err(Errno::NOSPC.into());
        }
        self.disk.write(at, &data[..len]).map_err(io_error)?;
        Ok(len)
    }

    fn fsync(&mut self, _: &mut Context<'_>, handle: u64) -> Result<()> {
        // Nothing is more stable than memory here.
        self.volumes.extent(handle)?;
        Ok(())
    }

    fn fevent(&mut self, handle: u64, events: EventFlags) -> Result<EventFlags> {
        self.volumes.extent(handle)?;
        Ok(events)
    }

    fn fstat(&mut self, handle: u64) -> Result<Stat> {
        Ok(self.volumes.stat(handle)?)
    }

    fn call(&mut self, _: &mut Context<'_>, handle: u64, buffer: &mut [u8], metadata: [u64; 3]) -> Result<u64> {
        Ok(self.volumes.ioctl(handle, metadata[0], buffer)?)
    }
}
