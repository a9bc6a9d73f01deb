//! Telling the service manager that a service is ready: sd_notify(3).

use std::ffi::OsString;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// The variable with the manager's socket.
pub const VARIABLE: &str = "NOTIFY_SOCKET";

/// The manager that waits for a word, if any.
#[derive(Debug, Default)]
pub struct Manager(Option<OsString>);

impl Manager {
    /// The manager whose socket this is.
    pub fn at(socket: Option<OsString>) -> Self {
        Manager(socket.filter(|path| !path.is_empty()))
    }

    /// The manager that the environment names.
    pub fn of_environment() -> Self {
        Self::at(std::env::var_os(VARIABLE))
    }

    /// Says that the service is ready; only the first call says anything.
    pub fn ready(&mut self) {
        if let Some(path) = self.0.take()
            && let Err(error) = send(&path, b"READY=1")
        {
            tracing::warn!("telling the service manager at {}: {error}", path.display());
        }
    }

    /// Says something else: lines `NAME=value` of sd_notify(3).
    pub fn say(&self, lines: &str) {
        if let Some(path) = &self.0
            && let Err(error) = send(path, lines.as_bytes())
        {
            tracing::warn!("telling the service manager at {}: {error}", path.display());
        }
    }
}

fn send(path: &OsString, message: &[u8]) -> io::Result<()> {
    let bytes = path.as_bytes();
    // An abstract name begins with @.
    let address = match bytes.strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(path)?,
    };
    UnixDatagram::unbound()?.send_to_addr(message, &address).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_word_reaches_the_manager() {
        let name = format!("service-notify-{}", std::process::id());
        let socket = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        socket.set_nonblocking(true).unwrap();
        let mut manager = Manager::at(Some(format!("@{name}").into()));
        manager.ready();
        manager.ready();
        let mut buffer = [0; 64];
        assert_eq!(socket.recv(&mut buffer).map(|count| buffer[..count].to_vec()).unwrap(), b"READY=1");
        assert_eq!(socket.recv(&mut buffer).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        Manager::at(None).ready();
        Manager::at(Some("/nowhere/at/all".into())).ready();
    }
}
