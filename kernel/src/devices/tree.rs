//! Directories, attributes and links, as a filesystem (`sysfs(5)`).

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::sync::atomic::{AtomicU64, Ordering};

use crate::error::*;
use crate::fs::{Attr, DirSink, FileOps, FileType, Inode, InodeRef, IoSink, IoSource, OpenFile, OpenFlags, SetAttr, StatFs};
use crate::scheme::pseudo;
use crate::sync::{Mutex, Once, SpinLock};

/// `SYSFS_MAGIC` of `statfs(2)`: programs look at it.
const MAGIC: u64 = 0x6265_6572;
/// What `stat` says an attribute's size is.
const ATTRIBUTE_SIZE: u64 = 4096;
/// Longest thing that can be written to an attribute.
const MAX_WRITE: usize = 4096;

/// Makes an attribute's contents.
pub type Show = Box<dyn Fn() -> Result<Vec<u8>> + Send + Sync>;
/// Takes what is written to an attribute.
pub type Store = Box<dyn Fn(&[u8]) -> Result + Send + Sync>;

/// What a directory holds.
#[derive(Clone)]
pub enum Entry {
    /// A directory.
    Directory(Arc<Directory>),
    /// A file.
    Attribute(Arc<Attribute>),
    /// A link with its target.
    Link(Arc<Link>),
    /// Something of another part of the kernel.
    Other(FileType, fn() -> InodeRef),
}

/// A directory.
pub struct Directory {
    ino: u64,
    entries: SpinLock<BTreeMap<Vec<u8>, Entry>>,
}

/// A file.
pub struct Attribute {
    ino: u64,
    mode: u32,
    show: Show,
    store: Option<Store>,
}

/// A symbolic link.
pub struct Link {
    ino: u64,
    target: Vec<u8>,
}

fn next_ino() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(2);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The root.
pub fn root() -> Arc<Directory> {
    static ROOT: Once<Arc<Directory>> = Once::new();
    match ROOT.get() {
        Some(root) => root.clone(),
        None => {
            // Of two at the same time, the first counts.
            let _ = ROOT.set(Directory::new());
            ROOT.get().cloned().unwrap_or_else(Directory::new)
        }
    }
}

impl Directory {
    /// An empty one.
    pub fn new() -> Arc<Self> {
        Arc::new(Self { ino: next_ino(), entries: SpinLock::new(BTreeMap::new()) })
    }

    /// What a name stands for.
    pub fn get(&self, name: &[u8]) -> Option<Entry> {
        self.entries.lock().get(name).cloned()
    }

    /// The directory with this name; made where there is none.
    ///
    /// # Errors
    /// `ENOTDIR` where something else has the name.
    pub fn make(&self, name: &[u8]) -> Result<Arc<Directory>> {
        let new = Self::new();
        match self.entries.lock().entry(name.to_vec()).or_insert(Entry::Directory(new)) {
            Entry::Directory(directory) => Ok(directory.clone()),
            _ => Err(ENOTDIR),
        }
    }

    /// The directory at a path with `/` between the names; made, with those on the way.
    ///
    /// # Errors
    /// As [`Directory::make`].
    pub fn make_path(self: &Arc<Self>, path: &[u8]) -> Result<Arc<Directory>> {
        let names = path.split(|byte| *byte == b'/').filter(|name| !name.is_empty());
        names.into_iter().try_fold(self.clone(), |directory, name| directory.make(name))
    }

    /// The directory at a path.
    pub fn find_path(self: &Arc<Self>, path: &[u8]) -> Option<Arc<Directory>> {
        let names = path.split(|byte| *byte == b'/').filter(|name| !name.is_empty());
        names.into_iter().try_fold(self.clone(), |directory, name| match directory.get(name) {
            Some(Entry::Directory(directory)) => Some(directory),
            _ => None,
        })
    }

    /// Gives a name a meaning; what it had is dropped.
    pub fn put(&self, name: &[u8], entry: Entry) {
        let old = self.entries.lock().insert(name.to_vec(), entry);
        drop(old);
    }

    /// A file by its path from here; directories on the way are made.
    ///
    /// # Errors
    /// As [`Directory::make`].
    pub fn put_file(self: &Arc<Self>, path: &[u8], mode: u32, show: Show, store: Option<Store>) -> Result {
        let at = path.iter().rposition(|byte| *byte == b'/');
        let (directory, name) = match at {
            Some(at) => (self.make_path(&path[..at])?, &path[at + 1..]),
            None => (self.clone(), path),
        };
        directory.put(name, Entry::Attribute(Arc::new(Attribute { ino: next_ino(), mode, show, store })));
        Ok(())
    }

    /// A link.
    pub fn put_link(&self, name: &[u8], target: Vec<u8>) {
        self.put(name, Entry::Link(Arc::new(Link { ino: next_ino(), target })));
    }

    /// Takes a name out.
    pub fn remove(&self, name: &[u8]) {
        let old = self.entries.lock().remove(name);
        drop(old);
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.entries.lock().is_empty()
    }

    fn names(&self) -> Vec<(Vec<u8>, u64, FileType)> {
        let entries = self.entries.lock();
        let describe = |(name, entry): (&Vec<u8>, &Entry)| {
            let (ino, kind) = match entry {
                Entry::Directory(directory) => (directory.ino, FileType::Directory),
                Entry::Attribute(attribute) => (attribute.ino, FileType::Regular),
                Entry::Link(link) => (link.ino, FileType::Symlink),
                Entry::Other(kind, _) => (pseudo::ino(name), *kind),
            };
            (name.clone(), ino, kind)
        };
        entries.iter().map(describe).collect()
    }
}

/// A directory as an inode.
pub fn inode(directory: Arc<Directory>) -> InodeRef {
    Arc::new(Node::Directory(directory))
}

/// An inode of the tree.
enum Node {
    Directory(Arc<Directory>),
    Attribute(Arc<Attribute>),
    Link(Arc<Link>),
}

impl Inode for Node {
    fn attr(&self) -> Result<Attr> {
        Ok(match self {
            Node::Directory(directory) => Attr { nlink: 2, ..pseudo::attr(FileType::Directory, 0o755, directory.ino) },
            Node::Attribute(attribute) => Attr { size: ATTRIBUTE_SIZE, ..pseudo::attr(FileType::Regular, attribute.mode, attribute.ino) },
            Node::Link(link) => pseudo::attr(FileType::Symlink, 0o777, link.ino),
        })
    }

    fn set_attr(&self, change: &SetAttr) -> Result {
        // Opening with O_TRUNC (`> /sys/...`) is no error.
        match self {
            Node::Attribute(attribute) if change.size.is_some() && attribute.store.is_some() => Ok(()),
            _ => Err(EPERM),
        }
    }

    fn lookup(&self, name: &[u8]) -> Result<InodeRef> {
        let Node::Directory(directory) = self else { return Err(ENOTDIR) };
        Ok(match directory.get(name).ok_or(ENOENT)? {
            Entry::Directory(directory) => Arc::new(Node::Directory(directory)),
            Entry::Attribute(attribute) => Arc::new(Node::Attribute(attribute)),
            Entry::Link(link) => Arc::new(Node::Link(link)),
            Entry::Other(_, make) => make(),
        })
    }

    fn read_link(&self) -> Result<Vec<u8>> {
        match self {
            Node::Link(link) => Ok(link.target.clone()),
            _ => Err(EINVAL),
        }
    }

    fn open(self: Arc<Self>, _flags: OpenFlags) -> Result<Arc<dyn FileOps>> {
        match &*self {
            Node::Link(_) => Err(ELOOP),
            _ => Ok(Arc::new(Open { node: self, contents: Mutex::new(None) })),
        }
    }

    fn statfs(&self) -> Result<StatFs> {
        Ok(StatFs { magic: MAGIC, block_size: 4096, name_max: 255, ..StatFs::default() })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// An open directory or attribute.
struct Open {
    node: Arc<Node>,
    /// An attribute's contents, made by the first read, so that a reader sees one moment.
    contents: Mutex<Option<Vec<u8>>>,
}

impl FileOps for Open {
    fn seekable(&self) -> bool {
        true
    }

    fn read(&self, _file: &OpenFile, pos: u64, dst: &mut IoSink<'_>) -> Result<usize> {
        let Node::Attribute(attribute) = &*self.node else { return Err(EISDIR) };
        let mut contents = self.contents.lock();
        if pos == 0 || contents.is_none() {
            *contents = Some((attribute.show)()?);
        }
        let bytes = contents.as_deref().unwrap_or_default();
        let from = usize::try_from(pos).unwrap_or(usize::MAX).min(bytes.len());
        dst.write(&bytes[from..])
    }

    fn write(&self, _file: &OpenFile, _pos: u64, src: &mut IoSource<'_>) -> Result<usize> {
        let Node::Attribute(attribute) = &*self.node else { return Err(EBADF) };
        let store = attribute.store.as_ref().ok_or(EIO)?;
        let len = src.remaining();
        if len > MAX_WRITE {
            return Err(EINVAL);
        }
        let mut bytes = alloc::vec![0; len];
        src.read(&mut bytes)?;
        store(bytes.trim_ascii_end())?;
        Ok(len)
    }

    fn getdents(&self, _file: &OpenFile, pos: u64, sink: &mut DirSink<'_>) -> Result {
        let Node::Directory(directory) = &*self.node else { return Err(ENOTDIR) };
        for (at, (name, ino, kind)) in directory.names().iter().enumerate().skip(usize::try_from(pos).unwrap_or(usize::MAX)) {
            if !sink(*ino, at as u64 + 1, Some(*kind), name) {
                break;
            }
        }
        Ok(())
    }

    fn attr(&self) -> Result<Attr> {
        self.node.attr()
    }

    fn statfs(&self) -> Result<StatFs> {
        self.node.statfs()
    }

    fn truncate(&self, _len: u64) -> Result {
        Ok(())
    }

    fn inode(&self) -> Option<InodeRef> {
        Some(self.node.clone())
    }

    fn describe(&self) -> String {
        String::from("sysfs")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
