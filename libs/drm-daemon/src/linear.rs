//! Devices that are no more than memory that is shown: buffers are copied there, row by row.

use crate::{BufferMemory, Driver};
use driver::dma::DmaMemory;
use drm::backend::{Backend, CursorImage, Identity, Limits, Output, Picture, Rect, Scanout};
use drm::fourcc::{self, Fourcc};
use drm::uapi::ModeInfo;
use drm::{Errno, Memory as _};

/// Shown memory.
pub trait Screen {
    /// How it is called.
    fn identity(&self) -> Identity;
    /// Largest picture.
    fn max(&self) -> (u32, u32);
    /// What is connected.
    fn output(&mut self) -> Output;
    /// Shows this mode from now on, or nothing.
    fn set_mode(&mut self, mode: Option<&ModeInfo>);
    /// Writes pixels of a row, from the pixel `x` on. They lie within the mode.
    fn put(&mut self, x: u32, y: u32, pixels: &[u32]);
}

const FORMATS: &[Fourcc] = &[fourcc::XRGB8888];

/// A device of shown memory. It has no cursor of its own: programs draw one.
pub struct Linear<S> {
    screen: S,
    mode: Option<ModeInfo>,
}

impl<S: Screen> Linear<S> {
    /// A device for this memory.
    pub fn new(screen: S) -> Self {
        Self { screen, mode: None }
    }

    /// Copies a part of a framebuffer (in its coordinates) to where it is shown.
    fn copy(&mut self, scanout: &Scanout, picture: &Picture, memory: &BufferMemory, part: Rect) {
        let Some(part) = part.intersection(scanout.part) else { return };
        let mut row = vec![0u8; 4 * part.width as usize];
        let mut pixels = vec![0u32; part.width as usize];
        for y in part.y..part.y + part.height {
            let at = picture.offset as usize + y as usize * picture.pitch as usize + 4 * part.x as usize;
            memory.read(at, &mut row);
            for (pixel, bytes) in pixels.iter_mut().zip(row.as_chunks::<4>().0) {
                *pixel = u32::from_le_bytes(*bytes);
            }
            self.screen.put(part.x - scanout.part.x, y - scanout.part.y, &pixels);
        }
    }
}

impl<S: Screen> Backend for Linear<S> {
    type Memory = BufferMemory;

    fn identity(&self) -> Identity {
        self.screen.identity()
    }

    fn limits(&self) -> Limits {
        Limits { max: self.screen.max(), cursor: None, formats: FORMATS }
    }

    fn outputs(&mut self) -> Vec<Output> {
        vec![self.screen.output()]
    }

    fn allocate(&mut self, bytes: usize) -> Result<BufferMemory, Errno> {
        DmaMemory::anonymous(bytes).map(BufferMemory).map_err(|_| Errno::NOMEM)
    }

    fn add_framebuffer(&mut self, _: u32, _: &Picture, _: &BufferMemory) -> Result<(), Errno> {
        Ok(())
    }

    fn remove_framebuffer(&mut self, _: u32) {}

    fn show(&mut self, _: usize, scanout: Option<(&Scanout, &Picture, &BufferMemory)>) {
        let mode = scanout.map(|(scanout, ..)| scanout.mode);
        if mode != self.mode {
            self.screen.set_mode(mode.as_ref());
            self.mode = mode;
        }
        if let Some((scanout, picture, memory)) = scanout {
            self.copy(scanout, picture, memory, scanout.part);
        }
    }

    fn update(&mut self, _: usize, scanout: &Scanout, picture: &Picture, memory: &BufferMemory, parts: &[Rect]) {
        for part in parts {
            self.copy(scanout, picture, memory, *part);
        }
    }

    fn set_cursor(&mut self, _: usize, _: Option<&CursorImage>, _: (i32, i32)) {}

    fn move_cursor(&mut self, _: usize, _: (i32, i32)) {}
}

impl<S: Screen> Driver for Linear<S> {
    fn interrupt(&mut self) -> anyhow::Result<bool> {
        Ok(false)
    }

    fn failure(&mut self) -> Option<anyhow::Error> {
        None
    }
}
