//! The words of the training data: known words are language, others are names.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::text::within_edits;

/// Words and how often templates use them.
#[derive(Debug, Default)]
pub struct Vocabulary {
    counts: HashMap<String, u32>,
}

static VOCABULARY: OnceLock<Vocabulary> = OnceLock::new();

/// The vocabulary in use: the shipped one, unless [`install`] came first.
pub fn get() -> &'static Vocabulary {
    VOCABULARY.get_or_init(|| Vocabulary::parse(include_str!("../model/vocabulary.txt")))
}

/// Makes `v` the vocabulary of this process; only before the first use (the training program does this).
pub fn install(v: Vocabulary) -> bool {
    VOCABULARY.set(v).is_ok()
}

/// Whether `word` (lower case) is a known word.
pub fn is_common(word: &str) -> bool {
    get().counts.contains_key(word)
}

impl Vocabulary {
    /// From lines of `word count`.
    pub fn parse(text: &str) -> Self {
        let counts = text
            .lines()
            .filter_map(|l| l.split_once(' '))
            .filter_map(|(w, n)| Some((w.to_owned(), n.parse().ok()?)))
            .collect();
        Vocabulary { counts }
    }

    /// From words and counts.
    pub fn from_counts(counts: HashMap<String, u32>) -> Self {
        Vocabulary { counts }
    }

    /// As text, sorted, so that equal vocabularies are equal files.
    pub fn to_text(&self) -> String {
        let mut lines: Vec<_> = self.counts.iter().map(|(w, n)| format!("{w} {n}\n")).collect();
        lines.sort();
        lines.concat()
    }

    /// The known word that `word` was probably meant to be; `None` for known words and for names.
    pub fn correct(&self, word: &str) -> Option<&str> {
        let n = word.len();
        if n < 4 || !word.bytes().all(|b| b.is_ascii_lowercase()) || self.counts.contains_key(word) {
            return None;
        }
        // A plural or a regular form of a known word is no typo.
        for s in ["s", "es", "ed", "d", "ing"] {
            if word.strip_suffix(s).is_some_and(|w| self.counts.contains_key(w)) {
                return None;
            }
        }
        let limit = if n >= 8 { 2 } else { 1 };
        let first = word.as_bytes()[0];
        self.counts
            .iter()
            .filter(|(w, _)| w.len() >= 4 && w.len().abs_diff(n) <= limit)
            // The first letter is rarely wrong; where it is, the rest must be long.
            .filter(|(w, _)| w.as_bytes()[0] == first || (n >= 6 && limit == 1) || swapped_start(w, word))
            .filter_map(|(w, c)| {
                if within_edits(word, w, 1) {
                    Some((1, w, *c))
                } else if limit == 2 && within_edits(word, w, 2) {
                    Some((2, w, *c))
                } else {
                    None
                }
            })
            .min_by(|a, b| a.0.cmp(&b.0).then(b.2.cmp(&a.2)).then(a.1.cmp(b.1)))
            .map(|(_, w, _)| w.as_str())
    }
}

fn swapped_start(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    a.len() > 1 && b.len() > 1 && a[0] == b[1] && a[1] == b[0]
}
