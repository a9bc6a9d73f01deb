//! The split virtqueue (virtio 1.1, section 2.6).

use crate::transport::{DeviceError, QueueAddresses, Transport, feature};
use driver::dma::DmaMemory;
use std::sync::atomic::{Ordering, fence};

const DESC_NEXT: u16 = 1;
const DESC_WRITE: u16 = 2;
const DESC_INDIRECT: u16 = 4;
const AVAIL_NO_INTERRUPT: u16 = 1;
const USED_NO_NOTIFY: u16 = 1;
const NONE: u16 = u16::MAX;

/// A piece of a request: memory by physical address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Physical address.
    pub physical: u64,
    /// Length in bytes.
    pub len: u32,
    /// Whether the device writes it (else it reads it). Pieces it reads come first.
    pub device_writes: bool,
}

/// A request the device has finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Used {
    /// The token given to [`SplitQueue::push`].
    pub token: u32,
    /// Bytes the device says it has written.
    pub written: u32,
}

/// The queue cannot go on.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum QueueError {
    /// No descriptors are free now: try again after [`SplitQueue::pop`].
    #[error("no free descriptors")]
    Full,
    /// The request has more pieces than the queue could ever hold.
    #[error("a request of {0} pieces does not fit the queue")]
    TooLong(usize),
    /// The device returned something that was not in flight: it needs a reset.
    #[error("the device returned descriptor {0}, which is not in flight")]
    Bogus(u32),
}

/// A virtqueue as its driver sees it.
pub struct SplitQueue {
    index: u16,
    size: u16,
    memory: DmaMemory,
    available: usize,
    used: usize,
    /// Tables of `indirect_entries` descriptors, one for each descriptor of the queue; empty without indirect descriptors.
    tables: Option<DmaMemory>,
    indirect_entries: u16,
    event_index: bool,
    /// The free list and the chains in flight; the device's table is never read back.
    next: Vec<u16>,
    tokens: Vec<Option<u32>>,
    free_head: u16,
    free: u16,
    available_index: u16,
    published_index: u16,
    used_index: u16,
}

/// Offsets of the rings behind the descriptor table, and the bytes of all three.
fn layout(size: u16) -> (usize, usize, usize) {
    let size = usize::from(size);
    let available = 16 * size;
    let used = (available + 6 + 2 * size).next_multiple_of(4);
    (available, used, used + 6 + 8 * size)
}

impl SplitQueue {
    /// Bytes of memory a queue of `size` descriptors needs.
    pub fn memory_size(size: u16) -> usize {
        layout(size).2.next_multiple_of(16)
    }

    /// Bytes of memory for the tables of indirect descriptors.
    pub fn tables_size(size: u16, entries: u16) -> usize {
        16 * usize::from(size) * usize::from(entries)
    }

    /// Sets up queue `index` of the device in `memory` (zeroed, 16-byte aligned). `size` is a power of two. Indirect
    /// descriptors are used where `features` has them and `tables` gives memory and entries for each table.
    pub fn new(
        device: &mut dyn Transport,
        index: u16,
        size: u16,
        features: u64,
        memory: DmaMemory,
        tables: Option<(DmaMemory, u16)>,
        vector: Option<u16>,
    ) -> Result<Self, DeviceError> {
        assert!(
            size.is_power_of_two() && size <= 0x4000,
            "a queue's size is a power of two"
        );
        let (available, used, len) = layout(size);
        assert!(
            memory.len() >= len,
            "{len} bytes needed for a queue of {size}"
        );
        let addresses = QueueAddresses {
            descriptors: memory.physical(0),
            available: memory.physical(available),
            used: memory.physical(used),
        };
        let (tables, indirect_entries) = match tables {
            Some((tables, entries)) if features & feature::INDIRECT_DESC != 0 => {
                assert!(
                    tables.len() >= Self::tables_size(size, entries),
                    "tables too small"
                );
                (Some(tables), entries)
            }
            _ => (None, 0),
        };
        device.set_queue(index, size, addresses, vector)?;
        Ok(SplitQueue {
            index,
            size,
            memory,
            available,
            used,
            tables,
            indirect_entries,
            event_index: features & feature::EVENT_IDX != 0,
            next: (1..=size)
                .map(|next| if next == size { NONE } else { next })
                .collect(),
            tokens: vec![None; usize::from(size)],
            free_head: 0,
            free: size,
            available_index: 0,
            published_index: 0,
            used_index: 0,
        })
    }

    /// The queue's index in the device.
    pub fn index(&self) -> u16 {
        self.index
    }

    /// How many descriptors it has.
    pub fn size(&self) -> u16 {
        self.size
    }

    /// Whether nothing is in flight.
    pub fn is_idle(&self) -> bool {
        self.free == self.size
    }

    /// Whether requests of these numbers of pieces all fit now.
    pub fn has_room(&self, requests: &mut dyn Iterator<Item = usize>) -> bool {
        requests
            .map(|pieces| self.descriptors_for(pieces))
            .sum::<usize>()
            <= usize::from(self.free)
    }

    fn descriptors_for(&self, pieces: usize) -> usize {
        if pieces > 1 && pieces <= usize::from(self.indirect_entries) {
            1
        } else {
            pieces
        }
    }

    /// Adds a request; the device sees it after [`SplitQueue::publish`].
    pub fn push(&mut self, segments: &[Segment], token: u32) -> Result<(), QueueError> {
        debug_assert!(segments.is_sorted_by_key(|segment| segment.device_writes));
        let needed = self.descriptors_for(segments.len());
        let indirect = needed < segments.len();
        if needed == 0 || needed > usize::from(self.size) {
            return Err(QueueError::TooLong(segments.len()));
        }
        if needed > usize::from(self.free) {
            return Err(QueueError::Full);
        }
        let head = self.free_head;
        if indirect {
            self.push_indirect(segments, head);
        } else {
            let mut at = head;
            for (position, segment) in segments.iter().enumerate() {
                let next = self.next[usize::from(at)];
                let last = position + 1 == segments.len();
                write_descriptor(
                    &self.memory,
                    16 * usize::from(at),
                    segment,
                    (!last).then_some(next),
                );
                if last {
                    self.next[usize::from(at)] = NONE;
                    self.free_head = next;
                }
                at = next;
            }
            self.free -= needed as u16;
        }
        self.tokens[usize::from(head)] = Some(token);
        let slot = usize::from(self.available_index & (self.size - 1));
        self.memory
            .write_volatile(self.available + 4 + 2 * slot, head);
        self.available_index = self.available_index.wrapping_add(1);
        Ok(())
    }

    /// Writes the pieces into the table that belongs to descriptor `head` and makes that descriptor refer to it.
    fn push_indirect(&mut self, segments: &[Segment], head: u16) {
        let Some(tables) = &self.tables else { return };
        let start = 16 * usize::from(head) * usize::from(self.indirect_entries);
        for (position, segment) in segments.iter().enumerate() {
            let next = (position + 1 < segments.len()).then_some(position as u16 + 1);
            write_descriptor(tables, start + 16 * position, segment, next);
        }
        let at = 16 * usize::from(head);
        self.memory.write_volatile(at, tables.physical(start));
        self.memory
            .write_volatile(at + 8, 16 * segments.len() as u32);
        self.memory.write_volatile(at + 12, DESC_INDIRECT);
        self.free_head = self.next[usize::from(head)];
        self.next[usize::from(head)] = NONE;
        self.free -= 1;
    }

    /// Shows the device all requests pushed so far; whether it wants to be notified of them.
    #[must_use = "the device must be notified where this is true"]
    pub fn publish(&mut self) -> bool {
        let old = self.published_index;
        let new = self.available_index;
        if old == new {
            return false;
        }
        // The descriptors must be visible before the index that offers them.
        fence(Ordering::Release);
        self.memory.write_volatile(self.available + 2, new);
        self.published_index = new;
        // The index must be visible before we look whether the device still polls (section 2.6.13.4).
        fence(Ordering::SeqCst);
        if self.event_index {
            let event: u16 = self
                .memory
                .read_volatile(self.used + 4 + 8 * usize::from(self.size));
            new.wrapping_sub(event).wrapping_sub(1) < new.wrapping_sub(old)
        } else {
            self.memory.read_volatile::<u16>(self.used) & USED_NO_NOTIFY == 0
        }
    }

    /// Publishes and notifies.
    pub fn kick(&mut self, device: &dyn Transport) {
        if self.publish() {
            device.notify(self.index);
        }
    }

    /// Takes a request the device has finished.
    pub fn pop(&mut self) -> Result<Option<Used>, QueueError> {
        let index: u16 = self.memory.read_volatile(self.used + 2);
        if index == self.used_index {
            return Ok(None);
        }
        // The element must be read after the index that offers it.
        fence(Ordering::Acquire);
        let at = self.used + 4 + 8 * usize::from(self.used_index & (self.size - 1));
        let head: u32 = self.memory.read_volatile(at);
        let written: u32 = self.memory.read_volatile(at + 4);
        let token = self
            .tokens
            .get_mut(head as usize)
            .and_then(Option::take)
            .ok_or(QueueError::Bogus(head))?;
        self.used_index = self.used_index.wrapping_add(1);
        let mut last = head as u16;
        let mut count = 1;
        while self.next[usize::from(last)] != NONE {
            last = self.next[usize::from(last)];
            count += 1;
        }
        self.next[usize::from(last)] = self.free_head;
        self.free_head = head as u16;
        self.free += count;
        Ok(Some(Used { token, written }))
    }

    /// Asks for an interrupt with the next finished request. Returns true where one has finished meanwhile: look again.
    pub fn enable_interrupts(&mut self) -> bool {
        if self.event_index {
            self.memory.write_volatile(
                self.available + 4 + 2 * usize::from(self.size),
                self.used_index,
            );
        } else {
            self.memory.write_volatile(self.available, 0u16);
        }
        fence(Ordering::SeqCst);
        self.memory.read_volatile::<u16>(self.used + 2) != self.used_index
    }

    /// Asks for no interrupts (a hint): while the driver looks at the queue anyway.
    pub fn disable_interrupts(&mut self) {
        if self.event_index {
            // The entry before the next one: the device passes it only when the index wraps.
            let passed = self.used_index.wrapping_sub(1);
            let at = self.available + 4 + 2 * usize::from(self.size);
            self.memory.write_volatile(at, passed);
        } else {
            self.memory
                .write_volatile(self.available, AVAIL_NO_INTERRUPT);
        }
    }

    /// Whether [`SplitQueue::pop`] would give something.
    pub fn has_finished(&self) -> bool {
        self.memory.read_volatile::<u16>(self.used + 2) != self.used_index
    }
}

fn write_descriptor(memory: &DmaMemory, at: usize, segment: &Segment, next: Option<u16>) {
    let write = if segment.device_writes { DESC_WRITE } else { 0 };
    memory.write_volatile(at, segment.physical);
    memory.write_volatile(at + 8, segment.len);
    memory.write_volatile(at + 12, write | if next.is_some() { DESC_NEXT } else { 0 });
    memory.write_volatile(at + 14, next.unwrap_or(0));
}
