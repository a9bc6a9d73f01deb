//! Partition tables: a protective MBR and both GPTs, made in memory, so that whoever writes them decides on the order.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom, Write};

use gpt::disk::LogicalBlockSize;
use gpt::mbr::ProtectiveMBR;
use gpt::partition_types;
use uuid::Uuid;

use crate::disk::{Layout, ROOT_NAME};
use crate::error::{Error, Result};
use crate::grub::SECTOR;

/// GUIDs of a disk: of itself, and of its three partitions in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identifiers {
    /// The disk's.
    pub disk: u128,
    /// Those of the partitions 1 to 3.
    pub partitions: [u128; 3],
}

impl Identifiers {
    /// Those of every image: equal inputs give equal images.
    pub const IMAGE: Self = {
        let base = 0x4745_4e41_494f_5300_8000_0000_0000_0000;
        Self { disk: base, partitions: [base + 1, base + 2, base + 3] }
    };

    /// Random ones (version 4, variant 1) from 64 random bytes.
    pub fn random(bytes: [u8; 64]) -> Self {
        let one = |number: usize| {
            let mut it = [0; 16];
            it.copy_from_slice(&bytes[number * 16..][..16]);
            let cleared = u128::from_be_bytes(it) & !(0xf << 76) & !(0b11 << 62);
            cleared | 4 << 76 | 0b10 << 62
        };
        Self { disk: one(0), partitions: [one(1), one(2), one(3)] }
    }

    /// The root partition's in its usual spelling, as `root=PARTUUID=` has it.
    pub fn root(&self) -> String {
        Uuid::from_u128(self.partitions[2]).to_string()
    }
}

/// Sectors that follow one another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Where the first one begins, in bytes.
    pub offset: u64,
    /// All of them.
    pub bytes: Vec<u8>,
}

/// The table of a disk of `disk_bytes` (whole sectors of 512 bytes). The runs are in the order in which they are best written: the second table,
/// the entries of the first, its header, and the master boot record, without which no firmware takes the disk for partitioned.
pub fn table(disk_bytes: u64, layout: Layout, identifiers: Identifiers) -> Result<Vec<Run>> {
    let bad = |error: &dyn std::fmt::Display| Error::image("GPT", error);
    let mut device = Sparse { len: disk_bytes, at: 0, sectors: BTreeMap::new() };
    let sectors = u32::try_from(disk_bytes / SECTOR - 1).unwrap_or(u32::MAX);
    ProtectiveMBR::with_lb_size(sectors).overwrite_lba0(&mut device).map_err(|error| bad(&error))?;
    let mut table = gpt::GptConfig::new()
        .writable(true)
        .logical_block_size(LogicalBlockSize::Lb512)
        .create_from_device(&mut device, Some(Uuid::from_u128(identifiers.disk)))
        .map_err(|error| bad(&error))?;
    let entries = [
        ("genai-bios", partition_types::BIOS, layout.bios),
        ("genai-efi", partition_types::EFI, layout.esp),
        (ROOT_NAME, partition_types::LINUX_FS, layout.root),
    ];
    let mut partitions = BTreeMap::new();
    for ((number, guid), (name, kind, (start, len))) in (1u32..).zip(identifiers.partitions).zip(entries) {
        let partition = gpt::partition::Partition {
            part_type_guid: kind,
            part_guid: Uuid::from_u128(guid),
            first_lba: start / SECTOR,
            last_lba: (start + len) / SECTOR - 1,
            flags: 0,
            name: name.to_owned(),
        };
        partitions.insert(number, partition);
    }
    table.update_partitions(partitions).map_err(|error| bad(&error))?;
    table.write().map_err(|error| bad(&error))?;
    let sector = |lba: u64| device.sectors.get(&lba).copied().unwrap_or([0; SECTOR as usize]);
    let run = |from: u64, to: u64| Run { offset: from * SECTOR, bytes: (from..to).flat_map(sector).collect() };
    let end = disk_bytes / SECTOR;
    // 128 entries of 128 bytes are 32 sectors.
    Ok(vec![run(end - 33, end), run(2, 34), run(1, 2), run(0, 1)])
}

/// A disk of zeroes that remembers what is written.
#[derive(Debug)]
struct Sparse {
    len: u64,
    at: u64,
    sectors: BTreeMap<u64, [u8; SECTOR as usize]>,
}

impl Sparse {
    /// The sector at the position, where in it that is, and how much of `wanted` bytes lie in it.
    fn here(&self, wanted: usize) -> (u64, usize, usize) {
        let within = (self.at % SECTOR) as usize;
        let left = usize::try_from(self.len.saturating_sub(self.at)).unwrap_or(usize::MAX);
        (self.at / SECTOR, within, wanted.min(SECTOR as usize - within).min(left))
    }
}

impl Read for Sparse {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (sector, within, count) = self.here(buffer.len());
        match self.sectors.get(&sector) {
            Some(bytes) => buffer[..count].copy_from_slice(&bytes[within..within + count]),
            None => buffer[..count].fill(0),
        }
        self.at += count as u64;
        Ok(count)
    }
}

impl Write for Sparse {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let (sector, within, count) = self.here(data.len());
        if count > 0 {
            self.sectors.entry(sector).or_insert([0; SECTOR as usize])[within..within + count].copy_from_slice(&data[..count]);
        }
        self.at += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Sparse {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = crate::seek::target(to, self.at, self.len)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_identifiers_say_that_they_are() {
        let identifiers = Identifiers::random([0xff; 64]);
        assert_eq!(identifiers.root(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(Identifiers::random([0; 64]).root(), "00000000-0000-4000-8000-000000000000");
    }

    #[test]
    fn a_sparse_disk_reads_what_was_written() {
        let mut disk = Sparse { len: 2000, at: 0, sectors: BTreeMap::new() };
        disk.seek(SeekFrom::Start(500)).expect("seeks");
        disk.write_all(&[7; 600]).expect("writes");
        disk.seek(SeekFrom::Start(0)).expect("seeks");
        let mut all = Vec::new();
        disk.read_to_end(&mut all).expect("reads");
        assert_eq!(all.len(), 2000);
        assert!(all.iter().enumerate().all(|(at, byte)| *byte == if (500..1100).contains(&at) { 7 } else { 0 }));
        assert!(disk.write_all(&[1]).is_err(), "past the end");
    }
}
