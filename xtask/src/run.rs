//! `./gos run` and `./gos vm start`: from options to a machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use vm::accel;
use vm::dir::VmDir;
use vm::keeper::Keeper;
use vm::machine::{Boot, Changes, Disk, DiskFormat, Display, Firmware, Forward, Machine, Network, Protocol, Reach, Serial};

use crate::cargo;
use crate::cli::{BootKind, DisplayKind, Kernel, RunOptions};
use crate::images::{self, Cd};
use crate::project::Project;

/// The directory of the user's machine.
pub fn vm_dir(project: &Project) -> Result<VmDir> {
    Ok(VmDir::new(project.build().join("vm"))?)
}

/// Runs a machine in the foreground.
pub fn run(project: &Project, options: &RunOptions) -> Result<u8> {
    let dir = vm_dir(project)?;
    refuse_second(&dir)?;
    let has_desktop = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some_and(|it| !it.is_empty()));
    let display = options.display.unwrap_or(if has_desktop { DisplayKind::Window } else { DisplayKind::None });
    let serial = if display == DisplayKind::None { Serial::Terminal } else { Serial::Socket };
    let machine = machine(project, options, display, serial, &dir)?;
    eprintln!("gos: starting {} ({})", describe(options), machine.accel.argument());
    match display {
        DisplayKind::None => eprintln!("gos: this terminal is the serial console; Ctrl-A x ends the machine, Ctrl-A h lists more"),
        DisplayKind::Vnc => eprintln!("gos: the screen is at VNC 127.0.0.1:5900; Ctrl-C ends the machine"),
        DisplayKind::Window => {}
    }
    let terminal = std::io::stdin();
    // QEMU puts the terminal into raw mode; should it be killed, it stays there.
    let settings = tcgetattr(&terminal).ok();
    let mut keeper = Keeper::start(&dir, &machine)?;
    let status = keeper.wait()?;
    if let Some(settings) = settings {
        let _ = tcsetattr(&terminal, OptionalActions::Drain, &settings);
    }
    // Odd statuses are the guest's, through isa-debug-exit.
    if status.code() == Some(1) {
        let said = dir.tail(&dir.qemu_log());
        if !said.trim().is_empty() {
            bail!("QEMU failed:\n{}", said.trim_end());
        }
    }
    Ok(0)
}

/// Starts a machine in the background.
pub fn start(project: &Project, options: &RunOptions) -> Result<()> {
    let dir = vm_dir(project)?;
    refuse_second(&dir)?;
    let display = options.display.unwrap_or(DisplayKind::None);
    let machine = machine(project, options, display, Serial::Socket, &dir)?;
    let description = dir.file("machine.json");
    fs::write(&description, serde_json::to_vec_pretty(&machine)?).with_context(|| format!("cannot write {}", description.display()))?;
    let log_path = dir.file("keeper.log");
    let log = fs::File::create(&log_path).with_context(|| format!("cannot create {}", log_path.display()))?;
    let mut command = Command::new(std::env::current_exe().context("cannot find myself")?);
    command.arg("keep").arg(dir.file("")).arg(&description);
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    // Its commands come from other directories than the caller's, which may go away.
    let mut keeper = command.current_dir(&project.root).spawn().context("cannot start the machine's keeper")?;
    fs::write(dir.file("keeper.pid"), format!("{}\n", keeper.id())).context("cannot write keeper.pid")?;
    while !dir.exec_socket().exists() {
        if let Some(status) = keeper.try_wait()? {
            bail!("the machine did not start ({status}): {}", dir.tail(&log_path).trim_end());
        }
        thread::sleep(Duration::from_millis(20));
    }
    eprintln!("gos: {} is starting ({}); ./gos vm wait waits until it takes commands", describe(options), machine.accel.argument());
    Ok(())
}

/// The process that holds a machine in the background.
pub fn keep(dir: &Path, description: &Path) -> Result<()> {
    // Away from the terminal, whose end must not be the machine's.
    let _ = rustix::process::setsid();
    let dir = VmDir::new(dir)?;
    let text = fs::read(description).with_context(|| format!("cannot read {}", description.display()))?;
    let machine: Machine = serde_json::from_slice(&text).context("the machine's description makes no sense")?;
    let mut keeper = Keeper::start(&dir, &machine)?;
    let status = keeper.wait()?;
    eprintln!("QEMU has ended ({status})");
    Ok(())
}

fn refuse_second(dir: &VmDir) -> Result<()> {
    match dir.qemu_pid() {
        Ok(pid) => Err(vm::Error::AlreadyUp(pid).into()),
        Err(_) => Ok(()),
    }
}

fn describe(options: &RunOptions) -> String {
    match options.kernel {
        Kernel::Genai => format!("GenAI OS, edition {}", options.edition),
        Kernel::Linux => format!("Linux with the root of edition {}", options.edition),
    }
}

/// `[tcp:|udp:]HOST:GUEST`.
///
/// # Errors
/// What is wrong with it.
pub fn parse_forward(text: &str) -> Result<Forward, String> {
    let (protocol, ports) = match text.split_once(':') {
        Some(("tcp", rest)) => (Protocol::Tcp, rest),
        Some(("udp", rest)) => (Protocol::Udp, rest),
        _ => (Protocol::Tcp, text),
    };
    let (host, guest) = ports.split_once(':').ok_or("two ports are needed, such as 2222:22")?;
    let port = |text: &str| match text.parse::<u16>() {
        Ok(port) if port != 0 => Ok(port),
        _ => Err(format!("{text} is no port: they go from 1 to 65535")),
    };
    Ok(Forward { protocol, host: port(host)?, guest: port(guest)? })
}

/// Builds what the options ask for and describes the machine.
fn machine(project: &Project, options: &RunOptions, display: DisplayKind, serial: Serial, dir: &VmDir) -> Result<Machine> {
    let (boot, disk) = match options.kernel {
        Kernel::Linux => {
            if options.cdrom || options.boot.is_some_and(|boot| boot != BootKind::Pvh) {
                bail!("Linux is loaded by QEMU: leave out --cdrom and --boot");
            }
            let images = images::linux(project, &options.edition)?;
            let command_line = format!("{} {}", images.command_line, options.append).trim().to_owned();
            (Boot::Kernel { kernel: images.kernel, initrd: Some(images.initramfs), command_line }, images.disk)
        }
        Kernel::Genai => genai(project, options)?,
    };
    let name = match options.kernel {
        Kernel::Genai => format!("{}.qcow2", options.edition),
        Kernel::Linux => format!("{}-linux.qcow2", options.edition),
    };
    let disk = overlay(&disk, &dir.file(&name), options.fresh)?;
    Ok(Machine {
        accel: accel::choose(&project.cache)?,
        cpu: options.cpu.clone(),
        memory_mib: options.mem,
        cpus: options.smp,
        boot,
        disk: Some(Disk { path: disk, format: DiskFormat::Qcow2, changes: Changes::Keep }),
        network: (!options.no_network).then(|| Network { reach: Reach::World, forwards: options.forward.clone() }),
        display: match display {
            DisplayKind::Window => Display::Window,
            DisplayKind::Vnc => Display::Vnc,
            DisplayKind::None => Display::None,
        },
        serial,
        extra: Vec::new(),
    })
}

fn genai(project: &Project, options: &RunOptions) -> Result<(Boot, PathBuf)> {
    let cd = if options.cdrom { Cd::Make } else { Cd::Skip };
    let images = images::genai(project, &options.edition, cd)?;
    let firmware = match options.boot.unwrap_or(BootKind::Bios) {
        BootKind::Pvh if options.cdrom => bail!("--cdrom needs --boot bios or --boot uefi"),
        BootKind::Pvh => {
            let command_line = format!("{} {}", images.command_line, options.append).trim().to_owned();
            return Ok((Boot::Kernel { kernel: images.kernel, initrd: Some(images.initfs), command_line }, images.disk));
        }
        BootKind::Bios => Firmware::Bios,
        BootKind::Uefi => Firmware::Uefi,
    };
    if !options.append.is_empty() {
        bail!("--append needs --boot pvh: GRUB's menu has its own parameters (press e there to change them)");
    }
    Ok((Boot::Firmware { firmware, cdrom: images.iso }, images.disk))
}

/// A disk for a machine's changes over an image that stays as it was built. It lasts until the image is built anew.
pub fn overlay(base: &Path, path: &Path, fresh: bool) -> Result<PathBuf> {
    let base = base.canonicalize().with_context(|| format!("cannot find {}", base.display()))?;
    let metadata = fs::metadata(&base)?;
    let age = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    let stamp = format!("{} {} {}\n", base.display(), metadata.len(), age.as_nanos());
    let stamp_path = path.with_extension("base");
    let known = fs::read_to_string(&stamp_path).ok();
    if path.exists() && !fresh && known.as_ref() == Some(&stamp) {
        return Ok(path.to_owned());
    }
    if path.exists() && !fresh {
        eprintln!("gos: the image has been built anew: the machine starts from it, and its earlier changes are dropped");
    }
    let _ = fs::remove_file(&stamp_path);
    let mut command = Command::new("qemu-img");
    command.args(["create", "-q", "-f", "qcow2", "-F", "raw", "-b"]).arg(&base).arg(path);
    cargo::run(&mut command, "making a disk")?;
    fs::write(&stamp_path, stamp).with_context(|| format!("cannot write {}", stamp_path.display()))?;
    Ok(path.to_owned())
}
