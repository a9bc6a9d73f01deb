//! Debian's archive as a repository: what it offers is installed like our own packages.
//!
//! A source with a `[debian]` table names suites and components of an archive in Debian's form. Its trust is Debian's: `gpgv` verifies the
//! `InRelease` of each suite against a keyring, that names the checksum of its list of packages, and that the checksum of each package. What
//! is older than what was seen, or past its `Valid-Until`, is refused.
//!
//! The lists hold more than 60,000 packages, of which one wish needs some hundred: they are kept in a file of compressed blocks with a table
//! of names ([`index`]), and only those packages are read that the wish can lead to ([`closure`]). A package is made into one of ours once its file has
//! come, as `gpm import deb` does it.

mod absent;
mod closure;
mod components;
mod fetch;
mod index;
mod needed;
mod release;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use closure::Breadth;
pub use components::Component;
pub(crate) use components::{BROWSER, dress, dress_browser};
pub use fetch::Archive;

use crate::deb::control::{self, Stanza};
use crate::manifest::Manifest;
use crate::repository::{RepositoryError, Time};

/// What is used of an archive in Debian's form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Debian {
    /// The suites, such as `bookworm` and `bookworm-updates`: folders below `dists`.
    pub suites: Vec<String>,
    /// The components, such as `main`.
    #[serde(default = "main")]
    pub components: Vec<String>,
    /// The file with the keys that sign it, below the root that is managed.
    pub keyring: PathBuf,
}

fn main() -> Vec<String> {
    vec!["main".to_owned()]
}

/// An archive's packages come after those of our own repositories, whatever their versions.
pub const PRIORITY: i32 = 50;

/// A file of Debian's archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DebFile {
    /// Below the archive's address.
    pub path: String,
    /// In bytes.
    pub length: u64,
    /// Of its contents.
    pub sha256: [u8; 32],
    /// Bytes of its files once they are installed, as Debian estimates them.
    pub installed: u64,
}

/// A package that an archive offers.
#[derive(Clone, Debug, PartialEq)]
pub struct DebOffer {
    /// What the archive says of it.
    pub manifest: Manifest,
    /// Where it is.
    pub file: DebFile,
}

/// Why an archive is not believed, or cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// Bringing, keeping and reading files.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// Debian's program that verifies signatures.
    #[error("cannot run gpgv, which verifies the archive's signatures (package gpgv): {0}")]
    Gpgv(std::io::Error),
    /// The keys.
    #[error("cannot read the keyring {}: {source} (package debian-archive-keyring)", path.display())]
    Keyring {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The signature.
    #[error("the archive's suite {suite} is not signed by a key of the keyring: {reason}")]
    Signature {
        /// Which.
        suite: String,
        /// What gpgv said.
        reason: String,
    },
    /// What it says of itself.
    #[error("the archive's suite {suite}: {reason}")]
    Release {
        /// Which.
        suite: String,
        /// What is wrong.
        reason: String,
    },
    /// Old lists are presented as new.
    #[error("rollback refused: the archive's suite {suite} is of {offered}, but one of {trusted} has been seen")]
    Rollback {
        /// Which.
        suite: String,
        /// What is known.
        trusted: Time,
        /// What is offered.
        offered: Time,
    },
    /// Lists that are no longer renewed.
    #[error("the archive's suite {suite} was valid until {until}: it is no longer looked after, or somebody holds back its news (freeze)")]
    Frozen {
        /// Which.
        suite: String,
        /// Until when.
        until: Time,
    },
    /// A file that is another.
    #[error("{what} is not what the archive's lists promise: its SHA-256 differs")]
    Checksum {
        /// What.
        what: String,
    },
    /// A package.
    #[error("{name}: {source}")]
    Package {
        /// Which.
        name: String,
        /// Why.
        source: crate::deb::DebError,
    },
}

/// What a stanza of the list of packages offers. Its dependencies are those that it has here; `None` where this system has
/// the package itself in another form.
fn offer(stanza: &Stanza) -> Option<DebOffer> {
    let mut manifest = control::manifest(stanza).ok()?;
    if absent::is_absent(&manifest.name) {
        return None;
    }
    adapt(&mut manifest);
    let file = DebFile {
        path: stanza.get("Filename").filter(|it| is_below(it))?.to_owned(),
        length: stanza.get("Size")?.parse().ok()?,
        sha256: crate::digest::from_hex(stanza.get("SHA256")?)?,
        installed: stanza.get("Installed-Size").and_then(|it| it.parse::<u64>().ok()).unwrap_or(0) << 10,
    };
    Some(DebOffer { manifest, file })
}

/// Makes a package's dependencies those that it has on this system.
pub(crate) fn adapt(manifest: &mut Manifest) {
    absent::leave_out(manifest);
    needed::add(manifest);
}

/// Whether a path stays below where it is joined to.
fn is_below(path: &str) -> bool {
    !path.is_empty() && Path::new(path).components().all(|it| matches!(it, std::path::Component::Normal(_)))
}
