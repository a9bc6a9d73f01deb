//! Everything that is wrong with recipes, each with the place where it stands.
//!
//! [`document`] tells what a build could not read, [`entries`] what one recipe says wrongly; a build refuses these too. `folder` looks at the
//! files beside a recipe, `project` at what it needs of others.

pub(crate) mod document;
pub(crate) mod entries;
mod folder;
mod project;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use document::{Document, Problem, Source, position, string, strings};
use project::Surroundings;
use serde::de::DeserializeOwned;

use crate::debian::lock::{self, Lock};
use crate::error::{Error, IoContext, Result};
use crate::recipe::{Debian, Edition, Filesystem, Recipe};
use crate::workspace::Programs;

/// Where in a file something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// It is the file or folder as such.
    File,
    /// Line and column, from 1; columns count characters.
    At(usize, usize),
}

/// Something wrong. Displays as `path:line:column: message`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file, as seen from the repository's folder.
    pub path: PathBuf,
    /// Where in it.
    pub place: Place,
    /// What is wrong, and what to do.
    pub message: String,
}

impl Finding {
    fn new(path: &Path, place: Place, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), place, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.path.display())?;
        if let Place::At(line, column) = self.place {
            write!(f, "{line}:{column}:")?;
        }
        write!(f, " {}", self.message)
    }
}

/// Reads a recipe's text; where anything is wrong with it all of that, in the order of the lines, with line and column.
pub(crate) fn read_recipe(text: &str) -> std::result::Result<Recipe, Vec<(usize, usize, String)>> {
    let source = Source::new(text);
    let (mut document, recipe) = document::read::<Recipe>(&source);
    let found = entries::check(&document.table);
    document.add(found);
    let problems = document.into_problems();
    match recipe {
        Some(recipe) if problems.is_empty() => Ok(recipe),
        _ => Err(problems.into_iter().map(|it| located(text, it)).collect()),
    }
}

fn located(text: &str, problem: Problem) -> (usize, usize, String) {
    let (line, column) = position(text, problem.at);
    (line, column, problem.message)
}

/// Looks at the recipes of these names, and with no names at all recipes, editions and pins of the repository at `root`. `programs` are those
/// of its workspace, without which the recipes' programs are not looked up. The findings are in the order of files and lines.
///
/// # Errors
/// There is no recipe of a name, or files cannot be read.
pub fn lint(root: &Path, names: &[String], programs: Option<&Programs>) -> Result<Vec<Finding>> {
    let all = recipes(root)?;
    if let Some(unknown) = names.iter().find(|name| !all.contains(*name)) {
        return Err(unknown_recipe(root, unknown, &all));
    }
    let texts = all.iter().map(|name| Ok((name.as_str(), text(root, &recipe_path(name))?))).collect::<Result<BTreeMap<_, _>>>()?;
    let mut general = Vec::new();
    let around = surroundings(root, &texts, programs, &mut general)?;
    let mut findings = if names.is_empty() { general } else { Vec::new() };
    for (name, text) in texts.iter().filter(|(name, _)| names.is_empty() || names.iter().any(|it| it == *name)) {
        let source = Source::new(text);
        let (mut document, _) = document::read::<Recipe>(&source);
        let found = [entries::check(&document.table), around.check(name, &document.table)].concat();
        document.add(found);
        let lines = |at: usize| position(text, at).0;
        let mut above = folder::Above::new();
        for (key, image, path) in entries::paths(&document.table) {
            if !matches!(key, "permission" | "directory") {
                above.insert((image.to_owned(), path.text.to_owned()), lines(path.at));
            }
        }
        let shown = Path::new("recipes").join(name);
        folder::check(&root.join(&shown), &shown, &above, &mut findings)?;
        tell(&recipe_path(name), text, document, &mut findings);
    }
    findings.sort();
    findings.dedup();
    Ok(findings)
}

/// The names of the recipes of the repository at `root`.
///
/// # Errors
/// The folder cannot be read.
pub fn recipes(root: &Path) -> Result<BTreeSet<String>> {
    let folder = root.join("recipes");
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(&folder).on("read", &folder)? {
        let entry = entry.on("read", &folder)?;
        if entry.path().join("recipe.toml").exists() {
            names.insert(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(names)
}

pub(crate) fn unknown_recipe(root: &Path, name: &str, all: &BTreeSet<String>) -> Error {
    // A name that has the other in it is the likeliest slip.
    let near: Vec<&str> = all.iter().filter(|it| it.contains(name) || name.contains(it.as_str())).map(String::as_str).collect();
    let near = if near.is_empty() || name.is_empty() { String::new() } else { format!("; there is {}", near.join(", ")) };
    Error::config(root.join("recipes"), format!("there is no recipe \"{name}\"{near}"))
}

fn recipe_path(name: &str) -> PathBuf {
    Path::new("recipes").join(name).join("recipe.toml")
}

fn text(root: &Path, path: &Path) -> Result<String> {
    let path = root.join(path);
    fs::read_to_string(&path).on("read", &path)
}

fn tell(path: &Path, text: &str, document: Document<'_>, findings: &mut Vec<Finding>) {
    for problem in document.into_problems() {
        let (line, column, message) = located(text, problem);
        findings.push(Finding::new(path, Place::At(line, column), message));
    }
}

/// Reads what there is beside single recipes, and tells what is wrong with that.
fn surroundings<'a>(root: &Path, texts: &BTreeMap<&str, String>, programs: Option<&'a Programs>, findings: &mut Vec<Finding>) -> Result<Surroundings<'a>> {
    let recipes: BTreeMap<String, Vec<_>> = texts
        .iter()
        .map(|(name, text)| {
            let source = Source::new(text);
            let (document, _) = document::read::<Recipe>(&source);
            let depends = strings(&document.table, "depends").into_iter().filter_map(|it| it.text.parse().ok());
            ((*name).to_owned(), depends.collect())
        })
        .collect();
    strays(root, &recipes.keys().cloned().collect(), findings)?;
    let mut around = Surroundings { recipes, editions: BTreeMap::new(), lock: None, excluded: BTreeSet::new(), programs };
    let debian = look::<Debian>(root, "recipes/debian.toml", findings, |debian| {
        let reasons = debian.get("exclude").and_then(|it| it.get_ref().as_table());
        let reasons = reasons.into_iter().flat_map(|it| it.keys().filter_map(|key| string(it, key.get_ref()).map(|reason| (key.get_ref().clone(), reason))));
        reasons.filter(|(_, reason)| reason.text.trim().is_empty()).map(|(name, reason)| Problem::new(reason.at, format!("exclusion of {name} has no reason"))).collect()
    })?;
    around.excluded = debian.map(|it| it.exclude.into_keys().collect()).unwrap_or_default();
    let document = look::<lock::Document>(root, "recipes/lock.toml", findings, lock::problems)?;
    around.lock = document.and_then(|it| Lock::new(it.package).ok());
    let known = |table: &toml::de::DeTable<'_>, key: &str| -> Vec<Problem> {
        let mut seen = BTreeSet::new();
        let names = strings(table, key).into_iter();
        names
            .filter_map(|it| match (around.recipes.contains_key(it.text), seen.insert(it.text.to_owned())) {
                (false, _) => Some(Problem::new(it.at, format!("there is no recipe {}", it.text))),
                (_, false) => Some(Problem::new(it.at, format!("{} is named twice", it.text))),
                _ => None,
            })
            .collect()
    };
    let filesystem = look::<Filesystem>(root, "filesystem.toml", findings, |it| known(it, "recipes"))?;
    let Some(filesystem) = filesystem else { return Ok(around) };
    let base: BTreeSet<String> = filesystem.recipes.into_iter().collect();
    let mut editions = BTreeMap::new();
    for name in crate::recipe::Project::editions(root)? {
        let path = format!("editions/{name}.toml");
        let edition = look::<Edition>(root, &path, findings, |it| {
            let mut problems = known(it, "add");
            problems.extend(strings(it, "add").into_iter().filter(|it| base.contains(it.text)).map(|it| Problem::new(it.at, format!("filesystem.toml has {} already", it.text))));
            let gone = strings(it, "remove").into_iter().filter(|it| !base.contains(it.text));
            problems.extend(gone.map(|it| Problem::new(it.at, format!("removes recipe {}, which filesystem.toml does not have", it.text))));
            problems
        })?;
        if let Some(edition) = edition {
            let mut recipes = base.clone();
            recipes.retain(|it| !edition.remove.contains(it));
            recipes.extend(edition.add);
            editions.insert(PathBuf::from(path), recipes);
        }
    }
    around.editions = editions;
    Ok(around)
}

/// Reads a file of the repository and tells what is wrong with it. What it says, where it can be read.
fn look<T: DeserializeOwned>(root: &Path, path: &str, findings: &mut Vec<Finding>, check: impl FnOnce(&toml::de::DeTable<'_>) -> Vec<Problem>) -> Result<Option<T>> {
    let text = text(root, Path::new(path))?;
    let source = Source::new(&text);
    let (mut document, read) = document::read::<T>(&source);
    let found = check(&document.table);
    document.add(found);
    tell(Path::new(path), &text, document, findings);
    Ok(read)
}

/// What lies in `recipes/` and is no recipe.
fn strays(root: &Path, recipes: &BTreeSet<String>, findings: &mut Vec<Finding>) -> Result<()> {
    let folder = root.join("recipes");
    for entry in fs::read_dir(&folder).on("read", &folder)? {
        let name = entry.on("read", &folder)?.file_name().to_string_lossy().into_owned();
        if !recipes.contains(&name) && !matches!(name.as_str(), "debian.toml" | "lock.toml") {
            findings.push(Finding::new(&Path::new("recipes").join(name), Place::File, "is not used: there is no recipe.toml in it"));
        }
    }
    Ok(())
}
