//! What becomes of a unit.

use crate::spawn::Identity;
use gci_units::{Unit, UnitName};
use std::collections::{BTreeMap, VecDeque};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

/// Where a unit is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It does not run.
    Inactive,
    /// It waits for others.
    Waiting,
    /// Its process runs and is not ready.
    Starting,
    /// It is ready.
    Active,
    /// Its processes are to end.
    Stopping,
    /// It has ended, and is started again in a moment.
    Restarting,
    /// It has ended, and is not started again.
    Failed,
    /// It is not for this boot.
    Skipped,
    /// It is started when something arrives at its sockets.
    Listening,
}

impl State {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            State::Inactive => "inactive",
            State::Waiting => "waiting",
            State::Starting => "starting",
            State::Active => "active",
            State::Stopping => "stopping",
            State::Restarting => "restarting",
            State::Failed => "failed",
            State::Skipped => "skipped",
            State::Listening => "listening",
        }
    }

    /// Whether stopping it means to do something.
    pub fn is_up(self) -> bool {
        matches!(self, State::Starting | State::Active | State::Stopping | State::Restarting | State::Listening)
    }
}

/// When a unit was asked for, begun, and ready.
#[derive(Clone, Copy, Debug, Default)]
pub struct Times {
    /// Somebody asked for it.
    pub asked: Option<Instant>,
    /// Its process began, for the first time since then.
    pub started: Option<Instant>,
    /// It was ready, for the first time since then.
    pub ready: Option<Instant>,
}

/// A unit and its state.
pub struct Record {
    /// The unit.
    pub unit: Unit,
    /// Where it is.
    pub state: State,
    /// Why, in words.
    pub detail: String,
    /// Its main process.
    pub pid: Option<u32>,
    /// The process group of what was started.
    pub group: Option<u32>,
    /// A process of ExecReload or ExecStop.
    pub helper: Option<(u32, Helper)>,
    /// Which command of a oneshot runs.
    pub command: usize,
    /// When the main process began.
    pub since: Instant,
    /// How often it was started again.
    pub restarts: u32,
    /// Ends in a row.
    pub failures: u32,
    /// The last starts.
    pub starts: VecDeque<Instant>,
    /// When it is started again.
    pub due: Option<Instant>,
    /// When what it is doing has taken too long.
    pub deadline: Option<Instant>,
    /// When it must have told of its life.
    pub watchdog: Option<Instant>,
    /// Why it was ended by us, without having been asked to stop.
    pub cause: Option<String>,
    /// Whether SIGKILL has been sent.
    pub is_killed: bool,
    /// Whether it starts again once it has stopped.
    pub start_after_stop: bool,
    /// Times.
    pub times: Times,
    /// Where it sends its messages (sd_notify(3)).
    pub notify: Option<UnixDatagram>,
    /// Closed by the kernel when the program runs.
    pub exec_pipe: Option<OwnedFd>,
    /// `KeepInput`: its standard input.
    pub kept_input: Option<OwnedFd>,
    /// Until when it has asked to be waited for (EXTEND_TIMEOUT_USEC of sd_notify(3)).
    pub patience: Option<Instant>,
    /// Sockets for it.
    pub sockets: Vec<OwnedFd>,
    /// For `%` in its commands.
    pub specifiers: BTreeMap<char, String>,
    /// Who it runs as, from the file that was last read.
    pub identity: Option<Identity>,
}

/// What a helper process is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Helper {
    /// ExecReload.
    Reload,
    /// ExecStop.
    Stop,
}

impl Record {
    /// A unit that has not been asked for.
    pub fn new(unit: Unit) -> Self {
        let name = &unit.name;
        let mut specifiers = BTreeMap::from([('n', name.to_string())]);
        let stem = name.as_str().split('@').next().unwrap_or_default();
        specifiers.insert('p', stem.to_owned());
        specifiers.insert('i', name.instance().unwrap_or_default().to_owned());
        Record {
            unit,
            state: State::Inactive,
            detail: String::new(),
            pid: None,
            group: None,
            helper: None,
            command: 0,
            since: Instant::now(),
            restarts: 0,
            failures: 0,
            starts: VecDeque::new(),
            due: None,
            deadline: None,
            watchdog: None,
            cause: None,
            is_killed: false,
            start_after_stop: false,
            times: Times::default(),
            notify: None,
            exec_pipe: None,
            kept_input: None,
            patience: None,
            sockets: Vec::new(),
            specifiers,
            identity: None,
        }
    }

    /// Its name.
    pub fn name(&self) -> &UnitName {
        &self.unit.name
    }

    /// How long to wait before it is started again: nothing for the first ends in a row, then doubling. A long life forgives everything.
    pub fn next_delay(&mut self, lived: Duration) -> Duration {
        if lived >= self.unit.restart_forgive {
            self.failures = 0;
        }
        self.failures = self.failures.saturating_add(1);
        if self.failures <= self.unit.restart_free {
            return Duration::ZERO;
        }
        let doublings = (self.failures - self.unit.restart_free - 1).min(16);
        self.unit.restart_delay.saturating_mul(1 << doublings).min(self.unit.restart_delay_max)
    }

    /// Notes a start; whether there have been too many.
    pub fn is_over_limit(&mut self, now: Instant) -> bool {
        let burst = self.unit.start_limit_burst as usize;
        if burst == 0 {
            return false;
        }
        while self.starts.front().is_some_and(|start| now.duration_since(*start) > self.unit.start_limit_interval) {
            self.starts.pop_front();
        }
        if self.starts.len() >= burst {
            return true;
        }
        self.starts.push_back(now);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_a_limit_and_are_forgiven() {
        let mut record = Record::new(Unit::new(UnitName::new("x").unwrap()));
        record.unit.restart_free = 4;
        record.unit.restart_delay = Duration::from_millis(50);
        record.unit.restart_delay_max = Duration::from_secs(10);
        record.unit.restart_forgive = Duration::from_secs(1);
        let delays: Vec<u128> = (0..14).map(|_| record.next_delay(Duration::ZERO).as_millis()).collect();
        assert_eq!(delays, [0, 0, 0, 0, 50, 100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000]);
        assert_eq!(record.next_delay(Duration::from_secs(1)), Duration::ZERO);
    }

    #[test]
    fn starts_are_limited_within_the_interval() {
        let mut record = Record::new(Unit::new(UnitName::new("x").unwrap()));
        record.unit.start_limit_burst = 3;
        record.unit.start_limit_interval = Duration::from_secs(10);
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let over: Vec<bool> = [0, 1, 2, 3, 11, 12].into_iter().map(|seconds| record.is_over_limit(at(seconds))).collect();
        assert_eq!(over, [false, false, false, true, false, false]);
    }
}
