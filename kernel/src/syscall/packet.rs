//! Socket system calls on packet sockets (`packet(7)`).

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use call_flags::sockets;

use super::Cx;
use super::inet::{give, put_control};
use super::netlink::read_filter;
use super::socket::{MSG_DONTWAIT, MSG_PEEK, MSG_TRUNC, MsgHdr, SOL_SOCKET, install, read_iovs, read_timeout, timeout_bytes, write_name};
use crate::error::*;
use crate::fs::{IoSink, IoSource, OpenFile};
use crate::ipc::netdev;
use crate::ipc::packet::{Kind, LinkAddress, Shape, Socket, Version, Waiting};
use crate::task::Capability;
use crate::user;

/// The family's number.
pub const FAMILY: i32 = 17;
/// `struct sockaddr_ll`, and how much of it there is with an address of Ethernet.
const ADDRESS: usize = 20;
const WITHOUT_HARDWARE: usize = 12;
const SOL_PACKET: i32 = 263;
const MSG_ERRQUEUE: u32 = 0x2000;

/// A packet socket and its file.
pub struct Packets {
    pub file: Arc<OpenFile>,
    pub socket: Arc<Socket>,
}

/// socket(2)
pub fn create(cx: &Cx<'_>, kind: u32, protocol: i32) -> Result<usize> {
    const SOCK_TYPE: u32 = 0xf;
    if !cx.thread.has_in(Capability::NET_RAW, &crate::ipc::network::here().user) {
        return Err(EPERM);
    }
    sockets::PACKET_TYPE.check(kind & SOCK_TYPE)?;
    let flags = kind & !SOCK_TYPE;
    let kind = if kind & SOCK_TYPE == 3 { Kind::Raw } else { Kind::Datagram };
    // It is given in the network's byte order.
    Ok(install(cx, Socket::new(kind, (protocol as u16).swap_bytes()), flags)? as usize)
}

fn read_address(at: usize, len: u32) -> Result<LinkAddress> {
    if (len as usize) < ADDRESS {
        return Err(EINVAL);
    }
    LinkAddress::parse(&user::read_bytes(at, ADDRESS)?).ok_or(EINVAL)
}

fn check_receive(flags: u32) -> Result {
    sockets::PACKET_RECEIVE.check(flags)?;
    // Frames are sent without a word of their times: nothing is ever in that queue.
    if flags & MSG_ERRQUEUE != 0 { Err(EAGAIN) } else { Ok(()) }
}

impl Packets {
    /// bind(2)
    pub fn bind(&self, at: usize, len: u32) -> Result<usize> {
        let address = read_address(at, len)?;
        self.socket.bind(address.protocol, address.index)?;
        Ok(0)
    }

    /// getsockname(2): the `struct sockaddr`.
    pub fn name(&self) -> Vec<u8> {
        let (protocol, index) = self.socket.bound();
        let mut name = LinkAddress { protocol, index, ..LinkAddress::default() };
        let interface = netdev::interfaces(&self.socket.net).into_iter().find(|it| it.index == index);
        if let Some(interface) = &interface {
            name.hardware = interface.hardware;
            name.len = 6;
            name.address[..6].copy_from_slice(&interface.mac);
        }
        name.to_bytes()[..WITHOUT_HARDWARE + usize::from(name.len)].to_vec()
    }

    fn nonblocking(&self, flags: u32) -> bool {
        self.file.nonblocking() || flags & MSG_DONTWAIT != 0
    }

    /// sendto(2)
    pub fn send(&self, src: &mut IoSource<'_>, flags: u32, to: usize, to_len: u32) -> Result<usize> {
        sockets::PACKET_SEND.check(flags)?;
        let to = if to == 0 { None } else { Some(read_address(to, to_len)?) };
        self.socket.send(src, to.as_ref())
    }

    /// sendmsg(2)
    pub fn send_message(&self, header: &MsgHdr, flags: u32) -> Result<usize> {
        let (name, len) = if header.name_len == 0 { (0, 0) } else { (header.name, header.name_len) };
        self.send(&mut IoSource::user_vec(read_iovs(header.iov, header.iov_len)?), flags, name, len)
    }

    /// recvfrom(2)
    pub fn receive(&self, dst: &mut IoSink<'_>, flags: u32, from: usize, from_len: usize) -> Result<usize> {
        check_receive(flags)?;
        let (copied, frame) = self.socket.receive(dst, self.nonblocking(flags), flags & MSG_PEEK != 0)?;
        if from != 0 {
            write_name(&frame.from.to_bytes(), from, from_len)?;
        }
        Ok(if flags & MSG_TRUNC != 0 { frame.bytes.len() } else { copied })
    }

    /// recvmsg(2)
    pub fn receive_message(&self, at: usize, flags: u32) -> Result<usize> {
        check_receive(flags)?;
        let mut header: MsgHdr = user::read(at)?;
        let mut sink = IoSink::user_vec(read_iovs(header.iov, header.iov_len)?);
        let (copied, frame) = self.socket.receive(&mut sink, self.nonblocking(flags), flags & MSG_PEEK != 0)?;
        header.flags = if copied < frame.bytes.len() { MSG_TRUNC } else { 0 };
        give(&mut header, &self.control(&frame), &frame.from.to_bytes())?;
        user::write(at, &header)?;
        Ok(if flags & MSG_TRUNC != 0 { frame.bytes.len() } else { copied })
    }

    /// The control messages that were asked for.
    fn control(&self, frame: &Waiting) -> Vec<u8> {
        let mut out = Vec::new();
        let options = self.socket.options();
        let (seconds, ns) = (frame.at_ns / 1_000_000_000, frame.at_ns % 1_000_000_000);
        if options.times[1] {
            put_control(&mut out, SOL_SOCKET, SO_TIMESTAMPNS, &[seconds, ns].map(i64::to_le_bytes).concat());
        } else if options.times[0] {
            put_control(&mut out, SOL_SOCKET, SO_TIMESTAMP, &[seconds, ns / 1000].map(i64::to_le_bytes).concat());
        }
        if options.auxiliary {
            /// `TP_STATUS_USER`
            const STATUS: u32 = 1;
            // struct tpacket_auxdata: status, length, how much of it is here, where the link's header and the packet begin; no VLAN.
            let words = [STATUS, frame.whole as u32, frame.bytes.len() as u32, (frame.network as u32) << 16, 0];
            put_control(&mut out, SOL_PACKET, PACKET_AUXDATA, &words.map(u32::to_le_bytes).concat());
        }
        out
    }

    /// getsockopt(2): the option's bytes. `given`: what was in their place, for those that ask about it.
    pub fn option(&self, level: i32, option: i32, at: usize, room: usize) -> Result<Vec<u8>> {
        let socket = &self.socket;
        let options = socket.options();
        let value: u32 = match (level, option) {
            (SOL_SOCKET, SO_TYPE) => if socket.kind == Kind::Raw { 3 } else { 2 },
            (SOL_SOCKET, SO_ERROR) => socket.take_error().map_or(0, |error| error.0 as u32),
            (SOL_SOCKET, SO_SNDBUF) => BUFFER,
            (SOL_SOCKET, SO_RCVBUF) => socket.buffer.load(Ordering::Relaxed) as u32,
            (SOL_SOCKET, SO_RCVTIMEO) => return Ok(timeout_bytes(socket.receive_timeout_ns.load(Ordering::Relaxed))),
            (SOL_SOCKET, SO_SNDTIMEO) => return Ok(timeout_bytes(socket.send_timeout_ns.load(Ordering::Relaxed))),
            (SOL_SOCKET, SO_TIMESTAMP) => options.times[0].into(),
            (SOL_SOCKET, SO_TIMESTAMPNS) => options.times[1].into(),
            (SOL_SOCKET, SO_PROTOCOL) => socket.bound().0.swap_bytes().into(),
            (SOL_SOCKET, SO_DOMAIN) => FAMILY as u32,
            (SOL_SOCKET, SO_LOCK_FILTER) => options.is_filter_locked.into(),
            // SKF_AD_MAX: what filters can ask of a packet beside its bytes.
            (SOL_SOCKET, SO_BPF_EXTENSIONS) => 64,
            // REUSEADDR, DONTROUTE, BROADCAST, KEEPALIVE, OOBINLINE, PRIORITY, MARK: off
            (SOL_SOCKET, 2 | 5 | 6 | 9 | 10 | 12 | 36) => 0,
            (SOL_PACKET, PACKET_STATISTICS) => return Ok(socket.take_statistics().map(u32::to_le_bytes).concat()),
            (SOL_PACKET, PACKET_AUXDATA) => options.auxiliary.into(),
            (SOL_PACKET, PACKET_ORIGDEV) => options.original_device.into(),
            (SOL_PACKET, PACKET_IGNORE_OUTGOING) => options.ignores_sent.into(),
            (SOL_PACKET, PACKET_VERSION) => options.version.number(),
            (SOL_PACKET, PACKET_RESERVE) => options.reserve,
            // Of the version that is asked about.
            (SOL_PACKET, PACKET_HDRLEN) => {
                let version: u32 = if room < 4 { return Err(EINVAL) } else { user::read(at)? };
                Version::of(version).ok_or(EINVAL)?.header_len() as u32
            }
            (SOL_PACKET, PACKET_LOSS | PACKET_VNET_HDR | PACKET_TIMESTAMP | PACKET_FANOUT | PACKET_TX_HAS_OFF | PACKET_QDISC_BYPASS) => 0,
            _ => return Err(ENOPROTOOPT),
        };
        Ok(value.to_le_bytes().to_vec())
    }

    /// setsockopt(2)
    pub fn set_option(&self, cx: &Cx<'_>, level: i32, option: i32, at: usize, len: u32) -> Result<usize> {
        let socket = &self.socket;
        let word = || -> Result<u32> { if len < 4 { Err(EINVAL) } else { user::read(at) } };
        match (level, option) {
            (SOL_SOCKET, SO_ATTACH_FILTER) => socket.set_filter(Some(read_filter(at, len)?))?,
            (SOL_SOCKET, SO_DETACH_FILTER) => socket.set_filter(None)?,
            (SOL_SOCKET, SO_LOCK_FILTER) => {
                let on = word()? != 0;
                if !on && socket.options().is_filter_locked {
                    return Err(EPERM);
                }
                socket.change_options(|options| options.is_filter_locked = on)?;
            }
            (SOL_SOCKET, SO_RCVBUF) => socket.buffer.store(u64::from(word()?.saturating_mul(2).clamp(BUFFER_MIN, BUFFER_MAX)), Ordering::Relaxed),
            (SOL_SOCKET, SO_RCVBUFFORCE) => {
                if !cx.thread.has_in(Capability::NET_ADMIN, &socket.net.user) {
                    return Err(EPERM);
                }
                socket.buffer.store(u64::from((word()?.min(i32::MAX as u32 / 2) * 2).max(BUFFER_MIN)), Ordering::Relaxed);
            }
            (SOL_SOCKET, SO_RCVTIMEO) => socket.receive_timeout_ns.store(read_timeout(at, len)?, Ordering::Relaxed),
            (SOL_SOCKET, SO_SNDTIMEO) => socket.send_timeout_ns.store(read_timeout(at, len)?, Ordering::Relaxed),
            (SOL_SOCKET, SO_TIMESTAMP | SO_TIMESTAMPNS) => {
                let on = word()? != 0;
                socket.change_options(|options| options.times[usize::from(option == SO_TIMESTAMPNS)] = on)?;
            }
            // SO_BINDTODEVICE
            (SOL_SOCKET, 25) => {
                let name = user::read_bytes(at, (len as usize).min(16))?;
                let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
                let index = match name {
                    [] => 0,
                    name => netdev::interfaces(&self.socket.net).iter().find(|it| it.name == name).ok_or(ENODEV)?.index,
                };
                socket.bind(0, index)?;
            }
            // Nothing waits on the sending side, and links have no priorities: SNDBUF, SNDBUFFORCE, REUSEADDR, DONTROUTE, BROADCAST, KEEPALIVE, OOBINLINE, PRIORITY.
            (SOL_SOCKET, SO_SNDBUF | 32 | 2 | 5 | 6 | 9 | 10 | 12) => drop(word()?),
            (SOL_PACKET, PACKET_ADD_MEMBERSHIP | PACKET_DROP_MEMBERSHIP) => self.change_membership(option == PACKET_ADD_MEMBERSHIP, at, len)?,
            (SOL_PACKET, PACKET_AUXDATA) => {
                let on = word()? != 0;
                socket.change_options(|options| options.auxiliary = on)?;
            }
            (SOL_PACKET, PACKET_ORIGDEV) => {
                let on = word()? != 0;
                socket.change_options(|options| options.original_device = on)?;
            }
            (SOL_PACKET, PACKET_IGNORE_OUTGOING) => {
                let on = match word()? {
                    0 => false,
                    1 => true,
                    _ => return Err(EINVAL),
                };
                socket.change_options(|options| options.ignores_sent = on)?;
            }
            (SOL_PACKET, PACKET_VERSION) => {
                let version = Version::of(if len == 4 { word()? } else { return Err(EINVAL) }).ok_or(EINVAL)?;
                socket.change_options(|options| options.version = version)?;
            }
            (SOL_PACKET, PACKET_RESERVE) => {
                let bytes = if len == 4 { word()? } else { return Err(EINVAL) };
                if bytes > i32::MAX as u32 {
                    return Err(EINVAL);
                }
                socket.change_options(|options| options.reserve = bytes)?;
            }
            (SOL_PACKET, PACKET_RX_RING) => {
                let [block_size, blocks, slot_size, slots]: [u32; 4] = if len < 16 { return Err(EINVAL) } else { user::read(at)? };
                // Without blocks it is taken away.
                let shape = (blocks != 0).then_some(Shape { block_size, blocks, slot_size, slots });
                if shape.is_none() && slots != 0 {
                    return Err(EINVAL);
                }
                socket.set_ring(shape)?;
            }
            // COPY_THRESH: a frame is never passed by the ring. TIMESTAMP: times are the kernel's, always. QDISC_BYPASS: there are no queueing disciplines.
            (SOL_PACKET, PACKET_COPY_THRESH | PACKET_TIMESTAMP | PACKET_QDISC_BYPASS) => drop(word()?),
            _ => return Err(ENOPROTOOPT),
        }
        Ok(0)
    }

    /// `struct packet_mreq`: interface, type, length of the address, address.
    fn change_membership(&self, join: bool, at: usize, len: u32) -> Result {
        const BYTES: usize = 16;
        if (len as usize) < BYTES {
            return Err(EINVAL);
        }
        let bytes: [u8; BYTES] = user::read(at)?;
        let index = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        let kind = u16::from_le_bytes([bytes[4], bytes[5]]);
        let address = bytes[8..].get(..usize::from(u16::from_le_bytes([bytes[6], bytes[7]]))).ok_or(EINVAL)?;
        // Addresses are those of the interface's kind; the other types have none.
        if [MULTICAST, UNICAST].contains(&kind) && address.len() != 6 {
            return Err(EINVAL);
        }
        self.socket.change_membership(join, index, kind, address)
    }
}

/// Types of memberships (`PACKET_MR_*`) with an address.
const MULTICAST: u16 = 0;
const UNICAST: u16 = 3;

const SO_TYPE: i32 = 3;
const SO_ERROR: i32 = 4;
const SO_SNDBUF: i32 = 7;
const SO_RCVBUF: i32 = 8;
const SO_RCVTIMEO: i32 = 20;
const SO_SNDTIMEO: i32 = 21;
const SO_ATTACH_FILTER: i32 = 26;
const SO_DETACH_FILTER: i32 = 27;
const SO_TIMESTAMP: i32 = 29;
const SO_RCVBUFFORCE: i32 = 33;
const SO_TIMESTAMPNS: i32 = 35;
const SO_PROTOCOL: i32 = 38;
const SO_DOMAIN: i32 = 39;
const SO_LOCK_FILTER: i32 = 44;
const SO_BPF_EXTENSIONS: i32 = 48;
/// Buffers: what a socket has at first, limits of one without privilege, and the least, in bytes; what is asked for is doubled (`socket(7)`).
const BUFFER: u32 = 212_992;
const BUFFER_MAX: u32 = 2 * 212_992;
const BUFFER_MIN: u32 = 2304;

const PACKET_ADD_MEMBERSHIP: i32 = 1;
const PACKET_DROP_MEMBERSHIP: i32 = 2;
const PACKET_RX_RING: i32 = 5;
const PACKET_STATISTICS: i32 = 6;
const PACKET_COPY_THRESH: i32 = 7;
const PACKET_AUXDATA: i32 = 8;
const PACKET_ORIGDEV: i32 = 9;
const PACKET_VERSION: i32 = 10;
const PACKET_HDRLEN: i32 = 11;
const PACKET_RESERVE: i32 = 12;
const PACKET_LOSS: i32 = 14;
const PACKET_VNET_HDR: i32 = 15;
const PACKET_TIMESTAMP: i32 = 17;
const PACKET_FANOUT: i32 = 18;
const PACKET_TX_HAS_OFF: i32 = 19;
const PACKET_QDISC_BYPASS: i32 = 20;
const PACKET_IGNORE_OUTGOING: i32 = 23;
