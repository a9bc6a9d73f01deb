//! CPUs.

pub(crate) mod features;
pub(crate) mod hold;
pub(crate) mod ipi;
pub(crate) mod local;
mod start;

use alloc::string::String;
use alloc::vec::Vec;
use core::arch::asm;
use core::sync::atomic::Ordering;

use crate::arch;
use crate::sync::Once;

pub use hold::with_others_held;
pub use start::{possible, start_others};

/// Highest number of CPUs used.
pub const MAX_CPUS: usize = 32;

/// Number of this CPU: 0 is the boot CPU. A thread may be elsewhere after it slept.
#[inline]
pub fn id() -> usize {
    local::id()
}

/// Number of CPUs that run.
#[inline]
pub fn count() -> usize {
    local::COUNT.load(Ordering::Acquire)
}

/// Interrupts another CPU: its [`crate::trap::Hooks::resched_ipi`] is called.
pub fn send_resched(cpu: usize) {
    ipi::send_resched(cpu);
}

/// Halts until an interrupt was handled, unless `wake` (asked with interrupts off) is true. Interrupts are enabled on return. No wake-up between the question and the halt is lost.
pub fn halt_until_interrupt(wake: impl FnOnce() -> bool) {
    assert!(local::irq_depth() == 0, "halting with interrupts held off");
    arch::cli();
    if wake() {
        // SAFETY: no guard is alive.
        unsafe { arch::sti() };
        return;
    }
    // SAFETY: no guard is alive. `sti` takes effect after the next instruction, so an interrupt wakes the `hlt`, never comes before it.
    unsafe { asm!("sti", "hlt", options(nostack)) };
}

/// The `pause` instruction.
#[inline]
pub fn pause() {
    core::hint::spin_loop();
}

/// For the body of loops that wait for another CPU: `pause`, and answers TLB shootdowns where interrupts are off.
#[inline]
pub fn relax() {
    core::hint::spin_loop();
    ipi::poll();
}

/// The time stamp counter.
#[inline]
pub fn rdtsc() -> u64 {
    // SAFETY: rdtsc is there on all x86-64 CPUs and touches no memory.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// A hardware random number, where the CPU has them.
pub fn rdrand() -> Option<u64> {
    if !features::FEATURES.rdrand.load(Ordering::Relaxed) {
        return None;
    }
    // The generator may be exhausted for a moment.
    (0..16).find_map(|_| {
        let (value, ok): (u64, u8);
        // SAFETY: the instruction is there.
        unsafe { asm!("rdrand {}", "setc {}", out(reg) value, out(reg_byte) ok, options(nomem, nostack)) };
        (ok == 1).then_some(value)
    })
}

/// What the boot CPU is, for `/proc/cpuinfo` and for choosing code.
#[derive(Clone, Debug, Default)]
pub struct CpuInfo {
    /// `GenuineIntel`, `AuthenticAMD`, ...
    pub vendor: String,
    /// Marketing name.
    pub model_name: String,
    /// Family, extended family added.
    pub family: u32,
    /// Model, extended model included.
    pub model: u32,
    /// Stepping.
    pub stepping: u32,
    /// Feature names as Linux spells them.
    pub flags: Vec<&'static str>,
    /// Bits of physical addresses.
    pub phys_bits: u8,
    /// Bits of virtual addresses.
    pub virt_bits: u8,
    /// CPUID leaf 1 EDX (AT_HWCAP).
    pub hwcap: u32,
    /// Name of the hypervisor (`TCGTCGTCGTCG`, `KVMKVMKVM`), empty on bare metal.
    pub hypervisor: String,
}

/// What the boot CPU is.
pub fn info() -> &'static CpuInfo {
    static INFO: Once<CpuInfo> = Once::new();
    INFO.get_or_init(features::describe)
}

/// Chooses how memory is copied, by the CPU.
pub(crate) fn init_boot_cpu() {
    let slow = features::FEATURES.tcg.load(Ordering::Relaxed);
    crate::mm::copy::frame_slow_strings.store(slow as u8, Ordering::Relaxed);
}
