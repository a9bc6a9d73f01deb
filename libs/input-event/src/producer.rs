//! A driver's connection to `inputd`, which may come late and come back.

use crate::description::Description;
use crate::{EVENT_BYTES, EV_SYN, InputEvent, SYN_REPORT};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;

/// Where drivers connect.
pub const PATH: &str = "/scheme/input/producer";
const O_NONBLOCK: i32 = 0o4000;

/// An event without its time: kind, code, value.
pub type Change = (u16, u16, i32);

/// A device's connection.
pub struct Producer {
    description: Vec<u8>,
    file: Option<File>,
}

impl Producer {
    /// A device that is to be described; nothing is opened yet.
    pub fn new(description: &Description) -> Self {
        Producer { description: description.encode(), file: None }
    }

    /// Connects where there is no connection and inputd is there. True where a new connection was made.
    pub fn connect(&mut self) -> bool {
        if self.file.is_some() {
            return false;
        }
        let connect = || -> io::Result<File> {
            let mut file = File::options().read(true).write(true).custom_flags(O_NONBLOCK).open(PATH)?;
            file.write_all(&self.description)?;
            Ok(file)
        };
        self.file = connect().ok();
        self.file.is_some()
    }

    /// Whether there is a connection.
    pub fn is_connected(&self) -> bool {
        self.file.is_some()
    }

    /// Sends a group of events; the end of the group is added. Lost where nobody is there to take them.
    pub fn send(&mut self, changes: &[Change]) {
        if changes.is_empty() {
            return;
        }
        let event = |(kind, code, value)| InputEvent { time_us: 0, kind, code, value };
        let all = changes.iter().copied().chain([(EV_SYN, SYN_REPORT, 0)]);
        let bytes: Vec<u8> = all.flat_map(|change| event(change).encode()).collect();
        self.send_bytes(&bytes);
    }

    /// Sends whole events.
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.connect();
        if let Some(file) = &mut self.file
            && file.write_all(bytes).is_err()
        {
            // inputd died: try once whether its successor is there.
            self.file = None;
            if self.connect()
                && let Some(file) = &mut self.file
                && file.write_all(bytes).is_err()
            {
                self.file = None;
            }
        }
    }

    /// What goes to the device.
    pub fn receive(&mut self) -> Vec<Change> {
        let Some(file) = &mut self.file else { return Vec::new() };
        let mut bytes = [0; 16 * EVENT_BYTES];
        let len = match file.read(&mut bytes) {
            Ok(len) if len > 0 => len,
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => 0,
            _ => {
                self.file = None;
                0
            }
        };
        let (events, _) = bytes[..len].as_chunks::<EVENT_BYTES>();
        events.iter().map(InputEvent::decode).map(|event| (event.kind, event.code, event.value)).collect()
    }

    /// The descriptor to wait for what goes to the device.
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.file.as_ref().map(AsFd::as_fd)
    }
}
