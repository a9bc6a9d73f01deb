//! The end of the kernel: says why, where, and stops.

use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crate::log::print_raw;
use crate::{arch, backtrace, cpu, power};

/// The command line asks for QEMU's exit device on a panic.
pub static DEBUG_EXIT: AtomicBool = AtomicBool::new(false);
/// CPU number + 1 of the CPU that panics first.
static OWNER: AtomicU32 = AtomicU32::new(0);

/// Exit code of a panic for isa-debug-exit.
const EXIT_PANIC: u8 = 0x7f;

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    arch::cli();
    let me = cpu::id() as u32 + 1;
    match OWNER.compare_exchange(0, me, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => {}
        Err(owner) if owner == me => {
            print_raw(format_args!("panic while panicking: {info}\n"));
            finish()
        }
        Err(_) => arch::halt_forever(),
    }
    cpu::ipi::stop_others();
    print_raw(format_args!("\nkernel panic on CPU {}: {info}\n", me - 1));
    backtrace::print();
    finish()
}

fn finish() -> ! {
    if DEBUG_EXIT.load(Ordering::Relaxed) {
        power::exit_qemu(EXIT_PANIC);
    }
    arch::halt_forever()
}
