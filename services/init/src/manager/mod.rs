//! Units that run: jobs, processes, and the events that move them on.
//!
//! * [`record`]: a unit and its state; [`jobs`]: what is to start and stop, in which order;
//! * [`process`]: processes of units, their beginning and end; [`ready`]: how they become ready; [`listen`]: sockets for them.
//!
//! One thread does everything, and nothing in it waits for anything but events: what reads a disk (unit files, programs, the journal) is done
//! by other threads and by the children, because the disk's driver may be what has to be started again.

mod jobs;
mod listen;
mod process;
mod ready;
mod record;
mod report;

pub use record::{Record, State};

use crate::journal::Journal;
use crate::signals::Signals;
use crate::users::Users;
use crate::watchdog::Running;
use crate::{poll, sys};
use gci_units::unit::Output;
use gci_units::{Circumstances, Unit, UnitName, UnitSet};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Where programs are looked for.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// A wait that ends later than this after its time was held up by more than other work.
const STOOD_STILL: Duration = Duration::from_secs(1);

/// Unit files that were read, with what else is needed for starting them.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The units.
    pub set: UnitSet,
    /// Users and groups.
    pub users: Users,
}

impl Loaded {
    /// Reads these folders, the later before the earlier.
    pub fn read(folders: &[PathBuf]) -> Self {
        let mut set = UnitSet::new();
        folders.iter().for_each(|folder| set.load(folder));
        Loaded { set, users: Users::read() }
    }
}

/// A unit waits for the jobs of these.
struct StartJob {
    waits: Vec<UnitName>,
    stops: Vec<UnitName>,
}

/// The end of a unit's start, as others see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is ready.
    Ready,
    /// It is not for this boot.
    Skipped,
    /// It failed.
    Failed,
}

/// All units.
pub struct Manager {
    loaded: Loaded,
    records: BTreeMap<UnitName, Record>,
    processes: HashMap<u32, UnitName>,
    starts: BTreeMap<UnitName, StartJob>,
    stops: BTreeMap<UnitName, Vec<UnitName>>,
    outcomes: HashMap<UnitName, Outcome>,
    signals: Signals,
    /// Opened once: starting a driver again must not look up a path on the disk that it drives.
    null: OwnedFd,
    kernel_log: OwnedFd,
    /// Where the kernel tells which daemon serves which scheme.
    health: Option<File>,
    journal: Option<Journal>,
    /// Where sockets for messages are made.
    run: PathBuf,
    /// What a boot is like.
    pub circumstances: Circumstances,
    /// Variables of all units.
    pub environment: BTreeMap<String, String>,
    /// Before [`PATH`].
    pub first_path: Option<String>,
    began: Instant,
    target: Option<UnitName>,
    reached: Option<Instant>,
    /// Whether classes decide on the processor.
    is_booting: bool,
    is_stopping: bool,
    look_again: Duration,
    /// Signals other than SIGCHLD that nobody has looked at.
    requests: Vec<libc::c_int>,
    /// Left out of the last plan.
    left_out: Vec<String>,
}

impl Manager {
    /// A manager without units, which makes sockets below `run`; handles SIGCHLD and the signals that ask for a shutdown.
    ///
    /// # Errors
    /// Where there is no `/dev/null`, or signals cannot be handled.
    pub fn new(run: &Path, began: Instant) -> io::Result<Self> {
        let signals = [libc::SIGCHLD, libc::SIGTERM, libc::SIGINT, libc::SIGUSR1, libc::SIGUSR2, libc::SIGHUP];
        let null: OwnedFd = File::options().read(true).write(true).open("/dev/null")?.into();
        let kernel_log = match File::options().write(true).open("/dev/kmsg") {
            Ok(file) => file.into(),
            Err(_) => null.try_clone()?,
        };
        Ok(Manager {
            loaded: Loaded::default(),
            records: BTreeMap::new(),
            processes: HashMap::new(),
            starts: BTreeMap::new(),
            stops: BTreeMap::new(),
            outcomes: HashMap::new(),
            signals: Signals::handle(&signals)?,
            null,
            kernel_log,
            health: File::open(crate::watchdog::HEALTH).ok(),
            journal: None,
            run: run.to_owned(),
            circumstances: Circumstances::default(),
            environment: BTreeMap::from([("PATH".to_owned(), PATH.to_owned())]),
            first_path: None,
            began,
            target: None,
            reached: None,
            is_booting: true,
            is_stopping: false,
            look_again: ready::FIRST_LOOK,
            requests: Vec::new(),
            left_out: Vec::new(),
        })
    }

    /// Takes units over that were read. Those that run go on; their files count from their next start.
    pub fn take(&mut self, loaded: Loaded) {
        for problem in &loaded.set.problems {
            tracing::warn!("{problem}");
        }
        self.loaded = loaded;
        let names: Vec<UnitName> = self.records.keys().cloned().collect();
        for name in names {
            let Some(unit) = self.loaded.set.get(&name) else { continue };
            if let Some(record) = self.records.get_mut(&name) {
                record.unit = Unit { is_essential: unit.is_essential || record.unit.is_essential, ..unit };
            }
            self.identify(&name);
        }
    }

    /// Where the output of services goes from now on.
    pub fn set_journal(&mut self, journal: Journal) {
        self.journal = Some(journal);
    }

    /// Whether the target has been reached.
    pub fn is_reached(&self) -> bool {
        self.reached.is_some()
    }

    /// The units that were read.
    pub fn set(&self) -> &UnitSet {
        &self.loaded.set
    }

    /// All units that have been asked for.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.values()
    }

    /// Where a unit is.
    pub fn state(&self, name: &UnitName) -> State {
        self.records.get(name).map_or(State::Inactive, |record| record.state)
    }

    /// A unit's record, made where there is none yet; `None` where there is no such unit.
    fn record(&mut self, name: &UnitName) -> Option<&mut Record> {
        if !self.records.contains_key(name) {
            let unit = self.loaded.set.get(name)?;
            self.records.insert(name.clone(), Record::new(unit));
            self.identify(name);
        }
        self.records.get_mut(name)
    }

    /// Until when a unit has asked to be waited for.
    pub fn patience(&self, name: &UnitName) -> Option<Instant> {
        self.records.get(name)?.patience
    }

    /// What `%` and a letter stand for in a unit's commands.
    pub fn specify(&mut self, name: &UnitName, specifiers: &[(char, String)]) {
        if let Some(record) = self.record(name) {
            record.specifiers.extend(specifiers.iter().cloned());
        }
    }

    /// Who a unit runs as, by what has been read of users.
    fn identify(&mut self, name: &UnitName) {
        let Some(record) = self.records.get_mut(name) else { return };
        let user = record.unit.user.as_ref().and_then(|user| self.loaded.users.user(user));
        record.identity = user.map(|user| user.identity);
        if let Some(group) = &record.unit.group
            && let Some(gid) = self.loaded.users.group(group)
            && let Some(identity) = &mut record.identity
        {
            identity.gid = gid;
        }
    }

    /// Names of what is up.
    pub fn active(&self) -> BTreeSet<UnitName> {
        self.records.values().filter(|it| it.state.is_up()).map(|it| it.name().clone()).collect()
    }

    /// The services that run.
    pub fn running(&self) -> Vec<Running<'_>> {
        let running = |it: &'_ Record| Some((it.pid?, it.since.elapsed()));
        let records = self.records.values();
        records.filter_map(|it| running(it).map(|(pid, age)| Running { name: it.unit.name.as_str(), pid, age })).collect()
    }

    /// Ends the process of a service that hangs; its successor is started when it has ended. Other processes are left alone.
    pub fn end_hung(&mut self, pid: u32, scheme: &str) {
        let Some(hung) = self.records.values().find(|it| it.pid == Some(pid)) else { return };
        if self.is_stopping {
            return;
        }
        tracing::warn!("{} takes no requests for {scheme}; ending it", hung.name());
        if let Err(error) = sys::kill(pid as i32, libc::SIGKILL) {
            tracing::error!("cannot end {}: {error}", hung.name());
        }
    }

    /// Requests by signal that came since the last call.
    pub fn take_requests(&mut self) -> Vec<libc::c_int> {
        std::mem::take(&mut self.requests)
    }

    /// No service is started from now on.
    pub fn stop_starting(&mut self) {
        self.is_stopping = true;
        self.starts.clear();
    }

    /// Waits for events up to `limit`, and does what they ask for. Returns after one round; at once where one of `others` is ready.
    pub fn pump(&mut self, others: &[poll::Wanted], limit: Duration) {
        self.settle();
        let now = Instant::now();
        let timeout = self.next_time(now).map_or(limit, |time| limit.min(time.saturating_duration_since(now)));
        let (own, names) = self.descriptors();
        let wanted: Vec<poll::Wanted> = own.iter().chain(others).copied().collect();
        let ready = poll::wait(&wanted, timeout);
        let waited = now.elapsed();
        if waited.saturating_sub(timeout) > STOOD_STILL {
            self.excuse(waited);
        }
        for signal in self.signals.take() {
            if signal != libc::SIGCHLD {
                self.requests.push(signal);
            }
        }
        for (index, name) in names.iter().enumerate() {
            // The first descriptor is that of the signals.
            if ready.get(index + 1).copied().unwrap_or(false) {
                self.heard(name);
            }
        }
        while let Some((pid, status)) = sys::reap() {
            self.ended(pid, status);
        }
        self.look_for_readiness();
        self.timers();
        self.settle();
    }

    /// The machine stood still (a virtual one that was paused, say), for so long at most: nobody could meet a time limit meanwhile.
    fn excuse(&mut self, waited: Duration) {
        tracing::info!("the machine stood still, for {waited:.1?} at most: time limits are later by that");
        for record in self.records.values_mut() {
            for limit in [&mut record.deadline, &mut record.watchdog].into_iter().flatten() {
                *limit += waited;
            }
        }
    }

    /// Pumps until `condition` holds (true) or the time is over (false).
    pub fn wait_until(&mut self, limit: Duration, mut condition: impl FnMut(&mut Self) -> bool) -> bool {
        let start = Instant::now();
        let mut pause = Duration::from_millis(1);
        loop {
            if condition(self) {
                return true;
            }
            let left = limit.saturating_sub(start.elapsed());
            if left.is_zero() {
                return false;
            }
            self.pump(&[], pause.min(left));
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }

    /// What to listen to, and whose it is after the first.
    fn descriptors(&self) -> (Vec<poll::Wanted>, Vec<UnitName>) {
        let mut wanted = vec![poll::Wanted::read(self.signals.as_raw_fd())];
        let mut names = Vec::new();
        for record in self.records.values() {
            let notify = record.notify.as_ref().map(AsRawFd::as_raw_fd);
            let exec = record.exec_pipe.as_ref().map(AsRawFd::as_raw_fd);
            let is_listening = record.state == State::Listening;
            let sockets = record.sockets.iter().filter(|_| is_listening).map(AsRawFd::as_raw_fd);
            for descriptor in notify.into_iter().chain(exec).chain(sockets) {
                wanted.push(poll::Wanted::read(descriptor));
                names.push(record.name().clone());
            }
        }
        (wanted, names)
    }

    /// When the next of the timers is due.
    fn next_time(&self, now: Instant) -> Option<Instant> {
        let of_records = self.records.values().flat_map(|it| [it.due, it.deadline, it.watchdog]).flatten();
        let looking = self.records.values().any(ready::must_be_looked_at).then(|| now + self.look_again);
        of_records.chain(looking).min()
    }

    fn output(&self, record: &Record) -> (RawFd, RawFd, Vec<OwnedFd>) {
        let both = |fd: &OwnedFd| (fd.as_raw_fd(), fd.as_raw_fd(), Vec::new());
        match (record.unit.output, &self.journal) {
            (Output::Null, _) => both(&self.null),
            (Output::Journal, Some(journal)) => match journal.streams(record.name().as_str()) {
                Ok([out, errors]) => (out.as_raw_fd(), errors.as_raw_fd(), vec![out, errors]),
                Err(error) => {
                    tracing::warn!("no journal for {}: {error}", record.name());
                    both(&self.kernel_log)
                }
            },
            (Output::Kernel | Output::Journal, _) => both(&self.kernel_log),
        }
    }
}
