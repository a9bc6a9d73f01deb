//! Administration of what this system has not: accounting, swap, modules; and the reading of the clock's state.

use super::Cx;
use crate::error::*;
use crate::fs::FileType;
use crate::fs::at::{self, AT_FDCWD};
use crate::time::Clock;
use crate::task::Capability;
use crate::user;

fn need(cx: &Cx<'_>, capability: Capability) -> Result {
    if cx.thread.has(capability) { Ok(()) } else { Err(EPERM) }
}

/// acct(2): turning it off is always done; there is no process accounting to turn on (`ENOSYS`, as there).
pub fn sys_acct(cx: &Cx<'_>, path: usize) -> Result<usize> {
    need(cx, Capability::SYS_PACCT)?;
    if path == 0 {
        return Ok(0);
    }
    let path = user::read_path(path)?;
    match at::resolve_at(cx.process, AT_FDCWD, &path, 0)?.inode().attr()?.file_type() {
        FileType::Regular => Err(ENOSYS),
        _ => Err(EACCES),
    }
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

/// clock_adjtime(2): reads the state (nothing disciplines the clock), and sets the time by an offset.
pub fn sys_clock_adjtime(cx: &Cx<'_>, clock: i32, at: usize) -> Result<usize> {
    const SET_OFFSET: u64 = 0x100;
    const NANO: u64 = 0x2000;
    const OFFSET_ONCE: u64 = 0x8001;
    const OFFSET_LEFT: u64 = 0xa001;
    /// The clock is not synchronised: its state, and the call's result.
    const STA_UNSYNC: u64 = 0x40;
    const TIME_ERROR: usize = 5;
    if Clock::parse(clock)? != Clock::Realtime {
        return Err(EOPNOTSUPP);
    }
    // struct timex: 26 words of 8 bytes; 9 and 10 are the time.
    let mut timex: [u64; 26] = user::read(at)?;
    let modes = timex[0] & 0xffff_ffff;
    // ADJ_OFFSET_SS_READ: what is left of the slow change that adjtime(3) asked for.
    if modes != 0 && modes != OFFSET_LEFT {
        need(cx, Capability::SYS_TIME)?;
        if modes != OFFSET_ONCE {
            call_flags::time::ADJTIMEX.check(modes)?;
        }
    }
    let is_slow = modes == OFFSET_ONCE || modes == OFFSET_LEFT;
    let left_us = match modes {
        OFFSET_ONCE => crate::time::slew::start((timex[1] as i64).checked_mul(1000).ok_or(EINVAL)?) / 1000,
        _ => crate::time::slew::left_ns() / 1000,
    };
    if modes & SET_OFFSET != 0 && !is_slow {
        let unit = if modes & NANO != 0 { 1 } else { 1000 };
        let part = timex[10] as i64;
        if !(0..1_000_000_000 / unit).contains(&part) {
            return Err(EINVAL);
        }
        let change = (timex[9] as i64).checked_mul(1_000_000_000).and_then(|ns| ns.checked_add(part * unit)).ok_or(EINVAL)?;
        let now = crate::time::realtime_ns().checked_add_signed(change).ok_or(EINVAL)?;
        crate::time::set_realtime(now);
    }
    let now = crate::time::realtime_ns();
    timex = [0; 26];
    timex[0] = modes;
    if is_slow {
        timex[1] = left_us as u64;
    }
    timex[3] = 16_000_000;
    timex[4] = 16_000_000;
    timex[5] = STA_UNSYNC;
    timex[6] = 2;
    timex[7] = 1;
    timex[8] = 32_768_000;
    timex[9] = now / 1_000_000_000;
    timex[10] = now % 1_000_000_000 / 1000;
    timex[11] = 10_000;
    user::write(at, &timex)?;
    Ok(TIME_ERROR)
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
