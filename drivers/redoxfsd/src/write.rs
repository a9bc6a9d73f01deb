//! Writing data into a file's records.
//!
//! The crate's function reads each record before it writes it, and tries to compress all of it. Here a record that is written whole is not read, and what a sample shows to
//! be compressed already (pictures, archives) is stored as it is. The format is the crate's.

use crate::BLOCK;
use crate::device::Device;
use crate::nodes::release;
use crate::records::INLINE;
use crate::visit::Tx;
use redoxfs::{BlockAddr, BlockData, BlockLevel, BlockList, BlockMeta, BlockPtr, BlockTrait, Node, NodeFlags, NodeLevelData, RECORD_LEVEL, RecordRaw, TreeData};
use std::sync::LazyLock;
use syscall::error::{EIO, Error, Result};

/// Records that a node points to itself.
const DIRECT: u64 = 128;
/// Records that one list points to.
const LIST: u64 = 256;
/// Records up to here have one list above them at most; those beyond are left to the crate.
const NEAR: u64 = DIRECT + 64 * LIST;
/// Bytes of each of the two samples of a record.
const SAMPLE: usize = BLOCK;
/// Bytes in front of compressed data: its length.
const PREFIX: usize = 2;
/// The largest compressed record: its length has 16 bits.
const MOST_COMPRESSED: usize = 64 * 1024;

/// The crate makes levels from nodes only.
static LEVELS: LazyLock<[BlockLevel; RECORD_LEVEL + 1]> = LazyLock::new(|| {
    let mut node = Node::default();
    std::array::from_fn(|level| {
        node.record_level = (level as u32).into();
        node.record_level()
    })
});

/// The smallest level for so many bytes.
fn level_for(bytes: usize) -> usize {
    bytes.div_ceil(BLOCK).next_power_of_two().trailing_zeros() as usize
}

/// Writes `data` at byte `offset` of a file, which grows as needed. What lies between its end and the offset must be filled before. The node itself is not written.
///
/// # Errors
///
/// Where a block does not read, or there is no room: the transaction is of no use then.
pub fn write<D: Device>(tx: &mut Tx<'_, D>, node: &mut TreeData<Node>, offset: u64, data: &[u8]) -> Result<()> {
    let mut at = offset;
    let mut rest = data;
    while !rest.is_empty() {
        if node.data().has_inline_data() {
            if at + rest.len() as u64 <= INLINE {
                return tx.write_node_inner(node, &mut at, rest).map(drop);
            }
            leave_node(tx, node, at, rest.len() as u64)?;
        }
        let bytes = node.data().record_level().bytes();
        let (index, from) = (at / bytes, at % bytes);
        let (piece, more) = rest.split_at(rest.len().min((bytes - from) as usize));
        let end = at + piece.len() as u64;
        let is_whole = from == 0 && (piece.len() as u64 == bytes || end >= node.data().size());
        if is_whole && index < NEAR {
            write_record(tx, node, index, piece)?;
            if node.data().size() < end {
                node.data_mut().set_size(end);
            }
            at = end;
        } else {
            tx.write_node_inner(node, &mut at, piece)?;
        }
        rest = more;
    }
    Ok(())
}

/// Gives a file records whose data lay in the node, before `len` bytes at `offset` are written.
fn leave_node<D: Device>(tx: &mut Tx<'_, D>, node: &mut TreeData<Node>, offset: u64, len: u64) -> Result<()> {
    let size = node.data().size();
    let kept = node.data().inline_data().map(|data| data[..data.len().min(size as usize)].to_vec()).unwrap_or_default();
    let mut flags = node.data().flags();
    flags.remove(NodeFlags::INLINE_DATA);
    node.data_mut().set_flags(flags);
    *node.data_mut().level_data_mut().ok_or(Error::new(EIO))? = NodeLevelData::default();
    let is_overwritten = offset == 0 && len >= size;
    if kept.is_empty() || is_overwritten {
        return Ok(());
    }
    write_record(tx, node, 0, &kept)
}

/// Puts `data` in the place of a record.
fn write_record<D: Device>(tx: &mut Tx<'_, D>, node: &mut TreeData<Node>, index: u64, data: &[u8]) -> Result<()> {
    let old = pointer(tx, node.data(), index)?;
    let (meta, record) = pack(data)?;
    let fits = !old.is_null() && old.addr().meta() == meta;
    // One of the same kind is freed with the writing.
    let addr = if fits { old.addr() } else { BlockAddr::null(meta) };
    let new = tx.sync_block(node, BlockData::new(addr, record))?;
    set_pointer(tx, node, index, new)?;
    if !fits && !old.is_null() {
        let blocks = node.data().blocks().checked_sub(old.addr().level().blocks::<u64>());
        node.data_mut().set_blocks(blocks.ok_or(Error::new(EIO))?);
        // SAFETY: any block can be pointed to as raw bytes.
        release(tx, &[unsafe { old.cast() }])?;
    }
    Ok(())
}

/// A record for `data`, compressed where that takes fewer blocks, and its kind.
fn pack(data: &[u8]) -> Result<(BlockMeta, RecordRaw)> {
    let level = level_for(data.len());
    let Some(mut record) = LEVELS.get(level).and_then(|level| RecordRaw::empty(*level)) else {
        return Err(Error::new(EIO));
    };
    record[..data.len()].copy_from_slice(data);
    if level > 0 && looks_compressible(data) {
        let mut packed = vec![0; PREFIX + lz4_flex::block::get_maximum_output_size(record.len())];
        if let Ok(len) = lz4_flex::block::compress_into(&record, &mut packed[PREFIX..]) {
            let total = PREFIX + len;
            let packed_level = level_for(total);
            if total <= MOST_COMPRESSED
                && packed_level < level
                && let Some(mut smaller) = RecordRaw::empty(LEVELS[packed_level])
            {
                packed[..PREFIX].copy_from_slice(&(len as u16).to_le_bytes());
                smaller[..total].copy_from_slice(&packed[..total]);
                return Ok((BlockMeta::new_compressed(LEVELS[packed_level], LEVELS[level]), smaller));
            }
        }
    }
    Ok((BlockMeta::new(LEVELS[level]), record))
}

/// Whether a sample of its beginning and middle gets smaller by an eighth. Records have to halve to take fewer blocks.
fn looks_compressible(data: &[u8]) -> bool {
    if data.len() <= 2 * SAMPLE {
        return true;
    }
    let mut packed = vec![0; lz4_flex::block::get_maximum_output_size(SAMPLE)];
    let middle = data.len() / 2;
    let samples = [&data[..SAMPLE], &data[middle..middle + SAMPLE]];
    let sizes = samples.map(|sample| lz4_flex::block::compress_into(sample, &mut packed).unwrap_or(SAMPLE));
    sizes.iter().any(|size| *size < SAMPLE * 7 / 8)
}

/// Where a record below [`NEAR`] is; null where there is none.
fn pointer<D: Device>(tx: &mut Tx<'_, D>, node: &Node, index: u64) -> Result<BlockPtr<RecordRaw>> {
    let data = node.level_data().ok_or(Error::new(EIO))?;
    let Some(listed) = index.checked_sub(DIRECT) else {
        return Ok(data.level0[index as usize]);
    };
    let list = data.level1[(listed / LIST) as usize];
    if list.is_null() {
        return Ok(BlockPtr::default());
    }
    Ok(tx.read_block(list)?.data().ptrs[(listed % LIST) as usize])
}

/// Sets where a record below [`NEAR`] is.
fn set_pointer<D: Device>(tx: &mut Tx<'_, D>, node: &mut TreeData<Node>, index: u64, ptr: BlockPtr<RecordRaw>) -> Result<()> {
    let Some(listed) = index.checked_sub(DIRECT) else {
        node.data_mut().level_data_mut().ok_or(Error::new(EIO))?.level0[index as usize] = ptr;
        return Ok(());
    };
    let (which, place) = ((listed / LIST) as usize, (listed % LIST) as usize);
    let old = node.data().level_data().ok_or(Error::new(EIO))?.level1[which];
    let mut list = if old.is_null() {
        let empty = BlockList::<RecordRaw>::empty(BlockLevel::default()).ok_or(Error::new(EIO))?;
        BlockData::new(BlockAddr::default(), empty)
    } else {
        tx.read_block(old)?
    };
    list.data_mut().ptrs[place] = ptr;
    let new = tx.sync_block(node, list)?;
    node.data_mut().level_data_mut().ok_or(Error::new(EIO))?.level1[which] = new;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(len: usize) -> Vec<u8> {
        let mut state = 88_172_645_463_325_252u64;
        let step = |_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        };
        (0..len).map(step).collect()
    }

    #[test]
    fn levels_are_the_formats() {
        for (level, found) in LEVELS.iter().enumerate() {
            assert_eq!(found.bytes(), (BLOCK << level) as u64);
        }
        assert_eq!([1, 4096, 4097, 16384, 131_072].map(level_for), [0, 0, 1, 2, 5]);
    }

    #[test]
    fn text_is_compressed_and_noise_is_not() {
        let text: Vec<u8> = b"the quick brown fox ".iter().copied().cycle().take(65_536).collect();
        let (meta, record) = pack(&text).unwrap();
        assert_eq!(meta, BlockMeta::new_compressed(LEVELS[0], LEVELS[4]));
        let len = usize::from(record[0]) | usize::from(record[1]) << 8;
        assert_eq!(lz4_flex::block::decompress(&record[PREFIX..PREFIX + len], 65_536).unwrap(), text);
        let noise = noise(65_536);
        let (meta, record) = pack(&noise).unwrap();
        assert_eq!(meta, BlockMeta::new(LEVELS[4]));
        assert_eq!(record[..], noise[..]);
        assert!(!looks_compressible(&noise));
        // A tail is filled up.
        let (meta, record) = pack(&noise[..5000]).unwrap();
        assert_eq!(meta, BlockMeta::new(LEVELS[1]));
        assert_eq!((&record[..5000], record[5000..].iter().all(|byte| *byte == 0)), (&noise[..5000], true));
    }
}
