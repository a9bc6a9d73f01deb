//! From nothing to sessions: the order of `docs/src/contracts.md`, section "Boot".

use crate::backoff::Backoff;
use crate::control::Control;
use crate::sessions;
use crate::shutdown::{self, Ending};
use crate::supervisor::{Service, Streams, Supervisor};
use crate::watchdog::{self, Watchdog};
use crate::{displays, machine, mounts, reference, sys};
use anyhow::{Context, bail};
use boot_params::BootParams;
use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// The initfs, which stays when the root is replaced.
const INITFS: &str = "/scheme/initfs";
/// How long a daemon may take until its scheme is there. Emulated machines are slow.
const READY_LIMIT: Duration = Duration::from_secs(30);
/// How long the root filesystem may take, which may have to be repaired.
const ROOT_LIMIT: Duration = Duration::from_secs(120);
/// How long after the last disk has come a partition may still appear.
const DISKS_SETTLED: Duration = Duration::from_secs(2);
/// Terminals with a session.
const TERMINALS: [&str; 2] = ["/dev/ttyS0", "/dev/tty1"];

/// Process 1. Never returns: without it the kernel stops.
pub fn run() -> ! {
    let start = Instant::now();
    let problems = mounts::early();
    kernel_log::init("init");
    for problem in problems {
        tracing::warn!("{problem}");
    }
    let mut supervisor = loop {
        match Supervisor::new() {
            Ok(supervisor) => break supervisor,
            Err(error) => tracing::error!("cannot supervise: {error}"),
        }
        std::thread::sleep(Duration::from_secs(5));
    };
    let cmdline = fs::read_to_string("/proc/cmdline").unwrap_or_default();
    let params = BootParams::parse(cmdline.trim());
    report(&params);
    let result = if mounts::has_schemes() {
        start_ours(&mut supervisor, &params)
    } else {
        start_linux(&mut supervisor)
    };
    match result {
        Ok(()) => tracing::info!("started in {} ms", start.elapsed().as_millis()),
        Err(error) => recover(&mut supervisor, &format!("{error:#}")),
    }
    supervise(supervisor)
}

/// Says what the boot parameters are, and what was wrong with them.
fn report(params: &BootParams<'_>) {
    tracing::info!(
        "consciousness={} ai={} education={} security={} root={}",
        params.consciousness,
        params.ai,
        params.education,
        params.security,
        params.root
    );
    for problem in params.problems.iter() {
        tracing::warn!("{problem}");
    }
    for param in params.unknown() {
        tracing::info!("boot parameter {}: not ours", param.name);
    }
}

/// A daemon from the initfs: the disk is not needed to start it again.
fn daemon(name: &str, words: &[&str], is_essential: bool) -> Service {
    let mut command: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    command[0] = format!(
        "{}/sbin/{}",
        if Path::new(INITFS).is_dir() {
            INITFS
        } else {
            ""
        },
        words[0]
    );
    Service {
        name: name.to_owned(),
        command,
        argv0: None,
        environment: vec![("PATH".to_owned(), sessions::PATH.to_owned())],
        directory: None,
        streams: Streams::Log,
        backoff: Backoff::driver(),
        is_essential,
    }
}

/// A daemon from the root filesystem.
fn system_daemon(name: &str) -> Service {
    let mut service = daemon(name, &[name], false);
    service.command[0] = format!("/sbin/{name}");
    service
}

fn has_daemon(name: &str) -> bool {
    Path::new(INITFS).join("sbin").join(name).exists()
}

fn start_ours(supervisor: &mut Supervisor, params: &BootParams<'_>) -> anyhow::Result<()> {
    let disks = start_drivers(supervisor)?;
    if params.recovery.is_on() {
        bail!("recovery was asked for by a boot parameter");
    }
    mount_root(supervisor, params, disks)
        .with_context(|| format!("no root filesystem (root={})", params.root))?;
    start_network(supervisor);
    start_system(supervisor);
    Ok(())
}

/// The network stack, where there is a card. It waits for the driver itself.
fn start_network(supervisor: &mut Supervisor) {
    let has_card = supervisor.services().iter().any(|it| it.service.name == "virtio-netd eth0");
    if has_card && has_daemon("netd") {
        supervisor.start(daemon("netd", &["netd", "eth0"], true));
    }
}

/// The bus, then everything on it, and the console. How many disks are to be expected.
fn start_drivers(supervisor: &mut Supervisor) -> anyhow::Result<usize> {
    supervisor.start(daemon("pcid", &["pcid"], true));
    // Neither the keyboard nor the boot framebuffer is on the bus: do not wait for it.
    if has_daemon("inputd") {
        supervisor.start(daemon("inputd", &["inputd"], true));
    }
    if has_daemon("ps2d") {
        supervisor.start(daemon("ps2d", &["ps2d"], true));
    }
    if has_daemon("fbcond") {
        supervisor.start(daemon("fbcond", &["fbcond"], true));
    }
    if !supervisor.wait_until(READY_LIMIT, |_| Path::new("/scheme/pci").exists()) {
        bail!("pcid has not created /scheme/pci within {READY_LIMIT:?}");
    }
    let drivers = machine::virtio_drivers();
    let disks = drivers
        .iter()
        .filter(|(_, words)| words[0] == "virtio-blkd")
        .count();
    for (name, words) in drivers
        .into_iter()
        .chain(displays::drivers(has_framebuffer()))
    {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if has_daemon(words[0]) {
            supervisor.start(daemon(&name, &words, true));
        } else {
            tracing::warn!(
                "the initfs has no {} for the device at {}",
                words[0],
                words[1]
            );
        }
    }
    Ok(disks)
}

/// Whether the boot loader left a framebuffer: the kernel's answer to opening it is ENODEV where not.
fn has_framebuffer() -> bool {
    fs::File::open("/scheme/memory/framebuffer").is_ok()
}

fn mount_root(
    supervisor: &mut Supervisor,
    params: &BootParams<'_>,
    disks: usize,
) -> anyhow::Result<()> {
    let mut device = None;
    let mut since_all_disks = None;
    supervisor.wait_until(READY_LIMIT, |_| {
        device = machine::find_root(params.root);
        if since_all_disks.is_none() && machine::disks().len() >= disks {
            since_all_disks = Some(Instant::now());
        }
        device.is_some() || since_all_disks.is_some_and(|since| since.elapsed() > DISKS_SETTLED)
    });
    let device = device.context("no such partition on any disk")?;
    tracing::info!("the root filesystem is on {device}");
    supervisor.start(daemon("redoxfsd", &["redoxfsd", &device, "root"], true));
    if !supervisor.wait_until(ROOT_LIMIT, |_| Path::new("/scheme/root").exists()) {
        bail!("redoxfsd has not created /scheme/root within {ROOT_LIMIT:?}");
    }
    mounts::switch_root().context("mounting /scheme/root on /")?;
    for problem in mounts::all() {
        tracing::warn!("{problem}");
    }
    Ok(())
}

/// What the booted system has on both kernels: a name, the exec channel, sessions.
fn start_system(supervisor: &mut Supervisor) {
    if let Ok(name) = fs::read_to_string("/etc/hostname")
        && let Err(error) = sys::set_host_name(name.trim())
    {
        tracing::warn!("setting the host name: {error}");
    }
    if let Err(error) = sys::loopback_up() {
        tracing::warn!("cannot switch the loop-back device on: {error}");
    }
    if has_daemon("execd") || Path::new("/sbin/execd").exists() {
        supervisor.start(daemon("execd", &["execd"], false));
    }
    if Path::new("/sbin/devd").exists() {
        supervisor.start(system_daemon("devd"));
    }
    for terminal in TERMINALS {
        // tty1 appears when fbcond has bound it.
        let limit = if terminal == "/dev/tty1" && has_daemon("fbcond") {
            READY_LIMIT
        } else {
            Duration::ZERO
        };
        if supervisor.wait_until(limit, |_| is_terminal_ready(terminal)) {
            supervisor.start(sessions::session(terminal));
        }
    }
}

/// Whether a terminal can be opened: the name of one that nobody serves exists, too.
fn is_terminal_ready(path: &str) -> bool {
    let flags = libc::O_NOCTTY | libc::O_NONBLOCK;
    fs::File::options()
        .read(true)
        .write(true)
        .custom_flags(flags)
        .open(path)
        .is_ok()
}

fn start_linux(supervisor: &mut Supervisor) -> anyhow::Result<()> {
    tracing::info!("no schemes: this kernel has its own drivers");
    if let Err(error) = mounts::remount_root_writable() {
        tracing::warn!("making the root writable: {error}");
    }
    for problem in mounts::all() {
        tracing::warn!("{problem}");
    }
    if let Err(error) = reference::network_up() {
        tracing::warn!("cannot set the network's address: {error}");
    }
    start_system(supervisor);
    Ok(())
}

/// Says why the system does not start, and gives a shell where the initfs has one.
fn recover(supervisor: &mut Supervisor, reason: &str) {
    tracing::error!("the system was not started: {reason}");
    // The initfs is read-only, but has the places.
    for problem in mounts::all() {
        tracing::warn!("{problem}");
    }
    let mut shells = 0;
    for terminal in TERMINALS
        .into_iter()
        .filter(|terminal| is_terminal_ready(terminal))
    {
        if let Some(service) = sessions::rescue(terminal, INITFS) {
            supervisor.start(service);
            shells += 1;
        }
        // The log may not reach this terminal.
        let help = if shells > 0 {
            "A shell from the initfs follows."
        } else {
            "The initfs has no shell: restart with other boot parameters."
        };
        let _ = fs::write(
            terminal,
            format!("\r\nGenAI OS was not started: {reason}\r\n{help}\r\n"),
        );
    }
}

/// The rest of the system's life.
fn supervise(mut supervisor: Supervisor) -> ! {
    let control = Control::listen()
        .inspect_err(|error| tracing::warn!("no control socket: {error}"))
        .ok();
    // There is none on a kernel without schemes, where the kernel's own drivers cannot be started again.
    let mut watchdog = Watchdog::new().ok();
    let period = watchdog.as_ref().map_or(Duration::from_secs(3600), |_| watchdog::PERIOD);
    let mut looked = Instant::now();
    loop {
        supervisor.pump(control.as_ref().map(AsRawFd::as_raw_fd), period);
        if let Some(watchdog) = watchdog.as_mut().filter(|_| looked.elapsed() >= period) {
            looked = Instant::now();
            for (pid, scheme) in watchdog.look(&supervisor.running()) {
                supervisor.end_hung(pid, &scheme);
            }
        }
        if let Some(ending) = supervisor
            .take_requests()
            .into_iter()
            .find_map(Ending::of_signal)
        {
            shutdown::run(&mut supervisor, ending);
        }
        if let Some(control) = &control {
            control.answer(&supervisor);
        }
    }
}
