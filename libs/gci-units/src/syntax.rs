//! Sections, keys and values: the lines of a unit file.
//!
//! A line is blank, a comment (`#` or `;`), a `[Section]`, or `Key=Value`. A value goes on in the next line where it ends in a
//! backslash. Blanks around keys and values do not count.

use crate::problem::{Problems, quoted};

/// The largest file, in bytes.
pub const MAX_FILE: usize = 64 << 10;
/// The most entries of a file.
pub const MAX_ENTRIES: usize = 1024;
/// The longest value, in bytes, with its continuations.
pub const MAX_VALUE: usize = 8 << 10;

/// A `Key=Value` and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The section's name, without brackets.
    pub section: String,
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
    /// The line, from 1.
    pub line: usize,
}

/// The entries of a file. What cannot be read is a problem and left out.
pub fn entries(text: &str, problems: &mut Problems) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    if text.len() > MAX_FILE {
        problems.error(0, format!("the file has {} bytes", text.len()), format!("unit files have at most {MAX_FILE}"));
        return entries;
    }
    let mut section: Option<String> = None;
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let number = index + 1;
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(rest) = line.strip_prefix('[') {
            match rest.strip_suffix(']').map(str::trim).filter(|name| !name.is_empty()) {
                Some(name) => section = Some(name.to_owned()),
                None => {
                    problems.error(number, format!("{} is no section", quoted(line)), "write it as [Section]");
                    section = None;
                }
            }
            continue;
        }
        let Some((key, first)) = line.split_once('=') else {
            problems.error(number, format!("{} has no \"=\"", quoted(line)), "write Key=Value, or begin a comment with #");
            continue;
        };
        let mut value = first.trim().to_owned();
        while let Some(before) = value.strip_suffix('\\') {
            let before = before.trim_end().to_owned();
            let Some((_, next)) = lines.next() else {
                problems.error(number, "the file ends in a backslash", "write the rest of the line, or leave it away");
                value = before;
                break;
            };
            value = format!("{before} {}", next.trim());
            if value.len() > MAX_VALUE {
                break;
            }
        }
        let key = key.trim();
        if value.len() > MAX_VALUE {
            problems.error(number, format!("the value of {} is too long", quoted(key)), format!("values have at most {MAX_VALUE} bytes"));
            continue;
        }
        if value.contains(|letter: char| letter.is_control() && letter != '\t') {
            problems.error(number, format!("the value of {} has a control character", quoted(key)), "remove it");
            continue;
        }
        let Some(section) = &section else {
            problems.error(number, format!("{} stands before any section", quoted(key)), "begin with [GenAI Service]");
            continue;
        };
        if entries.len() == MAX_ENTRIES {
            problems.error(number, format!("more than {MAX_ENTRIES} entries"), "make it several units");
            break;
        }
        entries.push(Entry { section: section.clone(), key: key.to_owned(), value, line: number });
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_entries() {
        let mut problems = Problems::new("x");
        let text = "# c\n[A B]\nKey = one \\\n  two\n; c\nEmpty=\n[bad\nLost=1\n[C]\nno sign\nx=y=z\n";
        let found = entries(text, &mut problems);
        let found: Vec<_> = found.iter().map(|it| (&*it.section, &*it.key, &*it.value, it.line)).collect();
        assert_eq!(found, [("A B", "Key", "one two", 3), ("A B", "Empty", "", 6), ("C", "x", "y=z", 11)]);
        let problems: Vec<_> = problems.into_list().iter().map(ToString::to_string).collect();
        assert_eq!(
            problems,
            [
                "x:7: \"[bad\" is no section; write it as [Section]",
                "x:8: \"Lost\" stands before any section; begin with [GenAI Service]",
                "x:10: \"no sign\" has no \"=\"; write Key=Value, or begin a comment with #",
            ]
        );
    }

    #[test]
    fn sizes_are_bounded() {
        let mut problems = Problems::new("x");
        assert!(entries(&"#".repeat(MAX_FILE + 1), &mut problems).is_empty());
        assert!(problems.has_errors());
        let mut problems = Problems::new("x");
        assert_eq!(entries(&format!("[A]\n{}", "a=b\n".repeat(2000)), &mut problems).len(), MAX_ENTRIES);
        let mut problems = Problems::new("x");
        assert!(entries(&format!("[A]\na={}", "b\\\n".repeat(9000)), &mut problems).is_empty());
        assert!(problems.has_errors());
    }
}
