//! A display's name: the file that says it is taken, and the sockets that programs connect to.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};

/// Where all X servers have their sockets.
const FOLDER: &str = "/tmp/.X11-unix";
/// Displays that are tried.
const MOST: u32 = 64;

/// A display that is ours, until this is dropped.
#[derive(Debug)]
pub struct Display {
    /// Its number.
    pub number: u32,
    /// Its sockets. Programs wait there until a server takes them.
    pub listeners: Vec<UnixListener>,
    lock: PathBuf,
    socket: PathBuf,
}

impl Display {
    /// The first display that nobody has.
    ///
    /// # Errors
    /// Where none is free, or the folder of sockets cannot be made.
    pub fn take() -> io::Result<Display> {
        make_folder()?;
        (0..MOST).find_map(|number| take_number(number).transpose()).unwrap_or_else(|| Err(io::Error::other(format!("the displays :0 to :{} are taken", MOST - 1))))
    }

    /// What programs find it by.
    pub fn name(&self) -> String {
        format!(":{}", self.number)
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        // They may be gone already.
        let _ = fs::remove_file(&self.socket);
        let _ = fs::remove_file(&self.lock);
    }
}

fn make_folder() -> io::Result<()> {
    match DirBuilder::new().mode(0o1777).create(FOLDER) {
        Ok(()) => fs::set_permissions(FOLDER, fs::Permissions::from_mode(0o1777)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(io::Error::new(error.kind(), format!("making {FOLDER}: {error}"))),
    }
}

/// The display of a number, where it is free.
fn take_number(number: u32) -> io::Result<Option<Display>> {
    let lock = PathBuf::from(format!("/tmp/.X{number}-lock"));
    let socket = Path::new(FOLDER).join(format!("X{number}"));
    if !take_lock(&lock)? {
        return Ok(None);
    }
    let mut display = Display { number, listeners: Vec::new(), lock, socket };
    // One that a dead server has left: who has the lock has the socket.
    let _ = fs::remove_file(&display.socket);
    let listener = match UnixListener::bind(&display.socket) {
        Ok(listener) => listener,
        Err(error) => return Err(io::Error::new(error.kind(), format!("listening at {}: {error}", display.socket.display()))),
    };
    display.listeners.push(listener);
    // Programs look here first. Where a stranger has the name, this display is not ours.
    match SocketAddr::from_abstract_name(display.socket.as_os_str().as_encoded_bytes()).and_then(|address| UnixListener::bind_addr(&address)) {
        Ok(listener) => display.listeners.push(listener),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Ok(None),
        Err(error) => tracing::debug!("no socket without a file for X11 programs: {error}"),
    }
    Ok(Some(display))
}

/// Whether a lock's file is ours now.
fn take_lock(path: &Path) -> io::Result<bool> {
    // Twice, as one that a dead process has left is taken away.
    for _ in 0..2 {
        match OpenOptions::new().write(true).create_new(true).open(path) {
            Ok(mut file) => {
                // As all X servers have it: ten places and the end of the line.
                let written = writeln!(file, "{:>10}", std::process::id());
                return written.map(|()| true).inspect_err(|_| drop(fs::remove_file(path)));
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(io::Error::new(error.kind(), format!("making {}: {error}", path.display()))),
        }
        if !is_left_over(path) || fs::remove_file(path).is_err() {
            return Ok(false);
        }
    }
    Ok(false)
}

/// Whether a lock's owner is dead. Who cannot tell leaves it alone.
fn is_left_over(path: &Path) -> bool {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(32).read_to_string(&mut text));
    let Some(pid) = read.ok().and_then(|_| text.trim().parse::<i32>().ok()).filter(|pid| *pid > 0) else { return false };
    !crate::sys::is_process(pid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_of_the_dead_are_taken_and_others_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        assert!(take_lock(&path).unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{:>10}\n", std::process::id()));
        assert!(!take_lock(&path).unwrap(), "we live");
        fs::write(&path, "nonsense\n").unwrap();
        assert!(!take_lock(&path).unwrap(), "who knows");
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id();
        child.wait().unwrap();
        fs::write(&path, format!("{pid:>10}\n")).unwrap();
        assert!(take_lock(&path).unwrap());
    }

    #[test]
    fn displays_differ_and_leave_nothing() {
        let (one, other) = (Display::take().unwrap(), Display::take().unwrap());
        assert_ne!(one.number, other.number);
        let paths = [one.lock.clone(), one.socket.clone()];
        assert!(paths.iter().all(|path| path.exists()));
        drop(one);
        assert!(paths.iter().all(|path| !path.exists()));
    }
}
