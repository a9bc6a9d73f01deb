//! The little of the shell that maintainer scripts need to say the same thing several times: variables that are set to plain words, and loops
//! over such words. All else stays as it stands.

use std::collections::BTreeMap;

/// Most words of a loop, and most lines that may come of a script: a script cannot make us write for ever.
const WORDS: usize = 64;
const LINES: usize = 20_000;

fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.as_bytes()[0].is_ascii_digit() && text.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_')
}

fn is_plain(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|it| it.is_ascii_alphanumeric() || b"/._+-@:,".contains(&it))
}

/// `NAME=words` with words that stand for themselves.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once('=')?;
    let bare = |quote: char| value.strip_prefix(quote).and_then(|it| it.strip_suffix(quote));
    let is_quoted = bare('\'').or_else(|| bare('"'));
    let words = is_quoted.unwrap_or(value);
    let is_one = is_quoted.is_some() || !words.contains(char::is_whitespace);
    (is_name(name) && is_one && words.split_whitespace().all(is_plain)).then_some((name, words))
}

/// `for NAME in words; do`, with or without the `do`.
fn loop_over(line: &str) -> Option<(&str, Vec<&str>)> {
    let (name, words) = line.strip_prefix("for ")?.split_once(" in ")?;
    let words = words.trim_end_matches("do").trim_end().trim_end_matches(';');
    let words: Vec<&str> = words.split_whitespace().collect();
    (is_name(name.trim()) && words.len() <= WORDS && words.iter().all(|it| is_plain(it))).then_some((name.trim(), words))
}

/// A line with the variables that are known in the place of their names.
fn replaced(line: &str, known: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('$') {
        out += &rest[..at];
        let behind = &rest[at + 1..];
        let (name, len) = match behind.strip_prefix('{').and_then(|it| it.split_once('}')) {
            Some((name, _)) => (name, name.len() + 2),
            None => {
                let len = behind.bytes().take_while(|it| it.is_ascii_alphanumeric() || *it == b'_').count();
                (&behind[..len], len)
            }
        };
        match known.get(name) {
            Some(value) => out += value,
            None => out += &rest[at..at + 1 + len],
        }
        rest = &behind[len..];
    }
    out + rest
}

/// The lines of a script, trimmed, with plain variables and loops written out.
pub fn lines(text: &str) -> Vec<String> {
    let all: Vec<&str> = text.lines().map(str::trim).collect();
    let mut out = Vec::new();
    expand(&all, &mut BTreeMap::new(), &mut out);
    out
}

fn expand(lines: &[&str], known: &mut BTreeMap<String, String>, out: &mut Vec<String>) {
    let mut at = 0;
    while let Some(raw) = lines.get(at) {
        at += 1;
        if out.len() > LINES {
            return;
        }
        let line = replaced(raw, known);
        if let Some((name, words)) = assignment(&line) {
            // The first counts: what a condition makes of it later nobody knows here.
            known.entry(name.to_owned()).or_insert_with(|| words.to_owned());
            continue;
        }
        let Some((name, words)) = loop_over(&line) else {
            out.push(line);
            continue;
        };
        let (first, len) = body(&lines[at..]);
        let Some(len) = len else {
            out.push(line);
            continue;
        };
        let inside = &lines[at + first..at + len];
        for word in words {
            let before = known.insert(name.to_owned(), word.to_owned());
            expand(inside, known, out);
            match before {
                Some(value) => known.insert(name.to_owned(), value),
                None => known.remove(name),
            };
        }
        at += len + 1;
    }
}

/// Where the body of a loop begins, and where its `done` is.
fn body(lines: &[&str]) -> (usize, Option<usize>) {
    let first = usize::from(lines.first() == Some(&"do"));
    let mut depth = 0;
    for (at, line) in lines.iter().enumerate() {
        let opens = ["for ", "while ", "until "].iter().any(|it| line.starts_with(it));
        if opens && !line.ends_with("done") {
            depth += 1;
        } else if *line == "done" || line.starts_with("done ") {
            if depth == 0 {
                return (first, Some(at));
            }
            depth -= 1;
        }
    }
    (first, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_loops_are_written_out() {
        let text = "tools='java keytool'\nbase=/usr/lib/jvm\nfor i in $tools; do\n  link $i $base/bin/${i}\ndone\nfor x in a b\ndo\nfor y in 1 2; do\nsee $x$y $z\ndone\ndone\n";
        assert_eq!(lines(text), ["link java /usr/lib/jvm/bin/java", "link keytool /usr/lib/jvm/bin/keytool", "see a1 $z", "see a2 $z", "see b1 $z", "see b2 $z"]);
    }

    #[test]
    fn what_is_not_plain_stays() {
        for text in ["for i in $(ls); do\nrm $i\ndone", "x=$(rm y)\nsee $x", "for i in a b; do\nrm $i", "x=a b", "for i in *; do\nrm $i\ndone"] {
            assert_eq!(lines(text), text.lines().collect::<Vec<_>>(), "{text}");
        }
    }

    #[test]
    fn loops_do_not_write_for_ever() {
        let words = vec!["w"; 64].join(" ");
        let text = format!("{}see\n{}", format!("for a in {words}; do\n").repeat(6), "done\n".repeat(6));
        assert!(lines(&text).len() <= LINES + 2);
    }
}
