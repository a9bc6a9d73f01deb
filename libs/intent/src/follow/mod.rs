//! Requests that go on from the last one: "now only the big ones", "and sorted by date", "delete them", "the second one",
//! "the same in /var", "undo that".
//!
//! They are told by their cues, narrowly: a request that could stand alone is left to the classifier. What they refer to
//! is the last plan's command and what it printed. Nothing is guessed: what a pronoun stands for is files that the output
//! names and that exist, processes it lists, or the file that the last command made.

mod act;
mod command;
mod object;
mod output;
mod refer;
mod refine;
mod undo;

use actions::Plan;

use crate::engine::{Answer, Context, Reading, step};
use crate::request::Request;
use crate::text;
use crate::world::World;

pub use output::{Items, Output, items};

/// What is known of the last plan while a follow-up is read.
pub(crate) struct Last<'a> {
    /// Its command line.
    pub command: &'a str,
    /// What it printed, if that was kept.
    pub output: Option<&'a Output>,
    /// What exists now.
    pub world: &'a dyn World,
}

/// How a follow-up came out.
pub(crate) enum Follow {
    /// A command line and why; the intent.
    Command(&'static str, String, String),
    /// Understood, but it cannot be done: why, in a sentence.
    Cannot(&'static str, &'static str),
}

/// The words of a follow-up.
pub(crate) struct Said<'a> {
    /// The request, its polite words removed.
    pub request: Request<'a>,
    /// All words, lower case; quoted ones and names as they are.
    pub words: Vec<String>,
}

impl Said<'_> {
    /// Whether any of these words was said.
    pub fn has(&self, words: &[&str]) -> bool {
        self.words.iter().any(|w| words.contains(&w.as_str()))
    }

    /// Whether these words follow each other.
    pub fn phrase(&self, phrase: &[&str]) -> bool {
        self.words.windows(phrase.len()).any(|w| w.iter().zip(phrase).all(|(a, b)| a == b))
    }

    /// The first word.
    pub fn first(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }
}

/// Words in front that carry no meaning, even here.
const POLITE: &[&str] = &["please", "ok", "okay", "so", "well", "hey", "great", "thanks", "good", "nice", "right"];

/// Understands `text` as going on from the last plan; `None` where it does not.
pub fn ask(text: &str, world: &dyn World, context: &Context) -> Option<Answer> {
    let (_, plan) = context.last.as_ref()?;
    let command = plan.plan.last()?.action.text();
    let mut words: Vec<String> = text::tokenize(text).into_iter().map(|t| if t.quoted { t.raw } else { t.norm }).collect();
    while words.len() > 1 && POLITE.contains(&words[0].as_str()) {
        words.remove(0);
    }
    // A follow-up is short.
    if words.is_empty() || words.len() > 16 {
        return None;
    }
    let said = Said { request: Request::new(text, world), words };
    // Windows go back by the desktop's own history.
    if undo::asked(&said)
        && let Some(back) = crate::windows::undo_of(plan)
    {
        return Some(crate::windows::plan(back, &[], &context.risk, "follow.undo"));
    }
    let last = Last { command: &command, output: context.output.as_ref(), world };
    let follow = undo::read(&said, &last).or_else(|| again(&said, &last)).or_else(|| act::read(&said, &last)).or_else(|| refine::read(&said, &last))?;
    Some(match follow {
        Follow::Cannot(intent, why) => Answer::Missing { intent, question: why, confidence: 0.9, others: Vec::new() },
        Follow::Command(intent, command, why) => {
            let step = step(&command, &why, world, &context.risk)?;
            let plan = Plan { plan: vec![step], confidence: 0.9, source: format!("intent:{intent}") };
            Answer::Plan { best: Reading { intent, plan }, others: Vec::new() }
        }
    })
}

/// "Again", "once more", "do it again".
fn again(said: &Said<'_>, last: &Last<'_>) -> Option<Follow> {
    let filler = ["do", "run", "it", "that", "once", "more", "again", "the", "same", "thing", "command", "repeat", "one", "time", "last", "try", "redo", "please", "and", "now"];
    let cue = said.has(&["again", "repeat", "redo"]) || said.phrase(&["once", "more"]) || said.phrase(&["one", "more", "time"]) || said.phrase(&["same", "again"]);
    (cue && said.words.iter().all(|w| filler.contains(&w.as_str()))).then(|| Follow::Command("follow.again", last.command.to_owned(), "Runs the last one again.".into()))
}
