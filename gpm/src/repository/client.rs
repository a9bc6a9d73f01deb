//! Keeps up with a repository, by the specification's client workflow (its section 5).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::metadata::{Document, Envelope, Meta, Role, Root, Snapshot, Targets, Timestamp, document, malformed, open};
use super::time::Time;
use super::transport::{Transport, Url, copy_exactly};
use super::{INDEX, Index, RepositoryError};
use crate::digest::{Digest, Hashed, Hasher};
use crate::observer::Observer;

const MAX_ROOT: u64 = 512 << 10;
const MAX_TIMESTAMP: u64 = 64 << 10;
const MAX_METADATA: u64 = 16 << 20;
const MAX_INDEX: u64 = 256 << 20;
const MAX_INDEX_JSON: u64 = 2 << 30;
/// How many new roots are taken at once.
const MAX_ROTATIONS: u64 = 1024;

/// One repository, as this machine knows it.
pub struct Client<'a> {
    name: &'a str,
    url: Url,
    /// Where what is trusted is kept.
    dir: PathBuf,
    transport: &'a Transport,
    observer: &'a dyn Observer,
    now: Time,
}

/// What an update found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Updated {
    /// The packages are those that were known.
    Same,
    /// There is another list of packages.
    News,
}

impl<'a> Client<'a> {
    /// The repository `name` at `url`; what is trusted of it is kept in `dir`. `now` is the time by which metadata expires.
    pub fn new(name: &'a str, url: Url, dir: PathBuf, transport: &'a Transport, observer: &'a dyn Observer, now: Time) -> Client<'a> {
        Client { name, url, dir, transport, observer, now }
    }

    /// Trusts a root that came by another way: with the image, or from somebody's hand.
    ///
    /// # Errors
    /// When it is no root, is not signed by its own keys, or cannot be kept.
    pub fn trust(&self, text: &[u8]) -> Result<(), RepositoryError> {
        let envelope = open(Role::Root, text)?;
        let root: Root = document(&envelope)?;
        root.verify(Role::Root, &envelope)?;
        fs::create_dir_all(&self.dir).map_err(|source| RepositoryError::Store { what: self.dir.display().to_string(), source })?;
        self.store("root.json", text)
    }

    fn store(&self, name: &str, text: &[u8]) -> Result<(), RepositoryError> {
        let path = self.dir.join(name);
        crate::database::replace(&path, text).map_err(|source| RepositoryError::Store { what: path.display().to_string(), source })
    }

    fn stored(&self, name: &str) -> Result<Option<Vec<u8>>, RepositoryError> {
        let path = self.dir.join(name);
        match fs::read(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(RepositoryError::Read { what: path.display().to_string(), source }),
        }
    }

    fn forget(&self, name: &str) -> Result<(), RepositoryError> {
        match fs::remove_file(self.dir.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(RepositoryError::Store { what: name.into(), source: error }),
            _ => Ok(()),
        }
    }

    fn fresh(&self, document: &impl Document, role: Role) -> Result<(), RepositoryError> {
        if document.expires() <= self.now { Err(RepositoryError::Frozen { role, expired: document.expires() }) } else { Ok(()) }
    }

    /// What is kept of a role, where the keys of today's root still stand for it.
    fn trusted<D: Document>(&self, root: &Root, name: &str) -> Result<Option<D>, RepositoryError> {
        let Some(text) = self.stored(name)? else { return Ok(None) };
        let envelope = open(D::ROLE, &text)?;
        if root.verify(D::ROLE, &envelope).is_err() {
            return Ok(None);
        }
        document(&envelope).map(Some)
    }

    /// Brings what is known of the repository up to date. What was known stays where anything is wrong.
    ///
    /// # Errors
    /// When it cannot be fetched, or is not believed.
    pub fn update(&self) -> Result<Updated, RepositoryError> {
        let root = self.update_root()?;
        let (timestamp, timestamp_text) = self.update_timestamp(&root)?;
        let meta = timestamp.meta.get("snapshot.json").ok_or_else(|| malformed(Role::Timestamp, "it names no snapshot"))?;
        let (snapshot, snapshot_text): (Snapshot, _) = self.announced(&root, meta, "snapshot.json")?;
        if let Some(old) = self.trusted::<Snapshot>(&root, "snapshot.json")? {
            for (name, known) in &old.meta {
                let offered = snapshot.meta.get(name).map_or(0, |it| it.version);
                if offered < known.version {
                    return Err(RepositoryError::Rollback { what: name.clone(), trusted: known.version, offered });
                }
            }
        }
        self.fresh(&snapshot, Role::Snapshot)?;
        let meta = snapshot.meta.get("targets.json").ok_or_else(|| malformed(Role::Snapshot, "it names no targets"))?;
        let (targets, targets_text): (Targets, _) = self.announced(&root, meta, "targets.json")?;
        self.fresh(&targets, Role::Targets)?;

        let target = targets.targets.get(INDEX).ok_or_else(|| malformed(Role::Targets, "it has no index of packages"))?;
        let known = self.stored(INDEX)?.is_some_and(|it| Digest::of(&it) == target.hashes.sha512);
        if !known {
            let text = self.fetch_index(target.length, &target.hashes.sha512)?;
            self.store(INDEX, &text)?;
        }
        // From the inside out: should this be interrupted, the newest timestamp is not yet known, and all is looked at again.
        self.store("targets.json", &targets_text)?;
        self.store("snapshot.json", &snapshot_text)?;
        self.store("timestamp.json", &timestamp_text)?;
        Ok(if known { Updated::Same } else { Updated::News })
    }

    fn update_root(&self) -> Result<Root, RepositoryError> {
        let text = self.stored("root.json")?.ok_or_else(|| RepositoryError::NoRoot(self.name.into()))?;
        let envelope = open(Role::Root, &text)?;
        let mut root: Root = document(&envelope)?;
        root.verify(Role::Root, &envelope)?;
        for _ in 0..MAX_ROTATIONS {
            let url = self.url.join(&format!("metadata/{}.root.json", root.version + 1));
            let Some(text) = self.transport.get(&url, MAX_ROOT)? else { break };
            let envelope = open(Role::Root, &text)?;
            // The old keys say that it is the successor, the new ones that they are there.
            root.verify(Role::Root, &envelope)?;
            let next: Root = document(&envelope)?;
            next.verify(Role::Root, &envelope)?;
            if next.version != root.version + 1 {
                return Err(RepositoryError::Rollback { what: "root.json".into(), trusted: root.version, offered: next.version });
            }
            // Who had the keys that are gone may have announced versions that nobody can exceed: those are forgotten.
            for (role, name) in [(Role::Timestamp, "timestamp.json"), (Role::Snapshot, "snapshot.json")] {
                if root.role_keys(role) != next.role_keys(role) {
                    self.forget(name)?;
                }
            }
            self.store("root.json", &text)?;
            root = next;
        }
        self.fresh(&root, Role::Root)?;
        if !root.consistent_snapshot {
            return Err(malformed(Role::Root, "it is without consistent snapshots"));
        }
        Ok(root)
    }

    fn update_timestamp(&self, root: &Root) -> Result<(Timestamp, Vec<u8>), RepositoryError> {
        let text = self.transport.get(&self.url.join("metadata/timestamp.json"), MAX_TIMESTAMP)?;
        let text = text.ok_or_else(|| RepositoryError::Missing("timestamp.json".into()))?;
        let envelope = open(Role::Timestamp, &text)?;
        root.verify(Role::Timestamp, &envelope)?;
        let timestamp: Timestamp = document(&envelope)?;
        if let Some(old) = self.trusted::<Timestamp>(root, "timestamp.json")? {
            let rollback = |what: &str, trusted, offered| Err(RepositoryError::Rollback { what: what.into(), trusted, offered });
            if timestamp.version < old.version {
                return rollback("timestamp.json", old.version, timestamp.version);
            }
            let version = |it: &Timestamp| it.meta.get("snapshot.json").map_or(0, |it| it.version);
            if version(&timestamp) < version(&old) {
                return rollback("snapshot.json", version(&old), version(&timestamp));
            }
        }
        self.fresh(&timestamp, Role::Timestamp)?;
        Ok((timestamp, text))
    }

    /// Fetches metadata whose version, length and checksum another role has announced.
    fn announced<D: Document>(&self, root: &Root, meta: &Meta, name: &str) -> Result<(D, Vec<u8>), RepositoryError> {
        if meta.length > MAX_METADATA {
            return Err(RepositoryError::Endless { what: name.into(), limit: MAX_METADATA });
        }
        let url = self.url.join(&format!("metadata/{}.{name}", meta.version));
        let mut reader = self.transport.open(&url)?.ok_or_else(|| RepositoryError::Missing(format!("{}.{name}", meta.version)))?;
        let mut text = Vec::new();
        copy_exactly(&mut reader, &mut text, meta.length, name, self.observer)?;
        let envelope: Envelope = match open(D::ROLE, &text) {
            Err(_) if Digest::of(&text) != meta.hashes.sha512 => return Err(RepositoryError::Checksum { what: name.into() }),
            other => other?,
        };
        root.verify(D::ROLE, &envelope)?;
        let document: D = document(&envelope)?;
        if document.version() != meta.version {
            return Err(RepositoryError::MixAndMatch { what: name.into(), promised: meta.version, found: document.version() });
        }
        if Digest::of(&text) != meta.hashes.sha512 {
            return Err(RepositoryError::Checksum { what: name.into() });
        }
        Ok((document, text))
    }

    fn fetch_index(&self, length: u64, sha512: &Digest) -> Result<Vec<u8>, RepositoryError> {
        if length > MAX_INDEX {
            return Err(RepositoryError::Endless { what: INDEX.into(), limit: MAX_INDEX });
        }
        let url = self.url.join(&format!("targets/{sha512}.{INDEX}"));
        let mut reader = self.transport.open(&url)?.ok_or_else(|| RepositoryError::Missing(INDEX.into()))?;
        let mut text = Vec::new();
        copy_exactly(&mut reader, &mut text, length, INDEX, self.observer)?;
        if Digest::of(&text) != *sha512 {
            return Err(RepositoryError::Checksum { what: INDEX.into() });
        }
        read_index(&text)?;
        Ok(text)
    }

    /// What the repository offered when it was last looked at; nothing before that.
    ///
    /// # Errors
    /// When what is kept cannot be read.
    pub fn index(&self) -> Result<Index, RepositoryError> {
        self.stored(INDEX)?.map_or_else(|| Ok(Index::default()), |text| read_index(&text))
    }

    /// Fetches a package's file to `path`; it is there only if it is the one that is signed.
    ///
    /// # Errors
    /// When it cannot be fetched, or is another.
    pub fn fetch(&self, offer: &super::Offer, path: &Path) -> Result<(), RepositoryError> {
        self.fetch_file(&offer.path(), &offer.manifest.name, offer.length, &offer.sha512, path)
    }

    /// Fetches one of a package's deltas to `path`; it is there only if it is the one that is signed.
    ///
    /// # Errors
    /// When it cannot be fetched, or is another.
    pub fn fetch_delta(&self, offer: &super::Offer, delta: &super::Delta, path: &Path) -> Result<(), RepositoryError> {
        self.fetch_file(&offer.delta_path(delta), &offer.manifest.name, delta.length, &delta.sha512, path)
    }

    fn fetch_file(&self, from: &str, name: &str, length: u64, sha512: &Digest, path: &Path) -> Result<(), RepositoryError> {
        let mut reader = self.transport.open(&self.url.join(from))?.ok_or_else(|| RepositoryError::Missing(from.to_owned()))?;
        let mut part = path.as_os_str().to_owned();
        part.push(format!(".{}.part", std::process::id()));
        let part = PathBuf::from(part);
        let failed = |source| RepositoryError::Store { what: part.display().to_string(), source };
        let mut fetch = || {
            let mut file = Hashed { output: fs::File::create(&part).map_err(failed)?, hasher: Hasher::new() };
            copy_exactly(&mut reader, &mut file, length, name, self.observer)?;
            if file.hasher.finish() != *sha512 {
                return Err(RepositoryError::Checksum { what: name.to_owned() });
            }
            fs::rename(&part, path).map_err(failed)
        };
        let result: Result<(), RepositoryError> = fetch();
        if result.is_err() {
            let _ = fs::remove_file(&part);
        }
        result
    }
}

fn read_index(text: &[u8]) -> Result<Index, RepositoryError> {
    use std::io::Read;
    let unreadable = |reason: String| RepositoryError::Malformed { what: "the index of packages".into(), reason };
    let mut json = Vec::new();
    let decoder = zstd::Decoder::new(text).map_err(|error| unreadable(error.to_string()))?;
    decoder.take(MAX_INDEX_JSON).read_to_end(&mut json).map_err(|error| unreadable(error.to_string()))?;
    let index: Index = serde_json::from_slice(&json).map_err(|error| unreadable(error.to_string()))?;
    for offer in &index.packages {
        offer.manifest.check().map_err(|error| unreadable(format!("{}: {error}", offer.manifest.name)))?;
    }
    Ok(index)
}
