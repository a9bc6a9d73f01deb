//! Lays out what is new beside the system.

use std::collections::HashMap;
use std::fs::{self, File, FileTimes, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown, lchown, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::journal::{Journal, Spot, StepError, own, step};
use crate::package::{Entry, Kind, Sink};
use crate::xattr;

/// What becomes of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Staged {
    /// It is laid out here.
    As(Spot),
    /// It is not wanted; where its contents are, for other names of it.
    At(PathBuf),
}

pub(super) struct Stage<'a> {
    pub journal: &'a Journal<'a>,
    /// By path, for all but folders.
    pub numbers: &'a HashMap<String, Staged>,
    pub cancelled: &'a dyn Fn() -> bool,
    /// Bytes of contents that have been laid out so far, by all.
    pub written: &'a AtomicU64,
    pub buffer: Vec<u8>,
}

/// How much of a file is written at once.
pub(super) const PIECE: usize = 1 << 18;

impl Sink for Stage<'_> {
    fn entry(&mut self, entry: &Entry, contents: &mut dyn Read) -> io::Result<()> {
        if (self.cancelled)() {
            return Err(io::Error::from(io::ErrorKind::Interrupted));
        }
        let Some(Staged::As(spot)) = self.numbers.get(&entry.path) else { return Ok(()) };
        self.journal.tell(&format!("lay out {}", entry.path), 0, 0);
        let journal = self.journal;
        match &entry.kind {
            Kind::Directory => Ok(()),
            Kind::Symlink { target } => {
                journal.make_new(spot, |path| symlink(target, path))?;
                if rustix::process::geteuid().is_root() { lchown(journal.path_of(spot), Some(entry.uid), Some(entry.gid)) } else { Ok(()) }
            }
            Kind::Hardlink { to } => {
                let first = match self.numbers.get(to) {
                    Some(Staged::As(spot)) => journal.path_of(spot),
                    Some(Staged::At(path)) => path.clone(),
                    None => return Err(io::Error::from(io::ErrorKind::NotFound)),
                };
                // Not every filesystem has hard links.
                journal.make_new(spot, |path| fs::hard_link(&first, path).or_else(|_| fs::copy(&first, path).and_then(|_| dress(path, entry)).and_then(|()| xattr::copy(&first, path))))
            }
            Kind::Regular { .. } => {
                // Nobody else can enter the folder in which it lies for now.
                let open = |path: &Path| OpenOptions::new().write(true).create_new(true).mode(entry.mode & 0o777).open(path);
                let mut file = journal.make_new(spot, open)?;
                self.fill(&mut file, contents)?;
                dress_open(&file, entry)
            }
        }
    }
}

impl Stage<'_> {
    fn fill(&mut self, file: &mut File, contents: &mut dyn Read) -> io::Result<()> {
        self.buffer.resize(PIECE, 0);
        loop {
            let mut length = 0;
            while length < PIECE {
                match contents.read(&mut self.buffer[length..])? {
                    0 => break,
                    read => length += read,
                }
            }
            file.write_all(&self.buffer[..length])?;
            self.written.fetch_add(length as u64, Ordering::Relaxed);
            if length < PIECE {
                return Ok(());
            }
        }
    }
}

fn time(entry: &Entry) -> FileTimes {
    let offset = Duration::from_secs(entry.mtime.unsigned_abs());
    FileTimes::new().set_modified(if entry.mtime < 0 { SystemTime::UNIX_EPOCH - offset } else { SystemTime::UNIX_EPOCH + offset })
}

/// Owner, mode and time of a file that has just been made. What is right already costs a look instead of a change, which has to be written.
fn dress_open(file: &File, entry: &Entry) -> io::Result<()> {
    let found = file.metadata()?;
    let is_given = rustix::process::geteuid().is_root() && (found.uid(), found.gid()) != (entry.uid, entry.gid);
    if is_given {
        fchown(file, Some(entry.uid), Some(entry.gid))?;
    }
    if is_given || found.mode() & 0o7777 != entry.mode {
        file.set_permissions(Permissions::from_mode(entry.mode))?;
    }
    // Other contents and another owner take a program's capabilities away: so they come after these.
    xattr::set(file, &entry.xattrs)?;
    file.set_times(time(entry))
}

/// The same for a file that is not open. The owner comes first, as a new one takes set-user-id bits away.
fn dress(path: &Path, entry: &Entry) -> io::Result<()> {
    own(path, entry.uid, entry.gid)?;
    fs::set_permissions(path, Permissions::from_mode(entry.mode))?;
    // Opening for reading suffices to set times of one's own files, and works for those that nobody may write.
    match File::open(path).and_then(|file| file.set_times(time(entry))) {
        // Its own mode may keep an unprivileged builder from opening it: then it has the time of its making.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        other => other,
    }
}

pub(super) fn json(value: &impl Serialize) -> Result<Vec<u8>, StepError> {
    step(|| "write the database".into(), serde_json::to_vec(value).map_err(io::Error::other))
}
