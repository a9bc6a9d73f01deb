//! Parsers of what loaders hand over: multiboot2 information and the PVH start structure.
//!
//! Sources: Multiboot2 Specification 2.0, section 3; Xen's `public/arch-x86/hvm/start_info.h`.

use crate::bytes::{u8_at, u32_at, u64_at};
use crate::regions::{Region, RegionSet};

/// The linear framebuffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Framebuffer {
    /// Physical address.
    pub phys: u64,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Bytes a line.
    pub pitch: u32,
    /// Bits a pixel.
    pub bpp: u8,
    /// Lowest bits of red, green and blue in a pixel.
    pub shifts: [u8; 3],
}

/// Where the ACPI root pointer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rsdp {
    /// At this physical address.
    Phys(u64),
    /// A copy at this offset of the multiboot2 information.
    InInfo(usize),
}

/// What a loader said.
#[derive(Clone, Copy, Debug)]
pub struct Handover<'a> {
    /// The command line, without NUL.
    pub cmdline: &'a [u8],
    /// The first module.
    pub module: Option<Region>,
    /// The ACPI root pointer.
    pub rsdp: Option<Rsdp>,
    /// The framebuffer.
    pub framebuffer: Option<Framebuffer>,
    /// Usable RAM.
    pub ram: RegionSet,
    /// The firmware is UEFI.
    pub efi: bool,
}

impl Handover<'_> {
    fn empty() -> Self {
        Handover { cmdline: &[], module: None, rsdp: None, framebuffer: None, ram: RegionSet::new(), efi: false }
    }
}

/// Why the structure is no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

fn until_nul(data: &[u8]) -> &[u8] {
    data.split(|&byte| byte == 0).next().unwrap_or(&[])
}

/// Type of usable memory in all three memory maps.
const RAM: u32 = 1;

/// Parses multiboot2 information.
pub fn parse_multiboot2(info: &[u8]) -> Result<Handover<'_>, Malformed> {
    const CMDLINE: u32 = 1;
    const MODULE: u32 = 3;
    const MMAP: u32 = 6;
    const FRAMEBUFFER: u32 = 8;
    const EFI32: u32 = 11;
    const EFI64: u32 = 12;
    const ACPI_OLD: u32 = 14;
    const ACPI_NEW: u32 = 15;
    const EFI_MMAP: u32 = 17;

    let total = u32_at(info, 0).ok_or(Malformed("no size"))? as usize;
    let info = info.get(..total).ok_or(Malformed("size beyond the end"))?;
    let mut out = Handover::empty();
    let mut at = 8;
    loop {
        let kind = u32_at(info, at).ok_or(Malformed("no end tag"))?;
        let size = u32_at(info, at + 4).ok_or(Malformed("cut tag"))? as usize;
        if kind == 0 {
            break;
        }
        let tag = at.checked_add(size).and_then(|end| info.get(at..end)).filter(|tag| tag.len() >= 8).ok_or(Malformed("tag beyond the end"))?;
        match kind {
            CMDLINE => out.cmdline = until_nul(&tag[8..]),
            MODULE if out.module.is_none() => {
                let start = u32_at(tag, 8).ok_or(Malformed("module tag"))? as u64;
                let end = u32_at(tag, 12).ok_or(Malformed("module tag"))? as u64;
                out.module = Some(Region { start, end });
            }
            MMAP => {
                let entry_size = u32_at(tag, 8).ok_or(Malformed("memory map"))? as usize;
                if entry_size < 24 {
                    return Err(Malformed("memory map entries too small"));
                }
                for entry in tag[16.min(tag.len())..].chunks_exact(entry_size) {
                    if u32_at(entry, 16) == Some(RAM) {
                        out.ram.add(Region::new(u64_at(entry, 0).unwrap_or(0), u64_at(entry, 8).unwrap_or(0)));
                    }
                }
            }
            FRAMEBUFFER => out.framebuffer = framebuffer(tag),
            EFI32 | EFI64 | EFI_MMAP => out.efi = true,
            // The newer structure wins.
            ACPI_OLD if out.rsdp.is_none() => out.rsdp = Some(Rsdp::InInfo(at + 8)),
            ACPI_NEW => out.rsdp = Some(Rsdp::InInfo(at + 8)),
            _ => {}
        }
        at += size.next_multiple_of(8);
    }
    if out.ram.as_slice().is_empty() {
        return Err(Malformed("no memory map"));
    }
    Ok(out)
}

fn framebuffer(tag: &[u8]) -> Option<Framebuffer> {
    const RGB: u8 = 1;
    let bpp = u8_at(tag, 28)?;
    if u8_at(tag, 29)? != RGB || !(bpp == 24 || bpp == 32) {
        return None;
    }
    // Position and size of red, green, blue.
    let colour = |i: usize| (u8_at(tag, 32 + 2 * i), u8_at(tag, 33 + 2 * i));
    let mut shifts = [0; 3];
    for (i, shift) in shifts.iter_mut().enumerate() {
        let (Some(position), Some(8)) = colour(i) else { return None };
        *shift = position;
    }
    Some(Framebuffer { phys: u64_at(tag, 8)?, pitch: u32_at(tag, 16)?, width: u32_at(tag, 20)?, height: u32_at(tag, 24)?, bpp, shifts })
}

/// Parses the PVH start structure at physical address `info`; `memory(address, length)` gives physical memory.
pub fn parse_pvh<'a>(info: u64, memory: impl Fn(u64, usize) -> Option<&'a [u8]>) -> Result<Handover<'a>, Malformed> {
    const MAGIC: u32 = 0x336e_c578;
    let start = memory(info, 56).ok_or(Malformed("start structure out of reach"))?;
    if u32_at(start, 0) != Some(MAGIC) {
        return Err(Malformed("bad magic number"));
    }
    if u32_at(start, 4).unwrap_or(0) < 1 {
        return Err(Malformed("version 0 has no memory map"));
    }
    let mut out = Handover::empty();
    let field = |offset| u64_at(start, offset).unwrap_or(0);
    let (modules, modlist, cmdline, rsdp) = (u32_at(start, 12).unwrap_or(0), field(16), field(24), field(32));
    if modules > 0 {
        let module = memory(modlist, 32).ok_or(Malformed("module list out of reach"))?;
        out.module = Some(Region::new(u64_at(module, 0).unwrap_or(0), u64_at(module, 8).unwrap_or(0)));
    }
    if cmdline != 0 {
        out.cmdline = until_nul(memory(cmdline, 4096).ok_or(Malformed("command line out of reach"))?);
    }
    out.rsdp = (rsdp != 0).then_some(Rsdp::Phys(rsdp));
    let entries = u32_at(start, 48).unwrap_or(0) as usize;
    let map = memory(field(40), entries * 24).ok_or(Malformed("memory map out of reach"))?;
    for entry in map.chunks_exact(24) {
        if u32_at(entry, 16) == Some(RAM) {
            out.ram.add(Region::new(u64_at(entry, 0).unwrap_or(0), u64_at(entry, 8).unwrap_or(0)));
        }
    }
    if out.ram.as_slice().is_empty() {
        return Err(Malformed("no memory map"));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(out: &mut Vec<u8>, kind: u32, body: &[u8]) {
        out.extend(kind.to_le_bytes());
        out.extend((body.len() as u32 + 8).to_le_bytes());
        out.extend(body);
        out.resize(out.len().next_multiple_of(8), 0);
    }

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|w| w.to_le_bytes()).collect()
    }

    fn info() -> Vec<u8> {
        let mut out = vec![0; 8];
        tag(&mut out, 1, b"root=/dev/vda3 debug\0");
        tag(&mut out, 3, &[words(&[0x20_0000, 0x30_0000]), b"initfs\0".to_vec()].concat());
        tag(&mut out, 3, &words(&[1, 2, 0]));
        tag(&mut out, 6, &words(&[24, 0, 0, 0, 0x9fc00, 0, 1, 0, 0xf0000, 0, 0x10000, 0, 2, 0, 0x10_0000, 0, 0x1000_0000, 0, 1, 0]));
        tag(&mut out, 8, &[words(&[0xfd00_0000, 0, 5120, 1280, 800]), vec![32, 1, 0, 0, 16, 8, 8, 8, 0, 8]].concat());
        tag(&mut out, 14, &[0; 20]);
        tag(&mut out, 0, &[]);
        let len = out.len() as u32;
        out[..4].copy_from_slice(&len.to_le_bytes());
        out
    }

    #[test]
    fn multiboot2_is_understood() {
        let info = info();
        let got = parse_multiboot2(&info).unwrap();
        assert_eq!(got.cmdline, b"root=/dev/vda3 debug");
        assert_eq!(got.module, Some(Region { start: 0x20_0000, end: 0x30_0000 }));
        assert_eq!(got.ram.as_slice(), [Region::new(0, 0x9fc00), Region::new(0x10_0000, 0x1000_0000)]);
        let fb = got.framebuffer.unwrap();
        assert_eq!((fb.phys, fb.pitch, fb.width, fb.height, fb.bpp, fb.shifts), (0xfd00_0000, 5120, 1280, 800, 32, [16, 8, 0]));
        assert!(matches!(got.rsdp, Some(Rsdp::InInfo(_))));
        assert!(!got.efi);
    }

    #[test]
    fn any_cut_or_broken_multiboot2_is_an_error_or_harmless() {
        let info = info();
        for len in 0..info.len() {
            assert!(parse_multiboot2(&info[..len]).is_err());
        }
        for i in 0..info.len() {
            let mut broken = info.clone();
            broken[i] = 0xff;
            let _ = parse_multiboot2(&broken);
        }
    }

    #[test]
    fn pvh_is_understood() {
        let mut ram = vec![0u8; 0x2000];
        let mut put = |at: usize, bytes: &[u8]| ram[at..at + bytes.len()].copy_from_slice(bytes);
        put(0x100, &words(&[0x336e_c578, 1, 0, 1, 0x200, 0, 0x300, 0, 0xf5a0, 0, 0x400, 0, 2, 0]));
        put(0x200, &words(&[0x7000_0000, 0, 0x1234, 0, 0, 0, 0, 0]));
        put(0x300, b"quiet\0");
        put(0x400, &words(&[0, 0, 0xa0000, 0, 1, 0, 0x10_0000, 0, 0x7ff0_0000, 0, 1, 0]));
        let memory = |address: u64, len: usize| ram.get(address as usize..address as usize + len);
        let got = parse_pvh(0x100, memory).unwrap();
        assert_eq!(got.cmdline, b"quiet");
        assert_eq!(got.module, Some(Region::new(0x7000_0000, 0x1234)));
        assert_eq!(got.rsdp, Some(Rsdp::Phys(0xf5a0)));
        assert_eq!(got.ram.total(), 0xa0000 + 0x7ff0_0000);
        assert!(parse_pvh(0x104, memory).is_err());
        assert!(parse_pvh(0x1fff, memory).is_err());
    }
}
