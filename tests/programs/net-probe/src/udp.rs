//! Datagrams.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};
use rustix::net::{RecvFlags, SendFlags};

use crate::error;

const LIMIT: Option<Duration> = Some(Duration::from_secs(10));

fn socket() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.set_read_timeout(LIMIT).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

pub fn echo() {
    let (a, address) = socket();
    let (b, other) = socket();
    println!("sent {}", b.send_to(b"hello", address).unwrap());
    let mut buffer = [0; 100];
    let (count, from) = a.recv_from(&mut buffer).unwrap();
    println!("received {count} from the right one: {}", from == other);
    b.send_to(b"", address).unwrap();
    println!("empty: {}", a.recv(&mut buffer).unwrap());
    b.send_to(&[7; 60_000], address).unwrap();
    println!("cut: {}", a.recv(&mut buffer).unwrap());
    b.send_to(b"0123456789", address).unwrap();
    let (copied, whole) = rustix::net::recv(&a, &mut buffer[..4], RecvFlags::TRUNC | RecvFlags::PEEK).unwrap();
    println!("whole length: {copied} {whole}; available {}", rustix::io::ioctl_fionread(&a).unwrap());
    println!("still there: {}", a.recv(&mut buffer).unwrap());
    println!("too long: {}", error(b.send_to(&vec![0; 65_508], address)));
    println!("nowhere: {}", error(b.send(b"x")));
    println!("port 0: {}", error(b.send_to(b"x", "127.0.0.1:0")));
    println!("no way: {}", error(b.send_to(b"x", "192.0.2.1:9")));
    a.set_nonblocking(true).unwrap();
    println!("nothing there: {}", error(a.recv(&mut buffer)));
    let everywhere = UdpSocket::bind("0.0.0.0:0").unwrap();
    everywhere.set_read_timeout(LIMIT).unwrap();
    everywhere.send_to(b"x", other).unwrap();
    println!("from everywhere: {}", b.recv_from(&mut buffer).unwrap().1.ip());
    let six = UdpSocket::bind("[::]:0").unwrap();
    six.set_read_timeout(LIMIT).unwrap();
    b.send_to(b"four to six", ("127.0.0.1", six.local_addr().unwrap().port())).unwrap();
    println!("four to six: {}", six.recv_from(&mut buffer).unwrap().1.ip());
}

pub fn refused() {
    let (gone, address) = socket();
    drop(gone);
    let (socket, _) = socket();
    println!("unconnected: {}", error(socket.send_to(b"x", address)));
    socket.connect(address).unwrap();
    println!("first: {}", error(socket.send(b"x")));
    await_error(&socket);
    println!("second: {}", error(socket.send(b"x")));
    println!("third: {}", error(socket.send(b"x")));
    println!("read: {}", error(socket.recv(&mut [0; 10])));
    println!("peer: {}", socket.peer_addr().unwrap() == address);
}

pub fn choice() {
    let (any, address) = {
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, socket.local_addr().unwrap().port()));
        (socket, address)
    };
    println!("taken: {}", error(UdpSocket::bind(address)));
    let (sender, from) = socket();
    let (stranger, _) = socket();
    let mut buffer = [0; 10];
    any.connect(from).unwrap();
    println!("own address: {}", any.local_addr().unwrap().ip());
    stranger.send_to(b"stranger", address).unwrap();
    println!("a stranger's: {}", error(any.recv(&mut buffer)));
    sender.send_to(b"friend", address).unwrap();
    let mut fds = [PollFd::new(&any, PollFlags::IN)];
    rustix::event::poll(&mut fds, Some(&rustix::event::Timespec { tv_sec: 10, tv_nsec: 0 })).unwrap();
    println!("a friend's: {}", any.recv(&mut buffer).unwrap());
    println!("to another: {:?}", rustix::net::sendto(&any, b"x", SendFlags::empty(), &stranger.local_addr().unwrap()));
}

/// Waits until an error is pending: a busy Linux takes packets off the loop-back device some moments later.
fn await_error(socket: &UdpSocket) {
    let mut fds = [PollFd::new(socket, PollFlags::empty())];
    rustix::event::poll(&mut fds, Some(&rustix::event::Timespec { tv_sec: 10, tv_nsec: 0 })).unwrap();
}

/// What `MSG_ERRQUEUE` gives: data, and of `struct sock_extended_err` the error, origin, type, code and offender; or the error.
fn report(socket: &UdpSocket, room: usize) -> String {
    let mut data = vec![0; room];
    let mut control = [0u64; 16];
    let mut vector = libc::iovec { iov_base: data.as_mut_ptr().cast(), iov_len: data.len() };
    // SAFETY: a plain structure.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    (header.msg_iov, header.msg_iovlen) = (&raw mut vector, 1);
    (header.msg_control, header.msg_controllen) = (control.as_mut_ptr().cast(), size_of_val(&control));
    // SAFETY: the header points to the buffers above, with their lengths.
    let len = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut header, libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT) };
    if len < 0 {
        return error::<()>(Err(std::io::Error::last_os_error()));
    }
    let bytes: Vec<u8> = control.iter().flat_map(|word| word.to_ne_bytes()).collect();
    let word = |at: usize| i32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    // After the header of 16 bytes: error, origin, type, code, padding, information, data; then the offender's address.
    let (level, kind) = (word(8), word(12));
    format!("{len} bytes, flags {:#x}, {level} {kind}, error {}, {:?}, offender {:?}", header.msg_flags, word(16), &bytes[20..24], &bytes[32..40])
}

fn readiness(socket: &UdpSocket) -> String {
    let mut fds = [PollFd::new(socket, PollFlags::IN | PollFlags::OUT)];
    rustix::event::poll(&mut fds, Some(&rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 })).unwrap();
    format!("{:?}", fds[0].revents())
}

pub fn reports() {
    let (gone, address) = socket();
    drop(gone);
    let (socket, _) = socket();
    println!("nothing: {}; {}", report(&socket, 10), readiness(&socket));
    println!("unasked: {}, {}", error(socket.send_to(b"x", address)), readiness(&socket));
    let on = 1i32;
    // SAFETY: the option's value is an `int`.
    let set = unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_IP, libc::IP_RECVERR, (&raw const on).cast(), 4) };
    assert_eq!(set, 0);
    println!("asked: {}", error(socket.send_to(b"first", address)));
    await_error(&socket);
    println!("ready: {}", readiness(&socket));
    println!("told: {}; {}", error(socket.send_to(b"second", address)), readiness(&socket));
    println!("pending: {}; {}", error(socket.take_error().map(|it| it.map_or(0, |error| error.raw_os_error().unwrap_or(-1)))), readiness(&socket));
    println!("first: {}; {}", report(&socket, 3), readiness(&socket));
    println!("no more: {}; {}", report(&socket, 10), readiness(&socket));
    for text in [&b"one"[..], b"two"] {
        // The error of the one before is told.
        while socket.send_to(text, address).is_err() {}
    }
    // Time for the second to come.
    std::thread::sleep(Duration::from_millis(300));
    println!("two: {}; {}", report(&socket, 10), readiness(&socket));
    println!("the next one's error: {}; {}", error(socket.recv(&mut [0; 10])), readiness(&socket));
    println!("last: {}; {}", report(&socket, 10), readiness(&socket));
    let long = vec![7; 3000];
    println!("long: {}", error(socket.send_to(&long, address)));
    await_error(&socket);
    println!("its report: {}", report(&socket, 4000));
    println!("to everybody: {}", error(socket.send_to(b"x", ("0.0.0.0", address.port()))));
    await_error(&socket);
    println!("ready: {}", readiness(&socket));
}
