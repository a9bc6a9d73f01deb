//! From the loader to [`crate::entry!`]'s function.
//!
//! `entry.s` brings both loaders' 32-bit entries to long mode with the first 4 GiB mapped. [`frame_boot`] then works through the stages in an order where each needs
//! only those before: this CPU's data, serial log, CPU features, descriptor tables, memory map, page tables, frames, heap, ACPI, time, interrupts.

use core::arch::global_asm;
use core::cell::UnsafeCell;
use core::sync::atomic::Ordering;

use frame_logic::boot::{Handover, Rsdp, parse_multiboot2, parse_pvh};
use frame_logic::regions::Region;

use crate::sync::Once;
use crate::{acpi, arch, cpu, irq, log, mm, panic, time, trap, user};

global_asm!(include_str!("boot/entry.s"), options(att_syntax));

/// How the kernel was loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootSource {
    /// `qemu -kernel` (the Xen PVH entry point).
    Pvh,
    /// A multiboot2 loader on PC firmware.
    Multiboot2Bios,
    /// A multiboot2 loader on UEFI.
    Multiboot2Efi,
}

/// The linear framebuffer the loader set up. Colours take 8 bits each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FramebufferInfo {
    /// Physical address of the first pixel.
    pub phys: u64,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Bytes from one line to the next.
    pub pitch: u32,
    /// Bits per pixel (24 or 32).
    pub bpp: u8,
    /// Position of red's lowest bit in a pixel.
    pub red_shift: u8,
    /// Position of green's lowest bit in a pixel.
    pub green_shift: u8,
    /// Position of blue's lowest bit in a pixel.
    pub blue_shift: u8,
}

/// What the loader told the kernel.
#[derive(Debug)]
pub struct BootInfo {
    /// The protocol the kernel was loaded with.
    pub source: BootSource,
    /// The kernel's command line.
    pub cmdline: &'static str,
    /// The first module, empty where there is none. Its frames are never handed out.
    pub initfs: &'static [u8],
    /// The framebuffer, where the loader set one up.
    pub framebuffer: Option<FramebufferInfo>,
    /// Physical address of the ACPI root pointer.
    pub rsdp: Option<u64>,
    /// Size of the usable memory in KiB.
    pub memory_kib: u64,
}

static BOOT_INFO: Once<BootInfo> = Once::new();

/// Longest command line kept, in bytes.
const CMDLINE_MAX: usize = 4096;

/// A copy of the command line: the loader's is in memory that will be used otherwise.
struct CmdlineBuffer(UnsafeCell<[u8; CMDLINE_MAX]>);
// SAFETY: written once, by frame_boot, before anything reads it.
unsafe impl Sync for CmdlineBuffer {}
static CMDLINE: CmdlineBuffer = CmdlineBuffer(UnsafeCell::new([0; CMDLINE_MAX]));

/// Physical memory below this is mapped by the boot page tables.
const BOOT_MAPPED: u64 = 4 << 30;

/// Memory as the boot page tables map it.
fn boot_memory(address: u64, len: usize) -> Option<&'static [u8]> {
    if address.checked_add(len as u64)? > BOOT_MAPPED {
        return None;
    }
    // SAFETY: the range is mapped; what the loader put there is not written until the frame allocator starts, and users of it past that reserve it.
    Some(unsafe { core::slice::from_raw_parts((mm::DIRECT_MAP + address) as *const u8, len) })
}

unsafe extern "Rust" {
    /// Defined by `entry!` in the kernel crate.
    safe fn __frame_kernel_main(boot: &'static BootInfo) -> !;
}

/// Called by `entry.s`: `source` is 0 for PVH, 1 for multiboot2; `info` is the physical address of the loader's structure.
#[unsafe(no_mangle)]
extern "C" fn frame_boot(source: u32, info: u32) -> ! {
    // SAFETY: this is the boot CPU's first act, interrupts are off.
    unsafe { cpu::local::init(0) };
    log::init();
    cpu::features::detect();
    trap::init_cpu();
    let info = info as u64;

    let (handover, info_region) = match parse(source, info) {
        Ok(parsed) => parsed,
        Err(problem) => {
            log::print(format_args!("frame: the loader's information is malformed: {problem}\n"));
            arch::halt_forever()
        }
    };
    let cmdline = keep_cmdline(handover.cmdline);
    if cmdline.split_ascii_whitespace().any(|word| word == "debug-exit") {
        panic::DEBUG_EXIT.store(true, Ordering::Relaxed);
    }
    let rsdp = handover.rsdp.map(|rsdp| match rsdp {
        Rsdp::Phys(address) => address,
        Rsdp::InInfo(offset) => info + offset as u64,
    });

    // Multiboot2 information is kept for the root pointer in it, the module for the initfs.
    mm::init(&handover.ram, &[info_region, handover.module.unwrap_or_default()]);

    let module = handover.module.unwrap_or_default();
    // SAFETY: the module is RAM, mapped by the direct map, and its frames are reserved.
    let initfs = unsafe { core::slice::from_raw_parts((mm::DIRECT_MAP + module.start) as *const u8, module.len() as usize) };
    let source = match (source, handover.efi) {
        (0, _) => BootSource::Pvh,
        (_, false) => BootSource::Multiboot2Bios,
        (_, true) => BootSource::Multiboot2Efi,
    };
    let framebuffer = handover.framebuffer.map(|fb| FramebufferInfo {
        phys: fb.phys,
        width: fb.width,
        height: fb.height,
        pitch: fb.pitch,
        bpp: fb.bpp,
        red_shift: fb.shifts[0],
        green_shift: fb.shifts[1],
        blue_shift: fb.shifts[2],
    });
    let boot = BOOT_INFO.get_or_init(|| BootInfo { source, cmdline, initfs, framebuffer, rsdp, memory_kib: handover.ram.total() >> 10 });

    acpi::init(rsdp);
    time::init();
    irq::init();
    cpu::init_boot_cpu();
    user::fpu::init_boot_cpu();
    time::init_cpu_timer();
    // SAFETY: no guard is alive, all handlers are in place.
    unsafe { arch::sti() };
    __frame_kernel_main(boot)
}

fn parse(source: u32, info: u64) -> Result<(Handover<'static>, Region), &'static str> {
    if source == 0 {
        // Whatever of it is used later is copied.
        return parse_pvh(info, boot_memory).map(|h| (h, Region::default())).map_err(|e| e.0);
    }
    let head = boot_memory(info, 8).ok_or("out of reach")?;
    let total = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
    let data = boot_memory(info, total as usize).ok_or("out of reach")?;
    parse_multiboot2(data).map(|h| (h, Region::new(info, total as u64))).map_err(|e| e.0)
}

fn keep_cmdline(cmdline: &[u8]) -> &'static str {
    let len = cmdline.len().min(CMDLINE_MAX);
    // SAFETY: called once, before anybody else can have a reference into the buffer.
    let kept = unsafe {
        let buffer = &mut *CMDLINE.0.get();
        buffer[..len].copy_from_slice(&cmdline[..len]);
        &buffer[..len]
    };
    // What follows a byte that is no UTF-8 is dropped.
    match core::str::from_utf8(kept) {
        Ok(text) => text.trim(),
        Err(bad) => core::str::from_utf8(&kept[..bad.valid_up_to()]).unwrap_or("").trim(),
    }
}
