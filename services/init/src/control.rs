//! The control socket: `gci status` connects, reads the report, and is done.

use crate::supervisor::{Supervised, Supervisor};
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};

/// Where process 1 listens.
pub const SOCKET: &str = "/run/gci.sock";

/// The listening socket.
pub struct Control(UnixListener);

impl Control {
    /// Listens.
    pub fn listen() -> io::Result<Self> {
        fs::create_dir_all("/run")?;
        match fs::remove_file(SOCKET) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(SOCKET)?;
        fs::set_permissions(SOCKET, fs::Permissions::from_mode(0o666))?;
        listener.set_nonblocking(true)?;
        Ok(Control(listener))
    }

    /// Answers everyone who has connected. A report fits any socket buffer, so nobody can make process 1 wait.
    pub fn answer(&self, supervisor: &Supervisor) {
        while let Ok((mut stream, _)) = self.0.accept() {
            let report = report(supervisor.services());
            let _ = stream
                .set_nonblocking(true)
                .and_then(|()| stream.write_all(report.as_bytes()));
        }
    }
}

impl AsRawFd for Control {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// One line a service: name, process, restarts, command, separated by tabs.
fn report(services: &[Supervised]) -> String {
    let mut text = String::new();
    for supervised in services {
        let Supervised { service, pid, .. } = supervised;
        let restarts = supervised.restarts();
        let pid = pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string());
        let _ = writeln!(
            text,
            "{}\t{pid}\t{restarts}\t{}",
            service.name,
            service.command.join(" ")
        );
    }
    text
}

/// Asks process 1 for its report.
pub fn ask() -> io::Result<String> {
    let mut text = String::new();
    UnixStream::connect(SOCKET)?.read_to_string(&mut text)?;
    Ok(text)
}
