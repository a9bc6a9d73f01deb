//! Messages survive the wire, and what is none is refused.

use net_abi::{Change, Report, Route, TcpOptions, ToKernel, ToStack, split};
use proptest::prelude::*;
use std::net::{IpAddr, SocketAddr};

fn ip() -> impl Strategy<Value = IpAddr> {
    // The mapped form of IPv4 addresses is the only one that does not come back as it was.
    any::<[u8; 16]>().prop_map(|octets| IpAddr::from(octets).to_canonical()).boxed().prop_union(any::<[u8; 4]>().prop_map(IpAddr::from).boxed())
}

fn address() -> impl Strategy<Value = SocketAddr> {
    (ip(), any::<u16>()).prop_map(|(ip, port)| SocketAddr::new(ip, port))
}

fn options() -> impl Strategy<Value = TcpOptions> {
    any::<(bool, u32, u32, u8)>().prop_map(|(no_delay, keep_alive_s, user_timeout_ms, hop_limit)| TcpOptions { no_delay, keep_alive_s, user_timeout_ms, hop_limit })
}

proptest! {
    #[test]
    fn to_the_stack(id: u64, local in address(), remote in address(), options in options(), bytes: Vec<u8>, flag: bool, word: u32, octet: u8) {
        let route = Route { to: local.ip(), prefix: octet, gateway: flag.then_some(remote.ip()), origin: octet };
        let messages = [
            ToStack::Connect { local, remote, options },
            ToStack::Listen { local, only_v6: flag },
            ToStack::Unlisten,
            ToStack::Data(&bytes),
            ToStack::Finish,
            ToStack::Close,
            ToStack::Abort,
            ToStack::Consumed(word),
            ToStack::Options(options),
            ToStack::Datagram { protocol: octet, hop_limit: octet, from: local, to: remote, bytes: &bytes },
            ToStack::Forget,
            ToStack::Unreachable { from: local, to: remote, len: word as u16 },
            ToStack::Group { join: flag, ip: local.ip() },
            ToStack::Configure(Change::Address { add: flag, ip: local.ip(), prefix: octet }),
            ToStack::Configure(Change::Route { add: flag, route }),
            ToStack::Configure(Change::Up(flag)),
            ToStack::Configure(Change::Mtu(word)),
            ToStack::Capture(flag),
            ToStack::Frame(&bytes),
        ];
        let mut wire = Vec::new();
        messages.iter().for_each(|message| message.encode(id, &mut wire));
        let mut rest = wire.as_slice();
        for message in messages {
            let (header, body, after) = split(rest).unwrap().unwrap();
            prop_assert_eq!(header.id, id);
            prop_assert_eq!(ToStack::decode(&header, body), Ok(message));
            rest = after;
        }
        prop_assert_eq!(split(rest), Ok(None));
    }

    #[test]
    fn to_the_kernel(id: u64, local in address(), remote in address(), bytes: Vec<u8>, word: u32, octet: u8) {
        let report = Report { protocol: octet, local, remote, offender: remote.ip(), errno: word, kind: octet, code: octet, info: word };
        let messages = [
            ToKernel::Connected,
            ToKernel::Accepted { local, remote },
            ToKernel::Data(&bytes),
            ToKernel::Finished,
            ToKernel::Failed(word),
            ToKernel::Room(word),
            ToKernel::Datagram { protocol: octet, hop_limit: octet, from: local, to: remote, bytes: &bytes },
            ToKernel::Report(report),
            ToKernel::Done(word),
            ToKernel::Frame { is_sent: octet % 2 == 0, bytes: &bytes },
        ];
        let mut wire = Vec::new();
        messages.iter().for_each(|message| message.encode(id, &mut wire));
        let mut rest = wire.as_slice();
        for message in messages {
            let (header, body, after) = split(rest).unwrap().unwrap();
            prop_assert_eq!(ToKernel::decode(&header, body), Ok(message));
            rest = after;
        }
    }

    #[test]
    fn anything(bytes: Vec<u8>) {
        let mut rest = bytes.as_slice();
        while let Ok(Some((header, body, after))) = split(rest) {
            let _ = ToStack::decode(&header, body);
            let _ = ToKernel::decode(&header, body);
            rest = after;
        }
    }
}
