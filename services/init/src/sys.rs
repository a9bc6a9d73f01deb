//! The system calls that `std` has no name for.

use std::ffi::CString;
use std::io;
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
