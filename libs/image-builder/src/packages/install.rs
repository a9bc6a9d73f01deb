//! Packages into a signed repository, from there by gpm into the edition's root, and that back into a tree.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use gpm::Gpm;
use gpm::digest::Digest;
use gpm::gpm::Source;
use gpm::keys::SecretKey;
use gpm::observer::{Event, Observer};
use gpm::package::{Kind as FileKind, Trust};
use gpm::repository::{Expiry, Keys, Maker, Role, Time};
use gpm::transaction::{Durability, Existing, Options};

use super::Part;
use crate::error::{Error, IoContext, Result};
use crate::report::Report;
use crate::tree::{Content, Entry, Kind, Tree};

/// The repository's name.
const REPOSITORY: &str = "stable";

/// Where an edition's packages, repository and root are.
pub(crate) struct Distribution<'a> {
    /// The edition's folder.
    pub out: &'a Path,
    /// The signing keys' folder.
    pub keys: &'a Path,
    /// Hears of what gpm has to say.
    pub report: &'a Report,
    /// The time that the database tells, in seconds since 1970.
    pub time: u64,
}

fn failed(error: impl ToString) -> Error {
    Error::image("packages", error)
}

/// The folder of the keys that sign this machine's packages and repositories; they are made at first use.
pub(crate) fn keys(cache: &Path) -> Result<PathBuf> {
    let folder = cache.join("repository-keys");
    if !folder.join("package.key").exists() {
        fs::create_dir_all(cache).on("create", cache)?;
        let made = tempfile::tempdir_in(cache).on("create", cache)?;
        Keys::new(made.path()).generate(1).map_err(failed)?;
        // Where another build was first, its keys are taken.
        if fs::rename(made.path(), &folder).is_ok() {
            let _ = made.keep();
        }
    }
    Ok(folder)
}

/// The keys in this folder that sign packages.
pub(crate) fn signers(keys: &Path) -> Result<Vec<SecretKey>> {
    Keys::new(keys).packages().map_err(failed)
}

struct Quiet<'a>(&'a Report);

impl Observer for Quiet<'_> {
    fn event(&self, event: &Event<'_>) {
        if let Event::Note { text } = event {
            self.0.notice(*text);
        }
    }
}

impl Distribution<'_> {
    fn maker(&self) -> Maker {
        Maker::new(&self.out.join("repository"), Keys::new(self.keys), Expiry::default(), Time::now())
    }

    /// The repository's root metadata, and the public key of its packages: what an image that is to get updates from it must know.
    pub(crate) fn trusted(&self) -> Result<Vec<(&'static str, Vec<u8>)>> {
        let maker = self.maker();
        let current: BTreeSet<Vec<u8>> = Keys::new(self.keys).of(Role::Root).map_err(failed)?.iter().map(|key| key.public().to_bytes().to_vec()).collect();
        let stamp = self.out.join("repository.keys");
        let text: Vec<u8> = current.into_iter().flatten().collect();
        // Signed by keys that are gone, or never finished: it is made anew.
        if !fs::read(&stamp).is_ok_and(|it| it == text) || maker.root().is_err() {
            self.forget()?;
            maker.init(1).map_err(failed)?;
            fs::write(&stamp, &text).on("write", &stamp)?;
        }
        let package = self.signers()?;
        let public = package.first().ok_or_else(|| failed("there is no package.key"))?.public();
        Ok(vec![
            ("usr/share/gpm/repository.root.json", maker.root().map_err(failed)?),
            ("etc/gpm/keys/repository.pub", format!("{public}\n").into_bytes()),
        ])
    }

    /// The keys that sign packages.
    pub(crate) fn signers(&self) -> Result<Vec<SecretKey>> {
        signers(self.keys)
    }

    /// Removes repository and root, so that they are made from nothing.
    pub(crate) fn forget(&self) -> Result<()> {
        for path in ["root.key", "repository.keys"] {
            let _ = fs::remove_file(self.out.join(path));
        }
        for path in ["repository", "root"] {
            let path = self.out.join(path);
            if path.exists() {
                fs::remove_dir_all(&path).on("remove", &path)?;
            }
        }
        Ok(())
    }

    /// Makes the repository offer exactly these packages' files.
    fn publish(&self, parts: &[Part], files: &[PathBuf]) -> Result<()> {
        let maker = self.maker();
        let index = maker.index().map_err(failed)?;
        let mut known: BTreeMap<String, Digest> = index.packages.iter().map(|it| (it.manifest.id(), it.sha512)).collect();
        let mut new = Vec::new();
        let mut gone = Vec::new();
        for (part, path) in parts.iter().zip(files) {
            let digest = fs::File::open(path).and_then(|mut file| Digest::of_reader(&mut file)).on("read", path)?;
            match known.remove(&part.manifest.id()) {
                Some(old) if old == digest => continue,
                // A published version never changes elsewhere; this repository has no users but the image.
                Some(_) => gone.push(part.manifest.id().replace(' ', "=")),
                None => {}
            }
            new.push(path.clone());
        }
        gone.extend(known.into_keys().map(|id| id.replace(' ', "=")));
        if !gone.is_empty() {
            maker.remove(&gone).map_err(failed)?;
        }
        let trusted: Vec<_> = self.signers()?.iter().map(SecretKey::public).collect();
        // Also where nothing is new: what it says must not have expired.
        maker.add(&new, Trust::Keys(&trusted)).map_err(failed)?;
        maker.tidy().map_err(failed)
    }
}

/// Publishes the packages and installs them. `manual` are those that count as asked for.
pub(crate) fn install(distribution: &Distribution<'_>, parts: &[Part], files: &[PathBuf], manual: &BTreeSet<String>) -> Result<()> {
    distribution.publish(parts, files)?;
    let folder = distribution.out.join("root");
    fs::create_dir_all(&folder).on("create", &folder)?;
    let repository = distribution.out.join("repository");
    let repository = repository.canonicalize().on("open", &repository)?;
    let observer = Quiet(distribution.report);
    let gpm = Gpm::new(&folder, &observer).map_err(failed)?;
    gpm.recover().map_err(failed)?;
    let source = Source::new(format!("file://{}", repository.display()));
    gpm.add_source(REPOSITORY, &source, &distribution.maker().root().map_err(failed)?).map_err(failed)?;
    for (_, result) in gpm.update().map_err(failed)? {
        result.map_err(failed)?;
    }
    let options = Options {
        what: "image".into(),
        existing: Existing::Overwrite,
        durability: Durability::Crash,
        without_scripts: true,
        time: Some(i64::try_from(distribution.time).unwrap_or(i64::MAX)),
        ..Options::default()
    };
    gpm.mirror(manual, &options).map_err(failed)?;
    gpm.clean(true).map_err(failed).map(drop)
}

/// What is installed, as a tree: each file as its package says, with what gpm has laid out; and gpm's database, whose history begins with the
/// image.
pub(crate) fn read_back(distribution: &Distribution<'_>) -> Result<Tree> {
    installed(&distribution.out.join("root"), distribution.time, distribution.report)
}

/// The packages that gpm has installed below `folder` as a tree, contents left where they are, with gpm's database, whose history begins at
/// `time` (seconds since 1970). What nobody's package has brought is not in it.
pub fn installed(folder: &Path, time: u64, report: &Report) -> Result<Tree> {
    let observer = Quiet(report);
    let gpm = Gpm::new(folder, &observer).map_err(failed)?;
    let mut tree = Tree::default();
    for name in gpm.database().records().map_err(failed)?.keys() {
        for file in gpm.database().files(name).map_err(failed)? {
            let kind = match file.kind {
                FileKind::Directory => Kind::Directory,
                FileKind::Regular { .. } => Kind::File(Content::Host(folder.join(&file.path))),
                FileKind::Symlink { target } => Kind::Symlink(target),
                FileKind::Hardlink { to } => Kind::HardLink(to),
            };
            let entry = Entry {
                kind,
                mode: u16::try_from(file.mode).map_err(failed)?,
                uid: file.uid,
                gid: file.gid,
                mtime: u64::try_from(file.mtime).unwrap_or_default(),
                xattrs: file.xattrs,
            };
            tree.insert_exact(file.path, entry);
        }
    }
    let state = gpm::path::STATE;
    for part in ["policy.json", "installed"] {
        copy_state(&folder.join(state).join(part), &format!("{state}/{part}"), time, &mut tree)?;
    }
    let past = gpm.beginning("image", i64::try_from(time).unwrap_or(i64::MAX)).map_err(failed)?;
    let text = serde_json::to_vec(&past).map_err(failed)?;
    tree.insert(&format!("{state}/history/000001.json"), Entry::new(Kind::File(text.into()), 0o644, time))?;
    Ok(tree)
}

fn copy_state(path: &Path, inside: &str, time: u64, tree: &mut Tree) -> Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path).on("read", path)? {
            let entry = entry.on("read", path)?;
            copy_state(&entry.path(), &format!("{inside}/{}", entry.file_name().to_string_lossy()), time, tree)?;
        }
        return Ok(());
    }
    tree.insert(inside, Entry::new(Kind::File(Content::Host(path.to_owned())), 0o644, time))
}

/// Whether what is installed is the tree that the packages were made from; else where it differs.
pub(crate) fn compare(wanted: &Tree, installed: &Tree) -> Result<()> {
    let differ = |path: &str, what: &str| Err(Error::tree(path, format!("{what} once its package is installed")));
    for (path, entry) in wanted.iter() {
        let Some(found) = installed.get(path) else { return differ(path, "is missing") };
        let same_kind = match (&entry.kind, &found.kind) {
            (Kind::Directory, Kind::Directory) => true,
            (Kind::Symlink(one), Kind::Symlink(other)) => one == other,
            (Kind::File(_) | Kind::HardLink(_), Kind::File(_) | Kind::HardLink(_)) => true,
            _ => false,
        };
        // Of several names in one package one has them for all.
        let differs = matches!((&entry.kind, &found.kind), (Kind::File(_), Kind::File(_))) && entry.xattrs != found.xattrs;
        if !same_kind || differs || (entry.mode, entry.uid, entry.gid) != (found.mode, found.uid, found.gid) {
            return differ(path, "is something else");
        }
    }
    match installed.iter().find(|(path, _)| wanted.get(path).is_none() && !is_state(path)) {
        Some((path, _)) => differ(path, "is there although no recipe has it"),
        None => Ok(()),
    }
}

fn is_state(path: &str) -> bool {
    let state = gpm::path::STATE;
    path == state || path.strip_prefix(state).is_some_and(|rest| rest.starts_with('/')) || state.starts_with(&format!("{path}/"))
}
