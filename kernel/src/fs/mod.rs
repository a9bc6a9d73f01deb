//! Files: open file descriptions, descriptors, inodes, path lookup, mounts.
//!
//! * What a filesystem implements: [`Inode`], [`FileOps`]; with a [`PageCache`] also [`generic::CachedInode`].
//! * The tree: [`Dentry`] (names), `dcache` (their cache), [`Mount`] and [`Path`]; [`Caller`] walks it and changes it with a process's permissions.
//! * A process's side: [`FileTable`], [`FsContext`], `locks`.
//! * Filesystems: `tmpfs`, `initfs`, `devfs`. Others register with [`mount::register_type`].

pub mod at;
pub mod device;
pub mod devfs;
pub mod dnotify;
pub mod generic;
pub mod handle;
pub mod landlock;
pub mod lease;
pub mod lookup;
pub mod locks;
pub mod mount;
pub mod mount_list;
pub mod notify;
pub mod pagecache;
pub mod sigio;
pub mod tmpfs;

mod context;
mod dcache;
mod dentry;
mod fdtable;
mod file;
mod initfs;
pub mod inode;
mod io;
mod memdev;
mod open;
mod ops;
mod path;
pub mod propagation;
mod ports;
mod stat;
pub mod text;

pub use at::AT_FDCWD;
pub use context::FsContext;
pub use dentry::Dentry;
pub use device::{major, makedev, minor};
pub use fdtable::{FileTable, NR_OPEN};
pub use file::{Events, FdFlags, FileOps, OpenFile, OpenFlags};
pub use inode::{DirSink, Inode, InodeRef, RenameFlags, SetAttr};
pub use io::{IoSink, IoSource};
pub use lookup::{Caller, LookupFlags};
pub use mount::{MountFlags, SuperBlock, root};
pub use ops::NewTime;
pub use pagecache::flusher;
pub use path::Path;
pub use stat::{Attr, FileType, StatFs};

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU32, Ordering};

use crate::error::Result;
use crate::task::{Credentials, Process};

/// The time of day, as stored in inodes.
pub fn now_ns() -> i64 {
    crate::time::realtime_ns() as i64
}

/// A device number for a filesystem that is on no device.
pub fn anonymous_dev() -> u64 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    makedev(0, NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The place an absolute or relative path means to a process; links are followed.
///
/// # Errors
/// Those of `path_resolution(7)`.
pub fn resolve(process: &Process, path: &[u8]) -> Result<Path> {
    Caller::of(process).resolve(None, path, LookupFlags::FOLLOW)
}

/// Frees memory of the page cache and the name cache; returns how many pages it freed.
pub fn reclaim(pages: usize) -> usize {
    let freed = pagecache::reclaim(pages);
    if freed < pages {
        // Entries keep inodes and their pages: what goes with them counts, too.
        let before = frame::mm::stats().free;
        dcache::shrink(256);
        return freed + frame::mm::stats().free.saturating_sub(before);
    }
    freed
}

/// Mounts the first root (the initfs) with `/dev`, and registers the filesystem types and devices of this module.
pub fn init(boot: &'static frame::BootInfo) {
    dcache::set_memory(boot.memory_kib);
    frame::mm::set_reclaim_hook(pagecache::reclaim);
    memdev::init();
    devfs::init();
    mount::register_type("tmpfs", true, tmpfs::mount);
    mount::register_type("ramfs", true, tmpfs::mount);
    mount::register_type("devtmpfs", true, devfs::mount);
    let root = match initfs::build(boot.initfs) {
        Ok(sb) => mount::set_first_root(sb, b"initfs", MountFlags::RDONLY),
        Err(error) => panic!("no memory for the initfs: {error:?}"),
    };
    mount_first(&root, b"devtmpfs", b"/dev");
}

/// Mounts a filesystem without source on a directory of the first root.
pub fn mount_first(root: &Path, fs_type: &[u8], at: &[u8]) {
    let kernel = Caller { creds: Arc::default(), fs: FsContext::detached() };
    let mounted = kernel
        .resolve(Some(root), at, LookupFlags::FOLLOW)
        .and_then(|at| mount::mount_fs(mount::make_fs(fs_type, fs_type, b"", &Credentials::default())?, &at, fs_type, MountFlags::empty()));
    if let Err(error) = mounted {
        crate::log::error!("cannot mount {}: {error:?}", alloc::string::String::from_utf8_lossy(fs_type));
    }
}

/// Gives a process its first three descriptors: `/dev/console`, or `/dev/null` where there is none.
pub fn open_console(process: &Process) {
    let caller = Caller::of(process);
    let open = |path: &[u8]| caller.open(None, path, OpenFlags::RDWR, 0, LookupFlags::empty());
    match open(b"/dev/console").or_else(|_| open(b"/dev/null")) {
        Ok(file) => {
            for _ in 0..3 {
                // A fresh table has room.
                let _ = process.files().insert(file.clone(), FdFlags::empty());
            }
        }
        Err(error) => crate::log::warning!("the first process has no console: {error:?}"),
    }
}
