//! The frame: all unsafe code of the kernel behind a safe interface.
//!
//! It owns what only unsafe code can own: boot, physical frames, page tables, traps, context switches, per-CPU data, access to user memory,
//! interrupt controllers, timers, ports and device memory. What a scheduler, an address space or a file is, is not known here.
//!
//! * [`entry!`], [`BootInfo`]: how the kernel starts.
//! * [`mm`]: frames of physical memory and the heap. [`phys`]: device memory and ACPI tables. [`paging`]: page tables and TLBs.
//! * [`user`]: memory and registers of user programs. [`task`]: kernel stacks and the context switch. [`trap`]: hooks into traps.
//! * [`irq`], [`cpu`], [`time`], [`io`], [`power`]: the machine. [`sync`]: locks. [`log`], [`backtrace`]: the early console.
//!
//! # What safety means here
//!
//! No safe call can break the memory safety of the kernel, with two documented exceptions that no software can close: devices that write to memory by
//! DMA ([`io::Port`], [`phys::MmioRegion`], interrupt messages), and user-half mappings of device memory.
//! Frames handed out by [`mm::Frame`] never hold kernel objects; their bytes may change at any time (a user program may have them mapped), so
//! they are only copied, never borrowed.
//!
//! # Interrupts and preemption
//!
//! The kernel is not preempted: a thread runs until it calls [`task::switch_to`]. Interrupt handlers run on the current kernel stack. Spin locks
//! keep interrupts off; a CPU that waits for a lock keeps answering TLB shootdowns.
#![no_std]
#![deny(missing_docs)]
#![deny(unsafe_op_in_unsafe_fn)]

extern crate alloc;

mod acpi;
mod arch;
pub mod backtrace;
mod boot;
pub mod cpu;
pub mod io;
pub mod irq;
pub mod log;
pub mod mm;
pub mod paging;
mod panic;
pub mod phys;
pub mod power;
pub mod sync;
pub mod task;
pub mod time;
pub mod trap;
pub mod user;
pub mod vdso;

pub use boot::{BootInfo, BootSource, FramebufferInfo};

/// Names the kernel's main function, `fn(&'static BootInfo) -> !`. It is called on the boot CPU when serial log, descriptor tables, memory, heap, ACPI, time
/// and the local interrupt controller work; interrupts are enabled, the other CPUs are not started yet.
#[macro_export]
macro_rules! entry {
    ($main:path) => {
        // The symbol is the only link from the frame to the kernel crate; the coercion checks its type.
        #[allow(unsafe_code)]
        #[unsafe(no_mangle)]
        fn __frame_kernel_main(boot: &'static $crate::BootInfo) -> ! {
            let main: fn(&'static $crate::BootInfo) -> ! = $main;
            main(boot)
        }
    };
}
