//! What a file manager does, without a window: folders are listed and sorted ([`entry`]), files and trees copied and moved with progress and
//! cancel ([`transfer`]), names found that are free ([`names`]), things thrown away and brought back by the freedesktop.org trash
//! specification ([`trash`]), what was done undone ([`undo`]), names looked for in trees ([`search`]), and archives
//! unpacked ([`archive`]).
//!
//! Nothing is ever overwritten: what would be in the way is kept under another name, left out, or thrown into the trash. What fails or is
//! stopped leaves nothing half done in its target.

pub mod archive;
pub mod entry;
pub mod error;
pub mod names;
pub mod preview;
pub mod search;
pub mod transfer;
pub mod trash;
pub mod undo;

pub use error::{Error, Result};
