//! Wait queues: how threads sleep for an event, and how `poll` and `epoll` learn of one.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::SpinLock;
use crate::error::{EINTR, ETIMEDOUT, ERESTARTSYS, Result};
use crate::fs::Events;
use crate::task::{self, Thread, sched};

/// Something a wait queue can wake.
pub trait Wake: Send + Sync {
    /// Called with the queue's lock held and interrupts off: must be short and must not wait. `events` says what happened
    /// ([`Events::all`] where the source does not know). Returns whether it consumed an exclusive wake-up.
    fn wake(&self, events: Events) -> bool;

    /// As [`Wake::wake`], where the waker is about to sleep itself: a thread that is woken may take over its CPU.
    fn wake_sync(&self, events: Events) -> bool {
        self.wake(events)
    }

    /// Whether of several such only one is told of an event (EPOLLEXCLUSIVE).
    fn is_exclusive(&self) -> bool {
        false
    }
}

struct ThreadWaker {
    thread: Arc<Thread>,
    woken: AtomicBool,
}

impl Wake for ThreadWaker {
    fn wake(&self, _events: Events) -> bool {
        self.woken.store(true, Ordering::Release);
        sched::wake(&self.thread)
    }

    fn wake_sync(&self, _events: Events) -> bool {
        self.woken.store(true, Ordering::Release);
        sched::wake_successor(&self.thread)
    }
}

struct Inner {
    count: AtomicUsize,
    entries: SpinLock<(u64, Vec<(u64, Arc<dyn Wake>)>)>,
}

/// A list of waiters. Cloning gives another handle of the same queue.
#[derive(Clone)]
pub struct WaitQueue(Arc<Inner>);

impl Default for WaitQueue {
    fn default() -> Self {
        Self::new()
    }
}

/// A registration in a [`WaitQueue`], removed when dropped.
pub struct WaitEntry {
    queue: Arc<Inner>,
    id: u64,
}

impl Drop for WaitEntry {
    fn drop(&mut self) {
        let mut entries = self.queue.entries.lock();
        if let Some(at) = entries.1.iter().position(|(id, _)| *id == self.id) {
            // Moved out of the lock, since its drop may free a thread.
            let gone = entries.1.remove(at);
            self.queue.count.store(entries.1.len(), Ordering::SeqCst);
            drop(entries);
            drop(gone);
        }
    }
}

impl WaitQueue {
    /// An empty queue.
    pub fn new() -> Self {
        Self(Arc::new(Inner { count: AtomicUsize::new(0), entries: SpinLock::new((0, Vec::new())) }))
    }

    /// Adds a waker until the entry is dropped.
    pub fn add(&self, waker: Arc<dyn Wake>) -> WaitEntry {
        let mut entries = self.0.entries.lock();
        entries.0 += 1;
        let id = entries.0;
        entries.1.push((id, waker));
        self.0.count.store(entries.1.len(), Ordering::SeqCst);
        WaitEntry { queue: self.0.clone(), id }
    }

    /// Whether anyone waits.
    pub fn is_empty(&self) -> bool {
        self.0.count.load(Ordering::SeqCst) == 0
    }

    /// Wakes every waiter.
    pub fn wake_all(&self) {
        self.wake_events(Events::all());
    }

    /// Wakes every waiter, telling poll entries what happened.
    pub fn wake_events(&self, events: Events) {
        core::sync::atomic::fence(Ordering::SeqCst);
        if self.is_empty() {
            return;
        }
        self.wake_each(|waker| waker.wake(events));
    }

    /// As [`WaitQueue::wake_events`], where the caller probably sleeps next: passing data from one thread to another then stays on one CPU.
    pub fn wake_events_sync(&self, events: Events) {
        core::sync::atomic::fence(Ordering::SeqCst);
        if self.is_empty() {
            return;
        }
        self.wake_each(|waker| waker.wake_sync(events));
    }

    /// Wakes all, but of the exclusive ones no more than the first that takes it.
    fn wake_each(&self, wake: impl Fn(&dyn Wake) -> bool) {
        let _defer = sched::DeferInterrupts::new();
        let mut is_taken = false;
        for (_, waker) in &self.0.entries.lock().1 {
            let is_exclusive = waker.is_exclusive();
            if !(is_exclusive && is_taken) {
                is_taken |= wake(&**waker) && is_exclusive;
            }
        }
    }

    /// Wakes poll entries and the longest-waiting thread that was really asleep.
    pub fn wake_one(&self) {
        self.wake_first(|waker| waker.wake(Events::all()));
    }

    /// As [`WaitQueue::wake_one`], where the caller sleeps next.
    pub fn wake_one_sync(&self) {
        self.wake_first(|waker| waker.wake_sync(Events::all()));
    }

    fn wake_first(&self, wake: impl Fn(&dyn Wake) -> bool) {
        core::sync::atomic::fence(Ordering::SeqCst);
        if self.is_empty() {
            return;
        }
        let _defer = sched::DeferInterrupts::new();
        for (_, waker) in &self.0.entries.lock().1 {
            if wake(&**waker) {
                break;
            }
        }
    }

    /// Sleeps until `ready` returns a value.
    ///
    /// # Errors
    /// `ERESTARTSYS` when a signal arrives first.
    pub fn wait_until<T>(&self, ready: impl FnMut() -> Option<T>) -> Result<T> {
        self.wait(EndedBy::Signals, None, ready)
    }

    /// Sleeps until `ready` returns a value or the monotonic clock reaches `deadline_ns`.
    ///
    /// # Errors
    /// `ERESTARTSYS` on a signal, `ETIMEDOUT` at the deadline.
    pub fn wait_deadline<T>(&self, deadline_ns: Option<u64>, ready: impl FnMut() -> Option<T>) -> Result<T> {
        self.wait(EndedBy::Signals, deadline_ns, ready)
    }

    /// Sleeps until `ready` returns a value, whatever signals arrive, unless the thread has to end.
    ///
    /// # Errors
    /// `EINTR` where it has to end.
    pub fn wait_killable<T>(&self, ready: impl FnMut() -> Option<T>) -> Result<T> {
        self.wait(EndedBy::Kill, None, ready)
    }

    /// Sleeps until `ready` returns a value, whatever signals arrive (even SIGKILL waits).
    pub fn wait_uninterruptible<T>(&self, ready: impl FnMut() -> Option<T>) -> T {
        match self.wait(EndedBy::Nothing, None, ready) {
            Ok(value) => value,
            Err(_) => unreachable!("an uninterruptible wait without a deadline ends only by its condition"),
        }
    }

    fn wait<T>(&self, ended_by: EndedBy, deadline_ns: Option<u64>, mut ready: impl FnMut() -> Option<T>) -> Result<T> {
        if let Some(value) = ready() {
            return Ok(value);
        }
        let thread = task::current();
        let waker = Arc::new(ThreadWaker { thread: thread.clone(), woken: AtomicBool::new(false) });
        let _entry = self.add(waker);
        loop {
            sched::prepare_to_sleep(&thread, ended_by != EndedBy::Nothing);
            if let Some(value) = ready() {
                sched::cancel_sleep(&thread);
                return Ok(value);
            }
            let end = match ended_by {
                EndedBy::Signals if thread.has_pending_signal() => Some(ERESTARTSYS),
                EndedBy::Kill if thread.is_killed() => Some(EINTR),
                _ => None,
            };
            if let Some(error) = end {
                sched::cancel_sleep(&thread);
                return Err(error);
            }
            if let Some(deadline) = deadline_ns {
                if frame::time::now_ns() >= deadline {
                    sched::cancel_sleep(&thread);
                    return Err(ETIMEDOUT);
                }
            }
            sched::sleep(deadline_ns);
        }
    }
}

/// What ends a sleep before its time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum EndedBy {
    /// Any signal that is not blocked.
    Signals,
    /// That the thread has to end.
    Kill,
    Nothing,
}

/// Where a `poll` operation registers itself with the queues of the files it looks at.
pub struct PollTable<'a> {
    waker: Option<&'a Arc<dyn Wake>>,
    entries: Vec<WaitEntry>,
}

impl<'a> PollTable<'a> {
    /// A table that registers nothing: only asks for the state now.
    pub fn none() -> Self {
        Self { waker: None, entries: Vec::new() }
    }

    /// A table that registers `waker` with every queue.
    pub fn with(waker: &'a Arc<dyn Wake>) -> Self {
        Self { waker: Some(waker), entries: Vec::new() }
    }

    /// To be called by a file's `poll` for each queue that announces a change of its state, before it looks at the state.
    pub fn register(&mut self, queue: &WaitQueue) {
        if let Some(waker) = self.waker {
            self.entries.push(queue.add(waker.clone()));
        }
    }

    /// Further files only report their state (one is ready already, so nobody will sleep).
    pub fn stop_registering(&mut self) {
        self.waker = None;
    }

    /// The registrations, to be kept as long as the wake-ups are wanted.
    pub fn into_entries(self) -> Vec<WaitEntry> {
        self.entries
    }
}

/// A thread that waits for any of several queues (`poll(2)`): it registers [`PollWaiter::waker`] with each, then alternates between
/// [`PollWaiter::reset`], looking at the states, and [`PollWaiter::wait`].
pub struct PollWaiter {
    inner: Arc<ThreadWaker>,
}

impl PollWaiter {
    /// For the current thread.
    pub fn new() -> Self {
        Self { inner: Arc::new(ThreadWaker { thread: task::current(), woken: AtomicBool::new(false) }) }
    }

    /// What the queues wake.
    pub fn waker(&self) -> Arc<dyn Wake> {
        self.inner.clone()
    }

    /// Forgets earlier wake-ups. Call it before looking at the states.
    pub fn reset(&self) {
        self.inner.woken.store(false, Ordering::SeqCst);
    }

    /// Sleeps until a queue has woken the thread since the last reset.
    ///
    /// # Errors
    /// `ERESTARTSYS` on a signal, `ETIMEDOUT` at the deadline.
    pub fn wait(&self, deadline_ns: Option<u64>) -> Result {
        let thread = &self.inner.thread;
        loop {
            sched::prepare_to_sleep(thread, true);
            let outcome = if self.inner.woken.load(Ordering::SeqCst) {
                Some(Ok(()))
            } else if thread.has_pending_signal() {
                Some(Err(ERESTARTSYS))
            } else if deadline_ns.is_some_and(|at| frame::time::now_ns() >= at) {
                Some(Err(ETIMEDOUT))
            } else {
                None
            };
            if let Some(outcome) = outcome {
                sched::cancel_sleep(thread);
                return outcome;
            }
            sched::sleep(deadline_ns);
        }
    }
}

impl Default for PollWaiter {
    fn default() -> Self {
        Self::new()
    }
}
