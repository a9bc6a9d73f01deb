//! Archives: what is in them is put into a folder beside them.
//!
//! All comes under a hidden name first and gets its own when it is complete, as in [`crate::transfer`]. Paths that lead out of the archive are
//! refused.

use std::cell::RefCell;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use tar::EntryType;
use zip::ZipArchive;

use crate::error::Tried;
use crate::transfer::{Observer, Progress, make_removable, part_name, remove, rename_to_free};
use crate::undo::Done;
use crate::{Error, Result, names};

/// Where the letters `ustar` are in a tar archive, and how far one has to read for that.
const USTAR: usize = 257;
const HEADER: usize = 512;
/// The largest window of zstd's that is taken, a power of two: 128 MiB, as its own command does.
const ZSTD_WINDOW: u32 = 27;

/// How bytes were made fewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    None,
    /// gzip.
    Gzip,
    /// zstd.
    Zstd,
}

/// What an archive is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A zip archive.
    Zip,
    /// A tar archive.
    Tar(Packing),
    /// A single file.
    Single(Packing),
}

/// What an archive is, by its first bytes; nothing where it is none that is known.
pub fn kind(path: &Path) -> Option<Kind> {
    // Opening a pipe would wait for its other end.
    let mut file = path.is_file().then(|| File::open(path).ok()).flatten()?;
    let start = beginning(&mut file);
    let packing = match start.as_slice() {
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => return Some(Kind::Zip),
        [0x1f, 0x8b, ..] => Packing::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Packing::Zstd,
        _ => Packing::None,
    };
    file.rewind().ok()?;
    let start = beginning(&mut unpacked(file, packing).ok()?);
    let is_tar = start.get(USTAR..).is_some_and(|it| it.starts_with(b"ustar"));
    match (is_tar, packing) {
        (true, packing) => Some(Kind::Tar(packing)),
        (false, Packing::None) => None,
        (false, packing) => Some(Kind::Single(packing)),
    }
}

/// What can be read of the first bytes.
fn beginning(from: &mut dyn Read) -> Vec<u8> {
    let mut start = Vec::new();
    // What came before an error is there.
    let _ = from.take(HEADER as u64).read_to_end(&mut start);
    start
}

fn unpacked<'a>(file: impl Read + 'a, packing: Packing) -> io::Result<Box<dyn Read + 'a>> {
    Ok(match packing {
        Packing::None => Box::new(file),
        Packing::Gzip => Box::new(MultiGzDecoder::new(file)),
        Packing::Zstd => {
            let mut decoder = zstd::Decoder::new(file)?;
            decoder.window_log_max(ZSTD_WINDOW)?;
            Box::new(decoder)
        }
    })
}

/// A file that tells how far it is read, and ends with an error where somebody wants to stop.
struct Watched<'a, 'o> {
    file: File,
    state: &'a State<'o>,
}

/// How far it is, and who watches.
type State<'o> = RefCell<(Progress, &'o mut dyn Observer)>;

impl Read for Watched<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        let (progress, observer) = &mut *self.state.borrow_mut();
        if observer.is_cancelled() {
            return Err(io::Error::other(STOPPED));
        }
        // A zip's list of contents is read beside the contents.
        progress.bytes = (progress.bytes + count as u64).min(progress.all_bytes);
        observer.progress(progress);
        Ok(count)
    }
}

impl Seek for Watched<'_, '_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

const STOPPED: &str = "stopped";

/// Puts what is in an archive into a folder: as it is where that is one thing, else in a new folder of the archive's name. Under another name
/// where that is taken.
///
/// # Errors
/// Where it is no archive, is damaged, or has paths that lead out of it; those of the system. Nothing is left then.
pub fn extract(archive: &Path, folder: &Path, observer: &mut dyn Observer) -> Result<Done> {
    let kind = kind(archive).ok_or_else(|| damaged(archive, "it is none that is known"))?;
    let file = File::open(archive).tried("open", archive)?;
    let all_bytes = file.metadata().tried("look at", archive)?.len();
    let name = archive.file_name().unwrap_or_default();
    let state = RefCell::new((Progress { all_bytes, name: name.to_string_lossy().into_owned(), ..Progress::default() }, observer));
    let watched = Watched { file, state: &state };
    let part = part_name(folder);
    let outcome = fs::create_dir(&part).tried("make", &part).and_then(|()| {
        match kind {
            Kind::Zip => unzip(archive, watched, &part, &state)?,
            Kind::Tar(packing) => untar(archive, watched, packing, &part, &state)?,
            Kind::Single(packing) => {
                let path = part.join(Path::new(name).file_stem().unwrap_or(name));
                let mut target = File::create_new(&path).tried("make", &path)?;
                pour(&mut unpacked(watched, packing).tried("read", archive)?, &mut target, archive, &path)?;
            }
        }
        settle(&part, folder, name)
    });
    let is_cancelled = state.borrow().1.is_cancelled();
    outcome.map(|to| Done::Copied { to }).map_err(|error| {
        make_removable(&part);
        let _ = remove(&part);
        if is_cancelled { Error::Cancelled } else { error }
    })
}

/// Gives what was unpacked its own name.
fn settle(part: &Path, folder: &Path, name: &OsStr) -> Result<PathBuf> {
    // An archive may say otherwise of its upper folder.
    fs::set_permissions(part, fs::Permissions::from_mode(0o755)).tried("set the permissions of", part)?;
    let inside: Vec<_> = fs::read_dir(part).tried("read", part)?.take(2).collect::<io::Result<_>>().tried("read", part)?;
    if let [single] = inside.as_slice() {
        let to = names::free(folder, &single.file_name());
        rename_to_free(&single.path(), &to).tried("make", &to)?;
        let _ = fs::remove_dir(part);
        return Ok(to);
    }
    let to = names::free(folder, names::split(name).0);
    rename_to_free(part, &to).tried("make", &to)?;
    Ok(to)
}

/// Copies bytes, and tells errors of both sides apart.
fn pour(from: &mut dyn Read, to: &mut dyn Write, archive: &Path, path: &Path) -> Result<()> {
    let mut piece = vec![0; 64 << 10];
    loop {
        let count = from.read(&mut piece).map_err(|error| damaged(archive, error))?;
        if count == 0 {
            return Ok(());
        }
        to.write_all(&piece[..count]).tried("write", path)?;
    }
}

fn damaged(archive: &Path, why: impl ToString) -> Error {
    Error::Archive { path: archive.to_owned(), why: why.to_string() }
}

/// What is being unpacked.
fn tell(state: &State<'_>, name: &Path) {
    let (progress, observer) = &mut *state.borrow_mut();
    progress.name = name.file_name().unwrap_or_default().to_string_lossy().into_owned();
    observer.progress(progress);
}

fn unzip(archive: &Path, file: Watched<'_, '_>, part: &Path, state: &State<'_>) -> Result<()> {
    let mut all = ZipArchive::new(BufReader::new(file)).map_err(|error| damaged(archive, error))?;
    let (mut links, mut modes) = (Vec::new(), Vec::new());
    for index in 0..all.len() {
        let mut entry = all.by_index(index).map_err(|error| damaged(archive, error))?;
        let inside = entry.enclosed_name().ok_or_else(|| damaged(archive, format!("{:?} leads out of it", String::from_utf8_lossy(entry.name_raw()))))?;
        tell(state, &inside);
        let path = part.join(&inside);
        if entry.is_dir() {
            fs::create_dir_all(&path).tried("make", &path)?;
        } else {
            let above = path.parent().unwrap_or(part);
            fs::create_dir_all(above).tried("make", above)?;
            if entry.is_symlink() {
                let mut target = Vec::new();
                entry.read_to_end(&mut target).map_err(|error| damaged(archive, error))?;
                links.push((path, target));
                continue;
            }
            let mut target = File::create_new(&path).tried("make", &path)?;
            pour(&mut entry, &mut target, archive, &path)?;
        }
        modes.extend(entry.unix_mode().map(|mode| (path, mode & 0o777)));
    }
    // Last, so that no path leads through one of them; and a folder that nobody may write to gets its contents first.
    for (path, target) in links {
        symlink(OsStr::from_bytes(&target), &path).tried("make", &path)?;
    }
    for (path, mode) in modes.into_iter().rev() {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).tried("set the permissions of", &path)?;
    }
    Ok(())
}

fn untar(archive: &Path, file: Watched<'_, '_>, packing: Packing, part: &Path, state: &State<'_>) -> Result<()> {
    let mut all = tar::Archive::new(unpacked(BufReader::new(file), packing).tried("read", archive)?);
    all.set_overwrite(false);
    let mut folders = Vec::new();
    let put = |mut entry: tar::Entry<'_, Box<dyn Read + '_>>| {
        let inside = entry.path().map_err(|error| damaged(archive, error))?.into_owned();
        tell(state, &inside);
        // It leaves out what leads out of the folder, also by links.
        match entry.unpack_in(part) {
            Ok(true) => Ok(()),
            Ok(false) if inside.components().all(|it| it == std::path::Component::CurDir) => Ok(()),
            Ok(false) => Err(damaged(archive, format!("{inside:?} leads out of it"))),
            Err(error) => Err(damaged(archive, deepest(&error))),
        }
    };
    for entry in all.entries().map_err(|error| damaged(archive, error))? {
        let entry = entry.map_err(|error| damaged(archive, error))?;
        match entry.header().entry_type() {
            // Last: a folder that nobody may write to gets its contents first.
            EntryType::Directory => folders.push(entry),
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse | EntryType::Link | EntryType::Symlink => put(entry)?,
            EntryType::XGlobalHeader => {}
            _ => return Err(Error::Special(entry.path().map_err(|error| damaged(archive, error))?.into_owned())),
        }
    }
    folders.sort_by(|a, b| b.path_bytes().cmp(&a.path_bytes()));
    folders.into_iter().try_for_each(|entry| {
        let path = entry.path().map_err(|error| damaged(archive, error))?.into_owned();
        let seconds = entry.header().mtime().unwrap_or(0);
        put(entry)?;
        set_time(&part.join(normal(&path)), seconds)
    })
}

/// A path of an archive without what leads nowhere.
fn normal(path: &Path) -> PathBuf {
    path.components().filter(|it| matches!(it, std::path::Component::Normal(_))).collect()
}

/// Sets when a folder's contents changed last, s since 1970: the crate does that for files only.
fn set_time(folder: &Path, seconds: u64) -> Result<()> {
    if !folder.symlink_metadata().is_ok_and(|it| it.is_dir()) {
        return Ok(());
    }
    let Some(time) = std::time::UNIX_EPOCH.checked_add(std::time::Duration::from_secs(seconds)) else { return Ok(()) };
    // One that cannot be opened keeps its own time.
    let Ok(opened) = File::open(folder) else { return Ok(()) };
    opened.set_times(fs::FileTimes::new().set_modified(time)).tried("set the time of", folder)
}

/// What the system or the format said; above it stands where, in words that are not for people.
fn deepest(error: &io::Error) -> String {
    let mut deepest: &dyn std::error::Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}
