//! Newer versions of what is installed, by `gpm`: looked for, shown, and brought only when that is wanted.

use genai_ui::{Task, job};
use serde::Deserialize;

use crate::command::run;
use crate::form::{Control, Row, Section, Weight};
use crate::{Message as All, Question, Settings};

/// Of `gpm --json upgrade --dry-run`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Plan {
    changes: Vec<serde_json::Value>,
    download: u64,
    growth: i64,
}

/// One repository's answer, of `gpm --json update`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Asked {
    name: String,
    #[serde(default)]
    error: Option<String>,
}

/// What is known.
#[derive(Debug, Default)]
pub struct State {
    plan: Option<Plan>,
    /// Repositories that did not answer, and why.
    trouble: Vec<String>,
    /// What was done last.
    past: Option<String>,
}

/// What happens.
#[derive(Debug, Clone)]
pub enum Message {
    /// Repositories are to be asked.
    Check,
    /// They were: what could be changed, and who did not answer.
    Checked(Result<(Plan, Vec<String>), String>),
    /// All of it is wanted.
    Upgrade,
    /// It is meant.
    UpgradeNow,
    /// It was done, or not.
    Upgraded(Result<(), String>),
}

/// What gpm says; of its errors the words for people.
fn gpm(arguments: &[&str]) -> Result<String, String> {
    run("gpm", arguments, "").map_err(|said| {
        let words = serde_json::from_str::<serde_json::Value>(&said).ok().and_then(|it| it["error"].as_str().map(str::to_owned));
        words.unwrap_or(said)
    })
}

fn check() -> Result<(Plan, Vec<String>), String> {
    let asked = gpm(&["--json", "update"])?;
    let asked: Vec<Asked> = serde_json::from_str(&asked).map_err(|error| format!("gpm says what is not understood: {error}"))?;
    let trouble = asked.into_iter().filter_map(|it| it.error.map(|error| format!("{}: {error}", it.name))).collect();
    let plan = gpm(&["--json", "upgrade", "--dry-run"])?;
    Ok((serde_json::from_str(&plan).map_err(|error| format!("gpm says what is not understood: {error}"))?, trouble))
}

/// A change in words: what, and from which version to which.
fn words(change: &serde_json::Value) -> (String, String) {
    let get = |name: &str| change[name].as_str().unwrap_or_default();
    let versions = match (get("from"), get("version")) {
        ("", version) => version.to_owned(),
        (from, version) => format!("{from} → {version}"),
    };
    (get("name").to_owned(), versions)
}

fn packages(count: usize) -> String {
    if count == 1 { "1 package".to_owned() } else { format!("{count} packages") }
}

impl Settings {
    /// What follows.
    pub(crate) fn update_updates(&mut self, message: Message) -> Task<All> {
        let state = &mut self.updates;
        match message {
            Message::Check if !self.is_busy => {
                (self.is_busy, self.said) = (true, None);
                return job::start(|_| All::Updates(Message::Checked(check())));
            }
            Message::Checked(outcome) => {
                self.is_busy = false;
                match outcome {
                    Ok((plan, trouble)) => (state.plan, state.trouble) = (Some(plan), trouble),
                    Err(problem) => self.said = Some(Err(problem)),
                }
            }
            Message::Upgrade if !self.is_busy => {
                let Some(plan) = &state.plan else { return Task::none() };
                self.asking = Some(Question {
                    title: format!("Change {}?", packages(plan.changes.len())),
                    words: "It happens as a whole or not at all, and can be undone (gpm undo).".to_owned(),
                    confirm: "Update",
                    is_danger: false,
                    message: All::Updates(Message::UpgradeNow),
                    otherwise: None,
                    seconds: None,
                });
            }
            Message::UpgradeNow => {
                (self.is_busy, self.said) = (true, None);
                return job::start(|_| All::Updates(Message::Upgraded(gpm(&["--json", "upgrade", "--yes"]).map(drop))));
            }
            Message::Upgraded(outcome) => {
                self.is_busy = false;
                if outcome.is_ok() {
                    (state.plan, state.past) = (Some(Plan::default()), Some("Everything was brought to its newest version.".to_owned()));
                }
                self.said = Some(outcome.map(|()| "Done.".to_owned()));
            }
            Message::Check | Message::Upgrade => {}
        }
        Task::none()
    }
}

impl State {
    /// The page.
    pub fn sections(&self, is_busy: bool) -> Vec<Section> {
        let check = Control::Button { label: "Look for updates", weight: Weight::Usual, message: (!is_busy).then_some(All::Updates(Message::Check)) };
        let known = match &self.plan {
            None => "The repositories were not asked yet".to_owned(),
            Some(plan) if plan.changes.is_empty() => self.past.clone().unwrap_or_else(|| "Everything has its newest version".to_owned()),
            Some(plan) => format!("{} can be changed", packages(plan.changes.len())),
        };
        let mut rows = vec![Row::new("Updates", check).about(known)];
        rows.extend(self.trouble.iter().map(|it| Row::shown("A repository does not answer", "").about(it.clone())));
        let mut all = vec![Section::new("", rows)];
        if let Some(plan) = self.plan.as_ref().filter(|it| !it.changes.is_empty()) {
            let bytes = |count: u64| genai_ui::parts::bytes(count);
            let room = if plan.growth < 0 { "freed" } else { "more on the disk" };
            let about = format!("{} to fetch, {} {room}", bytes(plan.download), bytes(plan.growth.unsigned_abs()));
            let update = Control::Button { label: "Update all", weight: Weight::First, message: (!is_busy).then_some(All::Updates(Message::Upgrade)) };
            let mut rows = vec![Row::new("Bring all of it", update).about(about)];
            rows.extend(plan.changes.iter().map(words).map(|(name, versions)| Row::shown(name, versions)));
            all.push(Section::new("Newer versions", rows));
        }
        all
    }
}
