//! Files and directories by their names and kinds, and what is done to them by name.

use actions::quote::{quote, quote_path};

use super::{Made, Parts, made};
use crate::catalogue;
use crate::catalogue::filter::filter;
use crate::world::Exists;

const DELETES: &[&str] = &["delete", "remove", "erase", "rmdir", "rm", "clean", "purge", "rid"];

/// An intent of the catalogue that the words leave no doubt about.
fn typed(p: &Parts<'_>, id: &str) -> Made {
    let built = (catalogue::get(id)?.build)(p.r).ok()?;
    Some((built, 0.9))
}

fn quoted_pattern(s: &str) -> Option<String> {
    s.chars().all(|c| c.is_alphanumeric() || " ._-+@".contains(c)).then(|| s.to_owned())
}

/// What is asked of names.
pub(super) fn names(p: &Parts<'_>) -> Made {
    let r = p.r;
    let first = *p.w.first()?;
    let deletes = DELETES.contains(&first) || p.phrase("get rid of");
    let place = || r.dir().unwrap_or_else(|| ".".into());
    let looks = matches!(first, "list" | "show" | "find" | "are" | "which" | "what" | "any" | "look" | "search" | "display" | "print" | "files" | "is" | "locate" | "broken" | "dangling" | "folders" | "directories" | "where" | "get" | "give");

    // Links.
    if looks && (p.has(&["symlinks", "symlink"]) || (p.has(&["links"]) && !p.has(&["network", "web", "hard"])) || p.phrase("symbolic links")) && p.file().is_none() {
        let broken = p.has(&["broken", "dangling", "nowhere", "dead", "missing"]);
        return made(format!("find {} {}", quote_path(&place()), if broken { "-xtype l" } else { "-type l" }), if broken { "Finds links whose target is missing." } else { "Finds symbolic links." });
    }
    // Nothing in them.
    let nothing = p.has(&["empty", "zero-byte", "zero-length", "zero-sized"]) || p.any(&["zero byte", "zero bytes", "zero size", "zero length", "size zero", "size 0", "contain nothing", "contains nothing", "0 bytes", "0 byte"]);
    let dirs = p.has(&["directories", "folders", "dirs", "subdirectories", "subfolders"]);
    let dir = p.has(&["directory", "folder", "dir"]);
    if nothing && (dirs || dir || p.has(&["files", "file"])) && (deletes || looks) && p.file().is_none() && !p.has(&["lines", "line"]) {
        let every = p.has(&["every", "all", "each", "any"]);
        let kind = if dirs || (dir && !p.has(&["files", "file"])) { "d" } else { "f" };
        if dir && !dirs && !every && kind == "d" {
            let named = (0..r.tokens.len()).find(|&i| r.world.exists(&r.tokens[i].raw) == Some(Exists::Dir) && !matches!(r.tokens[i].raw.as_str(), "." | ".."))?;
            return deletes.then(|| made(format!("rmdir -- {}", quote_path(&r.tokens[named].raw)), "Deletes that directory, if it is empty."))?;
        }
        if kind == "f" && !p.has(&["files"]) && !every && deletes {
            return None;
        }
        let command = format!("find {} -type {kind} -empty", quote_path(&if kind == "d" && dir && !dirs { ".".to_owned() } else { place() }));
        return if deletes { made(format!("{command} -print -delete"), "Deletes what is empty, and prints each.") } else { made(command, "Finds what is empty.") };
    }
    if looks && p.has(&["files"]) && p.any(&["can be run", "can be executed", "can run", "i can run", "i can execute"]) {
        return made(format!("find {} -type f -executable", quote_path(&place())), "Finds files that can be executed.");
    }
    if looks && p.has(&["files", "file"]) && p.has(&["mode", "permissions", "permission"]) && p.file().is_none() {
        let mode = r.tokens.iter().find(|t| (3..=4).contains(&t.raw.len()) && t.raw.bytes().all(|b| (b'0'..=b'7').contains(&b)))?.raw.clone();
        return made(format!("find {} -type f -perm {mode}", quote_path(&place())), format!("Finds files with permissions {mode}."));
    }
    // Parts of names.
    let of_names = p.has(&["filename", "filenames", "file-name", "filename."]) || p.any(&["in the name", "in their name", "in its name", "in the filename", "in their filename", "in their names", "file name", "file names", "whose name"]);
    if looks && of_names && !p.many() && p.file().is_none() && p.has(&["contain", "contains", "containing", "with", "have", "having", "includes", "including", "has"]) {
        let v = p.text_after(&["contain", "contains", "containing", "having", "includes", "including", "have", "has", "with"]).and_then(|v| quoted_pattern(&v))?;
        if !matches!(v.as_str(), "name" | "filename" | "names" | "spaces" | "space") {
            return made(format!("find {} -iname {}", quote_path(&place()), quote(&format!("*{v}*"))), format!("Finds what has {v} in its name."));
        }
    }
    if looks && p.any(&["spaces in", "space in", "with spaces", "containing spaces", "contain spaces"]) && p.has(&["name", "names", "filename", "filenames", "files"]) && p.file().is_none() {
        return made(format!("find {} -name '* *'", quote_path(&place())), "Finds what has blanks in its name.");
    }
    let begin = p.any(&["starts with", "start with", "starting with", "begin with", "begins with", "beginning with"]);
    if looks && begin && !p.has(&["lines", "line", "words", "word"]) && p.has(&["files", "file", "anything", "everything", "folders", "directories"]) && p.file().is_none() && !p.many() {
        let v = p.text_after(&["with"]).and_then(|v| quoted_pattern(&v))?;
        let kind = if dirs && !p.has(&["files"]) { "d" } else { "f" };
        return made(format!("find {} -type {kind} -name {}", quote_path(&place()), quote(&format!("{v}*"))), format!("Finds what begins with {v}."));
    }
    // Several new directories.
    if matches!(first, "create" | "make" | "mkdir" | "new") && dirs && !p.has(&["file", "files", "copy"]) {
        let at = r.position(&["directories", "folders", "dirs", "subdirectories", "subfolders"])?;
        let mut named: Vec<String> = r.tokens[at + 1..].iter().filter(|t| t.quoted || !matches!(t.norm.as_str(), "and" | "called" | "named" | "the" | "with" | "names" | "a" | "here" | "in" | "for")).map(|t| t.raw.clone()).collect();
        named.retain(|n| !n.is_empty() && !n.chars().any(char::is_control));
        if named.len() > 1 {
            let all: Vec<String> = named.iter().map(|n| quote_path(n)).collect();
            return made(format!("mkdir -p -- {}", all.join(" ")), format!("Makes the directories {}.", named.join(", ")));
        }
    }
    // "rename photos to pictures": what exists, whatever its name means.
    if matches!(first, "rename" | "change" | "call") && !p.many_named() {
        let to = (2..p.w.len()).rev().find(|&i| matches!(p.w[i], "to" | "into" | "as"))?;
        let from = (1..to).find(|&i| r.world.exists(&r.tokens[i].raw).is_some() && r.tokens[i].raw != ".")?;
        let new = r.tokens.get(to + 1)?;
        let renames = first == "rename" || first == "call" || p.has(&["name"]);
        if renames && to + 2 == p.w.len() && !p.has(&["all", "every", "extension", "files", "each"]) && !new.raw.starts_with('.') && !new.raw.contains('*') {
            let old = &r.tokens[from].raw;
            let new = catalogue::beside(old, &new.raw);
            return made(format!("mv -n -- {} {}", quote_path(old), quote_path(&new)), format!("Renames {old} to {new}; nothing is overwritten."));
        }
    }
    // "list the docs directory".
    if matches!(first, "list" | "ls") && dir && !p.has(&["tree", "recursively", "all", "hidden", "size", "sizes", "by", "details", "long", "sorted", "and", "only"]) && p.w.len() <= 5 {
        let named = (1..p.w.len()).find(|&i| r.world.exists(&r.tokens[i].raw) == Some(Exists::Dir) && r.tokens[i].raw != ".")?;
        return made(format!("ls {}", quote_path(&r.tokens[named].raw)), format!("Lists {}.", r.tokens[named].raw));
    }
    // Counting names.
    if (first == "count" || p.phrase("how many") || p.phrase("number of")) && !p.has(&["lines", "words", "line", "word", "characters", "times", "occurrences", "processes", "packages", "bytes", "users"]) && p.file().is_none() {
        if p.has(&["entries", "things", "items", "objects"]) {
            return made(format!("ls -A {} | wc -l", quote_path(&place())).replace("ls -A . ", "ls -A "), "Counts what is in that directory.");
        }
        if p.has(&["files", "folders", "directories", "subdirectories", "subfolders"]) && p.has(&["recursively", "recursive", "altogether", "tree"]) {
            let f = filter(r);
            return made(format!("{} | wc -l", f.find()), format!("Counts the {}.", f.describe()));
        }
        if dirs && !p.has(&["files", "below", "under", "recursively", "tree", "all"]) {
            return made(format!("find {} -mindepth 1 -maxdepth 1 -type d | wc -l", quote_path(&place())), "Counts the directories there.");
        }
    }
    // Everything of a user.
    if looks && p.has(&["owned", "belongs", "belonging", "belong"]) && p.has(&["everything", "files", "file", "anything"]) && !p.has(&["package", "process", "processes"]) {
        return typed(p, "files.find");
    }
    if p.files().len() == 2 && (p.has(&["difference", "differences", "differ", "diff", "differs"])) {
        return typed(p, "file.diff");
    }
    None
}
