//! Finds which packages must come and go so that a wish comes true, or says why it cannot.
//!
//! Nothing that is installed goes unasked: where a wish is in the way of an installed package, that is a conflict, and removing the package
//! one of the repairs that are proposed. Two exceptions: a package that declares to replace another takes its place, and one that only came
//! as a dependency gives way.

mod explain;
mod pool;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use resolvo::{Problem, Solver, UnsolvableOrCancelled};
use serde::Serialize;

pub use explain::{Conflict, Repair, RepairAction};
use pool::{Attempt, Pool, index};

use crate::dependency::{Dependency, Relation};
use crate::manifest::Manifest;
use crate::version::Version;

/// A version of a package that is installed or can be had.
#[derive(Clone, Debug)]
pub struct Available {
    /// What it says of itself.
    pub manifest: Arc<Manifest>,
    /// The repository it comes from; `None` for a file and for what is installed only.
    pub repository: Option<Arc<str>>,
    /// Its repository's priority: a higher one goes before a higher version.
    pub priority: i32,
    /// Whether it is the version that is installed.
    pub installed: bool,
}

impl Available {
    fn rank(&self) -> (i32, &Version, bool) {
        (self.priority, &self.manifest.version, self.installed)
    }
}

/// What is known of the machine beside the packages.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Installed packages that somebody asked for; the others came as dependencies.
    pub manual: BTreeSet<String>,
    /// Only these versions of the named packages are considered.
    pub pins: Vec<Relation>,
    /// Installed packages that stay at their version.
    pub holds: BTreeSet<String>,
}

/// Which installed packages are to be brought to a newer version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Upgrade {
    /// Only where the wish needs it.
    #[default]
    None,
    /// These.
    Some(BTreeSet<String>),
    /// All.
    All,
}

/// A wish.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// What is to be there.
    pub install: Vec<Dependency>,
    /// Packages that are to be gone.
    pub remove: BTreeSet<String>,
    /// Whether those go too that need what is to be gone.
    pub cascade: bool,
    /// What is to be newer.
    pub upgrade: Upgrade,
    /// Packages that may become older than they are.
    pub downgrade: BTreeSet<String>,
    /// Whether to leave out the optional dependencies that are installed by default.
    pub without_optional: bool,
}

/// One package that comes, goes, or changes.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum Change {
    /// A new one.
    Install {
        /// Its name.
        name: String,
        /// Its version.
        version: Version,
        /// Where it is from: a number in the list of packages that was given.
        #[serde(skip)]
        package: usize,
        /// Whether the wish names it.
        requested: bool,
    },
    /// Another version, newer or older.
    Replace {
        /// Its name.
        name: String,
        /// The version that goes.
        from: Version,
        /// The version that comes.
        version: Version,
        /// Where it is from: a number in the list of packages that was given.
        #[serde(skip)]
        package: usize,
        /// Whether the wish names it.
        requested: bool,
    },
    /// One that goes.
    Remove {
        /// Its name.
        name: String,
        /// Its version.
        version: Version,
        /// Whether the wish names it.
        requested: bool,
    },
}

impl Change {
    /// The package it is about.
    pub fn name(&self) -> &str {
        match self {
            Change::Install { name, .. } | Change::Replace { name, .. } | Change::Remove { name, .. } => name,
        }
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum SolveError {
    /// Nobody has such a package.
    #[error("no repository has a package {wanted}{}", near(.similar))]
    Unknown {
        /// What was asked for.
        wanted: String,
        /// Names that look like it.
        similar: Vec<String>,
    },
    /// A package that is to go, be held or the like is not there.
    #[error("{0} is not installed")]
    NotInstalled(String),
    /// The wish cannot come true.
    #[error("{0}")]
    Conflict(Box<Conflict>),
    /// Somebody stopped it.
    #[error("cancelled")]
    Cancelled,
}

fn near(similar: &[String]) -> String {
    if similar.is_empty() { String::new() } else { format!("; there is {}", similar.join(", ")) }
}

/// Something that must hold in the end.
#[derive(Clone, Debug)]
enum Root {
    /// The wish names it.
    Wanted(Dependency),
    /// It is installed, and stays in some version, or what replaces it does.
    Keep { name: String, manual: bool },
    /// An optional dependency of a package that is new.
    Optional(Dependency),
    /// This version of this package and no other.
    Exactly(usize),
}

/// Solves wishes over one list of packages.
pub struct Resolver<'a> {
    pool: Pool<'a>,
    policy: &'a Policy,
    installed: BTreeMap<&'a str, usize>,
    cancelled: &'a dyn Fn() -> bool,
}

/// The outcome of one attempt.
enum Outcome {
    Solved(Vec<usize>),
    /// The roots that cannot hold together, and what was found on the way.
    Unsolvable(Vec<usize>, explain::Facts),
}

impl<'a> Resolver<'a> {
    /// A solver over `packages`, which hold the installed ones too. `cancelled` is asked often.
    pub fn new(packages: &'a [Available], policy: &'a Policy, cancelled: &'a dyn Fn() -> bool) -> Resolver<'a> {
        let installed = packages.iter().enumerate().filter(|(_, it)| it.installed).map(|(number, it)| (it.manifest.name.as_str(), number)).collect();
        Resolver { pool: Pool::new(packages), policy, installed, cancelled }
    }

    /// What must change so that `request` comes true; sorted by name, and empty where it is true already.
    ///
    /// # Errors
    /// Where a name is unknown, the wish cannot come true, or somebody stopped it.
    pub fn solve(&self, request: &Request) -> Result<Vec<Change>, SolveError> {
        let request = self.checked(request)?;
        let mut roots = self.roots(&request);
        let mut solution = self.settle(&request, &mut roots)?;
        if !request.without_optional {
            // New packages bring new wishes, whose packages may bring more.
            let mut tried = HashSet::new();
            loop {
                let wishes = self.optional(&solution, &mut tried);
                if wishes.is_empty() {
                    break;
                }
                roots.extend(wishes.into_iter().map(Root::Optional));
                solution = self.settle(&request, &mut roots)?;
            }
        }
        Ok(self.changes(&request, &solution))
    }

    /// Whether these dependencies can hold together on an empty machine.
    ///
    /// # Errors
    /// When somebody stopped it.
    pub fn installable(&self, package: usize) -> Result<bool, SolveError> {
        Ok(matches!(self.attempt(&Request::default(), &[Root::Exactly(package)])?, Outcome::Solved(_)))
    }

    fn checked(&self, request: &Request) -> Result<Request, SolveError> {
        let mut request = request.clone();
        for wanted in &request.install {
            if wanted.alternatives.iter().all(|it| self.pool.matching(it).is_empty()) {
                return Err(SolveError::Unknown { wanted: wanted.to_string(), similar: self.similar(&wanted.alternatives[0]) });
            }
        }
        let none = BTreeSet::new();
        let upgraded = if let Upgrade::Some(names) = &request.upgrade { names } else { &none };
        let named = request.remove.iter().chain(upgraded);
        for name in named {
            if !self.installed.contains_key(name.as_str()) {
                return Err(SolveError::NotInstalled(name.clone()));
            }
        }
        if request.cascade {
            request.remove = self.with_dependents(&request.remove);
        }
        Ok(request)
    }

    fn similar(&self, relation: &Relation) -> Vec<String> {
        let other: Vec<String> = self.pool.versions(&relation.name).iter().map(|it| self.pool.packages[index(*it)].manifest.id()).collect();
        if !other.is_empty() {
            return other.into_iter().take(5).collect();
        }
        similar(&relation.name, &mut self.pool.packages.iter().map(|it| it.manifest.name.as_str()))
    }

    /// The installed packages that `gone` leaves without something they need, and `gone` itself.
    pub fn with_dependents(&self, gone: &BTreeSet<String>) -> BTreeSet<String> {
        let mut gone = gone.clone();
        loop {
            let here = |it: &usize| !gone.contains(&self.pool.packages[*it].manifest.name);
            let present: HashSet<usize> = self.installed.values().copied().filter(here).collect();
            let broken: Vec<String> = present
                .iter()
                .map(|it| &self.pool.packages[*it].manifest)
                .filter(|manifest| manifest.depends.iter().any(|it| !self.satisfied(it, &present)))
                .map(|manifest| manifest.name.clone())
                .collect();
            if broken.is_empty() {
                return gone;
            }
            gone.extend(broken);
        }
    }

    fn satisfied(&self, dependency: &Dependency, present: &HashSet<usize>) -> bool {
        dependency.alternatives.iter().flat_map(|it| self.pool.matching(it)).any(|(_, list)| list.iter().any(|it| present.contains(&index(*it))))
    }

    fn roots(&self, request: &Request) -> Vec<Root> {
        let mut roots: Vec<Root> = request.install.iter().cloned().map(Root::Wanted).collect();
        let kept = self.installed.keys().filter(|name| !request.remove.contains(**name));
        roots.extend(kept.map(|name| Root::Keep { name: (*name).to_owned(), manual: self.policy.manual.contains(*name) }));
        roots
    }

    /// Solves, and lets go of what need not be kept where it is in the way.
    fn settle(&self, request: &Request, roots: &mut Vec<Root>) -> Result<Vec<usize>, SolveError> {
        loop {
            match self.attempt(request, roots)? {
                Outcome::Solved(solution) => return Ok(solution),
                Outcome::Unsolvable(core, facts) => {
                    let soft = |root: &Root| matches!(root, Root::Optional(_));
                    let auto = |root: &Root| matches!(root, Root::Keep { manual: false, .. });
                    let weak = |kind: &dyn Fn(&Root) -> bool| core.iter().copied().find(|it| kind(&roots[*it]));
                    match weak(&soft).or_else(|| weak(&auto)) {
                        Some(number) => drop(roots.remove(number)),
                        None => return Err(SolveError::Conflict(Box::new(self.explain(request, roots, core, facts)?))),
                    }
                }
            }
        }
    }

    /// Optional dependencies of what would be new that nothing satisfies yet.
    fn optional(&self, solution: &[usize], tried: &mut HashSet<String>) -> Vec<Dependency> {
        let present: HashSet<usize> = solution.iter().copied().collect();
        let mut wishes: Vec<Dependency> = Vec::new();
        for package in solution.iter().map(|it| &self.pool.packages[*it]) {
            if package.installed || self.installed.contains_key(package.manifest.name.as_str()) {
                continue;
            }
            for optional in package.manifest.optional.iter().filter(|it| it.default) {
                let dependency = &optional.dependency;
                let known = dependency.alternatives.iter().any(|it| !self.pool.matching(it).is_empty());
                if known && !self.satisfied(dependency, &present) {
                    wishes.push(dependency.clone());
                }
            }
        }
        // Each is tried once, whether it could be had or not.
        wishes.retain(|it| tried.insert(it.to_string()));
        wishes
    }

    fn requirement(&self, request: &Request, root: &Root) -> resolvo::Requirement {
        match root {
            Root::Wanted(dependency) | Root::Optional(dependency) => self.pool.requirement(dependency),
            Root::Exactly(package) => {
                let manifest = &self.pool.packages[*package].manifest;
                let this: Vec<_> = self.pool.versions(&manifest.name).into_iter().filter(|it| index(*it) == *package).collect();
                self.pool.one_of(&this, &manifest.id())
            }
            Root::Keep { name, .. } => {
                let mut list = self.pool.versions(name);
                let mut successors = Vec::new();
                let old = self.installed.get(name.as_str()).map(|it| &self.pool.packages[*it].manifest);
                let names = |relations: &[Relation], old: &Manifest| relations.iter().any(|it| it.name == old.name && it.matches_version(&old.version));
                for (number, package) in self.pool.packages.iter().enumerate().filter(|(_, it)| !it.manifest.replaces.is_empty()) {
                    let new = &package.manifest;
                    if let Some(old) = old
                        && new.name != *name
                        && names(&new.replaces, old)
                        && names(&new.conflicts, old)
                    {
                        successors.extend(self.pool.versions(&new.name).into_iter().find(|it| index(*it) == number));
                    }
                }
                // A package that no repository has any more has been renamed; else the other is an alternative to it.
                let renamed = request.upgrade == Upgrade::All && matches!(list.as_slice(), [only] if self.pool.packages[index(*only)].repository.is_none());
                if renamed {
                    successors.append(&mut list);
                    list = successors;
                } else {
                    list.append(&mut successors);
                }
                self.pool.one_of(&list, name)
            }
        }
    }

    /// Why a version cannot be taken, if so.
    fn excluded(&self, request: &Request, package: &Available) -> Option<String> {
        let manifest = &package.manifest;
        let name = &manifest.name;
        if request.remove.contains(name) {
            return Some(format!("{name} is to be removed"));
        }
        if let Some(pin) = self.policy.pins.iter().find(|pin| pin.name == *name && !pin.matches_version(&manifest.version)) {
            return Some(format!("{name} is pinned: {pin}"));
        }
        let installed = &self.pool.packages[*self.installed.get(name.as_str())?].manifest.version;
        if package.installed {
            return None;
        }
        if self.policy.holds.contains(name) {
            return Some(format!("{name} is held at {installed}"));
        }
        if manifest.version < *installed && !request.downgrade.contains(name) {
            return Some(format!("{} would be older than the installed {installed}", manifest.id()));
        }
        None
    }

    fn attempt(&self, request: &Request, roots: &[Root]) -> Result<Outcome, SolveError> {
        let excluded = |package: &Available| self.excluded(request, package);
        let wanted: HashSet<&str> = request.install.iter().flat_map(|it| &it.alternatives).map(|it| it.name.as_str()).collect();
        let keep_version = |name: &str| match &request.upgrade {
            Upgrade::All => false,
            Upgrade::Some(names) => !names.contains(name),
            // To ask for what is there is to ask for the newest of it.
            Upgrade::None => !wanted.contains(name),
        };
        let requirements: Vec<resolvo::Requirement> = roots.iter().map(|root| self.requirement(request, root)).collect();
        let attempt = Attempt { pool: &self.pool, excluded: &excluded, keep_version: &keep_version, cancelled: self.cancelled };
        let mut solver = Solver::new(attempt);
        let problem = Problem::new().requirements(requirements.iter().map(|it| (*it).into()).collect());
        match solver.solve(problem) {
            Ok(solution) => Ok(Outcome::Solved(solution.into_iter().map(index).collect())),
            Err(UnsolvableOrCancelled::Cancelled(_)) => Err(SolveError::Cancelled),
            Err(UnsolvableOrCancelled::Unsolvable(conflict)) => {
                let graph = conflict.graph(&solver);
                let facts = explain::facts(&self.pool, &graph);
                let mut core: Vec<usize> = (0..roots.len()).filter(|it| facts.used.contains(&requirements[*it])).collect();
                if core.is_empty() {
                    core = (0..roots.len()).collect();
                }
                Ok(Outcome::Unsolvable(core, facts))
            }
        }
    }

    fn changes(&self, request: &Request, solution: &[usize]) -> Vec<Change> {
        let chosen: BTreeMap<&str, usize> = solution.iter().map(|it| (self.pool.packages[*it].manifest.name.as_str(), *it)).collect();
        let requested = |manifest: &Manifest| {
            let wanted = request.install.iter().flat_map(|it| &it.alternatives);
            wanted.into_iter().any(|it| it.name == manifest.name || manifest.provides.iter().any(|provided| it.matches_provided(provided)))
        };
        let mut changes = Vec::new();
        for (name, &package) in &chosen {
            let manifest = &self.pool.packages[package].manifest;
            let (name, version, requested) = ((*name).to_owned(), manifest.version.clone(), requested(manifest));
            match self.installed.get(name.as_str()) {
                None => changes.push(Change::Install { name, version, package, requested }),
                Some(&old) if old != package => {
                    let from = self.pool.packages[old].manifest.version.clone();
                    changes.push(Change::Replace { name, from, version, package, requested });
                }
                Some(_) => {}
            }
        }
        for (&name, &package) in self.installed.iter().filter(|(name, _)| !chosen.contains_key(*name)) {
            let version = self.pool.packages[package].manifest.version.clone();
            changes.push(Change::Remove { name: name.to_owned(), version, requested: request.remove.contains(name) });
        }
        changes.sort_by(|a, b| a.name().cmp(b.name()));
        changes
    }

    /// Installed packages that nobody asked for and none that is needed needs.
    pub fn orphans(&self) -> BTreeSet<String> {
        let all: HashSet<usize> = self.installed.values().copied().collect();
        let mut needed: HashSet<usize> = all
            .iter()
            .copied()
            .filter(|it| self.policy.manual.contains(&self.pool.packages[*it].manifest.name) || self.pool.packages[*it].manifest.essential)
            .collect();
        let mut queue: Vec<usize> = needed.iter().copied().collect();
        while let Some(package) = queue.pop() {
            let manifest = &self.pool.packages[package].manifest;
            for dependency in manifest.depends.iter().chain(manifest.optional.iter().map(|it| &it.dependency)) {
                for (_, list) in dependency.alternatives.iter().flat_map(|it| self.pool.matching(it)) {
                    queue.extend(list.into_iter().map(index).filter(|it| all.contains(it) && needed.insert(*it)));
                }
            }
        }
        let unneeded = all.difference(&needed);
        unneeded.map(|it| self.pool.packages[*it].manifest.name.clone()).collect()
    }

    /// How `name` came to be needed: chains from packages that somebody asked for down to it, each the shortest.
    pub fn why(&self, name: &str) -> Vec<Vec<String>> {
        let Some(&target) = self.installed.get(name) else { return Vec::new() };
        // From the package upwards, breadth first.
        let mut above: HashMap<usize, usize> = HashMap::new();
        let mut queue = std::collections::VecDeque::from([target]);
        let mut chains = Vec::new();
        let mut seen = HashSet::from([target]);
        while let Some(package) = queue.pop_front() {
            let manifest = &self.pool.packages[package].manifest;
            if self.policy.manual.contains(&manifest.name) {
                let mut chain = vec![manifest.name.clone()];
                let mut at = package;
                while let Some(&below) = above.get(&at) {
                    chain.push(self.pool.packages[below].manifest.name.clone());
                    at = below;
                }
                chains.push(chain);
            }
            let only = HashSet::from([package]);
            for &other in self.installed.values() {
                let needs = &self.pool.packages[other].manifest;
                let mut all = needs.depends.iter().chain(needs.optional.iter().map(|it| &it.dependency));
                if !seen.contains(&other) && all.any(|it| self.satisfied(it, &only)) {
                    seen.insert(other);
                    above.insert(other, package);
                    queue.push_back(other);
                }
            }
        }
        chains
    }
}

/// The names that are most like `name`: at most three. What begins with it is like it, the shorter the more (`firefox` and `firefox-esr`).
pub(crate) fn similar(name: &str, names: &mut dyn Iterator<Item = &str>) -> Vec<String> {
    let rank = |it: &str| match it.strip_prefix(name).filter(|_| name.len() > 2) {
        Some(rest) if rest.starts_with('-') => Some(1 + rest.len() / 8),
        _ => distance(name, it, 2),
    };
    let mut near: Vec<(usize, &str)> = names.filter_map(|it| rank(it).map(|rank| (rank, it))).collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter().take(3).map(|(_, it)| it.to_owned()).collect()
}

/// The number of edits between two names, where it is at most `limit`.
fn distance(a: &str, b: &str, limit: usize) -> Option<usize> {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > limit {
        return None;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, right) in b.iter().enumerate() {
            let cost = diagonal + usize::from(left != right);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(diagonal + 1);
        }
    }
    Some(row[b.len()]).filter(|it| *it <= limit)
}

#[cfg(test)]
mod tests;
