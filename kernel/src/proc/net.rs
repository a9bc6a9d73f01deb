//! `/proc/<pid>/net` (`proc(5)`): sockets and interfaces as text.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;
use core::net::{IpAddr, SocketAddr};

use super::node::{Text, fixed};
use crate::fs::{FileType, InodeRef};
use crate::ipc::inet::{self, Family, Kind, Socket, address};
use crate::ipc::netdev;

const DEV_HEAD: &str = "Inter-|   Receive                                                |  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n";

/// The directory.
pub fn directory() -> InodeRef {
    fixed(&[
        ("dev", FileType::Regular, || Text::new(dev)),
        ("if_inet6", FileType::Regular, || Text::new(|| b"00000000000000000000000000000001 01 80 10 80       lo\n".to_vec())),
        ("route", FileType::Regular, || {
            Text::new(|| b"Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n".to_vec())
        }),
        ("tcp", FileType::Regular, || Text::new(|| sockets(Kind::Stream, Family::V4))),
        ("tcp6", FileType::Regular, || Text::new(|| sockets(Kind::Stream, Family::V6))),
        ("udp", FileType::Regular, || Text::new(|| sockets(Kind::Datagram, Family::V4))),
        ("udp6", FileType::Regular, || Text::new(|| sockets(Kind::Datagram, Family::V6))),
        ("unix", FileType::Regular, || Text::new(|| b"Num       RefCount Protocol Flags    Type St Inode Path\n".to_vec())),
    ])
}

fn dev() -> Vec<u8> {
    let (bytes, packets) = netdev::traffic();
    // What is sent over the loop-back device is received by it.
    format!("{DEV_HEAD}    lo: {bytes:7} {packets:7}    0    0    0     0          0         0 {bytes:8} {packets:7}    0    0    0     0       0          0\n").into_bytes()
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

fn sockets(kind: Kind, family: Family) -> Vec<u8> {
    let widest = if family == Family::V4 { 8 + 5 } else { 32 + 5 };
    let local = "local_address";
    let remote = if family == Family::V4 { "rem_address" } else { "remote_address" };
    let mut text = format!("  sl  {local:widest$} {remote:widest$} st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n");
    let listed = |socket: &Socket| socket.kind == kind && socket.family == family && socket.local().is_some();
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
