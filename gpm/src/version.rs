//! Package versions, ordered as Debian orders them: `[epoch:]upstream[-revision]` (deb-version(7)).

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A version that follows Debian's syntax. Two spellings can be equal in order (`1.0` and `0:1.0`): equality is the order's.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version {
    text: String,
    epoch: u32,
    /// Byte offsets into `text`.
    upstream: (usize, usize),
}

/// Why a text is no version.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
#[error("{text:?} is no version: {reason}")]
pub struct VersionError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl Version {
    /// Parses a version.
    ///
    /// # Errors
    /// When the text is empty, holds characters that Debian's policy does not allow, or its epoch is no number.
    pub fn new(text: impl Into<String>) -> Result<Version, VersionError> {
        let text = text.into();
        let fail = |reason| Err(VersionError { text: text.clone(), reason });
        if text.len() > 255 {
            return fail("it is longer than 255 characters");
        }
        let (epoch, start) = match text.find(':') {
            Some(colon) => match text[..colon].parse::<i32>() {
                Ok(epoch) if epoch >= 0 && text.as_bytes()[0].is_ascii_digit() => (epoch.unsigned_abs(), colon + 1),
                _ => return fail("its epoch is no number"),
            },
            None => (0, 0),
        };
        let end = text.rfind('-').filter(|at| *at >= start).unwrap_or(text.len());
        let upstream = &text[start..end];
        if upstream.is_empty() {
            return fail("it is empty");
        }
        if !upstream.starts_with(|c: char| c.is_ascii_digit()) {
            return fail("it does not begin with a digit");
        }
        if !upstream.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".+-~:".contains(&byte)) {
            return fail("only letters, digits and . + - ~ : are allowed");
        }
        if end < text.len() {
            let revision = &text[end + 1..];
            if revision.is_empty() {
                return fail("its revision is empty");
            }
            if !revision.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".+~".contains(&byte)) {
                return fail("only letters, digits and . + ~ are allowed in a revision");
            }
        }
        Ok(Version { epoch, upstream: (start, end), text })
    }

    /// The text as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The number before the colon; 0 without one.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// What the authors of the program call it.
    pub fn upstream(&self) -> &str {
        &self.text[self.upstream.0..self.upstream.1]
    }

    /// What follows the last hyphen; empty without one.
    pub fn revision(&self) -> &str {
        self.text.get(self.upstream.1 + 1..).unwrap_or("")
    }
}

/// The weight of a character outside numbers: a tilde before the end, the end before letters, letters before the rest.
fn weight(byte: Option<u8>) -> i32 {
    match byte {
        Some(b'~') => -1,
        None => 0,
        Some(byte) if byte.is_ascii_digit() => 0,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(byte),
        Some(byte) => i32::from(byte) + 256,
    }
}

/// Compares parts that alternate between text and numbers.
fn compare_part(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left.as_bytes(), right.as_bytes());
    let digit = |part: &[u8]| part.first().is_some_and(u8::is_ascii_digit);
    while !left.is_empty() || !right.is_empty() {
        while (!left.is_empty() && !digit(left)) || (!right.is_empty() && !digit(right)) {
            let order = weight(left.first().copied()).cmp(&weight(right.first().copied()));
            if order != Ordering::Equal {
                return order;
            }
            left = left.get(1..).unwrap_or_default();
            right = right.get(1..).unwrap_or_default();
        }
        let number = |part: &mut &[u8]| {
            let length = part.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (number, rest) = part.split_at(length);
            *part = rest;
            let zeros = number.iter().take_while(|byte| **byte == b'0').count();
            number[zeros..].to_vec()
        };
        let (a, b) = (number(&mut left), number(&mut right));
        // Numbers of any length: the longer is the greater, then digit by digit.
        let order = a.len().cmp(&b.len()).then_with(|| a.cmp(&b));
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| compare_part(self.upstream(), other.upstream()))
            .then_with(|| compare_part(self.revision(), other.revision()))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Version::new(text)
    }
}

impl TryFrom<String> for Version {
    type Error = VersionError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Version::new(text)
    }
}

impl From<Version> for String {
    fn from(version: Version) -> String {
        version.text
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    fn version(text: &str) -> Version {
        Version::new(text).unwrap()
    }

    #[test]
    fn orders_the_examples_of_debian_policy() {
        let sorted = ["1.0~~", "1.0~~a", "1.0~", "1.0", "1.0-1", "1.0-1+b1", "1.0-2", "1.0a", "1.0+dfsg", "1.00001.1", "1.2", "1.10", "1:0.1"];
        for pair in sorted.windows(2) {
            assert!(version(pair[0]) < version(pair[1]), "{pair:?}");
        }
        assert_eq!(version("1.0"), version("0:1.0-0"));
        assert_eq!(version("1.01"), version("1.1"));
    }

    #[test]
    fn takes_a_version_apart() {
        let it = version("2:1.2-rc1-3~bpo12+1");
        assert_eq!((it.epoch(), it.upstream(), it.revision()), (2, "1.2-rc1", "3~bpo12+1"));
    }

    #[test]
    fn refuses_what_dpkg_refuses() {
        for text in ["", "a1", "1-", ":1", "-1:1", "1_2", "1 2", "x:1", "1:", "1-1_", "+1:2", "99999999999:1"] {
            assert!(Version::new(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        /// The reference is dpkg itself, where it is installed: always on Debian.
        #[test]
        fn agrees_with_dpkg(
            left in "([0-3]:)?[0-9][0-9a-c.+~]{0,6}(-[0-9a-b.+~]{1,4})?",
            right in "([0-3]:)?[0-9][0-9a-c.+~]{0,6}(-[0-9a-b.+~]{1,4})?",
        ) {
            let ask = |relation: &str| Command::new("dpkg").args(["--compare-versions", &left, relation, &right]).status().unwrap().success();
            let (a, b) = (version(&left), version(&right));
            match a.cmp(&b) {
                Ordering::Less => prop_assert!(ask("lt")),
                Ordering::Equal => prop_assert!(ask("eq")),
                Ordering::Greater => prop_assert!(ask("gt")),
            }
        }
    }

    proptest! {
        #[test]
        fn is_a_total_order(
            a in "([0-1]:)?[0-9][0-1ab.+~-]{0,5}[0-9]",
            b in "([0-1]:)?[0-9][0-1ab.+~-]{0,5}[0-9]",
            c in "([0-1]:)?[0-9][0-1ab.+~-]{0,5}[0-9]",
        ) {
            let (a, b, c) = (version(&a), version(&b), version(&c));
            prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
            if a <= b && b <= c {
                prop_assert!(a <= c);
            }
        }
    }
}
