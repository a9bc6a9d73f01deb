//! A command with places for the values of a request.

use actions::quote::quote;

use super::lexer::{Piece, Sort, looks_like_path};

/// Marks a place: this character and then the number of the value, `a` for the first.
const MARK: char = '\u{1}';

/// How a value may be written where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Around {
    Nothing,
    Single,
    Double,
}

/// Makes a template of a command: which of the values it repeats, and where. `None` where it names what the request does not.
pub fn abstracted(pieces: &[Piece], command: &str) -> Option<(String, Vec<(Sort, usize)>)> {
    // What is run by another shell, or elsewhere, would read a value again.
    let again = ["sh -c", "eval", "ssh ", "<<", "parallel", "python", "perl -", "ruby"];
    if again.iter().any(|a| command.contains(a)) || command.len() > 300 || command.contains(MARK) || command.contains('\n') {
        return None;
    }
    let mut text = command.to_owned();
    let mut used: Vec<(Sort, usize)> = Vec::new();
    // The longest first, so that `a.txt` is not taken apart by `txt`.
    let mut order: Vec<usize> = (0..pieces.len()).filter(|&i| matches!(pieces[i], Piece::Value(..))).collect();
    order.sort_by_key(|&i| if let Piece::Value(_, v) = &pieces[i] { std::cmp::Reverse(v.len()) } else { std::cmp::Reverse(0) });
    let mut found: Vec<(usize, String)> = Vec::new();
    for i in order {
        let Piece::Value(sort, value) = &pieces[i] else { continue };
        if value == "." || found.iter().any(|(_, v)| v == value) {
            continue;
        }
        let placeholder = format!("{MARK}{}", char::from_u32('a' as u32 + i as u32)?);
        let (new, n) = substitute(&text, value, *sort, &placeholder);
        if n > 0 {
            text = new;
            found.push((i, value.clone()));
        }
    }
    // In the order in which the request says them.
    found.sort_by_key(|(i, _)| *i);
    let mut renumbered = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == MARK {
            let i = chars.next()? as usize - 'a' as usize;
            let n = found.iter().position(|(f, _)| *f == i)?;
            renumbered.push(MARK);
            renumbered.push(char::from_u32('a' as u32 + n as u32)?);
        } else {
            renumbered.push(c);
        }
    }
    for (i, _) in &found {
        if let Piece::Value(sort, _) = &pieces[*i] {
            used.push((*sort, *i));
        }
    }
    names_nothing_of_its_own(&renumbered).then_some((renumbered, used))
}

/// Replaces `value` where it stands by itself.
fn substitute(text: &str, value: &str, sort: Sort, by: &str) -> (String, usize) {
    let mut out = String::new();
    let (mut rest, mut n) = (text, 0);
    while let Some(at) = rest.find(value) {
        let before = rest[..at].chars().next_back().or_else(|| out.chars().next_back());
        let after = rest[at + value.len()..].chars().next();
        let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        let fits = match sort {
            Sort::Number => !before.is_some_and(|c| c.is_ascii_digit() || c == '.' || c == '$') && !after.is_some_and(|c| c.is_ascii_digit() || c == '.'),
            Sort::Ending => before == Some('.') && !word(after),
            Sort::Path => !word(before) && !word(after) && before != Some('-') && (value.len() > 1 || (before.is_none_or(char::is_whitespace) && after.is_none_or(char::is_whitespace))),
            Sort::Text => !word(before) && !word(after) && before != Some('-') && before != Some(MARK),
        };
        out.push_str(&rest[..at]);
        if fits && before != Some(MARK) {
            out.push_str(by);
            n += 1;
        } else {
            out.push_str(value);
        }
        rest = &rest[at + value.len()..];
    }
    out.push_str(rest);
    (out, n)
}

/// A command that names files or hosts which the request does not say is of no use for another request.
fn names_nothing_of_its_own(template: &str) -> bool {
    template.split(|c: char| c.is_whitespace() || "\"'`();|=,:".contains(c)).all(|w| {
        let common = ["/dev/null", "/etc/passwd", "/etc/group", "/etc/hosts", "/tmp", "/", "~", "..", "/proc/cpuinfo", "/proc/meminfo", "/bin/bash", "/bin/sh"];
        let pattern = w.contains(MARK) || w.contains('$') || w.starts_with('-') || w.starts_with("s/") || w.contains('\\') || w.contains('{');
        pattern || common.contains(&w) || !looks_like_path(w.trim_start_matches("*"))
    }) && !template.contains("://")
        && !template.contains('@')
}

/// The letters that follow a number: `+10M`.
fn unit_letter(unit: &str) -> Option<char> {
    Some(match unit {
        "b" => 'c',
        "kb" => 'k',
        "mb" => 'M',
        "gb" => 'G',
        _ => return None,
    })
}

/// Puts values into their places, written so that a value is only ever a value. `None` where one cannot be.
/// `unit` replaces the letter behind a number of a size.
pub fn filled(template: &str, values: &[(Sort, String)], unit: Option<&str>) -> Option<String> {
    let mut out = String::new();
    let mut around = Around::Nothing;
    let mut chars = template.chars().peekable();
    while let Some(c) = chars.next() {
        if c == MARK {
            let n = chars.next()? as usize - 'a' as usize;
            let (sort, value) = values.get(n)?;
            if value.chars().any(|c| c.is_control()) {
                return None;
            }
            let alone = chars.peek().is_none_or(|c| c.is_whitespace()) && out.chars().next_back().is_none_or(char::is_whitespace);
            let plain = !value.is_empty() && !value.starts_with('-') && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/+,:@%".contains(&b) || b >= 0x80);
            match around {
                _ if plain || *sort == Sort::Number => out.push_str(value),
                // A path may begin with the home directory.
                Around::Nothing if alone && value.starts_with("~/") && value[1..].bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/".contains(&b)) => out.push_str(value),
                Around::Nothing if alone => out.push_str(&quote(value)),
                // In a program of sed or awk, or in what the shell expands, only what means itself everywhere.
                Around::Single | Around::Double if value.chars().all(|c| c.is_alphanumeric() || " ._-+,:@=#".contains(c)) => out.push_str(value),
                _ => return None,
            }
            // Where a slash ends a pattern, a path would end it too early.
            if value.contains('/') && around != Around::Nothing && (out.strip_suffix(value.as_str()).is_some_and(|o| o.ends_with('/')) || chars.peek() == Some(&'/')) {
                return None;
            }
            if *sort == Sort::Number
                && let (Some(unit), Some('c' | 'k' | 'M' | 'G')) = (unit, chars.peek())
                && let Some(letter) = unit_letter(unit)
            {
                chars.next();
                out.push(letter);
            }
            continue;
        }
        match (c, around) {
            ('\'', Around::Nothing) => around = Around::Single,
            ('\'', Around::Single) | ('"', Around::Double) => around = Around::Nothing,
            ('"', Around::Nothing) => around = Around::Double,
            ('\\', Around::Nothing | Around::Double) => {
                out.push(c);
                out.push(chars.next()?);
                continue;
            }
            _ => {}
        }
        out.push(c);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recall::lexer::pieces;

    #[test]
    fn a_pair_becomes_a_template_and_back() {
        let request = "Find all .txt files in /home modified 7 days ago and copy them to \"my dir\"";
        let p = pieces(request, &|_| false, &|_| false);
        let (t, used) = abstracted(&p, "find /home -name '*.txt' -mtime 7 -exec cp {} 'my dir' \\;").unwrap();
        assert_eq!(used.len(), 4);
        let values = [(Sort::Ending, "log".to_owned()), (Sort::Path, "/var/a b".to_owned()), (Sort::Number, "3".to_owned()), (Sort::Text, "x".to_owned())];
        assert_eq!(filled(&t, &values, None).unwrap(), "find '/var/a b' -name '*.log' -mtime 3 -exec cp {} 'x' \\;");
    }

    #[test]
    fn values_stay_values() {
        let t = format!("grep \"{MARK}a\" {MARK}b");
        let hostile = |v: &str| filled(&t, &[(Sort::Text, v.to_owned()), (Sort::Path, "f".to_owned())], None);
        assert_eq!(hostile("$(rm -rf ~)"), None);
        assert_eq!(hostile("a\"; rm x; \""), None);
        assert_eq!(hostile("plain").unwrap(), "grep \"plain\" f");
        assert_eq!(filled(&t, &[(Sort::Text, "x".into()), (Sort::Path, "a;b".into())], None).unwrap(), "grep \"x\" 'a;b'");
    }

    #[test]
    fn what_names_its_own_files_is_left_out() {
        assert!(abstracted(&[], "cat secret.txt").is_none());
        assert!(abstracted(&[], "find . -name '*.o'").is_some());
    }
}
