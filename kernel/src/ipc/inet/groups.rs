//! Multicast groups (`ip(7)`, IP_ADD_MEMBERSHIP): who takes part in which.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::net::IpAddr;

use net_abi::ToStack;

use super::{Socket, outside};
use crate::error::*;
use crate::sync::SpinLock;

/// Groups that one socket may be in (`/proc/sys/net/ipv4/igmp_max_memberships`).
const MOST: usize = 20;

/// The groups that sockets are in, and how many.
static GROUPS: SpinLock<BTreeMap<IpAddr, usize>> = SpinLock::new(BTreeMap::new());

/// All groups.
pub fn joined() -> Vec<IpAddr> {
    GROUPS.lock().keys().copied().collect()
}

/// Whether any socket is in a group.
pub fn is_joined(ip: IpAddr) -> bool {
    GROUPS.lock().contains_key(&ip)
}

fn count(ip: IpAddr, joins: bool) {
    let has_changed = {
        let mut groups = GROUPS.lock();
        let members = groups.entry(ip).or_default();
        if joins {
            *members += 1;
            *members == 1
        } else {
            *members = members.saturating_sub(1);
            let last = *members == 0;
            if last {
                groups.remove(&ip);
            }
            last
        }
    };
    if has_changed {
        outside::tell(&ToStack::Group { join: joins, ip });
    }
}

impl Socket {
    /// Joins a group, or leaves it.
    ///
    /// # Errors
    /// `EINVAL` for what is no group, `ENODEV` where no interface leads to others, `EADDRINUSE`, `EADDRNOTAVAIL`, `ENOBUFS`.
    pub fn change_membership(&self, ip: IpAddr, joins: bool) -> Result {
        if !ip.is_multicast() {
            return Err(EINVAL);
        }
        self.net.outside().ok_or(ENODEV)?;
        {
            let mut state = self.state.lock();
            let at = state.groups.iter().position(|it| *it == ip);
            match (at, joins) {
                (Some(_), true) => return Err(EADDRINUSE),
                (None, false) => return Err(EADDRNOTAVAIL),
                (None, true) if state.groups.len() >= MOST => return Err(ENOBUFS),
                (None, true) => state.groups.push(ip),
                (Some(at), false) => drop(state.groups.swap_remove(at)),
            }
        }
        count(ip, joins);
        Ok(())
    }
}

/// A socket is gone: so is its part in these.
pub fn leave_all(groups: &[IpAddr]) {
    for ip in groups {
        count(*ip, false);
    }
}
