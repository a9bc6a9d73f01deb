//! What clients ask for, by protocol. smithay parses and checks; here is what is done.

pub mod compositor;
pub mod displays;
pub mod layer;
pub mod misc;
pub mod pending;
pub mod screencopy;
pub mod seat;
pub mod session;
pub mod taskbar;
pub mod xdg;
