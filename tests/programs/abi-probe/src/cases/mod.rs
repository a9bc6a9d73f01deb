//! The cases, by subject.

mod aio;
mod capabilities;
mod disk;
mod driven;
mod events;
mod fanotify;
mod fds;
mod files;
mod found;
mod flags;
mod futexes;
mod handover;
mod inotify;
mod ipc;
mod keys;
mod landlock;
mod locks;
mod memory;
mod misc;
mod mounts;
mod mqueue;
mod names;
mod namespaces;
mod packets;
mod permissions;
mod pipes;
mod processes;
mod rseq;
mod signals;
mod sockets;
mod time;
mod urgent;
mod uring;
mod util;
mod xattrs;

use crate::harness::Group;

/// Every group.
pub const GROUPS: &[Group] = &[
    files::GROUP,
    aio::GROUP,
    uring::GROUP,
    names::GROUP,
    permissions::GROUP,
    capabilities::GROUP,
    landlock::GROUP,
    xattrs::GROUP,
    disk::GROUP,
    fds::GROUP,
    locks::GROUP,
    pipes::GROUP,
    events::GROUP,
    driven::GROUP,
    inotify::GROUP,
    fanotify::GROUP,
    signals::GROUP,
    processes::GROUP,
    memory::GROUP,
    futexes::GROUP,
    handover::GROUP,
    rseq::GROUP,
    ipc::GROUP,
    mqueue::GROUP,
    keys::GROUP,
    sockets::GROUP,
    urgent::GROUP,
    packets::GROUP,
    time::GROUP,
    mounts::GROUP,
    misc::GROUP,
    found::GROUP,
    namespaces::GROUP,
    flags::files::GROUP,
    flags::memory::GROUP,
    flags::processes::GROUP,
    flags::events::GROUP,
    flags::sockets::GROUP,
];
