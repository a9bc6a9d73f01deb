//! A disk image in pieces of 64 KiB, each compressed by Zstandard and readable by itself: the disk that a live medium carries. Pieces of zeroes take no
//! room.
//!
//! The file, all numbers little-endian: the magic `GENAILV1`; the disk's bytes (u64); for each piece where its compressed form begins (u64), and where
//! the last one ends; then these forms. A piece of no bytes is zeroes.

#![deny(unsafe_code)]
#![warn(missing_docs)]

use std::io::{self, Read, Seek, SeekFrom, Write};

/// Bytes of a piece; the last one may be shorter.
pub const PIECE: usize = 64 << 10;
const MAGIC: &[u8; 8] = b"GENAILV1";
/// The most pieces: a disk of 4 TiB.
const MAX_PIECES: u64 = 1 << 26;

fn invalid(text: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text.into())
}

/// Writes the compressed form of `disk`, of `bytes` bytes. `level` is Zstandard's.
///
/// # Errors
/// Those of reading and writing.
pub fn write(disk: &mut impl Read, bytes: u64, level: i32, out: &mut (impl Write + Seek)) -> io::Result<()> {
    let count = bytes.div_ceil(PIECE as u64);
    let start = out.stream_position()?;
    let mut at = (MAGIC.len() + 8) as u64 + (count + 1) * 8;
    let mut places = Vec::with_capacity(count as usize + 1);
    let mut compressor = zstd::bulk::Compressor::new(level)?;
    let mut piece = vec![0; PIECE];
    out.seek(SeekFrom::Start(start + at))?;
    for number in 0..count {
        places.push(at);
        let len = (bytes - number * PIECE as u64).min(PIECE as u64) as usize;
        let piece = &mut piece[..len];
        disk.read_exact(piece)?;
        if piece.iter().any(|byte| *byte != 0) {
            let compressed = compressor.compress(piece)?;
            out.write_all(&compressed)?;
            at += compressed.len() as u64;
        }
    }
    places.push(at);
    out.seek(SeekFrom::Start(start))?;
    out.write_all(MAGIC)?;
    out.write_all(&bytes.to_le_bytes())?;
    let table: Vec<u8> = places.iter().flat_map(|place| place.to_le_bytes()).collect();
    out.write_all(&table)?;
    out.flush()
}

/// A compressed disk that is read.
pub struct LiveDisk<F> {
    file: F,
    bytes: u64,
    places: Vec<u64>,
    compressed: Vec<u8>,
}

impl<F: Read + Seek> LiveDisk<F> {
    /// Reads the table of pieces.
    ///
    /// # Errors
    /// `InvalidData` where it is no such file, those of reading.
    pub fn open(mut file: F) -> io::Result<Self> {
        let len = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(0))?;
        let mut head = [0; 16];
        file.read_exact(&mut head)?;
        let (magic, size) = head.split_at(8);
        if magic != MAGIC {
            return Err(invalid("not the image of a live disk"));
        }
        let bytes = u64::from_le_bytes(size.try_into().unwrap_or_default());
        let count = bytes.div_ceil(PIECE as u64);
        if count > MAX_PIECES {
            return Err(invalid(format!("a disk of {bytes} bytes")));
        }
        let mut table = vec![0; (count as usize + 1) * 8];
        file.read_exact(&mut table)?;
        let places: Vec<u64> = table.chunks_exact(8).map(|it| u64::from_le_bytes(it.try_into().unwrap_or_default())).collect();
        let is_whole = places.windows(2).all(|it| it[0] <= it[1] && it[1] - it[0] <= 2 * PIECE as u64) && places.last().is_some_and(|end| *end <= len);
        if !is_whole {
            return Err(invalid("the table of pieces is damaged, or the image is cut off"));
        }
        Ok(Self { file, bytes, places, compressed: Vec::new() })
    }

    /// The disk's size in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Reads a piece; it has [`PIECE`] bytes, or what is left of the disk.
    ///
    /// # Errors
    /// `InvalidData` where the piece is damaged, `InvalidInput` where there is none of that number, those of reading.
    pub fn piece(&mut self, number: u64) -> io::Result<Vec<u8>> {
        let index = usize::try_from(number).ok().filter(|index| index + 1 < self.places.len()).ok_or(io::ErrorKind::InvalidInput)?;
        let (start, end) = (self.places[index], self.places[index + 1]);
        let len = (self.bytes - number * PIECE as u64).min(PIECE as u64) as usize;
        if start == end {
            return Ok(vec![0; len]);
        }
        self.compressed.resize((end - start) as usize, 0);
        self.file.seek(SeekFrom::Start(start))?;
        self.file.read_exact(&mut self.compressed)?;
        let piece = zstd::bulk::decompress(&self.compressed, len).map_err(|error| invalid(format!("piece {number}: {error}")))?;
        if piece.len() != len {
            return Err(invalid(format!("piece {number} has {} bytes of {len}", piece.len())));
        }
        Ok(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;

    fn compressed(disk: &[u8]) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        write(&mut &disk[..], disk.len() as u64, 3, &mut out).expect("writes");
        out.into_inner()
    }

    fn whole(image: &[u8]) -> io::Result<Vec<u8>> {
        let mut disk = LiveDisk::open(Cursor::new(image))?;
        let count = disk.bytes().div_ceil(PIECE as u64);
        let mut all = Vec::new();
        for number in 0..count {
            all.extend(disk.piece(number)?);
        }
        Ok(all)
    }

    #[test]
    fn zeroes_take_no_room() {
        let mut disk = vec![0; 100 * PIECE + 512];
        disk[3 * PIECE..3 * PIECE + 9].copy_from_slice(b"something");
        let image = compressed(&disk);
        assert!(image.len() < 16 + 102 * 8 + 100, "{}", image.len());
        assert!(whole(&image).expect("reads") == disk);
        assert!(LiveDisk::open(Cursor::new(&image)).expect("opens").piece(101).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn damage_is_an_error_or_harmless(seed in any::<u8>(), at in any::<prop::sample::Index>(), to in any::<u8>(), cut in any::<bool>()) {
            let disk: Vec<u8> = (0..3 * PIECE / 2).map(|n| ((n / 7) as u8).wrapping_mul(seed)).collect();
            let mut image = compressed(&disk);
            prop_assert!(whole(&image).expect("reads") == disk);
            let at = at.index(image.len());
            if cut { image.truncate(at) } else { image[at] = to }
            // Never a panic, never more than the disk that it says it is.
            let _ = whole(&image);
        }
    }
}
