//! What `/proc` tells of mounts.

use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use super::mount::{self, MountFlags};
use super::path::Path;
use super::propagation::Propagation;

/// A line of `/proc/<pid>/mountinfo`.
pub struct MountInfo {
    #[allow(missing_docs)]
    pub id: u64,
    /// Id of the mount it is attached to; its own for the root.
    pub parent: u64,
    /// Device number of the filesystem.
    pub dev: u64,
    /// Which directory of the filesystem shows.
    pub root: Vec<u8>,
    /// Where, from the asking process's root.
    pub target: Vec<u8>,
    #[allow(missing_docs)]
    pub flags: MountFlags,
    #[allow(missing_docs)]
    pub fs_type: &'static str,
    #[allow(missing_docs)]
    pub source: Vec<u8>,
    /// Options of the filesystem itself.
    pub fs_options: Vec<u8>,
    #[allow(missing_docs)]
    pub fs_readonly: bool,
    /// How it takes part in what is mounted elsewhere.
    pub propagation: Propagation,
}

/// The mounts a process with root directory `root` can reach.
pub fn list(root: &Path) -> Vec<MountInfo> {
    let mut list = Vec::new();
    for mount in mount::all() {
        let here = Path::root_of(&mount);
        let (target, reached) = here.name_from(root);
        if !reached {
            continue;
        }
        let mut inside = Vec::new();
        let mut at = mount.root.clone();
        let mut names = Vec::new();
        while let (Some(parent), name) = at.location() {
            names.push(name);
            at = parent;
        }
        for name in names.iter().rev() {
            inside.push(b'/');
            inside.extend_from_slice(name);
        }
        if inside.is_empty() {
            inside.push(b'/');
        }
        list.push(MountInfo {
            id: mount.id,
            parent: mount.mountpoint().map_or(mount.id, |p| p.mount.id),
            dev: mount.root.inode().attr().map_or(0, |a| a.dev),
            root: inside,
            target,
            flags: mount.flags(),
            fs_type: mount.sb.fs_type,
            source: mount.source.clone(),
            fs_options: mount.sb.options.lock().clone(),
            fs_readonly: mount.sb.readonly.load(Ordering::Relaxed),
            propagation: mount.propagation(),
        });
    }
    list
}
