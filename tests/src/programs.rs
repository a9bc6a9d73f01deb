//! Rust programs on the standard library and on tokio: each, linked in both ways, prints the same under our kernel as under Linux.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use vm::exec::{Output, command};
use vm::transfer;

use crate::lab::{Lab, Linkage, System};
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
    kinds.map(|(program, kind, linkage)| Test::new(format!("programs/{program}-{kind}"), move |lab| compare(lab, program, linkage))).into()
}

fn compare(lab: &Lab, program: &str, linkage: Linkage) -> Result<()> {
    let expected = run(lab, System::Linux, program, linkage).context("under Linux")?;
    // A program that fails on both systems would show nothing.
    check::succeeds(&expected).context("under Linux")?;
    ensure!(expected.stdout.ends_with(b"== end\n"), "under Linux it stopped early");
    let found = run(lab, System::Genai, program, linkage)?;
    check::same("standard output", &expected.stdout, &found.stdout)?;
    check::same("standard error", &expected.stderr, &found.stderr)?;
    check::succeeds(&found)
}

fn run(lab: &Lab, system: System, program: &str, linkage: Linkage) -> Result<Output> {
    let machine = lab.shared(system)?;
    let there = format!("/tmp/{program}");
    transfer::put(machine.exec(), lab.images.program(program, linkage)?, &there)?;
    let output = machine.exec().output(command([there.as_str()], LIMIT), INPUT);
    machine.dir().check_panic()?;
    check::succeeds(&machine.sh(&format!("rm {there}"), LIMIT)?)?;
    Ok(output?)
}
