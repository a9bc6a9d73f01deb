//! One port: a stream each way, through rings of buffers that the device fills and empties.

use driver::dma::DmaMemory;
use std::collections::VecDeque;
use virtio::{Allocate, DriverError, QueueError, Segment, SplitQueue, Transport};

/// Buffers for what comes in. QEMU fills one for each chunk it reads from its side, at most 4 KiB.
pub const RECEIVE_BUFFERS: u16 = 64;
const RECEIVE_BYTES: usize = 4096;
/// Buffers for what goes out.
pub const SEND_BUFFERS: u16 = 16;
const SEND_BYTES: usize = 16384;

/// What the device has put into a buffer and nobody has read.
struct Filled {
    buffer: u16,
    start: usize,
    end: usize,
}

/// A port of the device.
pub struct Port {
    /// Its name, once the device has told it.
    pub name: Option<String>,
    receive: SplitQueue,
    receive_memory: DmaMemory,
    filled: VecDeque<Filled>,
    send: SplitQueue,
    send_memory: DmaMemory,
    send_free: Vec<u16>,
    is_open: bool,
    is_host_open: bool,
    /// The host has gone since the last read that found nothing: one read gets the end of the stream, later ones wait for
    /// the next host.
    has_ended: bool,
}

impl Port {
    /// A port on its two queues.
    pub fn new(
        receive: SplitQueue,
        send: SplitQueue,
        allocate: &Allocate,
        device: &dyn Transport,
    ) -> Result<Self, DriverError> {
        let receive_memory = allocate(RECEIVE_BYTES * usize::from(receive.size()))?;
        let send_memory = allocate(SEND_BYTES * usize::from(send.size()))?;
        let mut port = Port {
            name: None,
            filled: VecDeque::new(),
            send_free: (0..send.size()).collect(),
            receive,
            receive_memory,
            send,
            send_memory,
            is_open: false,
            is_host_open: false,
            has_ended: false,
        };
        for buffer in 0..port.receive.size() {
            port.post(buffer)?;
        }
        port.receive.kick(device);
        Ok(port)
    }

    /// Whether a program has the port open.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// A program has opened or closed the port: what came before is not for it.
    pub fn set_open(&mut self, is_open: bool, device: &dyn Transport) -> Result<(), QueueError> {
        self.is_open = is_open;
        self.has_ended = false;
        self.collect()?;
        while let Some(filled) = self.filled.pop_front() {
            self.post(filled.buffer)?;
        }
        self.receive.kick(device);
        Ok(())
    }

    /// The host has opened or closed its side.
    pub fn set_host_open(&mut self, is_open: bool) {
        self.has_ended = self.is_host_open && !is_open;
        self.is_host_open = is_open;
    }

    /// Whether a read would not wait.
    pub fn is_readable(&self) -> bool {
        !self.filled.is_empty() || self.has_ended
    }

    /// Whether a write would not wait.
    pub fn is_writable(&self) -> bool {
        !self.send_free.is_empty()
    }

    /// Takes what the device has finished; whether there was something.
    pub fn collect(&mut self) -> Result<bool, QueueError> {
        let mut is_changed = false;
        while let Some(used) = self.receive.pop()? {
            let end = (used.written as usize).min(RECEIVE_BYTES);
            let buffer = used.token as u16;
            if self.is_open && end > 0 {
                self.filled.push_back(Filled {
                    buffer,
                    start: 0,
                    end,
                });
            } else {
                self.post(buffer)?;
            }
            is_changed = true;
        }
        while let Some(used) = self.send.pop()? {
            self.send_free.push(used.token as u16);
            is_changed = true;
        }
        Ok(is_changed)
    }

    /// Asks for interrupts; true where something has finished meanwhile.
    pub fn enable_interrupts(&mut self) -> bool {
        self.receive.enable_interrupts() | self.send.enable_interrupts()
    }

    /// Reads what is there. `None` where nothing is yet; 0 bytes once after the host has closed its side.
    pub fn read(
        &mut self,
        buffer: &mut [u8],
        device: &dyn Transport,
    ) -> Result<Option<usize>, QueueError> {
        self.collect()?;
        let mut done = 0;
        while done < buffer.len()
            && let Some(filled) = self.filled.front_mut()
        {
            let count = (buffer.len() - done).min(filled.end - filled.start);
            let at = RECEIVE_BYTES * usize::from(filled.buffer) + filled.start;
            self.receive_memory
                .read(at, &mut buffer[done..done + count]);
            done += count;
            filled.start += count;
            if filled.start == filled.end {
                let empty = filled.buffer;
                self.filled.pop_front();
                self.post(empty)?;
            }
        }
        self.receive.kick(device);
        if done > 0 || buffer.is_empty() {
            return Ok(Some(done));
        }
        Ok(std::mem::take(&mut self.has_ended).then_some(0))
    }

    /// Writes as much as there is room for. `None` where there is none: the host is slow.
    pub fn write(
        &mut self,
        data: &[u8],
        device: &dyn Transport,
    ) -> Result<Option<usize>, QueueError> {
        self.collect()?;
        let mut done = 0;
        while done < data.len()
            && let Some(buffer) = self.send_free.pop()
        {
            let count = (data.len() - done).min(SEND_BYTES);
            let at = SEND_BYTES * usize::from(buffer);
            self.send_memory.write(at, &data[done..done + count]);
            let physical = self.send_memory.physical(at);
            let segment = Segment {
                physical,
                len: count as u32,
                device_writes: false,
            };
            self.send.push(&[segment], u32::from(buffer))?;
            done += count;
        }
        self.send.kick(device);
        Ok((done > 0 || data.is_empty()).then_some(done))
    }

    fn post(&mut self, buffer: u16) -> Result<(), QueueError> {
        let physical = self
            .receive_memory
            .physical(RECEIVE_BYTES * usize::from(buffer));
        let segment = Segment {
            physical,
            len: RECEIVE_BYTES as u32,
            device_writes: true,
        };
        self.receive.push(&[segment], u32::from(buffer))
    }
}
