//! Packet sockets (`packet(7)`) on the loop-back device.

use super::util::*;
use crate::{cases, sys};

const ALL: u16 = 3;
const IP: u16 = 0x800;
const OWN: u16 = 0x88b5;
const SOL_PACKET: i32 = 263;

fn socket(kind: i32, protocol: u16) -> i32 {
    sys!(SYS_socket, AF_PACKET, kind, i32::from(protocol.to_be())) as i32
}
/// The loop-back device is number 1 on any machine.
fn link(protocol: u16, index: i32) -> sockaddr_ll {
    sockaddr_ll { sll_family: AF_PACKET as u16, sll_protocol: protocol.to_be(), sll_ifindex: index, sll_hatype: 0, sll_pkttype: 0, sll_halen: 6, sll_addr: [0; 8] }
}
fn bound(kind: i32, protocol: u16) -> i32 {
    let fd = socket(kind, protocol);
    let address = link(protocol, 1);
    assert_eq!(sys!(SYS_bind, fd, &raw const address, 20), 0, "bound to lo");
    fd
}
fn udp() -> (i32, sockaddr_in) {
    let fd = sys!(SYS_socket, AF_INET, SOCK_DGRAM, 0) as i32;
    let mut address = sockaddr_in { sin_family: AF_INET as u16, sin_port: 0, sin_addr: in_addr { s_addr: u32::from_ne_bytes([127, 0, 0, 1]) }, sin_zero: [0; 8] };
    sys!(SYS_bind, fd, &raw const address, 16);
    let mut len = 16u32;
    sys!(SYS_getsockname, fd, &raw mut address, &raw mut len);
    (fd, address)
}
fn say(fd: i32, to: &sockaddr_in, data: &[u8]) -> i64 {
    sys!(SYS_sendto, fd, data.as_ptr(), data.len(), 0, std::ptr::from_ref(to), 16)
}
/// The next frame with this text in it, in at most a hundred: its bytes and where it came from.
fn frame(fd: i32, text: &[u8]) -> Option<(Vec<u8>, sockaddr_ll)> {
    let time = [2i64, 0];
    sys!(SYS_setsockopt, fd, SOL_SOCKET, SO_RCVTIMEO, time.as_ptr(), 16);
    for _ in 0..100 {
        let (mut bytes, mut from, mut len) = (vec![0u8; 2048], link(0, 0), 20u32);
        let n = sys!(SYS_recvfrom, fd, bytes.as_mut_ptr(), bytes.len(), 0, &raw mut from, &raw mut len);
        if n < 0 {
            return None;
        }
        bytes.truncate(n as usize);
        if bytes.windows(text.len()).any(|it| it == text) {
            return Some((bytes, from));
        }
    }
    None
}
fn own_frame(text: &[u8]) -> Vec<u8> {
    [&[0u8; 12][..], &OWN.to_be_bytes(), text].concat()
}
fn filter(fd: i32, program: &[[u16; 4]]) -> i64 {
    let code: Vec<sock_filter> = program.iter().map(|[code, k, jt, jf]| sock_filter { code: *code, jt: *jt as u8, jf: *jf as u8, k: u32::from(*k) }).collect();
    let p = sock_fprog { len: code.len() as u16, filter: code.as_ptr().cast_mut() };
    sys!(SYS_setsockopt, fd, SOL_SOCKET, SO_ATTACH_FILTER, &raw const p, size_of::<sock_fprog>())
}

cases! { "packets";
    "socket" => |o| { for kind in [SOCK_RAW, SOCK_DGRAM, SOCK_STREAM, SOCK_SEQPACKET] { o.ok(i64::from(socket(kind, ALL))); } o.s(as_user(|| i64::from(socket(SOCK_RAW, ALL)))); }
    "bind" => |o| { let s = socket(SOCK_RAW, 0); let try_bind = |a: &sockaddr_ll, len: i32| sys!(SYS_bind, s, std::ptr::from_ref(a), len); o.v(try_bind(&link(IP, 1), 20)); o.v(try_bind(&link(IP, 1), 8)); o.v(try_bind(&link(IP, 999), 20)); o.v(try_bind(&sockaddr_ll { sll_family: AF_INET as u16, ..link(IP, 1) }, 20)); let (mut a, mut len) = (link(0, 0), 20u32); o.v(sys!(SYS_getsockname, s, &raw mut a, &raw mut len)); o.s(len); o.s(format!("{:x} {} {} {}", u16::from_be(a.sll_protocol), a.sll_ifindex, a.sll_hatype, a.sll_halen)); o.v(sys!(SYS_getpeername, s, &raw mut a, &raw mut len)); o.v(sys!(SYS_connect, s, &raw const a, 20)); o.v(sys!(SYS_listen, s, 1)); o.v(sys!(SYS_shutdown, s, 2)); }
    "datagrams" => |o| { let s = bound(SOCK_RAW, ALL); let (u, a) = udp(); o.v(say(u, &a, b"some words")); for _ in 0..2 { let Some((bytes, from)) = frame(s, b"some words") else { o.s("none"); continue }; o.s(bytes.len()); o.s(format!("{:x}{:x} {:x} {}", bytes[12], bytes[13], bytes[14], bytes[23])); o.s(format!("{} {} {} {:x} {}", from.sll_pkttype, from.sll_hatype, from.sll_ifindex, u16::from_be(from.sll_protocol), from.sll_halen)); } let d = bound(SOCK_DGRAM, IP); say(u, &a, b"other words"); let (bytes, from) = frame(d, b"other words").unwrap(); o.s(bytes.len()); o.s(format!("{:x} {}", bytes[0], from.sll_pkttype)); }
    "connections" => |o| { let s = bound(SOCK_RAW, IP); let l = sys!(SYS_socket, AF_INET, SOCK_STREAM, 0) as i32; let mut a = sockaddr_in { sin_family: AF_INET as u16, sin_port: 0, sin_addr: in_addr { s_addr: u32::from_ne_bytes([127, 0, 0, 1]) }, sin_zero: [0; 8] }; sys!(SYS_bind, l, &raw const a, 16); sys!(SYS_listen, l, 1); let mut len = 16u32; sys!(SYS_getsockname, l, &raw mut a, &raw mut len); let port = a.sin_port.to_ne_bytes(); let c = sys!(SYS_socket, AF_INET, SOCK_STREAM, 0) as i32; sys!(SYS_connect, c, &raw const a, 16); write(c, b"said over TCP"); let mut flags = Vec::new(); let mut next = None; while let Some((bytes, _)) = frame(s, &port) { if bytes[23] != 6 { continue; } let word = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]); let is_client = bytes[36..38] == port; if is_client { if bytes[47] == 2 { next = Some(word(38).wrapping_add(1)); } else if bytes.ends_with(b"said over TCP") { flags.push(format!("data {}", next == Some(word(38)))); break; } } flags.push(format!("{}{:x}", if is_client { ">" } else { "<" }, bytes[47])); } o.s(flags.join(" ")); }
    "refused" => |o| { let s = bound(SOCK_RAW, IP); let (u, a) = udp(); let (v, _) = udp(); close(u); let port = a.sin_port.to_ne_bytes(); say(v, &a, b"to nobody"); let mut seen = Vec::new(); while let Some((bytes, _)) = frame(s, &port) { seen.push(bytes[23]); if bytes[23] == 1 { o.s(format!("{}/{}", bytes[34], bytes[35])); o.s(bytes.ends_with(b"to nobody")); break; } } o.s(format!("{seen:?}")); }
    "own-frames" => |o| { let (s, t, u) = (bound(SOCK_RAW, OWN), bound(SOCK_RAW, OWN), bound(SOCK_DGRAM, OWN)); let f = own_frame(b"as it is"); o.v(write(s, &f)); for fd in [s, t, u] { match frame(fd, b"as it is") { Some((bytes, from)) => o.s(format!("{} {}", bytes.len(), from.sll_pkttype)), None => o.s("none") } } let a = link(OWN, 1); let data = b"a packet"; o.v(sys!(SYS_sendto, u, data.as_ptr(), data.len(), 0, &raw const a, 20)); match frame(t, b"a packet") { Some((bytes, _)) => o.s(format!("{} {:x}{:x}", bytes.len(), bytes[12], bytes[13])), None => o.s("none") } o.v(write(s, &f[..5])); o.v(sys!(SYS_sendto, s, f.as_ptr(), f.len(), 0, &raw const a, 5)); let none = socket(SOCK_RAW, OWN); o.v(write(none, &f)); let away = link(OWN, 999); o.v(sys!(SYS_sendto, s, f.as_ptr(), f.len(), 0, &raw const away, 20)); }
    "filters" => |o| { let s = bound(SOCK_RAW, OWN); let t = bound(SOCK_RAW, OWN);
        // ldb [14]; jeq 'y', 0, 1; ret 20; ret 0
        o.v(filter(s, &[[0x30, 14, 0, 0], [0x15, b'y'.into(), 0, 1], [6, 20, 0, 0], [6, 0, 0, 0]])); write(t, &own_frame(b"no, this is not wanted")); write(t, &own_frame(b"yes, but only a part of it")); match frame(s, b"yes") { Some((bytes, _)) => { o.s(bytes.len()); o.s(String::from_utf8_lossy(&bytes[14..])); } None => o.s("none") } o.v(filter(s, &[[0x30, 14, 0, 0]])); o.v(filter(s, &[])); let one = 1i32; o.v(sys!(SYS_setsockopt, s, SOL_SOCKET, SO_LOCK_FILTER, &raw const one, 4)); o.v(filter(s, &[[6, 0, 0, 0]])); o.v(sys!(SYS_setsockopt, s, SOL_SOCKET, SO_DETACH_FILTER, &raw const one, 4)); o.v(sys!(SYS_setsockopt, t, SOL_SOCKET, SO_DETACH_FILTER, &raw const one, 4)); }
    "statistics" => |o| { let (s, t) = (bound(SOCK_RAW, OWN), bound(SOCK_RAW, OWN)); let f = own_frame(b"counted"); for _ in 0..3 { write(t, &f); } let (mut n, mut len) = ([0u32; 2], 8u32); o.v(sys!(SYS_getsockopt, s, SOL_PACKET, 6, n.as_mut_ptr(), &raw mut len)); o.s(format!("{n:?}")); o.v(sys!(SYS_getsockopt, s, SOL_PACKET, 6, n.as_mut_ptr(), &raw mut len)); o.s(format!("{n:?}")); let big = own_frame(&[b'x'; 1400]); for _ in 0..600 { write(t, &big); } sys!(SYS_getsockopt, s, SOL_PACKET, 6, n.as_mut_ptr(), &raw mut len); o.s(n[0]); o.s(n[1] > 0 && n[1] < 600); }
    "ring" => |o| { let s = socket(SOCK_RAW, 0); let set = |option: i32, value: i32| sys!(SYS_setsockopt, s, SOL_PACKET, option, &raw const value, 4); o.v(set(10, 1)); o.v(set(10, 9)); let (mut v, mut len) = (1i32, 4u32); o.v(sys!(SYS_getsockopt, s, SOL_PACKET, 11, &raw mut v, &raw mut len)); o.s(v); let ring = |shape: [u32; 4]| sys!(SYS_setsockopt, s, SOL_PACKET, 5, shape.as_ptr(), 16); o.v(ring([4096, 2, 2048, 5])); o.v(ring([4000, 2, 2000, 4])); o.v(ring([4096, 2, 40, 4])); o.v(ring([4096, 2, 2048, 4])); o.v(ring([4096, 2, 2048, 4])); o.v(set(12, 4)); let at = sys!(SYS_mmap, 0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, s, 0) as usize; o.v(sys!(SYS_mmap, 0, 4096, PROT_READ, MAP_SHARED, s, 0)); let a = link(OWN, 1); o.v(sys!(SYS_bind, s, &raw const a, 20)); let mut p = [pollfd { fd: s, events: POLLIN, revents: 0 }]; o.v(sys!(SYS_poll, p.as_mut_ptr(), 1, 0)); let t = bound(SOCK_RAW, 0); let f = own_frame(b"into the ring"); for _ in 0..6 { write(t, &f); } o.v(sys!(SYS_poll, p.as_mut_ptr(), 1, 1000)); o.s(p[0].revents);
        // SAFETY: words within the ring.
        let word = |at: usize| unsafe { (at as *const u32).read_volatile() };
        for n in 0..4 { let slot = at + n * 2048; let (mac, net) = (word(slot + 12) & 0xffff, word(slot + 12) >> 16);
            // SAFETY: within the slot.
            let bytes = unsafe { std::slice::from_raw_parts((slot + mac as usize) as *const u8, word(slot + 8) as usize) };
            o.s(format!("{} {} {} {mac} {net} {}", word(slot) & 5, word(slot + 4), word(slot + 8), bytes == f)); }
        // SAFETY: as above.
        unsafe { (at as *mut u32).write_volatile(0) }; write(t, &f); o.s(word(at) & 5); let (mut n, mut len) = ([0u32; 2], 8u32); sys!(SYS_getsockopt, s, SOL_PACKET, 6, n.as_mut_ptr(), &raw mut len); o.s(format!("{n:?}")); o.v(ring([0, 0, 0, 0])); o.v(sys!(SYS_munmap, at, 8192)); o.v(ring([0, 0, 0, 0])); }
    "auxiliary" => |o| { let (s, t) = (bound(SOCK_DGRAM, OWN), bound(SOCK_RAW, 0)); let one = 1i32; o.v(sys!(SYS_setsockopt, s, SOL_PACKET, 8, &raw const one, 4)); write(t, &own_frame(b"0123456789")); let mut b = [0u8; 4]; let v = iovec { iov_base: b.as_mut_ptr().cast(), iov_len: 4 }; let mut c = [0u64; 8]; let mut a = link(0, 0);
        // SAFETY: a plain structure.
        let mut m: msghdr = unsafe { std::mem::zeroed() }; m.msg_iov = (&raw const v).cast_mut(); m.msg_iovlen = 1; m.msg_control = c.as_mut_ptr().cast(); m.msg_controllen = 64; m.msg_name = (&raw mut a).cast(); m.msg_namelen = 20; o.v(sys!(SYS_recvmsg, s, &raw mut m, 0)); o.s(m.msg_flags); o.s(m.msg_namelen); o.s(m.msg_controllen); o.s(format!("{} {:x} {} {}", c[0], c[1], c[2] >> 32, c[3] as u32)); }
    "memberships" => |o| { let s = bound(SOCK_RAW, OWN); let change = |option: i32, index: i32, kind: u16| { let m = packet_mreq { mr_ifindex: index, mr_type: kind, mr_alen: 0, mr_address: [0; 8] }; sys!(SYS_setsockopt, s, SOL_PACKET, option, &raw const m, 16) }; o.v(change(1, 1, 1)); o.v(change(1, 999, 1)); o.v(change(2, 1, 1)); o.v(change(2, 1, 1)); o.v(change(2, 1, 2)); }
    "raw-create" => |o| { for protocol in [0, 6, 17, 255, 300, -1] { o.ok(sys!(SYS_socket, AF_INET, SOCK_RAW, protocol)); } o.ok(sys!(SYS_socket, AF_INET6, SOCK_RAW, 6)); o.s(as_user(|| sys!(SYS_socket, AF_INET, SOCK_RAW, 6))); let r = sys!(SYS_socket, AF_INET, SOCK_RAW, 17) as i32; let (mut v, mut len) = (0i32, 4u32); o.v(sys!(SYS_getsockopt, r, 0, 3, &raw mut v, &raw mut len)); o.s(v); o.v(sys!(SYS_getsockopt, r, SOL_SOCKET, SO_PROTOCOL, &raw mut v, &raw mut len)); o.s(v); let u = sys!(SYS_socket, AF_INET, SOCK_DGRAM, 0) as i32; o.v(sys!(SYS_getsockopt, u, 0, 3, &raw mut v, &raw mut len)); }
    "raw-receive" => |o| { let r = sys!(SYS_socket, AF_INET, SOCK_RAW, 17) as i32; let (u, a) = udp(); say(u, &a, b"seen raw"); let mut found = String::from("none"); for _ in 0..50 { let mut b = [0u8; 256]; let n = sys!(SYS_recvfrom, r, b.as_mut_ptr(), b.len(), MSG_DONTWAIT, 0, 0); if n < 0 { break; } let b = &b[..n as usize]; if b.ends_with(b"seen raw") { found = format!("{} {:x} {} {}", n, b[0], b[9], u16::from_be_bytes([b[2], b[3]])); break; } } o.s(found); }
    "raw-send" => |o| { let (u, a) = udp(); let r = sys!(SYS_socket, AF_INET, SOCK_RAW, 17) as i32; let port = u16::from_be(a.sin_port); let mut packet = [40_000u16, port, 8 + 5, 0].map(u16::to_be_bytes).concat(); packet.extend_from_slice(b"hello"); let mut to = a; to.sin_port = 0; o.v(say(r, &to, &packet)); let (mut b, mut from, mut len) = ([0u8; 64], a, 16u32); let n = sys!(SYS_recvfrom, u, b.as_mut_ptr(), 64, MSG_DONTWAIT, &raw mut from, &raw mut len); o.v(n); o.s(String::from_utf8_lossy(&b[..n.max(0) as usize])); o.s(u16::from_be(from.sin_port)); o.v(say(r, &to, b"bad")); let h = sys!(SYS_socket, AF_INET, SOCK_RAW, 255) as i32; let mut whole = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1]; whole.extend_from_slice(&packet); o.v(say(h, &to, &whole)); o.v(sys!(SYS_recvfrom, u, b.as_mut_ptr(), 64, MSG_DONTWAIT, 0, 0)); o.v(say(h, &to, &whole[..10])); }
    "raw-probes" => |o| { let l = sys!(SYS_socket, AF_INET, SOCK_STREAM, 0) as i32; let mut a = sockaddr_in { sin_family: AF_INET as u16, sin_port: 0, sin_addr: in_addr { s_addr: u32::from_ne_bytes([127, 0, 0, 1]) }, sin_zero: [0; 8] }; sys!(SYS_bind, l, &raw const a, 16); let mut len = 16u32; sys!(SYS_getsockname, l, &raw mut a, &raw mut len); let port = u16::from_be(a.sin_port); let r = sys!(SYS_socket, AF_INET, SOCK_RAW, 6) as i32; let probe = |flags: u8| { let mut p = [41_000u16, port].map(u16::to_be_bytes).concat(); p.extend_from_slice(&[0, 0, 0, 100, 0, 0, 0, 7, 0x50, flags, 4, 0, 0, 0, 0, 0]); let mut sum = [0u16, 0x7f00, 1, 0x7f00, 1, 6, 20].iter().map(|w| u32::from(*w)).sum::<u32>() + p.chunks(2).map(|c| u32::from(u16::from_be_bytes([c[0], c[1]]))).sum::<u32>(); while sum >> 16 != 0 { sum = (sum & 0xffff) + (sum >> 16); } p[16..18].copy_from_slice(&(!(sum as u16)).to_be_bytes()); let mut to = a; to.sin_port = 0; say(r, &to, &p);
        for _ in 0..50 { let mut b = [0u8; 256]; let n = sys!(SYS_recvfrom, r, b.as_mut_ptr(), b.len(), MSG_DONTWAIT, 0, 0); if n < 0 { break; } if n >= 40 && b[20..22] == port.to_be_bytes() && b[22..24] == 41_000u16.to_be_bytes() { return format!("{:x}/{}", b[33], u32::from_be_bytes([b[28], b[29], b[30], b[31]])); } } "none".to_string() }; o.s(probe(2)); o.s(probe(0x10)); o.s(probe(1)); sys!(SYS_listen, l, 5); o.s(probe(0)); o.s(probe(2)); }
}
