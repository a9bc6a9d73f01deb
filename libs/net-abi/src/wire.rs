//! Headers, and the parts that bodies are made of.

use crate::{HEADER_BYTES, Malformed};
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv6Addr, SocketAddr};
pub use scheme_abi::wire::Reader;

/// A message's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Bytes of the message, with the header.
    pub len: u32,
    /// What it is.
    pub kind: u16,
    /// The socket that it is about.
    pub id: u64,
}

impl Header {
    /// As bytes.
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..4].copy_from_slice(&self.len.to_le_bytes());
        bytes[4..6].copy_from_slice(&self.kind.to_le_bytes());
        bytes[8..].copy_from_slice(&self.id.to_le_bytes());
        bytes
    }

    /// From bytes.
    ///
    /// # Errors
    /// Where the length is less than the header's.
    pub fn decode(bytes: &[u8; HEADER_BYTES]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let (len, kind, _, id) = (reader.u32()?, reader.u16()?, reader.u16()?, reader.u64()?);
        if (len as usize) < HEADER_BYTES { Err(Malformed) } else { Ok(Self { len, kind, id }) }
    }

    /// Bytes of the body.
    pub const fn body_len(&self) -> usize {
        self.len as usize - HEADER_BYTES
    }
}

/// Takes the first message off: its header, its body, and the rest. `None` at the end.
///
/// # Errors
/// Where a message is cut off.
pub fn split(bytes: &[u8]) -> Result<Option<(Header, &[u8], &[u8])>, Malformed> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let header = Header::decode(bytes.first_chunk().ok_or(Malformed)?)?;
    let (message, rest) = bytes.split_at_checked(header.len as usize).ok_or(Malformed)?;
    Ok(Some((header, &message[HEADER_BYTES..], rest)))
}

/// Appends a message whose body `build` writes.
pub(crate) fn put(out: &mut Vec<u8>, kind: u16, id: u64, build: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER_BYTES]);
    build(out);
    let header = Header { len: (out.len() - start) as u32, kind, id };
    out[start..start + HEADER_BYTES].copy_from_slice(&header.encode());
}

pub(crate) fn put_ip(out: &mut Vec<u8>, ip: IpAddr) {
    let ip = match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    };
    out.extend_from_slice(&ip.octets());
}

pub(crate) fn get_ip(reader: &mut Reader<'_>) -> Result<IpAddr, Malformed> {
    Ok(Ipv6Addr::from(reader.array::<16>()?).to_canonical())
}

pub(crate) fn put_address(out: &mut Vec<u8>, address: SocketAddr) {
    put_ip(out, address.ip());
    out.extend_from_slice(&address.port().to_le_bytes());
}

pub(crate) fn get_address(reader: &mut Reader<'_>) -> Result<SocketAddr, Malformed> {
    Ok(SocketAddr::new(get_ip(reader)?, reader.u16()?))
}

pub(crate) fn get_u8(reader: &mut Reader<'_>) -> Result<u8, Malformed> {
    Ok(reader.array::<1>()?[0])
}
