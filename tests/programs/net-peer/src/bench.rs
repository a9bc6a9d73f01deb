//! Measurements against a server on the host, and within the machine.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// For how long each is measured.
const TIME: Duration = Duration::from_secs(6);
/// For how long it is tried before.
const WARM_UP: Duration = Duration::from_secs(3);
/// Bytes of a read or a write.
const PIECE: usize = 128 << 10;

fn report(name: &str, unit: &str, value: f64) {
    println!("{{\"name\": \"{name}\", \"unit\": \"{unit}\", \"value\": {value:.3}}}");
}

fn connect(address: SocketAddr, service: &[u8; 4]) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.write_all(service)?;
    Ok(stream)
}

/// MB/s from the server.
fn download(address: SocketAddr, time: Duration) -> io::Result<f64> {
    let mut stream = connect(address, b"send")?;
    let mut buffer = vec![0; PIECE];
    stream.read_exact(&mut buffer)?;
    let (start, mut bytes) = (Instant::now(), 0);
    while start.elapsed() < time {
        match stream.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            len => bytes += len,
        }
    }
    Ok(bytes as f64 / 1e6 / start.elapsed().as_secs_f64())
}

/// MB/s to the server, until it has all.
fn upload(address: SocketAddr, time: Duration) -> io::Result<f64> {
    let mut stream = connect(address, b"take")?;
    let (data, start, mut bytes) = (vec![7; PIECE], Instant::now(), 0);
    while start.elapsed() < time {
        stream.write_all(&data)?;
        bytes += data.len();
    }
    stream.shutdown(Shutdown::Write)?;
    io::copy(&mut stream, &mut io::sink())?;
    Ok(bytes as f64 / 1e6 / start.elapsed().as_secs_f64())
}

/// Bytes there and back, a second.
fn round_trips(address: SocketAddr) -> io::Result<f64> {
    let mut stream = connect(address, b"echo")?;
    let (start, mut count, mut byte) = (Instant::now(), 0u32, [1]);
    while start.elapsed() < TIME {
        stream.write_all(&byte)?;
        stream.read_exact(&mut byte)?;
        count += 1;
    }
    Ok(f64::from(count) / start.elapsed().as_secs_f64())
}

/// Connections with a byte there and back, a second.
fn connections(address: SocketAddr) -> io::Result<f64> {
    let (start, mut count, mut byte) = (Instant::now(), 0u32, [1]);
    while start.elapsed() < TIME {
        let mut stream = connect(address, b"echo")?;
        stream.write_all(&byte)?;
        stream.read_exact(&mut byte)?;
        count += 1;
    }
    Ok(f64::from(count) / start.elapsed().as_secs_f64())
}

/// What the server on the host does, too: `take`, `send` and `echo`.
pub fn serve(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut service, mut buffer) = ([0; 4], vec![7; PIECE]);
    stream.read_exact(&mut service)?;
    loop {
        match &service {
            b"send" => stream.write_all(&buffer)?,
            b"take" if stream.read(&mut buffer)? == 0 => return Ok(()),
            b"take" => {}
            _ => match stream.read(&mut buffer)? {
                0 => return Ok(()),
                len => stream.write_all(&buffer[..len])?,
            },
        }
    }
}

/// Measures; prints a JSON object a line.
pub fn run(host: SocketAddr) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let within = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || serve(stream));
        }
    });
    for (place, address) in [("virtio", host), ("loop-back", within)] {
        // An emulator translates code when it runs for the first time.
        download(address, WARM_UP)?;
        upload(address, WARM_UP)?;
        report(&format!("{place}: receive"), "MB/s", download(address, TIME)?);
        report(&format!("{place}: send"), "MB/s", upload(address, TIME)?);
        report(&format!("{place}: round trips"), "/s", round_trips(address)?);
        report(&format!("{place}: connections"), "/s", connections(address)?);
    }
    Ok(())
}
