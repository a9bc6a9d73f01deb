//! A PCI function held by its driver, through `pcid`'s scheme.

use crate::address::PciAddress;
use crate::config::ConfigFile;
use crate::dma::DmaMemory;
use crate::irq::Irq;
use crate::mapping::Mapping;
use crate::mmio::Mmio;
use crate::retry::while_busy;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::time::Duration;

/// Where `pcid` serves its functions.
pub const PCI_ROOT: &str = "/scheme/pci";

/// A function that this process holds exclusively. While it lives, memory space and bus mastering are on; when it is
/// dropped, or the process dies, `pcid` turns bus mastering off and frees interrupts and DMA memory.
pub struct PciFunction {
    address: PciAddress,
    config: ConfigFile,
    _device: File,
}

impl PciFunction {
    /// Takes the function. Waits up to two seconds for a predecessor that is dying.
    pub fn open(address: PciAddress) -> io::Result<Self> {
        let options = || File::options().read(true).write(true).to_owned();
        let directory = PathBuf::from(PCI_ROOT).join(address.to_string());
        let device = while_busy(Duration::from_secs(2), || {
            options().open(directory.join("device"))
        })?;
        let config = ConfigFile(options().open(directory.join("config"))?);
        Ok(PciFunction {
            address,
            config,
            _device: device,
        })
    }

    /// Its address.
    pub fn address(&self) -> PciAddress {
        self.address
    }

    /// Its configuration space.
    pub fn config(&self) -> &ConfigFile {
        &self.config
    }

    fn open_file(&self, name: &str) -> io::Result<File> {
        let path = PathBuf::from(PCI_ROOT)
            .join(self.address.to_string())
            .join(name);
        File::options().read(true).write(true).open(path)
    }

    /// Maps `len` bytes of base address register `index`, from a page-aligned `offset` on.
    pub fn map_bar(&self, index: u8, offset: u64, len: usize) -> io::Result<Mmio> {
        let file = self.open_file(&format!("bar{index}"))?;
        Ok(Mmio::new(Mapping::new(file.as_fd(), offset, len)?))
    }

    /// Allocates an interrupt for MSI-X table entry `entry`.
    pub fn msix(&self, entry: u16) -> io::Result<Irq> {
        Ok(Irq::from_file(self.open_file(&format!("msix/{entry}"))?))
    }

    /// Allocates zeroed memory that the device may access. `pcid` keeps it until the function is closed, so a device that is
    /// still running after its driver's death writes nowhere else.
    pub fn dma(&self, bytes: usize) -> io::Result<DmaMemory> {
        let bytes = bytes.next_multiple_of(4096);
        DmaMemory::map(&self.open_file(&format!("dma/{bytes}"))?, bytes)
    }
}
