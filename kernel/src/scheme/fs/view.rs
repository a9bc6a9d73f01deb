//! `/scheme/<name>` of a filesystem: the same nodes, read-only in their names. Path lookup caches names by the place they were found at, and that
//! place is where the filesystem is mounted; here nothing is cached, so that both never contradict each other.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;

use crate::error::*;
use crate::fs::{Attr, FileOps, FileType, Inode, InodeRef, OpenFlags, StatFs};

/// A node seen without caching.
pub struct View(InodeRef);

impl View {
    /// A view of a node.
    pub fn of(node: InodeRef) -> InodeRef {
        Arc::new(Self(node))
    }
}

impl Inode for View {
    fn attr(&self) -> Result<Attr> {
        self.0.attr()
    }

    fn owner_mode(&self) -> Result<(u32, u32, u32)> {
        self.0.owner_mode()
    }

    fn file_type(&self) -> FileType {
        self.0.file_type()
    }

    fn lookup(&self, name: &[u8]) -> Result<InodeRef> {
        Ok(Arc::new(Self(self.0.lookup(name)?)))
    }

    fn create(&self, _name: &[u8], _mode: u32, _rdev: u64, _who: &crate::task::Credentials) -> Result<InodeRef> {
        Err(EROFS)
    }

    fn unlink(&self, _name: &[u8]) -> Result {
        Err(EROFS)
    }

    fn rmdir(&self, _name: &[u8]) -> Result {
        Err(EROFS)
    }

    fn read_link(&self) -> Result<Vec<u8>> {
        self.0.read_link()
    }

    fn open(self: Arc<Self>, flags: OpenFlags) -> Result<Arc<dyn FileOps>> {
        self.0.clone().open(flags)
    }

    fn statfs(&self) -> Result<StatFs> {
        self.0.statfs()
    }

    fn fs_type(&self) -> &'static str {
        "scheme"
    }

    fn sync_fs(&self) -> Result {
        self.0.sync_fs()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
