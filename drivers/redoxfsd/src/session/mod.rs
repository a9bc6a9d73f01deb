//! The filesystem calls, within one open transaction.
//!
//! Every call checks all that can go wrong first, then asks [`crate::space`] for room, and only then changes
//! anything: a change that the crate gives up half-way cannot be taken back alone. Where that happens all the same (a
//! broken block, a bug) the whole transaction is given up, and the filesystem is read-only from then on.

mod data;
mod ids;
mod intents;
mod names;
mod state;
mod xattrs;

pub use intents::position;
pub use state::{Lost, State};

use intents::Intent;

use crate::attr;
use crate::device::Device;
use crate::space::Need;
use crate::visit::Tx;
use redoxfs::{Node, TreeData, TreePtr};
use scheme::abi::dirent::{DirentWriter, Entry, kind_of_mode};
use scheme::abi::fs::{
    Change, CreateRequest, LinkRequest, LookupStop, LookupWriter, NodeAttr, RenameRequest, SetAttr, SetXattr, Time,
};
use scheme::{Errno, Fail, FsScheme, Result, StatVfs};
use syscall::error::Error;

/// One open transaction and what is known beyond it.
pub struct Session<'s, 't, D: Device> {
    /// The transaction.
    pub tx: &'s mut Tx<'t, D>,
    /// What outlives it.
    pub state: &'s mut State,
}

/// An error of the crate in a call that changed nothing.
fn harmless(error: Error) -> Fail {
    scheme::redox(error.errno).into()
}

impl<D: Device> Session<'_, '_, D> {
    /// Notes an error of the crate in a call that may have changed something: the transaction is lost.
    fn lost(&mut self, error: Error) -> Fail {
        tracing::error!(
            "an operation failed half-way ({error}): back to the last commit, read-only"
        );
        self.state.lose(Lost::Transaction);
        Errno::IO.into()
    }

    /// Asks for room for a change.
    fn admit(&mut self, need: Need) -> Result<()> {
        if self.state.is_read_only() {
            return Err(Errno::ROFS.into());
        }
        // What is made again had room then: nothing of that is kept back now.
        let need = Need { frees: need.frees || self.state.is_replaying, ..need };
        let may_help = self.state.is_dirty() || self.state.has_nodes_to_free();
        let admitted = self.state.space.admit(need, may_help);
        match admitted {
            Ok(()) => self.state.touch(need.likely),
            Err(Fail::Retry) => self.state.want_commit(),
            Err(_) => {}
        }
        admitted
    }

    /// When a change is made: as the request says, or now.
    fn now(&self) -> Time {
        self.state.time.unwrap_or_else(attr::now)
    }

    /// A node's pointer. ESTALE for ids that no tree can hold.
    fn ptr(node: u64) -> Result<TreePtr<Node>> {
        let id = u32::try_from(node).map_err(|_| Errno::STALE)?;
        // Lists hold 254 pointers though an id has room for 256.
        if id == 0 || id.to_le_bytes().iter().any(|index| *index >= 254) {
            return Err(Errno::STALE.into());
        }
        Ok(TreePtr::new(id))
    }

    fn read_node(&mut self, ptr: TreePtr<Node>) -> Result<TreeData<Node>> {
        self.state.nodes.read(self.tx, ptr.id()).map_err(|error| match error.errno {
            syscall::error::ENOENT => Errno::STALE.into(),
            _ => harmless(error),
        })
    }

    /// A node's attributes, from memory if possible.
    fn attr(&mut self, ptr: TreePtr<Node>) -> Result<NodeAttr> {
        let id = ptr.id();
        if let Some(attr) = self.state.attr(id) {
            return Ok(attr);
        }
        let node = self.read_node(ptr)?;
        Ok(self.state.learn(id, attr::of_node(id, node.data())))
    }

    /// The attributes of a directory; its size and blocks may be old.
    fn known_dir(&mut self, ptr: TreePtr<Node>) -> Result<NodeAttr> {
        let attr = match self.state.outdated_attr(ptr.id()) {
            Some(attr) => attr,
            None => self.attr(ptr)?,
        };
        if !attr::is_dir(attr.mode) {
            return Err(Errno::NOTDIR.into());
        }
        Ok(attr)
    }

    /// Writes a changed node. Its times must be set.
    fn store(&mut self, node: TreeData<Node>) -> Result<NodeAttr> {
        let id = node.id();
        let attr = attr::of_node(id, node.data());
        self.state.nodes.write(node);
        self.state.times.remove(&id);
        self.state.forget_attr(id);
        Ok(self.state.learn(id, attr))
    }

    /// Brings times that were kept in memory into a node that is about to be changed.
    fn apply_times(&mut self, node: &mut TreeData<Node>) {
        if let Some((mtime, ctime)) = self.state.times.get(&node.id()) {
            if let Some(mtime) = mtime {
                attr::set_mtime(node.data_mut(), *mtime);
            }
            attr::set_ctime(node.data_mut(), *ctime);
        }
    }

    /// Reads a node to change it.
    fn read_to_change(&mut self, ptr: TreePtr<Node>) -> Result<TreeData<Node>> {
        let mut node = self.read_node(ptr)?;
        self.apply_times(&mut node);
        Ok(node)
    }

    /// Writes the nodes that have changed into the transaction's blocks.
    fn flush_nodes(&mut self) -> Result<()> {
        let unlinked = self.state.listed.iter().copied();
        self.state.nodes.flush(self.tx, unlinked).map_err(|error| self.lost(error))
    }

    /// What has to be done before a commit: nodes without names are freed as far as there is room, times kept in memory go into
    /// their nodes, and these into the transaction's blocks.
    pub fn before_commit(&mut self) {
        if self.state.is_read_only() {
            return;
        }
        self.free_nodes();
        for id in self.state.times.keys().copied().collect::<Vec<_>>() {
            let stored = self.read_node(TreePtr::new(id)).and_then(|mut node| {
                self.apply_times(&mut node);
                self.store(node)
            });
            if let Err(error) = stored {
                tracing::warn!("the times of node {id} are not kept: {error:?}");
                self.state.times.remove(&id);
            }
        }
        if self.state.lost().is_none() {
            self.make_log_area();
        }
        // Where it fails the transaction is lost, and its end tells.
        if self.state.lost().is_none() {
            let _ = self.flush_nodes();
        }
    }
}

impl<D: Device> FsScheme for Session<'_, '_, D> {
    fn lookup(
        &mut self,
        dir: u64,
        path: &[u8],
        found: &mut LookupWriter<'_>,
    ) -> Result<LookupStop> {
        let mut dir = Self::ptr(dir)?;
        self.known_dir(dir)?;
        for (index, name) in path.split(|byte| *byte == b'/').enumerate() {
            let name = match names::checked(name) {
                Ok(name) => name,
                // No such name can exist; the first one's own error is worth telling.
                Err(Errno::INVAL) => return Err(Errno::INVAL.into()),
                Err(errno) if index == 0 && errno != Errno::ILSEQ => return Err(errno.into()),
                Err(_) => return Ok(LookupStop::Missing),
            };
            if index > 0 && !attr::is_dir(self.attr(dir)?.mode) {
                return Ok(LookupStop::NotDirectory);
            }
            let Some(node) = self.find(dir, name)? else {
                return Ok(LookupStop::Missing);
            };
            let attr = self.attr(node)?;
            if attr::is_dir(attr.mode) {
                self.state.parents.insert(node.id(), dir.id());
            }
            if found.push(&attr).is_err() {
                return Ok(LookupStop::Full);
            }
            dir = node;
        }
        Ok(LookupStop::Complete)
    }

    fn create(&mut self, dir: u64, request: &CreateRequest<'_>) -> Result<NodeAttr> {
        self.create_as(dir, None, request)
    }

    fn create_as(
        &mut self,
        dir: u64,
        id: Option<u64>,
        request: &CreateRequest<'_>,
    ) -> Result<NodeAttr> {
        let id = match id {
            Some(id) => Some(Self::ptr(id)?.id()),
            None => None,
        };
        let ptr = Self::ptr(dir)?;
        self.logged(
            |session| session.create_node(ptr, id, request),
            |made| Intent::Step(dir, Change::Create { id: made.node, request: *request }),
        )
    }

    fn grant(&mut self, most: usize) -> Result<Vec<u64>> {
        self.grant_ids(most)
    }

    fn left_rest(&mut self) {
        self.state.owes_rest = true;
    }

    fn set_time(&mut self, at: Option<Time>) {
        self.state.time = at.map(clamp);
    }

    fn rename(&mut self, old_dir: u64, request: &RenameRequest<'_>) -> Result<()> {
        let ptr = Self::ptr(old_dir)?;
        self.logged(|session| session.rename_node(ptr, request), |()| Intent::Step(old_dir, Change::Rename(*request)))
    }

    fn link(&mut self, node: u64, request: &LinkRequest<'_>) -> Result<NodeAttr> {
        let ptr = Self::ptr(node)?;
        self.logged(|session| session.link_node(ptr, request), |_| Intent::Step(node, Change::Link(*request)))
    }

    fn unlink(&mut self, dir: u64, name: &[u8], remove_dir: bool) -> Result<()> {
        let ptr = Self::ptr(dir)?;
        self.logged(|session| session.unlink_node(ptr, name, remove_dir), |()| Intent::Step(dir, Change::Unlink { name, remove_dir }))
    }

    fn set_attr(&mut self, node: u64, changes: &SetAttr) -> Result<NodeAttr> {
        let ptr = Self::ptr(node)?;
        self.logged(|session| session.change_attr(ptr, changes), |_| Intent::Step(node, Change::SetAttr(*changes)))
    }

    fn set_xattr(&mut self, node: u64, request: &SetXattr<'_>) -> Result<NodeAttr> {
        let ptr = Self::ptr(node)?;
        self.logged(|session| session.change_xattr(ptr, request), |_| Intent::Step(node, Change::SetXattr(*request)))
    }

    fn remove_xattr(&mut self, node: u64, name: &[u8]) -> Result<NodeAttr> {
        let ptr = Self::ptr(node)?;
        self.logged(|session| session.take_xattr(ptr, name), |_| Intent::Step(node, Change::RemoveXattr { name }))
    }

    fn get_xattr(&mut self, node: u64, name: &[u8]) -> Result<Vec<u8>> {
        let xattrs = self.xattrs(Self::ptr(node)?)?;
        Ok(xattrs.get(name).ok_or(Errno::NODATA)?.to_vec())
    }

    fn list_xattr(&mut self, node: u64) -> Result<Vec<u8>> {
        Ok(self.xattrs(Self::ptr(node)?)?.names())
    }

    fn get_attr(&mut self, node: u64) -> Result<NodeAttr> {
        self.attr(Self::ptr(node)?)
    }

    fn read(&mut self, node: u64, buffer: &mut [u8], offset: u64) -> Result<usize> {
        self.read_data(Self::ptr(node)?, buffer, offset)
    }

    fn write(&mut self, node: u64, data: &[u8], offset: u64, mtime: Option<Time>) -> Result<usize> {
        let ptr = Self::ptr(node)?;
        self.logged(|session| session.write_data(ptr, data, offset, mtime), |_| Intent::Write { node, offset, mtime, data })
    }

    fn get_dents(&mut self, dir: u64, entries: &mut DirentWriter<'_>, from: u64) -> Result<()> {
        let dir = Self::ptr(dir)?;
        self.known_dir(dir)?;
        let mut from = from;
        loop {
            self.load_listing(dir)?;
            let listing = self.state.listings.get(dir.id());
            let Some((at, group)) = listing.and_then(|listing| listing.after(from)) else {
                return Ok(());
            };
            let room = group
                .iter()
                .map(|(name, _)| DirentWriter::record_len(name.len()))
                .sum();
            if entries.remaining() < room {
                return match entries.written() {
                    0 => Err(Errno::INVAL.into()),
                    _ => Ok(()),
                };
            }
            let group = group.to_vec();
            for (name, node) in group {
                let mode = self.attr(TreePtr::new(node))?.mode;
                entries.push(&Entry {
                    inode: u64::from(node),
                    next: at,
                    kind: kind_of_mode(mode),
                    name: name.as_bytes(),
                })?;
            }
            from = at;
        }
    }

    fn fsync(&mut self, tag: u32, node: u64) -> Result<()> {
        Self::ptr(node)?;
        if self.state.is_read_only() {
            return Err(Errno::IO.into());
        }
        if !self.state.is_dirty() || self.state.intents.is_settled() {
            return Ok(()); // commits, and records of the log, flush the disk
        }
        self.state.wait_for_log(tag);
        Err(Fail::Later)
    }

    fn sync(&mut self, tag: u32) -> Result<()> {
        if self.state.is_read_only() {
            return Err(Errno::IO.into());
        }
        if !self.state.is_dirty() {
            return Ok(()); // commits flush the disk
        }
        self.state.wait_for_commit(tag);
        Err(Fail::Later)
    }

    fn stat_vfs(&mut self) -> Result<StatVfs> {
        if (self.state.has_changes() || self.state.is_freeing()) && !self.state.is_read_only() {
            // Only a commit gives an exact count.
            self.state.want_commit();
            return Err(Fail::Retry);
        }
        Ok(StatVfs {
            f_bsize: redoxfs::BLOCK_SIZE as u32,
            f_blocks: self.tx.header.size() / redoxfs::BLOCK_SIZE,
            f_bfree: self.state.space.free(),
            f_bavail: self.state.space.available(),
        })
    }

    fn forget(&mut self, node: u64) {
        if let Ok(ptr) = Self::ptr(node) {
            let id = ptr.id();
            // One beyond the list that the daemon before knew of: its node says that it has no names.
            let is_known = self.state.listed.contains(&id) || self.state.unlisted.contains(&id);
            if self.state.is_successor() && !is_known && self.attr(ptr).is_ok_and(|attr| attr.nlink == 0) {
                self.state.unlisted.insert(id);
            }
            if self.state.forgotten(id) {
                // In the log for a successor alone: after a crash nobody holds nodes.
                let _ = self.logged(|_| Ok(()), |()| Intent::Step(node, Change::Forget));
            }
        }
    }
}

/// A time as the format holds it.
fn clamp(time: Time) -> Time {
    Time {
        seconds: time.seconds,
        nanoseconds: time.nanoseconds.min(999_999_999),
    }
}
