//! The pseudo-terminal whose slave is `/dev/tty1`.

use scheme_abi::{VT_BIND, VT_REQUEST, VT_STATE, VtState};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;

/// Input that waits for the line discipline; more is dropped: nobody reads it.
const MAX_PENDING: usize = 64 * 1024;

/// A pty master.
pub struct Pty {
    master: File,
    /// Kept open, so that the master does not report a hang-up between two sessions.
    _slave: Option<File>,
    pending: Vec<u8>,
}

/// `ioctl(2)` with a pointer to a value.
fn ioctl<T>(file: &File, request: libc::c_ulong, value: &mut T) -> io::Result<()> {
    // SAFETY: callers pass the type that the request reads or writes.
    if unsafe { libc::ioctl(file.as_raw_fd(), request, value) } < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

impl Pty {
    /// Opens a pty of this size and makes its slave `/dev/tty<n>`.
    pub fn open(columns: u16, lines: u16, tty: u8) -> io::Result<Self> {
        let flags = libc::O_NOCTTY | libc::O_NONBLOCK;
        let master = File::options()
            .read(true)
            .write(true)
            .custom_flags(flags)
            .open("/dev/ptmx")?;
        let mut unlock: libc::c_int = 0;
        ioctl(&master, libc::TIOCSPTLCK, &mut unlock)?;
        let mut number: libc::c_uint = 0;
        ioctl(&master, libc::TIOCGPTN, &mut number)?;
        let mut size = libc::winsize {
            ws_row: lines,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        ioctl(&master, libc::TIOCSWINSZ, &mut size)?;
        // SAFETY: VT_BIND takes its argument by value and touches no memory.
        if unsafe { libc::ioctl(master.as_raw_fd(), VT_BIND as _, libc::c_ulong::from(tty)) } < 0 {
            return Err(io::Error::last_os_error());
        }
        let slave = File::options()
            .read(true)
            .write(true)
            .custom_flags(libc::O_NOCTTY)
            .open(format!("/dev/tty{tty}"));
        if let Err(error) = &slave {
            tracing::warn!("opening /dev/tty{tty}: {error}");
        }
        tracing::info!("/dev/tty{tty} is pty {number}, {columns} columns by {lines} lines");
        Ok(Pty {
            master,
            _slave: slave.ok(),
            pending: Vec::new(),
        })
    }

    /// Which virtual terminal is shown and how; POLLPRI tells that it has changed.
    pub fn state(&self) -> io::Result<VtState> {
        let mut state = VtState::default();
        ioctl(&self.master, VT_STATE.into(), &mut state)?;
        Ok(state)
    }

    /// Asks for another virtual terminal to be shown.
    pub fn request(&self, number: u32) -> io::Result<()> {
        // SAFETY: VT_REQUEST takes its argument by value and touches no memory.
        if unsafe { libc::ioctl(self.master.as_raw_fd(), VT_REQUEST as _, libc::c_ulong::from(number)) } < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }

    /// Tells programs that the terminal has another size.
    pub fn resize(&self, columns: u16, lines: u16) {
        let mut size = libc::winsize {
            ws_row: lines,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        if let Err(error) = ioctl(&self.master, libc::TIOCSWINSZ, &mut size) {
            tracing::warn!("setting the terminal's size: {error}");
        }
    }

    /// Reads what programs have written; nothing where there is nothing.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.master.read(buffer) {
            // EIO: nobody has the slave open.
            Err(error)
                if error.kind() == io::ErrorKind::WouldBlock
                    || error.kind() == io::ErrorKind::Interrupted
                    || error.raw_os_error() == Some(libc::EIO) =>
            {
                Ok(0)
            }
            result => result,
        }
    }

    /// Sends input, now or when there is room.
    pub fn send(&mut self, bytes: &[u8]) {
        let room = MAX_PENDING - self.pending.len();
        self.pending
            .extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.flush();
    }

    /// Sends what waits for room.
    pub fn flush(&mut self) {
        while !self.pending.is_empty() {
            match self.master.write(&self.pending) {
                Ok(count) if count > 0 => drop(self.pending.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                _ => return,
            }
        }
    }

    /// Whether something waits for room.
    pub fn is_pending(&self) -> bool {
        !self.pending.is_empty()
    }
}

impl AsRawFd for Pty {
    fn as_raw_fd(&self) -> RawFd {
        self.master.as_raw_fd()
    }
}
