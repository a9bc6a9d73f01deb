//! POSIX message queues (`mq_overview(7)`): named queues of messages with priorities.
//!
//! * [`names`]: the names, and the filesystem that shows them.
//! * [`file`]: a queue's inode and its open files.
//! * [`notify`]: telling one process that a message came.

mod file;
pub mod names;
pub mod notify;

use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::error::*;
use crate::fs::{Events, SetAttr};
use crate::ipc::limits;
use crate::sync::{SpinLock, WaitQueue};
use crate::task::process::RLIMIT_MSGQUEUE;
use crate::task::{self, Capability};
pub use file::QueueFile;

/// Priorities are below this (`MQ_PRIO_MAX`).
pub const PRIORITIES: u32 = 32_768;
/// The most messages that a queue's limit may be set to, and that who has `CAP_SYS_RESOURCE` may ask for.
pub const HARD_MSG_MAX: usize = 65_536;
#[allow(missing_docs)]
pub const HARD_MSGSIZE_MAX: usize = 16 << 20;
/// What Linux counts for a message and for a priority in use beside the bytes.
const MESSAGE_COST: u64 = 48;
const PRIORITY_COST: u64 = 48;

/// What each user's queues cost, by user id (`RLIMIT_MSGQUEUE`).
static COSTS: SpinLock<BTreeMap<u32, u64>> = SpinLock::new(BTreeMap::new());

/// A place among a user's costs.
struct Cost {
    uid: u32,
    bytes: u64,
}

impl Cost {
    /// # Errors
    /// `EMFILE` beyond the caller's limit.
    fn take(uid: u32, bytes: u64) -> Result<Self> {
        let limit = task::with_current(|t| t.process.rlimit(RLIMIT_MSGQUEUE).0);
        let mut costs = COSTS.lock();
        let used = costs.entry(uid).or_insert(0);
        if used.checked_add(bytes).is_none_or(|sum| sum > limit) {
            if *used == 0 {
                costs.remove(&uid);
            }
            return Err(EMFILE);
        }
        *used += bytes;
        Ok(Self { uid, bytes })
    }
}

impl Drop for Cost {
    fn drop(&mut self) {
        let mut costs = COSTS.lock();
        if let Some(used) = costs.get_mut(&self.uid) {
            *used = used.saturating_sub(self.bytes);
            if *used == 0 {
                costs.remove(&self.uid);
            }
        }
    }
}

/// A message: its priority and its bytes.
pub type Message = (u32, Vec<u8>);

/// A thread that waits to send or to receive. Whoever lets it go on takes its message, or gives it one.
#[derive(Default)]
struct Waiter {
    message: SpinLock<Option<Message>>,
    done: AtomicBool,
}

struct Meta {
    mode: u32,
    uid: u32,
    gid: u32,
    names: u32,
    atime_ns: i64,
    mtime_ns: i64,
    ctime_ns: i64,
}

#[derive(Default)]
struct State {
    messages: BTreeMap<u32, VecDeque<Vec<u8>>>,
    count: usize,
    bytes: usize,
    senders: VecDeque<Arc<Waiter>>,
    receivers: VecDeque<Arc<Waiter>>,
    notify: Option<notify::Registration>,
}

impl State {
    fn insert(&mut self, (priority, text): Message) {
        self.count += 1;
        self.bytes += text.len();
        self.messages.entry(priority).or_default().push_back(text);
    }

    /// The oldest of the highest priority.
    fn pop(&mut self) -> Option<Message> {
        let mut entry = self.messages.last_entry()?;
        let priority = *entry.key();
        let text = entry.get_mut().pop_front()?;
        if entry.get().is_empty() {
            entry.remove();
        }
        self.count -= 1;
        self.bytes -= text.len();
        Some((priority, text))
    }
}

/// A queue.
pub struct Queue {
    name: Vec<u8>,
    ino: u64,
    /// Most messages.
    pub max_messages: usize,
    /// Longest message.
    pub max_size: usize,
    meta: SpinLock<Meta>,
    state: SpinLock<State>,
    event: WaitQueue,
    _cost: Cost,
}

impl Queue {
    /// A queue that the caller asks for; `size`: most messages, and longest message.
    ///
    /// # Errors
    /// `EINVAL`, `EMFILE` beyond `RLIMIT_MSGQUEUE`, `EOVERFLOW`.
    fn new(name: &[u8], mode: u32, size: Option<(i64, i64)>) -> Result<Arc<Self>> {
        let (most_messages, most_bytes) = (limits::get(|it| &it.queue_messages), limits::get(|it| &it.queue_length));
        let (messages, length) = match size {
            Some((messages, length)) => (usize::try_from(messages).map_err(|_| EINVAL)?, usize::try_from(length).map_err(|_| EINVAL)?),
            None => (most_messages.min(limits::get(|it| &it.default_messages)), most_bytes.min(limits::get(|it| &it.default_length))),
        };
        let privileged = task::capable(Capability::SYS_RESOURCE);
        let (most, longest) = if privileged { (HARD_MSG_MAX, HARD_MSGSIZE_MAX) } else { (most_messages, most_bytes) };
        if messages == 0 || length == 0 || messages > most || length > longest {
            return Err(EINVAL);
        }
        let count = messages as u64;
        let cost = count.checked_mul(length as u64).ok_or(EOVERFLOW)? + count * MESSAGE_COST + count.min(PRIORITIES.into()) * PRIORITY_COST;
        let creds = task::with_current(|t| t.creds());
        let now = crate::fs::now_ns();
        static NEXT: core::sync::atomic::AtomicU64 = core::sync::atomic::AtomicU64::new(2);
        Ok(Arc::new(Self {
            name: name.into(),
            ino: NEXT.fetch_add(1, Ordering::Relaxed),
            max_messages: messages,
            max_size: length,
            meta: SpinLock::new(Meta { mode: mode & 0o7777, uid: creds.fsuid, gid: creds.fsgid, names: 1, atime_ns: now, mtime_ns: now, ctime_ns: now }),
            state: SpinLock::new(State::default()),
            event: WaitQueue::new(),
            _cost: Cost::take(creds.uid, cost)?,
        }))
    }

    fn touch(&self) {
        let now = crate::fs::now_ns();
        let mut meta = self.meta.lock();
        (meta.atime_ns, meta.mtime_ns, meta.ctime_ns) = (now, now, now);
    }

    /// How many messages it holds.
    pub fn len(&self) -> usize {
        self.state.lock().count
    }

    /// Sends a message.
    ///
    /// # Errors
    /// `EMSGSIZE`, `EAGAIN` with `nonblocking`, `ETIMEDOUT`, `ERESTARTSYS`.
    pub fn send(&self, message: Message, nonblocking: bool, deadline_ns: Option<u64>) -> Result {
        if message.1.len() > self.max_size {
            return Err(EMSGSIZE);
        }
        let waiter = Arc::new(Waiter::default());
        let notice = {
            let mut state = self.state.lock();
            if state.count >= self.max_messages {
                if nonblocking {
                    return Err(EAGAIN);
                }
                *waiter.message.lock() = Some(message);
                state.senders.push_back(waiter.clone());
                drop(state);
                return self.wait(&waiter, deadline_ns, |state| &mut state.senders);
            }
            match state.receivers.pop_front() {
                Some(receiver) => {
                    *receiver.message.lock() = Some(message);
                    receiver.done.store(true, Ordering::SeqCst);
                    None
                }
                None => {
                    state.insert(message);
                    if state.count == 1 { state.notify.take() } else { None }
                }
            }
        };
        self.touch();
        if let Some(registration) = notice {
            registration.fire();
        }
        self.event.wake_events(Events::all());
        Ok(())
    }

    /// Receives the oldest message of the highest priority.
    ///
    /// # Errors
    /// `EAGAIN` with `nonblocking`, `ETIMEDOUT`, `ERESTARTSYS`.
    pub fn receive(&self, nonblocking: bool, deadline_ns: Option<u64>) -> Result<Message> {
        let waiter = Arc::new(Waiter::default());
        let taken = {
            let mut state = self.state.lock();
            match state.pop() {
                Some(message) => {
                    if let Some(sender) = state.senders.pop_front() {
                        if let Some(waiting) = sender.message.lock().take() {
                            state.insert(waiting);
                        }
                        sender.done.store(true, Ordering::SeqCst);
                    }
                    Some(message)
                }
                None if nonblocking => return Err(EAGAIN),
                None => {
                    state.receivers.push_back(waiter.clone());
                    None
                }
            }
        };
        if let Some(message) = taken {
            self.touch();
            self.event.wake_events(Events::all());
            return Ok(message);
        }
        self.wait(&waiter, deadline_ns, |state| &mut state.receivers)?;
        let message = waiter.message.lock().take();
        // Whoever says that it is done has left a message.
        message.ok_or(EAGAIN)
    }

    fn wait(&self, waiter: &Arc<Waiter>, deadline_ns: Option<u64>, list: impl Fn(&mut State) -> &mut VecDeque<Arc<Waiter>>) -> Result {
        let outcome = self.event.wait_deadline(deadline_ns, || waiter.done.load(Ordering::SeqCst).then_some(()));
        if let Err(error) = outcome {
            let mut state = self.state.lock();
            // It may have been its turn meanwhile.
            if !waiter.done.load(Ordering::SeqCst) {
                list(&mut state).retain(|other| !Arc::ptr_eq(other, waiter));
                return Err(error);
            }
        }
        Ok(())
    }

    fn change(&self, change: &SetAttr) {
        let mut meta = self.meta.lock();
        meta.mode = change.mode.unwrap_or(meta.mode);
        meta.uid = change.uid.unwrap_or(meta.uid);
        meta.gid = change.gid.unwrap_or(meta.gid);
        meta.atime_ns = change.atime_ns.unwrap_or(meta.atime_ns);
        meta.mtime_ns = change.mtime_ns.unwrap_or(meta.mtime_ns);
        meta.ctime_ns = change.ctime_ns.unwrap_or(meta.ctime_ns);
    }
}
