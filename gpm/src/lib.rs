//! GenAI OS's package manager. The command `gpm` and the graphical store are made of this library, which prints nothing.
#![deny(unsafe_code, missing_docs)]

pub mod archive;
pub mod capabilities;
pub mod database;
pub mod deb;
pub mod dependency;
pub mod digest;
pub mod gpm;
pub mod keys;
pub mod manifest;
pub mod package;
pub mod observer;
pub mod path;
pub mod repository;
pub mod root;
pub mod sandbox;
pub mod solver;
pub mod transaction;
pub mod version;
pub mod xattr;

pub use gpm::{Error, Gpm};
