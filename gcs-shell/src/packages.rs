//! Packages that are to be installed: whether gpm has them, and what it has instead.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use actions::quote::quote;
use actions::{Action, Plan, RiskContext, Step};
use intent::{Answer, Reading};
use serde::Deserialize;

/// Reading the lists of a whole archive takes a moment, but nobody waits longer for a plan.
const PATIENCE: Duration = Duration::from_secs(4);

/// What is left of the confidence where the name is not the one that was said.
const OTHER_NAME: f32 = 0.9;

/// The answer; where it installs a package that gpm does not have, with those that gpm finds similar.
pub fn known(answer: Answer, risk: &RiskContext) -> Answer {
    let Answer::Plan { best, .. } = &answer else { return answer };
    let [step] = &best.plan.plan[..] else { return answer };
    let command = step.action.text().into_owned();
    let wanted = match command.strip_prefix("gpm install ") {
        Some(name) if best.intent == "pkg.install" && plain(name) => name.to_owned(),
        _ => return answer,
    };
    match similar(&wanted) {
        Some(names) => instead(&wanted, &names, best.plan.confidence, risk).unwrap_or(answer),
        None => answer,
    }
}

fn plain(name: &str) -> bool {
    !name.starts_with('-') && name.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

/// What gpm says of a package it does not know.
#[derive(Deserialize)]
struct Unknown {
    similar: Option<Vec<String>>,
}

/// The names that gpm finds similar; `None` where it has the package, or cannot say.
fn similar(name: &str) -> Option<Vec<String>> {
    let mut child = Command::new("gpm").args(["--json", "install", "--dry-run", "--", name]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    let mut out = child.stdout.take()?;
    let reader = std::thread::spawn(move || {
        let mut text = Vec::new();
        let _ = out.by_ref().take(1 << 20).read_to_end(&mut text);
        text
    });
    let start = Instant::now();
    while matches!(child.try_wait(), Ok(None)) {
        if start.elapsed() > PATIENCE {
            let _ = child.kill();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    serde_json::from_slice::<Unknown>(&reader.join().ok()?).ok()?.similar
}

/// Plans for the names: sure where one is clearly what was meant, a choice otherwise.
fn instead(wanted: &str, names: &[String], confidence: f32, risk: &RiskContext) -> Option<Answer> {
    let reading = |name: &String, confidence: f32| {
        let command = format!("gpm install {}", quote(name));
        let step = Step { risk: actions::classify(&command, risk), action: Action::Command { text: command }, why: format!("gpm has no package {wanted}. Installs {name}, which it has."), missing: Vec::new() };
        Reading { intent: "pkg.install", plan: Plan { plan: vec![step], confidence, source: "intent:pkg.install".to_owned() } }
    };
    let names: Vec<&String> = names.iter().filter(|n| plain(n)).take(3).collect();
    let first = *names.first()?;
    // "firefox-esr" is a firefox; a name with two letters changed may be anything.
    if first.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('-')) {
        let others = names[1..].iter().map(|n| reading(n, 0.1)).collect();
        return Some(Answer::Plan { best: reading(first, confidence * OTHER_NAME), others });
    }
    let each = 0.45 / names.len() as f32;
    Some(Answer::Unsure { readings: names.iter().enumerate().map(|(i, n)| reading(n, each + if i == 0 { 0.04 } else { 0.0 })).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(wanted: &str, names: &[&str]) -> Answer {
        let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
        instead(wanted, &names, 0.9, &RiskContext::default()).unwrap()
    }

    #[test]
    fn another_edition_is_planned_and_a_near_miss_is_asked_for() {
        match planned("firefox", &["firefox-esr", "firefox-esr-l10n-de"]) {
            Answer::Plan { best, others } => {
                assert_eq!(best.plan.plan[0].action.text(), "gpm install firefox-esr");
                assert!(best.plan.plan[0].why.contains("no package firefox."), "{}", best.plan.plan[0].why);
                assert_eq!(others.len(), 1);
            }
            other => panic!("{other:?}"),
        }
        assert!(matches!(planned("htpo", &["htop", "hto"]), Answer::Unsure { readings } if readings.len() == 2));
    }
}
