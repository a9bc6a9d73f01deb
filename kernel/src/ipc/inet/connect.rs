//! From an unconnected socket to a connected one: `bind(2)`, `listen(2)`, `connect(2)`, `accept(2)`.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::net::SocketAddr;

use super::ports::{self, Claim};
use super::{Family, Kind, Link, Listener, Socket, Stream, address, options, outside, shown};
use crate::error::*;
use crate::fs::Events;
use crate::ipc::deadline;
use crate::task;

/// Connections that wait to be accepted, at most (`/proc/sys/net/core/somaxconn`).
const MAX_BACKLOG: usize = 4096;
/// Ports below are root's (`/proc/sys/net/ipv4/ip_unprivileged_port_start`).
const UNPRIVILEGED: u16 = 1024;

impl Socket {
    /// `bind(2)`.
    ///
    /// # Errors
    /// `EINVAL` where it is bound, `EADDRINUSE`, `EADDRNOTAVAIL`, `EACCES`.
    pub fn bind(&self, to: Option<SocketAddr>) -> Result {
        let Some(to) = to else {
            // Linux takes AF_UNSPEC with the any-address for AF_INET.
            return if self.family == Family::V4 { self.bind(Some(SocketAddr::new(address::unspecified(Family::V4), 0))) } else { Err(EAFNOSUPPORT) };
        };
        if to.ip().is_ipv4() && self.family == Family::V6 && self.is_on(options::ONLY_V6) {
            return Err(EINVAL);
        }
        if !address::is_bindable(&self.net, to.ip()) || (to.ip().is_multicast() && self.kind == Kind::Stream) {
            return Err(EADDRNOTAVAIL);
        }
        if self.kind != Kind::Ping && (1..UNPRIVILEGED).contains(&to.port()) && !self.net.capable(task::Capability::NET_BIND_SERVICE) {
            return Err(EACCES);
        }
        if self.kind == Kind::Raw {
            // These have no ports, and can be bound again.
            self.state.lock().local = Some(SocketAddr::new(to.ip(), 0));
            return Ok(());
        }
        if self.state.lock().local.is_some() {
            return Err(EINVAL);
        }
        self.take_port(to)
    }

    fn claim(&self, to: SocketAddr) -> Claim {
        Claim {
            ip: to.ip(),
            only_v6: self.is_on(options::ONLY_V6),
            reuse_address: self.is_on(options::REUSE_ADDRESS),
            reuse_port: self.is_on(options::REUSE_PORT),
            uid: self.uid,
        }
    }

    fn take_port(&self, to: SocketAddr) -> Result {
        let claim = self.claim(to);
        let binding = ports::bind(self.net.ino, self.kind, to.port(), claim, &self.this)?;
        let mut state = self.state.lock();
        if state.local.is_some() {
            drop(state);
            drop(binding);
            return Err(EINVAL);
        }
        state.local = Some(SocketAddr::new(to.ip(), binding.port));
        state.claim = Some(claim);
        state.binding = Some(binding);
        Ok(())
    }

    /// Gives an unbound socket a port; the address is that of packets to `to`.
    pub(super) fn take_any_port(&self, to: Option<SocketAddr>) -> Result {
        if self.state.lock().local.is_some() {
            return Ok(());
        }
        let ip = to.map_or(address::unspecified(self.family), |to| address::source_for(&self.net, to.ip()));
        match self.take_port(SocketAddr::new(ip, 0)) {
            // Another thread was faster.
            Err(EINVAL) => Ok(()),
            Err(EADDRINUSE) if self.kind == Kind::Stream && to.is_some() => Err(EADDRNOTAVAIL),
            Err(EADDRINUSE) => Err(EAGAIN),
            other => other,
        }
    }

    /// `listen(2)`.
    ///
    /// # Errors
    /// `EOPNOTSUPP` for datagrams, `EINVAL` when connected, `EADDRINUSE`.
    pub fn listen(&self, backlog: i32) -> Result {
        if self.kind != Kind::Stream {
            return Err(EOPNOTSUPP);
        }
        if !matches!(self.state.lock().link, Link::None) {
            return Err(EINVAL);
        }
        self.take_any_port(None)?;
        let (port, claim) = {
            let state = self.state.lock();
            (state.local.map_or(0, |local| local.port()), state.claim)
        };
        if claim.is_some_and(|claim| ports::is_listened_to(port, &claim, self)) {
            return Err(EADDRINUSE);
        }
        let backlog = (backlog as u32 as usize + 1).min(MAX_BACKLOG);
        {
            let mut state = self.state.lock();
            if let Some(listener) = &mut state.listener {
                listener.backlog = backlog;
                return Ok(());
            }
            state.listener = Some(Listener { waiting: VecDeque::new(), knocking: VecDeque::new(), backlog });
        }
        if let Some(claim) = claim {
            if self.net.is_first() {
                outside::listen(self, port, &claim);
            }
        }
        Ok(())
    }

    /// `connect(2)`. `None` dissolves a datagram socket's association.
    ///
    /// # Errors
    /// `ECONNREFUSED`, `EISCONN`, `EALREADY`, `EINPROGRESS`, `ENETUNREACH`, `EADDRNOTAVAIL`, `ERESTARTSYS`.
    pub fn connect(&self, to: Option<SocketAddr>, nonblocking: bool) -> Result {
        match self.kind {
            Kind::Stream => self.connect_stream(to, nonblocking),
            Kind::Datagram | Kind::Ping | Kind::Raw => self.associate(to),
        }
    }

    fn associate(&self, to: Option<SocketAddr>) -> Result {
        let Some(to) = to else {
            let mut state = self.state.lock();
            state.remote = None;
            state.error = None;
            return Ok(());
        };
        let to = SocketAddr::new(address::route(&self.net, to.ip(), self.is_on(options::BROADCAST))?, to.port());
        if self.kind != Kind::Raw {
            self.take_any_port(Some(to))?;
        }
        let mut state = self.state.lock();
        if let Some(local) = &mut state.local {
            // The kernel chooses an address, which getsockname shows; packets to others do not come any more.
            if local.ip().is_unspecified() {
                local.set_ip(address::source_for(&self.net, to.ip()));
            }
        }
        state.remote = Some(to);
        Ok(())
    }

    fn connect_stream(&self, to: Option<SocketAddr>, nonblocking: bool) -> Result {
        let Some(to) = to else { return Err(EAFNOSUPPORT) };
        {
            let mut state = self.state.lock();
            let untold = core::mem::take(&mut state.untold);
            match state.link {
                _ if state.listener.is_some() => return Err(EISCONN),
                Link::Connected { .. } if untold => return Ok(()),
                Link::Connected { .. } => return Err(EISCONN),
                Link::Connecting if nonblocking => return Err(EALREADY),
                Link::Connecting => {
                    drop(state);
                    return self.await_connection();
                }
                Link::Failed => {
                    state.link = Link::None;
                    // One that was not asked for by SO_ERROR is told now.
                    if let Some(error) = state.error.take() {
                        return Err(error);
                    }
                }
                Link::None => {}
            }
        }
        if to.ip().is_ipv4() && self.family == Family::V6 && self.is_on(options::ONLY_V6) {
            return Err(ENETUNREACH);
        }
        let to = SocketAddr::new(address::route(&self.net, to.ip(), false)?, to.port());
        self.take_any_port(Some(to))?;
        let from = {
            let mut state = self.state.lock();
            if !matches!(state.link, Link::None) {
                return Err(EALREADY);
            }
            let Some(local) = &mut state.local else { return Err(EADDRNOTAVAIL) };
            if local.ip().is_unspecified() {
                local.set_ip(address::source_for(&self.net, to.ip()));
            }
            let from = *local;
            state.remote = Some(to);
            state.link = Link::Connecting;
            from
        };
        if address::is_local(&self.net, to.ip()) {
            match ports::find(self.net.ino, Kind::Stream, from, to) {
                Some(listener) => listener.knock(self, from, to),
                None => {
                    shown::refused(&self.net, from, to);
                    self.refuse(ECONNREFUSED);
                }
            }
        } else if let Some(this) = self.this.upgrade() {
            let connection = outside::connect(&this, from, to);
            self.state.lock().outside = Some(connection);
        }
        if nonblocking {
            // As over a network: the handshake ends after the call.
            self.state.lock().untold = true;
            return Err(EINPROGRESS);
        }
        self.await_connection()
    }

    fn await_connection(&self) -> Result {
        let ready = || {
            let mut state = self.state.lock();
            match state.link {
                Link::Connecting => None,
                Link::Connected { .. } => {
                    state.untold = false;
                    Some(Ok(()))
                }
                Link::None | Link::Failed => {
                    state.link = Link::None;
                    state.remote = None;
                    Some(Err(state.error.take().unwrap_or(ECONNREFUSED)))
                }
            }
        };
        match self.event.wait_deadline(deadline(&self.send_timeout_ns), ready) {
            Ok(outcome) => outcome,
            Err(ETIMEDOUT) => Err(EINPROGRESS),
            Err(error) => Err(error),
        }
    }

    /// The connection does not come about.
    pub(super) fn refuse(&self, error: Errno) {
        {
            let mut state = self.state.lock();
            state.link = Link::Failed;
            state.error = Some(error);
        }
        self.event.wake_all();
    }

    /// `client` wants a connection with this listener: it gets one, or waits for room.
    fn knock(&self, client: &Socket, from: SocketAddr, to: SocketAddr) {
        let server = self.half(from, to);
        let full = {
            let mut state = self.state.lock();
            let Some(listener) = &mut state.listener else {
                drop(state);
                return client.refuse(ECONNREFUSED);
            };
            if listener.waiting.len() < listener.backlog {
                client.establish(&server);
                listener.waiting.push_back(server.clone());
                false
            } else {
                listener.knocking.push_back(client.this.clone());
                true
            }
        };
        if !full {
            if let Some((incoming, _)) = server.streams() {
                incoming.show_established();
            }
            client.event.wake_all();
            self.event.wake_events(Events::IN | Events::RDNORM);
        }
    }

    /// The server's end of a new connection.
    fn half(&self, from: SocketAddr, to: SocketAddr) -> Arc<Socket> {
        let (client, server) = shown::conversation(&self.net, from, to);
        self.half_with(from, to, Arc::new(Stream::within(client)), Arc::new(Stream::within(server)))
    }

    fn half_with(&self, from: SocketAddr, to: SocketAddr, incoming: Arc<Stream>, outgoing: Arc<Stream>) -> Arc<Socket> {
        let server = Socket::of_user(self.family, Kind::Stream, self.protocol, self.uid, self.net.clone());
        let words = self.state.lock().words.clone();
        {
            let mut state = server.state.lock();
            state.local = Some(to);
            state.remote = Some(from);
            state.words = words;
            state.link = Link::Connected { incoming, outgoing };
        }
        server.settle_stream();
        server
    }

    /// Takes a connection with another machine into the backlog; its socket. `None` where there is no room.
    pub(super) fn admit(&self, connection: &Arc<outside::Connection>, from: SocketAddr, to: SocketAddr) -> Option<Arc<Socket>> {
        let server = self.half_with(from, to, connection.incoming.clone(), connection.outgoing.clone());
        let is_admitted = {
            let mut state = self.state.lock();
            match &mut state.listener {
                Some(listener) if listener.waiting.len() < listener.backlog => {
                    listener.waiting.push_back(server.clone());
                    true
                }
                _ => false,
            }
        };
        if !is_admitted {
            return None;
        }
        server.state.lock().outside = Some(connection.clone());
        connection.set_socket(&server);
        self.event.wake_events(Events::IN | Events::RDNORM);
        Some(server)
    }

    /// Joins a client to the server's end. The caller holds the listener's lock, which comes before those of other sockets.
    fn establish(&self, server: &Socket) {
        let Some((incoming, outgoing)) = server.streams() else { return };
        let server_says = server.state.lock().words.get(&options::MAX_SEGMENT).copied();
        let client_says = {
            let mut state = self.state.lock();
            if matches!(state.link, Link::Connecting) {
                state.link = Link::Connected { incoming: outgoing, outgoing: incoming };
            }
            let own = state.words.get(&options::MAX_SEGMENT).copied();
            state.segment = segment(own, server_says);
            own
        };
        self.settle_stream();
        server.state.lock().segment = segment(client_says, server_says);
    }

    /// `accept(2)`.
    ///
    /// # Errors
    /// `EINVAL` where it does not listen, `EAGAIN`, `ERESTARTSYS`.
    pub fn accept(&self, nonblocking: bool) -> Result<Arc<Socket>> {
        if self.kind != Kind::Stream {
            return Err(EOPNOTSUPP);
        }
        let take = || {
            let mut state = self.state.lock();
            let Some(listener) = &mut state.listener else { return Some(Err(EINVAL)) };
            let accepted = listener.waiting.pop_front()?;
            Some(Ok((accepted, listener.knocking.pop_front())))
        };
        let taken = match take() {
            Some(taken) => taken?,
            None if nonblocking => return Err(EAGAIN),
            None => match self.event.wait_deadline(deadline(&self.receive_timeout_ns), take) {
                Ok(taken) => taken?,
                Err(ETIMEDOUT) => return Err(EAGAIN),
                Err(error) => return Err(error),
            },
        };
        let (accepted, knocking) = taken;
        if let Some(client) = knocking.and_then(|client| client.upgrade()) {
            if let (Some(from), Some(to)) = (client.local(), client.remote()) {
                self.knock(&client, from, to);
            }
        }
        Ok(accepted)
    }
}

/// Most bytes of a segment between two ends that may have said a number each (TCP_MAXSEG), over the loop-back device: half of a window, and less the option
/// of time stamps where somebody has said something.
fn segment(one: Option<i32>, other: Option<i32>) -> i32 {
    const HALF_WINDOW: i32 = 32_768;
    const TIME_STAMPS: i32 = 12;
    [one, other].into_iter().flatten().filter(|it| *it > 0).map(|it| it - TIME_STAMPS).fold(HALF_WINDOW, i32::min)
}
