//! Sentences that seek files, read from left to right: what is sought, where, with what names, sizes, ages and rights, and what is done with it.
//!
//! The other readers look for their patterns anywhere; here a word means what its place says ("the file x", "in x", "excluding x").

mod act;
mod cursor;
mod dates;
mod noun;
mod place;

use super::said::Said;
use super::set::Set;
use super::Reading;
use act::Act;
use cursor::Cursor;

/// Whether a word is none that names anything.
pub(super) fn small(word: &str) -> bool {
    cursor::small(word)
}

/// Whether a directory is a variable of the shell.
pub(super) fn variable(dir: &str) -> bool {
    place::variable(dir)
}

/// Verbs that only look.
const LOOK: &str = "find|search|locate|look|list|show|display|print|get|output|return|identify|enumerate|see|give|lists|finds|prints|searches|displays|shows|check|report";

pub(super) fn seek(s: &Said<'_>) -> Option<Reading> {
    // The directories of the search path are none that are sought.
    if (0..s.len()).any(|i| matches!(s.raw(i), "PATH" | "$PATH")) {
        return None;
    }
    // What is counted for each directory, or said of how many they hold, is no search.
    const DIRS: &str = "directories|directory|folders|folder|subdirectories|subdirectory";
    if s.look(&format!("in|per|for|of|inside|within each|every {DIRS}")).is_some() && s.has(&["count", "many", "number", "counts"]) || s.look("contain|contains|containing|has|have|having|hold|holds|with most files|entries|space").is_some() {
        return None;
    }
    let mut c = Cursor::new(s);
    let mut f = Set { dir: ".".into(), ..Set::default() };
    let mut acts: Vec<Act> = Vec::new();
    c.eats("recursively");
    // "Only the files of x".
    if c.is("only|just") && c.s.len() > 3 && c.peek("only|just files|directories|folders|subdirectories").is_some() {
        c.cross();
    }
    let begin = c.i;
    let mut begin_of_each = false;
    if c.one_of(&["for|in each|every|all"]) && s.r.has(&["file", "files"]) {
        // "for each file in x, print ...".
        begin_of_each = true;
    } else if let Some(a) = act::counted_lines(&mut c) {
        acts.push(a);
    } else if c.one_of(&["count number? of?", "calculate|compute|get|determine|find|print|show|display|output total? number|count of", "how many", "number|total of", "counts number? of?"]) {
        acts.push(Act::Count);
    } else if let Some(a) = act::leading(&mut c) {
        acts.push(a);
    } else if c.one_of(&["delete|remove|erase|rm|purge|removes|deletes", "get rid of", "clean up"]) {
        acts.push(Act::Delete);
    } else if c.one_of(&[LOOK]) {
        c.one_of(&["for|up|out|me"]);
        c.one_of(&[LOOK]);
    } else if !headed(&c) {
        return None;
    }
    let verb = s.w.get(begin).copied().unwrap_or("");
    if acts.contains(&Act::Delete) && crate::guard::takes_a_property(s.r) {
        return None;
    }
    if verb == "give" && s.has(&["permission", "permissions", "right", "rights", "access", "privilege", "privileges"]) {
        return None;
    }
    let seeks = matches!(verb, "find" | "finds" | "search" | "searches" | "locate" | "look") || begin > 0 || begin_of_each;
    c.eats("recursively|for");
    if c.one_of(&["case insensitively|insensitive", "case-insensitively"]) {
        c.fold = true;
        c.eats("for");
    }
    // "search the directory x for files".
    if matches!(verb, "search" | "searches" | "look") && let Some(p) = place::place(&mut c, true) {
        noun::set_place(&mut f, p);
        c.eats("recursively");
        c.eats("for");
    }
    if let Some(a) = act::wanted(&mut c) {
        acts.push(a);
    }
    if !head(&mut c, &mut f) {
        return None;
    }
    let mut inside = false;
    let searches = matches!(verb, "search" | "searches" | "look" | "grep");
    while !c.done() {
        if !s.free(c.i) {
            c.i += 1;
            continue;
        }
        // "excluding hidden ones and those with x": both are left out.
        if f.tests.last().is_some_and(|t| t.starts_with("! ")) && c.one_of(&["and|or|nor those|ones that|which? are?"]) {
            c.not = true;
            continue;
        }
        if noise(&mut c) {
            continue;
        }
        if searches && let Some(a) = act::searched(&mut c) {
            acts.push(a);
            continue;
        }
        if let Some(a) = act::following(&mut c, &f) {
            inside |= a.looks_inside();
            acts.push(a);
            continue;
        }
        let tests = f.tests.len();
        if noun::modifier(&mut c, &mut f) {
            // "Count the lines in them that match x" says nothing more of the files.
            if inside && f.tests[tests.min(f.tests.len())..].iter().any(|t| ["-name", "-regex", "-exec", "-path"].iter().any(|p| t.contains(p))) {
                return None;
            }
            continue;
        }
        // "Not" and "without" must have turned something round.
        if c.not {
            // "Excluding directories".
            let flat = matches!(f.kind, "" | "f") && c.one_of(&["directories|folders|subdirectories"]) && (c.done() || small(c.word()));
            if !flat {
                return None;
            }
            f.kind = "f";
            c.not = false;
            continue;
        }
        if heads(&mut c, &mut f) {
            continue;
        }
        c.or = false;
        c.i += 1;
    }
    // What was not understood to the last word, the other readers may understand better.
    if c.not || !s.left().is_empty() {
        return None;
    }
    // No name has two endings.
    if f.tests.iter().filter(|t| t.starts_with("-name '*.") || t.as_str() == "-name '*~'").count() > 1 {
        return None;
    }
    if c.fold {
        for t in &mut f.tests {
            *t = t.replace("-name ", "-iname ").replace("-path ", "-ipath ").replace("-regex ", "-iregex ");
        }
    }
    // "The hidden entries": of whatever kind.
    if f.kind == "f" && acts.is_empty() && f.tests.iter().any(|t| t == "-name '.*'") && s.has(&["entries", "items", "things", "everything"]) && !s.has(&["file", "files"]) {
        f.kind = "";
    }
    // "*.tmp" alone: files, where something happens to them.
    if f.kind.is_empty() && !f.said && acts.iter().any(Act::changes) && f.tests.iter().all(|t| t.starts_with("-name '*.")) {
        f.kind = "f";
    }
    // "In this directory" is a tree for who searches, and no more than it for who lists.
    let below = (0..s.len()).any(|i| matches!(s.w[i], "under" | "below" | "beneath" | "recursively" | "tree" | "hierarchy" | "recursive" | "descendants" | "down") || f.kind != "d" && matches!(s.w[i], "subdirectories" | "subfolders" | "sub-directories"));
    if f.here && f.depth.is_none() && !below && (!seeks || acts.iter().any(Act::changes)) {
        f.depth = Some(1);
    }
    // "How many entries are in x": what lies in it.
    if acts.contains(&Act::Count) && f.kind == "f" && f.tests.is_empty() && !below && s.has(&["entries", "items", "things", "objects"]) && !s.has(&["files", "file"]) {
        f.kind = "";
        f.depth = Some(1);
    }
    // "Delete notes.txt", "show the file notes.txt": one file, not whatever is called so in a tree.
    if f.one && !(seeks && !acts.iter().any(Act::changes)) && !(below && (acts.iter().any(Act::changes) || acts.contains(&Act::Count)) && s.has(&["all", "every", "each", "any"])) {
        return None;
    }
    // Where names come later than they are left out, or ranges are not closed, something was misread.
    let elsewhere = |t: &String| t.strip_prefix("! -path '/").and_then(|p| p.split('/').next()).is_some_and(|top| f.dir != "/" && !f.dir.starts_with(&format!("/{top}")));
    if f.tests.iter().any(|t| elsewhere(t) || t.contains('[') && !t.contains(']')) {
        return None;
    }
    act::command(&c, &f, &acts)
}

/// Whether the sentence begins with what is sought, without a verb: "directories whose permissions are 700", "python files that ...".
fn headed(c: &Cursor<'_, '_>) -> bool {
    let kind = matches!(c.entity().map(|e| &e.kind), Some(crate::entity::Kind::Ext(..)));
    (kind || c.is("files|directories|folders|subdirectories|symlinks|all|every|names|paths|empty|hidden|executable")) && c.s.has(&["files", "directories", "folders", "subdirectories", "symlinks"]) && c.s.len() > 3
}

/// Words between what matters: crossed off, or what they say is remembered.
fn noise(c: &mut Cursor<'_, '_>) -> bool {
    if c.quoted() {
        return false;
    }
    match c.word() {
        "not" | "except" | "excluding" | "exclude" | "excludes" | "excepting" | "without" | "ignoring" | "ignore" | "skipping" | "skip" | "omitting" | "omit" | "besides" | "never" | "neither" | "nor" | "excluded" | "unless" | "avoid" | "avoiding" => {
            let flat = noun::flat_ahead(c);
            if !flat {
                let w = c.word();
                c.not = !(w == "neither" && c.not);
                c.cross();
                c.eats("for|those|the|ones|all");
            }
            !flat
        }
        "leave" | "leaving" if c.peek("leave|leaving out").is_some() => {
            c.cross();
            c.cross();
            c.eats("those|the|ones|all|that|which|are");
            c.not = true;
            true
        }
        "other" if c.peek("other than").is_some() => {
            c.cross();
            c.cross();
            c.not = true;
            true
        }
        "or" | "either" => {
            c.or = c.word() == "or";
            c.cross();
            true
        }
        "and" | "but" | "also" | "then" | "that" | "which" | "who" | "are" | "is" | "was" | "were" | "be" | "been" | "have" | "has" | "had" | "do" | "does" | "did" | "there" | "exist" | "exists" | "found" | "existing" | "the" | "a" | "an" | "all" | "any" | "every" | "each" | "it" | "they" | "them" | "only"
        | "both" | "being" | "so" | "present" | "available" | "located" | "residing" | "these" | "those" | "whatever" | "just" | "reside" | "exactly" | "lie" | "resides" | "ones" | "please" | "its" | "their" => {
            // What they begin may be a phrase.
            if noun::phrase_ahead(c) || act::ahead(c) {
                return false;
            }
            let w = c.word();
            if matches!(w, "but" | "existing" | "exist" | "ones" | "available" | "residing" | "present" | "reside" | "exactly" | "lie" | "resides") {
                c.cross();
            } else {
                c.i += 1;
            }
            true
        }
        _ => false,
    }
}

/// What is sought: adjectives, and the word for it.
fn head(c: &mut Cursor<'_, '_>, f: &mut Set) -> bool {
    let mut any = false;
    for _ in 0..12 {
        c.articles();
        if c.eats("regular|ordinary|normal|plain|actual|different|existing|of|list|names|name|paths|path|for|full|complete|only") {
            if matches!(c.s.w[c.i - 1], "regular" | "ordinary" | "normal" | "plain") {
                f.kind = "f";
            }
            continue;
        }
        if heads(c, f) {
            return true;
        }
        if noun::adjective(c, f) {
            any = true;
            continue;
        }
        // "find x.txt in ...": its name.
        let named = c.quoted() || matches!(c.entity().map(|e| &e.kind), Some(crate::entity::Kind::Path(p)) if !p.contains('/'));
        if named && !any && let Some(v) = c.value() {
            // ".tar.gz files": all that end so.
            let ending = v.starts_with('.') && c.is("files|file");
            f.push(format!("-name {}", super::set::always_quoted(&format!("{}{v}", if ending { "*" } else { "" }))), format!("named {v}"));
            f.one = !ending;
            heads(c, f);
            return true;
        }
        return any;
    }
    any
}

/// The word for what is sought, and a name that follows it at once.
fn heads(c: &mut Cursor<'_, '_>, f: &mut Set) -> bool {
    const DIRS: &str = "directories|directory|folders|folder|dirs|dir|subdirectories|subdirectory|subfolders|subfolder|sub-directories|subdirs";
    const FILES: &str = "files|file|documents|scripts|entries|items|things|objects|everything|anything";
    let first = !f.said;
    let kind = if c.one_of(&[&format!("{FILES} and|or {DIRS}"), &format!("{DIRS} and|or {FILES}"), &format!("{FILES} {DIRS}")]) {
        ""
    } else if c.one_of(&["symbolic|soft links|link", "symlinks|symlink"]) {
        "l"
    } else if c.one_of(&["sub directories|folders", DIRS]) {
        if !first { return true }
        // "... files and directories", of which the files were read with their ending.
        let begin = c.i.saturating_sub(1);
        let both = begin > 1 && matches!(c.s.w[begin - 1], "and" | "or") && matches!(c.s.w[begin - 2], "files" | "file");
        if both { "" } else { "d" }
    } else if c.one_of(&["named? pipes|fifos"]) {
        "p"
    } else if c.one_of(&["sockets"]) {
        "s"
    } else if c.one_of(&["block devices|device", "block device files"]) {
        "b"
    } else if c.one_of(&[FILES]) {
        "f"
    } else {
        return false;
    };
    if first {
        f.kind = kind;
        f.said = true;
        c.eats("names|paths|name");
        // "the file x", "files 'a' and 'b'".
        let plain = c.quoted() || matches!(c.entity().map(|e| &e.kind), Some(crate::entity::Kind::Path(p)) if !p.contains('/'));
        if plain && c.s.free(c.i) {
            f.one = !c.s.raw(c.i).contains(['*', '?', '[']);
            noun::value_names(c, f);
        }
    } else if kind != "f" && f.kind == "f" && c.i > 1 && matches!(c.s.w[c.i - 2], "and" | "or") {
        f.kind = "";
    }
    true
}
