//! I/O APICs: lines of devices to vectors. Source: Intel 82093AA datasheet; ACPI's MADT says how ISA interrupts are wired.

use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use frame_logic::acpi::{MadtEntry, madt_entries};

use super::{IrqError, Vector};
use crate::acpi::acpi_table;
use crate::cpu::{self, local};
use crate::phys::{CacheMode, MmioRegion};
use crate::sync::{Once, SpinLock};

const SELECT: usize = 0x00;
const WINDOW: usize = 0x10;
const VERSION: u32 = 1;
const REDIRECTION: u32 = 0x10;

const MASKED: u32 = 1 << 16;
const LEVEL: u32 = 1 << 15;
const ACTIVE_LOW: u32 = 1 << 13;

struct IoApic {
    registers: MmioRegion,
    /// First global interrupt, and how many.
    base: u32,
    lines: u32,
}

impl IoApic {
    fn read(&self, register: u32) -> u32 {
        self.registers.write_u32(SELECT, register);
        self.registers.read_u32(WINDOW)
    }

    fn write(&self, register: u32, value: u32) {
        self.registers.write_u32(SELECT, register);
        self.registers.write_u32(WINDOW, value);
    }
}

/// How an ISA interrupt is wired.
#[derive(Clone, Copy)]
struct Wiring {
    global: u32,
    level: bool,
    active_low: bool,
}

/// Reading and writing takes two accesses: hence a lock.
static CHIPS: SpinLock<Vec<IoApic>> = SpinLock::new(Vec::new());
static OVERRIDES: Once<Vec<(u8, Wiring)>> = Once::new();

/// Finds the chips; all lines are masked.
pub fn init() {
    let madt = acpi_table("APIC").unwrap_or(&[]);
    let mut overrides = Vec::new();
    for entry in madt_entries(madt) {
        match entry {
            MadtEntry::IoApic { address, base } => {
                let Some(registers) = MmioRegion::map(address as u64, 0x20, CacheMode::Uncached) else { continue };
                let mut chip = IoApic { registers, base, lines: 0 };
                chip.lines = (chip.read(VERSION) >> 16 & 0xff) + 1;
                (0..chip.lines).for_each(|line| chip.write(REDIRECTION + 2 * line, MASKED));
                CHIPS.lock().push(chip);
            }
            MadtEntry::Override { isa, global, flags } => {
                // "Conforms to the bus" is edge-triggered and active high for ISA.
                let (level, active_low) = (flags >> 2 & 3 == 3, flags & 3 == 3);
                overrides.push((isa, Wiring { global, level, active_low }));
            }
            _ => {}
        }
    }
    OVERRIDES.get_or_init(|| overrides);
}

fn wiring(irq: u8) -> Wiring {
    let special = OVERRIDES.get().and_then(|list| list.iter().find(|(isa, _)| *isa == irq));
    match special {
        Some((_, wiring)) => *wiring,
        // Lines above the ISA ones are PCI's: level-triggered, active low.
        None => Wiring { global: irq as u32, level: irq >= 16, active_low: irq >= 16 },
    }
}

/// Calls `f` with the chip and the register of a line.
fn with_line<R>(global: u32, f: impl FnOnce(&IoApic, u32) -> R) -> Result<R, IrqError> {
    let chips = CHIPS.lock();
    let chip = chips.iter().find(|chip| (chip.base..chip.base + chip.lines).contains(&global)).ok_or(IrqError::NoSuchLine)?;
    Ok(f(chip, REDIRECTION + 2 * (global - chip.base)))
}

/// Routes an ISA interrupt (0 to 15, by the overrides of the MADT; above: the global number) to a vector on a CPU, masked.
pub fn route_isa(irq: u8, vector: Vector, cpu: usize) -> Result<(), IrqError> {
    if cpu >= cpu::count() {
        return Err(IrqError::NoSuchCpu);
    }
    let id = u8::try_from(local::of(cpu).apic_id.load(Ordering::Relaxed)).map_err(|_| IrqError::NoSuchCpu)?;
    let wiring = wiring(irq);
    let low = vector.0 as u32 | MASKED | if wiring.level { LEVEL } else { 0 } | if wiring.active_low { ACTIVE_LOW } else { 0 };
    with_line(wiring.global, |chip, register| {
        chip.write(register, MASKED);
        chip.write(register + 1, (id as u32) << 24);
        chip.write(register, low);
    })
}

/// Masks a routed ISA interrupt.
pub fn mask_isa(irq: u8) {
    // A line that is not there needs no masking.
    let _ = with_line(wiring(irq).global, |chip, register| chip.write(register, chip.read(register) | MASKED));
}

/// Unmasks it.
pub fn unmask_isa(irq: u8) {
    let _ = with_line(wiring(irq).global, |chip, register| chip.write(register, chip.read(register) & !MASKED));
}

/// Whether the ISA interrupt is level-triggered.
pub fn isa_is_level(irq: u8) -> bool {
    wiring(irq).level
}
