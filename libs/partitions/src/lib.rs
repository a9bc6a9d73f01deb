//! GUID partition tables (UEFI specification 2.10, section 5.3), read-only.
//!
//! A disk's content is not trusted: sizes are bounded, checksums are verified, partitions that do not lie on the disk are
//! left out. Where the primary table is damaged, the backup at the end of the disk is used.

use std::io;

/// The most entries a table may have; the usual number is 128.
const MAX_ENTRIES: u32 = 1024;
/// The largest entry; the usual size is 128 bytes.
const MAX_ENTRY_BYTES: u32 = 4096;

/// Reads `buffer.len()` bytes (whole blocks) at a byte offset.
pub trait ReadAt {
    /// Reads all of `buffer`, or fails.
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;
}

impl ReadAt for std::fs::File {
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(self, buffer, offset)
    }
}

impl ReadAt for &[u8] {
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        let end = start
            .checked_add(buffer.len())
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(self.get(start..end).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

/// A partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Its number: the place in the table, from 1 on.
    pub number: u32,
    /// First byte on the disk.
    pub start: u64,
    /// Length in bytes.
    pub len: u64,
    /// Type GUID as stored (mixed-endian).
    pub type_guid: [u8; 16],
    /// Unique GUID as stored.
    pub guid: [u8; 16],
    /// Its name.
    pub name: String,
}

impl Partition {
    /// The unique GUID in its usual spelling, lower case.
    pub fn guid_text(&self) -> String {
        let g = &self.guid;
        let hex = |bytes: &[u8]| {
            bytes
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        };
        format!(
            "{}-{}-{}-{}-{}",
            hex(&[g[3], g[2], g[1], g[0]]),
            hex(&[g[5], g[4]]),
            hex(&[g[7], g[6]]),
            hex(&g[8..10]),
            hex(&g[10..])
        )
    }
}

/// Why there are no partitions.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The disk has no GUID partition table: it may be used as a whole.
    #[error("no GUID partition table")]
    None,
    /// There is one, but neither copy is usable.
    #[error("the partition table is damaged: {0}")]
    Damaged(&'static str),
    /// The disk cannot be read.
    #[error("reading the partition table: {0}")]
    Io(#[from] io::Error),
}

/// Reads the partition table of a disk of `disk_bytes`, with blocks of `block_bytes`.
pub fn read(
    disk: &mut dyn ReadAt,
    disk_bytes: u64,
    block_bytes: u32,
) -> Result<Vec<Partition>, TableError> {
    let block = u64::from(block_bytes.clamp(512, 1 << 16));
    let blocks = disk_bytes / block;
    if blocks < 3 {
        return Err(TableError::None);
    }
    match read_copy(disk, 1, blocks, block) {
        Err(primary) if !matches!(primary, TableError::Io(_)) => {
            read_copy(disk, blocks - 1, blocks, block).map_err(|backup| match backup {
                TableError::Io(_) => backup,
                // Whichever copy there is a trace of says more than "none".
                _ if matches!(primary, TableError::None) => backup,
                _ => primary,
            })
        }
        result => result,
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..at + 4)
        .map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

fn guid_at(bytes: &[u8], at: usize) -> [u8; 16] {
    let mut guid = [0; 16];
    guid.copy_from_slice(&bytes[at..at + 16]);
    guid
}

/// Reads the copy whose header lies in block `lba`.
fn read_copy(
    disk: &mut dyn ReadAt,
    lba: u64,
    blocks: u64,
    block: u64,
) -> Result<Vec<Partition>, TableError> {
    let mut header = vec![0; block as usize];
    disk.read_at(lba * block, &mut header)?;
    if &header[..8] != b"EFI PART" {
        return Err(TableError::None);
    }
    let header_len = u32_at(&header, 12) as usize;
    if !(92..=header.len()).contains(&header_len) {
        return Err(TableError::Damaged("impossible header size"));
    }
    let stated = u32_at(&header, 16);
    header[16..20].fill(0);
    if crc32fast::hash(&header[..header_len]) != stated {
        return Err(TableError::Damaged("wrong header checksum"));
    }
    let (first_entry, count, size) = (
        u64_at(&header, 72),
        u32_at(&header, 80),
        u32_at(&header, 84),
    );
    if count > MAX_ENTRIES || !(128..=MAX_ENTRY_BYTES).contains(&size) {
        return Err(TableError::Damaged("impossible number or size of entries"));
    }
    let bytes = count as usize * size as usize;
    let mut entries = vec![0; bytes.next_multiple_of(block as usize)];
    if first_entry.saturating_add(entries.len() as u64 / block) > blocks {
        return Err(TableError::Damaged("entries outside the disk"));
    }
    disk.read_at(first_entry * block, &mut entries)?;
    if crc32fast::hash(&entries[..bytes]) != u32_at(&header, 88) {
        return Err(TableError::Damaged("wrong checksum of the entries"));
    }
    let numbered = (1..).zip(entries[..bytes].chunks_exact(size as usize));
    Ok(numbered
        .filter_map(|(number, entry)| parse_entry(number, entry, blocks, block))
        .collect())
}

fn parse_entry(number: u32, entry: &[u8], blocks: u64, block: u64) -> Option<Partition> {
    let (first, last) = (u64_at(entry, 32), u64_at(entry, 40));
    let type_guid = guid_at(entry, 0);
    if type_guid == [0; 16] || first > last || last >= blocks {
        return None;
    }
    let units: Vec<u16> = entry[56..128]
        .chunks_exact(2)
        .map(|unit| u16::from_le_bytes([unit[0], unit[1]]))
        .collect();
    let end = units
        .iter()
        .position(|unit| *unit == 0)
        .unwrap_or(units.len());
    Some(Partition {
        number,
        start: first * block,
        len: (last - first + 1) * block,
        type_guid,
        guid: guid_at(entry, 16),
        name: String::from_utf16_lossy(&units[..end]),
    })
}

#[cfg(test)]
mod tests;
