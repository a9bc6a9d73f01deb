//! Drivers as processes: what happens when one dies.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::lab::Lab;
use crate::{Test, check};

const LONG: Duration = Duration::from_secs(240);

pub fn tests() -> Vec<Test> {
    vec![Test::new("vm/kill-the-disk-driver", kill_the_disk_driver)]
}

/// Kills virtio-blkd again and again while files are written and synced. Prints the number of kills, then what `sha256sum -c` says.
const KILL_UNDER_LOAD: &str = r#"
set -u
rm -rf /root/kill-test && mkdir /root/kill-test && cd /root/kill-test || exit 1
driver() {
    for p in /proc/[0-9]*; do
        # Not by the command line: this script's own contains the name.
        read -r name < "$p/comm" && [ "$name" = virtio-blkd ] && echo "${p#/proc/}" && return
    done 2>/dev/null
}
(
    for i in 1 2 3 4 5 6; do
        head -c 4000000 /dev/urandom > "file$i" && sync "file$i" && sha256sum "file$i" >> sums || exit 1
        sleep 0.3
    done
) &
writer=$!
kills=0
while kill -0 $writer 2>/dev/null && [ $kills -lt 4 ]; do
    sleep 0.4
    kill -9 "$(driver)" && kills=$((kills + 1))
done
wait $writer || exit 1
echo "$kills"
sync
sha256sum -c sums || exit 1
cd / && rm -r /root/kill-test
"#;

/// The driver of the disk is restarted, programs only notice the time, and what was synced is intact.
fn kill_the_disk_driver(lab: &Lab) -> Result<()> {
    let machine = lab.genai()?;
    let output = machine.sh(KILL_UNDER_LOAD, LONG)?;
    check::succeeds(&output)?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let kills: u32 = text.lines().next().and_then(|line| line.parse().ok()).unwrap_or(0);
    ensure!(kills >= 2, "the driver was killed {kills} times only:\n{text}");
    let good = text.lines().filter(|line| line.ends_with(": OK")).count();
    ensure!(good == 6, "{good} of 6 files are intact:\n{text}");
    Ok(())
}
