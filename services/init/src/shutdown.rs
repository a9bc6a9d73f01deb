//! Orderly shutdown.

use crate::journal::Journal;
use crate::manager::Manager;
use crate::sys;
use gci_units::UnitName;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fs;
use std::time::{Duration, Instant};

/// How long processes have between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(3);
/// How long all units together have: each has its own TimeoutStopSec.
const UNITS_LIMIT: Duration = Duration::from_secs(30);
/// How long the journal's last records may take.
const JOURNAL_LIMIT: Duration = Duration::from_secs(2);

/// How a shutdown ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// Power off.
    PowerOff,
    /// Start again.
    Restart,
    /// Stop, with the power on.
    Halt,
}

impl Ending {
    /// What a signal to process 1 asks for (busybox's and runit's convention); SIGINT is Ctrl-Alt-Del.
    pub fn of_signal(signal: libc::c_int) -> Option<Self> {
        match signal {
            libc::SIGTERM | libc::SIGINT => Some(Ending::Restart),
            libc::SIGUSR1 => Some(Ending::Halt),
            libc::SIGUSR2 => Some(Ending::PowerOff),
            _ => None,
        }
    }

    /// The signal that asks for it.
    pub fn signal(self) -> libc::c_int {
        match self {
            Ending::Restart => libc::SIGTERM,
            Ending::Halt => libc::SIGUSR1,
            Ending::PowerOff => libc::SIGUSR2,
        }
    }

    fn command(self) -> libc::c_int {
        match self {
            Ending::Restart => libc::LINUX_REBOOT_CMD_RESTART,
            Ending::Halt => libc::LINUX_REBOOT_CMD_HALT,
            Ending::PowerOff => libc::LINUX_REBOOT_CMD_POWER_OFF,
        }
    }
}

/// Stops the units, those first that stand on others, ends all other processes but the drivers, makes the disk durable, and tells the kernel.
pub fn run(manager: &mut Manager, journal: Option<&Journal>, ending: Ending) -> ! {
    tracing::info!("shutting down: {ending:?}");
    stop_units(manager);
    let essential: HashSet<u32> = manager.records().filter(|it| it.unit.is_essential).filter_map(|it| it.pid).collect();
    signal_others(&essential, libc::SIGTERM);
    let start = Instant::now();
    while start.elapsed() < GRACE && others(&essential).next().is_some() {
        manager.pump(&[], Duration::from_millis(20));
    }
    let left = others(&essential).count();
    if left > 0 {
        tracing::warn!("{left} processes did not end within {GRACE:?}: killing them");
        signal_others(&essential, libc::SIGKILL);
        manager.pump(&[], Duration::from_millis(50));
    }
    if let Some(journal) = journal {
        journal.stop(JOURNAL_LIMIT);
    }
    sys::sync();
    for place in ["/run", "/tmp", "/dev/shm", "/"] {
        // Busy ones stay mounted; what matters is that the disk was synced.
        let _ = sys::unmount(place);
    }
    sys::sync();
    tracing::info!("disks are synced");
    let error = sys::reboot(ending.command());
    tracing::error!("reboot(2): {error}; halted");
    loop {
        manager.pump(&[], Duration::from_secs(3600));
    }
}

/// Stops all units but what the system runs on, in the order of their dependencies.
pub fn stop_units(manager: &mut Manager) {
    manager.stop_starting();
    let is_essential: HashSet<UnitName> = manager.records().filter(|it| it.unit.is_essential).map(|it| it.name().clone()).collect();
    let names: Vec<UnitName> = manager.active().into_iter().filter(|name| !is_essential.contains(name)).collect();
    manager.stop(&names);
    let are_stopped = |manager: &mut Manager| !names.iter().any(|name| manager.is_pending(name));
    if !manager.wait_until(UNITS_LIMIT, are_stopped) {
        tracing::warn!("not all units stopped within {UNITS_LIMIT:?}");
    }
}

/// User processes other than this one and the essential ones, by `/proc`.
fn others(essential: &HashSet<u32>) -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten();
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|pid| {
            *pid != std::process::id() && !essential.contains(pid) && is_user_process(*pid)
        })
}

/// Kernel threads have no program, zombies none any more: both read as an empty command line.
fn is_user_process(pid: u32) -> bool {
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|words| !words.is_empty())
}

fn signal_others(essential: &HashSet<u32>, signal: libc::c_int) {
    for pid in others(essential) {
        let _ = sys::kill(pid as i32, signal);
    }
}
