//! Lays out what is new beside the system.

use std::collections::HashMap;
use std::fs::{self, File, FileTimes, OpenOptions, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, lchown, symlink};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::journal::{Journal, StepError, own, step};
use crate::package::{Entry, Kind, Sink};

/// What becomes of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Staged {
    /// It is laid out under this number.
    As(u32),
    /// It is not wanted; where its contents are, for other names of it.
    At(PathBuf),
}

pub(super) struct Stage<'a> {
    pub journal: &'a Journal<'a>,
    /// By path, for all but folders.
    pub numbers: &'a HashMap<String, Staged>,
    pub cancelled: &'a dyn Fn() -> bool,
}

impl Sink for Stage<'_> {
    fn entry(&mut self, entry: &Entry, contents: &mut dyn Read) -> io::Result<()> {
        if (self.cancelled)() {
            return Err(io::Error::from(io::ErrorKind::Interrupted));
        }
        let Some(Staged::As(number)) = self.numbers.get(&entry.path) else { return Ok(()) };
        self.journal.tell(&format!("lay out {}", entry.path), 0, 0);
        let path = self.journal.new_path(*number);
        match &entry.kind {
            Kind::Directory => Ok(()),
            Kind::Symlink { target } => {
                symlink(target, &path)?;
                if rustix::process::geteuid().is_root() { lchown(&path, Some(entry.uid), Some(entry.gid)) } else { Ok(()) }
            }
            Kind::Hardlink { to } => {
                let first = match self.numbers.get(to) {
                    Some(Staged::As(number)) => self.journal.new_path(*number),
                    Some(Staged::At(path)) => path.clone(),
                    None => return Err(io::Error::from(io::ErrorKind::NotFound)),
                };
                // Not every filesystem has hard links.
                if fs::hard_link(&first, &path).is_err() {
                    fs::copy(&first, &path)?;
                    dress(&path, entry)?;
                }
                Ok(())
            }
            Kind::Regular { .. } => {
                let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
                io::copy(contents, &mut file)?;
                drop(file);
                dress(&path, entry)
            }
        }
    }
}

/// Owner, mode and time. The owner comes first, as a new one takes set-user-id bits away.
fn dress(path: &std::path::Path, entry: &Entry) -> io::Result<()> {
    own(path, entry.uid, entry.gid)?;
    fs::set_permissions(path, Permissions::from_mode(entry.mode))?;
    let offset = Duration::from_secs(entry.mtime.unsigned_abs());
    let time = if entry.mtime < 0 { SystemTime::UNIX_EPOCH - offset } else { SystemTime::UNIX_EPOCH + offset };
    // Opening for reading suffices to set times of one's own files, and works for those that nobody may write.
    match File::open(path).and_then(|file| file.set_times(FileTimes::new().set_modified(time))) {
        // Its own mode may keep an unprivileged builder from opening it: then it has the time of its making.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        other => other,
    }
}

pub(super) fn json(value: &impl Serialize) -> Result<Vec<u8>, StepError> {
    step(|| "write the database".into(), serde_json::to_vec(value).map_err(io::Error::other))
}
