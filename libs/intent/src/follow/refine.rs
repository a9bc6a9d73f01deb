//! The last listing, narrower, in another order, or of another place.

use actions::quote::{quote, quote_path};
use actions::shell;

use super::command::{Find, Ls, Pipeline};
use super::{Follow, Last, Said, object};
use crate::catalogue::filter::{name_tests, size_test, time_test};
use crate::entity::{Kind, SizeTest, TimeTest, kinds};
use crate::world::Exists;

const INTENT: &str = "follow.refine";
/// What "big" means where no size is said, in bytes.
const BIG: u64 = 1 << 20;
/// What "small" means.
const SMALL: u64 = 100 << 10;

/// A change of the last listing.
#[derive(Debug, Clone, PartialEq)]
enum Change {
    /// Tests of `find`, and the same in words.
    Narrow(Vec<String>, String),
    /// By what, and from the other end.
    Sort(By, bool),
    Reverse,
    Limit(u64, bool),
    Hidden(bool),
    Shallow(bool),
    Details,
    Count,
    Uncount,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Date,
    Size,
    Name,
    Cpu,
    Memory,
}

/// Whether the first words say that something goes on from before.
fn cue(said: &Said<'_>) -> bool {
    matches!(said.first(), "now" | "and" | "but" | "only" | "just" | "also" | "then" | "without" | "except" | "sorted" | "sort" | "order" | "ordered" | "newest" | "oldest" | "biggest" | "largest" | "smallest" | "reverse" | "reversed" | "in" | "with" | "not" | "no" | "count" | "how" | "recursively" | "include" | "including" | "exclude" | "hide" | "limit" | "by" | "again" | "the" | "same" | "what" | "those" | "from" | "at" | "more" | "narrow" | "keep" | "list" | "show")
}

/// Openings that alone are no sign of a follow-up: something must point back.
fn weak(said: &Said<'_>) -> bool {
    let points = said.has(&["them", "these", "those", "they", "ones", "it", "same", "that", "again", "instead"]);
    match said.first() {
        "how" | "list" | "show" | "count" | "no" | "what" | "in" | "with" | "the" | "from" | "at" | "hide" | "include" | "keep" | "sort" | "order" if !points => {
            !(said.first() == "in" && said.has(&["reverse", "order"]) || said.first() == "with" && said.has(&["details", "sizes", "hidden"]) || said.first() == "what" && said.has(&["about"]) || matches!(said.first(), "how") && said.has(&["about"]) || matches!(said.first(), "the") && said.has(&["first"]) && said.words.len() <= 3 || matches!(said.first(), "sort" | "order") && said.words.get(1).is_some_and(|w| w == "by") || said.phrase(&["how", "many", "are", "there"]) && said.words.len() == 4)
        }
        _ => false,
    }
}

/// Understands a refinement of the last listing.
pub fn read(said: &Said<'_>, last: &Last<'_>) -> Option<Follow> {
    if !cue(said) || weak(said) {
        return None;
    }
    if let Some(f) = elsewhere(said, last) {
        return Some(f);
    }
    let changes = changes(said);
    if changes.is_empty() {
        return None;
    }
    let mut command = last.command.to_owned();
    let mut words: Vec<String> = Vec::new();
    for c in &changes {
        command = apply(&command, c)?;
        words.push(describe(c));
    }
    if command == last.command {
        return None;
    }
    Some(Follow::Command(INTENT, command, format!("The same, {}.", words.join(", "))))
}

/// "The same in /var", "now for b.txt", "what about alice".
fn elsewhere(said: &Said<'_>, last: &Last<'_>) -> Option<Follow> {
    let same = said.has(&["same", "again"]) || said.phrase(&["what", "about"]) || said.phrase(&["how", "about"]);
    let place_word = said.words.iter().position(|w| matches!(w.as_str(), "in" | "for" | "below" | "under" | "of" | "with" | "on" | "inside" | "about" | "from"))?;
    // "now only the big ones in docs" is narrower, and elsewhere; only the plain form is meant here.
    let onward = matches!(said.first(), "now" | "and" | "but" | "then") && place_word <= 2;
    if !same && !onward {
        return None;
    }
    if !same && said.words.get(place_word + 1).is_some_and(|w| matches!(w.as_str(), "reverse" | "details" | "hidden" | "order")) {
        return None;
    }
    let target = said
        .request
        .dir()
        .or_else(|| said.request.take(|k| match k {
            Kind::Path(p) | Kind::Quoted(p) | Kind::User(p) => Some(p.clone()),
            Kind::Num(n) => Some(n.to_string()),
            _ => None,
        }))
        .or_else(|| {
            let word = said.words.get(place_word + 1..)?.iter().find(|w| !matches!(w.as_str(), "the" | "folder" | "directory" | "file" | "user" | "my"))?;
            last.world.exists(word).map(|_| word.clone())
        })?;
    let directory = last.world.exists(&target) == Some(Exists::Dir) || target.starts_with(['/', '~']) || target == "..";
    let mut pipeline = Pipeline::parse(last.command)?;
    let why = format!("The same for {target}.");
    if let Some(mut find) = pipeline.find().filter(|_| directory) {
        find.dir = quote_path(&target);
        // The noise of unreadable directories and other disks is kept away where it must come.
        find.tests.retain(|t| t != "-xdev");
        find.end.clear();
        if target == "/" {
            find.tests.insert(0, "-xdev".into());
            find.end = vec!["2>/dev/null".into()];
        }
        pipeline.set_find(&find);
        return Some(Follow::Command(INTENT, pipeline.text(), why));
    }
    if let Some(mut ls) = Ls::parse(&pipeline).filter(|_| directory) {
        ls.dir = quote_path(&target);
        pipeline.stages[0] = ls.text();
        return Some(Follow::Command(INTENT, pipeline.text(), why));
    }
    // Any other command: its last operand, where that is of the same make.
    let script = shell::parse(&pipeline.stages[0]).ok()?;
    let one = script.invocations.first()?;
    let operands = object::operands(one);
    let old = operands.last()?;
    let number = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if number(old) != number(&target) {
        return None;
    }
    let raw = one.words.iter().rev().find(|w| w.text == *old)?.raw.clone();
    let at = pipeline.stages[0].rfind(&raw)?;
    pipeline.stages[0].replace_range(at..at + raw.len(), &quote_path(&target));
    Some(Follow::Command(INTENT, pipeline.text(), why))
}

/// All that is asked for, in the order in which it must be done.
fn changes(said: &Said<'_>) -> Vec<Change> {
    let mut all = Vec::new();
    let negated = said.has(&["without", "except", "not", "no", "exclude", "excluding", "hide", "but"]) && !said.phrase(&["not", "only"]) && (said.first() != "but" || said.has(&["without", "not", "no", "except"]));
    let narrow = |tests: String, words: String| Change::Narrow(super::command::words(&tests), words);
    let test = |tests: String, words: String| if negated { narrow(format!("! {tests}"), format!("without those {words}")) } else { narrow(tests, format!("only those {words}")) };
    let sorting = said.has(&["sorted", "sort", "order", "ordered", "by"]) || said.has(&["first"]) && said.has(&["newest", "oldest", "biggest", "largest", "smallest", "latest"]);
    if said.has(&["hidden"]) {
        all.push(Change::Hidden(!negated));
    }
    if said.has(&["subfolders", "subdirectories", "recursively", "recursive", "deeper", "below"]) {
        all.push(Change::Shallow(negated));
    } else if said.first() == "only" && said.words.len() <= 3 && said.has(&["here"]) {
        all.push(Change::Shallow(true));
    }
    for e in &said.request.entities {
        match &e.kind {
            Kind::Size(s) => {
                // "over 5 MB" after "only": a bare size is a lower bound.
                let s = if let SizeTest::Plain(b) = s { SizeTest::Over(*b) } else { *s };
                let (t, w) = size_test(s);
                all.push(test(t, w));
            }
            Kind::Time(t) => {
                let (t, w) = time_test(t, 'm', "changed");
                all.push(test(t, w));
            }
            Kind::Ext(patterns, word) => {
                let (t, w) = (name_tests(patterns), format!("that are {word}"));
                all.push(if negated && patterns.len() > 1 { narrow(format!("! {t}"), format!("without those {w}")) } else { test(t, w) });
            }
            Kind::Glob(g) => all.push(test(name_tests(std::slice::from_ref(g)), format!("named {g}"))),
            Kind::User(u) if said.has(&["of", "owned", "by", "belonging", "from"]) => all.push(test(format!("-user {}", quote(u)), format!("of {u}"))),
            _ => {}
        }
    }
    // "only the logs": a kind of file that would be too short a word anywhere else.
    if matches!(said.first(), "only" | "just" | "without" | "except" | "now" | "but")
        && !said.request.entities.iter().any(|e| matches!(e.kind, Kind::Ext(..)))
        && let Some(word) = said.words.last().filter(|w| w.len() > 2 && w.ends_with('s') && said.words.len() <= 5)
        && let Some(patterns) = kinds::patterns(word)
    {
        all.push(test(name_tests(&patterns), format!("that are {word}")));
    }
    if let Some(text) = named(said) {
        all.push(test(format!("-iname {}", quoted_always(&format!("*{text}*"))), format!("with {text} in the name")));
    }
    if said.has(&["mine"]) {
        all.push(test("-user \"$USER\"".into(), "of yours".into()));
    }
    let sized = said.request.entities.iter().any(|e| matches!(e.kind, Kind::Size(_)));
    let dated = said.request.entities.iter().any(|e| matches!(e.kind, Kind::Time(_)));
    if !sorting {
        if !sized && said.has(&["big", "large", "huge", "bigger", "larger", "heavy"]) {
            let (t, w) = size_test(SizeTest::Over(BIG));
            all.push(test(t, w));
        }
        if !sized && said.has(&["small", "little", "tiny", "smaller"]) {
            let (t, w) = size_test(SizeTest::Under(SMALL));
            all.push(test(t, w));
        }
        if said.has(&["empty"]) {
            all.push(test("-empty".into(), "that are empty".into()));
        }
        if !dated && said.has(&["new", "recent", "newer", "fresh"]) {
            let (t, w) = time_test(&TimeTest::WithinDays(7), 'm', "changed");
            all.push(test(t, w));
        }
        if !dated && said.has(&["old", "older", "ancient"]) {
            let (t, w) = time_test(&TimeTest::BeforeDays(30), 'm', "changed");
            all.push(test(t, w));
        }
        if said.has(&["folders", "directories", "dirs"]) {
            all.push(test("-type d".into(), "that are directories".into()));
        } else if said.has(&["files"]) && said.has(&["only", "just"]) && all.is_empty() {
            all.push(test("-type f".into(), "that are files".into()));
        }
        if said.has(&["executable", "executables"]) {
            all.push(test("-executable".into(), "that can be run".into()));
        }
    }
    let descending = !said.has(&["oldest", "smallest", "least", "ascending"]);
    if sorting || said.has(&["newest", "oldest", "biggest", "largest", "smallest"]) && said.has(&["first", "top"]) {
        let by = if said.has(&["date", "time", "age", "newest", "oldest", "latest", "modified", "modification", "recent"]) {
            Some(By::Date)
        } else if said.has(&["memory", "ram", "mem"]) {
            Some(By::Memory)
        } else if said.has(&["cpu", "processor", "load"]) {
            Some(By::Cpu)
        } else if said.has(&["size", "sizes", "biggest", "largest", "smallest", "big"]) {
            Some(By::Size)
        } else if said.has(&["name", "names", "alphabetically", "alphabet", "alphabetical"]) {
            Some(By::Name)
        } else {
            None
        };
        if let Some(by) = by {
            all.push(Change::Sort(by, !descending || said.has(&["reverse", "reversed", "descending"]) && by == By::Name));
        }
    }
    if said.has(&["reverse", "reversed", "backwards"]) && !all.iter().any(|c| matches!(c, Change::Sort(By::Name, true))) {
        all.push(Change::Reverse);
    }
    // "the last 3 days" are no limit.
    if let Some((n, end)) = limit(said).filter(|_| !dated) {
        all.push(Change::Limit(n, end));
    }
    if said.has(&["details", "sizes", "dates", "permissions", "owners"]) && !sorting {
        all.push(Change::Details);
    }
    if (said.has(&["count"]) && said.has(&["them", "those", "these", "it"]) || said.phrase(&["how", "many"]) && said.has(&["are", "is"])) && !said.has(&["lines", "words"]) {
        all.push(Change::Count);
    }
    if matches!(said.first(), "show" | "list" | "which" | "what") && said.has(&["them", "those", "these"]) && all.is_empty() {
        all.push(Change::Uncount);
    }
    all
}

/// "only the first 3", "just the top five", "the last two".
fn limit(said: &Said<'_>) -> Option<(u64, bool)> {
    let i = said.words.iter().position(|w| matches!(w.as_str(), "first" | "top" | "last" | "limit"))?;
    let n = said.words[i + 1..].iter().take(2).find_map(|w| w.parse::<u64>().ok()).or_else(|| (i > 0).then(|| said.words[i - 1].parse().ok()).flatten());
    let end = said.words[i] == "last";
    match n {
        Some(n) if n > 0 => Some((n, end)),
        _ if matches!(said.words[i].as_str(), "first" | "last") && said.words.get(i + 1).is_none_or(|w| w == "one") && said.has(&["only", "just"]) => Some((1, end)),
        _ => None,
    }
}

/// "with report in the name", "called x", "named x".
fn named(said: &Said<'_>) -> Option<String> {
    let w = &said.words;
    let after = |i: usize| w.get(i + 1..)?.iter().find(|x| !matches!(x.as_str(), "the" | "word" | "text")).cloned();
    if said.phrase(&["in", "the", "name"]) || said.phrase(&["in", "their", "name"]) || said.phrase(&["in", "their", "names"]) || said.phrase(&["in", "name"]) {
        let i = w.iter().position(|x| matches!(x.as_str(), "with" | "having" | "have" | "without"))?;
        return after(i);
    }
    let i = w.iter().position(|x| matches!(x.as_str(), "called" | "named" | "matching"))?;
    after(i)
}

fn quoted_always(text: &str) -> String {
    let q = quote(text);
    if q.starts_with('\'') { q } else { format!("'{q}'") }
}

fn describe(c: &Change) -> String {
    match c {
        Change::Narrow(_, words) => words.clone(),
        Change::Sort(By::Date, false) => "newest first".into(),
        Change::Sort(By::Date, true) => "oldest first".into(),
        Change::Sort(By::Size, false) => "biggest first".into(),
        Change::Sort(By::Size, true) => "smallest first".into(),
        Change::Sort(By::Name, false) => "by name".into(),
        Change::Sort(By::Name, true) => "by name, from the end".into(),
        Change::Sort(By::Cpu, _) => "by processor time".into(),
        Change::Sort(By::Memory, _) => "by memory".into(),
        Change::Reverse => "the other way round".into(),
        Change::Limit(n, false) => format!("only the first {n}"),
        Change::Limit(n, true) => format!("only the last {n}"),
        Change::Hidden(true) => "with the hidden ones".into(),
        Change::Hidden(false) => "without the hidden ones".into(),
        Change::Shallow(true) => "not deeper than this directory".into(),
        Change::Shallow(false) => "with all below".into(),
        Change::Details => "with details".into(),
        Change::Count => "counted".into(),
        Change::Uncount => "listed".into(),
    }
}

/// The command with one change; `None` where it cannot be changed so.
fn apply(command: &str, change: &Change) -> Option<String> {
    let mut p = Pipeline::parse(command)?;
    let ls = Ls::parse(&p).filter(|_| p.stages.len() == 1 || p.stages[1..].iter().all(|s| s.starts_with("head ") || s.starts_with("tail ")));
    let find = p.find().filter(|f| !f.action.iter().any(|a| a == "-delete"));
    match change {
        Change::Narrow(tests, _) => {
            let mut f = find.or_else(|| ls.as_ref().map(Ls::as_find))?;
            f.test(&tests.iter().map(String::as_str).collect::<Vec<_>>());
            if let Some(ls) = &ls {
                // The order of the listing stays.
                p.set_find(&f);
                let by = if ls.letters.contains('t') { Some(By::Date) } else if ls.letters.contains('S') { Some(By::Size) } else { None };
                let rest = p.stages.split_off(1);
                match by {
                    Some(by) => sort_find(&mut p, by, ls.letters.contains('r'))?,
                    None if ls.letters.contains('l') => details(&mut p, &mut f),
                    None => {}
                }
                p.stages.extend(rest);
            } else {
                p.set_find(&f);
            }
        }
        Change::Sort(by, reversed) => match (by, ls) {
            (By::Date | By::Size | By::Name, Some(mut ls)) => {
                ls.letters.retain(|c| !"tSr".contains(c));
                match by {
                    By::Date => ls.letters.push('t'),
                    By::Size => ls.letters.push('S'),
                    _ => {}
                }
                if *by != By::Name && !ls.letters.contains('l') {
                    ls.letters.insert(0, 'l');
                }
                if *by == By::Size && !ls.letters.contains('h') {
                    ls.letters.push('h');
                }
                if *reversed {
                    ls.letters.push('r');
                }
                p.stages[0] = ls.text();
            }
            (By::Date | By::Size | By::Name, None) => {
                find?;
                sort_find(&mut p, *by, *reversed)?;
            }
            (By::Cpu | By::Memory, _) => {
                if p.program() != "ps" {
                    return None;
                }
                let key = if *by == By::Cpu { "-%cpu" } else { "-%mem" };
                let mut words: Vec<String> = super::command::words(&p.stages[0]).into_iter().filter(|w| !w.starts_with("--sort")).collect();
                words.push(format!("--sort={key}"));
                p.stages[0] = words.join(" ");
            }
        },
        Change::Reverse => {
            if let Some(mut ls) = ls {
                if ls.letters.contains('r') { ls.letters.retain(|c| c != 'r') } else { ls.letters.push('r') }
                p.stages[0] = ls.text();
            } else if let Some(s) = p.stages.iter_mut().find(|s| s.as_str() == "sort" || s.starts_with("sort -")) {
                let letters: String = s.trim_start_matches("sort").trim_start_matches([' ', '-']).to_owned();
                if !letters.chars().all(char::is_alphanumeric) {
                    return None;
                }
                let turned: String = if letters.contains('r') { letters.replace('r', "") } else { format!("r{letters}") };
                *s = if turned.is_empty() { "sort".into() } else { format!("sort -{turned}") };
            } else {
                p.stages.push("tac".into());
            }
        }
        Change::Limit(n, end) => {
            if !matches!(p.program(), "ls" | "find" | "ps" | "du" | "grep" | "cat" | "sort" | "history") {
                return None;
            }
            p.limit(*n, *end);
        }
        Change::Hidden(with) => {
            if let Some(mut ls) = ls {
                ls.letters.retain(|c| !"aA".contains(c));
                if *with {
                    ls.letters.push('A');
                }
                p.stages[0] = ls.text();
            } else {
                let mut f = find?;
                let hidden = ["!", "-name", "'.*'"];
                if *with {
                    let at = f.tests.windows(3).position(|w| w.iter().zip(hidden).all(|(a, b)| a == b))?;
                    f.tests.drain(at..at + 3);
                } else {
                    f.test(&["!", "-path", "'*/.*'"]);
                }
                p.set_find(&f);
            }
        }
        Change::Shallow(shallow) => match (ls, find) {
            (Some(mut ls), _) => {
                ls.letters.retain(|c| c != 'R');
                if !shallow {
                    ls.letters.push('R');
                }
                p.stages[0] = ls.text();
            }
            (None, Some(mut f)) => {
                f.drop_test("-maxdepth");
                if *shallow {
                    f.test(&["-maxdepth", "1"]);
                }
                p.set_find(&f);
            }
            _ => return None,
        },
        Change::Details => {
            if let Some(mut ls) = ls {
                for l in ['l', 'h'] {
                    if !ls.letters.contains(l) {
                        ls.letters.push(l);
                    }
                }
                p.stages[0] = ls.text();
            } else {
                let mut f = find?;
                details(&mut p, &mut f);
            }
        }
        Change::Count => {
            if p.stages.last().is_some_and(|s| s.starts_with("wc ")) || !matches!(p.program(), "find" | "ls" | "grep" | "ps") {
                return None;
            }
            if p.program() == "ps" {
                p.stages.push("tail -n +2".into());
            }
            p.stages.push("wc -l".into());
        }
        Change::Uncount => {
            if !p.stages.last()?.starts_with("wc ") || p.stages.len() < 2 {
                return None;
            }
            p.stages.pop();
        }
    }
    Some(p.text())
}

/// `find` with a line for each as `ls -l` has it.
fn details(p: &mut Pipeline, f: &mut Find) {
    f.action = ["-exec", "ls", "-ldh", "--", "{}", "+"].map(str::to_owned).to_vec();
    p.without(&["sort", "numfmt"]);
    p.set_find(f);
}

fn sort_find(p: &mut Pipeline, by: By, reversed: bool) -> Option<()> {
    let mut f = p.find()?;
    if f.action.iter().any(|a| a == "-exec") && by != By::Name {
        f.action.clear();
    }
    p.without(&["sort", "numfmt", "tac"]);
    let rest = p.stages.split_off(1);
    let (print, sort): (Option<&str>, &str) = match by {
        By::Date => (Some("'%TY-%Tm-%Td %TH:%TM  %p\\n'"), if reversed { "sort" } else { "sort -r" }),
        By::Size => (Some("'%s\\t%p\\n'"), if reversed { "sort -n" } else { "sort -rn" }),
        _ => (None, if reversed { "sort -r" } else { "sort" }),
    };
    if f.action.is_empty() || f.action[0].starts_with("-print") {
        f.action = print.map_or_else(Vec::new, |print| vec!["-printf".into(), print.into()]);
    }
    p.set_find(&f);
    p.stages.push(sort.into());
    p.stages.extend(rest);
    if by == By::Size {
        p.stages.push("numfmt --to=iec".into());
    }
    Some(())
}
