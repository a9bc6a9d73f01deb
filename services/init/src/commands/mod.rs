//! What the program does where it is not process 1: by its name, `reboot`, `poweroff`, `halt`, else `gci`.

mod analyse;
mod check;
mod client;
mod decide;
mod logs;
mod show;

use crate::protocol::{Request, SOCKET};
use crate::shutdown::Ending;
use crate::{journal, sys, user_mode};
use anyhow::{Context, bail};
use clap::{Args, Parser, Subcommand};
use client::Client;
use std::path::PathBuf;
use std::process::ExitCode;

/// Controls GCI, process 1 of GenAI OS.
#[derive(Parser)]
#[command(
    name = "gci",
    version,
    after_help = "Units are files NAME.gcservice in /usr/lib/gci (packages) and /etc/gci (yours, which count first).\nThe same program is installed as reboot, poweroff and halt."
)]
struct Arguments {
    /// Talks to the manager that runs as `gci user-mode DIR`, instead of process 1.
    #[arg(long, global = true, value_name = "DIR", env = "GCI_DIR")]
    dir: Option<PathBuf>,
    /// Prints JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
struct Units {
    /// Names of units.
    #[arg(required = true)]
    units: Vec<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Shows the units that run or have failed, or these units in full.
    Status { units: Vec<String> },
    /// Lists all units there are.
    List,
    /// Starts units, and waits until they are ready.
    Start(Units),
    /// Stops units, and those that require them.
    Stop(Units),
    /// Stops and starts units.
    Restart(Units),
    /// Lets units read their configuration anew (ExecReload); without units, reads the unit files anew.
    Reload { units: Vec<String> },
    /// Lets units start with their targets from now on.
    Enable(Units),
    /// Keeps units from starting with their targets from now on.
    Disable(Units),
    /// Starts a target, and stops everything that it does not take.
    #[command(visible_alias = "target")]
    Isolate { target: String },
    /// Shows what starting units would do.
    DryRun(Units),
    /// Shows the journal.
    Logs(logs::Options),
    /// Shows which units took how long to start.
    Blame,
    /// Shows the chain of units that the target, or this unit, had to wait for.
    CriticalChain { unit: Option<String> },
    /// Draws the start of the system as an SVG picture, to standard output.
    Plot,
    /// Checks unit files, or all of the system's; loops of dependencies are shown whole.
    Verify { files: Vec<PathBuf> },
    /// Restarts the machine after an orderly shutdown.
    Reboot,
    /// Switches the machine off after an orderly shutdown.
    Poweroff,
    /// Stops the machine after an orderly shutdown, leaving the power on.
    Halt,
    /// Runs the units in DIR/units as an ordinary process, until SIGTERM.
    UserMode {
        /// Where units, socket and journal are.
        dir: PathBuf,
        /// What to start.
        #[arg(long, default_value = "console.target")]
        target: String,
    },
}

/// Where things are.
struct Places {
    socket: PathBuf,
    journal: PathBuf,
    /// Where decisions are kept.
    admin: PathBuf,
    /// Where units are, the later before the earlier.
    units: Vec<PathBuf>,
}

impl Places {
    fn new(dir: Option<&PathBuf>) -> Self {
        match dir {
            Some(dir) => Places {
                socket: dir.join("gci.sock"),
                journal: dir.join("journal"),
                admin: dir.join("etc"),
                units: vec![dir.join("units"), dir.join("etc")],
            },
            None => Places {
                socket: SOCKET.into(),
                journal: journal::FOLDER.into(),
                admin: crate::ADMIN_FOLDER.into(),
                units: ["/scheme/initfs/lib/gci", "/usr/lib/gci", crate::ADMIN_FOLDER].map(PathBuf::from).into(),
            },
        }
    }
}

/// Runs the command that the program was called as.
pub fn run(name: &str) -> anyhow::Result<ExitCode> {
    match name {
        "reboot" => return end(Ending::Restart, None),
        "poweroff" => return end(Ending::PowerOff, None),
        "halt" => return end(Ending::Halt, None),
        _ => {}
    }
    let Arguments { dir, json, command } = Arguments::parse();
    if !matches!(command, Command::UserMode { .. }) {
        sys::end_by_broken_pipes();
    }
    let places = Places::new(dir.as_ref());
    let client = Client::new(&places.socket, json);
    match command {
        Command::Status { units } => show::status(&client, &units),
        Command::List => show::list(&client),
        Command::Start(Units { units }) => client.tell(&Request::Start { units }),
        Command::Stop(Units { units }) => client.tell(&Request::Stop { units }),
        Command::Restart(Units { units }) => client.tell(&Request::Restart { units }),
        Command::Reload { units } if units.is_empty() => client.tell(&Request::Load),
        Command::Reload { units } => client.tell(&Request::Reload { units }),
        Command::Enable(Units { units }) => decide::decide(&client, &places, &units, decide::Decision::Enable),
        Command::Disable(Units { units }) => decide::decide(&client, &places, &units, decide::Decision::Disable),
        Command::Isolate { target } => {
            let target = if target.contains('.') { target } else { format!("{target}.target") };
            client.tell(&Request::Isolate { target })
        }
        Command::DryRun(Units { units }) => client.tell(&Request::Plan { units }),
        Command::Logs(options) => logs::logs(&places.journal, &options, json),
        Command::Blame => analyse::blame(&client),
        Command::CriticalChain { unit } => analyse::critical_chain(&client, unit),
        Command::Plot => analyse::plot(&client),
        Command::Verify { files } => check::verify(&places, &files, json),
        Command::Reboot => end(Ending::Restart, dir.is_some().then_some(&client)),
        Command::Poweroff => end(Ending::PowerOff, dir.is_some().then_some(&client)),
        Command::Halt => end(Ending::Halt, dir.is_some().then_some(&client)),
        Command::UserMode { dir, target } => user_mode::run(&dir, &target).map(|()| ExitCode::SUCCESS),
    }
}

/// By signal, which process 1 takes also where its socket is out of reach.
fn end(ending: Ending, client: Option<&Client>) -> anyhow::Result<ExitCode> {
    if let Some(client) = client {
        return client.tell(&Request::Shutdown { ending });
    }
    if sys::own_user() != 0 {
        bail!("only root may do that");
    }
    sys::kill(1, ending.signal()).context("signalling process 1")?;
    Ok(ExitCode::SUCCESS)
}
