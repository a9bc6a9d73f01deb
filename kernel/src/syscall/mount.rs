//! `mount(2)` and `umount(2)`.

use alloc::vec::Vec;

use call_flags::names;

use super::Cx;
use crate::error::*;
use crate::fs::propagation::Kind;
use crate::fs::{self, Caller, LookupFlags, MountFlags, Path, mount};
use crate::task::Capability;
use crate::user;

const MS_REMOUNT: u64 = 32;
const MS_BIND: u64 = 4096;
const MS_MOVE: u64 = 8192;
const MS_REC: u64 = 16384;
const MS_UNBINDABLE: u64 = 1 << 17;
const MS_PRIVATE: u64 = 1 << 18;
const MS_SLAVE: u64 = 1 << 19;
const MS_SHARED: u64 = 1 << 20;
const MS_SILENT: u64 = 32768;
const MS_STRICTATIME: u64 = 1 << 24;
/// An old magic number in the upper half is ignored.
const MAGIC_MASK: u64 = 0xffff_0000;
const MAGIC: u64 = 0xc0ed_0000;

fn optional_string(addr: usize, max: usize) -> Result<Vec<u8>> {
    if addr == 0 { Ok(Vec::new()) } else { user::read_cstr(addr, max).map_err(|e| if e == ENAMETOOLONG { EINVAL } else { e }) }
}

/// Mounts are changed by who may administer the namespace that they are in.
fn may_mount(cx: &Cx<'_>) -> bool {
    cx.thread.has_in(Capability::SYS_ADMIN, &cx.process.fs().namespace().user)
}

fn place(cx: &Cx<'_>, path: &[u8]) -> Result<Path> {
    Caller::of(cx.process).resolve(None, path, LookupFlags::FOLLOW)
}

/// mount(2)
pub fn sys_mount(cx: &Cx<'_>, source: usize, target: usize, fs_type: usize, flags: u64, data: usize) -> Result<usize> {
    let mut flags = flags;
    if flags & MAGIC_MASK == MAGIC {
        flags &= !MAGIC_MASK;
    }
    names::MOUNT.check(flags)?;
    let fs_type = optional_string(fs_type, 4096)?;
    let source = optional_string(source, 4096)?;
    let data = optional_string(data, 4096)?;
    let target = user::read_path(target)?;
    let at = place(cx, &target)?;
    if !may_mount(cx) {
        return Err(EPERM);
    }
    Caller::of(cx.process).check_unconfined()?;
    let options = options(flags, &at);
    if flags & MS_REMOUNT != 0 {
        mount::remount(&at, options, flags & MS_BIND == 0)?;
    } else if flags & MS_BIND != 0 {
        let from = place(cx, if source.is_empty() { return Err(EINVAL) } else { &source })?;
        mount::bind(&from, &at, flags & MS_REC != 0)?;
    } else if flags & (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE) != 0 {
        propagation(flags, &at)?;
    } else if flags & MS_MOVE != 0 {
        mount::move_mount(&place(cx, if source.is_empty() { return Err(EINVAL) } else { &source })?, &at)?;
    } else {
        new_mount(cx, &fs_type, &source, &data, options, &at)?;
    }
    Ok(0)
}

/// The options of a mount. A remount that says nothing of access times leaves them as they are.
fn options(flags: u64, at: &Path) -> MountFlags {
    let times = MountFlags::NOATIME | MountFlags::NODIRATIME | MountFlags::RELATIME;
    let mut options = MountFlags::from_bits_truncate(flags as u32);
    if flags & MS_STRICTATIME != 0 {
        options -= MountFlags::NOATIME | MountFlags::RELATIME;
    } else if flags & MS_REMOUNT != 0 && !options.intersects(times) {
        options |= at.mount.flags() & times;
    } else if !options.contains(MountFlags::NOATIME) {
        options |= MountFlags::RELATIME;
    }
    options
}

/// Says how a mount takes part in what is mounted elsewhere.
fn propagation(flags: u64, at: &Path) -> Result {
    let kind = flags & (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE);
    if kind.count_ones() != 1 || flags & !(kind | MS_REC | MS_SILENT) != 0 {
        return Err(EINVAL);
    }
    let kind = match kind {
        MS_SHARED => Kind::Shared,
        MS_PRIVATE => Kind::Private,
        MS_SLAVE => Kind::Slave,
        _ => Kind::Unbindable,
    };
    mount::set_kind(at, kind, flags & MS_REC != 0)
}

fn new_mount(cx: &Cx<'_>, fs_type: &[u8], source: &[u8], data: &[u8], options: MountFlags, at: &Path) -> Result {
    if fs_type.is_empty() {
        return Err(EINVAL);
    }
    if !mount::is_for_users(fs_type) && !cx.thread.has(Capability::SYS_ADMIN) {
        // What is no type at all is told first.
        return Err(if mount::types().iter().any(|(name, _)| name.as_bytes() == fs_type) { EPERM } else { ENODEV });
    }
    let namespace = cx.process.fs().namespace();
    let views = matches!(fs_type, b"proc" | b"sysfs");
    if views && cx.thread.creds().user.parent.is_some() && !mount::shows_whole(fs_type, options, &namespace) {
        return Err(EPERM);
    }
    let sb = mount::make_fs(fs_type, source, data, &cx.thread.creds())?;
    if fs_type == b"scheme" && at.same(&fs::root()) {
        // The disk takes the place of the initfs (contracts, Boot, 3).
        mount::replace_root(sb, source, options);
        return Ok(());
    }
    mount::mount_fs(sb, at, if source.is_empty() { b"none" } else { source }, options).map(|_| ())
}

/// umount2(2)
pub fn sys_umount2(cx: &Cx<'_>, target: usize, flags: u32) -> Result<usize> {
    const FORCE: u32 = 1;
    const DETACH: u32 = 2;
    const EXPIRE: u32 = 4;
    const NOFOLLOW: u32 = 8;
    names::UMOUNT2.check(flags)?;
    let path = user::read_path(target)?;
    let follow = if flags & NOFOLLOW != 0 { LookupFlags::empty() } else { LookupFlags::FOLLOW };
    let at = Caller::of(cx.process).resolve(None, &path, follow)?;
    if !may_mount(cx) {
        return Err(EPERM);
    }
    Caller::of(cx.process).check_unconfined()?;
    if flags & EXPIRE != 0 {
        // Mounts do not expire: they are always as if used just now.
        let is_root = alloc::sync::Arc::ptr_eq(&at.dentry, &at.mount.root);
        return Err(if flags & (FORCE | DETACH) != 0 || !is_root { EINVAL } else { EAGAIN });
    }
    mount::unmount(at, flags & DETACH != 0)?;
    Ok(0)
}
