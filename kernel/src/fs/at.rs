//! The `*at` system calls' way of naming a file: a directory descriptor, a path, flags.

use alloc::sync::Arc;

use super::file::OpenFile;
use super::inode::InodeRef;
use super::lookup::{Caller, LookupFlags};
use super::path::Path;
use super::stat::Attr;
use crate::error::*;
use crate::task::Process;

/// The working directory instead of a descriptor.
pub const AT_FDCWD: i32 = -100;
#[allow(missing_docs)]
pub const AT_SYMLINK_NOFOLLOW: u32 = 0x100;
#[allow(missing_docs)]
pub const AT_EACCESS: u32 = 0x200;
#[allow(missing_docs)]
pub const AT_REMOVEDIR: u32 = 0x200;
#[allow(missing_docs)]
pub const AT_SYMLINK_FOLLOW: u32 = 0x400;
#[allow(missing_docs)]
pub const AT_EMPTY_PATH: u32 = 0x1000;

/// Where a relative `path` starts: `None` for the working directory. `dirfd` is not looked at for absolute paths.
///
/// # Errors
/// `EBADF`; `ENOTDIR` for files without a place.
pub fn start(process: &Process, dirfd: i32, path: &[u8]) -> Result<Option<Path>> {
    if path.first() == Some(&b'/') || dirfd == AT_FDCWD {
        return Ok(None);
    }
    let file = process.files().get(dirfd)?;
    file.path.clone().map(Some).ok_or(ENOTDIR)
}

fn lookup_flags(flags: u32) -> LookupFlags {
    let mut lookup = LookupFlags::empty();
    lookup.set(LookupFlags::FOLLOW, flags & AT_SYMLINK_NOFOLLOW == 0);
    lookup.set(LookupFlags::EMPTY, flags & AT_EMPTY_PATH != 0);
    lookup
}

/// The place a path means, with `AT_SYMLINK_NOFOLLOW` and `AT_EMPTY_PATH`.
///
/// # Errors
/// Those of `path_resolution(7)`; `EBADF`.
pub fn resolve_at(process: &Process, dirfd: i32, path: &[u8], flags: u32) -> Result<Path> {
    Caller::of(process).resolve(start(process, dirfd, path)?.as_ref(), path, lookup_flags(flags))
}

/// What an `*at` call works on.
pub enum Target {
    /// Something with a name.
    Place(Path),
    /// The file behind the descriptor itself (`AT_EMPTY_PATH`).
    File(Arc<OpenFile>),
}

/// As [`resolve_at`], but with the empty path also a descriptor of a file without a place, such as a pipe.
///
/// # Errors
/// As [`resolve_at`].
pub fn target(process: &Process, dirfd: i32, path: &[u8], flags: u32) -> Result<Target> {
    if path.is_empty() && flags & AT_EMPTY_PATH != 0 && dirfd != AT_FDCWD {
        return process.files().get(dirfd).map(Target::File);
    }
    resolve_at(process, dirfd, path, flags).map(Target::Place)
}

impl Target {
    /// Its attributes.
    ///
    /// # Errors
    /// The filesystem's.
    pub fn attr(&self) -> Result<Attr> {
        match self {
            Self::Place(place) => place.inode().attr(),
            Self::File(file) => file.attr(),
        }
    }

    /// Its inode.
    ///
    /// # Errors
    /// `EINVAL` for files without one.
    pub fn inode(&self) -> Result<InodeRef> {
        match self {
            Self::Place(place) => Ok(place.inode().clone()),
            Self::File(file) => match &file.path {
                Some(path) => Ok(path.inode().clone()),
                None => file.ops.inode().ok_or(EINVAL),
            },
        }
    }

    /// Where it is, if anywhere.
    pub fn place(&self) -> Option<&Path> {
        match self {
            Self::Place(place) => Some(place),
            Self::File(file) => file.path.as_ref(),
        }
    }

    /// `EROFS` where it is on a read-only mount.
    ///
    /// # Errors
    /// That.
    pub fn check_writable(&self) -> Result {
        self.place().map_or(Ok(()), |place| place.mount.check_writable())
    }
}
