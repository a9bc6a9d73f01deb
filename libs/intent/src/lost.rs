//! Places that a request names and a plan does not heed.
//!
//! "Remove all tmp files from docs" where there is no docs must never become a removal in this directory, nor "move the pdfs from x to y" a move of what lies here.

use crate::entity::Kind;
use crate::request::Request;
use crate::world::Exists;

const IN: &[&str] = &["in", "inside", "under", "within", "below", "beneath", "from", "underneath", "throughout"];
const FOLDER: &[&str] = &["directory", "folder", "dir", "subdirectory", "subfolder", "directories", "folders", "path"];
const ARTICLES: &[&str] = &["the", "my", "our", "a", "an", "this", "that", "its", "their", "called", "named"];

/// Words behind "in" and "from" that are no names of directories.
const NO_PLACE: &[&str] = &[
    "here", "there", "it", "them", "this", "that", "these", "those", "place", "tree", "hierarchy", "system", "disk", "current", "working", "present", "subdirectories", "subfolders", "subdirectory", "subfolder", "each", "every", "any", "all", "both", "same", "one", "depth", "line", "lines", "name", "names", "filename",
    "filenames", "size", "permissions", "permission", "case", "general", "order", "bytes", "kilobytes", "megabytes", "total", "parallel", "turn", "addition", "detail", "details", "file", "files", "document", "script", "scripts", "executables", "images", "others", "other", "everyone", "everybody", "anyone", "group", "owner", "user", "users", "world", "root", "public", "between", "reverse", "alphabetical",
    "numerical", "oldest", "newest", "largest", "smallest", "biggest", "highest", "lowest", "latest", "earliest", "least", "most", "scripts", "descending", "ascending", "uppercase", "lowercase", "upper", "lower", "capital", "capitals", "small", "bulk", "last", "past", "yesterday", "today", "week", "month", "year", "day", "days", "hours", "minutes", "now", "end", "beginning", "start", "front", "top", "bottom", "middle", "column", "field", "row", "rows", "columns", "fields", "word", "words", "text", "content", "contents", "list",
    "archive", "tarball", "memory", "background", "foreground", "question", "my", "parent", "whole", "entire", "nested", "hidden", "empty", "everywhere", "anywhere", "version", "control", "directory", "folder", "dir", "directories", "folders", "path", "paths", "level", "levels", "git", "repository", "bash", "shell", "computer", "machine", "desktop", "trash", "data", "spaces", "tabs", "blanks", "dos", "windows",
    "unix", "linux", "human", "readable", "form", "format", "date", "time", "first", "second", "third", "new", "old", "large", "mode", "executable", "non", "gzip", "zip", "tar", "bzip2", "xz", "where", "which", "what", "being", "long", "short", "scratch", "left", "right", "extension", "extensions", "suffix", "prefix",
];

/// Words that begin what comes after a place.
const AFTER: &[&str] = &["and", "or", "to", "into", "that", "which", "with", "older", "newer", "larger", "bigger", "smaller", "but", "except", "recursively", "then", "whose", "modified", "including", "if", "in", "by", "so", "as", "for", "of", "from", "have", "has", "are", "is", "not", "using", "without", "on", "at", "sorted", "ordered", "only", "do", "does", "having"];

/// Directories that the request says things lie in: those that exist, and names of none that does.
struct Said {
    there: Vec<String>,
    lost: bool,
}

fn said(r: &Request<'_>) -> Said {
    let mut out = Said { there: Vec::new(), lost: false };
    let n = r.tokens.len();
    for i in 0..n {
        if r.tokens[i].quoted || !IN.contains(&r.tokens[i].norm.as_str()) {
            continue;
        }
        let mut k = i + 1;
        let mut told = false;
        while k < n && !r.tokens[k].quoted && (ARTICLES.contains(&r.tokens[k].norm.as_str()) || FOLDER.contains(&r.tokens[k].norm.as_str())) {
            told |= FOLDER.contains(&r.tokens[k].norm.as_str());
            k += 1;
        }
        let Some(t) = r.tokens.get(k) else { continue };
        // "in this directory, newest first", "from the folder with ...": no name follows.
        let led: Vec<&str> = r.tokens[i + 1..k].iter().map(|t| t.norm.as_str()).collect();
        if told && !t.quoted && (led.contains(&"this") || led.contains(&"that") || !led.contains(&"called") && !led.contains(&"named") && r.world.exists(&t.raw).is_none() && crate::vocabulary::is_common(&t.norm)) {
            continue;
        }
        // "from logs files": a kind of file.
        if r.entity_at(k).is_some_and(|e| matches!(e.kind, Kind::Ext(..)) && e.end > k + 1) {
            continue;
        }
        let raw = t.raw.trim_end_matches('/');
        if r.world.exists(raw) == Some(Exists::Dir) {
            out.there.push(raw.to_owned());
            continue;
        }
        // Files, kinds of files, times and sizes are none; a path that leads nowhere is in the command, and fails.
        if r.world.exists(raw).is_some() || raw.contains(['/', '*', '.', '~', '$']) {
            continue;
        }
        let followed = r.tokens.get(k + 1).is_some_and(|t| !t.quoted && FOLDER.contains(&t.norm.as_str()));
        if r.entity_at(k).is_some_and(|e| !matches!(e.kind, Kind::Dir(_) | Kind::Ext(..) | Kind::Quoted(_))) || r.entity_at(k).is_some_and(|e| matches!(e.kind, Kind::Ext(..))) && !(told || followed) && k + 1 < n {
            continue;
        }
        if let Some(Kind::Dir(d)) = r.entity_at(k).map(|e| &e.kind)
            && r.world.exists(d) == Some(Exists::Dir)
        {
            out.there.push(d.clone());
            continue;
        }
        // "from docs", "in the x folder": a noun that ends the phrase.
        let ends = k + 1 == n || followed || r.tokens.get(k + 1).is_some_and(|t| !t.quoted && AFTER.contains(&t.norm.as_str()));
        let name = !NO_PLACE.contains(&t.norm.as_str()) && !NO_PLACE.contains(&t.raw.to_lowercase().as_str()) && t.norm.bytes().any(|b| b.is_ascii_alphabetic());
        if name && (told || ends) {
            out.lost = true;
        }
    }
    out
}

/// Whether the command looks for what it works on in the directory it runs in.
fn works_here(command: &str) -> bool {
    let unquoted = command.replace("'*", "").replace("\"*", "");
    let makes = command.strip_prefix("touch ").or_else(|| command.strip_prefix("mkdir ")).is_some_and(|rest| !rest.contains('/') && !rest.contains("&&"));
    makes || command.contains("find . ") || command.contains(" for f in *") || command.starts_with("for f in *") || unquoted.split(' ').any(|w| w.starts_with('*'))
}

/// Whether `command` works in this directory although the request names another place. What changes nothing may take a word for a place that is none.
pub(crate) fn heedless(command: &str, r: &Request<'_>, changes: bool) -> bool {
    if !works_here(command) {
        return false;
    }
    let said = said(r);
    let named = |d: &String| d == "." || command.contains(d.as_str());
    changes && said.lost || said.there.iter().any(|d| !named(d))
}
