//! Driver of virtio console devices (virtio 1.1, section 5.3): serves `/scheme/vport`, a stream for each named port.

mod port;
mod ports;
mod serial;

use anyhow::Context;
use clap::Parser;
use driver::address::PciAddress;
use driver::pci::PciFunction;
use driver::retry::while_busy;
use ports::Ports;
use scheme::{SchemeFlags, SchemeSocket, Server};
use serial::Serial;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::time::Duration;
use virtio::pci::PciTransport;

/// Drives a virtio console device and serves its named ports as /scheme/vport/NAME.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The device's PCI function, like 0000:00:04.0.
    address: PciAddress,
}

fn main() -> anyhow::Result<()> {
    kernel_log::init("virtio-seriald");
    let arguments = Arguments::parse();
    kernel_log::logged(arguments.address, run(&arguments))
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let function =
        Rc::new(PciFunction::open(arguments.address).context("taking the device from pcid")?);
    let transport = PciTransport::new(&function).context("mapping its registers")?;
    let irq = function.msix(0).context("getting an interrupt")?;
    let memory = function.clone();
    let ports = Ports::start(Box::new(transport), Box::new(move |len| memory.dma(len)))
        .context("starting the device")?;
    let mut serial = Serial::new(ports);
    let socket = while_busy(Duration::from_secs(5), || {
        SchemeSocket::create("vport", SchemeFlags::NONE)
    })
    .context("creating /scheme/vport")?;
    let mut server = Server::new(socket)?;
    // What the device said before there was a scheme.
    serial.interrupt(server.outbox());
    loop {
        let wake = server.wait(&[irq.as_fd()], None)?;
        if wake.ended {
            return Ok(());
        }
        if !wake.others.is_empty() {
            irq.acknowledge()?;
            serial.interrupt(server.outbox());
        }
        while let Some(request) = server.next_request() {
            if let Some(request) = server.handle(&mut serial, request) {
                server.refuse(request, scheme::Errno::AGAIN);
            }
        }
        if let Some(error) = serial.failure.take() {
            server.flush()?;
            return Err(error).context("the device is broken; a new driver will reset it");
        }
    }
}
