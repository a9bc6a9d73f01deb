//! Lines and words of a file, and two files at a time.

use actions::quote::{quote, quote_path};

use super::{Made, Parts, made};
use crate::entity::Kind;

/// What is asked of the lines of one file.
pub(super) fn lines_of(p: &Parts<'_>) -> Made {
    let f = p.file()?;
    let q = quote_path(&f);
    let lines = p.has(&["lines", "line", "rows"]);
    let literal = |s: &str| s.chars().flat_map(|c| if "/.*[]^$\\".contains(c) { vec!['\\', c] } else { vec![c] }).collect::<String>();
    // Comments.
    let comment = p.has(&["comment", "comments"]) || (p.any(&["start with #", "starting with #", "begin with #", "begins with #", "starts with #", "beginning with #"]));
    let blank = p.has(&["blank", "empty"]);
    let removes = p.w.first().is_some_and(|w| matches!(*w, "remove" | "delete" | "drop" | "strip"));
    if comment && (removes || p.has(&["without", "minus", "except", "skip", "skipping", "no", "not", "ignoring", "hide"])) {
        let keep = removes && !p.has(&["print", "show", "output"]);
        if keep {
            let also = if blank { " -e '/^[[:space:]]*$/d'" } else { "" };
            return made(format!("sed -i -e '/^[[:space:]]*#/d'{also} -- {q}"), format!("Deletes the comment lines{} of {f}.", if blank { " and the empty ones" } else { "" }));
        }
        let pattern = if blank { "^[[:space:]]*(#|$)" } else { "^[[:space:]]*#" };
        return made(format!("grep -vE -e '{pattern}' {q}"), format!("Prints {f} without the comments{}.", if blank { " and empty lines" } else { "" }));
    }
    // Beginnings and ends of lines, to print or to delete.
    let begin = p.has(&["start", "starts", "starting", "begin", "begins", "beginning"]) && p.any(&["starts with", "start with", "starting with", "begin with", "begins with", "beginning with"]);
    let end = p.any(&["end with", "ends with", "ending with", "end in", "ends in", "ending in"]);
    if lines && (begin || end) && !p.has(&["add", "append", "insert"]) {
        let verb = r_position(p, if begin { &["start", "starts", "starting", "begin", "begins", "beginning"] } else { &["end", "ends", "ending"] })?;
        let quoted = p.r.entities.iter().find_map(|e| if let Kind::Quoted(q) = &e.kind { Some(q.clone()) } else { None });
        let t = quoted.or_else(|| p.r.tokens[verb + 1..].iter().find(|t| !matches!(t.norm.as_str(), "with" | "in" | "the" | "a" | "word" | "letter" | "text")).map(|t| t.raw.clone()))?;
        if t == f {
            return None;
        }
        let t = literal(&t);
        let pattern = if begin { format!("^{t}") } else { format!("{t}$") };
        if removes {
            return made(format!("sed -i {} -- {q}", quote(&format!("/{pattern}/d"))), format!("Deletes those lines of {f}."));
        }
        let not = if p.any(&["do not", "does not"]) { " -v" } else { "" };
        return made(format!("grep{not} -e {} {q}", quote(&pattern)), format!("Prints the lines of {f} that {} so.", if begin { "begin" } else { "end" }));
    }
    // "404 or 500", "foo and bar".
    if let Some(or) = p.w.iter().position(|w| *w == "or")
        && p.has(&["lines", "line", "search", "grep", "contain", "contains", "find", "containing", "with"])
        && or > 0
        && or + 1 < p.w.len()
        && !p.any(&["upper or lower"])
    {
        let (a, b) = (&p.r.tokens[or - 1].raw, &p.r.tokens[or + 1].raw);
        if *a != f && *b != f {
            return made(format!("grep -F -e {} -e {} -- {q}", quote(a), quote(b)), format!("Prints the lines of {f} with {a} or {b}."));
        }
    }
    // Lines around.
    let n = p.r.entities.iter().find_map(|e| if let Kind::Num(n) = &e.kind { Some(*n) } else { None });
    let after = p.any(&["line after", "lines after", "following line", "following lines", "next line", "lines of context after", "line of context after", "line that follows", "context after"]);
    let before = p.any(&["line before", "lines before", "preceding line", "preceding lines", "previous line"]);
    if after || before {
        let t = p.text_after(&["grep", "find", "show", "search", "for", "with", "containing", "print"])?;
        if t != f {
            return made(format!("grep -{} {} -e {} -- {q}", if after { "A" } else { "B" }, n.unwrap_or(1), quote(&t)), format!("Prints the lines of {f} with {t}, and what comes {}.", if after { "after" } else { "before" }));
        }
    }
    // A line on top.
    if p.w.first().is_some_and(|w| matches!(*w, "insert" | "add" | "put" | "prepend")) && (p.any(&["as first line", "as the first line", "at the top", "at the beginning", "to the top", "to the beginning", "at the start", "to the start", "top of", "beginning of"]) || p.w[0] == "prepend") {
        let t = p.text_after(&["line", "insert", "prepend", "add", "put"])?;
        let escaped: String = t.chars().flat_map(|c| if c == '\\' { vec!['\\', '\\'] } else { vec![c] }).collect();
        return (t != f).then(|| made(format!("sed -i {} -- {q}", quote(&format!("1i\\{escaped}"))), format!("Puts that line in front of {f}.")))?;
    }
    // All but the last, all but the first.
    let last = p.any(&["without the last line", "without its last line", "but the last line", "except the last line", "all but the last line", "skip the last line", "except for the last line"]);
    let first = p.any(&["without the first line", "without its first line", "but the first line", "except the first line", "skip the first line", "from the second line on", "from line 2 on", "without the header", "skipping the first line", "without header"]);
    if last && !removes {
        return made(format!("head -n -1 -- {q}"), format!("Prints {f} without its last line."));
    }
    if first && !removes {
        return made(format!("tail -n +2 -- {q}"), format!("Prints {f} from its second line on."));
    }
    if removes && (p.any(&["first line", "last line"]) || p.any(&["line 1", "line number"])) && lines {
        let what = if p.phrase("last line") { "$".to_owned() } else { n.unwrap_or(1).to_string() };
        if !p.has(&["print", "show"]) {
            return made(format!("sed -i '{what}d' -- {q}"), format!("Deletes {} of {f}.", if what == "$" { "the last line".into() } else { format!("line {what}") }));
        }
    }
    // One line by its number.
    if lines && !removes && !p.has(&["lines", "column", "field", "longest", "count", "after", "before", "add", "append"]) && p.any(&["line number"]) {
        let n = n?;
        return made(format!("sed -n '{n}p' -- {q}"), format!("Prints line {n} of {f}."));
    }
    // Words.
    if p.has(&["word", "words"]) {
        if p.any(&["one word per line", "on its own line", "on a line of its own", "per line", "each word on", "every word on"]) {
            return made(format!("tr -s '[:space:]' '\\n' < {q}"), format!("Prints the words of {f}, one a line."));
        }
        if p.has(&["frequent", "frequency", "often", "common", "occurs", "occurrences"]) && p.has(&["each", "every", "most", "frequency", "words"]) && !p.r.entities.iter().any(|e| matches!(e.kind, Kind::Quoted(_))) {
            let fold = if p.has(&["case", "insensitive", "case-insensitive", "case-insensitively"]) { " | tr '[:upper:]' '[:lower:]'" } else { "" };
            let top = n.map_or(String::new(), |n| format!(" | head -n {n}"));
            return made(format!("tr -s '[:space:]' '\\n' < {q}{fold} | grep . | sort | uniq -c | sort -rn{top}"), format!("Counts how often each word occurs in {f}."));
        }
    }
    // Ranges as people write them: "lines 2-4".
    if lines && !removes && let Some((a, b)) = p.r.tokens.iter().find_map(|t| t.raw.split_once('-').and_then(|(a, b)| Some((a.parse::<u64>().ok()?, b.parse::<u64>().ok()?)))) && (1..=b).contains(&a) {
        return made(format!("sed -n '{a},{b}p' -- {q}"), format!("Prints lines {a} to {b} of {f}."));
    }
    let shows = matches!(p.w.first(), Some(&("show" | "print" | "display" | "output" | "list")));
    if blank && shows && p.has(&["without", "skip", "skipping", "except", "no", "ignoring", "but", "not"]) && lines {
        return made(format!("grep -v '^[[:space:]]*$' -- {q}"), format!("Prints {f} without its empty lines."));
    }
    if blank && removes && lines && p.any(&["print it", "show it", "and print", "print the result", "show the result"]) {
        return made(format!("grep -v '^[[:space:]]*$' -- {q}"), format!("Prints {f} without its empty lines; the file stays as it is."));
    }
    // Lines without a text.
    if lines && !removes && !blank && (p.has(&["without", "except", "lacking", "excluding"]) || p.any(&["do not contain", "not containing", "does not contain", "that lack"])) {
        let cues: &[&str] = if p.has(&["except"]) { &["with", "containing"] } else { &["without", "lacking", "excluding", "contain", "containing", "lack"] };
        let t = p.text_after(cues)?;
        if t != f && !matches!(t.as_str(), "lines" | "duplicates" | "duplicate" | "changing") {
            return made(format!("grep -v -F -e {} -- {q}", quote(&t)), format!("Prints the lines of {f} without {t}."));
        }
    }
    // Case that does not matter, and numbers of lines.
    let folded = p.any(&["upper or lower case", "lower or upper case", "ignoring case", "ignore case", "case insensitive", "case insensitively", "any case"]) || p.has(&["case-insensitive", "case-insensitively"]);
    let numbered = p.any(&["line numbers", "line number", "on which lines", "on what lines", "in which lines", "in which line", "on which line"]);
    let finds = p.has(&["find", "grep", "search", "lines", "occur", "occurs", "appear", "appears", "containing", "contain", "contains"]);
    if finds && (folded && !p.has(&["count", "many", "often", "replace"]) || numbered && (p.has(&["find", "grep", "search", "occur", "occurs", "appear", "appears", "contain", "contains", "does"]))) {
        let cues: &[&str] = if p.has(&["for"]) { &["for"] } else { &["find", "grep", "search", "does", "with", "containing", "contain", "contains"] };
        let t = p.text_after(cues).filter(|t| *t != f);
        let t = t.or_else(|| p.text_after(&["for", "does", "with", "containing"])).filter(|t| *t != f && !matches!(t.as_str(), "lines" | "the"))?;
        let t = if t == "lines" { return None } else { t };
        return made(format!("grep -n{} -F -e {} -- {q}", if folded { "i" } else { "" }, quote(&t)), format!("Prints the lines of {f} with {t}, with their numbers."));
    }
    // Numbers in order.
    let number_order = p.has(&["numerically", "numeric", "numbers"]) || p.any(&["by number", "as numbers", "from small to large", "small to large", "large to small"]);
    let ordered = p.has(&["sort", "sorted", "order", "ordered"]) || p.any(&["highest first", "lowest first", "largest first", "smallest first", "biggest first"]);
    if number_order && ordered && !p.has(&["line", "count", "sum", "add", "unique"]) {
        let down = p.has(&["descending", "reverse", "decreasing", "reversed"]) || p.any(&["highest first", "largest first", "biggest first", "largest to smallest", "highest to lowest", "large to small", "from largest", "from highest", "from the largest", "biggest to smallest"]);
        return made(format!("sort -n{} -- {q}", if down { "r" } else { "" }), format!("Sorts {f} as numbers{}.", if down { ", the largest first" } else { "" }));
    }
    if p.any(&["each line", "every line", "of the lines", "each distinct line", "each different line"]) && (p.has(&["often", "frequency", "occurrences", "times", "count"])) && p.has(&["occur", "occurs", "occurrences", "frequency", "appears", "appear", "times"]) {
        return made(format!("sort -- {q} | uniq -c | sort -rn"), format!("Counts how often each line occurs in {f}."));
    }
    // Formats.
    if f.ends_with(".json") && p.has(&["pretty", "format", "indented", "nicely", "indent", "formatted", "pretty-print", "prettify", "readable"]) {
        return made(format!("python3 -m json.tool {q}"), format!("Prints {f} indented."));
    }
    if f.ends_with(".json") && p.has(&["value", "field", "key"]) {
        let k = p.text_after(&["value", "field", "key"]).filter(|k| k != "of" && *k != f);
        let k = k.or_else(|| p.r.position(&["key", "field"]).and_then(|i| i.checked_sub(1)).map(|i| p.r.tokens[i].raw.clone()))?;
        let k = k.chars().all(|c| c.is_alphanumeric() || "_-".contains(c)).then_some(k)?;
        return made(format!("python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' {q} {}", quote(&k)), format!("Prints the value of {k} in {f}."));
    }
    if p.any(&["line endings", "line ends", "carriage returns", "crlf"]) && matches!(p.w.first(), Some(&("print" | "show" | "display" | "output" | "cat"))) {
        return made(format!("sed 's/\\r$//' {q}"), format!("Prints {f} with Unix line ends; the file stays as it is."));
    }
    if p.any(&["line endings", "line ends", "carriage returns", "crlf"]) {
        if p.any(&["to windows", "to dos", "into windows", "into dos", "to crlf", "with windows", "with dos", "windows line endings", "dos line endings"]) && !p.any(&["from windows", "from dos", "to unix", "to linux", "into unix", "into linux"]) && !p.has(&["remove", "delete", "strip"]) {
            return made(format!("sed -i 's/\\r*$/\\r/' -- {q}"), format!("Turns the line ends of {f} into those of Windows."));
        }
        return made(format!("sed -i 's/\\r$//' -- {q}"), format!("Turns the line ends of {f} into Unix ones."));
    }
    if p.any(&["to zero length", "to zero", "without deleting it", "the contents of"]) && p.w.first().is_some_and(|w| matches!(*w, "empty" | "truncate" | "clear" | "wipe")) {
        return made(format!("truncate -s 0 -- {q}"), format!("Makes {f} empty; what it holds is lost."));
    }
    if p.w.first() == Some(&"split") || p.phrase("pieces of") || p.phrase("files of") {
        let n = n?;
        return (lines && p.has(&["split", "cut", "pieces", "chop", "break"])).then(|| made(format!("split -l {n} -- {q} {}", quote(&format!("{f}."))), format!("Splits {f} into files of {n} lines, named {f}.aa and so on.")))?;
    }
    // Not in place.
    if p.has(&["replacing"]) && p.any(&["leave the file", "leave file", "file alone"]) && let Some(at) = p.r.position(&["replacing"]) && let (Some(old), Some("with" | "by" | "to"), Some(new)) = (p.r.tokens.get(at + 1), p.w.get(at + 2).copied(), p.r.tokens.get(at + 3)) {
        let replacement: String = new.raw.chars().flat_map(|c| if "/&\\".contains(c) { vec!['\\', c] } else { vec![c] }).collect();
        return made(format!("sed {} -- {q}", quote(&format!("s/{}/{replacement}/g", literal(&old.raw)))), format!("Prints {f} with {} in place of {}; the file stays as it is.", new.raw, old.raw));
    }
    if p.has(&["replaced", "changed", "replacing", "substituted"]) && (p.any(&["without changing", "do not modify", "leave the file", "not change", "without modifying", "do not change", "leave file"])) {
        let at = p.r.position(&["replaced", "changed", "replacing", "substituted"])?;
        let joint = (at + 1..p.w.len()).find(|&i| matches!(p.w[i], "with" | "by" | "to" | "into"))?;
        let (old, new) = if joint == at + 1 { (p.r.tokens.get(at.checked_sub(1)?)?, p.r.tokens.get(joint + 1)?) } else { (p.r.tokens.get(joint.checked_sub(1)?)?, p.r.tokens.get(joint + 1)?) };
        let replacement: String = new.raw.chars().flat_map(|c| if "/&\\".contains(c) { vec!['\\', c] } else { vec![c] }).collect();
        let script = quote(&format!("s/{}/{replacement}/g", literal(&old.raw)));
        return made(format!("sed {script} -- {q}"), format!("Prints {f} with {} in place of {}; the file stays as it is.", new.raw, old.raw));
    }
    None
}

/// Two files at a time.
pub(super) fn pairs(p: &Parts<'_>) -> Made {
    let files = p.files();
    // "merge a and b into one file c".
    if let [some @ .., into] = &files[..]
        && some.len() > 1
        && matches!(p.w.first(), Some(&("merge" | "join" | "concatenate" | "combine" | "cat" | "append")))
        && p.r.world.exists(into).is_none()
        && p.has(&["into", "to", "as", "in"])
        && p.w.last() == Some(&into.to_lowercase().as_str())
    {
        let all: Vec<String> = some.iter().map(|f| quote_path(f)).collect();
        return made(format!("cat -- {} > {}", all.join(" "), quote_path(into)), format!("Puts {} together into {into}.", some.join(" and ")));
    }
    // "word counts of a and b".
    if files.len() > 1 && p.any(&["word counts", "word count", "line counts", "line count"]) {
        let all: Vec<String> = files.iter().map(|f| quote_path(f)).collect();
        let option = if p.any(&["word counts", "word count"]) { "-w" } else { "-l" };
        return made(format!("wc {option} -- {}", all.join(" ")), format!("Counts in {}.", files.join(" and ")));
    }
    let [a, b] = &files[..] else { return None };
    let (qa, qb) = (quote_path(a), quote_path(b));
    if p.any(&["side by side", "line by line", "as columns", "in columns", "column by column"]) && !p.has(&["compare", "diff", "difference", "differences"]) {
        return made(format!("paste -- {qa} {qb}"), format!("Prints the lines of {a} and {b} side by side."));
    }
    // "in b but not in a", "only in b", "of b are missing from a".
    if p.has(&["lines", "line"]) && (p.any(&["but not in", "not in", "are missing", "missing from", "missing in"]) || p.phrase("only in")) {
        return made(format!("comm -23 <(sort -- {qa}) <(sort -- {qb})"), format!("Prints the lines of {a} that are not in {b}."));
    }
    None
}


fn r_position(p: &Parts<'_>, words: &[&str]) -> Option<usize> {
    p.r.position(words)
}
