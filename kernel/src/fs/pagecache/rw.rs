//! `read` and `write` through the cache.

use frame::mm::{Frame, PAGE_SIZE};

use super::{Lookup, MAX_BATCH, PAGE, PageCache, ReadAhead};
use crate::error::*;
use crate::fs::{IoSink, IoSource};
use core::sync::atomic::Ordering;

/// Pages looked up under one lock.
const RUN: usize = 16;

impl PageCache {
    /// Copies from the file at byte `pos` into `sink`, up to the file's end. Returns the number of bytes.
    ///
    /// # Errors
    /// `EFAULT` and the backend's, where nothing could be read.
    pub fn read(&self, ahead: &ReadAhead, mut pos: u64, sink: &mut IoSink<'_>) -> Result<usize> {
        let before = sink.done();
        let end = self.size().min(pos.saturating_add(sink.remaining() as u64));
        if pos >= end {
            return Ok(0);
        }
        let first = pos / PAGE;
        if ahead.is_next(first) {
            self.run_ahead(ahead, end.div_ceil(PAGE).min(first + MAX_BATCH as u64));
        }
        let mut outcome = Ok(());
        'all: while pos < end {
            let index = pos / PAGE;
            let pages = (end.div_ceil(PAGE) - index).min(RUN as u64) as usize;
            let mut run = [const { None }; RUN];
            let found = self.get_run(index, &mut run[..pages]);
            if found == 0 {
                match self.read_absent(ahead, index, pos, end, sink) {
                    Ok(0) => {}
                    Ok(n) => pos += n as u64,
                    Err(error) => {
                        outcome = Err(error);
                        break;
                    }
                }
                continue;
            }
            for page in run.iter().take(found).flatten() {
                let offset = (pos % PAGE) as usize;
                let n = (PAGE_SIZE - offset).min((end - pos) as usize);
                match sink.write_frame(page, offset, n) {
                    Ok(copied) => {
                        pos += copied as u64;
                        if copied < n {
                            break 'all;
                        }
                    }
                    Err(error) => {
                        outcome = Err(error);
                        break 'all;
                    }
                }
            }
        }
        ahead.note(first, pos.div_ceil(PAGE));
        match sink.done() - before {
            0 => outcome.map(|()| 0),
            done => Ok(done),
        }
    }

    /// Present pages from `index` on; returns how many follow each other.
    fn get_run(&self, index: u64, out: &mut [Option<Frame>]) -> usize {
        let mut inner = self.inner.lock();
        let mut found = 0;
        let Some(mut chunk) = inner.chunks.get_mut(&(index / 64)) else { return 0 };
        for (at, slot) in (index..).zip(out) {
            if at % 64 == 0 && at != index {
                match inner.chunks.get_mut(&(at / 64)) {
                    Some(next) => chunk = next,
                    None => break,
                }
            }
            match chunk.get((at % 64) as usize) {
                Lookup::Present(frame) => *slot = Some(frame),
                _ => break,
            }
            found += 1;
        }
        found
    }

    /// Brings the absent page `index` in, or copies zeros for a hole. Returns the bytes copied.
    fn read_absent(&self, ahead: &ReadAhead, index: u64, pos: u64, end: u64, sink: &mut IoSink<'_>) -> Result<usize> {
        if self.backend.is_none() {
            let n = (PAGE - pos % PAGE).min(end - pos) as usize;
            let copied = sink.write_zeros(n)?;
            return if copied == 0 { Err(EFAULT) } else { Ok(copied) };
        }
        let wanted = (end.div_ceil(PAGE) - index).min(MAX_BATCH as u64) as usize;
        self.load(index, ahead.window(index, wanted))?;
        self.run_ahead(ahead, index + wanted as u64);
        Ok(0)
    }

    /// Copies from `src` into the file at byte `pos`, which grows as needed. The caller holds [`PageCache::lock_writes`]. Returns the number of bytes.
    ///
    /// # Errors
    /// `EFAULT`, `ENOSPC`, `ENOMEM`, `EFBIG` and the backend's, where nothing could be written.
    pub fn write(&self, mut pos: u64, src: &mut IoSource<'_>) -> Result<usize> {
        let before = src.done();
        if src.remaining() == 0 {
            return Ok(0);
        }
        let max = i64::MAX as u64;
        if pos >= max {
            return Err(EFBIG);
        }
        src.limit((max - pos).min(usize::MAX as u64) as usize);
        let old = self.size();
        if pos > old {
            self.zero_tail(old);
        }
        let mut outcome = Ok(());
        while src.remaining() > 0 {
            let offset = (pos % PAGE) as usize;
            let n = (PAGE_SIZE - offset).min(src.remaining());
            let copied = match self.write_page(pos / PAGE, offset, n, src) {
                Ok(copied) => copied,
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            };
            pos += copied as u64;
            // Only writers change the size, and they are kept out.
            if pos > self.size() {
                self.size.store(pos, Ordering::Release);
            }
            if copied < n {
                break;
            }
        }
        self.balance();
        match src.done() - before {
            0 => outcome.and(Err(EFAULT)),
            done => Ok(done),
        }
    }

    fn write_page(&self, index: u64, offset: usize, n: usize, src: &mut IoSource<'_>) -> Result<usize> {
        loop {
            match self.get(index) {
                Lookup::Present(frame) => {
                    let copied = src.read_into_frame(&frame, offset, n);
                    self.set_dirty(index, &frame);
                    return copied;
                }
                Lookup::Filling => self.wait_filled(index),
                Lookup::Absent => {
                    let start = index * PAGE;
                    let size = self.size();
                    let whole = start >= size || (offset == 0 && (n == PAGE_SIZE || start + n as u64 >= size));
                    if whole || self.backend.is_none() {
                        return self.write_fresh(index, offset, n, src);
                    }
                    self.load(index, 1)?;
                }
            }
        }
    }

    /// Writes to an absent page whose other bytes are zeros or are all written.
    fn write_fresh(&self, index: u64, offset: usize, n: usize, src: &mut IoSource<'_>) -> Result<usize> {
        if let Some(quota) = &self.quota {
            quota.take()?;
        }
        let (copied, inserted) = self.write_fresh_page(index, offset, n, src);
        if let (Some(quota), false) = (&self.quota, inserted) {
            quota.give(1);
        }
        copied
    }

    fn write_fresh_page(&self, index: u64, offset: usize, n: usize, src: &mut IoSource<'_>) -> (Result<usize>, bool) {
        let fresh = match super::new_frame() {
            Ok(frame) => frame,
            Err(error) => return (Err(error), false),
        };
        if n < PAGE_SIZE {
            fresh.zero();
        }
        let copied = match src.read_into_frame(&fresh, offset, n) {
            Ok(copied) if copied > 0 => copied,
            other => return (other, false),
        };
        if copied < n {
            if self.backend.is_some() && index * PAGE < self.size() {
                // The source ended in the middle: what it should have replaced must be read after all.
                return match self.load(index, 1) {
                    Ok(page) => (self.merge(index, &page, &fresh, offset, copied), false),
                    Err(error) => (Err(error), false),
                };
            }
            if n == PAGE_SIZE {
                fresh.zero_range(copied, PAGE_SIZE - copied);
            }
        }
        loop {
            match self.insert(index, &fresh, true) {
                Lookup::Absent => return (Ok(copied), true),
                Lookup::Present(page) => return (self.merge(index, &page, &fresh, offset, copied), false),
                Lookup::Filling => self.wait_filled(index),
            }
        }
    }

    fn merge(&self, index: u64, page: &Frame, from: &Frame, offset: usize, len: usize) -> Result<usize> {
        page.copy_range_from(offset, from, offset, len);
        self.set_dirty(index, page);
        Ok(len)
    }
}
