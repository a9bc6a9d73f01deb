//! What is installed, and what has been done: plain files below `/var/lib/gpm`.
//!
//! Plain files rather than a database of its own: they change by the same journal as all other files, so that there is one point at which a
//! transaction is decided and never a database that disagrees with the tree.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::FlockOperation;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::dependency::Relation;
use crate::digest::Digest;
use crate::manifest::Manifest;
use crate::package::Entry;
use crate::path::STATE;
use crate::root::Root;
use crate::solver::{Change, Policy};

/// An installed package.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// What it says of itself.
    pub manifest: Manifest,
    /// SHA-512 of the package's file.
    pub sha512: Digest,
    /// Bytes of its files.
    pub size: u64,
    /// The repository that it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// When it was installed, in seconds since 1970.
    pub time: i64,
}

/// One transaction of the past.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Past {
    /// Counts from 1.
    pub id: u64,
    /// When it was made, in seconds since 1970.
    pub time: i64,
    /// The command, or what a program says that it did.
    pub what: String,
    /// Every package that it changed.
    pub changes: Vec<PastChange>,
    /// Who was wanted before: what an undo restores.
    #[serde(default)]
    pub manual_before: Vec<String>,
}

/// What a transaction did to one package.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PastChange {
    /// The package.
    pub name: String,
    /// Version and SHA-512 of the file that was installed before.
    pub from: Option<(String, Digest)>,
    /// Version and SHA-512 of the file that is installed since.
    pub to: Option<(String, Digest)>,
}

/// The policy as it is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredPolicy {
    #[serde(default)]
    pub manual: Vec<String>,
    #[serde(default)]
    pub holds: Vec<String>,
    #[serde(default)]
    pub pins: Vec<Relation>,
}

impl From<&Policy> for StoredPolicy {
    fn from(policy: &Policy) -> StoredPolicy {
        StoredPolicy { manual: policy.manual.iter().cloned().collect(), holds: policy.holds.iter().cloned().collect(), pins: policy.pins.clone() }
    }
}

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// A file.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file's contents.
    #[error("{} is damaged: {source}", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// How.
        source: serde_json::Error,
    },
    /// Somebody else is at it.
    #[error("another gpm is at work{}: wait for it to end", pid.map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    Locked {
        /// Who.
        pid: Option<u32>,
    },
}

/// What is known of a tree.
#[derive(Clone, Debug)]
pub struct Database {
    dir: PathBuf,
}

/// Keeps other gpms away until it is dropped.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "the lock ends when the file is closed")] File);

impl Database {
    /// That of the tree `root`; there may be none yet.
    pub fn new(root: &Root) -> Database {
        Database { dir: root.join(STATE) }
    }

    /// Where it is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Takes the lock that every change of the tree needs.
    ///
    /// # Errors
    /// When somebody else has it, or the tree cannot be written.
    pub fn lock(&self) -> Result<Lock, DatabaseError> {
        let path = self.dir.join("lock");
        let failed = |source| DatabaseError::Io { action: "lock", path: path.clone(), source };
        fs::create_dir_all(&self.dir).map_err(failed)?;
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        // Processes that are being started elsewhere in this program may hold what it has just let go, for a moment.
        for attempt in 0.. {
            match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => break,
                Err(rustix::io::Errno::WOULDBLOCK) if attempt < 50 => std::thread::sleep(Duration::from_millis(20)),
                Err(rustix::io::Errno::WOULDBLOCK) => {
                    let mut text = String::new();
                    let _ = file.read_to_string(&mut text);
                    return Err(DatabaseError::Locked { pid: text.trim().parse().ok() });
                }
                Err(error) => return Err(failed(error.into())),
            }
        }
        // Only for the message above: that the lock is held does not depend on it.
        let written = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", std::process::id()));
        written.map_err(failed)?;
        Ok(Lock(file))
    }

    /// All installed packages by name.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn records(&self) -> Result<BTreeMap<String, Record>, DatabaseError> {
        let dir = self.dir.join("installed");
        let mut records = BTreeMap::new();
        for name in names(&dir, ".json")? {
            let record = read(&dir.join(format!("{name}.json")))?;
            if let Some(record) = record {
                records.insert(name, record);
            }
        }
        Ok(records)
    }

    /// The list of an installed package's files.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn files(&self, name: &str) -> Result<Vec<Entry>, DatabaseError> {
        Ok(read(&self.dir.join("installed").join(format!("{name}.files")))?.unwrap_or_default())
    }

    /// Pins, holds, and which packages somebody asked for.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn policy(&self) -> Result<Policy, DatabaseError> {
        let stored: StoredPolicy = read(&self.dir.join("policy.json"))?.unwrap_or_default();
        Ok(Policy { manual: stored.manual.into_iter().collect(), holds: stored.holds.into_iter().collect(), pins: stored.pins })
    }

    /// Stores another policy at once. Needs the lock.
    ///
    /// # Errors
    /// When it cannot be written: the old one stays.
    pub fn set_policy(&self, policy: &Policy, _: &Lock) -> Result<(), DatabaseError> {
        let path = self.dir.join("policy.json");
        let text = serde_json::to_vec_pretty(&StoredPolicy::from(policy)).map_err(|source| DatabaseError::Damaged { path: path.clone(), source })?;
        replace(&path, &text).map_err(|source| DatabaseError::Io { action: "write", path, source })
    }

    /// All transactions of the past, the oldest first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn history(&self) -> Result<Vec<Past>, DatabaseError> {
        let dir = self.dir.join("history");
        let mut past: Vec<Past> = Vec::new();
        for name in names(&dir, ".json")? {
            past.extend(read::<Past>(&dir.join(format!("{name}.json")))?);
        }
        past.sort_by_key(|it| it.id);
        Ok(past)
    }
}

/// Writes a file so that it is there whole, or as it was.
pub(crate) fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let mut file = File::create(&part)?;
    file.write_all(contents)?;
    file.sync_all()?;
    fs::rename(&part, path)
}

fn names(dir: &Path, end: &str) -> Result<Vec<String>, DatabaseError> {
    let failed = |source| DatabaseError::Io { action: "list", path: dir.into(), source };
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(failed)?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let name = entry.map_err(failed)?.file_name();
        found.extend(name.to_str().and_then(|it| it.strip_suffix(end)).map(str::to_owned));
    }
    Ok(found)
}

pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, DatabaseError> {
    match fs::read(path) {
        Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|source| DatabaseError::Damaged { path: path.into(), source }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(DatabaseError::Io { action: "read", path: path.into(), source }),
    }
}

impl PastChange {
    /// What happened, as the solver would say it; for display.
    pub fn verb(&self) -> &'static str {
        match (&self.from, &self.to) {
            (None, _) => "install",
            (_, None) => "remove",
            (Some((from, _)), Some((to, _))) => match (from.parse::<crate::version::Version>(), to.parse()) {
                (Ok(from), Ok(to)) if from < to => "upgrade",
                (Ok(from), Ok(to)) if from > to => "downgrade",
                _ => "reinstall",
            },
        }
    }
}

impl Change {
    /// What happens, in a word.
    pub fn verb(&self) -> &'static str {
        match self {
            Change::Install { .. } => "install",
            Change::Remove { .. } => "remove",
            Change::Replace { from, version, .. } if from < version => "upgrade",
            Change::Replace { from, version, .. } if from > version => "downgrade",
            Change::Replace { .. } => "reinstall",
        }
    }
}
