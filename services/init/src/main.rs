//! GCI: process 1 of GenAI OS, and the commands that talk to it.
//!
//! * [`boot`]: what no unit can do when the system comes up; [`attempts`], [`rescue`]: and when it does not; [`machine`], [`devices`]: what the
//!   machine has, and which drivers that takes; [`mounts`]: the namespace;
//! * [`manager`]: units that run (their files: crate `gci-units`); [`spawn`], [`users`]: their processes;
//! * [`watchdog`]: drivers that hang; [`shutdown`]; [`journal`];
//! * [`control`], [`protocol`]: the socket behind the [`commands`]; [`user_mode`]: the same for units of a folder, as an ordinary process.
//!
//! On a Linux kernel the drivers are left out and the rest is the same ([`reference`]: but for the network's address).

mod attempts;
mod boot;
mod commands;
mod control;
mod devices;
mod journal;
mod machine;
mod manager;
mod mounts;
mod poll;
mod protocol;
mod reference;
mod rescue;
mod shutdown;
mod signals;
mod spawn;
mod sys;
mod user_mode;
mod users;
mod watchdog;

use std::path::Path;
use std::process::ExitCode;

/// Where the administrator's units and decisions are.
const ADMIN_FOLDER: &str = "/etc/gci";

fn main() -> ExitCode {
    let name = std::env::args().next().unwrap_or_default();
    let name = Path::new(&name).file_name().and_then(|name| name.to_str()).unwrap_or("gci");
    if std::process::id() == 1 {
        boot::run();
    }
    match commands::run(name) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{name}: {error:#}");
            ExitCode::FAILURE
        }
    }
}
