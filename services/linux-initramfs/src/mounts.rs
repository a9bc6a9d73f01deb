//! The mounts: the kernel's filesystems, the root in place of the initramfs, and those that programs expect.

use std::ffi::CStr;
use std::fs;

use anyhow::{Context, Result};
use rustix::fs::CWD;
use rustix::mount::{MountFlags, mount, mount_move};

/// Mounts one filesystem; its mount point is made where it is missing.
fn mount_one(
    source: &str,
    target: &str,
    kind: &str,
    flags: MountFlags,
    options: Option<&CStr>,
) -> Result<()> {
    fs::create_dir_all(target).with_context(|| format!("cannot create {target}"))?;
    mount(source, target, kind, flags, options)
        .with_context(|| format!("cannot mount {kind} on {target}"))
}

const SAFE: MountFlags = MountFlags::NOSUID
    .union(MountFlags::NOEXEC)
    .union(MountFlags::NODEV);

/// What loading modules and finding the root needs.
pub(crate) fn early() -> Result<()> {
    mount_one(
        "devtmpfs",
        "/dev",
        "devtmpfs",
        MountFlags::NOSUID,
        Some(c"mode=0755"),
    )?;
    mount_one("proc", "/proc", "proc", SAFE, None)?;
    mount_one("sysfs", "/sys", "sysfs", SAFE, None)
}

/// Mounts `device` and makes it the root; `/dev`, `/proc` and `/sys` move along.
///
/// The first filesystem cannot be unmounted, so the new root is moved over it (Documentation/filesystems/
/// ramfs-rootfs-initramfs.rst); the initramfs's few files stay in memory.
pub(crate) fn root(device: &str) -> Result<()> {
    mount_one(device, "/newroot", "ext4", MountFlags::empty(), None)?;
    for point in ["/dev", "/proc", "/sys"] {
        let target = format!("/newroot{point}");
        fs::create_dir_all(&target).with_context(|| format!("cannot create {target}"))?;
        mount_move(point, &target).with_context(|| format!("cannot move {point}"))?;
    }
    std::env::set_current_dir("/newroot").context("cannot enter /newroot")?;
    mount_move(".", "/").context("cannot move the new root")?;
    rustix::process::chroot(".").context("cannot change the root")?;
    std::env::set_current_dir("/").context("cannot enter the new root")
}

/// What programs expect besides.
pub(crate) fn late() -> Result<()> {
    mount_one(
        "devpts",
        "/dev/pts",
        "devpts",
        MountFlags::NOSUID | MountFlags::NOEXEC,
        Some(c"gid=5,mode=620,ptmxmode=666"),
    )?;
    mount_one(
        "tmpfs",
        "/dev/shm",
        "tmpfs",
        MountFlags::NOSUID | MountFlags::NODEV,
        Some(c"mode=1777"),
    )?;
    mount_one(
        "tmpfs",
        "/tmp",
        "tmpfs",
        MountFlags::NOSUID | MountFlags::NODEV,
        Some(c"mode=1777"),
    )?;
    mount_one(
        "tmpfs",
        "/run",
        "tmpfs",
        MountFlags::NOSUID | MountFlags::NODEV,
        Some(c"mode=0755"),
    )?;
    fs::create_dir_all("/run/lock").context("cannot create /run/lock")?;
    for (link, target) in [
        ("fd", "/proc/self/fd"),
        ("stdin", "fd/0"),
        ("stdout", "fd/1"),
        ("stderr", "fd/2"),
    ] {
        rustix::fs::symlinkat(target, CWD, format!("/dev/{link}"))
            .with_context(|| format!("cannot create /dev/{link}"))?;
    }
    // The names by which programs find the ports of the exec channel; udev's work elsewhere.
    virtio_ports()
}

/// Makes `/dev/virtio-ports/NAME` for every named port of a virtio console.
fn virtio_ports() -> Result<()> {
    let Ok(ports) = fs::read_dir("/sys/class/virtio-ports") else {
        return Ok(());
    };
    fs::create_dir_all("/dev/virtio-ports").context("cannot create /dev/virtio-ports")?;
    for port in ports {
        let port = port.context("cannot read /sys/class/virtio-ports")?;
        let Ok(name) = fs::read_to_string(port.path().join("name")) else {
            continue;
        };
        let (name, device) = (name.trim(), port.file_name());
        if !name.is_empty() && !name.contains('/') {
            let target = format!("../{}", device.to_string_lossy());
            let link = format!("/dev/virtio-ports/{name}");
            rustix::fs::symlinkat(&target, CWD, &link)
                .with_context(|| format!("cannot create {link}"))?;
        }
    }
    Ok(())
}
