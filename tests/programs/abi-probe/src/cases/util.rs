//! What cases share.

use std::ffi::CStr;

/// The interface: constants, structures. What this module defines itself comes before it.
pub use libc::*;

use crate::sys;

/// `open(2)` with mode 0644.
pub fn open(path: &CStr, flags: i32) -> i32 {
    sys!(SYS_openat, libc::AT_FDCWD, path, flags, 0o644) as i32
}

/// A new file for reading and writing, with this content.
pub fn file(path: &CStr, content: &[u8]) -> i32 {
    let fd = open(path, libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC);
    assert!(fd >= 0 && write(fd, content) == content.len() as i64, "to make a file");
    fd
}

pub fn write(fd: i32, data: &[u8]) -> i64 {
    sys!(SYS_write, fd, data.as_ptr(), data.len())
}

/// What a read of up to 64 bytes gives, as text.
pub fn read(fd: i32) -> String {
    let mut buf = [0u8; 64];
    let n = sys!(SYS_read, fd, buf.as_mut_ptr(), buf.len());
    shown(&buf, n)
}

/// As [`read`], at a position.
pub fn pread(fd: i32, at: i64) -> String {
    let mut buf = [0u8; 64];
    let n = sys!(SYS_pread64, fd, buf.as_mut_ptr(), buf.len(), at);
    shown(&buf, n)
}

fn shown(buf: &[u8], n: i64) -> String {
    match usize::try_from(n) {
        Ok(n) => format!("{:?}", String::from_utf8_lossy(&buf[..n])),
        Err(_) => error(),
    }
}

/// The last error's name.
pub fn error() -> String {
    crate::harness::errno_name(std::io::Error::last_os_error().raw_os_error().unwrap_or(0))
}

pub fn close(fd: i32) -> i64 {
    sys!(SYS_close, fd)
}

pub fn stat(path: &CStr) -> libc::stat {
    // SAFETY: a plain structure of integers.
    let mut stat: libc::stat = unsafe { std::mem::zeroed() };
    sys!(SYS_newfstatat, libc::AT_FDCWD, path, &raw mut stat, libc::AT_SYMLINK_NOFOLLOW);
    stat
}

pub fn fstat(fd: i32) -> libc::stat {
    // SAFETY: a plain structure of integers.
    let mut stat: libc::stat = unsafe { std::mem::zeroed() };
    sys!(SYS_fstat, fd, &raw mut stat);
    stat
}

pub fn pipe(flags: i32) -> [i32; 2] {
    let mut fds = [0; 2];
    assert_eq!(sys!(SYS_pipe2, fds.as_mut_ptr(), flags), 0, "a pipe");
    fds
}

/// Runs `f` in a child and returns its exit code, or 1000 + the signal that ended it.
pub fn child(f: impl FnOnce() -> i32) -> i32 {
    let pid = spawn(f);
    reap(pid)
}

/// Starts `f` in a child.
pub fn spawn(f: impl FnOnce() -> i32) -> i32 {
    // SAFETY: one thread.
    unsafe {
        let pid = libc::fork();
        assert!(pid >= 0, "fork");
        if pid == 0 {
            let code = f();
            libc::_exit(code);
        }
        pid
    }
}

/// Waits for a child: its exit code, or 1000 + the signal that ended it.
pub fn reap(pid: i32) -> i32 {
    let mut status = 0;
    // SAFETY: plain call.
    unsafe { libc::waitpid(pid, &raw mut status, 0) };
    if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { 1000 + libc::WTERMSIG(status) }
}

/// The result of a call as an exit code: 0, or its errno.
pub fn code(result: i64) -> i32 {
    if result == -1 { std::io::Error::last_os_error().raw_os_error().unwrap_or(0) } else { 0 }
}

/// Runs `f` as user and group 1000 in a child, and names the error it ends with.
pub fn as_user(f: impl FnOnce() -> i64) -> String {
    let code = child(|| {
        sys!(SYS_setgroups, 0, 0);
        sys!(SYS_setresgid, 1000, 1000, 1000);
        sys!(SYS_setresuid, 1000, 1000, 1000);
        code(f())
    });
    if code == 0 { "ok".into() } else if code > 1000 { format!("signal {}", code - 1000) } else { crate::harness::errno_name(code) }
}

/// Bad address.
pub const BAD: usize = 0xdead_0000;

/// Waits until `f` is true, at most about ten seconds.
pub fn eventually(mut f: impl FnMut() -> bool) -> bool {
    for _ in 0..1000 {
        if f() {
            return true;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    false
}

/// A time span.
pub fn ms(ms: i64) -> libc::timespec {
    libc::timespec { tv_sec: ms / 1000, tv_nsec: ms % 1000 * 1_000_000 }
}

/// Blocks signals.
pub fn block(signals: &[i32]) -> u64 {
    let set: u64 = signals.iter().map(|s| 1u64 << (s - 1)).sum();
    sys!(SYS_rt_sigprocmask, libc::SIG_BLOCK, &raw const set, 0, 8);
    set
}
