//! The disk image: GPT with a BIOS boot partition, the EFI system partition and the root.

use std::fs::File;
use std::io::{Cursor, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::error::{Error, IoContext, Result};
use crate::grub::{self, SECTOR};
use crate::recipe::DiskSizes;
use crate::redoxfs;
use crate::table::{self, Identifiers};
use crate::tree::{Kind, Tree};
use crate::window::Window;

const MIB: u64 = 1 << 20;

/// The root partition's name, by which `root=PARTLABEL=genai-root` finds it.
pub const ROOT_NAME: &str = "genai-root";

/// Byte ranges of the partitions: number, start, length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// GRUB's core image: from the first mebibyte, one long.
    pub bios: (u64, u64),
    /// The EFI system partition.
    pub esp: (u64, u64),
    /// The root filesystem; the last mebibyte is left to the second partition table.
    pub root: (u64, u64),
}

impl Layout {
    /// The layout for these sizes; an error where the root would have less than 64 MiB.
    pub fn new(sizes: DiskSizes) -> Result<Self> {
        let esp_end = 2 + sizes.esp_mib;
        match sizes.size_mib.checked_sub(esp_end + 1) {
            Some(root) if root >= 64 && sizes.esp_mib >= 8 => Ok(Self {
                bios: (MIB, MIB),
                esp: (2 * MIB, sizes.esp_mib * MIB),
                root: (esp_end * MIB, root * MIB),
            }),
            _ => Err(Error::config(
                "filesystem.toml",
                format!(
                    "a disk of {} MiB with an ESP of {} MiB leaves too little room",
                    sizes.size_mib, sizes.esp_mib
                ),
            )),
        }
    }
}

/// What goes into a disk.
pub(crate) struct Parts<'p> {
    /// The root filesystem.
    pub root: &'p Tree,
    /// The EFI system partition's files.
    pub esp: &'p Tree,
    /// GRUB's core image for BIOS.
    pub core: Vec<u8>,
    /// The root directory's time, seconds since 1970.
    pub time: u64,
}

/// Writes a disk image to `path` (sparse).
pub(crate) fn write(path: &Path, sizes: DiskSizes, parts: Parts<'_>) -> Result<()> {
    let layout = Layout::new(sizes)?;
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)
        .on("create", path)?;
    file.set_len(sizes.size_mib * MIB).on("enlarge", path)?;
    write_boot_parts(&file, path, sizes, parts.esp, parts.core)?;
    let window = Window::new(
        file.try_clone().on("open", path)?,
        layout.root.0,
        layout.root.1,
    );
    redoxfs::create(window, parts.root, redoxfs::Options { time: parts.time, ..Default::default() })
}

/// Writes all but the root of a disk image, which keeps its root: a new kernel does not cost the time of a root.
pub(crate) fn rewrite_boot_parts(
    path: &Path,
    sizes: DiskSizes,
    esp: &Tree,
    core: Vec<u8>,
) -> Result<()> {
    let file = File::options()
        .read(true)
        .write(true)
        .open(path)
        .on("open", path)?;
    write_boot_parts(&file, path, sizes, esp, core)
}

fn write_boot_parts(
    file: &File,
    path: &Path,
    sizes: DiskSizes,
    esp: &Tree,
    core: Vec<u8>,
) -> Result<()> {
    let layout = Layout::new(sizes)?;
    write_table(file, path, sizes.size_mib * MIB, layout)?;
    install_grub(file, path, layout, core)?;
    let esp = fat(esp, layout.esp.1)?;
    write_sparse(file, path, &esp, layout.esp.0)
}

/// Writes the protective MBR and both GPTs.
fn write_table(file: &File, path: &Path, size: u64, layout: Layout) -> Result<()> {
    for run in table::table(size, layout, Identifiers::IMAGE)? {
        file.write_all_at(&run.bytes, run.offset).on("write", path)?;
    }
    Ok(())
}

fn install_grub(file: &File, path: &Path, layout: Layout, mut core: Vec<u8>) -> Result<()> {
    let (start, len) = layout.bios;
    if core.len() as u64 > len {
        return Err(Error::image(
            "GRUB",
            format!("core.img has {} bytes, the partition {len}", core.len()),
        ));
    }
    let core_sector = start / SECTOR;
    grub::install_block_list(&mut core, core_sector)?;
    file.write_all_at(&core, start).on("write", path)?;
    let mut mbr = [0; 512];
    file.read_exact_at(&mut mbr, 0).on("read", path)?;
    grub::install_boot_sector(&mut mbr, &grub::boot_sector()?, core_sector)?;
    file.write_all_at(&mbr, 0).on("write", path)
}

/// A FAT filesystem of `size` bytes that holds a tree of directories and files (owners and modes do not exist there).
pub fn fat(tree: &Tree, size: u64) -> Result<Vec<u8>> {
    let bad = |error: std::io::Error| Error::image("ESP", error);
    let mut image = Cursor::new(vec![
        0;
        usize::try_from(size)
            .map_err(|error| Error::image("ESP", error))?
    ]);
    let options = fatfs::FormatVolumeOptions::new()
        .volume_label(*b"GENAI-EFI  ")
        .volume_id(0x4745_4e41);
    fatfs::format_volume(&mut image, options).map_err(bad)?;
    let fs = fatfs::FileSystem::new(&mut image, fatfs::FsOptions::new()).map_err(bad)?;
    for (path, entry) in tree.iter() {
        let on = |error: std::io::Error| Error::image("ESP", format!("/{path}: {error}"));
        match &entry.kind {
            Kind::Directory => drop(fs.root_dir().create_dir(path).map_err(on)?),
            Kind::File(content) => {
                let mut file = fs.root_dir().create_file(path).map_err(on)?;
                file.write_all(&content.read()?).map_err(on)?;
            }
            Kind::Symlink(_) | Kind::HardLink(_) => {
                return Err(Error::tree(path, "FAT has no links"));
            }
        }
    }
    fs.unmount().map_err(bad)?;
    Ok(image.into_inner())
}

/// Writes `bytes` at `offset`, leaving holes where they are zero and the file has none but zeroes.
fn write_sparse(file: &File, path: &Path, bytes: &[u8], offset: u64) -> Result<()> {
    const CHUNK: usize = 1 << 16;
    let mut old = [0; CHUNK];
    for (index, chunk) in bytes.chunks(CHUNK).enumerate() {
        let at = offset + (index * CHUNK) as u64;
        let old = &mut old[..chunk.len()];
        file.read_exact_at(old, at).on("read", path)?;
        if chunk != old {
            file.write_all_at(chunk, at).on("write", path)?;
        }
    }
    Ok(())
}

/// The root partition of a disk image, found by its name; for reading.
pub fn open_root(path: &Path) -> Result<Window> {
    let table = gpt::GptConfig::new()
        .open(path)
        .map_err(|error| Error::image("GPT", error))?;
    let found = table
        .partitions()
        .values()
        .find(|partition| partition.name == ROOT_NAME);
    let Some(partition) = found else {
        return Err(Error::image(
            "GPT",
            format!("{} has no partition {ROOT_NAME}", path.display()),
        ));
    };
    let file = File::open(path).on("open", path)?;
    let len = (partition.last_lba + 1 - partition.first_lba) * SECTOR;
    Ok(Window::new(file, partition.first_lba * SECTOR, len))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Entry;
    use std::io::Read;

    fn tree(path: &str, bytes: &[u8]) -> Tree {
        let mut tree = Tree::default();
        let entry = Entry::new(Kind::File(bytes.to_vec().into()), 0o600, 5);
        tree.insert(path, entry).expect("inserts");
        tree
    }

    #[test]
    fn a_disk_reads_back_part_by_part() {
        let scratch = tempfile::tempdir().expect("temporary directory");
        let path = scratch.path().join("disk.img");
        let sizes = DiskSizes {
            size_mib: 128,
            esp_mib: 34,
        };
        let (root, esp) = (
            tree("etc/a", b"root"),
            tree("boot/a long name.cfg", &[7; 100_000]),
        );
        let core = vec![0x55; 5 * 512 + 1];
        write(
            &path,
            sizes,
            Parts {
                root: &root,
                esp: &esp,
                core: core.clone(),
                time: 1,
            },
        )
        .expect("writes");

        // The partition table, by the crate's reader, which checks both copies' checksums.
        let table = gpt::GptConfig::new().open(&path).expect("a valid table");
        let layout = Layout::new(sizes).expect("fits");
        let ranges = [layout.bios, layout.esp, layout.root];
        for (number, (start, len)) in (1u32..).zip(ranges) {
            let partition = &table.partitions()[&number];
            let range = (
                partition.first_lba * SECTOR,
                (partition.last_lba + 1) * SECTOR,
            );
            assert_eq!(range, (start, start + len), "partition {number}");
        }
        assert_eq!(table.partitions()[&3].name, ROOT_NAME);
        assert!(table.backup_header().is_ok(), "the second table is good");

        // Writing the boot parts anew leaves nothing of the old and keeps the root.
        let other = tree("boot/a long name.cfg", &[7; 100_000]);
        let bigger = tree("boot/another", &[9; 900_000]);
        for esp in [&bigger, &other] {
            rewrite_boot_parts(&path, sizes, esp, core.clone()).expect("rewrites");
        }

        // GRUB: the boot sector names the core's first sector, the core's block list the rest.
        let image = std::fs::read(&path).expect("reads");
        let core_start = layout.bios.0 as usize;
        assert_eq!(image[510..512], [0x55, 0xaa]);
        assert_eq!(image[0x5c..0x64], (layout.bios.0 / SECTOR).to_le_bytes());
        assert_eq!(
            image[core_start + 500..core_start + 508],
            (layout.bios.0 / SECTOR + 1).to_le_bytes()
        );
        assert_eq!(
            image[core_start + 508..core_start + 510],
            5u16.to_le_bytes()
        );

        let esp = image[layout.esp.0 as usize..(layout.esp.0 + layout.esp.1) as usize].to_vec();
        let fs = fatfs::FileSystem::new(Cursor::new(esp), fatfs::FsOptions::new()).expect("a FAT");
        assert!(fs.root_dir().open_file("boot/another").is_err());
        let mut bytes = Vec::new();
        let mut file = fs
            .root_dir()
            .open_file("boot/a long name.cfg")
            .expect("there");
        file.read_to_end(&mut bytes).expect("reads");
        assert_eq!(bytes, [7; 100_000]);

        let back = redoxfs::read(open_root(&path).expect("found"), Some(0)).expect("reads");
        assert!(matches!(&back.get("etc/a").map(|entry| &entry.kind),
            Some(Kind::File(content)) if content.read().expect("readable") == b"root"));
    }

    #[test]
    fn sizes_that_do_not_fit_are_refused() {
        assert!(
            Layout::new(DiskSizes {
                size_mib: 100,
                esp_mib: 64
            })
            .is_err()
        );
        assert!(
            Layout::new(DiskSizes {
                size_mib: 1,
                esp_mib: 64
            })
            .is_err()
        );
        assert!(fat(&tree("too-big", &[0; 9 << 20]), 8 << 20).is_err());
    }
}
