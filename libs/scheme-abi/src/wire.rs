//! A bounds-checked cursor to read, and one to write, little-endian integers and byte strings.

use core::fmt;

/// Bytes that do not decode: too short, or a length inside them points past their end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("malformed scheme message")
    }
}

impl core::error::Error for Malformed {}

/// Takes integers and byte strings off the front of a slice.
#[derive(Clone, Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// A reader at the start of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next `len` bytes.
    pub fn bytes(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let (head, tail) = self.0.split_at_checked(len).ok_or(Malformed)?;
        self.0 = tail;
        Ok(head)
    }

    /// The next `N` bytes as an array.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (head, tail) = self.0.split_first_chunk::<N>().ok_or(Malformed)?;
        self.0 = tail;
        Ok(*head)
    }

    /// The next 2 bytes.
    pub fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_le_bytes)
    }

    /// The next 4 bytes.
    pub fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_le_bytes)
    }

    /// The next 8 bytes.
    pub fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_le_bytes)
    }

    /// The next 8 bytes, signed.
    pub fn i64(&mut self) -> Result<i64, Malformed> {
        self.array().map(i64::from_le_bytes)
    }
}

/// Puts integers and byte strings at the front of a slice, and counts them.
#[derive(Debug)]
pub struct Writer<'a> {
    bytes: &'a mut [u8],
    at: usize,
}

impl<'a> Writer<'a> {
    /// A writer at the start of `bytes`.
    pub const fn new(bytes: &'a mut [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bytes written so far.
    pub const fn written(&self) -> usize {
        self.at
    }

    /// Bytes that still fit.
    pub const fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// Appends `data`. Fails, writing nothing, where it does not fit.
    pub fn bytes(&mut self, data: &[u8]) -> Result<(), Malformed> {
        let room = self.bytes.get_mut(self.at..).ok_or(Malformed)?;
        room.get_mut(..data.len())
            .ok_or(Malformed)?
            .copy_from_slice(data);
        self.at += data.len();
        Ok(())
    }

    /// Appends 2 bytes.
    pub fn u16(&mut self, value: u16) -> Result<(), Malformed> {
        self.bytes(&value.to_le_bytes())
    }

    /// Appends 4 bytes.
    pub fn u32(&mut self, value: u32) -> Result<(), Malformed> {
        self.bytes(&value.to_le_bytes())
    }

    /// Appends 8 bytes.
    pub fn u64(&mut self, value: u64) -> Result<(), Malformed> {
        self.bytes(&value.to_le_bytes())
    }

    /// Appends 8 bytes, signed.
    pub fn i64(&mut self, value: i64) -> Result<(), Malformed> {
        self.bytes(&value.to_le_bytes())
    }
}

/// A name's or target's length as the 16 bits that headers hold.
pub(crate) fn short_len(bytes: &[u8]) -> Result<u16, Malformed> {
    u16::try_from(bytes.len()).map_err(|_| Malformed)
}
