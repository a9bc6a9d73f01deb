//! Services, by `gci`, the command of process 1.

use genai_ui::{Task, job};
use serde::Deserialize;
use std::process::{Command, Stdio};

use crate::Message;

/// A unit of process 1's.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Service {
    /// Its name, `netd`.
    pub name: String,
    /// What it is.
    #[serde(default)]
    pub description: String,
    /// inactive, waiting, starting, active, stopping, restarting, failed, skipped, listening.
    pub state: String,
    /// Why, where there is more to say.
    #[serde(default)]
    pub detail: String,
    /// Its process.
    #[serde(default)]
    pub pid: Option<u32>,
}

impl Service {
    /// Whether it runs, or is about to.
    pub fn is_up(&self) -> bool {
        matches!(self.state.as_str(), "active" | "starting" | "restarting" | "listening" | "waiting")
    }
}

/// What can be done to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Start it.
    Start,
    /// Stop it, and what requires it.
    Stop,
    /// Both.
    Restart,
}

impl Verb {
    /// As gci calls it.
    pub fn word(self) -> &'static str {
        match self {
            Verb::Start => "start",
            Verb::Stop => "stop",
            Verb::Restart => "restart",
        }
    }
}

/// Reads the answer of `gci --json list`; only services, by name.
///
/// # Errors
/// Where it is none.
pub fn parse(json: &[u8]) -> Result<Vec<Service>, String> {
    let mut all: Vec<Service> = serde_json::from_slice(json).map_err(|error| format!("gci says what is not understood: {error}"))?;
    // Templates are no services, but what some are made of.
    all.retain(|it| !it.name.ends_with(".target") && it.state != "template");
    for it in &mut all {
        if let Some((_, instance)) = it.name.split_once('@') {
            it.description = it.description.replace("%i", instance);
        }
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

fn gci(arguments: &[&str]) -> Result<Vec<u8>, String> {
    let output = Command::new("gci").args(arguments).stdin(Stdio::null()).output().map_err(|error| format!("gci cannot be asked: {error}"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(if said.is_empty() { format!("gci: {}", output.status) } else { said })
}

/// Asks for all services.
pub fn list() -> Task<Message> {
    job::start(|_| Message::Services(gci(&["--json", "list"]).and_then(|it| parse(&it))))
}

/// Does something to one; a message comes when it is done.
pub fn act(verb: Verb, name: String) -> Task<Message> {
    job::start(move |_| Message::Acted(gci(&[verb.word(), &name]).map(drop).map_err(|error| format!("Not possible to {} {name}: {error}", verb.word()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read() {
        let json = br#"[{"name":"b","description":"B","state":"active","detail":"","pid":7,"restarts":0},{"name":"a","state":"failed","detail":"exit 1"},{"name":"desktop.target","state":"active"},{"name":"c@","state":"template"},{"name":"c@tty1","description":"On %i","state":"waiting"}]"#;
        let all = parse(json).expect("services");
        assert_eq!(all.iter().map(|it| (it.name.as_str(), it.pid, it.is_up())).collect::<Vec<_>>(), [("a", None, false), ("b", Some(7), true), ("c@tty1", None, true)]);
        assert_eq!(all[2].description, "On tty1");
        assert!(parse(b"{}").is_err());
    }
}
