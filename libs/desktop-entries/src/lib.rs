//! Installed programs, and what opens what.
//!
//! [`app`] reads freedesktop.org's desktop entries and makes command lines of them, [`mime`] tells what kind a file is, and [`opens`] which
//! programs open a kind.

pub mod app;
mod exec;
pub mod mime;
pub mod opens;

pub use app::{App, installed, search};
pub use exec::uri;
