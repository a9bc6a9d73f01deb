//! The frame crate's own tests: a kernel that runs them instead of a system, on several CPU models and numbers of CPUs. It ends QEMU by its exit device.

use std::fs::{self, File};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::Test;
use crate::lab::Lab;

/// Most of it is waiting for clocks; the rest depends on how busy the host is.
const LIMIT: Duration = Duration::from_secs(180);
/// Exit status of QEMU for the test kernel's code of success, 0x10.
const PASSED: i32 = 0x10 << 1 | 1;

pub fn tests() -> Vec<Test> {
    [("nehalem-1", "Nehalem", 1, 48), ("nehalem-2", "Nehalem", 2, 512), ("max-1", "max", 1, 5120), ("max-4", "max", 4, 512)]
        .map(|(name, cpu, cpus, memory_mib)| {
            let name = format!("frame/{name}");
            Test::new(name.clone(), move |lab| run(lab, &name, cpu, cpus, memory_mib))
        })
        .into()
}

fn run(lab: &Lab, name: &str, cpu: &str, cpus: u32, memory_mib: u32) -> Result<()> {
    let kernel = lab.images.frame_selftest.as_ref().context("the frame's test kernel was not built")?;
    let dir = lab.dir(name);
    fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
    let log = dir.join("serial.log");
    let mut child = Command::new("qemu-system-x86_64")
        .args(["-machine", "q35", "-accel", lab.accel().argument(), "-cpu", cpu, "-display", "none", "-monitor", "none", "-no-reboot"])
        .args(["-smp", &cpus.to_string(), "-m", &memory_mib.to_string(), "-serial", "stdio"])
        .args(["-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-append", "debug-exit", "-kernel"])
        .arg(kernel)
        .stdin(Stdio::null())
        .stdout(File::create(&log).with_context(|| format!("cannot create {}", log.display()))?)
        .stderr(Stdio::inherit())
        .spawn()
        .context("cannot start qemu-system-x86_64")?;
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if begun.elapsed() > LIMIT {
            child.kill()?;
            child.wait()?;
            bail!("not done after {} s; the serial log: {}", LIMIT.as_secs(), end_of(&log));
        }
        sleep(Duration::from_millis(50));
    };
    ensure!(status.code() == Some(PASSED), "{status}; the serial log: {}", end_of(&log));
    Ok(())
}

/// The last lines of a log.
fn end_of(log: &std::path::Path) -> String {
    let text = fs::read(log).map_or_else(|error| error.to_string(), |text| String::from_utf8_lossy(&text).into_owned());
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}
