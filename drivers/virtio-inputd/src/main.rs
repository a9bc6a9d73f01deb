//! Driver of virtio input devices (virtio 1.1, section 5.8): keyboards, mice, tablets. Its events go to `inputd`.

mod config;
mod device;

use anyhow::Context;
use clap::Parser;
use device::Device;
use driver::address::PciAddress;
use driver::pci::PciFunction;
use input_event::producer::Producer;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::os::fd::AsFd;
use virtio::pci::PciTransport;

/// How often inputd is looked for while it is not there.
const RETRY: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };

/// Drives a virtio input device and gives its events to inputd.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The device's PCI function, like 0000:00:06.0.
    address: PciAddress,
}

fn main() -> anyhow::Result<()> {
    kernel_log::init("virtio-inputd");
    let arguments = Arguments::parse();
    kernel_log::logged(arguments.address, run(&arguments))
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let function = PciFunction::open(arguments.address).context("taking the device from pcid")?;
    let transport = PciTransport::new(&function).context("mapping its registers")?;
    let irq = function.msix(0).context("getting an interrupt")?;
    let phys = format!("pci-{}/input0", arguments.address);
    let parent = format!("/devices/pci0000:00/{}", arguments.address);
    let (mut device, description) = Device::start(
        Box::new(transport),
        &|len| function.dma(len),
        |transport| config::describe(transport, &phys, &parent),
    )
    .context("starting the device")?;
    tracing::info!("{}: {}", arguments.address, description.name);
    let mut producer = Producer::new(&description);
    loop {
        producer.connect();
        for group in device.take().context("the device is broken; a new driver will reset it")? {
            producer.send(&group);
        }
        for change in producer.receive() {
            device.send(change)?;
        }
        let mut fds = vec![PollFd::from_borrowed_fd(irq.as_fd(), PollFlags::IN)];
        fds.extend(producer.fd().map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
        let timeout = if producer.is_connected() { None } else { Some(&RETRY) };
        match poll(&mut fds, timeout) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno).context("waiting for events"),
        }
        if !fds[0].revents().is_empty() {
            irq.acknowledge().context("taking the interrupt")?;
        }
    }
}
