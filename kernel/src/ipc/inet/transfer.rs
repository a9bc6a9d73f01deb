//! Sending and receiving.

use alloc::vec::Vec;
use core::net::SocketAddr;

use net_abi::Report;

use super::datagram::{Datagram, Extras};
use super::{Family, Kind, Link, Socket, address, icmp, options, outside, ports, raw, shown};
use crate::error::*;
use crate::fs::{IoSink, IoSource};
use crate::ipc::deadline;
use crate::task::{self, signal};

/// Most bytes of a datagram: 65,535 less the headers.
const MAX_DATAGRAM: usize = 65_507;
/// Most datagrams that one call sends (UDP_MAX_SEGMENTS; 64 in older kernels).
const MOST_SEGMENTS: usize = 128;

/// What was received.
#[derive(Clone, Copy, Default)]
pub struct Received {
    /// Bytes copied.
    pub copied: usize,
    /// Bytes the datagram had.
    pub whole: usize,
    /// The datagram's sender.
    pub from: Option<SocketAddr>,
    /// Where the datagram was sent.
    pub to: Option<SocketAddr>,
    /// The hop limit that it came with.
    pub hop_limit: u8,
    /// The datagram's type of service or traffic class.
    pub tos: u8,
    /// When it came, ns since 1970.
    pub at_ns: i64,
    /// How many datagrams were dropped before it.
    pub dropped: u32,
}

impl Socket {
    /// Sends what `src` holds, to `to` or the peer. `quiet`: no SIGPIPE. `urgent`: the last byte of a stream's is urgent.
    ///
    /// # Errors
    /// `ENOTCONN`, `EDESTADDRREQ`, `EPIPE`, `EAGAIN`, `EMSGSIZE`, `ECONNRESET`, `ECONNREFUSED`, `ERESTARTSYS`.
    pub fn send(&self, src: &mut IoSource<'_>, to: Option<SocketAddr>, extras: &Extras, nonblocking: bool, quiet: bool, urgent: bool) -> Result<usize> {
        match self.kind {
            Kind::Datagram | Kind::Ping | Kind::Raw => self.send_datagram(src, to, extras),
            Kind::Stream => {
                let sent = self.send_stream(src, nonblocking, urgent);
                if sent == Err(EPIPE) && !quiet {
                    let thread = task::current();
                    let _ = signal::send_thread(&thread, signal::SigInfo::user(signal::SIGPIPE, &thread.process));
                }
                sent
            }
        }
    }

    fn send_stream(&self, src: &mut IoSource<'_>, nonblocking: bool, urgent: bool) -> Result<usize> {
        let outgoing = {
            let mut state = self.state.lock();
            if let Some(error) = state.error.take() {
                return Err(error);
            }
            match &state.link {
                _ if state.shut_write => return Err(EPIPE),
                Link::Connected { incoming, outgoing } => {
                    let (incoming, outgoing) = (incoming.clone(), outgoing.clone());
                    drop(state);
                    if let Some(error) = incoming.take_error() {
                        return Err(error);
                    }
                    outgoing
                }
                Link::Connecting => return Err(EAGAIN),
                Link::None | Link::Failed => return Err(EPIPE),
            }
        };
        if outgoing.is_abandoned() && !outgoing.is_finished() {
            // The peer has closed. As with TCP the first bytes are sent, and answered by a reset.
            let len = src.remaining();
            outgoing.finish();
            return Ok(len);
        }
        let deadline = deadline(&self.send_timeout_ns);
        if urgent { outgoing.send_urgent(src, self.capacity(), nonblocking, deadline) } else { outgoing.send(src, self.capacity(), nonblocking, deadline) }
    }

    fn send_datagram(&self, src: &mut IoSource<'_>, to: Option<SocketAddr>, extras: &Extras) -> Result<usize> {
        let (remote, error, shut) = {
            let mut state = self.state.lock();
            (state.remote, state.error.take(), state.shut_write)
        };
        if let Some(error) = error {
            return Err(error);
        }
        if shut {
            return Err(EPIPE);
        }
        let to = match to {
            Some(to) if to.port() == 0 && self.kind == Kind::Datagram => return Err(EINVAL),
            Some(to) if to.ip().is_ipv4() && self.family == Family::V6 && self.is_on(options::ONLY_V6) => return Err(ENETUNREACH),
            Some(to) => SocketAddr::new(address::route(&self.net, to.ip(), self.is_on(options::BROADCAST))?, to.port()),
            None => remote.ok_or(EDESTADDRREQ)?,
        };
        let len = src.remaining();
        if len > MAX_DATAGRAM {
            return Err(EMSGSIZE);
        }
        if self.kind != Kind::Raw {
            self.take_any_port(None)?;
        }
        let mut data = alloc::vec![0; len];
        src.read(&mut data)?;
        let mut from = match self.local() {
            Some(local) => local,
            None if self.kind == Kind::Raw => SocketAddr::new(address::unspecified(self.family), 0),
            None => return Err(EAGAIN),
        };
        if from.ip().is_unspecified() || from.is_ipv4() != to.is_ipv4() || from.ip().is_multicast() {
            from.set_ip(address::source_for(&self.net, to.ip()));
        }
        if let Some(source) = extras.source.filter(|it| it.is_ipv4() == to.is_ipv4()) {
            if !address::is_local(&self.net, source) {
                return Err(EINVAL);
            }
            from.set_ip(source);
        }
        if self.kind == Kind::Raw && !raw::is_icmp(self.protocol) {
            return self.send_raw(&data, from, to, extras);
        }
        let segment = extras.segment.map_or_else(|| self.word(options::SEGMENT).unwrap_or(0) as usize, usize::from);
        if segment > 0 && len > segment {
            if len > segment * MOST_SEGMENTS {
                return Err(EINVAL);
            }
            for part in data.chunks(segment) {
                self.send_one(part.to_vec(), (from, to, remote), extras)?;
            }
            return Ok(len);
        }
        self.send_one(data, (from, to, remote), extras)
    }

    /// Sends one datagram.
    fn send_one(&self, mut data: Vec<u8>, (from, to, remote): (SocketAddr, SocketAddr, Option<SocketAddr>), extras: &Extras) -> Result<usize> {
        let len = data.len();
        if self.kind == Kind::Ping {
            icmp::complete_request(self.protocol, from.port(), &mut data)?;
        }
        if !address::is_local(&self.net, to.ip()) {
            outside::send_datagram(self, from, to, extras, &data);
            return Ok(len);
        }
        self.net.count(len);
        shown::datagram(&self.net, self.protocol, extras.hop_limit.unwrap_or_else(|| self.hop_limit()), from, to, &data);
        if self.kind != Kind::Datagram {
            outside::deliver_datagram(self.net.ino, self.protocol, 64, from, to, &data);
            if let Some(answer) = icmp::answer(self.protocol, &data) {
                shown::datagram(&self.net, self.protocol, 64, to, from, &answer);
                outside::deliver_datagram(self.net.ino, self.protocol, 64, to, from, &answer);
            }
            return Ok(len);
        }
        match ports::find(self.net.ino, Kind::Datagram, from, to) {
            Some(receiver) => {
                let capacity = receiver.word(options::RECEIVE_BUFFER).unwrap_or(0).max(2304) as usize;
                let class = if self.family == Family::V4 { options::TYPE_OF_SERVICE } else { options::TRAFFIC_CLASS };
                let tos = extras.tos.unwrap_or_else(|| self.word(class).unwrap_or(0).clamp(0, 255) as u8);
                let hop_limit = extras.hop_limit.unwrap_or_else(|| self.hop_limit());
                receiver.datagrams.push(Datagram { from, to, data, hop_limit, tos, at_ns: crate::time::realtime_ns() as i64, dropped: 0 }, capacity);
            }
            // Nobody is there, says an ICMP message.
            None if remote.is_none_or(|remote| remote == to) => {
                shown::unreachable(&self.net, from, to, &data);
                let (kind, code, most) = if to.is_ipv4() { icmp::PORT_UNREACHABLE } else { icmp::PORT_UNREACHABLE_V6 };
                let report = Report { protocol: self.protocol, local: from, remote: to, offender: to.ip(), errno: ECONNREFUSED.0 as u32, kind, code, info: 0 };
                self.hear(&report, &data[..data.len().min(most)]);
            }
            None => {}
        }
        Ok(len)
    }

    /// Receives into `dst`.
    ///
    /// # Errors
    /// `EAGAIN`, `ENOTCONN`, `ECONNRESET`, `ECONNREFUSED`, `ERESTARTSYS`.
    pub fn receive(&self, dst: &mut IoSink<'_>, nonblocking: bool, peek: bool, wait_all: bool) -> Result<Received> {
        let deadline = deadline(&self.receive_timeout_ns);
        if self.kind != Kind::Stream {
            let error = || self.state.lock().error.take();
            let received = self.datagrams.receive(dst, peek, nonblocking, deadline, error)?;
            return Ok(received.map_or(Received::default(), |it| Received { copied: it.copied, whole: it.whole, from: Some(it.from), to: Some(it.to), hop_limit: it.hop_limit, tos: it.tos, at_ns: it.at_ns, dropped: it.dropped }));
        }
        let incoming = {
            let mut state = self.state.lock();
            if let Some(error) = state.error.take() {
                return Err(error);
            }
            match &state.link {
                Link::Connected { incoming, .. } => incoming.clone(),
                Link::Connecting => return Err(EAGAIN),
                Link::None | Link::Failed => return Err(ENOTCONN),
            }
        };
        let copied = incoming.receive(dst, peek, wait_all, nonblocking, deadline)?;
        Ok(Received { copied, whole: copied, ..Received::default() })
    }

    /// The urgent byte of a stream (MSG_OOB): whether there was room for it.
    ///
    /// # Errors
    /// `EINVAL` where there is none.
    pub fn receive_urgent(&self, dst: &mut IoSink<'_>, peek: bool) -> Result<Option<usize>> {
        let (incoming, _) = self.streams().ok_or(EINVAL)?;
        incoming.receive_urgent(dst, peek)
    }

    /// Whether the next byte of a stream is urgent (SIOCATMARK).
    pub fn is_at_mark(&self) -> bool {
        self.streams().is_some_and(|(incoming, _)| incoming.is_at_mark())
    }

    /// `shutdown(2)`.
    ///
    /// # Errors
    /// `EINVAL`, `ENOTCONN`.
    pub fn shutdown(&self, how: i32) -> Result {
        if !(0..=2).contains(&how) {
            return Err(EINVAL);
        }
        let (read, write) = (how != 1, how != 0);
        let mut state = self.state.lock();
        if self.kind != Kind::Stream {
            if state.remote.is_none() {
                return Err(ENOTCONN);
            }
            state.shut_write |= write;
            drop(state);
            if read {
                self.datagrams.shut();
            }
            return Ok(());
        }
        if state.listener.is_some() {
            // Linux stops listening when the reading side is shut; who waits in accept gets EINVAL.
            let listener = if read { state.listener.take() } else { None };
            drop(state);
            if listener.is_some() {
                outside::stop_listening(self.id);
            }
            drop(listener);
            self.event.wake_all();
            return Ok(());
        }
        let Link::Connected { incoming, outgoing } = &state.link else { return Err(ENOTCONN) };
        let (incoming, outgoing) = (incoming.clone(), outgoing.clone());
        state.shut_read |= read;
        state.shut_write |= write;
        drop(state);
        if write {
            outgoing.finish();
        }
        if read {
            // What the peer still sends can be read, but nothing is waited for.
            incoming.stop_waiting();
        }
        self.event.wake_all();
        Ok(())
    }

    /// Bytes that can be read now.
    pub fn available(&self) -> usize {
        match self.kind {
            Kind::Datagram | Kind::Ping | Kind::Raw => self.datagrams.available(),
            Kind::Stream => self.streams().map_or(0, |(incoming, _)| incoming.available()),
        }
    }

    /// What `/proc/net` calls the receive queue: bytes, the connection's end counting one; connections that wait to be accepted.
    pub fn receive_queue(&self) -> usize {
        if let Some(listener) = &self.state.lock().listener {
            return listener.waiting.len();
        }
        match self.streams() {
            Some((incoming, _)) => incoming.available() + usize::from(incoming.is_finished()),
            None => self.available(),
        }
    }

    /// Connections that may wait to be accepted.
    pub fn backlog(&self) -> usize {
        self.state.lock().listener.as_ref().map_or(0, |listener| listener.backlog.saturating_sub(1))
    }

    /// Which directions are shut: bit 0 for reading, bit 1 for writing.
    pub fn shut(&self) -> u8 {
        let state = self.state.lock();
        u8::from(state.shut_read) | u8::from(state.shut_write) << 1
    }

    /// Bytes that the peer has not read yet.
    pub fn unread(&self) -> usize {
        self.streams().map_or(0, |(_, outgoing)| outgoing.available())
    }
}
