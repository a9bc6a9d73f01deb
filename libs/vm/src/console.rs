//! The serial console, as a person at a terminal uses it.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use crate::dir::VmDir;
use crate::error::{Error, IoContext, Result};

/// A connection to the serial line. QEMU serves one at a time.
pub struct Console {
    socket: UnixStream,
    /// What came and has not been expected yet.
    pending: Vec<u8>,
}

impl Console {
    /// Connects to a machine whose serial line is a socket. What was printed before is only in the log.
    ///
    /// # Errors
    /// [`Error::NoVm`].
    pub fn connect(dir: &VmDir) -> Result<Self> {
        let socket = UnixStream::connect(dir.paths().serial).map_err(|_| Error::NoVm)?;
        Ok(Console { socket, pending: Vec::new() })
    }

    /// Sends keys.
    ///
    /// # Errors
    /// Those of the connection.
    pub fn send(&mut self, text: &str) -> Result<()> {
        self.socket.write_all(text.as_bytes()).on("write to", "the serial line")
    }

    /// Waits until `text` has been printed, and gives what was printed up to its end. Later calls go on from there.
    ///
    /// # Errors
    /// [`Error::TimedOut`] with what came instead; [`Error::Ended`].
    pub fn expect(&mut self, text: &str, limit: Duration) -> Result<String> {
        let deadline = Instant::now() + limit;
        let mut buffer = [0; 4096];
        loop {
            if let Some(at) = self.pending.windows(text.len().max(1)).position(|window| window == text.as_bytes()) {
                let seen: Vec<u8> = self.pending.drain(..at + text.len()).collect();
                return Ok(String::from_utf8_lossy(&seen).into_owned());
            }
            let rest = deadline.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                let log = String::from_utf8_lossy(&self.pending).into_owned();
                return Err(Error::TimedOut { what: "the expected output", seconds: limit.as_secs(), log });
            }
            self.socket.set_read_timeout(Some(rest)).on("use", "the serial line")?;
            match self.socket.read(&mut buffer) {
                Ok(0) => return Err(Error::Ended { status: "its serial line is closed".into(), log: String::new() }),
                Ok(len) => self.pending.extend_from_slice(&buffer[..len]),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error).on("read", "the serial line"),
            }
        }
    }
}
