//! `/scheme/<name>` of a filesystem: the same nodes, read-only in their names. Path lookup caches names by the place they were found at, and that
//! place is where the filesystem is mounted; here nothing is cached, so that both never contradict each other.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;

use crate::error::*;
use crate::fs::{Attr, FileOps, FileType, Inode, InodeRef, OpenFile, OpenFlags, Path, StatFs};
use crate::scheme::handle::succeed;
use crate::scheme::user::UserScheme;
use crate::task::Credentials;

/// A node seen without caching.
pub struct View(InodeRef, Option<Arc<UserScheme>>);

impl View {
    /// A view of a node.
    pub fn of(node: InodeRef) -> InodeRef {
        Arc::new(Self(node, None))
    }

    /// The root of a filesystem. Making it anew is how a successor of its daemon takes its socket.
    pub fn root(node: InodeRef, scheme: Arc<UserScheme>) -> InodeRef {
        Arc::new(Self(node, Some(scheme)))
    }
}

impl Inode for View {
    fn attr(&self) -> Result<Attr> {
        self.0.attr()
    }

    fn known_attr(&self) -> Option<Attr> {
        self.0.known_attr()
    }

    fn owner_mode(&self) -> Result<(u32, u32, u32)> {
        self.0.owner_mode()
    }

    fn file_type(&self) -> FileType {
        self.0.file_type()
    }

    fn lookup(&self, name: &[u8]) -> Result<InodeRef> {
        Ok(Arc::new(Self(self.0.lookup(name)?, None)))
    }

    fn create(&self, _name: &[u8], _mode: u32, _rdev: u64, _who: &Credentials) -> Result<InodeRef> {
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

    fn open_whole(self: Arc<Self>, flags: OpenFlags, _mode: u32, who: &Credentials, path: &Path) -> Option<Result<Arc<OpenFile>>> {
        let scheme = self.1.as_ref().filter(|_| flags.contains(OpenFlags::CREAT | OpenFlags::EXCL))?;
        Some(succeed(scheme, flags, who, path))
    }

    fn open(self: Arc<Self>, flags: OpenFlags) -> Result<Arc<dyn FileOps>> {
        self.0.clone().open(flags)
    }

    fn get_xattr(&self, name: &[u8]) -> Result<Vec<u8>> {
        self.0.get_xattr(name)
    }

    fn list_xattr(&self) -> Result<Vec<Vec<u8>>> {
        self.0.list_xattr()
    }

    fn statfs(&self) -> Result<StatFs> {
        self.0.statfs()
    }

    fn sync_fs(&self) -> Result {
        self.0.sync_fs()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
