//! From path names to places (`path_resolution(7)`).

use alloc::borrow::Cow;
use alloc::sync::Arc;
use alloc::vec::Vec;

use bitflags::bitflags;

use super::context::FsContext;
use super::dcache::{self, Cached};
use super::dentry::Dentry;
use super::inode::InodeRef;
use super::mount::{self, MountFlags};
use super::path::Path;
use super::stat::FileType;
use crate::error::*;
use crate::task::{Credentials, Process};

/// Symbolic links followed in one lookup.
const MAX_LINKS: u32 = 40;
/// Longest name of a directory entry in bytes.
pub const NAME_MAX: usize = 255;
/// Names a filesystem is asked for at once.
const MAX_BATCH: usize = 16;

/// Search permission.
pub const MAY_EXEC: u32 = 1;
#[allow(missing_docs)]
pub const MAY_WRITE: u32 = 2;
#[allow(missing_docs)]
pub const MAY_READ: u32 = 4;

bitflags! {
    /// How to look up.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct LookupFlags: u32 {
        /// Follow a symbolic link that is the last component.
        const FOLLOW = 1;
        /// The empty path means the starting place (`AT_EMPTY_PATH`).
        const EMPTY = 2;
        /// The result must be a directory.
        const DIRECTORY = 4;
        /// `RESOLVE_NO_XDEV`
        const NO_XDEV = 0x100;
        /// `RESOLVE_NO_MAGICLINKS`
        const NO_MAGICLINKS = 0x200;
        /// `RESOLVE_NO_SYMLINKS`
        const NO_SYMLINKS = 0x400;
        /// `RESOLVE_BENEATH`
        const BENEATH = 0x800;
        /// `RESOLVE_IN_ROOT`
        const IN_ROOT = 0x1000;
    }
}

/// Who looks up: whose permissions, root and working directory count.
#[derive(Clone)]
pub struct Caller {
    /// Checked with `fsuid`, `fsgid` and the capabilities in effect.
    pub creds: Arc<Credentials>,
    #[allow(missing_docs)]
    pub fs: Arc<FsContext>,
}

impl Caller {
    /// The executing thread, in the places of `process`, which is its process.
    pub fn of(process: &Process) -> Self {
        Self { creds: crate::task::with_current(|thread| thread.creds()), fs: process.fs() }
    }

    /// The current process.
    pub fn current() -> Self {
        Self::of(&crate::task::current().process)
    }

    /// Checks access `want` ([`MAY_READ`] ...) to an inode.
    ///
    /// # Errors
    /// `EACCES`.
    pub fn check(&self, inode: &InodeRef, want: u32) -> Result {
        let (mode, uid, gid) = inode.owner_mode()?;
        if self.creds.may_access(mode, uid, gid, want) { Ok(()) } else { Err(EACCES) }
    }

    /// The place a path means. Relative paths start at `start`, or at the working directory.
    ///
    /// # Errors
    /// Those of `path_resolution(7)`: `ENOENT`, `ENOTDIR`, `EACCES`, `ELOOP`, `ENAMETOOLONG`; the filesystem's.
    pub fn resolve(&self, start: Option<&Path>, path: &[u8], flags: LookupFlags) -> Result<Path> {
        let mut walk = Walk::new(self, start, path, flags)?;
        walk.run(false)?;
        Ok(walk.at)
    }

    /// The directory that holds the last component of a path, and that component, which need not exist.
    ///
    /// # Errors
    /// As [`Caller::resolve`].
    pub fn resolve_parent<'a>(&'a self, start: Option<&Path>, path: &'a [u8], flags: LookupFlags) -> Result<Parent<'a>> {
        let mut walk = Walk::new(self, start, path, flags)?;
        walk.run(true)?;
        Ok(walk.into_parent())
    }
}

/// What the last component of a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastKind {
    /// A name.
    Name,
    /// `.`
    Dot,
    /// `..`
    DotDot,
    /// There is none: the path was `/`.
    Root,
}

/// A directory and the name of an entry in it.
pub struct Parent<'a> {
    /// The directory that the last component is looked up in.
    pub dir: Path,
    #[allow(missing_docs)]
    pub name: Cow<'a, [u8]>,
    #[allow(missing_docs)]
    pub kind: LastKind,
    /// Whether a slash follows the name.
    pub trailing_slash: bool,
}

/// A lookup on its way.
pub(super) struct Walk<'a> {
    caller: &'a Caller,
    /// What `/` means and `..` does not leave.
    root: Path,
    flags: LookupFlags,
    path: Cow<'a, [u8]>,
    pos: usize,
    pub(super) at: Path,
    links: u32,
    last: LastKind,
    last_range: (usize, usize),
}

impl<'a> Walk<'a> {
    pub(super) fn new(caller: &'a Caller, start: Option<&Path>, path: &'a [u8], flags: LookupFlags) -> Result<Self> {
        if path.is_empty() && !flags.contains(LookupFlags::EMPTY) {
            return Err(ENOENT);
        }
        let scoped = flags.intersects(LookupFlags::BENEATH | LookupFlags::IN_ROOT);
        let absolute = path.first() == Some(&b'/');
        if absolute && flags.contains(LookupFlags::BENEATH) {
            return Err(EXDEV);
        }
        let begin = || start.cloned().unwrap_or_else(|| caller.fs.cwd());
        let (root, at) = if scoped {
            let start = begin();
            (start.clone(), start)
        } else {
            let root = caller.fs.root();
            let at = if absolute { root.clone() } else { begin() };
            (root, at)
        };
        Ok(Self {
            caller,
            root,
            flags,
            path: Cow::Borrowed(path),
            pos: 0,
            at,
            links: 0,
            last: LastKind::Root,
            last_range: (0, 0),
        })
    }

    /// Goes to the end of the path, or (`to_parent`) to the directory of its last component.
    pub(super) fn run(&mut self, to_parent: bool) -> Result {
        loop {
            let path = &self.path[..];
            let mut begin = self.pos;
            while path.get(begin) == Some(&b'/') {
                begin += 1;
            }
            if begin == path.len() {
                // "/", or slashes after what has been walked already.
                if (self.pos < begin || self.flags.contains(LookupFlags::DIRECTORY)) && !self.at.dentry.is_dir() {
                    return Err(ENOTDIR);
                }
                return Ok(());
            }
            let mut end = begin;
            while end < path.len() && path[end] != b'/' {
                end += 1;
            }
            let name = &path[begin..end];
            let mut after = end;
            while path.get(after) == Some(&b'/') {
                after += 1;
            }
            let is_last = after == path.len();
            let slash_follows = end < path.len();

            if !self.at.dentry.is_dir() {
                return Err(ENOTDIR);
            }
            if !self.caller.creds.searches_all() {
                self.caller.check(self.at.inode(), MAY_EXEC)?;
            }
            if name == b"." || name == b".." {
                let up = name.len() == 2;
                self.pos = end;
                if is_last {
                    self.last = if up { LastKind::DotDot } else { LastKind::Dot };
                    self.last_range = (begin, end);
                }
                if is_last && to_parent {
                    return Ok(());
                }
                if up {
                    self.up()?;
                }
                continue;
            }
            if name.len() > NAME_MAX {
                return Err(ENAMETOOLONG);
            }
            if is_last && to_parent {
                self.last = LastKind::Name;
                self.last_range = (begin, end);
                self.pos = end;
                return Ok(());
            }
            let child = child(&self.at, name, &path[after..])?;
            let follow = !is_last || slash_follows || self.flags.contains(LookupFlags::FOLLOW);
            self.pos = end;
            if child.dentry.kind() == FileType::Symlink && follow {
                self.follow(&child, is_last)?;
                continue;
            }
            self.enter(child)?;
        }
    }

    fn enter(&mut self, to: Path) -> Result {
        if self.flags.contains(LookupFlags::NO_XDEV) && !Arc::ptr_eq(&to.mount, &self.at.mount) {
            return Err(EXDEV);
        }
        self.at = to;
        Ok(())
    }

    /// `..`
    fn up(&mut self) -> Result {
        let mut at = self.at.clone();
        loop {
            if at.same(&self.root) {
                return if self.flags.contains(LookupFlags::BENEATH) { Err(EXDEV) } else { Ok(()) };
            }
            if !Arc::ptr_eq(&at.dentry, &at.mount.root) {
                break;
            }
            match at.mount.mountpoint() {
                Some(above) => at = above,
                None => return Ok(()),
            }
        }
        if let Some(parent) = at.dentry.parent() {
            at.dentry = parent;
        }
        while let Some(mount) = mount::covering(&at) {
            at = Path::root_of(&mount);
        }
        self.enter(at)
    }

    /// Continues at the target of `link`, which lies in `self.at`; what is left of the path follows after it.
    pub(super) fn follow(&mut self, link: &Path, is_last: bool) -> Result {
        self.last = LastKind::Root;
        self.last_range = (0, 0);
        self.links += 1;
        if self.links > MAX_LINKS || self.flags.contains(LookupFlags::NO_SYMLINKS) || link.mount.flags().contains(MountFlags::NOSYMFOLLOW) {
            return Err(ELOOP);
        }
        if is_last {
            self.may_follow(link)?;
        }
        if let Some(target) = link.inode().magic_link() {
            if self.flags.contains(LookupFlags::NO_MAGICLINKS) {
                return Err(ELOOP);
            }
            if self.flags.intersects(LookupFlags::BENEATH | LookupFlags::IN_ROOT) {
                return Err(EXDEV);
            }
            let target = target?;
            return self.enter(target);
        }
        let target = link.inode().read_link()?;
        if target.is_empty() {
            return Err(ENOENT);
        }
        if target[0] == b'/' {
            if self.flags.contains(LookupFlags::BENEATH) {
                return Err(EXDEV);
            }
            let root = self.root.clone();
            self.enter(root)?;
        }
        let rest = &self.path[self.pos..];
        let mut path = target;
        path.extend_from_slice(rest);
        self.path = Cow::Owned(path);
        self.pos = 0;
        Ok(())
    }

    /// Links in world-writable sticky directories are followed only by their owner, or where they belong to the directory's
    /// owner (`fs.protected_symlinks`, `proc_sys_fs(5)`).
    fn may_follow(&self, link: &Path) -> Result {
        let (dir_mode, dir_uid, _) = self.at.inode().owner_mode()?;
        if dir_mode & 0o1002 != 0o1002 {
            return Ok(());
        }
        let (_, uid, _) = link.inode().owner_mode()?;
        if uid == self.caller.creds.fsuid || uid == dir_uid { Ok(()) } else { Err(EACCES) }
    }

    /// Continues with another path from where the lookup is.
    pub(super) fn replace_path(&mut self, path: Vec<u8>) {
        self.path = Cow::Owned(path);
        self.pos = 0;
        self.last = LastKind::Root;
        self.last_range = (0, 0);
    }

    /// The last component, once [`Walk::run`] has stopped before it.
    pub(super) fn last(&self) -> (LastKind, &[u8], bool) {
        let (begin, end) = self.last_range;
        (self.last, &self.path[begin..end], end < self.path.len())
    }

    pub(super) fn into_parent(self) -> Parent<'a> {
        let (begin, end) = self.last_range;
        let trailing_slash = end < self.path.len() && self.last != LastKind::Root;
        let name = match self.path {
            Cow::Borrowed(path) => Cow::Borrowed(&path[begin..end]),
            Cow::Owned(path) => Cow::Owned(path[begin..end].to_vec()),
        };
        Parent { dir: self.at, name, kind: self.last, trailing_slash }
    }
}

/// The entry `name` of the directory `dir`, and what is mounted on it. `rest` is what the caller will look up next below it.
///
/// # Errors
/// `ENOENT`; the filesystem's.
pub fn child(dir: &Path, name: &[u8], rest: &[u8]) -> Result<Path> {
    let mut path = Path { mount: dir.mount.clone(), dentry: child_dentry(&dir.dentry, name, rest)? };
    while let Some(mount) = mount::covering(&path) {
        path = Path::root_of(&mount);
    }
    Ok(path)
}

/// The entry `name` of `dir`, without regard to mounts.
///
/// # Errors
/// As [`child`].
pub fn child_dentry(dir: &Arc<Dentry>, name: &[u8], rest: &[u8]) -> Result<Arc<Dentry>> {
    if dir.caches_children() || dir.has_mounted_children() {
        match dcache::get(dir, name) {
            Cached::Entry(entry) => return Ok(entry),
            Cached::Missing => return Err(ENOENT),
            Cached::Unknown => {}
        }
    }
    if !dir.caches_children() {
        return Ok(Dentry::child(dir, name, dir.inode().lookup(name)?));
    }
    let changes = dir.changes();
    if !rest.is_empty() {
        let names = batch(name, rest);
        if names.len() > 1 {
            if let Some(found) = dir.inode().lookup_many(&names.join(&b'/')) {
                return remember_batch(dir, changes, &names, found?);
            }
        }
    }
    match dir.inode().lookup(name) {
        Ok(inode) => dcache::learn(dir, changes, name, Some(Dentry::child(dir, name, inode))).ok_or(ENOENT),
        Err(ENOENT) => {
            dcache::learn(dir, changes, name, None);
            Err(ENOENT)
        }
        Err(error) => Err(error),
    }
}

/// Whether `name` is still free, for who holds the names of `dir` and found it so before.
///
/// # Errors
/// `EEXIST`; those of the lookup.
pub(super) fn still_free(dir: &Arc<Dentry>, name: &[u8]) -> Result {
    if !dir.caches_children() {
        return Ok(());
    }
    if dir.is_gone() {
        return Err(ENOENT);
    }
    match child_dentry(dir, name, &[]) {
        Ok(_) => Err(EEXIST),
        Err(ENOENT) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The names that can be asked for together: up to the first `.`, `..` or overlong name.
fn batch<'n>(name: &'n [u8], rest: &'n [u8]) -> Vec<&'n [u8]> {
    let mut names = alloc::vec![name];
    for piece in rest.split(|b| *b == b'/') {
        if piece.is_empty() {
            continue;
        }
        if piece == b"." || piece == b".." || piece.len() > NAME_MAX || names.len() == MAX_BATCH {
            break;
        }
        names.push(piece);
    }
    names
}

/// Puts the answer to a batch into the cache; gives the entry of the first name.
fn remember_batch(dir: &Arc<Dentry>, mut changes: u64, names: &[&[u8]], found: Vec<InodeRef>) -> Result<Arc<Dentry>> {
    let mut first = None;
    let mut parent = dir.clone();
    let mut found = found.into_iter();
    for name in names {
        let Some(inode) = found.next() else {
            // The answer stops early at a name that is missing, or below something that is no directory.
            if parent.is_dir() && parent.caches_children() {
                dcache::learn(&parent, changes, name, None);
            }
            break;
        };
        let fresh = Dentry::child(&parent, name, inode);
        let Some(entry) = dcache::learn(&parent, changes, name, Some(fresh.clone())) else { break };
        first.get_or_insert_with(|| entry.clone());
        if !Arc::ptr_eq(&entry, &fresh) || !entry.caches_children() {
            // Somebody was quicker: what happened in that directory since we asked is unknown.
            break;
        }
        changes = 0;
        parent = entry;
    }
    first.ok_or(ENOENT)
}
