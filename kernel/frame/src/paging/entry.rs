//! The bits of a leaf entry.

use super::{Entry, EntryInfo, MapTarget, PteFlags};
use crate::mm::kernel_map::{ACCESSED, ADDRESS, CACHE_DISABLE, DIRTY, PRESENT, USER, WRITABLE, WRITE_THROUGH, cache_bits, no_execute};
use crate::mm::{Frame, cache};
use crate::phys::CacheMode;
use core::sync::atomic::Ordering;

const SOFT_A: u64 = 1 << 9;
const SOFT_B: u64 = 1 << 10;
/// The entry owns a reference to a frame of RAM.
const RAM: u64 = 1 << 11;
/// Set in every entry in use, also in those that are not present; so 0 is an empty entry.
const VALID: u64 = 1 << 52;
/// EXEC, also where the CPU has no NX bit.
const EXEC: u64 = 1 << 53;

/// The bits for access and soft flags.
fn flag_bits(flags: PteFlags) -> u64 {
    let mut bits = VALID | USER;
    if flags.intersects(PteFlags::READ | PteFlags::WRITE | PteFlags::EXEC) {
        bits |= PRESENT;
    }
    if flags.contains(PteFlags::WRITE) {
        bits |= WRITABLE;
    }
    bits |= if flags.contains(PteFlags::EXEC) { EXEC } else { no_execute() };
    if flags.contains(PteFlags::SOFT_A) {
        bits |= SOFT_A;
    }
    if flags.contains(PteFlags::SOFT_B) {
        bits |= SOFT_B;
    }
    bits
}

/// Makes an entry; it owns the target's reference from now on.
pub fn make(target: MapTarget, flags: PteFlags) -> u64 {
    flag_bits(flags)
        | match target {
            MapTarget::Ram(frame) => frame.into_paddr() | RAM,
            MapTarget::Phys(paddr, mode) => paddr & ADDRESS | cache_bits(mode),
        }
}

/// The same entry with other flags.
pub fn with_flags(value: u64, flags: PteFlags) -> u64 {
    value & (ADDRESS | RAM | ACCESSED | DIRTY | WRITE_THROUGH | CACHE_DISABLE) | flag_bits(flags)
}

/// Whether CPUs may hold a translation that allows more than the new entry does, or leads elsewhere.
pub fn needs_flush(old: u64, new: u64) -> bool {
    let lost = |bit: u64| old & bit != 0 && new & bit == 0;
    old & PRESENT != 0
        && (lost(PRESENT) || lost(WRITABLE) || lost(EXEC) || (old ^ new) & (ADDRESS | WRITE_THROUGH | CACHE_DISABLE) != 0)
}

pub fn is_present(value: u64) -> bool {
    value & PRESENT != 0
}

pub fn is_writable(value: u64) -> bool {
    value & WRITABLE != 0
}

/// Physical address of the frame the entry owns a reference to.
pub fn ram(value: u64) -> Option<u64> {
    (value & RAM != 0).then_some(value & ADDRESS)
}

fn flags(value: u64) -> PteFlags {
    let mut flags = PteFlags::empty();
    flags.set(PteFlags::READ, value & PRESENT != 0);
    flags.set(PteFlags::WRITE, value & WRITABLE != 0);
    flags.set(PteFlags::EXEC, value & EXEC != 0);
    flags.set(PteFlags::SOFT_A, value & SOFT_A != 0);
    flags.set(PteFlags::SOFT_B, value & SOFT_B != 0);
    flags
}

/// What an entry says.
pub fn info(value: u64) -> EntryInfo {
    let paddr = value & ADDRESS;
    EntryInfo {
        paddr,
        ram: value & RAM != 0,
        refcount: if value & RAM != 0 { cache::meta((paddr >> 12) as u32).refcount.load(Ordering::Relaxed) } else { 0 },
        flags: flags(value),
        accessed: value & ACCESSED != 0,
        dirty: value & DIRTY != 0,
    }
}

/// What an entry says, with a new reference to its frame.
///
/// # Safety
/// The entry is in a table whose lock is held, or was just taken out and still owns its reference.
pub unsafe fn cloned(value: u64) -> Entry {
    let target = match ram(value) {
        Some(paddr) => {
            // SAFETY: the entry owns a reference; ManuallyDrop leaves it that one, and the clone is a new one.
            let owned = core::mem::ManuallyDrop::new(unsafe { Frame::from_paddr(paddr) });
            MapTarget::Ram((*owned).clone())
        }
        None => {
            let mode = match (value & WRITE_THROUGH != 0, value & CACHE_DISABLE != 0) {
                (_, true) => CacheMode::Uncached,
                (true, false) => CacheMode::WriteCombining,
                (false, false) => CacheMode::WriteBack,
            };
            MapTarget::Phys(value & ADDRESS, mode)
        }
    };
    Entry { target, flags: flags(value), accessed: value & ACCESSED != 0, dirty: value & DIRTY != 0 }
}
