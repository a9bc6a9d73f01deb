//! What the machine has, and which drivers that takes.

use boot_params::Root;
use driver::address::PciAddress;
use driver::config::ConfigFile;
use driver::pci::PCI_ROOT;
use std::fs::{self, File};
use std::io::{Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Virtio device types with a driver (virtio 1.1, section 5).
const VIRTIO_NETWORK: u16 = 1;
const VIRTIO_BLOCK: u16 = 2;
const VIRTIO_CONSOLE: u16 = 3;
const VIRTIO_INPUT: u16 = 18;

/// Drivers to start: a name for messages, and the command's words without their directory.
pub type DriverCommand = (String, Vec<String>);

/// The drivers of the virtio devices that pcid lists, in the order of their addresses.
pub fn virtio_drivers() -> Vec<DriverCommand> {
    let Ok(entries) = fs::read_dir(PCI_ROOT) else {
        return Vec::new();
    };
    let mut addresses: Vec<PciAddress> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    addresses.sort();
    let types: Vec<(PciAddress, u16)> = addresses
        .into_iter()
        .filter_map(|address| {
            let path = Path::new(PCI_ROOT).join(address.to_string()).join("config");
            let kind =
                File::open(&path).and_then(|file| virtio::pci::device_type(&ConfigFile(file)));
            if let Err(error) = &kind {
                tracing::warn!("reading {}: {error}", path.display());
            }
            Some((address, kind.ok()??))
        })
        .collect();
    drivers_of(&types)
}

fn drivers_of(types: &[(PciAddress, u16)]) -> Vec<DriverCommand> {
    let mut disks = 0;
    let mut cards = 0;
    let mut drivers = Vec::new();
    for (address, kind) in types {
        match *kind {
            VIRTIO_NETWORK => {
                let name = format!("eth{cards}");
                cards += 1;
                let words = vec!["virtio-netd".to_owned(), address.to_string(), name.clone()];
                drivers.push((format!("virtio-netd {name}"), words));
            }
            VIRTIO_BLOCK => {
                let name = disk_name(disks);
                disks += 1;
                let words = vec!["virtio-blkd".to_owned(), address.to_string(), name.clone()];
                drivers.push((format!("virtio-blkd {name}"), words));
            }
            VIRTIO_INPUT => {
                drivers.push((
                    format!("virtio-inputd {address}"),
                    vec!["virtio-inputd".to_owned(), address.to_string()],
                ));
            }
            VIRTIO_CONSOLE => {
                drivers.push((
                    "virtio-seriald".to_owned(),
                    vec!["virtio-seriald".to_owned(), address.to_string()],
                ));
            }
            _ => {}
        }
    }
    drivers
}

/// Linux's names of virtio disks: vda, vdb, ... vdz, vdaa, ...
fn disk_name(mut index: usize) -> String {
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
    format!("vd{}", String::from_utf8_lossy(&letters))
}

/// The disks' scheme paths, by name.
pub fn disks() -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir("/scheme") else {
        return Vec::new();
    };
    let is_disk = |path: &PathBuf| {
        path.file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.starts_with("disk."))
    };
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(is_disk)
        .collect();
    found.sort();
    found
}

/// The device path of the root filesystem, once it is there.
pub fn find_root(root: Root<'_>) -> Option<String> {
    match root {
        Root::Path(path) => {
            let path = path
                .strip_prefix("/dev/")
                .and_then(scheme_of_device)
                .unwrap_or_else(|| path.to_owned());
            Path::new(&path).exists().then_some(path)
        }
        Root::PartLabel(label) => disks().into_iter().find_map(|disk| {
            let number = partition_of(&disk, label)?;
            Some(format!("{}/{number}", disk.display()))
        }),
    }
}

/// `vda3` as `/scheme/disk.vda/3`: `/dev` may not be complete yet.
fn scheme_of_device(device: &str) -> Option<String> {
    let letters = device.trim_end_matches(|c: char| c.is_ascii_digit());
    if !letters.starts_with("vd") {
        return None;
    }
    let number = &device[letters.len()..];
    Some(if number.is_empty() {
        format!("/scheme/disk.{letters}")
    } else {
        format!("/scheme/disk.{letters}/{number}")
    })
}

/// The number of the partition with this name.
fn partition_of(disk: &Path, label: &str) -> Option<u32> {
    let mut file = File::open(disk).ok()?;
    // Not from its attributes: those of block devices say 0 on Linux.
    let bytes = file.seek(SeekFrom::End(0)).ok()?;
    let partitions = match partitions::read(&mut file, bytes, 512) {
        Ok(partitions) => partitions,
        Err(partitions::TableError::None) => return None,
        Err(error) => {
            tracing::warn!("{}: {error}", disk.display());
            return None;
        }
    };
    Some(
        partitions
            .into_iter()
            .find(|part| part.name == label)?
            .number,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disks_are_named_in_order() {
        let names: Vec<String> = [0, 1, 25, 26, 51, 52, 701, 702]
            .into_iter()
            .map(disk_name)
            .collect();
        assert_eq!(
            names,
            ["vda", "vdb", "vdz", "vdaa", "vdaz", "vdba", "vdzz", "vdaaa"]
        );
    }

    #[test]
    fn each_device_gets_its_driver() {
        let at = |text: &str| text.parse().unwrap();
        let types = [
            (at("0000:00:02.0"), 1),
            (at("0000:00:03.0"), 2),
            (at("0000:00:04.0"), 3),
            (at("0000:00:06.0"), 18),
            (at("0000:01:00.0"), 2),
        ];
        let commands: Vec<String> = drivers_of(&types)
            .into_iter()
            .map(|(_, words)| words.join(" "))
            .collect();
        assert_eq!(
            commands,
            [
                "virtio-netd 0000:00:02.0 eth0",
                "virtio-blkd 0000:00:03.0 vda",
                "virtio-seriald 0000:00:04.0",
                "virtio-inputd 0000:00:06.0",
                "virtio-blkd 0000:01:00.0 vdb"
            ]
        );
    }

    #[test]
    fn device_names_become_scheme_paths() {
        assert_eq!(
            scheme_of_device("vda3").as_deref(),
            Some("/scheme/disk.vda/3")
        );
        assert_eq!(scheme_of_device("vdb").as_deref(), Some("/scheme/disk.vdb"));
        assert_eq!(scheme_of_device("sda1"), None);
    }
}
