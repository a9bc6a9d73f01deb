//! Texts on the disk: read, and written so that at no time there is less than the old one or the new one.

use rustix::fs::{Gid, Mode, Uid, fchmod, fchown};
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Bytes of a file at most.
pub const MOST: u64 = 64 << 20;
const MARK: &str = "\u{feff}";

/// Why a file cannot be edited.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is no file.
    #[error("it is not a file of text: it is a folder, a device or a pipe")]
    Special,
    /// It holds zeros.
    #[error("it is not a text: byte {0} is zero")]
    Binary(usize),
    /// It is in another code.
    #[error("it is not a text in UTF-8: byte {0} is none of its letters")]
    Code(usize),
    /// It would take too much memory.
    #[error("it is too large: {} MB, of which {} are possible", .0 / 1_000_000, MOST / 1_000_000)]
    Large(u64),
}

/// How lines end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ending {
    /// By a line feed.
    #[default]
    Lf,
    /// By a carriage return and a line feed, all of them.
    CrLf,
}

/// What a file was when it was read or written last: it is still so where this is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

impl Stamp {
    fn of(it: &Metadata) -> Self {
        Stamp { inode: it.ino(), size: it.size(), changed: (it.mtime(), it.mtime_nsec()) }
    }

    /// Of what is there now; none where nothing is.
    pub fn at(path: &Path) -> Option<Self> {
        path.metadata().ok().map(|it| Stamp::of(&it))
    }
}

/// How a text is written, beside its letters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Form {
    /// How lines end.
    pub ending: Ending,
    /// Whether it begins with the mark of byte orders.
    pub has_mark: bool,
}

/// A text that was read.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// Its letters; lines are parted by line feeds.
    pub text: String,
    /// How it is written.
    pub form: Form,
    /// What the file was.
    pub stamp: Stamp,
    /// Whether it may be written.
    pub is_writable: bool,
}

/// Reads a text.
///
/// # Errors
/// Where the file cannot be read, is none, is too large, or holds no text in UTF-8.
pub fn load(path: &Path) -> Result<Loaded, Error> {
    // Pipes would make us wait.
    if !path.metadata()?.is_file() {
        return Err(Error::Special);
    }
    let file = File::open(path)?;
    let stamp = Stamp::of(&file.metadata()?);
    if stamp.size > MOST {
        return Err(Error::Large(stamp.size));
    }
    let mut bytes = Vec::new();
    file.take(MOST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST {
        return Err(Error::Large(bytes.len() as u64));
    }
    if let Some(at) = bytes.iter().position(|it| *it == 0) {
        return Err(Error::Binary(at));
    }
    let text = String::from_utf8(bytes).map_err(|error| Error::Code(error.utf8_error().valid_up_to()))?;
    let is_writable = rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok();
    let (text, form) = taken_apart(text);
    Ok(Loaded { text, form, stamp, is_writable })
}

/// The letters and the form. Where some lines end in one way and some in the other, the carriage returns are letters.
fn taken_apart(text: String) -> (String, Form) {
    let has_mark = text.starts_with(MARK);
    let text = if has_mark { text[MARK.len()..].to_owned() } else { text };
    let feeds = text.matches('\n').count();
    if feeds > 0 && feeds == text.matches("\r\n").count() && feeds == text.matches('\r').count() {
        return (text.replace("\r\n", "\n"), Form { ending: Ending::CrLf, has_mark });
    }
    (text, Form { ending: Ending::Lf, has_mark })
}

/// The bytes of a text.
fn put_together(text: &str, form: Form) -> Vec<u8> {
    let mut bytes = if form.has_mark { MARK.as_bytes().to_vec() } else { Vec::new() };
    match form.ending {
        Ending::Lf => bytes.extend_from_slice(text.as_bytes()),
        Ending::CrLf => bytes.extend_from_slice(text.replace('\n', "\r\n").as_bytes()),
    }
    bytes
}

/// Writes a text. What was there before stays until the new one is complete on the disk, and its mode and owner are kept. A file that has several
/// names, or whose owner cannot be kept, is written in its place.
///
/// # Errors
/// Where it cannot be written; what was there before is still there then, but for a file that is written in its place.
pub fn save(path: &Path, text: &str, form: Form) -> Result<Stamp, Error> {
    let bytes = put_together(text, form);
    // Where a link leads is written, not the link.
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let old = match path.metadata() {
        Ok(it) if it.is_file() => Some(it),
        Ok(_) => return Err(Error::Special),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error.into()),
    };
    // Who may not write the file must not do so by way of its folder.
    if old.is_some() {
        OpenOptions::new().write(true).open(&path)?;
    }
    if old.as_ref().is_some_and(|it| it.nlink() > 1) {
        return in_place(&path, &bytes);
    }
    match replace(&path, &bytes, old.as_ref()) {
        // Neither a new file nor its owner: the folder or the rights do not allow it.
        Err(error) if old.is_some() && matches!(error.kind(), io::ErrorKind::PermissionDenied) => in_place(&path, &bytes),
        other => Ok(other?),
    }
}

fn in_place(path: &Path, bytes: &[u8]) -> Result<Stamp, Error> {
    let mut file = OpenOptions::new().write(true).truncate(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(Stamp::of(&file.metadata()?))
}

fn replace(path: &Path, bytes: &[u8], old: Option<&Metadata>) -> io::Result<Stamp> {
    let (new, mut file) = beside(path, if old.is_some() { 0o600 } else { 0o666 })?;
    let written = (|| {
        if let Some(old) = old {
            let made = file.metadata()?;
            if (made.uid(), made.gid()) != (old.uid(), old.gid()) {
                fchown(&file, Some(Uid::from_raw(old.uid())), Some(Gid::from_raw(old.gid())))?;
            }
            fchmod(&file, Mode::from_raw_mode(old.mode() & 0o7777))?;
        }
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&new, path)?;
        Ok(Stamp::of(&file.metadata()?))
    })();
    if written.is_err() {
        let _ = std::fs::remove_file(&new);
    }
    written
}

/// A new file with a hidden name in the same folder.
fn beside(path: &Path, mode: u32) -> io::Result<(PathBuf, File)> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
    let name: String = name.chars().take(80).collect();
    for number in 0..1000 {
        let new = path.with_file_name(format!(".{name}.{}-{number}.new", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).mode(mode).open(&new) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            other => return Ok((new, other?)),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a folder")
    }

    #[test]
    fn bytes_are_kept() {
        let folder = folder();
        let path = folder.path().join("a");
        for bytes in ["", "a", "a\n", "a\r\nb\r\n", "a\r\nb", "a\r\nb\n", "\r", "a\rb\r\n", "\u{feff}x\n", "ä\n\n\n"] {
            std::fs::write(&path, bytes).expect("a file");
            let loaded = load(&path).expect("a text");
            save(&path, &loaded.text, loaded.form).expect("saved");
            assert_eq!(std::fs::read_to_string(&path).expect("a file"), bytes);
        }
        std::fs::write(&path, "a\r\nb\r\n").expect("a file");
        assert_eq!(load(&path).expect("a text").text, "a\nb\n");
    }

    #[test]
    fn what_is_no_text_is_refused() {
        let folder = folder();
        let path = folder.path().join("a");
        std::fs::write(&path, b"ab\0c").expect("a file");
        assert!(matches!(load(&path), Err(Error::Binary(2))));
        std::fs::write(&path, b"ab\xffc").expect("a file");
        assert!(matches!(load(&path), Err(Error::Code(2))));
        assert!(matches!(load(folder.path()), Err(Error::Special)));
        File::create(&path).expect("a file").set_len(MOST + 1).expect("a length");
        assert!(matches!(load(&path), Err(Error::Large(_))));
    }

    #[test]
    fn mode_links_and_names_are_kept() {
        let folder = folder();
        let (path, link, other) = (folder.path().join("a"), folder.path().join("link"), folder.path().join("other"));
        std::fs::write(&path, "old").expect("a file");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o751)).expect("a mode");
        std::os::unix::fs::symlink("a", &link).expect("a link");
        let before = Stamp::at(&path);
        let after = save(&link, "new", Form::default()).expect("saved");
        assert!(link.symlink_metadata().expect("a link").is_symlink());
        assert_eq!((std::fs::read_to_string(&path).expect("a file").as_str(), path.metadata().expect("a file").mode() & 0o7777), ("new", 0o751));
        assert!(before != Some(after) && Stamp::at(&path) == Some(after));
        std::fs::hard_link(&path, &other).expect("a name");
        save(&path, "newer", Form::default()).expect("saved");
        assert_eq!(std::fs::read_to_string(&other).expect("a file"), "newer");
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 3, "nothing is left behind");
    }
}
