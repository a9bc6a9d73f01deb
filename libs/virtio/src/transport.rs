//! What a driver does to the device itself.

use std::io;
use std::time::{Duration, Instant};

/// Bits of the device status (virtio 1.1, section 2.1).
pub mod status {
    /// The driver has found the device.
    pub const ACKNOWLEDGE: u8 = 1;
    /// The driver knows how to drive it.
    pub const DRIVER: u8 = 2;
    /// The driver is ready.
    pub const DRIVER_OK: u8 = 4;
    /// Features are negotiated.
    pub const FEATURES_OK: u8 = 8;
    /// The device has met an error it cannot recover from.
    pub const NEEDS_RESET: u8 = 64;
    /// The driver has given up.
    pub const FAILED: u8 = 128;
}

/// Feature bits common to all devices (section 6).
pub mod feature {
    /// Descriptors may refer to tables of descriptors.
    pub const INDIRECT_DESC: u64 = 1 << 28;
    /// Notifications are suppressed by ring index instead of by flag.
    pub const EVENT_IDX: u64 = 1 << 29;
    /// The device follows virtio 1.0 or later.
    pub const VERSION_1: u64 = 1 << 32;
}

/// Why a device cannot be driven.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// The device did not finish its reset.
    #[error("the device did not finish its reset within {0:?}")]
    ResetTimeout(Duration),
    /// The device lacks features this driver cannot do without.
    #[error("the device lacks required features {missing:#x} (it offers {offered:#x})")]
    MissingFeatures {
        /// The required ones it lacks.
        missing: u64,
        /// All it offers.
        offered: u64,
    },
    /// The device refused our choice of its features.
    #[error("the device refused the features {0:#x}")]
    FeaturesRefused(u64),
    /// The device has no such queue.
    #[error("the device has no queue {0}")]
    NoQueue(u16),
    /// The device could not use the interrupt vector.
    #[error("the device refused interrupt vector {0}")]
    VectorRefused(u16),
    /// The function lacks a virtio capability or describes nonsense.
    #[error("PCI capabilities: {0}")]
    Capability(String),
    /// Access to the function failed.
    #[error("device access: {0}")]
    Io(#[from] io::Error),
}

/// Where the parts of a queue lie, as physical addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueAddresses {
    /// Descriptor table.
    pub descriptors: u64,
    /// Available ring (written by the driver).
    pub available: u64,
    /// Used ring (written by the device).
    pub used: u64,
}

/// Access to one virtio device.
pub trait Transport {
    /// All features offered.
    fn device_features(&mut self) -> u64;
    /// Tells the device which of them are used.
    fn set_driver_features(&mut self, features: u64);
    /// Device status, see [`status`].
    fn status(&self) -> u8;
    /// Sets the device status; 0 starts a reset.
    fn set_status(&mut self, value: u8);
    /// How many queues there are.
    fn queue_count(&self) -> u16;
    /// The largest size of a queue; 0 where the queue does not exist.
    fn queue_max_size(&mut self, queue: u16) -> u16;
    /// Sets up and enables a queue; `vector` is its MSI-X table entry.
    fn set_queue(
        &mut self,
        queue: u16,
        size: u16,
        addresses: QueueAddresses,
        vector: Option<u16>,
    ) -> Result<(), DeviceError>;
    /// Tells the device that a queue has new descriptors.
    fn notify(&self, queue: u16);
    /// Reads the device-specific configuration; bytes beyond its end read as 0.
    fn read_config(&self, offset: usize, buffer: &mut [u8]);
    /// Writes the device-specific configuration, byte by byte but for aligned words of four; what lies beyond its end is lost.
    fn write_config(&mut self, offset: usize, bytes: &[u8]);
    /// Makes changes of the configuration raise this MSI-X table entry. After [`Transport::set_queue`], which turns it off.
    fn set_config_vector(&mut self, vector: u16) -> Result<(), DeviceError>;
    /// Changes whenever the device-specific configuration does.
    fn config_generation(&self) -> u8;
}

/// Resets the device and waits until it has stopped all work on its queues.
pub fn reset(device: &mut dyn Transport) -> Result<(), DeviceError> {
    const LIMIT: Duration = Duration::from_secs(5);
    device.set_status(0);
    let start = Instant::now();
    while device.status() != 0 {
        if start.elapsed() > LIMIT {
            return Err(DeviceError::ResetTimeout(LIMIT));
        }
        std::thread::yield_now();
    }
    Ok(())
}

/// Resets the device and negotiates features: `required` ones (VERSION_1 always is) and those of `wanted` it offers.
/// Returns the features in force.
pub fn negotiate(
    device: &mut dyn Transport,
    required: u64,
    wanted: u64,
) -> Result<u64, DeviceError> {
    reset(device)?;
    device.set_status(status::ACKNOWLEDGE);
    device.set_status(status::ACKNOWLEDGE | status::DRIVER);
    let required = required | feature::VERSION_1;
    let offered = device.device_features();
    if offered & required != required {
        device.set_status(status::FAILED);
        return Err(DeviceError::MissingFeatures {
            missing: required & !offered,
            offered,
        });
    }
    let features = offered & (required | wanted);
    device.set_driver_features(features);
    device.set_status(status::ACKNOWLEDGE | status::DRIVER | status::FEATURES_OK);
    if device.status() & status::FEATURES_OK == 0 {
        device.set_status(status::FAILED);
        return Err(DeviceError::FeaturesRefused(features));
    }
    Ok(features)
}

/// Tells the device that the driver is ready; call it when the queues are set up.
pub fn start(device: &mut dyn Transport) {
    let value = device.status();
    device.set_status(value | status::DRIVER_OK);
}

/// Descriptors of a queue: `want`, or fewer where the device has no more; a power of two.
///
/// # Errors
/// [`DeviceError::NoQueue`] where the device has no such queue.
pub fn queue_size(
    device: &mut dyn Transport,
    index: u16,
    want: u16,
) -> Result<u16, DeviceError> {
    match device.queue_max_size(index).min(want) {
        0 => Err(DeviceError::NoQueue(index)),
        max => Ok(1 << max.ilog2()),
    }
}

/// Reads several fields of the device-specific configuration that belong together.
pub fn read_config_consistent(device: &dyn Transport, offset: usize, buffer: &mut [u8]) {
    loop {
        let before = device.config_generation();
        device.read_config(offset, buffer);
        if device.config_generation() == before {
            return;
        }
    }
}
