//! A filesystem daemon that is mounted between its scheme's creation and its saying that it serves a filesystem.
//!
//! Prints `asked as a filesystem` where the mount waited for it, and fails where it was taken for a plain scheme.

use std::ffi::{CStr, OsStr};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use scheme_abi::fs::FS_GETATTR;
use scheme_abi::{Opcode, SCHEME_SET_FLAGS, SQE_BYTES, SchemeFlags, sqe};

const FOLDER: &CStr = c"/tmp/late-scheme-root";

/// Whether a filesystem's question has come.
static IS_ASKED: AtomicBool = AtomicBool::new(false);

/// Answers every request with an error.
fn serve(mut socket: File) -> io::Result<()> {
    loop {
        let mut bytes = [0; SQE_BYTES];
        socket.read_exact(&mut bytes)?;
        let request = sqe::decode(&bytes);
        if request.opcode == Opcode::Call as u8 && request.args[3] == FS_GETATTR {
            IS_ASKED.store(true, Ordering::SeqCst);
        }
        socket.write_all(&sqe::encode_cqe(&sqe::answer(request.tag, Err(libc::EIO))))?;
    }
}

fn mount() -> io::Result<()> {
    // SAFETY: three texts that end in NUL, and no data.
    match unsafe { libc::mount(c"/scheme/late".as_ptr(), FOLDER.as_ptr(), c"scheme".as_ptr(), 0, std::ptr::null()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Serves, mounts and prints.
pub fn run() -> io::Result<()> {
    fs::create_dir_all(OsStr::from_bytes(FOLDER.to_bytes()))?;
    let socket = OpenOptions::new().read(true).write(true).create_new(true).open("/scheme/late")?;
    let mounter = thread::spawn(mount);
    // Time for the mount to find the name.
    thread::sleep(Duration::from_millis(300));
    // SAFETY: the argument goes by value.
    if unsafe { libc::ioctl(socket.as_raw_fd(), u64::from(SCHEME_SET_FLAGS), SchemeFlags::CACHEABLE.bits() as usize) } != 0 {
        return Err(io::Error::last_os_error());
    }
    thread::spawn(|| serve(socket));
    let mounted = mounter.join().expect("the mount panics");
    if !IS_ASKED.load(Ordering::SeqCst) {
        return Err(io::Error::other(format!("it was never asked as a filesystem; mount: {mounted:?}")));
    }
    println!("asked as a filesystem");
    Ok(())
}
