//! Answers about the machine from what is measured, with the figures that they rest on: `gcs diagnose slow|disk|memory|services`.

mod disk;
mod services;
mod slow;

use std::io::Write;

use anyhow::Result;
use serde::Serialize;

/// What can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Subject {
    /// Why the machine is slow: processor, memory, disk
    Slow,
    /// What fills the disk
    Disk,
    /// What takes the memory
    Memory,
    /// Which services failed, and why (GCI)
    Services,
}

impl Subject {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Subject::Slow => "slow",
            Subject::Disk => "disk",
            Subject::Memory => "memory",
            Subject::Services => "services",
        }
    }
}

/// An answer.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Finding {
    /// The answer in a sentence or two.
    pub answer: String,
    /// What was measured.
    pub evidence: Vec<String>,
    /// Command lines that help, or show more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub next: Vec<String>,
}

/// Measures and answers.
pub fn run(subject: Subject, json: bool) -> Result<i32> {
    let finding = match subject {
        Subject::Slow => slow::slow()?,
        Subject::Memory => slow::memory()?,
        Subject::Disk => disk::disk()?,
        Subject::Services => services::services()?,
    };
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(&finding)?)?;
        return Ok(0);
    }
    writeln!(out, "{}", finding.answer)?;
    for e in &finding.evidence {
        writeln!(out, "  - {e}")?;
    }
    for n in &finding.next {
        writeln!(out, "  try: {n}")?;
    }
    Ok(0)
}

/// The subject that a question in English is about, where the answer needs measuring.
pub fn recognise(text: &str) -> Option<Subject> {
    let lower = text.to_lowercase().replace('\u{2019}', "'");
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|w| !w.is_empty()).collect();
    let any = |list: &[&str]| words.iter().any(|w| list.contains(w));
    let asks = any(&["why", "what", "what's", "whats", "which", "who", "whats's", "where", "diagnose"]);
    if !asks {
        return None;
    }
    let machine = any(&["it", "computer", "machine", "system", "pc", "laptop", "everything", "this", "desktop", "server"]);
    // A file or a program that is named is another question.
    let named = words.iter().any(|w| w.len() > 2 && w.contains('.')) || lower.contains('/');
    if any(&["slow", "sluggish", "laggy", "lagging", "slowing", "unresponsive", "stuttering"]) && any(&["why", "what", "what's", "whats", "diagnose"]) && machine && !named {
        return Some(Subject::Slow);
    }
    let eats = any(&["filling", "fills", "filled", "eating", "eats", "ate", "hogging", "hogs", "taking", "takes", "using", "uses", "used", "full", "occupying", "consuming"]);
    if any(&["service", "services", "daemon", "daemons", "unit", "units"]) && any(&["failed", "fail", "failing", "fails", "broken", "crashed", "crashing", "down", "dead"]) {
        return Some(Subject::Services);
    }
    let reason = any(&["why", "what", "what's", "whats", "where"]) && !any(&["process", "processes", "program", "programs", "file", "files", "much", "percentage", "command"]);
    if reason && eats && any(&["disk", "drive", "space", "storage"]) && !named {
        return Some(Subject::Disk);
    }
    if reason && eats && any(&["memory", "ram"]) && !named {
        return Some(Subject::Memory);
    }
    None
}

/// A size for people.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let (mut value, mut unit) = (bytes as f64, 0);
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} bytes") } else { format!("{value:.1} {}", UNITS[unit]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_that_need_measuring() {
        for (text, subject) in [
            ("why is it slow?", Subject::Slow), ("why is my computer so slow", Subject::Slow), ("what is slowing down this machine", Subject::Slow), ("why is everything so sluggish today?", Subject::Slow), ("diagnose the slow system", Subject::Slow), ("what's making the system laggy", Subject::Slow),
            ("what is filling the disk?", Subject::Disk), ("why is the disk full", Subject::Disk), ("what's eating my disk space", Subject::Disk), ("what takes up all the space on the drive?", Subject::Disk), ("where is all the storage being used", Subject::Disk),
            ("what is eating the memory?", Subject::Memory), ("why is my ram full", Subject::Memory), ("what's using all the memory", Subject::Memory),
            ("which service failed, and why?", Subject::Services), ("why are services failing", Subject::Services), ("which units are broken?", Subject::Services), ("what services have crashed", Subject::Services),
        ] {
            assert_eq!(recognise(text), Some(subject), "{text}");
        }
        for text in ["how full is the disk", "which processes use the most memory", "show free space", "restart the failed service", "why is the sky blue", "make a slow copy", "what is the largest file", "how much memory is free", "what does slow.sh do", "which program uses port 80", "start the service ssh", "how much disk space is used", "why is ./build.sh so slow", "which files take the most space", "list services"] {
            assert_eq!(recognise(text), None, "{text}");
        }
    }

    #[test]
    fn sizes() {
        assert_eq!((size(0), size(1023), size(1024), size(5 << 30)), ("0 bytes".into(), "1023 bytes".into(), "1.0 KiB".into(), "5.0 GiB".into()));
    }
}
