//! What a mount or unmount at one place does to others (`mount_namespaces(7)`, "Shared subtrees"; Linux's `Documentation/filesystems/sharedsubtree.rst`).
//!
//! Mounts of one group are peers: what is mounted on one is mounted on all. A mount may have a group as its master: what is mounted there is mounted on it,
//! too, but not the other way.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};

use super::dentry::Dentry;
use super::mount::{self, Mount};
use super::path::Path;
use crate::error::*;

/// How a mount takes part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Propagation {
    /// Its group; 0: none.
    pub group: u64,
    /// The group from which it receives; 0: none.
    pub master: u64,
    /// It cannot be shown elsewhere (`MS_UNBINDABLE`).
    pub is_unbindable: bool,
}

/// What a mount is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    #[allow(missing_docs)]
    Shared,
    #[allow(missing_docs)]
    Private,
    #[allow(missing_docs)]
    Slave,
    #[allow(missing_docs)]
    Unbindable,
}

static NEXT_GROUP: AtomicU64 = AtomicU64::new(1);

fn new_group() -> u64 {
    NEXT_GROUP.fetch_add(1, Ordering::Relaxed)
}

/// The mounts for which something is true of their part.
fn those(is_it: impl Fn(&Propagation) -> bool) -> Vec<Arc<Mount>> {
    mount::all().into_iter().filter(|mount| is_it(&mount.propagation())).collect()
}

/// A mount leaves its group, and its master. If it was the last, those that received from the group receive from its master.
pub fn leave(mount: &Mount) {
    let old = mount.set_propagation(Propagation::default());
    hand_over(&old);
}

fn hand_over(old: &Propagation) {
    if old.group == 0 || !those(|it| it.group == old.group).is_empty() {
        return;
    }
    for slave in those(|it| it.master == old.group) {
        let own = slave.propagation();
        slave.set_propagation(Propagation { master: old.master, ..own });
    }
}

/// Makes a mount something else.
pub fn change(mount: &Mount, kind: Kind) {
    let old = mount.propagation();
    let has_peers = old.group != 0 && those(|it| it.group == old.group).len() > 1;
    let new = match kind {
        Kind::Shared => Propagation { group: if old.group == 0 { new_group() } else { old.group }, is_unbindable: false, ..old },
        Kind::Private => Propagation::default(),
        Kind::Unbindable => Propagation { is_unbindable: true, ..Propagation::default() },
        // Of a group that there is nobody else of nobody can be the slave.
        Kind::Slave if has_peers => Propagation { group: 0, master: old.group, is_unbindable: old.is_unbindable },
        Kind::Slave => Propagation { group: 0, ..old },
    };
    mount.set_propagation(new);
    if new.group != old.group {
        hand_over(&old);
    }
}

/// A mount that receives what is mounted on another, and what the parts of copies of the mounts of a tree there are.
struct Receiver {
    mount: Arc<Mount>,
    parts: Vec<Propagation>,
}

/// The mounts that receive what is mounted on one of a group, but for that one. `groups`: those of the mounts of the tree.
fn receivers(group: u64, except: &Mount, groups: &[u64]) -> Vec<Receiver> {
    let mut found = Vec::new();
    if group == 0 {
        return found;
    }
    for mount in those(|it| it.group == group) {
        if !core::ptr::eq(&*mount, except) {
            let parts = groups.iter().map(|group| Propagation { group: *group, ..Propagation::default() }).collect();
            found.push(Receiver { mount, parts });
        }
    }
    let mut left = alloc::vec![(group, groups.to_vec())];
    let mut seen = alloc::vec![group];
    while let Some((master, groups)) = left.pop() {
        for slave in those(|it| it.master == master) {
            let own = slave.propagation().group;
            if own == 0 {
                let parts = groups.iter().map(|group| Propagation { master: *group, ..Propagation::default() }).collect();
                found.push(Receiver { mount: slave, parts });
            } else if !seen.contains(&own) {
                // A group that receives: its copies are a group of their own, which receives from this one.
                seen.push(own);
                let new: Vec<u64> = groups.iter().map(|_| new_group()).collect();
                for mount in those(|it| it.group == own) {
                    let parts = new.iter().zip(&groups).map(|(group, master)| Propagation { group: *group, master: *master, is_unbindable: false }).collect();
                    found.push(Receiver { mount, parts });
                }
                left.push((own, new));
            }
        }
    }
    found
}

/// Whether a tree may be mounted on `at`: nothing that cannot be shown elsewhere may come where it would be.
///
/// # Errors
/// `EINVAL`.
pub fn check(tree: &Mount, at: &Path) -> Result {
    let is_shared = at.mount.propagation().group != 0;
    let has_unbindable = || core::iter::once(tree.propagation()).chain(mount::below(tree).iter().map(|it| it.propagation())).any(|it| it.is_unbindable);
    if is_shared && has_unbindable() { Err(EINVAL) } else { Ok(()) }
}

/// A tree has been mounted on `at`: it is mounted wherever that is seen. `is_new`: it was not there before, so that it does not receive itself.
pub fn mounted(top: &Arc<Mount>, at: &Path, is_new: bool) {
    let group = at.mount.propagation().group;
    if group == 0 {
        return;
    }
    let mut tree = alloc::vec![top.clone()];
    tree.extend(mount::below(top));
    let groups: Vec<u64> = tree
        .iter()
        .map(|mount| {
            let own = mount.propagation();
            if own.group != 0 {
                return own.group;
            }
            let group = new_group();
            mount.set_propagation(Propagation { group, ..own });
            group
        })
        .collect();
    for receiver in receivers(group, &at.mount, &groups) {
        let is_own = is_new && tree.iter().any(|mount| Arc::ptr_eq(mount, &receiver.mount));
        if !is_own && at.dentry.is_within(&receiver.mount.root) {
            mount::copy_tree(&tree, &receiver.parts, &Path { mount: receiver.mount, dentry: at.dentry.clone() });
        }
    }
}

/// The mounts on a place of the mounts that receive from one: what goes with a mount there.
pub fn copies_at(parent: &Mount, dentry: &Arc<Dentry>) -> Vec<Arc<Mount>> {
    let all = receivers(parent.propagation().group, parent, &[]);
    all.into_iter().filter_map(|it| mount::covering(&Path { mount: it.mount, dentry: dentry.clone() })).collect()
}
