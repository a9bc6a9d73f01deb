//! Repositories, and what they and the machine have.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::{Error, Gpm, Known, Reach, Source};
use crate::archive::{Archive, ArchiveError, Breadth, BROWSER, Component, Debian, dress, dress_browser};
use crate::deb::control::ORIGIN;
use crate::keys::PublicKey;
use crate::package::{Package, Trust};
use crate::repository::{Client, Time, Updated, Url};
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

    /// Adds an archive in Debian's form, or changes one. Its keyring must be there.
    ///
    /// # Errors
    /// When the name or the address is none, the keyring cannot be read, or it cannot be written.
    pub fn add_archive(&self, name: &str, source: &Source) -> Result<(), Error> {
        let path = self.root.join("etc/gpm/repositories").join(format!("{name}.toml"));
        let wrong = |reason: String| Error::Config { path: path.clone(), reason };
        if !crate::dependency::is_package_name(name) {
            return Err(wrong(format!("{name:?} is no name for a repository")));
        }
        let debian = source.debian.as_ref().ok_or_else(|| wrong("it names no suites".into()))?;
        if debian.suites.is_empty() || debian.components.is_empty() {
            return Err(wrong("it names no suites or no components".into()));
        }
        Url::new(&source.url).map_err(|source| Error::Repository { name: name.into(), source })?;
        let keyring = self.keyring(debian)?;
        Self::io("read", &keyring, fs::File::open(&keyring))?;
        let _lock = self.database.lock()?;
        if let Some(dir) = path.parent() {
            Self::io("make", dir, fs::create_dir_all(dir))?;
        }
        let text = toml::to_string(source).map_err(|error| wrong(error.to_string()))?;
        Self::io("write", &path, crate::database::replace(&path, text.as_bytes()))
    }

    /// Uses a repository again, or leaves it aside.
    ///
    /// # Errors
    /// When there is none of the name, or it cannot be written.
    pub fn enable_source(&self, name: &str, enabled: bool) -> Result<(), Error> {
        let _lock = self.database.lock()?;
        let path = self.root.join("etc/gpm/repositories").join(format!("{name}.toml"));
        let wrong = |reason: String| Error::Config { path: path.clone(), reason };
        let mut source = self.sources()?.remove(name).ok_or_else(|| wrong("there is no repository of that name".into()))?;
        source.enabled = enabled;
        let text = toml::to_string(&source).map_err(|error| wrong(error.to_string()))?;
        Self::io("write", &path, crate::database::replace(&path, text.as_bytes()))
    }

    fn keyring(&self, debian: &Debian) -> Result<PathBuf, Error> {
        let path = debian.keyring.to_string_lossy();
        Self::io("find", &debian.keyring, self.root.resolve(path.trim_start_matches('/')))
    }

    pub(super) fn archive<'b>(&'b self, name: &'b str, source: &'b Source, debian: &'b Debian) -> Result<Archive<'b>, Error> {
        let url = Url::new(&source.url).map_err(|source| Error::Repository { name: name.into(), source })?;
        let dir = self.database.dir().join("repositories").join(name);
        Ok(Archive::new(name, url, debian, self.keyring(debian)?, dir, &self.transport, self.observer, Time::now()))
    }

    /// Whether there are archives in Debian's form, and whether all of them have been asked what they have.
    ///
    /// # Errors
    /// When the configuration cannot be read.
    pub fn archives_known(&self) -> Result<Option<bool>, Error> {
        let mut known = None;
        self.each_archive(|_, _, archive| {
            known = Some(known.unwrap_or(true) && archive.is_known());
            Ok(())
        })?;
        Ok(known)
    }

    /// Goes through the archives in Debian's form that are used, with their names.
    fn each_archive(&self, mut look: impl FnMut(&str, &Source, Archive<'_>) -> Result<(), ArchiveError>) -> Result<(), Error> {
        for (name, source) in self.sources()?.iter().filter(|(_, it)| it.enabled) {
            if let Some(debian) = &source.debian {
                look(name, source, self.archive(name, source, debian)?).map_err(|source| Error::Archive { name: name.clone(), source })?;
            }
        }
        Ok(())
    }

    /// Looks at all names that archives in Debian's form know, of packages and of what they provide.
    pub(super) fn archive_names(&self, look: impl Fn(&mut dyn Iterator<Item = &str>) -> Vec<String>) -> Result<Vec<String>, Error> {
        let mut found = Vec::new();
        self.each_archive(|_, _, archive| {
            found.extend(archive.names(&look)?);
            Ok(())
        })?;
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// What archives in Debian's form offer, as far as it is looked at.
    fn archived(&self, reach: Reach<'_>) -> Result<Vec<Known>, Error> {
        let mut known = Vec::new();
        if matches!(reach, Reach::Own) {
            return Ok(known);
        }
        self.each_archive(|name, source, archive| {
            // What the solver looks at need not say what it is for people.
            let is_for_solver = matches!(reach, Reach::Names(_, Breadth::First | Breadth::All));
            let components = if is_for_solver { Vec::new() } else { archive.components()? };
            let offers = match reach {
                Reach::Own => Vec::new(),
                Reach::Names(names, breadth) => archive.offers(names, breadth)?,
                Reach::Programs => archive.offers(&components.iter().map(|it| it.package.clone()).chain([BROWSER.to_owned()]).collect(), Breadth::None)?,
                Reach::All => archive.all()?,
            };
            let mut by_package: HashMap<&str, Vec<&Component>> = HashMap::new();
            for component in &components {
                by_package.entry(&component.package).or_default().push(component);
            }
            let repository: Arc<str> = name.into();
            for mut it in offers {
                let told = by_package.get(it.manifest.name.as_str()).map_or(&[][..], Vec::as_slice);
                told.iter().for_each(|component| dress(&mut it.manifest, component));
                dress_browser(&mut it.manifest);
                let id = it.manifest.appstream.as_ref().map(|it| it.id.as_str());
                let picture = told.iter().find(|it| Some(it.appstream.id.as_str()) == id).and_then(|it| archive.picture(it));
                let available = Available { manifest: Arc::new(it.manifest), repository: Some(repository.clone()), priority: source.priority(name), installed: false };
                known.push(Known { available, offer: None, deb: Some(it.file), picture, file: None });
            }
            Ok(())
        })?;
        Ok(known)
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
        match fs::remove_dir_all(&state) {
            // An archive that was never asked has none.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => Self::io("remove", &state, other),
        }
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
    pub fn update(&self) -> Result<Vec<(String, Result<Updated, ArchiveError>)>, Error> {
        let _lock = self.database.lock()?;
        let mut found = Vec::new();
        for (name, source) in self.sources()?.iter().filter(|(_, it)| it.enabled) {
            let updated = match &source.debian {
                Some(debian) => self.archive(name, source, debian)?.update(),
                None => self.client(name, source)?.update().map_err(ArchiveError::from),
            };
            found.push((name.clone(), updated));
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

    /// All that repositories of ours offer.
    pub(super) fn offered(&self) -> Result<Vec<Known>, Error> {
        let mut offered = Vec::new();
        for (name, source) in self.sources()?.iter().filter(|(_, it)| it.enabled && it.debian.is_none()) {
            let priority = source.priority(name);
            let index = self.client(name, source)?.index().map_err(|source| Error::Repository { name: name.clone(), source })?;
            let repository: Arc<str> = name.as_str().into();
            offered.extend(index.packages.into_iter().map(|offer| {
                let manifest = Arc::new(offer.manifest.clone());
                let available = Available { manifest, repository: Some(repository.clone()), priority, installed: false };
                Known { available, offer: Some(offer), deb: None, picture: None, file: None }
            }));
        }
        Ok(offered)
    }

    /// All versions that are installed or offered, by archives in Debian's form as far as `reach` goes. `files` are packages' files that are
    /// wanted: they go before all repositories.
    ///
    /// # Errors
    /// When something that is kept cannot be read, or a file is not accepted.
    pub fn known(&self, files: &[PathBuf], trust: Trust<'_>, reach: Reach<'_>) -> Result<Vec<Known>, Error> {
        self.known_beside(&self.opened(files, trust)?, reach)
    }

    /// Packages' files that are wanted, verified.
    pub(super) fn opened(&self, files: &[PathBuf], trust: Trust<'_>) -> Result<Vec<Known>, Error> {
        let open = |path: &PathBuf| {
            let package = Package::open(path, trust).map_err(|source| Error::Package { path: path.clone(), source })?;
            let manifest = Arc::new(package.header().manifest.clone());
            let available = Available { manifest, repository: None, priority: i32::MAX, installed: false };
            Ok(Known { available, offer: None, deb: None, picture: None, file: Some(path.clone()) })
        };
        files.iter().map(open).collect()
    }

    /// As [`Gpm::known`], with files that have been opened.
    pub(super) fn known_beside(&self, opened: &[Known], reach: Reach<'_>) -> Result<Vec<Known>, Error> {
        let mut known: Vec<Known> = Vec::new();
        let mut places: BTreeMap<(String, String), usize> = BTreeMap::new();
        let key = |name: &str, version: &Version| (name.to_owned(), version.to_string());
        for (name, record) in self.database.records()? {
            places.insert(key(&name, &record.manifest.version), known.len());
            let available = Available { manifest: Arc::new(record.manifest), repository: None, priority: 0, installed: true };
            known.push(Known { available, offer: None, deb: None, picture: None, file: None });
        }
        known.extend_from_slice(opened);
        let own = self.offered()?;
        let mut archived = self.archived(reach)?;
        // What an archive calls like a package of ours is another program (Debian's gpm is for mice): it never takes its place.
        let ours: HashSet<&str> = known.iter().chain(&own).map(|it| &it.available.manifest).filter(|it| it.origin != ORIGIN).map(|it| it.name.as_str()).collect();
        archived.retain(|it| !ours.contains(it.available.manifest.name.as_str()));
        for offered in own.into_iter().chain(archived) {
            let Available { manifest, repository, priority, .. } = &offered.available;
            match places.get(&key(&manifest.name, &manifest.version)) {
                Some(&at) if known[at].available.priority >= *priority && known[at].available.repository.is_some() => {}
                Some(&at) => {
                    known[at].available.priority = *priority;
                    known[at].available.repository.clone_from(repository);
                    known[at].offer = offered.offer;
                    known[at].deb = offered.deb;
                    known[at].picture = offered.picture;
                }
                None => {
                    places.insert(key(&manifest.name, &manifest.version), known.len());
                    known.push(offered);
                }
            }
        }
        // An installed version that no repository has competes with what its package's repositories have.
        let best: BTreeMap<String, i32> = known.iter().filter(|it| it.is_offered()).fold(BTreeMap::new(), |mut best, it| {
            let entry = best.entry(it.available.manifest.name.clone()).or_insert(i32::MIN);
            *entry = (*entry).max(it.available.priority);
            best
        });
        for it in known.iter_mut().filter(|it| it.available.installed && !it.is_offered()) {
            it.available.priority = best.get(&it.available.manifest.name).copied().unwrap_or(0);
        }
        Ok(known)
    }
}
