//! The keys of unit files.

use crate::command::{Command, is_variable, split};
use crate::name::UnitName;
use crate::problem::{Problems, quoted};
use crate::syntax::Entry;
use crate::unit::{Activation, Class, Device, DeviceMatch, Integration, Listen, Output, Readiness, Restart, Unit};
use crate::values;

/// The most names of a list, words of an environment, sockets.
const MAX_LIST: usize = 512;

/// All keys, for messages about ones that are not known.
const KEYS: [(&str, &[&str]); 6] = [
    (
        "GenAI Service",
        &[
            "Name", "Description", "Type", "ExecStart", "ExecReload", "ExecStop", "Restart", "RestartSec", "RestartMaxDelaySec", "RestartFree",
            "RestartForgiveSec", "StartLimitBurst", "StartLimitIntervalSec", "User", "Group", "Environment", "WorkingDirectory", "TimeoutStartSec",
            "TimeoutStopSec", "WatchdogSec", "RemainAfterExit", "PIDFile", "Scheme", "ReadyTerminal", "Output", "Terminal", "Nice", "Essential", "KeepInput",
            "ConditionPathExists", "LimitNOFILE", "LimitNPROC", "LimitAS", "LimitCORE", "LimitMEMLOCK", "LimitCPU",
        ],
    ),
    ("Consciousness", &["RequiredLevel", "OptimalLevel", "AIIntegration", "EducationalIntegration"]),
    ("Dependencies", &["Requires", "Wants", "After", "Before", "Conflicts"]),
    ("Installation", &["WantedBy", "Enabled"]),
    ("Sockets", &["ListenStream", "ListenDatagram", "SocketMode", "Activation"]),
    ("Device", &["Match", "CountedAs"]),
];

/// A value that could not be read: what is allowed.
type Bad = String;

/// Puts one entry into the unit.
pub(crate) fn apply(unit: &mut Unit, entry: &Entry, problems: &mut Problems) {
    let Some((_, keys)) = KEYS.iter().find(|(section, _)| *section == entry.section) else {
        if !entry.section.starts_with("X-") {
            let known: Vec<_> = KEYS.iter().map(|(section, _)| format!("[{section}]")).collect();
            problems.warn(entry.line, format!("unknown section [{}]", entry.section.escape_debug()), format!("there are {}", known.join(", ")));
        }
        return;
    };
    if !keys.contains(&entry.key.as_str()) {
        let advice = match nearest(&entry.key, keys) {
            Some(key) => format!("did you mean {key}?"),
            None => format!("[{}] has {}", entry.section, keys.join(", ")),
        };
        problems.warn(entry.line, format!("unknown key {}", quoted(&entry.key)), advice);
        return;
    }
    if let Err(advice) = set(unit, entry) {
        problems.error(entry.line, format!("{} is no value for {}", quoted(&entry.value), entry.key), advice);
    }
}

/// A key that differs by little.
fn nearest<'a>(key: &str, keys: &[&'a str]) -> Option<&'a str> {
    let key: String = key.chars().take(40).collect::<String>().to_ascii_lowercase();
    let distance = |other: &str| -> usize {
        let other = other.to_ascii_lowercase();
        let mut row: Vec<usize> = (0..=other.len()).collect();
        for (i, a) in key.bytes().enumerate() {
            let mut diagonal = std::mem::replace(&mut row[0], i + 1);
            for (j, b) in other.bytes().enumerate() {
                let next = (diagonal + usize::from(a != b)).min(row[j] + 1).min(row[j + 1] + 1);
                diagonal = std::mem::replace(&mut row[j + 1], next);
            }
        }
        row[other.len()]
    };
    keys.iter().map(|other| (distance(other), *other)).min().filter(|(distance, _)| *distance <= 3).map(|(_, key)| key)
}

fn set(unit: &mut Unit, entry: &Entry) -> Result<(), Bad> {
    let value = entry.value.as_str();
    match entry.key.as_str() {
        "Name" => {
            // A template's instances have other names than the file.
            let name = UnitName::new(value).map_err(|error| error.to_string())?;
            if name != unit.name {
                return Err(format!("the file's name says {}: rename one of them", unit.name));
            }
        }
        "Description" => unit.description = value.to_owned(),
        "Type" => types(unit, value)?,
        "ExecStart" if value.is_empty() => unit.exec_start.clear(),
        "ExecStart" if unit.exec_start.len() >= 64 => return Err("there may be 64 commands at most".into()),
        "ExecStart" => unit.exec_start.push(command(value)?),
        "ExecReload" => unit.exec_reload = optional(value, command)?,
        "ExecStop" => unit.exec_stop = optional(value, command)?,
        "Restart" => unit.restart = choice(value, &[("no", Restart::No), ("on-failure", Restart::OnFailure), ("always", Restart::Always)])?,
        "RestartSec" => unit.restart_delay = duration(value)?,
        "RestartMaxDelaySec" => unit.restart_delay_max = duration(value)?,
        "RestartFree" => unit.restart_free = number(value, 0, 1000)? as u32,
        "RestartForgiveSec" => unit.restart_forgive = duration(value)?,
        "StartLimitBurst" => unit.start_limit_burst = number(value, 0, 1000)? as u32,
        "StartLimitIntervalSec" => unit.start_limit_interval = duration(value)?,
        "User" => unit.user = optional(value, user)?,
        "Group" => unit.group = optional(value, user)?,
        "Environment" => environment(unit, value)?,
        "WorkingDirectory" => unit.working_directory = optional(value, absolute)?,
        "TimeoutStartSec" => unit.timeout_start = duration(value)?,
        "TimeoutStopSec" => unit.timeout_stop = duration(value)?,
        "WatchdogSec" => unit.watchdog = optional(value, duration)?.filter(|time| !time.is_zero()),
        "RemainAfterExit" => unit.remain_after_exit = switch(value)?,
        "PIDFile" => unit.pid_file = optional(value, absolute)?,
        "Scheme" => unit.scheme = optional(value, scheme)?,
        "ReadyTerminal" => unit.scheme = optional(value, absolute)?,
        "Output" => unit.output = choice(value, &[("journal", Output::Journal), ("kernel", Output::Kernel), ("null", Output::Null)])?,
        "Terminal" => unit.terminal = optional(value, absolute)?,
        "Nice" => unit.nice = number(value, -20, 19)? as i32,
        "Essential" => unit.is_essential = switch(value)?,
        "KeepInput" => unit.keeps_input = switch(value)?,
        "ConditionPathExists" => {
            absolute(value.strip_prefix('!').unwrap_or(value))?;
            bounded(&mut unit.conditions, value.to_owned())?;
        }
        "LimitNOFILE" => unit.limits.open_files = Some(size(value)?),
        "LimitNPROC" => unit.limits.processes = Some(size(value)?),
        "LimitAS" => unit.limits.address_space = Some(size(value)?),
        "LimitCORE" => unit.limits.core = Some(size(value)?),
        "LimitMEMLOCK" => unit.limits.locked_memory = Some(size(value)?),
        "LimitCPU" => unit.limits.processor_seconds = Some(size(value)?),
        "RequiredLevel" => unit.required_level = Some(level(value)?),
        "OptimalLevel" => unit.optimal_level = Some(level(value)?),
        "AIIntegration" => unit.ai = integration(value)?,
        "EducationalIntegration" => unit.education = integration(value)?,
        "Requires" => names(&mut unit.requires, value)?,
        "Wants" => names(&mut unit.wants, value)?,
        "After" => names(&mut unit.after, value)?,
        "Before" => names(&mut unit.before, value)?,
        "Conflicts" => names(&mut unit.conflicts, value)?,
        "WantedBy" => {
            names(&mut unit.wanted_by, value)?;
        }
        "Enabled" => unit.is_enabled = switch(value)?,
        "ListenStream" | "ListenDatagram" => listen(unit, entry.key == "ListenStream", value)?,
        "SocketMode" => {
            let mode = u32::from_str_radix(value, 8).ok().filter(|mode| *mode <= 0o777);
            unit.socket_mode = mode.ok_or("write an octal number such as 0660")?;
        }
        "Activation" => unit.activation = choice(value, &[("start", Activation::AtStart), ("on-demand", Activation::OnDemand)])?,
        "Match" => {
            let device = unit.device.get_or_insert_default();
            for word in value.split_ascii_whitespace() {
                bounded(&mut device.matches, device_match(word)?)?;
            }
        }
        "CountedAs" => {
            let word = Some(value.to_owned()).filter(|word| is_variable(word)).ok_or("write one word of letters")?;
            unit.device.get_or_insert_with(Device::default).counted_as = Some(word);
        }
        key => return Err(format!("{key} cannot be set")),
    }
    Ok(())
}

fn types(unit: &mut Unit, value: &str) -> Result<(), Bad> {
    const CLASSES: [Class; 5] = [Class::Consciousness, Class::Ai, Class::Education, Class::System, Class::User];
    const READINESS: [Readiness; 7] = [
        Readiness::Simple, Readiness::Exec, Readiness::Forking, Readiness::Oneshot, Readiness::Notify, Readiness::Scheme, Readiness::Terminal,
    ];
    for word in value.split_ascii_whitespace() {
        // What the word says may be said in other words, too.
        let word = if word == "educational" { "education" } else { word };
        if let Some(class) = CLASSES.into_iter().find(|class| class.name() == word) {
            unit.class = class;
        } else if let Some(readiness) = READINESS.into_iter().find(|readiness| readiness.name() == word) {
            unit.readiness = readiness;
        } else {
            return Err("write what it is for (consciousness, ai, education, system, user) and when it is ready (simple, exec, forking, oneshot, notify, scheme, terminal)".into());
        }
    }
    Ok(())
}

/// An empty value takes back what was said before.
fn optional<T>(value: &str, parse: impl Fn(&str) -> Result<T, Bad>) -> Result<Option<T>, Bad> {
    if value.is_empty() { Ok(None) } else { parse(value).map(Some) }
}

fn command(value: &str) -> Result<Command, Bad> {
    Command::parse(value).map_err(|problem| format!("{problem}; write a program and its arguments"))
}

fn duration(value: &str) -> Result<std::time::Duration, Bad> {
    values::duration(value).ok_or_else(|| values::DURATION.into())
}

fn switch(value: &str) -> Result<bool, Bad> {
    values::switch(value).ok_or_else(|| values::SWITCH.into())
}

fn size(value: &str) -> Result<u64, Bad> {
    values::size(value).ok_or_else(|| values::SIZE.into())
}

fn level(value: &str) -> Result<u16, Bad> {
    values::level(value).ok_or_else(|| values::LEVEL.into())
}

fn number(value: &str, least: i64, most: i64) -> Result<i64, Bad> {
    value.parse().ok().filter(|number| (least..=most).contains(number)).ok_or_else(|| format!("write a number from {least} to {most}"))
}

fn choice<T: Copy>(value: &str, choices: &[(&str, T)]) -> Result<T, Bad> {
    let allowed = || choices.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    choices.iter().find(|(name, _)| *name == value).map(|(_, choice)| *choice).ok_or_else(|| format!("allowed: {}", allowed()))
}

fn integration(value: &str) -> Result<Integration, Bad> {
    choice(value, &[("none", Integration::None), ("optional", Integration::Optional), ("required", Integration::Required)])
}

fn absolute(value: &str) -> Result<String, Bad> {
    Some(value.to_owned()).filter(|path| path.starts_with('/') && path.len() < 4096).ok_or_else(|| "write an absolute path".into())
}

fn user(value: &str) -> Result<String, Bad> {
    let is_good = value.len() <= 32 && value.bytes().all(|it| it.is_ascii_alphanumeric() || b"_-.".contains(&it));
    Some(value.to_owned()).filter(|_| is_good).ok_or_else(|| "write a user's name or number".into())
}

fn scheme(value: &str) -> Result<String, Bad> {
    let is_good = value.len() <= 128 && !value.contains(['/', ' ']) && !value.starts_with('.');
    Some(value.to_owned()).filter(|_| is_good).ok_or_else(|| "write the scheme's name, without /scheme/".into())
}

fn bounded<T>(list: &mut Vec<T>, item: T) -> Result<(), Bad> {
    if list.len() >= MAX_LIST {
        return Err(format!("there may be {MAX_LIST} at most"));
    }
    list.push(item);
    Ok(())
}

fn names(list: &mut Vec<UnitName>, value: &str) -> Result<(), Bad> {
    if value.is_empty() {
        list.clear();
    }
    for word in value.split([' ', '\t', ',']).filter(|word| !word.is_empty()) {
        let name = UnitName::new(word).map_err(|error| error.to_string())?;
        if !list.contains(&name) {
            bounded(list, name)?;
        }
    }
    Ok(())
}

fn environment(unit: &mut Unit, value: &str) -> Result<(), Bad> {
    if value.is_empty() {
        unit.environment.clear();
    }
    for word in split(value)? {
        let (name, value) = word.split_once('=').filter(|(name, _)| is_variable(name)).ok_or("write NAME=value, in quotes where there are blanks")?;
        if unit.environment.len() >= MAX_LIST {
            return Err(format!("there may be {MAX_LIST} variables at most"));
        }
        unit.environment.insert(name.to_owned(), value.to_owned());
    }
    Ok(())
}

fn listen(unit: &mut Unit, is_stream: bool, value: &str) -> Result<(), Bad> {
    if value.is_empty() {
        unit.sockets.clear();
        return Ok(());
    }
    let is_path = value.starts_with('/') || value.len() > 1 && value.starts_with('@');
    let is_short = value.len() <= 107;
    let is_port = value.parse::<u16>().is_ok_and(|port| port > 0);
    if !(is_path && is_short || is_port || value.parse::<std::net::SocketAddr>().is_ok()) {
        return Err("write a path of at most 107 bytes, @ and a name, a port, or an address and a port".into());
    }
    if unit.sockets.len() >= 32 {
        return Err("there may be 32 sockets at most".into());
    }
    unit.sockets.push(Listen { is_stream, address: value.to_owned() });
    Ok(())
}

fn device_match(word: &str) -> Result<DeviceMatch, Bad> {
    let parsed = if word == "framebuffer" {
        Some(DeviceMatch::Framebuffer)
    } else if let Some(number) = word.strip_prefix("virtio:") {
        number.parse().ok().map(DeviceMatch::Virtio)
    } else {
        word.strip_prefix("pci:").and_then(|ids| ids.split_once(':')).and_then(|(vendor, device)| {
            let hex = |text| u16::from_str_radix(text, 16).ok();
            Some(DeviceMatch::Pci(hex(vendor)?, hex(device)?))
        })
    };
    parsed.ok_or_else(|| "write virtio:TYPE, pci:VENDOR:DEVICE (hexadecimal) or framebuffer".into())
}
