//! Filesystems behind CACHEABLE schemes.
//!
//! All changes go through the kernel, so what it knows about a node stays true: names (in the name cache of path lookup), attributes
//! ([`state::NodeState`]), data (the page cache). The daemon sees lookups of several names at once, page-cache batches, and each change of a name.
//!
//! * [`SchemeFs`]: the filesystem: the table of its nodes, and the requests.
//! * [`state`]: what is known of a node as long as anyone uses it: its inode, or dirty pages without one.
//! * [`node`]: the inode, [`xattr`]: its extended attributes. [`file`]: open files and directories. [`view`]: `/scheme/<name>`, the same tree without caching of names.

mod backend;
mod file;
mod node;
mod state;
mod view;
mod xattr;

use alloc::collections::BTreeMap;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;

use scheme_abi::area::SLOT_BYTES;
use scheme_abi::fs::{Change, CreateRequest, FS_GETATTR, FS_GRANT, FS_SYNC, NodeAttr, ROOT_NODE, Step, Time};
use scheme_abi::sqe;
use scheme_abi::stat::{STATVFS_BYTES, decode_statvfs};

use super::changes::ChangeLog;
use super::convert;
use super::handle::buffer;
use super::user::{Reply, UserScheme, Wait, ids};
use crate::error::*;
use crate::fs::handle::FileHandle;
use crate::fs::{InodeRef, StatFs, SuperBlock};
use crate::sync::{Mutex, SpinLock};
use crate::task;
use node::FsNode;
use state::NodeState;

/// Filesystem type for `statfs(2)`: "RDOX".
const MAGIC: u64 = 0x5244_4f58;

/// Node ids asked for at once. The daemon keeps room on the disk for each.
const IDS: usize = 32;

/// A filesystem behind a scheme.
pub struct SchemeFs {
    scheme: Arc<UserScheme>,
    /// Nodes in use. An entry whose node is gone stays until the next visit to the table.
    nodes: SpinLock<BTreeMap<u64, Weak<NodeState>>>,
    root: SpinLock<Option<Arc<FsNode>>>,
    /// Node ids for nodes to come, and the daemon that they are of.
    ids: SpinLock<(Vec<u64>, u64)>,
    granting: Mutex<()>,
    /// As mounted. All mounts share it, and with it the names that path lookup caches.
    mounted: SpinLock<Weak<SuperBlock>>,
}

/// The time of a change.
fn now() -> Time {
    convert::time(crate::time::realtime_ns() as i64)
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
        scheme.changes.give_buffer(scheme.buffer(SLOT_BYTES, Wait::Killable)?);
        let weak = Arc::downgrade(&scheme);
        task::spawn_kernel("fs-changes", move || ChangeLog::run(weak));
        let fs = Arc::new(Self { scheme, nodes: SpinLock::new(BTreeMap::new()), ids: SpinLock::new((Vec::new(), 0)), granting: Mutex::new(()), root: SpinLock::new(None), mounted: SpinLock::new(Weak::new()) });
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
        Ok(view::View::root(root, self.scheme.clone()))
    }

    /// Makes a change, and waits until the daemon has.
    pub(super) fn change(&self, node: u64, change: Change<'_>) -> Result<NodeAttr> {
        self.scheme.changes.call(&self.scheme, &Step { node, at: now(), change })
    }

    /// Queues the creation of a node that cannot fail: gives its id, and the number and time of the change. `None` where the daemon has no room for it.
    pub(super) fn queue_create(&self, dir: u64, request: CreateRequest<'_>) -> Result<Option<(u64, u64, Time)>> {
        self.scheme.changes.make_room(&self.scheme)?;
        loop {
            let at = now();
            {
                let mut ids = self.ids.lock();
                if ids.1 == self.scheme.epoch() {
                    if let Some(id) = ids.0.pop() {
                        let step = Step { node: dir, at, change: Change::Create { id, request } };
                        let number = self.scheme.changes.queue(&self.scheme, &step);
                        return if number == 0 { Err(EIO) } else { Ok(Some((id, number, at))) };
                    }
                }
            }
            if !self.ask_for_ids()? {
                return Ok(None);
            }
        }
    }

    /// Queues a change that cannot fail; returns its number.
    pub(super) fn queue(&self, node: u64, change: Change<'_>) -> Result<u64> {
        self.scheme.changes.make_room(&self.scheme)?;
        match self.scheme.changes.queue(&self.scheme, &Step { node, at: now(), change }) {
            0 => Err(EIO),
            number => Ok(number),
        }
    }

    fn ask_for_ids(&self) -> Result<bool> {
        let _one = self.granting.lock();
        let epoch = self.scheme.epoch();
        {
            let ids = self.ids.lock();
            if ids.1 == epoch && !ids.0.is_empty() {
                return Ok(true);
            }
        }
        let room = 8 + 8 * IDS;
        let reply = match self.call(ROOT_NODE, FS_GRANT, &(IDS as u32).to_le_bytes(), room, Wait::Killable) {
            // A daemon without this.
            Err(ENOTTY) => return Ok(false),
            reply => reply?,
        };
        let bytes = reply.slot()?.bytes_at(0, room);
        let word = |at: usize| bytes.get(at..at + 8).and_then(|b| b.try_into().ok()).map_or(0, u64::from_le_bytes);
        let count = (word(0) as usize).min(IDS);
        let fresh: Vec<u64> = (0..count).map(|i| word(8 + 8 * i)).filter(|id| *id > ROOT_NODE).rev().collect();
        let any = !fresh.is_empty();
        if self.scheme.epoch() == epoch {
            let old = core::mem::replace(&mut *self.ids.lock(), (fresh, epoch));
            drop(old);
        }
        Ok(any)
    }

    /// A node that was made and deleted before the daemon heard of it: whether its steps were taken back.
    pub(super) fn cancel(&self, id: u64, made: u64, unnamed: u64) -> bool {
        let cancelled = self.scheme.changes.cancel(id, made, unnamed);
        if cancelled {
            let mut ids = self.ids.lock();
            if ids.1 == self.scheme.epoch() {
                ids.0.push(id);
            }
        }
        cancelled
    }

    /// Sees to it that the daemon knows of all changes of a node.
    pub(super) fn settle_node(&self, node: u64) -> Result {
        let about = |step: &Step<'_>| step.node == node || matches!(step.change, Change::Create { id, .. } if id == node);
        self.scheme.changes.settle_if(&self.scheme, about)
    }

    /// Sees to it that the daemon knows whatever was changed about the names of `path` in directory `dir`.
    pub(super) fn settle_names(&self, dir: u64, path: &[u8]) -> Result {
        let is_in_path = |name: &[u8]| path.split(|b| *b == b'/').any(|n| n == name);
        self.scheme.changes.settle_if(&self.scheme, |step| match &step.change {
            Change::Create { id, request } => *id == dir || is_in_path(request.name),
            Change::Unlink { name, .. } => is_in_path(name),
            Change::SetAttr(_) | Change::SetXattr(_) | Change::RemoveXattr { .. } | Change::Forget => false,
            Change::Rename(_) | Change::Link(_) => true,
        })
    }

    /// A `Call` on a node that needs to know of all changes: `head` and `tail` go into the buffer, which has room for `answer` bytes too.
    pub(super) fn call(&self, node: u64, what: u64, payload: &[u8], answer: usize, wait: Wait) -> Result<Reply> {
        self.scheme.changes.settle(&self.scheme, u64::MAX)?;
        self.send(node, what, payload, answer, wait)
    }

    /// As [`SchemeFs::call`], whatever changes are queued.
    pub(super) fn send(&self, node: u64, what: u64, payload: &[u8], answer: usize, wait: Wait) -> Result<Reply> {
        let room = payload.len().max(answer);
        let slot = self.scheme.buffer(room, wait)?;
        slot.put(0, payload);
        let process = &task::current().process;
        let who = ids(&process.creds()).pack();
        self.scheme.submit_call(sqe::call(node, buffer(room), [what, 0, who]), slot, u64::from(process.pid), payload)?.wait(wait)
    }

    fn get_attr(&self, node: u64) -> Result<NodeAttr> {
        self.settle_node(node)?;
        let reply = self.send(node, FS_GETATTR, &[], NodeAttr::BYTES, Wait::Killable)?;
        let mut bytes = [0; NodeAttr::BYTES];
        reply.slot()?.get(0, &mut bytes);
        let attr = NodeAttr::decode(&bytes).map_err(|_| EIO)?;
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
            fresh = Some(NodeState::new(self.clone(), attr, known));
        };
        if state.attr().file_type() != known.file_type() {
            return Err(EIO);
        }
        Ok(state.inode())
    }

    /// The inode that a handle names.
    ///
    /// # Errors
    /// `ESTALE` where it is gone; the daemon's.
    pub(super) fn by_handle(self: &Arc<Self>, handle: FileHandle) -> Result<Arc<FsNode>> {
        // Also one without names, while it is open.
        let known = self.nodes.lock().get(&handle.ino).and_then(Weak::upgrade);
        if let Some(state) = known.filter(|state| state.generation == handle.generation) {
            return Ok(state.inode());
        }
        // A word that is no node id means the root to daemons.
        if u32::try_from(handle.ino).is_err() {
            return Err(ESTALE);
        }
        let attr = self.get_attr(handle.ino)?;
        if attr.generation != handle.generation || attr.nlink == 0 { Err(ESTALE) } else { self.node(&attr) }
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
        outcome = outcome.and(self.call(ROOT_NODE, FS_SYNC, &[], 0, Wait::Uninterruptible).map(|_| ()));
        outcome.and(self.scheme.changes.take_failure())
    }

    pub(super) fn statfs(&self, node: u64) -> Result<StatFs> {
        self.scheme.changes.settle(&self.scheme, u64::MAX)?;
        let slot = self.scheme.buffer(STATVFS_BYTES, Wait::Killable)?;
        slot.put(0, &[0; STATVFS_BYTES]);
        let reply = self.scheme.submit(sqe::fstatvfs(node, buffer(STATVFS_BYTES)), Some(slot), 0)?.wait(Wait::Killable)?;
        let mut bytes = [0; STATVFS_BYTES];
        reply.slot()?.get(0, &mut bytes);
        let stats = convert::statfs(&decode_statvfs(&bytes).map_err(|_| EIO)?, MAGIC);
        Ok(StatFs { name_max: node::NAME_MAX as u64, ..stats })
    }
}
