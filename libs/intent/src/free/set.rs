//! A set of files: where, of what kind, with what names, contents, sizes, ages, owners, permissions.

use actions::quote::{quote, quote_path};

use super::said::Said;
use crate::catalogue::filter::{name_tests, size_test, time_test};
use crate::entity::{Kind, TimeTest};
use crate::world::Exists;

/// As `find` is told.
#[derive(Debug, Clone, Default)]
pub(super) struct Set {
    pub dir: String,
    /// Further directories to begin at.
    pub also: Vec<String>,
    /// `-mindepth`, where it is asked for.
    pub least: Option<u64>,
    /// `-maxdepth`.
    pub depth: Option<u64>,
    /// `f`, `d`, `l`, or nothing for both files and directories.
    pub kind: &'static str,
    pub tests: Vec<String>,
    /// It says which files: a kind of name, a size, a place.
    pub specific: bool,
    /// "Here", by which people mean this directory or all below it.
    pub here: bool,
    /// It is one file by its name, which the request does not say to seek by: "the file x".
    pub one: bool,
    /// The request says "files", "directories" or the like.
    pub said: bool,
    /// A kind of file by its ending.
    pub endings: Vec<String>,
    pub words: Vec<String>,
}

impl Set {
    pub fn find(&self) -> String {
        let mut all = format!("find {}", start(&self.dir));
        for d in &self.also {
            all.push_str(&format!(" {}", start(d)));
        }
        if self.dir == "/" {
            all.push_str(" -xdev");
        }
        if let Some(n) = self.least {
            all.push_str(&format!(" -mindepth {n}"));
        } else if (self.dir == "." || self.depth.is_some()) && self.kind != "f" && self.kind != "l" {
            all.push_str(" -mindepth 1");
        }
        if let Some(d) = self.depth {
            all.push_str(&format!(" -maxdepth {d}"));
        }
        if !self.kind.is_empty() {
            all.push_str(&format!(" -type {}", self.kind));
        }
        for t in &self.tests {
            all.push(' ');
            all.push_str(t);
        }
        all
    }

    /// `find` that prints what it found.
    pub fn shown(&self) -> String {
        self.with_print(&self.find())
    }

    /// With `-print` where a test that runs a program would stand for it.
    pub fn with_print(&self, find: &str) -> String {
        if self.tests.iter().any(|t| t.contains("-exec")) { format!("{find} -print") } else { find.to_owned() }
    }

    pub fn noun(&self) -> &'static str {
        match self.kind {
            "d" => "directories",
            "l" => "links",
            "f" => "files",
            _ => "files and directories",
        }
    }

    pub fn describe(&self) -> String {
        let mut all = self.noun().to_owned();
        for w in &self.words {
            all.push(' ');
            all.push_str(w);
        }
        if self.dir != "." {
            all.push_str(&format!(" {} {}", if self.depth == Some(1) { "in" } else { "below" }, self.dir));
        } else {
            all.push_str(if self.depth == Some(1) { " here" } else { " below this directory" });
        }
        all
    }

    pub fn push(&mut self, test: String, words: impl Into<String>) {
        self.tests.push(test);
        self.words.push(words.into());
        self.specific = true;
    }
}

/// A directory as an operand: a variable of the shell stays one.
fn start(dir: &str) -> String {
    if super::seek::variable(dir) { format!("\"{dir}\"") } else { quote_path(dir) }
}

pub(super) fn always_quoted(s: &str) -> String {
    let q = quote(s);
    if q.starts_with('\'') { q } else { format!("'{q}'") }
}

/// The characters that mean something in a pattern of names, taken literally.
pub(super) fn plain_pattern(s: &str) -> String {
    s.chars().flat_map(|c| if "*?[\\".contains(c) { vec!['\\', c] } else { vec![c] }).collect()
}

const THINGS: &str = "files|file|documents|scripts|programs|images|items|everything|anything|things|entries";

/// The set that is spoken of, crossed off.
pub(super) fn set(s: &Said<'_>) -> Set {
    let mut f = Set { dir: ".".into(), kind: "f", ..Set::default() };
    let here = s.any(&["not in|into? any? subdirectories|subfolders|subdirs", "but? without? descending into subdirectories|subfolders", "excluding subdirectories|subfolders", "not counting|including any? subdirectories|subfolders", "directly in|inside|under", "non-recursively", "not recursively", "without subdirectories|subfolders", "ignoring subdirectories|subfolders", "only? at top level", "top-level", "top level", "not deeper", "without recursing|recursion", "but? not its|their? subdirectories|subfolders", "no subdirectories|subfolders", "do not descend into subdirectories|subfolders", "do not recurse", "leaving|leave its|their|the? subdirectories|subfolders alone|untouched|out", "not of|from? subdirectories|subfolders", "immediate|direct"]);
    let deep = s.any(&["and|including|with all|any? of? its|their? subdirectories|subfolders|subdirs recursively?", "recursively", "including|and in? subdirectories|subfolders", "including ones|those in subdirectories|subfolders|folders|directories", "in its|their? subdirectories|subfolders", "directory|folder tree", "tree", "anywhere|everywhere|somewhere in|under|below|inside|within|beneath", "at any depth|level", "recursive", "in all? subdirectories|subfolders", "including subdirectories|subfolders", "at all levels", "and everything|all below|under|in it|them", "including nested|deeper ones", "nested"]);
    if let Some(n) = s.take("at least # levels|level|directories|folders deep|below|down|under?").or_else(|| s.take("# or more levels|directories deep|below|down?")) {
        f.least = s.number(n.at[0]);
    } else if let Some(n) = s.take("at most|no more than # levels|level|directories deep|down?").or_else(|| s.take("up? to? depth|level of|up? to? #")).or_else(|| s.take("depth of at? most? #")).or_else(|| s.take("maximum|max depth of? #")) {
        f.depth = s.number(n.at[0]);
    }
    // A directory that is left out.
    if let Some(x) = s.take("skip|skipping|ignore|ignoring|excluding|exclude|except|omit|omitting|without|outside|outside|not but? those|files|anything|everything? in|under|inside|below|from|of $ directory|folder?")
        .or_else(|| s.take("skip|skipping|ignore|ignoring|excluding|exclude|except|omit|omitting|without|outside for|of? $ directory|folder"))
        .or_else(|| s.take("not those|files|in? in|under|inside|below|from $ directory|folder?"))
        .or_else(|| s.take("directory|folder $ excluded|skipped|ignored|aside"))
    {
        let name = s.raw(x.at[0]).trim_end_matches('/').trim_start_matches("./").to_owned();
        if s.world().exists(&name) == Some(Exists::Dir) || name.starts_with('.') || x.end > x.at[0] + 1 {
            let test = if name.contains('/') { format!("! -path {}", always_quoted(&format!("{}{name}/*", if name.starts_with('/') { "" } else { "./" }))) } else { format!("! -path {}", always_quoted(&format!("*/{name}/*"))) };
            f.push(test, format!("outside of {name}"));
        }
    }
    s.each(&["but", "and? ignore|skip"]);
    // Kinds.
    let both = s.any(&["files and|or directories|folders|subdirectories", "directories|folders and|or files", "files and|or dirs"]);
    let links = !both && s.any(&["symbolic|soft links|link", "symlinks|symlink"]);
    f.said |= both || links;
    if both {
        f.kind = "";
    } else if links {
        f.kind = "l";
    }
    names(s, &mut f);
    contents(s, &mut f);
    while let Some(t) = s.entity(|e| if let Kind::Size(t) = &e.kind { Some(*t) } else { None }) {
        let (test, words) = size_test(t);
        f.push(test, words);
    }
    s.each(&["with|having|of|whose file? size|sizes is|are?", "in size"]);
    if s.any(&["with|having|have|has more than one|1 hard? link|links|name|names", "with|having|have|has several|multiple hard links|names", "that? are hard-linked|hardlinked"]) {
        f.push("-links +1".into(), "with more than one name");
        f.said = true;
    }
    if let Some(t) = between_sizes(s) {
        f.push(t.0, t.1);
    }
    ages(s, &mut f);
    if let Some((test, words)) = super::mode::test(s) {
        f.push(test, words);
    }
    owners(s, &mut f);
    if s.any(&["not empty|blank", "non-empty|nonempty"]) {
        f.push("! -empty".into(), "that are not empty");
    } else if s.any(&["empty|zero-length|zero-byte|zero-sized", "zero length|byte|bytes|size", "size of? zero|0", "0 bytes|byte", "of size 0|zero", "contain|contains|containing nothing", "with no content|contents", "without content"]) {
        f.push("-empty".into(), "that are empty");
    }
    let hidden_out = s.any(&["not? including? excluding|except|ignoring|without|not|skipping hidden ones|files?", "non-hidden|visible|unhidden", "not hidden", "do not start with dot", "except for? hidden ones|files?"]);
    if hidden_out {
        f.push("! -name '.*'".into(), "that are not hidden");
    } else if s.any(&["including|include hidden ones|files?", "also|even hidden|dotfiles ones|files?", "including|with dotfiles", "and hidden ones", "hidden ones|files? too|included|as"]) {
        f.words.push("with the hidden ones".into());
    } else if s.any(&["hidden", "dotfiles|dot-files|dotfile"]) {
        f.push("-name '.*'".into(), "that are hidden");
        f.said = true;
    }
    if f.kind == "l" && s.any(&["broken|dangling", "that? point|points to? nowhere", "whose target is missing", "whose target does not exist"]) {
        f.kind = "";
        f.push("-xtype l".into(), "whose target is missing");
    }
    let place = s.dir();
    if !both && !links {
        let dirs = s.take("subdirectories|directories|folders|subfolders|dirs|subdirs").or_else(|| if place.is_none() || !s.has(&["files", "file"]) { s.take("directory|folder|subdirectory|subfolder") } else { None });
        let files = s.take(&format!("regular|ordinary|normal? {THINGS}"));
        f.said |= dirs.is_some() || files.is_some();
        if dirs.is_some() && files.is_none() && f.endings.is_empty() {
            f.kind = "d";
        }
        s.each(&["files|file", "directories|directory|subdirectories|folder|folders", "regular"]);
    }
    f.here = s.has(&["here"]);
    let only_names = f.tests.iter().all(|t| t.contains("-name"));
    let said_here = (matches!(place.as_deref(), Some(".")) || s.any(&["here"])) && (only_names || !f.here);
    s.each(&["all|every|each of", "path|paths"]);
    if let Some(d) = place {
        f.dir = d;
        f.specific = true;
    }
    // "in this directory" is no tree.
    if here || (said_here && !deep && f.depth.is_none() && (f.kind == "f" || f.kind.is_empty() || f.kind == "d") && !below(s)) {
        f.depth = Some(1);
    }
    // Its own files only: "the immediate subdirectories".
    f
}

/// "under this directory", "below here": a tree.
fn below(s: &Said<'_>) -> bool {
    (0..s.len()).any(|i| matches!(s.w[i], "under" | "below" | "beneath" | "recursively" | "tree"))
}

fn between_sizes(s: &Said<'_>) -> Option<(String, String)> {
    let f = s.take("between # bytes? and # bytes")?;
    let (a, b) = (s.number(f.at[0])?, s.number(f.at[1])?);
    s.each(&["size|sizes of?"]);
    Some((format!("-size +{}c -size -{}c", a.saturating_sub(1), b + 1), format!("between {a} and {b} bytes")))
}

fn names(s: &Said<'_>, f: &mut Set) {
    let not = |s: &Said<'_>| s.any(&["except|excluding|besides for? those|ones|files?", "other than", "not ending|named", "that? are|is not", "but not", "do|does not end with|in", "whose name|names do|does not end with|in", "not", "except"]);
    let literal = |s: &Said<'_>, i: usize| {
        let t = s.text(i);
        let bare = t.trim_matches('*');
        plain_pattern(if bare.is_empty() { &t } else { bare })
    };
    if s.any(&["files|file that? have|has|with|having no extension|suffix|ending", "files|file without any? extension|suffix|ending", "that? have|has|having no extension|suffix"]) {
        f.push("! -name '*.*'".into(), "without an ending");
        f.said = true;
    }
    if s.any(&["with|having|contain|contains|containing digit|digits|number|numbers in their|its? name|names|filename|filenames", "whose name|names contain|contains|have|has|include digit|digits|number|numbers"]) {
        f.push("-name '*[0-9]*'".into(), "with digits in their names");
        f.said = true;
    } else if s.any(&["with|having|contain|contains|containing space|spaces|blank|blanks|whitespace in their|its? name|names|filename|filenames", "whose name|names contain|contains|have|has|include space|spaces|blank|blanks|whitespace"]) {
        f.push("-name '*[[:space:]]*'".into(), "with blanks in their names");
        f.said = true;
    }
    // Beginnings, ends, parts of names.
    for (patterns, form, verb) in [
        (&["with? an? extension|extensions|suffix that|which? begin|begins|beginning|start|starts|starting with letter|letters? $"][..], "*.{}*", "with an ending in"),
        (&["whose? name|names|filename|filenames? that|which? start|starts|starting|begin|begins|beginning|begun with|by letter|letters|prefix|string|word? $", "prefixed with|by $", "with prefix $", "having prefix $", "with name|names starting|beginning with $"][..], "{}*", "beginning with"),
        (&["whose name|names|filename|filenames that? end|ends|ending with|in letter|letters|string|suffix? $", "name|names ending|end|ends with|in letter|string? $", "with|having suffix $"][..], "*{}", "ending in"),
        (&["whose name|names|filename|filenames contain|contains|include|includes|has|have|match|matches|matching letter|letters|word|string|text|substring? $", "with|having $ in|inside its|their? name|names|filename|filenames", "name|names|filename|filenames containing|contain|contains|including|matching letter|letters|word|string|text|substring? $", "contain|contains|containing|have|has $ in its|their? name|names|filename|filenames", "with name|names|filename|filenames like|matching|containing $"][..], "*{}*", "containing"),
        (&["named|called exactly? $", "whose name is|equals exactly? $", "with name|filename $", "by name $"][..], "{}", "named"),
    ] {
        for p in patterns {
            let Some(found) = s.look(p) else { continue };
            let i = found.at[0];
            // "starting with line 3", "ending in .py" are something else.
            if !s.is_text(i) || matches!(s.entity_at(i).map(|e| &e.kind), Some(Kind::Ext(..) | Kind::Dir(_))) && form != "{}*" && !s.r.tokens[i].quoted {
                continue;
            }
            if form == "{}" && (s.has(&["create", "make", "archive", "copy", "move", "touch", "symlink", "symbolic", "link", "append", "write", "save"])) {
                continue;
            }
            if s.has(&["line", "lines", "rename", "prefix", "add"]) && form != "{}" && !s.has(&["name", "names", "filename", "filenames"]) {
                continue;
            }
            s.mark(found.start, found.end);
            s.each(&["case-insensitively", "case insensitively"]);
            let pattern = form.replace("{}", &literal(s, i));
            let mut test = format!("-name {}", always_quoted(&pattern));
            if found.start > 0 && s.any(&["not", "does not", "do not"]) {
                test = format!("! {test}");
            }
            f.push(test, format!("with a name {verb} {}", s.raw(i)));
            f.said = true;
            break;
        }
    }
    // Kinds by endings: ".c and .h files", "*.txt".
    let mut kinds: Vec<Vec<String>> = Vec::new();
    let mut start = None;
    while let Some((k, at)) = s.entity(|e| match &e.kind {
        // Of a jpg and a jpeg file, the one that is said.
        Kind::Ext(p, label) if matches!(label.as_str(), "jpg" | "jpeg" | "jpgs" | "jpegs") => Some((p.iter().filter(|p| **p == format!("*.{}", label.trim_end_matches('s'))).cloned().collect(), e.start)),
        Kind::Ext(p, _) => Some((p.clone(), e.start)),
        Kind::Glob(g) if !g.contains('/') => Some((vec![g.clone()], e.start)),
        _ => None,
    }) {
        start.get_or_insert(at);
        kinds.push(k);
        if kinds.len() > 1 && at > 0 && s.free(at - 1) && matches!(s.w[at - 1], "or" | "and") {
            s.mark(at - 1, at);
        }
        s.each(&["or|and *", "extension|extensions|suffix of?"]);
    }
    // "the extension conf", "ending in yml".
    while let Some(found) = s.look("extension|extensions|suffix is? of? $").or_else(|| s.look("ending|end|ends in|with $")).or_else(|| s.look("$ extension|suffix")) {
        let w = s.raw(found.at[0]).trim_start_matches("*.").trim_start_matches('.').to_owned();
        if !w.is_empty() && w.len() < 9 && w.chars().all(|c| c.is_ascii_alphanumeric()) && s.is_text(found.at[0]) && !s.has(&["line", "lines"]) && !matches!(w.as_str(), "file" | "per" | "by" | "of" | "each" | "s" | "and" | "without" | "name") && !super::seek::small(&w) && !matches!(w.as_str(), "insensitive" | "sensitive" | "here") {
            s.mark(found.start, found.end);
            start.get_or_insert(found.start);
            kinds.push(vec![format!("*.{w}")]);
            s.each(&["or|and extension"]);
            // "jpg or jpeg extension": the first of two.
            if found.start >= 2 && s.free(found.start - 1) && matches!(s.w[found.start - 1], "or" | "and") && s.free(found.start - 2) {
                let other = s.raw(found.start - 2).trim_start_matches('.').to_owned();
                if other.chars().all(|c| c.is_ascii_alphanumeric()) && other.len() < 6 {
                    s.mark(found.start - 2, found.start);
                    kinds.push(vec![format!("*.{other}")]);
                }
            }
            continue;
        }
        break;
    }
    if let Some(start) = start {
        let mut all: Vec<String> = kinds.concat();
        all.sort();
        all.dedup();
        let negative = (0..start).rev().take(5).any(|i| matches!(s.w[i], "except" | "excluding" | "besides" | "not" | "other" | "without" | "but" | "neither")) && not(s);
        if negative {
            s.each(&["files|file", "neither", "nor"]);
        }
        f.endings = all.iter().filter_map(|g| g.strip_prefix("*.")).filter(|e| !e.contains('*')).map(str::to_owned).collect();
        f.said = true;
        let exact: Vec<String> = all.clone();
        // "The .bak files and the files ending in ~": either.
        let other = f.tests.iter().position(|t| t.strip_prefix("-name '*").is_some_and(|t| !t.ends_with("*'"))).filter(|_| !negative && s.r.has(&["and", "or"]));
        let mut exact = exact;
        if let Some(t) = other {
            let t = f.tests.remove(t);
            exact.extend(t.strip_prefix("-name '").and_then(|t| t.strip_suffix('\'')).map(str::to_owned));
            s.each(&["and|or files|those|ones?"]);
        }
        let exact = exact;
        let test = if exact.len() == 1 { name_tests(&exact) } else { format!("\\( {} \\)", exact.iter().map(|g| format!("-name {}", always_quoted(g))).collect::<Vec<_>>().join(" -o ")) };
        f.push(if negative { format!("! {test}") } else { test }, format!("({}{})", if negative { "not " } else { "" }, all.join(", ")));
        if negative {
            f.endings.clear();
        }
        s.each(&["ending|end|ends in|with", "with|having extension|extensions|suffix", "extension|extensions"]);
        // "In code" is a place.
        let placed = |f: &super::said::Found| f.start > 0 && matches!(s.w[f.start - 1], "in" | "from" | "under" | "below" | "inside" | "within") || s.world().exists(s.raw(f.start)) == Some(Exists::Dir) && s.w.get(f.end).is_some_and(|w| matches!(*w, "folder" | "directory" | "dir" | "tree"));
        while s.take_if("source|code|script|scripts", |f| !placed(f)).is_some() {}
    }
}

/// Whether the request says that the case does not matter.
fn folded_ahead(s: &Said<'_>) -> bool {
    ["ignoring case", "case-insensitively|case-insensitive", "case insensitively|insensitive", "regardless of case", "in any case", "ignore case"].iter().any(|p| s.look(p).is_some())
}

/// Files by what is in them.
fn contents(s: &Said<'_>, f: &mut Set) {
    let fold = |s: &Said<'_>| if s.any(&["ignoring case", "case-insensitively|case-insensitive", "case insensitively|insensitive", "regardless of case", "in any case", "ignore case", "no matter case"]) { "i" } else { "" };
    const WHAT: &str = "both? at? least? word|string|text|phrase|pattern|line|term|keyword? $";
    for (negative, patterns) in [
        (true, &["that? do|does not contain|mention|include|have|match", "not containing|mentioning|including|having", "without|lacking", "that? have|has|with|contain|contains|containing no", "that? lack"][..]),
        (false, &["that? contain|contains|containing|mention|mentions|mentioning|include|includes|including", "with|having|matching", "in which", "for"][..]),
    ] {
        for p in patterns {
            let full = format!("{p} {WHAT}");
            let Some(found) = s.look(&full) else { continue };
            let i = *found.at.last().unwrap_or(&0);
            let strict = s.r.tokens[i].quoted || (found.start..i).any(|k| matches!(s.w[k], "word" | "string" | "text" | "phrase" | "pattern" | "keyword"));
            let strong = (found.start..i).any(|k| s.w[k] == "no" && s.raw(i).bytes().any(|b| b.is_ascii_uppercase()) || s.w[k].starts_with("contain") || s.w[k].starts_with("mention") || s.w[k] == "match") || strict;
            let lines = s.has(&["lines", "line", "rows", "occurrences", "replace", "matching"]);
            // "contains more than 3 files" is said of directories.
            if !s.quoted(i) && matches!(s.w[i], "more" | "most" | "fewer" | "less" | "exactly" | "only" | "nothing") {
                continue;
            }
            if !strong || lines && !strict || !s.is_text(i) || matches!(s.entity_at(i).map(|e| &e.kind), Some(Kind::Ext(..) | Kind::Size(_) | Kind::Time(_) | Kind::Dir(_))) {
                continue;
            }
            // Lines of files are another matter.
            if (found.start.saturating_sub(2)..found.start).any(|k| matches!(s.w[k], "lines" | "line" | "rows" | "entries" | "processes" | "variables" | "directories" | "folders")) || s.has(&["process", "processes", "variable", "variables"]) {
                continue;
            }
            s.mark(found.start, found.end);
            let mut more = Vec::new();
            // "both x and y": one test each.
            let both = (found.start..i).any(|k| s.w[k] == "both");
            if both && !negative && let Some(other) = s.look("and word|string|text? $").filter(|o| o.start == found.end && s.is_text(*o.at.last().unwrap_or(&0))) {
                s.mark(other.start, other.end);
                let j = other.at[0];
                f.push(format!("-exec grep -q{}F -e {} {{}} \\;", if folded_ahead(s) { "i" } else { "" }, quote(&s.text(j))), format!("that hold {}", s.raw(j)));
            }
            while let Some(other) = s.look("or $").filter(|o| o.start == found.end && s.is_text(o.at[0])) {
                s.mark(other.start, other.end);
                more.push(s.text(other.at[0]));
            }
            let i_flag = fold(s);
            let whole = if s.any(&["as? whole word"]) { "w" } else { "" };
            let t: String = std::iter::once(s.text(i)).chain(more).map(|t| format!(" -e {}", quote(&t))).collect();
            f.push(format!("{}-exec grep -q{i_flag}{whole}F{t} {{}} \\;", if negative { "! " } else { "" }), format!("that {} {}", if negative { "do not hold" } else { "hold" }, s.raw(i)));
            f.said = true;
            return;
        }
    }
}

fn ages(s: &Said<'_>, f: &mut Set) {
    const CHANGED: &str = "modified|changed|edited|updated|written|touched|created|accessed|opened|read|used";
    if let Some(found) = s.take("newer|younger than file? $").or_else(|| s.take(&format!("more? recently? {CHANGED}? more? recently than|after|since file? $"))) {
        let i = found.at[0];
        let name = s.raw(i);
        if s.world().exists(name) == Some(Exists::File) || matches!(s.entity_at(i).map(|e| &e.kind), Some(Kind::Path(_))) {
            f.push(format!("-newer {}", quote_path(name)), format!("changed after {name}"));
            return;
        }
        s.unmark(found.start, found.end);
    }
    let Some((t, at)) = s.entity(|e| if let Kind::Time(t) = &e.kind { Some((t.clone(), e.start)) } else { None }) else { return };
    let negative = (0..at).any(|i| matches!(s.w[i], "not" | "never" | "unmodified" | "unchanged" | "untouched")) && s.any(&["that? have|has|were|was? not been? modified|changed|touched|accessed|edited|opened|used", "not been? modified|changed|accessed|touched|used", "unmodified|unchanged|untouched", "not"]);
    let recent = matches!(t, TimeTest::WithinDays(_) | TimeTest::WithinMinutes(_) | TimeTest::Day(_) | TimeTest::Since(_));
    let t = if negative && recent { t.negate() } else { t };
    let accessed = s.any(&["accessed|opened|read|used"]);
    let changed = s.any(&["status|inode|metadata changed"]);
    let (test, words) = time_test(&t, if accessed { 'a' } else if changed { 'c' } else { 'm' }, if accessed { "accessed" } else { "modified" });
    s.each(&["last? modified|changed|edited|updated|written|touched|created|modification", "within|during|over|time|times"]);
    f.push(test, words);
}

fn owners(s: &Said<'_>, f: &mut Set) {
    if let Some(found) = s.take("owned by group $").or_else(|| s.take("belong|belongs|belonging to group $")).or_else(|| s.take("of|with group $")) {
        f.push(format!("-group {}", quote(s.raw(found.at[0]))), format!("of group {}", s.raw(found.at[0])));
        return;
    }
    let not = s.look("not owned|belonging").is_some() && s.any(&["that? are|is? not"]);
    if let Some(found) = s.take("owned by user? $").or_else(|| s.take("belong|belongs|belonging to user? $")).or_else(|| s.take("whose owner is $")).or_else(|| s.take("of user $")) {
        let who = s.raw(found.at[0]);
        let who = if matches!(who, "me" | "myself") { "\"$(id -un)\"".to_owned() } else { quote(who) };
        f.push(format!("{}-user {who}", if not { "! " } else { "" }), format!("of {who}"));
        f.said = true;
    } else if let Some(u) = s.entity(|e| if let Kind::User(u) = &e.kind { Some(u.clone()) } else { None }) {
        f.push(format!("-user {}", quote(&u)), format!("of {u}"));
    }
}
