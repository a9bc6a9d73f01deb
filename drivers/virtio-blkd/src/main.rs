//! Driver of virtio block devices (virtio 1.1, section 5.2): serves `/scheme/disk.<name>`.
//!
//! Restartable: the device is reset at the start, whatever a predecessor left it doing, and the kernel sends the requests
//! that were in flight again.

mod disk;
mod engine;
mod sysfs;

use anyhow::Context;
use clap::Parser;
use disk::Disk;
use driver::address::PciAddress;
use driver::irq::Irq;
use driver::pci::PciFunction;
use driver::retry::while_busy;
use engine::{Engine, MAX_REQUEST, Work};
use partitions::ReadAt;
use scheme::{SchemeFlags, SchemeSocket, Server};
use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};
use virtio::pci::PciTransport;

/// Drives a virtio disk and serves it as /scheme/disk.NAME.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The device's PCI function, like 0000:00:03.0.
    address: PciAddress,
    /// The disk's name, like vda.
    name: String,
}

fn main() -> anyhow::Result<()> {
    kernel_log::init("virtio-blkd");
    let arguments = Arguments::parse();
    let subject = format!("{} at {}", arguments.name, arguments.address);
    kernel_log::logged(subject, run(&arguments))
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let function = PciFunction::open(arguments.address).context("taking the device from pcid")?;
    let transport = PciTransport::new(&function).context("mapping its registers")?;
    let irq = function.msix(0).context("getting an interrupt")?;
    let engine = Engine::start(Box::new(transport), &|len| function.dma(len), Some(0))
        .context("starting the device")?;
    let mut reader = EarlyReader(engine);
    let (bytes, block_bytes) = (reader.0.bytes, reader.0.block_bytes);
    let partitions = match partitions::read(&mut reader, bytes, block_bytes) {
        Ok(partitions) => partitions,
        Err(partitions::TableError::None) => Vec::new(),
        Err(error @ partitions::TableError::Damaged(_)) => {
            tracing::warn!(
                "{}: {error}; it can be used as a whole only",
                arguments.name
            );
            Vec::new()
        }
        Err(error) => return Err(error.into()),
    };
    let engine = reader.0;
    let names: Vec<String> = partitions
        .iter()
        .map(|part| format!("{} {:?}", part.number, part.name))
        .collect();
    tracing::info!(
        "{}: {} MiB, blocks of {block_bytes} bytes{}, partitions: {}",
        arguments.name,
        bytes >> 20,
        if engine.is_read_only() {
            ", read-only"
        } else {
            ""
        },
        if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        }
    );

    let scheme_name = format!("disk.{}", arguments.name);
    let flags = SchemeFlags::RESTARTABLE | SchemeFlags::BLOCK_DEVICE;
    let socket = while_busy(Duration::from_secs(5), || {
        SchemeSocket::create(&scheme_name, flags)
    })
    .with_context(|| format!("creating /scheme/{scheme_name}"))?;
    sysfs::register(
        arguments,
        &sysfs::Shape {
            bytes,
            block_bytes,
            is_read_only: engine.is_read_only(),
        },
        &partitions,
    );
    serve(
        Server::new(socket)?,
        Disk::new(engine, &partitions),
        &irq,
        |disk, socket| disk.translate(socket),
    )
}

/// Serves until the kernel ends the scheme. `translate` finds the physical addresses of what came in.
fn serve(
    mut server: Server,
    mut disk: Disk,
    irq: &Irq,
    translate: impl Fn(&mut Disk, &SchemeSocket),
) -> anyhow::Result<()> {
    loop {
        let wake = server.wait(&[irq.as_fd()], None)?;
        if wake.ended {
            return Ok(());
        }
        if !wake.others.is_empty() {
            irq.acknowledge()?;
            disk.collect(server.outbox())?;
        }
        while let Some(request) = server.next_request() {
            if let Some(request) = server.handle(&mut disk, request) {
                server.refuse(request, scheme::Errno::AGAIN);
            }
        }
        translate(&mut disk, server.socket());
        disk.submit(server.outbox());
        disk.linger(server.outbox())?;
    }
}

/// Reads from the disk before there is a scheme, one request at a time.
struct EarlyReader(Engine);

impl ReadAt for EarlyReader {
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let mut done = Vec::new();
        let chunks = (offset..)
            .step_by(MAX_REQUEST)
            .zip(buffer.chunks_mut(MAX_REQUEST));
        for (offset, chunk) in chunks {
            self.0.submit(
                0,
                Work::ReadBytes {
                    offset,
                    len: chunk.len(),
                },
            );
            self.0.kick(&mut done);
            let start = Instant::now();
            while done.is_empty() {
                self.0.collect(&mut done).map_err(io::Error::other)?;
                if start.elapsed() > Duration::from_secs(10) {
                    return Err(io::Error::new(
                        io::ErrorKind::TimedOut,
                        "the disk does not answer",
                    ));
                }
                if done.is_empty() {
                    std::thread::sleep(Duration::from_micros(100));
                }
            }
            for completion in done.drain(..) {
                completion.result.map_err(io::Error::from_raw_os_error)?;
                chunk.copy_from_slice(&completion.data.unwrap_or_default());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod serve_tests;
