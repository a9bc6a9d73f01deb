//! SHA-512, and how it is written.

use std::fmt;
use std::io::{self, Read, Write};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha512};

/// A SHA-512 checksum; 128 hexadecimal digits as text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(pub [u8; 64]);

/// A text that is no checksum.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is no SHA-512 checksum of 128 hexadecimal digits")]
pub struct DigestError(String);

impl Digest {
    /// The checksum of `data`.
    pub fn of(data: &[u8]) -> Digest {
        Digest(Sha512::digest(data).into())
    }

    /// The checksum of all that `reader` still gives.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of_reader(reader: &mut impl Read) -> io::Result<Digest> {
        let mut hasher = Hasher::new();
        io::copy(reader, &mut hasher)?;
        Ok(hasher.finish())
    }
}

/// A checksum in the making; what is written to it is counted in.
#[derive(Clone, Default)]
pub struct Hasher(Sha512);

impl Hasher {
    /// Of nothing so far.
    pub fn new() -> Hasher {
        Hasher(Sha512::new())
    }

    /// Counts `data` in.
    pub fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    /// The checksum of all so far.
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

impl sha2::digest::Update for Hasher {
    fn update(&mut self, data: &[u8]) {
        Hasher::update(self, data);
    }
}

/// Counts in what it writes on: to `output`, into `hasher`.
pub(crate) struct Hashed<W, H> {
    pub output: W,
    pub hasher: H,
}

impl<W: Write, H: sha2::digest::Update> Write for Hashed<W, H> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let written = self.output.write(data)?;
        self.hasher.update(&data[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

impl Write for Hasher {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.update(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Hexadecimal digits, lower case.
pub fn to_hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The bytes of hexadecimal digits, where there are exactly `N` of them.
pub fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; N];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).ok()?;
    }
    Some(bytes)
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_hex(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_hex(&self.0[..8]))
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        from_hex(text).map(Digest).ok_or_else(|| DigestError(text.into()))
    }
}

impl TryFrom<String> for Digest {
    type Error = DigestError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answer() {
        let digest = Digest::of(b"abc");
        assert!(digest.to_string().starts_with("ddaf35a193617abacc417349ae204131"));
        assert_eq!(digest.to_string().parse::<Digest>(), Ok(digest));
        assert_eq!(Digest::of_reader(&mut &b"abc"[..]).unwrap(), digest);
        assert!("ddaf".parse::<Digest>().is_err());
    }
}
