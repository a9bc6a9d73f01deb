//! Interrupts between CPUs.

use core::sync::atomic::{AtomicBool, Ordering};

use super::local;
use crate::irq::lapic::{self, Ipi};
use crate::irq::{RESCHED, SHOOTDOWN, STOP};
use crate::{arch, paging};

/// All CPUs but one are to stop for good.
static STOPPING: AtomicBool = AtomicBool::new(false);

fn send(cpu: usize, vector: u8) {
    lapic::send(local::of(cpu).apic_id.load(Ordering::Relaxed), Ipi::Fixed(vector));
}

/// Interrupts another CPU for the scheduler.
pub fn send_resched(cpu: usize) {
    if cpu < super::count() {
        send(cpu, RESCHED);
    }
}

/// Interrupts another CPU for a TLB flush.
pub fn send_shootdown(cpu: usize) {
    send(cpu, SHOOTDOWN);
}

/// Stops the other CPUs for good. They may be anywhere: those with interrupts off stop when they next wait for something.
pub fn stop_others() {
    if STOPPING.swap(true, Ordering::SeqCst) {
        return;
    }
    (0..super::count()).filter(|&cpu| cpu != local::id()).for_each(|cpu| send(cpu, STOP));
}

/// What the interrupt of [`stop_others`] does.
pub fn stopped() -> ! {
    arch::halt_forever()
}

/// For loops that wait with interrupts off: does what an interrupt would.
#[inline]
pub fn poll() {
    if local::irq_depth() == 0 {
        return;
    }
    paging::answer_shootdown();
    if STOPPING.load(Ordering::Relaxed) {
        poll_stop();
    }
}

#[cold]
fn poll_stop() {
    // Who stops the others may wait as well, for the serial line, say: it must go on.
    if !crate::panic::is_owner() {
        arch::halt_forever();
    }
}
