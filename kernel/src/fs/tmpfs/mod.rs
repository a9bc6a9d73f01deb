//! A filesystem in memory: `tmpfs(5)`, and the base of `devtmpfs`, the initfs and `memfd_create(2)`.
//!
//! File data are page caches without backend. Directories keep their entries in order of creation and list the newest first, as Linux does.

mod dir;
mod inode;
mod options;

pub use inode::TmpInode;

use alloc::collections::BTreeMap;
use alloc::sync::{Arc, Weak};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::inode::InodeRef;
use super::mount::SuperBlock;
use super::pagecache::{PageCache, Quota};
use super::stat::{FileType, StatFs};
use crate::error::*;
use crate::sync::{Once, SpinLock};
use crate::task::Credentials;

const TMPFS_MAGIC: u64 = 0x0102_1994;
const RAMFS_MAGIC: u64 = 0x8584_58f6;
/// `F_SEAL_SEAL`: no seals can be added. What files other than memfds have.
const SEAL_SEAL: u32 = 1;

/// One such filesystem.
pub struct TmpFs {
    dev: u64,
    quota: Arc<Quota>,
    max_inodes: u64,
    inodes: AtomicU64,
    next_ino: AtomicU64,
    readonly: AtomicBool,
    /// Inodes of which programs have handles, by number.
    handles: SpinLock<BTreeMap<u64, Weak<TmpInode>>>,
    /// Entries appear by themselves (devtmpfs): the name cache must not remember what is missing.
    dynamic: bool,
    /// Whether attributes of xattr calls are refused (initfs).
    magic: u64,
}

impl TmpFs {
    /// A filesystem of type `name` for at most `pages` pages and `max_inodes` inodes.
    pub fn new(name: &'static str, pages: u64, max_inodes: u64, dynamic: bool) -> Arc<Self> {
        Arc::new(Self {
            dev: super::anonymous_dev(),
            quota: Quota::new(pages),
            max_inodes,
            inodes: AtomicU64::new(0),
            next_ino: AtomicU64::new(1),
            readonly: AtomicBool::new(false),
            handles: SpinLock::new(BTreeMap::new()),
            dynamic,
            magic: if name == "initfs" { RAMFS_MAGIC } else { TMPFS_MAGIC },
        })
    }

    /// Refuses changes from now on.
    pub fn freeze(&self) {
        self.readonly.store(true, Ordering::Release);
    }

    fn check_writable(&self) -> Result {
        if self.readonly.load(Ordering::Acquire) { Err(EROFS) } else { Ok(()) }
    }

    /// A directory that becomes the root.
    ///
    /// # Errors
    /// `ENOSPC` without room for one inode.
    pub fn make_root(self: &Arc<Self>, mode: u32, uid: u32, gid: u32) -> Result<Arc<TmpInode>> {
        TmpInode::make(self, FileType::Directory as u32 | mode & 0o7777, uid, gid, 0, None)
    }

    fn stats(&self) -> StatFs {
        let limit = self.quota.limit();
        let free = limit.saturating_sub(self.quota.used());
        StatFs {
            magic: self.magic,
            block_size: 4096,
            blocks: limit,
            blocks_free: free,
            blocks_available: free,
            files: self.max_inodes,
            files_free: self.max_inodes.saturating_sub(self.inodes.load(Ordering::Relaxed)),
            name_max: 255,
            flags: 0,
        }
    }
}

/// Makes a filesystem for `mount(2)`.
///
/// # Errors
/// `EINVAL` for bad options.
pub fn mount(_source: &[u8], data: &[u8], who: &Credentials) -> Result<Arc<SuperBlock>> {
    let options = options::Options::parse(data, who)?;
    let fs = TmpFs::new("tmpfs", options.pages, options.inodes, false);
    let root = fs.make_root(options.mode, options.uid, options.gid)?;
    Ok(SuperBlock::new("tmpfs", root, options.shown()))
}

/// An anonymous file in memory (`memfd_create(2)`); `sealable`: without F_SEAL_SEAL.
///
/// # Errors
/// `ENOSPC`, `ENOMEM`.
pub fn memfd(name: &[u8], sealable: bool, who: &Credentials) -> Result<Arc<TmpInode>> {
    static FS: Once<Arc<TmpFs>> = Once::new();
    let fs = FS.get_or_init(|| TmpFs::new("tmpfs", u64::MAX >> 13, u64::MAX, false));
    let inode = TmpInode::make(fs, FileType::Regular as u32 | 0o777, who.fsuid, who.fsgid, 0, None)?;
    inode.set_unlinked(name, if sealable { 0 } else { SEAL_SEAL });
    Ok(inode)
}

fn new_cache(fs: &TmpFs) -> Arc<PageCache> {
    PageCache::in_memory(Some(fs.quota.clone()))
}

/// The same filesystem's inode behind a reference, as a rename or link needs it.
fn own<'i>(fs: &Arc<TmpFs>, inode: &'i InodeRef) -> Result<&'i TmpInode> {
    inode.as_any().downcast_ref::<TmpInode>().filter(|i| Arc::ptr_eq(i.fs(), fs)).ok_or(EXDEV)
}

