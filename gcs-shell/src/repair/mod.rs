//! After a command that failed: what went wrong, by its own error text, and command lines that may put it right.
//!
//! [`failure`] reads the text, [`cause`] looks at the machine for the reason, [`near`] finds what may have been meant.
//! Nothing is run for the user; each repair is a plan with its risk class like any other.

mod cause;
mod failure;
mod near;
mod options;
mod owner;
mod syntax;

use std::io::{IsTerminal, Read, Write};
use std::path::PathBuf;

use actions::{Action, Plan, RiskContext, Step, shell};
use anyhow::{Context as _, Result};
use intent::{Answer, LiveWorld, Reading};
use serde::Serialize;

/// Where the command ran, and as whom.
pub struct Place<'a> {
    /// Directories and the search path.
    pub world: &'a LiveWorld,
    /// Aliases and functions.
    pub names: &'a [String],
    /// For the risk class of repairs.
    pub risk: &'a RiskContext,
}

/// What went wrong, and what may help.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Repair {
    /// In a sentence.
    pub problem: String,
    /// What was found on the machine about it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// Command lines, the likeliest first; at most four.
    pub repairs: Vec<Step>,
}

/// A repair as it is being made: a command line and why.
pub(crate) type Proposal = (String, String);

/// Explains why `command` failed with `error`, where that is understood.
pub fn explain(command: &str, error: &str, place: &Place<'_>) -> Option<Repair> {
    let script = shell::parse(command).unwrap_or_default();
    let programs: Vec<&str> = script.invocations.iter().filter_map(|i| i.words.first()).map(|w| w.text.as_str()).collect();
    let failure = failure::read(error, &programs)?;
    let cause::Found { problem, evidence, proposals } = cause::find(&failure, command, &script, place)?;
    let mut repairs: Vec<Step> = Vec::new();
    for (text, why) in proposals {
        if text != command
            && !repairs.iter().any(|s| s.action.text() == text)
            && let Some(step) = intent::engine::step(&text, &why, place.world, place.risk)
        {
            repairs.push(step);
        }
    }
    repairs.truncate(4);
    Some(Repair { problem, evidence, repairs })
}

impl Repair {
    /// One line for the terminal, without the repairs themselves.
    pub fn offer(&self) -> String {
        match self.repairs.len() {
            0 => self.problem.clone(),
            1 => format!("{} A repair: F2, or ? and Enter.", self.problem),
            n => format!("{} {n} repairs: F2, or ? and Enter.", self.problem),
        }
    }

    /// As an answer that is shown and confirmed like a plan.
    pub fn answer(&self) -> Option<Answer> {
        let reading = |step: &Step, confidence| Reading { intent: "repair", plan: Plan { plan: vec![step.clone()], confidence, source: "repair".into() } };
        match &self.repairs[..] {
            [] => None,
            [one] => Some(Answer::Plan { best: reading(one, 0.8), others: Vec::new() }),
            many => Some(Answer::Unsure { readings: many.iter().take(3).map(|s| reading(s, 1.0 / many.len() as f32)).collect() }),
        }
    }
}

/// `gcs repair`: explains a failed command for scripts and tests. 0: understood, 3: not.
pub fn command(command: &str, error: Option<&str>, json: bool) -> Result<i32> {
    let error = match error {
        Some(e) if e != "-" => e.to_owned(),
        _ => {
            if std::io::stdin().is_terminal() {
                anyhow::bail!("give the error text as the last argument, or on standard input");
            }
            let mut text = Vec::new();
            std::io::stdin().lock().take(1 << 20).read_to_end(&mut text).context("reading the error text")?;
            String::from_utf8_lossy(&text).into_owned()
        }
    };
    let world = LiveWorld::current();
    let risk = RiskContext::current();
    let found = explain(command, &error, &Place { world: &world, names: &[], risk: &risk });
    let mut out = std::io::stdout().lock();
    let Some(repair) = found else {
        if json {
            writeln!(out, "{{\"problem\":null,\"repairs\":[]}}")?;
        } else {
            writeln!(out, "That error is not one that this shell knows.")?;
        }
        return Ok(3);
    };
    if json {
        writeln!(out, "{}", serde_json::to_string(&repair)?)?;
        return Ok(0);
    }
    writeln!(out, "{}", repair.problem)?;
    for e in &repair.evidence {
        writeln!(out, "  - {e}")?;
    }
    for s in &repair.repairs {
        let Action::Command { text } = &s.action else { continue };
        writeln!(out, "  {text}\n    {} [{}]", s.why, s.risk)?;
    }
    Ok(0)
}

/// The directories of the search path of a place.
pub(crate) fn search_path<'a>(place: &'a Place<'_>) -> &'a [PathBuf] {
    &place.world.path
}

/// `line` with its first whole word `from` (as written) replaced.
pub(crate) fn replace_word(line: &str, from: &str, to: &str) -> Option<String> {
    let edge = |c: char| c.is_whitespace() || "|&;()<>{}`".contains(c);
    let at = line.match_indices(from).map(|(i, _)| i).find(|&i| {
        let before = line[..i].chars().next_back();
        let after = line[i + from.len()..].chars().next();
        before.is_none_or(edge) && after.is_none_or(edge)
    })?;
    Some(format!("{}{to}{}", &line[..at], &line[at + from.len()..]))
}

/// The word of the line whose value is `text`, as written.
pub(crate) fn raw_of<'a>(script: &'a shell::Script, text: &str) -> Option<&'a str> {
    script
        .invocations
        .iter()
        .flat_map(|i| i.words.iter().chain(i.redirects.iter().map(|r| &r.target)))
        .find(|w| w.text == text || w.raw == text)
        .map(|w| w.raw.as_str())
}
