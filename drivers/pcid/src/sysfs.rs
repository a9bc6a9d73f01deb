//! What `/sys/bus/pci/devices` says of the functions: attributes and variables as Linux has them.

use crate::bus::Function;
use driver::address::PciAddress;
use driver::config::{ConfigSpace, REVISION, SUBSYSTEM_ID};
use driver::registration::{Devices, Registration};

const SUBSYSTEM_VENDOR_ID: u16 = 0x2c;
/// The interrupt line of a configuration space.
const INTERRUPT_LINE: u16 = 0x3c;
/// Bytes of configuration space that every function has.
const CONFIG_BYTES: u16 = 256;
/// Flags of a resource: memory, ports, 64-bit addresses (`linux/ioport.h`).
const IORESOURCE_IO: u64 = 0x100;
const IORESOURCE_MEM: u64 = 0x200;
const IORESOURCE_MEM_64: u64 = 0x0010_0000;
/// Base addresses, the expansion ROM, six more of bridges.
const RESOURCES: usize = 13;

/// Tells the kernel of all functions. They stay: what is plugged in does not go with this process.
pub fn register(functions: &[Function]) {
    let devices = match Devices::open() {
        Ok(devices) => devices,
        Err(error) => {
            tracing::warn!("the kernel has no tree of devices: {error}");
            return;
        }
    };
    for function in functions {
        let done = describe(function).and_then(|registration| devices.add(&registration));
        if let Err(error) = done {
            tracing::warn!("registering {}: {error}", function.address);
        }
    }
}

/// Below `/sys`.
fn path(address: PciAddress) -> String {
    format!("/devices/pci0000:00/{address}")
}

/// The resources of a function that a predecessor has registered.
pub fn known(address: PciAddress) -> Option<String> {
    std::fs::read_to_string(format!("/sys{}/resource", path(address))).ok()
}

/// Start, end and flags, a line each.
pub fn resources(function: &Function) -> String {
    let mut lines = String::new();
    for index in 0..RESOURCES {
        let bar = function.bars.get(index).copied().flatten().filter(|bar| bar.address != 0 && bar.size != 0);
        let (start, end, flags) = match bar {
            Some(bar) => {
                let kind = if bar.is_io { IORESOURCE_IO } else { IORESOURCE_MEM };
                let wide = if bar.is_wide { IORESOURCE_MEM_64 } else { 0 };
                (bar.address, bar.address + bar.size - 1, kind | wide)
            }
            None => (0, 0, 0),
        };
        lines.push_str(&format!("0x{start:016x} 0x{end:016x} 0x{flags:016x}\n"));
    }
    lines
}

fn describe(function: &Function) -> std::io::Result<Registration> {
    let config = &function.config;
    let (vendor, device) = (function.vendor, function.device);
    let (sub_vendor, sub_device) = (config.read16(SUBSYSTEM_VENDOR_ID)?, config.read16(SUBSYSTEM_ID)?);
    let [base, sub, interface] = function.class;
    let class = u32::from_be_bytes([0, base, sub, interface]);
    let mut bytes = Vec::with_capacity(CONFIG_BYTES.into());
    for offset in (0..CONFIG_BYTES).step_by(4) {
        bytes.extend(config.read32(offset)?.to_le_bytes());
    }
    let address = function.address;
    Ok(Registration::new(&path(address))
        .bus("pci")
        .attribute("vendor", format_args!("0x{vendor:04x}"))
        .attribute("device", format_args!("0x{device:04x}"))
        .attribute("subsystem_vendor", format_args!("0x{sub_vendor:04x}"))
        .attribute("subsystem_device", format_args!("0x{sub_device:04x}"))
        .attribute("class", format_args!("0x{class:06x}"))
        .attribute("revision", format_args!("0x{:02x}", config.read8(REVISION)?))
        .attribute("irq", config.read8(INTERRUPT_LINE)?)
        .attribute("enable", 1)
        .attribute("numa_node", -1)
        .bytes("resource", resources(function).as_bytes())
        .bytes("config", &bytes)
        .variable("PCI_CLASS", format_args!("{class:X}"))
        .variable("PCI_ID", format_args!("{vendor:04X}:{device:04X}"))
        .variable("PCI_SUBSYS_ID", format_args!("{sub_vendor:04X}:{sub_device:04X}"))
        .variable("PCI_SLOT_NAME", address)
        .variable(
            "MODALIAS",
            format_args!(
                "pci:v{vendor:08X}d{device:08X}sv{sub_vendor:08X}sd{sub_device:08X}bc{base:02X}sc{sub:02X}i{interface:02x}"
            ),
        )
        .stay())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::{self, tests::machine};

    #[test]
    fn every_function_of_a_machine_can_be_described() {
        for function in bus::enumerate(&machine(), &|_| None).unwrap() {
            let message = describe(&function).unwrap();
            let config = message.message().lines().find(|line| line.starts_with("hex config ")).unwrap();
            assert_eq!(config.len(), "hex config ".len() + 512);
            assert_eq!(resources(&function).lines().count(), RESOURCES);
        }
    }
}
