//! Why a wish cannot come true, and what could be done.

use std::collections::{BTreeSet, HashSet};
use std::fmt;

use resolvo::conflict::{ConflictCause, ConflictEdge, ConflictGraph, ConflictNode};
use resolvo::{Requirement, SolvableId};
use serde::Serialize;

use super::pool::{Pool, index};
use super::{Outcome, Request, Resolver, Root, SolveError};

/// Wishes and installed packages that cannot be together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Conflict {
    /// The least set: without any one of them there would be an answer.
    pub culprits: Vec<String>,
    /// What stands between them, in words.
    pub reasons: Vec<String>,
    /// What would help, the least intrusive first.
    pub repairs: Vec<Repair>,
}

/// Something that makes the wish possible.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Repair {
    /// What to do.
    #[serde(flatten)]
    pub action: RepairAction,
    /// How intrusive it is; only to be compared.
    pub cost: u32,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum RepairAction {
    /// Let a package have other versions again.
    Release {
        /// The package that is held or pinned.
        name: String,
    },
    /// Let a package become older.
    Downgrade {
        /// The package.
        name: String,
    },
    /// Remove packages.
    Remove {
        /// All that would go.
        names: Vec<String>,
    },
    /// Do without a part of the wish.
    Drop {
        /// That part.
        wanted: String,
    },
}

impl fmt::Display for RepairAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RepairAction::Release { name } => write!(f, "let {name} change its version (gpm unhold {name}, gpm unpin {name})"),
            RepairAction::Downgrade { name } => write!(f, "let {name} become older (--downgrade {name})"),
            RepairAction::Remove { names } => write!(f, "remove {} (--remove {})", names.join(", "), names.join(",")),
            RepairAction::Drop { wanted } => write!(f, "do without {wanted}"),
        }
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "these cannot be together: {}", self.culprits.join("; "))?;
        for reason in &self.reasons {
            write!(f, "\n  - {reason}")?;
        }
        for (number, repair) in self.repairs.iter().enumerate() {
            write!(f, "{}\n  {}. {}", if number == 0 { "\nwhat would help:" } else { "" }, number + 1, repair.action)?;
        }
        Ok(())
    }
}

/// What a failed attempt tells.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    /// The requirements of the root that the conflict needs.
    pub used: HashSet<Requirement>,
    /// The conflict in sentences.
    pub sentences: Vec<String>,
    /// Packages of which some version could not be taken.
    pub excluded: BTreeSet<String>,
}

/// Reads them off the solver's graph.
pub(super) fn facts(pool: &Pool<'_>, graph: &ConflictGraph<SolvableId>) -> Facts {
    let mut facts = Facts::default();
    let name = |node: &ConflictNode<SolvableId>| match node {
        ConflictNode::Solvable(id) => Some(&pool.packages[index(*id)].manifest),
        _ => None,
    };
    for edge in graph.graph.raw_edges() {
        let (source, target) = (&graph.graph[edge.source()], &graph.graph[edge.target()]);
        let fact = match (edge.weight, name(source), name(target)) {
            (ConflictEdge::Requires(requirement), None, _) => {
                facts.used.insert(requirement);
                None
            }
            (ConflictEdge::Requires(requirement), Some(package), target) => {
                let text = pool.requirement_text(requirement);
                match target {
                    None => Some(format!("{} needs {text}, which nobody has", package.id())),
                    Some(_) => Some(format!("{} needs {text}", package.id())),
                }
            }
            (ConflictEdge::Conflict(ConflictCause::Constrains(set)), Some(package), _) => {
                Some(format!("{} conflicts with {}", package.id(), pool.set_text(set)))
            }
            (ConflictEdge::Conflict(ConflictCause::Excluded), package, _) => match target {
                ConflictNode::Excluded(reason) => {
                    facts.excluded.extend(package.map(|it| it.name.clone()));
                    Some(pool.string_text(*reason))
                }
                _ => None,
            },
            _ => None,
        };
        if let Some(fact) = fact
            && !facts.sentences.contains(&fact)
        {
            facts.sentences.push(fact);
        }
    }
    facts
}

impl Resolver<'_> {
    /// Reduces the culprits to a least set, and tries what could help.
    pub(super) fn explain(&self, request: &Request, roots: &[Root], core: Vec<usize>, mut facts: Facts) -> Result<Conflict, SolveError> {
        let mut culprits: Vec<Root> = core.into_iter().map(|it| roots[it].clone()).collect();
        // The first that were let go are the most probable to be innocent: the installed ones come last in the list.
        let mut at = culprits.len();
        while at > 0 && culprits.len() > 1 {
            at -= 1;
            let mut fewer = culprits.clone();
            fewer.remove(at);
            if let Outcome::Unsolvable(core, found) = self.attempt(request, &fewer)? {
                culprits = core.into_iter().map(|it| fewer[it].clone()).collect();
                facts = found;
                at = at.min(culprits.len());
            }
        }
        let mut repairs = self.repairs(request, roots, &culprits, &facts.excluded)?;
        repairs.sort_by_key(|repair| repair.cost);
        let culprits = culprits.iter().map(|root| match root {
            Root::Wanted(dependency) | Root::Optional(dependency) => format!("{dependency} (wanted)"),
            Root::Exactly(package) => format!("{} (wanted)", self.pool.packages[*package].manifest.id()),
            Root::Keep { name, .. } => {
                let version = self.installed.get(name.as_str()).map(|it| self.pool.packages[*it].manifest.version.to_string());
                format!("{name} {} (installed)", version.unwrap_or_default())
            }
        });
        Ok(Conflict { culprits: culprits.collect(), reasons: facts.sentences, repairs })
    }

    fn solvable(&self, request: &Request, roots: &[Root]) -> Result<bool, SolveError> {
        Ok(matches!(self.attempt(request, roots)?, Outcome::Solved(_)))
    }

    fn repairs(&self, request: &Request, roots: &[Root], culprits: &[Root], excluded: &BTreeSet<String>) -> Result<Vec<Repair>, SolveError> {
        let mut repairs = Vec::new();
        let manual: Vec<Root> = roots.iter().filter(|root| !matches!(root, Root::Optional(_) | Root::Keep { manual: false, .. })).cloned().collect();
        // Holds and pins.
        let bound = self.policy.holds.iter().chain(self.policy.pins.iter().map(|pin| &pin.name));
        for name in bound.collect::<BTreeSet<_>>() {
            let mut policy = self.policy.clone();
            policy.holds.remove(name);
            policy.pins.retain(|pin| pin.name != *name);
            let released = Resolver::new(self.pool.packages, &policy, self.cancelled);
            if released.solvable(request, &manual)? {
                repairs.push(Repair { action: RepairAction::Release { name: name.clone() }, cost: 10 });
            }
        }
        for name in excluded.iter().filter(|name| !request.downgrade.contains(*name)) {
            let mut older = request.clone();
            older.downgrade.insert(name.clone());
            if self.solvable(&older, &manual)? {
                repairs.push(Repair { action: RepairAction::Downgrade { name: name.clone() }, cost: 20 });
            }
        }
        for culprit in culprits {
            match culprit {
                Root::Keep { name, .. } => {
                    let mut without = request.clone();
                    without.remove.insert(name.clone());
                    without.remove = self.with_dependents(&without.remove);
                    let kept: Vec<Root> =
                        manual.iter().filter(|root| !matches!(root, Root::Keep { name, .. } if without.remove.contains(name))).cloned().collect();
                    if self.solvable(&without, &kept)? {
                        let names: Vec<String> = without.remove.difference(&request.remove).cloned().collect();
                        let cost = 25 + 10 * u32::try_from(names.len()).unwrap_or(u32::MAX / 20);
                        repairs.push(Repair { action: RepairAction::Remove { names }, cost });
                    }
                }
                Root::Wanted(dependency) => {
                    let fewer: Vec<Root> =
                        manual.iter().filter(|root| !matches!(root, Root::Wanted(other) if other == dependency)).cloned().collect();
                    let rest = Request { install: request.install.iter().filter(|it| *it != dependency).cloned().collect(), ..request.clone() };
                    // To wish for nothing at all is no advice.
                    if !rest.install.is_empty() && self.solvable(&rest, &fewer)? {
                        repairs.push(Repair { action: RepairAction::Drop { wanted: dependency.to_string() }, cost: 100 });
                    }
                }
                Root::Optional(_) | Root::Exactly(_) => {}
            }
        }
        Ok(repairs)
    }
}
