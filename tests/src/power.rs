//! Power cuts: what was synced is there after the next start.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use vm::machine::{Changes, Disk, DiskFormat};

use crate::lab::{Lab, System};
use crate::{Test, check};

const LONG: Duration = Duration::from_secs(180);

pub fn tests() -> Vec<Test> {
    vec![Test::new("power/synced-data-survives", synced_data_survives)]
}

/// Writes until the power is cut; every file whose fsync had been acknowledged must be whole in the next start.
const WRITER: &str = r#"
mkdir -p /root/power
n=0
while :; do
    n=$((n + 1))
    for i in {1..400}; do echo "file $n line $i"; done > /root/power/$n
    sync -d /root/power/$n && sync -f /root/power && echo $n
done"#;

fn synced_data_survives(lab: &Lab) -> Result<()> {
    let name = "power/synced-data-survives";
    let disk = lab.dir(name).join("disk.qcow2");
    std::fs::create_dir_all(lab.dir(name))?;
    let base = lab.images.genai()?.disk.canonicalize()?;
    let made = Command::new("qemu-img")
        .args(["create", "-q", "-f", "qcow2", "-F", "raw", "-b"])
        .args([&base, &disk])
        .status()
        .context("cannot run qemu-img")?;
    ensure!(made.success(), "qemu-img failed ({made})");
    let mut description = lab.describe(System::Genai)?;
    description.disk = Some(Disk { path: disk, format: DiskFormat::Qcow2, changes: Changes::Keep });

    let mut acknowledged = 0;
    // Each round cuts at another place of the writer's work, and starts from the last one's disk.
    for round in 0..3 {
        let machine = lab.boot(name, &description)?;
        verify(&machine, acknowledged).with_context(|| format!("after {round} power cuts"))?;
        let running = machine.exec().start(vm::exec::command(["bash", "-c", WRITER], LONG))?;
        let (reader, mut writer) = std::io::pipe()?;
        let writing = std::thread::spawn(move || running.run(std::io::empty(), &mut writer, &mut std::io::sink()));
        acknowledged = wait_for_lines(reader, 3 + round * 4)?;
        machine.cut_power();
        let _ = writing.join();
    }
    let machine = lab.boot(name, &description)?;
    verify(&machine, acknowledged).context("after the last power cut")
}

/// The number in the last line, once so many have come.
fn wait_for_lines(reader: impl std::io::Read, count: usize) -> Result<u32> {
    use std::io::BufRead;
    let lines = std::io::BufReader::new(reader).lines().take(count).collect::<std::io::Result<Vec<_>>>()?;
    ensure!(lines.len() == count, "the writer stopped after {} files", lines.len());
    Ok(lines[count - 1].parse()?)
}

fn verify(machine: &crate::lab::Machine, acknowledged: u32) -> Result<()> {
    let script = format!(
        r#"for ((n = 1; n <= {acknowledged}; n++)); do
            for i in {{1..400}}; do echo "file $n line $i"; done | cmp - /root/power/$n || exit 1
        done; rm -rf /root/power; sync; echo whole"#
    );
    check::prints(&machine.sh(&script, LONG)?, "whole\n")?;
    Ok(())
}
