//! Memory that devices read and write.

use crate::mapping::Mapping;
use scheme_abi::MEM_PHYS;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;

/// Physically contiguous memory, or a part of it. Clones share the memory, which lives until the last one is dropped.
#[derive(Clone)]
pub struct DmaMemory {
    backing: Arc<Backing>,
    offset: usize,
    len: usize,
}

struct Backing {
    base: *mut u8,
    physical: u64,
    owner: Owner,
}

enum Owner {
    Device(#[allow(dead_code, reason = "keeps the memory mapped")] Mapping),
    Heap(*mut [u64]),
}

// SAFETY: all access is by volatile or copying reads and writes through raw pointers; no references are handed out.
unsafe impl Send for Backing {}
// SAFETY: as above.
unsafe impl Sync for Backing {}

impl Drop for Backing {
    fn drop(&mut self) {
        if let Owner::Heap(memory) = self.owner {
            // SAFETY: made by `Box::into_raw` in `DmaMemory::heap` and freed only here.
            drop(unsafe { Box::from_raw(memory) });
        }
    }
}

impl DmaMemory {
    /// Maps the memory behind a descriptor of `/scheme/memory/dma/<bytes>` or of a function's `dma/<bytes>`.
    pub fn map(file: &File, len: usize) -> io::Result<Self> {
        let mut physical = 0u64;
        // SAFETY: MEM_PHYS writes one u64 to the address it is given.
        if unsafe { libc::ioctl(file.as_raw_fd(), MEM_PHYS as _, &mut physical) } < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Self::mapped(Mapping::new(file.as_fd(), 0, len)?, physical, len))
    }

    fn mapped(mapping: Mapping, physical: u64, len: usize) -> Self {
        let backing = Backing {
            base: mapping.as_ptr(),
            physical,
            owner: Owner::Device(mapping),
        };
        DmaMemory {
            backing: Arc::new(backing),
            offset: 0,
            len,
        }
    }

    /// Zeroed ordinary memory whose "physical" address is its virtual one: for drivers tested against a simulated device.
    pub fn heap(len: usize) -> Self {
        // A page more, so that the memory can start on a page as real DMA memory does.
        let memory = Box::into_raw(vec![0u64; len.div_ceil(8) + 512].into_boxed_slice());
        let raw = memory.cast::<u8>();
        // SAFETY: the alignment gap is less than the page that was added.
        let base = unsafe { raw.add(raw.align_offset(4096)) };
        let backing = Backing {
            base,
            physical: base as u64,
            owner: Owner::Heap(memory),
        };
        DmaMemory {
            backing: Arc::new(backing),
            offset: 0,
            len,
        }
    }

    /// Zeroed memory for CPUs only, in whole pages that nothing else lies in: it can be shared with clients. It has no physical address to speak of.
    pub fn anonymous(len: usize) -> io::Result<Self> {
        Ok(Self::mapped(Mapping::anonymous(len)?, 0, len))
    }

    /// Memory that another process shares through a file of its scheme. It has no physical address to speak of.
    pub fn shared(file: &File, len: usize) -> io::Result<Self> {
        Ok(Self::mapped(Mapping::new(file.as_fd(), 0, len)?, 0, len))
    }

    /// Contiguous memory from the kernel itself rather than from `pcid`: it is given back as soon as nobody maps it, whatever a device does. For
    /// memory that devices only read.
    pub fn from_kernel(len: usize) -> io::Result<Self> {
        let len = len.next_multiple_of(4096);
        let file = File::options()
            .read(true)
            .write(true)
            .open(format!("/scheme/memory/dma/{len}"))?;
        Self::map(&file, len)
    }

    /// The address of its first byte in this process, for sharing it with clients.
    pub fn address(&self) -> usize {
        self.backing.base as usize + self.offset
    }

    /// A part of the memory; `None` where it would not lie within.
    pub fn slice(&self, offset: usize, len: usize) -> Option<DmaMemory> {
        if offset.checked_add(len)? > self.len {
            return None;
        }
        Some(DmaMemory {
            backing: self.backing.clone(),
            offset: self.offset + offset,
            len,
        })
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The address of the byte at `offset` as devices see it.
    pub fn physical(&self, offset: usize) -> u64 {
        self.backing.physical + (self.offset + offset) as u64
    }

    fn at(&self, offset: usize, len: usize) -> *mut u8 {
        let end = offset.checked_add(len);
        assert!(
            end.is_some_and(|end| end <= self.len),
            "{offset:#x}+{len:#x} outside DMA memory of {:#x}",
            self.len
        );
        // SAFETY: the range was checked, and `self.offset..+self.len` lies within the memory by construction.
        unsafe { self.backing.base.add(self.offset + offset) }
    }

    /// Copies out of the memory. Panics where the range lies outside (an error of the driver).
    pub fn read(&self, offset: usize, buffer: &mut [u8]) {
        let source = self.at(offset, buffer.len());
        // SAFETY: both ranges are valid for their whole length; the buffer is exclusively ours, so they do not overlap.
        unsafe { source.copy_to_nonoverlapping(buffer.as_mut_ptr(), buffer.len()) }
    }

    /// Copies into the memory. Panics where the range lies outside (an error of the driver).
    pub fn write(&self, offset: usize, data: &[u8]) {
        let target = self.at(offset, data.len());
        // SAFETY: both ranges are valid for their whole length, and `data` cannot be this memory: no references are handed out.
        unsafe { target.copy_from_nonoverlapping(data.as_ptr(), data.len()) }
    }

    /// Reads a value the device may change at any time.
    pub fn read_volatile<T: crate::mmio::Register>(&self, offset: usize) -> T {
        let pointer = self.at(offset, size_of::<T>()).cast::<T>();
        assert!(pointer.is_aligned(), "{offset:#x} is not aligned");
        // SAFETY: valid and aligned, checked above; any bits are a valid integer.
        unsafe { pointer.read_volatile() }
    }

    /// Writes a value the device may read at any time.
    pub fn write_volatile<T: crate::mmio::Register>(&self, offset: usize, value: T) {
        let pointer = self.at(offset, size_of::<T>()).cast::<T>();
        assert!(pointer.is_aligned(), "{offset:#x} is not aligned");
        // SAFETY: valid and aligned, checked above.
        unsafe { pointer.write_volatile(value) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_share_memory() {
        let memory = DmaMemory::heap(8192);
        assert_eq!(memory.physical(0) % 4096, 0);
        let part = memory.slice(4096, 16).unwrap();
        part.write_volatile::<u32>(4, 7);
        assert_eq!(memory.read_volatile::<u32>(4100), 7);
        assert_eq!(part.physical(4), memory.physical(4100));
        assert!(memory.slice(8190, 4).is_none());
        let mut bytes = [0; 4];
        memory.read(4100, &mut bytes);
        assert_eq!(bytes, [7, 0, 0, 0]);
    }
}
