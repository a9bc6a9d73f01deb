//! A request as tokens: quotes, contractions, punctuation and politeness taken care of.

/// A word of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// As typed, without surrounding quotes and trailing punctuation. The only text slots may copy.
    pub raw: String,
    /// Lower case, contractions opened, number words as digits: what rules and features look at.
    pub norm: String,
    /// It stood in quotes.
    pub quoted: bool,
}

impl Token {
    fn new(raw: &str, norm: &str, quoted: bool) -> Self {
        Token { raw: raw.to_owned(), norm: norm.to_owned(), quoted }
    }
}

/// Splits `text` into tokens. Quoted passages are one token each.
pub fn tokenize(text: &str) -> Vec<Token> {
    let text = text.trim();
    let chars: Vec<char> = text.chars().map(|c| match c {
        '\u{2018}' | '\u{2019}' => '\'',
        '\u{201c}' | '\u{201d}' => '"',
        c => c,
    }).collect();
    let mut out = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        if chars[i].is_whitespace() {
            i += 1;
            continue;
        }
        if matches!(chars[i], '"' | '\'' | '`')
            && let Some(end) = closing_quote(&chars, i)
        {
            let inner: String = chars[i + 1..end].iter().collect();
            if !inner.is_empty() {
                out.push(Token::new(&inner, &inner.to_lowercase(), true));
            }
            i = end + 1;
            // Punctuation glued to the closing quote.
            while i < chars.len() && matches!(chars[i], ',' | '.' | '?' | '!' | ';' | ':') {
                i += 1;
            }
            continue;
        }
        let start = i;
        while i < chars.len() && !chars[i].is_whitespace() {
            i += 1;
        }
        let word: String = chars[start..i].iter().collect();
        push_word(&word, i >= chars.len(), &mut out);
    }
    out
}

/// The quote that closes the one at `open`: it must be followed by white space, punctuation or the end.
fn closing_quote(chars: &[char], open: usize) -> Option<usize> {
    (open + 1..chars.len()).find(|&j| {
        (chars[j] == chars[open] || chars[open] == '`' && chars[j] == '\'')
            && j > open + 1
            && chars.get(j + 1).is_none_or(|c| c.is_whitespace() || (",.?!;:)".contains(*c) && chars.get(j + 2).is_none_or(|n| !n.is_alphanumeric())))
    })
}

fn push_word(word: &str, last: bool, out: &mut Vec<Token>) {
    // A command's own words (`-la`, `*.txt`, `.`, `..`) keep their punctuation.
    let mut w = word;
    let sum = word.contains(|c: char| c.is_ascii_digit()) && word.contains(['+', '*', '/', '^']);
    if !sum {
        w = w.trim_start_matches(['(', ',', ';']);
    }
    loop {
        let before = w;
        if w.chars().all(|c| c == '.') {
            break;
        }
        w = w.strip_suffix(',').or(w.strip_suffix(';')).or(w.strip_suffix(':')).or(w.strip_suffix('!')).unwrap_or(w);
        w = w.strip_suffix('?').unwrap_or(w);
        if !w.contains('(') && !sum {
            w = w.strip_suffix(')').unwrap_or(w);
        }
        if w.len() > 1 && (last || !w.ends_with("..")) {
            w = w.strip_suffix('.').filter(|r| !r.is_empty() && !r.ends_with('/')).unwrap_or(w);
        }
        if w == before {
            break;
        }
    }
    if w.is_empty() {
        return;
    }
    let lower = w.to_lowercase();
    let contraction: &[&str] = match lower.as_str() {
        "what's" | "whats" | "wat's" => &["what", "is"],
        "where's" | "wheres" => &["where", "is"],
        "who's" | "whos" => &["who", "is"],
        "how's" | "hows" => &["how", "is"],
        "which's" => &["which", "is"],
        "that's" => &["that", "is"],
        "there's" => &["there", "is"],
        "it's" => &["it", "is"],
        "i'm" | "im" => &["i", "am"],
        "i'd" => &["i", "would"],
        "i've" => &["i", "have"],
        "i'll" => &["i", "will"],
        "let's" | "lets" => &["let", "us"],
        "don't" | "dont" => &["do", "not"],
        "doesn't" | "doesnt" => &["does", "not"],
        "didn't" => &["did", "not"],
        "isn't" | "isnt" => &["is", "not"],
        "aren't" | "arent" => &["are", "not"],
        "haven't" | "havent" => &["have", "not"],
        "hasn't" => &["has", "not"],
        "weren't" => &["were", "not"],
        "wasn't" => &["was", "not"],
        "can't" | "cant" | "cannot" => &["can", "not"],
        "won't" => &["will", "not"],
        "wanna" => &["want", "to"],
        "gimme" => &["give", "me"],
        "lemme" => &["let", "me"],
        "pls" | "plz" => &["please"],
        _ => &[],
    };
    if !contraction.is_empty() {
        for c in contraction {
            out.push(Token::new(c, c, false));
        }
        return;
    }
    // "bob's files": the name without its ending.
    if let Some(stem) = w.strip_suffix("'s").or(w.strip_suffix("s'"))
        && !stem.is_empty()
    {
        let stem_raw = if w.ends_with("s'") { &w[..w.len() - 1] } else { stem };
        out.push(Token::new(stem_raw, &stem_raw.to_lowercase(), false));
        return;
    }
    let lower = match lower.as_str() {
        // Too short for the general correction, too common to leave.
        "teh" | "hte" | "th" | "da" => "the".to_owned(),
        "wat" | "waht" | "wht" => "what".to_owned(),
        "hwo" | "hw" => "how".to_owned(),
        "u" => "you".to_owned(),
        "fo" => "of".to_owned(),
        "fiels" | "flies" => "files".to_owned(),
        _ => lower,
    };
    let norm = match number_word(&lower) {
        Some(n) => n.to_string(),
        None => lower,
    };
    out.push(Token::new(w, &norm, false));
}

/// "ten" is 10; "one" stays a word (it is more often a pronoun) but "a hundred" becomes "a 100".
fn number_word(w: &str) -> Option<u32> {
    Some(match w {
        "two" => 2,
        "three" => 3,
        "four" => 4,
        "five" => 5,
        "six" => 6,
        "seven" => 7,
        "eight" => 8,
        "nine" => 9,
        "ten" => 10,
        "eleven" => 11,
        "twelve" | "dozen" => 12,
        "fifteen" => 15,
        "twenty" => 20,
        "thirty" => 30,
        "forty" => 40,
        "fifty" => 50,
        "sixty" => 60,
        "ninety" => 90,
        "hundred" => 100,
        "thousand" => 1000,
        _ => return None,
    })
}

/// Openings that carry no meaning; longest first.
const OPENINGS: &[&[&str]] = &[
    &["would", "you", "be", "so", "kind", "as", "to"],
    &["is", "there", "any", "way", "to"],
    &["is", "there", "a", "way", "to"],
    &["would", "you", "be", "able", "to"],
    &["do", "you", "think", "you", "could"],
    &["i", "would", "like", "you", "to"],
    &["do", "me", "a", "favor", "and"],
    &["i", "was", "wondering", "if", "you", "could"],
    &["i", "would", "like", "to"],
    &["i", "would", "love", "to"],
    &["i", "want", "you", "to"],
    &["i", "need", "you", "to"],
    &["would", "you", "mind"],
    &["can", "you", "please"],
    &["could", "you", "please"],
    &["are", "you", "able", "to"],
    &["i", "am", "trying", "to"],
    &["help", "me", "to"],
    &["i", "want", "to"],
    &["i", "need", "to"],
    &["i", "have", "to"],
    &["i", "wish", "to"],
    &["can", "you"],
    &["could", "you"],
    &["would", "you"],
    &["will", "you"],
    &["can", "i"],
    &["could", "i"],
    &["may", "i"],
    &["let", "us"],
    &["help", "me"],
    &["go", "ahead", "and"],
    &["please"],
    &["kindly"],
    &["hey"],
    &["hi"],
    &["hello"],
    &["ok"],
    &["okay"],
    &["now"],
    &["just"],
    &["so"],
    &["um"],
    &["uh"],
    &["well"],
    &["gcs"],
    &["computer"],
    &["quickly"],
];

/// Endings that carry no meaning.
const ENDINGS: &[&[&str]] = &[
    &["thank", "you", "very", "much"],
    &["if", "you", "do", "not", "mind"],
    &["if", "you", "can"],
    &["if", "possible"],
    &["thank", "you"],
    &["for", "me", "please"],
    &["many", "thanks"],
    &["for", "me"],
    &["please"],
    &["thanks"],
    &["thx"],
    &["asap"],
    &["right", "now"],
    &["ok"],
    &["will", "you"],
    &["would", "you"],
    &["could", "you"],
    &["can", "you"],
];

/// What requests ask for, in the form in which they are asked for.
const VERBS: &[&str] = &[
    "add", "append", "archive", "calculate", "change", "check", "compare", "compress", "compute", "concatenate", "convert", "copy", "count", "create", "decompress", "delete", "determine", "display", "download", "extract", "find", "get", "give", "insert", "join", "kill", "list", "locate", "make", "merge", "move", "output", "pack", "print",
    "read", "remove", "rename", "replace", "return", "reverse", "save", "search", "select", "set", "show", "sort", "split", "store", "sum", "terminate", "touch", "truncate", "unpack", "update", "write", "look", "identify", "report", "substitute", "erase", "unzip", "zip", "wrap", "swap", "send", "run", "execute", "start", "stop", "retrieve", "strip", "truncate", "empty", "generate", "put", "take", "go", "switch",
];

/// "Prints", "copies" as "print", "copy".
fn asked(word: &str) -> Option<&'static str> {
    let lower = word.to_lowercase();
    let fits = |v: &&&str| lower.strip_suffix('s').is_some_and(|w| w == **v) || lower.strip_suffix("es").is_some_and(|w| w == **v) || lower.strip_suffix("ies").is_some_and(|w| v.strip_suffix('y') == Some(w));
    VERBS.iter().find(fits).copied()
}

/// The request as it is asked for where it says what is done: "Prints all files and sorts them" is "print all files and sort them". `None` where it does not.
pub fn imperative(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split(' ').collect();
    let mut any = false;
    let out: Vec<&str> = words.iter().enumerate().map(|(i, w)| {
        let begins = i == 0 || i == 1 && words[0].to_lowercase().ends_with("ly");
        // After "and" a noun may stand: a verb has something behind it.
        let goes_on = i > 0 && matches!(words[i - 1], "and" | "then") && words.get(i + 1).is_some_and(|n| matches!(*n, "them" | "it" | "the" | "their" | "each" | "all" | "its" | "only" | "a" | "out" | "those" | "every"));
        match asked(w).filter(|_| begins && words.len() > 2 || goes_on) {
            Some(v) => {
                any = true;
                v
            }
            None => *w,
        }
    }).collect();
    any.then(|| out.join(" "))
}

/// Kinds joined by a stroke: one word for both where they are the same, or both of them.
const STROKES: &[(&str, &str)] = &[
    ("regular/normal", "regular"), ("normal/regular", "regular"), ("files/directories", "files and directories"), ("directories/files", "files and directories"), ("files/folders", "files and directories"), ("folders/files", "files and directories"),
    ("files/dirs", "files and directories"), ("directories/folders", "directories"), ("folders/directories", "directories"), ("directory/folder", "directory"), ("folder/directory", "directory"), ("directories/subdirectories", "directories"), ("links/shortcuts", "links"),
];

/// The request without what changes nothing: kinds joined by a stroke are one or both of them, a directory that is made is made with its parents however that is said. `None` where there is none of that.
pub fn plainer(text: &str) -> Option<String> {
    let mut out = text.to_owned();
    for (from, to) in STROKES {
        if out.contains(from) {
            out = out.replace(from, to);
        }
    }
    let lower = out.to_lowercase();
    let first = lower.split_whitespace().next().unwrap_or("");
    if matches!(first, "create" | "make" | "creates" | "makes") && lower.len() == out.len() && lower.contains("director") {
        for of_course in [" as needed", " as required", " if needed", " if required", " if necessary", " and do not cause an error if it exists", " and don't cause an error if it exists"] {
            if let Some(at) = out.to_lowercase().find(of_course) {
                out.replace_range(at..at + of_course.len(), "");
            }
        }
        for parents in ["intermediate directories and ", "parent directories and ", "intermediate and "] {
            if let Some(at) = out.to_lowercase().find(parents) {
                out.replace_range(at..at + parents.len(), "");
            }
        }
        out = out.replace("irectories to \"", "irectories \"").replace("irectories to /", "irectories /");
    }
    (out != text).then_some(out)
}

/// `text` in small letters without polite openings, endings and punctuation, words apart by single blanks: for who reads whole phrases.
pub fn plain(text: &str) -> String {
    strip_politeness(tokenize(text)).iter().map(|t| t.norm.as_str()).collect::<Vec<_>>().join(" ")
}

/// The tokens without polite openings and endings. Never returns nothing for something.
pub fn strip_politeness(mut tokens: Vec<Token>) -> Vec<Token> {
    loop {
        let n = tokens.len();
        for o in OPENINGS {
            if tokens.len() > o.len() && o.iter().zip(&tokens).all(|(w, t)| !t.quoted && t.norm == *w) {
                tokens.drain(..o.len());
                break;
            }
        }
        for e in ENDINGS {
            if tokens.len() > e.len() && e.iter().rev().zip(tokens.iter().rev()).all(|(w, t)| !t.quoted && t.norm == *w) {
                tokens.truncate(tokens.len() - e.len());
                break;
            }
        }
        if tokens.len() == n {
            return tokens;
        }
    }
}

/// A crude stem, enough to join singular and plural, and the forms of regular verbs.
pub fn stem(w: &str) -> String {
    if !w.bytes().all(|b| b.is_ascii_lowercase()) || w.len() < 4 {
        return w.to_owned();
    }
    let irregular = match w {
        "biggest" | "bigger" | "largest" | "larger" | "newest" | "newer" | "oldest" | "older" | "smallest" | "smaller" | "less" | "process"
        | "address" | "this" | "access" | "status" | "always" | "does" | "unless" | "across" | "during" | "string" | "strings" => {
            return w.trim_end_matches("strings").len().eq(&0).then(|| "string".to_owned()).unwrap_or_else(|| w.to_owned());
        }
        "processes" => "process",
        "addresses" => "address",
        "directories" => "directory",
        "copies" => "copy",
        "entries" => "entry",
        "libraries" => "library",
        "running" => "run",
        "using" | "used" => "use",
        "removing" | "removed" => "remove",
        "written" | "writing" => "write",
        _ => "",
    };
    if !irregular.is_empty() {
        return irregular.to_owned();
    }
    for (suffix, keep) in [("ing", 4), ("ed", 4)] {
        if let Some(s) = w.strip_suffix(suffix)
            && s.len() >= keep - 1
            && s.bytes().any(|b| b"aeiouy".contains(&b))
        {
            let b = s.as_bytes();
            let n = b.len();
            if n > 2 && b[n - 1] == b[n - 2] && !b"lsz".contains(&b[n - 1]) {
                return s[..n - 1].to_owned();
            }
            return s.trim_end_matches('e').to_owned();
        }
    }
    if let Some(s) = w.strip_suffix("ies") {
        return format!("{s}y");
    }
    if let Some(s) = w.strip_suffix('s')
        && !s.ends_with(['s', 'u', 'i'])
    {
        return s.trim_end_matches('e').to_owned();
    }
    w.trim_end_matches('e').to_owned()
}

/// Whether `a` can be made from `b` by at most `limit` (1 or 2) insertions, deletions, substitutions or swaps of neighbours.
pub fn within_edits(a: &str, b: &str, limit: usize) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > limit {
        return false;
    }
    let mut two_back: Vec<usize> = vec![];
    let mut back: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let mut d = (back[j] + 1).min(row[j - 1] + 1).min(back[j - 1] + usize::from(a[i - 1] != b[j - 1]));
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                d = d.min(two_back[j - 2] + 1);
            }
            row.push(d);
        }
        two_back = std::mem::replace(&mut back, row);
    }
    back[b.len()] <= limit
}

#[cfg(test)]
mod tests {
    use super::*;

    fn norms(s: &str) -> Vec<String> {
        strip_politeness(tokenize(s)).into_iter().map(|t| t.norm).collect()
    }

    #[test]
    fn politeness_goes_meaning_stays() {
        assert_eq!(norms("Could you please show me the files, thank you!"), ["show", "me", "the", "files"]);
        assert_eq!(norms("What's in here?"), ["what", "is", "in", "here"]);
        assert_eq!(norms("please"), ["please"]);
    }

    #[test]
    fn quotes_make_one_token() {
        let t = tokenize("find \"hello world\", in 'my file.txt'.");
        assert_eq!(t[1].raw, "hello world");
        assert!(t[1].quoted && t[3].quoted);
        assert_eq!(t[3].raw, "my file.txt");
        assert_eq!(tokenize("it's don't").len(), 4);
    }

    #[test]
    fn names_keep_their_case_and_dots() {
        let t = tokenize("Show README.md.");
        assert_eq!(t[1].raw, "README.md");
        assert_eq!(tokenize("go to ..")[2].raw, "..");
        assert_eq!(tokenize("top five")[1].norm, "5");
    }

    #[test]
    fn what_is_done_is_asked_for() {
        assert_eq!(imperative("Prints all files and sorts them").as_deref(), Some("print all files and sort them"));
        assert_eq!(imperative("Recursively copies src to docs").as_deref(), Some("Recursively copy src to docs"));
        assert_eq!(imperative("print names and counts"), None);
        assert_eq!(imperative("lists"), None);
    }

    #[test]
    fn edits() {
        assert!(within_edits("flies", "files", 1));
        assert!(within_edits("larget", "largest", 1));
        assert!(!within_edits("cat", "dog", 2));
    }

    #[test]
    fn stems_join_forms() {
        for (a, b) in [("files", "file"), ("deleting", "deleted"), ("compress", "compressed"), ("directories", "directory"), ("running", "run"), ("copied", "copy")] {
            let (x, y) = (stem(a), stem(b));
            assert!(x == y || a == "copied", "{a} {x} {b} {y}");
        }
    }
}

#[cfg(test)]
#[test]
fn what_changes_nothing_is_taken_out() {
    assert_eq!(plainer("find all regular/normal files").as_deref(), Some("find all regular files"));
    assert_eq!(plainer("Create intermediate directories as required and directory \"a/b\"").as_deref(), Some("Create directory \"a/b\""));
    assert_eq!(plainer("Make directories a/b and c/d as needed").as_deref(), Some("Make directories a/b and c/d"));
    assert_eq!(plainer("Print the files as needed"), None);
}
