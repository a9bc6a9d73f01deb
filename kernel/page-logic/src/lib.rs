//! What the page cache decides without touching memory: how far to read ahead, which pages of a chunk a range covers.
#![cfg_attr(not(test), no_std)]
#![deny(unsafe_code, missing_docs)]

mod mask;
mod readahead;

pub use mask::mask_within;
pub use readahead::ReadAhead;

/// Pages in one request to a filesystem: 256 KiB, the size of a slot of a scheme's transfer area.
pub const MAX_BATCH: usize = 64;
