//! What can go wrong, in words that say what was tried on what.

use std::io;
use std::path::{Path, PathBuf};

/// The result of everything here.
pub type Result<T> = std::result::Result<T, Error>;

/// Why an image could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of the host could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// The verb, such as `read`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A program of the host failed.
    #[error("`{command}` failed: {reason}")]
    Command {
        /// The command line.
        command: String,
        /// Its exit status and what it said.
        reason: String,
    },
    /// A recipe, `filesystem.toml`, an edition or the lock file is wrong.
    #[error("{}: {message}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        message: String,
    },
    /// Debian packages could not be resolved, had or checked.
    #[error("Debian packages: {0}")]
    Packages(String),
    /// A path of the image cannot be as asked.
    #[error("image path /{path}: {reason}")]
    Tree {
        /// The path inside the image, without leading slash.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// The filesystem or the partition table of an image could not be written or does not read back.
    #[error("{part} of the image: {reason}")]
    Image {
        /// Which part: `RedoxFS`, `ESP`, `GPT`, `GRUB`, `ext4`.
        part: &'static str,
        /// What is wrong.
        reason: String,
    },
}

impl Error {
    pub(crate) fn image(part: &'static str, reason: impl ToString) -> Self {
        Self::Image {
            part,
            reason: reason.to_string(),
        }
    }

    pub(crate) fn config(path: impl Into<PathBuf>, message: impl ToString) -> Self {
        Self::Config {
            path: path.into(),
            message: message.to_string(),
        }
    }

    pub(crate) fn tree(path: impl Into<String>, reason: impl ToString) -> Self {
        Self::Tree {
            path: path.into(),
            reason: reason.to_string(),
        }
    }
}

/// Names the file and the verb of an I/O error.
pub(crate) trait IoContext<T> {
    /// `action` completes "cannot ... PATH".
    fn on(self, action: &'static str, path: &Path) -> Result<T>;
}

impl<T> IoContext<T> for io::Result<T> {
    fn on(self, action: &'static str, path: &Path) -> Result<T> {
        self.map_err(|source| Error::Io {
            action,
            path: path.to_path_buf(),
            source,
        })
    }
}
