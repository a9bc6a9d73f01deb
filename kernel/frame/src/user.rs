//! User programs: their memory and their registers.
//!
//! # Memory
//!
//! The functions here take addresses of the user half of the active page table. A page fault goes to [`crate::trap::Hooks::kernel_page_fault`], which may sleep, and the
//! access is retried if that resolved it. While a spin lock is held (interrupts are off) the hook is not called and the access fails: take what you need
//! before, or try under the lock, and on failure drop the lock, touch the page ([`read_u8`]), and start again.
//!
//! # Registers
//!
//! [`UserContext::run`] enters user mode on the current thread's kernel stack and comes back when the kernel is needed.

use alloc::vec::Vec;

/// The user address is not mapped (EFAULT), or could not be accessed with interrupts off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserFault;

/// Copies from user memory.
pub fn copy_from_user(dst: &mut [u8], uaddr: u64) -> Result<(), UserFault> {
    let _ = (dst, uaddr);
    todo!()
}

/// Copies to user memory. On a fault a part may have been written.
pub fn copy_to_user(uaddr: u64, src: &[u8]) -> Result<(), UserFault> {
    let _ = (uaddr, src);
    todo!()
}

/// Fills user memory with zeros.
pub fn zero_user(uaddr: u64, len: usize) -> Result<(), UserFault> {
    let _ = (uaddr, len);
    todo!()
}

/// Reads a byte.
pub fn read_u8(uaddr: u64) -> Result<u8, UserFault> {
    let _ = uaddr;
    todo!()
}
/// Reads a 32-bit word (atomically if aligned).
pub fn read_u32(uaddr: u64) -> Result<u32, UserFault> {
    let _ = uaddr;
    todo!()
}
/// Reads a 64-bit word (atomically if aligned).
pub fn read_u64(uaddr: u64) -> Result<u64, UserFault> {
    let _ = uaddr;
    todo!()
}
/// Writes a byte.
pub fn write_u8(uaddr: u64, value: u8) -> Result<(), UserFault> {
    let _ = (uaddr, value);
    todo!()
}
/// Writes a 32-bit word (atomically if aligned).
pub fn write_u32(uaddr: u64, value: u32) -> Result<(), UserFault> {
    let _ = (uaddr, value);
    todo!()
}
/// Writes a 64-bit word (atomically if aligned).
pub fn write_u64(uaddr: u64, value: u64) -> Result<(), UserFault> {
    let _ = (uaddr, value);
    todo!()
}

/// Why a string could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StrError {
    /// Not mapped.
    Fault,
    /// No NUL byte in the first `max` bytes.
    TooLong,
}

/// Reads a NUL-terminated string of at most `max` bytes (NUL included); the NUL is not part of the result.
pub fn strncpy_from_user(uaddr: u64, max: usize) -> Result<Vec<u8>, StrError> {
    let _ = (uaddr, max);
    todo!()
}

/// Compare and exchange; gives the value found (the exchange happened if that is `old`). `uaddr` is aligned to 4, or it is a fault.
pub fn atomic_cmpxchg_u32(uaddr: u64, old: u32, new: u32) -> Result<u32, UserFault> {
    let _ = (uaddr, old, new);
    todo!()
}

/// Operations of [`atomic_op_u32`] (`FUTEX_WAKE_OP`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtomicOp {
    /// Stores the operand.
    Set,
    /// Adds it.
    Add,
    /// Ors it.
    Or,
    /// Ands its complement.
    AndNot,
    /// Xors it.
    Xor,
}

/// Applies an operation atomically; gives the value before. `uaddr` is aligned to 4, or it is a fault.
pub fn atomic_op_u32(uaddr: u64, op: AtomicOp, operand: u32) -> Result<u32, UserFault> {
    let _ = (uaddr, op, operand);
    todo!()
}

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
    /// The `syscall` instruction; the number is in `rax`, `rip` is after the instruction.
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
        /// Its error code, or 0.
        error: u64,
    },
    /// An interrupt; its handlers have run.
    Interrupt,
}

/// The FPU state given to [`UserContext::fpu_from_bytes`] is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadFpuState;

/// The registers of a user thread, FPU included.
pub struct UserContext {
    /// The integer registers.
    pub regs: UserRegs,
    _fpu: (),
}

impl UserContext {
    /// All registers zero, the FPU as after `exec`. None: out of memory.
    pub fn new() -> Option<UserContext> {
        todo!()
    }

    /// A copy, FPU included (`fork`, `clone`). None: out of memory.
    pub fn try_clone(&self) -> Option<UserContext> {
        todo!()
    }

    /// Enters user mode with the active page table and comes back when the kernel is needed; interrupts are enabled then.
    pub fn run(&mut self) -> TrapReason {
        self.run_unless(|| false)
    }

    /// Like [`Self::run`], but asks `pending` with interrupts off, right before user mode is entered, and if that is true returns [`TrapReason::Interrupt`] at once.
    /// So an interrupt that sets a "needs rescheduling" or "has signals" flag is not missed.
    pub fn run_unless(&mut self, pending: impl FnOnce() -> bool) -> TrapReason {
        let _ = pending;
        todo!()
    }

    /// Resets the FPU to its initial state (`exec`).
    pub fn fpu_reset(&mut self) {
        todo!()
    }

    /// Size of the FPU state in a signal frame, in bytes, including Linux's magic words.
    pub fn fpu_size() -> usize {
        todo!()
    }

    /// The FPU state in the layout of a Linux signal frame (`struct _fpstate`): the FXSAVE area, followed, where the CPU has XSAVE, by the extended area, with
    /// `sw_reserved` and FP_XSTATE_MAGIC2 filled in.
    pub fn fpu_to_bytes(&mut self) -> Vec<u8> {
        todo!()
    }

    /// Takes over such a state; a plain FXSAVE area of 512 bytes will do. Reserved bits are rejected.
    pub fn fpu_from_bytes(&mut self, bytes: &[u8]) -> Result<(), BadFpuState> {
        let _ = bytes;
        todo!()
    }
}
