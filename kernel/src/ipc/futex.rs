//! Futexes (`futex(2)`): wait on a user word, wake by its address.
//!
//! A private futex is named by address space and address; a shared one by the page of the object that backs it.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering};

use frame::user::AtomicOp;

use crate::error::*;
use crate::mm::{Backing, PAGE};
use crate::sync::{RwSpinLock, SpinLock};
use crate::task::{self, Thread, sched};

/// What names a futex.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Key {
    Private { space: usize, addr: usize },
    Shared { object: usize, offset: u64 },
}

pub(super) struct Waiter {
    thread: Arc<Thread>,
    key: SpinLock<Key>,
    bitset: u32,
    /// Its thread's real-time priority when it began to wait; 0 for others.
    priority: u32,
    woken: AtomicBool,
    /// Only to be moved to this lock (`FUTEX_WAIT_REQUEUE_PI`).
    pub(super) moves_to: Option<Arc<super::futex_pi::Waiter>>,
}

const BUCKETS: usize = 256;
type Bucket = SpinLock<VecDeque<Arc<Waiter>>>;
static TABLE: [Bucket; BUCKETS] = [const { SpinLock::new(VecDeque::new()) }; BUCKETS];
/// Requeueing moves waiters between buckets; a waiter that gives up must find the one it is in.
static REQUEUE: RwSpinLock<()> = RwSpinLock::new(());

fn bucket(key: &Key) -> usize {
    let (a, b) = match *key {
        Key::Private { space, addr } => (space as u64, addr as u64),
        Key::Shared { object, offset } => (object as u64, offset),
    };
    let mixed = (a >> 4).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (b >> 2).wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
    (mixed >> 40) as usize % BUCKETS
}

pub(super) fn key_of(addr: usize, private: bool) -> Result<Key> {
    if addr % 4 != 0 {
        return Err(EINVAL);
    }
    let mm = task::with_current(|t| t.process.mm())?;
    let space = Arc::as_ptr(&mm) as usize;
    if private {
        return Ok(Key::Private { space, addr });
    }
    let area = mm.find(addr).ok_or(EFAULT)?;
    match &area.backing {
        Backing::Object { object, .. } if area.shared => {
            Ok(Key::Shared { object: Arc::as_ptr(object) as *const () as usize, offset: area.object_page(addr) * PAGE as u64 + (addr % PAGE) as u64 })
        }
        _ => Ok(Key::Private { space, addr }),
    }
}

/// Puts a waiter behind those of its priority and above: they are woken in this order.
fn enqueue(key: &Key, waiter: Arc<Waiter>) {
    let mut queue = TABLE[bucket(key)].lock();
    let behind = queue.iter().rev().take_while(|other| other.priority < waiter.priority).count();
    let at = queue.len() - behind;
    queue.insert(at, waiter);
}

/// `FUTEX_WAIT`, `FUTEX_WAIT_BITSET`: sleeps if the word still has the expected value.
///
/// # Errors
/// `EAGAIN` where it has not, `ETIMEDOUT` at the deadline (monotonic ns), `ERESTARTSYS` on a signal, `EFAULT`, `EINVAL`.
pub fn wait(addr: usize, private: bool, expected: u32, bitset: u32, deadline_ns: Option<u64>) -> Result {
    if bitset == 0 {
        return Err(EINVAL);
    }
    let key = key_of(addr, private)?;
    let thread = task::current();
    let waiter = Arc::new(Waiter { thread: thread.clone(), key: SpinLock::new(key), bitset, priority: thread.sched.realtime_priority(), woken: AtomicBool::new(false), moves_to: None });
    // Queue first, then look: a waker changes the word first, then looks at the queue.
    enqueue(&key, waiter.clone());
    let value = match frame::user::read_u32(addr as u64) {
        Ok(value) => value,
        Err(fault) => {
            remove(&waiter);
            return Err(fault.into());
        }
    };
    if value != expected {
        return if remove(&waiter) { Err(EAGAIN) } else { Ok(()) };
    }
    loop {
        sched::prepare_to_sleep(&thread, true);
        if waiter.woken.load(Ordering::SeqCst) {
            sched::cancel_sleep(&thread);
            return Ok(());
        }
        let failure = if thread.has_pending_signal() {
            Some(ERESTARTSYS)
        } else if deadline_ns.is_some_and(|at| frame::time::now_ns() >= at) {
            Some(ETIMEDOUT)
        } else {
            None
        };
        if let Some(error) = failure {
            sched::cancel_sleep(&thread);
            // A wake-up that came at the same time must not be lost.
            return if remove(&waiter) { Err(error) } else { Ok(()) };
        }
        sched::sleep(deadline_ns);
    }
}

/// One word of `futex_waitv(2)`.
#[derive(Clone, Copy, Debug)]
pub struct Wait {
    #[allow(missing_docs)]
    pub addr: usize,
    #[allow(missing_docs)]
    pub private: bool,
    /// The value it must have.
    pub expected: u32,
}

/// Waits for any of several words; gives the place of one that was woken.
///
/// # Errors
/// As [`wait`].
pub fn wait_any(words: &[Wait], deadline_ns: Option<u64>) -> Result<usize> {
    let thread = task::current();
    let mut waiters: alloc::vec::Vec<Arc<Waiter>> = alloc::vec::Vec::new();
    // Takes all off their queues; the place of one that was woken meanwhile.
    let end = |waiters: &[Arc<Waiter>]| waiters.iter().enumerate().fold(None, |woken, (i, w)| if remove(w) { woken } else { woken.or(Some(i)) });
    for word in words {
        let queued = key_of(word.addr, word.private).and_then(|key| {
            let waiter = Arc::new(Waiter { thread: thread.clone(), key: SpinLock::new(key), bitset: u32::MAX, priority: thread.sched.realtime_priority(), woken: AtomicBool::new(false), moves_to: None });
            enqueue(&key, waiter.clone());
            waiters.push(waiter);
            if frame::user::read_u32(word.addr as u64)? == word.expected { Ok(()) } else { Err(EAGAIN) }
        });
        if let Err(error) = queued {
            return end(&waiters).ok_or(error);
        }
    }
    loop {
        sched::prepare_to_sleep(&thread, true);
        let failure = if waiters.iter().any(|w| w.woken.load(Ordering::SeqCst)) {
            Some(EAGAIN)
        } else if thread.has_pending_signal() {
            Some(ERESTARTSYS)
        } else if deadline_ns.is_some_and(|at| frame::time::now_ns() >= at) {
            Some(ETIMEDOUT)
        } else {
            None
        };
        if let Some(error) = failure {
            sched::cancel_sleep(&thread);
            return end(&waiters).ok_or(error);
        }
        sched::sleep(deadline_ns);
    }
}

/// Queues a waiter of `FUTEX_WAIT_REQUEUE_PI`, which only [`remove`] takes off.
pub(super) fn queue_for(thread: &Arc<Thread>, key: Key, moves_to: Arc<super::futex_pi::Waiter>) -> Arc<Waiter> {
    let waiter =
        Arc::new(Waiter { thread: thread.clone(), key: SpinLock::new(key), bitset: u32::MAX, priority: thread.sched.realtime_priority(), woken: AtomicBool::new(false), moves_to: Some(moves_to) });
    enqueue(&key, waiter.clone());
    waiter
}

/// The waiter of a futex whose turn is next.
pub(super) fn first(key: Key) -> Option<Arc<Waiter>> {
    TABLE[bucket(&key)].lock().iter().find(|waiter| *waiter.key.lock() == key).cloned()
}

/// Takes a waiter off its queue; `false` where it was woken already.
pub(super) fn remove(waiter: &Arc<Waiter>) -> bool {
    let _stable = REQUEUE.read();
    let key = *waiter.key.lock();
    let mut queue = TABLE[bucket(&key)].lock();
    let at = queue.iter().position(|w| Arc::ptr_eq(w, waiter));
    match at {
        Some(at) => {
            let gone = queue.remove(at);
            drop(queue);
            drop(gone);
            true
        }
        None => false,
    }
}

/// Wakes waiters. `EINVAL` where one of them may only be moved.
fn wake_key(key: Key, count: usize, bitset: u32) -> Result<usize> {
    let mut refused = false;
    let mut woken = alloc::vec::Vec::new();
    {
        let mut queue = TABLE[bucket(&key)].lock();
        let mut i = 0;
        while i < queue.len() && woken.len() < count {
            let matches = *queue[i].key.lock() == key && queue[i].bitset & bitset != 0;
            if matches && queue[i].moves_to.is_some() {
                refused = true;
                break;
            }
            if matches {
                woken.extend(queue.remove(i));
            } else {
                i += 1;
            }
        }
    }
    for waiter in &woken {
        waiter.woken.store(true, Ordering::SeqCst);
        sched::wake(&waiter.thread);
    }
    if refused { Err(EINVAL) } else { Ok(woken.len()) }
}

/// `FUTEX_WAKE`, `FUTEX_WAKE_BITSET`: wakes up to `count` waiters; returns how many.
///
/// # Errors
/// `EINVAL`, `EFAULT`.
pub fn wake(addr: usize, private: bool, count: usize, bitset: u32) -> Result<usize> {
    if bitset == 0 {
        return Err(EINVAL);
    }
    let key = key_of(addr, private)?;
    touch(addr, private)?;
    wake_key(key, count, bitset)
}

/// A shared futex is named by its page, which must be there.
fn touch(addr: usize, private: bool) -> Result {
    if !private {
        frame::user::read_u32(addr as u64)?;
    }
    Ok(())
}

/// Wakes waiters of the current process at an address, private or shared (thread exit).
pub fn wake_address(addr: usize, count: usize) {
    for private in [true, false] {
        if let Ok(key) = key_of(addr, private) {
            let _ = wake_key(key, count, u32::MAX);
        }
    }
}

/// `FUTEX_REQUEUE`, `FUTEX_CMP_REQUEUE`: wakes some waiters, moves others to another futex. Returns woken plus moved
/// (for plain REQUEUE Linux counts the woken only).
///
/// # Errors
/// `EAGAIN` where the word has not the expected value, `EFAULT`, `EINVAL`.
pub fn requeue(addr: usize, to: usize, private: bool, wake_count: usize, move_count: usize, expected: Option<u32>) -> Result<usize> {
    let (key, target) = (key_of(addr, private)?, key_of(to, private)?);
    touch(addr, private)?;
    touch(to, private)?;
    if let Some(expected) = expected {
        if frame::user::read_u32(addr as u64)? != expected {
            return Err(EAGAIN);
        }
    }
    let woken = wake_key(key, wake_count, u32::MAX)?;
    let mut moving = alloc::vec::Vec::new();
    let mut refused = false;
    let _exclusive = REQUEUE.write();
    {
        let mut queue = TABLE[bucket(&key)].lock();
        let mut i = 0;
        while i < queue.len() && moving.len() < move_count {
            let matches = *queue[i].key.lock() == key;
            if matches && queue[i].moves_to.is_some() {
                refused = true;
                break;
            }
            if matches {
                moving.extend(queue.remove(i));
            } else {
                i += 1;
            }
        }
    }
    let moved = moving.len();
    for waiter in moving {
        *waiter.key.lock() = target;
        enqueue(&target, waiter);
    }
    if refused {
        return Err(EINVAL);
    }
    Ok(if expected.is_some() { woken + moved } else { woken })
}

/// `FUTEX_WAKE_OP`: changes the second word atomically, wakes waiters of the first and, by the old value, of the second.
///
/// # Errors
/// `EFAULT`, `EINVAL`, `ENOSYS` for an unknown operation.
pub fn wake_op(addr: usize, private: bool, count: usize, count2: usize, addr2: usize, encoded: u32) -> Result<usize> {
    let (key, key2) = (key_of(addr, private)?, key_of(addr2, private)?);
    let mut operand = sign_extend_12(encoded >> 12);
    let compare = sign_extend_12(encoded) as i32;
    if encoded & 1 << 31 != 0 {
        operand = 1u32.checked_shl(operand & 31).unwrap_or(0);
    }
    let op = match encoded >> 28 & 7 {
        0 => AtomicOp::Set,
        1 => AtomicOp::Add,
        2 => AtomicOp::Or,
        3 => AtomicOp::AndNot,
        4 => AtomicOp::Xor,
        _ => return Err(ENOSYS),
    };
    let old = frame::user::atomic_op_u32(addr2 as u64, op, operand)? as i32;
    let mut woken = wake_key(key, count, u32::MAX)?;
    let condition = match encoded >> 24 & 15 {
        0 => old == compare,
        1 => old != compare,
        2 => old < compare,
        3 => old <= compare,
        4 => old > compare,
        5 => old >= compare,
        _ => return Err(ENOSYS),
    };
    if condition {
        woken += wake_key(key2, count2, u32::MAX)?;
    }
    Ok(woken)
}

fn sign_extend_12(value: u32) -> u32 {
    ((value << 20) as i32 >> 20) as u32
}

/// Owner field and flags of a robust or PI futex word.
pub(super) const FUTEX_TID_MASK: u32 = 0x3fff_ffff;
pub(super) const FUTEX_OWNER_DIED: u32 = 0x4000_0000;
pub(super) const FUTEX_WAITERS: u32 = 0x8000_0000;
/// Most entries looked at, so that a circular list ends.
const ROBUST_LIMIT: usize = 2048;


/// Walks the robust list of an ending thread: its locks are marked OWNER_DIED and one waiter of each is woken (`get_robust_list(2)`).
pub fn thread_exit(thread: &Thread) {
    let head = thread.robust_list.swap(0, Ordering::Relaxed);
    if head == 0 || thread.process.mm().is_err() {
        return;
    }
    let word = |at: usize| frame::user::read_u64(at as u64).ok();
    let (Some(first), Some(offset), Some(pending)) = (word(head), word(head + 8), word(head + 16)) else { return };
    let mut at = first as usize;
    let mut left = ROBUST_LIMIT;
    while at & !1 != head && left > 0 {
        let next = word(at & !1);
        if at as u64 != pending {
            release(thread, (at & !1).wrapping_add(offset as usize));
        }
        let Some(next) = next else { break };
        at = next as usize;
        left -= 1;
    }
    if pending != 0 {
        release(thread, (pending as usize & !1).wrapping_add(offset as usize));
    }
}

fn release(thread: &Thread, addr: usize) {
    let Ok(mut value) = frame::user::read_u32(addr as u64) else { return };
    while value & FUTEX_TID_MASK == thread.own_tid() {
        let new = value & FUTEX_WAITERS | FUTEX_OWNER_DIED;
        match frame::user::atomic_cmpxchg_u32(addr as u64, value, new) {
            Ok(found) if found == value => {
                if value & FUTEX_WAITERS != 0 {
                    wake_address(addr, 1);
                }
                return;
            }
            Ok(found) => value = found,
            Err(_) => return,
        }
    }
}
