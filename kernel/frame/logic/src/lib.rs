//! The parts of the frame crate that need no hardware and no unsafe code, tested on the host.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod acpi;
pub mod boot;
pub mod buddy;
mod bytes;
pub mod regions;
pub mod rtc;
