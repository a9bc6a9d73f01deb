//! Landlock: what a thread and those it starts may still do with files (`landlock(7)`).
//!
//! A thread makes a ruleset, adds the places below which something stays allowed, and restricts itself. Each time adds a layer; an access
//! must be allowed by all layers that handle it. Version 3 of the interface: access to files, moving them elsewhere, truncation.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::fmt;

use bitflags::bitflags;

use super::dentry::Dentry;
use super::file::{FileOps, OpenFile, OpenFlags};
use super::lookup::Caller;
use super::path::Path;
use super::stat::{Attr, FileType};
use crate::error::*;
use crate::sync::SpinLock;

/// The version of the interface.
pub const ABI: usize = 3;
/// Most layers of a thread.
const MOST_LAYERS: usize = 16;

bitflags! {
    /// Accesses (`LANDLOCK_ACCESS_FS_*`).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct AccessFs: u64 {
        #[allow(missing_docs)] const EXECUTE = 1 << 0;
        #[allow(missing_docs)] const WRITE_FILE = 1 << 1;
        #[allow(missing_docs)] const READ_FILE = 1 << 2;
        #[allow(missing_docs)] const READ_DIR = 1 << 3;
        #[allow(missing_docs)] const REMOVE_DIR = 1 << 4;
        #[allow(missing_docs)] const REMOVE_FILE = 1 << 5;
        #[allow(missing_docs)] const MAKE_CHAR = 1 << 6;
        #[allow(missing_docs)] const MAKE_DIR = 1 << 7;
        #[allow(missing_docs)] const MAKE_REG = 1 << 8;
        #[allow(missing_docs)] const MAKE_SOCK = 1 << 9;
        #[allow(missing_docs)] const MAKE_FIFO = 1 << 10;
        #[allow(missing_docs)] const MAKE_BLOCK = 1 << 11;
        #[allow(missing_docs)] const MAKE_SYM = 1 << 12;
        /// Linking or moving into another directory: denied by every layer that does not allow it.
        const REFER = 1 << 13;
        #[allow(missing_docs)] const TRUNCATE = 1 << 14;
    }
}

/// What means something for a file that is no directory.
pub const OF_FILES: AccessFs = AccessFs::EXECUTE.union(AccessFs::WRITE_FILE).union(AccessFs::READ_FILE).union(AccessFs::TRUNCATE);

/// The access that making a file of a type is.
fn making(kind: FileType) -> AccessFs {
    match kind {
        FileType::Directory => AccessFs::MAKE_DIR,
        FileType::CharDevice => AccessFs::MAKE_CHAR,
        FileType::BlockDevice => AccessFs::MAKE_BLOCK,
        FileType::Fifo => AccessFs::MAKE_FIFO,
        FileType::Socket => AccessFs::MAKE_SOCK,
        FileType::Symlink => AccessFs::MAKE_SYM,
        _ => AccessFs::MAKE_REG,
    }
}

/// The access that removing one is.
fn removing(kind: FileType) -> AccessFs {
    if kind == FileType::Directory { AccessFs::REMOVE_DIR } else { AccessFs::REMOVE_FILE }
}

#[derive(Clone)]
struct Rule {
    place: Arc<Dentry>,
    allowed: AccessFs,
}

/// A set of rules, as long as it is made.
pub struct Ruleset {
    handled: AccessFs,
    rules: SpinLock<Vec<Rule>>,
}

impl Ruleset {
    /// An empty one.
    pub fn new(handled: AccessFs) -> Arc<Self> {
        Arc::new(Self { handled, rules: SpinLock::new(Vec::new()) })
    }

    /// What it denies where no rule allows it.
    pub fn handled(&self) -> AccessFs {
        self.handled
    }

    /// Allows accesses at a place and below.
    pub fn allow(&self, place: &Path, allowed: AccessFs) {
        let rule = Rule { place: place.dentry.clone(), allowed };
        let mut rules = self.rules.lock();
        match rules.iter_mut().find(|rule| is_same(&rule.place, &place.dentry)) {
            Some(known) => known.allowed |= allowed,
            None => rules.push(rule),
        }
    }
}

impl FileOps for Ruleset {
    fn attr(&self) -> Result<Attr> {
        Ok(Attr { mode: 0o600, nlink: 1, blksize: 4096, ..Attr::default() })
    }

    fn describe(&self) -> String {
        "anon_inode:[landlock-ruleset]".into()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn is_same(one: &Arc<Dentry>, other: &Arc<Dentry>) -> bool {
    Arc::ptr_eq(one, other) || Arc::ptr_eq(one.inode(), other.inode())
}

struct Layer {
    handled: AccessFs,
    rules: Vec<Rule>,
}

impl Layer {
    fn allowed_at(&self, place: &Arc<Dentry>) -> AccessFs {
        self.rules.iter().filter(|rule| is_same(&rule.place, place)).fold(AccessFs::empty(), |all, rule| all | rule.allowed)
    }
}

/// The layers that bind a thread.
#[derive(Clone)]
pub struct Domain(Vec<Arc<Layer>>);

impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Domain of {} layers", self.0.len())
    }
}

impl PartialEq for Domain {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.is_above(other)
    }
}

impl Eq for Domain {}

/// What comes of walking from a place to the root.
enum Walked {
    /// What each layer allows, of all that was asked about.
    Allowed(Vec<AccessFs>),
    /// The place is in no tree (a pipe, say): nobody is kept from it.
    Nowhere,
}

impl Domain {
    /// One more layer.
    ///
    /// # Errors
    /// `E2BIG` where there are too many.
    pub fn with(above: Option<&Domain>, ruleset: &Ruleset) -> Result<Arc<Self>> {
        let mut layers = above.map(|domain| domain.0.clone()).unwrap_or_default();
        if layers.len() >= MOST_LAYERS {
            return Err(E2BIG);
        }
        let rules = ruleset.rules.lock().clone();
        layers.push(Arc::new(Layer { handled: ruleset.handled, rules }));
        Ok(Arc::new(Self(layers)))
    }

    /// Whether whoever is bound by `other` is bound by this, too.
    pub fn is_above(&self, other: &Domain) -> bool {
        self.0.len() <= other.0.len() && self.0.iter().zip(&other.0).all(|(mine, theirs)| Arc::ptr_eq(mine, theirs))
    }

    fn walk(&self, place: &Path) -> Walked {
        let mut allowed: Vec<AccessFs> = self.0.iter().map(|_| AccessFs::empty()).collect();
        let mut at = place.clone();
        loop {
            for (layer, allowed) in self.0.iter().zip(&mut allowed) {
                *allowed |= layer.allowed_at(&at.dentry);
            }
            if Arc::ptr_eq(&at.dentry, &at.mount.root) {
                match at.mount.mountpoint() {
                    Some(above) => at = above,
                    None => return Walked::Allowed(allowed),
                }
                continue;
            }
            match at.dentry.parent() {
                Some(parent) => at = Path { mount: at.mount, dentry: parent },
                None => return Walked::Nowhere,
            }
        }
    }

    /// What of an access at a place is denied.
    fn denied(&self, place: &Path, wanted: AccessFs) -> AccessFs {
        let Walked::Allowed(allowed) = self.walk(place) else { return AccessFs::empty() };
        let of_layer = |(layer, allowed): (&Arc<Layer>, &AccessFs)| wanted & (layer.handled | AccessFs::REFER) - *allowed;
        self.0.iter().zip(&allowed).map(of_layer).fold(AccessFs::empty(), |all, denied| all | denied)
    }

    /// Whether what is moved from one directory to another could be accessed there in ways that it cannot be now.
    fn would_gain(&self, kind: FileType, from: &Path, to: &Path) -> bool {
        let (Walked::Allowed(before), Walked::Allowed(after)) = (self.walk(from), self.walk(to)) else { return false };
        let counts = if kind == FileType::Directory { AccessFs::all() } else { OF_FILES };
        self.0.iter().zip(before.iter().zip(&after)).any(|(layer, (before, after))| !(*after & layer.handled & counts).difference(*before).is_empty())
    }
}

/// A name that is about to be added to a directory, and what it takes from another.
pub(super) struct Move<'a> {
    /// The directory it is in.
    pub from: &'a Path,
    /// The directory it will be in.
    pub to: &'a Path,
    /// What it is.
    pub kind: FileType,
    /// It leaves its directory (it is no link).
    pub leaves: bool,
    /// What has the name now.
    pub replaced: Option<FileType>,
    /// That takes the place of what is moved.
    pub exchange: bool,
}

impl Caller {
    /// Whether Landlock binds the caller.
    ///
    /// # Errors
    /// `EPERM` where it does.
    pub fn check_unconfined(&self) -> Result {
        if self.creds.domain.is_some() { Err(EPERM) } else { Ok(()) }
    }

    /// Whether the caller's layers allow an access.
    ///
    /// # Errors
    /// `EACCES` where one does not.
    pub fn confined(&self, place: &Path, wanted: AccessFs) -> Result {
        match &self.creds.domain {
            Some(domain) if !domain.denied(place, wanted).is_empty() => Err(EACCES),
            _ => Ok(()),
        }
    }

    /// Whether they allow opening what is at a place; `made`: it was not there before.
    pub(super) fn confined_open(&self, place: &Path, flags: OpenFlags, made: bool) -> Result {
        // What a link leads to is looked at when it has been followed.
        if self.creds.domain.is_none() || place.dentry.kind() == FileType::Symlink {
            return Ok(());
        }
        let mut wanted = AccessFs::empty();
        if flags.bits() & 3 != 1 {
            wanted |= if place.dentry.is_dir() { AccessFs::READ_DIR } else { AccessFs::READ_FILE };
        }
        if flags.bits() & 3 != 0 {
            wanted |= AccessFs::WRITE_FILE;
        }
        if flags.contains(OpenFlags::TRUNC) && !made {
            wanted |= AccessFs::TRUNCATE;
        }
        self.confined(place, wanted)
    }

    /// Keeps a file that was opened just now at its size, where they do not allow to change it.
    pub(super) fn confine_size(&self, file: &OpenFile) {
        if file.path.as_ref().is_some_and(|place| self.confined(place, AccessFs::TRUNCATE).is_err()) {
            file.forbid_truncation();
        }
    }

    /// Whether they allow making a file in a directory.
    pub(super) fn confined_make(&self, dir: &Path, kind: FileType) -> Result {
        self.confined(dir, making(kind))
    }

    /// Whether they allow removing one.
    pub(super) fn confined_remove(&self, dir: &Path, kind: FileType) -> Result {
        self.confined(dir, removing(kind))
    }

    /// Whether they allow linking or renaming.
    pub(super) fn confined_move(&self, it: &Move<'_>) -> Result {
        let Some(domain) = &self.creds.domain else { return Ok(()) };
        let (mut from, mut to) = (AccessFs::empty(), making(it.kind));
        if it.leaves {
            from |= removing(it.kind);
            to |= it.replaced.map_or(AccessFs::empty(), removing);
        }
        if it.exchange {
            from |= it.replaced.map_or(AccessFs::empty(), making);
        }
        if Arc::ptr_eq(&it.from.dentry, &it.to.dentry) {
            return self.confined(it.from, from | to);
        }
        if !domain.0.iter().any(|layer| layer.handled.contains(AccessFs::REFER)) {
            return Err(EXDEV);
        }
        let denied = domain.denied(it.from, from | AccessFs::REFER) | domain.denied(it.to, to | AccessFs::REFER);
        if !(denied - AccessFs::REFER).is_empty() {
            return Err(EACCES);
        }
        let back = it.replaced.filter(|_| it.exchange);
        if !denied.is_empty() || domain.would_gain(it.kind, it.from, it.to) || back.is_some_and(|kind| domain.would_gain(kind, it.to, it.from)) {
            return Err(EXDEV);
        }
        Ok(())
    }
}
