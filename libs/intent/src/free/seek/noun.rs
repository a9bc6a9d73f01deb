//! The files that a sentence is about: their kind, and all that is said of them.

use actions::quote::quote;

use super::cursor::Cursor;
use super::{dates, place};
use crate::catalogue::filter::size_test;
use crate::entity::{Kind, SizeTest};
use crate::free::set::{Set, always_quoted, plain_pattern};

/// Adds a test, turned round or as another way to pass the last one where the cursor says so.
pub(super) fn add(c: &mut Cursor<'_, '_>, f: &mut Set, test: String, words: String) {
    let several = test.contains(" -") && !test.starts_with("\\(") && !test.contains("-exec");
    let test = match (c.not, several) {
        (true, true) => format!("! \\( {test} \\)"),
        (true, false) => test.strip_prefix("! ").map_or_else(|| format!("! {test}"), str::to_owned),
        _ => test,
    };
    let words = if c.not { format!("not {words}") } else { words };
    c.not = false;
    if c.or && let Some(last) = f.tests.pop() {
        let inner = last.strip_prefix("\\( ").and_then(|l| l.strip_suffix(" \\)")).filter(|l| l.contains(" -o ")).map_or(last.clone(), str::to_owned);
        f.tests.push(format!("\\( {inner} -o {test} \\)"));
        f.words.push(format!("or {words}"));
    } else {
        f.push(test, words);
    }
    c.or = false;
}

/// A test for names of this pattern.
fn name(c: &mut Cursor<'_, '_>, f: &mut Set, pattern: &str, words: &str) {
    let whole = pattern.contains('/');
    let pattern = if whole && !pattern.starts_with(['*', '/', '.']) { format!("*/{pattern}") } else { pattern.to_owned() };
    add(c, f, format!("-{} {}", if whole { "path" } else { "name" }, always_quoted(&pattern)), words.to_owned());
}

const THING: &str = "letter|letters|word|words|string|strings|text|name|character|characters|prefix|suffix|substring|phrase|sequence|digit|keyword|pattern|patterns|extension|either";
/// What a file may hold.
const TEXT: &str = "letter|letters|word|words|string|strings|text|character|characters|substring|phrase|sequence|keyword|pattern|patterns|either";
const NAME: &str = "name|names|filename|filenames|basename|basenames|title|titles";

/// What a list of values goes on with: "or b", "and c".
fn another(c: &mut Cursor<'_, '_>) -> Option<String> {
    let begin = (c.i, c.s.marks());
    let joined = c.one_of(&["and|or"]);
    c.eats(THING);
    let quoted = c.quoted() && c.s.free(c.i);
    let raw = if c.done() { "" } else { c.s.raw(c.i) };
    let dotted = raw.starts_with('.') || raw.starts_with('*') || joined && raw.contains('.');
    let v = if quoted || dotted { c.value() } else { None };
    if v.is_none() {
        c.s.restore(begin.1);
        c.i = begin.0;
    }
    v
}

/// All values of a list as one test.
fn names(c: &mut Cursor<'_, '_>, f: &mut Set, first: String, form: &dyn Fn(&str) -> String, words: &str) {
    let mut all = vec![first];
    folds(c);
    while let Some(v) = another(c) {
        all.push(v);
        folds(c);
    }
    c.eats("respectively|extension|extensions|suffix");
    let (not, begin_or) = (c.not, c.or);
    if all.len() == 1 {
        let p = form(&all[0]);
        name(c, f, &p, &format!("{words} {}", all[0]));
        return;
    }
    let tests: Vec<String> = all.iter().map(|v| format!("-name {}", always_quoted(&form(v)))).collect();
    c.not = false;
    c.or = begin_or;
    let test = format!("\\( {} \\)", tests.join(" -o "));
    add(c, f, if not { format!("! {test}") } else { test }, format!("{}{words} {}", if not { "not " } else { "" }, all.join(" or ")));
}

/// "(case insensitive)" behind a name.
fn folds(c: &mut Cursor<'_, '_>) {
    c.fold |= c.one_of(&["in? case insensitive|insensitively search|manner|mode|way|match?", "case-insensitive|case-insensitively search|match?", "ignoring|ignore case", "regardless of case"]);
}

/// A value as a pattern: its own wildcards stay.
fn wild(v: &str) -> String {
    if v.contains(['*', '?', '[']) { v.to_owned() } else { plain_pattern(v) }
}

/// The same as a part of a name: what is nothing but stars means them.
fn part(v: &str) -> String {
    let bare = v.trim_matches('*');
    if bare.is_empty() { plain_pattern(v) } else { wild(bare) }
}

fn extension(v: &str) -> String {
    let bare = v.trim_start_matches('*').trim_start_matches('.');
    if v.contains(['*', '?', '[']) && !v.starts_with("*.") { v.to_owned() } else if !bare.contains(char::is_alphanumeric) { format!("*{}", plain_pattern(bare)) } else { format!("*.{}", plain_pattern(bare)) }
}

/// What is said of names.
pub(super) fn named(c: &mut Cursor<'_, '_>, f: &mut Set) -> bool {
    let begin = (c.i, c.s.marks());
    if c.eats("that|which|who") {
        c.eats("have|has|had");
    } else {
        c.eats("whose|where|with|having|have|has|by|their|its|in|as");
    }
    c.eats("file|full|base|whole|path?");
    let about = c.eats(NAME) || c.eats("path|paths|pathname|pathnames") || std::mem::take(&mut c.of_names);
    let on_path = about && c.s.w[begin.0..c.i].iter().any(|w| w.starts_with("path"));
    if about {
        c.one_of(&["is|are|do|does|that|which not", "that|which|is|are? not?"]);
        if c.i > 0 && c.s.w[c.i - 1] == "not" {
            c.not = true;
        }
    }
    let verb = "start|starts|starting|begin|begins|beginning|started|prefixed";
    let ends = "end|ends|ending|ended|suffixed|finish|finishing|finishes|terminating";
    let form: Option<(&str, &str)> = if c.one_of(&[&format!("{verb} with|by|from?"), "with prefix", "prefix"]) {
        Some(("{}*", "beginning with"))
    } else if c.one_of(&[&format!("{ends} with|in|by|on"), &format!("{ends}")]) {
        Some(("*{}", "ending in"))
    } else if c.one_of(&[&format!("match|matches|matching|matched|like|follow|following|satisfying with|against? shell|glob|wildcard|file|name? {THING}?")]) {
        Some(("{}", "matching"))
    } else if about && c.one_of(&[&format!("contain|contains|containing|include|includes|including|having|has|have")]) {
        Some(("*{}*", "containing"))
    } else if !about && c.one_of(&["named|called|titled exactly|as|like?"]) || about && c.one_of(&["equal|equals|exactly to?", "of|=|as"]) {
        Some(("{}", "named"))
    } else if about {
        Some(("{}", "named"))
    } else {
        None
    };
    let extended = form.is_none() && c.one_of(&["file? extension|extensions|suffix|suffixes of|is|are|like|either?", "of? type|types"]);
    if extended && c.s.w[c.i - 1].starts_with("type") && !c.done() && (c.is("f|d|l|file|directory") || c.quoted() && c.s.raw(c.i).len() == 1) {
        c.s.restore(begin.1);
        c.i = begin.0;
        return false;
    }
    if extended && let Some(v) = c.value().map(|v| v.trim().to_owned()) {
        names(c, f, v, &|v| extension(v), "with the ending");
        return true;
    }
    let Some((form, words)) = form else {
        // "x in their names", ".txt extension".
        c.s.restore(begin.1.clone());
        c.i = begin.0;
        c.eats("that|which|who");
        c.eats("with|having|have|has|contain|contains|containing|include|including");
        if let Some(text) = class(c) {
            if c.one_of(&[&format!("in|inside|within|as part? of|in? file|full|base|path? {NAME}")]) {
                name(c, f, &format!("*{text}*"), "with such characters in their names");
                return true;
            }
            c.s.restore(begin.1);
            c.i = begin.0;
            return false;
        }
        c.eats(THING);
        if let Some(v) = c.value().map(|v| v.trim().to_owned()) {
            folds(c);
            let told = c.i;
            if c.one_of(&[&format!("in|inside|within|as|anywhere? part? of|in? file|full|base|path? {NAME}"), &format!("in|inside file {NAME}")]) {
                if c.s.w[told..c.i].contains(&"path") {
                    add(c, f, format!("-path {}", always_quoted(&format!("*{}*", plain_pattern(v.trim_matches('*'))))), format!("with {v} in their paths"));
                    return true;
                }
                name(c, f, &format!("*{}*", plain_pattern(v.trim_matches('*'))), &format!("with {v} in their names"));
                return true;
            }
            if c.one_of(&["in|inside|within|as|of|part? full? paths|path|pathnames|pathname"]) {
                add(c, f, format!("-path {}", always_quoted(&format!("*{}*", plain_pattern(v.trim_matches('*'))))), format!("with {v} in their paths"));
                return true;
            }
            let verb = matches!(v.to_lowercase().as_str(), "strip" | "change" | "remove" | "same" | "different" | "no" | "new" | "given" | "other" | "display" | "add");
            if c.one_of(&["file? extension|extensions|suffix|suffixes|ending"]) && v.len() < 16 && !verb {
                names(c, f, v, &|v| extension(v), "with the ending");
                return true;
            }
            if matches!(c.word(), "and" | "or") && (v.starts_with('.') || v.starts_with("*.")) {
                let mut all = vec![v.clone()];
                while let Some(v) = another(c) {
                    all.push(v);
                }
                let told = c.one_of(&["file? extensions|extension|suffix|suffixes", "files|file"]);
                if told && all.len() > 1 {
                    let mut all = all.into_iter();
                    let first = all.next().unwrap_or_default();
                    let tests: Vec<String> = std::iter::once(first).chain(all).map(|v| format!("-name {}", always_quoted(&extension(&v)))).collect();
                    let test = format!("\\( {} \\)", tests.join(" -o "));
                    add(c, f, test, "with these endings".into());
                    return true;
                }
            }
        }
        c.s.restore(begin.1);
        c.i = begin.0;
        return false;
    };
    // "start with a digit", "begin with an uppercase letter".
    if words != "named" && let Some(text) = class(c) {
        name(c, f, &form.replace("{}", text), words);
        goes_on(c);
        return true;
    }
    c.eats("regular? expression|regex|regexp|glob|wildcard");
    c.eats(THING);
    let on_path = on_path || c.eats("path|pathname|paths");
    let Some(v) = c.value() else {
        c.s.restore(begin.1);
        c.i = begin.0;
        return false;
    };
    // "matching x in their contents".
    if c.peek("in|inside|within its|their|the? content|contents|text|body").is_some() {
        c.s.restore(begin.1);
        c.i = begin.0;
        return false;
    }
    let regex = c.s.w[begin.0..c.i].iter().any(|w| matches!(*w, "regex" | "regexp" | "expression"));
    if regex {
        add(c, f, format!("-regextype posix-extended -regex {}", always_quoted(&v)), format!("with a path matching {v}"));
        return true;
    }
    if on_path && form != "{}" || on_path && v.contains('*') {
        add(c, f, format!("-path {}", always_quoted(&if form == "{}" { v.clone() } else { form.replace("{}", &wild(&v)) })), format!("with a path {words} {v}"));
        return true;
    }
    // "ending with jpg": of files, that is their kind.
    if words == "ending in" && !about && !v.contains(['.', '*', '~', '_', '-']) && crate::entity::kinds::patterns(&v.to_lowercase()).is_some() {
        names(c, f, v, &|v| extension(v), words);
        return true;
    }
    let form = form.to_owned();
    let made = move |v: &str| if form == "{}" { wild(v) } else { form.replace("{}", &part(v)) };
    // "start with x and end in y".
    if words == "beginning with" && c.one_of(&[&format!("and|but {ends} with|in|by {THING}?")]) && let Some(end) = c.value() {
        name(c, f, &format!("{}*{}", wild(v.trim_end_matches('*')), wild(end.trim_start_matches('*'))), &format!("beginning with {v} and ending in {end}"));
    } else {
        names(c, f, v, &made, words);
    }
    c.one_of(&[&format!("in|as their|its? {NAME}"), "by name"]);
    if words != "named" && words != "matching" {
        goes_on(c);
    }
    true
}

/// A kind of characters by its name, as a pattern.
fn class(c: &mut Cursor<'_, '_>) -> Option<&'static str> {
    const CLASSES: [(&str, &str); 12] = [("colon|colons", ":"), ("comma|commas", ","), ("semicolon|semicolons", ";"), ("digit|digits|number|numbers|numeral", "[0-9]"), ("uppercase|capital letter|letters?", "[A-Z]"), ("lowercase letter|letters?", "[a-z]"), ("letter|alphabet", "[A-Za-z]"), ("dot|period", "."), ("underscore|underscores", "_"), ("white|blank? space|spaces|blank|blanks|whitespace|whitespaces character|characters?", "[[:space:]]"), ("tilde", "~"), ("hyphen|dash", "-")];
    if c.quoted() {
        return None;
    }
    // "letter 'a'" names it.
    let begin = (c.i, c.s.marks());
    let found = CLASSES.iter().find(|(w, _)| c.one_of(&[w])).map(|(_, class)| *class)?;
    // So does "letter x", "number 5".
    let single = !c.done() && c.s.raw(c.i).chars().count() == 1;
    if (c.quoted() || single) && c.s.free(c.i) {
        c.s.restore(begin.1);
        c.i = begin.0;
        return None;
    }
    Some(found)
}

/// "and contain y", behind something that was said of names.
fn goes_on(c: &mut Cursor<'_, '_>) {
    if !c.done() && c.peek("and|but|or contain|contains|containing|include|includes|including").is_some() {
        c.or = c.word() == "or";
        c.cross();
        c.of_names = true;
    }
}

fn permissions(c: &mut Cursor<'_, '_>, f: &mut Set) -> bool {
    let begin = (c.i, c.s.marks());
    c.eats("with|having|have|has|whose|of|that|which");
    c.eats("all|any|only|exactly|full");
    c.eats("is|are|not");
    if c.i > 0 && c.s.w[c.i - 1] == "not" {
        c.not = true;
    }
    let octal = |c: &Cursor<'_, '_>| !c.done() && (3..=4).contains(&c.s.raw(c.i).len()) && c.s.raw(c.i).bytes().all(|b| (b'0'..=b'7').contains(&b)) && c.s.free(c.i);
    if c.one_of(&["file? permissions|permission|mode|perms|perm|rights|access set|are|is|equal|of|as|like? not? to|exactly|equal?"]) && octal(c) {
        if c.s.w[begin.0..c.i].contains(&"not") {
            c.not = true;
        }
        let n = c.s.raw(c.i).to_owned();
        c.cross();
        add(c, f, format!("-perm {n}"), format!("with permissions {n}"));
        return true;
    }
    if octal(c) && c.s.w.get(c.i + 1).is_some_and(|w| matches!(*w, "permission" | "permissions" | "mode" | "perms" | "rights" | "access")) {
        let n = c.s.raw(c.i).to_owned();
        c.cross();
        c.cross();
        add(c, f, format!("-perm {n}"), format!("with permissions {n}"));
        return true;
    }
    if c.one_of(&["setuid|suid|set-uid|set-user-id bit|files|file? set|enabled|on?", "set uid|user id? bit? set|enabled?", "uid bit set"]) {
        add(c, f, "-perm -4000".into(), "with the set-user-id bit".into());
        return true;
    }
    if c.one_of(&["setgid|sgid|set-gid bit? set|enabled?", "set gid|group id? bit? set?"]) {
        add(c, f, "-perm -2000".into(), "with the set-group-id bit".into());
        return true;
    }
    if c.one_of(&["sticky bit? set?"]) {
        add(c, f, "-perm -1000".into(), "with the sticky bit".into());
        return true;
    }
    if c.one_of(&["world-writable|world-writeable", "world writable|writeable"]) {
        add(c, f, "-perm -o+w".into(), "that everybody may write".into());
        return true;
    }
    if c.one_of(&["world-readable", "world readable"]) {
        add(c, f, "-perm -o+r".into(), "that everybody may read".into());
        return true;
    }
    // "writable by the group", "read permission for others".
    let mut rights = String::new();
    let mut adjective = false;
    loop {
        let hit = [("read|readable", 'r'), ("write|writable|writeable", 'w'), ("execute|executable|execution|executed", 'x')].into_iter().find(|(w, _)| c.eats(&format!("can|may|be? {w}")));
        let Some((_, letter)) = hit else { break };
        adjective |= c.s.w[c.i - 1].ends_with("able");
        rights.push(letter);
        c.eats("and|or");
    }
    if rights.is_empty() {
        c.s.restore(begin.1);
        c.i = begin.0;
        return false;
    }
    let told = c.one_of(&["permission|permissions|access|rights|bit|bits set?"]);
    c.one_of(&["by|for|to|of|set|on"]);
    let mut who = String::new();
    let mut either = c.eats("either");
    while let Some((_, letter)) = [("owner|owners|user|its", 'u'), ("group|groups", 'g'), ("others|other|world|public users|people?", 'o'), ("everyone|everybody|anyone|anybody|all|somebody|users|people|someone users?", 'a')].into_iter().find(|(w, _)| c.eats(w)) {
        who.push(letter);
        c.articles();
        let joint = c.word();
        if c.eats("and|or") && joint == "or" {
            either = true;
        }
    }
    if !adjective && !told || who.is_empty() && !told && rights != "x" {
        c.s.restore(begin.1);
        c.i = begin.0;
        return false;
    }
    let test = match (who.as_str(), rights.as_str()) {
        ("" | "a", "x") => "-perm /111".to_owned(),
        ("" | "a", r) => format!("-perm -a+{r}"),
        // "group or others": one of them is enough.
        (w, r) => format!("-perm {}{w}+{r}", if either && w.len() > 1 { '/' } else { '-' }),
    };
    add(c, f, test, format!("with {rights} for {}", if who.is_empty() { "all" } else { &who }));
    true
}

fn owner(c: &mut Cursor<'_, '_>, f: &mut Set) -> bool {
    let begin = (c.i, c.s.marks());
    if c.one_of(&["with|having|have|has|belonging|belong|owned to|by? no|nonexistent|unknown|without user|owner", "not belonging|belong|owned to|by any user"]) {
        add(c, f, "-nouser".into(), "of nobody".into());
        return true;
    }
    if c.one_of(&["with|having|have|has|belonging|belong to? no|nonexistent group", "not belonging|belong to any group"]) {
        add(c, f, "-nogroup".into(), "of no group".into());
        return true;
    }
    let led = c.one_of(&["owned|owner by|is", "belong|belongs|belonging to", "whose owner|group is", "that|which? user|who owns|own", "with|of|having user|owner|group|uid|gid", "by user|group", "owner"]);
    if !led {
        return false;
    }
    let mut group = c.s.w[begin.0..c.i].iter().any(|w| matches!(*w, "group" | "gid"));
    group |= c.eats("group");
    c.one_of(&["user id|uid|name?", "user|owner|users", "is|of|id"]);
    if c.one_of(&["me|myself", "current user", "current"]) {
        c.eats("user");
        add(c, f, "-user \"$(id -un)\"".into(), "of you".into());
        return true;
    }
    let v = c.entity_if(|k| if let Kind::User(u) = k { Some(u.clone()) } else { None }).or_else(|| c.value()).or_else(|| c.number().map(|n| n.to_string()));
    let Some(v) = v.filter(|v| !matches!(v.as_str(), "another" | "specific" | "certain" | "given" | "different" | "particular") && v.chars().all(|x| x.is_alphanumeric() || "._-$".contains(x))) else {
        c.s.restore(begin.1);
        c.i = begin.0;
        return false;
    };
    let quoted = if place::variable(&v) { format!("\"{v}\"") } else { quote(&v) };
    group |= c.is("group") && c.eats("group");
    c.eats("user");
    add(c, f, format!("-{} {quoted}", if group { "group" } else { "user" }), format!("of {v}"));
    true
}

fn size(c: &mut Cursor<'_, '_>, f: &mut Set) -> bool {
    let begin = (c.i, c.s.marks());
    c.one_of(&["with|having|have|has|of|whose file? size|sizes is|are|of?", "file? size|sizes of|is|are?", "with|having|of"]);
    c.eats("greater|that|which");
    if c.i > begin.0 && c.s.w[c.i - 1] == "greater" {
        c.i -= 1;
        c.s.unmark(c.i, c.i + 1);
    }
    let t = c.entity_if(|k| if let Kind::Size(t) = k { Some(*t) } else { None });
    if let Some(t) = t {
        c.one_of(&["in size", "or more|larger|greater|less|smaller", "in length", "big|large|long"]);
        let (test, words) = if let SizeTest::Plain(0) = t { ("-empty".into(), "that are empty".into()) } else { size_test(t) };
        add(c, f, test, words);
        return true;
    }
    if c.one_of(&["0|zero bytes|byte|length|size|sized in? size?", "size 0|zero", "zero-length|zero-byte|zero-sized", "0 in size"]) {
        add(c, f, "-empty".into(), "that are empty".into());
        return true;
    }
    c.s.restore(begin.1);
    c.i = begin.0;
    false
}

fn depth(c: &mut Cursor<'_, '_>, f: &mut Set) -> bool {
    let level = "levels|level|directories|directory|subdirectories|layers";
    let deep = "deep|down|deeper|depth";
    if let Some(x) = c.eat(&format!("at? exactly|precisely # {level} {deep}?")).or_else(|| c.eat("at? depth|level of? exactly #")).or_else(|| c.eat("at? exactly depth|level of? #")) {
        let n = c.s.number(*x.at.last().unwrap_or(&0));
        (f.least, f.depth) = (n, n);
        c.one_of(&["below|under current|this one|directory|folder?"]);
        return true;
    }
    for (pattern, least) in [
        (format!("at|up|to|within|only|going|a? least # {level} {deep}?"), true), (format!("at|in|up|to|within|only|going|into|not|no|maximum|max|a? most|to|maximum|deeper|than|more|of? than|at|into? # {level} {deep}?"), false),
        (format!("maximum|max depth|of? # {level} {deep}?"), false), (format!("up|down|only? to? # {level} {deep}?"), false), (format!("with|up|to|at|maximum|max|a? maximum|max|search? depth|level of|level|is? # {level}?"), false), (format!("not more|deeper than # {level} {deep}?"), false),
        (format!("maximum|max|upto # {level} {deep}?"), false), (format!("# {level} {deep}"), false), ("depth # and more".to_owned(), true),
    ] {
        if let Some(x) = c.eat(&pattern) {
            let Some(n) = c.s.number(*x.at.last().unwrap_or(&0)) else { continue };
            c.eats("of? depth|recursion|only");
            // "three levels below x": x is a place.
            if c.is("below") && (c.i + 1 >= c.s.len() || c.s.entity_at(c.i + 1).is_none() && !c.s.raw(c.i + 1).contains('/') && c.s.world().exists(c.s.raw(c.i + 1)).is_none()) {
                c.cross();
            }
            c.not = false;
            if least { f.least = Some(n) } else { f.depth = Some(n) }
            return true;
        }
    }
    let sub = "subdirectories|subfolders|sub-directories|sub-folders|subdirs|subdirectory|subfolder";
    let flat = c.one_of(&[
        &format!("leaving|leave its|their|any? {sub} alone|untouched|out"), &format!("not of|from any|its? {sub}"),
        &format!("not|no|without|excluding|ignoring|never going|descending|recursing|looking|including|traversing|in|searching? in|into|to|through? its|any|the? {sub}"), "without|not|no recursion|recursing|recursive|recursively", "non-recursively|nonrecursively", "not? its|any? sub directories|folders", "at? top|first level only?", &format!("excluding {sub}"),
        "not going into sub-directories", "not search|look|go|descend|recurse in|into|to? sub directories|folders", "not search|look|go|descend|recurse|searching in|into|through|to? subdirectories|subfolders|sub-directories|sub-folders",
    ]) || c.not && c.one_of(&[&format!("in|into|from|including? its|any|the? {sub}"), "recursively"]);
    if flat {
        c.not = false;
        f.depth = Some(1);
        return true;
    }
    false
}

/// Directories that are left out, after "excluding" and the like.
fn left_out(c: &mut Cursor<'_, '_>, f: &mut Set) -> bool {
    if !c.not {
        return false;
    }
    let begin = (c.i, c.s.marks());
    c.one_of(&["search|look|descend|descending|going|go|recurse|recursing|traversing|looking|searching|entering in|into|to|through|under?"]);
    c.one_of(&["those|files|file|anything|everything|ones|directories? which|that|are? are|is? present|located|found|residing? in|under|inside|below|from|within", "in|under|inside|below|from|within|into|of", "directories|directory|folder|folders|subdirectories|paths|path named|called|like?"]);
    let told = c.i > begin.0;
    c.eats("directory|folder|directories|path|subdirectory|paths|folders");
    c.eats("named|called|matching");
    let quoted = c.quoted();
    if let Some(v) = c.value() {
        let name = v.trim_start_matches("./").trim_end_matches(['/', '*']).trim_start_matches("*/").to_owned();
        let after = c.one_of(&["directory|folder|directories|subdirectory|path|dir|folders", "directory? tree"]);
        let listed = another(c);
        if (told || after || v.ends_with('/') || v.starts_with("./") || c.s.world().exists(&v) == Some(crate::world::Exists::Dir)) && !name.is_empty() && (quoted || !name.contains(['*', '?'])) {
            for n in std::iter::once(name).chain(listed.map(|l| l.trim_start_matches("./").trim_end_matches('/').to_owned())) {
                let pattern = if n.starts_with('/') { format!("{n}/*") } else { format!("*/{n}/*") };
                f.push(format!("! -path {}", always_quoted(&pattern)), format!("outside of {n}"));
            }
            c.not = false;
            c.one_of(&["directories|directory|folder|folders|subdirectories"]);
            return true;
        }
    }
    c.s.restore(begin.1);
    c.i = begin.0;
    false
}

/// What is in the files.
fn content(c: &mut Cursor<'_, '_>, f: &mut Set) -> bool {
    let begin = (c.i, c.s.marks());
    // What is in a directory is no text.
    let led = f.kind != "d" && c.one_of(&[&format!("that|which|who? contain|contains|containing|include|includes|including|mention|mentioning|hold at? least? {TEXT}?"), &format!("with|having {TEXT}"), "with contents|content matching?", &format!("that|which? have|has {TEXT}")]);
    if led {
        c.eats(TEXT);
        c.eats("of|like");
        if class(c).is_some() {
            c.s.restore(begin.1);
            c.i = begin.0;
            return false;
        }
        let strict = c.quoted() || (begin.0..c.i).any(|k| matches!(c.s.w[k], "word" | "string" | "text" | "phrase" | "pattern" | "keyword")) || (begin.0..c.i).any(|k| c.s.w[k].starts_with("contain"));
        if strict && !c.done() && !matches!(c.entity().map(|e| &e.kind), Some(Kind::Ext(..) | Kind::Size(_) | Kind::Time(_) | Kind::Dir(_))) && let Some(v) = c.value() {
            let mut all = vec![v];
            let list = c.i;
            while let Some(v) = another(c) {
                all.push(v);
            }
            let both = all.len() > 1 && c.s.w[list..c.i].contains(&"and");
            c.one_of(&["in|inside|within them|it|their|its content|contents?", "string|word|text|in it"]);
            if both && c.not {
                return false;
            }
            let i = if c.s.any(&["case insensitive|insensitively", "case-insensitive|case-insensitively", "ignoring case", "ignore case", "regardless of case"]) { "i" } else { "" };
            let not = std::mem::take(&mut c.not);
            // "x and y" must both be there, of "x or y" one.
            let groups: Vec<&[String]> = if both { all.chunks(1).collect() } else { vec![&all[..]] };
            for texts in groups {
                let e: String = texts.iter().map(|t| format!(" -e {}", quote(t))).collect();
                f.push(format!("{}-exec grep -q{i}F{e} {{}} \\;", if not { "! " } else { "" }), format!("that {} {}", if not { "do not hold" } else { "hold" }, texts.join(" or ")));
            }
            return true;
        }
    }
    c.s.restore(begin.1);
    c.i = begin.0;
    false
}

/// Reads, or leaves the cursor as it was: a "not" that was seen in vain is no longer seen.
fn attempt(c: &mut Cursor<'_, '_>, f: &mut Set, read: fn(&mut Cursor<'_, '_>, &mut Set) -> bool) -> bool {
    let (not, or) = (c.not, c.or);
    let hit = read(c, f);
    if !hit {
        (c.not, c.or) = (not, or);
    }
    hit
}

/// One thing more that is said of the files, at the cursor.
pub(super) fn modifier(c: &mut Cursor<'_, '_>, f: &mut Set) -> bool {
    if c.one_of(&["in? case insensitive|insensitively search|manner|mode|way?", "case-insensitive|case-insensitively search|match?", "ignoring|ignore case", "regardless of case", "case not sensitive"]) {
        c.fold = true;
        return true;
    }
    if c.one_of(&["not|non|no hidden ones|files?", "non-hidden|visible"]) || c.not && c.one_of(&["hidden ones|files|directories|folders?", "dotfiles"]) {
        c.not = false;
        f.push("! -name '.*'".into(), "that are not hidden");
        return true;
    }
    if c.one_of(&["hidden|invisible ones?", "dotfiles"]) {
        f.push("-name '.*'".into(), "that are hidden");
        return true;
    }
    if c.one_of(&["non-empty|nonempty", "not empty"]) {
        f.push("! -empty".into(), "that are not empty");
        return true;
    }
    if c.one_of(&["empty|blank", "that|which? contain|contains|containing|hold|holding nothing", "with no contents|content", "without contents|content"]) {
        add(c, f, "-empty".into(), "that are empty".into());
        return true;
    }
    if c.one_of(&["broken|dangling symbolic|soft? links|link|symlinks|symlink?"]) {
        f.kind = "";
        f.push("-xtype l".into(), "whose target is missing");
        return true;
    }
    // What goes wrong is not shown: an error says so, a result does not depend on it.
    if c.one_of(&["discard|discarding|ignore|ignoring|suppress|suppressing|hide|hiding|without|do|not|skip all? any? permission? denied? errors|error messages|message?", "permission denied errors|error messages|message?"]) {
        c.not = false;
        return true;
    }
    if c.one_of(&["following|follow|dereferencing|follows symbolic|soft? links|symlinks|link", "following|follow symlinks"]) {
        if !std::mem::take(&mut c.not) {
            f.tests.insert(0, "-follow".into());
        }
        return true;
    }
    if [depth, left_out, size, dates::age, permissions, owner].iter().any(|read| attempt(c, f, *read)) {
        return true;
    }
    if let Some(x) = c.eat("with|having|that|have|has? inode number|num? of|is|equal|to? #") {
        let n = c.s.raw(x.at[0]).to_owned();
        add(c, f, format!("-inum {n}"), format!("with the inode {n}"));
        return true;
    }
    if let Some(x) = c.eat("with|having|that|have|has more|at|greater than|least # hard? links") {
        let n = c.s.number(x.at[0]).unwrap_or(1);
        let least = c.s.w[x.start..x.end].contains(&"least");
        add(c, f, format!("-links +{}", if least { n.saturating_sub(1) } else { n }), format!("with more than {n} links"));
        return true;
    }
    if let Some(p) = place::place(c, false) {
        set_place(f, p);
        return true;
    }
    if let Some(g) = c.entity_if(|k| if let Kind::Glob(g) = k { Some(g.clone()) } else { None }) {
        globbed(c, f, &g);
        return true;
    }
    if [named, content, kinds].iter().any(|read| attempt(c, f, *read)) {
        return true;
    }
    if c.one_of(&["recursively|recursive", "in|and|including all? subdirectories|subfolders|sub-directories|subdirectory recursively?"]) {
        if f.depth == Some(1) {
            f.depth = None;
        }
        return true;
    }
    false
}

/// The set is sought in this place, too.
pub(super) fn set_place(f: &mut Set, p: place::Place) {
    let mut dirs = p.dirs.into_iter();
    if f.here || f.specific && f.dir != "." {
        f.also.extend(dirs.filter(|d| *d != f.dir).collect::<Vec<_>>());
    } else {
        f.dir = dirs.next().unwrap_or_else(|| ".".into());
        f.also.extend(dirs);
    }
    f.here = p.here;
    if p.flat {
        f.depth = Some(1);
    }
    f.specific = true;
}

/// `*.c`, `src/*.c`, and others that follow.
fn globbed(c: &mut Cursor<'_, '_>, f: &mut Set, first: &str) {
    if let Some((dir, name_part)) = first.rsplit_once('/') && !dir.contains(['*', '?']) {
        f.dir = if dir.is_empty() { "/".into() } else { dir.to_owned() };
        f.specific = true;
        f.depth = Some(1);
        if name_part != "*" {
            name(c, f, name_part, "matching");
        }
        return;
    }
    names(c, f, first.to_owned(), &|v| wild(v), "matching");
}

/// Kinds of files: "python files", ".c and .h files".
fn kinds(c: &mut Cursor<'_, '_>, f: &mut Set) -> bool {
    let mut all: Vec<String> = Vec::new();
    let mut whole_names = false;
    loop {
        let begin = (c.i, c.s.marks());
        if !all.is_empty() {
            c.one_of(&["and|or"]);
        }
        c.articles();
        // ".svn directories": that is a whole name.
        let raw = if c.done() { "" } else { c.s.raw(c.i) };
        let next = c.entity().map_or(c.i + 1, |e| e.end);
        let whole = raw.starts_with('.') && crate::entity::kinds::patterns(&raw.to_lowercase()).is_none() && ((next..next + 3).any(|k| c.s.w.get(k).is_some_and(|w| matches!(*w, "directories" | "directory" | "folders" | "folder"))) && !c.s.w.get(next).is_some_and(|w| *w == "files") || c.s.w.get(next + 1).is_some_and(|w| *w == "and") && c.s.w.get(next + 2).is_some_and(|w| *w == "directories"));
        whole_names |= whole;
        let found = c.entity_if(|k| match k {
            Kind::Ext(..) if whole => Some(vec![raw.to_owned()]),
            Kind::Ext(p, label) if matches!(label.as_str(), "jpg" | "jpeg" | "jpgs" | "jpegs") => Some(p.iter().filter(|p| **p == format!("*.{}", label.trim_end_matches('s'))).cloned().collect::<Vec<_>>()),
            Kind::Ext(p, _) => Some(p.clone()),
            Kind::Glob(g) if !g.contains('/') => Some(vec![g.clone()]),
            _ => None,
        });
        match found {
            Some(p) => all.extend(p),
            None => {
                c.s.restore(begin.1);
                c.i = begin.0;
                break;
            }
        }
    }
    if all.is_empty() {
        return false;
    }
    all.dedup();
    let test = if let [one] = &all[..] { format!("-name {}", always_quoted(one)) } else { format!("\\( {} \\)", all.iter().map(|g| format!("-name {}", always_quoted(g))).collect::<Vec<_>>().join(" -o ")) };
    add(c, f, test, format!("({})", all.join(", ")));
    c.one_of(&["source|code files|file", "scripts|documents|images|extension|extensions"]);
    // ".svn directories" has its noun yet to come.
    if !whole_names {
        if !f.said {
            f.kind = "f";
        }
        f.said = true;
    }
    true
}

/// Names that stand behind the word for what is sought.
pub(super) fn value_names(c: &mut Cursor<'_, '_>, f: &mut Set) {
    if let Some(v) = c.value() {
        names(c, f, v, &|v| wild(v), "named");
    }
}

/// What may stand before the word for what is sought.
pub(super) fn adjective(c: &mut Cursor<'_, '_>, f: &mut Set) -> bool {
    if c.eats("not|non") {
        c.not = true;
        return true;
    }
    if c.one_of(&["world-writable|world-writeable", "world writable|writeable"]) {
        add(c, f, "-perm -o+w".into(), "that everybody may write".into());
        return true;
    }
    if c.one_of(&["executable by everyone|everybody|anyone|anybody|others|all|world"]) {
        add(c, f, "-perm -o+x".into(), "that everybody can execute".into());
        return true;
    }
    if c.one_of(&["executable|executables"]) {
        add(c, f, "-perm /111".into(), "that can be executed".into());
        return true;
    }
    if attempt(c, f, permissions) || c.eats("exactly|single|one") {
        return true;
    }
    if c.one_of(&["non-hidden|visible"]) {
        f.push("! -name '.*'".into(), "that are not hidden");
        return true;
    }
    if c.one_of(&["non-empty|nonempty"]) {
        f.push("! -empty".into(), "that are not empty");
        return true;
    }
    if c.one_of(&["empty|zero-length|zero-byte", "0|zero byte|length"]) {
        add(c, f, "-empty".into(), "that are empty".into());
        return true;
    }
    if c.one_of(&["hidden|invisible"]) {
        f.push("-name '.*'".into(), "that are hidden");
        return true;
    }
    if c.one_of(&["broken|dangling symbolic|soft? links|link|symlinks|symlink?"]) {
        f.kind = "";
        f.said = true;
        f.push("-xtype l".into(), "whose target is missing");
        return true;
    }
    if c.one_of(&["suid|setuid"]) {
        add(c, f, "-perm -4000".into(), "with the set-user-id bit".into());
        return true;
    }
    // Quoted patterns, and what the shell would take for one.
    let pattern = !c.done() && c.s.free(c.i) && (c.quoted() && c.s.raw(c.i).contains(['*', '.'])) && c.s.w.get(c.i + 1).is_some_and(|w| matches!(*w, "files" | "file" | "directories" | "directory" | "and" | "or" | "folders"));
    if pattern {
        let v = c.s.raw(c.i).to_owned();
        c.cross();
        names(c, f, v.clone(), &|v: &str| if v.starts_with('.') { extension(v) } else { wild(v) }, "matching");
        return true;
    }
    if let Some(g) = c.entity_if(|k| if let Kind::Glob(g) = k { Some(g.clone()) } else { None }) {
        globbed(c, f, &g);
        return true;
    }
    kinds(c, f)
}

/// Whether "not in subdirectories" or the like is here.
pub(super) fn flat_ahead(c: &Cursor<'_, '_>) -> bool {
    ["ignoring|ignore case", "not search|look|go|descend|recurse in|into|to? sub directories|folders", "not search|look|go|descend|recurse|searching in|into|through|to? subdirectories|subfolders|sub-directories|sub-folders", "ignoring|ignore|without all? any? permission|errors|error", "not|no|without|excluding|ignoring|never going|descending|recursing|looking|including|traversing|in|searching? in|into|to|through? its|any|the? subdirectories|subfolders|sub-directories|sub-folders|subdirs|subdirectory|subfolder", "not|without|no recursion|recursing|recursive|recursively", "not more|deeper than"].iter().any(|p| c.peek(p).is_some())
        || ["without leading? directories|directory|path|paths|extension|extensions|suffix|suffixes", "without|no user|owner|group", "not belonging|belong|owned to|by any", "not hidden", "not empty"].iter().any(|p| c.peek(p).is_some())
}

/// Whether a small word here begins a phrase that a modifier reads.
pub(super) fn phrase_ahead(c: &Cursor<'_, '_>) -> bool {
    ["that|which|who start|starts|end|ends|contain|contains|include|match|belong|belongs|mention", "have|has|had permission|permissions|name|names|extension", "that|which have|has", "have|has $ in", "is|are empty|owned|named|called", "have|has a|an|the? $ extension|suffix|permission|permissions", "have|has no|more|at|size|read|write|execute"].iter().any(|p| c.peek(p).is_some())
}
