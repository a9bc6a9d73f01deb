//! Reads `newc` cpio archives (`cpio(5)`, "New ASCII Format") that lie in memory. Nothing in an archive can make it panic or read out of bounds.
#![cfg_attr(not(test), no_std)]
#![deny(unsafe_code, missing_docs)]

use core::fmt;

const HEADER: usize = 110;
const MAGIC: &[u8] = b"070701";
/// With a checksum field, which is not looked at.
const MAGIC_CRC: &[u8] = b"070702";
const TRAILER: &[u8] = b"TRAILER!!!";

/// One file of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Path without leading `/` or `./`; empty for the root directory.
    pub name: &'a [u8],
    /// Inode number: names with the same one are hard links if `nlink` is above 1.
    pub ino: u32,
    /// Type and permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Number of names in the archive.
    pub nlink: u32,
    /// Time of modification, seconds since the epoch.
    pub mtime: u32,
    /// Device number, for device nodes: (major, minor).
    pub rdev: (u32, u32),
    /// Content; for a symbolic link its target.
    pub data: &'a [u8],
}

/// What is wrong with an archive, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// No header begins at this offset.
    BadMagic(usize),
    /// A field of the header at this offset is no hexadecimal number.
    BadNumber(usize),
    /// The archive ends within the entry that begins at this offset.
    Truncated(usize),
    /// The name of the entry at this offset is empty, has no end, or leads out of the archive.
    BadName(usize),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadMagic(at) => write!(f, "no cpio header at byte {at}"),
            Self::BadNumber(at) => write!(f, "a bad number in the cpio header at byte {at}"),
            Self::Truncated(at) => write!(f, "the cpio archive ends within the entry at byte {at}"),
            Self::BadName(at) => write!(f, "a bad name in the cpio header at byte {at}"),
        }
    }
}

impl core::error::Error for Error {}

/// The entries of an archive in order; several archives may follow each other, with zeros between. After an error it ends.
pub struct Archive<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Archive<'a> {
    /// An archive in memory.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn entry(&mut self) -> Result<Option<Entry<'a>>, Error> {
        loop {
            // Padding between archives.
            while self.at + 4 <= self.bytes.len() && self.bytes[self.at..self.at + 4] == [0; 4] {
                self.at += 4;
            }
            let start = self.at;
            let rest = &self.bytes[start..];
            if rest.iter().all(|b| *b == 0) {
                return Ok(None);
            }
            if !rest.starts_with(MAGIC) && !rest.starts_with(MAGIC_CRC) {
                return Err(Error::BadMagic(start));
            }
            let header = rest.get(..HEADER).ok_or(Error::Truncated(start))?;
            let mut fields = [0u32; 13];
            for (field, text) in fields.iter_mut().zip(header[6..].chunks_exact(8)) {
                *field = hex(text).ok_or(Error::BadNumber(start))?;
            }
            let [ino, mode, uid, gid, nlink, mtime, size, _, _, major, minor, name_len, _] = fields;
            let name_end = HEADER.checked_add(name_len as usize).ok_or(Error::Truncated(start))?;
            let name = rest.get(HEADER..name_end).ok_or(Error::Truncated(start))?;
            let name = name.strip_suffix(&[0]).ok_or(Error::BadName(start))?;
            let data_start = name_end.next_multiple_of(4);
            let data_end = data_start.checked_add(size as usize).ok_or(Error::Truncated(start))?;
            let data = rest.get(data_start..data_end).ok_or(Error::Truncated(start))?;
            self.at = start + data_end.next_multiple_of(4).min(rest.len());
            if name == TRAILER {
                continue;
            }
            let name = clean(name).ok_or(Error::BadName(start))?;
            return Ok(Some(Entry { name, ino, mode, uid, gid, nlink, mtime, rdev: (major, minor), data }));
        }
    }
}

impl<'a> Iterator for Archive<'a> {
    type Item = Result<Entry<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.entry() {
            Ok(entry) => entry.map(Ok),
            Err(error) => {
                self.at = self.bytes.len();
                Some(Err(error))
            }
        }
    }
}

fn hex(text: &[u8]) -> Option<u32> {
    text.iter().try_fold(0u32, |value, byte| Some(value << 4 | (*byte as char).to_digit(16)?))
}

/// A relative path inside the archive: without leading slashes and `.` components at the start; `None` where it has `..` or NUL.
fn clean(mut name: &[u8]) -> Option<&[u8]> {
    if name.is_empty() || name.contains(&0) || name.split(|b| *b == b'/').any(|part| part == b"..") {
        return None;
    }
    loop {
        if let Some(rest) = name.strip_prefix(b"/").or_else(|| name.strip_prefix(b"./")) {
            name = rest;
        } else {
            return Some(if name == b"." { b"" } else { name });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(name: &str, ino: u32, mode: u32, nlink: u32, data: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend(b"070701");
        for field in [ino, mode, 7, 8, nlink, 99, data.len() as u32, 0, 0, 4, 5, name.len() as u32 + 1, 0] {
            out.extend(format!("{field:08x}").bytes());
        }
        out.extend(name.bytes());
        out.push(0);
        out.resize(out.len().next_multiple_of(4), 0);
        out.extend(data);
        out.resize(out.len().next_multiple_of(4), 0);
        out
    }

    fn archive(records: &[Vec<u8>]) -> Vec<u8> {
        let mut out = records.concat();
        out.extend(record("TRAILER!!!", 0, 0, 1, b""));
        out.resize(out.len().next_multiple_of(512), 0);
        out
    }

    #[test]
    fn reads_entries_of_concatenated_archives() {
        let mut bytes = archive(&[record(".", 1, 0o040755, 2, b""), record("./sbin/init", 2, 0o100755, 1, b"hello")]);
        bytes.extend(archive(&[record("/etc/x", 3, 0o120777, 1, b"target")]));
        let all: Vec<_> = Archive::new(&bytes).map(Result::unwrap).collect();
        assert_eq!(all.iter().map(|e| e.name).collect::<Vec<_>>(), [&b""[..], b"sbin/init", b"etc/x"]);
        assert_eq!(all[1].data, b"hello");
        assert_eq!((all[1].uid, all[1].gid, all[1].mtime, all[1].rdev), (7, 8, 99, (4, 5)));
        assert_eq!(all[2].data, b"target");
    }

    #[test]
    fn tells_what_is_wrong() {
        let good = archive(&[record("a", 1, 0o100644, 1, &[1; 100])]);
        assert_eq!(Archive::new(b"garbage!").next(), Some(Err(Error::BadMagic(0))));
        assert_eq!(Archive::new(&good[..150]).next(), Some(Err(Error::Truncated(0))));
        let mut bad = good.clone();
        bad[8] = b'x';
        assert_eq!(Archive::new(&bad).next(), Some(Err(Error::BadNumber(0))));
        assert_eq!(Archive::new(&record("a/../b", 1, 0, 1, b"")).next(), Some(Err(Error::BadName(0))));
        assert!(Archive::new(b"").next().is_none());
    }

    #[test]
    fn survives_every_truncation_and_many_corruptions() {
        let good = archive(&[record("a", 1, 0o100644, 1, &[1; 33]), record("b/c", 2, 0o040755, 2, b"")]);
        for len in 0..good.len() {
            let _ = Archive::new(&good[..len]).count();
        }
        for at in 0..good.len() {
            for value in [0, b'f', b'0', 0xff] {
                let mut bad = good.clone();
                bad[at] = value;
                assert!(Archive::new(&bad).count() <= good.len());
            }
        }
    }
}
