//! The kernel's half of all page tables.
//!
//! | address | what |
//! | --- | --- |
//! | `0xffff_8000_0000_0000` | direct map of physical memory, large pages |
//! | `0xffff_c000_0000_0000` | kernel stacks, each with an unmapped guard below |
//! | `0xffff_c080_0000_0000` | device memory |
//! | `0xffff_ffff_8000_0000` | the kernel's image; code read-only, data not executable |
//!
//! The upper half of the root table is filled at boot and never changes, so every page table copies it once. Only pages of stacks are ever taken out.

use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};

use super::{COUNTERS, DIRECT_MAP, PAGE_SIZE, cache};
use crate::arch;
use crate::cpu::features::FEATURES;
use crate::paging::flush_kernel;
use crate::phys::CacheMode;
use crate::sync::SpinLock;
use crate::task::KERNEL_STACK_SIZE;

/// The kernel's image is mapped at its physical address plus this.
pub const KERNEL_BASE: u64 = 0xffff_ffff_8000_0000;
/// Region of kernel stacks.
pub const STACKS: u64 = 0xffff_c000_0000_0000;
/// Region of device memory.
pub const DEVICES: u64 = 0xffff_c080_0000_0000;
/// Size of each of the two.
const REGION_SIZE: u64 = 1 << 39;

pub const PRESENT: u64 = 1;
pub const WRITABLE: u64 = 1 << 1;
pub const USER: u64 = 1 << 2;
pub const WRITE_THROUGH: u64 = 1 << 3;
pub const CACHE_DISABLE: u64 = 1 << 4;
pub const ACCESSED: u64 = 1 << 5;
pub const DIRTY: u64 = 1 << 6;
const LARGE: u64 = 1 << 7;
const GLOBAL: u64 = 1 << 8;
const NO_EXECUTE: u64 = 1 << 63;
/// Physical address in an entry.
pub const ADDRESS: u64 = 0x000f_ffff_ffff_f000;

/// A page table of any level.
#[repr(C, align(4096))]
pub struct Table(pub [AtomicU64; 512]);

static ROOT: Table = Table([const { AtomicU64::new(0) }; 512]);

/// NX where the CPU has it.
pub fn no_execute() -> u64 {
    if FEATURES.nx.load(Ordering::Relaxed) { NO_EXECUTE } else { 0 }
}

/// Bits that select a cache mode, by the PAT that [`init_cpu`] programs: entry 1 (PWT) is write-combining, 3 (PWT, PCD) uncached.
pub fn cache_bits(mode: CacheMode) -> u64 {
    match mode {
        CacheMode::WriteBack => 0,
        CacheMode::WriteCombining => WRITE_THROUGH,
        CacheMode::Uncached => WRITE_THROUGH | CACHE_DISABLE,
    }
}

/// The table at a physical address.
///
/// # Safety
/// There must be a page table there, mapped by the direct map, and it must stay for `'a`.
#[inline]
pub unsafe fn table_at<'a>(paddr: u64) -> &'a Table {
    // SAFETY: the caller vouches for it; entries are atomics, so sharing is sound.
    unsafe { &*((DIRECT_MAP + paddr) as *const Table) }
}

fn index(va: u64, level: u32) -> usize {
    (va >> (12 + 9 * level)) as usize & 511
}

/// The entry for `va` in the table of `level` (0: pages, 1: 2 MiB, 2: 1 GiB); missing tables are made from `alloc`'s frames.
fn entry(va: u64, level: u32, alloc: &mut dyn FnMut() -> Option<u64>) -> Option<&'static AtomicU64> {
    let mut table = &ROOT;
    for l in (level + 1..4).rev() {
        let slot = &table.0[index(va, l)];
        let mut value = slot.load(Ordering::Acquire);
        if value & PRESENT == 0 {
            let frame = alloc()?;
            // SAFETY: a fresh frame, ours alone.
            unsafe { core::ptr::write_bytes((DIRECT_MAP + frame) as *mut u8, 0, PAGE_SIZE) };
            value = frame | PRESENT | WRITABLE;
            slot.store(value, Ordering::Release);
        }
        assert!(value & LARGE == 0, "{va:#x} is mapped by a large page");
        // SAFETY: tables of the kernel's half are never freed.
        table = unsafe { table_at(value & ADDRESS) };
    }
    Some(&table.0[index(va, level)])
}

unsafe extern "C" {
    static __text_start: u8;
    static __text_end: u8;
    static __rodata_end: u8;
    static __kernel_end: u8;
    static boot_stack_guard: u8;
}

/// Builds the kernel's half for physical memory up to `top`, with tables from `alloc`, and activates it on this CPU.
pub fn init(top: u64, mut alloc: impl FnMut() -> u64) {
    let mut alloc = || Some(alloc());
    let nx = no_execute();
    let (size, level) = if FEATURES.gib_pages.load(Ordering::Relaxed) { (1u64 << 30, 2) } else { (2 << 20, 1) };
    for paddr in (0..top).step_by(size as usize) {
        set(DIRECT_MAP + paddr, level, paddr | PRESENT | WRITABLE | LARGE | GLOBAL | nx, &mut alloc);
    }
    let ends = [&raw const __text_start as u64, &raw const __text_end as u64, &raw const __rodata_end as u64, &raw const __kernel_end as u64];
    for (range, bits) in [(ends[0]..ends[1], 0), (ends[1]..ends[2], nx), (ends[2]..ends[3], nx | WRITABLE)] {
        for va in range.step_by(PAGE_SIZE).filter(|&va| va != &raw const boot_stack_guard as u64) {
            set(va, 0, (va - KERNEL_BASE) | PRESENT | GLOBAL | bits, &mut alloc);
        }
    }
    // These get their second level now, so that the root never changes.
    for region in [STACKS, DEVICES] {
        entry(region, 2, &mut alloc);
    }
    init_cpu();
}

fn set(va: u64, level: u32, value: u64, alloc: &mut dyn FnMut() -> Option<u64>) {
    if let Some(slot) = entry(va, level, alloc) {
        slot.store(value, Ordering::Release);
    }
}

/// Physical address of the kernel's root table, with an empty user half.
pub fn root_paddr() -> u64 {
    &raw const ROOT as u64 - KERNEL_BASE
}

/// Copies the kernel's half into a new root table.
pub fn copy_kernel_half(root: &Table) {
    for i in 256..512 {
        root.0[i].store(ROOT.0[i].load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

/// Sets this CPU's paging features and activates the kernel's page table.
pub fn init_cpu() {
    /// WB, WC, UC-, UC; the upper half (never selected) likewise.
    const PAT: u64 = 0x0007_0106_0007_0106;
    let on = |feature: &core::sync::atomic::AtomicBool, bit| if feature.load(Ordering::Relaxed) { bit } else { 0 };
    // SAFETY: all x86-64 CPUs have EFER and the PAT; bits are set only where CPUID reports them. The kernel's table maps all the kernel uses, the running code and stack included.
    unsafe {
        let efer = arch::rdmsr(arch::MSR_EFER) | arch::EFER_SCE | on(&FEATURES.nx, arch::EFER_NXE);
        arch::wrmsr(arch::MSR_EFER, efer);
        arch::wrmsr(arch::MSR_PAT, PAT);
        let cr0 = arch::read_cr0() & !(arch::CR0_EM | arch::CR0_TS | arch::CR0_AM | arch::CR0_CD | arch::CR0_NW);
        arch::write_cr0(cr0 | arch::CR0_MP | arch::CR0_NE | arch::CR0_WP);
        arch::write_cr3(root_paddr());
        let cr4 = arch::read_cr4() | arch::CR4_PGE | arch::CR4_OSFXSR | arch::CR4_OSXMMEXCPT;
        let cr4 = cr4 | on(&FEATURES.smep, arch::CR4_SMEP) | on(&FEATURES.smap, arch::CR4_SMAP) | on(&FEATURES.umip, arch::CR4_UMIP);
        arch::write_cr4(cr4);
    }
}

/// Serialises changes; holds the next free addresses of STACKS and DEVICES.
static REGIONS: SpinLock<[u64; 2]> = SpinLock::new([STACKS, DEVICES]);

fn table_frame() -> Option<u64> {
    let pfn = cache::alloc_order(0)?;
    COUNTERS.page_tables.fetch_add(1, Ordering::Relaxed);
    Some((pfn as u64) << 12)
}

/// Reserves `size` bytes of addresses in a region (0: stacks, 1: devices).
fn reserve(which: usize, size: u64) -> Option<u64> {
    let mut next = REGIONS.lock();
    let base = next[which];
    let end = base.checked_add(size)?;
    if end > [STACKS, DEVICES][which] + REGION_SIZE {
        return None;
    }
    next[which] = end;
    Some(base)
}

fn map_pages(va: u64, paddrs: impl Iterator<Item = u64>, bits: u64) -> Option<()> {
    let _serial = REGIONS.lock();
    for (i, paddr) in paddrs.enumerate() {
        let slot = entry(va + (i * PAGE_SIZE) as u64, 0, &mut table_frame)?;
        slot.store(paddr | PRESENT | WRITABLE | GLOBAL | no_execute() | bits, Ordering::Release);
    }
    Some(())
}

/// Maps a new kernel stack of `size` bytes with as many unmapped below it; gives its lowest address.
pub fn map_stack(size: usize) -> Option<u64> {
    const MOST: usize = KERNEL_STACK_SIZE / PAGE_SIZE;
    let pages = (size / PAGE_SIZE).min(MOST);
    // All before any is mapped: where one is missing, those before it go back. Programs make threads as they like, so the reserve is not for stacks.
    let mut frames = [0; MOST];
    for at in 0..pages {
        let Some(pfn) = cache::alloc_frame_above_reserve() else {
            frames[..at].iter().for_each(|pfn| cache::free_frame(*pfn));
            return None;
        };
        frames[at] = pfn;
    }
    let unmapped = SPARE.lock().pop();
    let Some(base) = unmapped.or_else(|| Some(reserve(0, 2 * size as u64)? + size as u64)) else {
        frames[..pages].iter().for_each(|pfn| cache::free_frame(*pfn));
        return None;
    };
    COUNTERS.kernel_stacks.fetch_add(pages, Ordering::Relaxed);
    // For want of a page table, which may come out of the reserve, they would be lost.
    map_pages(base, frames[..pages].iter().map(|pfn| u64::from(*pfn) << 12), 0)?;
    Some(base)
}

/// Addresses of stacks that were unmapped.
static SPARE: SpinLock<Vec<u64>> = SpinLock::new(Vec::new());

/// Most stacks that [`unmap_stacks`] takes.
pub const UNMAPPED_AT_ONCE: usize = 8;

/// Takes stacks of [`KERNEL_STACK_SIZE`], at most [`UNMAPPED_AT_ONCE`], that nobody will use any more, out of the map, and gives their frames back. Waits for the other CPUs.
pub fn unmap_stacks(bases: &[u64]) {
    const PAGES: usize = KERNEL_STACK_SIZE / PAGE_SIZE;
    let mut frames = [0; UNMAPPED_AT_ONCE * PAGES];
    let mut count = 0;
    {
        let _serial = REGIONS.lock();
        for va in bases.iter().take(UNMAPPED_AT_ONCE).flat_map(|base| (0..PAGES).map(move |page| base + (page * PAGE_SIZE) as u64)) {
            // The tables are there.
            let Some(slot) = entry(va, 0, &mut || None) else { continue };
            let old = slot.swap(0, Ordering::AcqRel);
            if old & PRESENT != 0 {
                frames[count] = ((old & ADDRESS) >> 12) as u32;
                count += 1;
            }
        }
    }
    flush_kernel();
    frames[..count].iter().for_each(|pfn| cache::free_frame(*pfn));
    COUNTERS.kernel_stacks.fetch_sub(count, Ordering::Relaxed);
    let mut spare = SPARE.lock();
    // Without memory for the list the addresses are lost.
    if spare.try_reserve(bases.len()).is_ok() {
        spare.extend_from_slice(bases);
    }
}

/// Maps physical pages; gives their address. Not RAM (checked by the caller).
pub fn map_device(paddr: u64, len: usize, mode: CacheMode) -> Option<u64> {
    let first = paddr & !(PAGE_SIZE as u64 - 1);
    let end = paddr.checked_add(len as u64)?.checked_next_multiple_of(PAGE_SIZE as u64)?;
    if end > ADDRESS {
        return None;
    }
    let va = reserve(1, end - first)?;
    map_pages(va, (first..end).step_by(PAGE_SIZE), cache_bits(mode))?;
    Some(va + (paddr - first))
}

/// Whether `len` bytes at a kernel address may be read without a fault (for backtraces).
pub fn kernel_address_readable(va: u64, len: u64) -> bool {
    let Some(last) = va.checked_add(len - 1) else { return false };
    [va, last].iter().all(|&va| {
        if va < DIRECT_MAP {
            return false;
        }
        let mut table = &ROOT;
        for level in (0..4).rev() {
            let value = table.0[index(va, level)].load(Ordering::Acquire);
            if value & PRESENT == 0 {
                // Before the kernel's table is built the boot page tables map the image.
                return ROOT.0[511].load(Ordering::Relaxed) == 0 && va >= KERNEL_BASE;
            }
            if level == 0 || value & LARGE != 0 {
                return true;
            }
            // SAFETY: tables of the kernel's half are never freed.
            table = unsafe { table_at(value & ADDRESS) };
        }
        false
    })
}
