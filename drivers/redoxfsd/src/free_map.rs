//! Opens a generation with its map of free blocks.
//!
//! The crate builds that map block by block, in a time that grows with the disk. Here the log of allocations is first reduced to areas, so that a
//! filesystem opens quickly, and a daemon that was killed has a successor soon. The crate is shown the header
//! without its log, opens with an empty map, and gets the map and the real header then.

use crate::cache::CachedDisk;
use crate::device::Device;
use crate::mount::look;
use redoxfs::{Allocator, BlockAddr, BlockMeta, BlockPtr, FileSystem, Header, RecordRaw};
use std::collections::BTreeMap;
use syscall::error::{EIO, ENOKEY, Error, Result};

/// Levels that an address can hold.
const MAX_LEVEL: u32 = 15;

/// Free blocks as areas: first block, and the block after the last.
#[derive(Default)]
struct Areas(BTreeMap<u64, u64>);

impl Areas {
    fn free(&mut self, mut from: u64, mut to: u64) {
        if let Some((start, end)) = self.0.range(..=from).next_back().map(|(s, e)| (*s, *e))
            && end >= from
        {
            self.0.remove(&start);
            (from, to) = (start, to.max(end));
        }
        while let Some((start, end)) = self.0.range(from..=to).next().map(|(s, e)| (*s, *e)) {
            self.0.remove(&start);
            to = to.max(end);
        }
        self.0.insert(from, to);
    }

    /// False where not all of it is free.
    fn take(&mut self, from: u64, to: u64) -> bool {
        let Some((start, end)) = self.0.range(..=from).next_back().map(|(s, e)| (*s, *e)) else {
            return false;
        };
        if end < to {
            return false;
        }
        self.0.remove(&start);
        if start < from {
            self.0.insert(start, from);
        }
        if to < end {
            self.0.insert(to, end);
        }
        true
    }
}

/// The map of free blocks that the log of `fs.header` tells.
fn read<D: Device>(fs: &mut FileSystem<CachedDisk<D>>) -> Result<Allocator> {
    let mut lists = look(fs, |tx| {
        let mut lists = Vec::new();
        let mut ptr = tx.header.alloc;
        while !ptr.is_null() {
            let list = tx.read_block(ptr)?;
            ptr = list.data().prev;
            lists.push(list);
        }
        Ok(lists)
    })?;
    lists.reverse();
    let mut areas = Areas::default();
    for list in &lists {
        for entry in &{ list.data().entries } {
            let (index, count) = (entry.index(), entry.count());
            let end = index.checked_add(count.unsigned_abs());
            let end = end.ok_or(Error::new(EIO))?;
            match count {
                0 => {}
                1.. => areas.free(index, end),
                _ if areas.take(index, end) => {}
                _ => {
                    tracing::warn!("the allocation log contradicts itself at block {index}");
                    return Err(Error::new(EIO));
                }
            }
        }
    }
    let mut allocator = Allocator::default();
    for (mut from, to) in areas.0 {
        while from < to {
            // The largest aligned piece that fits.
            let fits = (to - from).ilog2().min(MAX_LEVEL);
            let level = fits.min(from.trailing_zeros());
            // The crate gives levels only inside of pointers.
            let level_of = BlockPtr::<RecordRaw>::marker(level as u8).addr().level();
            let meta = BlockMeta::new(level_of);
            // SAFETY: "unsafe" asks for care with addresses: this one is free, as the log says.
            allocator.deallocate(unsafe { BlockAddr::new(from, meta) });
            from += 1 << level;
        }
    }
    Ok(allocator)
}

/// Opens the generation of `header`, which is on `disk`, with the password where it is encrypted.
///
/// # Errors
///
/// ENOKEY where that is not its password; EIO and others, where the header or the log of allocations does not read.
pub fn open<D: Device>(
    mut disk: CachedDisk<D>,
    header: &Header,
    password: Option<&[u8]>,
) -> Result<FileSystem<CachedDisk<D>>> {
    let slot = header.generation() % redoxfs::HEADER_RING;
    let cipher = match password.filter(|_| header.encrypted()) {
        Some(password) => Some(header.cipher(password).ok_or(Error::new(ENOKEY))?),
        None => None,
    };
    let mut without_log = *header;
    without_log.alloc = BlockPtr::default();
    // The update makes it valid, and counts the generation up.
    without_log.generation = header.generation().wrapping_sub(1).into();
    without_log.update(cipher.as_ref());
    disk.show_only(Some(without_log));
    let mut fs = FileSystem::open(disk, password, Some(slot), false)?;
    fs.disk.show_only(None);
    fs.header = *header;
    let allocator = read(&mut fs)?;
    // SAFETY: "unsafe" since a wrong map would destroy data: this is the one that the header's log tells.
    unsafe { *fs.allocator_mut() = allocator };
    Ok(fs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_join_and_break() {
        let mut areas = Areas::default();
        areas.free(10, 20);
        areas.free(30, 40);
        areas.free(20, 25);
        assert!(areas.take(12, 14) && !areas.take(12, 13) && !areas.take(24, 31));
        areas.free(25, 30);
        let all: Vec<_> = areas.0.into_iter().collect();
        assert_eq!(all, [(10, 12), (14, 40)]);
    }
}
