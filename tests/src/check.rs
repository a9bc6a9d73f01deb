//! Comparisons that say what differs.

use anyhow::{Result, bail};
use exec_protocol::Outcome;
use vm::exec::Output;

/// Fails unless the command ended with status 0 and printed exactly this.
pub fn prints(output: &Output, expected: &str) -> Result<()> {
    succeeds(output)?;
    same("standard output", expected.as_bytes(), &output.stdout)
}

/// Fails unless the command ended with status 0.
pub fn succeeds(output: &Output) -> Result<()> {
    ends(output, &Outcome::Code(0))
}

/// Fails unless the command ended so.
pub fn ends(output: &Output, expected: &Outcome) -> Result<()> {
    if output.outcome != *expected {
        let (out, err) = (excerpt(&output.stdout), excerpt(&output.stderr));
        bail!("ended with {:?} instead of {expected:?}\nstandard output:\n{out}\nstandard error:\n{err}", output.outcome);
    }
    Ok(())
}

/// Fails unless the data are the same, and shows the first line that differs.
pub fn same(what: &str, expected: &[u8], found: &[u8]) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    let lines = |data: &[u8]| String::from_utf8_lossy(data).lines().map(str::to_owned).collect::<Vec<_>>();
    let (expected_lines, found_lines) = (lines(expected), lines(found));
    let at = expected_lines.iter().zip(&found_lines).take_while(|(a, b)| a == b).count();
    let line = |lines: &[String]| lines.get(at).map_or("(end)".to_owned(), |line| line.chars().take(200).collect());
    bail!(
        "{what} differs from line {}: expected {:?}, found {:?} ({} and {} bytes)\nfound around it:\n{}",
        at + 1,
        line(&expected_lines),
        line(&found_lines),
        expected.len(),
        found.len(),
        found_lines[at.saturating_sub(3)..found_lines.len().min(at + 6)].join("\n")
    );
}

fn excerpt(data: &[u8]) -> String {
    let text = String::from_utf8_lossy(data);
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}
