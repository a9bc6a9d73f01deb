//! The manager as an ordinary process: for tests on any Linux, and for units of a user.

use crate::control::Control;
use crate::journal::{Journal, Kernel};
use crate::manager::{Loaded, Manager};
use crate::{shutdown, sys};
use anyhow::Context;
use gci_units::UnitName;
use gci_units::graph::Strictness;
use std::path::Path;
use std::time::{Duration, Instant};

/// Runs the units of `folder`/units (and the decisions in `folder`/etc) until a signal comes. Its socket is `folder`/gci.sock, its journal is in
/// `folder`/journal.
pub fn run(folder: &Path, target: &str) -> anyhow::Result<()> {
    let began = Instant::now();
    tracing_subscriber::fmt().without_time().with_target(false).with_writer(std::io::stderr).init();
    sys::become_subreaper();
    let mut manager = Manager::new(&folder.join("run"), began)?;
    let folders = vec![folder.join("units"), folder.join("etc")];
    manager.take(Loaded::read(&folders));
    let journal = Journal::start(&folder.join("journal"), Kernel::LeftOut)?;
    manager.set_journal(journal.clone());
    let socket = folder.join("gci.sock");
    let mut control = Control::listen(&socket, folders).with_context(|| format!("listening on {}", socket.display()))?;
    let target = UnitName::new(target)?;
    manager.isolate(&target, Strictness::LeaveOut)?;
    loop {
        manager.pump(&control.wanted(), Duration::from_secs(3600));
        let is_told = manager.take_requests().into_iter().any(|signal| signal != libc::SIGHUP);
        if control.serve(&mut manager).is_some() || is_told {
            break;
        }
    }
    shutdown::stop_units(&mut manager);
    journal.record("gci", 6, "stopped");
    journal.stop(Duration::from_secs(5));
    std::fs::remove_file(&socket)?;
    Ok(())
}
