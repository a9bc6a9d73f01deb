//! The packages of a closure as verified files in the cache.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::debian::apt::{Apt, RELEASE};
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

/// What fetching needs of an archive; [`Apt`] is the real one.
pub trait Archive: Source {
    /// The descriptions of exact versions; those that it does not have are left out.
    fn exact(&mut self, packages: &[Package]) -> Result<Vec<Package>>;
    /// Whether this version is offered by our release, its updates or its security updates.
    fn is_of_release(&mut self, package: &Package) -> Result<bool>;
    /// Looks again at what there is.
    fn update(&mut self) -> Result<()>;
    /// Downloads packages into a folder under [`Package::file_name`].
    fn download(&mut self, packages: &[Package], folder: &Path) -> Result<()>;
}

/// Gets the closure of `roots` by the host's apt, which is not asked where all of it is in the cache.
pub fn fetch(
    roots: &[String],
    excluded: &BTreeSet<String>,
    lock: &Lock,
    cache: &Path,
    missing: Missing,
    report: &Report,
) -> Result<Vec<Fetched>> {
    fetch_from(
        &mut || Ok(Box::new(Apt::new(report)?)),
        roots,
        excluded,
        lock,
        cache,
        missing,
        report,
    )
}

/// The same from any archive; `open` is called only when one is needed.
fn fetch_from<'a>(
    open: &mut dyn FnMut() -> Result<Box<dyn Archive + 'a>>,
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
            "{error} (recipes/lock.toml is older than the recipes: `./gos recipe update --write`)"
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
    let remembered = remembered_path(roots, lock, cache);
    if missing == Missing::Replace
        && let Some(all) = remembered_replacement(&remembered, cache)?
    {
        report.notice(
            "some locked packages are gone from Debian's archive: taking those of an earlier build",
        );
        return Ok(all);
    }
    let mut archive = open()?;
    let apt = archive.as_mut();
    let mut wanted = available(&absent, apt)?;
    if wanted.len() < absent.len() {
        // The lists may be older than the lock.
        apt.update()?;
        wanted = available(&absent, apt)?;
    }
    let gone: Vec<&Package> = absent
        .iter()
        .filter(|package| !wanted.iter().any(|other| other.name == package.name))
        .collect();
    let is_replaced = !gone.is_empty();
    if is_replaced {
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
        let known = still_named(&gone, roots, apt, report)?;
        let stand_ins = replace(&known, excluded, lock, &ready, apt, report)?;
        for package in stand_ins {
            match cached(&package, cache)? {
                Some(fetched) => drop(ready.insert(package.name.clone(), fetched)),
                None => wanted.push(package),
            }
        }
    }
    if wanted.is_empty() {
        return finish(ready, is_replaced.then_some(remembered.as_path()));
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
    finish(ready, is_replaced.then_some(remembered.as_path()))
}

/// The packages that were had; where some stand in for others, remembers all in a file.
fn finish(ready: BTreeMap<String, Fetched>, remember: Option<&Path>) -> Result<Vec<Fetched>> {
    if let Some(path) = remember {
        let locked = ready
            .values()
            .map(|fetched| Locked::of(&fetched.package, Vec::new()));
        let lock = Lock::new(locked.collect()).map_err(Error::Packages)?;
        fs::write(path, lock.to_text()).on("write", path)?;
    }
    Ok(ready.into_values().collect())
}

/// Where the outcome of a replacement is kept, so that apt is not asked again by every build: by lock and roots.
fn remembered_path(roots: &[String], lock: &Lock, cache: &Path) -> PathBuf {
    let mut key = host::Key::new("replaced 1");
    key.add(lock.to_text()).add(roots.join(" "));
    cache.join(format!("replaced-{}.toml", &key.finish()[..16]))
}

/// The packages of an earlier replacement, if all are still in the cache.
fn remembered_replacement(path: &Path, cache: &Path) -> Result<Option<Vec<Fetched>>> {
    if !path.exists() {
        return Ok(None);
    }
    // A file that cannot be read is made again.
    let Ok(lock) = Lock::read(path) else {
        return Ok(None);
    };
    lock.iter()
        .map(|locked| cached(&locked.package(), cache))
        .collect()
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
fn available(packages: &[Package], apt: &mut dyn Archive) -> Result<Vec<Package>> {
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

/// Those of the packages gone that the archive still has in another version. One that has vanished with its name (a kernel's
/// of an older ABI) must be no root: what needed it is replaced too and needs something else.
fn still_named<'p>(
    gone: &[&'p Package],
    roots: &[String],
    apt: &mut dyn Archive,
    report: &Report,
) -> Result<Vec<&'p Package>> {
    let names: Vec<String> = gone.iter().map(|package| package.name.clone()).collect();
    let known: BTreeSet<String> = apt
        .describe(&names)?
        .into_iter()
        .map(|package| package.name)
        .collect();
    let (still, vanished): (Vec<&Package>, Vec<&Package>) = gone
        .iter()
        .partition(|package| known.contains(&package.name));
    for package in vanished {
        if roots.contains(&package.name) || still.is_empty() {
            return Err(Error::Packages(format!(
                "{} is no longer in Debian's archive under any version",
                package.name
            )));
        }
        report.notice(format!("{} is no longer in Debian's archive", package.name));
    }
    Ok(still)
}

/// The current versions in place of those gone, with what these newly need.
fn replace(
    gone: &[&Package],
    excluded: &BTreeSet<String>,
    lock: &Lock,
    ready: &BTreeMap<String, Fetched>,
    apt: &mut dyn Archive,
    report: &Report,
) -> Result<Vec<Package>> {
    let roots: Vec<String> = gone.iter().map(|package| package.name.clone()).collect();
    let closure = resolve::closure(&roots, excluded, apt as &mut dyn Source)?;
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
                package.version, RELEASE
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
                package.version, RELEASE
            )));
        }
        locked.push(Locked::of(&package, depends));
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

    /// An archive in memory: packages with their .deb's content.
    #[derive(Clone, Default)]
    struct Fake {
        offers: Vec<(Package, Vec<u8>)>,
        of_release: bool,
    }

    impl Fake {
        fn offer(&mut self, name: &str, version: &str, depends: &[&str]) -> Locked {
            let content = format!("{name} {version}").into_bytes();
            let depends: Vec<String> = depends.iter().map(|name| name.to_string()).collect();
            let locked = Locked {
                name: name.into(),
                version: version.into(),
                architecture: "amd64".into(),
                sha256: host::hex(&<sha2::Sha256 as sha2::Digest>::digest(&content)),
                size: content.len() as u64,
                depends,
            };
            self.offers.push((locked.package(), content));
            locked
        }
    }

    impl Source for Fake {
        fn describe(&mut self, names: &[String]) -> Result<Vec<Package>> {
            let known = self.offers.iter().map(|(package, _)| package);
            Ok(known
                .filter(|package| names.contains(&package.name))
                .cloned()
                .collect())
        }
    }

    impl Archive for Fake {
        fn exact(&mut self, packages: &[Package]) -> Result<Vec<Package>> {
            let same = |other: &&Package| {
                packages
                    .iter()
                    .any(|package| package.name == other.name && package.version == other.version)
            };
            Ok(self
                .offers
                .iter()
                .map(|(package, _)| package)
                .filter(same)
                .cloned()
                .collect())
        }

        fn is_of_release(&mut self, _: &Package) -> Result<bool> {
            Ok(self.of_release)
        }

        fn update(&mut self) -> Result<()> {
            Ok(())
        }

        fn download(&mut self, packages: &[Package], folder: &Path) -> Result<()> {
            assert!(!packages.is_empty(), "apt-get fails without names");
            for wanted in packages {
                let offer = self
                    .offers
                    .iter()
                    .find(|(package, _)| package.sha256 == wanted.sha256);
                let (package, content) =
                    offer.ok_or_else(|| Error::Packages(format!("no {}", wanted.name)))?;
                fs::write(folder.join(package.file_name()), content).on("write", folder)?;
            }
            Ok(())
        }
    }

    /// Fetches `a` and returns the versions had, or the error, and the notices.
    fn try_fetch(
        archive: &Fake,
        lock: Vec<Locked>,
        missing: Missing,
    ) -> (Result<Vec<String>>, String) {
        let cache = tempfile::tempdir().expect("temporary directory");
        let said = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
        let sink = std::sync::Arc::clone(&said);
        let report = Report::new(move |event| {
            if let crate::report::Event::Notice(text) = event {
                sink.lock().expect("not poisoned").push_str(&text);
            }
        });
        let lock = Lock::new(lock).expect("a valid lock");
        let mut open = || Ok(Box::new(archive.clone()) as Box<dyn Archive>);
        let roots = ["a".to_owned()];
        let result = fetch_from(
            &mut open,
            &roots,
            &BTreeSet::new(),
            &lock,
            cache.path(),
            missing,
            &report,
        );
        if let (Ok(first), Missing::Replace) = (&result, missing) {
            let mut closed =
                || -> Result<Box<dyn Archive>> { Err(Error::Packages("asked again".into())) };
            let again = fetch_from(
                &mut closed,
                &roots,
                &BTreeSet::new(),
                &lock,
                cache.path(),
                missing,
                &report,
            );
            let again = again.expect("without asking the archive again");
            let names = |all: &[Fetched]| {
                all.iter()
                    .map(|fetched| fetched.path.clone())
                    .collect::<Vec<_>>()
            };
            assert_eq!(names(&again), names(first));
        }
        let versions = result.map(|all| {
            all.iter()
                .map(|fetched| {
                    assert!(fetched.path.exists());
                    format!("{} {}", fetched.package.name, fetched.package.version)
                })
                .collect()
        });
        let said = said.lock().expect("not poisoned").clone();
        (versions, said)
    }

    #[test]
    fn locked_versions_are_taken_where_the_archive_has_them() {
        let mut archive = Fake {
            of_release: true,
            ..Fake::default()
        };
        let lock = vec![
            archive.offer("a", "1", &["b"]),
            archive.offer("b", "1", &[]),
        ];
        archive.offer("a", "2", &["b"]);
        let (versions, said) = try_fetch(&archive, lock, Missing::Fail);
        assert_eq!(versions.expect("all there"), ["a 1", "b 1"]);
        assert_eq!(said, "");
    }

    #[test]
    fn a_version_that_is_gone_is_replaced_and_said() {
        let mut archive = Fake {
            of_release: true,
            ..Fake::default()
        };
        let lock = vec![
            Fake::default().offer("a", "1", &["b"]),
            archive.offer("b", "1", &[]),
        ];
        archive.offer("a", "2", &["b", "c"]);
        archive.offer("c", "1", &[]);
        let (versions, said) = try_fetch(&archive, lock.clone(), Missing::Replace);
        assert_eq!(
            versions.expect("replaced"),
            ["a 2", "b 1", "c 1"],
            "with what it newly needs"
        );
        assert!(
            said.contains("a 1 is gone") && said.contains("taking 2"),
            "{said}"
        );
        assert!(said.contains("c 1 is needed"), "{said}");

        let (strict, _) = try_fetch(&archive, lock.clone(), Missing::Fail);
        assert!(strict.expect_err("strict").to_string().contains("a 1"));

        archive.of_release = false;
        let (foreign, _) = try_fetch(&archive, lock, Missing::Replace);
        assert!(
            foreign
                .expect_err("of another release")
                .to_string()
                .contains("only from outside")
        );
    }

    #[test]
    fn a_name_that_vanished_is_left_to_what_needed_it() {
        let mut archive = Fake {
            of_release: true,
            ..Fake::default()
        };
        let mut old = Fake::default();
        let lock = vec![
            old.offer("a", "1", &["image-1"]),
            old.offer("image-1", "1", &[]),
        ];
        archive.offer("a", "2", &["image-2"]);
        archive.offer("image-2", "2", &[]);
        let (versions, said) = try_fetch(&archive, lock, Missing::Replace);
        assert_eq!(versions.expect("replaced"), ["a 2", "image-2 2"]);
        assert!(said.contains("image-1 is no longer"), "{said}");
        let lock = vec![old.offer("a", "3", &[])];
        let (versions, _) = try_fetch(&Fake::default(), lock, Missing::Replace);
        assert!(
            versions
                .expect_err("vanished")
                .to_string()
                .contains("a is no longer")
        );
    }

    #[test]
    fn a_version_with_another_checksum_counts_as_gone() {
        let mut archive = Fake {
            of_release: true,
            ..Fake::default()
        };
        let mut locked = archive.offer("a", "1", &[]);
        locked.sha256 = "0".repeat(64);
        let (strict, _) = try_fetch(&archive, vec![locked], Missing::Fail);
        assert!(strict.is_err());
    }

    #[test]
    fn a_download_with_wrong_content_is_refused() {
        let mut archive = Fake {
            of_release: true,
            ..Fake::default()
        };
        let lock = vec![archive.offer("a", "1", &[])];
        archive.offers[0].1 = b"evil".to_vec();
        let (versions, _) = try_fetch(&archive, lock, Missing::Replace);
        assert!(
            versions
                .expect_err("checksum")
                .to_string()
                .contains("a_1_amd64.deb")
        );
    }
}
