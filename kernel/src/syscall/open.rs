//! Opening, closing and duplicating descriptors.

use call_flags::files as flag_sets;

use super::Cx;
use crate::error::*;
use crate::fs::{self, Caller, FdFlags, LookupFlags, OpenFile, OpenFlags, at};
use crate::user;
use alloc::sync::Arc;

const O_DIRECTORY: u32 = OpenFlags::DIRECTORY.bits();
const O_CREAT: u32 = OpenFlags::CREAT.bits();
/// The bit that makes `O_TMPFILE` different from `O_DIRECTORY`.
const TMPFILE_BIT: u32 = OpenFlags::TMPFILE.bits() & !O_DIRECTORY;

pub(super) fn fd_flags(flags: OpenFlags) -> FdFlags {
    if flags.contains(OpenFlags::CLOEXEC) { FdFlags::CLOEXEC } else { FdFlags::empty() }
}

fn check_tmpfile(flags: u32) -> Result {
    if flags & TMPFILE_BIT == 0 {
        return Ok(());
    }
    if flags & (TMPFILE_BIT | O_DIRECTORY | O_CREAT) != TMPFILE_BIT | O_DIRECTORY || flags & 3 == 0 {
        return Err(EINVAL);
    }
    Ok(())
}

fn do_open(cx: &Cx<'_>, dirfd: i32, path: usize, flags: OpenFlags, mode: u32, resolve: LookupFlags) -> Result<usize> {
    let path = user::read_path(path)?;
    let files = cx.process.files();
    files.check_room()?;
    let start = at::start(cx.process, dirfd, &path)?;
    let file = Caller::of(cx.process).open(start.as_ref(), &path, flags, mode, resolve)?;
    files.insert(file, fd_flags(flags)).map(|fd| fd as usize)
}

/// The flags of `open`, `openat` and `open_by_handle_at`, which ignore what they do not know.
pub(super) fn lenient(flags: u32) -> Result<OpenFlags> {
    let mut flags = flags & flag_sets::OPEN.accepted() as u32 & !OpenFlags::LARGEFILE.bits();
    if flags & OpenFlags::PATH.bits() != 0 {
        flags &= (OpenFlags::DIRECTORY | OpenFlags::NOFOLLOW | OpenFlags::PATH | OpenFlags::CLOEXEC).bits();
    } else {
        flags |= OpenFlags::LARGEFILE.bits();
    }
    check_tmpfile(flags)?;
    Ok(OpenFlags::from_bits_retain(flags))
}

/// open(2)
pub fn sys_open(cx: &Cx<'_>, path: usize, flags: u32, mode: u32) -> Result<usize> {
    do_open(cx, fs::AT_FDCWD, path, lenient(flags)?, mode & 0o7777, LookupFlags::empty())
}

/// openat(2)
pub fn sys_openat(cx: &Cx<'_>, dirfd: i32, path: usize, flags: u32, mode: u32) -> Result<usize> {
    do_open(cx, dirfd, path, lenient(flags)?, mode & 0o7777, LookupFlags::empty())
}

/// creat(2)
pub fn sys_creat(cx: &Cx<'_>, path: usize, mode: u32) -> Result<usize> {
    sys_open(cx, path, (OpenFlags::CREAT | OpenFlags::WRONLY | OpenFlags::TRUNC).bits(), mode)
}

/// openat2(2)
pub fn sys_openat2(cx: &Cx<'_>, dirfd: i32, path: usize, how: usize, size: usize) -> Result<usize> {
    const HOW_SIZE: usize = 24;
    if size < HOW_SIZE {
        return Err(EINVAL);
    }
    if size > 4096 {
        return Err(E2BIG);
    }
    let bytes = user::read_bytes(how, size)?;
    if bytes[HOW_SIZE..].iter().any(|b| *b != 0) {
        return Err(E2BIG);
    }
    let [flags, mode, resolve]: [u64; 3] = user::read(how)?;
    flag_sets::OPENAT2.check(flags)?;
    let flags = (flags & !flag_sets::NONOTIFY) as u32;
    if resolve & 0x18 == 0x18 {
        return Err(EINVAL);
    }
    let creates = flags & O_CREAT != 0 || flags & TMPFILE_BIT != 0;
    if mode & !0o7777 != 0 || (mode != 0 && !creates) {
        return Err(EINVAL);
    }
    let with_path = OpenFlags::DIRECTORY | OpenFlags::NOFOLLOW | OpenFlags::PATH | OpenFlags::CLOEXEC;
    if flags & OpenFlags::PATH.bits() != 0 && flags & !with_path.bits() != 0 {
        return Err(EINVAL);
    }
    check_tmpfile(flags)?;
    let mut lookup = LookupFlags::empty();
    for (bit, flag) in [
        (1, LookupFlags::NO_XDEV),
        (2, LookupFlags::NO_MAGICLINKS),
        (4, LookupFlags::NO_SYMLINKS),
        (8, LookupFlags::BENEATH),
        (16, LookupFlags::IN_ROOT),
    ] {
        lookup.set(flag, resolve & bit != 0);
    }
    flag_sets::OPENAT2_RESOLVE.check(resolve)?;
    let large = if flags & OpenFlags::PATH.bits() == 0 { OpenFlags::LARGEFILE.bits() } else { 0 };
    do_open(cx, dirfd, path, OpenFlags::from_bits_retain(flags | large), mode as u32, lookup)
}

/// close(2)
pub fn sys_close(cx: &Cx<'_>, fd: i32) -> Result<usize> {
    match cx.process.files().close(fd) {
        // The descriptor is free: a restarted close would hit another file.
        Err(error) if error.is_restart() => Err(EINTR),
        other => other.map(|()| 0),
    }
}

/// close_range(2)
pub fn sys_close_range(cx: &Cx<'_>, first: u32, last: u32, flags: u32) -> Result<usize> {
    const UNSHARE: u32 = 2;
    const CLOEXEC: u32 = 4;
    flag_sets::CLOSE_RANGE.check(flags)?;
    if first > last {
        return Err(EINVAL);
    }
    if flags & UNSHARE != 0 {
        cx.process.set_files(cx.process.files().fork());
    }
    let files = cx.process.files();
    if flags & CLOEXEC != 0 {
        files.cloexec_range(first, last);
    } else {
        files.close_range(first, last);
    }
    Ok(0)
}

/// dup(2)
pub fn sys_dup(cx: &Cx<'_>, fd: i32) -> Result<usize> {
    let files = cx.process.files();
    let file = files.get(fd)?;
    files.insert(file, FdFlags::empty()).map(|fd| fd as usize)
}

/// dup2(2)
pub fn sys_dup2(cx: &Cx<'_>, old: i32, new: i32) -> Result<usize> {
    let files = cx.process.files();
    let file = files.get(old)?;
    if old != new {
        files.replace(new, file, FdFlags::empty())?;
    }
    Ok(new as usize)
}

/// dup3(2)
pub fn sys_dup3(cx: &Cx<'_>, old: i32, new: i32, flags: u32) -> Result<usize> {
    flag_sets::DUP3.check(flags)?;
    if old == new {
        return Err(EINVAL);
    }
    let files = cx.process.files();
    files.replace(new, files.get(old)?, fd_flags(OpenFlags::from_bits_retain(flags)))?;
    Ok(new as usize)
}

/// memfd_create(2)
pub fn sys_memfd_create(cx: &Cx<'_>, name: usize, flags: u32) -> Result<usize> {
    const CLOEXEC: u32 = 1;
    const ALLOW_SEALING: u32 = 2;
    const NAME_MAX: usize = 249;
    flag_sets::MEMFD_CREATE.check(flags)?;
    let name = user::read_cstr(name, NAME_MAX + 1).map_err(|e| if e == ENAMETOOLONG { EINVAL } else { e })?;
    let inode = fs::tmpfs::memfd(&name, flags & ALLOW_SEALING != 0, &cx.thread.creds())?;
    let ops = Arc::new(fs::generic::CachedFile(inode));
    let file = OpenFile::new(ops, OpenFlags::RDWR | OpenFlags::LARGEFILE);
    let fd_flags = if flags & CLOEXEC != 0 { FdFlags::CLOEXEC } else { FdFlags::empty() };
    cx.process.files().insert(file, fd_flags).map(|fd| fd as usize)
}
