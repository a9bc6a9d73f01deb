//! `fanotify(7)`: `fanotify_init(2)`, `fanotify_mark(2)`.

use call_flags::names;

use super::Cx;
use crate::error::*;
use crate::fs::at::{self, AT_SYMLINK_NOFOLLOW};
use crate::fs::lookup::MAY_READ;
use crate::fs::{Caller, FdFlags, FileType, OpenFile, OpenFlags, Path, notify};
use crate::ipc::fanotify::{Group, ON_CHILD, PERMISSIONS, Settings, Subject, SubjectKind};
use crate::task::Capability;
use crate::user;

/// `FAN_CLOEXEC` and so on.
mod init {
    pub const CLOEXEC: u32 = 1;
    pub const NONBLOCK: u32 = 2;
    pub const CLASSES: u32 = 0xc;
    pub const UNLIMITED_QUEUE: u32 = 0x10;
    pub const UNLIMITED_MARKS: u32 = 0x20;
    pub const REPORT_TID: u32 = 0x100;
}

/// `FAN_MARK_ADD` and so on.
mod mark {
    pub const ADD: u32 = 1;
    pub const REMOVE: u32 = 2;
    pub const DONT_FOLLOW: u32 = 4;
    pub const ONLYDIR: u32 = 8;
    pub const MOUNT: u32 = 0x10;
    pub const IGNORED: u32 = 0x20;
    pub const SURVIVES: u32 = 0x40;
    pub const FLUSH: u32 = 0x80;
    pub const FILESYSTEM: u32 = 0x100;
    pub const EVICTABLE: u32 = 0x200;
}

/// fanotify_init(2)
pub fn sys_fanotify_init(cx: &Cx<'_>, flags: u32, event_flags: u32) -> Result<usize> {
    if !cx.thread.has(Capability::SYS_ADMIN) {
        return Err(EPERM);
    }
    names::FANOTIFY_INIT.check(flags)?;
    names::FANOTIFY_EVENT_FILE.check(event_flags)?;
    if event_flags & 3 == 3 || flags & init::CLASSES == init::CLASSES {
        return Err(EINVAL);
    }
    let open_flags = OpenFlags::from_bits_retain(event_flags);
    let settings = Settings {
        is_asked: flags & init::CLASSES != 0,
        unlimited_queue: flags & init::UNLIMITED_QUEUE != 0,
        unlimited_marks: flags & init::UNLIMITED_MARKS != 0,
        reports_thread: flags & init::REPORT_TID != 0,
        flags,
        open_flags: open_flags - OpenFlags::CLOEXEC,
        close_on_exec: open_flags.contains(OpenFlags::CLOEXEC),
    };
    let group = Group::new(settings, cx.thread.creds().uid)?;
    let status = if flags & init::NONBLOCK != 0 { OpenFlags::RDWR | OpenFlags::NONBLOCK } else { OpenFlags::RDWR };
    let fd_flags = if flags & init::CLOEXEC != 0 { FdFlags::CLOEXEC } else { FdFlags::empty() };
    cx.process.files().insert(OpenFile::new(group, status), fd_flags).map(|fd| fd as usize)
}

/// fanotify_mark(2)
pub fn sys_fanotify_mark(cx: &Cx<'_>, fd: i32, flags: u32, mask: u64, dirfd: i32, path: usize) -> Result<usize> {
    if mask >> 32 != 0 {
        return Err(EINVAL);
    }
    names::FANOTIFY_MARK.check(flags)?;
    let kind = match flags & (mark::MOUNT | mark::FILESYSTEM) {
        0 => SubjectKind::Inode,
        mark::MOUNT => SubjectKind::Mount,
        mark::FILESYSTEM => SubjectKind::Filesystem,
        _ => return Err(EINVAL),
    };
    let command = flags & (mark::ADD | mark::REMOVE | mark::FLUSH);
    match command {
        mark::ADD | mark::REMOVE if mask != 0 => {}
        mark::FLUSH if flags & !(mark::MOUNT | mark::FILESYSTEM | mark::FLUSH) == 0 => {}
        _ => return Err(EINVAL),
    }
    names::FANOTIFY_EVENTS.check(mask)?;
    let file = cx.process.files().get_real(fd)?;
    let group = file.downcast::<Group>().ok_or(EINVAL)?;
    if mask & PERMISSIONS != 0 && !group.is_asked() {
        return Err(EINVAL);
    }
    if flags & mark::EVICTABLE != 0 && kind != SubjectKind::Inode {
        return Err(EINVAL);
    }
    if command == mark::FLUSH {
        group.flush(kind);
        return Ok(0);
    }
    let place = find(cx, flags, dirfd, path)?;
    Caller::of(cx.process).check(place.inode(), MAY_READ)?;
    let is_directory = place.inode().file_type() == FileType::Directory;
    let mask = if kind != SubjectKind::Inode || !is_directory { mask & !ON_CHILD } else { mask };
    let subject = match kind {
        SubjectKind::Inode => Subject::Inode(notify::key_of(place.inode())?, place.inode().clone()),
        SubjectKind::Mount => Subject::Mount(place.mount.clone()),
        SubjectKind::Filesystem => Subject::Filesystem(place.mount.sb.clone()),
    };
    let ignored = flags & mark::IGNORED != 0;
    if command == mark::ADD {
        group.add_mark(subject, mask, ignored, flags & mark::SURVIVES != 0)?;
    } else {
        group.remove_mark(&subject, mask, ignored)?;
    }
    Ok(0)
}

/// What the mark is to be on: without a path, the descriptor's file.
fn find(cx: &Cx<'_>, flags: u32, dirfd: i32, path: usize) -> Result<Path> {
    let place = if path == 0 {
        cx.process.files().get(dirfd)?.path.clone().ok_or(EINVAL)?
    } else {
        let follow = if flags & mark::DONT_FOLLOW != 0 { AT_SYMLINK_NOFOLLOW } else { 0 };
        at::resolve_at(cx.process, dirfd, &user::read_path(path)?, follow)?
    };
    if flags & mark::ONLYDIR != 0 && place.inode().file_type() != FileType::Directory {
        return Err(ENOTDIR);
    }
    Ok(place)
}
