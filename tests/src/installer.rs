//! The live medium, and the installer: from the system that runs live onto an empty disk, which then starts alone by BIOS and UEFI.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use vm::console::Console;
use vm::exec::Output;
use vm::machine::{Boot, Changes, Disk, DiskFormat, Firmware, Machine as Description};

use crate::lab::{BOOT_LIMIT, Lab, Linkage, Machine, System};
use crate::{Test, check, wait};

const SHORT: Duration = Duration::from_secs(60);
/// To copy a system, emulated and on a busy host.
const LONG: Duration = Duration::from_secs(400);
const DISK_MIB: u64 = 400;

/// What is installed; DISK and ERASE are put in.
const ANSWERS: &str = "disk = \"DISK\"\nERASE\nhostname = \"box\"\ntimezone = \"Europe/Berlin\"\nroot_password = \"root's\"\n\
                       [[user]]\nname = \"ada\"\nfull_name = \"Ada Lovelace\"\npassword = \"engine\"\nadministrator = true\n";

pub fn tests() -> Vec<Test> {
    vec![Test::new("live/uefi", live), Test::new("installer/disk", disk), Test::new("installer/encrypted", encrypted)]
}

/// An empty disk.
fn empty(lab: &Lab, name: &str) -> Result<PathBuf> {
    let folder = lab.dir(name);
    std::fs::create_dir_all(&folder)?;
    let path = folder.join("target.img");
    let file = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
    file.set_len(DISK_MIB << 20)?;
    Ok(path)
}

/// A second disk for a machine.
fn attach(description: &mut Description, disk: &Path) {
    let drive = format!("if=none,id=target,format=raw,file={}", disk.display().to_string().replace(',', ",,"));
    description.extra.extend(["-drive".into(), drive, "-device".into(), "virtio-blk-pci,drive=target,addr=0x9".into()]);
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Has `disk` (such as `vdb`) refused where its erasure is not asked for, and installs to it.
fn install(machine: &Machine, disk: &str) -> Result<()> {
    let listed = machine.sh("genai-install disks", SHORT)?;
    check::succeeds(&listed)?;
    let id = format!("{disk}-{DISK_MIB}MiB");
    ensure!(text(&listed).contains(&id) && text(&listed).contains("nothing in its beginning"), "the disks: {}", text(&listed));
    let answers = |erase: &str| ANSWERS.replace("DISK", &format!("/dev/{disk}")).replace("ERASE", erase);
    let run = |erase: &str, options: &str, limit| {
        machine.sh(&format!("cat > /tmp/answers.toml <<'END'\n{}END\ngenai-install install {options} /tmp/answers.toml", answers(erase)), limit)
    };
    for (erase, wanted) in [("", "would be erased"), ("erase = \"vdz-1MiB\"", "is not this disk"), ("erases = true", "unknown field")] {
        let output = run(erase, "", SHORT)?;
        ensure!(check::succeeds(&output).is_err() && text(&output).contains(wanted), "{erase:?}: {}", text(&output));
    }
    let erase = format!("erase = \"{id}\"");
    let planned = run(&erase, "--dry-run", SHORT)?;
    check::succeeds(&planned)?;
    ensure!(text(&planned).contains("Ada Lovelace, administrator"), "the plan: {}", text(&planned));
    let still = text(&machine.sh("genai-install disks", SHORT)?);
    ensure!(still.contains("nothing in its beginning"), "the disk was written to: {still}");
    let installed = run(&erase, "--json", LONG)?;
    check::succeeds(&installed)?;
    let said = String::from_utf8_lossy(&installed.stdout);
    ensure!(said.trim_end().ends_with("{\"event\":\"done\"}"), "{}", text(&installed));
    let done = text(&machine.sh("genai-install disks", SHORT)?);
    ensure!(done.contains("\"genai-root\""), "what is on the disk: {done}");
    Ok(())
}

/// A machine of nothing but an installed disk.
fn of_disk(lab: &Lab, disk: &Path, firmware: Firmware, changes: Changes) -> Result<Description> {
    let mut description = lab.describe(System::Server)?;
    description.boot = Boot::Firmware { firmware, cdrom: None };
    description.memory_mib = 512;
    description.disk = Some(Disk { path: disk.to_owned(), format: DiskFormat::Raw, changes });
    Ok(description)
}

/// Starts an installed disk alone.
fn start(lab: &Lab, name: &str, disk: &Path, firmware: Firmware) -> Result<Machine> {
    lab.boot(name, &of_disk(lab, disk, firmware, Changes::Discard)?)
}

/// The installed system is the one that was asked for.
fn look(machine: &Machine) -> Result<()> {
    let script = "cat /etc/hostname; hostname; date -d @1700000000 +%Z; id -nG ada | tr ' ' '\\n' | grep -x sudo; ls -ld /home/ada | cut -c1-10; \
                  grep -o 'root=PARTUUID=' /proc/cmdline; gpm verify edition-server >/dev/null && echo verified; cat /home/ada/.profile >/dev/null && echo home";
    check::prints(&machine.sh(script, SHORT)?, "box\nbox\nCET\nsudo\ndrwx------\nroot=PARTUUID=\nverified\nhome\n")?;
    // By the password: from a user who is not root.
    let script = "su -s /bin/bash nobody -c 'echo engine | su ada -c \"id -un\"' 2>/dev/null; su -s /bin/bash nobody -c 'echo wrong | su ada -c \"id -un\"' >/dev/null 2>&1 || echo refused";
    check::prints(&machine.sh(script, SHORT)?, "ada\nrefused\n")?;
    // Text consoles ask who is there.
    let script = "for i in $(seq 100); do pgrep -x agetty >/dev/null && break; sleep 0.2; done; pgrep -x agetty >/dev/null && echo asks";
    check::prints(&machine.sh(script, SHORT)?, "asks\n")
}

/// A machine with the live medium, and no disk.
fn of_cd(lab: &Lab, firmware: Firmware) -> Result<Description> {
    let mut description = lab.describe(System::Server)?;
    let cdrom = lab.images.server.as_ref().and_then(|server| server.iso.clone()).context("there is no boot CD")?;
    description.boot = Boot::Firmware { firmware, cdrom: Some(cdrom) };
    description.disk = None;
    Ok(description)
}

/// A system that runs live is a whole one: what is written stays until it ends, and the packages are as they were made.
fn live(lab: &Lab) -> Result<()> {
    let machine = lab.boot("live/uefi", &of_cd(lab, Firmware::Uefi)?)?;
    let script = "cat /run/gci/root-device; echo kept > /var/tmp/kept; head -c 20000000 /dev/urandom > /var/tmp/large; sha256sum /var/tmp/large > /var/tmp/sum; sync; \
                  cat /var/tmp/kept; sha256sum -c /var/tmp/sum; gpm verify edition-server > /dev/null && echo verified";
    check::prints(&machine.sh(script, LONG)?, "/scheme/disk.live/3\nkept\n/var/tmp/large: OK\nverified\n")
}

fn disk(lab: &Lab) -> Result<()> {
    let target = empty(lab, "installer/disk")?;
    let mut description = of_cd(lab, Firmware::Bios)?;
    attach(&mut description, &target);
    let machine = lab.boot("installer/disk", &description)?;
    install(&machine, "vda")?;
    let own = machine.sh("sed -i 's/^disk.*/disk = \"\\/scheme\\/disk.live\"/; s/^erase.*/erase = \"disk.live-448MiB\"/' /tmp/answers.toml; genai-install install /tmp/answers.toml", SHORT)?;
    ensure!(check::succeeds(&own).is_err() && text(&own).contains("the running system is on it"), "the system's own disk: {}", text(&own));
    // As a power cut does: what was installed is on the disk.
    machine.cut_power();
    let machine = start(lab, "installer/disk-bios", &target, Firmware::Bios)?;
    look(&machine).context("started by BIOS")?;
    machine.cut_power();
    let machine = start(lab, "installer/disk-uefi", &target, Firmware::Uefi)?;
    check::prints(&machine.sh("cat /etc/hostname", SHORT)?, "box\n").context("started by UEFI")?;
    machine.cut_power();
    std::fs::remove_file(&target).context("cannot remove the disk")
}

/// Gives a disk another password by `lines`, and looks for `wanted` in what the installer says.
fn change_password(lab: &Lab, disk: &Path, lines: &str, wanted: &str) -> Result<()> {
    let (reader, mut writer) = std::io::pipe()?;
    writer.write_all(lines.as_bytes())?;
    drop(writer);
    let mut installer = std::process::Command::new(lab.images.program("genai-install", Linkage::Static)?);
    let output = installer.arg("password").arg(disk).stdin(reader).output().context("running the installer on this host")?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    ensure!(said.contains(wanted), "changing the password: {said}");
    Ok(())
}

/// An encrypted disk, which is made on this host: nothing of the system is readable on it, and it starts once its password, which has been changed since, is typed. The daemon that
/// serves it can be killed without anybody being asked again.
fn encrypted(lab: &Lab) -> Result<()> {
    const PASSWORD: &str = "correct horse battery";
    const CHANGED: &str = "staple, rather";
    let target = empty(lab, "installer/encrypted")?;
    let image = lab.images.server.as_ref().context("the server's edition was not built")?.disk.clone();
    let root = image.with_file_name("root");
    let answers = target.with_file_name("answers.toml");
    let lines = ANSWERS.replace("DISK", &target.display().to_string()).replace("ERASE", &format!("erase = \"target.img-{DISK_MIB}MiB\"\ndisk_password = \"{PASSWORD}\""));
    std::fs::write(&answers, lines)?;
    let mut installer = std::process::Command::new(lab.images.program("genai-install", Linkage::Static)?);
    installer.arg("install").arg(&answers).arg("--source").arg(&image).arg("--root").arg(&root);
    let output = installer.stdin(std::process::Stdio::null()).output().context("running the installer on this host")?;
    ensure!(output.status.success(), "the installer: {}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    change_password(lab, &target, &format!("{PASSWORD}\nno\nno\n"), "at least 8")?;
    change_password(lab, &target, &format!("not {PASSWORD}\n{CHANGED}\n{CHANGED}\n"), "not the filesystem's password")?;
    change_password(lab, &target, &format!("{PASSWORD}\n{CHANGED}\n{CHANGED}\n"), "Changed.")?;
    // Both are everywhere on a disk that is not encrypted, but for the boot loader's partitions.
    let disk = std::fs::read(&target)?;
    let root_at = 70 << 20;
    for word in ["/usr/share/", "\u{7f}ELF\u{2}\u{1}\u{1}"] {
        ensure!(!disk[root_at..].windows(word.len()).any(|it| it == word.as_bytes()), "{word:?} can be read on the disk");
    }
    drop(disk);
    let machine = lab.start("installer/encrypted-start", &of_disk(lab, &target, Firmware::Bios, Changes::Discard)?)?;
    let mut console = Console::connect(machine.dir())?;
    console.expect("is encrypted. Its password:", BOOT_LIMIT)?;
    console.send(&format!("{PASSWORD}\r"))?;
    console.expect("That is not the password.", SHORT)?;
    console.send(&format!("{CHANGED}\r"))?;
    console.expect("is at generation", BOOT_LIMIT)?;
    // A console that nobody reads would hold the machine up.
    drop(console);
    machine.dir().wait_ready(BOOT_LIMIT)?;
    let shown = std::fs::read(machine.dir().serial_log())?;
    ensure!(![PASSWORD, CHANGED].iter().any(|password| shown.windows(password.len()).any(|it| it == password.as_bytes())), "the password was shown");
    wait::for_text(&machine, "gci status", "console.target: reached", LONG).context("the end of the start")?;
    let script = "echo before > /var/tmp/kept; sync; pid=$(pidof redoxfsd); kill -9 $pid; sync; cat /etc/hostname /var/tmp/kept; \
                  [ $(pidof redoxfsd) != $pid ] && echo again; tr '\\0' ' ' < /proc/$(pidof redoxfsd)/cmdline | grep -c staple; true";
    check::prints(&machine.sh(script, SHORT)?, "box\nbefore\nagain\n0\n")?;
    // People log in where they are asked who they are.
    let mut console = Console::connect(machine.dir())?;
    console.send("\r")?;
    console.expect("box login:", SHORT)?;
    console.send("ada\r")?;
    console.expect("Password:", SHORT)?;
    console.send("engine\r")?;
    // What is typed before the shell is there is thrown away.
    console.expect("ada@box", LONG).context("logging in")?;
    console.send("echo $((40 + 2)) $(id -un) $(cat /proc/self/loginuid)\r")?;
    console.expect("42 ada 100", SHORT).context("logging in")?;
    machine.cut_power();
    std::fs::remove_file(&target).context("cannot remove the disk")
}
