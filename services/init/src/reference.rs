//! The network of the Linux reference: the address that QEMU's user network gives to its first machine.
//!
//! Debian's kernel asks nobody for an address, and the image holds no client of DHCP: ours is `netd`, which needs our kernel. So that programs can be compared on
//! both, `init` sets on Linux what `netd` is told by QEMU.

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::Path;

const NAME: &str = "eth0";
/// QEMU's cards have addresses that begin so.
const MAKER: &str = "52:54:00:";
const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 15);
const MASK: Ipv4Addr = Ipv4Addr::new(255, 255, 255, 0);
const ROUTER: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 2);
const NAMES: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 3);

fn socket_address(ip: Ipv4Addr) -> libc::sockaddr {
    let mut data = [0; 14];
    for (to, octet) in data[2..6].iter_mut().zip(ip.octets()) {
        *to = octet as libc::c_char;
    }
    libc::sockaddr { sa_family: libc::AF_INET as libc::sa_family_t, sa_data: data }
}

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn configure(socket: libc::c_int) -> io::Result<()> {
    // SAFETY: a structure of integers, for which zeros are a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, byte) in request.ifr_name.iter_mut().zip(NAME.bytes()) {
        *to = byte as libc::c_char;
    }
    request.ifr_ifru.ifru_addr = socket_address(ADDRESS);
    // SAFETY: these calls read a live request of the size that they expect.
    check(unsafe { libc::ioctl(socket, libc::SIOCSIFADDR, &request) })?;
    request.ifr_ifru.ifru_netmask = socket_address(MASK);
    // SAFETY: as above.
    check(unsafe { libc::ioctl(socket, libc::SIOCSIFNETMASK, &request) })?;
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: as above.
    check(unsafe { libc::ioctl(socket, libc::SIOCSIFFLAGS, &request) })?;
    // SAFETY: a structure of integers and a pointer, for which zeros are values.
    let mut route: libc::rtentry = unsafe { std::mem::zeroed() };
    route.rt_dst = socket_address(Ipv4Addr::UNSPECIFIED);
    route.rt_genmask = socket_address(Ipv4Addr::UNSPECIFIED);
    route.rt_gateway = socket_address(ROUTER);
    route.rt_flags = libc::RTF_UP | libc::RTF_GATEWAY;
    // SAFETY: as above.
    check(unsafe { libc::ioctl(socket, libc::SIOCADDRT, &route) })?;
    fs::write("/run/resolv.conf", format!("nameserver {NAMES}\n"))
}

/// Sets the address where there is a card of QEMU's.
///
/// # Errors
/// Those of the calls.
pub fn network_up() -> io::Result<()> {
    let mac = fs::read_to_string(Path::new("/sys/class/net").join(NAME).join("address")).unwrap_or_default();
    if !mac.starts_with(MAKER) {
        return Ok(());
    }
    // SAFETY: no memory of ours.
    let socket = check(unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) })?;
    let outcome = configure(socket);
    // SAFETY: the descriptor is ours to close.
    unsafe { libc::close(socket) };
    outcome
}
