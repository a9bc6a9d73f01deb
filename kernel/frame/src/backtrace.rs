//! Backtraces by frame pointers; addresses are turned into source lines on the host (`addr2line -e kernel`).

use core::arch::asm;

use crate::mm;

const MAX_DEPTH: usize = 64;

/// Calls `f` with the return addresses of the callers, innermost first, at most 64.
pub fn walk(f: impl FnMut(u64)) {
    let rbp: u64;
    // SAFETY: reads a register.
    unsafe { asm!("mov {}, rbp", out(reg) rbp, options(nomem, nostack, preserves_flags)) };
    walk_from(rbp, f);
}

/// Walks the chain of frames from the frame pointer `rbp`.
pub(crate) fn walk_from(mut rbp: u64, mut f: impl FnMut(u64)) {
    for _ in 0..MAX_DEPTH {
        // A frame is two words on a kernel stack; the chain ends with 0 or where it is broken.
        if !rbp.is_multiple_of(8) || !mm::kernel_address_readable(rbp, 16) {
            return;
        }
        // SAFETY: the two words are mapped; any values will do.
        let [next, ret] = unsafe { core::ptr::read_volatile(rbp as *const [u64; 2]) };
        if ret == 0 {
            return;
        }
        f(ret);
        if next <= rbp {
            return;
        }
        rbp = next;
    }
}

/// Prints the current backtrace to the serial port.
pub fn print() {
    walk(|address| crate::log::print_raw(format_args!("  {address:#018x}\n")));
}
