//! A TOML file with everything that is wrong in it, each with its place.
//!
//! What is right is said by the types that a build reads, so that the two cannot differ: a document is read into its type again and again, and
//! what serde does not like is taken out or made good after it was noted.

use std::borrow::Cow;
use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

/// Something wrong in a text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    /// The byte where it begins.
    pub at: usize,
    /// What is wrong, and what to do.
    pub message: String,
}

impl Problem {
    pub fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }
}

/// A text, and what of it is TOML.
pub(crate) struct Source<'t> {
    text: &'t str,
    /// The text with blanks in place of the lines that are no TOML, where that makes it TOML.
    blanked: Option<String>,
    problems: Vec<Problem>,
}

impl<'t> Source<'t> {
    pub fn new(text: &'t str) -> Self {
        let mut this = Self { text, blanked: None, problems: syntax(text) };
        let mut found = this.problems.clone();
        let mut blanked = text.to_owned();
        // The parser stops at some mistakes: the lines after these have their say once they are out of the way.
        for _ in text.lines() {
            if found.is_empty() {
                break;
            }
            blanked = without(&blanked, &lines(text, &found));
            found = syntax(&blanked);
            this.problems.extend(found.iter().cloned());
        }
        if found.is_empty() {
            this.blanked = Some(blanked);
        } else {
            // More than lines by themselves is wrong, and what was told of the rest may follow from that.
            this.problems = syntax(text);
        }
        this
    }
}

/// What is no TOML.
fn syntax(text: &str) -> Vec<Problem> {
    let (_, errors) = DeTable::parse_recoverable(text);
    errors.iter().map(|error| Problem::new(error.span().map_or(0, |span| span.start), error.message())).collect()
}

fn lines(text: &str, problems: &[Problem]) -> Vec<usize> {
    problems.iter().map(|it| position(text, it.at).0).collect()
}

/// The text with blanks in place of these lines, each byte of the rest where it was.
fn without(text: &str, lines: &[usize]) -> String {
    let line = |(number, line): (usize, &str)| if lines.contains(&(number + 1)) { " ".repeat(line.len()) } else { line.to_owned() };
    text.split('\n').enumerate().map(line).collect::<Vec<_>>().join("\n")
}

/// A document as it is written.
pub(crate) struct Document<'t> {
    pub table: DeTable<'t>,
    /// Lines that are no TOML; what is told of these follows from that.
    broken: Vec<usize>,
    text: &'t str,
    problems: Vec<Problem>,
}

/// Reads a text as a `T`, which is there where nothing is wrong with it.
pub(crate) fn read<'t, T: DeserializeOwned>(source: &'t Source<'_>) -> (Document<'t>, Option<T>) {
    let (root, _) = DeTable::parse_recoverable(source.blanked.as_deref().unwrap_or(source.text));
    let mut document = Document {
        table: root.get_ref().clone(),
        broken: lines(source.text, &source.problems),
        text: source.text,
        problems: source.problems.clone(),
    };
    let (problems, read) = read_table(root);
    let is_toml = document.broken.is_empty();
    // What is missing may stand in the lines that are no TOML.
    document.add(problems.into_iter().filter(|it| is_toml || !it.message.starts_with(MISSING)));
    let read = read.filter(|_| document.problems.is_empty());
    (document, read)
}

impl Document<'_> {
    /// Adds what else is wrong, but for what stands in lines that are no TOML.
    pub fn add(&mut self, problems: impl IntoIterator<Item = Problem>) {
        let problems = problems.into_iter().filter(|it| !self.broken.contains(&position(self.text, it.at).0));
        self.problems.extend(problems);
    }

    /// Everything that is wrong, in the order of the lines.
    pub fn into_problems(mut self) -> Vec<Problem> {
        self.problems.sort();
        self.problems.dedup();
        self.problems
    }
}

/// Line and column of a byte, from 1; columns are characters.
pub(crate) fn position(text: &str, at: usize) -> (usize, usize) {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let before = &text[..at];
    let line = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, before[line..].chars().count() + 1)
}

/// A string with its place.
#[derive(Clone, Copy)]
pub(crate) struct Text<'d> {
    pub text: &'d str,
    pub at: usize,
}

/// The string of this key.
pub(crate) fn string<'d>(table: &'d DeTable<'_>, key: &str) -> Option<Text<'d>> {
    table.get(key).and_then(text)
}

/// The strings in the array of this key.
pub(crate) fn strings<'d>(table: &'d DeTable<'_>, key: &str) -> Vec<Text<'d>> {
    let items = table.get(key).and_then(|value| value.get_ref().as_array());
    items.into_iter().flat_map(|array| array.iter()).filter_map(text).collect()
}

/// The tables in the array of this key, with their places.
pub(crate) fn tables<'d, 't>(table: &'d DeTable<'t>, key: &str) -> Vec<(&'d DeTable<'t>, usize)> {
    let items = table.get(key).and_then(|value| value.get_ref().as_array());
    let items = items.into_iter().flat_map(|array| array.iter());
    items.filter_map(|item| Some((item.get_ref().as_table()?, item.span().start))).collect()
}

fn text<'d>(value: &'d Spanned<DeValue<'_>>) -> Option<Text<'d>> {
    value.get_ref().as_str().map(|text| Text { text, at: value.span().start })
}

/// How serde begins to say that a key is not there; the key follows in backquotes.
const MISSING: &str = "missing field ";

/// More mistakes than anybody makes in a file.
const ROUNDS: usize = 10_000;

/// What stands for a value that is wrong or not there while the rest is looked at: one of these is of the type.
fn stand_in<'t>(kind: usize) -> Option<DeValue<'t>> {
    let text = |text: &'t str| DeValue::String(Cow::Borrowed(text));
    [text("0"), text("root"), DeValue::Integer(Default::default()), DeValue::Array(Default::default()), DeValue::Boolean(false), DeValue::Table(DeTable::new())].into_iter().nth(kind)
}

/// Reads a table, and tells all that serde finds wrong in it.
fn read_table<T: DeserializeOwned>(mut root: Spanned<DeTable<'_>>) -> (Vec<Problem>, Option<T>) {
    let mut problems = Vec::new();
    // Which kind of value stands in. Each has a place of its own, which is none of the text's.
    let mut stand_ins: Vec<usize> = Vec::new();
    let place = |number: usize| usize::MAX - number..usize::MAX - number;
    // Each round notes a problem, or tries the next kind of value for one.
    for _ in 0..ROUNDS {
        let error = match T::deserialize(Deserializer::from(root.clone())) {
            Ok(read) => return (problems, Some(read)),
            Err(error) => error,
        };
        let span = error.span().unwrap_or_default();
        let mut number = usize::MAX - span.start;
        let is_text = number >= stand_ins.len();
        let missing = error.message().strip_prefix(MISSING).map(|name| name.trim_matches('`'));
        if is_text {
            problems.push(Problem::new(span.start, error.message()));
        }
        // A table that stands in needs keys too.
        if is_text || missing.is_some() {
            number = stand_ins.len();
            stand_ins.push(0);
        } else if let Some(kind) = stand_ins.get_mut(number) {
            *kind += 1;
        }
        let value = stand_ins.get(number).and_then(|kind| stand_in(*kind));
        let Some(value) = value.map(|value| Spanned::new(place(number), value)) else { return (problems, None) };
        let mended = match missing {
            Some(name) if span == root.span() => {
                root.get_mut().insert(key(name), value);
                true
            }
            _ => mend(root.get_mut(), &span, missing, &value),
        };
        // An error without a place among the values: what else is wrong cannot be told.
        if !mended {
            break;
        }
    }
    (problems, None)
}

/// A key that was not there; its place is none that an error has.
fn key<'t>(name: &str) -> Spanned<Cow<'t, str>> {
    #[expect(clippy::reversed_empty_ranges, reason = "no span is reversed")]
    Spanned::new(1..0, Cow::Owned(name.to_owned()))
}

/// Makes good what serde found at `span`, and tells whether anything is there: a key that is unknown goes; the table that lacks the key `missing`
/// gets `value` for it; another value is replaced by `value`.
fn mend<'t>(table: &mut DeTable<'t>, span: &Range<usize>, missing: Option<&str>, value: &Spanned<DeValue<'t>>) -> bool {
    if let Some(unknown) = table.keys().find(|key| key.span() == *span && missing.is_none()).map(|key| key.get_ref().clone().into_owned()) {
        return table.remove(unknown.as_str()).is_some();
    }
    // The one that lies deepest: an array of tables begins where its first table does.
    table.iter_mut().any(|(_, it)| mend_value(it, span, missing, value))
}

fn mend_value<'t>(it: &mut Spanned<DeValue<'t>>, span: &Range<usize>, missing: Option<&str>, value: &Spanned<DeValue<'t>>) -> bool {
    let is_here = it.span() == *span;
    let inside = match (it.get_mut(), missing) {
        (DeValue::Table(table), Some(name)) if is_here => {
            table.insert(key(name), value.clone());
            true
        }
        (DeValue::Table(table), _) => mend(table, span, missing, value),
        (DeValue::Array(array), _) => array.iter_mut().any(|it| mend_value(it, span, missing, value)),
        _ => false,
    };
    if is_here && !inside {
        *it = value.clone();
    }
    is_here || inside
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::recipe::{Filesystem, Recipe};

    fn problems(text: &str) -> Vec<(usize, usize, String)> {
        let source = Source::new(text);
        let (document, read) = read::<Recipe>(&source);
        let problems = document.into_problems();
        assert_eq!(read.is_none(), !problems.is_empty());
        problems.into_iter().map(|it| (position(text, it.at).0, position(text, it.at).1, it.message)).collect()
    }

    #[track_caller]
    fn places(text: &str, wanted: &[(usize, usize, &str)]) {
        let found = problems(text);
        assert_eq!(found.len(), wanted.len(), "{found:#?}");
        for ((line, column, message), (wanted_line, wanted_column, part)) in found.iter().zip(wanted) {
            assert!((line, column) == (wanted_line, wanted_column) && message.contains(part), "{line}:{column}: {message}, not {wanted_line}:{wanted_column}: {part}");
        }
    }

    #[test]
    fn everything_wrong_is_told_with_its_place() {
        let text = "sumary = \"x\"\nlicense = 7\ndepends = [\"a\", 8, \"b\", true]\ndebian = \"bash\"\n\n[[program]]\npackage = \"p\"\nimage = \"moon\"\nsize = 1\n\n\
                    [[program]]\n\n[[directory]]\npath = \"/x\"\nmode = \"9\"\nuid = -1\n\n[flavour]\nof = \"tea\"\n";
        places(
            text,
            &[
                (1, 1, "missing field `summary`"),
                (1, 1, "unknown field `sumary`"),
                (2, 11, "invalid type: integer `7`, expected a string"),
                (3, 17, "invalid type: integer `8`"),
                (3, 25, "invalid type: boolean `true`"),
                (4, 10, "invalid type: string \"bash\", expected a sequence"),
                (6, 1, "missing field `path`"),
                (8, 9, "unknown variant `moon`"),
                (9, 1, "unknown field `size`"),
                (11, 1, "missing field `image`"),
                (11, 1, "missing field `package`"),
                (11, 1, "missing field `path`"),
                (15, 8, "not an octal number"),
                (16, 7, "invalid value: integer `-1`"),
                (18, 2, "unknown field `flavour`"),
            ],
        );
        places("summary = \"x\"\nlicense = \"MIT\"\n", &[]);
        places("summary = \"ä ö\"\nlicense = \"MIT\"\ndepends = [\"ä\", 1]\n", &[(3, 17, "integer `1`")]);
    }

    #[test]
    fn tables_of_any_type_are_made_good() {
        let text = "recipes = [1]\n";
        let source = Source::new(text);
        let (document, _) = read::<Filesystem>(&source);
        let messages: Vec<String> = document.into_problems().into_iter().map(|it| it.message).collect();
        let parts = ["missing field `disk`", "missing field `linux`", "missing field `trim`", "invalid type: integer `1`"];
        assert!(messages.len() == parts.len() && messages.iter().zip(parts).all(|(it, part)| it.contains(part)), "{messages:#?}");
    }

    #[test]
    fn what_is_no_toml_hides_nothing_else() {
        let text = "summary = \"x\nlicense = \"MIT\"\nlicense = \"MIT\"\ncolour = 1\n[[program]\n";
        let found = problems(text);
        for wanted in [(1, 13), (3, 1), (4, 1), (5, 11)] {
            assert!(found.iter().any(|it| (it.0, it.1) == wanted), "{wanted:?}: {found:#?}");
        }
        assert!(found.iter().any(|it| it.2.contains("colour")) && !found.iter().any(|it| it.2.contains("missing field")), "{found:#?}");
    }

    proptest! {
        #[test]
        fn any_text_is_read_to_the_end(text in "([a-z]{1,7} ?= ?(\"[a-z/]{0,3}\"|[0-9]|\\[\"a\",? ?1?\\])\n|\\[\\[?(program|directory|pypi|x)\\]?\\]\n|.{0,9}\n){0,12}") {
            let found = problems(&text);
            let strict = toml::from_str::<Recipe>(&text);
            prop_assert_eq!(strict.is_ok(), found.is_empty());
        }
    }
}
