//! A request, and what it has to remember from one try to the next.

use alloc::collections::VecDeque;
use alloc::sync::Arc;

use crate::fs::OpenFile;

/// `IOSQE_*`
pub const FIXED_FILE: u8 = 1;
#[allow(missing_docs)]
pub const DRAIN: u8 = 1 << 1;
#[allow(missing_docs)]
pub const LINK: u8 = 1 << 2;
#[allow(missing_docs)]
pub const HARD_LINK: u8 = 1 << 3;
#[allow(missing_docs)]
pub const BUFFER_SELECT: u8 = 1 << 5;
#[allow(missing_docs)]
pub const SKIP_SUCCESS: u8 = 1 << 6;

/// `struct io_uring_sqe`; its fields have the names of their first meaning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// `IORING_OP_*`
    pub opcode: u8,
    /// `IOSQE_*`
    pub flags: u8,
    /// Priority, or flags of some requests.
    pub priority: u16,
    /// A descriptor, or the number of a registered file.
    pub fd: i32,
    /// A position in the file, or a second address.
    pub offset: u64,
    /// An address.
    pub address: u64,
    /// A length.
    pub len: u32,
    /// Flags of the call.
    pub call_flags: u32,
    /// Comes back with the result.
    pub user_data: u64,
    /// The number of a registered buffer, or of a group of buffers.
    pub buffer: u16,
    /// Of registered credentials; there are none.
    pub personality: u16,
    /// A second descriptor, or where among the registered files a new one goes, counted from 1.
    pub file_index: u32,
    /// A third address.
    pub address3: u64,
}

impl Entry {
    /// From the bytes of a ring.
    pub fn decode(bytes: &[u8; 64]) -> Self {
        let short = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let word = |at: usize| u32::from(short(at)) | u32::from(short(at + 2)) << 16;
        let long = |at: usize| u64::from(word(at)) | u64::from(word(at + 4)) << 32;
        Self {
            opcode: bytes[0],
            flags: bytes[1],
            priority: short(2),
            fd: word(4) as i32,
            offset: long(8),
            address: long(16),
            len: word(24),
            call_flags: word(28),
            user_data: long(32),
            buffer: short(40),
            personality: short(42),
            file_index: word(44),
            address3: long(48),
        }
    }
}

/// A request at work.
pub struct Request {
    /// What was asked.
    pub entry: Entry,
    /// Its file.
    pub file: Option<Arc<OpenFile>>,
    /// The same file for calls that must not wait.
    pub quick: Option<Arc<OpenFile>>,
    /// Bytes moved by earlier tries.
    pub done: u32,
    /// It has been begun: a connection that is being made.
    pub has_begun: bool,
}

impl Request {
    /// One that has not begun.
    pub const fn new(entry: Entry) -> Self {
        Self { entry, file: None, quick: None, done: 0, has_begun: false }
    }
}

/// Requests of which each begins when the one before it has ended (`IOSQE_IO_LINK`).
#[derive(Default)]
pub struct Chain(pub VecDeque<Request>);

impl Chain {
    /// Whether the first waits until all that were submitted before have ended.
    pub fn waits_for_others(&self) -> bool {
        self.0.front().is_some_and(|first| first.entry.flags & DRAIN != 0)
    }
}
