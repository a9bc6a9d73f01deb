//! Redox's class-coded system calls (numbers from 0x1000_0000 on, `syscall::number` of `redox_syscall` 0.9.5), beside Linux's in the same process. Each is the
//! Linux call of the same meaning with Redox's flags and structures; arguments are in Linux's registers.

use alloc::vec::Vec;

use frame::user::UserRegs;
use scheme_abi::stat::{STAT_BYTES, encode_stat};
use scheme_abi::{Stat, sqe};

use super::Cx;
use super::{open, rw};
use crate::error::*;
use crate::fs::{Caller, FdFlags, IoSink, LookupFlags, OpenFlags, at};
use crate::scheme::raw_call;
use crate::user;

/// The first of these numbers.
pub const FIRST: u64 = 0x1000_0000;

const OPENAT_INTO2: u64 = 0x1010_0000 | 986;
const UNLINKAT: u64 = 0x1000_0000 | 263;
const CLOSE: u64 = 0x2000_0000 | 6;
const DUP_INTO: u64 = 0x2010_0000 | 988;
const DUP2: u64 = 0x2010_0000 | 63;
const READ: u64 = 0x2200_0000 | 3;
const READ2: u64 = 0x2200_0000 | 35;
const WRITE: u64 = 0x2100_0000 | 4;
const WRITE2: u64 = 0x2100_0000 | 45;
const LSEEK: u64 = 0x2000_0000 | 19;
const FSTAT: u64 = 0x2200_0000 | 28;
const FSYNC: u64 = 0x2000_0000 | 118;
const FPATH: u64 = 0x2200_0000 | 928;
const CALL: u64 = 0x2300_0000 | 0xca11;

/// `out` of the calls that make a descriptor: the lowest free one.
const ANY_FD: u64 = u64::MAX;
/// Bits of `CALL`'s fourth argument beside the number of metadata words (`CallFlags::WRITE`, `CallFlags::READ`).
const CALL_WRITE: u64 = 1 << 9;
const CALL_READ: u64 = 1 << 10;
const CALL_WORDS: u64 = 0xff;
/// An offset that means "at the file position".
const NO_OFFSET: u64 = u64::MAX;

fn fd(value: u64) -> Result<i32> {
    i32::try_from(value).map_err(|_| EBADF)
}

fn path(ptr: u64, len: u64) -> Result<Vec<u8>> {
    if len >= 4096 {
        return Err(ENAMETOOLONG);
    }
    user::read_bytes(ptr as usize, len as usize)
}

/// Runs one of Redox's calls; `None` where there is no such number.
pub fn call(cx: &Cx<'_>, number: u64, r: &UserRegs) -> Option<Result<usize>> {
    let [a, b, c, d, e] = [r.rdi, r.rsi, r.rdx, r.r10, r.r8];
    Some(match number {
        OPENAT_INTO2 => open_at(cx, a, b, c, d, e),
        UNLINKAT => unlink_at(cx, a, b, c, d),
        CLOSE => fd(a).and_then(|fd| open::sys_close(cx, fd)),
        // A buffer that says how would be a request to the daemon (`Dup`); without one it is a plain duplicate.
        DUP_INTO => duplicate(cx, a, c, d),
        DUP2 => duplicate(cx, a, d, b),
        READ => fd(a).and_then(|fd| rw::sys_read(cx, fd, b as usize, c as usize)),
        WRITE => fd(a).and_then(|fd| rw::sys_write(cx, fd, b as usize, c as usize)),
        READ2 if d == NO_OFFSET => fd(a).and_then(|fd| rw::sys_read(cx, fd, b as usize, c as usize)),
        WRITE2 if d == NO_OFFSET => fd(a).and_then(|fd| rw::sys_write(cx, fd, b as usize, c as usize)),
        READ2 => fd(a).and_then(|fd| rw::sys_pread64(cx, fd, b as usize, c as usize, d as i64)),
        WRITE2 => fd(a).and_then(|fd| rw::sys_pwrite64(cx, fd, b as usize, c as usize, d as i64)),
        LSEEK => u32::try_from(c).map_err(|_| EINVAL).and_then(|whence| rw::sys_lseek(cx, fd(a)?, b as i64, whence)),
        FSTAT => stat(cx, a, b, c),
        FSYNC => fd(a).and_then(|fd| cx.process.files().get(fd)?.ops.sync(false)).map(|()| 0),
        FPATH => file_path(cx, a, b, c),
        CALL => scheme_call(cx, a, b, c, d, e),
        _ => return None,
    })
}

fn place(cx: &Cx<'_>, file: alloc::sync::Arc<crate::fs::OpenFile>, out: u64, flags: FdFlags) -> Result<usize> {
    let files = cx.process.files();
    if out == ANY_FD {
        return files.insert(file, flags).map(|fd| fd as usize);
    }
    let fd = fd(out)?;
    files.replace(fd, file, flags)?;
    Ok(fd as usize)
}

fn open_at(cx: &Cx<'_>, dir: u64, ptr: u64, len_flags: u64, flags: u64, out: u64) -> Result<usize> {
    let fcntl = len_flags & scheme_abi::O_FCNTL_MASK as u64;
    let path = path(ptr, len_flags & !(scheme_abi::O_FCNTL_MASK as u64))?;
    let (linux, mode) = scheme_abi::flags::to_linux(flags | fcntl);
    cx.process.files().check_room()?;
    let start = at::start(cx.process, dir as i32, &path)?;
    let file = Caller::of(cx.process).open(start.as_ref(), &path, OpenFlags::from_bits_truncate(linux), u32::from(mode), LookupFlags::empty())?;
    place(cx, file, out, FdFlags::empty())
}

fn unlink_at(cx: &Cx<'_>, dir: u64, ptr: u64, len: u64, flags: u64) -> Result<usize> {
    let path = path(ptr, len)?;
    let start = at::start(cx.process, dir as i32, &path)?;
    let caller = Caller::of(cx.process);
    match flags {
        0 => caller.unlink(start.as_ref(), &path)?,
        _ if flags == scheme_abi::AT_REMOVEDIR as u64 => caller.rmdir(start.as_ref(), &path)?,
        _ => return Err(EINVAL),
    }
    Ok(0)
}

fn duplicate(cx: &Cx<'_>, from: u64, buffer_len: u64, out: u64) -> Result<usize> {
    if buffer_len != 0 {
        return Err(EOPNOTSUPP);
    }
    let file = cx.process.files().get(fd(from)?)?;
    place(cx, file, out, FdFlags::empty())
}

fn stat(cx: &Cx<'_>, from: u64, to: u64, len: u64) -> Result<usize> {
    if len < STAT_BYTES as u64 {
        return Err(EINVAL);
    }
    let attr = cx.process.files().get(fd(from)?)?.ops.attr()?;
    let time = |ns: i64| ((ns.max(0) / 1_000_000_000) as u64, (ns.max(0) % 1_000_000_000) as u32);
    let ((st_mtime, st_mtime_nsec), (st_atime, st_atime_nsec), (st_ctime, st_ctime_nsec)) = (time(attr.mtime_ns), time(attr.atime_ns), time(attr.ctime_ns));
    let stat = Stat {
        st_dev: attr.dev,
        st_ino: attr.ino,
        st_mode: attr.mode as u16,
        st_nlink: attr.nlink,
        st_uid: crate::task::user_ns::current().uid_out(attr.uid),
        st_gid: crate::task::user_ns::current().gid_out(attr.gid),
        st_size: attr.size,
        st_blksize: attr.blksize,
        st_blocks: attr.blocks,
        st_mtime,
        st_mtime_nsec,
        st_atime,
        st_atime_nsec,
        st_ctime,
        st_ctime_nsec,
    };
    let mut bytes = [0; STAT_BYTES];
    encode_stat(&stat, &mut bytes).map_err(|_| EIO)?;
    user::write(to as usize, &bytes)?;
    Ok(0)
}

fn file_path(cx: &Cx<'_>, from: u64, to: u64, len: u64) -> Result<usize> {
    let file = cx.process.files().get(fd(from)?)?;
    let name = match &file.path {
        Some(path) => path.name_from(&cx.process.fs().root()).0,
        None => file.ops.describe().into_bytes(),
    };
    IoSink::user(to as usize, len as usize).write(&name)
}

/// `SYS_CALL`: a `Call` request with up to three words of metadata, on a file of a user scheme.
fn scheme_call(cx: &Cx<'_>, from: u64, ptr: u64, len: u64, flags: u64, words: u64) -> Result<usize> {
    let count = flags & CALL_WORDS;
    if flags & !(CALL_WORDS | CALL_READ | CALL_WRITE) != 0 || count > 3 {
        return Err(EOPNOTSUPP);
    }
    let mut metadata = [0; 3];
    for (i, word) in metadata.iter_mut().take(count as usize).enumerate() {
        *word = user::read((words as usize).checked_add(i * 8).ok_or(EFAULT)?)?;
    }
    let file = cx.process.files().get(fd(from)?)?;
    let make = |handle, buffer| sqe::call(handle, buffer, metadata);
    raw_call(&file, make, (ptr as usize, len as usize), flags & CALL_WRITE != 0, flags & CALL_READ != 0)
}
