//! Interrupts between CPUs.

use core::sync::atomic::{AtomicU32, Ordering};

use super::{hold, local};
use crate::irq::lapic::{self, Ipi};
use crate::irq::{HOLD, RESCHED, SHOOTDOWN, STOP};
use crate::{arch, paging};

/// Number + 1 of the CPU that goes on alone while all others stop for good; 0: none.
static ALONE: AtomicU32 = AtomicU32::new(0);

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

/// Interrupts another CPU so that it stands still.
pub fn send_hold(cpu: usize) {
    send(cpu, HOLD);
}

/// Stops the other CPUs for good. They may be anywhere: those with interrupts off stop when they next wait for something.
pub fn stop_others() {
    let me = local::id() as u32 + 1;
    if ALONE.compare_exchange(0, me, Ordering::SeqCst, Ordering::SeqCst).is_err() {
        return;
    }
    (0..super::count()).filter(|&cpu| cpu != local::id()).for_each(|cpu| send(cpu, STOP));
}

/// What the interrupt of [`stop_others`] does.
pub fn stopped() -> ! {
    arch::halt_forever()
}

/// For loops that wait, perhaps with interrupts off: does what an interrupt would.
#[inline]
pub fn poll() {
    paging::answer_shootdown();
    hold::stand_still();
    if ALONE.load(Ordering::Relaxed) != 0 {
        poll_stop();
    }
}

#[cold]
fn poll_stop() {
    // The CPU that stops the others may wait for something as well: it must go on.
    if ALONE.load(Ordering::Relaxed) != local::id() as u32 + 1 {
        arch::halt_forever();
    }
}
