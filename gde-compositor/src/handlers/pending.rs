//! Toplevels that have no picture yet.

use gde_layout::State;
use smithay::wayland::shell::xdg::ToplevelSurface;

/// A toplevel before its first picture.
#[derive(Debug)]
pub struct Pending {
    /// The client's side.
    pub toplevel: ToplevelSurface,
    /// Whether we draw its title bar: it has asked for that.
    pub has_decoration: bool,
    /// What it wants to be.
    pub state: State,
    /// Whether it may be given the keyboard when it appears.
    pub is_configured: bool,
}
