//! A connection with another machine: this machine's end is a socket, the other one's is reached through the stack.

use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::net::SocketAddr;

use net_abi::{HEADER_BYTES, ROOM, ToStack};

use super::super::stream::Stream;
use super::super::{Link, Socket};
use crate::error::*;
use crate::fs::IoSink;
use crate::sync::SpinLock;

/// So many bytes read are worth telling the stack.
const CONSUMED_ENOUGH: usize = ROOM as usize / 4;
/// Least room for bytes worth a message.
const LEAST: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Connecting,
    Established,
    /// Forgotten by the stack, or about to be.
    Over,
}

struct Progress {
    phase: Phase,
    /// Bytes that the stack has room for.
    room: usize,
    /// Bytes that the stack may still send.
    granted: usize,
    /// Bytes that the program has read and the stack does not know of.
    consumed: usize,
    is_queued: bool,
    has_told_finish: bool,
}

/// A connection.
pub struct Connection {
    this: Weak<Connection>,
    /// Its number in messages.
    pub id: u64,
    socket: SpinLock<Weak<Socket>>,
    addresses: (SocketAddr, SocketAddr),
    /// What the program reads.
    pub incoming: Arc<Stream>,
    /// What the program writes.
    pub outgoing: Arc<Stream>,
    progress: SpinLock<Progress>,
}

impl Connection {
    /// One that is not established yet. `addresses`: this machine's and the other's.
    pub fn new(id: u64, socket: Weak<Socket>, addresses: (SocketAddr, SocketAddr)) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            this: this.clone(),
            id,
            socket: SpinLock::new(socket),
            addresses,
            incoming: Arc::new(Stream::outside(this.clone())),
            outgoing: Arc::new(Stream::outside(this.clone())),
            progress: SpinLock::new(Progress {
                phase: Phase::Connecting,
                room: ROOM as usize,
                granted: ROOM as usize,
                consumed: 0,
                is_queued: false,
                has_told_finish: false,
            }),
        })
    }

    /// Whether it is not established yet.
    pub fn is_connecting(&self) -> bool {
        self.progress.lock().phase == Phase::Connecting
    }

    /// It is established.
    pub fn set_established(&self) {
        self.progress.lock().phase = Phase::Established;
    }

    /// The socket of one that was accepted.
    pub fn set_socket(&self, socket: &Arc<Socket>) {
        *self.socket.lock() = Arc::downgrade(socket);
    }

    fn socket(&self) -> Option<Arc<Socket>> {
        let socket = self.socket.lock().clone();
        socket.upgrade()
    }

    /// There is something to tell the stack.
    pub fn touch(&self) {
        {
            let mut progress = self.progress.lock();
            if progress.is_queued || progress.phase != Phase::Established {
                return;
            }
            progress.is_queued = true;
        }
        if let Some(this) = self.this.upgrade() {
            super::enqueue(this);
        }
    }

    /// The program has read bytes.
    pub fn consumed(&self, bytes: usize) {
        let enough = {
            let mut progress = self.progress.lock();
            progress.consumed += bytes;
            progress.consumed >= CONSUMED_ENOUGH
        };
        if enough {
            self.touch();
        }
    }

    /// The program is done with it.
    pub fn leave(&self) {
        let was_connecting = {
            let mut progress = self.progress.lock();
            let was = progress.phase == Phase::Connecting;
            if was {
                progress.phase = Phase::Over;
            }
            was
        };
        if was_connecting {
            let gone = super::remove(self.id);
            super::post(self.id, &ToStack::Abort);
            drop(gone);
        } else {
            self.touch();
        }
    }

    /// The stack is another one: asks it to connect, where that was not done.
    pub fn ask_again(&self) {
        if let Some(socket) = self.socket().filter(|_| self.is_connecting()) {
            let (local, remote) = self.addresses;
            super::post(self.id, &ToStack::Connect { local, remote, options: socket.tcp_options() });
        }
    }

    /// It is in the queue of those with something to tell no more.
    pub fn leave_queue(&self) {
        self.progress.lock().is_queued = false;
    }

    /// It is established: who waits for that hears of it.
    pub fn connected(&self) {
        self.set_established();
        match self.socket() {
            Some(socket) => socket.join(&self.incoming, &self.outgoing),
            // Closed meanwhile.
            None => self.touch(),
        }
    }

    /// It has failed. The stack knows it no more.
    pub fn fail(&self, error: Errno) {
        let was = core::mem::replace(&mut self.progress.lock().phase, Phase::Over);
        match was {
            Phase::Connecting => {
                if let Some(socket) = self.socket() {
                    socket.refuse(error);
                }
            }
            Phase::Established => {
                self.incoming.reset(error);
                self.outgoing.abandon();
                self.outgoing.finish();
            }
            Phase::Over => {}
        }
    }

    /// Bytes from the other machine. More than were granted are an error of the stack's.
    pub fn deliver(&self, bytes: Vec<u8>) -> Result {
        {
            let mut progress = self.progress.lock();
            progress.granted = progress.granted.checked_sub(bytes.len()).ok_or(EINVAL)?;
        }
        self.incoming.push(bytes);
        Ok(())
    }

    /// There is room for so many more bytes.
    pub fn add_room(&self, bytes: usize) {
        {
            let mut progress = self.progress.lock();
            progress.room = progress.room.saturating_add(bytes).min(4 * ROOM as usize);
        }
        if self.outgoing.available() > 0 || self.outgoing.is_finished() {
            self.touch();
        }
    }

    /// Writes what there is to tell. False where there was not enough room for all of it: it is in the queue again.
    pub fn tell(&self, dst: &mut IoSink<'_>) -> Result<bool> {
        let mut small = Vec::new();
        let consumed = {
            let mut progress = self.progress.lock();
            progress.is_queued = false;
            let consumed = core::mem::take(&mut progress.consumed);
            progress.granted += consumed;
            consumed
        };
        if consumed > 0 {
            ToStack::Consumed(consumed as u32).encode(self.id, &mut small);
            dst.write(&small)?;
            small.clear();
        }
        loop {
            let most = self.progress.lock().room.min(dst.remaining().saturating_sub(HEADER_BYTES));
            if dst.remaining() < HEADER_BYTES + LEAST {
                return Ok(false);
            }
            let Some((chunk, start)) = self.outgoing.take_up_to(most) else { break };
            let bytes = &chunk[start..];
            let header = net_abi::Header { len: (HEADER_BYTES + bytes.len()) as u32, kind: ToStack::DATA, id: self.id };
            dst.write(&header.encode())?;
            dst.write(bytes)?;
            let mut progress = self.progress.lock();
            progress.room = progress.room.saturating_sub(bytes.len());
        }
        let is_drained = self.outgoing.available() == 0;
        if self.outgoing.take_error().is_some() {
            ToStack::Abort.encode(self.id, &mut small);
            self.end();
        } else if self.outgoing.is_finished() && is_drained {
            let told = core::mem::replace(&mut self.progress.lock().has_told_finish, true);
            if !told {
                ToStack::Finish.encode(self.id, &mut small);
            }
            if self.incoming.is_abandoned() {
                ToStack::Close.encode(self.id, &mut small);
                self.end();
            }
        }
        dst.write(&small)?;
        Ok(true)
    }

    fn end(&self) {
        self.progress.lock().phase = Phase::Over;
        let gone = super::remove(self.id);
        drop(gone);
    }
}

impl Socket {
    /// A connection that this socket asked for is established.
    fn join(&self, incoming: &Arc<Stream>, outgoing: &Arc<Stream>) {
        {
            let mut state = self.state.lock();
            if matches!(state.link, Link::Connecting) {
                state.link = Link::Connected { incoming: incoming.clone(), outgoing: outgoing.clone() };
            }
        }
        self.event.wake_all();
    }
}
