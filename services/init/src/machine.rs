//! The disks of the machine, and the root filesystem on one of them.

use boot_params::Root;
use partitions::Partition;
use std::fs::{self, File};
use std::io::{Seek, SeekFrom};
use std::path::{Path, PathBuf};

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
        Root::PartLabel(label) => find_partition(|part| part.name == label),
        Root::PartUuid(guid) => find_partition(|part| part.guid_text().eq_ignore_ascii_case(guid)),
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

/// The scheme path of the first partition that is the wanted one.
fn find_partition(is_wanted: impl Fn(&Partition) -> bool) -> Option<String> {
    disks().into_iter().find_map(|disk| {
        let number = partition_of(&disk, &is_wanted)?;
        Some(format!("{}/{number}", disk.display()))
    })
}

/// The number of the wanted partition.
fn partition_of(disk: &Path, is_wanted: impl Fn(&Partition) -> bool) -> Option<u32> {
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
            .find(is_wanted)?
            .number,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

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
