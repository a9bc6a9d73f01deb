//! The code of the vDSO (`vdso(7)`): functions that user programs call to read clocks without a system call.
//!
//! The kernel maps an image made of [`text`] into every program, and before it a page of data: it reads the TSC parameters and the offset of real time there,
//! guarded by a sequence number that is odd while they change.

use core::arch::global_asm;

/// Where the code lies in the image, in bytes.
pub const TEXT: usize = 0x800;
/// Size of a page, and so how far before the image the data begins.
const PAGE: usize = 4096;

/// Offsets in the data page: the sequence number (u32), TSC at 0 ns, nanoseconds a tick times 2^32, nanoseconds from the monotonic clock to real time.
pub const SEQUENCE: usize = 0;
#[allow(missing_docs)]
pub const BASE: usize = 8;
#[allow(missing_docs)]
pub const FACTOR: usize = 16;
#[allow(missing_docs)]
pub const REAL_TIME: usize = 24;

/// The functions of the image, with their C names, in the order of the code's table.
pub const FUNCTIONS: [&str; 5] = ["__vdso_clock_gettime", "__vdso_gettimeofday", "__vdso_time", "__vdso_clock_getres", "__vdso_getcpu"];

global_asm!(
    include_str!("vdso.s"),
    DATA_BEFORE_TEXT = const TEXT + PAGE,
    SEQUENCE = const SEQUENCE,
    BASE = const BASE,
    FACTOR = const FACTOR,
    REAL_TIME = const REAL_TIME,
);

unsafe extern "C" {
    static frame_vdso_start: u8;
    static frame_vdso_entries: [u64; FUNCTIONS.len() + 1];
}

/// The code, to be copied to [`TEXT`] in the image.
pub fn text() -> &'static [u8] {
    // SAFETY: the assembler has put the table and the code there, the last entry of the table is the code's length.
    unsafe { core::slice::from_raw_parts(&raw const frame_vdso_start, frame_vdso_entries[FUNCTIONS.len()] as usize) }
}

/// Where each of [`FUNCTIONS`] begins in [`text`], and how long it is.
pub fn entries() -> [(usize, usize); FUNCTIONS.len()] {
    // SAFETY: as above.
    let table = unsafe { &frame_vdso_entries };
    core::array::from_fn(|i| (table[i] as usize, (table[i + 1] - table[i]) as usize))
}
