//! Typed things in a request, found by rules: quoted text, paths, extensions, sizes, times, numbers, hosts, users.
//!
//! Nothing here depends on what is asked for. Values only copy words of the request, or names that exist.

pub mod kinds;
mod measure;
mod paths;
mod time;

pub use measure::SizeTest;
pub use time::TimeTest;

use crate::text::Token;
use crate::world::World;

/// What a span of tokens is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Quoted text.
    Quoted(String),
    /// A file or directory, written as a path or existing.
    Path(String),
    /// A directory in words: "home directory", "the src folder", "here".
    Dir(String),
    /// A shell pattern such as `*.log`.
    Glob(String),
    /// A kind of file by its endings: patterns, and the word for it.
    Ext(Vec<String>, String),
    /// A comparison of sizes.
    Size(SizeTest),
    /// A comparison of times.
    Time(TimeTest),
    /// A number.
    Num(u64),
    /// A URL.
    Url(String),
    /// A host name or address.
    Host(String),
    /// The name of a user who exists.
    User(String),
}

impl Kind {
    /// The tag which stands for it in features.
    pub fn tag(&self) -> &'static str {
        match self {
            Kind::Quoted(_) => "<quoted>",
            Kind::Path(_) => "<path>",
            Kind::Dir(_) => "<dir>",
            Kind::Glob(_) => "<glob>",
            Kind::Ext(..) => "<ext>",
            Kind::Size(_) => "<size>",
            Kind::Time(_) => "<time>",
            Kind::Num(_) => "<num>",
            Kind::Url(_) => "<url>",
            Kind::Host(_) => "<host>",
            Kind::User(_) => "<user>",
        }
    }
}

/// A typed span: tokens `start..end`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// Its type and value.
    pub kind: Kind,
    /// First token.
    pub start: usize,
    /// One past the last token.
    pub end: usize,
}

/// All entities of the request, in order, without overlaps.
pub fn find(tokens: &[Token], world: &dyn World) -> Vec<Entity> {
    let mut f = Finder { tokens, world, used: vec![false; tokens.len()], out: Vec::new() };
    for (i, t) in tokens.iter().enumerate() {
        if t.quoted {
            f.take(i, i + 1, Kind::Quoted(t.raw.clone()));
        }
    }
    paths::urls_and_hosts(&mut f);
    measure::sizes(&mut f);
    time::times(&mut f);
    paths::directories(&mut f);
    paths::paths(&mut f);
    kinds::extensions(&mut f);
    measure::numbers(&mut f);
    paths::users(&mut f);
    f.out.sort_by_key(|e| e.start);
    f.out
}

/// The state while looking: which tokens are taken.
pub(crate) struct Finder<'a> {
    pub tokens: &'a [Token],
    pub world: &'a dyn World,
    pub used: Vec<bool>,
    pub out: Vec<Entity>,
}

impl Finder<'_> {
    pub fn take(&mut self, start: usize, end: usize, kind: Kind) {
        self.used[start..end].fill(true);
        self.out.push(Entity { kind, start, end });
    }

    /// The word at `i`, if there is one that is neither quoted nor taken.
    pub fn word(&self, i: usize) -> Option<&str> {
        let t = self.tokens.get(i)?;
        (!t.quoted && !self.used[i]).then_some(t.norm.as_str())
    }

    /// Whether the word at `i` is one of `words`.
    pub fn is(&self, i: usize, words: &[&str]) -> bool {
        self.word(i).is_some_and(|w| words.contains(&w))
    }

    /// Whether the words from `i` on are `phrase`.
    pub fn phrase(&self, i: usize, phrase: &[&str]) -> bool {
        phrase.iter().enumerate().all(|(k, w)| self.word(i + k) == Some(w))
    }
}
