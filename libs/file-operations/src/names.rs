//! Names of files.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// The longest name, bytes.
const LONGEST: usize = 255;

/// Whether a file can have this name.
///
/// # Errors
/// [`Error::Name`] says what is wrong with it.
pub fn check(name: &str) -> Result<()> {
    let why = match name {
        "" => "it is empty",
        "." | ".." => "it stands for a folder",
        _ if name.contains('/') => "it has a slash in it",
        _ if name.contains('\0') => "it has a zero in it",
        _ if name.len() > LONGEST => "it is too long",
        _ => return Ok(()),
    };
    Err(Error::Name { name: name.to_owned(), why })
}

/// A name's beginning and its ending with the dot: `("photo", ".jpg")`, `("letters", ".tar.gz")`, `(".profile", "")`.
pub fn split(name: &OsStr) -> (&OsStr, &OsStr) {
    let bytes = name.as_bytes();
    let ending = |bytes: &[u8]| {
        let dot = bytes.iter().rposition(|it| *it == b'.').filter(|at| *at > 0)?;
        let ending = &bytes[dot + 1..];
        // Not what follows the dot of "Mr. Smith".
        (!ending.is_empty() && ending.len() <= 8 && ending.iter().all(u8::is_ascii_alphanumeric)).then_some(dot)
    };
    let mut at = ending(bytes).unwrap_or(bytes.len());
    if let Some(tar) = bytes[..at].strip_suffix(b".tar").filter(|it| !it.is_empty() && at < bytes.len()) {
        at = tar.len();
    }
    (OsStr::from_bytes(&bytes[..at]), OsStr::from_bytes(&bytes[at..]))
}

/// The first of `name`, `name (2)`, `name (3)` and so on that nothing in the folder has. Another program may take it before it is used.
pub fn free(folder: &Path, name: &OsStr) -> PathBuf {
    let is_free = |path: &Path| path.symlink_metadata().is_err();
    let first = folder.join(name);
    if is_free(&first) {
        return first;
    }
    let (start, ending) = split(name);
    (2u64..).map(|number| folder.join(numbered(start, number, ending))).find(|path| is_free(path)).unwrap_or(first)
}

/// `start (number)ending`, shortened where it would be too long.
fn numbered(start: &OsStr, number: u64, ending: &OsStr) -> OsString {
    let number = format!(" ({number})");
    let mut start = start.as_bytes().to_vec();
    let room = LONGEST.saturating_sub(number.len() + ending.len());
    if start.len() > room {
        start.truncate(room);
        // Not in the middle of a letter.
        while std::str::from_utf8(&start).is_err_and(|error| error.error_len().is_none()) {
            start.pop();
        }
    }
    let mut name = OsString::from_vec(start);
    name.push(number);
    name.push(ending);
    name
}

/// How people order names: letters without regard to case, numbers by their value.
pub fn compare(one: &str, other: &str) -> std::cmp::Ordering {
    let (mut a, mut b) = (one.chars().peekable(), other.chars().peekable());
    let number = |it: &mut std::iter::Peekable<std::str::Chars<'_>>| {
        let mut digits = String::new();
        while let Some(digit) = it.next_if(char::is_ascii_digit) {
            digits.push(digit);
        }
        let value = digits.trim_start_matches('0').to_owned();
        (value.len(), value)
    };
    loop {
        let order = match (a.peek().copied(), b.peek().copied()) {
            (None, None) => break,
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => number(&mut a).cmp(&number(&mut b)),
            (x, y) => {
                a.next();
                b.next();
                x.map(|it| it.to_lowercase().collect::<String>()).cmp(&y.map(|it| it.to_lowercase().collect()))
            }
        };
        if order.is_ne() {
            return order;
        }
    }
    one.cmp(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings() {
        let split = |name: &'static str| {
            let (start, ending) = split(OsStr::new(name));
            (start.to_str().expect("UTF-8"), ending.to_str().expect("UTF-8"))
        };
        assert_eq!(split("photo.jpg"), ("photo", ".jpg"));
        assert_eq!(split("letters.tar.gz"), ("letters", ".tar.gz"));
        assert_eq!(split(".profile"), (".profile", ""));
        assert_eq!(split(".tar.gz"), (".tar", ".gz"));
        assert_eq!(split("Mr. Smith"), ("Mr. Smith", ""));
        assert_eq!(split("end."), ("end.", ""));
    }

    #[test]
    fn names_that_are_none() {
        for name in ["", ".", "..", "a/b", "a\0", &"x".repeat(256)] {
            assert!(check(name).is_err(), "{name:?}");
        }
        for name in ["a", "...", ".hidden", "ä ö", &"x".repeat(255)] {
            assert!(check(name).is_ok(), "{name:?}");
        }
    }

    #[test]
    fn people_order_numbers_by_value() {
        let mut names = ["b", "a10", "A2", "a1", "ab", "a02", "B1"];
        names.sort_by(|a, b| compare(a, b));
        assert_eq!(names, ["a1", "A2", "a02", "a10", "ab", "b", "B1"]);
    }

    #[test]
    fn free_names_are_free() {
        let folder = tempfile::tempdir().expect("a folder");
        let long = "ä".repeat(125) + ".txt";
        for name in ["a.txt", &long] {
            for expected in 1..4 {
                let path = free(folder.path(), OsStr::new(name));
                std::fs::write(&path, "").expect("a file");
                assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count() % 3, expected % 3);
            }
        }
        assert!(folder.path().join("a (3).txt").exists());
    }

    proptest::proptest! {
        #[test]
        fn the_order_is_one(a in "[a-zA-Z0-9 ]{0,6}", b in "[a-zA-Z0-9 ]{0,6}", c in "[a-zA-Z0-9 ]{0,6}") {
            proptest::prop_assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
            proptest::prop_assert_eq!(compare(&a, &b).is_eq(), a == b);
            if compare(&a, &b).is_le() && compare(&b, &c).is_le() {
                proptest::prop_assert!(compare(&a, &c).is_le());
            }
        }

        #[test]
        fn both_parts_make_the_name(name in "[a-z. ]{1,12}") {
            let (start, ending) = split(OsStr::new(&name));
            let mut whole = start.to_owned();
            whole.push(ending);
            proptest::prop_assert_eq!(whole, OsString::from(&name));
            proptest::prop_assert!(!start.is_empty());
        }
    }
}
