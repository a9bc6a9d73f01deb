//! The entries of a tmpfs directory.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::inode::TmpInode;
use crate::error::*;
use crate::fs::{FileType, Inode, RenameFlags};
use crate::sync::SpinLock;

/// Entries handed out under one lock when listing.
const BATCH: usize = 32;

/// Entries by name, and by number of creation (the listing's cookie).
#[derive(Default)]
pub(super) struct Dir {
    entries: BTreeMap<Box<[u8]>, (u64, Arc<TmpInode>)>,
    order: BTreeMap<u64, Box<[u8]>>,
    last: u64,
    /// Removed: takes no new entries.
    closed: bool,
}

impl Dir {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn get(&self, name: &[u8]) -> Option<Arc<TmpInode>> {
        self.entries.get(name).map(|e| e.1.clone())
    }

    pub(super) fn insert(&mut self, name: &[u8], child: Arc<TmpInode>) -> Result {
        if self.closed {
            return Err(ENOENT);
        }
        if self.entries.contains_key(name) {
            return Err(EEXIST);
        }
        self.last += 1;
        self.order.insert(self.last, name.into());
        self.entries.insert(name.into(), (self.last, child));
        Ok(())
    }

    pub(super) fn remove(&mut self, name: &[u8]) -> Result<Arc<TmpInode>> {
        let (cookie, child) = self.entries.remove(name).ok_or(ENOENT)?;
        self.order.remove(&cookie);
        Ok(child)
    }

    /// Puts another child under a name that is there, as the newest entry.
    fn exchange(&mut self, name: &[u8], child: Arc<TmpInode>) -> Result {
        drop(self.remove(name)?);
        self.insert(name, child)
    }

    pub(super) fn close_if_empty(&mut self) -> Result {
        if !self.entries.is_empty() {
            return Err(ENOTEMPTY);
        }
        self.closed = true;
        Ok(())
    }

    pub(super) fn take_all(&mut self) -> Vec<Arc<TmpInode>> {
        self.order.clear();
        core::mem::take(&mut self.entries).into_values().map(|e| e.1).collect()
    }

    /// The next entries, newest first: (cookie, name, child). `pos` is the last cookie given, 0 at the start.
    pub(super) fn batch(&self, pos: u64) -> Vec<(u64, Box<[u8]>, Arc<TmpInode>)> {
        let before = if pos == 0 { u64::MAX } else { pos };
        let newer_first = self.order.range(..before).rev().take(BATCH);
        newer_first.filter_map(|(cookie, name)| Some((*cookie, name.clone(), self.get(name)?))).collect()
    }
}

/// Runs `f` with both directories locked; `None` for the second where they are the same.
fn with_both<R>(a: &SpinLock<Dir>, b: &SpinLock<Dir>, f: impl FnOnce(&mut Dir, Option<&mut Dir>) -> R) -> R {
    let (at_a, at_b) = (core::ptr::from_ref(a) as usize, core::ptr::from_ref(b) as usize);
    if at_a == at_b {
        return f(&mut a.lock(), None);
    }
    // By address, so that two renames in opposite directions cannot block each other.
    if at_a < at_b {
        let mut first = a.lock();
        let mut second = b.lock();
        f(&mut first, Some(&mut second))
    } else {
        let mut second = b.lock();
        let mut first = a.lock();
        f(&mut first, Some(&mut second))
    }
}

/// `rename(2)` within a filesystem. Ancestry was checked by the caller.
pub(super) fn rename(old_dir: &TmpInode, old: &[u8], new_dir: &TmpInode, new: &[u8], flags: RenameFlags) -> Result {
    let now = crate::fs::now_ns();
    let (moved, replaced) = with_both(old_dir.dir()?, new_dir.dir()?, |from, mut to| {
        let moved = from.get(old).ok_or(ENOENT)?;
        let there = to.as_ref().map_or_else(|| from.get(new), |to| to.get(new));
        if flags.contains(RenameFlags::EXCHANGE) {
            let other = there.ok_or(ENOENT)?;
            from.exchange(old, other.clone())?;
            to.unwrap_or(from).exchange(new, moved.clone())?;
            return Ok((moved, Some(other)));
        }
        if let Some(other) = &there {
            if flags.contains(RenameFlags::NOREPLACE) {
                return Err(EEXIST);
            }
            if Arc::ptr_eq(other, &moved) {
                return Ok((moved, None));
            }
            match (moved.file_type() == FileType::Directory, other.dir()) {
                (true, Err(_)) => return Err(ENOTDIR),
                (false, Ok(_)) => return Err(EISDIR),
                (true, Ok(dir)) => dir.lock().close_if_empty()?,
                (false, Err(_)) => {}
            }
            to.as_deref_mut().unwrap_or(&mut *from).remove(new)?;
        } else if to.as_ref().map_or(from.closed, |to| to.closed) {
            return Err(ENOENT);
        }
        from.remove(old)?;
        to.unwrap_or(from).insert(new, moved.clone())?;
        Ok((moved, there))
    })?;

    let is_dir = |inode: &TmpInode| inode.file_type() == FileType::Directory;
    let same_dir = core::ptr::eq(old_dir, new_dir);
    if flags.contains(RenameFlags::EXCHANGE) {
        if let Some(other) = &replaced {
            let change = i32::from(is_dir(&moved)) - i32::from(is_dir(other));
            if !same_dir && change != 0 {
                old_dir.add_links(-change, now);
                new_dir.add_links(change, now);
            }
            other.meta.lock().ctime_ns = now;
        }
    } else {
        if let Some(other) = &replaced {
            if is_dir(other) {
                other.meta.lock().nlink = 0;
                new_dir.add_links(-1, now);
            } else {
                other.add_links(-1, now);
            }
        }
        if is_dir(&moved) && !same_dir {
            old_dir.add_links(-1, now);
            new_dir.add_links(1, now);
        }
    }
    moved.meta.lock().ctime_ns = now;
    old_dir.touch(now);
    new_dir.touch(now);
    Ok(())
}
