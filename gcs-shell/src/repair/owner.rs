//! Who owns a file and what its mode allows; who listens on a port.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Owner and mode of a file.
pub struct Owned {
    /// The owner's name, or number.
    pub owner: String,
    /// Its number.
    pub uid: u32,
    /// Permission bits.
    pub mode: u32,
    /// It is a directory.
    pub directory: bool,
}

/// Looks at a file.
pub fn of(path: &Path) -> Option<Owned> {
    let meta = fs::metadata(path).ok()?;
    Some(Owned { owner: user(meta.uid()), uid: meta.uid(), mode: meta.mode() & 0o7777, directory: meta.is_dir() })
}

fn user(uid: u32) -> String {
    let wanted = uid.to_string();
    fs::read_to_string("/etc/passwd").ok().and_then(|t| t.lines().find(|l| l.split(':').nth(2) == Some(&wanted)).and_then(|l| l.split(':').next().map(str::to_owned))).unwrap_or(wanted)
}

/// The process that listens on a TCP port: its number and name.
pub fn listener(port: u16) -> Option<(u32, String)> {
    let inodes: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"].iter().filter_map(|f| fs::read_to_string(f).ok()).flat_map(|t| listening(&t, port)).collect();
    if inodes.is_empty() {
        return None;
    }
    let sockets: Vec<String> = inodes.iter().map(|i| format!("socket:[{i}]")).collect();
    for process in fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|n| n.parse().ok()) else { continue };
        let has = fs::read_dir(process.path().join("fd")).into_iter().flatten().flatten().any(|fd| fs::read_link(fd.path()).is_ok_and(|l| l.to_str().is_some_and(|l| sockets.iter().any(|s| s == l))));
        if has {
            let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some((pid, name.trim().to_owned()));
        }
    }
    None
}

/// Inodes of the sockets in `/proc/net/tcp`'s table that listen (state 0A) on `port`.
fn listening(table: &str, port: u16) -> Vec<String> {
    let end = format!(":{port:04X}");
    table
        .lines()
        .filter_map(|l| {
            let words: Vec<&str> = l.split_whitespace().collect();
            (words.get(1)?.ends_with(&end) && *words.get(3)? == "0A").then(|| words.get(9).map(|w| (*w).to_owned()))?
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_found() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let (pid, _) = listener(port).unwrap();
        assert_eq!(pid, std::process::id());
        drop(socket);
        assert_eq!(of(Path::new("/")).unwrap().owner, "root");
        assert!(of(Path::new("/does/not/exist")).is_none());
    }
}
