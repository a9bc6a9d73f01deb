//! Memory that the host shows.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;

use gde_raster::Pixmap;
use smithay::utils::{Physical, Rectangle};
use wayland_client::QueueHandle;
use wayland_client::protocol::wl_buffer::WlBuffer;
use wayland_client::protocol::wl_shm::{Format, WlShm};

use super::host::Host;

/// More parts than this are one.
const PARTS: usize = 32;

/// A buffer in memory that is shared with the host. It is written to by the file, so that nothing of it is mapped here.
#[derive(Debug)]
pub struct Buffer {
    /// What the host knows it by.
    pub buffer: WlBuffer,
    file: File,
    size: (i32, i32),
    /// Whether the host reads it.
    pub is_busy: bool,
    /// What has changed since it was written to.
    stale: Vec<Rectangle<i32, Physical>>,
}

impl Buffer {
    /// One of this size, in which everything is stale.
    ///
    /// # Errors
    /// Where there is no memory.
    pub fn new(shm: &WlShm, size: (i32, i32), qh: &QueueHandle<Host>) -> io::Result<Self> {
        let bytes = size.0.checked_mul(size.1).and_then(|it| it.checked_mul(4)).ok_or(io::ErrorKind::InvalidInput)?;
        let file = crate::sys::memory_file(c"gde-nested")?;
        file.set_len(bytes as u64)?;
        let pool = shm.create_pool(file.as_fd(), bytes, qh, ());
        let buffer = pool.create_buffer(0, size.0, size.1, size.0 * 4, Format::Xrgb8888, qh, ());
        pool.destroy();
        Ok(Buffer { buffer, file, size, is_busy: false, stale: vec![Rectangle::from_size(size.into())] })
    }

    /// Whether it has another size.
    pub fn is_other(&self, size: (i32, i32)) -> bool {
        self.size != size
    }

    /// Parts of the picture have changed.
    pub fn note(&mut self, parts: &[Rectangle<i32, Physical>]) {
        self.stale.extend_from_slice(parts);
        if self.stale.len() > PARTS {
            self.stale = vec![Rectangle::from_size(self.size.into())];
        }
    }

    /// Takes what has changed over from the picture, which has this size.
    ///
    /// # Errors
    /// Where there is no memory.
    pub fn update(&mut self, picture: &Pixmap) -> io::Result<()> {
        let whole = Rectangle::from_size(self.size.into());
        let width = picture.width();
        let mut bytes = Vec::new();
        for part in std::mem::take(&mut self.stale) {
            let Some(part) = part.intersection(whole) else { continue };
            for y in part.loc.y..part.loc.y + part.size.h {
                let start = y as usize * width + part.loc.x as usize;
                let Some(row) = picture.pixels().get(start..start + part.size.w as usize) else { continue };
                bytes.clear();
                bytes.extend(row.iter().flat_map(|pixel| pixel.to_ne_bytes()));
                self.file.write_all_at(&bytes, start as u64 * 4)?;
            }
        }
        Ok(())
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.buffer.destroy();
    }
}
