//! What the kernel knows of a node. It lives as long as the inode or dirty pages do, and tells the daemon at its end.

use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use scheme_abi::fs::{Change, NodeAttr, Step};
use scheme_abi::sqe;

use super::SchemeFs;
use super::backend::Backend;
use super::node::FsNode;
use crate::error::*;
use crate::fs::pagecache::PageCache;
use crate::fs::Attr;
use crate::scheme::user::Wait;
use crate::sync::{Mutex, SpinLock};

/// A node.
pub struct NodeState {
    pub(super) fs: Arc<SchemeFs>,
    pub(super) generation: u32,
    /// The daemon's number.
    pub(super) id: u64,
    /// When it was made.
    pub(super) birth_ns: i64,
    attr: SpinLock<Attr>,
    /// `NodeAttr::XATTRS` and `CAPABILITIES`; changed under `order`.
    pub(super) xattrs: AtomicU32,
    /// Pages that the daemon reads at once.
    pub(super) read_unit: AtomicU64,
    /// Something changed that only the daemon knows (block counts, link counts): ask before `stat` tells.
    stale: AtomicBool,
    /// The daemon counts on being told of the end.
    announced: AtomicBool,
    /// The steps (of the log of changes) that made it and took its name, where nobody waited for their outcome.
    pub(super) made: AtomicU64,
    /// It was made without a name (`O_TMPFILE`), and may get one.
    pub(super) linkable: AtomicBool,
    pub(super) unnamed: AtomicU64,
    inode: SpinLock<Weak<FsNode>>,
    cache: SpinLock<Weak<PageCache>>,
    /// The target of a symbolic link, once read. It never changes.
    pub(super) target: SpinLock<Option<Arc<Vec<u8>>>>,
    /// Keeps writes of pages and changes of size and extended attributes in order.
    pub(super) order: Mutex<()>,
}

impl NodeState {
    pub(super) fn new(fs: Arc<SchemeFs>, node: &NodeAttr, attr: Attr) -> Arc<Self> {
        Arc::new(Self {
            fs,
            generation: node.generation,
            birth_ns: crate::scheme::convert::nanoseconds(node.birth.seconds, node.birth.nanoseconds),
            xattrs: AtomicU32::new(node.flags),
            read_unit: AtomicU64::new(node.read_unit()),
            id: attr.ino,
            attr: SpinLock::new(attr),
            stale: AtomicBool::new(false),
            announced: AtomicBool::new(false),
            made: AtomicU64::new(0),
            linkable: AtomicBool::new(false),
            unnamed: AtomicU64::new(0),
            inode: SpinLock::new(Weak::new()),
            cache: SpinLock::new(Weak::new()),
            target: SpinLock::new(None),
            order: Mutex::new(()),
        })
    }

    /// It is in the table now.
    pub(super) fn announce(&self) {
        self.announced.store(true, Ordering::Relaxed);
    }

    /// The inode; the one that is in use, or a new one, with the pages that are still around.
    pub(super) fn inode(self: &Arc<Self>) -> Arc<FsNode> {
        if let Some(inode) = self.inode.lock().upgrade() {
            return inode;
        }
        let fresh = Arc::new(FsNode::new(self.clone()));
        // What is still being written back is seen by new readers.
        if self.cache().is_some() {
            fresh.pages();
        }
        let mut inode = self.inode.lock();
        if let Some(other) = inode.upgrade() {
            return other;
        }
        *inode = Arc::downgrade(&fresh);
        drop(inode);
        fresh
    }

    /// The pages that are still around, or an empty cache.
    pub(super) fn page_cache(self: &Arc<Self>) -> Arc<PageCache> {
        if let Some(cache) = self.cache.lock().upgrade() {
            return cache;
        }
        let fresh = PageCache::new(Arc::new(Backend(self.clone())), self.attr().size);
        let mut slot = self.cache.lock();
        if let Some(other) = slot.upgrade() {
            return other;
        }
        *slot = Arc::downgrade(&fresh);
        drop(slot);
        fresh
    }

    /// The pages, while they are around.
    pub(super) fn cache(&self) -> Option<Arc<PageCache>> {
        self.cache.lock().upgrade()
    }

    /// The attributes as far as the kernel knows them.
    pub(super) fn attr(&self) -> Attr {
        *self.attr.lock()
    }

    /// Changes the attributes.
    pub(super) fn update<T>(&self, change: impl FnOnce(&mut Attr) -> T) -> T {
        change(&mut self.attr.lock())
    }

    /// Sets the modification and change times to now.
    pub(super) fn touch(&self) {
        let now = crate::time::realtime_ns() as i64;
        self.update(|attr| (attr.mtime_ns, attr.ctime_ns) = (now, now));
    }

    /// What the daemon knows is newer.
    pub(super) fn mark_stale(&self) {
        self.stale.store(true, Ordering::Release);
    }

    /// Takes over what the daemon said. Size and times of a file are the kernel's: the daemon may not have heard of the last writes.
    pub(super) fn learn(&self, node: &NodeAttr, times_too: bool) -> Result {
        let new = crate::scheme::convert::attr_of_node(node, self.fs.scheme.dev)?;
        if node.node != self.id || node.generation != self.generation {
            return Err(EIO);
        }
        self.read_unit.store(node.read_unit(), Ordering::Relaxed);
        let keep_data = self.cache().is_some();
        self.update(|attr| {
            let old = *attr;
            if new.file_type() == old.file_type() {
                *attr = new;
                if keep_data {
                    attr.size = old.size;
                    if !times_too {
                        (attr.mtime_ns, attr.ctime_ns) = (old.mtime_ns, old.ctime_ns);
                    }
                }
                if !times_too {
                    attr.atime_ns = attr.atime_ns.max(old.atime_ns);
                }
            }
        });
        Ok(())
    }

    /// The attributes for `stat(2)`: what became stale is asked for.
    ///
    /// # Errors
    /// The daemon's.
    pub(super) fn fresh_attr(&self) -> Result<Attr> {
        if self.stale.swap(false, Ordering::AcqRel) {
            // The step that took a name of it away is one of the directory's: the daemon must have heard of it, or it counts the name still.
            self.fs.scheme.changes.settle(&self.fs.scheme, self.unnamed.load(Ordering::Relaxed).saturating_add(1))?;
            let asked = self.fs.get_attr(self.id).and_then(|node| self.learn(&node, false));
            if let Err(error) = asked {
                self.mark_stale();
                return Err(error);
            }
        }
        let mut attr = self.attr();
        if let Some(cache) = self.cache() {
            if cache.take_mapped_write() {
                self.touch();
                attr = self.attr();
            }
            attr.size = cache.size();
            // Pages that the daemon has not seen take no blocks there yet; programs want to see that the file is not empty (`du`, `cp --sparse`).
            if attr.blocks == 0 && attr.size > 0 {
                attr.blocks = attr.size.div_ceil(4096).saturating_mul(8);
            }
        }
        Ok(attr)
    }

    /// Writes dirty pages out.
    ///
    /// # Errors
    /// The daemon's, also those that earlier write-back met.
    pub(super) fn flush(&self) -> Result {
        match self.cache() {
            Some(cache) => cache.flush(),
            None => Ok(()),
        }
    }

    /// `fsync(2)`.
    ///
    /// # Errors
    /// As [`NodeState::flush`].
    pub(super) fn sync(&self) -> Result {
        self.flush()?;
        self.commit()
    }

    /// Makes what the daemon has durable.
    ///
    /// # Errors
    /// The daemon's.
    pub(super) fn commit(&self) -> Result {
        let scheme = &self.fs.scheme;
        scheme.changes.settle(scheme, u64::MAX)?;
        scheme.submit(sqe::fsync(self.id), None, 0)?.wait(Wait::Uninterruptible)?;
        scheme.changes.take_failure()
    }
}

impl Drop for NodeState {
    fn drop(&mut self) {
        if !self.announced.load(Ordering::Relaxed) {
            return;
        }
        self.fs.forget(self.id);
        if self.attr().nlink == 0 {
            if self.fs.cancel(self.id, self.made.load(Ordering::Relaxed), self.unnamed.load(Ordering::Relaxed)) {
                return;
            }
            // The daemon frees it now, and so would its successor.
            self.fs.scheme.changes.queue(&self.fs.scheme, &Step { node: self.id, at: super::now(), change: Change::Forget });
        } else {
            self.fs.scheme.notify(sqe::close(self.id));
        }
    }
}
