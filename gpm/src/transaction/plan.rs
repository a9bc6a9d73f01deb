//! Decides for each file what happens to it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::journal::Spot;
use super::stage::{Staged, json};
use super::{Existing, Op, TransactionError, relative, state_path};
use crate::database::{Database, Record};
use crate::digest::Digest;
use crate::manifest::Manifest;
use crate::observer::{Event, Observer};
use crate::package::{Entry, Header, Kind};
use crate::path::STATE;
use crate::root::Root;

/// Who has a file, by where it lies.
struct Owner {
    package: String,
    entry: Entry,
}

/// A folder that is laid out with what will be in it.
pub(super) struct Fresh {
    pub place: PathBuf,
    pub spot: Spot,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
}

pub(super) struct Planner<'a> {
    root: &'a Root,
    observer: &'a dyn Observer,
    records: &'a BTreeMap<String, Record>,
    leaving: &'a BTreeSet<String>,
    existing: Existing,
    lists: BTreeMap<String, Vec<Entry>>,
    /// Files and links of packages that are installed now.
    owners: HashMap<PathBuf, Owner>,
    /// Folders of packages that stay or come.
    folders: HashSet<PathBuf>,
    /// Links that will be there.
    links: HashMap<PathBuf, String>,
    parents: HashMap<String, PathBuf>,
    /// What comes: by where it lies, whose it is.
    claimed: HashMap<PathBuf, String>,
    made: HashSet<PathBuf>,
    staged: HashMap<String, HashMap<String, Staged>>,
    /// Paths that a package has lost to another.
    lost: BTreeMap<String, BTreeSet<String>>,
    incoming: BTreeMap<String, Manifest>,
    /// The filesystem that things are laid out on.
    device: u64,
    /// Where folders that are [`Fresh`] lie until the switch.
    trees: HashMap<PathBuf, Spot>,
    fresh: Vec<Fresh>,
    mkdirs: Vec<Op>,
    moves: Vec<Op>,
    places: Vec<Op>,
    removes: Vec<Op>,
    rmdirs: Vec<Op>,
    state: Vec<Op>,
    changed: BTreeSet<String>,
    next: u32,
}

fn look<T>(path: &str, result: io::Result<T>) -> Result<T, TransactionError> {
    result.map_err(|source| TransactionError::Look { path: path.into(), source })
}

impl<'a> Planner<'a> {
    pub fn new(
        root: &'a Root,
        observer: &'a dyn Observer,
        database: &Database,
        records: &'a BTreeMap<String, Record>,
        leaving: &'a BTreeSet<String>,
        existing: Existing,
    ) -> Result<Planner<'a>, TransactionError> {
        let mut planner = Planner {
            root,
            observer,
            records,
            leaving,
            existing,
            lists: BTreeMap::new(),
            owners: HashMap::new(),
            folders: HashSet::new(),
            links: HashMap::new(),
            parents: HashMap::new(),
            claimed: HashMap::new(),
            made: HashSet::new(),
            staged: HashMap::new(),
            lost: BTreeMap::new(),
            incoming: BTreeMap::new(),
            device: look(STATE, fs::metadata(database.dir()))?.dev(),
            trees: HashMap::new(),
            fresh: Vec::new(),
            mkdirs: Vec::new(),
            moves: Vec::new(),
            places: Vec::new(),
            removes: Vec::new(),
            rmdirs: Vec::new(),
            state: Vec::new(),
            changed: BTreeSet::new(),
            next: 0,
        };
        for name in records.keys() {
            let files = database.files(name)?;
            for entry in &files {
                let place = planner.resolve(&entry.path)?;
                if entry.kind == Kind::Directory {
                    if !leaving.contains(name) {
                        planner.folders.insert(place);
                    }
                } else {
                    planner.owners.insert(place, Owner { package: name.clone(), entry: entry.clone() });
                }
            }
            planner.lists.insert(name.clone(), files);
        }
        Ok(planner)
    }

    fn resolve(&mut self, path: &str) -> Result<PathBuf, TransactionError> {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        if let Some(parent) = self.parents.get(parent) {
            return Ok(parent.join(name));
        }
        let place = look(path, self.root.resolve_with(path, &self.links))?;
        if let Some(folder) = place.parent() {
            self.parents.insert(parent.to_owned(), folder.to_owned());
        }
        Ok(place)
    }

    /// Notes the links that come: files of other packages may lie behind them.
    pub fn links(&mut self, files: &[Entry]) -> Result<(), TransactionError> {
        for entry in files {
            if let Kind::Symlink { target } = &entry.kind {
                let place = look(&entry.path, self.root.resolve_with(&entry.path, &self.links))?;
                self.links.insert(place, target.clone());
            }
        }
        self.parents.clear();
        Ok(())
    }

    pub fn number(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    /// Plans the files of a package that comes.
    pub fn add(&mut self, header: &Header) -> Result<(), TransactionError> {
        let manifest = &header.manifest;
        let mut in_the_way = Vec::new();
        self.incoming.insert(manifest.name.clone(), manifest.clone());
        for entry in &header.files {
            let place = self.resolve(&entry.path)?;
            if entry.kind == Kind::Directory {
                self.folder(manifest, entry, place)?;
            } else {
                self.file(manifest, entry, place, &mut in_the_way)?;
            }
        }
        if in_the_way.is_empty() { Ok(()) } else { Err(TransactionError::Exists { package: manifest.id(), paths: in_the_way }) }
    }

    fn folder(&mut self, manifest: &Manifest, entry: &Entry, place: PathBuf) -> Result<(), TransactionError> {
        let wrong = |found| Err(TransactionError::WrongKind { package: manifest.id(), path: entry.path.clone(), wanted: "folder", found });
        if self.links.contains_key(&place) {
            // Another package makes it a link to a folder: what lies in it goes there.
            return Ok(());
        }
        match look(&entry.path, self.found(&place))? {
            Some(metadata) if metadata.is_dir() => {
                self.folders.insert(place);
                Ok(())
            }
            Some(metadata) if metadata.is_symlink() => {
                let real = look(&entry.path, self.root.resolve_with(&format!("{}/.", entry.path), &self.links))?;
                if real.is_dir() || self.made.contains(&real) { Ok(()) } else { wrong("link to no folder") }
            }
            Some(_) if self.owners.get(&place).is_some_and(|owner| self.leaving.contains(&owner.package)) => {
                wrong("file, which goes only in the same transaction: remove its package first")
            }
            Some(_) => wrong("file"),
            None => {
                self.parents_of(&place)?;
                self.make(place, entry.mode, entry.uid, entry.gid);
                Ok(())
            }
        }
    }

    /// What lies somewhere; nothing can where the folder itself is still to be made.
    fn found(&self, place: &Path) -> io::Result<Option<fs::Metadata>> {
        if place.parent().is_some_and(|it| self.made.contains(it)) {
            return Ok(None);
        }
        match fs::symlink_metadata(place) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            other => other.map(Some),
        }
    }

    /// Plans a folder that is not there. With all that comes into it it is put in its place in one step, unless that is on another filesystem.
    fn make(&mut self, place: PathBuf, mode: u32, uid: u32, gid: u32) {
        self.folders.insert(place.clone());
        if !self.made.insert(place.clone()) {
            return;
        }
        let spot = match self.within(&place) {
            Some(spot) => spot,
            None if place.parent().is_some_and(|it| fs::metadata(it).is_ok_and(|it| it.dev() == self.device)) => {
                let new = self.number();
                self.moves.push(Op::Place { path: relative(self.root, place.clone()), new, old: None });
                Spot::Alone(new)
            }
            None => return self.mkdirs.push(Op::Mkdir { path: relative(self.root, place), mode, uid, gid }),
        };
        self.trees.insert(place.clone(), spot.clone());
        self.fresh.push(Fresh { place, spot, mode, uid, gid });
    }

    /// Where something lies until the switch whose folder is [`Fresh`].
    fn within(&self, place: &Path) -> Option<Spot> {
        Some(self.trees.get(place.parent()?)?.join(place.file_name()?))
    }

    /// Folders that no package lists must be there all the same.
    fn parents_of(&mut self, place: &Path) -> Result<(), TransactionError> {
        let Some(parent) = place.parent() else { return Ok(()) };
        if self.made.contains(parent) || parent.is_dir() {
            return Ok(());
        }
        self.parents_of(parent)?;
        self.make(parent.to_owned(), 0o755, 0, 0);
        Ok(())
    }

    fn replaces(&self, manifest: &Manifest, other: &Manifest) -> bool {
        manifest.replaces.iter().any(|it| it.name == other.name && it.matches_version(&other.version))
    }

    fn file(&mut self, manifest: &Manifest, entry: &Entry, place: PathBuf, in_the_way: &mut Vec<String>) -> Result<(), TransactionError> {
        let name = &manifest.name;
        let clash = |owner: &str| Err(TransactionError::Clash { path: entry.path.clone(), owner: owner.into(), package: manifest.id() });
        // Another package that comes too.
        if let Some(other) = self.claimed.get(&place).filter(|it| *it != name) {
            let rival = self.incoming[other].clone();
            if self.replaces(&rival, manifest) {
                self.lost.entry(name.clone()).or_default().insert(entry.path.clone());
                self.staged.entry(name.clone()).or_default().insert(entry.path.clone(), Staged::At(place));
                return Ok(());
            }
            if !self.replaces(manifest, &rival) {
                return clash(&rival.id());
            }
            self.take_from(&rival.name, &place);
        }
        // A package that is installed and stays.
        let owner = self.owners.get(&place).map(|it| (it.package.clone(), it.entry.clone()));
        if let Some((owner, old)) = &owner
            && owner != name
            && !self.leaving.contains(owner)
        {
            let record = &self.records[owner];
            if self.replaces(&record.manifest, manifest) {
                self.lost.entry(name.clone()).or_default().insert(entry.path.clone());
                self.staged.entry(name.clone()).or_default().insert(entry.path.clone(), Staged::At(place));
                return Ok(());
            }
            if !self.replaces(manifest, &record.manifest) {
                return clash(&record.manifest.id());
            }
            self.lost.entry(owner.clone()).or_default().insert(old.path.clone());
        }
        let metadata = look(&entry.path, self.found(&place))?;
        self.claimed.insert(place.clone(), name.clone());
        if let Some(metadata) = metadata {
            if metadata.is_dir() {
                return Err(TransactionError::WrongKind { package: manifest.id(), path: entry.path.clone(), wanted: "file", found: "folder" });
            }
            let recorded = owner.as_ref().map(|(_, entry)| entry);
            if manifest.config.contains(&entry.path) {
                if let Some(changed) = self.config(entry, recorded, &place)? {
                    return self.keep_config(name, entry, place, changed);
                }
            } else if owner.is_none() && self.existing == Existing::Refuse && !same(&place, entry) {
                in_the_way.push(entry.path.clone());
                return Ok(());
            }
            let old = self.number();
            self.place(name, entry, place, Some(old));
        } else {
            self.parents_of(&place)?;
            self.place(name, entry, place, None);
        }
        Ok(())
    }

    /// Drops what was planned for a file of another package that comes.
    fn take_from(&mut self, rival: &str, place: &Path) {
        let path = relative(self.root, place.to_owned());
        self.places.retain(|op| !matches!(op, Op::Place { path: planned, .. } if *planned == path));
        let numbers = self.staged.entry(rival.to_owned()).or_default();
        let theirs: Vec<String> = numbers.keys().cloned().collect();
        for their in theirs {
            if self.resolve(&their).is_ok_and(|it| it == place) {
                self.staged.entry(rival.to_owned()).or_default().insert(their.clone(), Staged::At(place.to_owned()));
                self.lost.entry(rival.to_owned()).or_default().insert(their);
            }
        }
    }

    fn place(&mut self, name: &str, entry: &Entry, place: PathBuf, old: Option<u32>) {
        let spot = self.within(&place).filter(|_| old.is_none()).unwrap_or_else(|| {
            let new = self.number();
            self.places.push(Op::Place { path: relative(self.root, place), new, old });
            Spot::Alone(new)
        });
        self.staged.entry(name.to_owned()).or_default().insert(entry.path.clone(), Staged::As(spot));
        self.changed.insert(entry.path.clone());
    }

    /// Whether a configuration file must be kept, and then whether the new one differs from what was delivered before.
    fn config(&self, entry: &Entry, recorded: Option<&Entry>, place: &Path) -> Result<Option<bool>, TransactionError> {
        let Kind::Regular { sha512: new, .. } = &entry.kind else { return Ok(None) };
        let found = match fs::File::open(place).and_then(|mut it| Digest::of_reader(&mut it)) {
            Ok(found) => found,
            Err(error) => return look(&entry.path, Err(error)),
        };
        let old = recorded.and_then(|it| if let Kind::Regular { sha512, .. } = &it.kind { Some(*sha512) } else { None });
        Ok(if found == *new || Some(found) == old { None } else { Some(old != Some(*new)) })
    }

    fn keep_config(&mut self, name: &str, entry: &Entry, place: PathBuf, changed: bool) -> Result<(), TransactionError> {
        if changed {
            let mut beside = place.clone().into_os_string();
            beside.push(".gpm-new");
            let beside = PathBuf::from(beside);
            self.observer.event(&Event::Note { text: &format!("{} has been changed here and is kept; the new one is {}", entry.path, beside.display()) });
            let old = fs::symlink_metadata(&beside).is_ok().then(|| self.number());
            self.place(name, entry, beside, old);
        } else {
            self.staged.entry(name.to_owned()).or_default().insert(entry.path.clone(), Staged::At(place));
        }
        Ok(())
    }

    /// Plans what becomes of the files of packages that go, or whose new versions lack them.
    pub fn leave(&mut self) -> Result<(), TransactionError> {
        let mut folders: BTreeSet<PathBuf> = BTreeSet::new();
        for name in self.leaving {
            let config = self.records[name].manifest.config.clone();
            for entry in self.lists[name].clone() {
                let place = self.resolve(&entry.path)?;
                if entry.kind == Kind::Directory {
                    folders.insert(place);
                    continue;
                }
                let ours = self.owners.get(&place).is_some_and(|it| it.package == *name);
                if self.claimed.contains_key(&place) || !ours || fs::symlink_metadata(&place).is_err() {
                    continue;
                }
                if config.contains(&entry.path) && !same(&place, &entry) {
                    self.observer.event(&Event::Note { text: &format!("{} has been changed here and is kept", entry.path) });
                    continue;
                }
                let old = self.number();
                self.changed.insert(entry.path.clone());
                self.removes.push(Op::Remove { path: relative(self.root, place), old });
            }
        }
        // The deepest first.
        for place in folders.into_iter().rev().filter(|it| !self.folders.contains(it)) {
            if let Ok(metadata) = fs::symlink_metadata(&place)
                && metadata.is_dir()
            {
                let path = relative(self.root, place);
                self.rmdirs.push(Op::Rmdir { path, mode: metadata.mode() & 0o7777, uid: metadata.uid(), gid: metadata.gid() });
            }
        }
        Ok(())
    }

    /// Folders that are to be laid out before what is in them, the outer ones first.
    pub fn fresh(&self) -> &[Fresh] {
        &self.fresh
    }

    /// How a package's entries are laid out.
    pub fn numbers(&self, name: &str) -> HashMap<String, Staged> {
        self.staged.get(name).cloned().unwrap_or_default()
    }

    /// Whether an entry remains its package's.
    pub fn keeps(&self, name: &str, path: &str) -> bool {
        !self.lost.get(name).is_some_and(|it| it.contains(path))
    }

    /// Paths that change, as packages call them.
    pub fn changed(&self) -> &BTreeSet<String> {
        &self.changed
    }

    /// The new lists of packages that stay and lose files to others.
    pub fn lost_lists(&self) -> Result<Vec<(String, Vec<u8>)>, TransactionError> {
        let losers = self.lost.iter().filter(|(name, _)| self.lists.contains_key(*name) && !self.leaving.contains(*name));
        losers
            .map(|(name, paths)| {
                let left: Vec<&Entry> = self.lists[name].iter().filter(|it| !paths.contains(&it.path)).collect();
                Ok((format!("installed/{name}.files"), json(&left)?))
            })
            .collect()
    }

    pub fn place_state(&mut self, name: &str, new: u32) {
        let path = state_path(name);
        let old = self.root.join(&path).exists().then(|| self.number());
        self.state.push(Op::Place { path, new, old });
    }

    pub fn remove_state(&mut self, name: &str) {
        let old = self.number();
        self.state.push(Op::Remove { path: state_path(name), old });
    }

    /// All operations in their order.
    pub fn finish(mut self) -> Vec<Op> {
        let mut ops = std::mem::take(&mut self.mkdirs);
        ops.append(&mut self.moves);
        ops.append(&mut self.places);
        ops.append(&mut self.removes);
        ops.append(&mut self.rmdirs);
        ops.append(&mut self.state);
        ops
    }
}

/// Whether what lies at `place` is what the entry says.
fn same(place: &Path, entry: &Entry) -> bool {
    match &entry.kind {
        Kind::Regular { size, sha512 } => fs::symlink_metadata(place).is_ok_and(|it| it.is_file() && it.len() == *size)
            && fs::File::open(place).and_then(|mut it| Digest::of_reader(&mut it)).is_ok_and(|it| it == *sha512),
        Kind::Symlink { target } => fs::read_link(place).is_ok_and(|it| it.as_os_str() == target.as_str()),
        Kind::Hardlink { .. } | Kind::Directory => false,
    }
}
