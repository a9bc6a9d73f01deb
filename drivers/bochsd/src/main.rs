//! Driver of QEMU's standard VGA (PCI 1234:1111): the display interface of Bochs (VBE DISPI) through registers in memory. Serves
//! `/scheme/drm.card<n>`, which is `/dev/dri/card<n>`.

mod dispi;

use anyhow::{Context, ensure};
use clap::Parser;
use dispi::{Dispi, MMIO_BYTES};
use driver::address::PciAddress;
use driver::config::{ConfigSpace, DEVICE_ID, VENDOR_ID};
use driver::pci::PciFunction;
use drm_daemon::linear::Linear;

/// Drives QEMU's standard VGA and serves it as /dev/dri/card<NUMBER>.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The device's PCI function, like 0000:00:02.0.
    address: PciAddress,
    /// The card's number.
    #[arg(default_value_t = 0)]
    number: u32,
}

fn main() -> anyhow::Result<()> {
    kernel_log::init("bochsd");
    let arguments = Arguments::parse();
    kernel_log::logged(arguments.address, run(&arguments))
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let function = PciFunction::open(arguments.address).context("taking the device from pcid")?;
    let config = function.config();
    let ids = (config.read16(VENDOR_ID)?, config.read16(DEVICE_ID)?);
    ensure!(ids == (0x1234, 0x1111), "PCI device {:04x}:{:04x} is not QEMU's standard VGA", ids.0, ids.1);
    let registers = function.map_bar(2, 0, MMIO_BYTES).context("mapping its registers")?;
    let bytes = dispi::memory_bytes(&registers).context("no display interface")?;
    let memory = function.map_bar(0, 0, bytes).context("mapping its memory")?;
    let dispi = Dispi::new(registers, memory, format!("pci:{}", arguments.address));
    drm_daemon::serve(Linear::new(dispi), arguments.number, None)
}
