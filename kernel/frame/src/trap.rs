//! What the kernel is called for by traps.

mod kernel;
mod tables;

use crate::sync::Once;

pub(crate) use tables::{close_user_memory, init_cpu, triple_fault};

/// The kernel's handlers. Those for interrupts run with interrupts off on whatever stack was in use: they must not sleep or switch.
#[derive(Clone, Copy)]
pub struct Hooks {
    /// The kernel touched the user address `addr` through [`crate::user`]; `write` and `exec` say how. Runs with interrupts enabled and may sleep. True: resolved, try again.
    pub kernel_page_fault: fn(addr: u64, write: bool, exec: bool) -> bool,
    /// This CPU's timer fired ([`crate::time::arm_timer`]).
    pub timer: fn(),
    /// Another CPU called [`crate::cpu::send_resched`] for this one.
    pub resched_ipi: fn(),
}

static HOOKS: Once<Hooks> = Once::new();

/// Sets the kernel's handlers; once, at start (later calls change nothing).
pub fn set_hooks(hooks: Hooks) {
    let _ = HOOKS.set(hooks);
}

/// The kernel's handlers, if set.
pub(crate) fn hooks() -> Option<&'static Hooks> {
    HOOKS.get()
}
