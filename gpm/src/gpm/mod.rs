//! The package manager as programs use it: repositories, the solver and transactions together, over one tree.

mod delta;
mod image;
mod look;
mod past;
mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};

use crate::archive::{self, ArchiveError, Breadth, DebFile, Debian};
use crate::database::{Database, DatabaseError, Past, Record};
use crate::deb::{DebError, Unknown};
use crate::dependency::{Dependency, Operator, Relation};
use crate::digest::Digest;
use crate::keys::KeyError;
use crate::observer::{Event, Observer};
use crate::manifest::Manifest;
use crate::package::{Package, PackageError, Preset, Trust};
use crate::repository::{Offer, RepositoryError, Transport, default_priority};
use crate::root::Root;
use crate::solver::{Available, Change, Policy, Request, Resolver, SolveError, Upgrade};
use crate::transaction::{Incoming, Options, Recovered, TransactionError, Tree};

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
    /// Where it is an archive in Debian's form: what is used of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debian: Option<Debian>,
}

impl Source {
    /// A repository of ours at `url`.
    pub fn new(url: impl Into<String>) -> Source {
        Source { url: url.into(), priority: None, enabled: true, debian: None }
    }

    /// What goes before a higher version: what is said, or what repositories of this name have.
    pub fn priority(&self, name: &str) -> i32 {
        let default = if self.debian.is_some() { archive::PRIORITY } else { default_priority(name) };
        self.priority.unwrap_or(default)
    }
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
    /// An archive in Debian's form.
    #[error("repository {name}: {source}")]
    Archive {
        /// Which.
        name: String,
        /// Why.
        source: ArchiveError,
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
    /// The file of an archive that it can be made of.
    pub deb: Option<DebFile>,
    /// A picture of it that an archive has given.
    pub picture: Option<PathBuf>,
    /// A package's file that somebody named.
    pub file: Option<PathBuf>,
}

impl Known {
    /// Bytes to fetch and bytes of its files, where it can be fetched.
    pub fn sizes(&self) -> Option<(u64, u64)> {
        let offer = self.offer.as_ref().map(|it| (it.length, it.installed));
        offer.or_else(|| self.deb.as_ref().map(|it| (it.length, it.installed)))
    }

    /// Whether a repository has it.
    pub fn is_offered(&self) -> bool {
        self.offer.is_some() || self.deb.is_some()
    }
}

/// Which packages of archives in Debian's form are looked at: they have too many for all to be read each time.
#[derive(Clone, Copy, Debug)]
pub enum Reach<'a> {
    /// None.
    Own,
    /// Programs that people start.
    Programs,
    /// Those of these names, and what they lead to.
    Names(&'a BTreeSet<String>, Breadth),
    /// All.
    All,
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
    /// Held while a delta is used: contents of two versions are in memory then.
    delta: Mutex<()>,
}

impl<'a> Gpm<'a> {
    /// The tree below `root`.
    ///
    /// # Errors
    /// When there is no such folder.
    pub fn new(root: &Path, observer: &'a dyn Observer) -> Result<Gpm<'a>, Error> {
        let root = Root::new(root).map_err(|source| Error::Io { action: "use as root", path: root.into(), source })?;
        Ok(Gpm { database: Database::new(&root), root, transport: Transport::new(), observer, delta: Mutex::new(()) })
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

    // ---- wishes ----

    /// What a wish takes. Files' packages are wanted too.
    ///
    /// # Errors
    /// When the wish cannot come true, or something cannot be read.
    pub fn propose(&self, request: &Request, files: &[PathBuf], trust: Trust<'_>) -> Result<Proposal, Error> {
        let opened = self.opened(files, trust)?;
        // What a wish leads to by the first of each dependency's alternatives is nearly always enough.
        match self.propose_within(request, &opened, Breadth::First) {
            Err(Error::Solve(error)) if !matches!(error, SolveError::Cancelled) && self.sources()?.values().any(|it| it.enabled && it.debian.is_some()) => {
                self.propose_within(request, &opened, Breadth::All).map_err(|error| self.with_similar(error))
            }
            other => other,
        }
    }

    /// An unknown name may be much like one of an archive, of which the solver sees only what is asked for.
    fn with_similar(&self, error: Error) -> Error {
        match error {
            Error::Solve(SolveError::Unknown { wanted, similar }) if similar.is_empty() => {
                let name = wanted.split(' ').next().unwrap_or_default();
                let similar = self.archive_names(|names| crate::solver::similar(name, names)).unwrap_or_default();
                Error::Solve(SolveError::Unknown { wanted, similar })
            }
            other => other,
        }
    }

    fn propose_within(&self, request: &Request, opened: &[Known], breadth: Breadth) -> Result<Proposal, Error> {
        let mut names: BTreeSet<String> = request.install.iter().flat_map(|it| &it.alternatives).map(|it| it.name.clone()).collect();
        names.extend(self.database.records()?.into_keys());
        let needed = opened.iter().flat_map(|it| &it.available.manifest.depends).flat_map(|it| &it.alternatives);
        names.extend(needed.map(|it| it.name.clone()));
        // What only takes away needs nothing of an archive.
        let reach = if request.install.is_empty() && opened.is_empty() && request.upgrade == Upgrade::None { Reach::Own } else { Reach::Names(&names, breadth) };
        let known = self.known_beside(opened, reach)?;
        self.solved(request, known)
    }

    /// What the wish of `full` takes without the optional dependencies of packages that are new.
    ///
    /// # Errors
    /// As for [`Gpm::propose`].
    pub fn least(&self, request: &Request, full: &Proposal) -> Result<Proposal, Error> {
        self.solved(&Request { without_optional: true, ..request.clone() }, full.known.clone())
    }

    fn solved(&self, request: &Request, known: Vec<Known>) -> Result<Proposal, Error> {
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
                && let Some((length, installed)) = known[*package].sizes()
            {
                growth += size(installed);
                let offer = known[*package].offer.as_ref();
                if !offer.is_some_and(|it| self.cached(&it.sha512, &it.manifest.file_name()).exists()) {
                    download += offer.map_or(length, |it| self.download(it, records.get(change.name())));
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
        if let (Some(deb), None) = (&known.deb, &known.offer) {
            let name = known.available.repository.as_deref().ok_or_else(gone)?;
            let source = sources.get(name).ok_or_else(gone)?;
            return self.import(manifest, deb, name, source);
        }
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
        let client = self.client(name, source)?;
        if !self.bring_by_delta(&client, name, offer, &path)? {
            client.fetch(offer, &path).map_err(|source| Error::Repository { name: name.into(), source })?;
        }
        self.observer.event(&Event::Verify { name: &manifest.name });
        let package = Package::open(&path, Trust::Digest(&offer.sha512)).map_err(|source| Error::Package { path: path.clone(), source })?;
        Ok(Incoming { package, repository: Some(name.to_owned()) })
    }

    /// Fetches a package of an archive in Debian's form and makes one of ours of it. Its maintainer scripts are never run; what they would have
    /// done beyond what is known is told.
    fn import(&self, manifest: &Manifest, deb: &DebFile, name: &str, source: &Source) -> Result<Incoming, Error> {
        let failed = |source| Error::Archive { name: name.into(), source };
        let debian = source.debian.as_ref().ok_or_else(|| Error::Gone { name: manifest.name.clone(), version: manifest.version.to_string() })?;
        let dir = self.root.join("var/cache/gpm");
        let folder = Self::io("make a folder in", &dir, tempfile::Builder::new().prefix("import-").tempdir_in(&dir))?;
        let file = folder.path().join("package.deb");
        self.archive(name, source, debian)?.fetch(&manifest.name, deb, &file).map_err(failed)?;
        self.observer.event(&Event::Verify { name: &manifest.name });
        let wrong = |source| Error::Archive { name: name.into(), source: ArchiveError::Package { name: manifest.name.clone(), source } };
        let mut imported = crate::deb::import_within(&file, Unknown::Drop, folder.path()).map_err(wrong)?;
        if imported.manifest.name != manifest.name || imported.manifest.version != manifest.version {
            let other = DebError::Format(format!("it is {} {}, not what the archive's list calls it", imported.manifest.name, imported.manifest.version));
            return Err(wrong(other));
        }
        // What the solver saw is what is installed.
        archive::adapt(&mut imported.manifest);
        imported.builder.set_manifest(imported.manifest.clone());
        let made = folder.path().join("package.gcpkg");
        let mut output = Self::io("write", &made, fs::File::create(&made))?;
        let spoilt = |source| Error::Package { path: made.clone(), source };
        let digest = imported.builder.preset(Preset::Quick).write(&mut output, &[]).map_err(spoilt)?;
        let kept = self.cached(&digest, &imported.manifest.file_name());
        Self::io("keep", &kept, fs::rename(&made, &kept))?;
        let left_out = imported.notes.iter().filter(|it| it.starts_with(crate::deb::NEVER_RUN)).count();
        if left_out > 0 {
            self.observer.event(&Event::Note { text: &format!("{}: {left_out} lines of its maintainer scripts are not known, and never run", manifest.name) });
        }
        let package = Package::open(&kept, Trust::Digest(&digest)).map_err(|source| Error::Package { path: kept.clone(), source })?;
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
}
