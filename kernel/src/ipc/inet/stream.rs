//! One direction of a connection: bytes that one end has sent and the other has not read yet.

mod urgent;

use alloc::collections::VecDeque;
use alloc::sync::Weak;
use alloc::vec::Vec;

use super::outside::Connection;
use super::shown::End;
use crate::error::*;
use crate::ipc::network;
use crate::fs::{Events, IoSink, IoSource};
use crate::sync::{PollTable, SpinLock, WaitQueue};

/// A write is stored in pieces of at most so many bytes.
const CHUNK: usize = 64 << 10;
/// Room for bytes where nothing was asked for by SO_SNDBUF or SO_RCVBUF.
pub const CAPACITY: usize = 512 << 10;

#[derive(Default)]
struct Queue {
    chunks: VecDeque<Vec<u8>>,
    /// Bytes of the first chunk that have been read.
    start: usize,
    bytes: usize,
    /// How many have been read before.
    position: u64,
    mark: Option<urgent::Mark>,
    /// Urgent data are read with the rest.
    is_inline: bool,
    /// Whom SIGURG goes to.
    owner: crate::fs::sigio::Settings,
    /// The writer is done (FIN).
    finished: bool,
    /// The connection was reset (RST): what the reader gets once.
    reset: Option<Errno>,
    /// The reader is gone; what is written goes nowhere.
    unread: bool,
    /// The reader waits for nothing any more (SHUT_RD).
    stopped: bool,
}

/// A stream in one direction.
pub struct Stream {
    queue: SpinLock<Queue>,
    readers: WaitQueue,
    writers: WaitQueue,
    /// The connection with another machine that it is a direction of.
    outside: Weak<Connection>,
    /// What shows it to packet sockets, where both ends are in this machine.
    shown: Option<End>,
}

impl Stream {
    /// An empty one between two sockets of this machine.
    pub fn within(end: End) -> Self {
        Self { shown: Some(end), ..Self::outside(Weak::new()) }
    }

    /// An empty one whose other end is another machine's.
    pub fn outside(connection: Weak<Connection>) -> Self {
        Self { queue: SpinLock::new(Queue::default()), readers: WaitQueue::new(), writers: WaitQueue::new(), outside: connection, shown: None }
    }

    /// The network stack must hear of a change, where it is at the other end.
    fn tell_stack(&self) {
        if let Some(connection) = self.outside.upgrade() {
            connection.touch();
        }
    }

    /// Nothing more will be written.
    pub fn finish(&self) {
        self.queue.lock().finished = true;
        if let Some(shown) = &self.shown {
            shown.finish();
        }
        self.wake();
    }

    /// The connection that it is a direction of is made.
    pub fn show_established(&self) {
        if let Some(shown) = &self.shown {
            shown.establish();
        }
    }

    /// Nothing more will be read; whether something was left unread.
    pub fn abandon(&self) -> bool {
        let (chunks, left) = {
            let mut queue = self.queue.lock();
            queue.unread = true;
            let left = queue.bytes > 0;
            queue.bytes = 0;
            queue.start = 0;
            (core::mem::take(&mut queue.chunks), left)
        };
        drop(chunks);
        self.wake();
        left
    }

    /// The reader waits for nothing any more; what comes it can still read.
    pub fn stop_waiting(&self) {
        self.queue.lock().stopped = true;
        self.wake();
    }

    /// The connection breaks; the reader gets the error once, after nothing: what was on its way is lost.
    pub fn reset(&self, error: Errno) {
        if let Some(shown) = &self.shown {
            shown.reset();
        }
        let chunks = {
            let mut queue = self.queue.lock();
            queue.reset = Some(error);
            queue.finished = true;
            queue.bytes = 0;
            queue.start = 0;
            core::mem::take(&mut queue.chunks)
        };
        drop(chunks);
        self.wake();
    }

    /// Takes the error of a reset, which is told once.
    pub fn take_error(&self) -> Option<Errno> {
        self.queue.lock().reset.take()
    }

    fn wake(&self) {
        self.readers.wake_all();
        self.writers.wake_all();
        self.tell_stack();
    }

    /// Adds bytes that another machine has sent. They go nowhere once the reader is gone.
    pub fn push(&self, bytes: Vec<u8>) {
        let refused = {
            let mut queue = self.queue.lock();
            if queue.unread || queue.finished || bytes.is_empty() {
                Some(bytes)
            } else {
                queue.bytes += bytes.len();
                queue.chunks.push_back(bytes);
                None
            }
        };
        if let Some(refused) = refused {
            if let Some(connection) = self.outside.upgrade() {
                connection.consumed(refused.len());
            }
            return;
        }
        self.readers.wake_events_sync(Events::IN | Events::RDNORM);
    }

    /// Takes bytes out for another machine: a chunk, and where in it they begin; at most `most` from there to its end.
    pub fn take_up_to(&self, most: usize) -> Option<(Vec<u8>, usize)> {
        let taken = {
            let mut queue = self.queue.lock();
            let left = queue.chunks.front()?.len() - queue.start;
            if most == 0 || left == 0 {
                return None;
            }
            if left > most {
                let start = queue.start;
                let piece = queue.chunks.front()?[start..start + most].to_vec();
                queue.start += most;
                queue.bytes -= most;
                queue.position += most as u64;
                (piece, 0)
            } else {
                let chunk = queue.chunks.pop_front()?;
                queue.bytes -= left;
                queue.position += left as u64;
                (chunk, core::mem::take(&mut queue.start))
            }
        };
        self.writers.wake_events(Events::OUT | Events::WRNORM);
        Some(taken)
    }

    /// Bytes that can be read now, up to urgent data.
    pub fn available(&self) -> usize {
        let queue = self.queue.lock();
        if queue.is_inline { queue.bytes } else { queue.before_mark().unwrap_or(queue.bytes) }
    }

    /// Whether the writer is done.
    pub fn is_finished(&self) -> bool {
        self.queue.lock().finished
    }

    /// Whether the reader is gone.
    pub fn is_abandoned(&self) -> bool {
        self.queue.lock().unread
    }

    /// Adds what `src` holds; blocks while more than `capacity` bytes wait. `EPIPE` once the reader is gone.
    ///
    /// # Errors
    /// `EAGAIN`, `EPIPE`, `EFAULT`, `ERESTARTSYS`; where some bytes were taken their number instead.
    pub fn send(&self, src: &mut IoSource<'_>, capacity: usize, nonblocking: bool, deadline: Option<u64>) -> Result<usize> {
        let mut done = 0;
        while src.remaining() > 0 {
            let room = || {
                let queue = self.queue.lock();
                if queue.unread || queue.finished {
                    return Some(Err(EPIPE));
                }
                // Once it is full, room for a worthwhile part of it is waited for.
                (queue.bytes < capacity).then(|| Ok(capacity - queue.bytes))
            };
            let room = match room() {
                Some(room) => room,
                None if nonblocking => Err(EAGAIN),
                None => match self.writers.wait_deadline(deadline, room) {
                    Ok(room) => room,
                    Err(ETIMEDOUT) => Err(EAGAIN),
                    Err(error) => Err(error),
                },
            };
            let piece = room.and_then(|room| {
                let mut piece = alloc::vec![0; src.remaining().min(room).min(CHUNK)];
                src.read(&mut piece).map(|_| piece)
            });
            let piece = match piece {
                Ok(piece) => piece,
                Err(_) if done > 0 => break,
                Err(error) => return Err(error),
            };
            let len = piece.len();
            if let Some(shown) = &self.shown {
                shown.send(&piece);
            }
            {
                let mut queue = self.queue.lock();
                if queue.unread || queue.finished {
                    drop(queue);
                    return if done > 0 { Ok(done) } else { Err(EPIPE) };
                }
                queue.bytes += len;
                queue.chunks.push_back(piece);
            }
            done += len;
            network::here().count(len);
            self.readers.wake_events_sync(Events::IN | Events::RDNORM);
            self.tell_stack();
        }
        Ok(done)
    }

    /// Takes bytes out, or with `peek` looks at them; with `wait_all` as many as asked for. 0 is the end.
    ///
    /// # Errors
    /// `EAGAIN`, the reset's error, `EFAULT`, `ERESTARTSYS`; where some bytes were read their number instead.
    pub fn receive(&self, dst: &mut IoSink<'_>, peek: bool, wait_all: bool, nonblocking: bool, deadline: Option<u64>) -> Result<usize> {
        let mut done = 0;
        // Who asks for nothing waits for something all the same.
        let asks_for_nothing = dst.remaining() == 0;
        while dst.remaining() > 0 || asks_for_nothing {
            let ready = || {
                let mut queue = self.queue.lock();
                if done > 0 && queue.before_mark() == Some(0) {
                    return Some(Ok(false));
                }
                if queue.is_at_hidden() && !peek {
                    queue.skip_one();
                }
                if queue.readable() > 0 {
                    return Some(Ok(true));
                }
                if let (0, Some(error)) = (done, queue.reset) {
                    queue.reset = None;
                    return Some(Err(error));
                }
                (queue.finished || queue.unread || queue.stopped).then_some(Ok(false))
            };
            let waited = match ready() {
                Some(state) => state,
                None if nonblocking || (done > 0 && !wait_all) => Err(EAGAIN),
                None => match self.readers.wait_deadline(deadline, ready) {
                    Ok(state) => state,
                    Err(ETIMEDOUT) => Err(EAGAIN),
                    Err(error) => Err(error),
                },
            };
            match waited {
                Ok(true) => {}
                Ok(false) => break,
                Err(_) if done > 0 => break,
                Err(error) => return Err(error),
            }
            if peek || asks_for_nothing {
                return self.peek(dst);
            }
            let Some((chunk, start, end)) = self.take() else { continue };
            let copied = dst.write(&chunk[start..end]);
            self.give_back(chunk, start + *copied.as_ref().unwrap_or(&0));
            self.writers.wake_events(Events::OUT | Events::WRNORM);
            if let (Ok(copied), Some(connection)) = (&copied, self.outside.upgrade()) {
                connection.consumed(*copied);
            }
            match copied {
                Ok(copied) => done += copied,
                Err(_) if done > 0 => break,
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    /// Takes the first chunk out, with how much of it has been read before, and how far it can be read. It may have to be put back: see [`Stream::give_back`].
    fn take(&self) -> Option<(Vec<u8>, usize, usize)> {
        let mut queue = self.queue.lock();
        let readable = queue.readable();
        let chunk = queue.chunks.pop_front()?;
        let start = core::mem::take(&mut queue.start);
        queue.bytes -= chunk.len() - start;
        queue.position += (chunk.len() - start) as u64;
        let end = chunk.len().min(start + readable);
        Some((chunk, start, end))
    }

    /// Puts back what was not read of a chunk, from `start` on.
    fn give_back(&self, chunk: Vec<u8>, start: usize) {
        let mut queue = self.queue.lock();
        if start < chunk.len() && !queue.unread && queue.reset.is_none() {
            queue.bytes += chunk.len() - start;
            queue.position -= (chunk.len() - start) as u64;
            queue.start = start;
            queue.chunks.push_front(chunk);
        }
        queue.forget_passed();
    }

    fn peek(&self, dst: &mut IoSink<'_>) -> Result<usize> {
        let bytes = self.readable_bytes(dst.remaining());
        dst.write(&bytes)
    }

    /// The reader's state; registers for its news.
    pub fn poll_read(&self, table: &mut PollTable<'_>) -> Events {
        table.register(&self.readers);
        let queue = self.queue.lock();
        let mut events = Events::empty();
        let ended = queue.finished || queue.unread || queue.stopped;
        if ended || queue.bytes > usize::from(queue.is_at_hidden()) {
            events |= Events::IN | Events::RDNORM;
        }
        events |= Self::urgent_state(&queue);
        if ended {
            events |= Events::RDHUP;
        }
        if queue.reset.is_some() {
            events |= Events::ERR;
        }
        events
    }

    /// The writer's state; registers for its news.
    pub fn poll_write(&self, table: &mut PollTable<'_>, capacity: usize) -> Events {
        table.register(&self.writers);
        let queue = self.queue.lock();
        // As Linux's sk_stream_is_writeable: a third of the room.
        let writable = queue.unread || queue.finished || queue.bytes * 3 < capacity * 2;
        if writable { Events::OUT | Events::WRNORM } else { Events::empty() }
    }
}
