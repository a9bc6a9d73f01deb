//! The PCI transport of virtio 1.x (section 4.1): register windows named by vendor capabilities.

use crate::transport::{DeviceError, QueueAddresses, Transport};
use driver::config::{CAP_VENDOR, ConfigSpace, capabilities};
use driver::mmio::Mmio;
use driver::pci::PciFunction;
use std::io;

/// PCI vendor of all virtio devices.
pub const VENDOR: u16 = 0x1af4;

/// "No MSI-X vector" (section 4.1.5.1.2).
const NO_VECTOR: u16 = 0xffff;

/// Kinds of register windows (section 4.1.4).
const COMMON: u8 = 1;
const NOTIFY: u8 = 2;
const DEVICE: u8 = 4;

/// Registers of the common configuration (section 4.1.4.3).
mod common {
    pub const DEVICE_FEATURE_SELECT: usize = 0x00;
    pub const DEVICE_FEATURE: usize = 0x04;
    pub const DRIVER_FEATURE_SELECT: usize = 0x08;
    pub const DRIVER_FEATURE: usize = 0x0c;
    pub const CONFIG_MSIX_VECTOR: usize = 0x10;
    pub const NUM_QUEUES: usize = 0x12;
    pub const DEVICE_STATUS: usize = 0x14;
    pub const CONFIG_GENERATION: usize = 0x15;
    pub const QUEUE_SELECT: usize = 0x16;
    pub const QUEUE_SIZE: usize = 0x18;
    pub const QUEUE_MSIX_VECTOR: usize = 0x1a;
    pub const QUEUE_ENABLE: usize = 0x1c;
    pub const QUEUE_NOTIFY_OFF: usize = 0x1e;
    pub const QUEUE_DESC: usize = 0x20;
    pub const QUEUE_DRIVER: usize = 0x28;
    pub const QUEUE_DEVICE: usize = 0x30;
    pub const LEN: usize = 0x38;
}

/// One register window as a capability describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Base address register.
    pub bar: u8,
    /// Offset within it.
    pub offset: u32,
    /// Length in bytes.
    pub len: u32,
}

/// The windows of a modern device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// Common configuration.
    pub common: Window,
    /// Notification registers.
    pub notify: Window,
    /// Bytes between the notification registers of two queues.
    pub notify_multiplier: u32,
    /// Device-specific configuration, where the device has one.
    pub device: Option<Window>,
}

/// The virtio device type of a function (1 network, 2 block, 3 console, 18 input, ...); `None` where it is no virtio device.
///
/// Transitional devices have PCI device IDs 0x1000 to 0x103f and carry the type in the subsystem ID (section 4.1.2).
pub fn device_type(config: &dyn ConfigSpace) -> io::Result<Option<u16>> {
    use driver::config::{DEVICE_ID, SUBSYSTEM_ID, VENDOR_ID};
    if config.read16(VENDOR_ID)? != VENDOR {
        return Ok(None);
    }
    Ok(match config.read16(DEVICE_ID)? {
        0x1000..=0x103f => Some(config.read16(SUBSYSTEM_ID)?),
        id @ 0x1040..=0x107f => Some(id - 0x1040),
        _ => None,
    })
}

/// Finds the windows in the capability list; the first capability of each kind counts (section 4.1.4.1).
pub fn find_windows(config: &dyn ConfigSpace) -> Result<Windows, DeviceError> {
    let (mut common, mut notify, mut device, mut multiplier) = (None, None, None, 0);
    for (id, offset) in capabilities(config)? {
        // The longest structure must end within the first 256 bytes.
        if id != CAP_VENDOR || offset > 0x100 - 0x14 {
            continue;
        }
        let window = Window {
            bar: config.read8(offset + 4)?,
            offset: config.read32(offset + 8)?,
            len: config.read32(offset + 12)?,
        };
        if window.bar > 5 {
            continue;
        }
        match config.read8(offset + 3)? {
            COMMON if common.is_none() => common = Some(window),
            NOTIFY if notify.is_none() => {
                notify = Some(window);
                multiplier = config.read32(offset + 16)?;
            }
            DEVICE if device.is_none() => device = Some(window),
            _ => {}
        }
    }
    let missing = |what: &str| {
        DeviceError::Capability(format!("no {what}: is this a legacy-only virtio device?"))
    };
    let common = common.ok_or_else(|| missing("common configuration"))?;
    if (common.len as usize) < common::LEN {
        return Err(DeviceError::Capability(format!(
            "the common configuration has only {} bytes",
            common.len
        )));
    }
    Ok(Windows {
        common,
        notify: notify.ok_or_else(|| missing("notification registers"))?,
        notify_multiplier: multiplier,
        device,
    })
}

/// A virtio device on PCI.
pub struct PciTransport {
    common: Mmio,
    notify: Mmio,
    notify_multiplier: u32,
    /// Offset of each queue's notification register, learnt when the queue is set up.
    notify_offsets: Vec<usize>,
    device: Option<Mmio>,
}

impl PciTransport {
    /// Maps the device's windows.
    pub fn new(function: &PciFunction) -> Result<Self, DeviceError> {
        let windows = find_windows(function.config())?;
        let map = |window: Window| -> io::Result<Mmio> {
            let start = u64::from(window.offset) & !0xfff;
            let skip = (u64::from(window.offset) - start) as usize;
            let len = (skip + window.len as usize).next_multiple_of(4096);
            let mapped = function.map_bar(window.bar, start, len)?;
            mapped
                .window(skip, window.len as usize)
                .ok_or_else(|| io::ErrorKind::InvalidData.into())
        };
        Ok(Self::from_windows(
            map(windows.common)?,
            map(windows.notify)?,
            windows.notify_multiplier,
            windows.device.map(map).transpose()?,
        ))
    }

    /// A device whose windows are mapped already.
    pub fn from_windows(
        common: Mmio,
        notify: Mmio,
        notify_multiplier: u32,
        device: Option<Mmio>,
    ) -> Self {
        PciTransport {
            common,
            notify,
            notify_multiplier,
            notify_offsets: Vec::new(),
            device,
        }
    }

    fn write64(&self, register: usize, value: u64) {
        // 64-bit registers are written as two halves (section 4.1.3.1).
        self.common.write(register, value as u32);
        self.common.write(register + 4, (value >> 32) as u32);
    }
}

impl Transport for PciTransport {
    fn device_features(&mut self) -> u64 {
        self.common.write(common::DEVICE_FEATURE_SELECT, 0u32);
        let low: u32 = self.common.read(common::DEVICE_FEATURE);
        self.common.write(common::DEVICE_FEATURE_SELECT, 1u32);
        let high: u32 = self.common.read(common::DEVICE_FEATURE);
        u64::from(high) << 32 | u64::from(low)
    }

    fn set_driver_features(&mut self, features: u64) {
        self.common.write(common::DRIVER_FEATURE_SELECT, 0u32);
        self.common.write(common::DRIVER_FEATURE, features as u32);
        self.common.write(common::DRIVER_FEATURE_SELECT, 1u32);
        self.common
            .write(common::DRIVER_FEATURE, (features >> 32) as u32);
    }

    fn status(&self) -> u8 {
        self.common.read(common::DEVICE_STATUS)
    }

    fn set_status(&mut self, value: u8) {
        self.common.write(common::DEVICE_STATUS, value);
    }

    fn queue_count(&self) -> u16 {
        self.common.read(common::NUM_QUEUES)
    }

    fn queue_max_size(&mut self, queue: u16) -> u16 {
        if queue >= self.queue_count() {
            return 0;
        }
        self.common.write(common::QUEUE_SELECT, queue);
        self.common.read(common::QUEUE_SIZE)
    }

    fn set_queue(
        &mut self,
        queue: u16,
        size: u16,
        addresses: QueueAddresses,
        vector: Option<u16>,
    ) -> Result<(), DeviceError> {
        if self.queue_max_size(queue) < size {
            return Err(DeviceError::NoQueue(queue));
        }
        self.common.write(common::QUEUE_SELECT, queue);
        let slot: u16 = self.common.read(common::QUEUE_NOTIFY_OFF);
        let offset = usize::from(slot) * self.notify_multiplier as usize;
        if offset + 2 > self.notify.len() || !offset.is_multiple_of(2) {
            return Err(DeviceError::Capability(format!(
                "queue {queue} notifies outside the window, at {offset:#x}"
            )));
        }
        let index = usize::from(queue);
        self.notify_offsets
            .resize(self.notify_offsets.len().max(index + 1), 0);
        self.notify_offsets[index] = offset;
        self.common.write(common::CONFIG_MSIX_VECTOR, NO_VECTOR);
        self.common.write(common::QUEUE_SIZE, size);
        let wanted = vector.unwrap_or(NO_VECTOR);
        self.common.write(common::QUEUE_MSIX_VECTOR, wanted);
        if self.common.read::<u16>(common::QUEUE_MSIX_VECTOR) != wanted {
            return Err(DeviceError::VectorRefused(wanted));
        }
        self.write64(common::QUEUE_DESC, addresses.descriptors);
        self.write64(common::QUEUE_DRIVER, addresses.available);
        self.write64(common::QUEUE_DEVICE, addresses.used);
        self.common.write(common::QUEUE_ENABLE, 1u16);
        Ok(())
    }

    fn notify(&self, queue: u16) {
        if let Some(offset) = self.notify_offsets.get(usize::from(queue)) {
            self.notify.write(*offset, queue);
        }
    }

    fn read_config(&self, offset: usize, buffer: &mut [u8]) {
        for (at, byte) in (offset..).zip(buffer) {
            *byte = match &self.device {
                Some(window) if at < window.len() => window.read(at),
                _ => 0,
            };
        }
    }

    fn write_config(&mut self, offset: usize, bytes: &[u8]) {
        let Some(window) = &self.device else { return };
        if let (Ok(word), true) = (<[u8; 4]>::try_from(bytes), offset.is_multiple_of(4)) {
            // Registers of 32 bits are written as one (section 4.1.3.1).
            if offset + 4 <= window.len() {
                window.write(offset, u32::from_le_bytes(word));
            }
            return;
        }
        for (at, byte) in (offset..).zip(bytes) {
            if at < window.len() {
                window.write(at, *byte);
            }
        }
    }

    fn set_config_vector(&mut self, vector: u16) -> Result<(), DeviceError> {
        self.common.write(common::CONFIG_MSIX_VECTOR, vector);
        if self.common.read::<u16>(common::CONFIG_MSIX_VECTOR) == vector {
            Ok(())
        } else {
            Err(DeviceError::VectorRefused(vector))
        }
    }

    fn config_generation(&self) -> u8 {
        self.common.read(common::CONFIG_GENERATION)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use driver::config::ConfigImage;

    fn capability(kind: u8, bar: u8, offset: u32, len: u32, extra: u32) -> Vec<u8> {
        let mut bytes = vec![CAP_VENDOR, 0, 20, kind, bar, 0, 0, 0];
        bytes.extend(offset.to_le_bytes());
        bytes.extend(len.to_le_bytes());
        bytes.extend(extra.to_le_bytes());
        bytes
    }

    #[test]
    fn windows_come_from_capabilities() {
        let image = ConfigImage::new(VENDOR, 0x1042);
        image.add_capability(0x84, &capability(COMMON, 4, 0, 0x1000, 0));
        image.add_capability(0x70, &capability(NOTIFY, 4, 0x3000, 0x1000, 4));
        image.add_capability(0x40, &capability(DEVICE, 4, 0x2000, 0x1000, 0));
        let windows = find_windows(&image).unwrap();
        assert_eq!(
            windows.common,
            Window {
                bar: 4,
                offset: 0,
                len: 0x1000
            }
        );
        assert_eq!(windows.notify_multiplier, 4);
        assert_eq!(windows.device.unwrap().offset, 0x2000);
        assert_eq!(device_type(&image).unwrap(), Some(2));
    }

    #[test]
    fn legacy_devices_are_named_as_such() {
        let image = ConfigImage::new(VENDOR, 0x1001);
        image.put(driver::config::SUBSYSTEM_ID, &2u16.to_le_bytes());
        assert_eq!(device_type(&image).unwrap(), Some(2));
        assert!(
            find_windows(&image)
                .unwrap_err()
                .to_string()
                .contains("legacy")
        );
    }

    #[test]
    fn a_queue_that_notifies_outside_its_window_is_refused() {
        let common = Mmio::heap(0x38);
        common.write(common::NUM_QUEUES, 1u16);
        common.write(common::QUEUE_SIZE, 8u16);
        common.write(common::QUEUE_NOTIFY_OFF, 9u16);
        let mut device = PciTransport::from_windows(common, Mmio::heap(16), 4, None);
        let addresses = QueueAddresses {
            descriptors: 0,
            available: 0,
            used: 0,
        };
        assert!(device.set_queue(0, 8, addresses, None).is_err());
        assert!(matches!(
            device.set_queue(1, 8, addresses, None),
            Err(DeviceError::NoQueue(1))
        ));
    }
}
