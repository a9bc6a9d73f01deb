//! Options of internet sockets (`socket(7)`, `ip(7)`, `ipv6(7)`, `tcp(7)`, `udp(7)`): which there are, and what they may be set to.

use super::{Family, Kind};
use crate::error::*;

/// `SOL_SOCKET`
pub const SOCKET: i32 = 1;
/// `IPPROTO_IP`
pub const IP: i32 = 0;
/// `IPPROTO_TCP`
pub const TCP: i32 = 6;
/// `IPPROTO_UDP`
pub const UDP: i32 = 17;
/// `IPPROTO_IPV6`
pub const IPV6: i32 = 41;

/// `SO_REUSEADDR`
pub const REUSE_ADDRESS: (i32, i32) = (SOCKET, 2);
/// `SO_BROADCAST`
pub const BROADCAST: (i32, i32) = (SOCKET, 6);
/// `SO_OOBINLINE`
pub const URGENT_INLINE: (i32, i32) = (SOCKET, 10);
/// `SO_SNDBUF`
pub const SEND_BUFFER: (i32, i32) = (SOCKET, 7);
/// `SO_RCVBUF`
pub const RECEIVE_BUFFER: (i32, i32) = (SOCKET, 8);
/// `SO_REUSEPORT`
pub const REUSE_PORT: (i32, i32) = (SOCKET, 15);
/// `IP_PKTINFO`
pub const PACKET_INFO: (i32, i32) = (IP, 8);
/// `IPV6_V6ONLY`
pub const ONLY_V6: (i32, i32) = (IPV6, 26);
/// `IPV6_RECVPKTINFO`
pub const PACKET_INFO_V6: (i32, i32) = (IPV6, 49);

/// `SO_KEEPALIVE`
pub const KEEP_ALIVE: (i32, i32) = (SOCKET, 9);
/// `SO_TIMESTAMP`
pub const TIMESTAMP: (i32, i32) = (SOCKET, 29);
/// `SO_TIMESTAMPNS`
pub const TIMESTAMP_NS: (i32, i32) = (SOCKET, 35);
/// `SO_TIMESTAMPING`
pub const TIMESTAMPING: (i32, i32) = (SOCKET, 37);
/// `SO_RXQ_OVFL`
pub const OVERFLOWS: (i32, i32) = (SOCKET, 40);
/// `SO_TXTIME`
pub const SEND_TIME: (i32, i32) = (SOCKET, 61);
/// `IP_MTU`
pub const MTU: (i32, i32) = (IP, 14);
/// `IPV6_MTU`
pub const MTU_V6: (i32, i32) = (IPV6, 24);
/// `IP_RECVORIGDSTADDR`
pub const DESTINATION: (i32, i32) = (IP, 20);
/// `IPV6_RECVORIGDSTADDR`
pub const DESTINATION_V6: (i32, i32) = (IPV6, 74);
/// `TCP_MAXSEG`
pub const MAX_SEGMENT: (i32, i32) = (TCP, 2);
/// `UDP_SEGMENT`
pub const SEGMENT: (i32, i32) = (UDP, 103);
/// `IP_TOS`
pub const TYPE_OF_SERVICE: (i32, i32) = (IP, 1);
/// `IP_TTL`
pub const TTL: (i32, i32) = (IP, 2);
/// `IP_HDRINCL`
pub const HEADER_INCLUDED: (i32, i32) = (IP, 3);
/// `IP_RECVERR`
pub const RECEIVE_ERRORS: (i32, i32) = (IP, 11);
/// `IP_RECVTTL`
pub const RECEIVE_TTL: (i32, i32) = (IP, 12);
/// `IP_RECVTOS`
pub const RECEIVE_TOS: (i32, i32) = (IP, 13);
/// `IP_MULTICAST_TTL`
pub const MULTICAST_TTL: (i32, i32) = (IP, 33);
/// `IP_MULTICAST_LOOP`
pub const MULTICAST_LOOP: (i32, i32) = (IP, 34);
/// `IPV6_UNICAST_HOPS`
pub const UNICAST_HOPS: (i32, i32) = (IPV6, 16);
/// `IPV6_MULTICAST_HOPS`
pub const MULTICAST_HOPS: (i32, i32) = (IPV6, 18);
/// `IPV6_MULTICAST_LOOP`
pub const MULTICAST_LOOP_V6: (i32, i32) = (IPV6, 19);
/// `IPV6_RECVERR`
pub const RECEIVE_ERRORS_V6: (i32, i32) = (IPV6, 25);
/// `IPV6_RECVHOPLIMIT`
pub const RECEIVE_HOPS: (i32, i32) = (IPV6, 51);
/// `IPV6_RECVTCLASS`
pub const RECEIVE_CLASS: (i32, i32) = (IPV6, 66);
/// `IPV6_TCLASS`
pub const TRAFFIC_CLASS: (i32, i32) = (IPV6, 67);
/// `TCP_NODELAY`
pub const NO_DELAY: (i32, i32) = (TCP, 1);
/// `TCP_KEEPIDLE`
pub const KEEP_IDLE: (i32, i32) = (TCP, 4);
/// `TCP_USER_TIMEOUT`
pub const USER_TIMEOUT: (i32, i32) = (TCP, 18);

/// Options for which -1 means their default: `IP_TTL`, `IPV6_UNICAST_HOPS`, `IPV6_MULTICAST_HOPS`.
pub const WITH_DEFAULT: [(i32, i32); 3] = [(IP, 2), (IPV6, 16), (IPV6, 18)];

/// What an option of one word may be.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    /// What it is until it is set.
    pub default: i32,
    /// Least and greatest value; for a switch everything but 0 counts as 1.
    pub range: (i32, i32),
    /// On or off.
    pub is_switch: bool,
}

const fn switch(default: i32) -> Word {
    Word { default, range: (i32::MIN, i32::MAX), is_switch: true }
}

const fn number(default: i32, least: i32, greatest: i32) -> Word {
    Word { default, range: (least, greatest), is_switch: false }
}

/// Whether a level is that of the socket's own transport.
pub fn is_own(level: i32, kind: Kind) -> bool {
    matches!((level, kind), (TCP, Kind::Stream) | (UDP, Kind::Datagram))
}

/// Sockets that have an option.
fn applies(level: i32, family: Family, kind: Kind) -> bool {
    match level {
        SOCKET | IP => true,
        TCP => kind == Kind::Stream,
        UDP => kind == Kind::Datagram,
        IPV6 => family == Family::V6,
        _ => false,
    }
}

/// The options of one word. On a loop-back device most have no effect beyond being remembered, on Linux as here: nothing is lost, delayed or routed.
///
/// # Errors
/// `ENOPROTOOPT` for an option that there is not, `EOPNOTSUPP` for one of IPv6 on a socket of IPv4.
pub fn word(level: i32, option: i32, family: Family, kind: Kind) -> Result<Word> {
    if !applies(level, family, kind) {
        return Err(if level == IPV6 { EOPNOTSUPP } else { ENOPROTOOPT });
    }
    Ok(match (level, option) {
        // DONTROUTE, KEEPALIVE, OOBINLINE, TIMESTAMP, REUSEADDR, BROADCAST, REUSEPORT, TIMESTAMPNS, RXQ_OVFL, ZEROCOPY, NO_CHECK
        (SOCKET, 2 | 5 | 6 | 9 | 10 | 15 | 29 | 35 | 40 | 60 | 11) => switch(0),
        // TIMESTAMPING: SOF_TIMESTAMPING_MASK
        (SOCKET, 37) => number(0, 0, (1 << 16) - 1),
        (SOCKET, 7 | 8) => number(212_992, 0, i32::MAX),
        // PRIORITY, RCVLOWAT, MARK, BUSY_POLL, INCOMING_CPU
        (SOCKET, 12) => number(0, 0, 6),
        (SOCKET, 18) => number(1, 0, i32::MAX),
        (SOCKET, 36 | 46) => number(0, 0, i32::MAX),
        (SOCKET, 49) => number(-1, -1, i32::MAX),
        // HDRINCL
        (IP, 3) if kind == Kind::Raw => switch(0),
        // TOS, TTL, HDRINCL is of raw sockets only, RECVOPTS, RETOPTS, PKTINFO, MTU_DISCOVER, RECVERR, RECVTTL, RECVTOS, FREEBIND
        (IP, 1) => number(0, 0, 255),
        (IP, 2) => number(64, 1, 255),
        (IP, 6 | 7 | 8 | 11 | 12 | 13 | 15 | 19 | 20 | 24) => switch(0),
        (IP, 10) => number(1, 0, 5),
        (IP, 33) => number(1, -1, 255),
        (IP, 34) => switch(1),
        (IPV6, 16 | 18) => number(if option == 18 { 1 } else { 64 }, 0, 255),
        (IPV6, 19) => switch(1),
        (IPV6, 23) => number(1, 0, 5),
        // RECVERR, V6ONLY, RECVPKTINFO, RECVHOPLIMIT, DONTFRAG, RECVTCLASS, AUTOFLOWLABEL, RECVORIGDSTADDR, FREEBIND
        (IPV6, 25 | 26 | 49 | 51 | 62 | 66 | 70 | 74 | 78) => switch(0),
        (IPV6, 67) => number(0, -1, 255),
        // NODELAY, CORK, QUICKACK
        (TCP, 1 | 3) => switch(0),
        (TCP, 12) => switch(1),
        // MAXSEG, until there is a connection
        (TCP, 2) => number(536, 0, 32_767),
        (TCP, 4) => number(7200, 1, 32_767),
        (TCP, 5) => number(75, 1, 32_767),
        (TCP, 6) => number(9, 1, 127),
        (TCP, 7) => number(6, 1, 127),
        (TCP, 8) => number(60, -1, i32::MAX),
        (TCP, 9) => number(0, 0, i32::MAX),
        (TCP, 10) => number(65_536, 0, i32::MAX),
        (TCP, 18 | 23 | 25) => number(0, 0, i32::MAX),
        // FASTOPEN_CONNECT: there is never a cookie, so that connections are made as ever
        (TCP, 30) => switch(0),
        // CORK, GRO: datagrams are never put together
        (UDP, 1 | 104) => switch(0),
        // SEGMENT
        (UDP, 103) => number(0, 0, 65_535),
        _ => return Err(ENOPROTOOPT),
    })
}
