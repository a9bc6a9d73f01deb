//! What is done to each of a set of files, and what is listed of them.

use actions::quote::{quote, quote_path};

use super::lines::{self, literal, replacement};
use super::listing::{listing, order, top};
use super::said::Said;
use super::set::{self, Set, always_quoted};
use super::{Reading, mode, reading};
use crate::entity::Kind;
use crate::world::Exists;

/// What is asked of many files.
pub(super) fn many(s: &Said<'_>) -> Option<Reading> {
    // The directories of the search path are no set of files.
    if (0..s.len()).any(|i| matches!(s.raw(i), "PATH" | "$PATH")) {
        return None;
    }
    // What one of them crossed off in vain is free again for the next.
    let marks = s.marks();
    let readers: [fn(&Said<'_>) -> Option<Reading>; 4] = [changes, inside, counts, listing];
    readers.iter().find_map(|read| {
        s.restore(marks.clone());
        read(s)
    })
}

/// Whether the set is one: it is said which files, or that it is files.
pub(super) fn clear(f: &Set) -> bool {
    f.said || f.specific && !f.tests.is_empty()
}

/// The directory that something goes to, crossed off, and whether it must be made.
fn destination(s: &Said<'_>) -> Option<(String, bool)> {
    let f = s.take("to|into|in|inside|under new|existing|backup? directory|folder|subdirectory called|named $")
        .or_else(|| s.take("to|into|in|inside|under new|existing? directory|folder|subdirectory $"))
        .or_else(|| s.take("to|into $ directory|folder|subdirectory?"))
        .or_else(|| s.take_if("in|under $ directory|folder?", |f| s.has(&["put", "place", "store", "collect", "gather"]) && f.start + 3 > s.len()))?;
    let i = *f.at.last()?;
    let raw = s.raw(i).trim_end_matches('/').to_owned();
    if matches!(s.w[i], "new" | "it" | "each" | "another" | "directory" | "the") || raw.is_empty() || raw.contains('*') {
        return None;
    }
    let path = if raw.is_empty() { "/".into() } else { raw };
    let there = s.world().exists(&path) == Some(Exists::Dir);
    s.any(&["creating|create|make|making it|directory|folder if|when|where|as it? needed|necessary|missing|required", "create|make it if it does not exist", "which|that does not exist yet?", "if it does not exist"]);
    Some((path, !there))
}

fn changes(s: &Said<'_>) -> Option<Reading> {
    let first = s.first().to_owned();
    let recursive_verb = first == "recursively" && s.len() > 1;
    let verb = if recursive_verb { s.w[1].to_owned() } else { first };
    // "and change them to 644".
    if matches!(verb.as_str(), "find" | "locate" | "search" | "list" | "for") {
        let marks = s.marks();
        if let Some(f) = s.take_if("and|then change|set|chmod|make give? them|it|those|their permissions|permission|mode? to|mode? #", |f| (3..=4).contains(&s.raw(f.at[0]).len()) && s.raw(f.at[0]).bytes().all(|b| (b'0'..=b'7').contains(&b))) {
            let set = set::set(s);
            if clear(&set) {
                let m = s.raw(f.at[0]);
                return reading(format!("{} -exec chmod {m} {{}} +", set.find()), format!("Changes the permissions of the {} to {m}.", set.describe()));
            }
        }
        s.restore(marks);
    }
    // A target with an archive's ending is packed into.
    let packs = (0..s.len()).any(|i| [".tar", ".tgz", ".zip", ".tar.gz", ".tar.bz2", ".tar.xz", ".tbz2", ".txz"].iter().any(|e| s.typed[i].len() > e.len() && s.typed[i].ends_with(e)) && s.world().exists(s.raw(i)).is_none());
    if packs && matches!(verb.as_str(), "put" | "collect" | "gather" | "add" | "copy") {
        return alter(s, "put");
    }
    let verb = if verb == "find" || verb == "locate" || verb == "search" {
        // "find all x and delete them".
        let f = ["delete", "remove", "copy", "move", "compress", "gzip"].into_iter().find_map(|v| s.take(&format!("and|then {v} them|it|those|each|all")).map(|_| v));
        f.map_or(verb, str::to_owned)
    } else {
        verb
    };
    match verb.as_str() {
        "get" if s.take("get rid of").is_some() => delete(s, "rid"),
        "delete" | "remove" | "erase" | "rm" | "purge" | "clean" => delete(s, &verb),
        "copy" | "move" | "cp" | "mv" | "put" | "collect" | "gather" | "relocate" => transfer(s, &verb),
        "chmod" | "make" | "set" | "give" | "grant" | "add" | "revoke" | "take" | "change" | "allow" | "deny" | "recursively" | "mark" | "modify" | "withdraw" | "restrict" | "ensure" | "let" | "protect" | "strip" | "for" | "convert" | "turn" | "rename" | "replace" | "substitute" | "compress" | "gzip" | "bzip2" | "xz" | "decompress" | "gunzip" | "uncompress" | "create" | "pack" | "archive" | "tar" | "zip" | "bundle" | "touch" | "append" | "prepend" | "insert" | "update" | "chown" | "duplicate" | "back" | "prefix" | "lowercase" | "uppercase" | "drop" | "split" | "extract" | "unpack" | "link" | "symlink" | "swap" | "assign" | "transfer" | "backup" | "save" | "only" | "nobody" => alter(s, &verb),
        _ => None,
    }
    .or_else(|| if verb == "remove" { alter(s, &verb) } else { None })
}

fn delete(s: &Said<'_>, verb: &str) -> Option<Reading> {
    let marks = s.marks();
    if s.has(&["permission", "permissions", "lines", "line", "access", "rights", "process", "user", "characters", "words", "package", "extension", "prefix", "suffix", "spaces", "column", "duplicates"]) {
        return None;
    }
    s.take(verb);
    s.each(&["permanently", "up", "recursively"]);
    if s.has(&["directory", "folder"]) && !s.has(&["files", "file", "directories", "folders"]) {
        s.restore(marks);
        return None;
    }
    let f = set::set(s);
    if !clear(&f) || f.tests.is_empty() {
        s.restore(marks);
        return None;
    }
    let find = f.find();
    let command = if f.kind == "d" && !f.tests.iter().any(|t| t == "-empty") { format!("{} -prune -exec rm -r -- {{}} +", find) } else { format!("{find} -delete") };
    reading(command, format!("Deletes the {}.", f.describe()))
}

fn transfer(s: &Said<'_>, verb: &str) -> Option<Reading> {
    let marks = s.marks();
    s.take(verb).or_else(|| s.take("copy|move"));
    if s.look("with|and everything|all|contents in|inside|of it").is_some() || s.look("whole|entire").is_some() {
        s.restore(marks);
        return None;
    }
    let moves = matches!(verb, "move" | "mv" | "relocate" | "put") && !s.any(&["copies of", "a copy of"]);
    let Some((to, make)) = destination(s) else {
        s.restore(marks);
        return None;
    };
    let keep_tree = s.any(&["preserving|keeping|preserve|keep|maintaining|retaining|with directory|folder structure|hierarchy|tree|paths", "preserving|keeping structure"]);
    let keep_times = s.any(&["preserving|keeping|preserve|keep|retaining|with all? attributes|timestamps|permissions|modes|modification|times and|or? times|timestamps|permissions?"]);
    let no_clobber = s.any(&["without overwriting existing|anything ones|files?", "do not overwrite existing? files?", "not overwriting existing? files?"]);
    let over = s.any(&["overwriting existing files|ones?", "overwrite existing files|ones?"]);
    let f = set::set(s);
    if !clear(&f) || f.tests.is_empty() && (!f.said || s.look("everything|all in it").is_some() || f.dir == ".") || f.kind == "d" {
        s.restore(marks);
        return None;
    }
    let q = quote_path(&to);
    // What lies in the target already is not meant.
    let inside = f.dir == "." && f.depth != Some(1) && !to.starts_with('/') && !make;
    let not_there = if inside { format!(" ! -path {}", always_quoted(&format!("./{}/*", to.trim_start_matches("./")))) } else { String::new() };
    let find = f.find();
    let n = if no_clobber || moves && !over { " -n" } else { "" };
    let p = if keep_times { " -p" } else { "" };
    if keep_tree {
        if moves || f.dir.starts_with('~') {
            s.restore(marks);
            return None;
        }
        // From within, so that only what is below the directory is made anew.
        let target = if to.starts_with(['/', '~']) { q.clone() } else { format!("\"$OLDPWD\"/{q}") };
        let mut below = f.clone();
        below.dir = ".".into();
        let make = if make { format!("mkdir -p {q} && ") } else { String::new() };
        return reading(format!("{make}(cd {} && {} -exec cp{p} --parents -t {target} {{}} +)", quote_path(&f.dir), below.find()), format!("Copies the {} to {to}, with their directories.", f.describe()));
    }
    let act = if moves { format!("mv{n} -t {q}") } else { format!("cp{n}{p} -t {q}") };
    let command = format!("{}{find}{not_there} -exec {act} {{}} +", if make { format!("mkdir -p {q} && ") } else { String::new() });
    reading(command, format!("{} the {} to {to}.", if moves { "Moves" } else { "Copies" }, f.describe()))
}

/// A command in a loop over the set: `$f` is the file.
fn each(f: &Set, body: &str) -> String {
    format!("{} -exec bash -c 'for f; do {body}; done' _ {{}} +", f.find())
}

fn alter(s: &Said<'_>, verb: &str) -> Option<Reading> {
    let marks = s.marks();
    let give_up = |s: &Said<'_>| {
        s.restore(marks.clone());
        None
    };
    // Archives of a set.
    if matches!(verb, "pack" | "archive" | "tar" | "zip" | "bundle" | "compress" | "create" | "make" | "put" | "add" | "save" | "back" | "backup") {
        if let Some(r) = archive(s) {
            return Some(r);
        }
        s.restore(marks.clone());
    }
    if matches!(verb, "extract" | "unpack") {
        return None;
    }
    // Permissions.
    if let Some(m) = mode::mode(s) {
        s.each(&["recursively", "chmod|make|set|give|change|grant|allow|only"]);
        let deep = s.any(&["and|including everything|all contents|content? in|inside|under|below|within it", "and|with all? its|their? contents|content", "and everything|all below", "and all? files in|inside|under it"]);
        let marks_now = s.marks();
        let files = s.files();
        if !files.is_empty() {
            let all: Vec<String> = files.iter().map(|f| quote_path(f)).collect();
            return reading(format!("chmod {m} {}", all.join(" ")), format!("Changes the permissions of {}.", files.join(", ")));
        }
        s.restore(marks_now);
        let f = set::set(s);
        // "of the directory x and everything in it".
        if f.tests.is_empty() && f.specific && (!f.said || f.kind == "d") && (deep || s.has(&["recursively"])) && f.dir != "." {
            return reading(format!("chmod -R {m} {}", quote_path(&f.dir)), format!("Changes the permissions of {} and all below it.", f.dir));
        }
        if f.tests.is_empty() && !f.said && f.specific && f.dir != "." {
            return reading(format!("chmod {m} {}", quote_path(&f.dir)), format!("Changes the permissions of {}.", f.dir));
        }
        if !clear(&f) || f.tests.is_empty() && !f.specific {
            return give_up(s);
        }
        let mut f = f;
        // "make all .sh files executable": those that are not yet.
        f.tests.retain(|t| !t.starts_with("-perm") && !t.starts_with("! -perm"));
        return reading(format!("{} -exec chmod {m} {{}} +", f.find()), format!("Changes the permissions of the {} to {m}.", f.describe()));
    }
    if verb == "chown" || s.look("change|set owner|ownership").is_some() || s.look("group to").is_some() && matches!(verb, "change" | "set") {
        let group = s.look("group ownership|owner|of?").is_some() && s.look("owner|user").is_none();
        let Some(t) = s.take("to user|group? $") else { return give_up(s) };
        s.each(&["change|set|chown|recursively owner|ownership|group? of|ownership?", "group|owner|ownership|user"]);
        let who = quote(s.raw(t.at[0]));
        let program = if group { "chgrp" } else { "chown" };
        let files = s.files();
        if !files.is_empty() {
            let all: Vec<String> = files.iter().map(|f| quote_path(f)).collect();
            return reading(format!("{program} {who} {}", all.join(" ")), "Changes whose it is.");
        }
        let f = set::set(s);
        if f.tests.is_empty() && f.specific && f.dir != "." {
            return reading(format!("{program} -R {who} {}", quote_path(&f.dir)), format!("Changes whose {} and all below it is.", f.dir));
        }
        if !clear(&f) {
            return give_up(s);
        }
        return reading(format!("{} -exec {program} {who} {{}} +", f.find()), format!("Changes whose the {} are.", f.describe()));
    }
    // A new file in each directory.
    if matches!(verb, "create" | "touch" | "make" | "put" | "add") && s.look("in each|every|all").is_some() && s.has(&["directory", "directories", "folder", "folders", "subdirectory", "subdirectories"]) {
        s.take(verb);
        let name = s.take("file named|called $").or_else(|| s.take("named|called $")).or_else(|| s.take("empty|new? file $")).map(|f| s.raw(*f.at.last().unwrap_or(&0)).to_owned()).or_else(|| s.entity(|e| if let Kind::Path(p) = &e.kind { Some(p.clone()) } else { None }))?;
        s.each(&["empty? file", "in each|every|all", "new|blank"]);
        let mut f = set::set(s);
        f.kind = "d";
        return reading(format!("{} -exec touch {{}}/{} \\;", f.find(), quote(&name)), format!("Makes {name} in each of the {}.", f.describe()));
    }
    // Another form of a table.
    if matches!(verb, "convert" | "turn" | "change") && s.paths() == 0 {
        for (to, from, script) in [("tsv", "csv", "s/,/\\t/g"), ("csv", "tsv", "s/\\t/,/g")] {
            let form = if to == "tsv" { "to|into|as tsv|tab-separated|tab files|file|values|format|separated?" } else { "to|into|as csv|comma-separated|comma files|file|values|format|separated?" };
            if s.look(form).is_none() {
                continue;
            }
            s.take(form);
            s.take(verb);
            s.each(&["values|format|files", "with|having same name|names", "keeping|keep|leaving|leave originals|original files|ones?"]);
            let f = set::set(s);
            if f.endings.len() != 1 || f.endings[0] != from {
                break;
            }
            return reading(each(&f, &format!("sed \"{script}\" \"$f\" > \"${{f%.*}}.{to}\"")), format!("Writes the {} as .{to} beside them.", f.describe()));
        }
        if s.any(&["from dos|windows to unix line? endings|ends|format?", "to|into unix line? endings|ends|format", "line endings|ends to unix"]) {
            s.take(verb);
            s.each(&["line endings|ends of?", "windows|dos|from"]);
            let f = set::set(s);
            return clear(&f).then(|| reading(format!("{} -exec sed -i 's/\\r$//' {{}} +", f.find()), format!("Turns the line ends of the {} into Unix ones.", f.describe())))?;
        }
        s.restore(marks.clone());
    }
    // Compression of each.
    if matches!(verb, "compress" | "gzip" | "bzip2" | "xz" | "decompress" | "gunzip" | "uncompress") && s.paths() == 0 {
        s.take(verb);
        let program = if s.any(&["with|using bzip2", "bzip2"]) || verb == "bzip2" { "bzip2" } else if s.any(&["with|using xz", "xz"]) || verb == "xz" { "xz" } else { "gzip" };
        let un = matches!(verb, "decompress" | "gunzip" | "uncompress");
        s.each(&["with|using gzip", "gzip", "individually|separately", "keeping|keep|preserving original|originals files|ones?", "each"]);
        let keep = s.look("keeping|keep|preserving").is_some();
        let f = set::set(s);
        if !clear(&f) {
            return give_up(s);
        }
        return reading(format!("{} -exec {program}{}{} {{}} +", f.find(), if un { " -d" } else { "" }, if keep { " -k" } else { "" }), format!("{} each of the {}.", if un { "Decompresses" } else { "Compresses" }, f.describe()));
    }
    if matches!(verb, "rename" | "change" | "convert" | "turn" | "prefix" | "add" | "append" | "lowercase" | "uppercase" | "make" | "copy" | "duplicate" | "create" | "remove" | "strip" | "replace" | "back" | "prepend" | "substitute" | "backup" | "swap") {
        if let Some(r) = names(s, verb) {
            return Some(r);
        }
        s.restore(marks.clone());
    }
    // Texts in all of them.
    if matches!(verb, "replace" | "substitute" | "change" | "remove" | "delete" | "append" | "prepend" | "insert" | "add" | "update" | "convert" | "swap") && s.paths() == 0 {
        if let Some(r) = texts(s, verb) {
            return Some(r);
        }
        s.restore(marks.clone());
    }
    give_up(s)
}

fn archive(s: &Said<'_>) -> Option<Reading> {
    // The archive is named, with an ending that says which kind.
    let kind = |n: &str| {
        let n = n.to_lowercase();
        if n.ends_with(".tar.gz") || n.ends_with(".tgz") { Some("z") } else if n.ends_with(".tar.bz2") || n.ends_with(".tbz2") || n.ends_with(".tbz") { Some("j") } else if n.ends_with(".tar.xz") || n.ends_with(".txz") { Some("J") } else if n.ends_with(".tar") { Some("") } else if n.ends_with(".zip") { Some("zip") } else { None }
    };
    let at = (0..s.len()).find(|&i| s.free(i) && kind(s.raw(i)).is_some() && s.world().exists(s.raw(i)).is_none())?;
    let name = s.raw(at).to_owned();
    let how = kind(&name)?;
    s.mark(at, at + 1);
    s.each(&["gzipped|gzip|gzip-compressed|bzip2|bzip2-compressed|xz|xz-compressed|compressed|zip|zipped|new? compressed|gzip|gzipped? tar|tarball|archive|file? archive|file? named|called?", "uncompressed|plain", "tarball|archive|tar", "into|to|in|as|named|called|from|of|with|containing|holding|using", "pack|archive|tar|zip|bundle|compress|create|make|put|add|save|backup|back", "gzip|bzip2|xz|compressed|gzipped", "contents|content|directory|up"]);
    let q = quote_path(&name);
    let marks = s.marks();
    let f = set::set(s);
    let tar = |list: &str| if how == "zip" { format!("zip -qr {q} {list}") } else { format!("tar -c{how}f {q} {list}") };
    if f.tests.is_empty() && f.specific && f.dir != "." && !(f.said && f.kind == "f" && f.depth.is_some()) {
        s.each(&["files|file|everything|all"]);
        let (parent, base) = match f.dir.trim_end_matches('/').rsplit_once('/') {
            Some((p, b)) if how != "zip" && !p.is_empty() => (Some(p.to_owned()), b.to_owned()),
            _ => (None, f.dir.trim_end_matches('/').to_owned()),
        };
        let list = match parent {
            Some(p) => format!("-C {} {}", quote_path(&p), quote_path(&base)),
            None => quote_path(&base),
        };
        return reading(tar(&list), format!("Packs {} into {name}.", f.dir));
    }
    if !clear(&f) || f.tests.is_empty() {
        s.restore(marks);
        let files = s.files();
        if files.is_empty() {
            return None;
        }
        let all: Vec<String> = files.iter().map(|f| quote_path(f)).collect();
        return reading(tar(&all.join(" ")), format!("Packs {} into {name}.", files.join(", ")));
    }
    let find = f.find();
    if how == "zip" {
        return reading(format!("{find} -exec zip -q {q} {{}} +"), format!("Packs the {} into {name}.", f.describe()));
    }
    // Flat: without "./" in front of the names.
    let plain = f.dir == "." && f.depth == Some(1);
    let list = if plain { format!("{find} -printf '%P\\0'") } else { format!("{find} -print0") };
    reading(format!("{list} | tar -c{how}f {q} --null -T -"), format!("Packs the {} into {name}.", f.describe()))
}

/// New names for each.
fn names(s: &Said<'_>, verb: &str) -> Option<Reading> {
    // "remove the extension from all .tmp files".
    if matches!(verb, "remove" | "strip" | "drop") {
        s.take("remove|strip|drop file? extension|extensions|suffix|suffixes|ending|endings of|from")?;
        let f = set::set(s);
        return clear(&f).then(|| reading(each(&f, "mv -n \"$f\" \"${f%.*}\""), format!("Takes the endings off the names of the {}.", f.describe())))?;
    }
    let copies = matches!(verb, "copy" | "duplicate" | "back" | "backup") || s.any(&["copy|copies|backup of"]);
    let mut part = None;
    // A suffix or a prefix.
    let (form, words) = if let Some(f) = s.take("with? $ added|appended to|at? end? of? its|their|file? name|names|filename|filenames?").or_else(|| s.take("by? appending|adding $ to end? of? its|their? name|names|filename|filenames")).or_else(|| s.take("append|add|adding $ to|at end? of? its|their? name|names|filename|filenames")).or_else(|| s.take("with suffix|extension $ added|appended")).or_else(|| s.take("add|append suffix|extension $ to")).or_else(|| s.take_if("with $ suffix|extension added|appended?", |_| copies)) {
        let t = s.text(f.at[0]);
        s.each(&["to|at end of?", "to its|their|file? name|names|filename|filenames", "name|names|filename|filenames"]);
        // "before the extension": the ending stays the ending.
        let within = s.any(&["but? before|ahead extension|extensions|suffix|ending|endings|dot", "in front of extension|suffix|ending|endings|dot", "keeping|preserving|retaining|leaving their|its? extension|extensions|suffix|ending"]);
        (if within { format!("\"${{f%.*}}\"{}\".${{f##*.}}\"", quote(&t)) } else { format!("\"$f\"{}", quote(&t)) }, format!("with {t} at the end of the name"))
    } else if let Some(f) = s.take_if("create|make|keep|write $", |f| copies && s.raw(f.at[0]).starts_with('.') && s.raw(f.at[0]).len() > 1) {
        (format!("\"$f\"{}", quote(s.raw(f.at[0]))), format!("with {} at the end of the name", s.raw(f.at[0])))
    } else if let Some(f) = s.take("add|put|prepend prefix|string? $ in? to|at|before|front beginning|start|front? of? names|name|filenames|filename?").or_else(|| s.take("with|by prefix $")).or_else(|| if verb == "prefix" { s.take("with|by string|text? $") } else { None }).or_else(|| s.take("so that? it|they|names? start|starts|begin|begins with $")).or_else(|| s.take("prefixed with $")).or_else(|| s.take("prefixing|prepending them|it|names|name? with? $")).or_else(|| s.take("prefix names|name? of? all? $")) {
        let t = s.text(*f.at.last()?);
        if t.contains('/') || verb == "prefix" && s.look("line|lines").is_some() {
            return None;
        }
        s.each(&["prefix", "name|names|filename|filenames of|from?"]);
        (format!("\"${{f%/*}}\"/{}\"${{f##*/}}\"", quote(&t)), format!("with {t} in front of the name"))
    } else if s.any(&["to|in|into lower case", "to|in|into lowercase|lower-case letters?", "lower-case|lowercase names?"]) && s.any(&["names|filenames|name", "rename"]) {
        s.each(&["names|name|filenames of?", "rename|convert|change|make"]);
        ("\"${f%/*}\"/\"$(printf %s \"${f##*/}\" | tr \"[:upper:]\" \"[:lower:]\")\"".to_owned(), "in small letters".to_owned())
    } else if s.any(&["to|in|into upper case", "to|in|into uppercase|upper-case letters?", "upper-case|uppercase names?"]) && s.any(&["names|filenames|name", "rename"]) {
        s.each(&["names|name|filenames of?", "rename|convert|change|make"]);
        ("\"${f%/*}\"/\"$(printf %s \"${f##*/}\" | tr \"[:lower:]\" \"[:upper:]\")\"".to_owned(), "in capital letters".to_owned())
    } else if let Some(f) = s.take("replace|replacing|substitute|change|changing all? $ with|by|to|into $ in all? file? names|name|filenames|filename of?").or_else(|| s.take("replace|replacing all? $ in file? names|name|filenames|filename of? all|every? files|files? here? with|by $")) {
        let (a, b) = (s.text(f.at[0]), s.text(f.at[1]));
        if b.contains('/') || a.is_empty() {
            return None;
        }
        s.each(&["rename|by", "name|names|filenames"]);
        part = Some(a.clone());
        (format!("\"${{f%/*}}\"/\"$(printf %s \"${{f##*/}}\" | sed {})\"", format!("\"s/{}/{}/g\"", literal(&a).replace('"', "\\\"").replace('$', "\\$").replace('`', "\\`"), replacement(&b).replace('"', "\\\"").replace('$', "\\$").replace('`', "\\`"))), format!("with {b} in place of {a}"))
    } else {
        // Endings: from one to another.
        let ends = endings(s, verb)?;
        return Some(ends);
    };
    s.take(verb);
    s.each(&["each|every", "rename|copy|copies|make|so that"]);
    let mut f = set::set(s);
    // "the file names in x": the files are said with their names.
    if let Some(part) = part {
        f.said |= f.specific;
        f.push(format!("-name {}", always_quoted(&format!("*{}*", set::plain_pattern(&part)))), format!("with {part} in their names"));
    }
    if !clear(&f) {
        return None;
    }
    if form.contains('\'') {
        // The loop's text is in single quotes.
        let inner = form.replace('\'', "'\\''");
        return reading(each(&f, &format!("{} \"$f\" {inner}", if copies { "cp" } else { "mv -n" })), format!("{} each of the {} {words}.", if copies { "Copies" } else { "Renames" }, f.describe()));
    }
    reading(each(&f, &format!("{} \"$f\" {form}", if copies { "cp" } else { "mv -n" })), format!("{} each of the {} {words}.", if copies { "Copies" } else { "Renames" }, f.describe()))
}

/// "rename all .txt files to .md": the ending changes.
fn endings(s: &Said<'_>, verb: &str) -> Option<Reading> {
    if !matches!(verb, "rename" | "change" | "turn") {
        return None;
    }
    let f = s.take("so that? they|it|names|name|each? end|ends|ending with|in $ instead?").or_else(|| s.take("from $ to $")).or_else(|| s.take("to|into have? extension|suffix|end|ending in|with? $ extension|instead?")).or_else(|| s.take("to end in|with $")).or_else(|| s.take("to|into $ extension|files|instead?"))?;
    let to = s.raw(*f.at.last()?).trim_start_matches('*').trim_start_matches('.').to_owned();
    let both = s.look("files|file and|or directories|folders|directory").is_some();
    if f.at.len() == 2 {
        // The other one says which files.
        let from = s.raw(f.at[0]).trim_start_matches('*').trim_start_matches('.').to_owned();
        s.each(&["change|rename|turn extension|extensions|suffix? of? all|every?", "extension|extensions|suffix|files|file", verb]);
        let mut set = set::set(s);
        if both {
            set.kind = "";
        }
        set.tests.insert(0, format!("-name {}", always_quoted(&format!("*.{from}"))));
        set.endings = vec![from];
        return finish(set, &to);
    }
    s.each(&["change|rename|turn extension|extensions|suffix? of?", "extension|extensions|suffix|instead", verb]);
    let set = set::set(s);
    finish(set, &to)
}

fn finish(f: Set, to: &str) -> Option<Reading> {
    let ok = |e: &str| !e.is_empty() && e.len() < 10 && e.bytes().all(|b| b.is_ascii_alphanumeric());
    if f.endings.is_empty() || f.endings.len() > 2 || !ok(to) || f.endings.iter().any(|e| e == to) {
        return None;
    }
    reading(each(&f, &format!("mv -n \"$f\" \"${{f%.*}}.{to}\"")), format!("Renames the {} to end in .{to}; nothing is overwritten.", f.describe()))
}

/// Changes inside each of the files.
fn texts(s: &Said<'_>, verb: &str) -> Option<Reading> {
    let whole = if s.any(&["as? whole words?|word only?"]) { "\\b" } else { "" };
    const CLASS: &str = "word|string|text|character|occurrences|occurrence|instances";
    let script = if let Some(f) = s.take(&format!("replace|substitute|change|swap|update|convert all|each|every? {CLASS}? of? {CLASS}? $ with|by|to|into|for {CLASS}? $")) {
        let i = if lines::folded(s) { "I" } else { "" };
        // Files are no texts: "convert symlinks to files", "... in file names".
        let thing = |i: usize| !s.quoted(i) && matches!(s.w[i], "symlink" | "symlinks" | "link" | "links" | "regular" | "directory" | "directories" | "folder" | "folders");
        if !s.is_text(f.at[0]) || f.at.iter().any(|&i| thing(i)) || s.look("in|of all? file|files|directory|folder|full? paths|path|pathnames|names|name").is_some() {
            return None;
        }
        format!("s/{whole}{}{whole}/{}/g{i}", literal(&s.text(f.at[0])), replacement(&s.text(f.at[1])))
    } else if matches!(verb, "remove" | "delete") && let Some(f) = s.take("remove|delete all|every|each? lines|line that? contain|containing|contains|with|matching|mentioning word|string|text? $") {
        format!("/{}/d", literal(&s.text(f.at[0])))
    } else if matches!(verb, "remove" | "delete") && s.any(&["remove|delete all? trailing whitespace|spaces|blanks"]) {
        "s/[[:space:]]*$//".into()
    } else if matches!(verb, "remove" | "delete") && s.any(&["remove|delete all? blank|empty lines"]) {
        "/^[[:space:]]*$/d".into()
    } else if let Some(f) = s.take_if("append|add line|text? $ to|at end? of", |f| s.r.tokens[f.at[0]].quoted) {
        format!("$a\\{}", s.text(f.at[0]))
    } else if let Some(f) = s.take_if("insert|prepend|add line|text? $ to|at|as top|beginning|start|first? line? of|to|in|for", |f| s.r.tokens[f.at[0]].quoted) {
        format!("1i\\{}", s.text(f.at[0]))
    } else {
        return None;
    };
    s.each(&["in place|in-place", "everywhere|throughout|globally", "in|of|from|on", "each|every|all"]);
    let f = set::set(s);
    if !clear(&f) {
        return None;
    }
    reading(format!("{} -exec sed -i {} {{}} +", f.find(), quote(&script)), format!("Changes the text of the {}; what was there is lost.", f.describe()))
}

/// What is in the files, and how much of it.
fn inside(s: &Said<'_>) -> Option<Reading> {
    let marks = s.marks();
    let result = content(s);
    if result.is_none() {
        s.restore(marks);
    }
    result
}

fn content(s: &Said<'_>) -> Option<Reading> {
    // Lines found in many files.
    let numbered = s.any(&["together|along? with|and|including their? file|files? names|filenames? and line numbers|number", "with file names|filenames|name|filename and line numbers|number", "with|and|including|showing|show|print their|its? line numbers|number", "preceded by line number|numbers"]);
    let named = s.any(&["with|and|including|prefixed by|showing file? names|filenames|name|filename", "with their|its file names|filenames|name"]);
    let quiet = s.any(&["without file names|filenames|name|filename", "no filenames", "only lines"]);
    let fold = if lines::folded(s) { " -i" } else { "" };
    let whole = if s.any(&["as? whole word|words only?"]) { " -w" } else { "" };
    let found = s.look("lines|line|occurrences|occurrence|matches|instances|mentions that? contain|contains|containing|with|of|matching|mentioning|for|include|including word|string|text|pattern|phrase? $").or_else(|| s.look("search|grep|look|scan recursively|everywhere? for word|string|text|pattern|phrase? $")).or_else(|| s.look("grep for? word|string|text? $")).or_else(|| s.look("find|show every|all|each? occurrences|occurrence of word|string|text? $"));
    // "lines of python" are no lines with that word.
    let found = found.filter(|f| !(matches!(s.w[f.start], "lines" | "line") && s.w.get(f.start + 1).is_some_and(|w| *w == "of")));
    let found = found.or_else(|| if numbered || named { s.look("find|search|show|print|list|display for? every|each|all? word|string|text? $") } else { None });
    if let Some(f) = found.filter(|f| {
        let i = *f.at.last().unwrap_or(&0);
        s.is_text(i) && !(matches!(s.entity_at(i).map(|e| &e.kind), Some(Kind::Ext(..) | Kind::Dir(_) | Kind::Glob(_) | Kind::Path(_))) && !s.r.tokens[i].quoted)
    }) {
        let i = *f.at.last()?;
        let lead: Vec<&str> = s.w[f.start..i].to_vec();
        s.mark(f.start, f.end);
        let count = s.any(&["count|how|number|total many? number? of? all?"]) || s.first() == "count";
        let t = quote(&s.text(i));
        s.each(&["lines|line|occurrences|occurrence|recursively|everywhere", "how many|number of", "count|search|grep|look", "total", "occur|occurs|appear|appears|times"]);
        let lines_only = s.any(&["files|file that? contain|contains"]);
        let f2 = set::set(s);
        if !clear(&f2) && !f2.specific || lines_only {
            return None;
        }
        let (find, plain) = (f2.find(), f2.tests.is_empty() && f2.depth.is_none() && f2.kind == "f");
        let each = s.any(&["for|per|in|of each|every file?", "per file"]) || (0..s.len()).any(|k| matches!(s.w[k], "each" | "every") && k > 0 && matches!(s.w[k - 1], "for" | "per" | "in" | "of")) && s.look("line|lines on|in each|every").is_none();
        if count && each && !lead.iter().any(|w| w.starts_with("occurrence")) {
            return reading(format!("{find} -exec grep -Hc{} -F -e {t} {{}} +", fold.replace(" -", "")), format!("Counts the lines with {} in each of the {}.", s.raw(i), f2.describe()));
        }
        if count {
            let o = if lead.iter().any(|w| w.starts_with("occurrence") || *w == "instances" || *w == "mentions") { " -o" } else { "" };
            return reading(format!("{find} -exec grep -h{o}{fold}{whole} -F -e {t} {{}} + | wc -l"), format!("Counts the lines with {} in the {}.", s.raw(i), f2.describe()));
        }
        let n = if numbered { " -n" } else { "" };
        if plain && f2.dir != "/" {
            // Without more to it, grep looks for itself.
            let h = if quiet { " -h" } else { "" };
            return reading(format!("grep -r{}{h}{fold}{whole} -F -e {t} {}", if n.is_empty() { "" } else { "n" }, quote_path(&f2.dir)), format!("Prints the lines with {} in the {}.", s.raw(i), f2.describe()));
        }
        let h = if quiet { " -h" } else { " -H" };
        return reading(format!("{find} -exec grep{h}{n}{fold}{whole} -F -e {t} {{}} +"), format!("Prints the lines with {} in the {}.", s.raw(i), f2.describe()));
    }
    if s.any(&["count|number|many of? all? non-empty|nonempty|non-blank lines|line of|in?"]) {
        s.each(&["how many|number of?", "count|total|are|there"]);
        let f = set::set(s);
        return clear(&f).then(|| reading(format!("{} -exec grep -hv '^[[:space:]]*$' {{}} + | wc -l", f.find()), format!("Counts the lines of the {} that are not empty.", f.describe())))?;
    }
    // Sums of lines.
    let each = s.look("each|every|per").is_some() || s.look("with|and|by|together their|its? number|count? of? line|word|lines|words counts|count|number?").is_some();
    if s.any(&["how many|number|count|total lines|words|characters of? code?", "total? number|count of lines|words|characters of? code?", "line|lines|word counts|count|total", "count|sum|total number? of? lines|words|characters", "lines|words altogether|total", "number of lines|words"]) && s.paths() == 0 {
        s.each(&["in|of|for|per each|every of?", "for each|every", "each|every|per file has|have|contains?", "each has|have|contains", "per file"]);
        let op = if s.r.has(&["words", "word"]) { "-w" } else if s.r.has(&["characters"]) { "-m" } else { "-l" };
        let most = s.take("most").is_some();
        s.each(&["count|total|sum|altogether|combined|together|number", "how many", "lines|words|characters|line|word", "in all|total", "do|does|have|has|contain|contains", "code", "with|and their|its"]);
        let sort = order(s);
        let top = top(s, &["lines", "longest"]);
        let f = set::set(s);
        if !clear(&f) {
            return None;
        }
        let find = f.find();
        if each || most {
            let sort = if sort.is_some() || top.is_some() || most { format!(" | sort -n{}", if sort.as_ref().is_none_or(|o| o.1) { "r" } else { "" }) } else { String::new() };
            let head = top.map_or(if most { " | head -n 1".to_owned() } else { String::new() }, |n| format!(" | head -n {n}"));
            return reading(format!("{find} -exec wc {op} {{}} \\;{sort}{head}"), format!("Counts for each of the {}.", f.describe()));
        }
        return reading(format!("{find} -exec cat {{}} + | wc {op}"), format!("Counts in the {} together.", f.describe()));
    }
    if s.take("most|largest|greatest|highest number? of? lines of? code?").or_else(|| s.take("longest file by lines|line count?")).is_some() {
        s.each(&["has|have|contains|with", "lines"]);
        let set = set::set(s);
        return clear(&set).then(|| reading(format!("{} -exec wc -l {{}} \\; | sort -rn | head -n 1", set.find()), format!("Finds which of the {} has the most lines.", set.describe())))?;
    }
    // Sums for checking.
    for (words, program) in [("md5|md5sum", "md5sum"), ("sha256|sha-256|sha256sum", "sha256sum"), ("sha1|sha-1|sha1sum", "sha1sum"), ("sha512|sha-512|sha512sum", "sha512sum")] {
        let no_file = !(0..s.len()).any(|i| s.free(i) && s.world().exists(s.raw(i)) == Some(Exists::File));
        if no_file && s.any(&[&format!("{words} checksums|checksum|hashes|hash|sums|sum|digests|digest? of|for|from?")]) {
            s.each(&["checksums|checksum|hashes|hash|sums|sum|of", "calculate|compute|generate|create"]);
            let sort = if s.any(&["and|then? sort|sorted them|it|output|results|result|list|lines? by hash|checksum|sum|name?"]) { " | sort" } else { "" };
            let f = set::set(s);
            return clear(&f).then(|| reading(format!("{} -exec {program} {{}} +{sort}", f.find()), format!("Computes sums of the {}.", f.describe())))?;
        }
    }
    // The beginning of each, all of each.
    if let Some(f) = s.take("first|top # lines of|from each|every|all").or_else(|| s.take("last|bottom # lines of|from each|every|all")).or_else(|| s.take("first|last line of|from each|every|all")) {
        let tail = s.w[f.start] == "last" || s.w[f.start] == "bottom";
        let n = f.at.first().and_then(|i| s.number(*i)).unwrap_or(1);
        let set = set::set(s);
        return clear(&set).then(|| reading(format!("{} -exec {} -n {n} {{}} \\;", set.find(), if tail { "tail" } else { "head" }), format!("Prints lines of each of the {}.", set.describe())))?;
    }
    if s.any(&["contents|content of all|each|every?", "concatenate|cat"]) && s.paths() == 0 {
        s.each(&["in alphabetical order", "one after another|other", "all|each"]);
        let f = set::set(s);
        return clear(&f).then(|| reading(if f.tests.is_empty() && !f.specific { return None } else { format!("{} -exec cat {{}} +", f.find()) }, format!("Prints the {}.", f.describe())))?;
    }
    // The kind of what is in them.
    if s.any(&["types|type of each|every|all", "file type|types of", "mime types|type of"]) {
        let mime = s.r.has(&["mime"]);
        s.each(&["determine|mime|file|type|types"]);
        let f = set::set(s);
        return clear(&f).then(|| reading(format!("{} -exec file{} {{}} +", f.find(), if mime { " -i" } else { "" }), format!("Says what the {} are.", f.describe())))?;
    }
    None
}

/// How many, how much altogether, how many of each kind.
fn counts(s: &Said<'_>) -> Option<Reading> {
    let marks = s.marks();
    let give_up = |s: &Said<'_>| {
        s.restore(marks.clone());
        None
    };
    if s.has(&["lines", "line", "words", "processes", "users"]) {
        return None;
    }
    // Sizes together.
    if s.any(&["total|combined|overall|cumulative|summed file? size|sizes in? bytes? of|in|from?", "sum|total of? file? sizes of?", "add|adding|sum up? file? sizes of?", "how much|many disk? space|bytes does|do|is|are? used|taken|occupied|consumed? by?", "how many bytes do|does?", "total number of bytes in|of|used?", "total disk? space|usage|size used|of|by?"]) {
        let human = s.any(&["in? human-readable form|format|units|sizes?", "in? human readable form|format|units?", "human-readably", "in megabytes|mb|gigabytes"]);
        let bytes = s.any(&["in bytes", "bytes"]);
        s.each(&["total|combined|altogether|together|in all", "disk? usage|space", "used|taken|take|use|occupy|occupied|up"]);
        let f = set::set(s);
        if !clear(&f) || f.kind == "d" && f.tests.is_empty() {
            return give_up(s);
        }
        let to_human = if human && !bytes { " | numfmt --to=iec" } else { "" };
        return reading(format!("{} -printf '%s\\n' | awk '{{ s += $1 }} END {{ print s + 0 }}'{to_human}", f.find()), format!("Adds up the sizes of the {}.", f.describe()));
    }
    let counting = s.any(&["how many", "number|count|total|amount number? of", "count total? number? of?"]) || s.take("count").is_some();
    if !counting {
        return give_up(s);
    }
    s.each(&["count|number|total|are|there|altogether|exist|only", "in total|all", "contained|stored"]);
    if s.any(&["per|by|for|of each|every? file? extension|extensions|suffix|type", "grouped by extension|type|suffix", "each|every extension", "per extension"]) {
        s.each(&["file|files", "each|every", "grouped|by", "sorted by count", "most common|frequent first"]);
        let f = set::set(s);
        return reading(format!("{} -name '*.*' -printf '%f\\n' | sed 's/.*\\.//' | sort | uniq -c | sort -rn", f.find()), format!("Counts the {} by their endings.", f.describe()));
    }
    if s.any(&["in|per|for|of each|every immediate|direct? subdirectory|directory|folder|subfolder of?", "per subdirectory|directory|folder", "each|every subdirectory|directory|folder contains|has|holds"]) {
        let f = set::set(s);
        if f.kind == "d" && f.tests.is_empty() {
            return give_up(s);
        }
        return reading(format!("{} -printf '%h\\n' | sort | uniq -c", f.find()), format!("Counts the {} by directory.", f.describe()));
    }
    let f = set::set(s);
    if !clear(&f) {
        return give_up(s);
    }
    s.each(&["does|do|has|have|contain|contains|hold|is|are|exist", "owned|belong"]);
    reading(format!("{} | wc -l", f.shown()), format!("Counts the {}.", f.describe()))
}
