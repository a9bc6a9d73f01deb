//! Marks: what a group wants to hear of, and what it does not.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::fmt::Write;

use super::{HAPPENINGS, ON_CHILD, ON_DIRECTORY, PERMISSIONS};
use crate::error::*;
use crate::fs::mount::{Mount, SuperBlock};
use crate::fs::notify::{self, FileKey};
use crate::fs::{InodeRef, Path};

/// What a mark can be on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SubjectKind {
    /// A file or a directory.
    Inode,
    /// A mount: what is done through it.
    Mount,
    /// A filesystem, through whatever mount.
    Filesystem,
}

/// What a mark is on.
pub enum Subject {
    #[allow(missing_docs)]
    Inode(FileKey, InodeRef),
    #[allow(missing_docs)]
    Mount(Arc<Mount>),
    #[allow(missing_docs)]
    Filesystem(Arc<SuperBlock>),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Inode(FileKey),
    Mount(u64),
    Filesystem(usize),
}

/// What keeps a mark's key from naming something else meanwhile. Mounts and filesystems are not kept, so that they can be taken away.
pub(super) enum Hold {
    Inode(#[allow(dead_code)] InodeRef),
    Mount(Weak<Mount>),
    Filesystem(Weak<SuperBlock>),
}

pub(super) struct Mark {
    wanted: u64,
    ignored: u64,
    /// What is ignored stays so after the file was changed.
    survives: bool,
    hold: Hold,
}

impl Subject {
    fn key(&self) -> Key {
        match self {
            Self::Inode(key, _) => Key::Inode(*key),
            Self::Mount(mount) => Key::Mount(mount.id),
            Self::Filesystem(sb) => Key::Filesystem(Arc::as_ptr(sb).addr()),
        }
    }

    fn hold(self) -> Hold {
        match self {
            Self::Inode(_, inode) => Hold::Inode(inode),
            Self::Mount(mount) => Hold::Mount(Arc::downgrade(&mount)),
            Self::Filesystem(sb) => Hold::Filesystem(Arc::downgrade(&sb)),
        }
    }
}

impl Mark {
    fn is_alive(&self) -> bool {
        match &self.hold {
            Hold::Inode(_) => true,
            Hold::Mount(mount) => mount.strong_count() > 0,
            Hold::Filesystem(sb) => sb.strong_count() > 0,
        }
    }

    fn is_empty(&self) -> bool {
        (self.wanted | self.ignored) & (HAPPENINGS | PERMISSIONS) == 0
    }
}

/// Where something happens.
pub(super) struct Place {
    keys: [Option<Key>; 3],
    /// Of the directory that it is in.
    parent: Option<Key>,
    is_directory: bool,
}

impl Place {
    pub(super) fn of(path: &Path) -> Self {
        // Asks no daemon: it may be the one whose file this is.
        let key = |inode: &InodeRef| inode.known_attr().map(|attr| Key::Inode((attr.dev, attr.ino)));
        let parent = path.dentry.location().0.and_then(|parent| key(parent.inode()));
        let keys = [key(path.dentry.inode()), Some(Key::Mount(path.mount.id)), Some(Key::Filesystem(Arc::as_ptr(&path.mount.sb).addr()))];
        Self { keys, parent, is_directory: path.dentry.is_dir() }
    }
}

/// A group's marks.
#[derive(Default)]
pub(super) struct Marks(BTreeMap<Key, Mark>);

impl Marks {
    /// Adds to a mark, or makes it; gives back what was not needed.
    pub(super) fn add(&mut self, subject: Subject, mask: u64, ignored: bool, survives: bool, most: usize) -> Result<Option<Hold>> {
        let key = subject.key();
        if let Some(mark) = self.0.get_mut(&key).filter(|mark| mark.is_alive()) {
            mark.add(mask, ignored, survives);
            return Ok(Some(subject.hold()));
        }
        if self.0.len() >= most {
            return Err(ENOSPC);
        }
        let mut mark = Mark { wanted: 0, ignored: 0, survives: false, hold: subject.hold() };
        mark.add(mask, ignored, survives);
        Ok(self.0.insert(key, mark).map(|old| old.hold))
    }

    /// Takes from a mark; the mark where nothing is left of it.
    pub(super) fn remove(&mut self, subject: &Subject, mask: u64, ignored: bool) -> Result<Option<Mark>> {
        let key = subject.key();
        let mark = self.0.get_mut(&key).ok_or(ENOENT)?;
        let of = if ignored { &mut mark.ignored } else { &mut mark.wanted };
        *of &= !mask;
        Ok(if mark.is_empty() { self.0.remove(&key) } else { None })
    }

    /// Takes all of a kind away.
    pub(super) fn flush(&mut self, kind: SubjectKind) -> Vec<Mark> {
        let is_it = |key: &Key| matches!((key, kind), (Key::Inode(_), SubjectKind::Inode) | (Key::Mount(_), SubjectKind::Mount) | (Key::Filesystem(_), SubjectKind::Filesystem));
        let keys: Vec<Key> = self.0.keys().copied().filter(is_it).collect();
        keys.iter().filter_map(|key| self.0.remove(key)).collect()
    }

    /// What is wanted of what happened at a place. A change ends what is ignored.
    pub(super) fn wanted(&mut self, place: &Place, happened: u64) -> u64 {
        let (mut wanted, mut ignored) = (0, 0);
        for key in place.keys.into_iter().flatten() {
            let Some(mark) = self.0.get_mut(&key) else { continue };
            if happened & u64::from(notify::MODIFY) != 0 && !mark.survives {
                mark.ignored = 0;
            }
            ignored |= mark.ignored;
            if !place.is_directory || mark.wanted & ON_DIRECTORY != 0 {
                wanted |= mark.wanted;
            }
        }
        if let Some(mark) = place.parent.and_then(|key| self.0.get(&key)).filter(|mark| mark.wanted & ON_CHILD != 0) {
            ignored |= mark.ignored;
            if !place.is_directory || mark.wanted & ON_DIRECTORY != 0 {
                wanted |= mark.wanted;
            }
        }
        happened & wanted & !ignored
    }

    /// Lines of `/proc/<pid>/fdinfo`.
    pub(super) fn show(&self, out: &mut String) {
        for (key, mark) in &self.0 {
            let Mark { wanted, ignored, .. } = mark;
            let flags = if mark.survives { 0x40 } else { 0 };
            let _ = match key {
                Key::Inode((dev, ino)) => writeln!(out, "fanotify ino:{ino:x} sdev:{dev:x} mflags:{flags:x} mask:{wanted:x} ignored_mask:{ignored:x} "),
                Key::Mount(id) => writeln!(out, "fanotify mnt_id:{id:x} mflags:{flags:x} mask:{wanted:x} ignored_mask:{ignored:x}"),
                Key::Filesystem(_) => writeln!(out, "fanotify sdev:0 mflags:{flags:x} mask:{wanted:x} ignored_mask:{ignored:x}"),
            };
        }
    }
}

impl Mark {
    fn add(&mut self, mask: u64, ignored: bool, survives: bool) {
        if ignored {
            self.ignored |= mask;
            self.survives |= survives;
        } else {
            self.wanted |= mask;
        }
    }
}
