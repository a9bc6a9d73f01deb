//! Schemes: named servers of files, below `/scheme`.
//!
//! * [`registry`]: names and what is behind them; `/scheme` as a directory.
//! * [`user`], [`transfer`], [`socket`], [`copy`]: user schemes. The daemon's end is the socket, the client's end a [`user::Ticket`], between them the request table
//!   (crate `scheme-table`) and the transfer area.
//! * [`handle`], [`file`], [`block`]: files of ordinary schemes, as open descriptions and as names.
//! * [`fs`]: filesystems behind CACHEABLE schemes, with inodes and the page cache.
//! * [`changes`]: what such a filesystem's daemon was told and has not committed.
//! * [`disk_stats`]: how much goes to and from disks.
//! * [`health`]: which daemons are hung.
//! * [`memory`], [`irq`], [`acpi`]: what drivers get from the kernel. [`pseudo`]: directories and files that the kernel makes up.
//!
//! The contract with the daemons is the page "Contracts between the parts" of the book; the wire format is the crate `scheme-abi`.

mod acpi;
mod block;
mod changes;
mod convert;
mod copy;
pub mod disk_stats;
mod file;
mod fs;
mod handle;
mod health;
mod irq;
mod memory;
pub mod pseudo;
mod registry;
mod socket;
mod transfer;
mod user;

pub use file::raw_call;
pub use registry::{add_kernel_scheme, block_number};

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::error::Result;
use crate::fs::mount::register_type;
use crate::fs::{SuperBlock, mount_first, root};
use crate::task::Credentials;

/// Registers the kernel's own schemes and the filesystem types `schemefs` and `scheme`, and mounts `/scheme` in the first root. Once, at boot, after that root is there.
pub fn init(boot: &'static frame::BootInfo) {
    add_kernel_scheme("memory", memory::root(boot.framebuffer));
    add_kernel_scheme("irq", irq::root());
    add_kernel_scheme("acpi", acpi::root());
    add_kernel_scheme("initfs", fs::view(root().inode().clone()));
    add_kernel_scheme("health", health::file());
    register_type("schemefs", true, mount_schemefs);
    register_type("scheme", true, mount_scheme);
    mount_first(&root(), b"schemefs", b"/scheme");
}

/// `mount(..., "schemefs", ...)`: the directory of all schemes.
fn mount_schemefs(_source: &[u8], _options: &[u8], _who: &Credentials) -> Result<Arc<SuperBlock>> {
    Ok(SuperBlock::new("schemefs", registry::scheme_directory(), Vec::new()))
}

/// `mount("/scheme/<name>", ..., "scheme", ...)`.
fn mount_scheme(source: &[u8], _options: &[u8], _who: &Credentials) -> Result<Arc<SuperBlock>> {
    registry::super_block(source.strip_prefix(b"/scheme/").unwrap_or(source))
}
