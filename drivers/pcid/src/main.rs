//! Enumerates the PCI bus and hands its functions to their drivers: serves `/scheme/pci`.

mod access;
mod bus;
mod list;
mod names;
mod resources;
mod scheme_files;
mod sequence;
mod sysfs;
mod tree;

use access::{Access, ConfigPorts, Ecam};
use sequence::Sequenced;
use anyhow::Context;
use clap::Parser;
use driver::port::DevPort;
use driver::retry::while_busy;
use resources::{Kernel, Resources};
use scheme::{SchemeFlags, SchemeSocket, Server};
use std::rc::Rc;
use std::time::Duration;

/// Where the kernel shows ACPI's description of the ECAM.
const MCFG: &str = "/sys/firmware/acpi/tables/MCFG";

/// Serves /scheme/pci: the PCI functions, each for its driver.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Only list the functions, with their base addresses: from a running pcid, or from Linux's /sys.
    #[arg(long)]
    list: bool,
}

fn main() -> anyhow::Result<()> {
    if Arguments::parse().list {
        return list::print(&mut std::io::stdout().lock());
    }
    kernel_log::init("pcid");
    let result = run();
    if let Err(error) = &result {
        tracing::error!("{error:#}");
    }
    result
}

fn run() -> anyhow::Result<()> {
    let functions = bus::enumerate(&find_access()?, &sysfs::known).context("looking at the PCI bus")?;
    for function in &functions {
        tracing::info!(
            "{} {}",
            function.address,
            names::describe(function.vendor, function.device, function.class)
        );
        let unassigned =
            |bar: &&Option<bus::Bar>| bar.is_some_and(|bar| bar.address == 0 && !bar.is_io);
        if function.bars.iter().any(|bar| unassigned(&bar)) {
            tracing::warn!("{}: firmware has given it no address", function.address);
        }
    }
    let socket = while_busy(Duration::from_secs(5), || {
        SchemeSocket::create("pci", SchemeFlags::NONE)
    })
    .context("creating /scheme/pci")?;
    sysfs::register(&functions);
    Server::new(socket)?.run(&mut tree::Tree::new(functions, Kernel))?;
    Ok(())
}

/// The ECAM that ACPI names, else the configuration ports; sizes by the ports, if they are there.
fn find_access() -> anyhow::Result<Rc<dyn Access>> {
    let access = find_plain_access()?;
    Ok(match DevPort::open() {
        Ok(ports) => Rc::new(Sequenced::new(access, Box::new(ports))),
        Err(error) => {
            tracing::warn!("opening /dev/port: {error}");
            access
        }
    })
}

fn find_plain_access() -> anyhow::Result<Rc<dyn Access>> {
    let regions = match std::fs::read(MCFG) {
        Ok(table) => access::parse_mcfg(&table),
        Err(_) => Vec::new(),
    };
    if regions.is_empty() {
        tracing::info!("no MCFG table: using the configuration ports");
        let ports = DevPort::open().context("opening /dev/port")?;
        return Ok(Rc::new(ConfigPorts::new(Box::new(ports))));
    }
    Ok(Rc::new(Ecam::new(
        regions,
        Box::new(|start, len| Kernel.map(start, len)),
    )))
}
