//! A place in a request that is read from left to right.

use crate::entity::{Entity, Kind};
use crate::free::said::{Found, Said};

/// Where the reader is, and what it has yet to apply.
pub(super) struct Cursor<'a, 'r> {
    pub s: &'a Said<'r>,
    pub i: usize,
    /// "not", "except": the next test is turned round.
    pub not: bool,
    /// "or": the next test is another way to pass the last one.
    pub or: bool,
    /// "modified", "accessed": what the next time is about.
    pub verb: char,
    /// What is said next is said of names: "whose names begin with x and contain y".
    pub of_names: bool,
    /// Upper and lower case are the same in names and texts.
    pub fold: bool,
}

const ARTICLES: &[&str] = &["the", "a", "an", "all", "any", "every", "each", "my", "some", "such", "its", "their", "both", "these", "those"];

impl<'a, 'r> Cursor<'a, 'r> {
    pub fn new(s: &'a Said<'r>) -> Self {
        Cursor { s, i: 0, not: false, or: false, verb: 'm', of_names: false, fold: false }
    }

    pub fn done(&self) -> bool {
        self.i >= self.s.len()
    }

    /// Goes past what was read already and past articles.
    pub fn articles(&mut self) {
        while !self.done() && (!self.s.free(self.i) || !self.quoted() && ARTICLES.contains(&self.word())) {
            self.i += 1;
        }
    }

    pub fn word(&self) -> &'a str {
        self.s.w.get(self.i).copied().unwrap_or("")
    }

    pub fn quoted(&self) -> bool {
        self.s.quoted(self.i)
    }

    pub fn is(&self, words: &str) -> bool {
        !self.done() && !self.quoted() && words.split('|').any(|w| w == self.word())
    }

    /// The pattern at this place, not crossed off.
    pub fn peek(&self, pattern: &str) -> Option<Found> {
        self.s.at(pattern, self.i)
    }

    /// The pattern at this place, past articles; crossed off.
    pub fn eat(&mut self, pattern: &str) -> Option<Found> {
        let begin = self.i;
        self.articles();
        match self.s.at(pattern, self.i) {
            Some(f) => {
                self.s.mark(f.start, f.end);
                self.i = f.end;
                Some(f)
            }
            None => {
                self.i = begin;
                None
            }
        }
    }

    pub fn eats(&mut self, pattern: &str) -> bool {
        self.eat(pattern).is_some()
    }

    /// Whether one of these is here; crossed off.
    pub fn one_of(&mut self, patterns: &[&str]) -> bool {
        patterns.iter().any(|p| self.eats(p))
    }

    /// Crosses off the word here.
    pub fn cross(&mut self) {
        self.s.mark(self.i, self.i + 1);
        self.i += 1;
    }

    /// The entity that begins here.
    pub fn entity(&self) -> Option<&'a Entity> {
        let e = self.s.entity_at(self.i)?;
        (e.start == self.i && (e.start..e.end).all(|i| self.s.free(i))).then_some(e)
    }

    /// Takes the entity here where `f` gives a value for it.
    pub fn entity_if<T>(&mut self, f: impl Fn(&Kind) -> Option<T>) -> Option<T> {
        let e = self.entity()?;
        let value = f(&e.kind)?;
        self.s.mark(e.start, e.end);
        self.i = e.end;
        Some(value)
    }

    /// A name, a pattern or a text: quoted, or none of the words that sentences are made of.
    pub fn value(&mut self) -> Option<String> {
        let begin = self.i;
        self.articles();
        if !self.done() && self.s.free(self.i) && (self.quoted() || !small(self.word()) || self.s.raw(self.i) != self.word()) {
            let v = self.s.raw(self.i).to_owned();
            self.cross();
            return Some(v);
        }
        self.i = begin;
        None
    }

    /// A small number in figures or words.
    pub fn number(&mut self) -> Option<u64> {
        let n = self.s.number(self.i)?;
        self.cross();
        Some(n)
    }
}

/// Words that are no names.
pub(super) fn small(w: &str) -> bool {
    const SMALL: &[&str] = &[
        "the", "a", "an", "of", "in", "on", "at", "to", "for", "that", "which", "who", "whose", "is", "are", "was", "were", "be", "been", "with", "from", "by", "it", "its", "they", "them", "their", "this", "these", "those", "all", "any", "every", "each", "and", "or", "not",
        "than", "then", "but", "file", "files", "directory", "directories", "folder", "folders", "under", "below", "inside", "within", "have", "has", "having", "only", "also", "there", "where", "name", "names", "named", "called", "modified", "changed", "accessed", "created",
        "ending", "starting", "beginning", "containing", "matching", "current", "more", "less", "recursively", "lines", "line", "string", "word", "text", "pattern", "extension", "extensions", "permission", "permissions", "size", "owned", "user", "group", "print", "display",
        "show", "list", "delete", "remove", "count", "copy", "move", "into", "as", "if", "no", "without", "excluding", "except", "either", "both", "per", "sorted", "sort", "sorting", "ordered", "order", "along", "together", "including", "include", "includes", "contain", "contains", "match", "matches", "nothing", "something", "anything", "everything", "case", "insensitive", "sensitive", "here", "where", "when", "while", "using", "via", "respectively", "separated", "found", "located", "larger", "smaller", "bigger", "greater", "newer", "older", "least", "most", "between", "after", "before", "since", "ago", "day", "days", "excluded", "first", "last", "alphabetically", "argument", "arguments", "parameter", "path", "paths", "pathname", "pathnames", "basename", "another", "rooted", "residing", "stored", "existing", "present", "one", "hidden", "readable", "writable", "executable", "empty", "can", "do", "does", "did", "other", "others", "following",
    ];
    SMALL.contains(&w)
}
