//! One English sentence as a pipeline: which files or lines, what is done with them, in what form, where to.
//!
//! Every rule crosses off the words that it read ([`said`]). What is left over in the end was not understood: a reading that leaves nothing is taken before all else, one that
//! leaves something says so by its confidence.

mod columns;
mod edits;
mod grounded;
mod groups;
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
    if let Some(shown) = and_shown(text, world) {
        return Some(shown);
    }
    let whole = one(text, world);
    if whole.as_ref().is_some_and(|w| w.2 == 0) {
        return whole;
    }
    steps(text, world).or(whole)
}

/// "Replace x by y in a.txt and print it": what was changed is printed then.
fn and_shown(text: &str, world: &dyn World) -> Option<(Built, f32, usize)> {
    let lower = text.to_lowercase();
    let tail = [", and then ", " and then ", ", then ", "; then ", ", and ", " and ", " then "].iter().find_map(|joint| {
        let at = lower.rfind(joint)?;
        let rest: Vec<&str> = lower[at + joint.len()..].trim_end_matches('.').split_whitespace().collect();
        let shows = rest.first().is_some_and(|w| matches!(*w, "print" | "show" | "display" | "output" | "cat"));
        let what = rest.get(1..)?.iter().all(|w| matches!(*w, "the" | "it" | "file" | "result" | "results" | "content" | "contents" | "of" | "its" | "new" | "changed" | "modified" | "them" | "files" | "resulting" | "updated"));
        (shows && rest.len() > 1 && what && text.is_char_boundary(at) && lower.len() == text.len()).then_some(at)
    })?;
    let (built, sure, left) = one(&text[..tail], world)?;
    if left > 0 {
        return None;
    }
    let show = if let Some((find, _)) = built.command.split_once(" -exec sed -i ").filter(|_| built.command.starts_with("find ")) {
        format!("{find} -exec cat {{}} +")
    } else if built.command.starts_with("sed -i ") || built.command.contains(" >> ") {
        let file = Request::new(&text[..tail], world).entities.iter().rev().find_map(|e| if let Kind::Path(p) = &e.kind { Some(p.clone()) } else { None })?;
        format!("cat {}", quote_path(&file))
    } else {
        return None;
    };
    Some((Built { command: format!("{} && {show}", built.command), why: format!("{} Prints it then.", built.why) }, sure, 0))
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
    if let Some(other) = dotted(&out) {
        out = other.into();
    }
    if let Some((before, rest)) = out.split_once(", including ")
        && let Some((_, after)) = rest.split_once(" itself")
        && rest.find(" itself").is_some_and(|at| !rest[..at].contains(' '))
    {
        out = format!("{before}{}", after.trim_start_matches(',')).into();
    }
    if let Some(other) = blanks(&out) {
        out = other.into();
    }
    if let Some(other) = bracketed(&out) {
        out = other.into();
    }
    if let Some(other) = with_digits(&out) {
        out = other.into();
    }
    out
}

/// "html, htm and css files" as ".html, .htm and .css files": endings in a list, each of which is no more than an ending.
fn dotted(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split(' ').collect();
    let at = words.iter().position(|w| matches!(w.trim_matches(','), "files" | "file"))?;
    let ending = |w: &str| {
        let bare = w.trim_end_matches(',');
        bare.len() < 6 && bare.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) && crate::entity::kinds::patterns(bare).is_some_and(|p| p.len() == 1 && p[0].to_string() == format!("*.{bare}"))
    };
    let mut first = at;
    while first > 0 && (ending(words[first - 1]) || matches!(words[first - 1], "and" | "or") && first > 1 && ending(words[first - 2])) {
        first -= 1;
    }
    let kinds = words[first..at].iter().filter(|w| ending(w)).count();
    if kinds < 2 || matches!(words[first], "and" | "or") {
        return None;
    }
    let list: Vec<String> = words[first..at].iter().map(|w| if ending(w) { format!(".{w}") } else { (*w).to_owned() }).collect();
    Some(format!("{} {} {}", words[..first].join(" "), list.join(" "), words[at..].join(" ")).trim().to_owned())
}

/// "tabs with four spaces": the characters themselves, which every rule for texts reads.
fn blanks(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split(' ').collect();
    let at = words.windows(4).position(|w| matches!(w[0], "tabs" | "tab" | "TABs" | "Tabs") && matches!(w[1], "with" | "by" | "to" | "into") && w[3].trim_matches(|c: char| c.is_ascii_punctuation()).starts_with("space"))?;
    let n = match words[at + 2] {
        "a" | "one" | "single" => 1,
        "two" => 2,
        "three" => 3,
        "four" => 4,
        "six" => 6,
        "eight" => 8,
        w => w.parse().ok().filter(|n| *n < 41)?,
    };
    let before = words[..at].join(" ");
    let after = words[at + 4..].join(" ");
    Some(format!("{before} \"\t\" {} \"{}\" {after}", words[at + 1], " ".repeat(n)).trim().to_owned())
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
    // The first of those that leave the fewest words.
    let mut best: Option<Found> = None;
    for found in found(text, world) {
        if best.as_ref().is_none_or(|b| found.left < b.left) {
            best = Some(found);
        }
    }
    finished(best?)
}

/// What each of the rules makes of the request, whatever it leaves: for choosing among them.
pub(crate) fn every(text: &str, world: &dyn World) -> Vec<(Built, f32, usize)> {
    found(text, world).into_iter().filter_map(finished).collect()
}

/// A reading before it is looked at whether it may be done.
struct Found {
    reading: Reading,
    /// Words that it leaves.
    left: usize,
    /// One of these names something.
    named: bool,
    /// Where the result goes.
    out: Option<(String, bool)>,
}

fn found(text: &str, world: &dyn World) -> Vec<Found> {
    let r = Request::new(&apart(text), world);
    if r.tokens.is_empty() || r.tokens.len() > 60 {
        return Vec::new();
    }
    let s = Said::new(&r);
    let out = output::output(&s);
    let begin = s.marks();
    let into = out.is_some();
    let readers: [&dyn Fn(&Said<'_>) -> Option<Reading>; 12] = [&places::places, &logs::logs, &|s| pairs::pairs(s, out.as_ref().map(|o| o.file.as_str())), &|s| edits::text(s, into), &edits::facts, &seek::seek, &many::many, &values::values, &singles::singles, &grounded::grounded, &edits::written, &groups::groups];
    let mut all = Vec::new();
    for read in readers {
        s.restore(begin.clone());
        let Some(reading) = read(&s) else { continue };
        let rest = s.left();
        let named = rest.iter().any(|&i| s.entity_at(i).is_some_and(|e| !matches!(e.kind, Kind::Num(_) | Kind::User(_) | Kind::Host(_))));
        all.push(Found { reading, left: rest.len(), named, out: out.as_ref().map(|o| (o.file.clone(), o.append)) });
    }
    all
}

fn finished(found: Found) -> Option<(Built, f32, usize)> {
    let Found { mut reading, left, named, out } = found;
    // What names a file, a kind of files, a size or a time, and was not understood, says which are to be changed.
    if named && actions::classify(&reading.command, &actions::RiskContext::default()) > actions::Risk::Safe {
        return None;
    }
    // What would be lost must have been understood to the last word.
    if left > 0 && (reading.command.contains(" -delete") || reading.command.contains("-exec rm ")) {
        return None;
    }
    if let Some((file, append)) = &out {
        // What changes something prints nothing.
        if reading.command.contains(" > ") || reading.command.contains("sed -i") || reading.command.contains("-delete") || reading.command.contains("chmod") {
            return None;
        }
        reading.command = format!("{} {} {}", output::without_itself(&reading.command, file), if *append { ">>" } else { ">" }, quote_path(file));
        reading.why = format!("{} Into {file}.", reading.why);
    }
    let confidence = CONFIDENCE[left.min(CONFIDENCE.len() - 1)];
    Some((Built { command: reading.command, why: reading.why }, confidence, left))
}
