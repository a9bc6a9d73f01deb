//! The grammar of dependencies, Debian's: `name`, `name (>= 1.2)`, alternatives by `|`, a list by commas.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::version::{Version, VersionError};

/// How a version must stand to the one that is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operator {
    /// `<<`
    Less,
    /// `<=`
    LessEqual,
    /// `=`
    Equal,
    /// `>=`
    GreaterEqual,
    /// `>>`
    Greater,
}

impl Operator {
    /// Whether `version` stands so to `wanted`.
    pub fn holds(self, version: &Version, wanted: &Version) -> bool {
        match self {
            Operator::Less => version < wanted,
            Operator::LessEqual => version <= wanted,
            Operator::Equal => version == wanted,
            Operator::GreaterEqual => version >= wanted,
            Operator::Greater => version > wanted,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Operator::Less => "<<",
            Operator::LessEqual => "<=",
            Operator::Equal => "=",
            Operator::GreaterEqual => ">=",
            Operator::Greater => ">>",
        }
    }
}

/// A name and, where it matters, which versions of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Relation {
    /// A package's name, or one that packages provide.
    pub name: String,
    /// Any version where this is `None`.
    pub version: Option<(Operator, Version)>,
}

/// One of several relations must hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Dependency {
    /// In the order of preference; never empty.
    pub alternatives: Vec<Relation>,
}

/// Why a text is no dependency.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum DependencyError {
    /// A package's name has characters that are not allowed.
    #[error("{0:?} is no package name: two or more of a-z 0-9 + - . beginning with a letter or a digit")]
    Name(String),
    /// Something else than `name (operator version)`.
    #[error("{0:?} is no dependency: it must read 'name' or 'name (>= version)', with << <= = >= or >>")]
    Syntax(String),
    /// The version is none.
    #[error(transparent)]
    Version(#[from] VersionError),
}

/// Whether `name` can be a package's name: also a safe file name.
pub fn is_package_name(name: &str) -> bool {
    (2..=128).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte))
}

impl Relation {
    /// A relation that any version of `name` satisfies.
    ///
    /// # Errors
    /// When `name` cannot be a package's name.
    pub fn any(name: impl Into<String>) -> Result<Relation, DependencyError> {
        let name = name.into();
        if is_package_name(&name) { Ok(Relation { name, version: None }) } else { Err(DependencyError::Name(name)) }
    }

    /// Whether this version of the named package satisfies it.
    pub fn matches_version(&self, version: &Version) -> bool {
        self.version.as_ref().is_none_or(|(operator, wanted)| operator.holds(version, wanted))
    }

    /// Whether a package that provides `provided` satisfies it. A name that is provided without a version satisfies only a relation without
    /// one, as in Debian.
    pub fn matches_provided(&self, provided: &Relation) -> bool {
        self.name == provided.name
            && match (&self.version, &provided.version) {
                (None, _) => true,
                (Some((operator, wanted)), Some((Operator::Equal, version))) => operator.holds(version, wanted),
                (Some(_), _) => false,
            }
    }
}

impl FromStr for Relation {
    type Err = DependencyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let syntax = || DependencyError::Syntax(text.trim().to_owned());
        let (name, rest) = match text.find('(') {
            Some(at) => (text[..at].trim(), Some(text[at + 1..].trim().strip_suffix(')').ok_or_else(syntax)?.trim())),
            None => (text.trim(), None),
        };
        let mut relation = Relation::any(name)?;
        if let Some(rest) = rest {
            let length = rest.bytes().take_while(|byte| b"<=>".contains(byte)).count();
            let operator = match &rest[..length] {
                "<<" => Operator::Less,
                "<=" => Operator::LessEqual,
                "=" => Operator::Equal,
                ">=" => Operator::GreaterEqual,
                ">>" => Operator::Greater,
                _ => return Err(syntax()),
            };
            relation.version = Some((operator, Version::new(rest[length..].trim())?));
        }
        Ok(relation)
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match &self.version {
            Some((operator, version)) => write!(f, " ({} {version})", operator.text()),
            None => Ok(()),
        }
    }
}

impl FromStr for Dependency {
    type Err = DependencyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Dependency { alternatives: text.split('|').map(str::parse).collect::<Result<_, _>>()? })
    }
}

impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, relation) in self.alternatives.iter().enumerate() {
            write!(f, "{}{relation}", if index == 0 { "" } else { " | " })?;
        }
        Ok(())
    }
}

macro_rules! as_text {
    ($type:ty) => {
        impl TryFrom<String> for $type {
            type Error = DependencyError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(it: $type) -> String {
                it.to_string()
            }
        }
    };
}

as_text!(Relation);
as_text!(Dependency);

/// Parses a list that is separated by commas, as in Debian's control files.
///
/// # Errors
/// When one of its members is no dependency.
pub fn parse_list(text: &str) -> Result<Vec<Dependency>, DependencyError> {
    text.split(',').filter(|part| !part.trim().is_empty()).map(str::parse).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parses_and_prints() {
        let list = parse_list("libc6 (>= 2.36), mta|exim4 ( << 5:4.96-15 ) ,\n bash(=5.2)").unwrap();
        let texts: Vec<String> = list.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["libc6 (>= 2.36)", "mta | exim4 (<< 5:4.96-15)", "bash (= 5.2)"]);
        assert!(list[2].alternatives[0].matches_version(&Version::new("5.2").unwrap()));
        assert!(!list[0].alternatives[0].matches_version(&Version::new("2.35-9").unwrap()));
    }

    #[test]
    fn refuses_what_is_none() {
        for text in ["", "a", "Bash", "bash (5)", "bash (> 5)", "bash (>= )", "bash (>= 5", "bash | ", "../x", "bash (>= 5) x", "ba sh"] {
            assert!(text.parse::<Dependency>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn provides_with_and_without_a_version() {
        let relation = |text: &str| text.parse::<Relation>().unwrap();
        assert!(relation("mta").matches_provided(&relation("mta")));
        assert!(!relation("mta (>= 1)").matches_provided(&relation("mta")));
        assert!(relation("mta (>= 1)").matches_provided(&relation("mta (= 2)")));
        assert!(!relation("mta (>= 3)").matches_provided(&relation("mta (= 2)")));
    }

    proptest! {
        #[test]
        fn never_panics(text in "[a-z0-9()<>=|~:. -]{0,24}") {
            if let Ok(dependency) = text.parse::<Dependency>() {
                prop_assert_eq!(&dependency.to_string().parse::<Dependency>().unwrap(), &dependency);
            }
        }
    }
}
