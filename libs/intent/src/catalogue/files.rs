//! Files and directories.

use actions::quote::{quote, quote_path};

use super::filter::{filter, filter_in, place};
use super::{Built, Intent, Outcome, Unfilled, built};
use crate::entity::Kind;
use crate::request::Request;
use crate::world::Exists;

const WHICH_FILE: Unfilled = Unfilled::Missing("Which file?");
const WHICH_DIR: Unfilled = Unfilled::Missing("Which directory?");

pub(super) const INTENTS: &[Intent] = &[
    Intent { id: "files.list", about: "list the files of a directory", example: "show the files in /etc", build: list },
    Intent { id: "files.list_details", about: "list files with sizes, dates, owners", example: "list files with details", build: list_details },
    Intent { id: "files.list_hidden", about: "list all files with the hidden ones", example: "show hidden files", build: list_hidden },
    Intent { id: "files.list_dirs", about: "list only the directories", example: "show only the folders here", build: list_dirs },
    Intent { id: "files.tree", about: "show a directory with all below it", example: "show the directory tree of src", build: tree },
    Intent { id: "files.find", about: "find files by name, kind, size, age, owner", example: "find pdf files bigger than 10 MB from last week", build: find },
    Intent { id: "files.locate", about: "find where on the system a file is", example: "where is the file fstab", build: locate },
    Intent { id: "files.largest", about: "the biggest files", example: "which files here are the biggest?", build: largest },
    Intent { id: "files.smallest", about: "the smallest files", example: "what are the 5 smallest files", build: smallest },
    Intent { id: "files.newest", about: "the files changed last", example: "show the most recently changed files", build: newest },
    Intent { id: "files.oldest", about: "the files not changed for longest", example: "what is the oldest file here", build: oldest },
    Intent { id: "files.count", about: "count files", example: "how many python files are in src", build: count },
    Intent { id: "files.total_size", about: "how much files of a kind take together", example: "total size of all log files", build: total_size },
    Intent { id: "files.duplicates", about: "files with the same content", example: "find duplicate files", build: duplicates },
    Intent { id: "files.delete_matching", about: "delete all files of a description", example: "delete all .tmp files older than 30 days", build: delete_matching },
    Intent { id: "files.copy_matching", about: "copy all files of a description", example: "copy all jpg files to backup", build: copy_matching },
    Intent { id: "files.move_matching", about: "move all files of a description", example: "move all pdfs into Documents", build: move_matching },
    Intent { id: "files.rename_ext", about: "change the ending of many files", example: "change the extension of all .txt files to .md", build: rename_ext },
    Intent { id: "file.delete", about: "delete a file", example: "delete notes.txt", build: delete },
    Intent { id: "dir.delete", about: "delete a directory and all in it", example: "delete the folder build", build: delete_dir },
    Intent { id: "file.copy", about: "copy a file or directory", example: "copy a.txt to b.txt", build: copy },
    Intent { id: "file.backup", about: "make a backup copy beside a file", example: "make a backup of config.ini", build: backup },
    Intent { id: "file.move", about: "move a file or directory", example: "move report.pdf to Documents", build: move_ },
    Intent { id: "file.rename", about: "rename a file or directory", example: "rename a.txt to b.txt", build: rename },
    Intent { id: "file.create", about: "make an empty file", example: "create a file called todo.txt", build: create },
    Intent { id: "dir.create", about: "make a directory", example: "make a folder named photos", build: create_dir },
    Intent { id: "file.link", about: "make a symbolic link", example: "make a symlink from /opt/app to app", build: link },
    Intent { id: "file.info", about: "size, dates, owner of a file", example: "when was notes.txt last changed", build: info },
    Intent { id: "file.type", about: "what kind of file it is", example: "what type of file is data.bin", build: type_ },
    Intent { id: "file.size", about: "how big a file or directory is", example: "how big is the Downloads folder", build: size },
    Intent { id: "dir.sizes", about: "which directories take the space", example: "what is using all the disk space?", build: dir_sizes },
    Intent { id: "file.permissions", about: "who owns a file and who may use it", example: "who owns notes.txt", build: permissions },
    Intent { id: "file.make_executable", about: "let a file be run as a program", example: "make run.sh executable", build: make_executable },
    Intent { id: "file.chmod", about: "change who may read, write, run a file", example: "set the permissions of key.pem to 600", build: chmod },
    Intent { id: "file.chown", about: "change the owner of a file", example: "make root the owner of notes.txt", build: chown },
    Intent { id: "file.path", about: "the full path of a file", example: "what is the full path of notes.txt", build: full_path },
    Intent { id: "dir.go", about: "go to a directory", example: "go to the downloads folder", build: go },
    Intent { id: "dir.up", about: "go one directory up", example: "go up one level", build: up },
    Intent { id: "dir.back", about: "go back to the directory before", example: "go back to the previous directory", build: back },
    Intent { id: "dir.where", about: "which directory this is", example: "where am I?", build: where_am_i },
    Intent { id: "dir.compare", about: "compare two directories", example: "compare the folders a and b", build: compare_dirs },
];

/// The directory that is said, or this one.
pub(super) fn dir_or_here(r: &Request<'_>) -> String {
    r.dir().unwrap_or_else(|| ".".into())
}

fn in_words(dir: &str) -> String {
    match dir {
        "." => "this directory".into(),
        "~" => "your home directory".into(),
        ".." => "the directory above".into(),
        d => d.to_owned(),
    }
}

/// A directory as an argument, left out where it is this one.
fn arg(dir: &str) -> String {
    if dir == "." { String::new() } else { format!(" {}", quote_path(dir)) }
}

fn list(r: &Request<'_>) -> Outcome {
    // "list all python files here" is a search, not a listing.
    if r.entities.iter().any(|e| matches!(e.kind, Kind::Ext(..) | Kind::Size(_) | Kind::Time(_))) {
        return find(r);
    }
    if let Some(g) = r.take(|k| if let Kind::Glob(g) = k { Some(g.clone()) } else { None }) {
        let d = dir_or_here(r);
        return built(format!("find {} -maxdepth 1 -name {}", quote_path(&d), quote(&g)), format!("Lists what matches {g} in {}.", in_words(&d)));
    }
    let d = dir_or_here(r);
    if r.has_phrase(&["newest", "first"]) || r.has_phrase(&["oldest", "first"]) {
        let o = if r.has(&["oldest"]) { "r" } else { "" };
        return built(format!("ls -lt{o}{}", arg(&d)), format!("Lists {} by date.", in_words(&d)));
    }
    if r.has_phrase(&["biggest", "first"]) || r.has_phrase(&["largest", "first"]) {
        return built(format!("ls -lhS{}", arg(&d)), format!("Lists {}, biggest first.", in_words(&d)));
    }
    let mut options = String::new();
    if r.has(&["reverse", "reversed"]) {
        options.push('r');
    }
    if r.has(&["size", "sizes", "big"]) && r.has(&["sorted", "sort", "by", "order", "ordered"]) {
        return built(format!("ls -lhS{options}{}", arg(&d)), format!("Lists {}, biggest first.", in_words(&d)));
    }
    if r.has(&["date", "time", "modified", "modification", "age", "recent", "newest"]) && r.has(&["sorted", "sort", "by", "order", "ordered"]) {
        return built(format!("ls -lt{options}{}", arg(&d)), format!("Lists {}, newest first.", in_words(&d)));
    }
    built(format!("ls{}", arg(&d)), format!("Lists {}.", in_words(&d)))
}

fn list_details(r: &Request<'_>) -> Outcome {
    let d = dir_or_here(r);
    let by = if r.has(&["size", "sizes"]) && r.has(&["sorted", "sort", "order", "ordered"]) { "S" } else { "" };
    let all = if r.has(&["hidden", "including", "everything"]) { "A" } else { "" };
    built(format!("ls -l{all}h{by}{}", arg(&d)), format!("Lists {} with size, date, owner and permissions.", in_words(&d)))
}

fn list_hidden(r: &Request<'_>) -> Outcome {
    let d = dir_or_here(r);
    if r.has(&["start", "starts", "starting", "begin"]) && !r.has(&["dot"]) {
        return Err(Unfilled::Impossible);
    }
    if r.has(&["only", "just"]) {
        return built(format!("find {} -maxdepth 1 -name '.?*'", quote_path(&d)), format!("Lists only the hidden files of {}.", in_words(&d)));
    }
    built(format!("ls -lA{}", arg(&d)), format!("Lists {} with the hidden files.", in_words(&d)))
}

fn list_dirs(r: &Request<'_>) -> Outcome {
    let d = dir_or_here(r);
    built(format!("find {} -mindepth 1 -maxdepth 1 -type d", quote_path(&d)), format!("Lists only the directories in {}.", in_words(&d)))
}

fn tree(r: &Request<'_>) -> Outcome {
    let d = dir_or_here(r);
    if r.world.has_command("tree") {
        return built(format!("tree{}", arg(&d)), format!("Shows {} with all below it as a tree.", in_words(&d)));
    }
    built(format!("ls -R{}", arg(&d)), format!("Lists {} and every directory below it.", in_words(&d)))
}

fn find(r: &Request<'_>) -> Outcome {
    let f = filter(r);
    let mut f = f;
    if !f.specific {
        // "find report": an unknown word is the name.
        if let Some(n) = r.quoted().or_else(|| r.any_unknown()) {
            f.tests.retain(|t| t != "-type f");
            f.tests.push(format!("-iname {}", quote_star(&n)));
            f.words.push(format!("with {n} in the name"));
        }
    }
    built(format!("{}{}", f.find(), f.hush()), format!("Finds {}.", f.describe()))
}

fn quote_star(n: &str) -> String {
    if n.contains('*') || n.contains('.') { let q = quote(n); if q.starts_with('\'') { q } else { format!("'{q}'") } } else { quote(&format!("*{n}*")) }
}

fn locate(r: &Request<'_>) -> Outcome {
    let mut f = filter_in(r, "/");
    f.tests.retain(|t| t != "-type f");
    if !f.specific {
        let n = r.quoted().or_else(|| r.name(&["file", "files", "folder", "directory", "is", "find", "locate", "did", "put"])).or_else(|| r.word_after(&["file", "folder", "directory"])).or_else(|| r.any_unknown()).or_else(|| r.word_after(&["is"])).ok_or(WHICH_FILE)?;
        f.tests.push(format!("-iname {}", quote_star(n.rsplit('/').next().unwrap_or(&n))));
        f.words.push(format!("named {n}"));
    }
    built(format!("{}{}", f.find(), f.hush()), format!("Looks for {}.", f.describe()))
}

/// How many were asked for: a number, "the biggest file" is one, else ten.
fn how_many(r: &Request<'_>) -> u64 {
    if let Some(n) = r.num() {
        return n.clamp(1, 100_000);
    }
    // The words of an extension count too: "the biggest log file".
    let single = r.has(&["file", "directory", "folder", "one", "document", "thing", "script"])
        && !r.has(&["files", "directories", "folders", "things", "documents", "ones", "scripts"])
        && !r.entities.iter().any(|e| matches!(&e.kind, Kind::Ext(..)) && e.end - e.start == 1 && !r.has(&["file"]));
    if single { 1 } else { 10 }
}

fn ranked(r: &Request<'_>, print: &str, sort: &str, tail: &str, what: &str) -> Outcome {
    let n = how_many(r);
    let f = filter(r);
    built(
        format!("{} -printf {print}{} | sort{sort} | head -n {n}{tail}", f.find(), f.hush()),
        if n == 1 { format!("Shows the {what} of the {}.", f.describe()) } else { format!("Shows the {n} {what} {}.", f.describe()) },
    )
}

fn largest(r: &Request<'_>) -> Outcome {
    if r.has(&["directories", "folders", "subdirectories", "subfolders", "dirs"]) && !r.has(&["files", "file"]) {
        return dir_sizes(r);
    }
    ranked(r, "'%s\\t%p\\n'", " -rn", " | numfmt --to=iec", "biggest")
}

fn smallest(r: &Request<'_>) -> Outcome {
    ranked(r, "'%s\\t%p\\n'", " -n", " | numfmt --to=iec", "smallest")
}

fn newest(r: &Request<'_>) -> Outcome {
    ranked(r, "'%TY-%Tm-%Td %TH:%TM  %p\\n'", " -r", "", "most recently changed")
}

fn oldest(r: &Request<'_>) -> Outcome {
    ranked(r, "'%TY-%Tm-%Td %TH:%TM  %p\\n'", "", "", "oldest")
}

fn count(r: &Request<'_>) -> Outcome {
    let mut f = filter(r);
    if !f.specific && !r.has(&["recursively", "below", "under", "subdirectories", "subfolders", "tree", "whole", "entire", "all"]) && f.dir != "/" {
        f.tests.insert(0, "-mindepth 1 -maxdepth 1".into());
        return built(format!("{} | wc -l", f.find()), format!("Counts the {} in {}, not deeper.", f.noun, in_words(&f.dir)));
    }
    built(format!("{}{} | wc -l", f.find(), f.hush()), format!("Counts the {}.", f.describe()))
}

fn total_size(r: &Request<'_>) -> Outcome {
    let f = filter(r);
    if !f.specific && r.entities.iter().all(|e| !matches!(e.kind, Kind::Ext(..))) {
        return built(format!("du -sh {}", quote_path(&f.dir)), format!("Adds up what {} holds.", in_words(&f.dir)));
    }
    built(
        format!("{} -printf '%s\\n'{} | awk '{{s += $1}} END {{print s + 0}}' | numfmt --to=iec", f.find(), f.hush()),
        format!("Adds up the sizes of the {}.", f.describe()),
    )
}

fn duplicates(r: &Request<'_>) -> Outcome {
    let f = filter(r);
    built(
        format!("{} -exec sha256sum {{}} +{} | sort | uniq -w 64 --all-repeated=separate", f.find(), f.hush()),
        format!("Groups the {} that have the same content.", f.describe()),
    )
}

/// What may stand before "files" where all of them are meant.
const ALL_FILES: &[&str] = &[
    "all", "every", "each", "any", "the", "of", "my", "our", "your", "its", "these", "those", "existing", "regular", "delete", "remove", "erase", "rm", "purge", "clean", "wipe", "clear", "up", "out", "and", "both", "contained", "single", "last",
];

/// Whether a place is named that is not where we are, understood or not.
fn names_a_place(r: &Request<'_>) -> bool {
    let words: Vec<&str> = r.tokens.iter().map(|token| token.norm.as_str()).filter(|word| *word != "the").collect();
    let is_place = |word: &str| matches!(word, "in" | "under" | "below" | "beneath" | "inside" | "within" | "from");
    words.windows(2).any(|pair| is_place(pair[0]) && !matches!(pair[1], "." | "this" | "here" | "it" | "current" | "present" | "working" | "my" | "all" | "any" | "directory" | "folder" | "dir" | "cwd" | "subdirectories" | "subfolders" | "last" | "past" | "size" | "name" | "names" | "its" | "their" | "over" | "less" | "more"))
}

/// Whether it is something in the files that is to go: "remove trailing spaces from all files".
fn takes_from_files(r: &Request<'_>) -> bool {
    let thing = |i: usize| matches!(r.tokens[i].norm.as_str(), "file" | "files" | "everything" | "documents" | "all") || matches!(r.entity_at(i).map(|e| &e.kind), Some(Kind::Glob(_) | Kind::Ext(..) | Kind::Path(_)));
    let Some(from) = r.tokens.iter().position(|t| !t.quoted && t.norm == "from") else { return false };
    let files = (from + 1..r.tokens.len().min(from + 5)).any(|i| matches!(r.tokens[i].norm.as_str(), "file" | "files"));
    files && !(0..from).any(thing)
}

fn delete_matching(r: &Request<'_>) -> Outcome {
    let f = filter(r);
    if takes_from_files(r) {
        return Err(Unfilled::Missing("Which files, or what is to be removed from them?"));
    }
    if f.dir == "." && names_a_place(r) {
        return Err(Unfilled::Missing("Below which directory?"));
    }
    // What is to stay was said, and not understood.
    let spares = r.tokens.windows(2).any(|pair| matches!(pair[0].norm.as_str(), "except" | "excluding" | "without" | "besides" | "unless") && !matches!(pair[1].norm.as_str(), "asking" | "prompting" | "confirmation" | "any" | "prompt" | "question" | "questions"));
    if spares && !f.tests.iter().any(|test| test.contains('!') || test.contains("-empty")) {
        return Err(Unfilled::Missing("Which files are to stay?"));
    }
    if !f.specific {
        // "delete all files in X": everything below, but said so.
        if !r.has(&["all", "everything", "every", "any", "contents", "files"]) {
            return Err(Unfilled::Missing("Which files?"));
        }
        // "all core files" are not all files, though nothing above has read what they are.
        if r.tokens.windows(2).any(|pair| matches!(pair[1].norm.as_str(), "file" | "files") && !ALL_FILES.contains(&pair[0].norm.as_str())) {
            return Err(Unfilled::Missing("Which files?"));
        }
        if f.dir == "/" || f.dir == "~" {
            return Err(Unfilled::Missing("Which files? Not all of that directory, surely."));
        }
    }
    built(format!("{} -print -delete", f.find()), format!("Deletes the {}, and prints each. They cannot be brought back.", f.describe()))
}

fn copy_matching(r: &Request<'_>) -> Outcome {
    transfer(r, "cp", "Copies")
}

fn move_matching(r: &Request<'_>) -> Outcome {
    transfer(r, "mv", "Moves")
}

fn transfer(r: &Request<'_>, program: &str, verb: &str) -> Outcome {
    let dest = r.destination().ok_or(Unfilled::Missing("Where to?"))?;
    let f = filter(r);
    if !f.specific && !r.has(&["all", "every", "everything", "files"]) {
        return Err(Unfilled::Missing("Which files?"));
    }
    if r.has_phrase(&["everything", "in", "it"]) || r.has_phrase(&["all", "in", "it"]) {
        // A directory as a whole.
        if f.dir != "." && !f.specific && program == "cp" {
            return built(format!("cp -r -- {} {}", quote_path(&f.dir), quote_path(&dest)), format!("Copies {} to {dest}.", f.dir));
        }
    }
    let fresh = r.has(&["new"]) && r.world.exists(&dest).is_none();
    let make = if fresh { format!("mkdir -p -- {} && ", quote_path(&dest)) } else { String::new() };
    let depth = if f.tests.iter().any(|t| t.starts_with("-maxdepth")) || r.has(&["recursively", "subdirectories", "subfolders", "below"]) { "" } else { " -maxdepth 1" };
    let tests: String = f.tests.iter().map(|t| format!(" {t}")).collect();
    built(
        format!("{make}find {}{depth}{tests} -exec {program} -n -t {} -- {{}} +", quote_path(&f.dir), quote_path(&dest)),
        format!("{verb} the {} to {dest}; nothing there is overwritten.", f.describe()),
    )
}

fn rename_ext(r: &Request<'_>) -> Outcome {
    let mut ends = Vec::new();
    while let Some(e) = r.take(|k| match k {
        Kind::Ext(p, _) => p.first().map(|p| p.trim_start_matches("*.").to_owned()),
        Kind::Glob(g) if g.starts_with("*.") => Some(g[2..].to_owned()),
        _ => None,
    }) {
        ends.push(e);
    }
    if ends.len() < 2 {
        // "from txt to md": bare words.
        for i in 0..r.tokens.len() {
            let w = &r.tokens[i].norm;
            if i > 0 && matches!(r.tokens[i - 1].norm.as_str(), "to" | "from" | "into" | "with" | "all") && r.entity_at(i).is_none() && crate::entity::kinds::patterns(w).is_some() {
                ends.push(w.trim_start_matches('.').to_owned());
                r.mark(i, i + 1);
            }
        }
        // The order of the request.
        ends.sort_by_key(|e| r.tokens.iter().position(|t| t.norm.trim_start_matches(['*', '.']) == e.as_str() || t.norm.trim_end_matches('s') == e.as_str()));
    }
    let [from, to] = &ends[..] else { return Err(Unfilled::Missing("From which ending to which?")) };
    let (f, t) = (quote(from), quote(to));
    built(
        format!("for f in *.{f}; do mv -n -- \"$f\" \"${{f%.{f}}}.{t}\"; done"),
        format!("Renames every .{from} file of this directory to end in .{to}; nothing is overwritten."),
    )
}

fn delete(r: &Request<'_>) -> Outcome {
    let mut files = Vec::new();
    while let Some(p) = r.take(|k| match k {
        Kind::Path(p) => Some(p.clone()),
        _ => None,
    }) {
        // "DELETE A.TXT" means the a.txt that exists.
        let there = if p.contains('/') || r.world.exists(&p).is_some() { None } else { r.world.entry_ignoring_case(&p) };
        files.push(there.unwrap_or(p));
    }
    if files.is_empty() {
        files.push(r.file().ok_or(WHICH_FILE)?);
    }
    if files.iter().any(|f| f.contains('*')) {
        let all: Vec<String> = files.iter().map(|f| glob_arg(f)).collect();
        return built(format!("rm -- {}", all.join(" ")), format!("Deletes what matches {}.", files.join(", ")));
    }
    if let [one] = &files[..] {
        if r.world.exists(one) == Some(Exists::Dir) {
            return built(format!("rm -r -- {}", quote_path(one)), format!("Deletes the directory {one} and all in it."));
        }
        // "the file notes in Documents".
        if !one.contains('/')
            && let Some(d) = r.dir().filter(|d| d != "." && *d != *one)
        {
            let p = format!("{}/{one}", d.trim_end_matches('/'));
            return built(format!("rm -- {}", quote_path(&p)), format!("Deletes {p}."));
        }
    }
    let all: Vec<String> = files.iter().map(|f| quote_path(f)).collect();
    built(format!("rm -- {}", all.join(" ")), format!("Deletes {}.", files.join(" and ")))
}

/// A pattern for the shell itself to expand: special characters other than the pattern's quoted.
fn glob_arg(g: &str) -> String {
    if g.chars().all(|c| c.is_ascii_alphanumeric() || "*?._-/[]~".contains(c)) {
        if g.starts_with('-') { format!("./{g}") } else { g.to_owned() }
    } else {
        g.split('*').map(|p| if p.is_empty() { String::new() } else { quote(p) }).collect::<Vec<_>>().join("*")
    }
}

fn delete_dir(r: &Request<'_>) -> Outcome {
    if r.has(&["empty"]) && r.has(&["directories", "folders", "dirs", "subdirectories", "subfolders"]) {
        return delete_matching(r);
    }
    let d = r.dir().or_else(|| r.word_after(&["folder", "directory", "dir"])).or_else(|| r.file()).ok_or(WHICH_DIR)?;
    if matches!(d.as_str(), "." | ".." | "/" | "~" | "~/") {
        return Err(Unfilled::Missing("Which directory? Not that one, surely."));
    }
    if r.has(&["empty"]) {
        return built(format!("rmdir -- {}", quote_path(&d)), format!("Deletes the directory {d}, if it is empty."));
    }
    built(format!("rm -r -- {}", quote_path(&d)), format!("Deletes the directory {d} and all in it."))
}

/// Source and destination.
fn two(r: &Request<'_>) -> Result<(String, String), Unfilled> {
    let paths: Vec<String> = r
        .entities
        .iter()
        .filter_map(|e| match &e.kind {
            Kind::Path(p) | Kind::Dir(p) | Kind::Quoted(p) => Some(p.clone()),
            _ => None,
        })
        .collect();
    match r.destination() {
        Some(dest) => {
            let src = r.file().ok_or(WHICH_FILE)?;
            Ok((src, dest))
        }
        None if paths.len() >= 2 => {
            for e in &r.entities {
                r.mark(e.start, e.end);
            }
            Ok((paths[0].clone(), paths[1].clone()))
        }
        None => {
            let src = r.file().ok_or(WHICH_FILE)?;
            let dest = r.any_unknown().ok_or(Unfilled::Missing("Where to?"))?;
            Ok((src, dest))
        }
    }
}

fn copy(r: &Request<'_>) -> Outcome {
    if r.entities.iter().any(|e| matches!(e.kind, Kind::Ext(..))) {
        return copy_matching(r);
    }
    let (src, dest) = two(r)?;
    let dir = r.world.exists(&src) == Some(Exists::Dir) || (r.world.exists(&src).is_none() && !src.contains('.') && r.has(&["folder", "directory", "dir", "recursively"]));
    let option = if dir { "-r " } else { "" };
    let s = if src.contains('*') { glob_arg(&src) } else { quote_path(&src) };
    built(format!("cp {option}-- {s} {}", quote_path(&dest)), format!("Copies {src} to {dest}."))
}

fn backup(r: &Request<'_>) -> Outcome {
    let dir = r.take(|k| if let Kind::Dir(d) = k { Some(d.clone()) } else { None }).filter(|_| r.entities.iter().any(|e| matches!(e.kind, Kind::Path(_))));
    if dir.is_none() {
        r.reset();
    }
    let f = r.file().ok_or(WHICH_FILE)?;
    if let Some(d) = dir {
        return built(format!("cp -- {} {}", quote_path(&f), quote_path(&d)), format!("Copies {f} into {d}."));
    }
    let clean = f.trim_end_matches('/').to_owned();
    let option = if r.world.exists(&f) == Some(Exists::Dir) { "-r " } else { "" };
    built(format!("cp {option}-- {} {}", quote_path(&clean), quote_path(&format!("{clean}.bak"))), format!("Copies {clean} to {clean}.bak."))
}

fn move_(r: &Request<'_>) -> Outcome {
    if r.entities.iter().any(|e| matches!(e.kind, Kind::Ext(..))) {
        return move_matching(r);
    }
    let (src, dest) = two(r)?;
    let s = if src.contains('*') { glob_arg(&src) } else { quote_path(&src) };
    built(format!("mv -- {s} {}", quote_path(&dest)), format!("Moves {src} to {dest}."))
}

fn rename(r: &Request<'_>) -> Outcome {
    let (src, dest) = two(r)?;
    let dest = super::beside(&src, &dest);
    built(format!("mv -n -- {} {}", quote_path(&src), quote_path(&dest)), format!("Renames {src} to {dest}; if {dest} exists, nothing happens."))
}

fn create(r: &Request<'_>) -> Outcome {
    let mut names = Vec::new();
    while let Some(p) = r.take(|k| if let Kind::Path(p) = k { Some(p.clone()) } else { None }) {
        names.push(p);
    }
    if names.is_empty() {
        names.push(r.name(&["called", "named", "file", "name"]).or_else(|| r.quoted()).or_else(|| r.any_unknown()).ok_or(Unfilled::Missing("What should it be called?"))?);
    }
    if let [one] = &mut names[..]
        && !one.contains('/')
        && let Some(d) = r.dir().filter(|d| d != ".")
    {
        *one = format!("{}/{one}", d.trim_end_matches('/'));
    }
    let all: Vec<String> = names.iter().map(|n| quote_path(n)).collect();
    built(format!("touch -- {}", all.join(" ")), format!("Makes {}, empty; one that exists keeps its content.", names.join(" and ")))
}

fn create_dir(r: &Request<'_>) -> Outcome {
    let named = r.name(&["called", "named"]).or_else(|| r.quoted());
    let name = named
        .or_else(|| r.name(&["folder", "directory", "dir", "subdirectory", "subfolder", "mkdir"]))
        .or_else(|| r.take(|k| match k {
            Kind::Dir(d) if d != "." => Some(d.clone()),
            Kind::Path(p) => Some(p.clone()),
            _ => None,
        }))
        .or_else(|| r.any_unknown())
        .or_else(|| r.word_after(&["folder", "directory", "dir"]).filter(|w| !matches!(w.as_str(), "in" | "for" | "here" | "and" | "please" | "inside" | "under")))
        .ok_or(Unfilled::Missing("What should it be called?"))?;
    let full = match r.dir() {
        Some(d) if d != "." && d != name && !name.starts_with(['/', '~']) => format!("{}/{name}", d.trim_end_matches('/')),
        _ => name,
    };
    if r.has_phrase(&["into", "it"]) || r.has_phrase(&["enter", "it"]) || r.has_phrase(&["to", "it"]) || r.has_phrase(&["go", "there"]) {
        return built(format!("mkdir -p -- {q} && cd {q}", q = quote_path(&full)), format!("Makes the directory {full} and goes there."));
    }
    built(format!("mkdir -p -- {}", quote_path(&full)), format!("Makes the directory {full}."))
}

fn link(r: &Request<'_>) -> Outcome {
    let (a, b) = two(r)?;
    // "a link called X to Y": the target stands after "to".
    let called = r.has(&["called", "named"]);
    let (target, name) = if called && r.has(&["to"]) || r.has_phrase(&["pointing", "to"]) || r.has_phrase(&["points", "to"]) { (b, a) } else { (a, b) };
    built(format!("ln -s -- {} {}", quote_path(&target), quote_path(&name)), format!("Makes {name} a symbolic link to {target}."))
}

fn info(r: &Request<'_>) -> Outcome {
    let f = r.file().ok_or(WHICH_FILE)?;
    built(format!("stat -- {}", quote_path(&f)), format!("Shows size, dates, owner and permissions of {f}."))
}

fn type_(r: &Request<'_>) -> Outcome {
    let f = r.file().ok_or(WHICH_FILE)?;
    if r.world.has_command("file") {
        return built(format!("file -- {}", quote_path(&f)), format!("Says what kind of file {f} is, from its content."));
    }
    built(format!("stat -c '%n: %F, %s bytes' -- {q} && head -c 64 -- {q} | od -c | head -n 4", q = quote_path(&f)), format!("Says what {f} is, and shows how it begins."))
}

fn size(r: &Request<'_>) -> Outcome {
    if r.entities.iter().any(|e| matches!(e.kind, Kind::Ext(..))) {
        return total_size(r);
    }
    if r.has(&["directory", "directories", "folders", "subdirectories"]) && r.has(&["sizes", "each", "every", "all"]) {
        return dir_sizes(r);
    }
    let f = r.take(|k| if let Kind::Path(p) = k { Some(p.clone()) } else { None }).or_else(|| r.dir()).or_else(|| r.file()).unwrap_or_else(|| ".".into());
    if r.has(&["bytes"]) && !r.has(&["directory", "folder"]) && r.world.exists(&f) != Some(Exists::Dir) {
        return built(format!("wc -c -- {}", quote_path(&f)), format!("Counts the bytes of {f}."));
    }
    built(format!("du -sh -- {}", quote_path(&f)), format!("Shows how much space {} takes.", in_words(&f)))
}

fn dir_sizes(r: &Request<'_>) -> Outcome {
    let n = r.num().unwrap_or(15).clamp(1, 10_000);
    let asked = r.dir();
    let whole = r.has(&["disk", "drive", "system", "storage", "filesystem", "space"]) && !r.has(&["here", "folder", "directory", "this", "subdirectory", "subfolder", "subdirectories", "subfolders"]);
    let d = asked.unwrap_or_else(|| if whole { "/".into() } else { ".".into() });
    let (x, hush) = if d == "/" { ("x", " 2>/dev/null") } else { ("", "") };
    built(
        format!("du -{x}h --max-depth=1 {}{hush} | sort -rh | head -n {n}", quote_path(&d)),
        format!("Shows how much each directory{} takes, biggest first.", place(&d)),
    )
}

fn permissions(r: &Request<'_>) -> Outcome {
    let f = r.file().unwrap_or_else(|| ".".into());
    built(format!("stat -c '%A %a  owner %U, group %G  %n' -- {}", quote_path(&f)), format!("Shows owner, group and permissions of {}.", in_words(&f)))
}

fn make_executable(r: &Request<'_>) -> Outcome {
    if r.entities.iter().any(|e| matches!(e.kind, Kind::Ext(..) | Kind::Glob(_))) {
        let mut f = filter(r);
        f.tests.retain(|t| t != "-executable");
        f.words.retain(|w| w != "that can be executed");
        return built(format!("{} -exec chmod +x -- {{}} +", f.find()), format!("Lets all {} be run as programs.", f.describe()));
    }
    let f = r.file().ok_or(WHICH_FILE)?;
    built(format!("chmod +x -- {}", quote_path(&f)), format!("Lets {f} be run as a program."))
}

fn chmod(r: &Request<'_>) -> Outcome {
    let raw_mode = r.tokens.iter().position(|t| {
        let w = t.norm.as_str();
        (matches!(w.len(), 3 | 4) && w.bytes().all(|b| (b'0'..=b'7').contains(&b)))
            || (w.len() >= 2 && w.len() <= 8 && w.contains(['+', '-', '=']) && w.bytes().all(|b| b"ugoa+-=rwxXst,".contains(&b)))
    });
    let mode = if let Some(i) = raw_mode {
        r.mark(i, i + 1);
        r.tokens[i].raw.clone()
    } else if r.has(&["protect", "lock"]) && !r.has(&["reading", "read"]) {
        "a-w".into()
    } else if r.has_phrase(&["only", "by", "me"]) || r.has(&["private"]) || r.has_phrase(&["only", "i"]) || r.has_phrase(&["only", "me"]) || r.has_phrase(&["only", "readable", "by", "me"]) {
        "go-rwx".into()
    } else if r.has(&["readonly", "read-only"]) || r.has_phrase(&["read", "only"]) {
        "a-w".into()
    } else if r.has(&["executable"]) {
        "+x".into()
    } else {
        let forbidden = r.has(&["nobody"]) || r.has_phrase(&["no", "one"]);
        let who = if forbidden || r.has(&["everyone", "everybody", "all", "anyone", "world", "others"]) { "a" } else if r.has(&["group"]) { "g" } else { "u" };
        let sign = if forbidden || r.has(&["remove", "revoke", "deny", "forbid", "unwritable", "not", "without", "take"]) { "-" } else { "+" };
        let what = if r.has(&["writable", "write", "writeable", "editable"]) { "w" } else if r.has(&["readable", "read"]) { "r" } else if r.has(&["execute", "run"]) { "x" } else { return Err(Unfilled::Missing("Which permissions?")) };
        format!("{who}{sign}{what}")
    };
    let recursive = r.has(&["recursively", "recursive", "everything"]) || (r.has(&["all"]) && r.has(&["inside", "below"]));
    let f = r.file().or_else(|| r.dir()).ok_or(WHICH_FILE)?;
    let option = if recursive { "-R " } else { "" };
    built(format!("chmod {option}{} -- {}", quote(&mode), quote_path(&f)), format!("Changes the permissions of {f} to {mode}."))
}

fn chown(r: &Request<'_>) -> Outcome {
    let u = r.user().or_else(|| r.word_after(&["to", "make"])).or_else(|| r.any_unknown()).ok_or(Unfilled::Missing("Which user?"))?;
    let f = r.file().ok_or(WHICH_FILE)?;
    let option = if r.has(&["recursively", "recursive", "everything"]) { "-R " } else { "" };
    built(format!("chown {option}{} -- {}", quote(&u), quote_path(&f)), format!("Makes {u} the owner of {f}."))
}

fn full_path(r: &Request<'_>) -> Outcome {
    let f = r.file().unwrap_or_else(|| ".".into());
    built(format!("realpath -- {}", quote_path(&f)), format!("Prints the full path of {f}."))
}

fn go(r: &Request<'_>) -> Outcome {
    let d = r.dir().or_else(|| r.destination()).or_else(|| r.quoted()).or_else(|| r.file()).or_else(|| if r.has(&["home"]) { Some("~".into()) } else { None }).or_else(|| if r.has(&["root"]) { Some("/".into()) } else { None }).ok_or(WHICH_DIR)?;
    built(if d == "~" { "cd".into() } else { format!("cd {}", quote_path(&d)) }, format!("Goes to {}.", in_words(&d)))
}

fn up(r: &Request<'_>) -> Outcome {
    if r.entities.iter().any(|e| matches!(&e.kind, Kind::Dir(d) if d != ".." && d != ".")) {
        return Err(Unfilled::Impossible);
    }
    let n = r.num().unwrap_or(1).clamp(1, 20) as usize;
    built(format!("cd {}", vec![".."; n].join("/")), format!("Goes {n} level{} up.", if n == 1 { "" } else { "s" }))
}

fn back(r: &Request<'_>) -> Outcome {
    if r.has(&["level", "levels", "up"]) {
        return up(r);
    }
    Ok(Built { command: "cd -".into(), why: "Goes back to the directory before.".into() })
}

fn where_am_i(_: &Request<'_>) -> Outcome {
    built("pwd", "Prints the directory you are in.")
}

fn compare_dirs(r: &Request<'_>) -> Outcome {
    let mut names: Vec<String> = Vec::new();
    while let Some(d) = r.take(|k| match k {
        Kind::Dir(d) | Kind::Path(d) | Kind::Quoted(d) => Some(d.clone()),
        _ => None,
    }) {
        names.push(d);
    }
    while names.len() < 2 {
        names.push(r.dir().or_else(|| r.existing_word()).or_else(|| r.any_unknown()).ok_or(Unfilled::Missing("Which two directories?"))?);
    }
    built(format!("diff -rq -- {} {}", quote_path(&names[0]), quote_path(&names[1])), format!("Lists what differs between {} and {}.", names[0], names[1]))
}
