//! Requests put together of parts: rows and columns of tables, what is done to each of many files, output that goes into a file.
//!
//! Rules with narrow cues, for what the classifier has no class for. Slots are filled as everywhere: they copy the request's words.

use crate::catalogue::Built;
use crate::entity::Kind;
use crate::request::Request;
use crate::world::{Exists, World};

mod admin;
mod lines;
mod names;
mod sets;
mod tables;

pub(super) type Made = Option<(Built, f32)>;

pub(super) struct Parts<'a> {
    pub r: &'a Request<'a>,
    /// Its words, corrected; and as typed.
    pub w: Vec<&'a str>,
    pub typed: Vec<String>,
}

pub(super) fn made(command: String, why: impl Into<String>) -> Made {
    Some((Built { command, why: why.into() }, 0.85))
}

impl Parts<'_> {
    pub fn has(&self, words: &[&str]) -> bool {
        self.r.has(words) || self.typed.iter().any(|t| words.contains(&t.as_str()))
    }

    pub fn phrase(&self, phrase: &str) -> bool {
        let p: Vec<&str> = phrase.split(' ').collect();
        self.w.windows(p.len()).any(|w| w == p) || self.typed.windows(p.len()).any(|w| w == p)
    }

    pub fn any(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|p| self.phrase(p))
    }

    /// The files that are named one by one.
    pub fn files(&self) -> Vec<String> {
        let listed = |e: &crate::entity::Entity| match &e.kind {
            Kind::Path(p) if self.r.world.exists(p) != Some(Exists::Dir) => Some(p.clone()),
            _ => None,
        };
        self.r.entities.iter().filter_map(listed).collect()
    }

    pub fn file(&self) -> Option<String> {
        let files = self.files();
        match &files[..] {
            [one] => Some(one.clone()),
            _ => None,
        }
    }

    /// The first number that is written as a word of its own after one of `cues`.
    pub fn number_near(&self, cues: &[&str]) -> Option<u64> {
        let at = self.r.position(cues)?;
        let value = |i: usize| ordinal(self.w.get(i)?);
        value(at + 1).or_else(|| at.checked_sub(1).and_then(value)).or_else(|| if self.w.get(at + 1) == Some(&"number") { value(at + 2) } else { None })
    }

    /// A text to look for: quoted, else the word after one of `cues`.
    pub fn text_after(&self, cues: &[&str]) -> Option<String> {
        if let Some(q) = self.r.entities.iter().find_map(|e| if let Kind::Quoted(q) = &e.kind { Some(q.clone()) } else { None }) {
            return Some(q);
        }
        let mut i = self.r.position(cues)? + 1;
        while self.w.get(i).is_some_and(|w| matches!(*w, "the" | "a" | "word" | "text" | "with" | "in" | "string" | "line" | "of" | "letters" | "letter")) {
            i += 1;
        }
        // "with the letter a": the last word is the text, whatever it is.
        let i = if i == self.w.len() { i - 1 } else { i };
        self.r.tokens.get(i).map(|t| t.raw.clone())
    }

    /// A word for a kind of file, with "files" or a dot.
    pub fn many_named(&self) -> bool {
        self.typed.iter().any(|t| t.starts_with("*.") || t.starts_with('.') && t.len() > 1)
    }

    pub fn many(&self) -> bool {
        self.r.entities.iter().any(|e| matches!(e.kind, Kind::Ext(..) | Kind::Glob(_)))
    }
}

pub(super) fn ordinal(w: &str) -> Option<u64> {
    let digits = w.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let suffix = &w[digits.len()..];
    if matches!(suffix, "" | "st" | "nd" | "rd" | "th") && !digits.is_empty() {
        return digits.parse().ok();
    }
    ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"].iter().position(|o| *o == w).map(|n| n as u64 + 1)
}

/// "save the sorted lines of x to y": what is asked for, and the file it goes to.
pub fn redirected(r: &Request<'_>) -> Option<(String, String)> {
    let first = r.tokens.first()?.norm.as_str();
    if !matches!(first, "save" | "write" | "store" | "put" | "output" | "dump" | "sort" | "redirect") {
        return None;
    }
    // A text to write is no question.
    if r.tokens.get(1).is_some_and(|t| t.quoted) || r.tokens.iter().any(|t| t.quoted && t.raw.contains(' ')) {
        return None;
    }
    let at = (1..r.tokens.len()).rev().find(|&i| matches!(r.tokens[i].norm.as_str(), "to" | "into" | "in" | "as"))?;
    let rest = &r.tokens[at + 1..];
    let rest: Vec<_> = rest.iter().filter(|t| !matches!(t.norm.as_str(), "the" | "a" | "file" | "new" | "called" | "named")).collect();
    let [name] = rest[..] else { return None };
    // A new file: what exists is not overwritten.
    if r.world.exists(&name.raw).is_some() || !name.raw.contains('.') || name.raw.contains(['*', '?']) {
        return None;
    }
    let mut words: Vec<String> = r.tokens[..at].iter().map(|t| if t.quoted { format!("\"{}\"", t.raw) } else { t.raw.clone() }).collect();
    if first == "sort" {
        while words.last().is_some_and(|w| matches!(w.as_str(), "store" | "and" | "save" | "write" | "then" | "it" | "them")) {
            words.pop();
        }
    } else {
        words[0] = "show".into();
    }
    if let Some(last) = words.last_mut() {
        *last = last.trim_end_matches(',').to_owned();
    }
    (words.len() > 1).then(|| (words.join(" "), name.raw.clone()))
}

/// "create a folder x and move the csv files into it": what is made, and what is asked for then.
pub fn made_first(r: &Request<'_>) -> Option<(String, String)> {
    let w: Vec<&str> = r.tokens.iter().map(|t| t.norm.as_str()).collect();
    let dir = w.iter().position(|w| matches!(*w, "folder" | "directory" | "dir")).filter(|d| *d <= 3 && matches!(w.first(), Some(&("create" | "make" | "mkdir"))))?;
    let name = (dir + 1..w.len()).find(|&i| !matches!(w[i], "called" | "named" | "with" | "the" | "name"))?;
    // "... inside docs".
    let below = (name + 1..w.len()).find(|&i| matches!(w[i], "in" | "inside" | "under" | "within" | "below")).filter(|at| *at == name + 1).and_then(|at| (at + 1..w.len()).find(|&i| !matches!(w[i], "the" | "my" | "folder" | "directory")));
    let last_of_name = match below {
        Some(b) if w.get(b + 1).is_some_and(|w| matches!(*w, "folder" | "directory")) => b + 1,
        Some(b) => b,
        None => name,
    };
    let and = (last_of_name + 1..w.len()).find(|&i| matches!(w[i], "and" | "then")).filter(|a| *a == last_of_name + 1)?;
    let verb = (and + 1..w.len()).find(|&i| w[i] != "then")?;
    if !matches!(w[verb], "move" | "copy" | "put") || !matches!(w.last(), Some(&("it" | "there"))) {
        return None;
    }
    let mut made = r.tokens[name].raw.clone();
    if let Some(b) = below {
        let parent = r.tokens[b].raw.trim_end_matches('/');
        if parent != "." && !matches!(w[b], "here" | "this" | "current") {
            if r.world.exists(parent) != Some(Exists::Dir) {
                return None;
            }
            made = format!("{parent}/{made}");
        }
    }
    let mut words: Vec<String> = r.tokens[verb..].iter().map(|t| if t.quoted { format!("\"{}\"", t.raw) } else { t.raw.clone() }).collect();
    let last = words.pop()?;
    if last == "there" || !matches!(words.last().map(String::as_str), Some("to" | "into" | "in" | "inside")) {
        words.push("to".into());
    }
    // "the folder x": it is not there yet, so that it must be said to be one.
    words.push(format!("{made}/"));
    Some((made, words.join(" ")))
}

/// A command line for a request of these kinds, and how sure it is.
pub fn compose(text: &str, world: &dyn World) -> Option<(Built, f32)> {
    let r = Request::new(text, world);
    if r.tokens.is_empty() || r.tokens.len() > 30 {
        return None;
    }
    let typed = r.tokens.iter().map(|t| if t.quoted { String::new() } else { t.raw.to_lowercase() }).collect();
    let p = Parts { r: &r, w: r.tokens.iter().map(|t| if t.quoted { "" } else { t.norm.as_str() }).collect(), typed };
    let stages: [fn(&Parts<'_>) -> Made; 9] = [admin::services, admin::settings, tables::tables, lines::pairs, lines::lines_of, sets::search, names::names, sets::sets, sets::languages];
    stages.into_iter().find_map(|stage| {
        r.reset();
        stage(&p)
    })
}
