//! Sockets that send echo requests (`icmp(7)`, ping sockets) and raw ones (`raw(7)`): what they put into packets and find in them.

use alloc::vec::Vec;
use core::net::IpAddr;

use net_abi::protocol;

use super::{Kind, Socket};
use crate::error::*;

/// Bytes of an echo message's header.
const HEADER: usize = 8;
const ECHO_REPLY: u8 = 0;
const ECHO_REQUEST: u8 = 8;
const ECHO_REQUEST_V6: u8 = 128;
const ECHO_REPLY_V6: u8 = 129;

/// What says that a port has no receiver, and how much of the packet's data: type, code, bytes. A message of version 4 has at most 576 bytes with all headers
/// (RFC 1812, section 4.3.2.3), one of version 6 at most 1,280 (RFC 4443, section 2.4).
pub const PORT_UNREACHABLE: (u8, u8, usize) = (3, 3, 576 - 2 * (20 + 8));
#[allow(missing_docs)]
pub const PORT_UNREACHABLE_V6: (u8, u8, usize) = (1, 4, 1280 - 2 * (40 + 8));

/// The internet's checksum (RFC 1071).
pub fn checksum(bytes: &[u8]) -> u16 {
    let (words, rest) = bytes.as_chunks::<2>();
    let mut sum: u32 = words.iter().map(|word| u32::from(u16::from_be_bytes(*word))).sum();
    sum += rest.first().map_or(0, |last| u32::from(*last) << 8);
    while sum >> 16 != 0 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

fn set_checksum(packet: &mut [u8]) {
    packet[2..4].fill(0);
    let sum = checksum(packet);
    packet[2..4].copy_from_slice(&sum.to_be_bytes());
}

/// Makes what a program sends through a ping socket an echo request of that socket's.
///
/// # Errors
/// `EINVAL` for what is none.
pub fn complete_request(number: u8, identifier: u16, packet: &mut [u8]) -> Result {
    let request = if number == protocol::ICMP { ECHO_REQUEST } else { ECHO_REQUEST_V6 };
    if packet.len() < HEADER || packet[0] != request || packet[1] != 0 {
        return Err(EINVAL);
    }
    packet[4..6].copy_from_slice(&identifier.to_be_bytes());
    if number == protocol::ICMP {
        set_checksum(packet);
    }
    Ok(())
}

/// The identifier of an echo reply; none of any other message.
pub fn reply_identifier(number: u8, packet: &[u8]) -> Option<u16> {
    let reply = if number == protocol::ICMP { ECHO_REPLY } else { ECHO_REPLY_V6 };
    let header = packet.first_chunk::<HEADER>().filter(|header| header[0] == reply && header[1] == 0)?;
    Some(u16::from_be_bytes([header[4], header[5]]))
}

/// What this machine answers to an echo request; nothing to other messages.
pub fn answer(number: u8, packet: &[u8]) -> Option<Vec<u8>> {
    let (request, reply) = if number == protocol::ICMP { (ECHO_REQUEST, ECHO_REPLY) } else { (ECHO_REQUEST_V6, ECHO_REPLY_V6) };
    if packet.len() < HEADER || packet[0] != request || packet[1] != 0 {
        return None;
    }
    let mut answer = packet.to_vec();
    answer[0] = reply;
    if number == protocol::ICMP {
        set_checksum(&mut answer);
    }
    Some(answer)
}

/// A packet as raw sockets read it: with its header where it is IPv4's.
pub fn as_raw(number: u8, hop_limit: u8, from: IpAddr, to: IpAddr, bytes: &[u8]) -> Vec<u8> {
    let (IpAddr::V4(from), IpAddr::V4(to)) = (from, to) else { return bytes.to_vec() };
    let mut packet = Vec::with_capacity(20 + bytes.len());
    let len = (20 + bytes.len()).min(usize::from(u16::MAX)) as u16;
    packet.extend_from_slice(&[0x45, 0]);
    packet.extend_from_slice(&len.to_be_bytes());
    packet.extend_from_slice(&[0, 0, 0, 0, hop_limit, number, 0, 0]);
    packet.extend_from_slice(&from.octets());
    packet.extend_from_slice(&to.octets());
    let sum = checksum(&packet);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    packet.extend_from_slice(bytes);
    packet
}

impl Socket {
    /// Whether a message passes the filter that the socket has set (`ICMP_FILTER`, `ICMPV6_FILTER`): a bit for each type that is not wanted.
    pub fn passes_icmp_filter(&self, packet: &[u8]) -> bool {
        let Some(kind) = packet.first() else { return false };
        let filter = self.state.lock().icmp_filter;
        let word = filter[usize::from(kind / 32)];
        // ICMP_FILTER has bits for the first 32 types only.
        word >> (kind % 32) & 1 == 0
    }

    /// Sets that filter.
    ///
    /// # Errors
    /// `ENOPROTOOPT` on other sockets.
    pub fn set_icmp_filter(&self, number: u8, bytes: &[u8]) -> Result {
        if self.kind != Kind::Raw || self.protocol != number {
            return Err(ENOPROTOOPT);
        }
        let mut filter = [0; 8];
        for (word, bytes) in filter.iter_mut().zip(bytes.as_chunks::<4>().0) {
            *word = u32::from_le_bytes(*bytes);
        }
        self.state.lock().icmp_filter = filter;
        Ok(())
    }
}
