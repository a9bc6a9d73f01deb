//! The trash, by the freedesktop.org specification 1.0: what is thrown away lies in `files`, and in `info` where it came from and when.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::error::Tried;
use crate::transfer::{remove, rename_to_free};
use crate::undo::Done;
use crate::{Error, Result, names};

/// A place for what is thrown away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trash {
    folder: PathBuf,
    /// The filesystem's upper folder, where paths are told from there.
    top: Option<PathBuf>,
}

/// Something thrown away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    trash: PathBuf,
    /// Its name in the trash.
    name: OsString,
    /// Where it was.
    pub origin: PathBuf,
    /// When it was thrown away, `2026-11-26T12:00:00`, local time.
    pub deleted: String,
}

impl Item {
    /// Where it lies now.
    pub fn path(&self) -> PathBuf {
        self.trash.join("files").join(&self.name)
    }

    fn info(&self) -> PathBuf {
        info_path(&self.trash, &self.name)
    }

    /// Brings it back; under another name where its own is taken. Where that is.
    ///
    /// # Errors
    /// Those of the system; it stays in the trash then.
    pub fn restore(&self) -> Result<PathBuf> {
        let folder = self.origin.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(folder).tried("make", folder)?;
        let target = names::free(folder, self.origin.file_name().unwrap_or(&self.name));
        rename_to_free(&self.path(), &target).tried("bring back", &self.origin)?;
        let _ = fs::remove_file(self.info());
        Ok(target)
    }

    /// Takes it away for ever.
    ///
    /// # Errors
    /// Those of the system.
    pub fn destroy(&self) -> Result<()> {
        // First what it is, then where it was: what is left after a failure can still be brought back.
        remove(&self.path()).tried("take away", &self.path())?;
        let _ = fs::remove_file(self.info());
        Ok(())
    }
}

/// Where a filesystem can have a trash of this user: in the common one, and beside it.
fn own_folders(top: &Path) -> [PathBuf; 2] {
    let user = rustix::process::getuid().as_raw();
    [top.join(".Trash").join(user.to_string()), top.join(format!(".Trash-{user}"))]
}

fn info_path(trash: &Path, name: &OsStr) -> PathBuf {
    let mut file = name.to_owned();
    file.push(".trashinfo");
    trash.join("info").join(file)
}

impl Trash {
    /// The user's own.
    pub fn home() -> Self {
        let data = env::var_os("XDG_DATA_HOME").filter(|it| Path::new(it).is_absolute()).map(PathBuf::from);
        let home = || PathBuf::from(env::var_os("HOME").unwrap_or_else(|| "/root".into())).join(".local/share");
        Trash::at(data.unwrap_or_else(home).join("Trash"))
    }

    /// One in a folder, which is made when it is needed.
    pub fn at(folder: PathBuf) -> Self {
        Trash { folder, top: None }
    }

    /// All that the user has: the own one, and those of other filesystems.
    pub fn all() -> Vec<Self> {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        // Octal numbers stand for spaces and the like.
        let tops = mounts.lines().filter_map(|line| line.split(' ').nth(4)).filter(|it| !it.contains('\\')).map(PathBuf::from);
        let mut all = vec![Trash::home()];
        for top in tops {
            for folder in own_folders(&top) {
                // The same filesystem may be in several places.
                if folder.join("files").is_dir() && all.iter().all(|it| it.folder != folder) {
                    all.push(Trash { folder, top: Some(top.clone()) });
                }
            }
        }
        all
    }

    /// Where its files lie.
    pub fn files(&self) -> PathBuf {
        self.folder.join("files")
    }

    /// Where a file goes: the user's own trash where that is on the same filesystem, else that filesystem's.
    ///
    /// # Errors
    /// Where the file is not there.
    pub fn of(path: &Path) -> Result<Self> {
        let device = path.symlink_metadata().tried("look at", path)?.dev();
        let home = Trash::home();
        let is_here = |folder: &Path| folder.ancestors().find_map(|it| it.metadata().ok()).is_some_and(|it| it.dev() == device);
        if is_here(&home.folder) {
            return Ok(home);
        }
        let parent = fs::canonicalize(path.parent().unwrap_or(Path::new("/"))).tried("look at", path)?;
        let top = parent.ancestors().take_while(|it| it.metadata().is_ok_and(|meta| meta.dev() == device)).last().unwrap_or(&parent).to_owned();
        let [common, own] = own_folders(&top);
        // The administrator's, where it is a real folder in which nobody can take away what is another's.
        let is_safe = common.parent().is_some_and(|it| it.symlink_metadata().is_ok_and(|it| it.is_dir() && it.mode() & 0o1000 != 0));
        let folder = if is_safe { common } else { own };
        Ok(Trash { folder, top: Some(top) })
    }

    fn prepare(&self) -> Result<()> {
        for part in ["files", "info"] {
            let path = self.folder.join(part);
            fs::DirBuilder::new().recursive(true).mode(0o700).create(&path).tried("make", &path)?;
        }
        Ok(())
    }

    /// A name that nothing in the trash has: who makes its information owns it. And the information.
    fn claim(&self, wanted: &OsStr, text: &str) -> Result<(OsString, PathBuf)> {
        let files = self.folder.join("files");
        // Room for the information's ending.
        let wanted = if wanted.len() > 240 { OsStr::new("long name") } else { wanted };
        let mut name = wanted.to_owned();
        for number in 2u64.. {
            let info = info_path(&self.folder, &name);
            if files.join(&name).symlink_metadata().is_err() {
                match File::create_new(&info) {
                    Ok(mut file) => return file.write_all(text.as_bytes()).tried("write", &info).map(|()| (name, info)),
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                    Err(error) => return Err(error).tried("make", &info),
                }
            }
            name = wanted.to_owned();
            name.push(format!(".{number}"));
        }
        Err(Error::Exists(files.join(name)))
    }

    /// Throws something away.
    ///
    /// # Errors
    /// Those of the system; it stays where it was then.
    pub fn throw(&self, path: &Path) -> Result<Item> {
        self.prepare()?;
        let parent = fs::canonicalize(path.parent().unwrap_or(Path::new("/"))).tried("look at", path)?;
        let origin = parent.join(path.file_name().ok_or_else(|| Error::IntoItself(path.to_owned()))?);
        if self.folder.starts_with(&origin) {
            return Err(Error::IntoItself(origin));
        }
        let told = self.top.as_ref().and_then(|top| origin.strip_prefix(top).ok()).unwrap_or(&origin);
        let deleted = now();
        let text = format!("[Trash Info]\nPath={}\nDeletionDate={deleted}\n", encode(told.as_os_str()));
        let (name, info) = self.claim(origin.file_name().unwrap_or_default(), &text)?;
        let item = Item { trash: self.folder.clone(), name, origin, deleted };
        if let Err(error) = rename_to_free(path, &item.path()) {
            let _ = fs::remove_file(info);
            return Err(error).tried("throw away", path);
        }
        Ok(item)
    }

    /// What was thrown away, the last first. What does not say where it came from is left out.
    ///
    /// # Errors
    /// Where the trash cannot be read.
    pub fn items(&self) -> Result<Vec<Item>> {
        let folder = self.folder.join("info");
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.tried("read", &folder)?,
        };
        let mut items: Vec<Item> = entries.flatten().filter_map(|it| self.item(&it.path()).ok()).filter(|it| it.path().symlink_metadata().is_ok()).collect();
        items.sort_by(|a, b| b.deleted.cmp(&a.deleted).then_with(|| a.name.cmp(&b.name)));
        Ok(items)
    }

    fn item(&self, info: &Path) -> Result<Item> {
        let text = fs::read_to_string(info).tried("read", info)?;
        let mut lines = text.lines();
        let bad = || Error::Info(info.to_owned());
        let name = info.file_name().map(OsStr::as_bytes).and_then(|it| it.strip_suffix(b".trashinfo")).ok_or_else(bad)?;
        if lines.next() != Some("[Trash Info]") {
            return Err(bad());
        }
        let entries: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once('=')).collect();
        let get = |key: &str| entries.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
        let path = PathBuf::from(decode(get("Path").ok_or_else(bad)?).ok_or_else(bad)?);
        let origin = match &self.top {
            Some(top) if path.is_relative() => top.join(path),
            _ if path.is_absolute() => path,
            _ => return Err(bad()),
        };
        let deleted = get("DeletionDate").unwrap_or_default().to_owned();
        Ok(Item { trash: self.folder.clone(), name: OsStr::from_bytes(name).to_owned(), origin, deleted })
    }

    /// Takes everything away for ever; all that can be.
    ///
    /// # Errors
    /// The first one.
    pub fn empty(&self) -> Result<()> {
        self.items()?.iter().map(Item::destroy).fold(Ok(()), Result::and)
    }
}

/// Throws several things away.
///
/// # Errors
/// Beside what was thrown away: why the rest was not.
pub fn throw(paths: &[PathBuf]) -> (Vec<Done>, Result<()>) {
    let mut items = Vec::new();
    let outcome = paths.iter().try_for_each(|path| {
        items.push(Trash::of(path)?.throw(path)?);
        Ok(())
    });
    (if items.is_empty() { Vec::new() } else { vec![Done::Trashed(items)] }, outcome)
}

/// As RFC 2396 wants it: all but letters, digits and some signs.
fn encode(path: &OsStr) -> String {
    let one = |byte: &u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => char::from(*byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    path.as_bytes().iter().map(one).collect()
}

/// What an address's path means: `%` and two digits stand for a byte. Nothing where it means none.
pub fn decode(text: &str) -> Option<OsString> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = after;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let (code, after) = rest.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok()?);
        rest = after;
    }
    (!bytes.contains(&0)).then(|| OsString::from_vec(bytes))
}

/// Now, local time.
fn now() -> String {
    let mut fields = std::mem::MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both pointers are valid, and all-zero fields are a value of the type also where the function fails.
    let it = unsafe {
        let seconds = libc::time(std::ptr::null_mut());
        libc::localtime_r(&seconds, fields.as_mut_ptr());
        fields.assume_init()
    };
    format!("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", it.tm_year + 1900, it.tm_mon + 1, it.tm_mday, it.tm_hour, it.tm_min, it.tm_sec)
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn paths_survive(bytes in proptest::collection::vec(1u8..=255, 0..40)) {
            let path = OsString::from_vec(bytes);
            let encoded = encode(&path);
            proptest::prop_assert!(encoded.is_ascii() && !encoded.contains('\n'));
            proptest::prop_assert_eq!(decode(&encoded), Some(path));
        }

        #[test]
        fn nothing_makes_it_fall_over(text in ".*") {
            let _ = decode(&text);
        }
    }
}
