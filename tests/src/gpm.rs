//! The package manager in the machine: the scripts of `tests/gpm/`, each in an empty folder, and a package of Debian's that is made on the spot.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use vm::exec::command;

use crate::lab::Lab;
use crate::{Test, check};

const LIMIT: Duration = Duration::from_secs(300);
/// For each kill that is asked for.
const KILL_LIMIT: Duration = Duration::from_secs(10);
const IN_EMPTY_FOLDER: &str = r#"d=$(mktemp -d /var/tmp/gpm.XXXXXX) && cd "$d" && bash -c "$1"; s=$?; cd / && rm -rf "$d"; exit $s"#;

pub fn tests(folder: &Path) -> Vec<Test> {
    let script = |name: &'static str| {
        let folder = folder.to_owned();
        Test::new(format!("gpm/{name}"), move |lab| run(lab, &folder, name))
    };
    // The first one needs the image as it was delivered.
    vec![script("image"), script("life"), script("kills"), script("attacks"), Test::new("gpm/debian", debian), {
        let folder = folder.to_owned();
        Test::new("gpm/archive", move |lab| archive(lab, &folder))
    }]
}

fn run(lab: &Lab, folder: &Path, name: &str) -> Result<()> {
    run_with(lab, folder, name, b"")
}

/// Runs a script with `input`.
fn run_with(lab: &Lab, folder: &Path, name: &str, input: &[u8]) -> Result<()> {
    let read = |name: &str| fs::read_to_string(folder.join(name)).with_context(|| format!("cannot read {name}"));
    // GPM_KILLS: how often gpm is killed, where that is to be more often than usual.
    let kills = std::env::var("GPM_KILLS").ok().map(|it| it.parse::<u32>().context("GPM_KILLS is no number")).transpose()?;
    let settings = kills.map(|it| format!("KILLS={it}\n")).unwrap_or_default();
    let limit = LIMIT + KILL_LIMIT * kills.unwrap_or(0);
    let script = format!("{settings}{}\n{}", read("common.sh")?, read(&format!("{name}.sh"))?);
    let machine = if name == "image" { lab.fresh()? } else { lab.genai()? };
    let output = machine.exec().output(command(["bash", "-c", IN_EMPTY_FOLDER, "bash", &script], limit), input);
    machine.dir().check_panic()?;
    check::succeeds(&output?)
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
    run_with(lab, folder, "archive", &packed.stdout)
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
    fs::write(
        tree.join("DEBIAN/control"),
        "Package: indeed\nVersion: 1:1.0-1\nArchitecture: amd64\nMaintainer: Nobody <nobody@example.org>\nDescription: indeed\n",
    )?;
    let deb = work.join("indeed.deb");
    let built = Command::new("dpkg-deb").args(["--build", "--root-owner-group"]).args([&tree, &deb]).output().context("cannot run dpkg-deb")?;
    ensure!(built.status.success(), "dpkg-deb: {}", String::from_utf8_lossy(&built.stderr));
    let machine = lab.genai()?;
    let script = "set -e; rm -rf /var/tmp/deb; mkdir /var/tmp/deb; cd /var/tmp/deb; cat >indeed.deb; gpm import deb indeed.deb; \
                  gpm install ./indeed_1_1.0-1_x86_64.gcpkg --allow-unsigned --yes; indeed; verily; gpm verify indeed; echo no >/etc/indeed.conf; gpm verify indeed; \
                  gpm remove indeed --yes; test ! -e /usr/bin/indeed; test -e /etc/indeed.conf; rm -r /etc/indeed.conf /var/tmp/deb";
    let output = machine.exec().output(command(["bash", "-c", script], LIMIT), &fs::read(&deb)?);
    machine.dir().check_panic()?;
    check::succeeds(&output?)
}
