//! Colours for texts that machines read: a look at each line, with what the line before left open. Rough, but quick: nothing is parsed.

mod languages;

pub use languages::{Language, of};

/// What a part of a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// For people.
    Comment,
    /// A text, a letter.
    Text,
    /// A number.
    Number,
    /// A word that the language has for itself.
    Keyword,
    /// A type; a key of a table.
    Name,
    /// What is called.
    Call,
    /// A heading, a section, a tag.
    Heading,
    /// A line that came, in a difference.
    Added,
    /// One that went.
    Removed,
}

/// What a line leaves open for the next one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Open {
    /// Nothing.
    #[default]
    None,
    /// A comment.
    Comment,
    /// The text that is the language's so manieth kind.
    Text(usize),
}

/// A part of a line: from and to, bytes.
pub type Span = (usize, usize, Kind);

/// Colours of a line, and what it leaves open.
pub fn line(language: &Language, text: &str, open: Open) -> (Vec<Span>, Open) {
    if let Some(kind) = language.whole_line.and_then(|it| it(text)) {
        return (vec![(0, text.len(), kind)], open);
    }
    let (mut spans, mut at, mut open) = (Vec::new(), 0, open);
    while at < text.len() {
        let rest = &text[at..];
        let (length, kind) = match open {
            Open::Comment => {
                let end = language.block.and_then(|(_, end)| Some(rest.find(end)? + end.len()));
                open = if end.is_some() { Open::None } else { open };
                (end.unwrap_or(rest.len()), Some(Kind::Comment))
            }
            Open::Text(which) => {
                let (length, is_closed) = rest_of_text(language, which, rest);
                open = if is_closed { Open::None } else { open };
                (length, Some(Kind::Text))
            }
            Open::None => token(language, text, at, &mut open),
        };
        let length = length.max(1);
        if let Some(kind) = kind {
            spans.push((at, at + length, kind));
        }
        at += length;
        // Letters of several bytes are passed over whole.
        while !text.is_char_boundary(at) {
            at += 1;
        }
    }
    if let Open::Text(which) = open
        && !language.texts[which].is_long
    {
        open = Open::None;
    }
    (spans, open)
}

/// How far a text goes in what follows its beginning, and whether it ends there.
fn rest_of_text(language: &Language, which: usize, rest: &str) -> (usize, bool) {
    let it = &language.texts[which];
    let bytes = rest.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if it.has_escapes && bytes[at] == b'\\' {
            at += 2;
        } else if bytes[at..].starts_with(it.end.as_bytes()) {
            return (at + it.end.len(), true);
        } else {
            at += 1;
        }
    }
    (rest.len(), false)
}

/// What begins here: its length, and what it is.
fn token(language: &Language, text: &str, at: usize, open: &mut Open) -> (usize, Option<Kind>) {
    let rest = &text[at..];
    let before = text[..at].chars().next_back();
    // In shells and the like a sign within a word begins no comment.
    let begins = |sign: &str| rest.starts_with(sign) && (sign.len() > 1 || language.ending_of_words || before.is_none_or(char::is_whitespace));
    if language.line_comments.iter().any(|it| begins(it)) {
        return (rest.len(), Some(Kind::Comment));
    }
    if let Some((start, _)) = language.block.filter(|(start, _)| rest.starts_with(start)) {
        *open = Open::Comment;
        return (start.len(), Some(Kind::Comment));
    }
    if let Some(which) = language.texts.iter().position(|it| rest.starts_with(it.start)) {
        let start = language.texts[which].start.len();
        // A single quote is also the sign of a lifetime or within a word: it is a text where it ends soon.
        if language.texts[which].is_letter {
            return match letter(rest) {
                Some(length) => (length, Some(Kind::Text)),
                None => (1, None),
            };
        }
        *open = Open::Text(which);
        return (start, Some(Kind::Text));
    }
    let first = rest.chars().next().unwrap_or(' ');
    if first.is_ascii_digit() {
        let length = rest.find(|it: char| !(it.is_ascii_alphanumeric() || it == '.' || it == '_')).unwrap_or(rest.len());
        let length = rest[..length].find("..").unwrap_or(length);
        return (length, Some(Kind::Number));
    }
    if first.is_alphabetic() || first == '_' || language.signs_in_words.contains(&first) {
        let length = rest.find(|it: char| !(it.is_alphanumeric() || it == '_' || language.signs_in_words.contains(&it))).unwrap_or(rest.len());
        return (length, word(language, &rest[..length], &text[..at], &rest[length..]));
    }
    (first.len_utf8(), None)
}

fn word(language: &Language, word: &str, before: &str, after: &str) -> Option<Kind> {
    if language.is_markup {
        return (before.ends_with('<') || before.ends_with("</")).then_some(Kind::Heading).or(after.starts_with('=').then_some(Kind::Name));
    }
    if language.keywords.binary_search(&word).is_ok() {
        return Some(Kind::Keyword);
    }
    if language.keys.is_some_and(|sign| after.trim_start().starts_with(sign)) && before.trim_start_matches(['-', ' ', '\t', '"']).is_empty() {
        return Some(Kind::Name);
    }
    if language.has_types && word.starts_with(char::is_uppercase) {
        return Some(Kind::Name);
    }
    (language.has_calls && (after.starts_with('(') || after.starts_with("!("))).then_some(Kind::Call)
}

/// The length of a letter in single quotes.
fn letter(rest: &str) -> Option<usize> {
    let inside = &rest[1..];
    let end = if inside.starts_with('\\') { 2 + inside.get(2..)?.find('\'')? } else { inside.chars().next().filter(|it| *it != '\'')?.len_utf8() };
    inside[end..].starts_with('\'').then_some(end + 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::path::Path;

    fn kinds(name: &str, text: &str) -> Vec<(String, Kind)> {
        let language = of(Path::new(name), text).expect("a language");
        let (mut open, mut all) = (Open::None, Vec::new());
        for text in text.lines() {
            let (spans, next) = line(language, text, open);
            all.extend(spans.into_iter().map(|(from, to, kind)| (text[from..to].to_owned(), kind)));
            open = next;
        }
        all
    }

    fn has(all: &[(String, Kind)], text: &str, kind: Kind) {
        assert!(all.iter().any(|(it, that)| it == text && *that == kind), "{text} is no {kind:?} in {all:?}");
    }

    #[test]
    fn programs_have_colours() {
        let all = kinds("a.rs", "fn main<'a>() { // go\n let x: Vec<u8> = call(1_000, 'x', '\\'', \"a \\\" b\"); /* one\n two */ }");
        has(&all, "fn", Kind::Keyword);
        has(&all, "// go", Kind::Comment);
        has(&all, "Vec", Kind::Name);
        has(&all, "call", Kind::Call);
        has(&all, "1_000", Kind::Number);
        has(&all, "'\\''", Kind::Text);
        has(&all, "a \\\" b\"", Kind::Text);
        has(&all, " two */", Kind::Comment);
        let all = kinds("a.py", "def f():\n  '''long\n  text''' # that\n  return None");
        has(&all, "  text'''", Kind::Text);
        has(&all, "return", Kind::Keyword);
        let all = kinds("run", "#!/bin/sh\nif [ $# = 1 ]; then echo \"$a\" # say\nfi");
        has(&all, "# say", Kind::Comment);
        has(&all, "then", Kind::Keyword);
        assert!(!all.iter().any(|(it, _)| it.starts_with("# = 1")));
    }

    #[test]
    fn other_texts_too() {
        has(&kinds("a.toml", "[package]\nname = \"x\" # that"), "[package]", Kind::Heading);
        has(&kinds("a.toml", "[package]\nname = \"x\" # that"), "name", Kind::Name);
        has(&kinds("a.md", "# Title\ntext"), "# Title", Kind::Heading);
        has(&kinds("a.html", "<p class=\"x\">words</p><!-- a\nb -->"), "p", Kind::Heading);
        has(&kinds("a.diff", "+new\n-old"), "-old", Kind::Removed);
        assert!(of(Path::new("a.txt"), "words").is_none());
    }

    proptest! {
        #[test]
        fn any_line_of_any_language(text in "\\PC{0,60}", open in 0usize..3) {
            for language in languages::ALL {
                let open = match open { 0 => Open::None, 1 => Open::Comment, _ if language.texts.is_empty() => Open::None, _ => Open::Text(0) };
                let (spans, _) = line(language, &text, open);
                let mut end = 0;
                for (from, to, _) in spans {
                    prop_assert!(from >= end && to > from && text.is_char_boundary(from) && text.is_char_boundary(to.min(text.len())));
                    end = from;
                }
            }
        }
    }
}
