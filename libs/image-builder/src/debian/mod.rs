//! Debian's binary packages: which ones, which versions, and getting them.
//!
//! [`lock`] pins versions and checksums. [`apt`] asks the host's apt for what it knows and to download (apt verifies the
//! archive's signatures). [`resolve`] follows dependencies. [`fetch`] joins the three: the locked packages of a closure as
//! verified files, with the archive's current version in place of one that is gone.

pub mod apt;
pub mod control;
pub mod fetch;
pub mod lock;
pub mod resolve;
