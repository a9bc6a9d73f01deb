//! Servers and clients for tests of the network: one end is in the machine, the other on the host or in the machine too.
//!
//! `net-peer echo PORT` sends back what comes, by TCP and by UDP, until it is killed. `net-peer echoed ADDRESS BYTES STREAMS` sends that to such a server over so many connections at once, and
//! checks what comes back. `net-peer hold ADDRESS` keeps a connection in use until it breaks, and prints why. `net-peer relay PORT ADDRESS` passes datagrams
//! on, and their answers back. `net-peer bench ADDRESS` measures against the server that `./gos bench net` runs on the host.

mod bench;

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;
use std::{env, thread};

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> Outcome {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["echo", port] => echo(port.parse()?),
        ["echoed", address, bytes, streams] => echoed(address.parse()?, bytes.parse()?, streams.parse()?),
        ["hold", address] => hold(address.parse()?),
        ["relay", port, address] => relay(port.parse()?, address.parse()?),
        ["bench", address] => bench::run(address.parse()?),
        _ => Err("see the top of its source".into()),
    }
}

fn echo(port: u16) -> Outcome {
    let any = SocketAddr::from(([0; 4], port));
    let listener = TcpListener::bind(any)?;
    let datagrams = UdpSocket::bind(any)?;
    println!("ready");
    thread::spawn(move || -> io::Result<()> {
        let mut buffer = vec![0; 65536];
        loop {
            let (len, from) = datagrams.recv_from(&mut buffer)?;
            datagrams.send_to(&buffer[..len], from)?;
        }
    });
    loop {
        let (mut stream, _) = listener.accept()?;
        thread::spawn(move || -> io::Result<()> {
            let mut buffer = vec![0; 65536];
            loop {
                match stream.read(&mut buffer)? {
                    0 => return Ok(()),
                    len => stream.write_all(&buffer[..len])?,
                }
            }
        });
    }
}

/// The n-th byte of stream `number`.
fn byte(number: usize, at: usize) -> u8 {
    (at.wrapping_mul(2_654_435_761) >> 13) as u8 ^ number as u8
}

fn echoed(address: SocketAddr, bytes: usize, streams: usize) -> Outcome {
    let one = move |number: usize| -> io::Result<()> {
        let mut stream = TcpStream::connect(address)?;
        let mut writer = stream.try_clone()?;
        let sending = thread::spawn(move || -> io::Result<()> {
            let data: Vec<u8> = (0..bytes).map(|at| byte(number, at)).collect();
            writer.write_all(&data)?;
            writer.shutdown(std::net::Shutdown::Write)
        });
        let mut data = Vec::new();
        stream.read_to_end(&mut data)?;
        sending.join().map_err(|_| io::ErrorKind::Other)??;
        let good = data.len() == bytes && data.iter().enumerate().all(|(at, it)| *it == byte(number, at));
        if good { Ok(()) } else { Err(io::Error::other(format!("stream {number}: {} bytes of {bytes} came back, or others", data.len()))) }
    };
    let all: Vec<_> = (0..streams).map(|number| thread::spawn(move || one(number))).collect();
    for stream in all {
        stream.join().map_err(|_| "a thread panicked")??;
    }
    println!("{streams} streams of {bytes} bytes came back");
    Ok(())
}

fn hold(address: SocketAddr) -> Outcome {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    println!("held");
    let mut count = 0u32;
    let broken = loop {
        let mut answer = [0; 4];
        match stream.write_all(&count.to_le_bytes()).and_then(|()| stream.read_exact(&mut answer)) {
            Ok(()) if answer == count.to_le_bytes() => count += 1,
            Ok(()) => return Err("other bytes came back".into()),
            Err(error) => break error,
        }
        thread::sleep(Duration::from_millis(20));
    };
    println!("{:?} after {}", broken.kind(), if count > 0 { "some" } else { "none" });
    Ok(())
}

fn relay(port: u16, to: SocketAddr) -> Outcome {
    let socket = UdpSocket::bind(("127.0.0.1", port))?;
    println!("ready");
    let mut buffer = vec![0; 65536];
    loop {
        let (len, from) = socket.recv_from(&mut buffer)?;
        let (question, socket) = (buffer[..len].to_vec(), socket.try_clone()?);
        // Each question has a socket of its own, as a resolver's has.
        thread::spawn(move || -> io::Result<()> {
            let onward = UdpSocket::bind("0.0.0.0:0")?;
            onward.connect(to)?;
            onward.set_read_timeout(Some(Duration::from_secs(10)))?;
            onward.send(&question)?;
            let mut answer = vec![0; 65536];
            let len = onward.recv(&mut answer)?;
            socket.send_to(&answer[..len], from).map(drop)
        });
    }
}
