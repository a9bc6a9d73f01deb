//! What the CPU can do. Nothing beyond the x86-64 baseline is assumed.

use alloc::string::String;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::CpuInfo;
use crate::arch::cpuid;

/// Features that the frame itself uses, set once by [`detect`] on the boot CPU before anything else looks.
pub struct Features {
    pub nx: AtomicBool,
    pub smep: AtomicBool,
    pub smap: AtomicBool,
    pub umip: AtomicBool,
    pub gib_pages: AtomicBool,
    pub xsave: AtomicBool,
    pub x2apic: AtomicBool,
    pub tsc_deadline: AtomicBool,
    pub rdrand: AtomicBool,
    /// Emulated by QEMU, where string instructions are slow.
    pub tcg: AtomicBool,
}

pub static FEATURES: Features = Features {
    nx: AtomicBool::new(false),
    smep: AtomicBool::new(false),
    smap: AtomicBool::new(false),
    umip: AtomicBool::new(false),
    gib_pages: AtomicBool::new(false),
    xsave: AtomicBool::new(false),
    x2apic: AtomicBool::new(false),
    tsc_deadline: AtomicBool::new(false),
    rdrand: AtomicBool::new(false),
    tcg: AtomicBool::new(false),
};

fn leaf(number: u32, sub: u32) -> [u32; 4] {
    if number <= cpuid(number & 0x8000_0000, 0)[0] { cpuid(number, sub) } else { [0; 4] }
}

/// The hypervisor's signature, zeros on bare metal.
fn hypervisor() -> [u8; 12] {
    const PRESENT: u32 = 1 << 31;
    if leaf(1, 0)[2] & PRESENT == 0 {
        return [0; 12];
    }
    let [_, b, c, d] = cpuid(0x4000_0000, 0);
    text([b, c, d])
}

fn text<const N: usize, const B: usize>(words: [u32; N]) -> [u8; B] {
    let mut out = [0; B];
    for (chunk, word) in out.chunks_exact_mut(4).zip(words) {
        chunk.copy_from_slice(&word.to_le_bytes());
    }
    out
}

/// Fills [`FEATURES`].
pub fn detect() {
    let bit = |word: u32, bit: u32| word & 1 << bit != 0;
    let [_, _, c1, _] = leaf(1, 0);
    let [_, b7, c7, _] = leaf(7, 0);
    let d81 = leaf(0x8000_0001, 0)[3];
    FEATURES.nx.store(bit(d81, 20), Relaxed);
    FEATURES.gib_pages.store(bit(d81, 26), Relaxed);
    FEATURES.smep.store(bit(b7, 7), Relaxed);
    FEATURES.smap.store(bit(b7, 20), Relaxed);
    FEATURES.umip.store(bit(c7, 2), Relaxed);
    FEATURES.xsave.store(bit(c1, 26), Relaxed);
    FEATURES.x2apic.store(bit(c1, 21), Relaxed);
    FEATURES.tsc_deadline.store(bit(c1, 24), Relaxed);
    FEATURES.rdrand.store(bit(c1, 30), Relaxed);
    FEATURES.tcg.store(&hypervisor() == b"TCGTCGTCGTCG", Relaxed);
}

fn string(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_matches(['\0', ' ']).into()
}

/// Everything for `/proc/cpuinfo`.
pub fn describe() -> CpuInfo {
    let [_, b, c, d] = cpuid(0, 0);
    let vendor: [u8; 12] = text([b, d, c]);
    let mut name = Vec::new();
    for n in 0x8000_0002..=0x8000_0004 {
        name.extend_from_slice(&text::<4, 16>(leaf(n, 0)));
    }
    let [a1, _, _, d1] = leaf(1, 0);
    let (family, model) = (a1 >> 8 & 15, a1 >> 4 & 15);
    let sizes = leaf(0x8000_0008, 0)[0];
    CpuInfo {
        vendor: string(&vendor),
        model_name: string(&name),
        family: if family == 15 { family + (a1 >> 20 & 0xff) } else { family },
        model: if family == 6 || family == 15 { model | (a1 >> 16 & 15) << 4 } else { model },
        stepping: a1 & 15,
        flags: flags(),
        phys_bits: if sizes == 0 { 36 } else { sizes as u8 },
        virt_bits: if sizes == 0 { 48 } else { (sizes >> 8) as u8 },
        hwcap: d1,
        hypervisor: string(&hypervisor()),
    }
}

/// Leaf, subleaf, register (0 eax .. 3 edx), and the names of bits that Linux prints, in its order.
type Word = (u32, u32, usize, &'static [(u32, &'static str)]);

const WORDS: &[Word] = &[
    (1, 0, 3, &[
        (0, "fpu"), (1, "vme"), (2, "de"), (3, "pse"), (4, "tsc"), (5, "msr"), (6, "pae"), (7, "mce"), (8, "cx8"), (9, "apic"), (11, "sep"), (12, "mtrr"),
        (13, "pge"), (14, "mca"), (15, "cmov"), (16, "pat"), (17, "pse36"), (19, "clflush"), (23, "mmx"), (24, "fxsr"), (25, "sse"), (26, "sse2"), (27, "ss"),
        (28, "ht"),
    ]),
    (0x8000_0001, 0, 3, &[
        (11, "syscall"), (19, "mp"), (20, "nx"), (22, "mmxext"), (25, "fxsr_opt"), (26, "pdpe1gb"), (27, "rdtscp"), (29, "lm"), (30, "3dnowext"), (31, "3dnow"),
    ]),
    (1, 0, 2, &[
        (0, "pni"), (1, "pclmulqdq"), (3, "monitor"), (9, "ssse3"), (12, "fma"), (13, "cx16"), (17, "pcid"), (19, "sse4_1"), (20, "sse4_2"), (21, "x2apic"),
        (22, "movbe"), (23, "popcnt"), (24, "tsc_deadline_timer"), (25, "aes"), (26, "xsave"), (28, "avx"), (29, "f16c"), (30, "rdrand"), (31, "hypervisor"),
    ]),
    (0x8000_0001, 0, 2, &[
        (0, "lahf_lm"), (1, "cmp_legacy"), (2, "svm"), (4, "cr8_legacy"), (5, "abm"), (6, "sse4a"), (7, "misalignsse"), (8, "3dnowprefetch"),
    ]),
    (7, 0, 1, &[
        (0, "fsgsbase"), (3, "bmi1"), (5, "avx2"), (7, "smep"), (8, "bmi2"), (9, "erms"), (10, "invpcid"), (14, "mpx"), (16, "avx512f"), (17, "avx512dq"),
        (18, "rdseed"), (19, "adx"), (20, "smap"), (23, "clflushopt"), (24, "clwb"), (28, "avx512cd"), (29, "sha_ni"), (30, "avx512bw"), (31, "avx512vl"),
    ]),
    (0xd, 1, 0, &[(0, "xsaveopt"), (1, "xsavec"), (2, "xgetbv1"), (3, "xsaves")]),
    (7, 0, 2, &[(2, "umip"), (3, "pku"), (9, "vaes"), (10, "vpclmulqdq"), (16, "la57"), (22, "rdpid")]),
    (7, 0, 3, &[(4, "fsrm")]),
];

fn flags() -> Vec<&'static str> {
    let mut out = Vec::new();
    for &(number, sub, register, names) in WORDS {
        let word = leaf(number, sub)[register];
        out.extend(names.iter().filter(|(bit, _)| word & 1 << bit != 0).map(|(_, name)| *name));
    }
    out
}
