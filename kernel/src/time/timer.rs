//! One-shot timers on the monotonic clock, kept per CPU.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicU64, Ordering};

use frame::cpu::{self, MAX_CPUS};

use crate::sync::SpinLock;
use crate::task::{Thread, sched};

/// What happens when a timer expires. Runs in interrupt context: short, no waiting, no freeing of large things.
pub trait Expire: Send + Sync {
    #[allow(missing_docs)]
    fn expire(self: Arc<Self>);
}

impl Expire for Thread {
    fn expire(self: Arc<Self>) {
        sched::wake(&self);
    }
}

type Key = (u64, u64);

struct List {
    timers: SpinLock<BTreeMap<Key, Arc<dyn Expire>>>,
    next_ns: AtomicU64,
}

static LISTS: [List; MAX_CPUS] = [const { List { timers: SpinLock::new(BTreeMap::new()), next_ns: AtomicU64::new(u64::MAX) } }; MAX_CPUS];
static SEQUENCE: AtomicU64 = AtomicU64::new(0);

/// An armed timer; dropping it disarms it.
pub struct Timer {
    cpu: usize,
    key: Key,
}

impl Timer {
    /// Calls `target` at `deadline_ns` on the monotonic clock (at once where that has passed, from the next interrupt).
    pub fn new(deadline_ns: u64, target: Arc<dyn Expire>) -> Self {
        let _guard = frame::sync::IrqGuard::new();
        let cpu = cpu::id();
        let key = (deadline_ns, SEQUENCE.fetch_add(1, Ordering::Relaxed));
        let list = &LISTS[cpu];
        let mut timers = list.timers.lock();
        timers.insert(key, target);
        let first = timers.first_key_value().is_none_or(|(k, _)| *k == key);
        if first {
            list.next_ns.store(deadline_ns, Ordering::SeqCst);
        }
        drop(timers);
        if first {
            sched::timers_changed();
        }
        Self { cpu, key }
    }

    /// Wakes a thread at the deadline.
    pub fn wake_thread(deadline_ns: u64, thread: Arc<Thread>) -> Self {
        Self::new(deadline_ns, thread)
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        let list = &LISTS[self.cpu];
        let mut timers = list.timers.lock();
        let gone = timers.remove(&self.key);
        list.next_ns.store(timers.first_key_value().map_or(u64::MAX, |(k, _)| k.0), Ordering::SeqCst);
        drop(timers);
        drop(gone);
    }
}

/// The first deadline of this CPU's timers.
pub fn next_deadline() -> Option<u64> {
    match LISTS[cpu::id()].next_ns.load(Ordering::SeqCst) {
        u64::MAX => None,
        at => Some(at),
    }
}

/// Runs this CPU's expired timers. Called by the timer interrupt.
pub fn expire() {
    let list = &LISTS[cpu::id()];
    // Those that are due while these are dealt with have their turn at the next interrupt: timers that expire all the time must not keep the CPU here.
    let now = frame::time::now_ns();
    loop {
        if list.next_ns.load(Ordering::SeqCst) > now {
            return;
        }
        let mut timers = list.timers.lock();
        let due = match timers.first_key_value() {
            Some((key, _)) if key.0 <= now => timers.pop_first(),
            _ => None,
        };
        list.next_ns.store(timers.first_key_value().map_or(u64::MAX, |(k, _)| k.0), Ordering::SeqCst);
        drop(timers);
        match due {
            Some((_, target)) => target.expire(),
            None => return,
        }
    }
}
