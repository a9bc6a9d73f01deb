//! A display device: its calls, and buffers of it that can be drawn on.

use drm::uapi::{CreateDumb, FbCmd, MAGIC, MapDumb, call};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

/// An open card.
pub struct Card(pub File);

impl Card {
    /// Opens `/dev/dri/card0`.
    pub fn open() -> io::Result<Self> {
        Ok(Card(File::options().read(true).write(true).open("/dev/dri/card0")?))
    }

    /// A call of DRM's; pointers in `value` are to live memory of the caller's.
    pub fn call<T>(&self, number: u8, value: &mut T) -> io::Result<()> {
        let request = 3u64 << 30 | (size_of::<T>() as u64) << 16 | u64::from(MAGIC) << 8 | u64::from(number);
        // SAFETY: the structure is the one of this call, and its pointers are good by the caller's promise.
        if unsafe { libc::ioctl(self.0.as_raw_fd(), request, value) } < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// A call without a structure.
    pub fn plain(&self, number: u8) -> io::Result<()> {
        let request = u64::from(MAGIC) << 8 | u64::from(number);
        // SAFETY: no memory is touched.
        if unsafe { libc::ioctl(self.0.as_raw_fd(), request, 0) } < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

/// A dumb buffer, mapped, and its framebuffer.
pub struct Canvas {
    pub handle: u32,
    pub framebuffer: u32,
    width: u32,
    height: u32,
    pitch: u32,
    address: *mut u8,
}

impl Canvas {
    /// A buffer of this size; without a framebuffer where `depth` is 0.
    pub fn new(card: &Card, width: u32, height: u32, depth: u32) -> io::Result<Self> {
        let mut dumb = CreateDumb { width, height, bpp: 32, ..CreateDumb::default() };
        card.call(call::MODE_CREATE_DUMB, &mut dumb)?;
        let mut fb = FbCmd { width, height, pitch: dumb.pitch, bpp: 32, depth, handle: dumb.handle, ..FbCmd::default() };
        if depth != 0 {
            card.call(call::MODE_ADDFB, &mut fb)?;
        }
        let mut map = MapDumb { handle: dumb.handle, ..MapDumb::default() };
        card.call(call::MODE_MAP_DUMB, &mut map)?;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping, wherever the kernel likes.
        let address = unsafe { libc::mmap(std::ptr::null_mut(), dumb.size as usize, protection, libc::MAP_SHARED, card.0.as_raw_fd(), map.offset as i64) };
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Canvas { handle: dumb.handle, framebuffer: fb.fb_id, width, height, pitch: dumb.pitch, address: address.cast() })
    }

    /// Fills it with what a function says of each pixel.
    pub fn draw(&self, pixel: impl Fn(u32, u32) -> u32) {
        for y in 0..self.height {
            for x in 0..self.width {
                let at = y as usize * self.pitch as usize + 4 * x as usize;
                // SAFETY: within the buffer, whose rows are `pitch` bytes long, at least four for each pixel; pitch and mapping are aligned.
                unsafe { self.address.add(at).cast::<u32>().write_volatile(pixel(x, y)) };
            }
        }
    }
}
