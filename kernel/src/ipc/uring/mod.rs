//! Rings of requests and their results in memory shared with a program (`io_uring(7)`), behind a descriptor.
//!
//! * [`shared`]: the memory.
//! * [`request`]: a request as the program writes it.
//! * [`waiting`]: requests that have begun and wait for a file, a time or a number of results.
//! * [`tables`]: files and buffers that were registered.
//!
//! What requests do is in `syscall::uring`, for they do what system calls do. A request is tried when it is submitted; one whose file is not ready waits
//! among the file's waiters, without a thread, and is tried again by the thread that submitted it: that is interrupted as by a signal, does it on its way
//! to user mode, and goes on with what it did (Linux's task work). Files that are always ready (those on disks) are read and written at once.

pub mod request;
mod shared;
pub mod tables;
pub mod waiting;

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::any::Any;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

use request::{Chain, Entry};
use shared::Shared;
pub use shared::{COMPLETION_OFFSETS, SUBMISSION_OFFSETS, numbers_at};
use tables::Tables;
use waiting::Waiting;

use crate::error::*;
use crate::fs::{Attr, Events, FileOps, OpenFile};
use crate::ipc::eventfd::EventFd;
use crate::mm::MemoryObject;
use crate::sync::{PollTable, SpinLock, WaitQueue};
use crate::task::Thread;

/// Most requests and results of a ring.
pub const MOST_ENTRIES: u32 = 32_768;
/// Requests that wait at most; more are refused.
const MOST_WAITING: usize = 1 << 16;
/// `IORING_SQ_CQ_OVERFLOW`, `IORING_SQ_TASKRUN`
const OVERFLOW: u32 = 2;

/// A result (`struct io_uring_cqe`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completion {
    /// What the request said.
    pub user_data: u64,
    /// What the call would have returned, errors negative.
    pub result: i32,
    /// `IORING_CQE_F_*`
    pub flags: u32,
}

/// What is true of a ring from its making on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shape {
    /// Places for requests, a power of two.
    pub requests: u32,
    /// Places for results, a power of two.
    pub results: u32,
    /// `IORING_SETUP_SUBMIT_ALL`: a bad request does not end a submission.
    pub submits_all: bool,
    /// `IORING_SETUP_SINGLE_ISSUER`
    pub single_issuer: bool,
}

#[derive(Default)]
struct State {
    /// Results that there was no room for.
    overflow: VecDeque<Completion>,
    /// Requests that wait.
    waiting: Vec<Arc<Waiting>>,
    /// Chains that begin when nothing is at work any more (`IOSQE_IO_DRAIN`), and what was submitted after them.
    drained: VecDeque<Chain>,
    /// Results so far.
    posted: u64,
    counter: Option<Arc<OpenFile>>,
}

/// A ring.
pub struct Ring {
    /// What is true of it from its making on.
    pub shape: Shape,
    shared: Shared,
    state: SpinLock<State>,
    /// Files and buffers.
    pub tables: Tables,
    /// A result has come.
    pub event: WaitQueue,
    /// Held while requests are taken.
    pub submission: crate::sync::Mutex<()>,
    /// `IORING_SETUP_R_DISABLED`: nothing can be submitted yet.
    pub is_disabled: AtomicBool,
    /// The one thread that may submit, where there is only one; 0: whoever comes first.
    pub issuer: AtomicU32,
    /// Requests at work.
    active: AtomicUsize,
    /// Time-outs that wait for a number of results.
    counted: AtomicUsize,
    is_closed: AtomicBool,
}

impl Ring {
    /// An empty one.
    ///
    /// # Errors
    /// `ENOMEM`.
    pub fn new(shape: Shape) -> Result<Arc<Self>> {
        Ok(Arc::new(Self {
            shape,
            shared: Shared::new(shape.requests, shape.results)?,
            state: SpinLock::new(State::default()),
            tables: Tables::default(),
            event: WaitQueue::new(),
            submission: crate::sync::Mutex::new(()),
            is_disabled: AtomicBool::new(false),
            issuer: AtomicU32::new(0),
            active: AtomicUsize::new(0),
            counted: AtomicUsize::new(0),
            is_closed: AtomicBool::new(false),
        }))
    }

    /// The next request, taken out; `None` where there is none. A number that is none is counted and passed over.
    pub fn take(&self) -> Option<Entry> {
        self.shared.take()
    }

    /// Puts a result in, behind those that found no room.
    pub fn post(&self, completion: Completion) {
        let counter = {
            let mut state = self.state.lock();
            state.posted += 1;
            if !state.overflow.is_empty() || !self.shared.put(&completion) {
                state.overflow.push_back(completion);
                self.shared.set_flags(OVERFLOW, 0);
            }
            state.counter.clone()
        };
        if let Some(counter) = counter.as_ref().and_then(|file| file.downcast::<EventFd>()) {
            counter.signal();
        }
        self.event.wake_events(Events::IN | Events::RDNORM);
    }

    /// Brings results that found no room to where they belong, as far as there is room now.
    pub fn flush_overflow(&self) {
        let mut state = self.state.lock();
        while let Some(first) = state.overflow.front() {
            if !self.shared.put(first) {
                return;
            }
            state.overflow.pop_front();
        }
        self.shared.set_flags(0, OVERFLOW);
    }

    /// Results that can be read.
    pub fn ready(&self) -> u32 {
        self.shared.ready()
    }

    /// Whether results found no room.
    pub fn has_overflow(&self) -> bool {
        !self.state.lock().overflow.is_empty()
    }

    /// Results so far.
    pub fn posted(&self) -> u64 {
        self.state.lock().posted
    }

    /// The counter that is told of each result, taken away by `None`.
    ///
    /// # Errors
    /// `EBUSY` where there is one already, `ENXIO` where there is none.
    pub fn set_counter(&self, counter: Option<Arc<OpenFile>>) -> Result {
        let old = {
            let mut state = self.state.lock();
            match (&state.counter, &counter) {
                (Some(_), Some(_)) => return Err(EBUSY),
                (None, None) => return Err(ENXIO),
                _ => {}
            }
            core::mem::replace(&mut state.counter, counter)
        };
        drop(old);
        Ok(())
    }

    /// A request has begun.
    pub fn begin(&self) {
        self.active.fetch_add(1, Ordering::SeqCst);
    }

    /// A request has ended.
    pub fn end(&self) {
        self.active.fetch_sub(1, Ordering::SeqCst);
    }

    /// A time-out waits for a number of results.
    pub fn add_counted(&self) {
        self.counted.fetch_add(1, Ordering::SeqCst);
    }

    /// It waits no more.
    pub fn remove_counted(&self) {
        self.counted.fetch_sub(1, Ordering::SeqCst);
    }

    /// Whether there are such.
    pub fn waits_for_results(&self) -> bool {
        self.counted.load(Ordering::SeqCst) > 0
    }

    /// Keeps a chain until nothing is at work any more; gives it back where that is so already. `waits`: it was said so, not only that others before it do.
    pub fn drain(&self, chain: Chain, waits: bool) -> Option<Chain> {
        let mut state = self.state.lock();
        if state.drained.is_empty() && (!waits || self.active.load(Ordering::SeqCst) == 0) {
            return Some(chain);
        }
        state.drained.push_back(chain);
        None
    }

    /// The next of these chains, if its time has come.
    pub fn take_drained(&self) -> Option<Chain> {
        let mut state = self.state.lock();
        let first = state.drained.front()?;
        if first.waits_for_others() && self.active.load(Ordering::SeqCst) > 0 {
            return None;
        }
        state.drained.pop_front()
    }

    /// Adds a request that waits.
    ///
    /// # Errors
    /// `EAGAIN` where there are too many; `ECANCELED` where the ring has been closed.
    pub fn add_waiting(&self, waiting: &Arc<Waiting>) -> Result {
        let mut state = self.state.lock();
        if self.is_closed.load(Ordering::SeqCst) {
            return Err(ECANCELED);
        }
        if state.waiting.len() >= MOST_WAITING {
            return Err(EAGAIN);
        }
        state.waiting.push(waiting.clone());
        Ok(())
    }

    /// Takes a request out that waits no more.
    pub fn remove_waiting(&self, waiting: &Waiting) {
        let gone = {
            let mut state = self.state.lock();
            let at = state.waiting.iter().position(|it| core::ptr::eq(&**it, waiting));
            at.map(|at| state.waiting.swap_remove(at))
        };
        drop(gone);
    }

    /// The requests that wait.
    pub fn waiting(&self) -> Vec<Arc<Waiting>> {
        self.state.lock().waiting.clone()
    }

    /// Those of a thread that ends can never be tried again.
    pub fn leave(&self, thread: &Thread) {
        for waiting in self.waiting().iter().filter(|it| it.is_of(thread)) {
            waiting.cancel(self);
        }
    }

    fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
        let (waiting, drained) = {
            let mut state = self.state.lock();
            (core::mem::take(&mut state.waiting), core::mem::take(&mut state.drained))
        };
        for waiting in &waiting {
            waiting.abandon();
        }
        drop((waiting, drained));
        self.tables.clear();
    }
}

/// A ring as a file. When it goes, so do the requests that wait.
pub struct RingFile(pub Arc<Ring>);

impl Drop for RingFile {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl FileOps for RingFile {
    fn poll(&self, _file: &OpenFile, table: &mut PollTable<'_>) -> Events {
        table.register(&self.0.event);
        let mut events = Events::empty();
        if self.0.ready() > 0 || self.0.has_overflow() {
            events |= Events::IN | Events::RDNORM;
        }
        if !self.0.shared.is_full() {
            events |= Events::OUT | Events::WRNORM;
        }
        events
    }

    fn mmap(&self, _file: &OpenFile, offset: u64, len: u64, _shared_write: bool) -> Result<Arc<dyn MemoryObject>> {
        self.0.shared.memory(offset, len)
    }

    fn attr(&self) -> Result<Attr> {
        Ok(Attr { mode: 0o600, nlink: 1, blksize: 4096, ..Attr::default() })
    }

    fn describe(&self) -> String {
        "anon_inode:[io_uring]".into()
    }

    fn has_readiness(&self) -> bool {
        true
    }

    fn has_no_positions(&self) -> bool {
        true
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// What a thread has to do for its requests on its way to user mode.
#[derive(Default)]
pub struct ThreadWork {
    is_due: AtomicBool,
    due: SpinLock<Vec<Arc<Waiting>>>,
    /// The rings that it has submitted to.
    rings: SpinLock<Vec<Weak<Ring>>>,
    /// Rings that it names by a number of its own instead of a descriptor.
    registered: SpinLock<[Option<Arc<OpenFile>>; MOST_REGISTERED]>,
}

/// How many rings a thread may register.
pub const MOST_REGISTERED: usize = 16;

impl ThreadWork {
    /// Whether there is something.
    pub fn is_due(&self) -> bool {
        self.is_due.load(Ordering::Acquire)
    }

    /// Adds something, in whatever context.
    fn add(&self, waiting: Arc<Waiting>) {
        self.due.lock().push(waiting);
        self.is_due.store(true, Ordering::Release);
    }

    /// Takes all of it.
    pub fn take(&self) -> Vec<Arc<Waiting>> {
        self.is_due.store(false, Ordering::Release);
        core::mem::take(&mut *self.due.lock())
    }

    /// The thread submits to a ring.
    pub fn joined(&self, ring: &Arc<Ring>) {
        let mut rings = self.rings.lock();
        if !rings.iter().any(|it| core::ptr::eq(it.as_ptr(), Arc::as_ptr(ring))) {
            rings.retain(|it| it.strong_count() > 0);
            rings.push(Arc::downgrade(ring));
        }
    }

    /// Registers a ring's file under a number, or under the first that is free; the number.
    ///
    /// # Errors
    /// `EINVAL` for a number that is too large, `EBUSY` where none, or this one, is free.
    pub fn register(&self, number: Option<usize>, file: Arc<OpenFile>) -> Result<usize> {
        let mut registered = self.registered.lock();
        let number = match number {
            Some(number) => number,
            None => registered.iter().position(Option::is_none).ok_or(EBUSY)?,
        };
        let place = registered.get_mut(number).ok_or(EINVAL)?;
        if place.is_some() {
            return Err(EBUSY);
        }
        *place = Some(file);
        Ok(number)
    }

    /// Takes a registered ring away.
    ///
    /// # Errors
    /// `EINVAL` for a number that is too large.
    pub fn unregister(&self, number: usize) -> Result {
        let gone = self.registered.lock().get_mut(number).ok_or(EINVAL)?.take();
        drop(gone);
        Ok(())
    }

    /// The file of a registered ring.
    ///
    /// # Errors
    /// `EINVAL` for a number that is too large, or where the thread has no ring, `EBADF` where nothing is registered.
    pub fn registered(&self, number: usize) -> Result<Arc<OpenFile>> {
        if self.rings.lock().is_empty() {
            return Err(EINVAL);
        }
        self.registered.lock().get(number).ok_or(EINVAL)?.clone().ok_or(EBADF)
    }

    /// Takes all registered rings away.
    pub fn unregister_all(&self) {
        let gone = core::mem::take(&mut *self.registered.lock());
        drop(gone);
    }

    /// The thread ends.
    pub fn leave(&self, thread: &Thread) {
        self.unregister_all();
        let rings = core::mem::take(&mut *self.rings.lock());
        for ring in rings.iter().filter_map(Weak::upgrade) {
            ring.leave(thread);
        }
        drop(self.take());
    }
}
