//! `open(2)`: from a path to an open file description.

use alloc::string::String;
use alloc::sync::Arc;
use core::any::Any;

use super::dcache::Change;
use super::dentry::{Dentry, lock_names};
use super::device;
use super::file::{Events, FileOps, OpenFile, OpenFlags};
use super::inode::{InodeRef, SetAttr};
use super::lease;
use super::lookup::{self, Caller, LastKind, LookupFlags, MAY_EXEC, MAY_READ, MAY_WRITE, Walk};
use super::mount::MountFlags;
use super::notify;
use super::path::Path;
use super::stat::{Attr, FileType, StatFs};
use super::text::Writing;
use crate::error::*;
use crate::ipc::fanotify;
use crate::sync::PollTable;

/// Flags that only matter while opening.
const CREATION: OpenFlags = OpenFlags::CREAT.union(OpenFlags::EXCL).union(OpenFlags::NOCTTY).union(OpenFlags::TRUNC).union(OpenFlags::CLOEXEC);

/// What an `O_PATH` descriptor refers to: a place, no open file.
struct PathFile(InodeRef);

impl FileOps for PathFile {
    fn attr(&self) -> Result<Attr> {
        self.0.attr()
    }

    fn poll(&self, _file: &OpenFile, _table: &mut PollTable<'_>) -> Events {
        Events::NVAL
    }

    fn statfs(&self) -> Result<StatFs> {
        self.0.statfs()
    }

    fn inode(&self) -> Option<InodeRef> {
        Some(self.0.clone())
    }

    fn describe(&self) -> String {
        self.0.describe()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Caller {
    /// Opens a path; `mode` is for a file that is made, before the umask.
    ///
    /// # Errors
    /// Those of `open(2)`.
    pub fn open(&self, start: Option<&Path>, path: &[u8], flags: OpenFlags, mode: u32, extra: LookupFlags) -> Result<Arc<OpenFile>> {
        let mut lookup = extra;
        if !flags.contains(OpenFlags::NOFOLLOW) {
            lookup |= LookupFlags::FOLLOW;
        }
        if flags.contains(OpenFlags::DIRECTORY) && !flags.contains(OpenFlags::TMPFILE) {
            lookup |= LookupFlags::DIRECTORY;
        }
        if flags.contains(OpenFlags::PATH) {
            let place = self.resolve(start, path, lookup - LookupFlags::DIRECTORY)?;
            return self.open_found(place, flags);
        }
        if flags.contains(OpenFlags::TMPFILE) {
            return self.open_tmpfile(start, path, flags, mode, lookup | LookupFlags::DIRECTORY);
        }
        if flags.contains(OpenFlags::CREAT) {
            return self.open_or_create(start, path, flags, mode, lookup - LookupFlags::DIRECTORY);
        }
        // Whether it must be a directory is checked when it is known what it is.
        let place = self.resolve(start, path, lookup - LookupFlags::DIRECTORY)?;
        self.open_place(place, flags, false)
    }

    fn is_directory(&self, place: &Path) -> bool {
        // A node of an ordinary scheme says what it is only when asked.
        place.inode().attr().map_or(place.dentry.is_dir(), |a| a.file_type() == FileType::Directory)
    }

    fn open_or_create(&self, start: Option<&Path>, path: &[u8], flags: OpenFlags, mode: u32, lookup: LookupFlags) -> Result<Arc<OpenFile>> {
        let mut walk = Walk::new(self, start, path, lookup)?;
        loop {
            walk.run(true)?;
            let (kind, name, trailing_slash) = walk.last();
            if kind != LastKind::Name {
                // With O_CREAT, a path that ends in ".", ".." or "/" can only mean a directory.
                return Err(if flags.contains(OpenFlags::EXCL) { EEXIST } else { EISDIR });
            }
            if trailing_slash {
                return Err(EISDIR);
            }
            let dir = walk.at.clone();
            match self.child(&dir, name) {
                Ok(found) => {
                    self.confined_open(&found, flags, false)?;
                    if let Some(result) = self.open_whole(&found, flags, mode) {
                        return result;
                    }
                    if flags.contains(OpenFlags::EXCL) {
                        return Err(EEXIST);
                    }
                    if found.dentry.kind() == FileType::Symlink {
                        if flags.contains(OpenFlags::NOFOLLOW) {
                            return Err(ELOOP);
                        }
                        let magic = found.inode().magic_link().is_some();
                        walk.follow(&found, true)?;
                        if magic {
                            return self.open_place(walk.at, flags - OpenFlags::CREAT, false);
                        }
                        continue;
                    }
                    return self.open_place(found, flags, false);
                }
                Err(ENOENT) => match self.create(&dir, name, FileType::Regular as u32 | mode & 0o7777, 0) {
                    Ok(made) => return self.open_place(made, flags, true),
                    // Somebody else made it first.
                    Err(EEXIST) if !flags.contains(OpenFlags::EXCL) => {}
                    Err(error) => return Err(error),
                },
                Err(error) => return Err(error),
            }
            // Look at the same name again.
            let path = name.to_vec();
            walk = Walk::new(self, Some(&dir), b".", lookup)?;
            walk.replace_path(path);
        }
    }

    /// The entry `name` of `dir`, with search permission.
    fn child(&self, dir: &Path, name: &[u8]) -> Result<Path> {
        if !dir.dentry.is_dir() {
            return Err(ENOTDIR);
        }
        self.check(dir.inode(), MAY_EXEC)?;
        if name.len() > lookup::NAME_MAX {
            return Err(ENAMETOOLONG);
        }
        lookup::child(dir, name, &[])
    }

    fn open_whole(&self, place: &Path, flags: OpenFlags, mode: u32) -> Option<Result<Arc<OpenFile>>> {
        place.inode().clone().open_whole(flags, mode & 0o7777 & !self.fs.umask(), &self.creds, place)
    }

    /// Opens what was found without a path (`open_by_handle_at(2)`). Nothing is created, and symbolic links are not followed.
    ///
    /// # Errors
    /// Those of `open(2)`.
    pub fn open_found(&self, place: Path, flags: OpenFlags) -> Result<Arc<OpenFile>> {
        if flags.contains(OpenFlags::PATH) {
            if flags.contains(OpenFlags::DIRECTORY) && !self.is_directory(&place) {
                return Err(ENOTDIR);
            }
            let ops = Arc::new(PathFile(place.inode().clone()));
            return Ok(OpenFile::with_path(ops, flags - CREATION, Some(place)));
        }
        self.open_place(place, flags, false)
    }

    /// Opens what is at a place. `made`: it is new, so its mode does not count yet.
    ///
    /// # Errors
    /// Those of `open(2)`.
    pub fn open_place(&self, place: Path, flags: OpenFlags, made: bool) -> Result<Arc<OpenFile>> {
        self.confined_open(&place, flags, made)?;
        if !made && !flags.contains(OpenFlags::CREAT) {
            if let Some(result) = self.open_whole(&place, flags, 0) {
                return result;
            }
        }
        let kind = place.dentry.kind();
        if flags.contains(OpenFlags::DIRECTORY) && kind != FileType::Directory {
            return Err(ENOTDIR);
        }
        let mut want = match flags.bits() & 3 {
            0 => MAY_READ,
            1 => MAY_WRITE,
            _ => MAY_READ | MAY_WRITE,
        };
        if flags.contains(OpenFlags::TRUNC) {
            want |= MAY_WRITE;
        }
        match kind {
            FileType::Symlink => return Err(ELOOP),
            FileType::Directory if want & MAY_WRITE != 0 || flags.contains(OpenFlags::CREAT) => return Err(EISDIR),
            FileType::CharDevice | FileType::BlockDevice if place.mount.flags().contains(MountFlags::NODEV) => return Err(EACCES),
            FileType::Regular | FileType::Directory if want & MAY_WRITE != 0 => place.mount.check_writable()?,
            _ => {}
        }
        if !made {
            self.check(place.inode(), want)?;
        }
        if flags.contains(OpenFlags::NOATIME) && !self.creds.owns(place.inode().owner_mode()?.1) {
            return Err(EPERM);
        }
        let changes = kind == FileType::Regular && (flags.writable() || flags.contains(OpenFlags::TRUNC));
        let writing = changes.then(|| Writing::begin(&place)).transpose()?;
        // A writer counts as one while it waits: who has the lease cannot take one for reading instead.
        if kind == FileType::Regular && !made {
            lease::break_for(place.inode(), changes, !flags.contains(OpenFlags::NONBLOCK))?;
        }
        let ops = self.open_inode(&place, kind, flags)?;
        let file = OpenFile::writing(ops, flags - CREATION, Some(place.clone()), writing.filter(|_| flags.writable()));
        if let Err(error) = fanotify::may(&file, fanotify::OPEN_PERM) {
            // It was not opened, so that it is not closed either.
            file.silence();
            return Err(error);
        }
        self.confine_size(&file);
        if flags.contains(OpenFlags::TRUNC) && kind == FileType::Regular && !made {
            let now = super::now_ns();
            let change = SetAttr { size: Some(0), mtime_ns: Some(now), ctime_ns: Some(now), ..SetAttr::default() };
            super::ops::drop_privileges(&self.creds, place.inode())?;
            place.inode().set_attr(&change).inspect_err(|_| file.silence())?;
            super::file::note_change();
        }
        let truncated = flags.contains(OpenFlags::TRUNC) && kind == FileType::Regular && !made;
        if truncated {
            notify::file(&file, notify::MODIFY);
        }
        notify::file(&file, notify::OPEN);
        Ok(file)
    }

    /// Opens what somebody is told of, for whom no permission of the file is needed, and of whose doings with it nobody is told.
    ///
    /// # Errors
    /// `EROFS`, `ETXTBSY`, the filesystem's.
    pub fn open_quietly(&self, place: &Path, flags: OpenFlags) -> Result<Arc<OpenFile>> {
        let kind = place.inode().file_type();
        let changes = kind == FileType::Regular && flags.writable();
        if changes {
            place.mount.check_writable()?;
        }
        if kind == FileType::Directory && flags.writable() {
            return Err(EISDIR);
        }
        let writing = changes.then(|| Writing::begin(place)).transpose()?;
        let file = OpenFile::writing(self.open_inode(place, kind, flags)?, flags, Some(place.clone()), writing);
        file.silence();
        Ok(file)
    }

    fn open_inode(&self, place: &Path, kind: FileType, flags: OpenFlags) -> Result<Arc<dyn FileOps>> {
        let inode = place.inode();
        match kind {
            FileType::Fifo => device::open_fifo(inode, flags),
            FileType::Socket => Err(ENXIO),
            FileType::CharDevice | FileType::BlockDevice => match device::open(kind, inode, inode.attr()?.rdev, flags) {
                Some(result) => result,
                None => inode.clone().open(flags),
            },
            _ => inode.clone().open(flags),
        }
    }

    fn open_tmpfile(&self, start: Option<&Path>, path: &[u8], flags: OpenFlags, mode: u32, lookup: LookupFlags) -> Result<Arc<OpenFile>> {
        if !flags.writable() {
            return Err(EINVAL);
        }
        let dir = self.resolve(start, path, lookup)?;
        dir.mount.check_writable()?;
        self.check(dir.inode(), MAY_WRITE | MAY_EXEC)?;
        let mode = mode & 0o7777 & !self.fs.umask();
        let inode = dir.inode().tmpfile(mode, &self.creds, !flags.contains(OpenFlags::EXCL))?;
        let name = alloc::format!("#{}", inode.attr()?.ino);
        let dentry = Dentry::child(&dir.dentry, name.as_bytes(), inode.clone());
        dentry.set_gone();
        let place = Path { mount: dir.mount, dentry };
        self.confined_open(&place, flags - OpenFlags::TRUNC, true)?;
        let writing = Writing::begin(&place)?;
        let ops = inode.open(flags)?;
        let file = OpenFile::writing(ops, flags - CREATION - OpenFlags::TMPFILE | OpenFlags::DIRECTORY, Some(place), Some(writing));
        self.confine_size(&file);
        Ok(file)
    }

    /// Makes an inode in `dir`; `mode` with type, before the umask.
    ///
    /// # Errors
    /// `EEXIST`, `EROFS`, `EACCES`, `ENOENT` in a removed directory, the filesystem's.
    pub fn create(&self, dir: &Path, name: &[u8], mode: u32, rdev: u64) -> Result<Path> {
        self.may_create(dir)?;
        self.confined_make(dir, FileType::from_mode(mode).unwrap_or(FileType::Regular))?;
        let mode = mode & 0o170000 | mode & 0o7777 & !self.fs.umask();
        let _names = lock_names([Some(&*dir.dentry), None, None]);
        lookup::still_free(&dir.dentry, name)?;
        let change = Change::begin(&dir.dentry);
        match dir.inode().create(name, mode, rdev, &self.creds) {
            Ok(inode) => {
                let dentry = Dentry::child(&dir.dentry, name, inode);
                let _ = change.finish(name, Some(dentry.clone()));
                notify::entry(&dir.dentry, name, dentry.kind(), notify::CREATE);
                Ok(Path { mount: dir.mount.clone(), dentry })
            }
            Err(error) => {
                change.failed(name);
                Err(error)
            }
        }
    }

    /// Whether entries may be made in `dir`.
    pub(super) fn may_create(&self, dir: &Path) -> Result {
        dir.mount.check_writable()?;
        if dir.dentry.is_gone() {
            return Err(ENOENT);
        }
        self.check(dir.inode(), MAY_WRITE | MAY_EXEC)
    }
}
