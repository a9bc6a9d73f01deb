//! Sockets of the family AF_PACKET (`packet(7)`): frames of the interfaces as they come and go, and frames to be sent as they are.
//!
//! The frames of the interface that leads to other machines are in the network stack's hands: while there are sockets of this family the kernel asks
//! it for copies ([`net_abi::ToStack::Capture`]), and gives it what is to be sent. Over the loop-back device no protocol runs: its frames are made for
//! those who look (`inet::shown`), and what a socket of this family sends over it is received by the others of it, and by nobody else.
//!
//! * [`arrival`]: a frame, and what its addresses say.
//! * [`ring`]: the memory shared with a program that takes frames out of it (`PACKET_RX_RING`).
//! * [`file`]: a socket as a file.

mod arrival;
mod file;
mod ring;

use alloc::collections::VecDeque;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use net_abi::ToStack;

pub use arrival::{Arrival, Direction, ETHERNET, LinkAddress};
pub use ring::{Ring, Shape, Version};

use crate::error::*;
use crate::fs::{Events, IoSink, IoSource};
use crate::ipc::network::{self, NetNamespace};
use crate::ipc::{inet::outside, netdev};
use crate::sync::{SpinLock, WaitQueue};
use crate::task;

/// `ETH_P_ALL`: frames of all protocols, and what is sent.
const ALL: u16 = 3;
/// What a socket holds before it loses frames, unless it asks for more (`SO_RCVBUF`), bytes.
const DEFAULT_BUFFER: usize = 212_992;
/// What a frame costs beside its bytes.
const OVERHEAD: usize = 576;

/// A socket's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `SOCK_RAW`: frames with the header of their link.
    Raw,
    /// `SOCK_DGRAM`: packets, whose header is put before them or taken off.
    Datagram,
}

/// A frame that waits to be read.
#[derive(Clone)]
pub struct Waiting {
    /// What of it the filter let pass, from where this socket's type begins.
    pub bytes: Vec<u8>,
    /// How long it was from there on.
    pub whole: usize,
    /// Where the packet in it begins.
    pub network: usize,
    /// Where it comes from.
    pub from: LinkAddress,
    /// When it came, ns since 1970.
    pub at_ns: i64,
}

/// What options say.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// `PACKET_AUXDATA`
    pub auxiliary: bool,
    /// `PACKET_ORIGDEV`; there is no device behind another one, so it makes no difference.
    pub original_device: bool,
    /// `PACKET_IGNORE_OUTGOING`
    pub ignores_sent: bool,
    /// `PACKET_RESERVE`, bytes.
    pub reserve: u32,
    /// `PACKET_VERSION`
    pub version: Version,
    /// `SO_TIMESTAMP`, `SO_TIMESTAMPNS`
    pub times: [bool; 2],
    /// `SO_LOCK_FILTER`
    pub is_filter_locked: bool,
}

struct State {
    protocol: u16,
    index: u32,
    filter: Option<Arc<bpf::Program>>,
    queue: VecDeque<Waiting>,
    bytes: usize,
    /// Frames that passed the filter, and those of them that there was no room for, since the last look (`PACKET_STATISTICS`).
    seen: u32,
    lost: u32,
    ring: Option<Ring>,
    memberships: Vec<(u32, u16, Vec<u8>)>,
    options: Options,
    error: Option<Errno>,
    /// When the frame came that was read last, ns since 1970 (`SIOCGSTAMP`); 0: none was.
    stamp_ns: i64,
}

/// A socket.
pub struct Socket {
    this: Weak<Socket>,
    /// Its type.
    pub kind: Kind,
    /// What `/proc` calls it.
    pub id: u64,
    /// Its user.
    pub uid: u32,
    /// In which it was made.
    pub net: Arc<NetNamespace>,
    state: SpinLock<State>,
    event: WaitQueue,
    /// `SO_RCVBUF`, bytes.
    pub buffer: AtomicU64,
    /// `SO_RCVTIMEO`, `SO_SNDTIMEO`, ns; 0: none.
    pub receive_timeout_ns: AtomicU64,
    #[allow(missing_docs)]
    pub send_timeout_ns: AtomicU64,
}

/// All sockets.
static SOCKETS: SpinLock<Vec<Weak<Socket>>> = SpinLock::new(Vec::new());

/// Every socket there is.
pub fn all() -> Vec<Arc<Socket>> {
    // Upgraded and dropped outside of the lock: the last reference may go here.
    let all = SOCKETS.lock().clone();
    all.iter().filter_map(Weak::upgrade).collect()
}

/// How many there are, to be asked without the lock.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Whether there is a socket that may want frames.
pub fn is_watched() -> bool {
    COUNT.load(Ordering::Relaxed) > 0
}

/// Somebody else wants frames to be seen ([`inet::raw`](crate::ipc::inet::raw)), or does not any more.
pub fn watch(on: bool) {
    if on {
        COUNT.fetch_add(1, Ordering::SeqCst);
    } else {
        COUNT.fetch_sub(1, Ordering::SeqCst);
    }
    tell_stack();
}

/// Tells the stack whether copies of frames are wanted.
pub fn tell_stack() {
    // Whoever tells last has looked last, however many do it at once.
    loop {
        let wanted = is_watched();
        outside::tell(&ToStack::Capture(wanted));
        if wanted == is_watched() {
            return;
        }
    }
}

/// A frame has come in over an interface of a network namespace, or gone out. `sender`: the socket of this family that sent it, or 0.
pub fn deliver(net: &NetNamespace, index: u32, sender: u64, direction: Direction, frame: &[u8]) {
    if !is_watched() {
        return;
    }
    if direction == Direction::Received {
        crate::ipc::inet::raw::take_frame(net, frame);
    }
    let Some(arrival) = Arrival::new(net, index, direction, frame) else { return };
    for socket in all().iter().filter(|socket| socket.id != sender && socket.net.ino == net.ino) {
        socket.take(&arrival);
    }
}

impl Socket {
    /// A socket for frames of a protocol (an EtherType, 3 for all, 0 for none until it is bound) of all interfaces.
    pub fn new(kind: Kind, protocol: u16) -> Arc<Self> {
        let socket = Arc::new_cyclic(|this| Self {
            this: this.clone(),
            kind,
            id: crate::ipc::unix::next_id(),
            uid: task::with_current(|t| t.creds().euid),
            net: network::here(),
            state: SpinLock::new(State {
                protocol,
                index: 0,
                filter: None,
                queue: VecDeque::new(),
                bytes: 0,
                seen: 0,
                lost: 0,
                ring: None,
                memberships: Vec::new(),
                options: Options::default(),
                error: None,
                stamp_ns: 0,
            }),
            event: WaitQueue::new(),
            buffer: AtomicU64::new(DEFAULT_BUFFER as u64),
            receive_timeout_ns: AtomicU64::new(0),
            send_timeout_ns: AtomicU64::new(0),
        });
        SOCKETS.lock().push(Arc::downgrade(&socket));
        COUNT.fetch_add(1, Ordering::SeqCst);
        tell_stack();
        socket
    }

    /// A counted reference to it.
    pub fn shared(&self) -> Option<Arc<Self>> {
        self.this.upgrade()
    }

    /// The protocol and the interface that it hears of; 0: none, and all.
    pub fn bound(&self) -> (u16, u32) {
        let state = self.state.lock();
        (state.protocol, state.index)
    }

    /// Bytes of frames that wait.
    pub fn waiting_bytes(&self) -> usize {
        self.state.lock().bytes
    }

    /// `bind(2)`: another interface, and another protocol where that is not 0.
    ///
    /// # Errors
    /// `ENODEV`.
    pub fn bind(&self, protocol: u16, index: u32) -> Result {
        let interface = netdev::interfaces(&self.net).into_iter().find(|it| it.index == index);
        if index != 0 && interface.is_none() {
            return Err(ENODEV);
        }
        let mut state = self.state.lock();
        if protocol != 0 {
            state.protocol = protocol;
        }
        state.index = index;
        if interface.is_some_and(|it| !it.is_up()) {
            state.error = Some(ENETDOWN);
        }
        Ok(())
    }

    /// Only frames that the filter does not give 0, and as much of each as it says.
    ///
    /// # Errors
    /// `EPERM` where the filter is locked; `ENOENT` where there is none to be taken away.
    pub fn set_filter(&self, filter: Option<bpf::Program>) -> Result {
        let removes = filter.is_none();
        let filter = filter.map(Arc::new);
        let old = {
            let mut state = self.state.lock();
            if state.options.is_filter_locked {
                return Err(EPERM);
            }
            core::mem::replace(&mut state.filter, filter)
        };
        if removes && old.is_none() { Err(ENOENT) } else { Ok(()) }
    }

    /// What options say.
    pub fn options(&self) -> Options {
        self.state.lock().options
    }

    /// Changes options.
    ///
    /// # Errors
    /// Those of `change`; `EBUSY` where what shapes a ring changes while there is one.
    pub fn change_options(&self, change: impl FnOnce(&mut Options)) -> Result {
        let mut state = self.state.lock();
        let old = state.options;
        let mut new = old;
        change(&mut new);
        if state.ring.is_some() && (new.version != old.version || new.reserve != old.reserve) {
            return Err(EBUSY);
        }
        state.options = new;
        Ok(())
    }

    /// `PACKET_ADD_MEMBERSHIP`, `PACKET_DROP_MEMBERSHIP`: all frames are seen anyhow, so that this is kept only to be taken away again.
    ///
    /// # Errors
    /// `ENODEV`, `ENOBUFS`. One that it does not have is taken away, as on Linux.
    pub fn change_membership(&self, join: bool, index: u32, kind: u16, address: &[u8]) -> Result {
        /// Different ones of a socket.
        const MOST: usize = 512;
        let is_it = |it: &(u32, u16, Vec<u8>)| (it.0, it.1, &it.2[..]) == (index, kind, address);
        if join && !netdev::interfaces(&self.net).iter().any(|it| it.index == index) {
            return Err(ENODEV);
        }
        let mut state = self.state.lock();
        if join {
            if state.memberships.len() >= MOST {
                return Err(ENOBUFS);
            }
            state.memberships.push((index, kind, address.to_vec()));
            return Ok(());
        }
        if let Some(at) = state.memberships.iter().position(is_it) {
            state.memberships.swap_remove(at);
        }
        Ok(())
    }

    /// Frames since the last look: those that passed the filter, and those of them that were lost.
    pub fn take_statistics(&self) -> [u32; 2] {
        let mut state = self.state.lock();
        [core::mem::take(&mut state.seen), core::mem::take(&mut state.lost)]
    }

    /// Makes a ring, or takes it away (`None`).
    ///
    /// # Errors
    /// `EBUSY` where there is one that is mapped, `EINVAL`, `ENOMEM`.
    pub fn set_ring(&self, shape: Option<Shape>) -> Result {
        let options = self.options();
        let new = shape.map(|shape| Ring::new(options.version, shape, options.reserve, self.kind)).transpose()?;
        let old = {
            let mut state = self.state.lock();
            let is_in_use = state.ring.as_ref().is_some_and(|ring| new.is_some() || ring.is_mapped());
            if is_in_use {
                return Err(EBUSY);
            }
            core::mem::replace(&mut state.ring, new)
        };
        drop(old);
        Ok(())
    }

    /// The error that the next call tells, and `SO_ERROR`.
    pub fn take_error(&self) -> Option<Errno> {
        self.state.lock().error.take()
    }

    /// A frame has come by.
    fn take(&self, arrival: &Arrival<'_>) {
        let filter = {
            let state = self.state.lock();
            let wanted = match arrival.direction {
                // What is sent is seen by those only who want everything.
                Direction::Sent => state.protocol == ALL && !state.options.ignores_sent,
                Direction::Received => state.protocol != 0 && [ALL, arrival.protocol].contains(&state.protocol),
            };
            if !wanted || (state.index != 0 && state.index != arrival.index) {
                return;
            }
            state.filter.clone()
        };
        let view = arrival.view(self.kind);
        let passed = filter.map_or(usize::MAX, |filter| filter.run(&view) as usize).min(view.bytes.len());
        if passed == 0 {
            return;
        }
        let at_ns = crate::time::realtime_ns() as i64;
        {
            let mut state = self.state.lock();
            let state = &mut *state;
            state.seen = state.seen.wrapping_add(1);
            let taken = match &mut state.ring {
                Some(ring) => ring.put(arrival, &view, passed, at_ns),
                None => {
                    let cost = passed + OVERHEAD;
                    let fits = (state.bytes + cost) as u64 <= self.buffer.load(Ordering::Relaxed);
                    if fits {
                        state.bytes += cost;
                        let (network, whole) = (view.network, view.bytes.len());
                        state.queue.push_back(Waiting { bytes: view.bytes[..passed].to_vec(), whole, network, from: arrival.address(), at_ns });
                    }
                    fits
                }
            };
            if !taken {
                state.lost = state.lost.wrapping_add(1);
                return;
            }
        }
        self.event.wake_events(Events::IN | Events::RDNORM);
    }

    /// Receives a frame: what was copied, and the frame.
    ///
    /// # Errors
    /// `EAGAIN`, `ENETDOWN` once; those of waiting; `EFAULT`.
    pub fn receive(&self, dst: &mut IoSink<'_>, nonblocking: bool, peek: bool) -> Result<(usize, Waiting)> {
        let ready = || {
            let mut state = self.state.lock();
            if let Some(error) = state.error.take() {
                return Some(Err(error));
            }
            if peek {
                return state.queue.front().cloned().map(Ok);
            }
            let first = state.queue.pop_front()?;
            state.bytes -= first.bytes.len() + OVERHEAD;
            state.stamp_ns = first.at_ns;
            Some(Ok(first))
        };
        let deadline = super::deadline(&self.receive_timeout_ns);
        let first = match ready() {
            Some(outcome) => outcome?,
            None if nonblocking => return Err(EAGAIN),
            None => self.event.wait_deadline(deadline, ready).map_err(|error| if error == ETIMEDOUT { EAGAIN } else { error })??,
        };
        let copied = if dst.remaining() == 0 { 0 } else { dst.write(&first.bytes)? };
        Ok((copied, first))
    }

    /// Sends a frame, or a packet to `to`; its length.
    ///
    /// # Errors
    /// `ENXIO` without an interface, `ENETDOWN`, `EMSGSIZE`; `EINVAL` for a frame without a whole header, or a packet without a receiver; `EFAULT`.
    pub fn send(&self, src: &mut IoSource<'_>, to: Option<&LinkAddress>) -> Result<usize> {
        let (protocol, index) = self.bound();
        let (protocol, index) = to.map_or((protocol, index), |to| (to.protocol, to.index));
        let interface = netdev::interfaces(&self.net).into_iter().find(|it| it.index == index).ok_or(ENXIO)?;
        if !interface.is_up() {
            return Err(ENETDOWN);
        }
        let len = src.remaining();
        let head = if self.kind == Kind::Raw { 0 } else { ETHERNET };
        if len + head > interface.mtu as usize + ETHERNET {
            return Err(EMSGSIZE);
        }
        let mut frame = Vec::with_capacity(head + len);
        if self.kind == Kind::Datagram {
            let receiver = to.and_then(LinkAddress::whole).ok_or(EINVAL)?;
            frame.extend_from_slice(&receiver);
            frame.extend_from_slice(&interface.mac);
            frame.extend_from_slice(&protocol.to_be_bytes());
        } else if len < ETHERNET {
            return Err(EINVAL);
        }
        frame.resize(head + len, 0);
        src.read(&mut frame[head..])?;
        if index == netdev::INDEX {
            self.net.count(frame.len() - ETHERNET);
            deliver(&self.net, index, self.id, Direction::Sent, &frame);
            deliver(&self.net, index, 0, Direction::Received, &frame);
        } else {
            outside::send_frame(self.id, &frame);
        }
        Ok(len)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        SOCKETS.lock().retain(|socket| socket.strong_count() > 0);
        COUNT.fetch_sub(1, Ordering::SeqCst);
        tell_stack();
    }
}
