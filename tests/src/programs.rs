//! Rust programs on the standard library and on tokio: each, linked in both ways, prints the same under our kernel as under Linux.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use vm::exec::{Exec, Output, command};
use vm::transfer;

use crate::lab::{Lab, Linkage};
use crate::{Test, check};

const LIMIT: Duration = Duration::from_secs(240);

/// What `std-probe` finds on its standard input.
const INPUT: &[u8] = b"a line\nand another\n";

pub fn tests() -> Vec<Test> {
    let kinds = [
        ("std-probe", "dynamic", Linkage::Dynamic),
        ("std-probe", "static", Linkage::Static),
        ("net-probe", "dynamic", Linkage::Dynamic),
        ("tokio-probe", "dynamic", Linkage::Dynamic),
        ("tokio-probe", "static", Linkage::Static),
    ];
    let probes = kinds.map(|(program, kind, linkage)| Test::new(format!("programs/{program}-{kind}"), move |lab| compare(lab, program, linkage)));
    probes.into_iter().chain([Test::new("programs/late-scheme", late_scheme), Test::new("programs/ports", ports), Test::new("soak/contracts", contracts)]).collect()
}

fn compare(lab: &Lab, program: &str, linkage: Linkage) -> Result<()> {
    let (expected, found) = run_on_both(lab, program, linkage, &[])?;
    // A program that fails on both systems would show nothing.
    check::succeeds(&expected).context("under Linux")?;
    ensure!(expected.stdout.ends_with(b"== end\n"), "under Linux it stopped early");
    check::same("standard output", &expected.stdout, &found.stdout)?;
    check::same("standard error", &expected.stderr, &found.stderr)?;
    check::succeeds(&found)
}

/// A mount waits until a daemon has said what it serves: taking the root's for a plain scheme once ended boots in the rescue shell.
fn late_scheme(lab: &Lab) -> Result<()> {
    own(lab, "late-scheme", b"asked as a filesystem\n")
}

/// Accesses to ports while all other CPUs stand still, and go on afterwards.
fn ports(lab: &Lab) -> Result<()> {
    own(lab, "ports", b"all sequences agree\n")
}

/// Runs a use of what only our kernel has.
fn own(lab: &Lab, which: &str, expected: &[u8]) -> Result<()> {
    let machine = lab.genai()?;
    let output = run(machine.exec(), lab.images.program("own-probe", Linkage::Static)?, &[which]);
    machine.dir().check_panic()?;
    let output = output?;
    check::succeeds(&output)?;
    check::same("standard output", expected, &output.stdout)
}

/// Cases of the contracts suite that differ from Linux, with the reason: `GROUP/CASE  why`. Blank lines and those that start with `#` mean nothing.
const DIFFERENCES: &str = include_str!("../programs/abi-probe/differences.txt");

/// Runs the contracts suite on both systems: each case prints the same, but for those that are known to differ.
fn contracts(lab: &Lab) -> Result<()> {
    const SUITE: &str = "abi-probe";
    let known: BTreeMap<&str, &str> = DIFFERENCES
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_once("  ").with_context(|| format!("no reason in the list of differences: {line}")))
        .collect::<Result<_>>()?;
    let (expected, found) = run_on_both(lab, SUITE, Linkage::Static, &["run"])?;
    check::succeeds(&expected).context("under Linux")?;
    check::succeeds(&found)?;
    let cases = |output: &Output| -> BTreeMap<String, String> {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().map(|line| line.split_once(' ').unwrap_or((line, ""))).map(|(name, rest)| (name.to_owned(), rest.to_owned())).collect()
    };
    let (expected, found) = (cases(&expected), cases(&found));
    let mut wrong = Vec::new();
    for (name, want) in &expected {
        let got = found.get(name).map_or("(did not run)", String::as_str);
        match (got == want, known.contains_key(name.as_str())) {
            (true, _) | (false, true) => {}
            (false, false) => wrong.push(format!("{name}\n    Linux: {want}\n    here:  {got}")),
        }
    }
    for name in known.keys().filter(|name| !expected.contains_key(**name)) {
        wrong.push(format!("{name} is in the list of differences, but is no case"));
    }
    ensure!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), expected.len(), wrong.join("\n"));
    Ok(())
}

fn run_on_both(lab: &Lab, program: &str, linkage: Linkage, args: &[&str]) -> Result<(Output, Output)> {
    let program = lab.images.program(program, linkage)?;
    lab.on_both(|exec| run(exec, program, args))
}

/// Puts a program of this host into a machine and runs it there.
fn run(exec: &Exec, program: &Path, args: &[&str]) -> Result<Output> {
    let name = program.file_name().context("a program without a name")?;
    let there = format!("/tmp/{}", name.display());
    transfer::put(exec, program, &there)?;
    let output = exec.output(command(std::iter::once(there.as_str()).chain(args.iter().copied()), LIMIT), INPUT);
    check::succeeds(&exec.shell(&format!("rm {there}"), LIMIT)?)?;
    Ok(output?)
}
