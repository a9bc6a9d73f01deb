//! Shared anonymous memory (`MAP_SHARED | MAP_ANONYMOUS`): pages appear when touched and live as long as a mapping does.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use frame::mm::Frame;

use super::{MemoryObject, ObjectPage};
use crate::error::{EFAULT, ENOMEM, Result};
use crate::sync::SpinLock;

/// A block of shared zero-filled memory.
pub struct SharedAnon {
    pages: u64,
    frames: SpinLock<BTreeMap<u64, Frame>>,
}

impl SharedAnon {
    /// A block of `pages` pages, none of them allocated yet.
    pub fn new(pages: u64) -> Self {
        Self { pages, frames: SpinLock::new(BTreeMap::new()) }
    }
}

impl MemoryObject for SharedAnon {
    fn page(&self, index: u64, _for_write: bool) -> Result<ObjectPage> {
        if index >= self.pages {
            return Err(EFAULT);
        }
        if let Some(frame) = self.frames.lock().get(&index) {
            return Ok(ObjectPage::Ram(frame.clone()));
        }
        let fresh = Frame::alloc_zeroed().ok_or(ENOMEM)?;
        Ok(ObjectPage::Ram(self.frames.lock().entry(index).or_insert(fresh).clone()))
    }

    fn resident(&self, index: u64, out: &mut Vec<Frame>, max: usize) {
        let frames = self.frames.lock();
        for i in index..index + max as u64 {
            match frames.get(&i) {
                Some(frame) => out.push(frame.clone()),
                None => break,
            }
        }
    }
}
