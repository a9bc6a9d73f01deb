//! GCI: process 1 of GenAI OS, and the commands that talk to it.
//!
//! * [`boot`]: the order in which the system comes up;
//! * [`machine`], [`displays`]: what the machine has, and which drivers that takes; [`mounts`]: the namespace;
//! * [`supervisor`]: processes, their ends and restarts; [`backoff`]; [`sessions`]: shells on terminals;
//! * [`watchdog`]: drivers that hang;
//! * [`shutdown`]; [`control`]: the socket behind `gci status`; [`commands`].
//!
//! On a Linux kernel the drivers are left out and the rest is the same.

mod backoff;
mod boot;
mod commands;
mod control;
mod displays;
mod machine;
mod mounts;
mod reference;
mod sessions;
mod shutdown;
mod signals;
mod supervisor;
mod sys;
mod watchdog;

use std::path::Path;

fn main() -> anyhow::Result<()> {
    let name = std::env::args().next().unwrap_or_default();
    let name = Path::new(&name)
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or("gci");
    if std::process::id() == 1 {
        boot::run();
    }
    commands::run(name)
}
