//! What `/sys/class/drm` says of the card and its connectors.

use driver::registration::{Devices, Registration};
use drm::objects::Pipe;

/// A card in the kernel's tree of devices, as long as this lives.
pub struct Sysfs {
    devices: Option<Devices>,
    path: String,
    number: u32,
}

impl Sysfs {
    /// Card `number` on the bus address `unique`, such as `pci:0000:00:02.0`; other cards are on no bus.
    pub fn new(number: u32, unique: &str) -> Self {
        let parent = match unique.strip_prefix("pci:") {
            Some(address) => format!("/devices/pci0000:00/{address}"),
            None => "/devices/platform/simple-framebuffer.0".to_owned(),
        };
        let devices = Devices::open().inspect_err(|error| tracing::warn!("the kernel has no tree of devices: {error}"));
        let sysfs = Sysfs { devices: devices.ok(), path: format!("{parent}/drm/card{number}"), number };
        let card = Registration::new(&sysfs.path)
            .class("drm")
            .character((drm::uapi::MAJOR, number), &format!("dri/card{number}"), &format!("/scheme/drm.card{number}"))
            .variable("DEVTYPE", "drm_minor");
        sysfs.add(&card);
        sysfs
    }

    fn add(&self, registration: &Registration) {
        if let Some(devices) = &self.devices
            && let Err(error) = devices.add(registration)
        {
            tracing::warn!("registering {}: {error}", self.path);
        }
    }

    /// Shows what is connected.
    pub fn show(&self, pipes: &[Pipe]) {
        for (index, pipe) in (1..).zip(pipes) {
            self.add(&connector(&self.path, self.number, index, pipe));
        }
    }

    /// Tells programs that what is connected has changed.
    pub fn announce(&self) {
        if let Some(devices) = &self.devices
            && let Err(error) = devices.change(&self.path, &["HOTPLUG=1"])
        {
            tracing::warn!("telling of {}: {error}", self.path);
        }
    }
}

fn connector(path: &str, number: u32, index: u32, pipe: &Pipe) -> Registration {
    let modes: String = pipe.output.modes.iter().map(drm::mode::size).map(|(width, height)| format!("{width}x{height}\n")).collect();
    Registration::new(&format!("{path}/card{number}-Virtual-{index}"))
        .class("drm")
        .variable("DEVTYPE", "drm_connector")
        .attribute("status", if pipe.output.is_connected { "connected" } else { "disconnected" })
        .attribute("connector_id", pipe.connector)
        .bytes("modes", modes.as_bytes())
        .bytes("edid", &pipe.output.edid)
}
