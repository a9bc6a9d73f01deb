//! Changes of names and attributes, with their permission checks (`path_resolution(7)`, `inode(7)`).

use alloc::sync::Arc;

use super::dcache::Change;
use super::dentry::{Dentry, lock_names};
use super::generic::without_privileges;
use super::inode::{InodeRef, RenameFlags, SetAttr};
use super::landlock::{AccessFs, Move};
use super::lookup::{self, Caller, LastKind, LookupFlags, MAY_EXEC, MAY_WRITE, Parent};
use super::notify;
use super::path::Path;
use super::stat::{Attr, FileType};
use crate::error::*;
use crate::task::{Capability, Credentials};

/// `UTIME_NOW` and `UTIME_OMIT` are resolved into this: what to set a time to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewTime {
    /// Leave it.
    Keep,
    /// The current time.
    Now,
    /// Nanoseconds since the epoch.
    At(i64),
}

/// Takes the capabilities of a file away, and the set-user-ID and set-group-ID bits where the caller's change of the content demands it.
pub(super) fn drop_privileges(creds: &Credentials, inode: &InodeRef) -> Result {
    inode.drop_capabilities()?;
    match without_privileges(inode.owner_mode()?.0, creds) {
        Some(mode) => inode.set_attr(&SetAttr { mode: Some(mode), ..SetAttr::default() }),
        None => Ok(()),
    }
}

fn same_inode(a: &InodeRef, b: &InodeRef) -> Result<bool> {
    if Arc::ptr_eq(a, b) {
        return Ok(true);
    }
    let (a, b) = (a.attr()?, b.attr()?);
    Ok((a.dev, a.ino) == (b.dev, b.ino))
}

/// A file's entry with which nothing can be remembered any more.
fn retire(removed: Option<Arc<Dentry>>) {
    if let Some(dentry) = removed {
        dentry.set_gone();
    }
}

impl Caller {
    /// Whether the name of `victim` may be taken out of `dir`: write permission, and the sticky bit's rules.
    fn may_delete(&self, dir: &Path, victim: &Dentry, want_dir: Option<bool>) -> Result {
        self.check(dir.inode(), MAY_WRITE | MAY_EXEC)?;
        let (mode, owner, _) = dir.inode().owner_mode()?;
        if mode & 0o1000 != 0 && owner != self.creds.fsuid && !self.creds.owns(victim.inode().owner_mode()?.1) {
            return Err(EPERM);
        }
        match want_dir {
            Some(true) if !victim.is_dir() => Err(ENOTDIR),
            Some(false) if victim.is_dir() => Err(EISDIR),
            _ => Ok(()),
        }
    }

    /// The entry itself, not what is mounted on it.
    fn entry(&self, parent: &Parent<'_>) -> Result<Arc<Dentry>> {
        if !parent.dir.dentry.is_dir() {
            return Err(ENOTDIR);
        }
        self.check(parent.dir.inode(), MAY_EXEC)?;
        if parent.name.len() > lookup::NAME_MAX {
            return Err(ENAMETOOLONG);
        }
        lookup::child_dentry(&parent.dir.dentry, &parent.name, &[])
    }

    /// Where a new name goes: the directory, after all checks.
    fn new_name<'p>(&'p self, start: Option<&Path>, path: &'p [u8], directory: bool) -> Result<Parent<'p>> {
        let parent = self.resolve_parent(start, path, LookupFlags::empty())?;
        if parent.kind != LastKind::Name {
            return Err(EEXIST);
        }
        match self.entry(&parent) {
            // In an ordinary scheme every name seems to be there: its daemon decides.
            Ok(found) if parent.dir.dentry.caches_children() || found.inode().attr().is_ok() => return Err(EEXIST),
            Ok(_) | Err(ENOENT) => {}
            Err(error) => return Err(error),
        }
        if parent.trailing_slash && !directory {
            return Err(ENOENT);
        }
        parent.dir.mount.check_writable()?;
        Ok(parent)
    }

    /// `mkdirat(2)`
    ///
    /// # Errors
    /// As there.
    pub fn mkdir(&self, start: Option<&Path>, path: &[u8], mode: u32) -> Result {
        let parent = self.new_name(start, path, true)?;
        self.create(&parent.dir, &parent.name, FileType::Directory as u32 | mode & 0o1777, 0).map(|_| ())
    }

    /// `mknodat(2)`; `mode` with type. Also makes the sockets that `bind(2)` leaves.
    ///
    /// # Errors
    /// As there.
    pub fn mknod(&self, start: Option<&Path>, path: &[u8], mode: u32, rdev: u64) -> Result<Path> {
        let parent = self.new_name(start, path, false)?;
        self.may_create(&parent.dir)?;
        if matches!(FileType::from_mode(mode), Some(FileType::CharDevice | FileType::BlockDevice)) && !self.creds.has(Capability::MKNOD) {
            return Err(EPERM);
        }
        self.create(&parent.dir, &parent.name, mode, rdev)
    }

    /// `symlinkat(2)`
    ///
    /// # Errors
    /// As there.
    pub fn symlink(&self, target: &[u8], start: Option<&Path>, path: &[u8]) -> Result {
        let parent = self.new_name(start, path, false)?;
        self.may_create(&parent.dir)?;
        self.confined_make(&parent.dir, FileType::Symlink)?;
        let _names = lock_names([Some(&*parent.dir.dentry), None, None]);
        lookup::still_free(&parent.dir.dentry, &parent.name)?;
        let change = Change::begin(&parent.dir.dentry);
        match parent.dir.inode().symlink(&parent.name, target, &self.creds) {
            Ok(inode) => {
                let _ = change.finish(&parent.name, Some(Dentry::child(&parent.dir.dentry, &parent.name, inode)));
                notify::entry(&parent.dir.dentry, &parent.name, FileType::Symlink, notify::CREATE);
                Ok(())
            }
            Err(error) => {
                change.failed(&parent.name);
                Err(error)
            }
        }
    }

    /// `linkat(2)`: a new name for what is at `old`.
    ///
    /// # Errors
    /// As there.
    pub fn link(&self, old: &Path, start: Option<&Path>, path: &[u8]) -> Result {
        let parent = self.new_name(start, path, false)?;
        // The mount point of a bind mount is a border, too.
        if !Arc::ptr_eq(&old.mount, &parent.dir.mount) {
            return Err(EXDEV);
        }
        self.may_link(old)?;
        self.may_create(&parent.dir)?;
        if old.dentry.is_dir() {
            return Err(EPERM);
        }
        if let Some(from) = old.dentry.parent() {
            let from = Path { mount: old.mount.clone(), dentry: from };
            self.confined_move(&Move { from: &from, to: &parent.dir, kind: old.dentry.kind(), leaves: false, replaced: None, exchange: false })?;
        }
        let attr = old.inode().attr()?;
        if attr.nlink == 0 && !old.dentry.is_gone() {
            return Err(ENOENT);
        }
        let _names = lock_names([Some(&*parent.dir.dentry), None, None]);
        lookup::still_free(&parent.dir.dentry, &parent.name)?;
        let change = Change::begin(&parent.dir.dentry);
        match parent.dir.inode().link(&parent.name, old.inode()) {
            Ok(()) => {
                let _ = change.finish(&parent.name, Some(Dentry::child(&parent.dir.dentry, &parent.name, old.inode().clone())));
                notify::inode(old.inode(), notify::ATTRIB);
                notify::entry(&parent.dir.dentry, &parent.name, old.dentry.kind(), notify::CREATE);
                Ok(())
            }
            Err(error) => {
                change.failed(&parent.name);
                Err(error)
            }
        }
    }

    /// Hard links to other people's files only where one could write them and they are harmless (`fs.protected_hardlinks`, `proc_sys_fs(5)`).
    fn may_link(&self, old: &Path) -> Result {
        let (mode, uid, _) = old.inode().owner_mode()?;
        if self.creds.owns(uid) {
            return Ok(());
        }
        let special = mode & 0o170000 != FileType::Regular as u32 || mode & 0o4000 != 0 || mode & 0o2010 == 0o2010;
        if special || self.check(old.inode(), lookup::MAY_READ | MAY_WRITE).is_err() { Err(EPERM) } else { Ok(()) }
    }

    /// `unlinkat(2)` without AT_REMOVEDIR.
    ///
    /// # Errors
    /// As there.
    pub fn unlink(&self, start: Option<&Path>, path: &[u8]) -> Result {
        let parent = self.resolve_parent(start, path, LookupFlags::empty())?;
        if parent.kind != LastKind::Name {
            return Err(EISDIR);
        }
        parent.dir.mount.check_writable()?;
        let victim = self.entry(&parent)?;
        if parent.trailing_slash {
            return Err(if victim.is_dir() { EISDIR } else { ENOTDIR });
        }
        // Only a daemon knows the type of a node of an ordinary scheme.
        let want = parent.dir.dentry.caches_children().then_some(false);
        self.may_delete(&parent.dir, &victim, want)?;
        self.confined_remove(&parent.dir, victim.kind())?;
        if victim.is_mountpoint() {
            return Err(EBUSY);
        }
        self.remove(&parent, victim, |dir, name, known| match known {
            Some(victim) => dir.unlink_known(name, victim),
            None => dir.unlink(name),
        })
    }

    /// `rmdir(2)`
    ///
    /// # Errors
    /// As there.
    pub fn rmdir(&self, start: Option<&Path>, path: &[u8]) -> Result {
        let parent = self.resolve_parent(start, path, LookupFlags::empty())?;
        match parent.kind {
            LastKind::Name => {}
            LastKind::Dot => return Err(EINVAL),
            LastKind::DotDot => return Err(ENOTEMPTY),
            LastKind::Root => return Err(EBUSY),
        }
        parent.dir.mount.check_writable()?;
        let victim = self.entry(&parent)?;
        self.may_delete(&parent.dir, &victim, Some(true))?;
        self.confined_remove(&parent.dir, FileType::Directory)?;
        if victim.is_mountpoint() {
            return Err(EBUSY);
        }
        self.remove(&parent, victim, |dir, name, _| dir.rmdir(name))
    }

    fn remove(&self, parent: &Parent<'_>, victim: Arc<Dentry>, how: impl FnOnce(&InodeRef, &[u8], Option<&InodeRef>) -> Result) -> Result {
        let names = lock_names([Some(&*parent.dir.dentry), Some(&*victim).filter(|v| v.is_dir()), None]);
        // What the name means may have changed before it was ours alone.
        let is_known = parent.dir.dentry.caches_children() && Arc::ptr_eq(&lookup::child_dentry(&parent.dir.dentry, &parent.name, &[])?, &victim);
        let change = Change::begin(&parent.dir.dentry);
        match how(parent.dir.inode(), &parent.name, is_known.then(|| victim.inode())) {
            Ok(()) => {
                retire(change.finish(&parent.name, None));
                victim.set_gone();
                victim.inode().names_changed();
                drop(names);
                let kind = victim.kind();
                if kind != FileType::Directory {
                    notify::inode(victim.inode(), notify::ATTRIB);
                }
                // The file goes before its directory is told, as on Linux.
                drop(victim);
                notify::entry(&parent.dir.dentry, &parent.name, kind, notify::DELETE);
                Ok(())
            }
            Err(error) => {
                change.failed(&parent.name);
                Err(error)
            }
        }
    }

    /// `renameat2(2)`
    ///
    /// # Errors
    /// As there.
    pub fn rename(&self, old: (Option<&Path>, &[u8]), new: (Option<&Path>, &[u8]), flags: RenameFlags) -> Result {
        let from = self.resolve_parent(old.0, old.1, LookupFlags::empty())?;
        let to = self.resolve_parent(new.0, new.1, LookupFlags::empty())?;
        if !Arc::ptr_eq(&from.dir.mount, &to.dir.mount) {
            return Err(EXDEV);
        }
        if from.kind != LastKind::Name {
            return Err(EBUSY);
        }
        if to.kind != LastKind::Name {
            return Err(if flags.contains(RenameFlags::NOREPLACE) { EEXIST } else { EBUSY });
        }
        from.dir.mount.check_writable()?;
        let across = !Arc::ptr_eq(&from.dir.dentry, &to.dir.dentry);
        let sb = from.dir.mount.sb.clone();
        let _tree = if across { Some(sb.rename.lock()) } else { None };

        let moved = self.entry(&from)?;
        let target = match self.entry(&to) {
            Ok(found) if to.dir.dentry.caches_children() || found.inode().attr().is_ok() => Some(found),
            Ok(_) | Err(ENOENT) => None,
            Err(error) => return Err(error),
        };
        self.check_rename(&from, &to, &moved, target.as_ref(), flags)?;
        if let Some(target) = &target {
            if same_inode(moved.inode(), target.inode())? {
                // Two names of one file: nothing happens (rename(2)).
                return Ok(());
            }
        }
        self.carry_out_rename(&from, &to, &moved, target, flags)
    }

    fn check_rename(&self, from: &Parent<'_>, to: &Parent<'_>, moved: &Arc<Dentry>, target: Option<&Arc<Dentry>>, flags: RenameFlags) -> Result {
        let exchange = flags.contains(RenameFlags::EXCHANGE);
        match target {
            Some(_) if flags.contains(RenameFlags::NOREPLACE) => return Err(EEXIST),
            None if exchange => return Err(ENOENT),
            Some(target) if exchange && !target.is_dir() && to.trailing_slash => return Err(ENOTDIR),
            _ => {}
        }
        if !moved.is_dir() && (from.trailing_slash || (to.trailing_slash && !exchange)) {
            return Err(ENOTDIR);
        }
        // A directory does not go below itself, nor can its ancestor be replaced by it.
        if to.dir.dentry.is_within(moved) {
            return Err(EINVAL);
        }
        if let Some(target) = target {
            if from.dir.dentry.is_within(target) {
                return Err(if exchange { EINVAL } else { ENOTEMPTY });
            }
        }
        self.may_delete(&from.dir, moved, None)?;
        match target {
            None => self.may_create(&to.dir)?,
            Some(target) if exchange => self.may_delete(&to.dir, target, None)?,
            Some(target) => self.may_delete(&to.dir, target, Some(moved.is_dir()))?,
        }
        // A directory that changes its parent is itself changed (its "..").
        if !Arc::ptr_eq(&from.dir.dentry, &to.dir.dentry) {
            if moved.is_dir() {
                self.check(moved.inode(), MAY_WRITE)?;
            }
            if let (Some(target), true) = (target, exchange) {
                if target.is_dir() {
                    self.check(target.inode(), MAY_WRITE)?;
                }
            }
        }
        let replaced = target.map(|target| target.kind());
        self.confined_move(&Move { from: &from.dir, to: &to.dir, kind: moved.kind(), leaves: true, replaced, exchange })?;
        if moved.is_mountpoint() || target.is_some_and(|t| t.is_mountpoint()) {
            return Err(EBUSY);
        }
        Ok(())
    }

    fn carry_out_rename(&self, from: &Parent<'_>, to: &Parent<'_>, moved: &Arc<Dentry>, target: Option<Arc<Dentry>>, flags: RenameFlags) -> Result {
        let exchange = flags.contains(RenameFlags::EXCHANGE);
        let across = !Arc::ptr_eq(&from.dir.dentry, &to.dir.dentry);
        let replaced = target.as_deref().filter(|target| target.is_dir());
        let _names = lock_names([Some(&*from.dir.dentry), Some(&*to.dir.dentry), replaced]);
        let change = Change::begin(&from.dir.dentry);
        let other_change = across.then(|| Change::begin(&to.dir.dentry));
        let outcome = from.dir.inode().rename(&from.name, to.dir.inode(), &to.name, flags);
        if let Err(error) = outcome {
            change.failed(&from.name);
            if let Some(change) = other_change {
                change.failed(&to.name);
            }
            return Err(error);
        }
        moved.set_location(&to.dir.dentry, &to.name);
        let left = if exchange { target.clone() } else { None };
        match (&target, exchange) {
            (Some(target), true) => target.set_location(&from.dir.dentry, &from.name),
            (Some(target), false) => {
                target.set_gone();
                target.inode().names_changed();
            }
            (None, _) => {}
        }
        match other_change {
            Some(other) => {
                let _ = change.finish(&from.name, left);
                let _ = other.finish(&to.name, Some(moved.clone()));
            }
            None => change.finish_two((&from.name, left), (&to.name, Some(moved.clone()))),
        }
        let (old, new) = ((&from.dir.dentry, &*from.name), (&to.dir.dentry, &*to.name));
        notify::moved(old, new, moved);
        match &target {
            Some(target) if exchange => notify::moved(new, old, target),
            Some(target) if !target.is_dir() => notify::inode(target.inode(), notify::ATTRIB),
            _ => {}
        }
        Ok(())
    }

    /// `fchmodat(2)`
    ///
    /// # Errors
    /// As there.
    pub fn chmod(&self, place: &Path, mode: u32) -> Result {
        place.mount.check_writable()?;
        self.chmod_inode(place.inode(), mode)
    }

    /// Changes the permission bits of an inode.
    ///
    /// # Errors
    /// `EPERM` for anyone but its owner and who has `CAP_FOWNER`.
    pub fn chmod_inode(&self, inode: &InodeRef, mode: u32) -> Result {
        let attr = inode.attr()?;
        if !self.owns(&attr) {
            return Err(EPERM);
        }
        let mut mode = mode & 0o7777;
        if !self.creds.has_over(Capability::FSETID, attr.uid, attr.gid) && !self.creds.in_group(attr.gid) {
            mode &= !0o2000;
        }
        inode.set_attr(&SetAttr { mode: Some(mode), ctime_ns: Some(super::now_ns()), ..SetAttr::default() })
    }

    fn owns(&self, attr: &Attr) -> bool {
        self.creds.owns(attr.uid)
    }

    /// Changes owner and group of an inode (`fchownat(2)`); `u32::MAX` keeps an id.
    ///
    /// # Errors
    /// `EPERM`.
    pub fn chown_inode(&self, inode: &InodeRef, uid: u32, gid: u32) -> Result {
        let attr = inode.attr()?;
        let uid = (uid != u32::MAX).then_some(uid);
        let gid = (gid != u32::MAX).then_some(gid);
        if !self.creds.has_over(Capability::CHOWN, attr.uid, attr.gid) {
            let owner = self.creds.fsuid == attr.uid;
            if uid.is_some_and(|uid| !owner || uid != attr.uid) || gid.is_some_and(|gid| !owner || (gid != attr.gid && !self.creds.in_group(gid))) {
                return Err(EPERM);
            }
        }
        // Programs lose their privileges with their owner, even when root changes it (chown(2)).
        inode.drop_capabilities()?;
        let mut mode = None;
        if attr.file_type() != FileType::Directory && attr.mode & 0o6000 != 0 {
            let mut new = attr.mode & !0o4000;
            if attr.mode & 0o010 != 0 {
                new &= !0o2000;
            }
            mode = Some(new & 0o7777);
        }
        inode.set_attr(&SetAttr { uid, gid, mode, ctime_ns: Some(super::now_ns()), ..SetAttr::default() })
    }

    /// `truncate(2)`
    ///
    /// # Errors
    /// As there.
    pub fn truncate(&self, place: &Path, len: u64) -> Result {
        match place.inode().attr()?.file_type() {
            FileType::Directory => return Err(EISDIR),
            FileType::Regular => {}
            _ => return Err(EINVAL),
        }
        place.mount.check_writable()?;
        self.check(place.inode(), MAY_WRITE)?;
        self.confined(place, AccessFs::TRUNCATE)?;
        let _writing = super::text::Writing::begin(place)?;
        super::lease::break_for(place.inode(), true, true)?;
        super::generic::limit_size(len)?;
        drop_privileges(&self.creds, place.inode())?;
        let now = super::now_ns();
        place.inode().set_attr(&SetAttr { size: Some(len), mtime_ns: Some(now), ctime_ns: Some(now), ..SetAttr::default() })
    }

    /// `utimensat(2)` on an inode seen through `mount_path` (where it has one).
    ///
    /// # Errors
    /// As there.
    pub fn set_times(&self, inode: &InodeRef, atime: NewTime, mtime: NewTime) -> Result {
        if atime == NewTime::Keep && mtime == NewTime::Keep {
            return Ok(());
        }
        let attr = inode.attr()?;
        if !self.owns(&attr) {
            // Setting both to now is allowed to whoever may write.
            if (atime, mtime) != (NewTime::Now, NewTime::Now) {
                return Err(EPERM);
            }
            self.check(inode, MAY_WRITE)?;
        }
        let now = super::now_ns();
        let value = |time| match time {
            NewTime::Keep => None,
            NewTime::Now => Some(now),
            NewTime::At(at) => Some(at),
        };
        super::file::note_change();
        inode.set_attr(&SetAttr { atime_ns: value(atime), mtime_ns: value(mtime), ctime_ns: Some(now), ..SetAttr::default() })
    }
}
