//! Options.

use std::time::Duration;

use rustix::net::{AddressFamily, SocketType, sockopt};

pub fn options() {
    let tcp = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    println!("type {:?}, family {:?}, listening {}", sockopt::socket_type(&tcp).unwrap() == SocketType::STREAM, sockopt::socket_domain(&tcp).unwrap(), sockopt::socket_acceptconn(&tcp).unwrap());
    println!("nodelay {}", sockopt::tcp_nodelay(&tcp).unwrap());
    sockopt::set_tcp_nodelay(&tcp, true).unwrap();
    println!("nodelay {}", sockopt::tcp_nodelay(&tcp).unwrap());
    println!("keepalive {} {:?}", sockopt::socket_keepalive(&tcp).unwrap(), sockopt::tcp_keepidle(&tcp));
    println!("{:?} {:?}", sockopt::set_tcp_keepidle(&tcp, Duration::from_secs(30)), sockopt::tcp_keepidle(&tcp));
    println!("{:?} {:?}", sockopt::set_tcp_keepcnt(&tcp, 200), sockopt::tcp_keepcnt(&tcp));
    println!("{:?} {:?}", sockopt::set_tcp_keepintvl(&tcp, Duration::from_secs(9)), sockopt::tcp_keepintvl(&tcp));
    println!("linger {:?}", sockopt::socket_linger(&tcp));
    sockopt::set_socket_linger(&tcp, Some(Duration::from_secs(3))).unwrap();
    println!("linger {:?}", sockopt::socket_linger(&tcp));
    sockopt::set_socket_send_buffer_size(&tcp, 10_000).unwrap();
    println!("send buffer {}", sockopt::socket_send_buffer_size(&tcp).unwrap());
    sockopt::set_socket_recv_buffer_size(&tcp, 1).unwrap();
    println!("receive buffer {}", sockopt::socket_recv_buffer_size(&tcp).unwrap());
    println!("time-out {:?}", sockopt::socket_timeout(&tcp, sockopt::Timeout::Recv));
    sockopt::set_socket_timeout(&tcp, sockopt::Timeout::Recv, Some(Duration::from_millis(1500))).unwrap();
    println!("time-out {:?}", sockopt::socket_timeout(&tcp, sockopt::Timeout::Recv));
    println!("reuse {} {}", sockopt::socket_reuseaddr(&tcp).unwrap(), sockopt::socket_reuseport(&tcp).unwrap());
    println!("ttl {:?} {:?} {:?}", sockopt::ip_ttl(&tcp), sockopt::set_ip_ttl(&tcp, 0), sockopt::set_ip_ttl(&tcp, 33));
    println!("ttl {:?}", sockopt::ip_ttl(&tcp));
    println!("only IPv6, of IPv4: {:?}", sockopt::ipv6_v6only(&tcp));
    println!("cork {:?}, quick {:?}", sockopt::tcp_cork(&tcp), sockopt::tcp_quickack(&tcp));
    let udp = rustix::net::socket(AddressFamily::INET6, SocketType::DGRAM, None).unwrap();
    println!("only IPv6 {:?}", sockopt::ipv6_v6only(&udp));
    sockopt::set_ipv6_v6only(&udp, true).unwrap();
    println!("only IPv6 {:?}", sockopt::ipv6_v6only(&udp));
    println!("hops {:?}, nodelay {:?}", sockopt::ipv6_unicast_hops(&udp), sockopt::tcp_nodelay(&udp));
    println!("broadcast {:?}", sockopt::socket_broadcast(&udp));
    println!("datagrams listen: {:?}", rustix::net::listen(&udp, 1));
    println!("datagrams accept: {:?}", rustix::net::accept(&udp).map(|_| ()));
    println!("wrong family: {:?}", rustix::net::socket(AddressFamily::INET, SocketType::SEQPACKET, None).map(|_| ()));
    println!("wrong protocol: {:?}", rustix::net::socket(AddressFamily::INET, SocketType::STREAM, Some(rustix::net::ipproto::UDP)).map(|_| ()));
    println!("pairs: {:?}", rustix::net::socketpair(AddressFamily::INET, SocketType::STREAM, rustix::net::SocketFlags::empty(), None).map(|_| ()));
}
