//! A place in the tree that processes see: an entry of a filesystem, seen through a mount.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::dentry::Dentry;
use super::inode::InodeRef;
use super::mount::{Mount, MountFlags};

/// A mount and an entry of its filesystem.
#[derive(Clone)]
pub struct Path {
    /// The mount it is seen through.
    pub mount: Arc<Mount>,
    /// The entry.
    pub dentry: Arc<Dentry>,
}

impl Path {
    /// The root of a mount.
    pub fn root_of(mount: &Arc<Mount>) -> Self {
        Self { mount: mount.clone(), dentry: mount.root.clone() }
    }

    /// The inode.
    pub fn inode(&self) -> &InodeRef {
        self.dentry.inode()
    }

    /// Whether programs seen through this mount may not be run.
    pub fn is_noexec(&self) -> bool {
        self.mount.flags().contains(MountFlags::NOEXEC)
    }

    /// Whether set-user-ID and set-group-ID bits of programs seen through this mount count for nothing.
    pub fn is_nosuid(&self) -> bool {
        self.mount.flags().contains(MountFlags::NOSUID)
    }

    /// Whether both name the same entry through the same mount.
    pub fn same(&self, other: &Path) -> bool {
        Arc::ptr_eq(&self.dentry, &other.dentry) && Arc::ptr_eq(&self.mount, &other.mount)
    }

    /// The absolute name as a process with root directory `root` sees it. The flag tells whether `root` was reached; where it was not, the
    /// name starts at the root of the outermost mount.
    pub fn name_from(&self, root: &Path) -> (Vec<u8>, bool) {
        let mut pieces = Vec::new();
        let mut at = self.clone();
        let reached = loop {
            if at.same(root) {
                break true;
            }
            if Arc::ptr_eq(&at.dentry, &at.mount.root) {
                match at.mount.mountpoint() {
                    Some(above) => at = above,
                    None => break false,
                }
                continue;
            }
            let (parent, name) = at.dentry.location();
            let Some(parent) = parent else { break false };
            pieces.push(name);
            at = Path { mount: at.mount, dentry: parent };
        };
        let mut name = Vec::with_capacity(64);
        for piece in pieces.iter().rev() {
            name.push(b'/');
            name.extend_from_slice(piece);
        }
        if name.is_empty() {
            name.push(b'/');
        }
        (name, reached)
    }

    /// The name for `/proc` links: as [`Path::name_from`], with ` (deleted)` where the name was removed.
    pub fn display_from(&self, root: &Path) -> Vec<u8> {
        let (mut name, _) = self.name_from(root);
        if self.dentry.is_gone() {
            name.extend_from_slice(b" (deleted)");
        }
        name
    }
}

impl Path {
    /// A place for an object that has no name (a pipe opened again by `/proc/self/fd`).
    pub fn detached(dentry: Arc<Dentry>) -> Self {
        Self { mount: super::root().mount, dentry }
    }
}
