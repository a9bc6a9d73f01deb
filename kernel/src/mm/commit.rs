//! How much memory may be asked for beyond what there is (`vm.overcommit_memory`, `proc_sys_vm(5)`; Linux's `Documentation/mm/overcommit-accounting.rst`).
//!
//! What is promised is not counted along, but added up when it is asked for: only the strict mode has to know it at each mapping, and nobody
//! pays for it elsewhere.

use alloc::vec::Vec;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::{AddressSpace, Area, Backing, PAGE};
use crate::error::*;
use crate::task::{self, process};

/// `vm.overcommit_memory`: 0 refuses what can never be there, 1 nothing, 2 what is beyond [`limit`].
pub static MODE: AtomicUsize = AtomicUsize::new(0);
/// `vm.overcommit_ratio`: the limit in percent of the memory.
pub static RATIO: AtomicUsize = AtomicUsize::new(50);
/// `vm.overcommit_kbytes`: the limit itself, where it is not 0.
pub static KILOBYTES: AtomicUsize = AtomicUsize::new(0);
/// What only root may have of it, at most, kB (`vm.admin_reserve_kbytes`).
pub static FOR_ROOT: AtomicUsize = AtomicUsize::new(8192);
const STRICT: usize = 2;

/// Pages that may be promised in the strict mode.
pub fn limit() -> usize {
    match KILOBYTES.load(Ordering::Relaxed) {
        0 => frame::mm::stats().total / 100 * RATIO.load(Ordering::Relaxed) + frame::mm::stats().total % 100 * RATIO.load(Ordering::Relaxed) / 100,
        kilobytes => kilobytes * 1024 / PAGE,
    }
}

/// Pages that an area promises: those that may be written to and are nobody else's.
fn promised_by(area: &Area) -> usize {
    let is_private = !area.shared && area.prot.contains(super::Prot::WRITE);
    if is_private && (matches!(area.backing, Backing::Anonymous) || area.max_prot.contains(super::Prot::WRITE)) { area.len() / PAGE } else { 0 }
}

/// Pages that an address space promises.
pub fn promised_in(space: &AddressSpace) -> usize {
    space.list().iter().map(promised_by).sum()
}

/// Pages that are promised to all programs (`Committed_AS`).
pub fn promised() -> usize {
    let mut seen: Vec<*const AddressSpace> = Vec::new();
    let mut pages = crate::fs::pagecache::cached_pages().1;
    for space in process::all().iter().filter_map(|it| it.mm().ok()) {
        let at = alloc::sync::Arc::as_ptr(&space);
        // vfork(2): two processes with one.
        if !seen.contains(&at) {
            seen.push(at);
            pages += promised_in(&space);
        }
    }
    pages
}

/// Whether so many more pages may be promised. No lock of an address space may be held.
///
/// # Errors
/// `ENOMEM`.
pub fn check(pages: usize) -> Result {
    let fits = match MODE.load(Ordering::Relaxed) {
        0 => pages <= frame::mm::stats().total,
        STRICT => is_within(pages),
        _ => true,
    };
    if fits { Ok(()) } else { Err(ENOMEM) }
}

/// Whether a copy of an address space may be promised (fork).
///
/// # Errors
/// `ENOMEM`.
pub fn check_copy(space: &AddressSpace) -> Result {
    if MODE.load(Ordering::Relaxed) != STRICT || is_within(promised_in(space)) { Ok(()) } else { Err(ENOMEM) }
}

fn is_within(pages: usize) -> bool {
    let kept = if task::capable(task::Capability::SYS_ADMIN) { 0 } else { FOR_ROOT.load(Ordering::Relaxed) * 1024 / PAGE };
    promised().saturating_add(pages) <= limit().saturating_sub(kept)
}
