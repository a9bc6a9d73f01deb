//! The kernel's events, and where ours go: NETLINK_KOBJECT_UEVENT (`netlink(7)`).

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// Groups: what the kernel says, what programs hear.
const KERNEL_GROUP: u32 = 1;
const USER_GROUP: u32 = 2;
/// Events may come faster than we write files.
const BUFFER_BYTES: libc::c_int = 16 << 20;

fn check(result: isize) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

fn address(groups: u32) -> libc::sockaddr_nl {
    // SAFETY: all zeroes are a valid `sockaddr_nl`.
    let mut address: libc::sockaddr_nl = unsafe { std::mem::zeroed() };
    address.nl_family = libc::AF_NETLINK as u16;
    address.nl_groups = groups;
    address
}

const ADDRESS_BYTES: libc::socklen_t = size_of::<libc::sockaddr_nl>() as libc::socklen_t;

/// A socket that hears the kernel and speaks to programs.
pub struct Netlink(OwnedFd);

impl Netlink {
    /// Opens it.
    pub fn open() -> io::Result<Self> {
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        // SAFETY: no memory is involved.
        let fd = check(unsafe { libc::socket(libc::AF_NETLINK, kind, libc::NETLINK_KOBJECT_UEVENT) } as isize)?;
        // SAFETY: a new descriptor that nobody else has.
        let fd = unsafe { OwnedFd::from_raw_fd(fd as RawFd) };
        let bytes = BUFFER_BYTES;
        // SAFETY: the pointer and the length are those of a live value.
        let set = unsafe {
            libc::setsockopt(fd.as_raw_fd(), libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, (&raw const bytes).cast(), 4)
        };
        check(set as isize)?;
        let to = address(KERNEL_GROUP);
        // SAFETY: as above.
        check(unsafe { libc::bind(fd.as_raw_fd(), (&raw const to).cast(), ADDRESS_BYTES) } as isize)?;
        Ok(Netlink(fd))
    }

    /// The next event of the kernel; `None` where there is none now. An error `ENOBUFS` says that some were lost.
    pub fn receive(&self) -> io::Result<Option<Vec<u8>>> {
        let mut buffer = vec![0; 64 << 10];
        let mut from = address(0);
        let mut len = ADDRESS_BYTES;
        // SAFETY: pointers and lengths of live values.
        let result = unsafe {
            libc::recvfrom(self.0.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), 0, (&raw mut from).cast(), &mut len)
        };
        match check(result) {
            Ok(count) => {
                buffer.truncate(count);
                // What programs send to us is no event.
                Ok(Some(if from.nl_pid == 0 { buffer } else { Vec::new() }))
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sends a message to all programs that listen.
    pub fn send(&self, message: &[u8]) -> io::Result<()> {
        let to = address(USER_GROUP);
        // SAFETY: pointers and lengths of live values.
        let result = unsafe {
            libc::sendto(self.0.as_raw_fd(), message.as_ptr().cast(), message.len(), 0, (&raw const to).cast(), ADDRESS_BYTES)
        };
        match check(result) {
            // On Linux nobody may be there to listen.
            Err(error) if error.raw_os_error() == Some(libc::ECONNREFUSED) => Ok(()),
            result => result.map(drop),
        }
    }
}

impl AsRawFd for Netlink {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}
