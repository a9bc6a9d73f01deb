//! `gci status` and `gci list`.

use super::client::Client;
use crate::protocol::{Report, UnitReport};
use anyhow::bail;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

/// A state in its colour, where somebody sees it.
fn coloured(state: &str, width: usize) -> String {
    let colour = match state {
        "active" | "listening" => 32,
        "failed" => 31,
        "starting" | "restarting" | "stopping" | "waiting" => 33,
        _ => 0,
    };
    if colour == 0 || !std::io::stdout().is_terminal() {
        return format!("{state:width$}");
    }
    format!("\x1b[{colour}m{state:width$}\x1b[0m")
}

fn print(out: &mut impl Write, units: &[&UnitReport]) -> std::io::Result<()> {
    writeln!(out, "{:<34} {:<11} {:>6} {:>8}  COMMAND", "UNIT", "STATE", "PID", "RESTARTS")?;
    for unit in units {
        let pid = unit.pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string());
        let what = if unit.detail.is_empty() { &unit.command } else { &unit.detail };
        writeln!(out, "{:<34} {} {pid:>6} {:>8}  {what}", unit.name, coloured(&unit.state, 11), unit.restarts)?;
    }
    Ok(())
}

fn find<'a>(report: &'a Report, name: &str) -> Option<&'a UnitReport> {
    let name = gci_units::UnitName::new(name).ok()?;
    report.units.iter().find(|unit| unit.name == name.as_str())
}

/// `gci status`: the exit status says whether all is well.
pub fn status(client: &Client, names: &[String]) -> anyhow::Result<ExitCode> {
    let report = client.report()?;
    let mut out = std::io::stdout().lock();
    let mut code = ExitCode::SUCCESS;
    if names.is_empty() {
        let is_shown = |unit: &&UnitReport| !matches!(unit.state.as_str(), "inactive" | "template");
        let units: Vec<&UnitReport> = report.units.iter().filter(is_shown).collect();
        if client.json {
            writeln!(out, "{}", serde_json::to_string(&report)?)?;
            return Ok(code);
        }
        let reached = match report.reached_us {
            Some(time) => format!("reached after {:.3} s", time as f64 / 1e6),
            None => "not reached yet".to_owned(),
        };
        writeln!(out, "{}: {reached}\n", report.target)?;
        print(&mut out, &units)?;
        return Ok(code);
    }
    for name in names {
        let Some(unit) = find(&report, name) else { bail!("there is no unit {name}; `gci list` shows all") };
        if !matches!(unit.state.as_str(), "active" | "listening") {
            // As systemd's and the LSB's tools do.
            code = ExitCode::from(3);
        }
        if client.json {
            writeln!(out, "{}", serde_json::to_string(unit)?)?;
            continue;
        }
        writeln!(out, "{} - {}", unit.name, unit.description)?;
        writeln!(out, "    state:    {}{}{}", coloured(&unit.state, 0), if unit.detail.is_empty() { "" } else { ": " }, unit.detail)?;
        writeln!(out, "    enabled:  {}", if unit.is_enabled { "yes" } else { "no" })?;
        writeln!(out, "    priority: {}", unit.priority)?;
        writeln!(out, "    restarts: {}", unit.restarts)?;
        if let Some(pid) = unit.pid {
            writeln!(out, "    process:  {pid}")?;
        }
        writeln!(out, "    command:  {}\n    file:     {}", unit.command, if unit.file.is_empty() { "(built in)" } else { &unit.file })?;
    }
    Ok(code)
}

/// `gci list`.
pub fn list(client: &Client) -> anyhow::Result<ExitCode> {
    let report = client.report()?;
    let mut out = std::io::stdout().lock();
    if client.json {
        writeln!(out, "{}", serde_json::to_string(&report.units)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "{:<34} {:<11} {:<8} DESCRIPTION", "UNIT", "STATE", "ENABLED")?;
    for unit in &report.units {
        let enabled = if unit.is_enabled { "yes" } else { "no" };
        writeln!(out, "{:<34} {} {enabled:<8} {}", unit.name, coloured(&unit.state, 11), unit.description)?;
    }
    Ok(ExitCode::SUCCESS)
}
