//! This host's end of the tests of the network.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result};

/// Bytes of the file that the server has.
pub const SIZE: usize = 6 << 20;

/// A port that nobody has.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn file() -> Vec<u8> {
    let mut state = 88_172_645_463_325_252u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..SIZE).map(|_| next()).collect()
}

/// A server of HTTP on the loop-back address: GET gives a file, PUT takes one and answers with its length.
pub struct Server {
    port: u16,
    sum: String,
    uploaded: Arc<AtomicUsize>,
    is_good: Arc<AtomicBool>,
}

impl Server {
    /// Starts it; it runs until the tests end.
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let file = Arc::new(file());
        let mut md5 = Command::new("md5sum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("cannot run md5sum")?;
        md5.stdin.take().context("no pipe")?.write_all(&file)?;
        let sum = String::from_utf8(md5.wait_with_output()?.stdout)?;
        let sum = sum.split(' ').next().unwrap_or_default().to_owned();
        let (uploaded, is_good) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (up, good) = (Arc::clone(&uploaded), Arc::clone(&is_good));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (file, up, good) = (Arc::clone(&file), Arc::clone(&up), Arc::clone(&good));
                // One that breaks off is the client's affair.
                thread::spawn(move || serve(stream, &file, &up, &good));
            }
        });
        Ok(Self { port, sum, uploaded, is_good })
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The file's MD5.
    pub fn sum(&self) -> &str {
        &self.sum
    }

    /// Bytes of the last upload.
    pub fn uploaded(&self) -> usize {
        self.uploaded.load(Ordering::Relaxed)
    }

    /// Whether it was the file.
    pub fn is_upload_good(&self) -> bool {
        self.is_good.load(Ordering::Relaxed)
    }
}

fn serve(stream: TcpStream, file: &[u8], uploaded: &AtomicUsize, is_good: &AtomicBool) -> std::io::Result<()> {
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let (mut length, mut expects) = (0, false);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        expects |= line.starts_with("expect:");
    }
    if request.starts_with("GET ") {
        write!(writer, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", file.len())?;
        return writer.write_all(file);
    }
    if expects {
        writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    uploaded.store(body.len(), Ordering::Relaxed);
    is_good.store(body == file, Ordering::Relaxed);
    let text = format!("{}\n", body.len());
    write!(writer, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}", text.len())
}

/// Answers questions of DNS (RFC 1035) on a port of the loop-back address, which it returns: `host.example` is 10.0.2.2, nothing else is there.
pub fn answer_names() -> Result<u16> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    let port = socket.local_addr()?.port();
    thread::spawn(move || -> std::io::Result<()> {
        let mut buffer = [0; 1500];
        loop {
            let (len, from) = socket.recv_from(&mut buffer)?;
            if let Some(answer) = answer(&buffer[..len]) {
                socket.send_to(&answer, from)?;
            }
        }
    });
    Ok(port)
}

fn answer(question: &[u8]) -> Option<Vec<u8>> {
    const HEADER: usize = 12;
    const A: [u8; 2] = [0, 1];
    let name = b"\x04host\x07example\0";
    let rest = question.get(HEADER..)?;
    let end = rest.iter().position(|byte| *byte == 0)? + 1;
    let (asked, kind) = (rest.get(..end)?, rest.get(end..end + 2)?);
    let is_known = asked.eq_ignore_ascii_case(name);
    let has_answer = is_known && kind == A;
    let mut answer = question[..2].to_vec();
    // Response, recursion desired and available; the name does not exist.
    answer.extend_from_slice(&[0x81, if is_known { 0x80 } else { 0x83 }, 0, 1, 0, u8::from(has_answer), 0, 0, 0, 0]);
    answer.extend_from_slice(rest.get(..end + 4)?);
    if has_answer {
        // The name as above, A, IN, 60 s, four bytes.
        answer.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0, 2, 2]);
    }
    Some(answer)
}
