//! Walks the trees of a generation, reading (and so verifying) every block that another generation does not share.

use crate::attr;
use crate::cache::CachedDisk;
use crate::device::Device;
use crate::directory;
use redoxfs::{
    BlockAddr, BlockList, BlockPtr, BlockRaw, BlockTrait, Header, Node, NodeLevelData,
    RecordRaw, Transaction, Tree, TreeList, TreePtr,
};
use std::ops::DerefMut;
use syscall::error::{Error, Result};

/// A transaction on our disk.
pub type Tx<'a, D> = Transaction<'a, CachedDisk<D>>;

/// What a walk reports. Errors of either method end it.
pub trait Visitor {
    /// A block that is in use.
    fn block(&mut self, addr: BlockAddr) -> Result<()>;
    /// A node.
    fn node(&mut self, id: u32, node: &Node) -> Result<()>;
    /// A block that does not read. The walk goes on without it if this returns `Ok`.
    fn unreadable(&mut self, what: &str, addr: BlockAddr, error: Error) -> Result<()>;
}

/// A block type with pointers to more.
trait Walk: BlockTrait + DerefMut<Target = [u8]> + Sized {
    /// What the messages call it.
    const NAME: &'static str;
    /// Visits what the block points to. `old` is the same block of the other generation.
    fn children<D: Device>(
        &self,
        old: Option<&Self>,
        id: u32,
        tx: &mut Tx<'_, D>,
        visitor: &mut impl Visitor,
    ) -> Result<()>;
}

/// Visits the block of `new` unless `old` is the same pointer.
fn walk<T: Walk, D: Device>(
    new: BlockPtr<T>,
    old: Option<BlockPtr<T>>,
    id: u32,
    tx: &mut Tx<'_, D>,
    visitor: &mut impl Visitor,
) -> Result<()> {
    let same = old.is_some_and(|old| (old.addr(), old.hash()) == (new.addr(), new.hash()));
    if new.is_null() || same {
        return Ok(());
    }
    visitor.block(new.addr())?;
    let block = match tx.read_block(new) {
        Ok(block) => block,
        Err(error) => return visitor.unreadable(T::NAME, new.addr(), error),
    };
    let old = match old {
        None => None,
        Some(old) if old.is_null() => None,
        // The other generation's blocks may have been used again: then what hangs below cannot be told apart, and was
        // complete before that happened.
        Some(old) => match tx.read_block(old) {
            Ok(old) => Some(old),
            Err(_) => return Ok(()),
        },
    };
    block
        .data()
        .children(old.as_ref().map(|old| old.data()), id, tx, visitor)
}

impl Walk for RecordRaw {
    const NAME: &'static str = "a record of a file, or a block of extended attributes,";
    fn children<D: Device>(
        &self,
        _: Option<&Self>,
        _: u32,
        _: &mut Tx<'_, D>,
        _: &mut impl Visitor,
    ) -> Result<()> {
        Ok(())
    }
}

impl<T: Walk> Walk for BlockList<T> {
    const NAME: &'static str = "a list of a file's records";
    fn children<D: Device>(
        &self,
        old: Option<&Self>,
        id: u32,
        tx: &mut Tx<'_, D>,
        visitor: &mut impl Visitor,
    ) -> Result<()> {
        for index in 0..self.ptrs.len() {
            let old = old.map(|old| old.ptrs[index]);
            walk(self.ptrs[index], old, id, tx, visitor)?;
        }
        Ok(())
    }
}

impl<T: Walk> Walk for TreeList<T> {
    const NAME: &'static str = "a list of nodes";
    fn children<D: Device>(
        &self,
        old: Option<&Self>,
        id: u32,
        tx: &mut Tx<'_, D>,
        visitor: &mut impl Visitor,
    ) -> Result<()> {
        for index in 0..self.ptrs.len() {
            let old = old.map(|old| old.ptrs[index]);
            walk(self.ptrs[index], old, id << 8 | index as u32, tx, visitor)?;
        }
        Ok(())
    }
}

impl Walk for BlockRaw {
    const NAME: &'static str = "a node";
    fn children<D: Device>(
        &self,
        old: Option<&Self>,
        id: u32,
        tx: &mut Tx<'_, D>,
        visitor: &mut impl Visitor,
    ) -> Result<()> {
        let (mut new_node, mut old_node) = (Node::default(), Node::default());
        new_node.copy_from_slice(self);
        if let Some(old) = old {
            old_node.copy_from_slice(old);
        }
        visitor.node(id, &new_node)?;
        walk(attr::xattrs(&new_node), Some(attr::xattrs(&old_node)), id, tx, visitor)?;
        let none = NodeLevelData::default();
        let old = old_node.level_data().unwrap_or(&none);
        match new_node.level_data() {
            None => Ok(()),
            Some(new) if new_node.is_dir() => directory_blocks(new, tx, visitor),
            Some(new) => levels(id, new, old, tx, visitor),
        }
    }
}

fn levels<D: Device>(
    id: u32,
    new: &NodeLevelData,
    old: &NodeLevelData,
    tx: &mut Tx<'_, D>,
    visitor: &mut impl Visitor,
) -> Result<()> {
    macro_rules! level {
        ($level:ident) => {
            for index in 0..new.$level.len() {
                walk(new.$level[index], Some(old.$level[index]), id, tx, visitor)?;
            }
        };
    }
    level!(level0);
    level!(level1);
    level!(level2);
    level!(level3);
    level!(level4);
    Ok(())
}

/// A directory is one block of entries, or a tree with hashes above many; the first pointer is a marker that tells
/// the tree's height.
fn directory_blocks<D: Device>(
    data: &NodeLevelData,
    tx: &mut Tx<'_, D>,
    visitor: &mut impl Visitor,
) -> Result<()> {
    let Some((height, root)) = directory::root_of(data) else {
        return Ok(());
    };
    directory_block(root, height, tx, visitor)
}

fn directory_block<D: Device>(
    ptr: BlockPtr<BlockRaw>,
    height: u32,
    tx: &mut Tx<'_, D>,
    visitor: &mut impl Visitor,
) -> Result<()> {
    if ptr.is_null() {
        return Ok(());
    }
    visitor.block(ptr.addr())?;
    let block = match tx.read_block(ptr) {
        Ok(block) => block,
        Err(error) => return visitor.unreadable("a block of a directory", ptr.addr(), error),
    };
    if height == 0 {
        return Ok(());
    }
    for (_, below) in directory::branch(block.data())? {
        directory_block(below, height - 1, tx, visitor)?;
    }
    Ok(())
}

/// Visits all nodes, lists, records and directory blocks of the transaction's generation that `old` does not share.
pub fn walk_tree<D: Device>(
    tx: &mut Tx<'_, D>,
    old: Option<&Header>,
    visitor: &mut impl Visitor,
) -> Result<()> {
    let new: BlockPtr<Tree> = tx.header.tree;
    walk(new, old.map(|old| old.tree), 0, tx, visitor)
}

/// Visits the blocks of the allocation log and of the list of unlinked nodes, all of them; returns the latter.
pub fn walk_lists<D: Device>(
    tx: &mut Tx<'_, D>,
    visitor: &mut impl Visitor,
) -> Result<Vec<TreePtr<Node>>> {
    let mut alloc = tx.header.alloc;
    while !alloc.is_null() {
        visitor.block(alloc.addr())?;
        match tx.read_block(alloc) {
            Ok(list) => alloc = list.data().prev,
            Err(error) => {
                visitor.unreadable("the allocation log", alloc.addr(), error)?;
                break;
            }
        }
    }
    let mut unlinked = Vec::new();
    let mut release = tx.header.release;
    while !release.is_null() {
        visitor.block(release.addr())?;
        let list = match tx.read_block(release) {
            Ok(list) => list,
            Err(error) => {
                visitor.unreadable("the list of unlinked nodes", release.addr(), error)?;
                break;
            }
        };
        let entries = list.data().entries;
        unlinked.extend(entries.iter().filter(|entry| !entry.is_null()));
        release = list.data().prev;
    }
    Ok(unlinked)
}
