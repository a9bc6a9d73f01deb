//! What a package says of itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::dependency::{Dependency, DependencyError, Relation, is_package_name};
use crate::path::{PathError, check_path};
use crate::version::Version;

/// The processor a package is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Architecture {
    /// Any.
    #[serde(rename = "all")]
    All,
    /// x86-64, which Debian calls amd64.
    #[serde(rename = "x86_64")]
    X86_64,
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Architecture::All => "all",
            Architecture::X86_64 => "x86_64",
        })
    }
}

/// A dependency that helps but is not needed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Optional {
    /// What is wanted.
    pub dependency: Dependency,
    /// What it adds, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Whether it is installed unless somebody says otherwise (Debian's Recommends), or only named (Suggests).
    #[serde(default)]
    pub default: bool,
}

/// The consciousness levels at which the package is of use, 0.1 to 1.0.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consciousness {
    /// Below this level the package does not work.
    pub required_level: f32,
    /// At this level it works best.
    pub optimal_level: f32,
}

/// Where the AI that a program asks may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AiMode {
    /// On this machine.
    Local,
    /// At a provider's.
    Cloud,
    /// Here first, there where it does not suffice.
    Hybrid,
}

/// How a package gets on with the AI services.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ai {
    /// Whether it is useless without them.
    #[serde(default)]
    pub required: bool,
    /// The modes that it supports; none: it uses no AI.
    #[serde(default)]
    pub modes: BTreeSet<AiMode>,
}

/// What a software store shows, in AppStream's words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppStream {
    /// The component's id, such as `org.gnome.Chess`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Its name for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The freedesktop menu categories.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// Words by which people look for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    /// Where pictures of it at work are: addresses by https.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub screenshots: Vec<String>,
}

/// What a scriptlet may do beyond reading files and running programs. Writing below `/tmp` is always allowed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Right {
    /// Make and change files below this absolute path.
    Write(String),
    /// Open network connections.
    Network,
}

/// A script that runs when a package comes or goes. It gets no arguments and no input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scriptlet {
    /// The program that reads it from a file.
    #[serde(default = "default_interpreter")]
    pub interpreter: String,
    /// The text.
    pub script: String,
    /// What it may do.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub rights: BTreeSet<Right>,
}

fn default_interpreter() -> String {
    "/bin/sh".into()
}

/// When a scriptlet runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Moment {
    /// Before the switch, when the package is new or another version of it is there. Failure leaves everything as it was.
    BeforeInstall,
    /// After the switch. Failure undoes the transaction.
    AfterInstall,
    /// Before the switch, when the package goes. Failure leaves everything as it was.
    BeforeRemove,
    /// After the switch, when the package is gone. Failure undoes the transaction.
    AfterRemove,
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Moment::BeforeInstall => "before-install",
            Moment::AfterInstall => "after-install",
            Moment::BeforeRemove => "before-remove",
            Moment::AfterRemove => "after-remove",
        })
    }
}

/// Something that runs once at the end of a transaction that changed files below certain paths.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// Absolute paths; a file at or below one of them wakes the trigger.
    pub paths: Vec<String>,
    /// What runs then.
    pub scriptlet: Scriptlet,
}

/// The manifest: what authors write in `package.toml`, what a package carries, and what a repository lists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The package's name: lower-case letters, digits, `+`, `-` and `.`.
    pub name: String,
    /// Its version, in Debian's syntax and order.
    pub version: Version,
    /// The processor it is for.
    pub architecture: Architecture,
    /// One line that says what it is.
    pub summary: String,
    /// Paragraphs for who wants to know more.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The licence, an SPDX expression.
    pub licence: String,
    /// The program's page.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub homepage: String,
    /// Who looks after the package.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub maintainer: String,
    /// The distribution whose package it was made of, such as `debian`; empty where it was made by itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub origin: String,
    /// What must be there too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends: Vec<Dependency>,
    /// What helps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub optional: Vec<Optional>,
    /// Names that the package answers to beside its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub provides: Vec<Relation>,
    /// What must not be there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<Relation>,
    /// Packages whose files it may take over, and whose place it takes where it conflicts with them too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaces: Vec<Relation>,
    /// An essential package is not removed without a word that says so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub essential: bool,
    /// The levels at which it is of use; any, where this is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consciousness: Option<Consciousness>,
    /// How it gets on with the AI services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ai: Option<Ai>,
    /// For the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appstream: Option<AppStream>,
    /// The path of a file of the package that is its picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// Files that people change: kept on upgrade and removal where they have been changed.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub config: BTreeSet<String>,
    /// The files that hold the package's consciousness state as delivered, models and weights: `gpm verify` checks them together.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub state: BTreeSet<String>,
    /// The consciousness state checksum: SHA-512, in hexadecimal, over the state files. The package's builder fills it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_checksum: Option<String>,
    /// What runs, and when.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub scriptlets: BTreeMap<Moment, Scriptlet>,
    /// What runs once after everybody's changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub triggers: Vec<Trigger>,
}

/// What is wrong with a manifest.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The name, or that of a relation.
    #[error(transparent)]
    Name(#[from] DependencyError),
    /// A path in it.
    #[error("{field}: {source}")]
    Path {
        /// Where in the manifest.
        field: &'static str,
        /// What is wrong.
        source: PathError,
    },
    /// A level outside 0.1 to 1.0, or a required one above the optimal.
    #[error("consciousness: levels go from 0.1 to 1.0, and the required one is not above the optimal one")]
    Level,
    /// A field that must say something says nothing.
    #[error("{0} must not be empty, nor longer than a line")]
    Empty(&'static str),
    /// The AI modes.
    #[error("ai: required, but no mode is named")]
    NoAiMode,
}

impl Manifest {
    /// A manifest with only what must be there.
    pub fn new(name: &str, version: Version, summary: &str, licence: &str) -> Manifest {
        Manifest {
            name: name.into(),
            version,
            architecture: Architecture::All,
            summary: summary.into(),
            description: String::new(),
            licence: licence.into(),
            homepage: String::new(),
            maintainer: String::new(),
            origin: String::new(),
            depends: Vec::new(),
            optional: Vec::new(),
            provides: Vec::new(),
            conflicts: Vec::new(),
            replaces: Vec::new(),
            essential: false,
            consciousness: None,
            ai: None,
            appstream: None,
            icon: None,
            config: BTreeSet::new(),
            state: BTreeSet::new(),
            state_checksum: None,
            scriptlets: BTreeMap::new(),
            triggers: Vec::new(),
        }
    }

    /// Checks what the types alone do not.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), ManifestError> {
        if !is_package_name(&self.name) {
            return Err(DependencyError::Name(self.name.clone()).into());
        }
        for (field, text) in [("summary", &self.summary), ("licence", &self.licence)] {
            if text.trim().is_empty() || text.contains('\n') {
                return Err(ManifestError::Empty(field));
            }
        }
        if let Some(level) = self.consciousness {
            let valid = |it: f32| (0.1..=1.0).contains(&it);
            if !valid(level.required_level) || !valid(level.optimal_level) || level.required_level > level.optimal_level {
                return Err(ManifestError::Level);
            }
        }
        if self.ai.as_ref().is_some_and(|ai| ai.required && ai.modes.is_empty()) {
            return Err(ManifestError::NoAiMode);
        }
        let path = |field, path: &str| check_path(path).map_err(|source| ManifestError::Path { field, source });
        self.icon.iter().try_for_each(|it| path("icon", it))?;
        self.config.iter().try_for_each(|it| path("config", it))?;
        self.state.iter().try_for_each(|it| path("state", it))?;
        for scriptlet in self.scriptlets.values().chain(self.triggers.iter().map(|trigger| &trigger.scriptlet)) {
            absolute("interpreter", &scriptlet.interpreter)?;
            for right in &scriptlet.rights {
                if let Right::Write(below) = right {
                    absolute("rights", below)?;
                }
            }
        }
        self.triggers.iter().flat_map(|trigger| &trigger.paths).try_for_each(|it| absolute("triggers", it))
    }

    /// `name version`, as messages call it.
    pub fn id(&self) -> String {
        format!("{} {}", self.name, self.version)
    }

    /// The name that its file has in a repository.
    pub fn file_name(&self) -> String {
        // A colon is legal in file names of Linux, but means something else in addresses; versions have no underscore.
        format!("{}_{}_{}.gcpkg", self.name, self.version.as_str().replace(':', "_"), self.architecture)
    }
}

/// Absolute paths stand in what is run; the files of a package are relative to the root.
fn absolute(field: &'static str, path: &str) -> Result<(), ManifestError> {
    let relative = path.strip_prefix('/').ok_or(PathError::Relative(path.into()));
    relative.and_then(check_path).map_err(|source| ManifestError::Path { field, source })
}
