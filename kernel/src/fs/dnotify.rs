//! Signals about directories (`fcntl(2)`, F_NOTIFY): the older sibling of `inotify(7)`, with which it shares the reports.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU32, Ordering};

use super::notify::{self, FileKey, Listener};
use super::sigio::Settings;
use super::{InodeRef, OpenFile};
use crate::error::*;
use crate::fs::FileType;
use crate::sync::SpinLock;

/// `DN_MULTISHOT`: more than one signal.
const MULTISHOT: u32 = 0x8000_0000;
/// `DN_*` and what `notify` calls it.
const EVENTS: [(u32, u32); 6] = [
    (0x1, notify::ACCESS),
    (0x2, notify::MODIFY),
    (0x4, notify::CREATE | notify::MOVED_TO),
    (0x8, notify::DELETE | notify::MOVED_FROM),
    (0x10, notify::RENAMED_WITHIN),
    (0x20, notify::ATTRIB),
];

/// What an open directory tells by signals.
pub struct DirectoryWatch {
    key: FileKey,
    /// Keeps the number from being used for another file.
    _inode: InodeRef,
    /// `DN_*`; 0: nothing more.
    wanted: AtomicU32,
    settings: SpinLock<Settings>,
}

impl DirectoryWatch {
    /// Watches what is open at `file` for the events `wanted`.
    ///
    /// # Errors
    /// `ENOTDIR`; the filesystem's.
    pub fn new(file: &OpenFile, wanted: u32, settings: Settings) -> Result<Arc<Self>> {
        let inode = file.ops.inode().ok_or(ENOTDIR)?;
        if file.ops.attr()?.file_type() != FileType::Directory {
            return Err(ENOTDIR);
        }
        let key = notify::key_of(&inode)?;
        let watch = Arc::new(Self { key, _inode: inode, wanted: AtomicU32::new(wanted), settings: SpinLock::new(settings) });
        let listener: Arc<dyn Listener> = watch.clone();
        notify::add(key, &listener);
        Ok(watch)
    }

    /// Watches for these, too.
    pub fn add(&self, wanted: u32) {
        self.wanted.fetch_or(wanted, Ordering::SeqCst);
    }

    /// Whom to tell, and how.
    pub fn set(&self, settings: Settings) {
        *self.settings.lock() = settings;
    }
}

impl Drop for DirectoryWatch {
    fn drop(&mut self) {
        notify::remove(self.key, core::ptr::from_ref(self).cast());
    }
}

impl Listener for DirectoryWatch {
    fn event(&self, _key: FileKey, mask: u32, _cookie: u32, _name: &[u8], _unlinked: bool) {
        let wanted = self.wanted.load(Ordering::SeqCst);
        if !EVENTS.iter().any(|(own, theirs)| wanted & own != 0 && mask & theirs != 0) {
            return;
        }
        // Of several events at a time the first takes the one shot.
        if wanted & MULTISHOT == 0 && self.wanted.swap(0, Ordering::SeqCst) == 0 {
            return;
        }
        let settings = *self.settings.lock();
        settings.tell();
    }
}
