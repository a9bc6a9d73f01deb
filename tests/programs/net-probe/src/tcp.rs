//! Connections.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, sockopt};

use crate::error;

fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

fn pair() -> (TcpStream, TcpStream) {
    let (listener, address) = listener();
    let client = TcpStream::connect(address).unwrap();
    (client, listener.accept().unwrap().0)
}

/// What `poll` says at once of everything that can be asked for.
fn state(stream: &impl std::os::fd::AsFd) -> PollFlags {
    let mut fds = [PollFd::new(stream, PollFlags::IN | PollFlags::OUT | PollFlags::RDHUP | PollFlags::PRI)];
    poll(&mut fds, Some(&rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 })).unwrap();
    fds[0].revents()
}

pub fn echo() {
    let (listener, address) = listener();
    let server = thread::spawn(move || {
        for _ in 0..3 {
            let (mut stream, from) = listener.accept().unwrap();
            assert_eq!(from, stream.peer_addr().unwrap());
            thread::spawn(move || {
                let mut text = String::new();
                stream.read_to_string(&mut text).unwrap();
                stream.write_all(text.to_uppercase().as_bytes()).unwrap();
            });
        }
    });
    for n in 0..3 {
        let mut stream = TcpStream::connect(address).unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address);
        println!("own address: {}", stream.local_addr().unwrap().ip());
        write!(stream, "client {n}").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        println!("{answer}");
    }
    server.join().unwrap();
}

pub fn half_closed() {
    let (mut a, mut b) = pair();
    println!("open: {:?}", state(&a));
    a.write_all(b"last words").unwrap();
    a.shutdown(Shutdown::Write).unwrap();
    println!("writing after shutdown: {}", error(a.write(b"x")));
    println!("the other side: {:?}", state(&b));
    let mut text = [0; 100];
    println!("read {} then {}", b.read(&mut text).unwrap(), b.read(&mut text).unwrap());
    b.write_all(b"answer").unwrap();
    println!("answer of {} bytes, state {:?}", a.read(&mut text).unwrap(), state(&a));
    b.shutdown(Shutdown::Both).unwrap();
    println!("closed both ways: {:?} {:?}", state(&a), state(&b));
    println!("shutdown of the unconnected: {:?}", rustix::net::shutdown(rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap(), rustix::net::Shutdown::Both));
}

pub fn refused() {
    let (listener, address) = listener();
    drop(listener);
    println!("nobody listens: {}", error(TcpStream::connect(address)));
    println!("with a limit: {}", error(TcpStream::connect_timeout(&address, Duration::from_secs(5))));
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    println!("unconnected: read {:?}, write {:?}, state {:?}", rustix::net::recv(&socket, &mut [0; 4][..], RecvFlags::empty()), rustix::net::send(&socket, b"x", SendFlags::NOSIGNAL), state(&socket));
    println!("peer of the unconnected: {:?}", rustix::net::getpeername(&socket));
    println!("connect again after a refusal: {:?} {:?}", rustix::net::connect(&socket, &address), rustix::net::connect(&socket, &address));
}

pub fn without_blocking() {
    let (listener, address) = listener();
    let socket = rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::NONBLOCK, None).unwrap();
    println!("first: {:?}", rustix::net::connect(&socket, &address));
    let mut fds = [PollFd::new(&socket, PollFlags::OUT)];
    println!("writable: {:?} {:?}", poll(&mut fds, Some(&rustix::event::Timespec { tv_sec: 10, tv_nsec: 0 })), fds[0].revents());
    println!("pending error: {:?}", sockopt::socket_error(&socket).unwrap());
    println!("second: {:?}, third: {:?}", rustix::net::connect(&socket, &address), rustix::net::connect(&socket, &address));
    println!("read: {:?}", rustix::net::recv(&socket, &mut [0; 4][..], RecvFlags::empty()));
    listener.set_nonblocking(true).unwrap();
    println!("accept: {}, then {}", error(listener.accept()), error(listener.accept()));
    drop(listener);
    let socket = rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::NONBLOCK, None).unwrap();
    println!("nobody listens: {:?}", rustix::net::connect(&socket, &address));
    let mut fds = [PollFd::new(&socket, PollFlags::OUT)];
    poll(&mut fds, Some(&rustix::event::Timespec { tv_sec: 10, tv_nsec: 0 })).unwrap();
    println!("state: {:?}, error: {:?}, then {:?}", fds[0].revents(), sockopt::socket_error(&socket).unwrap(), sockopt::socket_error(&socket).unwrap());
}

pub fn ports() {
    let (listener, address) = listener();
    println!("taken: {}", error(TcpListener::bind(address)));
    println!("taken for all: {}", error(TcpListener::bind((Ipv4Addr::UNSPECIFIED, address.port()))));
    println!("for IPv6 too: {}", error(TcpListener::bind((Ipv6Addr::UNSPECIFIED, address.port()))));
    println!("of another address: {}", error(TcpListener::bind((Ipv4Addr::new(127, 0, 0, 2), address.port()))));
    println!("not ours: {}", error(TcpListener::bind((Ipv4Addr::new(192, 0, 2, 1), 0))));
    drop(listener);
    println!("free again: {}", error(TcpListener::bind(address)));
    let shared = || {
        let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        sockopt::set_socket_reuseport(&socket, true).unwrap();
        socket
    };
    let (first, second) = (shared(), shared());
    rustix::net::bind(&first, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let address = SocketAddr::try_from(rustix::net::getsockname(&first).unwrap()).unwrap();
    println!("shared: {:?} {:?} {:?}", rustix::net::bind(&second, &address), rustix::net::listen(&first, 5), rustix::net::listen(&second, 5));
    println!("bound twice: {:?}", rustix::net::bind(&second, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0))));
    println!("another family: {:?}", rustix::net::bind(shared(), &SocketAddr::from((Ipv6Addr::LOCALHOST, 0))));
}

pub fn backlog() {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    rustix::net::bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    rustix::net::listen(&socket, 1).unwrap();
    let address = SocketAddr::try_from(rustix::net::getsockname(&socket).unwrap()).unwrap();
    // Two fit; the others wait until they do.
    let clients: Vec<_> = (0..4)
        .map(|n: u8| {
            thread::spawn(move || {
                let mut stream = TcpStream::connect(address).unwrap();
                stream.write_all(&[n]).unwrap();
                let mut answer = [0];
                stream.read_exact(&mut answer).unwrap();
                answer[0]
            })
        })
        .collect();
    let listener = TcpListener::from(socket);
    let mut seen: Vec<u8> = (0..4)
        .map(|_| {
            let (mut stream, _) = listener.accept().unwrap();
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            stream.write_all(&[byte[0] + 100]).unwrap();
            byte[0]
        })
        .collect();
    seen.sort_unstable();
    let answers: Vec<u8> = clients.into_iter().map(|client| client.join().unwrap()).collect();
    println!("{seen:?} {answers:?}");
}

pub fn resets() {
    let (mut a, mut b) = pair();
    a.write_all(b"never read").unwrap();
    // Data left unread.
    let mut fds = [PollFd::new(&b, PollFlags::IN)];
    poll(&mut fds, None).unwrap();
    drop(b);
    let mut text = [0; 10];
    println!("state {:?}, read {}, then {}", state(&a), error(a.read(&mut text)), error(a.read(&mut text)));
    println!("write {}", error(a.write(b"x")));
    (a, b) = pair();
    drop(b);
    println!("closed: state {:?}, read {}, write {}", state(&a), a.read(&mut text).unwrap(), error(a.write(b"x")));
    let (a, b) = pair();
    sockopt::set_socket_linger(&b, Some(Duration::ZERO)).unwrap();
    drop(b);
    println!("hard close: {:?}, then {:?}", sockopt::socket_error(&a).unwrap(), sockopt::socket_error(&a).unwrap());
    let (listener, address) = listener();
    let mut waiting = TcpStream::connect(address).unwrap();
    drop(listener);
    println!("never accepted: {}", error(waiting.read(&mut text)));
}

pub fn looking_ahead() {
    let (mut a, b) = pair();
    a.write_all(b"0123456789").unwrap();
    let mut text = [0; 4];
    let peeked = b.peek(&mut text).unwrap();
    println!("peeked {peeked}: {text:?}");
    println!("available: {}", rustix::io::ioctl_fionread(&b).unwrap());
    let mut all = [0; 20];
    b.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let (count, _) = rustix::net::recv(&b, &mut all[..12], RecvFlags::WAITALL).unwrap();
    println!("all of twelve: {count}");
    println!("nothing in time: {}", error((&b).read(&mut text)));
    println!("not waiting: {:?}", rustix::net::recv(&b, &mut text[..], RecvFlags::DONTWAIT).err().unwrap_or(Errno::INVAL));
    println!("nothing asked for: {:?}", rustix::net::recv(&b, &mut [][..] as &mut [u8], RecvFlags::DONTWAIT));
}

pub fn bulk() {
    let (mut a, mut b) = pair();
    let writer = thread::spawn(move || {
        let data: Vec<u8> = (0..5_000_000u32).map(|n| (n % 251) as u8).collect();
        a.write_all(&data).unwrap();
    });
    let mut sum = 0u64;
    let mut count = 0u64;
    let mut buffer = vec![0; 70_000];
    loop {
        let read = b.read(&mut buffer).unwrap();
        if read == 0 {
            break;
        }
        for byte in &buffer[..read] {
            sum = sum.wrapping_mul(31).wrapping_add(u64::from(*byte));
        }
        count += read as u64;
    }
    writer.join().unwrap();
    println!("{count} bytes, {sum:x}");
    let (a, b) = pair();
    a.set_nonblocking(true).unwrap();
    let full = loop {
        if let Err(error) = (&a).write(&buffer) {
            break error;
        }
    };
    println!("full: {:?}, writable: {}", full.kind(), state(&a).contains(PollFlags::OUT));
    drop(b);
}

pub fn addresses() {
    for text in ["[::1]:0", "[::]:0", "0.0.0.0:0", "127.1.2.3:0"] {
        match TcpListener::bind(text) {
            Ok(listener) => {
                let address = listener.local_addr().unwrap();
                let client = TcpStream::connect(address).unwrap();
                let (server, from) = listener.accept().unwrap();
                println!("{text}: {} {} {} {}", address.ip(), client.local_addr().unwrap().ip(), server.local_addr().unwrap().ip(), from.ip());
                if text == "[::]:0" {
                    let client = TcpStream::connect((Ipv4Addr::LOCALHOST, address.port())).unwrap();
                    let (server, from) = listener.accept().unwrap();
                    println!("by IPv4: {} {} {}", client.local_addr().unwrap().ip(), server.local_addr().unwrap().ip(), from.ip());
                }
            }
            Err(error) => println!("{text}: {error}"),
        }
    }
    println!("no way there: {}", error(TcpStream::connect_timeout(&"192.0.2.1:80".parse().unwrap(), Duration::from_secs(1))));
}

/// What `/proc/net` shows of a listening socket, a connection, and its end.
pub fn listed() {
    let show = |when: &str, family: &str, port: u16| {
        let text = std::fs::read_to_string(format!("/proc/net/{family}")).unwrap();
        let mut rows: Vec<_> = text
            .lines()
            .skip(1)
            .filter_map(|line| {
                let words: Vec<_> = line.split_whitespace().collect();
                let (address, own) = words[1].split_once(':')?;
                (u16::from_str_radix(own, 16) == Ok(port)).then(|| format!("{address} {} {} {}", words[2].split_once(':').unwrap().0, words[3], words[4]))
            })
            .collect();
        rows.sort();
        println!("{when}: {rows:?}");
    };
    let (listener, address) = listener();
    show("listening", "tcp", address.port());
    let mut client = TcpStream::connect(address).unwrap();
    let (server, _) = listener.accept().unwrap();
    client.write_all(b"four").unwrap();
    let mut fds = [PollFd::new(&server, PollFlags::IN)];
    poll(&mut fds, None).unwrap();
    show("connected", "tcp", address.port());
    drop(client);
    fds[0].clear_revents();
    show("half-closed", "tcp", address.port());
    let six = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).unwrap();
    show("of IPv6", "tcp6", six.local_addr().unwrap().port());
    let header = std::fs::read_to_string("/proc/net/tcp").unwrap();
    println!("{:?}", header.lines().next().unwrap().split_whitespace().collect::<Vec<_>>());
}
