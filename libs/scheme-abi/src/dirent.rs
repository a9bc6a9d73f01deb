//! Directory records of `Getdents`: a 19-byte header (inode, cursor, record length, kind), the name,
//! a NUL, padding to 8 bytes. Names are bytes here; kinds are Linux's `DT_*` numbers, which Redox's
//! `DirentKind` is a part of.

use crate::wire::{Malformed, Reader, Writer};

/// Bytes of a record's header (`DirentHeader`).
pub const HEADER_BYTES: usize = 19;
const ALIGN: usize = 8;

const _: () = assert!(size_of::<crate::DirentHeader>() == HEADER_BYTES);

/// `DT_*` for a mode's file type bits.
pub const fn kind_of_mode(mode: u32) -> u8 {
    ((mode >> 12) & 0xf) as u8
}

/// One directory entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Inode or node id.
    pub inode: u64,
    /// The cursor with which a later `Getdents` goes on after this entry.
    pub next: u64,
    /// `DT_*`; 0 is unknown.
    pub kind: u8,
    /// The name, without NUL or slash.
    pub name: &'a [u8],
}

/// Fills a buffer with records.
#[derive(Debug)]
pub struct DirentWriter<'a>(Writer<'a>);

impl<'a> DirentWriter<'a> {
    /// A writer at the start of `buffer`.
    pub const fn new(buffer: &'a mut [u8]) -> Self {
        Self(Writer::new(buffer))
    }

    /// Appends a record. Fails, writing nothing, where it does not fit.
    pub fn push(&mut self, entry: &Entry<'_>) -> Result<(), Malformed> {
        let plain_len = HEADER_BYTES + entry.name.len() + 1;
        let record_len = plain_len.next_multiple_of(ALIGN);
        let record_len_field = u16::try_from(record_len).map_err(|_| Malformed)?;
        if self.0.remaining() < record_len {
            return Err(Malformed);
        }
        self.0.u64(entry.inode)?;
        self.0.u64(entry.next)?;
        self.0.u16(record_len_field)?;
        self.0.bytes(&[entry.kind])?;
        self.0.bytes(entry.name)?;
        let zeroes = [0; ALIGN];
        self.0.bytes(&zeroes[..record_len - plain_len + 1])
    }

    /// Bytes that a record with a name of `name_len` bytes takes.
    pub const fn record_len(name_len: usize) -> usize {
        (HEADER_BYTES + name_len + 1).next_multiple_of(ALIGN)
    }

    /// Bytes left in the buffer.
    pub const fn remaining(&self) -> usize {
        self.0.remaining()
    }

    /// Bytes written so far: the result of `Getdents`.
    pub const fn written(&self) -> usize {
        self.0.written()
    }
}

/// Iterates over the records in a buffer; stops after the first malformed one.
#[derive(Clone, Debug)]
pub struct DirentReader<'a>(&'a [u8]);

impl<'a> DirentReader<'a> {
    /// A reader at the start of `records`.
    pub const fn new(records: &'a [u8]) -> Self {
        Self(records)
    }

    fn parse(&mut self) -> Result<Entry<'a>, Malformed> {
        let mut reader = Reader::new(self.0);
        let (inode, next) = (reader.u64()?, reader.u64()?);
        let record_len = usize::from(reader.u16()?);
        let [kind] = reader.array()?;
        let (record, rest) = self.0.split_at_checked(record_len).ok_or(Malformed)?;
        let padded = record.get(HEADER_BYTES..).ok_or(Malformed)?;
        let name = padded.split(|&byte| byte == 0).next().ok_or(Malformed)?;
        if name.len() == padded.len() || name.is_empty() || name.contains(&b'/') {
            return Err(Malformed);
        }
        self.0 = rest;
        Ok(Entry {
            inode,
            next,
            kind,
            name,
        })
    }
}

impl<'a> Iterator for DirentReader<'a> {
    type Item = Result<Entry<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let item = self.parse();
        if item.is_err() {
            self.0 = &[];
        }
        Some(item)
    }
}
