//! What is done with the files that are found.

use actions::quote::{quote, quote_path};

use super::cursor::Cursor;
use super::place;
use crate::free::set::Set;
use crate::free::{Reading, reading};

/// One thing that is done.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Act {
    /// `wc -l` of what is found.
    Count,
    /// They are deleted.
    Delete,
    /// With details.
    Long,
    /// Names without directories.
    Names,
    /// Sizes before names; for people.
    Sizes(bool),
    /// Times before names.
    Times,
    /// With NUL behind each.
    Null,
    /// On one line.
    OneLine,
    /// Full paths.
    Absolute,
    /// By `size`, `time` or `name`; downwards.
    Sort(&'static str, bool),
    /// The first so many.
    Head(u64),
    Tail(u64),
    /// The sizes added up.
    Total,
    Mode(String),
    /// A program that takes an owner or group, and which.
    Own(&'static str, String),
    Copy(String),
    Move(String),
    /// Lines with a text: the text, `grep`'s options.
    Grep(String, String),
    /// The same with a pattern.
    Match(String, String),
    /// The lines with a text, counted over all.
    CountMatches(String),
    /// The same of each.
    CountEach(String),
    /// Lines counted, of each.
    Lines,
    /// Lines counted, of all together.
    AllLines,
    /// A program that is run on each: checksums, kinds.
    Each(String),
    Cat,
    /// A command that is run on each.
    Run(String),
    Replace(String, String),
    /// Something that is not understood after all.
    Refused,
}

impl Act {
    /// Whether something is changed.
    pub fn changes(&self) -> bool {
        matches!(self, Act::Run(_) | Act::Delete | Act::Mode(_) | Act::Own(..) | Act::Move(_) | Act::Replace(..) | Act::Copy(_))
    }

    /// Whether it is about what is in the files.
    pub fn looks_inside(&self) -> bool {
        matches!(self, Act::Lines | Act::AllLines | Act::Cat | Act::Each(_) | Act::Grep(..) | Act::Match(..) | Act::CountEach(_) | Act::CountMatches(_))
    }
}

const THEM: &str = "them|it|those|these|each|all|files|file|directories|ones|everything|results|result|matches|folders|found";
const SHOW: &str = "print|show|display|list|output|report|write|printing|showing|displaying|listing|see|get|return|with|along|together|including";

/// What stands before the files: "change the permissions of", "search for x in".
pub(super) fn leading(c: &mut Cursor<'_, '_>) -> Option<Act> {
    let begin = (c.i, c.s.marks());
    // "delete the text x from all files": what is in them changes.
    if c.one_of(&["delete|remove|erase|strip all|every|any? occurrences|occurrence|instances? of? string|word|text|line|pattern|characters|lines?", "delete|remove|erase|strip"]) && c.quoted() && c.s.w.get(c.i + 1).is_some_and(|w| matches!(*w, "from" | "in")) && (c.i + 2..c.s.len().min(c.i + 6)).any(|k| matches!(c.s.w[k], "files" | "file")) {
        let lines = c.s.w[begin.0..c.i].iter().any(|w| w.starts_with("line"));
        if !lines && let Some(t) = c.value() {
            c.eats("from|in");
            return Some(Act::Replace(t, String::new()));
        }
        return Some(Act::Refused);
    }
    c.s.restore(begin.1.clone());
    c.i = begin.0;
    // "change the permissions of x to 644": the mode comes last.
    let asked = |k: usize| c.s.w[k.saturating_sub(4)..k].iter().any(|w| matches!(*w, "have" | "has" | "with" | "having" | "whose"));
    let end = (c.i..c.s.len()).rev().find(|&k| k > 1 && (c.s.w[k - 1] == "to" || matches!(c.s.w[k - 1], "permission" | "permissions" | "mode") && !asked(k)) && is_mode(c.s.raw(k)));
    if c.one_of(&["change|set|modify|chmod|update|give|changes|sets|add|alter|make file|access|the? permissions|permission|mode|modes|rights of|for|on|to?", "chmod|chmods"])
        && let Some(k) = end.filter(|&k| c.s.free(k))
    {
        c.s.mark(k - 1, k + 1);
        c.one_of(&["of|for|on|to"]);
        return Some(Act::Mode(c.s.raw(k).to_owned()));
    }
    c.s.restore(begin.1.clone());
    c.i = begin.0;
    let owner = c.one_of(&["change|set|modify|changes|update the? owner|ownership|user|owners and? group? ownership? of|for", "chown", "change|set group ownership|owner? of|for", "change|changes"]);
    if owner {
        // Whose they were says which files, and is not read.
        if (c.i..c.s.len()).any(|k| c.s.at("from user|owner|group? $ to", k).is_some()) {
            return Some(Act::Refused);
        }
        let said = &c.s.w[begin.0..c.i];
        let group = said.contains(&"group") && !said.iter().any(|w| w.starts_with("own") || *w == "user") || said.windows(2).any(|w| w == ["group", "ownership"]);
        let to = (c.i..c.s.len()).find_map(|k| c.s.at("to owner|user|group? $ and|with? group $", k).or_else(|| c.s.at("to|owner owner|user|group? $", k)).filter(|f| !super::cursor::small(c.s.w[f.at[0]]) || c.s.quoted(f.at[0])));
        let word = |k: usize| c.s.raw(k).to_owned();
        if let Some(f) = to && (said.len() > 1 || (f.start..f.end).any(|k| matches!(c.s.w[k], "owner" | "user" | "group"))) {
            let plain = |w: &str| !w.is_empty() && w.chars().all(|x| x.is_alphanumeric() || "._-:$".contains(x));
            let (who, program) = match f.at[..] {
                [a, b] if plain(&word(a)) && plain(&word(b)) => (format!("{}:{}", word(a), word(b)), "chown"),
                [a] if plain(&word(a)) && said.contains(&"group") && !group && !word(a).contains(':') => (format!("{0}:{0}", word(a)), "chown"),
                [a] if plain(&word(a)) => (word(a), if group { "chgrp" } else { "chown" }),
                _ => return Some(Act::Refused),
            };
            c.s.mark(f.start, f.end);
            return Some(Act::Own(program, who));
        }
    }
    c.s.restore(begin.1.clone());
    c.i = begin.0;
    // "copy x to y", "move x into y".
    if let Some(moves) = [("copy|copies|cp", false), ("move|moves|mv", true)].into_iter().find_map(|(w, m)| c.eats(w).then_some(m)) {
        let begin_of_rest = c.i;
        let found = (c.i + 1..c.s.len()).rev().find_map(|k| {
            if !matches!(c.s.w[k], "to" | "into") || c.s.quoted(k) || !c.s.free(k) {
                return None;
            }
            let mut there = Cursor::new(c.s);
            there.i = k;
            destination(&mut there)
        });
        if let Some(d) = found {
            c.i = begin_of_rest;
            return Some(if moves { Act::Move(d) } else { Act::Copy(d) });
        }
    }
    c.s.restore(begin.1.clone());
    c.i = begin.0;
    let grep = c.one_of(&["search|look|grep|find|searches for? word|string|text|pattern|phrase|regex|lines|occurrences|expression? containing|matching|with|of? string|word|text?", "search|look|grep|find for"]);
    if grep {
        let told = c.s.w[begin.0..c.i].iter().any(|w| matches!(*w, "word" | "string" | "text" | "pattern" | "phrase" | "regex" | "lines" | "occurrences" | "expression")) || c.s.w[begin.0] == "grep";
        let quoted = c.quoted();
        if (told || quoted && c.s.w.get(c.i + 1).is_some_and(|w| matches!(*w, "in" | "inside" | "within" | "recursively" | "under" | "across" | "on" | "from" | "through" | "case")))
            && let Some(t) = c.value()
            && !(t.contains(['*']) && !told)
        {
            let fold = c.one_of(&["case-insensitively|case-insensitive", "case insensitively|insensitive", "ignoring case"]) || c.s.any(&["case-insensitively|case-insensitive", "case insensitively|insensitive", "ignoring case", "ignore case"]);
            c.one_of(&["recursively"]);
            // Of the files or below a place: what follows must say so.
            if c.one_of(&["in|inside|within|of|from|through|across|on content|contents? of?"]) && files_ahead(c) {
                return Some(Act::Grep(t, if fold { "i" } else { "" }.into()));
            }
        }
    }
    c.s.restore(begin.1);
    c.i = begin.0;
    None
}

/// Whether the word for files comes within the next few words, before anything else that could be searched.
fn files_ahead(c: &Cursor<'_, '_>) -> bool {
    (c.i..c.s.len().min(c.i + 6)).any(|i| !c.s.quoted(i) && matches!(c.s.w[i], "files" | "file" | "scripts") && !c.s.quoted(i)) || matches!(c.entity().map(|e| &e.kind), Some(crate::entity::Kind::Glob(_)))
}

/// "the names of", "the number of": what is wanted of the files.
pub(super) fn wanted(c: &mut Cursor<'_, '_>) -> Option<Act> {
    if c.one_of(&["total? number|count of", "how many"]) {
        return Some(Act::Count);
    }
    if c.one_of(&["total|combined|summed size|sizes|space|disk usage|used|space|bytes? of|in|used|by|taken? by?", "total|disk space|usage used|of|by|taken? by?"]) {
        return Some(Act::Total);
    }
    if c.one_of(&["only? names|filenames|name|basenames of", "list of? names of", "paths|list|path|pathnames|listing of"]) {
        return None;
    }
    if c.one_of(&["sizes|size of"]) {
        return Some(Act::Sizes(false));
    }
    if c.one_of(&["long? details|detail|information|detailed|listing|attributes|info of|about|for|on|listing?", "long list|listing of"]) {
        return Some(Act::Long);
    }
    if c.one_of(&["file? types|type information? of|for"]) {
        return Some(Act::Each("file".into()));
    }
    if c.one_of(&["md5|md5sum checksums|checksum|sums|sum|hash|hashes? of|for"]) {
        return Some(Act::Each("md5sum".into()));
    }
    None
}

/// Whether an action begins here, so that "and" before it is no joint of the description.
pub(super) fn ahead(c: &Cursor<'_, '_>) -> bool {
    let verbs = format!("and|then, then? delete|remove|copy|move|count|change|set|sort|search|grep|replace|compress|archive|{SHOW}");
    c.peek(&verbs).is_some()
}

fn destination(c: &mut Cursor<'_, '_>) -> Option<String> {
    let begin = (c.i, c.s.marks());
    c.one_of(&["to|into|in|under new|another|existing? directory|folder|dir|path? called|named?"]);
    c.articles();
    let raw = if c.done() { String::new() } else { c.s.raw(c.i).to_owned() };
    let told = c.s.w[begin.0..c.i].iter().any(|w| matches!(*w, "directory" | "folder" | "dir"));
    let after = c.s.w.get(c.i + 1).is_some_and(|w| matches!(*w, "directory" | "folder"));
    // "a target directory" has a name, but not this one.
    let unnamed = after && !c.quoted() && c.is("target|destination|different|specific|given|other|another|new|specified|certain|separate|single|common|backup") && c.s.world().exists(&raw) != Some(crate::world::Exists::Dir);
    let good = c.i > begin.0 && !raw.is_empty() && !unnamed && (raw.contains('/') || place::variable(&raw) || told || after || c.quoted() || raw.starts_with('~') || c.s.world().exists(&raw) == Some(crate::world::Exists::Dir)) && (c.quoted() || !super::cursor::small(c.word())) && !raw.contains(['*', '?']);
    if good {
        let end = c.entity().map_or(c.i + 1, |e| e.end);
        let dir = if let Some(crate::entity::Kind::Dir(d)) = c.entity().map(|e| &e.kind) { d.clone() } else { raw };
        c.s.mark(c.i, end);
        c.i = end;
        c.eats("directory|folder|dir");
        let at_home = c.one_of(&["in|under|inside|of users|user|user's|my|your|own? home directory|folder"]);
        if at_home && !dir.starts_with(['/', '~', '$']) {
            return Some(format!("~/{}", dir.trim_end_matches('/')));
        }
        return Some(if dir.len() > 1 { dir.trim_end_matches('/').to_owned() } else { dir });
    }
    c.s.restore(begin.1);
    c.i = begin.0;
    None
}

fn is_mode(raw: &str) -> bool {
    let octal = (3..=4).contains(&raw.len()) && raw.bytes().all(|b| (b'0'..=b'7').contains(&b));
    let symbolic = raw.contains(['+', '-', '=']) && raw.len() < 16 && raw.chars().all(|x| "ugoarwxXst+-=,".contains(x)) && raw.contains(['r', 'w', 'x', 's', 't', 'X']);
    octal || symbolic
}

fn mode(c: &mut Cursor<'_, '_>) -> Option<String> {
    let raw = if c.done() { return None } else { c.s.raw(c.i).to_owned() };
    is_mode(&raw).then(|| {
        c.cross();
        raw
    })
}

/// What follows the description: "and delete them", "sorted by size".
pub(super) fn following(c: &mut Cursor<'_, '_>, f: &Set) -> Option<Act> {
    let begin = (c.i, c.s.marks());
    let back = |c: &mut Cursor<'_, '_>| {
        c.s.restore(begin.1.clone());
        c.i = begin.0;
    };
    c.eats("and|then|to|by");
    c.eats("then|also|finally|recursively|forcefully|forcibly|to");
    let them = |c: &mut Cursor<'_, '_>| {
        while c.eats(THEM) {}
    };
    if c.eats("delete|remove|erase|rm|deletes|removes|deleting|removing") {
        let n = c.i;
        them(c);
        if c.i > n || c.done() {
            c.eats("all|too|with confirmation");
            return Some(Act::Delete);
        }
    }
    if c.eats("copy|copying|cp|copies") {
        them(c);
        if let Some(d) = destination(c) {
            return Some(Act::Copy(d));
        }
    }
    if c.eats("move|moving|mv|moves") {
        them(c);
        if let Some(d) = destination(c) {
            return Some(Act::Move(d));
        }
    }
    back(c);
    c.eats("and|then");
    c.eats("then|also|finally");
    if c.eats("count|counts|counting number|total? of? lines|line? in|of? each|all? of?") && c.s.w[c.i.saturating_sub(5)..c.i].iter().any(|w| w.starts_with("line")) {
        let each = c.s.w[begin.0..c.i].contains(&"each") || c.one_of(&["each of|file?"]);
        if c.eats("in? output|result|results") {
            return Some(Act::Refused);
        }
        them(c);
        return Some(if each { Act::Lines } else { Act::AllLines });
    }
    back(c);
    c.eats("and|then");
    c.eats("then|also|finally");
    if let Some(x) = c.eat("count|print|show|display|output|get total? number|count? of? lines that|which? contain|contains|containing|matching|match|with word|string|text? $") {
        return Some(Act::CountEach(c.s.raw(x.at[0]).to_owned()));
    }
    back(c);
    c.eats("and|then");
    if let Some(what) = [("lines", "-l"), ("words", "-w"), ("characters|chars", "-m"), ("bytes", "-c")].iter().find_map(|(w, o)| c.one_of(&[&format!("count|print|show|display|output|get total? number|count of {w} it|they? has|have|contains|contain? in? it|them|each|file?"), &format!("count {w} in? it|them|each|file?")]).then_some(*o)) {
        return Some(Act::Each(format!("wc {what}")));
    }
    back(c);
    c.eats("and|then");
    c.eats("then|also|finally");
    if c.one_of(&["count|counts|counting them|number|total|it|files|all|of? them|files?", &format!("{SHOW} total? number|count of|them? them|files|results|such|matching|found? files|them?"), "get|find total? number|count of? them?"]) {
        return Some(Act::Count);
    }
    if c.one_of(&["change|set|modify|chmod|changes|make their|its|the|file? permissions|permission|mode|them? of? them|those|these|files? to|as|into|=? have? mode|permission?", "chmod them|it|all? to?", "give|set them permission|permissions?"])
        && let Some(m) = mode(c)
    {
        c.eats("permission|permissions|mode");
        return Some(Act::Mode(m));
    }
    back(c);
    // Names without their endings are more than `find` prints.
    if c.one_of(&["without extension|extensions|suffix|suffixes"]) {
        return Some(Act::Refused);
    }
    // Forms of the listing.
    c.eats("and|then");
    c.eats("then|also|finally");
    let shown = c.eats(SHOW);
    c.eats("with|their|its|them|the");
    if c.one_of(&["in? long|detailed|ls listing|list|ls|-l? format|form|listing|style?", "full|all|complete|file|long|more? details|detail|detailed|information|attributes|info|listing about|of|on|for? them|each|files?", "in detail", "ls -l|-ls|-la them?", "detailed|long information|list|listing|info", "in ls -l|-dils format", "long list|listing"]) {
        return Some(Act::Long);
    }
    if c.one_of(&["null|nul|zero character|byte|bytes? as? delimiter|separator|terminated|separated|delimited", "null|nul-terminated|null-terminated|null-separated|null-delimited", "separated|delimited|terminated|ended|followed by null|nul|zero character|byte|characters?", "null character|characters as? delimiter|separator?"]) {
        return Some(Act::Null);
    }
    if c.one_of(&["only? basename|basenames|filenames only?", "only? file? names|name|filenames only|without? leading|their|the? paths|path|directories|directory|dirs?", "without leading? directories|directory|path|paths names?"]) && (c.s.w[begin.0..c.i].iter().any(|w| matches!(*w, "only" | "without" | "basename" | "basenames"))) {
        return Some(Act::Names);
    }
    if shown && c.one_of(&["file? sizes|size in? bytes|human|kb|human-readable? readable? format|form? and? names|paths|name|path?", "name|names|path|paths and? sizes|size"]) {
        return Some(Act::Sizes(c.s.w[begin.0..c.i].iter().any(|w| w.starts_with("human"))));
    }
    if c.one_of(&["total|combined file? size|sizes|space|disk space|usage?", "sum of? sizes"]) {
        c.eats("of? them|it");
        return Some(Act::Total);
    }
    if c.one_of(&["modification|last|modified times|time|date|modified|dates"]) && shown {
        return Some(Act::Times);
    }
    if c.one_of(&["on|in|as one|single|same? line"]) {
        return Some(Act::OneLine);
    }
    if c.one_of(&["absolute|full|complete paths|path|pathnames|names|filenames|pathname"]) && c.s.w[begin.0..c.i].contains(&"absolute") {
        return Some(Act::Absolute);
    }
    // Of lines that are looked for: they are printed anyway.
    if shown && c.one_of(&["matched|matching|found lines|line|text? together|along? with|and? corresponding|file|their? file? names|filenames|name? and? line? numbers|number?"]) {
        return following_print(c);
    }
    if shown && c.one_of(&["names|paths|path|pathnames|filenames|name|full|result|results|them|files|list|output|relative names|paths|path|name|of|file|files? of|on|to? them|each|all|files|screen|console|standard|stdout|terminal? output|files|file|one? per? line?"]) {
        return following_print(c);
    }
    if shown && (c.done() || c.s.w.get(c.i).is_some_and(|w| matches!(*w, "sorted" | "one" | "in" | "on"))) && c.i > begin.0 && !matches!(c.s.w[c.i - 1], "with" | "along" | "together" | "including") {
        return following_print(c);
    }
    back(c);
    c.eats("and|then");
    let by = "by|on|according|in? to? their|its|the|file? ";
    if c.eats("sort|sorted|sorts|sorting|order|ordered|arranged|arrange") {
        c.eats("them|it|list|result|results|output|files|the|in");
        let mut key = "name";
        if c.eats(&format!("{by}size|sizes")) || c.eats("size") { key = "size" } else if c.eats(&format!("{by}last? modification|modified|change|time|date|times|age|timestamp time|date|times|timestamp?")) { key = "time" } else { c.eats(&format!("{by}name|names|filename|filenames|path|alphabetical|alphabetically order?")); }
        c.eats("alphabetically|numerically|alphabetical");
        let down = c.one_of(&["in? descending|reverse|decreasing order?", "largest|biggest|newest|latest|most first|recent? first?", "from largest|newest|biggest to? smallest|oldest?", "with? newest|largest|biggest first"]);
        let up = c.one_of(&["in? ascending|increasing|alphabetical|numerical order?", "smallest|oldest first", "from smallest|oldest to? largest|newest|biggest?"]);
        // Unless it is said, sizes and ages go down, names up.
        return Some(Act::Sort(key, down || !up && key != "name"));
    }
    for (patterns, key, down) in [
        (&["in? alphabetical|alphabetic|lexical|lexicographic order", "alphabetically", "by name", "a to z"][..], "name", false), (&["in? reverse alphabetical|alphabetic order", "z to a"], "name", true), (&["largest|biggest one|ones|file|files? first|on|at? top?", "in? descending|decreasing order? of|by size", "from largest|biggest to smallest"], "size", true),
        (&["smallest one|ones|file|files? first|on|at? top?", "in? ascending|increasing order? of|by size", "by size", "from smallest to largest|biggest"], "size", false), (&["newest|latest one|ones|file|files? first|on|at? top?", "most recent|recently changed|modified? one|ones|file|files? first"], "time", true), (&["oldest one|ones|file|files? first|on|at? top?", "in? chronological order", "by date|age|time"], "time", false),
    ] {
        let before = (c.i, c.s.marks());
        if c.one_of(patterns) {
            // "By name x.txt" is no order.
            let last = c.s.w[c.i - 1];
            let ends = !matches!(last, "name" | "size" | "date" | "age" | "time") || c.done() || !c.quoted() && c.is("and|then|in|under|below|from|of|largest|smallest|newest|oldest|descending|ascending");
            if ends {
                return Some(Act::Sort(key, down));
            }
            c.i = before.0;
            c.s.restore(before.1);
        }
    }
    if let Some(x) = c.eat("only|just|print|show|display|limit|get|list? to|only? first|top # of|results|files|lines|matches|ones|result|entries|them|paths? them|results|files?") {
        return c.s.number(*x.at.last()?).map(Act::Head);
    }
    if let Some(x) = c.eat("only|just|print|show|display|limit|get|list? only? last # of|results|files|lines|matches|ones|entries? them|results|files?") {
        return c.s.number(*x.at.last()?).map(Act::Tail);
    }
    if c.one_of(&["only? first one|result|match|file found?", "stop|quit|exit after|at first one|result|match|found? found?"]) {
        return Some(Act::Head(1));
    }
    // What is in them.
    if c.one_of(&["search|grep|look|searches|print|show|display|find for? lines|word|string|text|pattern|regex|occurrences|lines|line|all? containing|matching|with|that|of|match? string|pattern|word|contain?", "search|grep|look|searches for"]) {
        let told = c.s.w[begin.0..c.i].iter().any(|w| matches!(*w, "search" | "grep" | "look" | "lines" | "searches" | "occurrences"));
        if told && let Some(t) = c.value().filter(|t| !t.is_empty()) {
            while c.one_of(&["in|inside|within|from content|contents|each|all? of? them|it|those|these|each|files|file|all|their|its contents|content|files?"]) {}
            let mut o = String::new();
            if c.s.any(&["case-insensitively|case-insensitive", "case insensitively|insensitive", "ignoring case"]) || c.fold {
                o.push('i');
            }
            if c.s.any(&["with|and|including line numbers|number", "line numbers|number"]) {
                o.push('n');
            }
            return Some(Act::Grep(t, o));
        }
    }
    back(c);
    c.eats("and|then");
    if c.eats("change|set|changes their|its|the? owner|ownership|user|owners and? group? of? them? to user|owner?") {
        let both = c.s.w[begin.0..c.i].contains(&"group");
        if let Some(who) = c.value().filter(|w| w.chars().all(|x| x.is_alphanumeric() || "._-:$".contains(x))) {
            c.eats("user|owner");
            if both && !who.contains(':') {
                return Some(Act::Refused);
            }
            return Some(Act::Own("chown", who));
        }
    }
    back(c);
    c.eats("and|then");
    if c.eats("change|set|changes their|its|the? group ownership? of? them? to group?") && let Some(who) = c.value().filter(|w| w.chars().all(|x| x.is_alphanumeric() || "._-:".contains(x))) {
        return Some(Act::Own("chgrp", who));
    }
    back(c);
    c.eats("and|then");
    // A command for each: no more than plain words.
    if c.eats("run|execute|perform|executes|runs|running|executing|call command|script|program?") {
        c.eats("command|script|program");
        let line = if c.done() { String::new() } else { c.s.raw(c.i).to_owned() };
        let plain = !line.is_empty() && line.split(' ').all(|w| !w.is_empty() && w.chars().all(|x| x.is_ascii_alphanumeric() || "._-/+=:".contains(x))) && (c.quoted() || !super::cursor::small(c.word()));
        if plain && !c.is("privilege|privileges|permission|permissions|right|rights|access|bit") {
            c.cross();
            c.eats("command|script|program");
            if c.one_of(&["on|for|against|with|over|upon|to each|all|every|those|these|it|them of? them|it|file|files|found|one|these|those|directory?", "on|for|against|with|over|to each|every|all|it|them"]) || c.done() {
                c.one_of(&["with its|their? file? path|paths|name|names as? argument|arguments|parameter?"]);
                while c.eats("files|file|found|result|as|an|argument|of|them|matching|matched") {}
                return Some(Act::Run(line));
            }
        }
    }
    back(c);
    c.eats("and|then");
    if let Some(x) = c.eat("replace|substitute|change|convert all|each|every|any? occurrences|occurrence|instances|string|word|text? of? string|word|text? $ with|by|to|into string|word|text? $") {
        let quoted = c.s.quoted(x.at[0]) || c.s.quoted(x.at[1]);
        let mut inside = false;
        while c.one_of(&["in|inside|within them|each|all|it|those|these|files|file|place"]) {
            inside = true;
        }
        if !quoted && !inside || matches!(c.s.w[x.at[0]], "their" | "its" | "permission" | "permissions" | "owner" | "ownership" | "name" | "names" | "extension") && !c.s.quoted(x.at[0]) {
            return Some(Act::Refused);
        }
        return Some(Act::Replace(c.s.text(x.at[0]), c.s.text(x.at[1])));
    }
    if c.one_of(&["calculate|compute|print|get|show|generate|display|their|the|create? md5|md5sum checksums|checksum|sums|sum|hash|hashes? of|for? them|each|all|files?"]) && c.s.w[begin.0..c.i].iter().any(|w| w.starts_with("md5")) {
        return Some(Act::Each("md5sum".into()));
    }
    if c.one_of(&["print|show|display|determine|their|the? file types|type information? of|for? them|each?"]) && c.s.w[begin.0..c.i].iter().any(|w| w.starts_with("type")) && f.said {
        return Some(Act::Each("file".into()));
    }
    if c.one_of(&["print|show|display|output their|its|the file? names|name|path|paths|filename and|then|followed by? then? by? their|its|the? contents|content of? it?"]) {
        return Some(Act::Each("tail -v -n +1".into()));
    }
    if c.one_of(&["print|show|display|output|cat their|its|the contents|content of? them|each|files?", "cat them"]) {
        return Some(Act::Cat);
    }
    if c.one_of(&["count number? of? lines in each", "lines|line count|counts|number of? each"]) {
        return Some(Act::Lines);
    }
    back(c);
    None
}

/// "count the lines with x in", of many files.
pub(super) fn counted_lines(c: &mut Cursor<'_, '_>) -> Option<Act> {
    let begin = (c.i, c.s.marks());
    if c.one_of(&["count total? number? of? lines|occurrences", "calculate|get|find|print|show|display|determine total? number|count of lines|occurrences", "how many lines|occurrences"]) {
        let lead = c.one_of(&["that|which? contain|contains|containing|matching|match|with|have|of|mention|mentioning word|string|text|pattern?"]);
        // "The lines of all .py files" are no lines with that text.
        let kind = c.s.w[c.i - 1] == "of" || c.peek("all|each|every").is_some() || matches!(c.entity().map(|e| &e.kind), Some(crate::entity::Kind::Ext(..)));
        if lead && !(kind && !c.quoted()) && let Some(t) = c.value() && files_ahead(c) {
            c.one_of(&["are|is there?"]);
            c.one_of(&["in|across|of|from|inside"]);
            return Some(Act::CountMatches(t));
        }
        if !lead && c.one_of(&["in|across|of|from"]) && files_ahead(c) {
            // "... that match x" comes behind.
            let told = (c.i..c.s.len()).find_map(|k| c.s.at("that|which contain|contains|match|matches|mention|include word|string|text|pattern? $", k).filter(|f| c.s.quoted(f.at[0])));
            if let Some(f) = told {
                c.s.mark(f.start, f.end);
                return Some(Act::CountMatches(c.s.raw(f.at[0]).to_owned()));
            }
        }
    }
    c.s.restore(begin.1);
    c.i = begin.0;
    None
}

/// "for lines with x", in a sentence that searches files.
pub(super) fn searched(c: &mut Cursor<'_, '_>) -> Option<Act> {
    let begin = (c.i, c.s.marks());
    if c.eats("for") {
        c.one_of(&["occurrences|occurrence|instances|all of"]);
        let lines = c.eats("lines|line");
        let start = c.one_of(&["that? starting|start|beginning|begin|starts|begins with"]);
        let end = !start && c.one_of(&["that? ending|end|ends with|in"]);
        let within = !start && !end && c.one_of(&["that? containing|contain|matching|with|of|match|including|contains"]);
        let told = c.one_of(&["regular? expression|regex|word|string|text|pattern|phrase|strings|letters"]);
        let regex = c.i > 0 && matches!(c.s.w[c.i - 1], "regex" | "expression");
        if (c.quoted() || lines && (start || end || within) || told) && let Some(t) = c.value() {
            let mut o = String::new();
            if c.s.any(&["case-insensitively|case-insensitive", "case insensitively|insensitive", "ignoring case"]) || c.fold {
                o.push('i');
            }
            if c.s.any(&["with|and|including line numbers|number", "line numbers|number"]) {
                o.push('n');
            }
            if start || end || regex {
                let literal = if regex { t.clone() } else { crate::free::lines::literal(&t) };
                return Some(Act::Match(if start { format!("^{literal}") } else if end { format!("{literal}$") } else { literal }, o));
            }
            return Some(Act::Grep(t, o));
        }
    }
    c.s.restore(begin.1);
    c.i = begin.0;
    None
}

/// "and print them": nothing more than what is done anyway.
fn following_print(c: &mut Cursor<'_, '_>) -> Option<Act> {
    c.eats("to standard|the|screen|stdout|console|terminal? output|screen?");
    c.eats("one per line");
    Some(Act::Head(0))
}

/// The command line for what was read.
pub(super) fn command(c: &Cursor<'_, '_>, f: &Set, acts: &[Act]) -> Option<Reading> {
    if acts.contains(&Act::Refused) {
        return None;
    }
    let acts: Vec<&Act> = acts.iter().filter(|a| **a != Act::Head(0)).collect();
    let what = f.describe();
    if !f.specific && f.tests.is_empty() && (!f.said || acts.is_empty()) {
        return None;
    }
    let find = f.find();
    let shown = f.shown();
    let changing: Vec<&&Act> = acts.iter().filter(|a| a.changes()).collect();
    if changing.len() > 1 || !changing.is_empty() && f.tests.is_empty() && matches!(changing[0], Act::Delete | Act::Move(_)) {
        return None;
    }
    let file_only = |f: &Set| {
        let mut f = f.clone();
        if f.kind.is_empty() && f.said {
            f.kind = "f";
        }
        f.find()
    };
    if let Some(change) = changing.first() {
        if acts.iter().any(|a| !a.changes() && !matches!(a, Act::Long | Act::Names)) {
            return None;
        }
        return match change {
            Act::Delete if f.kind == "d" && !f.tests.iter().any(|t| t == "-empty") => reading(format!("{find} -prune -exec rm -r -- {{}} +"), format!("Deletes the {what}.")),
            Act::Delete if f.kind.is_empty() && !f.tests.iter().any(|t| t.contains("-name") || t.contains("-iname") || t == "-xtype l") && !f.said => None,
            Act::Delete if f.kind.is_empty() => reading(format!("{find} -prune -exec rm -r -- {{}} +"), format!("Deletes the {what}.")),
            Act::Delete => reading(format!("{shown} -delete").replace(" -print -delete", " -delete"), format!("Deletes the {what}.")),
            Act::Mode(m) => reading(format!("{find} -exec chmod {} {{}} +", quote(m)), format!("Changes the permissions of the {what} to {m}.")),
            Act::Own(program, who) => reading(format!("{find} -exec {program} {} {{}} +", quote(who)), format!("Changes whose the {what} are.")),
            Act::Copy(to) | Act::Move(to) => {
                let q = if place::variable(to) { format!("\"{to}\"") } else { quote_path(to) };
                let there = place::variable(to) || c.s.world().exists(to) == Some(crate::world::Exists::Dir);
                let make = if there { String::new() } else { format!("mkdir -p {q} && ") };
                let inside = f.dir == "." && f.depth != Some(1) && !to.starts_with(['/', '~', '$']) && !to.starts_with("..");
                let not_there = if inside { format!(" ! -path {}", crate::free::set::always_quoted(&format!("./{}/*", to.trim_start_matches("./")))) } else { String::new() };
                let moves = matches!(change, Act::Move(_));
                let directories = if f.kind == "f" { "" } else { " -r" };
                let program = if moves { "mv -n".to_owned() } else { format!("cp -n{directories}") };
                reading(format!("{make}{find}{not_there} -exec {program} -t {q} {{}} +"), format!("{} the {what} to {to}.", if moves { "Moves" } else { "Copies" }))
            }
            Act::Run(line) => reading(format!("{find} -exec {line} {{}} \\;"), format!("Runs {line} on each of the {what}.")),
            Act::Replace(..) if matches!(f.kind, "d" | "l") => None,
            Act::Replace(a, b) => reading(format!("{} -exec sed -i {} {{}} +", file_only(f), quote(&format!("s/{}/{}/g", crate::free::lines::literal(a), crate::free::lines::replacement(b)))), format!("Changes the text of the {what}; what was there is lost.")),
            _ => None,
        };
    }
    let has = |a: &Act| acts.iter().any(|x| *x == a);
    let count = has(&Act::Count);
    for a in &acts {
        let o = match a {
            Act::Grep(_, o) | Act::Match(_, o) => o.as_str(),
            _ => "",
        };
        let command = match a {
            Act::Grep(t, _) if count => format!("{} -exec grep -h{o} -F -e {} {{}} + | wc -l", file_only(f), quote(t)),
            Act::Grep(t, _) => format!("{} -exec grep -H{o} -F -e {} {{}} +", file_only(f), quote(t)),
            Act::CountMatches(t) => format!("{} -exec grep -h{} -F -e {} {{}} + | wc -l", file_only(f), if c.fold { "i" } else { "" }, quote(t)),
            Act::CountEach(t) => format!("{} -exec grep -Hc{} -F -e {} {{}} +", file_only(f), if c.fold { "i" } else { "" }, quote(t)),
            Act::Match(t, _) => format!("{} -exec grep -H{o} -E -e {} {{}} +", file_only(f), quote(t)),
            Act::Lines => format!("{} -exec wc -l {{}} \\;", file_only(f)),
            Act::AllLines => format!("{} -exec cat {{}} + | wc -l", file_only(f)),
            Act::Each(program) => format!("{} -exec {program} {{}} +", file_only(f)),
            Act::Cat => format!("{} -exec cat {{}} +", file_only(f)),
            Act::Total => format!("{find} -printf '%s\\n' | awk '{{ s += $1 }} END {{ print s + 0 }}'"),
            _ => continue,
        };
        if acts.iter().any(|x| x != a && !matches!(x, Act::Count | Act::Names)) || count && !matches!(a, Act::Grep(..)) {
            return None;
        }
        return reading(command, format!("Looks into the {what}."));
    }
    let head = acts.iter().find_map(|a| match a {
        Act::Head(n) => Some(format!(" | head -n {n}")),
        Act::Tail(n) => Some(format!(" | tail -n {n}")),
        _ => None,
    }).unwrap_or_default();
    if count {
        return reading(format!("{shown} | wc -l"), format!("Counts the {what}."));
    }
    let sort = acts.iter().find_map(|a| if let Act::Sort(k, d) = a { Some((*k, *d)) } else { None });
    let mut format = String::new();
    for a in &acts {
        match a {
            Act::Sizes(_) => format.push_str("%s "),
            Act::Times => format.push_str("%TY-%Tm-%Td %TH:%TM "),
            _ => {}
        }
    }
    let long = has(&Act::Long);
    let name = if has(&Act::Names) { "%f" } else { "%p" };
    let command = match sort {
        Some((key @ ("size" | "time"), down)) => {
            let k = if key == "size" { "%s" } else { "%T@" };
            format!("{find} -printf '{k}\\t{format}{name}\\n' | sort -n{} | cut -f 2-{head}", if down { "r" } else { "" })
        }
        Some((_, down)) => {
            let base = if format.is_empty() && name == "%p" { shown } else { format!("{find} -printf '{format}{name}\\n'") };
            format!("{base} | sort{}{head}", if down { " -r" } else { "" })
        }
        None if long => format!("{find} -ls{head}"),
        None if has(&Act::Null) => format!("{find} -print0"),
        None if !format.is_empty() || name != "%p" => format!("{find} -printf '{format}{name}\\n'{head}"),
        None => format!("{shown}{head}"),
    };
    let command = if has(&Act::OneLine) { format!("{command} | paste -s -d ' '") } else { command };
    let command = if has(&Act::Absolute) && !f.dir.starts_with(['/', '~', '$']) { format!("{command} | xargs -d '\\n' realpath -s") } else { command };
    reading(command, format!("Lists the {what}."))
}
