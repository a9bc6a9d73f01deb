//! Directory entries: the names of inodes in the tree of a filesystem, as far as someone uses or the name cache remembers them.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use super::inode::InodeRef;
use super::stat::FileType;
use crate::sync::{Mutex, MutexGuard, Once, SpinLock};

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

struct Link {
    parent: Option<Arc<Dentry>>,
    name: Box<[u8]>,
}

/// A name in a directory and the inode it means. While anyone holds one of a cacheable directory, there is no second for the same name.
pub struct Dentry {
    id: u64,
    inode: InodeRef,
    kind: FileType,
    cacheable: bool,
    link: SpinLock<Link>,
    /// Mounts on this entry.
    mounted: AtomicU32,
    /// Entries in this directory with mounts on them: kept in the name cache even where the filesystem is not cacheable.
    mounted_children: AtomicU32,
    /// Counts the beginnings and ends of changes of this directory's entries.
    changes: AtomicU64,
    /// Held while this directory's entries are changed.
    names: Once<Mutex<()>>,
    gone: AtomicBool,
}

/// Directories whose entries nobody else changes now.
pub struct NamesGuard<'a> {
    _held: [Option<MutexGuard<'a, ()>>; 3],
}

/// Takes the names of up to three directories: those of a filesystem whose names are cached are then changed by one at a time, so that what the
/// name cache says of them stays true, and a change can be promised before the filesystem's daemon has heard of it.
pub fn lock_names<'a>(mut dirs: [Option<&'a Dentry>; 3]) -> NamesGuard<'a> {
    dirs.sort_by_key(|dir| dir.map(|dir| dir.id));
    let mut last = None;
    let held = dirs.map(|dir| {
        let dir = dir.filter(|dir| dir.cacheable && last != Some(dir.id))?;
        last = Some(dir.id);
        Some(dir.names.get_or_init(|| Mutex::new(())).lock())
    });
    NamesGuard { _held: held }
}

impl Dentry {
    /// The root of a filesystem.
    pub fn root(inode: InodeRef) -> Arc<Self> {
        Self::build(inode, None, b"/")
    }

    /// The entry `name` of `parent`.
    pub fn child(parent: &Arc<Dentry>, name: &[u8], inode: InodeRef) -> Arc<Self> {
        Self::build(inode, Some(parent.clone()), name)
    }

    fn build(inode: InodeRef, parent: Option<Arc<Dentry>>, name: &[u8]) -> Arc<Self> {
        let kind = inode.file_type();
        let cacheable = kind == FileType::Directory && inode.cacheable();
        Arc::new(Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            inode,
            kind,
            cacheable,
            link: SpinLock::new(Link { parent, name: name.into() }),
            mounted: AtomicU32::new(0),
            mounted_children: AtomicU32::new(0),
            changes: AtomicU64::new(0),
            names: Once::new(),
            gone: AtomicBool::new(false),
        })
    }

    /// Unique among all entries since boot.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// What the name means.
    pub fn inode(&self) -> &InodeRef {
        &self.inode
    }

    /// The inode's type, which never changes.
    pub fn kind(&self) -> FileType {
        self.kind
    }

    /// Whether it is a directory.
    pub fn is_dir(&self) -> bool {
        self.kind == FileType::Directory
    }

    /// Whether the name cache may remember what this directory holds.
    pub fn caches_children(&self) -> bool {
        self.cacheable
    }

    /// The directory it is in; `None` for the root of a filesystem.
    pub fn parent(&self) -> Option<Arc<Dentry>> {
        self.link.lock().parent.clone()
    }

    /// Parent and name.
    pub fn location(&self) -> (Option<Arc<Dentry>>, Box<[u8]>) {
        let link = self.link.lock();
        (link.parent.clone(), link.name.clone())
    }

    /// Gives it another place (rename).
    pub(super) fn set_location(&self, parent: &Arc<Dentry>, name: &[u8]) {
        let name = Box::from(name);
        let old = {
            let mut link = self.link.lock();
            (link.parent.replace(parent.clone()), core::mem::replace(&mut link.name, name))
        };
        drop(old);
    }

    /// Whether the name was removed.
    pub fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    pub(super) fn set_gone(&self) {
        self.gone.store(true, Ordering::Release);
    }

    /// Whether something is mounted on it.
    pub fn is_mountpoint(&self) -> bool {
        self.mounted.load(Ordering::Acquire) > 0
    }

    pub(super) fn add_mount(&self) {
        if self.mounted.fetch_add(1, Ordering::AcqRel) == 0 {
            if let Some(parent) = self.parent() {
                parent.mounted_children.fetch_add(1, Ordering::AcqRel);
            }
        }
    }

    pub(super) fn remove_mount(&self) {
        if self.mounted.fetch_sub(1, Ordering::AcqRel) == 1 {
            if let Some(parent) = self.parent() {
                parent.mounted_children.fetch_sub(1, Ordering::AcqRel);
            }
        }
    }

    /// Whether some child of it is a mount point.
    pub(super) fn has_mounted_children(&self) -> bool {
        self.mounted_children.load(Ordering::Acquire) > 0
    }

    /// The state of changes: a lookup's answer may be remembered only if this is the same before the question and at the insertion.
    pub(super) fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    /// Counts the beginning or end of a change; returns the new value.
    pub(super) fn count_change(&self) -> u64 {
        self.changes.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Whether `other` is this entry or above it.
    pub fn is_within(self: &Arc<Self>, other: &Arc<Dentry>) -> bool {
        let mut at = self.clone();
        loop {
            if Arc::ptr_eq(&at, other) {
                return true;
            }
            match at.parent() {
                Some(parent) => at = parent,
                None => return false,
            }
        }
    }
}

impl Drop for Dentry {
    /// Lets go of the parents one by one: a deep tree must not become a deep recursion.
    fn drop(&mut self) {
        if self.is_gone() {
            super::notify::gone(self);
        }
        let mut parent = self.link.get_mut().parent.take();
        while let Some(entry) = parent {
            parent = Arc::into_inner(entry).and_then(|mut dentry| dentry.link.get_mut().parent.take());
        }
    }
}
