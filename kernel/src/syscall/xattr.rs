//! Extended attributes (`xattr(7)`).

use alloc::vec::Vec;

use capabilities::FileCapabilities;

use super::Cx;
use crate::error::*;
use crate::fs::at::{self, AT_FDCWD, AT_SYMLINK_NOFOLLOW, Target};
use crate::fs::lookup::{MAY_READ, MAY_WRITE};
use crate::fs::inode::CAPABILITIES;
use crate::fs::{Caller, FileType};
use crate::task::Capability;
use crate::user;

const SIZE_MAX: usize = 65536;
const NAME_MAX: usize = 255;

fn by_path(cx: &Cx<'_>, path: usize, follow: bool) -> Result<Target> {
    let path = user::read_path(path)?;
    at::target(cx.process, AT_FDCWD, &path, if follow { 0 } else { AT_SYMLINK_NOFOLLOW })
}

fn by_fd(cx: &Cx<'_>, fd: i32) -> Result<Target> {
    cx.real_file(fd).map(Target::File)
}

fn read_name(addr: usize) -> Result<Vec<u8>> {
    let name = user::read_cstr(addr, NAME_MAX + 1).map_err(|e| if e == ENAMETOOLONG { ERANGE } else { e })?;
    if name.is_empty() { Err(ERANGE) } else { Ok(name) }
}

/// Who may do what with which attributes: `xattr(7)`, Extended attribute namespaces.
fn check(cx: &Cx<'_>, target: &Target, name: &[u8], write: bool) -> Result {
    let caller = Caller::of(cx.process);
    if write {
        target.check_writable()?;
    }
    if name.starts_with(b"trusted.") {
        if !caller.creds.has(Capability::SYS_ADMIN) {
            return Err(if write { EPERM } else { ENODATA });
        }
        return Ok(());
    }
    if name.starts_with(b"security.") || name.starts_with(b"system.") {
        let needed = if name == CAPABILITIES { Capability::SETFCAP } else { Capability::SYS_ADMIN };
        if write && name.starts_with(b"security.") && !caller.creds.has(needed) {
            return Err(EPERM);
        }
        return Ok(());
    }
    if !name.starts_with(b"user.") {
        return Err(EOPNOTSUPP);
    }
    let attr = target.attr()?;
    match attr.file_type() {
        FileType::Regular | FileType::Directory => {}
        _ => return Err(if write { EPERM } else { ENODATA }),
    }
    let sticky = attr.file_type() == FileType::Directory && attr.mode & 0o1000 != 0;
    if write && sticky && !caller.creds.owns(attr.uid) {
        return Err(EPERM);
    }
    caller.check(&target.inode()?, if write { MAY_WRITE } else { MAY_READ })
}

fn set(cx: &Cx<'_>, target: Result<Target>, name: usize, value: usize, size: usize, flags: u32) -> Result<usize> {
    call_flags::names::SETXATTR.check(flags)?;
    let target = target?;
    let name = read_name(name)?;
    if size > SIZE_MAX {
        return Err(E2BIG);
    }
    let value = if size == 0 { Vec::new() } else { user::read_bytes(value, size)? };
    if name == CAPABILITIES && size != 0 && !FileCapabilities::is_valid(&value) {
        return Err(EINVAL);
    }
    check(cx, &target, &name, true)?;
    target.inode().map_err(|_| EOPNOTSUPP)?.set_xattr(&name, &value, flags)?;
    Ok(super::attr::report(&target, crate::fs::notify::ATTRIB))
}

/// Gives bytes to a buffer whose size may be 0 to ask how many there are.
fn give(bytes: &[u8], buf: usize, size: usize) -> Result<usize> {
    if size == 0 {
        return Ok(bytes.len());
    }
    if bytes.len() > size {
        return Err(ERANGE);
    }
    frame::user::copy_to_user(buf as u64, bytes)?;
    Ok(bytes.len())
}

fn get(cx: &Cx<'_>, target: Result<Target>, name: usize, buf: usize, size: usize) -> Result<usize> {
    let target = target?;
    let name = read_name(name)?;
    check(cx, &target, &name, false)?;
    let mut value = target.inode().map_err(|_| EOPNOTSUPP)?.get_xattr(&name)?;
    if name == CAPABILITIES {
        let len = FileCapabilities::as_read(&mut value);
        value.truncate(len);
    }
    give(&value, buf, size)
}

fn list(cx: &Cx<'_>, target: Result<Target>, buf: usize, size: usize) -> Result<usize> {
    let target = target?;
    let privileged = cx.thread.has(Capability::SYS_ADMIN);
    let mut all = Vec::new();
    if let Ok(inode) = target.inode() {
        for name in inode.list_xattr()? {
            if privileged || !name.starts_with(b"trusted.") {
                all.extend_from_slice(&name);
                all.push(0);
            }
        }
    }
    give(&all, buf, size)
}

fn remove(cx: &Cx<'_>, target: Result<Target>, name: usize) -> Result<usize> {
    let target = target?;
    let name = read_name(name)?;
    check(cx, &target, &name, true)?;
    target.inode().map_err(|_| EOPNOTSUPP)?.remove_xattr(&name)?;
    Ok(super::attr::report(&target, crate::fs::notify::ATTRIB))
}

/// setxattr(2)
pub fn sys_setxattr(cx: &Cx<'_>, path: usize, name: usize, value: usize, size: usize, flags: u32) -> Result<usize> {
    set(cx, by_path(cx, path, true), name, value, size, flags)
}

/// lsetxattr(2)
pub fn sys_lsetxattr(cx: &Cx<'_>, path: usize, name: usize, value: usize, size: usize, flags: u32) -> Result<usize> {
    set(cx, by_path(cx, path, false), name, value, size, flags)
}

/// fsetxattr(2)
pub fn sys_fsetxattr(cx: &Cx<'_>, fd: i32, name: usize, value: usize, size: usize, flags: u32) -> Result<usize> {
    set(cx, by_fd(cx, fd), name, value, size, flags)
}

/// getxattr(2)
pub fn sys_getxattr(cx: &Cx<'_>, path: usize, name: usize, buf: usize, size: usize) -> Result<usize> {
    get(cx, by_path(cx, path, true), name, buf, size)
}

/// lgetxattr(2)
pub fn sys_lgetxattr(cx: &Cx<'_>, path: usize, name: usize, buf: usize, size: usize) -> Result<usize> {
    get(cx, by_path(cx, path, false), name, buf, size)
}

/// fgetxattr(2)
pub fn sys_fgetxattr(cx: &Cx<'_>, fd: i32, name: usize, buf: usize, size: usize) -> Result<usize> {
    get(cx, by_fd(cx, fd), name, buf, size)
}

/// listxattr(2)
pub fn sys_listxattr(cx: &Cx<'_>, path: usize, buf: usize, size: usize) -> Result<usize> {
    list(cx, by_path(cx, path, true), buf, size)
}

/// llistxattr(2)
pub fn sys_llistxattr(cx: &Cx<'_>, path: usize, buf: usize, size: usize) -> Result<usize> {
    list(cx, by_path(cx, path, false), buf, size)
}

/// flistxattr(2)
pub fn sys_flistxattr(cx: &Cx<'_>, fd: i32, buf: usize, size: usize) -> Result<usize> {
    list(cx, by_fd(cx, fd), buf, size)
}

/// removexattr(2)
pub fn sys_removexattr(cx: &Cx<'_>, path: usize, name: usize) -> Result<usize> {
    remove(cx, by_path(cx, path, true), name)
}

/// lremovexattr(2)
pub fn sys_lremovexattr(cx: &Cx<'_>, path: usize, name: usize) -> Result<usize> {
    remove(cx, by_path(cx, path, false), name)
}

/// fremovexattr(2)
pub fn sys_fremovexattr(cx: &Cx<'_>, fd: i32, name: usize) -> Result<usize> {
    remove(cx, by_fd(cx, fd), name)
}
