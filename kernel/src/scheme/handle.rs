//! A handle: what a daemon gave for an `OpenAt`, and the requests on it.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::sync::atomic::{AtomicU8, Ordering};

use scheme_abi::area::SLOT_BYTES;
use scheme_abi::sqe::{self, Buffer, Ids};
use scheme_abi::stat::{STAT_BYTES, STATVFS_BYTES, decode_stat, decode_statvfs};
use scheme_abi::{O_STAT, ROOT_HANDLE, SchemeFlags};

use super::convert;
use super::file::SchemeFile;
use super::socket::SchemeSocket;
use super::user::{Answer, Reply, UserScheme, Wait, ids};
use crate::error::*;
use crate::fs::{Attr, FileOps, FileType, Inode, InodeRef, OpenFile, OpenFlags, SetAttr, StatFs};
use crate::task::{Capability, Credentials};

/// Bits of `OpenAt`'s answer (`Cqe.extra`): the handle has positions (`NewFdFlags::POSITIONED`).
const POSITIONED: u32 = 1;

/// An open handle; dropping it sends `Close`.
pub struct Handle {
    /// Whose handle it is.
    pub scheme: Arc<UserScheme>,
    /// The daemon's number.
    pub number: u64,
    /// Whether reads and writes have offsets: [`UNKNOWN`], [`STREAM`] or [`WITH_POSITIONS`].
    kind: AtomicU8,
}

const UNKNOWN: u8 = 0;
const STREAM: u8 = 1;
const WITH_POSITIONS: u8 = 2;

/// What an `OpenAt` gave.
pub enum Opened {
    /// A handle of the scheme.
    Handle(Arc<Handle>),
    /// A file of the daemon's own.
    File(Arc<OpenFile>),
}

/// A buffer of `len` bytes; its address is filled in on the way to the daemon.
pub fn buffer(len: usize) -> Buffer {
    Buffer { ptr: 0, len: len as u64 }
}

/// Opens `path` of a scheme, relative to its root. `flags` are Redox's, with the mode.
///
/// # Errors
/// The daemon's; `ENAMETOOLONG`.
pub fn open_at(scheme: &Arc<UserScheme>, path: &[u8], flags: u64, who: Ids) -> Result<Opened> {
    if path.len() >= 4096 {
        return Err(ENAMETOOLONG);
    }
    let slot = scheme.buffer(path.len(), Wait::Interruptible)?;
    slot.put(0, path);
    let fcntl = flags & scheme_abi::O_FCNTL_MASK as u64;
    let sqe = sqe::open_at(ROOT_HANDLE, buffer(path.len()), flags, fcntl, who);
    match scheme.call_any(sqe, Some(slot))? {
        Answer::Value(number, extra) => {
            let positioned = extra & POSITIONED != 0 || scheme.flags().contains(SchemeFlags::BLOCK_DEVICE);
            let kind = AtomicU8::new(if positioned { WITH_POSITIONS } else { UNKNOWN });
            Ok(Opened::Handle(Arc::new(Handle { scheme: scheme.clone(), number, kind })))
        }
        Answer::File(file) => Ok(Opened::File(file)),
        Answer::Error(_) | Answer::Pages(_) => Err(EIO),
    }
}

/// Opens `path` only to ask about it.
///
/// # Errors
/// As [`open_at`].
pub fn open_for_stat(scheme: &Arc<UserScheme>, path: &[u8], who: Ids) -> Result<Opened> {
    open_at(scheme, path, O_STAT as u64, who)
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.scheme.notify(sqe::close(self.number));
    }
}

impl Handle {
    /// Whether reads and writes have offsets. May ask the daemon, the first time.
    pub fn positioned(&self) -> bool {
        let mut kind = self.kind.load(Ordering::Relaxed);
        if kind == UNKNOWN {
            kind = match self.attr() {
                Ok(attr) if matches!(attr.file_type(), FileType::Regular | FileType::Directory | FileType::BlockDevice) => WITH_POSITIONS,
                // Interrupted: ask again the next time.
                Err(error) if error.is_restart() || error == EINTR => return false,
                _ => STREAM,
            };
            self.kind.store(kind, Ordering::Relaxed);
        }
        kind == WITH_POSITIONS
    }

    /// A request with a buffer of `bytes` bytes; `fill` may put data in.
    ///
    /// # Errors
    /// The daemon's and those of waiting.
    pub fn with_buffer(&self, bytes: usize, make: impl FnOnce(Buffer) -> scheme_abi::Sqe, data: &[u8]) -> Result<Reply> {
        let slot = self.scheme.buffer(bytes, Wait::Interruptible)?;
        slot.put(0, data);
        self.scheme.call(make(buffer(bytes)), Some(slot))
    }

    /// `Fstat`.
    ///
    /// # Errors
    /// The daemon's; `EIO` for nonsense.
    pub fn attr(&self) -> Result<Attr> {
        let reply = self.with_buffer(STAT_BYTES, |b| sqe::fstat(self.number, b), &[0; STAT_BYTES])?;
        let mut bytes = [0; STAT_BYTES];
        reply.slot()?.get(0, &mut bytes);
        let stat = decode_stat(&bytes).map_err(|_| EIO)?;
        Ok(convert::attr_of_stat(&stat, self.scheme.dev, self.scheme.flags().contains(SchemeFlags::BLOCK_DEVICE)))
    }

    /// `Fstatvfs`.
    ///
    /// # Errors
    /// As [`Handle::attr`].
    pub fn statfs(&self) -> Result<StatFs> {
        let reply = self.with_buffer(STATVFS_BYTES, |b| sqe::fstatvfs(self.number, b), &[0; STATVFS_BYTES])?;
        let mut bytes = [0; STATVFS_BYTES];
        reply.slot()?.get(0, &mut bytes);
        Ok(convert::statfs(&decode_statvfs(&bytes).map_err(|_| EIO)?, 0))
    }

    /// Directory records from the cursor `from` on, as many as the daemon gives; empty at the end.
    ///
    /// # Errors
    /// As [`Handle::attr`].
    pub fn records(&self, from: u64, room: usize) -> Result<Vec<u8>> {
        let reply = self.with_buffer(room.clamp(512, SLOT_BYTES), |b| sqe::getdents(self.number, b, from), &[])?;
        let len = reply.len()?;
        Ok(reply.slot()?.bytes_at(0, len))
    }

    /// Changes attributes.
    ///
    /// # Errors
    /// The daemon's.
    pub fn set_attr(&self, change: &SetAttr) -> Result {
        if let Some(size) = change.size {
            self.scheme.call(sqe::ftruncate(self.number, size), None)?;
        }
        if let Some(mode) = change.mode {
            self.scheme.call(sqe::fchmod(self.number, u64::from(mode)), None)?;
        }
        if change.uid.is_some() || change.gid.is_some() {
            let who = Ids { uid: change.uid.unwrap_or(u32::MAX), gid: change.gid.unwrap_or(u32::MAX) };
            self.scheme.call(sqe::fchown(self.number, who), None)?;
        }
        if change.atime_ns.is_some() || change.mtime_ns.is_some() {
            let now = self.attr()?;
            let mut bytes = [0; 32];
            for (at, ns) in [(0, change.atime_ns.unwrap_or(now.atime_ns)), (16, change.mtime_ns.unwrap_or(now.mtime_ns))] {
                let time = convert::time(ns);
                bytes[at..at + 8].copy_from_slice(&time.seconds.to_le_bytes());
                bytes[at + 8..at + 12].copy_from_slice(&time.nanoseconds.to_le_bytes());
            }
            self.with_buffer(bytes.len(), |b| sqe::futimens(self.number, b), &bytes)?;
        }
        Ok(())
    }
}

/// The inode of an open handle, for `fchmod(2)` and the like.
pub struct HandleInode(pub Arc<Handle>);

impl Inode for HandleInode {
    fn known_attr(&self) -> Option<Attr> {
        None
    }

    fn attr(&self) -> Result<Attr> {
        self.0.attr()
    }

    fn set_attr(&self, change: &SetAttr) -> Result {
        self.0.set_attr(change)
    }

    fn statfs(&self) -> Result<StatFs> {
        self.0.statfs()
    }

    fn open(self: Arc<Self>, _flags: OpenFlags) -> Result<Arc<dyn FileOps>> {
        Ok(SchemeFile::new(self.0.clone()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Opens the socket of a scheme that exists: for a successor of its dead daemon.
///
/// # Errors
/// `EEXIST` where the daemon lives, `EPERM`.
pub fn succeed(scheme: &Arc<UserScheme>, flags: OpenFlags, who: &Credentials, path: &crate::fs::Path) -> Result<Arc<OpenFile>> {
    if scheme.has_daemon() {
        return Err(EEXIST);
    }
    if !who.has(Capability::SYS_ADMIN) {
        return Err(EPERM);
    }
    Ok(OpenFile::with_path(SchemeSocket::open(scheme.clone())?, flags, Some(path.clone())))
}

/// The root of a scheme, or a path in it, whether it exists or not.
pub struct SchemeNode {
    scheme: Arc<UserScheme>,
    /// Names joined by `/`; empty for the root.
    path: Vec<u8>,
}

impl SchemeNode {
    /// The root of a scheme.
    pub fn root(scheme: Arc<UserScheme>) -> InodeRef {
        Arc::new(Self { scheme, path: Vec::new() })
    }

    fn below(&self, rest: &[u8]) -> Vec<u8> {
        let mut path = self.path.clone();
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(rest);
        path
    }

    fn me() -> Ids {
        ids(&crate::task::current().creds())
    }

    fn handle(&self, linux_flags: OpenFlags) -> Result<Arc<Handle>> {
        let flags = scheme_abi::flags::from_linux(linux_flags.bits(), 0);
        match open_at(&self.scheme, &self.path, flags, Self::me())? {
            Opened::Handle(handle) => Ok(handle),
            Opened::File(_) => Err(EOPNOTSUPP),
        }
    }

    fn remove(&self, name: &[u8], flags: u64) -> Result {
        let path = self.below(name);
        let slot = self.scheme.buffer(path.len(), Wait::Interruptible)?;
        slot.put(0, &path);
        self.scheme.call(sqe::unlink_at(ROOT_HANDLE, buffer(path.len()), flags, Self::me()), Some(slot))?;
        Ok(())
    }

    fn add_name(&self, path: Vec<u8>, make: impl FnOnce(Buffer) -> scheme_abi::Sqe) -> Result {
        let slot = self.scheme.buffer(path.len(), Wait::Interruptible)?;
        slot.put(0, &path);
        self.scheme.call(make(buffer(path.len())), Some(slot))?;
        Ok(())
    }

    fn same_scheme<'a>(&self, other: &'a InodeRef) -> Result<&'a SchemeNode> {
        let other = other.as_any().downcast_ref::<SchemeNode>().ok_or(EXDEV)?;
        if Arc::ptr_eq(&other.scheme, &self.scheme) { Ok(other) } else { Err(EXDEV) }
    }
}

impl Inode for SchemeNode {
    fn known_attr(&self) -> Option<Attr> {
        None
    }

    fn attr(&self) -> Result<Attr> {
        let asked = open_for_stat(&self.scheme, &self.path, Self::me()).and_then(|opened| match opened {
            Opened::Handle(handle) => handle.attr(),
            Opened::File(file) => file.ops.attr(),
        });
        match asked {
            // Many schemes have no root of their own; in `/scheme` they look like directories nevertheless.
            Err(error) if self.path.is_empty() && !error.is_restart() && error != EINTR => {
                Ok(Attr { dev: self.scheme.dev, ino: 1, mode: FileType::Directory as u32 | 0o755, nlink: 2, blksize: 4096, ..Attr::default() })
            }
            asked => asked,
        }
    }

    fn file_type(&self) -> FileType {
        // Unknown without a request. It may be one, and then names below must be reachable.
        FileType::Directory
    }

    fn owner_mode(&self) -> Result<(u32, u32, u32)> {
        // On the way through only: what the daemon allows it says when the path is opened.
        Ok((FileType::Directory as u32 | 0o755, 0, 0))
    }

    fn set_attr(&self, change: &SetAttr) -> Result {
        let flags = if change.size.is_some() { OpenFlags::WRONLY } else { OpenFlags::PATH };
        self.handle(flags)?.set_attr(change)
    }

    fn lookup(&self, name: &[u8]) -> Result<InodeRef> {
        Ok(Arc::new(Self { scheme: self.scheme.clone(), path: self.below(name) }))
    }

    fn open_whole(self: Arc<Self>, flags: OpenFlags, mode: u32, who: &Credentials, path: &crate::fs::Path) -> Option<Result<Arc<OpenFile>>> {
        if self.path.is_empty() && flags.contains(OpenFlags::CREAT | OpenFlags::EXCL) {
            return Some(succeed(&self.scheme, flags, who, path));
        }
        let redox = scheme_abi::flags::from_linux(flags.bits(), (mode & 0o7777) as u16);
        Some(open_at(&self.scheme, &self.path, redox, ids(who)).map(|opened| match opened {
            Opened::Handle(handle) => OpenFile::with_path(SchemeFile::new(handle), flags, Some(path.clone())),
            Opened::File(file) => file,
        }))
    }

    fn create(&self, name: &[u8], mode: u32, _rdev: u64, who: &Credentials) -> Result<InodeRef> {
        let flags = match FileType::from_mode(mode) {
            Some(FileType::Directory) => OpenFlags::CREAT | OpenFlags::EXCL | OpenFlags::DIRECTORY,
            Some(FileType::Regular) | None => OpenFlags::CREAT | OpenFlags::EXCL | OpenFlags::RDWR,
            _ => return Err(EPERM),
        };
        let path = self.below(name);
        open_at(&self.scheme, &path, scheme_abi::flags::from_linux(flags.bits(), (mode & 0o7777) as u16), ids(who))?;
        Ok(Arc::new(Self { scheme: self.scheme.clone(), path }))
    }

    fn link(&self, name: &[u8], target: &InodeRef) -> Result {
        let handle = self.same_scheme(target)?.handle(OpenFlags::PATH)?;
        self.add_name(self.below(name), |b| sqe::flink(handle.number, b, Self::me()))
    }

    fn unlink(&self, name: &[u8]) -> Result {
        self.remove(name, 0)
    }

    fn rmdir(&self, name: &[u8]) -> Result {
        self.remove(name, scheme_abi::AT_REMOVEDIR as u64)
    }

    fn rename(&self, name: &[u8], new_dir: &InodeRef, new_name: &[u8], flags: crate::fs::RenameFlags) -> Result {
        if !flags.is_empty() {
            return Err(EINVAL);
        }
        let new_path = self.same_scheme(new_dir)?.below(new_name);
        let old = Self { scheme: self.scheme.clone(), path: self.below(name) };
        let handle = old.handle(OpenFlags::PATH)?;
        self.add_name(new_path, |b| sqe::frename(handle.number, b, Self::me()))
    }

    fn open(self: Arc<Self>, flags: OpenFlags) -> Result<Arc<dyn FileOps>> {
        Ok(SchemeFile::new(self.handle(flags)?))
    }

    fn statfs(&self) -> Result<StatFs> {
        self.handle(OpenFlags::PATH)?.statfs()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
