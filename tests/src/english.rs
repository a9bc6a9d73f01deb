//! Plain English in the machine: each request becomes a plan of the right risk, and running the plan does what was asked for.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use exec_protocol::Spawn;
use serde::Deserialize;
use vm::console::Console;
use vm::exec::command;

use crate::lab::{Lab, Machine};
use crate::{Test, check};

const LIMIT: Duration = Duration::from_secs(120);
const PLACE: &str = "/tmp/english";

pub fn tests() -> Vec<Test> {
    vec![Test::new("vm/plain-english", plain_english)]
}

/// What is asked, the risk that the plan must have, and a line of shell that holds once the plan has run; `$OUT` is what the plan printed.
const REQUESTS: [(&str, &str, &str); 25] = [
    ("how much memory is free", "safe", "grep -q '^Mem:' <<< $OUT"),
    ("why is it slow?", "safe", "grep -q 'processors: .* busy' <<< $OUT && grep -q 'memory: .* available' <<< $OUT"),
    ("what is eating the memory?", "safe", "grep -q 'are available' <<< $OUT && grep -q '^  - .*: [0-9.]* [KMG]iB' <<< $OUT"),
    ("which service failed, and why?", "safe", "grep -q 'failed' <<< $OUT && grep -q 'gci knows\\| is ' <<< $OUT"),
    ("make a folder called projects", "confirm", "test -d projects"),
    ("copy /etc/hosts to projects", "confirm", "cmp /etc/hosts projects/hosts"),
    ("rename projects/hosts to projects/hosts.bak", "confirm", "cmp /etc/hosts projects/hosts.bak && ! test -e projects/hosts"),
    ("replace localhost with myhost in projects/hosts.bak", "confirm", "grep -q myhost projects/hosts.bak && ! grep -q localhost projects/hosts.bak"),
    ("show me the five largest files under /usr", "safe", "[ $(wc -l <<< $OUT) = 5 ] && grep -q \"$(find /usr -type f -size +1M -exec stat -c '%s %n' {} + | sort -n | tail -n 1 | cut -d ' ' -f 2)\" <<< $OUT"),
    ("which processes use the most cpu", "safe", "grep -q '%CPU' <<< $OUT"),
    ("how many lines does /etc/passwd have", "safe", "[ \"$OUT\" = \"$(wc -l /etc/passwd)\" ]"),
    ("show the last 3 lines of /etc/group", "safe", "[ \"$OUT\" = \"$(tail -n 3 /etc/group)\" ]"),
    ("who am i", "safe", "[ \"$OUT\" = root ]"),
    ("how long has the computer been running", "safe", "grep -q up <<< $OUT"),
    ("how full is the disk", "safe", "grep -q ' /$' <<< $OUT"),
    ("count the words in /etc/profile", "safe", "[ \"$OUT\" = \"$(wc -w /etc/profile)\" ]"),
    ("show hidden files here", "safe", "grep -q ' [.]secret$' <<< $OUT"),
    ("what day is it today", "safe", "grep -q \"$(date +%A)\" <<< $OUT"),
    ("make a backup of notes.txt", "confirm", "[ $(ls | grep -c notes.txt) = 2 ]"),
    ("pack the projects folder into a tar.gz", "confirm", "tar -tzf projects.tar.gz | grep -q projects/hosts.bak"),
    ("find files here whose name ends in .gz", "safe", "[ \"$(basename \"$OUT\")\" = projects.tar.gz ]"),
    ("make run.sh executable", "confirm", "test -x run.sh"),
    ("which package owns /usr/bin/bash", "safe", "grep -qx bash <<< $OUT"),
    ("what depends on bash", "safe", "grep -q bash <<< $OUT"),
    ("delete the projects folder", "dangerous", "! test -e projects && test -e projects.tar.gz"),
];

#[derive(Deserialize)]
struct Answer {
    plan: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    text: String,
    risk: String,
}

fn plain_english(lab: &Lab) -> Result<()> {
    let machine = lab.genai()?;
    let prepare = format!("rm -rf {PLACE} && mkdir {PLACE} && cd {PLACE} && touch .secret run.sh && echo remember > notes.txt && chmod 644 run.sh");
    check::succeeds(&machine.sh(&prepare, LIMIT)?)?;
    for (request, risk, holds) in REQUESTS {
        obey(&machine, request, risk, holds).with_context(|| format!("{request:?}"))?;
    }
    check::succeeds(&machine.sh(&format!("rm -r {PLACE}"), LIMIT)?)?;
    repair(&machine).context("a failure in the interactive shell")
}

/// On the serial line: the error of a command that failed is shown as it is, explained, and repaired by one key and Enter.
fn repair(machine: &Machine) -> Result<()> {
    let mut console = Console::connect(machine.dir())?;
    console.send("\r")?;
    console.send("echo ready$((40 + 2))\r")?;
    console.expect("ready42", LIMIT)?;
    console.send("tail -n 1 /etc/passw\r")?;
    console.expect("No such file or directory", LIMIT)?;
    console.expect("Nearest: /etc/passwd", LIMIT)?;
    console.send("?\r")?;
    console.expect("tail -n 1 /etc/passwd", LIMIT)?;
    console.send("n")?;
    console.send("[ -t 1 ] && [ -t 2 ] && echo terminal$((40 + 2))\r")?;
    console.expect("terminal42", LIMIT)?;
    Ok(())
}

fn obey(machine: &Machine, request: &str, risk: &str, holds: &str) -> Result<()> {
    let ask = Spawn { cwd: Some(PLACE.into()), ..command(["gcs", "ask", "--json", request], LIMIT) };
    let answer = machine.exec().output(ask, b"")?;
    check::succeeds(&answer)?;
    let answer: Answer = serde_json::from_slice(&answer.stdout).context("its answer is no plan")?;
    let [step] = answer.plan.as_slice() else { anyhow::bail!("a plan of {} steps", answer.plan.len()) };
    ensure!(step.risk == risk, "{:?} is said to be {}", step.text, step.risk);
    let script = "OUT=$(eval \"$0\") && eval \"$1\"";
    let run = Spawn { cwd: Some(PLACE.into()), ..command(["bash", "-c", script, &step.text, holds], LIMIT) };
    check::succeeds(&machine.exec().output(run, b"")?).with_context(|| format!("{:?} does something else", step.text))
}
