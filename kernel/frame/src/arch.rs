//! Machine instructions and registers without a policy of their own.

use core::arch::asm;

/// Reads a model-specific register.
///
/// # Safety
/// The register must exist.
#[inline]
pub unsafe fn rdmsr(msr: u32) -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: the caller vouches for the register; reading has no effect on memory.
    unsafe { asm!("rdmsr", in("ecx") msr, out("eax") low, out("edx") high, options(nostack, preserves_flags)) };
    (high as u64) << 32 | low as u64
}

/// Writes a model-specific register.
///
/// # Safety
/// The register must exist, accept the value, and the effect must be sound.
#[inline]
pub unsafe fn wrmsr(msr: u32, value: u64) {
    // SAFETY: the caller vouches for it.
    unsafe { asm!("wrmsr", in("ecx") msr, in("eax") value as u32, in("edx") (value >> 32) as u32, options(nostack, preserves_flags)) };
}

pub const MSR_APIC_BASE: u32 = 0x1b;
pub const MSR_TSC_DEADLINE: u32 = 0x6e0;
pub const MSR_PAT: u32 = 0x277;
pub const MSR_EFER: u32 = 0xc000_0080;
pub const MSR_STAR: u32 = 0xc000_0081;
pub const MSR_LSTAR: u32 = 0xc000_0082;
pub const MSR_CSTAR: u32 = 0xc000_0083;
pub const MSR_SFMASK: u32 = 0xc000_0084;
pub const MSR_FS_BASE: u32 = 0xc000_0100;
pub const MSR_GS_BASE: u32 = 0xc000_0101;
pub const MSR_KERNEL_GS_BASE: u32 = 0xc000_0102;

pub const EFER_SCE: u64 = 1;
pub const EFER_NXE: u64 = 1 << 11;

pub const CR0_MP: u64 = 1 << 1;
pub const CR0_EM: u64 = 1 << 2;
pub const CR0_TS: u64 = 1 << 3;
pub const CR0_NE: u64 = 1 << 5;
pub const CR0_WP: u64 = 1 << 16;
pub const CR0_AM: u64 = 1 << 18;
pub const CR0_CD: u64 = 1 << 30;
pub const CR0_NW: u64 = 1 << 29;
pub const CR4_PGE: u64 = 1 << 7;
pub const CR4_OSFXSR: u64 = 1 << 9;
pub const CR4_OSXMMEXCPT: u64 = 1 << 10;
pub const CR4_UMIP: u64 = 1 << 11;
pub const CR4_OSXSAVE: u64 = 1 << 18;
pub const CR4_SMEP: u64 = 1 << 20;
pub const CR4_SMAP: u64 = 1 << 21;

macro_rules! control_register {
    ($name:literal, $read:ident, $write:ident) => {
        #[doc = concat!("Reads ", $name, ".")]
        #[inline]
        pub fn $read() -> u64 {
            let value: u64;
            // SAFETY: reading a control register has no effect.
            unsafe { asm!(concat!("mov {}, ", $name), out(reg) value, options(nomem, nostack, preserves_flags)) };
            value
        }
        #[doc = concat!("Writes ", $name, ".")]
        ///
        /// # Safety
        /// The effect must be sound.
        #[inline]
        #[allow(dead_code)]
        pub unsafe fn $write(value: u64) {
            // SAFETY: the caller vouches for it.
            unsafe { asm!(concat!("mov ", $name, ", {}"), in(reg) value, options(nostack, preserves_flags)) };
        }
    };
}

control_register!("cr0", read_cr0, write_cr0);
control_register!("cr2", read_cr2, write_cr2);
control_register!("cr3", read_cr3, write_cr3);
control_register!("cr4", read_cr4, write_cr4);

/// Forgets the translation of one page on this CPU.
#[inline]
pub fn invlpg(va: u64) {
    // SAFETY: dropping a cached translation is always sound.
    unsafe { asm!("invlpg [{}]", in(reg) va, options(nostack, preserves_flags)) };
}

/// Whether interrupts are enabled.
#[inline]
pub fn interrupts_enabled() -> bool {
    let flags: u64;
    // SAFETY: push and pop balance.
    unsafe { asm!("pushfq", "pop {}", out(reg) flags, options(preserves_flags)) };
    flags & 1 << 9 != 0
}

/// Disables interrupts.
#[inline]
pub fn cli() {
    // SAFETY: fewer interrupts are always sound. Not `nomem`: it orders accesses like a lock.
    unsafe { asm!("cli", options(nostack)) };
}

/// Enables interrupts.
///
/// # Safety
/// No lock that interrupt handlers take may be held; the per-CPU count must be 0.
#[inline]
pub unsafe fn sti() {
    // SAFETY: the caller vouches for it.
    unsafe { asm!("sti", options(nostack)) };
}

/// Stops this CPU.
pub fn halt_forever() -> ! {
    loop {
        // SAFETY: with interrupts off, hlt stops until an NMI, after which it is executed again.
        unsafe { asm!("cli", "hlt", options(nomem, nostack)) };
    }
}

/// CPUID leaf `leaf`, subleaf `sub`: eax, ebx, ecx, edx.
pub fn cpuid(leaf: u32, sub: u32) -> [u32; 4] {
    let r = core::arch::x86_64::__cpuid_count(leaf, sub);
    [r.eax, r.ebx, r.ecx, r.edx]
}

/// Writes an extended control register.
///
/// # Safety
/// CR4.OSXSAVE is set and the value is valid.
pub unsafe fn xsetbv(register: u32, value: u64) {
    // SAFETY: the caller vouches for it.
    unsafe { asm!("xsetbv", in("ecx") register, in("eax") value as u32, in("edx") (value >> 32) as u32, options(nostack, preserves_flags)) };
}
