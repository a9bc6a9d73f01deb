//! Datagrams that a socket has received and not read yet.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use crate::error::*;
use crate::fs::{Events, IoSink};
use crate::sync::{PollTable, SpinLock, WaitQueue};

/// What a waiting datagram of so many bytes costs: about as much as on Linux, whose buffers have heads and are powers of two as long as they are small, since
/// programs find out how many fit.
fn cost(len: usize) -> usize {
    const HEAD: usize = 256;
    const AROUND: usize = 400;
    const LARGE: usize = 16 << 10;
    HEAD + if len < LARGE { (len + AROUND).next_power_of_two() } else { len + AROUND }
}

/// A datagram.
pub struct Datagram {
    /// Its sender.
    pub from: SocketAddr,
    /// Where it was sent.
    pub to: SocketAddr,
    /// Its bytes.
    pub data: Vec<u8>,
    /// The hop limit that it came with.
    pub hop_limit: u8,
    /// Its type of service or traffic class.
    pub tos: u8,
    /// When it came, ns since 1970.
    pub at_ns: i64,
    /// How many were dropped before it.
    pub dropped: u32,
}

/// What a sender says of one datagram only, by control messages (`ip(7)`, `ipv6(7)`).
#[derive(Clone, Copy, Debug, Default)]
pub struct Extras {
    /// `IP_TTL`, `IPV6_HOPLIMIT`.
    pub hop_limit: Option<u8>,
    /// `IP_TOS`, `IPV6_TCLASS`.
    pub tos: Option<u8>,
    /// `IP_PKTINFO`, `IPV6_PKTINFO`: the address that it comes from.
    pub source: Option<IpAddr>,
    /// `UDP_SEGMENT`: the data are datagrams of this many bytes; 0: one.
    pub segment: Option<u16>,
}

/// What a receiver learns of a datagram.
pub struct Received {
    /// Bytes copied.
    pub copied: usize,
    /// Bytes it had.
    pub whole: usize,
    /// Its sender.
    pub from: SocketAddr,
    /// Where it was sent.
    pub to: SocketAddr,
    /// The hop limit that it came with.
    pub hop_limit: u8,
    /// Its type of service or traffic class.
    pub tos: u8,
    /// When it came, ns since 1970.
    pub at_ns: i64,
    /// How many were dropped before it.
    pub dropped: u32,
}

#[derive(Default)]
struct Queue {
    /// Datagrams that were dropped.
    dropped: u32,
    waiting: VecDeque<Datagram>,
    cost: usize,
    shut: bool,
}

/// Received datagrams.
pub struct Datagrams {
    queue: SpinLock<Queue>,
    readers: WaitQueue,
}

impl Datagrams {
    /// None.
    pub fn new() -> Self {
        Self { queue: SpinLock::new(Queue::default()), readers: WaitQueue::new() }
    }

    /// Takes one in; it is dropped, as UDP may, where more than `capacity` bytes wait.
    pub fn push(&self, datagram: Datagram, capacity: usize) {
        let cost = cost(datagram.data.len());
        {
            let mut queue = self.queue.lock();
            // As Linux: the last one may go beyond.
            if queue.shut || queue.cost > capacity {
                queue.dropped = queue.dropped.wrapping_add(1);
                drop(queue);
                return;
            }
            queue.cost += cost;
            let dropped = queue.dropped;
            queue.waiting.push_back(Datagram { dropped, ..datagram });
        }
        self.readers.wake_events_sync(Events::IN | Events::RDNORM);
    }

    /// Reads end.
    pub fn shut(&self) {
        self.queue.lock().shut = true;
        self.readers.wake_all();
    }

    /// Somebody should look again: an error is pending.
    pub fn wake(&self) {
        self.readers.wake_all();
    }

    /// Bytes of the first.
    pub fn available(&self) -> usize {
        self.queue.lock().waiting.front().map_or(0, |first| first.data.len())
    }

    /// Takes the first out, or with `peek` copies it. `None` where reads have ended. `error` is asked while waiting.
    ///
    /// # Errors
    /// `EAGAIN`, what `error` gives, `EFAULT`, `ERESTARTSYS`.
    pub fn receive(
        &self,
        dst: &mut IoSink<'_>,
        peek: bool,
        nonblocking: bool,
        deadline: Option<u64>,
        error: impl Fn() -> Option<Errno>,
    ) -> Result<Option<Received>> {
        let ready = || {
            if let Some(error) = error() {
                return Some(Err(error));
            }
            let mut queue = self.queue.lock();
            if peek {
                if let Some(first) = queue.waiting.front() {
                    return Some(Ok(Some(Datagram { data: first.data.clone(), ..*first })));
                }
            } else if let Some(first) = queue.waiting.pop_front() {
                queue.cost -= cost(first.data.len());
                return Some(Ok(Some(first)));
            }
            queue.shut.then_some(Ok(None))
        };
        let first = match ready() {
            Some(first) => first?,
            None if nonblocking => return Err(EAGAIN),
            None => match self.readers.wait_deadline(deadline, ready) {
                Ok(first) => first?,
                Err(ETIMEDOUT) => return Err(EAGAIN),
                Err(error) => return Err(error),
            },
        };
        let Some(Datagram { from, to, data, hop_limit, tos, at_ns, dropped }) = first else { return Ok(None) };
        let copied = if dst.remaining() == 0 { 0 } else { dst.write(&data)? };
        Ok(Some(Received { copied, whole: data.len(), from, to, hop_limit, tos, at_ns, dropped }))
    }

    /// The reader's state; registers for its news.
    pub fn poll(&self, table: &mut PollTable<'_>) -> Events {
        table.register(&self.readers);
        let queue = self.queue.lock();
        let mut events = Events::empty();
        if !queue.waiting.is_empty() || queue.shut {
            events |= Events::IN | Events::RDNORM;
        }
        if queue.shut {
            events |= Events::RDHUP;
        }
        events
    }
}
