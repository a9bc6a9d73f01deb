//! From an `Sqe` to a method call, and from what the method returns to a result word.

use crate::area::Range;
use crate::error::{Errno, Fail, Result};
use crate::outbox::Outbox;
use crate::scheme::{Context, Opened, Scheme};
use scheme_abi::dirent::{DirentWriter, HEADER_BYTES};
use scheme_abi::fs::Time;
use scheme_abi::sqe;
use scheme_abi::sqe::Ids;
use scheme_abi::wire::Reader;
use scheme_abi::{EventFlags, MapFlags, Opcode, Sqe, SqeFlags, stat};
use std::os::fd::OwnedFd;

/// What an answer carries.
pub(crate) enum Reply {
    Value(u64),
    Fd(OwnedFd),
}

impl From<Opened> for Reply {
    fn from(opened: Opened) -> Self {
        match opened {
            Opened::Handle(handle) => Self::Value(handle),
            Opened::Fd(fd) => Self::Fd(fd),
        }
    }
}

/// The flag `RwFlags::NONBLOCK` in the fifth argument of `Read` and `Write`.
const RW_NONBLOCK: u64 = 1;

/// Calls the method for `sqe`. `buffer` becomes the request's buffer.
pub(crate) fn dispatch(
    scheme: &mut impl Scheme,
    sqe: &Sqe,
    out: &mut Outbox,
    buffer: &mut Range,
) -> Result<Reply> {
    let opcode = Opcode::try_from_raw(sqe.opcode).ok_or(Errno::NOSYS)?;
    if sqe.sqe_flags.contains(SqeFlags::MULTIPLE_IDS) {
        return Err(Errno::INVAL.into());
    }
    if has_buffer(opcode) {
        *buffer = out.area.range(sqe.args[1], sqe.args[2])?;
    }
    let mut lent = out.area.lend(*buffer);
    let reply = call_method(scheme, opcode, sqe, out, lent.bytes());
    out.area.take_back(lent);
    reply
}

const fn has_buffer(opcode: Opcode) -> bool {
    use Opcode::*;
    matches!(
        opcode,
        Dup | Read
            | Write
            | Fpath
            | Frename
            | Fstat
            | Fstatvfs
            | Futimens
            | Getdents
            | Call
            | OpenAt
            | Flink
            | UnlinkAt
    )
}

/// A path as text. No scheme has names that are not UTF-8, so a lookup of one finds nothing.
fn text(path: &[u8]) -> Result<&str> {
    core::str::from_utf8(path).map_err(|_| Errno::NOENT.into())
}

fn call_method(
    scheme: &mut impl Scheme,
    opcode: Opcode,
    request: &Sqe,
    out: &mut Outbox,
    buffer: &mut [u8],
) -> Result<Reply> {
    let [handle, a1, a2, a3, a4, a5] = request.args;
    let ids = match opcode {
        Opcode::OpenAt | Opcode::UnlinkAt | Opcode::Frename | Opcode::Flink | Opcode::Call => {
            Ids::unpack(a5)
        }
        _ => Ids::default(),
    };
    let cx = &mut Context {
        tag: request.tag,
        pid: request.caller,
        ids,
        mtime: match opcode {
            Opcode::Write if a5 != 0 => Some(sqe::time_of_ns(a5.cast_signed())),
            _ => None,
        },
        is_nonblocking: matches!(opcode, Opcode::Read | Opcode::Write) && a4 & RW_NONBLOCK != 0,
        out,
    };
    let done = |()| 0;
    let count = |len: usize| len as u64;
    let value = match opcode {
        Opcode::OpenAt => return Ok(scheme.openat(cx, handle, text(buffer)?, a3)?.into()),
        Opcode::Dup => return Ok(scheme.dup(cx, handle, buffer)?.into()),
        Opcode::Close => {
            scheme.on_close(handle);
            Ok(0)
        }
        Opcode::Read => {
            let room = buffer.len();
            scheme
                .read(cx, handle, buffer, a3)
                .map(|len| count(len.min(room)))
        }
        Opcode::Write => scheme.write(cx, handle, buffer, a3).map(count),
        Opcode::Fsize => scheme.fsize(handle),
        Opcode::Fchmod => scheme.fchmod(handle, a1 as u32 & 0o7777).map(done),
        Opcode::Fchown => {
            let (uid, gid) = (a1 as u32, a2 as u32);
            scheme.fchown(handle, Ids { uid, gid }).map(done)
        }
        Opcode::Fcntl => scheme.fcntl(handle, a1, a2),
        Opcode::Fevent => {
            let events = EventFlags::from_bits_truncate(a1 as usize);
            scheme
                .fevent(handle, events)
                .map(|ready| ready.bits() as u64)
        }
        Opcode::Fpath => scheme.fpath(handle, buffer).map(count),
        Opcode::Frename => scheme.frename(cx, handle, text(buffer)?).map(done),
        Opcode::Flink => scheme.flink(cx, handle, text(buffer)?).map(done),
        Opcode::Fstat => {
            let stat = scheme.fstat(handle)?;
            Ok(count(stat::encode_stat(&stat, buffer)?))
        }
        Opcode::Fstatvfs => {
            let vfs = scheme.fstatvfs(handle)?;
            Ok(count(stat::encode_statvfs(&vfs, buffer)?))
        }
        Opcode::Fsync => scheme.fsync(cx, handle).map(done),
        Opcode::Ftruncate => scheme.ftruncate(handle, a1).map(done),
        Opcode::Futimens => {
            let mut times = Reader::new(buffer);
            let (atime, mtime) = (timespec(&mut times)?, timespec(&mut times)?);
            scheme.futimens(handle, atime, mtime).map(done)
        }
        Opcode::MmapPrep => {
            let flags = MapFlags::from_bits_truncate(a3 as usize);
            scheme.mmap_prep(handle, a1, a2, flags).map(count)
        }
        Opcode::Getdents => {
            if a3 != HEADER_BYTES as u64 {
                return Err(Errno::INVAL.into());
            }
            let mut entries = DirentWriter::new(buffer);
            scheme.getdents(handle, &mut entries, a4)?;
            Ok(count(entries.written()))
        }
        Opcode::Call => scheme.call(cx, handle, buffer, [a3, a4, a5]),
        Opcode::UnlinkAt => scheme.unlinkat(cx, handle, text(buffer)?, a3).map(done),
        _ => Err(Fail::Errno(Errno::NOSYS)),
    };
    value.map(Reply::Value)
}

/// Redox's `TimeSpec`: seconds (i64), nanoseconds (i32), 4 bytes of padding.
fn timespec(reader: &mut Reader<'_>) -> Result<Time> {
    let (seconds, nanoseconds) = (reader.i64()?, reader.u32()?);
    reader.u32()?;
    Ok(Time {
        seconds,
        nanoseconds,
    })
}
