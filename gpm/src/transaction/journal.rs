//! The journal: what a transaction is about to do to the tree, written down before it is done.
//!
//! Everything new is laid out in `transaction/new` first. Once `transaction/ops.json` stands there, the transaction is decided: a start of
//! gpm after a crash then goes on with it, as each operation can be repeated. Before, it is dropped. What is replaced or removed waits in
//! `transaction/old` until the end, so that a transaction that fails can be taken back, which a file `transaction/undo` decides likewise.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD};
use serde::{Deserialize, Serialize};

use super::order;
use crate::manifest::{Moment, Scriptlet};
use crate::observer::{Event, Observer};
use crate::root::Root;
use crate::xattr;

/// One change of the tree. All paths are relative to the root and have no links in their folders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub(super) enum Op {
    /// Makes a folder that was not there.
    Mkdir { path: String, mode: u32, uid: u32, gid: u32 },
    /// Puts `new/<number>` in its place, in one step also where something is there: a file, or a folder that is new with all that is in it.
    Place { path: String, new: u32, old: Option<u32> },
    /// Takes a file away.
    Remove { path: String, old: u32 },
    /// Takes a folder away where it is empty.
    Rmdir { path: String, mode: u32, uid: u32, gid: u32 },
}

impl Op {
    fn describe(&self) -> String {
        match self {
            Op::Mkdir { path, .. } => format!("make {path}"),
            Op::Place { path, .. } => format!("place {path}"),
            Op::Remove { path, .. } => format!("remove {path}"),
            Op::Rmdir { path, .. } => format!("remove folder {path}"),
        }
    }
}

/// A script that runs after the switch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct After {
    pub package: String,
    pub version: String,
    pub moment: Option<Moment>,
    pub scriptlet: Scriptlet,
}

/// All that a decided transaction does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Plan {
    pub ops: Vec<Op>,
    pub after: Vec<After>,
}

/// The folder of the transaction that is under way.
pub(super) struct Journal<'a> {
    pub root: &'a Root,
    pub dir: PathBuf,
    pub observer: &'a dyn Observer,
    /// Whether to wait for the disk, so that a power cut finds all in order.
    pub durable: bool,
}

/// Where something new lies until the switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Spot {
    /// By itself.
    Alone(u32),
    /// In a folder that is new too, and put in its place with all that is in it.
    Within {
        /// The number of the outermost of these.
        tree: u32,
        /// Relative to that.
        path: PathBuf,
    },
}

impl Spot {
    /// Where `name` lies in a folder that lies here.
    pub fn join(&self, name: &OsStr) -> Spot {
        match self {
            Spot::Alone(tree) => Spot::Within { tree: *tree, path: name.into() },
            Spot::Within { tree, path } => Spot::Within { tree: *tree, path: path.join(name) },
        }
    }
}

/// How many files are laid out in one folder. Finding a name takes longer in large ones, and threads wait for each other there.
const SHELF: u32 = 64;

/// What a start found of an interrupted transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovered {
    /// Nothing.
    Nothing,
    /// It was not decided yet: the system is the old one.
    Old,
    /// It was decided, and has been completed: the system is the new one.
    New,
}

/// An operation that failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {what}: {source}")]
pub struct StepError {
    /// What was tried, on what.
    pub what: String,
    /// Why not.
    #[source]
    pub source: io::Error,
}

pub(super) fn step<T>(what: impl FnOnce() -> String, result: io::Result<T>) -> Result<T, StepError> {
    result.map_err(|source| StepError { what: what(), source })
}

impl<'a> Journal<'a> {
    pub fn new(root: &'a Root, observer: &'a dyn Observer, durable: bool) -> Journal<'a> {
        Journal { root, dir: root.join(crate::path::STATE).join("transaction"), observer, durable }
    }

    fn done_dir(&self) -> PathBuf {
        self.dir.with_extension("done")
    }

    /// Makes the folders; nothing of an earlier transaction may be left.
    pub fn begin(&self) -> Result<(), StepError> {
        self.tell("begin", 0, 0);
        for name in ["new", "old"] {
            let path = self.dir.join(name);
            step(|| format!("make {}", path.display()), fs::DirBuilder::new().recursive(true).mode(0o700).create(&path))?;
        }
        Ok(())
    }

    pub fn tell(&self, what: &str, done: usize, total: usize) {
        self.observer.event(&Event::Step { what, done, total });
    }

    pub fn new_path(&self, number: u32) -> PathBuf {
        self.dir.join(format!("new/{}/{}", number / SHELF, number % SHELF))
    }

    /// Where a spot is.
    pub fn path_of(&self, spot: &Spot) -> PathBuf {
        match spot {
            Spot::Alone(number) => self.new_path(*number),
            Spot::Within { tree, path } => self.new_path(*tree).join(path),
        }
    }

    /// Makes what is to lie at [`Self::path_of`] a spot.
    pub fn make_new<T>(&self, spot: &Spot, make: impl Fn(&Path) -> io::Result<T>) -> io::Result<T> {
        let path = self.path_of(spot);
        if matches!(spot, Spot::Within { .. }) {
            return make(&path);
        }
        match (make(&path), path.parent()) {
            (Err(error), Some(shelf)) if error.kind() == io::ErrorKind::NotFound => {
                // Another thread may have been quicker.
                if let Err(error) = fs::create_dir(shelf)
                    && error.kind() != io::ErrorKind::AlreadyExists
                {
                    return Err(error);
                }
                make(&path)
            }
            (result, _) => result,
        }
    }

    fn old_path(&self, number: u32) -> PathBuf {
        self.dir.join("old").join(number.to_string())
    }

    /// Waits until all that has been written is on the disk.
    pub fn sync(&self) -> Result<(), StepError> {
        if !self.durable {
            return Ok(());
        }
        let folder = step(|| format!("open {}", self.dir.display()), File::open(&self.dir))?;
        match rustix::fs::syncfs(&folder) {
            Ok(()) => Ok(()),
            Err(rustix::io::Errno::NOSYS) => {
                rustix::fs::sync();
                Ok(())
            }
            Err(error) => step(|| format!("write {} to the disk", self.dir.display()), Err(error.into())),
        }
    }

    /// Writes a file under another name, for [`Self::mark`].
    fn write_mark(&self, name: &str, contents: &[u8]) -> Result<(), StepError> {
        let part = self.part_of(name);
        step(|| format!("write {}", part.display()), fs::write(&part, contents))
    }

    fn part_of(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.part"))
    }

    /// Gives a file that is on the disk its name, so that it is there whole or not at all.
    fn mark(&self, name: &str) -> Result<(), StepError> {
        let path = self.dir.join(name);
        let rename = || {
            fs::rename(self.part_of(name), &path)?;
            if self.durable { File::open(&self.dir)?.sync_all() } else { Ok(()) }
        };
        step(|| format!("write {}", path.display()), rename())
    }

    /// The point of no return: from here on a crash is followed by the rest of the plan. The plan is written with all that is new, so that one
    /// wait for the disk is for both.
    pub fn decide(&self, plan: &Plan) -> Result<(), StepError> {
        let text = step(|| "write the plan".into(), serde_json::to_vec(plan).map_err(io::Error::other))?;
        self.write_mark("ops.json", &text)?;
        self.tell("write all that is new to the disk", 0, plan.ops.len());
        self.sync()?;
        self.tell("decide", 0, plan.ops.len());
        self.mark("ops.json")
    }

    /// Does all that is not done yet.
    pub fn apply(&self, plan: &Plan) -> Result<(), StepError> {
        for (done, op) in plan.ops.iter().enumerate() {
            self.tell(&op.describe(), done, plan.ops.len());
            step(|| op.describe(), self.apply_one(op))?;
        }
        Ok(())
    }

    /// Takes back all that has been done, and forgets the transaction.
    pub fn undo(&self, plan: &Plan) -> Result<(), StepError> {
        self.write_mark("undo", b"")?;
        self.mark("undo")?;
        for (left, op) in plan.ops.iter().enumerate().rev() {
            self.tell("take back", plan.ops.len() - left, plan.ops.len());
            step(|| format!("take back: {}", op.describe()), self.undo_one(op))?;
        }
        self.end(Some(plan))
    }

    /// Forgets the transaction: it is over, or was never decided.
    ///
    /// A plan that has been carried out must be on the disk before it is forgotten. Where the filesystem keeps all changes of names in their
    /// order that is so without waiting: a disk on which the plan is gone has what it did, and one on which it is still there has it done again.
    pub fn end(&self, plan: Option<&Plan>) -> Result<(), StepError> {
        self.tell("write the changes to the disk", 0, 0);
        // Scripts write files whose contents are in no order.
        if plan.is_some_and(|plan| !plan.after.is_empty() || !order::keeps_order(&self.dir)) {
            self.sync()?;
        }
        self.tell("end", 0, 0);
        let done = self.done_dir();
        step(|| format!("remove {}", done.display()), remove_tree(&done))?;
        step(|| format!("rename {}", self.dir.display()), fs::rename(&self.dir, &done))?;
        self.tell("tidy up", 0, 0);
        step(|| format!("remove {}", done.display()), remove_tree(&done))
    }

    /// Completes or drops what a crash has left. `finish` runs what comes after the switch.
    pub fn recover(&self, finish: &dyn Fn(&Plan) -> Result<(), super::TransactionError>) -> Result<Recovered, super::TransactionError> {
        let done = self.done_dir();
        step(|| format!("remove {}", done.display()), remove_tree(&done))?;
        if !self.dir.exists() {
            return Ok(Recovered::Nothing);
        }
        let path = self.dir.join("ops.json");
        let plan: Plan = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.end(None)?;
                return Ok(Recovered::Old);
            }
            text => step(|| format!("read {}", path.display()), text.and_then(|it| serde_json::from_slice(&it).map_err(io::Error::other)))?,
        };
        if self.dir.join("undo").exists() {
            self.undo(&plan)?;
            return Ok(Recovered::Old);
        }
        self.complete(&plan, finish)?;
        Ok(Recovered::New)
    }

    /// The switch and what comes after it; all is taken back where something fails.
    pub fn complete(&self, plan: &Plan, finish: &dyn Fn(&Plan) -> Result<(), super::TransactionError>) -> Result<(), super::TransactionError> {
        let result = self.apply(plan).map_err(super::TransactionError::from).and_then(|()| finish(plan));
        match result {
            Ok(()) => Ok(self.end(Some(plan))?),
            Err(error) => {
                self.undo(plan).map_err(|second| super::TransactionError::Stuck { first: Box::new(error.to_string()), second })?;
                Err(error)
            }
        }
    }

    fn apply_one(&self, op: &Op) -> io::Result<()> {
        match op {
            Op::Mkdir { path, mode, uid, gid } => make_folder(&self.root.join(path), *mode, *uid, *gid),
            Op::Place { path, new, old } => {
                let (target, new) = (self.root.join(path), self.new_path(*new));
                let is_done = || fs::symlink_metadata(&new).is_err();
                if let Some(old) = old {
                    if is_done() {
                        return Ok(());
                    }
                    keep(&target, &self.old_path(*old))?;
                }
                match put(&new, &target) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound && is_done() => Ok(()),
                    other => other,
                }
            }
            Op::Remove { path, old } => {
                let target = self.root.join(path);
                if fs::symlink_metadata(&target).is_err() { Ok(()) } else { put(&target, &self.old_path(*old)) }
            }
            Op::Rmdir { path, .. } => remove_folder(&self.root.join(path)),
        }
    }

    fn undo_one(&self, op: &Op) -> io::Result<()> {
        match op {
            Op::Mkdir { path, .. } => remove_folder(&self.root.join(path)),
            Op::Place { path, new, old } => {
                let target = self.root.join(path);
                if fs::symlink_metadata(self.new_path(*new)).is_ok() {
                    return Ok(());
                }
                match old {
                    Some(old) => {
                        let old = self.old_path(*old);
                        if fs::symlink_metadata(&old).is_ok() { put(&old, &target) } else { Ok(()) }
                    }
                    None if fs::symlink_metadata(&target).is_ok_and(|it| it.is_dir()) => put(&target, &self.new_path(*new)),
                    None => absent(fs::remove_file(&target)),
                }
            }
            Op::Remove { path, old } => {
                let old = self.old_path(*old);
                if fs::symlink_metadata(&old).is_ok() { put(&old, &self.root.join(path)) } else { Ok(()) }
            }
            Op::Rmdir { path, mode, uid, gid } => make_folder(&self.root.join(path), *mode, *uid, *gid),
        }
    }
}

fn absent(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn remove_tree(path: &Path) -> io::Result<()> {
    absent(fs::remove_dir_all(path))
}

fn make_folder(path: &Path, mode: u32, uid: u32, gid: u32) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
        other => other?,
    }
    dress_folder(path, mode, uid, gid)
}

/// Owner and mode of a folder.
pub(super) fn dress_folder(path: &Path, mode: u32, uid: u32, gid: u32) -> io::Result<()> {
    own(path, uid, gid)?;
    fs::set_permissions(path, Permissions::from_mode(mode))
}

fn remove_folder(path: &Path) -> io::Result<()> {
    match fs::remove_dir(path) {
        // Somebody's own files are in it, it is in use, or it has become a link.
        Err(error) if matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::ResourceBusy | io::ErrorKind::NotADirectory) => Ok(()),
        other => absent(other),
    }
}

/// Gives a file to its owner; without privileges everything stays one's own, which is what one wants of a tree that one builds.
pub(super) fn own(path: &Path, uid: u32, gid: u32) -> io::Result<()> {
    if rustix::process::geteuid().is_root() { chown(path, Some(uid), Some(gid)) } else { Ok(()) }
}

/// Renames, or copies where the two are on different filesystems.
fn put(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            let mut name = to.as_os_str().to_owned();
            name.push(".gpm-part");
            let part = PathBuf::from(name);
            absent(fs::remove_file(&part))?;
            copy(from, &part)?;
            fs::rename(&part, to)?;
            // Filesystems are in no order among each other.
            sync_parent(to)?;
            fs::remove_file(from)?;
            sync_parent(from)
        }
        other => other,
    }
}

fn sync_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// Keeps what is at `target` under a second name.
fn keep(target: &Path, old: &Path) -> io::Result<()> {
    if fs::symlink_metadata(old).is_ok() {
        return Ok(());
    }
    match rustix::fs::linkat(CWD, target, CWD, old, AtFlags::empty()) {
        Ok(()) => Ok(()),
        // A filesystem without hard links, or another one.
        Err(error) if error != rustix::io::Errno::NOSPC && error != rustix::io::Errno::ROFS && error != rustix::io::Errno::NOENT => {
            let part = old.with_extension("part");
            absent(fs::remove_file(&part))?;
            copy(target, &part)?;
            fs::rename(&part, old)
        }
        Err(error) => Err(error.into()),
    }
}

/// A copy with owner, mode, times and extended attributes.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::symlink_metadata(from)?;
    if metadata.is_symlink() {
        symlink(fs::read_link(from)?, to)?;
        return if rustix::process::geteuid().is_root() {
            std::os::unix::fs::lchown(to, Some(metadata.uid()), Some(metadata.gid()))
        } else {
            Ok(())
        };
    }
    fs::copy(from, to)?;
    own(to, metadata.uid(), metadata.gid())?;
    fs::set_permissions(to, metadata.permissions())?;
    xattr::copy(from, to)?;
    let file = File::options().write(true).open(to)?;
    file.set_times(fs::FileTimes::new().set_modified(metadata.modified()?))?;
    file.sync_all()
}
