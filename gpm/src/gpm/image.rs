//! Making a tree hold exactly what its builder says: for images.

use std::collections::BTreeSet;

use super::{Error, Gpm, Proposal};
use crate::database::{Past, PastChange};
use crate::dependency::{Dependency, Operator, Relation};
use crate::package::Trust;
use crate::solver::{Available, Change, Policy, Request, Resolver};
use crate::transaction::Options;

impl Gpm<'_> {
    /// Makes the tree hold all that its repositories offer in exactly these versions, and nothing else; packages that are there already, byte
    /// for byte, stay. `manual` are those that count as asked for.
    ///
    /// # Errors
    /// When they cannot be together or lack something, something cannot be fetched, or the transaction fails.
    pub fn mirror(&self, manual: &BTreeSet<String>, options: &Options) -> Result<(), Error> {
        let known = self.offered()?;
        // The solver's word that all of it can be together, with all that it needs, as if nothing were there yet.
        let packages: Vec<Available> = known.iter().map(|it| it.available.clone()).collect();
        let exactly = |it: &Available| Relation { name: it.manifest.name.clone(), version: Some((Operator::Equal, it.manifest.version.clone())) };
        let install = packages.iter().map(|it| Dependency { alternatives: vec![exactly(it)] }).collect();
        let request = Request { install, ..Request::default() };
        let solved = Resolver::new(&packages, &Policy::default(), &|| self.observer.cancelled()).solve(&request)?;
        let records = self.database.records()?;
        let mut changes = Vec::new();
        for change in solved {
            let Change::Install { ref name, ref version, package, requested } = change else { continue };
            match records.get(name) {
                Some(old) if known[package].offer.as_ref().is_some_and(|it| it.sha512 == old.sha512) => {}
                Some(old) => {
                    let from = old.manifest.version.clone();
                    changes.push(Change::Replace { name: name.clone(), from, version: version.clone(), package, requested });
                }
                None => changes.push(change),
            }
        }
        let offered: BTreeSet<&str> = packages.iter().map(|it| it.manifest.name.as_str()).collect();
        let gone = records.iter().filter(|(name, _)| !offered.contains(name.as_str()));
        changes.extend(gone.map(|(name, old)| Change::Remove { name: name.clone(), version: old.manifest.version.clone(), requested: true }));
        let policy = Policy { manual: manual.clone(), ..Policy::default() };
        let proposal = Proposal { changes, download: 0, growth: 0, essential: Vec::new(), known, policy };
        self.make(&proposal, Trust::Anyone, options).map(drop)
    }

    /// What the history says once all that came before is forgotten: that everything was installed at once. Undo goes no further back.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn beginning(&self, what: &str, time: i64) -> Result<Past, Error> {
        let records = self.database.records()?;
        let changes = records.into_iter().map(|(name, record)| PastChange { name, from: None, to: Some((record.manifest.version.to_string(), record.sha512)) });
        Ok(Past { id: 1, time, what: what.into(), changes: changes.collect(), manual_before: Vec::new() })
    }
}
