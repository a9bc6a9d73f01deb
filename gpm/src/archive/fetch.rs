//! Keeps up with an archive, and brings its packages.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::closure::{Breadth, all, closure};
use super::components::{self, Component};
use super::index::{self, Index};
use super::release::{self, Listed, Release};
use super::{ArchiveError, DebFile, DebOffer, Debian};
use crate::deb::control;
use crate::digest::Hashed;
use crate::observer::{Event, Observer};
use crate::repository::{RepositoryError, Time, Transport, Updated, Url, copy_exactly};

const MAX_RELEASE: u64 = 8 << 20;
/// Of a compressed list; Debian's largest has 9 MiB.
const MAX_LIST: u64 = 256 << 20;
/// Of a list once it is unpacked; Debian's largest has 50 MiB.
const MAX_LIST_TEXT: u64 = 1 << 30;
/// Of a picture of 64 by 64 pixels.
const MAX_PICTURE: u64 = 1 << 20;
const INDEX: &str = "packages.index";
const COMPONENTS: &str = "components.json.zst";
const PICTURES: &str = "pictures";

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
        let write = |path: &Path, text: &[u8]| crate::database::replace(path, text).map_err(|source| store(path, source));
        let described_by = self.words(&releases);
        let mark = self.dir.join("words");
        if fs::read_to_string(&mark).ok().as_deref() != Some(&described_by) {
            match self.describe(&releases) {
                Ok(()) => write(&mark, described_by.as_bytes())?,
                Err(ArchiveError::Repository(RepositoryError::Cancelled)) => return Err(RepositoryError::Cancelled.into()),
                // Many mirrors leave them out: packages are installed without, and they are asked for again when there is something new.
                Err(error) => self.observer.event(&Event::Note { text: &format!("{}: what it says of its programs for people could not be had: {error}", self.name) }),
            }
        }
        // The dates last: should this be interrupted, all is looked at again.
        write(&self.dir.join(INDEX), &text)?;
        write(&scope, described.as_bytes())?;
        for (_, kept, release) in &releases {
            write(kept, format!("{}\n", release.date).as_bytes())?;
        }
        Ok(Updated::News)
    }

    /// By what it is known whether the words for people are other ones.
    fn words(&self, releases: &[(&String, PathBuf, Release)]) -> String {
        let files = releases.iter().flat_map(|(_, _, it)| &it.files).filter(|(path, _)| path.contains("/dep11/Components-amd64"));
        files.map(|(path, it)| format!("{} {path}\n", crate::digest::to_hex(&it.sha256))).collect()
    }

    /// Where the date of a suite that has been seen is kept.
    fn kept(&self, suite: &str) -> PathBuf {
        self.dir.join(format!("{}.date", suite.replace('/', "_")))
    }

    /// The list of packages of one component.
    fn list(&self, suite: &str, component: &str, release: &Release) -> Result<String, ArchiveError> {
        let found = self.first(suite, release, &format!("{component}/binary-amd64"), &["Packages.xz", "Packages.gz"])?;
        let (path, packed) = found.ok_or_else(|| ArchiveError::Release { suite: suite.into(), reason: format!("it has no component {component}") })?;
        text(&path, &packed)
    }

    /// What the components say of their programs for people, and the programs' pictures. Suites without are left out.
    fn describe(&self, releases: &[(&String, PathBuf, Release)]) -> Result<(), ArchiveError> {
        let (mut all, mut seen) = (Vec::new(), HashSet::new());
        let pictures = self.dir.join(format!("{PICTURES}.new"));
        let failed = |path: &Path| { let what = path.display().to_string(); move |source| RepositoryError::Store { what, source } };
        let _ = fs::remove_dir_all(&pictures);
        fs::create_dir_all(&pictures).map_err(failed(&pictures))?;
        for (suite, _, release) in releases {
            for component in &self.debian.components {
                let folder = format!("{component}/dep11");
                let Some((path, packed)) = self.first(suite, release, &folder, &["Components-amd64.yml.xz", "Components-amd64.yml.gz"])? else { continue };
                let found = components::parse(&text(&path, &packed)?);
                let icons: HashSet<&str> = found.iter().map(|it| it.icon.as_str()).collect();
                if let Some((path, packed)) = self.first(suite, release, &folder, &["icons-64x64.tar.gz"])? {
                    let malformed = |error: io::Error| RepositoryError::Malformed { what: path.clone(), reason: error.to_string() };
                    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(packed.as_slice()).take(MAX_LIST_TEXT));
                    for entry in archive.entries().map_err(malformed)? {
                        let mut entry = entry.map_err(malformed)?;
                        let name = entry.path().map_err(malformed)?.to_string_lossy().trim_start_matches("./").to_owned();
                        if icons.contains(name.as_str()) && entry.header().entry_type().is_file() && entry.size() <= MAX_PICTURE {
                            let place = pictures.join(&name);
                            let mut output = fs::File::create(&place).map_err(failed(&place))?;
                            io::copy(&mut entry, &mut output).map_err(failed(&place))?;
                        }
                    }
                }
                all.extend(found.into_iter().filter(|it| seen.insert((it.package.clone(), it.appstream.id.clone()))));
            }
        }
        let kept = self.dir.join(PICTURES);
        let _ = fs::remove_dir_all(&kept);
        fs::rename(&pictures, &kept).map_err(failed(&kept))?;
        let path = self.dir.join(COMPONENTS);
        components::write(&all, &path).map_err(failed(&path))?;
        Ok(())
    }

    /// The first of these files of a folder that a suite names.
    fn first(&self, suite: &str, release: &Release, folder: &str, names: &[&str]) -> Result<Option<(String, Vec<u8>)>, ArchiveError> {
        let Some((file, listed)) = names.iter().find_map(|it| Some((it, release.files.get(&format!("{folder}/{it}"))?))) else { return Ok(None) };
        let path = format!("dists/{suite}/{folder}/{file}");
        if release.by_hash {
            let hash = crate::digest::to_hex(&listed.sha256);
            if let Some(packed) = self.whole(&format!("dists/{suite}/{folder}/by-hash/SHA256/{hash}"), &path, listed)? {
                return Ok(Some((path, packed)));
            }
        }
        let packed = self.whole(&path, &path, listed)?.ok_or_else(|| RepositoryError::Missing(path.clone()))?;
        Ok(Some((path, packed)))
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

    /// Whether it has been asked what it has.
    pub fn is_known(&self) -> bool {
        self.dir.join(INDEX).exists()
    }

    /// What was offered when it was last looked at under `names`, and what that leads to; nothing before that.
    ///
    /// # Errors
    /// When what is kept cannot be read.
    pub fn offers(&self, names: &BTreeSet<String>, breadth: Breadth) -> Result<Vec<DebOffer>, ArchiveError> {
        self.read(|index| closure(index, names, breadth))
    }

    /// What the archive says of its programs for people; nothing before it was looked at.
    ///
    /// # Errors
    /// When what is kept cannot be read.
    pub fn components(&self) -> Result<Vec<Component>, ArchiveError> {
        let path = self.dir.join(COMPONENTS);
        components::read(&path).map_err(|source| RepositoryError::Read { what: path.display().to_string(), source }.into())
    }

    /// Where a program's picture lies, where it has one.
    pub fn picture(&self, component: &Component) -> Option<PathBuf> {
        Some(self.dir.join(PICTURES).join(&component.icon)).filter(|_| !component.icon.is_empty())
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
        let mut output = Hashed { output: fs::File::create(path).map_err(failed)?, hasher: Sha256::new() };
        copy_exactly(&mut reader, &mut output, file.length, name, self.observer)?;
        if output.hasher.finalize()[..] != file.sha256 {
            return Err(ArchiveError::Checksum { what: file.path.clone() });
        }
        Ok(())
    }
}

/// The text that is compressed in a file.
fn text(path: &str, packed: &[u8]) -> Result<String, ArchiveError> {
    let reader: Box<dyn Read + '_> = match path.ends_with(".xz") {
        true => Box::new(lzma_rust2::XzReader::new(packed, true)),
        false => Box::new(flate2::read::GzDecoder::new(packed)),
    };
    let mut text = String::new();
    let malformed = |error: io::Error| RepositoryError::Malformed { what: path.into(), reason: error.to_string() };
    let read = reader.take(MAX_LIST_TEXT + 1).read_to_string(&mut text).map_err(malformed)?;
    if read as u64 > MAX_LIST_TEXT {
        return Err(RepositoryError::Endless { what: path.into(), limit: MAX_LIST_TEXT }.into());
    }
    Ok(text)
}
