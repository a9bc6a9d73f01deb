//! The sending side of a session.

use std::io::{self, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use exec_protocol::{Frame, Message, encode};

use crate::lock;

/// Sends frames of one session, whole and one after the other.
pub(crate) struct Link {
    session: u32,
    port: Mutex<Box<dyn Write + Send>>,
    closed: AtomicBool,
}

impl Link {
    pub fn new(port: Box<dyn Write + Send>) -> Self {
        Link { session: new_session(), port: Mutex::new(port), closed: AtomicBool::new(false) }
    }

    pub fn session(&self) -> u32 {
        self.session
    }

    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Nothing is sent any more.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// Sends one message; blocks while the port is full. A failure closes the link: part of the frame may be out.
    pub fn send(&self, command: u32, message: Message) -> io::Result<()> {
        let bytes = encode(&Frame { session: self.session, command, message })
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let mut port = lock(&self.port);
        if self.is_closed() {
            return Err(io::Error::new(io::ErrorKind::BrokenPipe, "the session is over"));
        }
        port.write_all(&bytes).and_then(|()| port.flush()).inspect_err(|_| self.close())
    }
}

/// A number that an earlier session will hardly have had. Random numbers may not be there yet so early in the boot; the time in
/// nanoseconds and the process number do.
fn new_session() -> u32 {
    static COUNT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_nanos() as u64);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let mixed = (nanos ^ (u64::from(std::process::id()) << 40) ^ (count << 56)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((mixed >> 32) as u32).max(1)
}
