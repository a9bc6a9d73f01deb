//! Text inside files.

use actions::quote::{quote, quote_path};

use super::filter::filter;
use super::{Intent, Outcome, Unfilled, built};
use crate::entity::Kind;
use crate::request::Request;

const WHICH: Unfilled = Unfilled::Missing("Which file?");
const WHAT: Unfilled = Unfilled::Missing("Which text? Put it in quotes.");

pub(super) const INTENTS: &[Intent] = &[
    Intent { id: "file.show", about: "show what is in a file", example: "show me the content of notes.txt", build: show },
    Intent { id: "file.page", about: "read a file page by page", example: "page through big.log", build: page },
    Intent { id: "file.edit", about: "edit a file", example: "edit notes.txt", build: edit },
    Intent { id: "file.head", about: "the first lines of a file", example: "first 20 lines of notes.txt", build: head },
    Intent { id: "file.tail", about: "the last lines of a file", example: "last 50 lines of app.log", build: tail },
    Intent { id: "file.follow", about: "watch a file grow", example: "follow app.log as it grows", build: follow },
    Intent { id: "file.lines", about: "some lines of a file", example: "show lines 10 to 20 of notes.txt", build: lines },
    Intent { id: "file.count_lines", about: "count lines", example: "how many lines does notes.txt have", build: count_lines },
    Intent { id: "file.count_words", about: "count words", example: "count the words in essay.txt", build: count_words },
    Intent { id: "file.count_chars", about: "count characters", example: "how many characters are in notes.txt", build: count_chars },
    Intent { id: "file.diff", about: "compare two files", example: "what is different between a.txt and b.txt", build: diff },
    Intent { id: "file.longest_line", about: "the longest line of a file", example: "what is the longest line in notes.txt", build: longest },
    Intent { id: "text.search", about: "find lines with a text", example: "search for \"TODO\" in all python files", build: search },
    Intent { id: "text.search_files", about: "which files hold a text", example: "which files contain the word password", build: search_files },
    Intent { id: "text.search_not", about: "lines or files without a text", example: "show the lines of app.log without DEBUG", build: search_not },
    Intent { id: "text.count_matches", about: "how often a text occurs", example: "how many times does error appear in app.log", build: count_matches },
    Intent { id: "text.replace", about: "replace a text in files", example: "replace foo with bar in notes.txt", build: replace },
    Intent { id: "text.sort", about: "sort lines", example: "sort names.txt alphabetically", build: sort },
    Intent { id: "text.unique", about: "each different line once", example: "remove duplicate lines from names.txt", build: unique },
    Intent { id: "text.dup_lines", about: "lines that occur more than once", example: "which lines are repeated in names.txt", build: dup_lines },
    Intent { id: "text.freq", about: "the most frequent lines or words", example: "most common words in essay.txt", build: freq },
    Intent { id: "text.column", about: "one column of a table", example: "print the second column of data.csv", build: column },
    Intent { id: "text.sum", about: "add up a column of numbers", example: "sum the third column of data.csv", build: sum },
    Intent { id: "text.delete_lines", about: "take lines out of a file", example: "delete all lines containing foo from notes.txt", build: delete_lines },
    Intent { id: "text.blank_lines", about: "take empty lines out of a file", example: "remove the blank lines from notes.txt", build: blank_lines },
    Intent { id: "text.number", about: "show a file with line numbers", example: "show notes.txt with line numbers", build: number },
    Intent { id: "text.case", about: "all upper or lower case", example: "convert notes.txt to uppercase", build: case },
    Intent { id: "text.reverse", about: "lines in reverse order", example: "print notes.txt backwards", build: reverse },
    Intent { id: "text.join", about: "put files together into one", example: "merge a.txt and b.txt into c.txt", build: join },
    Intent { id: "text.append", about: "add a line to a file", example: "add the line \"hello\" to notes.txt", build: append },
    Intent { id: "text.sequence", about: "numbers in order", example: "print the numbers from 1 to 10", build: sequence },
    Intent { id: "text.shuffle", about: "lines in random order, or a random line", example: "pick a random line from names.txt", build: shuffle },
    Intent { id: "text.common", about: "lines that two files share", example: "which lines are in both a.txt and b.txt", build: common },
    Intent { id: "text.trim", about: "remove trailing spaces or Windows line ends", example: "remove trailing whitespace from main.py", build: trim },
];

fn file(r: &Request<'_>) -> Result<String, Unfilled> {
    r.file().ok_or(WHICH)
}

fn show(r: &Request<'_>) -> Outcome {
    let mut all = vec![file(r)?];
    if super::archives::is_archive(&all[0]) {
        r.reset();
        return super::archives::list(r);
    }
    while let Some(p) = r.take(|k| if let Kind::Path(p) = k { Some(p.clone()) } else { None }) {
        all.push(p);
    }
    if let [one] = &mut all[..]
        && !one.contains('/')
        && let Some(d) = r.dir().filter(|d| d != "." && *d != *one)
    {
        *one = format!("{}/{one}", d.trim_end_matches('/'));
    }
    let q: Vec<String> = all.iter().map(|f| quote_path(f)).collect();
    built(format!("cat -- {}", q.join(" ")), format!("Prints {}.", all.join(" and ")))
}

fn page(r: &Request<'_>) -> Outcome {
    let f = file(r)?;
    built(format!("less -- {}", quote_path(&f)), format!("Shows {f} page by page; q leaves."))
}

fn edit(r: &Request<'_>) -> Outcome {
    let f = file(r)?;
    let editor = ["vim", "vi", "emacs"].into_iter().find(|e| r.has(&[e])).unwrap_or("nano");
    built(format!("{editor} {}", quote_path(&f)), format!("Opens {f} in the editor {editor}."))
}

fn head(r: &Request<'_>) -> Outcome {
    let n = r.num();
    let f = file(r)?;
    if n.is_none() && r.has(&["line"]) {
        return built(format!("head -n 1 -- {}", quote_path(&f)), format!("Prints the first line of {f}."));
    }
    let n = n.unwrap_or(10);
    if r.has(&["bytes", "byte", "characters", "chars"]) {
        return built(format!("head -c {n} -- {}", quote_path(&f)), format!("Prints the first {n} bytes of {f}."));
    }
    built(format!("head -n {n} -- {}", quote_path(&f)), format!("Prints the first {n} lines of {f}."))
}

fn tail(r: &Request<'_>) -> Outcome {
    let n = r.num();
    let f = file(r)?;
    let n = n.unwrap_or(if r.has(&["line"]) { 1 } else { 10 });
    built(format!("tail -n {n} -- {}", quote_path(&f)), format!("Prints the last {n} line{} of {f}.", if n == 1 { "" } else { "s" }))
}

fn follow(r: &Request<'_>) -> Outcome {
    let f = file(r)?;
    built(format!("tail -f -- {}", quote_path(&f)), format!("Prints the end of {f} and each line that is added; Ctrl-C ends it."))
}

fn lines(r: &Request<'_>) -> Outcome {
    let a = r.num().ok_or(Unfilled::Missing("Which lines?"))?;
    let range = r.num();
    let f = file(r)?;
    match range {
        Some(b) => built(format!("sed -n '{},{}p' -- {}", a.min(b), a.max(b), quote_path(&f)), format!("Prints lines {a} to {b} of {f}.")),
        None => built(format!("sed -n '{a}p' -- {}", quote_path(&f)), format!("Prints line {a} of {f}.")),
    }
}

fn counted(r: &Request<'_>, option: &str, what: &str) -> Outcome {
    if r.entities.iter().any(|e| matches!(e.kind, Kind::Ext(..) | Kind::Glob(_))) {
        let f = filter(r);
        let total = r.has(&["total", "together", "altogether", "all", "how", "sum"]) && !r.has(&["each", "every", "per"]);
        if total {
            return built(format!("{} -exec cat {{}} + | wc {option}", f.find()), format!("Counts the {what} of all {} together.", f.describe()));
        }
        return built(format!("{} -exec wc {option} {{}} +", f.find()), format!("Counts the {what} of the {}.", f.describe()));
    }
    let files: Vec<String> = std::iter::from_fn(|| r.take(|k| if let Kind::Path(p) = k { Some(p.clone()) } else { None })).collect();
    let files = if files.is_empty() { vec![file(r)?] } else { files };
    let q: Vec<String> = files.iter().map(|f| quote_path(f)).collect();
    built(format!("wc {option} -- {}", q.join(" ")), format!("Counts the {what} of {}.", files.join(" and ")))
}

fn count_lines(r: &Request<'_>) -> Outcome {
    counted(r, "-l", "lines")
}

fn count_words(r: &Request<'_>) -> Outcome {
    counted(r, "-w", "words")
}

fn count_chars(r: &Request<'_>) -> Outcome {
    counted(r, if r.has(&["bytes", "byte"]) { "-c" } else { "-m" }, if r.has(&["bytes", "byte"]) { "bytes" } else { "characters" })
}

fn both(r: &Request<'_>) -> Result<(String, String), Unfilled> {
    let mut names: Vec<String> = Vec::new();
    while names.len() < 2 {
        let next = r.take(|k| match k {
            Kind::Path(p) | Kind::Quoted(p) | Kind::Dir(p) => Some(p.clone()),
            _ => None,
        });
        match next.or_else(|| r.existing_word()).or_else(|| r.any_unknown()) {
            Some(n) => names.push(n),
            None => return Err(Unfilled::Missing("Which two files?")),
        }
    }
    Ok((names[0].clone(), names[1].clone()))
}

fn diff(r: &Request<'_>) -> Outcome {
    let (a, b) = both(r)?;
    let (qa, qb) = (quote_path(&a), quote_path(&b));
    if r.has(&["same", "identical", "equal"]) {
        return built(format!("cmp -- {qa} {qb} && echo identical"), format!("Says whether {a} and {b} have the same content."));
    }
    if r.has_phrase(&["side", "by", "side"]) {
        return built(format!("diff -y -- {qa} {qb}"), format!("Shows {a} and {b} side by side."));
    }
    built(format!("diff -u -- {qa} {qb}"), format!("Shows what differs between {a} and {b}."))
}

fn longest(r: &Request<'_>) -> Outcome {
    let f = file(r)?;
    built(
        format!("awk 'length($0) > n {{n = length($0); line = $0}} END {{print n \": \" line}}' {}", quote_path(&f)),
        format!("Prints the longest line of {f} and its length."),
    )
}

/// Where to look: a file, files of a kind, a directory.
struct Place {
    /// Arguments after the pattern.
    args: String,
    /// Needs `-r`.
    recursive: bool,
    words: String,
}

fn place(r: &Request<'_>) -> Place {
    let mut include = String::new();
    let mut kinds: Vec<String> = Vec::new();
    while let Some(p) = r.take(|k| match k {
        Kind::Ext(p, _) => Some(p.clone()),
        Kind::Glob(g) => Some(vec![g.clone()]),
        _ => None,
    }) {
        for p in p {
            include.push_str(&format!(" --include='{p}'"));
            kinds.push(p);
        }
    }
    let files: Vec<String> = std::iter::from_fn(|| r.take(|k| match k {
        Kind::Path(p) => Some(p.clone()),
        _ => None,
    }))
    .collect();
    if !files.is_empty() && kinds.is_empty() {
        let dirs = files.iter().any(|f| r.world.exists(f) == Some(crate::world::Exists::Dir) || f.ends_with('/') || (r.world.exists(f).is_none() && f.starts_with('/') && !f.rsplit('/').next().unwrap_or("").contains('.')));
        let q: Vec<String> = files.iter().map(|f| quote_path(f)).collect();
        return Place { args: format!(" {}", q.join(" ")), recursive: dirs, words: format!("in {}", files.join(" and ")) };
    }
    let dir = r.dir();
    if dir.is_none()
        && kinds.is_empty()
        && let Some(f) = r.existing_word()
    {
        let d = r.world.exists(&f) == Some(crate::world::Exists::Dir);
        return Place { args: format!(" {}", quote_path(&f)), recursive: d, words: format!("in {f}") };
    }
    let dir = dir.unwrap_or_else(|| ".".into());
    let kinds_in_words = if kinds.is_empty() { "in all files".to_owned() } else { format!("in {}", kinds.join(", ")) };
    Place { args: format!("{include} {}", quote_path(&dir)), recursive: true, words: format!("{kinds_in_words}{}", super::filter::place(&dir)) }
}

/// `-i` where the case was said not to matter, `-w` for whole words, and `-F` where the text is no plain word.
fn options(r: &Request<'_>, pattern: &str) -> String {
    let mut o = String::new();
    if r.has(&["case-insensitive", "case-insensitively", "insensitive", "insensitively"]) || r.has_phrase(&["ignoring", "case"]) || r.has_phrase(&["ignore", "case"]) || r.has_phrase(&["regardless", "of", "case"]) {
        o.push('i');
    }
    if r.has_phrase(&["whole", "word"]) || r.has_phrase(&["exact", "word"]) {
        o.push('w');
    }
    if pattern.contains(['.', '*', '[', ']', '^', '$', '\\', '(', ')', '+', '?', '{', '|']) && !r.has(&["regex", "regexp", "pattern", "expression"]) {
        o.push('F');
    }
    o
}

/// Takes the place first where the pattern is quoted, else the pattern first.
fn pattern_and_place(r: &Request<'_>) -> Result<(String, Place), Unfilled> {
    // Words of the language are looked for as well: "how many times does root appear".
    let p = r.pattern().or_else(|| r.word_after(&["times", "for", "often", "containing", "contain", "contains", "with", "of", "does", "is", "find", "grep"])).ok_or(WHAT)?;
    Ok((p, place(r)))
}

fn search(r: &Request<'_>) -> Outcome {
    let (p, at) = pattern_and_place(r)?;
    let anchor = r.has(&["start", "starts", "starting", "begin", "begins", "beginning"]);
    let anchored_end = r.has(&["end", "ends", "ending"]) && !anchor;
    let o = if anchor || anchored_end { String::new() } else { options(r, &p) };
    let shown = if anchor { format!("^{p}") } else if anchored_end { format!("{p}$") } else { p.clone() };
    let rec = if at.recursive { "r" } else { "" };
    if let Some(n) = r.num().filter(|n| *n > 0 && *n < 1000 && r.has(&["context", "around", "surrounding", "after", "before"])) {
        return built(format!("grep -{rec}n{o}C {n} -e {}{}", quote(&shown), at.args), format!("Prints the lines with {p} {}, and {n} around each.", at.words));
    }
    built(
        format!("grep -{rec}n{o} -e {}{}", quote(&shown), at.args),
        format!("Prints the lines {} {p} {}, with their numbers.", if anchor { "starting with" } else if anchored_end { "ending in" } else { "with" }, at.words),
    )
}

fn search_files(r: &Request<'_>) -> Outcome {
    let (p, at) = pattern_and_place(r)?;
    let o = options(r, &p);
    let rec = if at.recursive { "r" } else { "" };
    built(format!("grep -{rec}l{o} -e {}{}", quote(&p), at.args), format!("Names the files that contain {p} {}.", at.words))
}

fn search_not(r: &Request<'_>) -> Outcome {
    let (p, at) = pattern_and_place(r)?;
    let o = options(r, &p);
    if at.recursive {
        return built(format!("grep -rL{o} -e {}{}", quote(&p), at.args), format!("Names the files that do not contain {p} {}.", at.words));
    }
    built(format!("grep -v{o} -e {}{}", quote(&p), at.args), format!("Prints the lines without {p} {}.", at.words))
}

fn count_matches(r: &Request<'_>) -> Outcome {
    let (p, at) = pattern_and_place(r)?;
    let o = options(r, &p);
    if r.has(&["lines", "line"]) {
        let rec = if at.recursive { "rh" } else { "h" };
        return built(format!("grep -{rec}{o} -e {}{} | wc -l", quote(&p), at.args), format!("Counts the lines with {p} {}.", at.words));
    }
    let rec = if at.recursive { "r" } else { "" };
    built(format!("grep -{rec}oh{o} -e {}{} | wc -l", quote(&p), at.args), format!("Counts how often {p} occurs {}.", at.words))
}

/// A text as a basic regular expression, and as the replacement of `s`, with `/` as delimiter.
fn sed_literal(s: &str, replacement: bool) -> String {
    let special: &[char] = if replacement { &['/', '&', '\\'] } else { &['/', '.', '*', '[', ']', '^', '$', '\\'] };
    s.chars().flat_map(|c| if special.contains(&c) { vec!['\\', c] } else { vec![c] }).collect()
}

fn replace(r: &Request<'_>) -> Outcome {
    // replace A with|by B in FILE; change A to B in FILE; substitute B for A.
    let verb = r.position(&["replace", "change", "substitute", "swap", "replacing", "turn", "rename", "convert"]).unwrap_or(0);
    let joint = (verb + 2..r.tokens.len())
        .find(|&i| !r.tokens[i].quoted && matches!(r.tokens[i].norm.as_str(), "with" | "by" | "to" | "into" | "for") && i + 1 < r.tokens.len())
        .ok_or(Unfilled::Missing("Replace what with what?"))?;
    let skip = |mut i: usize| {
        while i < r.tokens.len() && !r.tokens[i].quoted && matches!(r.tokens[i].norm.as_str(), "the" | "all" | "every" | "word" | "words" | "text" | "string" | "occurrences" | "occurrence" | "of" | "each" | "any" | "instances" | "instance" | "a" | "an") {
            i += 1;
        }
        i
    };
    // Names in a directory are no text in a file.
    if r.tokens.iter().any(|t| matches!(t.norm.as_str(), "name" | "names" | "filename" | "filenames") && !t.quoted) && r.tokens.iter().any(|t| r.world.exists(&t.raw) == Some(crate::world::Exists::Dir)) {
        return Err(Unfilled::Impossible);
    }
    let (a, b) = (skip(verb + 1), skip(joint + 1));
    if a >= joint || b >= r.tokens.len() {
        return Err(Unfilled::Missing("Replace what with what?"));
    }
    let (mut old, mut new) = (r.tokens[a].raw.clone(), r.tokens[b].raw.clone());
    if r.tokens[joint].norm == "for" && r.tokens[verb].norm == "substitute" {
        std::mem::swap(&mut old, &mut new);
    }
    r.mark(a, a + 1);
    r.mark(b, b + 1);
    let i = if r.has_phrase(&["ignoring", "case"]) || r.has(&["case-insensitive"]) { "I" } else { "" };
    let script = quote(&format!("s/{}/{}/g{i}", sed_literal(&old, false), sed_literal(&new, true)));
    let script = if script.starts_with('\'') { script } else { format!("'{script}'") };
    if r.entities.iter().any(|e| matches!(e.kind, Kind::Ext(..) | Kind::Glob(_))) || (r.has(&["files"]) && !r.entities.iter().any(|e| matches!(e.kind, Kind::Path(_)) && e.start > b)) {
        let f = filter(r);
        return built(format!("{} -exec sed -i {script} {{}} +", f.find()), format!("Replaces {old} with {new} in the {}.", f.describe()));
    }
    let f = file(r)?;
    built(format!("sed -i {script} -- {}", quote_path(&f)), format!("Replaces every {old} with {new} in {f}."))
}

fn sort(r: &Request<'_>) -> Outcome {
    let mut o = String::new();
    if r.has(&["reverse", "reversed", "descending", "backwards", "decreasing"]) || r.has_phrase(&["highest", "first"]) || r.has_phrase(&["biggest", "first"]) || r.has_phrase(&["largest", "first"]) {
        o.push('r');
    }
    if r.has(&["numerically", "numeric", "number", "numbers", "numerical"]) {
        o.push('n');
    }
    if r.has(&["unique", "duplicates", "distinct"]) {
        o.push('u');
    }
    let column = if r.has(&["column", "field"]) { r.num().or_else(|| r.has(&["first"]).then_some(1)) } else { None };
    let f = file(r)?;
    let sep = if f.ends_with(".csv") && column.is_some() { " -t," } else { "" };
    let key = column.map_or(String::new(), |c| format!(" -k{c},{c}"));
    let opts = if o.is_empty() { String::new() } else { format!(" -{o}") };
    built(format!("sort{opts}{sep}{key} -- {}", quote_path(&f)), format!("Prints the lines of {f} sorted; the file stays as it is."))
}

fn unique(r: &Request<'_>) -> Outcome {
    let f = file(r)?;
    if r.has(&["count", "many", "number"]) {
        return built(format!("sort -u -- {} | wc -l", quote_path(&f)), format!("Counts the different lines of {f}."));
    }
    built(format!("sort -u -- {}", quote_path(&f)), format!("Prints each different line of {f} once, sorted; the file stays as it is."))
}

fn dup_lines(r: &Request<'_>) -> Outcome {
    let f = file(r)?;
    built(format!("sort -- {} | uniq -d", quote_path(&f)), format!("Prints the lines that occur more than once in {f}."))
}

fn freq(r: &Request<'_>) -> Outcome {
    let n = r.num().unwrap_or(10);
    let f = file(r)?;
    let q = quote_path(&f);
    if r.has(&["word", "words"]) {
        return built(format!("grep -oE '[[:alnum:]]+' -- {q} | sort | uniq -c | sort -rn | head -n {n}"), format!("Shows the {n} most frequent words of {f}."));
    }
    built(format!("sort -- {q} | uniq -c | sort -rn | head -n {n}"), format!("Shows the {n} most frequent lines of {f}."))
}

fn column_number(r: &Request<'_>) -> String {
    if r.has(&["last"]) {
        return "$NF".into();
    }
    format!("${}", r.num().or_else(|| r.has(&["first"]).then_some(1)).unwrap_or(1))
}

fn separator(r: &Request<'_>, f: &str) -> &'static str {
    if f.ends_with(".csv") || r.has(&["comma", "commas", "comma-separated", "csv"]) {
        " -F,"
    } else if f.ends_with("passwd") || f.ends_with("group") || f.ends_with("shadow") || r.has(&["colon", "colons"]) {
        " -F:"
    } else if f.ends_with(".tsv") || r.has(&["tab", "tabs", "tab-separated"]) {
        " -F'\\t'"
    } else {
        ""
    }
}

fn column(r: &Request<'_>) -> Outcome {
    let c = column_number(r);
    let f = file(r)?;
    built(format!("awk{} '{{print {c}}}' {}", separator(r, &f), quote_path(&f)), format!("Prints column {} of {f}.", c.trim_start_matches('$').replace("NF", "the last")))
}

fn sum(r: &Request<'_>) -> Outcome {
    let c = column_number(r);
    let f = file(r)?;
    let sep = separator(r, &f);
    if r.has(&["average", "mean"]) {
        return built(format!("awk{sep} '{{s += {c}; n++}} END {{if (n) print s / n}}' {}", quote_path(&f)), format!("Prints the average of a column of {f}."));
    }
    built(format!("awk{sep} '{{s += {c}}} END {{print s + 0}}' {}", quote_path(&f)), format!("Adds up a column of {f}."))
}

fn delete_lines(r: &Request<'_>) -> Outcome {
    if r.has(&["line"]) && r.has(&["first", "last"]) && !r.entities.iter().any(|e| matches!(e.kind, Kind::Num(_))) {
        let (which, address) = if r.has(&["last"]) { ("last", "$") } else { ("first", "1") };
        let f = file(r)?;
        return built(format!("sed -i '{address}d' -- {}", quote_path(&f)), format!("Deletes the {which} line of {f}."));
    }
    if let Some(n) = r.num().filter(|_| !r.has(&["containing", "contain", "contains", "with", "matching"])) {
        let first = r.has_phrase(&["first"]) && r.has(&["lines"]);
        let to = r.num().or(first.then_some(n));
        let n = if first { 1 } else { n };
        let f = file(r)?;
        let range = to.map_or_else(|| n.to_string(), |m| format!("{n},{m}"));
        return built(format!("sed -i '{range}d' -- {}", quote_path(&f)), format!("Deletes line {} from {f}.", range.replace(',', " to ")));
    }
    let f = r.take(|k| if let Kind::Path(p) = k { Some(p.clone()) } else { None });
    let p = r.pattern().ok_or(WHAT)?;
    let f = match f {
        Some(f) => f,
        None => file(r)?,
    };
    built(format!("sed -i {} -- {}", quote(&format!("/{}/d", sed_literal(&p, false))), quote_path(&f)), format!("Deletes the lines that contain {p} from {f}."))
}

fn blank_lines(r: &Request<'_>) -> Outcome {
    let count = r.has(&["count", "many"]);
    let f = file(r)?;
    if count {
        return built(format!("grep -c '^[[:space:]]*$' -- {}", quote_path(&f)), format!("Counts the blank lines of {f}."));
    }
    built(format!("sed -i '/^[[:space:]]*$/d' -- {}", quote_path(&f)), format!("Deletes the blank lines of {f}."))
}

fn number(r: &Request<'_>) -> Outcome {
    let f = file(r)?;
    built(format!("cat -n -- {}", quote_path(&f)), format!("Prints {f} with line numbers."))
}

fn case(r: &Request<'_>) -> Outcome {
    let upper = r.has(&["uppercase", "upper", "capitals", "caps", "capital", "upper-case", "capitalize", "uppercased"]);
    let f = file(r)?;
    let (a, b, w) = if upper { ("[:lower:]", "[:upper:]", "upper") } else { ("[:upper:]", "[:lower:]", "lower") };
    built(format!("tr '{a}' '{b}' < {}", quote_path(&f)), format!("Prints {f} in {w} case; the file stays as it is."))
}

fn reverse(r: &Request<'_>) -> Outcome {
    let f = file(r)?;
    if r.has(&["each", "characters", "every"]) {
        return built(format!("rev -- {}", quote_path(&f)), format!("Prints each line of {f} backwards."));
    }
    built(format!("tac -- {}", quote_path(&f)), format!("Prints the lines of {f} from the last to the first."))
}

fn join(r: &Request<'_>) -> Outcome {
    let dest = r.destination();
    if r.entities.iter().any(|e| matches!(e.kind, Kind::Ext(..) | Kind::Glob(_))) {
        let dest = dest.ok_or(Unfilled::Missing("Into which file?"))?;
        let f = filter(r);
        return built(
            format!("{} ! -name {} -print0 | sort -z | xargs -0 cat -- > {}", f.find().replacen(" -type f", " -maxdepth 1 -type f", 1), quote(dest.rsplit('/').next().unwrap_or(&dest)), quote_path(&dest)),
            format!("Puts the {} together into {dest}.", f.describe()),
        );
    }
    let mut files = Vec::new();
    while let Some(p) = r.take(|k| match k {
        Kind::Path(p) | Kind::Quoted(p) => Some(p.clone()),
        _ => None,
    }) {
        files.push(p);
    }
    while let Some(p) = r.existing_word() {
        files.push(p);
    }
    if files.len() < 2 {
        return Err(Unfilled::Missing("Which files?"));
    }
    let q: Vec<String> = files.iter().map(|f| quote_path(f)).collect();
    match dest {
        Some(d) => built(format!("cat -- {} > {}", q.join(" "), quote_path(&d)), format!("Puts {} together into {d}.", files.join(" and "))),
        None => built(format!("cat -- {}", q.join(" ")), format!("Prints {} one after the other.", files.join(" and "))),
    }
}

fn append(r: &Request<'_>) -> Outcome {
    let text = r.quoted();
    let f = r
        .take(|k| if let Kind::Path(p) = k { Some(p.clone()) } else { None })
        .or_else(|| r.destination())
        .or_else(|| r.existing_word())
        .or_else(|| r.name(&["called", "named", "file"]).filter(|_| r.has(&["called", "named"])))
        .ok_or(WHICH)?;
    let text = match text {
        Some(t) => t,
        None if r.has_phrase(&["the", "text"]) && r.position(&["text"]).is_some_and(|i| i + 1 < r.tokens.len() && r.entity_at(i + 1).is_none()) && r.position(&["text"]) > r.position(&["with", "containing"]) => {
            r.rest_after(&["text"]).ok_or(WHAT)?
        }
        None => {
            // The words between the verb and the preposition before the file.
            let start = r.position(&["append", "add", "write", "put", "insert", "save"]).ok_or(WHAT)? + 1;
            let end = (start..r.tokens.len()).rev().find(|&i| matches!(r.tokens[i].norm.as_str(), "to" | "into" | "in" | "at")).ok_or(WHAT)?;
            let start = (start..end).find(|&i| !matches!(r.tokens[i].norm.as_str(), "the" | "line" | "text" | "a" | "word" | "words" | "string" | "new" | "saying")).ok_or(WHAT)?;
            r.mark(start, end);
            r.tokens[start..end].iter().map(|t| t.raw.as_str()).collect::<Vec<_>>().join(" ")
        }
    };
    let fresh = r.world.exists(&f).is_none() && r.has(&["write", "create", "new", "make", "save"]);
    let op = if fresh { ">" } else { ">>" };
    let q = quote(&text);
    let q = if q.starts_with('\'') { q } else { format!("'{q}'") };
    built(format!("printf '%s\\n' {q} {op} {}", quote_path(&f)), if fresh { format!("Writes that line into the new file {f}.") } else { format!("Adds that line at the end of {f}.") })
}

fn sequence(r: &Request<'_>) -> Outcome {
    let (a, b) = match (r.num(), r.num()) {
        (Some(a), Some(b)) => (a, b),
        (Some(b), None) => (1, b),
        _ => return Err(Unfilled::Missing("From which number to which?")),
    };
    if a > b {
        return built(format!("seq {a} -1 {b}"), format!("Prints the numbers from {a} down to {b}."));
    }
    built(format!("seq {a} {b}"), format!("Prints the numbers from {a} to {b}."))
}

fn shuffle(r: &Request<'_>) -> Outcome {
    let n = r.num();
    let f = file(r)?;
    if n.is_some() || r.has(&["pick", "one", "choose", "select", "line"]) {
        let n = n.unwrap_or(1);
        return built(format!("shuf -n {n} -- {}", quote_path(&f)), format!("Prints {n} line{} of {f} by chance.", if n == 1 { "" } else { "s" }));
    }
    built(format!("shuf -- {}", quote_path(&f)), format!("Prints the lines of {f} in random order."))
}

fn common(r: &Request<'_>) -> Outcome {
    let only = r.has(&["only", "not", "missing"]);
    let (a, b) = both(r)?;
    let (qa, qb) = (quote_path(&a), quote_path(&b));
    if only {
        return built(format!("comm -23 <(sort -- {qa}) <(sort -- {qb})"), format!("Prints the lines of {a} that are not in {b}."));
    }
    built(format!("comm -12 <(sort -- {qa}) <(sort -- {qb})"), format!("Prints the lines that {a} and {b} share."))
}

fn trim(r: &Request<'_>) -> Outcome {
    let windows = r.has(&["windows", "dos", "carriage", "crlf", "unix"]);
    let f = file(r)?;
    if windows {
        return built(format!("sed -i 's/\\r$//' -- {}", quote_path(&f)), format!("Turns the line ends of {f} into Unix ones."));
    }
    built(format!("sed -i 's/[[:space:]]*$//' -- {}", quote_path(&f)), format!("Removes the spaces at the ends of the lines of {f}."))
}
