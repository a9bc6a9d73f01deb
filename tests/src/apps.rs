//! Programs of Debian 12, unmodified, in the developer's edition: a script of `tests/apps/` runs there and prints what the file of the same
//! name with `.out` says.
//!
//! That is what Linux prints: `soak/apps-on-linux/...` runs the same scripts under the reference, with the same root. A script is run by bash
//! as root in an empty directory. A line `# time: SECONDS` gives it more or less time than [`LIMIT`]; `# soak` makes it `soak/apps/...`.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use vm::exec::command;

use crate::lab::{Lab, System};
use crate::{Test, check};

const LIMIT: Duration = Duration::from_secs(180);

/// Open to the users of daemons.
const IN_EMPTY_DIRECTORY: &str =
    r#"d=$(mktemp -d /var/tmp/app.XXXXXX) && chmod 755 "$d" && cd "$d" && bash -c "$1"; s=$?; cd / && rm -rf "$d"; exit $s"#;

pub fn tests(folder: &Path) -> Result<Vec<Test>> {
    let mut tests = Vec::new();
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let (Some(name), Some("sh")) = (path.file_stem(), path.extension().and_then(|it| it.to_str())) else { continue };
        let read = |path: &Path| fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()));
        let (script, expected) = (read(&path)?, read(&path.with_extension("out"))?);
        let name = name.to_string_lossy();
        let group = if script.lines().any(|line| line == "# soak") { "soak/apps" } else { "apps" };
        for (name, system) in [(format!("{group}/{name}"), System::Developer), (format!("soak/apps-on-linux/{name}"), System::DeveloperLinux)] {
            let (script, expected) = (script.clone(), expected.clone());
            tests.push(Test::new(name, move |lab| run(lab, system, &script, &expected)));
        }
    }
    tests.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(tests)
}

fn run(lab: &Lab, system: System, script: &str, expected: &str) -> Result<()> {
    let limit = script
        .lines()
        .find_map(|line| line.strip_prefix("# time: ")?.trim().parse().ok())
        .map_or(LIMIT, Duration::from_secs);
    let machine = lab.shared(system)?;
    let output = machine.exec().output(command(["bash", "-c", IN_EMPTY_DIRECTORY, "bash", script], limit), b"");
    machine.dir().check_panic()?;
    let output = output?;
    let errors = String::from_utf8_lossy(&output.stderr);
    check::same("standard output", expected.as_bytes(), &output.stdout).with_context(|| format!("standard error: {errors}"))?;
    check::succeeds(&output)
}
