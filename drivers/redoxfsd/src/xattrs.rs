//! Extended attributes: one block of 4 to 128 KiB for all of a node, to which its unused bytes point, see [`crate::attr`].
//!
//! The block names its owner by id and birth. So a pointer that got to another node in whatever way (a tool that copies those bytes) is
//! noticed, and never frees what is not its own. Changes write a new block, as everything in this format: a commit has the
//! old attributes or the new ones.
//!
//! Block: mark (4 bytes), node id (u32), birth (seconds u64, nanoseconds u32), number of attributes (u32), their bytes (u32); then for each its name's
//! length (u16), its value's (u32), name, value.

use std::collections::BTreeMap;

use redoxfs::{BlockAddr, BlockData, BlockLevel, BlockMeta, BlockPtr, BlockTrait, Disk, Node, RECORD_LEVEL, RecordRaw, Transaction, TreeData};
use scheme::abi::fs::{XATTR_BYTES, XATTR_NAME};
use scheme::abi::wire::{Malformed, Reader, Writer};
use syscall::error::{EIO, Error, Result};

use crate::device::Device;
use crate::nodes::Nodes;
use crate::visit::Tx;
use crate::{BLOCK, attr};

const MARK: &[u8; 4] = b"GOSX";
const HEADER: usize = 28;
/// Bytes before an attribute's name.
const ENTRY: usize = 6;
/// Bytes of the largest block.
const MOST: usize = BLOCK << RECORD_LEVEL;
const CAPABILITIES: &[u8] = b"security.capability";

/// Which node they are of.
type Owner = (u32, u64, u32);

fn owner(node: &TreeData<Node>) -> Owner {
    let (seconds, nanoseconds) = node.data().ctime();
    (node.id(), seconds, nanoseconds)
}

/// All extended attributes of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Xattrs(BTreeMap<Vec<u8>, Vec<u8>>);

impl Xattrs {
    /// Reads a node's.
    ///
    /// # Errors
    /// `EIO` where they do not read, or are not this node's.
    pub fn load<D: Disk>(tx: &mut Transaction<'_, D>, node: &TreeData<Node>) -> Result<Self> {
        let ptr = attr::xattrs(node.data());
        if ptr.is_null() {
            return Ok(Self::default());
        }
        let block = tx.read_block(ptr).map_err(|_| Error::new(EIO))?;
        Self::decode(block.data(), owner(node)).map_err(|Malformed| {
            tracing::error!("the extended attributes of node {} are damaged, or another's", node.id());
            Error::new(EIO)
        })
    }

    /// Writes them, in the place of those that the node had. The node is changed, not written. There must be room for [`Self::blocks`].
    ///
    /// # Errors
    /// Where there is none: the transaction is of no use then.
    pub fn store<D: Device>(&self, tx: &mut Tx<'_, D>, nodes: &mut Nodes, node: &mut TreeData<Node>) -> Result<()> {
        let old = attr::xattrs(node.data());
        let ptr = self.write(tx, node)?;
        give_back(nodes, node.data_mut(), old);
        attr::set_xattrs(node.data_mut(), ptr, self.has_capabilities());
        Ok(())
    }

    /// Writes those of a node that has just been made, and has none yet. The node is changed, not written.
    ///
    /// # Errors
    /// As [`Self::store`].
    pub fn store_first<D: Disk>(&self, tx: &mut Transaction<'_, D>, node: &mut TreeData<Node>) -> Result<()> {
        let ptr = self.write(tx, node)?;
        attr::set_xattrs(node.data_mut(), ptr, self.has_capabilities());
        Ok(())
    }

    fn write<D: Disk>(&self, tx: &mut Transaction<'_, D>, node: &mut TreeData<Node>) -> Result<BlockPtr<RecordRaw>> {
        if self.0.is_empty() {
            return Ok(BlockPtr::default());
        }
        let level = level(self.bytes());
        let mut block = RecordRaw::empty(level).ok_or(Error::new(EIO))?;
        self.encode(&mut block, owner(node)).map_err(|Malformed| Error::new(EIO))?;
        tx.sync_block(node, BlockData::new(BlockAddr::null(BlockMeta::new(level)), block))
    }

    /// All of them, names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_slice(), value.as_slice()))
    }

    /// Frees those of a node that is about to be freed, if they are its own.
    pub fn free<D: Device>(tx: &mut Tx<'_, D>, nodes: &mut Nodes, node: &mut TreeData<Node>) {
        let ptr = attr::xattrs(node.data());
        if ptr.is_null() {
            return;
        }
        match Self::load(tx, node) {
            Ok(_) => give_back(nodes, node.data_mut(), ptr),
            Err(_) => tracing::warn!("block {} stays in use", ptr.addr().index()),
        }
        attr::set_xattrs(node.data_mut(), BlockPtr::default(), false);
    }

    fn decode(block: &[u8], owner: Owner) -> Result<Self, Malformed> {
        let mut r = Reader::new(block);
        if r.array::<4>()? != *MARK || (r.u32()?, r.u64()?, r.u32()?) != owner {
            return Err(Malformed);
        }
        let (count, bytes) = (r.u32()?, r.u32()?);
        let mut r = Reader::new(r.bytes(bytes as usize)?);
        let mut all = BTreeMap::new();
        for _ in 0..count {
            let (name_len, value_len) = (usize::from(r.u16()?), r.u32()? as usize);
            let (name, value) = (r.bytes(name_len)?.to_vec(), r.bytes(value_len)?.to_vec());
            if name.is_empty() || all.insert(name, value).is_some() {
                return Err(Malformed);
            }
        }
        Ok(Self(all))
    }

    fn encode(&self, block: &mut [u8], (id, seconds, nanoseconds): Owner) -> Result<(), Malformed> {
        let mut w = Writer::new(block);
        w.bytes(MARK)?;
        w.u32(id)?;
        w.u64(seconds)?;
        w.u32(nanoseconds)?;
        w.u32(self.0.len() as u32)?;
        w.u32((self.bytes() - HEADER) as u32)?;
        for (name, value) in &self.0 {
            w.u16(u16::try_from(name.len()).map_err(|_| Malformed)?)?;
            w.u32(u32::try_from(value.len()).map_err(|_| Malformed)?)?;
            w.bytes(name)?;
            w.bytes(value)?;
        }
        Ok(())
    }

    /// Bytes that they take in their block.
    pub fn bytes(&self) -> usize {
        let entries = self.0.iter().map(|(name, value)| ENTRY + name.len() + value.len());
        HEADER + entries.sum::<usize>()
    }

    /// The level of their block and the number of its blocks of 4 KiB; (0, 0) where there are none.
    pub fn blocks(&self) -> (usize, u64) {
        if self.0.is_empty() {
            return (0, 0);
        }
        let blocks = self.bytes().div_ceil(BLOCK).next_power_of_two() as u64;
        (blocks.trailing_zeros() as usize, blocks)
    }

    /// True if their block, and the list of their names, are not too large.
    pub fn fit(&self) -> bool {
        self.bytes() <= MOST && self.0.keys().map(|name| name.len() + 1).sum::<usize>() <= XATTR_BYTES
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True if a program's capabilities are among them.
    pub fn has_capabilities(&self) -> bool {
        self.0.contains_key(CAPABILITIES)
    }

    /// One's value.
    pub fn get(&self, name: &[u8]) -> Option<&[u8]> {
        self.0.get(name).map(Vec::as_slice)
    }

    /// Sets one.
    pub fn insert(&mut self, name: &[u8], value: &[u8]) {
        self.0.insert(name.to_vec(), value.to_vec());
    }

    /// Takes one away; false where there is none of that name.
    pub fn remove(&mut self, name: &[u8]) -> bool {
        self.0.remove(name).is_some()
    }

    /// All names, each with a NUL behind it.
    pub fn names(&self) -> Vec<u8> {
        let names = self.0.keys().map(|name| [name.as_slice(), &[0]].concat());
        names.collect::<Vec<_>>().concat()
    }
}

/// True for a name that can be kept.
pub fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.len() <= XATTR_NAME && !name.contains(&0)
}

/// The level of the smallest block for so many bytes.
fn level(bytes: usize) -> BlockLevel {
    let level = bytes.div_ceil(BLOCK).next_power_of_two().trailing_zeros();
    // The crate gives levels only inside of pointers.
    BlockPtr::<RecordRaw>::marker(level as u8).addr().level()
}

fn give_back(nodes: &mut Nodes, node: &mut Node, ptr: BlockPtr<RecordRaw>) {
    if !ptr.is_null() {
        node.set_blocks(node.blocks().saturating_sub(ptr.addr().level().blocks::<u64>()));
        // SAFETY: nobody reads the block any more, whatever it holds.
        nodes.free(unsafe { ptr.cast() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn blocks_are_read_back_by_their_owner_alone(
            all in btree_map(vec(1u8.., 1..40), vec(any::<u8>(), 0..3000), 0..20),
            owner in any::<Owner>(),
        ) {
            let all = Xattrs(all);
            let mut block = vec![0; BLOCK << level(all.bytes()).blocks::<u64>().trailing_zeros()];
            all.encode(&mut block, owner).unwrap();
            prop_assert_eq!(Xattrs::decode(&block, owner), Ok(all));
            prop_assert!(Xattrs::decode(&block, (owner.0 ^ 1, owner.1, owner.2)).is_err());
            prop_assert!(Xattrs::decode(&block, (owner.0, owner.1, owner.2 ^ 1)).is_err());
        }

        #[test]
        fn garbage_is_no_block(bytes in vec(any::<u8>(), 0..200), owner in any::<Owner>()) {
            let mut block = MARK.to_vec();
            block.extend_from_slice(&owner.0.to_le_bytes());
            block.extend_from_slice(&owner.1.to_le_bytes());
            block.extend_from_slice(&owner.2.to_le_bytes());
            block.extend_from_slice(&bytes);
            let _ = Xattrs::decode(&block, owner);
            let _ = Xattrs::decode(&bytes, owner);
        }
    }
}
