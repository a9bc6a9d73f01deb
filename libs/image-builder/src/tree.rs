//! The description of a file tree: what an image holds, with owners and modes that the builder's own user need not have.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read, Seek};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gpm::xattr::{self, Xattrs};

use crate::error::{Error, IoContext, Result};

/// What our archives have before the names of extended attributes. The values are hexadecimal digits: the crate that reads them takes the bytes of
/// a line's end for one.
const PAX_XATTR: &str = "GENAI.xattr.";

/// Where a file's bytes are.
#[derive(Clone, Debug)]
pub enum Content {
    /// In memory.
    Bytes(Arc<[u8]>),
    /// A whole file of the host.
    Host(PathBuf),
    /// Part of a host file (an archive's member).
    Slice {
        /// The archive.
        file: Arc<File>,
        /// Where the bytes begin.
        offset: u64,
        /// How many there are.
        len: u64,
    },
}

impl Content {
    /// Reads all bytes.
    pub fn read(&self) -> Result<Vec<u8>> {
        match self {
            Self::Bytes(bytes) => Ok(bytes.to_vec()),
            Self::Host(path) => std::fs::read(path).on("read", path),
            Self::Slice { file, offset, len } => {
                let mut bytes = vec![0; usize::try_from(*len).unwrap_or(usize::MAX)];
                file.read_exact_at(&mut bytes, *offset)
                    .on("read", Path::new("the base tree's archive"))?;
                Ok(bytes)
            }
        }
    }
}

impl Content {
    /// How many bytes there are.
    pub fn len(&self) -> Result<u64> {
        match self {
            Self::Bytes(bytes) => Ok(bytes.len() as u64),
            Self::Host(path) => std::fs::metadata(path).map(|it| it.len()).on("examine", path),
            Self::Slice { len, .. } => Ok(*len),
        }
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into())
    }
}

/// What an entry is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A directory.
    Directory,
    /// A regular file.
    File(Content),
    /// A symbolic link with its target.
    Symlink(String),
    /// Another name of a regular file, given by its path in the tree.
    HardLink(String),
}

/// One entry of a tree.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// Permission bits with setuid, setgid and sticky (0o7777).
    pub mode: u16,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// Seconds since 1970.
    pub mtime: u64,
    /// A file's extended attributes, such as a program's capabilities.
    pub xattrs: Xattrs,
}

impl Entry {
    /// An entry of root's.
    pub fn new(kind: Kind, mode: u16, mtime: u64) -> Self {
        Self {
            kind,
            mode,
            uid: 0,
            gid: 0,
            mtime,
            xattrs: Xattrs::new(),
        }
    }
}

/// A file tree by path (without leading slash; the root itself is not in it, it is root's with mode 755).
#[derive(Clone, Debug, Default)]
pub struct Tree {
    entries: BTreeMap<String, Entry>,
    pub(crate) owners: Owners,
}

/// A package's name.
type Owner = String;

/// Which package has put what into a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Owners {
    /// Whose what comes now is.
    pub current: Option<Owner>,
    /// By path; those of entries that are gone may be among them.
    pub paths: BTreeMap<String, Owner>,
    /// Who has put a file in the place of whose.
    pub taken: BTreeSet<(Owner, Owner)>,
}

impl Owners {
    /// An entry that now is the current package's.
    fn put(&mut self, path: &str, directory: bool) {
        let Some(current) = &self.current else { return };
        if directory && self.paths.contains_key(path) {
            return;
        }
        if let Some(old) = self.paths.insert(path.to_owned(), current.clone())
            && old != *current
        {
            self.taken.insert((current.clone(), old));
        }
    }
}

impl Tree {
    /// Entries in path order, so that a directory comes before what is in it.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries
            .iter()
            .map(|(path, entry)| (path.as_str(), entry))
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entry at a path, not following symlinks.
    pub fn get(&self, path: &str) -> Option<&Entry> {
        self.entries.get(path)
    }

    /// The entry at a path for changes, not following symlinks.
    pub fn get_mut(&mut self, path: &str) -> Option<&mut Entry> {
        self.entries.get_mut(path)
    }

    /// Puts an entry at a path (leading `/` or `./` allowed), replacing a non-directory there. Symlinks on the way to it
    /// are followed, as when unpacking onto a merged `/usr`; missing parents are made.
    pub fn insert(&mut self, path: &str, mut entry: Entry) -> Result<()> {
        let path = self.resolve_parent(path, entry.mtime)?;
        if path.is_empty() {
            return Ok(());
        }
        if let Kind::HardLink(target) = &entry.kind {
            let target = self.resolve_parent(target, entry.mtime)?;
            match self.get(&target).map(|entry| &entry.kind) {
                Some(Kind::File(_)) => entry.kind = Kind::HardLink(target),
                _ => {
                    return Err(Error::tree(
                        path,
                        format!("hard link to /{target}, which is no file"),
                    ));
                }
            }
        }
        let new_is_dir = matches!(entry.kind, Kind::Directory);
        match self.entries.get(&path).map(|old| &old.kind) {
            // Packages ship directories where the tree has a symlink to one (/bin): keep the symlink.
            Some(Kind::Symlink(_)) if new_is_dir => return Ok(()),
            Some(Kind::Directory) if !new_is_dir => {
                return Err(Error::tree(
                    path,
                    "is a directory, cannot become something else",
                ));
            }
            _ => {}
        }
        self.owners.put(&path, new_is_dir);
        self.entries.insert(path, entry);
        Ok(())
    }

    /// What is put into the tree from now on is this package's.
    pub(crate) fn own(&mut self, package: &str) {
        self.owners.current = Some(package.into());
    }

    /// Puts an entry at exactly this path: for readers of images, where nothing needs resolving.
    pub(crate) fn insert_exact(&mut self, path: String, entry: Entry) {
        self.entries.insert(path, entry);
    }

    /// Removes an entry and all below it.
    pub fn remove(&mut self, path: &str) {
        let below = format!("{path}/");
        self.entries
            .retain(|name, _| name != path && !name.starts_with(&below));
    }

    /// Keeps only the entries for which `keep` says so; a hard link whose file goes becomes the file.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        let all = std::mem::take(&mut self.entries);
        let mut moved: BTreeMap<String, String> = BTreeMap::new();
        for (path, entry) in &all {
            if !keep(path) {
                continue;
            }
            let mut entry = entry.clone();
            if let Kind::HardLink(target) = &entry.kind
                && !keep(target)
            {
                entry.kind = match moved.get(target) {
                    Some(first) => Kind::HardLink(first.clone()),
                    None => {
                        moved.insert(target.clone(), path.clone());
                        all[target].kind.clone()
                    }
                };
            }
            self.entries.insert(path.clone(), entry);
        }
    }

    /// Puts everything of `other` over this tree.
    pub fn merge(&mut self, other: Tree) -> Result<()> {
        // Hard links need their files first.
        let (links, rest): (Vec<_>, Vec<_>) = other
            .entries
            .into_iter()
            .partition(|(_, entry)| matches!(entry.kind, Kind::HardLink(_)));
        rest.into_iter()
            .chain(links)
            .try_for_each(|(path, entry)| self.insert(&path, entry))
    }

    /// The path with the symlinks of all but its last component followed; makes missing directories.
    fn resolve_parent(&mut self, path: &str, mtime: u64) -> Result<String> {
        let mut rest: Vec<String> = components(path)?.into_iter().rev().collect();
        let mut done: Vec<String> = Vec::new();
        let mut links = 0;
        while let Some(component) = rest.pop() {
            if component == ".." {
                done.pop();
                continue;
            }
            done.push(component);
            if rest.is_empty() {
                break;
            }
            let current = done.join("/");
            match self.entries.get(&current).map(|entry| &entry.kind) {
                None => {
                    self.owners.put(&current, true);
                    self.entries
                        .insert(current, Entry::new(Kind::Directory, 0o755, mtime));
                }
                Some(Kind::Directory) => {}
                Some(Kind::Symlink(target)) => {
                    links += 1;
                    if links > 40 {
                        return Err(Error::tree(path, "too many symbolic links on the way"));
                    }
                    done.pop();
                    if target.starts_with('/') {
                        done.clear();
                    }
                    rest.extend(
                        target
                            .split('/')
                            .filter(|part| !matches!(*part, "" | "."))
                            .rev()
                            .map(String::from),
                    );
                }
                Some(_) => return Err(Error::tree(path, format!("/{current} is not a directory"))),
            }
        }
        Ok(done.join("/"))
    }

    /// Reads a tar archive whose entries carry owners, modes and times; file contents stay in `archive`.
    pub fn from_tar(archive: File, path: &Path) -> Result<Self> {
        let shared = Arc::new(archive.try_clone().on("open", path)?);
        let mut tree = Self::default();
        let mut reader = tar::Archive::new(archive);
        for member in reader.entries_with_seek().on("read", path)? {
            let mut member = member.on("read", path)?;
            let content = Content::Slice {
                file: Arc::clone(&shared),
                offset: member.raw_file_position(),
                len: member.size(),
            };
            tree.insert_member(&mut member, content, path)?;
        }
        Ok(tree)
    }

    /// Puts a tar member into the tree.
    pub(crate) fn insert_member<R: Read>(
        &mut self,
        member: &mut tar::Entry<'_, R>,
        content: Content,
        archive: &Path,
    ) -> Result<()> {
        let text = |bytes: &[u8]| {
            String::from_utf8(bytes.to_vec())
                .map_err(|_| Error::config(archive, format!("name {bytes:?} is not UTF-8")))
        };
        let xattrs = xattrs_of(member).on("read", archive)?;
        let name = text(&member.path_bytes())?;
        let header = member.header();
        let link = || match member.link_name_bytes() {
            Some(target) => text(&target),
            None => Err(Error::config(archive, format!("link {name} has no target"))),
        };
        let kind = match header.entry_type() {
            tar::EntryType::Regular | tar::EntryType::Continuous => Kind::File(content),
            tar::EntryType::Directory => Kind::Directory,
            tar::EntryType::Symlink => Kind::Symlink(link()?),
            tar::EntryType::Link => Kind::HardLink(link()?),
            other => {
                return Err(Error::config(
                    archive,
                    format!("member {name} is of kind {other:?}"),
                ));
            }
        };
        let id = |value: u64| {
            u32::try_from(value).map_err(|_| Error::config(archive, format!("bad owner of {name}")))
        };
        let entry = Entry {
            kind,
            mode: (header.mode().on("read", archive)? & 0o7777) as u16,
            uid: id(header.uid().on("read", archive)?)?,
            gid: id(header.gid().on("read", archive)?)?,
            mtime: header.mtime().on("read", archive)?,
            xattrs,
        };
        self.insert(&name, entry)
    }

    /// Writes the tree as a tar archive that [`Tree::from_tar`] reads.
    pub fn write_tar(&self, path: &Path) -> Result<()> {
        let file = File::create(path).on("create", path)?;
        let mut builder = tar::Builder::new(std::io::BufWriter::with_capacity(1 << 20, file));
        let (links, rest): (Vec<_>, Vec<_>) = self
            .iter()
            .partition(|(_, entry)| matches!(entry.kind, Kind::HardLink(_)));
        for (name, entry) in rest.into_iter().chain(links) {
            let extensions: Vec<_> = entry.xattrs.iter().map(|(name, value)| (format!("{PAX_XATTR}{name}"), String::from(value.clone()))).collect();
            let extensions = extensions.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
            if !entry.xattrs.is_empty() {
                builder.append_pax_extensions(extensions).on("write", path)?;
            }
            let mut header = tar::Header::new_gnu();
            header.set_mode(u32::from(entry.mode));
            header.set_uid(u64::from(entry.uid));
            header.set_gid(u64::from(entry.gid));
            header.set_mtime(entry.mtime);
            header.set_size(0);
            match &entry.kind {
                Kind::Directory => {
                    header.set_entry_type(tar::EntryType::Directory);
                    builder.append_data(&mut header, name, std::io::empty())
                }
                Kind::File(content) => {
                    let bytes = content.read()?;
                    header.set_entry_type(tar::EntryType::Regular);
                    header.set_size(bytes.len() as u64);
                    builder.append_data(&mut header, name, bytes.as_slice())
                }
                Kind::Symlink(target) => {
                    header.set_entry_type(tar::EntryType::Symlink);
                    builder.append_link(&mut header, name, target)
                }
                Kind::HardLink(target) => {
                    header.set_entry_type(tar::EntryType::Link);
                    builder.append_link(&mut header, name, target)
                }
            }
            .on("write", path)?;
        }
        let mut writer = builder.into_inner().on("write", path)?;
        std::io::Write::flush(&mut writer).on("write", path)?;
        writer.rewind().on("write", path)
    }
}

/// A file's extended attributes in an archive of ours.
fn xattrs_of(member: &mut tar::Entry<'_, impl Read>) -> std::io::Result<Xattrs> {
    let mut found = Xattrs::new();
    for extension in member.pax_extensions()?.into_iter().flatten() {
        let extension = extension?;
        if let Some(name) = extension.key().ok().and_then(|key| key.strip_prefix(PAX_XATTR))
            && xattr::is_carried(name)
        {
            let digits = String::from_utf8_lossy(extension.value_bytes()).into_owned();
            let value = xattr::Value::try_from(digits).map_err(std::io::Error::other)?;
            found.insert(name.to_owned(), value);
        }
    }
    Ok(found)
}

/// The components of an image path; `..` is kept, an empty path is the root.
fn components(path: &str) -> Result<Vec<String>> {
    if path.contains('\0') {
        return Err(Error::tree(path, "contains a NUL"));
    }
    Ok(path
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .map(String::from)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(bytes: &[u8]) -> Entry {
        Entry::new(Kind::File(bytes.to_vec().into()), 0o644, 9)
    }

    fn paths(tree: &Tree) -> Vec<&str> {
        tree.iter().map(|(path, _)| path).collect()
    }

    #[test]
    fn links_on_the_way_are_followed() {
        let mut tree = Tree::default();
        tree.insert("usr/lib", Entry::new(Kind::Directory, 0o755, 0))
            .expect("inserts");
        tree.insert(
            "/lib",
            Entry::new(Kind::Symlink("usr/lib".into()), 0o777, 0),
        )
        .expect("inserts");
        tree.insert("./lib/x/y.so", file(b"y")).expect("inserts");
        // A package's directory leaves the link as it is.
        tree.insert("./lib/", Entry::new(Kind::Directory, 0o755, 0))
            .expect("inserts");
        assert_eq!(
            paths(&tree),
            ["lib", "usr", "usr/lib", "usr/lib/x", "usr/lib/x/y.so"]
        );
        tree.insert(
            "lib/hard",
            Entry::new(Kind::HardLink("/lib/x/y.so".into()), 0o644, 0),
        )
        .expect("inserts");
        assert!(
            matches!(&tree.get("usr/lib/hard").map(|entry| &entry.kind), Some(Kind::HardLink(to)) if to == "usr/lib/x/y.so")
        );
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let mut tree = Tree::default();
        tree.insert("a", file(b"")).expect("inserts");
        tree.insert("d/x", file(b"")).expect("inserts");
        tree.insert("loop", Entry::new(Kind::Symlink("loop".into()), 0o777, 0))
            .expect("inserts");
        assert!(tree.insert("a/b", file(b"")).is_err(), "below a file");
        assert!(tree.insert("d", file(b"")).is_err(), "over a directory");
        assert!(tree.insert("loop/x", file(b"")).is_err(), "through a loop");
        assert!(
            tree.insert("h", Entry::new(Kind::HardLink("none".into()), 0, 0))
                .is_err(),
            "no target"
        );
        // `..` never leaves the root.
        tree.insert("../../e", file(b"")).expect("inserts");
        assert!(tree.get("e").is_some());
    }

    #[test]
    fn a_hard_link_outlives_its_first_name() {
        let mut tree = Tree::default();
        tree.insert("a", file(b"data")).expect("inserts");
        for name in ["b", "c"] {
            tree.insert(name, Entry::new(Kind::HardLink("a".into()), 0o644, 9))
                .expect("inserts");
        }
        tree.retain(|path| path != "a");
        let Some(Kind::File(content)) = tree.get("b").map(|entry| &entry.kind) else {
            panic!("b is the file now")
        };
        assert_eq!(content.read().expect("readable"), b"data");
        assert!(
            matches!(&tree.get("c").map(|entry| &entry.kind), Some(Kind::HardLink(to)) if to == "b")
        );
    }

    #[test]
    fn a_tar_archive_keeps_everything() {
        let mut tree = Tree::default();
        let long = format!("d/{}", "n".repeat(180));
        let entry = Entry {
            kind: Kind::File(b"data".to_vec().into()),
            mode: 0o4750,
            uid: 70_000,
            gid: 3,
            mtime: 1_700_000_000,
            xattrs: Xattrs::new(),
        };
        tree.insert(&long, entry).expect("inserts");
        tree.insert(
            "a-link",
            Entry::new(Kind::HardLink(long.clone()), 0o4750, 1),
        )
        .expect("inserts");
        tree.insert(
            "s",
            Entry::new(Kind::Symlink(format!("/{}", "t".repeat(150))), 0o777, 1),
        )
        .expect("inserts");
        let archive = tempfile::NamedTempFile::new().expect("temporary file");
        tree.write_tar(archive.path()).expect("writes");
        let back = Tree::from_tar(File::open(archive.path()).expect("opens"), archive.path())
            .expect("reads");
        assert_eq!(paths(&back), paths(&tree));
        let entry = back.get(&long).expect("there");
        assert_eq!(
            (entry.mode, entry.uid, entry.gid, entry.mtime),
            (0o4750, 70_000, 3, 1_700_000_000)
        );
        assert!(
            matches!(&entry.kind, Kind::File(content) if content.read().expect("readable") == b"data")
        );
        assert!(
            matches!(&back.get("s").map(|entry| &entry.kind), Some(Kind::Symlink(to)) if to.len() == 151)
        );
    }
}
