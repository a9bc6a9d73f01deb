//! Where the bytes of a read go and the bytes of a write come from: user memory or kernel memory, in one or more pieces.
//!
//! Copying to or from user memory may fault and sleep, so it must not happen under a [`crate::sync::SpinLock`].

use alloc::vec::Vec;

use frame::mm::{Frame, PAGE_SIZE};

use crate::error::Result;

/// Copies a piece of user memory, or as many whole pages of it as can be accessed.
fn copy_piece(from: usize, addr: usize, len: usize, user: &mut impl FnMut(usize, usize, usize) -> Result) -> Result<usize> {
    let Err(error) = user(from, addr, len) else { return Ok(len) };
    let mut done = 0;
    while done < len {
        let piece = (PAGE_SIZE - (addr + done) % PAGE_SIZE).min(len - done);
        if piece == len || user(from + done, addr + done, piece).is_err() {
            break;
        }
        done += piece;
    }
    if done > 0 { Ok(done) } else { Err(error) }
}

enum Dst<'a> {
    /// The piece being worked on, and those after it from index `at` on.
    User { piece: (usize, usize), iovs: Vec<(usize, usize)>, at: usize },
    Kernel { buf: &'a mut [u8], at: usize },
}

/// The destination of a read.
pub struct IoSink<'a> {
    dst: Dst<'a>,
    done: usize,
    left: usize,
}

impl<'a> IoSink<'a> {
    /// One user buffer.
    pub fn user(addr: usize, len: usize) -> IoSink<'static> {
        IoSink { dst: Dst::User { piece: (addr, len), iovs: Vec::new(), at: 0 }, done: 0, left: len }
    }

    /// Several user buffers `(address, length)`, as of `readv(2)`.
    pub fn user_vec(iovs: Vec<(usize, usize)>) -> IoSink<'static> {
        let left = iovs.iter().map(|v| v.1).sum();
        IoSink { dst: Dst::User { piece: (0, 0), iovs, at: 0 }, done: 0, left }
    }

    /// A kernel buffer.
    pub fn kernel(buf: &'a mut [u8]) -> Self {
        let left = buf.len();
        IoSink { dst: Dst::Kernel { buf, at: 0 }, done: 0, left }
    }

    /// Room left, in bytes.
    pub fn remaining(&self) -> usize {
        self.left
    }

    /// Bytes written so far.
    pub fn done(&self) -> usize {
        self.done
    }

    fn each(&mut self, mut len: usize, mut user: impl FnMut(usize, usize, usize) -> Result, kernel: impl FnOnce(&mut [u8])) -> Result<usize> {
        len = len.min(self.left);
        match &mut self.dst {
            Dst::User { piece, iovs, at } => {
                let mut moved = 0;
                while moved < len {
                    if piece.1 == 0 {
                        let Some(next) = iovs.get(*at) else { break };
                        *piece = *next;
                        *at += 1;
                        continue;
                    }
                    let copied = match copy_piece(moved, piece.0, piece.1.min(len - moved), &mut user) {
                        Ok(copied) => copied,
                        Err(error) if moved == 0 => return Err(error),
                        Err(_) => break,
                    };
                    *piece = (piece.0 + copied, piece.1 - copied);
                    moved += copied;
                }
                self.done += moved;
                self.left -= moved;
                Ok(moved)
            }
            Dst::Kernel { buf, at } => {
                kernel(&mut buf[*at..*at + len]);
                *at += len;
                self.done += len;
                self.left -= len;
                Ok(len)
            }
        }
    }

    /// Copies as much of `data` as there is room for; returns the number of bytes.
    ///
    /// # Errors
    /// `EFAULT` where nothing could be copied because the user buffer is bad.
    pub fn write(&mut self, data: &[u8]) -> Result<usize> {
        self.each(
            data.len(),
            |from, addr, len| Ok(frame::user::copy_to_user(addr as u64, &data[from..from + len])?),
            |buf| buf.copy_from_slice(&data[..buf.len()]),
        )
    }

    /// Copies `len` bytes of a frame from `offset`.
    ///
    /// # Errors
    /// As [`IoSink::write`].
    pub fn write_frame(&mut self, page: &Frame, offset: usize, len: usize) -> Result<usize> {
        self.each(
            len,
            |from, addr, len| Ok(page.copy_to_user(offset + from, addr as u64, len)?),
            |buf| page.read(offset, buf),
        )
    }

    /// Writes `len` zero bytes.
    ///
    /// # Errors
    /// As [`IoSink::write`].
    pub fn write_zeros(&mut self, len: usize) -> Result<usize> {
        self.each(len, |_, addr, len| Ok(frame::user::zero_user(addr as u64, len)?), |buf| buf.fill(0))
    }
}

enum Src<'a> {
    /// The piece being worked on, and those after it from index `at` on.
    User { piece: (usize, usize), iovs: Vec<(usize, usize)>, at: usize },
    Kernel { buf: &'a [u8], at: usize },
}

/// The source of a write.
pub struct IoSource<'a> {
    src: Src<'a>,
    done: usize,
    left: usize,
}

impl<'a> IoSource<'a> {
    /// One user buffer.
    pub fn user(addr: usize, len: usize) -> IoSource<'static> {
        IoSource { src: Src::User { piece: (addr, len), iovs: Vec::new(), at: 0 }, done: 0, left: len }
    }

    /// Several user buffers `(address, length)`, as of `writev(2)`.
    pub fn user_vec(iovs: Vec<(usize, usize)>) -> IoSource<'static> {
        let left = iovs.iter().map(|v| v.1).sum();
        IoSource { src: Src::User { piece: (0, 0), iovs, at: 0 }, done: 0, left }
    }

    /// A kernel buffer.
    pub fn kernel(buf: &'a [u8]) -> Self {
        IoSource { src: Src::Kernel { buf, at: 0 }, done: 0, left: buf.len() }
    }

    /// Bytes left to take.
    pub fn remaining(&self) -> usize {
        self.left
    }

    /// Bytes taken so far.
    pub fn done(&self) -> usize {
        self.done
    }

    /// Never give more than `len` further bytes.
    pub fn limit(&mut self, len: usize) {
        self.left = self.left.min(len);
    }

    fn each(&mut self, mut len: usize, mut user: impl FnMut(usize, usize, usize) -> Result, kernel: impl FnOnce(&[u8])) -> Result<usize> {
        len = len.min(self.left);
        match &mut self.src {
            Src::User { piece, iovs, at } => {
                let mut moved = 0;
                while moved < len {
                    if piece.1 == 0 {
                        let Some(next) = iovs.get(*at) else { break };
                        *piece = *next;
                        *at += 1;
                        continue;
                    }
                    let copied = match copy_piece(moved, piece.0, piece.1.min(len - moved), &mut user) {
                        Ok(copied) => copied,
                        Err(error) if moved == 0 => return Err(error),
                        Err(_) => break,
                    };
                    *piece = (piece.0 + copied, piece.1 - copied);
                    moved += copied;
                }
                self.done += moved;
                self.left -= moved;
                Ok(moved)
            }
            Src::Kernel { buf, at } => {
                kernel(&buf[*at..*at + len]);
                *at += len;
                self.done += len;
                self.left -= len;
                Ok(len)
            }
        }
    }

    /// Fills `data` as far as bytes are left; returns the number of bytes.
    ///
    /// # Errors
    /// `EFAULT` where nothing could be copied because the user buffer is bad.
    pub fn read(&mut self, data: &mut [u8]) -> Result<usize> {
        let len = data.len();
        let cell = core::cell::RefCell::new(data);
        self.each(
            len,
            |from, addr, len| Ok(frame::user::copy_from_user(&mut cell.borrow_mut()[from..from + len], addr as u64)?),
            |buf| cell.borrow_mut()[..buf.len()].copy_from_slice(buf),
        )
    }

    /// Copies up to `len` bytes into a frame at `offset`.
    ///
    /// # Errors
    /// As [`IoSource::read`].
    pub fn read_into_frame(&mut self, page: &Frame, offset: usize, len: usize) -> Result<usize> {
        self.each(
            len,
            |from, addr, len| Ok(page.copy_from_user(offset + from, addr as u64, len)?),
            |buf| page.write(offset, buf),
        )
    }
}
