//! What is in a folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::error::Tried;
use crate::{Result, names};

/// What something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A folder.
    Folder,
    /// A file.
    File,
    /// A link whose target is not there.
    Broken,
    /// A device, a socket or a pipe.
    Special,
}

/// Something in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it is.
    pub path: PathBuf,
    /// Its name for people.
    pub name: String,
    /// What it is, or what its link leads to.
    pub kind: Kind,
    /// Whether it is a link.
    pub is_link: bool,
    /// Bytes of a file.
    pub size: u64,
    /// When it was changed.
    pub modified: Option<SystemTime>,
}

impl Entry {
    /// Of a path.
    ///
    /// # Errors
    /// Where nothing is there.
    pub fn of(path: &Path) -> Result<Self> {
        let own = path.symlink_metadata().tried("look at", path)?;
        let is_link = own.is_symlink();
        let followed = if is_link { fs::metadata(path).ok() } else { Some(own.clone()) };
        let kind = match &followed {
            None => Kind::Broken,
            Some(it) if it.is_dir() => Kind::Folder,
            Some(it) if it.is_file() => Kind::File,
            Some(_) => Kind::Special,
        };
        let shown = followed.unwrap_or(own);
        let name = path.file_name().map_or_else(|| "/".to_owned(), |it| it.to_string_lossy().into_owned());
        Ok(Entry { path: path.to_owned(), name, kind, is_link, size: if kind == Kind::File { shown.len() } else { 0 }, modified: shown.modified().ok() })
    }

    /// Whether it is not shown unless somebody asks.
    pub fn is_hidden(&self) -> bool {
        self.name.starts_with('.')
    }
}

/// All that is in a folder; what goes away meanwhile is left out.
///
/// # Errors
/// Where it cannot be read.
pub fn list(folder: &Path) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for it in fs::read_dir(folder).tried("read", folder)? {
        let it = it.tried("read", folder)?;
        entries.extend(Entry::of(&it.path()));
    }
    Ok(entries)
}

/// Bytes that a folder's filesystem has room for; nothing where that is not known.
pub fn free(folder: &Path) -> Option<u64> {
    let it = rustix::fs::statvfs(folder).ok()?;
    it.f_bavail.checked_mul(it.f_frsize)
}

/// By what a list is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Names.
    #[default]
    Name,
    /// Bytes, the most first.
    Size,
    /// When they were changed, the last first.
    Modified,
}

/// How a list is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sorting {
    /// By what.
    pub order: Order,
    /// Whether the last comes first.
    pub is_reversed: bool,
}

impl Sorting {
    /// By something else, or by the same the other way round.
    pub fn by(self, order: Order) -> Self {
        Sorting { order, is_reversed: self.order == order && !self.is_reversed }
    }
}

/// Orders a list; folders come first.
pub fn sort(entries: &mut [Entry], sorting: Sorting) {
    let by_name = |a: &Entry, b: &Entry| names::compare(&a.name, &b.name);
    entries.sort_by(|a, b| {
        let folders_first = (b.kind == Kind::Folder).cmp(&(a.kind == Kind::Folder));
        let by = match sorting.order {
            Order::Name => by_name(a, b),
            Order::Size => b.size.cmp(&a.size),
            Order::Modified => b.modified.cmp(&a.modified),
        };
        let by = if sorting.is_reversed { by.reverse() } else { by };
        folders_first.then(by).then_with(|| by_name(a, b))
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_listed() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("zoo")).expect("a folder");
        fs::write(at("b10"), "12345").expect("a file");
        fs::write(at("b9"), "1").expect("a file");
        std::os::unix::fs::symlink("nowhere", at("broken")).expect("a link");
        std::os::unix::fs::symlink("zoo", at("ark")).expect("a link");
        let mut entries = list(folder.path()).expect("a list");
        sort(&mut entries, Sorting::default());
        let seen: Vec<_> = entries.iter().map(|it| (it.name.as_str(), it.kind, it.is_link, it.size)).collect();
        let expected = [
            ("ark", Kind::Folder, true, 0),
            ("zoo", Kind::Folder, false, 0),
            ("b9", Kind::File, false, 1),
            ("b10", Kind::File, false, 5),
            ("broken", Kind::Broken, true, 0),
        ];
        assert_eq!(seen, expected);
        let by_size = Sorting::default().by(Order::Size);
        sort(&mut entries, by_size);
        assert_eq!(entries[2].name, "b10");
        sort(&mut entries, by_size.by(Order::Size));
        assert_eq!([&entries[0].name, &entries[4].name], ["ark", "b10"], "folders come first also then");
        assert!(list(&at("b9")).is_err_and(|error| error.to_string().contains("cannot read")));
    }
}
