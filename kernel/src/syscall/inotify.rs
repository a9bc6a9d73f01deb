//! `inotify(7)`.

use call_flags::names;

use super::Cx;
use crate::error::*;
use crate::fs::at::{self, AT_FDCWD, AT_SYMLINK_NOFOLLOW};
use crate::fs::lookup::MAY_READ;
use crate::fs::{Caller, FdFlags, FileType, OpenFile, OpenFlags};
use crate::ipc::inotify::Inotify;
use crate::user;

const IN_ONLYDIR: u32 = 0x100_0000;
const IN_DONT_FOLLOW: u32 = 0x200_0000;
const IN_MASK_CREATE: u32 = 0x1000_0000;
const IN_MASK_ADD: u32 = 0x2000_0000;

/// inotify_init(2)
pub fn sys_inotify_init(cx: &Cx<'_>) -> Result<usize> {
    sys_inotify_init1(cx, 0)
}

/// inotify_init1(2): IN_CLOEXEC, IN_NONBLOCK.
pub fn sys_inotify_init1(cx: &Cx<'_>, flags: u32) -> Result<usize> {
    names::INOTIFY_INIT1.check(flags)?;
    let flags = OpenFlags::from_bits_retain(flags);
    let inotify = Inotify::new(cx.thread.creds().uid)?;
    let file = OpenFile::new(inotify, flags & OpenFlags::NONBLOCK);
    let fd_flags = if flags.contains(OpenFlags::CLOEXEC) { FdFlags::CLOEXEC } else { FdFlags::empty() };
    cx.process.files().insert(file, fd_flags).map(|fd| fd as usize)
}

/// inotify_add_watch(2)
pub fn sys_inotify_add_watch(cx: &Cx<'_>, fd: i32, path: usize, mask: u32) -> Result<usize> {
    names::INOTIFY_ADD_WATCH.check(mask)?;
    if mask == 0 || mask & (IN_MASK_ADD | IN_MASK_CREATE) == IN_MASK_ADD | IN_MASK_CREATE {
        return Err(EINVAL);
    }
    let file = cx.process.files().get_real(fd)?;
    let inotify = file.downcast::<Inotify>().ok_or(EINVAL)?;
    let path = user::read_path(path)?;
    let follow = if mask & IN_DONT_FOLLOW != 0 { AT_SYMLINK_NOFOLLOW } else { 0 };
    let place = at::resolve_at(cx.process, AT_FDCWD, &path, follow)?;
    if mask & IN_ONLYDIR != 0 && place.inode().attr()?.file_type() != FileType::Directory {
        return Err(ENOTDIR);
    }
    Caller::of(cx.process).check(place.inode(), MAY_READ)?;
    inotify.watch(place.inode(), mask).map(|wd| wd as usize)
}

/// inotify_rm_watch(2)
pub fn sys_inotify_rm_watch(cx: &Cx<'_>, fd: i32, wd: i32) -> Result<usize> {
    let file = cx.process.files().get_real(fd)?;
    file.downcast::<Inotify>().ok_or(EINVAL)?.unwatch(wd).map(|()| 0)
}
