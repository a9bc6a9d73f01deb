//! The filesystems `proc` (`proc(5)`) and `sysfs` (`sysfs(5)`): views of the kernel as text.

mod disks;
mod id_maps;
mod maps;
mod memory;
pub mod namespaces;
mod net;
mod node;
mod pagemap;
mod process;
pub use process::process_of;
mod sysctl;
mod sysctl_net;
pub mod sysfs;
mod system;

use crate::fs::mount::{SuperBlock, register_type};
use crate::scheme::pseudo::Dir;
use crate::task::pid_ns;

/// Registers the filesystem types.
pub fn init() {
    register_type("proc", true, |_, _, _| Ok(SuperBlock::new("proc", Dir::of(system::Root(pid_ns::current()), 1), alloc::vec::Vec::new())));
    register_type("sysfs", true, |_, _, _| Ok(SuperBlock::new("sysfs", crate::devices::root(), alloc::vec::Vec::new())));
}
