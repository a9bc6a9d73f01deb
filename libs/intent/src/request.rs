//! A request, analysed: tokens, entities, and the means to take slots out of it.
//!
//! Builders ask for what they need (a file, a pattern, two places); what they took is remembered, so that a reading
//! which leaves a size or a quoted text unused can be told from one that accounts for all that was said.

use std::cell::RefCell;

use crate::entity::{self, Entity, Kind};
use crate::text::{self, Token};
use crate::vocabulary;
use crate::world::{Exists, World};

/// The analysed request.
pub struct Request<'a> {
    /// The request as typed.
    pub text: String,
    /// Its tokens, polite words removed, typos in `norm` corrected.
    pub tokens: Vec<Token>,
    /// Typed spans.
    pub entities: Vec<Entity>,
    /// What exists.
    pub world: &'a dyn World,
    used: RefCell<Vec<bool>>,
}

/// Words that stand between a preposition and the name that follows.
const FILLERS: &[&str] = &[
    "the", "a", "an", "my", "this", "that", "file", "files", "folder", "directory", "dir", "called", "named", "name", "new", "user", "group", "of", "document", "script", "these", "those", "all", "it", "be",
    "process", "program", "command", "package", "archive", "filename", "subdirectory", "subfolder", "job", "app", "application", "service", "tool", "variable", "environment", "symlink", "link", "is", "pid", "id", "text", "existing", "your", "host", "server", "daemon", "utility",
];

/// Words of the language that the vocabulary, which is made from requests, may not hold: a rule reads them, and what looks like them is not meant.
const NOT_TYPOS: &[&str] = &[
    "directly", "vowels", "vowel", "digits", "median", "mean", "average", "trailing", "leading", "distinct", "nested", "most", "least", "tabs", "commas", "colons", "semicolons", "dashes", "hyphens", "underscores", "spaces", "blanks", "separated",
    "delimited", "squeeze", "wrap", "indent", "prefix", "suffix", "uppercase", "lowercase", "octal", "hex", "binary", "inode", "epoch", "weekday", "numerically", "descending", "ascending", "rows", "odd", "even", "punctuation", "followed", "preceded", "except",
    "excluding", "duplicates", "consecutive", "intersection", "modulo", "hexadecimal", "tally", "suid", "sgid", "setuid", "setgid", "sticky", "regex", "dangling", "inode", "inodes", "hierarchy", "symlinks", "mentions", "mention", "mentioning", "reversed", "backwards",
];

impl<'a> Request<'a> {
    /// Analyses `text`.
    pub fn new(text: &str, world: &'a dyn World) -> Self {
        let mut tokens = text::strip_politeness(text::tokenize(text));
        for t in &mut tokens {
            if !t.quoted
                && t.raw.bytes().all(|b| b.is_ascii_alphabetic())
                && world.exists(&t.raw).is_none()
                && !NOT_TYPOS.contains(&t.norm.as_str())
                && let Some(c) = vocabulary::get().correct(&t.norm)
            {
                // An existing program or user of that name is no typo.
                if !(world.is_user(&t.norm) || known_program(&t.norm)) {
                    t.norm = c.to_owned();
                }
            }
        }
        let entities = entity::find(&tokens, world);
        let used = RefCell::new(vec![false; tokens.len()]);
        Request { text: text.trim().to_owned(), tokens, entities, world, used }
    }

    /// Forgets what was taken.
    pub fn reset(&self) {
        self.used.borrow_mut().fill(false);
    }

    /// Remembers that tokens `start..end` are accounted for.
    pub fn mark(&self, start: usize, end: usize) {
        self.used.borrow_mut()[start..end].fill(true);
    }

    fn is_used(&self, i: usize) -> bool {
        self.used.borrow()[i]
    }

    /// The entities that nothing has taken yet.
    pub fn unused_entities(&self) -> Vec<&Entity> {
        self.entities.iter().filter(|e| !(e.start..e.end).any(|i| self.is_used(i))).collect()
    }

    /// Words that are neither known nor part of an entity, and that nothing took: probably names.
    pub fn unknown_words(&self) -> Vec<usize> {
        (0..self.tokens.len()).filter(|&i| !self.is_used(i) && self.entity_at(i).is_none() && self.is_unknown(i)).collect()
    }

    /// Its spelling was corrected: perhaps it was a name after all.
    fn was_corrected(&self, i: usize) -> bool {
        let t = &self.tokens[i];
        !t.quoted && t.raw.to_lowercase() != t.norm && t.raw.bytes().all(|b| b.is_ascii_alphabetic()) && t.norm.bytes().all(|b| b.is_ascii_lowercase())
    }

    fn is_unknown(&self, i: usize) -> bool {
        let t = &self.tokens[i];
        !t.quoted && !vocabulary::is_common(&t.norm) && !vocabulary::is_common(&text::stem(&t.norm)) && !t.norm.bytes().all(|b| b.is_ascii_digit())
    }

    /// The entity that covers token `i`.
    pub fn entity_at(&self, i: usize) -> Option<&Entity> {
        self.entities.iter().find(|e| (e.start..e.end).contains(&i))
    }

    /// Whether any of `words` is in the request (outside of quotes).
    pub fn has(&self, words: &[&str]) -> bool {
        self.tokens.iter().any(|t| !t.quoted && words.contains(&t.norm.as_str()))
    }

    /// Whether `phrase` is in the request.
    pub fn has_phrase(&self, phrase: &[&str]) -> bool {
        self.tokens.windows(phrase.len()).any(|w| w.iter().zip(phrase).all(|(t, p)| !t.quoted && t.norm == *p))
    }

    /// Position of the first of `words`.
    pub fn position(&self, words: &[&str]) -> Option<usize> {
        self.tokens.iter().position(|t| !t.quoted && words.contains(&t.norm.as_str()))
    }

    /// Takes the first unused entity for which `f` gives a value.
    pub fn take<T>(&self, f: impl Fn(&Kind) -> Option<T>) -> Option<T> {
        let e = self.entities.iter().find(|e| !self.is_used(e.start) && f(&e.kind).is_some())?;
        self.mark(e.start, e.end);
        f(&e.kind)
    }

    /// A quoted text.
    pub fn quoted(&self) -> Option<String> {
        self.take(|k| if let Kind::Quoted(q) = k { Some(q.clone()) } else { None })
    }

    /// A number.
    pub fn num(&self) -> Option<u64> {
        self.take(|k| if let Kind::Num(n) = k { Some(*n) } else { None })
    }

    /// A host: an address, a name with a known ending.
    pub fn host(&self) -> Option<String> {
        self.take(|k| match k {
            Kind::Host(h) => Some(h.clone()),
            Kind::Url(u) => u.split("://").nth(1).and_then(|r| r.split('/').next()).map(str::to_owned),
            _ => None,
        })
        .or_else(|| self.name(&["host", "server", "machine", "ping", "to", "of", "for", "reach", "resolve"]))
    }

    /// A URL.
    pub fn url(&self) -> Option<String> {
        self.take(|k| match k {
            Kind::Url(u) | Kind::Host(u) => Some(u.clone()),
            _ => None,
        })
    }

    /// A user who exists, or the word after "user".
    pub fn user(&self) -> Option<String> {
        self.take(|k| if let Kind::User(u) = k { Some(u.clone()) } else { None }).or_else(|| self.name(&["user", "account", "named", "called", "username", "login"]))
    }

    /// A directory, where one is said: "in X", "X folder", or an existing directory's name.
    pub fn dir(&self) -> Option<String> {
        let found = self.take(|k| match k {
            Kind::Dir(d) => Some(d.clone()),
            Kind::Path(p) if self.world.exists(p) == Some(Exists::Dir) || (p.starts_with('/') && !p.rsplit('/').next().unwrap_or("").contains('.') && self.world.exists(p).is_none()) => Some(p.clone()),
            _ => None,
        });
        found.or_else(|| {
            // "in src": an unknown word after a preposition of place that exists, or that is said to be a folder.
            let i = (0..self.tokens.len()).find(|&i| {
                matches!(self.tokens[i].norm.as_str(), "in" | "inside" | "under" | "within" | "below" | "of" | "from" | "at" | "beneath" | "into" | "to")
                    && self.skip_fillers(i + 1).is_some_and(|k| !self.is_used(k) && self.existing_dir(k).is_some())
            })?;
            let k = self.skip_fillers(i + 1)?;
            let d = self.existing_dir(k);
            self.mark(k, k + 1);
            d
        })
        .or_else(|| {
            // "directories docs and data": common words that exist.
            let i = (0..self.tokens.len()).find(|&i| {
                !self.is_used(i) && self.entity_at(i).is_none() && i > 0 && matches!(self.tokens[i - 1].norm.as_str(), "directories" | "folders" | "and" | "folder" | "directory") && self.existing_dir(i).is_some()
            })?;
            self.mark(i, i + 1);
            self.existing_dir(i)
        })
        .or_else(|| {
            // "the folder foo", whether it exists or not.
            let i = self.position(&["folder", "directory", "dir", "subdirectory", "subfolder"])?;
            let t = self.tokens.get(i + 1)?;
            (self.entity_at(i + 1).is_none() && !self.is_used(i + 1) && self.is_unknown(i + 1)).then(|| {
                self.mark(i, i + 2);
                t.raw.clone()
            })
        })
    }

    fn existing_dir(&self, i: usize) -> Option<String> {
        let raw = &self.tokens.get(i)?.raw;
        if self.world.exists(raw) == Some(Exists::Dir) {
            return Some(raw.clone());
        }
        self.world.entry_ignoring_case(raw).filter(|n| self.world.exists(n) == Some(Exists::Dir))
    }

    /// From `i`, past articles and nouns, to where a name stands.
    fn skip_fillers(&self, mut i: usize) -> Option<usize> {
        while i < self.tokens.len() {
            let t = &self.tokens[i];
            // The last word is the name, whatever it is.
            if t.quoted || self.entity_at(i).is_some() || i + 1 == self.tokens.len() || !FILLERS.contains(&t.norm.as_str()) {
                return Some(i);
            }
            i += 1;
        }
        None
    }

    /// The file that is spoken of.
    pub fn file(&self) -> Option<String> {
        self.take(|k| match k {
            Kind::Path(p) => Some(p.clone()),
            _ => None,
        })
        .map(|p| {
            // A name in the wrong case: the one that exists.
            if !p.contains('/') && self.world.exists(&p).is_none() { self.world.entry_ignoring_case(&p).unwrap_or(p) } else { p }
        })
        .or_else(|| self.take(|k| match k {
            Kind::Glob(g) => Some(g.clone()),
            Kind::Quoted(q) if self.world.exists(q).is_some() => Some(q.clone()),
            _ => None,
        }))
        .or_else(|| self.existing_word())
        .or_else(|| self.take(|k| match k {
            Kind::Dir(d) if d != "." => Some(d.clone()),
            Kind::Quoted(q) => Some(q.clone()),
            _ => None,
        }))
        .or_else(|| self.name(&["file", "named", "called", "script", "document", "program", "of", "in", "folder", "directory"]))
        .or_else(|| self.any_unknown())
    }

    /// A file or a directory; a directory only by its own name.
    pub fn file_or_dir(&self) -> Option<String> {
        self.file()
    }

    /// An unknown or even a common word that names an existing entry.
    pub fn existing_word(&self) -> Option<String> {
        for i in 0..self.tokens.len() {
            if self.is_used(i) || self.entity_at(i).is_some() || self.tokens[i].quoted {
                continue;
            }
            let t = &self.tokens[i];
            let cue = i > 0 && matches!(self.tokens[i - 1].norm.as_str(), "file" | "named" | "called" | "folder" | "directory" | "script");
            if !self.is_unknown(i) && !cue {
                continue;
            }
            let found = if self.world.exists(&t.raw).is_some() { Some(t.raw.clone()) } else { self.world.entry_ignoring_case(&t.raw) };
            if let Some(f) = found {
                self.mark(i, i + 1);
                return Some(f);
            }
        }
        None
    }

    /// The name after one of `cues`: an unknown word, or any word after "named", "called".
    pub fn name(&self, cues: &[&str]) -> Option<String> {
        for strong in [true, false] {
            for i in 0..self.tokens.len() {
                let w = self.tokens[i].norm.as_str();
                let is_strong = matches!(w, "named" | "called" | "titled");
                if self.tokens[i].quoted || !cues.contains(&w) || is_strong != strong {
                    continue;
                }
                let Some(k) = self.skip_fillers(i + 1) else { continue };
                if self.is_used(k) {
                    continue;
                }
                let value = match self.entity_at(k) {
                    Some(e) => match &e.kind {
                        Kind::Quoted(v) | Kind::Path(v) | Kind::Dir(v) | Kind::Glob(v) | Kind::User(v) | Kind::Host(v) => Some((v.clone(), e.start, e.end)),
                        // "a folder called photos", "a folder logs".
                        Kind::Ext(..) | Kind::Time(_) if e.end - e.start == 1 && (is_strong || matches!(w, "folder" | "directory" | "dir")) => Some((self.tokens[k].raw.clone(), k, k + 1)),
                        Kind::Num(_) if is_strong => Some((self.tokens[k].raw.clone(), k, k + 1)),
                        _ => None,
                    },
                    None if is_strong || self.is_unknown(k) || self.was_corrected(k) => Some((self.tokens[k].raw.clone(), k, k + 1)),
                    None => None,
                };
                if let Some((v, s, e)) = value {
                    self.mark(s, e);
                    return Some(v);
                }
            }
        }
        None
    }

    /// Whatever word follows one of `cues`, known or not.
    pub fn word_after(&self, cues: &[&str]) -> Option<String> {
        (0..self.tokens.len()).filter(|&i| !self.tokens[i].quoted && cues.contains(&self.tokens[i].norm.as_str())).find_map(|i| {
            let k = self.skip_fillers(i + 1)?;
            (!self.is_used(k) && self.entity_at(k).is_none()).then(|| {
                self.mark(k, k + 1);
                self.tokens[k].raw.clone()
            })
        })
    }

    /// The first unknown word.
    pub fn any_unknown(&self) -> Option<String> {
        let corrected = || (0..self.tokens.len()).find(|&i| !self.is_used(i) && self.entity_at(i).is_none() && self.was_corrected(i));
        let i = self.unknown_words().first().copied().or_else(corrected)?;
        self.mark(i, i + 1);
        Some(self.tokens[i].raw.clone())
    }

    /// A text to look for: quoted, or after a word such as "containing".
    pub fn pattern(&self) -> Option<String> {
        if let Some(q) = self.take(|k| if let Kind::Quoted(q) = k { Some(q.clone()) } else { None }) {
            return Some(q);
        }
        const STRONG: &[&str] = &["word", "words", "string", "phrase", "text", "pattern", "term", "keyword", "regex", "expression", "containing", "contain", "contains", "mentioning", "mention", "mentions", "matching", "saying", "says", "reads", "include", "includes", "including", "occurrences", "occurrence", "say", "mentioned", "starting", "beginning", "grep"];
        const WEAK: &[&str] = &["for", "with", "of", "has", "have", "match", "matches", "find", "search", "where", "times", "does", "occurs", "without", "is", "to"];
        // "search all files for x": what follows is meant, whatever it is.
        let searching = self.has(&["search", "scan", "look", "grep", "hunt", "filter"]);
        for (cues, strong) in [(if searching { &["for"][..] } else { &[] }, true), (STRONG, true), (WEAK, false)] {
            for i in 0..self.tokens.len() {
                if self.tokens[i].quoted || !cues.contains(&self.tokens[i].norm.as_str()) {
                    continue;
                }
                let mut k = i + 1;
                while k < self.tokens.len()
                    && !self.tokens[k].quoted
                    && matches!(self.tokens[k].norm.as_str(), "the" | "a" | "an" | "word" | "string" | "text" | "phrase" | "pattern" | "of" | "term" | "keyword" | "any" | "with" | "occurrences" | "lines" | "all" | "like" | "something" | "that" | "regex" | "expression" | "matching" | "containing" | "mention" | "every" | "word:" | "for")
                {
                    k += 1;
                }
                let Some(t) = self.tokens.get(k) else { continue };
                if self.is_used(k) {
                    continue;
                }
                let stop = matches!(t.norm.as_str(), "in" | "inside" | "from" | "files" | "file" | "line" | "text" | "and" | "or" | "is" | "within" | "me" | "it" | "by" | "this" | "each" | "there" | "to" | "appears" | "occurs" | "their" | "its" | "them" | "those" | "these" | "which");
                if stop {
                    continue;
                }
                match self.entity_at(k) {
                    Some(e) if strong || matches!(e.kind, Kind::User(_) | Kind::Host(_) | Kind::Num(_)) => {
                        if matches!(e.kind, Kind::Size(_) | Kind::Time(_) | Kind::Ext(..)) {
                            continue;
                        }
                        let v = self.tokens[e.start].raw.clone();
                        self.mark(e.start, e.end);
                        return Some(v);
                    }
                    Some(_) => {}
                    None if strong || self.is_unknown(k) || t.raw.chars().any(char::is_uppercase) => {
                        self.mark(k, k + 1);
                        return Some(t.raw.clone());
                    }
                    None => {}
                }
            }
        }
        // "TODO comments", "error lines": a word in capitals, then any unknown one.
        if let Some(i) = (0..self.tokens.len()).find(|&i| {
            !self.is_used(i) && self.entity_at(i).is_none() && self.tokens[i].raw.len() > 1 && self.tokens[i].raw.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
        }) {
            self.mark(i, i + 1);
            return Some(self.tokens[i].raw.clone());
        }
        self.any_unknown()
    }

    /// The raw text after the first of `cues`, to the end: for lines of text to write, sums, commands to explain.
    pub fn rest_after(&self, cues: &[&str]) -> Option<String> {
        let i = self.position(cues)?;
        let rest: Vec<&str> = self.tokens[i + 1..].iter().map(|t| t.raw.as_str()).collect();
        if rest.is_empty() {
            return None;
        }
        self.mark(i, self.tokens.len());
        Some(rest.join(" "))
    }

    /// The place after a preposition of direction ("to", "into", "as"), if any.
    pub fn destination(&self) -> Option<String> {
        for cues in [&["to", "into", "onto", "as", "towards", "inside", "->", "destination", "target"][..], &["in", "under", "with", "named", "called"]] {
            for i in (0..self.tokens.len()).rev() {
                if self.tokens[i].quoted || !cues.contains(&self.tokens[i].norm.as_str()) {
                    continue;
                }
                let Some(k) = self.skip_fillers(i + 1) else { continue };
                if self.is_used(k) {
                    continue;
                }
                let value = match self.entity_at(k) {
                    Some(e) => match &e.kind {
                        Kind::Quoted(v) | Kind::Path(v) | Kind::Dir(v) => Some((v.clone(), e.start, e.end)),
                        _ => None,
                    },
                    None => {
                        let folder = self.tokens.get(k + 1).is_some_and(|t| matches!(t.norm.as_str(), "folder" | "directory"));
                        let said = self.tokens[i + 1..k].iter().any(|t| matches!(t.norm.as_str(), "folder" | "directory" | "called" | "named"));
                        (self.is_unknown(k) || folder || said || k + 1 == self.tokens.len()).then(|| {
                            let raw = &self.tokens[k].raw;
                            let v = self.existing_dir(k).unwrap_or_else(|| raw.clone());
                            (v, k, k + 1 + usize::from(folder))
                        })
                    }
                };
                if let Some((v, s, e)) = value {
                    self.mark(i, e);
                    let _ = s;
                    return Some(v);
                }
            }
        }
        None
    }

    /// The name of a program or command that is spoken of.
    pub fn command(&self) -> Option<String> {
        if let Some(q) = self.quoted() {
            return Some(q);
        }
        // A word that is a program's name, best where the grammar puts one, and unknown as a word.
        let candidates: Vec<usize> = (0..self.tokens.len())
            .filter(|&i| !self.is_used(i) && self.tokens[i].raw.chars().all(|c| c.is_ascii_alphanumeric() || "-_.+[".contains(c)))
            .filter(|&i| known_program(&self.tokens[i].norm) || self.is_unknown(i) && self.world.has_command(&self.tokens[i].raw))
            .collect();
        // "which" asks, where another program is named.
        let candidates: Vec<usize> = if candidates.len() > 1 { candidates.into_iter().filter(|&i| i > 0 || !matches!(self.tokens[i].norm.as_str(), "which" | "who" | "find" | "type")).collect() } else { candidates };
        let cue = |i: usize| {
            (i > 0 && matches!(self.tokens[i - 1].norm.as_str(), "command" | "program" | "use" | "does" | "is" | "of" | "for" | "the" | "about" | "on" | "with" | "tool" | "called" | "using" | "to" | "explain" | "man"))
                || self.tokens.get(i + 1).is_some_and(|t| matches!(t.norm.as_str(), "command" | "do" | "does" | "program" | "tool" | "utility" | "mean" | "work" | "works" | "binary" | "installed" | "manual" | "page" | "options" | "flags" | "means" | "installed?"))
        };
        let best = candidates.iter().copied().max_by_key(|&i| {
            (u8::from(cue(i)) + 2 * u8::from(self.is_unknown(i)) + u8::from(i + 1 == self.tokens.len()), std::cmp::Reverse(i))
        });
        let i = best.or_else(|| self.unknown_words().first().copied())?;
        self.mark(i, i + 1);
        Some(self.tokens[i].raw.clone())
    }

    /// The unknown words by themselves: some are names, some tell what a request is about.
    pub fn unknown_stems(&self) -> Vec<String> {
        (0..self.tokens.len()).filter(|&i| self.entity_at(i).is_none() && self.is_unknown(i)).map(|i| text::stem(&self.tokens[i].norm)).collect()
    }

    /// The tags and words that features are made of.
    pub fn abstract_tokens(&self) -> Vec<String> {
        let mut out = Vec::with_capacity(self.tokens.len());
        let mut i = 0;
        while i < self.tokens.len() {
            if let Some(e) = self.entity_at(i) {
                out.push(e.kind.tag().to_owned());
                i = e.end;
                continue;
            }
            let t = &self.tokens[i];
            if self.is_unknown(i) {
                out.push(if t.raw.starts_with('-') { "<option>" } else if t.raw.bytes().any(|b| "+*/%^".contains(b as char)) && t.raw.bytes().any(|b| b.is_ascii_digit()) { "<sum>" } else if matches!(t.raw.as_str(), "+" | "*" | "/" | "-" | "x" | "%") { "<op>" } else { "<w>" }.to_owned());
            } else {
                out.push(t.norm.clone());
            }
            i += 1;
        }
        out
    }
}

/// Programs people ask about by name; some are English words, so this is not the search path.
pub fn known_program(w: &str) -> bool {
    const PROGRAMS: &[&str] = &[
        "ls", "cd", "cp", "mv", "rm", "mkdir", "rmdir", "touch", "cat", "less", "more", "head", "tail", "grep", "egrep", "sed", "awk", "gawk", "find", "xargs", "sort", "uniq", "wc", "cut", "tr", "tee", "paste",
        "join", "comm", "diff", "cmp", "tar", "gzip", "gunzip", "zip", "unzip", "chmod", "chown", "chgrp", "ln", "df", "du", "free", "top", "ps", "kill", "pkill", "killall", "pgrep", "jobs", "bg", "fg", "nohup",
        "nice", "renice", "uname", "uptime", "who", "whoami", "id", "groups", "passwd", "su", "sudo", "useradd", "userdel", "usermod", "mount", "umount", "lsblk", "blkid", "fdisk", "mkfs", "fsck", "dd", "sync",
        "date", "cal", "echo", "printf", "export", "env", "printenv", "alias", "history", "man", "which", "whereis", "type", "file", "stat", "basename", "dirname", "realpath", "readlink", "nano", "vim", "vi", "bash", "sh", "gcs",
        "dpkg", "apt", "gpm", "ping", "ip", "ss", "netstat", "curl", "wget", "ssh", "scp", "rsync", "hostname", "dmesg", "lscpu", "sleep", "watch", "time", "seq", "shuf", "rev", "tac", "nl", "fold", "split", "od", "hexdump", "xxd",
        "md5sum", "sha256sum", "sha1sum", "base64", "crontab", "systemctl", "journalctl", "git", "make", "gcc", "python", "python3", "perl", "test", "read", "set", "unset", "trap", "source", "exec", "eval", "yes", "true", "false", "column", "expand", "numfmt", "truncate", "shred",
        "vmstat", "pmap", "pidof", "pstree", "findmnt", "losetup", "swapon", "nproc", "arch", "tty", "stty", "logname", "users", "w", "last", "lsof", "strace", "htop", "tmux", "screen", "redis", "nginx", "sqlite3", "chroot", "timeout", "install", "mktemp", "factor", "getent", "locale",
    ];
    PROGRAMS.contains(&w)
}
