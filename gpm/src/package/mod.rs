//! `.gcpkg`: a package as a file.
//!
//! ```text
//! magic        8 bytes  "GCPKG", the format's version 1, CR, LF (which a transfer as text would spoil)
//! lengths      4 bytes  of the compressed header; 4 bytes: number of signatures; both little endian
//! signatures   96 bytes each: key id, Ed25519 over "gcpkg header" and SHA-512 of the compressed header
//! header       JSON under Zstandard: the manifest, the list of files with a SHA-512 each, size and SHA-512 of the payload
//! payload      the contents of the regular files, one after another in the list's order, under Zstandard
//! trailer      64 bytes: SHA-512 of all before it
//! ```
//!
//! Only the list says what a file is called and who owns it, and the list is signed: there is no second opinion in the payload that
//! an attacker could make differ. The same inputs give the same bytes, as nothing here depends on time, place or chance.

pub mod delta;
mod reader;
mod writer;

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use reader::{Package, Sink, Trust, TrustReport};
pub use writer::{Builder, Preset};

use crate::digest::{Digest, Hasher};
use crate::keys::KeyId;
use crate::manifest::{Manifest, ManifestError};
use crate::path::{PathError, check_path};
use crate::xattr::{self, Xattrs};

const MAGIC: &[u8; 8] = b"GCPKG\x01\r\n";
const SIGNED: &[u8] = b"gcpkg header";
const MAX_HEADER: u32 = 64 << 20;
/// The header's JSON: 64 times what it takes for the largest packages of Debian.
const MAX_HEADER_JSON: u64 = 256 << 20;
const MAX_SIGNATURES: u32 = 16;

/// What lies at a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Kind {
    /// A folder.
    Directory,
    /// A file with contents.
    Regular {
        /// In bytes.
        size: u64,
        /// Of the contents.
        sha512: Digest,
    },
    /// A symbolic link.
    Symlink {
        /// As it stands in the link.
        target: String,
    },
    /// Another name of a regular file that stands earlier in the list.
    Hardlink {
        /// That file's path.
        to: String,
    },
}

/// One line of a package's list of files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Relative to the root.
    pub path: String,
    /// Permission bits, set-user-id and the like: at most 0o7777.
    pub mode: u32,
    /// The owner's number.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub uid: u32,
    /// The group's number.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub gid: u32,
    /// Seconds since 1970 at which it was last changed.
    #[serde(default, skip_serializing_if = "is_zero_time")]
    pub mtime: i64,
    /// A file's extended attributes.
    #[serde(default, skip_serializing_if = "Xattrs::is_empty")]
    pub xattrs: Xattrs,
    /// What it is.
    #[serde(flatten)]
    pub kind: Kind,
}

fn is_zero(value: &u32) -> bool {
    *value == 0
}

fn is_zero_time(value: &i64) -> bool {
    *value == 0
}

/// Size and checksum of the payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payload {
    /// Bytes in the package.
    pub compressed: u64,
    /// Bytes of all regular files together.
    pub size: u64,
    /// Of the compressed bytes.
    pub sha512: Digest,
}

/// What stands before the payload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// What the package says of itself.
    pub manifest: Manifest,
    /// Its files, sorted by path.
    pub files: Vec<Entry>,
    /// What follows.
    pub payload: Payload,
}

/// Why a package is refused. Nothing has been written then.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// A file that is none.
    #[error("it is no package: it does not begin with the letters GCPKG")]
    Magic,
    /// A later version of the format, or a spoilt one.
    #[error("it is damaged, or its format is newer than this gpm")]
    Format,
    /// The file ends early.
    #[error("it is truncated: {0} ends early")]
    Truncated(&'static str),
    /// Something follows the end.
    #[error("it is damaged: bytes follow its end")]
    TooLong,
    /// A number in it is beyond all reason.
    #[error("it is damaged: {0}")]
    Limit(&'static str),
    /// A checksum.
    #[error("it is damaged: the SHA-512 of {0} is not what it says")]
    Checksum(String),
    /// The whole is not what a repository promised.
    #[error("it is not the file that the repository signed: its SHA-512 is {found}, not {expected}")]
    Digest {
        /// Of the file.
        found: Digest,
        /// What was promised.
        expected: Digest,
    },
    /// Nobody signed it.
    #[error("it is not signed")]
    Unsigned,
    /// Nobody who is trusted signed it.
    #[error("none of the keys that signed it is trusted: {}", list(.0))]
    Untrusted(Vec<KeyId>),
    /// A trusted key's signature that is not over this.
    #[error("the signature of key {0} is not over this package")]
    Signature(KeyId),
    /// The header.
    #[error("its header is unreadable: {0}")]
    Header(String),
    /// The manifest.
    #[error("its manifest: {0}")]
    Manifest(#[from] ManifestError),
    /// The list of files.
    #[error("its list of files: {0}")]
    Path(#[from] PathError),
    /// The list of files.
    #[error("its list of files: {path:?} {what}")]
    Entry {
        /// Where.
        path: String,
        /// What is wrong.
        what: &'static str,
    },
    /// The medium.
    #[error("cannot read it: {0}")]
    Read(#[source] io::Error),
    /// Unpacking: the files so far lie in the staging area only.
    #[error("cannot write {path:?}: {source}")]
    Write {
        /// What.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// Building a package.
    #[error("cannot read {}: {source}", path.display())]
    Source {
        /// What.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Building a package: a kind of file that packages do not hold.
    #[error("{} is neither file, folder nor symbolic link: packages hold nothing else", .0.display())]
    Special(PathBuf),
    /// Building a package: a name that is no UTF-8.
    #[error("{} is not UTF-8", .0.display())]
    Encoding(PathBuf),
}

fn list(keys: &[KeyId]) -> String {
    keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl Header {
    /// Checks the list of files and the manifest against each other.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), PackageError> {
        self.manifest.check()?;
        let mut kinds: HashMap<&str, &Kind> = HashMap::with_capacity(self.files.len());
        let mut size = 0u64;
        let mut last: Option<&str> = None;
        for entry in &self.files {
            check_path(&entry.path)?;
            let wrong = |what| Err(PackageError::Entry { path: entry.path.clone(), what });
            if last.is_some_and(|last| last >= entry.path.as_str()) {
                return wrong("is listed twice or out of order");
            }
            last = Some(&entry.path);
            if entry.mode & !0o7777 != 0 {
                return wrong("has permission bits that do not exist");
            }
            if let Some((parent, _)) = entry.path.rsplit_once('/')
                && kinds.get(parent).is_some_and(|kind| !matches!(kind, Kind::Directory))
            {
                return wrong("lies below something that is no folder");
            }
            if !entry.xattrs.iter().all(|(name, value)| xattr::is_carried(name) && xattr::is_value(value)) {
                return wrong("has extended attributes that packages do not carry");
            }
            if !entry.xattrs.is_empty() && !matches!(entry.kind, Kind::Regular { .. }) {
                return wrong("has extended attributes, but is no file, or another name of one");
            }
            match &entry.kind {
                Kind::Regular { size: bytes, .. } => size = size.checked_add(*bytes).ok_or(PackageError::Limit("its files are too large"))?,
                Kind::Symlink { target } if target.is_empty() || target.contains('\0') || target.len() > 4095 => {
                    return wrong("is a link to nowhere");
                }
                Kind::Hardlink { to } if !matches!(kinds.get(to.as_str()), Some(Kind::Regular { .. })) => {
                    return wrong("is another name of no earlier file");
                }
                _ => {}
            }
            kinds.insert(&entry.path, &entry.kind);
        }
        if size != self.payload.size {
            return Err(PackageError::Limit("the sizes of its files do not add up"));
        }
        for path in self.manifest.config.iter().chain(&self.manifest.state).chain(&self.manifest.icon) {
            if !matches!(kinds.get(path.as_str()), Some(Kind::Regular { .. } | Kind::Hardlink { .. })) {
                return Err(PackageError::Entry { path: path.clone(), what: "is named in the manifest, but is no file of the package" });
            }
        }
        if self.manifest.state_checksum != state_checksum(&self.manifest, &self.files).map(|it| it.to_string()) {
            return Err(PackageError::Checksum("its state files".into()));
        }
        Ok(())
    }
}

/// The consciousness state checksum: SHA-512 over path and SHA-512 of each state file, in the order of paths. None without state files.
pub fn state_checksum(manifest: &Manifest, files: &[Entry]) -> Option<Digest> {
    if manifest.state.is_empty() {
        return None;
    }
    let mut hasher = Hasher::new();
    for entry in files.iter().filter(|entry| manifest.state.contains(&entry.path)) {
        if let Kind::Regular { sha512, .. } = &entry.kind {
            hasher.update(entry.path.as_bytes());
            hasher.update(&[0]);
            hasher.update(&sha512.0);
        }
    }
    Some(hasher.finish())
}

#[cfg(test)]
mod tests;
