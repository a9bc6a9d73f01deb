//! A request whose words are crossed off one by one: what nothing has crossed off in the end was not understood.

use std::cell::RefCell;

use crate::entity::{Entity, Kind};
use crate::request::Request;
use crate::world::{Exists, World};

/// Words that say nothing by themselves.
const EMPTY: &[&str] = &[
    "the", "a", "an", "of", "in", "on", "at", "to", "for", "that", "which", "who", "whose", "is", "are", "was", "were", "be", "with", "from", "by", "it", "its", "they", "them", "their", "this", "these", "those", "all",
    "any", "every", "each", "me", "my", "i", "you", "there", "please", "print", "show", "display", "list", "output", "find", "get", "give", "what", "and", "then", "also", "so", "as", "just", "using", "use", "bash",
    "shell", "command", "do", "does", "have", "has", "had", "been", "tell", "see", "want", "need", "would", "like", "how", "calculate", "compute", "determine", "report", "search", "locate", "look", "check", "identify", "return", "system", "machine", "computer", "currently", "current",
    "here", "found", "exist", "exists", "named", "called", "name", "together", "along", "am", "will", "should", "can", "could", "one", "if", "where", "when", "via", "into", "up", "out", "located", "residing", "content", "contents", "text", "item", "items", "result", "results", "regular", "ones", "let", "us", "know", "inside", "within", "both", "take", "listed", "contained", "stored", "recorded", "requested",
];

const ARTICLES: &[&str] = &["the", "a", "an", "its", "their", "all", "just", "very", "only", "my"];

/// Where a pattern was found, and the tokens that its `$` and `#` stand for.
pub(super) struct Found {
    pub start: usize,
    pub end: usize,
    pub at: Vec<usize>,
}

/// The words, and which of them are accounted for.
pub(super) struct Said<'a> {
    pub r: &'a Request<'a>,
    /// As rules compare them; nothing for quoted ones.
    pub w: Vec<&'a str>,
    /// As typed, small.
    pub typed: Vec<String>,
    /// Words that only explain their neighbours: "the city (column 3)".
    gloss: Vec<bool>,
    /// What stands in brackets and speaks of columns.
    bracket: Vec<bool>,
    /// "in code", "from text": directories whose names are words, which no pattern is to take for words.
    places: Vec<bool>,
    used: RefCell<Vec<bool>>,
}

/// "city (column 3)", "(column 2 is the age)": the words that a number of a column makes superfluous.
fn glosses(r: &Request<'_>, w: &[&str], typed: &[String]) -> (Vec<bool>, Vec<bool>) {
    const COLUMN: &[&str] = &["column", "field", "columns", "fields", "col"];
    let mut out = vec![false; w.len()];
    let mut inside = vec![false; w.len()];
    let lower = r.text.to_lowercase();
    let brackets = lower.split('(').skip(1).filter_map(|g| g.split(')').next());
    let clauses = lower.split(", which is ").skip(1).filter_map(|g| g.split([',', ';']).next());
    let clause = lower.contains(", which is ");
    for group in brackets.chain(clauses) {
        let inner: Vec<String> = group.split_whitespace().map(|x| x.trim_matches(|c: char| c.is_ascii_punctuation()).to_lowercase()).collect();
        if inner.is_empty() || !inner.iter().any(|x| COLUMN.contains(&x.as_str())) {
            continue;
        }
        let Some(start) = (0..typed.len()).find(|&i| typed.len() >= i + inner.len() && typed[i..i + inner.len()] == inner[..]) else { continue };
        // Past the column and its number: what it is.
        let end = start + inner.len();
        inside[start..end].fill(true);
        let is = (start..end).find(|&i| matches!(w[i], "is" | "holds" | "contains" | "has" | "being" | "are"));
        if let Some(is) = is {
            out[is..end].fill(true);
        }
        let mut k = start;
        while clause && k > 0 && matches!(w[k - 1], "which" | "is" | "the") {
            k -= 1;
            out[k] = true;
        }
        // "log levels": at most two words.
        for _ in 0..2 {
            let plain = k > 0 && !r.tokens[k - 1].quoted && r.entity_at(k - 1).is_none() && !matches!(w[k - 1], "distinct" | "unique" | "different" | "the" | "of" | "by" | "each" | "every" | "all" | "and" | "or" | "in" | "per" | "than" | "is" | "for" | "then");
            if plain {
                k -= 1;
                out[k] = true;
            }
        }
    }
    (out, inside)
}

impl<'a> Said<'a> {
    pub fn new(r: &'a Request<'a>) -> Self {
        let w: Vec<&str> = r.tokens.iter().map(|t| if t.quoted { "" } else { t.norm.as_str() }).collect();
        let typed: Vec<String> = r.tokens.iter().map(|t| if t.quoted { String::new() } else { t.raw.to_lowercase() }).collect();
        let (gloss, bracket) = glosses(r, &w, &typed);
        let opens = |i: usize| matches!(w[i], "in" | "from" | "under" | "inside" | "within" | "below" | "beneath");
        let places = (0..w.len())
            .map(|i| {
                let before = (0..i).rev().find(|&k| !matches!(w[k], "the" | "my"));
                before.is_some_and(opens) && r.world.exists(&r.tokens[i].raw) == Some(Exists::Dir) && !w.get(i + 1).is_some_and(|w| matches!(*w, "file" | "files"))
            })
            .collect();
        Said { r, w, typed, gloss, bracket, places, used: RefCell::new(vec![false; r.tokens.len()]) }
    }

    pub fn len(&self) -> usize {
        self.w.len()
    }

    pub fn world(&self) -> &dyn World {
        self.r.world
    }

    pub fn raw(&self, i: usize) -> &str {
        &self.r.tokens[i].raw
    }

    pub fn free(&self, i: usize) -> bool {
        i < self.len() && !self.used.borrow()[i]
    }

    pub fn mark(&self, start: usize, end: usize) {
        let end = end.min(self.len());
        self.used.borrow_mut()[start..end].fill(true);
    }

    /// Takes the crossing off of words back.
    pub fn unmark(&self, start: usize, end: usize) {
        let end = end.min(self.len());
        self.used.borrow_mut()[start..end].fill(false);
    }

    pub fn marks(&self) -> Vec<bool> {
        self.used.borrow().clone()
    }

    pub fn restore(&self, marks: Vec<bool>) {
        *self.used.borrow_mut() = marks;
    }

    /// What nothing has accounted for.
    pub fn left(&self) -> Vec<usize> {
        (0..self.len()).filter(|&i| self.free(i) && !self.gloss[i] && (self.r.tokens[i].quoted || !EMPTY.contains(&self.w[i]))).collect()
    }

    fn word_is(&self, i: usize, word: &str) -> bool {
        !self.r.tokens[i].quoted && !self.places[i] && (self.w[i] == word || self.typed[i] == word)
    }

    fn fits(&self, element: &str, i: usize) -> bool {
        if !self.free(i) {
            return false;
        }
        match element {
            // An article is no name, but the letter a is a letter.
            "$" => self.r.tokens[i].quoted || !matches!(self.w[i], "a" | "an" | "the") || i > 0 && matches!(self.w[i - 1], "letter" | "character" | "named" | "called"),
            "#" => self.number(i).is_some(),
            _ => element.split('|').any(|e| self.word_is(i, e)),
        }
    }

    fn match_from(&self, elements: &[&str], i: usize, first: bool, at: &mut Vec<usize>) -> Option<usize> {
        let Some((element, rest)) = elements.split_first() else { return Some(i) };
        let (element, optional) = match element.strip_suffix('?') {
            Some(e) => (e, true),
            None => (*element, false),
        };
        let mut k = i;
        loop {
            if self.fits(element, k) {
                let captures = matches!(element, "$" | "#");
                if captures {
                    at.push(k);
                }
                if let Some(end) = self.match_from(rest, k + 1, false, at) {
                    return Some(end);
                }
                if captures {
                    at.pop();
                }
            }
            // A file's name in between was read already.
            let parted = |k: usize| self.w[k].ends_with("-separated") || self.w[k].ends_with("-delimited");
            let named = k < self.len() && !self.free(k) && !first && (self.r.entity_at(k).is_some_and(|e| matches!(e.kind, Kind::Path(_))) || parted(k) || self.bracket[k]);
            if named {
                k += 1;
                continue;
            }
            // "the commas in x.csv to tabs": so was what stands before it.
            let told = |i: usize| i < self.len() && !self.free(i) && self.r.entity_at(i).is_some_and(|e| matches!(e.kind, Kind::Path(_)));
            if !first && k + 1 < self.len() && self.free(k) && matches!(self.w[k], "in" | "from" | "of" | "inside" | "within") && told(k + 1) {
                k += 2;
                continue;
            }
            if first || k >= self.len() || !self.free(k) || self.r.tokens[k].quoted || !ARTICLES.contains(&self.w[k]) && !self.gloss[k] {
                break;
            }
            k += 1;
        }
        if optional { self.match_from(rest, i, first, at) } else { None }
    }

    /// Where `pattern` is, nothing crossed off. Words apart by blanks: `a|b` one of them, `a?` may be missing, `$` any word, `#` a number; articles in between do not matter.
    pub fn look(&self, pattern: &str) -> Option<Found> {
        let elements: Vec<&str> = pattern.split(' ').collect();
        self.look_at(&elements, 0)
    }

    /// The pattern from token `i` on.
    pub fn at(&self, pattern: &str, i: usize) -> Option<Found> {
        let elements: Vec<&str> = pattern.split(' ').collect();
        let mut at = Vec::new();
        let end = self.match_from(&elements, i, true, &mut at)?;
        (end > i).then_some(Found { start: i, end, at })
    }

    pub fn quoted(&self, i: usize) -> bool {
        self.r.tokens.get(i).is_some_and(|t| t.quoted)
    }

    pub fn look_at(&self, elements: &[&str], from: usize) -> Option<Found> {
        (from..self.len()).find_map(|start| {
            let mut at = Vec::new();
            let end = self.match_from(elements, start, true, &mut at)?;
            (end > start).then_some(Found { start, end, at })
        })
    }

    /// The same, crossed off.
    pub fn take(&self, pattern: &str) -> Option<Found> {
        let found = self.look(pattern)?;
        self.mark(found.start, found.end);
        Some(found)
    }

    /// The same, crossed off only where `fits`.
    pub fn take_if(&self, pattern: &str, fits: impl FnOnce(&Found) -> bool) -> Option<Found> {
        let found = self.look(pattern).filter(fits)?;
        self.mark(found.start, found.end);
        Some(found)
    }

    /// Crosses off the first of `patterns` that is there.
    pub fn any(&self, patterns: &[&str]) -> bool {
        patterns.iter().any(|p| self.take(p).is_some())
    }

    /// Crosses off all of `patterns` that are there.
    pub fn each(&self, patterns: &[&str]) -> bool {
        let mut hit = false;
        for p in patterns {
            while self.take(p).is_some() {
                hit = true;
            }
        }
        hit
    }

    pub fn has(&self, words: &[&str]) -> bool {
        (0..self.len()).any(|i| words.iter().any(|w| self.word_is(i, w)))
    }

    pub fn first(&self) -> &str {
        self.w.first().copied().unwrap_or("")
    }

    /// `3`, `3rd`, `third`.
    pub fn number(&self, i: usize) -> Option<u64> {
        if self.r.tokens.get(i)?.quoted {
            return None;
        }
        let w = self.w[i];
        crate::compose::ordinal(w).or(match w {
            "tenth" => Some(10),
            _ => None,
        })
    }

    /// Takes the first free entity for which `f` gives a value.
    pub fn entity<T>(&self, f: impl Fn(&Entity) -> Option<T>) -> Option<T> {
        let e = self.r.entities.iter().find(|e| (e.start..e.end).all(|i| self.free(i)) && f(e).is_some())?;
        self.mark(e.start, e.end);
        f(e)
    }

    pub fn entity_at(&self, i: usize) -> Option<&Entity> {
        self.r.entity_at(i)
    }

    /// How many paths are named.
    pub fn paths(&self) -> usize {
        self.r.entities.iter().filter(|e| matches!(e.kind, Kind::Path(_)) && self.free(e.start)).count()
    }

    /// The regular files that are named and not yet crossed off, in their order; crossed off.
    pub fn files(&self) -> Vec<String> {
        let mut out = Vec::new();
        for i in 0..self.len() {
            if !self.free(i) {
                continue;
            }
            let raw = self.raw(i);
            // "whose shell is /bin/bash": what a field is to be.
            if !out.is_empty() && i > 0 && matches!(self.w[i - 1], "is" | "equals") && self.has(&["whose", "where"]) {
                continue;
            }
            let path = match self.entity_at(i).map(|e| &e.kind) {
                Some(Kind::Path(p)) if self.world().exists(p) != Some(Exists::Dir) => Some(p.clone()),
                Some(Kind::Quoted(q)) if self.world().exists(q) == Some(Exists::File) => Some(q.clone()),
                Some(Kind::Ext(..) | Kind::Dir(_) | Kind::Time(_) | Kind::Size(_)) => None,
                // A common word may only be a name where it stands for one.
                _ if self.world().exists(raw) == Some(Exists::File) && (i > 0 && matches!(self.w[i - 1], "file" | "of" | "in" | "link" | "from" | "called" | "named" | "script")) => Some(raw.to_owned()),
                _ => None,
            };
            if let Some(p) = path {
                self.mark(i, i + 1);
                out.push(p);
            }
        }
        self.each(&["file", "files", "in file|files"]);
        out
    }

    /// A directory that is named, crossed off with what announces it.
    pub fn dir(&self) -> Option<String> {
        for i in 0..self.len() {
            if !self.free(i) || self.r.tokens[i].quoted && self.world().exists(self.raw(i)) != Some(Exists::Dir) {
                continue;
            }
            let (path, start, end) = match self.entity_at(i).map(|e| (&e.kind, e.start, e.end)) {
                Some((Kind::Dir(d), s, e)) => (d.clone(), s, e),
                Some((Kind::Path(p), s, e)) if self.world().exists(p) == Some(Exists::Dir) || p.starts_with('/') && !p.rsplit('/').next().unwrap_or("").contains('.') && self.world().exists(p).is_none() => (p.clone(), s, e),
                Some((Kind::Quoted(q), s, e)) if self.world().exists(q) == Some(Exists::Dir) => (q.clone(), s, e),
                Some((Kind::Path(_) | Kind::Quoted(_) | Kind::Glob(_), ..)) => continue,
                _ if i > 0 && self.world().exists(self.raw(i)) == Some(Exists::Dir) && !crate::vocabulary::is_common(self.w[i]) => (self.raw(i).to_owned(), i, i + 1),
                _ if i > 0 && self.world().exists(self.raw(i)) == Some(Exists::Dir) && matches!(self.w[i - 1], "in" | "under" | "below" | "inside" | "within" | "from" | "of" | "to" | "into" | "directory" | "folder") => (self.raw(i).to_owned(), i, i + 1),
                _ => continue,
            };
            self.mark(start, end);
            if self.free(end) && matches!(self.w[end], "directory" | "folder" | "dir" | "tree") {
                self.mark(end, end + 1);
            }
            // "the directory src", "under src".
            let mut k = start;
            while k > 0 && self.free(k - 1) && (ARTICLES.contains(&self.w[k - 1]) || matches!(self.w[k - 1], "directory" | "folder" | "dir" | "in" | "under" | "below" | "inside" | "within" | "from" | "of" | "beneath" | "at" | "on" | "path" | "entire" | "whole")) {
                k -= 1;
                self.mark(k, k + 1);
            }
            return Some(path);
        }
        None
    }

    /// What the token at `i` stands for as a text: a quoted text, the name of a character, or the word itself.
    pub fn text(&self, i: usize) -> String {
        let t = &self.r.tokens[i];
        if t.quoted {
            return t.raw.clone();
        }
        character(&t.norm).map_or_else(|| t.raw.clone(), str::to_owned)
    }

    /// A word for what files have beside their text: "the mode of x" is no text in it.
    pub fn is_property(&self, i: usize) -> bool {
        !self.r.tokens[i].quoted && matches!(self.w[i], "mode" | "modes" | "permission" | "permissions" | "owner" | "group" | "ownership" | "name" | "names" | "extension" | "suffix" | "time" | "timestamp" | "date" | "rights" | "access" | "encoding" | "endings" | "modification" | "title" | "user")
    }

    /// A word that may be a text to look for: quoted, or none of the small words.
    pub fn is_text(&self, i: usize) -> bool {
        self.r.tokens[i].quoted || !(EMPTY.contains(&self.w[i]) && self.raw(i) == self.w[i]) && !matches!(self.w[i], "lines" | "files" | "file" | "line" | "not" | "no" | "only" | "or" | "filenames" | "filename" | "names" | "directories" | "folders" | "directory" | "folder" | "did" | "times" | "per" | "least" | "more" | "than" | "about" | "anything" | "everything" | "including" | "excluding" | "except" | "besides")
    }
}

/// The character that a word names.
pub(super) fn character(word: &str) -> Option<&'static str> {
    Some(match word {
        "comma" | "commas" => ",",
        "semicolon" | "semicolons" => ";",
        "colon" | "colons" => ":",
        "tab" | "tabs" | "tabulator" | "tabulators" => "\t",
        "space" | "spaces" | "blank" | "blanks" => " ",
        "newline" | "newlines" | "linebreak" | "linebreaks" => "\n",
        "dash" | "dashes" | "hyphen" | "hyphens" | "minus" => "-",
        "underscore" | "underscores" => "_",
        "slash" | "slashes" => "/",
        "dot" | "dots" | "period" | "periods" => ".",
        "pipe" | "pipes" => "|",
        "equals" => "=",
        "hash" | "hashes" => "#",
        "nothing" => "",
        _ => return None,
    })
}
