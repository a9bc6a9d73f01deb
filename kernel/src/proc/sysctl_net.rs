//! `/proc/sys/net`: what programs look up before they make sockets. The numbers are those that the sockets go by.

use alloc::format;

use super::node::{Text, fixed};
use super::sysctl::{DIR, FILE, constant, number};
use crate::fs::InodeRef;
use crate::ipc::inet::ports::EPHEMERAL;

/// The directory.
pub fn root() -> InodeRef {
    fixed(&[
        ("core", DIR, core_directory),
        ("ipv4", DIR, ipv4),
        ("ipv6", DIR, ipv6),
        ("unix", DIR, || fixed(&[("max_dgram_qlen", FILE, constant!(512))])),
    ])
}

fn core_directory() -> InodeRef {
    fixed(&[
        ("rmem_default", FILE, constant!(212_992)),
        ("somaxconn", FILE, constant!(4096)),
        ("wmem_default", FILE, constant!(212_992)),
    ])
}

fn ipv4() -> InodeRef {
    fixed(&[
        ("ip_default_ttl", FILE, constant!(64)),
        ("ip_forward", FILE, constant!(0)),
        ("ip_local_port_range", FILE, || Text::new(|| format!("{}\t{}\n", EPHEMERAL.start(), EPHEMERAL.end()).into_bytes())),
        ("ip_nonlocal_bind", FILE, constant!(0)),
        ("ip_unprivileged_port_start", FILE, constant!(1024)),
        ("tcp_keepalive_intvl", FILE, constant!(75)),
        ("tcp_keepalive_probes", FILE, constant!(9)),
        ("tcp_keepalive_time", FILE, constant!(7200)),
    ])
}

fn ipv6() -> InodeRef {
    fixed(&[
        ("bindv6only", FILE, constant!(0)),
        ("conf", DIR, || {
            fixed(&[
                ("all", DIR, || fixed(&[("disable_ipv6", FILE, constant!(0)), ("forwarding", FILE, constant!(0))])),
                ("default", DIR, || fixed(&[("disable_ipv6", FILE, constant!(0)), ("forwarding", FILE, constant!(0))])),
                ("lo", DIR, || fixed(&[("disable_ipv6", FILE, constant!(0)), ("forwarding", FILE, constant!(0))])),
            ])
        }),
    ])
}
