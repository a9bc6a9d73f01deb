//! The tree of devices: what `/sys` shows, what `/dev` names, and the events that tell programs of changes.
//!
//! * [`tree`]: directories, attributes and links, as a filesystem.
//! * [`device`]: devices in the tree, with the links that `sysfs(5)` gives them.
//! * [`message`], [`register`]: how daemons add devices: `/scheme/device/register`.
//! * [`builtin`]: what the kernel itself has.
//!
//! The kernel knows nothing of kinds of devices: names, attributes and variables come from whoever registers one.

mod builtin;
mod device;
mod message;
mod register;
mod tree;

use crate::fs::InodeRef;

/// Makes what is always there, and the file by which daemons add the rest. Once, at boot.
pub fn init() {
    builtin::init();
    crate::scheme::add_kernel_scheme("device", register::root());
}

pub use device::block_devices;

/// The root of `/sys`.
pub fn root() -> InodeRef {
    tree::inode(tree::root())
}
