//! The device: its control queue and its ports. Knows virtio (1.1, section 5.3), nothing of schemes.

use crate::port::Port;
use driver::dma::DmaMemory;
use std::collections::VecDeque;
use virtio::{
    Allocate, DeviceError, DriverError, QueueError, Segment, SplitQueue, Transport, negotiate,
    queue_size, read_config_consistent, start,
};

/// Feature: several ports, and the control queues (section 5.3.3).
pub const MULTIPORT: u64 = 1 << 1;

/// Control events (section 5.3.6.2).
pub mod event {
    /// To the device: the driver is ready.
    pub const DEVICE_READY: u16 = 0;
    /// From the device: there is a port.
    pub const DEVICE_ADD: u16 = 1;
    /// From the device: a port is gone.
    pub const DEVICE_REMOVE: u16 = 2;
    /// To the device: the port can be used.
    pub const PORT_READY: u16 = 3;
    /// Both ways: the other side has opened or closed the port.
    pub const PORT_OPEN: u16 = 6;
    /// From the device: the port's name follows.
    pub const PORT_NAME: u16 = 7;
}

/// The most ports we serve; a device may have up to 512.
const MAX_PORTS: u32 = 64;
/// Descriptors in each control queue.
const CONTROL_SIZE: u16 = 16;
/// Bytes of a control buffer: a message and a name.
const CONTROL_BYTES: usize = 512;
/// Bytes of a control message without a name.
const MESSAGE_BYTES: usize = 8;
const CONTROL_RECEIVE: u16 = 2;
const CONTROL_SEND: u16 = 3;

/// Something has changed on a port: readers and writers should look again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed(pub u32);

/// A console device with named ports.
pub struct Ports {
    device: Box<dyn Transport>,
    allocate: Allocate,
    ports: Vec<Option<Port>>,
    /// Queues are set up before the device starts, ports appear later.
    unused: Vec<Option<(SplitQueue, SplitQueue)>>,
    control_in: SplitQueue,
    control_in_memory: DmaMemory,
    control_out: SplitQueue,
    control_out_memory: DmaMemory,
    control_out_free: Vec<u16>,
    control_backlog: VecDeque<[u8; MESSAGE_BYTES]>,
}

/// The queues of a port: receive, send.
fn queues_of(port: u32) -> (u16, u16) {
    if port == 0 {
        (0, 1)
    } else {
        (2 * port as u16 + 2, 2 * port as u16 + 3)
    }
}

impl Ports {
    /// Resets the device and starts it; all queues raise MSI-X entry 0.
    pub fn start(mut device: Box<dyn Transport>, allocate: Allocate) -> Result<Self, DriverError> {
        let features = negotiate(&mut *device, MULTIPORT, virtio::feature::EVENT_IDX)?;
        let mut config = [0; 4];
        read_config_consistent(&*device, 4, &mut config);
        let by_queues = (u32::from(device.queue_count()) / 2).saturating_sub(1);
        let count = u32::from_le_bytes(config).min(by_queues).min(MAX_PORTS);

        // One allocation for all rings: each is small, and each allocation is a conversation with pcid.
        let most = CONTROL_SIZE
            .max(crate::port::RECEIVE_BUFFERS)
            .max(crate::port::SEND_BUFFERS);
        let ring_bytes = SplitQueue::memory_size(most).next_multiple_of(64);
        let rings = allocate(ring_bytes * (2 * count as usize + 2))?;
        let mut slices = (0..)
            .step_by(ring_bytes)
            .map_while(|offset| rings.slice(offset, ring_bytes));
        let mut make = |index: u16, want: u16| -> Result<SplitQueue, DriverError> {
            let size = queue_size(&mut *device, index, want)?;
            let memory = slices.next().ok_or(DeviceError::NoQueue(index))?;
            Ok(SplitQueue::new(
                &mut *device,
                index,
                size,
                features,
                memory,
                None,
                Some(0),
            )?)
        };
        let control_in = make(CONTROL_RECEIVE, CONTROL_SIZE)?;
        let control_out = make(CONTROL_SEND, CONTROL_SIZE)?;
        let mut unused = Vec::new();
        for port in 0..count {
            let (receive, send) = queues_of(port);
            let pair = (
                make(receive, crate::port::RECEIVE_BUFFERS)?,
                make(send, crate::port::SEND_BUFFERS)?,
            );
            unused.push(Some(pair));
        }
        let control_in_memory = allocate(CONTROL_BYTES * usize::from(CONTROL_SIZE))?;
        let control_out_memory = allocate(MESSAGE_BYTES * usize::from(CONTROL_SIZE))?;
        let mut ports = Ports {
            device,
            allocate,
            ports: (0..count).map(|_| None).collect(),
            unused,
            control_out_free: (0..control_out.size()).collect(),
            control_in,
            control_in_memory,
            control_out,
            control_out_memory,
            control_backlog: VecDeque::new(),
        };
        for index in 0..ports.control_in.size() {
            ports.post_control(index)?;
        }
        start(&mut *ports.device);
        ports.control_in.kick(&*ports.device);
        ports.send_control(0, event::DEVICE_READY, 1)?;
        Ok(ports)
    }

    /// The port with this number, if it is there.
    pub fn port(&mut self, id: u32) -> Option<&mut Port> {
        self.ports.get_mut(id as usize)?.as_mut()
    }

    /// The ports that have a name: number and name.
    pub fn named(&self) -> impl Iterator<Item = (u32, &str)> {
        let ports = (0..).zip(&self.ports);
        ports.filter_map(|(id, port)| Some((id, port.as_ref()?.name.as_deref()?)))
    }

    /// A program has opened or closed the port.
    pub fn set_open(&mut self, id: u32, is_open: bool) -> Result<(), DriverError> {
        let Some(port) = self.ports.get_mut(id as usize).and_then(Option::as_mut) else {
            return Ok(());
        };
        port.set_open(is_open, &*self.device)?;
        self.send_control(id, event::PORT_OPEN, u16::from(is_open))
    }

    /// Reads what a port has; see [`Port::read`].
    pub fn read(&mut self, id: u32, buffer: &mut [u8]) -> Result<Option<usize>, QueueError> {
        match self.ports.get_mut(id as usize).and_then(Option::as_mut) {
            Some(port) => port.read(buffer, &*self.device),
            // The device has taken the port away: the end.
            None => Ok(Some(0)),
        }
    }

    /// Writes as much as fits; see [`Port::write`].
    pub fn write(&mut self, id: u32, data: &[u8]) -> Result<Option<usize>, QueueError> {
        match self.ports.get_mut(id as usize).and_then(Option::as_mut) {
            Some(port) => port.write(data, &*self.device),
            None => Ok(Some(0)),
        }
    }

    /// Looks at all queues after an interrupt; the ports on which something has changed.
    pub fn interrupt(&mut self) -> Result<Vec<Changed>, DriverError> {
        let mut changed = Vec::new();
        loop {
            let mut again = false;
            while let Some(used) = self.control_out.pop()? {
                self.control_out_free.push(used.token as u16);
            }
            self.flush_control()?;
            while let Some(used) = self.control_in.pop()? {
                let index = used.token as u16;
                let mut message = vec![0; (used.written as usize).min(CONTROL_BYTES)];
                self.control_in_memory
                    .read(CONTROL_BYTES * usize::from(index), &mut message);
                self.post_control(index)?;
                self.on_control(&message, &mut changed)?;
            }
            self.control_in.kick(&*self.device);
            again |= self.control_in.enable_interrupts() | self.control_out.enable_interrupts();
            for (id, port) in (0..).zip(&mut self.ports) {
                if let Some(port) = port {
                    if port.collect()? {
                        changed.push(Changed(id));
                    }
                    again |= port.enable_interrupts();
                }
            }
            if !again {
                return Ok(changed);
            }
        }
    }

    fn on_control(&mut self, message: &[u8], changed: &mut Vec<Changed>) -> Result<(), DriverError> {
        let Some((head, rest)) = message.split_first_chunk::<MESSAGE_BYTES>() else {
            return Ok(());
        };
        let id = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
        let kind = u16::from_le_bytes([head[4], head[5]]);
        let value = u16::from_le_bytes([head[6], head[7]]);
        if id as usize >= self.ports.len() {
            tracing::warn!("the device speaks of port {id}, of {}", self.ports.len());
            return Ok(());
        }
        match kind {
            event::DEVICE_ADD => self.add(id)?,
            event::DEVICE_REMOVE => {
                if let Some(port) = self.ports[id as usize].take() {
                    tracing::info!(
                        "port {id} ({}) is gone",
                        port.name.as_deref().unwrap_or("unnamed")
                    );
                    self.unused[id as usize] = None;
                }
            }
            event::PORT_OPEN => {
                if let Some(port) = &mut self.ports[id as usize] {
                    port.set_host_open(value != 0);
                }
            }
            event::PORT_NAME => {
                if let Some(port) = &mut self.ports[id as usize] {
                    let end = rest
                        .iter()
                        .position(|byte| *byte == 0)
                        .unwrap_or(rest.len());
                    let name = String::from_utf8_lossy(&rest[..end]).into_owned();
                    // A slash would make it a path.
                    if !name.is_empty() && !name.contains('/') {
                        tracing::info!("port {id} is {name}");
                        port.name = Some(name);
                    }
                }
            }
            // Console ports, sizes: nothing for us.
            _ => {}
        }
        changed.push(Changed(id));
        Ok(())
    }

    fn add(&mut self, id: u32) -> Result<(), DriverError> {
        let Some((receive, send)) = self.unused[id as usize].take() else {
            return Ok(());
        };
        let port = Port::new(receive, send, &self.allocate, &*self.device)?;
        self.ports[id as usize] = Some(port);
        self.send_control(id, event::PORT_READY, 1)
    }

    fn post_control(&mut self, index: u16) -> Result<(), QueueError> {
        let physical = self
            .control_in_memory
            .physical(CONTROL_BYTES * usize::from(index));
        let segment = Segment {
            physical,
            len: CONTROL_BYTES as u32,
            device_writes: true,
        };
        self.control_in.push(&[segment], u32::from(index))
    }

    fn send_control(&mut self, id: u32, kind: u16, value: u16) -> Result<(), DriverError> {
        let [i0, i1, i2, i3] = id.to_le_bytes();
        let [[k0, k1], [v0, v1]] = [kind.to_le_bytes(), value.to_le_bytes()];
        self.control_backlog
            .push_back([i0, i1, i2, i3, k0, k1, v0, v1]);
        self.flush_control()
    }

    fn flush_control(&mut self) -> Result<(), DriverError> {
        while let (Some(message), Some(index)) =
            (self.control_backlog.front(), self.control_out_free.pop())
        {
            let offset = MESSAGE_BYTES * usize::from(index);
            self.control_out_memory.write(offset, message);
            let physical = self.control_out_memory.physical(offset);
            let segment = Segment {
                physical,
                len: MESSAGE_BYTES as u32,
                device_writes: false,
            };
            self.control_out.push(&[segment], u32::from(index))?;
            self.control_backlog.pop_front();
        }
        self.control_out.kick(&*self.device);
        Ok(())
    }
}

#[cfg(test)]
#[path = "ports_tests.rs"]
mod tests;
