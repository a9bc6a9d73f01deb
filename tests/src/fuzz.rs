//! Random system calls (`tests/programs/syscall-fuzz`): no panic, no hang, and a system that works as before.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use vm::exec::command;
use vm::transfer;

use crate::lab::{Lab, Linkage};
use crate::{Test, check};

const SHORT: Duration = Duration::from_secs(120);

/// Calls of the ordinary test: the same ones each time.
const CALLS: u64 = 60_000;
/// Calls of the long test.
const SOAK_CALLS: u64 = 1_000_000;

pub fn tests() -> Vec<Test> {
    vec![
        Test::new("fuzz/system-calls", |lab| fuzz(lab, CALLS, 1, Duration::from_secs(900))),
        Test::new("soak/system-calls", |lab| fuzz(lab, SOAK_CALLS, 2, Duration::from_secs(4 * 3600))),
    ]
}

/// What must be the same before and after: files that users may not change, daemons, and that programs run as a user.
const STATE: &str = r#"
sha256sum /bin/bash /bin/true /etc/passwd /etc/group | sha256sum
stat -c '%n %a %U' / /bin /etc /dev/null /dev/zero /tmp /root /proc
ls /scheme
hostname
setpriv --reuid=1000 --regid=1000 --clear-groups sh -c 'id -u; echo text > /dev/null && echo works'
ls /tmp
"#;

fn fuzz(lab: &Lab, calls: u64, seed: u64, limit: Duration) -> Result<()> {
    let machine = lab.fresh()?;
    let there = "/sbin/syscall-fuzz";
    transfer::put(machine.exec(), lab.images.program("syscall-fuzz", Linkage::Static)?, there)?;
    let before = machine.sh(STATE, SHORT)?;
    check::succeeds(&before)?;
    let (calls, seed) = (calls.to_string(), seed.to_string());
    let output = machine.exec().output(command([there, "--calls", &calls, "--seed", &seed], limit), b"");
    machine.dir().check_panic()?;
    let output = output.context("the machine ended under it")?;
    check::succeeds(&output)?;
    ensure!(output.stdout.ends_with(b"done\n"), "it stopped early");
    let after = machine.sh(STATE, SHORT).context("after the calls")?;
    check::succeeds(&after)?;
    check::same("the system's state", &before.stdout, &after.stdout)?;
    machine.dir().check_panic()?;
    Ok(())
}
