//! What packages say of themselves: from Debian's control files, and from recipes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use gpm::dependency::{Dependency, Relation};
use gpm::digest::Digest;
use gpm::manifest::{Architecture, Manifest};
use gpm::package::{Entry, Kind};
use gpm::version::Version;

use super::edition_package;
use crate::debian::fetch::Fetched;
use crate::error::{Error, Result};
use crate::host;
use crate::recipe::{Linkage, Project, Recipe};
use crate::tree::{self, Tree};

/// Manifests by package name.
pub(crate) type Descriptions = BTreeMap<String, Manifest>;

/// The manifests of Debian's packages whose files are in the tree.
pub(crate) fn describe(packages: &[Fetched], tree: &Tree) -> Result<Descriptions> {
    let mut files: BTreeMap<&str, gpm::deb::Files> = BTreeMap::new();
    for (path, entry) in tree.iter() {
        let (Some(owner), tree::Kind::File(content)) = (tree.owners.paths.get(path), &entry.kind) else { continue };
        let read = path.ends_with("/copyright") || path.ends_with(".desktop");
        let contents = if read { content.read()? } else { Vec::new() };
        // Only its name and its being a file matter.
        let kind = Kind::Regular { size: 0, sha512: Digest::of(b"") };
        let entry = Entry { path: path.to_owned(), mode: 0o644, uid: 0, gid: 0, mtime: 0, xattrs: BTreeMap::new(), kind };
        files.entry(owner).or_default().insert(path.to_owned(), (entry, contents));
    }
    let none = gpm::deb::Files::new();
    packages
        .iter()
        .map(|fetched| {
            let files = files.get(fetched.package.name.as_str()).unwrap_or(&none);
            Ok((fetched.package.name.clone(), debian(&fetched.path, files)?))
        })
        .collect()
}

fn debian(deb: &Path, files: &gpm::deb::Files) -> Result<Manifest> {
    let control = host::run(Command::new("dpkg-deb").arg("--ctrl-tarfile").arg(deb))?;
    let described = gpm::deb::describe(&control, files);
    described.map(|(manifest, _)| manifest).map_err(|error| Error::Packages(format!("{}: {error}", deb.display())))
}

/// All manifests of an edition: Debian's, those of recipes with files or packages of their own, and the edition's.
/// A recipe that is called as a package of Debian's is part of that.
pub(crate) fn all(project: &Project, debian: &Descriptions, tree: &Tree) -> Result<Descriptions> {
    let mut manifests = debian.clone();
    let owners: BTreeSet<&str> = tree.owners.paths.values().map(AsRef::as_ref).collect();
    for recipe in &project.recipes {
        if !owners.contains(recipe.name.as_str()) && recipe.debian.is_empty() {
            continue;
        }
        let invalid = |message: String| Error::config(recipe.folder.join("recipe.toml"), message);
        let manifest = match manifests.get(&recipe.name) {
            Some(manifest) => manifest.clone(),
            None => of_recipe(recipe).map_err(invalid)?,
        };
        let mut manifest = with_dependencies(manifest, recipe).map_err(invalid)?;
        manifest.essential |= recipe.essential;
        manifests.insert(recipe.name.clone(), manifest);
    }
    let name = edition_package(&project.edition_name);
    let version = version(env!("CARGO_PKG_VERSION")).map_err(|error| Error::image("packages", error))?;
    let summary = format!("GenAI OS, edition {}: what is made from all its packages, and the keys that are trusted", project.edition_name);
    manifests.insert(name.clone(), Manifest::new(&name, version, &summary, "MIT"));
    for (winner, loser) in &tree.owners.taken {
        if let Some(manifest) = manifests.get_mut(winner.as_str()) {
            manifest.replaces.push(Relation { name: loser.to_string(), version: None });
        }
    }
    forget_excluded(&mut manifests, &project.beside);
    Ok(manifests)
}

fn version(text: &str) -> std::result::Result<Version, String> {
    Version::new(text).map_err(|error| format!("version {text:?}: {error}"))
}

fn of_recipe(recipe: &Recipe) -> std::result::Result<Manifest, String> {
    let version = version(recipe.version.as_deref().unwrap_or(env!("CARGO_PKG_VERSION")))?;
    let mut manifest = Manifest::new(&recipe.name, version, &recipe.summary, &recipe.license);
    if !recipe.program.is_empty() {
        manifest.architecture = Architecture::X86_64;
    }
    Ok(manifest)
}

fn with_dependencies(mut manifest: Manifest, recipe: &Recipe) -> std::result::Result<Manifest, String> {
    // What the builder's own linker has linked with.
    let libc = recipe.program.iter().any(|program| program.linkage == Linkage::Dynamic).then(|| "libc6".to_owned());
    for name in recipe.debian.iter().filter(|name| **name != recipe.name).chain(&recipe.depends).chain(&libc) {
        let dependency: Dependency = name.parse().map_err(|error| format!("dependency {name:?}: {error}"))?;
        if !manifest.depends.contains(&dependency) {
            manifest.depends.push(dependency);
        }
    }
    for optional in &recipe.optional {
        if !manifest.optional.contains(optional) {
            manifest.optional.push(optional.clone());
        }
    }
    Ok(manifest)
}

/// Dependencies of Debian's on what `recipes/debian.toml` leaves out are no dependencies here.
fn forget_excluded(manifests: &mut Descriptions, beside: &BTreeSet<String>) {
    let mut names: BTreeSet<String> = manifests.keys().chain(beside).cloned().collect();
    names.extend(manifests.values().flat_map(|it| &it.provides).map(|it| it.name.clone()));
    for manifest in manifests.values_mut() {
        manifest.depends.retain(|it| it.alternatives.iter().any(|it| names.contains(&it.name)));
    }
}
