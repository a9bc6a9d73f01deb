//! How services become ready: by messages (sd_notify(3)), by their scheme or terminal, by running their program.

use super::{Manager, Outcome, Record, State};
use crate::sys::{self, Piped};
use gci_units::{Readiness, UnitName};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::{Duration, Instant};

/// How soon to look for a scheme; each look doubles it, up to [`LAST_LOOK`].
pub(super) const FIRST_LOOK: Duration = Duration::from_millis(1);
const LAST_LOOK: Duration = Duration::from_millis(50);

/// Whether a unit is ready can only be seen by looking: schemes send no event when they appear.
pub(super) fn must_be_looked_at(record: &Record) -> bool {
    let by_looking = record.state == State::Starting && matches!(record.unit.readiness, Readiness::Scheme | Readiness::Terminal);
    // Nor do processes of a group that are not our children.
    by_looking || record.state == State::Stopping && record.pid.is_none()
}

impl Manager {
    /// The service is ready.
    pub(super) fn is_ready(&mut self, name: &UnitName) {
        let Some(record) = self.records.get_mut(name) else { return };
        record.deadline = None;
        if record.unit.readiness != Readiness::Notify {
            record.notify = None;
        }
        record.watchdog = record.unit.watchdog.map(|period| Instant::now() + period);
        if record.unit.readiness == Readiness::Oneshot {
            record.group = None;
            record.state = if record.unit.remain_after_exit { State::Active } else { State::Inactive };
        } else {
            record.state = State::Active;
        }
        self.mark_ready(name);
        self.job_is_done(name, Outcome::Ready);
    }

    pub(super) fn mark_ready(&mut self, name: &UnitName) {
        if let Some(record) = self.records.get_mut(name) {
            record.times.ready.get_or_insert_with(Instant::now);
        }
    }

    /// Looks for the schemes and terminals of all that start.
    pub(super) fn look_for_readiness(&mut self) {
        let names: Vec<UnitName> = self.records.values().filter(|it| must_be_looked_at(it)).map(|it| it.name().clone()).collect();
        if names.is_empty() {
            return;
        }
        names.iter().for_each(|name| self.look_at(name));
        self.look_again = (self.look_again * 2).min(LAST_LOOK);
    }

    pub(super) fn look_at(&mut self, name: &UnitName) {
        let Some(record) = self.records.get(name).filter(|it| it.state == State::Starting) else { return };
        let values = gci_units::command::Values { environment: &self.environment, specifiers: &record.specifiers };
        let what = values.put_in(record.unit.scheme_name());
        let is_there = match record.unit.readiness {
            Readiness::Scheme => match (&self.health, record.pid) {
                (Some(health), Some(pid)) => crate::watchdog::serves(health, pid, &what),
                _ => false,
            },
            // Once it has been there its name is known; looking again could need a disk.
            Readiness::Terminal => record.restarts > 0 || sys::is_terminal_ready(&what),
            _ => false,
        };
        if is_there {
            self.is_ready(name);
        }
    }

    /// A socket for a service's messages, and its path. Each service has its own: so it is known who speaks.
    pub(super) fn notify_socket(&self, name: &UnitName) -> std::io::Result<(UnixDatagram, String)> {
        let folder = self.run.join("notify");
        match std::fs::create_dir_all(&folder) {
            // Before there is a root nothing can be written, and nobody else runs.
            Err(error) if error.kind() == std::io::ErrorKind::ReadOnlyFilesystem => {
                let unique = format!("gci/notify/{name}");
                let socket = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&unique)?)?;
                socket.set_nonblocking(true)?;
                return Ok((socket, format!("@{unique}")));
            }
            other => other?,
        }
        let path = folder.join(name.as_str());
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let socket = UnixDatagram::bind(&path)?;
        socket.set_nonblocking(true)?;
        let owner = self.records.get(name).and_then(|it| it.identity.as_ref()).map(|identity| identity.uid);
        std::os::unix::fs::chown(&path, owner, None)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        Ok((socket, path.display().to_string()))
    }

    /// Something has arrived for a unit.
    pub(super) fn heard(&mut self, name: &UnitName) {
        let Some(record) = self.records.get_mut(name) else { return };
        if record.state == State::Listening {
            return self.begin(name);
        }
        let piped = record.exec_pipe.as_ref().map_or(Piped::Nothing, |pipe| sys::take_byte(pipe.as_raw_fd()));
        if piped != Piped::Nothing {
            record.exec_pipe = None;
            // Closed by a program that runs, or by an end that was not to be: that is noticed by itself. One that fails says so before it ends: its
            // descriptors are closed some time before it can be seen that it does not run any more.
            if piped == Piped::End && record.state == State::Starting && record.pid.is_some_and(sys::is_running) {
                return self.is_ready(name);
            }
        }
        let mut buffer = [0; 4096];
        // A service that never stops talking must not keep process 1 from the others.
        for _ in 0..64 {
            let Some(record) = self.records.get_mut(name) else { return };
            let Some(socket) = &record.notify else { return };
            let Ok(len) = socket.recv(&mut buffer) else { return };
            let text = String::from_utf8_lossy(&buffer[..len]).into_owned();
            for line in text.lines() {
                self.told(name, line);
            }
        }
    }

    /// A line of a service's message.
    fn told(&mut self, name: &UnitName, line: &str) {
        let Some(record) = self.records.get_mut(name) else { return };
        match line.split_once('=') {
            Some(("READY", "1")) if record.state == State::Starting => self.is_ready(name),
            Some(("WATCHDOG", "1")) => record.watchdog = record.watchdog.and(record.unit.watchdog).map(|period| Instant::now() + period),
            Some(("STATUS", text)) => record.detail = text.chars().filter(|it| !it.is_control()).take(200).collect(),
            Some(("MAINPID", text)) => {
                // Only one of its own group: it must not make process 1 kill another's.
                let group = record.group;
                if let Some(pid) = text.parse::<u32>().ok().filter(|pid| group.is_some() && sys::group_of(*pid) == group) {
                    if let Some(old) = record.pid.replace(pid) {
                        self.processes.remove(&old);
                    }
                    self.processes.insert(pid, name.clone());
                }
            }
            Some(("EXTEND_TIMEOUT_USEC", text)) if record.state == State::Starting => {
                if let Some(more) = text.parse().ok().map(Duration::from_micros).filter(|more| *more <= Duration::from_secs(3600)) {
                    record.deadline = Some(Instant::now() + more);
                    record.patience = record.deadline;
                }
            }
            _ => {}
        }
    }
}
