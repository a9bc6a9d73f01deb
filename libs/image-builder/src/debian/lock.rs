//! `recipes/lock.toml`: the exact packages that an image is made of.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use gpm::version::Version;
use serde::{Deserialize, Serialize};
use toml::de::DeTable;

use crate::debian::control::Package;
use crate::error::{Error, IoContext, Result};
use crate::host;
use crate::lint::document::{Problem, string, tables};
use crate::pypi;

const HEADER: &str = "\
# The Debian packages that images are made of, with their dependencies resolved. Written by `image-builder lock` and
# `./gos recipe update --write`: do not edit.
# Where the archive no longer has a version, a build takes the release's current one and says so (`--strict`: fails).

";

/// One pinned package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Locked {
    /// Its name.
    pub name: String,
    /// Its version, with epoch.
    pub version: String,
    /// `amd64` or `all`.
    pub architecture: String,
    /// The .deb's SHA-256 in hexadecimal.
    pub sha256: String,
    /// The .deb's size in bytes.
    pub size: u64,
    /// The packages that it needs, alternatives decided and exclusions left out.
    #[serde(default)]
    pub depends: Vec<String>,
}

impl Locked {
    /// Pins a package that needs the packages `depends`.
    pub fn of(package: &Package, depends: Vec<String>) -> Self {
        Self {
            name: package.name.clone(),
            version: package.version.clone(),
            architecture: package.architecture.clone(),
            sha256: package.sha256.clone(),
            size: package.size,
            depends,
        }
    }

    /// As a package whose dependencies are decided.
    pub fn package(&self) -> Package {
        Package {
            name: self.name.clone(),
            version: self.version.clone(),
            architecture: self.architecture.clone(),
            sha256: self.sha256.clone(),
            size: self.size,
            depends: self.depends.iter().map(|name| vec![name.clone()]).collect(),
            provides: Vec::new(),
        }
    }
}

/// The whole lock, by package name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    packages: BTreeMap<String, Locked>,
}

/// The file as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Document {
    pub package: Vec<Locked>,
}

/// What is wrong with the pins of a lock file, each by itself.
pub(crate) fn problems(table: &DeTable<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut seen = BTreeSet::new();
    for (package, _) in tables(table, "package") {
        if let Some(sum) = string(package, "sha256") {
            problems.extend(pypi::sha256_problem(sum.text).map(|it| Problem::new(sum.at, it)));
        }
        if let Some(name) = string(package, "name").filter(|it| !seen.insert(it.text)) {
            problems.push(Problem::new(name.at, format!("package {} is locked twice", name.text)));
        }
        if let Some(version) = string(package, "version") {
            problems.extend(Version::new(version.text).err().map(|error| Problem::new(version.at, format!("version {error}"))));
        }
    }
    problems
}

impl Lock {
    /// A lock of these packages; refuses two of one name and malformed checksums.
    pub fn new(packages: Vec<Locked>) -> std::result::Result<Self, String> {
        let mut lock = Self::default();
        for package in packages {
            if package.sha256.len() != 64
                || !package.sha256.bytes().all(|byte| byte.is_ascii_hexdigit())
            {
                return Err(format!(
                    "package {}: sha256 must be 64 hexadecimal digits",
                    package.name
                ));
            }
            let name = package.name.clone();
            if lock.packages.insert(name.clone(), package).is_some() {
                return Err(format!("package {name} is locked twice"));
            }
        }
        Ok(lock)
    }

    /// Reads a lock file.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).on("read", path)?;
        let document: Document =
            toml::from_str(&text).map_err(|error| Error::config(path, error))?;
        Self::new(document.package).map_err(|message| Error::config(path, message))
    }

    /// Replaces a lock file whole.
    pub fn write(&self, path: &Path) -> Result<()> {
        host::write_whole(path, &self.to_text())
    }

    /// The text of the lock file.
    pub fn to_text(&self) -> String {
        let document = Document {
            package: self.packages.values().cloned().collect(),
        };
        // A document of strings and numbers always serializes.
        format!("{HEADER}{}", toml::to_string(&document).unwrap_or_default())
    }

    /// The pin of a package.
    pub fn get(&self, name: &str) -> Option<&Locked> {
        self.packages.get(name)
    }

    /// All pins in order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Locked> {
        self.packages.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locked(name: &str) -> Locked {
        Locked {
            name: name.into(),
            version: "1:2.0-1+deb12u1".into(),
            architecture: "amd64".into(),
            sha256: "0123456789abcdef".repeat(4),
            size: 7,
            depends: vec!["libc6".into()],
        }
    }

    #[test]
    fn a_lock_reads_back_as_written() {
        let lock = Lock::new(vec![locked("b"), locked("a")]).expect("valid");
        let file = tempfile::NamedTempFile::new().expect("temporary file");
        fs::write(file.path(), lock.to_text()).expect("write");
        assert_eq!(Lock::read(file.path()).expect("reads"), lock);
        assert!(
            lock.to_text().starts_with('#')
                && lock.to_text().find("\"a\"") < lock.to_text().find("\"b\"")
        );
    }

    #[test]
    fn bad_locks_are_refused() {
        assert!(
            Lock::new(vec![locked("a"), locked("a")])
                .expect_err("twice")
                .contains("twice")
        );
        let short = Locked {
            sha256: "ab".into(),
            ..locked("a")
        };
        assert!(Lock::new(vec![short]).expect_err("short").contains("64"));
        let file = tempfile::NamedTempFile::new().expect("temporary file");
        fs::write(file.path(), "[[package]]\nname = \"a\"\n").expect("write");
        let error = Lock::read(file.path()).expect_err("incomplete").to_string();
        assert!(error.contains("version"), "{error}");
    }
}
