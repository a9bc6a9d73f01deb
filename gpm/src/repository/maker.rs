//! Makes, fills and signs a repository.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::metadata::{
    Hashes, Meta, Role, RoleKeys, Root, SPEC, Snapshot, Target, Targets, Timestamp, document, key_entry, key_name, open, sign,
};
use super::time::Time;
use super::{Delta, INDEX, Index, Offer, RepositoryError};
use crate::digest::Digest;
use crate::keys::{PublicKey, SecretKey};
use crate::package::delta::{self, DeltaError};
use crate::package::{Package, Trust};

/// After how many days metadata expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// Of root and targets, which people sign.
    pub long: u32,
    /// Of snapshot and timestamp, which a machine signs.
    pub short: u32,
}

impl Default for Expiry {
    fn default() -> Expiry {
        Expiry { long: 365, short: 30 }
    }
}

/// A folder of secret keys: `root.key`, `root-2.key`, ..., `targets.key`, `snapshot.key`, `timestamp.key`, and `package.key`.
pub struct Keys(PathBuf);

impl Keys {
    /// The keys in `folder`.
    pub fn new(folder: &Path) -> Keys {
        Keys(folder.into())
    }

    /// Makes keys: `roots` of them for the root, one for each other role, one for packages. None is overwritten.
    ///
    /// # Errors
    /// When one exists or cannot be written.
    pub fn generate(&self, roots: u32) -> Result<(), RepositoryError> {
        fs::create_dir_all(&self.0).map_err(|source| RepositoryError::Store { what: self.0.display().to_string(), source })?;
        let mut names: Vec<String> = ["targets", "snapshot", "timestamp", "package"].map(String::from).to_vec();
        names.extend((1..=roots.max(1)).map(|number| if number == 1 { "root".into() } else { format!("root-{number}") }));
        for name in names {
            SecretKey::generate()?.write(&self.0.join(format!("{name}.key")))?;
        }
        Ok(())
    }

    /// All keys of a role that are here.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn of(&self, role: Role) -> Result<Vec<SecretKey>, RepositoryError> {
        self.named(role.name())
    }

    /// The keys that sign packages.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn packages(&self) -> Result<Vec<SecretKey>, RepositoryError> {
        self.named("package")
    }

    fn named(&self, name: &str) -> Result<Vec<SecretKey>, RepositoryError> {
        let mut keys = Vec::new();
        for number in 1..=32 {
            let path = self.0.join(if number == 1 { format!("{name}.key") } else { format!("{name}-{number}.key") });
            if path.exists() {
                keys.push(SecretKey::read(&path)?);
            }
        }
        Ok(keys)
    }
}

/// What became of the wish for a delta.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeltaMade {
    /// The package that it makes.
    pub package: String,
    /// The version of which.
    pub from: String,
    /// Bytes of the package.
    pub whole: u64,
    /// Bytes of the delta, or why there is none.
    pub outcome: Result<u64, String>,
}

/// A repository that is looked after.
pub struct Maker {
    dir: PathBuf,
    keys: Keys,
    expiry: Expiry,
    now: Time,
}

impl Maker {
    /// That in the folder `dir`, signed with `keys`.
    pub fn new(dir: &Path, keys: Keys, expiry: Expiry, now: Time) -> Maker {
        Maker { dir: dir.into(), keys, expiry, now }
    }

    /// Makes an empty repository; `threshold` of the root's keys must sign a root.
    ///
    /// # Errors
    /// When there is one already, a key is missing, or it cannot be written.
    pub fn init(&self, threshold: u32) -> Result<(), RepositoryError> {
        if self.current(Role::Root)?.is_some() {
            let source = io::Error::from(io::ErrorKind::AlreadyExists);
            return Err(RepositoryError::Store { what: self.dir.display().to_string(), source });
        }
        for folder in ["metadata", "targets", "packages"] {
            let path = self.dir.join(folder);
            fs::create_dir_all(&path).map_err(|source| RepositoryError::Store { what: path.display().to_string(), source })?;
        }
        self.rotate_with(threshold, None)?;
        self.publish(&Index::default())
    }

    /// Publishes a new root with the keys that are in the folder now, signed by the old keys too, which must still be at hand: those given
    /// in `old`, and those that stay.
    ///
    /// # Errors
    /// When too few of the old keys are at hand.
    pub fn rotate(&self, threshold: u32, old: &Keys) -> Result<(), RepositoryError> {
        self.rotate_with(threshold, Some(old))?;
        // What the old keys have signed is no longer believed.
        let index = self.index()?;
        self.publish(&index)
    }

    fn rotate_with(&self, threshold: u32, old: Option<&Keys>) -> Result<(), RepositoryError> {
        let mut keys = BTreeMap::new();
        let mut roles = BTreeMap::new();
        for role in Role::ALL {
            let ours: Vec<PublicKey> = self.keys.of(role)?.iter().map(SecretKey::public).collect();
            if ours.is_empty() {
                return Err(RepositoryError::Missing(format!("the key of {role}")));
            }
            keys.extend(ours.iter().map(key_entry));
            let threshold = if role == Role::Root { threshold.max(1) } else { 1 };
            roles.insert(role, RoleKeys { keyids: ours.iter().map(|key| key_name(key.id())).collect(), threshold });
        }
        let version = self.current(Role::Root)?.map_or(0, |(version, _)| version) + 1;
        let root = Root {
            kind: Role::Root.name().into(),
            spec_version: SPEC.into(),
            version,
            expires: self.now.after_days(self.expiry.long),
            consistent_snapshot: true,
            keys,
            roles,
        };
        let mut signers = self.keys.of(Role::Root)?;
        if let Some(old) = old {
            signers.extend(old.of(Role::Root)?);
        }
        let mut seen = std::collections::HashSet::new();
        signers.retain(|key| seen.insert(key.public().to_bytes()));
        let text = sign(&root, &signers)?;
        let envelope = open(Role::Root, &text)?;
        root.verify(Role::Root, &envelope)?;
        if let Some((_, before)) = self.current(Role::Root)? {
            let before: Root = document(&open(Role::Root, &before)?)?;
            before.verify(Role::Root, &envelope)?;
        }
        self.write(&format!("metadata/{version}.root.json"), &text)
    }

    /// Adds packages. Each is verified; `trust` says whose are taken.
    ///
    /// # Errors
    /// When one is damaged or not trusted, or the repository has that version with other contents.
    pub fn add(&self, paths: &[PathBuf], trust: Trust<'_>) -> Result<(), RepositoryError> {
        let mut index = self.index()?;
        for path in paths {
            let package = Package::open(path, trust).map_err(|source| RepositoryError::Package { what: path.display().to_string(), source })?;
            let header = package.header();
            let (sha512, length, installed) = (package.digest(), package.size(), header.payload.size);
            let offer = Offer { manifest: header.manifest.clone(), sha512, length, installed, deltas: Vec::new() };
            match index.packages.iter().find(|it| it.path() == offer.path()) {
                Some(known) if known.sha512 == offer.sha512 => continue,
                Some(_) => return Err(RepositoryError::Changed(offer.manifest.id())),
                None => {}
            }
            let text = fs::read(path).map_err(|source| RepositoryError::Read { what: path.display().to_string(), source })?;
            self.write(&offer.path(), &text)?;
            index.packages.push(offer);
        }
        self.publish(&index)
    }

    /// Makes deltas that turn each package's `back` versions before its newest into that one, where they are smaller than it; those that are
    /// there already stay. Tells of each that was looked at.
    ///
    /// # Errors
    /// When a package cannot be read, or the repository cannot be written.
    pub fn make_deltas(&self, back: usize) -> Result<Vec<DeltaMade>, RepositoryError> {
        let mut index = self.index()?;
        // Sorted by name, then version.
        let mut names: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (number, offer) in index.packages.iter().enumerate() {
            names.entry(offer.manifest.name.clone()).or_default().push(number);
        }
        let mut made = Vec::new();
        for versions in names.values() {
            let Some((&newest, older)) = versions.split_last() else { continue };
            for &old in older.iter().rev().take(back) {
                let (base, new) = (index.packages[old].clone(), index.packages[newest].clone());
                if new.deltas.iter().any(|it| it.base == base.sha512) {
                    continue;
                }
                let path = |offer: &Offer| self.dir.join(offer.path());
                let result = delta::make((&path(&base), &base.sha512), (&path(&new), &new.sha512));
                let outcome = match result {
                    Ok((text, _)) if text.len() as u64 >= new.length => Err("it would not be smaller than the package".into()),
                    Ok((text, contents)) => {
                        let delta = Delta { base: base.sha512, contents, sha512: Digest::of(&text), length: text.len() as u64 };
                        self.write(&new.delta_path(&delta), &text)?;
                        index.packages[newest].deltas.push(delta);
                        Ok(text.len() as u64)
                    }
                    // These packages have none; others may.
                    Err(error @ (DeltaError::Size | DeltaError::Compression(_))) => Err(error.to_string()),
                    Err(error) => return Err(RepositoryError::Delta { what: new.manifest.id(), source: error }),
                };
                made.push(DeltaMade { package: new.manifest.id(), from: base.manifest.version.to_string(), whole: new.length, outcome });
            }
        }
        if made.iter().any(|it| it.outcome.is_ok()) {
            self.publish(&index)?;
        }
        Ok(made)
    }

    /// Takes packages out of the index by `name` or `name=version`; their files stay for those who still have the old index.
    ///
    /// # Errors
    /// When there is no such package.
    pub fn remove(&self, names: &[String]) -> Result<(), RepositoryError> {
        let mut index = self.index()?;
        for name in names {
            let before = index.packages.len();
            index.packages.retain(|it| it.manifest.name != *name && format!("{}={}", it.manifest.name, it.manifest.version) != *name);
            if index.packages.len() == before {
                return Err(RepositoryError::Missing(name.clone()));
            }
        }
        self.publish(&index)
    }

    /// Renews snapshot and timestamp before they expire.
    ///
    /// # Errors
    /// When a key is missing or the repository cannot be written.
    pub fn renew(&self) -> Result<(), RepositoryError> {
        let (_, text) = self.current(Role::Targets)?.ok_or_else(|| RepositoryError::Missing("targets.json".into()))?;
        self.publish_snapshot(&text)
    }

    /// Removes old metadata and indexes, and packages that the index does not name: for a repository that nobody has half fetched. Roots stay,
    /// as users follow their chain.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn tidy(&self) -> Result<(), RepositoryError> {
        let index = self.index()?;
        let files = |it: &Offer| it.deltas.iter().map(|delta| it.delta_path(delta)).chain([it.path()]).collect::<Vec<_>>();
        let mut wanted: BTreeSet<String> = index.packages.iter().flat_map(files).collect();
        wanted.insert("metadata/timestamp.json".into());
        for role in [Role::Targets, Role::Snapshot] {
            wanted.extend(self.current(role)?.map(|(version, _)| format!("metadata/{version}.{role}.json")));
        }
        if let Some((_, text)) = self.current(Role::Targets)? {
            let targets: Targets = document(&open(Role::Targets, &text)?)?;
            wanted.extend(targets.targets.iter().map(|(name, target)| format!("targets/{}.{name}", target.hashes.sha512)));
        }
        for folder in ["metadata", "targets", "packages"] {
            let failed = |source| RepositoryError::Store { what: folder.into(), source };
            for entry in fs::read_dir(self.dir.join(folder)).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
                if !wanted.contains(&name) && !name.ends_with(".root.json") {
                    fs::remove_file(entry.path()).map_err(failed)?;
                }
            }
        }
        Ok(())
    }

    /// What it offers.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn index(&self) -> Result<Index, RepositoryError> {
        let Some((_, text)) = self.current(Role::Targets)? else { return Ok(Index::default()) };
        let targets: Targets = document(&open(Role::Targets, &text)?)?;
        let Some(target) = targets.targets.get(INDEX) else { return Ok(Index::default()) };
        let path = format!("targets/{}.{INDEX}", target.hashes.sha512);
        let unreadable = |source| RepositoryError::Read { what: path.clone(), source };
        let json = fs::read(self.dir.join(&path)).and_then(|it| zstd::decode_all(it.as_slice())).map_err(unreadable)?;
        serde_json::from_slice(&json).map_err(|error| unreadable(io::Error::other(error)))
    }

    /// The newest root: what its users must trust once.
    ///
    /// # Errors
    /// When there is none.
    pub fn root(&self) -> Result<Vec<u8>, RepositoryError> {
        self.current(Role::Root)?.map(|(_, text)| text).ok_or_else(|| RepositoryError::Missing("root.json".into()))
    }

    fn publish(&self, index: &Index) -> Result<(), RepositoryError> {
        let mut index = index.clone();
        index.packages.sort_by(|a, b| a.manifest.name.cmp(&b.manifest.name).then_with(|| a.manifest.version.cmp(&b.manifest.version)));
        let json = serde_json::to_vec(&index).map_err(|error| RepositoryError::Malformed { what: INDEX.into(), reason: error.to_string() })?;
        let packed = zstd::bulk::compress(&json, 12).map_err(|source| RepositoryError::Store { what: INDEX.into(), source })?;
        let sha512 = Digest::of(&packed);
        self.write(&format!("targets/{sha512}.{INDEX}"), &packed)?;
        let version = self.current(Role::Targets)?.map_or(0, |(version, _)| version) + 1;
        let target = Target { length: packed.len() as u64, hashes: Hashes { sha512 } };
        let targets = Targets {
            kind: Role::Targets.name().into(),
            spec_version: SPEC.into(),
            version,
            expires: self.now.after_days(self.expiry.long),
            targets: BTreeMap::from([(INDEX.to_owned(), target)]),
        };
        let text = sign(&targets, &self.keys.of(Role::Targets)?)?;
        self.write(&format!("metadata/{version}.targets.json"), &text)?;
        self.publish_snapshot(&text)
    }

    fn publish_snapshot(&self, targets: &[u8]) -> Result<(), RepositoryError> {
        let version_of = |text: &[u8]| -> Result<u64, RepositoryError> { Ok(document::<Targets>(&open(Role::Targets, text)?)?.version) };
        let meta = |version, text: &[u8]| Meta { version, length: text.len() as u64, hashes: Hashes { sha512: Digest::of(text) } };
        let version = self.current(Role::Snapshot)?.map_or(0, |(version, _)| version) + 1;
        let expires = self.now.after_days(self.expiry.short);
        let snapshot = Snapshot {
            kind: Role::Snapshot.name().into(),
            spec_version: SPEC.into(),
            version,
            expires,
            meta: BTreeMap::from([("targets.json".to_owned(), meta(version_of(targets)?, targets))]),
        };
        let text = sign(&snapshot, &self.keys.of(Role::Snapshot)?)?;
        self.write(&format!("metadata/{version}.snapshot.json"), &text)?;
        // The snapshot's number will do for the timestamp: it rises with it.
        let timestamp = Timestamp {
            kind: Role::Timestamp.name().into(),
            spec_version: SPEC.into(),
            version,
            expires,
            meta: BTreeMap::from([("snapshot.json".to_owned(), meta(version, &text))]),
        };
        self.write("metadata/timestamp.json", &sign(&timestamp, &self.keys.of(Role::Timestamp)?)?)
    }

    /// The newest document of a role.
    fn current(&self, role: Role) -> Result<Option<(u64, Vec<u8>)>, RepositoryError> {
        let dir = self.dir.join("metadata");
        let unreadable = |source| RepositoryError::Read { what: dir.display().to_string(), source };
        let entries = match fs::read_dir(&dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(unreadable)?,
        };
        let mut newest = None;
        for entry in entries {
            let name = entry.map_err(unreadable)?.file_name();
            let version = name.to_str().and_then(|it| it.strip_suffix(&format!(".{role}.json"))).and_then(|it| it.parse::<u64>().ok());
            newest = newest.max(version);
        }
        let Some(version) = newest else { return Ok(None) };
        fs::read(dir.join(format!("{version}.{role}.json"))).map(|text| Some((version, text))).map_err(unreadable)
    }

    fn write(&self, name: &str, text: &[u8]) -> Result<(), RepositoryError> {
        crate::database::replace(&self.dir.join(name), text).map_err(|source| RepositoryError::Store { what: name.into(), source })
    }
}
