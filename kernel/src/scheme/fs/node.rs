//! The inode of a filesystem behind a scheme.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::sync::atomic::Ordering;

use scheme_abi::fs::{
    Change, CreateRequest, FS_LOOKUP, LinkRequest, LookupAnswer, LookupRequest, LookupWriter, NodeAttr, RenameRequest,
    SetAttr as WireSetAttr, SetTime,
};
use scheme_abi::sqe;

use super::file::FsDirectory;
use super::state::NodeState;
use crate::error::*;
use crate::fs::generic::{CachedFile, relatime_due};
use crate::fs::handle::FileHandle;
use crate::fs::pagecache::PageCache;
use crate::fs::{Attr, FileOps, FileType, Inode, InodeRef, OpenFlags, RenameFlags, SetAttr, StatFs};
use crate::scheme::convert;
use crate::scheme::handle::buffer;
use crate::scheme::user::Wait;
use crate::sync::Once;
use crate::task::{self, Credentials};

/// Longest name, and target of a symbolic link, that a daemon need not be asked about.
pub(super) const NAME_MAX: usize = 252;
const INLINE_MAX: usize = 3967;
/// Longest target of a symbolic link.
const LINK_MAX: usize = 4096;
const SETGID: u32 = 0o2000;

/// An inode in use.
pub struct FsNode {
    pub(super) state: Arc<NodeState>,
    /// Of regular files, once they are opened.
    cache: Once<Arc<PageCache>>,
}

impl Drop for FsNode {
    fn drop(&mut self) {
        // Deleted, and closed by the last: nobody will ever read what is not written yet.
        if self.state.attr().nlink == 0 {
            if let Some(cache) = self.cache.get() {
                if Arc::strong_count(cache) <= 2 {
                    cache.discard();
                }
            }
        }
    }
}

impl FsNode {
    pub(super) fn new(state: Arc<NodeState>) -> Self {
        Self { state, cache: Once::new() }
    }

    /// The pages of a regular file.
    pub(super) fn pages(&self) -> &Arc<PageCache> {
        self.cache.get_or_init(|| self.state.page_cache())
    }

    fn of(inode: &InodeRef) -> Result<&FsNode> {
        inode.as_any().downcast_ref().ok_or(EXDEV)
    }

    fn same_fs<'a>(&self, inode: &'a InodeRef) -> Result<&'a FsNode> {
        let other = Self::of(inode)?;
        if Arc::ptr_eq(&other.state.fs, &self.state.fs) { Ok(other) } else { Err(EXDEV) }
    }

    /// A change of this directory's entries: its times and sizes are the daemon's to tell.
    fn entries_changed(&self) {
        self.state.touch();
        self.state.mark_stale();
    }

    fn add(&self, name: &[u8], target: &[u8], mode: u32, rdev: u64, who: &Credentials) -> Result<Arc<FsNode>> {
        let dir = self.state.attr();
        let (mut mode, mut gid) = (mode, who.fsgid);
        if dir.mode & SETGID != 0 {
            gid = dir.gid;
            if FileType::from_mode(mode) == Some(FileType::Directory) {
                mode |= SETGID;
            }
        }
        let request = CreateRequest { mode, uid: who.fsuid, gid, rdev, name, target };
        if let Some(node) = self.add_later(request)? {
            return Ok(node);
        }
        let attr = self.state.fs.change(self.state.id, Change::Create { id: 0, request })?;
        if FileType::from_mode(attr.mode) != FileType::from_mode(mode) {
            return Err(EIO);
        }
        if !name.is_empty() {
            self.entries_changed();
        }
        let node = self.state.fs.node(&attr)?;
        if !target.is_empty() {
            *node.state.target.lock() = Some(Arc::new(target.to_vec()));
        }
        Ok(node)
    }

    /// Makes a node that cannot be refused; the daemon will hear of it. `None`: it has to be asked.
    fn add_later(&self, request: CreateRequest<'_>) -> Result<Option<Arc<FsNode>>> {
        let fs = &self.state.fs;
        let is_plain = (1..=NAME_MAX).contains(&request.name.len()) && core::str::from_utf8(request.name).is_ok() && request.target.len() <= INLINE_MAX;
        if !is_plain || self.state.attr().nlink == 0 || !fs.scheme.changes.may_queue() {
            return Ok(None);
        }
        let Some((id, number, at)) = fs.queue_create(self.state.id, request)? else { return Ok(None) };
        let file_type = FileType::from_mode(request.mode);
        let is_device = matches!(file_type, Some(FileType::CharDevice | FileType::BlockDevice));
        let attr = NodeAttr {
            node: id,
            generation: NodeAttr::generation_of(at),
            mode: request.mode,
            nlink: 1,
            uid: request.uid,
            gid: request.gid,
            flags: 0,
            rdev: if is_device { request.rdev } else { 0 },
            size: request.target.len() as u64,
            blocks512: 8,
            atime: at,
            mtime: at,
            ctime: at,
            birth: at,
        };
        self.entries_changed();
        let node = fs.node(&attr)?;
        node.state.made.store(number, Ordering::Relaxed);
        if !request.target.is_empty() {
            *node.state.target.lock() = Some(Arc::new(request.target.to_vec()));
        }
        Ok(Some(node))
    }

    fn remove(&self, name: &[u8], remove_dir: bool) -> Result {
        self.state.fs.change(self.state.id, Change::Unlink { name, remove_dir })?;
        self.entries_changed();
        Ok(())
    }

    fn find(&self, path: &[u8], names: usize) -> Result<Vec<InodeRef>> {
        let mut payload = alloc::vec![0; LookupRequest::HEADER_BYTES + path.len()];
        LookupRequest { path }.encode(&mut payload).map_err(|_| ENAMETOOLONG)?;
        let room = LookupWriter::HEADER_BYTES + names * NodeAttr::BYTES;
        self.state.fs.settle_names(self.state.id, path)?;
        let reply = self.state.fs.send(self.state.id, FS_LOOKUP, &payload, room, Wait::Killable)?;
        let bytes = reply.slot()?.bytes_at(0, room.max(payload.len()));
        let answer = LookupAnswer::decode(&bytes).map_err(|_| EIO)?;
        if answer.len() > names {
            return Err(EIO);
        }
        answer.attrs().map(|attr| Ok(self.state.fs.node(&attr)? as InodeRef)).collect()
    }

    /// Changes the size, of the cached pages and at the daemon.
    fn resize(&self, size: u64, mut wire: WireSetAttr) -> Result<NodeAttr> {
        if self.file_type() != FileType::Regular {
            return Err(EINVAL);
        }
        let cache = self.pages();
        if size > i64::MAX as u64 {
            return Err(EFBIG);
        }
        let _writers = cache.lock_writes();
        let old = cache.size();
        if size < old {
            // First here, so that no page behind the new end is written any more.
            cache.truncate(size);
        }
        let _order = self.state.order.lock();
        wire.size = Some(size);
        let attr = self.state.fs.change(self.state.id, Change::SetAttr(wire))?;
        if size > old {
            cache.truncate(size);
        }
        self.state.update(|attr| attr.size = size);
        Ok(attr)
    }
}

impl Inode for FsNode {
    fn attr(&self) -> Result<Attr> {
        self.state.fresh_attr()
    }

    fn known_attr(&self) -> Option<Attr> {
        Some(self.state.attr())
    }

    fn owner_mode(&self) -> Result<(u32, u32, u32)> {
        let attr = self.state.attr();
        Ok((attr.mode, attr.uid, attr.gid))
    }

    fn file_type(&self) -> FileType {
        self.state.attr().file_type()
    }

    fn set_attr(&self, change: &SetAttr) -> Result {
        let explicit = |ns: Option<i64>| ns.map(|ns| SetTime::To(convert::time(ns)));
        let wire = WireSetAttr {
            mode: change.mode,
            uid: change.uid,
            gid: change.gid,
            size: None,
            atime: explicit(change.atime_ns),
            mtime: explicit(change.mtime_ns),
            ctime: change.ctime_ns.map(convert::time),
        };
        let node = if let Some(size) = change.size {
            let node = self.resize(size, wire)?;
            self.state.touch();
            node
        } else {
            // In order with writes, which set the modification time, too.
            let _order = self.state.order.lock();
            if self.state.fs.scheme.changes.may_queue() {
                self.state.fs.queue(self.state.id, Change::SetAttr(wire))?;
                self.state.update(|attr| {
                    attr.mode = change.mode.map_or(attr.mode, |mode| attr.mode & !0o7777 | mode & 0o7777);
                    attr.uid = change.uid.unwrap_or(attr.uid);
                    attr.gid = change.gid.unwrap_or(attr.gid);
                    attr.atime_ns = change.atime_ns.unwrap_or(attr.atime_ns);
                    attr.mtime_ns = change.mtime_ns.unwrap_or(attr.mtime_ns);
                    attr.ctime_ns = change.ctime_ns.unwrap_or_else(|| crate::time::realtime_ns() as i64);
                });
                return Ok(());
            }
            self.state.fs.change(self.state.id, Change::SetAttr(wire))?
        };
        self.state.learn(&node, false)?;
        self.state.update(|attr| {
            attr.atime_ns = change.atime_ns.unwrap_or(attr.atime_ns);
            attr.mtime_ns = change.mtime_ns.unwrap_or(attr.mtime_ns);
            attr.ctime_ns = change.ctime_ns.unwrap_or_else(|| crate::time::realtime_ns() as i64);
        });
        Ok(())
    }

    fn lookup(&self, name: &[u8]) -> Result<InodeRef> {
        self.find(name, 1)?.pop().ok_or(ENOENT)
    }

    fn lookup_many(&self, path: &[u8]) -> Option<Result<Vec<InodeRef>>> {
        Some(self.find(path, path.iter().filter(|b| **b == b'/').count() + 1))
    }

    fn cacheable(&self) -> bool {
        true
    }

    fn create(&self, name: &[u8], mode: u32, rdev: u64, who: &Credentials) -> Result<InodeRef> {
        Ok(self.add(name, b"", mode, rdev, who)?)
    }

    fn tmpfile(&self, mode: u32, who: &Credentials, linkable: bool) -> Result<InodeRef> {
        let node = self.add(b"", b"", FileType::Regular as u32 | mode & 0o7777, 0, who)?;
        node.state.linkable.store(linkable, Ordering::Relaxed);
        Ok(node)
    }

    fn symlink(&self, name: &[u8], target: &[u8], who: &Credentials) -> Result<InodeRef> {
        if target.is_empty() || target.len() >= LINK_MAX {
            return Err(if target.is_empty() { ENOENT } else { ENAMETOOLONG });
        }
        Ok(self.add(name, target, FileType::Symlink as u32 | 0o777, 0, who)?)
    }

    fn link(&self, name: &[u8], target: &InodeRef) -> Result {
        let target = self.same_fs(target)?;
        let unnamed = target.state.linkable.load(Ordering::Relaxed);
        let attr = self.state.fs.change(target.state.id, Change::Link(LinkRequest { dir: self.state.id, unnamed, name }))?;
        // With its first name it becomes as any file: without names again, it stays so.
        target.state.linkable.store(false, Ordering::Relaxed);
        target.state.made.store(0, Ordering::Relaxed);
        self.entries_changed();
        target.state.learn(&attr, false)?;
        target.state.update(|a| a.ctime_ns = crate::time::realtime_ns() as i64);
        Ok(())
    }

    fn unlink(&self, name: &[u8]) -> Result {
        self.remove(name, false)
    }

    fn unlink_known(&self, name: &[u8], victim: &InodeRef) -> Result {
        let victim = self.same_fs(victim)?;
        if victim.file_type() == FileType::Directory || !self.state.fs.scheme.changes.may_queue() {
            return self.unlink(name);
        }
        let number = self.state.fs.queue(self.state.id, Change::Unlink { name, remove_dir: false })?;
        victim.state.unnamed.store(number, Ordering::Relaxed);
        self.entries_changed();
        Ok(())
    }

    fn rmdir(&self, name: &[u8]) -> Result {
        self.remove(name, true)
    }

    fn rename(&self, name: &[u8], new_dir: &InodeRef, new_name: &[u8], flags: RenameFlags) -> Result {
        let new_dir = self.same_fs(new_dir)?;
        let flags = match flags {
            f if f.is_empty() => scheme_abi::fs::RenameFlags::Replace,
            RenameFlags::NOREPLACE => scheme_abi::fs::RenameFlags::NoReplace,
            RenameFlags::EXCHANGE => scheme_abi::fs::RenameFlags::Exchange,
            _ => return Err(EINVAL),
        };
        let request = RenameRequest { new_dir: new_dir.state.id, flags, old_name: name, new_name };
        self.state.fs.change(self.state.id, Change::Rename(request))?;
        self.entries_changed();
        new_dir.entries_changed();
        Ok(())
    }

    fn names_changed(&self) {
        // What was its link count, and whether it was the last, the daemon knows.
        self.state.mark_stale();
        let now = crate::time::realtime_ns() as i64;
        self.state.update(|attr| {
            attr.ctime_ns = now;
            if attr.file_type() == FileType::Directory {
                attr.nlink = 0;
            } else {
                attr.nlink = attr.nlink.saturating_sub(1);
            }
        });
    }

    fn read_link(&self) -> Result<Vec<u8>> {
        if self.file_type() != FileType::Symlink {
            return Err(EINVAL);
        }
        if let Some(target) = &*self.state.target.lock() {
            return Ok(target.to_vec());
        }
        let scheme = &self.state.fs.scheme;
        let slot = scheme.buffer(LINK_MAX, Wait::Killable)?;
        let caller = u64::from(task::current().process.pid);
        self.state.fs.settle_node(self.state.id)?;
        let reply = scheme.submit(sqe::read(self.state.id, buffer(LINK_MAX), 0, 0), Some(slot), caller)?.wait(Wait::Killable)?;
        let len = reply.len()?;
        let target = reply.slot()?.bytes_at(0, len);
        let kept = Arc::new(target.clone());
        let old = self.state.target.lock().replace(kept);
        drop(old);
        Ok(target)
    }

    fn open(self: Arc<Self>, _flags: OpenFlags) -> Result<Arc<dyn FileOps>> {
        match self.file_type() {
            FileType::Regular => Ok(Arc::new(CachedFile(self))),
            FileType::Directory => Ok(FsDirectory::new(self)),
            FileType::Symlink => Err(ELOOP),
            _ => Err(ENXIO),
        }
    }

    fn accessed(&self, now_ns: i64) {
        self.state.update(|attr| {
            if relatime_due(attr.atime_ns, attr.mtime_ns, attr.ctime_ns, now_ns) {
                attr.atime_ns = now_ns;
            }
        });
    }

    fn get_xattr(&self, name: &[u8]) -> Result<Vec<u8>> {
        self.state.get_xattr(name)
    }

    fn set_xattr(&self, name: &[u8], value: &[u8], flags: u32) -> Result {
        self.state.set_xattr(name, value, flags)
    }

    fn remove_xattr(&self, name: &[u8]) -> Result {
        self.state.remove_xattr(name)
    }

    fn has_capabilities(&self) -> bool {
        self.state.xattrs.load(Ordering::Relaxed) & NodeAttr::CAPABILITIES != 0
    }

    fn list_xattr(&self) -> Result<Vec<Vec<u8>>> {
        self.state.list_xattr()
    }

    fn file_handle(self: Arc<Self>) -> Result<FileHandle> {
        Ok(FileHandle { ino: self.state.id, generation: self.state.generation })
    }

    fn by_handle(&self, handle: FileHandle) -> Result<InodeRef> {
        Ok(self.state.fs.by_handle(handle)?)
    }

    fn birth_ns(&self) -> Option<i64> {
        Some(self.state.birth_ns)
    }

    fn statfs(&self) -> Result<StatFs> {
        self.state.fs.statfs(self.state.id)
    }

    fn sync_fs(&self) -> Result {
        self.state.fs.sync()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
