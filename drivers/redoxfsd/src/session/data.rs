//! Operations on one node: data, attributes, and freeing it.

use super::{Session, clamp, harmless};
use crate::attr;
use crate::device::Device;
use crate::records::{self, INLINE, MAX_SIZE};
use crate::space::Need;
use crate::xattrs::Xattrs;
use redoxfs::{Node, TreePtr};
use scheme::abi::fs::{NodeAttr, SetAttr, SetTime, Time};
use scheme::{Errno, Fail, Result};

/// What freeing a node itself may allocate: the lists above it, and the list of unlinked nodes.
const FREE_BLOCKS: u64 = 8;

impl<D: Device> Session<'_, '_, D> {
    pub(super) fn read_data(
        &mut self,
        ptr: TreePtr<Node>,
        buffer: &mut [u8],
        offset: u64,
    ) -> Result<usize> {
        let node = self.read_node(ptr)?;
        let mode = u32::from(node.data().mode());
        if attr::is_dir(mode) {
            return Err(Errno::ISDIR.into());
        }
        if !attr::is_file(mode) && !attr::is_symlink(mode) {
            return Err(Errno::INVAL.into());
        }
        if offset >= node.data().size() {
            return Ok(0);
        }
        self.tx
            .read_node_inner(&node, offset, buffer)
            .map_err(harmless)
    }

    pub(super) fn write_data(
        &mut self,
        ptr: TreePtr<Node>,
        data: &[u8],
        offset: u64,
        mtime: Option<Time>,
    ) -> Result<usize> {
        let mut node = self.read_to_change(ptr)?;
        if !attr::is_file(u32::from(node.data().mode())) {
            return Err(Errno::INVAL.into());
        }
        let len = data.len() as u64;
        let end = offset.checked_add(len).filter(|end| *end <= MAX_SIZE);
        let end = end.ok_or(Errno::FBIG)?;
        if data.is_empty() {
            return Ok(0);
        }
        let leaves_node = node.data().has_inline_data() && end > INLINE;
        let level = match leaves_node {
            true => records::level_for(len),
            false => node.data().record_level().bytes().ilog2() as usize - 12,
        };
        let from = offset.min(node.data().size());
        let mut need = records::write_need(node.data(), level, offset, len);
        if from < offset {
            need.blocks += records::write_need(node.data(), level, from, 1).blocks;
        }
        self.admit(need)?;
        if leaves_node {
            records::set_level(node.data_mut(), level);
        }
        if from < offset {
            // What an earlier, longer version left behind the end must not show.
            let grown = records::grow(self.tx, &mut node, offset);
            grown.map_err(|error| self.lost(error))?;
        }
        let written = crate::write::write(self.tx, &mut node, offset, data);
        written.map_err(|error| self.lost(error))?;
        let now = self.now();
        match mtime.map(clamp) {
            // Data written before the times were set by hand must not change them when it comes.
            Some(mtime) => {
                attr::set_mtime(node.data_mut(), mtime);
                let ctime = attr::of_node(0, node.data()).ctime.max(mtime);
                attr::set_ctime(node.data_mut(), ctime);
            }
            None => {
                attr::set_mtime(node.data_mut(), now);
                attr::set_ctime(node.data_mut(), now);
            }
        }
        self.store(node)?;
        Ok(data.len())
    }

    pub(super) fn change_attr(
        &mut self,
        ptr: TreePtr<Node>,
        changes: &SetAttr,
    ) -> Result<NodeAttr> {
        let mut node = self.read_to_change(ptr)?;
        let mode = u32::from(node.data().mode());
        let old_size = node.data().size();
        // Attributes alone take no room in the end.
        let mut need = Need::to_free(8);
        if let Some(size) = changes.size {
            if attr::is_dir(mode) {
                return Err(Errno::ISDIR.into());
            }
            if !attr::is_file(mode) {
                return Err(Errno::INVAL.into());
            }
            if size > MAX_SIZE {
                return Err(Errno::FBIG.into());
            }
            if size < old_size {
                need = records::free_need(node.data(), size);
            } else if size > old_size {
                need = records::write_need(node.data(), current_level(node.data()), old_size, 1);
            }
        }
        self.admit(need)?;
        let now = self.now();
        if let Some(size) = changes.size.filter(|size| *size != old_size) {
            if size > INLINE && node.data().has_inline_data() {
                records::set_level(node.data_mut(), 0);
            }
            let done = match size < old_size {
                true => records::shrink(self.tx, &mut node, size),
                false => records::grow(self.tx, &mut node, size),
            };
            done.map_err(|error| self.lost(error))?;
        }
        let data = node.data_mut();
        if changes.size.is_some() {
            attr::set_mtime(data, now);
        }
        if let Some(new) = changes.mode {
            data.set_mode((mode & 0o170000 | new & 0o7777) as u16);
        }
        if let Some(uid) = changes.uid {
            data.set_uid(uid);
        }
        if let Some(gid) = changes.gid {
            data.set_gid(gid);
        }
        let time = |set| match set {
            SetTime::Now => now,
            SetTime::To(time) => clamp(time),
        };
        if let Some(atime) = changes.atime {
            attr::set_atime(data, time(atime));
        }
        if let Some(mtime) = changes.mtime {
            attr::set_mtime(data, time(mtime));
        }
        attr::set_ctime(data, changes.ctime.map_or(now, clamp));
        self.store(node)
    }

    /// Frees nodes that have no names and that the kernel holds no more, as far as there is room.
    pub(super) fn free_nodes(&mut self) {
        while let Some(id) = self.state.to_free.pop() {
            match self.free_node(TreePtr::new(id)) {
                Ok(()) => {}
                Err(Fail::Retry | Fail::Errno(Errno::NOSPC)) => {
                    // After this commit there is more room.
                    self.state.to_free.push(id);
                    self.state.free_refused();
                    break;
                }
                Err(_) if self.state.lost().is_some() => return,
                Err(error) => {
                    // It does not read: it stays, without names, until somebody repairs the disk.
                    tracing::error!("node {id} has no names and cannot be freed: {error:?}");
                    self.state.listed.remove(&id);
                    self.state.unlisted.remove(&id);
                }
            }
        }
    }

    fn free_node(&mut self, ptr: TreePtr<Node>) -> Result<()> {
        let mut node = self.read_node(ptr)?;
        let was_dir = node.data().is_dir();
        let mut need = records::free_need(node.data(), 0);
        need.blocks += FREE_BLOCKS;
        self.admit(need)?;
        if records::has_records(node.data()) {
            let emptied = records::shrink(self.tx, &mut node, 0);
            emptied.map_err(|error| self.lost(error))?;
        }
        Xattrs::free(self.tx, &mut self.state.nodes, &mut node);
        self.state.nodes.remove(self.tx, ptr.id()).map_err(|error| self.lost(error))?;
        if self.state.listed.remove(&ptr.id()) {
            self.state.nodes.unlinked_changed();
        }
        self.state.unlisted.remove(&ptr.id());
        self.state.freed(ptr.id(), was_dir);
        Ok(())
    }
}

/// The level of a node's records.
fn current_level(node: &Node) -> usize {
    node.record_level().bytes().ilog2() as usize - 12
}
