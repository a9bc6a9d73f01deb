//! Newer versions of Debian's packages, as a lock that still fits together.

use std::collections::{BTreeMap, BTreeSet};

use gpm::version::Version;

use super::{Change, Origin};
use crate::debian::apt::RELEASE;
use crate::debian::fetch::Archive;
use crate::debian::lock::{Lock, Locked};
use crate::debian::resolve;
use crate::error::{Error, Result};

/// The lock with newer pins of the packages `wanted` and all that they need, and what changes by that. `roots` are all packages that recipes
/// name: alternatives are decided as for these, and what none of them needs any more goes.
///
/// Packages of one release may ask for exact versions of each other. So where a package gets a newer version, those that need it get theirs too.
pub(super) fn newer(lock: &Lock, wanted: &[String], roots: &[String], excluded: &BTreeSet<String>, archive: &mut dyn Archive) -> Result<(Lock, Vec<Change>)> {
    let closure = resolve::closure(roots, excluded, archive)?;
    let fresh: BTreeMap<&str, Locked> = closure.iter().map(|(name, (package, depends))| (name.as_str(), Locked::of(package, depends.clone()))).collect();
    let mut looked_at = BTreeSet::new();
    let mut moved: BTreeMap<&str, &Locked> = BTreeMap::new();
    let mut next: Vec<&str> = wanted.iter().map(String::as_str).collect();
    while let Some(name) = next.pop() {
        let Some(now) = fresh.get(name).filter(|_| looked_at.insert(name.to_owned())) else { continue };
        next.extend(now.depends.iter().map(String::as_str));
        if !is_newer(now, lock.get(name))? {
            continue;
        }
        let (package, _) = &closure[name];
        if !archive.is_of_release(package)? {
            return Err(Error::Packages(format!("{name} {}: apt offers it only from outside {RELEASE}", package.version)));
        }
        moved.insert(&now.name, now);
        next.extend(lock.iter().filter(|it| it.depends.iter().any(|it| it == name)).map(|it| it.name.as_str()));
    }
    let mut pins: BTreeMap<&str, &Locked> = lock.iter().map(|it| (it.name.as_str(), it)).collect();
    pins.extend(&moved);
    let needed = reach(&pins, roots);
    let gone: Vec<&str> = pins.keys().copied().filter(|name| !needed.contains(*name)).collect();
    let changes = moved.values().filter(|it| needed.contains(it.name.as_str())).map(|it| Change {
        origin: Origin::Debian,
        name: it.name.clone(),
        old: lock.get(&it.name).map(|it| it.version.clone()),
        new: Some(it.version.clone()),
    });
    let mut changes: Vec<Change> = changes.collect();
    changes.extend(gone.iter().filter_map(|name| lock.get(name)).map(|it| Change {
        origin: Origin::Debian,
        name: it.name.clone(),
        old: Some(it.version.clone()),
        new: None,
    }));
    let kept = pins.into_values().filter(|it| needed.contains(it.name.as_str())).cloned().collect();
    Ok((Lock::new(kept).map_err(Error::Packages)?, changes))
}

/// Whether the archive has a newer version than the pinned one. The same version must be the same file.
fn is_newer(now: &Locked, old: Option<&Locked>) -> Result<bool> {
    let Some(old) = old else { return Ok(true) };
    let version = |it: &Locked| Version::new(&it.version).map_err(|error| Error::Packages(format!("{}: {error}", it.name)));
    if now.version == old.version && now.sha256 != old.sha256 {
        return Err(Error::Packages(format!("the archive has another file as {} {} than the one that is pinned in recipes/lock.toml", old.name, old.version)));
    }
    Ok(version(now)? > version(old)?)
}

/// What the roots need.
fn reach(pins: &BTreeMap<&str, &Locked>, roots: &[String]) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&String> = roots.iter().collect();
    while let Some(name) = next.pop() {
        if reached.insert(name.clone()) {
            next.extend(pins.get(name.as_str()).into_iter().flat_map(|it| &it.depends));
        }
    }
    reached
}
