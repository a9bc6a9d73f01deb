//! Images boot: GRUB by BIOS and by UEFI, from the disk and from the ISO, hands kernel, initfs, framebuffer and boot parameters
//! over. Needs QEMU and OVMF.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use image_builder::Report;
use image_builder::build::{BootOptions, Builder};
use image_builder::debian::fetch::Missing;
use image_builder::recipe::Project;

/// Debian's UEFI firmware for QEMU (package ovmf).
const OVMF: &str = "/usr/share/OVMF/OVMF_CODE.fd";

/// A project without packages around the repository's real boot menu.
fn project(folder: &Path) -> Project {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    fs::create_dir_all(folder.join("recipes")).expect("create");
    fs::create_dir_all(folder.join("editions")).expect("create");
    fs::write(folder.join("recipes/debian.toml"), "[exclude]\n").expect("write");
    fs::write(folder.join("recipes/lock.toml"), "package = []\n").expect("write");
    fs::write(
        folder.join("editions/desktop.toml"),
        "summary = \"test\"\ncmdline = \"foo.bar=1\"\n",
    )
    .expect("write");
    let filesystem = "recipes = []\n[disk]\nsize_mib = 160\nesp_mib = 48\n[trim]\nremove = []\nkeep = []\n\
                      [linux]\npackage = \"none\"\nmodules = []\n";
    fs::write(folder.join("filesystem.toml"), filesystem).expect("write");
    std::os::unix::fs::symlink(repository.join("boot"), folder.join("boot")).expect("link");
    Project::load(folder, "desktop").expect("a valid project")
}

/// Compiles the kernel that reports.
fn kernel(folder: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/multiboot2.c");
    let output = folder.join("kernel.elf");
    let mut command = Command::new("cc");
    command.args([
        "-m32",
        "-O1",
        "-ffreestanding",
        "-fno-toplevel-reorder",
        "-fno-stack-protector",
        "-fno-pic",
        "-fcf-protection=none",
    ]);
    command
        .args([
            "-nostdlib",
            "-static",
            "-no-pie",
            "-Wl,-Ttext=0x100000",
            "-Wl,--build-id=none",
            "-o",
        ])
        .arg(&output)
        .arg(&source);
    assert!(
        command.status().expect("cc runs").success(),
        "the test kernel compiles"
    );
    output
}

/// QEMU, ended when the test ends.
struct Qemu(Child);

impl Drop for Qemu {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Boots and returns what came on the serial line until the kernel's `end`.
fn boot(folder: &Path, name: &str, firmware: Option<&str>, drive: &[&str]) -> String {
    let serial = folder.join(format!("{name}.serial"));
    let mut command = Command::new("qemu-system-x86_64");
    command.args([
        "-accel",
        "tcg,thread=multi",
        "-cpu",
        "Nehalem",
        "-m",
        "512",
        "-machine",
        "q35",
        "-display",
        "none",
        "-no-reboot",
    ]);
    command.args([
        "-device",
        "virtio-vga,xres=1280,yres=800",
        "-device",
        "isa-debug-exit,iobase=0xf4,iosize=4",
        "-nic",
        "none",
    ]);
    if let Some(firmware) = firmware {
        command.args([
            "-drive",
            &format!("if=pflash,format=raw,readonly=on,file={firmware}"),
        ]);
    }
    command
        .arg("-serial")
        .arg(format!("file:{}", serial.display()))
        .args(drive)
        .stdin(Stdio::null());
    let mut qemu = Qemu(command.spawn().expect("qemu-system-x86_64 runs"));
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        let ended = qemu.0.try_wait().expect("waits").is_some();
        let said = String::from_utf8_lossy(&fs::read(&serial).unwrap_or_default()).into_owned();
        if ended || said.contains("\r\nend\r\n") {
            return said;
        }
        assert!(
            Instant::now() < deadline,
            "{name}: the kernel did not report; the serial line said:\n{said}"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn check(name: &str, said: &str, cmdline: &str, initfs: u64) {
    for expected in [
        "multiboot2 yes".to_owned(),
        format!("cmdline {cmdline}\r\n"),
        format!("module {initfs} initfs"),
        "framebuffer 1280x800".into(),
    ] {
        assert!(
            said.contains(&expected),
            "{name}: no {expected:?} in:\n{said}"
        );
    }
}

#[test]
fn disk_and_iso_boot_by_bios_and_uefi() {
    let scratch = tempfile::tempdir().expect("temporary directory");
    let folder = scratch.path();
    let project = project(folder);
    let report = Report::new(|_| {});
    let builder = Builder {
        project: &project,
        out: folder.join("build"),
        cache: folder.join("cache"),
        missing: Missing::Fail,
        programs: BTreeMap::new(),
        static_programs: BTreeMap::new(),
        report: &report,
    };
    let kernel = kernel(folder);
    let options = BootOptions {
        timeout_s: 0,
        default_entry: "console".into(),
        cmdline: "loglevel=7 a.b=c".into(),
    };
    let cmdline = "consciousness=0.4 ai=local education=off security=standard target=console foo.bar=1 loglevel=7 a.b=c";
    let disk = builder.disk(&kernel, &options).expect("a disk");
    let iso = builder.iso(&kernel, &options).expect("an ISO");
    let length = |name: &str| fs::metadata(folder.join("build").join(name)).expect("an initfs").len();
    // The medium has a disk in its initfs, and that is the root.
    let live = format!("{cmdline} root=/scheme/disk.live/3");
    let (of_disk, of_iso) = ((cmdline, length("initfs.cpio")), (live.as_str(), length("live-initfs.cpio")));
    assert!(of_iso.1 > of_disk.1);
    let disk = format!("file={},format=raw,if=virtio,snapshot=on", disk.display());
    let iso = iso.display().to_string();
    for (name, firmware, drive, (cmdline, initfs)) in [
        ("bios-disk", None, ["-drive", &disk], of_disk),
        ("uefi-disk", Some(OVMF), ["-drive", &disk], of_disk),
        ("bios-iso", None, ["-cdrom", &iso], of_iso),
        ("uefi-iso", Some(OVMF), ["-cdrom", &iso], of_iso),
    ] {
        let start = Instant::now();
        check(name, &boot(folder, name, firmware, &drive), cmdline, initfs);
        println!(
            "{name}: hand-over after {:.1} s",
            start.elapsed().as_secs_f64()
        );
    }
}
