//! What is wrong with the files beside a recipe.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path};

use super::{Finding, Place};
use crate::error::{IoContext, Result};

/// Folders whose files a build takes, and the image that they go into.
const TAKEN: [(&str, &str); 3] = [("files", "root"), ("initfs", "initfs"), ("live", "live")];

/// What is put into an image over the recipe's own files, by image and path: the line of the recipe that says so.
pub(super) type Above = BTreeMap<(String, String), usize>;

/// Looks at a recipe's folder; `shown` is its path for people.
pub(super) fn check(folder: &Path, shown: &Path, above: &Above, findings: &mut Vec<Finding>) -> Result<()> {
    for (name, metadata) in entries(folder)? {
        let (path, shown) = (folder.join(&name), shown.join(&name));
        let mut tell = |message: String| findings.push(Finding::new(&shown, Place::File, message));
        let taken = TAKEN.iter().find(|(taken, _)| *taken == name);
        if name != "recipe.toml" && taken.is_none() {
            tell("is not used: a recipe's files are in `files/` (for the root), `initfs/` and `live/`".into());
        } else if metadata.is_symlink() {
            tell("is a link to what is outside of the recipe's folder".into());
        } else if let Some((_, image)) = taken {
            if !metadata.is_dir() {
                tell("is no folder".into());
            } else if count(&path, &shown, "", image, above, findings)? == 0 {
                findings.push(Finding::new(&shown, Place::File, "has no files"));
            }
        }
    }
    Ok(())
}

/// The entries of a folder in order.
fn entries(folder: &Path) -> Result<BTreeMap<String, fs::Metadata>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).on("read", folder)? {
        let entry = entry.on("read", folder)?;
        let metadata = fs::symlink_metadata(entry.path()).on("examine", &entry.path())?;
        found.insert(entry.file_name().to_string_lossy().into_owned(), metadata);
    }
    Ok(found)
}

/// Looks at what goes to `inside` of an image, and tells how many files and links there are.
fn count(folder: &Path, shown: &Path, inside: &str, image: &str, above: &Above, findings: &mut Vec<Finding>) -> Result<usize> {
    let mut files = 0;
    for (name, metadata) in entries(folder)? {
        let (path, shown, inside) = (folder.join(&name), shown.join(&name), format!("{inside}/{name}"));
        let mut tell = |message: String| findings.push(Finding::new(&shown, Place::File, message));
        if metadata.is_dir() {
            files += count(&path, &shown, &inside, image, above, findings)?;
            continue;
        }
        files += 1;
        if name.contains(char::REPLACEMENT_CHARACTER) {
            tell("the name is not UTF-8".into());
            continue;
        }
        if let Some(line) = above.get(&(image.to_owned(), inside.clone())) {
            tell(format!("is not used: line {line} of the recipe puts something else there"));
        }
        if metadata.is_symlink() {
            let target = fs::read_link(&path).on("read", &path)?;
            if leaves(&inside, &target) {
                tell(format!("points to {}, which is outside of the image", target.display()));
            }
        } else if !metadata.is_file() {
            tell("is neither a file nor a folder nor a link".into());
        }
    }
    Ok(files)
}

/// Whether a link goes above the image's root.
fn leaves(link: &str, target: &Path) -> bool {
    let mut depth = if target.is_absolute() { 0 } else { link.matches('/').count() as isize - 1 };
    target.components().any(|part| {
        match part {
            Component::ParentDir => depth -= 1,
            Component::Normal(_) => depth += 1,
            _ => {}
        }
        depth < 0
    })
}
