//! Processes and threads.

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;

use crate::clock::{microseconds, nanoseconds};
use crate::sys;

/// Makes this program end at once: what "fork and exec" runs.
pub const EXIT_AT_ONCE: &str = "--exit-at-once";

pub fn getppid() -> io::Result<f64> {
    nanoseconds(|| {
        // SAFETY: no arguments. By number, so that no library answers from memory.
        unsafe { libc::syscall(libc::SYS_getppid) };
        Ok(())
    })
}

pub fn fork_exit() -> io::Result<f64> {
    microseconds(|| sys::fork(|| ())?.wait())
}

pub fn fork_exec() -> io::Result<f64> {
    let program = CString::new(std::env::current_exe()?.as_os_str().as_bytes())?;
    let argument = CString::new(EXIT_AT_ONCE)?;
    let argv = [program.as_ptr(), argument.as_ptr(), std::ptr::null()];
    let envp = [std::ptr::null()];
    microseconds(|| {
        let child = sys::fork(|| {
            // SAFETY: the strings and both null-terminated lists live until the call replaces the process.
            unsafe {
                libc::execve(program.as_ptr(), argv.as_ptr(), envp.as_ptr());
                libc::_exit(127);
            }
        })?;
        child.wait()
    })
}

pub fn thread() -> io::Result<f64> {
    microseconds(|| {
        let thread = std::thread::Builder::new().stack_size(64 << 10).spawn(|| ())?;
        thread.join().map_err(|_| io::Error::other("the thread panicked"))
    })
}
