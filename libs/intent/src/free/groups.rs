//! Questions about many files at once that no single listing answers: directories by how many files they hold, names that two trees share, the longest name, the first so many to be copied, columns of facts.

use actions::quote::quote_path;

use super::listing;
use super::said::Said;
use super::set::{self, Set};
use super::{Reading, reading};
use crate::world::Exists;

const DIRS: &str = "directories|directory|folders|folder|subdirectories|subdirectory|subfolders|subfolder";

pub(super) fn groups(s: &Said<'_>) -> Option<Reading> {
    let marks = s.marks();
    for read in [crowded, shared, longest, firsts, all_but, facts, both_modes] {
        if let Some(r) = read(s) {
            return Some(r);
        }
        s.restore(marks.clone());
    }
    None
}

fn looks(s: &Said<'_>) -> bool {
    matches!(s.first(), "which" | "what" | "find" | "list" | "show" | "print" | "display" | "count" | "how" | "for" | "directories" | "folders" | "get" | "name" | "give" | "the" | "in" | "tell" | "output" | "number" | "identify")
}

/// "Which directory contains the most files", "directories with more than 3 files", "count the files in each directory".
fn crowded(s: &Said<'_>) -> Option<Reading> {
    if !looks(s) {
        return None;
    }
    const HOLD: &str = "that|which? contain|contains|containing|have|has|having|hold|holds|holding|with";
    if s.take(&format!("{DIRS} {HOLD} most|largest|highest number? of? files|entries?")).is_some() || s.take(&format!("{DIRS} in|under|below|of $ {HOLD} most|largest|highest number? of? files|entries?")).map(|f| s.unmark(f.at[0] - 1, f.at[0] + 1)).is_some() {
        let n = s.take("top|first? #").and_then(|f| s.number(f.at[0])).unwrap_or(1);
        s.each(&["most", "number of?", "files|entries"]);
        let f = files(s);
        return reading(format!("{} -printf '%h\\n' | sort | uniq -c | sort -rn | head -n {n}", f.find()), format!("Counts the {} by directory; the most first.", f.describe()));
    }
    for (words, op) in [("more than", ">"), ("at least", ">="), ("fewer|less than", "<"), ("at most", "<="), ("exactly", "==")] {
        if let Some(x) = s.take(&format!("{DIRS} {HOLD} {words} # files|entries?")) {
            let n = s.number(x.at[0])?;
            let f = files(s);
            return reading(format!("{} -printf '%h\\n' | sort | uniq -c | awk '$1 {op} {n}'", f.find()), format!("Counts the {} by directory, and prints those with {op} {n}.", f.describe()));
        }
    }
    let each = s.any(&[&format!("in|per|for|of|inside|within each|every {DIRS}"), &format!("per {DIRS}")]);
    let counts = s.any(&["how many|number|count|counts", "count number? of?", "number of"]);
    if !(each && counts) || s.has(&["lines", "words", "size", "sizes", "space"]) {
        return None;
    }
    let sorted = listing::order(s).is_some() | s.any(&["most first", "sorted|ordered by? number|count?"]);
    s.each(&["count|number|total|of", "are|is there?", "contain|contains|has|have"]);
    let f = files(s);
    reading(format!("{} -printf '%h\\n' | sort | uniq -c{}", f.find(), if sorted { " | sort -rn" } else { "" }), format!("Counts the {} by directory.", f.describe()))
}

fn files(s: &Said<'_>) -> Set {
    let mut f = set::set(s);
    if f.kind == "d" || f.kind.is_empty() {
        f.kind = "f";
    }
    if f.depth == Some(1) {
        f.depth = None;
    }
    s.each(&["files|file"]);
    f
}

/// "Files with the same name in a and b": names, as they are below each.
fn shared(s: &Said<'_>) -> Option<Reading> {
    let same = s.any(&["files|file? with|having|of same name|names|filename", "file? names that|which? exist|are|occur|appear|is in both?", "files|file that? exist|are|occur|appear|is in both", "same file? names|name", "file? names common to|in both?", "have|share same file? names|name"]);
    if !same {
        return None;
    }
    s.each(&["both|directories|folders|and|files", "that|which exist|occur|are"]);
    let a = s.dir()?;
    let b = s.dir()?;
    let names = |d: &str| format!("find {} -type f -printf '%f\\n' | sort -u", quote_path(d));
    s.left().iter().all(|&i| matches!(s.w[i], "both" | "directories" | "folders")).then(|| reading(format!("comm -12 <({}) <({})", names(&a), names(&b)), format!("Prints the names of files that are below {a} and below {b}.")))?
}

/// "Which file has the longest name".
fn longest(s: &Said<'_>) -> Option<Reading> {
    let f = s.take("longest|shortest file? name|names|filename|filenames|basename")?;
    let down = s.w[f.start] == "longest";
    let n = s.take("top|first? #").and_then(|f| s.number(f.at[0])).unwrap_or(1);
    s.each(&["has|have|with|having", "which|what"]);
    let f = files(s);
    reading(format!("{} -printf '%f\\n' | awk '{{ print length, $0 }}' | sort -{}n | head -n {n} | cut -d ' ' -f 2-", f.find(), if down { "r" } else { "" }), format!("Finds which of the {} has that name.", f.describe()))
}

/// How the first ones are found: by size or time, downwards or not.
fn key(s: &Said<'_>) -> Option<(&'static str, bool, u64)> {
    for (words, key, down) in [("largest|biggest", "%s", true), ("smallest", "%s", false), ("newest|latest", "%T@", true), ("oldest", "%T@", false)] {
        if let Some(f) = s.take(&format!("# {words}")).or_else(|| s.take(&format!("{words} #"))) {
            return Some((key, down, s.number(f.at[0])?));
        }
        if s.take(words).is_some() {
            return Some((key, down, 1));
        }
    }
    for (words, down) in [("most recent|recently modified|changed|edited?", true), ("least recently modified|changed", false)] {
        if let Some(f) = s.take(&format!("# {words}")) {
            return Some(("%T@", down, s.number(f.at[0])?));
        }
        if s.take(words).is_some() {
            return Some(("%T@", down, 1));
        }
    }
    None
}

/// "Copy the three largest files of x to y".
fn firsts(s: &Said<'_>) -> Option<Reading> {
    let moves = match s.first() {
        "copy" => false,
        "move" => true,
        _ => return None,
    };
    s.mark(0, 1);
    let (key, down, n) = key(s)?;
    let to = s.take("to|into directory|folder? $ directory|folder?").filter(|f| s.world().exists(s.raw(f.at[0]).trim_end_matches('/')) == Some(Exists::Dir))?;
    let to = s.raw(to.at[0]).trim_end_matches('/').to_owned();
    let f = set::set(s);
    if f.kind != "f" || !s.left().is_empty() {
        return None;
    }
    let program = if moves { "mv -n" } else { "cp -n" };
    reading(format!("{} -printf '{key}\\t%p\\0' | sort -z{}n | head -z -n {n} | cut -z -f 2- | xargs -0 -r {program} -t {} --", f.find(), if down { "r" } else { "" }, quote_path(&to)), format!("{} the first {n} of the {} to {to}.", if moves { "Moves" } else { "Copies" }, f.describe()))
}

/// "Delete all but the newest file in x": of one directory, and of files only.
fn all_but(s: &Said<'_>) -> Option<Reading> {
    s.take("delete|remove|erase all|everything? files? but|except for?").filter(|f| f.start == 0).or_else(|| s.take("keep only|just").filter(|f| f.start == 0))?;
    let (key, down, n) = key(s)?;
    s.each(&["and delete|remove rest|others|other files?"]);
    let mut f = set::set(s);
    if f.kind != "f" || f.dir == "." && !f.here || !s.left().is_empty() {
        return None;
    }
    f.depth = Some(1);
    reading(format!("{} -printf '{key}\\t%p\\0' | sort -z{}n | tail -z -n +{} | cut -z -f 2- | xargs -0 -r rm --", f.find(), if down { "r" } else { "" }, n + 1), format!("Deletes the {} but for {n}.", f.describe()))
}

/// "Print the permissions, owner and name of every file in x".
fn facts(s: &Said<'_>) -> Option<Reading> {
    const FACTS: &[(&str, &str)] = &[
        ("octal permissions|permission|mode", "%m"), ("permissions|permission|mode|modes|rights", "%M"), ("owner|owners|user", "%u"), ("group|groups", "%g"), ("file? name|names|filename", "%f"), ("full|absolute? path|paths|pathname", "%p"), ("size|sizes in? bytes?", "%s"), ("last? modification|modified|change time|date|times|dates", "%TY-%Tm-%Td %TH:%TM"), ("inode number|numbers?", "%i"), ("number of? hard? links", "%n"), ("type", "%y"),
    ];
    s.take("print|show|display|list|output|get|give").filter(|f| f.start == 0)?;
    let mut shown: Vec<&str> = Vec::new();
    let mut i = 1;
    while i < s.len() {
        let next = FACTS.iter().find_map(|(words, form)| s.at(words, i).map(|f| (f, *form)));
        match next {
            Some((f, form)) => {
                s.mark(f.start, f.end);
                shown.push(form);
                i = f.end;
            }
            None if matches!(s.w[i], "and" | "the" | "its" | "their" | "with" | "then" | "followed" | "by") => i += 1,
            None => break,
        }
    }
    if shown.len() < 2 || !matches!(s.w.get(i), Some(&("of" | "for"))) || !s.w.get(i + 1..(i + 5).min(s.len())).is_some_and(|w| w.iter().any(|w| matches!(*w, "each" | "every" | "all" | "files" | "directories"))) {
        return None;
    }
    s.each(&["of|for each|every|all"]);
    let mut f = set::set(s);
    if s.world().exists(&f.dir) != Some(Exists::Dir) && !f.dir.starts_with(['/', '~']) {
        return None;
    }
    if f.depth.is_none() && f.tests.is_empty() && !s.r.has(&["under", "below", "recursively", "tree", "beneath"]) {
        f.depth = Some(1);
    }
    s.each(&["file|files|directory|directories"]);
    reading(format!("{} -printf '{}\\n'", f.find(), shown.join(" ")), format!("Prints these facts of the {}.", f.describe()))
}

/// "Set 644 on files and 755 on directories in x".
fn both_modes(s: &Said<'_>) -> Option<Reading> {
    let mode = |i: usize| {
        let w = s.raw(i).to_owned();
        ((3..=4).contains(&w.len()) && w.bytes().all(|b| (b'0'..=b'7').contains(&b))).then_some(w)
    };
    let f = s.take("# for|to|on all? files|file and # for|to|on all? directories|folders|directory|subdirectories").map(|f| (f.at[0], f.at[1])).or_else(|| s.take("# for|to|on all? directories|folders|directory and # for|to|on all? files|file").map(|f| (f.at[1], f.at[0]))).or_else(|| s.take("files to # and directories|folders to #").map(|f| (f.at[0], f.at[1]))).or_else(|| s.take("directories|folders to # and files to #").map(|f| (f.at[1], f.at[0])))?;
    let (files, dirs) = (mode(f.0)?, mode(f.1)?);
    s.each(&["set|change|apply|give|make|chmod", "permissions|permission|mode|modes|rights", "recursively", "in|under|below|inside|within|of"]);
    let dir = s.dir()?;
    let d = quote_path(&dir);
    reading(format!("find {d} -type d -exec chmod {dirs} {{}} + && find {d} -type f -exec chmod {files} {{}} +"), format!("Changes the permissions of the files and directories of {dir}."))
}
