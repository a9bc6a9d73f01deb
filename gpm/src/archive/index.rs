//! The packages of an archive in one file: stanzas in compressed blocks, and a table of names.
//!
//! ```text
//! magic     8 bytes "GPMDEB", 1, LF
//! lengths   number of blocks, bytes of the table: 8 bytes each, little endian
//! blocks    offset of each block in the part below, and its end: 8 bytes each
//! table     lines "NAME TAB BLOCK TAB PACKAGE", sorted: each package under its own name and under each that it provides
//! stanzas   the blocks: some stanzas each, under Zstandard
//! ```

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::deb::control::Stanza;

const MAGIC: &[u8; 8] = b"GPMDEB\x01\n";
/// Stanzas in a block: about 50 KiB, of which one package is read in well under a millisecond.
const PER_BLOCK: usize = 64;
const MAX_BLOCK: u64 = 64 << 20;
const MAX_TABLE: u64 = 256 << 20;

/// The fields that are kept. The long description is not in an archive's list.
const FIELDS: [&str; 20] = [
    "Package", "Version", "Architecture", "Essential", "Pre-Depends", "Depends", "Recommends", "Suggests", "Provides", "Conflicts", "Breaks", "Replaces",
    "Description", "Homepage", "Maintainer", "Section", "Installed-Size", "Filename", "Size", "SHA256",
];

fn damaged(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("it is damaged ({reason}): 'gpm update' makes it anew"))
}

/// Makes the index of `stanzas`.
///
/// # Errors
/// When it cannot be written.
pub fn write(stanzas: impl Iterator<Item = Stanza>, output: &mut impl Write) -> io::Result<usize> {
    let mut table: BTreeSet<(String, usize, String)> = BTreeSet::new();
    let (mut offsets, mut blocks, mut text, mut count) = (vec![0u64], Vec::new(), String::new(), 0);
    let mut flush = |text: &mut String| -> io::Result<()> {
        blocks.extend(zstd::bulk::compress(text.as_bytes(), 3)?);
        offsets.push(blocks.len() as u64);
        text.clear();
        Ok(())
    };
    for stanza in stanzas {
        let Some(name) = stanza.get("Package").map(str::to_owned) else { continue };
        let block = count / PER_BLOCK;
        let provided = stanza.get("Provides").unwrap_or_default().split(',').map(|it| it.split(['(', ':']).next().unwrap_or_default().trim()).filter(|it| !it.is_empty());
        for key in provided.chain([name.as_str()]).filter(|it| !it.contains(['\t', '\n'])) {
            table.insert((key.to_owned(), block, name.clone()));
        }
        for field in FIELDS {
            if let Some(value) = stanza.get(field) {
                text += &format!("{field}: {}\n", value.replace('\n', "\n "));
            }
        }
        text.push('\n');
        count += 1;
        if count % PER_BLOCK == 0 {
            flush(&mut text)?;
        }
    }
    if !text.is_empty() {
        flush(&mut text)?;
    }
    let table: String = table.into_iter().map(|(name, block, package)| format!("{name}\t{block}\t{package}\n")).collect();
    output.write_all(MAGIC)?;
    output.write_all(&(offsets.len() as u64 - 1).to_le_bytes())?;
    output.write_all(&(table.len() as u64).to_le_bytes())?;
    for offset in &offsets {
        output.write_all(&offset.to_le_bytes())?;
    }
    output.write_all(table.as_bytes())?;
    output.write_all(&blocks)?;
    Ok(count)
}

/// An index that is looked into.
#[derive(Debug)]
pub struct Index {
    file: File,
    offsets: Vec<u64>,
    table: String,
    /// Where the blocks begin.
    base: u64,
}

impl Index {
    /// Opens an index; `None` where there is none.
    ///
    /// # Errors
    /// When it cannot be read, or is damaged.
    pub fn open(path: &Path) -> io::Result<Option<Index>> {
        let mut file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let size = file.metadata()?.len();
        let mut head = [0; 24];
        file.read_exact(&mut head).map_err(|_| damaged("its beginning"))?;
        let number = |at: usize| u64::from_le_bytes(std::array::from_fn(|it| head[at + it]));
        let (blocks, length) = (number(8), number(16));
        if head[..8] != *MAGIC || length > MAX_TABLE || blocks > size / 8 {
            return Err(damaged("its beginning"));
        }
        let mut bytes = vec![0; (blocks as usize + 1) * 8];
        file.read_exact(&mut bytes).map_err(|_| damaged("its blocks"))?;
        let offsets: Vec<u64> = bytes.chunks_exact(8).map(|it| u64::from_le_bytes(std::array::from_fn(|at| it[at]))).collect();
        let base = 24 + bytes.len() as u64 + length;
        if !offsets.is_sorted() || offsets.last().is_none_or(|it| base.checked_add(*it) != Some(size)) {
            return Err(damaged("its blocks"));
        }
        let mut table = vec![0; length as usize];
        file.read_exact(&mut table).map_err(|_| damaged("its table"))?;
        let table = String::from_utf8(table).map_err(|_| damaged("its table"))?;
        Ok(Some(Index { file, offsets, table, base }))
    }

    /// All names: of packages, and what they provide. A name may come more than once.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.table.lines().filter_map(|it| it.split('\t').next())
    }

    /// The packages that are called so or provide it, each by the block that it is in.
    pub fn places(&self, name: &str) -> Vec<(usize, &str)> {
        let bytes = self.table.as_bytes();
        // The first line that is not before the name.
        let (mut low, mut high) = (0, bytes.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let begin = bytes[..middle].iter().rposition(|it| *it == b'\n').map_or(0, |it| it + 1);
            let line = self.table[begin..].lines().next().unwrap_or_default();
            if line.split('\t').next().unwrap_or_default() < name { low = begin + line.len() + 1 } else { high = begin }
        }
        let mut found = Vec::new();
        for line in self.table[low.min(bytes.len())..].lines() {
            let mut parts = line.split('\t');
            if parts.next() != Some(name) {
                break;
            }
            if let (Some(block), Some(package)) = (parts.next().and_then(|it| it.parse().ok()), parts.next()) {
                found.push((block, package));
            }
        }
        found
    }

    /// How many blocks there are.
    pub fn blocks(&self) -> usize {
        self.offsets.len() - 1
    }

    /// The text of a block: stanzas.
    ///
    /// # Errors
    /// When it cannot be read, or is damaged.
    pub fn block(&self, number: usize) -> io::Result<String> {
        let (Some(from), Some(to)) = (self.offsets.get(number), self.offsets.get(number + 1)) else { return Err(damaged("its table")) };
        let mut packed = vec![0; usize::try_from(to - from).map_err(|_| damaged("its blocks"))?];
        self.file.read_exact_at(&mut packed, self.base + from)?;
        let mut text = Vec::new();
        zstd::Decoder::new(packed.as_slice())?.take(MAX_BLOCK).read_to_end(&mut text).map_err(|_| damaged("a block"))?;
        String::from_utf8(text).map_err(|_| damaged("a block"))
    }
}
