//! A unit as a typed struct.

use crate::command::Command;
use crate::keys;
use crate::name::{Kind, UnitName};
use crate::problem::{Problem, Problems};
use crate::syntax;
use std::collections::BTreeMap;
use std::time::Duration;

/// What a service is for: who gets the processor first while the system starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Priority 1: the self-model.
    Consciousness,
    /// Priority 2: artificial intelligence.
    Ai,
    /// Priority 3: education.
    Education,
    /// Priority 4: what every system has; the default.
    System,
    /// Priority 5: programs of users.
    User,
}

impl Class {
    /// 1 (first) to 5.
    pub fn priority(self) -> u8 {
        self as u8 + 1
    }

    /// The nice value while the system starts.
    pub fn boot_nice(self) -> i32 {
        [-10, -6, -3, 0, 5][self as usize]
    }

    /// Its name in unit files.
    pub fn name(self) -> &'static str {
        ["consciousness", "ai", "education", "system", "user"][self as usize]
    }
}

/// When a service that was started counts as ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// As soon as there is a process; the default.
    Simple,
    /// When its program runs.
    Exec,
    /// When the first process has ended; a process that it left is the service.
    Forking,
    /// When all its commands have ended well.
    Oneshot,
    /// When it says `READY=1` (sd_notify(3)).
    Notify,
    /// When its scheme is there.
    Scheme,
    /// When a terminal that it serves can be opened.
    Terminal,
}

impl Readiness {
    /// Its name in unit files.
    pub fn name(self) -> &'static str {
        ["simple", "exec", "forking", "oneshot", "notify", "scheme", "terminal"][self as usize]
    }
}

/// Whether a service is started again when it has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// Never; the default.
    No,
    /// After a status other than 0, a signal, or a time-out.
    OnFailure,
    /// Always.
    Always,
}

/// How much a service has to do with a part of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Integration {
    /// It does without.
    None,
    /// It uses it where it is there; the default.
    Optional,
    /// It is of no use without it.
    Required,
}

/// Where the standard output and the standard error of a service go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// The journal; the default.
    Journal,
    /// The kernel's log, which needs no disk and no other process.
    Kernel,
    /// Nowhere.
    Null,
}

/// When the service of sockets is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// With the system; the default.
    AtStart,
    /// When something arrives at one of its sockets.
    OnDemand,
}

/// A socket that a service gets open (sd_listen_fds(3)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Stream or datagrams.
    pub is_stream: bool,
    /// A path, `@` and an abstract name, a port, or an address and a port.
    pub address: String,
}

/// A device that a driver is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceMatch {
    /// `virtio:TYPE`, with the type's number of the standard.
    Virtio(u16),
    /// `pci:VENDOR:DEVICE`, hexadecimal.
    Pci(u16, u16),
    /// `framebuffer`: the one that the boot loader left, where no driver for another device numbers itself with the same word.
    Framebuffer,
}

/// Which devices a driver is for, and how they are counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// Any of these.
    pub matches: Vec<DeviceMatch>,
    /// What the driver's devices are counted as: drivers with the same word share the count. `%N` is the number, `%l` the letters (0: `a`).
    pub counted_as: Option<String>,
}

/// Limits of resources (setrlimit(2)); `None`: those of process 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Open files.
    pub open_files: Option<u64>,
    /// Processes of the user.
    pub processes: Option<u64>,
    /// Bytes of address space.
    pub address_space: Option<u64>,
    /// Bytes of a core file.
    pub core: Option<u64>,
    /// Bytes of locked memory.
    pub locked_memory: Option<u64>,
    /// Seconds of the processor.
    pub processor_seconds: Option<u64>,
}

/// A unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Unit {
    /// Its name.
    pub name: UnitName,
    /// `Description`: one line for people.
    pub description: String,
    /// `Type`: what it is for.
    pub class: Class,
    /// `Type`: when it is ready.
    pub readiness: Readiness,
    /// `ExecStart`: one command; several for oneshot.
    pub exec_start: Vec<Command>,
    /// `ExecReload`.
    pub exec_reload: Option<Command>,
    /// `ExecStop`, before signals.
    pub exec_stop: Option<Command>,
    /// `Restart`.
    pub restart: Restart,
    /// `RestartSec`: before the second restart in a row; it doubles from then on. The first is at once.
    pub restart_delay: Duration,
    /// `RestartMaxDelaySec`.
    pub restart_delay_max: Duration,
    /// `RestartFree`: how many restarts in a row are without delay.
    pub restart_free: u32,
    /// `RestartForgiveSec`: a service that lived so long has not failed to start.
    pub restart_forgive: Duration,
    /// `StartLimitBurst`: after so many starts in [`Unit::start_limit_interval`] it is given up. 0: never.
    pub start_limit_burst: u32,
    /// `StartLimitIntervalSec`.
    pub start_limit_interval: Duration,
    /// `User`.
    pub user: Option<String>,
    /// `Group`.
    pub group: Option<String>,
    /// `Environment`.
    pub environment: BTreeMap<String, String>,
    /// `WorkingDirectory`.
    pub working_directory: Option<String>,
    /// `TimeoutStartSec`; [`Duration::MAX`]: none.
    pub timeout_start: Duration,
    /// `TimeoutStopSec`: between SIGTERM and SIGKILL.
    pub timeout_stop: Duration,
    /// `WatchdogSec`: the service must say `WATCHDOG=1` so often.
    pub watchdog: Option<Duration>,
    /// `RemainAfterExit`: a oneshot stays active.
    pub remain_after_exit: bool,
    /// `PIDFile`, for forking.
    pub pid_file: Option<String>,
    /// `Scheme`: what it serves; the unit's name where not given.
    pub scheme: Option<String>,
    /// `Output`.
    pub output: Output,
    /// `Terminal`: it gets this as its standard streams, with a session of its own.
    pub terminal: Option<String>,
    /// `Nice`, when the system has started.
    pub nice: i32,
    /// `LimitNOFILE` and so on.
    pub limits: Limits,
    /// `Essential`: the system runs on it, so it is left alone until the very end of a shutdown.
    pub is_essential: bool,
    /// `KeepInput`: its standard input is a file in memory that stays between its starts.
    pub keeps_input: bool,
    /// `ListenStream`, `ListenDatagram`.
    pub sockets: Vec<Listen>,
    /// `SocketMode`.
    pub socket_mode: u32,
    /// `Activation`.
    pub activation: Activation,
    /// `[Device]`.
    pub device: Option<Device>,
    /// `ConditionPathExists`: with `!` before it, must not exist.
    pub conditions: Vec<String>,
    /// `RequiredLevel`, in thousandths.
    pub required_level: Option<u16>,
    /// `OptimalLevel`, in thousandths: what it is made for. It is told to the service as `GCI_OPTIMAL_LEVEL`.
    pub optimal_level: Option<u16>,
    /// `AIIntegration`.
    pub ai: Integration,
    /// `EducationalIntegration`.
    pub education: Integration,
    /// `Requires`: started too, and without them it cannot run.
    pub requires: Vec<UnitName>,
    /// `Wants`: started too.
    pub wants: Vec<UnitName>,
    /// `After`: where both start, those first.
    pub after: Vec<UnitName>,
    /// `Before`: the other way round.
    pub before: Vec<UnitName>,
    /// `Conflicts`: cannot run at the same time.
    pub conflicts: Vec<UnitName>,
    /// `WantedBy`: what it is started by where it is enabled.
    pub wanted_by: Vec<UnitName>,
    /// `Enabled`: whether it is without anybody's decision.
    pub is_enabled: bool,
    /// The file that it comes from; empty for those that GCI has built in.
    pub file: String,
}

/// What a file is.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The unit; `None` where there are errors.
    pub unit: Option<Unit>,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

impl Unit {
    /// A unit with all defaults, which does nothing.
    pub fn new(name: UnitName) -> Self {
        Unit {
            description: String::new(),
            class: Class::System,
            readiness: Readiness::Simple,
            exec_start: Vec::new(),
            exec_reload: None,
            exec_stop: None,
            restart: Restart::No,
            restart_delay: Duration::from_millis(100),
            restart_delay_max: Duration::from_secs(30),
            restart_free: 1,
            restart_forgive: Duration::from_secs(10),
            start_limit_burst: 8,
            start_limit_interval: Duration::from_secs(300),
            user: None,
            group: None,
            environment: BTreeMap::new(),
            working_directory: None,
            timeout_start: Duration::from_secs(90),
            timeout_stop: Duration::from_secs(5),
            watchdog: None,
            remain_after_exit: false,
            pid_file: None,
            scheme: None,
            output: Output::Journal,
            terminal: None,
            nice: 0,
            limits: Limits::default(),
            is_essential: false,
            keeps_input: false,
            sockets: Vec::new(),
            socket_mode: 0o666,
            activation: Activation::AtStart,
            device: None,
            conditions: Vec::new(),
            required_level: None,
            optimal_level: None,
            ai: Integration::Optional,
            education: Integration::Optional,
            requires: Vec::new(),
            wants: Vec::new(),
            after: Vec::new(),
            before: Vec::new(),
            conflicts: Vec::new(),
            wanted_by: Vec::new(),
            is_enabled: true,
            file: String::new(),
            name,
        }
    }

    /// A unit from the text of its file, which `file` names in problems. Never panics.
    pub fn parse(name: UnitName, file: &str, text: &str) -> Parsed {
        let mut problems = Problems::new(file);
        let mut unit = Unit::new(name);
        unit.file = file.to_owned();
        for entry in syntax::entries(text, &mut problems) {
            keys::apply(&mut unit, &entry, &mut problems);
        }
        unit.check(&mut problems);
        let unit = (!problems.has_errors()).then_some(unit);
        Parsed { unit, problems: problems.into_list() }
    }

    /// A unit from the bytes of its file.
    pub fn parse_bytes(name: UnitName, file: &str, bytes: &[u8]) -> Parsed {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::parse(name, file, text),
            Err(error) => {
                let mut problems = Problems::new(file);
                let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
                problems.error(line, "this is no UTF-8 text", "write the file anew, or remove it");
                Parsed { unit: None, problems: problems.into_list() }
            }
        }
    }

    /// What only the whole can tell.
    fn check(&mut self, problems: &mut Problems) {
        let is_target = self.name.kind() == Kind::Target;
        if is_target && !self.exec_start.is_empty() {
            problems.error(0, "a target has ExecStart", "a target runs nothing: make it a service, and let the target want it");
        }
        if !is_target && self.exec_start.is_empty() {
            problems.error(0, "there is no ExecStart", "say in [GenAI Service] what is to run");
        }
        if self.exec_start.len() > 1 && self.readiness != Readiness::Oneshot {
            problems.error(0, "there are several ExecStart", "only Type=oneshot runs several commands");
        }
        if self.readiness == Readiness::Oneshot && self.restart == Restart::Always {
            problems.error(0, "Type=oneshot with Restart=always would never end", "use on-failure or no");
        }
        if self.readiness == Readiness::Terminal && self.scheme.is_none() {
            problems.error(0, "Type=terminal without ReadyTerminal", "say which terminal it serves");
        }
        if self.activation == Activation::OnDemand && self.sockets.is_empty() {
            problems.error(0, "Activation=on-demand without sockets", "add ListenStream or ListenDatagram to [Sockets]");
        }
        if self.terminal.is_some() && self.readiness == Readiness::Forking {
            problems.error(0, "Type=forking with a Terminal", "use Type=simple");
        }
        if self.watchdog.is_some() && self.readiness != Readiness::Notify {
            problems.error(0, "WatchdogSec needs Type=notify", "the service tells of its life by sd_notify(3)");
        }
        if let (Some(required), Some(optimal)) = (self.required_level, self.optimal_level)
            && optimal < required
        {
            problems.error(0, "OptimalLevel is below RequiredLevel", "exchange them");
        }
        if self.device.is_some() && !self.name.is_template() {
            problems.error(0, "a unit with [Device] must be a template", "name the file NAME@.gcservice: each device gets an instance");
        }
        let name = &self.name;
        let lists = [&mut self.requires, &mut self.wants, &mut self.after, &mut self.before, &mut self.conflicts];
        for list in lists {
            if list.contains(name) {
                problems.warn(0, "the unit depends on itself", "remove its name from [Dependencies]");
                list.retain(|other| other != name);
            }
        }
        if let Some(both) = self.conflicts.iter().find(|it| self.requires.contains(it)) {
            problems.error(0, format!("{both} is both required and in conflict"), "remove it from one of them");
        }
    }

    /// The scheme that shows its readiness.
    pub fn scheme_name(&self) -> &str {
        self.scheme.as_deref().unwrap_or(self.name.as_str())
    }

    /// The unit as instance of a template: `%i` in the names that it depends on is put in.
    pub fn instantiate(&self, name: UnitName) -> Unit {
        Unit { name, ..self.clone() }
    }
}
