//! Kinds of nodes: text made at each open, links, fixed directories.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::sync::atomic::{AtomicU64, Ordering};

use crate::error::*;
use crate::fs::{Attr, Events, FileOps, FileType, Inode, InodeRef, IoSink, IoSource, OpenFile, OpenFlags, Path};
use crate::scheme::pseudo::{self, Dir, Entries};
use crate::sync::{Mutex, PollTable, WaitQueue};

type Make = Box<dyn Fn() -> Result<Vec<u8>> + Send + Sync>;
type Take = Box<dyn Fn(&[u8]) -> Result + Send + Sync>;

/// A text file: its contents are made when it is first read after opening, so that a reader sees one moment.
pub struct Text {
    mode: u32,
    owner: (u32, u32),
    ino: u64,
    make: Make,
    take: Option<Take>,
    /// How often what it shows has changed, and who is told of that.
    changes: Option<(fn() -> u64, fn() -> &'static WaitQueue)>,
}

/// Longest thing that can be written to such a file.
const MAX_WRITE: usize = 4096;

impl Text {
    /// Readable by all, owned by root.
    pub fn new(make: impl Fn() -> Vec<u8> + Send + Sync + 'static) -> InodeRef {
        Self::owned((0, 0), 0o444, move || Ok(make()))
    }

    /// With an owner and permission bits; making the text can fail.
    pub fn owned(owner: (u32, u32), mode: u32, make: impl Fn() -> Result<Vec<u8>> + Send + Sync + 'static) -> InodeRef {
        Arc::new(Self { mode, owner, ino: 0, make: Box::new(make), take: None, changes: None })
    }

    /// One whose changes can be waited for (`poll(2)`, POLLPRI): how many there have been, and the queue that is woken.
    pub fn watched(
        owner: (u32, u32),
        make: impl Fn() -> Result<Vec<u8>> + Send + Sync + 'static,
        changes: (fn() -> u64, fn() -> &'static WaitQueue),
    ) -> InodeRef {
        Arc::new(Self { mode: 0o444, owner, ino: 0, make: Box::new(make), take: None, changes: Some(changes) })
    }

    /// One that can also be written.
    pub fn writable(
        owner: (u32, u32),
        make: impl Fn() -> Result<Vec<u8>> + Send + Sync + 'static,
        take: impl Fn(&[u8]) -> Result + Send + Sync + 'static,
    ) -> InodeRef {
        Arc::new(Self { mode: 0o644, owner, ino: 0, make: Box::new(make), take: Some(Box::new(take)), changes: None })
    }
}

pub(super) fn attributes(kind: FileType, mode: u32, owner: (u32, u32), ino: u64) -> Attr {
    let now = crate::fs::now_ns();
    Attr { uid: owner.0, gid: owner.1, atime_ns: now, mtime_ns: now, ctime_ns: now, ..pseudo::attr(kind, mode, ino) }
}

impl Inode for Text {
    fn attr(&self) -> Result<Attr> {
        let ino = if self.ino == 0 { core::ptr::from_ref(self).addr() as u64 >> 4 } else { self.ino };
        Ok(attributes(FileType::Regular, self.mode, self.owner, ino))
    }

    fn set_attr(&self, change: &crate::fs::SetAttr) -> Result {
        // Opening with O_TRUNC (`> /proc/sys/...`) is no error.
        if change.size.is_some() && self.take.is_some() { Ok(()) } else { Err(EPERM) }
    }

    fn open(self: Arc<Self>, _flags: OpenFlags) -> Result<Arc<dyn FileOps>> {
        let seen = AtomicU64::new(self.changes.map_or(0, |(count, _)| count()));
        Ok(Arc::new(OpenText { node: self, text: Mutex::new(None), seen }))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

struct OpenText {
    node: Arc<Text>,
    text: Mutex<Option<Vec<u8>>>,
    /// The number of changes when it was asked last.
    seen: AtomicU64,
}

impl FileOps for OpenText {
    fn has_readiness(&self) -> bool {
        self.node.changes.is_some()
    }

    fn poll(&self, _file: &OpenFile, table: &mut PollTable<'_>) -> Events {
        let always = Events::IN | Events::OUT | Events::RDNORM | Events::WRNORM;
        let Some((count, queue)) = self.node.changes else { return always };
        table.register(queue());
        let now = count();
        if self.seen.swap(now, Ordering::AcqRel) == now { always } else { always | Events::PRI | Events::ERR }
    }

    fn seekable(&self) -> bool {
        true
    }

    fn read(&self, _file: &OpenFile, pos: u64, dst: &mut IoSink<'_>) -> Result<usize> {
        let mut text = self.text.lock();
        if pos == 0 || text.is_none() {
            *text = Some((self.node.make)()?);
        }
        let bytes = text.as_deref().unwrap_or_default();
        let from = usize::try_from(pos).unwrap_or(usize::MAX).min(bytes.len());
        dst.write(&bytes[from..])
    }

    fn write(&self, _file: &OpenFile, _pos: u64, src: &mut IoSource<'_>) -> Result<usize> {
        let take = self.node.take.as_ref().ok_or(EACCES)?;
        let len = src.remaining();
        if len > MAX_WRITE {
            return Err(EINVAL);
        }
        let mut bytes = alloc::vec![0; len];
        src.read(&mut bytes)?;
        take(bytes.trim_ascii_end())?;
        Ok(len)
    }

    fn attr(&self) -> Result<Attr> {
        self.node.attr()
    }

    fn truncate(&self, _len: u64) -> Result {
        Ok(())
    }

    fn inode(&self) -> Option<InodeRef> {
        Some(self.node.clone())
    }

    fn describe(&self) -> String {
        String::from("proc")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A symbolic link; a magic one leads to an object by itself.
pub struct Link {
    owner: (u32, u32),
    target: Make,
    magic: Option<Box<dyn Fn() -> Result<Path> + Send + Sync>>,
}

impl Link {
    /// A link with a textual target.
    pub fn new(target: impl Fn() -> Result<Vec<u8>> + Send + Sync + 'static) -> InodeRef {
        Arc::new(Self { owner: (0, 0), target: Box::new(target), magic: None })
    }

    /// A link that leads to an object.
    pub fn magic(
        owner: (u32, u32),
        target: impl Fn() -> Result<Vec<u8>> + Send + Sync + 'static,
        object: impl Fn() -> Result<Path> + Send + Sync + 'static,
    ) -> InodeRef {
        Arc::new(Self { owner, target: Box::new(target), magic: Some(Box::new(object)) })
    }
}

impl Inode for Link {
    fn attr(&self) -> Result<Attr> {
        let mode = if self.magic.is_some() { 0o700 } else { 0o777 };
        Ok(attributes(FileType::Symlink, mode, self.owner, core::ptr::from_ref(self).addr() as u64 >> 4))
    }

    fn file_type(&self) -> FileType {
        FileType::Symlink
    }

    fn read_link(&self) -> Result<Vec<u8>> {
        (self.target)()
    }

    fn magic_link(&self) -> Option<Result<Path>> {
        self.magic.as_ref().map(|object| object())
    }

    fn open(self: Arc<Self>, _flags: OpenFlags) -> Result<Arc<dyn FileOps>> {
        Err(ELOOP)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// What makes a node when it is looked up.
pub type MakeNode = fn() -> InodeRef;

/// A directory with fixed names.
pub struct Fixed(pub &'static [(&'static str, FileType, MakeNode)]);

impl Entries for Fixed {
    fn find(&self, name: &[u8]) -> Result<InodeRef> {
        self.0.iter().find(|(n, ..)| n.as_bytes() == name).map(|(.., make)| make()).ok_or(ENOENT)
    }

    fn list(&self) -> Vec<(Vec<u8>, FileType)> {
        self.0.iter().map(|(n, kind, _)| (n.as_bytes().to_vec(), *kind)).collect()
    }
}

/// A fixed directory as an inode.
pub fn fixed(entries: &'static [(&'static str, FileType, MakeNode)]) -> InodeRef {
    Dir::of(Fixed(entries), entries.as_ptr().addr() as u64 >> 3)
}
