//! Futexes with an owner (`FUTEX_LOCK_PI` and its family, `futex(2)`): the word holds the owner's thread id, and the lock is handed from the owner to
//! the one that has waited longest. The owner does not inherit its waiters' priority: fair threads have no fixed one, and a real-time thread
//! that waits for a fair one waits as long as that needs.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::futex::{self, FUTEX_OWNER_DIED, FUTEX_TID_MASK, FUTEX_WAITERS, Key, key_of};
use crate::error::*;
use crate::sync::{Mutex, Once, WaitQueue};
use crate::task::{self, Thread, pid_ns};

pub(super) struct Waiter {
    thread: Arc<Thread>,
    key: Key,
    addr: usize,
    owner: AtomicU32,
    /// It owns the lock now.
    given: AtomicBool,
    event: WaitQueue,
}

/// All who wait, the longest-waiting first. Held while words are looked at, which may sleep.
fn waiters() -> &'static Mutex<Vec<Arc<Waiter>>> {
    static WAITERS: Once<Mutex<Vec<Arc<Waiter>>>> = Once::new();
    WAITERS.get_or_init(|| Mutex::new(Vec::new()))
}

/// What [`acquire`] found.
enum Outcome {
    Mine,
    /// The thread that has it.
    Owned(u32),
}

/// Takes the lock if it is free, or marks it as waited for.
fn acquire(addr: usize, tid: u32, waited_for: bool, mark: bool) -> Result<Outcome> {
    let mut value = frame::user::read_u32(addr as u64)?;
    loop {
        let owner = value & FUTEX_TID_MASK;
        if owner == tid {
            return Err(EDEADLK);
        }
        let (new, outcome) = if owner == 0 {
            (value & FUTEX_OWNER_DIED | tid | if waited_for { FUTEX_WAITERS } else { 0 }, Outcome::Mine)
        } else if pid_ns::find_thread(owner).is_none() {
            return Err(ESRCH);
        } else {
            (if mark { value | FUTEX_WAITERS } else { value }, Outcome::Owned(owner))
        };
        let found = if new == value { value } else { frame::user::atomic_cmpxchg_u32(addr as u64, value, new)? };
        if found == value {
            return Ok(outcome);
        }
        value = found;
    }
}

/// `FUTEX_LOCK_PI`, `FUTEX_LOCK_PI2`; with `wait` false `FUTEX_TRYLOCK_PI`. The deadline is on the monotonic clock, ns.
///
/// # Errors
/// `EDEADLK` where the caller has it, `ESRCH` where the owner does not exist, `EAGAIN` where it must not wait, `ETIMEDOUT`, `EFAULT`, `EINVAL`.
pub fn lock(addr: usize, private: bool, wait: bool, deadline_ns: Option<u64>) -> Result {
    let key = key_of(addr, private)?;
    let thread = task::current();
    let waiter = {
        let mut all = waiters().lock();
        let others = all.iter().any(|w| w.key == key);
        match acquire(addr, thread.own_tid(), others, wait)? {
            Outcome::Mine => return Ok(()),
            Outcome::Owned(_) if !wait => return Err(EAGAIN),
            Outcome::Owned(owner) => {
                let waiter = Arc::new(Waiter { thread, key, addr, owner: AtomicU32::new(pid_ns::meant(owner)?), given: AtomicBool::new(false), event: WaitQueue::new() });
                all.push(waiter.clone());
                waiter
            }
        }
    };
    let waited = waiter.event.wait_deadline(deadline_ns, || waiter.given.load(Ordering::SeqCst).then_some(()));
    let Err(error) = waited else { return Ok(()) };
    let mut all = waiters().lock();
    if waiter.given.load(Ordering::SeqCst) {
        return Ok(());
    }
    all.retain(|w| !Arc::ptr_eq(w, &waiter));
    Err(if error == ERESTARTSYS { ERESTARTNOINTR } else { error })
}

/// `FUTEX_WAIT_REQUEUE_PI`: waits at `addr` until it is moved to the lock `to`, and has that at the end.
///
/// # Errors
/// `EAGAIN` where the word has not the expected value, or a signal came after it was moved; `ETIMEDOUT`; `EINVAL`, `EFAULT`.
pub fn wait_for_move(addr: usize, to: usize, private: bool, expected: u32, deadline_ns: Option<u64>) -> Result {
    let (key, target) = (key_of(addr, private)?, key_of(to, private)?);
    if key == target {
        return Err(EINVAL);
    }
    let thread = task::current();
    let waiter = Arc::new(Waiter { thread: thread.clone(), key: target, addr: to, owner: AtomicU32::new(0), given: AtomicBool::new(false), event: WaitQueue::new() });
    // Queue first, then look, as in FUTEX_WAIT. Who moves it holds the list, so that it does not leave meanwhile.
    let queued = futex::queue_for(&thread, key, waiter.clone());
    let outcome = match frame::user::read_u32(addr as u64) {
        Err(fault) => Err(fault.into()),
        Ok(value) if value != expected => Err(EAGAIN),
        Ok(_) => Ok(()),
    };
    if let Err(error) = outcome {
        let _stable = waiters().lock();
        if futex::remove(&queued) {
            return Err(error);
        }
        // It was moved before it could look.
    }
    let waited = waiter.event.wait_deadline(deadline_ns, || waiter.given.load(Ordering::SeqCst).then_some(()));
    let Err(error) = waited else { return Ok(()) };
    let mut all = waiters().lock();
    if waiter.given.load(Ordering::SeqCst) {
        return Ok(());
    }
    let early = futex::remove(&queued);
    all.retain(|w| !Arc::ptr_eq(w, &waiter));
    Err(match error {
        ERESTARTSYS if early => ERESTARTNOINTR,
        ERESTARTSYS => EAGAIN,
        other => other,
    })
}

/// `FUTEX_CMP_REQUEUE_PI`: moves one waiter and up to `count` more to the lock `to`; the first gets it if it is free. Returns how many.
///
/// # Errors
/// `EAGAIN` where the word has not the expected value, `EINVAL` for waiters of another kind or for another lock; those of the lock.
pub fn move_waiters(addr: usize, to: usize, private: bool, count: usize, expected: u32) -> Result<usize> {
    let (key, target) = (key_of(addr, private)?, key_of(to, private)?);
    if key == target {
        return Err(EINVAL);
    }
    let mut all = waiters().lock();
    if frame::user::read_u32(addr as u64)? != expected {
        return Err(EAGAIN);
    }
    let mut moved = 0;
    while moved <= count {
        let Some(queued) = futex::first(key) else { break };
        let Some(waiter) = queued.moves_to.clone().filter(|waiter| waiter.key == target) else { return Err(EINVAL) };
        let others = all.iter().any(|w| w.key == target);
        // More to come: the owner must not unlock it without us.
        match acquire(to, waiter.thread.own_tid(), others || count > 0, true)? {
            Outcome::Mine => {
                futex::remove(&queued);
                give(&waiter);
            }
            Outcome::Owned(owner) => {
                waiter.owner.store(pid_ns::meant(owner)?, Ordering::Relaxed);
                all.push(waiter);
                futex::remove(&queued);
            }
        }
        moved += 1;
    }
    Ok(moved)
}

/// Takes the next owner out of the list; also whether others wait still.
fn next(all: &mut Vec<Arc<Waiter>>, key: Key) -> Option<(Arc<Waiter>, bool)> {
    let at = all.iter().position(|w| w.key == key)?;
    let waiter = all.remove(at);
    Some((waiter, all.iter().any(|w| w.key == key)))
}

fn give(waiter: &Waiter) {
    waiter.given.store(true, Ordering::SeqCst);
    waiter.event.wake_all();
}

/// `FUTEX_UNLOCK_PI`.
///
/// # Errors
/// `EPERM` where the caller is not the owner, `EFAULT`, `EINVAL`.
pub fn unlock(addr: usize, private: bool) -> Result {
    let key = key_of(addr, private)?;
    let tid = task::with_current(|t| t.own_tid());
    let mut all = waiters().lock();
    let mut value = frame::user::read_u32(addr as u64)?;
    if value & FUTEX_TID_MASK != tid {
        return Err(EPERM);
    }
    let next = next(&mut all, key);
    let new = match &next {
        Some((waiter, more)) => {
            for other in all.iter().filter(|w| w.key == key) {
                other.owner.store(waiter.thread.tid(), Ordering::Relaxed);
            }
            waiter.thread.own_tid() | if *more { FUTEX_WAITERS } else { 0 }
        }
        None => 0,
    };
    loop {
        let found = frame::user::atomic_cmpxchg_u32(addr as u64, value, new)?;
        if found == value {
            break;
        }
        value = found;
    }
    if let Some((waiter, _)) = next {
        give(&waiter);
    }
    Ok(())
}

/// A thread ends: the locks it had and others wait for go to those.
pub fn thread_exit(tid: u32) {
    let mut all = waiters().lock();
    while let Some(key) = all.iter().find(|w| w.owner.load(Ordering::Relaxed) == tid).map(|w| w.key) {
        let Some((waiter, more)) = next(&mut all, key) else { break };
        let value = waiter.thread.own_tid() | FUTEX_OWNER_DIED | if more { FUTEX_WAITERS } else { 0 };
        if let Ok(mm) = waiter.thread.process.mm() {
            let _ = mm.write_remote(waiter.addr, &value.to_ne_bytes());
        }
        for other in all.iter().filter(|w| w.key == key) {
            other.owner.store(waiter.thread.tid(), Ordering::Relaxed);
        }
        give(&waiter);
    }
}
