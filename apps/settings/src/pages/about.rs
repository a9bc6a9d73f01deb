//! What this machine is, and what it was started with.

use std::fs;
use std::path::Path;

use genai_ui::{Task, job, parts};

use crate::form::{Row, Section};
use crate::{Message as All, Places};

/// What is shown: names and values, in groups.
#[derive(Debug, Clone, Default)]
pub struct State {
    system: Vec<(String, String)>,
    machine: Vec<(String, String)>,
    start: Vec<(String, String)>,
}

/// What happens.
#[derive(Debug, Clone)]
pub enum Message {
    /// It was read.
    Read(Box<State>),
}

/// Boot parameters that people may want to know of, with words for them.
const PARAMETERS: [(&str, &str); 4] = [("consciousness", "Consciousness level"), ("ai", "AI"), ("education", "Education"), ("security", "Security")];

/// Reads it.
pub fn load(places: Places) -> Task<All> {
    job::start(move |_| All::About(Message::Read(Box::new(read(&places)))))
}

/// Of os-release(5).
fn release(text: &str, key: &str) -> Option<String> {
    let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
    Some(value.trim_matches(['"', '\'']).to_owned()).filter(|it| !it.is_empty())
}

fn field(text: &str, key: &str) -> Option<String> {
    text.lines().find_map(|line| line.split_once(':').filter(|(name, _)| name.trim() == key)).map(|(_, value)| value.trim().to_owned()).filter(|it| !it.is_empty())
}

fn read(places: &Places) -> State {
    let proc = |name: &str| fs::read_to_string(places.proc.join(name)).unwrap_or_default();
    let one = |name: &str, value: String| (name.to_owned(), value);
    let os = fs::read_to_string(places.etc.join("os-release")).unwrap_or_default();
    let uname = rustix::system::uname();
    let word = |it: &std::ffi::CStr| it.to_string_lossy().into_owned();
    let mut system = vec![one("Name", word(uname.nodename()))];
    system.extend(release(&os, "PRETTY_NAME").or_else(|| release(&os, "NAME")).map(|it| one("System", it)));
    system.extend(release(&os, "VARIANT").or_else(|| release(&os, "VARIANT_ID")).map(|it| one("Edition", it)));
    system.push(one("Kernel", format!("{} {}", word(uname.sysname()), word(uname.release()))));
    system.push(one("Running for", running(&proc("uptime"))));
    let cpu = proc("cpuinfo");
    let count = cpu.lines().filter(|it| it.starts_with("processor")).count();
    let mut machine = Vec::new();
    machine.extend(field(&cpu, "model name").map(|it| one("Processor", if count > 1 { format!("{count} × {it}") } else { it })));
    let kib = field(&proc("meminfo"), "MemTotal").and_then(|it| it.split_whitespace().next()?.parse::<u64>().ok());
    machine.extend(kib.map(|kib| one("Memory", parts::bytes(kib * 1024))));
    machine.extend(product(&places.sys).map(|it| one("Model", it)));
    let line = proc("cmdline");
    let start = PARAMETERS.iter().filter_map(|(key, name)| {
        let value = line.split_whitespace().rev().find_map(|it| it.strip_prefix(key)?.strip_prefix('='))?;
        Some(one(name, value.to_owned()))
    });
    State { system, machine, start: start.collect() }
}

/// What the firmware says that the machine is.
fn product(sys: &Path) -> Option<String> {
    let read = |name: &str| fs::read_to_string(sys.join("class/dmi/id").join(name)).ok().map(|it| it.trim().to_owned()).filter(|it| !it.is_empty());
    let name = read("product_name")?;
    Some(read("sys_vendor").map_or_else(|| name.clone(), |vendor| format!("{vendor} {name}")))
}

/// Of `/proc/uptime`.
fn running(text: &str) -> String {
    let seconds = text.split_whitespace().next().and_then(|it| it.parse::<f64>().ok()).unwrap_or_default() as u64;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes} min"),
        (0, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

impl State {
    /// What follows.
    pub fn update(&mut self, message: Message, _: &Places) -> Task<All> {
        let Message::Read(read) = message;
        *self = *read;
        Task::none()
    }

    /// The page.
    pub fn sections(&self) -> Vec<Section> {
        let rows = |all: &[(String, String)]| all.iter().map(|(name, value)| Row::shown(name.clone(), value.clone())).collect::<Vec<_>>();
        let mut all = vec![Section::new("System", rows(&self.system)), Section::new("Machine", rows(&self.machine))];
        if !self.start.is_empty() {
            let mut start = rows(&self.start);
            start[0].detail = "The boot menu's entry says it".to_owned();
            all.push(Section::new("Started with", start));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read() {
        assert_eq!(running("100000.5 20.0\n"), "1 d 3 h");
        assert_eq!(running("59.0 1"), "0 min");
        assert_eq!(release("NAME=\"GenAI OS\"\nVARIANT=", "NAME").as_deref(), Some("GenAI OS"));
        assert_eq!(release("VARIANT=\n", "VARIANT"), None);
        assert_eq!(field("processor\t: 0\nmodel name\t: Fast\n", "model name").as_deref(), Some("Fast"));
    }

    #[test]
    fn this_machine_is_seen() {
        let state = read(&Places::of_system());
        assert!(state.machine.iter().any(|(name, value)| name == "Memory" && value.ends_with('B')));
        assert!(state.system.iter().any(|(name, value)| name == "Kernel" && !value.trim().is_empty()));
    }
}
