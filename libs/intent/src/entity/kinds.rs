//! Kinds of files by their name's ending: "python files", "PDFs", "images", ".txt".

use super::{Finder, Kind};

/// Words for kinds of files, and the endings they have.
const KINDS: &[(&[&str], &[&str])] = &[
    (&["image", "picture", "photo", "pic", "photograph", "img"], &["jpg", "jpeg", "png", "gif", "bmp", "webp", "svg", "tiff"]),
    (&["video", "movie", "film", "clip"], &["mp4", "mkv", "avi", "mov", "webm"]),
    (&["music", "audio", "song", "sound"], &["mp3", "flac", "ogg", "wav", "m4a", "opus"]),
    (&["archive", "tarball"], &["tar", "tar.gz", "tgz", "tar.xz", "tar.bz2", "tar.zst", "zip", "7z"]),
    (&["python"], &["py"]),
    (&["shell"], &["sh"]),
    (&["bash"], &["sh"]),
    (&["rust"], &["rs"]),
    (&["javascript"], &["js"]),
    (&["typescript"], &["ts"]),
    (&["java"], &["java"]),
    (&["ruby"], &["rb"]),
    (&["perl"], &["pl"]),
    (&["golang"], &["go"]),
    (&["c++", "cpp"], &["cpp", "cc", "cxx", "hpp"]),
    (&["header"], &["h"]),
    (&["markdown"], &["md"]),
    (&["pdf"], &["pdf"]),
    (&["word"], &["doc", "docx"]),
    (&["excel", "spreadsheet"], &["xls", "xlsx", "ods", "csv"]),
    (&["jpeg", "jpg"], &["jpg", "jpeg"]),
    (&["yaml", "yml"], &["yaml", "yml"]),
    (&["html"], &["html", "htm"]),
    (&["config", "configuration", "conf"], &["conf", "cfg", "ini"]),
    (&["backup"], &["bak"]),
    (&["library"], &["so"]),
];

/// Endings that are kinds by themselves: "json files", "pngs".
const ENDINGS: &[&str] = &[
    "jpg", "jpeg", "pdf", "html", "yaml", "yml", "txt", "log", "csv", "json", "xml", "toml", "png", "gif", "bmp", "svg", "webp", "mp3", "mp4", "mkv", "avi", "wav", "flac", "ogg", "zip", "tar", "gz", "tgz", "xz",
    "bz2", "zst", "iso", "img", "deb", "rpm", "so", "css", "js", "ts", "py", "sh", "rs", "go", "c", "h", "cpp", "rb", "php", "sql", "db", "ini", "cfg", "bak", "tmp", "md",
    "doc", "docx", "xls", "xlsx", "ppt", "pptx", "odt", "epub", "tex", "tsv", "lock", "service", "o", "a", "pyc", "swp", "java", "class", "jar", "lua", "pl", "r", "ipynb", "old", "orig", "patch", "diff", "out", "dat", "bin", "exe", "key", "pem", "crt", "rst", "webm", "mov", "htm",
    "gcpkg", "gcservice", "gguf",
];

const FILE_WORDS: &[&str] = &["file", "files", "document", "documents", "doc", "docs", "script", "scripts", "source", "sources", "code", "program", "programs", "archive", "archives", "images", "pictures", "image", "photos", "extension", "ending", "spreadsheets"];

fn singular(w: &str) -> &str {
    w.strip_suffix("ies").map_or_else(|| w.strip_suffix('s').filter(|s| s.len() > 1).unwrap_or(w), |_| w)
}

/// The patterns for one word: `*.py` for "python".
pub fn patterns(word: &str) -> Option<Vec<String>> {
    let s = if word == "libraries" { "library" } else { singular(word) };
    for (names, endings) in KINDS {
        if names.contains(&word) || names.contains(&s) {
            return Some(endings.iter().map(|e| format!("*.{e}")).collect());
        }
    }
    let e = word.strip_prefix('.').unwrap_or(word);
    // ".conf": the ending itself.
    if word.starts_with('.') && KINDS.iter().any(|(_, endings)| endings.contains(&e)) {
        return Some(vec![format!("*.{e}")]);
    }
    for e in [e, singular(e)] {
        if ENDINGS.contains(&e) {
            return Some(vec![format!("*.{e}")]);
        }
    }
    None
}

/// Words that name a kind of file without "file" after them.
fn stands_alone(word: &str) -> bool {
    let s = singular(word);
    matches!(
        s,
        "image" | "picture" | "photo" | "pic" | "photograph" | "video" | "movie" | "song" | "tarball" | "pdf" | "jpeg" | "jpg" | "png" | "gif" | "mp3" | "mp4" | "spreadsheet" | "csv" | "music"
    ) || word == "archives" || (word.ends_with('s') && word.len() > 3 && matches!(s, "zip" | "txt" | "doc" | "docx" | "json" | "deb" | "iso" | "mkv" | "xml" | "svg" | "py" | "yaml" | "toml" | "html" | "xlsx" | "epub"))
}

pub(super) fn extensions(f: &mut Finder<'_>) {
    let mut i = 0;
    while i < f.tokens.len() {
        let Some(w) = f.word(i) else {
            i += 1;
            continue;
        };
        let w = w.to_owned();
        // "from photos", "logs folder": a directory of that name is meant as one.
        let before = (0..i).rev().find(|&k| !f.is(k, &["the", "my"]));
        let placed = before.is_some_and(|k| f.is(k, &["in", "from", "inside", "under", "below", "within", "into", "of"])) || f.is(i + 1, &["folder", "directory", "dir"]);
        if placed && !f.is(i + 1, &["file", "files"]) && f.world.exists(&f.tokens[i].raw) == Some(crate::world::Exists::Dir) {
            let raw = f.tokens[i].raw.clone();
            let end = i + 1 + usize::from(f.is(i + 1, &["folder", "directory", "dir"]));
            f.take(i, end, Kind::Dir(raw));
            i = end;
            continue;
        }
        let dotted = w.len() > 1 && w.starts_with('.') && w[1..].bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.');
        // "temporary files".
        if matches!(w.as_str(), "temporary" | "temp") && f.is(i + 1, &["files", "file"]) {
            f.take(i, i + 2, Kind::Ext(vec!["*.tmp".into(), "*.temp".into(), "*~".into()], "temporary".into()));
            i += 2;
            continue;
        }
        // "ending in .foo", "with extension foo", "with the foo extension".
        let after_extension = i > 0 && (f.is(i - 1, &["extension", "suffix"]) || (f.is(i - 1, &["in", "with"]) && i > 1 && f.is(i - 2, &["ending", "end", "ends"])));
        let before_extension = f.is(i + 1, &["extension", "extensions", "suffix"]) || (dotted && f.is(i + 1, &["ending"]));
        if dotted && (patterns(&w).is_some() || after_extension || before_extension || f.is(i + 1, FILE_WORDS) || f.is(i + 1, &["or", "and"])) {
            let raw = f.tokens[i].raw.trim_start_matches('.').to_owned();
            let end = i + 1 + usize::from(f.is(i + 1, &["file", "files", "extension"]));
            f.take(i, end, Kind::Ext(vec![format!("*.{raw}")], format!(".{raw}")));
            i = end;
            continue;
        }
        if (after_extension || before_extension) && w.bytes().any(|b| b.is_ascii_alphabetic()) && w.bytes().all(|b| b.is_ascii_alphanumeric()) && !matches!(w.as_str(), "files" | "in" | "on" | "names" | "whose" | "object" | "all" | "different" | "new" | "old" | "is" | "as" | "the" | "a" | "an" | "with" | "same" | "of" | "by" | "their" | "each" | "from" | "to" | "no" | "file" | "name" | "per" | "for" | "which" | "what" | "that" | "beginning" | "starting" | "begins" | "starts") {
            let raw = f.tokens[i].raw.clone();
            f.take(i, i + 1, Kind::Ext(vec![format!("*.{raw}")], format!(".{raw}")));
            i += 1;
            continue;
        }
        let followed = f.is(i + 1, FILE_WORDS);
        // "docs" is rather the directory of that name, if there is one.
        let plural_kind = stands_alone(&w) && (f.world.exists(&f.tokens[i].raw).is_none() || matches!(w.as_str(), "images" | "photos" | "videos" | "pictures" | "movies" | "songs"));
        if followed || plural_kind {
            let p = match w.as_str() {
                "text" if f.is(i + 1, &["file", "files", "documents", "document"]) => Some(vec!["*.txt".to_owned()]),
                // "a program", "c files": letters only before "files".
                _ if w.len() == 1 && (w == "a" || !f.is(i + 1, &["files", "file", "sources", "source", "code", "programs"])) => None,
                // "source files", "config files" yes; "word files" yes; "word" alone no.
                _ => patterns(&w),
            };
            if let Some(p) = p {
                let mut p = p;
                let mut label = w.clone();
                let mut end = i + 1;
                // "jpg and png files": both.
                if f.is(end, FILE_WORDS) {
                    end += 1;
                    if f.is(end, &["file", "files"]) {
                        end += 1;
                    }
                }
                let mut start = i;
                while start >= 2 && f.is(start - 1, &["and", "or"]) {
                    let Some(prev) = f.word(start - 2).and_then(patterns) else { break };
                    label = format!("{} and {label}", f.word(start - 2).unwrap_or_default());
                    let mut joined = prev;
                    joined.extend(p);
                    p = joined;
                    start -= 2;
                }
                f.take(start, end, Kind::Ext(p, label));
                i = end;
                continue;
            }
        }
        i += 1;
    }
    log_files(f);
}

/// "log files" and "logs": names ending in `.log`.
fn log_files(f: &mut Finder<'_>) {
    for i in 0..f.tokens.len() {
        if f.is(i, &["log"]) && f.is(i + 1, &["files"]) {
            f.take(i, i + 2, Kind::Ext(vec!["*.log".into()], "log".into()));
        }
    }
}
