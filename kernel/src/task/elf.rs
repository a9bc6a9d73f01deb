//! Reading ELF headers (System V ABI; `elf(5)`). Only what `execve` needs; every number from the file is checked.

use alloc::vec::Vec;

use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

use crate::error::*;

/// The file header of a 64-bit ELF file.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
#[allow(missing_docs)]
pub struct Header {
    pub ident: [u8; 16],
    pub kind: u16,
    pub machine: u16,
    pub version: u32,
    pub entry: u64,
    pub phoff: u64,
    pub shoff: u64,
    pub flags: u32,
    pub ehsize: u16,
    pub phentsize: u16,
    pub phnum: u16,
    pub shentsize: u16,
    pub shnum: u16,
    pub shstrndx: u16,
}

/// A program header.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
#[allow(missing_docs)]
pub struct ProgramHeader {
    pub kind: u32,
    pub flags: u32,
    pub offset: u64,
    pub vaddr: u64,
    pub paddr: u64,
    pub filesz: u64,
    pub memsz: u64,
    pub align: u64,
}

pub const PT_LOAD: u32 = 1;
pub const PT_INTERP: u32 = 3;
pub const PT_PHDR: u32 = 6;
pub const PT_GNU_STACK: u32 = 0x6474_e551;
pub const PF_X: u32 = 1;
pub const PF_W: u32 = 2;
pub const PF_R: u32 = 4;

/// What `execve` wants to know of an ELF file.
pub struct Elf {
    /// The file header.
    pub header: Header,
    /// The program headers.
    pub segments: Vec<ProgramHeader>,
}

impl Elf {
    /// Reads the headers with `read_at`, which must fill the buffer or fail.
    ///
    /// # Errors
    /// `ENOEXEC` for what is no x86-64 executable; errors of `read_at`.
    pub fn parse(mut read_at: impl FnMut(u64, &mut [u8]) -> Result) -> Result<Self> {
        let mut header = Header::new_zeroed();
        read_at(0, header.as_mut_bytes())?;
        let ident_ok = header.ident[..4] == *b"\x7fELF" && header.ident[4] == 2 && header.ident[5] == 1;
        let kind_ok = matches!(header.kind, 2 | 3) && header.machine == 62;
        if !ident_ok || !kind_ok || usize::from(header.phentsize) != size_of::<ProgramHeader>() || header.phnum == 0 || header.phnum > 512 {
            return Err(ENOEXEC);
        }
        let mut segments = alloc::vec![ProgramHeader::new_zeroed(); header.phnum.into()];
        read_at(header.phoff, segments.as_mut_slice().as_mut_bytes()).map_err(|_| ENOEXEC)?;
        for s in segments.iter().filter(|s| s.kind == PT_LOAD) {
            let sane = s.filesz <= s.memsz
                && s.vaddr.checked_add(s.memsz).is_some_and(|end| end < super::super::mm::MAX_ADDRESS as u64)
                && s.offset.checked_add(s.filesz).is_some()
                && s.vaddr % 4096 == s.offset % 4096;
            if !sane {
                return Err(ENOEXEC);
            }
        }
        if !segments.iter().any(|s| s.kind == PT_LOAD) {
            return Err(ENOEXEC);
        }
        Ok(Self { header, segments })
    }

    /// Whether it can be loaded anywhere (`ET_DYN`).
    pub fn is_relocatable(&self) -> bool {
        self.header.kind == 3
    }

    /// The page-aligned range of addresses that its segments span.
    pub fn span(&self) -> (u64, u64) {
        let loads = self.segments.iter().filter(|s| s.kind == PT_LOAD);
        let start = loads.clone().map(|s| s.vaddr).min().unwrap_or(0) & !0xfff;
        let end = loads.map(|s| s.vaddr + s.memsz).max().unwrap_or(0).next_multiple_of(4096);
        (start, end)
    }

    /// The largest alignment its segments ask for, at least a page.
    pub fn alignment(&self) -> u64 {
        let aligns = self.segments.iter().filter(|s| s.kind == PT_LOAD).map(|s| s.align);
        aligns.filter(|a| a.is_power_of_two()).max().unwrap_or(4096).clamp(4096, 2 << 20)
    }
}
