//! The options that a program has, from its manual page or what it says with `--help`.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a program may take to print its help.
const PATIENCE: Duration = Duration::from_secs(3);
/// Help beyond this is not read.
const MAX_HELP: u64 = 1 << 20;

/// What is known of a program's options; empty where nothing is.
///
/// `--help` is asked only of programs that the table of explanations knows: another one might not know that word, and do something.
/// `subcommand` is git's.
pub fn known(program: &str, subcommand: Option<&str>) -> BTreeSet<String> {
    let name = program.rsplit('/').next().unwrap_or(program);
    let mut all = manual(&subcommand.map_or_else(|| name.to_owned(), |s| format!("{name}-{s}")));
    if all.is_empty() && !program.contains('/') && actions::explain::summary(name).is_some() {
        let help = match subcommand {
            Some(s) => output(Command::new(name).args([s, "-h"])),
            None => output(Command::new(name).arg("--help")),
        };
        all = options_in(&help);
    }
    all
}

fn manual(page: &str) -> BTreeSet<String> {
    for section in ["1", "8"] {
        let file = format!("/usr/share/man/man{section}/{page}.{section}");
        if let Ok(text) = std::fs::read_to_string(&file) {
            return options_in(&plain(&text));
        }
        let packed = format!("{file}.gz");
        if Path::new(&packed).exists() {
            return options_in(&plain(&output(Command::new("gzip").args(["-dc", &packed]))));
        }
    }
    BTreeSet::new()
}

/// A manual page without its font changes and escaped dashes.
fn plain(page: &str) -> String {
    let mut text = page.replace("\\-", "-");
    for font in ["\\fB", "\\fI", "\\fR", "\\fP", "\\&", "\\f1", "\\f2", "\\f3"] {
        text = text.replace(font, "");
    }
    text
}

/// What a program prints on either stream, with a limit of time and size.
fn output(command: &mut Command) -> String {
    let Ok(mut child) = command.env("LC_ALL", "C").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn() else { return String::new() };
    let collect = |stream: Option<Box<dyn Read + Send>>| {
        std::thread::spawn(move || {
            let mut text = Vec::new();
            if let Some(s) = stream {
                let _ = s.take(MAX_HELP).read_to_end(&mut text);
            }
            String::from_utf8_lossy(&text).into_owned()
        })
    };
    let out = collect(child.stdout.take().map(|s| Box::new(s) as _));
    let err = collect(child.stderr.take().map(|s| Box::new(s) as _));
    let start = Instant::now();
    while matches!(child.try_wait(), Ok(None)) {
        if start.elapsed() > PATIENCE {
            let _ = child.kill();
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = child.wait();
    let text = out.join().unwrap_or_default();
    if text.is_empty() { err.join().unwrap_or_default() } else { text }
}

/// Every word of a text that is an option.
fn options_in(text: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for word in text.split(|c: char| c.is_whitespace() || ",|[](){}<>='\"`/".contains(c)) {
        let word = word.trim_end_matches(['.', ':', ';']);
        let name = word.trim_start_matches('-');
        let dashes = word.len() - name.len();
        let good = name.chars().all(|c| c.is_ascii_alphanumeric() || "-_+".contains(c)) && name.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
        if good && (dashes == 2 && name.len() > 1 || dashes == 1 && name.len() <= 12) {
            all.insert(word.to_owned());
        }
    }
    all
}

/// Of `known`, what `option` may have been meant to be; the best first.
pub fn near(option: &str, known: &BTreeSet<String>) -> Vec<String> {
    let name = option.trim_start_matches('-');
    if option.starts_with("--") {
        let long: Vec<&str> = known.iter().filter_map(|k| k.strip_prefix("--")).collect();
        let mut found = super::near::nearest(name, long.iter().copied());
        // "--sorted" for --sort, "--recurs" for --recursive.
        for l in long {
            let short = l.len().min(name.len());
            if short >= 3 && (l.starts_with(name) || name.starts_with(l) && name.len() <= l.len() + 2) && !found.iter().any(|f| f == l) {
                found.push(l.to_owned());
            }
        }
        found.truncate(3);
        return found.into_iter().map(|f| format!("--{f}")).collect();
    }
    let mut found = Vec::new();
    // One dash too few, or the other case.
    if name.len() > 1 && known.contains(&format!("--{name}")) {
        found.push(format!("--{name}"));
    }
    let other: String = name.chars().map(|c| if c.is_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }).collect();
    if other != name && known.contains(&format!("-{other}")) {
        found.push(format!("-{other}"));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_found_and_compared() {
        let known = options_in("  -a, --all      do not ignore\n  -R, --recursive\n --sort=WORD  [-l] well-known --color[=WHEN] pre-made.");
        for o in ["-a", "--all", "-R", "--recursive", "--sort", "-l", "--color"] {
            assert!(known.contains(o), "{o}: {known:?}");
        }
        assert!(!known.contains("well-known"));
        assert_eq!(near("--recrusive", &known), ["--recursive"]);
        assert_eq!(near("--sorted", &known), ["--sort"]);
        assert_eq!(near("--colour", &known), ["--color"]);
        assert_eq!(near("-r", &known), ["-R"]);
        assert_eq!(near("-all", &known), ["--all"]);
        assert!(near("--zzzzzz", &known).is_empty());
        assert_eq!(plain("\\fB\\-\\-quiet\\fR"), "--quiet");
    }

    #[test]
    fn a_real_program_is_asked() {
        let known = known("ls", None);
        assert!(known.contains("--all") && known.contains("-l"), "{known:?}");
        assert!(super::known("/tmp/nothing-here", None).is_empty());
    }
}
