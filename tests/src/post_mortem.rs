//! What a machine was doing when a test failed: what the next look at a rare failure needs.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;
use vm::console::Console;
use vm::dir::VmDir;

/// Printed by the console's shell after the list of processes; typed in two parts, so that its echo is not taken for it.
const END: &str = "post-mortem-end";

/// The CPUs' registers three times, which tells a halted machine from one that spins, then what `ps` prints at the console of one that still
/// listens. The console must have a shell.
pub fn examine(dir: &VmDir) -> String {
    let mut report = String::new();
    for _ in 0..3 {
        let _ = match registers(dir) {
            Ok(text) => writeln!(report, "{text}"),
            Err(error) => writeln!(report, "no registers: {error:#}"),
        };
        std::thread::sleep(Duration::from_millis(200));
    }
    let _ = match processes(dir) {
        Ok(text) => writeln!(report, "{text}"),
        Err(error) => writeln!(report, "the console is silent: {error:#}"),
    };
    report
}

fn registers(dir: &VmDir) -> Result<String> {
    let answer = dir.qmp()?.execute("human-monitor-command", json!({"command-line": "info registers -a"}))?;
    Ok(answer.as_str().context("QEMU's monitor gives no text")?.to_owned())
}

fn processes(dir: &VmDir) -> Result<String> {
    let mut console = Console::connect(dir)?;
    console.send("\x03\n")?;
    console.send("ps -eLo pid,tid,ppid,stat,psr,pri,time,wchan:20,comm; cat /proc/loadavg /proc/meminfo; echo post-mortem''-end\n")?;
    Ok(console.expect(END, Duration::from_secs(20))?)
}
