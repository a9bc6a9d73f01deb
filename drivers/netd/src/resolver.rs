//! `/run/resolv.conf`: the name servers that DHCP has told, for the C library.

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::Path;

/// Where it is written; `/etc/resolv.conf` leads there.
pub const PATH: &str = "/run/resolv.conf";

/// The file's text.
fn text(servers: &[Ipv4Addr]) -> String {
    let lines: String = servers.iter().map(|server| format!("nameserver {server}\n")).collect();
    format!("# Written by netd: the name servers that DHCP has told.\n{lines}")
}

/// Writes it, whole or not at all.
///
/// # Errors
/// Those of the files.
pub fn write(path: &Path, servers: &[Ipv4Addr]) -> io::Result<()> {
    let new = path.with_extension("new");
    fs::write(&new, text(servers))?;
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_has_a_line() {
        let text = text(&[Ipv4Addr::new(10, 0, 2, 3), Ipv4Addr::new(9, 9, 9, 9)]);
        assert!(text.ends_with("\nnameserver 10.0.2.3\nnameserver 9.9.9.9\n"));
    }
}
