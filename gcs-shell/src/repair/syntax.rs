//! Lines that the shell could not read.

use actions::shell;

use super::Proposal;

/// Ways to make `line` readable; only those that parse.
pub fn mend(line: &str, token: Option<&str>) -> Vec<Proposal> {
    let mut out: Vec<Proposal> = Vec::new();
    let mut add = |text: String, why: &str| {
        if text != line && shell::parse(&text).is_ok() && !text.trim().is_empty() {
            out.push((text, why.to_owned()));
        }
    };
    match token {
        Some("(" | ")") => add(quote_words(line, &['(', ')']), "Puts the parentheses in quotes: unquoted, they are the shell's own."),
        Some(t @ ("|" | "||" | "&&" | ";" | ";;" | "&")) => {
            add(line.trim().trim_end_matches(t).trim_end().to_owned(), "Leaves out the operator that nothing follows.");
            add(line.trim().trim_start_matches(t).trim_start().to_owned(), "Leaves out the operator that nothing precedes.");
            add(line.replacen(&format!("{t} {t}"), t, 1), "Leaves out the doubled operator.");
            add(quote_words(line, &['&', '|', ';']), "Puts the words with special characters in quotes.");
        }
        Some(t) if line.contains('(') && t != "newline" => add(quote_words(line, &['(', ')']), "Puts the parentheses in quotes: unquoted, they are the shell's own."),
        Some("newline") => add(line.trim_end().trim_end_matches(['<', '>']).trim_end().to_owned(), "Leaves out the redirection that names no file."),
        _ => {}
    }
    for quote in ["'", "\""] {
        if line.matches(quote).count() % 2 == 1 {
            add(format!("{line}{quote}"), "Closes the quote at the end.");
            if quote == "'" {
                add(line.replace('\'', "\\'"), "Takes the apostrophe as a letter.");
            }
        }
    }
    for (open, close) in [("$(", ")"), ("(", ")"), ("{ ", "; }"), ("do ", "; done"), ("then ", "; fi")] {
        if line.contains(open) && token.is_none() {
            add(format!("{}{close}", line.trim_end().trim_end_matches(';')), "Adds the end that is missing.");
        }
    }
    out.truncate(3);
    out
}

/// Words that hold one of `special`, in single quotes.
fn quote_words(line: &str, special: &[char]) -> String {
    line.split(' ').map(|w| if w.contains(special) && !w.contains(['\'', '"']) && !w.starts_with('$') { actions::quote(w) } else { w.to_owned() }).collect::<Vec<_>>().join(" ")
}

/// `[1 = 1]` with the blanks that it needs, and its end.
pub fn brackets(line: &str) -> Option<Proposal> {
    let mut words: Vec<String> = Vec::new();
    let mut open = false;
    for w in line.split(' ') {
        let mut word = w.to_owned();
        if let Some(rest) = w.strip_prefix('[').filter(|r| !r.is_empty() && !r.starts_with('[')) {
            words.push("[".into());
            word = rest.to_owned();
            open = true;
        } else if w == "[" {
            open = true;
        }
        let (body, end) = match word.find([';', '&', '|']) {
            Some(i) if open => (word[..i].to_owned(), word[i..].to_owned()),
            _ => (word.clone(), String::new()),
        };
        if open && body != "]" && body.ends_with(']') {
            words.push(body[..body.len() - 1].to_owned());
            words.push(format!("]{end}"));
            open = false;
        } else if open && body == "]" {
            words.push(word);
            open = false;
        } else if open && !end.is_empty() {
            if !body.is_empty() {
                words.push(body);
            }
            words.push(format!("]{end}"));
            open = false;
        } else if open && matches!(w, "&&" | "||" | ";" | "then") {
            words.push("]".into());
            words.push(word);
            open = false;
        } else {
            words.push(word);
        }
    }
    if open {
        words.push("]".into());
    }
    let text = words.join(" ");
    (text != line && shell::parse(&text).is_ok()).then(|| (text, "Writes [ and ] as words of their own: [ is a command, ] its last argument.".to_owned()))
}

/// Variables of tests in quotes.
pub fn quote_variables(line: &str) -> Option<Proposal> {
    let text = line
        .split(' ')
        .map(|w| {
            let (body, end) = w.find(';').map_or((w, ""), |i| w.split_at(i));
            let name = body.strip_prefix('$').map(|n| n.trim_matches(['{', '}']));
            if name.is_some_and(|n| !n.is_empty() && n.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')) { format!("\"{body}\"{end}") } else { w.to_owned() }
        })
        .collect::<Vec<_>>()
        .join(" ");
    (text != line && shell::parse(&text).is_ok()).then(|| (text, "Quotes the variables: an empty one then stays a word, and one with blanks a single one.".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(line: &str, token: Option<&str>) -> String {
        mend(line, token).first().map(|p| p.0.clone()).unwrap_or_default()
    }

    #[test]
    fn lines_become_readable() {
        assert_eq!(first("echo hello (world)", Some("(")), "echo hello '(world)'");
        assert_eq!(first("ls |", Some("|")), "ls");
        assert_eq!(first("ls && && pwd", Some("&&")), "ls && pwd");
        assert_eq!(first("ls >", Some("newline")), "ls");
        assert_eq!(first("echo 'abc", None), "echo 'abc'");
        assert_eq!(first("for i in 1 2; do echo $i", None), "for i in 1 2; do echo $i; done");
        assert!(mend("ls", None).is_empty());
        assert_eq!(brackets("[1 = 1]").unwrap().0, "[ 1 = 1 ]");
        assert_eq!(brackets("if [ -f x; then ls; fi").unwrap().0, "if [ -f x ]; then ls; fi");
        assert_eq!(brackets("[ -f x] && ls").unwrap().0, "[ -f x ] && ls");
        assert!(brackets("[ -f x ]").is_none());
        assert_eq!(quote_variables("[ $x = 1 ]").unwrap().0, "[ \"$x\" = 1 ]");
    }
}
