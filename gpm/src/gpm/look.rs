//! Looking: search, owners, verification; and tidying up.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use super::{Error, Flaw, Gpm, Known, Reach};
use crate::database::Record;
use crate::digest::Digest;
use crate::observer::Event;
use crate::package::{Entry, Kind, Trust};
use crate::xattr;

impl Gpm<'_> {
    /// Looks for words in names, summaries, descriptions and AppStream's words: the best matches first.
    ///
    /// # Errors
    /// When something cannot be read.
    pub fn search(&self, words: &[String]) -> Result<Vec<Known>, Error> {
        let mut found: Vec<(u32, Known)> = Vec::new();
        for known in self.known(&[], Trust::Anyone, Reach::All)? {
            let manifest = &known.available.manifest;
            let appstream = manifest.appstream.clone().unwrap_or_default();
            let texts = [
                (100, manifest.name.clone()),
                (50, appstream.name.clone()),
                (30, appstream.keywords.join(" ")),
                (20, manifest.summary.clone()),
                (10, appstream.categories.join(" ")),
                (5, manifest.description.clone()),
            ];
            let mut total = 0;
            let all = words.iter().map(|it| it.to_lowercase()).all(|word| {
                let score: u32 = texts.iter().map(|(weight, text)| {
                    let text = text.to_lowercase();
                    if text == word { 3 * weight } else if text.contains(&word) { *weight } else { 0 }
                }).sum();
                total += score;
                score > 0
            });
            if all && total > 0 {
                found.push((total, known));
            }
        }
        found.sort_by(|(a, x), (b, y)| {
            let (x, y) = (&x.available.manifest, &y.available.manifest);
            b.cmp(a).then_with(|| x.name.cmp(&y.name)).then_with(|| y.version.cmp(&x.version))
        });
        Ok(found.into_iter().map(|(_, it)| it).collect())
    }

    /// The packages that have a file at `path`, which is absolute or relative to the root.
    ///
    /// # Errors
    /// When something cannot be read.
    pub fn owners(&self, path: &str) -> Result<Vec<String>, Error> {
        let wanted = path.trim_start_matches('/');
        let place = |path: &str| self.root.resolve(path).ok();
        let target = place(wanted);
        let mut owners = Vec::new();
        for name in self.database.records()?.keys() {
            let files = self.database.files(name)?;
            let same = |it: &Entry| it.path == wanted || (it.path.rsplit('/').next() == wanted.rsplit('/').next() && target.is_some() && place(&it.path) == target);
            if files.iter().any(same) {
                owners.push(name.clone());
            }
        }
        Ok(owners)
    }

    /// Compares the files of installed packages with what was delivered: all packages where `names` is empty. Configuration files may differ.
    ///
    /// # Errors
    /// When a package is not installed, or the database cannot be read.
    pub fn verify(&self, names: &[String]) -> Result<Vec<Flaw>, Error> {
        let records = self.database.records()?;
        if let Some(missing) = names.iter().find(|it| !records.contains_key(*it)) {
            return Err(Error::NotInstalled(missing.clone()));
        }
        let mut flaws = Vec::new();
        for (name, record) in records.iter().filter(|(name, _)| names.is_empty() || names.contains(name)) {
            self.observer.event(&Event::Verify { name });
            let files = self.database.files(name)?;
            let mut state = Vec::new();
            for entry in &files {
                let what = self.check_file(record, entry, &files);
                if record.manifest.state.contains(&entry.path) {
                    state.push((entry, what.is_none()));
                }
                flaws.extend(what.map(|what| Flaw { package: name.clone(), path: entry.path.clone(), what }));
            }
            // The files are as delivered: that they are those of the checksum was checked when the package was verified.
            if state.iter().any(|(_, good)| !good) {
                flaws.push(Flaw { package: name.clone(), path: String::new(), what: "its consciousness state differs from its checksum".into() });
            }
        }
        Ok(flaws)
    }

    fn check_file(&self, record: &Record, entry: &Entry, files: &[Entry]) -> Option<String> {
        use std::os::unix::fs::MetadataExt;
        let place = match self.root.resolve(&entry.path) {
            Ok(place) => place,
            Err(error) => return Some(error.to_string()),
        };
        let metadata = match fs::symlink_metadata(&place) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Some("is missing".into()),
            Err(error) => return Some(error.to_string()),
        };
        let config = record.manifest.config.contains(&entry.path);
        let mode = metadata.mode() & 0o7777;
        match &entry.kind {
            Kind::Directory => {
                if !fs::metadata(&place).is_ok_and(|it| it.is_dir()) { Some("is no folder".into()) } else { None }
            }
            Kind::Symlink { target } => match fs::read_link(&place) {
                Ok(found) if found.as_os_str() == target.as_str() => None,
                Ok(found) => Some(format!("leads to {}, not {target}", found.display())),
                Err(_) => Some("is no link".into()),
            },
            Kind::Regular { .. } | Kind::Hardlink { .. } if !metadata.is_file() => Some("is no file".into()),
            Kind::Regular { .. } | Kind::Hardlink { .. } if mode != entry.mode => Some(format!("has mode {mode:o}, not {:o}", entry.mode)),
            Kind::Regular { .. } if config => None,
            Kind::Regular { sha512, size } => {
                if metadata.len() != *size {
                    return Some(format!("has {} bytes, not {size}", metadata.len()));
                }
                match fs::File::open(&place).and_then(|mut it| Digest::of_reader(&mut it)) {
                    Ok(found) if found == *sha512 => check_xattrs(&place, entry),
                    Ok(_) => Some("has other contents".into()),
                    Err(error) => Some(error.to_string()),
                }
            }
            Kind::Hardlink { .. } if config => None,
            Kind::Hardlink { to } => {
                let first = self.root.resolve(to).and_then(fs::symlink_metadata);
                // The other name is looked at too.
                let is_same = first.is_ok_and(|it| (it.dev(), it.ino()) == (metadata.dev(), metadata.ino()));
                // Where the filesystem has no such links, or the other name is another package's by now.
                let alike = files.iter().find(|it| it.path == *to && !is_same);
                alike.and_then(|it| self.check_file(record, &Entry { path: entry.path.clone(), ..it.clone() }, files))
            }
        }
    }

    /// Removes packages' files from the cache: all, or those that no undo of the history would need. Tells the bytes.
    ///
    /// # Errors
    /// When the tree cannot be locked or the cache cannot be written.
    pub fn clean(&self, everything: bool) -> Result<u64, Error> {
        let _lock = self.database.lock()?;
        let dir = self.root.join("var/cache/gpm");
        let mut needed: BTreeSet<String> = self.database.records()?.values().map(|it| it.sha512.to_string()[..16].to_owned()).collect();
        for change in self.database.history()?.iter().flat_map(|it| &it.changes) {
            needed.extend(change.from.iter().chain(&change.to).map(|(_, it)| it.to_string()[..16].to_owned()));
        }
        let entries = match fs::read_dir(&dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            other => Self::io("list", &dir, other)?,
        };
        let mut freed = 0;
        for entry in entries {
            let path = Self::io("list", &dir, entry)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if everything || !name.get(..16).is_some_and(|it| needed.contains(it)) || name.ends_with(".part") {
                freed += fs::metadata(&path).map_or(0, |it| it.len());
                Self::io("remove", &path, fs::remove_file(&path))?;
            }
        }
        Ok(freed)
    }
}

/// What is wrong with what a package has carried of a file's extended attributes; others may have come to it.
fn check_xattrs(place: &Path, entry: &Entry) -> Option<String> {
    // Without privileges none were given to it.
    let is_expected = |name: &str| name != xattr::CAPABILITY || rustix::process::geteuid().is_root();
    let found = match xattr::of_file(place) {
        Ok(found) => found,
        Err(error) => return Some(format!("has extended attributes that cannot be read: {error}")),
    };
    let wrong = |(name, value): (&String, &xattr::Value)| is_expected(name) && found.get(name) != Some(value);
    if let Some((name, _)) = entry.xattrs.iter().find(|it| wrong(*it)) {
        return Some(format!("has not the extended attribute {name} that it was delivered with"));
    }
    let more = found.contains_key(xattr::CAPABILITY) && !entry.xattrs.contains_key(xattr::CAPABILITY);
    more.then(|| "has capabilities that it was delivered without".into())
}
