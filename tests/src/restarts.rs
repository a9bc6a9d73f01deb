//! Drivers that are killed or hang at random, under load: programs only notice the time, and nothing that they were told is lost.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use vm::machine::{Changes, Disk, DiskFormat};

use crate::cuts::{check_image, copy_sparse};
use crate::lab::{Lab, Machine, System};
use crate::{Test, check};

pub fn tests() -> Vec<Test> {
    vec![
        Test::new("vm/kill-the-filesystem", kill_the_filesystem),
        Test::new("power/restart-20", |lab| on_a_disk_of_its_own(lab, "power/restart-20", 20)),
        Test::new("soak/restart-1000", |lab| on_a_disk_of_its_own(lab, "soak/restart-1000", 1000)),
    ]
}

/// `$1` = how often, `$2` = a seed, the rest: the drivers. Two workers make, rename, link, delete and sync files and remember what is in each; an open deleted file and a file
/// that was synced before stay what they are. Prints how long each driver's absence was felt (a new file synced), in microseconds, then what was wrong, then `whole` if nothing.
const LOAD: &str = r#"
kills=$1 seed=$2; shift 2
dir=/root/restarts; rm -rf $dir; mkdir $dir && cd $dir || exit 1
pid_of() {
    local p name
    # Not by the command line: this script's own contains the name.
    for p in /proc/[0-9]*; do read -r name < "$p/comm" && [ "$name" = "$1" ] && echo "${p#/proc/}" && return; done 2>/dev/null
}
worker() {
    local w=$1 n=0 f g i; declare -a sum
    RANDOM=$((seed * 10 + w)); mkdir w$w
    while [ ! -e stop ]; do
        n=$((n + 1)); f=$((RANDOM % 40)) g=$((RANDOM % 40))
        case $((RANDOM % 7)) in
            0|1) head -c $((RANDOM * 3)) /dev/urandom > w$w/$f || echo "writing $f failed"; sum[$f]=$(sha256sum < w$w/$f) ;;
            2) [ -z "${sum[$f]:-}" ] || { rm w$w/$f || echo "rm failed"; unset "sum[$f]"; } ;;
            3) [ -z "${sum[$f]:-}" ] || [ $f = $g ] || { mv -f w$w/$f w$w/$g || echo "mv failed"; sum[$g]=${sum[$f]}; unset "sum[$f]"; } ;;
            4) [ -z "${sum[$f]:-}" ] || sync w$w/$f || echo "sync failed" ;;
            5) [ -z "${sum[$f]:-}" ] || { ln -f w$w/$f w$w/link && chmod 640 w$w/$f || echo "ln failed"; } ;;
            6) for i in {1..20}; do echo $i > w$w/t$i || echo "making t$i failed"; done; mkdir w$w/d && rmdir w$w/d || echo "mkdir failed"; rm w$w/t* || echo "rm t failed" ;;
        esac
    done
    for i in {0..39}; do
        if [ -z "${sum[$i]:-}" ]; then [ ! -e w$w/$i ] || echo "w$w/$i came back"
        else [ "$(sha256sum < w$w/$i)" = "${sum[$i]}" ] || echo "w$w/$i differs"; fi
    done
    [ "$(ls w$w | grep -c ^t)" = 0 ] || echo "t files came back"
}
# Somebody watches a file: then the use of every file is looked at.
: > /run/watched; tail -f /run/watched > /dev/null & watcher=$!
exec 7<> open; head -c 300000 /dev/urandom >&7; rm open; open=$(sha256sum < /dev/fd/7)
head -c 500000 /dev/urandom > synced; sync synced; synced=$(sha256sum < synced)
workers=
for w in 1 2; do worker $w > said$w & workers="$workers $!"; done
RANDOM=$seed; done=0; felt=
while [ $done -lt $kills ]; do
    read -rt 0.$((RANDOM % 4))$((RANDOM % 10)) <> <(:)
    name=$((RANDOM % $# + 1)); name=${!name}; pid=$(pid_of "$name")
    [ -n "$pid" ] || continue
    # Every twentieth is not killed, but hangs.
    if [ $((RANDOM % 20)) = 0 ] && [ "$name" != pcid ] && [ "$name" != ps2d ] && [ "$name" != fbcond ] && [ "$name" != inputd ]; then signal=STOP; else signal=KILL; fi
    begun=${EPOCHREALTIME/./}
    kill -$signal $pid && done=$((done + 1))
    [ $signal = STOP ] || [ $((RANDOM % 4)) != 0 ] || { echo $done > probe; sync probe; felt="$felt $((${EPOCHREALTIME/./} - begun))"; }
done
: > stop; wait $workers
kill $watcher
echo $felt
cat said1 said2
[ "$(sha256sum < /dev/fd/7)" = "$open" ] || echo "the open file differs"
[ "$(sha256sum < synced)" = "$synced" ] || echo "the synced file differs"
exec 7>&-
cd /; sync; rm -r $dir && sync || echo "cleaning up failed"
echo whole
"#;

fn load(machine: &Machine, kills: u32, seed: u32, drivers: &[&str]) -> Result<()> {
    let (count, seed) = (kills.to_string(), seed.to_string());
    let mut words = vec!["bash", "-c", LOAD, "load", &count, &seed];
    words.extend(drivers);
    let limit = Duration::from_secs(240 + 6 * u64::from(kills));
    let output = machine.exec().output(vm::exec::command(words, limit), b"")?;
    check::succeeds(&output)?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut lines = text.lines();
    let mut felt: Vec<u64> = lines.next().unwrap_or_default().split(' ').filter_map(|word| word.parse().ok()).collect();
    ensure!(lines.collect::<Vec<_>>() == ["whole"], "not everything is as it was:\n{text}{}", String::from_utf8_lossy(&output.stderr));
    felt.sort_unstable();
    if let Some(median) = felt.get(felt.len() / 2) {
        eprintln!("    {kills} kills; from a kill to a new file on the disk: median {} ms of {}", median / 1000, felt.len());
    }
    Ok(())
}

fn kill_the_filesystem(lab: &Lab) -> Result<()> {
    load(&*lab.genai()?, 8, 1, &["redoxfsd", "redoxfsd", "virtio-blkd"])
}

fn on_a_disk_of_its_own(lab: &Lab, name: &str, kills: u32) -> Result<()> {
    let disk = lab.dir(name).join("disk.img");
    std::fs::create_dir_all(lab.dir(name))?;
    copy_sparse(&lab.images.genai()?.disk, &disk)?;
    let mut description = lab.describe(System::Genai)?;
    description.disk = Some(Disk { path: disk.clone(), format: DiskFormat::Raw, changes: Changes::Keep });
    let machine = lab.boot(name, &description)?;
    let drivers = ["redoxfsd", "redoxfsd", "virtio-blkd", "pcid", "ps2d", "fbcond", "inputd"];
    let mut left = kills;
    // In pieces, so that what goes wrong is seen soon.
    for seed in 1.. {
        let now = left.min(100);
        load(&machine, now, seed, &drivers).with_context(|| format!("with {} of {kills} kills to go", left - now))?;
        left -= now;
        if left == 0 {
            break;
        }
    }
    check::prints(&machine.sh("sync; echo here", Duration::from_secs(120))?, "here\n")?;
    ensure!(machine.is_sound(), "the machine is not well");
    machine.cut_power();
    check_image(lab, &disk)?;
    std::fs::remove_file(disk)?;
    Ok(())
}
