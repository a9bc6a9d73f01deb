//! A machine's directory: how everybody but its keeper reaches it.
//!
//! `pid` (QEMU's), `keeper.pid`, `serial.log`, `qemu.log`, `lock` (held while the machine is up), and sockets. Where the
//! directory's path is too long for a socket's name, these are below the temporary directory.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};

use crate::error::{Error, IoContext, Result};
use crate::exec::{Exec, ExecError};
use crate::machine::Paths;
use crate::qmp::Qmp;

/// Room in `sockaddr_un` less what we append.
const SOCKET_DIR_LIMIT: usize = 90;

/// How a panic of either kernel begins on the serial line.
const PANIC_MARKS: [&str; 2] = ["kernel panic", "Kernel panic"];

/// A directory for a machine, whether it is up or not.
#[derive(Debug, Clone)]
pub struct VmDir {
    path: PathBuf,
    sockets: PathBuf,
}

impl VmDir {
    /// The machine of this directory, which is made where it is missing.
    ///
    /// # Errors
    /// Those of making directories.
    pub fn new(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        fs::create_dir_all(path).on("create", path)?;
        let path = path.canonicalize().on("find", path)?;
        let sockets = if path.as_os_str().as_bytes().len() <= SOCKET_DIR_LIMIT {
            path.clone()
        } else {
            let mut hasher = DefaultHasher::new();
            path.hash(&mut hasher);
            let sockets = std::env::temp_dir().join(format!("gos-{:016x}", hasher.finish()));
            fs::create_dir_all(&sockets).on("create", &sockets)?;
            sockets
        };
        Ok(VmDir { path, sockets })
    }

    /// A file of that name in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Where clients reach the broker.
    pub fn exec_socket(&self) -> PathBuf {
        self.sockets.join("exec.sock")
    }

    /// The serial log of the machine that is up, or was last.
    pub fn serial_log(&self) -> PathBuf {
        self.file("serial.log")
    }

    /// QEMU's own messages.
    pub fn qemu_log(&self) -> PathBuf {
        self.file("qemu.log")
    }

    /// The paths that QEMU is told.
    pub fn paths(&self) -> Paths {
        Paths {
            qmp: self.sockets.join("qmp.sock"),
            port: self.sockets.join("port.sock"),
            serial: self.sockets.join("serial.sock"),
            serial_log: self.serial_log(),
            uefi_variables: self.file("uefi-variables.fd"),
        }
    }

    /// Takes the lock that marks a machine as up; `None` where one is. QEMU inherits it, so that it is held as long as either QEMU or its keeper
    /// lives.
    pub(crate) fn lock(&self) -> Result<Option<File>> {
        // Someone who only looks ([`VmDir::is_up`]) holds it for a moment.
        for _ in 0..20 {
            let lock = self.try_lock(FlockOperation::NonBlockingLockExclusive)?;
            if lock.is_some() {
                return Ok(lock);
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(None)
    }

    fn try_lock(&self, operation: FlockOperation) -> Result<Option<File>> {
        let path = self.file("lock");
        let file = File::options().write(true).create(true).truncate(false).open(&path).on("create", &path)?;
        match flock(&file, operation) {
            Ok(()) => Ok(Some(file)),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(io::Error::from(error)).on("lock", &path),
        }
    }

    /// Whether a machine is up.
    ///
    /// # Errors
    /// Those of the lock file.
    pub fn is_up(&self) -> Result<bool> {
        Ok(self.try_lock(FlockOperation::NonBlockingLockShared)?.is_none())
    }

    /// The process number of QEMU, while the machine is up.
    ///
    /// # Errors
    /// [`Error::NoVm`].
    pub fn qemu_pid(&self) -> Result<u32> {
        if !self.is_up()? {
            return Err(Error::NoVm);
        }
        fs::read_to_string(self.file("pid")).ok().and_then(|pid| pid.trim().parse().ok()).ok_or(Error::NoVm)
    }

    /// QEMU's control socket.
    ///
    /// # Errors
    /// [`Error::NoVm`].
    pub fn qmp(&self) -> Result<Qmp> {
        Qmp::connect(&self.paths().qmp)
    }

    /// Commands in the guest.
    pub fn exec(&self) -> Exec {
        Exec::new(self.exec_socket())
    }

    /// Waits until the guest takes commands.
    ///
    /// # Errors
    /// [`Error::NoVm`] or [`Error::Ended`] where the machine is not up or goes down, [`Error::Panicked`], [`Error::TimedOut`].
    pub fn wait_ready(&self, limit: Duration) -> Result<()> {
        let deadline = Instant::now() + limit;
        let mut was_up = false;
        loop {
            let slice = Duration::from_secs(1).min(deadline.saturating_duration_since(Instant::now()));
            match self.exec().wait_ready(slice) {
                Ok(()) => return Ok(()),
                Err(ExecError::NoVm { .. } | ExecError::Lost(_)) => thread::sleep(Duration::from_millis(50)),
                Err(_) => {}
            }
            if self.is_up()? {
                was_up = true;
            } else if was_up {
                let log = format!("{}{}", self.tail(&self.qemu_log()), self.tail(&self.serial_log()));
                return Err(Error::Ended { status: "before the guest took commands".into(), log });
            } else {
                return Err(Error::NoVm);
            }
            self.check_panic()?;
            if Instant::now() >= deadline {
                let log = self.tail(&self.serial_log());
                return Err(Error::TimedOut { what: "the guest's answer", seconds: limit.as_secs(), log });
            }
        }
    }

    /// Looks for a kernel's panic in the serial log.
    ///
    /// # Errors
    /// [`Error::Panicked`] with the log from there.
    pub fn check_panic(&self) -> Result<()> {
        let log = String::from_utf8_lossy(&fs::read(self.serial_log()).unwrap_or_default()).into_owned();
        match PANIC_MARKS.iter().find_map(|mark| log.find(mark)) {
            Some(at) => {
                let start = log[..at].rfind('\n').map_or(0, |at| at + 1);
                Err(Error::Panicked(last_lines(&log[start..].chars().take(6000).collect::<String>(), 60)))
            }
            None => Ok(()),
        }
    }

    /// The last lines of a log.
    pub fn tail(&self, log: &Path) -> String {
        last_lines(&String::from_utf8_lossy(&fs::read(log).unwrap_or_default()), 30)
    }

    /// Ends the machine as a power cut does, and waits until it has gone.
    ///
    /// # Errors
    /// [`Error::NoVm`]; [`Error::TimedOut`] where QEMU will not even die.
    pub fn kill(&self) -> Result<()> {
        let pid = self.qemu_pid()?;
        let asked = self.qmp().and_then(|mut qmp| qmp.execute("quit", serde_json::json!({})));
        if asked.is_ok() && self.wait_down(Duration::from_secs(5))? {
            return Ok(());
        }
        if let Some(pid) = rustix::process::Pid::from_raw(pid as i32) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
        if self.wait_down(Duration::from_secs(10))? {
            return Ok(());
        }
        Err(Error::TimedOut { what: "QEMU's end", seconds: 15, log: String::new() })
    }

    /// Waits until the machine is down; false where it still is up after `limit`.
    ///
    /// # Errors
    /// Those of the lock file.
    pub fn wait_down(&self, limit: Duration) -> Result<bool> {
        let deadline = Instant::now() + limit;
        while self.is_up()? {
            if Instant::now() >= deadline {
                return Ok(false);
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(true)
    }
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].iter().map(|line| format!("{line}\n")).collect()
}
