//! The scheme socket: the descriptor through which a daemon and the kernel talk.
#![allow(unsafe_code)]

use crate::area::Area;
use crate::error::Errno;
use crate::testing::TestArea;
use rustix::ioctl::{Getter, IntegerSetter, Ioctl, IoctlOutput, Opcode, Updater, ioctl};
use scheme_abi::{
    PhysQuery, SCHEME_AREA, SCHEME_COMMITTED, SCHEME_COMMITTING, SCHEME_MOUNTED, SCHEME_PHYS,
    SCHEME_SET_FLAGS, SchemeFlags, TransferArea,
};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, IntoRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;

/// A scheme that exists as long as this value (and what was duplicated from it) lives.
#[derive(Debug)]
pub struct SchemeSocket {
    fd: OwnedFd,
    area: TransferArea,
    test_area: Option<Arc<TestArea>>,
}

impl SchemeSocket {
    /// Creates the scheme `/scheme/<name>`. Needs uid 0.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if a scheme of that name lives, `NotFound` where the kernel has no schemes, and what
    /// `open(2)` and `ioctl(2)` return.
    pub fn create(name: &str, flags: SchemeFlags) -> io::Result<Self> {
        let path = format!("/scheme/{name}");
        let file = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .custom_flags(rustix::fs::OFlags::CLOEXEC.bits() as i32)
            .open(path)?;
        let fd = OwnedFd::from(file);
        if flags != SchemeFlags::NONE {
            // SAFETY: SCHEME_SET_FLAGS takes its argument by value and touches no memory of ours.
            unsafe {
                let set = IntegerSetter::<SCHEME_SET_FLAGS>::new_usize(flags.bits() as usize);
                ioctl(&fd, set)?;
            }
        }
        // SAFETY: SCHEME_AREA writes one `TransferArea`, which is `repr(C)` and valid for any bytes.
        let area = unsafe { ioctl(&fd, Getter::<SCHEME_AREA, TransferArea>::new())? };
        Ok(Self {
            fd,
            area,
            test_area: None,
        })
    }

    /// A socket whose other end is a test, see [`crate::testing::Harness`].
    pub(crate) fn for_test(fd: OwnedFd, test_area: Arc<TestArea>) -> Self {
        Self {
            fd,
            area: test_area.describe(),
            test_area: Some(test_area),
        }
    }

    pub(crate) fn area(&self) -> io::Result<Area> {
        // SAFETY: the kernel maps the area for as long as the socket is open and lets nobody else use it; the
        // server that gets the `Area` owns the socket too. In tests the `Arc` keeps it mapped.
        unsafe { Area::new(self.area, self.test_area.clone()) }
    }

    /// The physical address of `len` bytes at `addr` in the transfer area, and how many of them are contiguous:
    /// for DMA straight into a request's buffer.
    pub fn physical(&self, addr: u64, len: u64) -> Result<(u64, u64), Errno> {
        let mut query = PhysQuery {
            addr,
            len,
            ..PhysQuery::default()
        };
        // SAFETY: SCHEME_PHYS reads and writes one `PhysQuery`, which is `repr(C)` and valid for any bytes.
        unsafe { ioctl(&self.fd, Updater::<SCHEME_PHYS, PhysQuery>::new(&mut query))? };
        Ok((query.phys, query.contiguous_len))
    }

    /// Tells the kernel that the filesystem is mounted at this generation, before the first request is read. True for the successor of a daemon
    /// that died: what that one had answered and not committed is asked for again first, and unlinked nodes may be held.
    pub fn mounted(&self, generation: u64) -> bool {
        let outcome = if let Some(area) = &self.test_area {
            return area.is_succession();
        } else {
            // SAFETY: SCHEME_MOUNTED takes its argument by value and touches no memory of ours.
            unsafe { ioctl(&self.fd, Number::<SCHEME_MOUNTED>(generation)) }
        };
        outcome == Ok(1)
    }

    /// Tells the kernel that a commit of all changes that were answered begins, in the place of this generation.
    pub fn committing(&self, generation: u64) {
        if self.test_area.is_none() {
            // SAFETY: as in `mounted`.
            let _ = unsafe { ioctl(&self.fd, Number::<SCHEME_COMMITTING>(generation)) };
        }
    }

    /// Tells the kernel that the commit is done.
    pub fn committed(&self) {
        if self.test_area.is_none() {
            // SAFETY: as in `mounted`.
            let _ = unsafe { ioctl(&self.fd, Number::<SCHEME_COMMITTED>(0)) };
        }
    }

    /// Reads whole `Sqe`s; 0 bytes when the kernel ends the scheme.
    pub(crate) fn read(&self, buffer: &mut [u8]) -> Result<usize, Errno> {
        rustix::io::read(&self.fd, buffer)
    }

    /// Writes whole `Cqe`s.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<usize, Errno> {
        rustix::io::write(&self.fd, bytes)
    }

    /// Gives up descriptors that were sent: the kernel made duplicates while it took the answers; a test takes
    /// the descriptors themselves.
    pub(crate) fn release(&self, fds: &mut Vec<OwnedFd>) {
        for fd in fds.drain(..) {
            if self.test_area.is_some() {
                let _ = fd.into_raw_fd();
            }
        }
    }
}

/// An ioctl whose argument is a number and whose answer is one.
struct Number<const OPCODE: u32>(u64);

// SAFETY: the kernel takes the argument of these by value; no memory is touched.
unsafe impl<const OPCODE: u32> Ioctl for Number<OPCODE> {
    type Output = i32;
    const IS_MUTATING: bool = false;

    fn opcode(&self) -> Opcode {
        OPCODE as Opcode
    }

    fn as_ptr(&mut self) -> *mut core::ffi::c_void {
        self.0 as *mut core::ffi::c_void
    }

    unsafe fn output_from_ptr(
        out: IoctlOutput,
        _: *mut core::ffi::c_void,
    ) -> rustix::io::Result<i32> {
        Ok(out)
    }
}

impl AsFd for SchemeSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
