//! Key events from the scheme `input`, which may come late and come back.

use input_event::{EV_KEY, EVENT_BYTES, InputEvent};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::time::{Duration, Instant};

/// The keyboard's path.
const PATH: &str = "/scheme/input/keyboard";
/// How often a missing keyboard is looked for.
const RETRY: Duration = Duration::from_millis(500);

/// The keyboard, where there is one.
pub struct Keyboard {
    file: Option<File>,
    next_try: Instant,
}

impl Keyboard {
    /// Opens it as soon as it is there.
    pub fn new() -> Self {
        Keyboard {
            file: None,
            next_try: Instant::now(),
        }
    }

    /// Looks for a missing keyboard where it is time to; when it will be time again.
    pub fn look_for(&mut self) -> Option<Instant> {
        if self.file.is_some() {
            return None;
        }
        let now = Instant::now();
        if self.next_try <= now {
            self.file = File::options()
                .read(true)
                .custom_flags(libc::O_NONBLOCK)
                .open(PATH)
                .ok();
            self.next_try = now + RETRY;
        }
        if self.file.is_some() {
            None
        } else {
            Some(self.next_try)
        }
    }

    /// The key events that have come: code and value.
    pub fn read(&mut self) -> Vec<(u16, i32)> {
        let Some(file) = &mut self.file else {
            return Vec::new();
        };
        let mut bytes = [0; 64 * EVENT_BYTES];
        let len = match file.read(&mut bytes) {
            Ok(len) if len > 0 => len,
            Err(error) if matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::EINTR)) => 0,
            // The driver is gone: its successor is another file.
            _ => {
                self.file = None;
                0
            }
        };
        let (events, _) = bytes[..len].as_chunks::<EVENT_BYTES>();
        let events = events
            .iter()
            .map(InputEvent::decode)
            .filter(|event| event.kind == EV_KEY);
        events.map(|event| (event.code, event.value)).collect()
    }

    /// The descriptor, where there is a keyboard.
    pub fn raw_fd(&self) -> Option<RawFd> {
        self.file.as_ref().map(AsRawFd::as_raw_fd)
    }
}
