//! The protocol of genaid, the AI service: a JSON object a line in both directions over an `AF_UNIX` stream.
//!
//! A client sends [`Request`]s and reads [`Reply`]s, which carry the request's number; answers of different requests may
//! come interleaved. The same protocol is spoken between genaid and the processes that hold a model (their standard
//! streams), so that one of those can be tried by hand.

mod client;
mod types;

pub use client::{Client, ClientError};
pub use types::*;

/// Where genaid listens, where nothing else is configured.
pub const SOCKET: &str = "/run/genaid.sock";

/// The environment variable that names another socket.
pub const SOCKET_VARIABLE: &str = "GENAI_SOCKET";

/// Longest line that either side takes, in bytes.
pub const MAX_LINE: usize = 4 << 20;

/// Writes a value as a line.
pub fn write_line(writer: &mut impl std::io::Write, value: &impl serde::Serialize) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    writer.write_all(&line)?;
    writer.flush()
}

/// Reads a line of at most [`MAX_LINE`] bytes, without its end; `None` at the end of the stream.
pub fn read_line(reader: &mut impl std::io::BufRead) -> std::io::Result<Option<Vec<u8>>> {
    use std::io::{BufRead, Read};
    let mut line = Vec::new();
    reader.by_ref().take(MAX_LINE as u64 + 1).read_until(b'\n', &mut line)?;
    match line.last() {
        None => Ok(None),
        Some(b'\n') => {
            line.pop();
            Ok(Some(line))
        }
        Some(_) if line.len() > MAX_LINE => Err(std::io::Error::new(std::io::ErrorKind::InvalidData, format!("a line is longer than {MAX_LINE} bytes"))),
        // The other side went away in the middle of a line.
        Some(_) => Ok(None),
    }
}
