//! Interrupts as descriptors.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

/// An interrupt: readable when it has fired since the last [`Irq::acknowledge`].
pub struct Irq(File);

impl Irq {
    /// Opens the ISA interrupt `line`, `/scheme/irq/isa/<line>`.
    pub fn isa(line: u8) -> io::Result<Self> {
        Ok(Irq(File::open(format!("/scheme/irq/isa/{line}"))?))
    }

    /// Wraps an interrupt's descriptor.
    pub fn from_file(file: File) -> Self {
        Irq(file)
    }

    /// Waits until the interrupt has fired since the last call; how many times it has. A level interrupt is unmasked here.
    pub fn acknowledge(&self) -> io::Result<u64> {
        let mut count = [0; 8];
        (&self.0).read_exact(&mut count)?;
        Ok(u64::from_ne_bytes(count))
    }
}

impl AsFd for Irq {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for Irq {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}
