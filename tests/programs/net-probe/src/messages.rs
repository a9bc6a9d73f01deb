//! What control messages say of datagrams, and sizes of segments and packets.

use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, RawFd};

use rustix::event::{PollFd, PollFlags, Timespec};

use crate::error;

const SO_TIMESTAMPING: i32 = 37;
const SO_RXQ_OVFL: i32 = 40;
const SO_TXTIME: i32 = 61;
const IP_ORIGDSTADDR: i32 = 20;
const IPV6_ORIGDSTADDR: i32 = 74;
const IPV6_DONTFRAG: i32 = 62;
const UDP_SEGMENT: i32 = 103;
const UDP_GRO: i32 = 104;
const TCP_ULP: i32 = 31;
const TCP_FASTOPEN_CONNECT: i32 = 30;

fn set<T>(fd: RawFd, level: i32, option: i32, value: &T) -> String {
    // SAFETY: the value is as long as it is said to be.
    match unsafe { libc::setsockopt(fd, level, option, (&raw const *value).cast(), size_of::<T>() as u32) } {
        0 => "set".into(),
        _ => error::<()>(Err(std::io::Error::last_os_error())),
    }
}

fn get(fd: RawFd, level: i32, option: i32) -> String {
    let (mut value, mut len) = ([0i32; 4], 16u32);
    // SAFETY: there is room for as much as is said.
    match unsafe { libc::getsockopt(fd, level, option, value.as_mut_ptr().cast(), &raw mut len) } {
        0 => format!("{:?}", &value[..len as usize / 4]),
        _ => error::<()>(Err(std::io::Error::last_os_error())),
    }
}

/// Receives a datagram: its length, and level, kind and length of each control message; data that are no times.
fn receive(socket: &UdpSocket) -> String {
    // A busy Linux takes packets off the loop-back device some moments later.
    let mut fds = [PollFd::new(socket, PollFlags::IN)];
    rustix::event::poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 300_000_000 })).unwrap();
    let mut data = [0u8; 4096];
    let mut control = [0u64; 32];
    let mut vector = libc::iovec { iov_base: data.as_mut_ptr().cast(), iov_len: data.len() };
    // SAFETY: a plain structure.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    (header.msg_iov, header.msg_iovlen) = (&raw mut vector, 1);
    (header.msg_control, header.msg_controllen) = (control.as_mut_ptr().cast(), size_of_val(&control));
    // SAFETY: the header points to the buffers above, with their lengths.
    let len = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut header, libc::MSG_DONTWAIT) };
    if len < 0 {
        return error::<()>(Err(std::io::Error::last_os_error()));
    }
    let bytes: Vec<u8> = control.iter().flat_map(|word| word.to_ne_bytes()).take(header.msg_controllen).collect();
    let mut text = format!("{len} bytes");
    let mut rest = &bytes[..];
    while rest.len() >= 16 {
        let word = |at: usize| i32::from_ne_bytes([rest[at], rest[at + 1], rest[at + 2], rest[at + 3]]);
        let (size, level, kind) = (word(0) as usize, word(8), word(12));
        text += &format!("; {level} {kind}: {} bytes", size - 16);
        match (level, kind) {
            (libc::SOL_SOCKET, SO_RXQ_OVFL) => text += &format!(" {}", word(16)),
            (libc::SOL_SOCKET, SO_TIMESTAMPING) => text += &format!(" {} {}", word(16) > 1_700_000_000, rest[32..64].iter().all(|byte| *byte == 0)),
            (libc::SOL_IP, IP_ORIGDSTADDR) => text += &format!(" {:?} {:?}", &rest[16..18], &rest[20..32]),
            (libc::SOL_IPV6, IPV6_ORIGDSTADDR) => text += &format!(" {:?} {:?}", &rest[16..18], &rest[20..44]),
            _ => {}
        }
        rest = &rest[size.next_multiple_of(8).min(rest.len())..];
    }
    text
}

fn pair(any: &str) -> (UdpSocket, UdpSocket) {
    let (a, b) = (UdpSocket::bind(any).unwrap(), UdpSocket::bind(any).unwrap());
    a.connect(b.local_addr().unwrap()).unwrap();
    (a, b)
}

pub fn messages() {
    let (sender, receiver) = pair("127.0.0.1:0");
    let fd = receiver.as_raw_fd();
    println!("nothing: {}", receive(&receiver));
    for option in [libc::SO_TIMESTAMP, libc::SO_TIMESTAMPNS] {
        println!("time stamps {option}: {}", set(fd, libc::SOL_SOCKET, option, &1));
        sender.send(b"x").unwrap();
        println!("{}; {} {}", receive(&receiver), get(fd, libc::SOL_SOCKET, libc::SO_TIMESTAMP), get(fd, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS));
    }
    println!("off: {}", set(fd, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, &0));
    for flags in [1 << 3, 1 << 3 | 1 << 4] {
        println!("times {flags}: {} {}", set(fd, libc::SOL_SOCKET, SO_TIMESTAMPING, &flags), get(fd, libc::SOL_SOCKET, SO_TIMESTAMPING));
        // Linux begins to note times some moments later.
        let mut text = String::new();
        for _ in 0..if flags == 24 { 500 } else { 1 } {
            sender.send(b"x").unwrap();
            text = receive(&receiver);
            if text != "1 bytes" {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        println!("{text}");
    }
    println!("no such times: {}", set(fd, libc::SOL_SOCKET, SO_TIMESTAMPING, &(1 << 30)));
    println!("off: {}", set(fd, libc::SOL_SOCKET, SO_TIMESTAMPING, &0));
    println!("destination: {}", set(fd, libc::SOL_IP, IP_ORIGDSTADDR, &1));
    sender.send(b"x").unwrap();
    // The port is another each time.
    println!("{}", receive(&receiver));
    println!("off: {}", set(fd, libc::SOL_IP, IP_ORIGDSTADDR, &0));
    println!("overflows: {} {}", set(fd, libc::SOL_SOCKET, SO_RXQ_OVFL, &1), set(fd, libc::SOL_SOCKET, libc::SO_RCVBUF, &4096));
    for round in 0..2 {
        (0..3).for_each(|_| drop(sender.send(&[0; 2048])));
        std::thread::sleep(std::time::Duration::from_millis(300));
        println!("round {round}: {} / {} / {}", receive(&receiver), receive(&receiver), receive(&receiver));
    }
    let (sender6, receiver6) = pair("[::1]:0");
    println!("destination: {}", set(receiver6.as_raw_fd(), libc::SOL_IPV6, IPV6_ORIGDSTADDR, &1));
    sender6.send(b"x").unwrap();
    println!("{}", receive(&receiver6));
    println!("whole: {} {}", set(receiver6.as_raw_fd(), libc::SOL_IPV6, IPV6_DONTFRAG, &1), get(receiver6.as_raw_fd(), libc::SOL_IPV6, IPV6_DONTFRAG));
    println!("of the other family: {}", set(fd, libc::SOL_IPV6, IPV6_DONTFRAG, &1));
}

pub fn segments() {
    let (sender, receiver) = pair("127.0.0.1:0");
    let fd = sender.as_raw_fd();
    println!("segments: {} {}", set(fd, libc::SOL_UDP, UDP_SEGMENT, &2), get(fd, libc::SOL_UDP, UDP_SEGMENT));
    println!("sent: {}", error(sender.send(b"hello")));
    println!("{} / {} / {} / {}", receive(&receiver), receive(&receiver), receive(&receiver), receive(&receiver));
    println!("too many: {}", error(sender.send(&[0; 400])));
    println!("too long: {}; put together: {}", set(fd, libc::SOL_UDP, UDP_SEGMENT, &65_536), set(fd, libc::SOL_UDP, UDP_GRO, &1));
    println!("packets: {} {}", get(fd, libc::SOL_IP, libc::IP_MTU), get(receiver.as_raw_fd(), libc::SOL_IP, libc::IP_MTU));
    println!("times to send at: {} {}", get(fd, libc::SOL_SOCKET, SO_TXTIME), set(fd, libc::SOL_SOCKET, SO_TXTIME, &[1i32, 0]));
    println!("with flags: {}; odd ones: {}; short: {}", set(fd, libc::SOL_SOCKET, SO_TXTIME, &[1i32, 3]), set(fd, libc::SOL_SOCKET, SO_TXTIME, &[1i32, 4]), set(fd, libc::SOL_SOCKET, SO_TXTIME, &1i32));
    println!("then: {}", get(fd, libc::SOL_SOCKET, SO_TXTIME));
    for any in ["127.0.0.1:0", "[::1]:0"] {
        for (server_says, client_says) in [(0, 0), (873, 0), (1200, 1000)] {
            let listener = TcpListener::bind(any).unwrap();
            println!("listening: {} {}", get(listener.as_raw_fd(), libc::SOL_TCP, libc::TCP_MAXSEG), set(listener.as_raw_fd(), libc::SOL_TCP, libc::TCP_MAXSEG, &server_says));
            let client = {
                use rustix::net::{AddressFamily, SocketType, socket};
                let family = if any.starts_with('[') { AddressFamily::INET6 } else { AddressFamily::INET };
                socket(family, SocketType::STREAM, None).unwrap()
            };
            println!("to connect: {}", set(client.as_raw_fd(), libc::SOL_TCP, libc::TCP_MAXSEG, &client_says));
            rustix::net::connect(&client, &listener.local_addr().unwrap()).unwrap();
            let client = TcpStream::from(client);
            let (server, _) = listener.accept().unwrap();
            use std::io::{Read, Write};
            (&server).write_all(b"x").unwrap();
            (&client).read_exact(&mut [0]).unwrap();
            println!("connected: {}, {}", get(client.as_raw_fd(), libc::SOL_TCP, libc::TCP_MAXSEG), get(server.as_raw_fd(), libc::SOL_TCP, libc::TCP_MAXSEG));
            println!("too short: {}", set(client.as_raw_fd(), libc::SOL_TCP, libc::TCP_MAXSEG, &80));
        }
    }
    let socket = rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::STREAM, None).unwrap();
    println!("above: {}", set(socket.as_raw_fd(), libc::SOL_TCP, TCP_ULP, b"none"));
    println!("at once: {} {}", set(socket.as_raw_fd(), libc::SOL_TCP, TCP_FASTOPEN_CONNECT, &1), get(socket.as_raw_fd(), libc::SOL_TCP, TCP_FASTOPEN_CONNECT));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("too late: {}", set(listener.as_raw_fd(), libc::SOL_TCP, TCP_FASTOPEN_CONNECT, &1));
}
