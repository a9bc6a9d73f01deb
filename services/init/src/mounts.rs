//! The filesystems of the namespace.

use crate::sys;
use std::fs;
use std::io;
use std::path::Path;

/// A filesystem to mount: type, where, flags.
type Mount = (&'static str, &'static str, libc::c_ulong);

const SAFE: libc::c_ulong = libc::MS_NOSUID | libc::MS_NODEV;

/// What every program expects, in the order of mounting. `schemefs` exists on our kernel only.
const MOUNTS: [Mount; 8] = [
    ("proc", "/proc", SAFE | libc::MS_NOEXEC),
    ("sysfs", "/sys", SAFE | libc::MS_NOEXEC),
    ("devtmpfs", "/dev", libc::MS_NOSUID),
    ("devpts", "/dev/pts", libc::MS_NOSUID | libc::MS_NOEXEC),
    ("tmpfs", "/dev/shm", SAFE),
    ("tmpfs", "/tmp", SAFE),
    ("tmpfs", "/run", SAFE),
    ("schemefs", "/scheme", 0),
];

/// The mount points that drivers need before there is a root: in the initfs.
const EARLY: [&str; 4] = ["/proc", "/sys", "/dev", "/scheme"];

/// Mounts on the initfs what drivers need. Failures are returned as messages: there is no log yet.
pub fn early() -> Vec<String> {
    mount_all(|target| EARLY.contains(&target))
}

/// Mounts everything on the new root.
pub fn all() -> Vec<String> {
    mount_all(|_| true)
}

fn mount_all(wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let mounted = fs::read_to_string("/proc/mounts").unwrap_or_default();
    let mut problems = Vec::new();
    for (kind, target, flags) in MOUNTS.iter().filter(|(_, target, _)| wanted(target)) {
        if is_mounted(&mounted, kind, target) {
            continue;
        }
        let _ = fs::create_dir_all(target);
        match sys::mount(kind, target, kind, *flags) {
            Ok(()) => {}
            // Mounted already, by the kernel or by Linux's initramfs.
            Err(error) if error.raw_os_error() == Some(libc::EBUSY) => {}
            // On Linux there are no schemes.
            Err(error) if error.raw_os_error() == Some(libc::ENODEV) && *kind == "schemefs" => {}
            Err(error) => problems.push(format!("mounting {kind} on {target}: {error}")),
        }
    }
    problems
}

/// Whether `/proc/mounts` has this filesystem at this place.
fn is_mounted(mounts: &str, kind: &str, target: &str) -> bool {
    mounts.lines().any(|line| {
        let mut fields = line.split(' ').skip(1);
        fields.next() == Some(target) && fields.next() == Some(kind)
    })
}

/// Makes the filesystem of scheme `root` the root of the namespace.
pub fn switch_root() -> io::Result<()> {
    sys::mount("/scheme/root", "/", "scheme", 0)?;
    std::env::set_current_dir("/")
}

/// Makes Linux's root writable; kernels mount it read-only.
pub fn remount_root_writable() -> io::Result<()> {
    sys::mount("none", "/", "none", libc::MS_REMOUNT)
}

/// Whether this kernel has schemes.
pub fn has_schemes() -> bool {
    Path::new("/scheme/memory").exists() || Path::new("/scheme/initfs").exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_are_recognised_by_place_and_type() {
        let mounts = "proc /proc proc rw 0 0\nnone /tmp overlay rw 0 0\n";
        assert!(is_mounted(mounts, "proc", "/proc"));
        assert!(!is_mounted(mounts, "tmpfs", "/tmp"));
        assert!(!is_mounted(mounts, "proc", "/pro"));
    }
}
