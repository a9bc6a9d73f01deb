//! Page faults.
//!
//! `SOFT_A` in a page-table entry marks a page that is private to the process (made by a copy or as zero-filled memory), so that its
//! reference count alone tells whether it must be copied before a write.

use alloc::sync::Arc;
use alloc::vec::Vec;

use frame::mm::Frame;
use frame::paging::{MapError, MapTarget, PteFlags};

use super::area::{Area, Backing, Prot};
use super::object::ObjectPage;
use super::space::AddressSpace;
use super::{PAGE, oom, page_down};
use crate::error::*;

/// Pages mapped around a fault on an object whose neighbours are in memory.
const FAULT_AROUND: usize = 16;
/// Below a growing stack, so much stays unmapped.
const STACK_GAP: usize = 256 * PAGE;

/// Why a fault cannot be resolved: the signal the program gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultError {
    /// SIGSEGV, SEGV_MAPERR: nothing is mapped there.
    NotMapped,
    /// SIGSEGV, SEGV_ACCERR: the mapping does not allow it.
    Protected,
    /// SIGBUS, BUS_ADRERR: beyond the end of the object, or it cannot be read.
    Bus,
    /// No memory even after reclaim; the process was chosen to be killed, or should retry.
    OutOfMemory,
}

/// Whether what the areas allow matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// It does.
    Checked,
    /// A tracer reads anything, and writes to its own copy of what is private.
    Overridden,
}

enum Step {
    Done,
    /// Sleep for the object's page and look again.
    Load { object: Arc<dyn super::MemoryObject>, index: u64, area: Area, version: u64 },
}

impl AddressSpace {
    /// Makes `addr` accessible, if the areas allow it.
    ///
    /// # Errors
    /// [`FaultError`] says which signal it becomes.
    pub fn fault(self: &Arc<Self>, addr: usize, write: bool, exec: bool) -> core::result::Result<(), FaultError> {
        self.fault_with(addr, write, exec, Rights::Checked)
    }

    pub(super) fn fault_with(self: &Arc<Self>, addr: usize, write: bool, exec: bool, rights: Rights) -> core::result::Result<(), FaultError> {
        let page = page_down(addr);
        for _attempt in 0..1000 {
            let outcome = match self.fault_step(addr, page, write, exec, rights) {
                Ok(Step::Done) => return Ok(()),
                Ok(Step::Load { object, index, area, version }) => match object.page(index, write && area.shared) {
                    Ok(loaded) => self.install(page, write, &area, version, loaded, &object, index),
                    Err(ENOMEM) => Err(FaultError::OutOfMemory),
                    Err(_) => return Err(FaultError::Bus),
                },
                Err(error) => Err(error),
            };
            match outcome {
                Ok(true) => return Ok(()),
                // The areas changed while the page was loaded: look again.
                Ok(false) => {}
                Err(FaultError::OutOfMemory) => {
                    if !oom::relieve() {
                        return Err(FaultError::OutOfMemory);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Err(FaultError::OutOfMemory)
    }

    fn fault_step(self: &Arc<Self>, addr: usize, page: usize, write: bool, exec: bool, rights: Rights) -> core::result::Result<Step, FaultError> {
        let mut areas = self.areas.lock();
        if areas.at(addr).is_none() {
            // A stack below which the fault lies?
            let (start, end, locked_size) = match areas.map.range(addr..).next() {
                Some((start, area)) if area.grows_down => (*start, area.end, area.end - page),
                _ => return Err(FaultError::NotMapped),
            };
            let limit = self.stack_limit.load(core::sync::atomic::Ordering::Relaxed);
            let below = areas.map.range(..start).next_back().map_or(0, |(_, a)| a.end);
            if locked_size as u64 > limit || page < below.saturating_add(STACK_GAP) || end <= page {
                return Err(FaultError::NotMapped);
            }
            if let Some(mut area) = areas.map.remove(&start) {
                areas.mapped_pages += (start - page) / PAGE;
                area.start = page;
                areas.map.insert(page, area);
                areas.version += 1;
            }
        }
        let version = areas.version;
        let Some(area) = areas.at(addr) else { return Err(FaultError::NotMapped) };
        let need = if exec {
            Prot::EXEC
        } else if write {
            Prot::WRITE
        } else {
            Prot::READ
        };
        // Readable is whatever is not PROT_NONE: x86 has no write-only or execute-only pages.
        let allowed = if need == Prot::READ { !area.prot.is_empty() } else { area.prot.contains(need) };
        let overridden = rights == Rights::Overridden && !(write && area.shared);
        if !allowed && !overridden {
            return Err(FaultError::Protected);
        }
        let flags = area.prot.pte();
        if let Some(info) = self.table.info(page as u64) {
            let present_enough = info.flags.contains(PteFlags::READ) && (!write || info.flags.contains(PteFlags::WRITE));
            // Nobody else sees the page, so that it can be read and written past the table.
            let own = overridden && (!write || (info.refcount == 1 && info.flags.contains(PteFlags::SOFT_A)));
            if present_enough || own {
                // Another thread was quicker, or the TLB was stale.
                return Ok(Step::Done);
            }
            if !write {
                let mut tlb = self.table.gather();
                self.table.protect(page as u64, (flags & !PteFlags::WRITE) | (info.flags & PteFlags::SOFT_A), &mut tlb);
                return Ok(Step::Done);
            }
            if !area.shared && info.ram {
                return self.copy_on_write(page, flags, &info).map(|()| Step::Done);
            }
        }
        match &area.backing {
            Backing::Object { object, .. } => {
                Ok(Step::Load { object: object.clone(), index: area.object_page(page), area: area.clone(), version })
            }
            Backing::Anonymous if write => {
                let fresh = Frame::alloc_zeroed().ok_or(FaultError::OutOfMemory)?;
                if self.table.map_if_empty(page as u64, MapTarget::Ram(fresh), flags | PteFlags::SOFT_A).map_err(map_error)? {
                    self.add_rss(1);
                }
                Ok(Step::Done)
            }
            Backing::Anonymous => {
                let zero = zero_frame().ok_or(FaultError::OutOfMemory)?;
                if self.table.map_if_empty(page as u64, MapTarget::Ram(zero), flags & !PteFlags::WRITE).map_err(map_error)? {
                    self.add_rss(1);
                }
                Ok(Step::Done)
            }
        }
    }

    fn copy_on_write(&self, page: usize, flags: PteFlags, info: &frame::paging::EntryInfo) -> core::result::Result<(), FaultError> {
        let mut tlb = self.table.gather();
        if info.refcount == 1 && info.flags.contains(PteFlags::SOFT_A) {
            self.table.protect(page as u64, flags | PteFlags::SOFT_A, &mut tlb);
            return Ok(());
        }
        let Some(entry) = self.table.query(page as u64) else { return Ok(()) };
        let MapTarget::Ram(old) = entry.target else { return Ok(()) };
        let fresh = if zero_frame().is_some_and(|zero| zero == old) {
            Frame::alloc_zeroed().ok_or(FaultError::OutOfMemory)?
        } else {
            let fresh = Frame::alloc().ok_or(FaultError::OutOfMemory)?;
            fresh.copy_from(&old);
            fresh
        };
        self.table.map(page as u64, MapTarget::Ram(fresh), flags | PteFlags::SOFT_A, &mut tlb).map_err(map_error)?;
        Ok(())
    }

    /// Maps a loaded page, unless the areas have changed since (then `false`).
    #[allow(clippy::too_many_arguments)]
    fn install(
        self: &Arc<Self>,
        page: usize,
        write: bool,
        area: &Area,
        version: u64,
        loaded: ObjectPage,
        object: &Arc<dyn super::MemoryObject>,
        index: u64,
    ) -> core::result::Result<bool, FaultError> {
        let flags = area.prot.pte();
        let private_copy = match (&loaded, write && !area.shared) {
            (ObjectPage::Ram(frame), true) => {
                let fresh = Frame::alloc().ok_or(FaultError::OutOfMemory)?;
                fresh.copy_from(frame);
                Some(fresh)
            }
            _ => None,
        };
        let mut around = Vec::new();
        if !write && matches!(loaded, ObjectPage::Ram(_)) {
            let ahead = ((area.end - page) / PAGE - 1).min(FAULT_AROUND - 1);
            object.resident(index + 1, &mut around, ahead);
        }
        let areas = self.areas.lock();
        if areas.version != version {
            return Ok(false);
        }
        let mut tlb = self.table.gather();
        let new_entry = self.table.info(page as u64).is_none();
        let (target, pte) = match (loaded, private_copy) {
            (_, Some(copy)) => (MapTarget::Ram(copy), flags | PteFlags::SOFT_A),
            (ObjectPage::Ram(frame), None) => {
                let writable = area.shared && write;
                (MapTarget::Ram(frame), if writable { flags } else { flags & !PteFlags::WRITE })
            }
            (ObjectPage::Device(at, mode), None) => (MapTarget::Phys(at, mode), flags),
        };
        self.table.map(page as u64, target, pte, &mut tlb).map_err(map_error)?;
        let mut added = isize::from(new_entry);
        for (i, frame) in around.into_iter().enumerate() {
            let at = (page + (i + 1) * PAGE) as u64;
            added += isize::from(self.table.map_if_empty(at, MapTarget::Ram(frame), flags & !PteFlags::WRITE).unwrap_or(false));
        }
        drop(areas);
        self.add_rss(added);
        Ok(true)
    }

    /// The page at `addr`, faulted in (for writing, if asked), so that it can be shared or pinned.
    ///
    /// # Errors
    /// `EFAULT`, `ENOMEM`.
    pub fn frame_at(self: &Arc<Self>, addr: usize, write: bool) -> Result<ObjectPage> {
        for _ in 0..100 {
            if let Some(entry) = self.table.query(page_down(addr) as u64) {
                let usable = entry.flags.contains(PteFlags::READ) && (!write || entry.flags.contains(PteFlags::WRITE));
                if usable {
                    return Ok(match entry.target {
                        MapTarget::Ram(frame) => ObjectPage::Ram(frame),
                        MapTarget::Phys(at, mode) => ObjectPage::Device(at, mode),
                    });
                }
            }
            self.fault(addr, write, false).map_err(|e| if e == FaultError::OutOfMemory { ENOMEM } else { EFAULT })?;
        }
        Err(EFAULT)
    }

    /// Faults in every page of the range that can be (`MAP_POPULATE`, `mlock`).
    pub fn populate(self: &Arc<Self>, start: usize, end: usize) {
        let mut at = start;
        while at < end {
            let write = self.find(at).is_some_and(|a| a.prot.contains(Prot::WRITE) && !a.shared);
            if self.table.info(at as u64).is_none() && self.fault(at, write, false).is_err() {
                return;
            }
            at += PAGE;
        }
    }
}

fn map_error(error: MapError) -> FaultError {
    match error {
        MapError::OutOfMemory => FaultError::OutOfMemory,
        MapError::BadAddress => FaultError::NotMapped,
    }
}

/// The page that all reads of untouched anonymous memory see.
pub fn zero_frame() -> Option<Frame> {
    static ZERO: crate::sync::SpinLock<Option<Frame>> = crate::sync::SpinLock::new(None);
    let mut zero = ZERO.lock();
    if zero.is_none() {
        *zero = Frame::alloc_zeroed();
    }
    zero.clone()
}
