//! The memory of callers, for structures that hold pointers.
#![allow(unsafe_code)]

use crate::error::Errno;
use crate::socket::SchemeSocket;
use rustix::ioctl::{Setter, ioctl};
use scheme_abi::{CallerCopy, SCHEME_COPY};
use std::io;
use std::os::fd::{AsFd, OwnedFd};

/// Copies to and from processes whose requests are in flight. Only where the scheme was created with [`scheme_abi::SchemeFlags::CALLER_MEMORY`].
#[derive(Debug)]
pub struct CallerAccess(OwnedFd);

impl CallerAccess {
    /// For the callers of a socket's scheme.
    ///
    /// # Errors
    ///
    /// `EMFILE`: a descriptor is needed.
    pub fn new(socket: &SchemeSocket) -> io::Result<Self> {
        Ok(Self(socket.as_fd().try_clone_to_owned()?))
    }

    /// Copies from `address` in the process that waits for the answer to request `tag`.
    ///
    /// # Errors
    ///
    /// `FAULT` where its memory cannot be read, `SRCH` where nobody waits.
    pub fn read(&self, tag: u32, address: u64, bytes: &mut [u8]) -> Result<(), Errno> {
        let daemon = bytes.as_mut_ptr() as u64;
        self.copy(CallerCopy::READ, tag, address, daemon, bytes.len())
    }

    /// Copies to `address` in that process.
    ///
    /// # Errors
    ///
    /// `FAULT` where its memory cannot be written, `SRCH` where nobody waits.
    pub fn write(&self, tag: u32, address: u64, bytes: &[u8]) -> Result<(), Errno> {
        let daemon = bytes.as_ptr() as u64;
        self.copy(CallerCopy::WRITE, tag, address, daemon, bytes.len())
    }

    fn copy(
        &self,
        direction: u32,
        tag: u32,
        caller: u64,
        daemon: u64,
        len: usize,
    ) -> Result<(), Errno> {
        let copy = CallerCopy {
            tag,
            direction,
            caller,
            daemon,
            len: len as u64,
            reserved: 0,
        };
        // SAFETY: SCHEME_COPY reads one `CallerCopy`, and reads or writes `len` bytes at `daemon`, which `read` and `write` hold a slice of:
        // a mutable one where they are written. Any bytes are valid `u8`s.
        unsafe { ioctl(&self.0, Setter::<SCHEME_COPY, CallerCopy>::new(copy)) }
    }
}
