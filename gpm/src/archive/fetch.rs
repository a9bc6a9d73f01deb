//! Keeps up with an archive, and brings its packages.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::closure::{Breadth, all, closure};
use super::index::{self, Index};
use super::release::{self, Listed, Release};
use super::{ArchiveError, DebFile, DebOffer, Debian};
use crate::deb::control;
use crate::observer::Observer;
use crate::repository::{RepositoryError, Time, Transport, Updated, Url, copy_exactly};

const MAX_RELEASE: u64 = 8 << 20;
/// Of a compressed list; Debian's largest has 9 MiB.
const MAX_LIST: u64 = 256 << 20;
/// Of a list once it is unpacked; Debian's largest has 50 MiB.
const MAX_LIST_TEXT: u64 = 1 << 30;
const INDEX: &str = "packages.index";

/// One archive, as this machine knows it.
pub struct Archive<'a> {
    name: &'a str,
    url: Url,
    debian: &'a Debian,
    /// The keys, as a path of the running system.
    keyring: PathBuf,
    /// Where what is known is kept.
    dir: PathBuf,
    transport: &'a Transport,
    observer: &'a dyn Observer,
    now: Time,
}

impl<'a> Archive<'a> {
    /// The archive `name` at `url`, signed by keys of `keyring`; what is known of it is kept in `dir`. `now` is the time by which lists expire.
    #[expect(clippy::too_many_arguments, reason = "it is what an archive is; only Gpm makes them")]
    pub fn new(name: &'a str, url: Url, debian: &'a Debian, keyring: PathBuf, dir: PathBuf, transport: &'a Transport, observer: &'a dyn Observer, now: Time) -> Archive<'a> {
        Archive { name, url, debian, keyring, dir, transport, observer, now }
    }

    /// Brings what is known up to date. What was known stays where anything is wrong.
    ///
    /// # Errors
    /// When it cannot be fetched, or is not believed.
    pub fn update(&self) -> Result<Updated, ArchiveError> {
        let store = |what: &Path, source| RepositoryError::Store { what: what.display().to_string(), source };
        fs::create_dir_all(&self.dir).map_err(|source| store(&self.dir, source))?;
        let (mut releases, mut news) = (Vec::new(), !self.dir.join(INDEX).exists());
        for suite in &self.debian.suites {
            let path = format!("dists/{suite}/InRelease");
            let signed = self.transport.get(&self.url.join(&path), MAX_RELEASE)?.ok_or(RepositoryError::Missing(path))?;
            let release = release::parse(suite, &release::verify(suite, &signed, &self.keyring)?)?;
            let kept = self.kept(suite);
            let known = fs::read_to_string(&kept).ok().and_then(|it| it.trim().parse::<Time>().ok());
            if let Some(trusted) = known.filter(|it| release.date < *it) {
                return Err(ArchiveError::Rollback { suite: suite.clone(), trusted, offered: release.date });
            }
            if let Some(until) = release.valid_until.filter(|it| *it <= self.now) {
                return Err(ArchiveError::Frozen { suite: suite.clone(), until });
            }
            news |= known != Some(release.date);
            releases.push((suite, kept, release));
        }
        // Suites and components may have been changed in the configuration.
        let described = format!("{:?} {:?}\n", self.debian.suites, self.debian.components);
        let scope = self.dir.join("scope");
        news |= fs::read_to_string(&scope).ok().as_deref() != Some(&described);
        if !news {
            return Ok(Updated::Same);
        }
        let mut lists = Vec::new();
        for (suite, _, release) in &releases {
            for component in &self.debian.components {
                lists.push(self.list(suite, component, release)?);
            }
        }
        let mut text = Vec::new();
        let count = index::write(lists.iter().flat_map(|it| control::stanzas(it)), &mut text).map_err(|source| store(&self.dir.join(INDEX), source))?;
        drop(lists);
        if count == 0 {
            return Err(RepositoryError::Malformed { what: self.name.into(), reason: "its lists name no packages".into() }.into());
        }
        // The dates last: should this be interrupted, all is looked at again.
        let write = |path: &Path, text: &[u8]| crate::database::replace(path, text).map_err(|source| store(path, source));
        write(&self.dir.join(INDEX), &text)?;
        write(&scope, described.as_bytes())?;
        for (_, kept, release) in &releases {
            write(kept, format!("{}\n", release.date).as_bytes())?;
        }
        Ok(Updated::News)
    }

    /// Where the date of a suite that has been seen is kept.
    fn kept(&self, suite: &str) -> PathBuf {
        self.dir.join(format!("{}.date", suite.replace('/', "_")))
    }

    /// The list of packages of one component.
    fn list(&self, suite: &str, component: &str, release: &Release) -> Result<String, ArchiveError> {
        let folder = format!("{component}/binary-amd64");
        let named = ["Packages.xz", "Packages.gz"].iter().find_map(|it| Some((it, release.files.get(&format!("{folder}/{it}"))?)));
        let (file, listed) = named.ok_or_else(|| ArchiveError::Release { suite: suite.into(), reason: format!("it has no component {component}") })?;
        let path = format!("dists/{suite}/{folder}/{file}");
        let hash = crate::digest::to_hex(&listed.sha256);
        let mut packed = None;
        if release.by_hash {
            packed = self.whole(&format!("dists/{suite}/{folder}/by-hash/SHA256/{hash}"), &path, listed)?;
        }
        let packed = match packed {
            Some(packed) => packed,
            None => self.whole(&path, &path, listed)?.ok_or_else(|| RepositoryError::Missing(path.clone()))?,
        };
        let reader: Box<dyn Read> = match *file {
            "Packages.xz" => Box::new(lzma_rust2::XzReader::new(packed.as_slice(), true)),
            _ => Box::new(flate2::read::GzDecoder::new(packed.as_slice())),
        };
        let mut text = String::new();
        let malformed = |reason: String| RepositoryError::Malformed { what: path.clone(), reason };
        let read = reader.take(MAX_LIST_TEXT + 1).read_to_string(&mut text).map_err(|error| malformed(error.to_string()))?;
        if read as u64 > MAX_LIST_TEXT {
            return Err(RepositoryError::Endless { what: path, limit: MAX_LIST_TEXT }.into());
        }
        Ok(text)
    }

    /// A file that a suite names; `None` where there is no such file.
    fn whole(&self, path: &str, name: &str, listed: &Listed) -> Result<Option<Vec<u8>>, ArchiveError> {
        if listed.length > MAX_LIST {
            return Err(RepositoryError::Endless { what: name.into(), limit: MAX_LIST }.into());
        }
        let Some(mut reader) = self.transport.open(&self.url.join(path))? else { return Ok(None) };
        let mut bytes = Vec::new();
        copy_exactly(&mut reader, &mut bytes, listed.length, name, self.observer)?;
        if Sha256::digest(&bytes)[..] != listed.sha256 {
            return Err(ArchiveError::Checksum { what: name.into() });
        }
        Ok(Some(bytes))
    }

    fn index(&self) -> Result<Option<Index>, ArchiveError> {
        let path = self.dir.join(INDEX);
        Index::open(&path).map_err(|source| RepositoryError::Read { what: path.display().to_string(), source }.into())
    }

    fn read<T: Default>(&self, look: impl FnOnce(&Index) -> io::Result<T>) -> Result<T, ArchiveError> {
        let Some(index) = self.index()? else { return Ok(T::default()) };
        look(&index).map_err(|source| RepositoryError::Read { what: self.dir.join(INDEX).display().to_string(), source }.into())
    }

    /// What was offered when it was last looked at under `names`, and what that leads to; nothing before that.
    ///
    /// # Errors
    /// When what is kept cannot be read.
    pub fn offers(&self, names: &BTreeSet<String>, breadth: Breadth) -> Result<Vec<DebOffer>, ArchiveError> {
        self.read(|index| closure(index, names, breadth))
    }

    /// Looks at all names that are known: of packages, and of what they provide.
    ///
    /// # Errors
    /// When what is kept cannot be read.
    pub fn names(&self, look: impl FnOnce(&mut dyn Iterator<Item = &str>) -> Vec<String>) -> Result<Vec<String>, ArchiveError> {
        self.read(|index| Ok(look(&mut index.names())))
    }

    /// All that was offered when it was last looked at.
    ///
    /// # Errors
    /// When what is kept cannot be read.
    pub fn all(&self) -> Result<Vec<DebOffer>, ArchiveError> {
        self.read(all)
    }

    /// Fetches a package's file to `path`; it is there only if it is the one that the signed lists name.
    ///
    /// # Errors
    /// When it cannot be fetched, or is another.
    pub fn fetch(&self, name: &str, file: &DebFile, path: &Path) -> Result<(), ArchiveError> {
        let mut reader = self.transport.open(&self.url.join(&file.path))?.ok_or_else(|| RepositoryError::Missing(file.path.clone()))?;
        let failed = |source| RepositoryError::Store { what: path.display().to_string(), source };
        let mut output = Hashed { file: fs::File::create(path).map_err(failed)?, hasher: Sha256::new() };
        copy_exactly(&mut reader, &mut output, file.length, name, self.observer)?;
        if output.hasher.finalize()[..] != file.sha256 {
            return Err(ArchiveError::Checksum { what: file.path.clone() });
        }
        Ok(())
    }
}

struct Hashed {
    file: fs::File,
    hasher: Sha256,
}

impl Write for Hashed {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let written = self.file.write(data)?;
        self.hasher.update(&data[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
