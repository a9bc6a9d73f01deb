//! gpm at work, beside the window: each job is a task that ends with a message and tells of its progress meanwhile.

use genai_ui::futures::futures::channel::mpsc;
use genai_ui::{Task, job};
use gpm::database::Past;
use gpm::gpm::{Proposal, Reach};
use gpm::observer::{Event, Observer, Silent};
use gpm::package::Trust;
use gpm::solver::{Change, Conflict, Request, SolveError, Upgrade};
use gpm::transaction::Options;
use gpm::{Error, Gpm};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::Message;
use crate::catalogue::{self, Catalogue};
use crate::meter::Meter;
use crate::plan::Plan;
use crate::screenshots;

/// What somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// A package.
    Install(String),
    /// A package gone, and what needs it too.
    Remove(String),
    /// Everything in its newest version.
    UpgradeAll,
    /// One package in its newest version.
    Upgrade(String),
    /// A transaction taken back.
    Undo(u64),
}

impl Wish {
    /// In words, with packages' names: for gpm's history.
    pub fn words(&self) -> String {
        self.with_titles(str::to_owned)
    }

    /// In words for people; `title` gives what they call a package.
    pub fn with_titles(&self, title: impl Fn(&str) -> String) -> String {
        match self {
            Wish::Install(name) => format!("Install {}", title(name)),
            Wish::Remove(name) => format!("Remove {}", title(name)),
            Wish::UpgradeAll => "Update everything".to_owned(),
            Wish::Upgrade(name) => format!("Update {}", title(name)),
            Wish::Undo(id) => format!("Undo change {id}"),
        }
    }
}

/// A change that something else does to the wish, to be agreed to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Concessions {
    /// Packages that may become older.
    pub downgrade: Vec<String>,
    /// Packages that go.
    pub remove: Vec<String>,
}

/// Why something is not possible.
#[derive(Debug, Clone)]
pub struct Failure {
    /// In words.
    pub text: String,
    /// What would help: words, and what is conceded.
    pub choices: Vec<(String, Concessions)>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let choices = match &error {
            Error::Solve(SolveError::Conflict(conflict)) => choices(conflict),
            _ => Vec::new(),
        };
        let text = match &error {
            Error::Solve(SolveError::Conflict(conflict)) => format!("{} cannot be together: {}", conflict.culprits.join(", "), conflict.reasons.join("; ")),
            other => chain(other),
        };
        Failure { text, choices }
    }
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(it) = cause {
        let more = it.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = it.source();
    }
    text
}

fn choices(conflict: &Conflict) -> Vec<(String, Concessions)> {
    use gpm::solver::RepairAction;
    let choice = |action: &RepairAction| match action {
        RepairAction::Downgrade { name } => {
            Some((format!("Let {name} become older"), Concessions { downgrade: vec![name.clone()], ..Concessions::default() }))
        }
        RepairAction::Remove { names } => {
            Some((format!("Remove {}", names.join(", ")), Concessions { remove: names.clone(), ..Concessions::default() }))
        }
        // Holds are somebody's decision: they are lifted where they were made.
        _ => None,
    };
    conflict.repairs.iter().filter_map(|it| choice(&it.action)).collect()
}

/// How far a job is.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// What is done now, in words.
    pub text: String,
    /// How much is done, 0 to 1, where that is known.
    pub part: Option<f32>,
}

struct Teller {
    sender: std::sync::Mutex<mpsc::Sender<Message>>,
    meter: std::sync::Mutex<Meter>,
    cancelled: Arc<AtomicBool>,
}

impl Teller {
    fn new(sender: mpsc::Sender<Message>, download: u64, cancelled: Arc<AtomicBool>) -> Self {
        Teller { sender: std::sync::Mutex::new(sender), meter: std::sync::Mutex::new(Meter::new(download)), cancelled }
    }
}

impl Observer for Teller {
    fn event(&self, event: &Event<'_>) {
        let heard = self.meter.lock().ok().and_then(|mut meter| meter.hear(event, Instant::now()));
        let Some(progress) = heard else { return };
        if let Ok(mut sender) = self.sender.lock() {
            // Where the window is behind, it does not need to see every step.
            let _ = sender.try_send(Message::Progress(progress));
        }
    }

    fn cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}

/// Reads what there is. `update` asks the repositories first.
pub fn load(root: PathBuf, update: bool) -> Task<Message> {
    job::start(move |_| {
        let read = || {
            let gpm = Gpm::new(&root, &Silent)?;
            let mut unreachable = Vec::new();
            if update {
                unreachable = gpm.update()?.into_iter().filter_map(|(name, outcome)| Some(format!("{name}: {}", chain(&outcome.err()?)))).collect();
            }
            let catalogue = Catalogue::new(&gpm.known(&[], Trust::Anyone, Reach::Programs)?, gpm.root());
            let mut history = gpm.database().history()?;
            history.sort_by_key(|it| std::cmp::Reverse(it.id));
            let archives_known = gpm.archives_known()?;
            Ok::<_, Error>(Loaded { catalogue: Arc::new(catalogue), history, unreachable, archives_known })
        };
        Message::Loaded(read().map_err(Failure::from))
    })
}

/// How many packages a search among all of them adds at most: the best matches.
const FOUND: usize = 200;

/// Looks for words among all packages, of archives too, of which the catalogue has the programs only.
pub fn look_everywhere(root: PathBuf, words: &str) -> Task<Message> {
    let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
    job::start(move |_| {
        let look = || {
            let gpm = Gpm::new(&root, &Silent)?;
            let mut found = gpm.search(&words)?;
            found.truncate(FOUND);
            Ok::<_, Error>(catalogue::entries(&found, gpm.root()))
        };
        Message::Found(look().map_err(Failure::from))
    })
}

/// Brings a picture of a package at work.
pub fn picture(cache: PathBuf, name: String, at: usize, url: String) -> Task<Message> {
    job::start(move |_| {
        // Without a network there are none: that is no mistake of anybody's.
        let file = screenshots::bring(&cache, &url).ok();
        Message::Pictured(name, at, file)
    })
}

/// What was read.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// All entries.
    pub catalogue: Arc<Catalogue>,
    /// All transactions, the last one first.
    pub history: Vec<Past>,
    /// Repositories that did not answer, and why.
    pub unreachable: Vec<String>,
    /// Whether there are archives, of which the catalogue has the programs only, and whether all of them have been asked.
    pub archives_known: Option<bool>,
}

/// Finds out what a wish takes.
pub fn propose(root: PathBuf, wish: Wish, concessions: Concessions, cancelled: Arc<AtomicBool>) -> Task<Message> {
    job::start(move |sender| {
        let teller = Teller::new(sender, 0, cancelled);
        let plan = Gpm::new(&root, &teller).and_then(|gpm| plan(&gpm, wish, &concessions));
        Message::Proposed(plan.map_err(Failure::from))
    })
}

fn plan(gpm: &Gpm<'_>, wish: Wish, concessions: &Concessions) -> Result<Plan, Error> {
    let mut request = Request {
        downgrade: concessions.downgrade.iter().cloned().collect(),
        remove: concessions.remove.iter().cloned().collect(),
        ..Request::default()
    };
    match &wish {
        Wish::Install(name) => {
            let wanted = name.parse().map_err(|_| SolveError::Unknown { wanted: name.clone(), similar: Vec::new() })?;
            request.install.push(wanted);
            let full = gpm.propose(&request, &[], Trust::Anyone)?;
            let least = gpm.least(&request, &full)?;
            return Ok(Plan::with_choice(wish, least, full));
        }
        Wish::Remove(name) => {
            request.remove.insert(name.clone());
            request.cascade = true;
        }
        Wish::UpgradeAll => request.upgrade = Upgrade::All,
        Wish::Upgrade(name) => request.upgrade = Upgrade::Some([name.clone()].into()),
        Wish::Undo(id) => {
            let proposal = gpm.propose_undo(*id)?;
            return Ok(Plan::plain(wish, proposal));
        }
    }
    let proposal = gpm.propose(&request, &[], Trust::Anyone)?;
    Ok(Plan::plain(wish, proposal))
}

/// Makes a plan true.
pub fn make(root: PathBuf, plan: Plan, cancelled: Arc<AtomicBool>) -> Task<Message> {
    job::start(move |sender| {
        let teller = Teller::new(sender, plan.proposal().download, cancelled);
        let options = Options { what: format!("Store: {}", plan.wish.words()), ..Options::default() };
        let made = Gpm::new(&root, &teller).and_then(|gpm| {
            let keys = gpm.trusted_keys()?;
            gpm.make(plan.proposal(), Trust::Keys(&keys), &options)
        });
        Message::Made(made.map(|_| plan.wish.clone()).map_err(Failure::from))
    })
}

/// What changes, in groups for people: a heading and lines.
pub fn changes(proposal: &Proposal) -> Vec<(&'static str, Vec<String>)> {
    let mut groups: [(&str, Vec<String>); 3] = [("Installs", Vec::new()), ("Updates", Vec::new()), ("Removes", Vec::new())];
    for change in &proposal.changes {
        match change {
            Change::Install { name, version, .. } => groups[0].1.push(format!("{name} {version}")),
            Change::Replace { name, from, version, .. } => groups[1].1.push(format!("{name} {from} to {version}")),
            Change::Remove { name, version, .. } => groups[2].1.push(format!("{name} {version}")),
        }
    }
    groups.into_iter().filter(|(_, lines)| !lines.is_empty()).collect()
}
