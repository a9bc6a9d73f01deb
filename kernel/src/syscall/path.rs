//! Names: making, removing and moving them; working directory and root.

use call_flags::names;

use super::Cx;
use crate::error::*;
use crate::fs::at::{self, AT_EMPTY_PATH, AT_FDCWD, AT_REMOVEDIR, AT_SYMLINK_FOLLOW, AT_SYMLINK_NOFOLLOW};
use crate::fs::lookup::MAY_EXEC;
use crate::fs::{Caller, FileType, LookupFlags, Path, RenameFlags, mount};
use crate::task::Capability;
use crate::user;

/// mkdir(2)
pub fn sys_mkdir(cx: &Cx<'_>, path: usize, mode: u32) -> Result<usize> {
    sys_mkdirat(cx, AT_FDCWD, path, mode)
}

/// mkdirat(2)
pub fn sys_mkdirat(cx: &Cx<'_>, dirfd: i32, path: usize, mode: u32) -> Result<usize> {
    let path = user::read_path(path)?;
    let start = at::start(cx.process, dirfd, &path)?;
    Caller::of(cx.process).mkdir(start.as_ref(), &path, mode).map(|()| 0)
}

/// mknod(2)
pub fn sys_mknod(cx: &Cx<'_>, path: usize, mode: u32, dev: u64) -> Result<usize> {
    sys_mknodat(cx, AT_FDCWD, path, mode, dev)
}

/// mknodat(2)
pub fn sys_mknodat(cx: &Cx<'_>, dirfd: i32, path: usize, mode: u32, dev: u64) -> Result<usize> {
    // The device number is 32 bits wide here.
    let dev = dev & 0xffff_ffff;
    let kind = match mode & 0o170000 {
        0 => FileType::Regular,
        _ => match FileType::from_mode(mode) {
            Some(FileType::Directory) => return Err(EPERM),
            Some(FileType::Symlink) | None => return Err(EINVAL),
            Some(kind) => kind,
        },
    };
    let path = user::read_path(path)?;
    let start = at::start(cx.process, dirfd, &path)?;
    let rdev = if matches!(kind, FileType::CharDevice | FileType::BlockDevice) { dev } else { 0 };
    Caller::of(cx.process).mknod(start.as_ref(), &path, kind as u32 | mode & 0o7777, rdev).map(|_| 0)
}

/// symlink(2)
pub fn sys_symlink(cx: &Cx<'_>, target: usize, path: usize) -> Result<usize> {
    sys_symlinkat(cx, target, AT_FDCWD, path)
}

/// symlinkat(2)
pub fn sys_symlinkat(cx: &Cx<'_>, target: usize, dirfd: i32, path: usize) -> Result<usize> {
    let target = user::read_path(target)?;
    if target.is_empty() {
        return Err(ENOENT);
    }
    let path = user::read_path(path)?;
    let start = at::start(cx.process, dirfd, &path)?;
    Caller::of(cx.process).symlink(&target, start.as_ref(), &path).map(|()| 0)
}

/// link(2)
pub fn sys_link(cx: &Cx<'_>, old: usize, new: usize) -> Result<usize> {
    sys_linkat(cx, AT_FDCWD, old, AT_FDCWD, new, 0)
}

/// linkat(2)
pub fn sys_linkat(cx: &Cx<'_>, old_dir: i32, old: usize, new_dir: i32, new: usize, flags: u32) -> Result<usize> {
    names::LINKAT.check(flags)?;
    if flags & AT_EMPTY_PATH != 0 && !cx.thread.has(Capability::DAC_READ_SEARCH) {
        return Err(ENOENT);
    }
    let old = user::read_path(old)?;
    let new = user::read_path(new)?;
    let follow = if flags & AT_SYMLINK_FOLLOW != 0 { 0 } else { AT_SYMLINK_NOFOLLOW };
    let old = at::resolve_at(cx.process, old_dir, &old, follow | flags & AT_EMPTY_PATH)?;
    let start = at::start(cx.process, new_dir, &new)?;
    Caller::of(cx.process).link(&old, start.as_ref(), &new).map(|()| 0)
}

/// unlink(2)
pub fn sys_unlink(cx: &Cx<'_>, path: usize) -> Result<usize> {
    sys_unlinkat(cx, AT_FDCWD, path, 0)
}

/// rmdir(2)
pub fn sys_rmdir(cx: &Cx<'_>, path: usize) -> Result<usize> {
    sys_unlinkat(cx, AT_FDCWD, path, AT_REMOVEDIR)
}

/// unlinkat(2)
pub fn sys_unlinkat(cx: &Cx<'_>, dirfd: i32, path: usize, flags: u32) -> Result<usize> {
    names::UNLINKAT.check(flags)?;
    let path = user::read_path(path)?;
    let start = at::start(cx.process, dirfd, &path)?;
    let caller = Caller::of(cx.process);
    if flags & AT_REMOVEDIR != 0 { caller.rmdir(start.as_ref(), &path) } else { caller.unlink(start.as_ref(), &path) }.map(|()| 0)
}

/// rename(2)
pub fn sys_rename(cx: &Cx<'_>, old: usize, new: usize) -> Result<usize> {
    sys_renameat2(cx, AT_FDCWD, old, AT_FDCWD, new, 0)
}

/// renameat(2)
pub fn sys_renameat(cx: &Cx<'_>, old_dir: i32, old: usize, new_dir: i32, new: usize) -> Result<usize> {
    sys_renameat2(cx, old_dir, old, new_dir, new, 0)
}

/// renameat2(2)
pub fn sys_renameat2(cx: &Cx<'_>, old_dir: i32, old: usize, new_dir: i32, new: usize, flags: u32) -> Result<usize> {
    names::RENAMEAT2.check(flags)?;
    let flags = RenameFlags::from_bits_truncate(flags);
    if flags.contains(RenameFlags::NOREPLACE | RenameFlags::EXCHANGE) {
        return Err(EINVAL);
    }
    let old = user::read_path(old)?;
    let new = user::read_path(new)?;
    let from = at::start(cx.process, old_dir, &old)?;
    let to = at::start(cx.process, new_dir, &new)?;
    Caller::of(cx.process).rename((from.as_ref(), &old), (to.as_ref(), &new), flags).map(|()| 0)
}

fn enter(cx: &Cx<'_>, place: Path) -> Result<Path> {
    if !place.dentry.is_dir() {
        return Err(ENOTDIR);
    }
    Caller::of(cx.process).check(place.inode(), MAY_EXEC)?;
    Ok(place)
}

fn directory(cx: &Cx<'_>, path: usize) -> Result<Path> {
    let path = user::read_path(path)?;
    let place = Caller::of(cx.process).resolve(None, &path, LookupFlags::FOLLOW | LookupFlags::DIRECTORY)?;
    enter(cx, place)
}

/// chdir(2)
pub fn sys_chdir(cx: &Cx<'_>, path: usize) -> Result<usize> {
    cx.process.fs().set_cwd(directory(cx, path)?);
    Ok(0)
}

/// fchdir(2)
pub fn sys_fchdir(cx: &Cx<'_>, fd: i32) -> Result<usize> {
    let place = cx.process.files().get(fd)?.path.clone().ok_or(ENOTDIR)?;
    cx.process.fs().set_cwd(enter(cx, place)?);
    Ok(0)
}

/// chroot(2)
pub fn sys_chroot(cx: &Cx<'_>, path: usize) -> Result<usize> {
    let place = directory(cx, path)?;
    if !cx.thread.has_own(Capability::SYS_CHROOT) {
        return Err(EPERM);
    }
    cx.process.fs().set_root(place);
    Ok(0)
}

/// pivot_root(2)
pub fn sys_pivot_root(cx: &Cx<'_>, new_root: usize, put_old: usize) -> Result<usize> {
    if !cx.thread.has_in(Capability::SYS_ADMIN, &cx.process.fs().namespace().user) {
        return Err(EPERM);
    }
    let new_root = directory(cx, new_root)?;
    let put_old = directory(cx, put_old)?;
    mount::pivot_root(&cx.process.fs(), &new_root, &put_old)?;
    Ok(0)
}

/// getcwd(2): the length with its NUL
pub fn sys_getcwd(cx: &Cx<'_>, buf: usize, size: usize) -> Result<usize> {
    let fs = cx.process.fs();
    let cwd = fs.cwd();
    if cwd.dentry.is_gone() {
        return Err(ENOENT);
    }
    let (mut name, reached) = cwd.name_from(&fs.root());
    if !reached {
        name.splice(0..0, *b"(unreachable)");
    }
    name.push(0);
    if name.len() > 4096 {
        return Err(ENAMETOOLONG);
    }
    if name.len() > size {
        return Err(ERANGE);
    }
    frame::user::copy_to_user(buf as u64, &name)?;
    Ok(name.len())
}

/// umask(2)
pub fn sys_umask(cx: &Cx<'_>, mask: u32) -> Result<usize> {
    Ok(cx.process.fs().set_umask(mask) as usize)
}
