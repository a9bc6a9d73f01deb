//! `/proc/diskstats` and `/proc/partitions` (`proc(5)`).

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use crate::devices::block_devices;
use crate::scheme::disk_stats;

/// A line of numbers for each disk and partition.
pub fn stats() -> Vec<u8> {
    let mut out = String::new();
    for device in block_devices() {
        if let Some(stats) = disk_stats::at(&device.target) {
            let ((major, minor), name) = (device.number, String::from_utf8_lossy(&device.name));
            let _ = writeln!(out, "{major:4} {minor:7} {name} {}", stats.fields());
        }
    }
    out.into_bytes()
}

/// Their sizes in KiB.
pub fn partitions() -> Vec<u8> {
    let mut out = String::from("major minor  #blocks  name\n\n");
    for device in block_devices() {
        let ((major, minor), name) = (device.number, String::from_utf8_lossy(&device.name));
        let _ = writeln!(out, "{major:4} {minor:8} {:10} {name}", device.sectors / 2);
    }
    out.into_bytes()
}
