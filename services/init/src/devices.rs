//! Which driver units the machine's devices take: those templates whose `[Device]` matches.

use boot_params::Switch;
use driver::address::PciAddress;
use driver::config::{ConfigFile, ConfigSpace, DEVICE_ID, VENDOR_ID};
use driver::pci::PCI_ROOT;
use gci_units::unit::DeviceMatch;
use gci_units::{Unit, UnitName};
use std::collections::HashMap;
use std::fs::{self, File};
use std::path::Path;

/// What devices are counted as whose drivers `nomodeset` leaves out.
const GRAPHICS: &str = "card";

/// A device of the bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its address, which is the instance of its driver's unit.
    pub address: String,
    /// Vendor and device.
    pub ids: (u16, u16),
    /// The virtio type, where it is one.
    pub virtio: Option<u16>,
}

/// A unit to start for a device, and what `%` and a letter stand for in it.
pub type Driver = (UnitName, Vec<(char, String)>);

/// What else decides.
#[derive(Clone, Copy, Debug)]
pub struct Graphics {
    /// Whether the boot loader left a framebuffer.
    pub has_framebuffer: bool,
    /// Whether it is to be kept.
    pub nomodeset: Switch,
}

impl Device {
    fn read(address: &PciAddress, config: &dyn ConfigSpace) -> std::io::Result<Self> {
        let ids = (config.read16(VENDOR_ID)?, config.read16(DEVICE_ID)?);
        Ok(Device { address: address.to_string(), ids, virtio: virtio::pci::device_type(config)? })
    }

    fn is(&self, wanted: &DeviceMatch) -> bool {
        match *wanted {
            DeviceMatch::Virtio(kind) => self.virtio == Some(kind),
            DeviceMatch::Pci(vendor, device) => self.ids == (vendor, device),
            DeviceMatch::Framebuffer => false,
        }
    }
}

/// The devices that pcid lists, in the order of their addresses.
pub fn all() -> Vec<Device> {
    let entries = fs::read_dir(PCI_ROOT).into_iter().flatten();
    let mut addresses: Vec<PciAddress> = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    addresses.sort();
    let read = |address: PciAddress| {
        let path = Path::new(PCI_ROOT).join(address.to_string()).join("config");
        let device = File::open(&path).and_then(|file| Device::read(&address, &ConfigFile(file)));
        device.inspect_err(|error| tracing::warn!("reading {}: {error}", path.display())).ok()
    };
    addresses.into_iter().filter_map(read).collect()
}

/// The drivers of these devices.
pub fn drivers<'a>(devices: &[Device], units: impl Iterator<Item = &'a Unit>, graphics: Graphics) -> Vec<Driver> {
    let templates: Vec<&Unit> = units.filter(|unit| unit.device.is_some()).collect();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let mut drivers = Vec::new();
    let mut add = |unit: &'a Unit, instance: &str, counts: &mut HashMap<&'a str, usize>| {
        let word = unit.device.as_ref().and_then(|device| device.counted_as.as_deref()).unwrap_or(unit.name.as_str());
        let number = counts.entry(word).or_insert(0);
        match unit.name.with_instance(instance) {
            Ok(name) => drivers.push((name, vec![('N', number.to_string()), ('l', letters(*number))])),
            Err(error) => tracing::warn!("{} for {instance}: {error}", unit.name),
        }
        *number += 1;
    };
    let counted = |unit: &Unit| unit.device.as_ref().and_then(|device| device.counted_as.clone());
    let keeps_framebuffer = graphics.nomodeset.is_on() && graphics.has_framebuffer;
    for device in devices {
        let driver = templates.iter().find(|unit| unit.device.iter().flat_map(|it| &it.matches).any(|wanted| device.is(wanted)));
        if let Some(unit) = driver.filter(|unit| !(keeps_framebuffer && counted(unit).as_deref() == Some(GRAPHICS))) {
            add(unit, &device.address, &mut counts);
        }
    }
    let last_resort = templates.iter().find(|unit| unit.device.iter().any(|it| it.matches.contains(&DeviceMatch::Framebuffer)));
    if let Some(unit) = last_resort.filter(|_| graphics.has_framebuffer) {
        let word = unit.device.as_ref().and_then(|device| device.counted_as.as_deref());
        if word.is_none_or(|word| !counts.contains_key(word)) {
            add(unit, "framebuffer", &mut counts);
        }
    }
    drivers
}

/// Linux's way of counting disks: a, b, ... z, aa, ...
fn letters(mut index: usize) -> String {
    let mut letters = Vec::new();
    loop {
        letters.push(b'a' + (index % 26) as u8);
        index /= 26;
        if index == 0 {
            break;
        }
        index -= 1;
    }
    letters.reverse();
    String::from_utf8_lossy(&letters).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(name: &str, device: &str) -> Unit {
        let text = format!("[GenAI Service]\nExecStart=x\n[Device]\n{device}");
        Unit::parse(UnitName::new(name).unwrap(), name, &text).unit.unwrap()
    }

    fn commands(devices: &[Device], graphics: Graphics) -> Vec<String> {
        let units = [
            template("blk@", "Match=virtio:2\nCountedAs=disk"),
            template("bochs@", "Match=pci:1234:1111\nCountedAs=card"),
            template("gpu@", "Match=virtio:16\nCountedAs=card"),
            template("simple@", "Match=framebuffer\nCountedAs=card"),
            template("tablet@", "Match=virtio:18"),
        ];
        let found = drivers(devices, units.iter(), graphics);
        found.into_iter().map(|(name, values)| format!("{name} {} {}", values[0].1, values[1].1)).collect()
    }

    #[test]
    fn each_device_gets_its_driver() {
        let device = |address: &str, ids, virtio| Device { address: address.into(), ids, virtio };
        let gpu = device("0000:00:02.0", (0x1af4, 0x1050), Some(16));
        let devices = [
            device("0000:00:01.0", (0x8086, 1), None),
            gpu.clone(),
            device("0000:00:03.0", (0x1af4, 0x1042), Some(2)),
            device("0000:00:04.0", (0x1234, 0x1111), None),
            device("0000:00:05.0", (0x1af4, 0x1052), Some(18)),
            device("0000:01:00.0", (0x1af4, 0x1001), Some(2)),
        ];
        let graphics = Graphics { has_framebuffer: true, nomodeset: Switch::Off };
        assert_eq!(
            commands(&devices, graphics),
            ["gpu@0000:00:02.0 0 a", "blk@0000:00:03.0 0 a", "bochs@0000:00:04.0 1 b", "tablet@0000:00:05.0 0 a", "blk@0000:01:00.0 1 b"]
        );
        let nomodeset = Graphics { nomodeset: Switch::On, ..graphics };
        assert_eq!(commands(&[gpu.clone()], nomodeset), ["simple@framebuffer 0 a"]);
        assert_eq!(commands(&[gpu], Graphics { has_framebuffer: false, ..nomodeset }), ["gpu@0000:00:02.0 0 a"]);
        assert_eq!(commands(&[], graphics), ["simple@framebuffer 0 a"]);
    }

    #[test]
    fn disks_are_named_in_order() {
        let names: Vec<String> = [0, 1, 25, 26, 51, 52, 701, 702].into_iter().map(letters).collect();
        assert_eq!(names, ["a", "b", "z", "aa", "az", "ba", "zz", "aaa"]);
    }
}
