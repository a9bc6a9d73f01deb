//! Power cuts at random moments, under load: the filesystem is clean, and every file whose fsync was answered is whole.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use vm::exec::command;
use vm::machine::{Changes, Disk, DiskFormat};

use crate::lab::{Lab, Linkage, Machine, System};
use crate::{Test, check};

const LONG: Duration = Duration::from_secs(300);
/// The longest between two answers of the writer.
const SILENCE: Duration = Duration::from_secs(120);

pub fn tests() -> Vec<Test> {
    vec![
        Test::new("power/random-cuts", |lab| random_cuts(lab, "power/random-cuts", 2)),
        Test::new("soak/random-cuts", |lab| random_cuts(lab, "soak/random-cuts", 10)),
    ]
}

/// `$1` = the round. Prints `sha256sum`'s line of each file once it is synced. Beside it files are made, renamed, linked and deleted without being synced.
const WRITER: &str = r#"
mkdir -p /root/cuts/$1 /root/churn && cd /root/cuts/$1 || exit 1
(
    cd /root/churn
    while :; do
        for i in {1..40}; do echo "$RANDOM $i" > n$i; done
        mkdir -p d && mv n1 d/m; ln -f n2 d/l; rm -f n3 n4; head -c 300000 /dev/zero > big; truncate -s 1000 big; rm -rf d
    done
) &
for ((n = 0; ; n++)); do
    head -c $((RANDOM * 12 + 1)) /dev/urandom > new
    mv new file$n
    sync file$n || exit 1
    sha256sum "$PWD/file$n"
done"#;

fn random_cuts(lab: &Lab, name: &str, cuts: u32) -> Result<()> {
    let disk = lab.dir(name).join("disk.img");
    std::fs::create_dir_all(lab.dir(name))?;
    copy_sparse(&lab.images.genai()?.disk, &disk)?;
    let mut description = lab.describe(System::Genai)?;
    description.disk = Some(Disk { path: disk.clone(), format: DiskFormat::Raw, changes: Changes::Keep });
    let mut random = fastrand::Rng::with_seed(0x000c_0ffe_e000 + u64::from(cuts));
    let mut synced: Vec<String> = Vec::new();
    for cut in 0..cuts {
        let machine = lab.boot(name, &description)?;
        verify(&machine, &synced).with_context(|| format!("after {cut} power cuts"))?;
        let round = cut.to_string();
        let running = machine.exec().start(command(["bash", "-c", WRITER, "writer", &round], LONG))?;
        let (reader, mut writer) = std::io::pipe()?;
        let writing = thread::spawn(move || running.run(std::io::empty(), &mut writer, &mut std::io::sink()));
        let answers = lines_of(reader);
        // At least one, so that there is something to lose; then at any moment.
        for _ in 0..random.usize(1..12) {
            match answers.recv_timeout(SILENCE) {
                Ok(line) => synced.push(line),
                Err(_) => bail!("the writer stopped in round {cut}, after {} files", synced.len()),
            }
        }
        thread::sleep(Duration::from_millis(random.u64(..1_500)));
        machine.cut_power();
        let _ = writing.join();
        // What was answered before the cut counts, too; a line may be cut in the middle.
        synced.extend(answers.iter().filter(|line| line.contains("  /root/cuts/") && line.rsplit("file").next().is_some_and(|n| !n.is_empty())));
        check_image(lab, &disk).with_context(|| format!("after power cut {}", cut + 1))?;
    }
    let machine = lab.boot(name, &description)?;
    verify(&machine, &synced).context("after the last power cut")?;
    std::fs::remove_file(disk)?;
    Ok(())
}

/// Complete lines only: the last one is not taken without its end.
fn lines_of(reader: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut reader = BufReader::new(reader);
        let mut line = String::new();
        while reader.read_line(&mut line).is_ok_and(|length| length > 0) && line.ends_with('\n') {
            if sender.send(line.trim_end().to_owned()).is_err() {
                return;
            }
            line.clear();
        }
    });
    receiver
}

fn verify(machine: &Machine, synced: &[String]) -> Result<()> {
    let list = synced.join("\n") + "\n";
    if !synced.is_empty() {
        let output = machine.exec().output(command(["sha256sum", "-c", "--quiet", "-"], LONG), list.as_bytes())?;
        check::succeeds(&output).with_context(|| format!("{} synced files", synced.len()))?;
    }
    // The filesystem can be changed everywhere.
    check::prints(&machine.sh("rm -rf /root/churn && mkdir /root/churn && echo new > /root/churn/x && cat /root/churn/x", LONG)?, "new\n")
}

/// `redoxfsd --check` on the image's root partition.
pub(crate) fn check_image(lab: &Lab, disk: &Path) -> Result<()> {
    let (offset, length) = root_partition(disk)?;
    let output = Command::new(lab.images.program("redoxfsd", Linkage::Static)?)
        .args(["--offset", &offset.to_string(), "--length", &length.to_string(), "--check"])
        .arg(disk)
        .output()
        .context("cannot run redoxfsd")?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(output.status.success() && said.ends_with("clean\n"), "redoxfsd --check: {said}{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// Where the third partition of a GPT lies, in bytes.
fn root_partition(disk: &Path) -> Result<(u64, u64)> {
    let output = Command::new("partx").args(["--noheadings", "--raw", "--nr", "3", "-o", "START,SECTORS"]).arg(disk).output().context("cannot run partx")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut numbers = text.split_whitespace().map(str::parse::<u64>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(start)), Some(Ok(sectors))) => Ok((start * 512, sectors * 512)),
        _ => bail!("partx does not find the third partition: {text:?}"),
    }
}

pub(crate) fn copy_sparse(from: &Path, to: &Path) -> Result<()> {
    let status = Command::new("cp").args(["--sparse=always", "--reflink=auto", "--"]).args([from, to]).status().context("cannot run cp")?;
    ensure!(status.success(), "cp failed ({status})");
    Ok(())
}
