//! Sockets of the family AF_UNIX (`unix(7)`): stream, datagram and sequenced-packet.
//!
//! Each socket has an [`Inbox`]; a connected socket holds its peer's. Closing marks both inboxes, so that no socket keeps another alive.

mod inbox;
mod names;
mod urgent;

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::any::Any;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

pub use inbox::{Ancillary, Inbox, Peer};
pub use names::Address;

use crate::error::*;
use crate::ipc::network::{self, NetNamespace};
use crate::fs::{Attr, Events, FileOps, IoSink, IoSource, OpenFile};
use crate::sync::{PollTable, SpinLock, WaitQueue};
use crate::task::{self, signal};

/// The socket's type (`socket(2)`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `SOCK_STREAM`
    Stream,
    /// `SOCK_DGRAM`
    Datagram,
    /// `SOCK_SEQPACKET`
    SeqPacket,
}

/// Connections that wait to be accepted, at most (`/proc/sys/net/core/somaxconn`).
const MAX_BACKLOG: usize = 4096;

struct Listener {
    waiting: VecDeque<Arc<Socket>>,
    backlog: usize,
}

#[derive(Default)]
struct State {
    name: Option<Address>,
    listener: Option<Listener>,
    /// The inbox we write to.
    peer: Option<Arc<Inbox>>,
    /// A name in the filesystem or the abstract namespace is held.
    bound: Option<names::Binding>,
}

/// A socket.
pub struct Socket {
    this: Weak<Socket>,
    /// Its type.
    pub kind: Kind,
    id: u64,
    /// In which it was made; that of the listener for those that come of one.
    pub net: Arc<NetNamespace>,
    inbox: Arc<Inbox>,
    state: SpinLock<State>,
    /// Woken when a connection comes to be accepted, or there is room for one.
    accept_event: WaitQueue,
    /// Time-outs of receiving and sending, ns (SO_RCVTIMEO, SO_SNDTIMEO); 0: none.
    pub receive_timeout_ns: AtomicU64,
    #[allow(missing_docs)]
    pub send_timeout_ns: AtomicU64,
    /// `SO_PASSCRED`.
    pub pass_credentials: AtomicBool,
    /// `SO_SNDBUF` as set, for getsockopt.
    pub send_buffer: AtomicU32,
}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// A number for a socket, of whatever family, as `/proc` shows it.
pub fn next_id() -> u64 {
    NEXT_ID.fetch_add(1, Ordering::Relaxed)
}

/// All sockets, for `/proc/net/unix`.
static ALL: SpinLock<BTreeMap<u64, Weak<Socket>>> = SpinLock::new(BTreeMap::new());

/// All sockets that there are now.
pub fn all() -> Vec<Arc<Socket>> {
    ALL.lock().values().filter_map(Weak::upgrade).collect()
}

impl Drop for Socket {
    fn drop(&mut self) {
        let gone = ALL.lock().remove(&self.id);
        drop(gone);
        let (peer, listener) = {
            let state = self.state.get_mut();
            (state.peer.take(), state.listener.take())
        };
        self.inbox.close_reader();
        if let Some(peer) = peer {
            if self.kind != Kind::Datagram {
                peer.close_writer();
            }
        }
        drop(listener);
        self.accept_event.wake_all();
    }
}

impl Socket {
    /// An unconnected socket.
    pub fn new(kind: Kind) -> Arc<Self> {
        Self::new_in(kind, network::here())
    }

    fn new_in(kind: Kind, net: Arc<NetNamespace>) -> Arc<Self> {
        let socket = Arc::new_cyclic(|this| Self {
            this: this.clone(),
            kind,
            id: next_id(),
            net,
            inbox: Inbox::new(kind),
            state: SpinLock::new(State::default()),
            accept_event: WaitQueue::new(),
            receive_timeout_ns: AtomicU64::new(0),
            send_timeout_ns: AtomicU64::new(0),
            pass_credentials: AtomicBool::new(false),
            send_buffer: AtomicU32::new(inbox::CAPACITY as u32),
        });
        ALL.lock().insert(socket.id, socket.this.clone());
        socket
    }

    /// Two sockets that are connected to each other (`socketpair(2)`).
    pub fn pair(kind: Kind) -> (Arc<Self>, Arc<Self>) {
        let (a, b) = (Self::new(kind), Self::new(kind));
        let me = Peer::current();
        a.join(&b, &me, &me);
        (a, b)
    }

    fn join(&self, other: &Socket, mine: &Peer, theirs: &Peer) {
        self.inbox.set_writer(theirs.clone());
        other.inbox.set_writer(mine.clone());
        self.state.lock().peer = Some(other.inbox.clone());
        other.state.lock().peer = Some(self.inbox.clone());
    }

    /// `bind(2)`.
    ///
    /// # Errors
    /// `EINVAL` where it has a name, `EADDRINUSE`, errors of making the file.
    pub fn bind(&self, address: Address) -> Result {
        if self.state.lock().name.is_some() {
            return Err(EINVAL);
        }
        let (binding, name) = names::bind(address, &self.net, &self.this)?;
        let mut state = self.state.lock();
        state.name = Some(name);
        state.bound = Some(binding);
        Ok(())
    }

    /// `listen(2)`.
    ///
    /// # Errors
    /// `EOPNOTSUPP` for datagrams, `EINVAL` without a name or when connected.
    pub fn listen(&self, backlog: i32) -> Result {
        if self.kind == Kind::Datagram {
            return Err(EOPNOTSUPP);
        }
        let mut state = self.state.lock();
        if state.name.is_none() || state.peer.is_some() {
            return Err(EINVAL);
        }
        // As unsigned, so that a negative one asks for the most, as the standard library of Rust does.
        let backlog = (backlog as u32 as usize + 1).min(MAX_BACKLOG);
        match &mut state.listener {
            Some(listener) => listener.backlog = backlog,
            None => state.listener = Some(Listener { waiting: VecDeque::new(), backlog }),
        }
        drop(state);
        self.inbox.set_owner(Peer::current());
        self.accept_event.wake_all();
        Ok(())
    }

    /// `connect(2)`.
    ///
    /// # Errors
    /// `ECONNREFUSED`, `EISCONN`, `EPROTOTYPE`, `EAGAIN` for a full backlog, errors of path lookup.
    pub fn connect(&self, address: &Address, nonblocking: bool) -> Result {
        let target = names::find(address, &self.net)?;
        if target.kind != self.kind {
            return Err(EPROTOTYPE);
        }
        if self.kind == Kind::Datagram {
            self.state.lock().peer = Some(target.inbox.clone());
            return Ok(());
        }
        {
            let state = self.state.lock();
            if state.peer.is_some() {
                return Err(EISCONN);
            }
            if state.listener.is_some() {
                return Err(EINVAL);
            }
        }
        let server = Self::new_in(self.kind, target.net.clone());
        let me = Peer { name: self.state.lock().name.clone(), ..Peer::current() };
        let offer = || -> Option<Result> {
            let mut state = target.state.lock();
            let name = state.name.clone();
            let Some(listener) = &mut state.listener else { return Some(Err(ECONNREFUSED)) };
            if listener.waiting.len() >= listener.backlog {
                return None;
            }
            let theirs = Peer { name: name.clone(), ..target.inbox.owner() };
            server.state.lock().name = name;
            self.join(&server, &me, &theirs);
            listener.waiting.push_back(server.clone());
            Some(Ok(()))
        };
        let outcome = match offer() {
            Some(outcome) => outcome,
            None if nonblocking => Err(EAGAIN),
            None => target.accept_event.wait_deadline(super::deadline(&self.send_timeout_ns), offer).and_then(|r| r),
        };
        outcome?;
        target.accept_event.wake_events(Events::IN | Events::RDNORM);
        Ok(())
    }

    /// `accept(2)`.
    ///
    /// # Errors
    /// `EINVAL` where it does not listen, `EAGAIN`, `ERESTARTSYS`.
    pub fn accept(&self, nonblocking: bool) -> Result<Arc<Socket>> {
        let take = || -> Option<Result<Arc<Socket>>> {
            let mut state = self.state.lock();
            let Some(listener) = &mut state.listener else { return Some(Err(EINVAL)) };
            listener.waiting.pop_front().map(Ok)
        };
        let socket = match take() {
            Some(found) => found?,
            None if nonblocking => return Err(EAGAIN),
            None => match self.accept_event.wait_deadline(super::deadline(&self.receive_timeout_ns), take) {
                Ok(found) => found?,
                Err(ETIMEDOUT) => return Err(EAGAIN),
                Err(error) => return Err(error),
            },
        };
        self.accept_event.wake_events(Events::OUT);
        Ok(socket)
    }

    /// Sends what `src` holds, to `to` or the peer. `quiet`: no SIGPIPE.
    ///
    /// # Errors
    /// `ENOTCONN`, `EPIPE`, `EAGAIN`, `EMSGSIZE`, `ERESTARTSYS`.
    pub fn send(&self, src: &mut IoSource<'_>, mut ancillary: Ancillary, to: Option<&Address>, nonblocking: bool, quiet: bool, urgent: bool) -> Result<usize> {
        if urgent && (self.kind != Kind::Stream || src.remaining() == 0) {
            return Err(EOPNOTSUPP);
        }
        let target = match to {
            Some(address) if self.kind == Kind::Datagram => {
                let socket = names::find(address, &self.net)?;
                if socket.kind != Kind::Datagram {
                    return Err(EPROTOTYPE);
                }
                socket.inbox.clone()
            }
            Some(_) if self.kind == Kind::Stream => {
                return Err(if self.state.lock().peer.is_some() { EISCONN } else { EOPNOTSUPP });
            }
            _ => {
                let peer = self.state.lock().peer.clone();
                peer.ok_or(ENOTCONN)?
            }
        };
        ancillary.from = self.state.lock().name.clone();
        if ancillary.credentials.is_none() {
            ancillary.credentials = Some(Peer::current().credentials());
        }
        let deadline = super::deadline(&self.send_timeout_ns);
        let result = if urgent { target.send_urgent(src, ancillary, nonblocking, deadline) } else { target.send(src, ancillary, nonblocking, deadline) };
        if result == Err(EPIPE) && self.kind != Kind::Datagram && !quiet {
            let thread = task::current();
            let _ = signal::send_thread(&thread, signal::SigInfo::user(signal::SIGPIPE, &thread.process));
        }
        if result == Err(EPIPE) && self.kind == Kind::Datagram {
            return Err(ECONNREFUSED);
        }
        result
    }

    /// Receives into `dst`. Returns the number of bytes, the whole length of a packet, and what came with it.
    ///
    /// # Errors
    /// `EAGAIN`, `ENOTCONN`, `EINVAL` on a listening socket, `ERESTARTSYS`.
    pub fn receive(&self, dst: &mut IoSink<'_>, nonblocking: bool, peek: bool, wait_all: bool) -> Result<(usize, usize, Ancillary)> {
        {
            let state = self.state.lock();
            if state.listener.is_some() || (self.kind != Kind::Datagram && state.peer.is_none()) {
                return Err(if self.kind == Kind::SeqPacket { ENOTCONN } else { EINVAL });
            }
        }
        self.inbox.receive(dst, nonblocking, peek, wait_all, super::deadline(&self.receive_timeout_ns))
    }

    /// `shutdown(2)`.
    ///
    /// # Errors
    /// `ENOTCONN`, `EINVAL`.
    pub fn shutdown(&self, how: i32) -> Result {
        if !(0..=2).contains(&how) {
            return Err(EINVAL);
        }
        // As Linux: where there is no connection nothing is shut, and that is no error.
        let Some(peer) = self.state.lock().peer.clone() else { return Ok(()) };
        if how != 1 {
            self.inbox.close_reader();
            self.inbox.close_writer();
        }
        if how != 0 {
            peer.close_writer();
            peer.refuse();
        }
        Ok(())
    }

    /// Its own name.
    pub fn name(&self) -> Option<Address> {
        self.state.lock().name.clone()
    }

    /// The peer's name and identity.
    ///
    /// # Errors
    /// `ENOTCONN`.
    pub fn peer(&self) -> Result<Peer> {
        if self.state.lock().peer.is_none() {
            return Err(ENOTCONN);
        }
        Ok(self.inbox.writer())
    }

    /// Its number, as `/proc` shows it.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Whether it has a peer.
    pub fn is_connected(&self) -> bool {
        self.state.lock().peer.is_some()
    }

    /// Whether it listens.
    pub fn is_listening(&self) -> bool {
        self.state.lock().listener.is_some()
    }

    /// Bytes that wait to be read.
    pub fn available(&self) -> usize {
        self.inbox.available()
    }
}

impl FileOps for Socket {
    fn read(&self, file: &OpenFile, _pos: u64, dst: &mut IoSink<'_>) -> Result<usize> {
        if dst.remaining() == 0 && self.kind == Kind::Stream {
            return Ok(0);
        }
        Ok(self.receive(dst, file.nonblocking(), false, false)?.0)
    }

    fn write(&self, file: &OpenFile, _pos: u64, src: &mut IoSource<'_>) -> Result<usize> {
        self.send(src, Ancillary::default(), None, file.nonblocking(), false, false)
    }

    fn poll(&self, _file: &OpenFile, table: &mut PollTable<'_>) -> Events {
        table.register(&self.accept_event);
        self.inbox.register_reader(table);
        let state = self.state.lock();
        if let Some(listener) = &state.listener {
            return if listener.waiting.is_empty() { Events::empty() } else { Events::IN | Events::RDNORM };
        }
        let peer = state.peer.clone();
        drop(state);
        let mut events = self.inbox.read_state();
        match peer {
            Some(peer) => {
                peer.register_writer(table);
                events |= peer.write_state();
            }
            None if self.kind == Kind::Datagram => events |= Events::OUT | Events::WRNORM,
            None => events |= Events::OUT | Events::WRNORM | Events::HUP,
        }
        events
    }

    fn ioctl(&self, _file: &OpenFile, cmd: u32, arg: usize) -> Result<usize> {
        const FIONREAD: u32 = 0x541b;
        const TIOCOUTQ: u32 = 0x5411;
        const SIOCATMARK: u32 = 0x8905;
        match cmd {
            SIOCATMARK if self.kind == Kind::Stream => crate::user::write(arg, &u32::from(self.is_at_mark()))?,
            FIONREAD => crate::user::write(arg, &(self.available() as u32))?,
            TIOCOUTQ => {
                let peer = self.state.lock().peer.clone();
                crate::user::write(arg, &(peer.map_or(0, |p| p.available()) as u32))?;
            }
            // Any socket tells of interfaces: the C library asks the first that it can make.
            _ => return crate::ipc::netdev::ioctl(&self.net, cmd, arg),
        }
        Ok(0)
    }

    fn set_signal_owner(&self, owner: crate::fs::sigio::Settings) {
        self.set_urgent_owner(owner);
    }

    fn attr(&self) -> Result<Attr> {
        Ok(Attr { dev: 8, ino: self.id, mode: 0o140777, nlink: 1, blksize: 4096, ..Attr::default() })
    }

    fn describe(&self) -> String {
        alloc::format!("socket:[{}]", self.id)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Socket {
    /// A counted reference to it.
    pub fn shared(&self) -> Option<Arc<Self>> {
        self.this.upgrade()
    }
}

/// Files that travel with a message.
pub type Files = Vec<Arc<OpenFile>>;
