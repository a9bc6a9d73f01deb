//! `/proc/<pid>/net` (`proc(5)`): sockets and interfaces as text.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::Write;
use core::net::{IpAddr, SocketAddr};

use super::node::Text;
use crate::error::*;
use crate::fs::{FileType, InodeRef};
use crate::ipc::network::NetNamespace;
use crate::scheme::pseudo::{Dir, Entries};
use crate::ipc::inet::{self, Family, Kind, Socket, address};
use crate::ipc::{netdev, packet, unix};

const DEV_HEAD: &str = "Inter-|   Receive                                                |  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n";

/// The directory of a network namespace.
pub fn directory(net: &Arc<NetNamespace>) -> InodeRef {
    Dir::of(Files(net.clone()), 0x6_0000 + net.ino)
}

struct Files(Arc<NetNamespace>);

type Make = fn(&NetNamespace) -> Vec<u8>;

const FILES: &[(&str, Make)] = &[
    ("dev", dev),
    ("arp", arp),
    ("icmp", |net| sockets(net, Kind::Ping, Family::V4)),
    ("icmp6", |net| sockets(net, Kind::Ping, Family::V6)),
    ("if_inet6", addresses_v6),
    ("packet", packets),
    ("raw", |net| sockets(net, Kind::Raw, Family::V4)),
    ("raw6", |net| sockets(net, Kind::Raw, Family::V6)),
    ("route", routes),
    ("tcp", |net| sockets(net, Kind::Stream, Family::V4)),
    ("tcp6", |net| sockets(net, Kind::Stream, Family::V6)),
    ("udp", |net| sockets(net, Kind::Datagram, Family::V4)),
    ("udp6", |net| sockets(net, Kind::Datagram, Family::V6)),
    ("unix", unix_sockets),
];

impl Entries for Files {
    fn find(&self, name: &[u8]) -> Result<InodeRef> {
        let (_, make) = FILES.iter().find(|(n, _)| n.as_bytes() == name).ok_or(ENOENT)?;
        let net = self.0.clone();
        Ok(Text::new(move || make(&net)))
    }

    fn list(&self) -> Vec<(Vec<u8>, FileType)> {
        FILES.iter().map(|(n, _)| (n.as_bytes().to_vec(), FileType::Regular)).collect()
    }
}

/// The sockets of AF_UNIX (`unix(7)`): the kernel's addresses are not shown.
fn unix_sockets(net: &NetNamespace) -> Vec<u8> {
    /// `SO_ACCEPTCON`
    const LISTENS: u32 = 0x10000;
    let mut text = b"Num       RefCount Protocol Flags    Type St Inode Path\n".to_vec();
    for socket in unix::all().into_iter().filter(|it| it.net.ino == net.ino) {
        let kind = match socket.kind {
            unix::Kind::Stream => 1,
            unix::Kind::Datagram => 2,
            unix::Kind::SeqPacket => 5,
        };
        let flags = if socket.is_listening() { LISTENS } else { 0 };
        // SS_CONNECTED or SS_UNCONNECTED
        let state = if socket.is_connected() { 3 } else { 1 };
        text.extend_from_slice(format!("{:016x}: {:08X} {:08X} {flags:08X} {kind:04X} {state:02X} {:5}", 0, 2, 0, socket.id()).as_bytes());
        match socket.name() {
            Some(unix::Address::Path(path)) => text.extend_from_slice(&[b" ", &path[..]].concat()),
            Some(unix::Address::Abstract(name)) => {
                text.extend_from_slice(b" @");
                text.extend(name.iter().map(|byte| if *byte == 0 { b'@' } else { *byte }));
            }
            Some(unix::Address::Unnamed) | None => {}
        }
        text.push(b'\n');
    }
    text
}

/// The sockets of AF_PACKET (`packet(7)`): the kernel's addresses are not shown.
fn packets(net: &NetNamespace) -> Vec<u8> {
    let mut text = String::from("sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n");
    let is_running = |index| netdev::interfaces(net).iter().any(|it| (index == 0 || it.index == index) && it.is_running());
    for socket in packet::all().into_iter().filter(|it| it.net.ino == net.ino) {
        let (protocol, index) = socket.bound();
        let kind = if socket.kind == packet::Kind::Raw { 3 } else { 2 };
        let running = u8::from(is_running(index));
        let _ = writeln!(text, "{:016x} {:<6} {kind:<4} {protocol:04x}   {index:<5} {running} {:<6} {:<6} {:<6}", 0, 3, socket.waiting_bytes(), socket.uid, socket.id);
    }
    text.into_bytes()
}

fn dev(net: &NetNamespace) -> Vec<u8> {
    let mut text = String::from(DEV_HEAD);
    for it in netdev::interfaces(net) {
        let name = String::from_utf8_lossy(&it.name).into_owned();
        let it = it.counters;
        let _ = writeln!(
            text,
            "{name:>6}: {:7} {:7}    0 {:4}    0     0          0         0 {:8} {:7} {:4}    0    0     0       0          0",
            it.received_bytes, it.received_packets, it.received_dropped, it.sent_bytes, it.sent_packets, it.sent_errors
        );
    }
    text.into_bytes()
}

fn addresses_v6(net: &NetNamespace) -> Vec<u8> {
    let mut text = String::new();
    for interface in netdev::interfaces(net) {
        for own in &interface.addresses {
            let IpAddr::V6(ip) = own.ip else { continue };
            let scope = if ip.is_loopback() { 0x10 } else if ip.is_unicast_link_local() { 0x20 } else { 0 };
            let flags = if own.lifetime_s == u32::MAX { 0x80 } else { 0 };
            let name = String::from_utf8_lossy(&interface.name).into_owned();
            let _ = writeln!(text, "{:032x} {:02x} {:02x} {scope:02x} {flags:02x} {name:>8}", ip.to_bits(), interface.index, own.prefix);
        }
    }
    text.into_bytes()
}

fn routes(net: &NetNamespace) -> Vec<u8> {
    let mut text = String::from("Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n");
    let Some(configuration) = net.outside() else { return text.into_bytes() };
    let name = String::from_utf8_lossy(&configuration.name).into_owned();
    for route in &configuration.routes {
        let IpAddr::V4(to) = route.to else { continue };
        let gateway = match route.gateway {
            Some(IpAddr::V4(gateway)) => u32::from_le_bytes(gateway.octets()),
            _ => 0,
        };
        // RTF_UP, RTF_GATEWAY
        let flags = 1 | if gateway != 0 { 2 } else { 0 };
        let mask = u32::MAX.checked_shl(32 - u32::from(route.prefix)).unwrap_or(0).to_be();
        let _ = writeln!(text, "{name}\t{:08X}\t{gateway:08X}\t{flags:04X}\t0\t0\t0\t{mask:08X}\t0\t0\t0", u32::from_le_bytes(to.octets()));
    }
    text.into_bytes()
}

fn arp(net: &NetNamespace) -> Vec<u8> {
    let mut text = String::from("IP address       HW type     Flags       HW address            Mask     Device\n");
    let Some(configuration) = net.outside() else { return text.into_bytes() };
    let name = String::from_utf8_lossy(&configuration.name).into_owned();
    for neighbour in configuration.neighbours.iter().filter(|it| it.ip.is_ipv4()) {
        let [a, b, c, d, e, f] = neighbour.mac.unwrap_or_default();
        let flags = if neighbour.mac.is_some() { 2 } else { 0 };
        let ip = format!("{}", neighbour.ip);
        let _ = writeln!(text, "{ip:<17}0x1         0x{flags:<10x}{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}     *        {name}");
    }
    text.into_bytes()
}

/// An address as these files have it: words in this machine's byte order, of bytes in the network's.
fn hex(family: Family, address: Option<SocketAddr>) -> String {
    let address = address.unwrap_or(SocketAddr::new(address::unspecified(family), 0));
    let octets = match (family, address.ip()) {
        (Family::V4, IpAddr::V4(ip)) => ip.octets().to_vec(),
        (_, ip) => address::in_v6(ip).octets().to_vec(),
    };
    let mut text = String::new();
    for word in octets.as_chunks::<4>().0 {
        let _ = write!(text, "{:08X}", u32::from_le_bytes(*word));
    }
    let _ = write!(text, ":{:04X}", address.port());
    text
}

fn sockets(net: &NetNamespace, kind: Kind, family: Family) -> Vec<u8> {
    let widest = if family == Family::V4 { 8 + 5 } else { 32 + 5 };
    let local = "local_address";
    let remote = if family == Family::V4 { "rem_address" } else { "remote_address" };
    let mut text = format!("  sl  {local:widest$} {remote:widest$} st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n");
    let listed = |socket: &Socket| socket.net.ino == net.ino && socket.kind == kind && socket.family == family && socket.local().is_some();
    for (row, socket) in inet::all().iter().filter(|socket| listed(socket)).enumerate() {
        let (local, remote) = (hex(family, socket.local()), hex(family, socket.remote()));
        let (unread, waiting) = (socket.unread(), socket.receive_queue());
        let (status, uid, id) = (socket.status(), socket.uid, socket.id);
        let _ = writeln!(
            text,
            "{row:4}: {local} {remote} {status:02X} {unread:08X}:{waiting:08X} 00:00000000 00000000 {uid:5}        0 {id} 1 0000000000000000 100 0 0 10 0"
        );
    }
    text.into_bytes()
}
