//! Finding and replacing.

use crate::buffer::{Buffer, Place};

/// What is looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// The words: within a line.
    pub words: String,
    /// Whether large and small letters differ.
    pub is_exact: bool,
}

/// What is found at most: more is not counted.
pub const MOST: usize = 100_000;

impl Query {
    /// Where it is in a line: from and to, bytes.
    pub fn within(&self, line: &str) -> Vec<(usize, usize)> {
        if self.words.is_empty() {
            return Vec::new();
        }
        if self.is_exact {
            return line.match_indices(&self.words).map(|(at, it)| (at, at + it.len())).collect();
        }
        if line.is_ascii() && self.words.is_ascii() {
            let (line, words) = (line.to_ascii_lowercase(), self.words.to_ascii_lowercase());
            return line.match_indices(&words).map(|(at, it)| (at, at + it.len())).collect();
        }
        // Small letters may be longer than large ones: places are those of the line as it is.
        let words: Vec<char> = self.words.chars().flat_map(char::to_lowercase).collect();
        let (mut found, mut free) = (Vec::new(), 0);
        for (start, _) in line.char_indices() {
            if start < free {
                continue;
            }
            if let Some(length) = prefix(&line[start..], &words) {
                found.push((start, start + length));
                free = start + length;
            }
        }
        found
    }

    /// Where it is in the text, in order.
    pub fn all(&self, buffer: &Buffer) -> Vec<(Place, Place)> {
        let lines = buffer.lines().iter().enumerate();
        lines.flat_map(|(line, text)| self.within(text).into_iter().map(move |(from, to)| (Place { line, byte: from }, Place { line, byte: to }))).take(MOST).collect()
    }
}

/// Bytes of the text's beginning that are these small letters.
fn prefix(text: &str, words: &[char]) -> Option<usize> {
    let mut left = words;
    for (at, letter) in text.char_indices() {
        if left.is_empty() {
            return Some(at);
        }
        for small in letter.to_lowercase() {
            let (first, rest) = left.split_first()?;
            if *first != small {
                return None;
            }
            left = rest;
        }
    }
    left.is_empty().then_some(text.len())
}

/// The next one from a place, around the end.
pub fn next(all: &[(Place, Place)], from: Place) -> Option<usize> {
    if all.is_empty() { None } else { Some(all.partition_point(|(start, _)| *start < from) % all.len()) }
}

/// The one before a place, around the beginning.
pub fn previous(all: &[(Place, Place)], from: Place) -> Option<usize> {
    let before = all.partition_point(|(start, _)| *start < from);
    if all.is_empty() { None } else { Some(before.checked_sub(1).unwrap_or(all.len() - 1)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found() {
        let query = |words: &str, is_exact| Query { words: words.to_owned(), is_exact };
        assert_eq!(query("an", false).within("Banane, AN"), [(1, 3), (3, 5), (8, 10)]);
        assert_eq!(query("an", true).within("Banane, AN"), [(1, 3), (3, 5)]);
        assert_eq!(query("GRÜN", false).within("ein grünes İ Grün"), [(4, 9), (15, 20)]);
        assert_eq!(query("", false).within("abc"), []);
        let buffer = Buffer::new("one\ntwo one");
        let all = query("one", true).all(&buffer);
        assert_eq!(all.len(), 2);
        let at = |line, byte| Place { line, byte };
        assert_eq!((next(&all, at(0, 1)), next(&all, at(1, 5)), previous(&all, at(0, 0)), previous(&all, at(1, 4)), next(&[], at(0, 0))), (Some(1), Some(0), Some(1), Some(0), None));
    }
}
