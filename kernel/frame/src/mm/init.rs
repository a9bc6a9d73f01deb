//! From the loader's memory map to the frame allocator.

use frame_logic::buddy::FrameMeta;
use frame_logic::regions::{Region, RegionSet};

use super::kernel_map::{self, KERNEL_BASE};
use super::{COUNTERS, DIRECT_MAP, PAGE_SIZE, cache};
use crate::sync::Once;
use core::sync::atomic::Ordering::Relaxed;

/// All RAM, the kernel's own included.
static RAM: Once<RegionSet> = Once::new();

unsafe extern "C" {
    static __kernel_phys_start: u8;
    static __kernel_end: u8;
}

/// Firmware, the real-mode trampoline and loaders live below this: not handed out.
const LOW_MEMORY: u64 = 1 << 20;
/// Mapped by the boot page tables.
const BOOT_MAPPED: u64 = 4 << 30;
/// Highest RAM used: the direct map's size, and 32-bit frame numbers with room to spare.
const RAM_LIMIT: u64 = 1 << 42;

/// Sets up the direct map, the kernel's page table and the frame allocator. `ram` is what the loader calls usable; the `keep` regions are not handed out.
pub fn init(ram: &RegionSet, keep: &[Region]) {
    let mut ram = *ram;
    ram.remove(Region { start: RAM_LIMIT, end: u64::MAX });
    RAM.get_or_init(|| ram);

    let mut free = ram;
    free.remove(Region { start: 0, end: LOW_MEMORY });
    // Only the addresses of these symbols mean something.
    let kernel = Region { start: &raw const __kernel_phys_start as u64, end: &raw const __kernel_end as u64 - KERNEL_BASE };
    free.remove(kernel);
    for region in keep.iter().filter(|r| !r.is_empty()) {
        let page = PAGE_SIZE as u64;
        free.remove(Region { start: region.start & !(page - 1), end: region.end.next_multiple_of(page) });
    }
    free.shrink_to(PAGE_SIZE as u64);

    let top = ram.as_slice().last().map_or(0, |r| r.end);
    let frames = (top / PAGE_SIZE as u64) as usize;
    let bytes = (frames * size_of::<FrameMeta>()) as u64;
    let Some(meta_paddr) = free.take_top(bytes.next_multiple_of(PAGE_SIZE as u64), PAGE_SIZE as u64, BOOT_MAPPED) else {
        panic!("not enough memory below 4 GiB for {frames} frames' metadata");
    };
    let meta_ptr = (DIRECT_MAP + meta_paddr) as *mut FrameMeta;
    // SAFETY: the block was just taken from free RAM, is mapped and large enough; FrameMeta is atomics, for which zeros are valid.
    let meta: &'static [FrameMeta] = unsafe {
        core::ptr::write_bytes(meta_ptr, 0, frames);
        core::slice::from_raw_parts(meta_ptr, frames)
    };

    kernel_map::init(top.max(BOOT_MAPPED), || {
        let frame = free.take_top(PAGE_SIZE as u64, PAGE_SIZE as u64, BOOT_MAPPED);
        frame.unwrap_or_else(|| panic!("no memory for the kernel's page tables"))
    });

    COUNTERS.total.store((free.total() / PAGE_SIZE as u64) as usize, Relaxed);
    cache::init(meta, free.as_slice());
}

/// Whether any byte of the range is RAM.
pub fn ram_overlaps(region: Region) -> bool {
    RAM.get().is_some_and(|ram| ram.overlaps(&region))
}
