//! Who has which port: binding (`bind(2)`), ephemeral ports, and finding the socket that a packet is for.

use alloc::collections::BTreeMap;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use super::{Kind, Socket};
use crate::error::*;
use crate::random;
use crate::sync::SpinLock;

/// Ports that the kernel hands out (`/proc/sys/net/ipv4/ip_local_port_range`).
pub const EPHEMERAL: core::ops::RangeInclusive<u16> = 32768..=60999;

/// What a socket covers and how it shares.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    /// The address it is bound to.
    pub ip: IpAddr,
    /// An IPv6 socket on the any-address that does not take IPv4.
    pub only_v6: bool,
    /// `SO_REUSEADDR`
    pub reuse_address: bool,
    /// `SO_REUSEPORT`
    pub reuse_port: bool,
    /// Whose it is: only sockets of one user share by `SO_REUSEPORT`.
    pub uid: u32,
}

struct Entry {
    claim: Claim,
    socket: Weak<Socket>,
}

/// By network namespace, kind and number.
type Table = BTreeMap<(u64, Kind, u16), Vec<Entry>>;

static PORTS: SpinLock<Table> = SpinLock::new(BTreeMap::new());

/// A port that is held; given back when dropped.
pub struct Binding {
    net: u64,
    kind: Kind,
    socket: Weak<Socket>,
    /// Number of the port.
    pub port: u16,
}

impl Drop for Binding {
    fn drop(&mut self) {
        let gone = {
            let mut table = PORTS.lock();
            let Some(entries) = table.get_mut(&(self.net, self.kind, self.port)) else { return };
            let (gone, kept): (Vec<_>, Vec<_>) = core::mem::take(entries).into_iter().partition(|e| e.socket.ptr_eq(&self.socket));
            *entries = kept;
            if entries.is_empty() {
                table.remove(&(self.net, self.kind, self.port));
            }
            gone
        };
        drop(gone);
    }
}

impl Claim {
    /// Whether packets to `ip` are for it, and how exactly it says so.
    fn matches(&self, ip: IpAddr) -> Option<u32> {
        match (self.ip, ip) {
            (mine, ip) if mine == ip => Some(3),
            (IpAddr::V4(mine), IpAddr::V4(_)) if mine.is_unspecified() => Some(2),
            (IpAddr::V6(mine), IpAddr::V6(_)) if mine.is_unspecified() => Some(2),
            (IpAddr::V6(mine), IpAddr::V4(_)) if mine.is_unspecified() && !self.only_v6 => Some(1),
            _ => None,
        }
    }

    fn overlaps(&self, other: &Claim) -> bool {
        self.matches(other.ip).is_some() || other.matches(self.ip).is_some()
    }
}

/// Whether two sockets may have the same port.
fn may_share(kind: Kind, new: &Claim, old: &Claim, old_listens: bool) -> bool {
    if !new.overlaps(old) {
        return true;
    }
    let by_address = new.reuse_address && old.reuse_address && (kind != Kind::Stream || !old_listens);
    by_address || (new.reuse_port && old.reuse_port && new.uid == old.uid)
}

/// Takes a port; 0 asks for one of the ephemeral.
///
/// # Errors
/// `EADDRINUSE`.
pub fn bind(net: u64, kind: Kind, port: u16, claim: Claim, socket: &Weak<Socket>) -> Result<Binding> {
    if port != 0 {
        return try_bind((net, kind), port, claim, socket, false).ok_or(EADDRINUSE);
    }
    let span = u64::from(EPHEMERAL.end() - EPHEMERAL.start()) + 1;
    let first = random::u64() % span;
    (0..span)
        .map(|i| EPHEMERAL.start() + ((first + i) % span) as u16)
        .find_map(|port| try_bind((net, kind), port, claim, socket, true))
        .ok_or(EADDRINUSE)
}

fn try_bind((net, kind): (u64, Kind), port: u16, claim: Claim, socket: &Weak<Socket>, alone: bool) -> Option<Binding> {
    // Sockets that were looked at may end by that: never with the table locked.
    let mut seen = Vec::new();
    let mut table = PORTS.lock();
    let taken = table.get(&(net, kind, port)).is_some_and(|entries| {
        entries.iter().any(|entry| {
            let listens = entry.socket.upgrade().is_some_and(|socket| {
                let listens = socket.is_listening();
                seen.push(socket);
                listens
            });
            if alone { claim.overlaps(&entry.claim) } else { !may_share(kind, &claim, &entry.claim, listens) }
        })
    });
    if !taken {
        table.entry((net, kind, port)).or_default().push(Entry { claim, socket: socket.clone() });
    }
    drop(table);
    drop(seen);
    (!taken).then(|| Binding { net, kind, socket: socket.clone(), port })
}

/// Whether another socket listens where this one would (`listen(2)`).
pub fn is_listened_to(port: u16, claim: &Claim, but: &Socket) -> bool {
    let others = sockets_at(but.net.ino, Kind::Stream, port);
    others.iter().any(|(socket, other)| {
        !core::ptr::eq(Arc::as_ptr(socket), but)
            && socket.is_listening()
            && claim.overlaps(other)
            && !(claim.reuse_port && other.reuse_port && claim.uid == other.uid)
    })
}

fn sockets_at(net: u64, kind: Kind, port: u16) -> Vec<(Arc<Socket>, Claim)> {
    let table = PORTS.lock();
    let Some(entries) = table.get(&(net, kind, port)) else { return Vec::new() };
    entries.iter().filter_map(|entry| Some((entry.socket.upgrade()?, entry.claim))).collect()
}

/// The socket that a packet `from` one address `to` another is for: the one that names its addresses most exactly; among several that share
/// a port one that depends on the sender only.
pub fn find(net: u64, kind: Kind, from: SocketAddr, to: SocketAddr) -> Option<Arc<Socket>> {
    let candidates = candidates(net, kind, from, to);
    let best = candidates.iter().map(|(score, _)| *score).max()?;
    let mut best: Vec<_> = candidates.into_iter().filter(|(score, _)| *score == best).map(|(_, socket)| socket).collect();
    let choice = (usize::from(from.port()).wrapping_mul(0x9e37_79b1) >> 7) % best.len();
    Some(best.swap_remove(choice))
}

/// All sockets that a packet to many is for.
pub fn find_all(net: u64, kind: Kind, from: SocketAddr, to: SocketAddr) -> Vec<Arc<Socket>> {
    candidates(net, kind, from, to).into_iter().map(|(_, socket)| socket).collect()
}

fn candidates(net: u64, kind: Kind, from: SocketAddr, to: SocketAddr) -> Vec<(u32, Arc<Socket>)> {
    let fits = |(socket, claim): (Arc<Socket>, Claim)| {
        let exactness = claim.matches(to.ip())?;
        let connected = match kind {
            Kind::Stream if !socket.is_listening() => return None,
            Kind::Stream => 0,
            Kind::Datagram | Kind::Ping | Kind::Raw => match socket.remote() {
                Some(remote) if remote == from || (kind != Kind::Datagram && remote.ip() == from.ip()) => 4,
                Some(_) => return None,
                None => 0,
            },
        };
        Some((exactness + connected, socket))
    };
    sockets_at(net, kind, to.port()).into_iter().filter_map(fits).collect()
}
