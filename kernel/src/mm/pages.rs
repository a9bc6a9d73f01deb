//! Memory that the kernel and a program share: rings of frames, of requests and of their results.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use frame::mm::Frame;

use super::{MemoryObject, ObjectPage, PAGE};
use crate::error::*;

/// Zeroed pages that are there as long as anybody has them. The program may write anything anywhere at any time; beyond the end nothing is read or written.
pub struct Pages(Vec<Frame>);

impl Pages {
    /// Pages for so many bytes.
    ///
    /// # Errors
    /// `ENOMEM`.
    pub fn new(bytes: usize) -> Result<Arc<Self>> {
        let pages = (0..bytes.div_ceil(PAGE)).map(|_| Frame::alloc_zeroed().ok_or(ENOMEM)).collect::<Result<Vec<Frame>>>()?;
        Ok(Arc::new(Self(pages)))
    }

    /// Bytes.
    pub fn len(&self) -> usize {
        self.0.len() * PAGE
    }

    /// Copies bytes in.
    pub fn write(&self, mut at: usize, mut bytes: &[u8]) {
        while let (Some(page), false) = (self.0.get(at / PAGE), bytes.is_empty()) {
            let (now, later) = bytes.split_at(bytes.len().min(PAGE - at % PAGE));
            page.write(at % PAGE, now);
            (at, bytes) = (at + now.len(), later);
        }
    }

    /// Copies bytes out, which must lie in one page; zeros from beyond the end.
    pub fn read<const N: usize>(&self, at: usize) -> [u8; N] {
        let mut bytes = [0; N];
        if let Some(page) = self.0.get(at / PAGE).filter(|_| at % PAGE + N <= PAGE) {
            page.read(at % PAGE, &mut bytes);
        }
        bytes
    }

    /// The word at an aligned place, with all that was written before it.
    pub fn load(&self, at: usize) -> u32 {
        self.0.get(at / PAGE).map_or(0, |page| page.atomic_u32(at % PAGE).load(Ordering::Acquire))
    }

    /// Sets the word at an aligned place, after all that was written before.
    pub fn store(&self, at: usize, word: u32) {
        if let Some(page) = self.0.get(at / PAGE) {
            page.atomic_u32(at % PAGE).store(word, Ordering::Release);
        }
    }

    /// Sets and clears bits of the word at an aligned place.
    pub fn change_bits(&self, at: usize, set: u32, clear: u32) {
        if let Some(page) = self.0.get(at / PAGE) {
            let word = page.atomic_u32(at % PAGE);
            word.fetch_and(!clear, Ordering::AcqRel);
            word.fetch_or(set, Ordering::AcqRel);
        }
    }
}

impl MemoryObject for Pages {
    fn page(&self, index: u64, _for_write: bool) -> Result<ObjectPage> {
        let at = usize::try_from(index).map_err(|_| EFAULT)?;
        self.0.get(at).cloned().map(ObjectPage::Ram).ok_or(EFAULT)
    }

    fn resident(&self, index: u64, out: &mut Vec<Frame>, max: usize) {
        out.extend(self.0.iter().skip(index as usize).take(max).cloned());
    }
}

/// Pages that begin at an offset of a file.
pub struct PagesAt {
    /// The pages.
    pub pages: Arc<Pages>,
    /// The index that the first has.
    pub first: u64,
}

impl MemoryObject for PagesAt {
    fn page(&self, index: u64, for_write: bool) -> Result<ObjectPage> {
        self.pages.page(index.checked_sub(self.first).ok_or(EFAULT)?, for_write)
    }

    fn resident(&self, index: u64, out: &mut Vec<Frame>, max: usize) {
        if let Some(index) = index.checked_sub(self.first) {
            self.pages.resident(index, out, max);
        }
    }
}
