//! The page cache as what is mapped into address spaces.

use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use frame::mm::Frame;

use super::{Lookup, PAGE, PageCache};
use crate::error::*;
use crate::mm::{MappingList, MemoryObject, ObjectPage};

impl MemoryObject for PageCache {
    fn page(&self, index: u64, for_write: bool) -> Result<ObjectPage> {
        if index >= self.size().div_ceil(PAGE) {
            return Err(EFAULT);
        }
        let ahead = self.fault_ahead.window(index, 1);
        let frame = self.load(index, ahead)?;
        self.run_ahead(&self.fault_ahead, index + 1);
        if for_write {
            self.mapped_write.store(true, Ordering::Relaxed);
            self.set_dirty(index, &frame);
        }
        Ok(ObjectPage::Ram(frame))
    }

    fn resident(&self, index: u64, out: &mut Vec<Frame>, max: usize) {
        let end = self.size().div_ceil(PAGE);
        let mut inner = self.inner.lock();
        for at in (index..end).take(max) {
            match inner.chunks.get_mut(&(at / 64)).map(|c| c.get((at % 64) as usize)) {
                Some(Lookup::Present(frame)) => out.push(frame),
                _ => break,
            }
        }
    }

    fn mappings(&self) -> Option<&MappingList> {
        Some(&self.mappings)
    }

    fn sync(&self, first: u64, pages: u64) -> Result {
        self.write_back(first, first.saturating_add(pages), true)
    }
}
