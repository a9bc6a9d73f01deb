//! Copying and moving.
//!
//! A tree is copied under a hidden name beside its place and gets its own name when it is complete: what fails or is stopped is taken away
//! again, and nobody ever sees half of it.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::error::Tried;
use crate::undo::Done;
use crate::{Error, Result, names, trash};

/// Bytes that are copied between two looks at whether to stop.
const PIECE: usize = 256 << 10;

/// What to do where something of that name is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Collision {
    /// The new one gets another name.
    #[default]
    KeepBoth,
    /// The old one goes into the trash.
    Replace,
    /// The new one stays where it is.
    Skip,
}

/// Whether the sources stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// They do.
    Copy,
    /// They do not.
    Move,
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    /// Bytes that are there.
    pub bytes: u64,
    /// Of so many.
    pub all_bytes: u64,
    /// Files, folders and links that are there.
    pub things: u64,
    /// Of so many.
    pub all_things: u64,
    /// What is being copied.
    pub name: String,
}

/// Who watches.
pub trait Observer {
    /// It is so far.
    fn progress(&mut self, progress: &Progress);

    /// Whether it is to stop.
    fn is_cancelled(&self) -> bool;
}

/// Nobody.
pub struct Nobody;

impl Observer for Nobody {
    fn progress(&mut self, _: &Progress) {}

    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Gives something another name, unless something has that name already.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`]; those of the system.
pub(crate) fn rename_to_free(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // A filesystem without that flag.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
            if to.symlink_metadata().is_ok() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            fs::rename(from, to)
        }
        other => Ok(other?),
    }
}

/// Takes away a tree or a file.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    if path.symlink_metadata()?.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}

struct Work<'a> {
    progress: Progress,
    observer: &'a mut dyn Observer,
}

impl Work<'_> {
    fn look(&mut self) -> Result<()> {
        if self.observer.is_cancelled() {
            return Err(Error::Cancelled);
        }
        self.observer.progress(&self.progress);
        Ok(())
    }

    fn measure(&mut self, path: &Path) -> Result<()> {
        self.look()?;
        let meta = path.symlink_metadata().tried("look at", path)?;
        self.progress.all_things += 1;
        if meta.is_file() {
            self.progress.all_bytes += meta.len();
        } else if meta.is_dir() {
            for it in fs::read_dir(path).tried("read", path)? {
                self.measure(&it.tried("read", path)?.path())?;
            }
        }
        Ok(())
    }

    fn copy(&mut self, from: &Path, to: &Path) -> Result<()> {
        self.progress.name = from.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
        self.look()?;
        let meta = from.symlink_metadata().tried("look at", from)?;
        if meta.is_symlink() {
            let target = fs::read_link(from).tried("read", from)?;
            symlink(target, to).tried("make", to)?;
        } else if meta.is_dir() {
            fs::create_dir(to).tried("make", to)?;
            for it in fs::read_dir(from).tried("read", from)? {
                let it = it.tried("read", from)?;
                self.copy(&it.path(), &to.join(it.file_name()))?;
            }
        } else if meta.is_file() {
            self.copy_file(from, to)?;
        } else {
            return Err(Error::Special(from.to_owned()));
        }
        if !meta.is_symlink() {
            // Last: a folder that nobody may write to gets its contents first.
            let times = fs::FileTimes::new().set_modified(meta.modified().tried("look at", from)?);
            File::open(to).and_then(|it| it.set_times(times)).tried("set the time of", to)?;
            fs::set_permissions(to, fs::Permissions::from_mode(meta.mode() & 0o777)).tried("set the permissions of", to)?;
        }
        self.progress.things += 1;
        Ok(())
    }

    fn copy_file(&mut self, from: &Path, to: &Path) -> Result<()> {
        let mut source = File::open(from).tried("open", from)?;
        let mut target = File::create_new(to).tried("make", to)?;
        let mut piece = vec![0; PIECE];
        loop {
            let count = source.read(&mut piece).tried("read", from)?;
            if count == 0 {
                return Ok(());
            }
            target.write_all(&piece[..count]).tried("write", to)?;
            self.progress.bytes += count as u64;
            self.look()?;
        }
    }
}

/// Copies or moves things into a folder. What was done before something failed or was stopped stays, and is told.
///
/// # Errors
/// Beside what was done: why the rest was not.
pub fn transfer(sources: &[PathBuf], folder: &Path, way: Way, collision: Collision, observer: &mut dyn Observer) -> (Vec<Done>, Result<()>) {
    let mut done = Vec::new();
    let mut work = Work { progress: Progress::default(), observer };
    let outcome = (|| {
        for source in sources {
            work.measure(source)?;
        }
        for source in sources {
            one(&mut work, source, folder, way, collision, &mut done)?;
        }
        work.look()
    })();
    (done, outcome)
}

fn one(work: &mut Work<'_>, source: &Path, folder: &Path, way: Way, collision: Collision, done: &mut Vec<Done>) -> Result<()> {
    let name = source.file_name().unwrap_or(OsStr::new("root"));
    refuse_into_itself(source, folder)?;
    let is_there = source.parent() == Some(folder);
    if is_there && way == Way::Move {
        return Ok(());
    }
    let mut target = folder.join(name);
    let mut replaces = false;
    // A copy beside its original is always another one.
    if target.symlink_metadata().is_ok() {
        match collision {
            Collision::Skip if !is_there => return Ok(()),
            // It would go with what it replaces.
            Collision::Replace if source.starts_with(&target) => return Err(Error::IntoItself(source.to_owned())),
            Collision::Replace if !is_there => replaces = true,
            _ => target = names::free(folder, name),
        }
    }
    // What is replaced goes last, when what comes is complete.
    let mut make_room = |done: &mut Vec<Done>| -> Result<()> {
        if std::mem::take(&mut replaces) {
            done.push(Done::Trashed(vec![trash::Trash::of(&target)?.throw(&target)?]));
        }
        Ok(())
    };
    let device = |path: &Path| path.symlink_metadata().map(|it| it.dev());
    if way == Way::Move && device(source).ok() == folder.metadata().map(|it| it.dev()).ok() {
        make_room(done)?;
        match rename_to_free(source, &target) {
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {}
            other => {
                other.tried("move", source)?;
                done.push(Done::Moved { from: source.to_owned(), to: target });
                return Ok(());
            }
        }
    }
    let part = part_name(folder);
    let copied = work.copy(source, &part).and_then(|()| make_room(done)).and_then(|()| rename_to_free(&part, &target).tried("make", &target));
    if let Err(error) = copied {
        make_removable(&part);
        let _ = remove(&part);
        return Err(error);
    }
    if way == Way::Copy {
        done.push(Done::Copied { to: target });
        return Ok(());
    }
    // Both are there until here.
    let removed = remove(source).tried("take away", source);
    done.push(if removed.is_ok() { Done::Moved { from: source.to_owned(), to: target } } else { Done::Copied { to: target } });
    removed
}

/// A hidden name for what is not complete yet.
pub(crate) fn part_name(folder: &Path) -> PathBuf {
    names::free(folder, OsStr::new(&format!(".{}.part", std::process::id())))
}

/// What was copied may not be written to, as its original.
pub(crate) fn make_removable(path: &Path) {
    let Ok(meta) = path.symlink_metadata() else { return };
    if meta.is_dir() {
        let _ = fs::set_permissions(path, fs::Permissions::from_mode(0o700));
        for it in fs::read_dir(path).into_iter().flatten().flatten() {
            make_removable(&it.path());
        }
    }
}

fn refuse_into_itself(source: &Path, folder: &Path) -> Result<()> {
    let is_folder = source.symlink_metadata().tried("look at", source)?.is_dir();
    let (real, target) = (fs::canonicalize(source).unwrap_or_else(|_| source.to_owned()), fs::canonicalize(folder).tried("look at", folder)?);
    if is_folder && target.starts_with(&real) { Err(Error::IntoItself(source.to_owned())) } else { Ok(()) }
}

/// Gives something another name in its folder.
///
/// # Errors
/// Where the name is none or taken.
pub fn rename(path: &Path, name: &str) -> Result<Done> {
    names::check(name)?;
    let to = path.with_file_name(name);
    match rename_to_free(path, &to) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(Error::Exists(to)),
        other => other.tried("rename", path).map(|()| Done::Moved { from: path.to_owned(), to }),
    }
}

/// Takes something away for ever.
///
/// # Errors
/// Those of the system.
pub fn delete(path: &Path) -> Result<()> {
    remove(path).tried("delete", path)
}

/// Makes a folder; under another name where that is taken.
///
/// # Errors
/// Those of the system.
pub fn make_folder(inside: &Path, name: &str) -> Result<Done> {
    names::check(name)?;
    let path = names::free(inside, OsStr::new(name));
    fs::create_dir(&path).tried("make", &path)?;
    Ok(Done::Copied { to: path })
}
