//! Positions in streams of a known length.

use std::io::{self, SeekFrom};

/// Where a stream of `len` bytes that is at byte `at` goes. It may be past the end, as lseek(2) lets it.
///
/// # Errors
/// `InvalidInput` before the start, or past what a number holds.
pub fn target(to: SeekFrom, at: u64, len: u64) -> io::Result<u64> {
    let target = match to {
        SeekFrom::Start(at) => Some(at),
        SeekFrom::End(by) => len.checked_add_signed(by),
        SeekFrom::Current(by) => at.checked_add_signed(by),
    };
    target.ok_or_else(|| io::ErrorKind::InvalidInput.into())
}
