//! What a socket has received and not read yet.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, Ordering};

use super::urgent::Head;
use super::{Address, Files, Kind};
use crate::error::*;
use crate::fs::sigio::Settings;
use crate::fs::{Events, IoSink, IoSource};
use crate::sync::{PollTable, SpinLock, WaitQueue};
use crate::task;

/// Bytes an inbox holds (Linux's default of SO_SNDBUF).
pub const CAPACITY: usize = 212_992;
/// A stream's message holds at most this much: longer writes become several.
pub(super) const CHUNK: usize = 32 << 10;
/// Datagrams that wait at most (`net.unix.max_dgram_qlen`).
const MAX_DATAGRAMS: usize = 512;

/// Who is at the other end.
#[derive(Clone, Debug, Default)]
pub struct Peer {
    #[allow(missing_docs)]
    pub pid: u32,
    #[allow(missing_docs)]
    pub uid: u32,
    #[allow(missing_docs)]
    pub gid: u32,
    /// Its name, if it is bound.
    pub name: Option<Address>,
}

impl Peer {
    /// The current process.
    pub fn current() -> Self {
        task::with_current(|t| {
            let creds = t.creds();
            Self { pid: t.process.pid, uid: creds.euid, gid: creds.egid, name: None }
        })
    }

    /// (pid, uid, gid)
    pub fn credentials(&self) -> (u32, u32, u32) {
        (self.pid, self.uid, self.gid)
    }
}

/// What comes with a message besides its bytes.
#[derive(Default, Clone)]
pub struct Ancillary {
    /// `SCM_RIGHTS`
    pub files: Files,
    /// `SCM_CREDENTIALS`: pid, uid, gid.
    pub credentials: Option<(u32, u32, u32)>,
    /// The sender's name.
    pub from: Option<Address>,
    /// A packet was longer than the buffer (`MSG_TRUNC`).
    pub truncated: bool,
}

/// One message, or a part of a stream.
pub struct Message {
    pub(super) data: Vec<u8>,
    pub(super) start: usize,
    pub(super) ancillary: Ancillary,
    /// A byte that was sent with MSG_OOB.
    pub(super) is_urgent: bool,
}

#[derive(Default)]
pub(super) struct Queue {
    pub(super) messages: VecDeque<Message>,
    pub(super) bytes: usize,
    /// Nobody will write any more: reads end.
    pub(super) writer_closed: bool,
    /// Nobody will read any more: writes fail.
    pub(super) reader_closed: bool,
}

/// An inbox.
pub struct Inbox {
    kind: Kind,
    pub(super) queue: SpinLock<Queue>,
    pub(super) read_event: WaitQueue,
    write_event: WaitQueue,
    writer: SpinLock<Peer>,
    owner: SpinLock<Peer>,
    /// Urgent data are read with the rest.
    pub(super) is_inline: AtomicBool,
    /// Who is told of urgent data.
    pub(super) urgent_owner: SpinLock<Settings>,
}

impl Inbox {
    /// An empty one.
    pub fn new(kind: Kind) -> Arc<Self> {
        Arc::new(Self {
            kind,
            queue: SpinLock::new(Queue::default()),
            read_event: WaitQueue::new(),
            write_event: WaitQueue::new(),
            writer: SpinLock::new(Peer::default()),
            owner: SpinLock::new(Peer::default()),
            is_inline: AtomicBool::new(false),
            urgent_owner: SpinLock::default(),
        })
    }

    /// Who writes to it.
    pub fn writer(&self) -> Peer {
        self.writer.lock().clone()
    }

    /// Notes who writes to it.
    pub fn set_writer(&self, peer: Peer) {
        *self.writer.lock() = peer;
    }

    /// Who listens on it.
    pub fn owner(&self) -> Peer {
        self.owner.lock().clone()
    }

    /// Notes who listens on it.
    pub fn set_owner(&self, peer: Peer) {
        *self.owner.lock() = peer;
    }

    /// The writing side is closed.
    pub fn close_writer(&self) {
        self.queue.lock().writer_closed = true;
        self.read_event.wake_all();
        self.write_event.wake_all();
    }

    /// The reading side is closed; what waits is dropped.
    pub fn close_reader(&self) {
        let dropped = {
            let mut queue = self.queue.lock();
            queue.reader_closed = true;
            queue.bytes = 0;
            core::mem::take(&mut queue.messages)
        };
        drop(dropped);
        self.write_event.wake_all();
        self.read_event.wake_all();
    }

    /// Further writes fail, but what waits can still be read (the writer shut its side down).
    pub fn refuse(&self) {
        self.write_event.wake_all();
    }

    /// Bytes that wait; of the first packet only for packet sockets.
    pub fn available(&self) -> usize {
        let queue = self.queue.lock();
        match self.kind {
            Kind::Stream => queue.bytes,
            _ => queue.messages.front().map_or(0, |m| m.data.len()),
        }
    }

    fn room(&self, queue: &Queue, want: usize) -> usize {
        match self.kind {
            Kind::Stream => CAPACITY.saturating_sub(queue.bytes),
            Kind::Datagram if queue.messages.len() >= MAX_DATAGRAMS => 0,
            _ if queue.bytes + want <= CAPACITY => want.max(1),
            _ => 0,
        }
    }

    /// Puts the bytes of `src` in; see [`super::Socket::send`].
    pub fn send(&self, src: &mut IoSource<'_>, ancillary: Ancillary, nonblocking: bool, deadline: Option<u64>) -> Result<usize> {
        let total = src.remaining();
        if self.kind != Kind::Stream && total > CAPACITY {
            return Err(EMSGSIZE);
        }
        let mut ancillary = Some(ancillary);
        let mut done = 0;
        if self.kind == Kind::Stream && total == 0 {
            // Nothing is sent, not even what would go with it (`unix_stream_sendmsg` of Linux): an empty message would be read as the end.
            let queue = self.queue.lock();
            return if queue.reader_closed || queue.writer_closed { Err(EPIPE) } else { Ok(0) };
        }
        loop {
            let left = src.remaining();
            let want = if self.kind == Kind::Stream { left.min(CHUNK) } else { left };
            let ready = || {
                let queue = self.queue.lock();
                if queue.reader_closed || (self.kind != Kind::Datagram && queue.writer_closed) {
                    return Some(Err(EPIPE));
                }
                let room = self.room(&queue, want);
                (room > 0).then_some(Ok(room))
            };
            let outcome = match ready() {
                Some(outcome) => outcome,
                None if nonblocking => Err(EAGAIN),
                None => match self.write_event.wait_deadline(deadline, ready) {
                    Ok(outcome) => outcome,
                    Err(ETIMEDOUT) => Err(EAGAIN),
                    Err(error) => Err(error),
                },
            };
            let room = match outcome {
                Ok(room) => room,
                Err(error) => return if done > 0 { Ok(done) } else { Err(error) },
            };
            let len = if self.kind == Kind::Stream { want.min(room) } else { want };
            let mut data = alloc::vec![0; len];
            if let Err(error) = src.read(&mut data) {
                return if done > 0 { Ok(done) } else { Err(error) };
            }
            {
                let mut queue = self.queue.lock();
                if queue.reader_closed {
                    drop(queue);
                    return if done > 0 { Ok(done) } else { Err(EPIPE) };
                }
                queue.bytes += len;
                // Only the first part of a stream's write carries files.
                let ancillary = ancillary.take().unwrap_or_default();
                queue.messages.push_back(Message { data, start: 0, ancillary, is_urgent: false });
            }
            self.read_event.wake_events_sync(Events::IN | Events::RDNORM);
            done += len;
            if src.remaining() == 0 || self.kind != Kind::Stream {
                return Ok(done);
            }
        }
    }

    /// Takes bytes out; see [`super::Socket::receive`].
    pub fn receive(
        &self,
        dst: &mut IoSink<'_>,
        nonblocking: bool,
        peek: bool,
        wait_all: bool,
        deadline: Option<u64>,
    ) -> Result<(usize, usize, Ancillary)> {
        let mut done = 0;
        let mut collected = Ancillary::default();
        loop {
            let ready = || {
                let mut queue = self.queue.lock();
                let is_there = !matches!(queue.head(self.is_inline.load(Ordering::Relaxed), done > 0, peek), Head::Empty);
                (is_there || queue.writer_closed || queue.reader_closed).then_some(())
            };
            let waited = match ready() {
                Some(()) => Ok(()),
                None if nonblocking => Err(EAGAIN),
                None => self.read_event.wait_deadline(deadline, ready),
            };
            match waited {
                Ok(()) => {}
                Err(_) if done > 0 => return Ok((done, done, collected)),
                Err(ETIMEDOUT) => return Err(EAGAIN),
                Err(error) => return Err(error),
            }
            if peek {
                return self.peek(dst);
            }
            if done > 0 && self.queue.lock().messages.front().is_some_and(|message| message.is_urgent) {
                return Ok((done, done, collected));
            }
            let Some(mut message) = self.take() else {
                if self.queue.lock().writer_closed || self.queue.lock().reader_closed {
                    return Ok((done, done, collected));
                }
                continue;
            };
            let whole = message.data.len() - message.start;
            if done > 0 && (!message.ancillary.files.is_empty() || message.ancillary.credentials != collected.credentials) {
                // A read does not run over into a message with other ancillary data.
                self.put_back(message);
                return Ok((done, done, collected));
            }
            let copied = match dst.write(&message.data[message.start..]) {
                Ok(copied) => copied,
                Err(error) => {
                    self.put_back(message);
                    return if done > 0 { Ok((done, done, collected)) } else { Err(error) };
                }
            };
            let ancillary = core::mem::take(&mut message.ancillary);
            if done == 0 {
                collected = ancillary.clone();
            }
            done += copied;
            if self.kind != Kind::Stream {
                collected.truncated = copied < whole;
                self.write_event.wake_events(Events::OUT | Events::WRNORM);
                return Ok((copied, whole, collected));
            }
            if copied < whole {
                message.start += copied;
                message.ancillary = Ancillary { files: Vec::new(), ..ancillary };
                self.put_back(message);
            }
            self.write_event.wake_events(Events::OUT | Events::WRNORM);
            let more_wanted = dst.remaining() > 0 && (wait_all || !self.queue.lock().messages.is_empty());
            if !more_wanted {
                return Ok((done, done, collected));
            }
        }
    }

    fn take(&self) -> Option<Message> {
        let mut queue = self.queue.lock();
        let message = queue.messages.pop_front()?;
        queue.bytes -= message.data.len() - message.start;
        Some(message)
    }

    fn put_back(&self, message: Message) {
        let mut queue = self.queue.lock();
        queue.bytes += message.data.len() - message.start;
        queue.messages.push_front(message);
    }

    fn peek(&self, dst: &mut IoSink<'_>) -> Result<(usize, usize, Ancillary)> {
        let (bytes, whole, ancillary) = {
            let queue = self.queue.lock();
            // Urgent data are passed by at the head, and stop what comes before them.
            let is_passed = !self.is_inline.load(Ordering::Relaxed) && queue.messages.front().is_some_and(|message| message.is_urgent);
            let mut messages = queue.messages.iter().skip(is_passed.into());
            let Some(first) = messages.next() else { return Ok((0, 0, Ancillary::default())) };
            let mut bytes = Vec::new();
            let limit = if self.kind == Kind::Stream { usize::MAX } else { 1 };
            let rest = messages.take_while(|message| !message.is_urgent);
            for message in core::iter::once(first).chain(rest).take(limit) {
                bytes.extend_from_slice(&message.data[message.start..]);
                if bytes.len() >= dst.remaining() {
                    break;
                }
            }
            (bytes, first.data.len() - first.start, first.ancillary.clone())
        };
        let copied = dst.write(&bytes)?;
        Ok((copied, if self.kind == Kind::Stream { copied } else { whole }, ancillary))
    }

    /// Registers for news about reading.
    pub fn register_reader(&self, table: &mut PollTable<'_>) {
        table.register(&self.read_event);
    }

    /// Registers for news about writing into it.
    pub fn register_writer(&self, table: &mut PollTable<'_>) {
        table.register(&self.write_event);
    }

    /// Readiness of the reader.
    pub fn read_state(&self) -> Events {
        let queue = self.queue.lock();
        let mut events = Events::empty();
        if !queue.messages.is_empty() {
            events |= Events::IN | Events::RDNORM;
            if queue.messages.iter().any(|message| message.is_urgent) {
                events |= Events::PRI;
            }
        }
        if queue.writer_closed {
            events |= Events::IN | Events::RDNORM | Events::RDHUP;
            if queue.reader_closed {
                events |= Events::HUP;
            }
        }
        events
    }

    /// Readiness of the writer, whose peer reads this inbox.
    pub fn write_state(&self) -> Events {
        let queue = self.queue.lock();
        let mut events = Events::empty();
        if queue.reader_closed {
            events |= Events::HUP | Events::OUT | Events::WRNORM | Events::IN | Events::RDNORM;
        } else if self.kind != Kind::Stream || queue.bytes < CAPACITY / 2 {
            events |= Events::OUT | Events::WRNORM;
        }
        events
    }
}
