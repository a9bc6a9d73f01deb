//! Addresses and routes: by DHCP, by routers' advertisements, by hand.

use net_abi::{Address, Change, Route};
use smoltcp::iface::{Interface, SocketHandle, SocketSet};
use smoltcp::socket::dhcpv4;
use smoltcp::wire::{HardwareAddress, IpCidr, Ipv6Cidr};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// `RTPROT_*`: who made a route.
const BY_KERNEL: u8 = 2;
const BY_ROUTER: u8 = 9;
const BY_DHCP: u8 = 16;

/// What DHCP says, and what an administrator has set.
pub struct Addresses {
    dhcp: SocketHandle,
    leased: Option<(IpCidr, Option<Ipv4Addr>)>,
    /// Name servers, by DHCP.
    servers: Vec<Ipv4Addr>,
    /// Who made the routes that are not a router's.
    origins: HashMap<(IpAddr, u8), u8>,
    has_changed: bool,
}

/// The address that is good on the link only, made of the hardware's (RFC 4291, appendix A).
pub fn link_local(mac: [u8; 6]) -> Ipv6Addr {
    let [a, b, c, d, e, f] = mac;
    Ipv6Addr::from([0xfe, 0x80, 0, 0, 0, 0, 0, 0, a ^ 2, b, c, 0xff, 0xfe, d, e, f])
}

impl Addresses {
    /// Asks for addresses from now on.
    pub fn new(interface: &mut Interface, sockets: &mut SocketSet<'_>) -> Self {
        let HardwareAddress::Ethernet(mac) = interface.hardware_addr();
        let own = IpCidr::Ipv6(Ipv6Cidr::new(link_local(mac.0), 64));
        interface.update_ip_addrs(|all| {
            if all.push(own).is_err() {
                tracing::warn!("no room for the address {own}");
            }
        });
        let dhcp = sockets.add(dhcpv4::Socket::new());
        Self { dhcp, leased: None, servers: Vec::new(), origins: HashMap::new(), has_changed: true }
    }

    /// The name servers that DHCP has told.
    pub fn servers(&self) -> &[Ipv4Addr] {
        &self.servers
    }

    /// Whether something has changed since the last time.
    pub fn take_change(&mut self) -> bool {
        core::mem::take(&mut self.has_changed)
    }

    /// Asks anew: the link was away.
    pub fn ask_again(&mut self, sockets: &mut SocketSet<'_>) {
        sockets.get_mut::<dhcpv4::Socket<'_>>(self.dhcp).reset();
    }

    /// Does what DHCP says.
    pub fn pump(&mut self, interface: &mut Interface, sockets: &mut SocketSet<'_>) {
        let Some(event) = sockets.get_mut::<dhcpv4::Socket<'_>>(self.dhcp).poll() else { return };
        let (leased, servers) = match event {
            dhcpv4::Event::Configured(it) => (Some((IpCidr::Ipv4(it.address), it.router)), it.dns_servers.iter().copied().collect()),
            dhcpv4::Event::Deconfigured => (None, Vec::new()),
        };
        if leased == self.leased && servers == self.servers {
            return;
        }
        let old = core::mem::replace(&mut self.leased, leased);
        self.servers = servers;
        self.has_changed = true;
        if old != leased {
            self.replace(interface, old, leased);
        }
        match leased {
            Some((address, router)) => tracing::info!("DHCP: {address}, router {router:?}, name servers {:?}", self.servers),
            None if old.is_some() => tracing::info!("DHCP: the address is lost"),
            None => {}
        }
    }

    fn replace(&mut self, interface: &mut Interface, old: Option<(IpCidr, Option<Ipv4Addr>)>, new: Option<(IpCidr, Option<Ipv4Addr>)>) {
        interface.update_ip_addrs(|all| {
            all.retain(|it| old.is_none_or(|(address, _)| address != *it));
            if let Some((address, _)) = new
                && !all.contains(&address)
                && all.push(address).is_err()
            {
                tracing::warn!("no room for the address {address}");
            }
        });
        let default = (IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
        let routes = interface.routes_mut();
        if self.origins.get(&default) == Some(&BY_DHCP) {
            routes.remove_default_ipv4_route();
            self.origins.remove(&default);
        }
        if let Some((_, Some(router))) = new
            && routes.get_default_ipv4_route().is_none()
            && routes.add_default_ipv4_route(router).is_ok()
        {
            self.origins.insert(default, BY_DHCP);
        }
    }

    /// Changes what an administrator wants changed; `Err` holds Linux's error number.
    pub fn change(&mut self, change: &Change, interface: &mut Interface) -> Result<(), i32> {
        self.has_changed = true;
        match *change {
            Change::Address { add, ip, prefix } => {
                let most = if ip.is_ipv4() { 32 } else { 128 };
                if prefix > most || ip.is_multicast() || ip.is_unspecified() {
                    return Err(libc::EINVAL);
                }
                let address = IpCidr::new(ip.into(), prefix);
                let mut outcome = Ok(());
                interface.update_ip_addrs(|all| {
                    if !add {
                        all.retain(|it| it.address() != address.address());
                    } else if all.push(address).is_err() {
                        outcome = Err(libc::ENOBUFS);
                    }
                });
                outcome
            }
            Change::Route { add, route } => self.change_route(add, &route, interface),
            Change::Up(_) | Change::Mtu(_) => Err(libc::EOPNOTSUPP),
        }
    }

    fn change_route(&mut self, add: bool, route: &Route, interface: &mut Interface) -> Result<(), i32> {
        // Networks on the link are those of the addresses.
        let gateway = route.gateway.ok_or(libc::EOPNOTSUPP)?;
        if gateway.is_ipv4() != route.to.is_ipv4() {
            return Err(libc::EINVAL);
        }
        let to = IpCidr::new(route.to.into(), route.prefix);
        let mut outcome = Ok(());
        interface.routes_mut().update(|all| {
            let before = all.len();
            all.retain(|it| it.cidr != to);
            if !add {
                outcome = if all.len() == before { Err(libc::ESRCH) } else { Ok(()) };
                return;
            }
            let new = smoltcp::iface::Route { cidr: to, via_router: gateway.into(), preferred_until: None, expires_at: None };
            outcome = all.push(new).map_err(|_| libc::ENOBUFS);
        });
        if outcome.is_ok() {
            let key = (route.to, route.prefix);
            if add {
                self.origins.insert(key, route.origin);
            } else {
                self.origins.remove(&key);
            }
        }
        outcome
    }

    /// The addresses of an interface.
    pub fn list(&self, interface: &Interface) -> Vec<Address> {
        let one = |cidr: &IpCidr| Address { ip: cidr.address().into(), prefix: cidr.prefix_len(), lifetime_s: u32::MAX };
        interface.ip_addrs().iter().map(one).collect()
    }

    /// The routes through an interface: the networks of its addresses, and those to routers.
    pub fn routes(&self, interface: &mut Interface) -> Vec<Route> {
        let mut routes: Vec<Route> = Vec::new();
        for cidr in interface.ip_addrs() {
            let network: IpAddr = match cidr {
                IpCidr::Ipv4(cidr) => cidr.network().address().into(),
                IpCidr::Ipv6(cidr) => {
                    let mask = u128::MAX.checked_shl(128 - u32::from(cidr.prefix_len())).unwrap_or(0);
                    Ipv6Addr::from_bits(cidr.address().to_bits() & mask).into()
                }
            };
            let route = Route { to: network, prefix: cidr.prefix_len(), gateway: None, origin: BY_KERNEL };
            if !routes.contains(&route) {
                routes.push(route);
            }
        }
        let origins = &self.origins;
        interface.routes_mut().update(|all| {
            for it in all.iter() {
                let (to, prefix) = (IpAddr::from(it.cidr.address()), it.cidr.prefix_len());
                let origin = origins.get(&(to, prefix)).copied().unwrap_or(BY_ROUTER);
                routes.push(Route { to, prefix, gateway: Some(it.via_router.into()), origin });
            }
        });
        routes
    }
}
