//! KVM or emulation: KVM only where it has been seen to run a guest.
//!
//! `/dev/kvm` may open and yet hang or starve a guest (nested virtualisation, restricted hosts). So a boot sector (`probe.S`) is run
//! once per boot of the host, through the BIOS: it must get into 64-bit mode, compute a value and hand it to QEMU's exit device within
//! [`PROBE_LIMIT`].

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

/// The guest's time. Emulation takes a tenth of a second.
const PROBE_LIMIT: Duration = Duration::from_secs(3);

/// What the guest makes QEMU exit with: isa-debug-exit gives `value << 1 | 1`.
const PROBE_STATUS: i32 = 0x15 << 1 | 1;

/// The CPU model that machines have by default, refused where KVM lacks some of it.
const PROBE_CPU: &str = "Nehalem,enforce";

std::arch::global_asm!(include_str!("probe.S"), options(att_syntax));

unsafe extern "C" {
    #[link_name = "gos_probe_sector"]
    static PROBE_SECTOR: [u8; 512];
}

/// A disk whose first sector is the guest.
fn probe_disk() -> Vec<u8> {
    // SAFETY: probe.S defines the symbol as 512 bytes of constant data.
    let mut disk = unsafe { PROBE_SECTOR }.to_vec();
    disk.resize(1 << 20, 0);
    disk
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
    let accel = if probe(Accel::Kvm, PROBE_LIMIT, cache)? { Accel::Kvm } else { Accel::Tcg };
    let word = if accel == Accel::Kvm { "kvm" } else { "tcg" };
    fs::write(&finding, format!("{} {word}\n", boot.trim())).on("write", &finding)?;
    Ok(accel)
}

/// Whether a tiny guest really runs.
///
/// # Errors
/// Those of writing the guest to `scratch`; QEMU's failures mean no.
pub fn probe(accel: Accel, limit: Duration, scratch: &Path) -> Result<bool> {
    fs::create_dir_all(scratch).on("create", scratch)?;
    let disk = scratch.join(format!("kvm-probe-{}.img", std::process::id()));
    fs::write(&disk, probe_disk()).on("write", &disk)?;
    let mut drive = std::ffi::OsString::from("if=ide,format=raw,file=");
    drive.push(&disk);
    let started = Command::new("qemu-system-x86_64")
        .args(["-nodefaults", "-no-user-config", "-display", "none", "-machine", "pc", "-m", "64"])
        .args(["-accel", accel.argument(), "-cpu", PROBE_CPU])
        .args(["-device", "isa-debug-exit,iobase=0xf4,iosize=0x04", "-drive"])
        .arg(&drive)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let ran = started.is_ok_and(|mut child| {
        let status = wait(&mut child, limit);
        if status.is_none() {
            // A process stuck in KVM may not even die; it is not waited for longer.
            let _ = child.kill();
            wait(&mut child, Duration::from_secs(1));
        }
        status.is_some_and(|status| status.code() == Some(PROBE_STATUS))
    });
    let _ = fs::remove_file(&disk);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_probe_is_a_boot_sector() {
        let disk = probe_disk();
        assert_eq!(&disk[510..512], [0x55, 0xAA]);
        // cli
        assert_eq!(disk[0], 0xFA);
    }

    /// A probe that could not succeed would say no to everything.
    #[test]
    fn an_emulated_guest_passes_the_probe() {
        if Command::new("qemu-system-x86_64").arg("--version").output().is_err() {
            // `./gos` installs QEMU before it runs any test; a plain `cargo test` may come first.
            return;
        }
        let scratch = tempfile::tempdir().unwrap();
        assert!(probe(Accel::Tcg, Duration::from_secs(60), scratch.path()).unwrap());
    }
}
