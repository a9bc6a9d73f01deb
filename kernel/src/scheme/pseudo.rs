//! Directories and files that the kernel makes up.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;

use crate::error::*;
use crate::fs::{Attr, DirSink, FileOps, FileType, Inode, InodeRef, IoSink, OpenFile, OpenFlags};
use crate::task;

/// Device number of all of them (major 0: no device).
const DEV: u64 = 0x3e;

/// Attributes of a file that belongs to root.
pub fn attr(file_type: FileType, permissions: u32, ino: u64) -> Attr {
    Attr { dev: DEV, ino, mode: file_type as u32 | permissions, nlink: 1, blksize: 4096, ..Attr::default() }
}

/// An inode number for a name.
pub fn ino(name: &[u8]) -> u64 {
    // FNV-1a; the top bit keeps it apart from small numbers, cookies stay below 2^62.
    name.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)) >> 3
}

/// Only who has `CAP_SYS_RAWIO` may open what drivers use, whatever the mode bits say.
///
/// # Errors
/// `EACCES`.
pub fn require_raw_io() -> Result {
    if task::capable(task::Capability::SYS_RAWIO) { Ok(()) } else { Err(EACCES) }
}

/// What a directory holds.
pub trait Entries: Send + Sync + 'static {
    /// The entry `name`. `ENOENT` where there is none.
    fn find(&self, name: &[u8]) -> Result<InodeRef>;
    /// The entries that can be listed.
    fn list(&self) -> Vec<(Vec<u8>, FileType)>;
}

/// A directory.
pub struct Dir<E>(pub Arc<E>, pub u64);

impl<E: Entries> Dir<E> {
    /// A directory of `entries` with inode number `ino`.
    pub fn of(entries: E, ino: u64) -> InodeRef {
        Arc::new(Self(Arc::new(entries), ino))
    }
}

impl<E: Entries> Inode for Dir<E> {
    fn attr(&self) -> Result<Attr> {
        Ok(Attr { nlink: 2, ..attr(FileType::Directory, 0o755, self.1) })
    }

    fn lookup(&self, name: &[u8]) -> Result<InodeRef> {
        self.0.find(name)
    }

    // As in Linux's /proc, there is no place for what is not there.
    fn create(&self, _name: &[u8], _mode: u32, _rdev: u64, _who: &task::Credentials) -> Result<InodeRef> {
        Err(ENOENT)
    }

    fn symlink(&self, _name: &[u8], _target: &[u8], _who: &task::Credentials) -> Result<InodeRef> {
        Err(ENOENT)
    }

    fn open(self: Arc<Self>, _flags: OpenFlags) -> Result<Arc<dyn FileOps>> {
        Ok(Arc::new(OpenDir { entries: self.0.clone(), inode: self.clone() }))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Where an entry lies in its directory. Processes and descriptors have places by their numbers, behind the other names: they come and go while somebody
/// reads, who closes what it finds, and who must miss none for that.
fn position(index: usize, name: &[u8]) -> u64 {
    const NUMBERS: u64 = 1 << 20;
    match core::str::from_utf8(name).ok().and_then(|name| name.parse::<u32>().ok()) {
        Some(number) => NUMBERS + u64::from(number),
        None => index as u64,
    }
}

/// An open directory.
pub struct OpenDir<E> {
    /// What it lists.
    pub entries: Arc<E>,
    /// Its inode.
    pub inode: InodeRef,
}

impl<E: Entries> FileOps for OpenDir<E> {
    fn seekable(&self) -> bool {
        true
    }

    fn read(&self, _file: &OpenFile, _pos: u64, _dst: &mut IoSink<'_>) -> Result<usize> {
        Err(EISDIR)
    }

    fn attr(&self) -> Result<Attr> {
        self.inode.attr()
    }

    fn getdents(&self, _file: &OpenFile, pos: u64, sink: &mut DirSink<'_>) -> Result {
        let mut entries: Vec<_> = self.entries.list().into_iter().enumerate().map(|(index, entry)| (position(index, &entry.0), entry)).collect();
        entries.sort_by_key(|(at, _)| *at);
        for (at, (name, file_type)) in entries.iter().skip_while(|(at, _)| *at < pos) {
            if !sink(ino(name), at + 1, Some(*file_type), name) {
                break;
            }
        }
        Ok(())
    }

    fn inode(&self) -> Option<InodeRef> {
        Some(self.inode.clone())
    }

    fn sync(&self, _data_only: bool) -> Result {
        Ok(())
    }

    fn describe(&self) -> String {
        String::from("directory of /scheme")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Opens a device.
pub type Opener = dyn Fn(OpenFlags) -> Result<Arc<dyn FileOps>> + Send + Sync;

/// A file that is something else each time it is opened.
pub struct Device {
    /// Attributes.
    pub attr: Attr,
    /// Only root may open it.
    pub root_only: bool,
    /// Makes the open file.
    pub open: alloc::boxed::Box<Opener>,
}

impl Device {
    /// A character device for root only.
    pub fn for_root(ino: u64, open: impl Fn(OpenFlags) -> Result<Arc<dyn FileOps>> + Send + Sync + 'static) -> InodeRef {
        Arc::new(Self { attr: attr(FileType::CharDevice, 0o600, ino), root_only: true, open: alloc::boxed::Box::new(open) })
    }
}

impl Inode for Device {
    fn attr(&self) -> Result<Attr> {
        Ok(self.attr)
    }

    fn open(self: Arc<Self>, flags: OpenFlags) -> Result<Arc<dyn FileOps>> {
        if self.root_only {
            require_raw_io()?;
        }
        (self.open)(flags)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A read-only file with fixed contents.
pub struct Bytes {
    /// The contents.
    pub bytes: &'static [u8],
    /// Attributes without the size.
    pub attr: Attr,
}

impl Inode for Bytes {
    fn attr(&self) -> Result<Attr> {
        Ok(Attr { size: self.bytes.len() as u64, ..self.attr })
    }

    fn open(self: Arc<Self>, _flags: OpenFlags) -> Result<Arc<dyn FileOps>> {
        Ok(Arc::new(OpenBytes(self)))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

struct OpenBytes(Arc<Bytes>);

impl FileOps for OpenBytes {
    fn seekable(&self) -> bool {
        true
    }

    fn read(&self, _file: &OpenFile, pos: u64, dst: &mut IoSink<'_>) -> Result<usize> {
        let from = usize::try_from(pos).unwrap_or(usize::MAX).min(self.0.bytes.len());
        dst.write(&self.0.bytes[from..])
    }

    fn attr(&self) -> Result<Attr> {
        self.0.attr()
    }

    fn inode(&self) -> Option<InodeRef> {
        Some(self.0.clone())
    }

    fn describe(&self) -> String {
        String::from("bytes")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
