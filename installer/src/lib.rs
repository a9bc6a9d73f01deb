//! Installs GenAI OS onto a disk: a copy of the packages of a running system, with users and settings of its own, that starts by BIOS and UEFI.
//!
//! * [`answers`]: what the person who installs has to say, from a file or from questions; [`plan`]: what follows from it;
//! * [`disks`]: the disks there are, and what is on them;
//! * [`source`]: what firmware and boot loader need, taken from the disk that the running system is on;
//! * [`settings`], [`users`]: the new system's files that differ from the running one's;
//! * [`install`]: the writing, in an order that leaves the disk as it was, or [`marked`](marker) as unfinished, or finished;
//! * [`progress`]: what is told meanwhile;
//! * [`password`]: another password for an installed system's encrypted disk.
#![deny(unsafe_code)]
#![warn(missing_docs)]

pub mod answers;
pub mod disks;
mod error;
pub mod install;
pub mod marker;
pub mod password;
pub mod plan;
pub mod progress;
pub mod settings;
pub mod source;
pub mod users;
mod window;

pub use error::{Error, Result};
