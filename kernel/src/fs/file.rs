//! Open file descriptions (`open(2)`, NOTES) and what a kind of file must implement.

use alloc::sync::Arc;
use core::any::Any;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use bitflags::bitflags;

use super::sigio::SignalDriven;
use super::inode::{DirSink, InodeRef};
use super::mount::MountFlags;
use super::notify;
use super::pagecache::{PageCache, ReadAhead};
use super::text::Writing;
use super::{Attr, FileType, IoSink, IoSource, StatFs};
use crate::error::*;
use crate::ipc::fanotify;
use crate::mm::MemoryObject;
use crate::sync::{NumberLock, PollTable};

bitflags! {
    /// Linux's `O_*` flags (x86-64).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct OpenFlags: u32 {
        #[allow(missing_docs)] const WRONLY = 0o1;
        #[allow(missing_docs)] const RDWR = 0o2;
        #[allow(missing_docs)] const CREAT = 0o100;
        #[allow(missing_docs)] const EXCL = 0o200;
        #[allow(missing_docs)] const NOCTTY = 0o400;
        #[allow(missing_docs)] const TRUNC = 0o1000;
        #[allow(missing_docs)] const APPEND = 0o2000;
        #[allow(missing_docs)] const NONBLOCK = 0o4000;
        #[allow(missing_docs)] const DSYNC = 0o10000;
        #[allow(missing_docs)] const ASYNC = 0o20000;
        #[allow(missing_docs)] const DIRECT = 0o40000;
        #[allow(missing_docs)] const LARGEFILE = 0o100000;
        #[allow(missing_docs)] const DIRECTORY = 0o200000;
        #[allow(missing_docs)] const NOFOLLOW = 0o400000;
        #[allow(missing_docs)] const NOATIME = 0o1000000;
        #[allow(missing_docs)] const CLOEXEC = 0o2000000;
        #[allow(missing_docs)] const SYNC = 0o4010000;
        #[allow(missing_docs)] const PATH = 0o10000000;
        #[allow(missing_docs)] const TMPFILE = 0o20200000;
    }

    /// Flags of a descriptor (`fcntl(2)`, F_SETFD).
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
    pub struct FdFlags: u32 {
        #[allow(missing_docs)] const CLOEXEC = 1;
    }

    /// `poll(2)` and `epoll_ctl(2)` events.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
    pub struct Events: u32 {
        #[allow(missing_docs)] const IN = 0x1;
        #[allow(missing_docs)] const PRI = 0x2;
        #[allow(missing_docs)] const OUT = 0x4;
        #[allow(missing_docs)] const ERR = 0x8;
        #[allow(missing_docs)] const HUP = 0x10;
        #[allow(missing_docs)] const NVAL = 0x20;
        #[allow(missing_docs)] const RDNORM = 0x40;
        #[allow(missing_docs)] const RDBAND = 0x80;
        #[allow(missing_docs)] const WRNORM = 0x100;
        #[allow(missing_docs)] const WRBAND = 0x200;
        #[allow(missing_docs)] const RDHUP = 0x2000;
    }
}

impl OpenFlags {
    /// Whether reads are allowed.
    pub fn readable(self) -> bool {
        matches!(self.bits() & 3, 0 | 2) && !self.contains(Self::PATH)
    }
    /// Whether writes are allowed.
    pub fn writable(self) -> bool {
        matches!(self.bits() & 3, 1 | 2) && !self.contains(Self::PATH)
    }
    /// The flags that `fcntl(F_SETFL)` can change.
    pub const SETTABLE: Self = Self::APPEND.union(Self::NONBLOCK).union(Self::ASYNC).union(Self::DIRECT).union(Self::NOATIME);
}

/// What one kind of file does. Every method has the behaviour of a file that cannot do it.
///
/// `pos` is the file position of the call; stream-like files ignore it.
pub trait FileOps: Send + Sync + Any {
    /// Reads into `dst`; 0 at the end of the file. Blocks unless the description has `O_NONBLOCK` (then `EAGAIN`).
    fn read(&self, _file: &OpenFile, _pos: u64, _dst: &mut IoSink<'_>) -> Result<usize> {
        Err(EINVAL)
    }

    /// Writes from `src`.
    fn write(&self, _file: &OpenFile, _pos: u64, _src: &mut IoSource<'_>) -> Result<usize> {
        Err(EINVAL)
    }

    /// Writes at the end of the file, which nobody else can move meanwhile (`O_APPEND`); returns the bytes written and the new end.
    fn append(&self, file: &OpenFile, src: &mut IoSource<'_>) -> Result<(usize, u64)> {
        let end = self.attr()?.size;
        let n = self.write(file, end, src)?;
        Ok((n, end + n as u64))
    }

    /// Whom signals of the file go to has been set (F_SETOWN): a socket tells it of urgent data.
    fn set_signal_owner(&self, _owner: super::sigio::Settings) {}

    /// Whether the file has positions (`lseek`, `pread`); a stream has none (`ESPIPE`).
    fn seekable(&self) -> bool {
        false
    }

    /// The state now; registers with the queues that announce changes. Ready to read and write by default, like a regular file.
    fn poll(&self, _file: &OpenFile, _table: &mut PollTable<'_>) -> Events {
        Events::IN | Events::OUT | Events::RDNORM | Events::WRNORM
    }

    /// `ioctl(2)`. `arg` is the raw third argument.
    fn ioctl(&self, _file: &OpenFile, _cmd: u32, _arg: usize) -> Result<usize> {
        Err(ENOTTY)
    }

    /// The memory behind the file, for `mmap(2)`: `offset` and `len` in bytes, page aligned; the object's page 0 is the file's start.
    fn mmap(&self, _file: &OpenFile, _offset: u64, _len: u64, _shared_write: bool) -> Result<Arc<dyn MemoryObject>> {
        Err(ENODEV)
    }

    /// Attributes. Required, since every descriptor answers `fstat(2)`.
    fn attr(&self) -> Result<Attr>;

    /// Lists directory entries after cookie `pos` until the sink is full; 0 is the beginning, cookies are above 0 and below 2^62.
    /// `.` and `..` are not among them: the system call adds them.
    fn getdents(&self, _file: &OpenFile, _pos: u64, _sink: &mut DirSink<'_>) -> Result {
        Err(ENOTDIR)
    }

    /// `fsync(2)`, or `fdatasync(2)`.
    fn sync(&self, _data_only: bool) -> Result {
        Err(EINVAL)
    }

    /// `ftruncate(2)`.
    fn truncate(&self, _len: u64) -> Result {
        Err(EINVAL)
    }

    /// Whether seals keep shared mappings from writing (`memfd_create(2)`).
    fn is_sealed_for_maps(&self) -> bool {
        false
    }

    /// Whether it can be waited for (`epoll(7)`); others are always ready.
    fn has_readiness(&self) -> bool {
        !matches!(self.attr().map(|attr| attr.mode & 0o170000), Ok(0o100000 | 0o040000))
    }

    /// A device without positions: `lseek(2)` succeeds and leads nowhere.
    fn has_no_positions(&self) -> bool {
        false
    }

    /// The next data (or hole) at or after `pos` (`lseek(2)`, SEEK_DATA and SEEK_HOLE); without knowledge of holes the whole file is data.
    ///
    /// # Errors
    /// `ENXIO` beyond the end.
    fn seek_data(&self, pos: u64, hole: bool) -> Result<u64> {
        let size = self.attr()?.size;
        if pos >= size { Err(ENXIO) } else { Ok(if hole { size } else { pos }) }
    }

    /// `fallocate(2)` with its mode bits.
    fn allocate(&self, _mode: u32, _offset: u64, _len: u64) -> Result {
        Err(EOPNOTSUPP)
    }

    /// `fstatfs(2)`.
    fn statfs(&self) -> Result<StatFs> {
        Err(ENOSYS)
    }

    /// The page cache behind it, for advice about it (`posix_fadvise(2)`, `readahead(2)`).
    fn page_cache(&self) -> Option<&Arc<PageCache>> {
        None
    }

    /// The capacity of a pipe in bytes, after setting it where asked (`F_GETPIPE_SZ`, `F_SETPIPE_SZ`).
    fn pipe_size(&self, _set: Option<usize>) -> Result<usize> {
        Err(EBADF)
    }

    /// The inode, for files that have one: `fchmod`, `fchdir`, `openat` relative to it and so on work on it.
    fn inode(&self) -> Option<InodeRef> {
        None
    }

    /// Called when the `F_SETFL` flags change (e.g. a daemon's file must hear of `O_NONBLOCK`).
    fn flags_changed(&self, _flags: OpenFlags) {}

    /// Called when a descriptor referring to the description is closed (each time, like `flush` in Linux).
    fn flush(&self, _file: &OpenFile) -> Result {
        Ok(())
    }

    /// What `/proc/<pid>/fd/<n>` shows for files without a path: `pipe:[17]`, `anon_inode:[eventfd]`.
    fn describe(&self) -> alloc::string::String;

    /// Further lines of `/proc/<pid>/fdinfo/<n>`, each with its newline.
    fn details(&self) -> alloc::string::String {
        alloc::string::String::new()
    }

    /// For down-casting to the concrete kind.
    fn as_any(&self) -> &dyn Any;
}

/// Counts changes of any file's content or times; from 1, so that the first read of each description looks.
static CHANGES: AtomicU64 = AtomicU64::new(1);

/// A file's content or times change: access times may be due again.
pub(super) fn note_change() {
    CHANGES.fetch_add(1, Ordering::Relaxed);
}

/// An open file description: shared by duplicated descriptors and across fork.
pub struct OpenFile {
    /// The kind of file.
    pub ops: Arc<dyn FileOps>,
    /// Where it was opened, for `/proc` and `openat`; anonymous files have none.
    pub path: Option<crate::fs::Path>,
    flags: AtomicU32,
    /// Who gets signals when it is ready.
    pub signals: SignalDriven,
    /// [`CHANGES`] when the access time was last looked at.
    accessed_at: AtomicU64,
    /// It is a regular file, open for writing.
    _writing: Option<Writing>,
    /// Whoever opened it may not change its size (`landlock(7)`).
    keeps_size: AtomicBool,
    /// What is done with it is told to nobody: it was opened for somebody who is told of files.
    is_quiet: AtomicBool,
    /// What it read last, for read-ahead.
    pub read_ahead: ReadAhead,
    /// The file position. Held while a read or write uses it, so that they are atomic to each other (POSIX).
    pos: NumberLock,
}

impl OpenFile {
    /// A description of `ops` without a path.
    pub fn new(ops: Arc<dyn FileOps>, flags: OpenFlags) -> Arc<Self> {
        Self::with_path(ops, flags, None)
    }

    /// A description of `ops` opened at `path`.
    pub fn with_path(ops: Arc<dyn FileOps>, flags: OpenFlags, path: Option<crate::fs::Path>) -> Arc<Self> {
        Self::writing(ops, flags, path, None)
    }

    /// As [`OpenFile::with_path`], of a regular file that may be written to.
    pub fn writing(ops: Arc<dyn FileOps>, flags: OpenFlags, path: Option<crate::fs::Path>, writing: Option<Writing>) -> Arc<Self> {
        Arc::new(Self { ops, path, _writing: writing, keeps_size: AtomicBool::new(false), is_quiet: AtomicBool::new(false), flags: AtomicU32::new(flags.bits()), signals: SignalDriven::default(), accessed_at: AtomicU64::new(0), read_ahead: ReadAhead::new(), pos: NumberLock::new(0) })
    }

    /// From now on nobody is told of what is done with it.
    pub fn silence(&self) {
        self.is_quiet.store(true, Ordering::Relaxed);
    }

    /// Whether nobody is told of what is done with it.
    pub fn is_quiet(&self) -> bool {
        self.is_quiet.load(Ordering::Relaxed)
    }

    /// From now on `ftruncate(2)` fails.
    pub fn forbid_truncation(&self) {
        self.keeps_size.store(true, Ordering::Relaxed);
    }

    /// Whether `ftruncate(2)` may change its size.
    pub fn may_truncate(&self) -> bool {
        !self.keeps_size.load(Ordering::Relaxed)
    }

    /// Access mode and status flags.
    pub fn flags(&self) -> OpenFlags {
        OpenFlags::from_bits_retain(self.flags.load(Ordering::Relaxed))
    }

    /// Changes the settable flags (`F_SETFL`).
    pub fn set_flags(&self, flags: OpenFlags) {
        let new = (self.flags() - OpenFlags::SETTABLE) | (flags & OpenFlags::SETTABLE);
        self.flags.store(new.bits(), Ordering::Relaxed);
        self.ops.flags_changed(new);
    }

    /// Whether `O_NONBLOCK` is set.
    pub fn nonblocking(&self) -> bool {
        self.flags().contains(OpenFlags::NONBLOCK)
    }

    /// `read(2)`: at the file position, which it advances.
    pub fn read(&self, dst: &mut IoSink<'_>) -> Result<usize> {
        fanotify::may(self, fanotify::ACCESS_PERM)?;
        self.reported(self.read_here(dst), notify::ACCESS)
    }

    /// `write(2)`: at the file position (or the end with `O_APPEND`), which it advances.
    pub fn write(&self, src: &mut IoSource<'_>) -> Result<usize> {
        self.reported(self.write_here(src), notify::MODIFY)
    }

    /// `pread(2)`.
    pub fn read_at(&self, pos: u64, dst: &mut IoSink<'_>) -> Result<usize> {
        fanotify::may(self, fanotify::ACCESS_PERM)?;
        self.reported(self.read_from(pos, dst), notify::ACCESS)
    }

    /// `pwrite(2)`.
    pub fn write_at(&self, pos: u64, src: &mut IoSource<'_>) -> Result<usize> {
        self.reported(self.write_to(pos, src), notify::MODIFY)
    }

    /// Tells those who watch the file of bytes that moved.
    fn reported(&self, moved: Result<usize>, event: u32) -> Result<usize> {
        if matches!(moved, Ok(n) if n > 0) {
            notify::file(self, event);
        }
        moved
    }

    // At the file position, which it advances.
    fn read_here(&self, dst: &mut IoSink<'_>) -> Result<usize> {
        if !self.flags().readable() {
            return Err(EBADF);
        }
        if !self.ops.seekable() {
            return self.ops.read(self, 0, dst);
        }
        let mut pos = self.pos.lock();
        let n = self.ops.read(self, *pos, dst)?;
        *pos += n as u64;
        Ok(n)
    }

    // At the file position (or the end with `O_APPEND`), which it advances.
    fn write_here(&self, src: &mut IoSource<'_>) -> Result<usize> {
        if !self.flags().writable() {
            return Err(EBADF);
        }
        if !self.ops.seekable() {
            return self.ops.write(self, 0, src);
        }
        let mut pos = self.pos.lock();
        if self.flags().contains(OpenFlags::APPEND) {
            let (n, end) = self.ops.append(self, src)?;
            *pos = end;
            return Ok(n);
        }
        let n = self.ops.write(self, *pos, src)?;
        *pos += n as u64;
        Ok(n)
    }

    fn read_from(&self, pos: u64, dst: &mut IoSink<'_>) -> Result<usize> {
        if !self.flags().readable() {
            return Err(EBADF);
        }
        if !self.ops.seekable() {
            return Err(ESPIPE);
        }
        self.ops.read(self, pos, dst)
    }

    fn write_to(&self, pos: u64, src: &mut IoSource<'_>) -> Result<usize> {
        if !self.flags().writable() {
            return Err(EBADF);
        }
        if !self.ops.seekable() {
            return Err(ESPIPE);
        }
        if self.flags().contains(OpenFlags::APPEND) {
            // As on Linux: the data go to the end, whatever the position (pwrite(2), BUGS).
            return self.ops.append(self, src).map(|done| done.0);
        }
        self.ops.write(self, pos, src)
    }

    /// `fstat(2)`: of a FIFO the inode's attributes, since its ends are those of any pipe; of a character device too, since several nodes
    /// may be names of one device, and `ttyname(3)` compares node and descriptor.
    pub fn attr(&self) -> Result<Attr> {
        match &self.path {
            Some(path) if matches!(path.dentry.kind(), FileType::Fifo | FileType::CharDevice) => path.inode().attr(),
            _ => self.ops.attr(),
        }
    }

    /// A read or listing succeeded: the access time is due, unless the description or the mount says otherwise, or nothing anywhere has
    /// been written since this was asked last (then the time is newer than the file's changes, as `relatime` wants it).
    pub fn accessed(&self) {
        let changes = CHANGES.load(Ordering::Relaxed);
        if self.accessed_at.load(Ordering::Relaxed) == changes {
            return;
        }
        self.accessed_at.store(changes, Ordering::Relaxed);
        let Some(path) = &self.path else { return };
        if self.flags().contains(OpenFlags::NOATIME) || path.mount.flags().contains(MountFlags::NOATIME) || !path.mount.writable() {
            return;
        }
        path.inode().accessed(super::now_ns());
    }

    /// The file position, locked: for `lseek`, `getdents`, `sendfile`.
    pub fn pos(&self) -> crate::sync::NumberGuard<'_> {
        self.pos.lock()
    }

    /// The concrete kind, if it is a `T`.
    pub fn downcast<T: 'static>(&self) -> Option<&T> {
        self.ops.as_any().downcast_ref()
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        super::locks::description_closed(self);
        super::lease::description_closed(self);
        if !self.flags().contains(OpenFlags::PATH) {
            notify::file(self, if self.flags().writable() { notify::CLOSE_WRITE } else { notify::CLOSE_NOWRITE });
        }
    }
}
