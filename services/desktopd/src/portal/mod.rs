//! `org.freedesktop.portal.Desktop`: what programs of other desktops ask any desktop for.
//!
//! * [`settings`]: whether everything is to be dark, and so on;
//! * [`chooser`]: files to open and names to save by, which the user chooses in a window of Files;
//! * [`screenshot`]: a picture of the screen.
//!
//! What takes time is a [`request`]: an object that the program gets at once, and that tells it the outcome later. [`helper`] runs the programs that do it.

pub mod chooser;
mod helper;
mod request;
pub mod screenshot;
pub mod settings;

pub use helper::Helpers;
pub use request::Requests;

/// The name on the bus.
pub const NAME: &str = "org.freedesktop.portal.Desktop";
/// Where the object is.
pub const PATH: &str = "/org/freedesktop/portal/desktop";
