//! Requests that wait: for a file, a time, or a number of results.

use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::request::{Chain, Request};
use super::{Completion, Ring};
use crate::error::*;
use crate::fs::{Events, OpenFile};
use crate::sync::{PollTable, SpinLock, WaitEntry, Wake};
use crate::task::{Thread, signal};
use crate::time::timer::{Expire, Timer};

/// What it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum For {
    /// The file to be ready: it is tried again then.
    File,
    /// One of these events of the file; each time, where `again`.
    Events {
        #[allow(missing_docs)]
        events: Events,
        /// `IORING_POLL_ADD_MULTI`
        again: bool,
    },
    /// A time, or so many results (0: only the time).
    Timeout {
        /// Results of the ring by then; the most there can be: only the time counts.
        posted: u64,
    },
    /// A time, at which another request is given up.
    Other,
}

/// The request, and those behind it, until somebody takes them to end it.
pub struct Held {
    #[allow(missing_docs)]
    pub request: Request,
    #[allow(missing_docs)]
    pub rest: Chain,
}

/// A request that waits.
pub struct Waiting {
    this: Weak<Waiting>,
    /// Its ring.
    pub ring: Weak<Ring>,
    thread: Weak<Thread>,
    /// What it waits for.
    pub what: For,
    /// What is waited for of the file.
    interest: AtomicU32,
    /// What comes back with its result, and its file's address: what it can be found by.
    pub user_data: u64,
    #[allow(missing_docs)]
    pub file: usize,
    held: SpinLock<Option<Held>>,
    is_queued: AtomicBool,
    /// Its time has come.
    is_over: AtomicBool,
    registrations: SpinLock<Vec<WaitEntry>>,
    timer: SpinLock<Option<Timer>>,
    /// For [`For::Other`]: which one. For that one: who gives it up.
    other: SpinLock<Option<Weak<Waiting>>>,
}

impl Waiting {
    /// One that waits in the name of a thread.
    pub fn new(ring: &Arc<Ring>, thread: &Arc<Thread>, what: For, request: Request, rest: Chain) -> Arc<Self> {
        let (user_data, file) = (request.entry.user_data, request.file.as_ref().map_or(0, |file| Arc::as_ptr(file) as usize));
        Arc::new_cyclic(|this| Self {
            this: this.clone(),
            ring: Arc::downgrade(ring),
            thread: Arc::downgrade(thread),
            what,
            interest: AtomicU32::new(0),
            user_data,
            file,
            held: SpinLock::new(Some(Held { request, rest })),
            is_queued: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            registrations: SpinLock::new(Vec::new()),
            timer: SpinLock::new(None),
            other: SpinLock::new(None),
        })
    }

    /// Whether it waits in the name of a thread.
    pub fn is_of(&self, thread: &Thread) -> bool {
        core::ptr::eq(self.thread.as_ptr(), thread)
    }

    /// Waits for events of a file, from now on.
    pub fn watch(self: &Arc<Self>, file: &OpenFile, events: Events) {
        let events = events | Events::ERR | Events::HUP;
        self.interest.store(events.bits(), Ordering::SeqCst);
        let waker: Arc<dyn Wake> = self.clone();
        let mut table = PollTable::with(&waker);
        let now = file.ops.poll(file, &mut table);
        let old = core::mem::replace(&mut *self.registrations.lock(), table.into_entries());
        drop(old);
        if now.intersects(events) {
            self.queue();
        }
    }

    /// Waits until a time on the monotonic clock, ns.
    pub fn set_timer(self: &Arc<Self>, deadline_ns: u64) {
        let timer = Timer::new(deadline_ns, self.clone());
        let old = self.timer.lock().replace(timer);
        drop(old);
    }

    /// Whether its time has come.
    pub fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }

    /// This one is given up by `other` at its time.
    pub fn pair(self: &Arc<Self>, other: &Arc<Waiting>) {
        *self.other.lock() = Some(Arc::downgrade(other));
        *other.other.lock() = Some(Arc::downgrade(self));
    }

    /// The other of the two.
    pub fn other(&self) -> Option<Arc<Waiting>> {
        self.other.lock().as_ref().and_then(Weak::upgrade)
    }

    /// Looks at what it waits for are due again.
    pub fn rearm(&self) {
        self.is_queued.store(false, Ordering::SeqCst);
    }

    /// Has its thread look at it.
    pub fn queue(&self) {
        if self.is_queued.swap(true, Ordering::SeqCst) {
            return;
        }
        let (Some(this), Some(thread)) = (self.this.upgrade(), self.thread.upgrade()) else { return };
        thread.ring_work.add(this);
        signal::notify(&thread);
    }

    /// Takes the request, to end it or to try it again: nobody else can then. `None` where that was done.
    pub fn take(&self) -> Option<Held> {
        self.held.lock().take()
    }

    /// Gives the request back, which goes on waiting.
    pub fn put_back(&self, held: Held) {
        *self.held.lock() = Some(held);
    }

    /// It waits for nothing any more.
    pub fn stop(&self) {
        let entries = core::mem::take(&mut *self.registrations.lock());
        let timer = self.timer.lock().take();
        drop((entries, timer));
        if let Some(ring) = self.ring.upgrade() {
            ring.remove_waiting(self);
        }
    }

    /// Ends it, and what is behind it, without having been done; false where it has ended.
    pub fn cancel(&self, ring: &Ring) -> bool {
        let Some(held) = self.take() else { return false };
        self.stop();
        ring.end();
        self.uncount(ring);
        let all = core::iter::once(held.request).chain(held.rest.0);
        for request in all {
            ring.post(Completion { user_data: request.entry.user_data, result: -ECANCELED.0, flags: 0 });
        }
        true
    }

    /// Where it waited for a number of results, it does no more.
    pub fn uncount(&self, ring: &Ring) {
        if matches!(self.what, For::Timeout { posted } if posted != u64::MAX) {
            ring.remove_counted();
        }
    }

    /// The ring has gone, and nobody waits for results.
    pub fn abandon(&self) {
        let held = self.take();
        let entries = core::mem::take(&mut *self.registrations.lock());
        let timer = self.timer.lock().take();
        drop((held, entries, timer));
    }
}

impl Wake for Waiting {
    fn wake(&self, events: Events) -> bool {
        if events == Events::all() || events.bits() & self.interest.load(Ordering::Relaxed) != 0 {
            self.queue();
        }
        false
    }
}

impl Expire for Waiting {
    fn expire(self: Arc<Self>) {
        self.is_over.store(true, Ordering::SeqCst);
        self.queue();
    }
}
