//! From the loader to [`crate::entry!`]'s function.

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
