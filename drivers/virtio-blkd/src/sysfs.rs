//! What `/sys/block` says of the disk and its partitions.

use crate::Arguments;
use driver::registration::{Devices, Registration};
use partitions::Partition;

/// Sysfs counts in these, whatever the disk's blocks are.
const SECTOR: u64 = 512;

/// The disk as a whole.
pub struct Shape {
    /// Its size in bytes.
    pub bytes: u64,
    /// Bytes of a block.
    pub block_bytes: u32,
    /// Nothing can be written to it.
    pub is_read_only: bool,
}

/// Tells the kernel of the disk. It stays over restarts of the driver, as the scheme does.
pub fn register(arguments: &Arguments, shape: &Shape, partitions: &[Partition]) {
    let devices = match Devices::open() {
        Ok(devices) => devices,
        Err(error) => {
            tracing::warn!("the kernel has no tree of devices: {error}");
            return;
        }
    };
    for registration in describe(arguments, shape, partitions) {
        if let Err(error) = devices.add(&registration) {
            tracing::warn!("registering {}: {error}", arguments.name);
        }
    }
}

fn describe(arguments: &Arguments, shape: &Shape, partitions: &[Partition]) -> Vec<Registration> {
    let name = &arguments.name;
    let path = format!("/devices/pci0000:00/{}/block/{name}", arguments.address);
    let scheme = format!("/scheme/disk.{name}");
    let read_only = u8::from(shape.is_read_only);
    let disk = Registration::new(&path)
        .class("block")
        .block(0, name, &scheme)
        .variable("DEVTYPE", "disk")
        .attribute("size", shape.bytes / SECTOR)
        .attribute("ro", read_only)
        .attribute("removable", 0)
        .attribute("alignment_offset", 0)
        .attribute("queue/logical_block_size", shape.block_bytes)
        .attribute("queue/physical_block_size", shape.block_bytes)
        .attribute("queue/minimum_io_size", shape.block_bytes)
        .stay();
    let parts = partitions.iter().map(|part| {
        let number = part.number;
        Registration::new(&format!("{path}/{name}{number}"))
            .class("block")
            .block(number, &format!("{name}{number}"), &format!("{scheme}/{number}"))
            .variable("DEVTYPE", "partition")
            .variable("PARTN", number)
            .variable("PARTNAME", &part.name)
            .attribute("partition", number)
            .attribute("start", part.start / SECTOR)
            .attribute("size", part.len / SECTOR)
            .attribute("ro", read_only)
            .stay()
    });
    std::iter::once(disk).chain(parts).collect()
}
