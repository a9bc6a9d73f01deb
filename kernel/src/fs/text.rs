//! Programs that run are not written to, and files that are open for writing are not run (`ETXTBSY`).

use alloc::collections::BTreeMap;
use alloc::sync::Arc;

use super::inode::InodeRef;
use super::mount::Mount;
use super::path::Path;
use crate::error::*;
use crate::sync::SpinLock;

/// By inode: how many have it open for writing, or as a negative number how many run it.
static USES: SpinLock<BTreeMap<usize, isize>> = SpinLock::new(BTreeMap::new());

fn key(inode: &InodeRef) -> usize {
    Arc::as_ptr(inode) as *const () as usize
}

fn add(inode: &InodeRef, step: isize) -> Result {
    let mut uses = USES.lock();
    let count = uses.entry(key(inode)).or_insert(0);
    if *count * step < 0 {
        return Err(ETXTBSY);
    }
    *count += step;
    Ok(())
}

fn take(inode: &InodeRef, step: isize) {
    let mut uses = USES.lock();
    if let Some(count) = uses.get_mut(&key(inode)) {
        *count -= step;
        if *count == 0 {
            uses.remove(&key(inode));
        }
    }
}

/// Whether somebody has it open for writing.
pub fn is_written(inode: &InodeRef) -> bool {
    USES.lock().get(&key(inode)).is_some_and(|count| *count > 0)
}

/// A file is open for writing through a mount, which cannot be made read-only meanwhile. Keeps the inode, whose address is its name here.
pub struct Writing {
    inode: InodeRef,
    mount: Arc<Mount>,
}

impl Writing {
    /// Somebody begins to write to it.
    ///
    /// # Errors
    /// `ETXTBSY` while it runs; `EROFS` where the mount has become read-only just now.
    pub fn begin(place: &Path) -> Result<Self> {
        let inode = place.inode();
        add(inode, 1)?;
        // Counted first: who makes the mount read-only counts last.
        place.mount.count_writer(1);
        let writing = Self { inode: inode.clone(), mount: place.mount.clone() };
        place.mount.check_writable()?;
        Ok(writing)
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.mount.count_writer(-1);
        take(&self.inode, 1);
    }
}

/// A program runs.
pub struct Running(InodeRef);

impl Running {
    /// Somebody begins to run it.
    ///
    /// # Errors
    /// `ETXTBSY` while it is open for writing.
    pub fn begin(inode: &InodeRef) -> Result<Self> {
        add(inode, -1)?;
        Ok(Self(inode.clone()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        take(&self.0, -1);
    }
}
