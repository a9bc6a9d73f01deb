//! The stack's side.

use crate::layout::{BUFFERS, Interface, MOST_FRAME, REGION_BYTES, Region, Side};
use crate::ring::{Entry, Rings};
use driver::dma::DmaMemory;
use net_abi::Counters;
use rustix::fs::{OFlags, fcntl_setfl};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

/// Why an interface cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file of the driver's scheme.
    #[error("{0}: {1}")]
    File(&'static str, io::Error),
    /// It speaks something else.
    #[error("the driver does not describe its interface as this version does")]
    Version,
}

/// An open interface. It is the only client of its driver.
pub struct Client {
    region: Region,
    rings: Rings,
    /// Buffers to send from.
    spare: Vec<u32>,
    woken: File,
    wake: File,
    /// Keeps the driver's other clients out.
    frames: File,
    has_sent: bool,
    /// Buffers given back that the driver may not know of.
    returned: u32,
}

/// So many buffers given back are worth waking the driver.
const RETURNED_ENOUGH: u32 = BUFFERS / 4;

impl Client {
    /// Opens the interface of a driver's scheme, such as `/scheme/network.eth0`.
    ///
    /// # Errors
    /// [`OpenError`]; `EBUSY` while another client has it.
    pub fn open(scheme: &Path) -> Result<Self, OpenError> {
        let open = |name: &'static str, read: bool, write: bool| {
            let file = File::options().read(read).write(write).open(scheme.join(name));
            file.map_err(|error| OpenError::File(name, error))
        };
        let frames = open("frames", true, true)?;
        let memory = DmaMemory::shared(&frames, REGION_BYTES).map_err(|error| OpenError::File("frames", error))?;
        let woken = open("woken", true, false)?;
        let wake = open("wake", false, true)?;
        for (name, file) in [("woken", &woken), ("wake", &wake)] {
            fcntl_setfl(file, OFlags::NONBLOCK).map_err(|error| OpenError::File(name, error.into()))?;
        }
        let region = Region::new(memory);
        if !region.is_valid() {
            return Err(OpenError::Version);
        }
        let rings = region.rings();
        Ok(Self { region, rings, spare: Vec::with_capacity(BUFFERS as usize), woken, wake, frames, has_sent: false, returned: 0 })
    }

    /// What the driver says of the interface.
    pub fn interface(&self) -> Interface {
        self.region.interface()
    }

    /// Its counters.
    pub fn statistics(&self) -> Counters {
        self.region.statistics()
    }

    /// Readable when there is something to do; at its end when the driver has died.
    pub fn wakeup(&self) -> BorrowedFd<'_> {
        self.woken.as_fd()
    }

    /// Asks the driver whether it is there, which waits for its answer: one that hangs is found out by that, and ended. False where it is gone.
    pub fn is_alive(&self) -> bool {
        self.frames.metadata().is_ok()
    }

    /// Takes the wake-ups in. False where the driver is gone.
    pub fn take_wakeups(&mut self) -> bool {
        let mut bytes = [0; 64];
        loop {
            match (&self.woken).read(&mut bytes) {
                Ok(0) => return false,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
            }
        }
    }

    /// Takes a received frame: copies it into `frame`, whose first bytes of that number it fills.
    pub fn receive(&mut self, frame: &mut [u8; MOST_FRAME]) -> Option<usize> {
        loop {
            let entry = self.rings.received.pop()?;
            let len = entry.len as usize;
            let at = self.region.frame_at(entry.buffer).filter(|_| len <= MOST_FRAME);
            if let Some(at) = at {
                self.region.memory().read(at, &mut frame[..len]);
            }
            self.rings.free.push(Entry { buffer: entry.buffer, len: 0 });
            self.returned += 1;
            if at.is_some() {
                return Some(len);
            }
        }
    }

    /// Whether a frame can be sent now.
    pub fn can_send(&mut self) -> bool {
        while let Some(entry) = self.rings.sent.pop() {
            if (BUFFERS..2 * BUFFERS).contains(&entry.buffer) && self.spare.len() < BUFFERS as usize {
                self.spare.push(entry.buffer);
            }
        }
        !self.spare.is_empty()
    }

    /// Sends a frame; it is on its way with the next [`Client::flush`]. Dropped where [`Client::can_send`] was false, or it is too long.
    pub fn send(&mut self, frame: &[u8]) {
        if frame.len() > MOST_FRAME || !self.can_send() {
            return;
        }
        let Some(buffer) = self.spare.pop() else {
            return;
        };
        let Some(at) = self.region.frame_at(buffer) else {
            return;
        };
        self.region.memory().write(at, frame);
        self.rings.to_send.push(Entry { buffer, len: frame.len() as u32 });
        self.has_sent = true;
    }

    /// Wakes the driver if it sleeps over what was sent, or over buffers to receive into.
    pub fn flush(&mut self) {
        if !self.has_sent && self.returned < RETURNED_ENOUGH {
            return;
        }
        self.has_sent = false;
        self.returned = 0;
        if self.region.sleeps(Side::Driver) {
            // A full pipe is a wake-up that has not been taken yet; a broken one will be noticed on the other.
            let _ = (&self.wake).write(&[1]);
        }
    }

    /// Says that the stack is about to wait; false where there is something to do after all.
    pub fn prepare_to_sleep(&mut self) -> bool {
        self.region.set_sleeping(Side::Stack, true);
        let idle = !self.rings.received.has_entries();
        if !idle {
            self.wake_up();
        }
        idle
    }

    /// Says that the stack is awake.
    pub fn wake_up(&self) {
        self.region.set_sleeping(Side::Stack, false);
    }
}
