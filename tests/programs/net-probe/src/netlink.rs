//! What NETLINK_ROUTE says of the loop-back device.

use rustix::fd::OwnedFd;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketType};

const DUMP: u16 = 0x301;
const REQUEST: u16 = 1;

fn request(socket: &OwnedFd, kind: u16, flags: u16, body: &[u8]) {
    let mut bytes = ((16 + body.len()) as u32).to_le_bytes().to_vec();
    bytes.extend_from_slice(&kind.to_le_bytes());
    bytes.extend_from_slice(&flags.to_le_bytes());
    bytes.extend_from_slice(&7u32.to_le_bytes());
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(body);
    rustix::net::sendto(socket, &bytes, SendFlags::empty(), &SocketAddrNetlink::new(0, 0)).unwrap();
}

/// The messages of an answer: type and body; a dump ends with DONE.
fn answer(socket: &OwnedFd, is_dump: bool) -> Vec<(u16, Vec<u8>)> {
    let mut messages = Vec::new();
    loop {
        let mut buffer = vec![0; 32 << 10];
        let (len, _) = rustix::net::recv(socket, &mut buffer[..], RecvFlags::empty()).unwrap();
        let mut rest = &buffer[..len];
        while rest.len() >= 16 {
            let len = u32::from_le_bytes(rest[..4].try_into().unwrap()) as usize;
            let kind = u16::from_le_bytes([rest[4], rest[5]]);
            assert_eq!(rest[8..12], 7u32.to_le_bytes());
            if kind == 3 {
                return messages;
            }
            messages.push((kind, rest[16..len].to_vec()));
            if kind == 2 || !is_dump {
                return messages;
            }
            rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
        }
    }
}

fn attributes(body: &[u8], wanted: &[u16]) -> Vec<(u16, Vec<u8>)> {
    let mut found = Vec::new();
    let mut rest = body;
    while rest.len() >= 4 {
        let len = usize::from(u16::from_le_bytes([rest[0], rest[1]]));
        let kind = u16::from_le_bytes([rest[2], rest[3]]);
        if wanted.contains(&kind) {
            found.push((kind, rest[4..len].to_vec()));
        }
        rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
    }
    found.sort();
    found
}

pub fn route() {
    let socket = rustix::net::socket(AddressFamily::NETLINK, SocketType::RAW, None).unwrap();
    rustix::net::bind(&socket, &SocketAddrNetlink::new(0, 0)).unwrap();
    request(&socket, 18, DUMP, &[0; 16]);
    for (kind, body) in answer(&socket, true) {
        // MTU, IFNAME, ADDRESS, TXQLEN, QDISC
        println!("link {kind} {:?} {:?}", &body[..12], attributes(&body[16..], &[1, 3, 4, 6, 13]));
    }
    request(&socket, 22, DUMP, &[0; 8]);
    for (kind, body) in answer(&socket, true) {
        println!("address {kind} {:?} {:?}", &body[..8], attributes(&body[8..], &[1, 2, 3, 8]));
    }
    let mut by_name = vec![0; 16];
    by_name.extend_from_slice(&[7, 0, 3, 0, b'l', b'o', 0, 0]);
    for (name, kind, body) in [
        ("by name", 18, &by_name[..]),
        ("by no index", 18, &[0; 16]),
        ("by a wrong index", 18, &[0, 0, 0, 0, 99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        ("unknown", 126, &[0; 16]),
    ] {
        request(&socket, kind, REQUEST, body);
        let (kind, body) = answer(&socket, false).remove(0);
        let error = i32::from_le_bytes(body[..4].try_into().unwrap());
        println!("{name}: {kind} {}", if kind == 2 { error } else { 0 });
    }
    // 127.0.0.1, as rtmsg and an attribute.
    let mut to = vec![2, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    to.extend_from_slice(&[8, 0, 1, 0, 127, 0, 0, 1]);
    request(&socket, 26, REQUEST, &to);
    let (kind, body) = answer(&socket, false).remove(0);
    println!("route {kind} {:?} {:?}", &body[..8], attributes(&body[12..], &[1, 4, 7, 15]));
}
