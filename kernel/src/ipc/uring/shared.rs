//! The memory of a ring: the two rings' heads and tails, results, the numbers of requests, and the requests.
//!
//! The program writes the tail of the requests and the head of the results, and may write anything else: the kernel keeps its own copies of what it
//! has to rely on.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU32, Ordering};

use super::Completion;
use super::request::Entry;
use crate::error::*;
use crate::mm::pages::{Pages, PagesAt};
use crate::mm::{MemoryObject, PAGE};

/// Where words are. Those that different sides write lie in lines of their own.
const REQUEST_HEAD: usize = 0;
const REQUEST_TAIL: usize = 64;
const RESULT_HEAD: usize = 128;
const RESULT_TAIL: usize = 192;
const REQUEST_MASK: usize = 256;
const RESULT_MASK: usize = 260;
const REQUEST_ENTRIES: usize = 264;
const RESULT_ENTRIES: usize = 268;
const DROPPED: usize = 272;
const FLAGS: usize = 276;
const RESULT_FLAGS: usize = 280;
const OVERFLOWED: usize = 284;
const RESULTS: usize = 320;
/// `struct io_uring_cqe`, `struct io_uring_sqe`
const RESULT_BYTES: usize = 16;
const REQUEST_BYTES: usize = 64;
/// `IORING_OFF_*`: where programs map what.
const RESULTS_AT: u64 = 0x800_0000;
const REQUESTS_AT: u64 = 0x1000_0000;

/// `struct io_sqring_offsets` but for where the numbers are: head, tail, mask, entries, flags, dropped.
pub const SUBMISSION_OFFSETS: [usize; 6] = [REQUEST_HEAD, REQUEST_TAIL, REQUEST_MASK, REQUEST_ENTRIES, FLAGS, DROPPED];
/// `struct io_cqring_offsets`: head, tail, mask, entries, overflow, results, flags.
pub const COMPLETION_OFFSETS: [usize; 7] = [RESULT_HEAD, RESULT_TAIL, RESULT_MASK, RESULT_ENTRIES, OVERFLOWED, RESULTS, RESULT_FLAGS];

/// Where the numbers of requests are in a ring with so many results.
pub const fn numbers_at(results: u32) -> usize {
    RESULTS + results as usize * RESULT_BYTES
}

/// The memory.
pub struct Shared {
    rings: Arc<Pages>,
    requests: Arc<Pages>,
    request_count: u32,
    result_count: u32,
    /// Requests taken, results given.
    taken: AtomicU32,
    given: AtomicU32,
}

impl Shared {
    /// Both counts are powers of two.
    pub fn new(requests: u32, results: u32) -> Result<Self> {
        let rings = Pages::new(numbers_at(results) + requests as usize * 4)?;
        for (at, word) in [(REQUEST_MASK, requests - 1), (RESULT_MASK, results - 1), (REQUEST_ENTRIES, requests), (RESULT_ENTRIES, results)] {
            rings.store(at, word);
        }
        let entries = Pages::new(requests as usize * REQUEST_BYTES)?;
        Ok(Self { rings, requests: entries, request_count: requests, result_count: results, taken: AtomicU32::new(0), given: AtomicU32::new(0) })
    }

    /// What a program maps at an offset.
    pub fn memory(&self, offset: u64, len: u64) -> Result<Arc<dyn MemoryObject>> {
        let pages = match offset {
            0 | RESULTS_AT => &self.rings,
            REQUESTS_AT => &self.requests,
            _ => return Err(EINVAL),
        };
        if len > pages.len() as u64 {
            return Err(EINVAL);
        }
        Ok(Arc::new(PagesAt { pages: pages.clone(), first: offset / PAGE as u64 }))
    }

    /// The next request; one at a time.
    pub fn take(&self) -> Option<Entry> {
        loop {
            let head = self.taken.load(Ordering::Relaxed);
            let tail = self.rings.load(REQUEST_TAIL);
            // A tail that is further ahead than there are places is none.
            if tail.wrapping_sub(head).wrapping_sub(1) >= self.request_count {
                return None;
            }
            let number = self.rings.load(numbers_at(self.result_count) + (head & (self.request_count - 1)) as usize * 4);
            let entry = (number < self.request_count).then(|| Entry::decode(&self.requests.read(number as usize * REQUEST_BYTES)));
            self.taken.store(head.wrapping_add(1), Ordering::Relaxed);
            self.rings.store(REQUEST_HEAD, head.wrapping_add(1));
            match entry {
                Some(entry) => return Some(entry),
                None => self.rings.store(DROPPED, self.rings.load(DROPPED).wrapping_add(1)),
            }
        }
    }

    /// Whether there is no place for another request.
    pub fn is_full(&self) -> bool {
        self.rings.load(REQUEST_TAIL).wrapping_sub(self.taken.load(Ordering::Relaxed)) >= self.request_count
    }

    /// Puts a result in; false where there is no room. One at a time.
    pub fn put(&self, completion: &Completion) -> bool {
        if self.ready() >= self.result_count {
            return false;
        }
        let given = self.given.load(Ordering::Relaxed);
        let mut bytes = [0; RESULT_BYTES];
        bytes[..8].copy_from_slice(&completion.user_data.to_le_bytes());
        bytes[8..12].copy_from_slice(&completion.result.to_le_bytes());
        bytes[12..].copy_from_slice(&completion.flags.to_le_bytes());
        self.rings.write(RESULTS + (given & (self.result_count - 1)) as usize * RESULT_BYTES, &bytes);
        self.given.store(given.wrapping_add(1), Ordering::Relaxed);
        self.rings.store(RESULT_TAIL, given.wrapping_add(1));
        true
    }

    /// Results that the program has not taken.
    pub fn ready(&self) -> u32 {
        self.given.load(Ordering::Relaxed).wrapping_sub(self.rings.load(RESULT_HEAD))
    }

    /// Sets and clears flags of the requests' ring.
    pub fn set_flags(&self, set: u32, clear: u32) {
        self.rings.change_bits(FLAGS, set, clear);
    }
}
