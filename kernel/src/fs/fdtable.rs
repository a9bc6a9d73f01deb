//! File descriptors of a process.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::file::{FdFlags, OpenFile};
use crate::error::*;
use crate::sync::SpinLock;
use crate::task::{self, process::RLIMIT_NOFILE};

/// No table grows beyond this, whatever the limits say (`fs.nr_open`, `proc_sys_fs(5)`).
pub static NR_OPEN: AtomicUsize = AtomicUsize::new(1 << 20);

#[derive(Clone)]
struct Slot {
    file: Arc<OpenFile>,
    flags: FdFlags,
}

#[derive(Default)]
struct Inner {
    slots: Vec<Option<Slot>>,
    /// No descriptor below this is free.
    first_free: usize,
}

/// The descriptors of a process; threads share it (`clone(2)`, CLONE_FILES).
pub struct FileTable {
    inner: SpinLock<Inner>,
}

/// The current process's limit: descriptors must be below it.
fn limit() -> usize {
    task::with_current(|t| t.process.rlimit(RLIMIT_NOFILE).0).min(NR_OPEN.load(Ordering::Relaxed) as u64) as usize
}

impl Inner {
    fn slot(&self, fd: i32) -> Option<&Slot> {
        self.slots.get(usize::try_from(fd).ok()?)?.as_ref()
    }

    fn free_from(&self, min: usize) -> usize {
        let from = min.max(self.first_free);
        (from..self.slots.len()).find(|i| self.slots[*i].is_none()).unwrap_or(self.slots.len().max(from))
    }

    fn put(&mut self, fd: usize, slot: Slot) -> Option<Slot> {
        if fd >= self.slots.len() {
            self.slots.resize_with(fd + 1, || None);
        }
        self.slots[fd].replace(slot)
    }

    fn take(&mut self, fd: usize) -> Option<Slot> {
        let slot = self.slots.get_mut(fd)?.take();
        if slot.is_some() {
            self.first_free = self.first_free.min(fd);
        }
        slot
    }
}

impl FileTable {
    /// An empty table.
    pub fn new() -> Arc<Self> {
        Arc::new(Self { inner: SpinLock::new(Inner::default()) })
    }

    /// A copy with the same descriptions (`fork`).
    pub fn fork(&self) -> Arc<Self> {
        let inner = self.inner.lock();
        let copy = Inner { slots: inner.slots.clone(), first_free: inner.first_free };
        Arc::new(Self { inner: SpinLock::new(copy) })
    }

    /// The open file description behind a descriptor.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn get(&self, fd: i32) -> Result<Arc<OpenFile>> {
        self.inner.lock().slot(fd).map(|s| s.file.clone()).ok_or(EBADF)
    }

    /// As [`FileTable::get`], but not for `O_PATH` descriptors: for calls that need the file itself.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn get_real(&self, fd: i32) -> Result<Arc<OpenFile>> {
        let file = self.get(fd)?;
        if file.flags().contains(super::OpenFlags::PATH) { Err(EBADF) } else { Ok(file) }
    }

    /// The descriptor's own flags.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn flags(&self, fd: i32) -> Result<FdFlags> {
        self.inner.lock().slot(fd).map(|s| s.flags).ok_or(EBADF)
    }

    /// Sets the descriptor's own flags.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn set_flags(&self, fd: i32, flags: FdFlags) -> Result {
        let mut inner = self.inner.lock();
        let slot = usize::try_from(fd).ok().and_then(|fd| inner.slots.get_mut(fd)?.as_mut()).ok_or(EBADF)?;
        slot.flags = flags;
        Ok(())
    }

    /// Gives the lowest free descriptor to `file`.
    ///
    /// # Errors
    /// `EMFILE` at the current process's limit.
    pub fn insert(&self, file: Arc<OpenFile>, flags: FdFlags) -> Result<i32> {
        self.insert_from(file, flags, 0)
    }

    /// Gives the lowest free descriptor of at least `min` to `file`.
    ///
    /// # Errors
    /// `EMFILE` at the current process's limit; `EINVAL` where `min` is beyond it.
    pub fn insert_from(&self, file: Arc<OpenFile>, flags: FdFlags, min: usize) -> Result<i32> {
        let limit = limit();
        if min > 0 && min >= limit {
            return Err(EINVAL);
        }
        let mut inner = self.inner.lock();
        let fd = inner.free_from(min);
        if fd >= limit {
            drop(inner);
            return Err(EMFILE);
        }
        inner.put(fd, Slot { file, flags });
        if min <= inner.first_free {
            inner.first_free = fd + 1;
        }
        Ok(fd as i32)
    }

    /// Whether [`FileTable::insert`] would work now, to be asked before something that cannot be undone.
    ///
    /// # Errors
    /// `EMFILE`.
    pub fn check_room(&self) -> Result {
        if self.inner.lock().free_from(0) < limit() { Ok(()) } else { Err(EMFILE) }
    }

    /// Gives descriptor `fd` to `file`; what it referred to before is closed.
    ///
    /// # Errors
    /// `EBADF` beyond the current process's limit.
    pub fn replace(&self, fd: i32, file: Arc<OpenFile>, flags: FdFlags) -> Result {
        let fd = usize::try_from(fd).map_err(|_| EBADF)?;
        if fd >= limit() {
            return Err(EBADF);
        }
        let old = self.inner.lock().put(fd, Slot { file, flags });
        if let Some(old) = old {
            // Errors of the implicit close are lost, as dup2(2) says.
            let _ = self.closed(&old.file);
        }
        Ok(())
    }

    /// Frees a descriptor.
    ///
    /// # Errors
    /// `EBADF`; what the file says about closing (the descriptor is freed then, too).
    pub fn close(&self, fd: i32) -> Result {
        let slot = usize::try_from(fd).ok().and_then(|fd| self.inner.lock().take(fd)).ok_or(EBADF)?;
        self.closed(&slot.file)
    }

    fn closed(&self, file: &Arc<OpenFile>) -> Result {
        super::locks::descriptor_closed(self, file);
        file.ops.flush(file)
    }

    /// Closes the descriptors `first..=last`.
    pub fn close_range(&self, first: u32, last: u32) {
        for fd in self.used(first, last) {
            // Closed by someone else meanwhile is closed as well; errors have nobody to go to.
            let _ = self.close(fd);
        }
    }

    /// Marks the descriptors `first..=last` close-on-exec.
    pub fn cloexec_range(&self, first: u32, last: u32) {
        for fd in self.used(first, last) {
            let _ = self.set_flags(fd, FdFlags::CLOEXEC);
        }
    }

    fn used(&self, first: u32, last: u32) -> Vec<i32> {
        let inner = self.inner.lock();
        let end = inner.slots.len().min((last as usize).saturating_add(1));
        (first as usize..end).filter(|i| inner.slots[*i].is_some()).map(|i| i as i32).collect()
    }

    /// Closes what is marked close-on-exec.
    pub fn close_on_exec(&self) {
        let marked: Vec<i32> = {
            let inner = self.inner.lock();
            let marked = |s: &Option<Slot>| s.as_ref().is_some_and(|s| s.flags.contains(FdFlags::CLOEXEC));
            (0..inner.slots.len()).filter(|i| marked(&inner.slots[*i])).map(|i| i as i32).collect()
        };
        for fd in marked {
            let _ = self.close(fd);
        }
    }

    /// The descriptors in use, with their files and flags (`/proc/<pid>/fd`).
    pub fn list(&self) -> Vec<(i32, Arc<OpenFile>, FdFlags)> {
        let inner = self.inner.lock();
        inner.slots.iter().enumerate().filter_map(|(i, s)| s.as_ref().map(|s| (i as i32, s.file.clone(), s.flags))).collect()
    }

    /// Room for descriptors, as `FDSize` in `/proc/<pid>/status`.
    pub fn capacity(&self) -> usize {
        self.inner.lock().slots.len().next_power_of_two().max(64)
    }
}

impl Drop for FileTable {
    fn drop(&mut self) {
        let slots = core::mem::take(&mut self.inner.get_mut().slots);
        for slot in slots.into_iter().flatten() {
            let _ = self.closed(&slot.file);
        }
    }
}
