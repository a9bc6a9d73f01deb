//! The memory of another process (`process_vm_readv(2)`): page by page, through its page table.

use alloc::sync::Arc;

use frame::paging::{Entry, MapTarget};

use super::fault::Rights;
use super::{AddressSpace, PAGE};
use crate::error::*;

/// How often a page that was taken away meanwhile is brought in again.
const TRIES: usize = 16;

impl AddressSpace {
    fn remote_page(self: &Arc<Self>, addr: usize, write: bool, rights: Rights) -> Result<frame::mm::Frame> {
        for _ in 0..TRIES {
            self.fault_with(addr, write, false, rights).map_err(|_| EFAULT)?;
            match self.table.query((addr & !(PAGE - 1)) as u64) {
                Some(Entry { target: MapTarget::Ram(frame), .. }) => return Ok(frame),
                Some(_) => return Err(EFAULT),
                None => {}
            }
        }
        Err(EFAULT)
    }

    /// Reads up to the end of `into`; stops at the first page that cannot be read.
    ///
    /// # Errors
    /// `EFAULT` where that is the first.
    pub fn read_remote(self: &Arc<Self>, addr: usize, into: &mut [u8]) -> Result<usize> {
        self.read_with(addr, into, Rights::Checked)
    }

    /// As a tracer reads: what the mappings forbid the process itself does not matter.
    ///
    /// # Errors
    /// `EFAULT` where nothing can be read at all.
    pub fn peek(self: &Arc<Self>, addr: usize, into: &mut [u8]) -> Result<usize> {
        self.read_with(addr, into, Rights::Overridden)
    }

    fn read_with(self: &Arc<Self>, addr: usize, into: &mut [u8], rights: Rights) -> Result<usize> {
        let mut done = 0;
        while done < into.len() {
            let at = addr.checked_add(done).ok_or(EFAULT)?;
            let len = (PAGE - at % PAGE).min(into.len() - done);
            match self.remote_page(at, false, rights) {
                Ok(page) => page.read(at % PAGE, &mut into[done..done + len]),
                Err(error) if done == 0 => return Err(error),
                Err(_) => break,
            }
            done += len;
        }
        Ok(done)
    }

    /// Writes `from`; stops at the first page that cannot be written.
    ///
    /// # Errors
    /// `EFAULT` where that is the first.
    pub fn write_remote(self: &Arc<Self>, addr: usize, from: &[u8]) -> Result<usize> {
        self.write_with(addr, from, Rights::Checked)
    }

    /// As a tracer writes: into a copy where a private mapping is read-only. What others share is changed only where the process may itself.
    ///
    /// # Errors
    /// `EFAULT` where nothing can be written at all.
    pub fn poke(self: &Arc<Self>, addr: usize, from: &[u8]) -> Result<usize> {
        self.write_with(addr, from, Rights::Overridden)
    }

    fn write_with(self: &Arc<Self>, addr: usize, from: &[u8], rights: Rights) -> Result<usize> {
        let mut done = 0;
        while done < from.len() {
            let at = addr.checked_add(done).ok_or(EFAULT)?;
            let len = (PAGE - at % PAGE).min(from.len() - done);
            match self.remote_page(at, true, rights) {
                Ok(page) => page.write(at % PAGE, &from[done..done + len]),
                Err(error) if done == 0 => return Err(error),
                Err(_) => break,
            }
            done += len;
        }
        Ok(done)
    }

    /// Makes every CPU that runs a thread of this address space execute a memory barrier.
    pub fn barrier(&self) {
        self.table.barrier();
    }
}
