//! Process 1: units, commands, journal, and starts that go wrong.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use vm::machine::{Changes, Disk, DiskFormat};

use crate::lab::{Lab, Machine, System};
use crate::{Test, check};

const LONG: Duration = Duration::from_secs(180);

pub fn tests() -> Vec<Test> {
    vec![
        Test::new("gci/units", units),
        Test::new("gci/memory", memory),
        Test::new("gci/broken-units-and-failed-starts", broken_units_and_failed_starts),
    ]
}

fn says(machine: &Machine, script: &str) -> Result<String> {
    let output = machine.sh(script, LONG)?;
    check::succeeds(&output).with_context(|| script.to_owned())?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What commands do to units. Polls, with a limit, for what takes time; leaves nothing behind.
const UNITS: &str = r#"
set -u; cd /etc/gci 2>/dev/null || { mkdir -p /etc/gci && cd /etc/gci; } || exit 1
until_it() { local n=0; until eval "$1"; do n=$((n + 1)); [ $n -lt 1200 ] || { echo "never: $1"; return 1; }; read -rt 0.05 <> <(:); done; return 0; }
unit() { printf '%b' "[GenAI Service]\n$2\n" > "$1.gcservice"; }
pid() { gci --json status "$1" | grep -o '"pid":[0-9]*' | cut -d: -f2; }
trap 'gci stop t-steady t-crash t-mute >/dev/null 2>&1; rm -rf /etc/gci/t-* /etc/gci/enabled /etc/gci/disabled; gci reload > /dev/null' EXIT
unit t-steady 'ExecStart=/bin/sh -c "echo hello from steady; exec sleep 100000"\nRestart=always\n[Installation]\nWantedBy=console.target\nEnabled=no'
unit t-crash 'ExecStart=/bin/sh -c "echo run >> /run/t-crash; exit 7"\nRestart=on-failure\nRestartSec=10ms\nStartLimitBurst=4'
unit t-mute 'ExecStart=/bin/sleep 100000\nType=notify\nTimeoutStartSec=1s'
unit t-l1 'ExecStart=/bin/true\n[Dependencies]\nAfter=t-l2\nWants=t-l2'
unit t-l2 'ExecStart=/bin/true\n[Dependencies]\nAfter=t-l1\nWants=t-l1'
unit t-typo 'ExecStrat=/bin/true'
gci reload | grep -o 't-typo.*:2: .*'
gci start t-steady && gci status t-steady | grep -o 'state: .*'
first=$(pid t-steady); kill -9 $first
until_it '[ -n "$(pid t-steady)" ] && [ "$(pid t-steady)" != '$first' ]' && echo again
gci start t-crash 2>/dev/null; until_it 'gci status t-crash | grep -q "failed: it ended 4 times"' && wc -l < /run/t-crash
gci start t-mute 2>&1 | grep -o 'was not ready within 1s'
gci start t-l1 2>&1 | grep -o 't-l1 -> t-l2 -> t-l1'
gci verify | grep -c 't-l1 -> t-l2 -> t-l1'
gci enable t-steady; gci --json status t-steady | grep -o '"is_enabled":true'
gci disable t-steady; gci --json status t-steady | grep -o '"is_enabled":false'
gci dry-run t-crash
gci restart t-steady && gci stop t-steady; gci status t-steady | grep -o 'state: .*'
until_it 'gci logs -u t-steady | grep -q "hello from steady"' && echo logged
gci logs -u kernel | grep -q . && echo kernel
gci blame | grep -q 'redoxfsd$' && echo blame
gci critical-chain | head -1 | grep -o '^console.target'
gci plot | grep -c '^</svg>'
gci logs -f -u t-follow > /run/t-follow & follower=$!
unit t-follow 'ExecStart=/bin/sh -c "echo follow me"\nType=oneshot'; gci reload > /dev/null; gci start t-follow
until_it 'grep -q "follow me" /run/t-follow' && echo followed; kill $follower
"#;

const UNITS_SAY: &str = "t-typo.gcservice:2: warning: unknown key \"ExecStrat\"; did you mean ExecStart?
state:    active
again
4
was not ready within 1s
t-l1 -> t-l2 -> t-l1
1
t-steady starts with console.target from now on
\"is_enabled\":true
t-steady does not start with console.target from now on
\"is_enabled\":false
start t-crash
state:    inactive
logged
kernel
blame
console.target
1
followed
";

fn units(lab: &Lab) -> Result<()> {
    let machine = lab.genai()?;
    let output = machine.sh(UNITS, LONG)?;
    check::same("standard output", UNITS_SAY.as_bytes(), &output.stdout).with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Under 4 MiB, with what it has read of its own program.
fn memory(lab: &Lab) -> Result<()> {
    let machine = lab.genai()?;
    let text = says(&machine, "while read -r name value _; do [ $name = VmRSS: ] && echo $value; done < /proc/1/status; :")?;
    let kib: u64 = text.trim().parse().with_context(|| format!("VmRSS is {text:?}"))?;
    ensure!((1..4096).contains(&kib), "process 1 has {kib} KiB of memory");
    Ok(())
}

/// Units that are broken, wait for each other, or hang; and a machine of which the last starts are said to have failed.
const SABOTAGE: &str = r#"
mkdir -p /etc/gci /var/lib/gci; cd /etc/gci
printf 'no section\n\377' > z-garbage.gcservice; head -c 100000 /dev/urandom > z-random.gcservice
printf '[GenAI Service]\nExecStart=/bin/true\n[Dependencies]\nAfter=z-two\n[Installation]\nWantedBy=console.target\n' > z-one.gcservice
printf '[GenAI Service]\nExecStart=/bin/true\n[Dependencies]\nAfter=z-one\n[Installation]\nWantedBy=console.target\n' > z-two.gcservice
printf '[GenAI Service]\nExecStart=/bin/false\nRestart=always\nStartLimitBurst=3\n[Installation]\nWantedBy=console.target\n' > z-crash.gcservice
printf '[GenAI Service]\nExecStart=/nowhere\n[Installation]\nWantedBy=console.target\n' > z-missing.gcservice
for u in a b c; do
    after=; [ $u = a ] || after="After=y-$(printf $u | tr bc ab)"
    printf '[GenAI Service]\nType=exec\nExecStart=/bin/sh -c "trap \\"echo y-%s stops > /dev/kmsg; exit 0\\" TERM; while :; do sleep 1 & wait; done"\n[Dependencies]\n%s\n[Installation]\nWantedBy=console.target\n' $u "$after" > y-$u.gcservice
done
echo 3 > /var/lib/gci/failed-starts
sync; echo done
"#;

fn broken_units_and_failed_starts(lab: &Lab) -> Result<()> {
    let name = "gci/broken-units-and-failed-starts";
    let disk = lab.dir(name).join("disk.qcow2");
    std::fs::create_dir_all(lab.dir(name))?;
    let base = lab.images.genai()?.disk.canonicalize()?;
    let made = Command::new("qemu-img").args(["create", "-q", "-f", "qcow2", "-F", "raw", "-b"]).args([&base, &disk]).status().context("cannot run qemu-img")?;
    ensure!(made.success(), "qemu-img failed ({made})");
    let mut description = lab.describe(System::Genai)?;
    description.disk = Some(Disk { path: disk, format: DiskFormat::Qcow2, changes: Changes::Keep });

    let machine = lab.boot(name, &description)?;
    check::prints(&machine.sh(SABOTAGE, LONG)?, "done\n")?;
    machine.cut_power();

    let machine = lab.boot(name, &description)?;
    let wait = |what: &str, script: &str| -> Result<()> {
        let begun = Instant::now();
        while !says(&machine, script)?.contains("yes") {
            ensure!(begun.elapsed() < LONG, "not within {LONG:?}: {what}\n{}", says(&machine, "gci status; gci logs -b -u gci | tail -n 30")?);
            std::thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    };
    wait("the recovery target", "gci status | grep -q '^recovery.target: reached' && gci status rescue@ttyS0 | grep -q 'state: *active' && echo yes; :")?;
    let broken = says(&machine, "gci verify; :")?;
    for expected in ["z-garbage.gcservice", "z-random.gcservice", "z-one -> z-two -> z-one"] {
        ensure!(broken.contains(expected), "gci verify does not tell of {expected}: {broken}");
    }
    says(&machine, "gci isolate console 2>&1; :")?;
    wait("the console target", "gci status | grep -q '^console.target: reached' && gci status session@ttyS0 | grep -q 'state: *active' && echo yes; :")?;
    wait("the one that crashes is given up", "gci status z-crash | grep -q 'state: *failed' && echo yes; :")?;
    wait("the three that are well", "for u in a b c; do gci status y-$u > /dev/null || exit 0; done; echo yes")?;

    // The machine goes before the answer.
    let _ = machine.sh("poweroff; sleep 100", Duration::from_secs(100));
    let begun = Instant::now();
    let log = loop {
        let log = String::from_utf8_lossy(&std::fs::read(machine.dir().serial_log())?).into_owned();
        if log.contains("disks are synced") {
            break log;
        }
        ensure!(begun.elapsed() < LONG, "the machine was not switched off:\n{log}");
        std::thread::sleep(Duration::from_millis(200));
    };
    let places: Vec<_> = ["y-c stops", "y-b stops", "y-a stops", "disks are synced"].iter().map(|text| log.rfind(text)).collect();
    ensure!(places.iter().all(Option::is_some) && places.is_sorted(), "not stopped in order ({places:?}):\n{log}");
    Ok(())
}
