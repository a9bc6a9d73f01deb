//! What can go wrong.

use std::io;
use std::path::{Path, PathBuf};

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system refused.
    #[error("cannot {what} {}: {}", path.display(), reason(source))]
    System {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Somebody stopped it.
    #[error("stopped")]
    Cancelled,
    /// A folder cannot be put into itself.
    #[error("{} cannot be put into itself", .0.display())]
    IntoItself(PathBuf),
    /// What would have that name is there already.
    #[error("{} is there already", .0.display())]
    Exists(PathBuf),
    /// No file can have that name.
    #[error("{name:?} cannot be a name: {why}")]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Something in the trash does not say where it came from.
    #[error("{} does not say where it came from", .0.display())]
    Info(PathBuf),
    /// An archive that cannot be unpacked.
    #[error("cannot unpack {}: {why}", path.display())]
    Archive {
        /// Which.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// Devices and the like are not copied.
    #[error("{} is neither a file nor a folder nor a link", .0.display())]
    Special(PathBuf),
}

/// The system's reason without its number.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

/// What comes of it.
pub type Result<T> = std::result::Result<T, Error>;

/// Names what was tried where the system refuses.
pub(crate) trait Tried<T> {
    fn tried(self, what: &'static str, path: &Path) -> Result<T>;
}

impl<T, E: Into<io::Error>> Tried<T> for std::result::Result<T, E> {
    fn tried(self, what: &'static str, path: &Path) -> Result<T> {
        self.map_err(|error| Error::System { what, path: path.to_owned(), source: error.into() })
    }
}
