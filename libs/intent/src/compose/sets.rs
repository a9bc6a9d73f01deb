//! What is done to each of a set of files.

use actions::quote::{quote, quote_path};

use super::{Made, Parts, made};
use crate::catalogue::filter::{filter, name_tests};
use crate::entity::Kind;
use crate::request::Request;
use crate::world::Exists;

/// What is done to each of a set of files.
pub(super) fn sets(p: &Parts<'_>) -> Made {
    let r = p.r;
    // Prefixes and suffixes of names.
    let first = *p.w.first()?;
    if p.many() && (p.has(&["prefix", "prepend"]) || (p.has(&["front", "beginning", "start", "starts"]) && p.has(&["name", "names", "starts", "rename"]))) && matches!(first, "prefix" | "add" | "prepend" | "put" | "rename") {
        let cues: &[&str] = if matches!(first, "add" | "prepend" | "put") { &["add", "prepend", "put"] } else { &["with"] };
        let text = p.text_after(cues).filter(|t| !t.is_empty() && !t.contains('/'))?;
        let f = filter(r);
        let dir = if f.dir == "." { String::new() } else { format!("{}/", f.dir.trim_end_matches('/')) };
        let glob = patterns(r)?;
        let (prefix, dirs) = (quote(&text), quote_path(&dir));
        let dirs = if dir.is_empty() { String::new() } else { dirs };
        return made(format!("for f in {dirs}{glob}; do mv -n -- \"$f\" {dirs}{prefix}\"${{f##*/}}\"; done"), format!("Puts {text} in front of the names of the {}.", f.describe()));
    }
    // Letters of names.
    if p.has(&["names", "filenames", "name", "rename"]) && p.has(&["uppercase", "upper", "capital", "lowercase", "lower", "capitals"]) && p.has(&["files", "file", "names", "filenames"]) {
        let upper = p.has(&["uppercase", "upper", "capital", "capitals"]);
        let dir = r.dir().unwrap_or_else(|| ".".into());
        let op = if upper { "^^" } else { ",," };
        return made(format!("(cd {} && for f in *; do mv -n -- \"$f\" \"${{f{op}}}\"; done)", quote_path(&dir)), format!("Writes the names in {dir} in {} letters; nothing is overwritten.", if upper { "capital" } else { "small" }));
    }
    // Endings, in a directory or everywhere.
    if p.has(&["rename", "turn", "change", "convert", "switch", "make"]) && !p.has(&["copy", "move", "replace", "archive", "find", "executable"]) {
        let ends = endings(p);
        if let [from, to] = &ends[..]
            && from != to
        {
            let (f, t) = (quote(from), quote(to));
            let dir = r.dir();
            let here = dir.as_deref() == Some(".") || p.has(&["here"]);
            let deep = if here || p.any(&["in this directory", "in this folder"]) { " -maxdepth 1" } else { "" };
            let place = dir.unwrap_or_else(|| ".".into());
            return made(
                format!("find {}{deep} -type f -name '*.{from}' -exec bash -c 'for f; do mv -n -- \"$f\" \"${{f%.*}}.\"{t}; done' _ {{}} +", quote_path(&place)).replace(&format!("'*.{from}'"), &format!("'*.'{f}")),
                format!("Renames every .{from} file below {} to end in .{to}; nothing is overwritten.", if place == "." { "this directory" } else { &place }),
            );
        }
    }
    // Without the hidden ones.
    if p.has(&["copy", "duplicate"]) && (p.any(&["without the hidden", "without hidden", "excluding hidden", "leave out hidden", "except hidden", "not the hidden", "leave out the hidden", "excluding dotfiles", "without dotfiles", "excluding the hidden", "but not hidden", "except the hidden", "but no hidden", "skip hidden", "skipping hidden", "ignoring hidden"])) {
        let dirs: Vec<String> = (0..r.tokens.len()).filter_map(|i| (r.world.exists(&r.tokens[i].raw) == Some(Exists::Dir) && r.tokens[i].raw != ".").then(|| r.tokens[i].raw.clone())).collect();
        let from = dirs.first()?.trim_end_matches('/').to_owned();
        let named = (0..p.w.len()).find(|&i| matches!(p.w[i], "to" | "as" | "called" | "named" | "into")).and_then(|i| r.tokens.get(i + 1)).map(|t| t.raw.clone()).filter(|t| *t != from && t != "the");
        let to = named.unwrap_or_else(|| format!("{from}-copy"));
        return made(
            format!("mkdir -p -- {0} && tar -C {1} --exclude='.[!.]*' -cf - . | tar -C {0} -xf -", quote_path(&to), quote_path(&from)),
            format!("Copies {from} to {to} without what is hidden."),
        );
    }
    // Many new files.
    if matches!(first, "create" | "make" | "touch") && p.has(&["files", "to", "through", "..."]) {
        let numbered: Vec<(String, u64, String)> = r.tokens.iter().filter_map(|t| numbered(&t.raw)).collect();
        if let [(a, from, x), (b, to, y)] = &numbered[..]
            && a == b
            && x == y
            && from < to
            && to - from < 10_000
        {
            // "01" to "10": bash keeps the zeros.
            let digits = |n: u64| r.tokens.iter().find_map(|t| self::numbered(&t.raw).filter(|(p, k, _)| p == a && *k == n).map(|_| t.raw[a.len()..].chars().take_while(char::is_ascii_digit).collect::<String>())).unwrap_or_else(|| n.to_string());
            let (from, to) = (digits(*from), digits(*to));
            // "... in docs".
            let dir = r.dir().filter(|d| d != "." && r.world.exists(d) == Some(Exists::Dir)).map_or(String::new(), |d| quote_path(&format!("{}/", d.trim_end_matches('/'))));
            return made(format!("touch -- {dir}{}{{{from}..{to}}}{}", quote(a), quote_end(x)), format!("Makes the files {a}{from}{x} to {a}{to}{y}."));
        }
    }
    // A file of a size.
    if matches!(first, "create" | "make") && !p.has(&["copy", "archive", "directory", "folder"]) {
        let size = r.entities.iter().find_map(|e| if let Kind::Size(crate::entity::SizeTest::Plain(b)) = &e.kind { Some(*b) } else { None });
        if let (Some(bytes), Some(f)) = (size, p.file()) {
            let bytes = bytes.max(1);
            return made(format!("head -c {bytes} /dev/zero > {}", quote_path(&f)), format!("Makes {f} of {bytes} zero bytes."));
        }
    }
    // Lists of names.
    if p.many() && (p.any(&["base names", "only the names", "names without path", "without path", "without directories", "only the file names", "basenames", "just the names", "no directories"])) {
        let f = filter(r);
        return made(format!("{} -printf '%f\\n'", f.find()), format!("Prints only the names of the {}.", f.describe()));
    }
    if p.many() && p.has(&["executable", "execute", "runnable"]) && matches!(first, "make" | "give" | "set" | "mark" | "let") {
        let f = filter(r);
        let find = f.find().replace(" -executable", "");
        return made(format!("{find} -exec chmod +x {{}} +"), format!("Lets the {} be run as programs.", f.noun));
    }
    if p.many() && (p.has(&["chmod", "permission", "permissions", "mode"])) && matches!(first, "set" | "chmod" | "change" | "make" | "give") {
        let mode = r.tokens.iter().find(|t| (3..=4).contains(&t.raw.len()) && t.raw.bytes().all(|b| (b'0'..=b'7').contains(&b)))?.raw.clone();
        let mut f = filter(r);
        f.tests.retain(|t| !t.starts_with("-perm"));
        return made(format!("{} -exec chmod {mode} {{}} +", f.find()), format!("Sets the mode of the {} to {mode}.", f.noun));
    }
    if p.many() && p.has(&["gzip", "compress", "bzip2", "xz"]) && matches!(first, "gzip" | "compress" | "bzip2" | "xz") && p.files().is_empty() {
        let f = filter(r);
        let program = if p.has(&["bzip2"]) { "bzip2" } else if p.has(&["xz"]) { "xz" } else { "gzip" };
        return made(format!("{} -exec {program} {{}} +", f.find()), format!("Compresses each of the {}.", f.describe()));
    }
    // An archive of many.
    if p.many() && p.has(&["archive", "pack", "tar", "zip", "bundle"]) && let Some(archive) = p.file().filter(|f| f.contains(".tar") || f.ends_with(".tgz") || f.ends_with(".zip")) {
        let f = filter(r);
        let mut f = f;
        f.tests.retain(|t| !t.contains(&archive));
        let find = f.find();
        return if archive.ends_with(".zip") {
            made(format!("{find} -exec zip {} {{}} +", quote_path(&archive)), format!("Packs the {} into {archive}.", f.describe()))
        } else {
            made(format!("{find} -print0 | tar -czf {} --null -T -", quote_path(&archive)).replace(" -czf ", if archive.ends_with(".tar") { " -cf " } else { " -czf " }), format!("Packs the {} into {archive}.", f.describe()))
        };
    }
    // Neither of several kinds; everything but one.
    if p.many() && matches!(first, "files" | "list" | "show" | "find" | "all" | "everything" | "which") && (p.has(&["neither", "except", "excluding", "without"]) || p.any(&["other than", "that are not", "not ending"])) && !p.has(&["descending", "subfolders", "subdirectories", "recursing", "hidden"]) && !p.has(&["lines", "line", "copy", "contain", "containing"]) {
        let mut kinds: Vec<String> = Vec::new();
        while let Some(k) = r.take(|k| match k {
            Kind::Ext(p, _) => Some(p.clone()),
            Kind::Glob(g) => Some(vec![g.clone()]),
            _ => None,
        }) {
            kinds.extend(k);
        }
        let dir = r.dir();
        let deep = dir.is_none() && p.has(&["recursively", "tree", "subfolders", "everywhere"]);
        let tests: Vec<String> = kinds.iter().map(|k| format!("! {}", name_tests(std::slice::from_ref(k)))).collect();
        return made(format!("find {}{} -type f {}", quote_path(dir.as_deref().unwrap_or(".")), if deep || dir.is_some() { "" } else { " -maxdepth 1" }, tests.join(" ")), format!("Finds the files that are not {}.", kinds.join(" or ")));
    }
    // Depth.
    if p.has(&["depth", "levels", "deep"]) && !p.has(&["up", "go", "cd"]) && let Some(n) = r.num() {
        let mut f = filter(r);
        f.tests.insert(0, format!("-maxdepth {n}"));
        return made(f.find(), format!("Finds the {}, at most {n} levels deep.", f.describe()));
    }
    if p.phrase("newer than") || p.any(&["changed after", "modified after", "modified more recently than", "more recently than", "changed since", "modified since"]) {
        let than = p.file()?;
        if r.world.exists(&than).is_some() {
            let dir = r.dir().unwrap_or_else(|| ".".into());
            return made(format!("find {} -type f -newer {}", quote_path(&dir), quote_path(&than)), format!("Finds files that were changed after {than}."));
        }
    }
    if p.any(&["world writable", "writable by others", "written by everybody", "writable by everyone", "written by everyone", "written by anyone", "writable by everybody", "world-writable", "writable by anyone"]) {
        let dir = r.dir().unwrap_or_else(|| ".".into());
        return made(format!("find {} -type f -perm -o+w", quote_path(&dir)), "Finds files that everybody may write.");
    }
    None
}

/// Lines of programs by their language.
pub(super) fn languages(p: &Parts<'_>) -> Made {
    let r = p.r;
    let first = *p.w.first()?;
    // Lines of a language: "how many lines of python are in src".
    if p.has(&["lines", "loc", "code"]) && (p.phrase("how many") || matches!(first, "count" | "lines" | "number")) && !p.many() && p.file().is_none() {
        let language = p.w.iter().find(|w| matches!(**w, "python" | "rust" | "java" | "javascript" | "ruby" | "perl" | "typescript" | "shell" | "bash" | "markdown" | "html" | "css" | "sql" | "lua"))?;
        let kinds = crate::entity::kinds::patterns(language)?;
        let dir = r.dir().unwrap_or_else(|| ".".into());
        return made(format!("find {} -type f {} -exec cat {{}} + | wc -l", quote_path(&dir), name_tests(&kinds)), format!("Counts the lines of {language} below {dir}."));
    }
    None
}

/// A text in all files of a directory.
pub(super) fn search(p: &Parts<'_>) -> Made {
    let r = p.r;
    let first = *p.w.first()?;
    // How it is to be printed, which it is anyway.
    let numbered = p.any(&["with file names", "with filenames", "with line numbers", "with line number", "and line numbers", "with the line numbers", "print line numbers"]);
    // "find foo in src", "every occurrence of foo under src", "grep recursively for foo in src".
    if (matches!(first, "grep" | "find" | "search" | "look" | "scan") || p.any(&["every occurrence of", "all occurrences of", "occurrences of"])) && p.files().is_empty() && (numbered || !p.has(&["file", "name", "names", "number", "filename", "filenames"])) && !p.has(&["files", "folders", "directories", "named", "called", "replace", "count", "many", "package", "process", "bigger", "larger", "modified", "newer", "older"]) && !p.many() {
        let t = p.text_after(if p.has(&["occurrence", "occurrences"]) { &["of"][..] } else if p.has(&["for"]) { &["for"][..] } else { &["grep", "find", "search", "scan"][..] })?;
        let at = r.tokens.iter().position(|x| x.raw == t)?;
        let dir = (at + 1..p.w.len()).find(|&i| r.world.exists(&r.tokens[i].raw) == Some(Exists::Dir) && matches!(p.w[i - 1], "in" | "under" | "inside" | "below" | "within" | "the" | "of"))?;
        // Between the text and the place nothing else is said.
        if !p.w[at + 1..dir].iter().all(|w| matches!(*w, "in" | "under" | "inside" | "below" | "within" | "the" | "of" | "recursively" | "all" | "everywhere" | "anywhere" | "folder" | "directory")) {
            return None;
        }
        let place = &r.tokens[dir].raw;
        return made(format!("grep -rnF -e {} -- {}", quote(&t), quote_path(place)), format!("Prints the lines with {t} below {place}, with file and number."));
    }
    None
}

/// The patterns that are said, for the shell.
fn patterns(r: &Request<'_>) -> Option<String> {
    let all: Vec<String> = r.entities.iter().filter_map(|e| match &e.kind {
        Kind::Ext(p, _) => Some(p.clone()),
        Kind::Glob(g) => Some(vec![g.clone()]),
        _ => None,
    }).flatten().collect();
    let safe = all.iter().all(|g| g.chars().all(|c| c.is_ascii_alphanumeric() || "*?._-".contains(c)));
    match &all[..] {
        [one] if safe => Some(one.clone()),
        _ => None,
    }
}

/// The endings of the request in order: ".jpeg to .jpg", "txt extension in docs to md".
fn endings(p: &Parts<'_>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for (i, t) in p.r.tokens.iter().enumerate() {
        let w = t.norm.trim_start_matches('*').trim_start_matches('.');
        let dotted = t.norm.starts_with('.') || t.norm.starts_with("*.");
        let glob = t.norm.rsplit_once("/*.").map(|(_, e)| e);
        let known = crate::entity::kinds::patterns(w).is_some() && !matches!(w, "c" | "h" | "a" | "r" | "o" | "old" | "out" | "image" | "photo" | "picture" | "images" | "photos" | "pictures" | "archive") || dotted;
        let e = glob.unwrap_or(w).trim_end_matches("files");
        let before = i.checked_sub(1).map(|i| p.w[i]);
        if (known && !t.quoted && (dotted || matches!(before, Some("all" | "to" | "from" | "into" | "in" | "every" | "rename" | "turn" | "of")) ) || glob.is_some()) && !e.is_empty() && e.bytes().all(|b| b.is_ascii_alphanumeric()) && e.len() <= 8 && out.last().is_none_or(|l| l != e) {
            // "in docs": a place.
            if before == Some("in") && !dotted && p.r.world.exists(&t.raw).is_some() {
                continue;
            }
            out.push(e.to_owned());
        }
    }
    out
}

/// `file12.txt` as `file`, 12, `.txt`.
fn numbered(w: &str) -> Option<(String, u64, String)> {
    let start = w.find(|c: char| c.is_ascii_digit())?;
    let end = w[start..].find(|c: char| !c.is_ascii_digit()).map_or(w.len(), |e| start + e);
    let plain = |s: &str| s.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    (start > 0 && plain(&w[..start]) && plain(&w[end..])).then_some(())?;
    Some((w[..start].to_owned(), w[start..end].parse().ok()?, w[end..].to_owned()))
}

fn quote_end(s: &str) -> String {
    if s.is_empty() { String::new() } else { quote(s) }
}

