//! A request as words that tell what it is about, and values that a command repeats.

use crate::text;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sort {
    /// A file or directory.
    Path,
    /// A file's ending, without the dot.
    Ending,
    /// A number.
    Number,
    /// Any other text.
    Text,
}

impl Sort {
    /// The word that stands for it, and the letter in the index.
    pub fn letter(self) -> char {
        match self {
            Sort::Path => 'p',
            Sort::Ending => 'e',
            Sort::Number => 'n',
            Sort::Text => 's',
        }
    }

    /// The other way round.
    pub fn of(letter: char) -> Option<Sort> {
        [Sort::Path, Sort::Ending, Sort::Number, Sort::Text].into_iter().find(|s| s.letter() == letter)
    }
}

/// A piece of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A word by its stem.
    Word(String),
    /// A value.
    Value(Sort, String),
}

/// Endings that are said without a dot: "all txt files".
const ENDINGS: &[&str] = &[
    "txt", "log", "py", "sh", "c", "h", "cpp", "hpp", "java", "js", "ts", "css", "html", "htm", "php", "xml", "json", "yaml", "yml", "md", "csv", "tsv", "pdf", "doc", "docx", "xls", "xlsx", "jpg", "jpeg", "png", "gif", "svg", "bmp", "mp3",
    "mp4", "avi", "mkv", "mov", "wav", "flac", "ogg", "zip", "tar", "gz", "tgz", "bz2", "xz", "rar", "7z", "iso", "bak", "tmp", "swp", "conf", "cfg", "ini", "rb", "pl", "rs", "go", "sql", "db", "o", "so", "deb", "rpm", "class", "jar", "tex", "bin", "dat",
];

/// Words for endings.
const KINDS: &[(&str, &str)] = &[("python", "py"), ("text", "txt"), ("markdown", "md"), ("javascript", "js"), ("perl", "pl"), ("ruby", "rb"), ("shell", "sh"), ("bash", "sh")];

/// Different words for one thing.
const SAME: &[(&str, &str)] = &[
    ("folder", "directory"), ("dir", "directory"), ("subfolder", "subdirectory"), ("subdir", "subdirectory"), ("display", "show"), ("print", "show"), ("list", "show"), ("output", "show"), ("get", "show"), ("give", "show"), ("see", "show"), ("view", "show"), ("tell", "show"),
    ("remove", "delete"), ("erase", "delete"), ("rid", "delete"), ("rm", "delete"), ("drop", "delete"), ("search", "find"), ("look", "find"), ("locate", "find"), ("substitute", "replace"), ("change", "replace"), ("here", "current"), ("working", "current"), ("present", "current"),
    ("calculate", "count"), ("number", "count"), ("many", "count"), ("total", "sum"), ("larger", "bigger"), ("greater", "bigger"), ("more", "bigger"), ("over", "bigger"), ("exceed", "bigger"), ("above", "bigger"), ("largest", "biggest"), ("less", "smaller"), ("under", "below"), ("beneath", "below"), ("underneath", "below"),
    ("inside", "in"), ("within", "in"), ("into", "to"), ("make", "create"), ("extract", "unpack"), ("untar", "unpack"), ("archive", "pack"), ("pack", "pack"), ("compress", "pack"), ("symlink", "link"), ("symbolic", "link"), ("soft", "link"), ("past", "last"), ("previous", "last"), ("modify", "modified"), ("modifi", "modified"),
    ("megabyte", "mb"), ("mbyte", "mb"), ("mib", "mb"), ("meg", "mb"), ("m", "mb"), ("kilobyte", "kb"), ("kib", "kb"), ("k", "kb"), ("gigabyte", "gb"), ("gib", "gb"), ("gig", "gb"), ("g", "gb"), ("byte", "b"), ("hrs", "hour"), ("min", "minute"), ("hr", "hour"), ("sec", "second"), ("filename", "name"), ("called", "name"), ("call", "name"), ("named", "name"),
    ("recursive", "recursively"), ("contain", "with"), ("containing", "with"), ("has", "with"), ("have", "with"), ("hav", "with"), ("having", "with"), ("regular", "file"), ("normal", "file"), ("user", "user"), ("owner", "own"), ("owned", "own"), ("belong", "own"), ("without", "not"), ("except", "not"), ("exclud", "not"), ("excluding", "not"), ("ignore", "not"), ("ignoring", "not"), ("skip", "not"), ("omit", "not"), ("no", "not"),
    ("uppercase", "upper"), ("capital", "upper"), ("lowercase", "lower"), ("executable", "execut"), ("process", "process"), ("each", "all"), ("every", "all"), ("any", "all"), ("start", "begin"), ("end", "end"), ("extension", "extension"), ("suffix", "extension"),
];

/// Words that carry nothing.
const EMPTY: &[&str] = &["the", "a", "an", "of", "me", "my", "is", "are", "be", "that", "which", "this", "it", "its", "please", "i", "you", "there", "to", "their", "them", "as", "do", "does", "what", "on", "at", "for", "by", "and", "these", "those", "whose", "was", "were", "will", "would", "can", "could", "also", "using", "us", "use"];

fn is_number(w: &str) -> bool {
    !w.is_empty() && w.len() < 12 && w.bytes().all(|b| b.is_ascii_digit())
}

/// `10MB`, `+7`, `5th`: the number, and what follows it.
fn number_with_unit(w: &str) -> Option<(&str, &str)> {
    let w = w.strip_prefix(['+', '-']).unwrap_or(w);
    let end = w.find(|c: char| !c.is_ascii_digit()).unwrap_or(w.len());
    let (digits, rest) = w.split_at(end);
    (is_number(digits) && rest.len() <= 5 && rest.bytes().all(|b| b.is_ascii_alphabetic())).then_some((digits, rest))
}

/// The ending that a pattern means: `*.txt`, `.txt`.
fn ending_of(w: &str) -> Option<&str> {
    let e = w.strip_prefix("*.").or_else(|| w.strip_prefix('.').filter(|e| ENDINGS.contains(&e.to_lowercase().as_str())))?;
    (!e.is_empty() && e.len() <= 8 && e.bytes().all(|b| b.is_ascii_alphanumeric())).then_some(e)
}

/// Whether a word is written like a file's name or a path.
pub fn looks_like_path(w: &str) -> bool {
    if w.len() < 2 || w.contains(char::is_whitespace) || w.contains("://") {
        return w == "/" || w == "~";
    }
    if w.starts_with('/') || w.starts_with("~/") || w.starts_with("./") || w.starts_with("../") || w == ".." {
        return !w.contains(['*', '?', '[']);
    }
    if w.contains('/') {
        return w.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-+~".contains(&b)) && !w.bytes().all(|b| b.is_ascii_digit() || b == b'/');
    }
    w.split_once('.').is_some_and(|(a, b)| !a.is_empty() && !b.is_empty() && b.len() <= 12 && w.bytes().all(|c| c.is_ascii_alphanumeric() || b"._-+".contains(&c)) && b.bytes().any(|c| c.is_ascii_alphabetic()))
}

fn stem(w: &str) -> String {
    let s = text::stem(w);
    SAME.iter().find(|(a, _)| *a == s || *a == w).map_or(s, |(_, b)| (*b).to_owned())
}

/// The pieces of `text`. `is_name` decides about words that are no known ones; `exists` about those that name a file.
pub fn pieces(text: &str, is_name: &dyn Fn(&str) -> bool, exists: &dyn Fn(&str) -> bool) -> Vec<Piece> {
    let tokens = text::strip_politeness(text::tokenize(text));
    let mut out = Vec::new();
    for (i, t) in tokens.iter().enumerate() {
        let raw = t.raw.as_str();
        if let Some(e) = ending_of(raw) {
            out.push(Piece::Value(Sort::Ending, e.to_owned()));
            continue;
        }
        if looks_like_path(raw) || (exists(raw) && (t.quoted || !raw.bytes().all(|b| b.is_ascii_alphabetic()) || is_name(&t.norm) || in_place(&tokens, i))) {
            out.push(Piece::Value(Sort::Path, raw.to_owned()));
            continue;
        }
        if t.quoted {
            out.push(match number_with_unit(raw) {
                Some((n, "")) => Piece::Value(Sort::Number, n.to_owned()),
                _ => Piece::Value(Sort::Text, raw.to_owned()),
            });
            continue;
        }
        if let Some((n, unit)) = number_with_unit(&t.norm) {
            out.push(Piece::Value(Sort::Number, n.to_owned()));
            if !unit.is_empty() && !matches!(unit, "th" | "st" | "nd" | "rd") {
                out.push(Piece::Word(stem(unit)));
            }
            continue;
        }
        let lower = t.norm.trim_start_matches('-');
        let next = tokens.get(i + 1).map(|n| n.norm.as_str());
        let kind = KINDS.iter().find(|(k, _)| *k == lower).filter(|_| matches!(next, Some("file" | "files" | "script" | "scripts" | "source" | "sources"))).map(|(_, e)| *e);
        let bare = ENDINGS.contains(&lower) && (lower.len() > 2 || matches!(next, Some("file" | "files")) || i.checked_sub(1).is_some_and(|p| matches!(tokens[p].norm.as_str(), "extension" | "suffix")));
        if let Some(e) = kind.or(bare.then_some(lower)) {
            out.push(Piece::Value(Sort::Ending, e.to_owned()));
            continue;
        }
        if EMPTY.contains(&lower) || lower.is_empty() {
            continue;
        }
        let shape = raw.bytes().any(|b| b"$_=<>|&*?[]{}^\\%@:".contains(&b)) || (raw.len() > 1 && raw.bytes().all(|b| b.is_ascii_uppercase()));
        if shape || is_name(lower) {
            out.push(Piece::Value(Sort::Text, raw.to_owned()));
        } else {
            out.push(Piece::Word(stem(lower)));
        }
    }
    out
}

/// After a word of place, or before one for a directory: "in docs", "docs folder".
fn in_place(tokens: &[text::Token], i: usize) -> bool {
    let place = |w: &str| matches!(w, "in" | "inside" | "under" | "below" | "within" | "from" | "to" | "into" | "directory" | "folder" | "dir" | "of");
    let mut before = i;
    while before > 0 && matches!(tokens[before - 1].norm.as_str(), "the" | "my" | "a") {
        before -= 1;
    }
    before > 0 && place(&tokens[before - 1].norm) || tokens.get(i + 1).is_some_and(|t| matches!(t.norm.as_str(), "folder" | "directory" | "dir"))
}

/// Units, which must be the same in a request and what is adapted to it.
pub const UNITS: &[&str] = &["b", "kb", "mb", "gb", "tb", "second", "minute", "hour", "day", "week", "month", "year", "block", "word", "line"];

/// What is compared: single words and neighbours, values by their sort.
pub fn features(pieces: &[Piece]) -> Vec<String> {
    let words: Vec<String> = pieces
        .iter()
        .map(|p| match p {
            Piece::Word(w) => w.clone(),
            Piece::Value(s, _) => format!("<{}>", s.letter()),
        })
        .collect();
    let mut out: Vec<String> = words.clone();
    out.extend(words.windows(2).map(|w| format!("{} {}", w[0], w[1])));
    out.sort_unstable();
    out.dedup();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_told_from_words() {
        let known = |w: &str| !matches!(w, "foo" | "bar");
        let got = pieces("Replace foo by \"b c\" in all .txt files under /etc larger than 10MB", &|w| !known(w), &|_| false);
        let values: Vec<_> = got.iter().filter_map(|p| if let Piece::Value(s, v) = p { Some((*s, v.as_str())) } else { None }).collect();
        assert_eq!(values, [(Sort::Text, "foo"), (Sort::Text, "b c"), (Sort::Ending, "txt"), (Sort::Path, "/etc"), (Sort::Number, "10")]);
        assert!(got.contains(&Piece::Word("mb".into())));
    }
}
