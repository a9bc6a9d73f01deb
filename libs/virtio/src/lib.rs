//! Virtio 1.x for driver processes.
//!
//! * [`Transport`]: what a driver does to the device itself (status, features, queues, configuration); [`pci`] is the
//!   "modern" PCI transport (virtio 1.1, section 4.1), [`sim`] a simulated device for tests.
//! * [`SplitQueue`]: the split virtqueue (section 2.6), with indirect descriptors and event indices.
//! * [`negotiate`] and [`start`]: the initialisation sequence (section 3.1.1).
//!
//! The device is not trusted: what it writes into the rings is checked, and nonsense is an error, never memory corruption.

pub mod pci;
pub mod queue;
#[cfg(feature = "sim")]
pub mod sim;
mod transport;

/// Gives zeroed DMA memory of a size in bytes, for queues and buffers.
pub type Allocate = Box<dyn Fn(usize) -> std::io::Result<driver::dma::DmaMemory>>;

/// Why a driver cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// The device cannot be driven.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The device has broken a queue.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// No memory.
    #[error("allocating DMA memory: {0}")]
    Memory(#[from] std::io::Error),
}

pub use queue::{QueueError, Segment, SplitQueue, Used};
pub use transport::{
    DeviceError, QueueAddresses, Transport, feature, negotiate, read_config_consistent, reset,
    queue_size, start, status,
};
