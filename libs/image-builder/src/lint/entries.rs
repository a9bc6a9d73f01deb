//! What is wrong with a recipe as it is written, whatever else there is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path};

use gpm::dependency::{Dependency, is_package_name};
use gpm::version::Version;
use toml::de::DeTable;

use super::document::{Problem, Text, string, strings, tables};
use crate::licence;
use crate::pypi;

/// All that can be told from the recipe alone.
pub(crate) fn check(table: &DeTable<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut tell = |at: Text<'_>, problem: Option<String>| problems.extend(problem.map(|it| Problem::new(at.at, it)));
    if let Some(it) = string(table, "summary") {
        tell(it, (it.text.trim().is_empty() || it.text.contains('\n')).then(|| "the summary is one line on what it is".into()));
    }
    if let Some(it) = string(table, "license") {
        tell(it, licence::problem(it.text));
    }
    if let Some(it) = string(table, "version") {
        tell(it, Version::new(it.text).err().map(|error| format!("version {error}")));
    }
    for it in strings(table, "depends") {
        tell(it, it.text.parse::<Dependency>().err().map(|error| format!("dependency {error}")));
    }
    for it in strings(table, "debian").into_iter().chain(tables(table, "extract").into_iter().filter_map(|(it, _)| string(it, "package"))) {
        tell(it, debian_name(it.text));
    }
    for (program, _) in tables(table, "program") {
        let image = string(program, "image").map_or("root", |it| it.text);
        if let Some(it) = string(program, "linkage").filter(|it| it.text == "dynamic" && image != "root") {
            tell(it, Some(format!("a program of the {image} is linked statically: there is no ld.so")));
        }
    }
    let binaries: BTreeSet<&str> = tables(table, "program").into_iter().filter_map(|(it, _)| binary(it)).map(|it| it.text).collect();
    for it in tables(table, "generated").into_iter().filter_map(|(it, _)| string(it, "program")) {
        tell(it, (!binaries.contains(it.text)).then(|| format!("\"{}\" is no program of this recipe", it.text)));
    }
    for it in tables(table, "extract").into_iter().filter_map(|(it, _)| string(it, "image")).filter(|it| it.text == "root") {
        tell(it, Some("extract is for the initfs: name the package in `debian` for the root".into()));
    }
    for (file, _) in tables(table, "pypi") {
        for (key, problem) in [("release", pypi::release_problem as fn(&str) -> _), ("sha256", pypi::sha256_problem), ("member", pypi::member_problem)] {
            if let Some(it) = string(file, key) {
                tell(it, problem(it.text));
            }
        }
    }
    for (key, _, path) in paths(table) {
        tell(path, bad_path(key, path.text));
    }
    for it in tables(table, "extract").into_iter().filter_map(|(it, _)| string(it, "file")) {
        tell(it, bad_path("file", it.text));
    }
    for key in ["symlink", "initfs_symlink"] {
        for it in tables(table, key).into_iter().filter_map(|(it, _)| string(it, "target")) {
            tell(it, it.text.is_empty().then(|| "a link points to something".into()));
        }
    }
    problems.extend(twice(table));
    problems
}

/// The binary of a `[[program]]`.
pub(crate) fn binary<'d>(program: &'d DeTable<'_>) -> Option<Text<'d>> {
    string(program, "binary").or_else(|| string(program, "package"))
}

/// The paths of an image that the recipe speaks of: the array's key, the image, and the path.
pub(crate) fn paths<'d>(table: &'d DeTable<'_>) -> Vec<(&'static str, &'d str, Text<'d>)> {
    let kinds = [("program", ""), ("extract", ""), ("pypi", "root"), ("directory", "root"), ("symlink", "root"), ("permission", "root"), ("initfs_symlink", "initfs")];
    let mut found = Vec::new();
    for (key, image) in kinds {
        for (it, _) in tables(table, key) {
            let image = if image.is_empty() { string(it, "image").map_or("root", |it| it.text) } else { image };
            found.extend(string(it, "path").map(|path| (key, image, path)));
        }
    }
    found
}

fn debian_name(name: &str) -> Option<String> {
    if is_package_name(name) {
        return None;
    }
    let pinned = if name.contains('=') { ": versions are pinned in recipes/lock.toml" } else { "" };
    Some(format!("\"{name}\" is no name of a Debian package{pinned}"))
}

fn bad_path(key: &str, path: &str) -> Option<String> {
    let Some(inside) = path.strip_prefix('/') else { return Some(format!("path {path} must be absolute")) };
    // `Path` takes `a//b` and `a/.` for `a/b` and `a`.
    let is_plain = inside.split('/').all(|part| !matches!(part, "" | "." | "..")) && Path::new(inside).components().all(|it| matches!(it, Component::Normal(_)));
    if inside.is_empty() && matches!(key, "directory" | "permission") {
        return None;
    }
    (!is_plain || path.contains('\0')).then(|| format!("path {path} has parts that are empty, `.` or `..`"))
}

/// What is named twice.
fn twice(table: &DeTable<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for key in ["depends", "debian"] {
        let mut seen = BTreeSet::new();
        problems.extend(strings(table, key).into_iter().filter(|it| !seen.insert(it.text)).map(|it| Problem::new(it.at, format!("\"{}\" is named twice", it.text))));
    }
    let mut seen: BTreeMap<(&str, bool, &str), &str> = BTreeMap::new();
    for (key, image, path) in paths(table) {
        // Permissions are those of something that is there.
        if let Some(first) = seen.insert((image, key == "permission", path.text), key) {
            let with = if first == key { String::new() } else { format!(" ([[{first}]] and [[{key}]])") };
            problems.push(Problem::new(path.at, format!("{} of the {image} is named twice{with}", path.text)));
        }
    }
    problems
}
