//! The disks there are, and what is on them.

use crate::error::{Error, IoContext, Result};
use crate::marker;
use crate::source::partitions_of;
use redoxfsd::device::Device;
use serde::Serialize;
use std::fs::{self, File};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const MIB: u64 = 1 << 20;
/// Where init tells what the root filesystem is on.
const ROOT_DEVICE: &str = "/run/gci/root-device";

/// A disk that could be installed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Disk {
    /// Where it is.
    pub path: PathBuf,
    /// What it is called by those who say that it may be erased: its name and its size, so that no disk is taken for another.
    pub id: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// What the device calls itself; empty where it does not.
    pub model: String,
    /// What is on it.
    pub content: String,
    /// Why it cannot be installed to, where it cannot.
    pub unusable: Option<String>,
}

/// The disks of this machine, by name.
pub fn all() -> Vec<Disk> {
    let entries = fs::read_dir("/sys/block").into_iter().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.retain(|name| !["loop", "ram", "zram", "sr", "fd", "nbd"].iter().any(|kind| name.starts_with(kind)));
    names.sort();
    let present = |name: &String| attribute(name, "size").is_some_and(|sectors| sectors != "0");
    names.into_iter().filter(present).filter_map(|name| examine(&Path::new("/dev").join(name)).ok()).collect()
}

fn attribute(name: &str, attribute: &str) -> Option<String> {
    let text = fs::read_to_string(Path::new("/sys/block").join(name).join(attribute)).ok()?;
    Some(text.trim().to_owned())
}

/// Looks at a disk, or at a file that stands for one.
///
/// # Errors
/// [`Error::Io`] where it does not open or read.
pub fn examine(path: &Path) -> Result<Disk> {
    let mut file = File::open(path).on(|| format!("open {}", path.display()))?;
    let bytes = file.size().on(|| format!("ask {} for its size", path.display()))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let model = match (attribute(&name, "device/model"), name.starts_with("vd")) {
        (Some(model), _) if !model.is_empty() => model,
        (_, true) => "virtio disk".into(),
        _ => String::new(),
    };
    let unusable = use_of(path, &name).or_else(|| (attribute(&name, "ro").as_deref() == Some("1")).then(|| "nothing can be written to it".to_owned()));
    Ok(Disk { path: path.to_owned(), id: format!("{name}-{}MiB", bytes / MIB), bytes, model, content: content(&mut file, bytes), unusable })
}

/// What a disk is used for, if it is.
fn use_of(path: &Path, name: &str) -> Option<String> {
    if root_disk().is_some_and(|root| root.0 == path || root.0 == scheme_of(name)) {
        return Some("the running system is on it".into());
    }
    let device = format!("/dev/{name}");
    for (table, what) in [("/proc/self/mounts", "is mounted"), ("/proc/swaps", "is used for swapping")] {
        let text = fs::read_to_string(table).unwrap_or_default();
        let is_ours = |it: &str| it.strip_prefix(&device).is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'p'));
        if let Some(used) = text.lines().filter_map(|line| line.split_whitespace().next()).find(|it| is_ours(it)) {
            return Some(format!("{used} {what}"));
        }
    }
    None
}

fn scheme_of(name: &str) -> PathBuf {
    PathBuf::from(format!("/scheme/disk.{name}"))
}

/// The disk that the running system's root filesystem is on, and the number of its partition.
pub fn root_disk() -> Option<(PathBuf, u32)> {
    let text = fs::read_to_string(ROOT_DEVICE).ok()?;
    let (disk, number) = text.trim().rsplit_once('/')?;
    Some((PathBuf::from(disk), number.parse().ok()?))
}

/// Opens a disk for writing.
///
/// # Errors
/// [`Error::Disk`] where it is in use, [`Error::Io`] where it does not open.
pub fn open(disk: &Disk) -> Result<File> {
    if let Some(reason) = &disk.unusable {
        return Err(Error::Disk(format!("{}: {reason}", disk.path.display())));
    }
    let is_block = fs::metadata(&disk.path).is_ok_and(|it| it.file_type().is_block_device());
    let mut options = File::options();
    options.read(true).write(true);
    // On Linux this is what keeps from a disk that anything has mounted.
    if is_block && !Path::new("/scheme/memory").exists() {
        options.custom_flags(libc::O_EXCL);
    }
    options.open(&disk.path).on(|| format!("open {} for writing", disk.path.display()))
}

/// What is on a disk, in words.
fn content(disk: &mut File, bytes: u64) -> String {
    let mut start = vec![0; bytes.min(68 << 10) as usize];
    if disk.read_at(0, &mut start).is_err() {
        return "cannot be read".into();
    }
    if marker::is_marked(&start) {
        return "an interrupted installation".into();
    }
    match partitions_of(disk) {
        Ok(partitions) if partitions.is_empty() => return "an empty partition table".into(),
        Ok(partitions) => {
            let one = |it: &partitions::Partition| {
                let name = if it.name.is_empty() { "without a name" } else { &it.name };
                format!("{} {name:?} {} MiB", it.number, it.len / MIB)
            };
            return format!("partitions: {}", partitions.iter().map(one).collect::<Vec<_>>().join(", "));
        }
        Err(partitions::TableError::None) => {}
        Err(error) => return error.to_string(),
    }
    let has = |at: usize, magic: &[u8]| start.get(at..at + magic.len()) == Some(magic);
    match () {
        () if has(0, b"RedoxFS\0") => "a filesystem: RedoxFS".into(),
        () if has(0x438, &[0x53, 0xef]) => "a filesystem: ext4, ext3 or ext2".into(),
        () if has(0x1_0040, b"_BHRfS_M") => "a filesystem: btrfs".into(),
        () if has(0, b"XFSB") => "a filesystem: XFS".into(),
        () if has(3, b"NTFS    ") => "a filesystem: NTFS".into(),
        () if has(0, b"LUKS\xba\xbe") => "an encrypted volume: LUKS".into(),
        () if has(0x52, b"FAT32") || has(0x36, b"FAT1") => "a filesystem: FAT".into(),
        () if has(510, &[0x55, 0xaa]) => "a master boot record".into(),
        () if start.iter().all(|byte| *byte == 0) => "nothing in its beginning".into(),
        () => "unknown data".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_are_recognised() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("disk");
        let look = |bytes: &[u8]| {
            fs::write(&path, bytes).expect("writes");
            examine(&path).expect("opens")
        };
        let empty = look(&vec![0; 3 << 20]);
        assert_eq!((empty.id.as_str(), empty.bytes, empty.content.as_str()), ("disk-3MiB", 3 << 20, "nothing in its beginning"));
        assert_eq!(empty.unusable, None);
        let mut ext = vec![0; 1 << 20];
        ext[0x438..0x43a].copy_from_slice(&[0x53, 0xef]);
        assert!(look(&ext).content.contains("ext4"));
        ext[..512].copy_from_slice(&marker::sector());
        assert_eq!(look(&ext).content, "an interrupted installation");
        assert_eq!(look(&[1; 100]).content, "unknown data");
    }
}
