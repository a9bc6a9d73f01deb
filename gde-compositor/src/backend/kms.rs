//! The machine's own display by kernel mode setting, and its event devices.
//!
//! Each connected display gets two dumb buffers, which stay mapped. A frame is drawn into the one that is not shown, and shown by an atomic
//! commit that says which parts have changed; drivers of virtual displays copy only those. The pointer is moved by the old cursor calls: an
//! atomic commit would bind it to the frames.

mod buffer;
mod head;
mod setup;

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};

use drm_client::control::{Device as _, connector};
use smithay::backend::renderer::Color32F;
use smithay::backend::renderer::element::RenderElementStates;
use smithay::input::keyboard::LedState;
use smithay::output::Output;

use super::{DisplayMode, Shown};
use super::vt::Vt;
use crate::cursor::Image;
use crate::input::evdev;
use crate::render::{Renderer, SceneElement};
use crate::screen::Screen;
use head::Head;

pub use setup::{start, update_displays};

/// A graphics card.
#[derive(Debug)]
pub struct Card(File);

impl AsFd for Card {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl drm_client::Device for Card {}
impl drm_client::control::Device for Card {}

/// The display and the event devices.
#[derive(Debug)]
pub struct Kms {
    card: Card,
    is_atomic: bool,
    heads: Vec<Head>,
    /// Displays that are connected and switched off.
    dark: Vec<(connector::Handle, Output)>,
    devices: Vec<evdev::Device>,
    vt: Option<Vt>,
    is_active: bool,
    cursor: Option<Pointer>,
    /// Whether the card has a pointer of its own.
    has_cursor: bool,
}

/// The pointer's image in a buffer of the card's.
#[derive(Debug)]
struct Pointer {
    buffer: buffer::Buffer,
    /// What is in it: compared by the picture's memory, which the image keeps.
    image: Option<Image>,
}

/// Side of the pointer's buffer: what every card takes.
const POINTER: u32 = 64;

impl Kms {
    /// Whether the screen is ours.
    pub fn is_active(&self) -> bool {
        self.is_active
    }

    /// Whether the card draws the pointer.
    pub fn has_cursor_plane(&self) -> bool {
        self.has_cursor
    }

    /// What a display can show.
    pub fn modes(&self, output: &Output) -> Vec<DisplayMode> {
        let lit = self.heads.iter().map(|head| (head.connector, &head.output));
        let mut all = lit.chain(self.dark.iter().map(|(connector, output)| (*connector, output)));
        let connector = all.find(|(_, it)| *it == output).map(|(connector, _)| connector);
        let Some(info) = connector.and_then(|connector| self.card.get_connector(connector, false).ok()) else { return Vec::new() };
        let preferred = head::preferred_mode(&info).map(|mode| mode.size());
        let mode = |mode: &drm_client::control::Mode| DisplayMode {
            width: mode.size().0.into(),
            height: mode.size().1.into(),
            refresh_mhz: mode.vrefresh() as i32 * 1000,
            is_preferred: Some(mode.size()) == preferred,
        };
        info.modes().iter().map(mode).collect()
    }

    /// Draws what has changed and shows it.
    ///
    /// # Errors
    /// Those of the renderer and of the card.
    pub fn draw(&mut self, screen: &mut Screen, renderer: &mut Renderer, elements: &[SceneElement]) -> anyhow::Result<(RenderElementStates, Shown)> {
        let Some(head) = self.heads.iter_mut().find(|head| head.output == screen.output) else {
            return Ok((RenderElementStates::default(), Shown::Nothing));
        };
        let (target, age) = head.target();
        let Some(mut target) = target else { anyhow::bail!("the buffer is smaller than the display") };
        let result = screen.tracker.render_output(renderer, &mut target, age, elements, Color32F::BLACK)?;
        let damage: Vec<_> = result.damage.cloned().unwrap_or_default();
        if damage.is_empty() && !head.needs_modeset {
            return Ok((result.states, Shown::Nothing));
        }
        head.show(&self.card, &damage)?;
        Ok((result.states, Shown::OnItsWay))
    }

    /// The display whose frame is shown now.
    fn output_of(&self, crtc: drm_client::control::crtc::Handle) -> Option<Output> {
        self.heads.iter().find(|head| head.crtc == crtc).map(|head| head.output.clone())
    }

    /// What the pointer looks like and where it is.
    #[allow(deprecated, reason = "atomic commits would bind the pointer to the frames")]
    pub fn set_cursor(&mut self, image: Option<&Image>, at: (i32, i32)) {
        if !self.is_active || !self.has_cursor {
            return;
        }
        let Some(crtc) = self.heads.first().map(|head| head.crtc) else { return };
        let is_same = |pointer: &Pointer| match (&pointer.image, image) {
            (Some(old), Some(new)) => old.hotspot == new.hotspot && std::ptr::eq(old.canvas.pixmap(), new.canvas.pixmap()),
            (None, None) => true,
            _ => false,
        };
        if !self.cursor.as_ref().is_some_and(is_same) {
            if let Err(error) = self.load_cursor(image) {
                tracing::warn!("the card does not take the pointer's image: {error}; it is drawn with the rest");
                self.has_cursor = false;
                return;
            }
        }
        if let Some(image) = image {
            // Failing to move it is seen at once, and nothing can be done.
            let _ = self.card.move_cursor(crtc, (at.0 - image.hotspot.0, at.1 - image.hotspot.1));
        }
    }

    #[allow(deprecated, reason = "see set_cursor")]
    fn load_cursor(&mut self, image: Option<&Image>) -> std::io::Result<()> {
        let Some(head) = self.heads.first() else { return Ok(()) };
        let Some(image) = image else {
            self.card.set_cursor(head.crtc, None::<&drm_client::control::dumbbuffer::DumbBuffer>)?;
            if let Some(pointer) = &mut self.cursor {
                pointer.image = None;
            }
            return Ok(());
        };
        if self.cursor.is_none() {
            let buffer = buffer::Buffer::new(&self.card, (POINTER, POINTER), drm_client::buffer::DrmFourcc::Argb8888, false)?;
            self.cursor = Some(Pointer { buffer, image: None });
        }
        let Some(pointer) = &mut self.cursor else { return Ok(()) };
        let pixmap = image.canvas.pixmap();
        let pitch = pointer.buffer.pitch();
        let bytes = pointer.buffer.bytes();
        bytes.fill(0);
        for y in 0..pixmap.height().min(POINTER as usize) {
            let row = &pixmap.pixels()[y * pixmap.width()..][..pixmap.width().min(POINTER as usize)];
            for (x, pixel) in row.iter().enumerate() {
                bytes[y * pitch + x * 4..][..4].copy_from_slice(&pixel.to_le_bytes());
            }
        }
        self.card.set_cursor2(head.crtc, Some(pointer.buffer.dumb()), image.hotspot)?;
        pointer.image = Some(image.clone());
        Ok(())
    }

    /// Keyboards' lamps.
    pub fn set_leds(&mut self, leds: LedState) {
        for device in &self.devices {
            device.set_leds(leds);
        }
    }

    /// Goes to another virtual terminal.
    pub fn switch_terminal(&mut self, number: u32) {
        if let Some(vt) = &self.vt
            && let Err(error) = vt.switch(number)
        {
            tracing::warn!("switching to virtual terminal {number}: {error}");
        }
    }
}
