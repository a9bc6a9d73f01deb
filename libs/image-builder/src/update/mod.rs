//! Newer versions of what recipes take from Debian and PyPI, and pins of these.
//!
//! Finding them changes nothing. What is written was read back before: a file is replaced whole, or stays as it is.

mod debian;
mod pypi;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use crate::debian::apt::Apt;
use crate::debian::fetch::Archive;
use crate::debian::lock::Lock;
use crate::error::{Error, IoContext, Result};
use crate::host;
use crate::lint;
use crate::pypi::{Index, Pip};
use crate::recipe::{self, Recipe};
use crate::report::Report;
use pypi::Release;

/// Where a package comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Debian's archive.
    Debian,
    /// Python's package index.
    Pypi,
}

/// A package with another version than the pinned one. Displays as a line for people.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// Where it comes from.
    pub origin: Origin,
    /// Its name.
    pub name: String,
    /// The version that is pinned; none where it has no pin yet.
    pub old: Option<String>,
    /// The version that there is; none where nothing needs the package any more.
    pub new: Option<String>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = match self.origin {
            Origin::Debian => "Debian",
            Origin::Pypi => "PyPI",
        };
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => write!(f, "{} {old} -> {new} ({origin})", self.name),
            (None, Some(new)) => write!(f, "{} {new} ({origin}, not pinned yet)", self.name),
            (Some(old), None) => write!(f, "{} {old} ({origin}, no longer needed)", self.name),
            (None, None) => f.write_str(&self.name),
        }
    }
}

/// What can be brought up to date.
#[derive(Debug)]
pub struct Update {
    root: PathBuf,
    /// What changes, in order of origins and names.
    pub changes: Vec<Change>,
    /// The lock file as it was, and with newer pins.
    lock: Option<(String, Lock)>,
    releases: Vec<Release>,
}

/// Where newer versions come from.
pub(crate) struct Sources<'s, 'a> {
    /// Opens Debian's archive, where it is asked.
    pub archive: &'s mut dyn FnMut() -> Result<Box<dyn Archive + 'a>>,
    /// Python's.
    pub index: &'s mut dyn Index,
}

/// Looks for newer versions of what the recipes of these names take, by the host's apt and pip; without names of what all recipes take.
///
/// # Errors
/// There is no recipe of a name, one is wrong, or apt or pip fails.
pub fn find(root: &Path, names: &[String], report: &Report) -> Result<Update> {
    find_in(root, names, Sources { archive: &mut || Ok(Box::new(Apt::new(report)?)), index: &mut Pip }, report)
}

/// The same from any source.
pub(crate) fn find_in(root: &Path, names: &[String], sources: Sources<'_, '_>, report: &Report) -> Result<Update> {
    let all = lint::recipes(root)?;
    if let Some(unknown) = names.iter().find(|name| !all.contains(*name)) {
        return Err(lint::unknown_recipe(root, unknown, &all));
    }
    let wanted = all.iter().filter(|name| names.is_empty() || names.contains(name));
    let recipes = wanted.map(|name| Recipe::load(root, name)).collect::<Result<Vec<_>>>()?;
    let mut update = Update { root: root.to_owned(), changes: Vec::new(), lock: None, releases: Vec::new() };
    let mut debian: Vec<String> = recipes.iter().flat_map(|it| it.debian.iter().chain(it.extract.iter().map(|it| &it.package))).cloned().collect();
    if names.is_empty() {
        debian = recipe::all_debian_packages(root)?.0;
    }
    for recipe in recipes.iter().filter(|it| !names.is_empty() && it.debian.is_empty() && it.extract.is_empty() && it.pypi.is_empty()) {
        report.notice(format!("{} takes nothing from Debian or PyPI", recipe.name));
    }
    if !debian.is_empty() {
        let path = root.join("recipes/lock.toml");
        let text = fs::read_to_string(&path).on("read", &path)?;
        let lock = Lock::read(&path)?;
        let (roots, excluded) = recipe::all_debian_packages(root)?;
        let mut archive = (sources.archive)()?;
        archive.update()?;
        report.step("looking at Debian's packages");
        let (lock, changes) = debian::newer(&lock, &debian, &roots, &excluded, archive.as_mut())?;
        if !changes.is_empty() {
            update.lock = Some((text, lock));
        }
        update.changes.extend(changes);
    }
    update.releases = pypi::newer(&recipes, sources.index, report)?;
    update.changes.extend(update.releases.iter().map(Release::change));
    update.changes.sort();
    update.changes.dedup();
    Ok(update)
}

impl Update {
    /// Pins the newer versions, with the checksums of what was downloaded and looked at. Tells the files that were changed; comments and layout
    /// of recipes stay.
    ///
    /// # Errors
    /// A wheel cannot be had, or lacks the file; a file has changed since it was read, or cannot be written. What is told then is before the
    /// first file is written, but for failures of writing itself.
    pub fn write(&self, report: &Report) -> Result<Vec<PathBuf>> {
        self.write_from(&mut Pip, report)
    }

    /// The same with any index.
    pub(crate) fn write_from(&self, index: &mut dyn Index, report: &Report) -> Result<Vec<PathBuf>> {
        let mut files: Vec<(PathBuf, String, String)> = Vec::new();
        if let Some((old, lock)) = &self.lock {
            files.push((self.root.join("recipes/lock.toml"), old.clone(), lock.to_text()));
        }
        files.extend(pypi::texts(&self.root, &self.releases, index, report)?);
        for (path, old, _) in &files {
            if fs::read_to_string(path).on("read", path)? != *old {
                return Err(Error::config(path, "has changed meanwhile: nothing is written"));
            }
        }
        for (path, _, new) in &files {
            host::write_whole(path, new)?;
        }
        Ok(files.into_iter().map(|(path, ..)| path).collect())
    }
}
