//! The transfer area of a scheme: memory of the kernel, mapped into the daemon, through which the buffers of requests go.
//!
//! It has 64 slots of 256 KiB. Half of them serve requests of up to a page, so that a scheme that only ever moves small pieces costs a few frames; the
//! others get one contiguous block each when they are first used (a driver can hand it to a device in one piece). Slots are reused last in, first
//! out: the hot ones stay in the caches and in the daemon's page table.

use alloc::sync::Arc;
use alloc::vec::Vec;

use frame::mm::{Frame, FrameRange, PAGE_SIZE};
use scheme_abi::area::{SLOT_BYTES, SLOT_COUNT};

use crate::error::*;
use crate::fs::{IoSink, IoSource};
use crate::mm::{MemoryObject, ObjectPage};
use crate::sync::{SpinLock, WaitQueue};

/// Pages of a slot.
pub const SLOT_PAGES: usize = SLOT_BYTES / PAGE_SIZE;
/// Big slots that are left to requests that somebody waits for.
const KEPT_FREE: usize = 16;
/// Slots below this number are for requests of more than a page.
const BIG_SLOTS: usize = SLOT_COUNT / 2;

/// The memory of all slots and the list of free ones.
pub struct TransferArea {
    frames: [SpinLock<Vec<Option<Frame>>>; SLOT_COUNT],
    free: SpinLock<Free>,
    freed: WaitQueue,
}

struct Free {
    small: Vec<u8>,
    big: Vec<u8>,
}

impl TransferArea {
    /// An area without any memory yet.
    pub fn new() -> Arc<Self> {
        // Reversed, so that the first slots are used first.
        let big = (0..BIG_SLOTS as u8).rev().collect();
        let small = (BIG_SLOTS as u8..SLOT_COUNT as u8).rev().collect();
        Arc::new(Self {
            frames: [const { SpinLock::new(Vec::new()) }; SLOT_COUNT],
            free: SpinLock::new(Free { small, big }),
            freed: WaitQueue::new(),
        })
    }

    fn try_acquire(self: &Arc<Self>, bytes: usize) -> Option<Slot> {
        let mut free = self.free.lock();
        let index = if bytes <= PAGE_SIZE { free.small.pop() } else { None };
        let index = index.or_else(|| free.big.pop())?;
        Some(Slot { area: self.clone(), index: usize::from(index), bytes })
    }

    /// Takes a slot for `bytes` bytes (at most a slot's size) and gives it memory; sleeps while none is free. `interruptible`: signals end the sleep.
    ///
    /// # Errors
    /// `ENOMEM`, `ERESTARTSYS`; `EINVAL` for too many bytes.
    pub fn acquire(self: &Arc<Self>, bytes: usize, interruptible: bool) -> Result<Slot> {
        if bytes > SLOT_BYTES {
            return Err(EINVAL);
        }
        let slot = match self.try_acquire(bytes) {
            Some(slot) => slot,
            None if interruptible => self.freed.wait_until(|| self.try_acquire(bytes))?,
            None => self.freed.wait_uninterruptible(|| self.try_acquire(bytes)),
        };
        self.back(slot.index, bytes)?;
        Ok(slot)
    }

    /// Takes a slot without waiting, and only where enough others stay free for those who wait.
    pub fn acquire_spare(self: &Arc<Self>, bytes: usize) -> Option<Slot> {
        if bytes > SLOT_BYTES || self.free.lock().big.len() <= KEPT_FREE {
            return None;
        }
        let slot = self.try_acquire(bytes)?;
        self.back(slot.index, bytes).ok()?;
        Some(slot)
    }

    /// Makes sure that the first `bytes` bytes of a slot have memory.
    fn back(&self, slot: usize, bytes: usize) -> Result {
        let pages = bytes.div_ceil(PAGE_SIZE);
        let mut frames = self.frames[slot].lock();
        if frames.is_empty() {
            let block = if slot < BIG_SLOTS { FrameRange::alloc_contiguous(SLOT_PAGES) } else { None };
            *frames = match block {
                Some(block) => block.into_frames().into_iter().map(Some).collect(),
                None => alloc::vec![None; SLOT_PAGES],
            };
        }
        for frame in frames.iter_mut().take(pages) {
            if frame.is_none() {
                *frame = Some(Frame::alloc_zeroed().ok_or(ENOMEM)?);
            }
        }
        Ok(())
    }

    /// The frame at a page of the whole area, allocated now if need be.
    ///
    /// # Errors
    /// `EFAULT` outside of the area, `ENOMEM`.
    pub fn frame(&self, page: u64) -> Result<Frame> {
        let slot = usize::try_from(page).map_err(|_| EFAULT)? / SLOT_PAGES;
        let at = page as usize % SLOT_PAGES;
        if slot >= SLOT_COUNT {
            return Err(EFAULT);
        }
        self.back(slot, (at + 1) * PAGE_SIZE)?;
        self.frames[slot].lock().get(at).cloned().flatten().ok_or(ENOMEM)
    }

    /// Physical address at `offset` of the area and how many bytes from there on are contiguous, at most `len`.
    ///
    /// # Errors
    /// `EINVAL` where the range is not within the area, `ENOMEM`.
    pub fn physical(&self, offset: u64, len: u64) -> Result<(u64, u64)> {
        let end = offset.checked_add(len).filter(|end| *end <= (SLOT_COUNT * SLOT_BYTES) as u64).ok_or(EINVAL)?;
        if len == 0 {
            return Err(EINVAL);
        }
        let first = self.frame(offset / PAGE_SIZE as u64)?.paddr() + offset % PAGE_SIZE as u64;
        let mut reach = offset / PAGE_SIZE as u64 * PAGE_SIZE as u64 + PAGE_SIZE as u64;
        while reach < end && self.frame(reach / PAGE_SIZE as u64)?.paddr() == first + (reach - offset) {
            reach += PAGE_SIZE as u64;
        }
        Ok((first, reach.min(end) - offset))
    }
}

impl MemoryObject for TransferArea {
    fn page(&self, index: u64, _for_write: bool) -> Result<ObjectPage> {
        Ok(ObjectPage::Ram(self.frame(index)?))
    }

    fn resident(&self, index: u64, out: &mut Vec<Frame>, max: usize) {
        let (slot, at) = (index as usize / SLOT_PAGES, index as usize % SLOT_PAGES);
        if let Some(frames) = self.frames.get(slot) {
            out.extend(frames.lock().iter().skip(at).take(max).map_while(Clone::clone));
        }
    }
}

/// A slot that is in use; free again when dropped.
pub struct Slot {
    area: Arc<TransferArea>,
    index: usize,
    bytes: usize,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut free = self.area.free.lock();
        let list = if self.index < BIG_SLOTS { &mut free.big } else { &mut free.small };
        list.push(self.index as u8);
        drop(free);
        // Everyone: who waits for a big slot cannot use a small one.
        self.area.freed.wake_all();
    }
}

impl Slot {
    /// Offset of the slot in the area.
    pub fn offset(&self) -> u64 {
        (self.index * SLOT_BYTES) as u64
    }

    /// Bytes that it was taken for.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    fn each(&self, offset: usize, len: usize, mut piece: impl FnMut(&Frame, usize, usize) -> Result<usize>) -> Result<usize> {
        let end = (offset + len).min(self.bytes);
        let mut at = offset;
        while at < end {
            let want = (PAGE_SIZE - at % PAGE_SIZE).min(end - at);
            let frame = self.area.frames[self.index].lock().get(at / PAGE_SIZE).cloned().flatten().ok_or(ENOMEM)?;
            let done = match piece(&frame, at % PAGE_SIZE, want) {
                Ok(done) => done,
                // What was moved before counts.
                Err(_) if at > offset => break,
                Err(error) => return Err(error),
            };
            at += done;
            if done < want {
                break;
            }
        }
        Ok(at - offset)
    }

    /// Fills the slot from `source`; returns the number of bytes.
    ///
    /// # Errors
    /// `EFAULT` where nothing could be copied.
    pub fn fill(&self, source: &mut IoSource<'_>) -> Result<usize> {
        let len = source.remaining().min(self.bytes);
        self.each(0, len, |frame, at, len| source.read_into_frame(frame, at, len))
    }

    /// Copies the first `len` bytes to `sink`; returns the number of bytes.
    ///
    /// # Errors
    /// `EFAULT` where nothing could be copied.
    pub fn drain(&self, len: usize, sink: &mut IoSink<'_>) -> Result<usize> {
        let len = len.min(sink.remaining());
        self.each(0, len, |frame, at, len| sink.write_frame(frame, at, len))
    }

    /// Copies `data` to `offset`, as far as there is room.
    pub fn put(&self, offset: usize, data: &[u8]) {
        let mut from = 0;
        let _ = self.each(offset, data.len(), |frame, at, len| {
            frame.write(at, &data[from..from + len]);
            from += len;
            Ok(len)
        });
    }

    /// Copies from `offset` into `data`; what lies outside of the slot stays as it is.
    pub fn get(&self, offset: usize, data: &mut [u8]) {
        let mut to = 0;
        let _ = self.each(offset, data.len(), |frame, at, len| {
            frame.read(at, &mut data[to..to + len]);
            to += len;
            Ok(len)
        });
    }

    /// Bytes `offset..offset + len` of the slot.
    pub fn bytes_at(&self, offset: usize, len: usize) -> Vec<u8> {
        let mut bytes = alloc::vec![0; len];
        self.get(offset, &mut bytes);
        bytes
    }

    /// The frame of page `page` of the slot, for copies between it and the page cache.
    pub fn frame(&self, page: usize) -> Option<Frame> {
        self.area.frames[self.index].lock().get(page).cloned().flatten()
    }
}
