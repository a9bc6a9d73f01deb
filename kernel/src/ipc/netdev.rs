//! Network interfaces, and `ioctl(2)` on a socket that asks for them (`netdevice(7)`): the loop-back device, and the one that leads to other
//! machines, which the network stack describes.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};

use net_abi::{Address, Change, Configuration, Counters};

use crate::error::*;
use crate::ipc::inet::outside;
use crate::ipc::network::NetNamespace;
use crate::task::Capability;
use crate::user;

/// Name, index and maximum packet of the loop-back device.
pub const NAME: &[u8] = b"lo";
#[allow(missing_docs)]
pub const INDEX: u32 = 1;
#[allow(missing_docs)]
pub const MTU: u32 = 65_536;
/// The index of the interface that leads to other machines.
pub const OUTSIDE_INDEX: u32 = 2;
const IFF_UP: u32 = 0x1;
const IFF_BROADCAST: u32 = 0x2;
const IFF_LOOPBACK: u32 = 0x8;
const IFF_RUNNING: u32 = 0x40;
const IFF_MULTICAST: u32 = 0x1000;
const IFF_LOWER_UP: u32 = 0x1_0000;
/// ARPHRD_ETHER
const ETHERNET: u16 = 1;
/// ARPHRD_LOOPBACK
pub const HARDWARE: u16 = 772;

/// `IFNAMSIZ`
const NAME_SIZE: usize = 16;
/// `struct ifreq`
const REQUEST_SIZE: usize = 40;

const SIOCGIFNAME: u32 = 0x8910;
const SIOCGIFCONF: u32 = 0x8912;
const SIOCGIFFLAGS: u32 = 0x8913;
const SIOCSIFFLAGS: u32 = 0x8914;
const SIOCGIFADDR: u32 = 0x8915;
const SIOCGIFDSTADDR: u32 = 0x8917;
const SIOCGIFBRDADDR: u32 = 0x8919;
const SIOCGIFNETMASK: u32 = 0x891b;
const SIOCGIFMETRIC: u32 = 0x891d;
const SIOCGIFMTU: u32 = 0x8921;
const SIOCSIFMTU: u32 = 0x8922;
const SIOCGIFHWADDR: u32 = 0x8927;
const SIOCGIFINDEX: u32 = 0x8933;
const SIOCGIFTXQLEN: u32 = 0x8942;

/// An interface.
#[derive(Clone, Debug)]
pub struct Interface {
    /// Its number.
    pub index: u32,
    /// Its name.
    pub name: Vec<u8>,
    /// `IFF_*`
    pub flags: u32,
    /// Greatest packet.
    pub mtu: u32,
    /// `ARPHRD_*`
    pub hardware: u16,
    /// Its hardware address.
    pub mac: [u8; 6],
    /// Its addresses.
    pub addresses: Vec<Address>,
    /// Its counters.
    pub counters: Counters,
}

impl Interface {
    /// Whether it is switched on.
    pub fn is_up(&self) -> bool {
        self.flags & IFF_UP != 0
    }

    /// Whether packets can go through it.
    pub fn is_running(&self) -> bool {
        self.flags & IFF_RUNNING != 0
    }

    fn first_v4(&self) -> Option<(Ipv4Addr, u8)> {
        self.addresses.iter().find_map(|it| match it.ip {
            IpAddr::V4(ip) => Some((ip, it.prefix)),
            IpAddr::V6(_) => None,
        })
    }
}

/// The loop-back device.
fn loopback(net: &NetNamespace) -> Interface {
    let (bytes, packets) = net.traffic();
    let running = if net.is_up() { IFF_UP | IFF_RUNNING | IFF_LOWER_UP } else { 0 };
    Interface {
        index: INDEX,
        name: NAME.to_vec(),
        flags: IFF_LOOPBACK | running,
        mtu: MTU,
        hardware: HARDWARE,
        mac: [0; 6],
        addresses: net.loopback_addresses(),
        // What is sent over it is received by it.
        counters: Counters { received_packets: packets, received_bytes: bytes, sent_packets: packets, sent_bytes: bytes, ..Counters::default() },
    }
}

/// The interface that the network stack describes.
pub fn outside(configuration: &Configuration) -> Interface {
    let running = if configuration.is_up && configuration.has_carrier { IFF_RUNNING | IFF_LOWER_UP } else { 0 };
    let up = if configuration.is_up { IFF_UP } else { 0 };
    Interface {
        index: OUTSIDE_INDEX,
        name: configuration.name.clone(),
        flags: up | running | IFF_BROADCAST | IFF_MULTICAST,
        mtu: configuration.mtu,
        hardware: ETHERNET,
        mac: configuration.mac,
        addresses: configuration.addresses.clone(),
        counters: configuration.counters,
    }
}

/// All interfaces of a network namespace.
pub fn interfaces(net: &NetNamespace) -> Vec<Interface> {
    let others = net.outside().map(|it| outside(&it));
    core::iter::once(loopback(net)).chain(others).collect()
}

/// Whether there is an interface of that name.
pub fn exists(net: &NetNamespace, name: &[u8]) -> bool {
    interfaces(net).iter().any(|it| it.name == name)
}

/// The interface that packets to one of this machine's addresses come through.
pub fn index_for(ip: IpAddr) -> u32 {
    if ip.is_loopback() { INDEX } else { OUTSIDE_INDEX }
}

/// A `struct sockaddr_in`.
fn internet(address: Ipv4Addr) -> Vec<u8> {
    let mut bytes = [0; 16];
    bytes[0] = 2;
    bytes[4..8].copy_from_slice(&address.octets());
    bytes.to_vec()
}

fn hosts(prefix: u8) -> u32 {
    u32::MAX.checked_shr(prefix.into()).unwrap_or(0)
}

/// Answers a request about interfaces.
///
/// # Errors
/// `ENODEV`, `EADDRNOTAVAIL`; `EPERM` for changes, `EOPNOTSUPP` for those that there are not; `ENOTTY` for what is no such request, `EFAULT`.
pub fn ioctl(net: &NetNamespace, cmd: u32, arg: usize) -> Result<usize> {
    if cmd == SIOCGIFCONF {
        return list(net, arg);
    }
    if !(0x8910..0x8950).contains(&cmd) {
        return Err(ENOTTY);
    }
    let mut request = user::read_bytes(arg, REQUEST_SIZE)?;
    let word = u32::from_le_bytes([request[16], request[17], request[18], request[19]]);
    if cmd == SIOCGIFNAME {
        let interface = interfaces(net).into_iter().find(|it| it.index == word).ok_or(ENODEV)?;
        request[..NAME_SIZE].fill(0);
        request[..interface.name.len()].copy_from_slice(&interface.name);
        frame::user::copy_to_user(arg as u64, &request)?;
        return Ok(0);
    }
    let name = request[..NAME_SIZE].split(|byte| *byte == 0).next().unwrap_or_default();
    let interface = interfaces(net).into_iter().find(|it| it.name == name).ok_or(ENODEV)?;
    let v4 = || interface.first_v4().ok_or(EADDRNOTAVAIL);
    let answer: Vec<u8> = match cmd {
        SIOCGIFFLAGS => (interface.flags as u16).to_le_bytes().to_vec(),
        SIOCGIFADDR | SIOCGIFDSTADDR => internet(v4()?.0),
        SIOCGIFNETMASK => internet(Ipv4Addr::from_bits(!hosts(v4()?.1))),
        SIOCGIFBRDADDR if interface.index == INDEX => internet(Ipv4Addr::UNSPECIFIED),
        SIOCGIFBRDADDR => v4().map(|(ip, prefix)| internet(Ipv4Addr::from_bits(ip.to_bits() | hosts(prefix))))?,
        SIOCGIFMETRIC => 0u32.to_le_bytes().to_vec(),
        SIOCGIFMTU => interface.mtu.to_le_bytes().to_vec(),
        SIOCGIFINDEX => interface.index.to_le_bytes().to_vec(),
        SIOCGIFTXQLEN => 1000u32.to_le_bytes().to_vec(),
        SIOCGIFHWADDR => {
            let mut bytes = interface.hardware.to_le_bytes().to_vec();
            bytes.extend_from_slice(&interface.mac);
            bytes.resize(16, 0);
            bytes
        }
        SIOCSIFFLAGS | SIOCSIFMTU => return set(net, &interface, cmd, word),
        // SIOCETHTOOL among them: of a driver there is nothing to be set or told in this way.
        0x8916..0x891e | 0x8946 => return Err(EOPNOTSUPP),
        _ => return Err(ENOTTY),
    };
    request[NAME_SIZE..NAME_SIZE + answer.len()].copy_from_slice(&answer);
    frame::user::copy_to_user(arg as u64, &request)?;
    Ok(0)
}

fn set(net: &NetNamespace, interface: &Interface, cmd: u32, word: u32) -> Result<usize> {
    if interface.index == INDEX && net.is_first() {
        // It is always up: setting the flags it has is no change.
        return if cmd == SIOCSIFFLAGS && word & IFF_UP != 0 { Ok(0) } else { Err(EPERM) };
    }
    if !net.capable(Capability::NET_ADMIN) {
        return Err(EPERM);
    }
    if interface.index == INDEX {
        return if cmd == SIOCSIFFLAGS { net.set_up(word & IFF_UP != 0).map(|()| 0) } else { Err(EOPNOTSUPP) };
    }
    let change = if cmd == SIOCSIFMTU { Change::Mtu(word) } else { Change::Up(word & IFF_UP != 0) };
    outside::change(&change)?;
    Ok(0)
}

/// SIOCGIFCONF: `struct ifconf` {length, pointer}: interfaces with their IPv4 addresses; without a pointer only the length is told.
fn list(net: &NetNamespace, arg: usize) -> Result<usize> {
    let [len, at]: [u64; 2] = user::read(arg)?;
    let mut entries = Vec::new();
    for interface in interfaces(net) {
        for ip in interface.addresses.iter().filter_map(|it| if let IpAddr::V4(ip) = it.ip { Some(ip) } else { None }) {
            let mut entry = [0; REQUEST_SIZE];
            entry[..interface.name.len()].copy_from_slice(&interface.name);
            entry[NAME_SIZE..2 * NAME_SIZE].copy_from_slice(&internet(ip));
            entries.extend_from_slice(&entry);
        }
    }
    if at != 0 {
        let room = (len as u32 as i32).max(0) as usize / REQUEST_SIZE * REQUEST_SIZE;
        entries.truncate(room);
        frame::user::copy_to_user(at, &entries)?;
    }
    user::write(arg, &(entries.len() as u32))?;
    Ok(0)
}
