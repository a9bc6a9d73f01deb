//! The way back: undo and rollback.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use super::{Error, Gpm, Known, Proposal, Reach};
use crate::database::{Past, PastChange, Record};
use crate::digest::Digest;
use crate::package::{Package, Trust};
use crate::repository::Offer;
use crate::solver::{Available, Change, Policy, Request, Resolver};

impl Gpm<'_> {
    /// What it takes to get back to the state before transaction `id`: that of all packages that it and those after it have changed.
    ///
    /// # Errors
    /// When there is no such transaction, or a package that is needed can no longer be had.
    pub fn propose_rollback(&self, id: u64) -> Result<Proposal, Error> {
        let history = self.database.history()?;
        let later: Vec<&Past> = history.iter().filter(|it| it.id >= id).collect();
        let first = later.first().filter(|it| it.id == id).ok_or(Error::NoTransaction(id))?;
        let mut target: BTreeMap<String, Option<(String, Digest)>> = BTreeMap::new();
        for change in later.iter().flat_map(|it| &it.changes) {
            target.entry(change.name.clone()).or_insert_with(|| change.from.clone());
        }
        let mut policy = self.database.policy()?;
        policy.manual = first.manual_before.iter().cloned().collect();
        self.propose_state(&target, policy)
    }

    /// What it takes to take back transaction `id` alone; later ones stay.
    ///
    /// # Errors
    /// When there is no such transaction, later ones depend on it, or a package that is needed can no longer be had.
    pub fn propose_undo(&self, id: u64) -> Result<Proposal, Error> {
        let history = self.database.history()?;
        let past = history.iter().find(|it| it.id == id).ok_or(Error::NoTransaction(id))?;
        let target = past.changes.iter().map(|PastChange { name, from, .. }| (name.clone(), from.clone())).collect();
        let mut policy = self.database.policy()?;
        let changed = |name: &String| past.changes.iter().any(|it| it.name == *name);
        policy.manual.retain(|name| !changed(name));
        policy.manual.extend(past.manual_before.iter().filter(|name| changed(name)).cloned());
        self.propose_state(&target, policy)
    }

    fn propose_state(&self, target: &BTreeMap<String, Option<(String, Digest)>>, policy: Policy) -> Result<Proposal, Error> {
        let records = self.database.records()?;
        let mut known = self.known(&[], Trust::Anyone, Reach::Own)?;
        let mut changes = Vec::new();
        for (name, wanted) in target {
            let now = records.get(name);
            match (now, wanted) {
                (Some(now), None) => changes.push(Change::Remove { name: name.clone(), version: now.manifest.version.clone(), requested: true }),
                (now, Some((version, sha512))) if now.is_none_or(|it| it.sha512 != *sha512) => {
                    let package = self.find(&mut known, name, version, sha512)?;
                    let version = known[package].available.manifest.version.clone();
                    let name = name.clone();
                    changes.push(match now {
                        None => Change::Install { name, version, package, requested: true },
                        Some(now) => Change::Replace { name, from: now.manifest.version.clone(), version, package, requested: true },
                    });
                }
                _ => {}
            }
        }
        self.check_state(&records, &known, &changes)?;
        self.proposal(changes, known, policy)
    }

    /// A package of the past: from the cache, or from a repository that still has it.
    fn find(&self, known: &mut Vec<Known>, name: &str, version: &str, sha512: &Digest) -> Result<usize, Error> {
        if let Some(at) = known.iter().position(|it| it.offer.as_ref().is_some_and(|offer| offer.sha512 == *sha512)) {
            return Ok(at);
        }
        let dir = self.root.join("var/cache/gpm");
        let prefix = sha512.to_string()[..16].to_owned();
        let entries = fs::read_dir(&dir).map(|it| it.filter_map(Result::ok).map(|it| it.path()).collect()).unwrap_or_else(|_| Vec::new());
        let path = entries.into_iter().find(|it| it.file_name().and_then(|it| it.to_str()).is_some_and(|it| it.starts_with(&prefix)));
        let path = path.ok_or_else(|| Error::Gone { name: name.into(), version: version.into() })?;
        let package = Package::open(&path, Trust::Digest(sha512)).map_err(|source| Error::Package { path: path.clone(), source })?;
        let manifest = package.header().manifest.clone();
        let offer = Offer { manifest: manifest.clone(), sha512: *sha512, length: package.size(), installed: package.header().payload.size, deltas: Vec::new() };
        let available = Available { manifest: Arc::new(manifest), repository: None, priority: 0, installed: false };
        known.push(Known { available, offer: Some(offer), deb: None, picture: None, file: None });
        Ok(known.len() - 1)
    }

    /// Whether all promises hold after the changes; the first that does not is told.
    fn check_state(&self, records: &BTreeMap<String, Record>, known: &[Known], changes: &[Change]) -> Result<(), Error> {
        let mut packages: BTreeMap<String, Available> = records
            .values()
            .map(|it| Available { manifest: Arc::new(it.manifest.clone()), repository: None, priority: 0, installed: true })
            .map(|it| (it.manifest.name.clone(), it))
            .collect();
        for change in changes {
            match change {
                Change::Install { name, package, .. } | Change::Replace { name, package, .. } => {
                    packages.insert(name.clone(), Available { installed: true, ..known[*package].available.clone() });
                }
                Change::Remove { name, .. } => drop(packages.remove(name)),
            }
        }
        let all: Vec<Available> = packages.into_values().collect();
        let policy = Policy { manual: all.iter().map(|it| it.manifest.name.clone()).collect(), ..Policy::default() };
        let left = Resolver::new(&all, &policy, &|| false).solve(&Request { without_optional: true, ..Request::default() })?;
        debug_assert!(left.is_empty());
        Ok(())
    }
}
