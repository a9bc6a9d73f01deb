//! What is wrong between recipes: dependencies, pins, editions, programs of the workspace.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;

use gpm::dependency::{Dependency, is_package_name};
use toml::de::DeTable;

use super::document::{Problem, string, strings, tables};
use super::entries::binary;
use crate::debian::lock::Lock;
use crate::workspace::Programs;

/// What there is beside a recipe.
pub(super) struct Surroundings<'a> {
    /// The recipes with their `depends`.
    pub recipes: BTreeMap<String, Vec<Dependency>>,
    /// The editions' files as they are shown, with the recipes of each.
    pub editions: BTreeMap<PathBuf, BTreeSet<String>>,
    /// Debian's packages as they are pinned; nothing where the lock file cannot be read.
    pub lock: Option<Lock>,
    /// What no dependency of Debian's brings in.
    pub excluded: BTreeSet<String>,
    /// The workspace's programs, where they are known.
    pub programs: Option<&'a Programs>,
}

impl Surroundings<'_> {
    /// All that is wrong with a recipe beside others.
    pub fn check(&self, name: &str, table: &DeTable<'_>) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !is_package_name(name) {
            problems.push(Problem::new(0, format!("the folder's name \"{name}\" can be no package's: two or more of a-z 0-9 + - .")));
        }
        if !self.editions.is_empty() && !self.editions.values().any(|recipes| recipes.contains(name)) {
            problems.push(Problem::new(0, "is not used: neither filesystem.toml nor an edition has it"));
        }
        self.dependencies(name, table, &mut problems);
        self.pins(table, &mut problems);
        self.workspace(table, &mut problems);
        problems
    }

    fn dependencies(&self, name: &str, table: &DeTable<'_>, problems: &mut Vec<Problem>) {
        for it in strings(table, "depends") {
            let Ok(dependency) = it.text.parse::<Dependency>() else { continue };
            let mut tell = |message: String| problems.push(Problem::new(it.at, message));
            let names: Vec<&str> = dependency.alternatives.iter().map(|it| it.name.as_str()).collect();
            let is_pinned = |name: &str| self.lock.as_ref().is_none_or(|lock| lock.get(name).is_some());
            for unknown in names.iter().filter(|it| !self.recipes.contains_key(**it) && !is_pinned(it)) {
                tell(format!("\"{unknown}\" is neither a recipe nor a Debian package of recipes/lock.toml"));
            }
            let are_recipes = names.iter().all(|it| self.recipes.contains_key(*it));
            for (edition, recipes) in self.editions.iter().filter(|(_, recipes)| are_recipes && recipes.contains(name)) {
                if !names.iter().any(|it| recipes.contains(*it)) {
                    tell(format!("the edition of {} has {name}, but not \"{}\"", edition.display(), it.text));
                }
            }
            if let Some(circle) = names.iter().find_map(|first| self.way(first, name)) {
                tell(format!("depends on itself: {name} -> {}", circle.join(" -> ")));
            }
        }
    }

    /// The shortest way along dependencies from one recipe to another, with both.
    fn way(&self, from: &str, to: &str) -> Option<Vec<String>> {
        let mut reached = BTreeSet::from([from.to_owned()]);
        let mut ways = VecDeque::from([vec![from.to_owned()]]);
        while let Some(way) = ways.pop_front() {
            let last = way.last()?;
            if last == to {
                return Some(way);
            }
            let next = self.recipes.get(last).into_iter().flatten().flat_map(|it| &it.alternatives);
            for next in next.map(|it| &it.name).filter(|it| self.recipes.contains_key(*it)) {
                if reached.insert(next.clone()) {
                    ways.push_back(way.iter().chain([next]).cloned().collect());
                }
            }
        }
        None
    }

    /// Debian's packages have a pin, and all that these need.
    fn pins(&self, table: &DeTable<'_>, problems: &mut Vec<Problem>) {
        let Some(lock) = &self.lock else { return };
        let extracts = tables(table, "extract").into_iter().filter_map(|(it, _)| string(it, "package"));
        for it in strings(table, "debian").into_iter().chain(extracts).filter(|it| is_package_name(it.text)) {
            if lock.get(it.text).is_none() {
                problems.push(Problem::new(it.at, format!("the Debian package {} is not pinned in recipes/lock.toml: `./gos recipe update NAME --write`", it.text)));
                continue;
            }
            let mut reached = BTreeSet::from([it.text]);
            let mut next = vec![it.text];
            while let Some(package) = next.pop().and_then(|name| lock.get(name)) {
                for needed in package.depends.iter().filter(|it| !self.excluded.contains(*it)) {
                    if lock.get(needed).is_none() {
                        problems.push(Problem::new(it.at, format!("the Debian package {} needs {needed}, which is not pinned in recipes/lock.toml", package.name)));
                    } else if reached.insert(needed) {
                        next.push(needed);
                    }
                }
            }
        }
    }

    fn workspace(&self, table: &DeTable<'_>, problems: &mut Vec<Problem>) {
        let Some(programs) = self.programs else { return };
        for (program, _) in tables(table, "program") {
            let (Some(package), Some(binary)) = (string(program, "package"), binary(program)) else { continue };
            match programs.get(package.text) {
                None => problems.push(Problem::new(package.at, format!("the workspace has no package {}", package.text))),
                Some(binaries) if !binaries.contains(binary.text) => {
                    problems.push(Problem::new(binary.at, format!("the package {} has no program {}", package.text, binary.text)));
                }
                Some(_) => {}
            }
        }
    }
}
