//! GenAI OS's package manager. The command `gpm` and the graphical store are made of this library, which prints nothing.
#![deny(unsafe_code, missing_docs)]

pub mod dependency;
pub mod digest;
pub mod keys;
pub mod manifest;
pub mod package;
pub mod path;
pub mod solver;
pub mod version;
