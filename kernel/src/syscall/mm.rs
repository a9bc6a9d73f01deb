//! Memory system calls: `mmap(2)` and its family.

use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use call_flags::memory;

use super::Cx;
use crate::error::*;
use crate::mm::anon::SharedAnon;
use crate::mm::{Area, Backing, commit, MAX_ADDRESS, MapRequest, PAGE, Placement, Prot, Remap, page_up};
use crate::task::process::{RLIM_INFINITY, RLIMIT_AS, RLIMIT_DATA, RLIMIT_MEMLOCK};
use crate::task::Capability;

const MAP_SHARED: u32 = 1;
const MAP_PRIVATE: u32 = 2;
const MAP_SHARED_VALIDATE: u32 = 3;
const MAP_TYPE: u32 = 0xf;
const MAP_FIXED: u32 = 0x10;
const MAP_ANONYMOUS: u32 = 0x20;
const MAP_32BIT: u32 = 0x40;
const MAP_GROWSDOWN: u32 = 0x100;
const MAP_LOCKED: u32 = 0x2000;
const MAP_NORESERVE: u32 = 0x4000;
const MAP_POPULATE: u32 = 0x8000;
const MAP_NONBLOCK: u32 = 0x1_0000;
const MAP_HUGETLB: u32 = 0x4_0000;
const MAP_FIXED_NOREPLACE: u32 = 0x10_0000;

const MCL_CURRENT: u32 = 1;
const MCL_FUTURE: u32 = 2;
const MCL_ONFAULT: u32 = 4;

fn parse_prot(bits: u32) -> Result<Prot> {
    memory::MPROTECT.check(bits)?;
    Ok(Prot::from_bits_truncate(bits))
}

/// `READ_IMPLIES_EXEC` of `personality(2)`.
fn with_implied(cx: &Cx<'_>, prot: Prot) -> Prot {
    const READ_IMPLIES_EXEC: u32 = 0x40_0000;
    let is_implied = prot.contains(Prot::READ) && cx.process.personality.load(Ordering::Relaxed) & READ_IMPLIES_EXEC != 0;
    if is_implied { prot | Prot::EXEC } else { prot }
}

/// mmap(2)
pub fn sys_mmap(cx: &Cx<'_>, addr: usize, len: usize, prot: u32, flags: u32, fd: i32, offset: u64) -> Result<usize> {
    if offset % PAGE as u64 != 0 {
        return Err(EINVAL);
    }
    if flags & MAP_ANONYMOUS == 0 {
        cx.process.files().get(fd)?;
    }
    if len == 0 {
        return Err(EINVAL);
    }
    let len = page_up(len).filter(|l| *l <= MAX_ADDRESS).ok_or(ENOMEM)?;
    let prot = with_implied(cx, Prot::from_bits_truncate(prot));
    let shared = match flags & MAP_TYPE {
        MAP_SHARED => true,
        // Of files only.
        MAP_SHARED_VALIDATE if flags & MAP_ANONYMOUS != 0 => return Err(EINVAL),
        MAP_SHARED_VALIDATE => {
            memory::MMAP_VALIDATE.check(flags)?;
            true
        }
        MAP_PRIVATE => false,
        _ => return Err(EINVAL),
    };
    if flags & (MAP_ANONYMOUS | MAP_HUGETLB) == MAP_HUGETLB {
        return Err(EINVAL);
    }
    // Only private memory without a file can grow.
    if flags & MAP_GROWSDOWN != 0 && (shared || flags & MAP_ANONYMOUS == 0) {
        return Err(EINVAL);
    }
    memory::MMAP.check(flags)?;
    let place = if flags & MAP_FIXED_NOREPLACE != 0 {
        Placement::FixedNoReplace(addr)
    } else if flags & MAP_FIXED != 0 {
        Placement::Fixed(addr)
    } else if flags & MAP_32BIT != 0 {
        Placement::Low(addr)
    } else {
        Placement::Hint(addr)
    };
    let mm = cx.process.mm()?;
    let limit = cx.process.rlimit(RLIMIT_AS).0;
    if limit != RLIM_INFINITY && ((mm.mapped_pages() * PAGE + len) as u64) > limit {
        return Err(ENOMEM);
    }
    let locked = flags & MAP_LOCKED != 0 || mm.future_locks.load(Ordering::Relaxed) & MCL_FUTURE != 0;
    if locked && !cx.thread.has(Capability::IPC_LOCK) {
        let limit = cx.process.rlimit(RLIMIT_MEMLOCK).0;
        if limit == 0 && flags & MAP_LOCKED != 0 {
            return Err(EPERM);
        }
        if (locked_bytes(&mm) + len) as u64 > limit {
            return Err(EAGAIN);
        }
    }
    let mut max_prot = Prot::all();
    let backing = if flags & MAP_ANONYMOUS != 0 {
        if shared {
            Backing::Object { object: Arc::new(SharedAnon::new((len / PAGE) as u64)), first: 0, file: None }
        } else {
            Backing::Anonymous
        }
    } else {
        let file = cx.process.files().get(fd)?;
        let access = file.flags();
        if !access.readable() || (shared && prot.contains(Prot::WRITE) && !access.writable()) {
            return Err(if access.contains(crate::fs::OpenFlags::PATH) { EBADF } else { EACCES });
        }
        // What is sealed cannot be made writable later either.
        if shared && (!access.writable() || file.ops.is_sealed_for_maps()) {
            max_prot.remove(Prot::WRITE);
        }
        if file.path.as_ref().is_some_and(|p| p.is_noexec()) {
            if prot.contains(Prot::EXEC) {
                return Err(EPERM);
            }
            max_prot.remove(Prot::EXEC);
        }
        if offset.checked_add(len as u64).is_none() {
            return Err(EOVERFLOW);
        }
        let object = file.ops.mmap(&file, offset, len as u64, shared && prot.contains(Prot::WRITE))?;
        file.accessed();
        Backing::Object { object, first: offset / PAGE as u64, file: Some(file) }
    };
    // MAP_NORESERVE counts but in the strict mode, in which nothing is given on credit.
    let on_credit = flags & MAP_NORESERVE != 0 && commit::MODE.load(Ordering::Relaxed) < 2;
    if !on_credit && prot.contains(Prot::WRITE) && (!shared || flags & MAP_ANONYMOUS != 0) {
        commit::check(len / PAGE)?;
    }
    let label = None;
    let start = mm.map(MapRequest { place, len, prot, max_prot, shared, grows_down: flags & MAP_GROWSDOWN != 0, backing, label })?;
    let future = mm.future_locks.load(Ordering::Relaxed);
    let populate = (flags & (MAP_POPULATE | MAP_LOCKED) != 0 && flags & MAP_NONBLOCK == 0) || future & (MCL_FUTURE | MCL_ONFAULT) == MCL_FUTURE;
    if populate && !prot.is_empty() {
        mm.populate(start, start + len);
    }
    if locked {
        mm.update_areas(start, start + len, |a| a.locked = true)?;
    }
    Ok(start)
}

/// remap_file_pages(2): as Linux since 4.0, a new mapping of another part of what is mapped there, shared.
pub fn sys_remap_file_pages(cx: &Cx<'_>, addr: usize, len: usize, prot: u32, page: u64, flags: u32) -> Result<usize> {
    memory::REMAP_FILE_PAGES.check(flags)?;
    let (start, len) = (addr & !(PAGE - 1), len & !(PAGE - 1));
    let end = start.checked_add(len).filter(|end| *end > start).ok_or(EINVAL)?;
    if prot != 0 || page.checked_add((len / PAGE) as u64).is_none() {
        return Err(EINVAL);
    }
    let mm = cx.process.mm()?;
    let area = mm.find(start).filter(|area| area.shared).ok_or(EINVAL)?;
    // What is further on has to be the same file with the same rights.
    let mut at = area.end;
    while at < end {
        let next = mm.find(at).filter(|next| next.shared && next.prot == area.prot && next.shows_same(&area)).ok_or(EINVAL)?;
        at = next.end;
    }
    let Backing::Object { object, file, .. } = area.backing else { return Err(EINVAL) };
    let backing = Backing::Object { object, first: page, file };
    let request = MapRequest { place: Placement::Fixed(start), len, prot: area.prot, max_prot: area.max_prot, shared: true, grows_down: false, backing, label: None };
    mm.map(request)?;
    if flags & MAP_NONBLOCK == 0 && !area.prot.is_empty() {
        mm.populate(start, end);
    }
    if area.locked {
        mm.update_areas(start, end, |a| a.locked = true)?;
    }
    Ok(0)
}

/// mprotect(2)
pub fn sys_mprotect(cx: &Cx<'_>, addr: usize, len: usize, prot: u32) -> Result<usize> {
    const PROT_GROWSDOWN: u32 = 0x100_0000;
    let mm = cx.process.mm()?;
    let mut start = addr;
    let mut len = len;
    if prot & PROT_GROWSDOWN != 0 {
        let area = mm.find(addr).filter(|a| a.grows_down).ok_or(EINVAL)?;
        len += addr - area.start;
        start = area.start;
    }
    mm.protect(start, len, with_implied(cx, parse_prot(prot & !PROT_GROWSDOWN)?))?;
    Ok(0)
}

/// munmap(2)
pub fn sys_munmap(cx: &Cx<'_>, addr: usize, len: usize) -> Result<usize> {
    cx.process.mm()?.unmap(addr, len)?;
    Ok(0)
}

/// brk(2), as the kernel does it: returns the end of the heap, moved or not.
pub fn sys_brk(cx: &Cx<'_>, to: usize) -> Result<usize> {
    let mm = cx.process.mm()?;
    let limit = cx.process.rlimit(RLIMIT_DATA).0;
    let future = mm.future_locks.load(Ordering::Relaxed);
    if future & MCL_FUTURE == 0 {
        return Ok(mm.set_brk(to, limit));
    }
    // An impossible end only asks for the present one.
    let before = mm.set_brk(0, limit);
    let end = mm.set_brk(to, limit);
    if let (Some(from), Some(until)) = (page_up(before), page_up(end)) {
        if from < until {
            mm.update_areas(from, until, |a| a.locked = true)?;
            if future & MCL_ONFAULT == 0 {
                mm.populate(from, until);
            }
        }
    }
    Ok(end)
}

/// mremap(2)
pub fn sys_mremap(cx: &Cx<'_>, old: usize, old_len: usize, new_len: usize, flags: u32, new: usize) -> Result<usize> {
    const MAYMOVE: u32 = 1;
    const FIXED: u32 = 2;
    const DONTUNMAP: u32 = 4;
    memory::MREMAP.check(flags)?;
    if flags & FIXED != 0 && flags & MAYMOVE == 0 {
        return Err(EINVAL);
    }
    let mm = cx.process.mm()?;
    if flags & DONTUNMAP != 0 {
        if flags & MAYMOVE == 0 || page_up(old_len) != page_up(new_len) {
            return Err(EINVAL);
        }
        return mm.remap_leaving(old, new_len, if flags & FIXED != 0 { Placement::Fixed(new) } else { Placement::Hint(new) });
    }
    mm.remap(old, old_len, new_len, match flags & (MAYMOVE | FIXED) {
        0 => Remap::InPlace,
        MAYMOVE => Remap::Anywhere,
        _ => Remap::To(new),
    })
}

/// msync(2)
pub fn sys_msync(cx: &Cx<'_>, addr: usize, len: usize, flags: u32) -> Result<usize> {
    const ASYNC: u32 = 1;
    const INVALIDATE: u32 = 2;
    const SYNC: u32 = 4;
    memory::MSYNC.check(flags)?;
    if flags & (ASYNC | SYNC) == ASYNC | SYNC || addr % PAGE != 0 {
        return Err(EINVAL);
    }
    let end = page_up(len).and_then(|l| addr.checked_add(l)).ok_or(ENOMEM)?;
    let mm = cx.process.mm()?;
    if flags & INVALIDATE != 0 && mm.is_locked(addr, end) {
        return Err(EBUSY);
    }
    if flags & SYNC != 0 {
        mm.sync(addr, end)?;
    } else {
        mm.check_mapped(addr, end)?;
    }
    Ok(0)
}

/// mincore(2)
pub fn sys_mincore(cx: &Cx<'_>, addr: usize, len: usize, vec: usize) -> Result<usize> {
    if addr % PAGE != 0 {
        return Err(EINVAL);
    }
    let end = page_up(len).and_then(|l| addr.checked_add(l)).filter(|e| *e <= MAX_ADDRESS).ok_or(ENOMEM)?;
    let mm = cx.process.mm()?;
    mm.check_mapped(addr, end)?;
    let mut at = addr;
    while at < end {
        let piece = (end - at).min(4096 * PAGE);
        frame::user::copy_to_user((vec + (at - addr) / PAGE) as u64, &mm.residency(at, at + piece))?;
        at += piece;
    }
    Ok(0)
}

/// madvise(2)
pub fn sys_madvise(cx: &Cx<'_>, addr: usize, len: usize, advice: i32) -> Result<usize> {
    const DONTNEED_LOCKED: i32 = 24;
    if addr % PAGE != 0 {
        return Err(EINVAL);
    }
    let end = page_up(len).and_then(|l| addr.checked_add(l)).ok_or(EINVAL)?;
    memory::MADVISE.check(advice as u32)?;
    let mm = cx.process.mm()?;
    match advice {
        // NORMAL, RANDOM, SEQUENTIAL, COLD, PAGEOUT, MERGEABLE, UNMERGEABLE, (NO)HUGEPAGE: hints.
        0..=2 | 12..=15 | 20 | 21 => mm.check_mapped(addr, end)?,
        // WILLNEED
        3 => mm.check_mapped(addr, end)?,
        // DONTNEED, FREE
        4 | 8 | DONTNEED_LOCKED if addr < end => mm.discard(addr, end, advice == DONTNEED_LOCKED)?,
        4 | 8 | DONTNEED_LOCKED => {}
        // DONTFORK, DOFORK
        10 => mm.update_areas(addr, end, |a| a.dont_fork = true)?,
        11 => mm.update_areas(addr, end, |a| a.dont_fork = false)?,
        // DONTDUMP, DODUMP
        16 | 17 => mm.update_areas(addr, end, |a| a.dont_dump = advice == 16)?,
        // WIPEONFORK, KEEPONFORK: private anonymous memory only
        18 | 19 => {
            let wipe = advice == 18;
            let mut suitable = true;
            mm.update_areas(addr, end, |a| {
                if wipe && (a.shared || !matches!(a.backing, Backing::Anonymous)) {
                    suitable = false;
                } else {
                    a.wipe_on_fork = wipe;
                }
            })?;
            if !suitable {
                return Err(EINVAL);
            }
        }
        // POPULATE_READ, POPULATE_WRITE
        22 | 23 => {
            mm.check_mapped(addr, end)?;
            let mut at = addr;
            while at < end {
                mm.fault(at, advice == 23, false).map_err(|_| EFAULT)?;
                at += PAGE;
            }
        }
        _ => return Err(EINVAL),
    }
    Ok(0)
}

/// Bytes of mappings that are locked.
fn locked_bytes(mm: &crate::mm::AddressSpace) -> usize {
    mm.list().iter().filter(|area| area.locked).map(Area::len).sum()
}

fn lock(cx: &Cx<'_>, addr: usize, len: usize, on_fault: bool) -> Result<usize> {
    let start = addr & !(PAGE - 1);
    let end = page_up(addr.checked_add(len).ok_or(EINVAL)?).ok_or(EINVAL)?;
    let limit = cx.process.rlimit(RLIMIT_MEMLOCK).0;
    let mm = cx.process.mm()?;
    if !cx.thread.has(Capability::IPC_LOCK) {
        if limit == 0 {
            return Err(EPERM);
        }
        // What of the range is locked already is no more for it.
        let elsewhere = |area: &Area| area.len() - area.end.min(end).saturating_sub(area.start.max(start)).min(area.len());
        let locked: usize = mm.list().iter().filter(|area| area.locked).map(elsewhere).sum();
        if (locked + (end - start)) as u64 > limit {
            return Err(ENOMEM);
        }
    }
    // Nothing is ever swapped out: locking only has to bring the pages in.
    mm.update_areas(start, end, |a| a.locked = true)?;
    if !on_fault {
        mm.populate(start, end);
    }
    Ok(0)
}

/// mlock(2)
pub fn sys_mlock(cx: &Cx<'_>, addr: usize, len: usize) -> Result<usize> {
    lock(cx, addr, len, false)
}

/// mlock2(2): MLOCK_ONFAULT is 1.
pub fn sys_mlock2(cx: &Cx<'_>, addr: usize, len: usize, flags: u32) -> Result<usize> {
    memory::MLOCK2.check(flags)?;
    lock(cx, addr, len, flags & 1 != 0)
}

/// munlock(2)
pub fn sys_munlock(cx: &Cx<'_>, addr: usize, len: usize) -> Result<usize> {
    let start = addr & !(PAGE - 1);
    let end = page_up(addr.checked_add(len).ok_or(EINVAL)?).ok_or(EINVAL)?;
    cx.process.mm()?.update_areas(start, end, |a| a.locked = false)?;
    Ok(0)
}

/// mlockall(2)
pub fn sys_mlockall(cx: &Cx<'_>, flags: u32) -> Result<usize> {
    memory::MLOCKALL.check(flags)?;
    if flags & (MCL_CURRENT | MCL_FUTURE) == 0 {
        return Err(EINVAL);
    }
    if !cx.thread.has(Capability::IPC_LOCK) && cx.process.rlimit(RLIMIT_MEMLOCK).0 == 0 {
        return Err(EPERM);
    }
    let mm = cx.process.mm()?;
    let limit = cx.process.rlimit(RLIMIT_MEMLOCK).0;
    if flags & MCL_CURRENT != 0 && !cx.thread.has(Capability::IPC_LOCK) && (mm.mapped_pages() * PAGE) as u64 > limit {
        return Err(ENOMEM);
    }
    // Each call says anew what becomes of later mappings.
    mm.future_locks.store(if flags & MCL_FUTURE != 0 { flags & (MCL_FUTURE | MCL_ONFAULT) } else { 0 }, Ordering::Relaxed);
    if flags & MCL_CURRENT != 0 {
        for area in mm.list() {
            mm.update_areas(area.start, area.end, |a| a.locked = true)?;
            if flags & MCL_ONFAULT == 0 && !area.prot.is_empty() {
                mm.populate(area.start, area.end);
            }
        }
    }
    Ok(0)
}

/// munlockall(2)
pub fn sys_munlockall(cx: &Cx<'_>) -> Result<usize> {
    let mm = cx.process.mm()?;
    mm.future_locks.store(0, Ordering::Relaxed);
    for area in mm.list() {
        mm.update_areas(area.start, area.end, |a| a.locked = false)?;
    }
    Ok(0)
}
