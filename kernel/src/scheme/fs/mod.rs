//! Filesystems behind CACHEABLE schemes.
//!
//! All changes go through the kernel, so what it knows about a node stays true: names (in the name cache of path lookup), attributes
//! ([`state::NodeState`]), data (the page cache). The daemon sees lookups of several names at once, page-cache batches, and each change of a name.
//!
//! * [`SchemeFs`]: the filesystem: the table of its nodes, and the requests.
//! * [`state`]: what is known of a node as long as anyone uses it: its inode, or dirty pages without one.
//! * [`node`]: the inode. [`file`]: open files and directories. [`view`]: `/scheme/<name>`, the same tree without caching of names.

mod backend;
mod file;
mod node;
mod state;
mod view;

use alloc::collections::BTreeMap;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;

use scheme_abi::fs::{FS_GETATTR, FS_SYNC, NodeAttr, ROOT_NODE};
use scheme_abi::sqe;
use scheme_abi::stat::{STATVFS_BYTES, decode_statvfs};

use super::convert;
use super::handle::buffer;
use super::user::{Reply, UserScheme, Wait, ids};
use crate::error::*;
use crate::fs::{InodeRef, StatFs, SuperBlock};
use crate::sync::SpinLock;
use crate::task;
use node::FsNode;
use state::NodeState;

/// Filesystem type for `statfs(2)`: "RDOX".
const MAGIC: u64 = 0x5244_4f58;

/// A filesystem behind a scheme.
pub struct SchemeFs {
    scheme: Arc<UserScheme>,
    /// Nodes in use. An entry whose node is gone stays until the next visit to the table.
    nodes: SpinLock<BTreeMap<u64, Weak<NodeState>>>,
    root: SpinLock<Option<Arc<FsNode>>>,
    /// As mounted. All mounts share it, and with it the names that path lookup caches.
    mounted: SpinLock<Weak<SuperBlock>>,
}

/// `inode` and what is below it, without caching of names and without changes of them.
pub fn view(inode: InodeRef) -> InodeRef {
    view::View::of(inode)
}

impl SchemeFs {
    /// The filesystem of a scheme; asks the daemon for the root's attributes.
    ///
    /// # Errors
    /// The daemon's; `EIO` where the root is no directory.
    pub fn new(scheme: Arc<UserScheme>) -> Result<Arc<Self>> {
        let fs = Arc::new(Self { scheme, nodes: SpinLock::new(BTreeMap::new()), root: SpinLock::new(None), mounted: SpinLock::new(Weak::new()) });
        let attr = fs.get_attr(ROOT_NODE)?;
        let root = fs.node(&attr)?;
        if root.state.attr().file_type() != crate::fs::FileType::Directory {
            return Err(EIO);
        }
        *fs.root.lock() = Some(root);
        Ok(fs)
    }

    /// The filesystem for mounting.
    ///
    /// # Errors
    /// `EIO` while the filesystem is being set up.
    pub fn super_block(&self) -> Result<Arc<SuperBlock>> {
        if let Some(mounted) = self.mounted.lock().upgrade() {
            return Ok(mounted);
        }
        let root = self.root.lock().clone().ok_or(EIO)?;
        let fresh = SuperBlock::new("scheme", root, Vec::new());
        let mut mounted = self.mounted.lock();
        if let Some(other) = mounted.upgrade() {
            return Ok(other);
        }
        *mounted = Arc::downgrade(&fresh);
        Ok(fresh)
    }

    /// The root directory as `/scheme/<name>` shows it.
    ///
    /// # Errors
    /// As [`SchemeFs::super_block`].
    pub fn view(&self) -> Result<InodeRef> {
        let root = self.root.lock().clone().ok_or(EIO)?;
        Ok(view::View::of(root))
    }

    /// A `Call` on a node: `head` and `tail` go into the buffer, which has room for `answer` bytes too.
    pub(super) fn call(&self, node: u64, what: u64, payload: &[u8], answer: usize, wait: Wait) -> Result<Reply> {
        let room = payload.len().max(answer);
        let slot = self.scheme.buffer(room, wait)?;
        slot.put(0, payload);
        let process = &task::current().process;
        let who = ids(&process.creds()).pack();
        self.scheme.submit(sqe::call(node, buffer(room), [what, 0, who]), Some(slot), u64::from(process.pid))?.wait(wait)
    }

    /// As [`SchemeFs::call`], for calls that answer with a node's attributes.
    pub(super) fn call_for_attr(&self, node: u64, what: u64, payload: &[u8]) -> Result<NodeAttr> {
        let reply = self.call(node, what, payload, NodeAttr::BYTES, Wait::Killable)?;
        let mut bytes = [0; NodeAttr::BYTES];
        reply.slot()?.get(0, &mut bytes);
        NodeAttr::decode(&bytes).map_err(|_| EIO)
    }

    fn get_attr(&self, node: u64) -> Result<NodeAttr> {
        let attr = self.call_for_attr(node, FS_GETATTR, &[])?;
        if attr.node == node { Ok(attr) } else { Err(EIO) }
    }

    /// The inode for what the daemon says about a node. What the kernel knows already about a node in use counts more.
    ///
    /// # Errors
    /// `EIO` where the daemon contradicts itself.
    pub(super) fn node(self: &Arc<Self>, attr: &NodeAttr) -> Result<Arc<FsNode>> {
        let known = convert::attr_of_node(attr, self.scheme.dev)?;
        let mut fresh: Option<Arc<NodeState>> = None;
        let state = loop {
            let mut nodes = self.nodes.lock();
            let found = nodes.get(&attr.node).and_then(Weak::upgrade).filter(|state| state.generation == attr.generation);
            if let Some(state) = found {
                break state;
            }
            if let Some(state) = &fresh {
                nodes.insert(attr.node, Arc::downgrade(state));
                state.announce();
                break state.clone();
            }
            drop(nodes);
            // Made without the lock.
            fresh = Some(NodeState::new(self.clone(), attr.generation, known));
        };
        if state.attr().file_type() != known.file_type() {
            return Err(EIO);
        }
        Ok(state.inode())
    }

    /// A node is no longer used.
    pub(super) fn forget(&self, node: u64) {
        let mut nodes = self.nodes.lock();
        if nodes.get(&node).is_some_and(|state| state.strong_count() == 0) {
            nodes.remove(&node);
        }
    }

    pub(super) fn states(&self) -> Vec<Arc<NodeState>> {
        self.nodes.lock().values().filter_map(Weak::upgrade).collect()
    }

    /// Writes everything out.
    ///
    /// # Errors
    /// The first error met; the rest is written nevertheless.
    pub fn sync(&self) -> Result {
        let mut outcome = Ok(());
        for state in self.states() {
            outcome = outcome.and(state.flush());
        }
        outcome.and(self.call(ROOT_NODE, FS_SYNC, &[], 0, Wait::Uninterruptible).map(|_| ()))
    }

    pub(super) fn statfs(&self, node: u64) -> Result<StatFs> {
        let slot = self.scheme.buffer(STATVFS_BYTES, Wait::Killable)?;
        slot.put(0, &[0; STATVFS_BYTES]);
        let reply = self.scheme.submit(sqe::fstatvfs(node, buffer(STATVFS_BYTES)), Some(slot), 0)?.wait(Wait::Killable)?;
        let mut bytes = [0; STATVFS_BYTES];
        reply.slot()?.get(0, &mut bytes);
        Ok(convert::statfs(&decode_statvfs(&bytes).map_err(|_| EIO)?, MAGIC))
    }
}
