//! Finding a device.

use std::sync::Arc;

use vulkano::VulkanLibrary;
use vulkano::device::physical::{PhysicalDevice, PhysicalDeviceType};
use vulkano::device::{Device, DeviceCreateInfo, DeviceExtensions, DeviceFeatures, Queue, QueueCreateInfo, QueueFlags};
use vulkano::instance::{Instance, InstanceCreateInfo};
use vulkano::{Version, VulkanError};

use super::Error;

/// Which devices come into question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Devices {
    /// All.
    All,
    /// Those that are the processor in disguise, as Mesa's lavapipe.
    Processor,
}

/// A device that is ready, and what it is asked by.
#[derive(Debug)]
pub struct Opened {
    /// The device.
    pub device: Arc<Device>,
    /// Its queue for graphics.
    pub queue: Arc<Queue>,
}

/// How good kinds of devices are: the lower the better. Those that are none of these are not used.
fn rank(kind: PhysicalDeviceType) -> Option<u32> {
    match kind {
        PhysicalDeviceType::DiscreteGpu => Some(0),
        PhysicalDeviceType::IntegratedGpu => Some(1),
        PhysicalDeviceType::VirtualGpu => Some(2),
        PhysicalDeviceType::Cpu => Some(3),
        _ => None,
    }
}

/// Why a device cannot be used, where it cannot.
fn lacks(device: &PhysicalDevice) -> Option<String> {
    let name = &device.properties().device_name;
    if device.api_version() < Version::V1_3 {
        return Some(format!("{name} has only Vulkan {}, and 1.3 is needed", device.api_version()));
    }
    let features = device.supported_features();
    if !features.dynamic_rendering || !features.synchronization2 {
        return Some(format!("{name} lacks dynamic rendering or synchronization2"));
    }
    graphics_family(device).is_none().then(|| format!("{name} has no queue for graphics"))
}

fn graphics_family(device: &PhysicalDevice) -> Option<u32> {
    let families = device.queue_family_properties();
    families.iter().position(|family| family.queue_flags.contains(QueueFlags::GRAPHICS)).map(|index| index as u32)
}

/// Opens the best of these devices: a graphics card's before one that is the processor in disguise.
///
/// # Errors
/// [`Error::Missing`] where there is no loader or no device.
pub fn open(allowed: Devices) -> Result<Opened, Error> {
    let library = VulkanLibrary::new()?;
    let info = InstanceCreateInfo { application_name: Some("gde".into()), max_api_version: Some(Version::V1_3), ..InstanceCreateInfo::default() };
    let instance = Instance::new(library, info).map_err(|error| match error.unwrap() {
        VulkanError::IncompatibleDriver => Error::Missing("there are no Vulkan drivers".into()),
        error => Error::Missing(format!("Vulkan cannot be used: {error}")),
    })?;
    let devices = instance.enumerate_physical_devices().map_err(|error| Error::Missing(format!("looking for Vulkan devices: {error}")))?;
    let mut reasons = Vec::new();
    let mut best: Option<(u32, Arc<PhysicalDevice>)> = None;
    for device in devices {
        let kind = device.properties().device_type;
        let Some(rank) = rank(kind).filter(|_| allowed == Devices::All || kind == PhysicalDeviceType::Cpu) else { continue };
        if let Some(reason) = lacks(&device) {
            reasons.push(reason);
        } else if best.as_ref().is_none_or(|(other, _)| rank < *other) {
            best = Some((rank, device));
        }
    }
    let Some((_, physical)) = best else {
        let reasons = if reasons.is_empty() { "there is no Vulkan device".into() } else { reasons.join("; ") };
        return Err(Error::Missing(reasons));
    };
    let queue_family_index = graphics_family(&physical).ok_or_else(|| Error::Missing("no queue for graphics".into()))?;
    let create_info = DeviceCreateInfo {
        queue_create_infos: vec![QueueCreateInfo { queue_family_index, ..QueueCreateInfo::default() }],
        enabled_extensions: DeviceExtensions {
            ext_external_memory_host: physical.supported_extensions().ext_external_memory_host,
            ..DeviceExtensions::empty()
        },
        enabled_features: DeviceFeatures { dynamic_rendering: true, synchronization2: true, ..DeviceFeatures::empty() },
        ..DeviceCreateInfo::default()
    };
    let (device, mut queues) = Device::new(physical, create_info)?;
    let queue = queues.next().ok_or_else(|| Error::Failed("the device gives no queue".into()))?;
    Ok(Opened { device, queue })
}
