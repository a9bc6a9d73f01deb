//! The local interrupt controller: registers in memory, or, as x2APIC, model-specific registers. Source: Intel SDM volume 3, chapter 11.

use core::sync::atomic::{AtomicBool, Ordering};

use frame_logic::acpi::{MadtEntry, madt_apic_address, madt_entries};

use super::SPURIOUS;
use crate::acpi::acpi_table;
use crate::arch::{self, MSR_APIC_BASE};
use crate::cpu::features::FEATURES;
use crate::cpu::local;
use crate::phys::{CacheMode, MmioRegion};
use crate::sync::Once;

const ID: usize = 0x20;
const TASK_PRIORITY: usize = 0x80;
const END_OF_INTERRUPT: usize = 0xb0;
const SPURIOUS_VECTOR: usize = 0xf0;
const COMMAND_LOW: usize = 0x300;
const COMMAND_HIGH: usize = 0x310;
pub const LVT_TIMER: usize = 0x320;
const LVT_LINT0: usize = 0x350;
const LVT_LINT1: usize = 0x360;
const LVT_ERROR: usize = 0x370;
pub const TIMER_INITIAL: usize = 0x380;
pub const TIMER_CURRENT: usize = 0x390;
pub const TIMER_DIVIDE: usize = 0x3e0;

/// Interrupt off, in a local vector table entry.
pub const MASKED: u32 = 1 << 16;

static REGISTERS: Once<MmioRegion> = Once::new();
static X2APIC: AtomicBool = AtomicBool::new(false);

/// Maps the registers and enables the boot CPU's controller.
pub fn init() {
    if FEATURES.x2apic.load(Ordering::Relaxed) {
        X2APIC.store(true, Ordering::Relaxed);
    } else {
        let madt = acpi_table("APIC");
        let by_entry = madt.and_then(|madt| {
            madt_entries(madt).find_map(|entry| match entry {
                MadtEntry::LocalApicAddress(address) => Some(address),
                _ => None,
            })
        });
        let address = by_entry.or(madt.and_then(madt_apic_address).map(u64::from)).unwrap_or(0xfee0_0000);
        match MmioRegion::map(address, 4096, CacheMode::Uncached) {
            Some(region) => REGISTERS.get_or_init(|| region),
            None => panic!("the local APIC's registers at {address:#x} cannot be mapped"),
        };
    }
    init_cpu();
}

/// Enables this CPU's controller, all local sources masked.
pub fn init_cpu() {
    const GLOBAL_ENABLE: u64 = 1 << 11;
    const X2APIC_ENABLE: u64 = 1 << 10;
    const SOFTWARE_ENABLE: u32 = 1 << 8;
    let x2apic = if X2APIC.load(Ordering::Relaxed) { X2APIC_ENABLE } else { 0 };
    // SAFETY: all x86-64 CPUs have this register; x2APIC is enabled only where CPUID reports it.
    unsafe { arch::wrmsr(MSR_APIC_BASE, arch::rdmsr(MSR_APIC_BASE) | GLOBAL_ENABLE | x2apic) };
    for lvt in [LVT_TIMER, LVT_LINT0, LVT_LINT1, LVT_ERROR] {
        write(lvt, MASKED);
    }
    write(TASK_PRIORITY, 0);
    write(SPURIOUS_VECTOR, SOFTWARE_ENABLE | SPURIOUS as u32);
    local::get().apic_id.store(id(), Ordering::Relaxed);
}

fn msr(register: usize) -> u32 {
    0x800 + (register >> 4) as u32
}

/// Reads a register.
pub fn read(register: usize) -> u32 {
    match REGISTERS.get() {
        Some(region) => region.read_u32(register),
        // SAFETY: x2APIC mode is on; the register is one of the constants above.
        None => unsafe { arch::rdmsr(msr(register)) as u32 },
    }
}

/// Writes a register.
pub fn write(register: usize, value: u32) {
    match REGISTERS.get() {
        Some(region) => region.write_u32(register, value),
        // SAFETY: x2APIC mode is on; the register is one of the constants above.
        None => unsafe { arch::wrmsr(msr(register), value as u64) },
    }
}

/// This CPU's APIC id.
fn id() -> u32 {
    if X2APIC.load(Ordering::Relaxed) { read(ID) } else { read(ID) >> 24 }
}

/// Says that the interrupt was handled.
pub fn end_of_interrupt() {
    write(END_OF_INTERRUPT, 0);
}

/// What to send to another CPU.
#[derive(Clone, Copy)]
pub enum Ipi {
    /// An interrupt.
    Fixed(u8),
    /// Reset, the first step of starting it.
    Init,
    /// Start in real mode at this page.
    Startup(u8),
}

/// Sends to the CPU with an APIC id.
pub fn send(apic_id: u32, ipi: Ipi) {
    const ASSERT: u32 = 1 << 14;
    const BUSY: u32 = 1 << 12;
    let low = ASSERT
        | match ipi {
            Ipi::Fixed(vector) => vector as u32,
            Ipi::Init => 5 << 8,
            Ipi::Startup(page) => 6 << 8 | page as u32,
        };
    match REGISTERS.get() {
        None => {
            // What was written to memory before must be visible to who gets the interrupt: wrmsr of the x2APIC does not wait for it.
            core::sync::atomic::fence(Ordering::SeqCst);
            // SAFETY: x2APIC mode is on.
            unsafe { arch::wrmsr(msr(COMMAND_LOW), (apic_id as u64) << 32 | low as u64) };
        }
        Some(region) => {
            // The two halves must not be mixed up with an interrupt handler's.
            let _irq = crate::sync::IrqGuard::new();
            while region.read_u32(COMMAND_LOW) & BUSY != 0 {
                core::hint::spin_loop();
            }
            region.write_u32(COMMAND_HIGH, apic_id << 24);
            region.write_u32(COMMAND_LOW, low);
        }
    }
}
