//! What pcid gets from the kernel for its drivers.

use driver::irq::Irq;
use driver::mapping::Mapping;
use driver::mmio::Mmio;
use scheme_abi::{IRQ_MSI, MsiMessage};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// The kernel's side, replaced by memory in tests.
pub trait Resources {
    /// A new message-signalled interrupt: its descriptor, and what the device must write to raise it.
    fn interrupt(&self) -> io::Result<(OwnedFd, MsiMessage)>;
    /// A legacy interrupt line.
    fn legacy_interrupt(&self, line: u8) -> io::Result<OwnedFd>;
    /// New DMA memory.
    fn dma(&self, bytes: u64) -> io::Result<OwnedFd>;
    /// A descriptor of physical memory, to hand out.
    fn physical(&self, start: u64, len: u64) -> io::Result<OwnedFd>;
    /// Physical memory mapped here.
    fn map(&self, start: u64, len: usize) -> io::Result<Mmio>;
}

/// The real thing.
pub struct Kernel;

fn open(path: String) -> io::Result<File> {
    File::options()
        .read(true)
        .write(true)
        .open(&path)
        .map_err(|error| io::Error::new(error.kind(), format!("{path}: {error}")))
}

impl Resources for Kernel {
    fn interrupt(&self) -> io::Result<(OwnedFd, MsiMessage)> {
        let file = open("/scheme/irq/msi".to_owned())?;
        let mut message = MsiMessage::default();
        // SAFETY: IRQ_MSI writes one MsiMessage (repr(C)) to the address it is given.
        if unsafe { libc::ioctl(file.as_raw_fd(), IRQ_MSI as _, &mut message) } < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok((file.into(), message))
    }

    fn legacy_interrupt(&self, line: u8) -> io::Result<OwnedFd> {
        let irq = Irq::isa(line)?;
        irq.as_fd().try_clone_to_owned()
    }

    fn dma(&self, bytes: u64) -> io::Result<OwnedFd> {
        Ok(open(format!("/scheme/memory/dma/{bytes}"))?.into())
    }

    fn physical(&self, start: u64, len: u64) -> io::Result<OwnedFd> {
        // Registers must not be cached, whatever the BAR's "prefetchable" says: virtio puts registers in such BARs.
        Ok(open(format!("/scheme/memory/physical/{start:x}-{len:x},uc"))?.into())
    }

    fn map(&self, start: u64, len: usize) -> io::Result<Mmio> {
        let first = start & !0xfff;
        let skip = (start - first) as usize;
        let mapped = (skip + len).next_multiple_of(4096);
        let file = self.physical(first, mapped as u64)?;
        let window = Mmio::new(Mapping::new(file.as_fd(), 0, mapped)?);
        window
            .window(skip, len)
            .ok_or_else(|| io::ErrorKind::InvalidInput.into())
    }
}
