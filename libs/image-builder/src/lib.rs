//! Makes GenAI OS's images.
#![deny(unsafe_code)]
mod base;
pub mod build;
pub mod cpio;
pub mod debian;
pub mod disk;
mod error;
mod ext4;
mod grub;
mod host;
mod iso;
pub mod linux;
pub mod recipe;
pub mod redoxfs;
mod report;
pub mod tree;
mod window;
pub use error::{Error, Result};
pub use host::HOST_PACKAGES;
pub use report::{Event, Report};
pub use window::Window;
