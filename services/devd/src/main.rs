//! Keeps the database of devices that libudev, and so libinput and compositors, read: listens to the kernel's events,
//! concludes what a device is, writes `/run/udev`, and tells programs.

mod control;
mod database;
mod device;
mod input;
mod monitor;
mod netlink;

use anyhow::Context;
use clap::Parser;
use control::Control;
use device::{Device, variable};
use netlink::Netlink;
use std::fs;
use std::os::fd::AsRawFd;
use std::path::Path;

/// Keeps the database of devices below /run/udev.
#[derive(Parser)]
#[command(version)]
struct Arguments {}

fn main() -> anyhow::Result<()> {
    Arguments::parse();
    kernel_log::init("devd");
    let result = run();
    if let Err(error) = &result {
        tracing::error!("{error:#}");
    }
    result
}

fn run() -> anyhow::Result<()> {
    // Listen first, so that nothing comes between what is there and what comes.
    let netlink = Netlink::open().context("listening to the kernel")?;
    database::create().context("making /run/udev")?;
    let control = Control::listen().context("making /run/udev/control")?;
    let count = enter_all(Path::new("/sys/devices"), 0);
    tracing::info!("{count} devices");
    loop {
        wait(&[netlink.as_raw_fd(), control.as_raw_fd()]).context("waiting for events")?;
        loop {
            match netlink.receive() {
                Ok(Some(event)) => on_event(&event, &netlink),
                Ok(None) => break,
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => {
                    tracing::warn!("events were lost: looking at all devices again");
                    enter_all(Path::new("/sys/devices"), 0);
                }
                Err(error) => return Err(error).context("receiving an event"),
            }
        }
        // After the events: who asks whether we are done hears so when we are.
        control.answer();
    }
}

fn wait(fds: &[i32]) -> std::io::Result<()> {
    let mut entries: Vec<libc::pollfd> = fds.iter().map(|fd| libc::pollfd { fd: *fd, events: libc::POLLIN, revents: 0 }).collect();
    // SAFETY: pointer and length of a live vector.
    if unsafe { libc::poll(entries.as_mut_ptr(), entries.len() as libc::nfds_t, -1) } < 0 {
        let error = std::io::Error::last_os_error();
        if error.kind() != std::io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    Ok(())
}

/// Microseconds since the machine started.
fn now_us() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live value.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    (time.tv_sec as u64 * 1_000_000 + time.tv_nsec as u64 / 1000).max(1)
}

/// Deeper than any device lies.
const MAX_DEPTH: usize = 24;

/// Enters all devices at and below a directory; how many.
fn enter_all(directory: &Path, depth: usize) -> usize {
    let mut count = 0;
    if directory.join("uevent").exists()
        && let Some(path) = directory.to_str().and_then(|path| path.strip_prefix("/sys"))
        && let Some(device) = Device::from_sysfs(path)
    {
        enter(device);
        count += 1;
    }
    let Ok(entries) = fs::read_dir(directory) else { return count };
    for entry in entries.flatten() {
        // Links lead elsewhere in the tree.
        if depth < MAX_DEPTH && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            count += enter_all(&entry.path(), depth + 1);
        }
    }
    count
}

/// Enters a device; as it is then, and since when.
fn enter(mut device: Device) -> (Device, u64) {
    device.conclude();
    let since = database::since(&device).unwrap_or_else(now_us);
    if let Err(error) = database::write(&device, since) {
        tracing::warn!("entering {}: {error}", device.path);
    }
    (device, since)
}

/// The kernel's event: `ACTION@PATH`, then variables.
fn on_event(event: &[u8], netlink: &Netlink) {
    let mut lines = event.split(|byte| *byte == 0).filter_map(|line| std::str::from_utf8(line).ok()).filter(|line| !line.is_empty());
    if !lines.next().is_some_and(|first| first.contains('@')) {
        return;
    }
    let kernel: Vec<(String, String)> = lines.filter_map(variable).collect();
    let mut device = Device { kernel, ..Device::default() };
    let (Some(action), Some(path)) = (device.get("ACTION").map(str::to_owned), device.get("DEVPATH").map(str::to_owned)) else { return };
    device.path = path;
    let since = if action == "remove" {
        let since = database::since(&device).unwrap_or_else(now_us);
        database::remove(&device);
        since
    } else {
        let (entered, since) = enter(device);
        device = entered;
        since
    };
    // Programs want a device's node as a path.
    for (key, value) in &mut device.kernel {
        if key == "DEVNAME" && !value.starts_with('/') {
            *value = format!("/dev/{value}");
        }
    }
    let message = monitor::encode(&device.variables(since), &device.tags);
    if let Err(error) = netlink.send(&message) {
        tracing::warn!("telling of {}: {error}", device.path);
    }
}
