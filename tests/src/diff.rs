//! The same script under our kernel and under Linux: standard output, standard error and status must be the same.
//!
//! A script of `tests/diff/` is run by bash in an empty directory. A line `# time: SECONDS` gives it more or less time than [`LIMIT`].

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use vm::exec::command;

use crate::lab::Lab;
use crate::{Test, check};

const LIMIT: Duration = Duration::from_secs(120);

const IN_EMPTY_DIRECTORY: &str =
    r#"d=$(mktemp -d /tmp/diff.XXXXXX) && cd "$d" && bash -c "$1"; s=$?; cd / && rm -rf "$d"; exit $s"#;

pub fn tests(folder: &Path) -> Result<Vec<Test>> {
    let mut tests = Vec::new();
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let (Some(name), Some("sh")) = (path.file_stem(), path.extension().and_then(|it| it.to_str())) else { continue };
        let script = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        tests.push(Test::new(format!("diff/{}", name.to_string_lossy()), move |lab| compare(lab, &script)));
    }
    tests.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(tests)
}

fn compare(lab: &Lab, script: &str) -> Result<()> {
    let limit = script
        .lines()
        .find_map(|line| line.strip_prefix("# time: ")?.trim().parse().ok())
        .map_or(LIMIT, Duration::from_secs);
    let line = command(["bash", "-c", IN_EMPTY_DIRECTORY, "bash", script], limit);
    let (expected, found) = lab.on_both(|exec| Ok(exec.output(line.clone(), b"")?))?;
    check::same("standard output", &expected.stdout, &found.stdout)?;
    check::same("standard error", &expected.stderr, &found.stderr)?;
    check::ends(&found, &expected.outcome)
}
