//! Where pixels go: the framebuffer, a display device, or memory.

use crate::card::Card;
use driver::mapping::Mapping;
use scheme_abi::{FB_INFO, FbInfo};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// Takes rows of pixels. Reading a framebuffer back is very slow, so nothing does.
pub trait Surface {
    /// Width and height in pixels.
    fn size(&self) -> (usize, usize);
    /// A pixel of this surface for a colour 0xRRGGBB.
    fn pixel(&self, colour: u32) -> u32;
    /// Writes pixels to a row from `x` on. What does not fit is left out.
    fn put(&mut self, x: usize, y: usize, pixels: &[u32]);
    /// What was written shall be seen now.
    fn flush(&mut self) {}
}

/// Where the console is shown.
pub enum Screen {
    /// Nowhere: another terminal is shown, or there is no display yet. Width and height in pixels.
    Hidden(usize, usize),
    /// On the framebuffer that the boot loader left.
    Boot(Framebuffer),
    /// On a display device.
    Card(Card),
}

impl Screen {
    /// Where there is no display: as large as a terminal always was, 80 by 25 characters.
    pub fn nowhere() -> Self {
        Screen::Hidden(80 * crate::font::WIDTH, 25 * crate::font::HEIGHT)
    }
}

impl Surface for Screen {
    fn size(&self) -> (usize, usize) {
        match self {
            Screen::Hidden(width, height) => (*width, *height),
            Screen::Boot(framebuffer) => framebuffer.size(),
            Screen::Card(card) => card.size(),
        }
    }

    fn pixel(&self, colour: u32) -> u32 {
        match self {
            Screen::Hidden(..) => colour,
            Screen::Boot(framebuffer) => framebuffer.pixel(colour),
            Screen::Card(card) => card.pixel(colour),
        }
    }

    fn put(&mut self, x: usize, y: usize, pixels: &[u32]) {
        match self {
            Screen::Hidden(..) => {}
            Screen::Boot(framebuffer) => framebuffer.put(x, y, pixels),
            Screen::Card(card) => card.put(x, y, pixels),
        }
    }

    fn flush(&mut self) {
        if let Screen::Card(card) = self {
            card.flush();
        }
    }
}

/// The boot framebuffer.
pub struct Framebuffer {
    mapping: Mapping,
    info: FbInfo,
}

/// The path of the boot framebuffer.
const PATH: &str = "/scheme/memory/framebuffer";

impl Framebuffer {
    /// Maps the boot framebuffer.
    pub fn open() -> io::Result<Self> {
        let file = File::options().read(true).write(true).open(PATH)?;
        let mut info = FbInfo::default();
        // SAFETY: FB_INFO writes one FbInfo (repr(C)) to the address it is given.
        if unsafe { libc::ioctl(file.as_raw_fd(), FB_INFO as _, &mut info) } < 0 {
            return Err(io::Error::last_os_error());
        }
        let row_bytes = u64::from(info.width) * u64::from(info.bpp / 8);
        if !matches!(info.bpp, 24 | 32)
            || u64::from(info.pitch) < row_bytes
            || info.width == 0
            || info.height == 0
        {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                format!("unusable framebuffer: {info:?}"),
            ));
        }
        let len = info.pitch as usize * info.height as usize;
        Ok(Framebuffer {
            mapping: Mapping::new(file.as_fd(), 0, len)?,
            info,
        })
    }
}

impl Surface for Framebuffer {
    fn size(&self) -> (usize, usize) {
        (self.info.width as usize, self.info.height as usize)
    }

    fn pixel(&self, colour: u32) -> u32 {
        let FbInfo {
            red_shift,
            green_shift,
            blue_shift,
            ..
        } = self.info;
        let part = |from: u32, to: u32| (colour >> from & 0xff).checked_shl(to).unwrap_or(0);
        part(16, red_shift) | part(8, green_shift) | part(0, blue_shift)
    }

    fn put(&mut self, x: usize, y: usize, pixels: &[u32]) {
        let (width, height) = self.size();
        if x >= width || y >= height {
            return;
        }
        let pixels = &pixels[..pixels.len().min(width - x)];
        let bytes = self.info.bpp as usize / 8;
        let start = y * self.info.pitch as usize + x * bytes;
        // SAFETY: the row has `width` pixels of `bytes` bytes within the pitch (checked in `open`), so start and end lie
        // within the mapping.
        let target = unsafe { self.mapping.as_ptr().add(start) };
        if bytes == 4 {
            // SAFETY: as above; `pixels` is ours and does not overlap device memory. Bytes, since a pitch need not keep rows
            // aligned.
            unsafe { target.copy_from_nonoverlapping(pixels.as_ptr().cast(), 4 * pixels.len()) };
        } else {
            for (index, pixel) in pixels.iter().enumerate() {
                // SAFETY: as above, three bytes for each of at most `width - x` pixels.
                unsafe {
                    target
                        .add(3 * index)
                        .copy_from_nonoverlapping(pixel.to_le_bytes().as_ptr(), 3)
                };
            }
        }
    }
}

/// A surface in memory, for tests.
#[cfg(test)]
pub struct Memory {
    pub width: usize,
    pub height: usize,
    pub pixels: Vec<u32>,
    /// Pixels written since this was last set to 0.
    pub written: usize,
}

#[cfg(test)]
impl Memory {
    pub fn new(width: usize, height: usize) -> Self {
        Memory {
            width,
            height,
            pixels: vec![0; width * height],
            written: 0,
        }
    }
}

#[cfg(test)]
impl Surface for Memory {
    fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }
    fn pixel(&self, colour: u32) -> u32 {
        colour
    }
    fn put(&mut self, x: usize, y: usize, pixels: &[u32]) {
        self.pixels[y * self.width + x..][..pixels.len()].copy_from_slice(pixels);
        self.written += pixels.len();
    }
}
