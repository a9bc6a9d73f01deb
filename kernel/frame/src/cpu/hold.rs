//! Letting all other CPUs stand still for a moment.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::{count, ipi, local, relax};
use crate::paging;
use crate::sync::IrqGuard;

/// Number + 1 of the CPU for which the others stand still; 0: none.
static HOLDER: AtomicU32 = AtomicU32::new(0);
/// CPUs that do not stand still yet, a bit each.
static PENDING: AtomicU64 = AtomicU64::new(0);

/// Calls `f` with interrupts off while every other CPU waits, touching neither devices nor their interrupt controllers. `f` must be short, and must not
/// wait for another CPU: not for a lock either.
///
/// # Panics
/// With a spin lock or an [`IrqGuard`] held: another CPU may wait for it with interrupts off, and would never stand still.
pub fn with_others_held<R>(f: impl FnOnce() -> R) -> R {
    assert!(local::irq_depth() == 0, "other CPUs are held with a lock taken");
    let _irq = IrqGuard::new();
    let me = local::id();
    while HOLDER.compare_exchange_weak(0, me as u32 + 1, Ordering::AcqRel, Ordering::Relaxed).is_err() {
        // For the other holder, this CPU has to stand still.
        relax();
    }
    let others = (0..count()).filter(|&cpu| cpu != me);
    PENDING.store(others.clone().fold(0, |set, cpu| set | 1 << cpu), Ordering::SeqCst);
    others.for_each(ipi::send_hold);
    while PENDING.load(Ordering::Acquire) != 0 {
        relax();
    }
    let result = f();
    HOLDER.store(0, Ordering::Release);
    result
}

/// Stands still if another CPU asks for it. Called by the interrupt, and by loops that wait with interrupts off.
#[inline]
pub fn stand_still() {
    if PENDING.load(Ordering::Acquire) & 1 << local::id() != 0 {
        wait();
    }
}

#[cold]
fn wait() {
    let _irq = IrqGuard::new();
    let me = 1u64 << local::id();
    // The next one who asks may come before this CPU has seen the end of this: it is answered as well.
    loop {
        PENDING.fetch_and(!me, Ordering::AcqRel);
        while HOLDER.load(Ordering::Acquire) != 0 && PENDING.load(Ordering::Acquire) & me == 0 {
            core::hint::spin_loop();
            paging::answer_shootdown();
        }
        if PENDING.load(Ordering::Acquire) & me == 0 {
            return;
        }
    }
}
