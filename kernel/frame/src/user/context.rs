//! The registers of a user thread, and entering user mode.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::debug::{self, DebugRegisters};
use super::fpu::{self, BadFpuState, FpuArea};
use crate::arch;
use crate::cpu::local::{self, CpuLocal};
use crate::irq;
use crate::mm::USER_END;

/// The integer registers of a user thread. Any value may be written: what user mode may not have is replaced on the way there (privileged flags are masked, a bad
/// segment base becomes 0, a bad instruction pointer gives [`TrapReason::Exception`] 13).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
#[allow(missing_docs)]
pub struct UserRegs {
    pub rax: u64,
    pub rbx: u64,
    pub rcx: u64,
    pub rdx: u64,
    pub rsi: u64,
    pub rdi: u64,
    pub rbp: u64,
    pub r8: u64,
    pub r9: u64,
    pub r10: u64,
    pub r11: u64,
    pub r12: u64,
    pub r13: u64,
    pub r14: u64,
    pub r15: u64,
    pub rsp: u64,
    pub rip: u64,
    pub rflags: u64,
    pub fs_base: u64,
    pub gs_base: u64,
}

/// Why user mode was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrapReason {
    /// The `syscall` instruction; the number is in `rax`, `rip` is after the instruction, `rcx` and `r11` are overwritten.
    Syscall,
    /// A page fault.
    PageFault {
        /// The address (CR2).
        addr: u64,
        /// It was a write.
        write: bool,
        /// It was an instruction fetch.
        exec: bool,
        /// The page was present: a protection violation.
        present: bool,
    },
    /// Another exception.
    Exception {
        /// Its number (0 divide error, 1 debug, 3 breakpoint, 6 invalid opcode, 13 general protection, 16 x87, 17 alignment, 19 SIMD, ...).
        vector: u8,
        /// Its error code, or 0; for a debug exception what it was for, as bits of DR6.
        error: u64,
    },
    /// An interrupt; its handlers have run.
    Interrupt,
}

/// The registers of a user thread, FPU included.
pub struct UserContext {
    /// The integer registers.
    pub regs: UserRegs,
    fpu: Arc<FpuArea>,
    debug: Option<Box<DebugRegisters>>,
}

/// What `frame_enter_user` returns.
#[repr(C)]
struct Left {
    vector: u64,
    error: u64,
}

unsafe extern "C" {
    fn frame_enter_user(regs: *mut UserRegs, sysret: u32) -> Left;
}

const SYSCALL: u64 = 0x100;
const DEBUG: u64 = 1;
const PAGE_FAULT: u64 = 14;
const GENERAL_PROTECTION: u8 = 13;

/// Carry, parity, adjust, zero, sign, trap, direction, overflow, nested task is not, resume, alignment check, id.
const USER_FLAGS: u64 = 0xcd5 | 1 << 8 | 1 << 16 | 1 << 18 | 1 << 21;
const TRAP_FLAG: u64 = 1 << 8;
const RESUME_FLAG: u64 = 1 << 16;
const ALWAYS_FLAGS: u64 = 1 << 1 | 1 << 9;

impl UserContext {
    /// All registers zero, the FPU as after `exec`. None: out of memory.
    pub fn new() -> Option<UserContext> {
        Some(UserContext { regs: UserRegs::default(), fpu: Arc::new(FpuArea::new()?), debug: None })
    }

    /// A copy, FPU included, without breakpoints (`fork`, `clone`). None: out of memory.
    pub fn try_clone(&self) -> Option<UserContext> {
        Some(UserContext { regs: self.regs, fpu: Arc::new(self.fpu.duplicate()?), debug: None })
    }

    /// Enters user mode with the active page table and comes back when the kernel is needed; interrupts are enabled then.
    pub fn run(&mut self) -> TrapReason {
        self.run_unless(|| false)
    }

    /// Like [`Self::run`], but asks `pending` with interrupts off, right before user mode is entered, and if that is true returns [`TrapReason::Interrupt`] at once.
    /// So an interrupt that sets a "needs rescheduling" or "has signals" flag is not missed.
    ///
    /// # Panics
    /// With a spin lock or interrupt guard held.
    #[inline]
    pub fn run_unless(&mut self, pending: impl FnOnce() -> bool) -> TrapReason {
        assert!(local::irq_depth() == 0, "entering user mode with a spin lock held");
        arch::cli();
        if pending() {
            // SAFETY: interrupts were enabled before.
            unsafe { arch::sti() };
            return TrapReason::Interrupt;
        }
        self.enter()
    }

    /// Enters user mode; interrupts are off, without a guard.
    fn enter(&mut self) -> TrapReason {
        let regs = &mut self.regs;
        if regs.rip >= USER_END {
            // Linux's own answer to a jump there; and on some CPUs sysret would fault in the kernel.
            // SAFETY: no guard is alive.
            unsafe { arch::sti() };
            return TrapReason::Exception { vector: GENERAL_PROTECTION, error: 0 };
        }
        regs.rflags = regs.rflags & USER_FLAGS | ALWAYS_FLAGS;
        let local = local::get();
        if fpu::load(&self.fpu, local) {
            // Another thread's segment registers were there.
            set_bases(local, regs, true);
        } else if regs.fs_base != local.loaded_fs.get() || regs.gs_base != local.loaded_gs.get() {
            set_bases(local, regs, false);
        }
        if let Some(debug) = &self.debug {
            // SAFETY: interrupts are off, and `set_debug_registers` lets only allowed ones in.
            unsafe { debug.load() };
        }
        // sysret sets rcx and r11 to rip and rflags.
        let sysret = regs.rcx == regs.rip && regs.r11 == regs.rflags && regs.rflags & (TRAP_FLAG | RESUME_FLAG) == 0;
        // SAFETY: interrupts are off; rip is canonical and in the user half, the flags are harmless; the user half is not supervisor-accessible memory of ours. The
        // registers stay in place until user mode is left, since `self` is borrowed.
        let left = unsafe { frame_enter_user(regs, sysret as u32) };
        if self.debug.is_some() {
            debug::unload();
        }
        if left.vector != SYSCALL {
            // System calls clear the alignment check flag, which opens user memory to the kernel; traps do not.
            crate::trap::close_user_memory();
        }
        let reason = match left.vector {
            SYSCALL => TrapReason::Syscall,
            PAGE_FAULT => {
                TrapReason::PageFault { addr: arch::read_cr2(), present: left.error & 1 != 0, write: left.error & 2 != 0, exec: left.error & 16 != 0 }
            }
            32.. => {
                irq::dispatch(left.vector as u8);
                TrapReason::Interrupt
            }
            DEBUG => {
                let status = debug::take_status();
                if let Some(debug) = &mut self.debug {
                    debug.status |= status;
                }
                TrapReason::Exception { vector: DEBUG as u8, error: status }
            }
            vector => TrapReason::Exception { vector: vector as u8, error: left.error },
        };
        // SAFETY: no guard is alive.
        unsafe { arch::sti() };
        reason
    }

    /// The debug registers.
    pub fn debug_registers(&self) -> DebugRegisters {
        self.debug.as_deref().copied().unwrap_or_default()
    }

    /// Changes the debug registers. False where user mode may not have these ([`DebugRegisters::is_allowed`]).
    pub fn set_debug_registers(&mut self, registers: &DebugRegisters) -> bool {
        if !registers.is_allowed() {
            return false;
        }
        if *registers == DebugRegisters::default() {
            self.debug = None;
        } else {
            self.debug = Some(Box::new(*registers));
        }
        true
    }

    /// Resets the FPU to its initial state (`exec`).
    pub fn fpu_reset(&mut self) {
        self.fpu.reset();
    }

    /// Size of the FPU state in a signal frame, in bytes, including Linux's magic words.
    pub fn fpu_size() -> usize {
        fpu::signal_frame_size()
    }

    /// The FPU state in the layout of a Linux signal frame (`struct _fpstate`): the FXSAVE area, followed, where the CPU has XSAVE, by the extended area, with
    /// `sw_reserved` and FP_XSTATE_MAGIC2 filled in.
    pub fn fpu_to_bytes(&mut self) -> Vec<u8> {
        self.fpu.to_signal_frame()
    }

    /// Takes over such a state; a plain FXSAVE area of 512 bytes will do. Reserved bits are rejected.
    pub fn fpu_from_bytes(&mut self, bytes: &[u8]) -> Result<(), BadFpuState> {
        self.fpu.set_from_signal_frame(bytes)
    }
}

/// Loads the segment bases. The user's GS base waits in another register while the kernel runs.
#[cold]
fn set_bases(local: &CpuLocal, regs: &mut UserRegs, selectors: bool) {
    for base in [&mut regs.fs_base, &mut regs.gs_base] {
        if *base >= USER_END {
            *base = 0;
        }
    }
    // SAFETY: user mode may have any base in the user half; the kernel uses neither register while it runs.
    unsafe {
        if selectors {
            core::arch::asm!("mov fs, {:e}", in(reg) 0, options(nostack, preserves_flags));
        }
        arch::wrmsr(arch::MSR_FS_BASE, regs.fs_base);
        arch::wrmsr(arch::MSR_KERNEL_GS_BASE, regs.gs_base);
    }
    local.loaded_fs.set(regs.fs_base);
    local.loaded_gs.set(regs.gs_base);
}
