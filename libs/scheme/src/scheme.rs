//! The trait of ordinary schemes.

use crate::error::{Errno, Fail, Result};
use crate::outbox::Outbox;
use scheme_abi::dirent::DirentWriter;
use scheme_abi::fs::Time;
use scheme_abi::sqe::Ids;
use scheme_abi::{EventFlags, MapFlags, Stat, StatVfs};
use std::os::fd::OwnedFd;

/// What comes with a request beside its arguments.
#[derive(Debug)]
pub struct Context<'a> {
    /// Names the request when it is answered later.
    pub tag: u32,
    /// Process that made the call; 0 is the kernel itself.
    pub pid: u64,
    /// User and group of the caller, for opens, calls and operations on names; zeroes for others.
    pub ids: Ids,
    /// For writes of a filesystem's data: when the program wrote it, which may be some time before the kernel sends it.
    pub mtime: Option<Time>,
    /// For reads and writes: the caller has `O_NONBLOCK` set and wants EAGAIN rather than to wait.
    pub is_nonblocking: bool,
    /// Answers to other requests, and news of readiness.
    pub out: &'a mut Outbox,
}

/// What an open gives the caller.
#[derive(Debug)]
pub enum Opened {
    /// A number of the scheme's own choice that names the open file in later requests.
    Handle(u64),
    /// One of the daemon's descriptors: the caller gets a duplicate, and the scheme hears no more of it.
    Fd(OwnedFd),
}

fn unsupported<T>() -> Result<T> {
    Err(Fail::Errno(Errno::NOSYS))
}

/// A scheme: one method for each kind of request. Methods not written answer ENOSYS.
///
/// `handle` is a number that `openat` returned, or [`scheme_abi::ROOT_HANDLE`] as the directory of `openat` and
/// `unlinkat`. Handles from the kernel are never made up, but a daemon should answer EBADF to one it does not know.
/// Buffers hold at most 256 KiB: short reads and writes are fine.
#[allow(unused_variables)]
pub trait Scheme {
    /// Opens `path` (no leading slash; empty for the directory itself) below `dir`. `flags` are Redox's `O_*`
    /// with the mode of a new file in the low 16 bits; [`scheme_abi::flags::to_linux`] translates.
    fn openat(&mut self, cx: &mut Context<'_>, dir: u64, path: &str, flags: u64) -> Result<Opened> {
        unsupported()
    }

    /// A new handle made of an old one.
    fn dup(&mut self, cx: &mut Context<'_>, handle: u64, how: &[u8]) -> Result<Opened> {
        unsupported()
    }

    /// Reads into `buffer` at `offset` (`u64::MAX` for a stream); 0 is the end of the file.
    fn read(
        &mut self,
        cx: &mut Context<'_>,
        handle: u64,
        buffer: &mut [u8],
        offset: u64,
    ) -> Result<usize> {
        unsupported()
    }

    /// Writes `data` at `offset` (`u64::MAX` for a stream).
    fn write(
        &mut self,
        cx: &mut Context<'_>,
        handle: u64,
        data: &[u8],
        offset: u64,
    ) -> Result<usize> {
        unsupported()
    }

    /// The file's size in bytes.
    fn fsize(&mut self, handle: u64) -> Result<u64> {
        Ok(self.fstat(handle)?.st_size)
    }

    /// Changes the permission bits.
    fn fchmod(&mut self, handle: u64, mode: u32) -> Result<()> {
        unsupported()
    }

    /// Changes owner and group; `u32::MAX` leaves one as it is.
    fn fchown(&mut self, handle: u64, ids: Ids) -> Result<()> {
        unsupported()
    }

    /// File control beyond what the kernel does itself.
    fn fcntl(&mut self, handle: u64, command: u64, argument: u64) -> Result<u64> {
        unsupported()
    }

    /// Which of `events` are ready now. Announce the others with [`Outbox::notify`] when they become so.
    fn fevent(&mut self, handle: u64, events: EventFlags) -> Result<EventFlags> {
        unsupported()
    }

    /// The file's path within the scheme.
    fn fpath(&mut self, handle: u64, buffer: &mut [u8]) -> Result<usize> {
        unsupported()
    }

    /// The file of `handle` moves to `path`, counted from the scheme's root.
    fn frename(&mut self, cx: &mut Context<'_>, handle: u64, path: &str) -> Result<()> {
        unsupported()
    }

    /// The file of `handle` gets one more name, `path`, counted from the scheme's root.
    fn flink(&mut self, cx: &mut Context<'_>, handle: u64, path: &str) -> Result<()> {
        unsupported()
    }

    /// Attributes.
    fn fstat(&mut self, handle: u64) -> Result<Stat> {
        unsupported()
    }

    /// Size and free space of the filesystem.
    fn fstatvfs(&mut self, handle: u64) -> Result<StatVfs> {
        unsupported()
    }

    /// Makes earlier writes durable.
    fn fsync(&mut self, cx: &mut Context<'_>, handle: u64) -> Result<()> {
        unsupported()
    }

    /// Cuts or grows the file to `size` bytes.
    fn ftruncate(&mut self, handle: u64, size: u64) -> Result<()> {
        unsupported()
    }

    /// Sets the times of last access and modification.
    fn futimens(&mut self, handle: u64, atime: Time, mtime: Time) -> Result<()> {
        unsupported()
    }

    /// The address in this process of `size` bytes from `offset` on, page aligned, to be shared with the caller.
    fn mmap_prep(&mut self, handle: u64, offset: u64, size: u64, flags: MapFlags) -> Result<usize> {
        unsupported()
    }

    /// Writes entries from the cursor `from` on (0 is the start) until they do not fit.
    fn getdents(&mut self, handle: u64, entries: &mut DirentWriter<'_>, from: u64) -> Result<()> {
        unsupported()
    }

    /// An ioctl or another call: `metadata` is [number, argument where it is no pointer, ids]; `buffer` is in
    /// and out. The value is ioctl's result.
    fn call(
        &mut self,
        cx: &mut Context<'_>,
        handle: u64,
        buffer: &mut [u8],
        metadata: [u64; 3],
    ) -> Result<u64> {
        Err(Fail::Errno(Errno::NOTTY))
    }

    /// Removes the name `path` below `dir`; `flags` is 0 or `AT_REMOVEDIR`.
    fn unlinkat(&mut self, cx: &mut Context<'_>, dir: u64, path: &str, flags: u64) -> Result<()> {
        unsupported()
    }

    /// The last descriptor of the handle is closed.
    fn on_close(&mut self, handle: u64) {}

    /// The caller of request `tag`, answered with [`Fail::Later`] before, waits no longer. Returns true to have it
    /// answered with EINTR now; false where an answer will come soon anyway.
    fn cancel(&mut self, tag: u32) -> bool {
        true
    }
}
