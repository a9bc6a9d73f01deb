//! `epoll(7)`.
//!
//! Each watched file has an [`Item`], which is the waker it registers with the file's queues. A wake-up puts the item on the ready list;
//! `epoll_wait` asks each ready item's file for its state, so that nothing is reported that is no longer so.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::any::Any;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use crate::error::*;
use crate::fs::{Attr, Events, FileOps, OpenFile};
use crate::sync::{Mutex, PollTable, SpinLock, WaitEntry, WaitQueue, Wake};

/// `EPOLLET`.
pub const EDGE: u32 = 1 << 31;
/// `EPOLLONESHOT`.
pub const ONE_SHOT: u32 = 1 << 30;
/// `EPOLLWAKEUP`, without effect.
pub const WAKEUP: u32 = 1 << 29;
/// `EPOLLEXCLUSIVE`.
pub const EXCLUSIVE: u32 = 1 << 28;
/// `EPOLLERR` and `EPOLLHUP`: told whether or not they are asked for, but not by an item that is disarmed.
const ALWAYS: u32 = Events::ERR.bits() | Events::HUP.bits();
/// Epoll files watching epoll files: at most this deep.
const MAX_NESTING: usize = 5;
/// Fewer items are not worth looking for closed files among them.
const FIRST_SWEEP: usize = 64;

struct Item {
    epoll: Weak<Epoll>,
    fd: i32,
    file: Weak<OpenFile>,
    events: AtomicU32,
    data: AtomicU64,
    queued: AtomicBool,
    registrations: SpinLock<Vec<WaitEntry>>,
}

impl Wake for Item {
    fn wake(&self, events: Events) -> bool {
        let interest = self.events.load(Ordering::Relaxed);
        if events != Events::all() && events.bits() & interest == 0 {
            return false;
        }
        if interest & !(EDGE | ONE_SHOT | WAKEUP | EXCLUSIVE) == 0 {
            // Disarmed one-shot.
            return false;
        }
        let Some(epoll) = self.epoll.upgrade() else { return false };
        // Who does not wait takes it from nobody.
        let takes_it = interest & EXCLUSIVE != 0 && !epoll.event.is_empty();
        epoll.mark_ready(self.fd, self);
        takes_it
    }

    fn is_exclusive(&self) -> bool {
        self.events.load(Ordering::Relaxed) & EXCLUSIVE != 0
    }
}

/// The file descriptor and description that name an item.
type Key = (i32, usize);

/// An epoll instance.
pub struct Epoll {
    this: Weak<Epoll>,
    items: Mutex<BTreeMap<Key, Arc<Item>>>,
    ready: SpinLock<VecDeque<Key>>,
    event: WaitQueue,
    /// With so many items it is time to look for those whose files are closed.
    sweep_at: AtomicUsize,
}

impl Epoll {
    /// One that watches nothing.
    pub fn new() -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            this: this.clone(),
            items: Mutex::new(BTreeMap::new()),
            ready: SpinLock::new(VecDeque::new()),
            event: WaitQueue::new(),
            sweep_at: AtomicUsize::new(FIRST_SWEEP),
        })
    }

    /// A counted reference to it.
    pub fn shared(&self) -> Option<Arc<Self>> {
        self.this.upgrade()
    }

    /// What it watches under a descriptor's number, as an address; of several the one at this place.
    pub fn watched(&self, fd: i32, place: usize) -> Option<usize> {
        self.items.lock().range((fd, 0)..=(fd, usize::MAX)).nth(place).map(|(key, _)| key.1)
    }

    fn mark_ready(&self, fd: i32, item: &Item) {
        if !item.queued.swap(true, Ordering::SeqCst) {
            self.ready.lock().push_back((fd, item.file.as_ptr() as usize));
        }
        self.event.wake_events(Events::IN | Events::RDNORM);
    }

    fn depth(file: &OpenFile, left: usize) -> Result<usize> {
        let Some(epoll) = file.downcast::<Epoll>() else { return Ok(0) };
        if left == 0 {
            return Err(ELOOP);
        }
        let watched: Vec<Arc<OpenFile>> = epoll.items.lock().values().filter_map(|i| i.file.upgrade()).collect();
        let mut deepest = 0;
        for file in watched {
            deepest = deepest.max(Self::depth(&file, left - 1)?);
        }
        Ok(deepest + 1)
    }

    fn reaches(file: &OpenFile, target: &Epoll, left: usize) -> bool {
        let Some(epoll) = file.downcast::<Epoll>() else { return false };
        if core::ptr::eq(epoll, target) || left == 0 {
            return true;
        }
        let watched: Vec<Arc<OpenFile>> = epoll.items.lock().values().filter_map(|i| i.file.upgrade()).collect();
        watched.iter().any(|f| Self::reaches(f, target, left - 1))
    }

    fn register(self: &Arc<Self>, item: &Arc<Item>, file: &Arc<OpenFile>) {
        let waker: Arc<dyn Wake> = item.clone();
        let mut table = PollTable::with(&waker);
        let now = file.ops.poll(file, &mut table);
        *item.registrations.lock() = table.into_entries();
        let interest = item.events.load(Ordering::Relaxed);
        if now.bits() & interest != 0 {
            self.mark_ready(item.fd, item);
        }
    }

    /// `EPOLL_CTL_ADD`.
    ///
    /// # Errors
    /// `EEXIST`, `EPERM` for files without readiness (regular files and directories), `ELOOP` for circles.
    pub fn add(self: &Arc<Self>, fd: i32, file: &Arc<OpenFile>, events: u32, data: u64) -> Result {
        if !file.ops.has_readiness() {
            return Err(EPERM);
        }
        if let Some(inner) = file.downcast::<Epoll>() {
            if core::ptr::eq(inner, &**self) {
                return Err(EINVAL);
            }
            if events & EXCLUSIVE != 0 {
                return Err(EINVAL);
            }
            if Self::reaches(file, self, MAX_NESTING) || Self::depth(file, MAX_NESTING)? >= MAX_NESTING {
                return Err(ELOOP);
            }
        }
        let key = (fd, Arc::as_ptr(file) as usize);
        let item = Arc::new(Item {
            epoll: Arc::downgrade(self),
            fd,
            file: Arc::downgrade(file),
            events: AtomicU32::new(events | ALWAYS),
            data: AtomicU64::new(data),
            queued: AtomicBool::new(false),
            registrations: SpinLock::new(Vec::new()),
        });
        {
            let mut items = self.items.lock();
            // Closed files go by themselves. Looking for them each time would make adding the slower the more there are.
            if items.len() >= self.sweep_at.load(Ordering::Relaxed) {
                items.retain(|_, old| old.file.strong_count() > 0);
                self.sweep_at.store((items.len() * 2).max(FIRST_SWEEP), Ordering::Relaxed);
            }
            if items.get(&key).is_some_and(|old| old.file.strong_count() > 0) {
                return Err(EEXIST);
            }
            items.insert(key, item.clone());
        }
        self.register(&item, file);
        Ok(())
    }

    /// `EPOLL_CTL_MOD`.
    ///
    /// # Errors
    /// `ENOENT`; `EINVAL` with `EPOLLEXCLUSIVE`.
    pub fn modify(self: &Arc<Self>, fd: i32, file: &Arc<OpenFile>, events: u32, data: u64) -> Result {
        let item = self.items.lock().get(&(fd, Arc::as_ptr(file) as usize)).cloned().ok_or(ENOENT)?;
        if (events | item.events.load(Ordering::Relaxed)) & EXCLUSIVE != 0 {
            return Err(EINVAL);
        }
        item.events.store(events | ALWAYS, Ordering::SeqCst);
        item.data.store(data, Ordering::SeqCst);
        self.register(&item, file);
        Ok(())
    }

    /// `EPOLL_CTL_DEL`.
    ///
    /// # Errors
    /// `ENOENT`.
    pub fn remove(&self, fd: i32, file: &Arc<OpenFile>) -> Result {
        let gone = self.items.lock().remove(&(fd, Arc::as_ptr(file) as usize)).ok_or(ENOENT)?;
        gone.registrations.lock().clear();
        Ok(())
    }

    /// Takes up to `max` events that are true now: (events, data).
    fn collect(&self, max: usize) -> Vec<(u32, u64)> {
        let mut found = Vec::new();
        let mut again: Vec<Key> = Vec::new();
        // Each of those that are there now once, and no more than are wanted: the others come first next time.
        let waiting = self.ready.lock().len();
        for _ in 0..waiting {
            let Some(key) = self.ready.lock().pop_front() else { break };
            let Some(item) = self.items.lock().get(&key).cloned() else { continue };
            item.queued.store(false, Ordering::SeqCst);
            let Some(file) = item.file.upgrade() else {
                // Closed: it goes by itself (epoll(7), Questions and answers, 6).
                self.items.lock().remove(&key);
                continue;
            };
            let interest = item.events.load(Ordering::SeqCst);
            if interest & !(EDGE | ONE_SHOT | WAKEUP | EXCLUSIVE) == 0 {
                continue;
            }
            let state = file.ops.poll(&file, &mut PollTable::none()).bits() & interest;
            if state == 0 {
                continue;
            }
            found.push((state, item.data.load(Ordering::SeqCst)));
            if interest & ONE_SHOT != 0 {
                item.events.store(interest & (EDGE | ONE_SHOT | WAKEUP | EXCLUSIVE), Ordering::SeqCst);
            } else if interest & EDGE == 0 {
                // Level-triggered: stays on the list until it is found not ready.
                // Unless a wake-up has put it there meanwhile.
                if !item.queued.swap(true, Ordering::SeqCst) {
                    again.push(key);
                }
            }
            if found.len() == max {
                break;
            }
        }
        // Those reported come behind those not looked at: round robin.
        self.ready.lock().extend(again);
        found
    }

    /// `epoll_wait(2)`.
    ///
    /// # Errors
    /// `ERESTARTSYS` on a signal.
    pub fn wait(&self, max: usize, deadline_ns: Option<u64>) -> Result<Vec<(u32, u64)>> {
        let look = || {
            let found = self.collect(max);
            (!found.is_empty()).then_some(found)
        };
        if deadline_ns == Some(0) {
            return Ok(look().unwrap_or_default());
        }
        // Asking files for their state may sleep, which must not happen between the marks of a sleeping thread.
        loop {
            if let Some(found) = look() {
                return Ok(found);
            }
            match self.event.wait_deadline(deadline_ns, || (!self.ready.lock().is_empty()).then_some(())) {
                Ok(()) => {}
                Err(ETIMEDOUT) => return Ok(look().unwrap_or_default()),
                Err(error) => return Err(error),
            }
        }
    }
}

impl FileOps for Epoll {
    fn poll(&self, _file: &OpenFile, table: &mut PollTable<'_>) -> Events {
        table.register(&self.event);
        let keys: Vec<Key> = self.ready.lock().iter().copied().collect();
        let ready = keys.iter().any(|key| {
            let Some(item) = self.items.lock().get(key).cloned() else { return false };
            let Some(file) = item.file.upgrade() else { return false };
            let interest = item.events.load(Ordering::Relaxed);
            file.ops.poll(&file, &mut PollTable::none()).bits() & interest != 0
        });
        if ready { Events::IN | Events::RDNORM } else { Events::empty() }
    }

    fn attr(&self) -> Result<Attr> {
        Ok(Attr { mode: 0o600, nlink: 1, blksize: 4096, ..Attr::default() })
    }

    fn describe(&self) -> String {
        "anon_inode:[eventpoll]".into()
    }

    fn has_no_positions(&self) -> bool {
        true
    }

    fn details(&self) -> String {
        let items = self.items.lock();
        let line = |item: &Arc<Item>| {
            let (events, data) = (item.events.load(Ordering::Relaxed), item.data.load(Ordering::Relaxed));
            let attr = item.file.upgrade().and_then(|file| file.ops.attr().ok()).unwrap_or_default();
            alloc::format!("tfd: {:8} events: {events:8x} data: {data:16x}  pos:0 ino:{:x} sdev:{:x}\n", item.fd, attr.ino, attr.dev)
        };
        items.values().map(line).collect()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
