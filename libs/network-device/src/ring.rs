//! A ring with one producer and one consumer, in memory that both processes map.

use driver::dma::DmaMemory;
use std::sync::atomic::{Ordering, fence};

/// Entries of a ring: more than there are buffers, so that it is never full of honest ones.
pub const ENTRIES: u32 = 512;
/// Bytes of a ring.
pub const RING_BYTES: usize = 128 + 8 * ENTRIES as usize;
const HEAD: usize = 0;
const TAIL: usize = 64;
const SLOTS: usize = 128;

/// A buffer on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which buffer.
    pub buffer: u32,
    /// Bytes of its frame; 0 for an empty one.
    pub len: u32,
}

/// One side's view of a ring. The other side may write anything at any time: what comes out must be checked.
pub struct Ring {
    memory: DmaMemory,
    /// What this side has produced or consumed.
    own: u32,
}

impl Ring {
    /// A ring in `memory`, which begins with nothing in it.
    pub(crate) fn new(memory: DmaMemory) -> Self {
        Self { memory, own: 0 }
    }

    /// Empties it: for the side that owns the memory, before it tells the other of it.
    pub fn clear(&mut self) {
        self.memory.write_volatile(HEAD, 0u32);
        self.memory.write_volatile(TAIL, 0u32);
        self.own = 0;
    }

    /// Puts an entry in. False where the ring is full, which happens only when the other side cheats.
    pub fn push(&mut self, entry: Entry) -> bool {
        let tail: u32 = self.memory.read_volatile(TAIL);
        if self.own.wrapping_sub(tail) >= ENTRIES {
            return false;
        }
        let at = SLOTS + 8 * (self.own % ENTRIES) as usize;
        self.memory.write_volatile(at, entry.buffer);
        self.memory.write_volatile(at + 4, entry.len);
        // The entry, and the frame it stands for, must be visible before the index that offers it.
        fence(Ordering::Release);
        self.own = self.own.wrapping_add(1);
        self.memory.write_volatile(HEAD, self.own);
        true
    }

    /// Whether there is something to take.
    pub fn has_entries(&self) -> bool {
        (1..=ENTRIES).contains(&self.memory.read_volatile::<u32>(HEAD).wrapping_sub(self.own))
    }

    /// Takes an entry out.
    pub fn pop(&mut self) -> Option<Entry> {
        if !self.has_entries() {
            return None;
        }
        fence(Ordering::Acquire);
        let at = SLOTS + 8 * (self.own % ENTRIES) as usize;
        let entry = Entry { buffer: self.memory.read_volatile(at), len: self.memory.read_volatile(at + 4) };
        self.own = self.own.wrapping_add(1);
        self.memory.write_volatile(TAIL, self.own);
        Some(entry)
    }
}

/// The four rings, as one side sees them.
pub struct Rings {
    /// Received frames, from the driver.
    pub received: Ring,
    /// Buffers to receive into, from the stack.
    pub free: Ring,
    /// Frames to be sent, from the stack.
    pub to_send: Ring,
    /// Buffers to send from, from the driver.
    pub sent: Ring,
}
