//! Holding a machine: QEMU's process and the broker of its exec channel.

use std::fs::{self, File};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::broker;
use crate::dir::VmDir;
use crate::error::{Error, IoContext, Result};
use crate::machine::{Boot, Firmware, Machine, OVMF_VARIABLES, Serial};

/// QEMU makes its sockets before it does anything slow.
const SOCKET_LIMIT: Duration = Duration::from_secs(30);

/// A running machine, and its broker as threads of this process. Dropping it ends the machine.
pub struct Keeper {
    dir: VmDir,
    qemu: Child,
    _lock: File,
}

impl Keeper {
    /// Starts a machine in a directory.
    ///
    /// # Errors
    /// [`Error::AlreadyUp`]; [`Error::Ended`] with QEMU's message where it does not start.
    pub fn start(dir: &VmDir, machine: &Machine) -> Result<Self> {
        let Some(lock) = dir.lock()? else { return Err(Error::AlreadyUp(dir.qemu_pid().unwrap_or(0))) };
        let paths = dir.paths();
        for stale in [&paths.qmp, &paths.port, &paths.serial, &dir.exec_socket(), &dir.serial_log(), &dir.file("pid")] {
            let _ = fs::remove_file(stale);
        }
        if matches!(machine.boot, Boot::Firmware { firmware: Firmware::Uefi, .. }) {
            fs::copy(OVMF_VARIABLES, &paths.uefi_variables).on("copy", OVMF_VARIABLES)?;
        }
        // QEMU shall hold the lock too.
        rustix::io::fcntl_setfd(&lock, rustix::io::FdFlags::empty()).map_err(Into::into).on("share", dir.file("lock"))?;
        let log = File::create(dir.qemu_log()).on("create", dir.qemu_log())?;
        let mut command = Command::new("qemu-system-x86_64");
        command.args(machine.arguments(&paths));
        match machine.serial {
            Serial::Terminal => {}
            Serial::Socket => {
                command.stdin(Stdio::null()).stdout(log.try_clone().on("share", dir.qemu_log())?);
            }
        }
        let qemu = command.stderr(log).spawn().on("run", "qemu-system-x86_64")?;
        rustix::io::fcntl_setfd(&lock, rustix::io::FdFlags::CLOEXEC).map_err(Into::into).on("keep", dir.file("lock"))?;
        let mut keeper = Keeper { dir: dir.clone(), qemu, _lock: lock };
        let pid = dir.file("pid");
        fs::write(&pid, format!("{}\n", keeper.qemu.id())).on("write", &pid)?;
        let port = keeper.connect(&paths.port)?;
        let socket = dir.exec_socket();
        let clients = UnixListener::bind(&socket).on("listen at", &socket)?;
        let serve = move || {
            if let Err(error) = broker::serve(port, clients) {
                tracing::warn!("the exec channel has failed: {error}");
            }
        };
        thread::Builder::new().name("broker".into()).spawn(serve).on("start", "the broker")?;
        Ok(keeper)
    }

    fn connect(&mut self, path: &Path) -> Result<UnixStream> {
        let deadline = Instant::now() + SOCKET_LIMIT;
        loop {
            match UnixStream::connect(path) {
                Ok(socket) => return Ok(socket),
                Err(error) if Instant::now() >= deadline => return Err(error).on("connect to", path),
                Err(_) => thread::sleep(Duration::from_millis(10)),
            }
            if let Some(status) = self.qemu.try_wait().on("wait for", "qemu-system-x86_64")? {
                return Err(Error::Ended { status: status.to_string(), log: self.dir.tail(&self.dir.qemu_log()) });
            }
        }
    }

    /// The machine's directory.
    pub fn dir(&self) -> &VmDir {
        &self.dir
    }

    /// Waits until QEMU ends by itself, by `vm stop`, or by its user.
    ///
    /// # Errors
    /// Those of waiting for a process.
    pub fn wait(&mut self) -> Result<ExitStatus> {
        self.qemu.wait().on("wait for", "qemu-system-x86_64")
    }

    /// Waits until QEMU ends, at most so long.
    ///
    /// # Errors
    /// Those of waiting for a process.
    pub fn wait_for(&mut self, limit: Duration) -> Result<Option<ExitStatus>> {
        let deadline = Instant::now() + limit;
        loop {
            let status = self.qemu.try_wait().on("wait for", "qemu-system-x86_64")?;
            if status.is_some() || Instant::now() >= deadline {
                return Ok(status);
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends the machine as a power cut does.
    pub fn cut_power(&mut self) {
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.cut_power();
        let _ = fs::remove_file(self.dir.exec_socket());
        let _ = fs::remove_file(self.dir.file("pid"));
    }
}
