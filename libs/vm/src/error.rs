//! What can go wrong with a machine.

use std::io;
use std::path::{Path, PathBuf};

use crate::exec::ExecError;

/// Result with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong with a machine.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or program of the host.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// Verb.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// No machine runs in this directory.
    #[error("no virtual machine is up; start one with: ./gos vm start")]
    NoVm,
    /// A machine runs in this directory already.
    #[error("a virtual machine is up already (QEMU's process {0}); stop it with: ./gos vm stop")]
    AlreadyUp(u32),
    /// QEMU ended while it was needed.
    #[error("QEMU has ended ({status}){}", tail(.log))]
    Ended {
        /// Its exit status in words.
        status: String,
        /// The end of its own messages.
        log: String,
    },
    /// QEMU refused a request.
    #[error("QEMU refused {command}: {reason}")]
    Refused {
        /// The QMP command.
        command: String,
        /// Its description of the error.
        reason: String,
    },
    /// QEMU said something unexpected.
    #[error("QEMU's answer makes no sense: {0}")]
    Answer(String),
    /// The kernel in the guest panicked.
    #[error("the guest's kernel has panicked{}", tail(.0))]
    Panicked(String),
    /// Something did not happen in time.
    #[error("{what} did not happen within {seconds} s{}", tail(.log))]
    TimedOut {
        /// What was waited for.
        what: &'static str,
        /// For how long.
        seconds: u64,
        /// The end of the serial log.
        log: String,
    },
    /// A key, a text or a position that cannot be entered.
    #[error("{0}")]
    Input(String),
    /// A command in the guest.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// A copy that the guest could not make.
    #[error("{0}")]
    Transfer(String),
}

fn tail(log: &str) -> String {
    let log = log.trim_end();
    if log.is_empty() { String::new() } else { format!(":\n{log}") }
}

/// Adds what was tried to an I/O error.
pub(crate) trait IoContext<T> {
    fn on(self, action: &'static str, path: impl AsRef<Path>) -> Result<T>;
}

impl<T> IoContext<T> for io::Result<T> {
    fn on(self, action: &'static str, path: impl AsRef<Path>) -> Result<T> {
        self.map_err(|source| Error::Io { action, path: path.as_ref().into(), source })
    }
}
