//! GRUB 2.06: its images for BIOS and UEFI, and embedding the BIOS ones into a disk image without root or loop devices.

use std::path::Path;
use std::process::Command;

use crate::error::{Error, IoContext, Result};
use crate::host;

/// Modules for both platforms: what `boot/grub.cfg` uses.
pub(crate) const MODULES: &[&str] = &[
    "all_video",
    "boot",
    "cat",
    "configfile",
    "echo",
    "fat",
    "font",
    "gfxmenu",
    "gfxterm",
    "gfxterm_background",
    "halt",
    "help",
    "ls",
    "minicmd",
    "multiboot2",
    "normal",
    "part_gpt",
    "part_msdos",
    "png",
    "reboot",
    "search",
    "search_fs_file",
    "serial",
    "sleep",
    "terminal",
    "test",
    "true",
    "video",
    "video_fb",
];

/// Where Debian puts GRUB's files.
const GRUB_LIB: &str = "/usr/lib/grub";

/// Makes `BOOTX64.EFI`: GRUB for UEFI with all it needs. Without a device in its prefix it uses the partition it was
/// loaded from.
pub(crate) fn efi_image(output: &Path) -> Result<()> {
    let modules = MODULES.iter().chain(&["efi_gop", "efifwsetup"]);
    mkimage("x86_64-efi", "/boot/grub", output, modules)
}

/// Makes `core.img`: GRUB for BIOS, for the BIOS boot partition. Its prefix names the boot drive's second partition.
pub(crate) fn bios_core(output: &Path) -> Result<()> {
    let modules = MODULES.iter().chain(&["biosdisk", "vbe", "vga"]);
    mkimage("i386-pc", "(,gpt2)/boot/grub", output, modules)
}

fn mkimage<'m>(
    format: &str,
    prefix: &str,
    output: &Path,
    modules: impl Iterator<Item = &'m &'m str>,
) -> Result<()> {
    let mut command = Command::new("grub-mkimage");
    command
        .args(["--format", format, "--prefix", prefix, "--directory"])
        .arg(Path::new(GRUB_LIB).join(format));
    command.arg("--output").arg(output).args(modules);
    host::run(&mut command).map(|_| ())
}

/// GRUB's first sector for the master boot record.
pub(crate) fn boot_sector() -> Result<Vec<u8>> {
    let path = Path::new(GRUB_LIB).join("i386-pc/boot.img");
    std::fs::read(&path).on("read", &path)
}

/// Bytes a sector, of disks and in GRUB's block lists.
pub const SECTOR: u64 = 512;

/// Puts GRUB's boot code into the first sector of a disk; `core_sector` is where its core image begins. The disk's partition
/// table and signature (from byte 440) stay.
///
/// The offsets are GRUB's interface between `boot.img` and its installer (`include/grub/i386/pc/boot.h`).
pub fn install_boot_sector(
    mbr: &mut [u8; 512],
    boot: &[u8],
    core_sector: u64,
) -> Result<()> {
    const CODE_END: usize = 440;
    const KERNEL_SECTOR: usize = 0x5c;
    const DRIVE_CHECK: usize = 0x66;
    let Some(code) = boot.get(..CODE_END).filter(|_| boot.len() == 512) else {
        return Err(Error::image("GRUB", "boot.img is not one sector"));
    };
    mbr[..CODE_END].copy_from_slice(code);
    mbr[KERNEL_SECTOR..KERNEL_SECTOR + 8].copy_from_slice(&core_sector.to_le_bytes());
    // Two NOPs in place of a jump turn on the check for BIOSes that pass a wrong boot drive, as the installer does for
    // hard disks.
    mbr[DRIVE_CHECK..DRIVE_CHECK + 2].copy_from_slice(&[0x90, 0x90]);
    Ok(())
}

/// Tells the core image's first sector where the rest of it is: in one piece behind it. `core_sector` is where it begins.
///
/// The sector ends with a block list (`include/grub/offsets.h`, `struct grub_pc_bios_boot_blocklist`): first sector (u64),
/// count (u16), segment to load it to (u16).
pub fn install_block_list(core: &mut [u8], core_sector: u64) -> Result<()> {
    const BLOCK_LIST: usize = 512 - 12;
    // diskboot.img is at 0x8000, the rest follows it.
    const SEGMENT: u16 = 0x820;
    if core.len() <= 512 {
        return Err(Error::image(
            "GRUB",
            "core.img has nothing behind its first sector",
        ));
    }
    let sectors = (core.len() as u64 - SECTOR).div_ceil(SECTOR);
    let sectors =
        u16::try_from(sectors).map_err(|_| Error::image("GRUB", "core.img is too large"))?;
    core[BLOCK_LIST..BLOCK_LIST + 8].copy_from_slice(&(core_sector + 1).to_le_bytes());
    core[BLOCK_LIST + 8..BLOCK_LIST + 10].copy_from_slice(&sectors.to_le_bytes());
    core[BLOCK_LIST + 10..]
        .get_mut(..2)
        .ok_or_else(|| Error::image("GRUB", "core.img is too short"))?
        .copy_from_slice(&SEGMENT.to_le_bytes());
    Ok(())
}
