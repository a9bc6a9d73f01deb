//! Where screens and input come from.

pub mod headless;
pub mod kms;
pub mod nested;
pub mod vt;

use smithay::backend::renderer::element::RenderElementStates;
use smithay::input::keyboard::LedState;

use crate::cursor::Image;
use crate::render::{Renderer, SceneElement};
use crate::screen::Screen;

/// What has become of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// It will be shown; `Gde::frame_done` is called then.
    OnItsWay,
    /// There was nothing to change.
    Nothing,
}

/// What a screen can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DisplayMode {
    /// Pixels a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Frames a second, in thousandths.
    pub refresh_mhz: i32,
    /// Whether the screen wants it.
    pub is_preferred: bool,
}

/// A backend.
#[derive(Debug)]
pub enum Backend {
    /// The machine's own display and event devices.
    Kms(Box<kms::Kms>),
    /// Pictures in memory, for tests and for machines without a screen.
    Headless(headless::Headless),
    /// A window of another compositor.
    Nested(Box<nested::Nested>),
}

impl Backend {
    /// Draws what has changed on a screen and sends it there.
    ///
    /// # Errors
    /// Those of the renderer and of the display.
    pub fn draw(&mut self, screen: &mut Screen, renderer: &mut Renderer, elements: &[SceneElement]) -> anyhow::Result<(RenderElementStates, Shown)> {
        match self {
            Backend::Kms(kms) => kms.draw(screen, renderer, elements),
            Backend::Headless(headless) => headless.draw(screen, renderer, elements),
            Backend::Nested(nested) => nested.draw(screen, renderer, elements),
        }
    }

    /// What a screen can show: one mode for each size, the largest first.
    pub fn modes(&self, output: &smithay::output::Output) -> Vec<DisplayMode> {
        let mut modes = match self {
            Backend::Kms(kms) => kms.modes(output),
            Backend::Headless(_) => headless::modes(output),
            Backend::Nested(_) => nested::modes(output),
        };
        modes.sort_by_key(|mode| (mode.width * mode.height, mode.width, mode.is_preferred, mode.refresh_mhz));
        modes.reverse();
        modes.dedup_by_key(|mode| (mode.width, mode.height));
        modes
    }

    /// Whether the screens are ours now.
    pub fn is_active(&self) -> bool {
        match self {
            Backend::Kms(kms) => kms.is_active(),
            Backend::Headless(_) | Backend::Nested(_) => true,
        }
    }

    /// Whether the display draws the pointer itself.
    pub fn has_cursor_plane(&self) -> bool {
        match self {
            Backend::Kms(kms) => kms.has_cursor_plane(),
            Backend::Headless(_) | Backend::Nested(_) => false,
        }
    }

    /// What the display's pointer looks like, and where it is.
    pub fn set_cursor(&mut self, image: Option<&Image>, at: (i32, i32)) {
        if let Backend::Kms(kms) = self {
            kms.set_cursor(image, at);
        }
    }

    /// Keyboards' lamps.
    pub fn set_leds(&mut self, leds: LedState) {
        if let Backend::Kms(kms) = self {
            kms.set_leds(leds);
        }
    }

    /// Goes to another virtual terminal.
    pub fn switch_terminal(&mut self, number: u32) {
        if let Backend::Kms(kms) = self {
            kms.switch_terminal(number);
        }
    }
}
