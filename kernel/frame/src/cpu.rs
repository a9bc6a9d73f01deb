//! CPUs.

pub(crate) mod local;

use alloc::string::String;
use alloc::vec::Vec;

/// Highest number of CPUs used.
pub const MAX_CPUS: usize = 32;

/// Number of this CPU: 0 is the boot CPU. A thread may be elsewhere after it slept.
#[inline]
pub fn id() -> usize {
    todo!()
}

/// Number of CPUs that run.
#[inline]
pub fn count() -> usize {
    todo!()
}

/// Number of CPUs the firmware reports (at most [`MAX_CPUS`]).
pub fn possible() -> usize {
    todo!()
}

/// Starts the other CPUs; each calls `main(cpu)` with interrupts enabled and must stay there. Returns when all that respond are up; gives their number with this one.
pub fn start_others(main: fn(cpu: usize) -> !) -> usize {
    let _ = main;
    todo!()
}

/// Interrupts another CPU: its [`crate::trap::Hooks::resched_ipi`] is called.
pub fn send_resched(cpu: usize) {
    let _ = cpu;
    todo!()
}

/// Halts until an interrupt was handled, unless `wake` (asked with interrupts off) is true. Interrupts are enabled on return. No wake-up between the question and the halt is lost.
pub fn halt_until_interrupt(wake: impl FnOnce() -> bool) {
    let _ = wake;
    todo!()
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
}

/// The time stamp counter.
#[inline]
pub fn rdtsc() -> u64 {
    // SAFETY: rdtsc is there on all x86-64 CPUs and touches no memory.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// A hardware random number, where the CPU has them.
pub fn rdrand() -> Option<u64> {
    todo!()
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
    todo!()
}
