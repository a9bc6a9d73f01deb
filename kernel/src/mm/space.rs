//! The areas of an address space and the system calls on them.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use frame::paging::{CopyMode, PageTable, PteFlags};

use super::area::{Area, Backing, Prot};
use super::free::FreeSearch;
use super::object::MemoryObject;
use super::{MAX_ADDRESS, MIN_ADDRESS, PAGE, page_up};
use crate::error::*;
use crate::sync::Mutex;

/// Most areas of a process (`/proc/sys/vm/max_map_count`).
pub static MAX_AREAS: AtomicUsize = AtomicUsize::new(65_530);

/// The areas by start address, and the layout.
pub(super) struct Areas {
    pub map: BTreeMap<usize, Area>,
    /// Raised by every change, so that a fault that slept notices.
    pub version: u64,
    /// mmap without a hint searches downwards from here.
    pub mmap_top: usize,
    pub search: FreeSearch,
    pub brk_start: usize,
    pub brk: usize,
    pub mapped_pages: usize,
    /// The most that `mapped_pages` was.
    pub peak_mapped_pages: usize,
}

/// A process's user memory.
pub struct AddressSpace {
    pub(super) table: PageTable,
    pub(super) areas: Mutex<Areas>,
    /// Pages present (approximately: anonymous and mapped RAM).
    pub(super) rss: AtomicUsize,
    peak_rss: AtomicUsize,
    /// Soft limit of stack growth, bytes.
    pub(super) stack_limit: AtomicU64,
    /// What the processes have registered for with `membarrier(2)`.
    pub barriers: core::sync::atomic::AtomicU32,
    /// What `mlockall(2)` wants of mappings to come: `MCL_FUTURE`, `MCL_ONFAULT`.
    pub future_locks: core::sync::atomic::AtomicU32,
    /// Its contexts of asynchronous input and output.
    pub contexts: crate::ipc::aio::Contexts,
    /// The program, which is not to be written to as long as this is there.
    pub program: crate::sync::SpinLock<Option<Arc<crate::fs::text::Running>>>,
    /// The addresses of arguments and environment, for `/proc/<pid>/cmdline`.
    pub layout: crate::sync::SpinLock<Layout>,
}

/// Where exec put things.
#[derive(Clone, Copy, Debug, Default)]
#[allow(missing_docs)]
pub struct Layout {
    pub code_start: usize,
    pub code_end: usize,
    pub data_start: usize,
    pub data_end: usize,
    pub stack_start: usize,
    pub arg_start: usize,
    pub arg_end: usize,
    pub env_start: usize,
    pub env_end: usize,
    pub auxv_start: usize,
    pub auxv_end: usize,
}

/// Where a mapping goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// Anywhere, at the hint if that is free (0: no hint).
    Hint(usize),
    /// As that, but within the second GiB (`MAP_32BIT`).
    Low(usize),
    /// Exactly there, replacing what is mapped (`MAP_FIXED`).
    Fixed(usize),
    /// Exactly there, or `EEXIST` (`MAP_FIXED_NOREPLACE`).
    FixedNoReplace(usize),
}

/// Where `mremap(2)` may put a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remap {
    /// Only where it is.
    InPlace,
    /// Anywhere (`MREMAP_MAYMOVE`).
    Anywhere,
    /// There (`MREMAP_FIXED`).
    To(usize),
}

/// A mapping to make.
pub struct MapRequest {
    #[allow(missing_docs)]
    pub place: Placement,
    /// Bytes, whole pages.
    pub len: usize,
    #[allow(missing_docs)]
    pub prot: Prot,
    #[allow(missing_docs)]
    pub max_prot: Prot,
    #[allow(missing_docs)]
    pub shared: bool,
    #[allow(missing_docs)]
    pub grows_down: bool,
    #[allow(missing_docs)]
    pub backing: Backing,
    #[allow(missing_docs)]
    pub label: Option<&'static str>,
}

impl MapRequest {
    /// Private anonymous memory.
    pub fn anonymous(place: Placement, len: usize, prot: Prot) -> Self {
        Self {
            place,
            len,
            prot,
            max_prot: Prot::all(),
            shared: false,
            grows_down: false,
            backing: Backing::Anonymous,
            label: None,
        }
    }
}

impl AddressSpace {
    /// An empty address space. `entropy` moves the mmap region (ASLR).
    ///
    /// # Errors
    /// `ENOMEM`.
    pub fn new(entropy: u64) -> Result<Arc<Self>> {
        let table = PageTable::new().ok_or(ENOMEM)?;
        // Below the stack's largest usual size; 28 bits of pages would be Linux's entropy, fewer keep page tables small.
        let mmap_top = 0x7fff_f7ff_f000 - ((entropy & 0xff_ffff) as usize) * PAGE;
        Ok(Arc::new(Self {
            table,
            areas: Mutex::new(Areas { map: BTreeMap::new(), version: 0, mmap_top, search: FreeSearch::default(), brk_start: 0, brk: 0, mapped_pages: 0, peak_mapped_pages: 0 }),
            rss: AtomicUsize::new(0),
            peak_rss: AtomicUsize::new(0),
            stack_limit: AtomicU64::new(8 << 20),
            barriers: core::sync::atomic::AtomicU32::new(0),
            future_locks: core::sync::atomic::AtomicU32::new(0),
            contexts: crate::ipc::aio::Contexts::default(),
            program: crate::sync::SpinLock::new(None),
            layout: crate::sync::SpinLock::new(Layout::default()),
        }))
    }

    /// Makes it the current CPU's address space.
    pub fn activate(&self) {
        self.table.activate();
    }

    /// Pages in memory.
    pub fn rss_pages(&self) -> usize {
        self.rss.load(Ordering::Relaxed)
    }

    /// The most pages ever in memory.
    pub fn peak_rss_pages(&self) -> u64 {
        self.peak_rss.load(Ordering::Relaxed).max(self.rss_pages()) as u64
    }

    /// Pages mapped, whether in memory or not.
    pub fn mapped_pages(&self) -> usize {
        self.areas.lock().mapped_pages
    }

    /// The most pages ever mapped.
    pub fn peak_mapped_pages(&self) -> usize {
        let areas = self.areas.lock();
        areas.peak_mapped_pages.max(areas.mapped_pages)
    }

    /// Frames taken by the page tables.
    pub fn table_pages(&self) -> usize {
        self.table.table_frames()
    }

    pub(super) fn add_rss(&self, pages: isize) {
        if pages >= 0 {
            let now = self.rss.fetch_add(pages as usize, Ordering::Relaxed) + pages as usize;
            if now > self.peak_rss.load(Ordering::Relaxed) {
                self.peak_rss.store(now, Ordering::Relaxed);
            }
        } else {
            let less = pages.unsigned_abs();
            let _ = self.rss.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |rss| Some(rss.saturating_sub(less)));
        }
    }

    /// Sets where the heap begins (exec) .
    pub fn set_brk_start(&self, start: usize) {
        let mut areas = self.areas.lock();
        areas.brk_start = start;
        areas.brk = start;
    }

    /// Copies of all areas, in order.
    pub fn list(&self) -> Vec<Area> {
        self.areas.lock().map.values().cloned().collect()
    }

    /// The area that contains `addr`.
    pub fn find(&self, addr: usize) -> Option<Area> {
        self.areas.lock().at(addr).cloned()
    }

    /// Maps something; returns its address.
    ///
    /// # Errors
    /// `ENOMEM` without room, `EINVAL` for a bad address, `EEXIST` with [`Placement::FixedNoReplace`].
    pub fn map(self: &Arc<Self>, request: MapRequest) -> Result<usize> {
        let len = page_up(request.len).filter(|len| *len > 0 && *len <= MAX_ADDRESS).ok_or(ENOMEM)?;
        if let Backing::Object { object, .. } = &request.backing {
            if let Some(list) = object.mappings() {
                list.add(self);
            }
        }
        let mut dropped = Vec::new();
        let mut areas = self.areas.lock();
        if areas.map.len() >= MAX_AREAS.load(Ordering::Relaxed) {
            return Err(ENOMEM);
        }
        let start = match request.place {
            Placement::Fixed(at) | Placement::FixedNoReplace(at) => {
                if at % PAGE != 0 || at.checked_add(len).is_none_or(|end| end > MAX_ADDRESS) {
                    return Err(if at % PAGE != 0 { EINVAL } else { ENOMEM });
                }
                if at < MIN_ADDRESS {
                    return Err(EPERM);
                }
                if areas.overlaps(at, at + len) {
                    if matches!(request.place, Placement::FixedNoReplace(_)) {
                        return Err(EEXIST);
                    }
                    self.remove(&mut areas, at, at + len, &mut dropped);
                }
                at
            }
            Placement::Hint(hint) => areas.find_free(hint, len).ok_or(ENOMEM)?,
            Placement::Low(hint) => areas.find_low(hint, len).ok_or(ENOMEM)?,
        };
        areas.insert(Area {
            start,
            end: start + len,
            prot: request.prot,
            max_prot: request.max_prot,
            shared: request.shared,
            grows_down: request.grows_down,
            locked: false,
            dont_fork: false,
            wipe_on_fork: false,
            dont_dump: false,
            label: request.label,
            backing: request.backing,
        });
        drop(areas);
        drop(dropped);
        Ok(start)
    }

    /// Maps `len` bytes of an object from its page `first` (drivers' transfer areas, shared memory).
    ///
    /// # Errors
    /// As [`AddressSpace::map`].
    pub fn map_object(
        self: &Arc<Self>,
        hint: Option<usize>,
        len: usize,
        prot: Prot,
        shared: bool,
        object: Arc<dyn MemoryObject>,
        first: u64,
    ) -> Result<usize> {
        self.map(MapRequest {
            place: Placement::Hint(hint.unwrap_or(0)),
            len,
            prot,
            max_prot: Prot::all(),
            shared,
            grows_down: false,
            backing: Backing::Object { object, first, file: None },
            label: None,
        })
    }

    /// Takes the range out of the areas and the page table. Removed areas go to `dropped`, to be dropped without the lock.
    fn remove(&self, areas: &mut Areas, start: usize, end: usize, dropped: &mut Vec<Area>) {
        areas.split_at(start);
        areas.split_at(end);
        let keys: Vec<usize> = areas.map.range(start..end).map(|(k, _)| *k).collect();
        if keys.is_empty() {
            return;
        }
        for key in keys {
            if let Some(area) = areas.map.remove(&key) {
                areas.mapped_pages -= area.len() / PAGE;
                dropped.push(area);
            }
        }
        areas.version += 1;
        areas.freed(end);
        self.unmap_present(start, end);
    }

    fn unmap_present(&self, start: usize, end: usize) {
        let mut tlb = self.table.gather();
        let mut ram = 0;
        self.table.take_range(start as u64, end as u64, &mut tlb, |_, entry| ram += isize::from(entry.ram));
        tlb.flush();
        self.add_rss(-ram);
    }

    /// `munmap(2)`.
    ///
    /// # Errors
    /// `EINVAL` for a bad range.
    pub fn unmap(&self, start: usize, len: usize) -> Result {
        let len = page_up(len).filter(|len| *len > 0).ok_or(EINVAL)?;
        if start % PAGE != 0 || start.checked_add(len).is_none_or(|end| end > MAX_ADDRESS) {
            return Err(EINVAL);
        }
        let mut dropped = Vec::new();
        let mut areas = self.areas.lock();
        // A hole in the middle of an area makes two of it.
        let splits = areas.at(start).is_some_and(|area| area.start < start && area.end > start + len);
        if splits && areas.map.len() >= MAX_AREAS.load(Ordering::Relaxed) {
            return Err(ENOMEM);
        }
        self.remove(&mut areas, start, start + len, &mut dropped);
        drop(areas);
        Ok(())
    }

    /// `mprotect(2)`.
    ///
    /// # Errors
    /// `EINVAL` for a bad range, `ENOMEM` where a page of it is not mapped, `EACCES` beyond the mapping's rights.
    pub fn protect(&self, start: usize, len: usize, prot: Prot) -> Result {
        let len = page_up(len).ok_or(ENOMEM)?;
        if start % PAGE != 0 {
            return Err(EINVAL);
        }
        let end = start.checked_add(len).filter(|end| *end <= MAX_ADDRESS).ok_or(ENOMEM)?;
        if len == 0 {
            return Ok(());
        }
        let mut areas = self.areas.lock();
        areas.check_mapped(start, end)?;
        areas.split_at(start);
        areas.split_at(end);
        if areas.map.range(start..end).any(|(_, a)| !a.max_prot.contains(prot)) {
            return Err(EACCES);
        }
        let mut tlb = self.table.gather();
        for (_, area) in areas.map.range_mut(start..end) {
            area.prot = prot;
            let full = prot.pte();
            // Pages only ever gain WRITE by a fault, which knows about copy-on-write and dirty tracking.
            let private_anonymous = !area.shared;
            self.table.protect_range(area.start as u64, area.end as u64, &mut tlb, |_, info| {
                let exclusive = private_anonymous && info.ram && info.refcount == 1 && info.flags.contains(PteFlags::SOFT_A);
                let keep = full & !PteFlags::WRITE;
                if full.contains(PteFlags::WRITE) && (info.flags.contains(PteFlags::WRITE) || exclusive) {
                    keep | PteFlags::WRITE | (info.flags & PteFlags::SOFT_A)
                } else {
                    keep | (info.flags & PteFlags::SOFT_A)
                }
            });
        }
        areas.version += 1;
        areas.merge_around(start, end);
        tlb.flush();
        Ok(())
    }

    /// `brk(2)`: returns the new end of the heap, the old one where it cannot be moved.
    pub fn set_brk(self: &Arc<Self>, to: usize, data_limit: u64) -> usize {
        let (old, start) = {
            let areas = self.areas.lock();
            (areas.brk, areas.brk_start)
        };
        if to < start || (to - start) as u64 > data_limit {
            return old;
        }
        let (Some(old_end), Some(new_end)) = (page_up(old), page_up(to)) else { return old };
        if new_end > old_end {
            let mut request = MapRequest::anonymous(Placement::FixedNoReplace(old_end), new_end - old_end, Prot::READ | Prot::WRITE);
            request.label = Some("[heap]");
            if super::commit::check(request.len / PAGE).is_err() || self.map(request).is_err() {
                return old;
            }
        } else if new_end < old_end && self.unmap(new_end, old_end - new_end).is_err() {
            return old;
        }
        self.areas.lock().brk = to;
        to
    }

    /// `mremap(2)` (flags checked by the caller).
    ///
    /// # Errors
    /// `EFAULT` where nothing is mapped, `EINVAL` for bad ranges, `ENOMEM` without room.
    pub fn remap(self: &Arc<Self>, old: usize, old_len: usize, new_len: usize, how: Remap) -> Result<usize> {
        let (may_move, fixed) = (!matches!(how, Remap::InPlace), if let Remap::To(to) = how { Some(to) } else { None });
        let (old_len, new_len) = (page_up(old_len).ok_or(EINVAL)?, page_up(new_len).filter(|l| *l > 0).ok_or(EINVAL)?);
        if old % PAGE != 0 {
            return Err(EINVAL);
        }
        let mut dropped = Vec::new();
        let mut areas = self.areas.lock();
        let area = areas.at(old).cloned().ok_or(EFAULT)?;
        if old_len == 0 {
            // A second mapping of a shared object.
            if !area.shared || !may_move {
                return Err(EINVAL);
            }
            drop(areas);
            let first = area.object_page(old);
            let Backing::Object { object, file, .. } = area.backing else { return Err(EINVAL) };
            let place = fixed.map_or(Placement::Hint(0), Placement::Fixed);
            return self.map(MapRequest {
                place,
                len: new_len,
                prot: area.prot,
                max_prot: area.max_prot,
                shared: true,
                grows_down: false,
                backing: Backing::Object { object, first, file },
                label: None,
            });
        }
        let old_end = old.checked_add(old_len).ok_or(EINVAL)?;
        if old_end > area.end {
            return Err(EFAULT);
        }
        if let Some(to) = fixed {
            let to_end = to.checked_add(new_len).filter(|e| *e <= MAX_ADDRESS).ok_or(EINVAL)?;
            if to % PAGE != 0 || to < MIN_ADDRESS || (to < old_end && old < to_end) {
                return Err(EINVAL);
            }
            self.remove(&mut areas, to, to_end, &mut dropped);
            return self.move_area(&mut areas, old, old_len.min(new_len), old_len, to, new_len, &mut dropped);
        }
        if new_len <= old_len {
            if new_len < old_len {
                self.remove(&mut areas, old + new_len, old_end, &mut dropped);
            }
            return Ok(old);
        }
        let grown_end = old.checked_add(new_len).filter(|e| *e <= MAX_ADDRESS);
        if let Some(grown_end) = grown_end {
            if old_end == area.end && !areas.overlaps(old_end, grown_end) {
                let mut tail = area.clone();
                if let Backing::Object { first, .. } = &mut tail.backing {
                    *first += ((old_end - area.start) / PAGE) as u64;
                }
                tail.start = old_end;
                tail.end = grown_end;
                areas.insert(tail);
                return Ok(old);
            }
        }
        if !may_move {
            return Err(ENOMEM);
        }
        let to = areas.find_free(0, new_len).ok_or(ENOMEM)?;
        self.move_area(&mut areas, old, old_len, old_len, to, new_len, &mut dropped)
    }

    /// `mremap(2)` with `MREMAP_DONTUNMAP`: the pages move, and the old range stays, empty.
    ///
    /// # Errors
    /// As [`AddressSpace::remap`].
    pub fn remap_leaving(&self, old: usize, len: usize, to: Placement) -> Result<usize> {
        let len = page_up(len).filter(|len| *len > 0).ok_or(EINVAL)?;
        let (Placement::Hint(place) | Placement::Low(place) | Placement::Fixed(place) | Placement::FixedNoReplace(place)) = to;
        let old_end = old.checked_add(len).ok_or(EINVAL)?;
        let end = place.checked_add(len).filter(|end| *end <= MAX_ADDRESS).ok_or(EINVAL)?;
        if old % PAGE != 0 || place % PAGE != 0 || (place < old_end && old < end) {
            return Err(EINVAL);
        }
        let mut dropped = Vec::new();
        let mut areas = self.areas.lock();
        let area = areas.at(old).cloned().ok_or(EFAULT)?;
        if old_end > area.end {
            return Err(EFAULT);
        }
        let to = match to {
            Placement::Fixed(to) if to < MIN_ADDRESS => return Err(EPERM),
            Placement::Fixed(to) => {
                self.remove(&mut areas, to, end, &mut dropped);
                to
            }
            _ => areas.find_free(place, len).ok_or(ENOMEM)?,
        };
        let to = self.move_area(&mut areas, old, len, len, to, len, &mut dropped)?;
        let mut left = area;
        if let Backing::Object { first, .. } = &mut left.backing {
            *first += ((old - left.start) / PAGE) as u64;
        }
        (left.start, left.end, left.locked) = (old, old_end, false);
        areas.insert(left);
        drop(areas);
        Ok(to)
    }

    #[allow(clippy::too_many_arguments)]
    fn move_area(&self, areas: &mut Areas, old: usize, moved: usize, old_len: usize, to: usize, new_len: usize, dropped: &mut Vec<Area>) -> Result<usize> {
        areas.split_at(old);
        areas.split_at(old + old_len);
        let mut area = areas.map.get(&old).cloned().ok_or(EFAULT)?;
        area.start = to;
        area.end = to + new_len;
        area.label = None;
        let mut tlb = self.table.gather();
        self.table
            .move_range(old as u64, (old + moved) as u64, to as u64, &mut tlb)
            .map_err(|_| ENOMEM)?;
        tlb.flush();
        areas.insert(area);
        self.remove(areas, old, old + old_len, dropped);
        Ok(to)
    }

    /// Throws the pages of a private range away, or drops them from the page table of a shared one (`MADV_DONTNEED`); `also_locked`: `MADV_DONTNEED_LOCKED`.
    ///
    /// # Errors
    /// `ENOMEM` where a page of the range is not mapped, `EINVAL` where it is locked.
    pub fn discard(&self, start: usize, end: usize, also_locked: bool) -> Result {
        let areas = self.areas.lock();
        areas.check_mapped(start, end)?;
        if !also_locked && areas.map.values().any(|a| a.start < end && start < a.end && a.locked) {
            return Err(EINVAL);
        }
        self.unmap_present(start, end);
        Ok(())
    }

    /// Throws the pages of all private anonymous memory away (`process_mrelease(2)`).
    pub fn release(&self) {
        let areas = self.areas.lock();
        for area in areas.map.values().filter(|area| !area.shared && matches!(area.backing, Backing::Anonymous)) {
            self.unmap_present(area.start, area.end);
        }
    }

    /// Applies `change` to the areas of a range (madvise, mlock).
    ///
    /// # Errors
    /// `ENOMEM` where a page of it is not mapped.
    pub fn update_areas(&self, start: usize, end: usize, mut change: impl FnMut(&mut Area)) -> Result {
        let mut areas = self.areas.lock();
        let checked = areas.check_mapped(start, end);
        areas.split_at(start);
        areas.split_at(end);
        for (_, area) in areas.map.range_mut(start..end) {
            change(area);
        }
        areas.merge_around(start, end);
        checked
    }

    /// Whether the range is mapped throughout.
    ///
    /// # Errors
    /// `ENOMEM` where a page of it is not mapped.
    pub fn check_mapped(&self, start: usize, end: usize) -> Result {
        self.areas.lock().check_mapped(start, end)
    }

    /// Which pages of the range are in memory (`mincore(2)`).
    pub fn residency(&self, start: usize, end: usize) -> Vec<u8> {
        let mut map = alloc::vec![0u8; (end - start) / PAGE];
        self.table.for_each_present(start as u64, end as u64, |va, _| map[(va as usize - start) / PAGE] = 1);
        // A page of a file counts where it is in memory, whether or not it is in this table.
        let areas = self.areas.lock();
        for area in areas.map.values().filter(|a| a.start < end && start < a.end) {
            let Backing::Object { object, .. } = &area.backing else { continue };
            let until = area.end.min(end);
            let mut at = area.start.max(start);
            while at < until {
                let mut found = Vec::new();
                object.resident(area.object_page(at), &mut found, ((until - at) / PAGE).min(64));
                found.iter().enumerate().for_each(|(i, _)| map[(at - start) / PAGE + i] = 1);
                at += PAGE * found.len().max(1);
            }
        }
        map
    }

    /// Whether any page of the range is locked (`mlock(2)`).
    pub fn is_locked(&self, start: usize, end: usize) -> bool {
        self.areas.lock().map.values().any(|a| a.start < end && start < a.end && a.locked)
    }

    /// Writes the dirty pages of shared file mappings in the range out (`msync(MS_SYNC)`).
    ///
    /// # Errors
    /// `ENOMEM` where a page of it is not mapped; the object's error.
    pub fn sync(&self, start: usize, end: usize) -> Result {
        let work: Vec<(Arc<dyn MemoryObject>, u64, u64)> = {
            let areas = self.areas.lock();
            areas.check_mapped(start, end)?;
            let shared = areas.map.values().filter(|a| a.shared && a.start < end && start < a.end);
            shared
                .filter_map(|a| match &a.backing {
                    Backing::Object { object, .. } => {
                        let (from, to) = (a.start.max(start), a.end.min(end));
                        Some((object.clone(), a.object_page(from), ((to - from) / PAGE) as u64))
                    }
                    Backing::Anonymous => None,
                })
                .collect()
        };
        for (object, first, pages) in work {
            object.sync(first, pages)?;
        }
        Ok(())
    }

    /// A copy for a forked child: private pages are shared copy-on-write.
    ///
    /// # Errors
    /// `ENOMEM`.
    pub fn fork(self: &Arc<Self>) -> Result<Arc<Self>> {
        super::commit::check_copy(self)?;
        let child = Self::new(0)?;
        let areas = self.areas.lock();
        let mut theirs = child.areas.lock();
        let mut tlb = self.table.gather();
        for (start, area) in areas.map.iter().filter(|(_, a)| !a.dont_fork) {
            theirs.mapped_pages += area.len() / PAGE;
            let mut copy = area.clone();
            copy.locked = false;
            theirs.map.insert(*start, copy);
            if let Backing::Object { object, .. } = &area.backing {
                if let Some(list) = object.mappings() {
                    list.add(&child);
                }
            }
            // Shared areas fault their pages in again from the object.
            if !area.shared && !area.wipe_on_fork {
                self.table
                    .copy_range(area.start as u64, area.end as u64, &child.table, CopyMode::CopyOnWrite, &mut tlb)
                    .map_err(|_| ENOMEM)?;
            }
        }
        theirs.mmap_top = areas.mmap_top;
        theirs.brk_start = areas.brk_start;
        theirs.brk = areas.brk;
        drop(theirs);
        drop(areas);
        tlb.flush();
        child.rss.store(self.rss.load(Ordering::Relaxed), Ordering::Relaxed);
        child.stack_limit.store(self.stack_limit.load(Ordering::Relaxed), Ordering::Relaxed);
        child.barriers.store(self.barriers.load(Ordering::Relaxed), Ordering::Relaxed);
        let program = self.program.lock().clone();
        *child.program.lock() = program;
        let layout = *self.layout.lock();
        *child.layout.lock() = layout;
        Ok(child)
    }

    /// Removes the pages of an object from the page table wherever they are mapped (truncation): the next access faults.
    pub fn unmap_object_pages(&self, object: &dyn MemoryObject, first: u64, pages: u64) {
        self.each_object_range(object, first, pages, |start, end| self.unmap_present(start, end));
    }

    /// Takes write permission from shared mappings of an object's pages.
    pub fn write_protect_object_pages(&self, object: &dyn MemoryObject, first: u64, pages: u64) {
        self.each_object_range(object, first, pages, |start, end| {
            let mut tlb = self.table.gather();
            self.table.protect_range(start as u64, end as u64, &mut tlb, |_, info| {
                if info.flags.contains(PteFlags::SOFT_A) { info.flags } else { info.flags & !PteFlags::WRITE }
            });
            tlb.flush();
        });
    }

    /// Whether a shared mapping of an object can be written to, or may be made so.
    pub fn shares_for_writing(&self, wanted: &dyn MemoryObject) -> bool {
        self.areas.lock().map.values().any(|area| area.shared && area.max_prot.contains(Prot::WRITE) && area.first_page_of(wanted).is_some())
    }

    fn each_object_range(&self, wanted: &dyn MemoryObject, first: u64, pages: u64, mut f: impl FnMut(usize, usize)) {
        let areas = self.areas.lock();
        for area in areas.map.values() {
            let Some(area_first) = area.first_page_of(wanted) else { continue };
            let area_last = area_first + (area.len() / PAGE) as u64;
            let (from, to) = (first.max(area_first), first.saturating_add(pages).min(area_last));
            if from < to {
                f(area.start + (from - area_first) as usize * PAGE, area.start + (to - area_first) as usize * PAGE);
            }
        }
    }
}

impl Areas {
    /// The area that contains `addr`.
    pub fn at(&self, addr: usize) -> Option<&Area> {
        self.map.range(..=addr).next_back().map(|(_, a)| a).filter(|a| addr < a.end)
    }

    /// Whether anything is mapped in the range.
    pub fn overlaps(&self, start: usize, end: usize) -> bool {
        self.map.range(..end).next_back().is_some_and(|(_, a)| a.end > start)
    }

    /// `ENOMEM` unless every page of the range is mapped.
    pub fn check_mapped(&self, start: usize, end: usize) -> Result {
        let mut at = start;
        while at < end {
            at = self.at(at).ok_or(ENOMEM)?.end;
        }
        Ok(())
    }

    /// Makes `at` a boundary between areas.
    pub fn split_at(&mut self, at: usize) {
        let Some((_, area)) = self.map.range_mut(..at).next_back() else { return };
        if at < area.end {
            let upper = area.split_off(at);
            self.map.insert(at, upper);
        }
    }

    /// Adds an area to free space, joining it with its neighbours.
    pub fn insert(&mut self, area: Area) {
        let (start, end) = (area.start, area.end);
        self.mapped_pages += area.len() / PAGE;
        self.peak_mapped_pages = self.peak_mapped_pages.max(self.mapped_pages);
        self.map.insert(start, area);
        self.version += 1;
        self.merge_around(start, end);
    }

    /// Joins areas that continue each other from just before `start` to just after `end`.
    pub fn merge_around(&mut self, start: usize, end: usize) {
        let first = self.map.range(..start).next_back().map_or(start, |(k, _)| *k);
        let mut key = first;
        while let Some(area) = self.map.get(&key) {
            let next_key = area.end;
            if next_key > end {
                break;
            }
            let joined = self.map.get(&next_key).is_some_and(|next| area.joins(next));
            if joined {
                let Some(next) = self.map.remove(&next_key) else { break };
                if let Some(area) = self.map.get_mut(&key) {
                    area.end = next.end;
                }
            } else {
                match self.map.range(next_key..).next() {
                    Some((k, _)) if *k <= end => key = *k,
                    _ => break,
                }
            }
        }
    }
}

impl AddressSpace {
    /// How far stacks may grow, in bytes.
    pub fn set_stack_limit(&self, bytes: u64) {
        self.stack_limit.store(bytes, Ordering::Relaxed);
    }
}
