//! Waiting for descriptors.

use std::os::fd::RawFd;
use std::time::Duration;

/// A descriptor and what it should be ready for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    descriptor: RawFd,
    events: libc::c_short,
}

impl Wanted {
    /// Reading.
    pub fn read(descriptor: RawFd) -> Self {
        Wanted { descriptor, events: libc::POLLIN }
    }

    /// Writing.
    pub fn write(descriptor: RawFd) -> Self {
        Wanted { descriptor, events: libc::POLLOUT }
    }
}

/// Waits until one of them is ready, or the time has passed. Which ones are; an error or an end counts as ready.
pub fn wait(wanted: &[Wanted], timeout: Duration) -> Vec<bool> {
    let mut fds: Vec<libc::pollfd> =
        wanted.iter().map(|it| libc::pollfd { fd: it.descriptor, events: it.events, revents: 0 }).collect();
    let milliseconds = timeout.as_micros().div_ceil(1000).min(i32::MAX as u128) as i32;
    // SAFETY: pointer and length of a live array.
    let result = unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, milliseconds) };
    fds.iter().map(|fd| result > 0 && fd.revents != 0).collect()
}
