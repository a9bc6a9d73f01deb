//! GenAI OS's boot parameters: the kernel command line as a typed struct.
//!
//! The kernel (before it has a heap) and `init` (from `/proc/cmdline`) both call [`BootParams::parse`]. Parsing never
//! fails: a bad value is recorded as a [`Problem`], whose `Display` says which parameter, which value, what is allowed and
//! what is used instead, and the default stays in force. Parameters that are not ours are kept, as Linux does: see
//! [`BootParams::unknown`].
//!
//! The grammar is Linux's (kernel-parameters(7), Documentation/admin-guide/kernel-parameters.rst): words separated by
//! blanks, `name` or `name=value`, double quotes protect blanks, `-` and `_` are the same in names, the last occurrence of
//! a parameter wins (`console=` accumulates), and words after `--` belong to init.
//!
//! What each parameter means to the user is documented in `boot/PARAMETERS.md`.

#![no_std]
#![forbid(unsafe_code)]

mod problem;
mod values;
mod words;

pub use problem::{Problem, Problems, Reason};
pub use values::{AiMode, Console, Level, LogLevel, Root, SecurityMode, Switch, Target};
pub use words::{Param, Params};

/// How many `console=` parameters are kept: one for each device that [`Console::parse`] accepts.
const MAX_CONSOLES: usize = 3;

/// The program that the kernel starts as process 1 when `init=` does not say otherwise.
pub const DEFAULT_INIT: &str = "/sbin/init";

/// The I/O port of QEMU's `isa-debug-exit` device when `debug-exit` gives none.
pub const DEFAULT_DEBUG_EXIT_PORT: u16 = 0xf4;

/// All boot parameters with their defaults filled in. Borrows the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootParams<'a> {
    /// `consciousness=0.1..1.0`: the self-model's level; default 0.5.
    pub consciousness: Level,
    /// `ai=local|cloud|hybrid`: where language models run; default local.
    pub ai: AiMode,
    /// `education=on|off`: the education services; default on.
    pub education: Switch,
    /// `security=standard|enhanced|paranoid`; default standard.
    pub security: SecurityMode,
    /// `recovery`: stop in the initfs's rescue shell instead of starting the system; default off.
    pub recovery: Switch,
    /// `target=desktop|console`: what the system starts up to; default desktop.
    pub target: Target,
    /// `nomodeset`: keep the boot loader's framebuffer, start no graphics driver; default off.
    pub nomodeset: Switch,
    /// `init=PATH`: process 1, absolute; default [`DEFAULT_INIT`].
    pub init: &'a str,
    /// `root=...`: where the root filesystem is; default the partition named `genai-root`.
    pub root: Root<'a>,
    /// `loglevel=0..7`, `quiet` (4), `debug` (7): messages up to this level go to the console; default 6.
    pub loglevel: LogLevel,
    /// `debug-exit[=PORT]`: the I/O port whose write ends QEMU (`isa-debug-exit`), for tests; default none.
    pub debug_exit: Option<u16>,
    /// What was wrong with the command line.
    pub problems: Problems<'a>,
    consoles: [Option<Console<'a>>; MAX_CONSOLES],
    cmdline: &'a str,
}

impl<'a> BootParams<'a> {
    /// Parses a kernel command line. Never fails; see [`BootParams::problems`].
    pub fn parse(cmdline: &'a str) -> Self {
        let mut params = Self {
            consciousness: Level::DEFAULT,
            ai: AiMode::Local,
            education: Switch::On,
            security: SecurityMode::Standard,
            recovery: Switch::Off,
            target: Target::Desktop,
            nomodeset: Switch::Off,
            init: DEFAULT_INIT,
            root: Root::default(),
            loglevel: LogLevel::DEFAULT,
            debug_exit: None,
            problems: Problems::default(),
            consoles: [None; MAX_CONSOLES],
            cmdline,
        };
        for param in Params::new(cmdline) {
            params.apply(param);
        }
        params
    }

    /// The consoles named by `console=`, in the order given; empty when there are none (then all devices are used).
    pub fn consoles(&self) -> impl Iterator<Item = Console<'a>> + '_ {
        self.consoles.iter().flatten().copied()
    }

    /// The parameters that are not ours, in order. Linux hands them to init; ours reads them here.
    pub fn unknown(&self) -> impl Iterator<Item = Param<'a>> + use<'a> {
        Params::new(self.cmdline).filter(|param| !is_known(param))
    }

    /// The words after `--`, which are arguments of init.
    pub fn init_args(&self) -> Params<'a> {
        Params::after_dashes(self.cmdline)
    }

    /// The command line as it was given.
    pub fn cmdline(&self) -> &'a str {
        self.cmdline
    }

    /// Takes one parameter; records a problem where its value is bad.
    fn apply(&mut self, param: Param<'a>) {
        let result = match Key::of(&param) {
            None => return,
            Some(Key::Consciousness) => {
                set(&mut self.consciousness, param, Level::DEFAULT, Level::parse)
            }
            Some(Key::Ai) => set(&mut self.ai, param, AiMode::Local, AiMode::parse),
            Some(Key::Education) => set(&mut self.education, param, Switch::On, Switch::parse),
            Some(Key::Security) => set(
                &mut self.security,
                param,
                SecurityMode::Standard,
                SecurityMode::parse,
            ),
            Some(Key::Recovery) => set_flag(&mut self.recovery, param),
            Some(Key::Target) => set(&mut self.target, param, Target::Desktop, Target::parse),
            Some(Key::Nomodeset) => set_flag(&mut self.nomodeset, param),
            Some(Key::Init) => set(&mut self.init, param, DEFAULT_INIT, values::absolute_path),
            Some(Key::Root) => set(&mut self.root, param, Root::default(), Root::parse),
            Some(Key::Loglevel) => set(
                &mut self.loglevel,
                param,
                LogLevel::DEFAULT,
                LogLevel::parse,
            ),
            Some(Key::Quiet) => set_shorthand(&mut self.loglevel, param, LogLevel::QUIET),
            Some(Key::Debug) => set_shorthand(&mut self.loglevel, param, LogLevel::DEBUG),
            Some(Key::DebugExit) => self.apply_debug_exit(param),
            Some(Key::Console) => self.apply_console(param),
        };
        if let Err(reason) = result {
            self.problems.push(Problem {
                name: param.name,
                value: param.value,
                reason,
            });
        }
    }

    fn apply_debug_exit(&mut self, param: Param<'a>) -> Result<(), Reason> {
        self.debug_exit = Some(DEFAULT_DEBUG_EXIT_PORT);
        if let Some(value) = param.value {
            self.debug_exit = Some(values::port(value).ok_or(Reason::BAD_DEBUG_EXIT)?);
        }
        Ok(())
    }

    fn apply_console(&mut self, param: Param<'a>) -> Result<(), Reason> {
        let value = param.value.ok_or(Reason::NO_CONSOLE)?;
        let console = Console::parse(value).ok_or(Reason::BAD_CONSOLE)?;
        // As on Linux a device named again moves to the end: the last one named is /dev/console.
        let before = core::mem::take(&mut self.consoles);
        let others = before
            .into_iter()
            .flatten()
            .filter(|other| other.device != console.device);
        for (slot, console) in self.consoles.iter_mut().zip(others.chain([console])) {
            *slot = Some(console);
        }
        Ok(())
    }
}

/// The parameters that we know.
#[derive(Clone, Copy)]
enum Key {
    Consciousness,
    Ai,
    Education,
    Security,
    Recovery,
    Target,
    Nomodeset,
    Init,
    Root,
    Loglevel,
    Quiet,
    Debug,
    DebugExit,
    Console,
}

impl Key {
    const ALL: [(&'static str, Self); 14] = [
        ("consciousness", Self::Consciousness),
        ("ai", Self::Ai),
        ("education", Self::Education),
        ("security", Self::Security),
        ("recovery", Self::Recovery),
        ("target", Self::Target),
        ("nomodeset", Self::Nomodeset),
        ("init", Self::Init),
        ("root", Self::Root),
        ("loglevel", Self::Loglevel),
        ("quiet", Self::Quiet),
        ("debug", Self::Debug),
        ("debug-exit", Self::DebugExit),
        ("console", Self::Console),
    ];

    fn of(param: &Param<'_>) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(name, _)| param.is(name))
            .map(|(_, key)| *key)
    }
}

fn is_known(param: &Param<'_>) -> bool {
    Key::of(param).is_some()
}

/// Sets `field` from a parameter that needs a value; a bad one sets the default, which the problem's message promises.
fn set<'a, T: values::Value>(
    field: &mut T,
    param: Param<'a>,
    default: T,
    parse: fn(&'a str) -> Option<T>,
) -> Result<(), Reason> {
    let parsed = param.value.and_then(parse);
    let bad = parsed.is_none();
    *field = parsed.unwrap_or(default);
    match (bad, param.value) {
        (false, _) => Ok(()),
        (true, Some(_)) => Err(Reason::NotAllowed {
            allowed: T::ALLOWED,
            default: T::DEFAULT_TEXT,
        }),
        (true, None) => Err(Reason::NoValue {
            allowed: T::ALLOWED,
            default: T::DEFAULT_TEXT,
        }),
    }
}

/// Sets a flag: `name` alone is on, `name=on|off` is accepted too. A bad value leaves it off.
fn set_flag(field: &mut Switch, param: Param<'_>) -> Result<(), Reason> {
    let value = param.value.map_or(Some(Switch::On), Switch::parse);
    *field = value.unwrap_or(Switch::Off);
    value.map(|_| ()).ok_or(Reason::BAD_FLAG)
}

/// `quiet` and `debug` take no value.
fn set_shorthand(field: &mut LogLevel, param: Param<'_>, level: LogLevel) -> Result<(), Reason> {
    *field = level;
    param.value.map_or(Ok(()), |_| Err(Reason::UNWANTED_VALUE))
}
