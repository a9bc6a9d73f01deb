//! The nodes of the open transaction, written once each.
//!
//! The crate's functions on nodes read and write the four lists above a node, with a checksum each, for every change. A transaction that
//! makes a thousand files changes the same few lists a thousand times. Here nodes and lists that change stay in memory, and go to the
//! transaction's blocks before it is committed. Nothing else may change the tree.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use redoxfs::{BlockAddr, BlockData, BlockLevel, BlockPtr, BlockRaw, BlockTrait, Node, ReleaseList, TreeData, TreeList, TreePtr};
use syscall::error::{EEXIST, EIO, ENOENT, Error, Result};

use crate::device::Device;
use crate::visit::Tx;

/// The level of the list that the header points to; those of level 0 point to nodes.
const TOP: u8 = 3;
/// Lists kept from one transaction to the next (4 KiB each).
const MOST_LISTS: usize = 1024;
/// Pointers that a node holds itself.
const DIRECT: usize = 128;

struct List {
    block: BlockData<TreeList<BlockRaw>>,
    is_changed: bool,
}

impl List {
    /// The pointer at an index; null beyond the last.
    fn at(&self, index: usize) -> BlockPtr<BlockRaw> {
        self.block.data().ptrs.get(index).copied().unwrap_or_default()
    }

    fn set(&mut self, index: usize, ptr: BlockPtr<BlockRaw>) {
        self.block.data_mut().ptrs[index] = ptr;
        self.is_changed = true;
    }
}

/// What of the tree is in memory.
#[derive(Default)]
pub struct Nodes {
    /// By level and by the ids' bytes above those that the list tells apart.
    lists: BTreeMap<(u8, u32), List>,
    /// Those that differ from what the tree has, or are not in it yet.
    changed: BTreeMap<u32, Box<Node>>,
    /// Blocks that are used no more.
    freed: Vec<BlockPtr<BlockRaw>>,
    unlinked_changed: bool,
}

impl fmt::Debug for Nodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nodes").field("lists", &self.lists.len()).field("changed", &self.changed.len()).finish_non_exhaustive()
    }
}

/// The list of `level` above a node.
fn key(level: u8, id: u32) -> (u8, u32) {
    (level, (u64::from(id) >> (8 * (u32::from(level) + 1))) as u32)
}

/// Where a list of `level` points to what is above a node, or to the node.
fn index(level: u8, id: u32) -> usize {
    (id >> (8 * u32::from(level)) & 0xff) as usize
}

fn copy_of(node: &Node) -> Node {
    let mut copy = Node::default();
    copy.copy_from_slice(node);
    copy
}

/// Takes the block counts that allocations change where nobody wants to know them: a node counts itself from the start.
fn uncounted() -> TreeData<Node> {
    TreeData::new(0, Node::default())
}

impl Nodes {
    fn list<D: Device>(&mut self, tx: &mut Tx<'_, D>, level: u8, id: u32) -> Result<&mut List> {
        let key = key(level, id);
        if !self.lists.contains_key(&key) {
            let ptr = if level == TOP {
                // SAFETY: the lists of all levels differ in the type of what they point to only.
                unsafe { tx.header.tree.cast::<TreeList<BlockRaw>>() }
            } else {
                let ptr = self.list(tx, level + 1, id)?.at(index(level + 1, id));
                // SAFETY: as above.
                unsafe { ptr.cast::<TreeList<BlockRaw>>() }
            };
            let block = if ptr.is_null() {
                BlockData::new(BlockAddr::default(), TreeList::empty(BlockLevel::default()).ok_or(Error::new(EIO))?)
            } else {
                tx.read_block(ptr)?
            };
            self.lists.insert(key, List { block, is_changed: false });
        }
        self.lists.get_mut(&key).ok_or(Error::new(EIO))
    }

    fn slot<D: Device>(&mut self, tx: &mut Tx<'_, D>, id: u32) -> Result<BlockPtr<BlockRaw>> {
        Ok(self.list(tx, 0, id)?.at(index(0, id)))
    }

    /// Says in all lists above a node whether there is room below.
    fn occupy<D: Device>(&mut self, tx: &mut Tx<'_, D>, id: u32, mut is_full: bool) -> Result<()> {
        for level in 0..=TOP {
            let list = self.list(tx, level, id)?;
            let index = index(level, id);
            if list.block.data().branch_is_full(index) != is_full {
                list.block.data_mut().set_branch_full(index, is_full);
                list.is_changed = true;
            }
            is_full = list.block.data().tree_list_is_full();
        }
        Ok(())
    }

    /// A node as it is now.
    ///
    /// # Errors
    /// `ENOENT` where there is none, `EIO` where it does not read.
    pub fn read<D: Device>(&mut self, tx: &mut Tx<'_, D>, id: u32) -> Result<TreeData<Node>> {
        if let Some(node) = self.changed.get(&id) {
            return Ok(TreeData::new(id, copy_of(node)));
        }
        let ptr = self.slot(tx, id)?;
        if ptr.is_null() {
            return Err(Error::new(ENOENT));
        }
        // SAFETY: what the lists of level 0 point to are nodes.
        let mut block = tx.read_block(unsafe { ptr.cast::<Node>() })?;
        Ok(TreeData::new(id, std::mem::take(block.data_mut())))
    }

    /// Changes a node that was read or inserted before.
    pub fn write(&mut self, node: TreeData<Node>) {
        self.changed.insert(node.id(), Box::new(node.into_data()));
    }

    /// Adds a node under an id that is free.
    ///
    /// # Errors
    /// `EEXIST` where it is not.
    pub fn insert<D: Device>(&mut self, tx: &mut Tx<'_, D>, id: u32, node: &Node) -> Result<()> {
        if self.changed.contains_key(&id) || !self.slot(tx, id)?.is_null() {
            return Err(Error::new(EEXIST));
        }
        self.occupy(tx, id, true)?;
        self.changed.insert(id, Box::new(copy_of(node)));
        Ok(())
    }

    /// Takes a node out of the tree. What it points to must be freed already.
    ///
    /// # Errors
    /// Where a list does not read.
    pub fn remove<D: Device>(&mut self, tx: &mut Tx<'_, D>, id: u32) -> Result<()> {
        self.changed.remove(&id);
        let ptr = self.slot(tx, id)?;
        self.list(tx, 0, id)?.set(index(0, id), BlockPtr::default());
        self.occupy(tx, id, false)?;
        self.free(ptr);
        Ok(())
    }

    /// The lowest free ids that are not in `taken`, at most `most`.
    ///
    /// # Errors
    /// Where a list does not read.
    pub fn free_ids<D: Device>(&mut self, tx: &mut Tx<'_, D>, taken: &BTreeSet<u32>, most: usize) -> Result<Vec<u32>> {
        let mut found = Vec::new();
        self.free_ids_below(tx, TOP, 0, taken, most, &mut found)?;
        Ok(found)
    }

    fn free_ids_below<D: Device>(&mut self, tx: &mut Tx<'_, D>, level: u8, first: u32, taken: &BTreeSet<u32>, most: usize, found: &mut Vec<u32>) -> Result<()> {
        let list = self.list(tx, level, first)?;
        let free: Vec<u32> = (0..list.block.data().ptrs.len()).filter(|index| !list.block.data().branch_is_full(*index)).map(|index| first | (index as u32) << (8 * u32::from(level))).collect();
        for id in free {
            if found.len() == most {
                break;
            }
            if level > 0 {
                self.free_ids_below(tx, level - 1, id, taken, most, found)?;
            } else if id != 0 && !taken.contains(&id) && !self.changed.contains_key(&id) && self.slot(tx, id)?.is_null() {
                found.push(id);
            }
        }
        Ok(())
    }

    /// Frees a block when the transaction is written. A pointer to nothing is ignored.
    pub fn free(&mut self, ptr: BlockPtr<BlockRaw>) {
        if !ptr.is_null() {
            self.freed.push(ptr);
        }
    }

    /// The list of unlinked nodes is to be written anew.
    pub const fn unlinked_changed(&mut self) {
        self.unlinked_changed = true;
    }

    /// Brings all of it into the transaction's blocks. `unlinked`: the nodes without names that are to be freed at the next mount.
    ///
    /// # Errors
    /// Where a block does not read or there is no room: the transaction is of no use then.
    pub fn flush<D: Device>(&mut self, tx: &mut Tx<'_, D>, unlinked: impl Iterator<Item = u32>) -> Result<()> {
        for (id, node) in std::mem::take(&mut self.changed) {
            let old = self.slot(tx, id)?;
            let ptr = tx.sync_block(&mut uncounted(), BlockData::new(old.addr(), *node))?;
            // SAFETY: any block can be pointed to as raw bytes.
            self.list(tx, 0, id)?.set(index(0, id), unsafe { ptr.cast() });
        }
        for level in 0..=TOP {
            let of_level = self.lists.range((level, 0)..=(level, u32::MAX));
            let changed: Vec<u32> = of_level.filter(|(_, list)| list.is_changed).map(|((_, prefix), _)| *prefix).collect();
            for prefix in changed {
                self.flush_list(tx, level, prefix)?;
            }
        }
        if std::mem::take(&mut self.unlinked_changed) {
            self.flush_unlinked(tx, &unlinked.collect::<Vec<u32>>())?;
        }
        release(tx, &std::mem::take(&mut self.freed))?;
        if self.lists.len() > MOST_LISTS {
            self.lists.clear();
        }
        Ok(())
    }

    fn flush_list<D: Device>(&mut self, tx: &mut Tx<'_, D>, level: u8, prefix: u32) -> Result<()> {
        let Some(list) = self.lists.remove(&(level, prefix)) else { return Ok(()) };
        let id = (u64::from(prefix) << (8 * (u32::from(level) + 1))) as u32;
        let ptr = if level < TOP && list.block.data().tree_list_is_empty() {
            let old = self.list(tx, level + 1, id)?.at(index(level + 1, id));
            self.free(old);
            BlockPtr::default()
        } else {
            let mut copy = TreeList::empty(BlockLevel::default()).ok_or(Error::new(EIO))?;
            copy.copy_from_slice(list.block.data());
            let ptr = tx.sync_block(&mut uncounted(), list.block)?;
            self.lists.insert((level, prefix), List { block: BlockData::new(ptr.addr(), copy), is_changed: false });
            // SAFETY: any block can be pointed to as raw bytes.
            unsafe { ptr.cast::<BlockRaw>() }
        };
        if level < TOP {
            self.list(tx, level + 1, id)?.set(index(level + 1, id), ptr);
        } else {
            // SAFETY: the lists of all levels differ in the type of what they point to only.
            tx.header.tree = unsafe { ptr.cast() };
            tx.header_changed = true;
        }
        Ok(())
    }

    fn flush_unlinked<D: Device>(&mut self, tx: &mut Tx<'_, D>, unlinked: &[u32]) -> Result<()> {
        let mut old = tx.header.release;
        while !old.is_null() {
            // SAFETY: any block can be pointed to as raw bytes.
            self.free(unsafe { old.cast() });
            old = tx.read_block(old)?.data().prev;
        }
        let mut rest = unlinked;
        let mut newest = BlockPtr::default();
        while !rest.is_empty() {
            let mut list = ReleaseList::empty(BlockLevel::default()).ok_or(Error::new(EIO))?;
            list.prev = newest;
            let (some, more) = rest.split_at(rest.len().min(list.entries.len()));
            for (entry, id) in list.entries.iter_mut().zip(some) {
                *entry = TreePtr::new(*id);
            }
            rest = more;
            newest = tx.sync_block(&mut uncounted(), BlockData::new(BlockAddr::default(), list))?;
        }
        tx.header.release = newest;
        tx.header_changed = true;
        Ok(())
    }
}

/// Gives blocks back. The crate frees blocks of files only: so these are a file's for a moment.
pub(crate) fn release<D: Device>(tx: &mut Tx<'_, D>, blocks: &[BlockPtr<BlockRaw>]) -> Result<()> {
    for some in blocks.chunks(DIRECT) {
        let mut file = uncounted();
        if let Some(data) = file.data_mut().level_data_mut() {
            for (slot, ptr) in data.level0.iter_mut().zip(some) {
                // SAFETY: nobody reads the block any more, whatever it holds.
                *slot = unsafe { ptr.cast() };
            }
        }
        file.data_mut().set_size(some.len() as u64 * redoxfs::BLOCK_SIZE);
        // The crate takes each one's blocks off that count.
        let blocks: u64 = some.iter().map(|ptr| ptr.addr().level().blocks::<u64>()).sum();
        file.data_mut().set_blocks(blocks + 1);
        tx.truncate_node_inner(&mut file, 0)?;
    }
    Ok(())
}
