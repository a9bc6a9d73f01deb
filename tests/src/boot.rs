//! Starts: through GRUB from each firmware and medium, and of machines of other shapes.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use vm::machine::{Boot, Firmware};
use vm::screen::Picture;

use crate::lab::{Lab, System};
use crate::{Test, check, wait};

const SHORT: Duration = Duration::from_secs(60);
const LONG: Duration = Duration::from_secs(180);

pub fn tests() -> Vec<Test> {
    vec![
        Test::new("boot/bios-disk", |lab| grub(lab, "boot/bios-disk", Firmware::Bios)),
        Test::new("boot/uefi-disk", |lab| grub(lab, "boot/uefi-disk", Firmware::Uefi)),
        Test::new("boot/one-cpu", |lab| shape(lab, "boot/one-cpu", 1, 512, "Nehalem")),
        Test::new("boot/eight-cpus", |lab| shape(lab, "boot/eight-cpus", 8, 1024, "Nehalem")),
        Test::new("boot/cpu-max", |lab| shape(lab, "boot/cpu-max", 2, 1024, "max")),
        Test::new("boot/memory-above-4g", |lab| shape(lab, "boot/memory-above-4g", 2, 5120, "Nehalem")),
    ]
}

fn grub(lab: &Lab, name: &str, firmware: Firmware) -> Result<()> {
    let mut description = lab.describe(System::Genai)?;
    description.boot = Boot::Firmware { firmware, cdrom: None };
    let machine = lab.boot(name, &description)?;
    let parameters = machine.sh("cat /proc/cmdline", SHORT)?;
    check::succeeds(&parameters)?;
    let parameters = String::from_utf8_lossy(&parameters.stdout).into_owned();
    ensure!(parameters.contains("consciousness=0.8"), "not the menu's parameters: {parameters}");
    // The menu's first entry leads to the desktop.
    wait::for_text(&machine, "gdectl outputs", "scale 1", LONG).context("the desktop")?;
    let picture = Picture::of(machine.dir())?;
    picture.save(&machine.dir().file("screen.png"))?;
    ensure!(picture.colours() > 1, "the screen of {}x{} is blank", picture.width, picture.height);
    ensure!(picture.width >= 800, "the screen is not in a graphics mode: {}x{}", picture.width, picture.height);
    Ok(())
}

fn shape(lab: &Lab, name: &str, cpus: u32, memory_mib: u32, cpu: &str) -> Result<()> {
    let mut description = lab.describe(System::Genai)?;
    (description.cpus, description.memory_mib, description.cpu) = (cpus, memory_mib, cpu.into());
    let machine = lab.boot(name, &description)?;
    check::prints(&machine.sh("nproc", SHORT)?, &format!("{cpus}\n"))?;
    let output = machine.sh("while read -r name value _; do [ $name = MemTotal: ] && echo $value; done < /proc/meminfo", SHORT)?;
    check::succeeds(&output).or_else(|error| if output.stdout.is_empty() { Err(error) } else { Ok(()) })?;
    let total_kib: u64 = String::from_utf8_lossy(&output.stdout).trim().parse()?;
    let expected_kib = u64::from(memory_mib) << 10;
    ensure!(
        (expected_kib * 8 / 10..=expected_kib).contains(&total_kib),
        "{total_kib} KiB of memory in a machine of {memory_mib} MiB"
    );
    Ok(())
}
