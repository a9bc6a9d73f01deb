//! What the program does where it is not process 1: by its name, `reboot`, `poweroff`, `halt`, else `gci`.

use crate::control;
use crate::shutdown::Ending;
use crate::sys;
use anyhow::Context;
use clap::{Parser, Subcommand};
use std::io::Write;

/// Controls GCI, process 1 of GenAI OS.
#[derive(Parser)]
#[command(
    name = "gci",
    version,
    after_help = "The same program is installed as reboot, poweroff and halt."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Lists the services with their processes and how often they were started again.
    Status,
    /// Restarts the machine after an orderly shutdown.
    Reboot,
    /// Switches the machine off after an orderly shutdown.
    Poweroff,
    /// Stops the machine after an orderly shutdown, leaving the power on.
    Halt,
}

/// Runs the command that the program was called as.
pub fn run(name: &str) -> anyhow::Result<()> {
    match name {
        "reboot" => ask_for(Ending::Restart),
        "poweroff" => ask_for(Ending::PowerOff),
        "halt" => ask_for(Ending::Halt),
        _ => match Arguments::parse().command {
            Command::Status => status(),
            Command::Reboot => ask_for(Ending::Restart),
            Command::Poweroff => ask_for(Ending::PowerOff),
            Command::Halt => ask_for(Ending::Halt),
        },
    }
}

fn ask_for(ending: Ending) -> anyhow::Result<()> {
    sys::kill(1, ending.signal()).context("signalling process 1 (are you root?)")
}

fn status() -> anyhow::Result<()> {
    let report =
        control::ask().with_context(|| format!("asking process 1 by {}", control::SOCKET))?;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{:<24} {:>6} {:>8}  COMMAND",
        "SERVICE", "PID", "RESTARTS"
    )?;
    for line in report.lines() {
        let mut fields = line.splitn(4, '\t');
        let mut next = || fields.next().unwrap_or_default();
        writeln!(
            out,
            "{:<24} {:>6} {:>8}  {}",
            next(),
            next(),
            next(),
            next()
        )?;
    }
    Ok(())
}
