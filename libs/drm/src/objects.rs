//! Mode objects and their state.
//!
//! A device has a *pipe* for each output: a CRTC, a primary plane, perhaps a cursor plane, an encoder, a connector. None of them can be joined with
//! another pipe's, as it is with virtual displays.

use crate::backend::{Output, Rect, Scanout};
use crate::property::Blob;
use crate::uapi::ModeInfo;
use crate::vblank::VblankClock;

/// Which object an id names, with the index of its pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the objects' own names")]
pub enum Object {
    Crtc(usize),
    Connector(usize),
    Encoder(usize),
    Plane(usize, PlaneKind),
}

/// The planes of a pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the planes' own names")]
pub enum PlaneKind {
    Primary,
    Cursor,
}

/// An output with what belongs to it.
#[derive(Debug)]
pub struct Pipe {
    /// Id of the CRTC.
    pub crtc: u32,
    /// Id of the primary plane.
    pub primary: u32,
    /// Id of the cursor plane.
    pub cursor: Option<u32>,
    /// Id of the encoder.
    pub encoder: u32,
    /// Id of the connector.
    pub connector: u32,
    /// What the device says of the output.
    pub output: Output,
    /// Its EDID.
    pub edid: Option<Blob>,
    /// Its clock.
    pub clock: VblankClock,
}

impl Pipe {
    /// The object with an id.
    pub fn object(&self, index: usize, id: u32) -> Option<Object> {
        match id {
            id if id == self.crtc => Some(Object::Crtc(index)),
            id if id == self.primary => Some(Object::Plane(index, PlaneKind::Primary)),
            id if Some(id) == self.cursor => Some(Object::Plane(index, PlaneKind::Cursor)),
            id if id == self.encoder => Some(Object::Encoder(index)),
            id if id == self.connector => Some(Object::Connector(index)),
            _ => None,
        }
    }
}

/// State of a plane. `framebuffer` 0 is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the properties' own names")]
pub struct PlaneState {
    /// Whether it is on its pipe's CRTC.
    pub on_crtc: bool,
    pub framebuffer: u32,
    pub crtc_x: i32,
    pub crtc_y: i32,
    pub crtc_w: u32,
    pub crtc_h: u32,
    /// 16.16 fixed point, as those that follow.
    pub src_x: u32,
    pub src_y: u32,
    pub src_w: u32,
    pub src_h: u32,
    /// The cursor's hot spot.
    pub hot: (u32, u32),
}

impl PlaneState {
    /// A plane that shows a framebuffer's part unscaled at a place.
    pub fn showing(framebuffer: u32, part: Rect, crtc_x: i32, crtc_y: i32) -> Self {
        Self {
            on_crtc: true,
            framebuffer,
            crtc_x,
            crtc_y,
            crtc_w: part.width,
            crtc_h: part.height,
            src_x: part.x << 16,
            src_y: part.y << 16,
            src_w: part.width << 16,
            src_h: part.height << 16,
            hot: (0, 0),
        }
    }

    /// The part of the framebuffer in whole pixels.
    pub fn part(&self) -> Rect {
        Rect { x: self.src_x >> 16, y: self.src_y >> 16, width: self.src_w >> 16, height: self.src_h >> 16 }
    }
}

/// State of a pipe.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PipeState {
    /// The CRTC's property ACTIVE.
    pub is_active: bool,
    /// The CRTC's mode, with the blob that MODE_ID names.
    pub mode: Option<(ModeInfo, Blob)>,
    /// Whether the connector is on the CRTC.
    pub is_connected: bool,
    /// The connector's property DPMS.
    pub dpms: u64,
    /// The primary plane.
    pub primary: PlaneState,
    /// The cursor plane.
    pub cursor: PlaneState,
}

impl PipeState {
    /// A plane.
    pub fn plane(&self, kind: PlaneKind) -> &PlaneState {
        match kind {
            PlaneKind::Primary => &self.primary,
            PlaneKind::Cursor => &self.cursor,
        }
    }

    /// A plane, to be changed.
    pub fn plane_mut(&mut self, kind: PlaneKind) -> &mut PlaneState {
        match kind {
            PlaneKind::Primary => &mut self.primary,
            PlaneKind::Cursor => &mut self.cursor,
        }
    }

    /// The mode, while the display is on.
    pub fn running_mode(&self) -> Option<&ModeInfo> {
        self.mode.as_ref().map(|(mode, _)| mode).filter(|_| self.is_active)
    }

    /// What the output shows.
    pub fn scanout(&self) -> Option<Scanout> {
        let mode = *self.running_mode()?;
        let shown = self.primary.on_crtc && self.primary.framebuffer != 0;
        shown.then(|| Scanout { framebuffer: self.primary.framebuffer, part: self.primary.part(), mode })
    }
}

/// State of a whole device: of each pipe.
pub type State = Vec<PipeState>;
