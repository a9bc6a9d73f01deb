//! Locks and waiting.
//!
//! * [`SpinLock`]: short sections, never held across anything that can sleep (user copies, allocation of user pages, scheme requests).
//! * [`Mutex`]: sleeping lock for the rest; [`NumberLock`]: one around a number, for file positions.
//! * [`WaitQueue`]: threads and poll entries waiting for an event.
//!
//! Lock order (outer first): process tree, process, file table, inode mutexes, address space, page cache, wait queues, run queues,
//! frame allocator.

mod mutex;
mod number;
mod wait;

pub use frame::sync::{Once, RwSpinLock, SpinLock, SpinLockGuard};
pub use mutex::{Mutex, MutexGuard};
pub use number::{NumberGuard, NumberLock};
pub use wait::{PollTable, PollWaiter, WaitEntry, WaitQueue, Wake};
