//! Calls of the kernel's that have no safe wrapper elsewhere: ioctls of terminals and event devices, signals, uevents.

use std::ffi::CStr;
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

/// An ioctl whose argument is a number.
///
/// # Errors
/// The kernel's.
pub fn ioctl_number(fd: &impl AsFd, request: u64, argument: u64) -> io::Result<()> {
    // SAFETY: the callers pass requests that take a number and no pointer.
    let result = unsafe { libc::ioctl(fd.as_fd().as_raw_fd(), request as _, argument) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// An ioctl whose argument is a structure, which it reads or fills. `T` must be the structure that the request is for.
///
/// # Errors
/// The kernel's.
pub fn ioctl_pointer<T: Copy>(fd: &impl AsFd, request: u64, value: &mut T) -> io::Result<()> {
    // SAFETY: the value is as large as the request says: the callers pass the structure that belongs to it.
    let result = unsafe { libc::ioctl(fd.as_fd().as_raw_fd(), request as _, std::ptr::from_mut(value)) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn set_of(signals: &[i32]) -> libc::sigset_t {
    let mut set = std::mem::MaybeUninit::zeroed();
    // SAFETY: the set is ours; sigemptyset makes it valid.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        for signal in signals {
            libc::sigaddset(set.as_mut_ptr(), *signal);
        }
        set.assume_init()
    }
}

/// A descriptor that gives signals; they do nothing else from now on. To be called before any thread is started.
///
/// # Errors
/// The kernel's.
pub fn signals(signals: &[i32]) -> io::Result<OwnedFd> {
    let set = set_of(signals);
    // SAFETY: the set is valid; the descriptor that is returned is nobody else's.
    unsafe {
        if libc::sigprocmask(libc::SIG_BLOCK, &set, std::ptr::null_mut()) < 0 {
            return Err(io::Error::last_os_error());
        }
        let fd = libc::signalfd(-1, &set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK);
        if fd < 0 { Err(io::Error::last_os_error()) } else { Ok(OwnedFd::from_raw_fd(fd)) }
    }
}

/// The next signal of such a descriptor.
pub fn next_signal(fd: &impl AsFd) -> Option<i32> {
    let mut info = std::mem::MaybeUninit::<libc::signalfd_siginfo>::zeroed();
    let size = size_of::<libc::signalfd_siginfo>();
    // SAFETY: the buffer is that large, and every pattern of bytes is such a structure.
    unsafe {
        let read = libc::read(fd.as_fd().as_raw_fd(), info.as_mut_ptr().cast(), size);
        (read == size as isize).then(|| info.assume_init().ssi_signo as i32)
    }
}

/// No signal is held back in a child any more. To be called between fork and exec.
///
/// # Errors
/// The kernel's.
pub fn release_signals() -> io::Result<()> {
    let set = set_of(&[]);
    // SAFETY: the set is valid; the call may be made after fork.
    let result = unsafe { libc::sigprocmask(libc::SIG_SETMASK, &set, std::ptr::null_mut()) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// A socket on which the kernel says what becomes of devices.
///
/// # Errors
/// The kernel's.
pub fn uevents() -> io::Result<OwnedFd> {
    const NETLINK_KOBJECT_UEVENT: i32 = 15;
    // SAFETY: the address is a valid sockaddr_nl; the descriptor is nobody else's.
    unsafe {
        let fd = libc::socket(libc::AF_NETLINK, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        let fd = OwnedFd::from_raw_fd(fd);
        let mut address: libc::sockaddr_nl = std::mem::zeroed();
        address.nl_family = libc::AF_NETLINK as u16;
        address.nl_groups = 1;
        let size = size_of::<libc::sockaddr_nl>() as u32;
        if libc::bind(fd.as_raw_fd(), std::ptr::from_ref(&address).cast(), size) < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(fd)
    }
}

/// Reads what there is, into a buffer.
///
/// # Errors
/// The kernel's; at the end `UnexpectedEof`.
pub fn read(fd: &impl AsFd, buffer: &mut [u8]) -> io::Result<usize> {
    // SAFETY: the buffer is that large.
    let read = unsafe { libc::read(fd.as_fd().as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) };
    match read {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        count if count > 0 => Ok(count as usize),
        _ => Err(io::Error::last_os_error()),
    }
}

/// An address of a network card, or a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// `eth0`.
    pub name: String,
    /// `IFF_*` of netdevice(7).
    pub flags: u32,
    /// Where this is an address of the internet protocol.
    pub address: Option<IpAddr>,
}

/// All cards and their addresses, by getifaddrs(3).
///
/// # Errors
/// The kernel's.
pub fn interfaces() -> io::Result<Vec<Interface>> {
    let mut first: *mut libc::ifaddrs = std::ptr::null_mut();
    // SAFETY: the list is written to a pointer of ours.
    if unsafe { libc::getifaddrs(&mut first) } < 0 {
        return Err(io::Error::last_os_error());
    }
    let mut all = Vec::new();
    let mut next = first;
    // SAFETY: the list's entries, names and addresses are valid until it is freed; an address is as long as its family says, and is read unaligned.
    unsafe {
        while let Some(entry) = next.as_ref() {
            let name = CStr::from_ptr(entry.ifa_name).to_string_lossy().into_owned();
            let family = entry.ifa_addr.as_ref().map(|it| i32::from(it.sa_family));
            let address = match family {
                Some(libc::AF_INET) => {
                    let it = entry.ifa_addr.cast::<libc::sockaddr_in>().read_unaligned();
                    Some(IpAddr::from(it.sin_addr.s_addr.to_ne_bytes()))
                }
                Some(libc::AF_INET6) => {
                    let it = entry.ifa_addr.cast::<libc::sockaddr_in6>().read_unaligned();
                    Some(IpAddr::from(it.sin6_addr.s6_addr))
                }
                _ => None,
            };
            all.push(Interface { name, flags: entry.ifa_flags, address });
            next = entry.ifa_next;
        }
        libc::freeifaddrs(first);
    }
    Ok(all)
}

/// Whether there is a process of this number.
pub fn is_process(pid: i32) -> bool {
    // SAFETY: no signal is sent.
    let result = unsafe { libc::kill(pid, 0) };
    result == 0 || io::Error::last_os_error().raw_os_error() != Some(libc::ESRCH)
}

/// A descriptor is kept over exec. To be called between fork and exec.
///
/// # Errors
/// The kernel's.
pub fn keep_over_exec(fd: i32) -> io::Result<()> {
    // SAFETY: a descriptor's flags are no memory; the call may be made after fork.
    let result = unsafe { libc::fcntl(fd, libc::F_SETFD, 0) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Reading and writing give `WouldBlock` instead of waiting.
///
/// # Errors
/// The kernel's.
pub fn never_wait(fd: &impl AsFd) -> io::Result<()> {
    // SAFETY: a descriptor's flags are no memory.
    let result = unsafe {
        let fd = fd.as_fd().as_raw_fd();
        let flags = libc::fcntl(fd, libc::F_GETFL);
        if flags < 0 { flags } else { libc::fcntl(fd, libc::F_SETFL, flags | libc::O_NONBLOCK) }
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// What the clock on the wall shows, in seconds since the beginning of 1970 by that clock.
pub fn local_seconds() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs() as i64;
    let mut parts = std::mem::MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both pointers are to values of ours; a zeroed tm is valid.
    let offset = unsafe {
        libc::localtime_r(&now, parts.as_mut_ptr());
        parts.assume_init().tm_gmtoff
    };
    now + offset
}

/// A file in memory, without a name that could be opened.
///
/// # Errors
/// The kernel's.
pub fn memory_file(name: &CStr) -> io::Result<std::fs::File> {
    // SAFETY: the name ends with a zero; the descriptor that is returned is nobody else's.
    unsafe {
        let fd = libc::memfd_create(name.as_ptr(), libc::MFD_CLOEXEC);
        if fd < 0 { Err(io::Error::last_os_error()) } else { Ok(std::fs::File::from(OwnedFd::from_raw_fd(fd))) }
    }
}
