//! NETLINK_KOBJECT_UEVENT: the kernel's events of devices go to group 1; what user space makes of them to group 2.

use alloc::vec::Vec;

use super::{Address, Message, NETLINK_KOBJECT_UEVENT, multicast};

/// The group that hears the kernel.
const KERNEL_GROUP: u32 = 1;

/// Sends an event to all who listen.
pub fn broadcast(message: Vec<u8>) {
    let len = message.len();
    let from = Address { port: 0, groups: KERNEL_GROUP };
    multicast(NETLINK_KOBJECT_UEVENT, &crate::ipc::network::NetNamespace::first(), None, Message { bytes: message.into(), from, credentials: (0, 0, 0), len });
}
