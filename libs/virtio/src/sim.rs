//! A simulated device: the device's side of [`Transport`] and of the queues, over ordinary memory whose physical address is
//! its virtual one ([`driver::dma::DmaMemory::heap`]).

use crate::transport::{DeviceError, QueueAddresses, Transport, feature, status};
use std::sync::{Arc, Mutex, MutexGuard};

/// A device shared between the driver (which holds a clone as its [`Transport`]) and the test.
#[derive(Clone)]
pub struct SimDevice(Arc<Mutex<State>>);

/// The device's state.
pub struct State {
    /// Features offered.
    pub features: u64,
    /// Features the driver chose.
    pub driver_features: u64,
    /// Device status.
    pub status: u8,
    /// Device-specific configuration.
    pub config: Vec<u8>,
    /// Queues.
    pub queues: Vec<SimQueue>,
    /// Notifications received, by queue.
    pub notified: Vec<u16>,
    /// How often the device was reset.
    pub resets: u32,
}

/// A queue as the device sees it.
#[derive(Clone, Default)]
pub struct SimQueue {
    max_size: u16,
    size: u16,
    addresses: Option<QueueAddresses>,
    taken: u16,
    used: u16,
}

/// A request taken from a queue.
#[derive(Clone, Debug)]
pub struct Request {
    /// The head descriptor, for [`SimDevice::complete`].
    pub head: u16,
    /// What the driver wrote.
    pub input: Vec<u8>,
    /// Where the device may write: address and length.
    pub output: Vec<(u64, u32)>,
}

impl Request {
    /// Room for output in bytes.
    pub fn room(&self) -> usize {
        self.output.iter().map(|(_, len)| *len as usize).sum()
    }

    /// Writes output from `offset` on.
    pub fn write(&self, mut offset: usize, mut data: &[u8]) {
        for (address, len) in &self.output {
            let len = *len as usize;
            if offset >= len {
                offset -= len;
                continue;
            }
            let count = data.len().min(len - offset);
            // SAFETY: test drivers describe memory of their own process, alive while the request is in flight.
            unsafe {
                std::ptr::copy_nonoverlapping(
                    data.as_ptr(),
                    (*address as usize + offset) as *mut u8,
                    count,
                )
            };
            data = &data[count..];
            offset = 0;
        }
        assert!(data.is_empty(), "the driver gave too little room");
    }
}

fn load<T: Copy>(address: u64) -> T {
    // SAFETY: rings and descriptors lie in `DmaMemory::heap` memory of the test; reads are within the layout of the queue.
    unsafe { (address as *const T).read_volatile() }
}

fn store<T>(address: u64, value: T) {
    // SAFETY: as for `load`.
    unsafe { (address as *mut T).write_volatile(value) }
}

impl SimDevice {
    /// A device with queues of these sizes.
    pub fn new(features: u64, config: Vec<u8>, queues: &[u16]) -> Self {
        let queues = queues
            .iter()
            .map(|max_size| SimQueue {
                max_size: *max_size,
                ..Default::default()
            })
            .collect();
        SimDevice(Arc::new(Mutex::new(State {
            features: features | feature::VERSION_1,
            driver_features: 0,
            status: 0,
            config,
            queues,
            notified: Vec::new(),
            resets: 0,
        })))
    }

    /// The state, for assertions.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Takes the next request the driver has published.
    pub fn take(&self, queue: u16) -> Option<Request> {
        let mut state = self.state();
        let event_index = state.driver_features & feature::EVENT_IDX != 0;
        let queue = &mut state.queues[usize::from(queue)];
        let addresses = queue.addresses?;
        let published: u16 = load(addresses.available + 2);
        if published == queue.taken {
            return None;
        }
        let slot = u64::from(queue.taken % queue.size);
        let head: u16 = load(addresses.available + 4 + 2 * slot);
        queue.taken = queue.taken.wrapping_add(1);
        if event_index {
            store(addresses.used + 4 + 8 * u64::from(queue.size), queue.taken);
        }
        let mut request = Request {
            head,
            input: Vec::new(),
            output: Vec::new(),
        };
        walk(addresses.descriptors, head, &mut request);
        Some(request)
    }

    /// Returns a request.
    pub fn complete(&self, queue: u16, head: u16, written: u32) {
        let mut state = self.state();
        let queue = &mut state.queues[usize::from(queue)];
        let addresses = queue.addresses.expect("queue is set up");
        let at = addresses.used + 4 + 8 * u64::from(queue.used % queue.size);
        store(at, u32::from(head));
        store(at + 4, written);
        queue.used = queue.used.wrapping_add(1);
        store(addresses.used + 2, queue.used);
    }
}

/// Collects a chain of descriptors, through indirect tables.
fn walk(table: u64, head: u16, request: &mut Request) {
    let mut index = head;
    loop {
        let at = table + 16 * u64::from(index);
        let (address, len): (u64, u32) = (load(at), load(at + 8));
        let (flags, next): (u16, u16) = (load(at + 12), load(at + 14));
        if flags & 4 != 0 {
            walk(address, 0, request);
        } else if flags & 2 != 0 {
            request.output.push((address, len));
        } else {
            assert!(request.output.is_empty(), "readable pieces come first");
            request
                .input
                .extend((0..u64::from(len)).map(|offset| load::<u8>(address + offset)));
        }
        if flags & 1 == 0 {
            return;
        }
        index = next;
    }
}

impl Transport for SimDevice {
    fn device_features(&mut self) -> u64 {
        self.state().features
    }
    fn set_driver_features(&mut self, features: u64) {
        self.state().driver_features = features;
    }
    fn status(&self) -> u8 {
        self.state().status
    }
    fn set_status(&mut self, value: u8) {
        let mut state = self.state();
        if value == 0 {
            state.resets += 1;
            for queue in &mut state.queues {
                *queue = SimQueue {
                    max_size: queue.max_size,
                    ..Default::default()
                };
            }
        }
        state.status = value;
        if state.driver_features & !state.features != 0 {
            state.status &= !status::FEATURES_OK;
        }
    }
    fn queue_count(&self) -> u16 {
        self.state().queues.len() as u16
    }
    fn queue_max_size(&mut self, queue: u16) -> u16 {
        self.state()
            .queues
            .get(usize::from(queue))
            .map_or(0, |queue| queue.max_size)
    }
    fn set_queue(
        &mut self,
        queue: u16,
        size: u16,
        addresses: QueueAddresses,
        _vector: Option<u16>,
    ) -> Result<(), DeviceError> {
        let mut state = self.state();
        let target = state
            .queues
            .get_mut(usize::from(queue))
            .ok_or(DeviceError::NoQueue(queue))?;
        if size > target.max_size {
            return Err(DeviceError::NoQueue(queue));
        }
        target.size = size;
        target.addresses = Some(addresses);
        Ok(())
    }
    fn notify(&self, queue: u16) {
        self.state().notified.push(queue);
    }
    fn read_config(&self, offset: usize, buffer: &mut [u8]) {
        let state = self.state();
        for (at, byte) in (offset..).zip(buffer) {
            *byte = state.config.get(at).copied().unwrap_or(0);
        }
    }
    fn write_config(&mut self, offset: usize, bytes: &[u8]) {
        let mut state = self.state();
        for (at, byte) in (offset..).zip(bytes) {
            if let Some(target) = state.config.get_mut(at) {
                *target = *byte;
            }
        }
    }
    fn set_config_vector(&mut self, _: u16) -> Result<(), DeviceError> {
        Ok(())
    }
    fn config_generation(&self) -> u8 {
        0
    }
}
