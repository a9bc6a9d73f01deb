//! How full the filesystems are, by `/proc/mounts`.

use std::collections::HashSet;

/// A filesystem that holds files on a disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storage {
    /// Where it is mounted.
    pub place: String,
    /// Its kind: `ext4`.
    pub kind: String,
    /// Bytes in use.
    pub used: u64,
    /// Bytes in all.
    pub size: u64,
}

/// Kinds that are made by the kernel or kept in RAM: nobody frees space there.
const NO_DISKS: [&str; 24] = [
    "autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs", "fusectl", "hugetlbfs", "mqueue", "nsfs", "overlay", "proc", "pstore",
    "ramfs", "rpc_pipefs", "securityfs", "squashfs", "sysfs", "tmpfs", "tracefs",
];

/// Looks at all that is mounted and has a size. What cannot be looked at is left out.
pub fn take(mounts: &str) -> Vec<Storage> {
    let look = |(place, kind): (String, String)| {
        let state = rustix::fs::statvfs(&place).ok()?;
        let size = state.f_blocks.saturating_mul(state.f_frsize);
        let used = state.f_blocks.saturating_sub(state.f_bfree).saturating_mul(state.f_frsize);
        (size > 0).then_some(Storage { place, kind, used, size })
    };
    of_disks(mounts).into_iter().filter_map(look).collect()
}

/// Places and kinds; what is mounted at several places is told of once, at the first.
fn of_disks(mounts: &str) -> Vec<(String, String)> {
    let mut seen = HashSet::new();
    let lines = mounts.lines().filter_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        Some((fields.next()?, fields.next()?, fields.next()?))
    });
    let is_disk = |(_, _, kind): &(&str, &str, &str)| !NO_DISKS.contains(kind);
    lines.filter(is_disk).filter(|(device, ..)| seen.insert(*device)).map(|(_, place, kind)| (unescaped(place), kind.to_owned())).collect()
}

/// Spaces and the like are written as `\040` (fstab(5)).
fn unescaped(text: &str) -> String {
    let mut out = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let code = text.get(at + 1..at + 4).filter(|_| bytes[at] == b'\\').and_then(|it| u8::from_str_radix(it, 8).ok());
        out.push(code.unwrap_or(bytes[at]));
        at += if code.is_some() { 4 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disks_are_told_of_once() {
        let mounts = "/dev/vda2 / redoxfs rw 0 0\nproc /proc proc rw 0 0\n/dev/vda2 /var redoxfs rw 0 0\n/dev/vda1 /boot\\040it vfat rw 0 0\ntmpfs /tmp tmpfs rw 0 0\nbad\n";
        let of = |place: &str, kind: &str| (place.to_owned(), kind.to_owned());
        assert_eq!(of_disks(mounts), [of("/", "redoxfs"), of("/boot it", "vfat")]);
    }

    #[test]
    fn this_system_is_seen() {
        let all = take("/dev/x / ext4 rw 0 0\n/dev/y /surely/not/there ext4 rw 0 0\n");
        assert!(all.len() == 1 && all[0].size >= all[0].used && all[0].used > 0);
    }
}
