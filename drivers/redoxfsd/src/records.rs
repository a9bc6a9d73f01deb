//! A file's records: their size, what writing them may allocate, and freeing them.

use crate::device::Device;
use crate::space::Need;
use crate::visit::Tx;
use redoxfs::{
    BlockList, BlockPtr, BlockTrait, Node, NodeLevelData, RECORD_LEVEL, RecordRaw, TreeData,
};
use std::ops::DerefMut;
use syscall::error::Result;

/// Largest file: what the format's tables hold of 4 KiB records, rounded down.
pub const MAX_SIZE: u64 = 1 << 46;
/// Data of a node up to this many bytes lies in the node itself (the crate keeps the last byte free).
pub const INLINE: u64 = size_of::<NodeLevelData>() as u64 - 1;
/// Blocks to rewrite a node: itself, and the four lists above it.
const NODE: u64 = 5;
/// Records freed in one step.
const STEP: u64 = 1024;

/// The record level for a file that leaves its node with a write of `len` bytes: about four records for these. Records
/// are compressed, rewritten whole, and rounded up to a power of two: small first writes (logs, databases) get small
/// records, large ones (copies, downloads) large ones, and little is wasted on rounding.
pub fn level_for(len: u64) -> usize {
    let quarter = len.div_ceil(4 * redoxfs::BLOCK_SIZE).max(1);
    (quarter.next_power_of_two().trailing_zeros() as usize).min(RECORD_LEVEL)
}

/// True if a node has data outside of itself.
pub fn has_records(node: &Node) -> bool {
    !node.is_dir() && !node.has_inline_data()
}

/// Sets the record level of a node whose data lies in the node, before it leaves it.
pub fn set_level(node: &mut Node, level: usize) {
    debug_assert!(node.has_inline_data());
    node.record_level = (level as u32).into();
}

/// Lists above the record `index`.
const fn depth(index: u64) -> u64 {
    const L1: u64 = 64 << 8;
    const L2: u64 = 32 << 16;
    match index {
        0..128 => 0,
        _ if index < 128 + L1 => 1,
        _ if index < 128 + L1 + L2 => 2,
        _ => 4,
    }
}

/// What writing `len` bytes at `offset` may allocate, with `level` the level that the records have or will get.
pub fn write_need(node: &Node, level: usize, offset: u64, len: u64) -> Need {
    let end = offset + len;
    if node.has_inline_data() && end <= INLINE {
        return Need::blocks(NODE);
    }
    let bytes = redoxfs::BLOCK_SIZE << level;
    // One more record may be filled with zeroes up to the offset, and one holds what lay in the node.
    let records = end.div_ceil(bytes) - offset / bytes + 2;
    let single = records * (1 + depth(end / bytes));
    let blocks = NODE + single + (records << level);
    Need {
        blocks,
        runs: if level > 0 { (level, records) } else { (0, 0) },
        frees: false,
        likely: blocks,
    }
}

/// What freeing the records of `node` beyond `size` may allocate: the lists on the border are rewritten once each.
pub fn free_need(node: &Node, size: u64) -> Need {
    let bytes = node.record_level().bytes();
    let records = node.size().saturating_sub(size) / bytes + 1;
    // The first 128 records have no lists. Sparse files have far fewer lists than their size says.
    let lists = match node.size() / bytes {
        0..128 => 0,
        _ => (records / 256 + 8).min(node.blocks() + 8),
    };
    Need::to_free(NODE + lists)
}

/// A pointer in the tables of a file: to a record, or to a list of more.
trait Table: BlockTrait + DerefMut<Target = [u8]> + Sized {
    /// Records below one such pointer.
    const SPAN: u64;
    /// The last record below `ptr` that exists and has an index under `below` (counted from the first below `ptr`).
    fn last<D: Device>(tx: &mut Tx<'_, D>, ptr: BlockPtr<Self>, below: u64) -> Result<Option<u64>>;
}

impl Table for RecordRaw {
    const SPAN: u64 = 1;
    fn last<D: Device>(_: &mut Tx<'_, D>, ptr: BlockPtr<Self>, below: u64) -> Result<Option<u64>> {
        Ok((!ptr.is_null() && below > 0).then_some(0))
    }
}

impl<T: Table> Table for BlockList<T> {
    const SPAN: u64 = 256 * T::SPAN;
    fn last<D: Device>(tx: &mut Tx<'_, D>, ptr: BlockPtr<Self>, below: u64) -> Result<Option<u64>> {
        if ptr.is_null() || below == 0 {
            return Ok(None);
        }
        let list = tx.read_block(ptr)?;
        last_in(tx, &{ list.data().ptrs }, below)
    }
}

fn last_in<T: Table, D: Device>(
    tx: &mut Tx<'_, D>,
    ptrs: &[BlockPtr<T>],
    below: u64,
) -> Result<Option<u64>> {
    for (index, ptr) in ptrs.iter().enumerate().rev() {
        let start = index as u64 * T::SPAN;
        if ptr.is_null() || start >= below {
            continue;
        }
        if let Some(found) = T::last(tx, *ptr, below - start)? {
            return Ok(Some(start + found));
        }
    }
    Ok(None)
}

/// The last record of a file that is no hole and has an index under `below`.
fn last_record<D: Device>(tx: &mut Tx<'_, D>, node: &Node, below: u64) -> Result<Option<u64>> {
    let Some(data) = node.level_data() else {
        return Ok(None);
    };
    let starts = [0, 128, 128 + (64 << 8), 128 + (64 << 8) + (32 << 16)];
    let start4 = starts[3] + (16 << 24);
    let under = |start: u64| below.saturating_sub(start);
    let found = |start: u64, index: u64| Ok(Some(start + index));
    if let Some(index) = last_in(tx, &{ data.level4 }, under(start4))? {
        return found(start4, index);
    }
    if let Some(index) = last_in(tx, &{ data.level3 }, under(starts[3]))? {
        return found(starts[3], index);
    }
    if let Some(index) = last_in(tx, &{ data.level2 }, under(starts[2]))? {
        return found(starts[2], index);
    }
    if let Some(index) = last_in(tx, &{ data.level1 }, under(starts[1]))? {
        return found(starts[1], index);
    }
    last_in(tx, &{ data.level0 }, under(starts[0]))
}

/// Cuts a file to `size`. Unlike the crate's function alone it frees the last, partial record too, and is quick on
/// sparse files. A file cut to nothing has its data in the node again. The node is not written.
pub fn shrink<D: Device>(tx: &mut Tx<'_, D>, node: &mut TreeData<Node>, size: u64) -> Result<()> {
    if node.data().has_inline_data() {
        let keep = (size as usize).min(INLINE as usize + 1);
        if let Some(data) = node.data_mut().inline_data_mut() {
            data[keep..].fill(0);
        }
        node.data_mut().set_size(size);
        return Ok(());
    }
    let bytes = node.data().record_level().bytes();
    let keep = size.div_ceil(bytes);
    let mut below = u64::MAX;
    while let Some(last) = last_record(tx, node.data(), below)? {
        if last < keep {
            break;
        }
        let from = keep.max((last + 1).saturating_sub(STEP));
        node.data_mut().set_size((last + 1) * bytes);
        tx.truncate_node_inner(node, from * bytes)?;
        below = from;
    }
    node.data_mut().set_size(size);
    if size == 0 {
        let mut flags = node.data().flags();
        flags.insert(redoxfs::NodeFlags::INLINE_DATA);
        node.data_mut().set_flags(flags);
        if let Some(data) = node.data_mut().inline_data_mut() {
            data.fill(0);
        }
    }
    Ok(())
}

/// Grows a file to `size` with zeroes.
pub fn grow<D: Device>(tx: &mut Tx<'_, D>, node: &mut TreeData<Node>, size: u64) -> Result<()> {
    tx.truncate_node_inner(node, size).map(drop)
}
