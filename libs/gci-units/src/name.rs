//! Names of units.

use std::fmt;
use std::sync::Arc;

/// The longest name, in bytes.
pub const MAX_NAME: usize = 128;

/// What a unit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Runs programs; its file is `NAME.gcservice`.
    Service,
    /// A state of the system that other units make up; its name ends in `.target`.
    Target,
}

/// A unit's name: `redoxfsd`, `console.target`, or `virtio-blkd@0000:00:03.0`, an instance of the template `virtio-blkd@`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnitName(Arc<str>);

/// Why a text is no unit's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// It is empty, or only an ending.
    #[error("a unit's name must not be empty")]
    Empty,
    /// It is longer than [`MAX_NAME`].
    #[error("a unit's name has at most {MAX_NAME} bytes")]
    TooLong,
    /// It has a character that names have not.
    #[error("a unit's name has letters, digits and - _ . @ : only, and begins with a letter or digit; found {0:?}")]
    Character(char),
}

impl UnitName {
    /// A name. The endings `.service` and `.gcservice` are left away, `.gctarget` is `.target`.
    ///
    /// # Errors
    /// Where the text is no name.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let short = [".gcservice", ".service"].into_iter().find_map(|end| text.strip_suffix(end)).unwrap_or(text);
        if short.is_empty() {
            return Err(NameError::Empty);
        }
        if short.len() > MAX_NAME {
            return Err(NameError::TooLong);
        }
        let mut letters = short.chars();
        let is_good = |letter: char| letter.is_ascii_alphanumeric() || "-_.@:".contains(letter);
        if let Some(bad) = letters.next().filter(|it| !it.is_ascii_alphanumeric()).or_else(|| letters.find(|it| !is_good(*it))) {
            return Err(NameError::Character(bad));
        }
        match short.strip_suffix(".gctarget") {
            Some("") => Err(NameError::Empty),
            Some(stem) => Ok(UnitName(format!("{stem}.target").into())),
            None => Ok(UnitName(short.into())),
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the unit is.
    pub fn kind(&self) -> Kind {
        if self.0.ends_with(".target") { Kind::Target } else { Kind::Service }
    }

    /// What stands after the `@`; empty in a template.
    pub fn instance(&self) -> Option<&str> {
        self.0.split_once('@').map(|(_, instance)| instance)
    }

    /// Whether it is a template: `NAME@`.
    pub fn is_template(&self) -> bool {
        self.instance() == Some("")
    }

    /// The template of an instance.
    pub fn template(&self) -> Option<UnitName> {
        let (stem, instance) = self.0.split_once('@')?;
        (!instance.is_empty()).then(|| UnitName(format!("{stem}@").into()))
    }

    /// An instance of this template.
    ///
    /// # Errors
    /// Where that is no name.
    pub fn with_instance(&self, instance: &str) -> Result<UnitName, NameError> {
        let stem = self.0.split('@').next().unwrap_or(&self.0);
        UnitName::new(&format!("{stem}@{instance}"))
    }

    /// The file's name.
    pub fn file_name(&self) -> String {
        match self.0.strip_suffix(".target") {
            Some(stem) => format!("{stem}.gctarget"),
            None => format!("{}.gcservice", self.0),
        }
    }
}

impl fmt::Display for UnitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let name = |text: &str| UnitName::new(text).unwrap();
        assert_eq!(name("genai-kernel.service"), name("genai-kernel"));
        assert_eq!(name("genai-kernel.gcservice").file_name(), "genai-kernel.gcservice");
        assert_eq!(name("console.gctarget").as_str(), "console.target");
        assert_eq!(name("console.target").kind(), Kind::Target);
        let disk = name("virtio-blkd@").with_instance("0000:00:03.0").unwrap();
        assert_eq!(disk.as_str(), "virtio-blkd@0000:00:03.0");
        assert_eq!(disk.template(), Some(name("virtio-blkd@")));
        assert!(name("virtio-blkd@").is_template() && !disk.is_template());
        assert_eq!(UnitName::new(".service"), Err(NameError::Empty));
        assert_eq!(UnitName::new("../x"), Err(NameError::Character('.')));
        assert_eq!(UnitName::new("a/b"), Err(NameError::Character('/')));
        assert_eq!(UnitName::new(&"a".repeat(129)), Err(NameError::TooLong));
    }
}
