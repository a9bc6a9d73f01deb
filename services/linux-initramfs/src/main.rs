//! Process 1 of the Linux reference (`./gos run --kernel linux`), until the root is there.
//!
//! Does on Debian's kernel what our kernel and drivers do on ours: loads the modules of the initramfs in the order of
//! `/modules/list`, mounts the root, makes the device names that programs expect, and hands over to the root's
//! `/sbin/init`, which is the same program as on our kernel.

#![forbid(unsafe_code)]

mod mounts;

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// What the root starts with.
const INIT: &str = "/sbin/init";

fn main() {
    if let Err(error) = start() {
        eprintln!("initramfs: {error:#}");
    }
    // Process 1 must not end: the kernel would panic and hide the message.
    while std::process::id() == 1 {
        thread::sleep(Duration::from_secs(3600));
    }
}

/// Everything from an empty initramfs to the root's init. Returns only on failure.
fn start() -> Result<()> {
    mounts::early()?;
    load_modules(Path::new("/modules/list"))?;
    mounts::root(&root_device()?)?;
    mounts::late()?;
    // As our kernel starts it.
    let mut init = Command::new(INIT);
    init.env_clear().env("PATH", "/sbin:/bin");
    Err(init.exec()).with_context(|| format!("cannot start the root's {INIT}"))
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
            eprintln!("initramfs: module {name}: {error}");
        }
    }
    Ok(())
}

/// The root's device, by `root=` of the kernel's command line (a path under `/dev`); waits for it to appear.
fn root_device() -> Result<String> {
    let cmdline = fs::read_to_string("/proc/cmdline").context("cannot read /proc/cmdline")?;
    let mut named = cmdline
        .split_whitespace()
        .filter_map(|word| word.strip_prefix("root="));
    let named = named.rfind(|value| value.starts_with("/dev/"));
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
