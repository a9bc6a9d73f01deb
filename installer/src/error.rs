//! What can go wrong, in words that say what was tried on what.

use std::io;

/// The result of everything here.
pub type Result<T> = std::result::Result<T, Error>;

/// Why nothing was installed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The answers cannot be followed. Nothing has been written.
    #[error("the answers cannot be followed:\n  {}", .0.join("\n  "))]
    Answers(Vec<String>),
    /// The disk cannot be installed to. Nothing has been written.
    #[error("{0}")]
    Disk(String),
    /// There is nothing to install from. Nothing has been written.
    #[error("the disk to install from: {0}")]
    Source(String),
    /// A device or a file could not be read or written.
    #[error("cannot {what}: {source}")]
    Io {
        /// What was tried: a verb and its object.
        what: String,
        /// The system's reason.
        source: io::Error,
    },
    /// A part of the new system could not be made.
    #[error(transparent)]
    Image(#[from] image_builder::Error),
    /// It ended half-way: the disk has the marker of an unfinished installation.
    #[error("the installation was interrupted, and the disk is marked so: it starts nothing. Install again. The reason: {0}")]
    Interrupted(#[source] Box<Error>),
}

/// Says what was tried where an I/O error comes.
pub(crate) trait IoContext<T> {
    /// `what` completes "cannot ...".
    fn on(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T> IoContext<T> for io::Result<T> {
    fn on(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|source| Error::Io { what: what(), source })
    }
}
