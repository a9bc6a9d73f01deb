//! Memory objects: what can be mapped into an address space other than anonymous private memory.

use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;

use frame::mm::Frame;

use super::AddressSpace;
use crate::error::Result;
use crate::sync::SpinLock;

/// A page of a memory object.
pub enum ObjectPage {
    /// RAM, reference counted.
    Ram(Frame),
    /// Device memory at a physical address.
    Device(u64, frame::phys::CacheMode),
}

/// Something whose pages can be mapped: a file's page cache, shared anonymous memory, a daemon's memory, a device.
///
/// Page indices count 4 KiB pages from the object's start. May sleep (to read the page from a daemon).
pub trait MemoryObject: Send + Sync {
    /// The page at `index`. `for_write`: a shared mapping is about to write it (mark it dirty).
    ///
    /// # Errors
    /// `EFAULT` beyond the end of the object (the program gets SIGBUS), `EIO` when it cannot be read, `ENOMEM`.
    fn page(&self, index: u64, for_write: bool) -> Result<ObjectPage>;

    /// Pages that are in memory already, from `index` on, for fault-around: fills `out` with up to its length of consecutive
    /// pages and returns how many; never sleeps.
    fn resident(&self, _index: u64, _out: &mut Vec<Frame>, _max: usize) {}

    /// The mappings of this object, so that truncation and write-back can reach them; `None` if that is never needed.
    fn mappings(&self) -> Option<&MappingList> {
        None
    }

    /// Writes dirty pages of the range out (`msync(MS_SYNC)`).
    fn sync(&self, _first: u64, _pages: u64) -> Result {
        Ok(())
    }
}

/// The address spaces that map an object.
#[derive(Default)]
pub struct MappingList(SpinLock<Vec<Weak<AddressSpace>>>);

impl MappingList {
    /// An empty list.
    pub fn new() -> Self {
        Self(SpinLock::new(Vec::new()))
    }

    /// Remembers that `space` maps the object (idempotent).
    pub fn add(&self, space: &Arc<AddressSpace>) {
        let mut list = self.0.lock();
        list.retain(|w| w.strong_count() > 0);
        if !list.iter().any(|w| core::ptr::eq(w.as_ptr(), Arc::as_ptr(space))) {
            list.push(Arc::downgrade(space));
        }
    }

    /// The live address spaces.
    pub fn spaces(&self) -> Vec<Arc<AddressSpace>> {
        self.0.lock().iter().filter_map(Weak::upgrade).collect()
    }

    /// Whether any of them has a shared mapping of `object` that can be written to.
    pub fn is_shared_for_writing(&self, object: &dyn MemoryObject) -> bool {
        self.spaces().iter().any(|space| space.shares_for_writing(object))
    }

    /// Removes the pages `first..first + pages` of `object` from every address space, so that the next access faults again (truncation).
    pub fn unmap_pages(&self, object: &dyn MemoryObject, first: u64, pages: u64) {
        for space in self.spaces() {
            space.unmap_object_pages(object, first, pages);
        }
    }

    /// Takes write permission from the pages of `object`, so that the next write faults and marks them dirty again (write-back).
    pub fn write_protect_pages(&self, object: &dyn MemoryObject, first: u64, pages: u64) {
        for space in self.spaces() {
            space.write_protect_object_pages(object, first, pages);
        }
    }
}
