//! Asynchronous input and output (`io_submit(2)`), as libaio uses it.
//!
//! A context belongs to an address space, and its number is the address of a page there, where libaio looks for a ring of events; the page is empty, and
//! events are asked for by `io_getevents(2)`. Reads and writes are made while they are submitted, as Linux makes those of the page cache; syncs and
//! polls are made by two threads of the kernel.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

use zerocopy::{Immutable, IntoBytes};

use super::eventfd::EventFd;
use crate::error::*;
use crate::fs::{Events, OpenFile};
use crate::sync::{PollTable, SpinLock, WaitEntry, WaitQueue, Wake};

/// `/proc/sys/fs/aio-max-nr`: how many requests all contexts together may be made for.
pub static MAX_REQUESTS: AtomicUsize = AtomicUsize::new(65_536);
/// How many they are made for.
pub static REQUESTS: AtomicUsize = AtomicUsize::new(0);
/// Linux's ring: its head and each event take so many bytes, and it fills whole pages.
const RING_ENTRY: usize = 32;
const PAGE: usize = 4096;

/// `struct io_event`.
#[derive(Clone, Copy, Debug, IntoBytes, Immutable)]
#[repr(C)]
pub struct Event {
    data: u64,
    request: u64,
    result: i64,
    result2: i64,
}

#[derive(Default)]
struct State {
    events: VecDeque<Event>,
    /// Requests that are made, by the address of their control block.
    active: Vec<(u64, Option<Arc<Poll>>)>,
}

/// A context.
pub struct Context {
    asked: usize,
    /// The most requests in flight and events that wait.
    pub capacity: usize,
    state: SpinLock<State>,
    event: WaitQueue,
    dead: AtomicBool,
}

impl Context {
    /// One for this many requests.
    ///
    /// # Errors
    /// `EINVAL` for far too many, `EAGAIN` beyond the limit.
    pub fn new(count: usize) -> Result<Arc<Self>> {
        let entries = count.max(frame::cpu::count() * 4) * 2;
        if entries > 0x1000_0000 / RING_ENTRY {
            return Err(EINVAL);
        }
        let max = MAX_REQUESTS.load(Ordering::Relaxed);
        let taken = REQUESTS.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |sum| sum.checked_add(count).filter(|sum| *sum <= max));
        if taken.is_err() {
            return Err(EAGAIN);
        }
        let bytes = ((entries + 3) * RING_ENTRY).next_multiple_of(PAGE);
        let capacity = bytes / RING_ENTRY - 2;
        Ok(Arc::new(Self { asked: count, capacity, state: SpinLock::new(State::default()), event: WaitQueue::new(), dead: AtomicBool::new(false) }))
    }

    /// A request begins.
    ///
    /// # Errors
    /// `EAGAIN` where there are too many.
    fn begin(&self, request: u64) -> Result {
        let mut state = self.state.lock();
        if state.active.len() + state.events.len() >= self.capacity {
            return Err(EAGAIN);
        }
        state.active.push((request, None));
        Ok(())
    }

    /// A request that has begun was refused.
    fn forget(&self, request: u64) {
        let mut state = self.state.lock();
        if let Some(at) = state.active.iter().position(|active| active.0 == request) {
            let gone = state.active.swap_remove(at);
            drop(state);
            drop(gone);
        }
    }

    fn complete(&self, request: u64, data: u64, result: i64, notify: Option<&OpenFile>) {
        self.forget(request);
        self.state.lock().events.push_back(Event { data, request, result, result2: 0 });
        if let Some(counter) = notify.and_then(|file| file.downcast::<EventFd>()) {
            counter.signal();
        }
        self.event.wake_all();
    }

    /// Events in their order: at least `least` of them, unless the deadline (monotonic ns) comes first; at most `most`.
    ///
    /// # Errors
    /// `EINTR` where a signal comes before the first, `EINVAL` where the context ends.
    pub fn take(&self, least: usize, most: usize, deadline_ns: Option<u64>) -> Result<Vec<Event>> {
        let mut taken = Vec::new();
        let mut enough = || {
            let mut state = self.state.lock();
            let count = state.events.len().min(most - taken.len());
            taken.extend(state.events.drain(..count));
            (taken.len() >= least || self.dead.load(Ordering::SeqCst)).then_some(())
        };
        let waited = if deadline_ns == Some(0) { Ok(enough().unwrap_or(())) } else { self.event.wait_deadline(deadline_ns, &mut enough) };
        match waited {
            Err(ERESTARTSYS) if taken.is_empty() => Err(EINTR),
            _ if taken.is_empty() && self.dead.load(Ordering::SeqCst) => Err(EINVAL),
            _ => Ok(taken),
        }
    }

    /// `io_cancel(2)`: of polls only, whose event then comes at once.
    ///
    /// # Errors
    /// `EINPROGRESS` where it is cancelled, `EINVAL` where there is no such request, or it cannot be.
    pub fn cancel(&self, request: u64) -> Result {
        let poll = self.state.lock().active.iter().find(|active| active.0 == request).and_then(|active| active.1.clone());
        let poll = poll.ok_or(EINVAL)?;
        if poll.finish(0) { Err(EINPROGRESS) } else { Err(EINVAL) }
    }

    /// Waits until all that is made is done, or a signal comes.
    pub fn settle(&self) {
        let _ = self.event.wait_until(|| self.state.lock().active.is_empty().then_some(()));
    }

    /// Ends it: polls are taken back, and nobody waits for it any more.
    pub fn end(&self) {
        self.dead.store(true, Ordering::SeqCst);
        let active = core::mem::take(&mut self.state.lock().active);
        let (polls, others): (Vec<_>, Vec<_>) = active.into_iter().partition(|active| active.1.is_some());
        self.state.lock().active.extend(others);
        for poll in polls.into_iter().filter_map(|active| active.1) {
            poll.done.store(true, Ordering::SeqCst);
            let entries = core::mem::take(&mut *poll.registrations.lock());
            drop(entries);
        }
        self.event.wake_all();
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        REQUESTS.fetch_sub(self.asked, Ordering::SeqCst);
    }
}

/// The contexts of an address space, by their numbers.
#[derive(Default)]
pub struct Contexts(SpinLock<BTreeMap<usize, Arc<Context>>>);

impl Contexts {
    /// Adds one.
    pub fn add(&self, number: usize, context: Arc<Context>) {
        self.0.lock().insert(number, context);
    }

    /// Finds one.
    ///
    /// # Errors
    /// `EINVAL`.
    pub fn find(&self, number: usize) -> Result<Arc<Context>> {
        self.0.lock().get(&number).cloned().ok_or(EINVAL)
    }

    /// Takes one away.
    ///
    /// # Errors
    /// `EINVAL`.
    pub fn take(&self, number: usize) -> Result<Arc<Context>> {
        self.0.lock().remove(&number).ok_or(EINVAL)
    }
}

impl Drop for Contexts {
    fn drop(&mut self) {
        let all = core::mem::take(&mut *self.0.lock());
        for context in all.values() {
            context.end();
        }
    }
}

/// What a request is about, beside what it does.
pub struct Request {
    /// Its control block's address.
    pub block: u64,
    /// What the caller wants in its event.
    pub data: u64,
    /// Its file.
    pub file: Arc<OpenFile>,
    /// The event counter to be told.
    pub notify: Option<Arc<OpenFile>>,
}

/// What is done.
pub enum Job<'a> {
    /// Something done here and now, with its result.
    Now(&'a mut dyn FnMut(&OpenFile) -> Result<usize>),
    /// `fsync(2)`, or `fdatasync(2)`.
    Sync {
        #[allow(missing_docs)]
        data_only: bool,
    },
    /// Until the file has one of these events.
    Poll(Events),
}

/// Submits a request.
///
/// # Errors
/// `EAGAIN`.
pub fn submit(context: &Arc<Context>, request: Request, job: Job<'_>) -> Result {
    context.begin(request.block)?;
    match job {
        Job::Now(work) => {
            let result = match work(&request.file) {
                Ok(n) => n as i64,
                // An event cannot make a call start again.
                Err(error) if error.is_restart() => -i64::from(EINTR.0),
                Err(error) => -i64::from(error.0),
            };
            context.complete(request.block, request.data, result, request.notify.as_deref());
        }
        Job::Sync { data_only } => SYNCS.put(Work::Sync { context: context.clone(), request, data_only }),
        Job::Poll(events) => Poll::start(context, request, events),
    }
    Ok(())
}

/// A poll that waits.
pub struct Poll {
    this: Weak<Poll>,
    context: Arc<Context>,
    request: Request,
    events: Events,
    done: AtomicBool,
    /// It is to be looked at.
    queued: AtomicBool,
    /// What the waker said, which is what its event tells; 0 where it said nothing.
    told: AtomicU32,
    registrations: SpinLock<Vec<WaitEntry>>,
}

impl Poll {
    fn start(context: &Arc<Context>, request: Request, events: Events) {
        let events = events | Events::ERR | Events::HUP;
        let poll = Arc::new_cyclic(|this| Self {
            this: this.clone(),
            context: context.clone(),
            request,
            events,
            done: AtomicBool::new(false),
            queued: AtomicBool::new(false),
            told: AtomicU32::new(0),
            registrations: SpinLock::new(Vec::new()),
        });
        {
            let mut state = context.state.lock();
            if let Some(active) = state.active.iter_mut().rev().find(|active| active.0 == poll.request.block) {
                active.1 = Some(poll.clone());
            }
        }
        let waker: Arc<dyn Wake> = poll.clone();
        let mut table = PollTable::with(&waker);
        let now = poll.request.file.ops.poll(&poll.request.file, &mut table) & events;
        *poll.registrations.lock() = table.into_entries();
        if !now.is_empty() {
            poll.finish(now.bits());
        }
        if poll.done.load(Ordering::SeqCst) {
            // It may have ended while it was being registered.
            let entries = core::mem::take(&mut *poll.registrations.lock());
            drop(entries);
        }
    }

    /// Looks whether one of the events has come.
    fn look(&self) {
        self.queued.store(false, Ordering::SeqCst);
        let now = self.request.file.ops.poll(&self.request.file, &mut PollTable::none()) & self.events;
        if !now.is_empty() {
            let told = self.told.load(Ordering::SeqCst);
            self.finish(if told != 0 { told } else { now.bits() });
        }
    }

    /// Ends it, unless it has ended.
    fn finish(&self, events: u32) -> bool {
        if self.done.swap(true, Ordering::SeqCst) {
            return false;
        }
        let entries = core::mem::take(&mut *self.registrations.lock());
        drop(entries);
        self.context.complete(self.request.block, self.request.data, events.into(), self.request.notify.as_deref());
        true
    }
}

impl Wake for Poll {
    fn wake(&self, events: Events) -> bool {
        let matters = events == Events::all() || events.intersects(self.events);
        if matters && !self.done.load(Ordering::SeqCst) && !self.queued.swap(true, Ordering::SeqCst) {
            self.told.store(if events == Events::all() { 0 } else { events.bits() }, Ordering::SeqCst);
            if let Some(poll) = self.this.upgrade() {
                POLLS.put(Work::Look(poll));
            }
        }
        false
    }
}

enum Work {
    Sync { context: Arc<Context>, request: Request, data_only: bool },
    Look(Arc<Poll>),
}

impl Work {
    fn run(self) {
        match self {
            Work::Look(poll) => poll.look(),
            Work::Sync { context, request, data_only } => {
                let result = request.file.ops.sync(data_only).map_or_else(|error| -i64::from(error.0), |()| 0);
                context.complete(request.block, request.data, result, request.notify.as_deref());
            }
        }
    }
}

/// What a thread of the kernel has to do.
struct Worker {
    list: SpinLock<VecDeque<Work>>,
    event: crate::sync::Once<WaitQueue>,
}

static SYNCS: Worker = Worker::new();
static POLLS: Worker = Worker::new();

impl Worker {
    const fn new() -> Self {
        Self { list: SpinLock::new(VecDeque::new()), event: crate::sync::Once::new() }
    }

    fn put(&self, work: Work) {
        self.list.lock().push_back(work);
        self.event.get_or_init(WaitQueue::new).wake_all();
    }

    fn run(&self) -> ! {
        let event = self.event.get_or_init(WaitQueue::new);
        loop {
            // Nobody sends signals to a thread of the kernel.
            if let Ok(work) = event.wait_until(|| self.list.lock().pop_front()) {
                work.run();
            }
        }
    }
}

/// Starts the threads.
pub fn start() {
    crate::task::spawn_kernel("aio-sync", || SYNCS.run());
    crate::task::spawn_kernel("aio-poll", || POLLS.run());
}
