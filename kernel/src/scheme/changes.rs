//! The changes of a filesystem behind a scheme: sent to its daemon in batches, and kept until they are on the disk.
//!
//! Every change of names and attributes is a *step* (`scheme_abi::fs::Step`), every write of pages is noted with the pages. They stand here in the order in which
//! they were made: *queued*, *sent*, then *done*, and gone when the daemon says that a commit holds them. When the daemon dies, its successor
//! gets everything that no commit held again, in the same order, before any other request: so nothing that programs were told is lost with a daemon.
//!
//! Who needs a step's outcome sends it at once and waits. A step that cannot fail may stay queued for a while ([`ChangeLog::QUEUED_NS`]): many
//! travel in one request, and a file that is made and deleted meanwhile never does. Whatever asks the daemon about a
//! node calls [`ChangeLog::settle`] before, so that the daemon has heard of it.
//!
//! Lock order: this log's lock, then the scheme's.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use frame::mm::{Frame, PAGE_SIZE};
use scheme_abi::area::SLOT_BYTES;
use scheme_abi::fs::{FS_BATCH, MOST_STEPS, NodeAttr, ROOT_NODE, Step, StepAnswer};
use scheme_abi::sqe;

use super::handle::buffer;
use super::transfer::Slot;
use super::user::{Answer, UserScheme};
use crate::error::*;
use crate::sync::{SpinLock, SpinLockGuard, WaitQueue};

/// Queued steps that nobody waits for are sent when there are so many.
const SEND_AT: usize = 64;
/// Who queues steps waits where there are more than these.
const MOST_QUEUED: usize = 4096;

/// Where the answer to a step comes.
pub struct Outcome(SpinLock<Option<Result<NodeAttr>>>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The daemon has yet to get it.
    Queued,
    /// It is in the log's request.
    Sent,
    /// A client's own request carries it.
    WithClient,
    /// The daemon has answered, and not committed.
    Done,
    /// Nothing is left of it.
    Gone,
}

enum Body {
    /// An encoded step.
    Step(Vec<u8>),
    /// Pages of a node: `len` bytes from `offset` on, with the modification time that goes with them.
    Pages { node: u64, offset: u64, len: usize, mtime_ns: i64, frames: Vec<Frame> },
    Nothing,
}

struct Entry {
    state: State,
    body: Body,
    outcome: Option<Arc<Outcome>>,
    /// A commit in the place of this generation holds it, if it came to an end.
    covered: Option<u64>,
    /// The daemon before had answered it.
    again: bool,
}

struct Inner {
    entries: VecDeque<Entry>,
    /// The number of the first of them.
    base: u64,
    /// None before this number is queued.
    next: u64,
    queued: usize,
    /// The log's own buffer; away while its request is.
    slot: Option<Slot>,
    /// What the log's request carries.
    in_flight: Vec<u64>,
    /// Threads that want queued steps to be sent.
    wanted: usize,
    /// A successor gets everything before this number first.
    replay_until: u64,
    /// A step that nobody waited for was refused: the next sync tells.
    failed: Option<Errno>,
    /// That happened once: everybody waits for outcomes from now on.
    refused: bool,
    /// The daemon left a part of the last request for the next, which comes before everything else.
    rest_first: bool,
    dead: bool,
    idle: bool,
}

/// The changes of one scheme.
pub struct ChangeLog {
    inner: SpinLock<Inner>,
    /// Announces answers.
    moved: WaitQueue,
    /// Announces steps to the thread that sends them in time.
    queued: WaitQueue,
}

impl Inner {
    fn get(&mut self, number: u64) -> Option<&mut Entry> {
        self.entries.get_mut(usize::try_from(number.checked_sub(self.base)?).ok()?)
    }

    fn end(&self) -> u64 {
        self.base + self.entries.len() as u64
    }

    /// Whether all before `number` were sent.
    fn sent_until(&mut self, number: u64) -> bool {
        let end = self.end();
        while self.next < end {
            let next = self.next;
            if self.get(next).is_some_and(|e| e.state == State::Queued) {
                break;
            }
            self.next += 1;
        }
        self.next >= number.min(end)
    }

    fn queue_again(&mut self, number: u64) {
        if let Some(entry) = self.get(number) {
            if entry.state != State::Queued {
                entry.state = State::Queued;
                self.queued += 1;
            }
        }
        self.next = self.next.min(number);
    }

    /// Takes an entry's content out, for dropping without the lock.
    fn finish(&mut self, number: u64, rest: &mut Vec<Entry>) {
        let Some(entry) = self.get(number) else { return };
        if entry.state == State::Gone {
            return;
        }
        let was_queued = entry.state == State::Queued;
        let gone = Entry { state: State::Gone, body: Body::Nothing, outcome: None, covered: None, again: false };
        rest.push(core::mem::replace(entry, gone));
        self.queued -= usize::from(was_queued);
        while self.entries.front().is_some_and(|e| e.state == State::Gone) {
            rest.extend(self.entries.pop_front());
            self.base += 1;
        }
        self.next = self.next.max(self.base);
    }

    /// Whether a successor has everything that was answered before.
    fn has_replayed(&mut self) -> bool {
        let until = self.replay_until.min(self.end());
        self.sent_until(until) && self.in_flight.iter().all(|number| *number >= until)
    }
}

impl ChangeLog {
    /// How long steps that nobody waits for may be queued.
    pub const QUEUED_NS: u64 = 200_000_000;

    /// An empty log.
    pub fn new() -> Self {
        Self {
            inner: SpinLock::new(Inner {
                entries: VecDeque::new(),
                base: 1,
                next: 1,
                queued: 0,
                slot: None,
                in_flight: Vec::new(),
                wanted: 0,
                replay_until: 0,
                failed: None,
                refused: false,
                rest_first: false,
                dead: false,
                idle: false,
            }),
            moved: WaitQueue::new(),
            queued: WaitQueue::new(),
        }
    }

    /// The log's buffer. To be given once, before the first change.
    pub fn give_buffer(&self, slot: Slot) {
        let old = {
            let mut inner = self.inner.lock();
            if inner.in_flight.is_empty() { inner.slot.replace(slot) } else { Some(slot) }
        };
        drop(old);
    }

    fn push(inner: &mut Inner, state: State, body: Body, outcome: Option<Arc<Outcome>>) -> u64 {
        let number = inner.end();
        inner.entries.push_back(Entry { state, body, outcome, covered: None, again: false });
        inner.queued += usize::from(state == State::Queued);
        number
    }

    /// Queues a step whose outcome nobody waits for. Never sleeps. Returns its number.
    pub fn queue(&self, scheme: &Arc<UserScheme>, step: &Step<'_>) -> u64 {
        let mut bytes = alloc::vec![0; step.bytes()];
        let mut inner = self.inner.lock();
        if inner.dead || step.encode(&mut bytes).is_err() {
            return 0;
        }
        let number = Self::push(&mut inner, State::Queued, Body::Step(bytes), None);
        let full = inner.queued >= SEND_AT;
        let sent = full && self.send(scheme, &mut inner);
        let kick = core::mem::take(&mut inner.idle);
        drop(inner);
        if sent {
            scheme.wake_daemon(false);
        }
        if kick {
            self.queued.wake_all();
        }
        number
    }

    /// Sends a step, with all before it, and waits for its outcome.
    ///
    /// # Errors
    /// The daemon's; `EIO` where it is dead or silent; `ENAMETOOLONG`.
    pub fn call(&self, scheme: &Arc<UserScheme>, step: &Step<'_>) -> Result<NodeAttr> {
        let mut bytes = alloc::vec![0; step.bytes()];
        step.encode(&mut bytes).map_err(|_| ENAMETOOLONG)?;
        let outcome = Arc::new(Outcome(SpinLock::new(None)));
        let mut inner = self.inner.lock();
        if inner.dead {
            return Err(EIO);
        }
        Self::push(&mut inner, State::Queued, Body::Step(bytes), Some(outcome.clone()));
        self.wait(scheme, inner, |_| outcome.0.lock().take())
    }

    /// Sees to it that the daemon has been sent all changes before number `until` ([`u64::MAX`]: all of now).
    ///
    /// # Errors
    /// `EIO` where it is dead or silent.
    pub fn settle(&self, scheme: &Arc<UserScheme>, until: u64) -> Result {
        let mut inner = self.inner.lock();
        let until = until.min(inner.end());
        if inner.sent_until(until) {
            return Ok(());
        }
        self.wait(scheme, inner, |inner| inner.sent_until(until).then_some(Ok(())))
    }

    /// Waits where too much is queued.
    ///
    /// # Errors
    /// As [`ChangeLog::settle`].
    pub fn make_room(&self, scheme: &Arc<UserScheme>) -> Result {
        let inner = self.inner.lock();
        if inner.queued < MOST_QUEUED {
            return Ok(());
        }
        self.wait(scheme, inner, |inner| (inner.queued < MOST_QUEUED / 2).then_some(Ok(())))
    }

    fn wait<T>(&self, scheme: &Arc<UserScheme>, mut inner: SpinLockGuard<'_, Inner>, mut ready: impl FnMut(&mut Inner) -> Option<Result<T>>) -> Result<T> {
        inner.wanted += 1;
        let sent = self.send(scheme, &mut inner);
        drop(inner);
        if sent {
            scheme.wake_daemon(true);
        }
        let since = frame::time::now_ns();
        let outcome = self.moved.wait_uninterruptible(|| {
            let mut inner = self.inner.lock();
            if let Some(outcome) = ready(&mut inner) {
                return Some(outcome);
            }
            if inner.dead {
                return Some(Err(EIO));
            }
            drop(inner);
            scheme.is_silent(since).then_some(Err(EIO))
        });
        self.inner.lock().wanted -= 1;
        outcome
    }

    /// Wakes those who wait, to look whether the daemon is silent.
    pub fn look_again(&self) {
        self.moved.wake_all();
    }

    /// Notes a write of pages that the caller sends itself, right after this. Returns its number.
    pub fn note_write(&self, node: u64, offset: u64, len: usize, mtime_ns: i64, frames: &[Frame]) -> u64 {
        let frames = frames.to_vec();
        Self::push(&mut self.inner.lock(), State::WithClient, Body::Pages { node, offset, len, mtime_ns, frames }, None)
    }

    /// A write that a client sent is answered, or given up.
    pub fn write_done(&self, number: u64, good: bool) {
        let mut rest = Vec::new();
        let mut inner = self.inner.lock();
        if good {
            if let Some(entry) = inner.get(number).filter(|e| e.state == State::WithClient) {
                entry.state = State::Done;
            }
        } else if inner.get(number).is_some_and(|e| e.state == State::WithClient) {
            inner.finish(number, &mut rest);
        }
        drop(inner);
        drop(rest);
    }

    /// Whether steps may be queued without waiting for their outcomes.
    pub fn may_queue(&self) -> bool {
        let inner = self.inner.lock();
        !inner.refused && !inner.dead
    }

    /// Sends what is queued where `concerns` holds for one of the queued steps.
    ///
    /// # Errors
    /// As [`ChangeLog::settle`].
    pub fn settle_if(&self, scheme: &Arc<UserScheme>, concerns: impl Fn(&Step<'_>) -> bool) -> Result {
        let mut inner = self.inner.lock();
        let end = inner.end();
        if inner.queued == 0 || inner.sent_until(end) {
            return Ok(());
        }
        let mut last = None;
        for number in inner.next..end {
            if let Some(Entry { state: State::Queued, body: Body::Step(bytes), .. }) = inner.get(number) {
                if matches!(Step::decode(bytes), Ok(Some((step, _))) if concerns(&step)) {
                    last = Some(number);
                }
            }
        }
        drop(inner);
        last.map_or(Ok(()), |last| self.settle(scheme, last + 1))
    }

    /// Where a node was made by step `made` and lost its name by step `unnamed`, and the daemon has heard of neither: takes these and all steps on node
    /// `id` between them out, and tells whether it did.
    pub fn cancel(&self, id: u64, made: u64, unnamed: u64) -> bool {
        let mut rest = Vec::new();
        let mut inner = self.inner.lock();
        let is_queued = |inner: &mut Inner, number: u64| inner.get(number).is_some_and(|e| e.state == State::Queued && e.outcome.is_none() && !e.again);
        if made == 0 || unnamed <= made || !is_queued(&mut inner, made) || !is_queued(&mut inner, unnamed) {
            return false;
        }
        for number in made..=unnamed {
            let about = number == made || number == unnamed || match inner.get(number) {
                Some(Entry { state: State::Queued, body: Body::Step(bytes), .. }) => matches!(Step::decode(bytes), Ok(Some((step, _))) if step.node == id),
                _ => false,
            };
            if about {
                inner.finish(number, &mut rest);
            }
        }
        while inner.entries.back().is_some_and(|e| e.state == State::Gone) {
            rest.extend(inner.entries.pop_back());
        }
        let end = inner.end();
        inner.next = inner.next.min(end);
        drop(inner);
        drop(rest);
        true
    }

    /// What a step that nobody waited for was refused with, once.
    pub fn take_failure(&self) -> Result {
        match self.inner.lock().failed.take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    // ---- the way to the daemon ----

    /// Sends queued steps where that is possible now; whether it did.
    fn send(&self, scheme: &Arc<UserScheme>, inner: &mut Inner) -> bool {
        let end = inner.end();
        if inner.dead || !inner.in_flight.is_empty() || inner.sent_until(end) || !scheme.takes_changes() {
            return false;
        }
        let Some(slot) = inner.slot.take() else { return false };
        let (mut at, mut numbers) = (0, Vec::new());
        let mut single = None;
        for number in inner.next..end {
            let Some(entry) = inner.get(number).filter(|e| e.state == State::Queued) else { continue };
            match &entry.body {
                Body::Step(bytes) => {
                    let steps = numbers.len() + 1;
                    if steps > MOST_STEPS || at + bytes.len() + 4 > SLOT_BYTES || StepAnswer::room(steps) > SLOT_BYTES {
                        break;
                    }
                    slot.put(at, bytes);
                    at += bytes.len();
                }
                Body::Pages { .. } if !numbers.is_empty() => break,
                Body::Pages { node, offset, len, mtime_ns, frames } => {
                    for (i, frame) in frames.iter().enumerate() {
                        let here = len.saturating_sub(i * PAGE_SIZE).min(PAGE_SIZE);
                        if let Some(to) = slot.frame(i).filter(|_| here > 0) {
                            to.copy_range_from(0, frame, 0, here);
                        }
                    }
                    let mut sqe = sqe::write(*node, buffer(*len), *offset, 0);
                    sqe.args[5] = *mtime_ns as u64;
                    single = Some(sqe);
                }
                Body::Nothing => continue,
            }
            entry.state = State::Sent;
            numbers.push(number);
            if single.is_some() {
                break;
            }
        }
        inner.queued -= numbers.len();
        let sqe = single.unwrap_or_else(|| {
            slot.put(at, &[0; 4]);
            sqe::call(ROOT_NODE, buffer((at + 4).max(StepAnswer::room(numbers.len()))), [FS_BATCH, 0, 0])
        });
        inner.in_flight = numbers;
        let first = core::mem::take(&mut inner.rest_first);
        if let Err(slot) = scheme.submit_changes(sqe, slot, first) {
            // It died just now.
            inner.slot = slot;
            for number in core::mem::take(&mut inner.in_flight) {
                inner.queue_again(number);
            }
            return false;
        }
        true
    }

    /// Sends what is queued.
    pub fn send_now(&self, scheme: &Arc<UserScheme>) {
        let sent = self.send(scheme, &mut self.inner.lock());
        if sent {
            scheme.wake_daemon(false);
        }
    }

    /// The daemon has answered the log's request. Called in the daemon's thread.
    pub fn answered(&self, scheme: &Arc<UserScheme>, answer: &Answer, slot: Option<Slot>) {
        let mut rest = Vec::new();
        let mut inner = self.inner.lock();
        let numbers = core::mem::take(&mut inner.in_flight);
        let bytes = match (answer, &slot) {
            (Answer::Value(..), Some(slot)) => slot.bytes_at(0, StepAnswer::room(numbers.len()).min(SLOT_BYTES)),
            _ => Vec::new(),
        };
        let is_pages = numbers.first().is_some_and(|n| matches!(inner.get(*n), Some(Entry { body: Body::Pages { .. }, .. })));
        let whole = match answer {
            Answer::Value(..) => None,
            Answer::Error(error) => Some(*error),
            _ => Some(EIO),
        };
        let count = match whole {
            None if is_pages => 1,
            None => StepAnswer::count(&bytes).unwrap_or(0).min(numbers.len()),
            Some(_) => numbers.len(),
        };
        // Nothing done and no error: it would be asked for ever.
        let (whole, count) = if count == 0 { (Some(EIO), numbers.len()) } else { (whole, count) };
        for (i, number) in numbers.iter().enumerate() {
            if i >= count {
                inner.rest_first = true;
                inner.queue_again(*number);
                continue;
            }
            let result = match whole {
                Some(error) => Err(error),
                None if is_pages => Ok(NodeAttr::default()),
                None => match StepAnswer::decode(&bytes, i) {
                    Ok(StepAnswer { errno: 0, attr }) => Ok(attr),
                    Ok(answer) => Err(super::convert::result((-i64::from(answer.errno)) as u64).err().unwrap_or(EIO)),
                    Err(_) => Err(EIO),
                },
            };
            self.step_answered(scheme, &mut inner, *number, result, &mut rest);
        }
        inner.slot = slot;
        let more = inner.rest_first || inner.wanted > 0 || inner.queued >= SEND_AT || !inner.has_replayed();
        let sent = more && self.send(scheme, &mut inner);
        let replayed = inner.has_replayed();
        drop(inner);
        drop(rest);
        if replayed {
            scheme.changes_replayed();
        }
        if sent {
            scheme.wake_daemon(false);
        }
        self.moved.wake_events_sync(crate::fs::Events::all());
    }

    fn step_answered(&self, scheme: &UserScheme, inner: &mut Inner, number: u64, result: Result<NodeAttr>, rest: &mut Vec<Entry>) {
        let Some(entry) = inner.get(number) else { return };
        match result {
            Ok(attr) => {
                entry.state = State::Done;
                if let Body::Step(bytes) = &mut entry.body {
                    keep_id(bytes, attr.node);
                }
                if let Some(outcome) = entry.outcome.take() {
                    *outcome.0.lock() = Some(Ok(attr));
                }
            }
            Err(error) => {
                match entry.outcome.take() {
                    Some(outcome) => *outcome.0.lock() = Some(Err(error)),
                    None if entry.again => crate::log::warning!("scheme {}: a change could not be made again: error {}", scheme.name, error.0),
                    None => {
                        crate::log::warning!("scheme {}: a change was refused late: error {}", scheme.name, error.0);
                        (inner.failed, inner.refused) = (Some(error), true);
                    }
                }
                inner.finish(number, rest);
            }
        }
    }

    // ---- commits, death and succession ----

    /// A commit begins, in the place of generation `generation`.
    pub fn committing(&self, generation: u64) {
        for entry in &mut self.inner.lock().entries {
            if entry.state == State::Done {
                entry.covered = Some(generation);
            }
        }
    }

    /// The commit is on the disk.
    pub fn committed(&self) {
        self.forget_covered(|_| true);
    }

    fn forget_covered(&self, is_on_disk: impl Fn(u64) -> bool) {
        let mut rest = Vec::new();
        let mut inner = self.inner.lock();
        for number in inner.base..inner.end() {
            let covered = inner.get(number).and_then(|e| e.covered.take());
            if covered.is_some_and(&is_on_disk) {
                inner.finish(number, &mut rest);
            }
        }
        drop(inner);
        drop(rest);
    }

    /// The daemon died: calls `down` under the log's lock, which gives the log's buffer back if it was away, and tells whether a successor may come.
    pub fn daemon_died(&self, down: impl FnOnce() -> (Option<Slot>, bool)) {
        let mut rest = Vec::new();
        let mut inner = self.inner.lock();
        let (slot, may_come) = down();
        if slot.is_some() {
            inner.slot = slot;
        }
        inner.in_flight.clear();
        inner.rest_first = false;
        if may_come {
            for number in inner.base..inner.end() {
                let Some(entry) = inner.get(number) else { continue };
                match entry.state {
                    State::Done => entry.again = true,
                    State::Sent => {}
                    _ => continue,
                }
                inner.queue_again(number);
            }
        } else {
            inner.dead = true;
            for number in inner.base..inner.end() {
                if let Some(outcome) = inner.get(number).and_then(|e| e.outcome.take()) {
                    *outcome.0.lock() = Some(Err(EIO));
                }
                inner.finish(number, &mut rest);
            }
        }
        drop(inner);
        drop(rest);
        self.moved.wake_all();
    }

    /// A successor has mounted generation `generation`: what that does not hold is sent to it.
    pub fn mounted(&self, scheme: &Arc<UserScheme>, generation: u64) {
        self.forget_covered(|replaced| replaced < generation);
        let mut inner = self.inner.lock();
        inner.replay_until = inner.end();
        let sent = self.send(scheme, &mut inner);
        let replayed = inner.has_replayed();
        drop(inner);
        if replayed {
            scheme.changes_replayed();
        }
        if sent {
            scheme.wake_daemon(false);
        }
    }

    /// The thread that sends queued steps in time. Ends with the scheme.
    pub fn run(scheme: alloc::sync::Weak<UserScheme>) {
        let pause = WaitQueue::new();
        loop {
            let Some(scheme) = scheme.upgrade() else { return };
            let log = &scheme.changes;
            let until = frame::time::now_ns() + 5_000_000_000;
            let ready = || {
                let mut inner = log.inner.lock();
                inner.idle = inner.queued == 0 && !inner.dead;
                (!inner.idle).then_some(())
            };
            if log.queued.wait_deadline(Some(until), ready).is_err() {
                continue;
            }
            if log.inner.lock().dead {
                return;
            }
            let until = frame::time::now_ns() + Self::QUEUED_NS;
            let _ = pause.wait_deadline(Some(until), || None::<()>);
            log.send_now(&scheme);
        }
    }
}

/// A `Create` that left the id to the daemon: if it has to be made again, it is to be the same one.
fn keep_id(bytes: &mut [u8], id: u64) {
    let unset = matches!(Step::decode(bytes), Ok(Some((Step { change: scheme_abi::fs::Change::Create { id: 0, .. }, .. }, _))));
    if unset {
        if let Some(to) = bytes.get_mut(Step::HEADER_BYTES..Step::HEADER_BYTES + 8) {
            to.copy_from_slice(&id.to_le_bytes());
        }
    }
}
