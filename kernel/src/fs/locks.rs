//! Advisory file locks: `flock(2)`, and the record locks of `fcntl_locking(2)` that belong to a descriptor table (POSIX) or to an
//! open file description (OFD).

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::Write;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::fdtable::FileTable;
use super::file::OpenFile;
use crate::error::*;
use crate::sync::{Once, SpinLock, WaitQueue};

/// Who holds a lock: told apart by address while it lives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Owner {
    /// The process with this descriptor table.
    Table(usize),
    /// This open file description.
    Description(usize),
}

impl Owner {
    /// Of POSIX record locks.
    pub fn table(table: &FileTable) -> Self {
        Self::Table(core::ptr::from_ref(table) as usize)
    }

    /// Of OFD locks and `flock`.
    pub fn description(file: &OpenFile) -> Self {
        Self::Description(core::ptr::from_ref(file) as usize)
    }
}

/// A locked range of bytes.
#[derive(Clone, Debug)]
pub struct RecordLock {
    #[allow(missing_docs)]
    pub owner: Owner,
    /// Of the process that set it; -1 for OFD locks.
    pub pid: i32,
    #[allow(missing_docs)]
    pub exclusive: bool,
    #[allow(missing_docs)]
    pub start: u64,
    /// First byte behind it; `u64::MAX`: to the end of the file, however far it grows.
    pub end: u64,
}

#[derive(Default)]
struct FileLocks {
    records: Vec<RecordLock>,
    /// `flock` holders: (owner, exclusive, the process that took it).
    flocks: Vec<(Owner, bool, u32)>,
}

type Key = (u64, u64);

static LOCKS: SpinLock<BTreeMap<Key, FileLocks>> = SpinLock::new(BTreeMap::new());
/// Locks of all files: while there is none, closing descriptors costs nothing.
static COUNT: AtomicUsize = AtomicUsize::new(0);
/// POSIX waiters and what each waits for, to find deadlocks.
static WAITING: SpinLock<Vec<(Owner, Owner)>> = SpinLock::new(Vec::new());

/// Woken whenever a lock goes away.
fn released() -> &'static WaitQueue {
    static QUEUE: Once<WaitQueue> = Once::new();
    QUEUE.get_or_init(WaitQueue::new)
}

/// `/proc/locks` (`proc(5)`).
pub fn listing() -> Vec<u8> {
    let mut out = String::new();
    let mut number = 0;
    for ((dev, ino), locks) in &*LOCKS.lock() {
        let place = place_of((*dev, *ino));
        let mut line = |kind: &str, is_exclusive: bool, pid: i32, range: String| {
            number += 1;
            let mode = if is_exclusive { "WRITE" } else { "READ " };
            let _ = writeln!(out, "{number}: {kind:<6} ADVISORY  {mode} {pid} {place} {range}");
        };
        for lock in &locks.records {
            let end = if lock.end == u64::MAX { String::from("EOF") } else { format!("{}", lock.end - 1) };
            let kind = if matches!(lock.owner, Owner::Table(_)) { "POSIX" } else { "OFDLCK" };
            line(kind, lock.exclusive, lock.pid, format!("{} {end}", lock.start));
        }
        for (_, is_exclusive, pid) in &locks.flocks {
            line("FLOCK", *is_exclusive, *pid as i32, String::from("0 EOF"));
        }
    }
    for (kind, is_breaking, pid, key) in super::lease::list() {
        number += 1;
        let state = if is_breaking { "BREAKING" } else { "ACTIVE" };
        let mode = if kind == super::lease::Kind::Write { "WRITE" } else { "READ " };
        let _ = writeln!(out, "{number}: LEASE  {state:<9} {mode} {pid} {} 0 EOF", place_of(key));
    }
    out.into_bytes()
}

fn place_of((dev, ino): Key) -> String {
    format!("{:02x}:{:02x}:{ino}", super::major(dev), super::minor(dev))
}

/// The file a lock belongs to.
///
/// # Errors
/// That of `fstat`.
fn key(file: &OpenFile) -> Result<Key> {
    let attr = match file.ops.inode() {
        Some(inode) => inode.attr()?,
        None => file.ops.attr()?,
    };
    Ok((attr.dev, attr.ino))
}

fn update<R>(key: Key, change: impl FnOnce(&mut FileLocks) -> R) -> R {
    let mut all = LOCKS.lock();
    let locks = all.entry(key).or_default();
    let result = change(locks);
    if locks.records.is_empty() && locks.flocks.is_empty() {
        all.remove(&key);
    }
    COUNT.store(all.values().map(|l| l.records.len() + l.flocks.len()).sum(), Ordering::Release);
    result
}

fn conflict<'l>(locks: &'l FileLocks, wanted: &RecordLock) -> Option<&'l RecordLock> {
    let prevents = |l: &&RecordLock| l.owner != wanted.owner && (l.exclusive || wanted.exclusive) && l.start < wanted.end && wanted.start < l.end;
    locks.records.iter().filter(prevents).min_by_key(|l| l.start)
}

/// The first lock that would prevent `wanted` (`F_GETLK`).
///
/// # Errors
/// That of `fstat`.
pub fn test(file: &OpenFile, wanted: &RecordLock) -> Result<Option<RecordLock>> {
    let key = key(file)?;
    Ok(LOCKS.lock().get(&key).and_then(|l| conflict(l, wanted).cloned()))
}

/// Removes the owner's locks from the range; what reaches beyond it stays.
fn carve(locks: &mut FileLocks, owner: Owner, start: u64, end: u64) {
    let mut rest = Vec::new();
    locks.records.retain_mut(|l| {
        if l.owner != owner || l.end <= start || end <= l.start {
            return true;
        }
        if l.end > end {
            rest.push(RecordLock { start: end, ..l.clone() });
        }
        l.end = start;
        l.start < start
    });
    locks.records.extend(rest);
}

fn join(locks: &mut FileLocks, mut new: RecordLock) {
    locks.records.retain(|l| {
        let touches = l.owner == new.owner && l.exclusive == new.exclusive && l.start <= new.end && new.start <= l.end;
        if touches {
            new.start = new.start.min(l.start);
            new.end = new.end.max(l.end);
        }
        !touches
    });
    locks.records.push(new);
}

/// Sets a record lock in place of what the owner has in the range. `wait`: until it can be had.
///
/// # Errors
/// `EAGAIN` where another owner's lock prevents it, `EDEADLK` where waiting would never end, `ERESTARTSYS` on a signal.
pub fn set(file: &OpenFile, wanted: &RecordLock, wait: bool) -> Result {
    let key = key(file)?;
    let attempt = || {
        update(key, |locks| match conflict(locks, wanted) {
            Some(other) => Err(other.owner),
            None => {
                let before = locks.records.len();
                carve(locks, wanted.owner, wanted.start, wanted.end);
                join(locks, wanted.clone());
                Ok(before)
            }
        })
    };
    loop {
        let blocker = match attempt() {
            Ok(_) => {
                // A lock may have become weaker.
                released().wake_all();
                return Ok(());
            }
            Err(blocker) => blocker,
        };
        if !wait {
            return Err(EAGAIN);
        }
        if matches!(wanted.owner, Owner::Table(_)) {
            wait_for(wanted.owner, blocker)?;
        }
        // Whom it waits for must always be known: where another comes in the way, a circle may be closed by that.
        let outcome = released().wait_until(|| {
            let in_the_way = LOCKS.lock().get(&key).and_then(|l| conflict(l, wanted)).map(|l| l.owner);
            (in_the_way != Some(blocker)).then_some(())
        });
        WAITING.lock().retain(|w| w.0 != wanted.owner);
        outcome?;
    }
}

/// Notes who waits for whom; refuses where that closes a circle.
fn wait_for(waiter: Owner, blocker: Owner) -> Result {
    let mut waiting = WAITING.lock();
    let mut at = blocker;
    for _ in 0..waiting.len() + 1 {
        if at == waiter {
            return Err(EDEADLK);
        }
        match waiting.iter().find(|w| w.0 == at) {
            Some(next) => at = next.1,
            None => break,
        }
    }
    waiting.push((waiter, blocker));
    Ok(())
}

/// Removes the owner's record locks from the range (`F_UNLCK`).
///
/// # Errors
/// That of `fstat`.
pub fn clear(file: &OpenFile, owner: Owner, start: u64, end: u64) -> Result {
    let key = key(file)?;
    update(key, |locks| carve(locks, owner, start, end));
    released().wake_all();
    Ok(())
}

/// `flock(2)`: takes the lock, or changes between shared and exclusive.
///
/// # Errors
/// `EAGAIN` (EWOULDBLOCK) without `wait`, `ERESTARTSYS` on a signal.
pub fn flock(file: &OpenFile, exclusive: bool, wait: bool) -> Result {
    let key = key(file)?;
    let owner = Owner::description(file);
    let pid = crate::task::with_current(|thread| thread.process.pid);
    let attempt = || {
        update(key, |locks| {
            // Changing a lock gives up the old one first (flock(2)).
            let had = locks.flocks.iter().position(|l| l.0 == owner).map(|at| locks.flocks.remove(at).1);
            if had == Some(true) {
                released().wake_all();
            }
            if locks.flocks.iter().any(|l| l.1 || exclusive) {
                return None;
            }
            locks.flocks.push((owner, exclusive, pid));
            Some(())
        })
    };
    if wait { released().wait_until(attempt) } else { attempt().ok_or(EAGAIN) }
}

/// Gives the `flock` of a description back.
///
/// # Errors
/// That of `fstat`.
pub fn unflock(file: &OpenFile) -> Result {
    let key = key(file)?;
    let owner = Owner::description(file);
    update(key, |locks| locks.flocks.retain(|l| l.0 != owner));
    released().wake_all();
    Ok(())
}

/// A descriptor is gone: POSIX locks of the process on the file end, whichever descriptor set them.
pub(super) fn descriptor_closed(table: &FileTable, file: &Arc<OpenFile>) {
    if COUNT.load(Ordering::Acquire) == 0 {
        return;
    }
    let Ok(key) = key(file) else { return };
    if !LOCKS.lock().contains_key(&key) {
        return;
    }
    let owner = Owner::table(table);
    update(key, |locks| locks.records.retain(|l| l.owner != owner));
    released().wake_all();
}

/// An open file description is gone: its own locks end.
pub(super) fn description_closed(file: &OpenFile) {
    if COUNT.load(Ordering::Acquire) == 0 {
        return;
    }
    let owner = Owner::description(file);
    let mut all = LOCKS.lock();
    let before = all.len();
    let mut changed = false;
    for locks in all.values_mut() {
        let held = locks.records.len() + locks.flocks.len();
        locks.records.retain(|l| l.owner != owner);
        locks.flocks.retain(|l| l.0 != owner);
        changed |= locks.records.len() + locks.flocks.len() != held;
    }
    if changed {
        all.retain(|_, l| !l.records.is_empty() || !l.flocks.is_empty());
        COUNT.store(all.values().map(|l| l.records.len() + l.flocks.len()).sum(), Ordering::Release);
    }
    let changed = changed || all.len() != before;
    drop(all);
    if changed {
        released().wake_all();
    }
}
