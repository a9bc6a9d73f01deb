//! All keys, by number.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};

use super::{GC_DELAY_S, Key};
use crate::random;
use crate::sync::SpinLock;

// A key that comes out of here must not be dropped while the lock is held: it might be the last reference, and `leave` takes the lock.
static KEYS: SpinLock<BTreeMap<i32, Weak<Key>>> = SpinLock::new(BTreeMap::new());

/// Enters a key, made for a number that no other has.
pub(super) fn enter(make: impl FnOnce(i32) -> Key) -> Arc<Key> {
    let mut keys = KEYS.lock();
    let serial = loop {
        let serial = (random::u64() & 0x7fff_ffff) as i32;
        // The first few are too easily meant by mistake.
        if serial > 2 && !keys.contains_key(&serial) {
            break serial;
        }
    };
    let key = Arc::new(make(serial));
    keys.insert(serial, Arc::downgrade(&key));
    key
}

/// Forgets a key that goes.
pub(super) fn leave(serial: i32) {
    KEYS.lock().remove(&serial);
}

/// The key of this number.
pub(super) fn get(serial: i32) -> Option<Arc<Key>> {
    KEYS.lock().get(&serial).and_then(Weak::upgrade)
}

/// All there are, in order.
pub fn all() -> Vec<Arc<Key>> {
    KEYS.lock().values().filter_map(Weak::upgrade).collect()
}

/// Makes a key invalid: it is found no more, and every ring loses it.
pub fn invalidate(key: &Arc<Key>) {
    key.set_invalid();
    remove_dead(u64::MAX);
}

/// Lets those go that have been of no use for long enough; looks for them at most that often.
pub fn collect() {
    static LAST_NS: AtomicU64 = AtomicU64::new(0);
    let delay = (GC_DELAY_S.load(Ordering::Relaxed) as u64).saturating_mul(1_000_000_000);
    let (now, last) = (frame::time::now_ns(), LAST_NS.load(Ordering::Relaxed));
    if now.saturating_sub(last) >= delay && LAST_NS.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
        remove_dead(delay);
    }
}

/// Takes those out of their rings that are invalid, or of no use for this long, ns.
fn remove_dead(since_ns: u64) {
    let keys = all();
    let dead: BTreeSet<i32> = keys.iter().filter(|key| key.is_over(since_ns)).map(|key| key.serial).collect();
    if dead.is_empty() {
        return;
    }
    for ring in keys.iter().filter(|key| key.is_ring()) {
        // Rings are all that can fail to be.
        let _ = ring.remove_links(|key| dead.contains(&key.serial));
    }
}
