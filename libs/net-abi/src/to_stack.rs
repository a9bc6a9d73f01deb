//! What the kernel tells the stack.

use crate::wire::{Header, Reader, get_address, get_ip, get_u8, put, put_address, put_ip};
use crate::{Malformed, Route};
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

/// Options of a connection that the protocol must know of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpOptions {
    /// Small segments are not held back (`TCP_NODELAY`).
    pub no_delay: bool,
    /// Seconds after which an idle connection is probed; 0: never (`SO_KEEPALIVE`, `TCP_KEEPIDLE`).
    pub keep_alive_s: u32,
    /// Milliseconds that sent data may stay without acknowledgement; 0: the stack's default (`TCP_USER_TIMEOUT`).
    pub user_timeout_ms: u32,
    /// Hop limit (`IP_TTL`, `IPV6_UNICAST_HOPS`).
    pub hop_limit: u8,
}

/// A change of the interface that an administrator asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Adds an address with a prefix length, or removes it.
    Address {
        /// Added, not removed.
        add: bool,
        /// The address.
        ip: IpAddr,
        /// Bits of its network.
        prefix: u8,
    },
    /// Adds a route, or removes it.
    Route {
        /// Added, not removed.
        add: bool,
        /// The route.
        route: Route,
    },
    /// Switches the interface on or off.
    Up(bool),
    /// Sets the greatest size of packets.
    Mtu(u32),
}

/// A message to the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToStack<'a> {
    /// Connect to another machine.
    Connect {
        /// Its own address.
        local: SocketAddr,
        /// The peer's.
        remote: SocketAddr,
        /// Its options.
        options: TcpOptions,
    },
    /// Accept connections to this address; the any-address of IPv6 with `only_v6` off means IPv4 too.
    Listen {
        /// The address.
        local: SocketAddr,
        /// Not IPv4's.
        only_v6: bool,
    },
    /// Accept no more.
    Unlisten,
    /// Bytes of a connection.
    Data(&'a [u8]),
    /// No more bytes will follow.
    Finish,
    /// Nobody uses the connection any more: what was sent is delivered, what comes is answered by a reset.
    Close,
    /// The connection is to be reset.
    Abort,
    /// So many bytes of the connection were read.
    Consumed(u32),
    /// Options of the connection have changed.
    Options(TcpOptions),
    /// A packet to another machine: of UDP the payload, of ICMP the message. The number is that of the socket that sends.
    Datagram {
        /// Its protocol.
        protocol: u8,
        /// Hop limit.
        hop_limit: u8,
        /// Sender; the port is 0 where the protocol has none.
        from: SocketAddr,
        /// Receiver.
        to: SocketAddr,
        /// Its bytes.
        bytes: &'a [u8],
    },
    /// The socket sends no more datagrams.
    Forget,
    /// A datagram had no receiver: its sender shall hear of that.
    Unreachable {
        /// Its sender.
        from: SocketAddr,
        /// Where it went.
        to: SocketAddr,
        /// Its length in bytes.
        len: u16,
    },
    /// Packets to a multicast group are wanted, or not any more.
    Group {
        /// Wanted.
        join: bool,
        /// The group.
        ip: IpAddr,
    },
    /// The interface is to be changed. The number is the request's, for [`crate::ToKernel::Done`].
    Configure(Change),
    /// Copies of all frames are wanted, or not any more.
    Capture(bool),
    /// An Ethernet frame to be sent as it is. The number is that of the socket that sends.
    Frame(&'a [u8]),
}

impl TcpOptions {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.keep_alive_s.to_le_bytes());
        out.extend_from_slice(&self.user_timeout_ms.to_le_bytes());
        out.extend_from_slice(&[u8::from(self.no_delay), self.hop_limit]);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            keep_alive_s: reader.u32()?,
            user_timeout_ms: reader.u32()?,
            no_delay: get_u8(reader)? != 0,
            hop_limit: get_u8(reader)?,
        })
    }
}

impl Change {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Change::Address { add, ip, prefix } => {
                out.extend_from_slice(&[0, u8::from(*add), *prefix]);
                put_ip(out, *ip);
            }
            Change::Route { add, route } => {
                out.extend_from_slice(&[1, u8::from(*add)]);
                route.encode(out);
            }
            Change::Up(up) => out.extend_from_slice(&[2, u8::from(*up)]),
            Change::Mtu(mtu) => {
                out.push(3);
                out.extend_from_slice(&mtu.to_le_bytes());
            }
        }
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(match get_u8(reader)? {
            0 => {
                let (add, prefix) = (get_u8(reader)? != 0, get_u8(reader)?);
                Change::Address { add, prefix, ip: get_ip(reader)? }
            }
            1 => Change::Route { add: get_u8(reader)? != 0, route: Route::decode(reader)? },
            2 => Change::Up(get_u8(reader)? != 0),
            3 => Change::Mtu(reader.u32()?),
            _ => return Err(Malformed),
        })
    }
}

impl<'a> ToStack<'a> {
    /// The kind of [`ToStack::Data`], for those who write its header and its bytes apart.
    pub const DATA: u16 = 3;

    /// Appends it as bytes.
    pub fn encode(&self, id: u64, out: &mut Vec<u8>) {
        match self {
            Self::Connect { local, remote, options } => put(out, 0, id, |out| {
                put_address(out, *local);
                put_address(out, *remote);
                options.encode(out);
            }),
            Self::Listen { local, only_v6 } => put(out, 1, id, |out| {
                put_address(out, *local);
                out.push(u8::from(*only_v6));
            }),
            Self::Unlisten => put(out, 2, id, |_| {}),
            Self::Data(bytes) => put(out, Self::DATA, id, |out| out.extend_from_slice(bytes)),
            Self::Finish => put(out, 4, id, |_| {}),
            Self::Close => put(out, 5, id, |_| {}),
            Self::Abort => put(out, 6, id, |_| {}),
            Self::Consumed(bytes) => put(out, 7, id, |out| out.extend_from_slice(&bytes.to_le_bytes())),
            Self::Options(options) => put(out, 8, id, |out| options.encode(out)),
            Self::Datagram { protocol, hop_limit, from, to, bytes } => put(out, 9, id, |out| {
                out.extend_from_slice(&[*protocol, *hop_limit]);
                put_address(out, *from);
                put_address(out, *to);
                out.extend_from_slice(bytes);
            }),
            Self::Forget => put(out, 10, id, |_| {}),
            Self::Unreachable { from, to, len } => put(out, 11, id, |out| {
                put_address(out, *from);
                put_address(out, *to);
                out.extend_from_slice(&len.to_le_bytes());
            }),
            Self::Group { join, ip } => put(out, 12, id, |out| {
                out.push(u8::from(*join));
                put_ip(out, *ip);
            }),
            Self::Configure(change) => put(out, 13, id, |out| change.encode(out)),
            Self::Capture(on) => put(out, 14, id, |out| out.push(u8::from(*on))),
            Self::Frame(bytes) => put(out, 15, id, |out| out.extend_from_slice(bytes)),
        }
    }

    /// Reads a message's body.
    ///
    /// # Errors
    /// What is no such message.
    pub fn decode(header: &Header, body: &'a [u8]) -> Result<Self, Malformed> {
        let reader = &mut Reader::new(body);
        Ok(match header.kind {
            0 => Self::Connect { local: get_address(reader)?, remote: get_address(reader)?, options: TcpOptions::decode(reader)? },
            1 => Self::Listen { local: get_address(reader)?, only_v6: get_u8(reader)? != 0 },
            2 => Self::Unlisten,
            Self::DATA => Self::Data(body),
            4 => Self::Finish,
            5 => Self::Close,
            6 => Self::Abort,
            7 => Self::Consumed(reader.u32()?),
            8 => Self::Options(TcpOptions::decode(reader)?),
            9 => {
                const FIXED: usize = 2 + 2 * 18;
                Self::Datagram {
                    protocol: get_u8(reader)?,
                    hop_limit: get_u8(reader)?,
                    from: get_address(reader)?,
                    to: get_address(reader)?,
                    bytes: &body[FIXED..],
                }
            }
            10 => Self::Forget,
            11 => Self::Unreachable { from: get_address(reader)?, to: get_address(reader)?, len: reader.u16()? },
            12 => Self::Group { join: get_u8(reader)? != 0, ip: get_ip(reader)? },
            13 => Self::Configure(Change::decode(reader)?),
            14 => Self::Capture(get_u8(reader)? != 0),
            15 => Self::Frame(body),
            _ => return Err(Malformed),
        })
    }
}
