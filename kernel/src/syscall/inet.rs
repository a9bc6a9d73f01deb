//! Socket system calls on sockets of the internet families: addresses, control messages and options.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::sync::atomic::Ordering;

use call_flags::sockets;
use net_abi::protocol;

use super::Cx;
use super::socket::{
    MSG_CTRUNC, MSG_DONTWAIT, MSG_NOSIGNAL, MSG_OOB, MSG_PEEK, MSG_TRUNC, MSG_WAITALL, MsgHdr, install, read_controls, read_iovs,
    read_timeout, timeout_bytes, write_name,
};
use crate::error::*;
use crate::ipc::network;
use crate::fs::{IoSink, IoSource, OpenFile};
use crate::ipc::inet::{Extras, Family, Kind, Received, Socket, address, options, raw};
use crate::ipc::netdev;
use crate::task::Capability;
use crate::user;

const MSG_ERRQUEUE: u32 = 0x2000;
/// `SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE`: the one kind of times that there is.
const SOFTWARE_TIMES: i32 = 1 << 3 | 1 << 4;

/// A descriptor's file and socket, if it is an internet socket.
pub struct Internet {
    pub file: Arc<OpenFile>,
    pub socket: Arc<Socket>,
}

/// socket(2)
pub fn create(cx: &Cx<'_>, family: Family, kind: u32, number: i32) -> Result<usize> {
    const SOCK_TYPE: u32 = 0xf;
    let flags = kind & !SOCK_TYPE;
    let icmp = i32::from(if family == Family::V4 { protocol::ICMP } else { protocol::ICMP_V6 });
    let (kind, number) = match (kind & SOCK_TYPE, number) {
        (1, 0 | options::TCP) => (Kind::Stream, protocol::TCP),
        (2, 0 | options::UDP) => (Kind::Datagram, protocol::UDP),
        (2, number) if number == icmp => (Kind::Ping, icmp as u8),
        (1 | 2, _) => return Err(EPROTONOSUPPORT),
        // Raw sockets, and the type that is for devices only.
        (3 | 10, _) if !network::here().capable(Capability::NET_RAW) => return Err(EPERM),
        (3, 0) => return Err(EPROTONOSUPPORT),
        (3, number @ 1..=255) => (Kind::Raw, number as u8),
        // SOCK_RDM, SOCK_SEQPACKET, SOCK_DCCP, and numbers without a name.
        (4..=9, _) => return Err(ESOCKTNOSUPPORT),
        _ => return Err(EINVAL),
    };
    let socket = Socket::new(family, kind, number);
    if kind == Kind::Raw && number == raw::RAW && family == Family::V4 {
        socket.set_word(options::HEADER_INCLUDED, 1)?;
    }
    Ok(install(cx, socket, flags)? as usize)
}

impl Internet {
    fn read_address(&self, at: usize, len: u32) -> Result<Option<SocketAddr>> {
        if len as usize > 128 {
            return Err(EINVAL);
        }
        address::parse(self.socket.family, &user::read_bytes(at, len as usize)?)
    }

    fn address_bytes(&self, address: Option<SocketAddr>) -> Vec<u8> {
        let family = self.socket.family;
        address::to_bytes(family, address.unwrap_or(SocketAddr::new(address::unspecified(family), 0)))
    }

    /// bind(2)
    pub fn bind(&self, at: usize, len: u32) -> Result<usize> {
        self.socket.bind(self.read_address(at, len)?)?;
        Ok(0)
    }

    /// listen(2)
    pub fn listen(&self, backlog: i32) -> Result<usize> {
        self.socket.listen(backlog)?;
        Ok(0)
    }

    /// connect(2)
    pub fn connect(&self, at: usize, len: u32) -> Result<usize> {
        self.socket.connect(self.read_address(at, len)?, self.file.nonblocking())?;
        Ok(0)
    }

    /// accept4(2)
    pub fn accept(&self, cx: &Cx<'_>, at: usize, len_at: usize, flags: u32) -> Result<usize> {
        let accepted = self.socket.accept(self.file.nonblocking())?;
        let remote = accepted.remote();
        let new = install(cx, accepted, flags)?;
        if let Err(error) = write_name(&self.address_bytes(remote), at, len_at) {
            let _ = cx.process.files().close(new);
            return Err(error);
        }
        Ok(new as usize)
    }

    /// getsockname(2): the `struct sockaddr`.
    pub fn name(&self) -> Vec<u8> {
        self.address_bytes(self.socket.local())
    }

    /// getpeername(2): the `struct sockaddr`.
    pub fn peer(&self) -> Result<Vec<u8>> {
        let remote = self.socket.remote().ok_or(ENOTCONN)?;
        Ok(self.address_bytes(Some(remote)))
    }

    /// shutdown(2)
    pub fn shutdown(&self, how: i32) -> Result<usize> {
        self.socket.shutdown(how)?;
        Ok(0)
    }

    fn nonblocking(&self, flags: u32) -> bool {
        self.file.nonblocking() || flags & MSG_DONTWAIT != 0
    }

    /// sendto(2)
    pub fn send(&self, src: &mut IoSource<'_>, flags: u32, to: usize, to_len: u32) -> Result<usize> {
        self.send_with(src, flags, (to, to_len), &Extras::default())
    }

    fn send_with(&self, src: &mut IoSource<'_>, flags: u32, (to, to_len): (usize, u32), extras: &Extras) -> Result<usize> {
        let set = if self.socket.kind == Kind::Stream { &sockets::STREAM_SEND } else { &sockets::DATAGRAM_SEND };
        set.check(flags)?;
        let to = if to == 0 || self.socket.kind == Kind::Stream { None } else { self.read_address(to, to_len)? };
        self.socket.send(src, to, extras, self.nonblocking(flags), flags & MSG_NOSIGNAL != 0, flags & MSG_OOB != 0)
    }

    fn check_receive(&self, flags: u32) -> Result {
        let set = match self.socket.kind {
            Kind::Stream => &sockets::STREAM_RECEIVE,
            Kind::Datagram => &sockets::DATAGRAM_RECEIVE,
            Kind::Ping | Kind::Raw => &sockets::RAW_RECEIVE,
        };
        Ok(set.check(flags)?)
    }

    /// Whether it is the urgent byte that is asked for.
    fn is_urgent(&self, flags: u32) -> bool {
        self.socket.kind == Kind::Stream && flags & MSG_OOB != 0
    }

    /// What is first in the queue of errors; streams have none.
    fn take_report(&self) -> Result<(net_abi::Report, Vec<u8>)> {
        if self.socket.kind == Kind::Stream {
            return Err(EAGAIN);
        }
        self.socket.take_report().ok_or(EAGAIN)
    }

    /// recvfrom(2)
    pub fn receive(&self, dst: &mut IoSink<'_>, flags: u32, from: usize, from_len: usize) -> Result<usize> {
        self.check_receive(flags)?;
        if flags & MSG_ERRQUEUE != 0 {
            let (report, data) = self.take_report()?;
            write_name(&self.address_bytes(Some(report.remote)), from, from_len)?;
            return dst.write(&data);
        }
        if self.is_urgent(flags) {
            let copied = self.socket.receive_urgent(dst, flags & MSG_PEEK != 0)?;
            if from != 0 {
                write_name(&[], from, from_len)?;
            }
            return Ok(copied.unwrap_or(0));
        }
        let received = self.socket.receive(dst, self.nonblocking(flags), flags & MSG_PEEK != 0, flags & MSG_WAITALL != 0)?;
        if from != 0 {
            match received.from {
                Some(_) => write_name(&self.address_bytes(received.from), from, from_len)?,
                None => write_name(&[], from, from_len)?,
            }
        }
        Ok(if flags & MSG_TRUNC != 0 { received.whole } else { received.copied })
    }

    /// sendmsg(2)
    pub fn send_message(&self, header: &MsgHdr, flags: u32) -> Result<usize> {
        let iovs = read_iovs(header.iov, header.iov_len)?;
        let (name, len) = if header.name_len == 0 { (0, 0) } else { (header.name, header.name_len) };
        let extras = if header.control_len > 0 { self.read_extras(header)? } else { Extras::default() };
        self.send_with(&mut IoSource::user_vec(iovs), flags, (name, len), &extras)
    }

    /// What the control messages say of a datagram. Streams are sent without looking at them.
    fn read_extras(&self, header: &MsgHdr) -> Result<Extras> {
        /// `IPV6_PKTINFO`, `IPV6_HOPLIMIT`
        const PACKET_INFO_V6: i32 = 50;
        const HOP_LIMIT: i32 = 52;
        let mut extras = Extras::default();
        if self.socket.kind == Kind::Stream {
            return Ok(extras);
        }
        for (level, kind, data) in read_controls(header.control, header.control_len)? {
            // An int, or for IP_TOS also a byte; -1 is "as usual".
            let number = |range: core::ops::RangeInclusive<i32>| -> Result<Option<u8>> {
                let value = match *data.as_slice() {
                    [a, b, c, d] => i32::from_le_bytes([a, b, c, d]),
                    [byte] if (level, kind) == options::TYPE_OF_SERVICE => i32::from(byte),
                    _ => return Err(EINVAL),
                };
                match value {
                    -1 if level == options::IPV6 => Ok(None),
                    value if range.contains(&value) => Ok(Some(value as u8)),
                    _ => Err(EINVAL),
                }
            };
            match (level, kind) {
                options::TTL => extras.hop_limit = number(1..=255)?,
                options::TYPE_OF_SERVICE => extras.tos = number(0..=255)?,
                (options::IPV6, HOP_LIMIT) => extras.hop_limit = number(0..=255)?,
                options::TRAFFIC_CLASS => extras.tos = number(0..=255)?,
                options::PACKET_INFO => {
                    // struct in_pktinfo: index, local address, destination.
                    let local: [u8; 4] = data.get(4..8).filter(|_| data.len() == 12).and_then(|it| it.try_into().ok()).ok_or(EINVAL)?;
                    extras.source = Some(IpAddr::from(local)).filter(|it| !it.is_unspecified());
                }
                (options::IPV6, PACKET_INFO_V6) => {
                    let local: [u8; 16] = data.get(..16).filter(|_| data.len() == 20).and_then(|it| it.try_into().ok()).ok_or(EINVAL)?;
                    extras.source = Some(IpAddr::from(local).to_canonical()).filter(|it| !it.is_unspecified());
                }
                options::SEGMENT if self.socket.kind == Kind::Datagram => {
                    let size: [u8; 2] = data.as_slice().try_into().map_err(|_| EINVAL)?;
                    extras.segment = Some(u16::from_le_bytes(size));
                }
                // SCM_TXTIME: a time, for who has asked for times.
                options::SEND_TIME if data.len() == 8 && self.socket.send_time().is_some() => {}
                // SCM_RIGHTS and SCM_CREDENTIALS are of another family; Linux passes over them.
                (options::SOCKET, 1 | 2) => {}
                (options::SOCKET, _) => return Err(EINVAL),
                (options::IP, _) if self.socket.family == Family::V4 => return Err(EINVAL),
                (options::IPV6, _) if self.socket.family == Family::V6 => return Err(EINVAL),
                _ => {}
            }
        }
        Ok(extras)
    }

    /// recvmsg(2)
    pub fn receive_message(&self, at: usize, flags: u32) -> Result<usize> {
        self.check_receive(flags)?;
        let mut header: MsgHdr = user::read(at)?;
        if flags & MSG_ERRQUEUE != 0 {
            return self.receive_report(at, &mut header);
        }
        let iovs = read_iovs(header.iov, header.iov_len)?;
        let mut sink = IoSink::user_vec(iovs);
        if self.is_urgent(flags) {
            let copied = self.socket.receive_urgent(&mut sink, flags & MSG_PEEK != 0)?;
            header.flags = if copied.is_some() { MSG_OOB } else { MSG_OOB | MSG_TRUNC };
            give(&mut header, &[], &[])?;
            user::write(at, &header)?;
            return Ok(copied.unwrap_or(0));
        }
        let received = self.socket.receive(&mut sink, self.nonblocking(flags), flags & MSG_PEEK != 0, flags & MSG_WAITALL != 0)?;
        header.flags = if received.copied < received.whole { MSG_TRUNC } else { 0 };
        let name = if received.from.is_some() { self.address_bytes(received.from) } else { Vec::new() };
        give(&mut header, &self.control(&received), &name)?;
        user::write(at, &header)?;
        Ok(if flags & MSG_TRUNC != 0 { received.whole } else { received.copied })
    }

    /// recvmsg(2) with MSG_ERRQUEUE: what was said of a packet that was not delivered (`ip(7)`, IP_RECVERR), and what was in it, if it was for this machine.
    fn receive_report(&self, at: usize, header: &mut MsgHdr) -> Result<usize> {
        /// SO_EE_ORIGIN_LOCAL, _ICMP, _ICMP6
        const ORIGINS: [u8; 3] = [1, 2, 3];
        let mut sink = IoSink::user_vec(read_iovs(header.iov, header.iov_len)?);
        let (report, data) = self.take_report()?;
        let is_v4 = self.socket.family == Family::V4;
        let origin = if report.kind == 0 { 0 } else if is_v4 { 1 } else { 2 };
        let mut error = report.errno.to_le_bytes().to_vec();
        error.extend_from_slice(&[ORIGINS[origin], report.kind, report.code, 0]);
        error.extend_from_slice(&report.info.to_le_bytes());
        error.extend_from_slice(&[0; 4]);
        error.extend_from_slice(&self.address_bytes(Some(SocketAddr::new(report.offender, 0))));
        let (level, kind) = if is_v4 { options::RECEIVE_ERRORS } else { options::RECEIVE_ERRORS_V6 };
        let mut control = Vec::new();
        put_control(&mut control, level, kind, &error);
        let copied = sink.write(&data)?;
        header.flags = MSG_ERRQUEUE | if copied < data.len() { MSG_TRUNC } else { 0 };
        give(header, &control, &self.address_bytes(Some(report.remote)))?;
        user::write(at, header)?;
        Ok(copied)
    }

    /// The control messages that were asked for: which interface and address a datagram came to.
    fn control(&self, received: &Received) -> Vec<u8> {
        let mut out = Vec::new();
        let Some(to) = received.to else { return out };
        let mut put = |level, kind, data: &[u8]| put_control(&mut out, level, kind, data);
        let is_on = |option| self.socket.word(option).is_ok_and(|value| value != 0);
        if let (true, IpAddr::V4(ip)) = (is_on(options::PACKET_INFO), to.ip()) {
            // struct in_pktinfo: index, local address, destination.
            let data = [netdev::index_for(to.ip()).to_le_bytes(), ip.octets(), ip.octets()].concat();
            put(options::IP, options::PACKET_INFO.1, &data);
        }
        if is_on(options::TIMESTAMP) {
            // SCM_TIMESTAMP: struct timeval.
            let data = [received.at_ns / 1_000_000_000, received.at_ns % 1_000_000_000 / 1000].map(i64::to_le_bytes).concat();
            put(options::SOCKET, options::TIMESTAMP.1, &data);
        }
        // struct timespec
        let exactly = [received.at_ns / 1_000_000_000, received.at_ns % 1_000_000_000].map(i64::to_le_bytes).concat();
        if is_on(options::TIMESTAMP_NS) {
            put(options::SOCKET, options::TIMESTAMP_NS.1, &exactly);
        }
        if self.socket.word(options::TIMESTAMPING).is_ok_and(|flags| flags & SOFTWARE_TIMES == SOFTWARE_TIMES) {
            // struct scm_timestamping: by software, an old one, by the device.
            put(options::SOCKET, options::TIMESTAMPING.1, &[&exactly[..], &[0; 32]].concat());
        }
        if is_on(options::OVERFLOWS) && received.dropped > 0 {
            put(options::SOCKET, options::OVERFLOWS.1, &received.dropped.to_le_bytes());
        }
        let is_v4 = self.socket.family == Family::V4;
        let destination = if is_v4 { options::DESTINATION } else { options::DESTINATION_V6 };
        if is_on(destination) {
            put(destination.0, destination.1, &address::to_bytes(self.socket.family, to));
        }
        let hop_limit = i32::from(received.hop_limit).to_le_bytes();
        if is_on(options::RECEIVE_TTL) && self.socket.family == Family::V4 {
            // IP_TTL
            put(options::IP, options::TTL.1, &hop_limit);
        }
        if is_on(options::RECEIVE_TOS) && self.socket.family == Family::V4 {
            // IP_TOS, the one that is a byte.
            put(options::IP, options::TYPE_OF_SERVICE.1, &[received.tos]);
        }
        if is_on(options::RECEIVE_HOPS) {
            // IPV6_HOPLIMIT
            put(options::IPV6, 52, &hop_limit);
        }
        if is_on(options::RECEIVE_CLASS) {
            put(options::IPV6, options::TRAFFIC_CLASS.1, &i32::from(received.tos).to_le_bytes());
        }
        if is_on(options::PACKET_INFO_V6) {
            // struct in6_pktinfo: address, index. IPV6_PKTINFO is 50.
            let mut data = address::in_v6(to.ip()).octets().to_vec();
            data.extend_from_slice(&netdev::index_for(to.ip()).to_le_bytes());
            put(options::IPV6, 50, &data);
        }
        out
    }

    /// getsockopt(2): the option's bytes.
    pub fn option(&self, level: i32, option: i32) -> Result<Vec<u8>> {
        const CONGESTION: i32 = 13;
        const TCP_INFO: i32 = 11;
        let socket = &self.socket;
        let word = |value: i32| value.to_le_bytes().to_vec();
        Ok(match (level, option) {
            (options::SOCKET, 3) => word(match socket.kind {
                Kind::Stream => 1,
                Kind::Datagram | Kind::Ping => 2,
                Kind::Raw => 3,
            }),
            (options::SOCKET, 4) => word(socket.take_error().map_or(0, |error| error.0)),
            (options::SOCKET, 13) => {
                let (on, seconds) = socket.linger();
                [on.to_le_bytes(), seconds.to_le_bytes()].concat()
            }
            // PEERCRED of a socket that has none.
            (options::SOCKET, 17) => [0, u32::MAX, u32::MAX].iter().flat_map(|v| v.to_le_bytes()).collect(),
            (options::SOCKET, 20) => timeout_bytes(socket.receive_timeout_ns.load(Ordering::Relaxed)),
            (options::SOCKET, 21) => timeout_bytes(socket.send_timeout_ns.load(Ordering::Relaxed)),
            (options::SOCKET, 25) => Vec::new(),
            (options::SOCKET, 30) => word(socket.is_listening().into()),
            (options::SOCKET, 38) => word(socket.protocol.into()),
            (options::SOCKET, 39) => word(if socket.family == Family::V4 { 2 } else { 10 }),
            (options::TCP, CONGESTION) if socket.kind == Kind::Stream => b"cubic\0\0\0\0\0\0\0\0\0\0\0".to_vec(),
            (options::TCP, TCP_INFO) if socket.kind == Kind::Stream => self.tcp_info(),
            options::MAX_SEGMENT if socket.kind == Kind::Stream => word(socket.max_segment()),
            // struct so_timestamping: flags, and the number of a device's clock.
            options::TIMESTAMPING => [socket.word(options::TIMESTAMPING)?.to_le_bytes(), [0; 4]].concat(),
            options::HEADER_INCLUDED if socket.kind != Kind::Raw => word(0),
            options::MTU => word(socket.mtu()?),
            options::MTU_V6 if socket.family == Family::V6 => word(socket.mtu()?),
            options::SEND_TIME => socket.send_time().unwrap_or_default().map(u32::to_le_bytes).concat(),
            (options::SOCKET | options::IP | options::IPV6, _) => word(socket.word((level, option))?),
            // What no protocol of the socket answers ends at IPv4's, which has an error of its own for that.
            _ => word(socket.word((level, option)).map_err(|error| {
                let is_own = options::is_own(level, socket.kind) || socket.family == Family::V6;
                if is_own { error } else { EOPNOTSUPP }
            })?),
        })
    }

    /// The beginning of `struct tcp_info`: the state; there is no protocol whose figures could follow.
    fn tcp_info(&self) -> Vec<u8> {
        let mut info = alloc::vec![0; 104];
        info[0] = self.socket.status();
        info
    }

    /// setsockopt(2)
    pub fn set_option(&self, level: i32, option: i32, at: usize, len: u32) -> Result<usize> {
        let socket = &self.socket;
        let word = || -> Result<i32> { if len < 4 { Err(EINVAL) } else { user::read(at) } };
        match (level, option) {
            (options::SOCKET, 3 | 4 | 17 | 30 | 38 | 39) => return Err(ENOPROTOOPT),
            (options::SOCKET, 13) => {
                if len < 8 {
                    return Err(EINVAL);
                }
                let [on, seconds]: [i32; 2] = user::read(at)?;
                socket.set_linger(on, seconds);
            }
            // SO_SNDBUFFORCE, SO_RCVBUFFORCE
            (options::SOCKET, 32 | 33) => {
                if !socket.net.capable(Capability::NET_ADMIN) {
                    return Err(EPERM);
                }
                let plain = if option == 32 { options::SEND_BUFFER } else { options::RECEIVE_BUFFER };
                socket.set_word(plain, word()?.max(0))?;
            }
            (options::SOCKET, 20 | 21) => {
                let ns = read_timeout(at, len)?;
                let slot = if option == 20 { &socket.receive_timeout_ns } else { &socket.send_timeout_ns };
                slot.store(ns, Ordering::Relaxed);
            }
            // SO_BINDTODEVICE
            (options::SOCKET, 25) => {
                let name = user::read_bytes(at, (len as usize).min(16))?;
                let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
                if !name.is_empty() && !netdev::exists(&socket.net, name) {
                    return Err(ENODEV);
                }
            }
            // TCP_CONGESTION
            (options::TCP, 13) if socket.kind == Kind::Stream => {
                let name = user::read_bytes(at, (len as usize).min(16))?;
                if !matches!(name.split(|byte| *byte == 0).next(), Some(b"cubic" | b"reno")) {
                    return Err(ENOENT);
                }
            }
            // TCP_FASTOPEN_CONNECT
            (options::TCP, 30) if socket.kind == Kind::Stream && (socket.is_listening() || socket.remote().is_some()) => return Err(EINVAL),
            (options::IPV6, _) if socket.family == Family::V4 => return Err(ENOPROTOOPT),
            // TCP_ULP: there is no protocol above TCP in the kernel.
            (options::TCP, 31) if socket.kind == Kind::Stream => return Err(ENOENT),
            options::SEND_TIME => {
                const CLOCK_MONOTONIC: u32 = 1;
                const FLAGS: u32 = 3;
                let [clock, flags]: [u32; 2] = if len == 8 { user::read(at)? } else { return Err(EINVAL) };
                if flags & !FLAGS != 0 {
                    return Err(EINVAL);
                }
                if clock != CLOCK_MONOTONIC && !socket.net.capable(Capability::NET_ADMIN) {
                    return Err(EPERM);
                }
                socket.set_send_time([clock, flags]);
            }
            // IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP: struct ip_mreq or ip_mreqn, which begin with the group.
            (options::IP, 35 | 36) => {
                let group: [u8; 4] = if len < 8 { return Err(EINVAL) } else { user::read(at)? };
                socket.change_membership(IpAddr::from(group), option == 35)?;
            }
            // IPV6_JOIN_GROUP, IPV6_LEAVE_GROUP: struct ipv6_mreq.
            (options::IPV6, 20 | 21) if socket.family == Family::V6 => {
                let group: [u8; 16] = if len < 20 { return Err(EINVAL) } else { user::read(at)? };
                socket.change_membership(IpAddr::from(group), option == 20)?;
            }
            // MCAST_JOIN_GROUP, MCAST_LEAVE_GROUP: struct group_req, an interface and a socket address (RFC 3678).
            (options::IP | options::IPV6, 42 | 45) => {
                const AF_INET: u16 = 2;
                const AF_INET6: u16 = 10;
                let raw: [u8; 136] = if len < 136 { return Err(EINVAL) } else { user::read(at)? };
                let part = |from: usize| &raw[from..];
                let family = u16::from_le_bytes([raw[8], raw[9]]);
                let group = match (level, family) {
                    (options::IP, AF_INET) => part(12).first_chunk::<4>().map(|it| IpAddr::from(*it)),
                    (options::IPV6, AF_INET6) if socket.family == Family::V6 => part(16).first_chunk::<16>().map(|it| IpAddr::from(*it)),
                    _ => None,
                };
                socket.change_membership(group.ok_or(EADDRNOTAVAIL)?, option == 42)?;
            }
            // ICMP_FILTER
            (255, 1) => socket.set_icmp_filter(protocol::ICMP, &user::read_bytes(at, (len as usize).min(4))?)?,
            // ICMPV6_FILTER
            (58, 1) => socket.set_icmp_filter(protocol::ICMP_V6, &user::read_bytes(at, (len as usize).min(32))?)?,
            // IPV6_CHECKSUM of a socket of ICMPv6 is where it has to be.
            (255, 7) if socket.kind == Kind::Raw && socket.family == Family::V6 => {
                if word()? != 2 {
                    return Err(EINVAL);
                }
            }
            // The switches of multicast may be single bytes.
            (options::IP, 33 | 34) if len == 1 => {
                let [byte]: [u8; 1] = user::read(at)?;
                socket.set_word((level, option), byte.into())?;
            }
            _ => socket.set_word((level, option), word()?)?,
        }
        Ok(0)
    }
}

/// Appends a control message (`cmsg(3)`).
pub(super) fn put_control(out: &mut Vec<u8>, level: i32, kind: i32, data: &[u8]) {
    out.extend_from_slice(&(16 + data.len() as u64).to_le_bytes());
    out.extend_from_slice(&level.to_le_bytes());
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(data);
    out.resize(out.len().next_multiple_of(8), 0);
}

/// Gives the receiver of a message its control messages, all or none, and the sender's name, as far as there is room.
pub(super) fn give(header: &mut MsgHdr, control: &[u8], name: &[u8]) -> Result {
    let room = if header.control == 0 { 0 } else { header.control_len };
    if control.len() <= room {
        frame::user::copy_to_user(header.control as u64, control)?;
        header.control_len = control.len();
    } else {
        header.control_len = 0;
        header.flags |= MSG_CTRUNC;
    }
    if header.name != 0 {
        frame::user::copy_to_user(header.name as u64, &name[..name.len().min(header.name_len as usize)])?;
        header.name_len = name.len() as u32;
    }
    Ok(())
}
