//! `fcntl(2)`, `flock(2)`, `ioctl(2)`.

use alloc::sync::Arc;

use call_flags::files;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::Cx;
use crate::error::*;
use crate::task::pid_ns;
use crate::fs::lease;
use crate::fs::locks::{self, Owner, RecordLock};
use crate::fs::sigio::Owner as SignalOwner;
use crate::fs::tmpfs::TmpInode;
use crate::fs::{FdFlags, FileType, OpenFile, OpenFlags};
use crate::user;

const F_DUPFD: u32 = 0;
const F_GETFD: u32 = 1;
const F_SETFD: u32 = 2;
const F_GETFL: u32 = 3;
const F_SETFL: u32 = 4;
const F_GETLK: u32 = 5;
const F_SETLK: u32 = 6;
const F_SETLKW: u32 = 7;
const F_SETOWN: u32 = 8;
const F_GETOWN: u32 = 9;
const F_SETSIG: u32 = 10;
const F_GETSIG: u32 = 11;
const F_SETOWN_EX: u32 = 15;
const F_GETOWN_EX: u32 = 16;
const F_OFD_GETLK: u32 = 36;
const F_OFD_SETLK: u32 = 37;
const F_OFD_SETLKW: u32 = 38;
const F_SETLEASE: u32 = 1024;
const F_GETLEASE: u32 = 1025;
const F_NOTIFY: u32 = 1026;
const F_DUPFD_CLOEXEC: u32 = 1030;
const F_SETPIPE_SZ: u32 = 1031;
const F_GETPIPE_SZ: u32 = 1032;
const F_ADD_SEALS: u32 = 1033;
const F_GET_SEALS: u32 = 1034;

const F_RDLCK: i16 = 0;
const F_WRLCK: i16 = 1;
const F_UNLCK: i16 = 2;

/// fcntl(2)
pub fn sys_fcntl(cx: &Cx<'_>, fd: i32, cmd: u32, arg: usize) -> Result<usize> {
    let table = cx.process.files();
    let file = table.get(fd)?;
    if file.flags().contains(OpenFlags::PATH) && !matches!(cmd, F_DUPFD | F_DUPFD_CLOEXEC | F_GETFD | F_SETFD | F_GETFL) {
        return Err(EBADF);
    }
    files::FCNTL.check(cmd)?;
    match cmd {
        F_DUPFD => dup_from(cx, file, arg, FdFlags::empty()),
        F_DUPFD_CLOEXEC => dup_from(cx, file, arg, FdFlags::CLOEXEC),
        F_GETFD => table.flags(fd).map(|f| f.bits() as usize),
        F_SETFD => table.set_flags(fd, FdFlags::from_bits_truncate(arg as u32)).map(|()| 0),
        F_GETFL => Ok(file.flags().bits() as usize),
        F_SETFL => set_flags(cx, &file, fd, OpenFlags::from_bits_retain(arg as u32)),
        F_GETLK | F_OFD_GETLK => get_lock(cx, &file, arg, cmd == F_OFD_GETLK),
        F_SETLK | F_SETLKW | F_OFD_SETLK | F_OFD_SETLKW => {
            let wait = matches!(cmd, F_SETLKW | F_OFD_SETLKW);
            set_lock(cx, &file, arg, matches!(cmd, F_OFD_SETLK | F_OFD_SETLKW), wait)
        }
        F_SETOWN => set_owner(&file, arg as i32),
        F_GETOWN => Ok(owner_number(&file) as usize),
        F_SETOWN_EX => {
            let [kind, who]: [i32; 2] = user::read(arg)?;
            let id = u32::try_from(who).map_err(|_| ESRCH)?;
            file.signals.set_owner(&file, match (kind, id) {
                (0..=2, 0) => SignalOwner::Nobody,
                (0, tid) => SignalOwner::Thread(pid_ns::meant(tid)?),
                (1, pid) => SignalOwner::Process(pid_ns::meant(pid)?),
                (2, group) => SignalOwner::Group(pid_ns::meant(group)?),
                _ => return Err(EINVAL),
            })?;
            Ok(0)
        }
        F_GETOWN_EX => {
            let owner = match file.signals.owner() {
                SignalOwner::Nobody => [0, 0],
                SignalOwner::Thread(tid) => [0, pid_ns::seen(tid)],
                SignalOwner::Process(pid) => [1, pid_ns::seen(pid)],
                SignalOwner::Group(group) => [2, pid_ns::seen(group)],
            };
            user::write(arg, &owner).map(|()| 0)
        }
        F_SETSIG => file.signals.set_signal(u32::try_from(arg).map_err(|_| EINVAL)?).map(|()| 0),
        F_GETSIG => Ok(file.signals.signal() as usize),
        F_NOTIFY => file.signals.notify(&file, fd, arg as u32).map(|()| 0),
        F_SETLEASE => {
            let wanted = match i16::try_from(arg).map_err(|_| EINVAL)? {
                F_RDLCK => Some(lease::Kind::Read),
                F_WRLCK => Some(lease::Kind::Write),
                F_UNLCK => None,
                _ => return Err(EINVAL),
            };
            lease::set(&file, fd, wanted).map(|()| 0)
        }
        F_GETLEASE => Ok(match lease::get(&file)? {
            Some(lease::Kind::Read) => F_RDLCK,
            Some(lease::Kind::Write) => F_WRLCK,
            None => F_UNLCK,
        } as usize),
        F_GETPIPE_SZ => file.ops.pipe_size(None),
        F_SETPIPE_SZ => file.ops.pipe_size(Some(arg)),
        F_ADD_SEALS => {
            if !file.flags().writable() {
                return Err(EPERM);
            }
            with_memfd(&file, |inode| inode.add_seals(arg as u32)).map(|()| 0)
        }
        F_GET_SEALS => with_memfd(&file, |inode| inode.seals().map(|s| s as usize)),
        _ => Err(EINVAL),
    }
}

fn dup_from(cx: &Cx<'_>, file: Arc<OpenFile>, min: usize, flags: FdFlags) -> Result<usize> {
    // The argument is an int: a negative one is beyond every limit.
    let min = usize::try_from(min as i32).map_err(|_| EINVAL)?;
    cx.process.files().insert_from(file, flags, min).map(|fd| fd as usize)
}

/// Who gets the file's signals, as `F_SETOWN` says it: groups are negative.
fn set_owner(file: &OpenFile, who: i32) -> Result<usize> {
    file.signals.set_owner(file, match who {
        0 => SignalOwner::Nobody,
        1.. => SignalOwner::Process(pid_ns::meant(who as u32)?),
        i32::MIN => return Err(EINVAL),
        _ => SignalOwner::Group(pid_ns::meant(who.unsigned_abs())?),
    })?;
    Ok(0)
}

fn owner_number(file: &OpenFile) -> i32 {
    match file.signals.owner() {
        SignalOwner::Nobody => 0,
        SignalOwner::Thread(id) | SignalOwner::Process(id) => pid_ns::seen(id) as i32,
        SignalOwner::Group(group) => -(pid_ns::seen(group) as i32),
    }
}

fn set_flags(cx: &Cx<'_>, file: &OpenFile, fd: i32, flags: OpenFlags) -> Result<usize> {
    let old = file.flags();
    if flags.contains(OpenFlags::NOATIME) && !old.contains(OpenFlags::NOATIME) {
        if !cx.thread.creds().owns(file.ops.attr()?.uid) {
            return Err(EPERM);
        }
    }
    file.set_flags(flags);
    file.signals.switch(file, fd, flags.contains(OpenFlags::ASYNC));
    Ok(0)
}

fn with_memfd<R>(file: &OpenFile, f: impl FnOnce(&TmpInode) -> Result<R>) -> Result<R> {
    let inode = file.ops.inode().ok_or(EINVAL)?;
    f(inode.as_any().downcast_ref().ok_or(EINVAL)?)
}

/// `struct flock` of x86-64.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct Flock {
    kind: i16,
    whence: i16,
    pad: u32,
    start: i64,
    len: i64,
    pid: i32,
    pad2: u32,
}

impl Flock {
    /// The bytes it means: first, and behind the last.
    fn range(&self, file: &OpenFile) -> Result<(u64, u64)> {
        let base = match self.whence {
            0 => 0,
            1 => *file.pos() as i64,
            2 => file.ops.attr()?.size as i64,
            _ => return Err(EINVAL),
        };
        let start = base.checked_add(self.start).ok_or(EOVERFLOW)?;
        // A negative length means the bytes before the start.
        let (start, end) = match self.len {
            0 => (start, None),
            len if len > 0 => (start, Some(start.checked_add(len).ok_or(EOVERFLOW)?)),
            len => (start.checked_add(len).ok_or(EINVAL)?, Some(start)),
        };
        let start = u64::try_from(start).map_err(|_| EINVAL)?;
        Ok((start, end.map_or(u64::MAX, |end| end as u64)))
    }

    fn lock(&self, cx: &Cx<'_>, file: &OpenFile, ofd: bool) -> Result<RecordLock> {
        if ofd && self.pid != 0 {
            return Err(EINVAL);
        }
        let exclusive = match self.kind {
            F_RDLCK | F_UNLCK => false,
            F_WRLCK => true,
            _ => return Err(EINVAL),
        };
        let (start, end) = self.range(file)?;
        let (owner, pid) =
            if ofd { (Owner::description(file), -1) } else { (Owner::table(&cx.process.files()), cx.process.pid as i32) };
        Ok(RecordLock { owner, pid, exclusive, start, end })
    }
}

fn get_lock(cx: &Cx<'_>, file: &OpenFile, arg: usize, ofd: bool) -> Result<usize> {
    let mut request: Flock = user::read(arg)?;
    if request.kind == F_UNLCK {
        return Err(EINVAL);
    }
    match locks::test(file, &request.lock(cx, file, ofd)?)? {
        None => request.kind = F_UNLCK,
        Some(other) => {
            let len = if other.end == u64::MAX { 0 } else { (other.end - other.start) as i64 };
            let kind = if other.exclusive { F_WRLCK } else { F_RDLCK };
            request = Flock { kind, whence: 0, pad: 0, start: other.start as i64, len, pid: if other.pid < 0 { other.pid } else { pid_ns::seen(other.pid as u32) as i32 }, pad2: 0 };
        }
    }
    user::write(arg, &request)?;
    Ok(0)
}

fn set_lock(cx: &Cx<'_>, file: &OpenFile, arg: usize, ofd: bool, wait: bool) -> Result<usize> {
    let request: Flock = user::read(arg)?;
    let wanted = request.lock(cx, file, ofd)?;
    match request.kind {
        F_UNLCK => locks::clear(file, wanted.owner, wanted.start, wanted.end)?,
        F_RDLCK if !file.flags().readable() => return Err(EBADF),
        F_WRLCK if !file.flags().writable() => return Err(EBADF),
        _ => locks::set(file, &wanted, wait)?,
    }
    Ok(0)
}

/// flock(2)
pub fn sys_flock(cx: &Cx<'_>, fd: i32, operation: u32) -> Result<usize> {
    const EXCLUSIVE: u32 = 2;
    const NONBLOCKING: u32 = 4;
    const UNLOCK: u32 = 8;
    const MANDATORY: u32 = 32;
    if operation & MANDATORY != 0 {
        // As Linux since 5.16: accepted, without effect.
        return Ok(0);
    }
    let wait = operation & NONBLOCKING == 0;
    let operation = operation & !NONBLOCKING;
    files::FLOCK.check(operation)?;
    if operation.count_ones() != 1 {
        return Err(EINVAL);
    }
    let file = cx.process.files().get_real(fd)?;
    match operation {
        UNLOCK => locks::unflock(&file)?,
        _ => locks::flock(&file, operation == EXCLUSIVE, wait)?,
    }
    Ok(0)
}

/// ioctl(2)
pub fn sys_ioctl(cx: &Cx<'_>, fd: i32, cmd: u32, arg: usize) -> Result<usize> {
    const FIGETBSZ: u32 = 2;
    const FIONREAD: u32 = 0x541b;
    const FIONBIO: u32 = 0x5421;
    const FIONCLEX: u32 = 0x5450;
    const FIOCLEX: u32 = 0x5451;
    const FIOASYNC: u32 = 0x5452;
    const FIOQSIZE: u32 = 0x5460;
    const FIOSETOWN: u32 = 0x8901;
    const SIOCSPGRP: u32 = 0x8902;
    const FIOGETOWN: u32 = 0x8903;
    const SIOCGPGRP: u32 = 0x8904;
    let files = cx.process.files();
    let file = files.get_real(fd)?;
    let change = |flag: OpenFlags| -> Result<usize> {
        let on: i32 = user::read(arg)?;
        let flags = file.flags();
        file.set_flags(if on != 0 { flags | flag } else { flags - flag });
        file.signals.switch(&file, fd, file.flags().contains(OpenFlags::ASYNC));
        // A daemon may want to know as well, but need not.
        Ok(0)
    };
    match cmd {
        FIOCLEX => files.set_flags(fd, FdFlags::CLOEXEC).map(|()| 0),
        FIONCLEX => files.set_flags(fd, FdFlags::empty()).map(|()| 0),
        FIONBIO => change(OpenFlags::NONBLOCK),
        FIOASYNC => change(OpenFlags::ASYNC),
        FIOSETOWN | SIOCSPGRP if is_socket(&file) => set_owner(&file, user::read(arg)?),
        FIOGETOWN | SIOCGPGRP if is_socket(&file) => user::write(arg, &owner_number(&file)).map(|()| 0),
        FIONREAD | FIGETBSZ | FIOQSIZE if file.path.is_some() => match file.ops.ioctl(&file, cmd, arg) {
            Err(ENOTTY) => regular_ioctl(&file, cmd, arg),
            answered => answered,
        },
        _ => file.ops.ioctl(&file, cmd, arg),
    }
}

fn is_socket(file: &OpenFile) -> bool {
    file.ops.attr().is_ok_and(|attr| attr.file_type() == FileType::Socket)
}

/// What regular files answer themselves.
fn regular_ioctl(file: &OpenFile, cmd: u32, arg: usize) -> Result<usize> {
    let attr = file.ops.attr()?;
    let regular = attr.file_type() == FileType::Regular;
    match cmd {
        0x541b if regular => user::write(arg, &(attr.size.saturating_sub(*file.pos()).min(i32::MAX as u64) as i32))?,
        2 if regular => user::write(arg, &attr.blksize)?,
        0x5460 if regular || attr.file_type() == FileType::Directory => user::write(arg, &attr.size)?,
        _ => return Err(ENOTTY),
    }
    Ok(0)
}
