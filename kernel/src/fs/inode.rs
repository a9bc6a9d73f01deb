//! Inodes: what a filesystem (in the kernel or a daemon behind a scheme) gives to path lookup.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;

use bitflags::bitflags;

use super::file::{FileOps, OpenFile, OpenFlags};
use super::handle::FileHandle;
use super::stat::{Attr, FileType, StatFs};
use crate::error::*;
use crate::task::Credentials;

/// The extended attribute that holds a program's capabilities.
pub const CAPABILITIES: &[u8] = b"security.capability";

/// A shared inode.
pub type InodeRef = Arc<dyn Inode>;

bitflags! {
    /// Flags of `renameat2(2)`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct RenameFlags: u32 {
        #[allow(missing_docs)] const NOREPLACE = 1;
        #[allow(missing_docs)] const EXCHANGE = 2;
    }
}

/// Which attributes to change. Permission was checked by the caller.
#[derive(Clone, Copy, Debug, Default)]
pub struct SetAttr {
    /// Permission bits (07777).
    pub mode: Option<u32>,
    #[allow(missing_docs)]
    pub uid: Option<u32>,
    #[allow(missing_docs)]
    pub gid: Option<u32>,
    /// New size: truncates or grows.
    pub size: Option<u64>,
    #[allow(missing_docs)]
    pub atime_ns: Option<i64>,
    #[allow(missing_docs)]
    pub mtime_ns: Option<i64>,
    /// Set by the caller along with any of the others.
    pub ctime_ns: Option<i64>,
}

/// Receives directory entries; returns `false` when full. Arguments: inode number, cookie of the entry after this one, type, name.
pub type DirSink<'a> = dyn FnMut(u64, u64, Option<FileType>, &[u8]) -> bool + 'a;

/// A file, directory or other object of a filesystem. Names are raw bytes without `/`, never `.` or `..` (path lookup handles those).
/// Permissions are checked by the callers in path lookup, not here.
pub trait Inode: Send + Sync + Any {
    /// Attributes.
    fn attr(&self) -> Result<Attr>;

    /// Attributes as far as they are known here; `None` where only a daemon could tell. Never waits.
    fn known_attr(&self) -> Option<Attr> {
        self.attr().ok()
    }

    /// Mode (with type bits), owner and group, quickly, for permission checks.
    fn owner_mode(&self) -> Result<(u32, u32, u32)> {
        self.attr().map(|a| (a.mode, a.uid, a.gid))
    }

    /// The file type, quickly; by default from [`Inode::attr`].
    fn file_type(&self) -> FileType {
        self.attr().map(|a| a.file_type()).unwrap_or(FileType::Regular)
    }

    /// Changes attributes.
    fn set_attr(&self, _change: &SetAttr) -> Result {
        Err(EPERM)
    }

    /// Finds a directory entry. `ENOENT` where there is none.
    fn lookup(&self, _name: &[u8]) -> Result<InodeRef> {
        Err(ENOTDIR)
    }

    /// Opens the object in one request, without the caller's checks of existence, type and permission before (the server makes them): also `O_CREAT`,
    /// `O_EXCL`, `O_TRUNC` and `O_DIRECTORY`, with `mode` (umask applied). The result may be a description shared with the server. `None`: open it in the
    /// ordinary way. Asked before all else, also where the last component was found with `O_CREAT|O_EXCL`.
    ///
    /// In an ordinary scheme `lookup` makes a node for any name without asking, of type directory, since that cannot be known without a request: a
    /// whole path costs this one request.
    fn open_whole(self: Arc<Self>, _flags: OpenFlags, _mode: u32, _who: &Credentials, _path: &crate::fs::Path) -> Option<Result<Arc<OpenFile>>> {
        None
    }

    /// Finds several names below each other at once: `path` is two or more names joined by `/` (none is `.` or `..`), the first in this
    /// directory. `None` where the filesystem cannot do that. The answer holds an inode for each name from the first on; it may stop early only at a name that
    /// is missing, or after an inode that is no directory. Only asked where [`Inode::cacheable`]; an empty answer means that the first name is missing.
    fn lookup_many(&self, _path: &[u8]) -> Option<Result<Vec<InodeRef>>> {
        None
    }

    /// Whether path lookup may remember what [`Inode::lookup`] said (also "not there"). Views such as `/proc` say no.
    fn cacheable(&self) -> bool {
        false
    }

    /// Makes a regular file, directory, FIFO, socket or device node; `mode` holds type and permissions (umask applied).
    fn create(&self, _name: &[u8], _mode: u32, _rdev: u64, _who: &Credentials) -> Result<InodeRef> {
        Err(EPERM)
    }

    /// Makes a regular file without a name (`O_TMPFILE`). Where `linkable`, [`Inode::link`] may give it one later.
    fn tmpfile(&self, _mode: u32, _who: &Credentials, _linkable: bool) -> Result<InodeRef> {
        Err(EOPNOTSUPP)
    }

    /// Makes a symbolic link.
    fn symlink(&self, _name: &[u8], _target: &[u8], _who: &Credentials) -> Result<InodeRef> {
        Err(EPERM)
    }

    /// Makes a hard link to `target`, an inode of the same filesystem.
    fn link(&self, _name: &[u8], _target: &InodeRef) -> Result {
        Err(EPERM)
    }

    /// Removes a name that is no directory.
    fn unlink(&self, _name: &[u8]) -> Result {
        Err(EPERM)
    }

    /// As [`Inode::unlink`], of a name that is known to mean `victim`. The caller holds the directory's names.
    fn unlink_known(&self, name: &[u8], _victim: &InodeRef) -> Result {
        self.unlink(name)
    }

    /// Removes an empty directory.
    fn rmdir(&self, _name: &[u8]) -> Result {
        Err(EPERM)
    }

    /// Moves `name` to `new_name` in `new_dir`, a directory of the same filesystem.
    fn rename(&self, _name: &[u8], _new_dir: &InodeRef, _new_name: &[u8], _flags: RenameFlags) -> Result {
        Err(EPERM)
    }

    /// A name of this inode is gone: `unlink`, `rmdir` or a `rename` over it succeeded in its directory. Called by those who called that, so that link counts
    /// stay true without a look-up.
    fn names_changed(&self) {}

    /// The target of a symbolic link.
    fn read_link(&self) -> Result<Vec<u8>> {
        Err(EINVAL)
    }

    /// A "magic" link such as `/proc/self/fd/3` or `/proc/self/exe` that leads to an object, not to a name.
    fn magic_link(&self) -> Option<Result<crate::fs::Path>> {
        None
    }

    /// Opens it. `flags` have been checked against permissions; `O_TRUNC` is done by the caller afterwards.
    /// Not called for FIFOs, nor for device nodes whose number a driver in the kernel has registered.
    fn open(self: Arc<Self>, flags: OpenFlags) -> Result<Arc<dyn FileOps>>;

    /// The file was read at `now_ns` through a mount that keeps access times, and the stored one is due for a change.
    fn accessed(&self, _now_ns: i64) {}

    /// An extended attribute (`getxattr(2)`): its whole value.
    fn get_xattr(&self, _name: &[u8]) -> Result<Vec<u8>> {
        Err(EOPNOTSUPP)
    }

    /// Sets an extended attribute; `flags`: XATTR_CREATE 1, XATTR_REPLACE 2.
    fn set_xattr(&self, _name: &[u8], _value: &[u8], _flags: u32) -> Result {
        Err(EOPNOTSUPP)
    }

    /// Removes an extended attribute.
    fn remove_xattr(&self, _name: &[u8]) -> Result {
        Err(EOPNOTSUPP)
    }

    /// Whether it has the extended attribute [`CAPABILITIES`]; asked at each write.
    fn has_capabilities(&self) -> bool {
        false
    }

    /// Takes a program's capabilities away, as its content or owner changes.
    ///
    /// # Errors
    /// The filesystem's.
    fn drop_capabilities(&self) -> Result {
        if !self.has_capabilities() {
            return Ok(());
        }
        match self.remove_xattr(CAPABILITIES) {
            // Another writer was quicker.
            Err(ENODATA) => Ok(()),
            other => other,
        }
    }

    /// The names of all extended attributes.
    fn list_xattr(&self) -> Result<Vec<Vec<u8>>> {
        Ok(Vec::new())
    }

    /// What names it for good.
    ///
    /// # Errors
    /// `EOPNOTSUPP` where the filesystem has no such names.
    fn file_handle(self: Arc<Self>) -> Result<FileHandle> {
        Err(EOPNOTSUPP)
    }

    /// The inode that a handle names; asked of any inode of the same filesystem. Every error means that it is gone, but for `EINTR`.
    fn by_handle(&self, _handle: FileHandle) -> Result<InodeRef> {
        Err(ESTALE)
    }

    /// When it was made, where the filesystem knows.
    fn birth_ns(&self) -> Option<i64> {
        None
    }

    /// `statfs(2)`.
    fn statfs(&self) -> Result<StatFs> {
        Ok(StatFs::default())
    }

    /// Writes everything of the whole filesystem out (`sync(2)`).
    fn sync_fs(&self) -> Result {
        Ok(())
    }

    /// An absolute description for objects without a name.
    fn describe(&self) -> String {
        String::from("inode")
    }

    /// For down-casting.
    fn as_any(&self) -> &dyn Any;
}
