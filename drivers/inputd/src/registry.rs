//! What the kernel is told of the devices: `/sys/devices/.../input/input<N>/event<N>` and `/dev/input/event<N>`.

use driver::registration::{Devices, Registration};
use input_event::Description;
use input_event::code::{EV_ABS, EV_FF, EV_LED, EV_MSC, EV_SND, EV_SW};
use input_event::{EV_KEY, EV_REL};
use std::collections::HashMap;

/// The names of capabilities, in the order of their `uevent` variables: type, file, variable.
const CAPABILITIES: [(u16, &str, &str); 8] = [
    (EV_KEY, "key", "KEY"),
    (EV_REL, "rel", "REL"),
    (EV_ABS, "abs", "ABS"),
    (EV_MSC, "msc", "MSC"),
    (EV_LED, "led", "LED"),
    (EV_SND, "snd", "SND"),
    (EV_FF, "ff", "FF"),
    (EV_SW, "sw", "SW"),
];

/// The kernel's tree of devices, where the kernel has one.
pub struct Registry {
    devices: Option<Devices>,
    paths: HashMap<usize, String>,
}

impl Registry {
    /// Connects to the kernel.
    pub fn open() -> Self {
        let devices = Devices::open().inspect_err(|error| tracing::warn!("the kernel has no tree of devices: {error}"));
        Registry { devices: devices.ok(), paths: HashMap::new() }
    }

    /// Without a kernel: for tests.
    #[cfg(test)]
    pub fn none() -> Self {
        Registry { devices: None, paths: HashMap::new() }
    }

    /// A device has come.
    pub fn add(&mut self, number: usize, description: &Description) {
        let Some(devices) = &self.devices else { return };
        let (path, registrations) = registrations(number, description);
        for registration in registrations {
            if let Err(error) = devices.add(&registration) {
                tracing::warn!("registering {path}: {error}");
            }
        }
        self.paths.insert(number, path);
    }

    /// A device has gone.
    pub fn remove(&mut self, number: usize) {
        if let (Some(path), Some(devices)) = (self.paths.remove(&number), &self.devices)
            && let Err(error) = devices.remove(&path)
        {
            tracing::warn!("removing {path}: {error}");
        }
    }
}

/// The device's path, and what is registered: `input<number>` and `event<number>` below it.
fn registrations(number: usize, description: &Description) -> (String, [Registration; 2]) {
    let parent = if description.parent.is_empty() { "/devices/virtual" } else { &description.parent };
    let path = format!("{parent}/input/input{number}");
    let id = description.id;
    let mut input = Registration::new(&path)
        .class("input")
        .attribute("name", &description.name)
        .attribute("phys", &description.phys)
        .attribute("uniq", &description.uniq)
        .attribute("inhibited", 0)
        .attribute("properties", description.properties.sysfs())
        .attribute("id/bustype", format_args!("{:04x}", id.bus))
        .attribute("id/vendor", format_args!("{:04x}", id.vendor))
        .attribute("id/product", format_args!("{:04x}", id.product))
        .attribute("id/version", format_args!("{:04x}", id.version))
        .attribute("capabilities/ev", description.types().sysfs())
        .variable("PRODUCT", format_args!("{:x}/{:x}/{:x}/{:x}", id.bus, id.vendor, id.product, id.version))
        .variable("NAME", format_args!("\"{}\"", description.name))
        .variable("PHYS", format_args!("\"{}\"", description.phys))
        .variable("UNIQ", format_args!("\"{}\"", description.uniq))
        .variable("PROP", description.properties.sysfs())
        .variable("EV", description.types().sysfs());
    for (kind, file, variable) in CAPABILITIES {
        let bits = description.codes(kind).sysfs();
        if description.has_type(kind) {
            input = input.variable(variable, &bits);
        }
        input = input.attribute(&format!("capabilities/{file}"), bits);
    }
    let minor = 64 + number as u32;
    let event = Registration::new(&format!("{path}/event{number}"))
        .class("input")
        .character((13, minor), &format!("input/event{number}"), &format!("/scheme/input/event{number}"));
    (path, [input, event])
}

#[cfg(test)]
mod tests {
    use super::*;
    use input_event::DeviceId;

    #[test]
    fn a_device_is_described_as_sysfs_does() {
        let mut device = Description::new("Keys", "here", DeviceId { bus: 6, vendor: 0x627, product: 1, version: 1 });
        device.add(EV_KEY, 30);
        let (path, [input, event]) = registrations(2, &device);
        assert_eq!(path, "/devices/virtual/input/input2");
        for line in ["class input", "attr id/vendor 0627", "attr capabilities/key 40000000", "env PRODUCT=6/627/1/1", "env EV=3", "attr capabilities/ev 3"] {
            assert!(input.message().lines().any(|it| it == line), "{line} in {}", input.message());
        }
        assert!(event.message().contains("char 13:66 input/event2 /scheme/input/event2\n"));
    }
}
