//! The system's own commands, which do what needs to be done.

use std::io::Write;
use std::process::{Command, Stdio};

/// Runs a command until it ends, with words on its standard input; what it says.
///
/// # Errors
/// Where it cannot be run or fails: what it says of that.
pub fn run(program: &str, arguments: &[&str], input: &str) -> Result<String, String> {
    let problem = |error: std::io::Error| format!("{program} cannot be run: {error}");
    let mut child = Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(problem)?;
    if let Some(mut pipe) = child.stdin.take() {
        // Who does not read it says why not by failing.
        let _ = pipe.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(problem)?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    let said = text(&output.stderr);
    let said = if said.is_empty() { text(&output.stdout) } else { said };
    Err(if said.is_empty() { format!("{program}: {}", output.status) } else { said })
}

#[cfg(test)]
mod tests {
    use super::run;

    #[test]
    fn commands_are_run() {
        assert_eq!(run("cat", &[], "a word"), Ok("a word".to_owned()));
        assert_eq!(run("sh", &["-c", "echo bad >&2; exit 3"], ""), Err("bad".to_owned()));
        assert_eq!(run("sh", &["-c", "exit 3"], "x"), Err("sh: exit status: 3".to_owned()));
        assert!(run("surely-no-command", &[], "").is_err_and(|it| it.contains("cannot be run")));
    }
}
