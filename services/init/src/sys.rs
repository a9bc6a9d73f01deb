//! The system calls that `std` has no name for.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::path::Path;

fn check(result: libc::c_int) -> io::Result<()> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

fn text(path: impl AsRef<Path>) -> io::Result<CString> {
    use std::os::unix::ffi::OsStrExt;
    Ok(CString::new(path.as_ref().as_os_str().as_bytes())?)
}

/// `mount(2)` without options.
pub fn mount(
    source: &str,
    target: impl AsRef<Path>,
    kind: &str,
    flags: libc::c_ulong,
) -> io::Result<()> {
    let (source, target, kind) = (text(source)?, text(target)?, text(kind)?);
    // SAFETY: three NUL-terminated strings that live through the call; no options.
    check(unsafe {
        libc::mount(
            source.as_ptr(),
            target.as_ptr(),
            kind.as_ptr(),
            flags,
            std::ptr::null(),
        )
    })
}

/// `umount2(2)`.
pub fn unmount(target: &str) -> io::Result<()> {
    let target = text(target)?;
    // SAFETY: a NUL-terminated string that lives through the call.
    check(unsafe { libc::umount2(target.as_ptr(), 0) })
}

/// `sync(2)`.
pub fn sync() {
    // SAFETY: no arguments, no memory.
    unsafe { libc::sync() }
}

/// `kill(2)`.
pub fn kill(pid: i32, signal: libc::c_int) -> io::Result<()> {
    // SAFETY: touches no memory of ours.
    check(unsafe { libc::kill(pid, signal) })
}

/// `sethostname(2)`.
pub fn set_host_name(name: &str) -> io::Result<()> {
    // SAFETY: pointer and length of a live string.
    check(unsafe { libc::sethostname(name.as_ptr().cast(), name.len()) })
}

/// Switches the loop-back device on (`netdevice(7)`), which Linux leaves off.
pub fn loopback_up() -> io::Result<()> {
    // SAFETY: no memory of ours.
    let socket = unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
    check(socket)?;
    // SAFETY: a structure of integers, for which zeros are a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    request.ifr_name[0] = b'l' as libc::c_char;
    request.ifr_name[1] = b'o' as libc::c_char;
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: a live request of the size that this call reads; then the descriptor is ours to close.
    unsafe {
        let result = check(libc::ioctl(socket, libc::SIOCSIFFLAGS, &request));
        libc::close(socket);
        result
    }
}

/// `reboot(2)`; returns only where it fails.
pub fn reboot(command: libc::c_int) -> io::Error {
    // SAFETY: touches no memory of ours.
    match check(unsafe { libc::reboot(command) }) {
        Err(error) => error,
        Ok(()) => io::Error::other("reboot(2) returned"),
    }
}

/// A child that has ended: its process and its wait status. `None` where none has.
pub fn reap() -> Option<(u32, i32)> {
    let mut status = 0;
    // SAFETY: writes one int to a live variable.
    let pid = unsafe { libc::waitpid(-1, &mut status, libc::WNOHANG) };
    (pid > 0).then_some((pid as u32, status))
}

/// A wait status in words.
pub fn describe_status(status: i32) -> String {
    if libc::WIFSIGNALED(status) {
        format!("was killed by signal {}", libc::WTERMSIG(status))
    } else {
        format!("exited with status {}", libc::WEXITSTATUS(status))
    }
}

/// Makes `fd` the controlling terminal of a new session of this process, and its standard streams.
///
/// For children between fork and exec: only async-signal-safe calls.
pub fn take_terminal(fd: libc::c_int) -> io::Result<()> {
    // SAFETY: none of these calls touches memory of ours; `fd` is an open descriptor of the caller's.
    unsafe {
        check(libc::setsid())?;
        check(libc::ioctl(fd, libc::TIOCSCTTY, 0))?;
        for target in 0..3 {
            check(libc::dup2(fd, target))?;
        }
        if fd > 2 {
            libc::close(fd);
        }
    }
    Ok(())
}

/// Whether a terminal can be opened: the name of one that nobody serves exists, too.
pub fn is_terminal_ready(path: &str) -> bool {
    use std::os::unix::fs::OpenOptionsExt;
    let flags = libc::O_NOCTTY | libc::O_NONBLOCK;
    std::fs::File::options().read(true).write(true).custom_flags(flags).open(path).is_ok()
}

/// A pipe: its reading and its writing end.
pub fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends = [0; 2];
    // SAFETY: pipe2 writes two descriptors into the array, which then are ours.
    unsafe {
        check(libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC))?;
        Ok((OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])))
    }
}

/// An empty file in memory, which no name leads to: memfd_create(2).
pub fn memory_file(name: &str) -> io::Result<OwnedFd> {
    let name = std::ffi::CString::new(name)?;
    // SAFETY: a string that ends; the descriptor then is ours.
    unsafe {
        let descriptor = libc::memfd_create(name.as_ptr(), libc::MFD_CLOEXEC);
        check(descriptor)?;
        Ok(OwnedFd::from_raw_fd(descriptor))
    }
}

/// Makes reading a descriptor never wait.
pub fn set_nonblocking(descriptor: RawFd) -> io::Result<()> {
    // SAFETY: no memory.
    check(unsafe { libc::fcntl(descriptor, libc::F_SETFL, libc::O_NONBLOCK) })
}

/// A pipe as [`pipe`], whose writing end has a number above all that a program may be given.
pub fn high_pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    const HIGH: libc::c_int = 128;
    let (reader, writer) = pipe()?;
    // SAFETY: no memory; the new descriptor is ours.
    unsafe {
        let high = libc::fcntl(writer.as_raw_fd(), libc::F_DUPFD_CLOEXEC, HIGH);
        check(high)?;
        Ok((reader, OwnedFd::from_raw_fd(high)))
    }
}

/// What a pipe has for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piped {
    /// Nothing yet.
    Nothing,
    /// A byte.
    Byte(u8),
    /// Its writers are gone.
    End,
}

/// Takes a byte out of a pipe, without waiting for one.
pub fn take_byte(descriptor: RawFd) -> Piped {
    let mut fd = libc::pollfd { fd: descriptor, events: libc::POLLIN, revents: 0 };
    let mut byte = 0u8;
    // SAFETY: pointers to one live structure, and to one live byte.
    unsafe {
        if libc::poll(&mut fd, 1, 0) <= 0 {
            return Piped::Nothing;
        }
        match libc::read(descriptor, (&raw mut byte).cast(), 1) {
            1 => Piped::Byte(byte),
            0 => Piped::End,
            _ => Piped::Nothing,
        }
    }
}

/// Whether a process runs: zombies do not any more.
///
/// By the state in `/proc/PID/stat` (proc(5)), which follows the name's last bracket. An empty `cmdline` would not do:
/// that of a process in the middle of execve(2) is empty too.
pub fn is_running(pid: u32) -> bool {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.iter().rposition(|byte| *byte == b')').and_then(|end| stat.get(end + 2));
    state.is_some_and(|state| !b"ZX".contains(state))
}

/// The process group of a process.
pub fn group_of(pid: u32) -> Option<u32> {
    // SAFETY: no memory.
    let group = unsafe { libc::getpgid(pid as i32) };
    (group > 0).then_some(group as u32)
}

/// The first process of a group that runs.
pub fn process_of_group(group: u32) -> Option<u32> {
    let entries = std::fs::read_dir("/proc").ok()?;
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| group_of(*pid) == Some(group) && is_running(*pid)).min()
}

/// The nice value of all processes of a group.
pub fn set_group_priority(group: u32, nice: i32) {
    // A group that is gone has none. SAFETY: no memory.
    let _ = unsafe { libc::setpriority(libc::PRIO_PGRP, group, nice) };
}

/// Makes this process the parent of orphans below it, as process 1 is of all.
pub fn become_subreaper() {
    // SAFETY: no memory.
    let _ = unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) };
}

/// The user at the other end of a unix socket.
pub fn peer_user(socket: RawFd) -> io::Result<u32> {
    // SAFETY: getsockopt writes at most `len` bytes into a live structure of integers.
    unsafe {
        let mut peer: libc::ucred = std::mem::zeroed();
        let mut len = std::mem::size_of::<libc::ucred>() as libc::socklen_t;
        check(libc::getsockopt(socket, libc::SOL_SOCKET, libc::SO_PEERCRED, (&raw mut peer).cast(), &mut len))?;
        Ok(peer.uid)
    }
}

/// The user of this process.
pub fn own_user() -> u32 {
    // SAFETY: no memory.
    unsafe { libc::geteuid() }
}

/// Lets writing to a pipe that nobody reads end the process, as programs of pipelines do; Rust makes it an error.
pub fn end_by_broken_pipes() {
    // SAFETY: no handler, no memory.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
}
