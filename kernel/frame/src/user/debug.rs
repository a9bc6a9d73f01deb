//! The debug registers of a user thread: hardware breakpoints and watchpoints (Intel SDM volume 3, chapter "Debug, Branch Profile, TSC...").
//!
//! They are in the CPU only while user mode runs, so that the kernel's own accesses to the watched memory do not trap.

use core::arch::asm;

use crate::mm::USER_END;

/// Nothing has been hit.
const STATUS_CLEAR: u64 = 0xffff_0ff0;
/// Bits of DR6 that say something: the four breakpoints, and a single step.
const STATUS_MEANING: u64 = 0xf | 1 << 14;
/// DR7 with everything off.
const CONTROL_OFF: u64 = 1 << 10;
/// Bits of DR7 a program may have: enabled (local or global), exact, kinds and lengths.
const CONTROL_ALLOWED: u64 = 0xff | 3 << 8 | 0xffff_0000;

/// Debug registers, as a tracer sees them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DebugRegisters {
    /// DR0 to DR3: addresses.
    pub addresses: [u64; 4],
    /// DR6: which of them was hit (bits 0 to 3), or that it was a step (bit 14).
    pub status: u64,
    /// DR7: which are in use, and for what.
    pub control: u64,
}

impl DebugRegisters {
    /// Kind of breakpoint `i`: 0 execution, 1 write, 3 read or write; 2 (ports) is not possible.
    fn kind(&self, i: usize) -> u64 {
        self.control >> (16 + 4 * i) & 3
    }

    /// Length of breakpoint `i`: 0 one byte, 1 two, 3 four, 2 eight.
    fn length(&self, i: usize) -> u64 {
        self.control >> (18 + 4 * i) & 3
    }

    fn is_enabled(&self, i: usize) -> bool {
        self.control >> (2 * i) & 3 != 0
    }

    /// Whether user mode may have these: breakpoints in the user half, of kinds that there are, execution of one byte.
    pub fn is_allowed(&self) -> bool {
        (0..4).all(|i| !self.is_enabled(i) || (self.addresses[i] < USER_END && self.kind(i) != 2 && (self.kind(i) != 0 || self.length(i) == 0)))
    }

    /// Puts them into the CPU.
    ///
    /// # Safety
    /// Interrupts are off, user mode is entered next, and [`Self::is_allowed`].
    pub(super) unsafe fn load(&self) {
        let [a, b, c, d] = self.addresses;
        // SAFETY: the breakpoints lie in the user half and act only there, since the caller leaves the kernel now.
        unsafe {
            asm!("mov dr0, {a}", "mov dr1, {b}", "mov dr2, {c}", "mov dr3, {d}", "mov dr7, {control}",
                a = in(reg) a, b = in(reg) b, c = in(reg) c, d = in(reg) d, control = in(reg) self.control & CONTROL_ALLOWED | CONTROL_OFF,
                options(nostack, preserves_flags));
        }
    }
}

/// Switches the breakpoints of this CPU off.
pub(super) fn unload() {
    // SAFETY: fewer exceptions.
    unsafe { asm!("mov dr7, {}", in(reg) CONTROL_OFF, options(nostack, preserves_flags)) };
}

/// What the debug exception that has just come was for, as bits of DR6; resets the register, which the CPU never clears.
pub(super) fn take_status() -> u64 {
    let status: u64;
    // SAFETY: reading and clearing a status.
    unsafe {
        asm!("mov {}, dr6", out(reg) status, options(nostack, preserves_flags));
        asm!("mov dr6, {}", in(reg) STATUS_CLEAR, options(nostack, preserves_flags));
    }
    status & STATUS_MEANING
}
