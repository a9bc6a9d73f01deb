//! What `Sqe::args` mean, opcode by opcode, as constructors; and how a `Cqe` carries its result.
//!
//! A buffer is (`ptr`, `len`) in `args[1]` and `args[2]`, with `ptr` an address in the daemon inside its
//! transfer area.

use crate::{Cqe, CqeOpcode, Opcode, Sqe, SqeFlags};

/// An address and a length in the daemon's transfer area.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Buffer {
    /// Address in the daemon.
    pub ptr: u64,
    /// Bytes.
    pub len: u64,
}

/// User and group of the caller, as `args[5]` of `OpenAt`, `UnlinkAt` and the filesystem calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ids {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
}

impl Ids {
    /// The ids in one word.
    pub const fn pack(self) -> u64 {
        self.uid as u64 | (self.gid as u64) << 32
    }

    /// The ids of a word.
    pub const fn unpack(word: u64) -> Self {
        Self {
            uid: word as u32,
            gid: (word >> 32) as u32,
        }
    }
}

const fn make(opcode: Opcode, args: [u64; 6]) -> Sqe {
    Sqe {
        opcode: opcode as u8,
        sqe_flags: SqeFlags::empty(),
        _rsvd: 0,
        tag: 0,
        args,
        caller: 0,
    }
}

/// `OpenAt`: `path` below directory handle `dir`; `flags` are Redox's `O_*` with the mode in the low 16 bits.
pub const fn open_at(dir: u64, path: Buffer, flags: u64, fcntl_flags: u64, ids: Ids) -> Sqe {
    let args = [dir, path.ptr, path.len, flags, fcntl_flags, ids.pack()];
    make(Opcode::OpenAt, args)
}

/// `UnlinkAt`: `path` below directory handle `dir`; `flags` is 0 or `AT_REMOVEDIR`.
pub const fn unlink_at(dir: u64, path: Buffer, flags: u64, ids: Ids) -> Sqe {
    make(
        Opcode::UnlinkAt,
        [dir, path.ptr, path.len, flags, 0, ids.pack()],
    )
}

/// `Close`.
pub const fn close(handle: u64) -> Sqe {
    make(Opcode::Close, [handle, 0, 0, 0, 0, 0])
}

/// `Dup`: a new handle made of an old one, `path` saying how.
pub const fn dup(handle: u64, path: Buffer) -> Sqe {
    make(Opcode::Dup, [handle, path.ptr, path.len, 0, 0, 0])
}

/// `Read` into `buffer` at `offset` (`STREAM_OFFSET` for streams); `flags` are Redox's `RwFlags`.
pub const fn read(handle: u64, buffer: Buffer, offset: u64, flags: u64) -> Sqe {
    make(
        Opcode::Read,
        [handle, buffer.ptr, buffer.len, offset, flags, 0],
    )
}

/// `Write` of `buffer` at `offset` (`STREAM_OFFSET` for streams); `flags` are Redox's `RwFlags`.
pub const fn write(handle: u64, buffer: Buffer, offset: u64, flags: u64) -> Sqe {
    make(
        Opcode::Write,
        [handle, buffer.ptr, buffer.len, offset, flags, 0],
    )
}

/// `Write` of a filesystem's cached data: as [`write`], with the time at which the program wrote it (nanoseconds since
/// 1970, not 0) as the new modification time.
pub const fn write_back(handle: u64, buffer: Buffer, offset: u64, mtime_ns: i64) -> Sqe {
    let args = [
        handle,
        buffer.ptr,
        buffer.len,
        offset,
        0,
        mtime_ns.cast_unsigned(),
    ];
    make(Opcode::Write, args)
}

/// A time in nanoseconds since 1970 as seconds and nanoseconds.
pub const fn time_of_ns(ns: i64) -> crate::fs::Time {
    crate::fs::Time {
        seconds: ns.div_euclid(1_000_000_000),
        nanoseconds: ns.rem_euclid(1_000_000_000) as u32,
    }
}

/// `Fsize`: the result is the size in bytes.
pub const fn fsize(handle: u64) -> Sqe {
    make(Opcode::Fsize, [handle, 0, 0, 0, 0, 0])
}

/// `Fchmod` to the permission bits `mode`.
pub const fn fchmod(handle: u64, mode: u64) -> Sqe {
    make(Opcode::Fchmod, [handle, mode, 0, 0, 0, 0])
}

/// `Fchown`; `u32::MAX` leaves an id as it is.
pub const fn fchown(handle: u64, ids: Ids) -> Sqe {
    let args = [handle, ids.uid as u64, ids.gid as u64, 0, 0, 0];
    make(Opcode::Fchown, args)
}

/// `Fcntl`.
pub const fn fcntl(handle: u64, command: u64, argument: u64) -> Sqe {
    make(Opcode::Fcntl, [handle, command, argument, 0, 0, 0])
}

/// `Fevent`: what of `events` (`EventFlags`) is ready now; a `SendFevent` tells of the rest later.
pub const fn fevent(handle: u64, events: u64) -> Sqe {
    make(Opcode::Fevent, [handle, events, 0, 0, 0, 0])
}

/// `Fpath`: the handle's path within the scheme, into `buffer`; the result is its length.
pub const fn fpath(handle: u64, buffer: Buffer) -> Sqe {
    make(Opcode::Fpath, [handle, buffer.ptr, buffer.len, 0, 0, 0])
}

/// `Frename`: the file of `handle` becomes `path` (whole, from the scheme's root).
pub const fn frename(handle: u64, path: Buffer, ids: Ids) -> Sqe {
    make(
        Opcode::Frename,
        [handle, path.ptr, path.len, 0, 0, ids.pack()],
    )
}

/// `Flink`: `path` (whole, from the scheme's root) becomes one more name of the file of `handle`.
pub const fn flink(handle: u64, path: Buffer, ids: Ids) -> Sqe {
    make(
        Opcode::Flink,
        [handle, path.ptr, path.len, 0, 0, ids.pack()],
    )
}

/// `Fstat` into `buffer`, see [`crate::stat`].
pub const fn fstat(handle: u64, buffer: Buffer) -> Sqe {
    make(Opcode::Fstat, [handle, buffer.ptr, buffer.len, 0, 0, 0])
}

/// `Fstatvfs` into `buffer`, see [`crate::stat`].
pub const fn fstatvfs(handle: u64, buffer: Buffer) -> Sqe {
    make(Opcode::Fstatvfs, [handle, buffer.ptr, buffer.len, 0, 0, 0])
}

/// `Fsync`.
pub const fn fsync(handle: u64) -> Sqe {
    make(Opcode::Fsync, [handle, 0, 0, 0, 0, 0])
}

/// `Ftruncate` to `size` bytes.
pub const fn ftruncate(handle: u64, size: u64) -> Sqe {
    make(Opcode::Ftruncate, [handle, size, 0, 0, 0, 0])
}

/// `Futimens`: access and modification time as two 16-byte records (`i64` s, `i32` ns, 4 zero bytes).
pub const fn futimens(handle: u64, times: Buffer) -> Sqe {
    make(Opcode::Futimens, [handle, times.ptr, times.len, 0, 0, 0])
}

/// `Getdents` into `buffer` from the cursor `from` on (0 is the start), see [`crate::dirent`].
pub const fn getdents(handle: u64, buffer: Buffer, from: u64) -> Sqe {
    let header = crate::dirent::HEADER_BYTES as u64;
    make(
        Opcode::Getdents,
        [handle, buffer.ptr, buffer.len, header, from, 0],
    )
}

/// `MmapPrep`: the answer is the daemon's address of `offset`; `flags` are `MapFlags`.
pub const fn mmap_prep(handle: u64, offset: u64, size: u64, flags: u64) -> Sqe {
    make(Opcode::MmapPrep, [handle, offset, size, flags, 0, 0])
}

/// `Call` with `buffer` in and out. ioctls have `metadata` = [number, argument where it is no pointer, ids].
pub const fn call(handle: u64, buffer: Buffer, metadata: [u64; 3]) -> Sqe {
    let [m0, m1, m2] = metadata;
    make(Opcode::Call, [handle, buffer.ptr, buffer.len, m0, m1, m2])
}

/// `Cancel` of the request `tag`; oneway.
pub const fn cancel(tag: u32) -> Sqe {
    let mut sqe = make(Opcode::Cancel, [0; 6]);
    sqe.sqe_flags = SqeFlags::ONEWAY;
    sqe.tag = tag;
    sqe
}

/// The `Sqe` in the 64 bytes of a scheme socket.
pub fn decode(bytes: &[u8; crate::SQE_BYTES]) -> Sqe {
    let mut sqe = Sqe::default();
    sqe.copy_from_slice(bytes);
    // The flags field accepts any bits: unknown ones are kept and ignored.
    sqe
}

/// The 64 bytes of `sqe`.
pub fn encode(sqe: &Sqe) -> [u8; crate::SQE_BYTES] {
    let mut bytes = [0; crate::SQE_BYTES];
    bytes.copy_from_slice(sqe);
    bytes
}

/// The `Cqe` in the 16 bytes of a scheme socket.
pub fn decode_cqe(bytes: &[u8; crate::CQE_BYTES]) -> Cqe {
    let mut cqe = Cqe::default();
    cqe.copy_from_slice(bytes);
    cqe
}

/// The 16 bytes of `cqe`.
pub fn encode_cqe(cqe: &Cqe) -> [u8; crate::CQE_BYTES] {
    let mut bytes = [0; crate::CQE_BYTES];
    bytes.copy_from_slice(cqe);
    bytes
}

/// An answer with a value, or with an errno.
pub fn answer(tag: u32, result: Result<u64, i32>) -> Cqe {
    cqe(CqeOpcode::RespondRegular, tag, encode_result(result))
}

/// An answer to an open: one of the daemon's own descriptors for the caller.
pub fn answer_fd(tag: u32, fd: u64) -> Cqe {
    cqe(CqeOpcode::RespondWithFd, tag, fd)
}

/// News of readiness (`EventFlags` bits) on `handle`; no answer to a request.
pub fn send_fevent(handle: u32, events: u64) -> Cqe {
    cqe(CqeOpcode::SendFevent, handle, events)
}

fn cqe(opcode: CqeOpcode, tag: u32, result: u64) -> Cqe {
    Cqe {
        flags: opcode as u8,
        extra_raw: [0; 3],
        tag,
        result,
    }
}

/// The opcode of a `Cqe` (the low three bits of its flags).
pub fn cqe_opcode(cqe: &Cqe) -> Option<CqeOpcode> {
    CqeOpcode::try_from_raw(cqe.flags & 7)
}

/// Largest errno that a result can carry, as in Linux.
pub const MAX_ERRNO: i32 = 4095;

/// A result word: the value, or `-errno` as two's complement.
pub const fn encode_result(result: Result<u64, i32>) -> u64 {
    match result {
        Ok(value) => value,
        Err(errno) => (-(errno as i64)) as u64,
    }
}

/// The value or errno (1 to [`MAX_ERRNO`]) in a result word.
pub const fn decode_result(word: u64) -> Result<u64, i32> {
    let signed = word as i64;
    if signed < 0 && signed >= -(MAX_ERRNO as i64) {
        Err(-signed as i32)
    } else {
        Ok(word)
    }
}
