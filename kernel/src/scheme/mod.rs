//! Schemes: named servers of files, below `/scheme`.
//!
//! * [`registry`]: names and what is behind them; `/scheme` as a directory.
//! * [`user`], [`transfer`], [`socket`]: user schemes. The daemon's end is the socket, the client's end a [`user::Ticket`], between them the request table
//!   (crate `scheme-table`) and the transfer area.
//! * [`handle`], [`file`], [`block`]: files of ordinary schemes, as open descriptions and as names.
//! * [`fs`]: filesystems behind CACHEABLE schemes, with inodes and the page cache.
//! * [`memory`], [`irq`], [`acpi`]: what drivers get from the kernel. [`pseudo`]: directories and files that the kernel makes up.
//!
//! The contract with the daemons is the page "Contracts between the parts" of the book; the wire format is the crate `scheme-abi`.

mod acpi;
mod block;
mod convert;
mod file;
mod fs;
mod handle;
mod irq;
mod memory;
mod pseudo;
mod registry;
mod socket;
mod transfer;
mod user;

pub use acpi::table as acpi_table;
pub use registry::{add_kernel_scheme, mount_root, scheme_directory};

/// Registers the kernel's own schemes. Once, at boot.
pub fn init(boot: &'static frame::BootInfo) {
    add_kernel_scheme("memory", memory::root(boot.framebuffer));
    add_kernel_scheme("irq", irq::root());
    add_kernel_scheme("acpi", acpi::root());
}
