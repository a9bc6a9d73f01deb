//! UNIX sockets.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};
use std::thread;
use std::time::Duration;

pub fn sockets() {
    let listener = UnixListener::bind("socket").unwrap();
    println!("bound: {:?}", listener.local_addr().unwrap().as_pathname());
    println!("twice: {:?}", UnixListener::bind("socket").map_err(|error| error.kind()).err());
    let server = thread::spawn(move || {
        for _ in 0..4 {
            let (stream, _) = listener.accept().unwrap();
            thread::spawn(move || {
                let mut writer = stream.try_clone().unwrap();
                for line in BufReader::new(stream).lines() {
                    writeln!(writer, "{}", line.unwrap().chars().rev().collect::<String>()).unwrap();
                }
            });
        }
    });
    for n in 0..4 {
        let mut stream = UnixStream::connect("socket").unwrap();
        write!(stream, "client {n}\nsecond line\n").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        println!("answer: {answer:?}");
    }
    server.join().unwrap();
    println!("after the listener: {:?}", UnixStream::connect("socket").map_err(|error| error.kind()).err());
    println!("missing: {:?}", UnixStream::connect("nothing").map_err(|error| error.kind()).err());

    let name = format!("std-probe-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let listener = UnixListener::bind_addr(&address).unwrap();
    let client = UnixStream::connect_addr(&address).unwrap();
    let (served, _) = listener.accept().unwrap();
    println!("abstract: {} {}", client.peer_addr().unwrap().as_abstract_name() == Some(name.as_bytes()), served.peer_addr().unwrap().is_unnamed());
    client.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    println!("time-out: {:?} {:?}", (&client).read(&mut [0; 1]).map_err(|error| error.kind()), client.read_timeout());
    client.set_nonblocking(true).unwrap();
    let mut sent = 0;
    let full = loop {
        match (&client).write(&[b'x'; 4096]) {
            Ok(count) => sent += count,
            Err(error) => break error.kind(),
        }
    };
    println!("full: {full:?}, more than 64 KiB {}", sent > 65_536);
    drop(client);
    let mut all = Vec::new();
    (&served).read_to_end(&mut all).unwrap();
    println!("all of it: {}", all.len() == sent);
    println!("to a closed one: {:?}", (&served).write(b"x").map_err(|error| error.kind()));

    let one = UnixDatagram::bind("one").unwrap();
    let two = UnixDatagram::unbound().unwrap();
    println!("datagram: {:?} {:?}", two.send_to(b"first message", "one"), two.send_to(b"second", "one"));
    let mut buffer = [0; 6];
    let (length, from) = one.recv_from(&mut buffer).unwrap();
    println!("cut: {length} {:?} {}", String::from_utf8_lossy(&buffer), from.is_unnamed());
    println!("second: {:?} {:?}", one.recv(&mut buffer), String::from_utf8_lossy(&buffer));
    println!("not connected: {:?}", two.send(b"x").map_err(|error| error.kind()));
    let (left, right) = UnixDatagram::pair().unwrap();
    println!("empty: {:?} {:?}", left.send(b""), right.recv(&mut buffer));
    println!("nowhere: {:?}", two.send_to(b"x", "absent").map_err(|error| error.kind()));
}
