//! Where what lies in the shared region.

use crate::ring::{RING_BYTES, Ring, Rings};
use driver::dma::DmaMemory;
use net_abi::Counters;
use std::sync::atomic::{Ordering, fence};

/// Buffers in each direction.
pub const BUFFERS: u32 = 256;
/// Bytes of a buffer: a header of the driver's, and a frame.
pub const BUFFER_BYTES: usize = 2048;
/// Bytes at the start of each buffer that are the driver's (virtio's header takes 12; the frame's payload is aligned so).
pub const HEADER_BYTES: usize = 18;
/// Longest frame, with its Ethernet header.
pub const MOST_FRAME: usize = BUFFER_BYTES - HEADER_BYTES;

const PAGE: usize = 4096;
const RINGS_AT: usize = PAGE;
const BUFFERS_AT: usize = RINGS_AT + (4 * RING_BYTES).next_multiple_of(PAGE);
/// Bytes of the whole region.
pub const REGION_BYTES: usize = BUFFERS_AT + 2 * BUFFERS as usize * BUFFER_BYTES;

const MAGIC: u32 = 0x3146_4e47;
const MAGIC_AT: usize = 0;
const MTU_AT: usize = 4;
const MAC_AT: usize = 8;
const UP_AT: usize = 16;
const STATISTICS_AT: usize = 64;
const DRIVER_SLEEPS_AT: usize = 256;
const STACK_SLEEPS_AT: usize = 320;

/// What a driver says of its interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its hardware address.
    pub mac: [u8; 6],
    /// Most bytes of a packet without the Ethernet header.
    pub mtu: u32,
    /// A cable is plugged in, so to speak.
    pub is_up: bool,
}

/// Who sleeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The driver.
    Driver,
    /// The network stack.
    Stack,
}

impl Side {
    const fn at(self) -> usize {
        match self {
            Side::Driver => DRIVER_SLEEPS_AT,
            Side::Stack => STACK_SLEEPS_AT,
        }
    }
}

/// The shared region.
#[derive(Clone)]
pub struct Region(DmaMemory);

impl Region {
    /// A region in memory of at least [`REGION_BYTES`].
    ///
    /// # Panics
    /// Where the memory is smaller: an error of the caller.
    pub fn new(memory: DmaMemory) -> Self {
        assert!(memory.len() >= REGION_BYTES, "a region has {REGION_BYTES} bytes");
        Self(memory)
    }

    /// The memory.
    pub fn memory(&self) -> &DmaMemory {
        &self.0
    }

    /// Whether a driver has described itself here.
    pub fn is_valid(&self) -> bool {
        self.0.read_volatile::<u32>(MAGIC_AT) == MAGIC
    }

    /// Where a buffer's frame begins; 0 to [`BUFFERS`] are for receiving, as many more for sending. `None` for a number that there is not.
    pub fn frame_at(&self, buffer: u32) -> Option<usize> {
        (buffer < 2 * BUFFERS).then(|| BUFFERS_AT + buffer as usize * BUFFER_BYTES + HEADER_BYTES)
    }

    /// The rings as one side sees them.
    pub fn rings(&self) -> Rings {
        let ring = |index: usize| {
            let memory = self.0.slice(RINGS_AT + index * RING_BYTES, RING_BYTES);
            Ring::new(memory.expect("rings lie within the region"))
        };
        Rings { received: ring(0), free: ring(1), to_send: ring(2), sent: ring(3) }
    }

    /// Tells what the interface is.
    pub fn describe(&self, interface: &Interface) {
        self.0.write(MAC_AT, &interface.mac);
        self.0.write_volatile(MTU_AT, interface.mtu);
        self.set_up(interface.is_up);
        fence(Ordering::Release);
        self.0.write_volatile(MAGIC_AT, MAGIC);
    }

    /// Tells whether the link is up.
    pub fn set_up(&self, is_up: bool) {
        self.0.write_volatile(UP_AT, u32::from(is_up));
    }

    /// What the interface is.
    pub fn interface(&self) -> Interface {
        let mut mac = [0; 6];
        self.0.read(MAC_AT, &mut mac);
        Interface { mac, mtu: self.0.read_volatile(MTU_AT), is_up: self.0.read_volatile::<u32>(UP_AT) != 0 }
    }

    /// Publishes the counters.
    pub fn set_statistics(&self, it: &Counters) {
        let words = [it.received_packets, it.received_bytes, it.received_dropped, it.sent_packets, it.sent_bytes, it.sent_errors];
        for (index, word) in words.into_iter().enumerate() {
            self.0.write_volatile(STATISTICS_AT + 8 * index, word);
        }
    }

    /// The counters.
    pub fn statistics(&self) -> Counters {
        let word = |index: usize| self.0.read_volatile::<u64>(STATISTICS_AT + 8 * index);
        Counters {
            received_packets: word(0),
            received_bytes: word(1),
            received_dropped: word(2),
            sent_packets: word(3),
            sent_bytes: word(4),
            sent_errors: word(5),
        }
    }

    /// Says that a side is about to sleep, or is awake. After saying so it must look once more.
    pub fn set_sleeping(&self, side: Side, sleeps: bool) {
        self.0.write_volatile(side.at(), u32::from(sleeps));
        // The word must be visible before we look again for work; the other side puts work in before it looks at the word.
        fence(Ordering::SeqCst);
    }

    /// Whether a side sleeps, so that it must be woken for what was just put into a ring.
    pub fn sleeps(&self, side: Side) -> bool {
        fence(Ordering::SeqCst);
        self.0.read_volatile::<u32>(side.at()) != 0
    }
}
