//! Paths, directories in words, hosts, URLs and users.

use super::{Finder, Kind};
use crate::world::Exists;

/// Pairs of words joined by a slash that are no path.
const SLASHED: &[&str] = &["and/or", "on/off", "yes/no", "read/write", "he/she", "in/out", "tcp/udp", "input/output", "either/or", "true/false", "cpu/memory", "start/stop", "i/o"];

const TLDS: &[&str] = &["com", "org", "net", "io", "edu", "gov", "dev", "uk", "de", "fr", "eu", "info", "ai", "local", "localdomain", "co", "us", "ch", "nl", "it", "es", "jp", "cn", "app"];

fn is_ipv4(w: &str) -> bool {
    let parts: Vec<&str> = w.split('.').collect();
    parts.len() == 4 && parts.iter().all(|p| p.parse::<u8>().is_ok())
}

fn is_hostname(w: &str) -> bool {
    let mut labels: Vec<&str> = w.split('.').collect();
    let tld = labels.pop().unwrap_or_default();
    !labels.is_empty() && TLDS.contains(&tld) && labels.iter().all(|l| !l.is_empty() && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
}

pub(super) fn urls_and_hosts(f: &mut Finder<'_>) {
    for i in 0..f.tokens.len() {
        let Some(w) = f.word(i) else { continue };
        let raw = f.tokens[i].raw.clone();
        if ["http://", "https://", "ftp://"].iter().any(|s| w.starts_with(s)) {
            f.take(i, i + 1, Kind::Url(raw));
        } else if is_ipv4(w) || w == "localhost" || (is_hostname(w) && f.world.exists(&raw).is_none()) {
            f.take(i, i + 1, Kind::Host(raw));
        }
    }
}

/// Directories that people name by words: phrase, path, and whether "directory" or the like must follow.
const WELL_KNOWN: &[(&[&str], &str)] = &[
    (&["home", "directory"], "~"),
    (&["home", "folder"], "~"),
    (&["home", "dir"], "~"),
    (&["my", "home"], "~"),
    (&["root", "directory"], "/"),
    (&["root", "folder"], "/"),
    (&["root", "dir"], "/"),
    (&["root", "of", "the", "filesystem"], "/"),
    (&["root", "of", "the", "file", "system"], "/"),
    (&["root", "of", "the", "disk"], "/"),
    (&["root", "filesystem"], "/"),
    (&["root", "partition"], "/"),
    (&["filesystem", "root"], "/"),
    (&["current", "directory"], "."),
    (&["current", "folder"], "."),
    (&["current", "dir"], "."),
    (&["current", "working", "directory"], "."),
    (&["working", "directory"], "."),
    (&["present", "directory"], "."),
    (&["this", "directory"], "."),
    (&["this", "folder"], "."),
    (&["this", "dir"], "."),
    (&["this", "place"], "."),
    (&["this", "location"], "."),
    (&["this", "tree"], "."),
    (&["here"], "."),
    (&["parent", "directory"], ".."),
    (&["parent", "folder"], ".."),
    (&["directory", "above"], ".."),
    (&["folder", "above"], ".."),
    (&["temp", "directory"], "/tmp"),
    (&["temp", "folder"], "/tmp"),
    (&["tmp", "directory"], "/tmp"),
    (&["tmp", "folder"], "/tmp"),
    (&["tmp"], "/tmp"),
    (&["temporary", "directory"], "/tmp"),
    (&["temporary", "folder"], "/tmp"),
    (&["log", "directory"], "/var/log"),
    (&["log", "folder"], "/var/log"),
    (&["logs", "directory"], "/var/log"),
    (&["logs", "folder"], "/var/log"),
    (&["whole", "system"], "/"),
    (&["entire", "system"], "/"),
    (&["whole", "disk"], "/"),
    (&["entire", "disk"], "/"),
    (&["whole", "drive"], "/"),
    (&["entire", "drive"], "/"),
    (&["whole", "filesystem"], "/"),
    (&["entire", "filesystem"], "/"),
    (&["whole", "file", "system"], "/"),
    (&["entire", "file", "system"], "/"),
    (&["whole", "machine"], "/"),
    (&["entire", "machine"], "/"),
    (&["whole", "computer"], "/"),
    (&["entire", "computer"], "/"),
    (&["everywhere", "below"], "."),
    (&["everywhere", "here"], "."),
    (&["everywhere"], "/"),
    (&["anywhere"], "/"),
];

/// Names that are directories in a home: taken from there, or from here, where they exist.
const USER_DIRS: &[&str] = &["downloads", "documents", "pictures", "music", "videos", "desktop", "public", "templates"];

const DIR_WORDS: &[&str] = &["directory", "folder", "dir", "subdirectory", "subfolder", "tree"];

/// Words that may stand before "directory" without being its name.
const NOT_NAMES: &[&str] = &[
    "a", "an", "the", "this", "that", "new", "empty", "each", "every", "any", "my", "one", "which", "what", "whole", "entire", "same", "other", "all", "of", "in", "is", "biggest",
    "largest", "hidden", "parent", "current", "sub", "or", "and", "make", "create", "delete", "remove", "to", "into", "from", "by", "previous", "last", "big", "per", "no", "compress", "list", "archive", "tar", "copy", "move",
    "rename", "source", "target", "destination", "given", "specific", "change", "open", "enter", "leave", "working", "zip", "symlink", "link", "file", "your", "his", "her", "their", "its", "user", "second", "first", "how", "switch", "non-empty", "show", "newest", "oldest", "smallest", "with", "called", "named", "up", "down", "nested", "project-level", "process", "processes", "files", "mkdir", "go", "cd", "directory", "folder", "on", "both", "two", "these", "those", "only", "as", "for", "non", "system", "erase", "heaviest", "unzip", "print", "display", "get", "count", "search", "find", "me", "size",
];

pub(super) fn directories(f: &mut Finder<'_>) {
    let mut i = 0;
    while i < f.tokens.len() {
        if let Some((phrase, path)) = WELL_KNOWN.iter().filter(|(p, _)| f.phrase(i, p)).max_by_key(|(p, _)| p.len()) {
            let end = i + phrase.len();
            // A directory of that name here is meant before a well-known one elsewhere.
            if path.starts_with('/') && phrase.len() == 2 && f.world.exists(&f.tokens[i].raw) == Some(Exists::Dir) {
                let raw = f.tokens[i].raw.clone();
                f.take(i, end, Kind::Dir(raw));
                i = end;
                continue;
            }
            // "anywhere under x": x is the place.
            if matches!(phrase, ["anywhere"] | ["everywhere"]) && f.is(end, &["under", "in", "below", "inside", "within", "beneath", "on", "else"]) {
                i += 1;
                continue;
            }
            if matches!(phrase, ["tmp"]) && (f.is(end, &["file", "files"]) || i > 0 && f.is(i - 1, &["extension", "suffix", "ending", "type"])) {
                // "tmp files" are a kind of file.
                i += 1;
                continue;
            }
            // "the etc directory" is handled below; an existing file of that name in this directory wins.
            f.take(i, end, Kind::Dir((*path).to_owned()));
            i = end;
            continue;
        }
        if let Some(w) = f.word(i).map(str::to_owned) {
            let raw = f.tokens[i].raw.clone();
            if USER_DIRS.contains(&w.as_str()) || USER_DIRS.iter().any(|d| d.strip_suffix('s') == Some(&w) && f.is(i + 1, DIR_WORDS)) {
                let named = f.is(i + 1, DIR_WORDS);
                let owned = i > 0 && f.is(i - 1, &["my", "in", "to", "into", "from", "under", "inside", "at"]);
                let path = user_dir(f, &w);
                // "all the pictures" are files; "in pictures", "Pictures" a place.
                let place = owned || raw.starts_with(|c: char| c.is_uppercase()) || !matches!(w.as_str(), "pictures" | "music" | "videos" | "documents" | "templates");
                if named || (path.is_some() && place) || (owned && raw.starts_with(|c: char| c.is_uppercase())) {
                    let end = i + 1 + usize::from(named);
                    let title = format!("~/{}{}", w[..1].to_uppercase(), &w[1..]);
                    f.take(i, end, Kind::Dir(path.unwrap_or(title)));
                    i = end;
                    continue;
                }
            }
            // "the src folder", "folder src", "folder called src".
            if f.is(i + 1, DIR_WORDS) && !NOT_NAMES.contains(&w.as_str()) && plausible_name(&raw) && w.parse::<u64>().is_err() {
                let path = existing_dir(f, &raw).unwrap_or(raw);
                f.take(i, i + 2, Kind::Dir(path));
                i += 2;
                continue;
            }
            if DIR_WORDS.contains(&w.as_str()) {
                let mut k = i + 1;
                let cue = f.is(k, &["called", "named", "name"]);
                if cue {
                    k += 1;
                }
                if let Some(t) = f.tokens.get(k)
                    && !f.used[k]
                    && (cue || existing_dir(f, &t.raw).is_some())
                    && plausible_name(&t.raw)
                {
                    let raw = t.raw.clone();
                    let path = existing_dir(f, &raw).unwrap_or(raw);
                    f.take(i, k + 1, Kind::Dir(path));
                    i = k + 1;
                    continue;
                }
            }
        }
        i += 1;
    }
}

fn plausible_name(raw: &str) -> bool {
    !raw.is_empty() && !raw.starts_with('-') && raw.chars().all(|c| c.is_alphanumeric() || "._-+@/~".contains(c))
}

fn existing_dir(f: &Finder<'_>, raw: &str) -> Option<String> {
    if f.world.exists(raw) == Some(Exists::Dir) {
        return Some(raw.to_owned());
    }
    // "the etc directory": the well-known one at the top.
    let top = format!("/{raw}");
    if matches!(raw, "etc" | "var" | "usr" | "bin" | "sbin" | "lib" | "opt" | "proc" | "sys" | "dev" | "boot" | "run" | "mnt" | "media" | "srv" | "home" | "tmp" | "scheme")
        && f.world.exists(&top) == Some(Exists::Dir)
    {
        return Some(top);
    }
    user_dir(f, &raw.to_lowercase())
}

/// `downloads` as a directory that exists: here or in the home, in any case.
fn user_dir(f: &Finder<'_>, w: &str) -> Option<String> {
    if w.is_empty() || !USER_DIRS.contains(&w) && !USER_DIRS.iter().any(|d| d.strip_suffix('s') == Some(w)) {
        return None;
    }
    let full = USER_DIRS.iter().find(|d| **d == w || d.strip_suffix('s') == Some(w))?;
    let title = format!("{}{}", full[..1].to_uppercase(), &full[1..]);
    [title.clone(), (*full).to_owned(), format!("~/{title}"), format!("~/{full}")].into_iter().find(|p| f.world.exists(p) == Some(Exists::Dir))
}

pub(super) fn paths(f: &mut Finder<'_>) {
    for i in 0..f.tokens.len() {
        if f.used[i] {
            continue;
        }
        let t = &f.tokens[i];
        let (raw, w) = (t.raw.clone(), t.norm.clone());
        if raw.starts_with('-') || raw.contains("://") {
            continue;
        }
        let name = |s: &str| s.chars().all(|c| c.is_alphanumeric() || "._-+@/~%,:=#*?[]{}".contains(c));
        if raw.len() > 1 && (raw.contains('*') || (raw.contains('?') && !raw.ends_with('?'))) && name(&raw) && !is_sum(&w) {
            f.take(i, i + 1, Kind::Glob(raw));
        } else if raw.contains('/') && !SLASHED.contains(&w.as_str()) && name(&raw) && !is_sum(&w) {
            let kind = if raw.ends_with('/') || f.world.exists(&raw) == Some(Exists::Dir) { Kind::Dir(raw) } else { Kind::Path(raw) };
            f.take(i, i + 1, kind);
        } else if raw == "~" && i > 0 && (f.is(i - 1, &["or", "and", "ending", "with", "suffix", "end", "ends"]) || f.is(i - 1, &["in"]) && i > 1 && f.is(i - 2, &["ending", "end", "ends"])) {
            // "ending in .bak or ~": names that end so, not the home.
            f.take(i, i + 1, Kind::Ext(vec!["*~".into()], "~".into()));
        } else if matches!(raw.as_str(), "~" | "." | "..") {
            f.take(i, i + 1, Kind::Dir(raw));
        } else if has_extension(&w) || (w.starts_with('.') && w.len() > 2 && super::kinds::patterns(&w).is_none() && name(&raw) && !(f.is(i + 1, &["files"]) && f.world.exists(&raw).is_none())) {
            f.take(i, i + 1, Kind::Path(raw));
        } else if let Some(e) = f.world.exists(&raw)
            && !crate::vocabulary::is_common(&w)
            && w.parse::<u64>().is_err()
        {
            f.take(i, i + 1, if e == Exists::Dir { Kind::Dir(raw) } else { Kind::Path(raw) });
        }
    }
}

/// Digits and operators: arithmetic, not a path.
fn is_sum(w: &str) -> bool {
    w.chars().all(|c| c.is_ascii_digit() || "+-*/%().^".contains(c))
}

/// `name.ext`, where the ending has a letter and the whole is no number or version.
fn has_extension(w: &str) -> bool {
    let Some((stem, ext)) = w.rsplit_once('.') else { return false };
    !stem.is_empty()
        && (1..=10).contains(&ext.len())
        && ext.bytes().all(|b| b.is_ascii_alphanumeric())
        && ext.bytes().any(|b| b.is_ascii_alphabetic())
        && stem.chars().all(|c| c.is_alphanumeric() || "._-+@~".contains(c))
        && !matches!(w, "e.g" | "i.e" | "a.m" | "p.m" | "etc.")
}

/// A user that exists, where a word says that a user is meant; or "root" as owner.
pub(super) fn users(f: &mut Finder<'_>) {
    for i in 0..f.tokens.len() {
        let Some(w) = f.word(i) else { continue };
        let raw = f.tokens[i].raw.clone();
        if !f.world.is_user(&raw) && !f.world.is_user(w) {
            continue;
        }
        let cue = (i > 0 && f.is(i - 1, &["user", "by", "account", "to", "for", "of", "as", "is", "are", "does", "did", "groups", "owner", "from", "users", "has", "'s", "and"])) || f.is(i + 1, &["user", "account", "processes", "files", "belongs", "own", "owns", "groups", "password", "has", "to", "from", "run", "running", "home", "in", "into", "process"]);
        // "nobody" is a user too, but seldom meant.
        let word_too = matches!(w, "nobody" | "list" | "games" | "man" | "mail" | "news" | "backup" | "sync" | "bin" | "sys" | "daemon" | "proxy" | "irc" | "uucp" | "lp" | "sshd");
        let cue = cue && (!word_too || (i > 0 && f.is(i - 1, &["user", "by", "of"])));
        if cue || !crate::vocabulary::is_common(w) && !matches!(w, "games" | "man" | "mail" | "news" | "backup" | "list" | "sync" | "bin" | "sys" | "daemon" | "proxy" | "nobody") {
            let name = if f.world.is_user(&raw) { raw } else { w.to_owned() };
            f.take(i, i + 1, Kind::User(name));
        }
    }
}
