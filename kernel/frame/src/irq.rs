//! Interrupts of devices.
//!
//! A driver allocates a vector, registers a handler, and routes an ISA interrupt, or programs a device with a message, to it. Handlers run with interrupts off; the end of
//! interrupt is signalled after them. A level-triggered ISA interrupt fires again at once unless its handler masks it or quiets the device.

mod ioapic;
pub(crate) mod lapic;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use crate::cpu::{self, ipi, local};
use crate::io::Port;
use crate::sync::{RwSpinLock, SpinLock};
use crate::trap;

pub use ioapic::{isa_is_level, mask_isa, route_isa, unmask_isa};

/// An interrupt vector of all CPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Vector(u8);

/// What could not be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IrqError {
    /// All vectors are taken.
    NoVector,
    /// No I/O APIC has such a line.
    NoSuchLine,
    /// No such CPU.
    NoSuchCpu,
}

/// Vectors for devices; below are exceptions and what a disturbed PIC may still send.
const FIRST: u8 = 0x30;
const LAST: u8 = 0xef;
pub(crate) const TIMER: u8 = 0xf0;
pub(crate) const RESCHED: u8 = 0xf1;
pub(crate) const SHOOTDOWN: u8 = 0xf2;
pub(crate) const STOP: u8 = 0xf3;
pub(crate) const HOLD: u8 = 0xf4;
pub(crate) const SPURIOUS: u8 = 0xff;

type Handler = Box<dyn Fn() + Send + Sync>;
static HANDLERS: [RwSpinLock<Option<Handler>>; 256] = [const { RwSpinLock::new(None) }; 256];
/// Vectors in use, one bit each.
static TAKEN: SpinLock<[u64; 4]> = SpinLock::new([0; 4]);

/// Prepares the interrupt controllers; the boot CPU's local one is enabled.
pub(crate) fn init() {
    mask_pic();
    lapic::init();
    ioapic::init();
}

/// The old controllers: moved away from the exceptions' vectors, all lines masked.
fn mask_pic() {
    const COMMAND: [u16; 2] = [0x20, 0xa0];
    for (i, port) in COMMAND.into_iter().enumerate() {
        Port(port).write_u8(0x11);
        Port(port + 1).write_u8(0x20 + 8 * i as u8);
        Port(port + 1).write_u8([4, 2][i]);
        Port(port + 1).write_u8(1);
        Port(port + 1).write_u8(0xff);
    }
}

/// Takes a free vector.
pub fn alloc_vector() -> Result<Vector, IrqError> {
    let mut taken = TAKEN.lock();
    let free = (FIRST..=LAST).find(|&v| taken[v as usize / 64] & 1 << (v % 64) == 0).ok_or(IrqError::NoVector)?;
    taken[free as usize / 64] |= 1 << (free % 64);
    Ok(Vector(free))
}

/// Gives a vector back; its handler is removed. Unmap it from devices before.
pub fn free_vector(vector: Vector) {
    unregister(vector);
    TAKEN.lock()[vector.0 as usize / 64] &= !(1 << (vector.0 % 64));
}

/// Sets the vector's handler. Not from a handler.
pub fn register(vector: Vector, handler: Box<dyn Fn() + Send + Sync>) {
    let before = HANDLERS[vector.0 as usize].write().replace(handler);
    drop(before);
}

/// Removes the vector's handler. On return it is not running on any CPU. Not from a handler.
pub fn unregister(vector: Vector) {
    let before = HANDLERS[vector.0 as usize].write().take();
    drop(before);
}

/// What a device must write, and where, to raise the vector on a CPU (MSI, MSI-X): address and data.
pub fn msi_message(vector: Vector, cpu: usize) -> Result<(u64, u32), IrqError> {
    if cpu >= cpu::count() {
        return Err(IrqError::NoSuchCpu);
    }
    // Edge-triggered, fixed delivery to one CPU. The format has 8 bits for the APIC id.
    let apic_id = local::of(cpu).apic_id.load(Ordering::Relaxed);
    let id = u8::try_from(apic_id).map_err(|_| IrqError::NoSuchCpu)?;
    Ok((0xfee0_0000 | (id as u64) << 12, vector.0 as u32))
}

impl Vector {
    /// The vector's number, as in [`counts`].
    pub fn number(self) -> u8 {
        self.0
    }
}

/// Number of interrupts so far by vector, summed over CPUs (for `/proc/interrupts`).
pub fn counts() -> Vec<(u8, u64)> {
    let sum = |vector: u8| (0..cpu::count()).map(|cpu| local::of(cpu).interrupts[vector as usize].load(Ordering::Relaxed)).sum();
    (32..=255).map(|vector| (vector, sum(vector))).filter(|(_, count)| *count > 0).collect()
}

/// Handles an interrupt on this CPU; interrupts are off.
pub(crate) fn dispatch(vector: u8) {
    let local = local::get();
    local.in_irq.set(local.in_irq.get() + 1);
    local::count_interrupt(vector);
    match vector {
        TIMER => {
            lapic::end_of_interrupt();
            if let Some(hooks) = trap::hooks() {
                (hooks.timer)();
            }
        }
        RESCHED => {
            lapic::end_of_interrupt();
            if let Some(hooks) = trap::hooks() {
                (hooks.resched_ipi)();
            }
        }
        SHOOTDOWN => {
            lapic::end_of_interrupt();
            crate::paging::answer_shootdown();
        }
        HOLD => {
            // Before it stands still: the controller's registers are a device's memory as well.
            lapic::end_of_interrupt();
            crate::cpu::hold::stand_still();
        }
        STOP => ipi::stopped(),
        SPURIOUS => {}
        _ => {
            if let Some(handler) = HANDLERS[vector as usize].read().as_ref() {
                handler();
            }
            lapic::end_of_interrupt();
        }
    }
    local.in_irq.set(local.in_irq.get() - 1);
}
