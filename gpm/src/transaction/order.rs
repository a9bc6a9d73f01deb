//! Which filesystems keep changes of names in their order.
//!
//! Where a filesystem's journal is one log of all changes of names, the tree is after a power cut as it was at one moment, as far as names go:
//! what was renamed before something else is so too, where that is. RedoxFS is not among these: our kernel holds changes back, each for a
//! while, and only a sync tells that none is missing.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// `EXT4_SUPER_MAGIC`, which ext2 has too.
const EXT4: u64 = 0xef53;
/// `XFS_SUPER_MAGIC`.
const XFS: u64 = 0x5846_5342;
/// Where ext4's journals are listed, by device and inode.
const JOURNALS: &str = "/proc/fs/jbd2";

/// Whether the filesystem that `folder` is on is known to do so.
pub(super) fn keeps_order(folder: &Path) -> bool {
    let Ok(status) = rustix::fs::statfs(folder) else { return false };
    match u64::try_from(status.f_type) {
        Ok(XFS) => true,
        Ok(EXT4) => fs::metadata(folder).is_ok_and(|it| has_journal(it.dev())),
        _ => false,
    }
}

/// Whether an ext4 on this device has a journal: not each has one.
fn has_journal(device: u64) -> bool {
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    let link = fs::read_link(format!("/sys/dev/block/{major}:{minor}"));
    let Some(name) = link.ok().and_then(|it| it.file_name()?.to_str().map(|it| format!("{it}-"))) else { return false };
    fs::read_dir(JOURNALS).is_ok_and(|list| list.flatten().any(|it| it.file_name().to_str().is_some_and(|it| it.starts_with(&name))))
}
