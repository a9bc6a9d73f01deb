//! What happens to files, for those who asked (`inotify(7)`): watches by inode, and the places that report events.
//!
//! Reports cost one atomic load while nobody watches anything. A watch keeps the inode, so that its number names nothing else meanwhile.

use alloc::collections::BTreeMap;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use super::dentry::Dentry;
use super::file::OpenFile;
use super::inode::InodeRef;
use super::stat::FileType;
use crate::sync::SpinLock;

/// Events of `inotify(7)`.
pub const ACCESS: u32 = 1;
#[allow(missing_docs)]
pub const MODIFY: u32 = 2;
#[allow(missing_docs)]
pub const ATTRIB: u32 = 4;
#[allow(missing_docs)]
pub const CLOSE_WRITE: u32 = 8;
#[allow(missing_docs)]
pub const CLOSE_NOWRITE: u32 = 0x10;
#[allow(missing_docs)]
pub const OPEN: u32 = 0x20;
#[allow(missing_docs)]
pub const MOVED_FROM: u32 = 0x40;
#[allow(missing_docs)]
pub const MOVED_TO: u32 = 0x80;
/// With `MOVED_FROM`: to another name in the same directory. `inotify(7)` does not show it.
pub const RENAMED_WITHIN: u32 = 0x1000_0000;
#[allow(missing_docs)]
pub const CREATE: u32 = 0x100;
#[allow(missing_docs)]
pub const DELETE: u32 = 0x200;
#[allow(missing_docs)]
pub const DELETE_SELF: u32 = 0x400;
#[allow(missing_docs)]
pub const MOVE_SELF: u32 = 0x800;
/// The subject is a directory.
pub const ISDIR: u32 = 0x4000_0000;

/// Names a file as long as something holds its inode: device and inode number.
pub type FileKey = (u64, u64);

/// Who is told.
pub trait Listener: Send + Sync {
    /// Something happened to a watched file, or under `name` in a watched directory. `unlinked`: that name is gone already. Must not wait.
    fn event(&self, key: FileKey, mask: u32, cookie: u32, name: &[u8], unlinked: bool);
}

static WATCHED: AtomicUsize = AtomicUsize::new(0);
static LISTENERS: SpinLock<BTreeMap<FileKey, Vec<Weak<dyn Listener>>>> = SpinLock::new(BTreeMap::new());
static COOKIE: AtomicU32 = AtomicU32::new(0);

/// What names an inode, for whoever begins to watch it.
///
/// # Errors
/// The filesystem's.
pub fn key_of(inode: &InodeRef) -> crate::error::Result<FileKey> {
    inode.attr().map(|a| (a.dev, a.ino))
}

/// The same for a report. A report asks no daemon: it may be about a file by which the daemon itself works, which would wait for its own answer.
fn known_key(inode: &InodeRef) -> Option<FileKey> {
    inode.known_attr().map(|a| (a.dev, a.ino))
}

/// Starts telling `listener` of a file.
pub fn add(key: FileKey, listener: &Arc<dyn Listener>) {
    let mut listeners = LISTENERS.lock();
    listeners.entry(key).or_default().push(Arc::downgrade(listener));
    WATCHED.store(listeners.len(), Ordering::SeqCst);
}

/// Ends it. Those that are gone are forgotten, too.
pub fn remove(key: FileKey, listener: *const ()) {
    let mut listeners = LISTENERS.lock();
    if let Some(of) = listeners.get_mut(&key) {
        of.retain(|l| l.strong_count() > 0 && !core::ptr::addr_eq(l.as_ptr(), listener));
        if of.is_empty() {
            listeners.remove(&key);
        }
    }
    WATCHED.store(listeners.len(), Ordering::SeqCst);
}

/// Whether a report can matter.
pub fn active() -> bool {
    WATCHED.load(Ordering::Relaxed) != 0
}

fn send(key: FileKey, mask: u32, cookie: u32, name: &[u8], unlinked: bool) {
    let to: Vec<Arc<dyn Listener>> = match LISTENERS.lock().get(&key) {
        Some(of) => of.iter().filter_map(Weak::upgrade).collect(),
        None => return,
    };
    for listener in to {
        listener.event(key, mask, cookie, name, unlinked);
    }
}

fn directory(kind: FileType) -> u32 {
    if kind == FileType::Directory { ISDIR } else { 0 }
}

/// Something happened to the entry's file: whoever watches its directory is told with its name, then whoever watches the file.
pub fn dentry(entry: &Arc<Dentry>, mask: u32) {
    if !active() {
        return;
    }
    let mask = mask | directory(entry.kind());
    let (parent, name) = entry.location();
    if let Some(key) = parent.and_then(|p| known_key(p.inode())) {
        send(key, mask, 0, &name, entry.is_gone());
    }
    if let Some(key) = known_key(entry.inode()) {
        send(key, mask, 0, b"", false);
    }
}

/// As [`dentry()`], of an open file.
pub fn file(file: &OpenFile, mask: u32) {
    crate::ipc::fanotify::file(file, mask.into());
    if !active() || file.is_quiet() {
        return;
    }
    if let Some(path) = &file.path {
        dentry(&path.dentry, mask);
    }
}

/// Something happened to the file itself, not to a name of it.
pub fn inode(inode: &InodeRef, mask: u32) {
    if !active() {
        return;
    }
    if let Some(key) = known_key(inode) {
        send(key, mask, 0, b"", false);
    }
}

/// A name came or went in a directory.
pub fn entry(dir: &Arc<Dentry>, name: &[u8], kind: FileType, mask: u32) {
    if !active() {
        return;
    }
    if let Some(key) = known_key(dir.inode()) {
        send(key, mask | directory(kind), 0, name, false);
    }
}

/// An entry moved; the two events have the same cookie.
pub fn moved(from: (&Arc<Dentry>, &[u8]), to: (&Arc<Dentry>, &[u8]), what: &Arc<Dentry>) {
    if !active() {
        return;
    }
    let kind = directory(what.kind());
    let cookie = COOKIE.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
    let within = if Arc::ptr_eq(from.0, to.0) { RENAMED_WITHIN } else { 0 };
    if let Some(key) = known_key(from.0.inode()) {
        send(key, MOVED_FROM | within | kind, cookie, from.1, false);
    }
    if let Some(key) = known_key(to.0.inode()) {
        send(key, MOVED_TO | kind, cookie, to.1, false);
    }
    if let Some(key) = known_key(what.inode()) {
        // Here Linux does not tell whether it is a directory.
        send(key, MOVE_SELF, 0, b"", false);
    }
}

/// The last user of an entry whose name was removed is gone: if it was the file's last name, so is the file.
pub fn gone(entry: &Dentry) {
    if !active() {
        return;
    }
    let Some(attr) = entry.inode().known_attr() else { return };
    if attr.nlink == 0 || entry.is_dir() {
        send((attr.dev, attr.ino), DELETE_SELF, 0, b"", false);
    }
}
