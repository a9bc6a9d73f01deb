//! `gci enable` and `gci disable`: decisions are empty files, which packages never touch.

use super::Places;
use super::client::Client;
use crate::protocol::Request;
use anyhow::{Context, bail};
use gci_units::{UnitName, UnitSet};
use std::fs;
use std::io::ErrorKind;
use std::process::ExitCode;

/// What is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// They start with their targets.
    Enable,
    /// They do not.
    Disable,
}

/// Writes decisions down, and lets the manager know.
pub fn decide(client: &Client, places: &Places, names: &[String], decision: Decision) -> anyhow::Result<ExitCode> {
    let mut set = UnitSet::new();
    places.units.iter().for_each(|folder| set.load(folder));
    let (to, from) = match decision {
        Decision::Enable => ("enabled", "disabled"),
        Decision::Disable => ("disabled", "enabled"),
    };
    for text in names {
        let name = UnitName::new(text)?;
        let Some(unit) = set.get(&name) else { bail!("there is no unit {name}; `gci list` shows all") };
        if name.is_template() {
            bail!("{name} is a template: say which instance, {name}NAME");
        }
        let is_wanted = !unit.wanted_by.is_empty() || set.iter().any(|other| other.wants.contains(&name));
        if !is_wanted {
            bail!("{name} belongs to no target: its file has no WantedBy in [Installation]");
        }
        let folder = places.admin.join(to);
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let file = folder.join(name.as_str());
        fs::write(&file, "").with_context(|| format!("cannot write {}", file.display()))?;
        match fs::remove_file(places.admin.join(from).join(name.as_str())) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let done = if decision == Decision::Enable { "starts" } else { "does not start" };
        let targets: Vec<String> = unit.wanted_by.iter().map(ToString::to_string).collect();
        if !client.json {
            println!("{name} {done} with {} from now on", if targets.is_empty() { "its targets".into() } else { targets.join(", ") });
        }
    }
    // What is wrong with other files is for `gci reload` and `gci verify` to say.
    match client.ask(&Request::Load)?.error {
        Some(error) => bail!("{error}"),
        None => Ok(ExitCode::SUCCESS),
    }
}
