//! Where the time of a start goes: `gci blame`, `gci critical-chain`, `gci plot`.

use super::client::Client;
use crate::protocol::{Report, UnitReport};
use anyhow::{Context, bail};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::process::ExitCode;

/// A time in words.
fn seconds(micros: u64) -> String {
    if micros < 1_000_000 { format!("{:.1} ms", micros as f64 / 1e3) } else { format!("{:.3} s", micros as f64 / 1e6) }
}

/// From the process's beginning to its readiness.
fn took(unit: &UnitReport) -> Option<u64> {
    Some(unit.ready_us?.saturating_sub(unit.started_us?))
}

/// `gci blame`: the slowest first.
pub fn blame(client: &Client) -> anyhow::Result<ExitCode> {
    let report = client.report()?;
    let mut units: Vec<(u64, &str)> = report.units.iter().filter_map(|unit| Some((took(unit)?, unit.name.as_str()))).collect();
    units.sort_by(|a, b| b.cmp(a));
    if client.json {
        let list: Vec<_> = units.iter().map(|(took, name)| serde_json::json!({"unit": name, "took_us": took})).collect();
        println!("{}", serde_json::to_string(&list)?);
    } else {
        units.iter().for_each(|(took, name)| println!("{:>12}  {name}", seconds(*took)));
    }
    Ok(ExitCode::SUCCESS)
}

/// The units that each waited for the next, the last to be ready first.
fn chain<'a>(report: &'a Report, first: &'a UnitReport) -> Vec<&'a UnitReport> {
    let units: HashMap<&str, &UnitReport> = report.units.iter().map(|unit| (unit.name.as_str(), unit)).collect();
    let mut chain = vec![first];
    while let Some(last) = chain.last() {
        let before = last.after.iter().filter_map(|name| units.get(name.as_str())).filter(|it| it.ready_us <= last.ready_us);
        let next = before.filter(|it| it.ready_us.is_some()).max_by_key(|it| it.ready_us).copied();
        match next.filter(|next| !chain.iter().any(|it| it.name == next.name)) {
            Some(next) => chain.push(next),
            None => break,
        }
    }
    chain
}

/// `gci critical-chain`.
pub fn critical_chain(client: &Client, unit: Option<String>) -> anyhow::Result<ExitCode> {
    let report = client.report()?;
    let name = gci_units::UnitName::new(unit.as_deref().unwrap_or(&report.target))?;
    let first = report.units.iter().find(|it| it.name == name.as_str()).with_context(|| format!("there is no unit {name}"))?;
    if first.ready_us.is_none() {
        bail!("{name} is not ready yet");
    }
    let chain = chain(&report, first);
    if client.json {
        println!("{}", serde_json::to_string(&chain)?);
        return Ok(ExitCode::SUCCESS);
    }
    for (depth, unit) in chain.iter().enumerate() {
        let took = took(unit).map(|took| format!(" +{}", seconds(took))).unwrap_or_default();
        println!("{:indent$}{} @{}{took}", "", unit.name, seconds(unit.ready_us.unwrap_or_default()), indent = depth * 2);
    }
    Ok(ExitCode::SUCCESS)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// `gci plot`.
pub fn plot(client: &Client) -> anyhow::Result<ExitCode> {
    print!("{}", svg(&client.report()?));
    Ok(ExitCode::SUCCESS)
}

/// A row a unit: grey while it waits, coloured while it starts.
fn svg(report: &Report) -> String {
    const ROW: u64 = 20;
    const LEFT: f64 = 260.0;
    const WIDTH: f64 = 900.0;
    let mut units: Vec<&UnitReport> = report.units.iter().filter(|unit| unit.ready_us.is_some()).collect();
    units.sort_by_key(|unit| (unit.started_us.or(unit.ready_us), unit.name.as_str()));
    let end = report.reached_us.into_iter().chain(units.iter().filter_map(|unit| unit.ready_us)).max().unwrap_or(1).max(1);
    let x = |time: u64| LEFT + time.min(end) as f64 / end as f64 * WIDTH;
    let height = (units.len() as u64 + 3) * ROW;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{:.0}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        LEFT + WIDTH + 120.0
    );
    let _ = writeln!(text, "<text x=\"10\" y=\"14\" font-weight=\"bold\">{}: {}</text>", escaped(&report.target), seconds(end));
    for tick in 0..=10 {
        let time = end * tick / 10;
        let _ = writeln!(text, "<line x1=\"{0:.1}\" x2=\"{0:.1}\" y1=\"34\" y2=\"{height}\" stroke=\"#ddd\"/><text x=\"{0:.1}\" y=\"30\" fill=\"#666\">{1}</text>", x(time), seconds(time));
    }
    // By priority: consciousness, AI, education, system, user.
    let colours = ["#8e44ad", "#2980b9", "#27ae60", "#e67e22", "#7f8c8d"];
    for (row, unit) in units.iter().enumerate() {
        let y = (row as u64 + 2) * ROW;
        let ready = unit.ready_us.unwrap_or_default();
        let started = unit.started_us.unwrap_or(ready);
        let asked = unit.asked_us.unwrap_or(started);
        let colour = colours[usize::from(unit.priority.clamp(1, 5)) - 1];
        let _ = writeln!(
            text,
            "<text x=\"10\" y=\"{}\">{}</text><rect x=\"{:.1}\" y=\"{}\" width=\"{:.1}\" height=\"4\" fill=\"#ccc\"/><rect x=\"{:.1}\" y=\"{}\" width=\"{:.1}\" height=\"12\" fill=\"{colour}\"><title>{} {}</title></rect>",
            y + 14,
            escaped(&unit.name),
            x(asked),
            y + 8,
            x(started) - x(asked),
            x(started),
            y + 4,
            (x(ready) - x(started)).max(1.0),
            escaped(&unit.name),
            seconds(ready.saturating_sub(started)),
        );
    }
    text.push_str("</svg>\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(name: &str, started: u64, ready: u64, after: &[&str]) -> UnitReport {
        UnitReport {
            name: name.into(),
            started_us: Some(started),
            ready_us: Some(ready),
            after: after.iter().map(|name| (*name).to_owned()).collect(),
            ..UnitReport::default()
        }
    }

    #[test]
    fn the_chain_is_that_of_the_last_to_be_ready() {
        let units = vec![unit("a", 0, 10, &[]), unit("b", 0, 30, &[]), unit("c", 30, 40, &["a", "b"]), unit("later", 50, 60, &[]), unit("t", 40, 40, &["c", "later"])];
        let report = Report { units, ..Report::default() };
        let names: Vec<&str> = chain(&report, &report.units[4]).iter().map(|unit| unit.name.as_str()).collect();
        assert_eq!(names, ["t", "c", "b"]);
    }

    #[test]
    fn names_cannot_break_the_picture() {
        let report = Report { units: vec![unit("a<b", 0, 1, &[])], ..Report::default() };
        assert!(svg(&report).contains("a&lt;b") && svg(&report).ends_with("</svg>\n"));
    }
}
