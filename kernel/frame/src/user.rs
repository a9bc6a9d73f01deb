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

mod access;
mod context;
mod debug;
pub(crate) mod fpu;

pub(crate) use access::{copy_raw_from_user, copy_raw_to_user, fault_landing, init as init_access, is_access};
pub use access::{
    AtomicOp, StrError, UserFault, atomic_cmpxchg_u32, atomic_op_u32, copy_from_user, copy_to_user, read_u8, read_u32, read_u64, strncpy_from_user, write_u8, write_u32,
    write_u64, zero_user,
};
pub use context::{TrapReason, UserContext, UserRegs};
pub use debug::DebugRegisters;
pub use fpu::BadFpuState;
