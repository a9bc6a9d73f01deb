//! Serves a display device as `/scheme/drm.card<n>`, which is `/dev/dri/card<n>`: what display daemons have in common besides the crate `drm`.
//!
//! * [`serve`]: the daemon's loop.
//! * [`linear`]: devices that are no more than memory that is shown.
//!
//! `/scheme/drm.card<n>/console` is the text console's way in: its picture is shown while no program has the display.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod linear;
mod scheme_files;
mod sysfs;

use anyhow::Context as _;
use drm::{Backend, Device};
use scheme::{CallerAccess, SchemeFlags, SchemeSocket, Server};
use scheme_files::Card;
use sysfs::Sysfs;
use driver::irq::Irq;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

/// Memory of dumb buffers: the driver's DMA memory, as the crate `drm` wants it.
#[derive(Clone)]
pub struct BufferMemory(pub driver::dma::DmaMemory);

impl drm::Memory for BufferMemory {
    fn address(&self) -> usize {
        self.0.address()
    }
    fn read(&self, offset: usize, bytes: &mut [u8]) {
        self.0.read(offset, bytes);
    }
    fn write(&self, offset: usize, bytes: &[u8]) {
        self.0.write(offset, bytes);
    }
}

/// What the loop asks a device's driver to do.
pub trait Driver: Backend {
    /// The interrupt has fired. True where displays may have changed.
    ///
    /// # Errors
    /// Of a device that is beyond use: the daemon ends, and its successor starts it anew.
    fn interrupt(&mut self) -> anyhow::Result<bool>;

    /// Why the device cannot be used any more, if it cannot.
    fn failure(&mut self) -> Option<anyhow::Error>;
}

/// Nanoseconds of CLOCK_MONOTONIC.
fn now_ns() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// Serves the device as card `number` until the kernel ends the scheme. `irq` fires when the device wants attention.
///
/// # Errors
/// Where the scheme cannot be created, and those of the device.
pub fn serve<B: Driver>(backend: B, number: u32, irq: Option<&Irq>) -> anyhow::Result<()> {
    let name = format!("drm.card{number}");
    let socket = driver::retry::while_busy(Duration::from_secs(5), || SchemeSocket::create(&name, SchemeFlags::CALLER_MEMORY))
        .with_context(|| format!("creating /scheme/{name}"))?;
    let access = CallerAccess::new(&socket)?;
    let mut server = Server::new(socket)?;
    let sysfs = Sysfs::new(number, &backend.identity().unique);
    let mut card = Card::new(Device::new(backend), number, access);
    sysfs.show(card.device().pipes());
    let others: Vec<BorrowedFd<'_>> = irq.iter().map(|irq| irq.as_fd()).collect();
    loop {
        let timeout = card.next_deadline().map(|deadline| Duration::from_nanos(deadline.saturating_sub(now_ns())));
        let wake = server.wait(&others, timeout)?;
        if wake.ended {
            return Ok(());
        }
        if let Some(irq) = irq.filter(|_| !wake.others.is_empty()) {
            irq.acknowledge()?;
        }
        if !wake.others.is_empty() && card.device().backend().interrupt()? && card.device().refresh_outputs() {
            for pipe in card.device().pipes() {
                let size = pipe.output.modes.first().map(drm::mode::size);
                tracing::info!(connected = pipe.output.is_connected, ?size, "a display has changed");
            }
            sysfs.show(card.device().pipes());
            sysfs.announce();
            scheme_files::announce_change(number);
        }
        while let Some(request) = server.next_request() {
            if let Some(request) = server.handle(&mut card, request) {
                server.refuse(request, scheme::Errno::AGAIN);
            }
        }
        card.tick(now_ns(), server.outbox());
        if let Some(error) = card.device().backend().failure() {
            server.flush()?;
            return Err(error);
        }
    }
}
