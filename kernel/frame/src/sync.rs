//! Locks, one-time initialisation, per-CPU values.
//!
//! [`SpinLock`] keeps interrupts off while held and must be held shortly: no sleeping, no [`crate::task::switch_to`] (checked), and no access to user memory
//! that might need a page fault resolved (such an access fails with `UserFault` while a spin lock is held).

mod once;
mod percpu;
mod spin;

pub use once::{Lazy, Once};
pub use percpu::PerCpu;
pub use spin::{IrqGuard, RwSpinLock, RwSpinReadGuard, RwSpinWriteGuard, SpinLock, SpinLockGuard};
