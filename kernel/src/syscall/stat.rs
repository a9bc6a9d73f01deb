//! Asking about files: `stat(2)`, `statx(2)`, `access(2)`, `statfs(2)`, `readlink(2)`, `getdents(2)`.

use alloc::sync::Arc;
use alloc::vec::Vec;

use call_flags::names;
use zerocopy::{Immutable, IntoBytes};

use super::Cx;
use crate::error::*;
use crate::fs::at::{self, AT_EACCESS, AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW};
use crate::fs::{Attr, Caller, FileType, MountFlags, Path, StatFs, major, minor};
use crate::user;

const SECOND: i64 = 1_000_000_000;

/// `struct stat` of x86-64.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct Stat {
    dev: u64,
    ino: u64,
    nlink: u64,
    mode: u32,
    uid: u32,
    gid: u32,
    pad: u32,
    rdev: u64,
    size: i64,
    blksize: i64,
    blocks: i64,
    times: [i64; 6],
    unused: [i64; 3],
}

fn split(ns: i64) -> [i64; 2] {
    [ns.div_euclid(SECOND), ns.rem_euclid(SECOND)]
}

fn write_stat(addr: usize, attr: &Attr) -> Result<usize> {
    let [a, an] = split(attr.atime_ns);
    let [m, mn] = split(attr.mtime_ns);
    let [c, cn] = split(attr.ctime_ns);
    let user_ns = crate::task::user_ns::current();
    let stat = Stat {
        dev: attr.dev,
        ino: attr.ino,
        nlink: u64::from(attr.nlink),
        mode: attr.mode,
        uid: user_ns.uid_out(attr.uid),
        gid: user_ns.gid_out(attr.gid),
        pad: 0,
        rdev: attr.rdev,
        size: attr.size as i64,
        blksize: i64::from(attr.blksize),
        blocks: attr.blocks as i64,
        times: [a, an, m, mn, c, cn],
        unused: [0; 3],
    };
    user::write(addr, &stat)?;
    Ok(0)
}

/// stat(2)
pub fn sys_stat(cx: &Cx<'_>, path: usize, buf: usize) -> Result<usize> {
    sys_newfstatat(cx, AT_FDCWD, path, buf, 0)
}

/// lstat(2)
pub fn sys_lstat(cx: &Cx<'_>, path: usize, buf: usize) -> Result<usize> {
    sys_newfstatat(cx, AT_FDCWD, path, buf, AT_SYMLINK_NOFOLLOW)
}

/// fstat(2)
pub fn sys_fstat(cx: &Cx<'_>, fd: i32, buf: usize) -> Result<usize> {
    let file = cx.process.files().get(fd)?;
    write_stat(buf, &file.attr()?)
}

/// fstatat(2)
pub fn sys_newfstatat(cx: &Cx<'_>, dirfd: i32, path: usize, buf: usize, flags: u32) -> Result<usize> {
    names::NEWFSTATAT.check(flags)?;
    if flags & AT_EMPTY_PATH != 0 && dirfd >= 0 && frame::user::read_u8(path as u64)? == 0 {
        // glibc's fstat.
        return sys_fstat(cx, dirfd, buf);
    }
    let path = user::read_path(path)?;
    write_stat(buf, &at::target(cx.process, dirfd, &path, flags)?.attr()?)
}

#[derive(IntoBytes, Immutable, Default)]
#[repr(C)]
struct StatxTime {
    sec: i64,
    nsec: u32,
    pad: i32,
}

/// `struct statx`.
#[derive(IntoBytes, Immutable, Default)]
#[repr(C)]
struct Statx {
    mask: u32,
    blksize: u32,
    attributes: u64,
    nlink: u32,
    uid: u32,
    gid: u32,
    mode: u16,
    pad: u16,
    ino: u64,
    size: u64,
    blocks: u64,
    attributes_mask: u64,
    atime: StatxTime,
    btime: StatxTime,
    ctime: StatxTime,
    mtime: StatxTime,
    rdev: [u32; 2],
    dev: [u32; 2],
    mount: u64,
    spare: [u64; 13],
}

/// statx(2)
pub fn sys_statx(cx: &Cx<'_>, dirfd: i32, path: usize, flags: u32, mask: u32, buf: usize) -> Result<usize> {
    const BASIC: u32 = 0x7ff;
    const BIRTH: u32 = 0x800;
    const MOUNT_ID: u32 = 0x1000;
    const SYNC_TYPE: u32 = 0x6000;
    const MOUNT_ROOT: u64 = 0x2000;
    names::STATX_MASK.check(mask)?;
    names::STATX.check(flags)?;
    if flags & SYNC_TYPE == SYNC_TYPE {
        return Err(EINVAL);
    }
    let path = user::read_path(path)?;
    let target = at::target(cx.process, dirfd, &path, flags)?;
    let attr = target.attr()?;
    let time = |ns: i64| {
        let [sec, nsec] = split(ns);
        StatxTime { sec, nsec: nsec as u32, pad: 0 }
    };
    let birth = target.inode().ok().and_then(|inode| inode.birth_ns());
    let place = target.place();
    let root = place.is_some_and(|p| Arc::ptr_eq(&p.dentry, &p.mount.root));
    let user_ns = crate::task::user_ns::current();
    let statx = Statx {
        mask: BASIC | if birth.is_some() { BIRTH } else { 0 } | if place.is_some() { MOUNT_ID } else { 0 },
        blksize: attr.blksize,
        attributes: if root { MOUNT_ROOT } else { 0 },
        attributes_mask: MOUNT_ROOT,
        nlink: attr.nlink,
        uid: user_ns.uid_out(attr.uid),
        gid: user_ns.gid_out(attr.gid),
        mode: attr.mode as u16,
        ino: attr.ino,
        size: attr.size,
        blocks: attr.blocks,
        atime: time(attr.atime_ns),
        btime: time(birth.unwrap_or(0)),
        ctime: time(attr.ctime_ns),
        mtime: time(attr.mtime_ns),
        rdev: [major(attr.rdev), minor(attr.rdev)],
        dev: [major(attr.dev), minor(attr.dev)],
        mount: place.map_or(0, |p| p.mount.id),
        ..Statx::default()
    };
    user::write(buf, &statx)?;
    Ok(0)
}

/// access(2)
pub fn sys_access(cx: &Cx<'_>, path: usize, mode: u32) -> Result<usize> {
    sys_faccessat2(cx, AT_FDCWD, path, mode, 0)
}

/// faccessat(2), as the system call without flags
pub fn sys_faccessat(cx: &Cx<'_>, dirfd: i32, path: usize, mode: u32) -> Result<usize> {
    sys_faccessat2(cx, dirfd, path, mode, 0)
}

/// faccessat2(2)
pub fn sys_faccessat2(cx: &Cx<'_>, dirfd: i32, path: usize, mode: u32, flags: u32) -> Result<usize> {
    names::ACCESS_MODE.check(mode)?;
    names::FACCESSAT2.check(flags)?;
    let path = user::read_path(path)?;
    let mut caller = Caller::of(cx.process);
    if flags & AT_EACCESS == 0 {
        let mut creds = (*caller.creds).clone();
        (creds.fsuid, creds.fsgid) = (creds.uid, creds.gid);
        creds.caps = creds.caps.for_access(creds.relabelled(creds.uid));
        caller.creds = Arc::new(creds);
    }
    let place = if path.is_empty() && flags & AT_EMPTY_PATH != 0 && dirfd != AT_FDCWD {
        at::target(cx.process, dirfd, &path, flags)?
    } else {
        let mut lookup = crate::fs::LookupFlags::empty();
        lookup.set(crate::fs::LookupFlags::FOLLOW, flags & AT_SYMLINK_NOFOLLOW == 0);
        lookup.set(crate::fs::LookupFlags::EMPTY, flags & AT_EMPTY_PATH != 0);
        at::Target::Place(caller.resolve(at::start(cx.process, dirfd, &path)?.as_ref(), &path, lookup)?)
    };
    let attr = place.attr()?;
    if mode == 0 {
        return Ok(0);
    }
    let regular = attr.file_type() == FileType::Regular;
    if mode & 1 != 0 && regular && place.place().is_some_and(Path::is_noexec) {
        return Err(EACCES);
    }
    if !caller.creds.may_access(attr.mode, attr.uid, attr.gid, mode) {
        return Err(EACCES);
    }
    if mode & 2 != 0 && matches!(attr.file_type(), FileType::Regular | FileType::Directory | FileType::Symlink) {
        place.check_writable()?;
    }
    Ok(0)
}

/// `struct statfs` of x86-64.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct RawStatFs {
    kind: u64,
    bsize: u64,
    blocks: u64,
    bfree: u64,
    bavail: u64,
    files: u64,
    ffree: u64,
    fsid: u64,
    namelen: u64,
    frsize: u64,
    flags: u64,
    spare: [u64; 4],
}

fn write_statfs(buf: usize, stats: &StatFs, dev: u64, place: Option<&Path>) -> Result<usize> {
    const ST_VALID: u64 = 0x20;
    let mut flags = stats.flags | ST_VALID;
    if let Some(place) = place {
        let mount = place.mount.flags();
        for (flag, bit) in [
            (MountFlags::NOSUID, 2),
            (MountFlags::NODEV, 4),
            (MountFlags::NOEXEC, 8),
            (MountFlags::NOATIME, 0x400),
            (MountFlags::NODIRATIME, 0x800),
            (MountFlags::RELATIME, 0x1000),
            (MountFlags::NOSYMFOLLOW, 0x2000),
        ] {
            if mount.contains(flag) {
                flags |= bit;
            }
        }
        if !place.mount.writable() {
            flags |= 1;
        }
    }
    // The kernel's own, which have nothing to count.
    let stats = match place.map(|place| place.mount.sb.fs_type) {
        Some("proc") if stats.magic == 0 => &StatFs { magic: 0x9fa0, block_size: BLOCK, name_max: 255, ..StatFs::default() },
        _ => stats,
    };
    let raw = RawStatFs {
        kind: stats.magic,
        bsize: stats.block_size,
        blocks: stats.blocks,
        bfree: stats.blocks_free,
        bavail: stats.blocks_available,
        files: stats.files,
        ffree: stats.files_free,
        fsid: dev,
        namelen: stats.name_max,
        frsize: stats.block_size,
        flags,
        spare: [0; 4],
    };
    user::write(buf, &raw)?;
    Ok(0)
}

/// statfs(2)
pub fn sys_statfs(cx: &Cx<'_>, path: usize, buf: usize) -> Result<usize> {
    let path = user::read_path(path)?;
    let place = crate::fs::resolve(cx.process, &path)?;
    write_statfs(buf, &place.inode().statfs()?, place.inode().attr()?.dev, Some(&place))
}

/// What filesystems without a disk call a block, in bytes.
const BLOCK: u64 = 4096;

/// Of the filesystem that files of this mode without a name are in: `pipefs`, `sockfs`, `anon_inodefs`.
fn statfs_without_name(mode: u32) -> StatFs {
    let magic = match FileType::from_mode(mode) {
        Some(FileType::Fifo) => 0x5049_5045,
        Some(FileType::Socket) => 0x534f_434b,
        _ => 0x0904_1934,
    };
    StatFs { magic, block_size: BLOCK, name_max: 255, ..StatFs::default() }
}

/// fstatfs(2)
pub fn sys_fstatfs(cx: &Cx<'_>, fd: i32, buf: usize) -> Result<usize> {
    let file = cx.process.files().get(fd)?;
    let stats = match &file.path {
        Some(place) => place.inode().statfs()?,
        None => match file.ops.statfs() {
            Err(ENOSYS) => statfs_without_name(file.ops.attr()?.mode),
            stats => stats?,
        },
    };
    write_statfs(buf, &stats, file.ops.attr()?.dev, file.path.as_ref())
}

/// readlink(2)
pub fn sys_readlink(cx: &Cx<'_>, path: usize, buf: usize, size: i32) -> Result<usize> {
    sys_readlinkat(cx, AT_FDCWD, path, buf, size)
}

/// readlinkat(2)
pub fn sys_readlinkat(cx: &Cx<'_>, dirfd: i32, path: usize, buf: usize, size: i32) -> Result<usize> {
    if size <= 0 {
        return Err(EINVAL);
    }
    let path = user::read_path(path)?;
    // The empty path means a link opened with O_PATH|O_NOFOLLOW.
    let flags = AT_SYMLINK_NOFOLLOW | if dirfd == AT_FDCWD { 0 } else { AT_EMPTY_PATH };
    let place = at::resolve_at(cx.process, dirfd, &path, flags)?;
    if place.dentry.kind() != FileType::Symlink {
        return Err(if path.is_empty() { ENOENT } else { EINVAL });
    }
    let target = place.inode().read_link()?;
    let n = target.len().min(size as usize);
    frame::user::copy_to_user(buf as u64, &target[..n])?;
    Ok(n)
}

/// Bytes of entries prepared in one go.
const DENTS_MAX: usize = 64 << 10;

/// Lists a directory into records made by `record(ino, next, type, name)`.
fn list(cx: &Cx<'_>, fd: i32, buf: usize, size: u32, record: fn(&mut Vec<u8>, u64, u64, u8, &[u8])) -> Result<usize> {
    let file = cx.process.files().get_real(fd)?;
    let attr = file.ops.attr()?;
    if attr.file_type() != FileType::Directory {
        return Err(ENOTDIR);
    }
    if file.path.as_ref().is_some_and(|p| p.dentry.is_gone()) {
        return Err(ENOENT);
    }
    let room = (size as usize).min(DENTS_MAX);
    let mut out: Vec<u8> = Vec::new();
    let mut full = false;
    let mut pos = file.pos();
    let mut at = *pos;
    let mut add = |at: &mut u64, ino: u64, next: u64, kind: u8, name: &[u8]| -> bool {
        let before = out.len();
        record(&mut out, ino, next, kind, name);
        if out.len() > room {
            out.truncate(before);
            full = true;
            return false;
        }
        *at = next;
        true
    };
    let directory = FileType::Directory.dirent_type();
    let mut going = true;
    if at == 0 {
        going = add(&mut at, attr.ino, 1, directory, b".");
    }
    if going && at == 1 {
        let parent = file.path.as_ref().and_then(parent_ino).unwrap_or(attr.ino);
        going = add(&mut at, parent, 2, directory, b"..");
    }
    let mut outcome = Ok(());
    if going {
        // The filesystem's cookies come after those two.
        outcome = file.ops.getdents(&file, at - 2, &mut |ino, next, kind, name| {
            add(&mut at, ino, next.saturating_add(2), kind.map_or(0, FileType::dirent_type), name)
        });
    }
    if out.is_empty() {
        outcome?;
        // Not even one entry fits.
        return if full { Err(EINVAL) } else { Ok(0) };
    }
    frame::user::copy_to_user(buf as u64, &out)?;
    *pos = at;
    Ok(out.len())
}

fn parent_ino(path: &Path) -> Option<u64> {
    let mut at = path.clone();
    while Arc::ptr_eq(&at.dentry, &at.mount.root) {
        at = at.mount.mountpoint()?;
    }
    at.dentry.parent()?.inode().attr().ok().map(|a| a.ino)
}

/// getdents64(2)
pub fn sys_getdents64(cx: &Cx<'_>, fd: i32, buf: usize, size: u32) -> Result<usize> {
    list(cx, fd, buf, size, |out, ino, next, kind, name| {
        let len = (19 + name.len() + 1).next_multiple_of(8);
        let end = out.len() + len;
        out.extend_from_slice(&ino.to_le_bytes());
        out.extend_from_slice(&next.to_le_bytes());
        out.extend_from_slice(&(len as u16).to_le_bytes());
        out.push(kind);
        out.extend_from_slice(name);
        out.resize(end, 0);
    })
}

/// getdents(2), whose records hold the type in their last byte
pub fn sys_getdents(cx: &Cx<'_>, fd: i32, buf: usize, size: u32) -> Result<usize> {
    list(cx, fd, buf, size, |out, ino, next, kind, name| {
        let len = (18 + name.len() + 2).next_multiple_of(8);
        let end = out.len() + len;
        out.extend_from_slice(&ino.to_le_bytes());
        out.extend_from_slice(&next.to_le_bytes());
        out.extend_from_slice(&(len as u16).to_le_bytes());
        out.extend_from_slice(name);
        out.resize(end - 1, 0);
        out.push(kind);
    })
}
