//! Time: the TSC, calibrated once; this CPU's timer; the real-time clock.

use core::sync::atomic::{AtomicU64, Ordering};

use frame_logic::acpi::hpet_address;
use frame_logic::rtc::{RtcRegisters, unix_seconds};

use crate::acpi::{acpi_table, fadt};
use crate::arch::{self, MSR_TSC_DEADLINE, cpuid};
use crate::cpu::{features::FEATURES, rdtsc};
use crate::io::Port;
use crate::irq::lapic::{self, LVT_TIMER, MASKED, TIMER_CURRENT, TIMER_DIVIDE, TIMER_INITIAL};
use crate::phys::{CacheMode, MmioRegion};

const NS_PER_MS: u64 = 1_000_000;

/// TSC at start.
static BASE: AtomicU64 = AtomicU64::new(0);
/// Nanoseconds a TSC tick, times 2^32.
static NS_PER_TICK: AtomicU64 = AtomicU64::new(1 << 32);
static TSC_KHZ: AtomicU64 = AtomicU64::new(1_000_000);
/// TSC ticks a nanosecond, times 2^32.
static TICKS_PER_NS: AtomicU64 = AtomicU64::new(1 << 32);
/// Local timer ticks a nanosecond, times 2^32; 0 where the TSC deadline is used.
static TIMER_PER_NS: AtomicU64 = AtomicU64::new(0);

fn scale(value: u64, factor: u64) -> u64 {
    ((value as u128 * factor as u128) >> 32) as u64
}

/// Nanoseconds since the kernel started, by the TSC; never goes back.
#[inline]
pub fn now_ns() -> u64 {
    scale(rdtsc().saturating_sub(BASE.load(Ordering::Relaxed)), NS_PER_TICK.load(Ordering::Relaxed))
}

/// Frequency of the TSC in kHz.
pub fn tsc_khz() -> u64 {
    TSC_KHZ.load(Ordering::Relaxed)
}

/// Converts a TSC value ([`crate::cpu::rdtsc`]) to nanoseconds on the scale of [`now_ns`].
pub fn tsc_to_ns(tsc: u64) -> u64 {
    scale(tsc.saturating_sub(BASE.load(Ordering::Relaxed)), NS_PER_TICK.load(Ordering::Relaxed))
}

/// What [`now_ns`] computes with, for a vDSO: TSC at 0 ns, and the factor: ns = (tsc - base) * factor >> 32.
pub fn tsc_parameters() -> (u64, u64) {
    (BASE.load(Ordering::Relaxed), NS_PER_TICK.load(Ordering::Relaxed))
}

/// Waits until `deadline_ns`, or until `done` is true; gives whether it was.
pub(crate) fn spin_until(deadline_ns: u64, mut done: impl FnMut() -> bool) -> bool {
    loop {
        if done() {
            return true;
        }
        if now_ns() >= deadline_ns {
            return false;
        }
        crate::cpu::relax();
    }
}

/// Calibrates the TSC.
pub(crate) fn init() {
    let hz = tsc_hz_by_cpuid().or_else(tsc_hz_by_hpet).unwrap_or_else(tsc_hz_by_pit);
    TSC_KHZ.store(hz / 1000, Ordering::Relaxed);
    NS_PER_TICK.store(((1_000_000_000u128 << 32) / hz as u128) as u64, Ordering::Relaxed);
    TICKS_PER_NS.store((((hz as u128) << 32) / 1_000_000_000) as u64, Ordering::Relaxed);
    BASE.store(rdtsc(), Ordering::Relaxed);
}

/// Where the CPU or the hypervisor states the frequency.
fn tsc_hz_by_cpuid() -> Option<u64> {
    const HYPERVISOR: u32 = 1 << 31;
    if cpuid(1, 0)[2] & HYPERVISOR != 0 {
        // The leaf VMware introduced; KVM has it too. QEMU's emulator has not.
        let [top, ..] = cpuid(0x4000_0000, 0);
        let khz = if (0x4000_0010..0x4001_0000).contains(&top) { cpuid(0x4000_0010, 0)[0] } else { 0 };
        return (khz != 0).then_some(khz as u64 * 1000);
    }
    if cpuid(0, 0)[0] < 0x15 {
        return None;
    }
    let [denominator, numerator, crystal_hz, _] = cpuid(0x15, 0);
    (denominator != 0 && numerator != 0 && crystal_hz != 0).then(|| crystal_hz as u64 * numerator as u64 / denominator as u64)
}

/// A reading of another clock with the TSC at the same moment: of several the one that took the shortest.
fn paired(mut read: impl FnMut() -> u64) -> (u64, u64) {
    let mut best = (u64::MAX, 0, 0);
    for _ in 0..12 {
        let before = rdtsc();
        let value = read();
        let took = rdtsc() - before;
        if took < best.0 {
            best = (took, before + took / 2, value);
        }
    }
    (best.1, best.2)
}

/// How long the TSC is compared with another clock: reading that takes some microseconds in a VM, which must be far below 0.1 %.
const CALIBRATION_NS: u64 = 50 * NS_PER_MS;

fn tsc_hz_by_hpet() -> Option<u64> {
    const PERIOD_FS: usize = 4;
    const CONFIGURATION: usize = 0x10;
    const COUNTER: usize = 0xf0;
    let region = MmioRegion::map(hpet_address(acpi_table("HPET")?)?, 0x400, CacheMode::Uncached)?;
    let period_fs = region.read_u32(PERIOD_FS) as u64;
    if period_fs == 0 || period_fs > 100_000_000 {
        return None;
    }
    region.write_u32(CONFIGURATION, region.read_u32(CONFIGURATION) | 1);
    let ticks = CALIBRATION_NS * 1_000_000 / period_fs;
    // The low half alone: reading both is no one access everywhere.
    let read = || region.read_u32(COUNTER) as u64;
    let (tsc_start, start) = paired(read);
    while (read().wrapping_sub(start) & 0xffff_ffff) < ticks {
        core::hint::spin_loop();
    }
    let (tsc_end, end) = paired(read);
    let elapsed_fs = (end.wrapping_sub(start) & 0xffff_ffff) as u128 * period_fs as u128;
    (elapsed_fs > 0).then(|| ((tsc_end - tsc_start) as u128 * 1_000_000_000_000_000 / elapsed_fs) as u64)
}

/// By counter 2 of the programmable interval timer, which needs no interrupt: its gate and output are in port 0x61.
fn tsc_hz_by_pit() -> u64 {
    const PIT_HZ: u64 = 1_193_182;
    const COUNT: u64 = 59_659; // 50 ms
    const OUTPUT: u8 = 1 << 5;
    let gate = Port(0x61).read_u8() & !0x03;
    Port(0x61).write_u8(gate);
    Port(0x43).write_u8(0xb0);
    Port(0x42).write_u8(COUNT as u8);
    Port(0x42).write_u8((COUNT >> 8) as u8);
    let start = rdtsc();
    Port(0x61).write_u8(gate | 1);
    while Port(0x61).read_u8() & OUTPUT == 0 {
        core::hint::spin_loop();
    }
    ((rdtsc() - start) as u128 * PIT_HZ as u128 / COUNT as u128) as u64
}

const LVT_TSC_DEADLINE: u32 = 2 << 17;

/// Sets up this CPU's timer, not armed.
pub(crate) fn init_cpu_timer() {
    const DIVIDE_BY_1: u32 = 0b1011;
    if FEATURES.tsc_deadline.load(Ordering::Relaxed) {
        lapic::write(LVT_TIMER, LVT_TSC_DEADLINE | crate::irq::TIMER as u32);
        return;
    }
    lapic::write(TIMER_DIVIDE, DIVIDE_BY_1);
    if TIMER_PER_NS.load(Ordering::Relaxed) == 0 {
        lapic::write(LVT_TIMER, MASKED);
        lapic::write(TIMER_INITIAL, u32::MAX);
        let read = || lapic::read(TIMER_CURRENT) as u64;
        let (tsc_start, start) = paired(read);
        let until = now_ns() + 10 * NS_PER_MS;
        while now_ns() < until {
            core::hint::spin_loop();
        }
        let (tsc_end, end) = paired(read);
        lapic::write(TIMER_INITIAL, 0);
        let ns = scale(tsc_end - tsc_start, NS_PER_TICK.load(Ordering::Relaxed)).max(1);
        TIMER_PER_NS.store((((start - end) as u128) << 32).div_ceil(ns as u128) as u64, Ordering::Relaxed);
    }
    lapic::write(LVT_TIMER, crate::irq::TIMER as u32);
}

/// Lets this CPU's timer fire at `deadline_ns` of [`now_ns`] (in the past: at once); replaces the deadline before. `u64::MAX`: never. Calls [`crate::trap::Hooks::timer`].
///
/// The timer may fire early (by clock differences, or where the deadline is seconds away and the counter is small): the hook compares with [`now_ns`] and arms again.
pub fn arm_timer(deadline_ns: u64) {
    let _irq = crate::sync::IrqGuard::new();
    let per_ns = TIMER_PER_NS.load(Ordering::Relaxed);
    if per_ns == 0 {
        // 0 disarms.
        let ticks = scale(deadline_ns, TICKS_PER_NS.load(Ordering::Relaxed));
        let tsc = if deadline_ns == u64::MAX { 0 } else { BASE.load(Ordering::Relaxed).saturating_add(ticks).max(1) };
        // SAFETY: the register is there with the TSC deadline feature.
        return unsafe { arch::wrmsr(MSR_TSC_DEADLINE, tsc) };
    }
    let count = if deadline_ns == u64::MAX {
        0
    } else {
        scale(deadline_ns.saturating_sub(now_ns()), per_ns).clamp(1, u32::MAX as u64) as u32
    };
    lapic::write(TIMER_INITIAL, count);
}

/// The real-time clock, in seconds since 1970-01-01 UTC (it is taken to run in UTC); 0 where it holds no date. Slow: read once at start.
pub fn rtc_unix_seconds() -> u64 {
    let century = fadt().map_or(0, |fadt| fadt.century);
    let read = |register: u8| {
        Port(0x70).write_u8(register);
        Port(0x71).read_u8()
    };
    let read_all = || {
        const UPDATING: u8 = 0x80;
        for _ in 0..100_000 {
            if read(0x0a) & UPDATING == 0 {
                break;
            }
        }
        RtcRegisters {
            second: read(0),
            minute: read(2),
            hour: read(4),
            day: read(7),
            month: read(8),
            year: read(9),
            century: (century != 0).then(|| read(century)),
            status_b: read(0x0b),
        }
    };
    // Equal twice: no update came in between.
    let mut before = read_all();
    for _ in 0..10 {
        let now = read_all();
        if now == before {
            break;
        }
        before = now;
    }
    unix_seconds(&before).unwrap_or(0)
}
