//! Sockets of the families AF_INET and AF_INET6 (`ip(7)`, `tcp(7)`, `udp(7)`, `icmp(7)`, `raw(7)`).
//!
//! What goes to other machines is left to the network stack: see [`outside`]. Within this machine both ends of a connection over the loop-back device are here, so no protocol runs between them: a connection is two [`Stream`]s, a
//! datagram goes straight into its receiver's queue. What programs see is what TCP and UDP would show them: ports, backlogs, half-closed
//! connections, resets, refusals, dropped datagrams.

pub mod address;
mod connect;
mod datagram;
mod file;
mod groups;
mod icmp;
pub mod options;
pub mod outside;
pub mod ports;
pub mod raw;
mod shown;
mod stream;
mod transfer;

use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::sync::atomic::AtomicU64;

pub use datagram::Extras;
pub use transfer::Received;

use crate::error::*;
use crate::ipc::network::{self, NetNamespace};
use crate::sync::{SpinLock, WaitQueue};
use crate::task;
use datagram::Datagrams;
use ports::{Binding, Claim};
use stream::Stream;

/// A socket's address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `AF_INET`
    V4,
    /// `AF_INET6`
    V6,
}

/// A socket's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `SOCK_STREAM`: TCP
    Stream,
    /// `SOCK_DGRAM`: UDP
    Datagram,
    /// `SOCK_DGRAM`: ICMP's echo
    Ping,
    /// `SOCK_RAW`
    Raw,
}

/// How far a connection has come.
#[derive(Default)]
enum Link {
    /// Not connected; datagram sockets stay so.
    #[default]
    None,
    /// Waits for room in a listener's backlog.
    Connecting,
    /// Connected: what we read, and what we write.
    Connected {
        incoming: Arc<Stream>,
        outgoing: Arc<Stream>,
    },
    /// Refused, or broken and told.
    Failed,
}

struct Listener {
    /// Connections that wait for `accept`.
    waiting: VecDeque<Arc<Socket>>,
    /// Sockets that wait for room among them.
    knocking: VecDeque<Weak<Socket>>,
    backlog: usize,
}

#[derive(Default)]
struct State {
    local: Option<SocketAddr>,
    remote: Option<SocketAddr>,
    binding: Option<Binding>,
    claim: Option<Claim>,
    listener: Option<Listener>,
    link: Link,
    /// The success of a connection begun without blocking has not been told yet.
    untold: bool,
    /// What the next call, or SO_ERROR, tells.
    error: Option<Errno>,
    /// Options of one word that were set.
    words: BTreeMap<(i32, i32), i32>,
    /// SO_LINGER: on, seconds.
    linger: (i32, i32),
    shut_read: bool,
    shut_write: bool,
    /// The connection with another machine.
    outside: Option<Arc<outside::Connection>>,
    /// Multicast groups that it is in.
    groups: Vec<IpAddr>,
    /// Packets of its that were not delivered, for who asked for them (`IP_RECVERR`); and what was in them, where that is known.
    reports: VecDeque<(net_abi::Report, Vec<u8>)>,
    /// Types of ICMP that a raw socket does not want, a bit each.
    icmp_filter: [u32; 8],
    /// Most bytes of a segment of the connection; 0: there is none, or with another machine.
    segment: i32,
    /// SO_TXTIME: clock and flags. Packets go at once, as on Linux without a queueing discipline that looks at their times.
    send_time: Option<[u32; 2]>,
}

/// A socket.
pub struct Socket {
    this: Weak<Socket>,
    /// Its family.
    pub family: Family,
    /// Its type.
    pub kind: Kind,
    /// Its protocol's number.
    pub protocol: u8,
    /// What `/proc` calls it.
    pub id: u64,
    /// Its user.
    pub uid: u32,
    /// In which it was made.
    pub net: Arc<NetNamespace>,
    state: SpinLock<State>,
    datagrams: Datagrams,
    /// Whom SIGURG goes to.
    owner: SpinLock<crate::fs::sigio::Settings>,
    /// Something about the connection has changed: established, refused, to be accepted.
    event: WaitQueue,
    /// Time-outs of receiving and sending, ns (SO_RCVTIMEO, SO_SNDTIMEO); 0: none.
    pub receive_timeout_ns: AtomicU64,
    #[allow(missing_docs)]
    pub send_timeout_ns: AtomicU64,
}

/// All sockets, by their numbers.
static SOCKETS: SpinLock<BTreeMap<u64, Weak<Socket>>> = SpinLock::new(BTreeMap::new());

/// Every socket there is, for `/proc/net`.
pub fn all() -> Vec<Arc<Socket>> {
    SOCKETS.lock().values().filter_map(Weak::upgrade).collect()
}

impl Socket {
    /// An unconnected socket.
    pub fn new(family: Family, kind: Kind, protocol: u8) -> Arc<Self> {
        Self::of_user(family, kind, protocol, task::with_current(|t| t.creds().euid), network::here())
    }

    fn of_user(family: Family, kind: Kind, protocol: u8, uid: u32, net: Arc<NetNamespace>) -> Arc<Self> {
        let socket = Arc::new_cyclic(|this| Self {
            this: this.clone(),
            family,
            kind,
            protocol,
            id: crate::ipc::unix::next_id(),
            uid,
            net,
            state: SpinLock::new(State::default()),
            datagrams: Datagrams::new(),
            owner: SpinLock::default(),
            event: WaitQueue::new(),
            receive_timeout_ns: AtomicU64::new(0),
            send_timeout_ns: AtomicU64::new(0),
        });
        SOCKETS.lock().insert(socket.id, Arc::downgrade(&socket));
        if raw::sees_frames(&socket) {
            crate::ipc::packet::watch(true);
        }
        socket
    }

    /// The state of a connection by TCP's number for it (`include/net/tcp_states.h`), as `/proc/net/tcp` shows it.
    pub fn status(&self) -> u8 {
        const ESTABLISHED: u8 = 1;
        const SYN_SENT: u8 = 2;
        const FIN_WAIT2: u8 = 5;
        const CLOSE: u8 = 7;
        const CLOSE_WAIT: u8 = 8;
        const LISTEN: u8 = 10;
        if self.kind != Kind::Stream {
            return if self.remote().is_some() { ESTABLISHED } else { CLOSE };
        }
        if self.is_listening() {
            return LISTEN;
        }
        if matches!(self.state.lock().link, Link::Connecting) {
            return SYN_SENT;
        }
        match self.streams() {
            None => CLOSE,
            Some((incoming, outgoing)) => match (incoming.is_finished(), outgoing.is_finished()) {
                (false, false) => ESTABLISHED,
                (true, false) => CLOSE_WAIT,
                (false, true) => FIN_WAIT2,
                (true, true) => CLOSE,
            },
        }
    }

    /// A counted reference to it.
    pub fn shared(&self) -> Option<Arc<Self>> {
        self.this.upgrade()
    }

    /// Its own address; none before it is bound.
    pub fn local(&self) -> Option<SocketAddr> {
        self.state.lock().local
    }

    /// Its peer's address.
    pub fn remote(&self) -> Option<SocketAddr> {
        self.state.lock().remote
    }

    /// Whether it listens.
    pub fn is_listening(&self) -> bool {
        self.state.lock().listener.is_some()
    }

    /// The value of an option of one word.
    ///
    /// # Errors
    /// `ENOPROTOOPT`.
    pub fn word(&self, option: (i32, i32)) -> Result<i32> {
        let word = options::word(option.0, option.1, self.family, self.kind)?;
        Ok(self.state.lock().words.get(&option).copied().unwrap_or(word.default))
    }

    fn is_on(&self, option: (i32, i32)) -> bool {
        self.word(option).is_ok_and(|value| value != 0)
    }

    /// Tells the stream that it reads how urgent data are read, and who is told of them.
    fn settle_stream(&self) {
        if let (Kind::Stream, Some((incoming, _))) = (self.kind, self.streams()) {
            incoming.set_inline(self.is_on(options::URGENT_INLINE));
            incoming.set_owner(*self.owner.lock());
        }
    }

    /// Sets an option of one word.
    ///
    /// # Errors
    /// `ENOPROTOOPT`, `EINVAL` for a value it cannot have or may not have any more.
    pub fn set_word(&self, option: (i32, i32), value: i32) -> Result {
        let word = options::word(option.0, option.1, self.family, self.kind)?;
        if value == -1 && options::WITH_DEFAULT.contains(&option) {
            self.state.lock().words.remove(&option);
            return Ok(());
        }
        if value < word.range.0 || value > word.range.1 {
            return Err(EINVAL);
        }
        let value = match option {
            _ if word.is_switch => i32::from(value != 0),
            // TCP_MIN_MSS; 0 is none.
            options::MAX_SEGMENT if (1..88).contains(&value) => return Err(EINVAL),
            // Linux doubles what is asked for its own book-keeping, within limits.
            options::SEND_BUFFER => value.min(212_992).saturating_mul(2).max(4608),
            options::RECEIVE_BUFFER => value.min(212_992).saturating_mul(2).max(2304),
            _ => value,
        };
        let connection = {
            let mut state = self.state.lock();
            if option == options::ONLY_V6 && state.local.is_some() {
                return Err(EINVAL);
            }
            state.words.insert(option, value);
            // There is one kind of time stamps.
            match option {
                options::TIMESTAMP => drop(state.words.remove(&options::TIMESTAMP_NS)),
                options::TIMESTAMP_NS => drop(state.words.remove(&options::TIMESTAMP)),
                _ => {}
            }
            state.outside.clone()
        };
        if option == options::URGENT_INLINE {
            self.settle_stream();
        }
        if let Some(connection) = connection {
            outside::options_changed(&connection, self);
        }
        Ok(())
    }

    /// TCP_MAXSEG: of the connection; else what was set, or the least that all have to take.
    pub fn max_segment(&self) -> i32 {
        /// Of Ethernet, less the option of time stamps.
        const OUTSIDE: i32 = 1448;
        let state = self.state.lock();
        let set = state.words.get(&options::MAX_SEGMENT).copied().filter(|it| *it > 0);
        match (&state.link, state.segment) {
            (Link::Connected { .. }, 0) => set.map_or(OUTSIDE, |set| OUTSIDE.min(set)),
            (Link::Connected { .. }, segment) => segment,
            _ => set.unwrap_or(536),
        }
    }

    /// IP_MTU: of the way to the peer.
    ///
    /// # Errors
    /// `ENOTCONN`.
    pub fn mtu(&self) -> Result<i32> {
        let remote = self.remote().ok_or(ENOTCONN)?;
        Ok(if !address::is_local(&self.net, remote.ip()) {
            1500
        } else if remote.is_ipv4() {
            // Of 65,536, as much as there is room for in a packet's length.
            65_535
        } else {
            65_536
        })
    }

    /// SO_TXTIME.
    pub fn send_time(&self) -> Option<[u32; 2]> {
        self.state.lock().send_time
    }

    /// Sets SO_TXTIME.
    pub fn set_send_time(&self, clock_and_flags: [u32; 2]) {
        self.state.lock().send_time = Some(clock_and_flags);
    }

    /// SO_LINGER: whether it is on, and seconds.
    pub fn linger(&self) -> (i32, i32) {
        self.state.lock().linger
    }

    /// Sets SO_LINGER.
    pub fn set_linger(&self, on: i32, seconds: i32) {
        self.state.lock().linger = (i32::from(on != 0), seconds);
    }

    /// The pending error, which is told once (SO_ERROR).
    pub fn take_error(&self) -> Option<Errno> {
        let (error, incoming) = {
            let mut state = self.state.lock();
            let incoming = match &state.link {
                Link::Connected { incoming, .. } => Some(incoming.clone()),
                _ => None,
            };
            (state.error.take(), incoming)
        };
        error.or_else(|| incoming.and_then(|stream| stream.take_error()))
    }

    /// The oldest of the packets of its that were not delivered, with what was in it. The next one's error is told then, as if it had come just now.
    pub fn take_report(&self) -> Option<(net_abi::Report, Vec<u8>)> {
        let mut state = self.state.lock();
        let report = state.reports.pop_front()?;
        state.error = state.reports.front().map(|(next, _)| Errno(next.errno as i32));
        Some(report)
    }

    /// Bytes the peer may leave unread before a write blocks.
    fn capacity(&self) -> usize {
        let state = self.state.lock();
        match state.words.get(&options::SEND_BUFFER) {
            Some(&set) => set.max(4608) as usize,
            None => stream::CAPACITY,
        }
    }

    fn streams(&self) -> Option<(Arc<Stream>, Arc<Stream>)> {
        match &self.state.lock().link {
            Link::Connected { incoming, outgoing } => Some((incoming.clone(), outgoing.clone())),
            _ => None,
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let entry = SOCKETS.lock().remove(&self.id);
        drop(entry);
        let state = core::mem::take(self.state.get_mut());
        if state.listener.is_some() {
            outside::stop_listening(self.id);
        }
        if self.kind != Kind::Stream {
            outside::forget(self.id);
        }
        if raw::sees_frames(self) {
            crate::ipc::packet::watch(false);
        }
        groups::leave_all(&state.groups);
        if let Link::Connected { incoming, outgoing } = &state.link {
            let unread = incoming.abandon();
            // What was sent to us and never read, or SO_LINGER with no time: the peer hears of it by a reset.
            if unread || state.linger == (1, 0) {
                outgoing.reset(ECONNRESET);
                incoming.finish();
            } else {
                outgoing.finish();
            }
        }
        if let Some(connection) = &state.outside {
            connection.leave();
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        for (incoming, outgoing) in self.waiting.iter().filter_map(|waiting| waiting.streams()) {
            outgoing.reset(ECONNRESET);
            incoming.abandon();
            incoming.finish();
        }
        for knocking in self.knocking.iter().filter_map(Weak::upgrade) {
            knocking.refuse(ECONNREFUSED);
        }
    }
}
