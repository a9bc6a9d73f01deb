//! Packages in the words of `resolvo`.
//!
//! A dependency becomes a union of sets of versions, one set for each real package that can satisfy it: by its name, or because some of its
//! versions provide the name. Names that are only provided therefore never reach the solver.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Display;
use std::rc::Rc;

use resolvo::{
    Candidates, Condition, ConditionId, Dependencies, DependencyProvider, HintDependenciesAvailable, Interner, KnownDependencies, NameId,
    Requirement, SolvableId, SolverCache, StringId, VersionSetId, VersionSetUnionId,
};

use crate::dependency::{Dependency, Relation};
use crate::solver::Available;

struct VersionSet {
    name: NameId,
    /// Sorted.
    matching: Rc<[SolvableId]>,
    text: String,
}

/// All packages that are known, and what has been said of them to the solver.
pub(super) struct Pool<'a> {
    pub packages: &'a [Available],
    names: HashMap<&'a str, NameId>,
    by_name: RefCell<Vec<Vec<SolvableId>>>,
    name_texts: RefCell<Vec<String>>,
    providers: HashMap<&'a str, Vec<SolvableId>>,
    /// Names that nobody has, but somebody wants.
    missing: RefCell<HashMap<String, NameId>>,
    sets: RefCell<Vec<VersionSet>>,
    unions: RefCell<Vec<Rc<[VersionSetId]>>>,
    requirements: RefCell<HashMap<String, Requirement>>,
    conflicts: RefCell<HashMap<String, Rc<[VersionSetId]>>>,
    strings: RefCell<Vec<String>>,
}

pub(super) fn index(id: SolvableId) -> usize {
    id.into_raw() as usize
}

fn id(index: usize) -> SolvableId {
    SolvableId::from_raw(u32::try_from(index).unwrap_or(u32::MAX))
}

fn next<T>(list: &[T]) -> u32 {
    u32::try_from(list.len()).unwrap_or(u32::MAX)
}

impl<'a> Pool<'a> {
    pub fn new(packages: &'a [Available]) -> Pool<'a> {
        let mut pool = Pool {
            packages,
            names: HashMap::new(),
            by_name: RefCell::default(),
            name_texts: RefCell::default(),
            providers: HashMap::new(),
            missing: RefCell::default(),
            sets: RefCell::default(),
            unions: RefCell::default(),
            requirements: RefCell::default(),
            conflicts: RefCell::default(),
            strings: RefCell::default(),
        };
        let by_name = pool.by_name.get_mut();
        let texts = pool.name_texts.get_mut();
        for (number, package) in packages.iter().enumerate() {
            let name = *pool.names.entry(&package.manifest.name).or_insert_with(|| {
                by_name.push(Vec::new());
                texts.push(package.manifest.name.clone());
                NameId::from_raw(next(by_name) - 1)
            });
            by_name[name.into_raw() as usize].push(id(number));
            for provided in &package.manifest.provides {
                pool.providers.entry(&provided.name).or_default().push(id(number));
            }
        }
        for list in by_name {
            list.sort_by(|a, b| packages[index(*b)].rank().cmp(&packages[index(*a)].rank()));
        }
        pool
    }

    /// All versions of a package, the best first.
    pub fn versions(&self, name: &str) -> Vec<SolvableId> {
        self.names.get(name).map(|name| self.by_name.borrow()[name.into_raw() as usize].clone()).unwrap_or_default()
    }

    fn name_id(&self, name: &str) -> NameId {
        if let Some(id) = self.names.get(name) {
            return *id;
        }
        *self.missing.borrow_mut().entry(name.to_owned()).or_insert_with(|| {
            let (mut by_name, mut texts) = (self.by_name.borrow_mut(), self.name_texts.borrow_mut());
            by_name.push(Vec::new());
            texts.push(name.to_owned());
            NameId::from_raw(next(&by_name) - 1)
        })
    }

    fn add_set(&self, name: NameId, mut matching: Vec<SolvableId>, text: String) -> VersionSetId {
        matching.sort_by_key(|it| it.into_raw());
        let mut sets = self.sets.borrow_mut();
        sets.push(VersionSet { name, matching: matching.into(), text });
        VersionSetId(next(&sets) - 1)
    }

    /// The versions that satisfy a relation, by real package: first that of its own name, then the providers.
    pub fn matching(&self, relation: &Relation) -> Vec<(NameId, Vec<SolvableId>)> {
        let mut found: Vec<(NameId, Vec<SolvableId>)> = Vec::new();
        let own: Vec<SolvableId> =
            self.versions(&relation.name).into_iter().filter(|it| relation.matches_version(&self.packages[index(*it)].manifest.version)).collect();
        if !own.is_empty() {
            found.push((self.name_id(&relation.name), own));
        }
        for &provider in self.providers.get(relation.name.as_str()).map_or(&[][..], Vec::as_slice) {
            let manifest = &self.packages[index(provider)].manifest;
            if !manifest.provides.iter().any(|provided| relation.matches_provided(provided)) {
                continue;
            }
            let name = self.name_id(&manifest.name);
            match found.iter_mut().find(|(it, _)| *it == name) {
                Some((_, list)) if !list.contains(&provider) => list.push(provider),
                Some(_) => {}
                None => found.push((name, vec![provider])),
            }
        }
        let first = usize::from(found.first().is_some_and(|(name, _)| Some(name) == self.names.get(relation.name.as_str())));
        // Installed ones first, then by rank.
        let packages = self.packages;
        let best = |list: &[SolvableId]| {
            let rank = list.iter().map(|it| packages[index(*it)].rank().0).max().unwrap_or(i32::MIN);
            (list.iter().any(|it| packages[index(*it)].installed), rank)
        };
        found[first..].sort_by_key(|(name, list)| (std::cmp::Reverse(best(list)), name.into_raw()));
        found
    }

    /// A dependency as the solver knows it.
    pub fn requirement(&self, dependency: &Dependency) -> Requirement {
        let key = dependency.to_string();
        if let Some(requirement) = self.requirements.borrow().get(&key) {
            return *requirement;
        }
        let mut sets = Vec::new();
        let mut installed = Vec::new();
        for relation in &dependency.alternatives {
            for (name, list) in self.matching(relation) {
                let here = list.iter().any(|it| self.packages[index(*it)].installed);
                let set = self.add_set(name, list, key.clone());
                if here { installed.push(set) } else { sets.push(set) }
            }
        }
        // What is there already satisfies an alternative at least cost.
        installed.append(&mut sets);
        let requirement = match installed.as_slice() {
            [] => self.add_set(self.name_id(&dependency.alternatives[0].name), Vec::new(), key.clone()).into(),
            [only] => (*only).into(),
            _ => self.union(installed),
        };
        self.requirements.borrow_mut().insert(key, requirement);
        requirement
    }

    fn union(&self, sets: Vec<VersionSetId>) -> Requirement {
        let mut unions = self.unions.borrow_mut();
        unions.push(sets.into());
        VersionSetUnionId(next(&unions) - 1).into()
    }

    /// One of these packages.
    pub fn one_of(&self, packages: &[SolvableId], text: &str) -> Requirement {
        let mut by_name: Vec<(NameId, Vec<SolvableId>)> = Vec::new();
        for &package in packages {
            let name = self.name_id(&self.packages[index(package)].manifest.name);
            match by_name.iter_mut().find(|(it, _)| *it == name) {
                Some((_, list)) => list.push(package),
                None => by_name.push((name, vec![package])),
            }
        }
        let sets: Vec<VersionSetId> = by_name.into_iter().map(|(name, list)| self.add_set(name, list, text.to_owned())).collect();
        match sets.as_slice() {
            [only] => (*only).into(),
            _ => self.union(sets),
        }
    }

    /// What must not be there beside `package`, as sets of what may.
    fn constraints(&self, package: &Available) -> Vec<VersionSetId> {
        let own = self.name_id(&package.manifest.name);
        let mut result = Vec::new();
        for relation in &package.manifest.conflicts {
            let key = relation.to_string();
            let cached = self.conflicts.borrow().get(&key).cloned();
            let sets = cached.unwrap_or_else(|| {
                let sets: Rc<[VersionSetId]> = self
                    .matching(relation)
                    .into_iter()
                    .map(|(name, forbidden)| {
                        let all = self.by_name.borrow()[name.into_raw() as usize].clone();
                        let allowed = all.into_iter().filter(|it| !forbidden.contains(it)).collect();
                        self.add_set(name, allowed, key.clone())
                    })
                    .collect();
                self.conflicts.borrow_mut().insert(key, sets.clone());
                sets
            });
            // A package does not conflict with itself, although it provides what it conflicts with: so it is the only one.
            result.extend(sets.iter().filter(|set| self.sets.borrow()[set.0 as usize].name != own));
        }
        result
    }

    /// The text a set of versions was made from.
    pub fn set_text(&self, set: VersionSetId) -> String {
        self.sets.borrow()[set.0 as usize].text.clone()
    }

    /// The text a requirement was made from.
    pub fn requirement_text(&self, requirement: Requirement) -> String {
        match requirement {
            Requirement::Single(set) => self.set_text(set),
            Requirement::Union(union) => self.set_text(self.unions.borrow()[union.0 as usize][0]),
        }
    }

    fn string(&self, text: String) -> StringId {
        let mut strings = self.strings.borrow_mut();
        strings.push(text);
        StringId(next(&strings) - 1)
    }

    pub fn string_text(&self, id: StringId) -> String {
        self.strings.borrow()[id.0 as usize].clone()
    }
}

/// The pool under the conditions of one attempt.
pub(super) struct Attempt<'a, 'p> {
    pub pool: &'a Pool<'p>,
    /// For each package why it cannot be taken, if so.
    pub excluded: &'a dyn Fn(&Available) -> Option<String>,
    /// Whether the installed version of this package is preferred to newer ones.
    pub keep_version: &'a dyn Fn(&str) -> bool,
    /// Whether to stop.
    pub cancelled: &'a dyn Fn() -> bool,
}

impl Interner for Attempt<'_, '_> {
    type NameId = NameId;
    type SolvableId = SolvableId;

    fn display_solvable(&self, solvable: SolvableId) -> impl Display + '_ {
        self.pool.packages[index(solvable)].manifest.id()
    }

    fn display_name(&self, name: NameId) -> impl Display + '_ {
        self.pool.name_texts.borrow()[name.into_raw() as usize].clone()
    }

    fn display_version_set(&self, set: VersionSetId) -> impl Display + '_ {
        self.pool.set_text(set)
    }

    fn display_string(&self, string: StringId) -> impl Display + '_ {
        self.pool.string_text(string)
    }

    fn version_set_name(&self, set: VersionSetId) -> NameId {
        self.pool.sets.borrow()[set.0 as usize].name
    }

    fn solvable_name(&self, solvable: SolvableId) -> NameId {
        self.pool.name_id(&self.pool.packages[index(solvable)].manifest.name)
    }

    fn version_sets_in_union(&self, union: VersionSetUnionId) -> impl Iterator<Item = VersionSetId> {
        let sets = self.pool.unions.borrow()[union.0 as usize].clone();
        (0..sets.len()).map(move |index| sets[index])
    }

    fn resolve_condition(&self, _: ConditionId) -> Condition {
        unreachable!("no requirement of ours has a condition")
    }
}

impl DependencyProvider for Attempt<'_, '_> {
    async fn filter_candidates(&self, candidates: &[SolvableId], set: VersionSetId, inverse: bool) -> Vec<SolvableId> {
        let matching = self.pool.sets.borrow()[set.0 as usize].matching.clone();
        let matches = |it: &SolvableId| matching.binary_search_by_key(&it.into_raw(), |it| it.into_raw()).is_ok();
        candidates.iter().copied().filter(|it| matches(it) != inverse).collect()
    }

    async fn get_candidates(&self, name: NameId) -> Option<Candidates<SolvableId>> {
        let candidates = self.pool.by_name.borrow()[name.into_raw() as usize].clone();
        let packages = self.pool.packages;
        let excluded = candidates
            .iter()
            .filter_map(|&it| (self.excluded)(&packages[index(it)]).map(|reason| (it, self.pool.string(reason))))
            .collect();
        let favored = candidates.iter().copied().find(|it| {
            let package = &packages[index(*it)];
            package.installed && (self.keep_version)(&package.manifest.name)
        });
        Some(Candidates { candidates, favored, excluded, hint_dependencies_available: HintDependenciesAvailable::None, ..Candidates::default() })
    }

    async fn sort_candidates(&self, _: &SolverCache<Self>, solvables: &mut [SolvableId]) {
        let packages = self.pool.packages;
        solvables.sort_by(|a, b| packages[index(*b)].rank().cmp(&packages[index(*a)].rank()));
    }

    async fn get_dependencies(&self, solvable: SolvableId) -> Dependencies {
        let package = &self.pool.packages[index(solvable)];
        Dependencies::Known(KnownDependencies {
            requirements: package.manifest.depends.iter().map(|it| self.pool.requirement(it).into()).collect(),
            constrains: self.pool.constraints(package),
        })
    }

    fn should_cancel_with_value(&self) -> Option<Box<dyn std::any::Any>> {
        (self.cancelled)().then(|| Box::new(()) as Box<dyn std::any::Any>)
    }
}
