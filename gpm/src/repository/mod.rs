//! Repositories: packages, and signed metadata that says which they are.
//!
//! The metadata is that of The Update Framework. The crate `tough` is the known implementation in Rust; it brings more than a hundred other
//! crates, among them an asynchronous runtime, a second cryptography library in C, and Unicode tables, to do what these files do with the
//! Ed25519 and SHA-512 that packages need anyway. The metadata format is the specification's, so that other tools can read it.
//!
//! ```text
//! metadata/N.root.json  timestamp.json  N.snapshot.json  N.targets.json
//! targets/HASH.index.json.zst     the manifests of all packages, with SHA-512 and length of each
//! packages/NAME_VERSION_ARCHITECTURE.gcpkg
//! ```

mod client;
mod maker;
mod metadata;
mod time;
mod transport;

use std::io;

use serde::{Deserialize, Serialize};

pub use client::{Client, Updated};
pub use maker::{DeltaMade, Expiry, Keys, Maker};
pub use metadata::Role;
pub use time::Time;
pub(crate) use transport::copy_exactly;
pub use transport::{Transport, Url};

use crate::digest::Digest;
use crate::keys::KeyError;
use crate::manifest::Manifest;
use crate::package::PackageError;
use crate::package::delta::DeltaError;

/// A package that a repository offers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// What it says of itself.
    pub manifest: Manifest,
    /// SHA-512 of its file.
    pub sha512: Digest,
    /// Bytes of its file.
    pub length: u64,
    /// Bytes of its files once they are installed.
    pub installed: u64,
    /// What makes it of other versions' files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deltas: Vec<Delta>,
}

/// A file that makes a package of another version's contents ([`crate::package::delta`]).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delta {
    /// SHA-512 of the other version's package.
    pub base: Digest,
    /// SHA-512 of its contents.
    pub contents: Digest,
    /// SHA-512 of the delta's file.
    pub sha512: Digest,
    /// Bytes of the delta's file.
    pub length: u64,
}

impl Offer {
    /// Where it lies in the repository.
    pub fn path(&self) -> String {
        format!("packages/{}", self.manifest.file_name())
    }

    /// Where a delta that makes it lies in the repository.
    pub fn delta_path(&self, delta: &Delta) -> String {
        let name = self.manifest.file_name();
        format!("packages/{}.{}.gcdelta", name.trim_end_matches(".gcpkg"), &delta.base.to_string()[..16])
    }
}

/// What a repository offers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Index {
    /// Sorted by name, then version.
    pub packages: Vec<Offer>,
}

/// The name of the index among the targets.
pub(crate) const INDEX: &str = "index.json.zst";

/// The priority of a repository of this name where nothing else is said: the more specialised go before the general, the tested before the
/// untested.
pub fn default_priority(name: &str) -> i32 {
    match name {
        "enterprise" => 600,
        "consciousness" => 550,
        "educational" => 520,
        "stable" => 500,
        "testing" => 300,
        "unstable" => 100,
        _ => 400,
    }
}

/// Why a repository is not believed, or cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// The address.
    #[error("{0:?} is no address of a repository: file:///..., http://... or https://...")]
    Url(String),
    /// Bringing it.
    #[error("cannot fetch {url}: {source}")]
    Fetch {
        /// What.
        url: String,
        /// Why not.
        source: io::Error,
    },
    /// It lacks something that it must have.
    #[error("{0} is missing from the repository")]
    Missing(String),
    /// Keeping it.
    #[error("cannot write {what}: {source}")]
    Store {
        /// What.
        what: String,
        /// Why not.
        source: io::Error,
    },
    /// Reading what was kept, or is to be published.
    #[error("cannot read {what}: {source}")]
    Read {
        /// What.
        what: String,
        /// Why not.
        source: io::Error,
    },
    /// A download that ends early.
    #[error("the download of {what} was truncated: {found} of {expected} bytes came")]
    Truncated {
        /// What.
        what: String,
        /// Bytes.
        expected: u64,
        /// Bytes.
        found: u64,
    },
    /// A download that does not end.
    #[error("the download of {what} does not end: it was broken off after the {limit} bytes that it may have")]
    Endless {
        /// What.
        what: String,
        /// Bytes.
        limit: u64,
    },
    /// Too few signatures by the right keys.
    #[error("the {role} metadata is not signed by the keys that may: {valid} of {threshold} signatures are valid")]
    Signatures {
        /// Whose.
        role: Role,
        /// How many are valid.
        valid: u32,
        /// How many are needed.
        threshold: u32,
    },
    /// Old metadata is presented as new.
    #[error("rollback refused: the repository offers version {offered} of {what}, but version {trusted} has been seen")]
    Rollback {
        /// What.
        what: String,
        /// The version that is known.
        trusted: u64,
        /// The version that is offered.
        offered: u64,
    },
    /// Metadata is no longer renewed, or somebody keeps the new away.
    #[error("the {role} metadata has expired on {expired}: the repository is no longer looked after, or somebody holds back its news (freeze)")]
    Frozen {
        /// Whose.
        role: Role,
        /// When.
        expired: Time,
    },
    /// Parts that do not belong together.
    #[error("mix-and-match refused: {what} has version {found}, but version {promised} belongs to this state of the repository")]
    MixAndMatch {
        /// What.
        what: String,
        /// The version that is announced.
        promised: u64,
        /// The version that came.
        found: u64,
    },
    /// Contents that are not what was signed.
    #[error("{what} is not what the repository's metadata promises: its SHA-512 differs")]
    Checksum {
        /// What.
        what: String,
    },
    /// Nonsense.
    #[error("{what} cannot be read: {reason}")]
    Malformed {
        /// What.
        what: String,
        /// Why not.
        reason: String,
    },
    /// No trusted root to begin with.
    #[error("repository {0} has no trusted root: add it again with 'gpm repo trust'")]
    NoRoot(String),
    /// A key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A package that is to be published.
    #[error("{what}: {source}")]
    Package {
        /// Which.
        what: String,
        /// Why.
        source: PackageError,
    },
    /// A delta that is to be published.
    #[error("cannot make a delta for {what}: {source}")]
    Delta {
        /// For which package.
        what: String,
        /// Why not.
        source: DeltaError,
    },
    /// A package that is there already with other contents.
    #[error("the repository has a {0} with other contents: a version is never changed, give the new one another")]
    Changed(String),
    /// Somebody stopped it.
    #[error("cancelled")]
    Cancelled,
}

#[cfg(test)]
mod tests;
