//! The device and its two queues.

use driver::dma::DmaMemory;
use net_abi::Counters;
use network_device::{BUFFERS, Entry, Interface, MOST_FRAME, REGION_BYTES, Region, Rings, Side};
use std::io;
use virtio::{DriverError, Segment, SplitQueue, Transport, negotiate, queue_size, read_config_consistent, start};

/// Gives zeroed DMA memory of a size in bytes.
type Allocate<'a> = &'a dyn Fn(usize) -> io::Result<DmaMemory>;

/// Features of network devices (section 5.1.3).
mod feature {
    pub const MTU: u64 = 1 << 3;
    pub const MAC: u64 = 1 << 5;
    pub const STATUS: u64 = 1 << 16;
}

const RECEIVE: u16 = 0;
const SEND: u16 = 1;
/// Bytes of `struct virtio_net_hdr_v1`, before each frame. All zero for a frame without offloads.
const HEADER: usize = 12;
/// Bytes of an Ethernet header.
const ETHERNET: usize = 14;
/// The configuration's fields (section 5.1.4).
const MAC_AT: usize = 0;
const STATUS_AT: usize = 6;
const MTU_AT: usize = 10;
const LINK_UP: u8 = 1;
/// What Ethernet carries.
const DEFAULT_MTU: u32 = 1500;

/// Who has a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holder {
    Driver,
    Device,
    Stack,
}

/// A running device.
pub struct Nic {
    transport: Box<dyn Transport>,
    receive: SplitQueue,
    send: SplitQueue,
    region: Region,
    rings: Rings,
    holders: Vec<Holder>,
    statistics: Counters,
    features: u64,
    has_client: bool,
    /// The stack must hear of what was put into its rings.
    has_news: bool,
}

fn queue(device: &mut dyn Transport, index: u16, features: u64, allocate: Allocate<'_>, vector: Option<u16>) -> Result<SplitQueue, DriverError> {
    let size = queue_size(device, index, BUFFERS as u16)?;
    let memory = allocate(SplitQueue::memory_size(size))?;
    Ok(SplitQueue::new(device, index, size, features, memory, None, vector)?)
}

impl Nic {
    /// Resets and starts the device. `vectors`: the interrupts of the queues, and of changes of the link.
    pub fn start(mut transport: Box<dyn Transport>, allocate: Allocate<'_>, vectors: Option<(u16, u16)>) -> Result<Self, DriverError> {
        let wanted = feature::MAC | feature::STATUS | feature::MTU | virtio::feature::EVENT_IDX;
        let features = negotiate(&mut *transport, 0, wanted)?;
        let mut receive = queue(&mut *transport, RECEIVE, features, allocate, vectors.map(|(queues, _)| queues))?;
        let mut send = queue(&mut *transport, SEND, features, allocate, vectors.map(|(queues, _)| queues))?;
        if let Some((_, changes)) = vectors {
            transport.set_config_vector(changes)?;
        }
        receive.disable_interrupts();
        send.disable_interrupts();
        let region = Region::new(allocate(REGION_BYTES)?);
        let rings = region.rings();
        start(&mut *transport);
        let mut nic = Self {
            transport,
            receive,
            send,
            region,
            rings,
            holders: vec![Holder::Driver; 2 * BUFFERS as usize],
            statistics: Counters::default(),
            features,
            has_client: false,
            has_news: false,
        };
        nic.region.describe(&nic.read_interface());
        nic.reset_rings();
        nic.refill()?;
        Ok(nic)
    }

    fn read_interface(&self) -> Interface {
        let device = &*self.transport;
        let mut mac = [0; 6];
        if self.features & feature::MAC != 0 {
            read_config_consistent(device, MAC_AT, &mut mac);
        } else {
            // One of the locally administered addresses.
            mac = [0x52, 0x54, 0, 0, 0, 1];
        }
        let mut mtu = [0; 2];
        read_config_consistent(device, MTU_AT, &mut mtu);
        let told = u32::from(u16::from_le_bytes(mtu));
        let mtu = if self.features & feature::MTU != 0 { told } else { DEFAULT_MTU };
        Interface { mac, mtu: mtu.clamp(68, (MOST_FRAME - ETHERNET) as u32), is_up: self.is_up() }
    }

    fn is_up(&self) -> bool {
        let mut status = [LINK_UP];
        if self.features & feature::STATUS != 0 {
            read_config_consistent(&*self.transport, STATUS_AT, &mut status);
        }
        status[0] & LINK_UP != 0
    }

    /// What the interface is.
    pub fn interface(&self) -> Interface {
        self.region.interface()
    }

    /// Its counters.
    pub fn statistics(&self) -> Counters {
        self.statistics
    }

    /// The memory to be shared.
    pub fn memory(&self) -> &DmaMemory {
        self.region.memory()
    }

    /// A stack comes, or goes: what the last one had is taken back. Its mapping may outlive it, so nothing in the region is trusted.
    pub fn set_client(&mut self, is_there: bool) {
        self.has_client = is_there;
        self.reset_rings();
        // Those of the last one that the device still has come back to the driver as they are done.
        for holder in &mut self.holders {
            if *holder == Holder::Stack {
                *holder = Holder::Driver;
            }
        }
        if is_there {
            for buffer in BUFFERS..2 * BUFFERS {
                if self.holders[buffer as usize] == Holder::Driver {
                    self.give_back(buffer);
                }
            }
        }
    }

    fn reset_rings(&mut self) {
        self.region.set_sleeping(Side::Stack, false);
        for ring in [&mut self.rings.received, &mut self.rings.free, &mut self.rings.to_send, &mut self.rings.sent] {
            ring.clear();
        }
    }

    fn give_back(&mut self, buffer: u32) {
        if self.rings.sent.push(Entry { buffer, len: 0 }) {
            self.holders[buffer as usize] = Holder::Stack;
        }
    }

    fn segment(&self, buffer: u32, len: usize, device_writes: bool) -> Option<Segment> {
        let at = self.region.frame_at(buffer)? - HEADER;
        Some(Segment { physical: self.region.memory().physical(at), len: (HEADER + len) as u32, device_writes })
    }

    /// Gives the device every buffer to receive into that the driver has.
    fn refill(&mut self) -> Result<(), DriverError> {
        while let Some(Entry { buffer, .. }) = self.rings.free.pop() {
            if buffer < BUFFERS && self.holders[buffer as usize] == Holder::Stack {
                self.holders[buffer as usize] = Holder::Driver;
            }
        }
        for buffer in 0..BUFFERS {
            if self.holders[buffer as usize] != Holder::Driver || !self.receive.has_room(&mut std::iter::once(1)) {
                continue;
            }
            if let Some(segment) = self.segment(buffer, MOST_FRAME, true) {
                self.receive.push(&[segment], buffer)?;
                self.holders[buffer as usize] = Holder::Device;
            }
        }
        self.receive.kick(&*self.transport);
        Ok(())
    }

    /// Does what there is to do; whether there was something.
    pub fn work(&mut self) -> Result<bool, DriverError> {
        let mut is_busy = false;
        while let Some(used) = self.receive.pop()? {
            is_busy = true;
            let Some(holder) = self.holders.get_mut(used.token as usize) else {
                continue;
            };
            *holder = Holder::Driver;
            let len = (used.written as usize).saturating_sub(HEADER).min(MOST_FRAME);
            let entry = Entry { buffer: used.token, len: len as u32 };
            if self.has_client && len >= ETHERNET && self.rings.received.push(entry) {
                *holder = Holder::Stack;
                self.has_news = true;
                self.statistics.received_packets += 1;
                self.statistics.received_bytes += len as u64;
            } else {
                self.statistics.received_dropped += 1;
            }
        }
        let was_crowded = !self.send.has_room(&mut std::iter::once(usize::from(self.send.size() / 2)));
        while let Some(used) = self.send.pop()? {
            let Some(holder) = self.holders.get_mut(used.token as usize) else {
                continue;
            };
            *holder = Holder::Driver;
            if self.has_client {
                self.give_back(used.token);
                // It may have none left.
                self.has_news |= was_crowded;
            }
        }
        is_busy |= self.transmit()?;
        if is_busy || self.rings.free.has_entries() {
            self.refill()?;
            self.region.set_statistics(&self.statistics);
        }
        Ok(is_busy)
    }

    /// Hands the device what the stack sends, as far as there is room.
    fn transmit(&mut self) -> Result<bool, DriverError> {
        let mut is_busy = false;
        while self.send.has_room(&mut std::iter::once(1))
            && let Some(Entry { buffer, len }) = self.rings.to_send.pop()
        {
            let is_good = (BUFFERS..2 * BUFFERS).contains(&buffer)
                && self.holders[buffer as usize] == Holder::Stack
                && (ETHERNET..=MOST_FRAME).contains(&(len as usize));
            let segment = self.segment(buffer, len as usize, false).filter(|_| is_good);
            let Some(segment) = segment else {
                self.statistics.sent_errors += 1;
                continue;
            };
            is_busy = true;
            if let Some(at) = self.region.frame_at(buffer) {
                self.region.memory().write(at - HEADER, &[0; HEADER]);
            }
            self.send.push(&[segment], buffer)?;
            self.holders[buffer as usize] = Holder::Device;
            self.statistics.sent_packets += 1;
            self.statistics.sent_bytes += u64::from(len);
        }
        self.send.kick(&*self.transport);
        Ok(is_busy)
    }

    /// Whether the stack sleeps and there is something for it; asked for once.
    pub fn take_news(&mut self) -> bool {
        core::mem::take(&mut self.has_news) && self.has_client && self.region.sleeps(Side::Stack)
    }

    /// The device says that its configuration has changed: only the link's state can.
    pub fn look_at_link(&mut self) {
        self.region.set_up(self.is_up());
        self.has_news = true;
    }

    /// Asks for interrupts; false where there is something to do already.
    pub fn prepare_to_sleep(&mut self) -> bool {
        self.region.set_sleeping(Side::Driver, true);
        let mut is_busy = self.receive.enable_interrupts();
        // Sent buffers are looked for when there is other work, unless many are under way.
        if !self.send.has_room(&mut std::iter::once(usize::from(self.send.size() / 2))) {
            is_busy |= self.send.enable_interrupts();
        }
        let can_send = self.send.has_room(&mut std::iter::once(1));
        !(is_busy || self.rings.to_send.has_entries() && can_send)
    }

    /// The driver is awake and needs no interrupts.
    pub fn wake_up(&mut self) {
        self.region.set_sleeping(Side::Driver, false);
        self.receive.disable_interrupts();
        self.send.disable_interrupts();
    }
}
