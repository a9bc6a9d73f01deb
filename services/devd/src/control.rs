//! `/run/udev/control`: that it is there tells libudev that somebody keeps the database; `udevadm settle` asks here whether all
//! events are handled. Who connects is answered by the end of the connection, once they are.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

const PATH: &str = "/run/udev/control";

/// The socket.
pub struct Control(OwnedFd);

impl Control {
    /// Binds it, in the place of a predecessor's.
    pub fn listen() -> io::Result<Self> {
        let _ = std::fs::remove_file(PATH);
        let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        // SAFETY: no memory is involved.
        let fd = unsafe { libc::socket(libc::AF_UNIX, kind, 0) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: a new descriptor that nobody else has.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        // SAFETY: all zeroes are a valid `sockaddr_un`.
        let mut address: libc::sockaddr_un = unsafe { std::mem::zeroed() };
        address.sun_family = libc::AF_UNIX as u16;
        for (place, byte) in address.sun_path.iter_mut().zip(PATH.bytes()) {
            *place = byte as libc::c_char;
        }
        let len = size_of::<libc::sockaddr_un>() as libc::socklen_t;
        // SAFETY: pointer and length of a live value.
        let bound = unsafe { libc::bind(fd.as_raw_fd(), (&raw const address).cast(), len) };
        // SAFETY: no memory is involved.
        if bound < 0 || unsafe { libc::listen(fd.as_raw_fd(), 16) } < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Control(fd))
    }

    /// Lets all go who wait.
    pub fn answer(&self) {
        loop {
            // SAFETY: null pointers ask for no address.
            let fd = unsafe { libc::accept4(self.0.as_raw_fd(), std::ptr::null_mut(), std::ptr::null_mut(), libc::SOCK_CLOEXEC) };
            if fd < 0 {
                return;
            }
            // SAFETY: a new descriptor that nobody else has.
            drop(unsafe { OwnedFd::from_raw_fd(fd) });
        }
    }
}

impl AsRawFd for Control {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}
