//! Administration of what this system has not: accounting, swap, modules; and the reading of the clock's state.

use super::Cx;
use crate::error::*;
use crate::fs::{FileType, OpenFlags};
use crate::fs::at::{self, AT_FDCWD};
use crate::time::Clock;
use crate::task::Capability;
use crate::user;

fn need(cx: &Cx<'_>, capability: Capability) -> Result {
    if cx.thread.has(capability) { Ok(()) } else { Err(EPERM) }
}

/// swapon(2), swapoff(2): memory is never swapped out, so nothing is fit for it.
fn no_swap(cx: &Cx<'_>, path: usize) -> Result<usize> {
    need(cx, Capability::SYS_ADMIN)?;
    let path = user::read_path(path)?;
    at::resolve_at(cx.process, AT_FDCWD, &path, 0)?;
    Err(EINVAL)
}

/// swapon(2)
pub fn sys_swapon(cx: &Cx<'_>, path: usize, flags: u32) -> Result<usize> {
    call_flags::memory::SWAPON.check(flags)?;
    no_swap(cx, path)
}

/// swapoff(2)
pub fn sys_swapoff(cx: &Cx<'_>, path: usize) -> Result<usize> {
    no_swap(cx, path)
}

/// adjtimex(2)
pub fn sys_adjtimex(cx: &Cx<'_>, at: usize) -> Result<usize> {
    sys_clock_adjtime(cx, 0, at)
}

/// clock_adjtime(2)
pub fn sys_clock_adjtime(cx: &Cx<'_>, clock: i32, at: usize) -> Result<usize> {
    use crate::time::ntp::{self, ADJ_ADJTIME, ADJ_NANO, Timex};
    if Clock::parse(clock)? != Clock::Realtime {
        return Err(EOPNOTSUPP);
    }
    let mut timex: Timex = user::read(at)?;
    timex[0] &= 0xffff_ffff;
    let modes = timex[0];
    call_flags::time::ADJTIMEX.check(modes)?;
    let is_read = modes == 0 || modes & (ADJ_ADJTIME | ADJ_NANO) == ADJ_ADJTIME | ADJ_NANO;
    if !is_read {
        need(cx, Capability::SYS_TIME)?;
    }
    let state = ntp::adjust(&mut timex)?;
    user::write(at, &timex)?;
    Ok(state)
}

/// acct(2)
pub fn sys_acct(cx: &Cx<'_>, path: usize) -> Result<usize> {
    need(cx, Capability::SYS_PACCT)?;
    if path == 0 {
        crate::task::accounting::switch(None);
        return Ok(0);
    }
    let path = user::read_path(path)?;
    let flags = OpenFlags::WRONLY | OpenFlags::APPEND;
    let file = crate::fs::Caller::of(cx.process).open(None, &path, flags, 0, crate::fs::LookupFlags::empty())?;
    if file.ops.attr()?.file_type() != FileType::Regular {
        return Err(EACCES);
    }
    crate::task::accounting::switch(Some(file));
    Ok(0)
}

/// vhangup(2): a terminal cannot be taken from who has it open without ending it for those who open it later.
pub fn sys_vhangup(cx: &Cx<'_>) -> Result<usize> {
    need(cx, Capability::SYS_TTY_CONFIG)?;
    Err(ENOSYS)
}

/// Kinds of quotas: of users, groups and projects.
const MAXQUOTAS: u32 = 3;
/// `QCMD`: the kind is in the low bits, the command above them.
const SUBCMDSHIFT: u32 = 8;
const Q_SYNC: u32 = 0x80_0001;

/// quotactl(2): no filesystem here has quotas.
pub fn sys_quotactl(cx: &Cx<'_>, cmd: u32, special: usize, _id: u32, _addr: usize) -> Result<usize> {
    if cmd & ((1 << SUBCMDSHIFT) - 1) >= MAXQUOTAS {
        return Err(EINVAL);
    }
    if special == 0 {
        return if cmd >> SUBCMDSHIFT == Q_SYNC { Ok(0) } else { Err(ENODEV) };
    }
    let path = user::read_path(special)?;
    match at::resolve_at(cx.process, AT_FDCWD, &path, 0)?.inode().attr()?.file_type() {
        FileType::BlockDevice => Err(ENOSYS),
        _ => Err(ENOTBLK),
    }
}

/// quotactl_fd(2)
pub fn sys_quotactl_fd(cx: &Cx<'_>, fd: i32, cmd: u32, _id: u32, _addr: usize) -> Result<usize> {
    cx.process.files().get(fd)?;
    Err(if cmd & ((1 << SUBCMDSHIFT) - 1) >= MAXQUOTAS { EINVAL } else { ENOSYS })
}

/// init_module(2): drivers are processes here, so that nothing is a module of this kernel.
pub fn sys_init_module(cx: &Cx<'_>, at: usize, len: usize, _parameters: usize) -> Result<usize> {
    need(cx, Capability::SYS_MODULE)?;
    // As Linux: the image comes first, then whether it is one.
    user::read_bytes(at, len.min(64))?;
    Err(ENOEXEC)
}

/// finit_module(2)
pub fn sys_finit_module(cx: &Cx<'_>, fd: i32, _parameters: usize, flags: u32) -> Result<usize> {
    need(cx, Capability::SYS_MODULE)?;
    call_flags::processes::FINIT_MODULE.check(flags)?;
    let file = cx.process.files().get(fd)?;
    if !file.flags().readable() {
        return Err(EBADF);
    }
    // What is no regular file, or empty, is not read at all.
    let attr = file.ops.attr()?;
    match FileType::from_mode(attr.mode) {
        Some(FileType::Regular) if attr.size > 0 => Err(ENOEXEC),
        _ => Err(EINVAL),
    }
}

/// delete_module(2)
pub fn sys_delete_module(cx: &Cx<'_>, name: usize, _flags: u32) -> Result<usize> {
    /// `MODULE_NAME_LEN`
    const LONGEST: usize = 56;
    need(cx, Capability::SYS_MODULE)?;
    let name = user::read_cstr(name, LONGEST).or_else(|error| if error == ENAMETOOLONG { Err(ENOENT) } else { Err(error) });
    name.and(Err(ENOENT))
}
