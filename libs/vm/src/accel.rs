//! KVM or emulation: KVM only where it has been seen to run a guest.
//!
//! `/dev/kvm` may open and yet hang the first guest (nested virtualisation, restricted hosts). So a guest of 14 bytes is run once per boot
//! of the host; it must compute a value and hand it to QEMU's exit device within [`PROBE_LIMIT`].

use std::fs;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{IoContext, Result};

/// How a machine's CPUs are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Accel {
    /// By the host's processor.
    Kvm,
    /// By translation, with a host thread for each CPU.
    Tcg,
}

impl Accel {
    /// QEMU's `-accel` argument.
    pub fn argument(self) -> &'static str {
        match self {
            Accel::Kvm => "kvm",
            Accel::Tcg => "tcg,thread=multi",
        }
    }
}

/// The guest's time.
const PROBE_LIMIT: Duration = Duration::from_secs(3);

/// What [`probe_rom`] makes QEMU exit with: isa-debug-exit gives `value << 1 | 1`.
const PROBE_STATUS: i32 = 0x15 << 1 | 1;

/// A firmware whose first instructions, at the reset vector, add two numbers and leave.
fn probe_rom() -> Vec<u8> {
    const CODE: [u8; 12] = [
        0xB0, 0x11, // mov al, 0x11
        0x04, 0x04, // add al, 0x04
        0xBA, 0xF4, 0x00, // mov dx, 0xf4
        0xEE, // out dx, al
        0xF4, // hlt
        0xEB, 0xFD, // jmp to the hlt
        0x90,
    ];
    let mut rom = vec![0xF4; 64 << 10];
    let reset_vector = rom.len() - 16;
    rom[reset_vector..reset_vector + CODE.len()].copy_from_slice(&CODE);
    rom
}

/// What to use on this host. The finding is kept in `cache` until the host's next boot; the variable `GOS_ACCEL` (`kvm` or `tcg`)
/// overrules it.
///
/// # Errors
/// Those of writing to `cache`.
pub fn choose(cache: &Path) -> Result<Accel> {
    match std::env::var("GOS_ACCEL").as_deref() {
        Ok("kvm") => return Ok(Accel::Kvm),
        Ok("tcg") => return Ok(Accel::Tcg),
        _ => {}
    }
    let usable = fs::OpenOptions::new().read(true).write(true).open("/dev/kvm").is_ok();
    if !usable {
        return Ok(Accel::Tcg);
    }
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let finding = cache.join("kvm-probe");
    let known = fs::read_to_string(&finding).unwrap_or_default();
    match known.strip_prefix(boot.trim()).map(str::trim) {
        Some("kvm") => return Ok(Accel::Kvm),
        Some("tcg") => return Ok(Accel::Tcg),
        _ => {}
    }
    let accel = if probe(Accel::Kvm, cache)? { Accel::Kvm } else { Accel::Tcg };
    let word = if accel == Accel::Kvm { "kvm" } else { "tcg" };
    fs::write(&finding, format!("{} {word}\n", boot.trim())).on("write", &finding)?;
    Ok(accel)
}

/// Whether a tiny guest really runs.
///
/// # Errors
/// Those of writing the guest to `scratch`; QEMU's failures mean no.
pub fn probe(accel: Accel, scratch: &Path) -> Result<bool> {
    fs::create_dir_all(scratch).on("create", scratch)?;
    let rom = scratch.join(format!("kvm-probe-{}.rom", std::process::id()));
    fs::write(&rom, probe_rom()).on("write", &rom)?;
    let started = Command::new("qemu-system-x86_64")
        .args(["-nodefaults", "-no-user-config", "-display", "none", "-machine", "pc", "-m", "16", "-accel", accel.argument()])
        .args(["-device", "isa-debug-exit,iobase=0xf4,iosize=0x04", "-bios"])
        .arg(&rom)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let ran = started.is_ok_and(|mut child| {
        let status = wait(&mut child, PROBE_LIMIT);
        if status.is_none() {
            // A process stuck in KVM may not even die; it is not waited for longer.
            let _ = child.kill();
            wait(&mut child, Duration::from_secs(1));
        }
        status.is_some_and(|status| status.code() == Some(PROBE_STATUS))
    });
    let _ = fs::remove_file(&rom);
    Ok(ran)
}

fn wait(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let deadline = Instant::now() + limit;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(20)),
            _ => return None,
        }
    }
}
