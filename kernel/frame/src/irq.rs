//! Interrupts of devices.
//!
//! A driver allocates a vector, registers a handler, and routes an ISA interrupt, or programs a device with a message, to it. Handlers run with interrupts off; the end of
//! interrupt is signalled after them. A level-triggered ISA interrupt fires again at once unless its handler masks it or quiets the device.

use alloc::boxed::Box;

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

/// Takes a free vector.
pub fn alloc_vector() -> Result<Vector, IrqError> {
    todo!()
}

/// Gives a vector back; its handler is removed. Unmap it from devices before.
pub fn free_vector(vector: Vector) {
    let _ = vector;
    todo!()
}

/// Sets the vector's handler.
pub fn register(vector: Vector, handler: Box<dyn Fn() + Send + Sync>) {
    let _ = (vector, handler);
    todo!()
}

/// Removes the vector's handler. On return it is not running on any CPU. Not from a handler.
pub fn unregister(vector: Vector) {
    let _ = vector;
    todo!()
}

/// Routes an ISA interrupt (0 to 15, by the overrides of the MADT; above: the global number) to a vector on a CPU, masked.
pub fn route_isa(irq: u8, vector: Vector, cpu: usize) -> Result<(), IrqError> {
    let _ = (irq, vector, cpu);
    todo!()
}

/// Masks a routed ISA interrupt.
pub fn mask_isa(irq: u8) {
    let _ = irq;
    todo!()
}

/// Unmasks it.
pub fn unmask_isa(irq: u8) {
    let _ = irq;
    todo!()
}

/// Whether the ISA interrupt is level-triggered.
pub fn isa_is_level(irq: u8) -> bool {
    let _ = irq;
    todo!()
}

/// What a device must write, and where, to raise the vector on a CPU (MSI, MSI-X): address and data.
pub fn msi_message(vector: Vector, cpu: usize) -> Result<(u64, u32), IrqError> {
    let _ = (vector, cpu);
    todo!()
}

/// Number of interrupts so far by vector, summed over CPUs (for `/proc/interrupts`).
pub fn counts() -> alloc::vec::Vec<(u8, u64)> {
    todo!()
}
