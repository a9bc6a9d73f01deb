//! Runs wlcs, and compares what fails with the exceptions that are known.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;

/// Where Debian has it.
const WLCS: &str = "/usr/lib/x86_64-linux-gnu/wlcs/wlcs";
/// Parts that run beside each other: most of the time is spent in waiting.
const PARTS: usize = 4;
/// Nothing of it takes as long, unless it hangs.
const LIMIT: Duration = Duration::from_secs(600);
/// At least so many tests pass: a suite that runs nothing proves nothing.
const PASSING: usize = 580;

#[derive(Deserialize)]
struct Exceptions {
    exception: Vec<Exception>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    #[serde(default)]
    tests: Vec<String>,
    message: Option<String>,
    reason: String,
}

/// Whether a pattern, in which * stands for anything, means a name.
fn is_meant(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((first, rest)) => name.strip_prefix(first).is_some_and(|name| (0..=name.len()).any(|at| name.is_char_boundary(at) && is_meant(rest, &name[at..]))),
    }
}

/// The library of this crate, beside the test's own program.
fn library() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let found = own.ancestors().skip(1).take(2).map(|dir| dir.join("libgde_wlcs.so")).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("libgde_wlcs.so is not beside {}", own.display()))
}

fn part(index: usize, dir: &Path) -> Child {
    let log = File::create(dir.join(format!("{index}.log"))).unwrap();
    let mut wlcs = Command::new(WLCS);
    wlcs.arg(library()).arg(format!("--gtest_output=json:{}", dir.join(format!("{index}.json")).display()));
    wlcs.env("GTEST_TOTAL_SHARDS", PARTS.to_string()).env("GTEST_SHARD_INDEX", index.to_string()).env("XDG_RUNTIME_DIR", dir);
    wlcs.stderr(log.try_clone().unwrap()).stdout(log);
    wlcs.spawn().unwrap_or_else(|error| panic!("{WLCS}: {error} (Debian's package wlcs must be installed for this test)"))
}

/// The tests of a part: their names, and what those that fail say.
fn results(index: usize, dir: &Path) -> Vec<(String, Option<String>)> {
    let log = fs::read_to_string(dir.join(format!("{index}.log"))).unwrap_or_default();
    let end: String = log.lines().rev().take(20).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n");
    let text = fs::read(dir.join(format!("{index}.json"))).unwrap_or_else(|_| panic!("wlcs has died:\n{end}"));
    let all: Value = serde_json::from_slice(&text).unwrap();
    let mut results = Vec::new();
    for suite in all["testsuites"].as_array().unwrap() {
        for test in suite["testsuite"].as_array().unwrap().iter().filter(|test| test["status"] == "RUN") {
            let name = format!("{}.{}", suite["name"].as_str().unwrap(), test["name"].as_str().unwrap());
            let failures = test["failures"].as_array();
            let said = failures.map(|all| all.iter().filter_map(|one| one["failure"].as_str()).collect::<Vec<_>>().join("\n"));
            results.push((name, said));
        }
    }
    results
}

#[test]
fn wlcs_finds_nothing_but_the_exceptions() {
    let exceptions: Exceptions = toml::from_str(include_str!("../exceptions.toml")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let begin = Instant::now();
    let mut parts: Vec<Child> = (0..PARTS).map(|index| part(index, dir.path())).collect();
    while !parts.iter_mut().all(|part| part.try_wait().unwrap().is_some()) {
        if begin.elapsed() > LIMIT {
            parts.iter_mut().for_each(|part| part.kill().unwrap());
            panic!("wlcs does not end");
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let all: Vec<(String, Option<String>)> = (0..PARTS).flat_map(|index| results(index, dir.path())).collect();
    let passed = all.iter().filter(|(_, said)| said.is_none()).count();
    let mut used = vec![0; exceptions.exception.len()];
    let mut unused: BTreeMap<&str, &str> = exceptions.exception.iter().flat_map(|it| it.tests.iter().map(|test| (test.as_str(), it.reason.as_str()))).collect();
    let mut mistakes = Vec::new();
    for (name, said) in &all {
        let Some(said) = said else { continue };
        let is_known = |it: &Exception| it.message.as_ref().is_some_and(|message| said.contains(message.as_str())) || it.tests.iter().any(|test| is_meant(test, name));
        match exceptions.exception.iter().position(is_known) {
            Some(index) => {
                used[index] += 1;
                unused.retain(|pattern, _| !is_meant(pattern, name));
            }
            None => mistakes.push(format!("{name}:\n{said}")),
        }
    }
    eprintln!("{passed} of {} tests pass, in {:.0} s", all.len(), begin.elapsed().as_secs_f64());
    for (it, count) in exceptions.exception.iter().zip(&used) {
        eprintln!("{count:4} {}", it.reason);
        assert!(*count > 0, "nothing fails any more: {}", it.reason);
    }
    assert!(unused.is_empty(), "these do not fail any more: {:?}", unused.keys());
    assert!(mistakes.is_empty(), "{} tests fail:\n{}", mistakes.len(), mistakes.join("\n\n"));
    assert!(passed >= PASSING, "only {passed} tests pass");
}

#[test]
fn patterns() {
    assert!(is_meant("a.b/0", "a.b/0") && !is_meant("a.b/0", "a.b/01") && !is_meant("a", "b"));
    assert!(is_meant("a*", "a") && is_meant("a*c", "abbc") && is_meant("*b*", "abc") && !is_meant("a*c", "abcd"));
}
