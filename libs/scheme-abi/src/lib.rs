//! The wire format between the kernel and its scheme daemons.
//!
//! The base is `redox_syscall`'s `schemev2` (64-byte [`Sqe`], 16-byte [`Cqe`]); this crate adds what
//! the contracts page of the book names beyond it:
//!
//! * [`area`]: the transfer area, through which request buffers travel;
//! * [`sqe`]: the meaning of `Sqe::args` for each opcode, as constructors, and results of a `Cqe`;
//! * [`ctl`]: ioctl numbers and structures between daemons and the kernel;
//! * [`ioctl`]: which buffer an ioctl number carries, and in which direction;
//! * [`fs`]: the filesystem calls of CACHEABLE schemes;
//! * [`dirent`]: directory records; [`stat`]: `Stat` and `StatVfs` as bytes;
//! * [`flags`]: Linux's open flags to and from Redox's;
//! * [`wire`]: the bounds-checked reader and writer under all of them.
//!
//! Everything is little-endian at fixed offsets, decoding checks every length, and nothing panics on
//! any input: the kernel runs this code on bytes from daemons that it does not trust.
#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod area;
pub mod ctl;
pub mod dirent;
pub mod flags;
pub mod fs;
pub mod ioctl;
pub mod sqe;
pub mod stat;
pub mod wire;

pub use ctl::{CallerCopy, PORT_SEQUENCE, PortAccess, PortSequence, SCHEME_COPY, VT_REQUEST, VT_STATE, VtState};
pub use ctl::{
    FB_INFO, FbInfo, IRQ_MSI, MEM_PHYS, MsiMessage, PhysQuery, SCHEME_AREA, SCHEME_COMMITTED, SCHEME_COMMITTING, SCHEME_MOUNTED, SCHEME_PHYS,
    SCHEME_SET_FLAGS, SchemeFlags, TransferArea, VT_BIND,
};
pub use syscall::data::{Stat, StatVfs, TimeSpec};
pub use syscall::dirent::{DirentHeader, DirentKind};
pub use syscall::error;
pub use syscall::flag::{
    AT_REMOVEDIR, EventFlags, MapFlags, O_ACCMODE, O_APPEND, O_CREAT, O_DIRECTORY, O_EXCL,
    O_FCNTL_MASK, O_FSYNC, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR, O_STAT, O_SYMLINK, O_TRUNC,
    O_WRONLY,
};
pub use syscall::schemev2::*;
pub use wire::Malformed;

/// Bytes of one [`Sqe`] on the scheme socket.
pub const SQE_BYTES: usize = 64;
/// Bytes of one [`Cqe`] on the scheme socket.
pub const CQE_BYTES: usize = 16;
/// The directory handle of a scheme's root in `OpenAt` and `UnlinkAt`.
pub const ROOT_HANDLE: u64 = u64::MAX;
/// The offset of reads and writes on a handle that is a stream.
pub const STREAM_OFFSET: u64 = u64::MAX;
