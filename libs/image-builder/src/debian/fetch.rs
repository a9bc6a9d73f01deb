//! The packages of a closure as verified files in the cache.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::debian::apt::Apt;
use crate::debian::control::Package;
use crate::debian::lock::{Lock, Locked};
use crate::debian::resolve::{self, Source};
use crate::error::{Error, IoContext, Result};
use crate::host;
use crate::report::Report;

/// What to do where the archive no longer has a locked version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Take the release's current version and say so.
    Replace,
    /// Fail.
    Fail,
}

/// A package whose file is in the cache, verified.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Which one: as locked, or what stands in for it.
    pub package: Package,
    /// The .deb.
    pub path: PathBuf,
}

/// Gets the closure of `roots`.
pub fn fetch(
    roots: &[String],
    excluded: &BTreeSet<String>,
    lock: &Lock,
    cache: &Path,
    missing: Missing,
    report: &Report,
) -> Result<Vec<Fetched>> {
    fs::create_dir_all(cache).on("create", cache)?;
    let closure = resolve::closure(roots, excluded, &mut Locks(lock)).map_err(|error| {
        Error::Packages(format!(
            "{error} (recipes/lock.toml is older than the recipes: `image-builder lock`)"
        ))
    })?;
    let mut ready: BTreeMap<String, Fetched> = BTreeMap::new();
    let mut absent: Vec<Package> = Vec::new();
    for (name, (package, _)) in closure {
        match cached(&package, cache)? {
            Some(fetched) => drop(ready.insert(name, fetched)),
            None => absent.push(package),
        }
    }
    if absent.is_empty() {
        return Ok(ready.into_values().collect());
    }
    let mut apt = Apt::new(report)?;
    let mut wanted = available(&absent, &apt)?;
    if wanted.len() < absent.len() {
        // The lists may be older than the lock.
        apt.update()?;
        wanted = available(&absent, &apt)?;
    }
    let gone: Vec<&Package> = absent
        .iter()
        .filter(|package| !wanted.iter().any(|other| other.name == package.name))
        .collect();
    if !gone.is_empty() {
        let stand_ins = replace(&gone, excluded, lock, &ready, &mut apt, missing, report)?;
        for package in stand_ins {
            match cached(&package, cache)? {
                Some(fetched) => drop(ready.insert(package.name.clone(), fetched)),
                None => wanted.push(package),
            }
        }
    }
    let bytes: u64 = wanted.iter().map(|package| package.size).sum();
    report.step(format!(
        "downloading {} Debian packages, {} MB",
        wanted.len(),
        bytes.div_ceil(1_000_000)
    ));
    apt.download(&wanted, cache)?;
    for package in wanted {
        let path = cache.join(package.file_name());
        match cached(&package, cache)? {
            Some(fetched) => drop(ready.insert(package.name, fetched)),
            None => {
                return Err(Error::Packages(format!(
                    "apt-get download left no {}",
                    path.display()
                )));
            }
        }
    }
    Ok(ready.into_values().collect())
}

/// The lock as a source of descriptions.
struct Locks<'l>(&'l Lock);

impl Source for Locks<'_> {
    fn describe(&mut self, names: &[String]) -> Result<Vec<Package>> {
        Ok(names
            .iter()
            .filter_map(|name| self.0.get(name))
            .map(Locked::package)
            .collect())
    }
}

/// Those of the locked packages that apt can still get, checksum for checksum.
fn available(packages: &[Package], apt: &Apt<'_>) -> Result<Vec<Package>> {
    let found = apt.exact(packages)?;
    let same = |package: &&Package| {
        found.iter().any(|other| {
            other.name == package.name
                && other.version == package.version
                && other.sha256 == package.sha256
        })
    };
    Ok(packages.iter().filter(same).cloned().collect())
}

/// The current versions in place of those gone, with what these newly need.
fn replace(
    gone: &[&Package],
    excluded: &BTreeSet<String>,
    lock: &Lock,
    ready: &BTreeMap<String, Fetched>,
    apt: &mut Apt<'_>,
    missing: Missing,
    report: &Report,
) -> Result<Vec<Package>> {
    if missing == Missing::Fail {
        let names: Vec<String> = gone
            .iter()
            .map(|package| format!("{} {}", package.name, package.version))
            .collect();
        return Err(Error::Packages(format!(
            "Debian's archive no longer has these locked versions: {}; renew recipes/lock.toml (`image-builder lock`) or build \
             without strict mode",
            names.join(", ")
        )));
    }
    let roots: Vec<String> = gone.iter().map(|package| package.name.clone()).collect();
    let closure = resolve::closure(&roots, excluded, apt)?;
    let mut stand_ins = Vec::new();
    for (name, (package, _)) in closure {
        let replaced = gone.iter().find(|old| old.name == name);
        // What else these need is in the lock already, or new.
        if replaced.is_none() && (ready.contains_key(&name) || lock.get(&name).is_some()) {
            continue;
        }
        if !apt.is_of_release(&package)? {
            return Err(Error::Packages(format!(
                "{name} {}: apt offers it only from outside {}",
                package.version,
                crate::debian::apt::RELEASE
            )));
        }
        report.notice(match replaced {
            Some(old) => format!(
                "{name} {} is gone from Debian's archive: taking {}, verified by apt (recipes/lock.toml can be renewed)",
                old.version, package.version
            ),
            None => format!("{name} {} is needed by a replaced package and not locked yet", package.version),
        });
        stand_ins.push(package);
    }
    Ok(stand_ins)
}

/// The package's file in the cache. A wrong size or checksum deletes it.
fn cached(package: &Package, cache: &Path) -> Result<Option<Fetched>> {
    let path = cache.join(package.file_name());
    if !path.exists() {
        return Ok(None);
    }
    // The checksum is remembered by size and time, so that a build need not read a hundred megabytes.
    let seal = host::with_suffix(&path, ".ok");
    let mut key = host::Key::new("deb 1");
    key.add(&package.sha256).add_file(&path)?;
    let key = key.finish();
    if fs::read_to_string(&seal).is_ok_and(|old| old == key) {
        return Ok(Some(Fetched {
            package: package.clone(),
            path,
        }));
    }
    let size = fs::metadata(&path).on("examine", &path)?.len();
    if size != package.size || host::sha256_file(&path)? != package.sha256 {
        fs::remove_file(&path).on("remove", &path)?;
        return Ok(None);
    }
    fs::write(&seal, key).on("write", &seal)?;
    Ok(Some(Fetched {
        package: package.clone(),
        path,
    }))
}

/// A fresh lock of everything that `roots` need, as the archive is now.
pub fn renew(roots: &[String], excluded: &BTreeSet<String>, report: &Report) -> Result<Lock> {
    let mut apt = Apt::new(report)?;
    apt.update()?;
    let closure = resolve::closure(roots, excluded, &mut apt)?;
    let mut locked = Vec::new();
    for (name, (package, depends)) in closure {
        if !apt.is_of_release(&package)? {
            return Err(Error::Packages(format!(
                "{name} {}: apt offers it only from outside {}",
                package.version,
                crate::debian::apt::RELEASE
            )));
        }
        let Package {
            version,
            architecture,
            sha256,
            size,
            ..
        } = package;
        locked.push(Locked {
            name,
            version,
            architecture,
            sha256,
            size,
            depends,
        });
    }
    Lock::new(locked).map_err(Error::Packages)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demo(sha256: &str, size: u64) -> Package {
        Package {
            name: "demo".into(),
            version: "1".into(),
            architecture: "all".into(),
            sha256: sha256.into(),
            size,
            depends: Vec::new(),
            provides: Vec::new(),
        }
    }

    #[test]
    fn a_cached_file_is_verified_and_a_bad_one_removed() {
        let cache = tempfile::tempdir().expect("temporary directory");
        let path = cache.path().join("demo_1_all.deb");
        fs::write(&path, b"abc").expect("write");
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert!(
            cached(&demo(sha256, 3), cache.path())
                .expect("readable")
                .is_some()
        );
        assert!(
            cached(&demo(sha256, 3), cache.path())
                .expect("readable")
                .is_some(),
            "remembered"
        );
        fs::write(&path, b"abd").expect("write");
        let times = fs::FileTimes::new().set_modified(std::time::SystemTime::UNIX_EPOCH);
        fs::File::options()
            .write(true)
            .open(&path)
            .and_then(|file| file.set_times(times))
            .expect("set time");
        assert!(
            cached(&demo(sha256, 3), cache.path())
                .expect("readable")
                .is_none(),
            "changed content"
        );
        assert!(!path.exists());
    }
}
