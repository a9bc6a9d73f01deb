//! Processes of units: their beginning and end.

use super::record::Helper;
use super::{Manager, Outcome, State};
use crate::spawn::{self, Launch, Streams};
use crate::sys;
use gci_units::command::{Command, Values};
use gci_units::{Readiness, Restart, Skip, UnitName};
use std::collections::BTreeMap;
use std::ffi::CString;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

/// How long ExecReload may take.
const RELOAD_LIMIT: Duration = Duration::from_secs(30);

fn texts(words: impl IntoIterator<Item = String>) -> Vec<CString> {
    // A NUL cannot come from a unit file.
    words.into_iter().filter_map(|word| CString::new(word).ok()).collect()
}

impl Manager {
    /// Why a unit is not for this boot.
    pub(super) fn skip(&self, name: &UnitName) -> Option<Skip> {
        let record = self.records.get(name)?;
        let exists = |path: &str| std::path::Path::new(path).exists();
        let skip = self.circumstances.skip(&record.unit, exists);
        skip.or_else(|| {
            let terminal = record.unit.terminal.as_ref()?;
            let path = self.values(name, |values| values.put_in(terminal))?;
            (!sys::is_terminal_ready(&path)).then_some(Skip::Terminal(path))
        })
    }

    /// What can be put into a unit's texts.
    fn values<T>(&self, name: &UnitName, with: impl FnOnce(&Values<'_>) -> T) -> Option<T> {
        let record = self.records.get(name)?;
        let mut environment = self.environment.clone();
        if let Some(pid) = record.pid {
            environment.insert("MAINPID".into(), pid.to_string());
        }
        environment.extend(record.unit.environment.clone());
        Some(with(&Values { environment: &environment, specifiers: &record.specifiers }))
    }

    /// Starts a unit's processes from the first command on.
    pub(super) fn begin(&mut self, name: &UnitName) {
        let now = Instant::now();
        let Some(record) = self.records.get_mut(name) else { return };
        record.due = None;
        record.command = 0;
        record.is_killed = false;
        if record.is_over_limit(now) {
            let (burst, interval) = (record.unit.start_limit_burst, record.unit.start_limit_interval);
            let detail = format!("it ended {burst} times within {interval:?}; look at `gci logs -u {name}`, then `gci start {name}`");
            tracing::error!("{name} is given up: {detail}");
            self.set_state(name, State::Failed, &detail);
            return self.job_is_done(name, Outcome::Failed);
        }
        record.state = State::Starting;
        record.detail.clear();
        record.cause = None;
        record.since = now;
        record.times.started.get_or_insert(now);
        record.deadline = now.checked_add(record.unit.timeout_start);
        self.look_again = super::ready::FIRST_LOOK;
        self.run_command(name);
    }

    /// Starts the process of the command whose turn it is.
    fn run_command(&mut self, name: &UnitName) {
        let Some(record) = self.records.get(name) else { return };
        let Some(command) = record.unit.exec_start.get(record.command).cloned() else {
            return self.is_ready(name);
        };
        match self.launch(name, &command, true) {
            Ok(pid) => {
                let Some(record) = self.records.get_mut(name) else { return };
                record.pid = Some(pid);
                record.group = Some(pid);
                match record.unit.readiness {
                    Readiness::Simple => self.is_ready(name),
                    Readiness::Scheme | Readiness::Terminal => self.look_at(name),
                    _ => {}
                }
            }
            Err(error) => {
                tracing::error!("cannot start {name}: {error}");
                self.has_ended(name, false, &format!("no process could be made: {error}"));
            }
        }
    }

    /// Makes a process of a unit.
    fn launch(&mut self, name: &UnitName, command: &Command, is_main: bool) -> std::io::Result<u32> {
        let missing = || std::io::Error::other("the unit is gone");
        let mut words = self.values(name, |values| command.expand(values)).ok_or_else(missing)?;
        if words.is_empty() {
            return Err(std::io::Error::other("its command is empty after expansion"));
        }
        let program = if command.has_name { words.remove(0) } else { words[0].clone() };
        let record = self.records.get_mut(name).ok_or_else(missing)?;
        if record.unit.keeps_input && record.kept_input.is_none() {
            record.kept_input = Some(sys::memory_file(name.as_str())?);
        }
        let record = self.records.get(name).ok_or_else(missing)?;
        if record.unit.user.is_some() && record.identity.is_none() {
            return Err(std::io::Error::other(format!("there is no user {}", record.unit.user.as_deref().unwrap_or_default())));
        }
        let mut environment = self.environment.clone();
        if let Some(user) = record.unit.user.as_ref().and_then(|user| self.loaded.users.user(user)) {
            environment.extend([("USER".into(), user.name.clone()), ("LOGNAME".into(), user.name), ("HOME".into(), user.home), ("SHELL".into(), user.shell)]);
        }
        environment.extend(record.unit.environment.clone());
        if let Some(level) = record.unit.optimal_level {
            environment.insert("GCI_OPTIMAL_LEVEL".into(), (f64::from(level) / 1000.0).to_string());
        }
        if let Some(pid) = record.pid.filter(|_| !is_main) {
            environment.insert("MAINPID".into(), pid.to_string());
        }
        let programs = if program.contains('/') {
            vec![program]
        } else {
            let path = environment.get("PATH").map_or(super::PATH, String::as_str);
            let path = self.first_path.as_deref().into_iter().chain(path.split(':'));
            path.map(|folder| format!("{folder}/{program}")).collect()
        };
        let terminal = record.unit.terminal.as_ref().filter(|_| is_main).and_then(|it| self.values(name, |values| values.put_in(it)));
        // The parent's ends of what the child gets: closed when it has them.
        let mut held: Vec<OwnedFd> = Vec::new();
        let streams = match terminal {
            Some(path) => Streams::Terminal(CString::new(path)?),
            None => {
                let (out, errors, ends) = self.output(record);
                held.extend(ends);
                let input = record.kept_input.as_ref().unwrap_or(&self.null).as_raw_fd();
                Streams::Descriptors([input, out, errors])
            }
        };
        let readiness = record.unit.readiness;
        // At its first start what it waits for may be a person. Later no path is looked up, which could lead to the disk that it serves.
        let may_wait = record.unit.keeps_input && record.restarts == 0;
        let socket = if is_main && (readiness == Readiness::Notify || may_wait) { Some(self.notify_socket(name)?) } else { None };
        let exec_pipe = if is_main && readiness == Readiness::Exec { Some(sys::high_pipe()?) } else { None };
        let record = self.records.get_mut(name).ok_or_else(missing)?;
        if let Some((socket, path)) = socket {
            record.notify = Some(socket);
            environment.insert("NOTIFY_SOCKET".into(), path);
            if let Some(period) = record.unit.watchdog {
                environment.insert("WATCHDOG_USEC".into(), period.as_micros().to_string());
            }
        }
        let sockets: Vec<i32> = record.sockets.iter().filter(|_| is_main).map(AsRawFd::as_raw_fd).collect();
        if !sockets.is_empty() {
            environment.insert("LISTEN_FDS".into(), sockets.len().to_string());
        }
        let nice = if self.is_booting { record.unit.class.boot_nice() } else { record.unit.nice };
        let launch = Launch {
            programs: texts(programs),
            words: texts(words),
            environment: texts(environment.into_iter().map(|(name, value)| format!("{name}={value}"))),
            streams,
            sockets,
            directory: record.unit.working_directory.clone().and_then(|path| CString::new(path).ok()),
            identity: record.identity.clone(),
            nice,
            is_essential: record.unit.is_essential,
            limits: record.unit.limits,
            failure: exec_pipe.as_ref().map(|(_, writer)| writer.as_raw_fd()),
        };
        let pid = launch.start()?;
        if let Some((reader, writer)) = exec_pipe {
            record.exec_pipe = Some(reader);
            held.push(writer);
        }
        self.processes.insert(pid, name.clone());
        Ok(pid)
    }

    /// A child has ended.
    pub(super) fn ended(&mut self, pid: u32, status: i32) {
        // Others are orphans that were left to process 1: reaping them is all.
        let Some(name) = self.processes.remove(&pid) else { return };
        let Some(record) = self.records.get_mut(&name) else { return };
        if let Some((_, helper)) = record.helper.take_if(|(helper, _)| *helper == pid) {
            if status != 0 {
                tracing::warn!("{name}: the command of {helper:?} {}", sys::describe_status(status));
            }
            if helper == Helper::Stop && record.state == State::Stopping {
                self.signal_stop(&name);
            }
            return;
        }
        if record.pid != Some(pid) {
            return;
        }
        record.pid = None;
        record.exec_pipe = None;
        record.watchdog = None;
        let is_good = libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0;
        let may_fail = record.unit.exec_start.get(record.command).is_some_and(|command| command.may_fail);
        let (state, readiness) = (record.state, record.unit.readiness);
        if state == State::Stopping {
            return self.has_stopped_if_alone(&name);
        }
        if state == State::Starting && (is_good || may_fail && readiness == Readiness::Oneshot) {
            match readiness {
                Readiness::Oneshot => {
                    record.command += 1;
                    return self.run_command(&name);
                }
                Readiness::Forking => return self.has_forked(&name),
                _ => {}
            }
        }
        // A program that ran, however short, did run.
        if state == State::Starting && readiness == Readiness::Exec && spawn::reason(libc::WEXITSTATUS(status)).is_none() {
            self.is_ready(&name);
        }
        let described = match spawn::reason(libc::WEXITSTATUS(status)).filter(|_| libc::WIFEXITED(status)) {
            Some(reason) => format!("{reason} (status {})", libc::WEXITSTATUS(status)),
            None => sys::describe_status(status),
        };
        self.has_ended(&name, is_good, &described);
    }

    /// The first process of a forking service has ended: one of its group, or of its file, is the service.
    fn has_forked(&mut self, name: &UnitName) {
        let Some(record) = self.records.get_mut(name) else { return };
        let from_file = record.unit.pid_file.as_ref().and_then(|path| std::fs::read_to_string(path).ok()?.trim().parse().ok());
        let found: Option<u32> = from_file.or_else(|| sys::process_of_group(record.group?));
        match found.filter(|pid| sys::kill(*pid as i32, 0).is_ok()) {
            Some(pid) => {
                record.pid = Some(pid);
                if from_file.is_some() {
                    record.group = sys::group_of(pid);
                }
                self.processes.insert(pid, name.clone());
                self.is_ready(name);
            }
            None => self.has_ended(name, false, "its first process ended and left none; set PIDFile where it makes a session of its own"),
        }
    }

    /// A service has ended without having been asked to: whether it starts again.
    pub(super) fn has_ended(&mut self, name: &UnitName, is_good: bool, described: &str) {
        let now = Instant::now();
        let is_stopping = self.is_stopping;
        let Some(record) = self.records.get_mut(name) else { return };
        let cause = record.cause.take();
        let (is_good, described) = (is_good && cause.is_none(), cause.as_deref().unwrap_or(described));
        let was_starting = record.state == State::Starting;
        record.pid = None;
        record.deadline = None;
        record.watchdog = None;
        record.notify = None;
        let is_session = record.unit.terminal.is_some();
        // What it has left in its group ends with it; a session's jobs have groups of their own.
        if let Some(group) = record.group.take().filter(|_| !is_session) {
            let _ = sys::kill(-(group as i32), libc::SIGKILL);
        }
        let again = match record.unit.restart {
            _ if is_stopping => false,
            Restart::Always => true,
            Restart::OnFailure => !is_good,
            Restart::No => false,
        };
        if !again {
            let on_demand = record.unit.activation == gci_units::Activation::OnDemand && is_good && !is_stopping;
            let (state, outcome) = match is_good {
                _ if on_demand => (State::Listening, Outcome::Ready),
                true => (State::Inactive, Outcome::Ready),
                false => (State::Failed, Outcome::Failed),
            };
            if !is_good && !is_stopping {
                tracing::warn!("{name} {described}");
            }
            self.set_state(name, state, described);
            if was_starting && is_good {
                // It ended before it was ready: nobody can build on it.
                self.set_state(name, State::Failed, "it ended before it was ready");
                return self.job_is_done(name, Outcome::Failed);
            }
            return self.job_is_done(name, outcome);
        }
        let delay = record.next_delay(now.duration_since(record.since));
        record.due = Some(now + delay);
        record.state = State::Restarting;
        let when = if delay.is_zero() { "now".to_owned() } else { format!("in {delay:?}") };
        let message = format!("{name} {described}; starting it again {when}");
        described.clone_into(&mut record.detail);
        // Leaving a shell is no failure.
        if is_session {
            tracing::info!("{message}");
        } else {
            tracing::warn!("{message}");
        }
    }

    /// Begins to stop a unit.
    pub(super) fn begin_stop(&mut self, name: &UnitName) {
        let now = Instant::now();
        self.starts.remove(name);
        let Some(record) = self.records.get_mut(name) else { return };
        record.due = None;
        record.watchdog = None;
        match record.state {
            State::Stopping => return,
            State::Starting | State::Active if record.group.is_some() || record.pid.is_some() => {}
            _ => return self.has_stopped(name),
        }
        record.state = State::Stopping;
        record.is_killed = false;
        record.deadline = now.checked_add(record.unit.timeout_stop);
        if let Some(command) = record.unit.exec_stop.clone().filter(|_| record.pid.is_some()) {
            match self.launch(name, &command, false) {
                Ok(pid) => {
                    if let Some(record) = self.records.get_mut(name) {
                        record.helper = Some((pid, Helper::Stop));
                    }
                    return;
                }
                Err(error) => tracing::warn!("{name}: ExecStop cannot be started: {error}"),
            }
        }
        self.signal_stop(name);
    }

    /// Asks a unit's processes to end.
    fn signal_stop(&mut self, name: &UnitName) {
        let Some(record) = self.records.get(name) else { return };
        if let Some(group) = record.group {
            let group = -(group as i32);
            // A login shell ignores SIGTERM but not the end of its terminal.
            if record.unit.terminal.is_some() {
                let _ = sys::kill(group, libc::SIGHUP);
            }
            let _ = sys::kill(group, libc::SIGTERM);
            let _ = sys::kill(group, libc::SIGCONT);
        }
        self.has_stopped_if_alone(name);
    }

    /// Whether the last process of a unit that stops is gone.
    pub(super) fn has_stopped_if_alone(&mut self, name: &UnitName) {
        let Some(record) = self.records.get(name) else { return };
        let has_others = record.group.is_some_and(|group| sys::kill(-(group as i32), 0).is_ok());
        if record.pid.is_none() && !has_others {
            self.has_stopped(name);
        }
    }

    /// A unit has stopped.
    fn has_stopped(&mut self, name: &UnitName) {
        let Some(record) = self.records.get_mut(name) else { return };
        if let Some(pid) = record.pid.take() {
            self.processes.remove(&pid);
        }
        record.group = None;
        record.deadline = None;
        record.notify = None;
        record.sockets.clear();
        record.state = State::Inactive;
        record.detail.clear();
        record.failures = 0;
        record.starts.clear();
        if std::mem::take(&mut record.start_after_stop) && !self.is_stopping {
            record.restarts += 1;
            record.state = State::Waiting;
            record.times = super::record::Times { asked: Some(Instant::now()), ..Default::default() };
            let after = record.unit.after.clone();
            let waits = after.into_iter().filter(|it| self.starts.contains_key(it) || self.records.get(it).is_some_and(|it| it.start_after_stop)).collect();
            self.outcomes.remove(name);
            self.starts.insert(name.clone(), super::StartJob { waits, stops: Vec::new() });
        }
    }

    /// Lets a unit read its configuration anew.
    ///
    /// # Errors
    /// In words, where it cannot.
    pub fn reload(&mut self, name: &UnitName) -> Result<(), String> {
        let record = self.records.get(name).filter(|it| it.state == State::Active).ok_or_else(|| format!("{name} is not active"))?;
        let command = record.unit.exec_reload.clone().ok_or_else(|| format!("{name} has no ExecReload: restart it"))?;
        if record.helper.is_some() {
            return Err(format!("{name} is being reloaded already"));
        }
        let pid = self.launch(name, &command, false).map_err(|error| format!("{name}: ExecReload cannot be started: {error}"))?;
        if let Some(record) = self.records.get_mut(name) {
            record.helper = Some((pid, Helper::Reload));
            record.deadline = Instant::now().checked_add(RELOAD_LIMIT);
        }
        Ok(())
    }

    /// What is due: restarts, time-outs, watchdogs.
    pub(super) fn timers(&mut self) {
        let now = Instant::now();
        let passed = |time: Option<Instant>| time.is_some_and(|time| time <= now);
        let due: Vec<UnitName> = self.records.values().filter(|it| passed(it.due) || passed(it.deadline) || passed(it.watchdog)).map(|it| it.name().clone()).collect();
        for name in due {
            let Some(record) = self.records.get_mut(&name) else { continue };
            if passed(record.due) {
                record.restarts += 1;
                self.begin(&name);
                continue;
            }
            if passed(record.watchdog) {
                record.watchdog = None;
                record.cause = Some("did not tell of its life".to_owned());
                tracing::warn!("{name} has not told of its life within {:?}; ending it", record.unit.watchdog.unwrap_or_default());
                self.kill(&name, libc::SIGABRT);
                continue;
            }
            record.deadline = None;
            if let Some((pid, helper)) = record.helper {
                tracing::warn!("{name}: the command of {helper:?} takes too long; ending it");
                let _ = sys::kill(-(pid as i32), libc::SIGKILL);
                if record.state == State::Active {
                    continue;
                }
            }
            match record.state {
                State::Starting => {
                    tracing::warn!("{name} is not ready within {:?}; ending it", record.unit.timeout_start);
                    record.cause = Some(format!("was not ready within {:?}", record.unit.timeout_start));
                    self.kill(&name, libc::SIGKILL);
                }
                State::Stopping if !record.is_killed => {
                    tracing::warn!("{name} does not end within {:?}; killing it", record.unit.timeout_stop);
                    record.is_killed = true;
                    record.deadline = Some(now + Duration::from_millis(500));
                    self.kill(&name, libc::SIGKILL);
                }
                // What SIGKILL does not end cannot be waited for.
                State::Stopping => self.has_stopped(&name),
                State::Active => self.kill(&name, libc::SIGKILL),
                _ => {}
            }
        }
        let stopping: Vec<UnitName> = self.records.values().filter(|it| it.state == State::Stopping && it.pid.is_none()).map(|it| it.name().clone()).collect();
        stopping.iter().for_each(|name| self.has_stopped_if_alone(name));
    }

    fn kill(&mut self, name: &UnitName, signal: libc::c_int) {
        let Some(record) = self.records.get_mut(name) else { return };
        if let Some(group) = record.group {
            let _ = sys::kill(-(group as i32), signal);
        }
        if let Some(pid) = record.pid {
            let _ = sys::kill(pid as i32, signal);
        }
        // One that does not take SIGABRT gets SIGKILL.
        if signal == libc::SIGABRT {
            record.deadline = Some(Instant::now() + Duration::from_millis(500));
        }
    }

    /// Variables of all units, with the level and the rest of the boot's parameters.
    pub fn set_environment(&mut self, more: BTreeMap<String, String>) {
        self.environment.extend(more);
    }
}
