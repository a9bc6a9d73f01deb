//! The intent log: what changed since the last commit, so that an fsync is one write and one flush of the disk instead of a commit.
//!
//! It lies beside the trees, in extents of 128 KiB that are in use for good and whose places stand in the unused bytes of the header, behind a mark.
//! A *record* holds changes as they were asked for ([`crate::session`] says which), and names the header that it follows; so the next commit makes
//! the log empty, and whatever another system commits makes it void. Commits use one half of the area each in turn: where a disk lost the
//! newest header in spite of flushes, the log of the generation before is still there.
//!
//! Record, in whole blocks: mark (8 bytes), the filesystem's id (16), generation (u64) and hash (u64) of the header that it follows, its number
//! after that header (u32), bytes of content (u32), checksum of the record before (u64; 0 for the first), checksum of all that and the content (u64), content.
//! Each checksum covers that of the record before, so a record is valid behind the one that it was written behind, and nowhere else.

use crate::BLOCK;
use crate::device::Device;
use crate::visit::Tx;
use redoxfs::{Allocator, BlockAddr, BlockData, BlockMeta, BlockPtr, BlockTrait, Header, RECORD_LEVEL, RecordRaw, TreeData};
use std::io;
use syscall::error::{EIO, Error, Result};

const HEADER_MARK: &[u8; 8] = b"GOSLOG1\0";
const RECORD_MARK: &[u8; 8] = b"GOSINTNT";
/// Blocks of an extent: the largest piece that the format allocates at once.
pub const EXTENT_BLOCKS: u64 = 1 << RECORD_LEVEL;
/// Most extents of an area: 2 MiB, of which each generation has half.
const MOST_EXTENTS: usize = 16;
/// The area may take this part of what is free when it is made.
const PART: u64 = 64;
/// Bytes of a record before its content.
pub const RECORD_HEADER: usize = 64;
/// Most bytes of a record's content: a record lies in one extent.
pub const MOST_CONTENT: usize = EXTENT_BLOCKS as usize * BLOCK - RECORD_HEADER;

/// Where the log lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Area(Vec<u64>);

impl Area {
    /// The first blocks of the extents that a header names, whether or not that can be. Empty where it names none.
    pub fn named(header: &Header) -> Vec<u64> {
        let padding = &header.padding;
        let number = |at: usize| padding[at..at + 8].try_into().map_or(0, u64::from_le_bytes);
        if padding[..8] != *HEADER_MARK {
            return Vec::new();
        }
        let count = number(8).min(MOST_EXTENTS as u64) as usize;
        (0..count).map(|index| number(16 + 8 * index)).collect()
    }

    /// The area that a header names; `None` where there is none, or where another system took its blocks back.
    pub fn of(header: &Header, allocator: &Allocator) -> Option<Self> {
        let extents = Self::named(header);
        if extents.len() < 2 || !extents.len().is_multiple_of(2) {
            return None;
        }
        let blocks = header.size() / redoxfs::BLOCK_SIZE;
        let is_good = |first: &u64| {
            let is_inside = first.checked_add(EXTENT_BLOCKS).is_some_and(|end| end <= blocks) && *first > redoxfs::HEADER_RING;
            let is_alone = extents.iter().filter(|other| other.abs_diff(*first) < EXTENT_BLOCKS).count() == 1;
            is_inside && is_alone && !has_free(allocator, *first, EXTENT_BLOCKS)
        };
        extents.iter().all(is_good).then(|| Self(extents.clone()))
    }

    /// How many extents an area would have where `free` blocks are free; 0 where the disk is too small or too full for one.
    pub const fn extents_for(free: u64) -> usize {
        let fit = (free / PART / EXTENT_BLOCKS) as usize;
        let most = if fit < MOST_EXTENTS { fit } else { MOST_EXTENTS };
        most - most % 2
    }

    /// Makes an area of so many extents, for which room is admitted, and names it in the transaction's header.
    ///
    /// # Errors
    /// Where there is no room all the same: the transaction is of no use then.
    pub fn create<D: Device>(tx: &mut Tx<'_, D>, extents: usize) -> Result<()> {
        // The crate gives levels only inside of pointers.
        let level = BlockPtr::<RecordRaw>::marker(RECORD_LEVEL as u8).addr().level();
        // Takes the block counts that nobody wants to know.
        let mut nobody = TreeData::new(0, redoxfs::Node::default());
        let mut padding = tx.header.padding;
        padding.fill(0);
        padding[..8].copy_from_slice(HEADER_MARK);
        padding[8..16].copy_from_slice(&(extents as u64).to_le_bytes());
        for to in padding[16..].chunks_exact_mut(8).take(extents.min(MOST_EXTENTS)) {
            let zeroes = RecordRaw::empty(level).ok_or(Error::new(EIO))?;
            let ptr = tx.sync_block(&mut nobody, BlockData::new(BlockAddr::null(BlockMeta::new(level)), zeroes))?;
            to.copy_from_slice(&ptr.addr().index().to_le_bytes());
        }
        tx.header.padding = padding;
        tx.header_changed = true;
        Ok(())
    }
}

/// Whether one of the blocks is free.
fn has_free(allocator: &Allocator, first: u64, blocks: u64) -> bool {
    allocator.levels().iter().enumerate().any(|(level, free)| {
        let len = 1u64 << level;
        free.range((first + 1).saturating_sub(len)..first + blocks).next().is_some()
    })
}

/// A place in a generation's half of the area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    extent: usize,
    block: u64,
}

/// What became of an attempt to write a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// It is on the disk.
    Durable,
    /// It does not fit any more: it is time for a commit.
    Full,
}

/// The log behind one header.
#[derive(Clone, Debug)]
pub struct Log {
    extents: Vec<u64>,
    uuid: [u8; 16],
    generation: u64,
    header_hash: u64,
    /// Where the next record goes, its number, and the checksum of the one before.
    next: Place,
    number: u32,
    last_sum: u64,
}

impl Log {
    /// The log behind `header`, at its start; `None` where the filesystem has no area, or is encrypted, which the log is not.
    pub fn behind(header: &Header, allocator: &Allocator) -> Option<Self> {
        if header.encrypted() {
            return None;
        }
        let Area(extents) = Area::of(header, allocator)?;
        let half = extents.len() / 2;
        let from = if header.generation().is_multiple_of(2) { 0 } else { half };
        Some(Self {
            extents: extents[from..from + half].to_vec(),
            uuid: header.uuid(),
            generation: header.generation(),
            header_hash: { header.hash }.to_ne(),
            next: Place { extent: 0, block: 0 },
            number: 0,
            last_sum: 0,
        })
    }

    /// Whether it is that of `header`.
    pub fn is_behind(&self, header: &Header) -> bool {
        (self.generation, self.header_hash, self.uuid) == (header.generation(), { header.hash }.to_ne(), header.uuid())
    }

    /// Records written or read so far.
    pub const fn records(&self) -> u32 {
        self.number
    }

    /// The content of the next record; `None` at the end of what is valid.
    pub fn read<D: Device>(&mut self, device: &mut D) -> Option<Vec<u8>> {
        let here = self.next;
        let after = Place { extent: here.extent + 1, block: 0 };
        [here, after].into_iter().find_map(|place| self.read_at(device, place))
    }

    fn read_at<D: Device>(&mut self, device: &mut D, place: Place) -> Option<Vec<u8>> {
        let room = usize::try_from(EXTENT_BLOCKS.checked_sub(place.block)?).ok()? * BLOCK;
        let at = (self.extents.get(place.extent)? + place.block) * BLOCK as u64;
        let mut record = vec![0; BLOCK];
        if room == 0 {
            return None;
        }
        let read = device.read_at(at, &mut record).and_then(|()| {
            let len = record[44..48].try_into().map_or(0, u32::from_le_bytes) as usize;
            if record[..8] != *RECORD_MARK || len > room - RECORD_HEADER {
                return Ok(false);
            }
            if RECORD_HEADER + len > BLOCK {
                record.resize((RECORD_HEADER + len).next_multiple_of(BLOCK), 0);
                device.read_at(at, &mut record)?;
            }
            record.truncate(RECORD_HEADER + len);
            Ok(true)
        });
        match read {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => {
                tracing::error!("reading the log of changes at block {}: {error}", at / BLOCK as u64);
                return None;
            }
        }
        let mut wanted = [0; RECORD_HEADER];
        let sum = self.head(&mut wanted, &record[RECORD_HEADER..]);
        if record[..RECORD_HEADER] != wanted {
            return None;
        }
        self.passed(place, record.len(), sum);
        Some(record.split_off(RECORD_HEADER))
    }

    /// Fills the bytes before a content of the next record; returns its checksum.
    fn head(&self, head: &mut [u8], content: &[u8]) -> u64 {
        head[..8].copy_from_slice(RECORD_MARK);
        head[8..24].copy_from_slice(&self.uuid);
        head[24..32].copy_from_slice(&self.generation.to_le_bytes());
        head[32..40].copy_from_slice(&self.header_hash.to_le_bytes());
        head[40..44].copy_from_slice(&self.number.to_le_bytes());
        head[44..48].copy_from_slice(&(content.len() as u32).to_le_bytes());
        head[48..56].copy_from_slice(&self.last_sum.to_le_bytes());
        let mut hasher = Sum::default();
        hasher.add(&head[..56]);
        hasher.add(content);
        let sum = hasher.value();
        head[56..64].copy_from_slice(&sum.to_le_bytes());
        sum
    }

    fn passed(&mut self, place: Place, bytes: usize, sum: u64) {
        let block = place.block + bytes.div_ceil(BLOCK) as u64;
        self.next = Place { block, ..place };
        self.number += 1;
        self.last_sum = sum;
    }

    /// Writes the next record and flushes the disk. `record` has [`RECORD_HEADER`] bytes in front of the content, to be filled here.
    ///
    /// # Errors
    /// The device's: whether the record will be found is not known then, and no other may follow it.
    pub fn append<D: Device>(&mut self, device: &mut D, record: &mut Vec<u8>) -> io::Result<Appended> {
        let blocks = record.len().div_ceil(BLOCK) as u64;
        let mut place = self.next;
        if place.block + blocks > EXTENT_BLOCKS {
            place = Place { extent: place.extent + 1, block: 0 };
        }
        let (Some(extent), true) = (self.extents.get(place.extent), blocks <= EXTENT_BLOCKS) else {
            return Ok(Appended::Full);
        };
        let (head, content) = record.split_at_mut(RECORD_HEADER);
        let sum = self.head(head, content);
        let bytes = record.len();
        record.resize(blocks as usize * BLOCK, 0);
        device.write_at((extent + place.block) * BLOCK as u64, record)?;
        device.flush()?;
        self.passed(place, bytes, sum);
        Ok(Appended::Durable)
    }
}

/// A checksum of several pieces.
#[derive(Default)]
struct Sum(seahash::SeaHasher);

impl Sum {
    fn add(&mut self, bytes: &[u8]) {
        std::hash::Hasher::write(&mut self.0, bytes);
    }

    fn value(&self) -> u64 {
        std::hash::Hasher::finish(&self.0)
    }
}
