//! The vDSO (`vdso(7)`): an ELF image with the frame's functions that read clocks, made at start, and the page of data they use.

use alloc::sync::Arc;
use alloc::vec::Vec;

use frame::mm::Frame;
use frame::vdso;

use super::{AddressSpace, Backing, MapRequest, MemoryObject, ObjectPage, PAGE, Placement, Prot};
use crate::error::{EFAULT, ENOMEM, Result};
use crate::sync::{Once, SpinLock};

/// Two pages: the data, then the image.
struct Pages {
    data: Frame,
    image: Frame,
}

impl MemoryObject for Pages {
    fn page(&self, index: u64, _for_write: bool) -> Result<ObjectPage> {
        match index {
            0 => Ok(ObjectPage::Ram(self.data.clone())),
            1 => Ok(ObjectPage::Ram(self.image.clone())),
            _ => Err(EFAULT),
        }
    }
}

static PAGES: Once<Option<Arc<Pages>>> = Once::new();
/// Held while the data changes.
static CHANGE: SpinLock<u32> = SpinLock::new(0);

fn pages() -> Option<&'static Arc<Pages>> {
    PAGES
        .get_or_init(|| {
            let pages = Pages { data: Frame::alloc_zeroed()?, image: Frame::alloc_zeroed()? };
            pages.image.write(0, &image());
            let (base, factor) = frame::time::tsc_parameters();
            pages.data.write(vdso::BASE, &base.to_le_bytes());
            pages.data.write(vdso::FACTOR, &factor.to_le_bytes());
            Some(Arc::new(pages))
        })
        .as_ref()
}

/// Real time is now so many nanoseconds ahead of the monotonic clock.
pub fn set_real_time(offset_ns: i64) {
    let Some(pages) = pages() else { return };
    let mut sequence = CHANGE.lock();
    pages.data.write(vdso::SEQUENCE, &sequence.wrapping_add(1).to_le_bytes());
    pages.data.write(vdso::REAL_TIME, &offset_ns.to_le_bytes());
    *sequence = sequence.wrapping_add(2);
    pages.data.write(vdso::SEQUENCE, &sequence.to_le_bytes());
}

/// Maps it into a new program. Returns the image's address, for `AT_SYSINFO_EHDR`.
///
/// # Errors
/// `ENOMEM`.
pub fn map(space: &Arc<AddressSpace>) -> Result<u64> {
    let object: Arc<dyn MemoryObject> = pages().ok_or(ENOMEM)?.clone();
    let request = |place, pages: usize, first: u64, prot, label| MapRequest {
        backing: Backing::Object { object: object.clone(), first, file: None },
        label: Some(label),
        ..MapRequest::anonymous(place, pages * PAGE, prot)
    };
    // A place for both; the second page then is the image's.
    let at = space.map(request(Placement::Hint(0), 2, 0, Prot::READ, "[vvar]"))?;
    space.map(request(Placement::Fixed(at + PAGE), 1, 1, Prot::READ | Prot::EXEC, "[vdso]"))?;
    Ok((at + PAGE) as u64)
}

/// Bytes of an ELF file, put together from parts.
#[derive(Default)]
struct Image(Vec<u8>);

impl Image {
    fn u16(&mut self, values: &[u16]) {
        values.iter().for_each(|value| self.0.extend(value.to_le_bytes()));
    }

    fn u32(&mut self, values: &[u32]) {
        values.iter().for_each(|value| self.0.extend(value.to_le_bytes()));
    }

    fn u64(&mut self, values: &[u64]) {
        values.iter().for_each(|value| self.0.extend(value.to_le_bytes()));
    }

    /// Goes on at an address (which is also the place in the file).
    fn at(&mut self, at: usize) {
        self.0.resize(at, 0);
    }
}

/// The hash function of symbol tables (System V ABI, chapter 5, "Hash Table").
fn hash(name: &str) -> u32 {
    name.bytes().fold(0u32, |h, byte| {
        let h = (h << 4).wrapping_add(byte.into());
        let high = h & 0xf000_0000;
        (h ^ high >> 24) & !high
    })
}

/// The ELF file: one segment, with a symbol table, versions and the code.
fn image() -> Vec<u8> {
    const NAME: &str = "linux-vdso.so.1";
    const VERSION: &str = "LINUX_2.6";
    const PROGRAM_HEADERS: usize = 64;
    const DYNAMIC: usize = 0x100;
    const SYMBOLS: usize = 0x200;
    const STRINGS: usize = 0x300;
    const HASH: usize = 0x400;
    const VERSYM: usize = 0x480;
    const VERDEF: usize = 0x4a0;
    let mut strings = alloc::vec![0u8];
    let mut string = |text: &str| {
        let at = strings.len() as u32;
        strings.extend(text.as_bytes());
        strings.push(0);
        at
    };
    let (soname, version) = (string(NAME), string(VERSION));
    let names = vdso::FUNCTIONS.map(&mut string);
    let count = vdso::FUNCTIONS.len() + 1;
    let size = vdso::TEXT + vdso::text().len();

    let mut out = Image::default();
    // ELF header: 64-bit, little-endian, a shared object for x86-64.
    out.0.extend([0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    out.u16(&[3, 62]);
    out.u32(&[1]);
    out.u64(&[0, PROGRAM_HEADERS as u64, 0]);
    out.u32(&[0]);
    out.u16(&[64, 56, 2, 64, 0, 0]);
    // PT_LOAD, readable and executable; PT_DYNAMIC.
    let mut segment = |kind: u32, flags: u32, at: usize, len: usize, align: u64| {
        out.u32(&[kind, flags]);
        out.u64(&[at as u64, at as u64, at as u64, len as u64, len as u64, align]);
    };
    let dynamic: [(u64, u64); 11] = [
        (14, soname.into()),        // DT_SONAME
        (4, HASH as u64),           // DT_HASH
        (5, STRINGS as u64),        // DT_STRTAB
        (6, SYMBOLS as u64),        // DT_SYMTAB
        (10, strings.len() as u64), // DT_STRSZ
        (11, 24),                   // DT_SYMENT
        (0x6fff_fff0, VERSYM as u64), // DT_VERSYM
        (0x6fff_fffc, VERDEF as u64), // DT_VERDEF
        (0x6fff_fffd, 2),           // DT_VERDEFNUM
        (30, 0),                    // DT_FLAGS
        (0, 0),
    ];
    segment(1, 5, 0, size, PAGE as u64);
    segment(2, 4, DYNAMIC, dynamic.len() * 16, 8);
    out.at(DYNAMIC);
    for (tag, value) in dynamic {
        out.u64(&[tag, value]);
    }
    out.at(SYMBOLS);
    out.u64(&[0; 3]);
    for (name, (at, len)) in names.iter().zip(vdso::entries()) {
        out.u32(&[*name]);
        // A global function, visible to all, in no particular section (an absolute one would not be moved).
        out.0.extend([0x12, 0]);
        out.u16(&[1]);
        out.u64(&[(vdso::TEXT + at) as u64, len as u64]);
    }
    out.at(STRINGS);
    out.0.extend(&strings);
    // One bucket: the symbols form a chain.
    out.at(HASH);
    out.u32(&[1, count as u32, 1, 0]);
    (1..count as u32).for_each(|i| out.u32(&[if i + 1 < count as u32 { i + 1 } else { 0 }]));
    out.at(VERSYM);
    out.u16(&[0, 2, 2, 2, 2, 2]);
    out.at(VERDEF);
    for (flags, index, text, string, next) in [(1u16, 1u16, NAME, soname, 28u32), (0, 2, VERSION, version, 0)] {
        out.u16(&[1, flags, index, 1]);
        out.u32(&[hash(text), 20, next, string, 0]);
    }
    out.at(vdso::TEXT);
    out.0.extend(vdso::text());
    out.0
}
