//! `gci verify`.

use super::Places;
use anyhow::Context;
use gci_units::{Severity, Unit, UnitName, UnitSet, graph};
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

/// Checks files, or all of the system's. The exit status is 1 where there are errors.
pub fn verify(places: &Places, files: &[PathBuf], json: bool) -> anyhow::Result<ExitCode> {
    let mut set = UnitSet::new();
    places.units.iter().for_each(|folder| set.load(folder));
    let mut problems = if files.is_empty() { std::mem::take(&mut set.problems) } else { Vec::new() };
    for file in files {
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let name = UnitName::new(name).with_context(|| file.display().to_string())?;
        let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let parsed = Unit::parse_bytes(name, &file.display().to_string(), &bytes);
        problems.extend(parsed.problems);
        parsed.unit.into_iter().for_each(|unit| set.add(unit));
    }
    let mut is_bad = problems.iter().any(|problem| problem.severity == Severity::Error);
    let mut lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let is_asked = |file: &str| files.is_empty() || files.iter().any(|asked| asked.display().to_string() == file);
    for (file, name) in set.missing() {
        if is_asked(&file) {
            is_bad = true;
            lines.push(format!("{file}: it requires {name}, of which there is no unit; install it, or say Wants"));
        }
    }
    for found in graph::loops(&set) {
        is_bad = true;
        lines.push(format!("loop, in which each waits for the next: {found}; remove one of their After or Before"));
    }
    if json {
        println!("{}", serde_json::to_string(&lines)?);
    } else {
        lines.iter().for_each(|line| println!("{line}"));
        if lines.is_empty() {
            println!("{} units, nothing wrong", set.iter().count());
        }
    }
    Ok(if is_bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
