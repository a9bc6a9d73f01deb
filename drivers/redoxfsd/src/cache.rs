//! The disk as the crate sees it: a block cache with read-ahead, joined writes, and flushes around headers.

use crate::BLOCK;
use crate::device::Device;
use crate::prefetch::Prefetcher;
use redoxfs::{Disk, HEADER_RING, Header};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::io;
use std::ops::Range;
use syscall::error::{EIO, Error, Result};

/// Blocks kept in memory: 48 MiB.
const CACHE_BLOCKS: usize = 48 * 1024 * 1024 / BLOCK;
/// Blocks read at once where reads follow one another: the most that one request to a disk carries.
const SEQUENTIAL_BLOCKS: u64 = 64;
/// Blocks read at once elsewhere, aligned: what was written together is often needed together.
const CLUSTER_BLOCKS: u64 = 16;
/// Most bytes joined into one write.
const MAX_JOINED: usize = 1024 * 1024;

/// Block numbers are spread well enough by one multiplication.
#[derive(Default)]
struct BlockHasher(u64);

impl Hasher for BlockHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte) ^ self.0);
        }
    }
    fn write_u64(&mut self, value: u64) {
        let product = value.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = product ^ product >> 29;
    }
}

struct Frame {
    block: u64,
    /// Used since the clock's hand passed.
    referenced: bool,
    data: Box<[u8; BLOCK]>,
}

/// A device with a cache over it.
pub struct CachedDisk<D> {
    device: D,
    blocks: u64,
    frames: Vec<Frame>,
    by_block: HashMap<u64, u32, BuildHasherDefault<BlockHasher>>,
    hand: usize,
    /// The block after the last one read: a read there is sequential.
    expected: u64,
    /// Blocks written but not yet sent to the device, contiguous from `joined_at`.
    joined: Vec<u8>,
    joined_at: u64,
    scratch: Vec<u8>,
    /// Blocks read ahead for sequential reads of large records, contiguous from `ahead_at`.
    ahead: Vec<u8>,
    ahead_at: u64,
    /// Reads those after them meanwhile, `coming`: made when first wanted, `None` in it where that cannot be.
    prefetcher: Option<Option<Prefetcher>>,
    /// Empty where nothing is read, or what is was overwritten.
    coming: Range<u64>,
    /// First block of the header ring, once known, and the newest generation that is to be seen.
    ring: Option<u64>,
    newest: u64,
    /// The one header that is shown, see [`CachedDisk::show_only`].
    only: Option<Header>,
}

impl<D: Device> CachedDisk<D> {
    /// A cache over `device`.
    pub fn new(mut device: D) -> io::Result<Self> {
        let blocks = device.size()? / BLOCK as u64;
        Ok(Self {
            device,
            blocks,
            frames: Vec::new(),
            by_block: HashMap::default(),
            hand: 0,
            expected: u64::MAX,
            joined: Vec::new(),
            joined_at: 0,
            scratch: Vec::new(),
            ahead: Vec::new(),
            ahead_at: 0,
            prefetcher: None,
            coming: 0..0,
            ring: None,
            newest: u64::MAX,
            only: None,
        })
    }

    /// Declares where the header ring is, and hides headers newer than generation `newest`.
    pub fn set_ring(&mut self, first_block: u64, newest: u64) {
        self.ring = Some(first_block);
        self.newest = newest;
    }

    /// Shows of all headers only this one, in place of that of its generation, see [`crate::free_map`]. `None`: all as they are.
    pub fn show_only(&mut self, header: Option<Header>) {
        self.only = header;
    }

    /// The device below. What is written to it directly must be nothing that the crate reads.
    pub const fn device(&mut self) -> &mut D {
        &mut self.device
    }

    /// The device.
    pub fn into_device(self) -> D {
        self.device
    }

    fn is_header(&self, block: u64) -> bool {
        self.ring
            .is_some_and(|ring| (ring..ring + HEADER_RING).contains(&block))
    }

    /// A header in the ring as it is on the device; `None` where none is valid there.
    pub fn header(&mut self, block: u64) -> Result<Option<Header>> {
        let mut header = Header::default();
        self.read(block, &mut header)?;
        Ok(header.valid().then_some(header))
    }

    fn lookup(&mut self, block: u64) -> Option<&mut Frame> {
        let frame = &mut self.frames[*self.by_block.get(&block)? as usize];
        frame.referenced = true;
        Some(frame)
    }

    /// Puts a block into the cache, in the place of one that was not used for the longest.
    fn insert(&mut self, block: u64, data: &[u8]) {
        if let Some(frame) = self.lookup(block) {
            frame.data.copy_from_slice(data);
            return;
        }
        if self.frames.len() < CACHE_BLOCKS {
            let mut copy = Box::new([0; BLOCK]);
            copy.copy_from_slice(data);
            self.by_block.insert(block, self.frames.len() as u32);
            self.frames.push(Frame {
                block,
                referenced: false,
                data: copy,
            });
            return;
        }
        while std::mem::take(&mut self.frames[self.hand].referenced) {
            self.hand = (self.hand + 1) % CACHE_BLOCKS;
        }
        let frame = &mut self.frames[self.hand];
        self.by_block.remove(&frame.block);
        self.by_block.insert(block, self.hand as u32);
        frame.block = block;
        frame.data.copy_from_slice(data);
        self.hand = (self.hand + 1) % CACHE_BLOCKS;
    }

    /// The blocks to read from the device when `wanted` is not in the cache: more than wanted.
    fn window(&self, wanted: &Range<u64>) -> Range<u64> {
        let len = wanted.end - wanted.start;
        let window = if wanted.start == self.expected {
            wanted.start..wanted.start + len.max(SEQUENTIAL_BLOCKS)
        } else {
            wanted.start - wanted.start % CLUSTER_BLOCKS
                ..wanted.end.next_multiple_of(CLUSTER_BLOCKS)
        };
        window.start..window.end.min(self.blocks).max(wanted.end)
    }

    fn read(&mut self, block: u64, buffer: &mut [u8]) -> Result<()> {
        let wanted = block..block + buffer.len().div_ceil(BLOCK) as u64;
        if wanted.end > self.blocks {
            tracing::error!("the filesystem points to block {block}, beyond the disk");
            return Err(Error::new(EIO));
        }
        self.flush_joined()?;
        if wanted.end - wanted.start > 1 {
            return self.read_large(wanted, buffer);
        }
        let sequential = wanted.start == self.expected;
        for (index, chunk) in buffer.chunks_mut(BLOCK).enumerate() {
            let at = block + index as u64;
            if self.lookup(at).is_none() {
                let window = self.window(&(at..wanted.end));
                self.fill(window)?;
                if sequential {
                    self.expected = at;
                }
            }
            match self.lookup(at) {
                Some(frame) => chunk.copy_from_slice(&frame.data[..chunk.len()]),
                None => return Err(Error::new(EIO)),
            }
        }
        self.expected = wanted.end;
        Ok(())
    }

    /// Reads a record of several blocks past the cache: it is mostly file data, which the kernel caches itself. What the
    /// device holds is never older than the cache.
    fn read_large(&mut self, wanted: Range<u64>, buffer: &mut [u8]) -> Result<()> {
        let sequential = wanted.start == self.expected;
        self.expected = wanted.end;
        if !self.holds(&wanted) && !self.take_coming(&wanted) {
            let end = (wanted.start + SEQUENTIAL_BLOCKS).min(self.blocks);
            if !sequential || end <= wanted.end {
                return self.read_device(wanted.start, buffer);
            }
            let mut ahead = std::mem::take(&mut self.ahead);
            ahead.resize((end - wanted.start) as usize * BLOCK, 0);
            if self
                .device
                .read_at(wanted.start * BLOCK as u64, &mut ahead)
                .is_err()
            {
                // A bad block further on must not make this one unreadable.
                return self.read_device(wanted.start, buffer);
            }
            (self.ahead, self.ahead_at) = (ahead, wanted.start);
            self.prefetch();
        }
        let from = (wanted.start - self.ahead_at) as usize * BLOCK;
        buffer.copy_from_slice(&self.ahead[from..from + buffer.len()]);
        Ok(())
    }

    /// Whether blocks were read ahead.
    fn holds(&self, wanted: &Range<u64>) -> bool {
        let end = self.ahead_at + (self.ahead.len() / BLOCK) as u64;
        self.ahead_at <= wanted.start && wanted.end <= end
    }

    /// Takes over what was read in the background, where blocks are among it, and begins to read what follows.
    fn take_coming(&mut self, wanted: &Range<u64>) -> bool {
        if self.coming.start > wanted.start || wanted.end > self.coming.end {
            return false;
        }
        let coming = std::mem::take(&mut self.coming);
        let Some(Some(prefetcher)) = &mut self.prefetcher else {
            return false;
        };
        // Where it failed the blocks are read one record at a time.
        let Some(found) = prefetcher.take() else {
            return false;
        };
        (self.ahead, self.ahead_at) = (found, coming.start);
        self.prefetch();
        true
    }

    /// Begins to read what follows the blocks that were read ahead.
    fn prefetch(&mut self) {
        let start = self.ahead_at + (self.ahead.len() / BLOCK) as u64;
        let end = (start + SEQUENTIAL_BLOCKS).min(self.blocks);
        let device = &self.device;
        let prefetcher = self.prefetcher.get_or_insert_with(|| {
            let reader = device.reader()?;
            Prefetcher::new(reader).ok()
        });
        let Some(prefetcher) = prefetcher else { return };
        if start >= end {
            return;
        }
        if prefetcher.is_reading() {
            // Of another file, or overwritten since: nobody wants it.
            drop(prefetcher.take());
        }
        prefetcher.begin(start * BLOCK as u64, vec![0; (end - start) as usize * BLOCK]);
        self.coming = start..end;
    }

    fn read_device(&mut self, block: u64, buffer: &mut [u8]) -> Result<()> {
        self.device
            .read_at(block * BLOCK as u64, buffer)
            .map_err(|error| {
                tracing::error!("reading {} bytes at block {block}: {error}", buffer.len());
                Error::new(EIO)
            })
    }

    /// Reads blocks from the device into the cache. Blocks that are cached already stay as they are.
    fn fill(&mut self, window: Range<u64>) -> Result<()> {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.resize((window.end - window.start) as usize * BLOCK, 0);
        let mut result = self
            .device
            .read_at(window.start * BLOCK as u64, &mut scratch);
        let mut read = window.clone();
        if result.is_err() && window.end - window.start > 1 {
            // A bad block nearby must not make the wanted one unreadable.
            read = self.expected.max(window.start)..window.end;
            read.end = read.start + 1;
            scratch.truncate(BLOCK);
            result = self.device.read_at(read.start * BLOCK as u64, &mut scratch);
        }
        if let Err(error) = result {
            tracing::error!("reading blocks {window:?}: {error}");
            return Err(Error::new(EIO));
        }
        for (block, data) in read.zip(scratch.chunks(BLOCK)) {
            if !self.by_block.contains_key(&block) {
                self.insert(block, data);
            }
        }
        self.scratch = scratch;
        Ok(())
    }

    /// Sends the joined writes.
    fn flush_joined(&mut self) -> Result<()> {
        if self.joined.is_empty() {
            return Ok(());
        }
        let written = self
            .device
            .write_at(self.joined_at * BLOCK as u64, &self.joined);
        self.joined.clear();
        written.map_err(|error| {
            tracing::error!("writing blocks from {} on: {error}", self.joined_at);
            Error::new(EIO)
        })
    }

    fn barrier(&mut self) -> Result<()> {
        self.device.flush().map_err(|error| {
            tracing::error!("flushing the disk: {error}");
            Error::new(EIO)
        })
    }

    fn write(&mut self, block: u64, data: &[u8]) -> Result<()> {
        let blocks = data.len().div_ceil(BLOCK) as u64;
        if block + blocks > self.blocks || !data.len().is_multiple_of(BLOCK) {
            tracing::error!(
                "the filesystem writes {} bytes at block {block}",
                data.len()
            );
            return Err(Error::new(EIO));
        }
        let ahead_end = self.ahead_at + (self.ahead.len() / BLOCK) as u64;
        if block < ahead_end && self.ahead_at < block + blocks {
            self.ahead.clear();
        }
        if block < self.coming.end && self.coming.start < block + blocks {
            self.coming = 0..0;
        }
        // Large records are not worth a place in the cache: only what is cached already is kept true.
        for (index, chunk) in data.chunks(BLOCK).enumerate() {
            let at = block + index as u64;
            if blocks == 1 || self.by_block.contains_key(&at) {
                self.insert(at, chunk);
            }
        }
        if self.is_header(block) {
            // A header is written when all that it points to is stable, and nothing goes on before it is itself.
            self.flush_joined()?;
            self.barrier()?;
            let offset = block * BLOCK as u64;
            self.device.write_at(offset, data).map_err(|error| {
                tracing::error!("writing a header: {error}");
                Error::new(EIO)
            })?;
            return self.barrier();
        }
        let end = self.joined_at + (self.joined.len() / BLOCK) as u64;
        if block != end || self.joined.len() + data.len() > MAX_JOINED {
            self.flush_joined()?;
            self.joined_at = block;
        }
        self.joined.extend_from_slice(data);
        Ok(())
    }
}

impl<D: Device> Disk for CachedDisk<D> {
    // The trait's functions are unsafe "to discourage use"; there is nothing for a caller to uphold here.
    unsafe fn read_at(&mut self, block: u64, buffer: &mut [u8]) -> Result<usize> {
        self.read(block, buffer)?;
        if self.is_header(block) && buffer.len() == BLOCK {
            let mut header = Header::default();
            header.copy_from_slice(buffer);
            let generation = header.generation();
            match &self.only {
                Some(only) if only.generation() == generation => buffer.copy_from_slice(only),
                Some(_) => buffer.fill(0),
                None if generation > self.newest => buffer.fill(0),
                None => {}
            }
        }
        Ok(buffer.len())
    }

    unsafe fn write_at(&mut self, block: u64, buffer: &[u8]) -> Result<usize> {
        self.write(block, buffer)?;
        Ok(buffer.len())
    }

    fn size(&mut self) -> Result<u64> {
        Ok(self.blocks * BLOCK as u64)
    }
}
