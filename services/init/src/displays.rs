//! Display devices, and the driver for each.

use crate::machine::DriverCommand;
use driver::address::PciAddress;
use driver::config::{ConfigFile, ConfigSpace, DEVICE_ID, VENDOR_ID};
use driver::pci::PCI_ROOT;
use std::fs::{self, File};
use std::path::Path;

/// Virtio device type of a GPU (virtio 1.2, section 5.7).
const VIRTIO_GPU: u16 = 16;
/// Vendor and device ID of QEMU's standard VGA.
const STANDARD_VGA: (u16, u16) = (0x1234, 0x1111);

/// The driver for a function, where it is a display that has one.
fn driver_of(config: &dyn ConfigSpace) -> std::io::Result<Option<&'static str>> {
    if virtio::pci::device_type(config)? == Some(VIRTIO_GPU) {
        return Ok(Some("virtio-gpud"));
    }
    let ids = (config.read16(VENDOR_ID)?, config.read16(DEVICE_ID)?);
    Ok((ids == STANDARD_VGA).then_some("bochsd"))
}

/// Commands that serve `/dev/dri/card0` and so on, in the order of addresses. Where no display has a driver, the framebuffer that the boot loader
/// left is served, if it did.
pub fn drivers(has_framebuffer: bool) -> Vec<DriverCommand> {
    let mut addresses: Vec<PciAddress> = fs::read_dir(PCI_ROOT)
        .map(|entries| entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect())
        .unwrap_or_default();
    addresses.sort();
    let drivers = addresses.into_iter().filter_map(|address| {
        let config = Path::new(PCI_ROOT).join(address.to_string()).join("config");
        let driver = File::open(config).and_then(|file| driver_of(&ConfigFile(file))).ok().flatten()?;
        Some((driver, address.to_string()))
    });
    commands(drivers.collect(), has_framebuffer)
}

fn commands(drivers: Vec<(&str, String)>, has_framebuffer: bool) -> Vec<DriverCommand> {
    if drivers.is_empty() && has_framebuffer {
        return vec![("simpledrmd".to_owned(), vec!["simpledrmd".to_owned(), "0".to_owned()])];
    }
    let command = |(number, (driver, address)): (usize, (&str, String))| {
        let words = vec![driver.to_owned(), address, number.to_string()];
        (format!("{driver} card{number}"), words)
    };
    drivers.into_iter().enumerate().map(command).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use driver::config::{ConfigImage, SUBSYSTEM_ID};

    #[test]
    fn displays_are_recognised() {
        assert_eq!(driver_of(&ConfigImage::new(0x1af4, 0x1050)).unwrap(), Some("virtio-gpud"));
        assert_eq!(driver_of(&ConfigImage::new(0x1234, 0x1111)).unwrap(), Some("bochsd"));
        let disk = ConfigImage::new(0x1af4, 0x1001);
        disk.put(SUBSYSTEM_ID, &2u16.to_le_bytes());
        assert_eq!(driver_of(&disk).unwrap(), None);
    }

    #[test]
    fn the_boot_framebuffer_is_the_last_resort() {
        let words = |drivers: Vec<(&'static str, String)>, has_framebuffer| -> Vec<String> {
            commands(drivers, has_framebuffer).into_iter().map(|(_, words)| words.join(" ")).collect()
        };
        let gpu = || ("virtio-gpud", "0000:00:02.0".to_owned());
        assert_eq!(words(vec![gpu(), ("bochsd", "0000:00:03.0".to_owned())], true), ["virtio-gpud 0000:00:02.0 0", "bochsd 0000:00:03.0 1"]);
        assert_eq!(words(vec![], true), ["simpledrmd 0"]);
        assert!(words(vec![], false).is_empty());
    }
}
