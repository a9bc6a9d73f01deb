//! Which units a request takes, in which order, and loops of dependencies.

use crate::name::{Kind, UnitName};
use crate::set::UnitSet;
use crate::unit::Unit;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A loop: each unit waits for the next, the last for the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loop(pub Vec<UnitName>);

impl fmt::Display for Loop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for name in &self.0 {
            write!(f, "{name} -> ")?;
        }
        match self.0.first() {
            Some(first) => write!(f, "{first}"),
            None => Ok(()),
        }
    }
}

/// Why a unit is left out of a plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// There is no such unit.
    #[error("there is no unit of this name")]
    Unknown,
    /// It requires one that is left out.
    #[error("it requires {0}: {1}")]
    Requires(UnitName, Box<Reason>),
    /// It is part of a loop.
    #[error("it is in a loop, in which each waits for the next: {0}")]
    Loop(Loop),
    /// It conflicts with one that starts.
    #[error("it conflicts with {0}")]
    Conflict(UnitName),
}

/// A request that cannot be fulfilled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} cannot be started: {reason}")]
pub struct PlanError {
    /// What was asked for.
    pub name: UnitName,
    /// Why not.
    pub reason: Reason,
}

/// What is to be done with loops and conflicts among what is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// The system starts: leave the least important unit out, so that the others come up.
    LeaveOut,
    /// Somebody asked: an error.
    Refuse,
}

/// What starts and stops.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// What starts, those first that others wait for; among equals the more important first.
    pub starts: Vec<UnitName>,
    /// What stops, because it conflicts.
    pub stops: Vec<UnitName>,
    /// For each that starts: the others that it waits for.
    pub waits: BTreeMap<UnitName, Vec<UnitName>>,
    /// What was left out.
    pub left_out: Vec<(UnitName, Reason)>,
}

struct Builder<'a> {
    units: BTreeMap<UnitName, Unit>,
    wants: BTreeMap<UnitName, Vec<UnitName>>,
    roots: &'a [UnitName],
    plan: Plan,
}

/// A plan that starts `roots` with all that they require and want.
///
/// # Errors
/// Where one of `roots` cannot be started.
pub fn start(set: &UnitSet, roots: &[UnitName], active: &BTreeSet<UnitName>, strictness: Strictness) -> Result<Plan, PlanError> {
    let mut builder = Builder { units: BTreeMap::new(), wants: BTreeMap::new(), roots, plan: Plan::default() };
    builder.collect(set);
    builder.check_roots()?;
    builder.settle_conflicts(strictness)?;
    while let Some(found) = find_loop(&builder.edges()) {
        builder.break_loop(found, strictness)?;
    }
    builder.plan.waits = builder.edges();
    builder.plan.starts = order(&builder.units, &builder.plan.waits);
    builder.plan.stops = conflicting(set, &builder.units, active);
    Ok(builder.plan)
}

/// What must stop so that `roots` do: those that require them, in an order in which none loses what it stands on.
pub fn stop(set: &UnitSet, roots: &[UnitName], active: &BTreeSet<UnitName>) -> Vec<UnitName> {
    let mut stopping: BTreeMap<UnitName, Unit> = BTreeMap::new();
    let units: Vec<Unit> = active.iter().filter_map(|name| set.get(name)).collect();
    let mut queue: Vec<UnitName> = roots.to_vec();
    while let Some(name) = queue.pop() {
        if stopping.contains_key(&name) {
            continue;
        }
        queue.extend(units.iter().filter(|unit| unit.requires.contains(&name)).map(|unit| unit.name.clone()));
        let unit = set.get(&name).unwrap_or_else(|| Unit::new(name.clone()));
        stopping.insert(name, unit);
    }
    let edges = edges_of(&stopping, &BTreeMap::new());
    let mut names = order(&stopping, &edges);
    names.reverse();
    names
}

/// Every loop of a set, as if all units were started: for checks.
pub fn loops(set: &UnitSet) -> Vec<Loop> {
    let mut units: BTreeMap<UnitName, Unit> = set.iter().map(|unit| (unit.name.clone(), unit.clone())).collect();
    let wants: BTreeMap<_, _> = wants_of(set, units.values());
    let mut loops = Vec::new();
    while let Some(found) = find_loop(&edges_of(&units, &wants)) {
        // One of its members less, and it is no loop; others that share it are found when this one is mended.
        units.remove(&found.0[0]);
        loops.push(found);
        if loops.len() == 16 {
            break;
        }
    }
    loops
}

/// What each unit wants, with what is enabled for it.
fn wants_of<'a>(set: &UnitSet, units: impl Iterator<Item = &'a Unit>) -> BTreeMap<UnitName, Vec<UnitName>> {
    units.map(|unit| (unit.name.clone(), set.wants(unit))).collect()
}

impl Builder<'_> {
    /// All that the roots need, and what is missing.
    fn collect(&mut self, set: &UnitSet) {
        let mut unknown = Vec::new();
        let mut queue: Vec<(UnitName, bool)> = self.roots.iter().rev().map(|name| (name.clone(), true)).collect();
        while let Some((name, is_needed)) = queue.pop() {
            if self.units.contains_key(&name) {
                continue;
            }
            let Some(unit) = set.get(&name).filter(|unit| !unit.name.is_template()) else {
                if is_needed && !unknown.contains(&name) {
                    unknown.push(name);
                }
                continue;
            };
            let wants = set.wants(&unit);
            queue.extend(unit.requires.iter().map(|it| (it.clone(), true)));
            queue.extend(wants.iter().map(|it| (it.clone(), false)));
            self.wants.insert(name.clone(), wants);
            self.units.insert(name, unit);
        }
        for name in unknown {
            self.leave_out(&name, Reason::Unknown);
        }
    }

    /// Takes a unit out, and all that require it.
    fn leave_out(&mut self, name: &UnitName, reason: Reason) {
        let mut queue = vec![(name.clone(), reason)];
        while let Some((name, reason)) = queue.pop() {
            if self.units.remove(&name).is_none() && self.plan.left_out.iter().any(|(it, _)| *it == name) {
                continue;
            }
            // Not the whole chain: what is at its beginning says all.
            let root = match &reason {
                Reason::Requires(_, root) => (**root).clone(),
                other => other.clone(),
            };
            let requiring = self.units.values().filter(|unit| unit.requires.contains(&name));
            queue.extend(requiring.map(|unit| (unit.name.clone(), Reason::Requires(name.clone(), Box::new(root.clone())))));
            self.plan.left_out.push((name, reason));
        }
    }

    fn check_roots(&self) -> Result<(), PlanError> {
        let reason = |root: &UnitName| self.plan.left_out.iter().find(|(name, _)| name == root).map(|(_, reason)| reason.clone());
        match self.roots.iter().find_map(|root| Some((root, reason(root)?))) {
            Some((name, reason)) => Err(PlanError { name: name.clone(), reason }),
            None => Ok(()),
        }
    }

    /// The least important of these, where one may be left out: no root, no target.
    fn least<'a>(&self, names: impl Iterator<Item = &'a UnitName>) -> Option<UnitName> {
        let candidates = names.filter(|name| !self.roots.contains(name) && name.kind() != Kind::Target);
        candidates.max_by_key(|name| (self.units.get(*name).map(|unit| unit.class), (*name).clone())).cloned()
    }

    fn settle_conflicts(&mut self, strictness: Strictness) -> Result<(), PlanError> {
        let pairs = self.units.values().flat_map(|unit| unit.conflicts.iter().map(|other| (unit.name.clone(), other.clone())));
        for (one, other) in pairs.collect::<Vec<_>>() {
            if !self.units.contains_key(&one) || !self.units.contains_key(&other) {
                continue;
            }
            let least = self.least([&one, &other].into_iter()).filter(|_| strictness == Strictness::LeaveOut);
            let Some(victim) = least else {
                let (name, with) = if self.roots.contains(&other) { (other, one) } else { (one, other) };
                return Err(PlanError { name, reason: Reason::Conflict(with) });
            };
            let with = if victim == one { other } else { one };
            self.leave_out(&victim, Reason::Conflict(with));
            self.check_roots()?;
        }
        Ok(())
    }

    fn break_loop(&mut self, found: Loop, strictness: Strictness) -> Result<(), PlanError> {
        match self.least(found.0.iter()).filter(|_| strictness == Strictness::LeaveOut) {
            Some(victim) => {
                self.leave_out(&victim, Reason::Loop(found));
                self.check_roots()
            }
            None => {
                let name = self.roots.iter().find(|root| found.0.contains(root)).unwrap_or(&found.0[0]).clone();
                Err(PlanError { name, reason: Reason::Loop(found) })
            }
        }
    }

    fn edges(&self) -> BTreeMap<UnitName, Vec<UnitName>> {
        edges_of(&self.units, &self.wants)
    }
}

/// For each unit, those that it waits for.
fn edges_of(units: &BTreeMap<UnitName, Unit>, wants: &BTreeMap<UnitName, Vec<UnitName>>) -> BTreeMap<UnitName, Vec<UnitName>> {
    let mut edges: BTreeMap<UnitName, BTreeSet<UnitName>> = units.keys().map(|name| (name.clone(), BTreeSet::new())).collect();
    let mut add = |from: &UnitName, to: &UnitName| {
        if from != to
            && units.contains_key(to)
            && let Some(edges) = edges.get_mut(from)
        {
            edges.insert(to.clone());
        }
    };
    for unit in units.values() {
        unit.after.iter().for_each(|other| add(&unit.name, other));
        unit.before.iter().for_each(|other| add(other, &unit.name));
        if unit.name.kind() == Kind::Target {
            // A target is there when all that makes it up is; unless that comes after the target.
            let parts = wants.get(&unit.name).into_iter().flatten().chain(&unit.requires);
            for part in parts {
                let comes_later = units.get(part).is_some_and(|it| it.after.contains(&unit.name)) || unit.before.contains(part);
                if !comes_later {
                    add(&unit.name, part);
                }
            }
        }
    }
    edges.into_iter().map(|(name, to)| (name, to.into_iter().collect())).collect()
}

/// A loop, where there is one: a depth-first search without recursion.
fn find_loop(edges: &BTreeMap<UnitName, Vec<UnitName>>) -> Option<Loop> {
    let mut done: BTreeSet<&UnitName> = BTreeSet::new();
    for start in edges.keys() {
        let mut path: Vec<(&UnitName, usize)> = vec![(start, 0)];
        let mut on_path: BTreeSet<&UnitName> = BTreeSet::from([start]);
        while let Some((name, next)) = path.last_mut() {
            let name = *name;
            let to = edges.get(name).and_then(|to| to.get(*next)).filter(|_| !done.contains(name));
            *next += 1;
            let Some(to) = to else {
                done.insert(name);
                on_path.remove(name);
                path.pop();
                continue;
            };
            if on_path.contains(to) {
                let begin = path.iter().position(|(name, _)| *name == to).unwrap_or(0);
                return Some(Loop(path[begin..].iter().map(|(name, _)| (*name).clone()).collect()));
            }
            if !done.contains(to) {
                on_path.insert(to);
                path.push((to, 0));
            }
        }
    }
    None
}

/// Names in an order that the edges allow, the more important first where it is free.
fn order(units: &BTreeMap<UnitName, Unit>, edges: &BTreeMap<UnitName, Vec<UnitName>>) -> Vec<UnitName> {
    let mut left: BTreeMap<&UnitName, usize> = edges.iter().map(|(name, to)| (name, to.len())).collect();
    let mut back: BTreeMap<&UnitName, Vec<&UnitName>> = BTreeMap::new();
    for (name, to) in edges {
        to.iter().for_each(|to| back.entry(to).or_default().push(name));
    }
    let key = |name: &UnitName| (units.get(name).map(|unit| unit.class), name.clone());
    let mut ready: BTreeSet<_> = left.iter().filter(|(_, count)| **count == 0).map(|(name, _)| key(name)).collect();
    let mut names = Vec::with_capacity(units.len());
    while let Some((_, name)) = ready.pop_first() {
        for waiting in back.get(&name).into_iter().flatten() {
            if let Some(count) = left.get_mut(*waiting) {
                *count -= 1;
                if *count == 0 {
                    ready.insert(key(waiting));
                }
            }
        }
        names.push(name);
    }
    // Only in a loop, which a stop does not care about.
    let rest: Vec<_> = edges.keys().filter(|name| !names.contains(name)).cloned().collect();
    names.extend(rest);
    names
}

/// What is active and conflicts with something that starts.
fn conflicting(set: &UnitSet, starting: &BTreeMap<UnitName, Unit>, active: &BTreeSet<UnitName>) -> Vec<UnitName> {
    let conflicts = |name: &UnitName| {
        let own = set.get(name).map(|unit| unit.conflicts).unwrap_or_default();
        own.iter().any(|other| starting.contains_key(other)) || starting.values().any(|unit| unit.conflicts.contains(name))
    };
    let roots: Vec<UnitName> = active.iter().filter(|name| !starting.contains_key(name) && conflicts(name)).cloned().collect();
    if roots.is_empty() { Vec::new() } else { stop(set, &roots, active) }
}
