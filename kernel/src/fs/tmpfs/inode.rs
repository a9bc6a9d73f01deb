//! Inodes of tmpfs.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::any::Any;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::dir::Dir;
use super::{SEAL_SEAL, TmpFs, own};
use crate::error::*;
use crate::fs::generic::{CachedFile, CachedInode, DirFile, ListDir, limit_write, relatime_due};
use crate::fs::pagecache::PageCache;
use crate::fs::handle::FileHandle;
use crate::fs::inode::CAPABILITIES;
use crate::fs::{Attr, DirSink, FileOps, FileType, Inode, InodeRef, OpenFlags, RenameFlags, SetAttr, StatFs};
use crate::sync::SpinLock;
use crate::mm::MemoryObject;
use crate::task::{Capability, Credentials};

const F_SEAL_SHRINK: u32 = 2;
const F_SEAL_GROW: u32 = 4;
const F_SEAL_WRITE: u32 = 8;
const F_SEAL_FUTURE_WRITE: u32 = 16;
const KEEP_SIZE: u32 = 1;
const PUNCH_HOLE: u32 = 2;
const PAGE: u64 = 4096;
/// What Linux counts for a directory entry.
const ENTRY_SIZE: u64 = 20;
const XATTR_MAX: usize = 65536;

pub(super) struct Meta {
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub nlink: u32,
    pub atime_ns: i64,
    pub mtime_ns: i64,
    pub ctime_ns: i64,
}

pub(super) enum Body {
    File { cache: Arc<PageCache>, seals: AtomicU32 },
    Dir(SpinLock<Dir>),
    Link(Box<[u8]>),
    /// Stands for what is found at this path now (devices that a daemon serves).
    Alias(Box<[u8]>),
    /// FIFO, socket, device.
    Node,
}

/// A file, directory, ... of a tmpfs.
pub struct TmpInode {
    fs: Arc<TmpFs>,
    ino: u64,
    kind: FileType,
    rdev: u64,
    pub(super) meta: SpinLock<Meta>,
    pub(super) body: Body,
    xattrs: SpinLock<BTreeMap<Vec<u8>, Vec<u8>>>,
    /// Among them is `security.capability`.
    has_capabilities: AtomicBool,
    /// It never had a name and may get one (`O_TMPFILE`).
    is_linkable: AtomicBool,
    /// When it was made.
    birth_ns: i64,
    /// The filesystem may be asked for it by its handle.
    has_handle: AtomicBool,
    /// What a memfd was called.
    name: SpinLock<Option<Box<[u8]>>>,
}

impl TmpInode {
    pub(super) fn make(fs: &Arc<TmpFs>, mode: u32, uid: u32, gid: u32, rdev: u64, body: Option<Body>) -> Result<Arc<Self>> {
        if fs.inodes.fetch_add(1, Ordering::Relaxed) >= fs.max_inodes {
            fs.inodes.fetch_sub(1, Ordering::Relaxed);
            return Err(ENOSPC);
        }
        let kind = FileType::from_mode(mode).unwrap_or(FileType::Regular);
        let body = body.unwrap_or_else(|| match kind {
            FileType::Regular => Body::File { cache: super::new_cache(fs), seals: AtomicU32::new(SEAL_SEAL) },
            FileType::Directory => Body::Dir(SpinLock::new(Dir::default())),
            _ => Body::Node,
        });
        let now = crate::fs::now_ns();
        let nlink = if kind == FileType::Directory { 2 } else { 1 };
        Ok(Arc::new(Self {
            fs: fs.clone(),
            ino: fs.next_ino.fetch_add(1, Ordering::Relaxed),
            kind,
            rdev,
            meta: SpinLock::new(Meta { mode: kind as u32 | mode & 0o7777, uid, gid, nlink, atime_ns: now, mtime_ns: now, ctime_ns: now }),
            body,
            xattrs: SpinLock::new(BTreeMap::new()),
            has_capabilities: AtomicBool::new(false),
            is_linkable: AtomicBool::new(false),
            birth_ns: now,
            has_handle: AtomicBool::new(false),
            name: SpinLock::new(None),
        }))
    }

    /// Numbers are not given twice in a filesystem; this tells it from one that was mounted before.
    fn generation(&self) -> u32 {
        (self.birth_ns ^ self.birth_ns >> 32) as u32
    }

    pub(super) fn fs(&self) -> &Arc<TmpFs> {
        &self.fs
    }

    pub(super) fn set_unlinked(&self, name: &[u8], seals: u32) {
        self.meta.lock().nlink = 0;
        *self.name.lock() = Some(name.into());
        if let Body::File { seals: slot, .. } = &self.body {
            slot.store(seals, Ordering::Relaxed);
        }
    }

    /// The entries, of a directory.
    pub(super) fn dir(&self) -> Result<&SpinLock<Dir>> {
        match &self.body {
            Body::Dir(dir) => Ok(dir),
            _ => Err(ENOTDIR),
        }
    }

    /// Data and attributes of a directory have changed.
    pub(super) fn touch(&self, now: i64) {
        let mut meta = self.meta.lock();
        meta.mtime_ns = now;
        meta.ctime_ns = now;
    }

    pub(super) fn add_links(&self, change: i32, now: i64) {
        let mut meta = self.meta.lock();
        meta.nlink = meta.nlink.saturating_add_signed(change);
        meta.ctime_ns = now;
    }

    /// A new inode's owner, group and mode in this directory (`inode(7)`: set-group-ID directories).
    fn inherit(&self, mode: u32, who: &Credentials) -> (u32, u32, u32) {
        let meta = self.meta.lock();
        if meta.mode & 0o2000 == 0 {
            return (mode, who.fsuid, who.fsgid);
        }
        let mut mode = mode;
        if mode & 0o170000 == FileType::Directory as u32 {
            mode |= 0o2000;
        } else if mode & 0o2010 == 0o2010 && !who.has_over(Capability::FSETID, meta.uid, meta.gid) && !who.in_group(meta.gid) {
            mode &= !0o2000;
        }
        (mode, who.fsuid, meta.gid)
    }

    fn add(&self, name: &[u8], child: Arc<TmpInode>) -> Result<InodeRef> {
        let now = crate::fs::now_ns();
        self.dir()?.lock().insert(name, child.clone())?;
        if child.kind == FileType::Directory {
            self.add_links(1, now);
        }
        self.touch(now);
        Ok(child)
    }

    /// Adds a child made by the kernel itself (initfs, devtmpfs), also where changes are refused to others.
    pub(in crate::fs) fn add_kernel(&self, name: &[u8], mode: u32, rdev: u64, uid: u32, gid: u32) -> Result<Arc<TmpInode>> {
        let child = Self::make(&self.fs, mode, uid, gid, rdev, None)?;
        self.add(name, child.clone())?;
        Ok(child)
    }

    /// As [`TmpInode::add_kernel`], a regular file with these pages.
    pub(in crate::fs) fn add_kernel_file(&self, name: &[u8], mode: u32, uid: u32, gid: u32, cache: Arc<PageCache>) -> Result<Arc<TmpInode>> {
        let body = Body::File { cache, seals: AtomicU32::new(SEAL_SEAL) };
        let child = Self::make(&self.fs, mode, uid, gid, 0, Some(body))?;
        self.add(name, child.clone())?;
        Ok(child)
    }

    /// As [`TmpInode::add_kernel`], a symbolic link.
    pub(in crate::fs) fn add_kernel_link(&self, name: &[u8], target: &[u8]) -> Result {
        let child = Self::make(&self.fs, FileType::Symlink as u32 | 0o777, 0, 0, 0, Some(Body::Link(target.into())))?;
        self.add(name, child).map(|_| ())
    }

    /// As [`TmpInode::add_kernel`], a name that stands for what is at `target`.
    pub(in crate::fs) fn add_kernel_alias(&self, name: &[u8], target: &[u8]) -> Result {
        let child = Self::make(&self.fs, FileType::BlockDevice as u32, 0, 0, 0, Some(Body::Alias(target.into())))?;
        self.add(name, child).map(|_| ())
    }

    /// Removes a child whatever it is.
    pub(in crate::fs) fn remove_kernel(&self, name: &[u8]) -> Result {
        let gone = self.dir()?.lock().remove(name)?;
        if gone.kind == FileType::Directory {
            self.add_links(-1, crate::fs::now_ns());
        }
        drop(gone);
        Ok(())
    }

    /// The child itself, not what it stands for.
    pub(in crate::fs) fn child(&self, name: &[u8]) -> Option<Arc<TmpInode>> {
        self.dir().ok()?.lock().get(name)
    }

    /// Number of hard links of this file's seals (`F_GET_SEALS`).
    ///
    /// # Errors
    /// `EINVAL` for anything but regular files.
    pub fn seals(&self) -> Result<u32> {
        match &self.body {
            Body::File { seals, .. } => Ok(seals.load(Ordering::Relaxed)),
            _ => Err(EINVAL),
        }
    }

    /// `F_ADD_SEALS`.
    ///
    /// # Errors
    /// `EINVAL` for unknown seals, `EPERM` where sealing is sealed off.
    pub fn add_seals(&self, add: u32) -> Result {
        let Body::File { seals, cache } = &self.body else { return Err(EINVAL) };
        call_flags::files::FCNTL_SEALS.check(add)?;
        // Not under the lock of writes: a fault holds an address space's lock when it asks for that.
        let object: &dyn MemoryObject = &**cache;
        let is_shared = add & F_SEAL_WRITE != 0 && object.mappings().is_some_and(|mappings| mappings.is_shared_for_writing(object));
        let _writes = cache.lock_writes();
        let before = seals.load(Ordering::Relaxed);
        if before & SEAL_SEAL != 0 {
            return Err(EPERM);
        }
        if is_shared && before & F_SEAL_WRITE == 0 {
            return Err(EBUSY);
        }
        seals.fetch_or(add, Ordering::Relaxed);
        Ok(())
    }

    fn has_seal(&self, which: u32) -> bool {
        matches!(&self.body, Body::File { seals, .. } if seals.load(Ordering::Relaxed) & which != 0)
    }

    fn resize(&self, size: u64) -> Result {
        let Body::File { cache, .. } = &self.body else {
            return Err(if self.kind == FileType::Directory { EISDIR } else { EINVAL });
        };
        let _writes = cache.lock_writes();
        let old = cache.size();
        if (size < old && self.has_seal(F_SEAL_SHRINK)) || (size > old && self.has_seal(F_SEAL_GROW)) {
            return Err(EPERM);
        }
        cache.truncate(size);
        Ok(())
    }
}

impl Drop for TmpInode {
    /// Frees a tree without recursion into its depth.
    fn drop(&mut self) {
        self.fs.inodes.fetch_sub(1, Ordering::Relaxed);
        if *self.has_handle.get_mut() {
            self.fs.handles.lock().remove(&self.ino);
        }
        let Body::Dir(dir) = &mut self.body else { return };
        let mut stack = dir.get_mut().take_all();
        while let Some(child) = stack.pop() {
            if let Some(mut child) = Arc::into_inner(child) {
                if let Body::Dir(dir) = &mut child.body {
                    stack.extend(dir.get_mut().take_all());
                }
            }
        }
    }
}

impl Inode for TmpInode {
    fn attr(&self) -> Result<Attr> {
        let (size, pages) = match &self.body {
            Body::File { cache, .. } => {
                if cache.take_mapped_write() {
                    self.touch(crate::fs::now_ns());
                }
                (cache.size(), cache.resident_pages() as u64)
            }
            Body::Dir(dir) => ((dir.lock().len() as u64 + 2) * ENTRY_SIZE, 0),
            Body::Link(target) => (target.len() as u64, 0),
            Body::Alias(_) | Body::Node => (0, 0),
        };
        let meta = self.meta.lock();
        Ok(Attr {
            dev: self.fs.dev,
            ino: self.ino,
            mode: meta.mode,
            nlink: meta.nlink,
            uid: meta.uid,
            gid: meta.gid,
            rdev: self.rdev,
            size,
            blksize: 4096,
            blocks: pages * 8,
            atime_ns: meta.atime_ns,
            mtime_ns: meta.mtime_ns,
            ctime_ns: meta.ctime_ns,
        })
    }

    fn owner_mode(&self) -> Result<(u32, u32, u32)> {
        let meta = self.meta.lock();
        Ok((meta.mode, meta.uid, meta.gid))
    }

    fn file_type(&self) -> FileType {
        self.kind
    }

    fn set_attr(&self, change: &SetAttr) -> Result {
        self.fs.check_writable()?;
        if let Some(size) = change.size {
            self.resize(size)?;
        }
        let mut meta = self.meta.lock();
        if let Some(mode) = change.mode {
            meta.mode = meta.mode & 0o170000 | mode & 0o7777;
        }
        meta.uid = change.uid.unwrap_or(meta.uid);
        meta.gid = change.gid.unwrap_or(meta.gid);
        meta.atime_ns = change.atime_ns.unwrap_or(meta.atime_ns);
        meta.mtime_ns = change.mtime_ns.unwrap_or(meta.mtime_ns);
        meta.ctime_ns = change.ctime_ns.unwrap_or(meta.ctime_ns);
        Ok(())
    }

    fn lookup(&self, name: &[u8]) -> Result<InodeRef> {
        let child = self.dir()?.lock().get(name);
        match child {
            Some(child) => match &child.body {
                Body::Alias(target) => crate::fs::devfs::follow_alias(target),
                _ => Ok(child),
            },
            None if self.fs.dynamic => crate::fs::devfs::dynamic_lookup(self, name),
            None => Err(ENOENT),
        }
    }

    fn cacheable(&self) -> bool {
        !self.fs.dynamic
    }

    fn create(&self, name: &[u8], mode: u32, rdev: u64, who: &Credentials) -> Result<InodeRef> {
        self.fs.check_writable()?;
        let (mode, uid, gid) = self.inherit(mode, who);
        self.add(name, Self::make(&self.fs, mode, uid, gid, rdev, None)?)
    }

    fn tmpfile(&self, mode: u32, who: &Credentials, linkable: bool) -> Result<InodeRef> {
        self.fs.check_writable()?;
        let (mode, uid, gid) = self.inherit(FileType::Regular as u32 | mode & 0o7777, who);
        let inode = Self::make(&self.fs, mode, uid, gid, 0, None)?;
        inode.meta.lock().nlink = 0;
        inode.is_linkable.store(linkable, Ordering::Relaxed);
        Ok(inode)
    }

    fn symlink(&self, name: &[u8], target: &[u8], who: &Credentials) -> Result<InodeRef> {
        self.fs.check_writable()?;
        let (mode, uid, gid) = self.inherit(FileType::Symlink as u32 | 0o777, who);
        self.add(name, Self::make(&self.fs, mode, uid, gid, 0, Some(Body::Link(target.into())))?)
    }

    fn link(&self, name: &[u8], target: &InodeRef) -> Result {
        self.fs.check_writable()?;
        let inode = target.clone();
        own(&self.fs, target)?;
        let inode = (inode as Arc<dyn Any + Send + Sync>).downcast::<TmpInode>().map_err(|_| EXDEV)?;
        // What has lost its last name gets none again.
        if inode.meta.lock().nlink == 0 && !inode.is_linkable.load(Ordering::Relaxed) {
            return Err(ENOENT);
        }
        let now = crate::fs::now_ns();
        // Counted first, so that a concurrent unlink does not see 0 with a name left.
        inode.add_links(1, now);
        if let Err(error) = self.add(name, inode.clone()) {
            inode.add_links(-1, now);
            return Err(error);
        }
        inode.is_linkable.store(false, Ordering::Relaxed);
        Ok(())
    }

    fn unlink(&self, name: &[u8]) -> Result {
        self.fs.check_writable()?;
        let now = crate::fs::now_ns();
        let gone = {
            let mut dir = self.dir()?.lock();
            if dir.get(name).ok_or(ENOENT)?.kind == FileType::Directory {
                return Err(EISDIR);
            }
            dir.remove(name)?
        };
        gone.add_links(-1, now);
        self.touch(now);
        Ok(())
    }

    fn rmdir(&self, name: &[u8]) -> Result {
        self.fs.check_writable()?;
        let now = crate::fs::now_ns();
        let gone = {
            let mut dir = self.dir()?.lock();
            let child = dir.get(name).ok_or(ENOENT)?;
            child.dir()?.lock().close_if_empty()?;
            dir.remove(name)?
        };
        gone.meta.lock().nlink = 0;
        self.add_links(-1, now);
        self.touch(now);
        Ok(())
    }

    fn rename(&self, name: &[u8], new_dir: &InodeRef, new_name: &[u8], flags: RenameFlags) -> Result {
        self.fs.check_writable()?;
        super::dir::rename(self, name, own(&self.fs, new_dir)?, new_name, flags)
    }

    fn read_link(&self) -> Result<Vec<u8>> {
        match &self.body {
            Body::Link(target) => Ok(target.to_vec()),
            _ => Err(EINVAL),
        }
    }

    fn open(self: Arc<Self>, _flags: OpenFlags) -> Result<Arc<dyn FileOps>> {
        match &self.body {
            Body::File { .. } => Ok(Arc::new(CachedFile(self))),
            Body::Dir(_) => Ok(Arc::new(DirFile(self))),
            Body::Link(_) => Err(ELOOP),
            Body::Alias(_) | Body::Node => Err(ENXIO),
        }
    }

    fn accessed(&self, now_ns: i64) {
        let mut meta = self.meta.lock();
        if relatime_due(meta.atime_ns, meta.mtime_ns, meta.ctime_ns, now_ns) {
            meta.atime_ns = now_ns;
        }
    }

    fn get_xattr(&self, name: &[u8]) -> Result<Vec<u8>> {
        check_namespace(name)?;
        self.xattrs.lock().get(name).cloned().ok_or(ENODATA)
    }

    fn set_xattr(&self, name: &[u8], value: &[u8], flags: u32) -> Result {
        check_namespace(name)?;
        self.fs.check_writable()?;
        if value.len() > XATTR_MAX {
            return Err(E2BIG);
        }
        let mut xattrs = self.xattrs.lock();
        let exists = xattrs.contains_key(name);
        if exists && flags & 1 != 0 {
            return Err(EEXIST);
        }
        if !exists && flags & 2 != 0 {
            return Err(ENODATA);
        }
        let used: usize = xattrs.iter().filter(|x| x.0 != name).map(|(k, v)| k.len() + v.len()).sum();
        if used + name.len() + value.len() > XATTR_MAX {
            return Err(ENOSPC);
        }
        xattrs.insert(name.into(), value.into());
        if name == CAPABILITIES {
            self.has_capabilities.store(true, Ordering::Relaxed);
        }
        drop(xattrs);
        self.meta.lock().ctime_ns = crate::fs::now_ns();
        Ok(())
    }

    fn remove_xattr(&self, name: &[u8]) -> Result {
        check_namespace(name)?;
        self.fs.check_writable()?;
        self.xattrs.lock().remove(name).ok_or(ENODATA)?;
        if name == CAPABILITIES {
            self.has_capabilities.store(false, Ordering::Relaxed);
        }
        self.meta.lock().ctime_ns = crate::fs::now_ns();
        Ok(())
    }

    fn has_capabilities(&self) -> bool {
        self.has_capabilities.load(Ordering::Relaxed)
    }

    fn list_xattr(&self) -> Result<Vec<Vec<u8>>> {
        Ok(self.xattrs.lock().keys().cloned().collect())
    }

    fn file_handle(self: Arc<Self>) -> Result<FileHandle> {
        self.has_handle.store(true, Ordering::Relaxed);
        let handle = FileHandle { ino: self.ino, generation: self.generation() };
        self.fs.handles.lock().insert(self.ino, Arc::downgrade(&self));
        Ok(handle)
    }

    fn by_handle(&self, handle: FileHandle) -> Result<InodeRef> {
        let found = self.fs.handles.lock().get(&handle.ino).and_then(Weak::upgrade).ok_or(ESTALE)?;
        if found.generation() == handle.generation { Ok(found) } else { Err(ESTALE) }
    }

    fn birth_ns(&self) -> Option<i64> {
        Some(self.birth_ns)
    }

    fn statfs(&self) -> Result<StatFs> {
        Ok(self.fs.stats())
    }

    fn describe(&self) -> String {
        match &*self.name.lock() {
            Some(name) => alloc::format!("/memfd:{} (deleted)", String::from_utf8_lossy(name)),
            None => String::from("tmpfs"),
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Linux's tmpfs of 6.1 keeps `trusted.*` and `security.*`, and no `user.*`.
fn check_namespace(name: &[u8]) -> Result {
    match name.strip_prefix(b"trusted.").or_else(|| name.strip_prefix(b"security.")) {
        None => Err(EOPNOTSUPP),
        Some([]) => Err(EINVAL),
        Some(_) => Ok(()),
    }
}

impl CachedInode for TmpInode {
    fn cache(&self) -> &Arc<PageCache> {
        match &self.body {
            Body::File { cache, .. } => cache,
            _ => unreachable!("only regular files are opened as cached files"),
        }
    }

    fn modified(&self, now_ns: i64) {
        self.touch(now_ns);
    }

    fn check_write_seals(&self, end: u64) -> Result {
        if self.has_seal(F_SEAL_WRITE | F_SEAL_FUTURE_WRITE) || (self.has_seal(F_SEAL_GROW) && end > self.cache().size()) {
            return Err(EPERM);
        }
        Ok(())
    }

    fn check_map_seals(&self) -> Result {
        if self.has_seal(F_SEAL_WRITE | F_SEAL_FUTURE_WRITE) { Err(EPERM) } else { Ok(()) }
    }

    fn allocate(&self, mode: u32, offset: u64, len: u64) -> Result {
        self.fs.check_writable()?;
        let cache = self.cache();
        let _writes = cache.lock_writes();
        let end = offset.checked_add(len).ok_or(EFBIG)?;
        if mode == PUNCH_HOLE | KEEP_SIZE {
            if self.has_seal(F_SEAL_WRITE | F_SEAL_FUTURE_WRITE) {
                return Err(EPERM);
            }
            cache.punch_hole(offset, end)?;
        } else if mode & !KEEP_SIZE == 0 {
            if mode & KEEP_SIZE == 0 && end > cache.size() {
                if self.has_seal(F_SEAL_GROW) {
                    return Err(EPERM);
                }
                limit_write(offset, usize::try_from(len).map_err(|_| EFBIG)?)?;
            }
            cache.allocate(offset / PAGE, end.div_ceil(PAGE))?;
            if mode & KEEP_SIZE == 0 && end > cache.size() {
                cache.truncate(end);
            }
        } else {
            return Err(EOPNOTSUPP);
        }
        self.touch(crate::fs::now_ns());
        Ok(())
    }

    fn seek_data(&self, pos: u64, hole: bool) -> Result<u64> {
        let size = self.cache().size();
        if pos >= size {
            return Err(ENXIO);
        }
        // Of an archive's file nothing is a hole, whatever of it is in the cache.
        if self.cache().has_backend() {
            return Ok(if hole { size } else { pos });
        }
        let found = self.cache().next_page(pos / PAGE, !hole).map(|page| (page * PAGE).max(pos));
        match found {
            Some(at) if at < size => Ok(at),
            _ if hole => Ok(size),
            _ => Err(ENXIO),
        }
    }
}

impl ListDir for TmpInode {
    fn list(&self, pos: u64, sink: &mut DirSink<'_>) -> Result {
        // Collected first: the sink writes to user memory, which must not happen under a spin lock.
        let mut pos = pos;
        loop {
            let batch = self.dir()?.lock().batch(pos);
            if batch.is_empty() {
                return Ok(());
            }
            for (cookie, name, child) in batch {
                let kind = match &child.body {
                    Body::Alias(_) => None,
                    _ => Some(child.kind),
                };
                if !sink(child.ino, cookie, kind, &name) {
                    return Ok(());
                }
                pos = cookie;
            }
        }
    }
}
