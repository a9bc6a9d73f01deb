//! What firmware and boot loader need, from the disk that the running system was started from (or that has its image): GRUB's first sector, its core
//! image, and the files of the EFI system partition with kernel, initfs and menu.

use crate::error::{Error, IoContext, Result};
use crate::window::{Reader, Window};
use image_builder::tree::{Entry, Kind, Tree};
use partitions::{Partition, ReadAt};
use redoxfsd::device::Device;
use std::io::{self, Read};

/// The most bytes that the files of an EFI system partition may have.
const MAX_ESP: u64 = 1 << 30;
/// GRUB's core image must fit into its partition, and into the memory of a BIOS.
const MAX_CORE: u64 = 512 << 10;

/// What makes a disk start.
pub struct BootParts {
    /// The first sector, with GRUB's code for BIOS.
    pub sector: [u8; 512],
    /// GRUB's core image for BIOS.
    pub core: Vec<u8>,
    /// The files of the EFI system partition.
    pub esp: Tree,
}

struct Adapter<'d, D>(&'d mut D);

impl<D: Device> ReadAt for Adapter<'_, D> {
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.0.read_at(offset, buffer)
    }
}

/// The partitions of a device.
///
/// # Errors
/// Those of [`partitions::read`].
pub fn partitions_of<D: Device>(device: &mut D) -> std::result::Result<Vec<Partition>, partitions::TableError> {
    let bytes = device.size()?;
    partitions::read(&mut Adapter(device), bytes, 512)
}

impl BootParts {
    /// Reads them from a disk with this system.
    ///
    /// # Errors
    /// [`Error::Source`] where it is no such disk, [`Error::Io`] where it does not read.
    pub fn read<D: Device>(device: &mut D) -> Result<Self> {
        let partitions = partitions_of(device).map_err(|error| Error::Source(error.to_string()))?;
        let find = |name: &str| partitions.iter().find(|part| part.name == name).ok_or_else(|| Error::Source(format!("it has no partition {name}")));
        let (bios, esp) = (find("genai-bios")?, find("genai-efi")?);
        let mut sector = [0; 512];
        device.read_at(0, &mut sector).on(|| "read the first sector".into())?;
        if sector[510..] != [0x55, 0xaa] || sector[..440].iter().all(|byte| *byte == 0) {
            return Err(Error::Source("its first sector has no boot loader".into()));
        }
        let core = read_core(device, bios)?;
        let window = Window { device, start: esp.start, len: esp.len };
        let reader = Reader::new(window).on(|| "read the EFI system partition".into())?;
        Ok(Self { sector, core, esp: read_fat(reader)? })
    }
}

/// The core image, as long as its block list says.
fn read_core<D: Device>(device: &mut D, partition: &Partition) -> Result<Vec<u8>> {
    let mut first = [0; 512];
    device.read_at(partition.start, &mut first).on(|| "read GRUB's core image".into())?;
    let sectors = u64::from(u16::from_le_bytes([first[508], first[509]]));
    let bytes = (1 + sectors) * 512;
    if sectors == 0 || bytes > partition.len.min(MAX_CORE) {
        return Err(Error::Source("its partition genai-bios holds no core image of GRUB's".into()));
    }
    let mut core = vec![0; bytes as usize];
    device.read_at(partition.start, &mut core).on(|| "read GRUB's core image".into())?;
    Ok(core)
}

/// All files of a FAT filesystem.
fn read_fat<D: Device>(reader: Reader<D>) -> Result<Tree> {
    let bad = |error: io::Error| Error::Source(format!("its EFI system partition: {error}"));
    let fs = fatfs::FileSystem::new(reader, fatfs::FsOptions::new()).map_err(bad)?;
    let mut tree = Tree::default();
    let mut left = MAX_ESP;
    let mut folders = vec![(fs.root_dir(), String::new())];
    while let Some((folder, path)) = folders.pop() {
        for entry in folder.iter() {
            let entry = entry.map_err(bad)?;
            let name = entry.file_name();
            if matches!(name.as_str(), "." | "..") {
                continue;
            }
            let inside = if path.is_empty() { name } else { format!("{path}/{name}") };
            if entry.is_dir() {
                tree.insert(&inside, Entry::new(Kind::Directory, 0o755, 0))?;
                folders.push((entry.to_dir(), inside));
                continue;
            }
            left = left.checked_sub(entry.len()).ok_or_else(|| Error::Source("its EFI system partition has more than it can hold".into()))?;
            let mut bytes = Vec::new();
            entry.to_file().read_to_end(&mut bytes).map_err(bad)?;
            tree.insert(&inside, Entry::new(Kind::File(bytes.into()), 0o644, 0))?;
        }
    }
    Ok(tree)
}

/// `options.cfg` of the boot menu for a root filesystem with this GUID: the parameters are kept but for `root=`.
///
/// # Errors
/// [`Error::Source`] where the text has no line with parameters.
pub fn options_for(text: &str, root_guid: &str) -> Result<String> {
    const PARAMETERS: &str = "set gos_extra='";
    let mut found = false;
    let mut lines = String::new();
    for line in text.lines() {
        match line.strip_prefix(PARAMETERS).and_then(|rest| rest.strip_suffix('\'')) {
            Some(parameters) => {
                found = true;
                let root = format!("root=PARTUUID={root_guid}");
                let words = parameters.split_whitespace().filter(|word| !word.starts_with("root=")).chain([root.as_str()]);
                lines += &format!("{PARAMETERS}{}'\n", words.collect::<Vec<_>>().join(" "));
            }
            None => lines += &format!("{line}\n"),
        }
    }
    if !found {
        return Err(Error::Source("its boot menu has no parameters (boot/grub/options.cfg)".into()));
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_menu_gets_the_new_root() {
        let old = "set gos_timeout=2\nset gos_default='full'\nset gos_extra='target=console root=/scheme/disk.live/3 ai=local'\n";
        let new = options_for(old, "1-2").expect("fine");
        assert_eq!(new, "set gos_timeout=2\nset gos_default='full'\nset gos_extra='target=console ai=local root=PARTUUID=1-2'\n");
        assert_eq!(options_for(&new, "1-2").expect("fine"), new);
        assert!(options_for("set gos_timeout=2\n", "1-2").is_err());
    }
}
