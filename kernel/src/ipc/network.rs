//! Network namespaces (`network_namespaces(7)`): interfaces, ports and abstract names of sockets. The interface that leads to other machines is the first one's; every
//! other has a loop-back device of its own, which is down at first.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::sync::atomic::{AtomicU64, Ordering};

use net_abi::{Address, Configuration};

use super::inet::outside;
use crate::error::*;
use crate::sync::{Once, SpinLock};
use crate::task::ns_count::Counted;
use crate::task::user_ns::{self, UserNamespace};
use crate::task::{self, Capability, uts};

/// A network namespace.
pub struct NetNamespace {
    /// Its number in `/proc/<pid>/ns`.
    pub ino: u64,
    /// Whose it is.
    pub user: Arc<UserNamespace>,
    loopback: SpinLock<Loopback>,
    bytes: AtomicU64,
    packets: AtomicU64,
    /// Its place among its user's; the first has none.
    _count: Option<Counted>,
}

/// The loop-back device.
#[derive(Clone, Copy, Default)]
struct Loopback {
    is_up: bool,
    /// It has the address 127.0.0.1.
    has_v4: bool,
    /// It has the address ::1.
    has_v6: bool,
}

/// The number that Linux gives to the first.
pub const FIRST: u64 = 0xf000_0098;

impl NetNamespace {
    fn build(ino: u64, user: Arc<UserNamespace>, loopback: Loopback, count: Option<Counted>) -> Arc<Self> {
        Arc::new(Self { ino, user, loopback: SpinLock::new(loopback), bytes: AtomicU64::new(0), packets: AtomicU64::new(0), _count: count })
    }

    /// That of the first process.
    pub fn first() -> Arc<Self> {
        static FIRST_ONE: Once<Arc<NetNamespace>> = Once::new();
        let all = Loopback { is_up: true, has_v4: true, has_v6: true };
        FIRST_ONE.get_or_init(|| Self::build(FIRST, UserNamespace::first(), all, None)).clone()
    }

    /// One with nothing but a loop-back device that is down.
    pub fn new(user: &Arc<UserNamespace>, count: Counted) -> Arc<Self> {
        Self::build(uts::next_ino(), user.clone(), Loopback::default(), Some(count))
    }

    /// Whether it is the first, from which a way leads to other machines.
    pub fn is_first(&self) -> bool {
        self.ino == FIRST
    }

    /// The interface that leads to other machines.
    pub fn outside(&self) -> Option<Arc<Configuration>> {
        if self.is_first() { outside::configuration() } else { None }
    }

    /// Whether packets to this machine itself go anywhere.
    pub fn is_up(&self) -> bool {
        self.loopback.lock().is_up
    }

    /// Whether an address of this machine is one of the loop-back device here.
    pub fn has_loopback(&self, ip: IpAddr) -> bool {
        let loopback = *self.loopback.lock();
        ip.is_loopback() && if ip.is_ipv4() { loopback.has_v4 } else { loopback.has_v6 }
    }

    /// The addresses of the loop-back device.
    pub fn loopback_addresses(&self) -> Vec<Address> {
        let all: [(IpAddr, u8); 2] = [(Ipv4Addr::LOCALHOST.into(), 8), (Ipv6Addr::LOCALHOST.into(), 128)];
        let own = all.into_iter().filter(|(ip, _)| self.has_loopback(*ip));
        own.map(|(ip, prefix)| Address { ip, prefix, lifetime_s: u32::MAX }).collect()
    }

    /// Sets the loop-back device up or down. With it come its addresses; version 6's goes again.
    ///
    /// # Errors
    /// `EOPNOTSUPP` where it is always up: in the first.
    pub fn set_up(&self, up: bool) -> Result {
        if self.is_first() {
            return if up { Ok(()) } else { Err(EOPNOTSUPP) };
        }
        let mut loopback = self.loopback.lock();
        if up != loopback.is_up {
            *loopback = Loopback { is_up: up, has_v4: up || loopback.has_v4, has_v6: up };
        }
        Ok(())
    }

    /// Gives the loop-back device one of its addresses, or takes it away. Others it cannot have.
    ///
    /// # Errors
    /// `EEXIST`, `EADDRNOTAVAIL`, `EOPNOTSUPP`.
    pub fn change_address(&self, ip: IpAddr, prefix: u8, add: bool) -> Result {
        let is_own = matches!((ip, prefix), (IpAddr::V4(Ipv4Addr::LOCALHOST), 8) | (IpAddr::V6(Ipv6Addr::LOCALHOST), 128));
        if !is_own || self.is_first() {
            return Err(EOPNOTSUPP);
        }
        let mut loopback = self.loopback.lock();
        let slot = if ip.is_ipv4() { &mut loopback.has_v4 } else { &mut loopback.has_v6 };
        match (*slot, add) {
            (true, true) => return Err(EEXIST),
            (false, false) => return Err(EADDRNOTAVAIL),
            _ => *slot = add,
        }
        Ok(())
    }

    /// Counts a packet over the loop-back device.
    pub fn count(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        self.packets.fetch_add(1, Ordering::Relaxed);
    }

    /// Bytes and packets that have gone over the loop-back device, without headers.
    pub fn traffic(&self) -> (u64, u64) {
        (self.bytes.load(Ordering::Relaxed), self.packets.load(Ordering::Relaxed))
    }

    /// Whether the executing thread has a capability for what is in it.
    pub fn capable(&self, capability: Capability) -> bool {
        user_ns::capable_in(capability, &self.user)
    }
}

/// The executing thread's.
pub fn here() -> Arc<NetNamespace> {
    task::with_current(|thread| thread.namespaces()).net.clone()
}
