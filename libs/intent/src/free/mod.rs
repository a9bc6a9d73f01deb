//! One English sentence as a pipeline: which files or lines, what is done with them, in what form, where to.
//!
//! Every rule crosses off the words that it read ([`said`]). What is left over in the end was not understood: a reading that leaves nothing is taken before all else, one that
//! leaves something says so by its confidence.

mod columns;
mod edits;
mod grounded;
mod lengths;
mod lines;
mod listing;
mod logs;
mod many;
mod mode;
mod output;
mod pairs;
mod places;
mod said;
mod seek;
mod set;
mod shapes;
mod singles;
mod spans;
mod values;

use actions::quote::quote_path;

use crate::catalogue::Built;
use crate::entity::Kind;
use crate::request::Request;
use crate::world::World;
use said::Said;

/// A command line and why.
pub(super) struct Reading {
    pub command: String,
    pub why: String,
}

fn reading(command: impl Into<String>, why: impl Into<String>) -> Option<Reading> {
    Some(Reading { command: command.into(), why: why.into() })
}

/// How often a reading is right, by the number of words that it leaves: measured on requests that the rules were not made by.
const CONFIDENCE: [f32; 4] = [0.86, 0.5, 0.3, 0.15];

/// A command line for the request, how sure it is, and how many words it leaves.
pub(crate) fn read(text: &str, world: &dyn World) -> Option<(Built, f32, usize)> {
    let whole = one(text, world);
    if whole.as_ref().is_some_and(|w| w.2 == 0) {
        return whole;
    }
    steps(text, world).or(whole)
}

/// Two requests joined by "and" or "then", where each is understood to its last word and neither speaks of the other.
fn steps(text: &str, world: &dyn World) -> Option<(Built, f32, usize)> {
    const VERBS: &[&str] = &["create", "make", "copy", "move", "delete", "remove", "rename", "print", "show", "list", "count", "append", "write", "save", "set", "give", "add", "replace", "compress", "display", "sort", "touch", "change", "extract", "insert"];
    let lower = text.to_lowercase();
    // Quoted texts are never cut.
    let quoted = |at: usize| lower[..at].matches('"').count() % 2 == 1 || lower[..at].matches(" '").count() % 2 == 1;
    for joint in [", and then ", " and then ", ", then ", "; then ", "; ", ", and ", " and ", " then "] {
        for (at, _) in lower.match_indices(joint) {
            let rest = at + joint.len();
            let verb = lower[rest..].split_whitespace().next().unwrap_or("");
            if quoted(at) || !text.is_char_boundary(at) || lower.len() != text.len() || !VERBS.contains(&verb) {
                continue;
            }
            let (a, b) = (&text[..at], &text[rest..]);
            if b.split_whitespace().any(|w| matches!(w.trim_matches(|c: char| c.is_ascii_punctuation()), "it" | "them" | "there" | "that" | "those" | "result" | "both" | "each")) {
                continue;
            }
            let (Some((first, _, 0)), Some((second, sure, 0))) = (one(a, world), one(b, world)) else { continue };
            return Some((Built { command: format!("{} && {}", first.command, second.command), why: format!("{} {}", first.why, second.why) }, sure * 0.95, 0));
        }
    }
    None
}

/// Words joined by a stroke, as people write them who name alternatives, and the apostrophe that is often put into "its".
fn apart(text: &str) -> std::borrow::Cow<'_, str> {
    const JOINED: &[(&str, &str)] = &[("files/directories", "files and directories"), ("directories/files", "files and directories"), ("file/directory", "file or directory"), ("files/folders", "files and folders"), ("regular/normal", "regular"), ("normal/regular", "regular"), ("directory/file", "file or directory"), ("in it's ", "in its "), ("of it's ", "of its "), ("and it's ", "and its ")];
    let mut out = std::borrow::Cow::Borrowed(text);
    for (from, to) in JOINED {
        if out.contains(from) {
            out = out.replace(from, to).into();
        }
    }
    if let Some(other) = bracketed(&out) {
        out = other.into();
    }
    if let Some(other) = with_digits(&out) {
        out = other.into();
    }
    out
}

/// "object files (*.o)" are "*.o files": the brackets say what the word means.
fn bracketed(text: &str) -> Option<String> {
    let open = text.find(" (").filter(|at| text[at + 2..].starts_with(['*', '.']))?;
    let close = open + text[open..].find(')')?;
    let pattern = text[open + 2..close].trim_start_matches('*');
    let ending = pattern.strip_prefix('.').filter(|e| !e.is_empty() && e.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.'))?;
    let before = &text[..open];
    let noun = before.rsplit(' ').next().filter(|w| matches!(*w, "files" | "file" | "scripts" | "documents" | "images" | "pictures" | "sources"))?;
    let rest = before[..before.len() - noun.len()].trim_end();
    // One word that names the kind; "all files (*.o)" has none.
    let kind = rest.rsplit(' ').next().unwrap_or("");
    let keeps = kind.is_empty() || matches!(kind.to_lowercase().as_str(), "all" | "the" | "any" | "every" | "of" | "each" | "hidden" | "empty" | "regular" | "these" | "those" | "many" | "these," | "delete" | "find" | "list" | "show" | "remove" | "count" | "copy" | "move") || kind.contains(['/', '.', '*', '"']);
    let head = if keeps { rest } else { rest[..rest.len() - kind.len()].trim_end() };
    Some(format!("{head} *.{ending} files{}", &text[close + 1..]).trim_start().to_owned())
}

/// `rw-r-----` as 640.
fn with_digits(text: &str) -> Option<String> {
    let digits = |w: &str| {
        let w = w.trim_matches(|c: char| ",.;\"'()".contains(c));
        let bits = if w.len() == 10 && w.starts_with(['-', 'd']) { &w[1..] } else { w };
        let fits = bits.len() == 9 && bits.bytes().enumerate().all(|(i, b)| b == b'-' || b == b"rwx"[i % 3]);
        fits.then(|| {
            let octal: String = bits.as_bytes().chunks(3).map(|c| char::from(b'0' + c.iter().fold(0, |n, b| n * 2 + u8::from(*b != b'-')))).collect();
            (w.to_owned(), octal)
        })
    };
    let (from, to) = text.split_whitespace().find_map(digits)?;
    Some(text.replacen(&from, &to, 1))
}

fn one(text: &str, world: &dyn World) -> Option<(Built, f32, usize)> {
    let r = Request::new(&apart(text), world);
    if r.tokens.is_empty() || r.tokens.len() > 60 {
        return None;
    }
    let s = Said::new(&r);
    let out = output::output(&s);
    let begin = s.marks();
    let into = out.is_some();
    let readers: [&dyn Fn(&Said<'_>) -> Option<Reading>; 11] = [&places::places, &logs::logs, &|s| pairs::pairs(s, out.as_ref().map(|o| o.file.as_str())), &|s| edits::text(s, into), &edits::facts, &seek::seek, &many::many, &values::values, &singles::singles, &grounded::grounded, &edits::written];
    let mut best: Option<(Reading, usize, bool)> = None;
    for read in readers {
        s.restore(begin.clone());
        let Some(found) = read(&s) else { continue };
        let rest = s.left();
        let named = rest.iter().any(|&i| s.entity_at(i).is_some_and(|e| !matches!(e.kind, Kind::Num(_) | Kind::User(_) | Kind::Host(_))));
        if best.as_ref().is_none_or(|b| rest.len() < b.1) {
            best = Some((found, rest.len(), named));
        }
    }
    let (mut found, left, named) = best?;
    // What names a file, a kind of files, a size or a time, and was not understood, says which are to be changed.
    if named && actions::classify(&found.command, &actions::RiskContext::default()) > actions::Risk::Safe {
        return None;
    }
    // What would be lost must have been understood to the last word.
    if left > 0 && (found.command.contains(" -delete") || found.command.contains("-exec rm ")) {
        return None;
    }
    if let Some(o) = &out {
        // What changes something prints nothing.
        if found.command.contains(" > ") || found.command.contains("sed -i") || found.command.contains("-delete") || found.command.contains("chmod") {
            return None;
        }
        found.command = format!("{} {} {}", output::without_itself(&found.command, &o.file), if o.append { ">>" } else { ">" }, quote_path(&o.file));
        found.why = format!("{} Into {}.", found.why, o.file);
    }
    let confidence = CONFIDENCE[left.min(CONFIDENCE.len() - 1)];
    Some((Built { command: found.command, why: found.why }, confidence, left))
}
