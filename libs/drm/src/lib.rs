//! Kernel mode setting (`drm-kms(7)`) without a device.
//!
//! A display daemon implements [`Backend`] for its device and hands ioctls of its clients to a [`Device`]. Everything that programs see of DRM is
//! here and tested on any host:
//!
//! | module | what |
//! | --- | --- |
//! | [`uapi`] | ioctl numbers and structures as data |
//! | [`mode`], [`edid`], [`fourcc`] | video modes, what a monitor says of itself, pixel formats |
//! | [`backend`] | what a device must be able to do |
//! | [`objects`], [`property`] | connectors, encoders, CRTCs, planes, their state and their properties |
//! | [`buffers`] | dumb buffers and framebuffers |
//! | [`device`] | clients, masters, and the way of an ioctl; [`query`], [`legacy`], [`atomic`] are groups of ioctls |
//! | [`vblank`], [`events`] | the clock of a display and what clients read from their descriptor |
//!
//! Behaviour is that of Linux 6.1. What it does not offer (modifiers, fences, leases, PRIME, asynchronous flips) it says by capability, and by
//! the error that Linux gives for a driver that lacks it.
//!
//! Structures of DRM hold pointers into the caller; they are followed through [`CallerMemory`].
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod atomic;
pub mod backend;
pub mod buffers;
pub mod device;
pub mod edid;
pub mod events;
pub mod fourcc;
pub mod legacy;
pub mod memory;
pub mod mode;
pub mod objects;
pub mod property;
pub mod query;
#[cfg(test)]
mod testing;
pub mod uapi;
pub mod vblank;

pub use backend::{Backend, Identity, Limits, Memory, Output, Scanout};
pub use device::{Device, FileId, FileKind, Outcome};
pub use memory::CallerMemory;
pub use rustix::io::Errno;
