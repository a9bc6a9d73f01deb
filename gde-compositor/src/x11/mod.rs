//! X11 programs, by Xwayland: an X server that is a Wayland client of ours and has a surface for each of its windows.
//!
//! * [`sockets`]: a display's name is taken when the desktop begins. Programs find it by `DISPLAY`.
//! * [`server`]: when the first of them connects, Xwayland is started, and gets the sockets; when it ends, we listen again.
//! * [`wm`]: its window manager, on a thread of its own; [`message`]: what we tell each other.
//! * [`windows`]: its windows among the others.
//! * [`paste`]: copy and paste between X11 programs and others.
//!
//! Nothing here waits for Xwayland or its programs. Where they do not answer for long, Xwayland is ended.

pub mod message;
mod paste;
pub mod server;
pub mod sockets;
pub mod windows;
mod wm;

use std::time::Duration;

use smithay::reexports::calloop::RegistrationToken;

pub use message::{Command, XWindow};
pub use paste::Own;
pub use windows::Toplevel;

use server::Server;
use sockets::Display;
use windows::{Unmanaged, Waiting};

/// All about X11 programs.
#[derive(Debug)]
pub struct X11 {
    /// How long Xwayland may take for an answer.
    pub patience: Duration,
    /// How long no program has to be there until it is ended.
    pub idle: Duration,
    /// What is shown and places itself, such as menus; the uppermost last.
    pub unmanaged: Vec<Unmanaged>,
    display: Option<Display>,
    /// Who waits for programs that connect.
    listeners: Vec<RegistrationToken>,
    server: Option<Server>,
    /// How often it has ended at once, one time after another.
    failures: u32,
    /// Windows whose picture is not there yet.
    waiting: Vec<Waiting>,
    /// The order of windows that it was told last.
    stack: Vec<XWindow>,
    offers: paste::Offers,
}

impl Default for X11 {
    fn default() -> Self {
        X11 {
            patience: Duration::from_secs(60),
            idle: Duration::from_secs(60),
            unmanaged: Vec::new(),
            display: None,
            listeners: Vec::new(),
            server: None,
            failures: 0,
            waiting: Vec::new(),
            stack: Vec::new(),
            offers: paste::Offers::default(),
        }
    }
}
