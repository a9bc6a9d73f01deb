//! What the stack tells the kernel.

use crate::wire::{Header, Reader, get_address, get_ip, get_u8, put, put_address, put_ip};
use crate::{Configuration, Malformed};
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

/// What a router or a host said about a packet that could not be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// The packet's protocol.
    pub protocol: u8,
    /// Its sender, on this machine; for ICMP the port is the echo request's identifier.
    pub local: SocketAddr,
    /// Where it was sent.
    pub remote: SocketAddr,
    /// Who said so.
    pub offender: IpAddr,
    /// Linux's error number.
    pub errno: u32,
    /// ICMP's type, 0 where the stack itself found out.
    pub kind: u8,
    /// ICMP's code.
    pub code: u8,
    /// The next hop's MTU, where the packet was too long.
    pub info: u32,
}

/// A message to the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToKernel<'a> {
    /// A connection that the kernel asked for is established.
    Connected,
    /// A connection to a listening port is established; its number is the stack's choice.
    Accepted {
        /// Our address.
        local: SocketAddr,
        /// The peer's.
        remote: SocketAddr,
    },
    /// Bytes of a connection.
    Data(&'a [u8]),
    /// The peer will send no more.
    Finished,
    /// The connection has failed, or ended by a reset, with Linux's error number. It is forgotten.
    Failed(u32),
    /// There is room for so many more bytes of a connection.
    Room(u32),
    /// A packet from another machine.
    Datagram {
        /// Its protocol.
        protocol: u8,
        /// Its hop limit.
        hop_limit: u8,
        /// Sender; the port is 0 where the protocol has none.
        from: SocketAddr,
        /// Receiver.
        to: SocketAddr,
        /// Its bytes: of UDP the payload, of ICMP the message.
        bytes: &'a [u8],
    },
    /// A datagram, or an attempt to connect, came to nothing.
    Report(Report),
    /// The interface as it is now.
    Configuration(Configuration),
    /// A change that was asked for is done, or has failed with Linux's error number.
    Done(u32),
    /// A copy of a frame that came in or went out, where these are wanted. The number is that of the socket that sent it, or 0.
    Frame {
        /// It went out.
        is_sent: bool,
        /// The frame, from its Ethernet header on.
        bytes: &'a [u8],
    },
}

impl<'a> ToKernel<'a> {
    /// The kind of [`ToKernel::Data`], for those who read its bytes themselves.
    pub const DATA: u16 = 2;

    /// Appends it as bytes.
    pub fn encode(&self, id: u64, out: &mut Vec<u8>) {
        match self {
            Self::Connected => put(out, 0, id, |_| {}),
            Self::Accepted { local, remote } => put(out, 1, id, |out| {
                put_address(out, *local);
                put_address(out, *remote);
            }),
            Self::Data(bytes) => put(out, Self::DATA, id, |out| out.extend_from_slice(bytes)),
            Self::Finished => put(out, 3, id, |_| {}),
            Self::Failed(errno) => put(out, 4, id, |out| out.extend_from_slice(&errno.to_le_bytes())),
            Self::Room(bytes) => put(out, 5, id, |out| out.extend_from_slice(&bytes.to_le_bytes())),
            Self::Datagram { protocol, hop_limit, from, to, bytes } => put(out, 6, id, |out| {
                out.extend_from_slice(&[*protocol, *hop_limit]);
                put_address(out, *from);
                put_address(out, *to);
                out.extend_from_slice(bytes);
            }),
            Self::Report(report) => put(out, 7, id, |out| {
                out.extend_from_slice(&[report.protocol, report.kind, report.code]);
                put_address(out, report.local);
                put_address(out, report.remote);
                put_ip(out, report.offender);
                out.extend_from_slice(&report.errno.to_le_bytes());
                out.extend_from_slice(&report.info.to_le_bytes());
            }),
            Self::Configuration(configuration) => put(out, 8, id, |out| configuration.encode(out)),
            Self::Done(errno) => put(out, 9, id, |out| out.extend_from_slice(&errno.to_le_bytes())),
            Self::Frame { is_sent, bytes } => put(out, 10, id, |out| {
                out.push(u8::from(*is_sent));
                out.extend_from_slice(bytes);
            }),
        }
    }

    /// Reads a message's body.
    ///
    /// # Errors
    /// What is no such message.
    pub fn decode(header: &Header, body: &'a [u8]) -> Result<Self, Malformed> {
        let reader = &mut Reader::new(body);
        Ok(match header.kind {
            0 => Self::Connected,
            1 => Self::Accepted { local: get_address(reader)?, remote: get_address(reader)? },
            Self::DATA => Self::Data(body),
            3 => Self::Finished,
            4 => Self::Failed(reader.u32()?),
            5 => Self::Room(reader.u32()?),
            6 => {
                const FIXED: usize = 2 + 2 * 18;
                Self::Datagram {
                    protocol: get_u8(reader)?,
                    hop_limit: get_u8(reader)?,
                    from: get_address(reader)?,
                    to: get_address(reader)?,
                    bytes: &body[FIXED..],
                }
            }
            7 => {
                let (protocol, kind, code) = (get_u8(reader)?, get_u8(reader)?, get_u8(reader)?);
                Self::Report(Report {
                    protocol,
                    kind,
                    code,
                    local: get_address(reader)?,
                    remote: get_address(reader)?,
                    offender: get_ip(reader)?,
                    errno: reader.u32()?,
                    info: reader.u32()?,
                })
            }
            8 => Self::Configuration(Configuration::decode(reader)?),
            9 => Self::Done(reader.u32()?),
            10 => Self::Frame { is_sent: get_u8(reader)? != 0, bytes: &body[1..] },
            _ => return Err(Malformed),
        })
    }
}
