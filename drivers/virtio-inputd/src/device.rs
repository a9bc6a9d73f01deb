//! The queues: events from the device, lamps to it (virtio 1.1, sections 5.8.5 and 5.8.6).

use driver::dma::DmaMemory;
use input_event::producer::Change;
use input_event::{EV_SYN, SYN_REPORT};
use virtio::{DeviceError, QueueError, Segment, SplitQueue, Transport, negotiate, queue_size, start};

/// Bytes of `struct virtio_input_event`: type, code, value.
const EVENT: usize = 8;
const EVENT_QUEUE: u16 = 0;
const STATUS_QUEUE: u16 = 1;
/// Descriptors in each queue, at most.
const QUEUE_SIZE: u16 = 64;

/// Why the device cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// It does not do what virtio says.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// It returned nonsense.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// There is no memory.
    #[error("getting memory: {0}")]
    Memory(#[from] std::io::Error),
    /// An event has the wrong length.
    #[error("the device wrote {0} bytes as an event")]
    Length(u32),
}

/// A running device.
pub struct Device {
    transport: Box<dyn Transport>,
    events: SplitQueue,
    event_memory: DmaMemory,
    /// Lamps; some devices have no such queue.
    status: Option<(SplitQueue, DmaMemory)>,
    status_next: usize,
    /// What the device has sent of a group that is not complete.
    group: Vec<Change>,
}

/// More changes than this without an end are several groups.
const GROUP_MAX: usize = 256;

fn queue(
    transport: &mut dyn Transport,
    index: u16,
    features: u64,
    dma: &dyn Fn(usize) -> std::io::Result<DmaMemory>,
) -> Result<Option<(SplitQueue, DmaMemory)>, InputError> {
    let Ok(size) = queue_size(transport, index, QUEUE_SIZE) else { return Ok(None) };
    let memory = dma(SplitQueue::memory_size(size))?;
    let buffers = dma(EVENT * usize::from(size))?;
    let vector = (index == EVENT_QUEUE).then_some(0);
    Ok(Some((SplitQueue::new(transport, index, size, features, memory, None, vector)?, buffers)))
}

impl Device {
    /// Resets and starts the device. `dma` gives zeroed memory. What the device can do is asked in between, by `ask`.
    pub fn start<T>(
        mut transport: Box<dyn Transport>,
        dma: &dyn Fn(usize) -> std::io::Result<DmaMemory>,
        ask: impl FnOnce(&mut dyn Transport) -> T,
    ) -> Result<(Self, T), InputError> {
        let features = negotiate(&mut *transport, 0, 0)?;
        let answer = ask(&mut *transport);
        let (events, event_memory) = queue(&mut *transport, EVENT_QUEUE, features, dma)?.ok_or(DeviceError::NoQueue(EVENT_QUEUE))?;
        let status = queue(&mut *transport, STATUS_QUEUE, features, dma)?;
        start(&mut *transport);
        let mut device = Device { transport, events, event_memory, status, status_next: 0, group: Vec::new() };
        for place in 0..u32::from(device.events.size()) {
            device.offer(place)?;
        }
        device.events.kick(&*device.transport);
        Ok((device, answer))
    }

    fn offer(&mut self, place: u32) -> Result<(), QueueError> {
        let physical = self.event_memory.physical(place as usize * EVENT);
        self.events.push(&[Segment { physical, len: EVENT as u32, device_writes: true }], place)
    }

    /// The groups that have come since the last call, without the ends.
    pub fn take(&mut self) -> Result<Vec<Vec<Change>>, InputError> {
        let mut groups = Vec::new();
        loop {
            while let Some(used) = self.events.pop()? {
                if used.written as usize != EVENT {
                    return Err(InputError::Length(used.written));
                }
                let mut bytes = [0; EVENT];
                self.event_memory.read(used.token as usize * EVENT, &mut bytes);
                let word = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
                let change = (word(0), word(2), i32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]));
                self.offer(used.token)?;
                let ends = change.0 == EV_SYN && change.1 == SYN_REPORT;
                if change.0 != EV_SYN {
                    self.group.push(change);
                }
                if ends || self.group.len() >= GROUP_MAX {
                    groups.push(std::mem::take(&mut self.group));
                }
            }
            self.events.kick(&*self.transport);
            if !self.events.enable_interrupts() {
                return Ok(groups);
            }
        }
    }

    /// Sends a change to the device; it is dropped where the device is behind or takes none.
    pub fn send(&mut self, change: Change) -> Result<(), InputError> {
        let Some((queue, memory)) = &mut self.status else { return Ok(()) };
        while queue.pop()?.is_some() {}
        let size = usize::from(queue.size());
        let place = self.status_next % size;
        let mut bytes = [0; EVENT];
        bytes[..2].copy_from_slice(&change.0.to_le_bytes());
        bytes[2..4].copy_from_slice(&change.1.to_le_bytes());
        bytes[4..].copy_from_slice(&change.2.to_le_bytes());
        let segment = Segment { physical: memory.physical(place * EVENT), len: EVENT as u32, device_writes: false };
        match queue.push(&[segment], place as u32) {
            Ok(()) => {}
            Err(QueueError::Full) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        memory.write(place * EVENT, &bytes);
        self.status_next = (place + 1) % size;
        queue.kick(&*self.transport);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use input_event::code::{EV_LED, LED_CAPS_LOCK};
    use input_event::{EV_KEY, key};
    use virtio::sim::SimDevice;

    fn event(kind: u16, code: u16, value: i32) -> Vec<u8> {
        [&kind.to_le_bytes()[..], &code.to_le_bytes(), &value.to_le_bytes()].concat()
    }

    #[test]
    fn groups_come_whole_and_buffers_go_back() {
        let sim = SimDevice::new(0, vec![0; 136], &[64, 64]);
        let (mut device, ()) = Device::start(Box::new(sim.clone()), &|len| Ok(DmaMemory::heap(len)), |_| ()).unwrap();
        let give = |bytes: Vec<u8>| {
            let request = sim.take(0).unwrap();
            request.write(0, &bytes);
            sim.complete(0, request.head, bytes.len() as u32);
        };
        for round in 0..100 {
            give(event(EV_KEY, key::A, 1));
            assert_eq!(device.take().unwrap(), Vec::<Vec<Change>>::new(), "round {round}");
            give(event(EV_SYN, SYN_REPORT, 0));
            assert_eq!(device.take().unwrap(), [vec![(EV_KEY, key::A, 1)]]);
        }
        device.send((EV_LED, LED_CAPS_LOCK, 1)).unwrap();
        assert_eq!(sim.take(1).unwrap().input, event(EV_LED, LED_CAPS_LOCK, 1));
        let request = sim.take(0).unwrap();
        sim.complete(0, request.head, 3);
        assert!(matches!(device.take(), Err(InputError::Length(3))));
    }
}
