//! The server's edition: it starts by itself through GRUB, without a display stack and within its bounds; and its disk is the same in the
//! formats of other emulators.

use std::fs::File;
use std::io::Read;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use vm::machine::{Boot, Firmware};

use crate::lab::{Lab, System};
use crate::{Test, check};

const LIMIT: Duration = Duration::from_secs(120);
/// What the edition may use when nothing runs but itself, in MiB.
const IDLE_MIB: u64 = 128;

pub fn tests() -> Vec<Test> {
    vec![Test::new("server/boot", boot), Test::new("server/formats", formats)]
}

fn boot(lab: &Lab) -> Result<()> {
    let mut description = lab.describe(System::Server)?;
    description.boot = Boot::Firmware { firmware: Firmware::Bios, cdrom: None };
    description.memory_mib = 512;
    let machine = lab.boot("server/boot", &description)?;
    let script = "gpm list | grep -q '^edition-server ' || exit 1; gpm verify edition-server || exit 1; grep -o 'consciousness=[0-9.]*' /proc/cmdline; \
                  grep -E '^(MemTotal|MemAvailable):' /proc/meminfo";
    let output = machine.sh(script, LIMIT)?;
    check::succeeds(&output)?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let levels: Vec<f32> = text.lines().filter_map(|line| line.strip_prefix("consciousness=")?.parse().ok()).collect();
    ensure!(!levels.is_empty() && levels.iter().all(|level| *level <= 0.4), "the menu's level is beyond the edition's bounds: {text}");
    let used = used_mib(&text)?;
    ensure!(used < IDLE_MIB, "{used} MiB are in use");
    eprintln!("{used} MiB in use");
    let initfs = std::fs::read(&lab.images.server.as_ref().context("the server's edition was not built")?.initfs)?;
    let has = |name: &str| initfs.windows(name.len()).any(|it| it == name.as_bytes());
    ensure!(has("sbin/virtio-blkd"), "the initfs has no drivers at all");
    for name in ["sbin/virtio-gpud", "sbin/bochsd", "sbin/virtio-inputd"] {
        ensure!(!has(name), "the initfs has {name}");
    }
    Ok(())
}

/// What is in use by `/proc/meminfo`, in MiB: all that is not available.
pub(crate) fn used_mib(meminfo: &str) -> Result<u64> {
    let kib = |name: &str| -> Result<u64> {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(name)).with_context(|| format!("no {name} in {meminfo}"))?;
        line.trim().trim_end_matches(" kB").parse().with_context(|| format!("{name} is {line:?}"))
    };
    Ok((kib("MemTotal:")? - kib("MemAvailable:")?) >> 10)
}

/// Each format, converted back, is the disk byte for byte.
fn formats(lab: &Lab) -> Result<()> {
    let disk = &lab.images.server.as_ref().context("the server's edition was not built")?.disk;
    let formats = &lab.images.server_formats;
    ensure!(formats.len() == 3, "{} formats were built", formats.len());
    let folder = lab.dir("server/formats");
    std::fs::create_dir_all(&folder)?;
    let back = folder.join("back.img");
    for path in formats {
        let output = Command::new("qemu-img").args(["convert", "-O", "raw"]).arg(path).arg(&back).output().context("cannot run qemu-img")?;
        ensure!(output.status.success(), "{}: {}", path.display(), String::from_utf8_lossy(&output.stderr));
        let (mut one, mut other) = (File::open(disk)?, File::open(&back)?);
        ensure!(one.metadata()?.len() == other.metadata()?.len(), "{} has another size", path.display());
        let (mut left, mut right) = (vec![0; 1 << 20], vec![0; 1 << 20]);
        let mut at = 0;
        loop {
            let count = one.read(&mut left)?;
            other.read_exact(&mut right[..count])?;
            ensure!(left[..count] == right[..count], "{} differs after byte {at}", path.display());
            if count == 0 {
                break;
            }
            at += count;
        }
    }
    std::fs::remove_file(&back).context("cannot remove what was converted back")
}
