//! The package manager in the machine: the scripts of `tests/gpm/`, each in an empty folder, and a package of Debian's that is made on the spot.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use vm::exec::command;
use vm::machine::{Changes, Disk, DiskFormat};

use crate::lab::{Lab, System};
use crate::{Test, check, cuts, wait};

const LIMIT: Duration = Duration::from_secs(300);
/// For each kill that is asked for.
const KILL_LIMIT: Duration = Duration::from_secs(10);
const FEW_KILLS: u32 = 12;
const MANY_KILLS: u32 = 200;
const FEW_CUTS: u32 = 3;
const MANY_CUTS: u32 = 25;
const IN_EMPTY_FOLDER: &str = r#"d=$(mktemp -d /var/tmp/gpm.XXXXXX) && cd "$d" && bash -c "$1"; s=$?; cd / && rm -rf "$d"; exit $s"#;

pub fn tests(folder: &Path) -> Vec<Test> {
    let script = |name: &'static str| {
        let folder = folder.to_owned();
        Test::new(format!("gpm/{name}"), move |lab| run(lab, &folder, name))
    };
    // The first one needs the image as it was delivered.
    let again = |name: &'static str, work: fn(&Lab, &Path, &str) -> Result<()>| {
        let folder = folder.to_owned();
        Test::new(name, move |lab| work(lab, &folder, name))
    };
    vec![
        script("image"),
        script("life"),
        script("kills"),
        script("attacks"),
        Test::new("gpm/debian", debian),
        again("gpm/archive", |lab, folder, _| archive(lab, folder)),
        again("power/packages", |lab, folder, name| power_cuts(lab, folder, name, FEW_CUTS)),
        again("soak/packages", |lab, folder, name| power_cuts(lab, folder, name, MANY_CUTS)),
        again("soak/kills", |lab, folder, _| run_with(lab, folder, "kills", b"", MANY_KILLS)),
    ]
}

fn run(lab: &Lab, folder: &Path, name: &str) -> Result<()> {
    run_with(lab, folder, name, b"", FEW_KILLS)
}

/// Runs a script with `input`, in which gpm is killed so often, or as often as `GPM_KILLS` says.
fn run_with(lab: &Lab, folder: &Path, name: &str, input: &[u8], kills: u32) -> Result<()> {
    let read = |name: &str| fs::read_to_string(folder.join(name)).with_context(|| format!("cannot read {name}"));
    let kills = std::env::var("GPM_KILLS").ok().map_or(Ok(kills), |it| it.parse::<u32>().context("GPM_KILLS is no number"))?;
    let settings = format!("KILLS={kills}\n");
    let limit = LIMIT + KILL_LIMIT * kills;
    let script = format!("{settings}{}\n{}", read("common.sh")?, read(&format!("{name}.sh"))?);
    let machine = if name == "image" { lab.fresh()? } else { lab.genai()? };
    let output = machine.exec().output(command(["bash", "-c", IN_EMPTY_FOLDER, "bash", &script], limit), input);
    machine.dir().check_panic()?;
    check::succeeds(&output?)
}

/// Tells the version that there is once the system has started after a power cut. gpm was not asked for anything before: the start alone has put
/// in order what was left.
const LOOK: &str = r#"
fail() { echo "$*" >&2; exit 1; }
[ ! -e /var/lib/gpm/transaction ] || fail "a transaction was left: $(ls -R /var/lib/gpm/transaction | head -20)"
now=$(cat /opt/both/1); now=${now#version }
[ "$(cat /opt/both/* | sort -u)" = "version $now" ] || fail "files of both versions: $(grep -H . /opt/both/* | head -40)"
[ -e "/opt/only-$now" ] && [ ! -e "/opt/only-$((3 - now))" ] || fail "version $now, and $(ls /opt)"
[ -e "/opt/fresh-$now/a/b/c" ] && [ ! -e "/opt/fresh-$((3 - now))" ] || fail "version $now, and $(ls /opt)"
[ "$(gpm list | grep '^both ')" = "both $now" ] || fail "version $now, and the database says $(gpm list | grep '^both ')"
gpm verify both >&2 || fail "what was verified is not whole"
echo "$now""#;

/// The power is cut at random moments while gpm goes from one version to the other: after the next start the system is the old one or the new one.
fn power_cuts(lab: &Lab, folder: &Path, name: &str, cuts: u32) -> Result<()> {
    let disk = lab.dir(name).join("disk.img");
    fs::create_dir_all(lab.dir(name))?;
    cuts::copy_sparse(&lab.images.genai()?.disk, &disk)?;
    let mut description = lab.describe(System::Genai)?;
    description.disk = Some(Disk { path: disk.clone(), format: DiskFormat::Raw, changes: Changes::Keep });
    let machine = lab.boot(name, &description)?;
    let read = |name: &str| fs::read_to_string(folder.join(name)).with_context(|| format!("cannot read {name}"));
    let prepared = machine.sh(&format!("mkdir -p /root/cuts; cd /root/cuts\n{}\n{}", read("common.sh")?, read("cuts.sh")?), LIMIT)?;
    check::succeeds(&prepared)?;
    let took: u64 = String::from_utf8_lossy(&prepared.stdout).trim().parse().context("how long it takes, in microseconds")?;
    let mut random = fastrand::Rng::with_seed(0x6770_6d00 + u64::from(cuts));
    let (mut machine, mut state, mut seen) = (machine, 2, [0, 0]);
    for cut in 1..=cuts {
        let other = 3 - state;
        let running = machine.exec().start(command(["gpm", "install", &format!("both={other}"), "--downgrade", "both", "--yes"], LIMIT))?;
        let running = thread::spawn(move || running.run(std::io::empty(), &mut std::io::sink(), &mut std::io::sink()));
        // Each second time near the end, where the switch is; and a little after it: what has ended must hold, too.
        let earliest = if cut % 2 == 0 { took * 3 / 4 } else { 0 };
        thread::sleep(Duration::from_micros(random.u64(earliest..took * 5 / 4)));
        machine.cut_power();
        // Whatever came of it.
        let _ = running.join();
        cuts::check_image(lab, &disk).with_context(|| format!("after power cut {cut}"))?;
        machine = lab.boot(name, &description)?;
        wait::for_text(&machine, "gci status", "console.target: reached", LIMIT).context("the end of the start")?;
        let looked = machine.sh(LOOK, LIMIT)?;
        check::succeeds(&looked).with_context(|| format!("after power cut {cut}, on the way from {state} to {other}"))?;
        let now: u32 = String::from_utf8_lossy(&looked.stdout).trim().parse().context("the version")?;
        seen[usize::from(now == other)] += 1;
        state = now;
        machine.dir().check_panic()?;
    }
    eprintln!("{cuts} power cuts: {} left the system that was, {} the one that was to be", seen[0], seen[1]);
    ensure!(cuts < MANY_CUTS || seen.iter().all(|it| *it > 0), "all cuts came at the same time: {seen:?}");
    machine.cut_power();
    fs::remove_file(disk)?;
    Ok(())
}

/// An archive in Debian's form that this host makes.
fn archive(lab: &Lab, folder: &Path) -> Result<()> {
    let work = lab.dir("gpm-archive");
    let _ = fs::remove_dir_all(&work);
    fs::create_dir_all(&work)?;
    let made = Command::new("bash").args(["-c", include_str!("../gpm-archive.sh"), "bash"]).arg(&work).output().context("cannot run bash")?;
    ensure!(made.status.success(), "the archive: {}", String::from_utf8_lossy(&made.stderr));
    let packed = Command::new("tar").arg("-C").arg(&work).args(["-c", "keys.gpg", "dists", "pool"]).output().context("cannot run tar")?;
    ensure!(packed.status.success(), "tar: {}", String::from_utf8_lossy(&packed.stderr));
    run_with(lab, folder, "archive", &packed.stdout, 0)
}

/// The host's `true` as a program of Debian's: it runs here, and what its scripts would do is known or refused.
fn debian(lab: &Lab) -> Result<()> {
    let work = lab.dir("gpm-debian");
    let tree = work.join("tree");
    let _ = fs::remove_dir_all(&tree);
    for folder in ["DEBIAN", "usr/bin", "etc"] {
        fs::create_dir_all(tree.join(folder))?;
    }
    fs::copy("/bin/true", tree.join("usr/bin/indeed"))?;
    fs::hard_link(tree.join("usr/bin/indeed"), tree.join("usr/bin/verily"))?;
    fs::write(tree.join("etc/indeed.conf"), "yes\n")?;
    fs::write(tree.join("DEBIAN/conffiles"), "/etc/indeed.conf\n")?;
    fs::write(tree.join("DEBIAN/triggers"), "activate-noawait ldconfig\n")?;
    // Which a program of the package gets, here too: `gpm verify` looks.
    fs::write(tree.join("DEBIAN/postinst"), "#!/bin/sh\nset -e\nsetcap cap_net_raw+ep /usr/bin/indeed\n")?;
    fs::set_permissions(tree.join("DEBIAN/postinst"), fs::Permissions::from_mode(0o755))?;
    fs::write(
        tree.join("DEBIAN/control"),
        "Package: indeed\nVersion: 1:1.0-1\nArchitecture: amd64\nMaintainer: Nobody <nobody@example.org>\nDescription: indeed\n",
    )?;
    let deb = work.join("indeed.deb");
    let built = Command::new("dpkg-deb").args(["--build", "--root-owner-group"]).args([&tree, &deb]).output().context("cannot run dpkg-deb")?;
    ensure!(built.status.success(), "dpkg-deb: {}", String::from_utf8_lossy(&built.stderr));
    let machine = lab.genai()?;
    let script = "set -e; rm -rf /var/tmp/deb; mkdir /var/tmp/deb; cd /var/tmp/deb; cat >indeed.deb; gpm import deb indeed.deb; \
                  gpm install ./indeed_1_1.0-1_x86_64.gcpkg --allow-unsigned --yes; indeed; verily; gpm verify indeed; \
                  cp --preserve=mode,timestamps /usr/bin/indeed copy; cat copy >/usr/bin/indeed; if gpm verify indeed; then exit 1; fi; \
                  gpm remove indeed --yes; gpm install ./indeed_1_1.0-1_x86_64.gcpkg --allow-unsigned --yes; gpm verify indeed; echo no >/etc/indeed.conf; gpm verify indeed; \
                  gpm remove indeed --yes; test ! -e /usr/bin/indeed; test -e /etc/indeed.conf; rm -r /etc/indeed.conf /var/tmp/deb";
    let output = machine.exec().output(command(["bash", "-c", script], LIMIT), &fs::read(&deb)?);
    machine.dir().check_panic()?;
    check::succeeds(&output?)
}
