//! Node ids: which are free, which the kernel may give to nodes, and nodes put into the tree under an id.
//!
//! The kernel makes names before this daemon hears of them, so it needs ids in advance; and what a daemon that died had not committed
//! is made again with the ids that programs have seen already.

use super::names::NAME_BLOCKS;
use super::{Session, harmless};
use crate::device::Device;
use crate::space::Need;
use redoxfs::{
    BlockAddr, BlockData, BlockLevel, BlockPtr, BlockRaw, BlockTrait, Node, TreeData, TreePtr,
};
use scheme::{Errno, Fail, Result};
use std::collections::BTreeSet;
use std::ops::DerefMut;
use syscall::error::{EEXIST, EIO, Error};

/// Most ids that the kernel holds at a time.
const MOST_GRANTED: usize = 1024;

type Tx<'t, D> = crate::visit::Tx<'t, D>;

/// A list of the tree, or an empty one where there is none yet.
fn list<T, D>(tx: &mut Tx<'_, D>, ptr: BlockPtr<T>) -> syscall::error::Result<BlockData<T>>
where
    T: BlockTrait + DerefMut<Target = [u8]>,
    D: Device,
{
    if ptr.is_null() {
        let empty = T::empty(BlockLevel::default()).ok_or(Error::new(EIO))?;
        return Ok(BlockData::new(BlockAddr::default(), empty));
    }
    tx.read_block(ptr)
}

/// The lowest free ids that are not in `taken`, at most `most`.
fn free_ids<D: Device>(
    tx: &mut Tx<'_, D>,
    taken: &BTreeSet<u32>,
    most: usize,
) -> syscall::error::Result<Vec<u32>> {
    let mut found = Vec::new();
    let l3 = tx.read_block(tx.header.tree)?;
    for i3 in 0..l3.data().ptrs.len() {
        if l3.data().branch_is_full(i3) {
            continue;
        }
        let l2 = list(tx, l3.data().ptrs[i3])?;
        for i2 in 0..l2.data().ptrs.len() {
            if l2.data().branch_is_full(i2) {
                continue;
            }
            let l1 = list(tx, l2.data().ptrs[i2])?;
            for i1 in 0..l1.data().ptrs.len() {
                if l1.data().branch_is_full(i1) {
                    continue;
                }
                let l0 = list(tx, l1.data().ptrs[i1])?;
                for i0 in 0..l0.data().ptrs.len() {
                    let ptr = l0.data().ptrs[i0];
                    let id = TreePtr::<Node>::from_indexes((i3, i2, i1, i0)).id();
                    if id == 0 || !ptr.is_null() || taken.contains(&id) {
                        continue;
                    }
                    if found.len() == most {
                        return Ok(found);
                    }
                    found.push(id);
                }
            }
        }
    }
    Ok(found)
}

/// Puts a node into the tree under an id that is free.
fn put<D: Device>(tx: &mut Tx<'_, D>, id: u32, node: &Node) -> syscall::error::Result<()> {
    let (i3, i2, i1, i0) = TreePtr::<Node>::new(id).indexes();
    let mut l3 = tx.read_block(tx.header.tree)?;
    let mut l2 = list(tx, l3.data().ptrs[i3])?;
    let mut l1 = list(tx, l2.data().ptrs[i2])?;
    let mut l0 = list(tx, l1.data().ptrs[i1])?;
    let old = l0.data().ptrs[i0];
    if !old.is_null() {
        return Err(Error::new(EEXIST));
    }
    // The block count that allocation updates is of no use here: a node counts itself from the start.
    let mut counted = TreeData::new(0, Node::default());
    let mut raw = BlockRaw::empty(BlockLevel::default()).ok_or(Error::new(EIO))?;
    raw.copy_from_slice(node);
    l0.data_mut().ptrs[i0] =
        tx.sync_block(&mut counted, BlockData::new(BlockAddr::default(), raw))?;
    l0.data_mut().set_branch_full(i0, true);
    let full = l0.data().tree_list_is_full();
    l1.data_mut().set_branch_full(i1, full);
    l1.data_mut().ptrs[i1] = tx.sync_block(&mut counted, l0)?;
    let full = l1.data().tree_list_is_full();
    l2.data_mut().set_branch_full(i2, full);
    l2.data_mut().ptrs[i2] = tx.sync_block(&mut counted, l1)?;
    let full = l2.data().tree_list_is_full();
    l3.data_mut().set_branch_full(i3, full);
    l3.data_mut().ptrs[i3] = tx.sync_block(&mut counted, l2)?;
    tx.header.tree = tx.sync_block(&mut counted, l3)?;
    tx.header_changed = true;
    Ok(())
}

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
                let free = free_ids(self.tx, &self.state.granted, 1).map_err(harmless)?;
                free.first().copied().ok_or(Errno::NOSPC)?
            }
        };
        match put(self.tx, id, node) {
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
        let free = free_ids(self.tx, &self.state.granted, most).map_err(harmless)?;
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
