//! The package manager as programs use it: repositories, the solver and transactions together, over one tree.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};

use crate::database::{Database, DatabaseError, Past, PastChange, Record};
use crate::dependency::{Dependency, Operator, Relation};
use crate::digest::Digest;
use crate::keys::{KeyError, PublicKey};
use crate::observer::{Event, Observer};
use crate::package::{Entry, Kind, Package, PackageError, Trust};
use crate::repository::{Client, Offer, RepositoryError, Time, Transport, Updated, Url, default_priority};
use crate::root::Root;
use crate::solver::{Available, Change, Policy, Request, Resolver, SolveError};
use crate::transaction::{Incoming, Options, Recovered, TransactionError, Tree};
use crate::version::Version;

/// A repository that a tree installs from: `/etc/gpm/repositories/NAME.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Where it is.
    pub url: String,
    /// A higher one goes before a higher version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// Whether it is used.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

/// Why something could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A repository.
    #[error("repository {name}: {source}")]
    Repository {
        /// Which.
        name: String,
        /// Why.
        source: RepositoryError,
    },
    /// The solver.
    #[error(transparent)]
    Solve(#[from] SolveError),
    /// The transaction.
    #[error(transparent)]
    Transaction(#[from] TransactionError),
    /// A package's file.
    #[error("{}: {source}", path.display())]
    Package {
        /// Which.
        path: PathBuf,
        /// Why.
        source: PackageError,
    },
    /// A key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A file of the configuration.
    #[error("{}: {reason}", path.display())]
    Config {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Any other file.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A package that neither the cache nor a repository has any more.
    #[error("{name} {version} is neither in the cache nor in a repository any more")]
    Gone {
        /// Its name.
        name: String,
        /// Its version.
        version: String,
    },
    /// A package that is not there.
    #[error("{0} is not installed")]
    NotInstalled(String),
    /// There is no such transaction.
    #[error("there is no transaction {0} in the history")]
    NoTransaction(u64),
    /// An essential package.
    #[error("{} is essential: the system would not work without it", .0.join(", "))]
    Essential(Vec<String>),
}

/// What is known of one installed or available version.
#[derive(Clone, Debug)]
pub struct Known {
    /// The solver's view.
    pub available: Available,
    /// Where its file can be had.
    pub offer: Option<Offer>,
    /// A package's file that somebody named.
    pub file: Option<PathBuf>,
}

/// A wish and what it takes: to be looked at, then made.
#[derive(Debug)]
pub struct Proposal {
    /// All changes, sorted by name.
    pub changes: Vec<Change>,
    /// Bytes that must be fetched.
    pub download: u64,
    /// Bytes that the tree grows by; negative where it shrinks.
    pub growth: i64,
    /// Essential packages that would go.
    pub essential: Vec<String>,
    known: Vec<Known>,
    policy: Policy,
}

/// What is wrong with an installed file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Flaw {
    /// Whose it is.
    pub package: String,
    /// The file; empty where it is about the package's state as a whole.
    pub path: String,
    /// What is wrong.
    pub what: String,
}

/// A tree that is managed.
pub struct Gpm<'a> {
    root: Root,
    database: Database,
    transport: Transport,
    observer: &'a dyn Observer,
}

impl<'a> Gpm<'a> {
    /// The tree below `root`.
    ///
    /// # Errors
    /// When there is no such folder.
    pub fn new(root: &Path, observer: &'a dyn Observer) -> Result<Gpm<'a>, Error> {
        let root = Root::new(root).map_err(|source| Error::Io { action: "use as root", path: root.into(), source })?;
        Ok(Gpm { database: Database::new(&root), root, transport: Transport::new(), observer })
    }

    /// The tree.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// What is installed in it.
    pub fn database(&self) -> &Database {
        &self.database
    }

    fn io<T>(action: &'static str, path: &Path, result: io::Result<T>) -> Result<T, Error> {
        result.map_err(|source| Error::Io { action, path: path.into(), source })
    }

    // ---- repositories ----

    /// The repositories by name.
    ///
    /// # Errors
    /// When the configuration cannot be read.
    pub fn sources(&self) -> Result<BTreeMap<String, Source>, Error> {
        let dir = self.root.join("etc/gpm/repositories");
        let mut sources = BTreeMap::new();
        let entries = match fs::read_dir(&dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(sources),
            other => Self::io("list", &dir, other)?,
        };
        for entry in entries {
            let path = Self::io("list", &dir, entry)?.path();
            let Some(name) = path.file_name().and_then(|it| it.to_str()).and_then(|it| it.strip_suffix(".toml")) else { continue };
            let text = Self::io("read", &path, fs::read_to_string(&path))?;
            let source = toml::from_str(&text).map_err(|error| Error::Config { path: path.clone(), reason: error.to_string() })?;
            sources.insert(name.to_owned(), source);
        }
        Ok(sources)
    }

    /// Adds a repository, or changes one; `root` is its trusted root, which must come from a place that is trusted.
    ///
    /// # Errors
    /// When the name or the address is none, the root is none, or it cannot be written.
    pub fn add_source(&self, name: &str, source: &Source, root: &[u8]) -> Result<(), Error> {
        let dir = self.root.join("etc/gpm/repositories");
        let path = dir.join(format!("{name}.toml"));
        if !crate::dependency::is_package_name(name) {
            return Err(Error::Config { path, reason: format!("{name:?} is no name for a repository") });
        }
        let _lock = self.database.lock()?;
        self.client(name, source)?.trust(root).map_err(|source| Error::Repository { name: name.into(), source })?;
        Self::io("make", &dir, fs::create_dir_all(&dir))?;
        let text = toml::to_string(source).map_err(|error| Error::Config { path: path.clone(), reason: error.to_string() })?;
        Self::io("write", &path, crate::database::replace(&path, text.as_bytes()))
    }

    /// Forgets a repository.
    ///
    /// # Errors
    /// When there is none of the name, or it cannot be removed.
    pub fn remove_source(&self, name: &str) -> Result<(), Error> {
        let _lock = self.database.lock()?;
        let path = self.root.join("etc/gpm/repositories").join(format!("{name}.toml"));
        Self::io("remove", &path, fs::remove_file(&path))?;
        let state = self.database.dir().join("repositories").join(name);
        Self::io("remove", &state, fs::remove_dir_all(&state))
    }

    fn client<'b>(&'b self, name: &'b str, source: &Source) -> Result<Client<'b>, Error> {
        let url = Url::new(&source.url).map_err(|source| Error::Repository { name: name.into(), source })?;
        let dir = self.database.dir().join("repositories").join(name);
        Ok(Client::new(name, url, dir, &self.transport, self.observer, Time::now()))
    }

    /// Brings what is known of all repositories up to date: for each what was found. One that fails keeps none from the others.
    ///
    /// # Errors
    /// When the tree cannot be locked or its configuration cannot be read.
    pub fn update(&self) -> Result<Vec<(String, Result<Updated, RepositoryError>)>, Error> {
        let _lock = self.database.lock()?;
        let mut found = Vec::new();
        for (name, source) in self.sources()?.iter().filter(|(_, it)| it.enabled) {
            found.push((name.clone(), self.client(name, source)?.update()));
        }
        Ok(found)
    }

    /// Keys whose packages are installed from files: `/etc/gpm/keys/*.pub`.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn trusted_keys(&self) -> Result<Vec<PublicKey>, Error> {
        Ok(PublicKey::read_all(&self.root.join("etc/gpm/keys"))?)
    }

    /// All versions that are installed or offered. `files` are packages' files that are wanted: they go before all repositories.
    ///
    /// # Errors
    /// When something that is kept cannot be read, or a file is not accepted.
    pub fn known(&self, files: &[PathBuf], trust: Trust<'_>) -> Result<Vec<Known>, Error> {
        let mut known: Vec<Known> = Vec::new();
        let mut places: BTreeMap<(String, String), usize> = BTreeMap::new();
        let key = |name: &str, version: &Version| (name.to_owned(), version.to_string());
        for (name, record) in self.database.records()? {
            places.insert(key(&name, &record.manifest.version), known.len());
            let available = Available { manifest: Arc::new(record.manifest), repository: None, priority: 0, installed: true };
            known.push(Known { available, offer: None, file: None });
        }
        for path in files {
            let package = Package::open(path, trust).map_err(|source| Error::Package { path: path.clone(), source })?;
            let manifest = Arc::new(package.header().manifest.clone());
            let available = Available { manifest, repository: None, priority: i32::MAX, installed: false };
            known.push(Known { available, offer: None, file: Some(path.clone()) });
        }
        for (name, source) in self.sources()?.iter().filter(|(_, it)| it.enabled) {
            let priority = source.priority.unwrap_or_else(|| default_priority(name));
            let index = self.client(name, source)?.index().map_err(|source| Error::Repository { name: name.clone(), source })?;
            let repository: Arc<str> = name.as_str().into();
            for offer in index.packages {
                match places.get(&key(&offer.manifest.name, &offer.manifest.version)) {
                    Some(&at) if known[at].available.priority >= priority && known[at].available.repository.is_some() => {}
                    Some(&at) => {
                        known[at].available.priority = priority;
                        known[at].available.repository = Some(repository.clone());
                        known[at].offer = Some(offer);
                    }
                    None => {
                        places.insert(key(&offer.manifest.name, &offer.manifest.version), known.len());
                        let manifest = Arc::new(offer.manifest.clone());
                        let available = Available { manifest, repository: Some(repository.clone()), priority, installed: false };
                        known.push(Known { available, offer: Some(offer), file: None });
                    }
                }
            }
        }
        // An installed version that no repository has competes with what its package's repositories have.
        let best: BTreeMap<String, i32> = known.iter().filter(|it| it.offer.is_some()).fold(BTreeMap::new(), |mut best, it| {
            let entry = best.entry(it.available.manifest.name.clone()).or_insert(i32::MIN);
            *entry = (*entry).max(it.available.priority);
            best
        });
        for it in known.iter_mut().filter(|it| it.available.installed && it.offer.is_none()) {
            it.available.priority = best.get(&it.available.manifest.name).copied().unwrap_or(0);
        }
        Ok(known)
    }

    // ---- wishes ----

    /// What a wish takes. Files' packages are wanted too.
    ///
    /// # Errors
    /// When the wish cannot come true, or something cannot be read.
    pub fn propose(&self, request: &Request, files: &[PathBuf], trust: Trust<'_>) -> Result<Proposal, Error> {
        let known = self.known(files, trust)?;
        let mut request = request.clone();
        for it in known.iter().filter(|it| it.file.is_some()) {
            let manifest = &it.available.manifest;
            let version = Some((Operator::Equal, manifest.version.clone()));
            request.install.push(Dependency { alternatives: vec![Relation { name: manifest.name.clone(), version }] });
            request.downgrade.insert(manifest.name.clone());
        }
        let mut policy = self.database.policy()?;
        let packages: Vec<Available> = known.iter().map(|it| it.available.clone()).collect();
        let cancelled = || self.observer.cancelled();
        let changes = Resolver::new(&packages, &policy, &cancelled).solve(&request)?;
        self.settle_policy(&mut policy, &request, &changes, &packages);
        self.proposal(changes, known, policy)
    }

    /// Who is wanted after the changes.
    fn settle_policy(&self, policy: &mut Policy, request: &Request, changes: &[Change], packages: &[Available]) {
        for change in changes {
            match change {
                Change::Install { name, requested: true, .. } | Change::Replace { name, requested: true, .. } => drop(policy.manual.insert(name.clone())),
                Change::Remove { name, .. } => {
                    // What takes the place of something that was wanted is wanted.
                    let successor = changes.iter().find_map(|it| match it {
                        Change::Install { name: new, package, .. } if packages[*package].manifest.replaces.iter().any(|it| it.name == *name) => Some(new),
                        _ => None,
                    });
                    if policy.manual.remove(name)
                        && let Some(successor) = successor
                    {
                        policy.manual.insert(successor.clone());
                    }
                    policy.holds.remove(name);
                }
                _ => {}
            }
        }
        // What is there already, and is asked for now.
        let installed = |name: &str| packages.iter().any(|it| it.installed && it.manifest.name == name);
        let asked = request.install.iter().flat_map(|it| &it.alternatives).map(|it| &it.name);
        policy.manual.extend(asked.filter(|name| installed(name)).cloned());
    }

    fn proposal(&self, changes: Vec<Change>, known: Vec<Known>, policy: Policy) -> Result<Proposal, Error> {
        let records = self.database.records()?;
        let (mut download, mut growth, mut essential) = (0, 0i64, Vec::new());
        let size = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        for change in &changes {
            if let Some(old) = records.get(change.name()) {
                growth -= size(old.size);
                if old.manifest.essential && matches!(change, Change::Remove { .. }) {
                    essential.push(change.name().to_owned());
                }
            }
            if let Change::Install { package, .. } | Change::Replace { package, .. } = change
                && let Some(offer) = &known[*package].offer
            {
                growth += size(offer.installed);
                if !self.cached(&offer.sha512, &offer.manifest.file_name()).exists() {
                    download += offer.length;
                }
            }
        }
        Ok(Proposal { changes, download, growth, essential, known, policy })
    }

    /// Installed packages that nobody asked for and nobody needs.
    ///
    /// # Errors
    /// When something cannot be read.
    pub fn orphans(&self) -> Result<BTreeSet<String>, Error> {
        let (packages, policy) = (self.installed()?, self.database.policy()?);
        Ok(Resolver::new(&packages, &policy, &|| false).orphans())
    }

    /// Chains of dependencies from what somebody asked for to an installed package.
    ///
    /// # Errors
    /// When it is not installed, or something cannot be read.
    pub fn why(&self, name: &str) -> Result<Vec<Vec<String>>, Error> {
        let (packages, policy) = (self.installed()?, self.database.policy()?);
        if !packages.iter().any(|it| it.manifest.name == name) {
            return Err(Error::NotInstalled(name.into()));
        }
        Ok(Resolver::new(&packages, &policy, &|| false).why(name))
    }

    fn installed(&self) -> Result<Vec<Available>, Error> {
        let available = |record: Record| Available { manifest: Arc::new(record.manifest), repository: None, priority: 0, installed: true };
        Ok(self.database.records()?.into_values().map(available).collect())
    }

    /// Where a package's file is kept.
    fn cached(&self, sha512: &Digest, file_name: &str) -> PathBuf {
        self.root.join("var/cache/gpm").join(format!("{}-{file_name}", &sha512.to_string()[..16]))
    }

    /// Fetches the files of all packages that come, four at a time, and verifies them.
    fn gather(&self, proposal: &Proposal, trust: Trust<'_>) -> Result<Vec<Incoming>, Error> {
        let dir = self.root.join("var/cache/gpm");
        Self::io("make", &dir, fs::create_dir_all(&dir))?;
        let sources = self.sources()?;
        let wanted: Vec<&Known> = proposal
            .changes
            .iter()
            .filter_map(|it| match it {
                Change::Install { package, .. } | Change::Replace { package, .. } => Some(&proposal.known[*package]),
                Change::Remove { .. } => None,
            })
            .collect();
        let next = AtomicUsize::new(0);
        let work = || {
            let mut done = Vec::new();
            while let Some((number, known)) = { let number = next.fetch_add(1, Ordering::Relaxed); wanted.get(number).map(|it| (number, *it)) } {
                done.push((number, self.bring(known, &sources, trust)?));
            }
            Ok::<_, Error>(done)
        };
        let mut incoming = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..wanted.len().min(4)).map(|_| scope.spawn(work)).collect();
            let mut all = Vec::new();
            for thread in threads {
                match thread.join() {
                    Ok(done) => all.extend(done?),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            Ok::<_, Error>(all)
        })?;
        incoming.sort_by_key(|(number, _)| *number);
        Ok(incoming.into_iter().map(|(_, it)| it).collect())
    }

    fn bring(&self, known: &Known, sources: &BTreeMap<String, Source>, trust: Trust<'_>) -> Result<Incoming, Error> {
        let manifest = &known.available.manifest;
        if let Some(path) = &known.file {
            self.observer.event(&Event::Verify { name: &manifest.name });
            let package = Package::open(path, trust).map_err(|source| Error::Package { path: path.clone(), source })?;
            // An undo may need it when its file is gone.
            let kept = self.cached(&package.digest(), &manifest.file_name());
            if !kept.exists() {
                Self::io("keep a copy of", path, fs::copy(path, &kept))?;
            }
            return Ok(Incoming { package, repository: None });
        }
        let gone = || Error::Gone { name: manifest.name.clone(), version: manifest.version.to_string() };
        let offer = known.offer.as_ref().ok_or_else(gone)?;
        let path = self.cached(&offer.sha512, &manifest.file_name());
        if path.exists() {
            self.observer.event(&Event::Verify { name: &manifest.name });
            if let Ok(package) = Package::open(&path, Trust::Digest(&offer.sha512)) {
                return Ok(Incoming { package, repository: known.available.repository.as_deref().map(str::to_owned) });
            }
        }
        let name = known.available.repository.as_deref().ok_or_else(gone)?;
        let source = sources.get(name).ok_or_else(gone)?;
        self.client(name, source)?.fetch(offer, &path).map_err(|source| Error::Repository { name: name.into(), source })?;
        self.observer.event(&Event::Verify { name: &manifest.name });
        let package = Package::open(&path, Trust::Digest(&offer.sha512)).map_err(|source| Error::Package { path: path.clone(), source })?;
        Ok(Incoming { package, repository: Some(name.to_owned()) })
    }

    /// Makes a proposal true. Nothing is changed where that fails.
    ///
    /// # Errors
    /// When something cannot be fetched or is not what was signed, or the transaction fails.
    pub fn make(&self, proposal: &Proposal, trust: Trust<'_>, options: &Options) -> Result<Option<Past>, Error> {
        let (tree, recovered) = Tree::open(&self.root, self.observer)?;
        if recovered != Recovered::Nothing {
            self.observer.event(&Event::Note { text: "an interrupted transaction was found and cleared up; nothing else has been done: try again" });
            return Err(TransactionError::Cancelled.into());
        }
        if proposal.changes.is_empty() {
            self.database.set_policy(&proposal.policy, tree.lock())?;
            return Ok(None);
        }
        let incoming = self.gather(proposal, trust)?;
        let gone = proposal.changes.iter().filter(|it| matches!(it, Change::Remove { .. })).map(|it| it.name().to_owned()).collect();
        Ok(Some(tree.change(incoming, &gone, &proposal.policy, options)?))
    }

    /// Completes or drops what a crash has left.
    ///
    /// # Errors
    /// When that fails.
    pub fn recover(&self) -> Result<Recovered, Error> {
        Ok(Tree::open(&self.root, self.observer)?.1)
    }

    /// Changes the policy: pins, holds, and who is wanted.
    ///
    /// # Errors
    /// When the tree cannot be locked or written.
    pub fn change_policy(&self, change: impl FnOnce(&mut Policy)) -> Result<(), Error> {
        let lock = self.database.lock()?;
        let mut policy = self.database.policy()?;
        change(&mut policy);
        Ok(self.database.set_policy(&policy, &lock)?)
    }

    // ---- the past ----

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
        let mut known = self.known(&[], Trust::Anyone)?;
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
        let offer = Offer { manifest: manifest.clone(), sha512: *sha512, length: package.size(), installed: package.header().payload.size };
        let available = Available { manifest: Arc::new(manifest), repository: None, priority: 0, installed: false };
        known.push(Known { available, offer: Some(offer), file: None });
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

    // ---- looking ----

    /// Looks for words in names, summaries, descriptions and AppStream's words: the best matches first.
    ///
    /// # Errors
    /// When something cannot be read.
    pub fn search(&self, words: &[String]) -> Result<Vec<Known>, Error> {
        let mut found: Vec<(u32, Known)> = Vec::new();
        for known in self.known(&[], Trust::Anyone)? {
            let manifest = &known.available.manifest;
            let appstream = manifest.appstream.clone().unwrap_or_default();
            let texts = [
                (100, manifest.name.clone()),
                (50, appstream.name.clone()),
                (30, appstream.keywords.join(" ")),
                (20, manifest.summary.clone()),
                (10, appstream.categories.join(" ")),
                (5, manifest.description.clone()),
            ];
            let mut total = 0;
            let all = words.iter().map(|it| it.to_lowercase()).all(|word| {
                let score: u32 = texts.iter().map(|(weight, text)| {
                    let text = text.to_lowercase();
                    if text == word { 3 * weight } else if text.contains(&word) { *weight } else { 0 }
                }).sum();
                total += score;
                score > 0
            });
            if all && total > 0 {
                found.push((total, known));
            }
        }
        found.sort_by(|(a, x), (b, y)| {
            let (x, y) = (&x.available.manifest, &y.available.manifest);
            b.cmp(a).then_with(|| x.name.cmp(&y.name)).then_with(|| y.version.cmp(&x.version))
        });
        Ok(found.into_iter().map(|(_, it)| it).collect())
    }

    /// The packages that have a file at `path`, which is absolute or relative to the root.
    ///
    /// # Errors
    /// When something cannot be read.
    pub fn owners(&self, path: &str) -> Result<Vec<String>, Error> {
        let wanted = path.trim_start_matches('/');
        let place = |path: &str| self.root.resolve(path).ok();
        let target = place(wanted);
        let mut owners = Vec::new();
        for name in self.database.records()?.keys() {
            let files = self.database.files(name)?;
            let same = |it: &Entry| it.path == wanted || (it.path.rsplit('/').next() == wanted.rsplit('/').next() && target.is_some() && place(&it.path) == target);
            if files.iter().any(same) {
                owners.push(name.clone());
            }
        }
        Ok(owners)
    }

    /// Compares the files of installed packages with what was delivered: all packages where `names` is empty. Configuration files may differ.
    ///
    /// # Errors
    /// When a package is not installed, or the database cannot be read.
    pub fn verify(&self, names: &[String]) -> Result<Vec<Flaw>, Error> {
        let records = self.database.records()?;
        if let Some(missing) = names.iter().find(|it| !records.contains_key(*it)) {
            return Err(Error::NotInstalled(missing.clone()));
        }
        let mut flaws = Vec::new();
        for (name, record) in records.iter().filter(|(name, _)| names.is_empty() || names.contains(name)) {
            self.observer.event(&Event::Verify { name });
            let files = self.database.files(name)?;
            let mut state = Vec::new();
            for entry in &files {
                let what = self.check_file(record, entry);
                if record.manifest.state.contains(&entry.path) {
                    state.push((entry, what.is_none()));
                }
                flaws.extend(what.map(|what| Flaw { package: name.clone(), path: entry.path.clone(), what }));
            }
            // The files are as delivered: that they are those of the checksum was checked when the package was verified.
            if state.iter().any(|(_, good)| !good) {
                flaws.push(Flaw { package: name.clone(), path: String::new(), what: "its consciousness state differs from its checksum".into() });
            }
        }
        Ok(flaws)
    }

    fn check_file(&self, record: &Record, entry: &Entry) -> Option<String> {
        use std::os::unix::fs::MetadataExt;
        let place = match self.root.resolve(&entry.path) {
            Ok(place) => place,
            Err(error) => return Some(error.to_string()),
        };
        let metadata = match fs::symlink_metadata(&place) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Some("is missing".into()),
            Err(error) => return Some(error.to_string()),
        };
        let config = record.manifest.config.contains(&entry.path);
        let mode = metadata.mode() & 0o7777;
        match &entry.kind {
            Kind::Directory => {
                if !fs::metadata(&place).is_ok_and(|it| it.is_dir()) { Some("is no folder".into()) } else { None }
            }
            Kind::Symlink { target } => match fs::read_link(&place) {
                Ok(found) if found.as_os_str() == target.as_str() => None,
                Ok(found) => Some(format!("leads to {}, not {target}", found.display())),
                Err(_) => Some("is no link".into()),
            },
            Kind::Regular { .. } | Kind::Hardlink { .. } if !metadata.is_file() => Some("is no file".into()),
            Kind::Regular { .. } | Kind::Hardlink { .. } if mode != entry.mode => Some(format!("has mode {mode:o}, not {:o}", entry.mode)),
            Kind::Regular { .. } if config => None,
            Kind::Regular { sha512, size } => {
                if metadata.len() != *size {
                    return Some(format!("has {} bytes, not {size}", metadata.len()));
                }
                match fs::File::open(&place).and_then(|mut it| Digest::of_reader(&mut it)) {
                    Ok(found) if found == *sha512 => None,
                    Ok(_) => Some("has other contents".into()),
                    Err(error) => Some(error.to_string()),
                }
            }
            Kind::Hardlink { .. } => None,
        }
    }

    /// Removes packages' files from the cache: all, or those that no undo of the history would need. Tells the bytes.
    ///
    /// # Errors
    /// When the tree cannot be locked or the cache cannot be written.
    pub fn clean(&self, everything: bool) -> Result<u64, Error> {
        let _lock = self.database.lock()?;
        let dir = self.root.join("var/cache/gpm");
        let mut needed: BTreeSet<String> = self.database.records()?.values().map(|it| it.sha512.to_string()[..16].to_owned()).collect();
        for change in self.database.history()?.iter().flat_map(|it| &it.changes) {
            needed.extend(change.from.iter().chain(&change.to).map(|(_, it)| it.to_string()[..16].to_owned()));
        }
        let entries = match fs::read_dir(&dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            other => Self::io("list", &dir, other)?,
        };
        let mut freed = 0;
        for entry in entries {
            let path = Self::io("list", &dir, entry)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if everything || !name.get(..16).is_some_and(|it| needed.contains(it)) || name.ends_with(".part") {
                freed += fs::metadata(&path).map_or(0, |it| it.len());
                Self::io("remove", &path, fs::remove_file(&path))?;
            }
        }
        Ok(freed)
    }
}
