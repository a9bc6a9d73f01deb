//! The device's queue: requests in, completions out. Knows virtio (1.1, section 5.2), nothing of schemes.
//!
//! Requests in whole blocks go straight between the caller's memory and the device, many at a time. Others are done alone:
//! the blocks around them are read into a bounce buffer, and for a write changed there and written back.

use driver::dma::DmaMemory;
use std::collections::VecDeque;
use virtio::{
    DeviceError, QueueError, Segment, SplitQueue, Transport, feature, negotiate,
    read_config_consistent, start,
};

/// Feature bits (section 5.2.3).
mod block {
    pub const SIZE_MAX: u64 = 1 << 1;
    pub const SEG_MAX: u64 = 1 << 2;
    pub const RO: u64 = 1 << 5;
    pub const BLK_SIZE: u64 = 1 << 6;
    pub const FLUSH: u64 = 1 << 9;
}

/// Request types (section 5.2.6).
const IN: u32 = 0;
const OUT: u32 = 1;
const FLUSH: u32 = 4;

/// The unit of capacity and of positions on the wire, whatever the block size.
const SECTOR: u64 = 512;
/// The largest request, as the kernel's transfer slots have it.
pub const MAX_REQUEST: usize = 256 * 1024;
/// Descriptors in the queue, where the device allows as many.
const QUEUE_SIZE: u16 = 128;
/// Pieces in one virtio request: every page of the largest request apart, one more for an unaligned start, header, status.
const MAX_PIECES: u16 = (MAX_REQUEST / 4096) as u16 + 3;
/// Bytes of each header: request header (16), status (1), padding.
const HEADER_BYTES: usize = 32;
/// An error that the device reports as "unsupported".
const STATUS_UNSUPPORTED: u8 = 2;

/// A piece of physical memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Physical address.
    pub physical: u64,
    /// Length in bytes.
    pub len: u32,
}

/// What to do. Offsets are bytes from the start of the disk; ranges lie on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// Whole blocks from the disk to memory.
    Read { offset: u64, pieces: Vec<Piece> },
    /// Whole blocks from memory to the disk.
    Write { offset: u64, pieces: Vec<Piece> },
    /// Any bytes from the disk; they are given with the completion.
    ReadBytes { offset: u64, len: usize },
    /// Any bytes to the disk.
    WriteBytes { offset: u64, data: Vec<u8> },
    /// Make all completed writes durable.
    Flush,
}

/// A finished request: its tag, and its result as bytes done or an errno.
#[derive(Debug, PartialEq, Eq)]
pub struct Completion {
    /// The tag it was submitted with.
    pub tag: u32,
    /// Bytes done, or an errno.
    pub result: Result<usize, i32>,
    /// The bytes of a `ReadBytes`.
    pub data: Option<Vec<u8>>,
}

/// A request in work; it may take several virtio requests.
struct Active {
    tag: u32,
    bytes: usize,
    outstanding: u32,
    errno: Option<i32>,
    bounce: Option<Bounce>,
}

/// What to do with the bounce buffer when it is filled.
enum Bounce {
    /// Give `len` bytes from `skip` on to the caller.
    Give { skip: usize, len: usize },
    /// Put the data at `skip` and write the blocks back.
    Change {
        skip: usize,
        data: Vec<u8>,
        offset: u64,
        span: usize,
    },
    /// The changed blocks are being written.
    Written,
}

/// A block device ready for requests.
pub struct Engine {
    device: Box<dyn Transport>,
    queue: SplitQueue,
    headers: DmaMemory,
    free_headers: Vec<u16>,
    bounce: DmaMemory,
    active: Vec<Option<Active>>,
    header_owner: Vec<usize>,
    backlog: VecDeque<(u32, Work)>,
    is_bouncing: bool,
    max_pieces: usize,
    max_piece_bytes: u32,
    features: u64,
    /// Size of the disk in bytes.
    pub bytes: u64,
    /// Size of a block in bytes.
    pub block_bytes: u32,
}

/// Memory the engine needs; `allocate` gives zeroed DMA memory of a size in bytes.
type Allocate<'a> = &'a dyn Fn(usize) -> std::io::Result<DmaMemory>;

impl Engine {
    /// Resets the device, whatever state a predecessor left it in, and starts it. `vector` is the queue's MSI-X entry.
    pub fn start(
        mut device: Box<dyn Transport>,
        allocate: Allocate<'_>,
        vector: Option<u16>,
    ) -> Result<Self, DeviceError> {
        let wanted = block::SIZE_MAX
            | block::SEG_MAX
            | block::RO
            | block::BLK_SIZE
            | block::FLUSH
            | feature::INDIRECT_DESC
            | feature::EVENT_IDX;
        let features = negotiate(&mut *device, 0, wanted)?;
        let mut config = [0; 24];
        read_config_consistent(&*device, 0, &mut config);
        let word = |at: usize| {
            u32::from_le_bytes([config[at], config[at + 1], config[at + 2], config[at + 3]])
        };
        let sectors = u64::from(word(0)) | u64::from(word(4)) << 32;
        let size_max = if features & block::SIZE_MAX != 0 {
            word(8).max(512)
        } else {
            u32::MAX
        };
        let seg_max = if features & block::SEG_MAX != 0 {
            word(12).max(1)
        } else {
            u32::MAX
        };
        let block_bytes = if features & block::BLK_SIZE != 0 {
            word(20)
        } else {
            512
        };
        let block_bytes = if block_bytes.is_power_of_two() && (512..=65536).contains(&block_bytes) {
            block_bytes
        } else {
            512
        };

        let size = device.queue_max_size(0).min(QUEUE_SIZE);
        if size < 4 || !size.is_power_of_two() {
            return Err(DeviceError::NoQueue(0));
        }
        let memory = allocate(SplitQueue::memory_size(size))?;
        let tables = if features & feature::INDIRECT_DESC != 0 {
            Some((
                allocate(SplitQueue::tables_size(size, MAX_PIECES))?,
                MAX_PIECES,
            ))
        } else {
            None
        };
        // Without indirect tables a request takes a descriptor for each piece.
        let room = if tables.is_some() { MAX_PIECES } else { size };
        let queue = SplitQueue::new(&mut *device, 0, size, features, memory, tables, vector)?;
        let headers = allocate(HEADER_BYTES * usize::from(size))?;
        let bounce = allocate(MAX_REQUEST + 2 * block_bytes as usize)?;
        start(&mut *device);
        Ok(Engine {
            device,
            queue,
            headers,
            free_headers: (0..size).rev().collect(),
            bounce,
            active: Vec::new(),
            header_owner: vec![0; usize::from(size)],
            backlog: VecDeque::new(),
            is_bouncing: false,
            max_pieces: (seg_max as usize).min(usize::from(room) - 2),
            max_piece_bytes: size_max,
            features,
            bytes: sectors.saturating_mul(SECTOR),
            block_bytes,
        })
    }

    /// Whether the device takes no writes.
    pub fn is_read_only(&self) -> bool {
        self.features & block::RO != 0
    }

    /// Whether nothing is waiting or in flight.
    pub fn is_idle(&self) -> bool {
        self.backlog.is_empty() && self.queue.is_idle()
    }

    /// Takes a request. Nothing happens on the device before [`Engine::kick`].
    pub fn submit(&mut self, tag: u32, work: Work) {
        self.backlog.push_back((tag, work));
    }

    /// Hands as many requests to the device as fit, in order, and notifies it once.
    pub fn kick(&mut self, done: &mut Vec<Completion>) {
        while !self.is_bouncing
            && let Some((tag, work)) = self.backlog.pop_front()
        {
            if let Err(work) = self.begin(tag, work, done) {
                self.backlog.push_front((tag, work));
                break;
            }
        }
        self.queue.kick(&*self.device);
    }

    /// Starts a request, or gives it back where there is no room for it now.
    fn begin(&mut self, tag: u32, work: Work, done: &mut Vec<Completion>) -> Result<(), Work> {
        let (kind, offset, pieces) = match work {
            Work::Flush if self.features & block::FLUSH == 0 => {
                // A device without this feature writes through (section 5.2.6.2).
                done.push(Completion {
                    tag,
                    result: Ok(0),
                    data: None,
                });
                return Ok(());
            }
            // Everything that was asked for before is to be on the disk, also what a client that died has left behind.
            work @ Work::Flush if !self.queue.is_idle() => return Err(work),
            Work::Flush => (FLUSH, 0, Vec::new()),
            Work::Read { offset, pieces } => (IN, offset, self.limit(pieces)),
            Work::Write { offset, pieces } => (OUT, offset, self.limit(pieces)),
            // Alone: no other write may come between reading the blocks and writing them back.
            work if !self.queue.is_idle() => return Err(work),
            Work::ReadBytes { offset, len } => {
                let (start, span) = self.blocks_around(offset, len);
                let skip = (offset - start) as usize;
                self.begin_bounce(tag, len, start, span, Bounce::Give { skip, len });
                return Ok(());
            }
            Work::WriteBytes { offset, data } => {
                let (start, span) = self.blocks_around(offset, data.len());
                let (skip, len) = ((offset - start) as usize, data.len());
                self.begin_bounce(
                    tag,
                    len,
                    start,
                    span,
                    Bounce::Change {
                        skip,
                        data,
                        offset: start,
                        span,
                    },
                );
                return Ok(());
            }
        };
        let parts = pieces.len().div_ceil(self.max_pieces).max(1);
        if parts > self.free_headers.len() || !self.has_room(&pieces) {
            if self.queue.is_idle() {
                // It will never fit: more pieces than the queue has descriptors, without indirect tables.
                done.push(Completion {
                    tag,
                    result: Err(libc::EIO),
                    data: None,
                });
                return Ok(());
            }
            return Err(match kind {
                IN => Work::Read { offset, pieces },
                OUT => Work::Write { offset, pieces },
                _ => Work::Flush,
            });
        }
        let bytes = pieces.iter().map(|piece| piece.len as usize).sum();
        let slot = self.activate(Active {
            tag,
            bytes,
            outstanding: 0,
            errno: None,
            bounce: None,
        });
        let mut at = offset;
        for part in pieces.chunks(self.max_pieces) {
            self.push(slot, kind, at, part);
            at += part.iter().map(|piece| u64::from(piece.len)).sum::<u64>();
        }
        if kind == FLUSH {
            self.push(slot, FLUSH, 0, &[]);
        }
        Ok(())
    }

    /// Cuts pieces to the device's largest.
    fn limit(&self, pieces: Vec<Piece>) -> Vec<Piece> {
        // In whole sectors, so that a request that is split between pieces stays in whole sectors.
        let most = self.max_piece_bytes / SECTOR as u32 * SECTOR as u32;
        if pieces.iter().all(|piece| piece.len <= most) {
            return pieces;
        }
        let cut = |piece: Piece| {
            (0..piece.len.div_ceil(most)).map(move |index| Piece {
                physical: piece.physical + u64::from(index * most),
                len: (piece.len - index * most).min(most),
            })
        };
        pieces.into_iter().flat_map(cut).collect()
    }

    fn has_room(&self, pieces: &[Piece]) -> bool {
        let parts = pieces.chunks(self.max_pieces).map(|part| part.len() + 2);
        self.queue
            .has_room(&mut parts.chain(pieces.is_empty().then_some(2)))
    }

    fn activate(&mut self, active: Active) -> usize {
        match self.active.iter().position(Option::is_none) {
            Some(slot) => {
                self.active[slot] = Some(active);
                slot
            }
            None => {
                self.active.push(Some(active));
                self.active.len() - 1
            }
        }
    }

    /// Puts one virtio request of an active one into the queue. The caller has made sure of room.
    fn push(&mut self, slot: usize, kind: u32, offset: u64, pieces: &[Piece]) {
        let Some(header) = self.free_headers.pop() else {
            return self.fail(slot);
        };
        let at = HEADER_BYTES * usize::from(header);
        self.headers.write_volatile(at, kind);
        self.headers.write_volatile(at + 4, 0u32);
        self.headers.write_volatile(at + 8, offset / SECTOR);
        self.headers.write_volatile(at + 16, 0xffu8);
        let mut segments = Vec::with_capacity(pieces.len() + 2);
        segments.push(Segment {
            physical: self.headers.physical(at),
            len: 16,
            device_writes: false,
        });
        segments.extend(pieces.iter().map(|piece| Segment {
            physical: piece.physical,
            len: piece.len,
            device_writes: kind == IN,
        }));
        segments.push(Segment {
            physical: self.headers.physical(at + 16),
            len: 1,
            device_writes: true,
        });
        if self.queue.push(&segments, u32::from(header)).is_err() {
            self.free_headers.push(header);
            return self.fail(slot);
        }
        self.header_owner[usize::from(header)] = slot;
        if let Some(active) = &mut self.active[slot] {
            active.outstanding += 1;
        }
    }

    fn fail(&mut self, slot: usize) {
        if let Some(active) = &mut self.active[slot] {
            active.errno = Some(libc::EIO);
        }
    }

    /// The whole blocks around a range: start and length.
    fn blocks_around(&self, offset: u64, len: usize) -> (u64, usize) {
        let block = u64::from(self.block_bytes);
        let start = offset / block * block;
        let end = (offset + len as u64).next_multiple_of(block);
        (start, (end - start) as usize)
    }

    fn begin_bounce(&mut self, tag: u32, bytes: usize, start: u64, span: usize, bounce: Bounce) {
        let slot = self.activate(Active {
            tag,
            bytes,
            outstanding: 0,
            errno: None,
            bounce: Some(bounce),
        });
        self.is_bouncing = true;
        self.push(
            slot,
            IN,
            start,
            &[Piece {
                physical: self.bounce.physical(0),
                len: span as u32,
            }],
        );
    }

    /// Collects what the device has finished, and hands it what waited for room. Call it until `enable_interrupts` is false.
    pub fn collect(&mut self, done: &mut Vec<Completion>) -> Result<(), QueueError> {
        while let Some(used) = self.queue.pop()? {
            let header = used.token as u16;
            let status: u8 = self
                .headers
                .read_volatile(HEADER_BYTES * usize::from(header) + 16);
            self.free_headers.push(header);
            let slot = self.header_owner[usize::from(header)];
            let Some(active) = self.active[slot].as_mut() else {
                continue;
            };
            active.outstanding -= 1;
            match status {
                0 => {}
                STATUS_UNSUPPORTED => active.errno = Some(libc::EOPNOTSUPP),
                _ => active.errno = Some(libc::EIO),
            }
            if active.outstanding == 0
                && let Some(active) = self.active[slot].take()
            {
                self.finish(active, done);
            }
        }
        self.kick(done);
        Ok(())
    }

    fn finish(&mut self, mut active: Active, done: &mut Vec<Completion>) {
        let Active {
            tag, bytes, errno, ..
        } = active;
        let was_bouncing = active.bounce.is_some();
        let mut data = None;
        match (active.bounce.take(), errno) {
            (Some(Bounce::Give { skip, len }), None) => {
                let mut copy = vec![0; len];
                self.bounce.read(skip, &mut copy);
                data = Some(copy);
            }
            (
                Some(Bounce::Change {
                    skip,
                    data,
                    offset,
                    span,
                }),
                None,
            ) => {
                self.bounce.write(skip, &data);
                active.bounce = Some(Bounce::Written);
                let slot = self.activate(active);
                self.push(
                    slot,
                    OUT,
                    offset,
                    &[Piece {
                        physical: self.bounce.physical(0),
                        len: span as u32,
                    }],
                );
                return;
            }
            _ => {}
        }
        if was_bouncing {
            self.is_bouncing = false;
        }
        done.push(Completion {
            tag,
            result: errno.map_or(Ok(bytes), Err),
            data,
        });
    }

    /// Whether the device has finished something.
    pub fn has_finished(&self) -> bool {
        self.queue.has_finished()
    }

    /// Asks for no interrupts while the driver looks itself.
    pub fn disable_interrupts(&mut self) {
        self.queue.disable_interrupts();
    }

    /// Asks for an interrupt with the next completion; true where there is one already: collect again.
    pub fn enable_interrupts(&mut self) -> bool {
        self.queue.enable_interrupts()
    }
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
