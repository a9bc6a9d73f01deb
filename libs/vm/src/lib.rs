//! Virtual machines of GenAI OS: start, commands, screen, input.
//!
//! A machine's description ([`machine::Machine`]) becomes a QEMU process that a [`keeper::Keeper`] holds, together with the broker of
//! its exec channel ([`broker`]). Everybody else, in this process or another, reaches the machine through its directory ([`dir::VmDir`]): commands
//! ([`exec`], [`transfer`]), screen and input ([`qmp`], [`input`], [`screen`]), and the serial log.

pub mod accel;
pub mod broker;
pub mod console;
pub mod dir;
mod error;
pub mod exec;
pub mod input;
pub mod keeper;
pub mod machine;
pub mod qmp;
pub mod screen;
mod snapshot;
pub mod transfer;

pub use error::{Error, Result};
