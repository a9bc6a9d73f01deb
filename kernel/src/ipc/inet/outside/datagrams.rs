//! Packets of connectionless protocols to and from other machines.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use net_abi::{Report, ToStack, protocol};

use super::super::datagram::{Datagram, Extras};
use super::super::{Kind, Socket, icmp, options, ports};
use super::configuration;
use crate::error::*;
use crate::ipc::network;

/// Reports that a socket keeps for who asks for them.
const MOST_REPORTS: usize = 16;

/// Sends a packet of a socket's protocol to another machine. It may get lost.
pub fn send(socket: &Socket, from: SocketAddr, to: SocketAddr, extras: &Extras, bytes: &[u8]) {
    let usual = || if to.ip().is_multicast() { socket.multicast_hop_limit() } else { socket.hop_limit() };
    let hop_limit = extras.hop_limit.unwrap_or_else(usual);
    let protocol = socket.protocol_number();
    send_packet(socket.id, protocol, hop_limit, from, to, bytes);
    if to.ip().is_multicast() && socket.loops_multicast() && super::super::groups::is_joined(to.ip()) {
        deliver(socket.net.ino, protocol, hop_limit, from, to, bytes);
    }
}

/// Sends a packet of any protocol to another machine, of UDP its payload. It may get lost.
pub fn send_packet(id: u64, protocol: u8, hop_limit: u8, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
    super::post(id, &ToStack::Datagram { protocol, hop_limit, from, to, bytes });
}

/// Puts a packet into a socket's queue.
pub fn push(socket: &Arc<Socket>, from: SocketAddr, to: SocketAddr, hop_limit: u8, data: Vec<u8>) {
    let capacity = socket.word(options::RECEIVE_BUFFER).unwrap_or(0).max(2304) as usize;
    socket.datagrams.push(Datagram { from, to, data, hop_limit, tos: 0, at_ns: crate::time::realtime_ns() as i64, dropped: 0 }, capacity);
}

/// A packet has come to a network namespace, from another machine or from this one.
pub fn deliver(net: u64, number: u8, hop_limit: u8, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
    if number == protocol::UDP {
        let is_for_many = to.ip().is_multicast() || configuration::with(|it| it.is_broadcast(to.ip())).unwrap_or(false);
        let receivers = if is_for_many { ports::find_all(net, Kind::Datagram, from, to) } else { ports::find(net, Kind::Datagram, from, to).into_iter().collect() };
        if receivers.is_empty() && !is_for_many {
            let len = bytes.len().min(usize::from(u16::MAX)) as u16;
            super::post(0, &ToStack::Unreachable { from, to, len });
        }
        for receiver in &receivers {
            push(receiver, from, to, hop_limit, bytes.to_vec());
        }
        return;
    }
    if let Some(identifier) = icmp::reply_identifier(number, bytes) {
        let to = SocketAddr::new(to.ip(), identifier);
        if let Some(receiver) = ports::find(net, Kind::Ping, SocketAddr::new(from.ip(), 0), to) {
            push(&receiver, from, to, hop_limit, bytes.to_vec());
        }
    }
    for receiver in super::super::all().iter().filter(|it| it.net.ino == net && it.wants_raw(number, from.ip(), to.ip())) {
        if receiver.passes_icmp_filter(bytes) {
            push(receiver, from, to, hop_limit, icmp::as_raw(number, hop_limit, from.ip(), to.ip(), bytes));
        }
    }
}

/// Somebody says that a packet could not be delivered: the socket that sent it hears of it.
pub fn report(report: &Report) {
    let kind = match report.protocol {
        protocol::UDP => Kind::Datagram,
        protocol::ICMP | protocol::ICMP_V6 => Kind::Ping,
        _ => return,
    };
    let remote = if kind == Kind::Ping { SocketAddr::new(report.remote.ip(), 0) } else { report.remote };
    if let Some(socket) = ports::find(network::FIRST, kind, remote, report.local) {
        socket.hear(report, &[]);
    }
}

impl Socket {
    /// The protocol's number.
    pub(in super::super) fn protocol_number(&self) -> u8 {
        self.protocol
    }

    fn multicast_hop_limit(&self) -> u8 {
        let option = if self.family == super::super::Family::V4 { options::MULTICAST_TTL } else { options::MULTICAST_HOPS };
        self.word(option).unwrap_or(1).clamp(0, 255) as u8
    }

    fn loops_multicast(&self) -> bool {
        let option = if self.family == super::super::Family::V4 { options::MULTICAST_LOOP } else { options::MULTICAST_LOOP_V6 };
        self.word(option).unwrap_or(1) != 0
    }

    /// Whether a packet of a protocol is for a raw socket.
    pub(in super::super) fn wants_raw(&self, number: u8, from: IpAddr, to: IpAddr) -> bool {
        if self.kind != Kind::Raw || self.protocol != number {
            return false;
        }
        let state = self.state.lock();
        let fits = |own: Option<SocketAddr>, ip: IpAddr| own.is_none_or(|own| own.ip().is_unspecified() || own.ip() == ip);
        fits(state.local, to) && fits(state.remote, from)
    }

    /// A packet of its with this in it was not delivered.
    pub(in super::super) fn hear(&self, report: &Report, data: &[u8]) {
        let error = Errno(report.errno as i32);
        {
            let mut state = self.state.lock();
            // As Linux: without a connection only those who asked for errors hear of them.
            let is_on = |option| state.words.get(&option).is_some_and(|it| *it != 0);
            let has_asked = is_on(options::RECEIVE_ERRORS) || is_on(options::RECEIVE_ERRORS_V6);
            if state.remote.is_none() && !has_asked {
                return;
            }
            state.error = Some(error);
            if has_asked && state.reports.len() < MOST_REPORTS {
                state.reports.push_back((*report, data.to_vec()));
            }
        }
        self.datagrams.wake();
    }
}
