//! The name cache: (directory, name) to entry, or to the knowledge that there is none.
//!
//! Correctness without a lock over the filesystem's answer: every change of a directory counts [`Dentry::changes`] before and after it
//! happens. What a lookup learned is remembered only if nothing was counted since before it asked, and a change remembers its own outcome only if no
//! other began meanwhile (otherwise it just forgets the name).
//!
//! Entries somebody uses are never evicted, so that one name keeps one [`Dentry`].

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::dentry::Dentry;
use crate::sync::SpinLock;

const SHARDS: usize = 16;
/// Buckets of a shard.
const BUCKETS: usize = 1024;
/// Slots looked at for eviction at one insertion.
const SWEEP: usize = 8;
const NONE: u32 = u32::MAX;

/// Entries a shard may hold before it evicts.
static SHARD_LIMIT: AtomicUsize = AtomicUsize::new(2048);

/// What the cache knows of a name.
pub enum Cached {
    /// It is there.
    Entry(Arc<Dentry>),
    /// It is not.
    Missing,
    /// Nothing is known.
    Unknown,
}

struct Slot {
    hash: u64,
    parent: u64,
    name: Box<[u8]>,
    /// `None`: known to be missing.
    entry: Option<Arc<Dentry>>,
    next: u32,
    used: bool,
    referenced: bool,
}

/// What a slot held.
type Removed = (Box<[u8]>, Option<Arc<Dentry>>);

/// Evicted entries, to be dropped without the lock. Of fixed size, since eviction happens where memory is short.
#[derive(Default)]
struct Gone {
    items: [Option<Removed>; 32],
    len: usize,
}

impl Gone {
    fn is_full(&self) -> bool {
        self.len == self.items.len()
    }

    fn push(&mut self, item: Removed) {
        if let Some(slot) = self.items.get_mut(self.len) {
            *slot = Some(item);
            self.len += 1;
        }
    }
}

struct Shard {
    /// Head of each bucket's chain; empty until the first insertion.
    heads: Vec<u32>,
    slots: Vec<Slot>,
    free: u32,
    hand: usize,
    live: usize,
}

static CACHE: [SpinLock<Shard>; SHARDS] =
    [const { SpinLock::new(Shard { heads: Vec::new(), slots: Vec::new(), free: NONE, hand: 0, live: 0 }) }; SHARDS];

/// Sizes the cache for a machine with `memory_kib` of RAM: about one entry for each 16 KiB.
pub fn set_memory(memory_kib: u64) {
    let entries = (memory_kib / 16).clamp(8 << 10, 512 << 10) as usize;
    SHARD_LIMIT.store(entries / SHARDS, Ordering::Relaxed);
}

fn hash(parent: u64, name: &[u8]) -> u64 {
    const K: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut h = parent.wrapping_mul(K) ^ name.len() as u64;
    let mut chunks = name.chunks_exact(8);
    for chunk in &mut chunks {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        h = (h ^ u64::from_le_bytes(word)).wrapping_mul(K).rotate_left(29);
    }
    let mut word = [0; 8];
    let rest = chunks.remainder();
    word[..rest.len()].copy_from_slice(rest);
    h = (h ^ u64::from_le_bytes(word)).wrapping_mul(K);
    h ^ (h >> 32)
}

fn shard(hash: u64) -> &'static SpinLock<Shard> {
    &CACHE[(hash >> 60) as usize % SHARDS]
}

impl Shard {
    fn find(&self, hash: u64, parent: u64, name: &[u8]) -> Option<usize> {
        let mut at = *self.heads.get(hash as usize % BUCKETS)?;
        while at != NONE {
            let slot = &self.slots[at as usize];
            if slot.hash == hash && slot.parent == parent && *slot.name == *name {
                return Some(at as usize);
            }
            at = slot.next;
        }
        None
    }

    /// Takes a slot out of its chain; what it held is to be dropped without the lock.
    fn remove(&mut self, index: usize) -> Removed {
        let bucket = self.slots[index].hash as usize % BUCKETS;
        let next = self.slots[index].next;
        if self.heads[bucket] == index as u32 {
            self.heads[bucket] = next;
        } else {
            let mut at = self.heads[bucket];
            while at != NONE {
                let slot = &mut self.slots[at as usize];
                if slot.next == index as u32 {
                    slot.next = next;
                    break;
                }
                at = slot.next;
            }
        }
        let slot = &mut self.slots[index];
        slot.used = false;
        slot.next = self.free;
        self.free = index as u32;
        self.live -= 1;
        (core::mem::take(&mut slot.name), slot.entry.take())
    }

    /// Evicts up to a few entries that nobody uses and nobody looked up lately.
    fn sweep(&mut self, steps: usize, gone: &mut Gone) {
        for _ in 0..steps.min(self.slots.len()) {
            if gone.is_full() {
                return;
            }
            self.hand = (self.hand + 1) % self.slots.len();
            let slot = &mut self.slots[self.hand];
            if !slot.used || slot.entry.as_ref().is_some_and(|e| Arc::strong_count(e) > 1) {
                continue;
            }
            if core::mem::take(&mut slot.referenced) {
                continue;
            }
            let removed = self.remove(self.hand);
            gone.push(removed);
        }
    }

    fn insert(&mut self, hash: u64, parent: u64, name: &[u8], entry: Option<Arc<Dentry>>) {
        if self.heads.is_empty() {
            self.heads = alloc::vec![NONE; BUCKETS];
        }
        let bucket = hash as usize % BUCKETS;
        let slot = Slot { hash, parent, name: name.into(), entry, next: self.heads[bucket], used: true, referenced: false };
        let index = if self.free == NONE {
            self.slots.push(slot);
            self.slots.len() as u32 - 1
        } else {
            let index = self.free;
            self.free = self.slots[index as usize].next;
            self.slots[index as usize] = slot;
            index
        };
        self.heads[bucket] = index;
        self.live += 1;
    }
}

/// What is known of `name` in `parent`.
pub fn get(parent: &Dentry, name: &[u8]) -> Cached {
    let hash = hash(parent.id(), name);
    let mut shard = shard(hash).lock();
    match shard.find(hash, parent.id(), name) {
        Some(index) => {
            let slot = &mut shard.slots[index];
            slot.referenced = true;
            match &slot.entry {
                Some(entry) => Cached::Entry(entry.clone()),
                None => Cached::Missing,
            }
        }
        None => Cached::Unknown,
    }
}

/// Remembers what a lookup of `name` in `parent` found, unless the directory has changed since `changes` was read.
/// Returns the entry to use: an earlier one where the name has one already.
pub fn learn(parent: &Dentry, changes: u64, name: &[u8], entry: Option<Arc<Dentry>>) -> Option<Arc<Dentry>> {
    let hash = hash(parent.id(), name);
    let mut gone = Gone::default();
    let result = {
        let mut shard = shard(hash).lock();
        if parent.changes() != changes {
            entry
        } else if let Some(index) = shard.find(hash, parent.id(), name) {
            let slot = &mut shard.slots[index];
            match (&slot.entry, entry) {
                (Some(old), Some(_)) => Some(old.clone()),
                (_, entry) => {
                    let old = core::mem::replace(&mut slot.entry, entry.clone());
                    gone.push((Box::default(), old));
                    entry
                }
            }
        } else {
            if shard.live >= SHARD_LIMIT.load(Ordering::Relaxed) {
                shard.sweep(SWEEP, &mut gone);
            }
            shard.insert(hash, parent.id(), name, entry.clone());
            entry
        }
    };
    drop(gone);
    result
}

/// A change of the entries of a directory, from before it is asked of the filesystem until its outcome is known.
pub struct Change<'a> {
    parent: &'a Arc<Dentry>,
    begun: u64,
}

impl<'a> Change<'a> {
    /// To be called before the filesystem is asked.
    pub fn begin(parent: &'a Arc<Dentry>) -> Self {
        Self { parent, begun: parent.count_change() }
    }

    /// `name` now means `entry` (or nothing). What was remembered under the name is replaced, and returned.
    pub fn finish(self, name: &[u8], entry: Option<Arc<Dentry>>) -> Option<Arc<Dentry>> {
        let end = self.parent.count_change();
        self.record(end, name, entry)
    }

    /// As [`Change::finish`], for two names in the same directory.
    pub fn finish_two(self, first: (&[u8], Option<Arc<Dentry>>), second: (&[u8], Option<Arc<Dentry>>)) {
        let end = self.parent.count_change();
        self.record(end, first.0, first.1);
        self.record(end, second.0, second.1);
    }

    /// The filesystem refused: nothing changed, but a wrong belief that made us ask is forgotten.
    pub fn failed(self, name: &[u8]) {
        self.parent.count_change();
        let hash = hash(self.parent.id(), name);
        let gone = {
            let mut shard = shard(hash).lock();
            match shard.find(hash, self.parent.id(), name) {
                Some(index) if shard.slots[index].entry.is_none() => Some(shard.remove(index)),
                _ => None,
            }
        };
        drop(gone);
    }

    fn record(&self, end: u64, name: &[u8], entry: Option<Arc<Dentry>>) -> Option<Arc<Dentry>> {
        let clean = end == self.begun + 1 && (self.parent.caches_children() || entry.as_ref().is_some_and(|e| e.is_mountpoint()));
        let hash = hash(self.parent.id(), name);
        let mut gone = Gone::default();
        let old = {
            let mut shard = shard(hash).lock();
            let old = shard.find(hash, self.parent.id(), name).map(|index| shard.remove(index));
            if clean && self.parent.changes() == end {
                if shard.live >= SHARD_LIMIT.load(Ordering::Relaxed) {
                    shard.sweep(SWEEP, &mut gone);
                }
                shard.insert(hash, self.parent.id(), name, entry);
            }
            old
        };
        drop(gone);
        old.and_then(|(_, entry)| entry)
    }
}

/// Remembers an entry of a directory that is not cacheable, because something is mounted on it.
pub fn pin(parent: &Dentry, name: &[u8], entry: &Arc<Dentry>) {
    learn(parent, parent.changes(), name, Some(entry.clone()));
}

/// Forgets a name.
pub fn forget(parent: &Dentry, name: &[u8]) {
    let hash = hash(parent.id(), name);
    let gone = {
        let mut shard = shard(hash).lock();
        shard.find(hash, parent.id(), name).map(|index| shard.remove(index))
    };
    drop(gone);
}

/// Evicts entries that nobody uses: under memory pressure, and before a filesystem is unmounted. Returns how many.
pub fn shrink(wanted: usize) -> usize {
    let mut total = 0;
    // Entries keep their parents: with some gone, more may be free in the next round.
    loop {
        let before = total;
        for shard in &CACHE {
            total += shrink_shard(shard, wanted.saturating_sub(total));
        }
        if total == before || total >= wanted {
            return total;
        }
    }
}

fn shrink_shard(shard: &SpinLock<Shard>, wanted: usize) -> usize {
    let mut total = 0;
    while total < wanted {
        let mut gone = Gone::default();
        let Some(mut shard) = shard.try_lock() else { break };
        for slot in &mut shard.slots {
            slot.referenced = false;
        }
        let steps = shard.slots.len();
        shard.sweep(steps, &mut gone);
        drop(shard);
        if gone.len == 0 {
            break;
        }
        total += gone.len;
    }
    total
}
