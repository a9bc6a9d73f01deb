//! What can be asked for: each intent with the code that makes its command line from the request's slots.

mod archives;
mod files;
pub(crate) mod filter;
mod network;
mod packages;
mod processes;
mod shell;
mod system;
mod texts;
mod users;

use crate::request::Request;

/// A command line made for a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The command line.
    pub command: String,
    /// One line: what it does for the request.
    pub why: String,
}

/// Why no command line could be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfilled {
    /// Something needed was not said: the question to ask back.
    #[error("{0}")]
    Missing(&'static str),
    /// The words of the request cannot mean this.
    #[error("it cannot mean that")]
    Impossible,
}

/// The outcome of building.
pub type Outcome = Result<Built, Unfilled>;

/// One thing that can be asked for.
pub struct Intent {
    /// Its name, `domain.action`.
    pub id: &'static str,
    /// What it does, for the list of all.
    pub about: &'static str,
    /// A request that means it.
    pub example: &'static str,
    /// Makes the command line.
    pub build: fn(&Request<'_>) -> Outcome,
}

/// A built command line.
pub(crate) fn built(command: impl Into<String>, why: impl Into<String>) -> Outcome {
    Ok(Built { command: command.into(), why: why.into() })
}

/// All intents, by domain.
pub fn all() -> impl Iterator<Item = &'static Intent> {
    [files::INTENTS, archives::INTENTS, texts::INTENTS, processes::INTENTS, system::INTENTS, network::INTENTS, users::INTENTS, packages::INTENTS, shell::INTENTS]
        .into_iter()
        .flatten()
}

/// The intent of that name.
pub fn get(id: &str) -> Option<&'static Intent> {
    all().find(|i| i.id == id)
}

/// The first of `commands` whose program exists; the first one where none does.
pub(crate) fn first_available(r: &Request<'_>, commands: &[(&str, String)]) -> String {
    commands.iter().find(|(p, _)| r.world.has_command(p)).unwrap_or(&commands[0]).1.clone()
}

/// Where something lies whose name is changed: what is only a name stays in the directory of the old one.
pub(crate) fn beside(old: &str, new: &str) -> String {
    match old.trim_end_matches('/').rsplit_once('/') {
        Some((dir, _)) if !new.contains('/') && !new.starts_with('~') => format!("{dir}/{new}"),
        _ => new.to_owned(),
    }
}
