//! Driver of virtio network devices (virtio 1.2, section 5.1): serves `/scheme/network.<interface>`.
//!
//! Frames are in memory that the device, the driver and the network stack share (crate `network-device`). The device is reset at the start,
//! whatever a predecessor left it doing; the stack notices a restart and opens the interface again.

mod files;
mod nic;
#[cfg(test)]
mod nic_tests;

use anyhow::Context;
use clap::Parser;
use driver::address::PciAddress;
use driver::irq::Irq;
use driver::pci::PciFunction;
use driver::registration::{Devices, Registration};
use driver::retry::while_busy;
use files::Files;
use network_device::Interface;
use nic::Nic;
use scheme::{Errno, SchemeFlags, SchemeSocket, Server};
use std::os::fd::AsFd;
use std::time::Duration;
use virtio::pci::PciTransport;

/// How often to look again, letting others run, before sleeping: an interrupt and a wake-up cost more.
const LOOKS: u32 = 1;

/// Drives a virtio network device and serves it as /scheme/network.NAME.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The device's PCI function, like 0000:00:08.0.
    address: PciAddress,
    /// The interface's name, like eth0.
    name: String,
}

fn main() -> anyhow::Result<()> {
    kernel_log::init("virtio-netd");
    let arguments = Arguments::parse();
    let subject = format!("{} at {}", arguments.name, arguments.address);
    kernel_log::logged(subject, run(&arguments))
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let function = PciFunction::open(arguments.address).context("taking the device from pcid")?;
    let transport = PciTransport::new(&function).context("mapping its registers")?;
    let irq = function.msix(0).context("getting an interrupt")?;
    let changes = function.msix(1).context("getting a second interrupt")?;
    let nic = Nic::start(Box::new(transport), &|len| function.dma(len), Some((0, 1))).context("starting the device")?;
    let name = format!("network.{}", arguments.name);
    let create = || SchemeSocket::create(&name, SchemeFlags::NONE);
    let socket = while_busy(Duration::from_secs(5), create).with_context(|| format!("creating /scheme/{name}"))?;
    let interface = nic.interface();
    let mac = interface.mac.map(|byte| format!("{byte:02x}")).join(":");
    let link = if interface.is_up { "up" } else { "down" };
    tracing::info!("{}: {mac}, MTU {}, link {link}", arguments.name, interface.mtu);
    let _devices = register(arguments, &interface, &mac);
    serve(Server::new(socket)?, Files::new(nic), &irq, &changes)
}

/// Tells the kernel of the interface, for `/sys/class/net`.
fn register(arguments: &Arguments, interface: &Interface, mac: &str) -> Option<Devices> {
    let path = format!("/devices/pci0000:00/{}/net/{}", arguments.address, arguments.name);
    let state = if interface.is_up { "up" } else { "down" };
    let device = Registration::new(&path)
        .class("net")
        .variable("INTERFACE", &arguments.name)
        .variable("IFINDEX", 2)
        .attribute("address", mac)
        .attribute("addr_len", 6)
        .attribute("broadcast", "ff:ff:ff:ff:ff:ff")
        .attribute("carrier", u8::from(interface.is_up))
        .attribute("flags", "0x1003")
        .attribute("ifindex", 2)
        .attribute("iflink", 2)
        .attribute("mtu", interface.mtu)
        .attribute("operstate", state)
        .attribute("tx_queue_len", 1000)
        .attribute("type", 1)
        .stay();
    let outcome = Devices::open().and_then(|devices| devices.add(&device).map(|()| devices));
    outcome.inspect_err(|error| tracing::warn!("registering {}: {error}", arguments.name)).ok()
}

/// Serves until the kernel ends the scheme.
fn serve(mut server: Server, mut files: Files, irq: &Irq, changes: &Irq) -> anyhow::Result<()> {
    loop {
        let mut looks = 0;
        while looks < LOOKS {
            if files.nic().work().context("the device is broken; a new driver will reset it")? {
                looks = 0;
                files.wake_stack();
            } else {
                looks += 1;
                std::thread::yield_now();
            }
        }
        files.wake_stack();
        let is_idle = files.nic().prepare_to_sleep();
        let wake = {
            let timeout = if is_idle { None } else { Some(Duration::ZERO) };
            let others = [Some(irq.as_fd()), Some(changes.as_fd()), files.doorbell()];
            let others: Vec<_> = others.into_iter().flatten().collect();
            server.wait(&others, timeout)?
        };
        files.nic().wake_up();
        if wake.ended {
            return Ok(());
        }
        for other in wake.others {
            match other {
                0 => drop(irq.acknowledge()?),
                1 => {
                    changes.acknowledge()?;
                    files.nic().look_at_link();
                }
                _ => files.take_doorbell(),
            }
        }
        while let Some(request) = server.next_request() {
            if let Some(request) = server.handle(&mut files, request) {
                server.refuse(request, Errno::AGAIN);
            }
        }
    }
}
