//! The names of a directory.
//!
//! Names lie in blocks of some dozen entries ([`DirList`]). Above them are branches: up to 204 pointers each, in the order of their
//! hashes. A pointer's hash is no less than the hashes of all names below it, nor more than those below the next one; names of the same
//! hash may lie on both sides of a border. The directory's first pointer is a marker that tells how many branches are above each block of
//! names, its second one is the root. The crate has the same functions, which read and write the tree of nodes each time; it reads what
//! these write (`check`), and the other way round.

use redoxfs::{BlockAddr, BlockData, BlockLevel, BlockList, BlockPtr, BlockRaw, BlockTrait, DirEntry, DirList, Node, NodeLevelData, TreeData, TreePtr};
use syscall::error::{EEXIST, EIO, Error, Result};

use crate::BLOCK;
use crate::device::Device;
use crate::nodes::Nodes;
use crate::visit::Tx;

/// Bytes of a branch's entry: hash and pointer.
const ENTRY: usize = 20;
/// Entries of a branch.
const WIDTH: usize = BLOCK / ENTRY;
/// No name has a greater hash; one more marks an entry that is not used.
const LAST_HASH: u32 = u32::MAX - 1;
/// Most branches above a name that a marker can tell.
const MOST_HEIGHT: u32 = 15;

/// A pointer to what is below, and the bound of the hashes there.
type Below = (u32, BlockPtr<BlockRaw>);

fn hash(name: &str) -> u32 {
    (seahash::hash(name.as_bytes()) as u32).min(LAST_HASH)
}

/// Height and root; `None` where a directory has no names.
fn root(dir: &Node) -> Option<(u32, BlockPtr<BlockRaw>)> {
    root_of(dir.level_data()?)
}

/// The same of what a directory's node points to.
pub(crate) fn root_of(data: &NodeLevelData) -> Option<(u32, BlockPtr<BlockRaw>)> {
    let (marker, root) = ({ data.level0[0] }, { data.level0[1] });
    // SAFETY: any block reads as raw bytes.
    (marker.is_marker() && !root.is_null()).then(|| (marker.addr().level().blocks::<u32>().trailing_zeros(), unsafe { root.cast() }))
}

fn set_root(dir: &mut Node, root: Option<(u32, BlockPtr<BlockRaw>)>) -> Result<()> {
    let data = dir.level_data_mut().ok_or(Error::new(EIO))?;
    match root {
        Some((height, ptr)) => {
            data.level0[0] = BlockPtr::marker(height as u8);
            // SAFETY: the type says "record" for whatever a node points to.
            data.level0[1] = unsafe { ptr.cast() };
        }
        None => (data.level0[0], data.level0[1]) = (BlockPtr::default(), BlockPtr::default()),
    }
    Ok(())
}

fn read_names<D: Device>(tx: &mut Tx<'_, D>, ptr: BlockPtr<BlockRaw>) -> Result<BlockData<DirList>> {
    // SAFETY: at height 0 are blocks of names.
    tx.read_block(unsafe { ptr.cast::<DirList>() })
}

/// The entries of a branch that are in use. The crate keeps the type to itself, so pointers are read by way of a block that is nothing
/// but pointers.
pub(crate) fn branch(bytes: &[u8]) -> Result<Vec<Below>> {
    let mut ptrs = BlockList::<BlockRaw>::empty(BlockLevel::default()).ok_or(Error::new(EIO))?;
    let (entries, _) = bytes.as_chunks::<ENTRY>();
    let mut below = Vec::with_capacity(entries.len() + 1);
    for entry in entries {
        let (hash, ptr) = entry.split_at(4);
        ptrs[..16].copy_from_slice(ptr);
        let ptr = { ptrs.ptrs[0] };
        if !ptr.is_null() {
            below.push((u32::from_le_bytes(hash.try_into().unwrap_or_default()), ptr));
        }
    }
    Ok(below)
}

fn write_branch<D: Device>(tx: &mut Tx<'_, D>, dir: &mut TreeData<Node>, addr: BlockAddr, below: &[Below]) -> Result<BlockPtr<BlockRaw>> {
    let mut ptrs = BlockList::<BlockRaw>::empty(BlockLevel::default()).ok_or(Error::new(EIO))?;
    let mut raw = BlockRaw::empty(BlockLevel::default()).ok_or(Error::new(EIO))?;
    let (entries, _) = raw.as_chunks_mut::<ENTRY>();
    for (index, entry) in entries.iter_mut().enumerate() {
        let (hash, ptr) = below.get(index).copied().unwrap_or((u32::MAX, BlockPtr::default()));
        ptrs.ptrs[0] = ptr;
        entry[..4].copy_from_slice(&hash.to_le_bytes());
        entry[4..].copy_from_slice(&ptrs[..16]);
    }
    tx.sync_block(dir, BlockData::new(addr, raw))
}

/// The entries of a branch below which a name of this hash may be.
fn candidates(below: &[Below], hash: u32) -> std::ops::Range<usize> {
    let first = below.partition_point(|(bound, _)| *bound < hash);
    let more = below[first..].partition_point(|(bound, _)| *bound <= hash);
    first..(first + more + 1).min(below.len())
}

/// The node of a name.
///
/// # Errors
/// Where a block does not read.
pub fn find<D: Device>(tx: &mut Tx<'_, D>, dir: &Node, name: &str) -> Result<Option<u32>> {
    match root(dir) {
        Some((height, ptr)) => find_below(tx, height, ptr, name, hash(name)),
        None => Ok(None),
    }
}

fn find_below<D: Device>(tx: &mut Tx<'_, D>, height: u32, ptr: BlockPtr<BlockRaw>, name: &str, hash: u32) -> Result<Option<u32>> {
    if height == 0 {
        return Ok(read_names(tx, ptr)?.data().find_entry(name).map(|entry| entry.node_ptr().id()));
    }
    let below = branch(tx.read_block(ptr)?.data())?;
    for index in candidates(&below, hash) {
        if let Some(found) = find_below(tx, height - 1, below[index].1, name, hash)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Tells all names and their nodes.
///
/// # Errors
/// Where a block does not read.
pub fn each<D: Device>(tx: &mut Tx<'_, D>, dir: &Node, mut tell: impl FnMut(&str, u32)) -> Result<()> {
    let mut left = Vec::from_iter(root(dir));
    while let Some((height, ptr)) = left.pop() {
        if height > 0 {
            let below = branch(tx.read_block(ptr)?.data())?;
            left.extend(below.into_iter().map(|(_, ptr)| (height - 1, ptr)));
            continue;
        }
        for entry in read_names(tx, ptr)?.data().entries() {
            // Names that are no UTF-8 cannot be made by anyone; a broken one must not hide the others.
            if let Some(name) = entry.name() {
                tell(name, entry.node_ptr().id());
            }
        }
    }
    Ok(())
}

/// Counts a block more.
fn grow(dir: &mut Node) {
    dir.set_size(dir.size() + redoxfs::BLOCK_SIZE);
}

/// Adds a name. The directory's node is changed, not written.
///
/// # Errors
/// `EEXIST` where the name is there. Anything else may have happened half-way.
pub fn add<D: Device>(tx: &mut Tx<'_, D>, dir: &mut TreeData<Node>, name: &str, id: u32) -> Result<()> {
    let entry = DirEntry::new(TreePtr::new(id), name);
    let Some((height, ptr)) = root(dir.data()) else {
        let mut names = DirList::empty(BlockLevel::default()).ok_or(Error::new(EIO))?;
        if !names.append(&entry) {
            return Err(Error::new(EIO));
        }
        let ptr = tx.sync_block(dir, BlockData::new(BlockAddr::default(), names))?;
        grow(dir.data_mut());
        // SAFETY: any block can be pointed to as raw bytes.
        return set_root(dir.data_mut(), Some((0, unsafe { ptr.cast() })));
    };
    let (left, right) = add_below(tx, dir, height, (LAST_HASH, ptr), &entry, (name, hash(name)))?;
    let root = match right {
        None => (height, left.1),
        Some(_) if height == MOST_HEIGHT => return Err(Error::new(EIO)),
        Some(right) => {
            let ptr = write_branch(tx, dir, BlockAddr::default(), &[left, right])?;
            grow(dir.data_mut());
            (height + 1, ptr)
        }
    };
    set_root(dir.data_mut(), Some(root))
}

/// Adds a name below a pointer: what replaces the pointer, and what comes after it where that was full.
fn add_below<D: Device>(
    tx: &mut Tx<'_, D>,
    dir: &mut TreeData<Node>,
    height: u32,
    (bound, ptr): Below,
    entry: &DirEntry,
    (name, hash): (&str, u32),
) -> Result<(Below, Option<Below>)> {
    let bound = bound.max(hash);
    if height == 0 {
        let mut names = read_names(tx, ptr)?;
        if names.data().find_entry(name).is_some() {
            return Err(Error::new(EEXIST));
        }
        if names.data_mut().append(entry) {
            // SAFETY: any block can be pointed to as raw bytes.
            return Ok(((bound, unsafe { tx.sync_block(dir, names)?.cast() }), None));
        }
        return split_names(tx, dir, names, bound, entry, hash);
    }
    let block = tx.read_block(ptr)?;
    let mut below = branch(block.data())?;
    let last = below.len().checked_sub(1).ok_or(Error::new(EIO))?;
    let index = below.partition_point(|(bound, _)| *bound < hash).min(last);
    let (left, right) = add_below(tx, dir, height - 1, below[index], entry, (name, hash))?;
    below[index] = left;
    if let Some(right) = right {
        below.insert(index + 1, right);
    }
    if below.len() <= WIDTH {
        return Ok(((bound, write_branch(tx, dir, block.addr(), &below)?), None));
    }
    let (left, right) = below.split_at(below.len() / 2);
    let left_bound = left.last().map_or(bound, |(bound, _)| *bound);
    let left = (left_bound, write_branch(tx, dir, block.addr(), left)?);
    let right = (bound, write_branch(tx, dir, BlockAddr::default(), right)?);
    grow(dir.data_mut());
    Ok((left, Some(right)))
}

/// Shares the names of a full block and one more between two, about half of the bytes each.
fn split_names<D: Device>(
    tx: &mut Tx<'_, D>,
    dir: &mut TreeData<Node>,
    full: BlockData<DirList>,
    bound: u32,
    entry: &DirEntry,
    entry_hash: u32,
) -> Result<(Below, Option<Below>)> {
    let mut names: Vec<(u32, DirEntry)> = full.data().entries().map(|entry| (entry.name().map_or(0, hash), entry)).collect();
    names.push((entry_hash, *entry));
    names.sort_by_key(|(hash, _)| *hash);
    let bytes: usize = names.iter().map(|(_, entry)| entry.serialized_size()).sum();
    let mut seen = 0;
    let middle = names.iter().position(|(_, entry)| {
        seen += entry.serialized_size();
        2 * seen >= bytes
    });
    // Names of one hash stay together where they can: a search reads one block then.
    let middle = (middle.unwrap_or_default() + 1).min(names.len() - 1);
    let is_border = |at: &usize| names[*at - 1].0 != names[*at].0;
    let near = |at: usize| (at.saturating_sub(4).max(1)..=(at + 4).min(names.len() - 1)).filter(is_border).min_by_key(|border| border.abs_diff(at));
    let fits = |names: &[(u32, DirEntry)]| names.iter().map(|(_, entry)| entry.serialized_size()).sum::<usize>() <= BLOCK - 4;
    let border = near(middle).filter(|at| fits(&names[..*at]) && fits(&names[*at..])).unwrap_or(middle);
    let mut write = |addr: BlockAddr, names: &[(u32, DirEntry)]| -> Result<BlockPtr<BlockRaw>> {
        let mut list = DirList::empty(BlockLevel::default()).ok_or(Error::new(EIO))?;
        if !names.iter().all(|(_, entry)| list.append(entry)) {
            return Err(Error::new(EIO));
        }
        let ptr = tx.sync_block(dir, BlockData::new(addr, list))?;
        // SAFETY: any block can be pointed to as raw bytes.
        Ok(unsafe { ptr.cast() })
    };
    let left = (names[border - 1].0, write(full.addr(), &names[..border])?);
    let right = (bound, write(BlockAddr::default(), &names[border..])?);
    grow(dir.data_mut());
    Ok((left, Some(right)))
}

/// Removes a name; false where it is not there. The directory's node is changed, not written; blocks that are empty are freed by `nodes`.
///
/// # Errors
/// Where a block does not read. It may have happened half-way.
pub fn remove<D: Device>(tx: &mut Tx<'_, D>, nodes: &mut Nodes, dir: &mut TreeData<Node>, name: &str) -> Result<bool> {
    let Some((height, ptr)) = root(dir.data()) else { return Ok(false) };
    let Some(left) = remove_below(tx, nodes, dir, height, ptr, (name, hash(name)))? else { return Ok(false) };
    set_root(dir.data_mut(), left.map(|ptr| (height, ptr)))?;
    Ok(true)
}

/// What replaces the pointer below which a name was removed; `None` where the name is not there, `Some(None)` where nothing is left.
fn remove_below<D: Device>(
    tx: &mut Tx<'_, D>,
    nodes: &mut Nodes,
    dir: &mut TreeData<Node>,
    height: u32,
    ptr: BlockPtr<BlockRaw>,
    (name, hash): (&str, u32),
) -> Result<Option<Option<BlockPtr<BlockRaw>>>> {
    if height == 0 {
        let mut names = read_names(tx, ptr)?;
        if !names.data_mut().remove_entry(name) {
            return Ok(None);
        }
        if names.data().is_empty() {
            give_back(nodes, dir.data_mut(), ptr);
            return Ok(Some(None));
        }
        // SAFETY: any block can be pointed to as raw bytes.
        return Ok(Some(Some(unsafe { tx.sync_block(dir, names)?.cast() })));
    }
    let block = tx.read_block(ptr)?;
    let mut below = branch(block.data())?;
    for index in candidates(&below, hash) {
        match remove_below(tx, nodes, dir, height - 1, below[index].1, (name, hash))? {
            None => continue,
            Some(Some(left)) => below[index].1 = left,
            Some(None) => drop(below.remove(index)),
        }
        if below.is_empty() {
            give_back(nodes, dir.data_mut(), ptr);
            return Ok(Some(None));
        }
        return Ok(Some(Some(write_branch(tx, dir, block.addr(), &below)?)));
    }
    Ok(None)
}

fn give_back(nodes: &mut Nodes, dir: &mut Node, ptr: BlockPtr<BlockRaw>) {
    nodes.free(ptr);
    dir.set_size(dir.size().saturating_sub(redoxfs::BLOCK_SIZE));
    dir.set_blocks(dir.blocks().saturating_sub(1));
}
