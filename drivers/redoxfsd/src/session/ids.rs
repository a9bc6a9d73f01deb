//! Node ids: which are free, which the kernel may give to nodes, and nodes put into the tree under an id.
//!
//! The kernel makes names before this daemon hears of them, so it needs ids in advance; and what a daemon that died had not committed
//! is made again with the ids that programs have seen already.

use super::names::NAME_BLOCKS;
use super::{Session, harmless};
use crate::device::Device;
use crate::space::Need;
use redoxfs::{Node, TreePtr};
use scheme::{Errno, Fail, Result};
use syscall::error::EEXIST;

/// Most ids that the kernel holds at a time.
const MOST_GRANTED: usize = 1024;

impl<D: Device> Session<'_, '_, D> {
    /// Asks for room for a new node, or uses what was promised to it.
    pub(super) fn admit_create(&mut self, id: Option<u32>) -> Result<()> {
        let Some(id) = id.filter(|id| self.state.granted.contains(id)) else {
            return self.admit(Need::blocks(NAME_BLOCKS));
        };
        self.state.space.keep_promise(NAME_BLOCKS);
        let admitted = self.admit(Need::to_free(NAME_BLOCKS));
        if admitted.is_ok() {
            self.state.granted.remove(&id);
        } else {
            let _ = self.state.space.promise(NAME_BLOCKS);
        }
        admitted
    }

    /// Puts a new node into the tree, under `id` or the lowest one that is free. Room is admitted.
    pub(super) fn insert(&mut self, id: Option<u32>, node: &Node) -> Result<TreePtr<Node>> {
        let id = match id {
            Some(id) => id,
            None => {
                let free = self.state.nodes.free_ids(self.tx, &self.state.granted, 1).map_err(harmless)?;
                free.first().copied().ok_or(Errno::NOSPC)?
            }
        };
        match self.state.nodes.insert(self.tx, id, node) {
            Ok(()) => Ok(TreePtr::new(id)),
            Err(error) if error.errno == EEXIST => Err(Errno::EXIST.into()),
            Err(error) => Err(self.lost(error)),
        }
    }

    /// Sets ids and room aside for nodes that the kernel will make.
    pub(super) fn grant_ids(&mut self, most: usize) -> Result<Vec<u64>> {
        if self.state.is_read_only() {
            return Err(Errno::ROFS.into());
        }
        let most = most.min(MOST_GRANTED.saturating_sub(self.state.granted.len()));
        let free = self.state.nodes.free_ids(self.tx, &self.state.granted, most).map_err(harmless)?;
        let mut ids = Vec::new();
        for id in free {
            if !self.state.space.promise(NAME_BLOCKS) {
                break;
            }
            self.state.granted.insert(id);
            ids.push(u64::from(id));
        }
        if ids.is_empty() && self.state.is_dirty() {
            // A commit may make room.
            self.state.want_commit();
            return Err(Fail::Retry);
        }
        Ok(ids)
    }
}
