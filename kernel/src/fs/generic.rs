//! Regular files whose data are in the page cache, for any filesystem.

use alloc::string::String;
use alloc::sync::Arc;
use core::any::Any;

use super::file::{FileOps, OpenFile};
use super::inode::{Inode, InodeRef, SetAttr};
use super::io::{IoSink, IoSource};
use super::pagecache::PageCache;
use super::stat::{Attr, StatFs};
use crate::error::*;
use crate::mm::MemoryObject;
use crate::task::{Capability, self, Credentials, process::RLIMIT_FSIZE, signal};

/// Largest size of a file.
pub const MAX_FILE_SIZE: u64 = i64::MAX as u64;
/// A day: an access time older than this is renewed in any case.
const RELATIME_NS: i64 = 24 * 3600 * 1_000_000_000;
const SIGXFSZ: u32 = 25;

/// An inode with a page cache: what [`CachedFile`] needs of it.
pub trait CachedInode: Inode {
    /// Its pages.
    fn cache(&self) -> &Arc<PageCache>;

    /// The data were changed: mtime and ctime become `now_ns`.
    fn modified(&self, now_ns: i64);

    /// After all pages have been written to the backend: makes them and the attributes durable (`fsync`, or `fdatasync` where `data_only`).
    fn commit(&self, _data_only: bool) -> Result {
        Ok(())
    }

    /// `fallocate(2)`; [`PageCache::lock_writes`] is not held.
    fn allocate(&self, _mode: u32, _offset: u64, _len: u64) -> Result {
        Err(EOPNOTSUPP)
    }

    /// `SEEK_DATA`, `SEEK_HOLE`: as [`FileOps::seek_data`].
    fn seek_data(&self, pos: u64, hole: bool) -> Result<u64> {
        let size = self.cache().size();
        if pos >= size { Err(ENXIO) } else { Ok(if hole { size } else { pos }) }
    }

    /// Whether writing at `pos..pos + len` is sealed off (`F_SEAL_WRITE`, `F_SEAL_GROW`; `fcntl(2)`).
    fn check_write_seals(&self, _end: u64) -> Result {
        Ok(())
    }

    /// Whether a shared writable mapping is sealed off.
    fn check_map_seals(&self) -> Result {
        Ok(())
    }
}

/// An open regular file of such an inode.
pub struct CachedFile<T: CachedInode>(pub Arc<T>);

/// How many of `len` bytes may be written at `pos` under the process's file size limit.
///
/// # Errors
/// `EFBIG`, and SIGXFSZ to the thread, where none.
pub fn limit_write(pos: u64, len: usize) -> Result<usize> {
    let limit = task::with_current(|t| t.process.rlimit(RLIMIT_FSIZE).0);
    if pos.saturating_add(len as u64) <= limit {
        return Ok(len);
    }
    if pos >= limit {
        return too_large();
    }
    Ok((limit - pos) as usize)
}

/// Checks a new size against the process's file size limit.
///
/// # Errors
/// As [`limit_write`].
pub fn limit_size(size: u64) -> Result {
    let limit = task::with_current(|t| t.process.rlimit(RLIMIT_FSIZE).0);
    if size > limit { too_large() } else { Ok(()) }
}

fn too_large<T>() -> Result<T> {
    let thread = task::current();
    // A full queue means that the signal is pending already.
    let _ = signal::send_thread(&thread, signal::SigInfo::kernel(SIGXFSZ));
    Err(EFBIG)
}

/// Whether a stored access time is due for a change at `now` (the mount option relatime, `mount(8)`).
pub fn relatime_due(atime: i64, mtime: i64, ctime: i64, now: i64) -> bool {
    atime <= mtime || atime <= ctime || now - atime >= RELATIME_NS
}

/// The mode without the set-user-ID and set-group-ID bits that a change of owner or content by `creds` takes away; `None` if it stays.
pub fn without_privileges(mode: u32, creds: &Credentials) -> Option<u32> {
    if mode & 0o6000 == 0 || creds.has(Capability::FSETID) || mode & 0o170000 != 0o100000 {
        return None;
    }
    let mut new = mode & !0o4000;
    if mode & 0o010 != 0 {
        new &= !0o2000;
    }
    (new != mode).then_some(new & 0o7777)
}

impl<T: CachedInode> CachedFile<T> {
    fn write_locked(&self, pos: u64, src: &mut IoSource<'_>) -> Result<usize> {
        src.limit(limit_write(pos, src.remaining())?);
        if pos >= MAX_FILE_SIZE {
            return Err(EFBIG);
        }
        self.0.check_write_seals(pos.saturating_add(src.remaining() as u64))?;
        let mode = self.0.owner_mode()?.0;
        self.0.drop_capabilities()?;
        if mode & 0o6000 != 0 {
            let creds = task::with_current(|t| t.creds());
            if let Some(mode) = without_privileges(mode, &creds) {
                self.0.set_attr(&SetAttr { mode: Some(mode), ..SetAttr::default() })?;
            }
        }
        let n = self.0.cache().write(pos, src)?;
        self.0.modified(super::now_ns());
        super::file::note_change();
        Ok(n)
    }
}

impl<T: CachedInode> FileOps for CachedFile<T> {
    fn read(&self, file: &OpenFile, pos: u64, dst: &mut IoSink<'_>) -> Result<usize> {
        let n = self.0.cache().read(&file.read_ahead, pos, dst)?;
        if n > 0 {
            file.accessed();
        }
        Ok(n)
    }

    fn write(&self, _file: &OpenFile, pos: u64, src: &mut IoSource<'_>) -> Result<usize> {
        if src.remaining() == 0 {
            return Ok(0);
        }
        let _writes = self.0.cache().lock_writes();
        self.write_locked(pos, src)
    }

    fn append(&self, _file: &OpenFile, src: &mut IoSource<'_>) -> Result<(usize, u64)> {
        let _writes = self.0.cache().lock_writes();
        let end = self.0.cache().size();
        if src.remaining() == 0 {
            return Ok((0, end));
        }
        let n = self.write_locked(end, src)?;
        Ok((n, end + n as u64))
    }

    fn seekable(&self) -> bool {
        true
    }

    fn is_sealed_for_maps(&self) -> bool {
        self.0.check_map_seals().is_err()
    }

    fn mmap(&self, _file: &OpenFile, _offset: u64, _len: u64, shared_write: bool) -> Result<Arc<dyn MemoryObject>> {
        if shared_write {
            self.0.check_map_seals()?;
        }
        Ok(self.0.cache().clone())
    }

    fn attr(&self) -> Result<Attr> {
        self.0.attr()
    }

    fn seek_data(&self, pos: u64, hole: bool) -> Result<u64> {
        self.0.seek_data(pos, hole)
    }

    fn sync(&self, data_only: bool) -> Result {
        self.0.cache().flush()?;
        self.0.commit(data_only)
    }

    fn truncate(&self, len: u64) -> Result {
        super::file::note_change();
        let now = super::now_ns();
        self.0.set_attr(&SetAttr { size: Some(len), mtime_ns: Some(now), ctime_ns: Some(now), ..SetAttr::default() })
    }

    fn allocate(&self, mode: u32, offset: u64, len: u64) -> Result {
        self.0.allocate(mode, offset, len)
    }

    fn page_cache(&self) -> Option<&Arc<PageCache>> {
        Some(self.0.cache())
    }

    fn statfs(&self) -> Result<StatFs> {
        self.0.statfs()
    }

    fn inode(&self) -> Option<InodeRef> {
        Some(self.0.clone())
    }

    fn describe(&self) -> String {
        self.0.describe()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// An open directory: lists the inode's entries by a function of the filesystem.
pub struct DirFile<T: ListDir>(pub Arc<T>);

/// A directory that can list itself.
pub trait ListDir: Inode {
    /// As [`FileOps::getdents`].
    fn list(&self, pos: u64, sink: &mut super::inode::DirSink<'_>) -> Result;
}

impl<T: ListDir> FileOps for DirFile<T> {
    fn read(&self, _file: &OpenFile, _pos: u64, _dst: &mut IoSink<'_>) -> Result<usize> {
        Err(EISDIR)
    }

    fn seekable(&self) -> bool {
        true
    }

    fn attr(&self) -> Result<Attr> {
        self.0.attr()
    }

    fn getdents(&self, file: &OpenFile, pos: u64, sink: &mut super::inode::DirSink<'_>) -> Result {
        self.0.list(pos, sink)?;
        file.accessed();
        super::notify::file(file, super::notify::ACCESS);
        Ok(())
    }

    fn sync(&self, _data_only: bool) -> Result {
        self.0.sync_fs()
    }

    fn statfs(&self) -> Result<StatFs> {
        self.0.statfs()
    }

    fn inode(&self) -> Option<InodeRef> {
        Some(self.0.clone())
    }

    fn describe(&self) -> String {
        self.0.describe()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
