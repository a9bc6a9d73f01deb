//! Datagrams.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

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
    println!("a friend's: {}", any.recv(&mut buffer).unwrap());
    println!("to another: {:?}", rustix::net::sendto(&any, b"x", SendFlags::empty(), &stranger.local_addr().unwrap()));
}
