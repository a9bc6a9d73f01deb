//! Traps that arrive while the kernel runs.

use super::{hooks, tables};
use crate::cpu::local;
use crate::mm::USER_END;
use crate::{arch, backtrace, irq, user};

/// What the stub pushed, and the CPU before it.
#[repr(C)]
struct KernelFrame {
    r15: u64,
    r14: u64,
    r13: u64,
    r12: u64,
    r11: u64,
    r10: u64,
    r9: u64,
    r8: u64,
    rbp: u64,
    rdi: u64,
    rsi: u64,
    rdx: u64,
    rcx: u64,
    rbx: u64,
    rax: u64,
    vector: u64,
    error: u64,
    rip: u64,
    cs: u64,
    rflags: u64,
    rsp: u64,
    ss: u64,
}

const DEBUG: u64 = 1;
const PAGE_FAULT: u64 = 14;
const GENERAL_PROTECTION: u64 = 13;
const FIRST_INTERRUPT: u64 = 32;
const INTERRUPT_FLAG: u64 = 1 << 9;

/// Called by the stubs.
#[unsafe(no_mangle)]
extern "C" fn frame_kernel_trap(frame: &mut KernelFrame) {
    // What is interrupted gets its flag back by iretq.
    tables::close_user_memory();
    match frame.vector {
        FIRST_INTERRUPT.. => irq::dispatch(frame.vector as u8),
        PAGE_FAULT => page_fault(frame),
        // A non-canonical user address.
        GENERAL_PROTECTION if user::is_access(frame.rip) => frame.rip = user::fault_landing(),
        // A user program's debug flag, taken along by an instruction that delays it: no business of the kernel's.
        DEBUG => {}
        _ => unexpected(frame, 0),
    }
}

fn page_fault(frame: &mut KernelFrame) {
    const WRITE: u64 = 2;
    const FETCH: u64 = 16;
    let addr = arch::read_cr2();
    if addr >= USER_END || !user::is_access(frame.rip) {
        return unexpected(frame, addr);
    }
    // With interrupts off the kernel holds a spin lock: nobody may sleep now.
    if frame.rflags & INTERRUPT_FLAG != 0 && local::irq_depth() == 0 && let Some(hooks) = hooks() {
        // SAFETY: interrupts were enabled when the fault happened, and no guard is alive.
        unsafe { arch::sti() };
        let resolved = (hooks.kernel_page_fault)(addr, frame.error & WRITE != 0, frame.error & FETCH != 0);
        arch::cli();
        if resolved {
            return;
        }
    }
    frame.rip = user::fault_landing();
}

fn unexpected(frame: &KernelFrame, addr: u64) {
    print(frame, addr);
    backtrace::walk_from(frame.rbp, |address| crate::log::print_raw(format_args!("  {address:#018x}\n")));
    panic!("exception {} in the kernel", frame.vector);
}

fn print(frame: &KernelFrame, addr: u64) {
    let f = frame;
    crate::log::print_raw(format_args!(
        "\nexception {} (error {:#x}, address {addr:#x}) at {:#x}, stack {:#x}, flags {:#x}, cs {:#x} ss {:#x}\n\
         rax {:016x} rbx {:016x} rcx {:016x} rdx {:016x} rsi {:016x} rdi {:016x} rbp {:016x}\n\
         r8  {:016x} r9  {:016x} r10 {:016x} r11 {:016x} r12 {:016x} r13 {:016x} r14 {:016x} r15 {:016x}\n",
        f.vector, f.error, f.rip, f.rsp, f.rflags, f.cs, f.ss, f.rax, f.rbx, f.rcx, f.rdx, f.rsi, f.rdi, f.rbp, f.r8, f.r9, f.r10, f.r11, f.r12, f.r13, f.r14, f.r15
    ));
}

/// Vector, error code, and what the CPU pushed.
#[repr(C)]
struct FatalFrame {
    vector: u64,
    error: u64,
    rip: u64,
    cs: u64,
    rflags: u64,
    rsp: u64,
    ss: u64,
}

/// Called for double faults (most often: a kernel stack overflowed into its guard page) and machine checks.
#[unsafe(no_mangle)]
extern "C" fn frame_fatal_trap(frame: &FatalFrame) -> ! {
    panic!(
        "fatal exception {} (error {:#x}) at {:#x}, stack {:#x}, flags {:#x}, cs {:#x} ss {:#x}, cr2 {:#x}",
        frame.vector, frame.error, frame.rip, frame.rsp, frame.rflags, frame.cs, frame.ss, arch::read_cr2()
    );
}
