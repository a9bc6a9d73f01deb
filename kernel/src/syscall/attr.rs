//! Changing attributes and content as a whole: modes, owners, times, sizes, synchronisation, advice.

use call_flags::{names, transfer};

use super::Cx;
use crate::error::*;
use crate::fs::at::{self, AT_FDCWD, AT_SYMLINK_NOFOLLOW, Target};
use crate::fs::{Caller, FileType, NewTime, generic, mount, notify, pagecache};
use crate::user;

const PAGE: u64 = 4096;

/// Tells those who watch the file; gives the call's result.
pub(super) fn report(target: &Target, event: u32) -> usize {
    if let Some(place) = target.place() {
        notify::dentry(&place.dentry, event);
    }
    0
}

/// chmod(2)
pub fn sys_chmod(cx: &Cx<'_>, path: usize, mode: u32) -> Result<usize> {
    sys_fchmodat(cx, AT_FDCWD, path, mode)
}

/// fchmod(2)
pub fn sys_fchmod(cx: &Cx<'_>, fd: i32, mode: u32) -> Result<usize> {
    let target = Target::File(cx.real_file(fd)?);
    target.check_writable()?;
    Caller::of(cx.process).chmod_inode(&target.inode()?, mode)?;
    Ok(report(&target, notify::ATTRIB))
}

/// fchmodat(2), the system call without flags
pub fn sys_fchmodat(cx: &Cx<'_>, dirfd: i32, path: usize, mode: u32) -> Result<usize> {
    let path = user::read_path(path)?;
    let place = at::resolve_at(cx.process, dirfd, &path, 0)?;
    Caller::of(cx.process).chmod(&place, mode)?;
    notify::dentry(&place.dentry, notify::ATTRIB);
    Ok(0)
}

/// An owner and a group that were given, as the kernel knows them; `u32::MAX` stays.
///
/// # Errors
/// `EINVAL` for what stands for nothing in the caller's user namespace.
fn owners(cx: &Cx<'_>, uid: u32, gid: u32) -> Result<(u32, u32)> {
    let namespace = cx.thread.creds().user.clone();
    let uid = if uid == u32::MAX { uid } else { namespace.uid_in(uid).ok_or(EINVAL)? };
    let gid = if gid == u32::MAX { gid } else { namespace.gid_in(gid).ok_or(EINVAL)? };
    Ok((uid, gid))
}

/// chown(2)
pub fn sys_chown(cx: &Cx<'_>, path: usize, uid: u32, gid: u32) -> Result<usize> {
    sys_fchownat(cx, AT_FDCWD, path, uid, gid, 0)
}

/// lchown(2)
pub fn sys_lchown(cx: &Cx<'_>, path: usize, uid: u32, gid: u32) -> Result<usize> {
    sys_fchownat(cx, AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW)
}

/// fchown(2)
pub fn sys_fchown(cx: &Cx<'_>, fd: i32, uid: u32, gid: u32) -> Result<usize> {
    let target = Target::File(cx.real_file(fd)?);
    target.check_writable()?;
    let (uid, gid) = owners(cx, uid, gid)?;
    Caller::of(cx.process).chown_inode(&target.inode()?, uid, gid)?;
    Ok(report(&target, notify::ATTRIB))
}

/// fchownat(2)
pub fn sys_fchownat(cx: &Cx<'_>, dirfd: i32, path: usize, uid: u32, gid: u32, flags: u32) -> Result<usize> {
    names::FCHOWNAT.check(flags)?;
    let path = user::read_path(path)?;
    let target = at::target(cx.process, dirfd, &path, flags)?;
    target.check_writable()?;
    let (uid, gid) = owners(cx, uid, gid)?;
    Caller::of(cx.process).chown_inode(&target.inode()?, uid, gid)?;
    Ok(report(&target, notify::ATTRIB))
}

fn set_times(cx: &Cx<'_>, target: &Target, times: (NewTime, NewTime)) -> Result<usize> {
    target.check_writable()?;
    Caller::of(cx.process).set_times(&target.inode()?, times.0, times.1)?;
    let event = match times {
        (NewTime::Keep, NewTime::Keep) => return Ok(0),
        (_, NewTime::Keep) => notify::ACCESS,
        (NewTime::Keep, _) => notify::MODIFY,
        _ => notify::ATTRIB,
    };
    Ok(report(target, event))
}

fn at_seconds(seconds: i64, ns: i64) -> NewTime {
    NewTime::At(seconds.saturating_mul(1_000_000_000).saturating_add(ns))
}

/// The times of `utimensat`.
fn read_timespecs(addr: usize) -> Result<(NewTime, NewTime)> {
    const UTIME_NOW: i64 = 0x3fff_ffff;
    const UTIME_OMIT: i64 = 0x3fff_fffe;
    if addr == 0 {
        return Ok((NewTime::Now, NewTime::Now));
    }
    let raw: [[i64; 2]; 2] = user::read(addr)?;
    let parse = |[seconds, ns]: [i64; 2]| match ns {
        UTIME_NOW => Ok(NewTime::Now),
        UTIME_OMIT => Ok(NewTime::Keep),
        0..1_000_000_000 => Ok(at_seconds(seconds, ns)),
        _ => Err(EINVAL),
    };
    Ok((parse(raw[0])?, parse(raw[1])?))
}

/// The times of `utimes`.
fn read_timevals(addr: usize) -> Result<(NewTime, NewTime)> {
    if addr == 0 {
        return Ok((NewTime::Now, NewTime::Now));
    }
    let raw: [[i64; 2]; 2] = user::read(addr)?;
    let parse = |[seconds, us]: [i64; 2]| if (0..1_000_000).contains(&us) { Ok(at_seconds(seconds, us * 1000)) } else { Err(EINVAL) };
    Ok((parse(raw[0])?, parse(raw[1])?))
}

/// utimensat(2)
pub fn sys_utimensat(cx: &Cx<'_>, dirfd: i32, path: usize, times: usize, flags: u32) -> Result<usize> {
    let times = read_timespecs(times)?;
    if times == (NewTime::Keep, NewTime::Keep) {
        return Ok(0);
    }
    if path == 0 && dirfd != AT_FDCWD {
        // futimens(3)
        if flags != 0 {
            return Err(EINVAL);
        }
        let file = cx.process.files().get_real(dirfd)?;
        return set_times(cx, &Target::File(file), times);
    }
    names::UTIMENSAT.check(flags)?;
    let path = user::read_path(path)?;
    set_times(cx, &at::target(cx.process, dirfd, &path, flags)?, times)
}

/// futimesat(2)
pub fn sys_futimesat(cx: &Cx<'_>, dirfd: i32, path: usize, times: usize) -> Result<usize> {
    let times = read_timevals(times)?;
    if path == 0 && dirfd != AT_FDCWD {
        return set_times(cx, &Target::File(cx.process.files().get_real(dirfd)?), times);
    }
    let path = user::read_path(path)?;
    set_times(cx, &at::target(cx.process, dirfd, &path, 0)?, times)
}

/// utimes(2)
pub fn sys_utimes(cx: &Cx<'_>, path: usize, times: usize) -> Result<usize> {
    sys_futimesat(cx, AT_FDCWD, path, times)
}

/// utime(2)
pub fn sys_utime(cx: &Cx<'_>, path: usize, times: usize) -> Result<usize> {
    let times = if times == 0 {
        (NewTime::Now, NewTime::Now)
    } else {
        let [atime, mtime]: [i64; 2] = user::read(times)?;
        (at_seconds(atime, 0), at_seconds(mtime, 0))
    };
    let path = user::read_path(path)?;
    set_times(cx, &at::target(cx.process, AT_FDCWD, &path, 0)?, times)
}

/// truncate(2)
pub fn sys_truncate(cx: &Cx<'_>, path: usize, len: i64) -> Result<usize> {
    let len = u64::try_from(len).map_err(|_| EINVAL)?;
    let path = user::read_path(path)?;
    let place = at::resolve_at(cx.process, AT_FDCWD, &path, 0)?;
    Caller::of(cx.process).truncate(&place, len)?;
    notify::dentry(&place.dentry, notify::MODIFY);
    Ok(0)
}

/// ftruncate(2)
pub fn sys_ftruncate(cx: &Cx<'_>, fd: i32, len: i64) -> Result<usize> {
    let len = u64::try_from(len).map_err(|_| EINVAL)?;
    let file = cx.real_file(fd)?;
    if !file.flags().writable() || file.ops.attr()?.file_type() != FileType::Regular {
        return Err(EINVAL);
    }
    if !file.may_truncate() {
        return Err(EACCES);
    }
    generic::limit_size(len)?;
    file.ops.truncate(len)?;
    notify::file(&file, notify::MODIFY);
    Ok(0)
}

/// fallocate(2)
pub fn sys_fallocate(cx: &Cx<'_>, fd: i32, mode: u32, offset: i64, len: i64) -> Result<usize> {
    const KEEP_SIZE: u32 = 1;
    const PUNCH_HOLE: u32 = 2;
    let file = cx.real_file(fd)?;
    let (Ok(offset), Ok(len)) = (u64::try_from(offset), u64::try_from(len)) else { return Err(EINVAL) };
    if len == 0 {
        return Err(EINVAL);
    }
    names::FALLOCATE.check(mode)?;
    if mode & PUNCH_HOLE != 0 && mode & KEEP_SIZE == 0 {
        return Err(EOPNOTSUPP);
    }
    if !file.flags().writable() {
        return Err(EBADF);
    }
    let attr = file.ops.attr()?;
    match attr.file_type() {
        FileType::Regular => {}
        FileType::Fifo => return Err(ESPIPE),
        FileType::Directory => return Err(EISDIR),
        _ => return Err(ENODEV),
    }
    if offset.checked_add(len).is_none_or(|end| end > generic::MAX_FILE_SIZE) {
        return Err(EFBIG);
    }
    if mode & KEEP_SIZE == 0 && offset + len > attr.size {
        generic::limit_size(offset + len)?;
    }
    file.ops.allocate(mode, offset, len)?;
    notify::file(&file, notify::MODIFY);
    Ok(0)
}

/// fsync(2)
pub fn sys_fsync(cx: &Cx<'_>, fd: i32) -> Result<usize> {
    cx.real_file(fd)?.ops.sync(false).map(|()| 0)
}

/// fdatasync(2)
pub fn sys_fdatasync(cx: &Cx<'_>, fd: i32) -> Result<usize> {
    cx.real_file(fd)?.ops.sync(true).map(|()| 0)
}

/// sync(2)
pub fn sys_sync(_cx: &Cx<'_>) -> Result<usize> {
    pagecache::sync_all();
    for sb in mount::filesystems() {
        // sync has no way to tell of errors; fsync does.
        if let Err(error) = sb.root.inode().sync_fs() {
            crate::log::warning!("sync of {}: {error:?}", sb.fs_type);
        }
    }
    Ok(0)
}

/// syncfs(2)
pub fn sys_syncfs(cx: &Cx<'_>, fd: i32) -> Result<usize> {
    let file = cx.real_file(fd)?;
    if let Some(inode) = file.ops.inode() {
        inode.sync_fs()?;
    }
    Ok(0)
}

/// sync_file_range(2)
pub fn sys_sync_file_range(cx: &Cx<'_>, fd: i32, offset: i64, len: i64, flags: u32) -> Result<usize> {
    let file = cx.real_file(fd)?;
    let (Ok(offset), Ok(len)) = (u64::try_from(offset), u64::try_from(len)) else { return Err(EINVAL) };
    transfer::SYNC_FILE_RANGE.check(flags)?;
    let end = if len == 0 { u64::MAX } else { offset.checked_add(len).ok_or(EINVAL)?.div_ceil(PAGE) };
    match file.ops.attr()?.file_type() {
        FileType::Regular | FileType::BlockDevice | FileType::Directory | FileType::Symlink => {}
        _ => return Err(ESPIPE),
    }
    if let (Some(cache), true) = (file.ops.page_cache(), flags != 0) {
        cache.flush_range(offset / PAGE, end)?;
    }
    Ok(0)
}

/// posix_fadvise(2)
pub fn sys_fadvise64(cx: &Cx<'_>, fd: i32, offset: i64, len: i64, advice: u32) -> Result<usize> {
    const WILLNEED: u32 = 3;
    const DONTNEED: u32 = 4;
    let file = cx.real_file(fd)?;
    if file.ops.attr()?.file_type() == FileType::Fifo {
        return Err(ESPIPE);
    }
    if len < 0 {
        return Err(EINVAL);
    }
    transfer::FADVISE64.check(advice)?;
    let offset = offset.max(0) as u64;
    let end = if len == 0 { u64::MAX } else { offset.saturating_add(len as u64) };
    if let Some(cache) = file.ops.page_cache() {
        match advice {
            // Advice has no errors of reading to report.
            WILLNEED => {
                let _ = cache.prefetch(offset / PAGE, end.div_ceil(PAGE) - offset / PAGE);
            }
            DONTNEED => {
                let first = offset.div_ceil(PAGE);
                let last = if end == u64::MAX { u64::MAX / PAGE } else { end / PAGE };
                if last > first {
                    let _ = cache.flush_range(first, last);
                    cache.forget_clean(first, last - first);
                }
            }
            _ => {}
        }
    }
    Ok(0)
}

/// readahead(2)
pub fn sys_readahead(cx: &Cx<'_>, fd: i32, offset: i64, count: usize) -> Result<usize> {
    let file = cx.real_file(fd)?;
    if !file.flags().readable() {
        return Err(EBADF);
    }
    let offset = u64::try_from(offset).map_err(|_| EINVAL)?;
    // What is no file of a filesystem has no type at all.
    if !matches!(FileType::from_mode(file.ops.attr()?.mode), Some(FileType::Regular | FileType::BlockDevice)) {
        return Err(EINVAL);
    }
    if let Some(cache) = file.ops.page_cache() {
        cache.prefetch(offset / PAGE, (count as u64).div_ceil(PAGE))?;
    }
    Ok(0)
}
