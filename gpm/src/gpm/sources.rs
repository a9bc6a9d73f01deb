//! Repositories, and what they and the machine have.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::{Error, Gpm, Known, Source};
use crate::keys::PublicKey;
use crate::package::{Package, Trust};
use crate::repository::{Client, RepositoryError, Time, Updated, Url, default_priority};
use crate::solver::Available;
use crate::version::Version;

impl Gpm<'_> {
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

    pub(super) fn client<'b>(&'b self, name: &'b str, source: &Source) -> Result<Client<'b>, Error> {
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

    /// All that the repositories offer.
    pub(super) fn offered(&self) -> Result<Vec<Known>, Error> {
        let mut offered = Vec::new();
        for (name, source) in self.sources()?.iter().filter(|(_, it)| it.enabled) {
            let priority = source.priority.unwrap_or_else(|| default_priority(name));
            let index = self.client(name, source)?.index().map_err(|source| Error::Repository { name: name.clone(), source })?;
            let repository: Arc<str> = name.as_str().into();
            offered.extend(index.packages.into_iter().map(|offer| {
                let manifest = Arc::new(offer.manifest.clone());
                let available = Available { manifest, repository: Some(repository.clone()), priority, installed: false };
                Known { available, offer: Some(offer), file: None }
            }));
        }
        Ok(offered)
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
        for offered in self.offered()? {
            let Available { manifest, repository, priority, .. } = &offered.available;
            match places.get(&key(&manifest.name, &manifest.version)) {
                Some(&at) if known[at].available.priority >= *priority && known[at].available.repository.is_some() => {}
                Some(&at) => {
                    known[at].available.priority = *priority;
                    known[at].available.repository.clone_from(repository);
                    known[at].offer = offered.offer;
                }
                None => {
                    places.insert(key(&manifest.name, &manifest.version), known.len());
                    known.push(offered);
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
}
