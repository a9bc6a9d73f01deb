//! What a device must be able to do, and what it says of itself.

use crate::fourcc::Fourcc;
use crate::uapi::ModeInfo;
use rustix::io::Errno;

/// How the driver is called, for `DRM_IOCTL_VERSION` and `GET_UNIQUE`.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Name.
    pub name: &'static str,
    /// Description.
    pub description: &'static str,
    /// Date of the interface.
    pub date: &'static str,
    /// Version of the interface.
    pub version: (i32, i32, i32),
    /// Bus address, like `pci:0000:00:02.0`.
    pub unique: String,
}

/// What a device can do.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Largest picture in pixels.
    pub max: (u32, u32),
    /// Size of the cursor's picture; `None` where there is no cursor plane.
    pub cursor: Option<(u32, u32)>,
    /// What the primary plane can show.
    pub formats: &'static [Fourcc],
}

/// A place where a monitor may be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Whether one is there.
    pub is_connected: bool,
    /// Its modes, the preferred one first.
    pub modes: Vec<ModeInfo>,
    /// Its EDID; empty where there is none.
    pub edid: Vec<u8>,
    /// Width and height of its picture in millimetres; 0 where not known.
    pub size_mm: (u32, u32),
}

/// Memory of a dumb buffer, to be mapped into clients: whole zeroed pages.
pub trait Memory {
    /// Its address in this process, page aligned.
    fn address(&self) -> usize;
    /// Copies out of it; the range lies within.
    fn read(&self, offset: usize, bytes: &mut [u8]);
    /// Copies into it; the range lies within.
    fn write(&self, offset: usize, bytes: &[u8]);
}

/// A rectangle in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rect {
    /// Left edge.
    pub x: u32,
    /// Upper edge.
    pub y: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

impl Rect {
    /// What two rectangles have in common; `None` for nothing.
    pub fn intersection(self, other: Rect) -> Option<Rect> {
        let (x, y) = (self.x.max(other.x), self.y.max(other.y));
        let right = self.x.saturating_add(self.width).min(other.x.saturating_add(other.width));
        let lower = self.y.saturating_add(self.height).min(other.y.saturating_add(other.height));
        (x < right && y < lower).then(|| Rect { x, y, width: right - x, height: lower - y })
    }

    /// Whether it lies in a picture of this size.
    pub fn is_within(self, width: u32, height: u32) -> bool {
        self.x.checked_add(self.width).is_some_and(|right| right <= width) && self.y.checked_add(self.height).is_some_and(|lower| lower <= height)
    }
}

/// A framebuffer: how a buffer's memory is a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Bytes from a row to the next.
    pub pitch: u32,
    /// Where the first row starts in the buffer.
    pub offset: u32,
    /// The format.
    pub format: Fourcc,
}

/// What an output shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scanout {
    /// Id of the framebuffer.
    pub framebuffer: u32,
    /// The part of it that fills the screen, exactly as large as the mode.
    pub part: Rect,
    /// The mode.
    pub mode: ModeInfo,
}

/// A cursor's picture, as large as [`Limits::cursor`] says, rows of ARGB pixels without gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CursorImage {
    /// Pixels.
    pub pixels: Vec<u32>,
    /// The pixel that points.
    pub hot: (u32, u32),
}

/// A display device. Outputs are counted from 0. Errors are of the device: the picture may be wrong then, nothing else.
pub trait Backend {
    /// Memory of its buffers.
    type Memory: Memory;

    /// How it is called.
    fn identity(&self) -> Identity;
    /// What it can do.
    fn limits(&self) -> Limits;
    /// Its outputs as they are now. Their number never changes.
    fn outputs(&mut self) -> Vec<Output>;
    /// Memory for a buffer: `bytes` zeroed bytes, whole pages.
    ///
    /// # Errors
    /// `NOMEM`.
    fn allocate(&mut self, bytes: usize) -> Result<Self::Memory, Errno>;
    /// A framebuffer was made; it lies within the buffer, and its format is one of [`Limits::formats`] or the cursor's ARGB.
    ///
    /// # Errors
    /// `NOMEM`, `INVAL` where the device cannot show such a layout.
    fn add_framebuffer(&mut self, id: u32, picture: &Picture, memory: &Self::Memory) -> Result<(), Errno>;
    /// It is not used any more, nor shown.
    fn remove_framebuffer(&mut self, id: u32);
    /// Makes an output show this from now on; `None` is a dark screen. `memory` is the framebuffer's. All of it may have changed.
    fn show(&mut self, output: usize, scanout: Option<(&Scanout, &Picture, &Self::Memory)>);
    /// Parts of the framebuffer that an output shows have changed.
    fn update(&mut self, output: usize, scanout: &Scanout, picture: &Picture, memory: &Self::Memory, parts: &[Rect]);
    /// Gives the cursor a picture, or hides it.
    fn set_cursor(&mut self, output: usize, image: Option<&CursorImage>, position: (i32, i32));
    /// Moves the cursor's upper left corner.
    fn move_cursor(&mut self, output: usize, position: (i32, i32));
}
