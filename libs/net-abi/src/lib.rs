//! The messages between the kernel's internet sockets and the network stack (`netd`).
//!
//! The kernel keeps what programs see of a socket: its queues, its options, who waits for it. What goes to other machines it leaves to the
//! stack, which opens [`PATH`] and is the only one that has it. A `read` there gives as many messages as fit (see [`ToStack`]), a `write` takes as
//! many as it holds (see [`ToKernel`]); `poll` tells when there is something to read. Neither side ever waits for an answer of the other.
//!
//! A message is a header of [`HEADER_BYTES`] (length of the whole, kind, 0, the socket's number) and its body, little-endian. Addresses of IPv4
//! are in IPv6's mapped form.
//!
//! Bytes of a connection are sent only as far as the other side has said to have room: [`ROOM`] at the start, and what [`ToKernel::Room`] and
//! [`ToStack::Consumed`] add. Numbers of connections that the stack accepts have [`ACCEPTED`] set and are the stack's choice; all others are the kernel's.
#![no_std]
#![warn(missing_docs)]

extern crate alloc;

mod configuration;
mod to_kernel;
mod to_stack;
mod wire;

pub use configuration::{Address, Configuration, Counters, Neighbour, Route};
pub use scheme_abi::Malformed;
pub use to_kernel::{Report, ToKernel};
pub use to_stack::{Change, TcpOptions, ToStack};
pub use wire::{Header, split};

/// Where the kernel serves the stack.
pub const PATH: &str = "/scheme/netstack/socket";
/// Bytes of a message's header.
pub const HEADER_BYTES: usize = 16;
/// Longest message: a datagram with its addresses.
pub const MOST_MESSAGE: usize = 68 << 10;
/// Bytes of a connection that each side takes before it has said anything.
pub const ROOM: u32 = 128 << 10;
/// Set in the numbers of connections that the stack has accepted.
pub const ACCEPTED: u64 = 1 << 63;

/// Protocol numbers (IANA).
pub mod protocol {
    /// ICMP
    pub const ICMP: u8 = 1;
    /// TCP
    pub const TCP: u8 = 6;
    /// UDP
    pub const UDP: u8 = 17;
    /// ICMPv6
    pub const ICMP_V6: u8 = 58;
}
