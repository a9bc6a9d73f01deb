//! Traffic with other machines, which the network stack (`netd`) carries.
//!
//! The stack opens `/scheme/netstack/socket` ([`device`]). A connection with another machine has the two [`Stream`](super::stream::Stream)s of every
//! connection; what another socket is at the other end of those within this machine, the stack is at the end of a [`connection::Connection`]. So
//! whatever a program sees of a socket is decided in one place, whoever the peer is.
//!
//! Messages (crate `net-abi`) go both ways without waiting: the stack reads what is queued here. If it dies, its connections end with
//! `ECONNRESET`; listeners, groups and attempts to connect stay, and are told to the next one.

mod configuration;
mod connection;
mod datagrams;
mod device;

use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::SocketAddr;

use net_abi::ToStack;

pub use configuration::{change, configuration, is_own, source_for};
pub use connection::Connection;
pub use datagrams::{deliver as deliver_datagram, push as push_datagram, send as send_datagram, send_packet};

use super::ports::Claim;
use super::{Kind, Socket, options};
use crate::fs::Events;
use crate::ipc::network;
use crate::sync::{Once, SpinLock, WaitQueue};

/// Bytes of messages to the stack that may wait before datagrams are dropped.
const MOST_WAITING: usize = 1 << 20;

/// What waits for the stack.
#[derive(Default)]
struct Stack {
    is_there: bool,
    /// Its process.
    pid: u32,
    /// Since when something has been waiting that it has not read, ns.
    unread_since: u64,
    /// Messages.
    messages: VecDeque<Vec<u8>>,
    /// Bytes of them.
    bytes: usize,
    /// Connections that have something to tell.
    busy: VecDeque<Arc<Connection>>,
    connections: BTreeMap<u64, Arc<Connection>>,
    listeners: BTreeMap<u64, (SocketAddr, bool)>,
}

static STACK: SpinLock<Stack> = SpinLock::new(Stack {
    is_there: false,
    pid: 0,
    unread_since: 0,
    messages: VecDeque::new(),
    bytes: 0,
    busy: VecDeque::new(),
    connections: BTreeMap::new(),
    listeners: BTreeMap::new(),
});

/// Sends a frame as it is. It may get lost.
pub fn send_frame(id: u64, frame: &[u8]) {
    post(id, &ToStack::Frame(frame));
}

/// Tells the stack what is about no socket.
pub fn tell(message: &ToStack<'_>) {
    post(0, message);
}

impl Stack {
    /// Something comes for it to read.
    fn note_time(&mut self) {
        if self.messages.is_empty() && self.busy.is_empty() {
            self.unread_since = frame::time::now_ns();
        }
    }
}

/// The stack's process, and for how many milliseconds something has been waiting that it has not read. `None` where there is no stack.
pub fn health(now_ns: u64) -> Option<(u32, u64)> {
    let stack = STACK.lock();
    let is_waiting = !stack.messages.is_empty() || !stack.busy.is_empty();
    let unread_ms = if is_waiting { now_ns.saturating_sub(crate::time::stops::running_since(stack.unread_since)) / 1_000_000 } else { 0 };
    stack.is_there.then_some((stack.pid, unread_ms))
}

/// Where the stack waits.
fn news() -> &'static WaitQueue {
    static NEWS: Once<WaitQueue> = Once::new();
    NEWS.get_or_init(WaitQueue::new)
}

/// Makes the scheme. Once, at boot.
pub fn init() {
    crate::scheme::add_kernel_scheme("netstack", device::root());
}

/// Tells the stack something, if there is one. False where it is not there, or has too much to read for something that may get lost.
fn post(id: u64, message: &ToStack<'_>) -> bool {
    let may_get_lost = matches!(message, ToStack::Datagram { .. } | ToStack::Unreachable { .. } | ToStack::Frame(_));
    let mut bytes = Vec::new();
    message.encode(id, &mut bytes);
    let posted = {
        let mut stack = STACK.lock();
        let fits = stack.is_there && !(may_get_lost && stack.bytes > MOST_WAITING);
        if fits {
            stack.note_time();
            stack.bytes += bytes.len();
            stack.messages.push_back(core::mem::take(&mut bytes));
        }
        fits
    };
    if posted {
        news().wake_events_sync(Events::IN | Events::RDNORM);
    }
    posted
}

/// Has a connection tell the stack what there is to tell.
fn enqueue(connection: Arc<Connection>) {
    {
        let mut stack = STACK.lock();
        stack.note_time();
        stack.busy.push_back(connection);
    }
    news().wake_events_sync(Events::IN | Events::RDNORM);
}

/// Begins to connect a socket.
pub fn connect(socket: &Arc<Socket>, local: SocketAddr, remote: SocketAddr) -> Arc<Connection> {
    let connection = Connection::new(socket.id, Arc::downgrade(socket), (local, remote));
    let old = STACK.lock().connections.insert(socket.id, connection.clone());
    drop(old);
    post(socket.id, &ToStack::Connect { local, remote, options: socket.tcp_options() });
    connection
}

/// Whether a socket bound so can be reached from other machines.
fn is_open_to_others(claim: &Claim) -> bool {
    claim.ip.is_unspecified() || is_own(claim.ip) && !claim.ip.is_loopback()
}

/// A socket listens now.
pub fn listen(socket: &Socket, port: u16, claim: &Claim) {
    if !is_open_to_others(claim) {
        return;
    }
    let local = SocketAddr::new(claim.ip, port);
    STACK.lock().listeners.insert(socket.id, (local, claim.only_v6));
    post(socket.id, &ToStack::Listen { local, only_v6: claim.only_v6 });
}

/// A socket listens no more.
pub fn stop_listening(id: u64) {
    if STACK.lock().listeners.remove(&id).is_some() {
        post(id, &ToStack::Unlisten);
    }
}

/// A socket that may have sent datagrams is gone.
pub fn forget(id: u64) {
    post(id, &ToStack::Forget);
}

/// The stack has come: it hears of what is there.
fn attach() {
    let (listeners, connections): (Vec<_>, Vec<_>) = {
        let mut stack = STACK.lock();
        stack.is_there = true;
        stack.pid = crate::task::with_current(|t| t.process.pid);
        (stack.listeners.iter().map(|(id, it)| (*id, *it)).collect(), stack.connections.values().cloned().collect())
    };
    for (id, (local, only_v6)) in listeners {
        post(id, &ToStack::Listen { local, only_v6 });
    }
    for ip in super::groups::joined() {
        post(0, &ToStack::Group { join: true, ip });
    }
    for connection in connections {
        connection.ask_again();
    }
    crate::ipc::packet::tell_stack();
}

/// The stack has gone.
fn detach() {
    let (messages, busy, connections) = {
        let mut stack = STACK.lock();
        stack.is_there = false;
        stack.bytes = 0;
        let connecting = |it: &Arc<Connection>| it.is_connecting();
        let all = core::mem::take(&mut stack.connections);
        let (kept, lost): (BTreeMap<_, _>, BTreeMap<_, _>) = all.into_iter().partition(|(_, it)| connecting(it));
        stack.connections = kept;
        (core::mem::take(&mut stack.messages), core::mem::take(&mut stack.busy), lost)
    };
    drop(messages);
    for connection in busy {
        connection.leave_queue();
    }
    for connection in connections.into_values() {
        connection.fail(crate::error::ECONNRESET);
    }
    configuration::stack_gone();
}

/// Takes a connection out; the caller lets go of it.
fn remove(id: u64) -> Option<Arc<Connection>> {
    STACK.lock().connections.remove(&id)
}

fn find(id: u64) -> Option<Arc<Connection>> {
    STACK.lock().connections.get(&id).cloned()
}

/// Another machine has connected to a port: the listener there gets the connection.
fn accept(id: u64, local: SocketAddr, remote: SocketAddr) {
    let connection = Connection::new(id, alloc::sync::Weak::new(), (local, remote));
    connection.set_established();
    // It is known before a program can have it.
    let old = STACK.lock().connections.insert(id, connection.clone());
    drop(old);
    let taken = super::ports::find(network::FIRST, Kind::Stream, remote, local).and_then(|listener| listener.admit(&connection, remote, local));
    match taken {
        Some(socket) => {
            let options = socket.tcp_options();
            if options != super::Socket::default_tcp_options() {
                post(id, &ToStack::Options(options));
            }
        }
        None => {
            let gone = remove(id);
            drop(gone);
            post(id, &ToStack::Abort);
        }
    }
}

impl Socket {
    /// What the protocol must know of a connection's options.
    pub(super) fn tcp_options(&self) -> net_abi::TcpOptions {
        let word = |option| self.word(option).unwrap_or(0).max(0) as u32;
        let keeps_alive = word(options::KEEP_ALIVE) != 0;
        net_abi::TcpOptions {
            no_delay: word(options::NO_DELAY) != 0,
            keep_alive_s: if keeps_alive { word(options::KEEP_IDLE) } else { 0 },
            user_timeout_ms: word(options::USER_TIMEOUT),
            hop_limit: self.hop_limit(),
        }
    }

    pub(super) fn default_tcp_options() -> net_abi::TcpOptions {
        net_abi::TcpOptions { hop_limit: 64, ..net_abi::TcpOptions::default() }
    }

    /// The hop limit of its packets to one machine.
    pub(super) fn hop_limit(&self) -> u8 {
        let option = if self.family == super::Family::V4 { options::TTL } else { options::UNICAST_HOPS };
        self.word(option).unwrap_or(64).clamp(1, 255) as u8
    }
}

/// Options of a socket have changed.
pub fn options_changed(connection: &Connection, socket: &Socket) {
    post(connection.id, &ToStack::Options(socket.tcp_options()));
}
