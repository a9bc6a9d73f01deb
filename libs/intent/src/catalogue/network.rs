//! The network.

use actions::quote::quote;

use super::{Intent, Outcome, Unfilled, built, first_available};
use crate::request::Request;

pub(super) const INTENTS: &[Intent] = &[
    Intent { id: "net.ip", about: "addresses of this machine", example: "what is my ip address", build: ip },
    Intent { id: "net.interfaces", about: "network interfaces", example: "list network interfaces", build: interfaces },
    Intent { id: "net.ping", about: "whether a host answers", example: "ping example.org", build: ping },
    Intent { id: "net.port_open", about: "whether a port of a host is open", example: "is port 22 open on localhost", build: port_open },
    Intent { id: "net.ports", about: "which ports are listened on", example: "which ports are open", build: ports },
    Intent { id: "net.port_user", about: "which program uses a port", example: "what is using port 8080", build: port_user },
    Intent { id: "net.connections", about: "open network connections", example: "show active network connections", build: connections },
    Intent { id: "net.dns", about: "the address of a host", example: "look up the address of example.org", build: dns },
    Intent { id: "net.dns_servers", about: "which DNS servers are asked", example: "which dns server am I using", build: dns_servers },
    Intent { id: "net.route", about: "routes and the gateway", example: "what is my default gateway", build: route },
    Intent { id: "net.download", about: "download a file", example: "download https://example.org/a.tar.gz", build: download },
    Intent { id: "net.traffic", about: "bytes sent and received", example: "how much data was sent and received", build: traffic },
];

fn ip(r: &Request<'_>) -> Outcome {
    let c = first_available(r, &[("ip", "ip -brief address".into()), ("hostname", "hostname -I".into()), ("awk", "awk '/32 host/ {print f} {f = $2}' /proc/net/fib_trie | sort -u".into())]);
    built(c, "Shows the network addresses of this machine.")
}

fn interfaces(r: &Request<'_>) -> Outcome {
    let c = first_available(r, &[("ip", "ip -brief link".into()), ("ls", "ls /sys/class/net".into())]);
    built(c, "Lists the network interfaces.")
}

fn ping(r: &Request<'_>) -> Outcome {
    let told = if r.has(&["once"]) { Some(1) } else if r.has(&["twice"]) { Some(2) } else { None };
    let n = told.or_else(|| r.num().filter(|n| (1..=1000).contains(n))).unwrap_or(4);
    let h = r.host().or_else(|| r.any_unknown()).or_else(|| r.has(&["internet", "network", "online"]).then(|| "1.1.1.1".to_owned())).ok_or(Unfilled::Missing("Which host?"))?;
    built(format!("ping -c {n} {}", quote(&h)), format!("Sends {n} packets to {h} and shows whether it answers."))
}

fn port_open(r: &Request<'_>) -> Outcome {
    let p = r.num().filter(|p| *p < 65536).ok_or(Unfilled::Missing("Which port?"))?;
    let h = r.host().unwrap_or_else(|| "localhost".into());
    if !h.chars().all(|c| c.is_ascii_alphanumeric() || ".-:_".contains(c)) {
        return Err(Unfilled::Missing("Which host?"));
    }
    built(format!("timeout 3 bash -c '< /dev/tcp/{h}/{p}' && echo open || echo closed"), format!("Tries to connect to port {p} of {h}."))
}

fn ports(r: &Request<'_>) -> Outcome {
    let c = first_available(r, &[("ss", "ss -tulpn".into()), ("netstat", "netstat -tulpn".into()), ("cat", "cat /proc/net/tcp /proc/net/udp".into())]);
    built(c, "Lists the ports that programs listen on.")
}

fn port_user(r: &Request<'_>) -> Outcome {
    let p = r.num().filter(|p| *p < 65536).ok_or(Unfilled::Missing("Which port?"))?;
    built(format!("ss -tulpn 'sport = :{p}'"), format!("Shows which program listens on port {p}."))
}

fn connections(r: &Request<'_>) -> Outcome {
    let c = first_available(r, &[("ss", "ss -tunp".into()), ("netstat", "netstat -tunp".into()), ("cat", "cat /proc/net/tcp".into())]);
    built(c, "Lists open network connections.")
}

fn dns(r: &Request<'_>) -> Outcome {
    let h = r.host().or_else(|| r.any_unknown()).ok_or(Unfilled::Missing("Of which host?"))?;
    built(format!("getent ahosts {}", quote(&h)), format!("Looks up the addresses of {h}."))
}

fn dns_servers(_: &Request<'_>) -> Outcome {
    built("cat /etc/resolv.conf", "Shows which DNS servers are asked.")
}

fn route(r: &Request<'_>) -> Outcome {
    let c = first_available(r, &[("ip", "ip route".into()), ("cat", "cat /proc/net/route".into())]);
    built(c, "Shows the routes, with the default gateway.")
}

fn download(r: &Request<'_>) -> Outcome {
    let u = r.url().ok_or(Unfilled::Missing("Which address? Write it as https://..."))?;
    let c = first_available(r, &[("curl", format!("curl -fLO {}", quote(&u))), ("wget", format!("wget {}", quote(&u)))]);
    built(c, format!("Downloads {u} into this directory."))
}

fn traffic(_: &Request<'_>) -> Outcome {
    built("cat /proc/net/dev", "Shows bytes and packets received and sent by each interface.")
}
