//! Where a line's letters stand in a grid of cells: tabs reach to the next stop, wide letters take two cells, accents none.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Cells from one tab stop to the next.
pub const TAB: usize = 4;

/// A letter as people count: with its accents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Letter<'a> {
    /// Where it begins in the line, bytes.
    pub byte: usize,
    /// Its first cell.
    pub cell: usize,
    /// The cells that it takes; at least one.
    pub width: usize,
    /// What it is.
    pub text: &'a str,
}

/// The letters of a line.
pub fn letters(line: &str) -> impl Iterator<Item = Letter<'_>> {
    let mut cell = 0;
    // Most lines are plain: what is slow is for the others.
    let is_plain = line.is_ascii();
    let plain = is_plain.then(|| (0..line.len()).map(|at| (at, &line[at..=at]))).into_iter().flatten();
    let other = (!is_plain).then(|| line.grapheme_indices(true)).into_iter().flatten();
    plain.chain(other).map(move |(byte, text)| {
        let width = if text == "\t" { TAB - cell % TAB } else { text.width().clamp(1, 2) };
        let letter = Letter { byte, cell, width, text };
        cell += width;
        letter
    })
}

/// The cell at which a byte of the line stands; that after the last letter for its end.
pub fn cell_of(line: &str, byte: usize) -> usize {
    let mut end = 0;
    for letter in letters(line) {
        if letter.byte >= byte {
            return letter.cell;
        }
        end = letter.cell + letter.width;
    }
    end
}

/// The byte whose letter is nearest to a cell: the end where the line is shorter.
pub fn byte_of(line: &str, cell: usize) -> usize {
    for letter in letters(line) {
        if letter.cell + letter.width > cell {
            return if cell - letter.cell > letter.width / 2 { letter.byte + letter.text.len() } else { letter.byte };
        }
    }
    line.len()
}

/// Where the letter after this byte ends.
pub fn next(line: &str, byte: usize) -> usize {
    line[byte..].graphemes(true).next().map_or(byte, |it| byte + it.len())
}

/// Where the letter before this byte begins.
pub fn previous(line: &str, byte: usize) -> usize {
    line[..byte].graphemes(true).next_back().map_or(0, |it| byte - it.len())
}

#[derive(PartialEq, Eq, Clone, Copy)]
enum Class {
    Space,
    Word,
    Sign,
}

fn class(letter: char) -> Class {
    match letter {
        it if it.is_whitespace() => Class::Space,
        it if it.is_alphanumeric() || it == '_' => Class::Word,
        _ => Class::Sign,
    }
}

/// Where the word after this byte ends.
pub fn next_word(line: &str, byte: usize) -> usize {
    let mut rest = line[byte..].char_indices().skip_while(|(_, it)| class(*it) == Class::Space).peekable();
    let Some(first) = rest.peek().map(|(_, it)| class(*it)) else { return line.len() };
    rest.find(|(_, it)| class(*it) != first).map_or(line.len(), |(at, _)| byte + at)
}

/// Where the word before this byte begins.
pub fn previous_word(line: &str, byte: usize) -> usize {
    let mut rest = line[..byte].char_indices().rev().skip_while(|(_, it)| class(*it) == Class::Space).peekable();
    let Some(last) = rest.peek().map(|(_, it)| class(*it)) else { return 0 };
    rest.take_while(|(_, it)| class(*it) == last).last().map_or(0, |(at, _)| at)
}

/// The word, the spaces or the signs that a byte stands in.
pub fn word_at(line: &str, byte: usize) -> (usize, usize) {
    let Some(here) = line[byte..].chars().next().or_else(|| line[..byte].chars().next_back()).map(class) else { return (0, 0) };
    let start = line[..byte].char_indices().rev().take_while(|(_, it)| class(*it) == here).last().map_or(byte, |(at, _)| at);
    let end = line[byte..].char_indices().find(|(_, it)| class(*it) != here).map_or(line.len(), |(at, _)| byte + at);
    (start, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_and_bytes() {
        assert_eq!((cell_of("\tab", 1), cell_of("a\tb", 2), cell_of("abc", 3)), (4, 4, 3));
        assert_eq!((cell_of("日本", 3), cell_of("日本", 6)), (2, 4));
        assert_eq!((byte_of("\tab", 4), byte_of("\tab", 0), byte_of("\tab", 3), byte_of("ab", 9)), (1, 0, 1, 2));
        assert_eq!(cell_of("e\u{301}x", 3), 1, "an accent has no cell of its own");
        assert_eq!((next("e\u{301}x", 0), previous("e\u{301}x", 3)), (3, 0));
    }

    #[test]
    fn words() {
        let line = "let  grüße = 1;";
        assert_eq!((next_word(line, 0), next_word(line, 3), next_word(line, 14)), (3, 12, 16));
        assert_eq!((previous_word(line, 12), previous_word(line, 5), previous_word(line, 0)), (5, 0, 0));
        assert_eq!((word_at(line, 6), word_at(line, 4), word_at(line, line.len()), word_at("", 0)), ((5, 12), (3, 5), (16, 17), (0, 0)));
    }
}
