//! Driver of virtio GPUs (virtio 1.2, section 5.7) without 3D: serves `/scheme/drm.card<n>`, which is `/dev/dri/card<n>`.

mod gpu;
mod protocol;
mod queues;

use anyhow::Context;
use clap::Parser;
use driver::address::PciAddress;
use driver::pci::PciFunction;
use gpu::Gpu;
use std::rc::Rc;
use virtio::pci::PciTransport;

/// Drives a virtio GPU and serves it as /dev/dri/card<NUMBER>.
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
    kernel_log::init("virtio-gpud");
    let arguments = Arguments::parse();
    kernel_log::logged(arguments.address, run(&arguments))
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let function = Rc::new(PciFunction::open(arguments.address).context("taking the device from pcid")?);
    let transport = PciTransport::new(&function).context("mapping its registers")?;
    let irq = function.msix(0).context("getting an interrupt")?;
    let memory = function.clone();
    let unique = format!("pci:{}", arguments.address);
    let gpu = Gpu::start(Box::new(transport), Box::new(move |len| memory.dma(len)), unique).context("starting the device")?;
    drm_daemon::serve(gpu, arguments.number, Some(&irq))
}
