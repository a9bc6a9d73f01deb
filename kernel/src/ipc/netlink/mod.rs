//! Sockets of the family AF_NETLINK (`netlink(7)`): datagrams between the kernel and programs, and to groups of sockets.
//!
//! * [`route`]: the protocol NETLINK_ROUTE, interfaces and addresses.
//! * [`diag`]: the protocol NETLINK_SOCK_DIAG, sockets.
//! * [`message`]: requests and answers of both as bytes.
//! * [`uevent`]: the protocol NETLINK_KOBJECT_UEVENT, what the kernel says of devices.

mod diag;
mod message;
pub mod route;
pub mod uevent;

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::any::Any;
use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use crate::error::*;
use crate::ipc::network::{self, NetNamespace};
use crate::fs::{Attr, Events, FileOps, IoSink, IoSource, OpenFile};
use crate::sync::{PollTable, SpinLock, WaitQueue};
use crate::task;

/// Protocols that there are.
const NETLINK_ROUTE: i32 = 0;
const NETLINK_SOCK_DIAG: i32 = 4;
#[allow(missing_docs)]
pub const NETLINK_KOBJECT_UEVENT: i32 = 15;
/// What a socket holds before it loses messages, unless it asks for more (`SO_RCVBUF`).
const DEFAULT_BUFFER: usize = 212_992;
/// What a message costs beside its bytes.
const OVERHEAD: usize = 512;
/// Longest message.
const MAX_MESSAGE: usize = 128 << 10;

/// `struct sockaddr_nl` without its family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// The socket's number; 0 is the kernel.
    pub port: u32,
    /// Groups, a bit each.
    pub groups: u32,
}

/// A message that waits.
#[derive(Clone)]
pub struct Message {
    /// What was sent.
    pub bytes: Arc<[u8]>,
    /// Who sent it, and the group that it was sent to.
    pub from: Address,
    /// The sender's process, user and group.
    pub credentials: (u32, u32, u32),
    /// How much of it the filter lets pass.
    len: usize,
}

#[derive(Default)]
struct State {
    port: u32,
    groups: u32,
    to: Address,
    filter: Option<Arc<bpf::Program>>,
    queue: VecDeque<Message>,
    bytes: usize,
    /// Messages were lost since the last read: it is told so once.
    has_lost: bool,
}

/// A socket.
pub struct Socket {
    this: Weak<Socket>,
    /// `NETLINK_*`.
    pub protocol: i32,
    /// The type it was made with: `SOCK_RAW` or `SOCK_DGRAM`.
    pub kind: u32,
    state: SpinLock<State>,
    event: WaitQueue,
    /// `SO_PASSCRED`.
    pub pass_credentials: AtomicBool,
    /// `SO_RCVBUF`, bytes.
    pub buffer: AtomicUsize,
    /// `SO_RCVTIMEO`, ns; 0: none.
    pub receive_timeout_ns: AtomicU64,
    id: u64,
    /// In which it was made.
    net: Arc<NetNamespace>,
}

/// All sockets.
static SOCKETS: SpinLock<Vec<Weak<Socket>>> = SpinLock::new(Vec::new());

fn sockets(protocol: i32, net: &NetNamespace) -> Vec<Arc<Socket>> {
    // Upgraded and dropped outside of the lock: the last reference may go here.
    let all: Vec<Weak<Socket>> = SOCKETS.lock().clone();
    all.iter().filter_map(Weak::upgrade).filter(|socket| socket.protocol == protocol && socket.net.ino == net.ino).collect()
}

impl Socket {
    /// An unbound socket.
    ///
    /// # Errors
    /// `EPROTONOSUPPORT`.
    pub fn new(protocol: i32, kind: u32) -> Result<Arc<Self>> {
        if ![NETLINK_ROUTE, NETLINK_SOCK_DIAG, NETLINK_KOBJECT_UEVENT].contains(&protocol) {
            return Err(EPROTONOSUPPORT);
        }
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let socket = Arc::new_cyclic(|this| Self {
            this: this.clone(),
            protocol,
            kind,
            state: SpinLock::new(State::default()),
            event: WaitQueue::new(),
            pass_credentials: AtomicBool::new(false),
            buffer: AtomicUsize::new(DEFAULT_BUFFER),
            receive_timeout_ns: AtomicU64::new(0),
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            net: network::here(),
        });
        let mut sockets = SOCKETS.lock();
        sockets.retain(|socket| socket.strong_count() > 0);
        sockets.push(Arc::downgrade(&socket));
        Ok(socket)
    }

    /// A counted reference to it.
    pub fn shared(&self) -> Option<Arc<Self>> {
        self.this.upgrade()
    }

    /// Its own address.
    pub fn address(&self) -> Address {
        let state = self.state.lock();
        Address { port: state.port, groups: state.groups }
    }

    /// Where it sends to without a name.
    pub fn destination(&self) -> Address {
        self.state.lock().to
    }

    /// `connect(2)`.
    ///
    /// # Errors
    /// `EPERM` where sending there is for privileged processes.
    pub fn connect(&self, to: Address) -> Result {
        self.may_send(to)?;
        self.bind_any();
        self.state.lock().to = to;
        Ok(())
    }

    /// Takes a number of its own: the process's, if that is free, as Linux does.
    fn bind_any(&self) {
        if self.state.lock().port != 0 {
            return;
        }
        let taken: Vec<u32> = sockets(self.protocol, &self.net).iter().map(|socket| socket.state.lock().port).collect();
        let pid = task::with_current(|t| t.process.own_pid());
        // Others are "negative", so that they are nobody's process.
        let port = core::iter::once(pid).chain((1..).map(|n: u32| u32::MAX - 4096 - n)).find(|port| !taken.contains(port));
        let mut state = self.state.lock();
        if state.port == 0 {
            state.port = port.unwrap_or(0);
        }
    }

    /// `bind(2)`: a number (0: any), and groups.
    ///
    /// # Errors
    /// `EADDRINUSE`; `EINVAL` where it has another number.
    pub fn bind(&self, address: Address) -> Result {
        let old = self.state.lock().port;
        if old == 0 && address.port != 0 {
            if sockets(self.protocol, &self.net).iter().any(|socket| socket.state.lock().port == address.port) {
                return Err(EADDRINUSE);
            }
            self.state.lock().port = address.port;
        } else if old != 0 && address.port != 0 && address.port != old {
            return Err(EINVAL);
        }
        self.bind_any();
        self.state.lock().groups = address.groups;
        Ok(())
    }

    /// Joins or leaves a group, counted from 1.
    ///
    /// # Errors
    /// `EINVAL` for a group that there is not.
    pub fn set_membership(&self, group: u32, on: bool) -> Result {
        if !(1..=32).contains(&group) {
            return Err(EINVAL);
        }
        let bit = 1 << (group - 1);
        let mut state = self.state.lock();
        state.groups = if on { state.groups | bit } else { state.groups & !bit };
        Ok(())
    }

    /// Messages that the filter gives 0 are not received.
    pub fn set_filter(&self, filter: Option<bpf::Program>) -> bool {
        let old = core::mem::replace(&mut self.state.lock().filter, filter.map(Arc::new));
        old.is_some()
    }

    fn may_send(&self, to: Address) -> Result {
        let to_others = to.port != 0 || to.groups != 0;
        if to_others && !self.net.capable(task::Capability::NET_ADMIN) { Err(EPERM) } else { Ok(()) }
    }

    /// Sends a message; its length.
    ///
    /// # Errors
    /// `EPERM`, `EMSGSIZE`; `ECONNREFUSED` where nobody has the number.
    pub fn send(&self, src: &mut IoSource<'_>, to: Option<Address>) -> Result<usize> {
        let to = to.unwrap_or_else(|| self.destination());
        self.may_send(to)?;
        self.bind_any();
        let len = src.remaining();
        if len > MAX_MESSAGE {
            return Err(EMSGSIZE);
        }
        let mut bytes = alloc::vec![0; len];
        src.read(&mut bytes)?;
        let bytes: Arc<[u8]> = bytes.into();
        let credentials = task::with_current(|t| {
            let creds = t.creds();
            (t.process.pid, creds.euid, creds.egid)
        });
        let port = self.address().port;
        // As Linux: of several groups the first counts.
        let group = to.groups & to.groups.wrapping_neg();
        if group != 0 {
            let from = Address { port, groups: group };
            multicast(self.protocol, &self.net, Some(self), Message { bytes: bytes.clone(), from, credentials, len });
        }
        if to.port != 0 {
            let target = sockets(self.protocol, &self.net).into_iter().find(|socket| socket.state.lock().port == to.port).ok_or(ECONNREFUSED)?;
            target.deliver(Message { bytes: bytes.clone(), from: Address { port, groups: 0 }, credentials, len });
        }
        // The kernel's own socket knows requests of this protocol; what comes to its others is dropped there.
        if to == Address::default() {
            match self.protocol {
                NETLINK_ROUTE => route::take(self, &bytes),
                NETLINK_SOCK_DIAG => diag::take(self, &bytes),
                _ => {}
            }
        }
        Ok(len)
    }

    /// Gives it a datagram of the kernel's.
    pub fn tell(&self, bytes: &[u8]) {
        self.deliver(Message { bytes: bytes.into(), from: Address::default(), credentials: (0, 0, 0), len: bytes.len() });
    }

    /// Puts a message into the queue.
    fn deliver(&self, mut message: Message) {
        let filter = self.state.lock().filter.clone();
        if let Some(filter) = filter {
            let passed = filter.run(&*message.bytes);
            if passed == 0 {
                return;
            }
            message.len = message.len.min(passed as usize);
        }
        {
            let mut state = self.state.lock();
            let cost = message.len + OVERHEAD;
            if state.bytes + cost > self.buffer.load(Ordering::Relaxed) {
                state.has_lost = true;
            } else {
                state.bytes += cost;
                state.queue.push_back(message);
            }
        }
        self.event.wake_events(Events::IN | Events::RDNORM);
    }

    /// Receives a message: what was copied, how long it is, and the message.
    ///
    /// # Errors
    /// `EAGAIN`; `ENOBUFS` once after messages were lost; those of waiting.
    pub fn receive(&self, dst: &mut IoSink<'_>, nonblocking: bool, peek: bool) -> Result<(usize, usize, Message)> {
        let ready = || {
            let mut state = self.state.lock();
            if core::mem::take(&mut state.has_lost) {
                return Some(Err(ENOBUFS));
            }
            if peek {
                return state.queue.front().cloned().map(Ok);
            }
            let message = state.queue.pop_front()?;
            state.bytes -= message.len + OVERHEAD;
            Some(Ok(message))
        };
        let deadline = super::deadline(&self.receive_timeout_ns);
        let message = match ready() {
            Some(outcome) => outcome?,
            None if nonblocking => return Err(EAGAIN),
            None => self.event.wait_deadline(deadline, ready).map_err(|error| if error == ETIMEDOUT { EAGAIN } else { error })??,
        };
        let copied = dst.write(&message.bytes[..message.len])?;
        Ok((copied, message.len, message))
    }
}

/// Gives a message to all sockets in its group but one.
fn multicast(protocol: i32, net: &NetNamespace, except: Option<&Socket>, message: Message) {
    for socket in sockets(protocol, net) {
        let is_sender = except.is_some_and(|except| core::ptr::eq(except, &*socket));
        if !is_sender && socket.state.lock().groups & message.from.groups != 0 {
            socket.deliver(message.clone());
        }
    }
}

impl FileOps for Socket {
    fn read(&self, file: &OpenFile, _pos: u64, dst: &mut IoSink<'_>) -> Result<usize> {
        Ok(self.receive(dst, file.nonblocking(), false)?.0)
    }

    fn write(&self, _file: &OpenFile, _pos: u64, src: &mut IoSource<'_>) -> Result<usize> {
        self.send(src, None)
    }

    fn poll(&self, _file: &OpenFile, table: &mut PollTable<'_>) -> Events {
        table.register(&self.event);
        let state = self.state.lock();
        let mut events = Events::OUT | Events::WRNORM;
        if !state.queue.is_empty() {
            events |= Events::IN | Events::RDNORM;
        }
        if state.has_lost {
            events |= Events::ERR;
        }
        events
    }

    fn ioctl(&self, _file: &OpenFile, cmd: u32, arg: usize) -> Result<usize> {
        crate::ipc::netdev::ioctl(&self.net, cmd, arg)
    }

    fn attr(&self) -> Result<Attr> {
        Ok(Attr { dev: 8, ino: self.id | 1 << 40, mode: 0o140777, nlink: 1, blksize: 4096, ..Attr::default() })
    }

    fn describe(&self) -> String {
        alloc::format!("socket:[{}]", self.id | 1 << 40)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
