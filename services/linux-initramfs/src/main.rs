//! Process 1 of the Linux reference (`./gos run --kernel linux`).
//!
//! Does on Debian's kernel what our kernel and its `init` do on ours, so that the same programs see the same system: loads the
//! modules of the initramfs in the order of `/modules/list`, mounts the root and the kernel's filesystems (see
//! `docs/src/contracts.md`, "Boot"), starts `execd`, and keeps a session on each console.
//!
//! Called again as `init session TTY` it becomes such a session.

#![forbid(unsafe_code)]

mod mounts;
mod session;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// Where execd lives after the root has changed: it is no part of the root.
const EXECD: &str = "/run/initramfs/execd";

/// The consoles with a session: device and terminal type.
const CONSOLES: [(&str, &str); 2] = [("/dev/ttyS0", "vt220"), ("/dev/tty1", "linux")];

fn main() {
    let args: Vec<_> = std::env::args_os().skip(1).collect();
    let result = match args.as_slice() {
        [mode, tty, term] if mode == OsStr::new("session") => session::run(Path::new(tty), term),
        _ => start(),
    };
    if let Err(error) = result {
        eprintln!("init: {error:#}");
    }
    // Process 1 must not end: the kernel would panic. A session's process may.
    while std::process::id() == 1 {
        thread::sleep(Duration::from_secs(3600));
    }
}

/// Everything from an empty initramfs to running sessions. Returns only on failure.
fn start() -> Result<()> {
    mounts::early()?;
    load_modules(Path::new("/modules/list"))?;
    let execd = fs::read("/sbin/execd").ok();
    mounts::root(&root_device()?)?;
    mounts::late()?;
    if let Ok(name) = fs::read_to_string("/etc/hostname") {
        rustix::system::sethostname(name.trim().as_bytes())
            .context("cannot set the host's name")?;
    }
    let execd = match execd {
        Some(program) => Some(Service::new(install_execd(&program)?)),
        None => None,
    };
    let sessions = CONSOLES
        .into_iter()
        .filter(|(tty, _)| Path::new(tty).exists());
    let sessions = sessions.map(|(tty, term)| {
        Service::new(vec![
            "/proc/self/exe".into(),
            "session".into(),
            tty.into(),
            term.into(),
        ])
    });
    keep(execd.into_iter().chain(sessions).collect())
}

/// Loads every module of the list; one that fails is said and passed over (a device may be missing).
fn load_modules(list: &Path) -> Result<()> {
    let names =
        fs::read_to_string(list).with_context(|| format!("cannot read {}", list.display()))?;
    for name in names.lines() {
        let loaded = fs::File::open(name)
            .map_err(anyhow::Error::from)
            .and_then(|file| Ok(rustix::system::finit_module(&file, c"", 0)?));
        if let Err(error) = loaded {
            eprintln!("init: module {name}: {error}");
        }
    }
    Ok(())
}

/// The root's device, by `root=` of the kernel's command line; waits for it to appear.
fn root_device() -> Result<String> {
    let cmdline = fs::read_to_string("/proc/cmdline").context("cannot read /proc/cmdline")?;
    let named = cmdline
        .split_whitespace()
        .filter_map(|word| word.strip_prefix("root="))
        .next_back();
    let device = named.unwrap_or("/dev/vda").to_owned();
    let deadline = Instant::now() + Duration::from_secs(30);
    while !Path::new(&device).exists() {
        if Instant::now() > deadline {
            anyhow::bail!("the root's device {device} did not appear within 30 s");
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(device)
}

fn install_execd(program: &[u8]) -> Result<Vec<String>> {
    let path = Path::new(EXECD);
    fs::create_dir_all("/run/initramfs").context("cannot create /run/initramfs")?;
    fs::write(path, program).with_context(|| format!("cannot write {EXECD}"))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
        .with_context(|| format!("cannot change the mode of {EXECD}"))?;
    Ok(vec![EXECD.into()])
}

/// A program that is started again when it ends.
struct Service {
    command: Vec<String>,
    child: Option<Child>,
    started: Instant,
}

impl Service {
    fn new(command: Vec<String>) -> Self {
        Self {
            command,
            child: None,
            started: Instant::now(),
        }
    }

    fn start(&mut self) {
        self.started = Instant::now();
        let mut command = Command::new(&self.command[0]);
        command
            .args(&self.command[1..])
            .current_dir("/")
            .env_clear()
            .env(
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            );
        match command.spawn() {
            Ok(child) => self.child = Some(child),
            Err(error) => eprintln!("init: {}: {error}", self.command[0]),
        }
    }
}

/// Keeps the services running and collects every process that ends.
fn keep(mut services: Vec<Service>) -> Result<()> {
    services.iter_mut().for_each(Service::start);
    loop {
        match rustix::process::wait(rustix::process::WaitOptions::empty()) {
            Ok(Some((pid, _))) => {
                let ended = |service: &&mut Service| {
                    service
                        .child
                        .as_ref()
                        .is_some_and(|child| child.id() == pid.as_raw_pid() as u32)
                };
                if let Some(service) = services.iter_mut().find(ended) {
                    service.child = None;
                    // Not a busy loop around a program that cannot run.
                    thread::sleep(Duration::from_secs(1).saturating_sub(service.started.elapsed()));
                    service.start();
                }
            }
            Ok(None) => {}
            // Interrupted, or nothing runs: no service could be started.
            Err(rustix::io::Errno::CHILD) => {
                thread::sleep(Duration::from_secs(1));
                services.iter_mut().for_each(Service::start);
            }
            Err(_) => {}
        }
    }
}
