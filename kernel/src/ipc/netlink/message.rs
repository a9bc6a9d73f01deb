//! Requests and answers as bytes.

use alloc::vec::Vec;

use crate::error::*;

/// Bytes of `struct nlmsghdr`.
pub const HEADER: usize = 16;
const NLMSG_ERROR: u16 = 2;

/// A request's header and body.
pub struct Request<'a> {
    pub kind: u16,
    pub flags: u16,
    pub sequence: u32,
    pub whole: &'a [u8],
}

impl<'a> Request<'a> {
    /// The first request of a datagram, and what follows it. `None` at the end, and where it is cut off.
    pub fn first(datagram: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let head = datagram.first_chunk::<HEADER>()?;
        let len = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let whole = datagram.get(..len).filter(|_| len >= HEADER)?;
        let request = Request {
            kind: u16::from_le_bytes([head[4], head[5]]),
            flags: u16::from_le_bytes([head[6], head[7]]),
            sequence: u32::from_le_bytes([head[8], head[9], head[10], head[11]]),
            whole,
        };
        Some((request, datagram.get(len.next_multiple_of(4)..).unwrap_or_default()))
    }
}

impl Request<'_> {
    /// What follows the header.
    pub fn body(&self) -> &[u8] {
        &self.whole[HEADER..]
    }

    /// The family asked for, 0 for all.
    pub fn family(&self) -> u8 {
        self.body().first().copied().unwrap_or(0)
    }

    /// A word of the body.
    pub fn word(&self, at: usize) -> u32 {
        self.body().get(at..).and_then(|rest| rest.first_chunk().copied()).map_or(0, u32::from_le_bytes)
    }

    /// An octet of the body.
    pub fn octet(&self, at: usize) -> u8 {
        self.body().get(at).copied().unwrap_or(0)
    }

    /// An attribute behind a fixed part of so many bytes.
    pub fn attribute(&self, fixed: usize, wanted: u16) -> Option<&[u8]> {
        let mut rest = self.body().get(fixed..)?;
        while let Some((head, _)) = rest.split_first_chunk::<4>() {
            let len = usize::from(u16::from_le_bytes([head[0], head[1]]));
            let data = rest.get(4..len)?;
            if u16::from_le_bytes([head[2], head[3]]) & 0x3fff == wanted {
                return Some(data);
            }
            rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
        }
        None
    }
}

/// Answers under construction: one datagram.
pub struct Answer {
    pub bytes: Vec<u8>,
    pub sequence: u32,
    pub port: u32,
}

impl Answer {
    /// Adds a message whose body `build` writes.
    pub fn message(&mut self, kind: u16, flags: u16, build: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]);
        self.bytes.extend_from_slice(&kind.to_le_bytes());
        self.bytes.extend_from_slice(&flags.to_le_bytes());
        self.bytes.extend_from_slice(&self.sequence.to_le_bytes());
        self.bytes.extend_from_slice(&self.port.to_le_bytes());
        build(&mut self.bytes);
        let len = (self.bytes.len() - start) as u32;
        self.bytes[start..start + 4].copy_from_slice(&len.to_le_bytes());
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    /// Adds the outcome of a request.
    pub fn error(&mut self, request: &Request<'_>, error: Option<Errno>) {
        let number = error.map_or(0, |error| -error.0);
        self.message(NLMSG_ERROR, 0, |out| {
            out.extend_from_slice(&number.to_le_bytes());
            // Of a request that succeeded the header is enough.
            out.extend_from_slice(if error.is_some() { request.whole } else { &request.whole[..HEADER] });
        });
    }
}

/// Appends an attribute.
pub fn attribute(out: &mut Vec<u8>, kind: u16, data: &[u8]) {
    out.extend_from_slice(&(4 + data.len() as u16).to_le_bytes());
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(data);
    out.resize(out.len().next_multiple_of(4), 0);
}

