//! `PACKET_RX_RING` (`packet(7)`, Linux's `Documentation/networking/packet_mmap.rst`): frames in memory that the program has mapped.
//!
//! The memory is a row of slots, each with a header whose status says whose it is. The kernel fills the next one if it is its own; the
//! program gives it back. The program may write anything anywhere: of what is in there the kernel reads the status alone.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::arrival::{ADDRESS_BYTES, Arrival, ETHERNET, View};
use super::Kind;
use crate::error::*;
use crate::mm::PAGE;
use crate::mm::pages::Pages;

/// Slots and their parts begin at multiples of this (`TPACKET_ALIGNMENT`).
const ALIGNMENT: usize = 16;
/// Bytes of the header of both versions, with what fills it up.
const HEADER: usize = 32;
/// With the address behind it.
const HEAD: usize = HEADER + ADDRESS_BYTES;
/// Largest memory, bytes.
const MOST: usize = 256 << 20;
/// `TP_STATUS_*`
const KERNEL: u32 = 0;
const USER: u32 = 1;
const COPY: u32 = 1 << 1;
const LOSING: u32 = 1 << 2;
const SOFTWARE_TIME: u32 = 1 << 29;

/// `PACKET_VERSION`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// `TPACKET_V1`: times in microseconds, a status of eight bytes.
    #[default]
    One,
    /// `TPACKET_V2`: times in nanoseconds.
    Two,
}

impl Version {
    /// By its number; `None` for one that there is not.
    pub const fn of(number: u32) -> Option<Self> {
        match number {
            0 => Some(Self::One),
            1 => Some(Self::Two),
            _ => None,
        }
    }

    /// Its number.
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// `PACKET_HDRLEN`: bytes of the header, the same in both.
    pub const fn header_len(self) -> usize {
        HEADER
    }
}

/// `struct tpacket_req`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Bytes of a block, in which slots lie that do not reach into the next one.
    pub block_size: u32,
    /// Blocks.
    pub blocks: u32,
    /// Bytes of a slot.
    pub slot_size: u32,
    /// Slots.
    pub slots: u32,
}

/// A ring.
pub struct Ring {
    memory: Arc<Pages>,
    version: Version,
    shape: Shape,
    reserve: usize,
    kind: Kind,
    next: u32,
    /// Frames were lost since the last that found a slot.
    is_losing: bool,
}

impl Ring {
    /// An empty one.
    ///
    /// # Errors
    /// `EINVAL` for a shape that is none, `ENOMEM`.
    pub fn new(version: Version, shape: Shape, reserve: u32, kind: Kind) -> Result<Self> {
        let block = shape.block_size as usize;
        let slot = shape.slot_size as usize;
        let least = HEAD.checked_add(reserve as usize).ok_or(EINVAL)?;
        if block == 0 || block % PAGE != 0 || (block as i32) <= 0 || slot < least || slot % ALIGNMENT != 0 || shape.blocks == 0 {
            return Err(EINVAL);
        }
        let slots = (block / slot).checked_mul(shape.blocks as usize).filter(|slots| *slots > 0 && *slots == shape.slots as usize);
        slots.ok_or(EINVAL)?;
        let bytes = block.checked_mul(shape.blocks as usize).filter(|bytes| *bytes <= MOST).ok_or(ENOMEM)?;
        Ok(Self { memory: Pages::new(bytes)?, version, shape, reserve: reserve as usize, kind, next: 0, is_losing: false })
    }

    /// What the program maps: all of it.
    ///
    /// # Errors
    /// `EINVAL` for a part.
    pub fn memory(&self, offset: u64, len: u64) -> Result<Arc<Pages>> {
        let whole = self.shape.block_size as usize * self.shape.blocks as usize;
        if offset == 0 && len == whole as u64 { Ok(self.memory.clone()) } else { Err(EINVAL) }
    }

    /// Whether a program has it mapped, or keeps it.
    pub fn is_mapped(&self) -> bool {
        Arc::strong_count(&self.memory) > 1
    }

    /// Where a slot begins.
    fn at(&self, slot: u32) -> usize {
        let in_block = self.shape.block_size / self.shape.slot_size;
        (slot / in_block) as usize * self.shape.block_size as usize + (slot % in_block) as usize * self.shape.slot_size as usize
    }

    /// Whether the frame that came last has not been taken yet.
    pub fn has_frames(&self) -> bool {
        let last = self.next.checked_sub(1).unwrap_or(self.shape.slots - 1);
        self.memory.load(self.at(last)) != KERNEL
    }

    /// Puts in what a filter let pass of a frame; false where there is no room.
    pub fn put(&mut self, arrival: &Arrival<'_>, view: &View<'_>, passed: usize, at_ns: i64) -> bool {
        let slot = self.at(self.next);
        if self.memory.load(slot) != KERNEL {
            self.is_losing = true;
            return false;
        }
        // The packet begins at an aligned place, its link's header before it.
        let (mac, network) = if self.kind == Kind::Raw {
            let network = (HEAD + ETHERNET.max(16)).next_multiple_of(ALIGNMENT) + self.reserve;
            (network - ETHERNET, network)
        } else {
            let network = HEAD.next_multiple_of(ALIGNMENT) + 16 + self.reserve;
            (network, network)
        };
        let room = (self.shape.slot_size as usize).saturating_sub(mac);
        let shown = passed.min(room);
        self.memory.write(slot + mac, &view.bytes[..shown]);
        let address_at = slot + HEADER;
        self.memory.write(address_at, &arrival.address().to_bytes());
        let (seconds, ns) = ((at_ns / 1_000_000_000) as u32, (at_ns % 1_000_000_000) as u32);
        let mut status = USER | SOFTWARE_TIME;
        if shown < passed {
            status |= COPY;
        }
        if core::mem::take(&mut self.is_losing) {
            status |= LOSING;
        }
        let mut rest = Vec::with_capacity(HEADER);
        let fraction = match self.version {
            Version::One => {
                // The status's upper half.
                rest.extend_from_slice(&0u32.to_le_bytes());
                ns / 1000
            }
            Version::Two => ns,
        };
        for word in [view.bytes.len() as u32, shown as u32, (mac as u32) | (network as u32) << 16, seconds, fraction] {
            rest.extend_from_slice(&word.to_le_bytes());
        }
        self.memory.write(slot + 4, &rest);
        // What was written is there for whoever sees this.
        self.memory.store(slot, status);
        self.next = (self.next + 1) % self.shape.slots;
        true
    }
}
