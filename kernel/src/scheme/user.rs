//! User schemes: the kernel's half of a daemon.
//!
//! A client fills a slot of the transfer area, puts a request into the table, wakes the daemon, and sleeps for its own answer only. One copy each way, one
//! wake-up each way; a daemon that is busy finds the next requests waiting and takes them all with one `read`.
//!
//! The daemon is not trusted. It can answer wrongly, late, twice or never: requests are interruptible, those of the kernel end after [`SILENCE_NS`]
//! without any answer of that scheme, and a slot is never reused while the daemon may still write to it.

mod detached;

pub use detached::Completion;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use scheme_abi::sqe::{self, Ids};
use scheme_abi::{Opcode, SQE_BYTES, SchemeFlags, Sqe};
use scheme_table::{Answered, Interrupted, Outgoing, Table, Tag};

use super::changes::ChangeLog;
use super::transfer::{Slot, TransferArea};
use crate::error::*;
use crate::fs::{Events, OpenFile};
use crate::mm::{AddressSpace, ObjectPage};
use crate::sync::{SpinLock, SpinLockGuard, WaitQueue};
use crate::task::{self, Credentials, Thread, sched};
use crate::time::stops::running_since;

/// How long the requests of a RESTARTABLE scheme wait for a successor of the daemon.
const SUCCESSOR_NS: u64 = 30_000_000_000;
/// How long an interrupted client waits for the daemon's answer to `Cancel`.
const CANCEL_NS: u64 = 1_000_000_000;
/// A scheme that has not answered anything for this long fails the requests that no signal can end.
const SILENCE_NS: u64 = 120_000_000_000;
/// Most requests that one `read` of the socket gives out.
const MOST_AT_ONCE: usize = 64;

/// What the daemon said to a request.
pub enum Answer {
    /// A value, and the `extra` bits of the `Cqe`.
    Value(u64, u32),
    /// An error number that programs know.
    Error(Errno),
    /// One of its open files.
    File(Arc<OpenFile>),
    /// Its memory.
    Pages(Vec<ObjectPage>),
}

/// Who may end the wait for an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Any signal.
    Interruptible,
    /// Only the end of the thread.
    Killable,
    /// Nobody: write-back must not lose data because a program is killed.
    Uninterruptible,
}

/// A request in the table.
pub struct Pending {
    /// With the buffer's address still missing: it differs from daemon to daemon.
    sqe: Sqe,
    slot: Option<Slot>,
    client: Option<Arc<Thread>>,
    part: Part,
    /// What was in the buffer, where a daemon overwrites it with its answer; and which daemon was there then. A successor needs it as it was.
    input: Vec<u8>,
    epoch: u64,
    /// The client's memory, where the scheme may reach it.
    memory: Option<Weak<AddressSpace>>,
    /// Gets the answer where no client waits for it.
    completion: Option<Box<dyn Completion>>,
}

/// What a request is to the scheme's log of changes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Nothing,
    /// The log's own request.
    Log,
    /// A write that the log has noted under this number.
    Write(u64),
}

enum Link {
    /// No daemon since then (ns); one may come, see [`successor_until`].
    Down(u64),
    /// A daemon has the socket, and the transfer area at this address.
    Up(u64),
    /// For ever without a daemon.
    Dead,
}

struct Inner {
    table: Table<Pending, Answer>,
    link: Link,
    /// Which daemon, counted; so that the end of an old one does not end a new one.
    epoch: u64,
    /// A successor has come and not said yet that it is ready for the changes that its predecessor had not committed.
    awaited: bool,
    /// It gets those before anything else.
    recovering: bool,
    /// Since when there are requests that the daemon has not taken (ns), and whose process it is.
    unread_since: Option<u64>,
    daemon: u32,
    /// Requests that nobody waits for, and that the daemon had when it died: a device may still write to their buffers until the successor has reset it.
    limbo: Vec<Pending>,
}

/// Someone who polls a handle.
pub struct Watch {
    /// Woken by `SendFevent`.
    pub queue: WaitQueue,
}

/// A scheme that a daemon serves.
pub struct UserScheme {
    /// The name in `/scheme`.
    pub name: String,
    /// Device number of its files, unique among schemes.
    pub dev: u64,
    flags: AtomicU64,
    inner: SpinLock<Inner>,
    readable: WaitQueue,
    /// The daemon's thread that sleeps in `read`: woken first, so that it can take the client's CPU over.
    reader: SpinLock<Option<Arc<Thread>>>,
    area: Arc<TransferArea>,
    watches: SpinLock<BTreeMap<u32, Weak<Watch>>>,
    /// The changes of a filesystem.
    pub changes: ChangeLog,
    last_answer_ns: AtomicU64,
}

/// An answer with the request's buffer.
pub struct Reply {
    /// The value of the answer.
    pub value: u64,
    slot: Option<Slot>,
}

impl Reply {
    /// The buffer.
    pub fn slot(&self) -> Result<&Slot> {
        self.slot.as_ref().ok_or(EIO)
    }

    /// The answer as a length of data in the buffer.
    ///
    /// # Errors
    /// `EIO` where it is longer than the buffer.
    pub fn len(&self) -> Result<usize> {
        let room = self.slot.as_ref().map_or(0, Slot::bytes);
        usize::try_from(self.value).ok().filter(|n| *n <= room).ok_or(EIO)
    }
}

impl UserScheme {
    /// A scheme whose daemon has yet to take its socket.
    pub fn new(name: String) -> Arc<Self> {
        static NEXT_MINOR: AtomicU32 = AtomicU32::new(1);
        let minor = u64::from(NEXT_MINOR.fetch_add(1, Ordering::Relaxed));
        let link = Link::Down(frame::time::now_ns());
        Arc::new(Self {
            name,
            // Major 0 is for filesystems without a device (`stat(2)`); 64 and up is free of the kernel's own. makedev(3) splits minor numbers.
            dev: (minor & 0xff) | (minor & !0xff) << 12 | 240 << 8,
            flags: AtomicU64::new(0),
            inner: SpinLock::new(Inner { table: Table::new(), link, epoch: 0, awaited: false, recovering: false, unread_since: None, daemon: 0, limbo: Vec::new() }),
            readable: WaitQueue::new(),
            reader: SpinLock::new(None),
            area: TransferArea::new(),
            watches: SpinLock::new(BTreeMap::new()),
            changes: ChangeLog::new(),
            last_answer_ns: AtomicU64::new(0),
        })
    }

    /// What the scheme declared about itself.
    pub fn flags(&self) -> SchemeFlags {
        SchemeFlags::from_bits(self.flags.load(Ordering::Acquire)).unwrap_or_default()
    }

    /// Sets what the scheme declares.
    pub fn set_flags(&self, flags: SchemeFlags) {
        self.flags.store(flags.bits(), Ordering::Release);
    }

    /// The transfer area.
    pub fn area(&self) -> &Arc<TransferArea> {
        &self.area
    }

    /// Whether it has a daemon, or may still get one; the registry forgets others.
    pub fn is_alive(&self) -> bool {
        match self.inner.lock().link {
            Link::Up(_) => true,
            Link::Down(since) => frame::time::now_ns() < successor_until(since),
            Link::Dead => false,
        }
    }

    /// Whether a daemon serves it now.
    pub fn has_daemon(&self) -> bool {
        matches!(self.inner.lock().link, Link::Up(_))
    }

    /// A daemon takes the socket; its transfer area is mapped at `area_base`. Returns the number to give to [`UserScheme::daemon_gone`].
    ///
    /// # Errors
    /// `EEXIST` where it has a daemon, `ENODEV` where it came too late.
    pub fn daemon_came(&self, area_base: u64) -> Result<u64> {
        let over;
        let mut inner = self.inner.lock();
        match inner.link {
            Link::Up(_) => return Err(EEXIST),
            Link::Dead => return Err(ENODEV),
            Link::Down(_) => {}
        }
        inner.link = Link::Up(area_base);
        inner.epoch += 1;
        let succeeds = inner.epoch > 1 && self.flags().contains(SchemeFlags::CACHEABLE);
        (inner.awaited, inner.recovering) = (succeeds, succeeds);
        inner.daemon = task::current().process.pid;
        over = core::mem::take(&mut inner.limbo);
        inner.unread_since = inner.table.has_outgoing().then(frame::time::now_ns);
        self.last_answer_ns.store(frame::time::now_ns(), Ordering::Relaxed);
        let epoch = inner.epoch;
        drop(inner);
        drop(over);
        Ok(epoch)
    }

    /// The last descriptor of the socket is closed. Requests fail, or wait for a successor.
    pub fn daemon_gone(&self, epoch: u64) {
        let restartable = self.flags().contains(SchemeFlags::RESTARTABLE);
        {
            let inner = self.inner.lock();
            if inner.epoch != epoch || !matches!(inner.link, Link::Up(_)) {
                return;
            }
        }
        let mut gone = Vec::new();
        self.changes.daemon_died(|| {
            let mut inner = self.inner.lock();
            gone = if restartable {
                inner.link = Link::Down(frame::time::now_ns());
                let gone = inner.table.requeue_all(|| Answer::Error(EINTR), |_| {}, |pending| pending.part == Part::Log);
                // All of them look at the clock anew: from now on they wait for the successor at most so long.
                inner.table.for_each_waiting(wake_client);
                gone
            } else {
                inner.link = Link::Dead;
                inner.table.fail_all(|| Answer::Error(EIO), wake_client)
            };
            (gone.iter_mut().find(|pending| pending.part == Part::Log).and_then(|pending| pending.slot.take()), restartable)
        });
        self.give_up_detached();
        if restartable {
            // Their buffers only.
            let over: Vec<_> = gone.iter_mut().filter_map(|pending| pending.completion.take()).collect();
            drop(over);
            self.inner.lock().limbo.append(&mut gone);
        }
        drop(gone);
        // Pollers see an error, or ask the successor.
        let watches: Vec<_> = self.watches.lock().values().filter_map(Weak::upgrade).collect();
        for watch in watches {
            watch.queue.wake_all();
        }
    }

    /// The watchdog's look: ends the wait for a successor, and lets clients see that the daemon is silent.
    pub fn check(&self) {
        self.give_up();
        self.give_up_detached_if_silent();
        let inner = self.inner.lock();
        if frame::time::now_ns() >= running_since(self.last_answer_ns.load(Ordering::Relaxed)) + SILENCE_NS {
            inner.table.for_each_waiting(wake_client);
            drop(inner);
            self.changes.look_again();
        }
    }

    /// The daemon's process (0: none), and for how many milliseconds requests have been waiting that it has not taken.
    pub fn health(&self, now: u64) -> (u32, u64) {
        let mut inner = self.inner.lock();
        if !matches!(inner.link, Link::Up(_)) {
            return (0, 0);
        }
        let waits = inner.awaited || inner.recovering || inner.table.has_outgoing();
        let since = inner.unread_since.filter(|_| waits);
        (inner.daemon, since.map_or(0, |since| (now.saturating_sub(running_since(since)) / 1_000_000).max(1)))
    }

    /// Adds the processes that wait for an answer.
    pub fn clients(&self, out: &mut Vec<u32>) {
        self.inner.lock().table.for_each_waiting(|pending| out.extend(pending.client.as_ref().map(|client| client.process.pid)));
    }

    /// Whether a daemon that is there has not answered anything for too long, at least not since `since` (ns).
    pub fn is_silent(&self, since: u64) -> bool {
        self.has_daemon() && frame::time::now_ns() >= running_since(self.last_answer_ns.load(Ordering::Relaxed).max(since)) + SILENCE_NS
    }

    /// No successor came in time.
    fn give_up(&self) {
        let mut inner = self.inner.lock();
        let Link::Down(since) = inner.link else { return };
        if frame::time::now_ns() < successor_until(since) {
            return;
        }
        inner.link = Link::Dead;
        drop(inner);
        let mut gone = Vec::new();
        self.changes.daemon_died(|| {
            gone = self.inner.lock().table.fail_all(|| Answer::Error(EIO), wake_client);
            (None, false)
        });
        drop(gone);
    }

    // ---- the client's side ----

    /// Puts a request into the queue. Where `slot` is given, the address in `args[1]` will be the slot's in the daemon.
    ///
    /// # Errors
    /// `EIO` where the daemon is dead, `ENOMEM` where the table is full.
    pub fn submit(self: &Arc<Self>, sqe: Sqe, slot: Option<Slot>, caller: u64) -> Result<Ticket> {
        self.submit_part(sqe, slot, caller, Part::Nothing, &[])
    }

    /// As [`UserScheme::submit`], for a `Call` whose buffer begins with `input`, and whose answer takes the place of that.
    ///
    /// # Errors
    /// As there.
    pub fn submit_call(self: &Arc<Self>, sqe: Sqe, slot: Slot, caller: u64, input: &[u8]) -> Result<Ticket> {
        self.submit_part(sqe, Some(slot), caller, Part::Nothing, input)
    }

    /// As [`UserScheme::submit`] by the kernel, for a write that the log of changes has under this number.
    ///
    /// # Errors
    /// As there.
    pub fn submit_write(self: &Arc<Self>, sqe: Sqe, slot: Slot, number: u64) -> Result<Ticket> {
        self.submit_part(sqe, Some(slot), 0, Part::Write(number), &[])
    }

    fn submit_part(self: &Arc<Self>, mut sqe: Sqe, slot: Option<Slot>, caller: u64, part: Part, input: &[u8]) -> Result<Ticket> {
        sqe.caller = caller;
        let thread = task::current();
        let reachable = caller != 0 && self.flags().contains(SchemeFlags::CALLER_MEMORY);
        let memory = if reachable { thread.process.mm().ok().map(|mm| Arc::downgrade(&mm)) } else { None };
        let mut pending = Pending { sqe, slot, client: Some(thread), part, input: input.to_vec(), epoch: 0, memory, completion: None };
        let mut inner = self.inner.lock();
        pending.epoch = inner.epoch;
        if matches!(inner.link, Link::Dead) {
            drop(inner);
            return Err(EIO);
        }
        let submitted = inner.table.submit(pending, false);
        inner.unread_since.get_or_insert_with(frame::time::now_ns);
        drop(inner);
        let tag = submitted.map_err(|_| ENOMEM)?;
        self.wake_daemon(true);
        Ok(Ticket { scheme: self.clone(), tag: Some(tag) })
    }

    /// Wakes the daemon, which has something to read. `waits`: the caller will sleep, and its CPU is free for the daemon.
    pub fn wake_daemon(&self, waits: bool) {
        let reader = if waits { self.reader.lock().take() } else { None };
        if let Some(reader) = reader {
            sched::wake_successor(&reader);
        }
        if waits { self.readable.wake_one_sync() } else { self.readable.wake_one() }
    }

    /// Which daemon serves it, counted.
    pub fn epoch(&self) -> u64 {
        self.inner.lock().epoch
    }

    /// Whether the log of changes may send its request.
    pub fn takes_changes(&self) -> bool {
        let inner = self.inner.lock();
        matches!(inner.link, Link::Up(_)) && !inner.awaited
    }

    /// Puts the request of the log of changes into the queue; before all others where `first` says so, or a successor is not up to date yet. The caller wakes the daemon.
    ///
    /// # Errors
    /// Gives the buffer back where that is not possible now.
    pub fn submit_changes(&self, sqe: Sqe, slot: Slot, first: bool) -> core::result::Result<(), Option<Slot>> {
        let pending = Pending { sqe, slot: Some(slot), client: None, part: Part::Log, input: Vec::new(), epoch: 0, memory: None, completion: None };
        let mut inner = self.inner.lock();
        if !matches!(inner.link, Link::Up(_)) || inner.awaited {
            return Err(pending.slot);
        }
        let submitted = if first || inner.recovering { inner.table.submit_first(pending) } else { inner.table.submit(pending, true) };
        inner.unread_since.get_or_insert_with(frame::time::now_ns);
        submitted.map(|_| ()).map_err(|pending| pending.slot)
    }

    /// The daemon has mounted the filesystem's generation `generation`; true where it is a successor.
    pub fn mounted(self: &Arc<Self>, generation: u64) -> bool {
        let mut inner = self.inner.lock();
        let succeeds = core::mem::take(&mut inner.awaited);
        drop(inner);
        if succeeds {
            self.changes.mounted(self, generation);
        }
        succeeds
    }

    /// A successor has all changes of its predecessor: other requests may follow.
    pub fn changes_replayed(&self) {
        let was = core::mem::take(&mut self.inner.lock().recovering);
        if was {
            self.readable.wake_one();
        }
    }

    /// A request whose answer nobody waits for (`Close`). Never sleeps.
    pub fn notify(&self, sqe: Sqe) {
        let mut inner = self.inner.lock();
        if matches!(inner.link, Link::Dead) {
            return;
        }
        let refused = inner.table.submit(Pending { sqe, slot: None, client: None, part: Part::Nothing, input: Vec::new(), epoch: 0, memory: None, completion: None }, true);
        drop(inner);
        drop(refused);
        self.readable.wake_one();
    }

    /// A buffer for a request of the calling thread.
    ///
    /// # Errors
    /// As [`TransferArea::acquire`].
    pub fn buffer(&self, bytes: usize, wait: Wait) -> Result<Slot> {
        self.area.acquire(bytes, wait == Wait::Interruptible)
    }

    /// Sends a request on behalf of the current process and waits for its answer.
    ///
    /// # Errors
    /// The daemon's; `EIO` where it died; `ERESTARTSYS` or `EINTR` on a signal.
    pub fn call(self: &Arc<Self>, sqe: Sqe, slot: Option<Slot>) -> Result<Reply> {
        let caller = u64::from(task::current().process.pid);
        self.submit(sqe, slot, caller)?.wait(Wait::Interruptible)
    }

    /// As [`UserScheme::call`], for answers that may be files or memory.
    ///
    /// # Errors
    /// As there.
    pub fn call_any(self: &Arc<Self>, sqe: Sqe, slot: Option<Slot>) -> Result<Answer> {
        let caller = u64::from(task::current().process.pid);
        let (answer, _) = self.submit(sqe, slot, caller)?.wait_any(Wait::Interruptible)?;
        Ok(answer)
    }

    // ---- the daemon's side ----

    /// Takes waiting requests, as bytes for the daemon, with their tags (`None` for a `Cancel`).
    pub fn outgoing(&self, most: usize) -> Vec<(Option<Tag>, [u8; SQE_BYTES])> {
        let mut out = Vec::new();
        let mut inner = self.inner.lock();
        let inner = &mut *inner;
        let Link::Up(base) = inner.link else { return out };
        while out.len() < most.min(MOST_AT_ONCE) {
            if inner.recovering && !inner.table.next_is(|pending| pending.part == Part::Log) {
                break;
            }
            match inner.table.next_outgoing() {
                None => break,
                Some(Outgoing::Cancel(tag)) => out.push((None, sqe::encode(&sqe::cancel(tag.0)))),
                Some(Outgoing::Request(tag, pending)) => {
                    let mut sqe = pending.sqe;
                    sqe.tag = tag.0;
                    if let Some(slot) = &pending.slot {
                        if pending.epoch != inner.epoch && !pending.input.is_empty() {
                            slot.put(0, &pending.input);
                        }
                        sqe.args[1] = base + slot.offset();
                    }
                    out.push((Some(tag), sqe::encode(&sqe)));
                }
            }
        }
        if !out.is_empty() {
            inner.unread_since = inner.table.has_outgoing().then(frame::time::now_ns);
        }
        out
    }

    /// The daemon could not take these after all.
    pub fn take_back(&self, tags: impl DoubleEndedIterator<Item = Tag>) {
        let mut inner = self.inner.lock();
        for tag in tags.rev() {
            inner.table.unsend(tag);
        }
    }

    /// Whether the daemon has anything to read.
    pub fn has_outgoing(&self) -> bool {
        let mut inner = self.inner.lock();
        if inner.recovering { inner.table.next_is(|pending| pending.part == Part::Log) } else { inner.table.has_outgoing() }
    }

    /// Sleeps until there is something for the daemon to read.
    ///
    /// # Errors
    /// `ERESTARTSYS`.
    pub fn wait_readable<T>(&self, mut take: impl FnMut() -> Option<T>) -> Result<T> {
        let me = task::current();
        let outcome = self.readable.wait_until(|| {
            let found = take();
            if found.is_none() {
                let old = self.reader.lock().replace(me.clone());
                drop(old);
            }
            found
        });
        let mut reader = self.reader.lock();
        let mine = if reader.as_ref().is_some_and(|r| Arc::ptr_eq(r, &me)) { reader.take() } else { None };
        drop(reader);
        drop(mine);
        outcome
    }

    /// Announces what the daemon can read.
    pub fn readable(&self) -> &WaitQueue {
        &self.readable
    }

    /// The request that an answer with this tag would be for: its opcode and arguments.
    pub fn asked(&self, tag: Tag) -> Option<(u8, [u64; 6])> {
        self.inner.lock().table.awaiting_answer(tag).map(|p| (p.sqe.opcode, p.sqe.args))
    }

    /// The memory of the client that waits for the answer to this request; `None` where nobody does, or the scheme may not.
    pub fn client_memory(&self, tag: Tag) -> Option<Arc<AddressSpace>> {
        self.inner.lock().table.in_flight(tag).and_then(|p| p.memory.as_ref()?.upgrade())
    }

    /// Hands the daemon's answer to the client.
    ///
    /// # Errors
    /// `EINVAL` where no such request waits for one.
    pub fn answer(self: &Arc<Self>, tag: Tag, answer: Answer) -> Result {
        self.last_answer_ns.store(frame::time::now_ns(), Ordering::Relaxed);
        let mut inner = self.inner.lock();
        let part = inner.table.awaiting_answer(tag).map(|pending| pending.part);
        if part == Some(Part::Log) {
            // Nobody waits for it, so the table gives the answer back with the request.
            return self.take_log_answer(inner, tag, answer);
        }
        if inner.table.awaiting_answer(tag).is_some_and(|pending| pending.completion.is_some()) {
            // Nor for these: the table only has to hear that there is an answer.
            let outcome = inner.table.answer(tag, Answer::Value(0, 0));
            let pending = match outcome {
                Ok(Answered::Abandoned(pending)) => pending,
                _ => return Err(EINVAL),
            };
            drop(inner);
            detached::complete(pending, answer);
            return Ok(());
        }
        let is_good = matches!(answer, Answer::Value(..));
        let unwanted = match inner.table.answer(tag, answer) {
            Ok(Answered::Waiting(pending)) => {
                let client = pending.client.clone();
                let last = !inner.table.has_outgoing();
                drop(inner);
                if let Some(Part::Write(number)) = part {
                    self.changes.write_done(number, is_good);
                }
                match client {
                    // The daemon will sleep now.
                    Some(client) if last => sched::wake_successor(&client),
                    Some(client) => sched::wake(&client),
                    None => false,
                };
                return Ok(());
            }
            Ok(Answered::Abandoned(pending)) => Ok(pending),
            Err(answer) => Err(answer),
        };
        drop(inner);
        match unwanted {
            Ok(pending) => {
                drop(pending);
                Ok(())
            }
            Err(_) => Err(EINVAL),
        }
    }

    fn take_log_answer(self: &Arc<Self>, mut inner: SpinLockGuard<'_, Inner>, tag: Tag, answer: Answer) -> Result {
        let kept = match &answer {
            Answer::Value(value, extra) => Answer::Value(*value, *extra),
            Answer::Error(error) => Answer::Error(*error),
            _ => Answer::Error(EIO),
        };
        let outcome = inner.table.answer(tag, answer);
        let pending = match outcome {
            Ok(Answered::Abandoned(pending)) => pending,
            _ => return Err(EINVAL),
        };
        drop(inner);
        self.changes.answered(self, &kept, pending.slot);
        Ok(())
    }

    /// The daemon tells that a handle's readiness has changed. Handles that nobody polls are ignored: the poller may have gone just now.
    pub fn event(&self, handle: u32, events: u64) {
        let watch = self.watches.lock().get(&handle).and_then(Weak::upgrade);
        if let Some(watch) = watch {
            watch.queue.wake_events(super::convert::events_from(events));
        }
    }

    /// Lets `watch` hear of a handle's events until it is dropped.
    pub fn watch(&self, handle: u64, watch: &Arc<Watch>) {
        let mut watches = self.watches.lock();
        watches.retain(|_, w| w.strong_count() > 0);
        watches.insert(handle as u32, Arc::downgrade(watch));
    }
}

/// How long a daemon may still come where there is none since `since` (ns).
fn successor_until(since: u64) -> u64 {
    running_since(since) + SUCCESSOR_NS
}

fn wake_client(pending: &Pending) {
    if let Some(client) = &pending.client {
        sched::wake(client);
    }
}

/// A request that was sent off, to be waited for by the thread that submitted it. Dropping it gives the request up.
pub struct Ticket {
    scheme: Arc<UserScheme>,
    tag: Option<Tag>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let Some(tag) = self.tag else { return };
        let mut inner = self.scheme.inner.lock();
        let withdrawn = match inner.table.interrupt(tag) {
            Interrupted::Withdrawn(pending) => Some(pending),
            Interrupted::Asked | Interrupted::Done => inner.table.abandon(tag),
        };
        drop(inner);
        if withdrawn.is_none() {
            self.scheme.readable.wake_one();
        }
    }
}

impl Ticket {
    /// Waits for an answer that is a value.
    ///
    /// # Errors
    /// The daemon's; `EIO` where it died, fell silent or answered nonsense; `ERESTARTSYS` or `EINTR` on a signal.
    pub fn wait(self, wait: Wait) -> Result<Reply> {
        match self.wait_any(wait)? {
            (Answer::Value(value, _), slot) => Ok(Reply { value, slot }),
            _ => Err(EIO),
        }
    }

    /// Waits for any answer.
    ///
    /// # Errors
    /// As [`Ticket::wait`].
    pub fn wait_any(mut self, wait: Wait) -> Result<(Answer, Option<Slot>)> {
        let Some(tag) = self.tag else { return Err(EIO) };
        let (pending, answer) = self.sleep_for(tag, wait)?;
        self.tag = None;
        match answer {
            Answer::Error(error) => Err(error),
            answer => Ok((answer, pending.slot)),
        }
    }

    fn sleep_for(&mut self, tag: Tag, wait: Wait) -> Result<(Pending, Answer)> {
        let thread = task::current();
        let scheme = self.scheme.clone();
        let mut since = frame::time::now_ns();
        // Once a signal came: until when the daemon may answer the `Cancel`.
        let mut cancelled: Option<u64> = None;
        loop {
            let uninterruptible = wait == Wait::Uninterruptible || cancelled.is_some();
            if wait == Wait::Killable && !uninterruptible {
                sched::prepare_to_sleep_killable(&thread);
            } else {
                sched::prepare_to_sleep(&thread, !uninterruptible);
            }
            let (done, down_until) = {
                let mut inner = scheme.inner.lock();
                let down_until = if let Link::Down(since) = inner.link { Some(successor_until(since)) } else { None };
                (inner.table.take(tag), down_until)
            };
            if let Some((pending, answer)) = done {
                sched::cancel_sleep(&thread);
                // A request that was cancelled is repeated if the call can be.
                let answer = match answer {
                    Answer::Error(EINTR | ECANCELED) if cancelled.is_some() => Answer::Error(ERESTARTSYS),
                    answer => answer,
                };
                return Ok((pending, answer));
            }
            let now = frame::time::now_ns();
            let signalled = match wait {
                Wait::Interruptible => thread.has_pending_signal(),
                Wait::Killable => thread.is_killed(),
                Wait::Uninterruptible => false,
            };
            let mut deadline = down_until;
            if let Some(until) = cancelled {
                if now >= until {
                    sched::cancel_sleep(&thread);
                    return Err(EINTR); // and the drop abandons the request
                }
                deadline = Some(deadline.map_or(until, |d| d.min(until)));
            } else if signalled {
                sched::cancel_sleep(&thread);
                let interrupted = scheme.inner.lock().table.interrupt(tag);
                match interrupted {
                    Interrupted::Withdrawn(pending) => {
                        self.tag = None;
                        drop(pending);
                        return Err(ERESTARTSYS);
                    }
                    Interrupted::Asked => {
                        scheme.readable.wake_one();
                        cancelled = Some(now + CANCEL_NS);
                    }
                    Interrupted::Done => {}
                }
                continue;
            }
            if let Some(until) = down_until {
                if now >= until {
                    sched::cancel_sleep(&thread);
                    scheme.give_up();
                    continue;
                }
                since = now;
            } else if wait != Wait::Interruptible && now >= running_since(scheme.last_answer_ns.load(Ordering::Relaxed).max(since)) + SILENCE_NS {
                // No timer for this: the watchdog wakes who waits for a scheme that is silent.
                sched::cancel_sleep(&thread);
                crate::log::warning!("scheme {}: no answer for {} s, a request is given up", scheme.name, SILENCE_NS / 1_000_000_000);
                return Err(EIO);
            }
            sched::sleep(deadline);
        }
    }
}

/// The ids that travel with a request.
pub fn ids(who: &Credentials) -> Ids {
    Ids { uid: who.fsuid, gid: who.fsgid }
}

/// Whether an opcode may be answered with a descriptor.
pub fn may_answer_with_file(opcode: u8) -> bool {
    matches!(Opcode::try_from_raw(opcode), Some(Opcode::OpenAt | Opcode::Dup))
}

/// What the daemon's poll says about its socket.
pub fn socket_events(scheme: &UserScheme) -> Events {
    let writable = Events::OUT | Events::WRNORM;
    if scheme.has_outgoing() { writable | Events::IN | Events::RDNORM } else { writable }
}
