//! Signals as events: a handler writes the number into a pipe that the main loop polls.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, RawFd};
use std::sync::atomic::{AtomicI32, Ordering};

/// The pipe's writing end, for the handler.
static WRITER: AtomicI32 = AtomicI32::new(-1);

extern "C" fn on_signal(signal: libc::c_int) {
    let byte = signal as u8;
    // SAFETY: write(2) is async-signal-safe and reads one live byte; errno is restored for the interrupted code.
    unsafe {
        let errno = *libc::__errno_location();
        libc::write(WRITER.load(Ordering::Relaxed), (&raw const byte).cast(), 1);
        *libc::__errno_location() = errno;
    }
}

/// The signals this process handles.
pub struct Signals(File);

impl Signals {
    /// Handles these signals from now on.
    pub fn handle(signals: &[libc::c_int]) -> io::Result<Self> {
        let mut ends = [0; 2];
        // SAFETY: pipe2 writes two descriptors into the array.
        if unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC | libc::O_NONBLOCK) } < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: both descriptors are new and ours; the writer is kept open for ever, for the handler.
        let (reader, writer) = unsafe { (File::from_raw_fd(ends[0]), File::from_raw_fd(ends[1])) };
        WRITER.store(writer.into_raw_fd(), Ordering::Relaxed);
        for signal in signals {
            // SAFETY: a zeroed sigaction is a valid one; the handler is async-signal-safe and lives for ever.
            let result = unsafe {
                let mut action: libc::sigaction = std::mem::zeroed();
                action.sa_sigaction = on_signal as extern "C" fn(libc::c_int) as usize;
                action.sa_flags = libc::SA_RESTART;
                libc::sigaction(*signal, &action, std::ptr::null_mut())
            };
            if result < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(Signals(reader))
    }

    /// The signals that have arrived since the last call.
    pub fn take(&mut self) -> Vec<libc::c_int> {
        let mut bytes = [0; 64];
        // Non-blocking: nothing to read is an error that means no signal.
        let len = self.0.read(&mut bytes).unwrap_or(0);
        bytes[..len].iter().map(|byte| libc::c_int::from(*byte)).collect()
    }
}

impl AsRawFd for Signals {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}
