//! File handles: `name_to_handle_at(2)`, `open_by_handle_at(2)`.

use super::Cx;
use crate::error::*;
use crate::fs::at::{self, AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_FOLLOW, AT_SYMLINK_NOFOLLOW};
use crate::fs::handle::FileHandle;
use crate::fs::Caller;
use crate::task::Capability;
use crate::user;

/// Most bytes of a handle.
const MAX_HANDLE: u32 = 128;
/// Bytes of `struct file_handle` before the handle: its length (u32) and type (i32).
const HEADER: usize = 8;

/// name_to_handle_at(2)
pub fn sys_name_to_handle_at(cx: &Cx<'_>, dirfd: i32, path: usize, handle: usize, mount: usize, flags: u32) -> Result<usize> {
    call_flags::names::NAME_TO_HANDLE_AT.check(flags)?;
    let path = user::read_path(path)?;
    let follow = if flags & AT_SYMLINK_FOLLOW != 0 { 0 } else { AT_SYMLINK_NOFOLLOW };
    let target = at::target(cx.process, dirfd, &path, follow | flags & AT_EMPTY_PATH)?;
    let place = target.place().ok_or(EOPNOTSUPP)?;
    let found = place.inode().clone().file_handle()?;
    let room: u32 = user::read(handle)?;
    if room > MAX_HANDLE {
        return Err(EINVAL);
    }
    user::write(mount, &(place.mount.id as i32))?;
    // The length that it has, or would need.
    user::write(handle, &(FileHandle::BYTES as u32))?;
    if (room as usize) < FileHandle::BYTES {
        return Err(EOVERFLOW);
    }
    user::write(handle + 4, &FileHandle::TYPE)?;
    frame::user::copy_to_user((handle + HEADER) as u64, &found.encode())?;
    Ok(0)
}

/// open_by_handle_at(2)
pub fn sys_open_by_handle_at(cx: &Cx<'_>, mount: i32, handle: usize, flags: u32) -> Result<usize> {
    if !cx.thread.has(Capability::DAC_READ_SEARCH) {
        return Err(EPERM);
    }
    let [size, kind]: [u32; 2] = user::read(handle)?;
    if size == 0 || size > MAX_HANDLE {
        return Err(EINVAL);
    }
    let bytes = user::read_bytes(handle + HEADER, size as usize)?;
    let place = match mount {
        AT_FDCWD => cx.process.fs().cwd(),
        fd => cx.process.files().get_real(fd)?.path.clone().ok_or(ESTALE)?,
    };
    let found = FileHandle::decode(kind as i32, &bytes).ok_or(ESTALE)?.find(&place.mount)?;
    let flags = super::open::lenient(flags)?;
    cx.process.files().check_room()?;
    let file = Caller::of(cx.process).open_found(found, flags)?;
    cx.process.files().insert(file, super::open::fd_flags(flags)).map(|fd| fd as usize)
}
